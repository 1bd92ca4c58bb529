"""The effective settings of an environment, and where each is from.

In: an environment file. Out: every setting with its value and origin. No AWS call, no Terraform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from toolkit.components.registry import REGISTRY
from toolkit.environment.model import Environment, EnvironmentFile
from toolkit.environment.source import Path
from toolkit.errors import UsageError, or_meant
from toolkit.fleet.written import origins
from toolkit.paths import Project
from toolkit.typed import dotted
from toolkit.visible import shortened
from toolkit.workflows.edited import read_file
from toolkit.workflows.workspace import read_environment

Origin = Literal["set", "default", "synced", "imported"]


@dataclass(frozen=True)
class Effective:
    """One setting as it is in effect."""

    setting: str
    """Dotted path, as in "components.cloudtrail.log_retention_days"."""
    value: Any
    """Plain data."""
    origin: Origin
    """Set by a person, or a default of the toolkit; synced and imported: a command wrote it, and nobody has edited it
    since."""
    line: int | None
    """Where environment.yaml has it; None for a default."""


@dataclass(frozen=True)
class EffectiveSettings:
    """The settings of an environment file."""

    file: str
    """As errors name it."""
    settings: tuple[Effective, ...]


def effective_settings(project: Project, name: str, setting: str | None = None) -> EffectiveSettings:
    """What an environment has set, and what it gets by default.

    Args:
        project: The project.
        name: The environment's name.
        setting: A setting, or a block of them; None: all.

    Raises:
        UsageError: There is no such environment or setting.
        ToolkitError: environment.yaml is wrong.
    """
    paths, environment = read_environment(project, name)
    written = origins(read_file(paths))
    rows = tuple(_rows(environment, written))
    if setting is not None:
        rows = tuple(_chosen(rows, setting, name))
    return EffectiveSettings(paths.shown, rows)


def _chosen(rows: Sequence[Effective], setting: str, name: str) -> Iterator[Effective]:
    wanted = setting.rstrip(".")
    found = [row for row in rows if row.setting == wanted or row.setting.startswith((f"{wanted}.", f"{wanted}["))]
    if found:
        yield from found
        return
    first, _, component = ".".join(wanted.split(".")[:2]).partition(".")
    if first == "components" and component in REGISTRY and f"components.{component}" not in _known(rows):
        raise UsageError(
            f"component {component!r} is not switched on in {name}",
            hint=f"`toolkit components {component}` lists its settings",
        )
    known = _known(rows)
    components = tuple(f"components.{component}" for component in REGISTRY)
    within = wanted.rpartition(".")[0]
    beside = [one for one in known if one.rpartition(".")[0] == within]
    raise UsageError(
        f"no setting {setting!r}" + or_meant(wanted, (*known, *components)),
        hint=f"settings of {within}: {shortened(beside)}" if within and beside else f"settings: {_blocks(known)}",
    )


def _known(rows: Sequence[Effective]) -> tuple[str, ...]:
    """Every setting and every block of them, once."""
    known: dict[str, None] = {}
    for row in rows:
        steps = row.setting.split(".")
        known.update((".".join(steps[:end]), None) for end in range(1, len(steps) + 1))
    return tuple(known)


def _blocks(known: Sequence[str]) -> str:
    return shortened([one for one in known if "." not in one and "[" not in one])


def _rows(environment: Environment, written: Mapping[tuple[str, ...], str]) -> Iterator[Effective]:
    def walk(path: Path, value: Any) -> Iterator[Effective]:
        inner = list(_inner(value))
        if not inner:
            yield effective(path, value)
        for step, one in inner:
            yield from walk((*path, step), one)

    def effective(path: Path, value: Any) -> Effective:
        line = environment.lines.get(path)
        origin: Any = "default" if line is None else _origin(path, written)
        return Effective(dotted(path), to_jsonable_python(value), origin, line)

    for field in EnvironmentFile.model_fields:
        yield from walk((field,), getattr(environment, field))
    for enabled in environment.components:
        yield from walk(("components", enabled.component.name), enabled.settings)


def _origin(path: Path, written: Mapping[tuple[str, ...], str]) -> str:
    """A command that wrote a block or a list wrote what is in it."""
    steps = tuple(str(step) for step in path)
    return next((written[steps[:end]] for end in range(len(steps), 0, -1) if steps[:end] in written), "set")


def _inner(value: Any) -> Iterator[tuple[str | int, Any]]:
    """What is in a block, or in a list of blocks."""
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple) and any(isinstance(one, BaseModel | Mapping) for one in value):
        yield from enumerate(value)
