"""What a bucket has already that a create would overwrite unseen: read as Terraform holds it.

Each case says what is there, what the plan would put in its place, and what the judge makes of it: the attribute that
gets weaker, or none where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError

from .conftest import BUCKET, ENVIRONMENT, KEY, Stubbed, bucket, existing, judged, plan_of, policy, statement

pytestmark = pytest.mark.usefixtures("aws")


def on_bucket(call: str, **arguments: Any) -> Callable[[], Any]:
    return lambda: getattr(bucket(), call)(Bucket=BUCKET, **arguments)


def lifecycle(*rules: dict[str, Any], versioned: bool = True) -> Callable[[], Any]:
    def make() -> None:
        s3 = bucket()
        if versioned:
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        if rules:
            s3.put_bucket_lifecycle_configuration(
                Bucket=BUCKET, LifecycleConfiguration={"Rules": [{"Status": "Enabled", "ID": "x", **r} for r in rules]}
            )

    return make


def logged_bucket() -> None:
    s3 = bucket(ObjectOwnership="BucketOwnerPreferred", ACL="log-delivery-write")
    target = {"TargetBucket": BUCKET, "TargetPrefix": "own/"}
    s3.put_bucket_logging(Bucket=BUCKET, BucketLoggingStatus={"LoggingEnabled": target})


def locked_bucket() -> None:
    s3 = bucket(ObjectLockEnabledForBucket=True)
    retention = {"Mode": "COMPLIANCE", "Years": 7}
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )


def keeps(days: int | None, noncurrent: int | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": "logs", "expiration": [], "noncurrent_version_expiration": []}
    if days:
        rule["expiration"] = [{"days": days}]
    if noncurrent:
        rule["noncurrent_version_expiration"] = [{"noncurrent_days": noncurrent}]
    return {"rule": [rule]}


def algorithm(name: str, key: str | None = None) -> dict[str, Any]:
    default = {"sse_algorithm": name, "kms_master_key_id": key}
    return {"rule": [{"apply_server_side_encryption_by_default": [default]}]}


def retention(mode: str, days: int) -> dict[str, Any]:
    return {"rule": [{"default_retention": [{"mode": mode, "days": days}]}]}


BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
EXPIRATION = "rule[0].expiration[0].days"
NONCURRENT = "rule[0].noncurrent_version_expiration[0].noncurrent_days"
DENY = statement("Deny", "s3:DeleteObject")
ALLOW = statement("Allow", "s3:GetObject")
PUBLIC = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
ENCRYPTED = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]
BESIDE_A_BUCKET: list[Any] = [
    # resource (after aws_s3_bucket_), what is there, what the plan sets, what gets weaker (None: nothing is said)
    ("policy", on_bucket("put_bucket_policy", Policy=policy(DENY)), {"policy": policy()}, {"policy"}),
    ("policy", on_bucket("put_bucket_policy", Policy=policy(ALLOW)), {"policy": policy(DENY)}, set()),
    ("policy", on_bucket("put_bucket_policy", Policy=policy(DENY)), {"policy": policy(DENY)}, None),
    ("policy", bucket, {"policy": policy(ALLOW)}, None),
    (
        "public_access_block",
        on_bucket("put_public_access_block", PublicAccessBlockConfiguration=PUBLIC),
        {**dict.fromkeys(BLOCKS, True), "block_public_policy": False},
        {"block_public_policy"},
    ),
    (
        "public_access_block",
        on_bucket("put_public_access_block", PublicAccessBlockConfiguration=PUBLIC),
        dict.fromkeys(BLOCKS, True),
        None,
    ),
    (
        "versioning",
        on_bucket("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}),
        {"versioning_configuration": [{"status": "Suspended"}]},
        {"versioning_configuration[0].status"},
    ),
    ("versioning", bucket, {"versioning_configuration": [{"status": "Enabled"}]}, None),
    (
        "ownership_controls",
        on_bucket("put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
        {"rule": [{"object_ownership": "BucketOwnerEnforced"}]},
        set(),
    ),
    (
        "server_side_encryption_configuration",
        on_bucket("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": ENCRYPTED}),
        algorithm("AES256"),
        {
            "rule[0].apply_server_side_encryption_by_default[0].sse_algorithm",
            "rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id",
        },
    ),
    (
        "server_side_encryption_configuration",
        on_bucket("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": ENCRYPTED}),
        algorithm("aws:kms", KEY),
        None,
    ),
    ("logging", logged_bucket, {"target_bucket": "example-elsewhere", "target_prefix": "x/"}, {"target_bucket"}),
    ("logging", bucket, {"target_bucket": "example-elsewhere", "target_prefix": "x/"}, None),
    (
        "object_lock_configuration",
        locked_bucket,
        retention("GOVERNANCE", 365),
        {"rule[0].default_retention[0].mode", "rule[0].default_retention[0].days"},
    ),
    ("object_lock_configuration", locked_bucket, retention("COMPLIANCE", 7 * 365), None),
    # Without a lifecycle everything stays: a first one starts to delete.
    ("lifecycle_configuration", lifecycle(), keeps(365, 90), {EXPIRATION, NONCURRENT}),
    ("lifecycle_configuration", lifecycle(versioned=False), keeps(365, 90), {EXPIRATION}),
    ("lifecycle_configuration", lifecycle(versioned=False), keeps(None, 90), None),
    ("lifecycle_configuration", lifecycle({"Filter": {}, "Expiration": {"Days": 730}}), keeps(365, None), {EXPIRATION}),
    ("lifecycle_configuration", lifecycle({"Prefix": "", "Expiration": {"Days": 30}}), keeps(365, None), set()),
    # What is about some objects says nothing about the others, which were kept.
    (
        "lifecycle_configuration",
        lifecycle({"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}),
        keeps(365, None),
        {EXPIRATION},
    ),
]


@pytest.mark.parametrize(("kind", "make", "planned", "weaker"), BESIDE_A_BUCKET)
def test_settings_of_a_bucket_that_exists(
    kind: str,
    make: Callable[[], Any],
    planned: dict[str, Any],
    weaker: set[str] | None,
    list_and_search_agree: Callable[..., None],
):
    bucket_itself = ("aws_s3_bucket", {"bucket": BUCKET})
    resource, values = f"aws_s3_bucket_{kind}", {"bucket": BUCKET, **planned}
    plan = plan_of("cloudtrail", resource, values, imports=bucket_itself)
    assert existing(plan) is None, "there is no bucket yet"
    make()
    found = judged(plan)
    if weaker is None:
        assert found == []
        return
    list_and_search_agree(AwsSession(ENVIRONMENT, {}), resource, {"bucket": BUCKET})
    assert {f.attribute for f in found if f.blocks} == weaker
    assert all(f"bucket '{BUCKET}'" in f.summary for f in found)
    # What the create overwrites is told, and with which line it becomes visible as a change.
    assert f": '{BUCKET}' under `imports`" in found[-1].remedy


def test_a_bucket_of_ours_that_an_interrupt_left_without_a_lifecycle_gets_it_unasked():
    lifecycle()()
    values = {"bucket": BUCKET, **keeps(365, 90)}
    assert existing(plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values)) is None
    # Another bucket that is imported says nothing about it.
    other = ("aws_s3_bucket", {"bucket": "example-other"})
    assert existing(plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values, imports=other)) is None


def test_an_interval_of_years_is_told_in_days():
    locked_bucket()
    planned = {"bucket": BUCKET, **retention("COMPLIANCE", 365)}
    weakens, _note = judged(plan_of("cloudtrail", "aws_s3_bucket_object_lock_configuration", planned))
    assert weakens.evidence == "2555 → 365"


def test_a_policy_that_is_overwritten_is_told_by_its_statements():
    bucket().put_bucket_policy(Bucket=BUCKET, Policy=policy(ALLOW))
    (note,) = judged(plan_of("cloudtrail", "aws_s3_bucket_policy", {"bucket": BUCKET, "policy": policy(DENY)}))
    assert "policy: - Allow AllowIt: s3:GetObject" in note.evidence
    assert "policy: + Deny DenyIt: s3:DeleteObject" in note.evidence


def test_versions_of_which_some_are_kept_are_not_all_expired():
    some = {"NoncurrentDays": 10, "NewerNoncurrentVersions": 5}
    rule = {"ID": "x", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": some}
    answers = (
        ("get_bucket_lifecycle_configuration", {"Rules": [rule]}),
        ("get_bucket_versioning", {"Status": "Enabled"}),
    )
    values = {"bucket": BUCKET, **keeps(None, 90)}
    plan = plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values)
    weakens, _note = judged(plan, Stubbed("s3", *answers))
    assert (weakens.attribute, weakens.evidence) == (NONCURRENT, "5 noncurrent versions kept → 0")


def test_another_accounts_bucket_is_nothing_of_ours_but_a_denial_of_ours_is_an_error():
    plan = plan_of("cloudtrail", "aws_s3_bucket_policy", {"bucket": BUCKET, "policy": policy(DENY)})
    theirs = Stubbed("s3", ("get_bucket_policy", "AccessDenied"), ("list_buckets", {"Buckets": []}))
    assert existing(plan, theirs) is None
    ours = Stubbed("s3", ("get_bucket_policy", "AccessDenied"), ("list_buckets", {"Buckets": [{"Name": BUCKET}]}))
    with pytest.raises(ToolkitError, match=r"s3:GetBucketPolicy in eu-central-1: denied \(AccessDenied"):
        existing(plan, ours)
