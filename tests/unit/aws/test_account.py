"""The contact that every account has, as Terraform holds it."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory

from .conftest import Stubbed, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_the_primary_contact_that_every_account_has():
    contact = {
        "FullName": "Erika Mustermann",
        "AddressLine1": "Example Street 1",
        "City": "Berlin",
        "PostalCode": "10115",
        "CountryCode": "DE",
        "PhoneNumber": "+49 30 1234567",
    }
    clients = Stubbed("account", ("get_contact_information", {"ContactInformation": contact}))
    (found,) = read_existing(creates("aws_account_primary_contact"), Inventory(clients)).values()
    assert found.values == {
        "full_name": "Erika Mustermann",
        "address_line_1": "Example Street 1",
        "city": "Berlin",
        "postal_code": "10115",
        "country_code": "DE",
        "phone_number": "+49 30 1234567",
    }
