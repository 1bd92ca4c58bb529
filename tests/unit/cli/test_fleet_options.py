"""Several environments on the command line: names, patterns, folders and labels."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.cli import console, fleet_options
from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.paths import Project
from toolkit.workflows.validate import Validated

ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n'
LABELS = {"dev": "{tier: dev}", "prod-1": "{tier: prod}", "prod-2": "{tier: prod, ring: rest}"}
Told = Callable[..., tuple[str, str]]


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, labels in LABELS.items():
        folder = tmp_path / "environments" / name
        folder.mkdir(parents=True)
        (folder / "environment.yaml").write_text(f"{ENVIRONMENT}labels: {labels}\n")
    (tmp_path / "environments" / "environment.schema.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def rendered(told: Told, *arguments: str) -> list[str]:
    out, _ = told("render", *arguments, "--json")
    return [each["environment"] for each in json.loads(out)["environments"]]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["dev", "prod-1", "prod-2"]),
        (("--all",), ["dev", "prod-1", "prod-2"]),
        (("prod-2", "dev"), ["prod-2", "dev"]),
        (("prod-*",), ["prod-1", "prod-2"]),
        (("environments/prod-*",), ["prod-1", "prod-2"]),
        # What a shell makes of environments/prod-* and environments/*
        (("environments/prod-1", "environments/prod-2/"), ["prod-1", "prod-2"]),
        (("environments/dev", "environments/environment.schema.json", "environments/prod-1"), ["dev", "prod-1"]),
        (("--where", "tier=prod"), ["prod-1", "prod-2"]),
        (("--all", "--where", "tier=prod", "--where", "ring=rest"), ["prod-2"]),
    ],
    ids=" ".join,
)
def test_render_takes_several(project: Project, told: Told, arguments: tuple[str, ...], names: list[str]):
    assert rendered(told, *arguments) == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prd-*",), "no environment matches 'prd-*'; did you mean 'prod-*'?"),
        (("environments/environment.schema.json",), "no environment 'environment.schema.json'"),
        (("--where", "teir=prod"), "no environment has a label 'teir'; did you mean 'tier'?"),
        (("--where", "tier"), "'tier' is not a label and its value"),
        (("dev", "--all"), "--all means every environment, and 'dev' is named besides"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["render", "validate"])
def test_what_means_nothing_is_refused_before_anything_runs(
    project: Project, told: Told, command: str, arguments: tuple[str, ...], message: str
):
    _, err = told(command, *arguments, exits=64)
    assert message in " ".join(err.split())
    assert list(project.root.glob("environments/*/rendered")) == []


def test_a_wrong_setting_elsewhere_does_not_hide_an_environment_from_where(project: Project, told: Told):
    file = project.paths("dev").file
    file.write_text(file.read_text() + "no_such_key: 1\n")
    assert rendered(told, "--where", "tier=prod") == ["prod-1", "prod-2"]


def test_labels_that_cannot_be_read_are_an_error(project: Project, told: Told):
    project.paths("dev").file.write_text(f"{ENVIRONMENT}labels: {{Tier: prod, ring: 1}}\n")
    _, err = told("render", "--where", "tier=prod", exits=1)
    assert "dev/environment.yaml:4: labels.Tier: the key 'Tier'; expected 1 to 63 of a-z, 0-9, - and _" in err
    assert "labels.ring: 1; expected text (in quotes if it looks like a number)" in err


def test_labels_are_listed(project: Project, told: Told):
    out, _ = told("environments", "--json")
    assert [each["labels"] for each in json.loads(out)["environments"]] == [
        {"tier": "dev"},
        {"tier": "prod"},
        {"tier": "prod", "ring": "rest"},
    ]
    assert "tier=prod, ring=rest" in told("environments")[0]


def test_what_has_changed_since_a_commit(project: Project, told: Told):
    _, err = told("environments", "--changed-since", "main", exits=64)
    assert "not in a git repository" in err
    told("render")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *arguments], cwd=project.root, check=True)
    out, err = told("render", "--changed-since", "main", "--json")
    assert json.loads(out)["environments"] == []
    assert err == "0 of 3 environments changed since main\n"
    file = project.paths("prod-1").file
    file.write_text(file.read_text().replace("eu-central-1", "eu-west-1"))
    for arguments in (["environments"], ["render", "--check"], ["environments", "prod-*", "--where", "tier=prod"]):
        out, err = told(*arguments, "--changed-since", "main", "--json", exits=3 if "--check" in arguments else 0)
        assert len(json.loads(out)["environments"]) == 1
        assert "environments changed since main: prod-1" in err
    assert "no commit 'mian'; did you mean 'main'?" in told("validate", "--changed-since", "mian", exits=64)[1]


def test_a_command_that_needs_to_know_does_not_guess(project: Project):
    with pytest.raises(UsageError, match="no environment is named"):
        fleet_options.selected(project, [])


def test_a_project_without_environments(tmp_path: Path):
    (tmp_path / "environments").mkdir()
    with pytest.raises(UsageError, match="has no environments yet"):
        fleet_options.selected(Project(tmp_path), [], everything=True)
    assert fleet_options.selected(Project(tmp_path), [], by_default=True).names == ()


ALL = [
    (["*"], "'*' matches all"),
    (["dev", "prod-*"], "'dev', 'prod-*' together match all"),
    ([f"environments/{name}" for name in LABELS], "'dev', 'prod-1', 'prod-2' together match all"),
]


@pytest.mark.parametrize(("given", "problem"), ALL, ids=str)
def test_a_pattern_that_takes_every_environment_changes_accounts_only_if_that_is_meant(
    project: Project, given: list[str], problem: str
):
    with pytest.raises(UsageError, match=re.escape(f"{problem} 3 environments; nothing was done")):
        fleet_options.selected(project, given, changes=True)
    assert len(fleet_options.selected(project, given).names) == 3
    assert len(fleet_options.selected(project, [], everything=True, changes=True).names) == 3
    assert len(fleet_options.selected(project, list(LABELS), changes=True).names) == 3


@pytest.mark.parametrize(("answer", "agreed"), [("all\n", True), ("yes\n", False), ("\n", False)])
def test_at_a_terminal_it_can_be_confirmed(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    agreed: bool,
):
    monkeypatch.setattr(console, "in_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    if agreed:
        assert len(fleet_options.selected(project, ["*"], changes=True).names) == 3
    else:
        with pytest.raises(UsageError):
            fleet_options.selected(project, ["*"], changes=True)
    assert "'*' matches all 3 environments: dev, prod-1, prod-2." in capsys.readouterr().err


def test_a_closed_account_is_used_only_if_it_is_named(project: Project, told: Told, json_shape: Callable[[str], Any]):
    for name, state in (("dev", "CLOSED"), ("prod-1", "SUSPENDED")):
        file = project.paths(name).file
        file.write_text(f"{file.read_text()}account_state: {state}\n")
    for command in ("plan", "drift", "audit", "discover", "controls", "apply"):
        lines = ["dev is left out: its account is CLOSED", "prod-1 is left out: its account is SUSPENDED"]
        _, err = told(command, "dev*", "prod-1*")
        assert err.splitlines() == [*lines, "There is nothing to do."]
        _, err = told(command, "prod-1", *(["--auto-approve"] if command == "apply" else []), exits=4)
        assert "environments/prod-1/environment.yaml:5: account 123456789012 is SUSPENDED" in err
        # A shell may have made these of a pattern.
        _, err = told(command, "environments/dev", "environments/prod-1")
        assert err.splitlines() == [*lines, "There is nothing to do."]
    assert rendered(told, "--all") == ["dev", "prod-1", "prod-2"]
    out, _ = told("apply", "--all", "--dry-run")
    assert out.splitlines()[1].split()[-1] == "prod-2"
    data = json_shape(told("environments", "--json")[0])
    assert [one["account_state"] for one in data["environments"]] == ["CLOSED", "SUSPENDED", None]
    assert "123456789012 CLOSED" in told("environments")[0]


def test_a_state_that_cannot_be_read_leaves_out_nothing(project: Project):
    for name, text in (("dev", "account_state: [\n"), ("prod-1", "account_state: suspended\n"), ("prod-2", "")):
        project.paths(name).file.write_text(text)
    assert len(fleet_options.selected(project, [], everything=True, uses_accounts=True).names) == 3


def test_validate_goes_on_after_an_error(
    project: Project, told: Told, monkeypatch: pytest.MonkeyPatch, json_shape: Callable[[str], Any]
):
    def validate(_project: Project, name: str, *_: object) -> Validated:
        if name == "prod-2":
            return Validated(access_tests=2)
        code = ExitCode.OUT_OF_DATE if name == "dev" else ExitCode.ERROR
        raise ToolkitError(f"wrong {name}", where="x.yaml:3", detail="as found", hint="mend it", exit_code=code)

    monkeypatch.setattr("toolkit.workflows.validate.validate_environment", validate)
    out, err = told("validate", exits=1)
    assert "prod-2       valid, but 2 access tests were not run" in out
    assert "Error: dev: x.yaml:3: wrong dev\n  as found\nNext: mend it\n" in err
    assert "Error: prod-1: x.yaml:3: wrong prod-1" in err
    told("validate", "dev", "prod-2", exits=3)
    data = json_shape(told("validate", "--all", "--json", exits=1)[0])
    assert [each["valid"] for each in data["environments"]] == [False, False, True]
    assert [(each["error"] or {}).get("message") for each in data["environments"]] == [
        "wrong dev",
        "wrong prod-1",
        None,
    ]
    assert [each["access_tests"] for each in data["environments"]] == [None, None, {"declared": 2, "tested": 0}]
    # One that is named alone is as before.
    assert json.loads(told("validate", "dev", "--json", exits=3)[0])["kind"] == "error"


def test_what_was_interrupted_is_not_gone_on_with(project: Project, told: Told, monkeypatch: pytest.MonkeyPatch):
    def validate(_project: Project, name: str, *_: object) -> Validated:
        assert name == "dev"
        raise ToolkitError("interrupted", exit_code=ExitCode.INTERRUPTED)

    monkeypatch.setattr("toolkit.workflows.validate.validate_environment", validate)
    told("validate", exits=130)
