"""Names that IAM does not distinguish by case: a plan is judged with the account's spelling, wherever it names one."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.plan.case import Caller
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.spelling import Spelling
from toolkit.plan.users import UserFact

SPELLING = Spelling(users=["anna"], groups=["staff", "Ops"], roles=["deployer"])
ATTRIBUTION = Attribution(("iam_groups", "mfa_enforcement"), ("eu-central-1",), "eu-central-1")


def plan(resource: str, values: dict[str, Any], component: str = "mfa_enforcement") -> Plan:
    change = {"actions": ["create"], "before": None, "after": values}
    where = f"module.{component}.{resource}.this"
    entry = {"address": where, "mode": "managed", "type": resource, "name": "this", "change": change}
    return parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)


@pytest.mark.parametrize(
    ("resource", "values", "spelled"),
    [
        ("aws_iam_group_policy_attachment", {"group": "STAFF"}, {"group": "staff"}),
        ("aws_iam_group_policy", {"group": "ops", "name": "STAFF"}, {"group": "Ops", "name": "STAFF"}),
        ("aws_iam_group", {"name": "OPS"}, {"name": "Ops"}),
        ("aws_iam_user", {"name": "Anna"}, {"name": "anna"}),
        ("aws_iam_role", {"name": "Deployer"}, {"name": "deployer"}),
        ("aws_iam_role_policy", {"role": "DEPLOYER"}, {"role": "deployer"}),
        (
            "aws_iam_user_group_membership",
            {"user": "ANNA", "groups": ["Staff", "new"]},
            {"user": "anna", "groups": ["staff", "new"]},
        ),
        ("aws_iam_group", {"name": "anna"}, {"name": "anna"}),
        ("aws_cloudwatch_log_group", {"name": "STAFF"}, {"name": "STAFF"}),
        ("aws_iam_user_group_membership", {"user": None}, {"user": None}),
    ],
)
def test_each_name_is_spelled_as_the_account_does(resource: str, values: dict[str, Any], spelled: dict[str, Any]):
    (change,) = SPELLING.plan(plan(resource, values)).changes
    assert {name: change.after[name] for name in spelled} == spelled


def test_names_of_settings_are_spelled_alike():
    assert SPELLING.groups(["STAFF", "other"]) == {"staff", "other"}
    assert SPELLING.users(["Anna"]) == {"anna"}


def test_whoever_is_reached_through_another_spelling_is_named():
    """The attachment to `Staff` reaches the members of `staff`."""
    user = UserFact("anna", "arn:aws:iam::123456789012:user/anna", frozenset({"staff"}), True, 0, 0, False, None)
    enforced = plan("aws_iam_group_policy_attachment", {"group": "Staff", "policy_arn": "arn:aws:iam::1:policy/mfa"})
    caller = Caller("arn:aws:iam::123456789012:user/anna", "anna", False)
    assert list(judge_lockout(enforced, [user], caller)) == []
    (found, *_) = judge_lockout(SPELLING.plan(enforced), [user], caller)
    assert found.blocks
    assert "anna" in found.summary
