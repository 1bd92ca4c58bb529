"""Lists of what moto lacks, from answers in the shape that AWS documents: every resource, with its values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.session import ClientFactory
from toolkit.environment import load_text

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
DAY = datetime(2026, 1, 1, tzinfo=UTC)
DETECTOR = ("list_detectors", {"DetectorIds": ["12abc34d"]})
POLICY_ID = "a1b2c3d4-5678-90ab-cdef-111111111111"
POLICY = {"Id": POLICY_ID, "Name": "members", "ServiceEnabled": True, "UpdatedAt": DAY}
GRAPH = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
AGGREGATOR = "arn:aws:securityhub:eu-central-1:123456789012:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"
ANALYZER = {
    "arn": "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/mine", "name": "mine", "type": "ACCOUNT",
    "createdAt": DAY, "status": "ACTIVE",
}  # fmt: skip
RULE = {"ruleName": "known", "filter": {"isPublic": {"eq": ["false"]}}, "createdAt": DAY, "updatedAt": DAY}

Answer = tuple[str, dict[str, Any]]
CASES: dict[str, tuple[str, dict[str, str], list[Answer]]] = {
    # type: (service, key of one, answers in the order in which a search and then a list asks for them)
    "aws_guardduty_publishing_destination": (
        "guardduty", {"destination_type": "S3"}, [
            DETECTOR,
            ("list_publishing_destinations",
             {"Destinations": [{"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING"}]}),
            ("describe_publishing_destination",
             {"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING",
              "PublishingFailureStartTimestamp": 0,
              "DestinationProperties": {"DestinationArn": "arn:aws:s3:::example", "KmsKeyArn": "arn:aws:kms:x"}}),
        ],
    ),
    "aws_guardduty_organization_configuration_feature": (
        "guardduty", {"name": "S3_DATA_EVENTS"}, [
            DETECTOR,
            ("describe_organization_configuration",
             {"MemberAccountLimitReached": False, "AutoEnableOrganizationMembers": "ALL",
              "Features": [{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]}),
        ],
    ),
    "aws_guardduty_organization_admin_account": (
        "guardduty", {}, [
            ("list_organization_admin_accounts", {"AdminAccounts": [{"AdminAccountId": "111122223333"}]}),
        ],
    ),
    "aws_accessanalyzer_analyzer": (
        "accessanalyzer", {"analyzer_name": "mine"}, [("list_analyzers", {"analyzers": [ANALYZER]})],
    ),
    "aws_accessanalyzer_archive_rule": (
        "accessanalyzer", {"analyzer_name": "mine", "rule_name": "known"}, [
            ("get_archive_rule", {"archiveRule": RULE}),
            ("list_analyzers", {"analyzers": [ANALYZER]}),
            ("list_archive_rules", {"archiveRules": [RULE]}),
        ],
    ),
    "aws_securityhub_finding_aggregator": (
        "securityhub", {}, [
            ("list_finding_aggregators", {"FindingAggregators": [{"FindingAggregatorArn": AGGREGATOR}]}),
            ("get_finding_aggregator", {"FindingAggregatorArn": AGGREGATOR, "RegionLinkingMode": "ALL_REGIONS"}),
        ],
    ),
    "aws_securityhub_organization_admin_account": (
        "securityhub", {}, [("list_organization_admin_accounts", {"AdminAccounts": [{"AccountId": "111122223333"}]})],
    ),
    "aws_securityhub_organization_configuration": (
        "securityhub", {}, [
            ("describe_organization_configuration", {"AutoEnable": True, "MemberAccountLimitReached": False}),
        ],
    ),
    "aws_securityhub_configuration_policy": (
        "securityhub", {"name": "members"}, [
            ("list_configuration_policies", {"ConfigurationPolicySummaries": [POLICY]}),
            ("get_configuration_policy",
             {"Id": POLICY_ID, "Name": "members",
              "ConfigurationPolicy": {"SecurityHub": {
                  "ServiceEnabled": True, "EnabledStandardIdentifiers": ["arn:aws:securityhub:::standards/x"],
                  "SecurityControlsConfiguration": {"DisabledSecurityControlIdentifiers": ["IAM.6"]},
              }}}),
        ],
    ),
    "aws_securityhub_configuration_policy_association": (
        "securityhub", {"target_id": "r-ab12"}, [
            ("get_configuration_policy_association",
             {"ConfigurationPolicyId": POLICY_ID, "TargetId": "r-ab12", "AssociationType": "APPLIED"}),
            ("list_configuration_policy_associations",
             {"ConfigurationPolicyAssociationSummaries": [
                 {"ConfigurationPolicyId": POLICY_ID, "TargetId": "r-ab12", "AssociationType": "APPLIED"}]}),
        ],
    ),
    "aws_macie2_account": (
        "macie2", {}, [("get_macie_session", {"status": "ENABLED", "findingPublishingFrequency": "ONE_HOUR"})],
    ),
    "aws_macie2_classification_export_configuration": (
        "macie2", {}, [
            ("get_classification_export_configuration",
             {"configuration": {"s3Destination": {"bucketName": "example", "kmsKeyArn": "arn:aws:kms:x"}}}),
        ],
    ),
    "aws_detective_graph": ("detective", {}, [("list_graphs", {"GraphList": [{"Arn": GRAPH}]})]),
    "aws_detective_organization_configuration": (
        "detective", {"graph_arn": GRAPH}, [
            ("describe_organization_configuration", {"AutoEnable": True}),
            ("list_graphs", {"GraphList": [{"Arn": GRAPH}]}),
        ],
    ),
}  # fmt: skip


class Recorded(ClientFactory):
    """One service with recorded answers."""

    def __init__(self, service: str, answers: list[Answer]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client(service, REGION, **KEYS)  # type: ignore[call-overload]
        self.stubber = Stubber(self.one)
        for method, answer in answers:
            self.stubber.add_response(method, answer)
        self.stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert service == self.one.meta.service_model.service_name
        return self.one


@pytest.mark.parametrize("resource", CASES)
def test_a_list_and_a_search_find_the_same(resource: str, list_and_search_agree: Callable[..., None]):
    service, key, answers = CASES[resource]
    clients = Recorded(service, answers)
    list_and_search_agree(clients, resource, key)
    clients.stubber.assert_no_pending_responses()
