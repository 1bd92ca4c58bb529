"""What an account has, for the terminal and for scripts.

In: a Discovery. Out: rows of a table and lines with their styles, or plain data with a versioned schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from toolkit.documents import Document, document, utc
from toolkit.reports.text import Line, many
from toolkit.resources.reading import Live, Reason, Unreadable
from toolkit.snapshots import Snapshot, snapshot_data
from toolkit.snapshots.compare import Comparison, Difference
from toolkit.snapshots.unmanaged import Unmanaged
from toolkit.visible import shortened

_FEW = 3
"""Resources of one type in one region that are listed by name; of more, the first are."""


@dataclass(frozen=True)
class Discovery:
    """What an account has, and where that is kept."""

    snapshot: Snapshot
    file: Path
    """Where the snapshot is."""
    not_listed: Mapping[str, str]
    """Types that are not listed → why."""
    max_calls: int
    unmanaged: Unmanaged | None = None
    """What the environment's state does not have; None: not compared."""


def discovery_data(found: Discovery) -> Document:
    """The scan as plain data."""
    return document(
        "discover",
        {
            "file": str(found.file),
            "max_calls": found.max_calls,
            "not_listed": dict(found.not_listed),
            "unmanaged": None if found.unmanaged is None else unmanaged_data(found.unmanaged),
            "snapshot": snapshot_data(found.snapshot),
        },
    )


def unmanaged_data(found: Unmanaged) -> dict[str, Any]:
    """What a state does not have, as plain data."""
    return {
        "state_serial": found.state_serial,
        "managed": found.managed,
        "resources": [
            {
                "type": one.type,
                "region": one.region,
                "key": dict(one.key),
                "import_id": one.import_id,
                "arn": one.arn,
                "managed_by": one.managed_by,
                "called": one.called,
            }
            for one in found.resources
        ],
    }


def unmanaged_line(found: Unmanaged) -> str:
    """How much of an account a state does not have."""
    if not found.state_serial:
        return f"{many(len(found.resources), 'resource')}, and no state yet that could manage them."
    return (
        f"{many(len(found.resources), 'resource')} that the state does not manage, {found.managed:,} that it does "
        f"(serial {found.state_serial})."
    )


def discovery_rows(resources: Iterable[Live], *, verbose: bool) -> Iterator[tuple[str, str, str]]:
    """Rows of region, type and resources.

    Args:
        resources: Sorted by type, region and key.
        verbose: Whether each has a row of its own, also what AWS gives by itself.
    """
    shown = [one for one in resources if verbose or not one.by_default]
    for (region, kind), group in groupby(sorted(shown, key=_place), _place):
        alike = [_described(one) for one in group]
        if verbose:
            yield from ((region, kind, one) for one in alike)
        elif len(alike) <= _FEW:
            yield region, kind, ", ".join(alike)
        else:
            yield region, kind, f"{len(alike):,}, such as {', '.join(alike[:_FEW])}"


def discovery_lines(found: Discovery, *, verbose: bool) -> Iterator[Line]:
    """What follows the table: how much was found, what could not be read, and what the scan cost."""
    snapshot = found.snapshot
    own = [one for one in snapshot.resources if not one.by_default]
    given = len(snapshot.resources) - len(own)
    where = "the embedded AWS" if snapshot.simulator else "AWS"
    yield (
        f"Account {snapshot.account_id} on {where}: {many(len(own), 'resource')} of "
        f"{many(len({one.type for one in own}), 'type')} in {many(len(snapshot.regions), 'region')}.",
        "bold",
    )
    if found.unmanaged is not None:
        yield unmanaged_line(found.unmanaged), "bold"
    if given and not verbose:
        yield f"{given:,} more are as AWS creates them; -v lists them.", ""
    if found.not_listed:
        types, why = many(len(found.not_listed), "type"), "" if verbose else "; -v says why"
        yield f"{types} that components create {_are(found.not_listed)} not listed{why}.", ""
        if verbose:
            for kind, why in found.not_listed.items():
                yield f"  {kind}: {why}", ""
    yield from unreadable_lines(snapshot.unreadable)
    yield f"Calls of AWS: {snapshot.calls:,} of at most {found.max_calls:,}.", ""
    yield f"Snapshot: {found.file}", ""


def unreadable_lines(unreadable: Iterable[Unreadable]) -> Iterator[Line]:
    """What could not be read, grouped by call and reason, each with what to do."""
    every = list(unreadable)
    if not every:
        return
    yield f"{many(len(every), 'list')} could not be read. What they would show may exist or not:", "bold yellow"
    for (call, reason), group in groupby(sorted(every, key=_cause), _cause):
        alike = list(group)
        regions = sorted({one.region for one in alike})
        where = regions[0] if len(regions) == 1 else f"{len(regions)} regions"
        kinds = sorted({one.type for one in alike if one.type})
        what = f" ({', '.join(kinds[:_FEW])}{' …' if len(kinds) > _FEW else ''})" if kinds else ""
        yield f"  {call} in {where}: {Reason[reason].value}{what}", "yellow"
        yield f"      {alike[0].message}", ""
        yield f"      Next: {_NEXT[Reason[reason]]}", ""


def comparison_data(found: Comparison) -> Document:
    """The differences as plain data."""

    def side(snapshot: Snapshot) -> dict[str, Any]:
        return {"taken": utc(snapshot.taken), "digest": snapshot.digest}

    return document(
        "discover-diff",
        {
            "account_id": found.after.account_id,
            "before": side(found.before),
            "after": side(found.after),
            "equal": not found.differences and not found.not_compared,
            "differences": [
                {
                    "change": _change(one),
                    "type": one.resource.type,
                    "region": one.resource.region,
                    "key": dict(one.resource.key),
                    "called": one.resource.called,
                    "attributes": [{"name": n, "before": was, "after": now} for n, was, now in one.attributes],
                }
                for one in found.differences
            ],
            "not_compared": [{"type": kind, "region": region} for kind, region in found.not_compared],
        },
    )


def comparison_lines(found: Comparison) -> Iterator[Line]:
    """The differences for the terminal."""
    dates = (f"{one.taken:%Y-%m-%d %H:%M:%S}" for one in (found.before, found.after))
    yield f"Account {found.after.account_id}, {' → '.join(dates)} UTC", "bold"
    for one in found.differences:
        change, resource = _change(one), one.resource
        yield f"  {change:<8} {resource.region}  {resource.type}  {resource.called}", _STYLES[change]
        for name, was, now in one.attributes:
            yield f"             {name}: {_value(was)} → {_value(now)}", ""
    changes = [_change(one) for one in found.differences]
    counts = ", ".join(f"{changes.count(name)} {name}" for name in _STYLES)
    yield (f"{counts}." if changes else "No difference."), "bold"
    if found.not_compared:
        kinds = sorted({kind for kind, _ in found.not_compared})
        yield f"Not compared, since not both snapshots have read it: {shortened(kinds, _FEW)}.", "yellow"


_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_LONGEST_VALUE = 100


def _change(one: Difference) -> str:
    return "added" if one.before is None else "removed" if one.after is None else "changed"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


_NEXT = {
    Reason.DENIED: "allow the caller this action (`toolkit discover --print-policy`); some actions only the "
    "management account of the organization or a delegated administrator may call",
    Reason.EXPIRED: "get new credentials, then run it again",
    Reason.THROTTLED: "run it again later, or for fewer regions at a time: AWS limits how many calls an account makes",
    Reason.TIMED_OUT: "run it again; if it stays so, check the network and the proxy",
    Reason.UNREACHABLE: "check the network and the proxy, and whether the service exists in that region",
    Reason.TRUNCATED: "run it again",
    Reason.NOT_SUBSCRIBED: "finish the account's registration with AWS, or wait until it is activated",
    Reason.REGION_OFF: "nothing, if the account does not use the region; leave it out of --regions",
    Reason.NOT_OFFERED: "nothing, if AWS does not offer the service there",
    Reason.BUDGET: "allow more calls with --max-calls, or read fewer regions at a time with --regions",
    Reason.NOT_IN_SNAPSHOT: "take a new snapshot, of all regions",
    Reason.UNKNOWN: "read the message; if it means that the service is off, please report it",
}


def _described(one: Live) -> str:
    managed = f" (managed by {one.managed_by})" if one.managed_by else ""
    return f"{one.called}{managed}"


def _place(one: Live) -> tuple[str, str]:
    return one.region, one.type


def _cause(one: Unreadable) -> tuple[str, str]:
    return one.call, one.reason.name


def _are(several: Mapping[str, str]) -> str:
    return "is" if len(several) == 1 else "are"
