"""What a bucket holds, what of it nobody may delete yet, and emptying it.

In: a bucket of the environment, its region and the account that must own it. Out: `Contents`, frozen, and a call that
deletes all of it. Every request names the owner, so that a bucket of the same name in another account is refused by S3
itself. The caller decides whether it may be emptied: this module only does it (toolkit.workflows.destroy).

AWS's rules, S3 User Guide and API Reference, read 2026-11-28:
"Emptying a general purpose bucket": every version of every object, delete markers included, must be deleted before the
bucket can be. Incomplete multipart uploads do not stop that (API Reference, DeleteBucket: only those in directory
buckets do), but AWS recommends to remove them, too; they are aborted here.
"Locking objects with Object Lock": a version cannot be deleted before its retention ends, nor while it has a legal
hold. In governance mode, whoever has s3:BypassGovernanceRetention may; this toolkit never uses that.
"Configuring MFA delete": only the root user with an MFA code deletes versions of such a bucket.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.aws.facts import asked, side_by_side
from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError

_PASSES = 3
"""How often a bucket is listed again, since logs may arrive while it is emptied."""


_PASSING = frozenset({"InternalError", "ServiceUnavailable", "SlowDown"})
"""Codes of single objects for which S3 says to try again; boto3 tries again only whole requests that failed.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
_PAUSES = (1, 2, 4, 8)
"""Seconds before each further try."""


@dataclass(frozen=True)
class Contents:
    """What a bucket holds."""

    bucket: str
    region: str
    versions: int
    """Versions of objects and delete markers, of the first page (1,000 at most)."""
    more: bool
    """Whether there are further pages."""
    uploads: int
    """Multipart uploads that were not completed; they do not stop the deletion of the bucket."""
    kept: str | None
    """Why what it holds cannot be deleted now; None where it can."""

    @property
    def empty(self) -> bool:
        """Whether AWS would delete the bucket as it is."""
        return not self.versions

    def describe(self) -> str:
        """One phrase: "more than 1000 object versions"."""
        count = f"more than {self.versions}" if self.more else str(self.versions)
        uploads = f" and {self.uploads} incomplete uploads" if self.uploads else ""
        return f"{count} object version{'' if self.versions == 1 and not self.more else 's'}{uploads}"


class Bucket:
    """One bucket of the environment."""

    def __init__(self, clients: AwsSession, name: str, region: str) -> None:
        self._client = clients.client("s3", region)
        self._clients = clients
        self.name = name
        self.region = region

    def contents(self, *, bypasses_governance: bool = False) -> Contents | None:
        """What it holds; None where there is no such bucket.

        Args:
            bypasses_governance: Whether whoever empties it (the provider with `force_destroy`) deletes what governance
                mode and legal holds keep.

        Raises:
            ToolkitError: Something could not be read; what is unknown is never taken for empty.
        """
        first = self._call("list_object_versions", absent="NoSuchBucket")
        if first is None:
            return None
        versions = len(first.get("Versions", ())) + len(first.get("DeleteMarkers", ()))
        uploads = self._call("list_multipart_uploads") or {}
        kept = self._kept(bypasses_governance) if versions else None
        return Contents(
            self.name, self.region, versions, bool(first.get("IsTruncated")), len(uploads.get("Uploads", ())), kept
        )

    def make_empty(self) -> Iterator[int]:
        """Delete every version, every delete marker and every incomplete upload.

        Yields after each request how many versions it deleted; whoever stops there, deletes no more.

        Raises:
            ToolkitError: S3 refused one; those before it are deleted.
        """
        for _ in range(_PASSES):
            found = 0
            for page in self._pages("list_object_versions"):
                batch = [
                    {"Key": one["Key"], "VersionId": one["VersionId"]}
                    for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
                ]
                if batch:
                    self._delete(batch)
                    found += len(batch)
                    yield len(batch)
            if not found:
                break
        for page in self._pages("list_multipart_uploads"):
            for upload in page.get("Uploads", ()):
                self._call(
                    "abort_multipart_upload", absent="NoSuchUpload", Key=upload["Key"], UploadId=upload["UploadId"]
                )
                yield 0

    def _delete(self, batch: list[dict[str, str]]) -> None:
        left = batch
        for seconds in (*_PAUSES, None):
            answer = self._call("delete_objects", Delete={"Objects": left, "Quiet": True}) or {}
            errors = answer.get("Errors", ())
            if not errors:
                return
            if seconds is None or any(error.get("Code") not in _PASSING for error in errors):
                break
            time.sleep(seconds)
            left = [{"Key": error["Key"], "VersionId": error["VersionId"]} for error in errors]
        first = next((error for error in errors if error.get("Code") not in _PASSING), errors[0])
        passing = first.get("Code") in _PASSING
        raise ToolkitError(
            f"S3 deleted {len(batch) - len(errors)} of {len(batch)} object versions and refused "
            f"{len(errors)}: {first.get('Code')} for {first.get('Key')!r} ({first.get('Message')})",
            where=self.name,
            hint="S3 is busy; try again later"
            if passing
            else "the credentials need s3:DeleteObjectVersion on the bucket; Object Lock refuses with AccessDenied",
        )

    def _kept(self, bypasses_governance: bool) -> str | None:
        versioning = self._call("get_bucket_versioning") or {}
        if versioning.get("MFADelete") == "Enabled":
            return "MFA delete is on: only the root user, with an MFA code, can delete what it holds"
        lock = self._call("get_object_lock_configuration", absent="ObjectLockConfigurationNotFoundError")
        if lock is None:
            return None
        for page in self._pages("list_object_versions"):
            # Those written last are kept longest, and one that is kept decides.
            newest = sorted(page.get("Versions", ()), key=lambda v: v["LastModified"], reverse=True)
            for start in range(0, len(newest), _AT_ONCE):
                answers = side_by_side(
                    lambda version: self._keeps(version, bypasses_governance), newest[start : start + _AT_ONCE]
                )
                if reason := next(filter(None, answers), None):
                    return reason
        return None

    def _keeps(self, version: dict[str, Any], bypasses_governance: bool) -> str | None:
        """Why a version cannot be deleted now."""
        which = {"Key": version["Key"], "VersionId": version["VersionId"]}
        absent = "NoSuchObjectLockConfiguration"
        found = (self._call("get_object_retention", absent=absent, **which) or {}).get("Retention", {})
        until, mode = found.get("RetainUntilDate"), found.get("Mode")
        if until is not None and until > datetime.now(UTC) and not (mode == "GOVERNANCE" and bypasses_governance):
            return f"Object Lock ({mode}) keeps {version['Key']!r} until {until:%Y-%m-%d %H:%M} UTC"
        hold = (self._call("get_object_legal_hold", absent=absent, **which) or {}).get("LegalHold", {})
        if hold.get("Status") == "ON" and not bypasses_governance:
            return f"a legal hold keeps {version['Key']!r}"
        return None

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        pages = iter(
            self._client.get_paginator(operation).paginate(
                Bucket=self.name, ExpectedBucketOwner=self._clients.account_id
            )
        )
        while (page := asked(f"s3 {operation} of {self.name}", lambda: next(pages, None))) is not None:
            yield page

    def _call(self, operation: str, absent: str | None = None, **request: Any) -> dict[str, Any] | None:
        """The answer; None where S3 says `absent`."""
        import botocore.exceptions

        def ask() -> dict[str, Any] | None:
            try:
                return dict(
                    getattr(self._client, operation)(
                        Bucket=self.name, ExpectedBucketOwner=self._clients.account_id, **request
                    )
                )
            except botocore.exceptions.ClientError as e:
                if absent is not None and e.response["Error"]["Code"] == absent:
                    return None
                raise

        return asked(f"s3 {operation} of {self.name}", ask)


_AT_ONCE = 64
"""Versions whose retention is asked for before looking whether one is kept."""
