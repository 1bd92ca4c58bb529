"""Notifies about old access keys and unused credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from toolkit.components.base import Component, Protected, Scope
from toolkit.components.config import Config, RuleName
from toolkit.policies import Need
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.values import at_least_one, no_repetition
from toolkit.spelling import nearest


class KeyRotation(Settings):
    """Settings of `key_rotation`."""

    rules: Annotated[
        tuple[RuleName, ...], Field(strict=False), AfterValidator(no_repetition), AfterValidator(at_least_one)
    ] = Field(
        ("access-keys-rotated", "iam-user-unused-credentials-check"),
        description="Names of the rules of config whose findings cause notifications; the ages are those rules' "
        "parameters.",
    )


def _mismatches(settings: KeyRotation, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Rules that config does not have, or evaluates where this component does not listen."""
    config = others.get("config")
    rules = {**config.rules, **config.additional_rules} if isinstance(config, Config) else {}
    for index, name in enumerate(settings.rules):
        if name not in rules:
            yield Mismatch(
                ("rules", index),
                f"config has no rule {name!r}",
                "a name under config.rules or config.additional_rules",
                nearest(name, list(rules)),
            )
        elif not rules[name].home_region_only:
            yield Mismatch(
                ("rules", index),
                f"{name!r} is evaluated in every region, and only its findings of the home region would be reported",
                "a rule with home_region_only, about IAM",
            )


COMPONENT = Component(
    name="key_rotation",
    title="Key rotation",
    purpose="Notifies about old access keys and unused credentials.",
    scope=Scope.HOME_REGION,
    settings=KeyRotation,
    requires=("config", "activity_alarms"),
    derived=("topic",),
    protects=(
        Protected("aws_cloudwatch_event_rule"),
        Protected("aws_cloudwatch_event_target"),
        Protected("aws_cloudwatch_metric_alarm"),
    ),
    bills="an alarm",
    mismatches=_mismatches,
    needs=(
        Need("events:PutRule", "arn:{partition}:events:{region}:{account}:rule/baseline-activity-key-rotation"),
        Need("events:PutTargets", "arn:{partition}:events:{region}:{account}:rule/baseline-activity-key-rotation"),
        Need("events:DescribeRule", "arn:{partition}:events:{region}:{account}:rule/baseline-activity-key-rotation"),
    ),
)
