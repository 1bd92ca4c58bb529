"""May somebody do something: allowed, denied, or depends on what the policies alone do not decide.

In: a World and questions. Out: answers, with the statements that decide them. Pure.

Each policy is read once: its statements are found by service and action, and what a statement says of an action on a
resource is kept, unless it depends on who asks. `Judge.verdict` is this fast way. `slowly` is the same decision by
`toolkit.iam.evaluate`, asked twice: once with whatever may apply in the principal's favour, once against it. A test
holds that both say the same.

Allowed means: whatever is not known, AWS allows it. Denied: whatever is not known, AWS does not. So an allowance that
is certain never depends on a condition, and what cannot be decided is "depends".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from toolkit.access.knowledge import (
    DIRECTLY,
    OF_ACCESS_POINTS,
    Knowledge,
    Truth,
    condition_holds,
    doubts,
    meets,
    of_the_principal,
    resource_applies,
)
from toolkit.access.model import OWN, STRANGERS, Guarded, Holding, Kind, Principal, World, unknown_document
from toolkit.access.reference import PARTITION, Action, action
from toolkit.globs import Glob
from toolkit.iam import Condition, Policies, PolicyDocument, PolicyKind, Principals, Request, Statement, evaluate
from toolkit.iam.conditions import OPERATORS
from toolkit.iam.evaluate import Grant, Layer, Result, grant_of, only_within_account, resource_must_allow
from toolkit.iam.matching import ARN_FIELDS, ContextValue, action_pattern
from toolkit.iam.organization import HONOUR_RCPS
from toolkit.iam.request import Principal as Caller
from toolkit.iam.request import role_session
from toolkit.regions import GLOBAL_REGION
from toolkit.visible import shortened

_ONE_ENDPOINT = frozenset({"account", "iam", "organizations", "shield"})
"""As in `toolkit.iam.organization`."""
HAVE_POLICIES = frozenset(
    {
        *("acm-pca", "aoss", "backup", "bedrock", "codeartifact", "codebuild", "dynamodb", "ecr", "elasticfilesystem"),
        *("es", "events", "execute-api", "glacier", "glue", "iot", "kinesis", "kms", "lambda", "lex", "logs"),
        *("mediastore", "redshift-serverless", "rekognition", "s3", "s3-outposts", "s3express", "s3tables", "schemas"),
        *("secretsmanager", "serverlessrepo", "ses", "signer", "sns", "sqs", "ssm", "ssm-contacts", "ssm-incidents"),
        *("vpc-lattice", "vpc-lattice-svcs", "xray"),
    }
)
"""Services whose resources can have policies of their own (IAM User Guide, "AWS services that work with IAM", column
"Resource-based policies"); those of roles, their trust policies, are about sts:AssumeRole… alone. Those of CloudTrail
are of channels, dashboards and event data stores, which nothing here asks about."""
STRANGER = "member"
"""Name of the user who stands for a group's members."""


NO_ACCOUNT = "000000000000"
"""Stands for an account that is not known, and is not this one."""
_NAMED = 3
"""How many resources a reason names."""
_ELSEWHERE = (*STRANGERS, Kind.TARGET)
"""Principals whose own account decides what they may do, and is taken to allow everything."""


class Verdict(Enum):
    """The three answers."""

    ALLOWED = "allowed"
    DEPENDS = "depends"
    DENIED = "denied"


RANK: Mapping[Verdict, int] = {Verdict.DENIED: 0, Verdict.DEPENDS: 1, Verdict.ALLOWED: 2}
"""How much each allows."""


@dataclass(frozen=True)
class Question:
    """What somebody may do.

    Attributes:
        action: One action.
        resource: ARN; None: any resource.
        context: Condition keys that are known of the request.
        session: Session policies that were passed; None: none were.
    """

    action: str
    resource: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    session: tuple[PolicyDocument, ...] | None = None

    @cached_property
    def reference(self) -> Action | None:
        """What AWS's reference says of the action; None: the list does not have it."""
        return action(self.action)

    def kinds(self, partition: str) -> tuple[str, ...]:
        """Patterns of the ARNs that its requests may name."""
        arns = self.reference.arns if self.reference is not None else ("*",)
        return tuple(arn.replace(PARTITION, partition) for arn in arns)

    def meant(self, guard: Guarded, partition: str) -> tuple[str, ...]:
        """Patterns of the ARNs of a resource that its requests may name; none: they name no such resource."""
        kinds = self.kinds(partition)
        if guard.arn.split(":")[2:3] != [self.action.partition(":")[0].lower()]:
            kinds = tuple(kind for kind in kinds if kind != "*")
        bucket = ":s3:::" in guard.arn and "/" not in guard.arn
        # A bucket's policy is about its objects, too: which of them a request names, the kind says.
        return tuple(
            own
            for own in ((guard.arn, f"{guard.arn}/*") if bucket else (guard.arn,))
            if any(
                kind == "*" or ((not bucket or ("/" in kind) == ("/" in own)) and meets(own, kind)) for kind in kinds
            )
        )

    @cached_property
    def asked(self) -> str | None:
        """The resource; "*" where requests of the action name none."""
        if self.resource is None and self.reference is not None and not self.reference.arns:
            return "*"
        return self.resource


@dataclass(frozen=True)
class Ground:
    """A statement that has a part in an answer.

    Attributes:
        holding: The policy that it is of.
        statement: The statement.
        certain: Whether it applies whatever is not known.
        doubts: What decides it where it does not, for people.
        left: The statement without what is decided of it: whom it names, and what is known of the request.
    """

    holding: Holding
    statement: Statement
    certain: bool
    doubts: tuple[str, ...] = ()
    left: Statement | None = None

    @property
    def denies(self) -> bool:
        """Whether it denies."""
        return self.statement.effect == "Deny"

    def __str__(self) -> str:
        return f"{self.holding.layer.value} {self.holding.name}, {self.statement.label}"


@dataclass(frozen=True)
class Answer:
    """What came of a question about somebody.

    Attributes:
        grounds: The statements that decide; where it depends, those that apply perhaps, and those that would allow it.
        reason: One sentence.
        through: The role that a principal of another account assumes to do it; None: it does it by itself.
        near: Where it is denied: allowances that were not enough, for people.
    """

    principal: Principal
    question: Question
    verdict: Verdict
    grounds: tuple[Ground, ...]
    reason: str
    through: Principal | None = None
    near: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """What it depends on, for people: "if …" of what allows, "unless …" of what denies."""
        found: dict[str, None] = {}
        for ground in self.grounds:
            if not ground.certain:
                word = "on" if ground.holding.unknown else "unless" if ground.denies else "if"
                found[f"{word} {' and '.join(ground.doubts)}"] = None
        return tuple(found)


@dataclass(frozen=True)
class Part:
    """An answer about any resource, or about one.

    Attributes:
        guard: The resource; None: any other.
        verdict: The verdict.
        grounds: Every statement that applies, certainly or perhaps.
    """

    guard: Guarded | None
    verdict: Verdict
    grounds: tuple[Ground, ...]


_NOTHING = (Truth.NO, Truth.NO)
_ANY = Knowledge({})
_BUCKETS = re.compile(r"arn:[\w-]+:s3:::")
"""How the ARNs of buckets and their objects start."""


class _Compiled:
    """A policy, ready to be asked."""

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document
        self._literal: dict[str, list[int]] = {}
        self._wild: dict[str, list[tuple[Glob, int]]] = {}
        self._always: list[tuple[tuple[Glob, ...], bool, int]] = []
        self._found: dict[str, tuple[Statement, ...]] = {}
        self._said: dict[tuple[str, str | None], tuple[Truth, Truth]] = {}
        self.personal = tuple(map(self._is_personal, document.statements))
        self._apart: dict[str, frozenset[str] | None] = {}
        self.plain = tuple(
            not one.conditions and not any("${" in text for text in (*one.resources, *one.not_resources))
            for one in document.statements
        )
        for index, statement in enumerate(document.statements):
            if statement.not_actions:
                self._always.append((tuple(map(action_pattern, statement.not_actions)), True, index))
                continue
            for entry in statement.actions:
                service = entry.partition(":")[0].lower()
                if "*" in service or "?" in service:
                    self._always.append(((action_pattern(entry),), False, index))
                elif "*" in entry or "?" in entry:
                    self._wild.setdefault(service, []).append((action_pattern(entry), index))
                else:
                    self._literal.setdefault(entry.lower(), []).append(index)
        self._services = {*self._wild, *(name.partition(":")[0] for name in self._literal)}

    def _is_personal(self, statement: Statement) -> bool:
        """Whether what a statement says depends on who asks."""
        if statement.principals is not None and not statement.principals.everyone:
            return True
        return statement.not_principals is not None or self._reads_who(statement)

    def apart(self, name: str) -> frozenset[str] | None:
        """Of whom alone statements about an action speak: to all others of the same kind and account it says the same.

        None: what it says to anybody depends on who they are.
        """
        if name not in self._apart:
            self._apart[name] = self._find_apart(name)
        return self._apart[name]

    def speaks_of(self, principal: Principal, name: str) -> bool:
        """Whether what statements about an action say to a principal is not what they say to its kind and account."""
        apart = self.apart(name)
        if not apart:
            return apart is None
        # A session of a role may be named, and the role of a permission set by how its name begins.
        return principal.kind not in (Kind.USER, Kind.GROUP) or principal.arn in apart

    def _find_apart(self, name: str) -> frozenset[str] | None:
        found = set[str]()
        for one in self.about(name):
            if one.not_principals is not None or self._reads_who(one):
                return None
            if one.principals is not None:
                found.update(entry for entry in one.principals.aws if not (entry.isdigit() or entry.endswith(":root")))
        return frozenset(found)

    def _reads_who(self, statement: Statement) -> bool:
        texts = (*statement.resources, *statement.not_resources, *(v for c in statement.conditions for v in c.values))
        written = self.document.variables and any("${" in text for text in texts)
        return written or any(of_the_principal(condition.key) for condition in statement.conditions)

    def about(self, name: str) -> tuple[Statement, ...]:
        """The statements about an action in lowercase."""
        found = self._found.get(name)
        if found is None:
            indices = set(self._literal.get(name, ()))
            indices.update(i for one, i in self._wild.get(name.partition(":")[0], ()) if one.matches(name))
            for globs, negated, index in self._always:
                if any(one.matches(name) for one in globs) != negated:
                    indices.add(index)
            found = self._found[name] = tuple(self.document.statements[index] for index in sorted(indices))
        return found

    def says(self, asked: _Asked) -> tuple[Truth, Truth]:
        """Whether it allows, and denies, what is asked. Principals are not looked at: of identities' policies."""
        prepared = asked.prepared
        if not self._always and prepared.service not in self._services:
            return _NOTHING
        statements = self.about(prepared.name)
        if not statements:
            return _NOTHING
        key = prepared.key
        if key is None:
            return self._decide(statements, asked)
        known = self._said.get(key)
        if known is None:
            if any(self.personal[statement.index] for statement in statements):
                return self._decide(statements, asked)
            known = self._said[key] = self._decide(statements, asked)
        return known

    def _decide(self, statements: Iterable[Statement], asked: _Asked) -> tuple[Truth, Truth]:
        allow = deny = Truth.NO
        for statement in statements:
            if statement.effect == "Allow":
                if allow is not Truth.YES:
                    allow = max(allow, self.applies(statement, asked))
            elif deny is not Truth.YES:
                deny = max(deny, self.applies(statement, asked))
        return allow, deny

    def grants(self, asked: _Asked) -> tuple[dict[Grant, Truth], Truth]:
        """How closely it names the caller in what it allows, and whether it denies: of a resource's policy."""
        principal, prepared = asked.principal, asked.prepared
        if principal.kind not in OWN or self.speaks_of(principal, prepared.name):
            return self._grant(asked)
        key = (principal.kind, asked.caller.account)
        if key not in prepared.granted:
            prepared.granted[key] = self._grant(asked)
        return prepared.granted[key]

    def _grant(self, asked: _Asked) -> tuple[dict[Grant, Truth], Truth]:
        allow, deny = dict.fromkeys(Grant, Truth.NO), Truth.NO
        for statement in self.about(asked.prepared.name):
            grant = grant_of(statement, asked.caller)
            perhaps = _perhaps_named(statement, asked.principal)
            if grant is Grant.NOT_NAMED and not perhaps:
                continue
            applies = self.applies(statement, asked)
            if perhaps and statement.effect == "Allow":
                allow[Grant.DIRECT] = max(allow[Grant.DIRECT], min(applies, Truth.PERHAPS))
            elif perhaps and (grant is Grant.NOT_NAMED or statement.not_principals is not None):
                applies = min(applies, Truth.PERHAPS)
            if grant is Grant.NOT_NAMED and statement.effect == "Allow":
                continue
            if statement.effect == "Allow":
                allow[grant] = max(allow[grant], applies)
            else:
                deny = max(deny, applies)
        return allow, deny

    def applies(self, statement: Statement, asked: _Asked) -> Truth:
        """Whether a statement about the action applies, whoever its principals are."""
        variables = self.document.variables
        prepared = asked.prepared
        if not statement.conditions and statement.resources == ("*",):
            return Truth.YES
        # What needs nothing of the request is not asked of it, which takes longer than all the rest.
        knowledge = _ANY if self.plain[statement.index] else asked.knowledge
        found = resource_applies(statement, knowledge, prepared.resource, prepared.kinds, variables=variables)
        for condition in statement.conditions:
            if found is Truth.NO:
                break
            found = min(found, condition_holds(condition, asked.knowledge, variables=variables))
        return found


class _Prepared:
    """A question about a world, whoever it is about."""

    def __init__(self, question: Question, world: World, on: Guarded | None = None) -> None:
        """`on` is one of the resources that a question about any resource is about."""
        self.question, self.world = question, world
        self.name = question.action.lower()
        self.service = self.name.partition(":")[0]
        self.resource = question.asked
        # Only what does not depend on who asks is kept for others, and only for questions without more.
        self.key = None if question.context or on is not None else (self.name, self.resource)
        self.kinds = question.kinds(world.partition) if on is None else question.meant(on, world.partition)
        self.guard = on if question.resource is None else world.guard_of(question.resource)
        self.owner = self._owner()
        self.honours_rcps = self.service in HONOUR_RCPS
        # What names no resource (kms:CreateKey) has no policy of one that would have to allow it.
        self.must_allow = resource_must_allow(question.action) and bool(self.kinds)
        self.within_account = only_within_account(question.action)
        self.policy: Holding | None = None if self.guard is None else self.guard.policy
        if self.guard is None and self._may_have_a_policy():
            named = "the resource" if question.resource in (None, "*") else question.resource
            self.policy = Holding(Layer.RESOURCE, unknown_document(f"the policy of {named}", PolicyKind.RESOURCE))
        self.granted: dict[tuple[Kind, str], tuple[dict[Grant, Truth], Truth]] = {}

    def _owner(self) -> str:
        """Account of the resource."""
        if self.guard is not None:
            return self.guard.account
        resource = self.question.resource or ""
        account = resource.split(":", ARN_FIELDS - 1)[4] if resource.count(":") >= ARN_FIELDS - 1 else ""
        return account if account.isdigit() else self.world.account_id

    def account_below(self, target: Principal) -> str | None:
        """The account below a target that asks; None: that of a resource of which the account is not known."""
        here = self.owner == self.world.account_id
        resource = self.question.resource or ""
        if here and self.guard is None and f":{self.owner}:" not in resource:
            return None
        return target.name if target.name.isdigit() else NO_ACCOUNT if here else self.owner

    def _may_have_a_policy(self) -> bool:
        """Whether the resource may have a policy of which nothing is known."""
        if self.question.resource in (None, "*"):
            return self.must_allow
        return self.service in HAVE_POLICIES or self.must_allow


class _Asked:
    """A question about one principal."""

    __slots__ = ("_knowledge", "_request", "caller", "prepared", "principal")

    def __init__(self, prepared: _Prepared, principal: Principal, caller: Caller) -> None:
        self.prepared, self.principal, self.caller = prepared, principal, caller
        self._request: Request | None = None
        self._knowledge: Knowledge | None = None

    @property
    def cross_account(self) -> bool:
        return self.prepared.owner != self.caller.account

    @property
    def request(self) -> Request:
        if self._request is None:
            question = self.prepared.question
            self._request = Request(
                self.caller.arn,
                question.action,
                self.prepared.resource or "*",
                context=question.context,
                principal_tags=self.principal.tags or {},
                resource_account=self.prepared.owner,
            )
        return self._request

    @property
    def knowledge(self) -> Knowledge:
        """What is known of the request; built only where a statement asks for it."""
        if self._knowledge is None:
            prepared = self.prepared
            self._knowledge = knowledge_of(
                prepared.question, self.principal, self.request, prepared.world, prepared.guard
            )
        return self._knowledge


def knowledge_of(
    question: Question, principal: Principal, request: Request, world: World, guard: Guarded | None
) -> Knowledge:
    """What is known of a principal's request."""
    known = dict(DIRECTLY)
    absent = {*Knowledge({}).absent}
    if _BUCKETS.match(question.resource or ""):
        absent |= OF_ACCESS_POINTS
    keys = request.keys
    derived = ["aws:principalaccount", "aws:principaltype", "aws:resourceaccount"]
    if principal.kind is not Kind.GROUP:
        # How the ARN of a permission set's role ends is not known before the account has it.
        derived += [] if principal.kind is Kind.PERMISSION_SET else ["aws:principalarn"]
        derived += [*(f"aws:principaltag/{key.lower()}" for key in principal.tags or {})]
        if principal.kind is Kind.USER:
            derived.append("aws:username")
            absent.add("aws:principaltag/")
        elif principal.kind in (Kind.ROLE, Kind.PERMISSION_SET):
            absent.add("aws:username")
    for key in derived:
        value = keys.variable(key)
        if value is not None:
            known[key] = value
    if principal.kind in (Kind.TARGET, Kind.ANYONE):
        for key in ("aws:principalaccount", "aws:principalarn", "aws:principaltype"):
            known.pop(key, None)
    if principal.kind is Kind.TARGET:
        known.pop("aws:resourceaccount", None)
    if principal.kind is Kind.ACCOUNT and ":iam::" in principal.arn and principal.arn.endswith(":root"):
        # Whoever is in the account, not its root user.
        known.pop("aws:principalarn", None)
        known.pop("aws:principaltype", None)
    if world.organization_id is not None:
        if principal.kind not in STRANGERS:
            known["aws:principalorgid"] = world.organization_id
        if request.owner == world.account_id:
            known["aws:resourceorgid"] = world.organization_id
    region = region_of(question, world, guard)
    if region is not None:
        known["aws:requestedregion"] = region
    known.update({key.lower(): value for key, value in question.context.items()})
    return Knowledge(known, frozenset(absent))


def _perhaps_named(statement: Statement, principal: Principal) -> tuple[str, ...]:
    """The entries of a resource's policy that are perhaps who asks: a role's session, a permission set's role, an
    account below a target.

    The name of a permission set's role ends in what only its account knows (IAM Identity Center User Guide,
    "Referencing permission sets in resource policies").
    """
    written = statement.principals if statement.not_principals is None else statement.not_principals
    if written is None or written.everyone or principal.kind not in (Kind.ROLE, Kind.PERMISSION_SET, Kind.TARGET):
        return ()
    account, found = principal.arn.split(":")[4], []
    if principal.kind is Kind.TARGET:
        # Which accounts are below a target is not known here; its own, if it is one.
        others = ((entry, entry.split(":")[4] if entry.startswith("arn:") else entry) for entry in written.aws)
        only = principal.name if principal.name.isdigit() else None
        return tuple(entry for entry, of in others if of.isdigit() and of != account and only in (None, of))
    for entry in written.aws:
        if principal.kind is Kind.ROLE:
            session = role_session(entry)
            same = session is not None and session[0] == principal.arn.rsplit("/", 1)[-1]
        else:
            same = f"/AWSReservedSSO_{principal.name}_" in entry
        if same and entry.split(":")[4] == account:
            found.append(entry)
    return tuple(found)


def scps_of(principal: Principal, world: World) -> tuple[tuple[Holding, ...], ...]:
    """The service control policies that concern a principal, by level: those of its account's organization."""
    if principal.kind is Kind.TARGET:
        return principal.levels
    return () if principal.kind in STRANGERS else world.scps


def region_of(question: Question, world: World, guard: Guarded | None) -> str | None:
    """Where a request goes; None: that is not known."""
    if question.action.partition(":")[0].lower() in _ONE_ENDPOINT:
        return GLOBAL_REGION[world.partition]
    if guard is not None and guard.region:
        return guard.region
    resource = question.resource or ""
    return resource.split(":", ARN_FIELDS - 1)[3] or None if resource.count(":") >= ARN_FIELDS - 1 else None


class Judge:
    """Answers questions about one world; what it has read once is kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._compiled: dict[int, _Compiled] = {}
        self._layers: dict[int, tuple[tuple[_Compiled, ...], tuple[_Compiled, ...]]] = {}
        self._callers: dict[int, Caller] = {}
        self._prepared: dict[int, tuple[_Prepared, ...]] = {}
        self._likenesses: dict[tuple[object, ...], int] = {}
        self._likeness: dict[int, int] = {}
        self._says_alike: dict[tuple[int, str], bool] = {}

    def verdict(self, principal: Principal, question: Question) -> Verdict:
        """Whether somebody may do something, by itself.

        Without a resource, that is what is true of every resource: where the policy of a known one makes the answer
        another for it, the answer depends on the resource.
        """
        return _common(map(self._verdict, self._all_asked(principal, question)))

    def _verdict(self, asked: _Asked) -> Verdict:
        principal, question = asked.principal, asked.prepared.question
        identities, boundaries = self._held(principal)
        world, linked = self.world, principal.linked
        allow, deny = Truth.YES, Truth.NO
        rcps = () if linked or not asked.prepared.honours_rcps else world.rcps
        scps = () if linked else scps_of(principal, world)
        for level in (*rcps, *scps):
            here = Truth.NO
            for holding in level:
                grants, denies = self._compile(holding.document).says(asked)
                here, deny = max(here, grants), max(deny, denies)
            allow = min(allow, here)
        identity = Truth.NO
        for compiled in identities:
            grants, denies = compiled.says(asked)
            identity, deny = max(identity, grants), max(deny, denies)
        if principal.kind in _ELSEWHERE:
            identity = Truth.YES  # what its own account allows is for that to say
        limits = Truth.YES
        for compiled in boundaries:
            grants, denies = compiled.says(asked)
            limits, deny = min(limits, grants), max(deny, denies)
        if question.session is not None:
            here = Truth.NO
            for document in question.session:
                grants, denies = self._compile(document).says(asked)
                here, deny = max(here, grants), max(deny, denies)
            limits = min(limits, here)
        own = min(identity, limits)
        held = asked.prepared.policy
        if asked.prepared.within_account and asked.cross_account:
            total = Truth.NO
        elif held is None:
            total = Truth.NO if asked.cross_account else own
        else:
            by_grant, denies = self._compile(held.document).grants(asked)
            deny = max(deny, denies)
            named = max(by_grant.values())
            if asked.cross_account:
                total = min(named, own)
            else:
                gate = named if asked.prepared.must_allow else Truth.YES
                total = max(by_grant[Grant.DIRECT], min(by_grant[Grant.ROLE], limits), min(gate, own))
        allow = min(allow, total)
        if deny is Truth.YES or allow is Truth.NO:
            return Verdict.DENIED
        return Verdict.ALLOWED if allow is Truth.YES and deny is Truth.NO else Verdict.DEPENDS

    def alike(self, principal: Principal, question: Question) -> int | None:
        """What is the same for all who get the same answer, with statements of the same policies: a number.

        None: it depends on who asks. Only the account's own principals are alike.
        """
        if principal.kind not in OWN or question.session is not None:
            return None
        likeness = self._likeness.get(id(principal))
        if likeness is None:
            held = tuple((one.layer, id(one.document)) for one in principal.held)
            key = (principal.kind, principal.linked, held)
            likeness = self._likeness[id(principal)] = self._likenesses.setdefault(key, len(self._likenesses) + 1)
        prepared = self._prepare(question)
        name = prepared[0].name
        alike = self._says_alike.get((likeness, name))
        if alike is None:
            policies = (*principal.held, *(one for level in (*self.world.scps, *self.world.rcps) for one in level))
            alike = not any(self._compile(one.document).apart(name) is None for one in policies)
            self._says_alike[likeness, name] = alike
        if not alike:
            return None
        named = any(
            self._compile(one.policy.document).speaks_of(principal, name) for one in prepared if one.policy is not None
        )
        return None if named else likeness

    def parts(self, principal: Principal, question: Question) -> Iterator[Part]:
        """The answer in its parts: of any resource, and of each known one whose own policy has a say."""
        for index, asked in enumerate(self._all_asked(principal, question)):
            guard = asked.prepared.guard if index else None
            yield Part(guard, self._verdict(asked), tuple(self._grounds(asked)))

    def slowly(self, principal: Principal, question: Question) -> Verdict:
        """As `verdict`, by the plain evaluator."""
        return _common(map(self._slowly, self._all_asked(principal, question)))

    def _slowly(self, asked: _Asked) -> Verdict:
        best, worst = self._evaluated(asked)
        if not best.allowed:
            return Verdict.DENIED
        return Verdict.ALLOWED if worst.allowed else Verdict.DEPENDS

    def answer(self, principal: Principal, question: Question) -> Answer:
        """Whether somebody may do something by itself, and by which statements."""
        verdict = self.verdict(principal, question)
        asked, *others = self._all_asked(principal, question)
        grounds = list(self._grounds(asked))
        if verdict is Verdict.DEPENDS and (general := self._verdict(asked)) is not verdict:
            return self._by_resource(principal, question, general, grounds, others)
        if verdict is Verdict.DENIED:
            denying = tuple(one for one in grounds if one.denies and one.certain)
            if denying:
                return Answer(principal, question, verdict, denying, f"denied by {denying[0]}")
            best, _ = self._evaluated(asked)
            near = tuple(f"{one} would allow it" for one in grounds if not one.denies)
            return Answer(principal, question, verdict, (), best.reasons[0], near=near)
        allowing = [one for one in grounds if not one.denies]
        certain = {one.holding.layer for one in allowing if one.certain}
        decided = tuple(one for one in allowing if one.certain or one.holding.layer not in certain)
        denying = tuple(one for one in grounds if one.denies)
        if verdict is Verdict.ALLOWED:
            kept = tuple(one for one in decided if one.certain)
            return Answer(principal, question, verdict, kept, _allowed_by(kept, principal))
        return Answer(principal, question, verdict, (*decided, *denying), "depends on what the policies do not decide")

    def _by_resource(
        self,
        principal: Principal,
        question: Question,
        general: Verdict,
        grounds: Iterable[Ground],
        others: Iterable[_Asked],
    ) -> Answer:
        """An answer that the policies of some resources make another than that of all others."""
        found = {id(one.statement): one for one in grounds if one.denies is (general is Verdict.DENIED) and one.certain}
        named = []
        for asked in others:
            guard = asked.prepared.guard
            verdict = self._verdict(asked)
            if guard is None or verdict is general:
                continue
            named.append(f"{verdict.value} on {guard.arn}")
            for one in self._grounds(asked):
                if one.holding is guard.policy and one.denies is (general is Verdict.ALLOWED):
                    told = (f"the resource is {guard.arn}", *one.doubts)
                    found[id(one.statement)] = replace(one, certain=False, doubts=told)
        reason = f"{general.value} where no policy of the resource says otherwise, {shortened(named, _NAMED)}"
        return Answer(principal, question, Verdict.DEPENDS, tuple(found.values()), reason)

    def _grounds(self, asked: _Asked) -> Iterator[Ground]:
        for holding, named in self._holdings(asked):
            compiled = self._compile(holding.document)
            for statement in compiled.about(asked.prepared.name):
                left_out = named and grant_of(statement, asked.caller) is Grant.NOT_NAMED
                entries = _perhaps_named(statement, asked.principal) if named else ()
                if left_out and not entries:
                    continue
                applies = compiled.applies(statement, asked)
                if applies is Truth.NO:
                    continue
                on = resource_applies(
                    statement,
                    asked.knowledge,
                    asked.prepared.resource,
                    asked.prepared.kinds,
                    variables=holding.document.variables,
                )
                # That its account is named, too, is enough only where a key's policy has to allow besides others.
                enough = not left_out and statement.principals is not None
                enough = enough and (statement.effect == "Deny" or asked.prepared.must_allow)
                by_session = bool(entries) and not enough
                certain = applies is Truth.YES and not by_session
                told = doubts(statement, holding.document, asked.knowledge, asked.prepared.question.resource, on)
                if by_session:
                    told = (f"the request is made as {' or '.join(entries)}", *told)
                left = None if certain else self._left(statement, holding.document, asked, on, entries)
                yield Ground(holding, statement, certain, () if certain else told, left)

    @staticmethod
    def _left(
        statement: Statement, document: PolicyDocument, asked: _Asked, on: Truth, entries: Iterable[str]
    ) -> Statement:
        """What of a statement is not decided; `entries` are sessions that a request may be made as."""
        open_ones = [
            one
            for one in statement.conditions
            if condition_holds(one, asked.knowledge, variables=document.variables) is Truth.PERHAPS
        ]
        if named := tuple(sorted(entries)):
            open_ones.append(Condition(OPERATORS["stringequals"], "aws:PrincipalArn", named))
        anywhere = on is Truth.YES
        return replace(
            statement,
            actions=(asked.prepared.question.action,),
            not_actions=(),
            resources=("*",) if anywhere else statement.resources,
            not_resources=() if anywhere else statement.not_resources,
            principals=None,
            not_principals=None,
            conditions=tuple(open_ones),
        )

    def _holdings(self, asked: _Asked) -> Iterator[tuple[Holding, bool]]:
        """Every policy that applies, and whether its statements name principals."""
        linked = asked.principal.linked
        if not linked and asked.prepared.honours_rcps:
            yield from ((one, False) for level in self.world.rcps for one in level)
        if not linked:
            yield from ((one, False) for level in scps_of(asked.principal, self.world) for one in level)
        held = asked.prepared.policy
        if held is not None:
            yield held, True
        yield from ((one, False) for one in asked.principal.held)
        for document in asked.prepared.question.session or ():
            yield Holding(Layer.SESSION, document), False

    def _all_asked(self, principal: Principal, question: Question) -> Iterator[_Asked]:
        """What is asked of any resource, and of each known one that could differ."""
        if id(principal) not in self._callers:
            self._callers[id(principal)] = Caller.parse(principal.arn)
        prepared = self._prepare(question)
        caller = self._callers[id(principal)]
        if principal.kind is Kind.TARGET:
            prepared = prepared[:1]  # any resource: of its own account
            account = prepared[0].account_below(principal)
            if account is not None:
                caller = Caller.parse(principal.arn.replace(f":{caller.account}:", f":{account}:"))
        return (_Asked(one, principal, caller) for one in prepared)

    def _prepare(self, question: Question) -> tuple[_Prepared, ...]:
        prepared = self._prepared.get(id(question))
        if prepared is None or prepared[0].question is not question:
            differing = self.differing(question) if question.asked is None else ()
            prepared = (_Prepared(question, self.world), *(_Prepared(question, self.world, one) for one in differing))
            self._prepared[id(question)] = prepared
        return prepared

    def differing(self, question: Question) -> Iterator[Guarded]:
        """The resources whose own policies have a say in a question about any resource."""
        name = question.action.lower()
        for guard in self.world.guarded:
            if guard.policy is None:
                continue
            document = guard.policy.document
            if document.kind is PolicyKind.TRUST and not name.startswith("sts:"):
                continue
            has_a_say = resource_must_allow(question.action) or self._compile(document).about(name)
            if has_a_say and question.meant(guard, self.world.partition):
                yield guard

    def _compile(self, document: PolicyDocument) -> _Compiled:
        found = self._compiled.get(id(document))
        if found is None:
            found = self._compiled[id(document)] = _Compiled(document)
        return found

    def _held(self, principal: Principal) -> tuple[tuple[_Compiled, ...], tuple[_Compiled, ...]]:
        """Its policies, and its boundary."""
        found = self._layers.get(id(principal))
        if found is None:
            found = self._layers[id(principal)] = (
                tuple(self._compile(one.document) for one in principal.held if one.layer is Layer.IDENTITY),
                tuple(self._compile(one.document) for one in principal.held if one.layer is Layer.BOUNDARY),
            )
        return found

    def _evaluated(self, asked: _Asked) -> tuple[Result, Result]:
        """What the plain evaluator says with whatever may apply in the principal's favour, and against it."""
        principal, question = asked.principal, asked.prepared.question
        found = []
        for generous in (True, False):

            def taken(holding: Holding, generous: bool = generous) -> PolicyDocument:
                return self._taken(holding.document, asked, generous=generous)

            own = [one for one in principal.held if one.layer is Layer.IDENTITY]
            boundary = [taken(one) for one in principal.held if one.layer is Layer.BOUNDARY]
            held = asked.prepared.policy
            session = question.session
            policies = Policies(
                identity=_EVERYTHING if principal.kind in _ELSEWHERE else tuple(map(taken, own)),
                boundary=boundary[0] if boundary else None,
                session=None
                if session is None
                else tuple(self._taken(one, asked, generous=generous) for one in session),
                scps=_levels(scps_of(principal, self.world), taken),
                rcps=_levels(self.world.rcps, taken) if asked.prepared.honours_rcps else (),
                resource=None if held is None else taken(held),
            )
            found.append(evaluate(asked.request, policies))
        return found[0], found[1]

    def _taken(self, document: PolicyDocument, asked: _Asked, *, generous: bool) -> PolicyDocument:
        """What is left of a policy for one question: statements that apply, without what was decided of them."""
        compiled = self._compile(document)
        left = []
        for statement in document.statements:
            if statement not in compiled.about(asked.prepared.name):
                continue
            least = Truth.PERHAPS if (statement.effect == "Allow") == generous else Truth.YES
            principals = statement.principals
            if _perhaps_named(statement, asked.principal):
                if statement.not_principals is None and least is Truth.PERHAPS:
                    principals = Principals(everyone=True)
                elif statement.not_principals is not None and least is Truth.YES:
                    continue
            if compiled.applies(statement, asked) >= least:
                left.append(
                    replace(
                        statement,
                        principals=principals,
                        actions=("*",),
                        not_actions=(),
                        resources=("*",),
                        not_resources=(),
                        conditions=(),
                    )
                )
        return replace(document, statements=tuple(left))


_EVERYTHING = (
    PolicyDocument(
        "what its own account allows",
        PolicyKind.IDENTITY,
        "2012-10-17",
        (Statement(0, None, "Allow", actions=("*",), resources=("*",)),),
    ),
)


def _levels(
    levels: tuple[tuple[Holding, ...], ...], taken: Callable[[Holding], PolicyDocument]
) -> tuple[tuple[PolicyDocument, ...], ...]:
    return tuple(tuple(map(taken, level)) for level in levels)


def _common(verdicts: Iterator[Verdict]) -> Verdict:
    """The verdict that all are; else it depends."""
    first = next(verdicts)
    if first is not Verdict.DEPENDS and any(one is not first for one in verdicts):
        return Verdict.DEPENDS
    return first


def _allowed_by(grounds: Iterable[Ground], principal: Principal) -> str:
    first = next(iter(grounds), None)
    if first is None:
        return f"nothing here limits {principal}"
    return f"allowed by {first}"
