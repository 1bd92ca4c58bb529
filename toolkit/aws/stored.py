"""Plan bundles in S3: one side only puts, the other one only gets, and neither lists.

In: a session, a bucket, a bundle's content. Out: an object; and back. What an object is called is decided in
`toolkit.terraform.stored`.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import AwsSession
from toolkit.errors import BadPlanError, ToolkitError
from toolkit.terraform.stored import Stored

_PUT_PERMISSIONS = "s3:PutObject on it, and kms:GenerateDataKey on the bucket's KMS key"
_GET_PERMISSIONS = "s3:GetObject on it, and kms:Decrypt on the bucket's KMS key"


class BundleStore:
    """The bucket for bundles of one environment."""

    def __init__(self, clients: AwsSession, *, owner: str, kms_key: str | None = None) -> None:
        """Args:
        clients: Of the environment.
        owner: Account that must own the bucket.
        kms_key: Encrypts new objects; None: as the bucket says.
        """
        self._clients = clients
        self._owner = owner
        self._kms_key = kms_key

    def put(self, target: Stored, content: bytes) -> str | None:
        """Save a bundle where there is none; returns how S3 encrypted it.

        Conditional writes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html. SSE-KMS
        without a key would take aws/s3, which no other account can use: so nothing is said of it where no key is named.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html

        Raises:
            ToolkitError: S3 does not take it, or something has that name already.
        """
        import botocore.exceptions

        s3 = self._clients.client("s3")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key} if self._kms_key else {}

        def put() -> str | None:
            try:
                answer: dict[str, Any] = s3.put_object(
                    Bucket=target.bucket,
                    Key=target.key,
                    Body=content,
                    ContentType="application/octet-stream",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
                    ExpectedBucketOwner=self._owner,
                    IfNoneMatch="*",
                    **encryption,
                )
            except botocore.exceptions.ClientError as e:
                answered = e.response["ResponseMetadata"]
                if answered["HTTPStatusCode"] == 412 and answered.get("RetryAttempts"):
                    return None  # an earlier attempt saved it, and its answer was lost; the name proves the content
                if answered["HTTPStatusCode"] in (409, 412):
                    raise ToolkitError(
                        "an object with this name is there already, or is being written: it was not replaced",
                        where=str(target),
                        hint="plan again: every plan has a name of its own",
                    ) from e
                raise self._explained(e, target, "s3:PutObject", _PUT_PERMISSIONS, "nothing was saved") from e
            return answer.get("ServerSideEncryption")

        return asked(f"s3:PutObject of {target}", put)

    def get(self, source: Stored, limit: int) -> bytes:
        """The bundle, whose content is proven by its name.

        Raises:
            BadPlanError: It is not there, too large, or not the one that its name says.
            ToolkitError: S3 does not give it.
        """
        import botocore.exceptions

        s3 = self._clients.client("s3")

        def get() -> bytes:
            try:
                answer = s3.get_object(Bucket=source.bucket, Key=source.key, ExpectedBucketOwner=self._owner)
            except botocore.exceptions.ClientError as e:
                raise self._explained(e, source, "s3:GetObject", _GET_PERMISSIONS, "nothing was applied") from e
            if answer["ContentLength"] > limit:
                raise BadPlanError(f"larger than {limit >> 20} MiB", where=str(source), hint="nothing was applied")
            body: bytes = answer["Body"].read()
            return body

        content = asked(f"s3:GetObject of {source}", get)
        source.demand(content)
        return content

    def _explained(self, error: Any, at: Stored, call: str, permissions: str, so: str) -> Exception:
        """A refusal of S3 in words; `error` itself where there are no better ones.

        S3 answers AccessDenied for another account's bucket (ExpectedBucketOwner), and for an object that is not there
        to those who may not list: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        code = error.response["Error"].get("Code", "")
        if code == "NoSuchBucket":
            return ToolkitError(f"there is no bucket {at.bucket}", where=str(at), hint=f"{so}; check its name")
        if code == "NoSuchKey":
            return BadPlanError(
                "there is no such object",
                where=str(at),
                hint=f"{so}; it was deleted (a lifecycle rule?) or never saved: plan again",
            )
        if code in ("AccessDenied", "403"):
            absent = "the object is not there (S3 says no more to those who may not list), or "
            absent = absent if call == "s3:GetObject" else ""
            return BadPlanError(
                f"{call} failed: {absent}the credentials lack {permissions}, or the bucket is not owned by account "
                f"{self._owner}",
                where=str(at),
                hint=f"{so}; check the role's policy and the bucket's; bundle.bucket_owner in environment.yaml "
                "names another owner",
                exit_code=None if call == "s3:GetObject" else ToolkitError.exit_code,
            )
        return error  # type: ignore[no-any-return]
