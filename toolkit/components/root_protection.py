"""The root user: central access to that of member accounts, and a runbook for the day on which it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.account_contacts import AccountContacts
from toolkit.components.activity_alarms import ActivityAlarms
from toolkit.components.base import Component, Place, Protected, Scope
from toolkit.regions import GLOBAL_REGION
from toolkit.settings.base import Settings
from toolkit.settings.values import filled_in, no_repetition

_FEWEST_CUSTODIANS = 2

Feature = Literal["RootCredentialsManagement", "RootSessions"]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(filled_in)]


class RootProtection(Settings):
    """Settings of `root_protection`; all but enabled_features are for the runbook, and never hold a credential."""

    enabled_features: Annotated[tuple[Feature, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (),
        description="Central root access to the organization's member accounts: RootCredentialsManagement allows "
        "deleting their root users' credentials, RootSessions allows short sessions for root's tasks there. Only for "
        "the organization's management account; empty elsewhere.",
    )
    custodians: Annotated[tuple[Line, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        description="Who may use the root user, by function or name; at least two, so that no one uses it alone."
    )
    password_kept_in: Line = Field(
        description="Where root's password is kept, such as the entry of a vault; never the password itself."
    )
    mfa_devices: dict[Line, Line] = Field(
        description="MFA device of root => where it is kept; at least two in different places, so that losing one "
        "does not lock you out. Empty for a member account whose root user has no credentials."
    )
    emergency_contact: Line | None = Field(
        None, description="First contact when root is needed or was used, with a phone number; null for none."
    )
    review_every_days: Annotated[int, Field(ge=1, le=365)] = Field(
        90, description="Days between the runbook's checks, 1 to 365."
    )

    @model_validator(mode="after")
    def _nobody_alone(self) -> RootProtection:
        if len(self.custodians) < _FEWEST_CUSTODIANS:
            raise ValueError(f"custodians must name at least {_FEWEST_CUSTODIANS}")
        if len(self.mfa_devices) == 1:
            raise ValueError("mfa_devices must name at least two devices, or none where root has no credentials")
        return self


def _compose(_settings: RootProtection, place: Place) -> Mapping[str, Any]:
    contacts, alarms = place.settings.get("account_contacts"), place.settings.get("activity_alarms")
    return {
        "root_email_address": contacts.root_email_address if isinstance(contacts, AccountContacts) else None,
        "contacts": list(_contacts(contacts)) if isinstance(contacts, AccountContacts) else [],
        "holder_phone": contacts.primary.phone_number
        if isinstance(contacts, AccountContacts) and contacts.primary
        else None,
        "alarms": list(_alarms(alarms, place)) if isinstance(alarms, ActivityAlarms) else [],
        "listeners": [*alarms.subscribers.email_addresses, *alarms.subscribers.https_endpoints]
        if isinstance(alarms, ActivityAlarms)
        else [],
        "rules": _rules(place),
    }


def _contacts(contacts: AccountContacts) -> Iterator[tuple[str, str, str, str]]:
    named = {"security": contacts.security, "billing": contacts.billing, "operations": contacts.operations}
    for kind, contact in named.items():
        if contact is not None:
            yield kind, contact.name, contact.email_address, contact.phone_number


def _alarms(alarms: ActivityAlarms, place: Place) -> Iterator[tuple[str, str]]:
    # Where there is no rule for it, an event is not told at once.
    if alarms.root_sign_in_alerts and GLOBAL_REGION[place.partition] in place.regions:
        yield f"rule {alarms.name}-root-sign-in", "sign-ins as root, failed ones and password recovery, within seconds"
    if alarms.monitors.root_use.enabled:
        yield f"alarm {alarms.name}-root-use", "anything that root does, within minutes"


def _rules(place: Place) -> list[str]:
    """Config rules of the environment that look at the root user."""
    config = place.settings.get("config")
    named = {**getattr(config, "rules", {}), **getattr(config, "additional_rules", {})}
    return sorted(name for name, rule in named.items() if "ROOT" in rule.identifier)


COMPONENT = Component(
    name="root_protection",
    title="Root protection",
    purpose="A runbook for the root user, and central root access: member accounts need no root credentials.",
    scope=Scope.GLOBAL,
    settings=RootProtection,
    composed=("custodians", "password_kept_in", "mfa_devices", "emergency_contact", "review_every_days"),
    compose=_compose,
    pages=("root-runbook",),
    trusts=lambda settings: ("iam.amazonaws.com",) if settings.enabled_features else (),
    protects=(Protected("aws_iam_organizations_features"),),
    profiles={"minimal": {}, "standard": {}, "strict": {}},
)
