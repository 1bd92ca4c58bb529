from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.macie import COMPONENT, Macie
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
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


ZURICH = (
    'account_id: "123456789012"\nregions:\n  home: eu-central-1\n  active: [eu-central-1, eu-central-2]\ncomponents:\n'
)


def test_a_region_in_which_it_is_not_offered_is_told_with_its_line() -> None:
    with pytest.raises(ToolkitError) as caught:
        load_text(ZURICH + "  macie: {}\n", name="x", shown_as="x.yaml")
    assert "x.yaml:6: components.macie: AWS does not offer it in eu-central-2, which is active" in str(
        caught.value.detail
    )
    assert "expected eu-central-2 under macie.skipped_regions" in str(caught.value.detail)


def test_a_skipped_region_goes_without() -> None:
    text = ZURICH + "  macie: {skipped_regions: [eu-central-2]}\n"
    rendered = render(load_text(text, name="x", shown_as="x"))["macie.tf"]
    assert 'module "macie_eu_central_1"' in rendered
    assert "eu_central_2" not in rendered
    assert "skipped_regions" not in rendered


def test_a_region_that_is_newer_than_the_list_is_accepted_and_reported() -> None:
    environment = load_text(ZURICH + "  macie: {offered_regions: [eu-central-2]}\n", name="x", shown_as="x.yaml")
    (warning,) = environment.warnings("x.yaml")
    assert warning.startswith("x.yaml:6: components.macie.offered_regions[0]: the list of services by region (taken ")
    assert warning.endswith("lacks it in eu-central-2, which is accepted as newer")
    rendered = render(environment)["macie.tf"]
    assert 'module "macie_eu_central_2"' in rendered
    assert "offered_regions" not in rendered


def test_only_active_regions_can_be_skipped() -> None:
    with pytest.raises(ToolkitError) as caught:
        load_text(ZURICH + "  macie: {skipped_regions: [eu-central-2, eu-west-9]}\n", name="x", shown_as="x")
    assert "eu-west-9" in str(caught.value.detail)
