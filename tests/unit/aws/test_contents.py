"""What tainted things hold: asked of moto, and of stubs where moto lacks the call."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.resources.registry import RESOURCES

from .conftest import read_contents

REGION = "eu-central-1"
TEXT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n'
ENVIRONMENT = load_text(TEXT, name="x", shown_as="x")

pytestmark = pytest.mark.usefixtures("aws")


def client(service: str) -> Any:
    return boto3.client(service, REGION)  # type: ignore[call-overload]


def plan_of(resource: str, *, tainted: bool = True, **values: Any) -> Plan:
    entry = {
        "address": f"module.x.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["delete", "create"], "before": values, "after": values},
    }
    if tainted:
        entry["action_reason"] = "replace_because_tainted"
    attribution = Attribution(("x",), (REGION,), REGION)
    return parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)


def contents(plan: Plan) -> list[str | None]:
    return list(read_contents(plan, Inventory(AwsSession(ENVIRONMENT, {}))).values())


def test_whatever_holds_records_can_be_read():
    holding = {kind for kind, record in RESOURCES.items() if record.contents}
    assert holding == {"aws_s3_bucket", "aws_cloudwatch_log_group", "aws_guardduty_detector"}


def test_a_bucket():
    plan = plan_of("aws_s3_bucket", bucket="example-logs")
    assert contents(plan) == [None], "it is gone"
    s3 = client("s3")
    s3.create_bucket(Bucket="example-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert contents(plan) == [None]
    s3.put_bucket_versioning(Bucket="example-logs", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="example-logs", Key="AWSLogs/x", Body=b"")
    assert contents(plan) == ["the bucket has objects, such as AWSLogs/x"]
    # Its versions are still there.
    s3.delete_object(Bucket="example-logs", Key="AWSLogs/x")
    assert contents(plan) == ["the bucket has objects, such as AWSLogs/x"]


def test_a_log_group():
    plan = plan_of("aws_cloudwatch_log_group", name="/mine")
    assert contents(plan) == [None], "it is gone"
    logs = client("logs")
    logs.create_log_group(logGroupName="/mine")
    assert contents(plan) == [None]
    logs.create_log_stream(logGroupName="/mine", logStreamName="one")
    assert contents(plan) == ["the log group has streams, such as one"]


class Stubbed(AwsSession):
    """GuardDuty with one recorded answer."""

    def __init__(self, *identifiers: str) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = client("guardduty")
        stubber = Stubber(self.one)
        request = {"DetectorId": "12abc34d", "MaxResults": 1}
        stubber.add_response("list_findings", {"FindingIds": list(identifiers)}, request)
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == ("guardduty", REGION)
        return self.one


def test_a_detector():
    plan = plan_of("aws_guardduty_detector", id="12abc34d")
    assert list(read_contents(plan, Inventory(Stubbed())).values()) == [None]
    (found,) = read_contents(plan, Inventory(Stubbed("f1"))).values()
    assert found == "the detector has findings, which AWS deletes with it"
    simulated = load_text(TEXT + "simulator: moto\n", name="x", shown_as="x")
    assert list(read_contents(plan, Inventory(AwsSession(simulated, {}))).values()) == [None]


def test_only_what_is_tainted_is_asked():
    assert contents(plan_of("aws_s3_bucket", tainted=False, bucket="example-logs")) == []
    assert contents(plan_of("aws_kms_key", key_id="x")) == []
