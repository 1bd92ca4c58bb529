from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.config import _NO_IAM_TYPES, COMPONENT, Config
from toolkit.components.password_policy import PasswordPolicy
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.regions import PARTITION_OF
from toolkit.rendering.render import render


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_an_empty_block_records_continuously_and_checks_the_essentials() -> None:
    settings = Config()
    assert settings.recording_frequency == "CONTINUOUS"
    assert settings.recording_override is None
    assert COMPONENT.settings is Config
    rules = {
        name: (rule.identifier, rule.input_parameters, rule.home_region_only) for name, rule in settings.rules.items()
    }
    assert rules["access-keys-rotated"] == ("ACCESS_KEYS_ROTATED", {"maxAccessKeyAge": "90"}, True)
    assert rules["root-account-mfa-enabled"] == ("ROOT_ACCOUNT_MFA_ENABLED", {}, True)
    assert rules["iam-password-policy"][1]["MinimumPasswordLength"] == "14"
    assert rules["vpc-default-security-group-closed"] == ("VPC_DEFAULT_SECURITY_GROUP_CLOSED", {}, False)


def test_rules_about_iam_and_the_account_are_evaluated_once() -> None:
    once = {name for name, rule in Config().rules.items() if rule.home_region_only}
    about_the_account = {
        name
        for name, rule in Config().rules.items()
        if any(word in rule.identifier for word in ("IAM", "MFA", "ACCESS_KEY", "TRAIL", "ACCOUNT"))
    }
    assert once == about_the_account


def test_giving_rules_replaces_the_default_list() -> None:
    settings = Config.model_validate({"rules": {"my-rule": {"identifier": "ENCRYPTED_VOLUMES"}}})
    assert list(settings.rules) == ["my-rule"]


def test_additional_rules_stand_beside_the_default_list() -> None:
    settings = Config.model_validate(
        {
            "additional_rules": {
                "encrypted-volumes": {"identifier": "ENCRYPTED_VOLUMES", "resource_types": ["AWS::EC2::Volume"]}
            }
        }
    )
    assert len(settings.rules) == len(Config().rules)
    assert settings.additional_rules["encrypted-volumes"].resource_types == ("AWS::EC2::Volume",)


def test_a_rule_has_one_place() -> None:
    assert message({"additional_rules": {"restricted-ssh": {"identifier": "INCOMING_SSH_DISABLED"}}}) == (
        ": additional_rules must not repeat a name of rules (restricted-ssh); to change a rule, give the whole list in "
        "rules"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"identifier": "iam-password-policy"}, "rules.r.identifier: expected the identifier of an AWS managed rule"),
        ({}, "rules.r.identifier: Field required"),
        (
            {"identifier": "ACCESS_KEYS_ROTATED", "input_parameters": {"maxAccessKeyAge": 90}},
            "rules.r.input_parameters.maxAccessKeyAge: Input should be a valid string",
        ),
        (
            {"identifier": "ENCRYPTED_VOLUMES", "resource_types": ["volume"]},
            "rules.r.resource_types.0: expected a resource type such as AWS::EC2::Instance",
        ),
        (
            {"identifier": "IAM_PASSWORD_POLICY", "maximum_execution_frequency": "Daily"},
            "rules.r.maximum_execution_frequency: Input should be 'One_Hour',",
        ),
    ],
)
def test_rules_that_cannot_be(rule: dict[str, Any], expected: str) -> None:
    assert message({"rules": {"r": rule}}).startswith(expected)


def test_rule_names() -> None:
    assert "expected a rule name of 1 to 128" in message({"rules": {"a rule": {"identifier": "ENCRYPTED_VOLUMES"}}})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"recording_frequency": "HOURLY"}, "recording_frequency: Input should be 'CONTINUOUS' or 'DAILY'"),
        (
            {"recording_override": {"frequency": "DAILY", "resource_types": []}},
            "recording_override: resource_types must name at least one type",
        ),
        (
            {"recording_override": {"frequency": "DAILY", "resource_types": ["ec2"]}},
            "recording_override.resource_types.0: expected a resource type",
        ),
        ({"snapshot_delivery_frequency": "Daily"}, "snapshot_delivery_frequency: Input should be 'One_Hour',"),
        ({"recorder_name": ""}, "recorder_name: String should have at least 1 character"),
        ({"bucket": {"object_lock": None}}, "bucket.object_lock: Extra inputs are not permitted"),
        ({"bucket": {"kms_key_arn": "alias/key"}}, "bucket.kms_key_arn: expected the ARN of a KMS key"),
        ({"aggregator": {"name": "a name"}}, "aggregator.name: expected 1 to 256 letters"),
        ({"create_service_linked_role": "no"}, "create_service_linked_role: Input should be a valid boolean"),
    ],
)
def test_values_outside_the_apis_bounds(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


def rendered(components: str, regions: str = "{home: eu-central-1, active: [eu-central-1, us-east-1]}") -> str:
    text = f'account_id: "123456789012"\nregions: {regions}\ncomponents:\n{components}'
    return render(load_text(text, name="x", shown_as="x"))["config.tf"]


def module(text: str, region: str) -> str:
    """The module call of a region."""
    return text.split(f'module "config_{region.replace("-", "_")}"')[1].split("\nmodule ", maxsplit=1)[0]


@pytest.mark.parametrize("home", sorted(PARTITION_OF))
def test_a_home_region_that_does_not_record_iam_is_refused_without_a_region_for_iam(home: str) -> None:
    """IAM's types are recorded in regions from before February 2022 alone."""
    if home not in _NO_IAM_TYPES:
        assert "is_home_region = true" in " ".join(rendered("  config: {}\n", f"{{home: {home}}}").split())
        return
    with pytest.raises(ToolkitError) as alone:
        rendered("  config: {}\n", f"{{home: {home}}}")
    told = str(alone.value.detail)
    assert f"x:4: components.config: AWS Config does not record IAM's resource types in {home}" in told
    assert "`iam_region` and an older region in regions.active" in told
    with pytest.raises(ToolkitError) as active:
        rendered("  config: {}\n", f"{{home: {home}, active: [{home}, eu-west-1]}}")
    assert "`iam_region: eu-west-1`" in str(active.value.detail)
    with pytest.raises(ToolkitError) as named:
        rendered(f"  config:\n    iam_region: {home}\n", f"{{home: {home}, active: [{home}, eu-west-1]}}")
    assert "x:5: components.config.iam_region: AWS Config does not record IAM" in str(named.value.detail)


def test_iam_is_recorded_and_judged_in_the_region_that_is_named_for_it_and_in_no_other() -> None:
    text = rendered("  config: {iam_region: eu-west-1}\n", "{home: eu-central-2, active: [eu-central-2, eu-west-1]}")
    home, iam = module(text, "eu-central-2"), module(text, "eu-west-1")
    assert "iam-password-policy" in iam
    assert "iam-password-policy" not in home
    assert "restricted-ssh" in home
    assert ["true" in part.split("is_home_region")[1].splitlines()[0] for part in (home, iam)] == [False, True]


def test_a_region_for_iam_is_an_active_one() -> None:
    with pytest.raises(ToolkitError) as caught:
        rendered("  config: {iam_region: eu-west-1}\n")
    assert "x:4: components.config.iam_region: eu-west-1 is not active" in str(caught.value.detail)


PARAMETERS = {
    "MaxPasswordAge": "max_password_age",
    "MinimumPasswordLength": "minimum_password_length",
    "PasswordReusePrevention": "password_reuse_prevention",
    "RequireLowercaseCharacters": "require_lowercase_characters",
    "RequireNumbers": "require_numbers",
    "RequireSymbols": "require_symbols",
    "RequireUppercaseCharacters": "require_uppercase_characters",
}


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"minimum_password_length": 20},
        {"max_password_age": None},
        {"max_password_age": 60, "password_reuse_prevention": 5, "require_symbols": False},
    ],
)
def test_the_rule_about_passwords_asks_for_what_the_password_policy_sets(policy: dict[str, Any]) -> None:
    environment = load_text(
        f"""account_id: "123456789012"
regions: {{home: eu-central-1}}
components: {{config: {{}}, password_policy: {str(policy).replace("None", "null").replace("False", "false")}}}
""",
        name="x",
        shown_as="x",
    )
    assert COMPONENT.compose is not None
    place = environment.place
    rule = COMPONENT.compose(place.settings["config"], place)["rules"]["iam-password-policy"]
    wanted = {name: getattr(PasswordPolicy.model_validate(policy), setting) for name, setting in PARAMETERS.items()}
    assert rule["input_parameters"] == {n: str(v).lower() for n, v in wanted.items() if v is not None}
    assert f'MinimumPasswordLength = "{policy.get("minimum_password_length", 14)}"' in " ".join(
        render(environment)["config.tf"].split()
    ).replace("  ", " ")


def test_rules_that_are_given_are_taken_as_they_are() -> None:
    text = rendered(
        """  password_policy: {minimum_password_length: 20}
  config:
    rules:
      iam-password-policy: {identifier: IAM_PASSWORD_POLICY, input_parameters: {MinimumPasswordLength: "16"}}
"""
    )
    assert 'MinimumPasswordLength = "16"' in " ".join(text.split())


def test_exclusions_are_overwritten_of_recorders_that_are_imported_and_of_no_others() -> None:
    text = """account_id: "123456789012"
regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}
imports: {module.config_us_east_1.aws_config_configuration_recorder.this: aws-controltower-BaselineConfigRecorder}
components: {config: {}}
"""
    written = render(load_text(text, name="x", shown_as="x"))["config.tf"]
    told = [module(written, r).split("taken_over")[1].splitlines()[0] for r in ("eu-central-1", "us-east-1")]
    assert ["true" in line for line in told] == [False, True]
