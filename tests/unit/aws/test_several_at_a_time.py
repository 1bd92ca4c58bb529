"""A plan of many regions asks for hundreds of things: several at a time, each list once, and in the plan's order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from toolkit.aws import inventory
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan import existing
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.resources.base import ResourceType
from toolkit.resources.reading import Account, Finder, Live, OnCreate, Reading, Reason, UnreadableError

from .conftest import read_existing

ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
TYPE = "aws_guardduty_detector"


def plan(count: int) -> Plan:
    change = {"actions": ["create"], "before": None, "after_unknown": {}}
    entries = [
        {
            "address": f"module.guardduty.{TYPE}.n{i}", "mode": "managed", "type": TYPE, "name": f"n{i}",
            "change": {**change, "after": {"at": f"n{i}"}},
        }
        for i in range(count)
    ]  # fmt: skip
    attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


@pytest.fixture
def clients() -> AwsSession:
    return AwsSession(ENVIRONMENT, {})


@pytest.fixture
def found_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Finder], None]:
    """Has resources of TYPE found by a function of the test's own."""

    def put(finds: Finder) -> None:
        reading = Reading(None, OnCreate.COLLIDES, finds=finds)
        for module in (existing, inventory):
            monkeypatch.setattr(module, "RESOURCES", {TYPE: ResourceType(TYPE, reading=reading)})

    return put


def test_readers_wait_for_aws_side_by_side(clients: AwsSession, found_by: Callable[[Finder], None]):
    together = threading.Barrier(4, timeout=60)

    def find(_: Account, __: str, planned: Mapping[str, Any]) -> Live:
        together.wait()  # breaks unless four are here at once
        time.sleep(0.05 if planned["at"] == "n0" else 0)
        return Live({}, {}, "something", planned["at"])

    found_by(find)
    found = read_existing(plan(8), Inventory(clients))

    assert list(found) == [c.address for c in plan(8).changes]
    assert [one.import_id for one in found.values()] == [f"n{i}" for i in range(8)]


def test_what_cannot_be_read_is_told_and_ends_the_reading(clients: AwsSession, found_by: Callable[[Finder], None]):
    asked: list[str] = []

    def find(_: Account, region: str, planned: Mapping[str, Any]) -> None:
        asked.append(planned["at"])
        time.sleep(0.005)
        raise UnreadableError("guardduty:ListDetectors", region, Reason.DENIED, f"AccessDenied at {planned['at']}")

    found_by(find)
    refused = r"n0 would overwrite cannot be read: guardduty:ListDetectors in eu-central-1: denied \(AccessDenied at n0"
    with pytest.raises(ToolkitError, match=refused):
        read_existing(plan(1000), Inventory(clients))
    assert len(asked) < 1000


def test_clients_and_lists_are_made_once(clients: AwsSession, monkeypatch: pytest.MonkeyPatch):
    made: list[tuple[str, str]] = []
    pages: list[str] = []

    class Client:
        def get_paginator(self, call: str) -> Client:
            return self

        def paginate(self) -> list[dict[str, Any]]:
            pages.append("page")
            time.sleep(0.05)
            return [{"DetectorIds": ["a"]}, {"DetectorIds": ["b"]}]

    def make(_: Any, service: str, region: str) -> Client:
        made.append((service, region))
        time.sleep(0.05)
        return Client()

    monkeypatch.setattr(clients, "_session", object)
    monkeypatch.setattr(clients, "_client", make)
    account = Inventory(clients)

    def ask(_: int) -> tuple[str, ...]:
        return account.pages("guardduty", "list_detectors", "DetectorIds", "eu-central-1")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))

    assert answers == [("a", "b")] * 16
    assert (made, pages) == ([("guardduty", "eu-central-1")], ["page"])
