"""A line under `imports` that has done its work: reported with what to delete."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from moto import mock_aws

from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.findings import Consents, Finding
from toolkit.plan.imports import IMPORTS_DIFFER
from toolkit.plan.model import Attribution, parse_plan
from toolkit.workflows.judge import judge_plan
from toolkit.workflows.workspace import Workspace

REGION, ACCOUNT = "eu-central-1", "123456789012"
ADDRESS = "module.password_policy.aws_iam_account_password_policy.this"
ENVIRONMENT = f"""\
account_id: "{ACCOUNT}"
regions: {{home: {REGION}}}
components: {{password_policy: {{}}}}
imports:
  {ADDRESS}: iam-account-password-policy
"""


@pytest.mark.parametrize(
    ("actions", "importing", "reported"),
    [
        (["no-op"], None, True),
        (["update"], None, True),
        (["no-op"], {"id": "iam-account-password-policy"}, False),
        (["update"], {"id": "iam-account-password-policy"}, False),
        (["create"], None, False),
        (["delete"], None, False),
    ],
    ids=["left alone", "changed", "coming", "coming and changed", "created", "deleted"],
)
def test_a_line_that_is_done_is_reported(actions: list[str], importing: Any, reported: bool):
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    before = None if actions == ["create"] else {"minimum_password_length": 14, "hard_expiry": False}
    after = None if actions == ["delete"] else {"minimum_password_length": 14, "hard_expiry": actions == ["update"]}
    change = {"actions": actions, "before": before, "after": after, "importing": importing}
    entry = {
        "address": ADDRESS,
        "mode": "managed",
        "type": "aws_iam_account_password_policy",
        "name": "this",
        "change": change,
    }
    data = {"format_version": "1.2", "resource_changes": [entry]}
    environment = load_text(ENVIRONMENT, name="x", shown_as="x")
    workspace = SimpleNamespace(
        environment=environment,
        aws=AwsSession(environment, {}),
        attribution=attribution,
        caller=CallerIdentity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ben"),
        simulator=None,
    )
    with mock_aws():
        found: tuple[Finding, ...] = judge_plan(
            cast(Workspace, workspace), data, parse_plan(data, attribution), Consents(), destroy=False
        ).findings
    # A plan that creates what it was to import is refused, as Terraform 1.16.0 makes them.
    assert [f.address for f in found if f.rule is IMPORTS_DIFFER] == ([ADDRESS] if actions == ["create"] else [])
    said = [f for f in found if "delete this line" in f.remedy]
    assert len(said) == reported
    for finding in said:
        assert finding.remedy.endswith(f"(line 5): '{ADDRESS}': 'iam-account-password-policy'")
        assert not finding.blocks
