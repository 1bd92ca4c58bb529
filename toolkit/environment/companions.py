"""Files beside environment.yaml that settings name: JSON objects, read whole and checked before anybody relies on them.

In: the data of an environment file and its folder. Out: their texts, or every problem with its place. What is accepted
is what can be rendered as it is: strict JSON in UTF-8, each key once, finite numbers, no link that leads out of the
folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

from toolkit.components.registry import REGISTRY
from toolkit.environment.source import MAX_BYTES, Data, Problem, Source, places
from toolkit.errors import ToolkitError
from toolkit.files import read_regular, refuse_links
from toolkit.typed import dotted

_MAX_DEPTH = 50
_EXPECTED = "a JSON file in the folder of environment.yaml"


class UnusableError(ValueError):
    """Why a file cannot be used."""


def named_files(
    names: Iterable[str], data: dict[str, Data], source: Source, folder: FilePath | None
) -> tuple[dict[str, str], list[Problem]]:
    """(name → text of each file that settings name, what is wrong with the others).

    Args:
        names: The components that the file switches on.
        data: The environment file's.
        source: Its lines.
        folder: Where the files are; None: nowhere, and naming one is an error.
    """
    files: dict[str, str] = {}
    problems = []
    for name in names:
        for setting in REGISTRY[name].files_in:
            for place, named in places(("components", name, *setting.split(".")), data):
                if not isinstance(named, str):
                    continue  # told by the settings' own check, or left out
                try:
                    files[named] = companion_text(named, folder)
                except UnusableError as e:
                    problems.append(Problem(source.line(place), dotted(place), f"{named}: {e}", _EXPECTED))
    return files, problems


def companion_text(name: str, folder: FilePath | None) -> str:
    """The text of a file beside environment.yaml.

    Raises:
        UnusableError: Why it cannot be used.
    """
    if folder is None:
        raise UnusableError("no folder to look for it in")
    file = folder / name
    try:
        # A link or `..` could lead to a file that nobody reviews with the environment.
        if not file.resolve().is_relative_to(folder.resolve()):
            raise UnusableError("outside of the environment's folder")
        refuse_links(folder, file)
        raw = read_regular(file, MAX_BYTES + 1)
    except ToolkitError as e:
        raise UnusableError(e.problem) from e
    except OSError as e:
        raise UnusableError(f"cannot be read: {e.strerror}") from e
    except ValueError as e:  # a name that no file can have
        raise e if isinstance(e, UnusableError) else UnusableError("no name of a file") from e
    if len(raw) > MAX_BYTES:
        raise UnusableError(f"larger than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
        parsed = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as e:
        raise UnusableError("not UTF-8") from e
    except RecursionError as e:
        raise UnusableError("nested too deeply") from e
    except json.JSONDecodeError as e:
        raise UnusableError(f"not JSON: {e.msg} at line {e.lineno}, column {e.colno}") from e
    if not isinstance(parsed, dict):
        raise UnusableError("not a JSON object")
    _renderable(parsed, 0)
    return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnusableError(f"{twice!r} is repeated in one object")
    return found


def _no_constant(text: str) -> Any:
    raise UnusableError(f"{text} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnusableError(f"{text} is too large a number")
    return value


def _renderable(value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise UnusableError(f"nested too deeply: at most {_MAX_DEPTH} levels")
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise UnusableError("half of a surrogate pair, which is not a character")
    if isinstance(value, dict):
        for name, inner in value.items():
            _renderable(name, depth)
            _renderable(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _renderable(inner, depth + 1)
