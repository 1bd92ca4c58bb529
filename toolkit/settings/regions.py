"""Regions of AWS, and lists of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from toolkit.settings.listed import new_region_name, region_name
from toolkit.settings.values import no_repetition

Region = Annotated[str, AfterValidator(region_name)]
Regions = Annotated[tuple[Region, ...], Field(strict=False), AfterValidator(no_repetition)]

NewRegion = Annotated[str, AfterValidator(new_region_name)]
"""A region where regions are chosen: one that is newer than the list is reported."""

NewRegions = Annotated[tuple[NewRegion, ...], Field(strict=False), AfterValidator(no_repetition)]
