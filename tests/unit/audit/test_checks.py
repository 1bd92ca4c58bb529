"""What holds of every check: it has a place in the catalogue or a source, and what cannot be read is never a pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, run
from toolkit.audit.registry import checks
from toolkit.components.registry import REGISTRY
from toolkit.findings import Status
from toolkit.resources.reading import Reason, Unreadable

from .conftest import HOME, SCOPE

EVERY = tuple(checks().values())
ALL = tuple(check for check in EVERY if tuple(check.needs(SCOPE)))
"""But those that no API of AWS answers (test_attestations.py)."""
THERE = [Reason.DENIED, Reason.EXPIRED, Reason.THROTTLED, Reason.TIMED_OUT, Reason.UNREACHABLE, Reason.TRUNCATED]
FAULTS = [*THERE, Reason.NOT_SUBSCRIBED, Reason.BUDGET, Reason.UNKNOWN]


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_what_cannot_be_read_is_unknown(check):
    """Each need in turn, and all of them, for each reason: no pass, no absence, no traceback."""
    needs = tuple(check.needs(SCOPE))
    for reason in FAULTS:
        fault = (Unreadable("", HOME, "iam:Example", reason, "example"), ())
        result = run(check, SCOPE, Answers(dict.fromkeys(needs, fault)))
        assert result.status is Status.UNKNOWN, reason
        assert "iam:Example" in result.outcomes[-1].evidence


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_a_service_that_the_region_does_not_have_is_not_applicable_there(check):
    """Of a check of the whole account, one region that lacks the service hides nothing about the others."""
    fault = (Unreadable("", HOME, "iam:Example", Reason.NOT_OFFERED, "example"), ())
    result = run(check, SCOPE, Answers(dict.fromkeys(check.needs(SCOPE), fault)))
    assert result.status is (Status.NOT_APPLICABLE if check.regional else Status.UNKNOWN)


@pytest.mark.parametrize("check", [check for check in EVERY if check not in ALL], ids=lambda check: check.id)
def test_what_wants_to_know_nothing_is_attested(check):
    assert any(topic.attested for topic in check.met)


@pytest.mark.parametrize("check", EVERY, ids=lambda check: check.id)
def test_it_is_described(check):
    assert check.title.endswith(".")
    assert check.why
    assert check.remedy.text
    assert check.met or check.source, "neither a topic of the catalogue nor AWS's documentation is behind it"
    assert all(isinstance(fact, Fact) and fact.actions for fact in check.needs(SCOPE))


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_its_needs_are_those_of_its_scope(check):
    """A check of a region wants facts of that region; one of the account is the same wherever it is run."""
    here, there = set(check.needs(SCOPE)), set(check.needs(replace(SCOPE, region="eu-west-1")))
    assert (here != there) or not check.regional


@pytest.mark.parametrize("check", [one for one in ALL if one.remedy.component], ids=lambda check: check.id)
def test_its_remedy_names_a_setting_that_exists(check):
    remedy = check.remedy
    component = REGISTRY[remedy.component]
    first = (remedy.setting or "").split(".")[0]
    assert not first or first in component.settings.model_fields
