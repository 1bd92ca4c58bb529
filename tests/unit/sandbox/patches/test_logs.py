"""What AWS does and moto does not: CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import logs

REGION = "eu-central-1"


def metric_filters_are_updated() -> bool:
    client = boto3.client("logs", REGION)
    client.create_log_group(logGroupName="trail")
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for pattern in ("{ $.a = 1 }", "{ $.a = 2 }"):
        client.put_metric_filter(
            logGroupName="trail", filterName="f", filterPattern=pattern, metricTransformations=[metric]
        )
    return [f["filterPattern"] for f in client.describe_metric_filters()["metricFilters"]] == ["{ $.a = 2 }"]


KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def groups_get_a_key() -> bool:
    client = boto3.client("logs", REGION)
    client.create_log_group(logGroupName="trail")
    client.associate_kms_key(logGroupName="trail", kmsKeyId=KEY)
    return bool(client.describe_log_groups()["logGroups"][0].get("kmsKeyId") == KEY)


def groups_lose_their_key() -> bool:
    client = boto3.client("logs", REGION)
    client.create_log_group(logGroupName="trail", kmsKeyId=KEY)
    client.disassociate_kms_key(logGroupName="trail")
    return "kmsKeyId" not in client.describe_log_groups()["logGroups"][0]


CASES: dict[str, Callable[[], bool]] = {
    "logs-associate-key": groups_get_a_key,
    "logs-disassociate-key": groups_lose_their_key,
    "logs-metric-filter-update": metric_filters_are_updated,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(logs.PATCHES, CASES, name)
