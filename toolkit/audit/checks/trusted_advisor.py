"""Trusted Advisor, where the account's support plan lets its results be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_REGION = "us-east-1"
"""The only endpoint of AWS Support that has Trusted Advisor (AWS Support API Reference)."""
_RED, _NOT_SEEN = "error", "not_available"
_SEEN = ("ok", "warning", _RED)
"""Statuses of a check (AWS Support API Reference, TrustedAdvisorCheckSummary)."""


@dataclass(frozen=True)
class Advice(Fact):
    """What each of Trusted Advisor's checks found.

    Without a plan that has the AWS Support API, it answers SubscriptionRequiredException.
    https://docs.aws.amazon.com/awssupport/latest/APIReference/API_DescribeTrustedAdvisorCheckSummaries.html
    """

    named = "Trusted Advisor's results"
    calls = ("support:DescribeTrustedAdvisorChecks", "support:DescribeTrustedAdvisorCheckSummaries")

    def read(self, source: Source) -> tuple[Live, ...]:
        """One `Live` with every check, or that the support plan does not let them be read."""
        absent = ("SubscriptionRequiredException",)
        known = source.call("support", "describe_trusted_advisor_checks", _REGION, absent=absent, language="en")
        if known is None:
            return (self._live(readable=False, checks=[]),)
        names = {one["id"]: one for one in known["checks"]}
        answer = source.call("support", "describe_trusted_advisor_check_summaries", _REGION, checkIds=sorted(names))
        checks = [
            {
                "name": f"{names[one['checkId']]['name']!r} ({names[one['checkId']]['category']})",
                "status": one["status"],
                "flagged": one.get("resourcesSummary", {}).get("resourcesFlagged", 0),
            }
            for one in (answer or {})["summaries"]
        ]
        return (self._live(readable=True, checks=checks),)

    @staticmethod
    def _live(**values: Any) -> Live:
        return Live({}, values, "Trusted Advisor", None, region=_REGION)


def _needs(scope: Scope) -> Iterator[Fact]:
    if not scope.simulated:
        yield Advice()


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "the embedded AWS does not have Trusted Advisor")
        return
    (told,) = answers[Advice()]
    if not told.values["readable"]:
        yield Outcome(Status.NOT_APPLICABLE, "the support plan of the account does not let Trusted Advisor be read")
        return
    every = [(one, one["status"]) for one in told.values["checks"]]
    red = [one for one, status in every if status == _RED]
    for one in red:
        yield Outcome(Status.FAIL, f"{one['name']}: {one['flagged']:,} resources are flagged", told, part=one["name"])
    seen = sum(status in _SEEN for _, status in every)
    if odd := sorted({status for _, status in every} - {*_SEEN, _NOT_SEEN}):
        yield Outcome(Status.UNKNOWN, f"Trusted Advisor says {odd[0]!r} of a check, which is not documented")
    elif not seen:
        yield Outcome(Status.UNKNOWN, "Trusted Advisor has a result for none of its checks")
    elif not red:
        without = f"; {len(every) - seen:,} others have no result" if seen < len(every) else ""
        yield Outcome(Status.PASS, f"none of {seen:,} checks of Trusted Advisor is red{without}")


CHECKS = (
    Check(
        "trustedadvisor_errors_and_warnings",
        "Trusted Advisor has no high-risk item.",
        Severity.MEDIUM,
        "support",
        _needs,
        _judge,
        Remedy("open Trusted Advisor in the console and follow what it recommends for the red items"),
        why="Red items are those for which AWS recommends action.",
        source="https://docs.aws.amazon.com/awssupport/latest/user/get-started-with-aws-trusted-advisor.html",
    ),
)
