"""Edits an environment file by changing the bytes of the edited keys, and of nothing else.

In: the text of a YAML file and edits: set a key at a path, or delete it. Out: the new text, in which comments, order,
quoting, line ends and indentation of everything else are as they were. A new text is parsed again and given only if it
holds exactly the intended data; otherwise the edit is refused. Never touches a file.

A key is found by the marks that the YAML parser leaves at its nodes. A key in a mapping of one line (`{a: 1}`) has no
line of its own: it is refused with its line, unless the mapping is empty.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias

import yaml

from toolkit.environment.nodes import compose
from toolkit.environment.source import Data, Source, parse
from toolkit.environment.text import decoded
from toolkit.errors import ToolkitError
from toolkit.typed import dotted, same_json
from toolkit.visible import joined_lines


class _Delete(Enum):
    DELETE = "delete"


DELETE: Final = _Delete.DELETE
"""As the value of an edit: the key is removed, with the comment above it that an earlier edit wrote; a comment of the
edit takes its place."""

Path: TypeAlias = tuple[str, ...]

MARK = "# Adopted:"
"""Starts the comments that edits write, unless they say otherwise."""
SYNCED = "# Synced:"
"""Starts those of values that are written from fleet.yaml."""
IMPORTED = "# Imported:"
"""Starts those of values that are written from AWS Organizations."""
MARKS = (MARK, SYNCED, IMPORTED)
"""A comment that starts with one was written by an edit; a later edit of the same key replaces it."""


@dataclass(frozen=True)
class Edit:
    """One key to set or delete.

    Attributes:
        path: Steps from the top; each is a key of a mapping, whatever characters it has. Missing mappings are added.
        value: What it is set to, or DELETE.
        comment: A line above the key, without `#`; it replaces one that an earlier edit wrote.
        before: For a key that is added: the key of the same mapping above which it goes; None: at the end.
        mark: What the comment starts with; one of MARKS.
    """

    path: Path
    value: Data | Literal[_Delete.DELETE]
    comment: str | None = None
    before: str | None = None
    mark: str = MARK


def splice_bytes(raw: bytes, edits: Iterable[Edit], *, where: str) -> bytes:
    """The edited content of a file; a byte order mark stays.

    Args:
        raw: UTF-8.
        edits: In order; each sees what the one before it has done.
        where: The file, for errors.

    Raises:
        ToolkitError: See `splice`; or the content is not UTF-8.
    """
    text = decoded(raw, where)
    mark = "\ufeff" if raw.startswith(codecs.BOM_UTF8) else ""
    return (mark + splice(text, edits, where=where)).encode("utf-8")


def splice(text: str, edits: Iterable[Edit], *, where: str) -> str:
    """The edited text.

    Args:
        text: YAML without a byte order mark.
        edits: In order; each sees what the one before it has done. One that changes no value changes no byte.
        where: The file, for errors.

    Raises:
        ToolkitError: The text is none that `toolkit.environment.source.parse` takes, a step of a path leads through a
            value that is no mapping or through a mapping of one line, what is to be deleted is not there, or no
            text was found in which only the edited key differs.
    """
    every = tuple(_from_below(edits, source := parse(text)))
    if not source.problems and isinstance(source.data, dict):
        document = _Document(text, where)
        for edit in every:
            # Before the first edit, so that the error has the line that people see.
            document.refuse_one_line(edit.path)
    for edit in every:
        text = _spliced(text, edit, where)
    return text


def comments_above(text: str) -> dict[Path, str]:
    """The comment in the line right above a key, of every key that has one and a line of its own: path → comment.

    Args:
        text: YAML without a byte order mark, which `toolkit.environment.source.parse` takes as a mapping.
    """
    lines = _BREAK.split(text)
    found: dict[Path, str] = {}

    def look(node: yaml.Node, path: Path) -> None:
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            return
        for key, value in node.value:
            here = (*path, unicodedata.normalize("NFC", key.value))
            line, column = key.start_mark.line, key.start_mark.column
            if line > 0 and lines[line - 1].startswith(f"{' ' * column}#"):
                found[here] = lines[line - 1].strip()
            look(value, here)

    for root in compose(text):
        look(root, ())
    return found


def _from_below(edits: Iterable[Edit], source: Source) -> Iterator[Edit]:
    """Deletions that follow each other in reverse order of the lines: each leaves its comment above what is next."""
    for deletes, group in groupby(edits, key=lambda edit: edit.value is DELETE):
        some = list(group)
        yield from sorted(some, key=lambda edit: -source.line(edit.path)) if deletes else some


def _spliced(text: str, edit: Edit, where: str) -> str:
    source = parse(text)
    if source.problems or not isinstance(source.data, dict):
        found = joined_lines(f"{where}:{p.line}: {p}" for p in source.problems)
        raise ToolkitError("the environment file cannot be edited", where=where, detail=found or "it has no keys")
    path = tuple(unicodedata.normalize("NFC", step) for step in edit.path)
    document = _Document(text, where)
    wanted = document.intended(source.data, path, edit.value)
    if same_json(source.data, wanted):
        return text
    for candidate in document.candidates(path, edit):
        result = parse(candidate)
        if not result.problems and same_json(result.data, wanted):
            return candidate
    raise ToolkitError(
        f"{dotted(path)} cannot be edited without changing other keys",
        where=f"{where}:{source.line(path)}",
        hint="edit it by hand: one key per line, with spaces as indentation",
    )


_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What PyYAML takes for the end of a line."""
_BLANK = re.compile("[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])")
_COLON = re.compile(r"[ \t]*:")


@dataclass(frozen=True)
class _Entry:
    """One key with its value."""

    key: yaml.Node
    value: yaml.Node


class _Document:
    """A text with its nodes, all of whose marks are indices into it."""

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        assert isinstance(root, yaml.MappingNode)
        self._root = root
        first = _BREAK.search(text)
        self._newline = first.group() if first and first.group() in ("\r\n", "\r") else "\n"
        self._step, self._dash = _habits(root)

    def intended(self, data: dict[str, Data], path: Path, value: Data | Literal[_Delete.DELETE]) -> dict[str, Data]:
        """The data with one key set or deleted; null on the way counts as an empty mapping."""
        head, rest = path[0], path[1:]
        result = dict(data)
        inner = data.get(head)
        if not rest:
            if value is DELETE:
                if head not in data:
                    raise ToolkitError(f"{head} cannot be deleted: it is not there", where=self._where)
                del result[head]
            else:
                result[head] = value
            return result
        if inner is not None and not isinstance(inner, dict):
            raise ToolkitError(f"{dotted(path)} cannot be set: {head} is not a mapping", where=self._where)
        result[head] = self.intended(inner or {}, rest, value)
        return result

    def refuse_one_line(self, path: Path) -> None:
        """Raises ToolkitError for a path through a mapping of one line that is not empty."""
        mapping: yaml.Node = self._root
        for step in path:
            if not isinstance(mapping, yaml.MappingNode) or not mapping.value:
                return
            self._refuse_one_line(mapping, path)
            entry = _entry(mapping, unicodedata.normalize("NFC", step))
            if entry is None:
                return
            mapping = entry.value

    def candidates(self, path: Path, edit: Edit) -> Iterator[str]:
        """Texts that may hold what is intended, the likeliest first."""
        mapping: yaml.MappingNode = self._root
        owner: _Entry | None = None
        for depth, step in enumerate(path):
            self._refuse_one_line(mapping, path)
            entry = _entry(mapping, step)
            rest = path[depth + 1 :]
            if entry is None:
                if edit.value is not DELETE:
                    yield from self._added(mapping, path[depth:], edit)
                return
            if not rest:
                if edit.value is DELETE:
                    yield from self._deleted(mapping, owner, entry, edit)
                else:
                    if edit.comment is None and isinstance(edit.value, list):
                        yield from self._appended(entry, edit.value)
                    yield self._replaced(entry, edit.value, edit)
                return
            if not (isinstance(entry.value, yaml.MappingNode) and entry.value.value):
                # Null or {}: the rest of the path is its first content.
                if edit.value is not DELETE:
                    yield self._expanded(entry, rest, edit)
                return
            mapping, owner = entry.value, entry

    def _refuse_one_line(self, mapping: yaml.MappingNode, path: Path) -> None:
        if mapping.flow_style:
            raise ToolkitError(
                f"{dotted(path)} cannot be edited: it is in a mapping that is written within {{ }}",
                where=f"{self._where}:{mapping.start_mark.line + 1}",
                hint="write this mapping with one key per line, then run the command again",
            )

    def _added(self, mapping: yaml.MappingNode, path: Path, edit: Edit) -> Iterator[str]:
        lines = self._nested(path, edit, mapping.start_mark.column)
        entries = [_Entry(k, v) for k, v in mapping.value]
        beside = next((e for e in entries if e.key.value == edit.before), None)
        if beside is not None:
            at = self._above(beside)
            # As a paragraph of its own where there are such.
            apart = at > 0 and _BLANK.match(self._text, self._line(at - 1 - (self._text[at - 2 : at] == "\r\n")))
            yield self._inserted(at, [*lines, ""] if apart else lines)
        last = entries[-1]
        at = self._next_line(self._end(last.value))
        yield self._inserted(at, lines)
        while blank := _BLANK.match(self._text, at):
            # They belong to a block scalar that keeps its line breaks.
            at = blank.end()
            yield self._inserted(at, lines)
        # A block scalar at the end of the file would take up the line break that a new line needs.
        yield self._inserted(self._line(last.key.start_mark.index), lines)

    def _expanded(self, entry: _Entry, path: Path, edit: Edit) -> str:
        """`KEY:` or `KEY: {}` with content, in block style."""
        return self._with_block(entry, self._nested(path, edit, entry.key.start_mark.column + self._step))

    def _nested(self, path: Path, edit: Edit, column: int) -> list[str]:
        """A key in keys that are not there yet."""
        *outer, last = (_scalar_text(step, None) for step in path)
        lines = [f"{' ' * (column + depth * self._step)}{key}:" for depth, key in enumerate(outer)]
        assert edit.value is not DELETE
        return lines + self._lines(last, edit.value, column + len(outer) * self._step, edit)

    def _appended(self, entry: _Entry, value: list[Data]) -> Iterator[str]:
        """A list that only gets longer: what is in it stays as it is written, with its comments."""
        old = entry.value
        if isinstance(old, yaml.SequenceNode) and _is_block(old) and len(value) > len(old.value):
            lines = self._block(value[len(old.value) :], old.start_mark.column - self._dash)
            at = self._line_end(self._end(old))
            yield self._text[:at] + "".join(self._newline + line for line in lines) + self._text[at:]

    def _replaced(self, entry: _Entry, value: Data, edit: Edit) -> str:
        column = entry.key.start_mark.column
        old = entry.value
        inline = _inline(value, old)
        if inline is None:
            text = self._with_block(entry, self._block(value, column))
        elif _is_block(old):
            colon = self._colon(entry)
            text = (
                f"{self._text[:colon]} {inline}"
                f"{self._text[colon : self._line_end(colon)]}{self._text[self._line_end(self._end(old)) :]}"
            )
        else:
            start, end = self._span(entry)
            text = f"{self._text[:start]}{' ' if start == self._colon(entry) else ''}{inline}{self._text[end:]}"
        if edit.comment is None:
            return text
        # Above the key, where the text is still the old one.
        line = self._line(entry.key.start_mark.index)
        earlier = self._comment_above(entry)
        return text[:earlier] + self._comment(edit, column) + self._newline + text[line:]

    def _with_block(self, entry: _Entry, lines: list[str]) -> str:
        """With these lines below the key, instead of its value."""
        old, colon = entry.value, self._colon(entry)
        if _is_block(old):
            start, end = self._line_end(colon), self._line_end(self._end(old))
            return self._text[:start] + "".join(self._newline + line for line in lines) + self._text[end:]
        start, end = self._span(entry)
        while start > colon and self._text[start - 1] in " \t":
            start -= 1
        at = self._line_end(end)
        below = "".join(self._newline + line for line in lines)
        return self._text[:start] + self._text[end:at] + below + self._text[at:]

    def _deleted(self, mapping: yaml.MappingNode, owner: _Entry | None, entry: _Entry, edit: Edit) -> Iterator[str]:
        start, end = self._comment_above(entry), self._next_line(self._end(entry.value))
        ends = [end]
        while blank := _BLANK.match(self._text, end):
            # They would belong to a block scalar above that keeps its line breaks.
            end = blank.end()
            ends.append(end)
        column = entry.key.start_mark.column
        left = "" if edit.comment is None else self._comment(edit, column) + self._newline
        if len(mapping.value) > 1:
            yield from (self._text[:start] + left + self._text[end:] for end in ends)
        elif owner is not None:
            colon = self._colon(owner)
            yield f"{self._text[:colon]} {{}}{self._text[colon:start]}{left}{self._text[ends[0] :]}"

    def _span(self, entry: _Entry) -> tuple[int, int]:
        """Where a value is that is no block mapping or sequence."""
        start, end = entry.value.start_mark.index, self._end(entry.value)
        return start, max(start, end)

    def _end(self, node: yaml.Node) -> int:
        """Where a value ends: unlike the parser's mark, before comments and blank lines that follow it."""
        if _is_block(node) and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, yaml.MappingNode) else last)
        end: int = node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            # Trailing lines that are blank are left where they are, those with more than its indentation are its.
            return node.start_mark.index + len(_without_blank_lines(self._text[node.start_mark.index : end]))
        return end

    def _colon(self, entry: _Entry) -> int:
        """Just behind the colon of a key."""
        found = _COLON.match(self._text, entry.key.end_mark.index)
        if found is None:
            raise ToolkitError(
                f"the key {entry.key.value!r} cannot be edited: its colon is on another line",
                where=f"{self._where}:{entry.key.start_mark.line + 1}",
                hint="write `KEY: VALUE`, then run the command again",
            )
        return found.end()

    def _above(self, entry: _Entry) -> int:
        """The start of the line of a key, or of the comment right above it."""
        at, column = self._line(entry.key.start_mark.index), entry.key.start_mark.column
        while at > 0:
            above = self._line(at - 1 - (self._text[at - 2 : at] == "\r\n"))
            if not self._text.startswith(f"{' ' * column}#", above):
                break
            at = above
        return at

    def _comment_above(self, entry: _Entry) -> int:
        """The start of the line of a key, or of the comment above it that an earlier edit wrote."""
        at, column = self._line(entry.key.start_mark.index), entry.key.start_mark.column
        if at == 0:
            return at
        above = self._line(at - 1 - (self._text[at - 2 : at] == "\r\n"))
        return above if self._text.startswith(tuple(f"{' ' * column}{mark}" for mark in MARKS), above) else at

    def _line(self, index: int) -> int:
        """The start of the line that an index is in."""
        start = 0
        for found in _BREAK.finditer(self._text, 0, index):
            start = found.end()
        return start

    def _line_end(self, index: int) -> int:
        found = _BREAK.search(self._text, index)
        return found.start() if found else len(self._text)

    def _next_line(self, index: int) -> int:
        found = _BREAK.search(self._text, index)
        return found.end() if found else len(self._text)

    def _inserted(self, at: int, lines: list[str]) -> str:
        block = self._newline.join(lines)
        if at == len(self._text) and self._line(at) != at:
            return self._text + self._newline + block
        return self._text[:at] + block + self._newline + self._text[at:]

    def _comment(self, edit: Edit, column: int) -> str:
        return f"{' ' * column}{edit.mark} {' '.join((edit.comment or '').split())}"

    def _lines(self, key: str, value: Data, column: int, edit: Edit | None = None) -> list[str]:
        """A key and its value as lines of their own, below the comment of the edit."""
        lines = [] if edit is None or edit.comment is None else [self._comment(edit, column)]
        inline = _inline(value, None)
        if inline is not None:
            return [*lines, f"{' ' * column}{key}: {inline}"]
        return [*lines, f"{' ' * column}{key}:", *self._block(value, column)]

    def _block(self, value: Data, column: int) -> list[str]:
        """What is in a mapping or list, as lines below a key in that column."""
        if isinstance(value, dict):
            within = column + self._step
            return [line for k, v in value.items() for line in self._lines(_scalar_text(k, None), v, within)]
        assert isinstance(value, list)
        dash = " " * (column + self._dash)
        lines = []
        for item in value:
            inline = _inline(item, None)
            if inline is not None:
                lines.append(f"{dash}- {inline}")
                continue
            # The first line of what is in it goes behind the dash, two columns further in.
            first, *more = (
                self._block(item, len(dash) + 2 - self._dash)
                if isinstance(item, list)
                else self._block(item, len(dash) + 2 - self._step)
            )
            lines += [f"{dash}- {first.strip()}", *more]
        return lines


def _habits(root: yaml.Node) -> tuple[int, int]:
    """By how much mappings in mappings are indented here, and by how much lists are; two where none tells."""
    steps: list[int] = []
    dashes: list[int] = []

    def look(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            for _, value in node.value:
                if _is_block(value):
                    further = value.start_mark.column - node.start_mark.column
                    (steps if isinstance(value, yaml.MappingNode) else dashes).append(further)
                look(value)

    look(root)
    return min((s for s in steps if s > 0), default=2), dashes[0] if dashes else 2


def _entry(mapping: yaml.MappingNode, key: str) -> _Entry | None:
    found = (_Entry(k, v) for k, v in mapping.value if unicodedata.normalize("NFC", k.value) == key)
    return next(found, None)


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _without_blank_lines(content: str) -> str:
    """A block scalar without the blank lines at its end."""
    body = re.search("(?:\r\n|[\r\n\x85\u2028\u2029])((?: *(?:\r\n|[\r\n\x85\u2028\u2029]))*)( *)[^ ]", content)
    deep = len(body[2]) if body else 0
    while blank := re.search(rf"(?:\r\n|[\r\n\x85\u2028\u2029])[ ]{{0,{deep}}}\Z", content):
        content = content[: blank.start()]
    return content


def _inline(value: Data, old: yaml.Node | None) -> str | None:
    """A value as one piece of text, in the style of the one that was there; None for one that takes lines."""
    if isinstance(value, dict):
        return None if value else "{}"
    if isinstance(value, list):
        if not value:
            return "[]"
        flow = isinstance(old, yaml.SequenceNode) and old.flow_style
        if not flow or any(isinstance(item, (dict, list)) for item in value):
            return None
        return f"[{', '.join(_scalar_text(item, None, in_flow=True) for item in value)}]"
    return _scalar_text(value, old.style if isinstance(old, yaml.ScalarNode) else None)


_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+=:-]*(?: [A-Za-z0-9_./@+=-]+)*", re.ASCII)


def _scalar_text(value: Any, style: str | None, *, in_flow: bool = False) -> str:
    """A scalar as YAML 1.1 and 1.2 both read it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    text = unicodedata.normalize("NFC", value)
    printable = text.isprintable()
    if style == "'" and printable:
        return _single(text)
    if style != '"' and _is_plain(text) and not (in_flow and ":" in text):
        return text
    if printable and ('"' in text or "\\" in text):
        return _single(text)
    return '"' + "".join(map(_escaped, text)) + '"'


def _is_plain(text: str) -> bool:
    """Whether it is the same text without quotes, also to YAML 1.1, which reads some words as something else."""
    if not _PLAIN.fullmatch(text) or text.endswith(":"):
        return False
    return bool(yaml.safe_load(text) == text == parse(text).data)


def _single(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
