"""The printed policies against the requests that were recorded, in both directions, judged by toolkit.iam.

Everything that Terraform and the toolkit asked of the embedded AWS is allowed by the policy of who asked it, and no
statement can be left out: each is needed by a recorded request, or marked as never recorded.
"""

from __future__ import annotations

import pytest

from toolkit.iam import Policies, Request, evaluate
from toolkit.iam.escalation_paths import LIFTS, escalation_paths
from toolkit.permissions.documents import policies
from toolkit.permissions.model import Holder, Purpose

from .recordings import REQUESTS, data_of, decided, documents, environments, is_allowed, is_recorded, load, parsed

NAMES = tuple(REQUESTS)
TO_SERVICES = ("iam:CreateServiceLinkedRole", "iam:PassRole")
"""Recorded for some services, and not for others."""
PAIRS = [(name, purpose) for name in NAMES for purpose in Purpose]


@pytest.mark.parametrize(("name", "purpose"), PAIRS)
def test_every_recorded_request_is_allowed(name: str, purpose: Purpose):
    by = decided(name, purpose, purpose)
    assert by
    assert [text for text, sids in by.items() if not sids] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_apply_may_do_what_a_plan_does(name: str):
    assert [text for text, sids in decided(name, Purpose.PLAN, Purpose.APPLY).items() if not sids] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_may_change_nothing_but_the_lock(name: str):
    planned = decided(name, Purpose.PLAN, Purpose.PLAN)
    more = [text for text, sids in decided(name, Purpose.APPLY, Purpose.PLAN).items() if sids and text not in planned]
    assert [text for text in more if not text.endswith(" * *") and ".tflock " not in text] == []


@pytest.mark.parametrize("purpose", tuple(Purpose))
def test_no_statement_can_be_left_out(purpose: Purpose):
    """Of the environment with everything: without one of them a recorded request is refused, or it is marked."""
    found = documents("complete", purpose)
    statements = [s for document in found if document.holder is Holder.WORKER for s in document.statements]
    asked = (purpose,) if purpose is not Purpose.APPLY else (purpose, Purpose.PLAN)
    needed = {sids[0] for one in asked for sids in decided("complete", one, purpose).values() if len(sids) == 1}
    assert {s.sid for s in statements if s.recorded} - needed == set()


def test_what_is_marked_as_never_recorded_was_not():
    found = documents("complete", Purpose.APPLY)
    for statement in (s for document in found for s in document.statements):
        seen = {action for action in statement.actions if is_recorded(action)} - {*TO_SERVICES}
        assert not seen or statement.recorded, statement.sid
        assert statement.recorded != statement.sid.startswith("NeverRecorded")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_escalation_paths_is_open_to_who_plans(name: str):
    """Also with its own names, of which some role may be an administrator's."""
    by = Policies(identity=parsed(documents(name, Purpose.PLAN)))
    account = environments(name)[0].account_id
    start = f"arn:aws:iam::{account}"
    on = {
        "user": f"{start}:user/anna",
        "role": f"{start}:role/administration",
        "group": f"{start}:group/administrators",
        "policy": f"{start}:policy/any",
    }

    def opens(action: str) -> bool:
        resources = (*on.values(), "*", f"arn:aws:ec2:eu-central-1:{account}:instance/i-1")
        context = {"aws:RequestedRegion": "eu-central-1", "iam:PassedToService": "ec2.amazonaws.com"}
        who = f"arn:aws:sts::{account}:assumed-role/plan/run"
        return any(evaluate(Request(who, action, one, context), by).allowed for one in resources)

    lifting = [action for actions in LIFTS.values() for action in actions]
    assert [path.id for path in escalation_paths() if all(map(opens, path.required))] == []
    assert [action for action in lifting if opens(action)] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_apply_writes_no_identity_that_the_environment_does_not_name(name: str):
    environment = environments(name)[0]
    by = parsed(policies(environment, Purpose.APPLY))
    who = f"arn:aws:sts::{environment.account_id}:assumed-role/apply/run"
    start = f"arn:aws:iam::{environment.account_id}"
    for action, resource in (
        ("iam:CreateRole", f"{start}:role/others"),
        ("iam:AttachRolePolicy", f"{start}:role/others"),
        ("iam:PutUserPolicy", f"{start}:user/others"),
        ("iam:CreateAccessKey", f"{start}:user/anna"),
        ("iam:PutGroupPolicy", f"{start}:group/others"),
        ("iam:CreatePolicyVersion", f"{start}:policy/others"),
        ("iam:PassRole", f"{start}:role/others"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::others"),
        ("s3:DeleteBucket", "arn:aws:s3:::others"),
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:eu-central-1:{environment.account_id}:trail/others"),
    ):
        assert not is_allowed(Request(who, action, resource, {"aws:RequestedRegion": "eu-central-1"}), by), action


def test_a_role_is_passed_to_its_service_alone():
    environment = environments("complete")[0]
    by = parsed(policies(environment, Purpose.APPLY))
    role = f"arn:aws:iam::{environment.account_id}:role/baseline-cloudtrail-delivery"
    who = f"arn:aws:sts::{environment.account_id}:assumed-role/apply/run"

    def passes(service: str) -> bool:
        return is_allowed(Request(who, "iam:PassRole", role, {"iam:PassedToService": service}), by)

    assert passes("cloudtrail.amazonaws.com")
    assert not passes("ec2.amazonaws.com")


def test_regional_writes_are_for_the_environment_s_regions_alone():
    environment = environments("complete")[0]
    by = parsed(policies(environment, Purpose.APPLY))
    who = f"arn:aws:sts::{environment.account_id}:assumed-role/apply/run"

    def creates(region: str) -> bool:
        return is_allowed(Request(who, "guardduty:CreateDetector", "*", {"aws:RequestedRegion": region}), by)

    assert creates("eu-central-1")
    assert not creates("ap-south-1")


def test_a_key_without_the_environment_s_tag_is_not_deleted():
    environment = environments("complete")[0]
    by = parsed(policies(environment, Purpose.APPLY))
    key = f"arn:aws:kms:eu-central-1:{environment.account_id}:key/example"
    who = f"arn:aws:sts::{environment.account_id}:assumed-role/apply/run"

    def deletes(**tags: str) -> bool:
        keys = {"aws:RequestedRegion": "eu-central-1", **{f"aws:ResourceTag/{k}": v for k, v in tags.items()}}
        return is_allowed(Request(who, "kms:ScheduleKeyDeletion", key, keys), by)

    assert deletes(ManagedBy="aws-baseline-toolkit")
    assert not deletes()
    assert not deletes(ManagedBy="others")


def test_a_name_that_was_there_before_is_covered_if_its_file_is_given():
    data = data_of("small")
    data["components"]["iam_groups"] = {"groups": {"gone": {"managed_policies": ["SecurityAudit"]}}}
    before, now = load("small", data), environments("small")[0]
    asked = Request(
        f"arn:aws:sts::{now.account_id}:assumed-role/apply/run",
        "iam:CreateGroup",
        f"arn:aws:iam::{now.account_id}:group/gone",
    )
    assert not is_allowed(asked, parsed(policies(now, Purpose.APPLY)))
    assert is_allowed(asked, parsed(policies(now, Purpose.APPLY, also=(before,))))


def test_objects_are_deleted_only_where_terraform_empties_buckets():
    key = "arn:aws:s3:::baseline-cloudtrail-111122223333-eu-west-1/AWSLogs/example"
    data = data_of("small")

    def deletes() -> bool:
        now = load("small", data)
        who = f"arn:aws:sts::{now.account_id}:assumed-role/apply/run"
        return is_allowed(Request(who, "s3:DeleteObjectVersion", key), parsed(policies(now, Purpose.APPLY)))

    assert not deletes()
    data["components"]["cloudtrail"]["bucket"] = {"force_destroy": True}
    assert deletes()
