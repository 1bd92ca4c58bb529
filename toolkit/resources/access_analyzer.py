"""IAM Access Analyzer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price, created_if
from toolkit.resources.reading import Account, Live, OnCreate, Reading


def _analyzers(account: Account, region: str) -> Iterator[Live]:
    for analyzer in account.pages("accessanalyzer", "list_analyzers", "analyzers", region):
        name, unused = analyzer["name"], analyzer.get("configuration", {}).get("unusedAccess")
        rule = (unused or {}).get("analysisRule", {})
        excluded = [
            {"account_ids": one.get("accountIds", []), "resource_tags": one.get("resourceTags", [])}
            for one in rule.get("exclusions", ())
        ]
        settings = {
            "unused_access_age": (unused or {}).get("unusedAccessAge"),
            "analysis_rule": [{"exclusion": excluded}] if excluded else [],
        }
        values = {
            "analyzer_name": name,
            "type": analyzer.get("type"),
            "configuration": [{"unused_access": [settings]}] if unused else [],
        }
        yield Live({"analyzer_name": name}, values, f"the analyzer {name!r} in {region}", name, arn=analyzer.get("arn"))


def _archive_rules(account: Account, region: str) -> Iterator[Live]:
    for analyzer in account.live("aws_accessanalyzer_analyzer", region):
        name = analyzer.key["analyzer_name"]
        for rule in account.pages("accessanalyzer", "list_archive_rules", "archiveRules", region, analyzerName=name):
            yield _archive_rule(name, rule)


def _find_archive_rule(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    analyzer = planned["analyzer_name"]
    answer = account.call(
        "accessanalyzer",
        "get_archive_rule",
        region,
        absent=("ResourceNotFoundException",),
        analyzerName=analyzer,
        ruleName=planned["rule_name"],
    )
    return None if answer is None else _archive_rule(analyzer, answer["archiveRule"])


def _archive_rule(analyzer: str, rule: Mapping[str, Any]) -> Live:
    name = rule["ruleName"]
    filters = [
        {
            "criteria": criteria,
            "eq": one.get("eq", []),
            "neq": one.get("neq", []),
            "contains": one.get("contains", []),
            "exists": str(one["exists"]).lower() if "exists" in one else "",
        }
        for criteria, one in sorted(rule.get("filter", {}).items())
    ]
    key = {"analyzer_name": analyzer, "rule_name": name}
    called = f"the archive rule {name!r} of the analyzer {analyzer!r}"
    return Live(key, {**key, "filter": filters}, called, f"{analyzer}/{name}")


TYPES = (
    ResourceType(
        "aws_accessanalyzer_analyzer",
        unrecorded=iam_actions(
            "access-analyzer",
            "CreateAnalyzer DeleteAnalyzer GetAnalyzer ListTagsForResource TagResource UntagResource UpdateAnalyzer",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Access Analyzer for unused access",
            "0.20 per IAM role or user and month; analyzers of external access are free",
            "https://aws.amazon.com/iam/access-analyzer/pricing/",
            "2026-11-28",
            driver="number of IAM roles and users of the account",
            # Analyzers of external access are free.
            starts=created_if("type", "UNUSED_ACCESS"),
        ),
        key=("analyzer_name",),
        reading=Reading(_analyzers, OnCreate.COLLIDES, actions=("access-analyzer:ListAnalyzers",)),
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
        unrecorded=iam_actions(
            "access-analyzer",
            "CreateArchiveRule DeleteArchiveRule GetArchiveRule UpdateArchiveRule",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Free(
            "hides findings of an analyzer, which bills by itself where it bills",
            "https://aws.amazon.com/iam/access-analyzer/pricing/",
            "2026-11-28",
        ),
        key=("analyzer_name", "rule_name"),
        reading=Reading(
            _archive_rules,
            OnCreate.COLLIDES,
            finds=_find_archive_rule,
            actions=(
                "access-analyzer:ListAnalyzers",
                "access-analyzer:ListArchiveRules",
                "access-analyzer:GetArchiveRule",
            ),
        ),
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
