"""Permission sets, what they have and who has them: asked of moto, and of stubs where moto lacks the call."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.own_permission_set import Assigned, AssignedWanted

from .conftest import REGION, Stubbed, allows, creates, existing, judged, plan_of, read, read_existing

pytestmark = pytest.mark.usefixtures("aws")

ACCOUNT, OTHER = "123456789012", "111122223333"
# The region of the instance is not always the home region.
ELSEWHERE = load_text(
    f'account_id: "{ACCOUNT}"\nregions: {{home: eu-west-1, active: [eu-west-1, {REGION}]}}\ncomponents: {{}}\n',
    name="x",
    shown_as="x",
)


@pytest.fixture
def clients() -> AwsSession:
    return AwsSession(ELSEWHERE, {})


def test_a_permission_set_of_the_same_name_collides():
    instance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
    arns = [f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-123456789012345{n}" for n in "67"]
    answers = [
        ("list_permission_sets", {"PermissionSets": arns}),
        *(("describe_permission_set", {"PermissionSet": {"Name": name}}) for name in ("theirs", "mine")),
    ]
    plan = creates("aws_ssoadmin_permission_set", instance_arn=instance, name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("sso-admin", *answers))).values()
    assert (found.overwritten, found.import_id) == (False, f"{arns[1]},{instance}")
    assert read_existing(plan, Inventory(Stubbed("sso-admin", ("list_permission_sets", {"PermissionSets": []})))) == {}
    # An instance that Terraform only looks up while it applies cannot be asked.
    assert read_existing(creates("aws_ssoadmin_permission_set", name="mine"), Inventory(Stubbed("sso-admin"))) == {}


def test_what_a_permission_set_that_is_imported_has():
    instance, permissions = "arn:aws:sso:::instance/ssoins-1", "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
    ours = {"instance_arn": instance, "permission_set_arn": permissions}
    resource = "aws_ssoadmin_permission_set_inline_policy"
    plan = plan_of("identity_center", resource, {**ours, "inline_policy": allows("s3:*")})
    call = "get_inline_policy_for_permission_set"
    denies = {"InlinePolicy": allows("*", effect="Deny")}
    weakens, note = judged(plan, Stubbed("sso-admin", (call, denies)))
    assert (weakens.attribute, weakens.blocks) == ("inline_policy", True)
    assert f"'{permissions},{instance}' under `imports`" in note.remedy
    assert existing(plan, Stubbed("sso-admin", (call, {}))) is None
    of_a_new_set = plan_of("identity_center", resource, {"instance_arn": instance}, {"permission_set_arn": True})
    assert existing(of_a_new_set) is None

    planned = {"permissions_boundary": [{"managed_policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}
    plan = plan_of("identity_center", "aws_ssoadmin_permissions_boundary_attachment", {**ours, **planned})
    call = "get_permissions_boundary_for_permission_set"
    reading = {"PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    (note,) = judged(plan, Stubbed("sso-admin", (call, reading)))
    assert "ReadOnlyAccess" in note.evidence
    assert "AdministratorAccess" in note.evidence
    assert existing(plan, Stubbed("sso-admin", (call, "ResourceNotFoundException"))) is None


def assigned(clients: AwsSession, instance: str, permission_set: str, user: str) -> Assigned:
    return read(AssignedWanted(instance, permission_set, ACCOUNT, REGION, user), clients)


def test_the_assignments_in_the_account_and_the_users_own_ids(clients: AwsSession):
    sso, store = boto3.client("sso-admin", REGION), boto3.client("identitystore", REGION)
    instance = sso.list_instances()["Instances"][0]
    arn, identity_store = instance["InstanceArn"], instance["IdentityStoreId"]
    sets = [sso.create_permission_set(Name=n, InstanceArn=arn)["PermissionSet"]["PermissionSetArn"] for n in ("a", "b")]

    def user(name: str) -> str:
        person = {"GivenName": name, "FamilyName": name}
        made: Any = store.create_user(
            IdentityStoreId=identity_store, UserName=f"{name}@example.com", Name=person, DisplayName=name
        )
        return str(made["UserId"])

    ann, ben = user("ann"), user("ben")
    groups = [store.create_group(IdentityStoreId=identity_store, DisplayName=n)["GroupId"] for n in ("x", "y")]
    store.create_group_membership(IdentityStoreId=identity_store, GroupId=groups[0], MemberId={"UserId": ann})
    store.create_group_membership(IdentityStoreId=identity_store, GroupId=groups[1], MemberId={"UserId": ben})
    for permission_set, account, kind, principal in (
        (sets[0], ACCOUNT, "GROUP", groups[0]),
        (sets[0], ACCOUNT, "USER", ben),
        (sets[0], OTHER, "GROUP", groups[1]),
        (sets[1], ACCOUNT, "USER", ann),
    ):
        sso.create_account_assignment(
            InstanceArn=arn,
            PermissionSetArn=permission_set,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PrincipalType=kind,
            PrincipalId=principal,
        )
    has = frozenset({groups[0], ben})
    assert assigned(clients, arn, sets[0], "ann@example.com") == Assigned(has, frozenset({ann, groups[0]}))
    assert assigned(clients, arn, sets[0], "nobody@example.com") == Assigned(has, None)
    with pytest.raises(ToolkitError, match=r"sso:ListInstances in .* does not name arn:aws:sso:::instance/ssoins-0"):
        assigned(clients, "arn:aws:sso:::instance/ssoins-0", sets[0], "ann@example.com")


@pytest.mark.parametrize(
    ("service", "call", "permission"),
    [
        ("sso-admin", "list_account_assignments", "sso:ListAccountAssignments"),
        ("identitystore", "get_user_id", "identitystore:GetUserId"),
    ],
)
def test_what_is_refused_is_not_taken_for_nothing(clients: AwsSession, service: str, call: str, permission: str):
    instance = clients.client("sso-admin", REGION).list_instances()["Instances"][0]["InstanceArn"]
    permission_set = f"{instance}/ps-1".replace("instance", "permissionSet")
    with Stubber(clients.client(service, REGION)) as stub:
        stub.add_client_error(call, "AccessDeniedException", http_status_code=403)
        with pytest.raises(ToolkitError, match=f"cannot be read: {permission} in {REGION}: denied"):
            assigned(clients, instance, permission_set, "ann@example.com")
