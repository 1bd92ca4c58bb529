"""What a bucket holds, whether it can be emptied, and the very requests that empty it.

Against moto in this process where moto has it; Object Lock, MFA delete, refusals and pages as S3's API Reference shows
them, through botocore's Stubber, which compares every request with what is expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.bucket_contents import Bucket
from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError

NAME, OWNER, REGION = "acme-trail", "111122223333", "eu-central-1"
OURS = {"Bucket": NAME, "ExpectedBucketOwner": OWNER}
SESSION = boto3.Session("testing", "testing")
LATER, EARLIER = datetime.now(UTC) + timedelta(days=3), datetime.now(UTC) - timedelta(days=3)


def of(client: Any, owner: str = OWNER) -> Bucket:
    clients = SimpleNamespace(client=lambda service, region: client, account_id=owner)
    return Bucket(cast(AwsSession, clients), NAME, REGION)


@pytest.fixture
def stub() -> Iterator[tuple[Bucket, Stubber]]:
    client = SESSION.client("s3", REGION)
    with Stubber(client) as stubber:
        yield of(client), stubber
        stubber.assert_no_pending_responses()


def version(key: str, number: int = 1) -> dict[str, Any]:
    return {"Key": key, "VersionId": f"v{number}", "LastModified": EARLIER}


def listed(stubber: Stubber, *versions: dict[str, Any], markers: Any = (), **more: Any) -> None:
    request = more.pop("request", {})
    answer = {"Versions": list(versions), "DeleteMarkers": list(markers), "IsTruncated": False, **more}
    stubber.add_response("list_object_versions", answer, {**OURS, **request})


def uploads(stubber: Stubber, *keys: str) -> None:
    answer = {"Uploads": [{"Key": k, "UploadId": f"u-{k}"} for k in keys], "IsTruncated": False}
    stubber.add_response("list_multipart_uploads", answer, OURS)


def no_lock(stubber: Stubber) -> None:
    stubber.add_response("get_bucket_versioning", {"Status": "Enabled"}, OURS)
    stubber.add_client_error(
        "get_object_lock_configuration", "ObjectLockConfigurationNotFoundError", "", 404, None, OURS
    )


def locked(stubber: Stubber, mode: str, until: datetime, hold: str | None = None) -> None:
    stubber.add_response("get_bucket_versioning", {"Status": "Enabled"}, OURS)
    configuration = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    stubber.add_response("get_object_lock_configuration", configuration, OURS)
    listed(stubber, version("a"))
    which = {**OURS, "Key": "a", "VersionId": "v1"}
    stubber.add_response("get_object_retention", {"Retention": {"Mode": mode, "RetainUntilDate": until}}, which)
    if hold == "none":
        absent = "NoSuchObjectLockConfiguration"
        stubber.add_client_error("get_object_legal_hold", absent, "", 404, None, which)
    elif hold:
        stubber.add_response("get_object_legal_hold", {"LegalHold": {"Status": hold}}, which)


def test_an_empty_bucket_is_not_asked_further(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber)
    uploads(stubber, "half")
    found = bucket.contents()
    assert found is not None
    assert found.empty, "an upload that was not completed does not stop the deletion (DeleteBucket, API Reference)"


def test_versions_and_markers_count(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber, version("a"), markers=[version("b", 2)])
    uploads(stubber)
    no_lock(stubber)
    found = bucket.contents()
    assert found is not None
    assert (found.empty, found.describe(), found.kept) == (False, "2 object versions", None)


def test_more_than_a_page_is_said(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber, version("a"), IsTruncated=True, NextKeyMarker="a")
    uploads(stubber, "half")
    no_lock(stubber)
    found = bucket.contents()
    assert found is not None
    assert found.describe() == "more than 1 object versions and 1 incomplete uploads"


def test_a_bucket_that_is_not_there_holds_nothing(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    stubber.add_client_error("list_object_versions", "NoSuchBucket", "", 404, None, OURS)
    assert bucket.contents() is None


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown", "ExpiredToken"])
def test_what_cannot_be_read_is_never_empty(stub: tuple[Bucket, Stubber], code: str):
    bucket, stubber = stub
    stubber.add_client_error("list_object_versions", code, "no", 403, None, OURS)
    with pytest.raises(ToolkitError, match=f"s3 list_object_versions of {NAME} .*{code}"):
        bucket.contents()


@pytest.mark.parametrize(
    ("mode", "until", "hold", "bypasses", "kept"),
    [
        ("COMPLIANCE", LATER, None, False, f"Object Lock (COMPLIANCE) keeps 'a' until {LATER:%Y-%m-%d %H:%M} UTC"),
        ("COMPLIANCE", LATER, None, True, f"Object Lock (COMPLIANCE) keeps 'a' until {LATER:%Y-%m-%d %H:%M} UTC"),
        ("GOVERNANCE", LATER, None, False, f"Object Lock (GOVERNANCE) keeps 'a' until {LATER:%Y-%m-%d %H:%M} UTC"),
        ("GOVERNANCE", LATER, "none", True, None),
        ("COMPLIANCE", EARLIER, "none", False, None),
        ("COMPLIANCE", EARLIER, "OFF", False, None),
        ("COMPLIANCE", EARLIER, "ON", False, "a legal hold keeps 'a'"),
        ("GOVERNANCE", EARLIER, "ON", True, None),
    ],
    # Without names of their own, they would have the minute, which differs between processes that collect them.
    ids=range(8),
)
def test_object_lock(
    stub: tuple[Bucket, Stubber], mode: str, until: datetime, hold: str | None, bypasses: bool, kept: str | None
):
    bucket, stubber = stub
    listed(stubber, version("a"))
    uploads(stubber)
    locked(stubber, mode, until, hold)
    found = bucket.contents(bypasses_governance=bypasses)
    assert found is not None
    assert found.kept == kept


def test_mfa_delete(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber, version("a"))
    uploads(stubber)
    stubber.add_response("get_bucket_versioning", {"Status": "Enabled", "MFADelete": "Enabled"}, OURS)
    found = bucket.contents()
    assert found is not None
    assert "MFA delete is on" in str(found.kept)


def deletes(stubber: Stubber, *which: tuple[str, str], errors: Any = ()) -> None:
    objects = [{"Key": key, "VersionId": number} for key, number in which]
    stubber.add_response("delete_objects", {"Errors": errors}, {**OURS, "Delete": {"Objects": objects, "Quiet": True}})


def test_every_version_marker_and_upload_is_deleted_and_what_arrived_meanwhile(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber, version("a"), IsTruncated=True, NextKeyMarker="a", NextVersionIdMarker="v1")
    deletes(stubber, ("a", "v1"))
    listed(stubber, version("b"), markers=[version("b", 2)], request={"KeyMarker": "a", "VersionIdMarker": "v1"})
    deletes(stubber, ("b", "v1"), ("b", "v2"))
    listed(stubber, version("late"))
    deletes(stubber, ("late", "v1"))
    listed(stubber)
    uploads(stubber, "half")
    stubber.add_response("abort_multipart_upload", {}, {**OURS, "Key": "half", "UploadId": "u-half"})
    assert sum(bucket.make_empty()) == 4


def test_what_s3_refuses_stops_it(stub: tuple[Bucket, Stubber]):
    bucket, stubber = stub
    listed(stubber, version("a"), version("b"))
    refused = {"Key": "b", "VersionId": "v1", "Code": "AccessDenied", "Message": "Access Denied"}
    deletes(stubber, ("a", "v1"), ("b", "v1"), errors=[refused])
    with pytest.raises(ToolkitError, match="deleted 1 of 2 object versions and refused 1: AccessDenied for 'b'"):
        list(bucket.make_empty())


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_what_s3_is_too_busy_for_is_tried_again(
    stub: tuple[Bucket, Stubber], code: str, monkeypatch: pytest.MonkeyPatch
):
    pauses: list[float] = []
    monkeypatch.setattr("toolkit.aws.bucket_contents.time.sleep", pauses.append)
    bucket, stubber = stub
    busy = {"Key": "b", "VersionId": "v1", "Code": code, "Message": "try again"}
    listed(stubber, version("a"), version("b"))
    deletes(stubber, ("a", "v1"), ("b", "v1"), errors=[busy])
    deletes(stubber, ("b", "v1"))
    listed(stubber)
    uploads(stubber)
    assert sum(bucket.make_empty()) == 2
    assert len(pauses) == 1


def test_one_that_stays_busy_is_not_blamed_on_permissions(
    stub: tuple[Bucket, Stubber], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("toolkit.aws.bucket_contents.time.sleep", lambda _: None)
    bucket, stubber = stub
    listed(stubber, version("b"))
    for _ in range(5):
        busy = {"Key": "b", "VersionId": "v1", "Code": "SlowDown", "Message": "Reduce your request rate"}
        deletes(stubber, ("b", "v1"), errors=[busy])
    with pytest.raises(ToolkitError, match="deleted 0 of 1 object versions and refused 1: SlowDown") as caught:
        list(bucket.make_empty())
    assert caught.value.hint == "S3 is busy; try again later"


@pytest.mark.usefixtures("aws")
def test_it_is_then_deleted():
    client = SESSION.client("s3", REGION)
    client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b/c d+é"):
        client.put_object(Bucket=NAME, Key=key, Body=b"x")
    client.delete_object(Bucket=NAME, Key="a")
    client.create_multipart_upload(Bucket=NAME, Key="half")
    bucket = of(client, "123456789012")
    found = bucket.contents()
    assert found is not None
    assert found.describe() == "4 object versions and 1 incomplete uploads"
    assert sum(bucket.make_empty()) == 4
    found = bucket.contents()
    assert found is not None
    assert (found.versions, found.uploads) == (0, 0)
    client.delete_bucket(Bucket=NAME)
    assert bucket.contents() is None
