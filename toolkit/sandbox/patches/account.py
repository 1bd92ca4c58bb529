"""Account Management, corrected."""

from __future__ import annotations

from typing import Any

from moto.account import urls as account_urls
from moto.account.exceptions import UnspecifiedContactType
from moto.account.models import account_backends
from moto.account.responses import AccountResponse
from moto.core.responses import ActionResult, EmptyResult

from toolkit.sandbox.patches.base import Method, Patch, Route


def _contact_holder(response: AccountResponse) -> Any:
    return account_backends[response._get_account_id()][response.partition]


def _put_contact(_original: Method) -> Method:
    def put_contact_information(self: AccountResponse) -> EmptyResult:
        _contact_holder(self).contact_information = self._get_param("ContactInformation")
        return EmptyResult()

    return put_contact_information


def _get_contact(_original: Method) -> Method:
    def get_contact_information(self: AccountResponse) -> ActionResult:
        found = getattr(_contact_holder(self), "contact_information", None)
        if found is None:
            raise UnspecifiedContactType
        return ActionResult({"ContactInformation": found})

    return get_contact_information


_CONTACT = (
    "moto has the alternate contacts of an account and not the primary one. Account Management API, "
    "GetContactInformation and PutContactInformation: the account has one, which a put overwrites."
)

PATCHES = (
    Patch("account-contact-put", AccountResponse, "put_contact_information", _CONTACT, _put_contact),
    Patch("account-contact-get", AccountResponse, "get_contact_information", _CONTACT, _get_contact),
)

ROUTES = (
    Route(account_urls.url_paths, "{0}/putContactInformation$", AccountResponse.dispatch),
    Route(account_urls.url_paths, "{0}/getContactInformation$", AccountResponse.dispatch),
)
