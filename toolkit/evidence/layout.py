"""The zip file that a pack is: one layout, in which what is in it decides every byte.

In: names and contents. Out: a file that any zip program reads; and back, what of it is not as it was written. A zip
file as such may hold bytes between its members, comments, two directories that differ, the same name twice, a date in
several places: whatever a reader does not look at can be changed unnoticed, and two readers may see two contents. So
here headers are functions of name, checksum and sizes, a reader compares them byte for byte, and nothing is left over.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from toolkit.errors import BadPlanError, ToolkitError

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_STORED, _DEFLATED = 0, 8
_NEEDED, _MADE_BY = 20, 3 << 8 | 20  # version 2.0, made on Unix
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01: a pack says itself when it was made
_MODE = 0o100600 << 16
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}){0,3}\Z")
"""Names that lead out of no folder, on no system."""
_PIECE = 1 << 20
_MOST = 0xFFFF - 1
_LARGEST = 0xFFFFFFFF - 1
"""Without the extension of the format for larger files, which doubles the ways to say one size."""
_LONGEST_ENTRY = _CENTRAL.size + 4 * 65
_MOST_INFLATED = 16 << 30
"""Bytes of all members together that a reader unpacks."""


@dataclass(frozen=True)
class Entry:
    """What the zip file says of one member."""

    name: str
    stored: bool
    """Whether it is not compressed."""
    crc: int
    packed_size: int
    size: int
    offset: int

    @property
    def start(self) -> int:
        """Where its data begins."""
        return self.offset + _LOCAL.size + len(self.name.encode("latin-1"))

    @property
    def end(self) -> int:
        """Where its data ends."""
        return self.start + self.packed_size

    @property
    def local(self) -> bytes:
        """The header before its data."""
        name = self.name.encode("latin-1")
        return _LOCAL.pack(b"PK\3\4", _NEEDED, 0, *self._described, len(name), 0) + name

    @property
    def central(self) -> bytes:
        """Its entry in the central directory."""
        name = self.name.encode("latin-1")
        return (
            _CENTRAL.pack(b"PK\1\2", _MADE_BY, _NEEDED, 0, *self._described, len(name), 0, 0, 0, 0, _MODE, self.offset)
            + name
        )

    @property
    def _described(self) -> tuple[int, ...]:
        method = _STORED if self.stored else _DEFLATED
        return method, _TIME, _DATE, self.crc, self.packed_size, self.size


@dataclass(frozen=True)
class Content:
    """What a member is by its content."""

    size: int
    sha256: str
    packed_size: int
    packed_sha256: str
    """Of the bytes in the zip file. Two compressed forms may unpack to the same."""


@dataclass(frozen=True)
class Problem:
    """Something in a pack that is not as it was written."""

    kind: str
    """ "changed", "missing", "added": a file. "structure": the zip file around them. "signature"."""
    name: str
    """Of the file; empty where it is about the whole."""
    text: str


class Writer:
    """Writes members one after the other to a new file."""

    def __init__(self, stream: BinaryIO) -> None:
        """Args:
        stream: Empty and seekable.
        """
        self._stream = stream
        self._entries: list[Entry] = []

    def add(self, name: str, pieces: Iterable[bytes], *, stored: bool = False) -> Content:
        """Write a member.

        Args:
            name: Its name, with forward slashes.
            pieces: Its content.
            stored: Whether not to compress it.

        Raises:
            ToolkitError: The pack would be larger than its format can say.
        """
        assert _NAME.match(name) and name not in {entry.name for entry in self._entries}, name
        offset = self._stream.tell()
        self._stream.write(Entry(name, stored, 0, 0, 0, 0).local)
        packer = None if stored else zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        crc, size, packed_size = 0, 0, 0
        digest, packed_digest = hashlib.sha256(), hashlib.sha256()

        def write(packed: bytes) -> None:
            nonlocal packed_size
            packed_size += len(packed)
            packed_digest.update(packed)
            self._stream.write(packed)

        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            digest.update(piece)
            write(packer.compress(piece) if packer else piece)
            _require(size <= _LARGEST and self._stream.tell() <= _LARGEST)
        if packer:
            write(packer.flush())
        entry = Entry(name, stored, crc, packed_size, size, offset)
        self._stream.seek(offset)
        self._stream.write(entry.local)
        self._stream.seek(entry.end)
        self._entries.append(entry)
        _require(len(self._entries) <= _MOST and entry.end <= _LARGEST)
        return Content(size, digest.hexdigest(), packed_size, packed_digest.hexdigest())

    def close(self) -> None:
        """Write the directory. The stream stays open."""
        start = self._stream.tell()
        for entry in self._entries:
            self._stream.write(entry.central)
        size = self._stream.tell() - start
        _require(start + size <= _LARGEST)
        self._stream.write(_end(len(self._entries), size, start))


def _require(fits: bool) -> None:
    if not fits:
        raise ToolkitError(
            "the evidence is larger than a pack can be (4 GiB)",
            hint="make one pack per group of regions: `--regions LIST`",
        )


def _end(count: int, size: int, start: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)


class Reader:
    """Reads a pack, and finds what of its structure is not as `Writer` writes it."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        """Args:
        stream: The file, seekable.
        where: Its name, for errors.

        Raises:
            BadPlanError: It is no zip file at all, or one that would unpack to more than anybody could have made.
        """
        self._stream = stream
        self.problems: list[Problem] = []
        self.entries: list[Entry] = []
        """As far as the directory can be read."""
        self.complete = False
        """Whether that is to its end: else nobody knows what is missing."""
        self._size = stream.seek(0, 2)
        first, last = self._at(0, 4), self._at(max(0, self._size - _END.size), _END.size)
        if not (first == b"PK\3\4" or last.startswith(b"PK\5\6")):
            raise BadPlanError("not an evidence pack: it is not a zip file", where=where, hint=HOW)
        self._read(last)
        total = sum(entry.size for entry in self.entries)
        if total > _MOST_INFLATED:
            raise BadPlanError(
                f"would unpack to {total >> 20:,} MiB; at most {_MOST_INFLATED >> 20:,} MiB are read",
                where=where,
                hint=HOW,
            )

    def _read(self, last: bytes) -> None:
        count, size, start = _END.unpack(last)[4:7] if len(last) == _END.size else (0, 0, 0)
        if last != _end(count, size, start) or start + size + _END.size != self._size:
            self._broken(
                "the end of the zip file is not as it was written: it is cut off, something follows it, or its last "
                f"{_END.size} bytes were changed"
            )
            return
        if size > _MOST * _LONGEST_ENTRY:
            self._broken(f"its central directory is said to have {size:,} bytes")
            return
        directory = self._at(start, size)
        position, offset, seen = 0, 0, set()
        while position < size:
            entry, length = _entry(directory, position, offset)
            if entry is None:
                self._broken(f"the central directory cannot be read from byte {start + position} on")
                return
            if directory[position : position + length] != entry.central:
                self._broken("its entry in the central directory is not as it was written", entry.name)
            if not _NAME.match(entry.name):
                self._broken("a name that no file of a pack has", entry.name)
            if entry.name in seen:
                self._broken("the name occurs twice", entry.name)
            if entry.end > start:
                self._broken("its data would reach into the central directory", entry.name)
                return
            if self._at(entry.offset, len(entry.local)) != entry.local:
                self._broken("the header before its data differs from the central directory", entry.name)
            seen.add(entry.name)
            self.entries.append(entry)
            position, offset = position + length, entry.end
        self.complete = True
        if offset != start:
            self._broken(f"{start - offset} bytes lie between the last file and the central directory")
        if len(self.entries) != count:
            self._broken(f"its end counts {count} files, the central directory has {len(self.entries)}")

    def _broken(self, text: str, name: str = "") -> None:
        self.problems.append(Problem("structure", name, text))

    def _at(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(length)

    def content(self, entry: Entry) -> Content | Problem:
        """What a member's data is; a problem where it cannot be unpacked to just what its header says."""
        digest, packed_digest, crc, size = hashlib.sha256(), hashlib.sha256(), 0, 0
        try:
            for packed, piece in self._unpacked(entry):
                packed_digest.update(packed)
                digest.update(piece)
                crc, size = zlib.crc32(piece, crc), size + len(piece)
        except zlib.error:
            return Problem("changed", entry.name, "its compressed data is damaged")
        if size != entry.size:
            more = "more" if size > entry.size else "less"
            return Problem("changed", entry.name, f"it unpacks to {more} than the {entry.size} bytes of its header")
        if crc != entry.crc:
            return Problem("changed", entry.name, "its content differs from the checksum in the zip file (CRC-32)")
        return Content(size, digest.hexdigest(), entry.packed_size, packed_digest.hexdigest())

    def read(self, entry: Entry) -> bytes:
        """The content of a member that `content` had no problem with."""
        return b"".join(piece for _, piece in self._unpacked(entry))

    def _unpacked(self, entry: Entry) -> Iterator[tuple[bytes, bytes]]:
        """Packed bytes, and what they unpack to; no more than one byte beyond the size that the header says."""
        unpacker = None if entry.stored else zlib.decompressobj(-zlib.MAX_WBITS)
        position, left = entry.start, entry.size + 1
        while position < entry.end:
            packed = self._at(position, min(_PIECE, entry.end - position))
            if not packed:
                raise zlib.error("the file ends")
            position += len(packed)
            if unpacker is None:
                yield packed, packed
                continue
            yield packed, b""
            full = True
            # Where a piece is full, more of it may wait in the unpacker, also after it took all of its input.
            while (packed or full) and left and not unpacker.eof:
                most = min(left, _PIECE)
                piece = unpacker.decompress(packed, most)
                packed, left, full = unpacker.unconsumed_tail, left - len(piece), len(piece) == most
                yield b"", piece
            if not left:
                return
        if unpacker is not None and (not unpacker.eof or unpacker.unused_data):
            raise zlib.error("it ends too early, or too late")


def _entry(directory: bytes, position: int, offset: int) -> tuple[Entry | None, int]:
    """The member of an entry, and how long that is; where its data begins follows from the members before it."""
    if position + _CENTRAL.size > len(directory):
        return None, 0
    (signature, _, _, _, method, _, _, crc, packed_size, size, length, *_) = _CENTRAL.unpack_from(directory, position)
    end = position + _CENTRAL.size + length
    if signature != b"PK\1\2" or end > len(directory) or method not in (_STORED, _DEFLATED):
        return None, 0
    # Any bytes are some text in Latin-1, of the same length.
    name = directory[position + _CENTRAL.size : end].decode("latin-1")
    return Entry(name, method == _STORED, crc, packed_size, size, offset), end - position


HOW = "expected what `toolkit evidence ENV -o FILE` writes"
