"""Detective: what happened around a finding, from a year of logs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from toolkit.components.base import Component, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import lacking
from toolkit.settings.base import Settings
from toolkit.settings.listed import offered
from toolkit.settings.regions import Regions


class Detective(Settings):
    """Settings of `detective`."""

    auto_enable_members: bool | None = Field(
        None,
        description="Whether accounts that join the organization are added, and billed for it; only for the "
        "organization's delegated administrator of Detective. null does not change its setting.",
    )
    skipped_regions: Regions = Field(
        (), description="Active regions without it, because AWS does not offer it there or by choice."
    )
    offered_regions: Annotated[tuple[Annotated[str, offered("detective")], ...], Field(strict=False)] = Field(
        (), description="Active regions in which AWS offers it by now, though the toolkit's list says that it does not."
    )


COMPONENT = Component(
    name="detective",
    title="Detective",
    purpose="Shows what happened around a finding, for up to a year, in every region.",
    scope=Scope.EVERY_REGION,
    settings=Detective,
    # A graph that is deleted takes a year of history with it.
    regions_in=("skipped_regions", "offered_regions"),
    absent_in=lacking("detective"),
    composed=("skipped_regions", "offered_regions"),
    protects=(Protected("aws_detective_graph"),),
    narrow_tag_keys=True,
    trusts=lambda settings: ("detective.amazonaws.com",) if settings.auto_enable_members is not None else (),
    needs=(Need("detective:CreateGraph"), Need("detective:ListGraphs")),
    bills="each GB of logs that it takes in, in every region, after 30 days",
)
