"""Regions that leave an environment: what rendering refuses and warns of, seen in the files that it replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.environment import Environment, load_text
from toolkit.errors import ExitCode, ToolkitError
from toolkit.rendering.regions import Rendered, dropped, refuse_leaving_home, rendered_regions
from toolkit.rendering.render import render

A, B, C = "eu-central-1", "us-east-1", "eu-west-1"


def environment(regions: str, more: str = "") -> Environment:
    text = f'account_id: "123456789012"\nregions: {regions}\n{more}components: {{guardduty: {{}}}}\n'
    return load_text(text, name="dev", shown_as="environment.yaml")


def rendered(folder: Path, regions: str, more: str = "") -> Path:
    for name, text in render(environment(regions, more)).items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_the_regions_of_rendered_files_are_those_they_were_made_from(tmp_path: Path) -> None:
    more = "credentials: {assume_role: {role_arn: 'arn:aws:iam::123456789012:role/x'}}\ndefault_tags: {region: x}\n"
    folder = rendered(tmp_path, f"{{home: {B}, active: [{A}, {B}], retiring: [{C}]}}", more)
    assert rendered_regions(folder) == Rendered(B, frozenset({A, B}))
    assert rendered_regions(rendered(tmp_path, f"{{home: {C}}}")) == Rendered(C, frozenset({C}))


def test_files_of_nobodys_rendering_say_nothing(tmp_path: Path) -> None:
    assert rendered_regions(tmp_path) is None
    (tmp_path / "providers.tf").write_text('# Mine\nprovider "aws" {\n  region = "eu-central-1"\n}\n')
    assert rendered_regions(tmp_path) is None
    refuse_leaving_home(environment(f"{{home: {B}, retiring: [{A}]}}"), tmp_path)
    assert dropped(environment(f"{{home: {B}}}"), tmp_path) == ()


LEAVES = {
    "at once": (f"{{home: {A}}}", f"{{home: {B}, retiring: [{A}]}}"),
    "both were active": (f"{{home: {A}, active: [{A}, {B}]}}", f"{{home: {B}, active: [{B}], retiring: [{A}]}}"),
    "another retires, too": (
        f"{{home: {A}, active: [{A}, {B}], retiring: [{C}]}}",
        f"{{home: {B}, active: [{B}], retiring: [{C}, {A}]}}",
    ),
}


@pytest.mark.parametrize(("before", "after"), LEAVES.values(), ids=LEAVES)
def test_the_home_region_does_not_move_and_retire_in_one_change(tmp_path: Path, before: str, after: str) -> None:
    rendered(tmp_path, before)
    with pytest.raises(ToolkitError, match=f"moves from {A} to {B}, and {A} retires, in one change") as caught:
        refuse_leaving_home(environment(after), tmp_path)
    error = caught.value
    assert error.exit_code is ExitCode.ERROR
    assert error.where == "environments/dev/environment.yaml:2"
    # The two steps are lines of the file, and each of them passes after the one before.
    for step in str(error.detail).splitlines():
        refuse_leaving_home(environment(step.removeprefix("regions: ")), tmp_path)
        rendered(tmp_path, step.removeprefix("regions: "))
    assert rendered_regions(tmp_path) == Rendered(B, frozenset({B}))


GOES_ON = {
    "nothing changes": (f"{{home: {A}}}", f"{{home: {A}}}", 0),
    "the first step": (f"{{home: {A}, active: [{A}, {B}]}}", f"{{home: {B}, active: [{A}, {B}]}}", 0),
    "the second step": (f"{{home: {B}, active: [{A}, {B}]}}", f"{{home: {B}, active: [{B}], retiring: [{A}]}}", 0),
    "the last step": (f"{{home: {B}, active: [{B}], retiring: [{A}]}}", f"{{home: {B}}}", 0),
    "another region is dropped": (f"{{home: {A}, active: [{A}, {B}]}}", f"{{home: {A}}}", 1),
    "two are": (f"{{home: {A}, active: [{A}, {B}, {C}]}}", f"{{home: {A}}}", 2),
    "another home, before anything was applied": (f"{{home: {A}}}", f"{{home: {B}}}", 1),
}


@pytest.mark.parametrize(("before", "after", "warnings"), GOES_ON.values(), ids=GOES_ON)
def test_a_region_that_is_dropped_without_retiring_is_warned_of(
    tmp_path: Path, before: str, after: str, warnings: int
) -> None:
    rendered(tmp_path, before)
    refuse_leaving_home(environment(after), tmp_path)
    found = dropped(environment(after), tmp_path)
    assert len(found) == warnings
    assert all("`regions.retiring` of environments/dev/environment.yaml" in text for text in found)
