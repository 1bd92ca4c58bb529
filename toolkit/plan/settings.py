"""Which setting of environment.yaml decides an attribute of a resource, and by which one it gets another name.

In: a change. Out: keys as people write them ("components.config.bucket.name"). Pure. The table beside this file is
derived from the modules (`scripts/derive_settings.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from toolkit.addresses import Address, AttributePath
from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding
from toolkit.resources.registry import record_of

NAMES = (
    *("name", "bucket", "alarm_name", "analyzer_name", "rule_name", "account_alias", "url", "protection_group_id"),
    "aws_service_name",
)
"""Attributes that name a resource, the likeliest first."""


def deciding(address: str, component: str | None, attribute: str) -> tuple[str, ...]:
    """Keys whose values an attribute takes; none where the module decides it by itself, or more than a few settings do.

    Args:
        address: Terraform address of the resource.
        component: Component whose module call it is in.
        attribute: Path in its values ("rule[0].expiration[0].days"). What is inside a value counts as the value.
    """
    found = _attributes(address, component)
    steps = _as_set(address, attribute)
    plain = ".".join(steps)
    for end in range(len(steps), 0, -1):
        if settings := found.get(".".join(steps[:end])):
            return _spelled(settings, address, component)
    # Of a block that is added or lost as a whole: what is set in it.
    inside = {s for path, settings in found.items() if path.startswith(f"{plain}.") for s in settings}
    return _spelled(sorted(inside), address, component) if len(inside) == 1 else ()


def _as_set(address: str, attribute: str) -> tuple[str, ...]:
    """The steps of a path as the settings have it: without places, or keys that name entries."""
    resource = _resource(address)
    record = record_of(resource.type if resource is not None else "")
    steps: list[str] = []
    entry_follows = False
    for step in AttributePath.parse(attribute).steps:
        if isinstance(step, str) and not entry_follows:
            steps.append(step)
            entry_follows = record.entry_key(".".join(steps)) is not None
        else:
            entry_follows = False
    return tuple(steps)


def naming(address: str, component: str | None) -> tuple[str, ...]:
    """Keys that give a resource another name: a setting, or the key of an entry; none where its name is fixed."""
    found = _attributes(address, component)
    settings = next((found[name] for name in NAMES if name in found), None)
    if settings is None:
        resource = _resource(address)
        declared = REGISTRY[component].iam_names if component and component in REGISTRY else ()
        settings = [n.setting for n in declared if resource is not None and n.resource == resource.type]
    # A switch or a filter beside it decides whether there is one, not how it is called.
    names = [s for s in settings if s.rsplit(".", 1)[-1].endswith("name") or s.rsplit(".", 1)[-1] in NAMES]
    return _spelled(names or [s for s in settings if s.endswith(".*") and len(settings) == 1], address, component)


def is_entry(key: str, address: str) -> bool:
    """Whether the last step of a key is an entry of the user's, whose name is the resource's or a part's of it.

    A setting that is called as an entry is none: iam_roles has `delegation`, and a policy `boundary["delegation"]`.
    """
    component = "".join(key.split(".", 2)[1:2])
    declared = (*REGISTRY[component].iam_names, *REGISTRY[component].names) if component in REGISTRY else ()
    settings = {s for found in _attributes(address, component).values() for s in found} | {n.setting for n in declared}
    maps = {f"components.{component}.{setting.partition('*')[0]}" for setting in settings if "*" in setting}
    return any(key == f"{begins}{name.split('/')[0]}" for begins in maps for name in _names(address))


def steps(key: str, address: str) -> tuple[str, ...]:
    """A key that one of these functions gives as its steps: an entry's name is one, whatever it has in it.

    Args:
        key: "components.iam_users.users.first.last.path".
        address: Of the resource that the key is about.
    """
    entry = _entry(address)
    if entry is not None and "." in entry:
        head, found, rest = key.partition(f".{entry}")
        if found and not rest:
            return (*head.split("."), entry)
        if found and rest.startswith("."):
            return (*head.split("."), entry, *rest[1:].split("."))
    return tuple(key.split("."))


def skipping(address: str, component: str | None) -> tuple[str, ...]:
    """Keys of settings that leave a resource out: lists (`existing_…`), switches (`create_…`), lists of regions.

    Entries of the lists `existing_…` are keys of `for_each`, as the address has them.
    """
    found = _attributes(address, component)
    settings = {s for name in NAMES for s in found.get(name, ()) if is_skipping(s)}
    if settings or component is None or component not in REGISTRY:
        return _spelled(sorted(settings), address, component)
    every = {s for decided in found.values() for s in decided}
    regional = [s for s in REGISTRY[component].regions_in if s in every and is_of_regions(s)]
    return _spelled(regional, address, component)


def is_skipping(key: str) -> bool:
    """Whether a setting says that something is there already."""
    return key.rsplit(".", 1)[-1].startswith(("existing_", "create_"))


def is_of_regions(key: str) -> bool:
    """Whether a setting lists the regions that get a resource."""
    return key.endswith("regions")


def leaving_out(address: str, component: str | None) -> tuple[str, ...]:
    """What to do with a setting that leaves a resource out, for people; none where there is no such."""
    return tuple(_leave_out(key) for key in skipping(address, component))


def _leave_out(key: str) -> str:
    if is_of_regions(key):
        return f"remove its region from `{key}`"
    return f"add it to `{key}`" if key.rsplit(".", 1)[-1].startswith("existing_") else f"set `{key}` to false"


_PLACES = {("aws_config_delivery_channel", "s3_bucket_name"), ("aws_cloudtrail", "s3_bucket_name")}
_PLACE = ("bucket", "name")


def placing(kind: str, component: str | None, attribute: str) -> tuple[str, ...]:
    """The setting that names another resource of the component, whose name an attribute takes.

    With another value of it, that resource is another one, too: one that exists is imported for it.

    Args:
        kind: The Terraform type.
        component: Its component.
        attribute: Of the type.

    Returns:
        Its steps; none for an attribute that takes no such name.
    """
    return ("components", str(component), *_PLACE) if (kind, attribute) in _PLACES else ()


PLACED = tuple(sorted(_PLACES))
"""Types that take a bucket's name, and the attribute that has it."""


def with_settings(
    findings: Iterable[Finding],
    followed: Mapping[str, str] | None = None,
    named: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Finding, ...]:
    """The findings, each with the keys that decide what it is about.

    Args:
        findings: As guards gave them.
        followed: Key that the environment file does not give → key that decides its value instead.
        named: (Type, name) → the one key that names it in the environment file, where several could.
    """
    return tuple(_with_setting(finding, followed or {}, named or {}) for finding in findings)


def _with_setting(finding: Finding, followed: Mapping[str, str], named: Mapping[tuple[str, str], str]) -> Finding:
    address = finding.address
    if finding.setting is not None or finding.component is None or address is None:
        return finding
    if finding.attribute:
        keys = deciding(address, finding.component, finding.attribute)
        other = None
    else:
        keys = naming(address, finding.component)
        resource = _resource(address)
        other = named.get((resource.type, str(resource.key))) if resource is not None else None
    remedy = finding.remedy
    if keys and (other := other or next((followed[key] for key in keys if key in followed), None)):
        either = "|".join(re.escape(f"`{key}`") for key in keys)
        listed = rf"(?:{either})(?:(?:, | or | and )(?:{either}))*"
        remedy, keys = re.sub(listed, lambda _: f"`{other}`", remedy), (other,)
    missing = [key for key in keys if f"`{key}`" not in remedy]
    remedy += f" ({', '.join(f'`{key}`' for key in missing)})" if missing else ""
    return replace(finding, setting=", ".join(keys) or f"components.{finding.component}", remedy=remedy)


def _attributes(address: str, component: str | None) -> Mapping[str, list[str]]:
    found = _table().get(component or "", {})
    resource = _resource(address)
    if resource is None:
        return {}
    inside = str(resource.inside.without_keys)
    nested = (resource.label or "").removeprefix(f"{component}_")
    return found.get(f"{nested}:{inside}") or found.get(inside) or {}


def _spelled(settings: Iterable[str], address: str, component: str | None) -> tuple[str, ...]:
    """With the entry's own key in place of `*`, where the address has it."""
    entry = _entry(address)
    return tuple(f"components.{component}.{s.replace('*', entry, 1) if entry else s}" for s in settings)


def _entry(address: str) -> str | None:
    keys = _names(address)
    # An entry's part has both keys ("developers/ReadOnlyAccess").
    return keys[-1].split("/")[0] if keys else None


def _names(address: str) -> list[str]:
    """Keys of `for_each`, which are names that people chose; those of `count` are none."""
    resource = _resource(address)
    return [key for key in resource.keys if isinstance(key, str)] if resource is not None else []


def _resource(address: str) -> Address | None:
    """None for what else findings are about, such as a user."""
    try:
        return Address.parse(address)
    except ValueError:
        return None


@cache
def _table() -> dict[str, dict[str, dict[str, list[str]]]]:
    found: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
        (Path(__file__).parent / "settings.json").read_text("utf-8")
    )
    return found
