from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.account_contacts import COMPONENT, AccountContacts

SECURITY = {
    "name": "Security Team",
    "title": "Security",
    "email_address": "security@example.com",
    "phone_number": "+49 30 1234567",
}
PRIMARY = {
    "full_name": "Erika Mustermann",
    "address_line_1": "Example Street 1",
    "city": "Vienna",
    "postal_code": "1010",
    "country_code": "AT",
    "phone_number": "+43 1 234567",
}
LEAST: dict[str, Any] = {"root_email_address": "aws-root@example.com", "security": SECURITY}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        AccountContacts.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_root_s_address_and_a_security_contact_are_asked_for_and_suffice() -> None:
    settings = AccountContacts.model_validate(LEAST)
    assert (settings.billing, settings.operations, settings.primary) == (None, None, None)
    assert COMPONENT.settings is AccountContacts
    with pytest.raises(ValidationError) as caught:
        AccountContacts.model_validate({})
    assert [(e["type"], e["loc"]) for e in caught.value.errors()] == [
        ("missing", ("root_email_address",)),
        ("missing", ("security",)),
    ]


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b", "a b@example.com", "a@@example.com", "a@example.com\n", "ä@example.com"]
)
def test_addresses_that_aws_refuses(address: str) -> None:
    found = message({**LEAST, "security": {**SECURITY, "email_address": address}})
    assert found == "security.email_address: expected an e-mail address such as security@example.com"


@pytest.mark.parametrize(
    "number", ["", "030 1234567", "0049 30 1234567", "+0 30 1234567", "+49", "+49 30 123a", "+4" * 13]
)
def test_numbers_that_cannot_be_called_from_abroad(number: str) -> None:
    found = message({**LEAST, "security": {**SECURITY, "phone_number": number}})
    assert found.startswith("security.phone_number: expected a phone number in international form")


@pytest.mark.parametrize("number", ["+1 (555) 555-0100", "+49301234567", "+43 1 234567"])
def test_numbers_that_can(number: str) -> None:
    settings = AccountContacts.model_validate({**LEAST, "security": {**SECURITY, "phone_number": number}})
    assert settings.security.phone_number == number


@pytest.mark.parametrize("kind", ["security", "billing", "operations"])
def test_root_has_a_mailbox_of_its_own(kind: str) -> None:
    found = message({**LEAST, kind: {**SECURITY, "email_address": "AWS-root@example.com"}})
    assert found.startswith(f": root_email_address is also that of {kind}: its readers")


@pytest.mark.parametrize("country", ["US", "CA", "GB", "DE", "JP", "IN", "BR"])
def test_countries_that_need_a_state(country: str) -> None:
    primary = {**PRIMARY, "country_code": country}
    assert "state_or_region must be given" in message({**LEAST, "primary": primary})
    AccountContacts.model_validate({**LEAST, "primary": {**primary, "state_or_region": "Somewhere"}})


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        ({"country_code": "Austria"}, "primary.country_code: expected two capital letters"),
        ({"country_code": "at"}, "primary.country_code: expected two capital letters"),
        ({"phone_number": "+43 1 234567 890123456"}, "primary.phone_number: expected a phone number of at most 20"),
        ({"website_url": "example.com"}, "primary.website_url: expected an address"),
        ({"full_name": "x" * 51}, "primary.full_name: String should have at most 50 characters"),
        ({"address_line_1": "x" * 61}, "primary.address_line_1: String should have at most 60 characters"),
        ({"address_line_2": ""}, "primary.address_line_2: String should have at least 1 character"),
        ({"postal_code": "x" * 21}, "primary.postal_code: String should have at most 20 characters"),
    ],
)
def test_primary_contacts_that_aws_refuses(primary: dict[str, Any], expected: str) -> None:
    AccountContacts.model_validate({**LEAST, "primary": PRIMARY})
    assert message({**LEAST, "primary": {**PRIMARY, **primary}}).startswith(expected)


def test_root_s_address_is_no_longer_than_aws_takes() -> None:
    assert "at most 64" in message({**LEAST, "root_email_address": f"{'a' * 53}@example.com"})
    AccountContacts.model_validate({**LEAST, "root_email_address": f"{'a' * 52}@example.com"})
