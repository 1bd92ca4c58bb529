"""S3, corrected."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from toolkit.sandbox.patches.base import Method, Patch


def _bucket_permission(_original: Method) -> Method:
    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        # Whoever talks to the embedded AWS stands for somebody who talks to AWS through TLS.
        met = [s for s in statements if not _asks_for_plain_http(s.get("Condition", {}))]
        return IAMPolicy(json.dumps({**policy, "Statement": met})).is_action_permitted(action, resource)

    return get_permission


def _object_retention(original: Method) -> Method:
    def get(self: S3Response, query: dict[str, Any], key_name: str) -> Any:
        if "retention" not in query:
            return original(self, query, key_name)
        self.data["Action"] = "GetObjectRetention"  # by which moto shapes an error, too
        key, _ = self._get_key()
        if not key.lock_mode:
            raise S3ClientError("NoSuchObjectLockConfiguration", "The object has no retention.")
        return self.serialized(ActionResult({"Retention": {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}}))

    return get


def _bucket_regions(original: Method) -> Method:
    def all_buckets(self: S3Response) -> Any:
        if not any(self._get_param(name) for name in ("bucket-region", "continuation-token", "max-buckets", "prefix")):
            return original(self)
        serialized = self.serialized

        def with_regions(found: Any) -> Any:
            for bucket in found.result["Buckets"]:
                bucket["BucketRegion"] = self.backend.get_bucket(bucket["Name"]).region_name
            return serialized(found)

        self.serialized = with_regions  # type: ignore[method-assign, assignment] # of this one response
        return original(self)

    return all_buckets


def _asks_for_plain_http(condition: dict[str, Any]) -> bool:
    return str(condition.get("Bool", {}).get("aws:SecureTransport")).lower() in ("false", "['false']")


PATCHES = (
    Patch(
        name="s3-tls-only-policy",
        owner=FakeBucket,
        method="get_permission",
        reason="moto takes a Deny whose condition is not met for one that is met, so a bucket that denies plain HTTP "
        "denies every object, to Terraform's S3 backend too. S3 API, GetObject: such a policy denies nothing to "
        "requests through TLS (S3 User Guide, 'Restrict access to only HTTPS requests').",
        correct=_bucket_permission,
    ),
    Patch(
        name="s3-object-retention",
        owner=S3Response,
        method="_key_response_get",
        reason="moto answers GetObjectRetention with the object itself. S3 API, GetObjectRetention: mode and date, or "
        "NoSuchObjectLockConfiguration. A destroy reads what Object Lock keeps.",
        correct=_object_retention,
    ),
    Patch(
        name="s3-bucket-region",
        owner=S3Response,
        method="all_buckets",
        reason="moto leaves out where a bucket is. S3 API, Bucket, BucketRegion: 'If the request contains at least one "
        "valid parameter, it is included in the response'. Without it, a scan calls GetBucketLocation for each bucket.",
        correct=_bucket_regions,
    ),
)
