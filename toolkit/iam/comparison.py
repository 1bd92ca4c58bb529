"""Two versions of an IAM policy document: how they differ in meaning, and whether the new one is weaker.

In: two documents as JSON text. Out: PolicyDiff. Pure. "Weaker" is decided on the safe side: a change is taken for a
strengthening only where every denial of the old document can be found in the new one, and every grant of the new one in
the old one. What cannot be shown to be so counts as weaker, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from toolkit.iam import PolicyDocument, PolicyError, PolicyKind, Principals, Statement
from toolkit.iam.inclusion import condition_meaning, covered, same_principals


@dataclass(frozen=True)
class PolicyDiff:
    """What changes between two documents."""

    lines: tuple[str, ...]
    """For people: one line per statement added, removed or changed, each marked +, - or ~."""
    weaker: tuple[str, ...]
    """Why the new document is weaker, or cannot be shown not to be; empty where it is not."""


@lru_cache(maxsize=256)
def compare_policies(old: str, new: str) -> PolicyDiff:
    """Compare two documents."""
    try:
        before, after = _parse(old), _parse(new)
    except PolicyError as e:
        return PolicyDiff((f"~ cannot be compared: {e.problem}",), (f"a policy that cannot be read: {e.problem}",))
    weaker = tuple(_weaker(before, after))
    version = tuple(_version(before, after))
    return PolicyDiff(
        (*(f"~ {line}" for line in version), *_lines(before, after)), (*(version if weaker else ()), *weaker)
    )


def _version(before: PolicyDocument, after: PolicyDocument) -> Iterator[str]:
    if before.version == after.version:
        return
    line = f"Version {before.version} → {after.version}"
    if "${" in repr((before.statements, after.statements)):
        line += f": ${{…}} becomes {'a variable' if after.variables else 'plain text'}"
    yield line


@lru_cache(maxsize=256)
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
    for statement in before.statements:
        if statement.effect == "Deny" and not covered(statement, before, after, "Deny"):
            yield f"denies less: {statement.label}"
    for statement in after.statements:
        if statement.effect == "Allow" and not covered(statement, after, before, "Allow"):
            yield f"grants more: {statement.label}"


@lru_cache(maxsize=256)  # several guards ask the same of a policy, to know what is wanted and to judge
def rights_lost(old: str | None, new: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What whoever has a policy loses, or cannot be shown not to: (what is granted less, what is denied more).

    Args:
        old: Before; None: there was no policy.
        new: After; None: there is none any more.
    """
    try:
        before, after = (_parse(text) if text is not None else _NONE for text in (old, new))
    except PolicyError as e:
        return (), (f"a policy that cannot be read: {e.problem}",)
    granted = (s for s in before.statements if s.effect == "Allow" and not covered(s, before, after, "Allow"))
    denied = (s for s in after.statements if s.effect == "Deny" and not covered(s, after, before, "Deny"))
    return tuple(f"grants less: {s.label}" for s in granted), tuple(f"denies more: {s.label}" for s in denied)


def grants_lost(old: str, new: str) -> tuple[str, ...]:
    """What the new document does not grant, or cannot be shown to, of what the old one does; denials are not counted.

    One that cannot be read may have granted anything.
    """
    try:
        _parse(old), _parse(new)
    except PolicyError as e:
        return (f"cannot be compared: {e.problem}",)
    return rights_lost(old, new)[0]


_NONE = PolicyDocument("none", PolicyKind.IDENTITY, "2012-10-17", ())


def _lines(before: PolicyDocument, after: PolicyDocument) -> Iterator[str]:
    old = {_key(s): s for s in before.statements}
    new = {_key(s): s for s in after.statements}
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


def _key(statement: Statement) -> str:
    if statement.sid:
        return statement.sid
    # Statements without a name are the same when they say the same, wherever they stand.
    return repr(replace(statement, index=0))


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
    was, now = ({condition_meaning(c): c for c in statement.conditions} for statement in (old, new))
    words = [f"+{c!s}" for c in new.conditions if condition_meaning(c) not in was]
    words += [f"-{c!s}" for c in old.conditions if condition_meaning(c) not in now]
    if words:
        yield f"conditions {', '.join(words)}"
    named = (old.principals, new.principals), (old.not_principals, new.not_principals)
    if not all(same_principals(*pair) for pair in named):
        yield f"principals {_whom(old)} → {_whom(new)}"


def _sentence(statement: Statement) -> str:
    what = ", ".join(statement.actions) or f"all but {', '.join(statement.not_actions)}"
    where = ", ".join(statement.resources)
    if statement.not_resources:
        where = f"all but {', '.join(statement.not_resources)}"
    text = f"{statement.effect} {statement.label}: {what}"
    if where:
        text += f" on {where}"
    if statement.principals or statement.not_principals:
        text += f" for {_whom(statement)}"
    if statement.conditions:
        text += f" if {' and '.join(str(c) for c in statement.conditions)}"
    return text


def _whom(statement: Statement) -> str:
    if statement.not_principals is not None:
        return f"all but {_principals(statement.not_principals)}"
    return "no named principal" if statement.principals is None else _principals(statement.principals)


def _principals(principals: Principals) -> str:
    if principals.everyone:
        return "everyone"
    return ", ".join((*principals.aws, *principals.service, *principals.federated, *principals.canonical_user))
