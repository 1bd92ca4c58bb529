"""What controls.yaml claims of a plan, asked of an account: the same values, in both directions, for every claim."""

from __future__ import annotations

import pytest

from toolkit.audit.claims import claim_checks, type_of
from toolkit.audit.facts import Every
from toolkit.controls.catalogue import Claim, topics
from toolkit.findings import Status
from toolkit.resources.price import Price
from toolkit.resources.registry import RESOURCES

from .conftest import HOME, Ask
from .recorded_claims import CHECKS, OWN, account, empty


@pytest.mark.parametrize("check", CHECKS)
def test_an_account_without_any_fails(ask: Ask, check: str):
    assert ask(check, empty(check)).status is Status.FAIL


@pytest.mark.parametrize(("check", "component"), [(check, c) for check in CHECKS for c in OWN[check]])
def test_an_account_as_one_component_makes_it_passes(ask: Ask, check: str, component: str):
    assert ask(check, {**empty(check), **account(OWN[check][component])}).status is Status.PASS


VALUES = [
    (check, claim) for check in CHECKS for own in OWN[check].values() for claim in own if claim.attribute is not None
]


@pytest.mark.parametrize(("check", "claim"), VALUES, ids=lambda one: one.attribute if isinstance(one, Claim) else one)
def test_one_value_that_is_not_as_expected_fails_and_is_named(ask: Ask, check: str, claim: Claim):
    own = next(own for own in OWN[check].values() if claim in own)
    result = ask(check, {**empty(check), **account(own, wrong=claim)})
    assert result.status is Status.FAIL
    said = next(one for one in result.outcomes if one.status is Status.FAIL).evidence
    assert claim.attribute is not None
    assert claim.attribute in said
    assert claim.expectation in said


@pytest.mark.parametrize(("check", "claim"), VALUES, ids=lambda one: one.attribute if isinstance(one, Claim) else one)
def test_a_value_that_is_not_read_is_unknown(ask: Ask, check: str, claim: Claim):
    own = next(own for own in OWN[check].values() if claim in own)
    answers = account(own)
    (live,) = answers[Every(type_of(claim), HOME)]
    assert claim.attribute is not None
    del live.values[claim.attribute.split(".")[0]]  # type: ignore[attr-defined]
    assert ask(check, {**empty(check), **answers}).status is Status.UNKNOWN


def test_a_claim_that_any_resource_of_the_type_would_meet_is_not_asked():
    """Any alarm with actions is no alarm on root."""
    assert "cloudwatch_log_metric_filter_root_usage" not in CHECKS
    assert "kms_cmk_rotation_enabled" not in CHECKS


@pytest.mark.parametrize("check", CHECKS)
def test_it_says_what_passes_why_and_how_in_words_of_its_own(check: str):
    (topic,) = [one for one in topics() if one.name == check]
    (found,) = [one for one in claim_checks() if one.id == check]
    assert found.title == topic.title
    assert found.why.endswith("."), "texts.json has no `why` for a topic that is checked by a claim"


def test_a_remedy_that_bills_says_so():
    remedies = {one.id: one.remedy.text for one in claim_checks()}
    price = RESOURCES["aws_securityhub_account"].price
    assert isinstance(price, Price)
    assert price.basis in remedies["securityhub_enabled"]
    # Analyzers of external access are free, those of unused access are not.
    assert "Cost" not in remedies["accessanalyzer_enabled"]
