from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.aws_lists import aws_list
from toolkit.components.security_hub import COMPONENT, SecurityHub
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

OFF = {"enabled": False, "reason": "Central root management.", "standards": ["fsbp-1.0"]}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        SecurityHub.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_an_empty_block_checks_the_current_standards() -> None:
    settings = SecurityHub()
    assert settings.standards == ("cis-5.0", "fsbp-1.0")
    assert settings.auto_enable_controls
    assert settings.controls == {}
    assert COMPONENT.settings is SecurityHub


def test_a_control_is_switched_in_chosen_standards_with_a_reason() -> None:
    control = SecurityHub.model_validate({"controls": {"IAM.6": OFF}}).controls["IAM.6"]
    assert (control.enabled, control.regions, control.standards) == (False, "all", ("fsbp-1.0",))
    on = {"enabled": True, "standards": ["cis-5.0"], "regions": "others"}
    assert SecurityHub.model_validate({"controls": {"EC2.8": on}}).controls["EC2.8"].reason is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"standards": ["cis-6.0"]}, "standards.0: expected one of fsbp-1.0, resource-tagging-1.0, cis-1.2, cis-1.4"),
        (
            {"standards": ["cis-aws-foundation-benchmark/v/5.0.0"]},
            "standards.0: expected a name of the list of Security Hub CSPM standards (did you mean "
            "cis-aws-foundations-benchmark/v/5.0.0?)",
        ),
        (
            {"standards": ["cis-5.0", "cis-aws-foundations-benchmark/v/5.0.0"]},
            "standards: expected cis-5.0 or cis-aws-foundations-benchmark/v/5.0.0, which are the same standard",
        ),
        ({"standards": ["cis-5.0", "cis-5.0"]}, "standards: expected each value once"),
        ({"controls": {"IAM6": OFF}}, "controls.IAM6.[key]: expected the id of a control, such as IAM.6"),
        ({"controls": {"IAM.6": {**OFF, "reason": " "}}}, "controls.IAM.6: enabled: false needs a reason"),
        ({"controls": {"IAM.6": {**OFF, "reason": None}}}, "controls.IAM.6: enabled: false needs a reason"),
        ({"controls": {"IAM.6": {**OFF, "standards": []}}}, "controls.IAM.6: standards must name at least one"),
        ({"controls": {"IAM.6": {**OFF, "regions": "us-east-1"}}}, "controls.IAM.6.regions: Input should be 'all'"),
        (
            {"controls": {"IAM.6": {**OFF, "standards": ["fsbp-1.0", "cis-3.0", "cis-1.4"]}}},
            ": controls.IAM.6.standards must be chosen under standards, unlike cis-1.4, cis-3.0",
        ),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


def test_config_must_record_what_is_checked() -> None:
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {security_hub: {}}\n'
    with pytest.raises(ToolkitError) as caught:
        load_text(text, name="x", shown_as="x")
    assert "needs the component config, which is off" in str(caught.value.detail or caught.value)


def test_the_home_region_gathers_the_others_findings() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-west-1, active: [us-east-1, eu-west-1, eu-central-1]}\n'
        "components: {config: {}, security_hub: {}}\n"
    )
    calls = render(load_text(text, name="x", shown_as="x"))["security_hub.tf"].split("\nmodule ")[1:]
    found = {call.split('"')[1]: call for call in calls}
    assert 'linked_regions            = ["us-east-1", "eu-central-1"]' in found.pop("security_hub_eu_west_1")
    assert set(found) == {"security_hub_us_east_1", "security_hub_eu_central_1"}
    assert all("linked_regions            = []" in call for call in found.values())


def test_short_names_are_the_modules() -> None:
    module = (Path(__file__).parents[3] / "modules" / "security_hub" / "main.tf").read_text("utf-8")
    paths = re.findall(r'^    "([a-z0-9.-]+)" += ":+(?:standards|ruleset)/([^"]+)"$', module, re.M)
    assert {path: short for short, path in paths} == aws_list("security_hub_standards").items


def test_a_newer_standard_is_named_by_the_end_of_its_arn() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-west-1}\ncomponents:\n  config: {}\n  security_hub:\n'
        "    standards: [fsbp-1.0, cis-aws-foundations-benchmark/v/9.0.0]\n"
    )
    environment = load_text(text, name="x", shown_as="x")
    (warning,) = environment.warnings("x")
    assert warning.startswith(
        "x:6: components.security_hub.standards[1]: 'cis-aws-foundations-benchmark/v/9.0.0' is not"
    )
    assert '"cis-aws-foundations-benchmark/v/9.0.0"' in render(environment)["security_hub.tf"]
