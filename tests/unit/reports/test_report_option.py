"""`--report FORMAT=FILE` over the command line: checked first, written whole, also when the plan is refused."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.terraform.test_bundle import ACCESS
from toolkit.cli import console
from toolkit.errors import ExitCode, RefusedError, UsageError
from toolkit.findings import Resource
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView
from toolkit.terraform import bundle as bundles
from toolkit.workflows import apply as applying
from toolkit.workflows import plan as planning
from toolkit.workflows import workspace as workspaces
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import PlanResult
from toolkit.workflows.report import targets, write_reports
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
    path = project / "plan.tfbundle"
    bundles.place(path, bundles.pack(later.manifest, b"of no interest here", later_data, later.findings, ACCESS))
    return path


Told = Callable[..., tuple[str, str]]


def test_all_formats_from_one_run(bundle: Path, told: Told) -> None:
    files = {name: bundle.parent / f"report.{name}" for name in FORMATS}
    out, _ = told("show", str(bundle), *(f"--report={name}={file}" for name, file in files.items()))
    assert out.startswith("Plan for sandbox: account 123456789012")
    text = {name: file.read_text("utf-8") for name, file in files.items()}
    assert text["markdown"].startswith("<!-- aws-baseline-toolkit:plan:sandbox -->\n")
    assert json.loads(text["json"])["kind"] == "plan"
    # As it was known to the plan, not as the project's files would have it.
    assert json.loads(text["json"])["access"] == ACCESS.as_data()
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
    workspace = SimpleNamespace(environment=environment, paths=paths, aws=SimpleNamespace(environment=environment))
    result = PlanResult(later.plan, later.bundle, later.manifest, later.findings, (), None)
    monkeypatch.setattr(workspaces, "open_workspace", lambda *_, **__: workspace)

    def make_plan(*_: object, judged: Callable[[PlanResult], None], **__: object) -> PlanResult:
        judged(result)
        return result

    monkeypatch.setattr(planning, "make_plan", make_plan)


@pytest.mark.usefixtures("planned")
def test_a_refused_plan_is_reported_before_the_exit(project: Path, told: Told) -> None:
    out, err = told(
        *("plan", "sandbox", "--report", "markdown=a.md", "--report", "junit=b.xml", "--report", "json=-"),
        exits=ExitCode.REFUSED,
    )
    assert "**Refused: 12 findings without consent.**" in (project / "a.md").read_text("utf-8")
    assert 'failures="12"' in (project / "b.xml").read_text("utf-8")
    assert json.loads(out)["refused"] is True
    assert "the plan is refused for 12 findings" in err


def test_a_report_of_an_earlier_plan_does_not_survive_a_failed_one(project: Path, later: PlanView, told: Told) -> None:
    (project / "plan.md").write_text(FORMATS["markdown"].render(later))
    told("show", "no-such.tfbundle", "--report", "markdown=plan.md", exits=ExitCode.BAD_PLAN)
    assert not (project / "plan.md").exists()


def places(folder: Path, later: PlanView, bundle: Path) -> dict[str, Path]:
    """One of each kind of thing that can stand where a report is to be written."""
    made = {kind: folder / kind for kind in (*FORMATS, *LOST)}
    for name, shape in FORMATS.items():
        made[name].write_text(shape.render(later), "utf-8")
    made["words"].write_text("Plan for a good holiday: go away\n")
    made["other JSON"].write_text('{"kind": "plan"}')
    made["other SARIF"].write_text('{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "other"}}}]}')
    made["other HTML"].write_text("<!DOCTYPE html>\n<title>Plan for sandbox</title>")
    made["other JUnit"].write_text('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pytest">')
    made["state"].write_text('{"version": 4, "serial": 7, "lineage": "x", "resources": []}')
    made["binary"].write_bytes(bytes(range(256)))
    made["bundle"].write_bytes(bundle.read_bytes())
    made["bundle"].with_suffix(".tfbundle").write_bytes(bundle.read_bytes())
    made["folder"].mkdir()
    os.mkfifo(made["pipe"])
    made["link to a report"].symlink_to(made["markdown"])
    made["link to nothing"].symlink_to(folder / "nothing")
    # Nothing would be lost here, but what is written would be taken for something else.
    for name in ("terraform.tfstate", "main.tf", "x.auto.tfvars.json", "plan.tfbundle", "environment.yaml"):
        made[name] = folder / name
    (folder / ".toolkit").mkdir()
    made["scratch"] = folder / ".toolkit" / "plan.md"
    return made


LOST = (
    *("words", "other JSON", "other SARIF", "other HTML", "other JUnit", "state", "binary", "bundle"),
    *("folder", "pipe", "link to a report", "link to nothing"),
)
OWN = ("terraform.tfstate", "main.tf", "x.auto.tfvars.json", "plan.tfbundle", "environment.yaml", "scratch")


def snapshot(folder: Path) -> dict[str, Any]:
    """Everything below a folder: kind, and content or what a link leads to."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.name] = path.readlink()
        else:
            found[path.name] = path.read_bytes() if path.is_file() else path.lstat().st_mode
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_only_an_earlier_report_of_the_very_format_is_replaced(
    tmp_path: Path, later: PlanView, bundle: Path, name: str
) -> None:
    """Every format times every kind of thing in its place: lost is a report of that format, and nothing else."""
    folder = tmp_path / "places"
    folder.mkdir()
    made = places(folder, later, bundle)
    assert set(made) >= {*FORMATS, *LOST, *OWN}
    before = snapshot(folder)
    for kind in ({*FORMATS, *LOST, *OWN}) - {name}:
        try:
            targets(FORMATS, [f"{name}={made[kind]}"])
        except UsageError as error:
            assert f"--report {name}=" in str(error), kind
        else:
            pytest.fail(f"a report would take the place of {kind}")
        assert snapshot(folder) == before, kind
    wanted = targets(FORMATS, [f"{name}={made[name]}"])
    assert not made[name].exists(), "nobody takes it for a report of the plan that is being made"
    write_reports(later, wanted)
    assert snapshot(folder) == before, "the same report of the same plan"


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_or_an_empty_file_becomes_a_report(tmp_path: Path, later: PlanView, name: str) -> None:
    empty, missing = tmp_path / "empty", tmp_path / "missing"
    empty.touch(mode=0o600)
    before = os.umask(0o027)
    try:
        write_reports(later, targets(FORMATS, [f"{name}={empty}", f"{name}={missing}"]))
    finally:
        os.umask(before)
    assert empty.read_text("utf-8") == missing.read_text("utf-8") == FORMATS[name].render(later)
    assert stat.S_IMODE(empty.stat().st_mode) == 0o600, "as mktemp made it"
    assert stat.S_IMODE(missing.stat().st_mode) == 0o640, "as the umask says"
    assert sorted(tmp_path.iterdir()) == [empty, missing]


def test_one_wrong_place_leaves_the_reports_in_all_others(tmp_path: Path, later: PlanView) -> None:
    kept, words = tmp_path / "kept.md", tmp_path / "words"
    kept.write_text(FORMATS["markdown"].render(later))
    words.write_text("mine")
    for wrong in ([f"json={words}"], [f"json={tmp_path}/x", f"html={tmp_path}/./x"], ["sarif=nowhere/x"], ["jsno=x"]):
        with pytest.raises(UsageError):
            targets(FORMATS, [f"markdown={kept}", *wrong])
    with pytest.raises(UsageError, match="the plan bundle is saved there"):
        targets(
            FORMATS,
            [f"markdown={kept}", f"json={tmp_path}/b"],
            taken={tmp_path / "b": "the plan bundle is saved there"},
        )
    with pytest.raises(UsageError, match="--json or --format writes to standard output already"):
        targets(FORMATS, [f"markdown={kept}", "json=/dev/stdout"], as_json=True)
    assert kept.exists()


def test_what_comes_while_planning_is_not_lost(tmp_path: Path, later: PlanView) -> None:
    from toolkit.errors import ToolkitError

    wanted = targets(FORMATS, [f"json={tmp_path}/x"])
    (tmp_path / "x").write_text("mine")
    with pytest.raises(ToolkitError, match="not a json report of this toolkit"):
        write_reports(later, wanted)
    assert (tmp_path / "x").read_text() == "mine"


@pytest.mark.parametrize("device", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-"])
def test_standard_output_has_several_names(bundle: Path, told: Told, device: str) -> None:
    out, err = told("show", str(bundle), "--report", f"json={device}")
    assert json.loads(out)["kind"] == "plan"
    assert err.startswith("Plan for sandbox")
    told("show", str(bundle), "--report", f"json={device}", "--report", "html=-", exits=ExitCode.USAGE)


def test_a_descriptor_of_the_shells_is_written_to(later: PlanView, tmp_path: Path) -> None:
    """As `--report json=>(command)` and `--report json=/dev/fd/3 3>file` give it."""
    reading, writing = os.pipe()
    try:
        with pytest.raises(UsageError, match=f"descriptor {writing} is not one that this command was started with"):
            targets(FORMATS, [f"json=/dev/fd/{writing}"])
        os.set_inheritable(writing, True)
        os.set_inheritable(reading, True)
        with pytest.raises(UsageError, match="is open for reading only"):
            targets(FORMATS, [f"json=/dev/fd/{reading}"])
        wanted = targets(FORMATS, [f"text=/dev/fd/{writing}"])
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(os.read(reading, 1000)), daemon=True)
        reader.start()
        write_reports(later, wanted)
        reader.join(60)
        assert read[0].startswith(b"Plan for sandbox")
    finally:
        os.close(reading)
        os.close(writing)
    with pytest.raises(UsageError, match=f"descriptor {writing} is not open"):
        targets(FORMATS, [f"json=/dev/fd/{writing}"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["markdown"], "'markdown' is not FORMAT=FILE"),
        (["=x"], "no format ''"),
        (["json="], "'json=' is not FORMAT=FILE"),
        (["markdwon=x"], "no format 'markdwon'; did you mean 'markdown'?"),
        (["json=nowhere/x"], "no folder nowhere"),
        (["json=environments"], "a folder, not a file"),
        (["json=x", "html=./x"], "another report is written there"),
        (["json=-", "html=-"], "another report is written there"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_planned(
    project: Path, told: Told, monkeypatch: pytest.MonkeyPatch, options: list[str], problem: str
) -> None:
    def planned(*_: object, **__: object) -> None:
        raise AssertionError("planned")

    monkeypatch.setattr(workspaces, "open_workspace", planned)
    (project / "x").touch()
    given = [f"--report={o}" for o in options]
    for command in (("plan", "sandbox"), ("apply", "sandbox", "--auto-approve"), ("show", "plan.tfbundle")):
        _, err = told(*command, *given, exits=ExitCode.USAGE)
        assert problem in err
    assert (project / "x").exists()


def test_json_and_a_report_cannot_both_be_standard_output(bundle: Path, told: Told) -> None:
    _, err = told("show", str(bundle), "--json", "--report", "sarif=-", exits=ExitCode.USAGE)
    assert "--json or --format writes to standard output already" in err


def test_a_report_that_cannot_be_written_is_an_error(
    later: PlanView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.errors import ToolkitError
    from toolkit.workflows import report

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    wanted = targets(FORMATS, [f"json={tmp_path}/x"])
    monkeypatch.setattr(report, "write_atomically", full)
    with pytest.raises(ToolkitError, match="the json report cannot be written: No space left on device"):
        write_reports(later, wanted)


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
    monkeypatch.setattr(applying, "planned_aliases", lambda _: {})
    monkeypatch.setattr(applying, "judge_plan", lambda *_, **__: (later.findings, later.access))
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


@pytest.mark.parametrize("name", FORMATS)
def test_no_value_begins_a_line_or_hides_a_character_in_a_file(later: PlanView, name: str) -> None:
    """Files are read in terminals, too: `cat report.md`."""
    word = "x\nFORGED\r\u2028FORGED\x1b[2J\x9b\u202e\u200b"
    finding = replace(later.findings[0], summary=word, evidence=word, remedy=word, resource=Resource(word, word))
    view = replace(later, findings=(finding, replace(finding, consented_by=word)))
    text = FORMATS[name].render(view)
    assert "FORGED" in text
    assert not re.search(r"^\s*FORGED", text, re.MULTILINE)
    assert not set(text) & set("\r\x1b\x9b\u2028\u202e")
    assert name == "markdown" or "\u200b" not in text, "Markdown has its own, against mentions, as an entity"
