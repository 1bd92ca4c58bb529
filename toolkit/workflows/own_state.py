"""Refuses an environment whose state is another environment's, too.

In: an environment and the others of its project. Out: nothing, or a refusal that names both. Calls no AWS: it compares
where the environment files say that the states are, and which state a local file holds. A copied folder is how this
happens: with the state of another environment, Terraform would change and delete what that one created, in the same
account or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, assert_never

from toolkit.aws.state_bucket import state_key
from toolkit.environment import Environment, LocalBackend, S3Backend, default_state_key
from toolkit.environment.source import MAX_BYTES, parse
from toolkit.errors import RefusedError, ToolkitError
from toolkit.files import open_regular, read_regular
from toolkit.paths import EnvironmentPaths, Project
from toolkit.regions import partition_of
from toolkit.terraform.local_state import read_local_state, state_id

Place = tuple[str | None, str, str]
"""Partition, bucket and key: the name of a bucket is unique in its partition, whatever account and region it is in
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""

_HEAD = 1000
"""Bytes of a local state within which its lineage is; see `state_id`."""


def refuse_shared_state(project: Project, environment: Environment, local_state: Path) -> None:
    """Demand that no other environment of the project has this one's state.

    Args:
        project: The project.
        environment: The one that is planned, applied or validated.
        local_state: Where its state is with a local backend: in its folder, or in its scratch folder.

    Raises:
        RefusedError: Another one has the same place for its state, or a copy of this local state.
    """
    others = [EnvironmentPaths(project.root, name) for name in project.names if name != environment.name]
    if not others:
        return
    own = EnvironmentPaths(project.root, environment.name)
    place = _place(environment)
    if place is not None and (same := [other.name for other in others if _is_at(other, place)]):
        _, bucket, key = place
        line = environment.lines.get(("backend", "key")) or environment.lines.get(("backend",), 1)
        raise RefusedError(
            f"the state of {environment.name} is at the same place as that of {', '.join(same)}, s3://{bucket}/{key}: "
            "an apply of one would change and delete what the other created",
            where=f"{own.shown}:{line}",
            hint="give the environment that is a copy a `backend.key` of its own (default: "
            f"{default_state_key('<environment>')})",
        )
    if (lineage := _lineage(local_state)) and local_state.is_relative_to(own.folder):
        inside = local_state.relative_to(own.folder)
        for other in others:
            for file in _states(other.folder / inside):
                if _lineage(file) == lineage and _has_resources(file) and _has_resources(local_state):
                    raise RefusedError(
                        f"{environment.name} and {other.name} have the same state (lineage {lineage}), as after a "
                        "folder was copied: an apply of one would change and delete what the other created",
                        where=str(local_state),
                        hint=f"if {environment.name} is the copy, delete this file: it then creates its own resources; "
                        f"if {other.name} is, delete {file}",
                    )


def _place(environment: Environment) -> Place | None:
    """Where the state is; None: in the environment's folder, where no other environment's can be."""
    backend = environment.backend
    match backend:
        case LocalBackend():
            return None
        case S3Backend():
            return partition_of(backend.region), backend.bucket, state_key(environment, backend)
        case _:
            assert_never(backend)


def _is_at(other: EnvironmentPaths, place: Place) -> bool:
    """Whether an environment file says that its state is there; one that cannot be read runs nothing."""
    try:
        content = read_regular(other.file, MAX_BYTES)
    except OSError:
        return False
    _, _, key = place
    # Reading a thousand files takes moments, parsing them seconds. Where a key is written other than as it is, YAML
    # needs a backslash, or for a quotation mark a second one.
    if key != default_state_key(other.name) and key.encode() not in content and b"\\" not in content and "'" not in key:
        return False
    data = parse(content.decode("utf-8-sig", "replace")).data
    backend = data.get("backend") if isinstance(data, dict) else None
    return isinstance(backend, dict) and place == _described(other.name, backend)


def _described(name: str, backend: Mapping[str, Any]) -> Place | None:
    """As `_place`, of a file's block that nothing has checked."""
    if backend.get("type") != "s3":
        return None
    key = backend.get("key")
    return partition_of(backend.get("region")), str(backend.get("bucket")), key or default_state_key(name)


def _states(file: Path) -> Iterator[Path]:
    """A local state, and what `toolkit bootstrap` has kept of it when it moved it into a bucket."""
    yield file
    yield from sorted(file.parent.glob(f"{file.name}.migrated-*"))


def _lineage(file: Path) -> str:
    """Which state it is; empty where there is none."""
    try:
        with open_regular(file) as stream:
            found = state_id(stream.read(_HEAD))
    except OSError:
        return ""
    return found.lineage if found else ""


def _has_resources(file: Path) -> bool:
    """Whether there is anything that Terraform could change; a state that is cut off may have."""
    try:
        return read_local_state(file) is not None
    except ToolkitError:
        return True
