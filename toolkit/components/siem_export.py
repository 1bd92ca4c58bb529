"""Logs and findings sent to a SIEM outside the account."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Component, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.base import Settings
from toolkit.settings.iam import ExternalId
from toolkit.settings.values import at_least_one, checked, no_repetition

# 44: a rule's and a role's name has at most 64 characters, and the longest suffix is -log-subscription.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,43}")
_EVENT_BUS_ARN = re.compile(rf"{ARN}:events:[a-z0-9-]+:[0-9]{{12}}:event-bus/[A-Za-z0-9/_.-]{{1,256}}")
_DESTINATION_ARN = re.compile(
    rf"{ARN}:(firehose:[a-z0-9-]+:[0-9]{{12}}:deliverystream/|kinesis:[a-z0-9-]+:[0-9]{{12}}:stream/"
    r"|logs:[a-z0-9-]+:[0-9]{12}:destination:)[A-Za-z0-9_.-]{1,512}"
)
_PRINCIPAL_ARN = re.compile(rf"{ARN}:iam::[0-9]{{12}}:(root|(role|user)/[A-Za-z0-9_+=,.@/-]{{1,512}})")

_name = checked(_NAME, "1 to 44 letters, digits, underscores and hyphens, a letter or digit first")
_event_bus_arn = checked(
    _EVENT_BUS_ARN, "the ARN of an event bus, such as arn:aws:events:eu-central-1:111122223333:event-bus/siem"
)
_destination_arn = checked(
    _DESTINATION_ARN,
    "the ARN of a Firehose stream, a Kinesis stream or a destination of CloudWatch Logs, such as "
    "arn:aws:logs:eu-central-1:111122223333:destination:siem",
)
_principal_arn = checked(
    _PRINCIPAL_ARN,
    "the ARN of a role, a user or an account, without wildcards, such as arn:aws:iam::111122223333:role/siem",
)

Source = Literal["guardduty", "security_hub", "access_analyzer", "root_sign_ins", "inspector", "macie"]


class Findings(Settings):
    """Findings of every active region, by EventBridge to another account's event bus."""

    event_bus_arn: Annotated[str, _event_bus_arn] = Field(
        description="ARN of the SIEM's event bus, whose policy allows this account to put events."
    )
    sources: Annotated[
        tuple[Source, ...], Field(strict=False), AfterValidator(no_repetition), AfterValidator(at_least_one)
    ] = Field(
        ("access_analyzer", "guardduty", "root_sign_ins", "security_hub"),
        description="Which findings to send. Security Hub also forwards the other services' findings, so each of them "
        "that is also listed arrives twice, the first time some minutes earlier.",
    )


class LogSubscription(Settings):
    """The events of the trail's log group, as a stream."""

    destination_arn: Annotated[str, _destination_arn] = Field(
        description="ARN of a Firehose or Kinesis stream of this account and the home region, or of a destination of "
        "CloudWatch Logs, in any account."
    )
    filter_pattern: Annotated[str, Field(max_length=1024)] = Field(
        "", description="CloudWatch Logs filter pattern of the events to send; empty: every event."
    )


class TrailReader(Settings):
    """A role with which another account reads the trail's log files."""

    principal_arns: Annotated[
        tuple[Annotated[str, _principal_arn], ...],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(description="ARNs of the roles, users or accounts that may assume the role.")
    external_id: ExternalId = Field(description="External id that they must send; a vendor chooses one per customer.")
    max_session_hours: Annotated[int, Field(ge=1, le=12)] = Field(
        1, description="Maximum length of a session in hours, 1 to 12."
    )


class SiemExport(Settings):
    """Settings of `siem_export`; each of the three ways is off unless it is given."""

    name: Annotated[str, _name] = Field(
        "baseline-siem", description="The names of roles, rules and subscription filter start with it."
    )
    findings: Findings | None = Field(
        None, description="Findings of every active region, to another account's event bus; null sends none."
    )
    log_subscription: LogSubscription | None = Field(
        None, description="The trail's events, to a stream or a destination of CloudWatch Logs; null sends none."
    )
    trail_reader: TrailReader | None = Field(
        None, description="A role with which another account reads the trail's log files; null creates none."
    )

    @model_validator(mode="after")
    def _exports_something(self) -> SiemExport:
        if self.findings is None and self.log_subscription is None and self.trail_reader is None:
            raise ValueError("siem_export must have at least one of findings, log_subscription and trail_reader")
        return self


COMPONENT = Component(
    name="siem_export",
    title="SIEM export",
    purpose="Sends logs and findings to a SIEM: by event bus, log subscription, or a role that reads log files.",
    scope=Scope.EVERY_REGION,
    settings=SiemExport,
    requires_with=(("log_subscription", "cloudtrail"), ("trail_reader", "cloudtrail")),
    derived=("log_group_name", "trail_bucket_name", "trail_key_arn", "role_arn"),
    protects=(
        Protected("aws_cloudwatch_event_rule"),
        Protected("aws_cloudwatch_event_target"),
        Protected("aws_cloudwatch_log_subscription_filter"),
        # These deliver the events and log files.
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy"),
    ),
    bills="events sent to another account, and what the log subscription streams",
    needs=(
        Need("events:PutRule", "arn:{partition}:events:{region}:{account}:rule/baseline-siem-guardduty"),
        Need("events:PutTargets", "arn:{partition}:events:{region}:{account}:rule/baseline-siem-guardduty"),
        Need(
            "logs:PutSubscriptionFilter", "arn:{partition}:logs:{region}:{account}:log-group:/aws/cloudtrail/baseline"
        ),
        Need("iam:CreateRole", "arn:{partition}:iam::{account}:role/baseline-siem-forward"),
    ),
)
