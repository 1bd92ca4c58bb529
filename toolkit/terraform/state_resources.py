"""Which resources a state manages: what identifies each, and none of its other values.

In: Terraform's state as JSON. Out: `StateResource`. Nothing else of a state leaves this module, since it holds
sensitive values in the clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.addresses import Address, label_of
from toolkit.terraform.providers import aliases


@dataclass(frozen=True)
class StateResource:
    """One managed resource of a state."""

    address: str
    """Without instance keys."""
    type: str
    alias: str
    """Of the provider that the state records for it; "" for the one without."""
    identity: Mapping[str, str]
    """Attribute → value, of those that were wanted and are texts."""


@dataclass(frozen=True)
class StateResources:
    """Every managed resource of a state, an entry for each instance."""

    lineage: str
    """What all versions of the same state share; empty where there is no state."""
    serial: int
    """0 where there is no state."""
    resources: tuple[StateResource, ...]
    labels: frozenset[str]
    """Names of the root's module calls that manage anything, of whatever type."""


def state_resources(state: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> StateResources:
    """The managed resources of a state.

    Args:
        state: What `terraform state pull` answers.
        wanted: Type → attributes that identify a resource of it; other types are left out.
    """
    managed = [one for one in state.get("resources", ()) if one.get("mode") == "managed"]
    return StateResources(
        str(state.get("lineage", "")),
        int(state.get("serial", 0)),
        tuple(_resources(managed, alias_of=aliases(state), wanted=wanted)),
        frozenset(label for one in managed if (label := label_of(one.get("module", ""))) is not None),
    )


def _resources(
    managed: Iterable[Mapping[str, Any]], *, alias_of: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]
) -> Iterator[StateResource]:
    for resource in managed:
        kind = resource["type"]
        if kind not in wanted:
            continue
        module = f"{resource['module']}." if resource.get("module") else ""
        address = str(Address.parse(f"{module}{kind}.{resource['name']}").without_keys)
        for instance in resource.get("instances", ()):
            values = instance.get("attributes") or {}
            identity = {name: values[name] for name in wanted[kind] if isinstance(values.get(name), str)}
            yield StateResource(address, kind, alias_of.get(address, ""), identity)
