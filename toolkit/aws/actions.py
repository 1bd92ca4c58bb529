"""Which IAM action a call of boto3 needs.

Source: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.resources.reading import camel_case

_PREFIXES: Mapping[str, str] = {
    "accessanalyzer": "access-analyzer",
    "apigatewayv2": "apigateway",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sso-admin": "sso",
}
"""Name of boto3's client → prefix of its actions, where they differ."""

_ACTIONS: Mapping[tuple[str, str], str] = {
    ("apigateway", "get_rest_apis"): "GET",
    ("apigateway", "get_stages"): "GET",
    ("apigatewayv2", "get_apis"): "GET",
    ("apigatewayv2", "get_stages"): "GET",
    ("budgets", "describe_budget"): "ViewBudget",
    ("budgets", "describe_budgets"): "ViewBudget",
    ("s3", "get_bucket_encryption"): "GetEncryptionConfiguration",
    ("s3", "get_bucket_lifecycle_configuration"): "GetLifecycleConfiguration",
    ("s3", "get_object_lock_configuration"): "GetBucketObjectLockConfiguration",
    ("s3", "get_public_access_block"): "GetBucketPublicAccessBlock",
    ("s3", "list_buckets"): "ListAllMyBuckets",
    ("s3", "list_object_versions"): "ListBucketVersions",
    ("s3control", "get_public_access_block"): "GetAccountPublicAccessBlock",
}
"""(client, method) → action, where it is not named after the API's operation."""


def action_of(client: Any, service: str, operation: str) -> str:
    """The action, such as "iam:GetAccountPasswordPolicy".

    Args:
        client: boto3's client of the service, which knows how the API spells the operation.
        service: Name of the client.
        operation: Method of it.
    """
    named = _ACTIONS.get((service, operation))
    if named is None:
        named = getattr(client, "meta", None) and client.meta.method_to_api_mapping.get(operation)
    if not isinstance(named, str):
        named = camel_case(operation)
    return f"{_PREFIXES.get(service, service)}:{named}"
