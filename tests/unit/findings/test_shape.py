"""One shape of finding, and back from what a bundle holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from toolkit.findings import Finding, Resource, Severity, Status, worst_first
from toolkit.findings.data import CallRecord, Record, as_data, reported
from toolkit.findings.rules import UNCOVERED, WEAKENS
from toolkit.typed import from_json

CALL = CallRecord("iam:GetAccountSummary", "us-east-1", datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC), "0a1b")
FINDING = Finding(
    rule=WEAKENS,
    severity=Severity.HIGH,
    resource=Resource("module.x.aws_y.z", "eu-west-1", "aws_y", "arn:aws:y:eu-west-1:123456789012:z", "123456789012"),
    attribute="length",
    summary="length becomes weaker.",
    evidence="24 → 14",
    remedy="set 24",
    consent="--allow-weaker 'module.x.aws_y.z.length'",
    component="x",
    setting="components.x.length",
    controls=("cis-5.0:1.8", "fsbp:IAM.7"),
    calls=(CALL,),
)
OPEN = {
    Status.FAIL: True,
    Status.UNKNOWN: True,
    Status.NOT_APPLICABLE: False,
    Status.ATTESTED: False,
    Status.PASS: False,
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("consented_by", [None, "--allow-weaker *"])
def test_what_a_bundle_holds_is_read_as_it_was(status: Status, consented_by: str | None):
    finding = replace(FINDING, status=status, consented_by=consented_by)
    (record,) = from_json(tuple[Record, ...], json.dumps([as_data(finding)]).encode())
    assert record.finding == finding
    assert reported(finding).items() > as_data(finding).items()


def test_what_an_earlier_version_wrote_is_a_finding_that_fails():
    """0.1.0 had no status, type, ARN, account, controls or calls."""
    later = ("status", "type", "arn", "account_id", "controls", "calls")
    written = {key: value for key, value in as_data(FINDING).items() if key not in later}
    (record,) = from_json(tuple[Record, ...], json.dumps([written]).encode())
    resource = Resource("module.x.aws_y.z", "eu-west-1")
    assert record.finding == replace(FINDING, resource=resource, controls=(), calls=())


def test_every_status_is_open_or_not():
    assert {status: replace(FINDING, status=status).blocks for status in Status} == OPEN
    for status in Status:
        assert not replace(FINDING, status=status, consented_by="x").blocks
        assert not replace(FINDING, status=status, severity=Severity.NOTE).blocks


def test_the_subject_is_what_a_consent_names():
    unmanaged = replace(FINDING, resource=replace(FINDING.resource, address=None))
    account = replace(FINDING, resource=Resource(None, "eu-west-1", account_id="123456789012"), attribute=None)
    assert FINDING.subject == "module.x.aws_y.z.length"
    assert unmanaged.subject == "arn:aws:y:eu-west-1:123456789012:z.length"
    assert account.subject == "account 123456789012"
    assert replace(account, rule=UNCOVERED).subject == "cis-5.0:1.8"


def test_open_ones_come_first_and_the_worst_of_them():
    note, passed = replace(FINDING, severity=Severity.NOTE), replace(FINDING, status=Status.PASS)
    critical = replace(FINDING, severity=Severity.CRITICAL)
    assert worst_first([note, passed, FINDING, critical]) == (critical, FINDING, passed, note)
