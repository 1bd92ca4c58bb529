"""Who manages what an adoption meets: asked of AWS before anything of it is proposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources import managers
from toolkit.resources.reading import Reason, UnreadableError
from toolkit.workflows.adopt import _read_existing

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="prod", shown_as="x"
)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Inventory, "simulated", False)
    with mock_aws():
        yield


def met(kind: str, **after: Any) -> Existing:
    address = f"module.x.{kind}.this"
    change = Change(address, kind, "this", Action.CREATE, "x", REGION, (), {}, after)
    found = _read_existing(Plan("1.11.4", (change,), (), 0), Inventory(AwsSession(ENVIRONMENT, {})))
    return found[address]


def topic(name: str) -> Existing:
    tags = [{"Key": "managed-by", "Value": "terraform"}] if name == "alerts" else []
    boto3.client("sns", REGION).create_topic(Name=name, Tags=tags)
    return met("aws_sns_topic", name=name)


@pytest.mark.parametrize(
    ("name", "who"), [("alerts", "terraform (tag"), ("aws-controltower-Alerts", "AWS Control Tower"), ("own", None)]
)
def test_tags_and_names_say_who_manages_it(name: str, who: str | None):
    found = topic(name)
    assert found.live is not None
    assert str(found.live.managed_by).startswith(who or "None")
    assert found.manager_unread is None


def test_an_administrator_of_another_account_manages_a_detector(monkeypatch: pytest.MonkeyPatch):
    boto3.client("guardduty", REGION).create_detector(Enable=True)
    known = managers._ADMINISTRATORS["aws_guardduty_detector"][0]
    table = {"aws_guardduty_detector": (known, lambda *_: "111122223333")}
    monkeypatch.setattr(managers, "_ADMINISTRATORS", table)
    found = met("aws_guardduty_detector", enable=True)
    assert found.live is not None
    assert found.live.managed_by == "the administrator account 111122223333"


def test_tags_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch):
    def denied(*_: Any) -> Any:
        raise UnreadableError("tag:GetResources", REGION, Reason.DENIED, "AccessDenied")

    monkeypatch.setattr(managers, "read_tags", denied)
    found = topic("own")
    assert found.live is not None
    assert found.live.managed_by is None
    assert found.manager_unread == "tag:GetResources in eu-central-1: denied (AccessDenied)"


def test_a_recorder_in_an_enrolled_account_is_not_taken_for_anyone_s(monkeypatch: pytest.MonkeyPatch):
    """Control Tower answers in the management account alone; elsewhere it denies the call."""

    def denied(_: Any, kind: str) -> Any:
        raise UnreadableError("controltower:ListEnabledBaselines", REGION, Reason.DENIED, "AccessDeniedException")

    role = "arn:aws:iam::123456789012:role/config"
    recorder = {"name": "own", "roleARN": role}
    boto3.client("config", REGION).put_configuration_recorder(ConfigurationRecorder=recorder)
    kind = "aws_config_configuration_recorder"
    assert met(kind, name="own", role_arn=role).manager_unread is None, "no role of Control Tower"
    monkeypatch.setattr(managers, "by_control_tower", denied)
    unread = met(kind, name="own", role_arn=role).manager_unread
    assert str(unread).startswith("controltower:ListEnabledBaselines in eu-central-1: denied")
