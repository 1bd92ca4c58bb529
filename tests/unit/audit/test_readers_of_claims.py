"""What a claim looks at is always among the values that its type's reader gives, whatever AWS leaves out of its answer.

An absent value is an answer ("no preference"): the reader says None. A key that is missing would make the check unknown
where AWS answered in full. The answers are made from AWS's own service models: a whole one, and one for each member,
anywhere in it, that is left out. A reader that takes an answer without the member for no answer raises an error.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import botocore.session
import pytest
from botocore import xform_name

from toolkit.audit.claims import claim_checks, type_of
from toolkit.audit.facts import Every
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import claims
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES

from .conftest import HOME

CHECKED = {check.id for check in claim_checks()}
LOOKED_AT: dict[str, set[str]] = {}
for _claim in (one for component in REGISTRY for one in claims(component) if one.topic in CHECKED):
    names = LOOKED_AT.setdefault(type_of(_claim), set())
    names |= {*(_claim.live or {}), *([_claim.attribute.split(".")[0]] if _claim.attribute else [])}
ACCOUNT = "123456789012"
TEXTS = {
    "CreatedAt": "2026-11-29T00:00:00Z",
    "Arn": f"arn:aws:iam::{ACCOUNT}:role/x",
    "PolicyArn": "arn:aws:iam::aws:policy/x",
    "AccountId": ACCOUNT,
}


@cache
def models(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def sample(shape: Any, name: str = "") -> Any:
    """An answer with every member."""
    if shape.type_name == "structure":
        return {member: sample(of, member) for member, of in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member, name)]
    if shape.type_name == "map":
        return {"key": sample(shape.value)}
    if shape.type_name == "timestamp":
        return datetime(2026, 11, 29, tzinfo=UTC)
    values = {"boolean": True, "blob": b"x", "float": 1.0, "double": 1.0}
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else TEXTS.get(name, "x")
    return values.get(shape.type_name, 1)


def paths(value: Any, *so_far: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield (*so_far, name)
            yield from paths(inner, *so_far, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, *so_far, index)


class Modelled:
    """An account whose every answer is a sample, but for one member of one operation."""

    account_id, home_region, simulated = ACCOUNT, HOME, False

    def __init__(self, without: tuple[str, tuple[Any, ...]] | None = None) -> None:
        self.without = without
        self.answers: dict[str, Any] = {}

    def _answer(self, service: str, operation: str) -> Any:
        (name,) = [one for one in models(service).operation_names if xform_name(one) == operation]
        answer = sample(models(service).operation_model(name).output_shape)
        self.answers[operation] = answer
        if self.without is not None and self.without[0] == operation:
            answer = copy.deepcopy(answer)
            *inner, last = self.without[1]
            at = answer
            for part in inner:
                at = at[part]
            del at[last]
        return answer

    def call(self, service: str, operation: str, region: str, **_: Any) -> Any:
        return self._answer(service, operation)

    def pages(self, service: str, operation: str, member: str, region: str, **_: Any) -> tuple[Any, ...]:
        at = self._answer(service, operation)
        for part in member.split("."):
            at = at.get(part, {})
        return tuple(at or ())

    def live(self, kind: str, region: str) -> tuple[Live, ...]:
        reading = RESOURCES[kind].reading
        assert reading is not None
        assert reading.lists is not None
        return tuple(one for one in reading.lists(self, HOME) if isinstance(one, Live))

    def side_by_side(self, ask: Callable[[Any], Any], about: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(ask(one) for one in about)


def listed(account: Modelled, kind: str) -> tuple[Live, ...]:
    found = Every(kind, HOME).read(cast(Source, account))
    assert not isinstance(found, Unreadable)
    return found


@pytest.mark.parametrize("kind", LOOKED_AT)
def test_what_a_claim_looks_at_is_always_read(kind: str):
    whole = Modelled()
    every = listed(whole, kind)
    assert every, "the samples lead to no resource: give them the values that the reader looks for"
    for operation, answer in whole.answers.items():
        for without in [None, *paths(answer)]:
            account = Modelled(None if without is None else (operation, without))
            try:
                found = listed(account, kind)
            except (LookupError, TypeError, AttributeError):
                continue  # an answer that is not in the expected form: unknown, and rightly so
            for one in found:
                missing = LOOKED_AT[kind] - set(one.values)
                assert not missing, f"{operation} without {without}: {kind} has no {', '.join(missing)}"
