"""Who has a permissions boundary of the account keeps it where the baseline's own denies less, or may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.environment.source import Problem
from toolkit.environment.splice import DELETE
from toolkit.plan.boundaries import judge_boundaries
from toolkit.plan.guards import Existing
from toolkit.plan.managed_policies import ManagedPolicies
from toolkit.plan.model import Action, Change, Marker, Plan
from toolkit.resources.reading import Live

ROLE = 'module.iam_roles.aws_iam_role.this["development"]'
USER = 'module.iam_users.aws_iam_user.this["development"]'
BOUNDARY = 'module.iam_roles.aws_iam_policy.boundary["delegation"]'
OLD, NEW = (f"arn:aws:iam::111122223333:policy/{name}" for name in ("theirs", "ours"))
ENTRY = {
    ROLE: ("components", "iam_roles", "roles", "development"),
    USER: ("components", "iam_users", "users", "development"),
}
ALLOWS = {"Sid": "Allows", "Effect": "Allow", "Action": "*", "Resource": "*"}
DENIES = {"Sid": "Theirs", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}


def text(*statements: dict[str, str]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def change(address: str, action: Action = Action.CREATE, before: Any = None, after: Any = None) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    component = address.split(".")[1]
    imported = action is Action.UPDATE
    return Change(
        address, kind, name, action, component, "eu-central-1", (), before or {}, after or {}, imported=imported
    )


def plan(*changes: Change) -> Plan:
    return Plan("1.11.4", changes, (), 0)


def adopted(address: str, texts: dict[str, str], ours: str, new: object = NEW) -> tuple[Adoption, Plan]:
    """An adoption that met a role or user, and the plan that imports it and gives it another boundary."""
    entries = {"components": {"iam_roles": {"roles": {"development": {}, "x": {}}}, "iam_users": {"users": {}}}}
    entries["components"]["iam_users"]["users"] = {"development": {}, "x": {}}
    kind = address.split(".")[2]
    adoption = Adoption(written=entries, iam_names={(kind, "development"): ENTRY[address]}, policies=lambda: texts)
    live = Live({"name": "development"}, {"name": "development"}, "the development", "development")
    met = Existing({}, False, "development", "the development", live=live)
    assert adoption.next(plan(change(address, after={"name": "development"})), {address: met})
    assert adoption.imports == (address,)
    had, has = ({"name": "development", "permissions_boundary": arn} for arn in (OLD, new))
    boundary = change(BOUNDARY, after={"name": "ours", "path": "/", "policy": ours})
    return adoption, plan(boundary, change(address, Action.UPDATE, had, has))


@pytest.mark.parametrize("address", [ROLE, USER])
@pytest.mark.parametrize(
    ("texts", "ours", "why"),
    [
        ({OLD: text(ALLOWS, DENIES)}, text(ALLOWS), "denies less: Theirs"),
        ({OLD: text(DENIES)}, text(DENIES, ALLOWS), "grants more: Allows"),
        ({}, text(DENIES), "what the old one says is not known here"),
        ({OLD: text(ALLOWS)}, text(ALLOWS), ""),
        ({OLD: text(ALLOWS)}, text(ALLOWS, DENIES), ""),
    ],
)
def test_who_has_a_stronger_boundary_is_kept_apart(address: str, texts: dict[str, str], ours: str, why: str):
    adoption, made = adopted(address, texts, ours)
    # `adopt` proposes nothing that the plan then refuses, and keeps nothing apart that it would not.
    assert bool(why) is bool(list(judge_boundaries(made, ManagedPolicies(made, (), texts))))
    assert adoption.next(made, {}) is bool(why)
    decision = adoption.decisions[address]
    if not why:
        assert (decision.choice, adoption.imports) == (Choice.ADOPT, (address,))
        return
    assert (decision.choice, decision.open) == (Choice.KEEP, None)
    assert decision.reason == f"permissions_boundary would become weaker (theirs → ours: {why})"
    assert {edit.path: edit.value for edit in adoption.edits} == {ENTRY[address]: DELETE}


def test_what_another_setting_needs_is_left_to_people_with_both_reasons():
    adoption, made = adopted(ROLE, {OLD: text(ALLOWS, DENIES)}, text(ALLOWS))
    adoption.next(made, {})
    assert adoption.reject([Problem(9, "components.iam_roles.conflicts[0][0]", "no role 'development' here", "x")])
    why = str(adoption.decisions[ROLE].open)
    assert why.startswith("permissions_boundary would become weaker (theirs → ours: denies less: Theirs); ")
    assert "`components.iam_roles.roles.development` cannot be left out: " in why
    assert adoption.edits == ()


def test_a_boundary_that_no_plan_knows_is_judged_once_nothing_else_changes():
    adoption, made = adopted(ROLE, {OLD: text(ALLOWS)}, text(ALLOWS), new=Marker.UNKNOWN)
    assert adoption.next(made, {})
    assert "what the new one says is not known here" in adoption.decisions[ROLE].reason


def test_what_was_decided_is_told_and_not_kept_apart():
    adoption, made = adopted(ROLE, {OLD: text(ALLOWS, DENIES)}, text(ALLOWS))
    adoption.decisions[ROLE].given = True
    assert not adoption.next(made, {})
    assert str(adoption.decisions[ROLE].open).startswith("permissions_boundary would become weaker (theirs → ours: ")
