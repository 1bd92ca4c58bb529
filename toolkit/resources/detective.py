"""Amazon Detective."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, ResourceType, Strength, Stronger

TYPES = (
    ResourceType("aws_detective_graph"),
    ResourceType(
        "aws_detective_organization_configuration",
        strengths=(Strength("auto_enable", Stronger.TRUE),),
        no_weaker_side={IDENTITY: "graph_arn"},
    ),
)
