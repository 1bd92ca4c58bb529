"""The state bucket: made, checked, mended, refused.

Against moto in this process; S3's refusals, which moto has not, are answers as S3's documentation shows them, through
botocore's Stubber.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from toolkit.aws.state_bucket import (
    StateBucket,
    check_state_account,
    ensure_simulated_bucket,
    state_clients,
    state_key,
    state_owner,
)
from toolkit.aws.state_object import StateObject
from toolkit.environment import Environment, S3Backend, load_text
from toolkit.errors import ExitCode, LockedError, RefusedError, ToolkitError, WrongAccountError

BUCKET, KEY, OWNER, REGION = "tf-state", "prod/baseline.tfstate", "123456789012", "eu-central-1"
ARN = f"arn:aws:s3:::{BUCKET}"
KMS = "arn:aws:kms:eu-central-1:123456789012:key/0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0"
ALL = ["public access block", "object ownership", "encryption", "versioning", "TLS-only policy", "lifecycle"]
PLAIN = {"Bool": {"aws:SecureTransport": "false"}}
TLS: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [ARN, f"{ARN}/*"],
    "Condition": PLAIN,
}
# One session for all: a client of a new one costs a third of a second.
SESSION = boto3.Session("testing", "testing")


def backend(**more: Any) -> S3Backend:
    return S3Backend(**{"type": "s3", "bucket": BUCKET, "region": REGION, **more})


def environment(text: str = "", account: str = OWNER) -> Environment:
    return load_text(
        f'account_id: "{account}"\nregions: {{home: eu-central-1}}\ncomponents: {{password_policy: {{}}}}\n'
        f"backend: {{type: s3, bucket: {BUCKET}, region: {REGION}{text}}}\n",
        name="prod",
        shown_as="environments/prod/environment.yaml",
    )


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield SESSION.client("s3", REGION)


@pytest.fixture
def bucket(s3: Any) -> StateBucket:
    return StateBucket(s3, backend(), key=KEY, owner=OWNER)


def lacking(bucket: StateBucket) -> list[str]:
    return [lack.name for lack in bucket.lacking()]


def complete(bucket: StateBucket) -> StateBucket:
    if not bucket.exists():
        bucket.create()
    for lack in bucket.lacking():
        bucket.supply(lack)
    return bucket


def test_a_new_bucket_gets_everything_and_lacks_nothing_then(bucket: StateBucket) -> None:
    assert bucket.exists() is False
    bucket.create()
    assert bucket.exists() is True
    assert lacking(bucket) == ALL
    complete(bucket)
    assert lacking(bucket) == []


def test_the_region_that_must_not_be_named(s3: Any) -> None:
    StateBucket(SESSION.client("s3", "us-east-1"), backend(region="us-east-1"), key=KEY, owner=OWNER).create()
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None


def test_the_policy_names_the_partition_of_the_region(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    china = SESSION.client("s3", "cn-north-1")
    bucket = StateBucket(china, backend(region="cn-north-1"), key=KEY, owner=OWNER)
    complete(bucket)
    (statement,) = json.loads(china.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Resource"] == [f"arn:aws-cn:s3:::{BUCKET}", f"arn:aws-cn:s3:::{BUCKET}/*"]
    assert lacking(bucket) == []


@pytest.mark.parametrize(
    ("wanted", "rule", "lacks"),
    [
        (None, {"SSEAlgorithm": "AES256"}, False),
        (None, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}, False),  # more than asked for stays
        (KMS, {"SSEAlgorithm": "AES256"}, True),
        (KMS, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}, False),
        (KMS.rsplit("/", 1)[-1], {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}, False),
        (KMS, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS.replace("0db5", "ffff")}, True),
        (KMS, {"SSEAlgorithm": "aws:kms"}, True),  # S3's own KMS key is another one
    ],
)
def test_encryption(s3: Any, wanted: str | None, rule: dict[str, str], lacks: bool) -> None:
    bucket = complete(StateBucket(s3, backend(kms_key_id=wanted), key=KEY, owner=OWNER))
    s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    assert lacking(bucket) == (["encryption"] if lacks else [])
    complete(bucket)
    assert lacking(bucket) == []
    (now,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    if lacks:
        assert now["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": wanted}
    else:
        assert now["ApplyServerSideEncryptionByDefault"] == rule


STATEMENTS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"Principal": {"AWS": "*"}}, True),
    ({"Principal": {"AWS": ["*"]}}, True),
    ({"Action": ["s3:*"]}, True),
    ({"Action": "*", "Resource": "*"}, True),
    ({"Resource": f"{ARN}*"}, True),
    ({"Condition": {"Bool": {"AWS:securetransport": ["false"]}}}, True),
    ({"Effect": "Allow"}, False),
    ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
    ({"Principal": {"Service": "*"}}, False),
    ({"Action": "s3:PutObject"}, False),
    ({"Resource": f"{ARN}/*"}, False),
    ({"Resource": [ARN, f"{ARN}/prod/*"]}, False),
    ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
    ({"Condition": {**PLAIN, "StringEquals": {"aws:PrincipalAccount": OWNER}}}, False),
    ({"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}}, False),
    ({"Condition": {}}, False),
]


def test_what_counts_as_denying_plain_http(bucket: StateBucket, s3: Any) -> None:
    complete(bucket)
    wrong = []
    for change, denies in STATEMENTS:
        policy = {"Version": "2012-10-17", "Statement": [{**TLS, **change, "Sid": "Theirs"}]}
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        found = lacking(bucket)
        if found != ([] if denies else ["TLS-only policy"]):
            wrong.append((change, found))
    assert wrong == []


def test_policy_and_lifecycle_rules_of_others_stay(bucket: StateBucket, s3: Any) -> None:
    bucket.create()
    theirs = {"Sid": "Theirs", **TLS, "Action": "s3:DeleteBucket"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": theirs}))
    rule = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    complete(bucket)
    statements = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statements[0] == theirs
    assert [s["Sid"] for s in statements] == ["Theirs", "DenyWithoutTls"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [r["ID"] for r in rules] == ["logs", "aws-baseline-toolkit-old-state-versions"]
    assert rules[0]["Expiration"] == {"Days": 7}


def test_a_statement_of_ours_that_was_bent_is_replaced(bucket: StateBucket, s3: Any) -> None:
    complete(bucket)
    bent = {"Version": "2012-10-17", "Statement": [{**TLS, "Sid": "DenyWithoutTls", "Action": "s3:PutObject"}]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bent))
    complete(bucket)
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Action"] == "s3:*"


WHOLE: dict[str, Any] = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": ""}}
OLD = {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}}


@pytest.mark.parametrize(
    ("rule", "lacks"),
    [
        ({**WHOLE, **OLD}, False),
        ({**WHOLE, **OLD, "Filter": {"Prefix": "prod/"}}, False),
        ({**WHOLE, **OLD, "Filter": {"Prefix": "dev/"}}, True),
        ({**WHOLE, **OLD, "Status": "Disabled"}, True),
        ({**WHOLE, **OLD, "Filter": {"Tag": {"Key": "a", "Value": "b"}}}, True),
        ({**WHOLE, "Filter": {"Prefix": "dev/"}, "Expiration": {"Days": 1}}, True),
        ({**WHOLE, "Status": "Disabled", "Expiration": {"Days": 1}}, True),
        ({**WHOLE, "Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}}, True),
        ({**WHOLE, "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]}, True),
    ],
)
def test_lifecycle(bucket: StateBucket, s3: Any, rule: dict[str, Any], lacks: bool) -> None:
    complete(bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    assert lacking(bucket) == (["lifecycle"] if lacks else [])


@pytest.mark.parametrize("chosen", [{"ObjectSizeGreaterThan": 9}, {"And": {"Prefix": "", "ObjectSizeLessThan": 9}}])
def test_a_rule_by_size_may_miss_the_state(
    bucket: StateBucket, s3: Any, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    complete(bucket)
    # moto forgets sizes.
    answer = {"Rules": [{**WHOLE, **OLD, "Filter": chosen}]}
    monkeypatch.setattr(s3, "get_bucket_lifecycle_configuration", lambda **_: answer)
    assert lacking(bucket) == ["lifecycle"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({**WHOLE, "Expiration": {"Days": 365}}, "deletes current objects"),
        ({**WHOLE, "Expiration": {"Date": "2030-01-01T00:00:00Z"}}, "deletes current objects"),
        ({**WHOLE, "Filter": {"Prefix": "prod"}, "Expiration": {"Days": 365}}, "deletes current objects"),
        ({**WHOLE, **OLD, "Transitions": [{"Days": 9, "StorageClass": "GLACIER"}]}, "archives current objects"),
        ({**WHOLE, "Transitions": [{"Days": 9, "StorageClass": "DEEP_ARCHIVE"}]}, "archives current objects"),
    ],
)
def test_a_rule_that_would_take_the_state_away_is_refused(
    bucket: StateBucket, s3: Any, rule: dict[str, Any], said: str
) -> None:
    complete(bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    with pytest.raises(RefusedError, match=f"'theirs' {said}.*{KEY}"):
        bucket.lacking()


@pytest.fixture
def stubbed(s3: Any) -> Iterator[tuple[StateBucket, Stubber]]:
    with Stubber(s3) as stubber:
        yield StateBucket(s3, backend(), key=KEY, owner=OWNER), stubber


HEAD = {"Bucket": BUCKET, "ExpectedBucketOwner": OWNER}


def test_a_bucket_of_another_account_is_refused(stubbed: tuple[StateBucket, Stubber]) -> None:
    """S3 answers 403 to a request whose ExpectedBucketOwner does not own the bucket."""
    bucket, stubber = stubbed
    stubber.add_client_error("head_bucket", "403", "Forbidden", 403, expected_params=HEAD)
    with pytest.raises(WrongAccountError, match=f"not owned by account {OWNER}") as caught:
        bucket.exists()
    assert caught.value.exit_code is ExitCode.WRONG_ACCOUNT


def test_a_taken_name_is_another_accounts(stubbed: tuple[StateBucket, Stubber]) -> None:
    bucket, stubber = stubbed
    stubber.add_client_error("create_bucket", "BucketAlreadyExists", "The name is not available.", 409)
    with pytest.raises(WrongAccountError, match="another account has a bucket named"):
        bucket.create()


def test_a_bucket_in_another_region_is_refused(stubbed: tuple[StateBucket, Stubber]) -> None:
    bucket, stubber = stubbed
    stubber.add_response("head_bucket", {"BucketRegion": "eu-west-1", "ResponseMetadata": {}}, HEAD)
    with pytest.raises(RefusedError, match="is in eu-west-1, but backend"):
        bucket.exists()


def test_what_cannot_be_read_is_not_taken_for_present(stubbed: tuple[StateBucket, Stubber]) -> None:
    bucket, stubber = stubbed
    stubber.add_client_error("get_public_access_block", "AccessDenied", "Access Denied", 403, expected_params=HEAD)
    with pytest.raises(ToolkitError, match=r"get_public_access_block of tf-state failed.*AccessDenied"):
        bucket.lacking()


def test_acls_that_grant_to_others_are_told(bucket: StateBucket, s3: Any) -> None:
    bucket.create()
    lack = next(found for found in bucket.lacking() if found.name == "object ownership")
    with Stubber(s3) as stubber:
        stubber.add_client_error(
            "put_bucket_ownership_controls", "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs", 400
        )
        with pytest.raises(ToolkitError) as caught:
            bucket.supply(lack)
    assert "replace those grants by a bucket policy" in (caught.value.hint or "")


def test_the_owner_is_the_backends_account_and_checked(s3: Any) -> None:
    own, central = environment(), environment(', account_id: "999999999999"')
    assert (state_owner(own, backend()), state_owner(central, backend(account_id="999999999999"))) == (
        OWNER,
        "999999999999",
    )
    assert state_key(own, backend()) == "prod/baseline.tfstate"
    assert state_key(own, backend(key="x/y")) == "x/y"
    for found, known in ((own, True), (central, False)):
        assert isinstance(found.backend, S3Backend)
        clients = state_clients(found, found.backend, {})
        if known:
            assert check_state_account(found, found.backend, clients).account_id == OWNER
        else:
            with pytest.raises(WrongAccountError, match="owned by account 999999999999") as caught:
                check_state_account(found, found.backend, clients)
            assert caught.value.where == "environments/prod/environment.yaml:4"


def test_the_simulated_bucket_is_never_made_on_aws() -> None:
    with pytest.raises(ToolkitError, match="outside of the embedded AWS"):
        ensure_simulated_bucket(environment(), backend(), {})


@pytest.fixture
def objects(bucket: StateBucket, s3: Any) -> StateObject:
    bucket.create()
    return StateObject(s3, backend(), key=KEY, owner=OWNER)


def keys(s3: Any) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_state_is_placed_byte_for_byte_and_the_lock_is_gone_then(objects: StateObject, s3: Any) -> None:
    assert objects.read() is None
    objects.place(b'{"serial": 7}')
    assert objects.read() == b'{"serial": 7}'
    assert keys(s3) == [KEY]


def test_a_state_that_is_there_is_never_overwritten(objects: StateObject, s3: Any) -> None:
    objects.place(b"theirs")
    with pytest.raises(RefusedError, match="was written there in the meantime"):
        objects.place(b"ours")
    assert objects.read() == b"theirs"
    assert keys(s3) == [KEY], "the lock must be released after a failure, too"


def test_a_held_lock_is_respected(objects: StateObject, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b'{"ID": "theirs"}')
    with pytest.raises(LockedError):
        objects.place(b"ours")
    assert objects.read_lock() == b'{"ID": "theirs"}'
    assert objects.read() is None


def test_the_state_is_encrypted_with_the_backends_key(bucket: StateBucket, s3: Any) -> None:
    bucket.create()
    StateObject(s3, backend(kms_key_id=KMS), key=KEY, owner=OWNER).place(b"{}")
    head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KMS)


def test_without_a_bucket_the_next_step_is_told(s3: Any) -> None:
    with pytest.raises(ToolkitError, match="there is no bucket tf-state") as caught:
        StateObject(s3, backend(), key=KEY, owner=OWNER).read()
    assert "toolkit bootstrap" in (caught.value.hint or "")
