"""What the readers of every topic share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change

Reader = Callable[[ClientFactory, Change], Existing | None]
"""Asks what the account has already of what a create would make; None where it has nothing."""


def named(change: Change, attribute: str) -> str | None:
    """The name that the plan gives; None where it is not known before the apply, so that nothing can be looked up."""
    value = change.after.get(attribute)
    return value if isinstance(value, str) else None


def overwriting(
    change: Change, values: Mapping[str, Any], import_id: str | None, what: str, *, default: bool = False
) -> Existing | None:
    """What a create overwrites; None where it sets the very same values, so that nothing happens to what is there.

    Args:
        change: The create.
        values: All that the create would overwrite, as Terraform would hold it.
        import_id: Id to import it with; None where the provider imports no such thing.
        what: What AWS calls it, for people.
        default: Whether it is what AWS gives by itself.
    """
    found = Existing(values, True, import_id, what, default)
    return found if found.differences(change) else None
