"""The names that policies are narrowed to, against those in plans that Terraform made (tests/plans/components)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import pytest

from toolkit.environment import load_text
from toolkit.globs import glob
from toolkit.permissions import names as kinds
from toolkit.permissions.names import names, protected

from .recordings import ROOT

PLANS = ROOT / "tests" / "plans" / "components"
NAMED = {
    "aws_accessanalyzer_analyzer": (kinds.ANALYZER, "{analyzer_name}"),
    "aws_budgets_budget": (kinds.BUDGET, "{name}"),
    "aws_cloudtrail": (kinds.TRAIL, "{name}"),
    "aws_cloudwatch_event_rule": (kinds.RULE, "{name}"),
    "aws_cloudwatch_log_group": (kinds.LOG_GROUP, "{name}"),
    "aws_cloudwatch_metric_alarm": (kinds.ALARM, "{alarm_name}"),
    "aws_config_configuration_recorder": (kinds.RECORDER, "{name}/id"),
    "aws_iam_group": (kinds.GROUP, "{path}{name}"),
    "aws_iam_openid_connect_provider": (kinds.PROVIDER, "{url}"),
    "aws_iam_policy": (kinds.POLICY, "{path}{name}"),
    "aws_iam_role": (kinds.ROLE, "{path}{name}"),
    "aws_iam_user": (kinds.USER, "{path}{name}"),
    "aws_kms_alias": (kinds.ALIAS, "{name}"),
    "aws_s3_bucket": (kinds.BUCKET, "{bucket}"),
    "aws_scheduler_schedule": (kinds.SCHEDULE, "{group_name}/{name}"),
    "aws_scheduler_schedule_group": (kinds.SCHEDULE_GROUP, "{name}"),
    "aws_sns_topic": (kinds.TOPIC, "{name}"),
}
"""Type → kind of its ARN, and its name there."""


@cache
def planned(sample: str) -> tuple[tuple[str, str, str], ...]:
    """(address, kind, name) of what a recorded plan makes."""
    plan = json.loads((PLANS / f"{sample}.json").read_text("utf-8"))

    def found() -> Iterator[tuple[str, str, str]]:
        for entry in plan["resource_changes"]:
            after = entry["change"].get("after")
            if entry["type"] in NAMED and after:
                kind, form = NAMED[entry["type"]]
                name = form.format(**{"path": "/", **{k: v for k, v in after.items() if isinstance(v, str)}})
                yield entry["address"], kind, name.removeprefix("/" if "iam" in kind else "").removeprefix("https://")

    return tuple(found())


@pytest.mark.parametrize("sample", sorted(file.stem for file in PLANS.glob("*.yaml")))
def test_every_name_that_terraform_plans_is_covered(sample: str):
    text = (PLANS / f"{sample}.yaml").read_text("utf-8")
    called = names(load_text(text, name=sample, shown_as=sample, folder=PLANS)).of
    wrong = [
        f"{address}: {name}"
        for address, kind, name in planned(sample)
        if not any(glob(pattern).matches(name.removeprefix("alias/")) for pattern in called.get(kind, ()))
    ]
    assert wrong == []


KEEPING = {
    kinds.BUCKET: "buckets",
    kinds.LOG_GROUP: "log_groups",
    kinds.ALIAS: "key_aliases",
    kinds.TOPIC: "topics",
    kinds.RULE: "event_rules",
    kinds.ALARM: "alarms",
    kinds.SCHEDULE_GROUP: "schedule_groups",
}


@pytest.mark.parametrize("sample", sorted(file.stem for file in PLANS.glob("*.yaml")))
def test_whatever_holds_logs_or_carries_alerts_is_protected(sample: str):
    """All that components make of these kinds, and no bucket that they only name."""
    environment = load_text((PLANS / f"{sample}.yaml").read_text("utf-8"), name=sample, shown_as=sample, folder=PLANS)
    kept = protected(environment)
    made = [(kind, name.removeprefix("alias/")) for _, kind, name in planned(sample) if kind in KEEPING]
    assert [one for one in made if not any(glob(p).matches(one[1]) for p in kept[KEEPING[one[0]]])] == []
    assert not {"example-access-logs", "example-flow-logs"} & {*kept["buckets"]}
    assert set(kept) == set(KEEPING.values())


def test_every_kind_is_compared():
    seen = {kind for file in PLANS.glob("*.yaml") for _, kind, _ in planned(file.stem)}
    assert {kind for kind, _ in NAMED.values()} - seen == set()
