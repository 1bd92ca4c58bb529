"""A rule and its targets that a create would overwrite: asked of moto."""

from __future__ import annotations

import pytest

from .conftest import client, existing, judged, plan_of

pytestmark = pytest.mark.usefixtures("aws")


def test_a_rule_and_a_target_of_the_same_names():
    events = client("events")
    rule = plan_of("guardduty", "aws_cloudwatch_event_rule", {"name": "mine", "event_pattern": '{"source": ["y"]}'})
    values = {"rule": "mine", "target_id": "topic", "arn": "arn:aws:sns:eu-central-1:123456789012:ours"}
    target = plan_of("siem_export", "aws_cloudwatch_event_target", values)
    assert existing(rule) is None
    assert existing(target) is None
    events.put_rule(Name="mine", EventPattern='{"source": ["x"]}')
    assert existing(target) is None
    theirs = "arn:aws:sns:eu-central-1:123456789012:theirs"
    events.put_targets(Rule="mine", Targets=[{"Id": "topic", "Arn": theirs}])
    found = existing(rule)
    assert found is not None
    assert found.values["event_pattern"] == '{"source": ["x"]}'
    weakens, note = judged(target)
    assert (weakens.attribute, weakens.blocks) == ("arn", True)
    assert "'mine/topic' under `imports`" in note.remedy
    other = plan_of("siem_export", "aws_cloudwatch_event_target", {**values, "target_id": "other"})
    assert existing(other) is None
