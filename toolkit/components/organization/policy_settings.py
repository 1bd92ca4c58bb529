"""Settings of organization policies: what each is made of, where it is attached, and the quotas that hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.organization.guardrails import ServiceGuardrail
from toolkit.components.organization.resource_guardrails import ResourceGuardrail
from toolkit.policy_types import AnyManagementType
from toolkit.regions import PARTITION
from toolkit.settings.base import Settings
from toolkit.settings.values import checked, no_repetition

_POLICY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,:=@-]{0,127}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.json")
_PRINCIPAL = re.compile(rf"arn:(?:{PARTITION}|\*):iam::(?:[0-9]{{12}}|\*):(?:role|user)/[\w+=,.@*?/-]{{1,512}}", re.A)
_TAG_KEY = re.compile(r"(?!aws:)[\w +=.:/@-]{1,128}")
_BARE_WILDCARD = re.compile(r":(?:role|user)/[*?]*\Z")


def _not_everybody(value: str) -> str:
    if _BARE_WILDCARD.search(value):
        raise ValueError("expected a pattern that names principals: this one exempts every principal")
    return value


def _with_its_path(value: str) -> str:
    if ":role/AWSReservedSSO" in value:
        raise ValueError(
            "expected the role with its path, which this pattern does not match without: roles of IAM Identity Center "
            "are like arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_NAME_*"
        )
    return value


PolicyName = Annotated[str, checked(_POLICY_NAME, "1 to 128 letters, digits, blanks and _ . , : = @ -")]
PolicyFile = Annotated[
    str, checked(_FILE, "the name of a .json file in the environment's folder, like policies/own.json")
]
PrincipalPattern = Annotated[
    str,
    checked(
        _PRINCIPAL, "the ARN of a role or user, with * for any account, like arn:aws:iam::*:role/baseline-deployer"
    ),
    AfterValidator(_not_everybody),
    AfterValidator(_with_its_path),
]
PrincipalPatterns = Annotated[tuple[PrincipalPattern, ...], Field(strict=False), AfterValidator(no_repetition)]
Reason = Annotated[str, Field(min_length=10, max_length=500)]
Targets = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(no_repetition)]
Texts = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(no_repetition)]


class ServiceControlPolicy(Settings):
    """A service control policy: guardrails by name, or a document of one's own."""

    description: Annotated[str, Field(max_length=512)] = Field("", description="What it is for, in AWS's lists.")
    guardrails: Annotated[tuple[ServiceGuardrail, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Statements by name; see the module's README for what each denies."
    )
    file: PolicyFile | None = Field(
        None, description="JSON file next to environment.yaml with the whole document, instead of guardrails."
    )
    exempted_principal_arns: PrincipalPatterns = Field(
        (), description="Principals that this policy's guardrails leave alone, besides those exempted from all."
    )
    targets: Targets = Field(
        ("root",), description="Where it is attached: root, paths or ids of organizational units, account ids."
    )
    locks_out_deployers_because: Reason | None = Field(
        None,
        description="Why it may deny the deployers of the baseline, as in a unit of closed accounts; null: it must "
        "not, and the toolkit refuses it. Not for a policy of the root.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> ServiceControlPolicy:
        _one_of(self.guardrails, self.file)
        _not_everywhere(self.locks_out_deployers_because, self.targets)
        if self.file and self.exempted_principal_arns:
            raise ValueError(
                "exempted_principal_arns applies to guardrails only; in a file, write the condition yourself"
            )
        return self


class ResourceControlPolicy(Settings):
    """A resource control policy: guardrails by name, or a document of one's own."""

    description: Annotated[str, Field(max_length=512)] = Field("", description="What it is for, in AWS's lists.")
    guardrails: Annotated[tuple[ResourceGuardrail, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Statements by name; see the module's README for what each denies."
    )
    file: PolicyFile | None = Field(
        None, description="JSON file next to environment.yaml with the whole document, instead of guardrails."
    )
    targets: Targets = Field(
        ("root",), description="Where it is attached: root, paths or ids of organizational units, account ids."
    )
    locks_out_deployers_because: Reason | None = Field(
        None,
        description="Why it may deny the deployers of the baseline, as in a unit of closed accounts; null: it must "
        "not, and the toolkit refuses it. Not for a policy of the root.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> ResourceControlPolicy:
        _one_of(self.guardrails, self.file)
        _not_everywhere(self.locks_out_deployers_because, self.targets)
        return self


def _not_everywhere(reason: str | None, targets: tuple[str, ...]) -> None:
    if reason is not None and "root" in targets:
        raise ValueError(
            "locks_out_deployers_because is not for a policy of the root: no principal could apply anything"
        )


def _one_of(guardrails: tuple[str, ...], file: str | None) -> None:
    if bool(guardrails) == bool(file):
        raise ValueError("exactly one of guardrails and file must be given")


class Tag(Settings):
    """How a tag is written and which values it takes."""

    values: Texts = Field((), description="Accepted values, * for any characters; empty accepts all.")
    enforced_for: Texts = Field(
        (), description="Resource types for which other values are refused, like ec2:instance; empty only reports."
    )


class TagPolicy(Settings):
    """A tag policy."""

    description: Annotated[str, Field(max_length=512)] = Field("", description="What it is for, in AWS's lists.")
    tags: dict[Annotated[str, checked(_TAG_KEY, "1 to 128 letters, digits, blanks or +-=._:/@, not aws:*")], Tag] = (
        Field({}, description="Tag key, in the only accepted spelling => its values.")
    )
    file: PolicyFile | None = Field(
        None, description="JSON file next to environment.yaml with the whole document, instead of tags."
    )
    targets: Targets = Field(
        ("root",), description="Where it is attached: root, paths or ids of organizational units, account ids."
    )

    @model_validator(mode="after")
    def _one_source(self) -> TagPolicy:
        if bool(self.tags) == bool(self.file):
            raise ValueError("exactly one of tags and file must be given")
        return self


class ManagementPolicy(Settings):
    """A policy of any type that sets services up in accounts, its document given as data or as a file."""

    type: AnyManagementType = Field(description="The type, as the Organizations API names it.")
    description: Annotated[str, Field(max_length=512)] = Field("", description="What it is for, in AWS's lists.")
    content: dict[str, Any] = Field(
        {},
        description="The whole document, in the grammar that AWS documents for the type. Names that begin with @@ need "
        "quotes.",
    )
    file: PolicyFile | None = Field(
        None, description="JSON file next to environment.yaml with the whole document, instead of content."
    )
    targets: Targets = Field(
        ("root",), description="Where it is attached: root, paths or ids of organizational units, account ids."
    )

    @model_validator(mode="after")
    def _one_source(self) -> ManagementPolicy:
        if bool(self.content) == bool(self.file):
            raise ValueError("exactly one of content and file must be given")
        return self


class AiServicesOptOut(Settings):
    """Whether AI services may keep the accounts' content to improve themselves."""

    enabled: bool = Field(True, description="Whether all services are opted out of, for all accounts and for good.")
    policy_name: PolicyName = Field("baseline-ai-opt-out", description="Name of the policy.")
    targets: Targets = Field(
        ("root",), description="Where it is attached: root, paths or ids of organizational units, account ids."
    )


class Limits(Settings):
    """Quotas of AWS Organizations; AWS raises them now and then, and some for a customer who asks.

    Defaults: AWS Organizations User Guide, "Quotas and service limits", read 2026-11-28. Service control policies have
    had 10,240 characters, and ten of them a target, since 2026-05-15, in all partitions and without a request.
    """

    service_control_policy_bytes: Annotated[int, Field(ge=1)] = Field(
        10240, description="Largest service control policy, in bytes without blanks."
    )
    resource_control_policy_bytes: Annotated[int, Field(ge=1)] = Field(
        5120, description="Largest resource control policy, in bytes without blanks."
    )
    tag_policy_bytes: Annotated[int, Field(ge=1)] = Field(10000, description="Largest tag policy, in bytes.")
    ai_services_opt_out_policy_bytes: Annotated[int, Field(ge=1)] = Field(
        2500, description="Largest AI services opt-out policy, in bytes."
    )
    management_policy_bytes: Annotated[int, Field(ge=1)] = Field(
        10000, description="Largest policy of the other types of management_policies, in bytes."
    )
    service_control_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        10, description="Most service control policies on one root, unit or account."
    )
    resource_control_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        5, description="Most resource control policies on one root, unit or account."
    )
    tag_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        10, description="Most tag policies on one root, unit or account."
    )
    ai_services_opt_out_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        5, description="Most AI services opt-out policies on one root, unit or account."
    )
    chatbot_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        5, description="Most chat applications policies on one root, unit or account."
    )
    management_policies_per_target: Annotated[int, Field(ge=1)] = Field(
        10, description="Most policies of each other type of management_policies on one root, unit or account."
    )
    control_policies_attached_otherwise: Annotated[int, Field(ge=0)] = Field(
        1,
        description="Service (and resource) control policies that each target has besides those named here; AWS's own "
        "FullAWSAccess is one, and every target has it.",
    )

    def bytes_of(self, kind: str) -> tuple[str, int]:
        """The setting that limits a policy of a type, and the most bytes it may have."""
        return self._limit(_BYTES, kind, "management_policy_bytes")

    def per_target(self, kind: str) -> tuple[str, int]:
        """The setting that limits how many policies of a type a target may have, and that number."""
        return self._limit(_PER_TARGET, kind, "management_policies_per_target")

    def _limit(self, settings: Mapping[str, str], kind: str, otherwise: str) -> tuple[str, int]:
        setting = settings.get(kind, otherwise)
        return setting, getattr(self, setting)


_BYTES = {
    "SERVICE_CONTROL_POLICY": "service_control_policy_bytes",
    "RESOURCE_CONTROL_POLICY": "resource_control_policy_bytes",
    "TAG_POLICY": "tag_policy_bytes",
    "AISERVICES_OPT_OUT_POLICY": "ai_services_opt_out_policy_bytes",
}
_PER_TARGET = {
    "SERVICE_CONTROL_POLICY": "service_control_policies_per_target",
    "RESOURCE_CONTROL_POLICY": "resource_control_policies_per_target",
    "TAG_POLICY": "tag_policies_per_target",
    "AISERVICES_OPT_OUT_POLICY": "ai_services_opt_out_policies_per_target",
    "CHATBOT_POLICY": "chatbot_policies_per_target",
}
