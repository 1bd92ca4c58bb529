"""Amazon Inspector."""

from __future__ import annotations

from toolkit.resources.base import ResourceType, Stronger, each

TYPES = (
    ResourceType(
        "aws_inspector2_enabler",
        strengths=each(Stronger.SUPERSET, "resource_types", "account_ids"),
    ),
)
