"""The catalogue of sensitive actions, and AWS's reference of all actions."""

from __future__ import annotations

import pytest
from policy_sentry.querying.actions import get_action_data

from tests.unit.access.worlds import TRAIL, world
from toolkit.access.catalogue import catalogue, questions
from toolkit.access.reference import action, actions_of, known_action, known_key, known_service
from toolkit.errors import UsageError

GROUPS = {
    *("identities", "credentials", "logging", "detection", "keys", "log buckets", "network edges", "organization"),
    "billing",
}


@pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.action)
def test_each_action_exists(one) -> None:
    service, _, name = one.action.partition(":")
    found = get_action_data(service, name)
    assert found, f"policy_sentry has no {one.action}"
    assert found[service][0]["action"] == one.action
    known = action(one.action)
    assert known is not None
    assert one.on is None or known.arns, "no request of it names a resource"


def test_the_catalogue_is_about_every_group() -> None:
    assert {one.group for one in catalogue()} == GROUPS
    assert 60 <= len(catalogue()) <= 80
    assert len({one.action for one in catalogue()}) == len(catalogue())
    assert all(one.reason[0].islower() and not one.reason.endswith(".") for one in catalogue())


def test_an_action_is_judged_on_what_the_environment_has() -> None:
    asked = {question.action: question.resource for _, question in questions(world(places={"trail": (TRAIL,)}))}
    assert asked["cloudtrail:StopLogging"] == TRAIL
    assert asked["s3:DeleteBucket"] is None
    assert asked["iam:CreateUser"] is None


def test_what_the_reference_knows_of_an_action() -> None:
    found = known_action("CloudTrail:stoplogging")
    assert found.name == "cloudtrail:StopLogging"
    assert found.arns == ("arn:${Partition}:cloudtrail:*:*:trail/*",)
    assert known_action("ec2:DisableEbsEncryptionByDefault").arns == ()
    assert "iam:PermissionsBoundary" in known_action("iam:CreateUser").keys
    assert known_service("S3") == "s3"
    assert known_action("s3:GetObject") in actions_of("s3")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("cloudtrail:StopLoging", "cloudtrail has no such action", "did you mean cloudtrail:StopLogging?"),
        ("cloudtral:StopLogging", "no service has the prefix 'cloudtral'", "did you mean cloudtrail:StopLogging?"),
        ("StopLogging", "is not an action", "expected SERVICE:NAME"),
        ("s3:*", "is not one action", "without wildcards"),
        ("nosuchthing:Do", "no service has the prefix", "expected a prefix"),
    ],
)
def test_an_unknown_action_is_refused_with_the_nearest(text: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        known_action(text)
    assert problem in error.value.problem
    assert hint in (error.value.hint or "")


def test_an_unknown_service_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no service has the prefix 'cloudtrial'") as error:
        known_service("cloudtrial")
    assert error.value.hint == "did you mean cloudtrail?"


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("aws:multifactorauthpresent", "aws:MultiFactorAuthPresent"),
        ("AWS:PrincipalTag/Team", "aws:PrincipalTag/Team"),
        ("iam:permissionsboundary", "iam:PermissionsBoundary"),
    ],
)
def test_a_key_is_spelled_as_aws_does(key: str, spelled: str) -> None:
    assert known_key(key, known_action("iam:CreateUser")) == spelled


def test_a_key_that_the_request_cannot_have_is_refused() -> None:
    with pytest.raises(UsageError, match="a request of iam:CreateUser cannot have the condition key 's3:prefix'"):
        known_key("s3:prefix", known_action("iam:CreateUser"))
    with pytest.raises(UsageError) as error:
        known_key("aws:MultiFactorAuthPresnt", known_action("iam:CreateUser"))
    assert error.value.hint == "did you mean aws:MultiFactorAuthPresent?"
