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


CASES: dict[str, Callable[[], bool]] = {
    "logs-metric-filter-update": metric_filters_are_updated,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(logs.PATCHES, CASES, name)
