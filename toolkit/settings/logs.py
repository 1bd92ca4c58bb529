"""Log groups of CloudWatch Logs."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_LOG_GROUP_NAME = re.compile(r"[A-Za-z0-9_./#-]{1,512}")
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The retentions, in days, that CloudWatch Logs knows (API PutRetentionPolicy)."""


def _log_group_name(value: str) -> str:
    """A name of a CloudWatch log group (API CreateLogGroup)."""
    if not _LOG_GROUP_NAME.fullmatch(value):
        raise ValueError("expected 1 to 512 letters, digits and the characters _ . / # -")
    return value


def _retention_days(value: int) -> int:
    """A retention that CloudWatch Logs knows."""
    if value not in RETENTION_DAYS:
        raise ValueError(f"expected one of {', '.join(map(str, RETENTION_DAYS))}")
    return value


LogGroupName = Annotated[str, AfterValidator(_log_group_name)]
RetentionDays = Annotated[int, AfterValidator(_retention_days)]
