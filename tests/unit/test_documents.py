"""What is printed as JSON: one table of kinds and versions, which the published schemas and the commands agree with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import toolkit
from toolkit.cli.app import app
from toolkit.documents import KINDS, document

DOCS = Path(toolkit.__file__).parents[1] / "docs"
PACKAGE = Path(toolkit.__file__).parent


def published(name: str) -> dict[str, Any]:
    """The schema of a kind."""
    schema: dict[str, Any] = json.loads((DOCS / "output.schema.json").read_text("utf-8"))["$defs"][name]
    if "$ref" in schema:
        schema = json.loads((DOCS / schema["$ref"]).read_text("utf-8"))
    return schema


@pytest.mark.parametrize("name", KINDS)
def test_a_version_is_that_of_the_published_schema(name: str):
    properties = published(name)["properties"]
    made = document(name, {"key": 1})
    assert properties["schema_version"] == {"const": made["schema_version"]}
    assert properties["kind"] == {"const": made["kind"]}
    assert list(made) == ["schema_version", "kind", "key"]


def test_every_published_schema_is_of_a_kind():
    schema = json.loads((DOCS / "output.schema.json").read_text("utf-8"))
    assert set(schema["$defs"]) == set(KINDS)
    assert schema["oneOf"] == [{"$ref": f"#/$defs/{name}"} for name in KINDS]


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), {o for parameter in command.params for o in parameter.opts}


def test_every_command_that_prints_json_is_in_the_table():
    """But `output`, which prints the user's own outputs."""
    printing = {name for name, options in commands(typer.main.get_command(app)) if "--json" in options}
    listed = [c.removesuffix(" --json") for kind in KINDS.values() for c in kind.printed_by if c.endswith(" --json")]
    assert sorted(listed) == sorted(printing - {"output"})


def test_nothing_else_decides_a_version():
    """mypy holds that `--json` prints only what `document` made; here, that nothing else makes such data."""
    texts = {file.relative_to(PACKAGE).as_posix(): file.read_text("utf-8") for file in PACKAGE.rglob("*.py")}
    naming = {
        name
        for name, text in texts.items()
        if '"schema_version"' in text or ("toolkit.documents" in text and re.search(r"\bDocument\(", text))
    }
    # A snapshot is a file with a format of its own.
    assert naming == {"documents.py", "snapshots/__init__.py"}
