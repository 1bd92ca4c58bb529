"""Whether AWS would allow a request, and by which statements.

In: a request and every policy that applies to it. Out: a decision with the statements that made it and reasons in
words. Pure: no file, no AWS.

The order is AWS's: an explicit deny anywhere ends it; then resource control policies and service control policies have
to allow on every level; then a resource-based policy or the identity's own policies grant, the latter limited by
boundary and session policies; across accounts both sides grant.

Sources, by page title: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access",
"Policy evaluation for requests within a single account", "Cross-account policy evaluation logic", "Permissions
boundaries for IAM entities"; AWS Organizations User Guide, "SCP evaluation", "RCP evaluation". Which actions no policy
gives to another account: toolkit/aws_lists/within_account_actions.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from toolkit.aws_lists import aws_list
from toolkit.iam.document import PolicyDocument, Principals, Statement
from toolkit.iam.matching import any_action_matches, expand, resource_matches
from toolkit.iam.request import Principal, PrincipalKind, Request

_WITHIN_ACCOUNT = frozenset(name.lower() for name in aws_list("within_account_actions").names)


class Decision(Enum):
    """How a request ends."""

    ALLOW = "allowed"
    EXPLICIT_DENY = "explicitly denied"
    IMPLICIT_DENY = "implicitly denied"


class Layer(Enum):
    """The kinds of policies, in words for people."""

    RCP = "resource control policy"
    SCP = "service control policy"
    RESOURCE = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True)
class Policies:
    """Every policy that applies to a request.

    Attributes:
        identity: Of the user and its groups, or of the role.
        boundary: Of the user or role; None: none set.
        session: Passed when the session was made; None: none passed.
        scps: One tuple for each level, from the organization's root by way of each OU to the principal's account; all
            levels have to allow. Empty: not in an organization, or its management account, where SCPs do nothing.
        rcps: The same for the resource's account. Only some services honour them: leave them out for the others.
        resource: Attached to the resource; None: it has none, or it is not known.
    """

    identity: tuple[PolicyDocument, ...] = ()
    boundary: PolicyDocument | None = None
    session: tuple[PolicyDocument, ...] | None = None
    scps: tuple[tuple[PolicyDocument, ...], ...] = ()
    rcps: tuple[tuple[PolicyDocument, ...], ...] = ()
    resource: PolicyDocument | None = None


@dataclass(frozen=True)
class Match:
    """A statement that applies to the request."""

    layer: Layer
    policy: str
    statement: Statement

    def __str__(self) -> str:
        return f"{self.layer.value} {self.policy}, {self.statement.label}"


@dataclass(frozen=True)
class Result:
    """The decision.

    Attributes:
        deciding: For an explicit deny every denying statement; for an allow the allowing statements, of each layer that
            had to allow; for an implicit deny those allows that were not enough.
        reasons: Sentences, the deciding one first.
    """

    decision: Decision
    deciding: tuple[Match, ...]
    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether the request goes through."""
        return self.decision is Decision.ALLOW

    def explain(self) -> str:
        """The decision and its reasons, one a line."""
        return "\n".join((self.decision.value, *(f"  {reason}" for reason in self.reasons)))


class Grant(IntEnum):
    """How closely a Principal element names the caller."""

    NOT_NAMED = 0
    ACCOUNT = 1
    """Its account: delegates, so the identity's own policies still have to allow."""
    ROLE = 2
    """The role of the session: grants, but boundary and session policies limit it."""
    DIRECT = 3
    """The user, the session, the service or everyone: within one account nothing but a deny limits it."""


def evaluate(request: Request, policies: Policies) -> Result:
    """Decide a request as AWS documents it.

    Role trust policies and KMS key policies have to allow by themselves: where the resource's policy is given for
    `sts:AssumeRole…` or `kms:…`, identity policies alone grant nothing. The root user needs no allow of its own. An AWS
    service, an identity provider and an anonymous caller have no identity policies: the resource's policy decides.
    SCPs do not concern services, nor service-linked roles, nor do RCPs the latter.

    Not modelled: VPC endpoint policies; grants to the user behind a federated-user session.
    """
    denies = tuple(_matches(request, _every_layer(request, policies), "Deny"))
    if denies:
        return Result(Decision.EXPLICIT_DENY, denies, tuple(f"denied by {match}" for match in denies))

    allows: list[Match] = []
    for layer, levels in (
        (Layer.RCP, _rcps(request, policies)),
        (Layer.SCP, _scps(request, policies)),
    ):
        for number, level in enumerate(levels, start=1):
            found = tuple(_matches(request, ((layer, document) for document in level), "Allow"))
            if not found:
                return _refused(request, policies, allows, f"no {layer.value} of level {number} allows it")
            allows += found

    outside = request.cross_account or request.caller.kind is PrincipalKind.ANONYMOUS
    if outside and only_within_account(request.action):
        owner_alone = f"only the account that owns the resource can do {request.action}: no policy gives it to another"
        return _refused(request, policies, allows, owner_alone)

    from_resource = _resource_allows(request, policies)
    granted = max((grant for _, grant in from_resource), default=Grant.NOT_NAMED)
    resource_matches_found = [match for match, _ in from_resource]

    if request.caller.kind in (PrincipalKind.SERVICE, PrincipalKind.PROVIDER, PrincipalKind.ANONYMOUS):
        if granted is Grant.NOT_NAMED:
            return _refused(
                request, policies, allows, f"no resource-based policy allows the {request.caller.kind.value}"
            )
        return _allowed(allows + resource_matches_found)

    if request.cross_account:
        if granted is Grant.NOT_NAMED:
            return _refused(
                request,
                policies,
                allows,
                f"the resource belongs to account {request.owner}, whose policy does not allow",
            )
        own, problem = _own_allows(request, policies)
        if problem:
            return _refused(request, policies, [*allows, *resource_matches_found, *own], problem)
        return _allowed([*allows, *resource_matches_found, *own])

    if granted is Grant.DIRECT:
        return _allowed(allows + resource_matches_found)
    if granted is Grant.ROLE:
        limits, problem = _limits(request, policies)
        if not problem:
            return _allowed([*allows, *resource_matches_found, *limits])
    if granted is Grant.NOT_NAMED and policies.resource is not None and resource_must_allow(request.action):
        return _refused(request, policies, allows, f"the resource's policy {policies.resource.name} does not allow it")
    own, problem = _own_allows(request, policies)
    if problem:
        return _refused(request, policies, [*allows, *resource_matches_found, *own], problem)
    return _allowed([*allows, *resource_matches_found, *own])


def _own_allows(request: Request, policies: Policies) -> tuple[list[Match], str | None]:
    """The principal's own side: allowing statements, and what is missing (None: nothing)."""
    if request.caller.kind is PrincipalKind.ROOT:
        return [], None
    found = list(_matches(request, ((Layer.IDENTITY, document) for document in policies.identity), "Allow"))
    if not found:
        return [], "no identity-based policy allows it"
    limits, problem = _limits(request, policies)
    return found + limits, problem


def _limits(request: Request, policies: Policies) -> tuple[list[Match], str | None]:
    """Boundary and session policies: each that is there has to allow."""
    found: list[Match] = []
    if policies.boundary is not None:
        boundary = list(_matches(request, ((Layer.BOUNDARY, policies.boundary),), "Allow"))
        if not boundary:
            return found, f"the permissions boundary {policies.boundary.name} does not allow it"
        found += boundary
    if policies.session is not None:
        session = list(_matches(request, ((Layer.SESSION, document) for document in policies.session), "Allow"))
        if not session:
            return found, "no session policy allows it"
        found += session
    elif request.caller.kind is PrincipalKind.FEDERATED_USER:
        return found, "a federated user's session without a session policy has no rights of its own"
    return found, None


def _allowed(matches: Iterable[Match]) -> Result:
    deciding = tuple(matches)
    reasons = tuple(f"allowed by {match}" for match in deciding) or ("the root user has full access",)
    return Result(Decision.ALLOW, deciding, reasons)


def _refused(request: Request, policies: Policies, allows: Iterable[Match], reason: str) -> Result:
    near = (
        f"{Match(layer, document.name, statement)} would allow it, but {condition} does not hold"
        for layer, document in _every_layer(request, policies)
        for statement in document.statements
        if statement.effect == "Allow" and _covers(statement, document, request)
        for condition in statement.conditions
        if not condition.holds(request.keys, variables=document.variables)
    )
    return Result(Decision.IMPLICIT_DENY, tuple(allows), (reason, *near))


def _every_layer(request: Request, policies: Policies) -> Iterator[tuple[Layer, PolicyDocument]]:
    for level in _rcps(request, policies):
        yield from ((Layer.RCP, document) for document in level)
    for level in _scps(request, policies):
        yield from ((Layer.SCP, document) for document in level)
    if policies.resource is not None:
        yield Layer.RESOURCE, policies.resource
    yield from ((Layer.IDENTITY, document) for document in policies.identity)
    if policies.boundary is not None:
        yield Layer.BOUNDARY, policies.boundary
    yield from ((Layer.SESSION, document) for document in policies.session or ())


def _scps(request: Request, policies: Policies) -> tuple[tuple[PolicyDocument, ...], ...]:
    return () if not request.caller.account or _is_service_linked(request) else policies.scps


def _rcps(request: Request, policies: Policies) -> tuple[tuple[PolicyDocument, ...], ...]:
    return () if _is_service_linked(request) else policies.rcps


def _is_service_linked(request: Request) -> bool:
    return is_service_linked(request.keys.variable("aws:PrincipalArn") or request.caller.arn)


def is_service_linked(arn: str) -> bool:
    """Whether a role is one that only a service of AWS assumes, which organization policies do not concern."""
    return ":role/aws-service-role/" in arn


def resource_must_allow(action: str) -> bool:
    """Whether the resource's own policy has to allow an action, since identity policies alone grant nothing of it."""
    return action.lower().startswith(("kms:", "sts:assumerole"))


def only_within_account(action: str) -> bool:
    """Whether only the account that owns a resource can do an action: no policy gives it to another account."""
    return action.lower() in _WITHIN_ACCOUNT


def _matches(request: Request, documents: Iterable[tuple[Layer, PolicyDocument]], effect: str) -> Iterator[Match]:
    for layer, document in documents:
        for statement in document.statements:
            if statement.effect == effect and statement_applies(statement, document, request):
                yield Match(layer, document.name, statement)


def _resource_allows(request: Request, policies: Policies) -> list[tuple[Match, Grant]]:
    if policies.resource is None:
        return []
    return [
        (match, grant_of(match.statement, request.caller))
        for match in _matches(request, ((Layer.RESOURCE, policies.resource),), "Allow")
    ]


def statement_applies(statement: Statement, document: PolicyDocument, request: Request) -> bool:
    """Whether a statement's principal, action, resource and every condition match the request."""
    return _covers(statement, document, request) and all(
        condition.holds(request.keys, variables=document.variables) for condition in statement.conditions
    )


def _covers(statement: Statement, document: PolicyDocument, request: Request) -> bool:
    if grant_of(statement, request.caller) is Grant.NOT_NAMED:
        return False
    named = any_action_matches(statement.actions or statement.not_actions, request.action)
    if named == bool(statement.not_actions):
        return False
    # A variable without a value makes its entry match no resource, in Resource and in NotResource alike.
    entries = (
        expand(text, request.keys, variables=document.variables)
        for text in statement.resources or statement.not_resources
    )
    named = any(entry is not None and resource_matches(entry, request.resource) for entry in entries)
    return named != bool(statement.not_resources)


def grant_of(statement: Statement, caller: Principal) -> Grant:
    """How a statement addresses the caller; documents without principals mean whoever they are attached to."""
    if statement.not_principals is not None:
        return Grant.NOT_NAMED if _wholly_excepted(statement.not_principals, caller) else Grant.DIRECT
    if statement.principals is None:
        return Grant.DIRECT
    return _named(statement.principals, caller)


def _named(principals: Principals, caller: Principal) -> Grant:
    if principals.everyone:
        return Grant.DIRECT
    if caller.kind in (PrincipalKind.SERVICE, PrincipalKind.PROVIDER):
        return Grant.DIRECT if caller.arn in (*principals.service, *principals.federated) else Grant.NOT_NAMED
    best = Grant.NOT_NAMED
    for entry in principals.aws:
        if entry == caller.arn:
            best = max(best, Grant.ROLE if caller.kind is PrincipalKind.ROLE else Grant.DIRECT)
        elif caller.kind is PrincipalKind.ROLE_SESSION and _is_role_of(entry, caller):
            best = max(best, Grant.ROLE)
        elif entry == caller.account or entry.endswith(f":iam::{caller.account}:root"):
            best = max(best, Grant.ACCOUNT)
    return best


def _is_role_of(entry: str, caller: Principal) -> bool:
    """Whether `entry` is the session's role; role names are unique within an account whatever their path."""
    prefix, _, path = entry.partition(":role/")
    return bool(path) and prefix.endswith(f":iam::{caller.account}") and path.split("/")[-1] == caller.name


def _wholly_excepted(principals: Principals, caller: Principal) -> bool:
    """Whether NotPrincipal leaves the caller out: AWS asks for its account, its role and itself to be named."""
    if principals.everyone:
        return True
    if caller.kind in (PrincipalKind.SERVICE, PrincipalKind.PROVIDER, PrincipalKind.ANONYMOUS):
        return caller.arn in (*principals.service, *principals.federated)
    if not any(_named(Principals(aws=(entry,)), caller) is Grant.ACCOUNT for entry in principals.aws):
        return caller.kind is PrincipalKind.ROOT and caller.arn in principals.aws
    if caller.kind is PrincipalKind.ROLE_SESSION and not any(_is_role_of(entry, caller) for entry in principals.aws):
        return False
    return caller.kind is PrincipalKind.ROOT or caller.arn in principals.aws
