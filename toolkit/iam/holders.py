"""Whoever holds policies: what a user, a role or the members of a group may do, of what escalation paths take.

In: an identity with its policies. Out: answers about its actions, each evaluated once. Pure. What is not known is taken
as `toolkit.iam.escalation` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from toolkit.globs import common
from toolkit.iam.conditions import Condition, SetOperator
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.escalation_paths import CREATES, LIFTS, RAISES, REVERTS, REWRITES
from toolkit.iam.evaluate import Policies, evaluate
from toolkit.iam.held_policies import ManagedPolicies, Use, administers, is_own, matched_by, name_of
from toolkit.iam.matching import ContextValue
from toolkit.iam.request import Request


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
        return name_of(self.arn).split("/", 1)[0]


_CONTEXT_OF_BOUNDARY = ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy")
"""Service Authorization Reference, IAM: the actions here that have the key iam:PermissionsBoundary, of their target."""
_SETS: dict[str, tuple[str, Use]] = {
    "iam:AttachGroupPolicy": ("iam:PolicyARN", "user"),
    "iam:AttachRolePolicy": ("iam:PolicyARN", "role"),
    "iam:AttachUserPolicy": ("iam:PolicyARN", "user"),
    **{put: ("iam:PermissionsBoundary", "boundary") for _, put in LIFTS.values()},
}
"""Actions that give somebody a managed policy → the condition key that has its ARN, and what it is for.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""
_NEW = {"*": "new-policy", "?": "x"}
"""What stands for wildcards in the ARN of a policy that could be created."""
_USERNAME = re.compile(r"\$\{aws:username\}", re.I)
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_WILD = re.compile(r"[*?$]")
"""A wildcard, or the beginning of a character that stands for itself where it were one ("${*}")."""
_Conditions = tuple[tuple[Condition, bool], ...]


def _names_some(condition: Condition) -> bool:
    """Whether a condition holds for no values but those that begin as its own do."""
    exact = condition.operator.name in ("ArnEquals", "ArnLike", "StringEquals", "StringLike")
    return exact and not condition.if_exists and condition.set_operator is not SetOperator.ALL


class Holder:
    """Whoever has the same policies, evaluated once."""

    def __init__(self, one: Identity, managed: ManagedPolicies, sessions: tuple[str, ...] = ()) -> None:
        """Args:
        one: Somebody who has them.
        managed: The managed policies of the account.
        sessions: ARNs of a role's sessions that trust policies name: who assumes a role chooses the session's name.
        """
        self.one, self.members = one, [one]
        self._managed, self._sessions = managed, sessions
        # Who joins a group is a user of any name.
        self.arn = f"{managed.account}:user/member" if one.kind == "group" else one.arn
        self.callers = (self.arn, *sessions)
        documents = tuple(map(managed.read, one.policies))
        boundary = None if one.boundary is None else managed.read(one.boundary)
        self._policies = Policies(
            identity=tuple(of.document for of in documents),
            boundary=None if boundary is None else boundary.document,
        )
        possible = frozenset[str]().union(*(of.allowed for of in documents))
        denied = frozenset[str]().union(*(of.denied for of in documents))
        if boundary is not None:
            possible, denied = possible & boundary.allowed, denied | boundary.denied
        self.possible = possible - denied
        self._said: dict[tuple[Any, ...], bool] = {}
        self._reached: dict[str, tuple[str, ...] | None] = {}
        self._set: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}

    def reached(self, action: str) -> tuple[str, ...] | None:
        """How the names of all that it may do something to begin ("user/anna"); None: that is not known."""
        if action not in self._reached:
            self._reached[action] = self._reach(action)
        return self._reached[action]

    def _reach(self, action: str) -> tuple[str, ...] | None:
        prefixes = set[str]()
        for statement in self._allowing(action):
            if statement.not_resources:
                return None
            prefixes.update(map(self._beginning, statement.resources))
        return tuple(sorted(prefixes))

    def _allowing(self, action: str) -> Iterator[Statement]:
        for document in self._policies.identity:
            for statement in document.statements:
                if statement.effect == "Allow" and action in matched_by(statement):
                    yield statement

    def raised(self, kind: str) -> tuple[str, ...] | None:
        """How the names begin of all of a kind whom it may raise; None: what it may change does not tell."""
        prefixes: list[str] = []
        for action in self.possible.intersection(RAISES):
            reached = self.reached(action) if RAISES[action] == kind else None
            if reached is not None:
                prefixes += reached
            elif RAISES[action] in (kind, "policy") or (kind == "user" and RAISES[action] == "group"):
                return None
        return tuple(prefixes)

    def _beginning(self, entry: str) -> str:
        """How the names begin that an entry means, with the user's own name filled in."""
        entry = self._filled(entry)  # the colon of a variable's name parts no ARN
        return _WILD.split(name_of(entry), maxsplit=1)[0] if entry.count(":") >= 5 else ""

    def _filled(self, entry: str) -> str:
        """A pattern of ARNs, with the user's own name filled in, and anything for other variables."""
        return _VARIABLE.sub("*", _USERNAME.sub(self.arn.rsplit("/", 1)[-1], entry))

    def may(self, action: str, target: str, **context: ContextValue) -> bool:
        """Whether it may do something; keys of the context have _ for the colon."""
        reached = self.reached(action)
        if reached is not None and not name_of(target).startswith(reached):
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

    def how(self, action: str, target: Identity) -> tuple[str, ...] | None:
        """The action by which it changes another user, role or group, after those that it takes for that.

        None: it may not.
        """
        if action not in self.possible:
            return None
        if action in (REWRITES, REVERTS):
            return (action,) if any(self.rewrites(action, arn, target) for arn in sorted(target.managed)) else None
        context: dict[str, ContextValue] = {}
        if target.boundary_arn is not None and action in _CONTEXT_OF_BOUNDARY:
            context["iam_PermissionsBoundary"] = target.boundary_arn
        if action not in _SETS:
            return (action,) if self.may(action, target.arn, **context) else None
        for arn, first in self._settable(action):
            if self.may(action, target.arn, iam_PolicyARN=arn, **context):
                return (*first, action)
        return None

    def rewrites(self, action: str, arn: str, target: Identity) -> bool:
        """Whether it may make a policy that somebody has an administrator's: by a new version or an older one."""
        if action not in self.possible or not self.may(action, arn):
            return False
        return action == REWRITES or self._managed.served("role" if target.kind == "role" else "user", arn)

    def _settable(self, action: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Policies that make an administrator by an action that sets one, or are boundaries that limit nothing.

        With each, what it has to do to the policy before. Of all that no condition tells apart there is one.
        """
        if action not in self._set:
            found: dict[tuple[bool, ...], tuple[str, tuple[str, ...]]] = {}
            conditions, use = self._conditions(action), _SETS[action][1]
            tell = self._telling(action, conditions)
            for arn, first in self._making(use, action, conditions):
                told = tell(arn)
                if told in found or not all(self.may(one, arn) for one in first):
                    continue
                if first != (REVERTS,) or self._managed.served(use, arn):
                    found[told] = arn, first
                if not conditions:
                    break
            self._set[action] = tuple(found.values())
        return self._set[action]

    def _conditions(self, action: str) -> _Conditions:
        """The conditions on which policy an action sets, and whether `${…}` is a variable there."""
        key = _SETS[action][0].lower()
        boundary = self._policies.boundary
        found = (
            (condition, document.variables)
            for document in (*self._policies.identity, *((boundary,) if boundary else ()))
            for statement in document.statements
            if action in matched_by(statement)
            for condition in statement.conditions
            if condition.key.lower() == key
        )
        return tuple(dict.fromkeys(found))

    def _telling(self, action: str, conditions: _Conditions) -> Callable[[str], tuple[bool, ...]]:
        """What these conditions say of a policy."""

        def told(arn: str) -> tuple[bool, ...]:
            keys = Request(self.arn, action, self.arn, context={_SETS[action][0]: arn}).keys
            return tuple(condition.holds(keys, variables=variables) for condition, variables in conditions)

        return told if conditions else lambda _: ()

    def _wanted(self, action: str) -> tuple[str, ...]:
        """How the names of all policies begin that an action may set ("policy/team/"); of others it is not allowed."""
        key, prefixes = _SETS[action][0].lower(), set[str]()
        for statement in self._allowing(action):
            named = [one.values for one in statement.conditions if one.key.lower() == key and _names_some(one)]
            prefixes.update(map(self._beginning, named[0] if named else ("",)))
        return tuple(prefixes)

    def _making(self, use: Use, action: str, conditions: _Conditions) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Policies that are of use, or could be made so by an action before; whether it may do that is not said."""
        wanted = self._wanted(action)
        for arn in self._managed.serving(use):
            if name_of(arn).startswith(wanted):
                yield arn, ()
        if REVERTS in self.possible:
            for arn in self._managed.own(wanted):
                yield arn, (REVERTS,)
        if CREATES in self.possible:
            for arn in self._new(conditions):
                yield arn, (CREATES,)
        if REWRITES in self.possible:
            for arn in self._managed.own(wanted):
                yield arn, (REWRITES,)

    def _new(self, conditions: _Conditions) -> Iterator[str]:
        """ARNs that policies could have which it creates, each as conditions want it."""
        wanted = [condition for condition, _ in conditions if not condition.operator.negated]
        named = [self._filled(value) for condition in wanted for value in condition.values]
        for statement in self._allowing(CREATES):
            for entry in statement.resources or ("*",):
                created = common(self._filled(entry), f"{self._managed.account}:policy/*")
                for value in ("*", *named) if created else ():
                    found = common(created or "", value)
                    arn = "".join(_NEW.get(character, character) for character in found or "")
                    if arn and not self._managed.has(arn):
                        yield arn

    @cached_property
    def capped(self) -> bool:
        """Whether its permissions boundary keeps it from being an administrator, whatever policies it gets."""
        return self.limited and all(other.limited for other, _ in self.lifted)

    @cached_property
    def administers(self) -> bool:
        """Whether it may do everything now, identities included."""
        return not self.limited and administers(self.arn, self._policies.identity)

    @cached_property
    def limited(self) -> bool:
        """Whether its permissions boundary keeps it from being an administrator, while it has that."""
        boundary = self._policies.boundary
        return boundary is not None and not administers(self.arn, (boundary,))

    @cached_property
    def lifted(self) -> tuple[tuple[Holder, tuple[str, ...]], ...]:
        """What it is with each permissions boundary that it may have instead of its own, and by which actions.

        Without any, if it may be rid of it. Nothing where its own is no limit.
        """
        found: list[tuple[Holder, tuple[str, ...]]] = []
        waiting: list[tuple[Holder, tuple[str, ...]]] = [(self, ())] if self.limited else []
        seen = {id(self.one.boundary)}
        while waiting:
            holder, first = waiting.pop(0)
            for boundary, arn, actions in holder._boundaries():
                if id(boundary) in seen:
                    continue
                seen.add(id(boundary))
                bounded = replace(self.one, boundary=boundary, boundary_arn=arn)
                other = (Holder(bounded, self._managed, self._sessions), (*first, *actions))
                if boundary is None:
                    return (other,)
                found.append(other)
                waiting.append(other)
        return tuple(found)

    def _boundaries(self) -> Iterator[tuple[PolicyDocument | None, str | None, tuple[str, ...]]]:
        """The boundaries that it may have instead, with their ARN, and by which actions; None: none that limits it."""
        arn = self.one.boundary_arn or ""
        delete, put = LIFTS[self.one.kind]
        if delete in self.possible and self.may(delete, self.arn, iam_PermissionsBoundary=arn):
            yield None, None, (delete,)
        if is_own(arn) and REWRITES in self.possible and self.may(REWRITES, arn):
            yield None, None, (REWRITES,)
        if put in self.possible:
            for policy, first in self._settable(put):
                if self.may(put, self.arn, iam_PermissionsBoundary=policy):
                    yield None, None, (*first, put)
        if is_own(arn) and REVERTS in self.possible and self.may(REVERTS, arn):
            for document in self._managed.older(arn):
                yield document, arn, (REVERTS,)
        if put in self.possible:
            tell, said = self._telling(put, self._conditions(put)), dict[tuple[bool, ...], bool]()
            for policy, document in self._managed.boundaries(self._wanted(put)):
                told = tell(policy)
                if told not in said:
                    said[told] = self.may(put, self.arn, iam_PermissionsBoundary=policy)
                if said[told]:
                    yield document, policy, (put,)
