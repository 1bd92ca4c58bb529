"""A Terraform command that is passed through: what is checked first, and what Terraform then gets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from toolkit.cli import console
from toolkit.cli.main import run
from toolkit.errors import ExitCode
from toolkit.terraform.runs import RunLock

SCRIPT = """
import fcntl
if arguments[0] in ("state", "untaint", "console"):
    def free(name):
        with open(os.path.join(os.environ["TF_DATA_DIR"], "..", name), "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
    print(json.dumps({"stdin": sys.stdin.read(), "locked": not free("run.lock"), "umask": oct(os.umask(0))}))
    print("from terraform", file=sys.stderr)
    sys.exit(int((here / "exits").read_text()))
"""


@pytest.fixture
def told(house: Any, callers: list[Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command in process; Terraform's own streams are those of the test."""
    terraform = house.tools / "terraform"
    terraform.write_text(terraform.read_text().replace("if arguments[0] ==", f"{SCRIPT}\nif arguments[0] ==", 1))
    house.render()
    for name in list(os.environ):
        if name.startswith(("AWS_", "TF_")):
            monkeypatch.delenv(name)
    for name, value in {**house.environ, "SECRET_OF_MINE": "x", "TF_CLI_ARGS": "-lock=false"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(house.root)

    def call(*arguments: str, exits: int = 0, typed: str = "") -> tuple[str, str]:
        (house.tools / "exits").write_text(str(exits))
        given = house.root / "stdin"
        given.write_text(typed)
        before = os.dup(0)
        with given.open() as stream:
            os.dup2(stream.fileno(), 0)
        try:
            code = run(["terraform", "prod", *arguments])
        finally:
            os.dup2(before, 0)
            os.close(before)
        out, err = capfd.readouterr()
        assert code == exits, f"exit {code}\n{out}\n{err}"
        return out, err

    yield call
    console.Settings.chdir, console.Settings.no_color, console.Settings.verbose = None, False, False


def passed(house: Any) -> list[dict[str, Any]]:
    return [c for c in house.asked if c["arguments"][0] in ("state", "untaint", "console", "apply")]


def test_it_runs_in_the_environment_s_folder_with_the_allowed_variables(house: Any, told: Any, callers: list[Any]):
    out, err = told("--", "state", "list", "-id=x", 'module.a.aws_x.y["k"]')
    assert json.loads(out) == {"stdin": "", "locked": False, "umask": "0o77"}
    assert "from terraform" in err
    assert "prints secrets" not in err
    assert len(callers) == 1, "the account is checked first"
    (call,) = passed(house)
    assert call["arguments"] == ["state", "list", "-no-color", "-id=x", 'module.a.aws_x.y["k"]']
    assert Path(call["cwd"]).name == "rendered"
    assert "TF_CLI_ARGS" not in call["environ"]
    assert call["environ"]["TF_WORKSPACE"] == "default"


def test_a_variable_that_is_ignored_is_reported_also_where_nothing_else_runs(
    told: Any, monkeypatch: pytest.MonkeyPatch
):
    for _ in ("initializes first", "is initialized"):
        monkeypatch.setenv("TF_CLI_ARGS", "-lock=false")  # a run takes it out of this process
        assert "TF_CLI_ARGS is set and ignored" in told("--", "state", "list")[1]


@pytest.mark.parametrize("exits", [0, 1, 2, 42])
def test_the_exit_code_is_terraform_s(told: Any, exits: int):
    told("--", "state", "list", exits=exits)


@pytest.mark.parametrize(
    "command", [["console"], ["state", "show", "x"], ["state", "pull"]], ids=["console", "show", "pull"]
)
def test_what_prints_secrets_says_so_on_stderr(told: Any, command: list[str]):
    out, err = told("--", *command, typed="1 + 1\n")
    assert json.loads(out)["stdin"] == "1 + 1\n"
    assert "prints secrets" in " ".join(err.split())


def test_what_writes_the_state_holds_the_run_lock(house: Any, told: Any):
    assert json.loads(told("--", "untaint", "x")[0])["locked"] is True
    scratch = house.root / "environments" / "prod" / ".toolkit"
    assert not (scratch / "run.json").exists()
    with RunLock(scratch):
        (house.tools / "asked").unlink()
        code = run(["terraform", "prod", "--", "untaint", "x"])
    assert code == ExitCode.LOCKED
    assert passed(house) == []


def test_what_is_refused_reaches_neither_terraform_nor_the_account(house: Any, told: Any, callers: list[Any]):
    assert run(["terraform", "prod", "--", "apply", "-auto-approve"]) == ExitCode.REFUSED
    assert run(["terraform", "prod", "--", "-chdir=/", "state", "list"]) == ExitCode.REFUSED
    assert run(["terraform", "prod"]) == ExitCode.USAGE
    assert callers == []
    assert house.asked == []
