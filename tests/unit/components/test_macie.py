from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.macie import COMPONENT, Macie
from toolkit.environment import load_text
from toolkit.rendering.render import render

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_an_empty_block_switches_it_on_in_every_region_and_exports_nothing() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [us-east-1, eu-central-1]}\n'
        "components: {macie: {}}\n"
    )
    rendered = render(load_text(text, name="x", shown_as="x"))["macie.tf"]
    assert 'module "macie_us_east_1"' in rendered
    assert 'module "macie_eu_central_1"' in rendered
    assert rendered.count("results_export               = null") == 2
    assert COMPONENT.settings is Macie


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"finding_publishing_frequency": "DAILY"}, "finding_publishing_frequency: Input should be 'FIFTEEN_MINUTES'"),
        (
            {"results_export": {"bucket_name": "No_Bucket", "kms_key_arn": KEY}},
            "results_export.bucket_name: expected 3",
        ),
        (
            {"results_export": {"bucket_name": "results", "kms_key_arn": "alias/macie"}},
            "results_export.kms_key_arn: expected the ARN of a key",
        ),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Macie.model_validate(settings)
    (error,) = caught.value.errors()
    assert f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}".startswith(expected)
