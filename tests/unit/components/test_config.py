from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.config import COMPONENT, Config


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
