"""Names and questions as people write them, and questions with a name."""

from __future__ import annotations

import pytest

from tests.unit.access.worlds import (
    ACCOUNT,
    ANNA,
    BUCKET,
    TRAIL,
    allow,
    deny,
    group,
    held,
    permission_set,
    role,
    stranger,
    trust,
    user,
    world,
)
from toolkit.access import Guarded, Holding, Judge, Verdict
from toolkit.access.asking import asked, named
from toolkit.access.model import unknown_document
from toolkit.access.questions import BLIND, ESCALATE, NAMED, ONE_STEP, READ, answered
from toolkit.errors import UsageError
from toolkit.iam.evaluate import Layer

OPEN = trust({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ANNA}})
WORLD = world(
    user(held(allow("*"), name="admin"), name="anna"),
    user(held(allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}"), name="own"), name="emil"),
    group(held(allow("*"), deny("cloudtrail:*"), name="developers")),
    role(held(allow("s3:GetObject"), name="reads"), trusted=OPEN),
    stranger(),
    guarded=[Guarded(BUCKET, None, ACCOUNT)],
    places={"trail": (TRAIL,), "log object": (f"{BUCKET}/a",)},
)  # fmt: skip


@pytest.mark.parametrize("text", ["anna", "user:anna", ANNA])
def test_a_principal_is_found_by_name_label_and_arn(text: str) -> None:
    assert named(WORLD, text).label == "user:anna"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("ana", "there is no principal 'ana'", "did you mean anna?"),
        ("user:ana", "there is no principal 'user:ana'", "did you mean user:anna?"),
        ("zzz", "there is no principal 'zzz'", "expected one of user:anna, user:emil, group:developers"),
        ("111122223333", "'111122223333' is of account 111122223333, which no policy here names", "444455556666"),
        ("arn:aws:iam::111122223333:user/x", "is of account 111122223333", f"those of account {ACCOUNT}"),
    ],
)
def test_an_unknown_principal_is_refused(text: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        named(WORLD, text)
    assert problem in error.value.problem
    assert hint in (error.value.hint or "")


def test_a_name_of_several_is_refused() -> None:
    with pytest.raises(UsageError, match="the name of several principals") as error:
        named(world(user(name="ops"), group(name="ops")), "ops")
    assert error.value.hint == "expected user:ops or group:ops"


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        ("logs", "'logs' is not a resource"),
        ("arn:aws:s3:::logs/*", "'arn:aws:s3:::logs/*' is not one resource"),
        (
            "arn:aws:iam::123456789012:user/x",
            "no request of s3:DeleteBucket is about 'arn:aws:iam::123456789012:user/x'",
        ),
    ],
)
def test_a_resource_that_is_no_arn_is_refused(resource: str, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        asked("s3:DeleteBucket", resource)
    assert error.value.problem == problem
    assert "${" not in (error.value.hint or "")


def test_several_values_of_a_key_that_has_one_are_refused() -> None:
    """They would be neither of the two: Bool matches no list, so that a denial without MFA would not apply."""
    several = ["true", "false"]
    for key in ("aws:multifactorauthpresent", "aws:PrincipalTag/team"):
        with pytest.raises(UsageError, match="a request has one value of aws:"):
            asked("iam:CreateUser", None, [(key, several)])
    assert asked("iam:CreateUser", None, [("aws:TagKeys", several)]).context == {"aws:TagKeys": several}


def test_a_resource_of_an_action_without_any_is_refused() -> None:
    with pytest.raises(UsageError, match="ec2:DisableEbsEncryptionByDefault is about no resource"):
        asked("ec2:disableebsencryptionbydefault", TRAIL)
    assert asked("ec2:DisableEbsEncryptionByDefault", "*").asked == "*"


def test_who_turns_off_the_lights() -> None:
    found = answered(Judge(WORLD), BLIND)
    by = {(one.principal.label, one.question.action): one.verdict for one in found.answers}
    assert by["user:anna", "cloudtrail:StopLogging"] is Verdict.ALLOWED
    assert ("group:developers", "cloudtrail:StopLogging") not in by
    assert by["group:developers", "guardduty:DeleteDetector"] is Verdict.ALLOWED
    assert by["group:developers", "s3:DeleteObjectVersion"] is Verdict.ALLOWED, "what was recorded can be deleted, too"
    assert "user:emil" in found.denied
    assert not found.searched


def test_who_reads_the_logs() -> None:
    found = answered(Judge(WORLD), READ)
    assert {one.principal.label for one in found.answers if one.question.action == "s3:GetObject"} == {
        "user:anna",
        "group:developers",
        "role:deploy",
    }


def test_who_becomes_an_administrator() -> None:
    found = answered(Judge(WORLD), ESCALATE)
    assert found.administrators == ("group:developers", "user:anna")
    assert "user:emil" in found.ways
    one_step = answered(Judge(WORLD), ONE_STEP)
    assert [way.path.required for way in one_step.ways["user:emil"]] == [("iam:PutUserPolicy",)]
    assert all(len(way.path.required) == 1 and not way.first for ways in one_step.ways.values() for way in ways)


def test_a_group_is_what_those_can_become_who_are_in_it() -> None:
    """Also where no user is known, as in most environments."""
    some = (
        group(held(allow("*")), name="administrators"),
        group(held(allow("iam:AttachGroupPolicy")), name="site"),
        group(held(allow("iam:CreateLoginProfile")), name="desk"),
        group(held(allow("s3:*")), name="readers"),
    )
    found = answered(Judge(world(*some)), ONE_STEP)
    assert found.administrators == ("group:administrators",)
    assert set(found.ways) == {"group:site", "group:desk"}
    assert {way.to for way in found.ways["group:desk"]} == {"a user in group:administrators"}
    under_mfa = allow("iam:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert "group:site" in answered(Judge(world(group(held(under_mfa), name="site"))), ESCALATE).ways


def test_a_permission_set_is_an_administrator_like_any_other() -> None:
    some = (permission_set(held(allow("*"))), permission_set(held(allow("iam:*")), name="identities"))
    found = answered(Judge(world(*some)), ESCALATE)
    assert found.administrators == ("permission-set:operations",)
    assert "permission-set:identities" in found.ways
    unknown = permission_set(Holding(Layer.IDENTITY, unknown_document("ReadOnlyAccess")))
    assert answered(Judge(world(unknown)), ESCALATE).doubts


def test_every_question_has_a_title() -> None:
    assert all(one.title.endswith("?") for one in NAMED.values())
