"""`audit --organization`: what its options refuse, what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.audit.model import Outcome, Result
from toolkit.audit.organization import AccountAudit, Member, OrganizationAudit, Unread
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.cli import audit_organization as module
from toolkit.cli.audit_commands import audit
from toolkit.errors import ExitCode, UsageError
from toolkit.findings import Status
from toolkit.reports.organization import FORMATS
from toolkit.workflows import audit_organization as workflow
from toolkit.workflows.audit_organization import MAX_MINUTES, Chosen, Role

MANAGEMENT, OTHER, THIRD = "111111111111", "222222222222", "333333333333"
HIGH, CRITICAL, NOTE = "iam_avoid_root_usage", "iam_root_mfa_enabled", "iam_password_policy_lowercase"
HOME = "eu-central-1"
HOSTILE = "| <b>x</b> \x1b[31m `$(x)` |"


def account(account_id: str, *said: tuple[str, Status], name: str = "example") -> AccountAudit:
    return AccountAudit.of(Member(account_id, name, "ACTIVE"), audited(account_id, *said))


def audited(account_id: str, *said: tuple[str, Status]) -> Audit:
    return Audit(
        account_id=account_id,
        caller=f"arn:aws:iam::{account_id}:user/audit",
        environment=None,
        simulated=False,
        taken=datetime(2026, 11, 29, tzinfo=UTC),
        home=HOME,
        regions=(HOME,),
        off=(),
        frameworks=(),
        results=tuple(Result(checks()[check], HOME, (Outcome(status, "example"),), ()) for check, status in said),
        waivers=(),
        calls=7,
        max_calls=100,
    )


def organization(*accounts: AccountAudit, **fields: Any) -> OrganizationAudit:
    given: dict[str, Any] = {
        "organization": "o-exampleorgid",
        "management": MANAGEMENT,
        "caller": f"arn:aws:iam::{MANAGEMENT}:user/audit",
        "caller_account": MANAGEMENT,
        "role": "security-audit",
        "simulated": False,
        "taken": datetime(2026, 11, 29, tzinfo=UTC),
        "checks": tuple(checks()[one] for one in (HIGH, CRITICAL, NOTE)),
        "frameworks": (),
        "accounts": accounts,
        "unread": (),
        "left_out": (),
        "excluded": (),
        "calls": 21,
        "max_calls": 100,
        **fields,
    }
    return OrganizationAudit(**given)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[OrganizationAudit], dict[str, Any]]:
    """Lets the audit find this; what it was asked for."""
    asked: dict[str, Any] = {}

    def put(found: OrganizationAudit) -> dict[str, Any]:
        def run(*_: Any, **options: Any) -> OrganizationAudit:
            asked.update(options)
            return found

        clients = SimpleNamespace(simulated=False)
        monkeypatch.setattr(module, "account_of", lambda *_, **__: SimpleNamespace(clients=clients))
        monkeypatch.setattr(workflow, "audit_organization", run)
        return asked

    return put


def in_organization(**options: Any) -> int:
    return audit(organization=True, account_id=MANAGEMENT, **options)


PASSES = ((HIGH, Status.PASS), (CRITICAL, Status.PASS), (NOTE, Status.PASS))


@pytest.mark.parametrize(
    ("found", "fail_on", "expected"),
    [
        (organization(account(MANAGEMENT, *PASSES)), "note", 0),
        (organization(account(MANAGEMENT, *PASSES), account(OTHER, (HIGH, Status.FAIL))), "high", 2),
        (organization(account(MANAGEMENT, *PASSES), account(OTHER, (HIGH, Status.FAIL))), "critical", 0),
        (organization(account(MANAGEMENT, *PASSES), account(OTHER, (HIGH, Status.UNKNOWN))), "high", 1),
        (organization(account(MANAGEMENT, *PASSES), account(OTHER, (HIGH, Status.UNKNOWN))), "critical", 0),
        (organization(account(MANAGEMENT, *PASSES), unread=(Unread(Member(OTHER, "x", None), "x"),)), "critical", 1),
        (
            organization(account(MANAGEMENT, (HIGH, Status.FAIL)), unread=(Unread(Member(OTHER, "x", None), "x"),)),
            "high",
            2,
        ),
        (organization(account(MANAGEMENT, *PASSES), left_out=(Member(OTHER, "x", "SUSPENDED"),)), "note", 0),
        (organization(account(MANAGEMENT, *PASSES), problems=("a history cannot be written",)), "high", 1),
        (organization(account(MANAGEMENT, (HIGH, Status.FAIL)), interrupted=True), "high", 130),
    ],
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_the_exit_code(answer: Callable[..., Any], found: OrganizationAudit, fail_on: str, expected: int, output: str):
    answer(found)
    assert in_organization(fail_on=fail_on, output_format=output) == expected


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_unknown_is_there_beside_what_failed(form: str):
    """A check that fails in one region may be unknown in another, and the reason is not lost."""
    known = checks()[HIGH]
    results = tuple(
        Result(known, region, (Outcome(status, said),), ())
        for region, status, said in ((HOME, Status.FAIL, "it is open"), ("us-east-1", Status.UNKNOWN, "it is denied"))
    )
    one = AccountAudit.of(Member(MANAGEMENT, "x", None), replace(audited(MANAGEMENT), results=results))
    found = organization(one, account(OTHER, *PASSES))
    (failing,), (undecided,) = (*found.outliers, *found.common), found.undecided
    assert failing.checks[0].findings == undecided.checks[0].findings == 1
    text = FORMATS[form].render(found)
    assert "it is open" in text
    assert "it is denied" in text


FOUND = organization(
    account(MANAGEMENT, (HIGH, Status.FAIL), (CRITICAL, Status.PASS), (NOTE, Status.UNKNOWN)),
    account(OTHER, (HIGH, Status.FAIL), (CRITICAL, Status.FAIL), (NOTE, Status.PASS), name=HOSTILE),
    account(THIRD, (HIGH, Status.FAIL), (CRITICAL, Status.PASS), (NOTE, Status.PASS)),
    unread=(Unread(Member("444444444444", HOSTILE, "ACTIVE"), f"cannot assume it: {HOSTILE}"),),
    left_out=(Member("555555555555", "old", "SUSPENDED"),),
    excluded=(Member("666666666666", "lab", "ACTIVE"),),
)


def test_the_text(answer: Callable[..., Any], capsys: pytest.CaptureFixture[str]):
    """Outliers first, what all have in common after them; what others wrote cannot change the terminal."""
    answer(FOUND)
    in_organization()
    out = capsys.readouterr().out
    headings = [
        "Audit of the organization o-exampleorgid, 2026-11-29 00:00 UTC",
        "Not active, so not audited: 555555555555 old (SUSPENDED)",
        "Left out by the options: 666666666666 lab",
        "Accounts that could not be read: every check is unknown there",
        "Outliers: fail in fewer than half",
        "  In 1 of 3 accounts, 1 check: 222222222222",
        CRITICAL,
        "In common: fail in at least half",
        "  In 3 of 3 accounts, 1 check: all",
        HIGH,
        "Unknown: could not be read",
        NOTE,
        "Account       Name",
        "3 accounts audited, 1 unknown, 1 not active; 3 checks. Findings: 1 critical, 3 high.",
    ]
    places = [out.index(one) for one in headings]
    assert places == sorted(places)
    assert "\x1b" not in out


def test_markdown_is_harmless(answer: Callable[..., Any], capsys: pytest.CaptureFixture[str]):
    answer(FOUND)
    in_organization(output_format="markdown")
    out = capsys.readouterr().out
    assert out.startswith("# Audit of the organization o-exampleorgid")
    assert "<b>" not in out
    assert "\x1b" not in out


def test_json_is_as_published(
    answer: Callable[..., Any], capsys: pytest.CaptureFixture[str], json_shape: Callable[[str], Any]
):
    answer(FOUND)
    in_organization(output_format="json")
    data = json_shape(capsys.readouterr().out)
    assert data["kind"] == "audit-organization"
    assert [[one["accounts"], [c["id"] for c in one["checks"]]] for one in data["outliers"]] == [[[OTHER], [CRITICAL]]]
    assert [one["account_id"] for one in data["accounts"]] == [MANAGEMENT, OTHER, THIRD]
    assert data["unread"][0]["name"] == HOSTILE


def test_reports_are_written(answer: Callable[..., Any], tmp_path: Path):
    answer(FOUND)
    for _ in range(2):  # the second replaces the first
        in_organization(report=[f"{tmp_path}/a.json", f"{tmp_path}/a.md", f"{tmp_path}/a.txt"])
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["organization_id"] == "o-exampleorgid"


def test_the_options_arrive(answer: Callable[..., Any], tmp_path: Path):
    asked = answer(FOUND)
    in_organization()
    assert (asked["role"], asked["chosen"], asked["max_minutes"]) == (Role(), Chosen(), MAX_MINUTES)
    in_organization(
        role_name="audit/reader", external_id="x-1", ou=["r-abcd", "ou-abcd-12345678"], exclude="lab, 444444444444",
        max_minutes=5, max_calls=9, history=tmp_path, baseline=Path("latest"),
    )  # fmt: skip
    assert asked["role"] == Role("audit/reader", "x-1")
    assert asked["chosen"] == Chosen((), ("r-abcd", "ou-abcd-12345678"), ("lab", "444444444444"))
    assert (asked["max_minutes"], asked["max_calls"]) == (5, 9)
    assert (asked["history"], asked["with_latest"]) == (tmp_path, True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"organization": False, "role_name": "x"}, "--role-name is for an organization"),
        ({"organization": False, "ou": ["r-abcd"]}, "--ou is for an organization"),
        ({"organization": False, "max_minutes": 5}, "--max-minutes is for an organization"),
        ({"role_name": "x y"}, "--role-name: 'x y' is not a role's name"),
        ({"role_name": "*"}, "--role-name: '*' is not a role's name"),
        ({"external_id": "x"}, "--external-id: not an external id"),
        ({"accounts": "a", "ou": ["r-abcd"]}, "--accounts and --ou both choose accounts"),
        ({"accounts": " , "}, "--accounts: no account"),
        ({"exclude": ""}, "--exclude: no account"),
        ({"ou": ["Workloads"]}, "--ou: 'Workloads' is not the id of an organizational unit or root"),
        ({"regions": "active"}, "--regions active"),
        ({"fix": True, "yes": True}, "--fix is for one account, not for --organization"),
        ({"send_to": "security-hub", "yes": True}, "--send-to is for one account, not for --organization"),
        ({"baseline": Path("audit.json")}, "--baseline FILE is the report of one account"),
        ({"baseline": Path("latest")}, "--baseline latest is the newest report of a history"),
        ({"report": ["sarif=x.sarif"]}, "sarif"),
        (
            {"print_policy": True, "history": Path("x")},
            "--print-policy reads no account, so it does not go with --hist",
        ),
    ],
)
def test_what_it_refuses_before_anything_is_read(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], message: str):
    monkeypatch.setattr(module, "account_of", lambda *_, **__: pytest.fail("the account was read"))
    with pytest.raises(UsageError) as refused:
        audit(**{"organization": True, "account_id": MANAGEMENT, **given})
    assert message in str(refused.value)
    assert refused.value.exit_code is ExitCode.USAGE


def test_the_policies(capsys: pytest.CaptureFixture[str]):
    assert in_organization(print_policy=True, check=[HIGH], ou=["r-abcd"], external_id="x-1") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["caller"]["account_id"] == MANAGEMENT
    assert found["role"]["name"] == "security-audit"
    assert "organizations:ListAccountsForParent" in json.dumps(found["caller"])
    with pytest.raises(UsageError, match="needs the account that the roles trust"):
        audit(organization=True, print_policy=True)


def test_what_a_baseline_has_does_not_count(answer: Callable[..., Any]):
    """Per account, as for one account alone."""
    one = replace(account(MANAGEMENT, (HIGH, Status.FAIL)), counted={})
    answer(organization(one))
    assert in_organization() == 0
