from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.account_defaults import COMPONENT, AccountDefaults
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MAIL = {"email_addresses": ["billing@example.com"]}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        AccountDefaults.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_an_empty_block_blocks_what_is_public_and_touches_no_network() -> None:
    settings = AccountDefaults()
    assert settings.block_s3_public_access
    assert settings.block_public_ami_sharing
    assert settings.ebs_snapshot_public_access == "block-all-sharing"
    assert settings.ebs_encryption_by_default
    assert settings.instance_metadata_defaults is not None
    assert settings.instance_metadata_defaults.http_tokens == "required"
    assert settings.ssm_document_public_sharing == "Disable"
    assert settings.block_serial_console_access
    assert settings.vpc_block_public_access is None
    assert settings.closed_default_security_group_regions == ()
    assert settings.default_vpc_flow_logs.regions == ()
    assert settings.budgets == {}
    assert COMPONENT.settings is AccountDefaults


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"block_s3_public_access": "yes"}, "block_s3_public_access: Input should be a valid boolean"),
        ({"ebs_snapshot_public_access": "all"}, "ebs_snapshot_public_access: Input should be 'block-all-sharing'"),
        ({"ssm_document_public_sharing": "block"}, "ssm_document_public_sharing: Input should be 'Disable'"),
        ({"vpc_block_public_access": "off"}, "vpc_block_public_access: Input should be 'block-ingress' or"),
        (
            {"ebs_kms_key_arns": {"eu-central-1": "alias/ebs"}},
            "ebs_kms_key_arns.eu-central-1: expected the ARN of a key",
        ),
        (
            {"ebs_kms_key_arns": {"eu-west-1": KEY}},
            ": ebs_kms_key_arns.eu-west-1 must be the ARN of a key in eu-west-1",
        ),
        (
            {"instance_metadata_defaults": {"http_put_response_hop_limit": 65}},
            "instance_metadata_defaults.http_put_response_hop_limit: Input should be less than or equal to 64",
        ),
        (
            {"closed_default_security_group_regions": ["eu-central-1", "eu-central-1"]},
            "closed_default_security_group_regions: expected each value once, but eu-central-1 is repeated",
        ),
        ({"default_vpc_flow_logs": {"aggregation_seconds": 30}}, "default_vpc_flow_logs.aggregation_seconds: Input"),
        (
            {"default_vpc_flow_logs": {"log_retention_days": 42}},
            "default_vpc_flow_logs.log_retention_days: expected one",
        ),
        ({"default_vpc_flow_logs": {"role_name": "a role"}}, "default_vpc_flow_logs.role_name: expected 1 to 64"),
        (
            {"default_vpc_flow_logs": {"bucket_arn": "arn:aws:s3:::example-flow-logs"}},
            "default_vpc_flow_logs: bucket and bucket_arn have no effect unless destination is s3",
        ),
        (
            {
                "default_vpc_flow_logs": {
                    "destination": "s3",
                    "bucket_arn": "arn:aws:s3:::example-flow-logs",
                    "bucket": {"expiration_days": 1},
                }
            },
            "default_vpc_flow_logs: bucket has no effect together with bucket_arn",
        ),
        (
            {"default_vpc_flow_logs": {"destination": "s3", "bucket_arn": "example-flow-logs"}},
            "default_vpc_flow_logs.bucket_arn: expected the ARN of a bucket",
        ),
    ],
)
def test_values_that_the_apis_refuse(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize("alias", ["ab", "-abc", "abc-", "a--b", "Abc", "123456789012", "a" * 64, "abc\n"])
def test_aliases_that_iam_refuses(alias: str) -> None:
    assert message({"account_alias": alias}).startswith("account_alias: expected 3 to 63 lowercase letters")


@pytest.mark.parametrize("alias", ["abc", "example-production", "1-2-3", "a" * 63, "12345678901"])
def test_aliases_that_iam_takes(alias: str) -> None:
    assert AccountDefaults.model_validate({"account_alias": alias}).account_alias == alias


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({"limit_usd": 100}, "a budget must have recipients"),
        ({"limit_usd": 0, **MAIL}, "Input should be greater than 0"),
        ({"limit_usd": 100, **MAIL, "alerts": []}, "a budget must have 1 to 10 alerts"),
        ({"limit_usd": 100, **MAIL, "alerts": [{"percent": 80}, {"percent": 80}]}, "alerts must differ"),
        ({"limit_usd": 100, **MAIL, "alerts": [{"percent": 1001}]}, "Input should be less than or equal to 1000"),
        ({"limit_usd": 100, **MAIL, "period": "DAILY"}, "a DAILY budget takes alerts of ACTUAL costs only"),
        (
            {"limit_usd": 100, "email_addresses": [f"{i}@example.com" for i in range(11)]},
            "a budget notifies at most ten",
        ),
        ({"limit_usd": 100, **MAIL, "cost_filters": {"Service": []}}, "each of cost_filters must have"),
        ({"limit_usd": 100, "email_addresses": ["nobody"]}, "expected an e-mail address"),
        ({"limit_usd": 100, "sns_topic_arn": "costs"}, "expected the ARN of a topic"),
    ],
)
def test_budgets_that_the_api_refuses_or_that_nobody_would_hear_of(budget: dict[str, Any], expected: str) -> None:
    assert message({"budgets": {"monthly": budget}}).split(": ", 1)[1].startswith(expected)


@pytest.mark.parametrize("name", ["", "a:b", "a\\b", "x/action/y", "a" * 101])
def test_names_that_a_budget_cannot_have(name: str) -> None:
    assert "expected 1 to 100 characters" in message({"budgets": {name: {"limit_usd": 1, **MAIL}}})


def environment(block: str) -> str:
    regions = "regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}"
    return f'account_id: "123456789012"\n{regions}\ncomponents:\n  account_defaults:\n{block}'


def test_a_region_that_is_not_active_is_told_rather_than_passed_over() -> None:
    text = environment(
        "    closed_default_security_group_regions: [us-east-1, eu-west-1]\n"
        f"    ebs_kms_key_arns: {{eu-west-3: '{KEY.replace('eu-central-1', 'eu-west-3')}'}}\n"
        "    default_vpc_flow_logs:\n"
        "      regions:\n"
        "        - eu-north-1\n"
    )
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text, name="x", shown_as="x")
    assert [(p.line, p.path) for p in caught.value.problems] == [
        (5, "components.account_defaults.closed_default_security_group_regions[1]"),
        (6, "components.account_defaults.ebs_kms_key_arns.eu-west-3"),
        (9, "components.account_defaults.default_vpc_flow_logs.regions[0]"),
    ]
    assert "eu-west-1 is not active; expected one of eu-central-1, us-east-1" in str(caught.value.problems[0])


def test_each_call_gets_what_is_meant_for_its_region_and_flow_logs_are_wired_to_where_they_go() -> None:
    block = (
        "    closed_default_security_group_regions: [us-east-1]\n"
        f"    ebs_kms_key_arns: {{eu-central-1: '{KEY}'}}\n"
        "    default_vpc_flow_logs: {regions: [eu-central-1], destination: DESTINATION}\n"
    )
    for destination, wiring in (("s3", "bucket_arn"), ("cloud-watch-logs", "role_arn")):
        text = environment(block.replace("DESTINATION", destination))
        file = render(load_text(text, name="x", shown_as="x"))["account_defaults.tf"]
        calls = {call.split('"')[0]: call for call in file.split('\nmodule "')[1:]}
        assert set(calls) == {
            "account_defaults_global", "account_defaults_flow_logs", "account_defaults_eu_central_1",
            "account_defaults_us_east_1",
        }  # fmt: skip
        home, other = calls["account_defaults_eu_central_1"], calls["account_defaults_us_east_1"]
        assert f"flow_logs_{wiring} = module.account_defaults_flow_logs.{wiring}" in home
        assert "module.account_defaults_flow_logs" not in other
        assert KEY in home and KEY not in other
        assert 'closed_default_security_group_regions = ["us-east-1"]' in other
        assert "closed_default_security_group_regions = []" in home


def test_a_nested_module_s_call_names_the_requirement_that_its_setting_meets() -> None:
    block = "CIS 7.0 3.1.4; FSBP S3.1"
    blocked = render(load_text(environment("    account_alias: abc\n"), name="x", shown_as="x"))["account_defaults.tf"]
    assert f"  # Controls: {block}\n  block_s3_public_access = true\n" in blocked
    text = environment("    block_s3_public_access: false\n")
    assert block not in render(load_text(text, name="x", shown_as="x"))["account_defaults.tf"]
