"""Readers of S3: buckets, what is set on them, and the account's block of public access.

Every Put of a bucket's setting replaces what stood there (S3 API Reference: PutBucketPolicy,
PutBucketLifecycleConfiguration …), so beside a bucket that exists already, each create overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change

_PUBLIC_ACCESS = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


def _bucket(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "bucket")
    # Another account's bucket of that name cannot be seen from here; AWS then refuses the create.
    if name is None or not _is_ours(clients, change, name):
        return None
    return Existing({}, False, name, f"the bucket {name!r}")


def _is_ours(clients: ClientFactory, change: Change, name: str) -> bool:
    return any(bucket["Name"] == name for bucket in clients.listed("s3", "list_buckets", "Buckets", change.region))


def _answer(clients: ClientFactory, change: Change, call: str, unset: str = "") -> Mapping[str, Any] | None:
    """What S3 answers to `call` about the bucket of a create; None where it has no such bucket of ours.

    Args:
        clients: Makes the client.
        change: The create, of something with the argument `bucket`.
        call: Method of boto3's client that takes the bucket's name alone.
        unset: Error code with which S3 says that the bucket has none of it, which is an empty answer here.
    """
    name = named(change, "bucket")
    if name is None:
        return None
    s3 = clients.client("s3", change.region)
    try:
        answer: Mapping[str, Any] = getattr(s3, call)(Bucket=name)
    except s3.exceptions.ClientError as e:
        code = e.response["Error"]["Code"]
        if code == unset:
            return {}
        # Denied is also what S3 says about another account's bucket, of which nothing can be overwritten.
        if code == "NoSuchBucket" or (code == "AccessDenied" and not _is_ours(clients, change, name)):
            return None
        raise
    return answer


def _bucket_policy(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_bucket_policy", "NoSuchBucketPolicy")
    if not answer:
        return None
    name = named(change, "bucket")
    return overwriting(change, {"policy": answer["Policy"]}, name, f"the policy of the bucket {name!r}")


def _bucket_public_access_block(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
    if not answer:
        return None
    name, block = named(change, "bucket"), answer["PublicAccessBlockConfiguration"]
    values = {ours: block.get(theirs, False) for ours, theirs in _PUBLIC_ACCESS.items()}
    return overwriting(change, values, name, f"the block of public access to the bucket {name!r}")


def _bucket_ownership(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_bucket_ownership_controls", "OwnershipControlsNotFoundError")
    if not answer:
        return None
    name = named(change, "bucket")
    values = {"rule": [{"object_ownership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}]}
    return overwriting(change, values, name, f"the object ownership of the bucket {name!r}")


def _bucket_versioning(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_bucket_versioning")
    if not answer or "Status" not in answer:
        # No status: never switched on.
        return None
    name = named(change, "bucket")
    values = {"versioning_configuration": [{"status": answer["Status"]}]}
    return overwriting(change, values, name, f"the versioning of the bucket {name!r}")


def _bucket_encryption(clients: ClientFactory, change: Change) -> Existing | None:
    unset = "ServerSideEncryptionConfigurationNotFoundError"
    answer = _answer(clients, change, "get_bucket_encryption", unset)
    if not answer:
        return None
    name = named(change, "bucket")
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    # A bucket key is about cost alone.
    applied = {
        "sse_algorithm": default.get("SSEAlgorithm"),
        "kms_master_key_id": default.get("KMSMasterKeyID"),
    }
    values = {"rule": [{"apply_server_side_encryption_by_default": [applied]}]}
    return overwriting(change, values, name, f"the encryption of the bucket {name!r}")


def _bucket_logging(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_bucket_logging")
    if not answer or "LoggingEnabled" not in answer:
        return None
    name, logging = named(change, "bucket"), answer["LoggingEnabled"]
    values = {"target_bucket": logging["TargetBucket"], "target_prefix": logging["TargetPrefix"]}
    return overwriting(change, values, name, f"the access logging of the bucket {name!r}")


def _bucket_object_lock(clients: ClientFactory, change: Change) -> Existing | None:
    answer = _answer(clients, change, "get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
    retention = (answer or {}).get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
    if not retention:
        return None
    name = named(change, "bucket")
    # The modules set days; S3 keeps days or years, and counts a year as 365 days.
    days = retention.get("Days") or 365 * retention["Years"]
    values = {"rule": [{"default_retention": [{"mode": retention["Mode"], "days": days}]}]}
    return overwriting(change, values, name, f"the object lock of the bucket {name!r}")


def _bucket_lifecycle(clients: ClientFactory, change: Change) -> Existing | None:
    """What the bucket deletes, and after how many days; without a lifecycle nothing, and a create may end that."""
    answer = _answer(clients, change, "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
    versioning = _answer(clients, change, "get_bucket_versioning")
    if answer is None or versioning is None:
        return None
    name = named(change, "bucket")
    rules = [_lifecycle_rule(rule) for rule in answer.get("Rules", ())]
    if "Status" not in versioning:
        # Never versioned: there are no noncurrent versions that an expiration could take away.
        rules = _with_planned_noncurrent(rules, change.after.get("rule"))
    # A new bucket has none.
    return overwriting(change, {"rule": rules}, name, f"the lifecycle of the bucket {name!r}", default=not answer)


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as Terraform holds it, as far as it says what is deleted, and when."""
    filters, expiration = rule.get("Filter", {}), rule.get("Expiration", {})
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    return {
        "id": rule.get("ID"),
        "status": rule["Status"],
        # The older form of a filter stands beside it.
        "prefix": rule.get("Prefix"),
        "filter": [_lifecycle_filter(filters)] if filters else [],
        "expiration": [{"days": expiration.get("Days"), "date": _day(expiration.get("Date"))}],
        "noncurrent_version_expiration": [
            {
                "noncurrent_days": noncurrent.get("NoncurrentDays"),
                "newer_noncurrent_versions": noncurrent.get("NewerNoncurrentVersions"),
            }
        ],
    }


def _lifecycle_filter(found: Mapping[str, Any]) -> dict[str, Any]:
    both = found.get("And")
    tag = found.get("Tag")
    return {
        "prefix": found.get("Prefix"),
        "object_size_greater_than": found.get("ObjectSizeGreaterThan"),
        "object_size_less_than": found.get("ObjectSizeLessThan"),
        "tag": [{"key": tag["Key"], "value": tag["Value"]}] if tag else [],
        "and": [{**_lifecycle_filter(both), "tags": {t["Key"]: t["Value"] for t in both.get("Tags", ())}}]
        if both
        else [],
    }


def _day(date: Any) -> str | None:
    return date.isoformat() if isinstance(date, datetime) else date


def _with_planned_noncurrent(rules: list[dict[str, Any]], planned: Any) -> list[dict[str, Any]]:
    """The rules, as if what the plan expires of noncurrent versions were expired already."""
    named = {rule["id"]: rule for rule in rules}
    for one in planned if isinstance(planned, list) else ():
        same = named.get(one.get("id")) or {**one, "expiration": [{"days": None, "date": None}]}
        named[one.get("id")] = {**same, "noncurrent_version_expiration": one.get("noncurrent_version_expiration")}
    return list(named.values())


def _account_public_access_block(clients: ClientFactory, _change: Change) -> Existing | None:
    control = clients.client("s3control")
    account = clients.account_id
    try:
        block = control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    except control.exceptions.NoSuchPublicAccessBlockConfiguration:
        return None
    values = {ours: block.get(theirs, False) for ours, theirs in _PUBLIC_ACCESS.items()}
    return Existing(values, True, account, "the account's block of public access to S3")


READERS: dict[str, Reader] = {
    "aws_s3_bucket": _bucket,
    "aws_s3_bucket_policy": _bucket_policy,
    "aws_s3_bucket_public_access_block": _bucket_public_access_block,
    "aws_s3_bucket_ownership_controls": _bucket_ownership,
    "aws_s3_bucket_versioning": _bucket_versioning,
    "aws_s3_bucket_server_side_encryption_configuration": _bucket_encryption,
    "aws_s3_bucket_lifecycle_configuration": _bucket_lifecycle,
    "aws_s3_bucket_logging": _bucket_logging,
    "aws_s3_bucket_object_lock_configuration": _bucket_object_lock,
    "aws_s3_account_public_access_block": _account_public_access_block,
}
