"""What the account has already of what a plan would create. Reads only.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
A type's record in `toolkit.resources` says how the resource is found and what a create does where it is there, or why
none can be in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from toolkit.aws.facts import side_by_side
from toolkit.aws.inventory import Inventory
from toolkit.components.registry import REGISTRY
from toolkit.errors import ToolkitError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.base import ResourceType
from toolkit.resources.reading import Live, OnCreate, Reason, Unreadable
from toolkit.resources.registry import RESOURCES

T = TypeVar("T")

NOT_SIMULATED = frozenset(resource for component in REGISTRY.values() for resource in component.lacking)
"""Types that the embedded AWS lacks: nothing can be in their way there, and asking gets no answer of AWS's."""


def is_read(kind: str) -> bool:
    """Whether a create of the type is looked for in the account first."""
    return kind in RESOURCES and RESOURCES[kind].reading is not None


def read_existing(plan: Plan, inventory: Inventory) -> dict[str, Existing]:
    """Address of a create → what is there already.

    Raises:
        ToolkitError: It cannot be read.
    """
    creates = [
        change
        for change in plan.changes
        if change.action is Action.CREATE
        and is_read(change.type)
        and not (inventory.simulated and change.type in NOT_SIMULATED)
    ]

    # The first plan of an account with many regions asks for hundreds of things.
    answers = side_by_side(lambda change: _find(change, inventory), creates)
    return {
        change.address: existing
        for change, existing in zip(creates, answers, strict=True)
        # What AWS gave a new thing by itself stands there after an interrupted apply, and is nobody's choice.
        if existing is not None and (not existing.default or _comes_in(change, plan))
    }


def _find(change: Change, inventory: Inventory) -> Existing | None:
    record = RESOURCES[change.type]
    assert record.reading is not None
    known = {name: value for name in record.key if isinstance(value := change.after.get(name), str)}
    planned = {**change.after, **record.reading.assumed, **known}
    if not all(isinstance(planned.get(name), str) for name in record.key):
        # Known after the apply only: what it would be beside is still to be made.
        return None
    found = _read(
        inventory.find(change.type, change.region, planned), f"what {change.address} would overwrite cannot be read"
    )
    return None if found is None else _existing(change, planned, record, found)


def read_contents(plan: Plan, inventory: Inventory) -> dict[str, str | None]:
    """Address of a tainted resource → what it holds, for people; None where it holds nothing.

    Terraform taints what an interrupted or failed apply created in part, and what somebody taints by hand: the plan
    does not tell them apart, but what was created in part is empty.

    Raises:
        ToolkitError: It cannot be read.
    """
    contents: dict[str, str | None] = {}
    for change in plan.changes:
        if change.tainted and change.type in RESOURCES and RESOURCES[change.type].contents is not None:
            found = inventory.contents(change.type, change.region, change.before)
            contents[change.address] = _read(found, f"what {change.address} holds cannot be read")
    return contents


def _read(found: T | Unreadable, problem: str) -> T:
    """What AWS said; what cannot be read stops a plan."""
    if isinstance(found, Unreadable):
        raise ToolkitError(f"{problem}: {found}", hint=_NEXT[found.reason])
    return found


_NEXT = {
    Reason.DENIED: "allow the credentials' user or role that action, then plan again",
    Reason.EXPIRED: "get new credentials, then plan again",
    Reason.THROTTLED: "plan again later: AWS limits how many calls an account makes",
    Reason.TIMED_OUT: "plan again; if it stays so, check the network and the proxy",
    Reason.UNREACHABLE: "check the network and the proxy, and whether the service exists in that region",
    Reason.TRUNCATED: "plan again",
    Reason.NOT_SUBSCRIBED: "finish the account's registration with AWS, or wait until it is activated",
    Reason.REGION_OFF: "enable the region for the account, or leave it out of `regions`",
    Reason.BUDGET: "plan again",
    Reason.UNKNOWN: "check the permissions of the credentials",
}


def _existing(change: Change, planned: Mapping[str, Any], record: ResourceType, found: Live) -> Existing | None:
    """What a create would meet, as the guards judge it; None where it changes nothing and nothing is to be said."""
    reading = record.reading
    assert reading is not None
    other = next((found.key[name] for name in record.key if found.key[name] != planned[name]), None)
    if reading.on_create is OnCreate.SAME:
        return Existing(found.values, True, found.import_id, found.called, same=True)
    if reading.on_create is OnCreate.COLLIDES:
        spelled = other if reading.case_blind else None
        return Existing({}, False, found.import_id, found.called, spelled=spelled)
    existing = Existing(found.values, other is None, found.import_id, found.called, found.by_default)
    return None if reading.quiet and not existing.differences(change) else existing


def _comes_in(change: Change, plan: Plan) -> bool:
    """Whether what AWS gives it with is not in the state yet: the plan imports it, or would make another."""
    reading = RESOURCES[change.type].reading
    assert reading is not None
    return any(
        owner.type == reading.default_with
        and (owner.imported or owner.action is Action.CREATE)
        and owner.region == change.region
        and owner.after.get("bucket") == change.after.get("bucket")
        for owner in plan.changes
    )
