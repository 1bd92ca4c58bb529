"""Readers of what tells people or programs: alarms, topics, EventBridge, schedules, budgets."""

from __future__ import annotations

import json

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _topic(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    arns = [topic["TopicArn"] for topic in clients.listed("sns", "list_topics", "Topics", change.region)]
    arn = next((arn for arn in arns if arn.rsplit(":", 1)[-1] == name), None)
    # CreateTopic answers the existing one's ARN, refuses only where the tags differ. Its attributes would be set then,
    # and its policy, which stands beside it: so it is taken over knowingly, by an import, or not at all.
    return Existing({}, False, arn, f"the topic {name!r}") if arn else None


def _topic_policy(clients: ClientFactory, change: Change) -> Existing | None:
    arn = named(change, "arn")
    if arn is None:
        # Of a topic that is still to be made.
        return None
    sns = clients.client("sns", change.region)
    try:
        policy = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    except sns.exceptions.NotFoundException:
        return None
    if _is_given_by_sns(policy):
        return None
    return overwriting(change, {"policy": policy}, arn, f"the policy of the topic {arn.rsplit(':', 1)[-1]!r}")


def _is_given_by_sns(policy: str) -> bool:
    """Whether it is that of a new topic, which lets in the topic's account and denies nothing."""
    statements = json.loads(policy)["Statement"]
    return len(statements) == 1 and str(statements[0].get("Sid")).endswith("__default_statement_ID")


def _event_rule(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    events = clients.client("events", change.region)
    try:
        rule = events.describe_rule(Name=name)
    except events.exceptions.ResourceNotFoundException:
        return None
    values = {
        "event_pattern": rule.get("EventPattern"),
        "schedule_expression": rule.get("ScheduleExpression"),
        "state": rule.get("State"),
    }
    return Existing(values, True, name, f"the EventBridge rule {name!r}")


def _event_target(clients: ClientFactory, change: Change) -> Existing | None:
    """PutTargets updates the target that has the same id."""
    rule, identifier = named(change, "rule"), named(change, "target_id")
    if rule is None or identifier is None:
        return None
    events = clients.client("events", change.region)
    try:
        pages = list(events.get_paginator("list_targets_by_rule").paginate(Rule=rule))
    except events.exceptions.ResourceNotFoundException:
        return None
    target = next((t for page in pages for t in page["Targets"] if t["Id"] == identifier), None)
    if target is None:
        return None
    values = {
        "arn": target["Arn"],
        "role_arn": target.get("RoleArn"),
        "input": target.get("Input"),
        "input_path": target.get("InputPath"),
        "dead_letter_config": [{"arn": target.get("DeadLetterConfig", {}).get("Arn")}],
    }
    return Existing(values, True, f"{rule}/{identifier}", f"the target {identifier!r} of the EventBridge rule {rule!r}")


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


def _schedule(clients: ClientFactory, change: Change) -> Existing | None:
    group, name = named(change, "group_name"), named(change, "name")
    scheduler = clients.client("scheduler", change.region)
    try:
        scheduler.get_schedule(GroupName=group or "default", Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, f"{group or 'default'}/{name}", f"the schedule {name!r}")


READERS: dict[str, Reader] = {
    "aws_budgets_budget": _budget,
    "aws_cloudwatch_event_rule": _event_rule,
    "aws_cloudwatch_event_target": _event_target,
    "aws_scheduler_schedule": _schedule,
    "aws_scheduler_schedule_group": _schedule_group,
    "aws_sns_topic": _topic,
    "aws_sns_topic_policy": _topic_policy,
}
