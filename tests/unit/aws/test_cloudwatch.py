"""An alarm that a create would overwrite: asked of moto."""

from __future__ import annotations

import boto3
import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.owners import managers_of
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, parse_plan
from toolkit.resources.reading import Live

from .conftest import REGION, make_alarm, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_an_alarm_that_wants_fewer_events_is_not_overwritten_unasked(clients: AwsSession):
    make_alarm()
    attribution = Attribution(("activity_alarms",), (REGION,), REGION)
    entry = {
        "address": 'module.activity_alarms.aws_cloudwatch_metric_alarm.monitor["root_use"]',
        "mode": "managed",
        "type": "aws_cloudwatch_metric_alarm",
        "name": "monitor",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": {
                "alarm_name": "mine",
                "namespace": "n",
                "metric_name": "m",
                "statistic": "Sum",
                "period": 60,
                "evaluation_periods": 1,
                "comparison_operator": "GreaterThanOrEqualToThreshold",
                "treat_missing_data": "notBreaching",
                "threshold": 5,
                "actions_enabled": True,
            },
        },
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
    weakens, _note = judge(plan, REGISTRY, read_existing(plan, Inventory(clients)))
    assert (weakens.attribute, weakens.blocks) == ("threshold", True)


def test_a_log_group_has_the_arn_that_tags_are_read_with(clients: AwsSession):
    boto3.client("logs", REGION).create_log_group(logGroupName="/mine", tags={"managed-by": "terraform"})
    (group,) = Inventory(clients).every(["aws_cloudwatch_log_group"], [REGION])
    assert isinstance(group, Live)
    assert group.arn is not None
    assert group.arn.endswith(":log-group:/mine")
    assert managers_of([group], Inventory(clients))[0].who == "terraform (tag managed-by=terraform)"
