"""Names that IAM does not distinguish by case: in one file, in one plan, and between a plan and the account."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.findings import Finding
from toolkit.plan.guards import COLLIDES, judge
from toolkit.plan.model import Attribution, parse_plan
from toolkit.resources.registry import RESOURCES, is_case_blind

from .conftest import read_existing

REGION = "eu-central-1"
HEAD = f'account_id: "123456789012"\nregions: {{home: {REGION}}}\ncomponents:\n'
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
)
CASE_TOLD = {
    "aws_iam_access_key": "AWS gives the id (CreateAccessKey)",
    "aws_iam_account_alias": "an alias has no capital letters (CreateAccountAlias)",
    "aws_iam_group_policy": "the name of an inline policy: AWS documents no such rule for it (PutGroupPolicy)",
    "aws_iam_role_policy": "the name of an inline policy: AWS documents no such rule for it (PutRolePolicy)",
    "aws_iam_user_policy": "the name of an inline policy: AWS documents no such rule for it (PutUserPolicy)",
    "aws_iam_openid_connect_provider": "known by its URL, which AWS compares as it is (CreateOpenIDConnectProvider)",
    "aws_iam_service_linked_role": "AWS gives the name (CreateServiceLinkedRole)",
    "aws_iam_account_password_policy": "an account has one, without a name",
    "aws_iam_organizations_features": "an organization has one, without a name",
    "aws_iam_group_policy_attachment": "has no name of its own",
    "aws_iam_role_policy_attachment": "has no name of its own",
    "aws_iam_user_policy_attachment": "has no name of its own",
    "aws_iam_user_group_membership": "has no name of its own",
    "aws_iam_user_login_profile": "has no name of its own",
}
"""The other types of IAM → why none of them can clash with a name of another case."""
MAKES = {
    "aws_iam_group": ("create_group", "GroupName", {}, "iam_groups"),
    "aws_iam_user": ("create_user", "UserName", {}, "iam_users"),
    "aws_iam_role": ("create_role", "RoleName", {"AssumeRolePolicyDocument": DOCUMENT}, "iam_roles"),
    "aws_iam_policy": ("create_policy", "PolicyName", {"PolicyDocument": DOCUMENT}, "iam_roles"),
}


def entry(kind: str, component: str, name: str, *, before: bool = False) -> dict[str, Any]:
    values = {"name": name}
    change = {"actions": ["delete"], "before": values, "after": None} if before else None
    return {
        "address": f'module.{component}.{kind}.this["{name}"]',
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": change or {"actions": ["create"], "before": None, "after": values, "after_unknown": {}},
    }


def found(*entries: dict[str, Any]) -> list[Finding]:
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, attribution)
    clients = AwsSession(load_text(f"{HEAD}  {{}}\n", name="x", shown_as="x"), {})
    judged = judge(plan, REGISTRY, read_existing(plan, Inventory(clients)))
    return [finding for finding in judged if finding.rule is COLLIDES]


def test_every_type_of_iam_is_classified() -> None:
    blind = {kind for kind in RESOURCES if is_case_blind(kind)}
    assert {kind for kind in RESOURCES if kind.startswith("aws_iam_")} == {*blind, *CASE_TOLD}
    assert set(MAKES) == blind


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("planned", ["Team.Lead", "team.lead", "TEAM.LEAD", "tEAM.lEAD"])
@pytest.mark.parametrize("kind", sorted(MAKES))
def test_what_the_account_has_in_any_case_collides(kind: str, planned: str) -> None:
    call, parameter, request, component = MAKES[kind]
    create = getattr(boto3.client("iam"), call)
    create(**{parameter: "Team.Lead"}, **request)
    create(**{parameter: "Team.Leader"}, **request)
    (finding,) = found(entry(kind, component, planned))
    assert finding.blocks
    assert "'Team.Lead'" in finding.evidence
    assert f'{kind}.this["Team.Lead"]\': ' in finding.remedy, "the import is into the address of the right spelling"
    assert ("spell it 'Team.Lead'" in finding.remedy) == (planned != "Team.Lead")
    assert found(entry(kind, component, "Team.Leaders")) == []


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("kind", sorted(MAKES))
def test_a_name_whose_case_alone_changes_keeps_its_case(kind: str) -> None:
    """As for_each makes of it: the plan deletes the one and creates the other, in no order."""
    call, parameter, request, component = MAKES[kind]
    getattr(boto3.client("iam"), call)(**{parameter: "anna"}, **request)
    collisions = found(entry(kind, component, "anna", before=True), entry(kind, component, "Anna"))
    assert ["keep the spelling 'anna'" in finding.remedy for finding in collisions] == [True]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("kind", sorted(MAKES))
def test_two_of_a_plan_that_differ_by_case_collide(kind: str) -> None:
    (finding,) = found(
        *(entry(kind, component, name) for component, name in (("iam_roles", "x"), ("siem_export", "X")))
    )
    assert finding.blocks
    assert finding.address == f'module.siem_export.{kind}.this["X"]'
    assert f'module.iam_roles.{kind}.this["x"]' in finding.summary
    assert found(entry(kind, "iam_roles", "x"), entry(kind, "iam_roles", "xx")) == []


USER = 'owner: a@example.com, review_date: "2027-06-30"'
TWINS = [
    (f"  iam_users:\n    users:\n      alice: {{{USER}}}\n      Alice: {{{USER}}}", 7, "the user 'Alice' is 'alice'"),
    ("  iam_groups:\n    groups:\n      staff: {}\n      STAFF: {}", 7, "the group 'STAFF' is 'staff'"),
    ("  iam_groups:\n    groups:\n      Developers: {}", 6, "`developers: null` in addition to it"),
    ("  iam_groups: {}\n  iam_users:\n    suspended_group_name: Billing", 6, "the group 'Billing' is 'billing'"),
    (
        "  iam_groups:\n    guardrail_policy_name: Guard\n  mfa_enforcement:\n    policy_name: guard",
        7,
        "the policy 'guard' is 'Guard'",
    ),
    (
        "  iam_groups:\n    guardrail_policy_name: guard\n  mfa_enforcement:\n    policy_name: guard",
        7,
        "names a policy 'guard' already",
    ),
    (
        "  iam_roles:\n    support:\n      users: [anna]\n    deployers:\n      AWS-Support: {provider: github, "
        "repository: o/r, branches: [main], managed_policies: [ReadOnlyAccess]}",
        8,
        "the role 'AWS-Support' is 'aws-support'",
    ),
    (
        "  iam_roles:\n    roles:\n      Baseline-CloudTrail-Delivery: {users: [anna], managed_policies: "
        "[ReadOnlyAccess]}\n  cloudtrail: {name: baseline}",
        7,
        "the role 'baseline-cloudtrail-delivery' is 'Baseline-CloudTrail-Delivery'",
    ),
]


@pytest.mark.parametrize(("components", "line", "said"), TWINS)
def test_names_of_one_file_that_differ_by_case_are_refused_with_their_line(
    components: str, line: int, said: str
) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(f"{HEAD}{components}\n", name="x", shown_as="environment.yaml")
    (problem,) = caught.value.problems
    assert problem.line == line, str(problem)
    assert said in str(problem)


def test_names_of_different_kinds_may_be_the_same() -> None:
    # AWS keeps users, groups, roles and policies apart; the module itself names a group and a policy alike.
    both = f"  iam_users:\n    users:\n      billing: {{{USER}}}\n  iam_groups: {{}}\n"
    assert load_text(f"{HEAD}{both}", name="x", shown_as="x").enabled("iam_users")
