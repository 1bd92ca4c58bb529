"""What controls.yaml claims: each claim's own value is what flips it, so that nothing is recorded by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.audit.claims import claim_checks, type_of
from toolkit.audit.facts import Every
from toolkit.audit.registry import checks
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Claim, claims
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip, live

CHECKS = tuple(check.id for check in claim_checks() if checks()[check.id] is check)
"""Those that no file of `toolkit.audit.checks` replaces."""
OWN = {
    check: {c: own for c in REGISTRY if (own := [one for one in claims(c) if one.topic == check])} for check in CHECKS
}


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """A value at a dotted path, each block of which is a list of one."""
    name, _, rest = path.partition(".")
    if not rest:
        values[name] = value
        return
    values.setdefault(name, [{}])
    put(values[name][0], rest, value)


def met(claim: Claim) -> Any:
    """A value that a claim expects."""
    ((operator, wanted),) = claim.expect.items()
    return {"between": wanted[0], "one_of": wanted[0]}.get(operator, wanted) if isinstance(wanted, list) else wanted


def unmet(claim: Claim) -> Any:
    """One that it does not expect."""
    ((operator, wanted),) = claim.expect.items()
    if operator == "equals":
        return not wanted if isinstance(wanted, bool) else "another"
    return {"at_least": 0, "at_most": 10_000, "between": 0, "one_of": "another", "contains": ""}[operator]


def account(own: list[Claim], wrong: Claim | None = None) -> dict[Any, tuple[Live, ...]]:
    """An account that has what is claimed, but for one of the claims."""
    values: dict[str, dict[str, Any]] = {}
    for claim in own:
        of = values.setdefault(claim.resource, dict(claim.live or {}))
        if claim.attribute is not None:
            put(of, claim.attribute, unmet(claim) if claim is wrong else met(claim))
    found: dict[Any, tuple[Live, ...]] = {Every(type_of(claim), HOME): () for claim in own}
    for resource, has in values.items():
        kind = Every(type_of(next(c for c in own if c.resource == resource)), HOME)
        found[kind] = (*found[kind], live(has, resource, type=kind.kind))
    return found


def empty(check: str) -> dict[Any, tuple[Live, ...]]:
    """An account without any of the types that the claims are about."""
    return {Every(type_of(claim), HOME): () for own in OWN[check].values() for claim in own}


def position(own: list[Claim], claim: Claim) -> int:
    """Of the claim's resource among those of its type in `account`."""
    return list(dict.fromkeys(c.resource for c in own if type_of(c) == type_of(claim))).index(claim.resource)


def _path(attribute: str) -> str:
    return attribute.replace(".", ".0.")


def _flips(own: list[Claim]) -> Iterator[Flip]:
    for claim in own:
        of, at = Every(type_of(claim), HOME), position(own, claim)
        if claim.attribute is not None:
            yield Flip(_path(claim.attribute), unmet(claim), Status.FAIL, of, at)
        yield from (Flip(name, "another", Status.FAIL, of, at) for name in claim.live or {})


def _cases(check: str) -> Iterator[Case]:
    yield Case(check, Status.FAIL, empty(check))
    for own in OWN[check].values():
        yield Case(check, Status.PASS, {**empty(check), **account(own)}, tuple(dict.fromkeys(_flips(own))))


CASES = tuple(case for check in CHECKS for case in _cases(check))
