"""Amazon ECR: which images each region's private registry scans, and how the registry is set up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from toolkit.components.base import Component, Place, Protected, Scope
from toolkit.components.inspector import Inspector
from toolkit.policies import Need
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.values import checked, no_repetition

# The provider's pattern; Amazon ECR takes 255 characters (API Reference, ScanningRepositoryFilter).
_FILTER = re.compile(r"(?=.{1,255}\Z)[0-9a-z*]+(?:[_./-][0-9a-z*]+)*")
Filters = Annotated[
    tuple[
        Annotated[
            str,
            checked(
                _FILTER,
                "the name of a repository, or a part of it, with * for any characters: lowercase letters, digits and, "
                "between these, single . _ - or /; at most 255 characters",
            ),
        ],
        ...,
    ],
    Field(strict=False, max_length=100),
    AfterValidator(no_repetition),
]


class EcrDefaults(Settings):
    """Settings of `ecr_defaults`."""

    scan_type: Literal["BASIC", "ENHANCED"] = Field(
        "BASIC",
        description="Who scans images: BASIC (Amazon ECR, operating system packages, free) or ENHANCED (Amazon "
        "Inspector, which bills; also packages of programming languages). Not given: ENHANCED where the component "
        "inspector scans ECR, else BASIC.",
    )
    scan_on_push_filters: Filters = Field(
        ("*",),
        description="Repositories whose images are scanned when they are pushed, by name; * matches any characters.",
    )
    continuous_scan_filters: Filters = Field(
        (),
        description="Repositories whose images Inspector scans again when new vulnerabilities become known, by name; "
        "with ENHANCED only.",
    )
    basic_scan_type_version: Literal["AWS_NATIVE"] | None = Field(
        "AWS_NATIVE", description="What basic scanning uses; null leaves what the account has."
    )
    registry_policy_scope: Literal["V2"] | None = Field(
        "V2",
        description="Which requests the registry's policy decides: V2 is every request to Amazon ECR; null leaves what "
        "the account has.",
    )


def _scan_type(settings: EcrDefaults, others: Mapping[str, Any]) -> str:
    """As given; else what Inspector makes of a registry whose images it scans.

    "When you activate Amazon ECR scanning, you set Amazon Inspector as the preferred scanning service for your private
    registry": https://docs.aws.amazon.com/inspector/latest/user/scanning-ecr.html
    """
    return "ENHANCED" if _follows(settings) and _inspects(others) else settings.scan_type


def _inspects(others: Mapping[str, Any]) -> bool | None:
    """Whether Inspector is to scan images; None where the environment does not say."""
    inspector = others.get("inspector")
    return "ECR" in inspector.resource_types if isinstance(inspector, Inspector) else None


def _follows(settings: EcrDefaults) -> Mapping[str, str]:
    return {} if "scan_type" in settings.model_fields_set else {"scan_type": "inspector"}


def _mismatches(settings: EcrDefaults, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Two components that set the same registry to different things: each apply would undo what the other one did."""
    inspects, scan_type = _inspects(others), _scan_type(settings, others)
    if scan_type == "BASIC" and inspects:
        yield Mismatch(
            ("scan_type",),
            "inspector.resource_types has ECR, which sets registries to ENHANCED",
            "ENHANCED, or no ECR in inspector.resource_types",
        )
    if scan_type == "ENHANCED" and inspects is False:
        yield Mismatch(
            ("scan_type",),
            "inspector.resource_types has no ECR, so that Inspector does not scan images",
            "BASIC, or ECR in inspector.resource_types",
        )
    if settings.continuous_scan_filters and scan_type == "BASIC":
        yield Mismatch(
            ("continuous_scan_filters",),
            "Amazon ECR itself (scan_type BASIC) scans on push only",
            "scan_type ENHANCED, or no continuous_scan_filters",
        )


def _compose(settings: EcrDefaults, place: Place) -> Mapping[str, Any]:
    return {"scan_type": _scan_type(settings, place.settings)}


COMPONENT = Component(
    name="ecr_defaults",
    title="ECR defaults",
    purpose="Scans container images in every repository when they are pushed, in every region.",
    scope=Scope.EVERY_REGION,
    settings=EcrDefaults,
    # The account's other settings stay as they are when they are deleted.
    protects=(Protected("aws_ecr_registry_scanning_configuration"),),
    profiles={"strict": {}},
    mismatches=_mismatches,
    compose=_compose,
    follows=_follows,
    needs=(
        Need("ecr:PutRegistryScanningConfiguration"),
        Need("ecr:GetRegistryScanningConfiguration"),
        Need("ecr:PutAccountSetting"),
    ),
)
