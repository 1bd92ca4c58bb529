"""Scaffolds an environment: environments/NAME/environment.yaml, explicit and commented."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic import TypeAdapter, ValidationError

from toolkit.components.base import PROFILES, SECURITY_EMAIL, Component
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.model import BucketName
from toolkit.errors import UsageError, or_meant
from toolkit.files import write_atomically
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import Project
from toolkit.regions import PARTITION_OF, partition_of
from toolkit.rendering.render import template_text
from toolkit.resources.reading import MANAGED_BY
from toolkit.settings.base import Settings
from toolkit.settings.contacts import email_address
from toolkit.settings.values import TO_FILL_IN
from toolkit.snapshots import read_snapshot
from toolkit.workflows.first_tests import FirstTest, first_tests
from toolkit.workflows.schema import FILE_NAME, schema_text


@dataclass(frozen=True)
class Answers:
    """What an environment starts from."""

    account_id: str
    home: str
    active: tuple[str, ...]
    state_bucket: str | None
    simulator: bool
    profile: str = "standard"
    """One of PROFILES."""
    security_email: str | None = None
    """Who is told of incidents; None leaves what needs it to be filled in."""


@dataclass(frozen=True)
class Block:
    """One component as the file starts with it."""

    component: Component
    text: str
    """YAML below the component's key; empty for secure defaults."""
    missing: tuple[str, ...]
    """What somebody has to fill in first; the block is then a comment."""


@dataclass(frozen=True)
class Origin:
    """What a snapshot says of the account that an environment is for."""

    account_id: str
    home: str
    active: tuple[str, ...]
    """Other regions in which the account has something that AWS does not give by itself."""
    unused: tuple[str, ...]
    """Every other region that was read; one of another partition can only be on the embedded AWS."""
    unread: tuple[str, ...]
    """Those of them in which something could not be read."""
    simulator: bool


def origin(file: Path, max_age: timedelta) -> Origin:
    """What an environment starts from whose account a snapshot is of.

    Raises:
        ToolkitError: It cannot be read, or is no snapshot.
        RefusedError: It was edited, is too old, or dated in the future.
    """
    snapshot = read_snapshot(file, max_age=max_age)
    # AWS makes a VPC with a security group in every region, open as AWS makes it.
    used = {o.region for o in snapshot.resources if not o.by_default and o.type != "aws_default_security_group"}
    failed = {one.region for one in snapshot.unreadable if one.type != MANAGED_BY}
    partition = partition_of(snapshot.home)
    others = [one for one in snapshot.regions if one != snapshot.home and partition_of(one) == partition]
    return Origin(
        snapshot.account_id,
        snapshot.home,
        tuple(region for region in others if region in used),
        tuple(region for region in others if region not in used),
        tuple(region for region in others if region not in used and region in failed),
        snapshot.simulator is not None,
    )


def check_answer(kind: str, value: str, option: str) -> str:
    """An answer, if it can stand in an environment file.

    Args:
        kind: "account_id", "region", "profile", "email" or "bucket".
        value: What was given.
        option: How errors name it.

    Raises:
        UsageError: It cannot.
    """
    if kind == "account_id" and not (len(value) == 12 and value.isascii() and value.isdigit()):
        raise UsageError(f"{option}: {value!r} is not an account id", hint="expected 12 digits")
    if kind == "region" and partition_of(value) is None:
        raise UsageError(
            f"{option}: {value!r} is not a valid region" + or_meant(value, tuple(PARTITION_OF)),
            hint="expected an AWS region, like eu-central-1",
        )
    if kind == "profile" and value not in PROFILES:
        raise UsageError(
            f"{option}: no profile {value!r}" + or_meant(value, tuple(PROFILES)),
            hint=f"profiles: {', '.join(PROFILES)}",
        )
    if kind == "bucket":
        try:
            TypeAdapter(BucketName).validate_python(value)
        except ValidationError as e:
            reason = e.errors()[0]["ctx"]["error"]
            raise UsageError(f"{option}: {value!r} is not a valid bucket name", hint=str(reason)) from None
    if kind == "email":
        try:
            email_address(value)
        except ValueError as e:
            raise UsageError(f"{option}: {value!r} is not an e-mail address", hint=str(e)) from None
    return value


def new_environment(project: Project, name: str, answers: Answers) -> Path:
    """Write the environment file (and the schema beside it); returns its path.

    Raises:
        EnvironmentFileError: The answers do not go together; nothing was written.
    """
    paths = project.paths(name)
    text = environment_text(name, answers)
    load_text(text, name=name, shown_as=paths.shown)
    paths.folder.mkdir(parents=True, exist_ok=True)
    write_schema(project)
    with uninterrupted():
        write_atomically(paths.file, text)
        report(f"{paths.shown} is written")
    return paths.file


def environment_text(name: str, answers: Answers) -> str:
    """The text of an environment file that starts from these answers."""
    blocks = list(_blocks(answers))
    return template_text(
        "project/environment.yaml.j2",
        name=name,
        answers=answers,
        meaning=PROFILES[answers.profile],
        blocks=blocks,
        tests=list(_tests(blocks)),
    )


def write_schema(project: Project) -> None:
    """Write the JSON Schema that environment files' modelines point to."""
    write_atomically(project.root / "environments" / FILE_NAME, schema_text())


def _blocks(answers: Answers) -> Iterator[Block]:
    """The profile's components, in the registry's order."""
    for component in REGISTRY.values():
        if answers.profile not in component.profiles:
            continue
        chosen = component.profiles[answers.profile]
        filled = _filled(chosen, answers.security_email)
        required = [n for n, field in component.settings.model_fields.items() if field.is_required()]
        missing = tuple(n for n in required if n not in filled)
        if missing:
            to_fill = {n: _to_fill(component.settings.model_fields[n].annotation) for n in missing}
            filled = {**to_fill, **_filled(chosen, answers.security_email or TO_FILL_IN)}
        text = yaml.dump(filled, Dumper=_Dumper, sort_keys=False, allow_unicode=True) if filled else ""
        yield Block(component, text, missing)


def _tests(blocks: Iterable[Block]) -> Iterator[FirstTest]:
    on = [block for block in blocks if not block.missing]
    settings = {one.component.name: one.component.settings.model_validate(yaml.safe_load(one.text) or {}) for one in on}
    return first_tests({one.component.name: one.component for one in on}, settings)


def _to_fill(annotation: Any) -> Any:
    """A setting with a mark wherever something must be filled in, so that nobody has to look up how it is built."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return {n: _to_fill(f.annotation) for n, f in annotation.model_fields.items() if f.is_required()}
    origin = get_origin(annotation)
    if origin is tuple:
        return [TO_FILL_IN]
    return {TO_FILL_IN: TO_FILL_IN} if origin is dict else TO_FILL_IN


class _Dumper(yaml.SafeDumper):
    """Lists stand further in than their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _filled(block: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    """The block with the address of who is told; without one, what needs it is left out."""
    filled: dict[str, Any] = {}
    for key, value in block.items():
        if isinstance(value, Mapping):
            inner = _filled(value, email)
            if inner or not value:
                filled[key] = inner
        elif value != [SECURITY_EMAIL]:
            filled[key] = value
        elif email is not None:
            filled[key] = [email]
    return filled
