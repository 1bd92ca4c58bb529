"""What the account has attached or joined already gives nobody any rights, though Terraform calls it a create. Asked of
moto.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.findings import Consents, Finding
from toolkit.plan.model import Attribution, parse_plan
from toolkit.workflows.judge import judge_plan
from toolkit.workflows.workspace import Workspace

REGION, ACCOUNT = "eu-central-1", "123456789012"
ATTRIBUTION = Attribution(tuple(REGISTRY), (REGION,), REGION)
OF_AWS = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    """One account for all: AWS's policies take moto a second to load."""
    with pytest.MonkeyPatch.context() as patched, mock_aws():
        patched.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        iam = boto3.client("iam")
        iam.create_group(GroupName="staff")
        iam.create_role(RoleName="staff", AssumeRolePolicyDocument=TRUST)
        iam.create_user(UserName="staff")
        iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(EVERYTHING))
        iam.create_group(GroupName="administrators")
        iam.put_group_policy(GroupName="administrators", PolicyName="x", PolicyDocument=json.dumps(EVERYTHING))
        yield


def findings(*entries: dict[str, Any]) -> list[Finding]:
    text = f'account_id: "{ACCOUNT}"\nregions: {{home: {REGION}}}\ncomponents: {{}}\n'
    environment = load_text(text, name="x", shown_as="x")
    workspace = SimpleNamespace(
        environment=environment,
        aws=AwsSession(environment, {}),
        attribution=ATTRIBUTION,
        caller=CallerIdentity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ben"),
        simulator=None,
    )
    data = {"format_version": "1.2", "resource_changes": list(entries)}
    plan = parse_plan(data, ATTRIBUTION)
    return list(judge_plan(cast(Workspace, workspace), data, plan, Consents(), destroy=False).findings)


def entry(kind: str, values: dict[str, Any], action: str = "create", key: str = "a") -> dict[str, Any]:
    component = "iam_users" if "membership" in kind else "iam_groups"
    address = f'module.{component}.{kind}.this["{key}"]'
    before, after = (None, values) if action == "create" else (values, None)
    change = {"actions": [action], "before": before, "after": after}
    return {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change}


OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"
KINDS = [
    pytest.param(
        f"aws_iam_{owner}_policy_attachment", {owner: "staff", "policy_arn": arn}, (owner, arn), id=f"{owner} {n}"
    )
    for owner in ("group", "role", "user")
    for n, arn in (("of AWS", OF_AWS), ("of the account", OWN))
] + [
    pytest.param(
        "aws_iam_user_group_membership", {"user": "staff", "groups": ["administrators"]}, None, id="a membership"
    )
]


@contextmanager
def there(given: tuple[str, str] | None) -> Iterator[None]:
    """In the account while the block runs."""
    iam = boto3.client("iam")
    if given is None:
        member = {"GroupName": "administrators", "UserName": "staff"}
        iam.add_user_to_group(**member)
        yield
        iam.remove_user_from_group(**member)
        return
    owner, arn = given
    attached = {f"{owner.capitalize()}Name": "staff", "PolicyArn": arn}
    getattr(iam, f"attach_{owner}_policy")(**attached)
    yield
    getattr(iam, f"detach_{owner}_policy")(**attached)


@pytest.mark.parametrize(("kind", "values", "given"), KINDS)
def test_only_what_is_new_is_a_finding(kind: str, values: dict[str, Any], given: tuple[str, str] | None):
    assert len(findings(entry(kind, values))) == 1
    with there(given):
        assert findings(entry(kind, values)) == []


@pytest.mark.parametrize(("kind", "values", "given"), KINDS)
def test_what_the_same_plan_takes_away_does_not_stand(kind: str, values: dict[str, Any], given: tuple[str, str] | None):
    """Terraform may delete it after it "creates" it, so that nothing is left: it is judged like any other."""

    def said(*entries: dict[str, Any]) -> list[str]:
        return [f.subject for f in findings(*entries)]

    elsewhere = entry(kind, values, "delete", key="b")
    gone = entry(f"aws_iam_{next(iter(values))}", {"name": "staff"}, "delete")
    alone = said(elsewhere), said(gone)
    absent = said(entry(kind, values), elsewhere), said(entry(kind, values), gone)
    with there(given):
        assert (said(entry(kind, values), elsewhere), said(entry(kind, values), gone)) == absent
        assert absent[1] != alone[1], "its owner is made anew: what it is given is reported"
