from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pytest
from moto import mock_aws

from toolkit.aws import gather
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.plan import existing
from toolkit.plan.facts import Wanted
from toolkit.plan.guards import Existing
from toolkit.plan.model import Plan
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty account in this very process, for tests that ask moto."""
    with mock_aws():
        yield


T = TypeVar("T")


def read(wanted: Wanted[T], session: AwsSession) -> T:
    """The answer to one question of a guard."""
    return gather.gather([wanted], Inventory(session))[wanted]


def read_existing(plan: Plan, inventory: Inventory) -> dict[str, Existing]:
    """What the guards are told of what the account has already."""
    simulated = inventory.simulated
    facts = gather.gather(existing.existing_wanted(plan, simulated=simulated), inventory)
    return existing.existing(plan, facts, simulated=simulated)


def read_contents(plan: Plan, inventory: Inventory) -> dict[str, str | None]:
    """What they are told of what tainted resources hold."""
    return existing.contents(plan, gather.gather(existing.contents_wanted(plan), inventory))


Agreement = Callable[[AwsSession, str, Mapping[str, Any]], None]


@pytest.fixture
def list_and_search_agree() -> Agreement:
    """That a list and a search find the same resource, with all that can get weaker, by the actions of its record."""

    def check(clients: AwsSession, resource: str, planned: Mapping[str, Any]) -> None:
        record = RESOURCES[resource]
        reading = record.reading
        assert reading is not None
        inventory, region = Inventory(clients), clients.home_region
        found = inventory.find(resource, region, planned)
        assert isinstance(found, Live), found
        assert set(found.key) == set(record.key)
        listed = [
            one for one in inventory.every([resource], [region]) if isinstance(one, Live) and one.key == found.key
        ]
        assert [(one.called, one.import_id) for one in listed] == [(found.called, found.import_id)]
        # A search may leave out what only a list of everything tells; the values that it has are the same.
        assert {k: v for k, v in found.values.items() if listed[0].values.get(k) != v and v is not None} == {}
        unread = {name for names in reading.unread.values() for name in names.split()}
        assert {strength.top for strength in record.strengths} - unread <= set(listed[0].values)
        asked = {call.action for one in (found, *listed) for call in one.evidence}
        assert asked <= set(reading.actions), "IAM actions that the record does not declare"

    return check
