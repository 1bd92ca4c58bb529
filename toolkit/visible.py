"""Text of others, made fit for a terminal and a log: names, tags, policies, error messages, keys of a YAML file.

In: any string. Out: one that cannot move a cursor, begin a line, hide characters or turn the reading direction. Pure.
What writes to a terminal (toolkit.cli.stream) sends every line through here; where several lines are joined before they
get there, whoever joins them uses `joined_lines`.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

LOG_WIDTH = 400
"""Columns of a line where no terminal says how many it has (a file, a pipe, a pipeline's log): most lines stay whole
there, so that grep finds them, and none is endless."""

USUAL_WIDTH = 80
"""Columns of a terminal that does not tell its width (`docker exec`, a serial console, COLUMNS=0)."""

PLAIN, JSON, XML = "toolkit-plain", "toolkit-json", "xmlcharrefreplace"
"""Ways to write a letter that an encoding lacks (`errors` of str.encode): for people, in JSON, in XML and HTML."""

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell begins with that spreadsheets may take for a formula (OWASP, "CSV Injection"), also in East Asia's wide
forms."""

_INSET = 4
"""Columns by which the rest of a wrapped line stands further in: further than any line of ours below such a line."""


def one_line(text: str) -> str:
    r"""Text that cannot move a cursor, break a line or turn the reading direction; what could becomes \x1b, \u202e."""
    # What is printable has none of these; for most texts, that is all there is to do.
    return text if text.isprintable() else text.translate(_SHOWN)


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, in one line: names and reasons are anybody's words."""
    return one_line(f"'{cell}" if cell.startswith(_FORMULA) else cell)


def shortened(names: Sequence[str], most: int = 20) -> str:
    """Names with commas between them; of a long list only the first ones, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def joined_lines(parts: Iterable[str]) -> str:
    """Lines as one text, in which no part can begin a line of its own."""
    return "\n".join(one_line(part) for part in parts)


def escaped(text: str) -> str:
    """A whole text: its line ends (LF or CR LF) and tabs stay, everything else is as in `one_line`."""
    return "\r\n".join(line.translate(_SHOWN_IN_LINES) for line in text.split("\r\n"))


class _Escapes(dict[int, str]):
    """For `str.translate`: what is written for a character, looked up once for each that there is."""

    def __init__(self, escape: Callable[[str], str], kept: str = "") -> None:
        super().__init__({ord(character): character for character in kept})
        self._escape = escape

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = written = character if _harmless(character) else self._escape(character)
        return written


def _as_python(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _as_json(character: str) -> str:
    import json

    return json.dumps(character)[1:-1]


_SHOWN, _SHOWN_IN_LINES = _Escapes(_as_python), _Escapes(_as_python, "\n\t")
# But for its line ends, JSON's own syntax is printable ASCII: only strings can hold such characters.
_SHOWN_IN_JSON = _Escapes(_as_json, "\n")

_TOKENS = 50_000
"""Of JSON, in a piece: a few hundred kilobytes."""


def json_text(data: Any) -> str:
    """JSON with its letters as they are, but for those that a terminal should not get: they are JSON's own escapes."""
    return "".join(json_pieces(data))


def json_pieces(data: Any) -> Iterator[str]:
    """The same in pieces, so that a large report is never held as a text beside the data that it is made from."""
    import json  # not for `--help`

    tokens = json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(data)
    while piece := "".join(itertools.islice(tokens, _TOKENS)):
        yield _escaped_json(piece)


def json_records(records: Iterable[Any]) -> str:
    """A JSON array with a line for each record: several times as fast to make as `json_text`, and found by grep."""
    import json

    return "[\n" + ",\n".join(_escaped_json(json.dumps(one, ensure_ascii=False)) for one in records) + "\n]\n"


def _escaped_json(piece: str) -> str:
    return piece.translate(_SHOWN_IN_JSON)


def wrapped(line: str, width: int, *, inset: int = _INSET) -> Iterator[str]:
    """A line in pieces of at most `width` columns, broken between words only.

    A word that is longer than a line (an ARN, an address) stays whole, so that it can be copied and searched for.

    Args:
        line: The line.
        width: Columns.
        inset: By how much what follows the first piece stands further in than it, where there is room for that.
    """
    if columns(line) <= width:
        yield line
        return
    indent = len(line) - len(line.lstrip(" "))
    further = " " * min(indent + inset, width // 2)
    piece, used = line[:indent], indent
    begun = False
    for space, word in _WORDS.findall(line[indent:]):
        wide = columns(word)
        if begun and used + len(space) + wide > width:
            yield piece
            piece, used = further + word, len(further) + wide
        else:
            piece += space + word
            used += len(space) + wide
        begun = True
    yield piece


_WORDS = re.compile(r"( *)([^ ]+)")


def columns(text: str) -> int:
    """Columns that a terminal uses for a text: two for East Asian wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@lru_cache(4096)
def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else not unicodedata.combining(character)


def _harmless(character: str) -> bool:
    # Cc control, Cf format (bidirectional overrides, zero width), Zl and Zp line ends, Cs surrogates.
    return unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs")


_PLAINER = {
    **{"…": "...", "·": "-", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "✓": "ok", "“": '"', "”": '"'},
    **{"│": "|", "─": "-", "╷": "|", "╵": "|", "\N{NO-BREAK SPACE}": " ", "\N{MULTIPLICATION SIGN}": "x"},
    **{"\N{EN DASH}": "-", "\N{EM DASH}": "-"},
    **{"\N{LEFT SINGLE QUOTATION MARK}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'"},
}


def _plainer(e: UnicodeError) -> tuple[str, int]:
    assert isinstance(e, UnicodeEncodeError)
    part = e.object[e.start : e.end]
    return "".join(_PLAINER.get(c) or c.encode("ascii", "backslashreplace").decode() for c in part), e.end


def _json(e: UnicodeError) -> tuple[str, int]:
    assert isinstance(e, UnicodeEncodeError)
    return _as_json(e.object[e.start : e.end]), e.end


codecs.register_error(PLAIN, _plainer)
codecs.register_error(JSON, _json)
