"""Accounts, organizational units and organizations, by their ids."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from toolkit.settings.values import checked, no_repetition

ACCOUNT_ID = re.compile(r"[0-9]{12}")
UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")

AccountId = Annotated[str, checked(ACCOUNT_ID, "an account id: 12 digits, in quotes")]
AccountIds = Annotated[tuple[AccountId, ...], Field(strict=False), AfterValidator(no_repetition)]
UnitId = Annotated[str, checked(UNIT_ID, "the id of an organizational unit, such as ou-abcd-12345678")]
UnitIds = Annotated[tuple[UnitId, ...], Field(strict=False), AfterValidator(no_repetition)]
OrganizationId = Annotated[str, checked(_ORGANIZATION_ID, "the id of an organization, such as o-a1b2c3d4e5")]
