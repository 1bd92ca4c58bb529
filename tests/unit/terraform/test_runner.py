from __future__ import annotations

import copy
import errno
import os
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.terraform import events, process
from toolkit.terraform.failures import SavedPlanError, TerraformError, TerraformInterruptedError
from toolkit.terraform.outcomes import Step
from toolkit.terraform.runner import Terraform
from toolkit.variables import RULES

from .conftest import Fake, gone, wait_for

APPLY = """
hook("apply_start", "a.one")
hook("apply_complete", "a.one", elapsed_seconds=1)
hook("apply_start", "a.two")
until(lambda: interrupts)
if interrupts:
    hook("apply_complete", "a.two", elapsed_seconds=2)
    error("execution halted")
    sys.exit(1)
"""


def test_python_terraform_can_only_build_arguments(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text("garbage")  # its own constructor fails on such a file
    wrapped = Terraform(tmp_path / "terraform")

    assert not hasattr(wrapped, "frobnicate")
    assert copy.copy(wrapped).terraform_bin_path == str(tmp_path / "terraform")
    with pytest.raises(NotImplementedError, match="must not run"):
        wrapped.plan()
    with pytest.raises(AssertionError):
        wrapped.arguments("plan", var={"a": "b"})


def test_the_argument_vectors(fake: Fake, tmp_path: Path) -> None:
    fake.does('print("{}") if command in ("show", "output") else print(\'{"diagnostics": []}\')\n'
              'open(sys.argv[-1][5:], "w") if command == "plan" else None')  # fmt: skip
    runner = fake.runner()
    runner.init(upgrade=True, reconfigure=True, lockfile="readonly")
    runner.validate()
    runner.plan(tmp_path / "p", destroy=True, refresh_only=True, lock_timeout="5s", targets=("module.a", "module.b"))
    runner.apply(tmp_path / "p")
    runner.show(tmp_path / "p")
    runner.show(None)
    runner.output()
    runner.get()
    runner.providers_lock(["linux_amd64", "darwin_arm64"], fs_mirror=tmp_path)
    runner.force_unlock("an-id")

    assert [" ".join(c[1:]).replace(str(tmp_path), "DIR") for c in fake.commands] == [
        "init -json -input=false -no-color -upgrade -reconfigure -lockfile=readonly",
        "validate -json -no-color",
        "plan -json -input=false -no-color -detailed-exitcode -lock-timeout=5s -destroy -refresh-only "
        "-target=module.a -target=module.b -out=DIR/p",
        "apply -json -input=false -no-color -lock-timeout=0s DIR/p",
        "show -json -no-color DIR/p",
        "show -json -no-color",
        "output -json -no-color",
        "get -no-color",
        "providers lock -platform=linux_amd64 -platform=darwin_arm64 -fs-mirror=DIR",
        "force-unlock -force an-id",
    ]


def test_the_environment_of_the_child(fake: Fake) -> None:
    fake.does(
        'keep = {k: v for k, v in os.environ.items() if k.startswith(("TF_", "GOGC", "CHECK"))}\n'
        'json.dump({**keep, "cwd": os.getcwd(), "sid": os.getsid(0) == os.getpid()}, open(here + "/facts.json", "w"))'
    )
    environ = {
        "PATH": os.environ["PATH"],
        "TF_CLI_ARGS_plan": "-refresh=false",
        "TF_VAR_x": "1",
        "TF_DATA_DIR": "/elsewhere",
        "TF_REATTACH_PROVIDERS": "{}",
        "TF_LOG": "debug",
        "TF_WORKSPACE": "default",
    }
    fake.runner(environ).init()

    assert fake.facts() == {
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",
        "TF_DATA_DIR": str(fake.scratch / "terraform"),
        "TF_LOG": "debug",
        "TF_LOG_PATH": str(fake.scratch / "logs" / "terraform-debug.log"),
        "TF_WORKSPACE": "default",
        "cwd": str(fake.root),
        "sid": True,
    }
    said = [e.text for e in fake.events if isinstance(e, events.Notice)]
    assert [text.split()[0] for text in said] == [
        "TF_CLI_ARGS_plan",
        "TF_DATA_DIR",
        "TF_REATTACH_PROVIDERS",
        "TF_VAR_x",
    ]


def test_relative_paths_mean_where_the_toolkit_was_started(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """boto3, which checks the account, reads them so; Terraform runs in rendered/."""
    fake.does('json.dump({k: v for k, v in os.environ.items() if k != "PATH"}, open(here + "/facts.json", "w"))')
    started = tmp_path / "started"
    started.mkdir()
    monkeypatch.chdir(started)
    given = {"AWS_CONFIG_FILE": "aws/config", "AWS_SHARED_CREDENTIALS_FILE": "/etc/keys", "TF_CLI_CONFIG_FILE": "../rc"}
    given |= {name: "file" for rule in RULES if rule.paths == "one" for name in rule.names if name not in given}
    fake.runner({"PATH": os.environ["PATH"], **given, "TF_TOKEN_x": ""}).init()

    facts = fake.facts()
    assert facts["AWS_CONFIG_FILE"] == str(started / "aws" / "config")
    assert facts["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/keys"
    assert facts["TF_CLI_CONFIG_FILE"] == str(started / ".." / "rc")
    others = {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "SSL_CERT_FILE", "TF_LOG_PATH"}
    assert others < set(given)
    assert {name: facts[name] for name in given if given[name] == "file"} == {
        name: str(started / "file") for name in given if given[name] == "file"
    }
    assert "TF_TOKEN_x" not in facts, "without a value, it is as good as unset to Terraform"


def test_a_workspace_would_select_another_state_and_is_refused(fake: Fake) -> None:
    with pytest.raises(RefusedError, match="TF_WORKSPACE=other"):
        fake.runner({"TF_WORKSPACE": "other"})


@pytest.mark.parametrize(("code", "changes"), [(0, False), (2, True)])
def test_a_plan_is_private_and_says_whether_it_changes_anything(
    fake: Fake, tmp_path: Path, code: int, changes: bool
) -> None:
    fake.does(f'open(sys.argv[-1][5:], "w").write("secret"); summary("plan", add=3); sys.exit({code})')
    outcome = fake.runner().plan(tmp_path / "new" / "p")

    assert (outcome.changes, outcome.add, outcome.destroy) == (changes, 3, 0)
    assert stat.S_IMODE((tmp_path / "new" / "p").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    modes = {stat.S_IMODE(log.stat().st_mode) for log in (fake.scratch / "logs").iterdir()}
    assert modes == {0o600}


def test_a_failed_plan_leaves_no_plan_file(fake: Fake, tmp_path: Path) -> None:
    fake.does('open(sys.argv[-1][5:], "w"); error("Boom", "because"); sys.exit(1)')

    with pytest.raises(TerraformError, match="terraform plan failed: Boom") as caught:
        fake.runner().plan(tmp_path / "p")
    assert not (tmp_path / "p").exists()
    assert [d.summary for d in caught.value.diagnostics] == ["Boom"]


def test_an_apply_reports_each_step(fake: Fake, tmp_path: Path) -> None:
    fake.does(
        'hook("apply_start", "a.one"); hook("apply_progress", "a.one", elapsed_seconds=10)\n'
        'hook("apply_complete", "a.one", elapsed_seconds=12); summary("apply", add=1)'
    )
    outcome = fake.runner().apply(tmp_path / "p")

    assert outcome.completed == (Step("a.one", "create", 12),)
    assert outcome.finished
    assert events.ApplyProgress("a.one", "create", 10) in fake.events
    assert not (fake.scratch / "run.json").exists()


def test_events_arrive_while_it_runs_and_a_last_line_needs_no_newline(fake: Fake, tmp_path: Path) -> None:
    fake.does(
        'hook("apply_start", "a.one"); until(lambda: os.path.exists(here + "/seen"))\n'
        'sys.stdout.write("no newline"); sys.exit(0 if os.path.exists(here + "/seen") else 1)'
    )

    def hook(event: events.Event) -> None:
        if isinstance(event, events.ApplyStart):
            (tmp_path / "seen").touch()

    fake.runner(hook=hook).apply(tmp_path / "p")
    assert fake.events[-1] == events.TextLine("no newline")


def test_json_is_found_behind_a_warning_and_its_copy_on_disk_is_removed(fake: Fake) -> None:
    fake.does('print("Warning: no {such} file\\n"); print(json.dumps({"password": {"value": 1}}, indent=2))')

    assert fake.runner().output() == {"password": {"value": 1}}
    assert not list((fake.scratch / "logs").glob("*.out"))


def test_an_answer_that_is_not_json_is_an_error(fake: Fake) -> None:
    fake.does('print("hello")')

    with pytest.raises(ToolkitError, match="not JSON"):
        fake.runner().output()


def test_validate_returns_what_terraform_finds_wrong(fake: Fake) -> None:
    fake.does(
        'print(json.dumps({"valid": False, "diagnostics": [{"severity": "error", "summary": "Unsupported argument", '
        '"detail": "d", "range": {"filename": "iam.tf", "start": {"line": 3}}}]}))\nsys.exit(1)'
    )
    (found,) = fake.runner().validate()

    assert (found.summary, found.place) == ("Unsupported argument", "iam.tf:3")


def test_a_stale_plan_has_its_own_exit_code(fake: Fake, tmp_path: Path) -> None:
    fake.does('error("Saved plan is stale"); sys.exit(1)')

    with pytest.raises(SavedPlanError) as caught:
        fake.runner().apply(tmp_path / "p")
    assert caught.value.exit_code is ExitCode.BAD_PLAN


def test_a_missing_root_or_binary_is_an_error_not_a_crash(fake: Fake) -> None:
    with pytest.raises(ToolkitError, match="cannot run Terraform"):
        fake.runner().init()
    fake.root.rmdir()
    with pytest.raises(ToolkitError, match="no rendered root"):
        fake.runner().init()
    assert not (fake.scratch / "run.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_terraform_gracefully(fake: Fake, tmp_path: Path, number: signal.Signals) -> None:
    fake.does(APPLY)
    before = signal.getsignal(number)
    sent = []

    def hook(event: events.Event) -> None:
        if isinstance(event, events.ApplyStart) and event.address == "a.two":
            sent.append(number)
            os.kill(os.getpid(), number)

    with pytest.raises(TerraformInterruptedError) as caught:
        fake.runner(hook=hook).apply(tmp_path / "p")

    outcome = caught.value.outcome
    assert sent == [number]
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert outcome is not None
    assert [step.address for step in outcome.completed] == ["a.one", "a.two"]
    assert events.Notice(process.STOPPING) in fake.events
    assert signal.getsignal(number) is before


def test_a_run_that_a_thread_started_is_stopped_by_interrupt(fake: Fake, tmp_path: Path) -> None:
    fake.does(APPLY)
    begun = threading.Event()
    runner = fake.runner(hook=lambda e: begun.set() if isinstance(e, events.ApplyStart) else None)
    caught: list[ToolkitError] = []

    def work() -> None:
        try:
            runner.apply(tmp_path / "p")
        except ToolkitError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    runner.interrupt()
    thread.join(60)

    assert [error.exit_code for error in caught] == [ExitCode.INTERRUPTED]


def test_an_interrupt_that_came_too_late_is_still_reported(fake: Fake, tmp_path: Path) -> None:
    fake.does('hook("apply_start", "a.one"); until(lambda: interrupts); hook("apply_complete", "a.one")\n'
              'summary("apply"); sys.exit(0)')  # fmt: skip

    def hook(event: events.Event) -> None:
        if isinstance(event, events.ApplyStart):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TerraformInterruptedError, match="had finished by then") as caught:
        fake.runner(hook=hook).apply(tmp_path / "p")
    assert caught.value.outcome is not None and caught.value.outcome.finished


def test_a_quick_second_signal_is_not_passed_on_a_later_one_is(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 600)
    fake.does(
        'say("log"); until(lambda: interrupts and os.path.exists(here + "/waiting"))\n'
        'quick = interrupts; open(here + "/counted", "w"); until(lambda: interrupts > 1)\n'
        'json.dump({"quick": quick, "last": interrupts}, open(here + "/facts.json", "w")); sys.exit(1)'
    )  # fmt: skip

    def hook(event: events.Event) -> None:
        if event == events.Notice(process.WAITING):
            (tmp_path / "waiting").touch()
            wait_for((tmp_path / "counted").exists)
            assert runner._interrupts is not None
            runner._interrupts.grace = 0  # it is over
        if isinstance(event, events.Other) or event in map(events.Notice, (process.STOPPING, process.WAITING)):
            os.kill(os.getpid(), signal.SIGINT)

    runner = fake.runner(hook=hook)
    with pytest.raises(TerraformInterruptedError):
        runner.apply(tmp_path / "p")

    assert fake.facts() == {"quick": 1, "last": 2}
    notices = [event.text for event in fake.events if isinstance(event, events.Notice)]
    assert notices == [process.STOPPING, process.WAITING, process.GIVING_UP]


def test_a_third_late_signal_kills_a_terraform_that_ignores_two(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0)
    fake.does('say("log"); until(lambda: False, 600)')

    def hook(event: events.Event) -> None:
        if isinstance(event, events.Other) or event in (
            events.Notice(process.STOPPING),
            events.Notice(process.GIVING_UP),
        ):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TerraformInterruptedError):
        fake.runner(hook=hook).apply(tmp_path / "p")
    assert fake.events[-1] == events.Notice(process.KILLING)


def test_a_failing_callback_stops_terraform_and_is_not_hidden(fake: Fake, tmp_path: Path) -> None:
    fake.does('hook("apply_start", "a.one"); until(lambda: interrupts)\n'
              'json.dump({"interrupts": interrupts}, open(here + "/facts.json", "w"))')  # fmt: skip

    def hook(_event: events.Event) -> None:
        raise BrokenPipeError("the terminal is gone")

    with pytest.raises((BrokenPipeError, ToolkitError), match="the terminal is gone"):
        fake.runner(hook=hook).apply(tmp_path / "p")
    assert fake.facts() == {"interrupts": 1}


def test_providers_that_outlive_terraform_are_ended(fake: Fake, tmp_path: Path) -> None:
    fake.does(
        'child = subprocess.Popen(["sleep", "60"])\n'
        'json.dump({"child": child.pid}, open(here + "/facts.json", "w")); os.kill(os.getpid(), 9)'
    )

    with pytest.raises(TerraformError, match="killed by signal 9"):
        fake.runner().apply(tmp_path / "p")
    assert gone(int(str(fake.facts()["child"])))
    assert events.Notice("Processes that Terraform had left behind were ended.") in fake.events


def test_a_nohup_toolkit_goes_on_without_its_terminal(fake: Fake, tmp_path: Path) -> None:
    fake.does(
        'hook("apply_start", "a.one"); until(lambda: os.path.exists(here + "/hung_up"))\n'
        'hook("apply_complete", "a.one"); summary("apply")'
    )

    def hang_up(event: events.Event) -> None:
        if isinstance(event, events.ApplyStart):
            os.kill(os.getpid(), signal.SIGHUP)
            (tmp_path / "hung_up").touch()

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        outcome = fake.runner(hook=hang_up).apply(tmp_path / "p")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert outcome.finished


def test_sigterm_to_the_whole_command_ends_it_with_130(fake: Fake) -> None:
    fake.does(APPLY)
    command = subprocess.Popen(fake.driver(), stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    line = ""
    while "a.two" not in line:
        line = command.stdout.readline()
    command.send_signal(signal.SIGTERM)
    rest = command.stdout.read()

    assert command.wait(60) == 130
    assert "terraform apply was interrupted (2 done)" in rest


def test_old_logs_are_removed(fake: Fake) -> None:
    logs = fake.scratch / "logs"
    logs.mkdir(parents=True)
    for number in range(60):
        (logs / f"20200101T0000{number:02}-plan.out").touch()
    fake.does("")
    fake.runner().init()

    assert len(list(logs.iterdir())) == 42
    assert not (logs / "20200101T000000-plan.out").exists()
    assert (logs / "20200101T000059-plan.out").exists()


def full(_folder: Path) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/project/logs")


def test_an_answer_that_a_full_disk_cut_off_is_not_called_bad_json(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.does("sys.stdout.write('{\"cut')")
    with pytest.raises(ToolkitError, match="not JSON"):
        fake.runner().show(None)
    monkeypatch.setattr("toolkit.terraform.runner.why_unwritable", full)
    with pytest.raises(ToolkitError, match="no space is left on the file system") as caught:
        fake.runner().show(None)
    assert caught.value.where == "/project/logs"
    assert "JSON" not in str(caught.value.hint)


def test_what_a_full_disk_swallowed_is_not_guessed(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform may have said that the state was not saved: nobody knows, so nothing else is claimed."""
    monkeypatch.setattr("toolkit.terraform.runner.why_unwritable", full)
    fake.does('hook("apply_start", "a.one"); sys.stdout.write(\'{"@level":"error","@mess\'); sys.exit(1)')
    with pytest.raises(TerraformError) as caught:
        fake.runner().apply(fake.folder / "plan")
    assert "no space is left on the file system" in caught.value.problem
    assert "what Terraform said of the state is lost" in caught.value.problem
    assert "is in the state" not in f"{caught.value.hint}{caught.value.detail}"
    assert "may be missing from the state" in (caught.value.hint or "")
    assert "@mess" not in f"{caught.value}{caught.value.detail}"


def test_one_init_at_a_time_uses_a_provider_cache(fake: Fake, tmp_path: Path) -> None:
    """Terraform does not lock it."""
    cache, log = tmp_path / "cache", tmp_path / "log"
    cache.mkdir()
    fake.does(
        f'log = open({str(log)!r}, "a", buffering=1); log.write("begin\\n")\n'
        'until(lambda: os.path.exists(here + "/waits")); log.write("end\\n"); sys.exit(0)'
    )
    waits = events.Notice(f"waiting for another `init` that uses the provider cache {cache}")

    def hook(event: events.Event) -> None:
        if event == waits:
            (tmp_path / "waits").touch()

    runners = []
    for number in range(3):
        other = Fake.__new__(Fake)
        other.__dict__.update(fake.__dict__, scratch=tmp_path / f"scratch-{number}")
        runners.append(other.runner({"PATH": os.environ["PATH"], "TF_PLUGIN_CACHE_DIR": str(cache)}, hook))
    threads = [threading.Thread(target=runner.init) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert log.read_text().split() == ["begin", "end"] * 3
    assert waits in fake.events


def test_a_provider_cache_that_is_not_there_is_left_to_terraform(fake: Fake, tmp_path: Path) -> None:
    fake.does("sys.exit(0)")
    fake.runner({"PATH": os.environ["PATH"], "TF_PLUGIN_CACHE_DIR": str(tmp_path / "none")}).init()
