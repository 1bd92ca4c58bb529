"""Describes components and their settings, from the code that checks them: for the CLI and the generated docs."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from toolkit.components.registry import REGISTRY
from toolkit.errors import UsageError, or_meant
from toolkit.settings.base import Settings


def describe_components(name: str | None = None) -> list[dict[str, Any]]:
    """One component, or all, as plain data.

    Raises:
        UsageError: There is no such component.
    """
    if name is not None and name not in REGISTRY:
        raise UsageError(
            f"no component {name!r}" + or_meant(name, tuple(REGISTRY)),
            hint=f"components: {', '.join(REGISTRY)}",
        )
    return [
        {
            "name": c.name,
            "title": c.title,
            "purpose": c.purpose,
            "scope": c.scope.value,
            "requires": list(c.requires),
            "requires_with": [{"setting": setting, "component": need} for setting, need in c.requires_with],
            "bills": c.bills,
            "settings": [
                {
                    "name": path,
                    "type": kind,
                    "required": default is PydanticUndefined,
                    "default": None if default is PydanticUndefined else default,
                    "description": text,
                }
                for path, kind, default, text in _rows(c.settings, "")
            ],
        }
        for c in REGISTRY.values()
        if name is None or c.name == name
    ]


def settings_table(name: str) -> list[tuple[str, str, str, str]]:
    """(dotted setting, type, default, meaning) of a component's settings."""
    return [
        (path, kind, "required" if default is PydanticUndefined else _short(default), text)
        for path, kind, default, text in _rows(REGISTRY[name].settings, "")
    ]


def _rows(model: type[Any], prefix: str) -> Iterator[tuple[str, str, Any, str]]:
    for name, field in model.model_fields.items():
        nested = _settings_class(field.annotation)
        default = field.get_default(call_default_factory=True)
        if nested is not None and field.annotation is nested:
            yield from _rows(nested, f"{prefix}{name}.")
            continue
        yield f"{prefix}{name}", _type_name(field.annotation, field.metadata), _plain(default), field.description or ""
        if nested is not None:
            # What each element of a map or list, or an optional block, is made of.
            mark = "" if typing.get_origin(field.annotation) not in (dict, tuple) else "[]"
            yield from _rows(nested, f"{prefix}{name}{mark}.")


def _settings_class(annotation: Any) -> type[Settings] | None:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((found for a in typing.get_args(annotation) if (found := _settings_class(a))), None)


def _type_name(annotation: Any, metadata: list[Any]) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type_name(arguments[0], [*arguments[1:]])
    if origin is typing.Literal:
        return " \\| ".join(json.dumps(a) for a in arguments).replace("\\", "")
    if origin is dict:
        return f"map of {_type_name(arguments[1], [])}"
    if origin is tuple:
        return f"list of {_type_name(arguments[0], [])}"
    if origin is not None:
        return " or ".join(_type_name(a, metadata) for a in arguments)
    names = {str: "text", bool: "true/false", int: "number", float: "number", type(None): "null"}
    name = names.get(annotation, "block")
    bounds = [
        f"{sign} {getattr(m, attr)}" for m in _constraints(metadata) for attr, sign in _BOUNDS if hasattr(m, attr)
    ]
    return f"{name} {', '.join(bounds)}" if bounds and annotation in (int, float) else name


_BOUNDS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


def _constraints(metadata: list[Any]) -> list[Any]:
    return [inner for m in metadata for inner in (getattr(m, "metadata", None) or [m])]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= 40:
        return text
    return f"{len(value)} entries" if isinstance(value, (dict, list)) else f"{text[:37]}…"
