"""Guards as pairs: everything is wanted first and gathered at once, and nothing is read while guards judge."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.addresses import label_of
from toolkit.components.base import Identities
from toolkit.components.registry import REGISTRY
from toolkit.findings.rules import RELEASES
from toolkit.iam.organization import Deployment
from toolkit.plan import judging
from toolkit.plan.case import Caller, Case
from toolkit.plan.denials import GroupPoliciesWanted, HeldPolicies
from toolkit.plan.existing import ContentsWanted, ExistingWanted
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.managed_policies import DocumentWanted, gives_administration
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.own_permission_set import Assigned, AssignedWanted
from toolkit.plan.own_role import OwnRole, RoleBoundaryWanted, RolePoliciesWanted, RoleWanted
from toolkit.plan.usage import Counted, CountWanted, HeldWanted, Known, SummaryWanted, TargetWanted
from toolkit.plan.users import UserFact, UsersWanted

ACCOUNT, REGION = "123456789012", "eu-central-1"
IAM = f"arn:aws:iam::{ACCOUNT}"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role"
ALLOWS = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
DENIES = ALLOWS.replace("Allow", "Deny")
NARROW = ALLOWS.replace('"Action": "*"', '"Action": "s3:*"')
CALLERS = (
    Caller(f"{IAM}:user/ann", "ann", False),
    Caller(f"{SESSION}/deployer/x", None, True),
    Caller(f"{SESSION}/AWSReservedSSO_Admin_0123456789abcdef/ann", None, True),
)


def entry(address: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    kind = address.split(".")[2]
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    change = {"actions": actions, "before": before, "after": after, "after_unknown": {}}
    return {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change, **more}


def everything() -> Plan:
    """A plan for which every fact there is matters."""
    assigns = {
        "permission_set_arn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
        "instance_arn": "arn:aws:sso:::instance/ssoins-1",
        "target_id": ACCOUNT,
        "principal_id": "ann",
    }
    bucket = {"bucket": "example-logs", "id": "example-logs"}
    own = {"name": "own", "path": "/", "arn": f"{IAM}:policy/own"}
    admin = {"name": "Admin", "arn": assigns["permission_set_arn"]}
    freeze, managed = f"{IAM}:policy/freeze", "aws_iam_{}_policy_attachment.this"
    tainted = entry("module.cloudtrail.aws_s3_bucket.this", bucket, bucket, action_reason="replace_because_tainted")
    tainted["change"]["actions"] = ["delete", "create"]
    entries = [
        entry("module.iam_groups.aws_iam_group.this", None, {"name": "new"}),
        entry(f"module.iam_groups.{managed.format('group')}", None, {"group": "staff", "policy_arn": freeze}),
        entry(f"module.iam_roles.{managed.format('role')}", None, {"role": "deployer", "policy_arn": freeze}),
        entry("module.iam_users.aws_iam_user.this", {"name": "ben", "arn": f"{IAM}:user/ben"}, None),
        entry("module.iam_roles.aws_iam_policy.this", {**own, "policy": ALLOWS}, {**own, "policy": NARROW}),
        entry("module.cloudtrail.aws_cloudtrail.this", None, {"name": "x"}),
        entry('module.organization.aws_organizations_policy_attachment.this["p/root"]', None, {"target_id": "r-1"}),
        entry("module.identity_center.aws_ssoadmin_permission_set.this", admin, {**admin, "description": "x"}),
        entry("module.identity_center.aws_ssoadmin_account_assignment.this", assigns, None),
        tainted,
    ]
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


def case(caller: Caller, **more: Any) -> Case:
    deployment = Deployment((), {}, (REGION,), ACCOUNT, "aws")
    attachable = {"p": ("SERVICE_CONTROL_POLICY", 1)}
    given: dict[str, Any] = {"identities": Identities(), "attachable": attachable, **more}
    return Case(everything(), caller, ACCOUNT, deployment, **given)


ANSWERS: dict[type[Wanted[Any]], Any] = {
    ExistingWanted: None,
    ContentsWanted: "the bucket has objects",
    DocumentWanted: DENIES,
    SummaryWanted: Known({"Groups": 9, "GroupsQuota": 9}),
    HeldWanted: Known(frozenset({"x"})),
    CountWanted: Counted(Known(5), None),
    TargetWanted: Known(1),
    RoleWanted: OwnRole(f"{IAM}:role/deployer", ALLOWS.replace('"Resource"', '"Principal"'), f"{IAM}:policy/own"),
    RoleBoundaryWanted: ALLOWS,
    RolePoliciesWanted: HeldPolicies(kind="role"),
    AssignedWanted: Assigned(frozenset({"ann"}), frozenset({"ann"})),
    UsersWanted: (UserFact("ann", f"{IAM}:user/ann", frozenset({"staff"}), True, 0, 0, True, None),),
    GroupPoliciesWanted: HeldPolicies(attached={"staff": frozenset()}),
}
"""One answer to each question that a guard can put."""


class Used(Facts):
    """Facts that record what guards look at."""

    def __init__(self, answers: dict[Wanted[Any], Any], used: set[type[Wanted[Any]]]) -> None:
        super().__init__(answers)
        self.used = used

    def __getitem__(self, wanted: Wanted[Any]) -> Any:
        self.used.add(type(wanted))
        return super().__getitem__(wanted)


def kinds(base: type[Any] = Wanted) -> Iterator[type[Wanted[Any]]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith(("toolkit.audit.", "toolkit.adoption.")):
            continue  # no guard looks at it
        yield kind
        yield from kinds(kind)


def test_what_guards_look_at_was_wanted_before_anything_is_judged():
    """By answers alone: a question that `needs` forgets is a KeyError, and there is no account to read from here."""
    looked_at: set[type[Wanted[Any]]] = set()
    for caller in CALLERS:
        one = case(caller)
        answers = {wanted: ANSWERS[type(wanted)] for wanted in judging.needs(one)}
        assert list(judging.judge(one, Used(answers, looked_at)))
    assert looked_at == set(kinds()) == set(ANSWERS), "a question that this plan does not need: let it"


@pytest.mark.parametrize("caller", CALLERS, ids=["user", "role", "permission set"])
def test_what_the_account_has_already_needs_nothing_that_was_not_wanted(caller: Caller):
    """Guards judge a plan without these creates; what they need for it must be among what they needed for the whole."""
    whole = case(caller)
    for left_out in whole.plan.changes:
        changes = tuple(c for c in whole.plan.changes if c is not left_out)
        less = dataclasses.replace(whole, plan=dataclasses.replace(whole.plan, changes=changes))
        if left_out.address.split(".")[2].endswith("_policy_attachment"):
            assert set(judging.needs(less)) <= set(judging.needs(whole))


def test_a_destroy_that_ends_a_simulated_account_asks_for_no_user():
    for caller in CALLERS:
        wanted = {type(w) for w in judging.needs(case(caller, destroy=True, ends=True, simulated=True))}
        assert wanted <= {ExistingWanted, ContentsWanted, DocumentWanted}


def test_a_question_is_put_once_whoever_wants_it():
    wanted = judging.needs(case(CALLERS[0]))
    assert len(wanted) == len(set(wanted))


RECORDED = sorted((pathlib.Path(__file__).parents[2] / "plans" / "components").glob("*.json"))


def forgotten(file: pathlib.Path) -> Plan:
    """A plan that releases all that a recorded one would create, with ids and ARNs as AWS would have given them."""
    entries = []
    for one in json.loads(file.read_text("utf-8"))["resource_changes"]:
        if one.get("mode") == "managed":
            had = dict(one["change"]["after"])
            name = f"{one['address'].split('.')[1]}-{had.get('name', 'x')}"
            match one["type"]:
                case "aws_iam_policy":
                    had["arn"] = f"{IAM}:policy/{name}"
                case "aws_organizations_policy":
                    had["id"] = f"p-{name}"
            entries.append(
                {**one, "change": {"actions": ["forget"], "before": had, "after": None, "after_unknown": {}}}
            )
    for one in entries:
        had, module = one["change"]["before"], one["address"].split(".")[1]
        for attribute, kind, identity in (
            ("policy_arn", "aws_iam_policy", "arn"),
            ("policy_id", "aws_organizations_policy", "id"),
        ):
            if one["type"].endswith("policy_attachment") and attribute not in had:
                own = (e["change"]["before"][identity] for e in entries if _is_own(e, module, kind))
                had[attribute] = next(own, f"{IAM}:policy/another")
    attribution = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


def _is_own(entry: dict[str, Any], module: str, kind: str) -> bool:
    return entry["type"] == kind and entry["address"].split(".")[1] == module


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_release_takes_nothing_from_the_account(file: pathlib.Path):
    """What Terraform forgets, AWS keeps: for all that components make, there are no findings but those of a release."""
    plan = forgotten(file)
    labels = frozenset(filter(None, (label_of(change.address) for change in plan.changes)))
    released = dataclasses.replace(case(CALLERS[1]), plan=plan, released=labels)
    answers = {wanted: ANSWERS[type(wanted)] for wanted in judging.needs(released)}
    found = list(judging.judge(released, Facts(answers)))
    administrators = {c.address for c in plan.changes if gives_administration(c.before)}
    assert {f.address for f in found if f.rule is not RELEASES} == administrators
    assert {f.consent for f in found if f.address in administrators and f.rule is not RELEASES} <= {
        "--acknowledge-lockout"
    }
