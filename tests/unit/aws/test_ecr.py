"""What a region's registry scans already, and its settings, as a create of them would meet them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.plan.model import Plan

from .conftest import ENVIRONMENT, REGION, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def scanning(scan_type: str, frequency: str) -> Plan:
    return creates("aws_ecr_registry_scanning_configuration", scan_type=scan_type, rule=[rule(frequency)])


def rule(frequency: str) -> dict[str, Any]:
    return {"scan_frequency": frequency, "repository_filter": [{"filter": "*", "filter_type": "WILDCARD"}]}


def test_what_a_registry_scans_is_found_unless_it_is_the_default_or_the_same():
    clients = AwsSession(ENVIRONMENT, {})
    assert read_existing(scanning("BASIC", "SCAN_ON_PUSH"), Inventory(clients)) == {}
    boto3.client("ecr", REGION).put_registry_scanning_configuration(
        scanType="ENHANCED",
        rules=[{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}],
    )
    (found,) = read_existing(scanning("BASIC", "SCAN_ON_PUSH"), Inventory(clients)).values()
    assert found.values == {"scan_type": "ENHANCED", "rule": [rule("CONTINUOUS_SCAN")]}
    assert (found.overwritten, found.import_id) == (True, "123456789012")
    assert read_existing(scanning("ENHANCED", "CONTINUOUS_SCAN"), Inventory(clients)) == {}


class Recorded(AwsSession):
    """The settings, which moto does not have."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client("ecr", REGION)
        stubber = Stubber(self.one)
        for name, value in values.items():
            stubber.add_response("get_account_setting", {"name": name, "value": value}, {"name": name})
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == ("ecr", REGION)
        return self.one


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("REGISTRY_POLICY_SCOPE", "V1", [{"value": "V1"}]),
        ("REGISTRY_POLICY_SCOPE", "V2", []),
        ("BASIC_SCAN_TYPE_VERSION", "CLAIR", [{"value": "CLAIR"}]),
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", []),
    ],
)
def test_a_setting_is_found_where_it_is_not_the_default(name: str, value: str, found: list[dict[str, str]]):
    default = {"BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE", "REGISTRY_POLICY_SCOPE": "V2"}
    plan = creates("aws_ecr_account_setting", name=name, value=default[name])
    existing = read_existing(plan, Inventory(Recorded({**default, name: value})))
    assert [(one.values, one.import_id) for one in existing.values()] == [(values, name) for values in found]
