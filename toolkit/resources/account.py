"""AWS account management: contacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    ResourceType,
    Stronger,
    each,
)
from toolkit.resources.price import Free
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for

_LETTERS = "whom AWS writes letters to: any other address is as good"


_NONE = ("ResourceNotFoundException",)
_KINDS = ("BILLING", "OPERATIONS", "SECURITY")


def _alternates(account: Account, region: str) -> Iterator[Live]:
    yield from found_for(account, region, _find_alternate, ({"alternate_contact_type": kind} for kind in _KINDS))


def _find_alternate(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    kind = planned["alternate_contact_type"]
    answer = account.call("account", "get_alternate_contact", region, absent=_NONE, AlternateContactType=kind)
    if answer is None:
        return None
    found = answer["AlternateContact"]
    values = {
        "name": found["Name"],
        "title": found["Title"],
        "email_address": found["EmailAddress"],
        "phone_number": found["PhoneNumber"],
    }
    return Live({"alternate_contact_type": kind}, values, f"the alternate contact {kind}", kind)


_PRIMARY = {
    "full_name": "FullName",
    "company_name": "CompanyName",
    "address_line_1": "AddressLine1",
    "address_line_2": "AddressLine2",
    "address_line_3": "AddressLine3",
    "city": "City",
    "district_or_county": "DistrictOrCounty",
    "state_or_region": "StateOrRegion",
    "postal_code": "PostalCode",
    "country_code": "CountryCode",
    "phone_number": "PhoneNumber",
    "website_url": "WebsiteUrl",
}
_REQUIRED = ("full_name", "address_line_1", "city", "country_code", "phone_number", "postal_code")
"""AWS has no contact without these (Account Management API Reference, ContactInformation)."""


def _primary(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("account", "get_contact_information", region, absent=_NONE)
    if answer is not None:
        found = answer["ContactInformation"]
        values = {ours: found[theirs] for ours, theirs in _PRIMARY.items() if theirs in found or ours in _REQUIRED}
        yield Live({}, values, "the primary contact", account.account_id)


_FREE = Free(
    "a record about the account, nothing that runs or is kept by usage",
    "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact.html",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_account_alternate_contact",
        named_by=("alternate_contact_type",),
        price=_FREE,
        key=("alternate_contact_type",),
        reading=Reading(
            _alternates,
            OnCreate.OVERWRITES,
            finds=_find_alternate,
            is_global=True,
            actions=("account:GetAlternateContact",),
        ),
        # Any other address is as good, an empty one is not.
        strengths=each(Stronger.PRESENT, "email_address", "phone_number"),
        no_weaker_side={NAMES: "name title", IDENTITY: "account_id alternate_contact_type"},
    ),
    ResourceType(
        "aws_account_primary_contact",
        price=_FREE,
        reading=Reading(_primary, OnCreate.OVERWRITES, is_global=True, actions=("account:GetContactInformation",)),
        strengths=each(Stronger.PRESENT, "phone_number"),
        no_weaker_side={
            _LETTERS: "address_line_1 address_line_2 address_line_3 city company_name country_code district_or_county "
            "full_name postal_code state_or_region website_url",
            IDENTITY: "account_id",
        },
    ),
)
