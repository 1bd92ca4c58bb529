"""Analyzers and archive rules that a create would meet: asked of stubs, since moto lacks them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text

from .conftest import Stubbed, creates, existing, plan_of, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_an_analyzer_of_the_same_name_collides():
    analyzer = {
        "arn": "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/mine",
        "name": "mine",
        "type": "ACCOUNT",
        "createdAt": datetime(2026, 1, 1, tzinfo=UTC),
        "status": "ACTIVE",
    }
    answer = ("list_analyzers", {"analyzers": [analyzer]})
    plan = creates("aws_accessanalyzer_analyzer", analyzer_name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("accessanalyzer", answer))).values()
    assert (found.overwritten, found.import_id) == (False, "mine")
    other = creates("aws_accessanalyzer_analyzer", analyzer_name="other")
    assert read_existing(other, Inventory(Stubbed("accessanalyzer", answer))) == {}


def test_the_embedded_aws_is_not_asked_about_the_analyzers_that_it_lacks():
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1}\nsimulator: moto\ncomponents: {}\n'
    clients = AwsSession(load_text(text, name="x", shown_as="x"), {})
    assert read_existing(creates("aws_accessanalyzer_analyzer", analyzer_name="mine"), Inventory(clients)) == {}


def test_an_archive_rule_of_the_same_name_collides():
    plan = plan_of("access_analyzer", "aws_accessanalyzer_archive_rule", {"analyzer_name": "a", "rule_name": "mine"})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rule = {"ruleName": "mine", "filter": {}, "createdAt": now, "updatedAt": now}
    found = existing(plan, Stubbed("accessanalyzer", ("get_archive_rule", {"archiveRule": rule})))
    assert found is not None
    assert (found.overwritten, found.import_id) == (False, "a/mine")
    absent = Stubbed("accessanalyzer", ("get_archive_rule", "ResourceNotFoundException"))
    assert existing(plan, absent) is None
