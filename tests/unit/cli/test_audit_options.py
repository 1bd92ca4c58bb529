"""`audit`: what its options refuse, what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.audit.model import Answers, Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.cli import audit_commands as module
from toolkit.cli.audit_commands import audit
from toolkit.errors import ExitCode, RefusedError, ToolkitError, UsageError, WrongAccountError
from toolkit.findings import Status, Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.reports.audit import audit_data
from toolkit.workflows import audit as workflow

READING: dict[str, Any] = {
    "ENV": {"envs": ["prod"]},
    "--aws-profile": {"aws_profile": "audit"},
    "--account-id": {"account_id": "123456789012"},
    "--region": {"region": "eu-central-1"},
    "--regions": {"regions": "active"},
    "--max-calls": {"max_calls": 5},
    "--sandbox": {"sandbox": True},
    "--baseline": {"baseline": Path("audit.json")},
    "--history": {"history": Path("audits")},
    "--organization": {"organization": True},
    "--fix": {"fix": True},
    "--report": {"report": ["json=x"]},
    "--send-to": {"send_to": "security-hub"},
}
OTHERS: dict[str, Any] = {
    "--list-checks": {"list_checks": True},
    "--print-policy": {"print_policy": True},
    "--explain": {"explain": "iam_root_mfa_enabled"},
}
FIT = {("--explain", "ENV"), ("--print-policy", "--send-to"), ("--print-policy", "--organization")}
"""With an environment, --explain reads its file; sending and an organization need actions of their own."""
HIGH, CRITICAL, NOTE = "iam_avoid_root_usage", "iam_root_mfa_enabled", "iam_password_policy_lowercase"


@pytest.mark.parametrize(
    ("option", "given"),
    [(option, given) for option in OTHERS for given in READING if (option, given) not in FIT],
)
@pytest.mark.usefixtures("prod")
def test_options_that_would_be_ignored_are_refused(option: str, given: str):
    with pytest.raises(UsageError, match=f"^{option} reads no account, so it does not go with {given}$"):
        audit(**OTHERS[option], **READING[given])


@pytest.mark.parametrize(
    ("given", "message", "nearest"),
    [
        ({"check": ["iam_root_mfa_enable"]}, "--check", "iam_root_mfa_enabled"),
        ({"explain": "iam_root_mfa_enable"}, "--check", "iam_root_mfa_enabled"),
        ({"service": ["iamm"]}, "--service", "iam"),
        ({"severity": ["hihg"]}, "--severity", "high"),
        ({"fail_on": "hihg"}, "--fail-on", "high"),
        ({"framework": ["cis-5.1"]}, "cis-5.1", "cis-5.0"),
        ({"output_format": "jsn"}, "--format", "json"),
        ({"send_to": "securityhub"}, "--send-to", "security-hub"),
    ],
)
def test_an_unknown_name_is_reported_with_the_nearest(given: dict[str, Any], message: str, nearest: str):
    with pytest.raises(UsageError) as refused:
        audit(**given)
    assert message in str(refused.value)
    assert f"did you mean '{nearest}'" in str(refused.value)
    assert refused.value.exit_code is ExitCode.USAGE


def test_options_that_leave_no_check_are_refused():
    with pytest.raises(UsageError, match="no check is left"):
        audit(check=[CRITICAL], severity=["note"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fix": True, "yes": True}, "--fix edits environment.yaml, and an account without an environment has none"),
        ({"fix": True, "yes": True, "account_id": "123456789012"}, "--fix edits environment.yaml"),
        ({"envs": ["prod"], "fix": True}, "approval needs a terminal"),
        ({"envs": ["prod"], "fix": True, "yes": True, "output_format": "json"}, "does not go with --format json"),
        (
            {"envs": ["prod"], "fix": True, "yes": True, "output_format": "markdown"},
            "does not go with --format markdown",
        ),
        ({"envs": ["prod"], "yes": True}, "--yes is for --fix and --send-to"),
    ],
)
@pytest.mark.usefixtures("prod")
def test_what_fix_needs_is_demanded_before_anything_is_read(
    answer: Callable[..., None], given: dict[str, Any], message: str
):
    answer(AssertionError("the account was read"))
    with pytest.raises(UsageError, match=message) as refused:
        audit(**given)
    assert refused.value.exit_code is ExitCode.USAGE
    assert refused.value.hint


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an environment."""
    file = tmp_path / "environments" / "prod" / "environment.yaml"
    file.parent.mkdir(parents=True)
    (tmp_path / "modules").mkdir()
    file.write_text(
        'account_id: "123456789012"\nregions: {home: eu-central-1}\n'
        "components:\n  password_policy:\n    require_lowercase_characters: false   # for now\n"
    )
    monkeypatch.chdir(tmp_path)
    return file


def test_fix_writes_and_says_what_to_run_next(
    answer: Callable[..., None], prod: Path, capsys: pytest.CaptureFixture[str]
):
    """The account is as it was: so is the exit code."""
    answer(_found((NOTE, Status.FAIL), (CRITICAL, Status.FAIL)))
    assert audit(envs=["prod"], fix=True, yes=True) == 2
    assert "require_lowercase_characters: true   # for now\n" in prod.read_text()
    out, err = capsys.readouterr()
    assert "components.password_policy.require_lowercase_characters: true    for iam_password_policy_lowercase" in out
    assert "+++ b/environments/prod/environment.yaml" in out
    assert "+++ b/environments/prod/rendered/password_policy.tf" in out
    assert "Nothing in AWS was changed." in err
    assert err.endswith("Next: toolkit plan prod\n")
    assert audit(envs=["prod"], fix=True, yes=True) == 2
    assert "There is nothing to fix in environments/prod/environment.yaml" in capsys.readouterr().err


def test_a_report_says_what_can_be_fixed(
    answer: Callable[..., None],
    prod: Path,
    capsys: pytest.CaptureFixture[str],
    json_shape: Callable[[str], Any],
):
    before = prod.read_bytes()
    found = _found((NOTE, Status.FAIL), (CRITICAL, Status.FAIL), ("macie_is_enabled", Status.FAIL))
    answer(replace(found, environment="prod"))
    audit(envs=["prod"])
    text = capsys.readouterr().out
    assert "1 failed check can be fixed in environment.yaml: toolkit audit prod --fix" in text
    assert "+  require" not in text, "the terminal stays short"
    audit(envs=["prod"], output_format="markdown")
    markdown = capsys.readouterr().out
    assert "## Fixes" in markdown
    assert "```diff\n--- a/environments/prod/rendered/password_policy.tf" in markdown
    audit(envs=["prod"], output_format="json")
    data = {one["id"]: one["fix"] for one in json_shape(capsys.readouterr().out)["checks"]}
    assert data[CRITICAL] is None
    assert data["macie_is_enabled"]["kind"] == "by-hand"
    assert data[NOTE]["settings"] == [
        {"path": ["components", "password_policy", "require_lowercase_characters"], "value": True}
    ]
    assert data[NOTE]["diff"]
    assert prod.read_bytes() == before


def test_an_account_without_a_file_has_no_fixes(answer: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    answer(_found((NOTE, Status.FAIL)))
    audit(account_id="123456789012", output_format="json")
    assert json.loads(capsys.readouterr().out)["checks"][0]["fix"] is None


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (NOTE, ["`components.password_policy.require_lowercase_characters: true`", "Cost:      nothing", "+  require"]),
        ("guardduty_is_enabled", ["`components.guardduty: {}`", "unknown, depends on", '+module "guardduty']),
        ("iam_password_policy_symbol", ["nothing: it is set already"]),
        ("macie_is_enabled", ["`components.macie: {}`", "in no profile of `toolkit new`", '+module "macie']),
        (CRITICAL, ["no component of the toolkit has a setting for it"]),
    ],
)  # fmt: skip
def test_a_check_is_explained_for_an_environment(
    prod: Path, capsys: pytest.CaptureFixture[str], check: str, said: list[str]
):
    assert audit(envs=["prod"], explain=check) == 0
    out = capsys.readouterr().out
    assert [words for words in said if words not in out] == []


def _found(*said: tuple[str, Status], waivers: tuple[Waiver, ...] = ()) -> Audit:
    results = tuple(
        Result(checks()[check], "eu-central-1", (Outcome(status, "example"),), Answers({}).calls)
        for check, status in said
    )
    return Audit(
        account_id="123456789012",
        caller="arn:aws:iam::123456789012:user/audit",
        environment=None,
        simulated=False,
        taken=datetime(2026, 11, 29, tzinfo=UTC),
        home="eu-central-1",
        regions=("eu-central-1",),
        off=("ap-east-1",),
        frameworks=(),
        results=results,
        waivers=waivers,
        calls=7,
        max_calls=100,
    )


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Audit | Exception], None]:
    def put(found: Audit | Exception) -> None:
        def account(*_: Any, **__: Any) -> Any:
            if isinstance(found, Exception):
                raise found
            caller = SimpleNamespace(account_id=found.account_id)
            return SimpleNamespace(caller=caller, clients=SimpleNamespace(simulated=found.simulated))

        def run(*_: Any, baseline: Any = None, history: Any = None, **__: Any) -> Any:
            return replace(found, baseline=baseline, history=history)  # type: ignore[type-var]

        monkeypatch.setattr(module, "account_of", account)
        monkeypatch.setattr(workflow, "audit", run)

    return put


@pytest.mark.parametrize(
    ("said", "fail_on", "expected"),
    [
        ([(CRITICAL, Status.PASS)], "high", 0),
        ([(CRITICAL, Status.NOT_APPLICABLE)], "high", 0),
        ([(NOTE, Status.FAIL)], "high", 0),
        ([(NOTE, Status.FAIL)], "note", 2),
        ([(HIGH, Status.FAIL)], "high", 2),
        ([(HIGH, Status.FAIL)], "critical", 0),
        ([(HIGH, Status.UNKNOWN)], "high", 1),
        ([(HIGH, Status.UNKNOWN)], "critical", 0),
        ([(HIGH, Status.UNKNOWN), (CRITICAL, Status.FAIL)], "high", 2),
    ],
)
@pytest.mark.parametrize("output", ["text", "markdown", "json"])
def test_the_exit_code(
    answer: Callable[..., None], said: list[tuple[str, Status]], fail_on: str, expected: int, output: str
):
    answer(_found(*said))
    assert audit(account_id="123456789012", fail_on=fail_on, output_format=output) == expected


@pytest.mark.parametrize(("until", "expected"), [(date(2026, 12, 24), 0), (date(2026, 11, 1), 2)])
def test_a_waiver_counts_until_its_date(answer: Callable[..., None], until: date, expected: int):
    waiver = Waiver(UNCOVERED, checks()[HIGH].requirements[0], "example", until)
    answer(_found((HIGH, Status.FAIL), waivers=(waiver,)))
    assert audit(account_id="123456789012") == expected


@pytest.mark.parametrize(
    ("then", "expected"),
    [(Status.FAIL, 0), (Status.PASS, 2), (Status.UNKNOWN, 2), (Status.NOT_APPLICABLE, 2), (None, 2)],
)
def test_with_a_baseline_only_what_failed_in_it_does_not_count(
    answer: Callable[..., None], tmp_path: Path, then: Status | None, expected: int
):
    file = tmp_path / "audit.json"
    file.write_text(json.dumps(audit_data(_found((HIGH, then) if then else (CRITICAL, Status.PASS)))), "utf-8")
    answer(_found((HIGH, Status.FAIL)))
    assert audit(account_id="123456789012", baseline=file) == expected


def test_a_baseline_is_no_excuse_for_what_is_unknown(answer: Callable[..., None], tmp_path: Path):
    file = tmp_path / "audit.json"
    file.write_text(json.dumps(audit_data(_found((HIGH, Status.UNKNOWN)))), "utf-8")
    answer(_found((HIGH, Status.UNKNOWN)))
    assert audit(account_id="123456789012", baseline=file) == 1


def test_a_baseline_of_another_account_ends_it_before_anything_is_read(
    answer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "audit.json"
    other = replace(_found((HIGH, Status.FAIL)), account_id="111122223333")
    file.write_text(json.dumps(audit_data(other)), "utf-8")
    answer(_found((HIGH, Status.FAIL)))

    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("the account was read")

    monkeypatch.setattr(workflow, "audit", read)
    with pytest.raises(RefusedError, match="this report is of account 111122223333"):
        audit(account_id="123456789012", baseline=file)


def test_a_nightly_audit_fails_once_for_what_is_new(
    answer: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    nightly = {"account_id": "123456789012", "history": tmp_path / "audits", "baseline": Path("latest")}
    nights = [  # what failed, the exit code, what stderr and the trend say
        ((HIGH,), 2, "has no earlier audit yet", ""),
        ((HIGH,), 0, "", "1 earlier audit): nothing new, nothing fixed. Findings that failed then: 1; now: 1."),
        ((HIGH, CRITICAL), 2, "", "2 earlier audits): 1 new. Findings that failed then: 1; now: 2."),
        ((HIGH, CRITICAL), 0, "", "3 earlier audits): 1 new. Findings that failed then: 1; now: 2."),
        ((CRITICAL,), 0, "", "4 earlier audits): 1 new; 1 fixed. Findings that failed then: 1; now: 1."),
    ]
    for day, (failed, expected, told, trend) in enumerate(nights, 1):
        said = [(one, Status.FAIL if one in failed else Status.PASS) for one in (HIGH, CRITICAL)]
        answer(replace(_found(*said), taken=datetime(2026, 11, day, tzinfo=UTC)))
        assert audit(**nightly) == expected
        out, err = capsys.readouterr()
        assert told in err
        assert bool(trend) == ("Since 2026-11-01 (" in out)
        assert trend in out
    assert len(list((tmp_path / "audits").iterdir())) == len(nights)


def test_the_trend_is_a_line_of_the_markdown_report(
    answer: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    for status in (Status.FAIL, Status.PASS):
        answer(_found((HIGH, status)))
        audit(account_id="123456789012", history=tmp_path, output_format="markdown")
    assert "Since 2026-11-29 (1 earlier audit): 1 fixed. Findings that failed then: 1; now: 0.\n\n## Findings" in (
        capsys.readouterr().out
    )


def test_latest_needs_a_history(answer: Callable[..., None]):
    answer(AssertionError("the account was read"))
    with pytest.raises(UsageError, match="--baseline latest is the newest report of a history") as refused:
        audit(account_id="123456789012", baseline=Path("latest"))
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_history_of_another_account_ends_it_before_anything_is_read(
    answer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    answer(replace(_found((HIGH, Status.FAIL)), account_id="111122223333"))
    audit(account_id="111122223333", history=tmp_path)
    answer(_found((HIGH, Status.FAIL)))
    monkeypatch.setattr(workflow, "audit", lambda *_, **__: pytest.fail("the account was read"))
    with pytest.raises(RefusedError, match="this history is of account 111122223333, and the audit is of account 1234"):
        audit(account_id="123456789012", history=tmp_path)


def test_a_report_is_shown_though_the_history_cannot_be_written(
    answer: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    answer(_found((HIGH, Status.FAIL)))
    (tmp_path / "audits").symlink_to(tmp_path / "gone" / "audits")
    with pytest.raises(ToolkitError, match="the history cannot be written: "):
        audit(account_id="123456789012", history=tmp_path / "audits")
    assert HIGH in capsys.readouterr().out


def test_a_waiver_is_no_excuse_for_what_is_unknown(answer: Callable[..., None]):
    waiver = Waiver(UNCOVERED, checks()[HIGH].requirements[0], "example", date(2026, 12, 24))
    answer(_found((HIGH, Status.UNKNOWN), waivers=(waiver,)))
    assert audit(account_id="123456789012") == 1


def test_another_account_ends_it(answer: Callable[..., None]):
    answer(WrongAccountError("another"))
    with pytest.raises(WrongAccountError) as refused:
        audit(account_id="123456789012")
    assert refused.value.exit_code == 5


def test_regions_that_are_off_are_reported(
    answer: Callable[..., None], capsys: pytest.CaptureFixture[str], json_shape: Callable[[str], Any]
):
    answer(_found((CRITICAL, Status.PASS)))
    audit(account_id="123456789012")
    assert "Not enabled for the account, so not audited: ap-east-1" in capsys.readouterr().out
    audit(account_id="123456789012", output_format="json")
    assert json_shape(capsys.readouterr().out)["regions_off"] == ["ap-east-1"]


def test_the_same_evidence_in_many_regions_is_one_line(answer: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    found = _found()
    check = checks()["guardduty_is_enabled"]
    regions = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
    results = tuple(Result(check, one, (Outcome(Status.FAIL, f"none in {one}"),), ()) for one in regions)
    answer(Audit(**{**vars(found), "results": results}))
    audit(account_id="123456789012")
    assert "- 4 regions: none\n" in capsys.readouterr().out


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A Security Hub that takes everything: what was sent to it."""
    from toolkit.aws.security_hub import Imported
    from toolkit.workflows import send as sending

    taken: list[str] = []

    def imports(_clients: Any, _region: str, findings: Any) -> Imported:
        taken.extend(one["GeneratorId"] for one in findings)
        return Imported(len(findings), ())

    monkeypatch.setattr(sending, "active_findings", lambda *_: ())
    monkeypatch.setattr(sending, "import_findings", imports)
    return taken


@pytest.mark.parametrize(
    ("given", "expected"), [({"fix": True, "envs": ["prod"]}, "do not go together"), ({}, "approval needs a terminal")]
)
@pytest.mark.usefixtures("prod")
def test_what_sending_needs_is_demanded_before_the_account_is_read(
    answer: Callable[..., None], hub: list[str], monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], expected: str
):
    answer(_found((HIGH, Status.FAIL)))
    monkeypatch.setattr(module.console, "in_terminal", lambda: False)

    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("the account was read")

    monkeypatch.setattr(workflow, "audit", read)
    with pytest.raises(UsageError, match=expected) as refused:
        audit(**{"account_id": "123456789012", "send_to": "security-hub", **given})
    assert refused.value.hint
    assert hub == []


@pytest.mark.parametrize("agrees", [True, False])
def test_sending_wants_consent_in_a_terminal(
    answer: Callable[..., None],
    hub: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    agrees: bool,
):
    answer(_found((HIGH, Status.FAIL)))
    asked: list[str] = []

    def ask(question: str, *, wanted: str) -> bool:
        asked.append(question)
        return agrees

    monkeypatch.setattr(module.console, "in_terminal", lambda: True)
    monkeypatch.setattr(module.console, "ask", ask)
    if agrees:
        assert audit(account_id="123456789012", send_to="security-hub") == 2
        assert "Sent 1 finding to Security Hub in eu-central-1 of account 123456789012" in capsys.readouterr().err
    else:
        with pytest.raises(RefusedError, match="nothing was sent"):
            audit(account_id="123456789012", send_to="security-hub")
    assert asked == ["Send 1 finding to Security Hub in eu-central-1 of account 123456789012?"]
    assert hub == ([f"aws-baseline-toolkit/{HIGH}"] if agrees else [])


@pytest.mark.parametrize(("simulated", "yes"), [(True, False), (False, True)])
def test_the_embedded_aws_and_yes_send_without_a_prompt(
    answer: Callable[..., None], hub: list[str], monkeypatch: pytest.MonkeyPatch, simulated: bool, yes: bool
):
    """The report is shown first, and the exit code is that of the audit."""
    answer(replace(_found((HIGH, Status.FAIL)), simulated=simulated))
    monkeypatch.setattr(module.console, "in_terminal", lambda: False)
    assert audit(account_id="123456789012", send_to="security-hub", yes=yes) == 2
    assert len(hub) == 1


def test_the_policy_allows_sending_only_where_something_is_sent(capsys: pytest.CaptureFixture[str]):
    audit(print_policy=True)
    assert "securityhub:BatchImportFindings" not in capsys.readouterr().out
    audit(print_policy=True, send_to="security-hub")
    out = capsys.readouterr().out
    assert "securityhub:BatchImportFindings" in out
    assert "securityhub:GetFindings" in out
