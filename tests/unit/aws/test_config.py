"""What AWS Config has already, and what a create would change of it: asked of moto."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession

from .conftest import (
    BUCKET,
    bucket,
    client,
    creates,
    existing,
    judged,
    make_channel,
    make_recorder,
    plan_of,
    read_existing,
)

pytestmark = pytest.mark.usefixtures("aws")


def test_a_recorder_of_another_name_collides(clients: AwsSession):
    make_recorder()
    (found,) = read_existing(creates("aws_config_configuration_recorder", name="default"), Inventory(clients)).values()
    assert not found.overwritten


@pytest.mark.parametrize(
    ("resource", "make"),
    [("aws_config_configuration_recorder", make_recorder), ("aws_config_delivery_channel", make_channel)],
)
def test_a_recorder_or_channel_collides_also_where_the_planned_name_is_not_known(
    resource: str, make: Callable[[], Any], clients: AwsSession
):
    make()
    (found,) = read_existing(creates(resource), Inventory(clients)).values()
    assert not found.overwritten


def test_a_recorder_that_records_is_not_stopped_unseen():
    config = make_recorder("default")
    bucket()
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": BUCKET})
    stops = plan_of("config", "aws_config_configuration_recorder_status", {"name": "default", "is_enabled": False})
    assert existing(stops) is None, "it does not record yet"
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    weakens, _note = judged(stops)
    assert (weakens.attribute, weakens.evidence, weakens.blocks) == ("is_enabled", "true → false", True)
    starts = plan_of("config", "aws_config_configuration_recorder_status", {"name": "default", "is_enabled": True})
    assert existing(starts) is None


def test_a_config_rule_of_the_same_name():
    source = {"source": [{"owner": "AWS", "source_identifier": "IAM_PASSWORD_POLICY"}]}
    parameters = json.dumps({"MinimumPasswordLength": "14"})
    plan = plan_of("config", "aws_config_config_rule", {"name": "mine", "input_parameters": parameters, **source})
    assert existing(plan) is None
    make_recorder("default").put_config_rule(
        ConfigRule={
            "ConfigRuleName": "mine",
            "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"},
            "Scope": {"ComplianceResourceTypes": ["AWS::IAM::User"]},
            "InputParameters": json.dumps({"MinimumPasswordLength": "20"}),
        }
    )
    found = existing(plan)
    assert found is not None
    assert (found.overwritten, found.import_id) == (True, "mine")
    assert found.values["source"] == source["source"]
    assert json.loads(found.values["input_parameters"]) == {"MinimumPasswordLength": "20"}
    assert found.values["scope"][0]["compliance_resource_types"] == ["AWS::IAM::User"]


def test_an_aggregator_of_the_same_name():
    values = {"name": "mine", "account_aggregation_source": [{"account_ids": ["123456789012"], "all_regions": True}]}
    plan = plan_of("config", "aws_config_configuration_aggregator", values)
    assert existing(plan) is None
    accounts = ["111122223333", "123456789012"]
    client("config").put_configuration_aggregator(
        ConfigurationAggregatorName="mine",
        AccountAggregationSources=[{"AccountIds": accounts, "AllAwsRegions": True}],
    )
    weakens, note = judged(plan)
    assert (weakens.attribute, weakens.blocks) == ("account_aggregation_source[0].account_ids", True)
    assert "the configuration aggregator 'mine'" in note.summary
    assert '"111122223333" → "123456789012"' in note.evidence
