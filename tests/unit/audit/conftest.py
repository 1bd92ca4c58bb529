"""Recorded answers for checks, and how each check proves itself with them.

A file of checks `toolkit/audit/checks/NAME.py` brings `tests/unit/audit/recorded_NAME.py` with `CASES`, and
`DISPLAY` where a check reads facts only to show them. Nothing needs to be registered. A `Case` is an account as AWS
answers for it, and the status that the check has then. Every check needs a case that passes and one that fails, one
of each status that it yields by itself, and every fact in `Live.values` that it reads needs a `Flip`: a change of that
one value that changes the status, and what it is then. test_recorded.py fails for what lacks, and names it:

    CASES = (
        Case(
            "iam_no_root_access_key",
            Status.PASS,
            {AccountSummary(): (live({"AccountAccessKeysPresent": 0}),)},
            flips=(Flip("AccountAccessKeysPresent", 1, Status.FAIL),),
        ),
        Case("iam_no_root_access_key", Status.FAIL, {AccountSummary(): (live({"AccountAccessKeysPresent": 1}),)}),
    )
    DISPLAY = {"iam_example": ("ExampleFact.name",)}  # read for the text of the evidence alone

A path is dotted, with positions in lists ("keys.0.active") and a slash for a dot within a name ("resources/type"); it
is looked for in the first `Live` of the case's only answer, unless `of` names the question and `at` the position of the
`Live`. A path of `Live` itself is written with an @: "@by_default", "@arn", "@managed_by". What a check does with an
answer that cannot be read, and with a value that is missing, is tried without being recorded: a value that a passing
check reads may be missing only if it is in `DISPLAY` or in `OPTIONAL` (check → facts, with a comment why its absence is
known to be good).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from toolkit.audit.model import Answers, Result, Scope, run
from toolkit.audit.registry import checks
from toolkit.findings import Status
from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Live

HOME = "eu-central-1"
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SCOPE = Scope("123456789012", HOME, (HOME, "eu-west-1"), NOW)


@dataclass(frozen=True)
class Flip:
    """One fact that is another, and what the check says then."""

    path: str
    value: Any
    expected: Status
    of: Wanted[Any] | None = None
    """None: the case has one answer."""
    at: int = 0


@dataclass(frozen=True)
class Case:
    """What AWS answers, and what the check says then."""

    check: str
    expected: Status
    answers: Mapping[Wanted[Any], tuple[Live, ...]]
    flips: tuple[Flip, ...] = ()
    scope: Scope = SCOPE

    def __str__(self) -> str:
        return f"{self.check}-{self.expected.value}"


def live(values: Mapping[str, Any], called: str = "it", **fields: Any) -> Live:
    """A resource with these values."""
    return Live({}, values, called, None, **fields)


class Ask:
    """Runs a check on recorded answers; a need without one is an error of the test."""

    scope = SCOPE

    def __call__(self, check_id: str, answers: Mapping[Wanted[Any], Any]) -> Result:
        return ask_of(check_id, answers, self.scope)


def ask_of(check_id: str, answers: Mapping[Wanted[Any], Any], scope: Scope) -> Result:
    """What a check says of recorded answers."""
    return run(checks()[check_id], scope, Answers({wanted: (answer, ()) for wanted, answer in answers.items()}))


@pytest.fixture
def ask() -> Ask:
    return Ask()
