"""Amazon S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from toolkit.resources.base import (
    COST,
    ELSEWHERE,
    FORMAT,
    IDENTITY,
    LEFT_ALONE,
    PLACE,
    Irreversible,
    ResourceType,
    Strength,
    Stronger,
    each,
)
from toolkit.resources.price import Free, Price, Step
from toolkit.resources.reading import Account, Live, OnCreate, Reading, Reason, UnreadableError, found_for

_PUBLIC_ACCESS = each(
    Stronger.TRUE, "block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"
)
_TYPED_IN = "a code from an MFA device, or a token of AWS's support, for one call"


def _buckets(account: Account, region: str) -> Iterator[Live]:
    def where(bucket: Mapping[str, Any]) -> str:
        return bucket.get("BucketRegion") or _region_of(account, bucket["Name"])

    every = _ours(account)
    for bucket, its_region in zip(every, account.side_by_side(where, every), strict=True):
        if its_region == region:
            yield _bucket(bucket["Name"])


def _bucket(name: str) -> Live:
    return Live({"bucket": name}, {"bucket": name}, f"the bucket {name!r}", name, arn=f"arn:aws:s3:::{name}")


def _contents(account: Account, region: str, values: Mapping[str, Any]) -> str | None:
    """Versions and delete markers, too: what was deleted in a versioned bucket is still there."""
    request = {"Bucket": values["bucket"], "MaxKeys": 1}
    answer = account.call("s3", "list_object_versions", region, absent=(_NO_BUCKET,), first=True, **request) or {}
    found = next(iter((*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))), None)
    return None if found is None else f"the bucket has objects, such as {found['Key']}"


def _ours(account: Account) -> tuple[Mapping[str, Any], ...]:
    """The account's buckets, of every region. Another account's cannot be seen from here; AWS refuses their names.

    Called with a parameter, S3 says in which region each is (S3 API Reference, Bucket, BucketRegion).
    """
    return account.pages("s3", "list_buckets", "Buckets", account.home_region, MaxBuckets=_MOST)


_MOST = 1000


def _region_of(account: Account, name: str) -> str:
    """S3 API Reference, GetBucketLocation: us-east-1 is answered as null, EU stands for eu-west-1."""
    answer = account.call("s3", "get_bucket_location", account.home_region, Bucket=name) or {}
    where = answer.get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if where == "EU" else str(where)


def _find_bucket(account: Account, _: str, planned: Mapping[str, Any]) -> Live | None:
    name = planned["bucket"]
    return _bucket(name) if any(bucket["Name"] == name for bucket in _ours(account)) else None


Planned = Mapping[str, Any]
Values = Callable[[Account, str, Mapping[str, Any], Planned], Mapping[str, Any] | None]
"""Values from an answer about the bucket of a planned resource, empty where S3 says that none is set; None: none is.

An answer that is not empty has the configuration, or is unreadable; of versioning and logging, which have no error for
"none is set", it has nothing then (GetBucketVersioning, GetBucketLogging)."""


def _beside(operation: str, actions: str, what: str, values: Values, unset: str = "", **more: Any) -> Reading:
    """What is set on a bucket. Every Put of it replaces what was there (PutBucketPolicy, PutBucketVersioning, …).

    Args:
        operation: Method of boto3's client that takes the bucket's name alone.
        actions: The IAM actions of S3, parted by spaces.
        what: What it is, for people.
        values: Makes the values from the answer.
        unset: Error code with which S3 says that the bucket has none.
        **more: Further arguments of `Reading`.
    """

    def find(account: Account, region: str, planned: Planned) -> Live | None:
        name = planned["bucket"]
        try:
            answer = account.call("s3", operation, region, absent=(unset,) if unset else (), Bucket=name) or {}
            found = values(account, region, answer, planned)
        except UnreadableError as e:
            # Denied is also what S3 says about another account's bucket, of which nothing can be overwritten.
            is_there = e.reason is not Reason.DENIED or _find_bucket(account, region, planned)
            if e.message.startswith(f"{_NO_BUCKET}:") or not is_there:
                return None
            raise
        if found is None:
            return None
        # A new bucket has none of it.
        settings = (name for name in answer if name != "ResponseMetadata")
        default = next(settings, None) is None
        called = f"the {what} the bucket {name!r}"
        return Live({"bucket": name}, {"bucket": name, **found}, called, name, by_default=default)

    def lists(account: Account, region: str) -> Iterator[Live]:
        yield from found_for(account, region, find, (one.key for one in account.live("aws_s3_bucket", region)))

    needed = (f"s3:{action}" for action in actions.split())
    return Reading(lists, OnCreate.OVERWRITES, finds=find, quiet=True, actions=(*_LISTING, *needed), **more)


_NO_BUCKET = "NoSuchBucket"
_LISTING = ("s3:ListAllMyBuckets", "s3:GetBucketLocation")


def _policy(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    return {"policy": answer["Policy"]} if answer else None


_BLOCKS = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


def _blocks(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    if not answer:
        return None
    block = answer["PublicAccessBlockConfiguration"]
    return {ours: block.get(theirs, False) for ours, theirs in _BLOCKS.items()}


def _ownership(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    if not answer:
        return None
    return {"rule": [{"object_ownership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}]}


def _versioning(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    if "Status" not in answer:
        # Never switched on.
        return None
    mfa = {"mfa_delete": answer["MFADelete"]} if "MFADelete" in answer else {}
    return {"versioning_configuration": [{"status": answer["Status"], **mfa}]}


def _encryption(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    if not answer:
        return None
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    # A bucket key is about cost alone.
    applied = {"sse_algorithm": default.get("SSEAlgorithm"), "kms_master_key_id": default.get("KMSMasterKeyID")}
    return {"rule": [{"apply_server_side_encryption_by_default": [applied]}]}


def _logging(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    if "LoggingEnabled" not in answer:
        return None
    logging = answer["LoggingEnabled"]
    values = {"target_bucket": logging["TargetBucket"], "target_prefix": logging["TargetPrefix"]}
    grants = [{"permission": one.get("Permission")} for one in logging.get("TargetGrants", ())]
    return {**values, "target_grant": grants}


def _object_lock(_: Account, __: str, answer: Mapping[str, Any], ___: Planned) -> Mapping[str, Any] | None:
    retention = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention") if answer else None
    if not retention:
        return None
    # The modules set days; S3 keeps days or years, and counts a year as 365 days.
    days = retention.get("Days") or 365 * retention["Years"]
    return {"rule": [{"default_retention": [{"mode": retention["Mode"], "days": days}]}]}


def _lifecycle(account: Account, region: str, answer: Mapping[str, Any], planned: Planned) -> Mapping[str, Any] | None:
    """What the bucket deletes, and after how many days; without a lifecycle nothing, and a create may end that."""
    versioning = account.call("s3", "get_bucket_versioning", region, Bucket=planned["bucket"]) or {}
    rules = [_lifecycle_rule(rule) for rule in answer.get("Rules", ())]
    if "Status" not in versioning:
        # Never versioned: there are no noncurrent versions that an expiration could take away.
        rules = _with_planned_noncurrent(rules, planned.get("rule"))
    return {"rule": rules}


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


def _account_blocks(account: Account, region: str) -> Iterator[Live]:
    answer = account.call(
        "s3control",
        "get_public_access_block",
        region,
        absent=("NoSuchPublicAccessBlockConfiguration",),
        AccountId=account.account_id,
    )
    values = _blocks(account, region, answer or {}, {})
    if values is not None:
        yield Live({}, values, "the account's block of public access to S3", account.account_id)


_OBJECT_LOCK = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"


def _moves(step: Step) -> bool:
    """Whether a lifecycle configuration moves objects to a storage class that it did not move them to before."""

    def blocks(values: Any, name: str) -> list[Mapping[str, Any]]:
        found = values.get(name)
        return [block for block in found if isinstance(block, Mapping)] if isinstance(found, list) else []

    def classes(values: Mapping[str, Any]) -> set[str]:
        return {
            str(move.get("storage_class"))
            for rule in blocks(values, "rule")
            for kind in ("transition", "noncurrent_version_transition")
            for move in blocks(rule, kind)
        }

    return bool(classes(step.after) - classes(step.before))


_PRICES = "https://aws.amazon.com/s3/pricing/"
_FREE = Free(
    "a setting of S3; what is kept and requested bills with the bucket, requests for encryption with the key",
    "https://aws.amazon.com/s3/pricing/",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_s3_account_public_access_block",
        price=_FREE,
        reading=Reading(
            _account_blocks, OnCreate.OVERWRITES, is_global=True, actions=("s3:GetAccountPublicAccessBlock",)
        ),
        strengths=_PUBLIC_ACCESS,
        no_weaker_side={IDENTITY: "account_id"},
    ),
    ResourceType(
        "aws_s3_bucket",
        price=Price(
            "S3 bucket",
            "0.023 per GB and month in S3 Standard; 0.005 per 1,000 writes",
            _PRICES,
            "2026-11-28",
            driver="volume of logs and how long they are kept",
            regions="0.024 per GB in eu-west-3",
        ),
        key=("bucket",),
        contents=_contents,
        reading=Reading(
            _buckets,
            OnCreate.COLLIDES,
            finds=_find_bucket,
            actions=_LISTING,
            unread={
                "Terraform's alone, which AWS does not know": "force_destroy",
                "aws_s3_bucket_object_lock_configuration reads it": "object_lock_enabled",
            },
        ),
        strengths=(
            Strength("force_destroy", Stronger.FALSE),
            Strength("object_lock_enabled", Stronger.TRUE, by_aws=True),
        ),
        no_weaker_side={
            IDENTITY: "bucket bucket_prefix",
            LEFT_ALONE: "acceleration_status acl cors_rule grant replication_configuration request_payer website",
            ELSEWHERE: "policy lifecycle_rule logging object_lock_configuration server_side_encryption_configuration "
            "versioning",
        },
        sets=(
            "grant",
            "lifecycle_rule.noncurrent_version_transition",
            "lifecycle_rule.transition",
            "replication_configuration.rules",
        ),
    ),
    ResourceType(
        "aws_s3_bucket_lifecycle_configuration",
        price=Price(
            "S3 lifecycle transition",
            (
                "per 1,000 objects moved: 0.01 to Standard-IA or One Zone-IA, 0.02 to Glacier Instant "
                "Retrieval, 0.03 to Glacier, 0.05 to Deep Archive"
            ),
            _PRICES,
            "2026-11-28",
            driver="number of objects that get old enough",
            regions="AWS's page says that prices depend on the bucket's region",
            unconfirmed="all of it",
            starts=_moves,
        ),
        key=("bucket",),
        reading=_beside(
            "get_bucket_lifecycle_configuration",
            "GetLifecycleConfiguration GetBucketVersioning",
            "lifecycle of",
            _lifecycle,
            "NoSuchLifecycleConfiguration",
            default_with="aws_s3_bucket",
        ),
        strengths=(Strength("rule", Stronger.KEPT),),
        keys={"rule": ("id",)},
        sets=("rule.noncurrent_version_transition", "rule.transition"),
        no_weaker_side={
            IDENTITY: "bucket expected_bucket_owner",
            COST: "transition_default_minimum_object_size",
        },
    ),
    ResourceType(
        "aws_s3_bucket_logging",
        price=_FREE,
        key=("bucket",),
        reading=_beside("get_bucket_logging", "GetBucketLogging", "access logging of", _logging),
        strengths=(
            Strength("target_bucket", Stronger.SAME),
            Strength("target_grant", Stronger.SUBSET, unset_is_strongest=True),
        ),
        no_weaker_side={
            IDENTITY: "bucket expected_bucket_owner",
            PLACE: "target_prefix",
            FORMAT: "target_object_key_format",
        },
        sets=("target_grant",),
    ),
    ResourceType(
        "aws_s3_bucket_object_lock_configuration",
        price=_FREE,
        key=("bucket",),
        reading=_beside(
            "get_object_lock_configuration",
            "GetBucketObjectLockConfiguration",
            "object lock of",
            _object_lock,
            "ObjectLockConfigurationNotFoundError",
            unread={"Enabled is its only value": "object_lock_enabled"},
        ),
        strengths=(
            Strength("object_lock_enabled", Stronger.PRESENT),
            Strength("rule[0].default_retention[0].mode", Stronger.ORDER, order=("GOVERNANCE", "COMPLIANCE")),
            Strength(
                "rule[0].default_retention[0].days",
                Stronger.HIGHER,
                otherwise=("rule[0].default_retention[0].years", 365),
            ),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", _TYPED_IN: "token"},
        irreversible=(
            Irreversible(
                "Object Lock cannot be disabled for the bucket, nor its versioning suspended.",
                f"{_OBJECT_LOCK}object-lock-configure.html, read on 2026-11-28",
            ),
            Irreversible(
                "No user, not even root, can delete an object of the bucket or shorten its retention before that ends.",
                f"{_OBJECT_LOCK}object-lock.html, read on 2026-11-28",
                "rule[0].default_retention[0].mode",
                ("COMPLIANCE",),
                higher=("rule[0].default_retention[0].days", "rule[0].default_retention[0].years"),
            ),
        ),
    ),
    ResourceType(
        "aws_s3_bucket_ownership_controls",
        price=_FREE,
        key=("bucket",),
        reading=_beside(
            "get_bucket_ownership_controls",
            "GetBucketOwnershipControls",
            "object ownership of",
            _ownership,
            "OwnershipControlsNotFoundError",
        ),
        strengths=(
            Strength(
                "rule[0].object_ownership",
                Stronger.ORDER,
                order=("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"),
            ),
        ),
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_policy",
        price=_FREE,
        key=("bucket",),
        reading=_beside("get_bucket_policy", "GetBucketPolicy", "policy of", _policy, "NoSuchBucketPolicy"),
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_public_access_block",
        price=_FREE,
        key=("bucket",),
        reading=_beside(
            "get_public_access_block",
            "GetBucketPublicAccessBlock",
            "block of public access to",
            _blocks,
            "NoSuchPublicAccessBlockConfiguration",
        ),
        strengths=_PUBLIC_ACCESS,
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_server_side_encryption_configuration",
        price=_FREE,
        key=("bucket",),
        reading=_beside(
            "get_bucket_encryption",
            "GetEncryptionConfiguration",
            "encryption of",
            _encryption,
            "ServerSideEncryptionConfigurationNotFoundError",
        ),
        strengths=(
            Strength(
                "rule[0].apply_server_side_encryption_by_default[0].sse_algorithm",
                Stronger.ORDER,
                order=("AES256", "aws:kms", "aws:kms:dsse"),
            ),
            Strength("rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id", Stronger.KEY),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", COST: "rule.bucket_key_enabled"},
        single=("rule",),
    ),
    ResourceType(
        "aws_s3_bucket_versioning",
        price=_FREE,
        key=("bucket",),
        reading=_beside("get_bucket_versioning", "GetBucketVersioning", "versioning of", _versioning),
        strengths=(
            Strength("versioning_configuration[0].status", Stronger.ORDER, order=("Disabled", "Suspended", "Enabled")),
            Strength(
                "versioning_configuration[0].mfa_delete", Stronger.ORDER, order=("Disabled", "Enabled"), by_aws=True
            ),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", _TYPED_IN: "mfa"},
    ),
)
