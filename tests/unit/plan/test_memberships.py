"""Users who join a group that administers the account."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Consents
from toolkit.plan.denials import HeldPolicies
from toolkit.plan.managed_policies import ALLOW_EVERYTHING, ManagedPolicies
from toolkit.plan.memberships import judge_memberships
from toolkit.plan.model import Attribution, parse_plan

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
OWN = "arn:aws:iam::123456789012:policy/everything"
READS = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'
HELD = HeldPolicies(
    inline={"by-inline": {"all": ALLOW_EVERYTHING}, "readers": {"read": READS}},
    attached={
        "administrators": frozenset({"arn:aws:iam::aws:policy/AdministratorAccess"}),
        "by-own": frozenset({OWN}),
        "readers": frozenset({"arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    },
    documents={OWN: ALLOW_EVERYTHING},
)


def membership(name: str, before: list[str] | None, after: list[str] | None, user: str = "anna") -> dict[str, Any]:
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    return {
        "address": f'module.iam_users.aws_iam_user_group_membership.{name}["{user}"]',
        "mode": "managed",
        "type": "aws_iam_user_group_membership",
        "name": name,
        "change": {
            "actions": actions,
            "before": None if before is None else {"user": user, "groups": before},
            "after": None if after is None else {"user": user, "groups": after},
        },
    }


def made(kind: str, label: str, **after: Any) -> dict[str, Any]:
    return {
        "address": f'module.iam_users.{kind}.{label}["x"]',
        "mode": "managed",
        "type": kind,
        "name": label,
        "change": {"actions": ["create"], "before": None, "after": after},
    }


def found(*entries: dict[str, Any]) -> list[Any]:
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)
    return list(judge_memberships(plan, HELD, ManagedPolicies(plan, (), HELD.documents)))


@pytest.mark.parametrize("group", ["administrators", "by-own", "by-inline"])
@pytest.mark.parametrize("before", [None, [], ["readers"]])
def test_whoever_is_there_does_not_become_an_administrator_unasked(group: str, before: list[str] | None):
    entry = membership("active", before, [*(before or ()), group])
    (finding,) = found(entry)
    assert (finding.attribute, finding.blocks) == ("groups", True)
    assert finding.evidence == f"joins {group}, which may do everything"
    assert not Consents(weaker=(finding.subject,)).apply([finding], date.today())[0].blocks


@pytest.mark.parametrize("unknown", [True, [False, True]], ids=["all", "one"])
def test_groups_that_only_the_apply_tells_may_administer(unknown: Any):
    entry = membership("active", ["readers"], ["readers"])
    entry["change"]["after_unknown"] = {"groups": unknown}
    if unknown is True:
        del entry["change"]["after"]["groups"]
    else:
        entry["change"]["after"]["groups"] = ["readers", None]
    (finding,) = found(entry)
    assert (finding.attribute, finding.blocks) == ("groups", True)


def test_a_group_that_the_plan_gives_everything_administers_too():
    grants = made("aws_iam_group_policy_attachment", "managed", group="readers", policy_arn=OWN)
    assert found(membership("active", [], ["readers"])) == []
    assert len(found(membership("active", [], ["readers"]), grants)) == 1
    inline = made("aws_iam_group_policy", "own", group="new", policy=ALLOW_EVERYTHING)
    assert len(found(membership("active", [], ["new"]), inline)) == 1


@pytest.mark.parametrize(
    "entries",
    [
        [membership("active", ["administrators"], ["administrators", "by-own"])],
        [membership("active", ["administrators"], ["readers"])],
        [membership("active", None, ["administrators"]), made("aws_iam_user", "this", name="anna")],
        [membership("suspended", ["suspended"], None), membership("active", None, ["administrators"])],
    ],
    ids=["was one", "is one no more", "new user", "back from suspension"],
)
def test_who_is_no_administrator_more_than_before(entries: list[dict[str, Any]]):
    assert found(*entries) == []


def test_another_users_membership_says_nothing():
    other = membership("active", ["administrators"], ["readers"], user="bert")
    assert len(found(other, membership("active", None, ["administrators"]))) == 1
