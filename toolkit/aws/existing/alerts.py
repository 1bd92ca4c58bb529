"""Readers of what tells people: alarms, topics, EventBridge, budgets."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _alarm(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "alarm_name")
    answer = clients.client("cloudwatch", change.region).describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])
    if not answer["MetricAlarms"]:
        return None
    alarm = answer["MetricAlarms"][0]
    values = {"threshold": alarm.get("Threshold"), "actions_enabled": alarm.get("ActionsEnabled", False)}
    return Existing(values, True, name, f"the alarm {name!r}")


def _topic(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    pages = clients.client("sns", change.region).get_paginator("list_topics").paginate()
    arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
    arn = next((arn for arn in arns if arn.rsplit(":", 1)[-1] == name), None)
    # AWS answers an existing topic's ARN if its attributes are the same, and refuses if not.
    return Existing({}, False, arn, f"the topic {name!r}") if arn else None


def _event_rule(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    rules = clients.client("events", change.region).list_rules(NamePrefix=name)["Rules"]
    if not any(rule["Name"] == name for rule in rules):
        return None
    return Existing({}, True, name, f"the EventBridge rule {name!r}")


def _budget(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    account = clients.account_id
    pages = clients.client("budgets").get_paginator("describe_budgets").paginate(AccountId=account)
    if not any(budget["BudgetName"] == name for page in pages for budget in page.get("Budgets", ())):
        return None
    return Existing({}, False, f"{account}:{name}", f"the budget {name!r}")


def _schedule_group(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    scheduler = clients.client("scheduler", change.region)
    try:
        scheduler.get_schedule_group(Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, name, f"the schedule group {name!r}")


READERS: dict[str, Reader] = {
    "aws_budgets_budget": _budget,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_cloudwatch_event_rule": _event_rule,
    "aws_scheduler_schedule_group": _schedule_group,
    "aws_sns_topic": _topic,
}
