from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.base import Place
from toolkit.components.organization import COMPONENT, Organization, policies
from toolkit.components.organization.guardrails import GLOBAL_ACTIONS
from toolkit.environment import Environment, load_environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.policies import encoded
from toolkit.rendering.render import render

RECORDED = Path(__file__).parents[2] / "plans" / "components" / "organization.yaml"
PLACE = Place("123456789012", "aws", "eu-central-1", ("eu-central-1", "us-east-1"))
GITHUB = "token.actions.githubusercontent.com"
DEPLOYER = "arn:aws:iam::*:role/baseline-deployer"


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        Organization.model_validate(settings)
    (error,) = caught.value.errors()
    path = ".".join(map(str, error["loc"]))
    return f"{path}: {error['msg'].removeprefix('Value error, ')}".removeprefix(": ")


def documents(settings: dict[str, Any], place: Place = PLACE) -> dict[str, Any]:
    return {p.name: p.content for p in policies(Organization.model_validate(settings), place)}


def statements(settings: dict[str, Any], name: str = "baseline-guardrails") -> dict[str, Any]:
    return {s["Sid"]: s for s in documents(settings)[name]["Statement"]}


def test_an_empty_block_protects_and_stops_nothing_that_runs() -> None:
    settings = Organization()
    (scp,) = settings.service_control_policies.values()
    assert scp.targets == ("root",)
    assert "deny_root_user" in scp.guardrails
    assert not {"deny_other_regions", "require_imdsv2"} & set(scp.guardrails)
    assert settings.resource_control_policies == {}
    assert settings.ai_services_opt_out.enabled
    assert settings.manage_organization
    assert COMPONENT.settings is Organization


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"organizational_units": ["A/B"]}, "organizational_units lacks A, the parent of A/B"),
        (
            {"organizational_units": ["A", "A/"]},
            "organizational_units.1: expected names separated by /, at most 5 levels, like Workloads/Production",
        ),
        (
            {"organizational_units": ["root"]},
            "organizational_units.0: expected names separated by /, at most 5 levels, like Workloads/Production",
        ),
        (
            {"service_control_policies": {"x": {"guardrails": ["deny_leaving"], "targets": ["Workloads"]}}},
            "service_control_policies.x.targets: Workloads is none of root, and no id of a unit (ou-…) or account",
        ),
        (
            {"service_control_policies": {"x": {"guardrails": ["deny_leaving"], "targets": []}}},
            "service_control_policies.x.targets must name at least one target",
        ),
        (
            {"service_control_policies": {"x": {}}},
            "service_control_policies.x: exactly one of guardrails and file must be given",
        ),
        (
            {"service_control_policies": {"x": {"guardrails": ["deny_leaving"], "file": "x.json"}}},
            "service_control_policies.x: exactly one of guardrails and file must be given",
        ),
        (
            {"service_control_policies": {"x": {"file": "x.json", "exempted_principal_arns": [DEPLOYER]}}},
            "service_control_policies.x: exempted_principal_arns applies to guardrails only; in a file, write the "
            "condition yourself",
        ),
        (
            {"service_control_policies": {"x": {"file": "../x.json"}}},
            "service_control_policies.x.file: expected the name of a .json file in the environment's folder, like "
            "policies/own.json",
        ),
        (
            {"service_control_policies": {"x": {"file": "/etc/x.json"}}},
            "service_control_policies.x.file: expected the name of a .json file in the environment's folder, like "
            "policies/own.json",
        ),
        (
            {"service_control_policies": {"x": {"file": "x.json", "locks_out_deployers_because": "closed accounts"}}},
            "service_control_policies.x: locks_out_deployers_because is not for a policy of the root: no principal "
            "could apply anything",
        ),
        (
            {"resource_control_policies": {"x": {"guardrails": ["organization_identities_only"]}}},
            "organization_id must be given: organization_identities_only of x names the organization",
        ),
        (
            {"tag_policies": {"baseline-guardrails": {"tags": {"Owner": {}}}}},
            "baseline-guardrails is the name of two policies, under service_control_policies and tag_policies",
        ),
        (
            {"management_policies": {"x": {"type": "BACKUP_POLICY"}}},
            "management_policies.x: exactly one of content and file must be given",
        ),
        (
            {"management_policies": {"x": {"type": "BACKUP_POLICY", "content": {"plans": {}}}}},
            "enabled_policy_types lacks BACKUP_POLICY, of which there are policies",
        ),
        (
            {"resource_control_policies": {"x": {"guardrails": ["trusted_oidc_tenants_only"]}}},
            "trusted_oidc_subjects must be given: trusted_oidc_tenants_only of x names them",
        ),
        (
            {"trusted_oidc_subjects": {GITHUB: ["repo:octo-org*"]}},
            "trusted_oidc_subjects: repo:octo-org* names no owner alone; expected repo:OWNER/… or repo:OWNER@ID/…",
        ),
        (
            {"trusted_oidc_subjects": {GITHUB: ["*"]}},
            f"trusted_oidc_subjects.{GITHUB}.0: expected a pattern that begins with what names your tenant, like "
            "repo:OWNER/*",
        ),
        (
            {"trusted_oidc_subjects": {"https://gitlab.com": ["project_path:group/*"]}},
            "trusted_oidc_subjects.https://gitlab.com.[key]: expected a provider's URL without https://, like "
            "token.actions.githubusercontent.com",
        ),
        (
            {"trusted_oidc_subjects": {"gitlab.com": []}},
            "trusted_oidc_subjects.gitlab.com: expected at least one value",
        ),
        ({"resource_services": []}, "resource_services: expected at least one value"),
        (
            {"origin_access_identities": ["arn:aws:iam::cloudfront:user/x"]},
            "origin_access_identities.0: expected the id of an origin access identity, like E127EXAMPLE51Z",
        ),
        ({"tag_policies": {"x": {}}}, "tag_policies.x: exactly one of tags and file must be given"),
        (
            {"exempted_principal_arns": ["arn:aws:iam::*:role/*"]},
            "exempted_principal_arns.0: expected a pattern that names principals: this one exempts every principal",
        ),
        *(
            (
                {setting: ["arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef"]},
                f"{setting}.0: expected the role with its path, which this pattern does not match without: roles of "
                "IAM Identity Center are like "
                "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_NAME_*",
            )
            for setting in ("exempted_principal_arns", "deployer_arns")
        ),
        (
            {"exempted_principal_arns": ["baseline-deployer"]},
            "exempted_principal_arns.0: expected the ARN of a role or user, with * for any account, like "
            "arn:aws:iam::*:role/baseline-deployer",
        ),
        (
            {"deployer_arns": [DEPLOYER]},
            f"deployer_arns: {DEPLOYER} is a pattern; expected the whole ARN of one role or user",
        ),
        (
            {"enabled_policy_types": ["SERVICE_CONTROL_POLICY"]},
            "enabled_policy_types lacks AISERVICES_OPT_OUT_POLICY, of which there are policies",
        ),
        ({"allowed_regions": ["eu-moon-1"]}, "allowed_regions.0: expected an AWS region, like eu-central-1"),
        ({"allowed_regions": ["eu-suoth-1"]}, "allowed_regions.0: expected an AWS region, like eu-central-1 "
         "(did you mean eu-south-1?)"),
        (
            {"delegated_administrators": {"config": ["111122223333"]}},
            "delegated_administrators.config.[key]: expected a service principal, like config.amazonaws.com",
        ),
        (
            {"security_administrator_account_id": "1234"},
            "security_administrator_account_id: expected an account id: 12 digits, in quotes",
        ),
        ({"trusted_services": ["iam"]}, "trusted_services.0: expected a service principal, like config.amazonaws.com"),
        ({"organization_id": "x"}, "organization_id: expected the id of an organization, such as o-a1b2c3d4e5"),
        (
            {"root_user_exceptions": ["EnableMFADevice"]},
            "root_user_exceptions.0: expected an action, like iam:EnableMFADevice",
        ),
    ],
)  # fmt: skip
def test_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings) == expected


def test_types_must_be_on_only_where_the_organization_is_managed() -> None:
    Organization.model_validate({"enabled_policy_types": [], "manage_organization": False})


@pytest.mark.parametrize("target", ["root", "A", "A/B", "ou-ab12-cdefgh34", "111122223333"])
def test_targets_are_names_or_ids(target: str) -> None:
    units = {"organizational_units": ["A", "A/B"]}
    policy = {"guardrails": ["deny_leaving"], "targets": [target]}
    Organization.model_validate({**units, "service_control_policies": {"x": policy}})


def test_exempted_principals_are_left_alone_by_every_guardrail_but_two() -> None:
    everything = {
        "guardrails": [
            "deny_leaving", "deny_root_user", "protect_trail", "protect_config", "protect_guardduty",
            "protect_security_hub", "protect_access_analyzer", "protect_scanners", "protect_account_settings",
            "deny_public_sharing", "deny_other_regions", "require_imdsv2",
        ],
        "exempted_principal_arns": ["arn:aws:iam::*:role/auditor"],
    }  # fmt: skip
    given = {"service_control_policies": {"x": everything}, "exempted_principal_arns": [DEPLOYER]}
    found = statements(given, "x")
    without = {
        sid
        for sid, s in found.items()
        if s.get("Condition", {}).get("ArnNotLike") != {"aws:PrincipalArn": [DEPLOYER, "arn:aws:iam::*:role/auditor"]}
    }
    # The last is about what credentials are, not about who has them.
    assert without == {"DenyLeaving", "DenyRootUser", "RefuseImdsV1Credentials"}


def test_without_exemptions_no_condition_is_left_empty() -> None:
    for statement in statements({}).values():
        assert {} not in statement.get("Condition", {"": 1}).values()
        assert "ArnNotLike" not in statement.get("Condition", {})


def test_the_root_user_may_get_mfa_and_lose_its_keys() -> None:
    statement = statements({})["DenyRootUser"]
    assert "iam:EnableMFADevice" in statement["NotAction"]
    assert "iam:CreateAccessKey" not in statement["NotAction"]
    assert statement["Condition"]["Null"] == {"aws:AssumedRoot": "true"}
    assert statements({"root_user_exceptions": []})["DenyRootUser"]["Action"] == ["*"]


def test_regions_are_the_environments_own_unless_others_are_named() -> None:
    policy = {"service_control_policies": {"x": {"guardrails": ["deny_other_regions"]}}}

    def regions(**more: Any) -> list[str]:
        found: list[str] = statements({**policy, **more}, "x")["DenyOtherRegions"]["Condition"]["StringNotEquals"][
            "aws:RequestedRegion"
        ]
        return found

    assert regions() == ["eu-central-1", "us-east-1"]
    assert regions(allowed_regions=["eu-west-1"]) == ["eu-west-1"]
    assert list(GLOBAL_ACTIONS) == sorted(set(GLOBAL_ACTIONS))
    assert {"iam:*", "sts:*", "organizations:*", "support:*", "support-console:*", "account:*"} <= set(GLOBAL_ACTIONS)


def test_partitions_have_their_own_arns() -> None:
    china = Place("123456789012", "aws-cn", "cn-north-1", ("cn-north-1",))
    (document, _) = documents({}, china).values()
    (root,) = (s for s in document["Statement"] if s["Sid"] == "DenyRootUser")
    assert root["Condition"]["ArnLike"]["aws:PrincipalArn"] == "arn:aws-cn:iam::*:root"


def test_trusted_accounts_are_left_alone_by_resource_policies() -> None:
    rcp = {"guardrails": ["organization_identities_only", "organization_services_only"]}
    given = {
        "organization_id": "o-a1b2c3d4e5",
        "trusted_account_ids": ["444455556666"],
        "resource_control_policies": {"x": rcp},
    }
    found = statements(given, "x")
    outside = found["OrganizationIdentitiesOnly"]["Condition"]["StringNotEqualsIfExists"]
    assert outside["aws:PrincipalOrgID"] == "o-a1b2c3d4e5"
    assert "444455556666" in outside["aws:PrincipalAccount"]
    assert found["OrganizationServicesOnly"]["Condition"]["StringNotEqualsIfExists"]["aws:SourceAccount"]
    assert all(s["Principal"] == "*" for s in found.values())


def test_a_tag_policy_spells_the_key_and_names_values() -> None:
    tags = {"CostCenter": {"values": ["a", "b"], "enforced_for": ["ec2:instance"]}, "Owner": {}}
    assert documents({"tag_policies": {"x": {"tags": tags}}})["x"] == {
        "tags": {
            "costcenter": {
                "tag_key": {"@@assign": "CostCenter"},
                "tag_value": {"@@assign": ["a", "b"]},
                "enforced_for": {"@@assign": ["ec2:instance"]},
            },
            "owner": {"tag_key": {"@@assign": "Owner"}},
        }
    }


def test_a_management_policy_is_sent_as_it_is_given() -> None:
    content = {"ec2_attributes": {"serial_console_access": {"status": {"@@assign": "disabled"}}}}
    given = {
        "management_policies": {"consoles": {"type": "DECLARATIVE_POLICY_EC2", "content": content}},
        "enabled_policy_types": [*Organization().enabled_policy_types, "DECLARATIVE_POLICY_EC2"],
    }
    (policy,) = (p for p in policies(Organization.model_validate(given), PLACE) if p.name == "consoles")
    assert (policy.type, policy.content, policy.targets) == ("DECLARATIVE_POLICY_EC2", content, ("root",))


def test_ai_services_are_opted_out_of_for_good_or_not_at_all() -> None:
    document = documents({})["baseline-ai-opt-out"]
    default = document["services"]["default"]
    assert default["opt_out_policy"]["@@assign"] == "optOut"
    assert default["opt_out_policy"]["@@operators_allowed_for_child_policies"] == ["@@none"]
    assert "baseline-ai-opt-out" not in documents({"ai_services_opt_out": {"enabled": False}})


def test_texts_are_what_terraform_sends() -> None:
    """Byte for byte: what is measured here is what real Terraform planned from the same settings."""
    environment = load_environment(RECORDED, name="organization")
    plan = json.loads(RECORDED.with_suffix(".json").read_text("utf-8"))
    sent = {
        entry["index"]: entry["change"]["after"]["content"]
        for entry in plan["resource_changes"]
        if entry["type"] == "aws_organizations_policy"
    }
    (enabled,) = environment.components
    assert isinstance(enabled.settings, Organization)
    assert {p.name: p.text for p in policies(enabled.settings, environment.place)} == sent
    assert len(sent) >= 6


def test_characters_that_terraform_escapes_are_counted_as_it_sends_them() -> None:
    assert encoded({"b": "<&>", "a": "ü\u2028"}) == '{"a":"ü\\u2028","b":"\\u003c\\u0026\\u003e"}'


def own(folder: Path, text: str | None = None, name: str = "own.json") -> Environment:
    (folder / "environment.yaml").write_text(
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  organization:\n'
        f"    service_control_policies:\n      own:\n        file: {name}\n"
    )
    if text is not None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return load_environment(folder / "environment.yaml", name="x", shown_as="x")


def test_a_file_beside_the_environment_is_rendered_as_data(tmp_path: Path) -> None:
    text = '{"Version": "2012-10-17", "Statement": {"Sid": "${x} \\"", "Effect": "Deny", "Action": "*"}}'
    environment = own(tmp_path, text, "policies/own.json")
    assert environment.files == {"policies/own.json": text}
    rendered = render(environment)["organization.tf"]
    assert 'Sid    = "$${x} \\""' in rendered


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    assert own(tmp_path, "\ufeff{}").files == {"own.json": "{}"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("[]", "not a JSON object"),
        ('"x"', "not a JSON object"),
        ('{"Statement": 1, "Statement": 2}', "'Statement' is repeated in one object"),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a": 1e999}', "1e999 is too large a number"),
        ('{"a": "\\ud800"}', "half of a surrogate pair, which is not a character"),
        ('{"a": ' * 60 + "1" + "}" * 60, "nested too deeply: at most 50 levels"),
        ("[" * 100_000, "nested too deeply"),
        ("x" * (1 << 20 | 1), "larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_the_line_that_names_it(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        own(tmp_path, text)
    (told,) = caught.value.problems
    assert (told.line, told.path) == (7, "components.organization.service_control_policies.own.file")
    assert told.problem == f"own.json: {problem}"
    assert told.expected == "a JSON file in the folder of environment.yaml"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("policies", "cannot be read: a folder, not a file"),
        ("/etc/hostname", "outside of the environment's folder"),
        ("../own.json", "outside of the environment's folder"),
        ("a\\0b", "no name of a file"),
    ],
)
def test_whatever_name_is_given_no_other_file_is_read(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "policies").mkdir()
    with pytest.raises(EnvironmentFileError) as caught:
        own(tmp_path, name=f'"{name}"')
    assert any(p.problem.endswith(f": {problem}") for p in caught.value.problems)


def test_a_link_does_not_lead_out_of_the_environments_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "own.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(EnvironmentFileError, match="1 error") as caught:
        own(tmp_path / "x")
    assert caught.value.problems[0].problem == "own.json: outside of the environment's folder"


def test_a_file_is_looked_for_only_where_there_is_a_folder() -> None:
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n'
    text += "  organization: {service_control_policies: {own: {file: own.json}}}\n"
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text, name="x", shown_as="x")
    assert "no folder to look for it in" in caught.value.problems[0].problem


def test_a_policy_that_may_lock_out_is_told_each_time() -> None:
    closed = {"guardrails": ["protect_trail"], "targets": ["Closed"], "locks_out_deployers_because": "being closed now"}
    given = {"organizational_units": ["Closed"], "service_control_policies": {"closed": closed}}
    assert COMPONENT.advice is not None
    (told,) = COMPONENT.advice(Organization.model_validate(given), date(2026, 1, 1))
    assert told.resource == 'aws_organizations_policy.control["closed"]'
    assert told.evidence == "attached to Closed: being closed now"
    assert list(COMPONENT.advice(Organization(), date(2026, 1, 1))) == []


def test_administrators_are_named_in_every_region_after_the_organization() -> None:
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1, active: [eu-central-1, us-east-1]}\ncomponents:\n'
    rendered = render(
        load_text(
            text + '  organization: {security_administrator_account_id: "111122223333"}\n', name="x", shown_as="x"
        )
    )["organization.tf"]
    assert rendered.count("depends_on = [module.organization]") == 2
    assert (
        "organization_administrators"
        not in render(load_text(text + "  organization: {}\n", name="x", shown_as="x"))["organization.tf"]
    )
