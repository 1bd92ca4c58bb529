"""Bundles in S3: what is asked of it, and what its refusals are called. moto has the bucket, Stubber the refusals."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from toolkit.aws.stored import BundleStore
from toolkit.errors import BadPlanError, ExitCode, ToolkitError
from toolkit.terraform.stored import Folder

OWNER = "123456789012"
CONTENT = b"a bundle, which is opaque here"
TARGET = Folder("example-plans", "ci/").object("prod", CONTENT)


class Session:
    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == ("s3", None)
        return self.s3


@pytest.fixture
def bucket() -> Iterator[Session]:
    with mock_aws():
        session = Session()
        session.s3.create_bucket(
            Bucket="example-plans", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield session


@pytest.fixture
def stub() -> Iterator[tuple[Session, Stubber]]:
    session = Session()
    with Stubber(session.s3) as found:
        yield session, found
        found.assert_no_pending_responses()


def store(session: Session, **more: Any) -> BundleStore:
    return BundleStore(session, owner=OWNER, **more)  # type: ignore[arg-type]


def test_what_is_put_is_got_and_never_replaced(bucket: Session):
    store(bucket).put(TARGET, CONTENT)
    assert store(bucket).get(TARGET, 1 << 20) == CONTENT
    with pytest.raises(ToolkitError, match="is there already") as caught:
        store(bucket).put(TARGET, CONTENT)
    assert caught.value.exit_code is ExitCode.ERROR
    # By another way than this one: what is there now is not what its name says.
    bucket.s3.put_object(Bucket="example-plans", Key=TARGET.key, Body=b"another bundle")
    with pytest.raises(BadPlanError, match="not the bundle that was saved there"):
        store(bucket).get(TARGET, 1 << 20)


def test_what_is_asked(stub: tuple[Session, Stubber]):
    session, answers = stub
    sum_ = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    common = {"Bucket": "example-plans", "Key": TARGET.key, "ExpectedBucketOwner": OWNER}
    put = {**common, "Body": CONTENT, "ContentType": ANY, "ChecksumSHA256": sum_, "IfNoneMatch": "*"}
    answers.add_response("put_object", {"ServerSideEncryption": "AES256"}, put)
    assert store(session).put(TARGET, CONTENT) == "AES256"
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/plans"}
    answers.add_response("put_object", {"ServerSideEncryption": "aws:kms"}, {**put, **encryption})
    assert store(session, kms_key="alias/plans").put(TARGET, CONTENT) == "aws:kms"
    answers.add_response("get_object", {"ContentLength": 2 << 20}, common)
    with pytest.raises(BadPlanError, match="larger than 1 MiB"):
        store(session).get(TARGET, 1 << 20)


PUT = "put_object"
REFUSALS = [
    (PUT, "AccessDenied", 403, 0, "s3:PutObject failed: the credentials lack s3:PutObject on it", ExitCode.ERROR),
    (PUT, "NoSuchBucket", 404, 0, "there is no bucket example-plans", ExitCode.ERROR),
    (PUT, "PreconditionFailed", 412, 0, "is there already", ExitCode.ERROR),
    (PUT, "ConditionalRequestConflict", 409, 0, "is being written", ExitCode.ERROR),
    (PUT, "SlowDown", 503, 0, "s3:PutObject of s3://example-plans/ci/prod/", ExitCode.ERROR),
    ("get_object", "NoSuchKey", 404, 0, "there is no such object", ExitCode.BAD_PLAN),
    ("get_object", "NoSuchBucket", 404, 0, "there is no bucket example-plans", ExitCode.ERROR),
    ("get_object", "AccessDenied", 403, 0, "or the bucket is not owned by account 123456789012", ExitCode.BAD_PLAN),
    ("get_object", "InvalidObjectState", 403, 0, "s3:GetObject of s3://example-plans/ci/prod/", ExitCode.ERROR),
]


@pytest.mark.parametrize(("call", "code", "status", "retries", "problem", "exit_code"), REFUSALS)
def test_refusals(
    stub: tuple[Session, Stubber], call: str, code: str, status: int, retries: int, problem: str, exit_code: ExitCode
):
    session, answers = stub
    meta = {"RetryAttempts": retries}
    answers.add_client_error(call, code, "said", status, response_meta=meta)
    with pytest.raises(ToolkitError) as caught:
        if call == PUT:
            store(session).put(TARGET, CONTENT)
        else:
            store(session).get(TARGET, 1 << 20)
    assert problem in caught.value.problem
    assert caught.value.exit_code is exit_code
    assert caught.value.hint


def test_an_attempt_whose_answer_was_lost_has_saved_it(stub: tuple[Session, Stubber]):
    """The second attempt finds what the first one saved: the name proves that it is this bundle."""
    session, answers = stub
    answers.add_client_error(PUT, "PreconditionFailed", "said", 412, response_meta={"RetryAttempts": 1})
    assert store(session).put(TARGET, CONTENT) is None
