"""Commands without an account, in process: doctor, saved plans, schema, completion, and what errors keep secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from toolkit import __version__
from toolkit.aws.identity import CallerIdentity
from toolkit.cli import options
from toolkit.cli.main import run
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.sandbox.control import Sandbox
from toolkit.workflows.schema import schema_text

REPOSITORY = Path(__file__).parents[3]
ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'
Told = Callable[..., tuple[str, str]]


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would leave this machine fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    for name in [n for n in os.environ if n.startswith(("AWS_", "TF_", "TOOLKIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    (tmp_path / "environments" / "prod" / "environment.yaml").write_text(ENVIRONMENT)
    (tmp_path / "tools").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    return tmp_path


def checks(out: str) -> dict[str, tuple[str, str, str | None]]:
    return {c["check"]: (c["result"], c["found"], c["next"]) for c in json.loads(out)["checks"]}


def terraform(project: Path, version: str) -> None:
    tool = project / "tools" / "terraform"
    tool.write_text(f"#!/bin/sh\necho 'Terraform v{version}'\n")
    tool.chmod(0o755)


def test_doctor_finds_what_is_missing_and_says_what_to_do(project: Path, told: Told):
    found = checks(told("doctor", "--json", exits=1)[0])
    assert found["terraform"][0] == "fail"
    assert "not on PATH" in found["terraform"][1]
    assert "https://" in str(found["terraform"][2])
    assert found["modules"][::2] == ("fail", "`toolkit init .` puts them there")
    assert found["environment prod"][::2] == ("note", "`toolkit render prod`, then review and commit")
    assert "5 rendered files out of date" in found["environment prod"][1]
    assert not any(name.startswith("account") for name in found), "no account is asked unless one is named"


def test_doctor_of_a_whole_project(project: Path, told: Told):
    terraform(project, "1.11.4")
    told("init", ".", "--pipeline", "none")
    told("render")
    out, err = told("doctor", "--json")
    found = checks(out)
    assert err == ""
    assert {result for result, _, _ in found.values()} == {"ok"}
    assert found["terraform"][1] == f"terraform 1.11.4 at {project / 'tools' / 'terraform'}"
    assert "account 123456789012, 1 component, rendered files up to date" in found["environment prod"][1]
    (project / "modules" / "config" / "main.tf").write_text("# mine\n")
    result, text, hint = checks(told("doctor", "--json")[0])["modules"]
    assert (result, "config/main.tf" in text) == ("note", True)
    assert "--upgrade" in str(hint)


def test_doctor_sees_what_terraform_would_apply_though_nobody_asked_for_it(project: Path, told: Told):
    terraform(project, "1.11.4")
    told("init", ".", "--pipeline", "none")
    told("render")
    (project / "modules" / "config" / "delivery" / "extra.tf.json").write_text("{}")
    (project / "environments" / "prod" / "rendered" / "own.tf").write_text("")
    found = checks(told("doctor", "--json", exits=1)[0])
    result, text, hint = found["modules"]
    assert result == "fail"
    assert text.startswith(f"1 file that toolkit {__version__} does not ship and Terraform would apply")
    assert text.endswith("config/delivery/extra.tf.json")
    assert "--upgrade" in str(hint)
    result, text, _ = found["environment prod"]
    assert result == "fail"
    assert "that are not generated: own.tf" in text


def test_doctor_goes_on_whatever_it_finds(project: Path, told: Told):
    terraform(project, "1.9.0")
    (project / "environments" / "bad").mkdir()
    (project / "environments" / "bad" / "environment.yaml").write_text("account_id: 1\n")
    out, err = told("doctor", exits=1)
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "too old" in lines["terraform"]
    assert "fail" in lines["environment bad"]
    assert "environments/bad/environment.yaml:1: account_id" in lines["environment bad"]
    assert "note" in lines["environment prod"]
    assert "Next (environment bad): " in err


def test_doctor_outside_of_a_project(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert checks(run_json(told, "doctor"))["project"][0] == "note"
    assert checks(run_json(told, "doctor", "prod", exits=1))["project"][0] == "fail"


def run_json(told: Told, *arguments: str, exits: int | None = None) -> str:
    """With --json; the exit code of `doctor` depends on the machine unless it is given."""
    if exits is not None:
        return told(*arguments, "--json", exits=exits)[0]
    try:
        return told(*arguments, "--json")[0]
    except AssertionError:
        return told(*arguments, "--json", exits=1)[0]


def test_doctor_says_which_credentials_are_missing(project: Path, told: Told):
    found = checks(told("doctor", "prod", "--json", exits=1)[0])
    result, text, hint = found["account of prod"]
    assert result == "fail"
    assert "no usable AWS credentials" in text
    assert "sso login" in str(hint)


def test_doctor_checks_the_embedded_aws_instead(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    """Without credentials of any account, and with the next step where none runs."""
    found = checks(told("doctor", "prod", "--sandbox", "--json", exits=1)[0])
    assert found["embedded AWS"] == ("fail", "not running for this project", "`toolkit sandbox up` starts it")
    result, text, hint = found["account of prod"]
    assert (result, "the embedded AWS is not running" in text) == ("fail", True)
    assert "`toolkit sandbox up --account-id 123456789012`" in str(hint)
    running = Sandbox("http://127.0.0.1:5555", 42, 5555, "123456789012", "2026-01-01T00:00:00+00:00")
    monkeypatch.setattr("toolkit.sandbox.control.status", lambda _: running)
    asked: list[str] = []

    def check(session: Any) -> CallerIdentity:
        asked.append(session.environ["AWS_ENDPOINT_URL"])
        return CallerIdentity(session.account_id, "arn:aws:iam::123456789012:user/ann")

    monkeypatch.setattr("toolkit.aws.identity.check_account", check)
    found = checks(told("doctor", "prod", "--sandbox", "--json", exits=1)[0])
    assert found["embedded AWS"][:2] == ("ok", "running at http://127.0.0.1:5555, account 123456789012")
    assert found["account of prod"][1].endswith("user/ann in account 123456789012 of the embedded AWS")
    assert asked == ["http://127.0.0.1:5555"]


def test_no_embedded_aws_runs(project: Path, told: Told):
    assert told("sandbox", "status", exits=1)[0] == "not running\n"
    assert json.loads(told("sandbox", "status", "--json", exits=1)[0])["running"] is False
    assert told("sandbox", "down")[0] == "was not running\n"
    assert "12 digits" in told("sandbox", "up", "--account-id", "123", exits=64)[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "truncated or damaged"),
        (b"PK\x03\x04 no zip", "truncated or damaged"),
    ],
)
def test_what_is_no_saved_plan_is_told_with_exit_code_7(project: Path, told: Told, content: bytes | None, said: str):
    if content is not None:
        (project / "x.tfbundle").write_bytes(content)
    for command in (("show", "x.tfbundle"), ("apply", "prod", "--plan", "x.tfbundle")):
        out, err = told(*command, exits=7)
        assert said in err
        assert "Next: make one with `toolkit plan" in err
        assert out == ""


def test_an_environment_is_no_plan(project: Path, told: Told):
    assert told("show", "prod", exits=7)[1] == (
        "Error: 'prod' is an environment, not a plan bundle\nNext: `toolkit plan prod` saves one\n"
    )
    saved = project / "environments" / "prod" / ".toolkit" / "plan.tfbundle"
    saved.parent.mkdir()
    saved.touch()
    assert f"Next: its saved plan: {saved}" in told("show", "prod", exits=7)[1]


BUNDLE_KEY = "YnVuZGxlLWtleS1ieXRlcy1mb3ItdGVzdHMtb25seSE="


@pytest.mark.parametrize("command", ["doctor", "plan"])
def test_no_child_process_gets_the_key_of_bundles(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, command: str
):
    """Terraform, git, and the helper that botocore starts for credentials, with the environment of this process."""
    children: dict[str, dict[str, str]] = {}
    start = subprocess.Popen.__init__

    def noted(self: Any, args: Any, *more: Any, env: Any = None, **options: Any) -> None:
        children[Path(args[0]).name] = dict(os.environ if env is None else env)
        start(self, args, *more, env=env, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    monkeypatch.setenv("TOOLKIT_BUNDLE_KEY", BUNDLE_KEY)
    monkeypatch.setenv("AWS_PROFILE", "helped")
    (project / ".aws").mkdir()
    (project / ".aws" / "config").write_text(f"[profile helped]\ncredential_process = {project}/tools/helper\n")
    terraform(project, "1.11.4")
    told("init", ".", "--pipeline", "none")
    told("render", "prod")
    run((command, "prod"))
    assert children.keys() >= {"terraform", "helper"}
    for name, environ in children.items():
        assert "TOOLKIT_BUNDLE_KEY" not in environ, name
        assert BUNDLE_KEY not in environ.values(), name


SECRET = "wJalrXUtnFEMI-K7MDENG-EXAMPLEKEY"


def test_errors_hold_no_secrets(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.setenv("TOOLKIT_BUNDLE_KEY", SECRET)
    terraform(project, "1.11.4")
    told("init", ".", "--pipeline", "none")
    file = project / "environments" / "prod" / "environment.yaml"
    for more in (
        "",
        f"credentials: {{assume_role: {{role_arn: 'arn:aws:iam::123456789012:role/x', external_id: '{SECRET} !'}}}}\n",
        f"credentials: {{assume_role: {{role_arn: 'arn:aws:iam::123456789012:role/x', external_id: [{SECRET}]}}}}\n",
        f"credentials: {{assume_role: {{role_arn: 'arn:aws:iam::123456789012:role/x', external_id: {SECRET}}}}}\n",
    ):
        file.write_text(ENVIRONMENT + more)
        for command in (("plan", "prod"), ("doctor", "prod"), ("render", "prod"), ("-v", "plan", "prod", "--json")):
            code = run(command)
            assert code in (0, 1, 5, 64), command
    # A command is a process of its own; what asked AWS has taken the key out of this one.
    monkeypatch.setenv("TOOLKIT_BUNDLE_KEY", SECRET)
    out, err = told("show", "x.tfbundle", exits=64)
    assert "TOOLKIT_BUNDLE_KEY" in err
    assert SECRET not in out + err


@pytest.fixture(autouse=True)
def no_secret_is_ever_told(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    out, err = capsys.readouterr()
    assert SECRET not in out + err


def test_every_list_for_scripts_is_json(project: Path, told: Told):
    for command in (("components",), ("components", "guardduty"), ("render",), ("render", "--check")):
        out, err = told(*command, "--json")
        data = json.loads(out)
        assert data["schema_version"] == 1
        assert data["kind"] == command[0]
        assert err == ""


def test_the_schema_beside_environments_is_this_versions():
    committed = (REPOSITORY / "environments" / "environment.schema.json").read_text("utf-8")
    assert committed == schema_text(), "run `toolkit schema > environments/environment.schema.json`"


def test_what_is_needed_only_with_a_setting_is_told_with_it(told: Told):
    assert (
        "Needs: cloudtrail with log_subscription, cloudtrail with trail_reader\n"
        in told("components", "siem_export")[0]
    )
    (component,) = json.loads(told("components", "siem_export", "--json")[0])["components"]
    assert component["requires_with"][0] == {"setting": "log_subscription", "component": "cloudtrail"}


def test_new_leaves_out_only_what_has_no_defaults(project: Path, told: Told):
    told("new", "two", "--account-id", "123456789012", "--region", "eu-west-1")
    assert (project / "environments" / "environment.schema.json").read_text("utf-8") == schema_text()
    text = (project / "environments" / "two" / "environment.yaml").read_text("utf-8")
    given = yaml.safe_load(text)["components"]
    for name, component in REGISTRY.items():
        missing = [n for n, field in component.settings.model_fields.items() if field.is_required()]
        if "standard" not in component.profiles:
            assert name not in text
        elif missing:
            assert name not in given
            assert f"  # Fill in {', '.join(missing)}, see `toolkit components {name}`" in text
            assert block_of(text, name).keys() >= set(missing)
        else:
            assert name in given


def block_of(text: str, name: str) -> dict[str, Any]:
    """A component's block that is a comment, with the # taken away as the comment above it says."""
    lines = text.split(f"  # {name}:\n")[1].splitlines()
    block = [line[4:] for line in takewhile(lambda line: line.startswith("  #   "), lines)]
    found: dict[str, Any] = yaml.safe_load("\n".join(block))
    return found


def test_what_must_be_filled_in_is_laid_out_and_not_taken_for_filled_in(project: Path, told: Told):
    told("new", "two", "--account-id", "123456789012", "--region", "eu-west-1")
    text = (project / "environments" / "two" / "environment.yaml").read_text("utf-8")
    contacts, root = (block_of(text, name) for name in ("account_contacts", "root_protection"))
    assert list(contacts["security"]) == ["name", "title", "email_address", "phone_number"]
    assert root == {"custodians": ["…"], "password_kept_in": "…", "mfa_devices": {"…": "…"}}
    assert block_of(text, "activity_alarms")["subscribers"]["email_addresses"] == ["…"]
    left = {"root_email_address": "root@example.com", "security": contacts["security"]}
    with pytest.raises(ToolkitError) as caught:
        load_text(
            f'account_id: "123456789012"\nregions: {{home: eu-west-1}}\ncomponents: '
            f"{json.dumps({'account_contacts': left})}\n",
            name="x",
            shown_as="x",
        )
    for name in contacts["security"]:
        assert f"account_contacts.security.{name}: " in str(caught.value.detail)


@pytest.mark.parametrize(
    "broken",
    [
        {"account_id": 12},
        {"regions": {"home": "eu-west-1", "activ": []}},
        {"regions": {}},
        {"backend": {"type": "gcs"}},
        {"backend": {"type": "s3", "bucket": "b"}},
        {"credentials": {"assume_role": {}}},
        {"default_tags": ["a"]},
        {"simulator": "localstack"},
        {"components": {"password_policy": {"hard_expiry": "yes"}}},
        {"components": {"cloudtrail": {"data_events": ["s3"]}}},
        {"components": {"config": {"rules": {"x": {}}}}},
        {"waivers": [{"rule": "weakens"}]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_the_schema_refuses_in_the_editor_what_the_loader_refuses(broken: dict[str, Any]):
    good: dict[str, Any] = {
        "account_id": "123456789012",
        "regions": {"home": "eu-west-1"},
        "components": {"password_policy": {}},
    }
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors({**good, **broken}))


def test_names_are_completed(project: Path):
    (project / "environments" / "preview").mkdir()
    (project / "environments" / "preview" / "environment.yaml").write_text(ENVIRONMENT)
    assert options.complete_environment("pr") == ["preview", "prod"]
    assert options.complete_environment("x") == []


COMPLETIONS = {
    "toolkit new --profile s": {"standard", "strict"},
    "toolkit init --pipeline ": {"codebuild", "github", "gitlab", "none"},
    "toolkit plan prod --report ": {"text=", "markdown=", "json=", "sarif=", "junit=", "html="},
    "toolkit show x --report j": {"json=", "junit="},
    "toolkit apply prod --report sar": {"sarif="},
    "toolkit controls --framework fs": {"fsbp"},
    "toolkit plan pr": {"prod"},
}


def asked(typed: str) -> dict[str, str]:
    """What bash sets when it asks."""
    return {"_TOOLKIT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}


@pytest.mark.parametrize("typed", COMPLETIONS)
def test_a_shell_is_offered_the_values(
    project: Path, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Through typer, as bash calls it."""
    for name, value in asked(typed).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        run([])
    assert set(capsys.readouterr().out.split()) == COMPLETIONS[typed]


def test_bash_is_offered_them_by_a_process(project: Path):
    typed = "toolkit plan pr"
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'toolkit'; from toolkit.__main__ import main; main()"],
        env={**os.environ, **asked(typed)},
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )
    assert set(done.stdout.split()) == COMPLETIONS[typed], done.stderr


def test_completion_outside_of_a_project_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert options.complete_environment("") == []


def test_a_reader_that_stops_reading_is_no_defect(project: Path):
    """`toolkit schema | head -1`"""
    source, sink = os.pipe()
    os.close(source)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", "schema"],
            stdout=sink,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
    finally:
        os.close(sink)
    assert done.stderr == ""
    assert done.returncode == 1


def test_an_interrupt_is_told(project: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.workflows.render.render_environments", interrupted)
    assert told("render", exits=130)[1] == "Error: interrupted; nothing further was done\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "expected an environment or --plan BUNDLE"),
        (("prod", "--framework", "cis-5"), "no framework 'cis-5'; did you mean 'cis-5.0'?"),
        (("prod", "--format", "jsn"), "no format 'jsn'; did you mean 'json'?"),
    ],
)
@pytest.mark.usefixtures("project")
def test_controls_says_what_it_expects(told: Told, arguments: tuple[str, ...], expected: str) -> None:
    out, err = told("controls", *arguments, exits=64)
    assert out == ""
    assert expected in err


@pytest.mark.usefixtures("project")
def test_controls_takes_an_environment_and_its_saved_plan(told: Told) -> None:
    assert "x.tfbundle: cannot be read" in told("controls", "prod", "--plan", "x.tfbundle", exits=7)[1]
