"""Macie: which S3 buckets hold sensitive data, and which of them are open."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from toolkit.components.base import Component, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import lacking
from toolkit.settings.base import Settings
from toolkit.settings.kms import KeyArn
from toolkit.settings.listed import offered
from toolkit.settings.regions import Regions
from toolkit.settings.s3 import BucketName


class ResultsExport(Settings):
    """Where the results of discovery go, object by object."""

    bucket_name: BucketName = Field(description="Name of a bucket whose policy allows macie.amazonaws.com to write.")
    kms_key_arn: KeyArn = Field(
        description="ARN of a key in the bucket's region whose policy allows macie.amazonaws.com to encrypt."
    )
    key_prefix: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None, description="Prefix of the objects' names; null: none."
    )


class Macie(Settings):
    """Settings of `macie`."""

    finding_publishing_frequency: Literal["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"] = Field(
        "FIFTEEN_MINUTES",
        description="How often Macie publishes policy findings that occur again; it publishes new ones, and those of "
        "sensitive data, immediately.",
    )
    results_export: ResultsExport | None = Field(
        None,
        description="Where Macie stores the results of discovery; null exports none, and AWS keeps them for 90 days.",
    )
    skipped_regions: Regions = Field(
        (), description="Active regions without it, because AWS does not offer it there or by choice."
    )
    offered_regions: Annotated[tuple[Annotated[str, offered("macie2")], ...], Field(strict=False)] = Field(
        (), description="Active regions in which AWS offers it by now, though the toolkit's list says that it does not."
    )


COMPONENT = Component(
    name="macie",
    title="Macie",
    purpose="Finds sensitive data in S3 buckets, and public or shared buckets, in every region.",
    scope=Scope.EVERY_REGION,
    settings=Macie,
    regions_in=("skipped_regions", "offered_regions"),
    absent_in=lacking("macie2"),
    composed=("skipped_regions", "offered_regions"),
    protects=(Protected("aws_macie2_account"), Protected("aws_macie2_classification_export_configuration")),
    needs=(Need("macie2:EnableMacie"), Need("macie2:UpdateMacieSession")),
    bills="each bucket and its objects by the month, and each GB that discovery reads, in every region, after 30 days",
)
