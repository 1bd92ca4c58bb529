"""Reads Terraform's CLI configuration as Terraform does, as far as it matters which settings a file has.

In: the text of one file. Out: its top-level settings with their places, and every name in it. Terraform reads these
files with HCL 1: JSON if the first character is `{`, whatever the file is called; keys may be quoted and escaped.
https://github.com/hashicorp/hcl/blob/hcl1/lex.go, …/hcl/scanner/scanner.go, …/hcl/strconv/quote.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


class UnreadableError(ValueError):
    """The text is no CLI configuration; Terraform would not start with it either. Its argument says where."""


@dataclass(frozen=True)
class Setting:
    """A top-level attribute or block."""

    name: str
    start: int
    end: int
    value: str | None = None
    """Of an attribute that is one string; None for any other value and for a block."""


@dataclass(frozen=True)
class CliFile:
    """What a file says."""

    settings: tuple[Setting, ...]
    names: frozenset[str]
    """Every key, label and string in it, at any depth."""
    json: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    value: str
    start: int
    end: int


def parse(text: str) -> CliFile:
    """The settings of a file.

    Raises:
        UnreadableError: It is neither HCL 1 nor JSON.
    """
    json = text.lstrip().startswith("{")
    tokens = list(_tokens(text, json))
    names = frozenset(token.value for token in tokens if token.kind == "name")
    return CliFile(tuple(_settings(tokens, 1 if json else 0)), names, json)


def _settings(tokens: list[_Token], level: int) -> Iterator[Setting]:
    """Settings that begin at that depth of brackets: a key, perhaps labels, then a value or a block."""
    depth, first, assigned = 0, None, False
    for token in tokens:
        if token.kind in "[{":
            depth += 1
        elif token.kind in "]}":
            depth -= 1
            if first is not None and depth == level:
                yield Setting(first.value, first.start, token.end)
                first, assigned = None, False
        elif depth == level and token.kind in "=:":
            assigned = True
        elif depth == level and token.kind in ("name", "number", "text") and assigned:
            if first is not None:
                value = token.value if token.kind == "name" else None
                yield Setting(first.value, first.start, token.end, value)
            first, assigned = None, False
        elif depth == level and token.kind == "name" and first is None:
            first = token
    if first is not None:
        yield Setting(first.value, first.start, tokens[-1].end)


_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][+-]?\d+)?)")
_HEREDOC = re.compile(r"<<-?(\w+)\r?\n(?:.*\n)*?[ \t\r\f\v]*\1\r*(?:\n|\Z)")


def _tokens(text: str, json: bool) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        char = text[at]
        if found := _SPACE.match(text, at) or (None if json else _COMMENT.match(text, at)):
            at = found.end()
            continue
        if char == '"':
            end = _end_of_string(text, at, json)
            yield _Token("name", _unquote(text[at + 1 : end - 1], json), at, end)
        elif char.isalpha() or char == "_":
            end = at + 1
            while end < len(text) and (text[end].isalpha() or text[end].isdecimal() or text[end] in "_-."):
                end += 1
            yield _Token("name", text[at:end], at, end)
        elif found := _NUMBER.match(text, at):
            end = found.end()
            yield _Token("number", found.group(), at, end)
        elif char in "[]{},=:+-.":
            end = at + 1
            yield _Token(char, char, at, end)
        elif not json and (found := _HEREDOC.match(text, at)):
            end = found.end()
            yield _Token("text", found.group(), at, end)
        else:
            raise UnreadableError(f"line {text.count(chr(10), 0, at) + 1}: unexpected {char!r}")
        at = end


def _end_of_string(text: str, start: int, json: bool) -> int:
    """Where the string that begins at `start` ends. In HCL, quotes within `${ }` do not end it."""
    at, braces = start + 1, 0
    while at < len(text):
        char = text[at]
        if char == "\n" and not braces:
            break
        if char == '"' and not braces:
            return at + 1
        if not json:
            if not braces and text.startswith("${", at):
                braces, at = 1, at + 1
            elif braces and char in "{}":
                braces += 1 if char == "{" else -1
        at += 2 if char == "\\" else 1
    raise UnreadableError(f"line {text.count(chr(10), 0, start) + 1}: a string without an end")


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unquote(text: str, json: bool) -> str:
    def character(found: re.Match[str]) -> str:
        u, long, x, octal, plain = found.groups()
        if plain is not None:
            return _PLAIN.get(plain, plain)
        number = int(octal, 8) if octal else int(u or long or x, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"

    # Escapes within ${ } stay as they are in HCL; such a string is no key that means anything.
    return _ESCAPE.sub(character, text)
