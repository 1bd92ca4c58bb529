"""CloudWatch Logs, corrected."""

from __future__ import annotations

from typing import Any

from moto.logs.metric_filters import MetricFilters

from toolkit.sandbox.patches.base import Method, Patch


def _put_metric_filter(original: Method) -> Method:
    def add_filter(
        self: MetricFilters, filter_name: str, filter_pattern: str, log_group_name: str, metric_transformations: Any
    ) -> None:
        self.delete_filter(filter_name, log_group_name)
        original(self, filter_name, filter_pattern, log_group_name, metric_transformations)

    return add_filter


PATCHES = (
    Patch(
        name="logs-metric-filter-update",
        owner=MetricFilters,
        method="add_filter",
        reason="moto adds a second filter of the same name and answers the first, so an update is planned again. "
        "CloudWatch Logs API, PutMetricFilter: creates or updates a metric filter.",
        correct=_put_metric_filter,
    ),
)
