"""Every topic for alerts admits the alarms of its component and has the subscribers of the settings.

On recorded plans: what a component gives `modules/shared/alert_topic` cannot be seen in the component's own tests.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.audit.alerts import Alerts
from toolkit.resources.reading import Live

PLANS = Path(__file__).parents[1] / "plans" / "components"
TOPICS = [
    ("alarms", "module.activity_alarms", "activity_alarms", "subscribers"),
    ("core", "module.guardduty_notifications", "guardduty", "notifications"),
    ("trusted_advisor", "module.trusted_advisor_us_east_1", "trusted_advisor", "subscribers"),
]


def planned(file: str, call: str, resource: str) -> list[dict[str, Any]]:
    """What the module call creates of this type."""
    changes = json.loads((PLANS / f"{file}.json").read_text("utf-8"))["resource_changes"]
    return [e["change"]["after"] for e in changes if e["type"] == resource and e["address"].startswith(f"{call}.")]


def publishing(file: str, call: str) -> dict[str, Any]:
    """The one statement that lets CloudWatch publish."""
    (policy,) = planned(file, call, "aws_sns_topic_policy")
    (found,) = [
        s
        for s in json.loads(policy["policy"])["Statement"]
        if s["Effect"] == "Allow" and s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    return dict(found)


@pytest.mark.parametrize(("file", "call", "component", "key"), TOPICS, ids=[call for _, call, *_ in TOPICS])
def test_the_topic_admits_each_alarm_of_its_component_and_no_other(file: str, call: str, component: str, key: str):
    condition = publishing(file, call)["Condition"]
    (pattern,) = [value["aws:SourceArn"] for value in condition.values() if "aws:SourceArn" in value]
    alarms = [alarm["alarm_name"] for alarm in planned(file, call, "aws_cloudwatch_metric_alarm")]
    assert alarms
    prefix, _, admitted = pattern.rpartition(":alarm:")
    assert prefix.startswith("arn:aws:cloudwatch:") and prefix.endswith(":123456789012")
    assert all(fnmatchcase(name, admitted) for name in alarms)
    assert not fnmatchcase("another-alarm", admitted)
    # ArnEquals and ArnLike behave identically (IAM User Guide, "IAM JSON policy elements: Condition operators").
    assert ("ArnLike" in condition) == ("*" in admitted)


@pytest.mark.parametrize(("file", "call", "component", "key"), TOPICS, ids=[call for _, call, *_ in TOPICS])
def test_each_address_of_the_settings_is_subscribed(file: str, call: str, component: str, key: str):
    settings = yaml.safe_load((PLANS / f"{file}.yaml").read_text("utf-8"))["components"][component][key]
    wanted = {("email", a) for a in settings.get("email_addresses", [])}
    wanted |= {("https", e) for e in settings.get("https_endpoints", [])}
    found = {(s["protocol"], s["endpoint"]) for s in planned(file, call, "aws_sns_topic_subscription")}
    assert wanted
    assert found == wanted


@pytest.mark.parametrize(("file", "call", "component", "key"), TOPICS, ids=[call for _, call, *_ in TOPICS])
def test_the_topic_has_its_name_everywhere(file: str, call: str, component: str, key: str):
    (topic,) = planned(file, call, "aws_sns_topic")
    (policy,) = planned(file, call, "aws_sns_topic_policy")
    (alias,) = planned(file, call, "aws_kms_alias")
    (encrypting,) = [k for k in planned(file, call, "aws_kms_key") if "PublishersOfTheTopic" in k["policy"]]
    arn = f":123456789012:{topic['name']}"
    assert alias["name"] == f"alias/{topic['name']}"
    assert all(s["Resource"].endswith(arn) for s in json.loads(policy["policy"])["Statement"])
    (statement,) = [s for s in json.loads(encrypting["policy"])["Statement"] if s["Sid"] == "PublishersOfTheTopic"]
    assert statement["Condition"]["StringEquals"]["kms:EncryptionContext:aws:sns:topicArn"].endswith(arn)


@pytest.mark.parametrize(("file", "call", "component", "key"), TOPICS, ids=[call for _, call, *_ in TOPICS])
def test_the_audit_follows_each_alarm_to_a_subscriber(file: str, call: str, component: str, key: str):
    """Through the policies of the topic and of its key, once a subscriber has confirmed."""
    (policy,) = planned(file, call, "aws_sns_topic_policy")
    (encrypting,) = [k for k in planned(file, call, "aws_kms_key") if "PublishersOfTheTopic" in k["policy"]]
    arn = str(publishing(file, call)["Resource"])
    region, account = arn.split(":")[3:5]
    values = {
        "arn": arn,
        "confirmed": 1,
        "filtered": 0,
        "policy": policy["policy"],
        "key": f"arn:aws:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "key_state": "Enabled",
        "key_policy": encrypting["policy"],
    }
    alerts = Alerts((), (Live({"arn": arn}, values, "the topic", None, arn),))
    for planned_alarm in planned(file, call, "aws_cloudwatch_metric_alarm"):
        name = planned_alarm["alarm_name"]
        values = {"actions_enabled": True, "alarm_actions": [arn]}
        alarm = Live({"alarm_name": name}, values, f"the alarm {name!r}", None, region=region)
        assert alerts.notified(alarm).problem == ""
        other = Live({"alarm_name": "another-alarm"}, values, "another alarm", None, region=region)
        assert "does not let CloudWatch use sns:Publish" in alerts.notified(other).problem
