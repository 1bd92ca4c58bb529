"""Amazon EventBridge and EventBridge Scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from toolkit.resources.base import (
    FORMAT,
    IDENTITY,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price, created_if
from toolkit.resources.quota import Regional, listed
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for

_TIMING = "when within the same hours it runs"


_NONE = ("ResourceNotFoundException",)
_MOST_ATTEMPTS = 185
"""EventBridge User Guide, "How EventBridge retries delivering events": for 24 hours and up to 185 times by default; the
APIs of both services take no more than that.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""


def _rules(account: Account, region: str) -> Iterator[Live]:
    for rule in account.pages("events", "list_rules", "Rules", region):
        yield _rule(rule["Name"], rule)


def _find_rule(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    name = planned["name"]
    rule = account.call("events", "describe_rule", region, absent=_NONE, Name=name)
    return None if rule is None else _rule(name, rule)


def _rule(name: str, rule: Mapping[str, Any]) -> Live:
    values = {
        "event_pattern": rule.get("EventPattern"),
        "schedule_expression": rule.get("ScheduleExpression"),
        "state": rule.get("State"),
        "role_arn": rule.get("RoleArn"),
    }
    return Live(
        {"name": name},
        values,
        f"the EventBridge rule {name!r}",
        name,
        arn=rule.get("Arn"),
        managed_by=rule.get("ManagedBy"),
    )


def _targets(account: Account, region: str) -> Iterator[Live]:
    for rule in account.pages("events", "list_rules", "Rules", region):
        yield from _targets_of(account, region, rule["Name"])


def _find_target(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """PutTargets updates the target that has the same id."""
    found = _targets_of(account, region, planned["rule"])
    return next((one for one in found if one.key["target_id"] == planned["target_id"]), None)


def _targets_of(account: Account, region: str, rule: str) -> Iterator[Live]:
    for target in account.pages("events", "list_targets_by_rule", "Targets", region, absent=_NONE, Rule=rule):
        identifier, retry = target["Id"], target.get("RetryPolicy")
        policy = {
            "maximum_event_age_in_seconds": (retry or {}).get("MaximumEventAgeInSeconds"),
            "maximum_retry_attempts": (retry or {}).get("MaximumRetryAttempts"),
        }
        values = {
            "arn": target["Arn"],
            "role_arn": target.get("RoleArn"),
            "input": target.get("Input"),
            "input_path": target.get("InputPath"),
            "dead_letter_config": [{"arn": target.get("DeadLetterConfig", {}).get("Arn")}],
            "retry_policy": [policy] if retry else [],
        }
        called = f"the target {identifier!r} of the EventBridge rule {rule!r}"
        yield Live({"rule": rule, "target_id": identifier}, values, called, f"{rule}/{identifier}")


def _groups(account: Account, region: str) -> Iterator[Live]:
    for group in account.pages("scheduler", "list_schedule_groups", "ScheduleGroups", region):
        yield _group(group)


def _find_group(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    group = account.call("scheduler", "get_schedule_group", region, absent=_NONE, Name=planned["name"])
    return None if group is None else _group(group)


def _group(group: Mapping[str, Any]) -> Live:
    name = group["Name"]
    called, own = f"the schedule group {name!r}", name == "default"
    return Live({"name": name}, {"name": name}, called, name, arn=group.get("Arn"), by_default=own)


def _schedules(account: Account, region: str) -> Iterator[Live]:
    every = account.pages("scheduler", "list_schedules", "Schedules", region)
    keys = ({"group_name": one["GroupName"], "name": one["Name"]} for one in every)
    yield from found_for(account, region, _find_schedule, keys)


def _find_schedule(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    group, name = planned["group_name"], planned["name"]
    found = account.call("scheduler", "get_schedule", region, absent=_NONE, GroupName=group, Name=name)
    if found is None:
        return None
    target, retry = found.get("Target", {}), found.get("Target", {}).get("RetryPolicy", {})
    values = {
        "state": found.get("State"),
        "schedule_expression": found.get("ScheduleExpression"),
        "start_date": _time(found.get("StartDate")),
        "end_date": _time(found.get("EndDate")),
        "kms_key_arn": found.get("KmsKeyArn"),
        "target": [
            {
                "arn": target.get("Arn"),
                "role_arn": target.get("RoleArn"),
                "input": target.get("Input"),
                "dead_letter_config": [{"arn": target.get("DeadLetterConfig", {}).get("Arn")}],
                "retry_policy": [
                    {
                        "maximum_event_age_in_seconds": retry.get("MaximumEventAgeInSeconds"),
                        "maximum_retry_attempts": retry.get("MaximumRetryAttempts"),
                    }
                ],
            }
        ],
    }
    key = {"group_name": group, "name": name}
    return Live(key, values, f"the schedule {name!r}", f"{group}/{name}", arn=found.get("Arn"))


def _time(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None


_REPLACED = "a create replaces the target as a whole, and no module makes one of these"

_PRICES = "https://aws.amazon.com/eventbridge/pricing/"
_FREE = Free(
    "AWS's price page bills events and calls, not rules and groups; events of AWS services are free",
    "https://aws.amazon.com/eventbridge/pricing/",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_cloudwatch_event_rule",
        unrecorded=iam_actions("events", "DisableRule EnableRule"),
        price=_FREE,
        quota=Regional(
            "rules on the default event bus in {region}",
            100,  # in newer regions; 300 in the others
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
            listed("events", "list_rules", "Rules"),
            own_value=("events", "number of rules"),
        ),
        key=("name",),
        reading=Reading(
            _rules,
            OnCreate.OVERWRITES,
            finds=_find_rule,
            actions=("events:ListRules", "events:DescribeRule"),
            unread={"deprecated: state says it": "is_enabled"},
        ),
        strengths=(
            Strength("event_pattern", Stronger.PATTERN),
            Strength("schedule_expression", Stronger.SAME),
            Strength(
                "state",
                Stronger.ORDER,
                order=("DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
                unset="ENABLED",
            ),
            # Deprecated for `state`; a rule without it is on.
            Strength("is_enabled", Stronger.TRUE, unset_is_strongest=True),
            Strength("role_arn", Stronger.PRESENT),
        ),
        no_weaker_side={
            IDENTITY: "name name_prefix event_bus_name",
            NAMES: "description",
            TERRAFORM: "force_destroy",
        },
    ),
    ResourceType(
        "aws_cloudwatch_event_target",
        arn_of_another=True,  # its target's
        payloads=("input",),
        price=Price(
            "EventBridge target that is another event bus",
            "1.00 per million events that go to another event bus, as custom events",
            _PRICES,
            "2026-11-28",
            driver="number of findings, or of sign-ins as root",
            regions="data that leaves the region bills as such",
            # Handing AWS services' events to anything but another event bus is free.
            starts=created_if("arn", ":event-bus/"),
        ),
        key=("rule", "target_id"),
        reading=Reading(
            _targets,
            OnCreate.OVERWRITES,
            finds=_find_target,
            actions=("events:ListRules", "events:ListTargetsByRule"),
            unread={
                _REPLACED: "appsync_target batch_target ecs_target http_target kinesis_target redshift_target "
                "run_command_targets sagemaker_pipeline_target sqs_target"
            },
        ),
        strengths=(
            Strength("arn", Stronger.SAME),
            *each(Stronger.PRESENT, "role_arn", "dead_letter_config[0].arn"),
            # A constant, or one part, takes the place of the event.
            *each(Stronger.SAME, "input", "input_path", unset_is_strongest=True),
            # Without limits, EventBridge tries for as long as it ever does.
            Strength("retry_policy[0].maximum_event_age_in_seconds", Stronger.HIGHER, unset_is_strongest=True),
            Strength("retry_policy[0].maximum_retry_attempts", Stronger.HIGHER, unset=_MOST_ATTEMPTS),
            # How the service at `arn` is called: what it does there is decided by these.
            *each(
                Stronger.SAME,
                "appsync_target",
                "batch_target",
                "ecs_target",
                "http_target",
                "kinesis_target",
                "redshift_target",
                "run_command_targets",
                "sagemaker_pipeline_target",
                "sqs_target",
            ),
        ),
        no_weaker_side={
            IDENTITY: "rule target_id event_bus_name",
            FORMAT: "input_transformer",
            TERRAFORM: "force_destroy",
        },
        sets=(
            "ecs_target.capacity_provider_strategy",
            "ecs_target.placement_constraint",
            "sagemaker_pipeline_target.pipeline_parameter_list",
        ),
    ),
    ResourceType(
        "aws_scheduler_schedule_group",
        unrecorded=iam_actions("scheduler", "UntagResource"),
        price=_FREE,
        key=("name",),
        reading=Reading(
            _groups,
            OnCreate.COLLIDES,
            finds=_find_group,
            actions=("scheduler:ListScheduleGroups", "scheduler:GetScheduleGroup"),
        ),
        no_weaker_side={IDENTITY: "name name_prefix"},
    ),
    ResourceType(
        "aws_scheduler_schedule",
        unrecorded=iam_actions("scheduler", "UpdateSchedule"),
        payloads=("target[0].input",),
        price=Price(
            "EventBridge schedule",
            "the first 14 million calls a month are free, then 1.00 per million",
            _PRICES,
            "2026-11-28",
            driver="number of calls: one a week for each schedule",
            regions="1.25 per million in ap-northeast-1",
        ),
        key=("group_name", "name"),
        reading=Reading(
            _schedules,
            OnCreate.COLLIDES,
            assumed={"group_name": "default"},
            finds=_find_schedule,
            actions=("scheduler:ListSchedules", "scheduler:GetSchedule"),
        ),
        strengths=(
            Strength("state", Stronger.ORDER, order=("DISABLED", "ENABLED")),
            *each(Stronger.SAME, "schedule_expression", "target[0].arn", "target[0].input"),
            *each(Stronger.SAME, "start_date", "end_date", unset_is_strongest=True),
            Strength("kms_key_arn", Stronger.KEY),
            *each(Stronger.PRESENT, "target[0].role_arn", "target[0].dead_letter_config[0].arn"),
            Strength(
                "target[0].retry_policy[0].maximum_event_age_in_seconds", Stronger.HIGHER, unset_is_strongest=True
            ),
            Strength("target[0].retry_policy[0].maximum_retry_attempts", Stronger.HIGHER, unset=_MOST_ATTEMPTS),
            # How the service at `target.arn` is called: what it does there is decided by these.
            *each(
                Stronger.SAME,
                "target[0].ecs_parameters",
                "target[0].eventbridge_parameters",
                "target[0].kinesis_parameters",
                "target[0].sagemaker_pipeline_parameters",
                "target[0].sqs_parameters",
            ),
        ),
        no_weaker_side={
            IDENTITY: "name name_prefix group_name",
            NAMES: "description",
            _TIMING: "flexible_time_window schedule_expression_timezone",
        },
        sets=(
            "target.ecs_parameters.capacity_provider_strategy",
            "target.ecs_parameters.placement_constraints",
            "target.ecs_parameters.placement_strategy",
            "target.sagemaker_pipeline_parameters.pipeline_parameter",
        ),
    ),
)
