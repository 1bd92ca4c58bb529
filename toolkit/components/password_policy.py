"""Password policy of the account's IAM users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from toolkit.components.base import Component, Every, Place, Protected, Scope, Seen
from toolkit.policies import Need
from toolkit.settings.base import Settings

_RESOURCE = "aws_iam_account_password_policy"


class PasswordPolicy(Settings):
    """Settings of `password_policy`; bounds are those of the IAM API (UpdateAccountPasswordPolicy)."""

    minimum_password_length: Annotated[int, Field(ge=6, le=128)] = Field(
        14, description="Minimum number of characters of a password, 6 to 128; CIS 7.0 2.8 requires at least 14."
    )
    require_lowercase_characters: bool = Field(True, description="Whether a password needs a lowercase letter.")
    require_uppercase_characters: bool = Field(True, description="Whether a password needs an uppercase letter.")
    require_numbers: bool = Field(True, description="Whether a password needs a digit.")
    require_symbols: bool = Field(True, description="Whether a password needs a symbol.")
    password_reuse_prevention: Annotated[int, Field(ge=1, le=24)] = Field(
        24, description="How many previous passwords a user cannot choose again, 1 to 24; CIS 7.0 2.9 requires 24."
    )
    max_password_age: Annotated[int, Field(ge=1, le=1095)] | None = Field(
        90, description="Days after which a password expires, 1 to 1095; null: passwords never expire."
    )
    hard_expiry: bool = Field(
        False,
        description="Whether a user whose password has expired needs an administrator to set a new one, instead of "
        "choosing one at the next sign-in; true can lock out the last administrator.",
    )
    allow_users_to_change_password: bool = Field(True, description="Whether users may change their own password.")

    @model_validator(mode="after")
    def _expiry_needs_an_age(self) -> PasswordPolicy:
        if self.hard_expiry and self.max_password_age is None:
            raise ValueError("hard_expiry: true needs a max_password_age; without one no password ever expires")
        return self


def _read_back(settings: PasswordPolicy, place: Place, every: Every) -> Iterator[Seen]:
    policy = next(iter(every(_RESOURCE, place.home_region)), None)
    if policy is None:
        yield Seen(place.home_region, "no password policy", False)
        return
    names = ("minimum_password_length", "password_reuse_prevention", "max_password_age")
    length, remembered, age = (policy.values[name] for name in names)
    same = all(policy.values[name] == getattr(settings, name) for name in names)
    text = f"at least {length} characters, {remembered} passwords remembered, expires after {age} days"
    yield Seen(place.home_region, text, same)


COMPONENT = Component(
    name="password_policy",
    title="Password policy",
    purpose="IAM user passwords must be long, mixed, not reused, and changed regularly.",
    scope=Scope.GLOBAL,
    settings=PasswordPolicy,
    read_back=_read_back,
    protects=(Protected(_RESOURCE),),
    profiles={
        "minimal": {"minimum_password_length": 14, "password_reuse_prevention": 24, "max_password_age": 90},
        "standard": {"minimum_password_length": 14, "password_reuse_prevention": 24, "max_password_age": 90},
        "strict": {"minimum_password_length": 20, "password_reuse_prevention": 24, "max_password_age": 90},
    },
    needs=(
        Need("iam:UpdateAccountPasswordPolicy"),
        Need("iam:GetAccountPasswordPolicy"),
    ),
)
