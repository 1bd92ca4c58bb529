"""Kinds of values that the settings of `organization` hold, and the patterns that they must match."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from toolkit.components.organization.resource_guardrails import ResourceService
from toolkit.policy_types import PolicyType
from toolkit.settings.values import at_least_one, checked, no_repetition

_UNIT_NAME = re.compile(r"[^\s/](?:[^/]{0,126}[^\s/])?")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?")
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
_ORIGIN_ACCESS_IDENTITY = re.compile(r"E[A-Z0-9]{1,31}")
_OIDC_PROVIDER = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}(?:/[A-Za-z0-9._/-]*[A-Za-z0-9])?")
GITHUB = "token.actions.githubusercontent.com"
GITHUB_SUBJECT = re.compile(r"repo:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:@[0-9]+)?/.+")
_MOST_LEVELS = 5


def _unit_path(value: str) -> str:
    names = value.split("/")
    if not all(map(_UNIT_NAME.fullmatch, names)) or len(names) > _MOST_LEVELS or names[0] == "root":
        raise ValueError(f"expected names separated by /, at most {_MOST_LEVELS} levels, like Workloads/Production")
    return value


def _subject(value: str) -> str:
    if not value or value[0] in "*?":
        raise ValueError("expected a pattern that begins with what names your tenant, like repo:OWNER/*")
    return value


Service = Annotated[str, checked(_SERVICE, "a service principal, like config.amazonaws.com")]
_Action = Annotated[str, checked(_ACTION, "an action, like iam:EnableMFADevice")]
Services = Annotated[tuple[Service, ...], Field(strict=False), AfterValidator(no_repetition)]
Actions = Annotated[tuple[_Action, ...], Field(strict=False), AfterValidator(no_repetition)]
PolicyTypes = Annotated[tuple[PolicyType, ...], Field(strict=False), AfterValidator(no_repetition)]
UnitPaths = Annotated[
    tuple[Annotated[str, AfterValidator(_unit_path)], ...], Field(strict=False), AfterValidator(no_repetition)
]
ResourceServices = Annotated[
    tuple[ResourceService, ...],
    Field(strict=False),
    AfterValidator(no_repetition),
    AfterValidator(at_least_one),
]
_OriginAccessIdentity = Annotated[
    str, checked(_ORIGIN_ACCESS_IDENTITY, "the id of an origin access identity, like E127EXAMPLE51Z")
]
OriginAccessIdentities = Annotated[
    tuple[
        Annotated[str, checked(_ORIGIN_ACCESS_IDENTITY, "the id of an origin access identity, like E127EXAMPLE51Z")],
        ...,
    ],
    Field(strict=False),
    AfterValidator(no_repetition),
]
OidcProvider = Annotated[
    str, checked(_OIDC_PROVIDER, "a provider's URL without https://, like token.actions.githubusercontent.com")
]
OidcSubjects = Annotated[
    tuple[Annotated[str, AfterValidator(_subject)], ...],
    Field(strict=False),
    AfterValidator(no_repetition),
    AfterValidator(at_least_one),
]
