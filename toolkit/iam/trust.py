"""Who may assume a role no more when its trust policy changes.

In: the trust policy before and after, and principals that a plan deletes. Out: TrustLoss. Pure. On the safe side, as
with any comparison of policies: whoever cannot be shown to keep all of it counts as losing something. That somebody
loses all of it is said only where it is certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from toolkit.globs import overlap
from toolkit.iam import Condition, PolicyDocument, PolicyError, PolicyKind, Principals, Statement
from toolkit.iam.conditions import SetOperator
from toolkit.iam.inclusion import covered


@dataclass(frozen=True)
class TrustLoss:
    """What a role's principals lose."""

    lines: tuple[str, ...]
    """For people: one line per principal; empty where nobody loses anything."""
    everybody: bool
    """Whether certainly nobody who could assume the role can do so any more."""


_DELETED = re.compile(r"A[A-Z0-9]{15,}")
"""What AWS puts in the place of a user or role that was deleted (IAM User Guide, "AWS JSON policy elements:
Principal")."""
_LITERAL = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
_CHOSEN = ("sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "aws:requesttag/")
"""How condition keys begin whose value whoever assumes a role chooses: another one may be known already."""
_KINDS = ("aws", "service", "federated", "canonical_user")
"""Fields of Principals, in their order."""


def compare_trust(old: str, new: str, gone: frozenset[str] = frozenset()) -> TrustLoss:
    """Compare two trust policies.

    Args:
        old: JSON text.
        new: JSON text.
        gone: ARNs of users, roles and providers that are deleted: AWS lets nobody of that name in, whatever `new` says.
    """
    try:
        before, after = (PolicyDocument.parse(text, kind=PolicyKind.TRUST) for text in (old, new))
    except PolicyError as e:
        return TrustLoss((f"a trust policy cannot be read: {e.problem}",), False)
    after = replace(after, statements=tuple(s for s in (_without(s, gone) for s in after.statements) if s))
    lines: dict[str, None] = {}
    barred = []
    for statement in before.statements:
        if statement.effect == "Deny" or not _assumes(statement):
            continue
        for name, part in _by_principal(statement):
            if _DELETED.fullmatch(name) or covered(part, before, before, "Deny"):
                continue
            meeting = any(_meet(part, s) for s in after.statements if _lets_in(s))
            out = covered(part, before, after, "Deny") or not meeting
            barred.append(out)
            if out:
                lines[f"{name}: {'deleted' if name in gone else 'no more'}"] = None
            elif not covered(part, before, after, "Allow"):
                lines[f"{name}: possibly no longer, or not as before"] = None
    for statement in after.statements:
        if statement.effect == "Deny" and not covered(statement, after, before, "Deny"):
            conditions = f" if {' and '.join(map(str, statement.conditions))}" if statement.conditions else ""
            lines[f"newly denied by {statement.label}{conditions}"] = None
    return TrustLoss(tuple(lines), bool(barred) and all(barred))


def _assumes(statement: Statement) -> bool:
    # Naming a session or its tags (sts:TagSession, sts:SetSourceIdentity) lets nobody in by itself.
    return not statement.actions or any(overlap(a.lower(), "sts:assumerole*") for a in statement.actions)


def _lets_in(statement: Statement) -> bool:
    return statement.effect == "Allow" and _assumes(statement)


def _by_principal(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """(principal, the statement for it alone)."""
    principals = statement.principals
    if principals is None or principals.everyone:
        yield "everyone", statement
        return
    for kind in _KINDS:
        for name in getattr(principals, kind):
            yield name, replace(statement, principals=_only({kind: (name,)}))


def _without(statement: Statement, gone: frozenset[str]) -> Statement | None:
    """The statement less principals that are gone; None where it names nobody else."""
    if statement.principals is None or statement.principals.everyone or statement.effect == "Deny":
        return statement
    rest = {kind: tuple(n for n in getattr(statement.principals, kind) if n not in gone) for kind in _KINDS}
    return replace(statement, principals=_only(rest)) if any(rest.values()) else None


def _only(names: Mapping[str, tuple[str, ...]]) -> Principals:
    return Principals(False, *(names.get(kind, ()) for kind in _KINDS))


def _meet(part: Statement, other: Statement) -> bool:
    """Whether somebody whom `part`, of one principal, lets in may be let in by `other`, too."""
    one, many = part.principals, other.principals
    if one is None or many is None or one.everyone or many.everyone:
        met = True
    else:
        met = any(_same(a, b) for kind in _KINDS for a in getattr(one, kind) for b in getattr(many, kind))
    return met and not any(_apart(a, b) for a in part.conditions for b in other.conditions)


def _same(one: str, other: str) -> bool:
    """Whether two entries of one kind may mean the same principal: an account stands for all that is in it."""
    if one == other:
        return True
    accounts = {_account(one), _account(other)}
    wide = any(name.isdigit() or name.endswith(":root") or ":sts::" in name for name in (one, other))
    return wide and len(accounts) == 1


def _account(name: str) -> str:
    return name.split(":")[4] if name.startswith("arn:") else name


def _apart(one: Condition, other: Condition) -> bool:
    """Whether no request can meet both."""
    key = one.key.lower()
    if key != other.key.lower() or key.startswith(_CHOSEN):
        return False
    for condition in (one, other):
        if condition.if_exists or condition.set_operator is not SetOperator.NONE:
            return False
        if condition.operator.name not in _LITERAL or any("${" in value for value in condition.values):
            return False
    return not any(overlap(a, b) for a in one.values for b in other.values)
