"""The state and its lock as objects in the state bucket.

Terraform reads and writes them; the toolkit only looks who holds the lock, and puts a state where there is none yet.
The lock is Terraform's native one (a `.tflock` object beside the state, created only if it does not exist), so that
both respect each other.
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from toolkit.aws.facts import asked
from toolkit.environment import S3Backend
from toolkit.errors import LockedError, RefusedError, ToolkitError
from toolkit.interrupts import uninterrupted


class StateObject:
    """The state of one environment in S3."""

    def __init__(self, client: Any, backend: S3Backend, *, key: str, owner: str) -> None:
        """Args:
        client: boto3 S3 client in the backend's region.
        owner: Account that must own the bucket.
        """
        self._client = client
        self._backend = backend
        self._key = key
        self._owner = owner

    @property
    def uri(self) -> str:
        """ "s3://BUCKET/KEY"."""
        return f"s3://{self._backend.bucket}/{self._key}"

    def read(self) -> bytes | None:
        """The state; None where there is none. Holds sensitive values in the clear: never print it."""
        return self._get(self._key)

    def read_lock(self) -> bytes | None:
        """The lock's JSON; None where nobody holds it."""
        return self._get(f"{self._key}.tflock")

    def place(self, state: bytes) -> None:
        """Put a state where there is none, byte for byte, while holding its lock.

        `terraform init -migrate-state` and `terraform state push` of 1.11 give a state that comes to an empty bucket a
        new lineage and serial 1 (tried), after which nobody can tell any more that it is the same state.

        Raises:
            LockedError: Somebody holds the lock.
            RefusedError: There is a state already.
            ToolkitError: S3 does not take it.
        """
        with self._locked("bootstrap", "toolkit bootstrap moves a local state here"):
            if not self._write(self._key, state, self._encryption, over=None):
                raise RefusedError(
                    "a state was written there in the meantime; it was left as it is",
                    where=self.uri,
                    hint="find out whose it is; the local state was left as it is, too",
                )

    def replace(self, state: bytes, judge: Callable[[bytes | None], bool]) -> bool:
        """Put a state over the one that is there, byte for byte, while holding its lock, and read it back.

        Args:
            state: The new one.
            judge: Gets the one that is there, None where there is none; True if nothing is left to write; raises to
                refuse.

        Returns:
            Whether it was written.

        Raises:
            LockedError: Somebody holds the lock, or has written the state without it.
            ToolkitError: S3 does not take it, or answers something else afterwards.
        """
        with self._locked("restore", "toolkit state restore puts a state here that could not be saved"):
            there = self._get_tagged(self._key)
            if judge(there[0] if there else None):
                return False
            if not self._write(self._key, state, self._encryption, over=there[1] if there else None):
                raise LockedError(
                    "the state was written by another while its lock was held here",
                    where=self.uri,
                    hint="find out who writes it without a lock, then run this command again; nothing was overwritten",
                )
            if self.read() != state:
                raise ToolkitError(
                    "the state reads back differently than it was written",
                    where=self.uri,
                    hint="the file stays where it is; plan nothing before this is understood",
                )
            return True

    @property
    def _encryption(self) -> dict[str, str]:
        if self._backend.kms_key_id:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._backend.kms_key_id}
        return {"ServerSideEncryption": "AES256"}

    @contextlib.contextmanager
    def _locked(self, operation: str, purpose: str) -> Iterator[None]:
        info = {
            "ID": str(uuid.uuid4()),
            "Operation": operation,
            "Info": purpose,
            "Who": f"{getpass.getuser()}@{socket.gethostname()}",
            "Version": "",
            "Created": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "Path": f"{self._backend.bucket}/{self._key}",
        }
        lock = f"{self._key}.tflock"
        with uninterrupted():  # no lock stays that has no holder, also of a request whose response is on its way
            if not self._write(lock, json.dumps(info).encode(), {}, over=None):
                raise LockedError(
                    "the state in the bucket is locked",
                    where=self.uri,
                    hint="`toolkit unlock` with the environment's name shows by whom, and releases it",
                )
            try:
                yield
            finally:
                asked(
                    f"releasing the lock {self.uri}.tflock",
                    lambda: self._client.delete_object(
                        Bucket=self._backend.bucket, Key=lock, ExpectedBucketOwner=self._owner
                    ),
                )

    def _write(self, key: str, body: bytes, encryption: dict[str, str], *, over: str | None) -> bool:
        """Write an object if the one that is there has the entity tag `over`, or there is none; False otherwise.

        Conditional writes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        import botocore.exceptions

        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}

        def put() -> bool:
            try:
                self._client.put_object(
                    Bucket=self._backend.bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/json",
                    ContentMD5=base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
                    ExpectedBucketOwner=self._owner,
                    **condition,
                    **encryption,
                )
            except botocore.exceptions.ClientError as e:
                # 409: another conditional write of the same key is under way.
                if e.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                    return False
                raise
            return True

        return asked(f"writing s3://{self._backend.bucket}/{key}", put)

    def _get(self, key: str) -> bytes | None:
        found = self._get_tagged(key)
        return found[0] if found else None

    def _get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """An object and its entity tag."""
        import botocore.exceptions

        def ask() -> tuple[bytes, str] | None:
            try:
                answer = self._client.get_object(Bucket=self._backend.bucket, Key=key, ExpectedBucketOwner=self._owner)
            except botocore.exceptions.ClientError as e:
                code = e.response["Error"]["Code"]
                if code == "NoSuchKey":
                    return None
                if code == "NoSuchBucket":
                    raise ToolkitError(
                        f"there is no bucket {self._backend.bucket}",
                        where=self.uri,
                        hint="`toolkit bootstrap` with the environment's name makes it",
                    ) from e
                raise
            body: bytes = answer["Body"].read()
            return body, str(answer["ETag"])

        return asked(f"reading s3://{self._backend.bucket}/{key}", ask)
