"""Every policy of ours, read by linters that are not ours: Salesforce's policy_sentry and cloudsplaining.

The policies are those of recorded real plans (tests/plans/components), in which everything is switched on.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest
from cloudsplaining.scan.policy_document import PolicyDocument
from policy_sentry.querying.all import get_all_actions

PLANS = Path(__file__).parents[1] / "plans" / "components"
IDENTITY = ("aws_iam_policy", "aws_iam_group_policy", "aws_iam_role_policy", "aws_iam_user_policy")
BOUNDARIES = ('module.iam_roles.aws_iam_policy.boundary["delegation"].policy',)
"""Documents that limit and grant nothing; tests/policies/test_delegation.py tells what they leave."""
ESCALATION = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "iam:CreatePolicyVersion", "Resource": "*"},
}


def policies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(address, Terraform type, document) of every policy that the recorded plans know."""
    for file in sorted(PLANS.glob("*.json")):
        for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
            values = entry["change"]["after"] or {}
            for attribute in ("policy", "assume_role_policy", "inline_policy", "content"):
                text = values.get(attribute)
                if isinstance(text, str) and text.lstrip().startswith("{") and '"Statement"' in text:
                    yield f"{entry['address']}.{attribute}", entry["type"], json.loads(text)


ALL = [pytest.param(*found[1:], id=found[0]) for found in policies()]
GRANTS = [pytest.param(*found[1:], id=found[0]) for found in policies() if found[0] not in BOUNDARIES]
OF_IDENTITIES = [
    pytest.param(document, id=address)
    for address, kind, document in policies()
    if kind in IDENTITY and address not in BOUNDARIES
]


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


@cache
def known_actions() -> frozenset[str]:
    """Names of the service authorization reference, and of newest calls, which that table lacks as yet."""
    newest = []
    for service, version in (("iam", "2010-05-08"), ("signin", "2023-01-01")):
        model = Path(botocore.__file__).parent / "data" / service / version / "service-2.json.gz"
        newest += [f"{service}:{name}" for name in json.loads(gzip.decompress(model.read_bytes()))["operations"]]
    return frozenset(a.lower() for a in (*get_all_actions(), *newest))


def unknown(document: dict[str, Any]) -> list[str]:
    named = [a for s in statements(document) for a in (*listed(s.get("Action")), *listed(s.get("NotAction")))]
    return [a for a in named if a != "*" and not any(fnmatchcase(known, a.lower()) for known in known_actions())]


def test_there_are_policies_of_each_kind():
    assert len(ALL) > 20
    assert len(OF_IDENTITIES) > 4


@pytest.mark.parametrize(("_kind", "document"), ALL)
def test_every_action_exists(_kind: str, document: dict[str, Any]):
    assert unknown(document) == []


def test_a_mistyped_action_would_be_seen():
    assert unknown({"Statement": {"Effect": "Deny", "Action": ["iam:DeactivateMFADevices"]}}) == [
        "iam:DeactivateMFADevices"
    ]


@pytest.mark.parametrize(("_kind", "document"), GRANTS)
def test_nothing_grants_everything(_kind: str, document: dict[str, Any]):
    """Administrators have AWS's own AdministratorAccess; none of our documents is like it."""
    for statement in statements(document):
        if statement["Effect"] == "Allow":
            assert "*" not in listed(statement.get("Action"))
            assert "NotAction" not in statement


@pytest.mark.parametrize("document", OF_IDENTITIES)
def test_no_way_to_more_rights(document: dict[str, Any]):
    """cloudsplaining's list: Rhino Security Labs, AWS IAM Privilege Escalation Methods."""
    assert PolicyDocument(document).allows_privilege_escalation == []


def test_what_a_boundary_leaves_is_no_identity_administration():
    """Rights that sit in workloads already remain reachable, as the module's README says; nothing else."""
    found = [document for address, _, document in policies() if address in BOUNDARIES]
    assert len(found) == len(BOUNDARIES)
    for document in found:
        assert all("*" not in listed(s.get("Action")) for s in statements(document))
        left = {action for way in PolicyDocument(document).allows_privilege_escalation for action in way["actions"]}
        assert {action for action in left if action.split(":")[0] in ("iam", "sts", "organizations", "sso")} == set()


def test_a_way_to_more_rights_would_be_seen():
    assert PolicyDocument(ESCALATION).allows_privilege_escalation
