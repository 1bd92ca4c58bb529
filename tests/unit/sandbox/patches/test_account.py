"""What AWS does and moto does not: Account Management."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import account

REGION = "eu-central-1"


def the_account_has_a_primary_contact() -> bool:
    client = boto3.client("account", REGION)
    contact = {
        "FullName": "Erika Mustermann",
        "AddressLine1": "Example Street 1",
        "City": "Berlin",
        "PostalCode": "10115",
        "CountryCode": "DE",
        "PhoneNumber": "+49 30 1234567",
    }
    try:
        client.get_contact_information()
    except client.exceptions.ResourceNotFoundException:
        client.put_contact_information(ContactInformation=contact)
        return bool(client.get_contact_information()["ContactInformation"] == contact)
    return False


CASES: dict[str, Callable[[], bool]] = {
    "account-contact-put": the_account_has_a_primary_contact,
    "account-contact-get": the_account_has_a_primary_contact,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(account.PATCHES, CASES, name)
