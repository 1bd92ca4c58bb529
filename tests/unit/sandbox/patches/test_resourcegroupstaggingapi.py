"""What AWS does and moto does not: the Resource Groups Tagging API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from toolkit.sandbox.patches import resourcegroupstaggingapi

REGION, GLOBAL = "eu-central-1", "us-east-1"
ACCOUNT = "123456789012"
TAGS = [{"Key": "managed-by", "Value": "terraform"}]
PAIRS = {"managed-by": "terraform"}


def tagged(*arns: str, region: str = REGION) -> bool:
    """Whether the API answers the tags of each of these."""
    client = boto3.client("resourcegroupstaggingapi", region)
    found = client.get_resources(ResourceARNList=list(arns))["ResourceTagMappingList"]
    every = client.get_resources(TagFilters=[{"Key": "managed-by", "Values": ["terraform"]}])["ResourceTagMappingList"]
    others = client.get_resources(TagFilters=[{"Key": "managed-by", "Values": ["hand"]}])["ResourceTagMappingList"]
    answered = {one["ResourceARN"]: one["Tags"] for one in found}
    return answered == dict.fromkeys(arns, TAGS) and {o["ResourceARN"] for o in every} >= {*arns} and not others


def trails() -> bool:
    boto3.client("s3", GLOBAL).create_bucket(Bucket="trail")
    made = boto3.client("cloudtrail", REGION).create_trail(Name="trail", S3BucketName="trail", TagsList=TAGS)
    return tagged(made["TrailARN"])


def rules_and_aggregators_of_config() -> bool:
    client: Any = boto3.client("config", REGION)
    client.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config"}
    )
    rule = {"ConfigRuleName": "x", "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_ROOT_ACCESS_KEY_CHECK"}}
    client.put_config_rule(ConfigRule=rule, Tags=TAGS)
    made = client.put_configuration_aggregator(
        ConfigurationAggregatorName="x",
        AccountAggregationSources=[{"AccountIds": [ACCOUNT], "AllAwsRegions": True}],
        Tags=TAGS,
    )
    arn = client.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"]
    return tagged(arn, made["ConfigurationAggregator"]["ConfigurationAggregatorArn"])


def flow_logs() -> bool:
    client: Any = boto3.client("ec2", REGION)
    boto3.client("s3", GLOBAL).create_bucket(Bucket="flows")
    made = client.create_flow_logs(
        ResourceIds=[client.describe_vpcs()["Vpcs"][0]["VpcId"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flows",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": TAGS}],
    )
    return tagged(f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/{made['FlowLogIds'][0]}")


def rules_of_eventbridge() -> bool:
    client = boto3.client("events", REGION)
    made = client.put_rule(Name="x", EventPattern='{"source": ["aws.iam"]}', Tags=TAGS)
    return tagged(made["RuleArn"])


def detectors() -> bool:
    made = boto3.client("guardduty", REGION).create_detector(Enable=True, Tags=PAIRS)
    return tagged(f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/{made['DetectorId']}")


def policies_and_providers_of_iam() -> bool:
    client: Any = boto3.client("iam", GLOBAL)
    statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = client.create_policy(PolicyName="x", PolicyDocument=document, Tags=TAGS)["Policy"]["Arn"]
    provider = client.create_open_id_connect_provider(Url="https://example.com", Tags=TAGS)["OpenIDConnectProviderArn"]
    # They are answered where IAM lives alone.
    return tagged(policy, provider, region=GLOBAL) and not tagged(policy)


def units_and_policies_of_organizations() -> bool:
    client: Any = boto3.client("organizations", GLOBAL)
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    unit = client.create_organizational_unit(ParentId=root, Name="x", Tags=TAGS)["OrganizationalUnit"]["Arn"]
    content = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    policy = client.create_policy(Name="x", Type="SERVICE_CONTROL_POLICY", Description="", Content=content, Tags=TAGS)[
        "Policy"
    ]["PolicySummary"]["Arn"]
    return tagged(unit, policy, region=GLOBAL)


def schedule_groups() -> bool:
    made = boto3.client("scheduler", REGION).create_schedule_group(Name="x", Tags=TAGS)
    return tagged(made["ScheduleGroupArn"])


def a_list_of_arns_has_one_page() -> bool:
    client = boto3.client("sns", REGION)
    arns = [client.create_topic(Name=f"t{n}", Tags=TAGS)["TopicArn"] for n in range(100)]
    answer = boto3.client("resourcegroupstaggingapi", REGION).get_resources(ResourceARNList=arns)
    found = {one["ResourceARN"] for one in answer["ResourceTagMappingList"]}
    pages = boto3.client("resourcegroupstaggingapi", REGION).get_resources(ResourcesPerPage=10)
    return found == {*arns} and not answer.get("PaginationToken") and len(pages["ResourceTagMappingList"]) == 10


CASES: dict[str, Callable[[], bool]] = {
    "resourcegroupstaggingapi-cloudtrail": trails,
    "resourcegroupstaggingapi-config": rules_and_aggregators_of_config,
    "resourcegroupstaggingapi-ec2": flow_logs,
    "resourcegroupstaggingapi-events": rules_of_eventbridge,
    "resourcegroupstaggingapi-guardduty": detectors,
    "resourcegroupstaggingapi-iam": policies_and_providers_of_iam,
    "resourcegroupstaggingapi-organizations": units_and_policies_of_organizations,
    "resourcegroupstaggingapi-scheduler": schedule_groups,
    "resourcegroupstaggingapi-whole": a_list_of_arns_has_one_page,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(resourcegroupstaggingapi.PATCHES, CASES, name)
