"""Users, changes and findings about lost access, for the tests of each subject."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolkit.components.registry import REGISTRY
from toolkit.findings import Rule, Severity
from toolkit.plan.case import Caller
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.users import UserFact

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")


ROLE = Caller("arn:aws:sts::123456789012:assumed-role/deployer/x", None, True)


SAFE = UserFact("safe", "arn:aws:iam::123456789012:user/safe", frozenset({"developers"}), True, 1, 0, False, 10)


CONSOLE = replace(SAFE, name="console", mfa_devices=0)


KEY_ONLY = replace(SAFE, name="robot", console_password=False, mfa_devices=0, active_keys=1, password_age_days=None)


OUTSIDE = replace(CONSOLE, name="outside", groups=frozenset({"others"}))


ASLEEP = replace(KEY_ONLY, name="asleep", active_keys=0)


def plan(*entries: dict[str, Any]) -> Plan:
    return parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)


def attach(group: str, action: str = "create") -> dict[str, Any]:
    before = None if action == "create" else {"group": group}
    after = None if action == "delete" else {"group": group}
    return {
        "address": f'module.mfa_enforcement.aws_iam_group_policy_attachment.this["{group}"]',
        "mode": "managed",
        "type": "aws_iam_group_policy_attachment",
        "name": "this",
        "change": {"actions": [action], "before": before, "after": after},
    }


def password_policy(age: int | None, *, before: int | None = None, hard: bool = False) -> dict[str, Any]:
    old = {"max_password_age": before} if before is not None else None
    return {
        "address": "module.password_policy.aws_iam_account_password_policy.this",
        "mode": "managed",
        "type": "aws_iam_account_password_policy",
        "name": "this",
        "change": {
            "actions": ["create"] if old is None else ["update"],
            "before": old,
            "after": {"max_password_age": age, "hard_expiry": hard},
        },
    }


def found(p: Plan, *users: UserFact, caller: Caller = ROLE) -> list[tuple[Rule, Severity]]:
    return [(f.rule, f.severity) for f in judge_lockout(p, users, caller)]


BY_PASSWORD, BY_KEY = "enrol a device in the console", "enrol a device with the access key"


def user_change(name: str, action: str = "delete") -> dict[str, Any]:
    return {
        "address": f'module.iam_users.aws_iam_user.this["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user",
        "name": "this",
        "change": {
            "actions": action.split("+"),
            "before": None if action == "create" else {"name": name},
            "after": None if action == "delete" else {"name": name},
        },
    }


def membership(
    name: str, before: list[str] | None, after: list[str] | None, *, resource: str = "active"
) -> dict[str, Any]:
    action = "create" if before is None else "delete" if after is None else "update"
    return {
        "address": f'module.iam_users.aws_iam_user_group_membership.{resource}["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user_group_membership",
        "name": resource,
        "change": {
            "actions": [action],
            "before": None if before is None else {"user": name, "groups": before},
            "after": None if after is None else {"user": name, "groups": after},
        },
    }


def suspended(name: str) -> dict[str, Any]:
    return membership(name, None, ["suspended-users"], resource="suspended")


ADMIN = replace(
    SAFE,
    name="admin",
    administrator=True,
    groups=frozenset({"administrators"}),
    administrator_groups=frozenset({"administrators"}),
)


DIRECT = replace(ADMIN, name="direct", groups=frozenset(), administrator_groups=frozenset())


USER = Caller("arn:aws:iam::123456789012:user/other", "other", True)


ADMINISTRATION = "arn:aws:iam::aws:policy/AdministratorAccess"


def gone(kind: str, component: str = "iam_groups", action: str = "delete", **before: Any) -> dict[str, Any]:
    return {
        "address": f"module.{component}.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": action.split("+"), "before": before, "after": None if action == "delete" else before},
    }


def stripped(group: str, policy: str = ADMINISTRATION) -> dict[str, Any]:
    return gone("aws_iam_group_policy_attachment", group=group, policy_arn=policy)


def removes_password(name: str) -> dict[str, Any]:
    """`console_pgp_key` taken out of an entry: the provider deletes the login profile that it made."""
    values = {"user": name, "pgp_key": "keybase:x"}
    return {
        "address": f'module.iam_users.aws_iam_user_login_profile.first["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user_login_profile",
        "name": "first",
        "change": {"actions": ["delete"], "before": values, "after": None},
    }
