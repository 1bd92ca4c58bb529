"""The accounts of an organization.

In: an inventory of the management account or a delegated administrator. Out: the organization's accounts. Reads only.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html: "This operation can only be called
from the management account or a member account that is a delegated administrator." It may answer empty pages with a
token, which the inventory reads on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from toolkit.aws.inventory import Inventory
from toolkit.errors import ToolkitError, UsageError
from toolkit.resources.reading import UnreadableError

ACTIONS = ("organizations:DescribeOrganization", "organizations:ListAccounts", "sts:AssumeRole")
"""What an audit of an organization needs in the account that it starts from, apart from reading that account."""
UNIT_ACTIONS = ("organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent")
"""What it needs besides to find the accounts of organizational units."""
DIRECTORY_ACTIONS = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListRoots",
    *UNIT_ACTIONS,
    "organizations:ListTagsForResource",
)
"""What `directory_of` and `with_tags` need, and `organization_of` before."""
_NONE = ("AWSOrganizationsNotInUseException",)
_WHERE = "run it with credentials of the management account, or of a delegated administrator of the organization"


def organization_of(inventory: Inventory) -> tuple[str, str]:
    """The id of the organization that the account is in, and that of its management account.

    Raises:
        UsageError: It is in none.
        ToolkitError: AWS does not say.
    """
    try:
        answer = inventory.call("organizations", "describe_organization", inventory.home_region, absent=_NONE)
    except UnreadableError as e:
        raise ToolkitError(f"the organization cannot be read: {e}", hint=_WHERE) from e
    if answer is None:
        raise UsageError(f"account {inventory.account_id} is in no organization", hint=_WHERE)
    return answer["Organization"]["Id"], answer["Organization"]["MasterAccountId"]


def accounts_of(inventory: Inventory, units: Iterable[str] = ()) -> tuple[Mapping[str, Any], ...]:
    """Every account of the organization, as AWS lists it, or those below organizational units or roots.

    Args:
        inventory: Of the management account or a delegated administrator.
        units: Ids of organizational units or roots; none: all accounts.

    Raises:
        ToolkitError: AWS does not say.
    """
    try:
        if not units:
            found: Iterable[Any] = inventory.pages("organizations", "list_accounts", "Accounts", inventory.home_region)
        else:
            found = [one for unit in units for one in _below(inventory, unit)]
    except UnreadableError as e:
        raise ToolkitError(f"the accounts of the organization cannot be listed: {e}", hint=_WHERE) from e
    return tuple({one["Id"]: one for one in found}.values())


@dataclass(frozen=True)
class OrganizationAccount:
    """One account of an organization."""

    id: str
    name: str
    state: str | None
    """As `state_of` gives it."""
    units: tuple[str, ...]
    """Names of the organizational units that it is in, the outermost first."""
    unit_ids: tuple[str, ...] = ()
    """Ids of the root and of these units."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Empty until `with_tags` has read them."""


def directory_of(inventory: Inventory) -> tuple[OrganizationAccount, ...]:
    """Every account of the organization with its organizational units, by id.

    Raises:
        ToolkitError: AWS does not say.
    """
    listed = accounts_of(inventory)
    places: dict[str, tuple[_Unit, ...]] = {}
    try:
        for root in inventory.pages("organizations", "list_roots", "Roots", inventory.home_region):
            places.update(_places(inventory, (_Unit(root["Id"], ""),)))
    except UnreadableError as e:
        raise ToolkitError(f"the organization cannot be read: {e}", hint=_WHERE) from e
    found = []
    for one in listed:
        above = places.get(one["Id"], ())
        units, ids = tuple(unit.name for unit in above[1:]), tuple(unit.id for unit in above)
        found.append(OrganizationAccount(one["Id"], one.get("Name") or "", state_of(one), units, ids))
    return tuple(sorted(found, key=lambda one: one.id))


def with_tags(inventory: Inventory, accounts: Iterable[OrganizationAccount]) -> tuple[OrganizationAccount, ...]:
    """The accounts with their tags: one question each, side by side.

    Raises:
        ToolkitError: AWS does not say.
    """
    home = inventory.home_region

    def tagged(one: OrganizationAccount) -> OrganizationAccount:
        tags = inventory.pages("organizations", "list_tags_for_resource", "Tags", home, ResourceId=one.id)
        return replace(one, tags={tag["Key"]: tag["Value"] for tag in tags})

    try:
        return inventory.side_by_side(tagged, accounts)
    except UnreadableError as e:
        raise ToolkitError(f"the tags of accounts cannot be read: {e}", hint=_WHERE) from e


@dataclass(frozen=True)
class _Unit:
    id: str
    name: str


def _places(inventory: Inventory, above: tuple[_Unit, ...]) -> Iterator[tuple[str, tuple[_Unit, ...]]]:
    home, parent = inventory.home_region, above[-1].id
    for account in inventory.pages("organizations", "list_accounts_for_parent", "Accounts", home, ParentId=parent):
        yield account["Id"], above
    operation = "list_organizational_units_for_parent"
    for unit in inventory.pages("organizations", operation, "OrganizationalUnits", home, ParentId=parent):
        yield from _places(inventory, (*above, _Unit(unit["Id"], unit["Name"])))


def state_of(account: Mapping[str, Any]) -> str | None:
    """ "ACTIVE", or why the account cannot be used; None: AWS does not say.

    `Status` was retired on September 9, 2026 in favour of `State`; as long as AWS answers both, the worse one counts.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    """
    said = [account[key] for key in ("State", "Status") if account.get(key)]
    return next((one for one in said if one != "ACTIVE"), said[0] if said else None)


def _below(inventory: Inventory, parent: str) -> Iterator[Mapping[str, Any]]:
    home = inventory.home_region
    yield from inventory.pages("organizations", "list_accounts_for_parent", "Accounts", home, ParentId=parent)
    operation = "list_organizational_units_for_parent"
    for unit in inventory.pages("organizations", operation, "OrganizationalUnits", home, ParentId=parent):
        yield from _below(inventory, unit["Id"])
