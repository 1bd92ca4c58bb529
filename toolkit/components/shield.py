"""Shield Advanced, for those who accept its commitment; Shield Standard needs no component."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import CHINA, GOVCLOUD, GOVCLOUD_SERVICES, Component, Lacking, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.base import Settings
from toolkit.settings.contacts import EmailAddress
from toolkit.settings.values import checked, no_repetition

# 50: a role's name has at most 64 characters, and -response-team stands behind it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")
_PROTECTION_NAME = re.compile(r"[A-Za-z0-9_. -]{1,128}")
_GROUP_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
_RESOURCE_ARN = re.compile(
    ARN + r":(cloudfront|route53|ec2|elasticloadbalancing|globalaccelerator):[a-z0-9-]*:([0-9]{12})?:"
    r"[A-Za-z0-9/_-]+"
)
_WITH_RESPONSE = re.compile(ARN + r":(cloudfront:|elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HEALTH_CHECK_ARN = re.compile(r"arn:aws:route53:::healthcheck/[A-Za-z0-9-]{36}")
_ZONE = re.compile(ARN + r":route53:")
_PHONE = re.compile(r"\+[1-9][0-9]{1,14}")
_NOTES = re.compile(r"[A-Za-z0-9_. ,:/()+@-]{1,1024}")


def _accepted(value: bool) -> bool:
    if not value:
        raise ValueError(
            "expected true: Shield Advanced bills 3,000 USD a month for at least a year, and nothing ends it earlier. "
            "Without it, leave shield out; Shield Standard protects every account free of charge"
        )
    return value


_name = checked(_NAME, "1 to 50 letters, digits, underscores and hyphens, a letter or digit first")
_protection_name = checked(_PROTECTION_NAME, "1 to 128 letters, digits, blanks and the characters _ . -")
_group_id = checked(_GROUP_ID, "1 to 36 letters, digits and hyphens")
_resource_arn = checked(
    _RESOURCE_ARN,
    "the ARN of a CloudFront distribution, a hosted zone, an Elastic IP, a load balancer or a Global Accelerator, "
    "such as arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE",
)
_health_check_arn = checked(
    _HEALTH_CHECK_ARN,
    "the ARN of a Route 53 health check, such as arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab",
)
_bucket = checked(_BUCKET, "the name of a bucket")
_phone = checked(_PHONE, "a number such as +4930123456: +, country and number, at most 15 digits")
_notes = checked(_NOTES, "1 to 1024 letters, digits, blanks and the characters _ . , : / ( ) + @ -")


class Protection(Settings):
    """One resource that Shield Advanced protects."""

    resource_arn: Annotated[str, _resource_arn] = Field(
        description="ARN of a CloudFront distribution, a hosted zone, an Elastic IP, a load balancer or an accelerator."
    )
    automatic_response: Literal["block", "count"] | None = Field(
        None,
        description="Answer to attacks on the application layer: block or count their requests, for distributions and "
        "Application Load Balancers with a web ACL; null for none.",
    )
    health_check_arn: Annotated[str, _health_check_arn] | None = Field(
        None,
        description="ARN of a Route 53 health check that says whether the resource works; emergency_contacts need one. "
        "null for none; hosted zones take none.",
    )

    @model_validator(mode="after")
    def _response_of_the_application_layer(self) -> Protection:
        if self.automatic_response is not None and not _WITH_RESPONSE.match(self.resource_arn):
            raise ValueError("automatic_response is only for CloudFront distributions and Application Load Balancers")
        return self

    @model_validator(mode="after")
    def _no_health_of_zones(self) -> Protection:
        if self.health_check_arn is not None and _ZONE.match(self.resource_arn):
            raise ValueError("health_check_arn is not for hosted zones: Shield Advanced takes none for them")
        return self


class ProtectionGroup(Settings):
    """Protections whose traffic is looked at as one."""

    pattern: Literal["ALL", "BY_RESOURCE_TYPE", "ARBITRARY"] = Field(description="Which protections belong to it.")
    aggregation: Literal["SUM", "MEAN", "MAX"] = Field("SUM", description="How their traffic is aggregated.")
    resource_type: (
        Literal[
            "CLOUDFRONT_DISTRIBUTION",
            "ROUTE_53_HOSTED_ZONE",
            "ELASTIC_IP_ALLOCATION",
            "CLASSIC_LOAD_BALANCER",
            "APPLICATION_LOAD_BALANCER",
            "GLOBAL_ACCELERATOR",
        ]
        | None
    ) = Field(None, description="The type, for BY_RESOURCE_TYPE; null for the other patterns.")
    protections: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Names of the protections, for ARBITRARY; empty for the other patterns."
    )

    @model_validator(mode="after")
    def _what_the_pattern_needs(self) -> ProtectionGroup:
        if (self.pattern == "BY_RESOURCE_TYPE") != (self.resource_type is not None):
            raise ValueError("resource_type must be given for pattern BY_RESOURCE_TYPE, and only for it")
        if (self.pattern == "ARBITRARY") != bool(self.protections):
            raise ValueError("protections must be named for pattern ARBITRARY, and only for it")
        return self


class ResponseTeam(Settings):
    """Access of AWS's Shield Response Team."""

    log_buckets: Annotated[tuple[Annotated[str, _bucket], ...], Field(strict=False), AfterValidator(no_repetition)] = (
        Field((), description="Names of up to ten buckets with flow or access logs that it may read.")
    )

    @model_validator(mode="after")
    def _at_most_ten(self) -> ResponseTeam:
        if len(self.log_buckets) > 10:
            raise ValueError("log_buckets must be at most ten")
        return self


class EmergencyContact(Settings):
    """Whom the Shield Response Team calls."""

    email_address: EmailAddress = Field(description="E-mail address.")
    phone_number: Annotated[str, _phone] = Field(description="Phone number, such as +4930123456.")
    notes: Annotated[str, _notes] | None = Field(None, description="Who it is and when they answer; null for none.")


class Shield(Settings):
    """Settings of `shield`, which is Shield Advanced; bounds are those of the Shield API."""

    accept_one_year_commitment: Annotated[bool, AfterValidator(_accepted)] = Field(
        description="true accepts 3,000 USD a month for at least a year, which nothing ends earlier."
    )
    name: Annotated[str, _name] = Field(
        "baseline-shield", description="The name of the response team's role starts with it."
    )
    auto_renew: bool = Field(
        True,
        description="Whether the subscription renews itself for another year; false: protection ends after the year.",
    )
    protections: dict[Annotated[str, _protection_name], Protection] = Field(
        {}, description="Name => resource that is protected; without any, the subscription protects nothing more."
    )
    protection_groups: dict[Annotated[str, _group_id], ProtectionGroup] = Field(
        {}, description="Id => protections whose traffic is evaluated together."
    )
    response_team: ResponseTeam | None = Field(
        None,
        description="Access of AWS's Shield Response Team, which needs a support plan of business or higher; null "
        "gives it none.",
    )
    emergency_contacts: Annotated[tuple[EmergencyContact, ...], Field(strict=False)] = Field(
        (),
        description="Up to ten contacts that the team calls when the health check of a protected resource becomes "
        "unhealthy; empty: none.",
    )

    @model_validator(mode="after")
    def _what_belongs_together(self) -> Shield:
        if self.emergency_contacts and self.response_team is None:
            raise ValueError("emergency_contacts needs response_team")
        if self.emergency_contacts and not any(p.health_check_arn for p in self.protections.values()):
            raise ValueError(
                "emergency_contacts needs a protection with health_check_arn: the Shield Response Team contacts people "
                "only where a health check is unhealthy"
            )
        if len(self.emergency_contacts) > 10:
            raise ValueError("emergency_contacts must be at most ten")
        for name, group in self.protection_groups.items():
            other = sorted(set(group.protections) - set(self.protections))
            if other:
                raise ValueError(f"protection_groups.{name}.protections must be under protections, unlike {other[0]}")
        return self


COMPONENT = Component(
    name="shield",
    title="Shield Advanced",
    purpose="Protects named resources from large DDoS attacks, with AWS's response team; a commitment of one year.",
    scope=Scope.GLOBAL,
    settings=Shield,
    lacking_in=(
        Lacking("Shield Advanced", (GOVCLOUD,), "", "an environment without this component", GOVCLOUD_SERVICES),
        Lacking(
            "Shield Advanced",
            (CHINA,),
            "",
            "an environment without this component",
            "without an endpoint in botocore 1.44.5, 2026-11-28; AWS's page on China was not read",
        ),
    ),
    protects=(
        Protected("aws_shield_subscription"),
        Protected("aws_shield_protection"),
        Protected("aws_shield_application_layer_automatic_response"),
        Protected("aws_shield_protection_health_check_association"),
        Protected("aws_shield_protection_group"),
        Protected("aws_shield_drt_access_role_arn_association"),
        Protected("aws_shield_drt_access_log_bucket_association"),
        Protected("aws_shield_proactive_engagement"),
    ),
    needs=(
        Need("shield:CreateSubscription"),
        Need("shield:CreateProtection", "arn:{partition}:shield::{account}:protection/*"),
        Need("iam:CreateRole", "arn:{partition}:iam::{account}:role/baseline-shield-response-team"),
    ),
    bills="3,000 USD a month for at least a year, and data that leaves protected resources",
)
