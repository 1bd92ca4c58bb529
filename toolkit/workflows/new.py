"""Scaffolds an environment: environments/NAME/environment.yaml, explicit and commented."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import UsageError, nearest
from toolkit.files import write_atomically
from toolkit.paths import Project
from toolkit.regions import PARTITION_OF
from toolkit.rendering.render import template_text
from toolkit.workflows.schema import FILE_NAME, schema_text


@dataclass(frozen=True)
class Answers:
    """What an environment starts from."""

    account_id: str
    home: str
    active: tuple[str, ...]
    state_bucket: str | None
    simulator: bool


def check_answer(kind: str, value: str, option: str) -> str:
    """An answer, if it can stand in an environment file.

    Args:
        kind: "account_id" or "region".
        value: What was given.
        option: How errors name it.

    Raises:
        UsageError: It cannot.
    """
    if kind == "account_id" and not (len(value) == 12 and value.isascii() and value.isdigit()):
        raise UsageError(f"{option}: {value!r} is no account id", hint="expected 12 digits")
    if kind == "region" and value not in PARTITION_OF:
        guess = nearest(value, tuple(PARTITION_OF))
        raise UsageError(
            f"{option}: {value!r} is no region" + (f"; did you mean {guess!r}?" if guess else ""),
            hint="expected an AWS region that the provider knows, like eu-central-1",
        )
    return value


def new_environment(project: Project, name: str, answers: Answers) -> Path:
    """Write the environment file (and the schema beside it); returns its path.

    Raises:
        EnvironmentFileError: The answers do not go together; nothing was written.
    """
    paths = project.paths(name)
    components = REGISTRY.values()
    required = {c.name: [n for n, field in c.settings.model_fields.items() if field.is_required()] for c in components}
    text = template_text(
        "project/environment.yaml.j2", name=name, answers=answers, components=components, required=required
    )
    load_text(text, name=name, shown_as=paths.shown)
    paths.folder.mkdir(parents=True, exist_ok=True)
    write_schema(project)
    write_atomically(paths.file, text)
    return paths.file


def write_schema(project: Project) -> None:
    """Write the JSON Schema that environment files' modelines point to."""
    write_atomically(project.root / "environments" / FILE_NAME, schema_text())
