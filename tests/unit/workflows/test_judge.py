"""What judging a plan asks of AWS for it, and that it comes to bear. Asked of moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from toolkit.aws.gather import gather
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.findings import Consents, Finding
from toolkit.findings.rules import WEAKENS
from toolkit.plan.facts import Facts
from toolkit.plan.model import Attribution, parse_plan
from toolkit.workflows.judge import judge_plan
from toolkit.workflows.workspace import Workspace

REGION, ACCOUNT = "eu-central-1", "123456789012"
ATTRIBUTION = Attribution(tuple(REGISTRY), (REGION,), REGION)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def judged(caller_arn: str, *entries: dict[str, Any], components: str = "{}", simulated: bool = False) -> set[str]:
    """Rules of what is found in a plan to apply, of an environment with these components."""
    return {f.rule.id for f in found(caller_arn, *entries, components=components, simulated=simulated) if f.blocks}


def found(
    caller_arn: str, *entries: dict[str, Any], components: str = "{}", simulated: bool = False
) -> tuple[Finding, ...]:
    """What is found in it."""
    text = f'account_id: "{ACCOUNT}"\nregions: {{home: {REGION}}}\ncomponents: {components}\n'
    environment = load_text(text, name="x", shown_as="x")
    workspace = SimpleNamespace(
        environment=environment,
        aws=AwsSession(environment, {}),
        attribution=ATTRIBUTION,
        caller=CallerIdentity(ACCOUNT, caller_arn),
        simulator="moto" if simulated else None,
    )
    data = {"format_version": "1.2", "resource_changes": list(entries)}
    plan = parse_plan(data, ATTRIBUTION)
    return judge_plan(cast(Workspace, workspace), data, plan, Consents(), destroy=simulated).findings


def change(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    action = "create" if before is None else "delete" if after is None else "update"
    name = {"address": f"module.iam_groups.{kind}.this", "mode": "managed", "type": kind, "name": "this"}
    return {**name, **more, "change": {"actions": [action], "before": before, "after": after}}


def test_whom_the_own_role_trusts_is_asked_of_aws():
    iam = boto3.client("iam")
    anna = iam.create_user(UserName="anna")["User"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": anna}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/x"
    goes = change("aws_iam_user", {"name": "anna", "arn": anna}, None)
    assert "locks-out-caller" in judged(session, goes)
    assert "locks-out-caller" not in judged(f"arn:aws:iam::{ACCOUNT}:user/ben", goes)
    # In a simulated account that ends, nobody lives.
    assert "locks-out-caller" not in judged(session, goes, simulated=True)


def test_the_own_assignment_of_iam_identity_center_is_asked_of_aws():
    sso, store = boto3.client("sso-admin", REGION), boto3.client("identitystore", REGION)
    instance = sso.list_instances()["Instances"][0]
    arn = {"InstanceArn": instance["InstanceArn"]}
    admin = sso.create_permission_set(Name="Admin", **arn)["PermissionSet"]["PermissionSetArn"]
    ann, _ben = (
        store.create_user(
            IdentityStoreId=instance["IdentityStoreId"],
            UserName=name,
            DisplayName=name,
            Name={"GivenName": name, "FamilyName": "Example"},
        )["UserId"]
        for name in ("ann", "ben")
    )
    sso.create_account_assignment(
        TargetId=ACCOUNT, TargetType="AWS_ACCOUNT", PrincipalType="USER", PrincipalId=ann, PermissionSetArn=admin, **arn
    )
    values = {
        "permission_set_arn": admin,
        "instance_arn": arn["InstanceArn"],
        "target_id": ACCOUNT,
        "principal_id": ann,
    }
    goes = change("aws_ssoadmin_account_assignment", values, None)
    stays = change("aws_ssoadmin_permission_set", {"name": "Admin", "arn": admin}, {"name": "Admin", "arn": admin})
    stays["change"]["actions"] = ["no-op"]
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_"
    assert "locks-out-caller" in judged(f"{role}Admin_0123456789abcdef/ann", goes, stays)
    assert "locks-out-caller" not in judged(f"{role}Admin_0123456789abcdef/ben", goes, stays)
    assert "locks-out-caller" not in judged(f"{role}Other_0123456789abcdef/ann", goes, stays)


def test_what_groups_deny_is_asked_of_aws_and_judged_by_what_the_environment_needs():
    iam = boto3.client("iam")
    ann = iam.create_user(UserName="ann")["User"]["Arn"]
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="ann")

    def freeze(action: str) -> str:
        statement = {"Sid": "Freeze", "Effect": "Deny", "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    own = iam.create_policy(PolicyName="freeze", PolicyDocument=freeze("iam:Detach*"))["Policy"]["Arn"]
    attaches = change("aws_iam_group_policy_attachment", None, {"group": "staff", "policy_arn": own})
    assert "locks-out-caller" in judged(ann, attaches)
    detectors = change("aws_iam_group_policy", None, {"group": "staff", "name": "x", "policy": freeze("guardduty:*")})
    assert "locks-out-caller" not in judged(ann, detectors)
    assert "locks-out-caller" in judged(ann, detectors, components="{guardduty: {}}")


def test_what_the_own_role_gets_is_asked_of_aws():
    iam = boto3.client("iam")
    statement = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document)
    own = iam.create_policy(PolicyName="freeze", PolicyDocument=document)["Policy"]["Arn"]
    attaches = change("aws_iam_role_policy_attachment", None, {"role": "deployer", "policy_arn": own})
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/x"
    assert "locks-out-caller" in judged(session, attaches)
    assert "locks-out-caller" not in judged(session.replace("deployer", "other"), attaches)
    iam.attach_role_policy(RoleName="deployer", PolicyArn=own)
    assert "locks-out-caller" not in judged(session, attaches)


def test_what_the_role_that_applies_loses_is_asked_of_aws_when_its_pipeline_plans():
    iam = boto3.client("iam")
    broad, narrow = (
        json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
        for action in ("sns:*", "sqs:*")
    )
    for part in ("plan", "apply"):
        iam.create_role(RoleName=f"ci-{part}", AssumeRolePolicyDocument=broad)
    own = iam.create_policy(PolicyName="ci-apply-1", PolicyDocument=broad)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="ci-apply", PolicyArn=own)
    narrows = change("aws_iam_policy", {"arn": own, "policy": broad}, {"arn": own, "policy": narrow})
    gone = change("aws_sns_topic", {"arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms", "name": "alarms"}, None)
    deployer = "provider: github, repository: example/x, owner_id: '1', repository_id: '2', pipeline: {}"
    pipeline = f"{{iam_roles: {{deployers: {{ci: {{{deployer}}}}}}}}}"
    for part, components, expected in (
        ("plan", pipeline, True),
        ("apply", pipeline, True),
        ("apply", "{}", True),
        ("plan", "{}", False),
    ):
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci-{part}/x"
        rules = judged(session, narrows, gone, components=components)
        assert ("locks-out-caller" in rules) == expected, (part, components)


def test_nothing_is_read_once_judging_has_begun(monkeypatch: pytest.MonkeyPatch):
    """Facts are gathered once; a guard that read by itself would find the account closed."""
    iam = boto3.client("iam")
    iam.create_group(GroupName="staff")
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document)
    own = iam.create_policy(PolicyName="freeze", PolicyDocument=document)["Policy"]["Arn"]
    rounds: list[int] = []

    def gather_and_close(wants: Any, inventory: Inventory) -> Facts:
        facts = gather(wants, inventory)
        rounds.append(inventory.calls)
        monkeypatch.setattr("botocore.client.BaseClient._make_api_call", lambda *_: pytest.fail("AWS was read"))
        return facts

    monkeypatch.setattr("toolkit.workflows.judge.gather", gather_and_close)
    entries = [
        change("aws_iam_role_policy_attachment", None, {"role": "deployer", "policy_arn": own}),
        change("aws_iam_group_policy_attachment", None, {"group": "staff", "policy_arn": own}),
        change("aws_iam_group", None, {"name": "new"}),
        change("aws_config_config_rule", None, {"name": "new"}, address=RULE),
    ]
    assert "locks-out-caller" in judged(f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/x", *entries)
    assert len(rounds) == 1
    assert rounds[0] > len(entries)


def test_a_user_is_deleted_only_where_the_file_says_so():
    iam = boto3.client("iam")
    arn = iam.create_user(UserName="anna")["User"]["Arn"]
    iam.create_login_profile(UserName="anna", Password="Correct-Horse-1")
    goes = change(
        "aws_iam_user", {"name": "anna", "arn": arn}, None, address='module.iam_users.aws_iam_user.this["anna"]'
    )
    session = f"arn:aws:iam::{ACCOUNT}:user/ben"

    def components(status: str) -> str:
        entry = f"{{status: {status}, owner: it@example.com, review_date: '2030-01-01'}}"
        return f"{{iam_groups: {{}}, iam_users: {{users: {{anna: {entry}}}}}}}"

    assert judged(session, goes, components=components("removed")) == set()
    assert judged(session, goes, components=components("active")) == {"locks-out-users"}
    assert judged(session, goes) == {"locks-out-users"}


def test_the_boundary_of_the_own_role_is_asked_of_aws():
    iam = boto3.client("iam")
    texts = {
        name: json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
        for name, action in (("old", "*"), ("new", "s3:Get*"))
    }
    old, new = (iam.create_policy(PolicyName=n, PolicyDocument=t)["Policy"]["Arn"] for n, t in texts.items())
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust, PermissionsBoundary=old)
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/x"
    narrows = change("aws_iam_policy", {"arn": old, "policy": texts["old"]}, {"arn": old, "policy": texts["new"]})
    assert judged(session, narrows) == {"locks-out-caller"}
    assert judged(session.replace("deployer", "other"), narrows) == set()

    def replaced(before: str, after: str) -> dict[str, Any]:
        old, new = ({"name": "deployer", "permissions_boundary": arn} for arn in (before, after))
        return change("aws_iam_role", old, new)

    assert judged(session, replaced(old, new)) == {"locks-out-caller"}
    assert judged(session, replaced(new, old)) == {"weakens"}


RULE = 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]'
LENIENT = "{rules: {iam-password-policy: {identifier: IAM_PASSWORD_POLICY}}}"


@pytest.mark.parametrize(
    ("components", "setting", "other"),
    [
        ("{password_policy: {minimum_password_length: 8}, config: {}}", "components.password_policy", "config.rules"),
        ("{config: {}}", "components.password_policy", "config.rules"),
        (
            f"{{password_policy: {{minimum_password_length: 8}}, config: {LENIENT}}}",
            "components.config.rules.iam-password-policy.input_parameters",
            "components.password_policy",
        ),
    ],
    ids=["the rule follows the policy", "or what is left of it", "rules that the file gives"],
)
def test_a_remedy_names_the_component_that_a_rule_follows(components: str, setting: str, other: str):
    """`config.rules` decides the rule's parameters only where the file gives it."""
    before, after = (
        {"name": "iam-password-policy", "input_parameters": f'{{"MinimumPasswordLength":"{n}"}}'} for n in (14, 8)
    )
    entry = change("aws_config_config_rule", before, after, address=RULE, index="iam-password-policy")
    (finding,) = found(f"arn:aws:iam::{ACCOUNT}:user/ann", entry, components=components)
    assert finding.rule is WEAKENS
    assert setting in str(finding.setting)
    assert f"`{setting}`" in finding.remedy
    assert other not in finding.remedy
