"""Trusted Advisor, where the account's support plan lets its results be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_REGION = "us-east-1"
"""The only endpoint of AWS Support that has Trusted Advisor (AWS Support API Reference)."""


@dataclass(frozen=True)
class Advice(Fact):
    """What each of Trusted Advisor's checks found.

    Without a plan that has the AWS Support API, it answers SubscriptionRequiredException.
    https://docs.aws.amazon.com/awssupport/latest/APIReference/API_DescribeTrustedAdvisorCheckSummaries.html
    """

    @property
    def what(self) -> str:
        """For people."""
        return "Trusted Advisor's results"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return ("support:DescribeTrustedAdvisorChecks", "support:DescribeTrustedAdvisorCheckSummaries")

    def read(self, source: Source) -> tuple[Live, ...]:
        """A `Live` per check; none where the support plan does not let them be read."""
        absent = ("SubscriptionRequiredException",)
        known = source.call("support", "describe_trusted_advisor_checks", _REGION, absent=absent, language="en")
        if known is None:
            return ()
        names = {one["id"]: one for one in known["checks"]}
        answer = source.call("support", "describe_trusted_advisor_check_summaries", _REGION, checkIds=sorted(names))
        return tuple(
            Live(
                {"id": one["checkId"]},
                {
                    "status": one["status"],
                    "flagged": one.get("resourcesSummary", {}).get("resourcesFlagged", 0),
                    "category": names[one["checkId"]]["category"],
                },
                f"{names[one['checkId']]['name']!r} ({names[one['checkId']]['category']})",
                None,
                region=_REGION,
            )
            for one in (answer or {})["summaries"]
        )


def _needs(scope: Scope) -> Iterator[Fact]:
    if not scope.simulated:
        yield Advice()


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "the embedded AWS does not have Trusted Advisor")
        return
    every = answers[Advice()]
    if not every:
        yield Outcome(Status.NOT_APPLICABLE, "the support plan of the account does not let Trusted Advisor be read")
        return
    red = [one for one in every if one.values["status"] == "error"]
    for one in red:
        yield Outcome(Status.FAIL, f"{one.called}: {one.values['flagged']:,} resources are flagged", one)
    if not red:
        yield Outcome(Status.PASS, f"none of {len(every):,} checks of Trusted Advisor is red")


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
