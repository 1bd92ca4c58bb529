"""From a trail's log group to a subscriber: metric filters, alarms on their metrics, and the topics that these notify.

In: a `Source`. Out: facts, and whether an alarm notifies a confirmed subscriber. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.audit.checks.trails import described
from toolkit.audit.facts import Fact
from toolkit.iam import Policies, PolicyDocument, PolicyError, PolicyKind, Request, evaluate
from toolkit.iam.assumed import generous
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

NO_UNIT = "None"
"""CloudWatch Logs API Reference, MetricTransformation: "If you omit this, the unit is set as None"."""


def log_groups(source: Source, regions: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """ARN → (region, name) of each log group of the account that a trail sends its events to."""
    found = {}
    for trail, _ in described(source, regions):
        arn = group_of(trail.get("CloudWatchLogsLogGroupArn"))
        if arn and account_of(arn) == source.account_id:
            found[arn] = (arn.split(":")[3], arn.split(":log-group:", 1)[1])
    return found


def group_of(arn: str | None) -> str:
    """A log group's ARN as trails have it, without the ":*" at its end; empty for none."""
    return (arn or "").removesuffix(":*")


def account_of(arn: str) -> str:
    """The account of an ARN."""
    return arn.split(":")[4]


@dataclass(frozen=True)
class TrailFilters(Fact):
    """Every metric filter of the log groups that trails send their events to, as far as these are the account's own.

    Values: the log `group`, `pattern`, `metric`, `namespace`, `value`, `dimensions`, `unit`, `system_dimensions` (which
    CloudWatch Logs adds), `criteria` (on system fields; None: every event is compared with the pattern), and whether it
    reads events as a log transformer has `transformed` them.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricFilter.html
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
    """

    regions: tuple[str, ...]

    named = "the metric filters of every trail's log group"
    calls = ("cloudtrail:DescribeTrails", "logs:DescribeMetricFilters")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The filters."""
        found: list[Live] = []
        for arn, (region, name) in log_groups(source, self.regions).items():
            listed = source.pages(
                "logs",
                "describe_metric_filters",
                "metricFilters",
                region,
                absent=("ResourceNotFoundException",),
                logGroupName=name,
            )
            found += (_filter(arn, region, name, one) for one in listed)
        return tuple(found)


def _filter(arn: str, region: str, group: str, found: Mapping[str, Any]) -> Live:
    counts = found["metricTransformations"][0]
    values = {
        "group": arn,
        "pattern": found["filterPattern"],
        "metric": counts["metricName"],
        "namespace": counts["metricNamespace"],
        "value": counts["metricValue"],
        "dimensions": sorted(counts.get("dimensions") or ()),
        "unit": counts.get("unit") or NO_UNIT,
        "system_dimensions": sorted(found.get("emitSystemFieldDimensions") or ()),
        "criteria": found.get("fieldSelectionCriteria") or None,
        "transformed": found.get("applyOnTransformedLogs", False),
    }
    name = found["filterName"]
    called, key = f"the metric filter {name!r}", {"log_group_name": group, "name": name}
    kind = "aws_cloudwatch_log_metric_filter"
    return Live(key, values, called, f"{group}:{name}", type=kind, region=region)


@dataclass(frozen=True)
class FilterAlarms(Fact):
    """Every alarm on a metric of these filters, alone or in an expression.

    Values: those of the alarm, `expression` (of metric math; None where it has none) and `metrics`, each with its `id`
    (None without metric math), `namespace`, `name`, `dimensions`, `statistic` and `unit`.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    """

    regions: tuple[str, ...]

    named = "the alarms on metrics of every trail's log group"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return (*TrailFilters(self.regions).actions, "cloudwatch:DescribeAlarms")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The alarms."""
        metrics = {metric_of(one) for one in TrailFilters(self.regions).read(source)}
        return tuple(
            alarm
            for region in sorted({metric[0] for metric in metrics})
            for alarm in (_alarm(one, region, source.account_id) for one in _listed(source, region, "Metric"))
            if any((region, one["namespace"], one["name"]) in metrics for one in alarm.values["metrics"])
        )


def _listed(source: Source, region: str, kind: str) -> tuple[Any, ...]:
    return source.pages("cloudwatch", "describe_alarms", f"{kind}Alarms", region, AlarmTypes=[f"{kind}Alarm"])


def _alarm(found: Mapping[str, Any], region: str, account: str) -> Live:
    name, queries = found["AlarmName"], found.get("Metrics", ())
    returned: Mapping[str, Any] = next((one for one in queries if one.get("ReturnData", True)), {})
    values = {
        "threshold": found.get("Threshold"),
        "comparison_operator": found.get("ComparisonOperator"),
        "evaluation_periods": found.get("EvaluationPeriods"),
        "datapoints_to_alarm": found.get("DatapointsToAlarm"),
        "actions_enabled": found.get("ActionsEnabled", False),
        "alarm_actions": sorted(found.get("AlarmActions", ())),
        "expression": returned.get("Expression") or returned.get("Id"),
        "metrics": [
            _measured(one["MetricStat"]["Metric"], one["MetricStat"], one["Id"])
            for one in queries
            # An expression of metrics of other accounts has their ids.
            if "MetricStat" in one and one.get("AccountId", account) == account
        ],
    }
    if not queries:
        values["metrics"] = [_measured(found, {**found, "Stat": found.get("Statistic")}, None)]
    return Live({"alarm_name": name}, values, f"the alarm {name!r}", name, found.get("AlarmArn"), region=region)


def _measured(metric: Mapping[str, Any], by: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    return {
        "id": name,
        "namespace": metric.get("Namespace"),
        "name": metric.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())},
        "statistic": by.get("Stat"),
        "unit": by.get("Unit"),
    }


def metric_of(one: Live) -> tuple[str, str, str]:
    """Region, namespace and name of a filter's metric."""
    return one.region, one.values["namespace"], one.values["metric"]


@dataclass(frozen=True)
class CompositeAlarms(Fact):
    """Every composite alarm whose rule has one of these alarms, or another composite alarm of them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html
    """

    regions: tuple[str, ...]

    named = "the composite alarms on metrics of every trail's log group"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return FilterAlarms(self.regions).actions

    def read(self, source: Source) -> tuple[Live, ...]:
        """The alarms."""
        alarms = FilterAlarms(self.regions).read(source)
        found: list[Live] = []
        for region in sorted({one.region for one in alarms}):
            here = [one for one in alarms if one.region == region]
            left = [_composite(one, region) for one in _listed(source, region, "Composite")]
            while here:
                here = [composite for composite in left if any(_mentions(composite, one) for one in here)]
                left = [composite for composite in left if composite not in here]
                found += here
        return tuple(found)


def _composite(found: Mapping[str, Any], region: str) -> Live:
    name = found["AlarmName"]
    values = {
        "rule": found["AlarmRule"],
        "suppressor": found.get("ActionsSuppressor"),
        "actions_enabled": found.get("ActionsEnabled", False),
        "alarm_actions": sorted(found.get("AlarmActions", ())),
    }
    called, arn = f"the composite alarm {name!r}", found.get("AlarmArn")
    return Live({"alarm_name": name}, values, called, name, arn, region=region)


@dataclass(frozen=True)
class AlarmTopics(Fact):
    """Every SNS topic that these alarms notify, and what its messages need to get through.

    Values: `confirmed` (subscriptions; None: the topic is another account's, and nothing else is read of it),
    `filtered` (those of them with a filter policy), `policy` (JSON), `key` (the KMS key that encrypts messages; None:
    none), and of the account's own key its `key_state` and `key_policy`.

    SNS sends nothing to a subscription that is not confirmed, which has no ARN yet: "The ARN of the subscription if it
    is confirmed, or the string "pending confirmation" if the subscription requires confirmation."
    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html
    https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
    """

    regions: tuple[str, ...]

    named = "the topics of the alarms on every trail's log group"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        sns = ("sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")
        return (*FilterAlarms(self.regions).actions, *sns, "kms:DescribeKey", "kms:GetKeyPolicy")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The topics."""
        alarms = [*FilterAlarms(self.regions).read(source), *CompositeAlarms(self.regions).read(source)]
        arns = dict.fromkeys(arn for one in alarms for arn in one.values["alarm_actions"] if is_topic(arn))
        return source.side_by_side(lambda arn: _topic(source, arn), arns)


def is_topic(arn: str) -> bool:
    """Whether an action of an alarm is an SNS topic."""
    return arn.split(":")[2:3] == ["sns"]


_GONE = ("NotFound",)
"""SNS API Reference, ListSubscriptionsByTopic and GetTopicAttributes: there is no such topic or subscription."""


def _topic(source: Source, arn: str) -> Live:
    region, called = arn.split(":")[3], f"the topic {arn.rsplit(':', 1)[-1]!r}"
    values: dict[str, Any] = {"arn": arn, "confirmed": None}
    if account_of(arn) == source.account_id:
        listed = source.pages("sns", "list_subscriptions_by_topic", "Subscriptions", region, absent=_GONE, TopicArn=arn)
        confirmed = [one["SubscriptionArn"] for one in listed if one["SubscriptionArn"].startswith("arn:")]

        def filtered(subscription: str) -> bool:
            answer = source.call(
                "sns", "get_subscription_attributes", region, absent=_GONE, SubscriptionArn=subscription
            )
            policy = (answer or {"Attributes": {}})["Attributes"].get("FilterPolicy")
            return bool(policy) and json.loads(policy) != {}

        answer = source.call("sns", "get_topic_attributes", region, absent=_GONE, TopicArn=arn)
        attributes = (answer or {"Attributes": {"Policy": None}})["Attributes"]
        values |= {
            "confirmed": len(confirmed),
            "filtered": sum(source.side_by_side(filtered, confirmed)),
            "policy": attributes["Policy"],
            **_key(source, region, attributes.get("KmsMasterKeyId") or None),
        }
    return Live({"arn": arn}, values, called, arn, arn, type="aws_sns_topic", region=region)


def _key(source: Source, region: str, key: str | None) -> dict[str, Any]:
    """The key of a topic, which SNS names by id, ARN or alias; only an own key's policy can be read."""
    if key is None:
        return {"key": None}
    answer = source.call("kms", "describe_key", region, absent=("NotFoundException",), KeyId=key)
    if answer is None:
        return {"key": key, "key_state": "gone", "key_policy": None}
    found = answer["KeyMetadata"]
    policy = None
    if found["AWSAccountId"] == source.account_id:
        read = source.call("kms", "get_key_policy", region, KeyId=found["KeyId"], PolicyName="default") or {}
        policy = read["Policy"]
    return {"key": found["Arn"], "key_state": found["KeyState"], "key_policy": policy}


@dataclass(frozen=True)
class Link:
    """Whether one link of the chain from a filter to a subscriber holds; no problem: it does."""

    alarm: Live | None = None
    """The alarm that notifies somebody."""
    problem: str = ""
    unknown: bool = False
    """Whether it may hold all the same."""


def best(links: Iterable[Link], none: str) -> Link:
    """One that holds is enough; else one that may.

    Args:
        links: The links.
        none: The problem where there is none.
    """
    order = sorted(links, key=lambda link: (bool(link.problem), not link.unknown))
    return order[0] if order else Link(problem=none)


class Alerts:
    """Which alarms notify a confirmed subscriber."""

    def __init__(self, composites: Sequence[Live], topics: Sequence[Live]) -> None:
        """Args:
        composites: Every composite alarm.
        topics: What is notified.
        """
        self._composites = composites
        self._topics = {one.values["arn"]: one for one in topics}

    def notified(self, alarm: Live, seen: frozenset[str] = frozenset()) -> Link:
        """Whether somebody hears of it when an alarm goes off: by itself, or by a composite alarm that follows it."""
        name = alarm.key["alarm_name"]
        direct = self._by_itself(alarm)
        if not direct.problem:
            return direct
        followed = [
            self._followed(alarm, one, seen | {name})
            for one in self._composites
            if one.region == alarm.region and one.key["alarm_name"] not in seen | {name} and _mentions(one, alarm)
        ]
        return best((direct, *followed), "")

    def _followed(self, alarm: Live, composite: Live, seen: frozenset[str]) -> Link:
        further = self.notified(composite, seen)
        if further.problem and not further.unknown:
            return further
        if not _follows(composite):
            reason = f"{composite.called} has a rule with more than ALARM and OR, among which {alarm.called}"
            return Link(problem=reason, unknown=True)
        if composite.values["suppressor"]:
            return Link(problem=f"the actions of {composite.called} may be suppressed", unknown=True)
        return further

    def _by_itself(self, alarm: Live) -> Link:
        has = alarm.values
        if not has["actions_enabled"]:
            return Link(problem=f"the actions of {alarm.called} are disabled")
        sent_to = [arn for arn in has["alarm_actions"] if is_topic(arn)]
        return best((self._delivered(alarm, arn) for arn in sent_to), f"{alarm.called} notifies no SNS topic")

    def _delivered(self, alarm: Live, arn: str) -> Link:
        topic = self._topics[arn]
        has = topic.values
        if has["confirmed"] is None:
            reason = f"{alarm.called} notifies {arn}, whose subscriptions another account has"
            return Link(problem=reason, unknown=True)
        if not has["confirmed"]:
            return Link(problem=f"{topic.called}, which {alarm.called} notifies, has no confirmed subscription")
        problem = _published(topic, alarm)
        if problem.problem:
            return problem
        if has["filtered"] >= has["confirmed"]:
            reason = (
                f"each subscription to {topic.called} has a filter policy, which may drop what {alarm.called} sends"
            )
            return Link(problem=reason, unknown=True)
        return Link(alarm)


_FUNCTION = re.compile(r'\b(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|([^()"]*?))\s*\)')
"""CloudWatch API Reference, PutCompositeAlarm: names and ARNs "can be surrounded with double-quotes"."""
_ANY_OF = re.compile(r"[\s(]*0[\s)]*(?:\bOR\b[\s(]*0[\s)]*)*")


def _functions(composite: Live) -> Iterator[tuple[str, str]]:
    for function, quoted, plain in _FUNCTION.findall(composite.values["rule"]):
        yield function, (quoted or plain).rsplit(":alarm:", 1)[-1]


def _mentions(composite: Live, alarm: Live) -> bool:
    return any(name == alarm.key["alarm_name"] for _, name in _functions(composite))


def _follows(composite: Live) -> bool:
    """Whether each alarm of its rule raises it: ALARM(…) OR ALARM(…), and nothing else."""
    rule = composite.values["rule"]
    alone = all(function == "ALARM" for function, _ in _functions(composite))
    return alone and _ANY_OF.fullmatch(_FUNCTION.sub("0", rule)) is not None


_CLOUDWATCH = "cloudwatch.amazonaws.com"


def _published(topic: Live, alarm: Live) -> Link:
    """Whether the policies of the topic and of its key let CloudWatch publish for an alarm; no alarm in what passes.

    https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger (policy of the topic)
    https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns (kms:Decrypt and kms:GenerateDataKey; "if you use
    the default AWS managed key alias/aws/sns, then the alarm doesn't start the alarm action")
    """
    has, arn = topic.values, topic.values["arn"]
    partition, account = arn.split(":")[1], account_of(arn)
    source = f"arn:{partition}:cloudwatch:{alarm.region}:{account}:alarm:{alarm.key['alarm_name']}"
    context = {
        "aws:SecureTransport": True,
        "aws:SourceAccount": account,
        "aws:SourceArn": source,
        "aws:SourceOwner": account,
        "kms:EncryptionContext:aws:sns:topicArn": arn,
    }
    publish = Request(_CLOUDWATCH, "sns:Publish", arn, context=context)
    links = [_let(publish, has["policy"], f"the policy of {topic.called}")]
    if has["key"] is not None:
        key = f"the key {has['key']} of {topic.called}"
        if has["key_state"] != "Enabled":
            return Link(problem=f"{key} is {has['key_state']}: SNS takes no messages")
        if has["key_policy"] is None:
            return Link(problem=f"{key} is another account's, whose policy cannot be read from here", unknown=True)
        links += (
            _let(Request(_CLOUDWATCH, action, has["key"], context=context), has["key_policy"], f"the policy of {key}")
            for action in ("kms:Decrypt", "kms:GenerateDataKey")
        )
    broken = [link for link in links if link.problem]
    return min(broken, key=lambda link: link.unknown, default=Link())


def _let(request: Request, text: str | None, called: str) -> Link:
    if text is None:
        return Link(problem=f"{called} is gone")
    try:
        policy = PolicyDocument.parse(text, name=called, kind=PolicyKind.RESOURCE)
    except PolicyError as e:
        return Link(problem=f"{called} cannot be understood: {e}", unknown=True)
    if evaluate(request, Policies(resource=policy)).allowed:
        return Link()
    known = frozenset(key.lower() for key in request.context) | {"aws:principalisawsservice"}
    possible = evaluate(request, Policies(resource=generous(policy, known))).allowed
    may = "may not let" if possible else "does not let"
    return Link(problem=f"{called} {may} CloudWatch use {request.action}", unknown=possible)
