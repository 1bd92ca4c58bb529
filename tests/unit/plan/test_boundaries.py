"""Permissions boundaries: replaced, changed in text, and what they leave of who applies and of administrators."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Rule
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR, WEAKENS
from toolkit.iam.organization import Deployment
from toolkit.plan.boundaries import Boundaries, changed_boundaries, judge_boundaries
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import reaches_users
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.managed_policies import ManagedPolicies
from toolkit.plan.model import Attribution, Plan, Resource, parse_outcome, parse_plan
from toolkit.plan.own_permission_set import SignedIn, judge_own_permission_set
from toolkit.plan.own_role import judge_own_role, may_be_bounded
from toolkit.plan.users import UserFact
from toolkit.policies import Need

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ACCOUNT = "arn:aws:iam::123456789012"
OLD, NEW, OTHER = (f"{ACCOUNT}:policy/{name}" for name in ("old", "new", "other"))
EVERYTHING, POWER = (f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "PowerUserAccess"))
DEPLOYMENT = Deployment(
    (),
    {"every plan": (Need("iam:CreateRole"), Need("s3:CreateBucket"), Need("sts:GetCallerIdentity"))},
    ("eu-central-1",),
    "123456789012",
    "aws",
)


def document(*actions: str, effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READ, WRITE, ALL = document("s3:Get*"), document("s3:*"), document("*")
BUT_IDENTITIES = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
        ],
    }
)
NOTHING = document("*", effect="Deny")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
ADDRESS = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


def entry(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    action = ["create"] if before is None else ["delete"] if after is None else ["update"]
    change = {"actions": action, "before": before, "after": after, **more}
    return {
        "address": f"module.iam_roles.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": change,
    }


def policy(arn: str, before: str | None, after: str | None, name: str = "boundary") -> dict[str, Any]:
    def values(text: str | None) -> dict[str, Any] | None:
        return None if text is None else {"arn": arn, "policy": text, "path": "/", "name": arn.rsplit("/", 1)[-1]}

    changed = entry("aws_iam_policy", values(before), values(after))
    changed["address"], changed["name"] = f"module.iam_roles.aws_iam_policy.{name}", name
    if before == after:
        changed["change"]["actions"] = ["no-op"]
    return changed


def bounded(before: str | None, after: str | None, kind: str = "role", name: str = "ci") -> dict[str, Any]:
    values = {"name": name, "arn": f"{ACCOUNT}:{kind}/{name}"}
    old, new = ({**values, "permissions_boundary": arn} for arn in (before, after))
    return entry(f"aws_iam_{kind}", old, new)


def of_set(before: dict[str, Any], after: dict[str, Any], *actions: str) -> dict[str, Any]:
    old, new = ({"permission_set_arn": "arn:set", "permissions_boundary": [b]} for b in (before, after))
    changed = entry("aws_ssoadmin_permissions_boundary_attachment", old, new)
    changed["change"]["actions"] = list(actions or ("delete", "create"))
    return changed


def read(*entries: dict[str, Any]) -> tuple[Plan, tuple[Resource, ...]]:
    data = {"format_version": "1.2", "resource_changes": list(entries)}
    return parse_plan(data, ATTRIBUTION), parse_outcome(data, ATTRIBUTION)


def judged(*entries: dict[str, Any], texts: dict[str, str] | None = None) -> list[Finding]:
    plan, outcome = read(*entries)
    return list(judge_boundaries(plan, ManagedPolicies(plan, outcome, texts)))


def texts(old: str, new: str) -> dict[str, str]:
    return {OLD: old, NEW: new}


WIDER = {
    "wider text, of the account": ([], texts(READ, WRITE), OLD, NEW),
    "wider text, of the plan": ([policy(NEW, None, ALL)], {OLD: READ}, OLD, NEW),
    "wider text, of the state": ([policy(NEW, ALL, ALL), policy(OLD, READ, READ, "old")], {}, OLD, NEW),
    "a denial less": ([], texts(BUT_IDENTITIES, ALL), OLD, NEW),
    "not known to be narrower: of AWS": ([], {OLD: READ}, OLD, POWER),
    "not known to be narrower: from AWS's": ([], {NEW: READ}, POWER, NEW),
    "not known to be narrower: both of AWS": ([], {}, POWER, f"{POWER}2"),
    "not known: read nowhere": ([], {OLD: READ}, OLD, NEW),
    "everything": ([], {OLD: WRITE}, OLD, EVERYTHING),
    "deleted in the same plan": ([policy(NEW, READ, None)], {OLD: READ}, OLD, NEW),
    "widened in the same plan": ([policy(NEW, READ, ALL)], {OLD: READ}, OLD, NEW),
}
NARROWER = {
    "narrower": ([], texts(WRITE, READ), OLD, NEW),
    "of another name": ([], texts(READ, READ), OLD, NEW),
    "of another name, made by the plan": ([policy(NEW, None, READ), policy(OLD, READ, None, "old")], {}, OLD, NEW),
    "after everything": ([], {NEW: READ}, EVERYTHING, NEW),
    "the same": ([], {}, POWER, POWER),
    "narrowed in the same plan": ([policy(NEW, ALL, READ)], {OLD: READ}, OLD, NEW),
    "given for the first time": ([], {}, None, NEW),
}


@pytest.mark.parametrize("kind", ["role", "user"])
@pytest.mark.parametrize(("more", "known", "before", "after"), WIDER.values(), ids=WIDER)
def test_a_boundary_that_may_allow_more_does_not_take_anothers_place(
    more: list[Any], known: dict[str, str], before: str, after: str, kind: str
):
    (finding,) = judged(*more, bounded(before, after, kind), texts=known)
    assert (finding.rule, finding.blocks) == (WEAKENS, True)
    assert finding.subject == f"module.iam_roles.aws_iam_{kind}.this.permissions_boundary"
    assert finding.consent == f"--allow-weaker '{finding.subject}'"
    assert f"{before.rsplit('/', 1)[-1]} → {after.rsplit('/', 1)[-1]}: " in finding.evidence


@pytest.mark.parametrize("kind", ["role", "user"])
@pytest.mark.parametrize(("more", "known", "before", "after"), NARROWER.values(), ids=NARROWER)
def test_one_that_allows_no_more_may(more: list[Any], known: dict[str, str], before: str, after: str, kind: str):
    assert judged(*more, bounded(before, after, kind), texts=known) == []


def test_a_boundary_that_is_known_only_after_the_apply_may_allow_more():
    entry = bounded(OLD, None)
    del entry["change"]["after"]["permissions_boundary"]
    entry["change"]["after_unknown"] = {"permissions_boundary": True}
    (finding,) = judged(entry, texts={OLD: READ})
    assert finding.evidence == "old → (known after apply): what the new one says is not known here"


def test_boundaries_of_permission_sets_are_judged_alike():
    aws = {"managed_policy_arn": POWER, "customer_managed_policy_reference": []}
    other = {"managed_policy_arn": f"{POWER}2", "customer_managed_policy_reference": []}
    own = {"managed_policy_arn": None, "customer_managed_policy_reference": [{"path": "/", "name": "old"}]}
    assert [f.attribute for f in judged(of_set(aws, other))] == ["permissions_boundary"]
    assert [f.attribute for f in judged(of_set(aws, own))] == ["permissions_boundary"]
    assert judged(of_set(own, own)) == []


def test_only_what_changes_hands_is_read():
    plan, _ = read(bounded(OLD, NEW), bounded(None, POWER, "user"), policy(OTHER, READ, ALL))
    assert changed_boundaries(plan) == {OLD, NEW, POWER}


# Who applies as a role.

ROLE = Caller("arn:aws:sts::123456789012:assumed-role/ci/x", None, True)
BOUNDED = {
    "another that allows nothing": (bounded(OLD, NEW), texts(ALL, NOTHING), LOCKS_OUT_CALLER),
    "another that allows less": (bounded(OLD, NEW), texts(ALL, WRITE), LOCKS_OUT_CALLER),
    "text that allows nothing": (policy(OLD, ALL, NOTHING), {}, LOCKS_OUT_CALLER),
    "text that allows less": (policy(OLD, ALL, document("iam:*", "sts:*")), {}, LOCKS_OUT_CALLER),
    "text that denies": (policy(OLD, ALL, document("iam:CreateRole", effect="Deny")), {}, LOCKS_OUT_CALLER),
    "another that is not known": (bounded(OLD, POWER), {OLD: ALL}, LOCKS_OUT),
    "text with an open condition": (policy(OLD, ALL, document("*", Condition=ADDRESS)), {}, LOCKS_OUT),
    "text that nobody can read": (policy(OLD, ALL, "what is this"), {}, LOCKS_OUT),
}
LEAVES = {
    "another that allows it": (bounded(OLD, NEW), texts(WRITE, ALL)),
    "text that allows it": (policy(OLD, ALL, document("iam:*", "s3:*", "sts:*")), {}),
    "text of another": (policy(OTHER, ALL, NOTHING), {OLD: ALL}),
    "another that refuses as before": (bounded(OLD, NEW), texts(WRITE, WRITE)),
    "taken away": (bounded(OLD, None), {OLD: WRITE}),
    "of another role": (bounded(OLD, NEW, name="other"), texts(ALL, NOTHING)),
}


def own_role(change: dict[str, Any], known: dict[str, str]) -> list[Finding]:
    plan, outcome = read(change)
    bounds = Boundaries(plan, ManagedPolicies(plan, outcome, known), DEPLOYMENT)
    newly = bounds.newly(f"{ACCOUNT}:role/deploy/ci", OLD)
    assert newly is None or may_be_bounded(plan, "ci")
    return list(judge_own_role(plan, ROLE, bounded=newly))


@pytest.mark.parametrize(("change", "known", "rule"), BOUNDED.values(), ids=BOUNDED)
def test_no_boundary_refuses_the_role_that_applies_what_it_needs(
    change: dict[str, Any], known: dict[str, str], rule: Rule
):
    (finding,) = own_role(change, known)
    assert (finding.rule, finding.address) == (rule, change["address"])
    assert finding.consent == (None if rule is LOCKS_OUT_CALLER else "--acknowledge-lockout")
    assert finding.summary.startswith("You apply as the role ci, whose permissions boundary")


@pytest.mark.parametrize(("change", "known"), LEAVES.values(), ids=LEAVES)
def test_one_that_leaves_it_is_not_in_the_way(change: dict[str, Any], known: dict[str, str]):
    assert own_role(change, known) == []


def test_the_boundary_of_the_own_permission_set():
    own = {"managed_policy_arn": None, "customer_managed_policy_reference": [{"path": "/", "name": "old"}]}
    new = {"managed_policy_arn": None, "customer_managed_policy_reference": [{"path": "/", "name": "new"}]}
    aws = {"managed_policy_arn": POWER, "customer_managed_policy_reference": []}
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann"

    def rules(after: dict[str, Any], text: str) -> list[Rule]:
        set_ = entry("aws_ssoadmin_permission_set", {"name": "Admin", "arn": "arn:set"}, {"name": "Admin"})
        set_["change"].update(actions=["no-op"], after=set_["change"]["before"])
        plan, outcome = read(set_, of_set(own, after))
        bounds = Boundaries(plan, ManagedPolicies(plan, outcome, texts(ALL, text)), DEPLOYMENT)

        def refuses(old: str | None, new: str) -> Any:
            return bounds.replaced(session, old, new)

        who = SignedIn("Admin", "ann")
        return [f.rule for f in judge_own_permission_set(plan, outcome, who, "123456789012", None, refuses)]

    assert rules(new, WRITE) == [LOCKS_OUT_CALLER]
    assert rules(new, ALL) == []
    assert rules(aws, ALL) == [LOCKS_OUT]


# Administrators among the users.

ADMINS = frozenset({"administrators"})
ADMIN = UserFact("admin", f"{ACCOUNT}:user/staff/admin", ADMINS, True, 1, 0, True, 10, ADMINS)
SECOND = replace(ADMIN, name="second", arn=f"{ACCOUNT}:user/second")
STRANGER = Caller(f"{ACCOUNT}:user/stranger", "stranger", True)
LEAVES_GROUP = {
    **entry(
        "aws_iam_user_group_membership",
        {"user": "admin", "groups": ["administrators"]},
        {"user": "admin", "groups": []},
    ),
    "address": "module.iam_users.aws_iam_user_group_membership.active",
}


def users(
    *facts: UserFact, change: dict[str, Any], known: dict[str, str], caller: Caller = STRANGER
) -> list[tuple[Rule, str | None]]:
    plan, outcome = read(change)
    assert reaches_users(plan)
    bounds = Boundaries(plan, ManagedPolicies(plan, outcome, known), DEPLOYMENT)
    return [(f.rule, f.consent) for f in judge_lockout(plan, facts, caller, boundaries=bounds)]


COUNTED = {
    "without one": (None, {}, True),
    "that allows everything": (EVERYTHING, {}, True),
    "that allows what it takes": (OLD, {OLD: document("iam:*", "sts:*")}, True),
    "that asks for MFA, which they have": (OLD, {OLD: document("*", Condition=MFA)}, True),
    "that only reads": (OLD, {OLD: READ}, False),
    "that denies it": (OLD, {OLD: NOTHING}, False),
    "of AWS, whose text is not known": (POWER, {}, False),
    "that nobody found": (OLD, {}, False),
    "that depends on an address": (OLD, {OLD: document("*", Condition=ADDRESS)}, False),
}


@pytest.mark.parametrize(("boundary", "known", "counts"), COUNTED.values(), ids=COUNTED)
def test_an_administrator_within_a_boundary_is_counted_on_only_if_it_leaves_administration(
    boundary: str | None, known: dict[str, str], counts: bool
):
    other = replace(SECOND, boundary=boundary)
    found = users(ADMIN, other, change=LEAVES_GROUP, known=known)
    assert found == ([] if counts else [(LOCKS_OUT_LAST_ADMINISTRATOR, None)])


PUT = {
    "put on": (bounded(None, OLD, "user", "admin"), {OLD: READ}, None),
    "another": (bounded(OLD, NEW, "user", "admin"), texts(ALL, READ), OLD),
    "changed in text": (policy(OLD, ALL, READ), {}, OLD),
}


@pytest.mark.parametrize(("change", "known", "boundary"), PUT.values(), ids=PUT)
def test_a_boundary_takes_no_administrator_unasked(change: dict[str, Any], known: dict[str, str], boundary: str | None):
    admin = replace(ADMIN, boundary=boundary)
    asked, last = (LOCKS_OUT, "--acknowledge-lockout"), (LOCKS_OUT_LAST_ADMINISTRATOR, None)
    assert users(admin, SECOND, change=change, known=known) == [asked]
    assert users(admin, change=change, known=known) == [asked, last]
    own = Caller(admin.arn, "admin", True)
    assert users(admin, SECOND, change=change, known=known, caller=own) == [(LOCKS_OUT_CALLER, None)]


def test_a_boundary_that_may_refuse_is_asked():
    found = users(ADMIN, change=bounded(None, POWER, "user", "admin"), known={})
    assert found == [(LOCKS_OUT, "--acknowledge-lockout")]
    own = Caller(ADMIN.arn, "admin", True)
    assert users(ADMIN, change=bounded(None, POWER, "user", "admin"), known={}, caller=own) == found


def test_a_boundary_of_the_caller_that_refuses_another_service_is_refused():
    """An administrator could still undo it, but whoever applies could not finish."""
    change, known = bounded(None, OLD, "user", "admin"), {OLD: document("iam:*", "sts:*")}
    own = Caller(ADMIN.arn, "admin", True)
    assert users(ADMIN, SECOND, change=change, known=known, caller=own) == [(LOCKS_OUT_CALLER, None)]
    assert users(ADMIN, change=change, known=known) == [(LOCKS_OUT, "--acknowledge-lockout")]


@pytest.mark.parametrize("name", ["ci", "other"])
def test_a_role_that_is_made_anew_at_another_address_keeps_its_boundary(name: str):
    """Deleted and created, under its own name or another."""

    def moved(before: str | None, after: str | None) -> list[str | None]:
        old, new = bounded(before, before), bounded(after, after, name=name)
        old["change"].update(actions=["delete"], after=None)
        new["change"].update(actions=["create"], before=None)
        new["address"] = "module.iam_roles.aws_iam_role.moved"
        return [f.attribute for f in judged(old, new, texts=texts(READ, WRITE))]

    assert moved(OLD, NEW) == ["permissions_boundary"]
    assert moved(NEW, OLD) == []
    assert moved(OLD, OLD) == []
