"""Who has a permission set, asked of moto; refusals, of a Stubber."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.permission_sets import read_assigned
from toolkit.aws.session import ClientFactory
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.model import Action, Change
from toolkit.plan.own_permission_set import Assigned

REGION, ACCOUNT, OTHER = "eu-central-1", "123456789012", "111122223333"
ENVIRONMENT = load_text(
    f'account_id: "{ACCOUNT}"\nregions: {{home: eu-west-1, active: [eu-west-1, {REGION}]}}\ncomponents: {{}}\n',
    name="x",
    shown_as="x",
)

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def clients() -> ClientFactory:
    return ClientFactory(ENVIRONMENT, {})


def assignment(instance: str, permission_set: str) -> Change:
    values = {"instance_arn": instance, "permission_set_arn": permission_set, "target_id": ACCOUNT}
    # The region of the instance is not always the home region.
    return Change("a", "aws_ssoadmin_account_assignment", "this", Action.DELETE, None, REGION, (), values)


def test_the_assignments_in_the_account_and_the_users_own_ids(clients: ClientFactory):
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
    change = assignment(arn, sets[0])
    assert read_assigned(clients, change, "ann@example.com") == Assigned(has, frozenset({ann, groups[0]}))
    assert read_assigned(clients, change, "nobody@example.com") == Assigned(has, None)
    with pytest.raises(ToolkitError, match="does not name arn:aws:sso:::instance/ssoins-0"):
        read_assigned(clients, assignment("arn:aws:sso:::instance/ssoins-0", sets[0]), "ann@example.com")


@pytest.mark.parametrize(
    ("service", "call", "permission"),
    [
        ("sso-admin", "list_account_assignments", "sso:ListAccountAssignments"),
        ("identitystore", "get_user_id", "identitystore:GetUserId"),
    ],
)
def test_what_is_refused_is_not_taken_for_nothing(clients: ClientFactory, service: str, call: str, permission: str):
    instance = clients.client("sso-admin", REGION).list_instances()["Instances"][0]["InstanceArn"]
    change = assignment(instance, f"{instance}/ps-1".replace("instance", "permissionSet"))
    with Stubber(clients.client(service, REGION)) as stub:
        stub.add_client_error(call, "AccessDeniedException", http_status_code=403)
        with pytest.raises(ToolkitError, match=f"{permission} failed"):
            read_assigned(clients, change, "ann@example.com")
