"""Data that somebody may have edited by hand → typed values, or the very field that is wrong.

In: JSON text and its shape as pydantic knows it. Out: the value. Errors name the place and what is expected there; of
what stands there only the kind is told, since it may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

T = TypeVar("T")


class FieldError(ValueError):
    """A value that is missing, unknown or of another kind; its text names the field."""


def from_json(shape: type[T], data: bytes) -> T:
    """The typed value in JSON text.

    Args:
        shape: A class, or a generic such as `tuple[X, ...]`.
        data: The text, UTF-8.

    Raises:
        FieldError: It is no JSON, or a field of it is not what `shape` says; the first such field.
    """
    try:
        # Any class is hashable, though mypy does not see it.
        value: T = _adapter(shape).validate_json(data)  # type: ignore[arg-type]
        return value
    except ValidationError as e:
        error = e.errors(include_url=False)[0]
    # Outside of the handler: pydantic's own error would print the values.
    raise FieldError(_told(error))


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    """Built when something is read: most commands read none, and should not start later for it."""
    return TypeAdapter(shape)


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON. To Python's `==`, `1`, `1.0` and `true` are one value."""
    first, second = (json.dumps(value, sort_keys=True, separators=(",", ":")) for value in (one, other))
    return first == second


def dotted(path: Iterable[str | int]) -> str:
    """("regions", "active", 1) → "regions.active[1]"."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _told(error: ErrorDetails) -> str:
    # A key may hold anything; what is told stays one line and says nothing to the terminal.
    where = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in dotted(error["loc"]))
    kind = error["type"]
    if kind == "json_invalid":
        return "not JSON, or nested too deeply"
    if kind == "missing":
        return f"{where} is missing"
    if kind == "unexpected_keyword_argument":
        return f"{where} is unknown"
    if kind == "value_error":
        expected = str(error["ctx"]["error"])
    else:
        expected = error["msg"].replace("Input should be", "expected").replace("Keys should be", "expected keys to be")
    # Of a word that is none of a few, the word itself helps; it stands where no secret does.
    found = repr(error["input"]) if kind in ("enum", "literal_error") else _kind(error["input"])
    return f"{where}: {found}; {expected}" if where else f"{found}; {expected}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
