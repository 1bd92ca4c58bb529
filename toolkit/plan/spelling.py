"""A plan with the names of users, groups and roles as the account spells them.

In: names that the account has, and a plan. Out: the same plan, other spellings replaced. Pure. IAM does not distinguish
these names by case (IAM User Guide, "IAM and AWS STS quotas", on names), so a policy attached to `Staff` reaches
whoever is in `staff`: what compares facts of the account with a plan must not miss that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from toolkit.plan.model import Plan
from toolkit.resources.registry import RESOURCES

_OWN_TYPES = {
    record.name: record.owner.kind
    for record in RESOURCES.values()
    if record.owner and record.owner.named_by == "name" and record.reading and record.reading.case_blind
}
"""Type whose `name` names one of a kind → the kind."""


class Spelling:
    """How the account spells names."""

    def __init__(self, *, users: Iterable[str] = (), groups: Iterable[str] = (), roles: Iterable[str] = ()) -> None:
        """Args:
        users: Users that the account has.
        groups: Its groups.
        roles: Its roles.
        """
        kinds = {"user": users, "group": groups, "role": roles}
        self._known = {kind: {name.casefold(): name for name in names} for kind, names in kinds.items()}

    def groups(self, names: Iterable[str]) -> frozenset[str]:
        """Names of groups as the account spells them; those that it does not have as they are."""
        return frozenset(self._name("group", name) for name in names)

    def users(self, names: Iterable[str]) -> frozenset[str]:
        """The same for names of users."""
        return frozenset(self._name("user", name) for name in names)

    def plan(self, plan: Plan) -> Plan:
        """The plan with these spellings."""
        changes = (
            replace(c, before=self._values(c.type, c.before), after=self._values(c.type, c.after))
            if c.type.startswith("aws_iam_")
            else c
            for c in plan.changes
        )
        return replace(plan, changes=tuple(changes))

    def _name(self, kind: str, name: str) -> str:
        return self._known[kind].get(name.casefold(), name)

    def _values(self, resource: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        kinds = {"user": "user", "group": "group", "role": "role", "groups": "group"}
        if resource in _OWN_TYPES:
            kinds["name"] = _OWN_TYPES[resource]
        return {key: self._spelled(kinds[key], value) if key in kinds else value for key, value in values.items()}

    def _spelled(self, kind: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._spelled(kind, one) for one in value]
        return self._name(kind, value) if isinstance(value, str) else value
