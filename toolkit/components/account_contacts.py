"""Whom AWS reaches about the account, beside whoever reads root's mail."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import GOVCLOUD, GOVCLOUD_SERVICES, Component, Lacking, Protected, Scope
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.contacts import EmailAddress
from toolkit.settings.values import checked, filled_in

_PHONE = re.compile(r"\+[1-9][0-9 ()-]{5,23}")
_WEBSITE = re.compile(r"https?://\S+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ROOT_EMAIL_LENGTH = 64
_STATE_NEEDED = ("US", "CA", "GB", "DE", "JP", "IN", "BR")
"""Countries whose addresses need a state or region (Account API, ContactInformation)."""

_phone = checked(_PHONE, "a phone number in international form, such as +49 30 1234567")


def _short_phone(value: str) -> str:
    if len(value) > 20:
        raise ValueError("expected a phone number of at most 20 characters, such as +49 30 1234567")
    return value


def _website(value: str) -> str:
    if not _WEBSITE.fullmatch(value) or len(value) > 256:
        raise ValueError("expected an address of at most 256 characters that starts with https:// or http://")
    return value


_country = checked(_COUNTRY, "two capital letters (ISO 3166), such as DE")

PhoneNumber = Annotated[str, _phone]
Text20 = Annotated[str, Field(min_length=1, max_length=20)]
Text50 = Annotated[str, Field(min_length=1, max_length=50)]
Text60 = Annotated[str, Field(min_length=1, max_length=60)]
Text64 = Annotated[str, Field(min_length=1, max_length=64)]


class Contact(Settings):
    """An alternate contact; bounds are those of the Account API (PutAlternateContact)."""

    name: Annotated[Text64, AfterValidator(filled_in)] = Field(
        description="Name of the person or, better, of the team."
    )
    title: Annotated[Text50, AfterValidator(filled_in)] = Field(description="Title or function.")
    email_address: EmailAddress = Field(description="E-mail address, preferably of a mailbox that several people read.")
    phone_number: PhoneNumber = Field(description="Phone number in international form, such as +49 30 1234567.")


class PrimaryContact(Settings):
    """The account holder; bounds are those of the Account API (PutContactInformation)."""

    full_name: Text50 = Field(description="Full name of the account holder.")
    company_name: Text50 | None = Field(None, description="Company; null for none.")
    address_line_1: Text60 = Field(description="First line of the postal address.")
    address_line_2: Text60 | None = Field(None, description="Second line; null for none.")
    address_line_3: Text60 | None = Field(None, description="Third line; null for none.")
    city: Text50 = Field(description="City.")
    district_or_county: Text50 | None = Field(None, description="District or county; null for none.")
    state_or_region: Text50 | None = Field(
        None, description=f"State or region; needed in {', '.join(_STATE_NEEDED)}, elsewhere null for none."
    )
    postal_code: Text20 = Field(description="Postal code.")
    country_code: Annotated[str, _country] = Field(description="Two capital letters (ISO 3166), such as DE.")
    phone_number: Annotated[PhoneNumber, AfterValidator(_short_phone)] = Field(
        description="Phone number in international form, at most 20 characters; AWS may call it."
    )
    website_url: Annotated[str, AfterValidator(_website)] | None = Field(
        None, description="Website, with https:// or http://; null for none."
    )

    @model_validator(mode="after")
    def _state_where_it_is_needed(self) -> PrimaryContact:
        if self.country_code in _STATE_NEEDED and self.state_or_region is None:
            raise ValueError(f"state_or_region must be given for an address in {', '.join(_STATE_NEEDED)}")
        return self


class AccountContacts(Settings):
    """Settings of `account_contacts`."""

    root_email_address: EmailAddress = Field(
        description="E-mail address of the root user: a dedicated mailbox that several people read and that stays when "
        "a person leaves. The toolkit records and checks it; you set it by hand, because AWS has no API to change it "
        "for a standalone account.",
    )
    security: Contact = Field(
        description="Contact for security matters, abuse reports and compromised keys.",
    )
    billing: Contact | None = Field(
        None,
        description="Contact for invoices and payments; null: AWS uses the primary contact.",
    )
    operations: Contact | None = Field(
        None,
        description="Contact for service events and support cases; null: AWS uses the primary contact.",
    )
    primary: PrimaryContact | None = Field(None, description="The account holder; null keeps the data from sign-up.")

    @model_validator(mode="after")
    def _root_has_a_mailbox_of_its_own(self) -> AccountContacts:
        if len(self.root_email_address) > _ROOT_EMAIL_LENGTH:
            raise ValueError(f"root_email_address must be at most {_ROOT_EMAIL_LENGTH} characters long")
        named = {"security": self.security, "billing": self.billing, "operations": self.operations}
        same = [n for n, c in named.items() if c and c.email_address.lower() == self.root_email_address.lower()]
        if same:
            raise ValueError(
                f"root_email_address is also that of {' and '.join(same)}: its readers can reset the root user's "
                "password, and contacts must stay reachable when that mailbox is lost; give the root user its own "
                "address"
            )
        return self


COMPONENT = Component(
    name="account_contacts",
    title="Account contacts",
    purpose="Contacts for security, billing and operations, and a root user e-mail address that no contact shares.",
    scope=Scope.GLOBAL,
    settings=AccountContacts,
    # Deleting the primary contact's resource leaves the contact as it is, so that needs no protection.
    protects=(Protected("aws_account_alternate_contact"),),
    lacking_in=(
        Lacking(
            "Account Management",
            (GOVCLOUD,),
            "",
            "the contacts of the standard account that the GovCloud account belongs to, without this component",
            GOVCLOUD_SERVICES,
        ),
    ),
    profiles={"minimal": {}, "standard": {}, "strict": {}},
    needs=(
        Need("account:PutAlternateContact"),
        Need("account:GetAlternateContact"),
    ),
)
