"""`terraform show -json PLAN` → Plan.

In: the parsed JSON and the environment it was planned for. Out: frozen Changes, attributed to component and region.
Reads values only of `resource_changes`, `resource_drift` and `output_changes`, the parts in which Terraform marks
sensitive ones; what is marked leaves this module as SENSITIVE. Never runs Terraform.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from toolkit import findings
from toolkit.addresses import Address, AttributePath, label_of, regional_label
from toolkit.errors import ToolkitError
from toolkit.plan.entries import joined, own_key, paired, same
from toolkit.resources.base import ResourceType
from toolkit.resources.registry import has_own_arn, record_of


class Action(Enum):
    """What a plan does to one resource, in Terraform's words."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    IMPORT = "import"
    """Taken into the state and otherwise left alone."""
    MOVE = "move"
    """Given another address in the state and otherwise left alone."""


class Marker(Enum):
    """Stands for a value that is not shown or not there."""

    SENSITIVE = "(sensitive value)"
    UNKNOWN = "(known after apply)"
    CHANGED = "(sensitive value, changed)"
    """Of `Change.after`, where `before` has another sensitive value: two that are not shown must not look alike."""


@dataclass(frozen=True)
class AttributeChange:
    """One attribute whose value differs, at the deepest place where it does."""

    path: str
    """Dotted ("rotation.days", "rule[0].id"); entries are named by their key where they have one."""
    before: Any
    after: Any
    """Plain data or a Marker."""
    forces_replacement: bool = False


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    address: str
    type: str
    name: str
    """Name of the resource in its module, without instance key."""
    action: Action
    component: str | None
    """Component whose module call it is in; None for anything else."""
    region: str
    """Region of the module call (the home region for components that are called once)."""
    attributes: tuple[AttributeChange, ...]
    """Differences of an update or replace; for a create or delete, the values set or lost."""
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All values before, sensitive ones masked; empty for a create."""
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All values after, sensitive ones masked, unknown ones marked; empty for a delete."""
    imported: bool = False
    previous_address: str | None = None
    tainted: bool = False
    """Whether a replace finishes what an interrupted or failed apply left half-made."""

    @property
    def arn(self) -> str | None:
        """Its own ARN before the plan; None where it has none, or it is not known."""
        arn = self.before.get("arn") if has_own_arn(self.type) else None
        return arn if isinstance(arn, str) else None

    @property
    def changes_region(self) -> bool:
        """Whether it is deleted in one region and created in another one, as version 6 of the provider can do.

        That has the region of most resources among their values, and replaces what is to be in another one:
        https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support
        """
        before, after = self.before.get("region"), self.after.get("region")
        both = isinstance(before, str) and isinstance(after, str)
        return both and before != after and self.action is Action.REPLACE

    @property
    def resource(self) -> findings.Resource:
        """What a finding about it is about."""
        return findings.Resource(self.address, self.region, self.type, self.arn)


def count(changes: Iterable[Change], *actions: Action) -> int:
    """Changes of these actions. An import counts as one whatever else happens to it, as in Terraform's own totals."""
    return sum(c.action in actions or (c.imported and Action.IMPORT in actions) for c in changes)


@dataclass(frozen=True)
class OutputChange:
    """A root output whose value changes."""

    name: str
    action: Action


@dataclass(frozen=True)
class Plan:
    """One plan, whole."""

    terraform_version: str
    changes: tuple[Change, ...]
    outputs: tuple[OutputChange, ...]
    unchanged: int
    """Managed resources that the plan leaves alone."""

    @property
    def empty(self) -> bool:
        """Whether applying it would change no resource and no output."""
        return not self.changes and not self.outputs

    def count(self, *actions: Action) -> int:
        """Changes of these actions; a replace counts as REPLACE alone."""
        return count(self.changes, *actions)

    @property
    def imports(self) -> int:
        """Resources that the plan takes into the state."""
        return self.count(Action.IMPORT)

    @property
    def steps(self) -> int:
        """What an apply does one by one: a replace is a deletion and a creation."""
        return self.count(Action.CREATE, Action.UPDATE, Action.DELETE) + 2 * self.count(Action.REPLACE)

    @property
    def totals(self) -> str:
        """Terraform's own line ("2 to add, 1 to change, 0 to destroy"), and what that leaves out: forgotten and moved.

        A replace adds and destroys. What is moved and changed counts as changed.
        """
        replaced = self.count(Action.REPLACE)
        parts = [f"{self.imports} to import"] if self.imports else []
        parts += [
            f"{self.count(Action.CREATE) + replaced} to add",
            f"{self.count(Action.UPDATE)} to change",
            f"{self.count(Action.DELETE) + replaced} to destroy",
        ]
        if forgotten := self.count(Action.FORGET):
            parts.append(f"{forgotten} to forget")
        if moved := self.count(Action.MOVE):
            parts.append(f"{moved} to move")
        return ", ".join(parts)


@dataclass(frozen=True)
class Resource:
    """A managed resource as it is once a plan is applied."""

    address: str
    type: str
    component: str | None
    region: str
    values: Mapping[str, Any] = field(repr=False)
    """Sensitive values masked, those not known before the apply marked."""


@dataclass(frozen=True)
class Attribution:
    """Module label → component and region, as rendering names them."""

    components: tuple[str, ...]
    regions: tuple[str, ...]
    """Every region that may have a provider alias, retiring ones included."""
    home: str

    def of(self, address: str) -> tuple[str | None, str]:
        """("module.NAME_eu_west_1.x.y") → ("NAME", "eu-west-1"), for the name of a component."""
        label = label_of(address)
        if label is None:
            return None, self.home
        region = next((r for r in self.regions if label.endswith(regional_label("", r))), self.home)
        # Longest name first: `config` must not claim what belongs to a component whose name starts so.
        for name in sorted(self.components, key=len, reverse=True):
            if label == name or label.startswith(f"{name}_"):
                return name, region
        return None, region


def parse_plan(data: Mapping[str, Any], attribution: Attribution) -> Plan:
    """The typed plan.

    Raises:
        ToolkitError: The JSON is none that this version reads.
    """
    _require_known_format(data)
    changes: list[Change] = []
    unchanged = 0
    for entry in data.get("resource_changes", ()):
        if entry.get("mode") != "managed":
            continue
        change = _change(entry, attribution)
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    outputs = tuple(
        OutputChange(name, action)
        for name, entry in sorted(data.get("output_changes", {}).items())
        if (action := _action(entry["actions"])) is not None
    )
    return Plan(str(data.get("terraform_version", "")), tuple(changes), outputs, unchanged)


def parse_outcome(data: Mapping[str, Any], attribution: Attribution) -> tuple[Resource, ...]:
    """Everything managed that there is once the plan is applied, what it leaves alone included.

    Raises:
        ToolkitError: The JSON is none that this version reads.
    """
    _require_known_format(data)
    found = []
    for entry in data.get("resource_changes", ()):
        change = entry["change"]
        if entry.get("mode") != "managed" or (change.get("after") is None and change["actions"] != ["create"]):
            continue
        after = _mark_unknown(
            _hide(change.get("after"), change.get("after_sensitive"), None), change.get("after_unknown")
        )
        found.append(Resource(entry["address"], entry["type"], *attribution.of(entry["address"]), _masked(after) or {}))
    return tuple(found)


def parse_drift(data: Mapping[str, Any], attribution: Attribution) -> tuple[Change, ...]:
    """What was changed outside of Terraform: `before` as in the state, `after` as AWS has it now.

    Terraform calls everything drift that a resource answers differently from when it was last asked: counters, what
    another resource of the baseline has set since, an attribute that is empty instead of absent. Here counts what the
    modules set, and what this very plan would put back; a resource that is gone always counts.

    Args:
        data: `show -json` of a plan made with refreshing.

    Raises:
        ToolkitError: The JSON is none that this version reads.
    """
    planned = {c.address: {_top(a.path) for a in c.attributes} for c in parse_plan(data, attribution).changes}
    root = data.get("configuration", {}).get("root_module", {})
    found = (_change(e, attribution) for e in data.get("resource_drift", ()) if e.get("mode") == "managed")
    changes = []
    for change in found:
        if change is None or change.action not in (Action.UPDATE, Action.DELETE):
            continue
        ours = _configured(root, change.address) | planned.get(change.address, set())
        real = tuple(a for a in change.attributes if _top(a.path) in ours and not _both_empty(a))
        if real or change.action is Action.DELETE:
            changes.append(replace(change, attributes=real))
    return tuple(changes)


def _configured(root: Mapping[str, Any], address: str) -> set[str]:
    """Names of the arguments that a resource's block sets; of the configuration only names are read, no values."""
    resource = Address.parse(address)
    for label, _ in resource.modules:
        root = root.get("module_calls", {}).get(label, {}).get("module", {})
    relative = f"{resource.type}.{resource.name}"
    blocks = (r.get("expressions", {}) for r in root.get("resources", ()) if r.get("address") == relative)
    return {argument for expressions in blocks for argument in expressions}


def _top(path: str) -> str:
    return next(iter(AttributePath.parse(path).names), "")


def _both_empty(change: AttributeChange) -> bool:
    return all(value in (None, "", [], {}) for value in (change.before, change.after))


def _require_known_format(data: Mapping[str, Any]) -> None:
    version = str(data.get("format_version", ""))
    if not version.startswith("1."):
        raise ToolkitError(
            f"Terraform's plan has format {version or 'unknown'}; this toolkit reads 1.x",
            hint="use a Terraform version that environment.yaml's required_version admits, or a newer toolkit",
        )


def _action(actions: Sequence[str]) -> Action | None:
    if "create" in actions and "delete" in actions:
        return Action.REPLACE
    # Terraform's word for leaving alone is no-op; import and move are told elsewhere in its JSON.
    return next((action for action in Action if action.value in actions), None)


def _change(entry: Mapping[str, Any], attribution: Attribution) -> Change | None:
    change = entry["change"]
    action = _action(change["actions"])
    imported = change.get("importing") is not None
    moved = entry.get("previous_address")
    if action is None:
        if not imported and moved is None:
            return None
        action = Action.IMPORT if imported else Action.MOVE
    masks = change.get("before_sensitive"), change.get("after_sensitive")
    # What is sensitive on one side only is hidden on both, as Terraform does: it may well be the same value.
    before = _hide(change.get("before"), *masks)
    after = _hide(change.get("after"), *reversed(masks))
    after = _mark_unknown(after, change.get("after_unknown"))
    differences = list(_differences(record_of(entry["type"]), before, after))
    planned = _masked(after) or {}
    for path, _, old, new in differences:
        if not (path.steps and isinstance(old, _Hidden) and isinstance(new, _Hidden)):
            continue
        if not same(old.value, new.value):
            AttributePath(path.steps[:-1]).at(planned)[path.steps[-1]] = Marker.CHANGED
    forcing = [AttributePath(tuple(path)) for path in change.get("replace_paths", ())]
    component, region = attribution.of(entry["address"])
    return Change(
        address=entry["address"],
        type=entry["type"],
        name=entry["name"],
        action=action,
        component=component,
        region=region,
        attributes=tuple(
            AttributeChange(text, _masked(old), _masked(new), any(path.starts_with(f) for f in forcing))
            for path, text, old, new in differences
        ),
        before=_masked(before) or {},
        after=planned,
        imported=imported,
        previous_address=moved,
        tainted=entry.get("action_reason") == "replace_because_tainted",
    )


class _Hidden:
    """A sensitive value: can be compared, so that a change of it is seen, but never leaves this module.

    Becoming sensitive, or ceasing to be, is a change, too.
    """

    def __init__(self, value: Any, marked: bool) -> None:
        self._known = (value, marked)

    @property
    def value(self) -> Any:
        """To be compared, never shown."""
        return self._known[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and bool(self._known == other._known)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return Marker.SENSITIVE.value


def _hide(value: Any, sensitive: Any, elsewhere: Any) -> Any:
    """`value` with everything hidden that `sensitive` or `elsewhere` marks (true, or a structure of such).

    Args:
        value: Values before or after.
        sensitive: Terraform's marks of these values.
        elsewhere: Terraform's marks of the values on the other side of the change.
    """
    if sensitive is True or elsewhere is True:
        return _Hidden(value, sensitive is True)
    if isinstance(value, dict):
        return {k: _hide(v, _mark(sensitive, k), _mark(elsewhere, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_hide(v, _mark(sensitive, i), _mark(elsewhere, i)) for i, v in enumerate(value)]
    return value


def _mark(marks: Any, step: str | int) -> Any:
    if isinstance(marks, dict):
        return marks.get(step)
    return marks[step] if isinstance(marks, list) and isinstance(step, int) and step < len(marks) else None


def _masked(value: Any) -> Any:
    if isinstance(value, _Hidden):
        return Marker.SENSITIVE
    if isinstance(value, dict):
        return {k: _masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(v) for v in value]
    return value


def _mark_unknown(value: Any, unknown: Any) -> Any:
    if unknown is True:
        return Marker.UNKNOWN
    if isinstance(unknown, dict) and isinstance(value, (dict, type(None))):
        known = value or {}
        keys = dict.fromkeys([*known, *unknown])
        return {k: _mark_unknown(known.get(k), unknown.get(k)) for k in keys}
    if isinstance(unknown, list) and isinstance(value, list):
        return [_mark_unknown(v, unknown[i] if i < len(unknown) else None) for i, v in enumerate(value)]
    return value


def _differences(
    record: ResourceType, before: Any, after: Any, path: tuple[str | int, ...] = (), text: str = ""
) -> Iterable[tuple[AttributePath, str, Any, Any]]:
    """Path with places, path for people, value before and value after of each place where they differ.

    Of a list whose order means nothing, an entry that is added or removed is one difference. Those that are removed
    have the places behind the last of `after`, as in the paths of weakenings.
    """
    if before == after:
        return
    if isinstance(before, (dict, type(None))) and isinstance(after, (dict, type(None))) and (before or after):
        old, new = before or {}, after or {}
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(record, old.get(key), new.get(key), (*path, key), joined(text, key))
    elif isinstance(before, list) and isinstance(after, list) and _is_unordered(record, path):
        names = record.entry_key(_bare(path))
        for index, (one, other) in enumerate(paired(record, _bare(path), before, after)):
            entry = other if isinstance(other, dict) else one
            here = joined(text, index, own_key(names, entry, before, after))
            if one is None or other is None:
                yield AttributePath((*path, index)), here, one, other
            else:
                yield from _differences(record, one, other, (*path, index), here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and _structured(before):
        for index, (old_item, new_item) in enumerate(zip(before, after, strict=True)):
            yield from _differences(record, old_item, new_item, (*path, index), joined(text, index))
    else:
        yield AttributePath(path), text, before, after


def _is_unordered(record: ResourceType, path: tuple[str | int, ...]) -> bool:
    return _bare(path) in record.keys or _bare(path) in record.sets


def _bare(path: tuple[str | int, ...]) -> str:
    return ".".join(AttributePath(path).names)


def _structured(items: list[Any]) -> bool:
    return any(isinstance(item, (dict, list)) for item in items)


def shown(value: Any) -> str:
    """A value as reports show it, on one line."""
    if isinstance(value, Marker):
        return value.value
    return json.dumps(value, ensure_ascii=False, default=lambda v: v.value if isinstance(v, Marker) else str(v))
