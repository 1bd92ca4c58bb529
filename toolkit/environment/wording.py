"""What is wrong at one place of the file, in words: pydantic's errors as problems with line, value and expectation."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import ErrorDetails

from toolkit.environment.shape import known_keys, meaning_of
from toolkit.environment.source import Data, Path, Problem, Source, data_at, kind_of
from toolkit.settings.listed import MISSPELT, NEWER
from toolkit.spelling import nearest
from toolkit.typed import dotted


def problem_of(error: ErrorDetails, source: Source) -> Problem:
    """What pydantic found, at its place in the file and with what would be accepted there."""
    path = _path_in_file(error["loc"], source.data)
    kind = error["type"]
    # A bound of a number is a float to pydantic even where it is written as a whole number.
    context = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in error.get("ctx", {}).items()}
    # What is wrong with a key is shown as the key, not as the value beside it.
    value = f"the key {path[-1]!r}" if error["loc"][-1:] == ("[key]",) else _shown(path, source.data)
    line = source.line(path)
    where = dotted(path)
    if kind == "extra_forbidden":
        name = str(path[-1])
        known = known_keys(path[:-1])
        what = "unknown component" if path[:-1] == ("components",) else "unknown key"
        return Problem(line, where, f"{what} {name!r}", f"one of {', '.join(known)}", nearest(name, known))
    if kind == "missing":
        return Problem(line, where, "missing", meaning_of(path))
    if kind == "union_tag_invalid":
        choices = str(context["expected_tags"]).replace("'", '"')
        return Problem(line, f"{where}.type", f"{context['tag']!r} is none of the kinds", f"one of {choices}")
    if kind == "union_tag_not_found":
        return Problem(line, f"{where}.type", "missing", '"local" or "s3"')
    if kind == "literal_error":
        choices = str(context["expected"])
        names = [c.strip(" '") for c in choices.replace(" or ", ",").split(",")]
        guess = nearest(str(data_at(path, source.data)), names)
        return Problem(line, where, value, choices.replace("'", '"'), guess)
    if kind == MISSPELT:
        meant = str(context["guess"]) if context["guess"] else None
        return Problem(line, where, value, str(context["expected"]), meant)
    if kind == NEWER:
        return Problem(line, where, str(context["text"]), "")
    expected = _EXPECTATIONS.get(kind)
    if expected is not None:
        accepted = expected.format(**context)
        return Problem(line, where, value, _SINGULAR.get(accepted, accepted))
    if kind == "value_error":
        message = str(context.get("error", error["msg"]))
        if message.startswith("expected "):
            return Problem(line, where, value, message.removeprefix("expected "))
        return Problem(line, where, message, "")
    return Problem(line, where, value, error["msg"][:1].lower() + error["msg"][1:])


_EXPECTATIONS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text (in quotes if it looks like a number)",
    "dict_type": "a block of keys and values",
    "model_type": "a block of keys and values",
    "model_attributes_type": "a block of keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}
"""pydantic's error types → what would be accepted."""


_SINGULAR = {
    "at least 1 characters": "at least 1 character",
    "at most 1 characters": "at most 1 character",
    "at least 1 entries": "at least 1 entry",
    "at most 1 entries": "at most 1 entry",
}


def _path_in_file(loc: tuple[int | str, ...], data: Data) -> Path:
    """pydantic's location without the steps that are its own (union members, "[key]")."""
    path: list[str | int] = []
    here: Any = data
    for position, step in enumerate(loc):
        if isinstance(here, dict) and (step in here or position == len(loc) - 1) and step != "[key]":
            path.append(step)
            here = here.get(step)
            if here is None and len(path) == 2 and path[0] == "components":
                here = {}  # as in _blocks_for_nulls: what is missing in the block is told, not the block
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            path.append(step)
            here = here[step]
    return tuple(path)


def _shown(path: Path, data: Data) -> str:
    if path and path[-1] == "external_id":
        return "the value (not shown)"
    value = data_at(path, data)
    if isinstance(value, (dict, list)):
        return kind_of(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"
