"""Policies of groups that deny what the baseline is applied by: to who applies, and to the last administrator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Rule
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.iam.organization import Deployment
from toolkit.plan.case import Caller
from toolkit.plan.denials import Denials, HeldPolicies
from toolkit.plan.lockout.changes import reaches_users
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.users import UserFact
from toolkit.policies import Need

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ACCOUNT = "arn:aws:iam::123456789012"
ADMINS = frozenset({"administrators"})
ADMIN = UserFact("admin", f"{ACCOUNT}:user/staff/admin", ADMINS, True, 1, 0, True, 10, ADMINS)
OTHER = replace(ADMIN, name="other", arn=f"{ACCOUNT}:user/other", groups=frozenset(), administrator_groups=frozenset())
DEV = replace(OTHER, name="dev", arn=f"{ACCOUNT}:user/dev", groups=frozenset({"developers"}), administrator=False)
OWN = Caller(ADMIN.arn, "admin", True)
STRANGER = Caller(f"{ACCOUNT}:user/stranger", "stranger", True)
ROLE = Caller("arn:aws:sts::123456789012:assumed-role/deployer/x", None, True)
FREEZE, ACCOUNT_POLICY = f"{ACCOUNT}:policy/ops/freeze", f"{ACCOUNT}:policy/harmless"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
DEPLOYMENT = Deployment(
    deployers=(),
    needs={
        "iam_groups": (Need("iam:CreateGroup", "arn:{partition}:iam::{account}:group/billing"),),
        "guardduty": (Need("guardduty:CreateDetector"),),
        "every plan": (Need("sts:GetCallerIdentity"),),
    },
    regions=("eu-central-1",),
    account_id="123456789012",
    partition="aws",
)


def document(action: Any, effect: str = "Deny", resource: str = "*", **more: Any) -> str:
    statement = {"Sid": "Freeze", "Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


IAM, DETECTORS, BUCKETS = document("iam:*"), document("guardduty:*"), document("s3:DeleteBucket")
HELD = HeldPolicies(documents={FREEZE: IAM, ACCOUNT_POLICY: BUCKETS})


def plan(*entries: dict[str, Any]) -> Plan:
    return parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)


def entry(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    action = "create" if before is None else "delete" if after is None else "update"
    return {
        "address": f"module.{'iam_users' if 'membership' in kind else 'iam_groups'}.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": [action], "before": before, "after": after},
    }


def inline(text: str, before: str | None = None, group: str = "administrators") -> dict[str, Any]:
    old = None if before is None else {"group": group, "name": "mine", "policy": before}
    return entry("aws_iam_group_policy", old, {"group": group, "name": "mine", "policy": text})


def attached(arn: str, group: str = "administrators") -> dict[str, Any]:
    return entry("aws_iam_group_policy_attachment", None, {"group": group, "policy_arn": arn})


def detached(arn: str) -> dict[str, Any]:
    return entry("aws_iam_group_policy_attachment", {"group": "administrators", "policy_arn": arn}, None)


def changed(before: str, after: str, arn: str = FREEZE) -> dict[str, Any]:
    return entry("aws_iam_policy", {"arn": arn, "policy": before}, {"arn": arn, "policy": after})


def joins(group: str, user: str = "admin") -> dict[str, Any]:
    before = ["administrators"] if user == "admin" else []
    user_groups = {"user": user, "groups": before}
    return entry("aws_iam_user_group_membership", user_groups, {"user": user, "groups": [*before, group]})


def judged(
    p: Plan, caller: Caller, *users: UserFact, held: HeldPolicies = HELD, bound: frozenset[str] = frozenset()
) -> list[Finding]:
    denials = Denials(p, held, DEPLOYMENT, bound)
    return [f for f in judge_lockout(p, users or (ADMIN, OTHER, DEV), caller, bound, denials=denials) if f.blocks]


def rules(p: Plan, caller: Caller, *users: UserFact, **facts: Any) -> list[Rule]:
    return [f.rule for f in judged(p, caller, *users, **facts)]


ON_IT = replace(HELD, attached={"administrators": frozenset({FREEZE})})
NEW: dict[str, tuple[dict[str, Any], HeldPolicies]] = {
    "inline": (inline(IAM), HELD),
    "inline, changed": (inline(IAM, BUCKETS), replace(HELD, inline={"administrators": {"mine": BUCKETS}})),
    "attached": (attached(FREEZE), HELD),
    "attached, of AWS": (attached(DENY_ALL), HELD),
    "changed": (changed(BUCKETS, IAM), replace(ON_IT, documents={FREEZE: BUCKETS})),
    "joined": (joins("frozen"), replace(HELD, inline={"frozen": {"mine": IAM}})),
}


@pytest.mark.parametrize(("change", "held"), NEW.values(), ids=NEW)
def test_a_policy_that_denies_the_administration_of_identities_takes_no_administrator(
    change: dict[str, Any], held: HeldPolicies
):
    p = plan(change)
    assert reaches_users(p)
    (own,) = judged(p, OWN, held=held)
    assert (own.rule, own.consent) == (LOCKS_OUT_CALLER, None)
    assert own.summary.startswith("You are admin, who would be denied iam:CreateGroup")
    assert "by this apply" in own.summary
    # Of others it is told, and asked; the last of them is kept.
    (told,) = judged(p, STRANGER, held=held)
    assert (told.rule, told.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert told.summary == "Policies of groups would deny admin actions that applying the baseline needs."
    assert "iam:CreateGroup" in told.evidence
    assert rules(p, STRANGER, ADMIN, DEV, held=held) == [LOCKS_OUT, LOCKS_OUT_LAST_ADMINISTRATOR]
    # No group's policy reaches a role, but it may be the last that administers.
    assert rules(p, ROLE, ADMIN, DEV, held=held) == [LOCKS_OUT, LOCKS_OUT]


def test_the_statement_is_named():
    (own,) = judged(plan(inline(IAM)), OWN)
    assert "denied iam:CreateGroup (mine of administrators, Freeze) by this apply" in own.summary


def test_who_is_denied_only_other_services_still_administers():
    p = plan(inline(DETECTORS))
    assert rules(p, STRANGER, ADMIN, DEV) == [LOCKS_OUT]
    # But whoever applies needs them for it.
    assert rules(p, OWN) == [LOCKS_OUT_CALLER]


HARMLESS: dict[str, tuple[list[dict[str, Any]], HeldPolicies]] = {
    "not needed": ([inline(BUCKETS)], HELD),
    "another group": ([inline(IAM, group="developers")], HELD),
    "an allowance": ([inline(document("iam:*", "Allow"))], HELD),
    "other identities": ([inline(document("iam:*", resource=f"{ACCOUNT}:role/app/*"))], HELD),
    "for somebody else": ([inline(document("iam:*", Condition={"StringEquals": {"aws:username": "dev"}}))], HELD),
    "but for staff": (
        [inline(document("iam:*", Condition={"ArnNotLike": {"aws:PrincipalArn": f"{ACCOUNT}:user/staff/*"}}))],
        HELD,
    ),
    "without MFA": ([inline(document("iam:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))], HELD),
    "denied already": ([inline(IAM)], ON_IT),
    "moved": (
        [
            inline(IAM),
            entry("aws_iam_group_policy_attachment", {"group": "administrators", "policy_arn": FREEZE}, None),
        ],
        ON_IT,
    ),
    "taken away": ([changed(IAM, BUCKETS)], ON_IT),
    "on no group": ([changed(BUCKETS, IAM)], HELD),
    "harmless one attached": ([attached(ACCOUNT_POLICY)], HELD),
    "joined one that denies nothing": ([joins("developers")], HELD),
}


@pytest.mark.parametrize(("changes", "held"), HARMLESS.values(), ids=HARMLESS)
def test_what_denies_nothing_new_is_not_asked(changes: list[dict[str, Any]], held: HeldPolicies):
    assert rules(plan(*changes), OWN, held=held) == []
    assert rules(plan(*changes), STRANGER, held=held) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:PrincipalTag/team": "x"}},
    ],
)
def test_what_depends_on_more_than_is_known_is_asked(condition: dict[str, Any]):
    p = plan(inline(document("iam:*", Condition=condition)))
    (own,) = judged(p, OWN, ADMIN)
    assert (own.rule, own.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert own.summary == "Policies of groups might deny you (admin) actions that applying the baseline needs."
    assert next(iter(next(iter(condition.values())))) in own.evidence


def test_a_text_that_is_not_known_yet_is_asked():
    change = inline(IAM)
    change["change"] |= {"after": {"group": "administrators", "name": "mine"}, "after_unknown": {"policy": True}}
    p = plan(change)
    assert reaches_users(p)
    (own,) = judged(p, OWN)
    assert own.rule is LOCKS_OUT
    assert "mine of administrators, not known before the apply" in own.evidence


def test_a_text_that_cannot_be_read_is_asked():
    (own,) = judged(plan(inline('{"Version": "2012-10-17", "Statement": [{"Effect": "Deny"}]}')), OWN)
    assert own.rule is LOCKS_OUT
    assert "mine of administrators, cannot be read: neither Action nor NotAction" in own.evidence


def test_mfa_counts_as_whoever_it_is_has_it():
    without = document("iam:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    p = plan(inline(without))
    assert rules(p, STRANGER, ADMIN) == []
    assert rules(p, STRANGER, replace(ADMIN, mfa_devices=0)) == [LOCKS_OUT]
    assert rules(p, replace(OWN, session_with_mfa=False), ADMIN) == [LOCKS_OUT]
    # Where MFA is enforced, that is told by what enforces it.
    assert rules(p, STRANGER, replace(ADMIN, mfa_devices=0), bound=ADMINS) == []


def test_an_administrator_who_is_denied_already_is_none_to_count_on():
    frozen = replace(HELD, inline={"frozen": {"x": IAM}})
    also = replace(OTHER, groups=frozenset({"frozen"}))
    p = plan(inline(IAM))
    assert rules(p, STRANGER, ADMIN, also) == [LOCKS_OUT]
    assert LOCKS_OUT_LAST_ADMINISTRATOR in rules(p, STRANGER, ADMIN, also, held=frozen)


def test_a_group_that_was_never_read_may_get_one():
    change = joins("new")
    made = inline(IAM, group="new")
    assert rules(plan(change, made), OWN) == [LOCKS_OUT_CALLER]


def test_a_policy_that_the_plan_makes_is_known_by_its_name():
    made = entry("aws_iam_policy", None, {"name": "fresh", "path": "/ops/", "policy": IAM})
    fresh = attached(f"{ACCOUNT}:policy/ops/fresh")
    assert rules(plan(made, fresh), OWN) == [LOCKS_OUT_CALLER]
    # One of the account's own that nobody has is not taken for harmless.
    (own,) = judged(plan(fresh), OWN)
    assert (own.rule, own.evidence.count("fresh of administrators, not known before the apply")) == (LOCKS_OUT, 1)


def test_only_what_may_deny_wants_facts():
    assert not reaches_users(plan(inline(document("iam:*", "Allow"))))
    assert not reaches_users(plan(attached("arn:aws:iam::aws:policy/ReadOnlyAccess")))
    assert not reaches_users(plan(entry("aws_iam_policy", None, {"policy": IAM})))
    assert not reaches_users(plan(changed(IAM, document("iam:*", "Allow"))))
