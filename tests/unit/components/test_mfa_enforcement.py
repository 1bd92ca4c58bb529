from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from toolkit.components.mfa_enforcement import COMPONENT, MfaEnforcement


def test_defaults_are_strict_and_lock_nobody_out() -> None:
    assert MfaEnforcement().model_dump() == {
        "policy_name": "mfa-enforcement",
        "allow_password_change_before_mfa": True,
        "access_key_enrolment_users": (),
    }
    assert COMPONENT.requires == ("iam_groups",)
    assert COMPONENT.derived == ("group_names",)


@given(name=st.text("abyzABYZ0189_+=,.@-", min_size=1, max_size=64))
def test_every_iam_user_name_is_accepted(name: str) -> None:
    settings = MfaEnforcement.model_validate({"access_key_enrolment_users": [name]})
    assert settings.access_key_enrolment_users == (name,)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"access_key_enrolment_users": ["*"]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": ["rob?t"]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": ["team/robot"]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": ["${aws:username}"]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": ["robot\n"]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": ["x" * 65]}, "is not an IAM user name"),
        ({"access_key_enrolment_users": [f"robot-{n}" for n in range(21)]}, "at most 20"),
        ({"access_key_enrolment_users": "robot"}, "valid tuple"),
        ({"policy_name": "two words"}, "is not a policy name"),
        ({"policy_name": ""}, "is not a policy name"),
        ({"allow_password_change_before_mfa": "yes"}, "valid boolean"),
        ({"group_names": ["x"]}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        MfaEnforcement.model_validate(wrong)
