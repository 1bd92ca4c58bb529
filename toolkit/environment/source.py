"""YAML text → plain data and the line of everything in it.

In: the text of an environment file. Out: dicts, lists and scalars, plus a line number per dotted path. What is
accepted is a small, unsurprising YAML: one document; string keys, each once; no anchors, aliases, merges or tags (a
reviewer sees every value where it applies); YAML 1.2's core scalars, so `no` is text, `012` is text and only
`true`/`false` are booleans (YAML 1.2 §10.3.2).
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from toolkit.environment.nodes import compose
from toolkit.typed import dotted

Path: TypeAlias = tuple[str | int, ...]
Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | float | bool | None"

MAX_BYTES = 1 << 20
"""An environment file is a page or two; a megabyte of YAML is a mistake or an attack."""

_MAX_DEPTH = 50

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an environment file."""

    line: int
    path: str
    """Dotted path ("regions.active[1]"); empty for the file as a whole."""
    problem: str
    """What is wrong, with the value."""
    expected: str
    """What would be accepted; empty where the problem says it."""
    suggestion: str | None = None
    """The nearest valid spelling."""

    def __str__(self) -> str:
        text = f"{self.path}: {self.problem}" if self.path else self.problem
        if self.expected:
            text += f"; expected {self.expected}"
        if self.suggestion:
            text += f" (did you mean {self.suggestion!r}?)"
        return text


@dataclass
class Source:
    """Parsed YAML with its places."""

    data: Data = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of the nearest thing on the way to `path` that stands in the file."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


def parse(text: str, *, expected: str = "one document with `account_id`, `regions` and `components`") -> Source:
    """Parse YAML text. Never raises for bad text: what is wrong is in `problems`.

    Args:
        text: The text.
        expected: What a file without a document, or with several, should hold.
    """
    source = Source()
    try:
        documents = compose(text)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = mark.line + 1 if mark else 1
        source.problems.append(Problem(line, "", f"not valid YAML: {e.problem or e.context}", ""))
        return source
    except yaml.YAMLError as e:
        # A character that YAML forbids; the reader knows its offset, not its line.
        position = getattr(e, "position", 0)
        line = text.count("\n", 0, position) + 1
        source.problems.append(Problem(line, "", f"not valid YAML: {getattr(e, 'reason', e)}", ""))
        return source
    except RecursionError:
        source.problems.append(Problem(1, "", "nested too deeply to read", f"at most {_MAX_DEPTH} levels"))
        return source
    if len(documents) != 1:
        what = "the file is empty" if not documents else f"{len(documents)} YAML documents in one file"
        source.problems.append(Problem(1, "", what, expected))
        return source
    source.data = _build(documents[0], (), source, set())
    return source


def _build(node: yaml.Node, path: Path, source: Source, seen: set[int]) -> Data:
    line = node.start_mark.line + 1
    source.lines.setdefault(path, line)
    if id(node) in seen:
        source.problems.append(
            Problem(line, dotted(path), "a YAML alias (`*name`)", "the value written out where it applies")
        )
        return None
    seen.add(id(node))
    if len(path) > _MAX_DEPTH:
        source.problems.append(Problem(line, dotted(path[:3]), "nested too deeply", f"at most {_MAX_DEPTH} levels"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path, source, seen)
    if isinstance(node, yaml.SequenceNode):
        _check_tag(node, path, source, "tag:yaml.org,2002:seq")
        return [_build(item, (*path, i), source, seen) for i, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, path, source)


def _build_mapping(node: yaml.MappingNode, path: Path, source: Source, seen: set[int]) -> dict[str, Data]:
    _check_tag(node, path, source, "tag:yaml.org,2002:map")
    result: dict[str, Data] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            source.problems.append(Problem(line, dotted(path), "a key that is not text", "a plain name as key"))
            continue
        key = unicodedata.normalize("NFC", key_node.value)
        if key == "<<" and not key_node.style:
            source.problems.append(
                Problem(line, dotted(path), "a YAML merge (`<<`)", "the values written out where they apply")
            )
            continue
        here = (*path, key)
        if key in result:
            first = source.lines[here]
            source.problems.append(
                Problem(line, dotted(here), f"the key is repeated (first in line {first})", "each key once")
            )
            continue
        source.lines[here] = line
        result[key] = _build(value_node, here, source, seen)
    return result


def _scalar(node: yaml.ScalarNode, path: Path, source: Source) -> Data:
    line = node.start_mark.line + 1
    explicit = node.tag.startswith("!") or (node.style and node.tag != "tag:yaml.org,2002:str")
    if explicit or node.tag.startswith("tag:yaml.org,2002:python/"):
        source.problems.append(Problem(line, dotted(path), f"a YAML tag ({node.tag})", "a plain value"))
        return None
    value: str = node.value
    if not node.style:
        if value in _WORDS:
            return _WORDS[value]
        # int() takes any length only up to a limit of the interpreter; no setting is a thousand digits long.
        if _INT.match(value) and len(value) < 40:
            return int(value)
        if _FLOAT.match(value) and len(value) < 40:
            return float(value)
    if any("\ud800" <= c <= "\udfff" for c in value):
        source.problems.append(Problem(line, dotted(path), "half a surrogate pair", "text that UTF-8 can hold"))
        return None
    # Terraform normalizes every string to NFC; doing it here keeps the parsed value equal to the rendered one.
    return unicodedata.normalize("NFC", value)


def _check_tag(node: yaml.Node, path: Path, source: Source, plain: str) -> None:
    if node.tag != plain:
        problem = Problem(node.start_mark.line + 1, dotted(path), f"a YAML tag ({node.tag})", "a plain value")
        source.problems.append(problem)


def places(path: tuple[str, ...], data: Data) -> list[tuple[Path, Data]]:
    """(place, value) of everything that stands at a path, in which `*` is every key of a block."""
    found: list[tuple[Path, Data]] = [((), data)]
    for step in path:
        found = [
            ((*place, key), value[key])
            for place, value in found
            if isinstance(value, dict)
            for key in (value if step == "*" else [step])
            if key in value
        ]
    return found


def data_at(path: Path, data: Any) -> Any:
    """What stands at a path of the file's data; None where nothing does."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def kind_of(value: Data) -> str:
    """A value in a few words: blocks and lists by their kind."""
    if isinstance(value, dict):
        return "a block of keys and values"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value, ensure_ascii=False)
