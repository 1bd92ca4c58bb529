"""Trusted Advisor: people are told when its checks turn yellow or red."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import CHINA, Component, Lacking, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.base import Settings
from toolkit.settings.contacts import Subscribers
from toolkit.settings.values import at_least_one, checked, no_repetition

# 56: a role's name has at most 64 characters, and -refresh stands behind it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,55}")
_TOPIC_ARN = re.compile(ARN + r":sns:(us-east-1|us-gov-west-1|cn-north-1):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_CHECK_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WITHOUT_API = ("basic", "developer")

_name = checked(_NAME, "1 to 56 letters, digits, underscores and hyphens, a letter or digit first")
_topic_arn = checked(
    _TOPIC_ARN,
    "the ARN of a topic in us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1), such as "
    "arn:aws:sns:us-east-1:123456789012:alerts",
)
_check_id = checked(_CHECK_ID, "the id of a check, such as HCP4007jGY")


def _check_name(value: str) -> str:
    if not value.strip():
        raise ValueError("expected the name of a check")
    return value


Status = Literal["OK", "WARN", "ERROR"]


class Refresh(Settings):
    """Checks that are refreshed once a week; needs the Support API."""

    check_ids: Annotated[
        tuple[Annotated[str, _check_id], ...],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(description="Ids of the checks; `aws support describe-trusted-advisor-checks --language en` lists them.")
    weekday: Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] = Field("MON", description="The day.")
    hour_utc: Annotated[int, Field(ge=0, le=23)] = Field(
        6, description="The hour, in UTC, within which the refresh runs."
    )


class TrustedAdvisor(Settings):
    """Settings of `trusted_advisor`."""

    name: Annotated[str, _name] = Field(
        "baseline-trusted-advisor",
        description="Name of rule, topic, schedule group and key alias, and prefix of the role's name.",
    )
    subscribers: Subscribers | None = Field(
        None, description="Recipients, through an encrypted topic that Terraform creates; null: topic_arn."
    )
    topic_arn: Annotated[str, _topic_arn] | None = Field(
        None,
        description="ARN of an existing topic in us-east-1, whose policy (and key) allow events.amazonaws.com and "
        "cloudwatch.amazonaws.com to publish; null: Terraform creates a topic for subscribers.",
    )
    statuses: Annotated[
        tuple[Status, ...], Field(strict=False), AfterValidator(no_repetition), AfterValidator(at_least_one)
    ] = Field(("ERROR", "WARN"), description="Status to which a check, or one of its resources, must change.")
    check_names: Annotated[
        tuple[Annotated[str, AfterValidator(_check_name)], ...], Field(strict=False), AfterValidator(no_repetition)
    ] = Field((), description="Checks that cause notifications, by their English names; empty: every check.")
    support_plan: Literal[
        "basic", "developer", "business", "business_plus", "enterprise_on_ramp", "enterprise", "unified_operations"
    ] = Field("basic", description="The account's AWS Support plan; plans from business up have the API for refreshes.")
    refresh: Refresh | None = Field(
        None, description="Checks to refresh once a week; null: none beyond AWS's own refreshes."
    )

    @model_validator(mode="after")
    def _somebody_is_told(self) -> TrustedAdvisor:
        if (self.subscribers is None) == (self.topic_arn is None):
            raise ValueError("trusted_advisor must have either subscribers or topic_arn")
        if self.refresh is not None and self.support_plan in _WITHOUT_API:
            raise ValueError(
                f"refresh needs a support_plan of business or higher: {self.support_plan} has no API for it"
            )
        return self


COMPONENT = Component(
    name="trusted_advisor",
    title="Trusted Advisor",
    purpose="Notifies about Trusted Advisor checks that turn yellow or red, and refreshes checks every week.",
    scope=Scope.GLOBAL_REGION,
    settings=TrustedAdvisor,
    protects=(
        Protected("aws_cloudwatch_event_rule"),
        Protected("aws_cloudwatch_event_target"),
        Protected("aws_cloudwatch_metric_alarm"),
        Protected("aws_sns_topic"),
        # Without its policy, a topic refuses what EventBridge and CloudWatch send.
        Protected("aws_sns_topic_policy", released_by=("aws_sns_topic", "arn", "arn")),
        # Whoever is taken out is told nothing any more; a topic takes its subscribers with it.
        Protected("aws_sns_topic_subscription", released_by=("aws_sns_topic", "arn", "topic_arn")),
        Protected("aws_kms_key"),
    ),
    lacking_in=(
        Lacking(
            "access to Trusted Advisor through the Support API",
            (CHINA,),
            "refresh",
            "no refresh",
            "https://docs.amazonaws.cn/en_us/aws/latest/userguide/awssupport.html, read on 2026-11-28",
        ),
    ),
    bills="a KMS key and an alarm; refreshes need a support plan, which is billed separately",
    needs=(
        Need("events:PutRule", "arn:{partition}:events:{region}:{account}:rule/baseline-trusted-advisor"),
        Need("sns:CreateTopic", "arn:{partition}:sns:{region}:{account}:baseline-trusted-advisor"),
        Need(
            "scheduler:CreateSchedule",
            "arn:{partition}:scheduler:{region}:{account}:schedule/baseline-trusted-advisor/HCP4007jGY",
        ),
    ),
)
