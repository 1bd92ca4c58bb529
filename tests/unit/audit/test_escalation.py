"""Escalation paths as IAM answers them, and what the evidence says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.audit.checks.escalation import Details
from toolkit.audit.model import Answers, run
from toolkit.audit.registry import checks
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE
from .recorded_escalation import CHECK, IAM, role, trust, user
from .recorded_escalation import account as recorded

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def document(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_an_account_is_read_with_all_that_is_judged():
    text = f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        iam = boto3.client("iam", HOME)
        for name in ("anna", "ben"):
            iam.create_user(UserName=name)
        iam.create_group(GroupName="staff")
        iam.add_user_to_group(GroupName="staff", UserName="ben")
        iam.attach_user_policy(UserName="anna", PolicyArn=ADMINISTRATOR)
        own = iam.create_policy(PolicyName="own", PolicyDocument=document("iam:PassRole", "ec2:RunInstances"))
        iam.attach_group_policy(GroupName="staff", PolicyArn=own["Policy"]["Arn"])
        iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust(service="ec2.amazonaws.com"))
        iam.attach_role_policy(RoleName="admin", PolicyArn=ADMINISTRATOR)
        iam.create_instance_profile(InstanceProfileName="admin")
        iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
        source = Inventory(AwsSession(load_text(text, name="x", shown_as="x"), {}))
        check = checks()[CHECK]
        result = run(check, SCOPE, Answers({fact: (fact.read(source), ()) for fact in check.needs(SCOPE)}))
    said = [(one.resource.arn if one.resource else None, one.status, one.evidence) for one in result.outcomes]
    path = "path ec2-001 (iam:PassRole, ec2:RunInstances) by the role 'admin'"
    assert said == [(f"{IAM}:user/ben", Status.FAIL, f"the user 'ben' can become an administrator: {path}")]


def test_the_evidence_names_what_comes_first():
    anna = user(inline=[document("iam:PutRolePolicy", "iam:PassRole", "ec2:RunInstances")])
    account = recorded(anna, role(instance_profile=True))
    result = run(checks()[CHECK], SCOPE, Answers({fact: (of, ()) for fact, of in account.items()}))
    assert [one.evidence for one in result.outcomes] == [
        "the user 'anna' can become an administrator: "
        "path ec2-001 (iam:PassRole, ec2:RunInstances, after iam:PutRolePolicy) by the role 'deploy'"
    ]


def test_boundaries_are_read():
    """Which moto leaves out of GetAccountAuthorizationDetails; as its API Reference has them."""

    class Source:
        home_region = HOME

        def pages(self, *_: str, **parameters: object) -> tuple[object, ...]:
            if parameters["Filter"] != ["User"]:
                return ()
            boundary = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": ADMINISTRATOR}
            inline = {"PolicyName": "one", "PolicyDocument": json.loads(document("s3:*"))}
            one = {"UserName": "anna", "Arn": f"{IAM}:user/anna", "UserPolicyList": [inline]}
            return ({**one, "PermissionsBoundary": boundary}, {**one, "UserName": "ben"})

    anna, ben = Details("User").read(Source())
    assert (anna.values["boundary"], ben.values["boundary"]) == (ADMINISTRATOR, None)
    assert anna.values["inline"] == [document("s3:*")]
    assert Details("Group").read(Source()) == ()


def test_three_paths_are_named_and_the_others_counted():
    anna = user(inline=[document("iam:*")])
    result = run(checks()[CHECK], SCOPE, Answers({fact: (of, ()) for fact, of in recorded(anna).items()}))
    assert [one.evidence for one in result.outcomes] == [
        "the user 'anna' can become an administrator: path iam-007 (iam:PutUserPolicy), "
        "path iam-008 (iam:AttachUserPolicy)"
    ]
    both = recorded(user("ben"), anna)
    result = run(checks()[CHECK], SCOPE, Answers({fact: (of, ()) for fact, of in both.items()}))
    assert result.outcomes[0].evidence.endswith(
        "iam-015 (iam:AttachUserPolicy, iam:CreateAccessKey) by the user 'ben' and 3 more"
    )


def said_of(account: Mapping[Any, tuple[Live, ...]]) -> dict[str, tuple[Status, str]]:
    """What is said of each user and role, by its name."""
    result = run(checks()[CHECK], SCOPE, Answers({fact: (of, ()) for fact, of in account.items()}))
    return {one.resource.key["name"]: (one.status, one.evidence) for one in result.outcomes if one.resource}


LACKING = "IAM's details lack the policy arn:aws:iam::aws:policy/Other"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"boundary": "arn:aws:iam::aws:policy/Other"}, LACKING),
        ({"attached": ["arn:aws:iam::aws:policy/Other"]}, LACKING),
        ({"inline": ["{"]}, "a policy cannot be understood"),
    ],
)
def test_who_gets_at_somebody_of_whom_something_is_not_known_is_not_known_either(values: dict[str, Any], reason: str):
    """It could be an administrator, or one could be made of it; who gets nowhere near is judged."""
    deploy = {"trust": trust(aws=f"{IAM}:root"), **values}
    actions = ("sts:AssumeRole",) if "boundary" not in values else ("sts:AssumeRole", "iam:PutRolePolicy")
    anna, ben = user(inline=[document(*actions, resource=f"{IAM}:role/deploy")]), user("ben", inline=[document("s3:*")])
    found = said_of(recorded(anna, ben, role(**deploy)))
    assert {name: status for name, (status, _) in found.items()} == {"anna": Status.UNKNOWN, "deploy": Status.UNKNOWN}
    assert found["anna"][1].startswith(f"whether the user 'anna' can become an administrator is not known: {reason}")
    # What is known to be open hides behind nothing.
    certain = user(inline=[document(*actions), document("iam:PutUserPolicy")])
    assert said_of(recorded(certain, role(**deploy)))["anna"][0] is Status.FAIL


def test_a_trust_policy_that_cannot_be_understood_may_let_in_everyone():
    found = said_of(recorded(user(), role(trust="{", inline=[document("*")])))
    assert {name: status for name, (status, _) in found.items()} == {"anna": Status.UNKNOWN, "deploy": Status.UNKNOWN}
    assert set(said_of(recorded(user(), role(trust="{")))) == {"deploy"}


def test_a_version_that_nobody_can_go_back_to_is_not_needed():
    unread = recorded(user(inline=[document("s3:*")]), own={f"{IAM}:policy/own": document("s3:*")}, older=[None, "{"])
    assert said_of(unread) == {}
    reverting = user(inline=[document("iam:SetDefaultPolicyVersion")], attached=[f"{IAM}:policy/own"])
    found = said_of(recorded(reverting, own={f"{IAM}:policy/own": document("s3:*")}, older=[None]))
    assert found["anna"][0] is Status.UNKNOWN
    assert found["anna"][1].endswith(f"IAM's details lack the document of a version of {IAM}:policy/own")


def test_the_evidence_names_what_no_catalogue_has():
    own = f"{IAM}:policy/own"
    reverting = user(inline=[document("iam:SetDefaultPolicyVersion")], attached=[own])
    assert said_of(recorded(reverting, own={own: document("s3:*")}, older=[document("*")]))["anna"][1] == (
        "the user 'anna' can become an administrator: another version of its own policy, which it may make the default "
        f"(iam:SetDefaultPolicyVersion) by {own}"
    )
    lifting = user(inline=[document("*")], boundary=own)
    boundary = {own: document("iam:DeleteUserPermissionsBoundary")}
    assert said_of(recorded(lifting, own=boundary))["anna"][1] == (
        "the user 'anna' can become an administrator: its own permissions boundary, which it may lift "
        "(after iam:DeleteUserPermissionsBoundary)"
    )


def test_versions_are_read_with_their_policy():
    """GetAccountAuthorizationDetails answers with all of them: no call for each policy."""
    with mock_aws():
        iam = boto3.client("iam", HOME)
        arn = iam.create_policy(PolicyName="own", PolicyDocument=document("*"))["Policy"]["Arn"]
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*"), SetAsDefault=True)
        text = f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
        source = Inventory(AwsSession(load_text(text, name="x", shown_as="x"), {}))
        (own,) = Details("LocalManagedPolicy").read(source)
    assert own.values == {"document": document("s3:*"), "older": [document("*")]}
