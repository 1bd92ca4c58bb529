"""What IAM has already, which policies owners have, and who gets in: asked of moto; refusals, of a Stubber."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError
from toolkit.plan.denials import GroupPoliciesWanted
from toolkit.plan.guards import Existing
from toolkit.plan.managed_policies import DocumentWanted
from toolkit.plan.own_role import RolePoliciesWanted
from toolkit.plan.users import UsersWanted

from .conftest import Stubbed, allows, client, creates, existing, judged, plan_of, read, read_existing

pytestmark = pytest.mark.usefixtures("aws")

GRANTS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
DENIES = GRANTS.replace("Allow", "Deny")


def test_values_of_the_password_policy_are_those_that_terraform_would_hold(clients: AwsSession):
    client("iam").update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=30, RequireSymbols=True)
    (found,) = read_existing(creates("aws_iam_account_password_policy"), Inventory(clients)).values()
    assert found.values["minimum_password_length"] == 20
    assert found.values["max_password_age"] == 30
    assert found.values["require_symbols"] is True
    assert found.values["require_numbers"] is False


def test_inline_policies_of_the_same_name():
    iam = client("iam")
    iam.create_group(GroupName="operators")
    iam.create_role(RoleName="delivery", AssumeRolePolicyDocument="{}")
    group = plan_of(
        "iam_groups",
        "aws_iam_group_policy",
        {"group": "operators", "name": "x", "policy": allows("ec2:StartInstances")},
    )
    role = plan_of(
        "cloudtrail", "aws_iam_role_policy", {"role": "delivery", "name": "x", "policy": allows("logs:PutLogEvents")}
    )
    assert existing(group) is None
    assert existing(role) is None
    iam.put_group_policy(GroupName="operators", PolicyName="x", PolicyDocument=allows("*", effect="Deny"))
    iam.put_role_policy(RoleName="delivery", PolicyName="x", PolicyDocument=allows("logs:*"))
    found = judged(group)
    assert [(f.attribute, f.blocks) for f in found] == [("policy", True), (None, False)]
    assert "denies less: It" in found[0].evidence
    (note,) = judged(role)
    assert "the inline policy 'x' of the role 'delivery'" in note.summary
    assert "'delivery:x' under `imports`" in note.remedy
    same = {"role": "delivery", "name": "x", "policy": allows("logs:*")}
    assert existing(plan_of("cloudtrail", "aws_iam_role_policy", same)) is None


def test_what_policies_groups_have_and_what_they_say(clients: AwsSession):
    iam = client("iam")
    denies, grants = DENIES, GRANTS
    for group in ("a", "b"):
        iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName="a", PolicyName="mine", PolicyDocument=denies)
    own = iam.create_policy(PolicyName="own", PolicyDocument=denies)["Policy"]["Arn"]
    # The default version counts, whichever is newest.
    iam.create_policy_version(PolicyArn=own, PolicyDocument=grants)
    iam.attach_group_policy(GroupName="b", PolicyArn=own)
    found = read(GroupPoliciesWanted(), clients)
    assert {n: {k: json.loads(v) for k, v in p.items()} for n, p in found.inline.items()} == {
        "a": {"mine": json.loads(denies)},
        "b": {},
    }
    assert found.attached == {"a": frozenset(), "b": {own}}
    assert {k: json.loads(v) for k, v in found.documents.items()} == {own: json.loads(denies)}
    with Stubber(clients.client("iam")) as stub:
        stub.add_client_error("get_account_authorization_details", "AccessDenied", http_status_code=403)
        with pytest.raises(ToolkitError, match=r"cannot be read: iam:GetAccountAuthorizationDetails in .*: denied"):
            read(GroupPoliciesWanted(), clients)


def test_users_and_how_they_get_in(clients: AwsSession):
    iam = client("iam")
    for name in ("admin", "dev", "robot"):
        iam.create_user(UserName=name)
    for group in ("administrators", "developers"):
        iam.create_group(GroupName=group)
    # One of the account's own that is called like AWS's makes nobody an administrator: its text is not looked at here.
    own = iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=GRANTS)["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="administrators", PolicyArn=own)
    iam.add_user_to_group(GroupName="administrators", UserName="admin")
    iam.add_user_to_group(GroupName="developers", UserName="dev")
    iam.create_login_profile(UserName="dev", Password="Correct-Horse-9-Battery")
    iam.enable_mfa_device(
        UserName="dev", SerialNumber="arn:aws:iam::123456789012:mfa/phone", AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )  # fmt: skip
    iam.create_access_key(UserName="robot")
    off = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="robot", AccessKeyId=off, Status="Inactive")
    users = {u.name: u for u in read(UsersWanted(with_password_age=True), clients)}
    assert (users["admin"].administrator, users["dev"].administrator) == (False, False)
    assert users["admin"].administrator_groups == frozenset()
    assert users["admin"].arn == "arn:aws:iam::123456789012:user/admin"
    assert users["dev"].administrator_groups == frozenset()
    assert users["dev"].groups == {"developers"}
    assert (users["dev"].console_password, users["robot"].console_password) == (True, False)
    assert (users["dev"].mfa_devices, users["robot"].mfa_devices) == (1, 0)
    assert (users["robot"].active_keys, users["dev"].active_keys) == (1, 0)
    assert users["dev"].password_age_days in (0, None)


def test_the_boundary_and_the_administration_of_a_user_are_read(clients: AwsSession):
    """Of a Stubber: moto does not put boundaries on users, and loads AWS's policies only where it is told to."""
    boundary = "arn:aws:iam::123456789012:policy/limits"

    def user(name: str, **more: Any) -> dict[str, Any]:
        arn = f"arn:aws:iam::123456789012:user/{name}"
        return {"UserName": name, "Arn": arn, "GroupList": [], "AttachedManagedPolicies": [], **more}

    limited = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    of_aws = [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    details = {
        "UserDetailList": [user("a", PermissionsBoundary=limited, GroupList=["staff"])],
        "GroupDetailList": [{"GroupName": "staff", "AttachedManagedPolicies": of_aws}],
        "IsTruncated": False,
    }
    with Stubber(clients.client("iam")) as stub:
        for kind in ("User", "Group"):
            stub.add_response("get_account_authorization_details", details, {"Filter": [kind]})
        stub.add_client_error("get_login_profile", "NoSuchEntity", http_status_code=404)
        stub.add_response("list_mfa_devices", {"MFADevices": [], "IsTruncated": False})
        stub.add_response("list_access_keys", {"AccessKeyMetadata": [], "IsTruncated": False})
        (found,) = read(UsersWanted(with_password_age=False), clients)
    assert found.boundary == boundary
    assert (found.administrator, found.administrator_groups) == (True, {"staff"})


def test_what_a_role_has_and_what_it_is_to_get(clients: AwsSession):
    iam = boto3.client("iam")
    for role in ("deployer", "other"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=GRANTS)
    iam.put_role_policy(RoleName="deployer", PolicyName="mine", PolicyDocument=DENIES)
    iam.put_role_policy(RoleName="other", PolicyName="theirs", PolicyDocument=DENIES)
    own, new = (iam.create_policy(PolicyName=n, PolicyDocument=DENIES)["Policy"]["Arn"] for n in ("own", "new"))
    # The default version counts, whichever is newest.
    iam.create_policy_version(PolicyArn=own, PolicyDocument=GRANTS)
    iam.attach_role_policy(RoleName="deployer", PolicyArn=own)
    missing = new.replace("new", "missing")
    found = read(RolePoliciesWanted("deployer"), clients)
    denies = json.loads(DENIES)
    assert {n: json.loads(t) for n, t in found.inline["deployer"].items()} == {"mine": denies}
    assert found.attached == {"deployer": {own}}
    assert {arn: json.loads(t) for arn, t in found.documents.items()} == {own: denies}
    assert json.loads(read(DocumentWanted(new), clients) or "") == denies
    assert read(DocumentWanted(missing), clients) is None
    assert found.kind == "role"


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        ("list_role_policies", "iam:ListRolePolicies"),
        ("list_attached_role_policies", "iam:ListAttachedRolePolicies"),
        ("get_policy", "iam:GetPolicy"),
    ],
)
def test_what_is_refused_is_not_taken_for_nothing(clients: AwsSession, call: str, permission: str):
    iam = clients.client("iam")
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=GRANTS)
    attached = [{"PolicyName": "own", "PolicyArn": "arn:aws:iam::123456789012:policy/own"}]
    with Stubber(iam) as stub:
        for earlier, answer in (
            ("list_role_policies", "PolicyNames"),
            ("list_attached_role_policies", "AttachedPolicies"),
        ):
            if earlier == call:
                break
            stub.add_response(earlier, {answer: attached if answer == "AttachedPolicies" else []})
        stub.add_client_error(call, "AccessDenied", http_status_code=403)
        with pytest.raises(ToolkitError, match=f"deployer has, .* cannot be read: {permission} in .*: denied"):
            read(RolePoliciesWanted("deployer"), clients)


def features(answer: dict[str, Any] | str) -> Existing | None:
    clients = Stubbed("iam", ("list_organizations_features", answer))
    plan = plan_of("organization", "aws_iam_organizations_features", {"enabled_features": ["RootSessions"]})
    return existing(plan, clients)


def test_central_root_access_that_is_on_is_compared_like_a_change():
    found = features({"OrganizationId": "o-a1b2c3d4e5", "EnabledFeatures": ["RootCredentialsManagement"]})
    assert found == Existing(
        {"enabled_features": ["RootCredentialsManagement"]}, True, "o-a1b2c3d4e5", "features of central root access"
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"OrganizationId": "o-a1b2c3d4e5", "EnabledFeatures": []},
        "OrganizationNotFoundException",
        "OrganizationNotInAllFeaturesModeException",
        "ServiceAccessNotEnabledException",
    ],
)
def test_central_root_access_that_is_off_is_in_nobodys_way(answer: dict[str, Any] | str):
    assert features(answer) is None


def test_what_cannot_be_asked_is_an_error_and_no_absence():
    with pytest.raises(ToolkitError, match="AccessDenied"):
        features("AccessDenied")
