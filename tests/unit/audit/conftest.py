"""A check and recorded answers: what every test here needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from toolkit.audit.model import Answers, Result, Scope, run
from toolkit.audit.registry import checks
from toolkit.plan.facts import Wanted

HOME = "eu-central-1"
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SCOPE = Scope("123456789012", HOME, (HOME, "eu-west-1"), NOW)


class Ask:
    """Runs a check on recorded answers; a need without one is an error of the test."""

    scope = SCOPE

    def __call__(self, check_id: str, answers: Mapping[Wanted[Any], Any]) -> Result:
        check = checks()[check_id]
        return run(check, self.scope, Answers({wanted: (answer, ()) for wanted, answer in answers.items()}))


@pytest.fixture
def ask() -> Ask:
    return Ask()
