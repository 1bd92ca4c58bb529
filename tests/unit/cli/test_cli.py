"""The command line in process: usage, help, rendering, scaffolding, errors. Nothing here runs Terraform."""

from __future__ import annotations

import errno
import inspect
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from toolkit.cli import console
from toolkit.cli.app import app
from toolkit.cli.stream import Stream
from toolkit.errors import ExitCode, LockedError, RefusedError, ToolkitError, WrongAccountError
from toolkit.paths import environment_name
from toolkit.rendering.render import HEADER
from toolkit.workflows.before_first_apply import Before, Loss
from toolkit.workflows.output import Outputs

REPOSITORY = Path(__file__).parents[3]
ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    (tmp_path / "environments" / "prod" / "environment.yaml").write_text(ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Told = Callable[..., tuple[str, str]]


GROUP: Any = typer.main.get_command(app)


def commands() -> list[list[str]]:
    found = []
    for name, command in sorted(GROUP.commands.items()):
        found.append([name])
        found += [[name, inner] for inner in sorted(getattr(command, "commands", {}))]
    return found


NEW = ["new", "two", "--account-id", "123456789012", "--region", "eu-west-1"]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_explains_itself_with_examples(command: list[str], told: Told):
    out, _ = told(*command, "--help")
    assert "Examples:" in out
    assert f"toolkit {command[0]}" in out


@pytest.mark.parametrize("command", [[], *commands()], ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(command: list[str], told: Told):
    out, _ = told(*command, "--help")
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "\b" not in out
    assert "[[" not in out
    listed = out.partition("Commands:")[2].splitlines()
    assert [line for line in listed if line.endswith("...")] == [], "a summary that is cut off"


def test_the_first_help_names_exit_codes_and_the_four_steps(told: Told):
    out, _ = told("--help")
    for code in ExitCode:
        assert str(int(code)) in out
    for step in ("toolkit new prod", "toolkit render prod", "toolkit plan prod", "toolkit apply prod"):
        assert step in out


def test_version(told: Told):
    from toolkit import __version__

    for option in ("--version", "-V"):
        done = subprocess.run([sys.executable, "-m", "toolkit", option], capture_output=True, text=True, check=True)
        assert done.stdout == f"toolkit {__version__}\n"
    assert told("--no-color", "--version")[0] == f"toolkit {__version__}\n"


def loaded_by(*arguments: str) -> set[str]:
    code = f"""
import sys
sys.argv[1:] = {list(arguments)!r}
try:
    from toolkit.__main__ import main
    main()
except SystemExit:
    pass
sys.stderr.write(" ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_help_and_version_load_next_to_nothing():
    assert not loaded_by("--version") & {"typer", "rich", "pydantic", "boto3", "jinja2", "yaml", "importlib_metadata"}
    assert not loaded_by("--help") & {"rich", "pydantic", "boto3", "jinja2", "yaml", "python_terraform", "moto"}


@pytest.mark.parametrize("arguments", [["--no-color", "components"], ["components", "--no-color"]], ids=" ".join)
def test_colour_is_switched_off_before_and_after_the_command(
    told: Told, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    seen = []
    monkeypatch.setattr(console, "print_table", lambda *_: seen.append(console.Settings.no_color))
    told(*arguments)
    assert seen == [True]
    assert "--no-color" in told("render", "--", "--no-color", exits=64)[1], "after -- it is a name like any other"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "No such command"),
        (["plan"], "no environment is named"),
        (["plan", "prod", "--bogus"], "No such option"),
        (["plan", "prod", "--allow-destroy"], "requires an argument.\nNext: toolkit plan --help\n"),
        (["plan", "prdo"], "no environment 'prdo'; did you mean 'prod'?"),
        (["plan", "../prod"], "no environment '../prod'"),
        (["plan", "prod", "--expires-in", "soon"], "'soon' is not a duration"),
        (["plan", "prod", "--lock-timeout", "5 minutes"], "'5 minutes' is not a duration"),
        (["render", "prdo"], "did you mean 'prod'?"),
        (["apply", "prod"], "Next: `toolkit apply prod --plan BUNDLE` needs no prompt"),
        (["destroy", "prod"], "Next: --auto-approve destroys without a prompt"),
        (["new", "Prod"], "'Prod' is not an environment name"),
        (["new", "x/y"], "is not an environment name"),
        (["new", "prod"], "the environment exists"),
        (
            ["new", "two"],
            "missing --account-id and --region\nNext: toolkit new two --account-id ID --region REGION\n",
        ),
        (["new", "two", "--simulator"], "missing --region\nNext: toolkit new two --simulator --region REGION\n"),
        (["doctor", "prdo"], "did you mean 'prod'?"),
        (["-C", "/nowhere/at/all", "doctor"], "/nowhere/at/all: no such folder"),
        (["new", "two", "--account-id", "123", "--region", "eu-west-1"], "'123' is not an account id"),
        (
            ["new", "two", "--account-id", "123456789012", "--region", "eu-west-1", "--profile", "strickt"],
            "did you mean 'strict'?",
        ),
        (
            ["new", "two", "--account-id", "123456789012", "--region", "eu-west-1", "--security-email", "x"],
            "'x' is not an e-mail address",
        ),
        (["new", "two", "--account-id", "123456789012", "--region", "eu-wst-1"], "did you mean 'eu-west-1'?"),
        ([*NEW, "--state-bucket", "x"], "'x' is not a valid bucket name"),
        (["components", "clodtrail"], "did you mean 'cloudtrail'?"),
        (["init", "elsewhere", "--pipeline", "jenkinsfile"], "'jenkinsfile' is unknown"),
        (["-C", "/nowhere/at/all", "render"], "no such folder"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_wrong_use_is_told_with_exit_code_64(project: Path, told: Told, arguments: list[str], said: str):
    out, err = told(*arguments, exits=64)
    assert said in err
    assert out == ""


FAILURES = {
    "a guard": (["plan", "prod"], RefusedError("no", where="x:1", hint="do that", detail="a\nb"), 4),
    "an account": (["drift", "prod"], WrongAccountError("no"), 5),
    "a lock": (["apply", "prod", "--auto-approve"], LockedError("no", hint="wait"), 6),
    "an interrupt": (["plan", "prod"], KeyboardInterrupt(), 130),
    "a defect": (["plan", "prod"], KeyError("no"), 1),
    "a full disk": (["plan", "prod"], OSError(errno.ENOSPC, "No space left on device", "/x"), 1),
}


@pytest.mark.parametrize(("arguments", "failure", "code"), FAILURES.values(), ids=FAILURES)
def test_with_json_an_error_is_json_with_the_same_exit_code(
    project: Path,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    json_shape: Callable[[str], Any],
    arguments: list[str],
    failure: BaseException,
    code: int,
):
    def fails(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.delenv("TOOLKIT_DEBUG", raising=False)
    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", fails)
    assert told(*arguments, exits=code)[0] == "", "nothing for a person"
    out, err = told(*arguments, "--json", exits=code)
    found = json_shape(out)
    assert err.startswith("Error: ")
    assert found["exit_code"] == code
    assert found["code"] == ExitCode(code).name.lower().replace("_", "-")
    if isinstance(failure, ToolkitError):
        assert [found[k] for k in ("message", "where", "detail", "next")] == [
            failure.problem, failure.where, failure.detail, failure.hint,
        ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "prdo", "--json"],
        ["plan", "prod", "--json", "--bogus"],
        ["-C", "plan", "render", "--json"],
        ["controls", "prdo", "--format", "json"],
        ["controls", "--format=json"],
        ["sandbox", "up", "--account-id", "1", "--json"],
    ],
    ids=" ".join,
)
def test_with_json_wrong_use_is_json_too(
    project: Path, told: Told, json_shape: Callable[[str], Any], arguments: list[str]
):
    out, err = told(*arguments, exits=64)
    found = json_shape(out)
    assert (found["kind"], found["code"]) == ("error", "usage")
    assert found["message"] in err


def test_what_is_no_option_is_no_wish_for_json(project: Path, told: Told):
    assert told("render", "--", "--json", exits=64)[0] == ""
    assert told("init", "--json", exits=64)[0] == "", "it has no such option"


def test_a_result_that_is_printed_stays_the_only_document(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    def prints(*_: object, **__: object) -> None:
        console.print_json({"kind": "x"})
        raise RefusedError("no")

    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", prints)
    out, err = told("plan", "prod", "--json", exits=4)
    assert json.loads(out) == {"kind": "x"}
    assert err == "Error: no\n"


@pytest.mark.parametrize("group", [[], ["sandbox"]])
def test_without_a_command_the_help_is_no_error(told: Told, group: list[str]):
    err = told(*group, exits=64)[1]
    assert err.startswith(f"Usage: {' '.join(['toolkit', *group])} ")
    assert "Error" not in err
    assert "Try:" not in err


def test_outside_of_a_project_it_says_how_to_make_one(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert "`toolkit init DIR`" in told("render", exits=1)[1]


def test_the_first_steps_are_named_from_where_one_is(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert told("init", "accounts")[1] == "Next, in accounts: toolkit new ENV\n"
    monkeypatch.chdir(tmp_path / "accounts")
    assert told("init", ".")[1] == "Next: toolkit new ENV\n"
    assert told("init", ".", "--upgrade")[1] == "Next: review the difference, then toolkit render\n"
    assert told("render")[1] == "no environments yet\nNext: toolkit new ENV\n"


def test_render_writes_once_and_then_nothing(project: Path, told: Told):
    assert "create password_policy.tf" in told("render")[1]
    folder = project / "environments" / "prod" / "rendered"
    before = {f.name: (f.read_text(), f.stat().st_mtime_ns) for f in folder.iterdir()}
    assert set(before) == {"backend.tf", "outputs.tf", "password_policy.tf", "providers.tf", "versions.tf"}
    assert "prod: up to date" in told("render", "prod")[1]
    assert {f.name: (f.read_text(), f.stat().st_mtime_ns) for f in folder.iterdir()} == before


PATHS = ["prod/", "./prod", "environments/prod", "environments/prod/", "environments/prod/environment.yaml"]


@pytest.mark.parametrize("given", PATHS)
def test_an_environment_may_be_named_as_shells_complete_it(project: Path, told: Told, given: str):
    assert "prod: create backend.tf" in told("render", given)[1]
    assert "no environment" not in told("doctor", given, exits=1)[1]
    assert "the environment exists" in told("new", given, exits=64)[1]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_that_takes_an_environment_takes_its_folder(command: list[str]):
    found = GROUP
    for name in command:
        found = found.commands[name]
    for parameter in found.params:
        if parameter.metavar == "ENV" and parameter.nargs == -1:
            assert "fleet_options.selected" in inspect.getsource(found.callback), "which takes patterns as well"
        elif parameter.metavar == "ENV":
            assert parameter.callback is not None


@pytest.mark.parametrize("given", ["/", "..", ".", "", "a/b", "../prod", "environments", "environments/a/b"])
def test_other_paths_name_no_environment(given: str):
    assert environment_name(given) == given


def test_render_works_from_a_folder_below(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project / "environments" / "prod")
    told("render", "prod")


def test_check_tells_the_diff_and_writes_nothing(project: Path, told: Told):
    told("render")
    file = project / "environments" / "prod" / "environment.yaml"
    file.write_text(ENVIRONMENT.replace("{}", "{minimum_password_length: 20}"))
    out, err = told("render", "--check", exits=3)
    assert "-  minimum_password_length = 14\n+  minimum_password_length = 20\n" in out
    assert "--- a/environments/prod/rendered/password_policy.tf" in out
    assert "out of date" in err
    assert "= 14" in (project / "environments/prod/rendered/password_policy.tf").read_text()
    data = json.loads(told("render", "--check", "--json", exits=3)[0])
    assert data["environments"][0]["files"] == [
        {"name": "environments/prod/rendered/password_policy.tf", "action": "update"}
    ]
    told("render", "--diff")
    told("render", "--check")


def test_only_generated_files_are_deleted(project: Path, told: Told):
    told("render")
    rendered = project / "environments" / "prod" / "rendered"
    (rendered / "README.md").write_text("mine")
    (rendered / "gone.tf").write_text(f"{HEADER}somewhere\n")
    assert "delete gone.tf" in told("render")[1]
    assert (rendered / "README.md").read_text() == "mine"


def test_what_a_person_wrote_is_not_overwritten(project: Path, told: Told):
    rendered = project / "environments" / "prod" / "rendered"
    rendered.mkdir()
    (rendered / "versions.tf").write_text("# mine\n")
    assert "not a generated file" in told("render", exits=1)[1]
    assert [f.name for f in rendered.iterdir()] == ["versions.tf"]


@pytest.mark.parametrize("name", ["own.tf", "own.tf.json"])
def test_terraform_that_nobody_rendered_is_told(project: Path, told: Told, name: str):
    """Terraform would apply it; so every command that looks at rendered/ says so, and writes nothing."""
    told("init", ".", "--pipeline", "none")
    told("render")
    file = project / "environments" / "prod" / "environment.yaml"
    file.write_text(ENVIRONMENT.replace("{}", "{minimum_password_length: 20}"))
    rendered = project / "environments" / "prod" / "rendered"
    (rendered / name).write_text("{}")
    for command in (("render", "--check"), ("render",), ("validate", "prod")):
        assert f"that are not generated: {name}" in told(*command, exits=1)[1]
    assert "= 14" in (rendered / "password_policy.tf").read_text()


EXTRA = {
    "a file": "modules/password_policy/extra.tf",
    "a file of the other kind": "modules/password_policy/extra.tf.json",
    "a file of a module in it": "modules/password_policy/inner/main.tf",
    "OpenTofu's": "modules/password_policy/main.tofu",
    "a file of a module that others share": "modules/shared/log_bucket/evil.tf",
    "a module among those that others share": "modules/shared/evil/main.tf",
    "a file of a component that is not switched on": "modules/cloudtrail/evil.tf",
    "a file of a module in that": "modules/config/delivery/evil_override.tf.json",
}


@pytest.mark.parametrize("name", EXTRA.values(), ids=EXTRA.keys())
def test_terraform_that_the_toolkit_does_not_ship_is_told(project: Path, told: Told, name: str):
    told("init", ".", "--pipeline", "none")
    told("render")
    for harmless in ("modules/own/main.tf", "modules/password_policy/tests/x.tf", "modules/password_policy/NOTES.md"):
        (project / harmless).parent.mkdir(parents=True, exist_ok=True)
        (project / harmless).write_text("")
    told("render", "--check")
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("{}")
    for command in (("render", "--check"), ("render",), ("validate", "prod"), ("lock", "prod")):
        err = told(*command, exits=1)[1]
        assert f"does not ship: {name.removeprefix('modules/')}\n" in err
        assert "`toolkit init . --upgrade`" in err
    told("init", ".", "--pipeline", "none", "--upgrade")
    told("render", "--check")


def test_imports_into_modules_that_are_not_called_are_told_with_their_line(project: Path, told: Told):
    file = project / "environments" / "prod" / "environment.yaml"
    good = "module.password_policy.aws_iam_account_password_policy.this: iam-account-password-policy"
    file.write_text(f"{ENVIRONMENT}imports:\n  {good}\n")
    told("render")
    for label, guess in (("pasword_policy", " (did you mean 'password_policy'?)"), ("guardduty_eu_west_1", "")):
        file.write_text(f"{ENVIRONMENT}imports:\n  {good}\n  module.{label}.aws_x.this: y\n")
        for command in (("render",), ("render", "--check")):
            err = told(*command, exits=1)[1]
            problem = f"no module '{label}' in this environment; expected one of password_policy{guess}"
            path = f"imports.module.{label}.aws_x.this"
            assert f"environments/prod/environment.yaml:7: {path}: {problem}\n" in err


def test_nothing_of_a_broken_environment_is_written(project: Path, told: Told):
    (project / "environments" / "broken").mkdir()
    (project / "environments" / "broken" / "environment.yaml").write_text("account_id: 1\n")
    err = told("render", exits=1)[1]
    assert "environments/broken/environment.yaml:1: account_id" in err
    assert not (project / "environments" / "broken" / "rendered").exists()


def test_an_environment_that_is_wrong_hides_no_other(project: Path, told: Told):
    """Told at the end, and the worst exit code is the command's."""
    shutil.copytree(project / "environments" / "prod", project / "environments" / "stage")
    told("render")
    file = project / "environments" / "prod" / "environment.yaml"
    file.write_text(file.read_text().replace("{}", "{minimum_password_length: 20}", 1))
    (project / "environments" / "stage" / "rendered" / "own.tf").write_text("# mine\n")
    for option in ("--json", "--no-color"):
        out, err = told("render", "--check", option, exits=1)
        assert "Next: run `toolkit render prod`, review, commit" in err
        assert "Error: " in err
        assert "that are not generated: own.tf" in err
    assert "prod: update password_policy.tf\nstage: not rendered, see below\n" in err
    assert "+    minimum_password_length" in out or "= 20" in out
    data = json.loads(told("render", "--check", "--json", exits=1)[0])
    prod, stage = data["environments"]
    assert (prod["error"], prod["up_to_date"], len(prod["files"])) == (None, False, 1)
    assert (stage["error"]["exit_code"], stage["up_to_date"], stage["files"]) == (1, False, [])
    assert "own.tf" in stage["error"]["message"]
    assert "prod: update password_policy.tf" in told("render", exits=1)[1]
    assert "prod: up to date" in told("render", exits=1)[1]
    # Alone, it is the command's error as ever.
    assert json.loads(told("render", "stage", "--json", exits=1)[0])["kind"] == "error"


def test_new_writes_an_environment_that_renders(project: Path, told: Told):
    told(
        "new", "stage", "--account-id", "111122223333", "--region", "eu-west-1", "--active-region", "us-east-1",
        "--state-bucket", "acme-state",
    )  # fmt: skip
    text = (project / "environments" / "stage" / "environment.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../environment.schema.json\n")
    told("render", "stage")
    assert 'bucket              = "acme-state"' in (project / "environments/stage/rendered/backend.tf").read_text()


@pytest.mark.parametrize("profile", ["minimal", "standard", "strict"])
@pytest.mark.parametrize("email", [(), ("--security-email", "security@example.com")], ids=["nobody told", "told"])
def test_a_profile_is_written_out(project: Path, told: Told, profile: str, email: tuple[str, ...]):
    options = ("--account-id", "111122223333", "--region", "eu-west-1", "--profile", profile, *email)
    told("new", "stage", *options)
    text = (project / "environments" / "stage" / "environment.yaml").read_text()
    assert f"# From the profile {profile}: " in text
    assert "{security_email}" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
    told("render", "stage")
    blocks = yaml.safe_load(text)["components"]
    assert ("guardduty" in blocks) == (profile != "minimal")
    assert blocks["access_analyzer"]["unused_access"]["enabled"] == (profile == "strict")
    # Alarms that nobody hears are left to be filled in; detection does not wait for that.
    assert ("activity_alarms" in blocks) == (profile != "minimal" and bool(email))
    assert ("  # activity_alarms:" in text) == (profile != "minimal" and not email)


def test_a_simulator_environment_is_of_the_sandboxs_own_account(project: Path, told: Told):
    told("new", "try", "--simulator", "--region", "eu-west-1")
    assert 'account_id: "123456789012"' in (project / "environments" / "try" / "environment.yaml").read_text()


def test_in_a_terminal_all_but_account_and_region_can_be_left_open(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch
):
    answers = iter(["12", "111122223333", "eu-wst-1", "eu-west-1", "My_Bucket", "", "ann", ""])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    err = told("new", "two")[1]
    assert "'12' is not an account id" in err
    assert "'eu-wst-1' is not a valid region; did you mean 'eu-west-1'?" in err
    assert (
        "'My_Bucket' is not a valid bucket name\nNext: expected an S3 bucket name: 3 to 63 of a-z, 0-9, . and -" in err
    )
    assert "'ann' is not an e-mail address" in err
    text = (project / "environments" / "two" / "environment.yaml").read_text()
    assert 'account_id: "111122223333"' in text
    assert "# activity_alarms:" in text, "who is told is to be filled in"


def test_a_simulator_environment_has_the_components_of_a_real_one(project: Path, told: Told):
    """What the embedded AWS lacks is left out when the plan is applied (toolkit.workflows.left_out)."""
    blocks = []
    for name, more in (("stage", ("--simulator",)), ("prod2", ())):
        told("new", name, "--account-id", "111122223333", "--region", "eu-west-1", *more)
        blocks.append(yaml.safe_load((project / "environments" / name / "environment.yaml").read_text())["components"])
    assert blocks[0] == blocks[1]


def test_environments_are_listed_with_account_regions_and_state(project: Path, told: Told):
    other = project / "environments" / "stage" / "environment.yaml"
    other.parent.mkdir()
    other.write_text(
        'account_id: "111122223333"\nregions: {home: eu-west-1, active: [eu-central-1, eu-west-1]}\n'
        "backend: {type: s3, bucket: acme-state, region: eu-west-1}\ncomponents: {}\n"
    )
    assert told("environments")[0].splitlines()[1:] == [
        "prod         123456789012  eu-central-1             local",
        "stage        111122223333  eu-west-1, eu-central-1  s3://acme-state/stage/baseline.tfstate",
    ]
    stage = json.loads(told("environments", "--json")[0])["environments"][1]
    assert stage["backend"] == {
        "type": "s3", "bucket": "acme-state", "key": "stage/baseline.tfstate", "region": "eu-west-1",
    }  # fmt: skip
    assert (stage["home_region"], stage["simulator"]) == ("eu-west-1", None)


def test_init_lays_out_a_project_and_leaves_what_is_there(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    told("init", "here")
    assert (tmp_path / "here" / "modules" / "cloudtrail" / "main.tf").exists()
    assert not list((tmp_path / "here" / "modules").rglob("*.tftest.hcl"))
    assert "*.tfbundle" in (tmp_path / "here" / ".gitignore").read_text()
    pipeline = (tmp_path / "here" / ".github" / "workflows" / "baseline.yml").read_text()
    assert "toolkit apply" in pipeline
    steps = yaml.safe_load(pipeline)["jobs"]["apply-1"]["steps"]
    uploads = [step for step in steps if step.get("uses", "").startswith("actions/upload-artifact")]
    (artifact,) = [step for step in uploads if step["with"]["path"] != "stale"]
    assert artifact["if"] == "${{ !success() }}"
    files = artifact["with"]["path"].splitlines()
    assert files
    assert all("errored.tfstate.sealed" in file for file in files), "an artifact is no place for a state in the clear"
    ignored = (tmp_path / "here" / ".gitignore").read_text().splitlines()
    assert {"errored.tfstate*", "*.tfstate.*"} <= set(ignored)
    (tmp_path / "here" / ".gitignore").write_text("mine\n")
    (tmp_path / "here" / "modules" / "cloudtrail" / "main.tf").write_text("# edited\n")
    out = told("init", "here")[0]
    assert "kept modules/" in out
    assert "kept .gitignore" in out
    assert (tmp_path / "here" / "modules" / "cloudtrail" / "main.tf").read_text() == "# edited\n"
    told("init", "here", "--upgrade")
    assert (tmp_path / "here" / "modules" / "cloudtrail" / "main.tf").read_text() != "# edited\n"
    assert (tmp_path / "here" / ".gitignore").read_text() == "mine\n"


WORKFLOW = ".github/workflows/baseline.yml"


@pytest.mark.parametrize(
    ("first", "later", "there"),
    [
        (["--pipeline", "none"], [], False),
        (["--pipeline", "none"], ["--upgrade"], False),
        (["--pipeline", "none"], ["--pipeline", "github"], True),
        ([], ["--upgrade"], True),
    ],
)
def test_a_project_that_exists_gets_a_pipeline_only_by_name(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch, first: list[str], later: list[str], there: bool
):
    """A workflow that deploys must not appear because somebody upgraded modules, as doctor says to."""
    monkeypatch.chdir(tmp_path)
    told("init", "here", *first)
    told("init", "here", *later)
    assert (tmp_path / "here" / WORKFLOW).exists() == there
    if there:
        (tmp_path / "here" / WORKFLOW).unlink()
        told("init", "here", "--upgrade")
        assert not (tmp_path / "here" / WORKFLOW).exists(), "deleted on purpose"


@pytest.mark.parametrize("remains", ["environments", "modules"])
def test_half_a_project_exists_too(tmp_path: Path, told: Told, remains: str):
    (tmp_path / remains).mkdir()
    told("init", str(tmp_path), "--upgrade")
    assert not (tmp_path / WORKFLOW).exists()


def test_the_schema_accepts_what_ships_and_refuses_what_the_loader_refuses(told: Told):
    import yaml

    schema = json.loads(told("schema")[0])
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for file in (REPOSITORY / "environments").glob("*/environment.yaml"):
        validator.validate(yaml.safe_load(file.read_text()))
    for broken in (
        {"regions": {"home": "eu-west-1"}, "components": {}},
        {"account_id": "123456789012", "regions": {"home": "eu-west-1"}, "components": {"clodtrail": {}}},
        {"account_id": "123456789012", "regions": {"home": "eu-west-1"},
         "components": {"password_policy": {"minimum_password_length": 5}}},
    ):  # fmt: skip
        assert list(validator.iter_errors(broken)), broken


def test_components_are_listed_and_described(told: Told):
    out = told("components")[0]
    assert out.splitlines()[0].split() == ["COMPONENT", "SCOPE", "PURPOSE"]
    assert "password_policy" in out
    detail = told("components", "password_policy")[0]
    assert "minimum_password_length" in detail
    data = json.loads(told("components", "password_policy", "--json")[0])
    settings = {s["name"]: s["default"] for s in data["components"][0]["settings"]}
    assert settings["minimum_password_length"] == 14


def test_every_component_is_described_as_json(told: Told):
    described = json.loads(told("components", "--json")[0])["components"]
    required = {(c["name"], s["name"]) for c in described for s in c["settings"] if s["required"]}
    assert ("config", "rules[].identifier") in required


def test_results_go_to_stdout_and_the_rest_to_stderr(project: Path, told: Told):
    out, err = told("render", "--json")
    assert json.loads(out)["kind"] == "render"
    assert err == ""


@pytest.mark.parametrize(("command", "word"), [("apply", "yes"), ("destroy", "prod")])
def test_what_is_not_approved_is_neither_applied_nor_saved(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, command: str, word: str
):
    from toolkit.cli import terraform_commands

    made: list[dict[str, Any]] = []
    result = SimpleNamespace(
        plan=SimpleNamespace(empty=False, changes=()), findings=(), warnings=(), saved=object(), pending=True
    )
    caller = SimpleNamespace(account_id="123456789012", arn="arn:aws:iam::123456789012:user/ann")
    workspace = SimpleNamespace(called="prod", simulator=None, caller=caller)
    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", lambda *_, **__: workspace)
    monkeypatch.setattr("toolkit.workflows.plan.make_plan", lambda *_, **options: made.append(options) or result)
    monkeypatch.setattr("toolkit.workflows.apply.apply_bundle", lambda *_, **__: pytest.fail("applied"))
    monkeypatch.setattr("toolkit.workflows.destroy.check_buckets", lambda *_, **__: ())
    monkeypatch.setattr("toolkit.workflows.before_first_apply.compare_with_before", lambda *_: Before("Of nothing."))
    monkeypatch.setattr("toolkit.workflows.destroy.destroy", lambda *_, **__: pytest.fail("applied"))
    for shown in ("_show", "_view"):
        monkeypatch.setattr(terraform_commands, shown, lambda *_, **__: None)
    answer = io.StringIO("no\n")
    monkeypatch.setattr(answer, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answer)
    err = told(command, "prod", exits=4)[1]
    assert f"Only {word!r} is accepted" in err
    assert "not approved; nothing was applied, and the plan was not saved" in err
    assert ("`toolkit plan prod` saves one" in err) == (command == "apply")
    assert made[0]["keep"] is False


@pytest.mark.parametrize(
    ("simulator", "arguments", "answer", "exits", "said"),
    [
        (None, ["--auto-approve"], "", 4, "consent with --acknowledge-weaker"),
        (None, ["--auto-approve", "--acknowledge-weaker"], "", 0, "the account had these before the first apply"),
        (None, [], "no\n", 4, "Only 'prod' is accepted"),
        (None, [], "prod\n", 0, "the account had these before the first apply"),
        ("moto", ["--auto-approve"], "", 0, None),
    ],
)
def test_what_a_destroy_takes_from_before_the_first_apply_is_listed_and_asked(
    project: Path,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    simulator: str | None,
    arguments: list[str],
    answer: str,
    exits: int,
    said: str | None,
):
    from toolkit.cli import terraform_commands

    destroyed: list[object] = []
    result = SimpleNamespace(plan=SimpleNamespace(empty=False, changes=()), findings=(), warnings=())
    outcome = SimpleNamespace(completed=(), diagnostics=(), seconds=0, imported=0, forgotten=0)
    caller = SimpleNamespace(account_id="123456789012", arn="arn:aws:iam::123456789012:user/ann")
    workspace = SimpleNamespace(called="prod", simulator=simulator, caller=caller)
    before = Before("Compared with a snapshot.", (Loss("a.b", "the group 'developers'", ("length: 24 → null",)),))
    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", lambda *_, **__: workspace)
    monkeypatch.setattr("toolkit.workflows.plan.make_plan", lambda *_, **__: result)
    monkeypatch.setattr("toolkit.workflows.before_first_apply.compare_with_before", lambda *_: before)
    monkeypatch.setattr("toolkit.workflows.destroy.check_buckets", lambda *_, **__: ())
    monkeypatch.setattr("toolkit.workflows.destroy.destroy", lambda *_, **__: destroyed.append(1) or outcome)
    for shown in ("_show", "_view"):
        monkeypatch.setattr(terraform_commands, shown, lambda *_, **__: None)
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    err = told("destroy", "prod", *arguments, exits=exits)[1]
    listed = "the group 'developers' (a.b)" in err and "length: 24 → null" in err
    assert listed == (said is not None)
    assert said is None or said.lower() in err.lower()
    assert bool(destroyed) == (exits == 0)


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_what_terraform_reports_is_told_of_the_step_that_runs(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, command: str
):
    """Terraform's events reach the observer that the workspace was opened with: it must be the one with the stage."""
    from toolkit.cli import terraform_commands

    observers: list[Any] = []
    result = SimpleNamespace(
        plan=SimpleNamespace(empty=False, changes=()), findings=(), warnings=(), saved=object(), pending=True
    )
    outcome = SimpleNamespace(completed=(), diagnostics=(), seconds=0, imported=2, forgotten=0)
    workspace = SimpleNamespace(called="prod", simulator=None, caller=SimpleNamespace(account_id="123456789012"))

    def opened(_project: Any, _env: Any, _access: Any, observer: Any, **_: Any) -> Any:
        observers.append(observer)
        return workspace

    def applied(_workspace: Any, _bundle: Any, observer: Any, **_: Any) -> Any:
        observers.append(observer)
        return outcome

    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", opened)
    monkeypatch.setattr("toolkit.workflows.plan.make_plan", lambda *_, **__: result)
    monkeypatch.setattr("toolkit.workflows.apply.apply_bundle", applied)
    monkeypatch.setattr("toolkit.workflows.destroy.check_buckets", lambda *_, **__: ())
    monkeypatch.setattr("toolkit.workflows.before_first_apply.compare_with_before", lambda *_: Before("Of nothing."))
    monkeypatch.setattr("toolkit.workflows.destroy.destroy", applied)
    for shown in ("_show", "_view"):
        monkeypatch.setattr(terraform_commands, shown, lambda *_, **__: None)
    assert told(command, "prod", "--auto-approve")[0] == "Done in 0 s: 0 created, 0 updated, 0 deleted, 2 imported.\n"
    first, second = observers
    assert first is second


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE])
def test_an_apply_whose_result_cannot_be_shown_says_that_it_was_applied(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, number: int
):
    from toolkit.cli import terraform_commands
    from toolkit.terraform.outcomes import ApplyOutcome, Step

    outcome = ApplyOutcome((Step("a.b", "create", 1),), (), (), True, (), 1)
    workspace = SimpleNamespace(
        called="prod",
        simulator=None,
        caller=SimpleNamespace(account_id="123456789012"),
        environment=SimpleNamespace(name="prod"),
    )
    result = SimpleNamespace(
        plan=SimpleNamespace(empty=False, changes=()), findings=(), warnings=(), saved=object(), pending=True
    )
    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", lambda *_, **__: workspace)
    monkeypatch.setattr("toolkit.workflows.plan.make_plan", lambda *_, **__: result)
    monkeypatch.setattr("toolkit.workflows.apply.apply_bundle", lambda *_, **__: outcome)
    monkeypatch.setattr("toolkit.workflows.destroy.check_buckets", lambda *_, **__: ())
    monkeypatch.setattr("toolkit.workflows.before_first_apply.compare_with_before", lambda *_: Before("Of nothing."))
    monkeypatch.setattr("toolkit.workflows.destroy.destroy", lambda *_, **__: outcome)
    for shown in ("_show", "_view"):
        monkeypatch.setattr(terraform_commands, shown, lambda *_, **__: None)

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(number, os.strerror(number))

    for arguments in (("apply", "prod", "--auto-approve"), ("destroy", "prod", "--auto-approve", "--json")):
        monkeypatch.setattr("sys.stdout", Full())
        assert "; the plan was applied all the same (1 done)" in told(*arguments, exits=1)[1]


def test_outputs_that_are_not_there_are_told(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("toolkit.workflows.output.read_outputs", lambda *_: Outputs({}))
    assert told("output", "prod") == ("", "prod has no outputs: nothing is applied.\n")
    assert told("output", "prod", "--json") == ("{}\n", "")
    # What an interrupted destroy leaves.
    left = Outputs({}, ("module.cloudtrail.aws_s3_bucket.logs",))
    monkeypatch.setattr("toolkit.workflows.output.read_outputs", lambda *_: left)
    assert told("output", "prod")[1] == (
        "prod has no outputs: 1 resource is left in the state: module.cloudtrail.aws_s3_bucket.logs.\n"
    )


def test_a_defect_is_told_in_one_line(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("toolkit.workflows.render.render_environments", broken)
    monkeypatch.delenv("TOOLKIT_DEBUG", raising=False)
    err = told("render", exits=1)[1]
    assert err.startswith("Error: internal error: KeyError: 'surprise'")


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Stream(Terminal(), name="standard output", vital=True)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert console.colored(terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.colored(terminal)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not console.colored(terminal)
    monkeypatch.delenv("TERM")
    console.Settings.no_color = True
    assert not console.colored(terminal)
