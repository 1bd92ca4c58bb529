"""fleet.yaml: in which order the environments of a project are applied, and which values they share.

In: the file beside environments/, which a project need not have. Out: typed settings, or every error at once with its
line. Whether the labels and names in it exist is decided in `waves`, which knows the environments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from toolkit.environment.model import EnvironmentFile
from toolkit.environment.shape import known_keys
from toolkit.environment.source import Data, Path, Problem, Source, kind_of, parse
from toolkit.environment.text import read
from toolkit.errors import ToolkitError
from toolkit.files import refuse_links
from toolkit.spelling import nearest
from toolkit.typed import dotted
from toolkit.visible import joined_lines

FILE_NAME = "fleet.yaml"
_KEYS = ("waves", "shared")
_WAVE_KEYS = ("name", "where", "environments", "concurrency", "failures_tolerated")
_EXPECTED = "one document with `waves` or `shared`"
_SHARED = ("labels", "regions", "terraform", "toolkit", "default_tags", "components")
"""Keys of environment.yaml that environments may share. The others are of one account: which it is, where its state is,
who works in it, what was found there and who answers for it."""
_HOME = ("regions", "home")
_WHERE = "labels and their values, as in `where: {tier: prod}` or `where: {tier: [dev, test]}`"


@dataclass(frozen=True)
class WaveRule:
    """One wave as fleet.yaml has it."""

    name: str
    where: Mapping[str, tuple[str, ...]]
    """Label → the values of which an environment must have one; all labels must hold."""
    environments: tuple[str, ...]
    """Names and globs; an environment belongs to the wave if one of them or `where` fits it."""
    concurrency: int | None = None
    """Environments at once at most; None for as many as the machine takes."""
    failures_tolerated: int = 0
    """Environments that may fail before no further one is started."""
    lines: Mapping[Path, int] | None = None
    """Places in the file, by the path in this wave."""

    def line(self, *path: str | int) -> int:
        """The line of a place in this wave, or of the nearest one around it."""
        lines = self.lines or {}
        return next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), 1)


@dataclass(frozen=True)
class FleetSettings:
    """What fleet.yaml says."""

    waves: tuple[WaveRule, ...] = ()
    shared: Mapping[tuple[str, ...], Data] = field(default_factory=dict)
    """Path in environment.yaml → the value that each environment should have there. Lists and empty blocks are values;
    whether a value fits is decided by each environment's own check."""


class FleetFileError(ToolkitError):
    """A fleet.yaml that cannot be used; `problems` has every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        count = len(problems)
        super().__init__(
            f"{count} error{'s' if count != 1 else ''} in the fleet file; nothing was run",
            where=FILE_NAME,
            detail=joined_lines(f"{FILE_NAME}:{p.line}: {p}" for p in self.problems),
            hint="fix the lines above (docs/many-environments.md describes the file)",
        )


def load_settings(root: FilePath) -> FleetSettings:
    """Read a project's fleet.yaml; without one there are no waves.

    Raises:
        FleetFileError: Everything that is wrong with it.
        ToolkitError: It cannot be read, or is a symbolic link.
    """
    file = root / FILE_NAME
    refuse_links(root, file)
    text = read(file, FILE_NAME, usual="a fleet file is a page or two")
    return FleetSettings() if text is None else parse_settings(text)


def parse_settings(text: str) -> FleetSettings:
    """Check the text of a fleet.yaml; see `load_settings`."""
    source = parse(text, expected=_EXPECTED)
    problems = list(source.problems)
    if not isinstance(source.data, dict):
        raise FleetFileError(problems or [Problem(1, "", f"{kind_of(source.data)} at the top", _EXPECTED)])
    reader = _Reader(source, problems)
    reader.unknown(source.data, (), _KEYS)
    waves = source.data.get("waves", [])
    if not isinstance(waves, list):
        reader.wrong(("waves",), waves, "a list of waves")
        waves = []
    rules = [reader.wave(("waves", index), wave) for index, wave in enumerate(waves)]
    names: dict[str, int] = {}
    for index, rule in enumerate(rules):
        first = names.setdefault(rule.name, index)
        if rule.name and first != index:
            reader.add(("waves", index, "name"), f"the name {rule.name!r} is repeated", "each name once")
    shared = dict(reader.shared(("shared",), source.data["shared"])) if "shared" in source.data else {}
    if problems:
        raise FleetFileError(problems)
    return FleetSettings(tuple(rules), shared)


class _Reader:
    """Collects what is wrong, so that all of it is reported together."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._source = source
        self._problems = problems

    def add(self, path: Path, problem: str, expected: str = "", suggestion: str | None = None) -> None:
        self._problems.append(Problem(self._source.line(path), dotted(path), problem, expected, suggestion))

    def wrong(self, path: Path, value: Data, expected: str) -> None:
        self.add(path, kind_of(value), expected)

    def unknown(self, block: Mapping[str, Data], path: Path, known: Sequence[str]) -> None:
        for key in block:
            if key not in known:
                self.add((*path, key), f"unknown key {key!r}", f"one of {', '.join(known)}", nearest(key, known))

    def wave(self, path: Path, data: Data) -> WaveRule:
        if not isinstance(data, dict):
            self.wrong(path, data, "a wave: a block with `name` and `where` or `environments`")
            return WaveRule("", {}, ())
        self.unknown(data, path, _WAVE_KEYS)
        name = data.get("name")
        if not isinstance(name, str) or not name.strip():
            self.add((*path, "name"), "missing" if name is None else kind_of(name), "a name, as in `name: canary`")
            name = ""
        where = self.where((*path, "where"), data.get("where", {}))
        environments = self.texts((*path, "environments"), data.get("environments", []), "a list of names or globs")
        if not (data.get("where") or data.get("environments")):
            self.add(path, "a wave without members", "`where` or `environments`, which say what belongs to it")
        lines = {place[2:]: line for place, line in self._source.lines.items() if place[:2] == path}
        return WaveRule(
            name=name,
            where=where,
            environments=environments,
            concurrency=self.number((*path, "concurrency"), data.get("concurrency"), least=1),
            failures_tolerated=self.number((*path, "failures_tolerated"), data.get("failures_tolerated"), least=0) or 0,
            lines=lines,
        )

    def where(self, path: Path, data: Data) -> dict[str, tuple[str, ...]]:
        if not isinstance(data, dict):
            self.wrong(path, data, _WHERE)
            return {}
        return {
            key: self.texts((*path, key), value if isinstance(value, list) else [value], _WHERE)
            for key, value in data.items()
        }

    def texts(self, path: Path, data: Data, expected: str) -> tuple[str, ...]:
        if not isinstance(data, list):
            self.wrong(path, data, expected)
            return ()
        found: list[str] = []
        for index, value in enumerate(data):
            if isinstance(value, str) and value:
                found.append(value)
            else:
                self.wrong((*path, index), value, "text (in quotes if it looks like a number)")
        return tuple(found)

    def shared(self, path: Path, data: Data) -> Iterator[tuple[tuple[str, ...], Data]]:
        """The values below a path of `shared`, by their path in environment.yaml."""
        place = tuple(str(step) for step in path[1:])
        if not isinstance(data, dict) and len(place) == 2 and place[0] == "components" and data is None:
            data = {}  # an empty block, as in environment.yaml
        if not isinstance(data, dict):
            if not place or place in (("components",), ("default_tags",), ("labels",)):
                self.wrong(path, data, "a block of keys and values, as in environment.yaml")
            yield place, data
            return
        if not data:
            yield place, data
        known = known_keys(place) if place else _SHARED
        for key, value in data.items():
            own = not place and key not in _SHARED and key in EnvironmentFile.model_fields
            if own or (*place, key) == _HOME:
                expected = f"one of {', '.join(_SHARED)}, without regions.home"
                self.add((*path, key), f"{key!r} is of one account", expected)
            elif known and key not in known:
                self.add((*path, key), f"unknown key {key!r}", f"one of {', '.join(known)}", nearest(key, known))
            else:
                yield from self.shared((*path, key), value)

    def number(self, path: Path, data: Any, *, least: int) -> int | None:
        if data is None:
            return None
        if not isinstance(data, int) or isinstance(data, bool) or data < least:
            self.wrong(path, data, f"a whole number, at least {least}")
            return None
        return data
