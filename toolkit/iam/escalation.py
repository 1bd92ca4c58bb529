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

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from toolkit.iam.document import PolicyDocument
from toolkit.iam.escalation_paths import (
    IN_PROFILE,
    JOINS,
    LIFTING,
    ON_IDENTITIES,
    RAISES,
    RUNS_AS,
    EscalationPath,
    escalation_paths,
)
from toolkit.iam.holders import Document, Holder, Identity, name_of
from toolkit.iam.request import Principal, role_session
from toolkit.privileges import ADMINISTRATOR_POLICIES


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


_EC2 = "ec2.amazonaws.com"
_UNTOUCHABLE = (":role/aws-service-role/", ":role/aws-reserved/")


@cache
def _separate(path: EscalationPath) -> tuple[str, ...]:
    """Actions that raise whoever a path leads to and do not make another path of the catalogue together with it."""
    listed = [set(one.required) for one in escalation_paths() if one.category == "principal-access"]
    return tuple(
        action for action in RAISES if not any(action in one and one <= {*path.required, action} for one in listed)
    )


class _Pool:
    """Targets by name. Each policy names few, so that few are evaluated for each."""

    def __init__(self, kind: str, identities: Iterable[Identity] = ()) -> None:
        self.kind = kind
        self._all = sorted(identities, key=lambda one: name_of(one.arn))
        self._names = [name_of(one.arn) for one in self._all]

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
        self._documents: dict[int, Document] = {}
        self._trusts = {one.arn: Document(one.trust, known=frozenset()).document for one in identities if one.trust}
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
        self._holders: dict[tuple[Any, ...], Holder] = {}
        self._of: dict[str, Holder] = {}
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

    def _read(self, document: PolicyDocument) -> Document:
        found = self._documents.get(id(document))
        if found is None:
            found = self._documents[id(document)] = Document(document)
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
            self._holders[key] = Holder(one, self._read, self._attachable, sessions)
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
        escalating: list[Holder] = []
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

    def _candidates(self, holder: Holder) -> tuple[EscalationPath, ...]:
        """Paths each of whose actions it may do on something; a trust policy may let it in by itself."""
        possible = holder.possible
        if self._everyone or not self._named.isdisjoint(holder.callers):
            possible = possible | {"sts:AssumeRole"}
        return tuple(path for path in escalation_paths() if possible.issuperset(path.required))

    def _open(self, holder: Holder, paths: tuple[EscalationPath, ...]) -> Iterator[Way]:
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
        self, holder: Holder, path: EscalationPath, pool: _Pool, prefixes: tuple[str, ...] | None
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
        joining = None if joined is None else (*joined[1], JOINS)
        near = holder.raised(pool.kind) if joined is None else None
        for target in pool.within(prefixes if near is None else near):
            if prefixes is not None and not name_of(target.arn).startswith(prefixes):
                continue
            if target.arn in self._worth or target.arn == holder.arn or self._of[target.arn].capped:
                continue
            first = self._raising(holder, path, target) or joining
            if first is not None:
                yield target, first

    def _raising(self, holder: Holder, path: EscalationPath, target: Identity) -> tuple[str, ...] | None:
        """The action by which the holder can make an administrator of a target; None: there is none.

        Where that makes another path of the catalogue, the other is open.
        """
        groups = (self._groups[arn] for arn in sorted(target.groups) if arn in self._groups)
        for one in (target, *groups):
            for action in _separate(path):
                if RAISES[action] in (one.kind, "policy") and holder.may_on(action, one):
                    return (action,)
        return None

    def _joined(self, holder: Holder, path: EscalationPath) -> _Found | None:
        """A group worth being in to which the holder may add a user."""
        if JOINS not in holder.possible:
            return None
        worthy = self._worthy(holder, path, self._targets["group"], holder.reached(JOINS))
        return next(((group.arn, first) for group, first in worthy if holder.may(JOINS, group.arn)), None)

    def _running(self, holder: Holder, path: EscalationPath) -> _Found | None:
        """A role as which something runs that the holder starts or changes."""
        passes = "iam:PassRole" in path.required
        prefixes = holder.reached("iam:PassRole") if passes else None
        for service in path.services:
            for role, first in self._worthy(holder, path, self._trusting.get(service, _NOBODY), prefixes):
                if passes and not holder.may("iam:PassRole", role.arn, iam_PassedToService=service):
                    continue
                if service != _EC2 or role.instance_profile:
                    return role.arn, first
                if passes and IN_PROFILE in holder.possible:
                    return role.arn, (*first, IN_PROFILE)
        return None

    def _by_itself(self, holder: Holder, path: EscalationPath) -> _Found | None:
        if holder.capped:
            return None
        (action,) = path.required
        one = holder.one
        if action == JOINS:
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

    def _by_another(self, holder: Holder, path: EscalationPath) -> _Found | None:
        kind = "role" if any(ON_IDENTITIES[action] == "role" for action in path.required) else "user"
        # An action on policies says nothing about where they are, and a trust policy may let in by itself.
        narrowing = [one for one in path.required if ON_IDENTITIES[one] == kind and one != "sts:AssumeRole"]
        pool, prefixes = self._targets[kind], holder.reached(narrowing[0]) if narrowing else None
        found = self._worthy(holder, path, pool, prefixes)
        if any(action in RAISES for action in path.required):
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

    def _may(self, holder: Holder, action: str, target: Identity) -> bool:
        if action != "sts:AssumeRole":
            return holder.may_on(action, target)
        trust = self._trusts.get(target.arn)
        return trust is not None and holder.may_assume(target, trust)
