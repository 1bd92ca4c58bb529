from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from toolkit.components.password_policy import COMPONENT, PasswordPolicy


def test_defaults_meet_cis() -> None:
    assert PasswordPolicy().model_dump() == {
        "minimum_password_length": 14,
        "require_lowercase_characters": True,
        "require_uppercase_characters": True,
        "require_numbers": True,
        "require_symbols": True,
        "password_reuse_prevention": 24,
        "max_password_age": 90,
        "hard_expiry": False,
        "allow_users_to_change_password": True,
    }
    assert COMPONENT.settings is PasswordPolicy


BOUNDS = {"minimum_password_length": (6, 128), "password_reuse_prevention": (1, 24), "max_password_age": (1, 1095)}


@pytest.mark.parametrize("field", sorted(BOUNDS))
@given(number=st.integers(-10, 1200))
def test_exactly_the_numbers_of_the_api_are_accepted(field: str, number: int) -> None:
    low, high = BOUNDS[field]
    if low <= number <= high:
        assert getattr(PasswordPolicy.model_validate({field: number}), field) == number
    else:
        with pytest.raises(ValidationError):
            PasswordPolicy.model_validate({field: number})


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_password_length": "14"},
        {"minimum_password_length": 14.0},
        {"minimum_password_length": True},
        {"require_symbols": "yes"},
        {"require_symbols": 1},
        {"password_reuse_prevention": None},
        {"minimum_length": 14},
    ],
    ids=str,
)
def test_wrong_types_and_unknown_keys_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PasswordPolicy.model_validate(wrong)


def test_passwords_may_live_for_ever() -> None:
    assert PasswordPolicy.model_validate({"max_password_age": None}).max_password_age is None


def test_hard_expiry_needs_an_age() -> None:
    with pytest.raises(ValidationError, match="hard_expiry: true needs a max_password_age"):
        PasswordPolicy.model_validate({"hard_expiry": True, "max_password_age": None})
    assert PasswordPolicy.model_validate({"hard_expiry": True}).hard_expiry
