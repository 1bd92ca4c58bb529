"""Snapshots: what an account had at one time, in a file that other commands read, so that reading an account and
planning can run with different rights.

In: `Live` and `Unreadable` as the inventory gives them. Out: a JSON file (0600) below `.toolkit/snapshots/`, and back.
Calls no AWS. docs/snapshot.schema.json describes the file.

Two digests are in it. `digest` covers what was found, without evidence and times: two scans of an account that has not
changed have the same. `seal` covers the whole file: it finds a file that was edited or damaged. It is no signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.documents import utc
from toolkit.errors import RefusedError, ToolkitError
from toolkit.files import read_regular, refuse_links, write_atomically
from toolkit.resources.reading import Call, Live, Reason, Unreadable
from toolkit.resources.registry import RESOURCES

SCHEMA_VERSION = 1
MAX_AGE = timedelta(days=1)
"""How old a snapshot may be for commands that write something by it, unless an option says otherwise."""
_LARGEST = 256 << 20


@dataclass(frozen=True)
class Snapshot:
    """What one account had at one time."""

    account_id: str
    caller: str
    """ARN of who read it."""
    environment: str | None
    """None: an account without an environment file."""
    simulator: str | None
    """ "moto" for the embedded AWS."""
    taken: datetime
    """When the scan ended, in UTC, in whole seconds."""
    home: str
    """Where global resources were read."""
    regions: tuple[str, ...]
    """Every region in which resources that have one were read."""
    types: tuple[str, ...]
    """Every Terraform type that was listed."""
    calls: int
    resources: tuple[Live, ...]
    """Sorted by type, region and key."""
    unreadable: tuple[Unreadable, ...]
    toolkit: str = __version__

    @classmethod
    def of(cls, found: Iterable[Live | Unreadable], **facts: Any) -> Snapshot:
        """A snapshot of what an inventory lists.

        Args:
            found: What it lists.
            **facts: The other fields.
        """
        resources, unreadable = [], []
        for one in found:
            if isinstance(one, Unreadable):
                unreadable.append(one)
            else:
                resources.append(replace(one, values=_values(one)))
        return cls(
            resources=tuple(sorted(resources, key=_order)),
            unreadable=tuple(sorted(unreadable, key=lambda u: (u.type, u.region, u.call, u.reason.name))),
            **facts,
        )

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.unreadable

    @cached_property
    def digest(self) -> str:
        """Of what was found: the same for two scans between which the account has not changed."""
        return _digest(
            {
                "account_id": self.account_id,
                "simulator": self.simulator,
                "home": self.home,
                "regions": sorted(self.regions),
                "types": sorted(self.types),
                "resources": [{**_resource(one), "values": as_configured(one)} for one in self.resources],
                "unreadable": [[u.type, u.region, u.call, u.reason.name] for u in self.unreadable],
            }
        )

    @property
    def file_name(self) -> str:
        """Its name among other snapshots, which sort by time."""
        return f"{self.account_id}-{self.taken:%Y%m%dT%H%M%SZ}.json"

    def was_read(self, kind: str, region: str) -> bool:
        """Whether the scan says all about a type in a region; what it then does not have, the account did not have."""
        return (
            kind in self.types
            and (region == self.home if is_global(kind) else region in self.regions)
            and not any(u.region == region and u.type in ("", kind) for u in self.unreadable)
        )


def is_global(kind: str) -> bool:
    """Whether resources of a type have no region, so that they are read in the home region alone."""
    record = RESOURCES.get(kind)
    return record is not None and record.reading is not None and record.reading.is_global


def write_snapshot(snapshot: Snapshot, file: Path) -> None:
    """Write it whole or not at all, for its owner alone.

    Raises:
        ToolkitError: It cannot be written.
    """
    try:
        write_atomically(file, json.dumps(snapshot_data(snapshot), indent=1) + "\n", mode=0o600)
    except OSError as e:
        raise ToolkitError(f"the snapshot cannot be written: {e.strerror}", where=str(file)) from e


def snapshot_folder(root: Path, *inner: str) -> Path:
    """A private folder for snapshots, made if need be.

    Args:
        root: Folder of the project.
        *inner: Names of folders in it; the last ones are ".toolkit" and "snapshots".

    Raises:
        ToolkitError: It cannot be made, or a symbolic link leads elsewhere.
    """
    folder = root.joinpath(*inner)
    refuse_links(root, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as e:
        raise ToolkitError(f"the folder of snapshots cannot be made: {e.strerror}", where=str(folder)) from e
    return folder


def read_snapshot(
    file: Path,
    *,
    account_id: str | None = None,
    max_age: timedelta | None = None,
    now: datetime | None = None,
) -> Snapshot:
    """A snapshot from its file.

    Args:
        file: The file.
        account_id: The account that is meant; None: any.
        max_age: How old it may be; None: any age.
        now: The time to compare with; None: the clock's.

    Raises:
        ToolkitError: It cannot be read, or is no snapshot.
        RefusedError: It was edited, is another account's, too old, or dated in the future.
    """
    try:
        content = read_regular(file, _LARGEST + 1)
    except OSError as e:
        raise ToolkitError(
            f"the snapshot cannot be read: {e.strerror}", where=str(file), hint="`toolkit discover` writes one"
        ) from e
    if len(content) > _LARGEST:
        raise ToolkitError(
            f"larger than {_LARGEST >> 20} MiB",
            where=str(file),
            hint="take a snapshot of fewer regions: `toolkit discover --regions LIST`",
        )
    snapshot = _parsed(content, file)
    if account_id is not None and snapshot.account_id != account_id:
        raise RefusedError(
            f"this snapshot is of account {snapshot.account_id}, not of {account_id}",
            where=str(file),
            hint=f"take one of account {account_id}: `toolkit discover`",
        )
    age = (now or datetime.now(UTC)) - snapshot.taken
    if max_age is not None and age > max_age:
        raise RefusedError(
            f"this snapshot was taken {_span(age)} ago; at most {_span(max_age)} are accepted",
            where=str(file),
            hint="take a new one with `toolkit discover`, or accept it with --max-age HOURS",
        )
    if age < -_CLOCKS:
        raise RefusedError(
            f"this snapshot is dated {snapshot.taken:%Y-%m-%d %H:%M:%S} UTC, which is in the future",
            where=str(file),
            hint="check the clock of this machine and of the one that took it",
        )
    return snapshot


_CLOCKS = timedelta(minutes=5)
"""How far clocks of two machines may differ."""


def snapshot_data(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as plain data: what the file holds."""
    # What one list gave rests on the same calls. By identity: thousands of calls would be hashed for each resource.
    numbers: dict[int, int] = {}
    reads: list[tuple[Call, ...]] = []
    resources = []
    for one in snapshot.resources:
        number = numbers.setdefault(id(one.evidence), len(reads))
        if number == len(reads):
            reads.append(one.evidence)
        resources.append({**_resource(one), "called": one.called, "read": number})
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "snapshot",
        "toolkit": snapshot.toolkit,
        "account_id": snapshot.account_id,
        "caller": snapshot.caller,
        "environment": snapshot.environment,
        "simulator": snapshot.simulator,
        "taken": utc(snapshot.taken),
        "home": snapshot.home,
        "regions": list(snapshot.regions),
        "types": list(snapshot.types),
        "calls": snapshot.calls,
        "complete": snapshot.complete,
        "digest": snapshot.digest,
        "resources": resources,
        "unreadable": unreadable_data(snapshot.unreadable),
        "reads": [[_call(call) for call in calls] for calls in reads],
    }
    return {**data, "seal": _digest(data)}


def unreadable_data(unreadable: Iterable[Unreadable]) -> list[dict[str, Any]]:
    """What could not be read, as plain data."""
    return [
        {"type": u.type, "region": u.region, "call": u.call, "reason": u.reason.name, "message": u.message}
        for u in unreadable
    ]


def _parsed(content: bytes, file: Path) -> Snapshot:
    try:
        data = json.loads(content)
        if data["kind"] != "snapshot":
            raise ValueError(f"kind {data['kind']!r}")
        version = data["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise ToolkitError(
            "not a snapshot", where=str(file), hint="expected a file that `toolkit discover` wrote"
        ) from e
    if version != SCHEMA_VERSION:
        raise ToolkitError(
            f"a snapshot of schema version {version}; this toolkit reads {SCHEMA_VERSION}",
            where=str(file),
            hint="take a new one with `toolkit discover`",
        )
    seal = data.pop("seal", None)
    try:
        snapshot = _snapshot(data)
        sound = seal == _digest(data) and data["digest"] == snapshot.digest
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise _edited(file) from e
    if not sound:
        raise _edited(file)
    return snapshot


def _edited(file: Path) -> RefusedError:
    return RefusedError(
        "this snapshot was edited or damaged after it was taken: its digest does not match its content",
        where=str(file),
        hint="take a new one with `toolkit discover`; a snapshot is never edited by hand",
    )


def _snapshot(data: Mapping[str, Any]) -> Snapshot:
    reads = [
        tuple(
            Call(one["action"], one["region"], datetime.fromisoformat(one["time"]), one["request_id"]) for one in calls
        )
        for calls in data["reads"]
    ]
    return Snapshot(
        account_id=data["account_id"],
        caller=data["caller"],
        environment=data["environment"],
        simulator=data["simulator"],
        taken=datetime.fromisoformat(data["taken"]),
        home=data["home"],
        regions=tuple(data["regions"]),
        types=tuple(data["types"]),
        calls=data["calls"],
        toolkit=data["toolkit"],
        resources=tuple(
            Live(
                type=one["type"],
                region=one["region"],
                account_id=data["account_id"],
                key=one["key"],
                values=one["values"],
                called=one["called"],
                import_id=one["import_id"],
                arn=one["arn"],
                by_default=one["by_default"],
                managed_by=one["managed_by"],
                evidence=reads[one["read"]],
            )
            for one in data["resources"]
        ),
        unreadable=tuple(
            Unreadable(one["type"], one["region"], one["call"], Reason[one["reason"]], one["message"])
            for one in data["unreadable"]
        ),
    )


def _resource(one: Live) -> dict[str, Any]:
    """A resource without evidence and times."""
    return {
        "type": one.type,
        "region": one.region,
        "key": dict(one.key),
        "import_id": one.import_id,
        "arn": one.arn,
        "by_default": one.by_default,
        "managed_by": one.managed_by,
        "values": one.values,
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "action": call.action,
        "region": call.region,
        "time": call.time.isoformat(),
        "request_id": call.request_id,
    }


def _order(one: Live) -> tuple[str, ...]:
    return one.type, one.region, json.dumps(one.key, sort_keys=True), one.import_id or "", one.arn or "", one.called


def as_configured(one: Live) -> Mapping[str, Any]:
    """Its values without those that say how it was used."""
    record = RESOURCES.get(one.type)
    used = record.used if record else ()
    return {name: value for name, value in one.values.items() if name not in used} if used else one.values


def _values(one: Live) -> dict[str, Any]:
    """Its values as JSON has them, without what may hold a secret."""
    values = _plain(one.values)
    record = RESOURCES.get(one.type)
    for path in record.payloads if record else ():
        for holder, name in holders(values, path):
            if holder.get(name):
                holder[name] = payload_digest(holder[name])
    found: dict[str, Any] = values
    return found


def payload_digest(value: Any) -> str:
    """What a snapshot has of a value that may hold a secret."""
    return f"sha256:{hashlib.sha256(str(value).encode()).hexdigest()}"


def holders(values: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects that have what is at the end of a path, and its name."""
    first, _, rest = path.partition(".")
    if not rest:
        if isinstance(values, dict):
            yield values, first
        return
    for block in values.get(first.removesuffix("[0]")) or ():
        yield from holders(block, rest)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(one) for one in value)
    return value.isoformat() if isinstance(value, datetime) else value


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _span(time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if hours:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
