"""What resources of a plan are for, as their components declare it.

In: a change or resource. Out: whether it plays a role. Pure.
"""

from __future__ import annotations

from toolkit.addresses import Address
from toolkit.components.base import Role
from toolkit.components.registry import REGISTRY
from toolkit.plan.model import Change, Resource


def plays(one: Change | Resource, role: Role) -> bool:
    """Whether a resource is one of those that its component makes for this."""
    component = REGISTRY.get(one.component or "")
    made = component.roles.get(role) if component is not None else None
    if made is None or made.resource != one.type:
        return False
    name = one.name if isinstance(one, Change) else Address.parse(one.address).name
    return made.name in (None, name)


def player(role: Role) -> str:
    """The component that makes what plays a role."""
    return next(component.name for component in REGISTRY.values() if role in component.roles)
