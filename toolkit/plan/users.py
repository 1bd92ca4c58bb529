"""Who gets into the account as an IAM user, and how.

In: what AWS answers. Out: UserFacts. Pure. Each is read by a call of its own where an old answer would matter. Ages of
passwords are of the credential report, which AWS renews at most every four hours (IAM User Guide, "Generate credential
reports"): there an old answer errs on the safe side.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.plan.facts import Source, Wanted
from toolkit.plan.managed_policies import is_administrator


@dataclass(frozen=True)
class UserFact:
    """An IAM user as far as getting in matters."""

    name: str
    arn: str
    groups: frozenset[str]
    console_password: bool
    mfa_devices: int
    active_keys: int
    administrator: bool
    """Whether AdministratorAccess reaches the user, directly or through a group."""
    password_age_days: int | None
    """None where there is no password, or where its age could not be learnt."""
    administrator_groups: frozenset[str] = frozenset()
    """Groups that carry AdministratorAccess to the user; empty for who has it directly, or not at all."""
    boundary: str | None = None
    """ARN of the user's permissions boundary."""

    @property
    def gets_in(self) -> bool:
        """Whether the user has anything to get in with."""
        return self.console_password or self.active_keys > 0


@dataclass(frozen=True)
class UsersWanted(Wanted[tuple[UserFact, ...]]):
    """Every IAM user of the account."""

    with_password_age: bool
    """Whether ages of passwords are wanted, which cost a credential report."""

    @property
    def what(self) -> str:
        """As the base."""
        return "the account's IAM users"

    def read(self, source: Source) -> tuple[UserFact, ...]:
        """As the base."""
        users = authorization_details(source, "User", "UserDetailList")
        groups = authorization_details(source, "Group", "GroupDetailList")
        administering = frozenset(group["GroupName"] for group in groups if _administers(group))
        ages = _password_ages(source) if self.with_password_age else {}
        ordered = sorted(users, key=lambda user: str(user["UserName"]))
        return source.side_by_side(lambda user: _user(source, user, administering, ages), ordered)


def authorization_details(source: Source, kind: str, member: str) -> tuple[Any, ...]:
    """Everything of one kind ("User", "Group", "LocalManagedPolicy") with its policies; botocore parses documents."""
    return source.pages("iam", "get_account_authorization_details", member, source.home_region, Filter=[kind])


def _administers(entry: dict[str, Any]) -> bool:
    return any(is_administrator(policy["PolicyArn"]) for policy in entry["AttachedManagedPolicies"])


def _user(source: Source, user: dict[str, Any], administering: frozenset[str], ages: dict[str, int]) -> UserFact:
    name, home = user["UserName"], source.home_region
    groups = frozenset(user.get("GroupList", ()))
    directly, through = _administers(user), groups & administering
    password = source.call("iam", "get_login_profile", home, absent=("NoSuchEntity",), UserName=name)
    devices = source.pages("iam", "list_mfa_devices", "MFADevices", home, UserName=name)
    keys = source.pages("iam", "list_access_keys", "AccessKeyMetadata", home, UserName=name)
    return UserFact(
        name=name,
        arn=user["Arn"],
        groups=groups,
        console_password=password is not None,
        mfa_devices=len(devices),
        active_keys=sum(key["Status"] == "Active" for key in keys),
        administrator=directly or bool(through),
        administrator_groups=frozenset() if directly else through,
        password_age_days=ages.get(name),
        boundary=user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    )


def _password_ages(source: Source) -> dict[str, int]:
    """User → age of the password in days; users whose age the report does not tell are left out."""
    home = source.home_region
    source.call("iam", "generate_credential_report", home, unfinished=lambda answer: answer["State"] != "COMPLETE")
    report = source.call("iam", "get_credential_report", home) or {}
    ages = {}
    for row in csv.DictReader(io.StringIO(report["Content"].decode())):
        try:
            changed = datetime.fromisoformat(row["password_last_changed"])
        except ValueError:  # "N/A", "not_supported", "no_information"
            continue
        ages[row["user"]] = (datetime.now(UTC) - changed.astimezone(UTC)).days
    return ages
