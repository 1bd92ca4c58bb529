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

A boundary counts as lifted where its own user or role may delete it, change its policy, or set another: any policy of
the account or of AWS that is known, or one that they create. A policy may be attached that is an administrator's, was
(one of its versions), or is made so before, by creating it or a new version.

Not considered: service control and resource control policies, which only take away; what other accounts may do; groups
without members; users, groups and roles that would have to be created first; another role in the instance profile of an
instance that runs; boundaries that somebody else may change; policies to attach, and older versions, that open another
path instead of making an administrator. Service-linked roles and those of IAM Identity Center
cannot be changed or passed by the account, which is why they are nobody's target:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-service-linked-roles.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from toolkit.iam.escalation_paths import (
    IN_PROFILE,
    JOINS,
    LIFTING,
    LIFTS,
    ON_IDENTITIES,
    RAISES,
    REVERTING,
    REVERTS,
    REWRITES,
    RUNS_AS,
    EscalationPath,
    escalation_paths,
)
from toolkit.iam.held_policies import Document, ManagedPolicies, ManagedPolicy, beginning, name_of
from toolkit.iam.holders import Holder, Identity
from toolkit.iam.request import Principal, role_session


@dataclass(frozen=True)
class Way:
    """A path that is open to somebody."""

    path: EscalationPath
    to: str | None
    """ARN of the user, role, group or policy by which it leads on; None: of oneself."""
    first: tuple[str, ...] = ()
    """Actions that come before those of the path: those that make an administrator of `to`, give an instance its role,
    make a policy that is attached then, or lift one's own boundary."""


@dataclass(frozen=True)
class Escalations:
    """What becomes of the users and roles of an account."""

    administrators: frozenset[str]
    """ARNs of those who may do everything, so that there is nothing to escalate to."""
    ways: Mapping[str, tuple[Way, ...]]
    """ARN of each other that can become one → the paths that are open to it, each by one target."""


def escalations(identities: Iterable[Identity], policies: Iterable[ManagedPolicy] = ()) -> Escalations:
    """Find the open paths. Users with equal policies are evaluated once.

    Args:
        identities: Users, roles and groups of one account.
        policies: Its managed policies, attached or not, and those of AWS that are known.
    """
    known = tuple(identities)
    account = known[0].arn.partition(f":{known[0].kind}/")[0] if known else "arn:aws:iam::"
    return _Account(known, ManagedPolicies(account, policies)).escalations()


_EC2 = "ec2.amazonaws.com"
_EXCHANGES = frozenset({LIFTS["user"][1], REVERTS})
"""Actions by which a user can have another boundary, which may name the user."""
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
        else:
            yield from (self._all[at] for at in beginning(self._names, prefixes))


_NOBODY = _Pool("role")
_Found = tuple[str, tuple[str, ...]]
"""To whom a path leads, and the actions that it takes first."""
_Lifted = tuple[Holder, tuple[str, ...]]
"""Somebody with another permissions boundary, and the actions that it takes."""


class _Account:
    """All of them, and who is worth getting at."""

    def __init__(self, identities: tuple[Identity, ...], managed: ManagedPolicies) -> None:
        self._managed = managed
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

    def _add(self, one: Identity) -> None:
        # What others may do depends on their own ARN, what most users may does not.
        boundary = () if one.boundary is None else (one.boundary,)
        read = [self._managed.read(document) for document in (*one.policies, *boundary)]
        exchanges = one.boundary is not None and any(not _EXCHANGES.isdisjoint(of.allowed) for of in read)
        alone = one.kind != "user" or one.arn in self._named or exchanges or any(of.personal for of in read)
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
            self._holders[key] = Holder(one, self._managed, sessions)
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
                if not paths:
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

    def _candidates(self, holder: Holder) -> dict[EscalationPath, tuple[_Lifted, ...]]:
        """Paths each of whose actions it may do on something, as it is or once it has lifted its own boundary."""
        found: dict[EscalationPath, tuple[_Lifted, ...]] = {}
        for lifted in ((holder, ()), *holder.lifted):
            one, first = lifted
            possible = one.possible
            if self._everyone or not self._named.isdisjoint(one.callers):
                possible = possible | {"sts:AssumeRole"}  # a trust policy may let it in by itself
            # An administrator has every path: one says it.
            paths = (LIFTING,) if first and one.administers else (REVERTING, *escalation_paths())
            for path in paths:
                if possible.issuperset(path.required):
                    found[path] = (*found.get(path, ()), lifted)
        return found

    def _open(self, holder: Holder, paths: Mapping[EscalationPath, tuple[_Lifted, ...]]) -> Iterator[Way]:
        for path, lifted in paths.items():
            for one, lifting in lifted:
                found = self._found(one, path)
                if found is not None:
                    to, first = found
                    yield Way(path, None if to == holder.arn else to, (*lifting, *first))
                    break

    def _found(self, holder: Holder, path: EscalationPath) -> _Found | None:
        if path is LIFTING:
            return holder.arn, ()
        if "iam:PassRole" in path.required or not ON_IDENTITIES.keys() & set(path.required):
            return self._running(holder, path)
        if path.category == "self-escalation":
            return self._by_itself(holder, path)
        return self._by_another(holder, path)

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
        """The actions by which the holder can make an administrator of a target; None: there are none.

        Where that makes another path of the catalogue, the other is open.
        """
        groups = (self._groups[arn] for arn in sorted(target.groups) if arn in self._groups)
        for one in (target, *groups):
            for action in _separate(path):
                how = holder.how(action, one) if RAISES[action] in (one.kind, "policy") else None
                if how is not None:
                    return how
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
        if holder.limited:
            return None
        (action,) = path.required
        one = holder.one
        if action == JOINS:
            return self._joined(holder, path) if one.kind == "user" else None
        if action in (REWRITES, REVERTS):
            rewritten = next((arn for arn in sorted(one.managed) if holder.rewrites(action, arn, one)), None)
            return None if rewritten is None else (rewritten, ())
        if ON_IDENTITIES[action] == "group":
            own = [self._groups[arn] for arn in sorted({*one.groups, one.arn}) if arn in self._groups]
        else:
            is_own = ON_IDENTITIES[action] == ("user" if one.kind == "group" else one.kind)
            own = [replace(one, arn=holder.arn)] if is_own else []
        found = ((each.arn, holder.how(action, each)) for each in own)
        return next(((arn, how[:-1]) for arn, how in found if how is not None), None)

    def _by_another(self, holder: Holder, path: EscalationPath) -> _Found | None:
        kind = "role" if any(ON_IDENTITIES[action] == "role" for action in path.required) else "user"
        # An action on policies says nothing about where they are, and a trust policy may let in by itself.
        narrowing = [one for one in path.required if ON_IDENTITIES[one] == kind and one != "sts:AssumeRole"]
        pool, prefixes = self._targets[kind], holder.reached(narrowing[0]) if narrowing else None
        found = self._worthy(holder, path, pool, prefixes)
        if any(action in RAISES for action in path.required):
            others = (one for one in pool.within(prefixes) if one.arn != holder.arn)
            found = ((one, ()) for one in others if not self._of[one.arn].capped)
        ways = (
            (target.arn, first, [self._how(holder, action, target) for action in path.required])
            for target, first in found
        )
        for arn, first, how in ways:
            if None not in how:
                return arn, (*first, *(action for one in how if one is not None for action in one[:-1]))
        return None

    def _how(self, holder: Holder, action: str, target: Identity) -> tuple[str, ...] | None:
        if action != "sts:AssumeRole":
            return holder.how(action, target)
        trust = self._trusts.get(target.arn)
        return (action,) if trust is not None and holder.may_assume(target, trust) else None
