"""What AWS does and moto does not: CloudTrail."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import cloudtrail

REGION = "eu-central-1"


def trails_are_filtered() -> bool:
    boto3.client("s3", REGION).create_bucket(
        Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client, elsewhere = boto3.client("cloudtrail", REGION), boto3.client("cloudtrail", "us-east-1")
    client.create_trail(Name="one", S3BucketName="trail-logs")
    client.create_trail(Name="two", S3BucketName="trail-logs")
    far = elsewhere.create_trail(Name="far", S3BucketName="trail-logs")["TrailARN"]

    def names(*wanted: str) -> list[str]:
        return [trail["Name"] for trail in client.describe_trails(trailNameList=list(wanted))["trailList"]]

    everything = [trail["Name"] for trail in client.describe_trails()["trailList"]]
    return bool(
        (names("one"), names(far), names("none"), names("two", far)) == (["one"], ["far"], [], ["two", "far"])
    ) and everything == ["one", "two"]  # fmt: skip


def trails_are_deleted_by_arn() -> bool:
    boto3.client("s3", REGION).create_bucket(
        Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client = boto3.client("cloudtrail", REGION)
    arn = client.create_trail(Name="one", S3BucketName="trail-logs")["TrailARN"]
    client.create_trail(Name="two", S3BucketName="trail-logs")
    client.delete_trail(Name=arn)
    return [trail["Name"] for trail in client.describe_trails()["trailList"]] == ["two"]


CASES: dict[str, Callable[[], bool]] = {
    "cloudtrail-describe-trails-names": trails_are_filtered,
    "cloudtrail-delete-trail-arn": trails_are_deleted_by_arn,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(cloudtrail.PATCHES, CASES, name)
