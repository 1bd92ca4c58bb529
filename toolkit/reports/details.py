"""What changes in one resource, in words that every format shows alike.

In: a Change. Out: Details, each a policy's difference in meaning or a pair of values cut to where they differ. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.iam.comparison import compare_policies, policy_sentences
from toolkit.plan.model import Action, AttributeChange, Change, Marker, shown
from toolkit.visible import one_line

ABSENT = "(none)"
"""Stands for a value that is not there at all."""

_ONE_SIDED = (Action.CREATE, Action.DELETE, Action.FORGET)


@dataclass(frozen=True)
class Detail:
    """One attribute that changes."""

    path: str
    before: str | None
    """None where there is no side to compare with: in a create, and for policies and lists told by `lines`."""
    after: str | None
    """None in a deletion, and for policies and lists told by `lines`."""
    forces_replacement: bool = False
    lines: tuple[str, ...] = ()
    """Statements or entries, each marked +, - or ~."""

    @property
    def values(self) -> str:
        """ "90 → 0", or the one value that there is; empty where `lines` tell it."""
        return " → ".join(side for side in (self.before, self.after) if side is not None)

    def text(self) -> tuple[str, ...]:
        """As lines of plain text: the path, then indented what `lines` hold."""
        forces = "  # forces replacement" if self.forces_replacement else ""
        return (f"{self.path}: {self.values}".rstrip() + forces, *(f"  {line}" for line in self.lines))


def details(change: Change, *, longest: int, with_values: bool) -> tuple[Detail, ...]:
    """What changes in a resource.

    Args:
        change: The change.
        longest: Characters of a value that are shown at most.
        with_values: Also the values that a create sets and a deletion loses.
    """
    if change.action in _ONE_SIDED and not with_values:
        return ()
    return tuple(_detail(a, change.action, longest) for a in change.attributes if not _repeats(a, change))


def unknown_paths(change: Change) -> tuple[str, ...]:
    """Attributes of a create that are known after the apply only."""
    if change.action is not Action.CREATE:
        return ()
    return tuple(a.path for a in change.attributes if a.after is Marker.UNKNOWN and not _repeats(a, change, False))


def only_tags(change: Change) -> bool:
    """Whether a change is an update of nothing but tags, which is of little interest to a reviewer."""
    paths = [a.path for a in change.attributes]
    tags = ("tags.", "tags[", "tags_all")
    return change.action is Action.UPDATE and bool(paths) and all(path.startswith(tags) for path in paths)


def _repeats(attribute: AttributeChange, change: Change, hide_unknown: bool = True) -> bool:
    """Whether the attribute says nothing that is not shown anyway."""
    if change.action is Action.CREATE and hide_unknown and attribute.after is Marker.UNKNOWN:
        return True
    if not attribute.path.startswith("tags_all"):
        return False
    # tags_all holds the provider's default tags and the resource's own: where only default tags change, it alone tells.
    same = "tags" + attribute.path.removeprefix("tags_all")
    return change.action in _ONE_SIDED or any(a.path in (same, "tags") for a in change.attributes)


def _detail(attribute: AttributeChange, action: Action, longest: int) -> Detail:
    path, before, after = one_line(attribute.path), attribute.before, attribute.after
    forces = attribute.forces_replacement
    if action in _ONE_SIDED:
        value = after if action is Action.CREATE else before
        if is_policy(value) and (sentences := policy_sentences(value)):
            mark = "+" if action is Action.CREATE else "-"
            return Detail(path, None, None, forces, tuple(clip(one_line(f"{mark} {s}"), longest) for s in sentences))
        text = clip(one_line(shown(value)), longest)
        return Detail(path, None, text) if action is Action.CREATE else Detail(path, text, None)
    if is_policy(before) and is_policy(after):
        found = compare_policies(before, after).lines or ("~ has the same meaning in other words",)
        return Detail(path, None, None, forces, tuple(clip(one_line(line), longest) for line in found))
    if lines := tuple(_entries(before, after)):
        return Detail(path, None, None, forces, tuple(clip(one_line(line), longest) for line in lines))
    old, new = _pair(_side(before), _side(after), longest)
    return Detail(path, old, new, forces)


def _side(value: Any) -> str:
    return ABSENT if value is None else one_line(shown(value))


def _entries(before: Any, after: Any) -> Iterator[str]:
    """Entries that come and go, for two lists whose order is not what changes."""
    if not isinstance(before, list) or not isinstance(after, list) or not before or not after:
        return
    for mark, here, there in (("-", before, after), ("+", after, before)):
        known = {_canonical(item) for item in there}
        yield from (f"{mark} {shown(item)}" for item in here if _canonical(item) not in known)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _pair(before: str, after: str, longest: int) -> tuple[str, str]:
    """Both sides, cut so that what differs is to be seen."""
    if len(before) <= longest and len(after) <= longest:
        return before, after
    common = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(common - longest // 3, 0)
    lead = "…" if start else ""
    return clip(lead + before[start:], longest), clip(lead + after[start:], longest)


def is_policy(value: object) -> bool:
    """Whether a value is the JSON text of an IAM policy."""
    return isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value


def clip(text: str, longest: int) -> str:
    """About `longest` characters at most; a cut text says how much of it is missing."""
    if len(text) <= longest:
        return text
    kept = max(longest - len("… (1000000 more characters)"), longest // 2)
    return f"{text[:kept]}… ({len(text) - kept} more characters)"
