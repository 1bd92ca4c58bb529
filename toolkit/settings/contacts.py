"""Whom AWS reaches: e-mail addresses, and endpoints that SNS posts to."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from toolkit.settings.base import Settings
from toolkit.settings.values import checked, no_repetition

_EMAIL = re.compile(r"[A-Za-z0-9_+=.#|!&-]+@[A-Za-z0-9_.-]+\.[A-Za-z0-9_]+")
_ENDPOINT = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s@]*)?")


def email_address(value: str) -> str:
    """An e-mail address as the Account API accepts it (PutAlternateContact)."""
    if not _EMAIL.fullmatch(value) or len(value) > 254:
        raise ValueError("expected an e-mail address such as security@example.com")
    return value


_endpoint = checked(_ENDPOINT, "an address that starts with https:// and holds no user name or password")

EmailAddress = Annotated[str, AfterValidator(email_address)]
Endpoint = Annotated[str, _endpoint]


class Subscribers(Settings):
    """The recipients; at least one, because the benchmark requires it."""

    email_addresses: Annotated[tuple[EmailAddress, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="E-mail addresses; each confirms its subscription once."
    )
    https_endpoints: Annotated[tuple[Endpoint, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Addresses that SNS posts to; each confirms by answering the first message."
    )

    @model_validator(mode="after")
    def _somebody(self) -> Subscribers:
        if not self.email_addresses and not self.https_endpoints:
            raise ValueError("subscribers must name at least one of email_addresses and https_endpoints")
        return self
