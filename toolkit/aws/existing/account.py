"""Readers of the account as such: its contacts."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _alternate_contact(clients: ClientFactory, change: Change) -> Existing | None:
    account = clients.client("account")
    kind = str(change.after["alternate_contact_type"])
    try:
        found = account.get_alternate_contact(AlternateContactType=kind)["AlternateContact"]
    except account.exceptions.ResourceNotFoundException:
        return None
    values = {
        "name": found["Name"],
        "title": found["Title"],
        "email_address": found["EmailAddress"],
        "phone_number": found["PhoneNumber"],
    }
    return Existing(values, True, kind, f"the alternate contact {kind}")


def _primary_contact(clients: ClientFactory, _change: Change) -> Existing | None:
    account = clients.client("account")
    try:
        found = account.get_contact_information()["ContactInformation"]
    except account.exceptions.ResourceNotFoundException:
        return None
    names = {
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
    values = {name: found[theirs] for name, theirs in names.items() if theirs in found}
    return Existing(values, True, clients.account_id, "the primary contact")


READERS: dict[str, Reader] = {
    "aws_account_alternate_contact": _alternate_contact,
    "aws_account_primary_contact": _primary_contact,
}
