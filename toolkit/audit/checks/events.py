"""EventBridge rules that alerts depend on: whether they have a target, and whether its invocations succeed.

Those are the enabled rules of the default bus that match events of security services, or send to an SNS topic; what
other rules do is their applications' matter. EventBridge sends the metric only where an invocation failed.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_SERVICES = frozenset(
    f"aws.{name}"
    for name in (
        "access-analyzer",
        "config",
        "guardduty",
        "health",
        "inspector2",
        "macie",
        "securityhub",
        "trustedadvisor",
    )
)
"""Sources of events that people want to be alerted to."""
_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class AlertRules(Fact):
    """Every enabled rule of a region that alerts depend on, its targets, and how many invocations failed in a day."""

    region: str
    until: datetime

    named = "every EventBridge rule for alerts in {region}"
    calls = ("cloudwatch:GetMetricStatistics", "events:ListRules", "events:ListTargetsByRule")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The rules."""
        rules = source.live("aws_cloudwatch_event_rule", self.region)
        found = source.side_by_side(lambda one: self._rule(source, one), rules)
        return tuple(one for one in found if one is not None)

    def _rule(self, source: Source, rule: Live) -> Live | None:
        name, pattern = rule.key["name"], rule.values["event_pattern"]
        if rule.values["state"] == "DISABLED" or rule.managed_by is not None:
            return None
        targets = source.pages("events", "list_targets_by_rule", "Targets", self.region, Rule=name)
        arns = sorted(target["Arn"] for target in targets)
        sources = json.loads(pattern).get("source", ()) if pattern else ()
        watched = any(one in _SERVICES for one in sources if isinstance(one, str))
        if not watched and not any(_is_topic(arn) for arn in arns):
            return None
        answer = source.call(
            "cloudwatch",
            "get_metric_statistics",
            self.region,
            Namespace="AWS/Events",
            MetricName="FailedInvocations",
            Dimensions=[{"Name": "RuleName", "Value": name}],
            StartTime=self.until - _WINDOW,
            EndTime=self.until,
            Period=int(_WINDOW.total_seconds()),
            Statistics=["Sum"],
        )
        failed = int(sum(point["Sum"] for point in (answer or {})["Datapoints"]))
        return Live(
            {"name": name},
            {"targets": arns, "failed": failed},
            rule.called,
            name,
            arn=rule.arn,
            region=self.region,
            type="aws_cloudwatch_event_rule",
        )


def _is_topic(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sns"]


def _needs(scope: Scope) -> Iterator[Fact]:
    yield AlertRules(scope.region, scope.now)


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for rule in answers[AlertRules(scope.region, scope.now)]:
        targets, failed = rule.values["targets"], rule.values["failed"]
        if not targets:
            yield Outcome(Status.FAIL, f"{rule.called} has no target", rule)
        elif failed:
            said = f"{rule.called}: {failed:,} invocations of its targets failed in a day"
            yield Outcome(Status.FAIL, said, rule, facts=("invocations of its targets failed",))
        else:
            yield Outcome(Status.PASS, f"{rule.called} has a target, and no invocation failed in a day", rule)


CHECKS = (
    Check(
        "eventbridge_alert_rules_deliver",
        "EventBridge rules for alerts have targets whose invocations succeed.",
        Severity.HIGH,
        "events",
        _needs,
        _judge,
        Remedy(
            "add a target, or allow events.amazonaws.com in the policies of the target's topic or queue, and of its key"
        ),
        why="An alert that is not delivered looks like no alert.",
        regional=True,
        source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html",
    ),
)
