"""Inspector: known vulnerabilities of instances, container images and functions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Component, Protected, Scope
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.values import at_least_one, no_repetition


class Inspector(Settings):
    """Settings of `inspector`."""

    resource_types: Annotated[
        tuple[Literal["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"], ...],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(
        ("EC2", "ECR", "LAMBDA"),
        description="What Inspector scans, each billed separately: instances, images, packages of functions, and "
        "their code.",
    )

    @model_validator(mode="after")
    def _code_with_packages(self) -> Inspector:
        if "LAMBDA_CODE" in self.resource_types and "LAMBDA" not in self.resource_types:
            raise ValueError("resource_types must have LAMBDA if it has LAMBDA_CODE")
        return self


COMPONENT = Component(
    name="inspector",
    title="Inspector",
    purpose="Scans instances, container images and functions for known vulnerabilities in every region.",
    scope=Scope.EVERY_REGION,
    settings=Inspector,
    protects=(Protected("aws_inspector2_enabler"),),
    needs=(Need("inspector2:Enable"), Need("inspector2:BatchGetAccountStatus")),
    bills="each scanned instance, image and function, in every region, after 15 days",
)
