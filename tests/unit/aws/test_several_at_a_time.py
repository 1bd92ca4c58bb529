"""A plan of many regions asks for hundreds of things: several at a time, each list once, and in the plan's order."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from toolkit.aws import existing as module
from toolkit.aws.existing import read_existing
from toolkit.aws.session import ClientFactory
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Attribution, Change, Plan, parse_plan

ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
TYPE = "aws_guardduty_detector"


def plan(count: int) -> Plan:
    change = {"actions": ["create"], "before": None, "after": {}, "after_unknown": {}}
    entries = [
        {"address": f"module.guardduty.{TYPE}.n{i}", "mode": "managed", "type": TYPE, "name": f"n{i}", "change": change}
        for i in range(count)
    ]
    attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


@pytest.fixture
def clients() -> ClientFactory:
    return ClientFactory(ENVIRONMENT, {})


def test_readers_wait_for_aws_side_by_side(clients: ClientFactory, monkeypatch: pytest.MonkeyPatch):
    together = threading.Barrier(4, timeout=20)

    def reader(_: ClientFactory, change: Change) -> Existing:
        together.wait()  # breaks unless four are here at once
        time.sleep(0.05 if change.address.endswith("0") else 0)
        return Existing({}, False, change.address, "something")

    monkeypatch.setattr(module, "READERS", {TYPE: reader})
    found = read_existing(plan(8), clients)

    assert list(found) == [c.address for c in plan(8).changes]
    assert all(address == one.import_id for address, one in found.items())


def test_what_cannot_be_asked_is_told_and_ends_the_asking(clients: ClientFactory, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def reader(_: ClientFactory, change: Change) -> None:
        asked.append(change.address)
        time.sleep(0.005)
        raise ToolkitError(f"AccessDenied for {change.address}")

    monkeypatch.setattr(module, "READERS", {TYPE: reader})
    with pytest.raises(ToolkitError, match=r"AccessDenied for module\.guardduty\.aws_guardduty_detector\.n0$"):
        read_existing(plan(1000), clients)
    assert len(asked) < 1000


def test_clients_and_lists_are_made_once(clients: ClientFactory, monkeypatch: pytest.MonkeyPatch):
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
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: clients.listed("guardduty", "list_detectors", "DetectorIds"), range(16)))

    assert answers == [("a", "b")] * 16
    assert (made, pages) == ([("guardduty", "eu-central-1")], ["page"])
