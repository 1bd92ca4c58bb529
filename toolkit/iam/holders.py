"""Whoever holds policies: what a user, a role or the members of a group may do, of what escalation paths take.

In: an identity with its policies. Out: answers about its actions, each evaluated once. Pure. What is not known is taken
as `toolkit.iam.escalation` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from toolkit.iam.assumed import generous
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.escalation_paths import ADMINISTERS, LIFTS, ON_IDENTITIES, RAISES, actions
from toolkit.iam.evaluate import Policies, evaluate
from toolkit.iam.matching import ContextValue, action_matches
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


_KNOWN = frozenset({"iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn"})
"""Condition keys whose value is known for each request."""
_CONTEXT_OF_BOUNDARY = ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy")
"""Service Authorization Reference, IAM: the actions here that have the key iam:PermissionsBoundary, of their target."""


@lru_cache(maxsize=65536)
def _matched(pattern: str) -> frozenset[str]:
    """Which of these actions a pattern matches."""
    return frozenset(action for action in actions() if action_matches(pattern, action))


def _matched_by(statement: Statement) -> frozenset[str]:
    if statement.not_actions:
        return actions().difference(*map(_matched, statement.not_actions))
    return frozenset().union(*map(_matched, statement.actions))


def _all(patterns: Sequence[str]) -> bool:
    return any(set(pattern) <= set("*:") for pattern in patterns)


def _is_everything(statement: Statement) -> bool:
    whole = _all(statement.actions) and _all(statement.resources)
    return statement.effect == "Allow" and whole and not statement.conditions


_BEGINNING = re.compile(r"[^*?$]*")
"""What an entry says before its first wildcard or variable."""


def name_of(arn: str) -> str:
    """The kind, path and name in an ARN of IAM ("user/anna")."""
    return arn.split(":", 5)[5]


class Document:
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


_OF_USERS = frozenset({*(action for action, kind in ON_IDENTITIES.items() if kind == "user"), *LIFTS["user"]})


def _of_every_user(entry: str) -> bool:
    """Whether an entry means all users, or each one itself, or none."""
    kind = entry.split(":", 5)[-1]
    if kind.startswith("user/"):
        return kind == "user/*" or (kind.lower().endswith("/${aws:username}") and "*" not in kind)
    return set(entry) <= {"*"} or kind == "*" or re.match(r"[a-z-]+/", kind) is not None


class Holder:
    """Whoever has the same policies, evaluated once."""

    def __init__(
        self,
        one: Identity,
        read: Callable[[PolicyDocument], Document],
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
        for action in self.possible.intersection(RAISES):
            reached = self.reached(action) if RAISES[action] == kind else None
            if reached is not None:
                prefixes += reached
            elif RAISES[action] in (kind, "policy") or (kind == "user" and RAISES[action] == "group"):
                return None
        return tuple(prefixes)

    def _own(self, entry: str) -> str:
        """The resource of an entry, with the user's own name filled in."""
        entry = re.sub(r"\$\{aws:username\}$", self.arn.rsplit("/", 1)[-1], entry, flags=re.I)
        entry = re.sub(r"\$\{[^}]*\}", "*", entry)  # the colon of a variable's name parts no ARN
        return name_of(entry) if entry.count(":") >= 5 else ""

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
            for action in ADMINISTERS
            for target in (f"{self._prefix}:{RAISES[action]}/any",)
        )

    def _lifts(self) -> bool:
        """Whether it may take its own boundary away, exchange it, or change what it says."""
        boundary = self.one.boundary_arn or ""
        return any(
            action in self.possible and self.may(action, self.arn, iam_PermissionsBoundary=arn)
            for action, arn in (
                (LIFTS[self.one.kind][0], boundary),
                (LIFTS[self.one.kind][1], self._attachable[0]),
            )
        ) or ("iam:CreatePolicyVersion" in self.possible and self.may("iam:CreatePolicyVersion", boundary))
