"""The reports of several jobs as one summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.fleet.made import change, failed, finding, plan, planned, usual
from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.findings import Severity
from toolkit.fleet.grouping import summarize
from toolkit.reports import fleet_json, fleet_markdown, sarif
from toolkit.workflows.folded import fold_reports, read_reports


def write(folder: Path, name: str, document: Any) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def error(message: str, code: str = "error", exit_code: int = 1) -> dict[str, Any]:
    return dict(failed("x", message, code, exit_code).error or {})


def test_the_reports_of_jobs_are_the_summary_of_one_run(tmp_path: Path):
    """As if `toolkit plan` had been called with all of them."""
    documents = [plan(f"prod-{n}", n, *usual(f"prod-{n}", n)) for n in range(8)]
    documents.append(plan("calm", 90))
    refused = plan(
        "odd", 91, change("module.x.aws_s3_bucket.y", "delete"), findings=[finding("module.x.aws_s3_bucket.y")]
    )
    documents.append(refused)
    for number, document in enumerate(documents):
        write(tmp_path, f"report-{number}/{document['environment']}.json", document)
        write(tmp_path, f"report-{number}/run/{document['environment']}.json", document)
    write(tmp_path, "broken.json", error("no credentials", "wrong-account", 5))
    folded = fold_reports(tmp_path, ("calm", "late"))
    outcomes = [planned(document) for document in documents] + [failed("broken", "no credentials", "wrong-account", 5)]
    expected = json.loads(fleet_json.render(summarize(outcomes, {"late": "its job ended without a report"})))
    told = json.loads(fleet_json.render(folded))
    for one in (*expected["environments"], *told["environments"]):
        del one["seconds"], one["exit_code"]  # of a plan with changes, a run asks with --detailed-exitcode
    assert {k: v for k, v in told.items() if k != "exit_code"} == {
        k: v for k, v in expected.items() if k != "exit_code"
    }
    assert folded.exit_code is ExitCode.WRONG_ACCOUNT


def test_a_run_over_several_gives_the_errors_of_its_environments(tmp_path: Path):
    said = {"phase": "plan", "message": "locked", "where": None, "detail": None, "next": None}
    rows = [
        {"environment": "a", "exit_code": 0, "error": None},
        {"environment": "b", "exit_code": 6, "error": said},
    ]
    write(tmp_path, "a.json", plan("a", 1))
    write(tmp_path, "run/shard.1.json", {"schema_version": 1, "kind": "fleet-run", "environments": rows})
    summary = fold_reports(tmp_path, ())
    assert [(m.environment, m.exit_code) for m in summary.members] == [("a", 0), ("b", 6)]
    assert summary.dangers[0].error == said


def test_a_command_that_was_killed_before_it_printed_counts_as_not_run(tmp_path: Path):
    write(tmp_path, "prod.json", "")
    assert fold_reports(tmp_path, ("prod",)).not_run == {"prod": "its job ended without a report"}


def test_no_report_at_all_is_an_error_unless_environments_are_expected(tmp_path: Path):
    with pytest.raises(UsageError, match="no reports are in the folder"):
        fold_reports(tmp_path, ())
    with pytest.raises(UsageError, match="no such folder"):
        fold_reports(tmp_path / "gone", ())
    summary = fold_reports(tmp_path, ("prod",), command="drift")
    assert (summary.command, summary.total) == ("drift", 1)


def test_reports_of_two_commands_are_not_one_summary(tmp_path: Path):
    write(tmp_path, "prod.json", plan("prod", 1))
    with pytest.raises(UsageError, match="reports of drift and plan"):
        fold_reports(tmp_path, (), command="drift")


def test_two_reports_that_differ_are_not_guessed_between(tmp_path: Path):
    write(tmp_path, "a/prod.json", plan("prod", 1))
    write(tmp_path, "b/prod.json", plan("prod", 2))
    with pytest.raises(ToolkitError, match=r"another report of prod is prod\.json"):
        fold_reports(tmp_path, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not what `toolkit plan`, `drift` or `audit` prints as JSON"),
        ("[]", "TypeError"),
        ("{}", "KeyError: 'kind'"),
        ('{"kind": "render", "schema_version": 1}', "a document of kind 'render'"),
        ('{"kind": "plan", "schema_version": 99}', "of another version of the toolkit"),
        ('{"kind": "plan", "schema_version": 1, "environment": "../x", "findings": [], "changes": []}', "'../x'"),
        ('{"kind": "plan", "schema_version": 1, "environment": 4, "findings": [], "changes": []}', "'environment' is"),
        ('{"kind": "plan", "schema_version": 1, "environment": "a", "findings": [4], "changes": []}', "than objects"),
        ('{"kind": "fleet-run", "schema_version": 1, "environments": [{}]}', "an environment without its result"),
        ("9" * 5000, "not what `toolkit plan`"),
        ("[" * 100_000, "not what `toolkit plan`"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_named(tmp_path: Path, content: str, message: str):
    file = write(tmp_path, "sub/prod.json", content)
    with pytest.raises(ToolkitError) as caught:
        fold_reports(tmp_path, ())
    assert message in str(caught.value)
    assert caught.value.where == str(file)


def test_a_report_that_lacks_what_a_summary_needs_is_an_error(tmp_path: Path):
    document = plan("prod", 1, change("module.x.aws_s3_bucket.y"))
    del document["changes"][0]["attributes"]
    write(tmp_path, "prod.json", document)
    with pytest.raises(ToolkitError, match="a report is not whole: KeyError: 'attributes'"):
        fold_reports(tmp_path, ())


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "reports").mkdir()
    write(tmp_path, "secret.json", plan("prod", 1))
    (tmp_path / "reports" / "prod.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(ToolkitError, match="symbolic link"):
        read_reports(tmp_path / "reports")


@pytest.mark.parametrize(
    ("severity", "status", "threshold", "code"),
    [
        ("high", "fail", Severity.HIGH, 2),
        ("medium", "fail", Severity.HIGH, 0),
        ("medium", "fail", Severity.MEDIUM, 2),
        ("high", "fail", Severity.CRITICAL, 0),
        ("high", "unknown", Severity.HIGH, 1),
    ],
)
def test_an_audit_counts_from_a_severity_on(tmp_path: Path, severity: str, status: str, threshold: Severity, code: int):
    document = {
        "schema_version": 1, "kind": "audit", "environment": "prod", "account_id": "111122223333",
        "checks": [{"id": "iam_root_mfa_enabled", "title": "t", "service": "iam"}],
        "findings": [{**finding("root"), "rule": "iam_root_mfa_enabled", "severity": severity, "status": status}],
    }  # fmt: skip
    write(tmp_path, "prod.json", document)
    assert fold_reports(tmp_path, (), threshold=threshold).exit_code == code


@pytest.mark.parametrize("size", [1, 257, 1000])
def test_the_comment_of_any_number_of_environments_fits_and_its_sarif_is_one_run(tmp_path: Path, size: int):
    for n in range(size):
        name = f"environment-with-a-long-name-{n:04}"
        found = [finding(f"module.m{n}.aws_s3_bucket.b{k}") for k in range(3)] if n % 3 == 0 else []
        changes = [change(f"module.m{n % 40}.aws_s3_bucket.b{k}", "delete") for k in range(6)]
        write(tmp_path, f"{name}.json", plan(name, n, *changes, findings=found))
    summary = fold_reports(tmp_path, ())
    text = fleet_markdown.render(summary)
    assert len(text) <= 65_536
    assert text.startswith("<!-- aws-baseline-toolkit:fleet:plan -->\n")
    log = json.loads(sarif.render_fleet(summary))
    assert len(log["runs"]) == 1  # GitHub takes 20 in a file
    assert len(log["runs"][0]["results"]) == 3 * len(range(0, size, 3))
