"""Amazon EventBridge and EventBridge Scheduler."""

from __future__ import annotations

from toolkit.resources.base import FORMAT, IDENTITY, NAMES, TERRAFORM, ResourceType, Strength, Stronger, each

_TIMING = "when within the same hours it runs"

TYPES = (
    ResourceType(
        "aws_cloudwatch_event_rule",
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
        strengths=(
            Strength("arn", Stronger.SAME),
            *each(Stronger.PRESENT, "role_arn", "dead_letter_config[0].arn"),
            # A constant, or one part, takes the place of the event.
            *each(Stronger.SAME, "input", "input_path", unset_is_strongest=True),
            # Without limits, EventBridge tries for as long as it ever does; no attempt at all is written as 0.
            Strength("retry_policy[0].maximum_event_age_in_seconds", Stronger.HIGHER, unset_is_strongest=True),
            Strength("retry_policy[0].maximum_retry_attempts", Stronger.SAME, unset_is_strongest=True),
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
    ),
    ResourceType("aws_scheduler_schedule_group", no_weaker_side={IDENTITY: "name name_prefix"}),
    ResourceType(
        "aws_scheduler_schedule",
        strengths=(
            Strength("state", Stronger.ORDER, order=("DISABLED", "ENABLED")),
            *each(Stronger.SAME, "schedule_expression", "target[0].arn", "target[0].input"),
            *each(Stronger.SAME, "start_date", "end_date", unset_is_strongest=True),
            Strength("kms_key_arn", Stronger.KEY),
            *each(Stronger.PRESENT, "target[0].role_arn", "target[0].dead_letter_config[0].arn"),
            Strength(
                "target[0].retry_policy[0].maximum_event_age_in_seconds", Stronger.HIGHER, unset_is_strongest=True
            ),
            Strength("target[0].retry_policy[0].maximum_retry_attempts", Stronger.SAME, unset_is_strongest=True),
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
    ),
)
