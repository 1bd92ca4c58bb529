"""AWS CloudTrail."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, PLACE, ResourceType, Strength, Stronger, each

TYPES = (
    ResourceType(
        "aws_cloudtrail",
        strengths=(
            *each(
                Stronger.TRUE,
                "enable_logging",
                "enable_log_file_validation",
                "include_global_service_events",
                "is_multi_region_trail",
                "is_organization_trail",
            ),
            Strength("kms_key_id", Stronger.KEY),
            # Without either, nothing reaches CloudWatch Logs; whoever is notified of log files may read them.
            *each(Stronger.PRESENT, "cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn", "sns_topic_name"),
            Strength("s3_bucket_name", Stronger.SAME),
            Strength("advanced_event_selector", Stronger.SUPERSET),
            # Of a trail that is taken over: advanced selectors, which the module sets, replace these.
            Strength("event_selector", Stronger.SUPERSET),
            Strength("insight_selector", Stronger.SUPERSET),
        ),
        no_weaker_side={IDENTITY: "name", PLACE: "s3_key_prefix", NAMES: "advanced_event_selector.name"},
        # A selector is what it selects: AWS gives its name no meaning (CloudTrail API, AdvancedEventSelector).
        keys={"advanced_event_selector": ("field_selector",)},
    ),
)
