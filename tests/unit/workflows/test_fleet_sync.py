"""`toolkit fleet sync`: shared values go into environment files, and nothing that a person wrote changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit.fleet.settings import FleetFileError, parse_settings
from toolkit.paths import Project
from toolkit.workflows import fleet_sync
from toolkit.workflows.fleet_sync import sync

FLEET = """\
shared:
  default_tags:
    owner: security
  components:
    cloudtrail:
      log_retention_days: 400
"""
PLAIN = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'
TRAIL = f"{PLAIN}  cloudtrail: {{}}\n"
OWN = f"{PLAIN}  cloudtrail:\n    log_retention_days: 90 # ours\n"
Told = Callable[..., tuple[str, str]]


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, text in {"plain": PLAIN, "trail": TRAIL, "own": OWN}.items():
        (tmp_path / "environments" / name).mkdir(parents=True)
        (tmp_path / "environments" / name / "environment.yaml").write_text(text)
    (tmp_path / "fleet.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def texts(project: Project) -> dict[str, str]:
    return {name: project.paths(name).file.read_text() for name in project.names}


def test_it_writes_what_is_missing_names_conflicts_and_has_nothing_to_do_the_second_time(project: Project, told: Told):
    out, err = told("fleet", "sync", exits=3)
    assert out == ""
    assert "plain: add default_tags.owner" in err
    assert "trail: add default_tags.owner, add components.cloudtrail.log_retention_days" in err
    assert (
        "Conflict: environments/own/environment.yaml:6: components.cloudtrail.log_retention_days is 90, in fleet.yaml "
        "it is 400"
    ) in " ".join(err.split())
    assert "Next: toolkit render own plain trail, review, commit" in err
    after = texts(project)
    assert "log_retention_days: 90 # ours\n" in after["own"]
    assert "cloudtrail" not in after["plain"]
    told("fleet", "sync", "plain", "trail")
    told("fleet", "sync", exits=3)
    assert texts(project) == after


def test_check_writes_nothing_and_its_diff_is_what_a_run_writes(project: Project, told: Told):
    before = texts(project)
    out, err = told("fleet", "sync", "trail", "--check", exits=3)
    assert texts(project) == before
    assert not (project.paths("trail").folder / ".toolkit").exists()
    assert "Next: run `toolkit fleet sync trail`, review, commit" in err
    assert told("fleet", "sync", "trail", "--diff")[0] == out
    assert [line for line in out.splitlines() if line.startswith("-") and not line.startswith("---")] == [
        "-  cloudtrail: {}"
    ]
    assert told("fleet", "sync", "trail", "--check") == ("", "trail: up to date\n")


def test_a_changed_shared_value_reaches_what_sync_wrote_and_not_what_was_edited_since(project: Project, told: Told):
    told("fleet", "sync", "plain", "trail")
    edited = project.paths("trail").file
    edited.write_text(edited.read_text().replace("owner: security", "owner: platform"))
    (project.root / "fleet.yaml").write_text(FLEET.replace("security", "cloud").replace("400", "731"))
    told("fleet", "sync", "plain", "trail", exits=3)
    after = texts(project)
    assert "owner: cloud" in after["plain"]
    assert "owner: platform" in after["trail"]
    assert "log_retention_days: 731" in after["trail"]


def test_overwrite_takes_the_value_that_is_named(project: Project, told: Told):
    told("fleet", "sync", "own", "--overwrite", "components.cloudtrail.log_retention_days")
    assert "log_retention_days: 400 # ours\n" in texts(project)["own"]
    _, err = told("fleet", "sync", "--overwrite", "components.cloudtrail.log_retention_day", exits=64)
    assert "did you mean 'components.cloudtrail.log_retention_days'?" in " ".join(err.split())


def test_a_value_with_a_reason_of_its_own_is_no_conflict(project: Project, told: Told):
    file = project.paths("own").file
    file.write_text(file.read_text().replace("    log_", "    # Not synced: a sandbox\n    log_"))
    told("fleet", "sync", "own")
    assert told("fleet", "sync", "own", "--check") == ("", "own: up to date\n")


def test_a_setting_that_is_no_longer_shared_stays_and_is_named(project: Project, told: Told):
    told("fleet", "sync", "trail")
    (project.root / "fleet.yaml").write_text(FLEET.partition("  components:")[0])
    before = texts(project)
    _, err = told("fleet", "sync", "trail")
    assert "components.cloudtrail.log_retention_days is no longer shared; the value stays" in " ".join(err.split())
    assert texts(project) == before


def test_json_is_what_the_schema_describes(project: Project, told: Told, json_shape: Any):
    project.paths("plain").file.write_text("regions: [\n")
    out, _ = told("fleet", "sync", "--check", "--json", exits=1)
    found = {one["environment"]: one for one in json_shape(out)["environments"]}
    assert found["plain"]["error"]["where"] == "environments/plain/environment.yaml"
    assert [one["action"] for one in found["own"]["settings"]] == ["add", "conflict"]
    assert found["own"]["settings"][1]["line"] == 6


def test_one_wrong_file_hides_no_other(project: Project, told: Told):
    """Each is left as it is: no YAML, a wrong setting of its own, a mapping of one line, a value that does not fit."""
    fleet = f"{FLEET}    password_policy:\n      minimum_password_length: 5\n"
    one_line = PLAIN.replace("components:", "default_tags: {a: b}\ncomponents:")
    for name, text in {"broken": "components: [\n", "typo": f"{PLAIN}regoins: 1\n", "flow": one_line}.items():
        (project.root / "environments" / name).mkdir()
        (project.root / "environments" / name / "environment.yaml").write_text(text)
    before = texts(Project(project.root))
    _, err = told("fleet", "sync", exits=1)
    after = texts(Project(project.root))
    assert {name for name in before if before[name] != after[name]} == {"own", "plain", "trail"}
    assert "environments/flow/environment.yaml:3: default_tags.owner cannot be edited" in err
    assert "environments/typo/environment.yaml:5: regoins" in err
    (project.root / "fleet.yaml").write_text(fleet)
    _, err = told("fleet", "sync", "plain", exits=1)
    assert "environments/plain/environment.yaml: the shared values do not fit this environment" in err
    assert "components.password_policy.minimum_password_length: 5" in err
    assert texts(Project(project.root))["plain"] == after["plain"]


def test_a_file_that_is_edited_meanwhile_is_not_overwritten(project: Project, monkeypatch: pytest.MonkeyPatch):
    file = project.paths("plain").file
    check = fleet_sync._check

    def edit(*arguments: Any) -> None:
        check(*arguments)
        file.write_text(f"{PLAIN}  access_analyzer: {{}}\n")

    monkeypatch.setattr(fleet_sync, "_check", edit)
    (found,) = sync(project, ["plain"], dry=False)
    assert "was edited meanwhile" in str(found.error)
    assert file.read_text().endswith("access_analyzer: {}\n")


def test_permissions_stay(project: Project):
    file = project.paths("plain").file
    file.chmod(0o640)
    sync(project, ["plain"], dry=False)
    assert file.stat().st_mode & 0o777 == 0o640


def test_nothing_shared_is_a_usage_error(project: Project):
    (project.root / "fleet.yaml").unlink()
    with pytest.raises(UsageError, match="no shared values"):
        sync(project, ["plain"], dry=False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("shared: 1", 1, "shared: 1; expected a block"),
        ("shared:\n  account_id: 1", 2, "'account_id' is of one account"),
        ("shared:\n  backend:\n    type: local", 2, "'backend' is of one account"),
        ("shared:\n  regions:\n    home: eu-west-1", 3, "'home' is of one account"),
        ("shared:\n  componets: {}", 2, "did you mean 'components'?"),
        ("shared:\n  default_tags: owner", 2, "expected a block"),
        ("shared:\n  components:\n    cloudtral: {}", 3, "did you mean 'cloudtrail'?"),
        ("shared:\n  components:\n    cloudtrail:\n      log_retention: 1", 4, "unknown key 'log_retention'"),
        ("shred: {}", 1, "did you mean 'shared'?"),
    ],
)
def test_what_cannot_be_shared_is_an_error_with_its_line(text: str, line: int, message: str):
    with pytest.raises(FleetFileError) as raised:
        parse_settings(f"{text}\n")
    (problem,) = raised.value.problems
    assert problem.line == line
    assert message in str(problem)


def test_values_are_by_their_path_with_lists_and_empty_blocks_whole():
    text = "shared:\n  regions: {active: [eu-west-1]}\n  components: {config: , cloudtrail: {data_events: []}}\n"
    assert parse_settings(text).shared == {
        ("regions", "active"): ["eu-west-1"],
        ("components", "config"): {},
        ("components", "cloudtrail", "data_events"): [],
    }


def test_json_values_are_plain(project: Project, told: Told):
    out, _ = told("fleet", "sync", "plain", "--json")
    data = json.loads(out)
    assert data["written"] is True
    assert [(s["setting"], s["action"]) for s in data["environments"][0]["settings"]] == [
        ("default_tags.owner", "add"),
        ("components.cloudtrail.log_retention_days", "off"),
    ]
