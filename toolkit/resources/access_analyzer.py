"""IAM Access Analyzer."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, ResourceType, Strength, Stronger, each

TYPES = (
    ResourceType(
        "aws_accessanalyzer_analyzer",
        strengths=(
            Strength("configuration[0].unused_access[0].unused_access_age", Stronger.LOWER),
            # What is excluded is never reported.
            Strength(
                "configuration[0].unused_access[0].analysis_rule[0].exclusion",
                Stronger.SUBSET,
                unset_is_strongest=True,
            ),
        ),
        no_weaker_side={IDENTITY: "analyzer_name type"},
    ),
    ResourceType(
        "aws_accessanalyzer_archive_rule",
        # A rule archives, and so hides, what matches all of its filters: one filter less hides more, and so does a
        # further alternative in one. https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Criterion.html
        strengths=(
            Strength("filter", Stronger.SUPERSET),
            *each(Stronger.SUBSET, "filter[*].eq", "filter[*].contains"),
            Strength("filter[*].neq", Stronger.SUPERSET),
            Strength("filter[*].exists", Stronger.SAME),
        ),
        no_weaker_side={IDENTITY: "analyzer_name rule_name"},
        keys={"filter": ("criteria",)},
    ),
)
