from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.inspector import COMPONENT, Inspector
from toolkit.environment import load_text
from toolkit.rendering.render import render


def test_an_empty_block_scans_instances_images_and_functions_in_every_region() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [us-east-1, eu-central-1]}\n'
        "components: {inspector: {}}\n"
    )
    rendered = render(load_text(text, name="x", shown_as="x"))["inspector.tf"]
    assert 'module "inspector_us_east_1"' in rendered
    assert rendered.count('resource_types = ["EC2", "ECR", "LAMBDA"]') == 2
    assert COMPONENT.settings is Inspector


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"resource_types": []}, "resource_types: expected at least one value"),
        ({"resource_types": ["RDS"]}, "resource_types.0: Input should be 'EC2'"),
        ({"resource_types": ["EC2", "EC2"]}, "resource_types: expected each value once"),
        ({"resource_types": ["EC2", "LAMBDA_CODE"]}, ": resource_types must have LAMBDA if it has LAMBDA_CODE"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Inspector.model_validate(settings)
    (error,) = caught.value.errors()
    assert f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}".startswith(expected)
