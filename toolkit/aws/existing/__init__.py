"""What the account has already of what a plan would create. Reads only.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
One file per topic has a table READERS: resource type → what asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.aws.existing import account, alerts, compute, detection, iam, organization, records, storage
from toolkit.aws.existing.reader import Reader
from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Plan

READERS: Mapping[str, Reader] = {
    **iam.READERS,
    **account.READERS,
    **storage.READERS,
    **compute.READERS,
    **records.READERS,
    **alerts.READERS,
    **detection.READERS,
    **organization.READERS,
}
"""Every topic's readers: resource type → what asks for it."""


def read_existing(plan: Plan, clients: ClientFactory) -> dict[str, Existing]:
    """Address of a create → what is there already.

    Raises:
        ToolkitError: It could not be asked.
    """
    found: dict[str, Existing] = {}
    for change in plan.changes:
        read = READERS.get(change.type)
        if read is None or change.action is not Action.CREATE:
            continue
        existing = asked(f"what {change.address} would overwrite", lambda c=change, r=read: r(clients, c))  # type: ignore[misc]
        if existing is not None:
            found[change.address] = existing
    return found
