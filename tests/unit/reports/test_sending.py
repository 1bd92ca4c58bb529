"""Sending an audit to Security Hub, on moto: what is created, updated and archived, and what is left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.audit.model import Check, Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.errors import RefusedError, ToolkitError
from toolkit.findings import Severity, Status, Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.workflows.send import prepare, send

from .audits import ACCOUNT, HOME, TOPIC, audit, check, every, live, result

ELSEWHERE = "us-east-1"
USERS = check("users", Severity.HIGH)
REGIONAL = check("regional", Severity.HIGH, regional=True)
A, B = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in "ab")


@pytest.fixture
def account() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("securityhub", HOME)
        client.enable_security_hub()
        clients = SimpleNamespace(client=lambda service, region: client, simulated=False, home_region=HOME)
        yield SimpleNamespace(clients=clients, caller=SimpleNamespace(account_id=ACCOUNT))


def hub(account: Any) -> dict[str, tuple[str, str]]:
    """Finding's id in reports → record state and compliance status."""
    found = account.clients.client("securityhub", HOME).get_findings()["Findings"]
    return {
        one["ProductFields"]["aws-baseline-toolkit/id"]: (one["RecordState"], one["Compliance"]["Status"])
        for one in found
    }


def sent(account: Any, *results: Result, **more: Any) -> dict[str, tuple[str, str]]:
    found = audit(results, **more)
    sending = prepare(found, account)
    assert send(sending, account) == len(sending.every)
    return hub(account)


def of_user(arn: str, status: Status = Status.FAIL) -> Outcome:
    return Outcome(status, "evidence", live(arn))


def test_every_verdict_arrives(account: Any) -> None:
    found = every()
    sending = prepare(found, account)
    assert (len(sending.findings), sending.archived, sending.region) == (48, (), HOME)
    assert send(sending, account) == 48
    assert set(hub(account)) == {name for name, _ in found.unique}


def test_what_passes_now_is_updated(account: Any) -> None:
    one = f"users/account/{A}"
    assert sent(account, result(USERS, of_user(A)))[one] == ("ACTIVE", "FAILED")
    assert sent(account, result(USERS, of_user(A, Status.PASS)))[one] == ("ACTIVE", "PASSED")


def test_what_is_no_more_is_archived(account: Any) -> None:
    sent(account, result(USERS, of_user(A), of_user(B)))
    found = sent(account, result(USERS, of_user(B)))
    assert found[f"users/account/{A}"] == ("ARCHIVED", "FAILED")
    assert found[f"users/account/{B}"] == ("ACTIVE", "FAILED")
    assert prepare(audit([result(USERS, of_user(B))]), account).archived == (), "once"
    assert sent(account, result(USERS, of_user(A)))[f"users/account/{A}"] == ("ACTIVE", "FAILED"), "back again"


def test_a_waiver_archives_and_its_end_brings_back(account: Any) -> None:
    waived = check("users", Severity.HIGH, topics=(TOPIC,))
    waiver = Waiver(UNCOVERED, checks()[TOPIC].requirements[0], "accepted", date(2026, 12, 24))
    one = f"users/account/{A}"
    assert sent(account, result(waived, of_user(A)))[one] == ("ACTIVE", "FAILED")
    assert sent(account, result(waived, of_user(A)), waivers=(waiver,))[one] == ("ARCHIVED", "FAILED")
    over = replace(waiver, expires=date(2026, 11, 1))
    assert sent(account, result(waived, of_user(A)), waivers=(over,))[one] == ("ACTIVE", "FAILED")


OTHER = check("other", Severity.HIGH)
LATER: dict[str, tuple[list[Result], dict[str, Any]]] = {
    "another check": ([result(OTHER, of_user(B))], {}),
    "fewer regions": ([result(REGIONAL, Outcome(Status.PASS, "x"))], {"regions": (HOME,)}),
    "unknown": (
        [
            result(USERS, Outcome(Status.UNKNOWN, "denied")),
            result(REGIONAL, Outcome(Status.UNKNOWN, "denied"), region=ELSEWHERE),
        ],
        {},
    ),
}


@pytest.mark.parametrize("later", LATER)
def test_what_was_not_looked_at_or_not_read_stays(account: Any, later: str) -> None:
    sent(account, result(USERS, of_user(A)), result(REGIONAL, of_user(B), region=ELSEWHERE))
    results, more = LATER[later]
    found = sent(account, *results, **more)
    assert found[f"users/account/{A}"] == found[f"regional/{ELSEWHERE}/{B}"] == ("ACTIVE", "FAILED")


def test_a_check_of_all_regions_closes_only_what_it_looked_at(account: Any) -> None:
    """With more regions than before it looked at everything, with fewer it did not."""

    def wide(name: str) -> Check:
        return replace(check(name, Severity.HIGH), needs=lambda scope: scope.regions)  # type: ignore[arg-type]

    one = wide("wide")
    sent(account, result(one, of_user(A)))
    found = sent(account, result(one, of_user(B)), regions=(HOME,))
    assert found[f"wide/account/{A}"] == ("ACTIVE", "FAILED")
    found = sent(account, result(one, of_user(B)), regions=(HOME, ELSEWHERE, "eu-west-1"))
    assert found[f"wide/account/{A}"] == ("ARCHIVED", "FAILED")


def test_findings_of_others_stay(account: Any) -> None:
    (ours,) = prepare(audit([result(USERS, of_user(A))]), account).findings
    client = account.clients.client("securityhub", HOME)
    for name, changes in {
        "by hand": {"ProductFields": {}},
        "of another product": {"ProductArn": f"arn:aws:securityhub:{HOME}::product/aws/inspector"},
        "of another generator": {"GeneratorId": "prowler-users"},
    }.items():
        client.batch_import_findings(Findings=[{**ours, "Id": name, **changes}])
    assert prepare(audit([result(USERS, of_user(B))]), account).archived == ()


@pytest.mark.parametrize(
    "changes", [{"account_id": "444455556666"}, {"simulated": True}, {"account_id": "444455556666", "simulated": True}]
)
def test_an_audit_of_another_account_is_never_sent(account: Any, changes: dict[str, Any]) -> None:
    found: Audit = replace(every(), **changes)
    with pytest.raises(RefusedError, match="nothing was sent"):
        prepare(found, account)
    account.clients.simulated = True
    if changes != {"simulated": True}:
        with pytest.raises(RefusedError, match="nothing was sent"):
            prepare(found, account)
    with pytest.raises(RefusedError, match=f"the Security Hub is that of account {ACCOUNT} on the embedded AWS"):
        prepare(every(), account)
    assert hub(account) == {}


def test_each_rejected_finding_is_named_with_its_reason(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = account.clients.client("securityhub", HOME)
    sending = prepare(audit([result(USERS, of_user(A), of_user(B))]), account)
    failed = [{"Id": sending.findings[1]["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "no\nreason"}]
    answer = {"SuccessCount": 1, "FailedCount": 1, "FailedFindings": failed}
    monkeypatch.setattr(client, "batch_import_findings", lambda **_: answer)
    with pytest.raises(ToolkitError, match="rejected 1 of 2 findings; it accepted 1") as problem:
        send(sending, account)
    assert problem.value.detail == f"{sending.findings[1]['Id']}: InvalidInput: no\\nreason"
