"""Security services of an organization's member accounts, from the account that administers them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Component, Place, Protected, Scope
from toolkit.components.guardduty import GuardDuty, plans_lacking_everywhere, plans_left_out
from toolkit.components.security_hub import SecurityHub
from toolkit.policies import Need
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.values import checked, no_repetition

_TARGET = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|[0-9]{12}")
_CONTROL = re.compile(r"[A-Za-z][A-Za-z0-9]*\.[1-9][0-9]*")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_AGGREGATOR = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.A)

Members = Literal["ALL", "NEW", "NONE"]
_Target = Annotated[str, checked(_TARGET, "the id of a root (r-…), a unit (ou-…) or an account")]
_Control = Annotated[str, checked(_CONTROL, "the id of a control, such as IAM.6 or CloudTrail.1")]


class MemberProtection(Settings):
    """For which accounts each of GuardDuty's plans is switched on, each billed by use where it is."""

    s3_data_events: Members = Field("NONE", description="S3 Protection: access to objects.")
    eks_audit_logs: Members = Field("NONE", description="EKS Protection: audit logs of Kubernetes.")
    ebs_malware_protection: Members = Field(
        "NONE", description="Malware Protection for EC2: scans of the volumes of suspicious instances."
    )
    rds_login_events: Members = Field("NONE", description="RDS Protection: logins to databases.")
    lambda_network_logs: Members = Field("NONE", description="Lambda Protection: network activity of functions.")
    runtime_monitoring: Members = Field(
        "NONE", description="Runtime Monitoring: processes in EKS, ECS and EC2, seen by an agent."
    )


class MemberAgents(Settings):
    """For which accounts GuardDuty manages the agent of runtime monitoring."""

    eks_addon: Members = Field("NONE", description="In EKS clusters, as an add-on.")
    ecs_fargate: Members = Field("NONE", description="In ECS tasks on Fargate.")
    ec2: Members = Field("NONE", description="On EC2 instances.")


class MemberGuardDuty(Settings):
    """GuardDuty in member accounts; values are those of the GuardDuty API (UpdateOrganizationConfiguration)."""

    enabled: bool = Field(True, description="Whether it is managed.")
    auto_enable: Members = Field(
        "ALL", description="Which accounts AWS enables it in: ALL, only NEW accounts, or NONE."
    )
    protection: MemberProtection = Field(
        MemberProtection(), description="For which accounts each protection plan is enabled."
    )
    runtime_monitoring_agents: MemberAgents = Field(
        MemberAgents(), description="For which accounts GuardDuty manages the agent of runtime monitoring."
    )

    @model_validator(mode="after")
    def _agents_need_their_plan(self) -> MemberGuardDuty:
        if self.protection.runtime_monitoring == "NONE" and self.runtime_monitoring_agents != MemberAgents():
            raise ValueError("runtime_monitoring_agents need protection.runtime_monitoring to be ALL or NEW")
        return self


class ConfigurationPolicy(Settings):
    """A policy of central configuration; the standards are those chosen under security_hub.standards."""

    description: Annotated[str, Field(max_length=512)] = Field("", description="What it is for.")
    disabled_controls: Annotated[tuple[_Control, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Ids of the controls to disable."
    )
    targets: Annotated[tuple[_Target, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        description="Ids of the root, of units and of accounts that it applies to."
    )


class MemberSecurityHub(Settings):
    """Security Hub in member accounts; values are those of its API (UpdateOrganizationConfiguration)."""

    enabled: bool = Field(True, description="Whether it is managed.")
    configuration: Literal["LOCAL", "CENTRAL"] = Field(
        "LOCAL",
        description="LOCAL: new accounts get it in each region. CENTRAL: policies define what accounts get, in all "
        "regions; requires security_hub.finding_aggregation and a second active region.",
    )
    default_standards: bool = Field(
        False,
        description="With LOCAL: whether new accounts get AWS's default standards (CIS 1.2 of 2018 and FSBP); false: "
        "none, they set their own security_hub.standards.",
    )
    policies: dict[
        Annotated[str, checked(_NAME, "1 to 128 letters, digits, underscores and hyphens")], ConfigurationPolicy
    ] = Field({}, description="With CENTRAL: name => policy.")

    @model_validator(mode="after")
    def _policies_with_central(self) -> MemberSecurityHub:
        if (self.configuration == "CENTRAL") != bool(self.policies):
            raise ValueError("policies must be given with configuration: CENTRAL, and only with it")
        return self


class ConfigAggregator(Settings):
    """The view of what AWS Config records in all accounts."""

    enabled: bool = Field(True, description="Whether to create the aggregator.")
    name: Annotated[str, checked(_AGGREGATOR, "1 to 256 letters, digits, underscores and hyphens")] = Field(
        "baseline-organization", description="Its name."
    )
    role_name: Annotated[str, checked(_ROLE, "1 to 64 letters, digits or _+=,.@-")] = Field(
        "baseline-config-organization", description="Name of the role with which AWS Config lists the accounts."
    )


class MemberSecurity(Settings):
    """Settings of `member_security`, which belongs in the environment of the delegated administrator."""

    guardduty: MemberGuardDuty = Field(MemberGuardDuty(), description="GuardDuty in member accounts.")
    security_hub: MemberSecurityHub = Field(MemberSecurityHub(), description="Security Hub in member accounts.")
    config_aggregator: ConfigAggregator = Field(
        ConfigAggregator(), description="The aggregator of what AWS Config records in all accounts and regions."
    )


def _mismatches(settings: MemberSecurity, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    hub = others.get("security_hub")
    central = settings.security_hub.enabled and settings.security_hub.configuration == "CENTRAL"
    if central and isinstance(hub, SecurityHub) and not hub.finding_aggregation:
        yield Mismatch(
            ("security_hub", "configuration"),
            "CENTRAL, but security_hub.finding_aggregation is false",
            "findings gathered in the home region (finding_aggregation: true), or LOCAL",
        )


def _trusts(settings: MemberSecurity) -> Iterator[str]:
    if settings.guardduty.enabled:
        yield "guardduty.amazonaws.com"
        if settings.guardduty.protection.ebs_malware_protection != "NONE":
            yield "malware-protection.guardduty.amazonaws.com"
    if settings.security_hub.enabled:
        yield "securityhub.amazonaws.com"
    if settings.config_aggregator.enabled:
        yield "config.amazonaws.com"


def _compose(_: MemberSecurity, place: Place) -> Mapping[str, Any]:
    detectors: Any = place.settings["guardduty"]
    return {"unsupported_plans": {region: plans_left_out(detectors, region) for region in place.active}}


def _not_offered(settings: MemberSecurity, place: Place) -> Iterator[Mismatch]:
    detectors = place.settings.get("guardduty")
    if settings.guardduty.enabled and isinstance(detectors, GuardDuty):
        for plan in sorted(plans_lacking_everywhere(detectors, place) & set(MemberProtection.model_fields)):
            if getattr(settings.guardduty.protection, plan) != "NONE":
                yield Mismatch(
                    ("guardduty", "protection", plan),
                    f"AWS offers it in none of {', '.join(place.active)}",
                    "NONE, or another region",
                )


COMPONENT = Component(
    name="member_security",
    title="Member security",
    purpose="GuardDuty and Security Hub CSPM in every account of an organization, and one view of AWS Config.",
    scope=Scope.EVERY_REGION,
    settings=MemberSecurity,
    requires=("config", "guardduty", "security_hub"),
    derived=("is_home_region", "detector_id", "standards_arns", "unsupported_plans"),
    compose=_compose,
    not_offered=_not_offered,
    mismatches=_mismatches,
    trusts=_trusts,
    bills="GuardDuty and Security Hub in every account where they are enabled, by usage",
    protects=(
        Protected("aws_guardduty_organization_configuration"),
        Protected("aws_guardduty_organization_configuration_feature"),
        Protected("aws_securityhub_organization_configuration"),
        Protected("aws_securityhub_configuration_policy"),
        Protected("aws_securityhub_configuration_policy_association"),
        Protected("aws_config_configuration_aggregator"),
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy_attachment"),
    ),
    needs=(
        Need(
            "guardduty:UpdateOrganizationConfiguration",
            "arn:{partition}:guardduty:{region}:{account}:detector/baseline",
        ),
        Need(
            "securityhub:UpdateOrganizationConfiguration", "arn:{partition}:securityhub:{region}:{account}:hub/default"
        ),
        Need("config:PutConfigurationAggregator"),
        Need("iam:PassRole", "arn:{partition}:iam::{account}:role/baseline-config-organization"),
    ),
)
