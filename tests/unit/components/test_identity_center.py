from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.identity_center import COMPONENT, IdentityCenter
from toolkit.environment import load_environment
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

AUDIT = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Get*", "Resource": "${x}"}]}
ID = "1234567890-12345678-1234-1234-1234-123456789012"


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        IdentityCenter.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def of(permission_set: dict[str, Any]) -> dict[str, Any]:
    return {"permission_sets": {"audit": permission_set}}


def rendered(folder: Path, block: str, regions: str = "{home: eu-central-1, active: [eu-central-1, us-east-1]}") -> str:
    file = folder / "environment.yaml"
    file.write_text(
        f'account_id: "123456789012"\nregions: {regions}\ncomponents:\n  identity_center: {block}\n', encoding="utf-8"
    )
    return render(load_environment(file, name="x", shown_as="x"))["identity_center.tf"]


def test_a_set_is_for_nobody_and_for_an_hour_unless_said() -> None:
    settings = IdentityCenter.model_validate(of({"managed_policies": ["SecurityAudit"]}))
    audit = settings.permission_sets["audit"]
    assert (audit.session_hours, audit.assignments, audit.permissions_boundary) == (1, {}, None)
    assert (settings.instance, settings.region) == (None, None)
    assert COMPONENT.settings is IdentityCenter


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "permission_sets: Field required"),
        ({"permission_sets": {}}, ": permission_sets must have at least one"),
        ({"permission_sets": {"a set": {}}}, "permission_sets.a set.[key]: expected 1 to 32 letters"),
        (
            {**of({}), "inline_policy_files": {"other": "x.json"}},
            ": inline_policy_files must be of sets under permission",
        ),
        ({**of({}), "region": "eu-central"}, "region: expected an AWS region"),
        (
            of({"managed_policies": ["SecurityAudit"], "customer_managed_policies": {f"p{n}": "/" for n in range(20)}}),
            "permission_sets.audit: the set has 21 managed_policies and customer_managed_policies; expected at most 20",
        ),
        (
            {**of({}), "instance": {"arn": "x", "identity_store_id": "d-1234567890"}},
            "instance.arn: expected the ARN of",
        ),
        (of({"session_hours": 13}), "permission_sets.audit.session_hours: Input should be less than"),
        (
            of({"relay_state": "http://example.com"}),
            "permission_sets.audit.relay_state: expected an address that starts",
        ),
        (
            of({"managed_policies": ["ReadOnlyAcess"]}),
            "permission_sets.audit.managed_policies.0: expected the name of an AWS managed policy",
        ),
        (
            of({"managed_policies": ["arn:aws:iam::123456789012:policy/own"]}),
            "permission_sets.audit.managed_policies.0: expected the name of an AWS managed policy",
        ),
        (
            of({"customer_managed_policies": {"own": "team"}}),
            "permission_sets.audit.customer_managed_policies.own: expected a path that starts and ends with /",
        ),
        (
            of({"permissions_boundary": {}}),
            "permission_sets.audit.permissions_boundary: permissions_boundary must have",
        ),
        (
            of({"permissions_boundary": {"managed_policy": "ReadOnlyAccess", "customer_managed_policy": "own"}}),
            "permission_sets.audit.permissions_boundary: permissions_boundary must have either",
        ),
        (
            of({"assignments": {"prod": {"groups": ["x"]}}}),
            "permission_sets.audit.assignments.prod.[key]: expected an account id",
        ),
        (
            of({"assignments": {"111122223333": {}}}),
            "permission_sets.audit.assignments.111122223333: an assignment must name at least one",
        ),
        (
            of({"assignments": {"111122223333": {"group_ids": ["Admins"]}}}),
            "permission_sets.audit.assignments.111122223333.group_ids.0: expected the id of a group or user",
        ),
        (
            of({"assignments": {"111122223333": {"groups": ["A", "A"]}}}),
            "permission_sets.audit.assignments.111122223333.groups: expected each value once",
        ),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


def test_a_misspelt_policy_is_guessed() -> None:
    assert "(did you mean ReadOnlyAccess?)" in message(of({"managed_policies": ["ReadOnlyAcess"]}))
    assert "(did you mean job-function/Billing?)" in message(of({"managed_policies": ["Billing"]}))


def test_ids_need_no_lookup() -> None:
    assignment = {"group_ids": [ID], "user_ids": [ID.split("-", maxsplit=1)[1]]}
    settings = IdentityCenter.model_validate(of({"assignments": {"111122223333": assignment}}))
    assert settings.permission_sets["audit"].assignments["111122223333"].groups == ()


def test_an_inline_policy_is_what_the_file_says_and_nothing_in_it_is_evaluated(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text(json.dumps(AUDIT), encoding="utf-8")
    text = rendered(tmp_path, "{permission_sets: {audit: {}}, inline_policy_files: {audit: audit.json}}")
    assert re.search(r'"audit" += jsonencode\(\{\n', text)
    assert '"$${x}"' in text
    with pytest.raises(ToolkitError) as caught:
        rendered(tmp_path, "{permission_sets: {audit: {}}, inline_policy_files: {audit: ../audit.json}}")
    assert "inline_policy_files.audit: ../audit.json: outside of the environment's folder" in str(caught.value.detail)


def test_it_is_where_identity_center_was_enabled(tmp_path: Path) -> None:
    block = "{permission_sets: {audit: {}}, region: us-east-1}"
    assert 'module "identity_center_us_east_1"' in rendered(tmp_path, block)
    assert 'module "identity_center_eu_central_1"' in rendered(tmp_path, "{permission_sets: {audit: {}}}")
    with pytest.raises(ToolkitError) as caught:
        rendered(tmp_path, block, "{home: eu-central-1}")
    assert "identity_center.region: us-east-1 is not active; expected one of eu-central-1" in str(caught.value.detail)
