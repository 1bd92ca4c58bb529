"""`--report FORMAT=FILE` over the command line: checked first, written whole, also when the plan is refused."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.cli import console
from toolkit.cli.main import run
from toolkit.errors import ExitCode, RefusedError
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView
from toolkit.terraform import bundle as bundles
from toolkit.workflows import apply as applying
from toolkit.workflows import plan as planning
from toolkit.workflows import workspace as workspaces
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import PlanResult
from toolkit.workflows.report import Target, targets, write_reports
from toolkit.workflows.workspace import read_environment

RECORDED = Path(__file__).parents[2] / "plans" / "reports"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "environments" / "sandbox"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_bytes((RECORDED / "later.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOOLKIT_BUNDLE_KEY", raising=False)
    yield tmp_path
    console.Settings.chdir, console.Settings.no_color, console.Settings.verbose = None, False, False


@pytest.fixture
def bundle(project: Path, later: PlanView, later_data: Any) -> Path:
    plan_file = project / "plan.tfplan"
    plan_file.write_bytes(b"of no interest here")
    path = project / "plan.tfbundle"
    bundles.write(path, later.manifest, plan_file, later_data, later.findings)
    return path


Told = Callable[..., tuple[str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def call(*arguments: str, exits: int = 0) -> tuple[str, str]:
        code = run(arguments)
        out, err = capsys.readouterr()
        assert code == exits, f"exit {code}\n{out}\n{err}"
        return out, err

    return call


def test_all_formats_from_one_run(bundle: Path, told: Told) -> None:
    files = {name: bundle.parent / f"report.{name}" for name in FORMATS}
    out, _ = told("show", str(bundle), *(f"--report={name}={file}" for name, file in files.items()))
    assert out.startswith("Plan for sandbox: account 123456789012")
    text = {name: file.read_text("utf-8") for name, file in files.items()}
    assert text["markdown"].startswith("<!-- aws-baseline-toolkit:plan:sandbox -->\n")
    assert json.loads(text["json"])["kind"] == "plan"
    assert text["html"].startswith("<!DOCTYPE html>")
    assert text["junit"].startswith("<?xml")
    assert text["text"].startswith("Plan for sandbox")
    # SARIF leads to the lines of this very file.
    yaml = (RECORDED / "later.yaml").read_text("utf-8").splitlines()
    for result in json.loads(text["sarif"])["runs"][0]["results"]:
        line = yaml[result["locations"][0]["physicalLocation"]["region"]["startLine"] - 1]
        component = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].split(".")[1]
        assert line == "components:" or component.startswith(line.strip().rstrip(":"))
    assert not [f for f in bundle.parent.iterdir() if f.name.startswith(".report")]


def test_standard_output_holds_the_report_alone(bundle: Path, told: Told) -> None:
    out, err = told("show", str(bundle), "--report", "markdown=-")
    assert out.splitlines()[0] == "<!-- aws-baseline-toolkit:plan:sandbox -->"
    assert "Plan for sandbox: account" not in out
    assert err.startswith("Plan for sandbox: account 123456789012")


@pytest.fixture
def planned(project: Path, later: PlanView, monkeypatch: pytest.MonkeyPatch) -> None:
    """`toolkit plan` without Terraform: its workspace and its result are given."""
    from toolkit.paths import Project

    paths, environment = read_environment(Project(project), "sandbox")
    workspace = SimpleNamespace(environment=environment, paths=paths)
    result = PlanResult(later.plan, later.bundle, later.manifest, later.findings, (), None)
    monkeypatch.setattr(workspaces, "open_workspace", lambda *_, **__: workspace)
    monkeypatch.setattr(planning, "make_plan", lambda *_, **__: result)


@pytest.mark.usefixtures("planned")
def test_a_refused_plan_is_reported_before_the_exit(project: Path, told: Told) -> None:
    out, err = told(
        *("plan", "sandbox", "--report", "markdown=a.md", "--report", "junit=b.xml", "--report", "json=-"),
        exits=ExitCode.REFUSED,
    )
    assert "**Refused: 12 findings nobody consented to.**" in (project / "a.md").read_text("utf-8")
    assert 'failures="12"' in (project / "b.xml").read_text("utf-8")
    assert json.loads(out)["refused"] is True
    assert "the plan is refused for 12 findings" in err


def test_a_report_of_an_earlier_plan_does_not_survive_a_failed_one(project: Path, told: Told) -> None:
    (project / "plan.md").write_text("of an earlier plan")
    told("show", "no-such.tfbundle", "--report", "markdown=plan.md", exits=ExitCode.BAD_PLAN)
    assert not (project / "plan.md").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["markdown"], "'markdown' is not FORMAT=FILE"),
        (["=x"], "no format ''"),
        (["json="], "'json=' is not FORMAT=FILE"),
        (["markdwon=x"], "no format 'markdwon'; did you mean 'markdown'?"),
        (["json=nowhere/x"], "no folder nowhere"),
        (["json=environments"], "a folder, not a file"),
        (["json=x", "html=./x"], "another report goes there already"),
        (["json=-", "html=-"], "another report goes there already"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_planned(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, options: list[str], problem: str
) -> None:
    def planned(*_: object, **__: object) -> None:
        raise AssertionError("planned")

    monkeypatch.setattr(workspaces, "open_workspace", planned)
    (project / "x").write_text("kept")
    given = [f"--report={o}" for o in options]
    for command in (("plan", "sandbox"), ("apply", "sandbox", "--auto-approve"), ("show", "plan.tfbundle")):
        _, err = told(*command, *given, exits=ExitCode.USAGE)
        assert problem in err
    assert (project / "x").read_text() == "kept"


def test_json_and_a_report_cannot_both_be_standard_output(bundle: Path, told: Told) -> None:
    _, err = told("show", str(bundle), "--json", "--report", "sarif=-", exits=ExitCode.USAGE)
    assert "both want standard output" in err


def test_a_report_that_cannot_be_written_is_an_error(later: PlanView) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full, which is Linux's always full device")
    from toolkit.errors import ToolkitError

    with pytest.raises(ToolkitError, match="the json report cannot be written: No space left on device"):
        write_reports(later, (Target("json", Path("/dev/full")),))


def test_a_pipe_is_written_to_not_replaced(later: PlanView, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    write_reports(later, targets([f"text={pipe}"]))
    reader.join(10)
    assert read[0].startswith("Plan for sandbox")
    assert pipe.is_fifo()


def test_applying_reports_what_is_judged_at_that_moment(
    project: Path, later: PlanView, later_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found since the plan was approved is in the report, though nothing is applied."""
    from toolkit.paths import Project

    _, environment = read_environment(Project(project), "sandbox")
    workspace: Any = SimpleNamespace(
        environment=environment,
        attribution=workspaces.attribution(environment),
        simulator="moto",
        caller=SimpleNamespace(account_id="123456789012"),
        backend="local",
        binary=SimpleNamespace(product="terraform", version="1.11.4"),
        sources=dict,
        lock_digest=str,
        # Terraform says that the saved plan does what the bundle shows.
        runner=SimpleNamespace(state_version=lambda: ("", 0), show=lambda _: later_data),
        scratch=project,
    )
    state = (later.manifest.state_lineage, later.manifest.state_serial)
    monkeypatch.setattr(applying.bundles, "state_of", lambda _: state)
    bundle: Any = SimpleNamespace(
        extract_plan=lambda folder: folder / "plan.tfplan",
        manifest=later.manifest,
        plan_json=later_data,
        path=project / "plan.tfbundle",
        verify=lambda _: None,
        verify_files=lambda _: None,
        verify_state=lambda *_: None,
    )
    monkeypatch.setattr(applying, "judge_plan", lambda *_, **__: later.findings)
    seen: list[PlanView] = []
    with pytest.raises(RefusedError):
        applying.apply_bundle(workspace, bundle, Observer(), judged=seen.append)
    assert seen[0].refused
    assert seen[0].findings == later.findings
    assert seen[0].line("password_policy") == 22


def test_every_format_is_offered_by_the_help(told: Told) -> None:
    for command in ("plan", "apply", "show"):
        out, _ = told(command, "--help")
        words = " ".join(out.split())
        assert all(name in words for name in FORMATS)
