"""One bucket or key that cannot be read: the others are judged, and nothing passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from toolkit.audit.checks.buckets import OwnBlocks, bucket_policies
from toolkit.audit.checks.keys import KeyPolicies, KeyRotations, Keys
from toolkit.audit.checks.policies import ResourcePolicies
from toolkit.audit.facts import Fact
from toolkit.findings import Status
from toolkit.resources.reading import Live, Reason, Unreadable, UnreadableError

from .conftest import HOME, ask_of
from .test_recorded import ALL, BY_CHECK

OF_EACH = {
    "cloudtrail_log_bucket_blocks_public_access",
    "cloudtrail_logs_s3_bucket_access_logging_enabled",
    "cloudtrail_logs_s3_bucket_is_not_publicly_accessible",
    "kms_cmk_not_deleted_unintentionally",
    "kms_cmk_rotation_enabled",
    "kms_key_not_publicly_accessible",
    "s3_bucket_level_public_access_block",
    "s3_bucket_no_mfa_delete",
    "s3_bucket_policy_not_public",
    "s3_bucket_secure_transport_policy",
    "sns_topics_not_publicly_accessible",
    "sqs_queues_not_publicly_accessible",
    "awslambda_function_not_publicly_accessible",
    "secretsmanager_not_publicly_accessible",
    "eventbridge_bus_exposed",
    "glacier_vaults_policy_public_access",
}
"""Checks that everything has to pass, of what AWS answers one by one."""
HIDDEN = Unreadable("", HOME, "kms:GetKeyPolicy", Reason.DENIED, "the key 1234: not authorized")


@pytest.mark.parametrize("check", ALL)
def test_what_is_read_in_part_is_never_a_pass(check: str):
    kept = set()
    for case in BY_CHECK[check]:
        for wanted, answer in case.answers.items():
            result = ask_of(check, {**case.answers, wanted: (*answer, HIDDEN)}, case.scope)
            looked = any(str(HIDDEN) in one.evidence for one in result.outcomes)
            if not looked:  # the verdict does not rest on it
                assert result.status is case.expected
                continue
            assert result.status in (
                {Status.FAIL, Status.UNKNOWN} if case.expected is Status.FAIL else {Status.UNKNOWN}
            )
            assert not any(one.status is Status.PASS and one.resource is None for one in result.outcomes)
            kept |= {result.status} if case.expected is Status.FAIL else set()
    if check in OF_EACH:
        assert Status.FAIL in kept, "one that fails is hidden by one that cannot be read"


class Source:
    """An account with two of each, of which the second denies what is asked of it."""

    account_id, home_region, simulated = "123456789012", HOME, False

    def live(self, kind: str, _: str) -> tuple[Live, ...]:
        names = ("one", "two") if kind == "aws_s3_bucket" else ()
        return tuple(Live({"bucket": name}, {"bucket": name}, f"the bucket {name!r}", name) for name in names)

    def pages(self, service: str, operation: str, *_: Any, **__: Any) -> tuple[Any, ...]:
        listed = {
            "list_keys": ({"KeyId": "one"}, {"KeyId": "two"}),
            "list_aliases": (),
            "list_buckets": ({"Name": "one"}, {"Name": "two"}),
            "list_topics": ({"TopicArn": "arn:one"}, {"TopicArn": "arn:two"}),
        }
        return listed[operation]

    def call(self, service: str, operation: str, region: str, **parameters: Any) -> Any:
        of = str(next(parameters[name] for name in ("KeyId", "Bucket", "TopicArn") if name in parameters))
        if operation == "describe_key":
            kind = {
                "KeyManager": "CUSTOMER",
                "KeyState": "Enabled",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "Origin": "AWS_KMS",
            }
            return {"KeyMetadata": {"KeyId": of, "Arn": f"arn:{of}", **kind}}
        if of.endswith("two"):
            raise UnreadableError(f"{service}:{operation}", region, Reason.DENIED, "not authorized")
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return {
            "get_key_policy": {"Policy": "{}"},
            "get_key_rotation_status": {"KeyRotationEnabled": True},
            "get_bucket_policy": {"Policy": "{}"},
            "get_public_access_block": {"PublicAccessBlockConfiguration": dict.fromkeys(blocks, True)},
            "get_topic_attributes": {"Attributes": {"Policy": "{}"}},
        }[operation]

    def side_by_side(self, ask: Callable[[Any], Any], about: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(map(ask, about))


@pytest.mark.parametrize(
    ("fact", "called"),
    [
        (KeyPolicies(HOME), "the key two"),
        (KeyRotations(HOME), "the key two"),
        (bucket_policies(HOME), "the bucket 'two'"),
        (OwnBlocks(HOME), "the bucket 'two'"),
        (ResourcePolicies("topics", HOME), "arn:two"),
    ],
    ids=lambda one: str(getattr(one, "what", "")),
)
def test_one_that_denies_leaves_the_other(fact: Fact, called: str):
    one, two = fact.read(Source())  # type: ignore[arg-type]
    assert isinstance(one, Live)
    assert isinstance(two, Unreadable)
    assert (two.reason, two.message) == (Reason.DENIED, f"{called}: not authorized")
    assert len(Keys(HOME).read(Source())) == 2  # type: ignore[arg-type]
