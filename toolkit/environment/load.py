"""Reads environment.yaml: text in, a typed Environment out, or every error at once with its place.

Never touches AWS, Terraform or any file but the one it is given and those beside it that it names.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path as FilePath
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.components.registry import REGISTRY
from toolkit.environment.companions import named_files
from toolkit.environment.model import AccountState, EnabledComponent, Environment, EnvironmentFile, LabelKey, LabelValue
from toolkit.environment.rules import (
    broken,
    broken_between,
    named_components,
    needs_newer_provider,
    not_offered,
    unusable_provider,
)
from toolkit.environment.shape import file_model
from toolkit.environment.source import Data, Problem, Source, kind_of, parse
from toolkit.environment.text import read
from toolkit.environment.wording import problem_of
from toolkit.errors import ToolkitError
from toolkit.settings.listed import NEWER, REPORT
from toolkit.visible import joined_lines


class EnvironmentFileError(ToolkitError):
    """An environment file that cannot be used; `problems` has every reason."""

    def __init__(self, where: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        count = len(problems)
        super().__init__(
            f"{count} error{'s' if count != 1 else ''} in the environment file",
            where=where,
            detail=joined_lines(f"{where}:{p.line}: {p}" for p in self.problems),
            hint="fix the lines above; `toolkit schema` prints every key with its meaning",
        )


def load_environment(file: FilePath, *, name: str, shown_as: str | None = None) -> Environment:
    """Read and check one environment file.

    Args:
        file: The environment.yaml.
        name: The environment's name (its folder's).
        shown_as: How errors name the file; its path when None.

    Raises:
        EnvironmentFileError: Everything that is wrong with it.
        ToolkitError: It cannot be read.
    """
    where = shown_as or str(file)
    return load_text(read_text(file, where), name=name, shown_as=where, folder=file.parent)


class _Labelled(BaseModel):
    """What `read_labels` checks of a file."""

    model_config = ConfigDict(strict=True)
    labels: dict[LabelKey, LabelValue] = {}


def read_labels(file: FilePath, *, shown_as: str) -> dict[str, str]:
    """The labels of an environment file, whatever else it says: a wrong setting elsewhere hides no environment.

    Args:
        file: The environment.yaml.
        shown_as: How errors name the file.

    Raises:
        EnvironmentFileError: It is not YAML, or the labels are wrong.
        ToolkitError: It cannot be read.
    """
    source = parse(read_text(file, shown_as))
    if not isinstance(source.data, dict):
        if source.problems:
            raise EnvironmentFileError(shown_as, source.problems)
        return {}
    try:
        return _Labelled.model_validate(source.data).labels
    except ValidationError as e:
        raise EnvironmentFileError(
            shown_as, [problem_of(error, source) for error in e.errors(include_url=False)]
        ) from None


def read_account_state(file: FilePath) -> str | None:
    """The `account_state` of an environment file, whatever else it says; None also where the file is not readable.

    Its own command then says what is wrong with it.
    """
    try:
        text = read_text(file, str(file))
    except ToolkitError:
        return None
    # Parsing a thousand files takes seconds, and few of them have the key.
    data = parse(text).data if "account_state" in text else None
    state = data.get("account_state") if isinstance(data, dict) else None
    return state if isinstance(state, str) and state in get_args(AccountState) else None


def read_text(file: FilePath, where: str) -> str:
    """The text of an environment file.

    Args:
        file: The environment.yaml.
        where: How errors name it.

    Raises:
        ToolkitError: It cannot be read.
    """
    text = read(file, where, usual="an environment file is a few pages")
    if text is None:
        raise ToolkitError(f"cannot be read: {os.strerror(errno.ENOENT)}", where=where)
    return text


def load_text(text: str, *, name: str, shown_as: str, folder: FilePath | None = None) -> Environment:
    """Check the text of an environment file; see `load_environment`.

    Args:
        text: The file's.
        name: The environment's name.
        shown_as: How errors name the file.
        folder: Where the files are that it names; None: nowhere, and naming one is an error.
    """
    source = parse(text)
    if not isinstance(source.data, dict):
        top = Problem(1, "", f"{kind_of(source.data)} at the top", "keys like `account_id`, `regions`, `components`")
        raise EnvironmentFileError(shown_as, source.problems or [top])
    data = _blocks_for_nulls(source.data)
    problems = list(source.problems)
    seen = {p.path for p in problems}
    model, found, newer = _validated(data, source)
    problems += [p for p in found if p.path not in seen]
    problems += broken(data, source)
    files, unusable = named_files(named_components(data), data, source, folder)
    problems += unusable
    if model is None or problems:
        raise EnvironmentFileError(shown_as, problems)
    enabled = _enabled(model, source)
    if problems := broken_between(enabled, source):
        raise EnvironmentFileError(shown_as, problems)
    environment = Environment(
        name=name,
        components=enabled,
        lines=source.lines,
        files=files,
        newer=newer,
        text=text,
        **{field: getattr(model, field) for field in EnvironmentFile.model_fields},
    )
    rules = (not_offered, unusable_provider, needs_newer_provider)
    if problems := [problem for rule in rules for problem in rule(environment, source)]:
        raise EnvironmentFileError(shown_as, problems)
    return environment


def _validated(
    data: dict[str, Data], source: Source
) -> tuple[EnvironmentFile | None, list[Problem], tuple[Problem, ...]]:
    """The model, or what is wrong; and what is accepted though it is newer than our lists of AWS's names."""
    shape = file_model(named_components(data))
    newer: dict[str, Problem] = {}
    # Once to learn what is newer, and where; then, if something is, once more to accept it.
    for context in (REPORT, None):
        try:
            return shape.model_validate(data, context=context), [], tuple(newer.values())
        except ValidationError as e:
            errors = e.errors(include_url=False)
        for error in errors:
            if error["type"] == NEWER:
                problem = problem_of(error, source)
                # One that stands in several places is reported at the first.
                newer.setdefault(problem.problem, problem)
        if not newer:
            break
    return None, [problem_of(error, source) for error in errors if error["type"] != NEWER], tuple(newer.values())


def _enabled(model: EnvironmentFile, source: Source) -> tuple[EnabledComponent, ...]:
    blocks = model.components  # type: ignore[attr-defined]
    return tuple(
        EnabledComponent(REGISTRY[name], getattr(blocks, name), source.line(("components", name)))
        for name in type(blocks).model_fields
    )


def _blocks_for_nulls(data: dict[str, Data]) -> dict[str, Data]:
    components = data.get("components")
    if not isinstance(components, dict):
        return {**data, "components": {}} if "components" in data and components is None else data
    return {**data, "components": {name: {} if block is None else block for name, block in components.items()}}
