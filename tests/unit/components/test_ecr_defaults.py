from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.ecr_defaults import COMPONENT, EcrDefaults
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render


def rendered(components: str) -> str:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [us-east-1, eu-central-1]}\n'
        f"components: {{{components}}}\n"
    )
    return render(load_text(text, name="x", shown_as="x"))["ecr_defaults.tf"]


def test_an_empty_block_scans_every_repository_on_push_in_every_region() -> None:
    text = rendered("ecr_defaults: {}")
    assert 'module "ecr_defaults_us_east_1"' in text
    assert 'module "ecr_defaults_eu_central_1"' in text
    assert text.count('  scan_type = "BASIC"\n') == 2
    assert text.count('# Controls: FSBP ECR.1\n  scan_on_push_filters    = ["*"]') == 2
    assert COMPONENT.settings is EcrDefaults


@pytest.mark.parametrize(
    ("components", "scan_type"),
    [
        ("ecr_defaults: {}, inspector: {}", "ENHANCED"),
        ("ecr_defaults: {}, inspector: {resource_types: [EC2]}", "BASIC"),
        ("ecr_defaults: {scan_type: ENHANCED}", "ENHANCED"),
        ("ecr_defaults: {continuous_scan_filters: ['prod-*']}, inspector: {}", "ENHANCED"),
    ],
)
def test_where_inspector_scans_images_the_registry_is_set_to_it(components: str, scan_type: str) -> None:
    assert rendered(components).count(f'  scan_type = "{scan_type}"\n') == 2


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (
            "ecr_defaults: {scan_type: BASIC}, inspector: {}",
            "ecr_defaults.scan_type: inspector.resource_types has ECR, which sets registries to ENHANCED",
        ),
        (
            "ecr_defaults: {scan_type: ENHANCED}, inspector: {resource_types: [EC2]}",
            "ecr_defaults.scan_type: inspector.resource_types has no ECR",
        ),
        (
            "ecr_defaults: {continuous_scan_filters: ['*']}",
            "ecr_defaults.continuous_scan_filters: Amazon ECR itself (scan_type BASIC) scans on push only",
        ),
    ],
)
def test_what_contradicts_inspector_is_refused(components: str, expected: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        rendered(components)
    assert f"x:3: components.{expected}" in str(caught.value.detail)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"scan_type": "CLAIR"}, "scan_type: Input should be 'BASIC' or 'ENHANCED'"),
        ({"scan_on_push_filters": ["Prod"]}, "scan_on_push_filters.0: expected the name of a repository"),
        ({"scan_on_push_filters": ["a" * 256]}, "scan_on_push_filters.0: expected the name of a repository"),
        ({"scan_on_push_filters": ["*", "*"]}, "scan_on_push_filters: expected each value once"),
        ({"continuous_scan_filters": [f"r{n}" for n in range(101)]}, "continuous_scan_filters: Tuple should have at"),
        ({"basic_scan_type_version": "CLAIR"}, "basic_scan_type_version: Input should be 'AWS_NATIVE'"),
        ({"registry_policy_scope": "V1"}, "registry_policy_scope: Input should be 'V2'"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EcrDefaults.model_validate(settings)
    (error,) = caught.value.errors()
    assert f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}".startswith(expected)


@pytest.mark.parametrize("name", ["prod", "*", "team/service-*", "a.b_c"])
def test_names_of_repositories_are_accepted(name: str) -> None:
    assert EcrDefaults.model_validate({"scan_on_push_filters": [name]}).scan_on_push_filters == (name,)
