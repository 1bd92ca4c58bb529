"""Writes a pack, and verifies one.

In: files, facts for the manifest, a signer. Out: a zip file (0600), whole or not at all. And back, in: a zip file,
perhaps a public key. Out: every file of it that is changed, missing or added, and whether the signature is the key's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import BadPlanError, ToolkitError
from toolkit.evidence.layout import HOW, Entry, Problem, Reader, Writer
from toolkit.evidence.manifest import MANIFEST, OWN, SIGNATURE, File, Manifest, read_manifest
from toolkit.files import open_regular, written_atomically
from toolkit.signing import PublicKey, Signer
from toolkit.typed import FieldError

_LARGEST_MANIFEST = 16 << 20
_LARGEST_SIGNATURE = 4 << 10


def write_pack(
    file: Path,
    files: Iterable[tuple[str, Iterable[bytes]]],
    manifest_of: Callable[[tuple[File, ...]], Manifest],
    signer: Signer | None,
) -> Manifest:
    """Write a pack, file by file, so that none is held in memory as a whole.

    Args:
        file: Where to; nothing may be there, and nothing is replaced that appears there meanwhile.
        files: Names and contents, in the order of the zip file.
        manifest_of: The manifest of the files that were written.
        signer: Signs the manifest; None: nobody does.

    Raises:
        ToolkitError: It cannot be written, or KMS refuses.
    """
    try:
        with written_atomically(file, mode=0o600, replace=False) as stream:
            writer = Writer(stream)
            contents = tuple(File(name, **vars(writer.add(name, pieces))) for name, pieces in files)
            manifest = manifest_of(contents)
            data = manifest.data
            writer.add(MANIFEST, [data], stored=True)
            if signer is not None:
                writer.add(SIGNATURE, [signer.sign(data)], stored=True)
            writer.close()
    except FileExistsError as e:
        raise ToolkitError(
            "the evidence pack was not written: the file exists, and evidence replaces no file",
            where=str(file),
            hint="name another file, and run the command again",
        ) from e
    except OSError as e:
        raise ToolkitError(f"the evidence pack cannot be written: {e.strerror}", where=str(file)) from e
    return manifest


@dataclass(frozen=True)
class Verified:
    """What came of verifying a pack."""

    manifest: Manifest | None
    """None: it cannot be read."""
    problems: tuple[Problem, ...]
    files: int
    """That the manifest lists."""
    valid: int
    """Of these, are as it says."""
    key: PublicKey | None
    """The signature was checked with it."""

    @property
    def intact(self) -> bool:
        """Whether nothing was found. Without a key, that says nothing of who made it."""
        return not self.problems

    @property
    def as_data(self) -> dict[str, Any]:
        """As --json prints it (docs/output.schema.json)."""
        manifest = self.manifest
        return {
            "valid": self.intact,
            "signature": "not-checked" if self.key is None else "valid" if self.intact else "not-valid",
            "key_sha256": self.key.fingerprint if self.key else None,
            "files": self.files,
            "files_valid": self.valid,
            "problems": [{"kind": one.kind, "name": one.name or None, "text": one.text} for one in self.problems],
            "manifest": None
            if manifest is None
            else {k: v for k, v in dataclasses.asdict(manifest).items() if k not in ("kind", "format", "files")},
        }


def verify_pack(file: Path, key: PublicKey | None) -> Verified:
    """Everything in a pack that is not as it was written; reads nothing but the file.

    Raises:
        ToolkitError: It cannot be read.
        BadPlanError: It is not a pack, or one of another version's format.
    """
    where = str(file)
    try:
        with open_regular(file) as stream:
            return _verify(Reader(stream, where), where, key)
    except OSError as e:
        raise ToolkitError(f"the evidence pack cannot be read: {e.strerror}", where=where, hint=HOW) from e


def _verify(reader: Reader, where: str, key: PublicKey | None) -> Verified:
    problems = list(reader.problems)
    entries = {entry.name: entry for entry in reader.entries}
    if MANIFEST not in entries:
        if not problems:
            raise BadPlanError(f"not an evidence pack: a zip file without {MANIFEST}", where=where, hint=HOW)
        if reader.complete:
            problems.append(Problem("missing", MANIFEST, "without it, nothing can be said of the other files"))
        return Verified(None, tuple(problems), 0, 0, key)
    data = _own(reader, entries[MANIFEST], _LARGEST_MANIFEST, problems)
    manifest = None
    if data is not None:
        try:
            manifest = read_manifest(data, where)
        except FieldError as e:
            problems.append(Problem("changed", MANIFEST, f"it cannot be read: {e}"))
    if manifest is None or data is None:
        return Verified(None, tuple(problems), 0, 0, key)
    bad = _files(reader, entries, manifest)
    problems += bad
    expected = manifest.names
    found = tuple(entry.name for entry in reader.entries)
    missing = [name for name in expected if name not in entries] if reader.complete else []
    problems += (Problem("missing", name, "the manifest lists it") for name in missing)
    problems += (Problem("added", name, "the manifest does not list it") for name in found if name not in expected)
    if found != expected and sorted(found) == sorted(expected):
        problems.append(Problem("structure", "", "the files are in another order than in the manifest"))
    signature = None
    if manifest.signature is not None and SIGNATURE in entries:
        signature = _own(reader, entries[SIGNATURE], _LARGEST_SIGNATURE, problems)
    if key is not None:
        problems += _signature(manifest, data, signature, key)
    broken = {problem.name for problem in (*bad, *reader.problems)}
    valid = sum(1 for one in manifest.files if one.name in entries and one.name not in broken)
    return Verified(manifest, tuple(dict.fromkeys(problems)), len(manifest.files), valid, key)


def _files(reader: Reader, entries: dict[str, Entry], manifest: Manifest) -> list[Problem]:
    listed = {one.name: one for one in manifest.files}
    problems = []
    for name, entry in entries.items():
        if name in OWN:
            continue
        content = reader.content(entry)
        wanted = listed.get(name)
        if isinstance(content, Problem):
            problems.append(content)
        elif wanted is None:
            continue
        elif content.sha256 != wanted.sha256 or content.size != wanted.size:
            problems.append(Problem("changed", name, "its SHA-256 is not that of the manifest"))
        elif (content.packed_sha256, content.packed_size) != (wanted.packed_sha256, wanted.packed_size) or entry.stored:
            problems.append(
                Problem("changed", name, "its compressed form is not that of the manifest, though its content is")
            )
    return problems


def _own(reader: Reader, entry: Entry, largest: int, problems: list[Problem]) -> bytes | None:
    """The bytes of the manifest or of its signature."""
    if not entry.stored:
        problems.append(Problem("structure", entry.name, "it is compressed"))
    if entry.size > largest:
        problems.append(Problem("changed", entry.name, f"larger than {largest >> 10:,} KiB"))
        return None
    content = reader.content(entry)
    if isinstance(content, Problem):
        problems.append(content)
        return None
    return reader.read(entry)


def _signature(manifest: Manifest, data: bytes, signature: bytes | None, key: PublicKey) -> list[Problem]:
    if manifest.signature is None:
        return [Problem("signature", "", "the pack is not signed, though a key is given: anyone could have made it")]
    if signature is None:
        return [Problem("signature", SIGNATURE, "there is no signature that could be checked")]
    if manifest.signature.public_key_sha256 != key.fingerprint:
        return [
            Problem(
                "signature",
                SIGNATURE,
                f"made with another key: {short(manifest.signature.public_key_sha256)}, and the given key is "
                f"{short(key.fingerprint)}",
            )
        ]
    if manifest.signature.algorithm != key.algorithm or not key.verifies(signature, data):
        return [Problem("signature", SIGNATURE, f"not the signature of {MANIFEST} by the given key")]
    return []


def short(digest: str) -> str:
    """A fingerprint for people to compare."""
    return f"SHA256:{digest}"
