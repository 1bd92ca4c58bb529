"""A GuardDuty detector in every region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.aws_lists import aws_list
from toolkit.components.base import (
    LOG_BUCKET,
    SECURITY_EMAIL,
    Component,
    Ending,
    Every,
    NewerProvider,
    Place,
    Protected,
    Scope,
    Seen,
)
from toolkit.policies import Need
from toolkit.regions import opt_in
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.regions import Region
from toolkit.settings.s3 import BucketName, LogBucket
from toolkit.settings.values import checked, no_repetition

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,55}")

Status = Literal["ENABLED", "DISABLED"]
Plan = Literal[
    "s3_data_events",
    "eks_audit_logs",
    "ebs_malware_protection",
    "rds_login_events",
    "lambda_network_logs",
    "runtime_monitoring",
    "ai_protection",
]


_KNOWN_LACKING: Mapping[str, list[str]] = aws_list("guardduty_plans").items
"""Region → protection plans that GuardDuty lacks there, as AWS's pages have it."""

_email = checked(_EMAIL, "an e-mail address such as security@example.com")
_topic_name = checked(_TOPIC_NAME, "1 to 55 letters, digits, underscores and hyphens")


class Protection(Settings):
    """The protection plans beyond the foundational detection, each billed by use."""

    s3_data_events: Status = Field("DISABLED", description="S3 Protection: access to objects.")
    eks_audit_logs: Status = Field("DISABLED", description="EKS Protection: audit logs of Kubernetes.")
    ebs_malware_protection: Status = Field(
        "DISABLED", description="Malware Protection for EC2: scans of the volumes of suspicious instances."
    )
    rds_login_events: Status = Field("DISABLED", description="RDS Protection: logins to databases.")
    lambda_network_logs: Status = Field("DISABLED", description="Lambda Protection: network activity of functions.")
    runtime_monitoring: Status = Field(
        "DISABLED", description="Runtime Monitoring: processes in EKS, ECS and EC2, seen by an agent."
    )


class RuntimeMonitoringAgents(Settings):
    """Where GuardDuty manages the agent of runtime monitoring."""

    eks_addon: Status = Field("DISABLED", description="EKS clusters.")
    ecs_fargate: Status = Field("DISABLED", description="ECS tasks on Fargate.")
    ec2: Status = Field("DISABLED", description="EC2 instances.")


class FindingsBucket(LogBucket):
    """The bucket that findings are exported to."""

    access_log_bucket: BucketName | None = Field(
        None, description="Name of a bucket that receives the bucket's access logs; null writes none."
    )


class Notifications(Settings):
    """Findings by e-mail."""

    email_addresses: Annotated[
        tuple[Annotated[str, _email], ...], Field(strict=False), AfterValidator(no_repetition)
    ] = Field((), description="Recipients; each address confirms its subscription once. Empty: none.")
    minimum_severity: Annotated[float, Field(ge=1, le=10)] = Field(
        7, description="Minimum severity to send, 1 to 10; 7 and above is high, 9 and above critical."
    )
    name: Annotated[str, _topic_name] = Field(
        "baseline-guardduty-findings", description="Name of the topic and of the rules that publish to it."
    )


class GuardDuty(Settings):
    """Settings of `guardduty`; values are those of the GuardDuty API."""

    finding_publishing_frequency: Literal["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"] = Field(
        "FIFTEEN_MINUTES",
        description="How often GuardDuty publishes new occurrences of a known finding; it always publishes new "
        "findings within five minutes.",
    )
    protection: Protection = Field(
        Protection(), description="The protection plans beyond the foundational detection, each billed by use."
    )
    ai_protection: Status | None = Field(
        None,
        description="AI Protection, billed by use: model invocations of Amazon Bedrock and SageMaker AI. null does not "
        'change the plan. Requires `terraform.aws_provider_version: "~> 6.0"`.',
    )
    runtime_monitoring_agents: RuntimeMonitoringAgents = Field(
        RuntimeMonitoringAgents(), description="Where GuardDuty manages the agent of runtime monitoring."
    )
    export_findings: bool = Field(
        False,
        description="Whether GuardDuty exports findings to a bucket, which keeps them longer than GuardDuty's 90 days.",
    )
    findings_bucket: FindingsBucket = Field(
        FindingsBucket(),
        description="The bucket that receives exported findings; created when export_findings is true.",
    )
    notifications: Notifications = Field(Notifications(), description="Findings by e-mail.")
    plans_not_offered: dict[Region, Annotated[tuple[Plan, ...], Field(strict=False), AfterValidator(no_repetition)]] = (
        Field(
            {},
            description="Active region => protection plans that AWS does not offer there, beyond those that the "
            "toolkit knows of (rds_login_events in ap-east-2, runtime_monitoring in China): Terraform leaves them out "
            "there, since GuardDuty refuses to switch them even off.",
        )
    )

    @model_validator(mode="after")
    def _agents_need_their_plan(self) -> GuardDuty:
        agents = self.runtime_monitoring_agents
        if self.protection.runtime_monitoring == "DISABLED" and "ENABLED" in (
            agents.eks_addon,
            agents.ecs_fargate,
            agents.ec2,
        ):
            raise ValueError("runtime_monitoring_agents need protection.runtime_monitoring to be ENABLED")
        return self

    @model_validator(mode="after")
    def _bucket_needs_the_export(self) -> GuardDuty:
        if not self.export_findings and self.findings_bucket != FindingsBucket():
            raise ValueError("findings_bucket has no effect without export_findings: true")
        return self


def plans_lacking(settings: GuardDuty, region: str) -> list[str]:
    """Protection plans that GuardDuty does not offer in a region."""
    return sorted({*_KNOWN_LACKING.get(region, ()), *settings.plans_not_offered.get(region, ())})


def plans_lacking_everywhere(settings: GuardDuty, place: Place) -> set[str]:
    """Protection plans that GuardDuty offers in no active region."""
    return set.intersection(*(set(plans_lacking(settings, region)) for region in place.active))


def plans_left_out(settings: GuardDuty, region: str) -> list[str]:
    """Of the plans that `protection` has, and the modules set in any case: those that GuardDuty lacks in a region."""
    return [plan for plan in plans_lacking(settings, region) if plan in Protection.model_fields]


def _compose(settings: GuardDuty, place: Place) -> Mapping[str, Any]:
    with_ai = [r for r in place.active if settings.ai_protection and "ai_protection" not in plans_lacking(settings, r)]
    return {
        "opt_in_regions": sorted(filter(opt_in, place.regions)),
        "unsupported_plans": {region: plans_left_out(settings, region) for region in place.active},
        "ai_protection_regions": with_ai,
    }


def _not_offered(settings: GuardDuty, place: Place) -> Iterator[Mismatch]:
    for plan in sorted(plans_lacking_everywhere(settings, place)):
        setting = ("protection", plan) if plan in Protection.model_fields else (plan,)
        status: Any = reduce(getattr, setting, settings)
        if status == "ENABLED":
            where = ", ".join(place.active)
            yield Mismatch(setting, f"AWS offers it in none of {where}", "DISABLED, or another region")
    # "However, you can't export these findings to an S3 bucket in an opt-in Region" and "you can't export findings from
    # one opt-in Region to another opt-in Region", read on 2026-11-28 in
    # https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html
    others = [region for region in place.active if region != place.home_region]
    if settings.export_findings and opt_in(place.home_region) and others:
        yield Mismatch(
            ("export_findings",),
            f"the bucket is in the home region {place.home_region}, which accounts have to enable: GuardDuty exports "
            f"no other region's findings to it, such as those of {others[0]}",
            "a home region that accounts need not enable, or export_findings: false",
        )


def _read_back(_: GuardDuty, place: Place, every: Every) -> Iterator[Seen]:
    for region in place.active:
        detectors = every("aws_guardduty_detector", region)
        if not detectors:
            yield Seen(region, "no detector", False)
        for detector in detectors:
            enabled = detector.values["enable"]
            frequency = detector.values["finding_publishing_frequency"]
            text = f"detector {'enabled' if enabled else 'DISABLED'}, publishes every {frequency}"
            yield Seen(region, text, enabled)


COMPONENT = Component(
    name="guardduty",
    title="GuardDuty",
    purpose="Detects threats in every region and optionally sends notifications.",
    scope=Scope.EVERY_REGION,
    settings=GuardDuty,
    read_back=_read_back,
    protects=(
        Protected("aws_guardduty_detector"),
        Protected("aws_guardduty_detector_feature"),
        Protected("aws_guardduty_publishing_destination"),
        # Without them nobody is told.
        Protected("aws_cloudwatch_event_rule"),
        Protected("aws_cloudwatch_event_target"),
        Protected("aws_cloudwatch_metric_alarm"),
        Protected("aws_sns_topic"),
        # Without its policy, a topic refuses what EventBridge and CloudWatch send.
        Protected("aws_sns_topic_policy", released_by=("aws_sns_topic", "arn", "arn")),
        # Whoever is taken out is told nothing any more; a topic takes its subscribers with it.
        Protected("aws_sns_topic_subscription", released_by=("aws_sns_topic", "arn", "topic_arn")),
        Protected("aws_kms_key"),
        # The other regions' rules reach the home region through this role.
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy", released_by=("aws_iam_role", "name", "role")),
        *LOG_BUCKET,
    ),
    compose=_compose,
    composed=("plans_not_offered",),
    not_offered=_not_offered,
    newer_provider=(
        NewerProvider(
            "ai_protection",
            "ai_protection",
            "6.56",
            "provider 5.100.0 answers `expected name to be one of […], got AI_PROTECTION`; 6.56.0 is the first release "
            "with it: https://github.com/hashicorp/terraform-provider-aws/issues/49024, read on 2026-11-29",
            regions="ai_protection_regions",
        ),
    ),
    regions_in=("plans_not_offered",),
    derived=(
        "is_home_region",
        "unsupported_plans",
        "opt_in_regions",
        "detector_id",
        "findings_bucket_arn",
        "findings_kms_key_arn",
        "notification_event_bus_arn",
        "notification_role_arn",
    ),
    bills="the volume of CloudTrail events, flow logs and DNS logs that it reads, in every region, after 30 free days; "
    "with notifications, a KMS key and an alarm",
    ending=Ending(("guardduty:DeleteDetector",)),
    profiles={
        "standard": {"notifications": {"email_addresses": [SECURITY_EMAIL], "minimum_severity": 7}},
        "strict": {
            "protection": {
                "s3_data_events": "ENABLED",
                "eks_audit_logs": "ENABLED",
                "ebs_malware_protection": "ENABLED",
                "rds_login_events": "ENABLED",
                "lambda_network_logs": "ENABLED",
                "runtime_monitoring": "ENABLED",
            },
            "export_findings": True,
            "notifications": {"email_addresses": [SECURITY_EMAIL], "minimum_severity": 4},
        },
    },
    narrow_tag_keys=True,
    needs=(
        Need("guardduty:CreateDetector"),
        Need("guardduty:UpdateDetector", "arn:{partition}:guardduty:{region}:{account}:detector/baseline"),
        Need("guardduty:GetDetector", "arn:{partition}:guardduty:{region}:{account}:detector/baseline"),
    ),
)
