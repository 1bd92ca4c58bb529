"""Which versions a constraint admits, which were checked, and that the documentation says the same."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.provider5 import record
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import RefusedError
from toolkit.fleet.pipeline import Pipeline
from toolkit.policy_types import NEWER_PROVIDER, NEWER_TYPES
from toolkit.terraform.binary import Binary
from toolkit.terraform.runner import LOCK_FILE
from toolkit.versions import PROVIDER, TERRAFORM, Checked, admitted, locked, numbers
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import heed_provider, heed_terraform

REPOSITORY = Path(__file__).parents[2]
CONSTRAINED = """\
account_id: "123456789012"
regions: {{home: eu-central-1}}
terraform:
  max_retries: 5
  aws_provider_version: "{}"
components: {{}}
"""
LOCK = """\
# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/hashicorp/aws" {{
  version     = "{}"
  constraints = ">= 5.100.0, < 7.0.0"
  hashes = [
    "h1:x",
  ]
}}
"""


@pytest.mark.parametrize(
    ("constraint", "lowest", "below"),
    [
        ("~> 5.100", (5, 100, 0), (6, 0, 0)),
        ("~> 5.100.1", (5, 100, 1), (5, 101, 0)),
        ("~> 6.0", (6, 0, 0), (7, 0, 0)),
        (">= 5.100, < 7", (5, 100, 0), (7, 0, 0)),
        (">= 5, >= 6.30, < 7", (6, 30, 0), (7, 0, 0)),
        ("6.2.1", (6, 2, 1), (6, 2, 2)),
        ("= 6.2", (6, 2, 0), (6, 2, 1)),
        ("> 6.25", (6, 25, 0), None),
        ("<= 6.60, != 6.3", (0, 0, 0), (6, 60, 1)),
        ("~> 6.0, < 6.50.0-beta1", (6, 0, 0), (6, 50, 0)),
    ],
)
def test_bounds_of_a_constraint(constraint: str, lowest: tuple[int, ...], below: tuple[int, ...] | None):
    found = admitted(constraint)
    assert (found.lowest, found.below) == (lowest, below)


@pytest.mark.parametrize(
    ("version", "side"),
    [
        ("1.11.4", None),
        ("1.15.5", None),
        ("1.11.3", "older"),
        ("1.15.6", "newer"),
        ("2", "newer"),
    ],
)
def test_what_is_outside_of_what_was_checked(version: str, side: str | None):
    why = Checked("Terraform", "1.11.4", "1.15.5", "how").why_not(version)
    assert why == (side and f"Terraform {version} is {side} than what was checked: 1.11.4 to 1.15.5 (how)")


@pytest.mark.parametrize("checked", [TERRAFORM, PROVIDER], ids=lambda checked: checked.product)
@pytest.mark.parametrize("suffix", ["rc1", "beta1", "alpha20260101"])
def test_a_pre_release_was_not_checked(checked: Checked, suffix: str):
    """Neither of the ends, nor one between or beyond them."""
    for release in (checked.lowest, checked.highest, f"{checked.highest.rpartition('.')[0]}.0", "99.0.0"):
        version = f"{release}-{suffix}"
        assert checked.why_not(version) == (
            f"{checked.product} {version} is a pre-release, and only releases were checked: {checked.range} "
            f"({checked.how})"
        )


@pytest.mark.parametrize(
    "constraint",
    [
        "~> 7.0",
        "~> 4.0",
        "7.0.0",
        ">= 7",
        "> 7.0.0",
        "< 5.100",
        "<= 5.99.1",
        "~> 5.50.0",
        ">= 6.2, < 6.1",
        "!= 6.1, < 5",
    ],
)
def test_a_constraint_without_a_version_that_the_modules_admit_is_refused(constraint: str):
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(CONSTRAINED.format(constraint), name="x", shown_as="x")
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (5, "terraform.aws_provider_version")
    assert problem.problem == f'"{constraint}" admits no version that the modules do'
    assert problem.expected == 'versions within ">= 5.100, < 7", like "~> 5.100" or "~> 6.0"'


@pytest.mark.parametrize(
    "constraint", ["~> 5.100", "~> 6.0", "!= 5.100", "<= 5.100", ">= 4", "< 7", "< 99", "~> 5.50", "6.69.1", "> 6.99"]
)
def test_a_constraint_with_a_version_that_the_modules_admit_is_accepted(constraint: str):
    assert (
        load_text(CONSTRAINED.format(constraint), name="x", shown_as="x").terraform.aws_provider_version == constraint
    )


def test_the_range_is_what_the_tests_run():
    """The newest Terraform is compared in tests/provider6, where its package is there."""
    assert PROVIDER.lowest == record.VERSION
    six = json.loads(gzip.decompress((REPOSITORY / "tests" / "provider6" / "schema.json.gz").read_bytes()))
    assert PROVIDER.highest == six["provider_version"]
    assert Pipeline().terraform == TERRAFORM.lowest


def test_the_documentation_names_the_range():
    text = (REPOSITORY / "docs" / "not-proven.md").read_text("utf-8")
    section = text.split("## Versions of Terraform and of the AWS provider\n")[1]
    head, _, *rows = re.match(r"\n((?:\|.*\n)+)", section)[1].splitlines()  # type: ignore[index]
    cells = [cell.strip() for cell in head.strip("|").split("|")]
    assert cells == ["", f"Terraform {TERRAFORM.lowest}", f"Terraform {TERRAFORM.highest}", "OpenTofu"]
    assert set(re.findall(r"\d+\.\d+\.\d+", "\n".join(rows))) == {PROVIDER.lowest, PROVIDER.highest}
    page = " ".join((REPOSITORY / "docs" / "environments.md").read_text("utf-8").split())
    assert f"Terraform {TERRAFORM.range} and the AWS provider {PROVIDER.range}" in page


def test_the_way_to_version_6_names_every_newer_type_of_policy_and_what_admits_it():
    page = (REPOSITORY / "docs" / "upgrading.md").read_text("utf-8")
    (paragraph,) = re.findall(r"^These types of organization policies need .*?\n\n", page, re.M | re.S)
    assert set(re.findall(r"`(\w+_POLICY)`", paragraph)) == NEWER_TYPES
    refused, accepted = re.findall(r'`"(.*?)"`', paragraph)
    assert admitted(refused).lowest < numbers(NEWER_PROVIDER) == admitted(accepted).lowest


class Told(Observer):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def heeded(tmp_path: Path, setting: str, product: Any, terraform: str, provider: str | None) -> list[str]:
    """The warnings."""
    environment = load_text(
        f'account_id: "123456789012"\nregions: {{home: eu-central-1}}\nterraform:\n  {setting}\ncomponents: {{}}\n',
        name="x",
        shown_as="x",
    )
    paths: Any = SimpleNamespace(rendered=tmp_path, shown="environments/x/environment.yaml")
    if provider:
        (tmp_path / LOCK_FILE).write_text(LOCK.format(provider))
    told = Told()
    heed_terraform(paths, environment, Binary(Path("terraform"), product, terraform), told)
    heed_provider(paths, environment, told)
    return told.warnings


OUTSIDE = [
    ("terraform", "1.16.1", "5.100.0", "Terraform 1.16.1 is newer than what was checked: 1.11.4 to 1.15.5"),
    ("terraform", "1.10.5", None, "Terraform 1.10.5 is older than what was checked: 1.11.4 to 1.15.5"),
    ("opentofu", "1.11.4", None, "OpenTofu 1.11.4 is not Terraform 1.11.4 to 1.15.5, which was checked"),
    ("terraform", "1.12.2", "6.70.0", "the AWS provider 6.70.0 is newer than what was checked: 5.100.0 to 6.69.1"),
]


@pytest.mark.parametrize(("product", "terraform", "provider", "expected"), OUTSIDE)
def test_it_is_warned_of_or_refused(tmp_path: Path, product: str, terraform: str, provider: str | None, expected: str):
    (warning,) = heeded(tmp_path, "max_retries: 5", product, terraform, provider)
    assert warning.startswith(expected)
    assert warning.endswith("; `unchecked_versions: refuse` under `terraform` refuses it")
    with pytest.raises(RefusedError) as caught:
        heeded(tmp_path, "unchecked_versions: refuse", product, terraform, provider)
    assert expected[1:] in str(caught.value)
    assert caught.value.where == "environments/x/environment.yaml:4"
    assert str(caught.value.hint).endswith("or set `unchecked_versions: warn`")


@pytest.mark.parametrize("setting", ["max_retries: 5", "unchecked_versions: refuse"])
@pytest.mark.parametrize("provider", [None, "5.100.0", "6.0.0", "6.69.1"])
def test_what_is_inside_is_accepted_in_silence(tmp_path: Path, setting: str, provider: str | None):
    assert heeded(tmp_path, setting, "terraform", "1.15.5", provider) == []


def test_the_version_of_a_lock_file():
    assert locked(LOCK.format("6.1.2")) == "6.1.2"
    assert locked(LOCK.format("6.1.2").replace("hashicorp/aws", "hashicorp/random")) is None
    assert locked("") is None
    assert numbers("6") == (6, 0, 0)
