from __future__ import annotations

import pytest
from pydantic import ValidationError

from toolkit.components.key_rotation import KeyRotation
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

BLOCKS = "  cloudtrail: {}\n  activity_alarms: {subscribers: {email_addresses: [a@example.com]}}\n"


def text(rotation: str = "{}", config: str = "{}") -> str:
    return (
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n'
        f"{BLOCKS}  config: {config}\n  key_rotation: {rotation}\n"
    )


def refused(yaml: str) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(yaml, name="x", shown_as="x.yaml")
    (problem,) = caught.value.problems
    return f"{problem.line}: {problem}"


def test_the_rules_of_config_and_the_topic_of_the_alarms_are_used() -> None:
    rendered = render(load_text(text(), name="x", shown_as="x"))["key_rotation.tf"]
    assert 'rules = ["access-keys-rotated", "iam-user-unused-credentials-check"]' in rendered
    assert "arn = module.activity_alarms.topic_arn" in rendered
    assert "name_prefix = module.activity_alarms.publisher_name_prefix" in rendered


def test_a_rule_that_config_does_not_have_could_tell_nothing() -> None:
    said = refused(text("{rules: [access-key-rotated]}"))
    assert said.startswith("7: components.key_rotation.rules[0]: config has no rule 'access-key-rotated'; expected")
    assert said.endswith("(did you mean 'access-keys-rotated'?)")
    only = "{rules: {iam-user-mfa-enabled: {identifier: IAM_USER_MFA_ENABLED, home_region_only: true}}}"
    assert "config has no rule" in refused(text("{rules: [access-keys-rotated]}", only))
    further = "{additional_rules: {mine: {identifier: IAM_USER_MFA_ENABLED, home_region_only: true}}}"
    assert load_text(text("{rules: [mine]}", further), name="x", shown_as="x")


def test_a_rule_of_every_region_would_be_told_of_in_one_only() -> None:
    assert "only its findings of the home region would be reported; expected a rule with home_region_only" in refused(
        text("{rules: [restricted-ssh]}")
    )


@pytest.mark.parametrize("rules", [[], ["a", "a"], ["a b"]])
def test_wrong_lists_are_refused(rules: list[str]) -> None:
    with pytest.raises(ValidationError):
        KeyRotation.model_validate({"rules": rules})


def test_needs_that_are_off_are_named() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text().replace(BLOCKS, "").replace("  config: {}\n", ""), name="x", shown_as="x")
    said = "\n".join(map(str, caught.value.problems))
    assert "needs the component config, which is off" in said
    assert "needs the component activity_alarms, which is off" in said
