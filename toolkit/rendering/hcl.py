"""Python data → HCL literals, and the alignment that `terraform fmt` gives attributes.

Any string is data: whatever it holds, the HCL literal parses back to exactly that string and never becomes an
expression or a template (HCL native syntax specification, "Template Expressions" and "Quoted Literals").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z", re.ASCII)
# Identifiers that mean something at the start of an object's element or of an expression.
_RESERVED = frozenset({"for", "true", "false", "null", "if", "in", "else", "endif", "endfor"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINED = re.compile(r"[$%](?=([$%])\1\{)")
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]|\$\{|%\{')


def _escape(match: re.Match[str]) -> str:
    found = match.group()
    if found in ("${", "%{"):
        return found[0] + found
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


def quote(text: str) -> str:
    """An HCL quoted literal that parses to `text`."""
    # "$${" is the escape of "${"; a "$" just before it would join in ("$$${"), so the sequence itself is broken up by
    # escaping the dollar or percent sign as a code point.
    text = _SPECIAL.sub(_escape, text)
    return '"' + _JOINED.sub(lambda m: f"\\u{ord(m.group()):04x}", text) + '"'


def literal(value: object, indent: int = 0, comments: Mapping[tuple[str, ...], str] | None = None) -> str:
    """An HCL literal, spread over lines where that reads better.

    Args:
        value: None, bool, int, float, str, mapping with text keys, list or tuple of such.
        indent: Columns the attribute that takes this value is indented by.
        comments: Path of keys within `value` → comment line to stand above that key.

    Raises:
        TypeError: The value is of another type.
    """
    # The most frequent first; Mapping and Sequence are slow to ask for, and nearly everything is a dict or a list.
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(int(value)) if value == int(value) else repr(value)
    if isinstance(value, (dict, Mapping)):
        return _object(value, indent, comments or {})
    if isinstance(value, (list, tuple, Sequence)):
        return _tuple(value, indent, comments or {})
    raise TypeError(f"no HCL literal for {type(value).__name__}")


def attributes(items: Mapping[str, object], indent: int, comments: Mapping[tuple[str, ...], str] | None = None) -> str:
    """`name = literal` lines of a block's body, each after its comment if it has one."""
    pad = " " * indent
    lines: list[str] = []
    below: dict[str, dict[tuple[str, ...], str]] = {}
    for path, text in (comments or {}).items():
        below.setdefault(path[0], {})[path[1:]] = text
    for name, value in items.items():
        inner = below.get(name)
        if inner and () in inner:
            lines.append(f"{pad}# {inner.pop(())}")
        lines.append(f"{pad}{_key(name)} = {literal(value, indent, inner)}")
    return "\n".join(lines)


def _key(name: str) -> str:
    return name if _IDENTIFIER.match(name) and name not in _RESERVED else quote(name)


def _object(value: Mapping[str, object], indent: int, comments: Mapping[tuple[str, ...], str]) -> str:
    if not value:
        return "{}"
    return "{\n" + attributes(value, indent + 2, comments) + "\n" + " " * indent + "}"


def _tuple(value: Sequence[object], indent: int, comments: Mapping[tuple[str, ...], str]) -> str:
    simple = not any(isinstance(v, (dict, list, tuple, Mapping)) for v in value)
    if simple:
        line = "[" + ", ".join(literal(v) for v in value) + "]"
        if len(value) <= 1 or len(line) + indent <= 80:
            return line
    pad = " " * (indent + 2)
    lines = [f"{pad}{literal(v, indent + 2)}," for v in value]
    return "[\n" + "\n".join(lines) + "\n" + " " * indent + "]"


_ATTRIBUTE = re.compile(r'(?P<pad> *)(?P<key>[A-Za-z_][\w-]*|"(?:[^"\\]|\\.)*")\s* = (?P<value>\S.*)\Z')


def align(text: str) -> str:
    """Align `=` as `terraform fmt` does: within runs of neighbouring attribute lines of one block.

    Expects what the templates write: no trailing comments, no heredocs, a value's first line on the attribute's line.
    Columns are counted as `terraform fmt` does where a key is made of letters with or without combining marks; keys
    with emoji sequences may come out a column off, which Terraform reads all the same.
    """
    result: list[str] = []
    run: list[tuple[str, str, str, int]] = []
    """(what is before the key, key, value, columns of the key)"""

    def close() -> None:
        width = max(columns for _, _, _, columns in run)
        result.extend(f"{pad}{key}{' ' * (width - columns)} = {value}" for pad, key, value, columns in run)
        run.clear()

    for line in text.splitlines():
        # A value that goes on over further lines is aligned with nothing and ends the run before it.
        match = None if line.endswith(("{", "[", "(")) else _ATTRIBUTE.match(line)
        if match is None:
            if run:
                close()
            result.append(line)
            continue
        pad, key, value = match.groups()
        if run and run[-1][0] != pad:
            close()
        run.append((pad, key, value, _columns(key)))
    if run:
        close()
    return "\n".join(result) + "\n"


def _columns(key: str) -> int:
    return len(key) if key.isascii() else sum(unicodedata.category(c) not in ("Mn", "Me") for c in key)
