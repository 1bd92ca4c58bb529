"""`toolkit settings`: what is in effect, and where it is from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.environment import load_environment
from toolkit.fleet.written import digest
from toolkit.paths import Project
from toolkit.workflows.settings import Effective, effective_settings

REPOSITORY = Path(__file__).parents[3]
ENVIRONMENT = f"""\
account_id: "123456789012"
regions: {{home: eu-central-1}}
default_tags:
  # Synced: from fleet.yaml ({digest("security")})
  owner: security
  # Synced: from fleet.yaml ({digest("another value")})
  edited: by hand
components:
  password_policy:
  cloudtrail:
    # Synced: from fleet.yaml ({digest(400)})
    log_retention_days: 400
    data_events: [s3_write]
"""
Told = Callable[..., tuple[str, str]]


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    folder = tmp_path / "environments" / "prod"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "origin", "line"),
    [
        ("account_id", "123456789012", "set", 1),
        ("regions.active", ["eu-central-1"], "default", None),
        ("default_tags.owner", "security", "synced", 5),
        ("default_tags.edited", "by hand", "set", 7),
        ("terraform.max_retries", 25, "default", None),
        ("components.cloudtrail.log_retention_days", 400, "synced", 12),
        ("components.password_policy.max_password_age", 90, "default", None),
    ],
)
def test_a_setting_has_its_value_origin_and_line(project: Project, setting: str, value: Any, origin: str, line: int):
    (found,) = effective_settings(project, "prod", setting).settings
    assert found == Effective(setting, value, origin, line)  # type: ignore[arg-type]


def test_a_block_gives_what_is_in_it(project: Project):
    found = effective_settings(project, "prod", "components.cloudtrail").settings
    assert {row.setting.split(".")[1] for row in found} == {"cloudtrail"}
    names = [row.setting.removeprefix("components.cloudtrail.").split(".")[0].split("[")[0] for row in found]
    assert list(dict.fromkeys(names)) == list(REGISTRY["cloudtrail"].settings.model_fields)


@pytest.mark.parametrize("name", ["complete", "small"])
def test_every_scalar_of_a_file_is_in_one_row_with_its_line(name: str):
    """Nothing that a file has is missing, or called a default."""
    project = Project(REPOSITORY)
    rows = effective_settings(project, name).settings
    environment = load_environment(project.paths(name).file, name=name)
    assert len({row.setting for row in rows}) == len(rows)
    lines = {row.line for row in rows if row.line is not None}
    text = project.paths(name).file.read_text().splitlines()
    for path, line in environment.lines.items():
        key, _, value = text[line - 1].strip().partition(":")
        if path and isinstance(path[-1], str) and key == path[-1] and value.split("#")[0].strip(" {}[]"):
            assert line in lines, f"{path} (line {line}) has no row"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("components.cloudtrail.log_retention_day", "did you mean 'components.cloudtrail.log_retention_days'?"),
        ("components.cloudtral", "did you mean 'components.cloudtrail'?"),
        ("components.guardduti", "did you mean 'components.guardduty'?"),
        ("components.guardduty", "component 'guardduty' is not switched on in prod"),
        ("region", "did you mean 'regions'?"),
        ("components.cloudtrail.log", "no setting 'components.cloudtrail.log'"),
    ],
)
def test_an_unknown_setting_is_a_usage_error(project: Project, told: Told, setting: str, message: str):
    _, err = told("settings", "prod", setting, exits=64)
    assert message in " ".join(err.split())


def test_it_prints_a_table(project: Project, told: Told):
    out, err = told("settings", "prod", "default_tags")
    assert [line.split() for line in out.splitlines()] == [
        ["SETTING", "ORIGIN", "LINE", "VALUE"],
        ["default_tags.owner", "synced", "5", '"security"'],
        ["default_tags.edited", "set", "7", '"by', 'hand"'],
    ]
    assert "environments/prod/environment.yaml" in err


def test_json_is_what_the_schema_describes(project: Project, told: Told, json_shape: Any):
    out, _ = told("settings", "prod", "--json")
    rows = json_shape(out)["settings"]
    assert [row for row in rows if row["origin"] == "synced"] == [
        {"setting": "default_tags.owner", "value": "security", "origin": "synced", "line": 5},
        {"setting": "components.cloudtrail.log_retention_days", "value": 400, "origin": "synced", "line": 12},
    ]


def test_a_wrong_file_is_an_error_with_its_line(project: Project, told: Told):
    file = project.paths("prod").file
    file.write_text(file.read_text().replace("400", "soon"))
    out, err = told("settings", "prod", "--json", exits=1)
    assert "environment.yaml:12: components.cloudtrail.log_retention_days" in err
    assert json.loads(out)["kind"] == "error"
