"""Security Hub in every region: standards that are checked, and findings gathered in the home region."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from toolkit.aws_lists import aws_list
from toolkit.components.base import Component, Ending, NewerProvider, Protected, Scope
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.listed import listed, misspelt
from toolkit.settings.values import checked, no_repetition
from toolkit.spelling import nearest

_CONTROL = re.compile(r"[A-Za-z][A-Za-z0-9]*\.[1-9][0-9]*")

_PATHS: dict[str, str] = {short: path for path, short in aws_list("security_hub_standards").items.items() if short}
"""Short name of a standard → what stands behind `standards/` in its ARN."""
_PATH = re.compile(r"[a-z0-9-]+/v/[0-9]+(\.[0-9]+)*")


def _standard(name: str, info: ValidationInfo) -> str:
    """A short name, or the end of the ARN of a standard that is newer than the short names."""
    if name in _PATHS:
        return name
    if not _PATH.fullmatch(name):
        short = ", ".join(_PATHS)
        expected = f"one of {short}; or the end of another standard's ARN, like cis-aws-foundations-benchmark/v/9.0.0"
        raise misspelt(expected, nearest(name, tuple(_PATHS)))
    return listed(name, aws_list("security_hub_standards"), info)


def _no_standard_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in no_repetition(names):
        if _PATHS.get(name) in names:
            raise ValueError(f"expected {name} or {_PATHS[name]}, which are the same standard")
    return names


_STANDARD_SCHEMA = {"anyOf": [{"enum": list(_PATHS)}, {"type": "string", "pattern": f"^{_PATH.pattern}$"}]}
Standard = Annotated[str, AfterValidator(_standard), WithJsonSchema(_STANDARD_SCHEMA)]
Standards = Annotated[tuple[Standard, ...], Field(strict=False), AfterValidator(_no_standard_twice)]

_control = checked(_CONTROL, "the id of a control, such as IAM.6 or CloudTrail.1")


class Control(Settings):
    """Whether one control is checked, and why not."""

    enabled: bool = Field(description="Whether Security Hub checks the control.")
    reason: str | None = Field(
        None, description="The reason, which AWS stores with the control; required to disable it."
    )
    standards: Standards = Field(
        description="The chosen standards that this applies to; no standard has every control."
    )
    regions: Literal["all", "home", "others"] = Field(
        "all", description="Where this applies: in all active regions, the home region, or all others."
    )

    @model_validator(mode="after")
    def _said_where_and_why(self) -> Control:
        if not self.standards:
            raise ValueError("standards must name at least one standard")
        if not self.enabled and not (self.reason or "").strip():
            raise ValueError("enabled: false needs a reason")
        return self


class SecurityHub(Settings):
    """Settings of `security_hub`; values are those of the Security Hub API."""

    standards: Standards = Field(
        ("cis-5.0", "fsbp-1.0"),
        description="Standards whose controls are checked, each with its version: cis-5.0, cis-3.0, cis-1.4, cis-1.2, "
        "fsbp-1.0, nist-800-53-r5, nist-800-171-r2, pci-dss-4.0.1, pci-dss-3.2.1, resource-tagging-1.0, or the end of "
        "another standard's ARN, such as cis-aws-foundations-benchmark/v/9.0.0; an empty list checks nothing and only "
        "receives other services' findings.",
    )
    auto_enable_controls: bool = Field(
        True, description="Whether AWS enables controls that it adds to a chosen standard later."
    )
    control_finding_generator: Literal["SECURITY_CONTROL"] | None = Field(
        "SECURITY_CONTROL",
        description="SECURITY_CONTROL: one finding per control, however many standards contain it; null where another "
        "account administers this one's Security Hub CSPM, because only that account may set it.",
    )
    finding_aggregation: bool = Field(
        True,
        description="Whether the home region collects the other active regions' findings; false where an "
        "organization's delegated administrator does.",
    )
    v2: bool = Field(
        False,
        description="Whether AWS Security Hub, which bills by monitored resource, is enabled in addition to Security "
        'Hub CSPM; the API names it Security Hub V2. Requires `terraform.aws_provider_version: "~> 6.0"`.',
    )
    controls: dict[Annotated[str, _control], Control] = Field(
        {},
        description="Control id => its setting. AWS's own setting applies to a control that is not listed; removing a "
        "control from this list does not change it.",
    )

    @model_validator(mode="after")
    def _switches_are_of_chosen_standards(self) -> SecurityHub:
        for name, control in self.controls.items():
            other = sorted(set(control.standards) - set(self.standards))
            if other:
                raise ValueError(f"controls.{name}.standards must be chosen under standards, unlike {', '.join(other)}")
        return self


COMPONENT = Component(
    name="security_hub",
    title="Security Hub",
    purpose="Checks the account against named standards in every region and collects findings in the home region.",
    scope=Scope.EVERY_REGION,
    settings=SecurityHub,
    # Its checks read what AWS Config records.
    requires=("config",),
    derived=("is_home_region", "linked_regions"),
    composed=("v2",),
    newer_provider=(
        NewerProvider(
            "v2",
            "v2",
            "6.46",
            "bindings generated from 6.44.0 lack the aggregator, those from 6.46.0 have it (cdktn-provider-aws 24.0.0 "
            "and 24.2.0 of PyPI); read on 2026-11-29",
        ),
    ),
    protects=(
        Protected("aws_securityhub_account"),
        Protected("aws_securityhub_standards_subscription"),
        Protected("aws_securityhub_finding_aggregator"),
        Protected("aws_securityhub_account_v2"),
        Protected("aws_securityhub_aggregator_v2"),
    ),
    bills="the number of checks, in every region, after 30 free days; the checks make AWS Config record more",
    ending=Ending(("securityhub:DisableSecurityHub",)),
    profiles={
        "standard": {"standards": ["cis-5.0", "fsbp-1.0"]},
        "strict": {"standards": ["cis-5.0", "fsbp-1.0", "nist-800-53-r5"]},
    },
    needs=(
        Need("securityhub:EnableSecurityHub"),
        Need(
            "securityhub:UpdateSecurityHubConfiguration", "arn:{partition}:securityhub:{region}:{account}:hub/default"
        ),
        Need("securityhub:BatchEnableStandards"),
        Need("securityhub:DescribeHub", "arn:{partition}:securityhub:{region}:{account}:hub/default"),
    ),
)
