"""A state that Terraform could not save: found, kept where it survives, and found again.

In: what a failed run left (`errored.tfstate` beside the configuration, or the state itself among Terraform's output).
Out: one private file, encrypted where the pipeline's key is at hand, in the first place that takes it. Nothing that
writes the state may run while such a file waits: Terraform would create everything in it a second time.

What Terraform 1.11 does is in its internal/backend/local/backend_apply.go (`backupStateForError`): it tries the
backend, then `errored.tfstate` in its working folder, then it prints the state. If it may not even open that file, it
says that it has written it (internal/states/statemgr/filesystem.go, `writeState`): its word is not taken for the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files import read_regular, write_atomically
from toolkit.terraform import events
from toolkit.terraform.local_state import StateId, state_id
from toolkit.terraform.sealing import Keys, key_from, seal

ERRORED = "errored.tfstate"
SEALED = f"{ERRORED}.sealed"

_ELSEWHERE = ("/var/tmp", "/tmp", "/dev/shm")  # noqa: S108 - files there are made by mkstemp and read by their owner only
MAX_BYTES = 512 << 20
"""More than that is no state."""


@dataclass(frozen=True)
class Kept:
    """What became of a state that was not saved."""

    path: Path | None
    """Where it is now; None where it could be kept nowhere."""
    fragment: Path | None = None
    """A copy that was cut off while it was written, where there is no whole one."""


class UnsavedStates:
    """Those of one environment."""

    def __init__(self, environment: str, *, folder: Path, rendered: Path, environ: Mapping[str, str]) -> None:
        """Args:
        environment: Its name.
        folder: Where one is kept if it can be: beside the environment, or with what `--sandbox` has apart.
        rendered: Terraform's working folder.
        environ: Has TMPDIR and HOME, further places, and the key of plan bundles, which encrypts these, too.
        """
        self._environment = environment
        self._folder = folder
        self._terraforms = rendered / ERRORED
        self._environ = environ
        # Elsewhere a name must not be taken for that of another checkout.
        checkout = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        self._prefix = f"toolkit-{environment}-{checkout}-"

    def waiting(self) -> tuple[Path, ...]:
        """Files that wait to be restored, Terraform's own first; an empty one holds nothing and does not count."""
        found = [self._terraforms] if _is_there(self._terraforms) else []
        found += sorted(f for f in self._folder.glob(f"{ERRORED}*") if _is_there(f))
        for place in self._elsewhere():
            with contextlib.suppress(OSError):
                found += sorted(f for f in place.glob(f"{self._prefix}*") if _is_there(f) and _is_ours(f))
        return tuple(dict.fromkeys(found))

    def collect(self, dump: str | None) -> Kept:
        """Keep what a run has left.

        Args:
            dump: The state, if Terraform printed it.
        """
        written = _content(self._terraforms)
        if written is not None and is_state(written):
            return Kept(self._keep_file(written))
        if dump is None and _is_there(self._terraforms):
            return Kept(None, self._terraforms)
        with contextlib.suppress(OSError):
            self._terraforms.unlink()  # cut off, where the printed one is whole; or empty
        return Kept(None if dump is None else self._keep(dump.encode()))

    def take(self, log: Path) -> Kept:
        """Keep a log into which the state was dumped, where there is room for nothing else: a new name needs none."""
        target = _free(self._folder / f"{ERRORED}.log")
        try:
            log.chmod(0o600)
            log.rename(target)
        except OSError:
            return Kept(log)
        return Kept(target)

    def _keep_file(self, state: bytes) -> Path:
        """Terraform's own file: encrypted, or moved, or at worst left where it is."""
        sealed = self._sealed(state)
        kept = self._write(sealed, SEALED) if sealed is not None else None
        if kept is not None:
            self._terraforms.unlink()
            return kept
        target = _free(self._folder / ERRORED)
        try:
            self._terraforms.chmod(0o600)
            self._terraforms.rename(target)
        except OSError:
            return self._terraforms
        return target

    def _keep(self, state: bytes) -> Path | None:
        sealed = self._sealed(state)
        kept = self._write(sealed, SEALED) if sealed is not None else None
        return kept or self._write(state, ERRORED)

    def _sealed(self, state: bytes) -> bytes | None:
        """Encrypted; None where there is no key for it. Losing the state would be worse than having it in the clear."""
        try:
            key = key_from(self._environ)
            return None if key is None else seal(state, self._environment, Keys(key))
        except ToolkitError:
            return None

    def _write(self, content: bytes, name: str) -> Path | None:
        try:
            target = _free(self._folder / name)
            write_atomically(target, content, mode=0o600)
            return target
        except OSError:
            pass
        for place in self._elsewhere():
            try:
                descriptor, path = tempfile.mkstemp(dir=place, prefix=self._prefix, suffix=f"-{name}")  # 0600
            except OSError:
                continue
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                return Path(path)
            except OSError:
                Path(path).unlink(missing_ok=True)
        return None

    def _elsewhere(self) -> Iterator[Path]:
        named = (self._environ.get("TMPDIR"), self._environ.get("HOME"), *_ELSEWHERE)
        yield from dict.fromkeys(Path(name) for name in named if name and Path(name).is_absolute())


def is_state(content: bytes) -> bool:
    """Whether bytes are a whole state that Terraform 1 writes."""
    found = state_id(content)
    return found is not None and found.whole


def state_in(content: bytes) -> bytes | None:
    """The state that a file holds: the file itself, or the last one that was dumped into a log; None for neither."""
    if is_state(content):
        return content
    found = None
    if b'{"@level":' in content:
        for line in content.decode("utf-8", "replace").splitlines():
            event = events.parse(line) if '"state":' in line else None
            if isinstance(event, events.Torn):
                event = event.rest
            if isinstance(event, events.StateDump) and is_state(event.state.encode()):
                found = event.state.encode()
    return found


def named(state: bytes) -> tuple[bytes, StateId]:
    """A state and what it is, given a lineage and a serial where it has none yet.

    It has none if the backend could not be reached at the end of the very first apply: Terraform makes both when it
    writes (internal/states/remote/state.go, `PersistState`). The lineage follows from the content, so that restoring
    twice is restoring once.
    """
    found = state_id(state)
    assert found is not None and found.whole, "only a state has this"
    if found.lineage:
        return state, found
    digest = hashlib.sha256(state).hexdigest()
    lineage = "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32]))
    serial = max(found.serial, 1)
    # Both stand in the first lines of a state. The rest stays as it is, byte for byte.
    text = re.sub(rb'"lineage":(\s*)""', rb'"lineage":\1"' + lineage.encode() + b'"', state, count=1)
    text = re.sub(rb'"serial":(\s*)\d+', rb'"serial":\g<1>' + str(serial).encode(), text, count=1)
    assert json.loads(text) == {**json.loads(state), "lineage": lineage, "serial": serial}, "nothing else has changed"
    return text, StateId(lineage, serial, found.resources, whole=True)


def scrub(log: Path) -> None:
    """Take dumped states out of a log. In place, since it may be on a disk that is full: it only gets shorter.

    Raises:
        OSError: It cannot be read or written.
    """
    content = log.read_bytes()
    clean = events.without_dumps(content)
    if clean != content:
        with log.open("r+b") as stream:
            stream.write(clean)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())


def _content(file: Path) -> bytes | None:
    """A file's content; None where it is not there, or something else that may lie there: a pipe, a link, a folder."""
    try:
        return read_regular(file, MAX_BYTES, follow=False)
    except OSError:
        return None


def _is_there(file: Path) -> bool:
    try:
        found = file.lstat()
    except OSError:
        return False
    return not (stat.S_ISREG(found.st_mode) and found.st_size == 0)


def _is_ours(file: Path) -> bool:
    """In a folder that everybody may write to, a file of another user says nothing."""
    found = file.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _free(target: Path) -> Path:
    """The name, or with a number if there is such a file: nothing that waits is ever overwritten."""
    number, found = 1, target
    while os.path.lexists(found):
        number += 1
        found = target.with_name(f"{target.name}.{number}")
    return found
