"""The policies of an account, as escalation paths take them, and which managed ones give somebody every right.

In: parsed policies. Out: what is left of them where something is not known, and answers about managed policies. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from toolkit.iam.assumed import generous
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.escalation_paths import ADMINISTERS, LIFTS, ON_IDENTITIES, RAISES, actions
from toolkit.iam.evaluate import Policies, evaluate
from toolkit.iam.matching import action_matches
from toolkit.iam.request import Request
from toolkit.privileges import ADMINISTRATOR_POLICIES

_KNOWN = frozenset({"iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn"})
"""Condition keys whose value is known for each request."""


@lru_cache(maxsize=65536)
def _matched(pattern: str) -> frozenset[str]:
    """Which of these actions a pattern matches."""
    return frozenset(action for action in actions() if action_matches(pattern, action))


def matched_by(statement: Statement) -> frozenset[str]:
    """Which of these actions a statement is about."""
    if statement.not_actions:
        return actions().difference(*map(_matched, statement.not_actions))
    return frozenset().union(*map(_matched, statement.actions))


def _all(patterns: Sequence[str]) -> bool:
    return any(set(pattern) <= set("*:") for pattern in patterns)


def _is_everything(statement: Statement) -> bool:
    whole = _all(statement.actions) and _all(statement.resources)
    return statement.effect == "Allow" and whole and not statement.conditions


def beginning(names: Sequence[str], prefixes: Iterable[str]) -> list[int]:
    """Where names begin so, in a sorted list of them."""
    found = set[int]()
    for prefix in prefixes:
        first = bisect_left(names, prefix)
        found.update(range(first, bisect_right(names, prefix + chr(0x10FFFF), lo=first)))
    return sorted(found)


def name_of(arn: str) -> str:
    """The kind, path and name in an ARN of IAM ("user/anna")."""
    return arn.split(":", 5)[5]


class Document:
    """A policy as it is taken here.

    Attributes:
        document: What is left of it.
        allowed: The actions, of those that are looked for, that it allows on something.
        denied: Those that it denies on everything.
        personal: Whether it says something of some users that it does not say of others.
    """

    def __init__(self, document: PolicyDocument, *, known: frozenset[str] = _KNOWN) -> None:
        self.document = generous(document, known)
        allowed, denied = frozenset[str](), frozenset[str]()
        self.personal = False
        for one in self.document.statements:
            about_users = bool(matched_by(one) & _OF_USERS)
            self.personal |= about_users and not all(map(_of_every_user, (*one.resources, *one.not_resources)))
            self.personal |= any("${" in value for condition in one.conditions for value in condition.values)
            if one.effect == "Allow":
                allowed |= matched_by(one)
            elif _all(one.resources) and not one.conditions:
                denied |= matched_by(one)
        self.allowed, self.denied = allowed, denied


_OF_USERS = frozenset({*(action for action, kind in ON_IDENTITIES.items() if kind == "user"), *LIFTS["user"]})


def _of_every_user(entry: str) -> bool:
    """Whether an entry means all users, or each one itself, or none."""
    kind = entry.split(":", 5)[-1]
    if kind.startswith("user/"):
        return kind == "user/*" or (kind.lower().endswith("/${aws:username}") and "*" not in kind)
    return set(entry) <= {"*"} or kind == "*" or re.match(r"[a-z-]+/", kind) is not None


def administers(arn: str, documents: tuple[PolicyDocument, ...]) -> bool:
    """Whether policies alone make an administrator of somebody, who may change identities, too."""
    if not any(_is_everything(statement) for one in documents for statement in one.statements):
        return False
    return any(_may_on_any(arn, action, documents) for action in ADMINISTERS)


def _may_on_any(arn: str, action: str, documents: tuple[PolicyDocument, ...]) -> bool:
    partition, account = arn.split(":")[1], arn.split(":")[4]
    target = f"arn:{partition}:iam::{account}:{RAISES[action]}/any"
    context = {"iam:PolicyARN": f"arn:{partition}:iam::aws:policy/AdministratorAccess"}
    return evaluate(Request(arn, action, target, context=context), Policies(identity=documents)).allowed


Use = Literal["user", "role", "boundary"]
"""What a managed policy is for: to be attached to users and groups, or to roles, or to be a permissions boundary."""


@dataclass(frozen=True, eq=False)
class ManagedPolicy:
    """A managed policy; its versions are read only where somebody could have it.

    Attributes:
        arn: Its ARN.
        default: What it says; None: that is not known.
        older: What it says in its other versions.
    """

    arn: str
    default: Callable[[], PolicyDocument | None]
    older: Callable[[], Iterable[PolicyDocument]] = tuple


class ManagedPolicies:
    """The managed policies of one account: which make an administrator, or are boundaries that limit nothing."""

    def __init__(self, account: str, policies: Iterable[ManagedPolicy]) -> None:
        """Args:
        account: How the ARNs of its identities begin ("arn:aws:iam::123456789012").
        policies: The account's own, attached or not, and those of AWS that are known.
        """
        self.account = account
        self._policies = {one.arn: one for one in sorted(policies, key=lambda one: one.arn)}
        self._own = {name_of(arn): arn for arn in self._policies if is_own(arn)}
        self._names = sorted(self._own)
        self._read: dict[int, tuple[PolicyDocument, Document]] = {}
        self._known: dict[Use, tuple[str, ...]] = {}
        self._served: dict[tuple[Use, str], bool] = {}

    def read(self, document: PolicyDocument) -> Document:
        """What a policy is taken for; each is read once."""
        if id(document) not in self._read:
            self._read[id(document)] = (document, Document(document))
        return self._read[id(document)][1]

    def has(self, arn: str) -> bool:
        """Whether the account has an own policy of that ARN."""
        return name_of(arn) in self._own

    def own(self, prefixes: Iterable[str]) -> Iterator[str]:
        """ARNs of its own ones whose names begin so ("policy/team/")."""
        return (self._own[self._names[at]] for at in beginning(self._names, prefixes))

    @cached_property
    def _documents(self) -> Mapping[str, PolicyDocument]:
        """ARN → what a policy says, of all that are known."""
        read = {arn: one.default() for arn, one in self._policies.items()}
        return {arn: document for arn, document in read.items() if document is not None}

    def older(self, arn: str) -> tuple[PolicyDocument, ...]:
        """The versions of an own policy that are not the default one."""
        return tuple(self._policies[arn].older()) if arn in self._policies else ()

    def serving(self, use: Use) -> Iterator[str]:
        """ARNs of those that make an administrator of whoever has them, or limit nobody; AWS's come first."""
        partition = self.account.split(":")[1]
        for name in sorted(ADMINISTRATOR_POLICIES) if use != "boundary" else ["AdministratorAccess"]:
            yield f"arn:{partition}:iam::aws:policy/{name}"
        if use not in self._known:
            self._known[use] = tuple(arn for arn, one in self._documents.items() if self._serves(use, one))
        yield from self._known[use]

    def served(self, use: Use, arn: str) -> bool:
        """Whether a version of an own policy does so that is not the default one."""
        if (use, arn) not in self._served:
            self._served[use, arn] = any(self._serves(use, document) for document in self.older(arn))
        return self._served[use, arn]

    def boundaries(self, prefixes: tuple[str, ...]) -> Iterator[tuple[str, PolicyDocument]]:
        """Those that allow something that paths take, as boundaries, and whose names begin so."""
        for arn, one in self._boundaries:
            if name_of(arn).startswith(prefixes):
                yield arn, one

    @cached_property
    def _boundaries(self) -> tuple[tuple[str, PolicyDocument], ...]:
        return tuple((arn, one) for arn, one in self._documents.items() if self.read(one).allowed)

    def _serves(self, use: Use, document: PolicyDocument) -> bool:
        read, anyone = self.read(document), f"{self.account}:user/any"
        if use == "boundary":
            return administers(anyone, (read.document,))
        changes = read.allowed.intersection(one for one in ADMINISTERS if RAISES[one] == use)
        return any(_may_on_any(anyone, action, (read.document,)) for action in sorted(changes))


def is_own(arn: str) -> bool:
    """Whether a managed policy is the account's own: nobody but AWS changes those of AWS.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html ("You cannot change the
    permissions defined in AWS managed policies")
    """
    return arn.split(":")[4] != "aws"
