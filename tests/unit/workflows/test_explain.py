"""Terraform's diagnostics led back to the line of environment.yaml that they come from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from toolkit.environment import Environment, load_text
from toolkit.paths import EnvironmentPaths
from toolkit.rendering.render import render
from toolkit.rendering.tree import compare, write
from toolkit.terraform.events import Diagnostic
from toolkit.workflows.explain import explain

TEXT = """\
account_id: "111122223333"
regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}
components:
  password_policy:
    max_password_age: 60
  iam_groups: {}
  mfa_enforcement:
  config:
    recording_frequency: DAILY
"""


@pytest.fixture
def environment() -> Environment:
    return load_text(TEXT, name="prod", shown_as="environments/prod/environment.yaml")


@pytest.fixture
def paths(tmp_path: Path, environment: Environment) -> EnvironmentPaths:
    found = EnvironmentPaths(tmp_path, "prod")
    found.folder.mkdir(parents=True)
    write(compare(render(environment), found.rendered), found.rendered)
    return found


def diagnostic(**facts: Any) -> Diagnostic:
    blank: dict[str, Any] = {"severity": "error", "summary": "Bad", "detail": "", "address": None, "file": None}
    return Diagnostic(**{**blank, "line": None, "snippet": None, **facts})


def line_of(paths: EnvironmentPaths, file: str, pattern: str) -> int:
    """Line of the rendered file that a pattern is found in."""
    lines = (paths.rendered / file).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if re.match(pattern, line))


def set_by(text: str) -> str | None:
    found = re.search(r"^  set by (.*)$", text, re.M)
    return found[1] if found else None


def test_a_setting_that_was_given_has_its_line(paths: EnvironmentPaths, environment: Environment):
    line = line_of(paths, "password_policy.tf", r"  max_password_age +=")
    found = diagnostic(file="password_policy.tf", line=line, summary="Invalid value", detail="one\n\ntwo")
    assert explain(found, paths, environment) == (
        "Error: Invalid value\n"
        f"  at environments/prod/rendered/password_policy.tf:{line}\n"
        "    one\n"
        "    two\n"
        "  set by environments/prod/environment.yaml:5 components.password_policy.max_password_age"
    )


def test_a_setting_left_at_its_default_says_so(paths: EnvironmentPaths, environment: Environment):
    line = line_of(paths, "password_policy.tf", r"  hard_expiry +=")
    found = explain(diagnostic(file="password_policy.tf", line=line), paths, environment)
    assert set_by(found) == (
        "environments/prod/environment.yaml:4 components.password_policy.hard_expiry (at its default)"
    )


def test_what_templates_wire_is_no_setting(paths: EnvironmentPaths, environment: Environment):
    """There is no `bucket_name` to set; naming one would send people to look for it."""
    for file, wired, component, line in (
        ("config.tf", "bucket_name", "config", 8),
        ("config.tf", "is_home_region", "config", 8),
        ("mfa_enforcement.tf", "group_names", "mfa_enforcement", 7),
        ("config.tf", "source", "config", 8),
    ):
        at = line_of(paths, file, rf"  {wired} +=")
        found = explain(diagnostic(file=file, line=at), paths, environment)
        assert set_by(found) == f"environments/prod/environment.yaml:{line} components.{component}", wired


def test_an_address_leads_to_its_component(paths: EnvironmentPaths, environment: Environment):
    address = "module.config_us_east_1.aws_config_configuration_recorder.this"
    found = explain(
        diagnostic(address=address, file="../../../modules/config/main.tf", line=3, severity="warning"),
        paths,
        environment,
    )
    assert found.splitlines() == [
        "Warning: Bad",
        "  at modules/config/main.tf:3",
        f"  with {address}",
        "  set by environments/prod/environment.yaml:8 components.config",
    ]


def test_an_address_alone_is_told_once(paths: EnvironmentPaths, environment: Environment):
    found = explain(diagnostic(address="module.iam_groups.aws_iam_group.this"), paths, environment)
    assert found.splitlines() == [
        "Error: Bad",
        "  at module.iam_groups.aws_iam_group.this",
        "  set by environments/prod/environment.yaml:6 components.iam_groups",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"file": "backend.tf", "line": 3},
        {"file": "providers.tf", "line": 10**6},
        {"address": "module.guardduty_us_east_1.x.y"},  # not enabled here
        {"address": "aws_instance.own"},
        {"file": "guardduty.tf", "line": 1},
    ],
    ids=str,
)
def test_what_no_setting_leads_to_names_none(paths: EnvironmentPaths, environment: Environment, facts: dict[str, Any]):
    assert set_by(explain(diagnostic(**facts), paths, environment)) is None


@pytest.mark.parametrize("line", [0, 1, 10**6, None])
def test_a_line_that_says_nothing_leads_to_the_block(
    paths: EnvironmentPaths, environment: Environment, line: int | None
):
    found = explain(diagnostic(file="password_policy.tf", line=line), paths, environment)
    assert set_by(found) == "environments/prod/environment.yaml:4 components.password_policy"
    (paths.rendered / "password_policy.tf").unlink()
    assert set_by(explain(diagnostic(file="password_policy.tf", line=line), paths, environment)) == set_by(found)
