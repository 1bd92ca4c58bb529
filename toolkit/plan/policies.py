"""Two versions of an IAM policy document: how they differ in meaning, and whether the new one is weaker.

In: two documents as JSON text. Out: PolicyDiff. Pure. "Weaker" is decided on the safe side: a change is taken for a
strengthening only where every denial of the old document can be found in the new one, and every grant of the new one in
the old one. What cannot be shown to be so counts as weaker, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from toolkit.iam import Condition, PolicyDocument, PolicyError, PolicyKind, Principals, Statement
from toolkit.iam.conditions import SetOperator


@dataclass(frozen=True)
class PolicyDiff:
    """What changes between two documents."""

    lines: tuple[str, ...]
    """For people: one line per statement added, removed or changed, each marked +, - or ~."""
    weaker: tuple[str, ...]
    """Why the new document is weaker, or cannot be shown not to be; empty where it is not."""


def compare_policies(old: str, new: str) -> PolicyDiff:
    """Compare two documents."""
    try:
        before, after = _parse(old), _parse(new)
    except PolicyError as e:
        return PolicyDiff((f"~ cannot be compared: {e.problem}",), (f"a policy that cannot be read: {e.problem}",))
    return PolicyDiff(tuple(_lines(before, after)), tuple(_weaker(before, after)))


def policy_sentences(text: str) -> tuple[str, ...]:
    """What a document says, one line per statement; none where it cannot be read."""
    try:
        return tuple(_sentence(s) for s in _parse(text).statements)
    except PolicyError:
        return ()


def denies(text: str) -> bool:
    """Whether a document denies anything; one that cannot be read may."""
    try:
        return any(statement.effect == "Deny" for statement in _parse(text).statements)
    except PolicyError:
        return True


def _parse(text: str) -> PolicyDocument:
    # Which kind it is depends on the resource; a resource policy's grammar is the identity policy's plus Principal.
    for kind in (PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST):
        try:
            return PolicyDocument.parse(text, kind=kind)
        except PolicyError as e:
            error = e
    raise error


def _weaker(before: PolicyDocument, after: PolicyDocument) -> Iterator[str]:
    if before.variables and not after.variables and "${" in repr(before.statements):
        yield "an older policy version, in which variables like ${aws:username} are plain text"
    for statement in before.statements:
        if statement.effect == "Deny" and not covered(statement, after, "Deny"):
            yield f"denies less: {statement.label}"
    for statement in after.statements:
        if statement.effect == "Allow" and not covered(statement, before, "Allow"):
            yield f"grants more: {statement.label}"


def rights_lost(old: str | None, new: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What whoever has a policy loses, or cannot be shown not to: (what is granted less, what is denied more).

    Args:
        old: Before; None: there was no policy.
        new: After; None: there is none any more.
    """
    try:
        before, after = (_parse(text).statements if text is not None else () for text in (old, new))
    except PolicyError as e:
        return (), (f"a policy that cannot be read: {e.problem}",)
    granted = (s for s in before if s.effect == "Allow" and not _covered_by(s, after, "Allow"))
    denied = (s for s in after if s.effect == "Deny" and not _covered_by(s, before, "Deny"))
    return tuple(f"grants less: {s.label}" for s in granted), tuple(f"denies more: {s.label}" for s in denied)


def covered(narrow: Statement, document: PolicyDocument, effect: str) -> bool:
    """Whether every request that `narrow` matches is matched by a statement of that effect in `document`."""
    return _covered_by(narrow, document.statements, effect)


def _covered_by(narrow: Statement, statements: Iterable[Statement], effect: str) -> bool:
    wide = [s for s in statements if s.effect == effect]
    return all(any(_contains(one, part) for one in wide) for part in _parts(narrow))


def _parts(statement: Statement) -> Iterator[Statement]:
    """A statement as several, one per action and resource, since different statements may cover them."""
    for action in statement.actions or (None,):
        for resource in statement.resources or (None,):
            part = statement if action is None else replace(statement, actions=(action,))
            yield part if resource is None else replace(part, resources=(resource,))


def _contains(wide: Statement, narrow: Statement) -> bool:
    return (
        _set_contains(wide.actions, wide.not_actions, narrow.actions, narrow.not_actions, _action_covers)
        and _set_contains(wide.resources, wide.not_resources, narrow.resources, narrow.not_resources, _covers)
        # Every condition narrows: what the wide one asks for, the narrow one must ask for, too.
        and all(any(_implies(n, w) for n in narrow.conditions) for w in wide.conditions)
        and _principals_contain(wide, narrow)
    )


def _set_contains(
    wide: tuple[str, ...],
    wide_not: tuple[str, ...],
    narrow: tuple[str, ...],
    narrow_not: tuple[str, ...],
    covers: Callable[[str, str], bool],
) -> bool:
    if wide or not wide_not:
        # A complement is contained in a list only if the list is everything; a trust policy has no resources at all.
        if narrow_not or not narrow:
            return "*" in wide or (not wide and not narrow and not narrow_not)
        return all(any(covers(w, n) for w in wide) for n in narrow)
    if narrow_not:
        return all(any(covers(n, w) for n in narrow_not) for w in wide_not)
    return bool(narrow) and not any(overlap(w, n, covers) for w in wide_not for n in narrow)


def _covers(wide: str, narrow: str) -> bool:
    """Whether everything that the pattern `narrow` matches is matched by the pattern `wide`."""
    # Narrow's wildcards are taken for plain characters. Its `*` stands for any number of them: no `?` covers that.
    steps = {"*": ".*", "?": "[^*]"}
    return re.fullmatch("".join(steps.get(c) or re.escape(c) for c in wide), narrow, re.DOTALL) is not None


def _action_covers(wide: str, narrow: str) -> bool:
    return _covers(wide.lower(), narrow.lower())


def overlap(one: str, other: str, covers: Callable[[str, str], bool] = _covers) -> bool:
    """Whether two patterns may match a common string; on the safe side where both have wildcards."""
    if covers(one, other) or covers(other, one):
        return True
    first = [wildcard.start() for p in (one, other) if (wildcard := re.search(r"[*?]", p))]
    if len(first) == 2:
        head = min(first)
        return one[:head].lower() == other[:head].lower()
    return False


def _principals_contain(wide: Statement, narrow: Statement) -> bool:
    if wide.principals == narrow.principals and wide.not_principals == narrow.not_principals:
        return True
    if wide.not_principals or narrow.not_principals or wide.principals is None or narrow.principals is None:
        return False
    if wide.principals.everyone or narrow.principals.everyone:
        return wide.principals.everyone
    kinds = ("aws", "service", "federated", "canonical_user")
    return all(set(getattr(narrow.principals, k)) <= set(getattr(wide.principals, k)) for k in kinds)


def _implies(narrow: Condition, wide: Condition) -> bool:
    """Whether a request for which `narrow` holds is one for which `wide` holds."""

    def shape(condition: Condition) -> tuple[object, ...]:
        c = condition
        return c.operator.name, c.set_operator, c.if_exists, c.key.lower()

    if shape(narrow) != shape(wide):
        return False
    if narrow.set_operator is not SetOperator.NONE:
        return set(narrow.values) == set(wide.values)
    # Several values are alternatives: more of them make a condition wider, and a negated one narrower.
    few, many = (wide, narrow) if narrow.operator.negated else (narrow, wide)
    return set(few.values) <= set(many.values)


def _lines(before: PolicyDocument, after: PolicyDocument) -> Iterator[str]:
    old = {_key(s, before): s for s in before.statements}
    new = {_key(s, after): s for s in after.statements}
    for key, statement in old.items():
        if key not in new:
            yield f"- {_sentence(statement)}"
    for key, statement in new.items():
        if key not in old:
            yield f"+ {_sentence(statement)}"
        else:
            changes = list(_statement_changes(old[key], statement))
            if changes:
                yield f"~ {statement.effect} {statement.label}: {'; '.join(changes)}"


def _key(statement: Statement, document: PolicyDocument) -> str:
    if statement.sid:
        return statement.sid
    # Statements without a name are the same when they say the same, wherever they stand.
    return repr(replace(statement, index=0)) + f"#{document.version}"


def _statement_changes(old: Statement, new: Statement) -> Iterator[str]:
    if old.effect != new.effect:
        yield f"{old.effect} becomes {new.effect}"
    for name in ("actions", "not_actions", "resources", "not_resources"):
        before, after = getattr(old, name), getattr(new, name)
        gone = [x for x in before if x not in after]
        come = [x for x in after if x not in before]
        if gone or come:
            words = [f"+{x}" for x in come] + [f"-{x}" for x in gone]
            yield f"{name.replace('_', ' ')} {', '.join(words)}"
    gone_conditions = [c for c in old.conditions if c not in new.conditions]
    new_conditions = [c for c in new.conditions if c not in old.conditions]
    if gone_conditions or new_conditions:
        words = [f"+{c!s}" for c in new_conditions] + [f"-{c!s}" for c in gone_conditions]
        yield f"conditions {', '.join(words)}"
    if old.principals != new.principals or old.not_principals != new.not_principals:
        yield f"principals {_principals(old.principals)} → {_principals(new.principals)}"


def _sentence(statement: Statement) -> str:
    what = ", ".join(statement.actions) or f"all but {', '.join(statement.not_actions)}"
    where = ", ".join(statement.resources)
    if statement.not_resources:
        where = f"all but {', '.join(statement.not_resources)}"
    text = f"{statement.effect} {statement.label}: {what}"
    if where:
        text += f" on {where}"
    if statement.principals:
        text += f" for {_principals(statement.principals)}"
    if statement.conditions:
        text += f" if {' and '.join(str(c) for c in statement.conditions)}"
    return text


def _principals(principals: Principals | None) -> str:
    if principals is None:
        return "nobody named"
    if principals.everyone:
        return "everyone"
    return ", ".join((*principals.aws, *principals.service, *principals.federated, *principals.canonical_user))
