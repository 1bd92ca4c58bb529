from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from toolkit.aws import gather
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.findings import Finding
from toolkit.plan import existing as module
from toolkit.plan.facts import Wanted
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

REGION = "eu-central-1"
BUCKET = "example-logs"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty account in this very process, for tests that ask moto."""
    with mock_aws():
        yield


@pytest.fixture
def clients() -> AwsSession:
    return AwsSession(ENVIRONMENT, {})


def client(service: str) -> Any:
    return boto3.client(service, REGION)  # type: ignore[call-overload]


class Stubbed(AwsSession):
    """What moto lacks: one service and its recorded answers, in the order of the calls; a text is an error's code."""

    def __init__(self, service: str, *answers: tuple[str, dict[str, Any] | str]) -> None:
        super().__init__(ENVIRONMENT, {})
        # Some are made where tests are collected, where moto has set no credentials.
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
        self.one = boto3.client(service, REGION, **keys)  # type: ignore[call-overload]
        self.stubber = Stubber(self.one)
        for method, answer in answers:
            if isinstance(answer, str):
                self.stubber.add_client_error(method, answer)
            else:
                self.stubber.add_response(method, answer)
        self.stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == (self.one.meta.service_model.service_name, REGION)
        return self.one


def plan_of(
    component: str,
    resource: str,
    values: dict[str, Any],
    unknown: dict[str, Any] | None = None,
    *,
    imports: tuple[str, dict[str, Any]] | None = None,
) -> Plan:
    """A plan of one create, and of the import of what it stands beside."""
    entry = {
        "address": f"module.{component}.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values, "after_unknown": unknown or {}},
    }
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    entries = [entry]
    if imports:
        kind, same = imports
        change = {"actions": ["no-op"], "before": same, "after": same, "importing": {"id": "x"}}
        owner = f"module.{component}.{kind}.this"
        entries.append({"address": owner, "mode": "managed", "type": kind, "name": "this", "change": change})
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


def creates(resource: str, **values: Any) -> Plan:
    """A plan of one create, where it does not matter whose."""
    return plan_of("x", resource, values)


T = TypeVar("T")


def read(wanted: Wanted[T], session: AwsSession) -> T:
    """The answer to one question of a guard."""
    return gather.gather([wanted], Inventory(session))[wanted]


def read_existing(plan: Plan, inventory: Inventory) -> dict[str, Existing]:
    """What the guards are told of what the account has already."""
    simulated = inventory.simulated
    facts = gather.gather(module.existing_wanted(plan, simulated=simulated), inventory)
    return module.existing(plan, facts, simulated=simulated)


def read_contents(plan: Plan, inventory: Inventory) -> dict[str, str | None]:
    """What they are told of what tainted resources hold."""
    return module.contents(plan, gather.gather(module.contents_wanted(plan), inventory))


def existing(plan: Plan, clients: AwsSession | None = None) -> Existing | None:
    """What is there already of the one create of a plan."""
    return next(iter(read_existing(plan, Inventory(clients or AwsSession(ENVIRONMENT, {}))).values()), None)


def judged(plan: Plan, clients: AwsSession | None = None) -> list[Finding]:
    return list(judge(plan, REGISTRY, read_existing(plan, Inventory(clients or AwsSession(ENVIRONMENT, {})))))


def read_and_judged(resource: str, clients: AwsSession, **values: Any) -> tuple[Existing | None, list[Finding]]:
    """Both, of the settings for an organization's accounts, from one reading."""
    plan = plan_of("member_security_eu_central_1", resource, values)
    found = read_existing(plan, Inventory(clients))
    return next(iter(found.values()), None), list(judge(plan, REGISTRY, found))


def statement(effect: str, action: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{BUCKET}/*"
    return {"Sid": f"{effect}It", "Effect": effect, "Principal": "*", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allows(*actions: str, effect: str = "Allow") -> str:
    return policy({"Sid": "It", "Effect": effect, "Action": list(actions), "Resource": "*"})


def bucket(**arguments: Any) -> Any:
    s3 = client("s3")
    location = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location, **arguments)
    return s3


def make_recorder(name: str = "mine") -> Any:
    config = client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": name, "roleARN": "arn:aws:iam::123456789012:role/x"}
    )
    return config


def make_channel() -> None:
    make_recorder()
    bucket()
    client("config").put_delivery_channel(DeliveryChannel={"name": "mine", "s3BucketName": BUCKET})


def make_alarm() -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="mine", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", ActionsEnabled=True,
    )  # fmt: skip


def default_vpc() -> str:
    return str(client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"])


Agreement = Callable[[AwsSession, str, Mapping[str, Any]], None]


@pytest.fixture
def list_and_search_agree() -> Agreement:
    """That a list and a search find the same resource, with all that can get weaker, by the actions of its record."""

    def check(clients: AwsSession, resource: str, planned: Mapping[str, Any]) -> None:
        record = RESOURCES[resource]
        reading = record.reading
        assert reading is not None
        inventory, region = Inventory(clients), clients.home_region
        found = inventory.find(resource, region, planned)
        assert isinstance(found, Live), found
        assert set(found.key) == set(record.key)
        listed = [
            one for one in inventory.every([resource], [region]) if isinstance(one, Live) and one.key == found.key
        ]
        assert [(one.called, one.import_id) for one in listed] == [(found.called, found.import_id)]
        # A search may leave out what only a list of everything tells; the values that it has are the same.
        assert {k: v for k, v in found.values.items() if listed[0].values.get(k) != v and v is not None} == {}
        unread = {name for names in reading.unread.values() for name in names.split()}
        assert {strength.top for strength in record.strengths} - unread <= set(listed[0].values)
        asked = {call.action for one in (found, *listed) for call in one.evidence}
        assert asked <= set(reading.actions), "IAM actions that the record does not declare"

    return check
