"""The policies of the role that applies, asked of moto; refusals, of a Stubber."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.managed_policies import DocumentWanted
from toolkit.plan.own_role import RolePoliciesWanted

from .conftest import read

ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
GRANTS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
DENIES = GRANTS.replace("Allow", "Deny")

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def clients() -> AwsSession:
    return AwsSession(ENVIRONMENT, {})


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
