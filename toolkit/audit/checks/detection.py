"""Security Hub's standards, and open findings of GuardDuty and Access Analyzer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.audit.facts import Every, Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_HUB_OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""How Security Hub answers where it is off ("Account … is not subscribed"); whether it is, the hub itself says."""
_HIGH = 7
"""High is 7.0 to 8.9, critical 9.0 to 10.0: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html"""
_CRITICAL = 9
_BATCH = 50
"""Finding ids that GetFindings takes at most (GuardDuty API Reference)."""


@dataclass(frozen=True)
class Standards(Fact):
    """Every standard of Security Hub in a region.

    https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_StandardsSubscription.html
    """

    region: str

    named = "every standard of Security Hub in {region}"
    calls = ("securityhub:GetEnabledStandards",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The standards with their status; none also where Security Hub is off."""
        every = source.pages(
            "securityhub", "get_enabled_standards", "StandardsSubscriptions", self.region, absent=_HUB_OFF
        )
        return tuple(
            Live(
                {"standards_arn": one["StandardsArn"]},
                {
                    "status": one["StandardsStatus"],
                    "reason": one.get("StandardsStatusReason", {}).get("StatusReasonCode"),
                },
                f"the standard {one['StandardsArn'].split(':', 5)[-1]}",
                one["StandardsSubscriptionArn"],
                arn=one["StandardsSubscriptionArn"],
                region=self.region,
                type="aws_securityhub_standards_subscription",
            )
            for one in every
        )


def _hub(scope: Scope) -> Every:
    return Every("aws_securityhub_account", scope.region)


def _standards_needs(scope: Scope) -> Iterator[Fact]:
    yield from (_hub(scope), Standards(scope.region))


def _standards(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if not answers[_hub(scope)]:
        yield Outcome(Status.NOT_APPLICABLE, "Security Hub is off, which securityhub_enabled reports")
        return
    every = answers[Standards(scope.region)]
    if not every:
        yield Outcome(Status.FAIL, "no standard is enabled: Security Hub checks nothing")
    for one in every:
        status, reason = one.values["status"], one.values["reason"]
        if status == "READY":
            yield Outcome(Status.PASS, f"{one.called} is enabled", one)
        elif status == "PENDING":
            # Also one that is enabled, while Security Hub adds new controls to it (API_StandardsSubscription).
            yield Outcome(Status.UNKNOWN, f"{one.called} is being enabled, or gets new controls", one)
        else:
            yield Outcome(Status.FAIL, f"{one.called} is {status}{f' ({reason})' if reason else ''}", one)


@dataclass(frozen=True)
class Threats(Fact):
    """Every finding of GuardDuty in a region that is not archived and of high severity or above.

    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html
    """

    region: str

    named = "GuardDuty's findings in {region}"
    calls = ("guardduty:GetFindings", "guardduty:ListDetectors", "guardduty:ListFindings")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The findings."""
        criteria = {"Criterion": {"severity": {"GreaterThanOrEqual": _HIGH}, "service.archived": {"Equals": ["false"]}}}
        found = []
        for detector in source.pages("guardduty", "list_detectors", "DetectorIds", self.region):
            ids = source.pages(
                "guardduty", "list_findings", "FindingIds", self.region, DetectorId=detector, FindingCriteria=criteria
            )
            for start in range(0, len(ids), _BATCH):
                batch = list(ids[start : start + _BATCH])
                answer = source.call("guardduty", "get_findings", self.region, DetectorId=detector, FindingIds=batch)
                found += (answer or {})["Findings"]
        return tuple(
            Live(
                {"id": one["Id"]},
                {"severity": one["Severity"], "type": one["Type"], "updated": one["UpdatedAt"]},
                f"the finding {one['Type']}",
                None,
                arn=one["Arn"],
                region=self.region,
            )
            for one in found
        )


def _detector(scope: Scope) -> Every:
    return Every("aws_guardduty_detector", scope.region)


def _threats_needs(scope: Scope) -> Iterator[Fact]:
    yield _detector(scope)
    if not scope.simulated:
        yield Threats(scope.region)


def _threats(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    detectors = answers[_detector(scope)]
    if not detectors:
        yield Outcome(Status.NOT_APPLICABLE, "GuardDuty is off, which guardduty_is_enabled reports")
        return
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "GuardDuty of the embedded AWS finds nothing")
        return
    every = answers[Threats(scope.region)]
    for one in every:
        severity = one.values["severity"]
        worst = Severity.CRITICAL if severity >= _CRITICAL else Severity.HIGH
        yield Outcome(Status.FAIL, f"{one.values['type']}, severity {severity}, is open", one, worst)
    if every:
        return
    if all(one.values["enable"] for one in detectors):
        yield Outcome(Status.PASS, "no finding of high severity is open")
    else:
        # GuardDuty User Guide, suspending GuardDuty: it keeps its findings, and makes no new ones.
        yield Outcome(Status.NOT_APPLICABLE, "GuardDuty is suspended: it finds nothing")


@dataclass(frozen=True)
class Administration(Fact):
    """Each detector of a region, with its `administrator` (an account, or None), the `relationship`, and its `members`.

    "When the GuardDuty administrator account runs this API, it will return success (HTTP 200) but no content", and so
    it does for an account without one: only the members tell these apart.
    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetAdministratorAccount.html
    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListMembers.html
    """

    region: str

    named = "GuardDuty's administrator account in {region}"
    calls = ("guardduty:GetAdministratorAccount", "guardduty:ListDetectors", "guardduty:ListMembers")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The detectors."""

        def read(detector: str) -> Live:
            answer = source.call("guardduty", "get_administrator_account", self.region, DetectorId=detector) or {}
            found = answer.get("Administrator") or {}
            members = source.pages("guardduty", "list_members", "Members", self.region, DetectorId=detector)
            values = {
                "administrator": found.get("AccountId"),
                "relationship": found.get("RelationshipStatus"),
                "members": sum(one["RelationshipStatus"] == _ENABLED for one in members),
            }
            called, kind = f"the detector {detector}", "aws_guardduty_detector"
            return Live({"id": detector}, values, called, detector, region=self.region, type=kind)

        return source.side_by_side(read, source.pages("guardduty", "list_detectors", "DetectorIds", self.region))


_ENABLED = "Enabled"
"""GuardDuty User Guide, "Managing multiple accounts": the relationship of an account that is a member."""


def _administration_needs(scope: Scope) -> Iterator[Fact]:
    if not scope.simulated:
        yield Administration(scope.region)


def _administration(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "GuardDuty of the embedded AWS has no members")
        return
    for one in answers[Administration(scope.region)]:
        administrator, members = one.values["administrator"], one.values["members"]
        if administrator is not None and one.values["relationship"] == _ENABLED:
            yield Outcome(Status.PASS, f"account {administrator} administers GuardDuty", one)
        elif members:
            yield Outcome(Status.PASS, f"the account administers GuardDuty of {members:,} others", one)
        elif administrator is not None:
            said = f"the relationship with account {administrator} is {one.values['relationship']}"
            yield Outcome(Status.FAIL, f"no account administers GuardDuty: {said}", one)
        else:
            yield Outcome(Status.FAIL, "no account administers GuardDuty", one)


@dataclass(frozen=True)
class Analyzers(Fact):
    """Every analyzer of Access Analyzer in a region, with its `type` and `status`.

    "An Active analyzer successfully monitors supported resources and generates new findings."
    https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_AnalyzerSummary.html
    """

    region: str

    named = "every analyzer of Access Analyzer in {region}"
    calls = ("access-analyzer:ListAnalyzers",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The analyzers."""
        return tuple(
            Live(
                {"analyzer_name": one["name"]},
                {"type": one["type"], "status": one["status"]},
                f"the analyzer {one['name']!r}",
                one["name"],
                arn=one["arn"],
                region=self.region,
                type="aws_accessanalyzer_analyzer",
            )
            for one in source.pages("accessanalyzer", "list_analyzers", "analyzers", self.region)
        )


@dataclass(frozen=True)
class OpenAccess(Fact):
    """Every active finding of each analyzer of external access in a region.

    https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListFindings.html
    """

    region: str

    named = "Access Analyzer's findings in {region}"
    calls = ("access-analyzer:ListAnalyzers", "access-analyzer:ListFindings")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The findings; those of analyzers of unused access are other ones."""
        found: list[Any] = []
        for one in Analyzers(self.region).read(source):
            if one.values["type"] in _EXTERNAL:
                found += source.pages(
                    "accessanalyzer",
                    "list_findings",
                    "findings",
                    self.region,
                    analyzerArn=one.arn,
                    filter={"status": {"eq": ["ACTIVE"]}},
                )
        return tuple(
            Live(
                {"id": one["id"]},
                {
                    "resource": one.get("resource"),
                    "kind": one["resourceType"],
                    "public": one.get("isPublic", False),
                    "error": one.get("error"),
                },
                f"the finding about {one.get('resource') or one['resourceType']}",
                None,
                arn=one.get("resource"),
                region=self.region,
            )
            for one in found
        )


_EXTERNAL = ("ACCOUNT", "ORGANIZATION")


def _analyzers_needs(scope: Scope) -> Iterator[Fact]:
    if not scope.simulated:
        yield Analyzers(scope.region)


_NO_ANALYZER = "the embedded AWS does not have Access Analyzer"


def _analyzers(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    """One of external access is enough."""
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, _NO_ANALYZER)
        return
    external = [one for one in answers[Analyzers(scope.region)] if one.values["type"] in _EXTERNAL]
    active = next((one for one in external if one.values["status"] == "ACTIVE"), None)
    if active is not None:
        yield Outcome(Status.PASS, f"{active.called} is active", active)
        return
    if not external:
        yield Outcome(Status.FAIL, "there is no analyzer of external access")
    for one in external:
        new = one.values["status"] == "CREATING"
        yield Outcome(Status.UNKNOWN if new else Status.FAIL, f"{one.called} is {one.values['status']}", one)


def _access_needs(scope: Scope) -> Iterator[Fact]:
    if not scope.simulated:
        yield from (Analyzers(scope.region), OpenAccess(scope.region))


def _access(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, _NO_ANALYZER)
        return
    external = [one for one in answers[Analyzers(scope.region)] if one.values["type"] in _EXTERNAL]
    if not external:
        yield Outcome(Status.FAIL, "there is no analyzer of external access")
        return
    every = answers[OpenAccess(scope.region)]
    for one in every:
        resource, public = one.values["resource"] or one.values["kind"], one.values["public"]
        if one.values["error"]:
            yield Outcome(Status.UNKNOWN, f"{resource} could not be analyzed: {one.values['error']}", one)
        else:
            who = "the public" if public else "principals outside the account or organization"
            worst = Severity.HIGH if public else Severity.NOTE
            yield Outcome(Status.FAIL, f"{resource} is open to {who}", one, worst)
    if not every and any(one.values["status"] == "ACTIVE" for one in external):
        yield Outcome(Status.PASS, "no finding of external access is active")
    elif not every:
        yield Outcome(Status.UNKNOWN, "no analyzer of external access is active: what there is now has no finding")


CHECKS = (
    Check(
        "securityhub_standards_enabled",
        "Security Hub has a standard that is enabled.",
        Severity.MEDIUM,
        "securityhub",
        _standards_needs,
        _standards,
        Remedy("set `components.security_hub.standards` in environment.yaml", "security_hub", "standards"),
        why="Security Hub without a standard collects findings and checks nothing itself.",
        regional=True,
        source="https://docs.aws.amazon.com/securityhub/latest/userguide/standards-view-manage.html",
    ),
    Check(
        "guardduty_no_high_severity_findings",
        "GuardDuty has no open finding of high severity.",
        Severity.HIGH,
        "guardduty",
        _threats_needs,
        _threats,
        Remedy("follow GuardDuty's remediation of the finding, then archive it"),
        why="A finding of high severity means that a resource is compromised or about to be.",
        regional=True,
        source="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html",
    ),
    Check(
        "guardduty_centrally_managed",
        "GuardDuty has an administrator account.",
        Severity.MEDIUM,
        "guardduty",
        _administration_needs,
        _administration,
        Remedy("make an account the delegated administrator of GuardDuty, from the organization's management account"),
        why="Findings of many accounts are noticed in one place, and a member account cannot suspend its detector.",
        regional=True,
        source="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_accounts.html",
    ),
    Check(
        "accessanalyzer_enabled",
        "An analyzer of external access is active.",
        Severity.NOTE,
        "accessanalyzer",
        _analyzers_needs,
        _analyzers,
        Remedy("enable the component `access_analyzer` in environment.yaml", "access_analyzer"),
        why="It reports resources that principals outside the account can use.",
        regional=True,
        source="https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_AnalyzerSummary.html",
    ),
    Check(
        "accessanalyzer_enabled_without_findings",
        "Access Analyzer has no active finding of external access.",
        Severity.NOTE,
        "accessanalyzer",
        _access_needs,
        _access,
        Remedy("remove the access, or archive the finding with a rule of `components.access_analyzer`, if it is meant"),
        why="Each active finding is a resource that principals outside the account can use.",
        regional=True,
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html",
    ),
)
