"""What AWS does and moto does not: AWS Organizations."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import organizations

REGION = "eu-central-1"


def an_organization_trusts_iam() -> bool:
    client = boto3.client("organizations", REGION)
    client.create_organization(FeatureSet="ALL")
    try:
        client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    except client.exceptions.InvalidInputException:
        return False
    trusted = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return "iam.amazonaws.com" in [t["ServicePrincipal"] for t in trusted]


def an_organization_has_declarative_policies() -> bool:
    client = boto3.client("organizations", REGION)
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    kind = "DECLARATIVE_POLICY_EC2"
    try:
        client.enable_policy_type(RootId=root, PolicyType=kind)
        created = client.create_policy(Name="x", Type=kind, Description="", Content="{}")["Policy"]["PolicySummary"]
        listed = client.list_policies(Filter=kind)["Policies"]
    except (client.exceptions.InvalidInputException, ClientError):
        return False
    return listed == [created] and f"/{kind.lower()}/p-" in created["Arn"]


CASES: dict[str, Callable[[], bool]] = {
    "organizations-trusts-iam": an_organization_trusts_iam,
    "organizations-policy-types": an_organization_has_declarative_policies,
    "organizations-create-policy": an_organization_has_declarative_policies,
    "organizations-enable-policy-type": an_organization_has_declarative_policies,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(organizations.PATCHES, CASES, name)
