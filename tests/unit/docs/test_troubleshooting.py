"""docs/troubleshooting.md quotes messages that exist: the constant parts of each are in strings of the source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from toolkit.errors import ExitCode

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text("utf-8")
QUOTED = [" ".join(text.split()) for text in re.findall(r"\*\*`(.+?)`\*\*", PAGE, re.S)]
WITHOUT_MESSAGE = {"No e-mail arrives"}


@cache
def strings() -> frozenset[str]:
    """Every string of the source; `\\0` stands for what an f-string fills in. Patterns without their escapes, too.

    Scripts of pipelines say something themselves: each is one text.
    """
    found = {file.read_text("utf-8") for file in (REPOSITORY / "templates" / "pipelines").iterdir()}
    for file in (REPOSITORY / "toolkit").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(p.value) if isinstance(p, ast.Constant) else "\0" for p in node.values)
                found.add("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value, node.value.replace("\\", "")}
    return frozenset(found)


def is_said(message: str) -> bool:
    """Whether each constant part of a message is in a string; several may make up one message."""
    parts = [part.strip() for part in message.split("…") if part.strip()]
    assert any(len(part.split()) > 1 or len(part) > 12 for part in parts), f"too little to look for: {message}"
    return all(any(part in text for text in strings()) for part in parts)


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_exists(message: str):
    assert is_said(message), f"nothing in toolkit/ says this any more: correct docs/troubleshooting.md: {message}"


def test_a_message_that_nothing_says_is_found():
    assert not is_said("the embedded AWS is … not running at all")


def test_every_entry_has_a_message_and_exit_codes_that_exist():
    entries = re.findall(r"^- \*\*(.+?)\*\*[^:]*?\(([^()]+)\): ", PAGE.replace("\n  ", " "), re.M)
    assert len(entries) == len(re.findall(r"^- ", PAGE, re.M)), "an entry: - **`message`** (exit code): cause"
    known = {str(int(code)) for code in ExitCode} | {"warning", "no message"}
    for message, codes in entries:
        assert set(re.findall(r"\d+|warning|no message", codes)) <= known, message
        assert message.startswith("`") or message in WITHOUT_MESSAGE, message


KINDS = """
registry|credentials|environment is for account|is locked|NOT be saved|expired|out of date|refused for|non-existent
not running|pretend to be|quota|BucketNotEmpty|BucketAlreadyExists|PendingConfirmation|interrupted
no longer in environment.yaml
"""


def test_what_stops_an_operator_most_is_there():
    """Kinds of trouble that the page must have, by a few words of each."""
    for words in KINDS.strip().replace("\n", "|").split("|"):
        assert words in PAGE, words
