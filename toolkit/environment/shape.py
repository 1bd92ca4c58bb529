"""The shape of an environment file: its model, and what may stand at a place of it, for errors and the schema."""

from __future__ import annotations

import typing
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from toolkit.components.registry import REGISTRY
from toolkit.environment.model import EnvironmentFile, LocalBackend, S3Backend
from toolkit.environment.source import Path


@cache
def file_model(names: tuple[str, ...] = tuple(REGISTRY)) -> type[EnvironmentFile]:
    """A whole file's model: EnvironmentFile plus one optional block per component.

    Args:
        names: The components; a file is checked against those that it names, since each costs time.
    """
    blocks: dict[str, Any] = {
        name: (
            # `password_policy:` with nothing after it is null in YAML and means the defaults.
            REGISTRY[name].settings | None,
            Field(default=None, description=REGISTRY[name].purpose),
        )
        for name in names
    }
    components = create_model("Components", __config__=ConfigDict(extra="forbid", frozen=True, strict=True), **blocks)
    return create_model(
        "EnvironmentYaml",
        __base__=EnvironmentFile,
        components=(
            components,
            Field(description="The components to switch on; an empty block means secure defaults."),
        ),
    )


def _model_at(path: Path) -> type[BaseModel] | None:
    """The model class that describes what stands at `path`."""
    current: Any = file_model()
    for step in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            if field is None:
                return None
            current = field.annotation
        else:
            current = _element_of(current)
        current = _sole_model(current) or current
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _element_of(annotation: Any) -> Any:
    arguments = getattr(annotation, "__args__", ())
    return next((a for a in reversed(arguments) if a is not Ellipsis), None)


def _sole_model(annotation: Any) -> Any:
    """`X | None` and `Annotated[X, …]` → X, where X is a model, dict or tuple."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _sole_model(typing.get_args(annotation)[0]) or typing.get_args(annotation)[0]
    if origin in (dict, tuple):
        return annotation
    options = [a for a in typing.get_args(annotation) if a is not type(None)]
    return _sole_model(options[0]) or options[0] if len(options) == 1 else None


def _fields(path: Path) -> dict[str, FieldInfo]:
    """The fields that may stand in the block at `path`."""
    if path == ("backend",):
        # Which of the two it is to be may be the very thing that is wrong.
        return {**LocalBackend.model_fields, **S3Backend.model_fields}
    model = _model_at(path)
    return dict(model.model_fields) if model else {}


def known_keys(path: Path) -> tuple[str, ...]:
    """Keys that the block at a path may have."""
    return tuple(_fields(path))


def meaning_of(path: Path) -> str:
    """What is to be written at a path, from the description of its field."""
    field = _fields(path[:-1]).get(str(path[-1]))
    meaning = (field.description or "a value").rstrip(".") if field else "a value"
    # It goes on after "expected"; abbreviations stay as they are.
    return meaning if meaning[1:2].isupper() else meaning[:1].lower() + meaning[1:]
