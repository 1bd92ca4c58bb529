"""Every component by name, imported when first looked up: most environments use a few, and start sooner for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from toolkit.components.base import Component

_NAMES = (
    "password_policy",
    "iam_groups",
    "mfa_enforcement",
    "iam_users",
    "identity_center",
    "access_analyzer",
    "account_contacts",
    "account_defaults",
    "root_protection",
    "organization",
    "cloudtrail",
    "activity_alarms",
    "iam_roles",
    "config",
    "key_rotation",
    "guardduty",
    "security_hub",
    "member_security",
    "shield",
    "firewall_manager",
    "siem_export",
    "trusted_advisor",
    "macie",
    "inspector",
    "detective",
    "ecr_defaults",
)
"""Names of components, which are those of their modules here, in the order in which people read and files list them."""


class _Registry(Mapping[str, Component]):
    def __getitem__(self, name: str) -> Component:
        if name not in _NAMES:
            raise KeyError(name)
        return _component(name)

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


@cache
def _component(name: str) -> Component:
    component: Component = import_module(f"toolkit.components.{name}").COMPONENT
    return component


REGISTRY: Mapping[str, Component] = _Registry()
"""Component name → component."""
