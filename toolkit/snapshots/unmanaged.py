"""What an account has that a Terraform state does not manage.

In: resources of an account, and what identifies those of a state. Out: the difference. Calls no AWS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import is_global
from toolkit.terraform.state_resources import StateResource


@dataclass(frozen=True)
class Unmanaged:
    """What of an account is not in a state."""

    state_serial: int
    managed: int
    """How many resources of the account are in it."""
    resources: tuple[Live, ...]
    """The others, without what AWS gives by itself."""


def identity_attributes() -> Mapping[str, tuple[str, ...]]:
    """Type → attributes of a state by which a resource of an account is found in it."""
    return {kind: tuple(dict.fromkeys((*record.key, "id", "arn", "region"))) for kind, record in RESOURCES.items()}


def unmanaged(found: Iterable[Live], serial: int, state: Iterable[StateResource], home: str) -> Unmanaged:
    """The resources of an account that a state does not have.

    Args:
        found: What the account has.
        serial: The state's.
        state: What the state has.
        home: The region of the provider without an alias.
    """
    known: defaultdict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for one in state:
        known[one.type, "" if is_global(one.type) else _region(one, home)].update(_names_in_state(one))
    managed, others = 0, []
    for live in found:
        if known[live.type, "" if is_global(live.type) else live.region].intersection(_names(live)):
            managed += 1
        elif not live.by_default:
            others.append(live)
    return Unmanaged(serial, managed, tuple(others))


def is_same(live: Live, one: StateResource, home: str) -> bool:
    """Whether a resource of an account is one of a state.

    Args:
        live: What the account has.
        one: What the state has.
        home: The region of the provider without an alias.
    """
    if live.type != one.type or not (is_global(live.type) or live.region == _region(one, home)):
        return False
    return not set(_names(live)).isdisjoint(_names_in_state(one))


def _region(one: StateResource, home: str) -> str:
    # Version 6 of the provider says it in the state, too; aliases are called after their region.
    return one.identity.get("region") or one.alias.replace("_", "-") or home


def _names(live: Live) -> Iterator[tuple[str, ...]]:
    """By what a resource is found in a state: ARN, id or key. Of what has no key there is one."""
    if live.arn:
        yield "arn", live.arn
    if live.import_id:
        yield "id", live.import_id
    yield "key", *(_plain(live.type, name, value) for name, value in sorted(live.key.items()))


def _names_in_state(one: StateResource) -> Iterator[tuple[str, ...]]:
    yield from ((name, one.identity[name]) for name in ("arn", "id") if one.identity.get(name))
    key = sorted(RESOURCES[one.type].key)
    if all(name in one.identity for name in key):
        yield "key", *(_plain(one.type, name, one.identity[name]) for name in key)


def _plain(kind: str, name: str, value: str) -> str:
    """A key as both sides write it: a provider's URL without its scheme, a name in one case where AWS takes any."""
    if kind == "aws_iam_openid_connect_provider" and name == "url":
        value = value.removeprefix("https://")
    reading = RESOURCES[kind].reading
    return value.lower() if reading is not None and reading.case_blind else value
