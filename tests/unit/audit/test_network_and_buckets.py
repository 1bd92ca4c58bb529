"""VPCs and buckets: each check in both directions, at its limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.audit.checks.buckets import OwnBlocks, bucket_policies
from toolkit.audit.checks.network import FlowLogs
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Ask
from .recorded_network import log, vpc

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE


def group(*ingress: str, egress: tuple[str, ...] = ()) -> Live:
    return Live({"vpc_id": "vpc-1"}, {"ingress": list(ingress), "egress": list(egress)}, "the rules of sg-1", "sg-1")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), NOT_APPLICABLE),
        ((group(),), PASS),
        ((group("everything from sg-1"),), FAIL),
        ((group(egress=("everything to 0.0.0.0/0",)),), FAIL),
        ((group(), group("everything from sg-1")), FAIL),
    ],
)
def test_default_security_groups(ask: Ask, groups: tuple[Live, ...], expected: Status):
    answers = {Every("aws_default_security_group", HOME): groups}
    assert ask("ec2_securitygroup_default_restrict_traffic", answers).status is expected


@pytest.mark.parametrize(
    ("vpcs", "logs", "expected"),
    [
        ((), (), NOT_APPLICABLE),
        ((vpc(),), (), FAIL),
        ((vpc(),), (log(),), PASS),
        ((vpc(),), (log(traffic_type="REJECT"),), PASS),
        ((vpc(),), (log(traffic_type="ACCEPT"),), FAIL),
        ((vpc(),), (log(status="INACTIVE"),), FAIL),
        ((vpc(),), (log(delivery="FAILED", error="Access error"),), FAIL),
        ((vpc(),), (log(delivery="FAILED"), log()), PASS),
        ((vpc(),), (log("vpc-2"),), FAIL),
        ((vpc(), vpc("vpc-2")), (log(),), FAIL),
        ((vpc(owner="111122223333"),), (), NOT_APPLICABLE),
    ],
)
def test_flow_logs(ask: Ask, vpcs: tuple[Live, ...], logs: tuple[Live, ...], expected: Status):
    answers: dict[Any, Any] = {Every("aws_vpc", HOME): vpcs, FlowLogs(HOME): logs}
    assert ask("vpc_flow_logs_enabled", answers).status is expected


BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def blocks(*lacking: str, of: str = "the bucket 'b'") -> Live:
    return Live({"bucket": "b"}, {name: name not in lacking for name in BLOCKS}, of, "b")


@pytest.mark.parametrize(
    ("account", "buckets", "expected"),
    [
        ((), (), NOT_APPLICABLE),
        ((), (blocks(),), PASS),
        *(((), (blocks(), blocks(one)), FAIL) for one in BLOCKS),
        ((blocks(),), (), PASS),
        ((blocks(BLOCKS[0]),), (blocks(BLOCKS[0]),), FAIL),
        ((blocks(BLOCKS[0]),), (blocks(*BLOCKS[1:]),), PASS),
    ],
)
def test_blocks_of_public_access(ask: Ask, account: tuple[Live, ...], buckets: tuple[Live, ...], expected: Status):
    answers: dict[Any, Any] = {
        Every("aws_s3_account_public_access_block", HOME): account,
        OwnBlocks(HOME): buckets,
    }
    assert ask("s3_bucket_level_public_access_block", answers).status is expected


def test_the_accounts_block_is_named_where_it_is_what_blocks(ask: Ask):
    answers: dict[Any, Any] = {Every("aws_s3_account_public_access_block", HOME): (blocks(),), OwnBlocks(HOME): ()}
    (said,) = ask("s3_bucket_level_public_access_block", answers).outcomes
    assert "the account's block" in said.evidence


BOTH = ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]
HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def deny(**changes: Any) -> dict[str, Any]:
    made = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BOTH, "Condition": HTTP, **changes}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([deny()], PASS),
        ([deny(Principal={"AWS": "*"})], PASS),
        ([deny(Action="*")], PASS),
        ([deny(Condition={"Bool": {"aws:securetransport": False}})], PASS),
        ([deny(Condition={"BoolIfExists": {"aws:SecureTransport": "false"}})], PASS),
        ([deny(Resource="*")], PASS),
        ([deny(Resource="arn:aws:s3:::b*")], PASS),
        ([deny(Resource=["arn:aws-us-gov:s3:::b", "arn:aws-us-gov:s3:::b/*"])], PASS),
        ([deny(Resource=BOTH[0]), deny(Resource=BOTH[1])], PASS),
        ([deny(Resource=BOTH[0])], FAIL),
        ([deny(Resource=BOTH[1])], FAIL),
        ([deny(Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/logs/*"])], FAIL),
        ([deny(Resource=["arn:aws:s3:::c", "arn:aws:s3:::c/*"])], FAIL),
        ([deny(Effect="Allow")], FAIL),
        ([deny(Principal={"AWS": "arn:aws:iam::123456789012:root"})], FAIL),
        ([deny(Action="s3:GetObject")], FAIL),
        ([deny(Action=None, NotAction="s3:GetObject")], FAIL),
        ([deny(Resource=None, NotResource="arn:aws:s3:::b/public/*")], FAIL),
        ([deny(Condition={"Bool": {"aws:SecureTransport": "true"}})], FAIL),
        ([deny(Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})], FAIL),
        ([deny(Condition={**HTTP, "StringEquals": {"aws:PrincipalOrgID": "o-example"}})], FAIL),
    ],
)
def test_transport(ask: Ask, statements: list[dict[str, Any]], expected: Status):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert transport(ask, policy) is expected


def transport(ask: Ask, policy: str | None) -> Status:
    answers = {bucket_policies(HOME): (Live({"bucket": "b"}, {"policy": policy}, "the bucket 'b'", "b"),)}
    return ask("s3_bucket_secure_transport_policy", answers).status


def test_no_policy_is_a_failure_and_one_that_is_not_understood_unknown(ask: Ask):
    assert transport(ask, None) is FAIL
    assert transport(ask, "{}") is UNKNOWN


def test_no_buckets_is_not_applicable(ask: Ask):
    answers: dict[Any, Any] = {bucket_policies(HOME): ()}
    assert ask("s3_bucket_secure_transport_policy", answers).status is NOT_APPLICABLE
