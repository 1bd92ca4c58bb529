"""Security Hub, GuardDuty and Access Analyzer, in each state that a check tells from another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolkit.audit.checks.detection import Administration, Analyzers, OpenAccess, Standards, Threats
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Case, Flip, live

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
STANDARDS, THREATS = "securityhub_standards_enabled", "guardduty_no_high_severity_findings"
ACCESS = "accessanalyzer_enabled_without_findings"
HUB, DETECTOR = Every("aws_securityhub_account", HOME), Every("aws_guardduty_detector", HOME)
ANALYZER, ENABLED = Analyzers(HOME), "accessanalyzer_enabled"
SIMULATED = replace(SCOPE, simulated=True)


def _standards(expected: Status, *statuses: str, hub: bool = True, flips: tuple[Flip, ...] = ()) -> Case:
    every = tuple(live({"status": one, "reason": None}) for one in statuses)
    return Case(STANDARDS, expected, {HUB: (live({}),) if hub else (), Standards(HOME): every}, flips)


def _threats(expected: Status, *severities: float, enabled: tuple[bool, ...] = (True,), flips: Any = ()) -> Case:
    every = tuple(live({"severity": one, "type": "Recon:EC2/Portscan"}) for one in severities)
    return Case(
        THREATS, expected, {DETECTOR: tuple(live({"enable": one}) for one in enabled), Threats(HOME): every}, flips
    )


def _access(expected: Status, kinds: tuple[str, ...], *findings: Live, flips: tuple[Flip, ...] = ()) -> Case:
    analyzers = tuple(live({"type": one, "status": "ACTIVE"}) for one in kinds)
    return Case(ACCESS, expected, {ANALYZER: analyzers, OpenAccess(HOME): findings}, flips)


def _administered(expected: Status, account: str | None, relationship: str | None, members: int, *flips: Flip) -> Case:
    values = {"administrator": account, "relationship": relationship, "members": members}
    return Case("guardduty_centrally_managed", expected, {Administration(HOME): (live(values),)}, flips)


def _analyzer(expected: Status, kind: str, status: str, *flips: Flip) -> Case:
    return Case(ENABLED, expected, {ANALYZER: (live({"type": kind, "status": status}),)}, flips)


def finding(**values: Any) -> Live:
    return live({"resource": "arn:aws:s3:::x", "kind": "AWS::S3::Bucket", "public": False, "error": None, **values})


UNUSED = Flip("type", "ACCOUNT_UNUSED_ACCESS", FAIL, ANALYZER)

CASES = (
    _standards(
        PASS,
        "READY",
        flips=(
            Flip("status", "INCOMPLETE", FAIL, Standards(HOME)),
            Flip("status", "PENDING", UNKNOWN, Standards(HOME)),
        ),
    ),
    _standards(FAIL),
    _standards(FAIL, "READY", "FAILED", flips=(Flip("status", "READY", PASS, Standards(HOME), 1),)),
    _standards(UNKNOWN, "READY", "PENDING"),
    _standards(NOT_APPLICABLE, hub=False),
    _threats(PASS, flips=(Flip("enable", False, NOT_APPLICABLE, DETECTOR),)),
    _threats(FAIL, 7.0),
    _threats(FAIL, 9.0),
    _threats(FAIL, 7.0, enabled=(False,)),
    _threats(NOT_APPLICABLE, enabled=(False,)),
    _threats(NOT_APPLICABLE, enabled=()),
    Case(THREATS, NOT_APPLICABLE, {DETECTOR: (live({"enable": True}),)}, scope=SIMULATED),
    _administered(
        PASS,
        "111122223333",
        "Enabled",
        0,
        Flip("administrator", None, FAIL),
        *(Flip("relationship", one, FAIL) for one in ("Invited", "Removed", "Resigned")),
    ),
    _administered(PASS, None, None, 3, Flip("members", 0, FAIL)),
    _administered(FAIL, "111122223333", "Resigned", 0, Flip("relationship", "Enabled", PASS), Flip("members", 1, PASS)),
    _administered(FAIL, None, None, 0),
    Case("guardduty_centrally_managed", NOT_APPLICABLE, {Administration(HOME): ()}),
    Case("guardduty_centrally_managed", NOT_APPLICABLE, {}, scope=SIMULATED),
    _analyzer(PASS, "ACCOUNT", "ACTIVE", UNUSED, *(Flip("status", one, FAIL) for one in ("DISABLED", "FAILED"))),
    _analyzer(PASS, "ORGANIZATION", "ACTIVE", UNUSED),
    _analyzer(FAIL, "ACCOUNT", "DISABLED", Flip("status", "ACTIVE", PASS)),
    _analyzer(UNKNOWN, "ACCOUNT", "CREATING"),
    Case(ENABLED, FAIL, {ANALYZER: ()}),
    Case(ENABLED, NOT_APPLICABLE, {}, scope=SIMULATED),
    _access(PASS, ("ACCOUNT",), flips=(UNUSED, Flip("status", "DISABLED", UNKNOWN, ANALYZER))),
    _access(PASS, ("ORGANIZATION",), flips=(UNUSED,)),
    _access(FAIL, ("ACCOUNT_UNUSED_ACCESS",), flips=(Flip("type", "ACCOUNT", PASS, ANALYZER),)),
    _access(FAIL, ()),
    _access(FAIL, ("ACCOUNT",), finding(), flips=(Flip("error", "ACCESS_DENIED", UNKNOWN, OpenAccess(HOME)),)),
    _access(FAIL, ("ACCOUNT",), finding(public=True, resource=None)),
    _access(UNKNOWN, ("ACCOUNT",), finding(error="ACCESS_DENIED")),
    Case(ACCESS, NOT_APPLICABLE, {}, scope=SIMULATED),
)
DISPLAY = {
    STANDARDS: ("Standards.reason",),
    # AWS is asked for findings of high severity alone: how high it is says how grave the finding is, not whether it is
    # one (test_services.py).
    THREATS: ("Threats.severity", "Threats.type"),
    # Whether the access is public decides how grave the finding is, too.
    ACCESS: ("OpenAccess.resource", "OpenAccess.kind", "OpenAccess.public"),
}
