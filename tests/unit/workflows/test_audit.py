"""In which order an audit reads an account, and how much of it at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from toolkit.audit.facts import Fact
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.plan.facts import Source
from toolkit.workflows.audit import AT_ONCE, _answers

TEXT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n'


@dataclass(frozen=True)
class Regional(Fact):
    number: int
    region: str

    def read(self, source: Source) -> Any:
        return source.call("ec2", f"call_{self.number}", self.region)


@dataclass(frozen=True)
class Global(Fact):
    def read(self, source: Source) -> Any:
        return source.call("iam", "report", source.home_region)


class Slow(AwsSession):
    """Answers after a moment, and knows what was asked and how much of it at a time."""

    meta = None

    def __init__(self) -> None:
        super().__init__(load_text(TEXT, name="x", shown_as="x"), {})
        self.asked: list[str] = []
        self.most = self._waiting = 0
        self._lock = threading.Lock()
        self._full = threading.Event()

    def client(self, service: str, region: str | None = None) -> Any:
        return self

    def __getattr__(self, operation: str) -> Any:
        def call() -> dict[str, Any]:
            with self._lock:
                self.asked.append(operation)
                self._waiting += 1
                self.most = max(self.most, self._waiting)
                if self._waiting >= AT_ONCE:
                    self._full.set()
            self._full.wait(60)
            time.sleep(0.01)
            with self._lock:
                self._waiting -= 1
            return {}

        return call


def test_as_many_calls_wait_as_may_and_what_exists_once_per_account_is_begun_first():
    """It takes calls one after the other: IAM's report is written first, and whoever begins with it waits least."""
    clients = Slow()
    facts = [*(Regional(number, f"eu-west-{number % 20}") for number in range(100)), Global()]
    found = _answers(facts, Inventory(clients, at_once=AT_ONCE), {})
    assert set(found) == set(facts)
    assert "report" in clients.asked[:AT_ONCE]
    assert clients.most == AT_ONCE
