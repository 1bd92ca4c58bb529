"""Readers of AWS Organizations: the organization, its units, policies, attachments and administrators."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _organization(clients: ClientFactory, _change: Change) -> Existing | None:
    organizations = clients.client("organizations")
    try:
        found = organizations.describe_organization()["Organization"]
    except organizations.exceptions.AWSOrganizationsNotInUseException:
        return None
    return Existing({}, False, found["Id"], f"the organization {found['Id']}")


def _unit(clients: ClientFactory, change: Change) -> Existing | None:
    name, parent = named(change, "name"), named(change, "parent_id")
    if parent is None:
        # In a parent that is still to be made.
        return None
    pages = (
        clients.client("organizations").get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
    )
    units = [unit for page in pages for unit in page["OrganizationalUnits"]]
    identifier = next((unit["Id"] for unit in units if unit["Name"] == name), None)
    return Existing({}, False, identifier, f"the organizational unit {name!r}") if identifier else None


def _policy(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    organizations = clients.client("organizations")
    try:
        pages = list(organizations.get_paginator("list_policies").paginate(Filter=change.after["type"]))
    except organizations.exceptions.AWSOrganizationsNotInUseException:
        return None
    policies = [policy for page in pages for policy in page["Policies"]]
    identifier = next((policy["Id"] for policy in policies if policy["Name"] == name), None)
    return Existing({}, False, identifier, f"the policy {name!r}") if identifier else None


def _attachment(clients: ClientFactory, change: Change) -> Existing | None:
    policy, target = named(change, "policy_id"), named(change, "target_id")
    if policy is None or target is None:
        return None
    pages = clients.client("organizations").get_paginator("list_targets_for_policy").paginate(PolicyId=policy)
    if not any(found["TargetId"] == target for page in pages for found in page["Targets"]):
        return None
    return Existing({}, False, f"{target}:{policy}", f"the attachment of {policy} to {target}")


def _delegated_administrator(clients: ClientFactory, change: Change) -> Existing | None:
    account, service = change.after["account_id"], change.after["service_principal"]
    organizations = clients.client("organizations")
    try:
        pages = list(organizations.get_paginator("list_delegated_administrators").paginate(ServicePrincipal=service))
    except organizations.exceptions.AWSOrganizationsNotInUseException:
        return None
    if not any(found["Id"] == account for page in pages for found in page["DelegatedAdministrators"]):
        return None
    return Existing({}, False, f"{account}/{service}", f"account {account} as administrator of {service}")


READERS: dict[str, Reader] = {
    "aws_organizations_organization": _organization,
    "aws_organizations_organizational_unit": _unit,
    "aws_organizations_policy": _policy,
    "aws_organizations_policy_attachment": _attachment,
    "aws_organizations_delegated_administrator": _delegated_administrator,
}
