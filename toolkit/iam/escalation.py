"""Who can become an administrator by publicly catalogued paths: permissions that together give somebody else's.

In: the users, roles and groups of one account, with their policies. Out: for each that is no administrator and can
become one, the paths that are open. Pure.

A path counts where it ends at an administrator, in one step or in several, or at somebody of whom one can be made first
(iam:PutRolePolicy on a role that is passed then). What is not known is taken as an attacker would like it, so that a
path is reported rather than missed:

- A condition on anything but a permissions boundary, an attached policy or the service that a role is passed to is met
  where it allows, and not met where it denies; so are all conditions of trust policies. A variable is anything.
- An action on what is not listed here (functions, instances, stacks) is allowed if it is on any resource, and where a
  path changes something that runs already, it runs with any role that trusts the service.
- A user can get another access key or password. A role's session can have the name that a trust policy asks for.
- Who may add a role to an instance profile has one that is empty.

Not considered: service control and resource control policies, which only take away; what other accounts may do; groups
without members; users, groups, roles and policies that would have to be created first; another role in the instance
profile of an instance that runs; boundaries that somebody else may change, or exchange for a policy of the account;
policies that are not attached and older versions of policies. Service-linked roles and those of IAM Identity Center
cannot be changed or passed by the account, which is why they are nobody's target:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-service-linked-roles.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from toolkit.iam.assumed import generous
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.evaluate import Policies, evaluate
from toolkit.iam.matching import ContextValue, action_matches
from toolkit.iam.request import Principal, Request, role_session
from toolkit.privileges import ADMINISTRATOR_POLICIES


@dataclass(frozen=True)
class EscalationPath:
    """One path of the catalogue.

    Attributes:
        id: As the catalogue calls it ("iam-001").
        category: The catalogue's: self-escalation, principal-access, new-passrole or existing-passrole.
        required: Every action that it takes.
        services: Those that a role has to trust; one is enough.
    """

    id: str
    category: str
    required: tuple[str, ...]
    services: tuple[str, ...] = ()


@cache
def escalation_paths() -> tuple[EscalationPath, ...]:
    """The catalogue; escalation_paths.json names its source."""
    listed = json.loads((Path(__file__).parent / "escalation_paths.json").read_text("utf-8"))["paths"]
    return tuple(
        EscalationPath(
            one["id"],
            one["category"],
            tuple(one["required"]),
            tuple(one["services"]) or _services_of(tuple(one["required"])),
        )
        for one in listed
    )


RUNS_AS: Mapping[str, str] = {
    "apprunner": "tasks.apprunner.amazonaws.com",
    "bedrock-agentcore": "bedrock-agentcore.amazonaws.com",
    "cloudformation": "cloudformation.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "ec2-instance-connect": "ec2.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "ssm": "ec2.amazonaws.com",
}
"""Prefix of an action that changes a workload → the service that the workload's role trusts."""


def _services_of(required: tuple[str, ...]) -> tuple[str, ...]:
    prefixes = {action.partition(":")[0] for action in required} - {"iam", "sts"}
    return tuple(dict.fromkeys(RUNS_AS[prefix] for prefix in sorted(prefixes)))


@dataclass(frozen=True, eq=False)
class Identity:
    """A user, a role, or a group as it is for whoever joins it.

    Attributes:
        arn: Its ARN.
        policies: Every policy that it has; a user has those of its groups. Equal ones are one object.
        boundary: The permissions boundary; None: it has none.
        boundary_arn: The ARN of that.
        managed: ARNs of those of its policies that the account manages itself.
        groups: A user's groups, by ARN.
        trust: A role's trust policy.
        instance_profile: Whether a role is in an instance profile, without which no instance has it.
    """

    arn: str
    policies: tuple[PolicyDocument, ...]
    boundary: PolicyDocument | None = None
    boundary_arn: str | None = None
    managed: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    trust: PolicyDocument | None = None
    instance_profile: bool = False

    @property
    def kind(self) -> str:
        """Whether it is a "user", "role" or "group"."""
        return _name(self.arn).split("/", 1)[0]


@dataclass(frozen=True)
class Way:
    """A path that is open to somebody."""

    path: EscalationPath
    to: str | None
    """ARN of the user, role, group or policy by which it leads on; None: of oneself."""
    first: tuple[str, ...] = ()
    """Actions that come before those of the path, because `to` is no administrator yet or no instance can have it."""


@dataclass(frozen=True)
class Escalations:
    """What becomes of the users and roles of an account."""

    administrators: frozenset[str]
    """ARNs of those who may do everything, so that there is nothing to escalate to."""
    ways: Mapping[str, tuple[Way, ...]]
    """ARN of each other that can become one → the paths that are open to it, each by one target."""


def escalations(identities: Iterable[Identity]) -> Escalations:
    """Find the open paths. Users with equal policies are evaluated once."""
    return _Account(tuple(identities)).escalations()


_RAISES = {
    "iam:AttachGroupPolicy": "group",
    "iam:AttachRolePolicy": "role",
    "iam:AttachUserPolicy": "user",
    "iam:CreatePolicyVersion": "policy",
    "iam:PutGroupPolicy": "group",
    "iam:PutRolePolicy": "role",
    "iam:PutUserPolicy": "user",
}
"""Actions that give rights to what they are about, of which there need be none before → that."""
_IN_PROFILE = "iam:AddRoleToInstanceProfile"
"""Gives instances a role that none could have; its caller has to be allowed iam:PassRole, too:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html"""
_EC2 = "ec2.amazonaws.com"
_ENTERS = {
    "iam:AddUserToGroup": "group",
    "iam:CreateAccessKey": "user",
    "iam:CreateLoginProfile": "user",
    "iam:DeleteAccessKey": "user",
    "iam:UpdateAssumeRolePolicy": "role",
    "iam:UpdateLoginProfile": "user",
    "sts:AssumeRole": "role",
}
"""Actions that give the rights which somebody has → who."""
ON_IDENTITIES: Mapping[str, str] = {**_RAISES, **_ENTERS, "iam:PassRole": "role"}
"""Actions that are judged by what they are about; all others may be allowed on any resource."""

_LIFTS = {
    kind: (f"iam:Delete{kind.capitalize()}PermissionsBoundary", f"iam:Put{kind.capitalize()}PermissionsBoundary")
    for kind in ("user", "role")
}
"""Actions that take a boundary away or exchange it."""
LIFTING = EscalationPath("permissions-boundary", "self-escalation", ())
"""Lifting one's own boundary where it is all that keeps one from being an administrator: no path of the catalogue."""
_ADMINISTERS = ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy")
_KNOWN = frozenset({"iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn"})
"""Condition keys whose value is known for each request."""
_CONTEXT_OF_BOUNDARY = ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy")
"""Service Authorization Reference, IAM: the actions here that have the key iam:PermissionsBoundary, of their target."""
_JOINS = "iam:AddUserToGroup"
_UNTOUCHABLE = (":role/aws-service-role/", ":role/aws-reserved/")


@cache
def _actions() -> frozenset[str]:
    """Every action that is looked for."""
    lifting = {action for actions in _LIFTS.values() for action in actions}
    return frozenset({action for path in escalation_paths() for action in path.required} | lifting | {_IN_PROFILE})


@cache
def _separate(path: EscalationPath) -> tuple[str, ...]:
    """Actions that raise whoever a path leads to and do not make another path of the catalogue together with it."""
    listed = [set(one.required) for one in escalation_paths() if one.category == "principal-access"]
    return tuple(
        action for action in _RAISES if not any(action in one and one <= {*path.required, action} for one in listed)
    )


@lru_cache(maxsize=65536)
def _matched(pattern: str) -> frozenset[str]:
    """Which of these actions a pattern matches."""
    return frozenset(action for action in _actions() if action_matches(pattern, action))


def _matched_by(statement: Statement) -> frozenset[str]:
    if statement.not_actions:
        return _actions().difference(*map(_matched, statement.not_actions))
    return frozenset().union(*map(_matched, statement.actions))


def _all(patterns: Sequence[str]) -> bool:
    return any(set(pattern) <= set("*:") for pattern in patterns)


def _is_everything(statement: Statement) -> bool:
    whole = _all(statement.actions) and _all(statement.resources)
    return statement.effect == "Allow" and whole and not statement.conditions


_BEGINNING = re.compile(r"[^*?$]*")
"""What an entry says before its first wildcard or variable."""


def _name(arn: str) -> str:
    return arn.split(":", 5)[5]


class _Document:
    """A policy as it is taken here.

    Attributes:
        document: What is left of it.
        allowed: The actions, of those that are looked for, that it allows on something.
        denied: Those that it denies on everything.
        everything: Whether it allows everything on everything.
        personal: Whether it says something of some users that it does not say of others.
    """

    def __init__(self, document: PolicyDocument, *, known: frozenset[str] = _KNOWN) -> None:
        self.document = generous(document, known)
        allowed, denied = frozenset[str](), frozenset[str]()
        self.everything = self.personal = False
        for one in self.document.statements:
            self.personal |= bool(_matched_by(one) & _OF_USERS) and not all(
                map(_of_every_user, (*one.resources, *one.not_resources))
            )
            if one.effect == "Allow":
                allowed |= _matched_by(one)
                self.everything |= _is_everything(one)
            elif _all(one.resources) and not one.conditions:
                denied |= _matched_by(one)
        self.allowed, self.denied = allowed, denied


_OF_USERS = frozenset({*(action for action, kind in ON_IDENTITIES.items() if kind == "user"), *_LIFTS["user"]})


def _of_every_user(entry: str) -> bool:
    """Whether an entry means all users, or each one itself, or none."""
    kind = entry.split(":", 5)[-1]
    if kind.startswith("user/"):
        return kind == "user/*" or (kind.lower().endswith("/${aws:username}") and "*" not in kind)
    return set(entry) <= {"*"} or kind == "*" or re.match(r"[a-z-]+/", kind) is not None


class _Holder:
    """Whoever has the same policies, evaluated once."""

    def __init__(
        self,
        one: Identity,
        read: Callable[[PolicyDocument], _Document],
        attachable: tuple[str, ...],
        sessions: tuple[str, ...] = (),
    ) -> None:
        """Args:
        one: Somebody who has them.
        read: What a policy is taken for.
        attachable: ARNs of policies that make an administrator of whoever has them.
        sessions: ARNs of a role's sessions that trust policies name: who assumes a role chooses the session's name.
        """
        self.one, self.members = one, [one]
        self._prefix = one.arn.partition(f":{one.kind}/")[0]
        # Who joins a group is a user of any name.
        self.arn = f"{self._prefix}:user/member" if one.kind == "group" else one.arn
        self.callers = (self.arn, *sessions)
        documents = tuple(map(read, one.policies))
        boundary = None if one.boundary is None else read(one.boundary)
        self._policies = Policies(
            identity=tuple(of.document for of in documents),
            boundary=None if boundary is None else boundary.document,
        )
        possible = frozenset[str]().union(*(of.allowed for of in documents))
        denied = frozenset[str]().union(*(of.denied for of in documents))
        if boundary is not None:
            possible, denied = possible & boundary.allowed, denied | boundary.denied
        self.possible = possible - denied
        self._attachable = attachable
        self._said: dict[tuple[Any, ...], bool] = {}
        self._reached: dict[str, tuple[str, ...] | None] = {}

    def reached(self, action: str) -> tuple[str, ...] | None:
        """How the names of all that it may do something to begin ("user/anna"); None: that is not known."""
        if action not in self._reached:
            self._reached[action] = self._reach(action)
        return self._reached[action]

    def _reach(self, action: str) -> tuple[str, ...] | None:
        prefixes = set[str]()
        for document in self._policies.identity:
            for statement in document.statements:
                if statement.effect == "Allow" and action in _matched_by(statement):
                    if statement.not_resources:
                        return None
                    prefixes.update(_BEGINNING.match(self._own(one))[0] for one in statement.resources)  # type: ignore[index]
        return tuple(sorted(prefixes))

    def raised(self, kind: str) -> tuple[str, ...] | None:
        """How the names begin of all of a kind whom it may raise; None: what it may change does not tell."""
        prefixes: list[str] = []
        for action in self.possible.intersection(_RAISES):
            reached = self.reached(action) if _RAISES[action] == kind else None
            if reached is not None:
                prefixes += reached
            elif _RAISES[action] in (kind, "policy") or (kind == "user" and _RAISES[action] == "group"):
                return None
        return tuple(prefixes)

    def _own(self, entry: str) -> str:
        """The resource of an entry, with the user's own name filled in."""
        entry = re.sub(r"\$\{aws:username\}$", self.arn.rsplit("/", 1)[-1], entry, flags=re.I)
        entry = re.sub(r"\$\{[^}]*\}", "*", entry)  # the colon of a variable's name parts no ARN
        return _name(entry) if entry.count(":") >= 5 else ""

    def may(self, action: str, target: str, **context: ContextValue) -> bool:
        """Whether it may do something; keys of the context have _ for the colon."""
        reached = self.reached(action)
        if reached is not None and not _name(target).startswith(reached):
            return False
        question = (action, target, *context.items())
        if question not in self._said:
            keys = {key.replace("_", ":", 1): value for key, value in context.items()}
            self._said[question] = evaluate(Request(self.arn, action, target, context=keys), self._policies).allowed
        return self._said[question]

    def may_assume(self, role: Identity, trust: PolicyDocument) -> bool:
        """Whether it may assume a role: by its own policies and the role's, or by the latter alone."""
        question = ("sts:AssumeRole", role.arn)
        if question not in self._said:
            policies = replace(self._policies, resource=trust)
            self._said[question] = any(
                evaluate(Request(caller, "sts:AssumeRole", role.arn), policies).allowed for caller in self.callers
            )
        return self._said[question]

    def may_on(self, action: str, target: Identity) -> bool:
        """Whether it may change another user, role or group."""
        if action not in self.possible:
            return False
        if action == "iam:CreatePolicyVersion":
            return any(self.may(action, arn) for arn in sorted(target.managed))
        context: dict[str, ContextValue] = {}
        if target.boundary_arn is not None and action in _CONTEXT_OF_BOUNDARY:
            context["iam_PermissionsBoundary"] = target.boundary_arn
        if ":Attach" in action:
            return any(self.may(action, target.arn, iam_PolicyARN=arn, **context) for arn in self._attachable)
        return self.may(action, target.arn, **context)

    @cached_property
    def capped(self) -> bool:
        """Whether a permissions boundary keeps it from being an administrator, whatever policies it gets."""
        return self._limited and not self._lifts()

    @cached_property
    def administers(self) -> bool:
        """Whether it may do everything now, identities included."""
        return not self._limited and self._administering(self._policies.identity)

    @cached_property
    def administers_once_lifted(self) -> bool:
        """Whether it may do everything once it has lifted its own boundary, which it may."""
        return self._limited and self._administering(self._policies.identity) and self._lifts()

    @cached_property
    def _limited(self) -> bool:
        boundary = self._policies.boundary
        return boundary is not None and not self._administering((boundary,))

    def _administering(self, documents: tuple[PolicyDocument, ...]) -> bool:
        """Whether these policies alone make an administrator."""
        if not any(_is_everything(statement) for one in documents for statement in one.statements):
            return False
        policies = Policies(identity=documents)
        return any(
            evaluate(
                Request(self.arn, action, target, context={"iam:PolicyARN": self._attachable[0]}), policies
            ).allowed
            for action in _ADMINISTERS
            for target in (f"{self._prefix}:{_RAISES[action]}/any",)
        )

    def _lifts(self) -> bool:
        """Whether it may take its own boundary away, exchange it, or change what it says."""
        boundary = self.one.boundary_arn or ""
        return any(
            action in self.possible and self.may(action, self.arn, iam_PermissionsBoundary=arn)
            for action, arn in (
                (_LIFTS[self.one.kind][0], boundary),
                (_LIFTS[self.one.kind][1], self._attachable[0]),
            )
        ) or ("iam:CreatePolicyVersion" in self.possible and self.may("iam:CreatePolicyVersion", boundary))


class _Pool:
    """Targets by name. Each policy names few, so that few are evaluated for each."""

    def __init__(self, kind: str, identities: Iterable[Identity] = ()) -> None:
        self.kind = kind
        self._all = sorted(identities, key=lambda one: _name(one.arn))
        self._names = [_name(one.arn) for one in self._all]

    def within(self, prefixes: Iterable[str] | None) -> Iterator[Identity]:
        """Those whose names begin so; None: all."""
        if prefixes is None:
            yield from self._all
            return
        found = set[int]()
        for prefix in prefixes:
            first = bisect_left(self._names, prefix)
            found.update(range(first, bisect_right(self._names, prefix + chr(0x10FFFF), lo=first)))
        yield from (self._all[at] for at in sorted(found))


_NOBODY = _Pool("role")
_Found = tuple[str, tuple[str, ...]]
"""To whom a path leads, and the actions that it takes first."""


class _Account:
    """All of them, and who is worth getting at."""

    def __init__(self, identities: tuple[Identity, ...]) -> None:
        self._documents: dict[int, _Document] = {}
        self._trusts = {one.arn: _Document(one.trust, known=frozenset()).document for one in identities if one.trust}
        let_in = [
            statement.principals
            for trust in self._trusts.values()
            for statement in trust.statements
            if statement.principals is not None
        ]
        self._named = frozenset(name for principals in let_in for name in principals.aws)
        self._everyone = any(principals.everyone for principals in let_in)
        self._sessions: dict[str, list[str]] = {}
        for name in sorted(self._named):
            if role_session(name):
                self._sessions.setdefault(Principal.parse(name).role_arn, []).append(name)
        own_administrating = sorted(
            {
                policy.name
                for one in identities
                for policy in one.policies
                if policy.name in one.managed and self._read(policy).everything
            }
        )
        partition = identities[0].arn.split(":")[1] if identities else "aws"
        aws = (f"arn:{partition}:iam::aws:policy/{name}" for name in sorted(ADMINISTRATOR_POLICIES))
        self._attachable = (*aws, *own_administrating)
        self._holders: dict[tuple[Any, ...], _Holder] = {}
        self._of: dict[str, _Holder] = {}
        for one in identities:
            self._add(one)
        self._groups = {one.arn: one for one in identities if one.kind == "group"}
        targets = [one for one in identities if not any(part in one.arn for part in _UNTOUCHABLE)]
        self._targets = {
            kind: _Pool(kind, (one for one in targets if one.kind == kind)) for kind in ("user", "role", "group")
        }
        trusting: dict[str, list[Identity]] = {}
        for role in self._targets["role"].within(None):
            for service in self._services(role):
                trusting.setdefault(service, []).append(role)
        self._trusting = {service: _Pool("role", roles) for service, roles in trusting.items()}
        self._worth: set[str] = set()

    def _read(self, document: PolicyDocument) -> _Document:
        found = self._documents.get(id(document))
        if found is None:
            found = self._documents[id(document)] = _Document(document)
        return found

    def _add(self, one: Identity) -> None:
        # What others may do depends on their own ARN, what most users may does not.
        boundary = () if one.boundary is None else (one.boundary,)
        alone = (
            one.kind != "user"
            or one.arn in self._named
            or any(self._read(document).personal for document in (*one.policies, *boundary))
        )
        key = (
            one.arn if alone else one.kind,
            tuple(sorted(map(id, one.policies))),
            (id(one.boundary), one.boundary_arn),
            (one.managed, one.groups),
        )
        if key in self._holders:
            self._holders[key].members.append(one)
        else:
            without_path = re.sub(r":role/.*/", ":role/", one.arn)
            sessions = tuple(self._sessions.get(without_path, ()))
            self._holders[key] = _Holder(one, self._read, self._attachable, sessions)
        self._of[one.arn] = self._holders[key]

    def _services(self, role: Identity) -> frozenset[str]:
        """The services that a role trusts."""
        trust = self._trusts.get(role.arn)
        if trust is None:
            return frozenset()
        found: set[str] = set()
        for statement in trust.statements:
            if statement.effect == "Allow" and statement.principals is not None:
                every = statement.principals.everyone
                found.update(RUNS_AS.values() if every else ())
                found.update(name.removesuffix(".cn") for name in statement.principals.service)
        return frozenset(found)

    def escalations(self) -> Escalations:
        """As the function."""
        self._worth = {one.arn for holder in self._holders.values() if holder.administers for one in holder.members}
        administrators = frozenset(arn for arn in self._worth if ":group/" not in arn)
        candidates = {
            id(holder): (holder, self._candidates(holder))
            for holder in self._holders.values()
            if holder.one.arn not in self._worth
        }
        escalating: list[_Holder] = []
        found = True
        while found:
            # Whoever reaches somebody who can become an administrator can become one as well.
            found = False
            for key, (holder, paths) in list(candidates.items()):
                if not paths and not holder.administers_once_lifted:
                    del candidates[key]
                elif next(self._open(holder, paths), None) is not None:
                    self._worth.update(one.arn for one in holder.members)
                    escalating.append(holder)
                    del candidates[key]
                    found = True
        said = {}
        for holder in escalating:
            ways = tuple(sorted(self._open(holder, self._candidates(holder)), key=lambda way: bool(way.first)))
            said.update({one.arn: ways for one in holder.members if one.kind != "group"})
        return Escalations(administrators, said)

    def _candidates(self, holder: _Holder) -> tuple[EscalationPath, ...]:
        """Paths each of whose actions it may do on something; a trust policy may let it in by itself."""
        possible = holder.possible
        if self._everyone or not self._named.isdisjoint(holder.callers):
            possible = possible | {"sts:AssumeRole"}
        return tuple(path for path in escalation_paths() if possible.issuperset(path.required))

    def _open(self, holder: _Holder, paths: tuple[EscalationPath, ...]) -> Iterator[Way]:
        if holder.administers_once_lifted:
            yield Way(LIFTING, None)
        for path in paths:
            if "iam:PassRole" in path.required or not ON_IDENTITIES.keys() & set(path.required):
                found = self._running(holder, path)
            elif path.category == "self-escalation":
                found = self._by_itself(holder, path)
            else:
                found = self._by_another(holder, path)
            if found is not None:
                to, first = found
                yield Way(path, None if to == holder.arn else to, first)

    def _worthy(
        self, holder: _Holder, path: EscalationPath, pool: _Pool, prefixes: tuple[str, ...] | None
    ) -> Iterator[tuple[Identity, tuple[str, ...]]]:
        """Who is worth getting at, and what the holder has to do before: nothing first, as that is the shorter way.

        Args:
            holder: Who wants to.
            path: The path.
            pool: Whom it leads to.
            prefixes: How the names begin of those whom it may lead to; None: any.
        """
        for target in pool.within(prefixes):
            if target.arn in self._worth and target.arn != holder.arn:
                yield target, ()
        joined = self._joined(holder, path) if pool.kind == "user" else None
        joining = None if joined is None else (*joined[1], _JOINS)
        near = holder.raised(pool.kind) if joined is None else None
        for target in pool.within(prefixes if near is None else near):
            if prefixes is not None and not _name(target.arn).startswith(prefixes):
                continue
            if target.arn in self._worth or target.arn == holder.arn or self._of[target.arn].capped:
                continue
            first = self._raising(holder, path, target) or joining
            if first is not None:
                yield target, first

    def _raising(self, holder: _Holder, path: EscalationPath, target: Identity) -> tuple[str, ...] | None:
        """The action by which the holder can make an administrator of a target; None: there is none.

        Where that makes another path of the catalogue, the other is open.
        """
        groups = (self._groups[arn] for arn in sorted(target.groups) if arn in self._groups)
        for one in (target, *groups):
            for action in _separate(path):
                if _RAISES[action] in (one.kind, "policy") and holder.may_on(action, one):
                    return (action,)
        return None

    def _joined(self, holder: _Holder, path: EscalationPath) -> _Found | None:
        """A group worth being in to which the holder may add a user."""
        if _JOINS not in holder.possible:
            return None
        worthy = self._worthy(holder, path, self._targets["group"], holder.reached(_JOINS))
        return next(((group.arn, first) for group, first in worthy if holder.may(_JOINS, group.arn)), None)

    def _running(self, holder: _Holder, path: EscalationPath) -> _Found | None:
        """A role as which something runs that the holder starts or changes."""
        passes = "iam:PassRole" in path.required
        prefixes = holder.reached("iam:PassRole") if passes else None
        for service in path.services:
            for role, first in self._worthy(holder, path, self._trusting.get(service, _NOBODY), prefixes):
                if passes and not holder.may("iam:PassRole", role.arn, iam_PassedToService=service):
                    continue
                if service != _EC2 or role.instance_profile:
                    return role.arn, first
                if passes and _IN_PROFILE in holder.possible:
                    return role.arn, (*first, _IN_PROFILE)
        return None

    def _by_itself(self, holder: _Holder, path: EscalationPath) -> _Found | None:
        if holder.capped:
            return None
        (action,) = path.required
        one = holder.one
        if action == _JOINS:
            return self._joined(holder, path) if one.kind == "user" else None
        found = None
        if action == "iam:CreatePolicyVersion":
            found = next((arn for arn in sorted(one.managed) if holder.may(action, arn)), None)
        elif ON_IDENTITIES[action] == "group":
            groups = [self._groups[arn] for arn in sorted({*one.groups, one.arn}) if arn in self._groups]
            found = next((group.arn for group in groups if holder.may_on(action, group)), None)
        elif ON_IDENTITIES[action] == ("user" if one.kind == "group" else one.kind):
            found = holder.arn if holder.may_on(action, replace(one, arn=holder.arn)) else None
        return None if found is None else (found, ())

    def _by_another(self, holder: _Holder, path: EscalationPath) -> _Found | None:
        kind = "role" if any(ON_IDENTITIES[action] == "role" for action in path.required) else "user"
        # An action on policies says nothing about where they are, and a trust policy may let in by itself.
        narrowing = [one for one in path.required if ON_IDENTITIES[one] == kind and one != "sts:AssumeRole"]
        pool, prefixes = self._targets[kind], holder.reached(narrowing[0]) if narrowing else None
        found = self._worthy(holder, path, pool, prefixes)
        if any(action in _RAISES for action in path.required):
            others = (one for one in pool.within(prefixes) if one.arn != holder.arn)
            found = ((one, ()) for one in others if not self._of[one.arn].capped)
        return next(
            (
                (target.arn, first)
                for target, first in found
                if all(self._may(holder, action, target) for action in path.required)
            ),
            None,
        )

    def _may(self, holder: _Holder, action: str, target: Identity) -> bool:
        if action != "sts:AssumeRole":
            return holder.may_on(action, target)
        trust = self._trusts.get(target.arn)
        return trust is not None and holder.may_assume(target, trust)
