"""CloudWatch Logs, corrected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.metric_filters import MetricFilters
from moto.logs.responses import LogsResponse

from toolkit.sandbox.patches.base import Method, Patch


def _put_metric_filter(original: Method) -> Method:
    def add_filter(
        self: MetricFilters, filter_name: str, filter_pattern: str, log_group_name: str, metric_transformations: Any
    ) -> None:
        self.delete_filter(filter_name, log_group_name)
        original(self, filter_name, filter_pattern, log_group_name, metric_transformations)

    return add_filter


def _key(given: bool) -> Callable[[Method], Method]:
    def correct(_: Method) -> Method:
        def change_key(self: LogsResponse) -> str:
            name = self._get_param("logGroupName")
            if name not in self.logs_backend.groups:
                raise ResourceNotFoundException()
            self.logs_backend.groups[name].kms_key_id = self._get_param("kmsKeyId") if given else None
            return "{}"

        return change_key

    return correct


_KEYS = (
    "moto has no such call and answers 404, which Terraform's provider repeats for minutes. CloudWatch Logs API, "
    "AssociateKmsKey and DisassociateKmsKey: gives an existing log group another key, or none."
)

PATCHES = (
    Patch("logs-associate-key", LogsResponse, "associate_kms_key", _KEYS, _key(True)),
    Patch("logs-disassociate-key", LogsResponse, "disassociate_kms_key", _KEYS, _key(False)),
    Patch(
        name="logs-metric-filter-update",
        owner=MetricFilters,
        method="add_filter",
        reason="moto adds a second filter of the same name and answers the first, so an update is planned again. "
        "CloudWatch Logs API, PutMetricFilter: creates or updates a metric filter.",
        correct=_put_metric_filter,
    ),
)
