"""What the readers of every topic share."""

from __future__ import annotations

from collections.abc import Callable

from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change

Reader = Callable[[ClientFactory, Change], Existing | None]
"""Asks what the account has already of what a create would make; None where it has nothing."""


def named(change: Change, attribute: str) -> str | None:
    """The name that the plan gives; None where it is not known before the apply, so that nothing can be looked up."""
    value = change.after.get(attribute)
    return value if isinstance(value, str) else None
