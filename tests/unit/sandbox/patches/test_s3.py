"""What AWS does and moto does not: S3."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import s3

REGION = "eu-central-1"


def a_policy_that_denies_plain_http_lets_tls_through() -> bool:
    client = boto3.client("s3", REGION)
    client.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_object(Bucket="state", Key="state", Body=b"1")
    everything: dict[str, object] = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": "arn:aws:s3:::state/*"}
    plain = {**everything, "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    def denied(key: str, *statements: dict[str, object]) -> bool:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        client.put_bucket_policy(Bucket="state", Policy=json.dumps(policy))
        try:
            client.get_object(Bucket="state", Key=key)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "403")
        return False

    unconditional = {**everything, "Action": "s3:GetObject"}
    return not denied("state", plain) and denied("state", plain, unconditional)


def retention_is_told() -> bool:
    client = boto3.client("s3", REGION)
    where = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="kept", CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    until = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    client.put_object(Bucket="kept", Key="k", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    client.put_object(Bucket="kept", Key="free", Body=b"1")

    def told(key: str) -> object:
        try:
            return client.get_object_retention(Bucket="kept", Key=key)["Retention"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    wanted = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    return [told("k"), told("free")] == [wanted, "NoSuchObjectLockConfiguration"]


def a_list_with_a_parameter_says_where_each_bucket_is() -> bool:
    boto3.client("s3", REGION).create_bucket(Bucket="here", CreateBucketConfiguration={"LocationConstraint": REGION})
    boto3.client("s3", "us-east-1").create_bucket(Bucket="there")
    client = boto3.client("s3", "eu-west-1")
    plain, asked = client.list_buckets()["Buckets"], client.list_buckets(MaxBuckets=1000)["Buckets"]
    assert not any("BucketRegion" in bucket for bucket in plain), "only who sends a parameter is answered so"
    return {one["Name"]: one.get("BucketRegion") for one in asked} == {"here": REGION, "there": "us-east-1"}


CASES: dict[str, Callable[[], bool]] = {
    "s3-tls-only-policy": a_policy_that_denies_plain_http_lets_tls_through,
    "s3-object-retention": retention_is_told,
    "s3-bucket-region": a_list_with_a_parameter_says_where_each_bucket_is,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(s3.PATCHES, CASES, name)
