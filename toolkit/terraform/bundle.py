"""The plan bundle: one file that holds a saved plan and the facts under which it may be applied.

In: a plan file, its `show -json` and the facts of the moment. Out: a 0600 zip with manifest.json, plan.tfplan,
plan.json and SHA256SUMS; and back. A bundle can be carried to another machine and another checkout path. The sums
find accidents and careless edits; they are no signature, so keep bundles where only the pipeline can write.

The plan file holds sensitive values in the clear, and so does the bundle: never commit or print it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.errors import BadPlanError, ToolkitError
from toolkit.files import write_atomically
from toolkit.terraform.sealing import NO_KEYS, Keys, is_sealed, seal, unseal

FORMAT = 1
SUFFIX = ".tfbundle"

_MANIFEST, _PLAN, _JSON, _FINDINGS, _SUMS = "manifest.json", "plan.tfplan", "plan.json", "findings.json", "SHA256SUMS"
_MAX_BYTES = 512 << 20


@dataclass(frozen=True)
class Manifest:
    """Facts under which a plan was made; `apply` demands that they still hold."""

    format: int
    environment: str
    simulator: str | None
    """ "moto" for a plan of the embedded AWS; such a plan never reaches AWS and the other way round."""
    account_id: str
    caller_arn: str
    """Who planned: told, not demanded, since the role that applies may well be another."""
    region: str
    backend: str
    """What the state is and where ("s3 BUCKET/KEY in REGION", "local")."""
    state_lineage: str
    """Empty where there was no state yet."""
    state_serial: int
    rendered_sha256: str
    """Digest over rendered/ and the modules it calls."""
    lock_sha256: str
    """Digest of .terraform.lock.hcl."""
    toolkit_version: str
    terraform: str
    """Product and version ("terraform 1.11.4")."""
    git_commit: str | None
    git_dirty: bool
    created: str
    expires: str
    """ISO 8601, UTC."""
    destroy: bool
    empty: bool
    consents: tuple[str, ...]
    """What whoever planned consented to, as options ("--allow-destroy module.x"); applying takes them over."""

    @property
    def expired(self) -> bool:
        """Whether it may no longer be applied."""
        return datetime.now(UTC) >= datetime.fromisoformat(self.expires)


@dataclass(frozen=True)
class Bundle:
    """A bundle as read: internally consistent, not yet compared with anything."""

    path: Path
    manifest: Manifest
    plan: bytes
    plan_json: dict[str, Any]
    findings: list[dict[str, Any]]
    """What was found when it was planned, for showing it again."""

    def verify(self, now: Mapping[str, Any]) -> None:
        """Demand that the facts of this moment are those of the manifest.

        Args:
            now: Manifest field → its value now.

        Raises:
            BadPlanError: The first field that differs, with both values.
        """
        if self.manifest.expired:
            raise BadPlanError(
                f"the plan expired at {self.manifest.expires}", where=str(self.path), hint="plan again and review that"
            )
        for field, value in now.items():
            planned = getattr(self.manifest, field)
            if planned != value:
                raise BadPlanError(
                    f"{field} differs: planned with {_shown(planned)}, now {_shown(value)}",
                    where=str(self.path),
                    hint="nothing was applied; plan again and review that",
                )

    def verify_state(self, lineage: str, serial: int) -> None:
        """Demand that the state is still the one that was planned on.

        Raises:
            BadPlanError: It has moved on: something was applied since, this very plan for instance.
        """
        planned = self.manifest
        if (lineage, serial) == (planned.state_lineage, planned.state_serial):
            return
        field = "state_serial" if serial != planned.state_serial else "state_lineage"
        now = serial if field == "state_serial" else lineage
        raise BadPlanError(
            f"the state has moved on since this was planned: {field} was {_shown(getattr(planned, field))}, "
            f"is {_shown(now)} now",
            where=str(self.path),
            hint="something was applied in the meantime, or this plan has been applied already; nothing was applied "
            "now: plan again and review that",
        )

    def extract_plan(self, folder: Path) -> Path:
        """Write the plan file into `folder` (0600) for Terraform to read."""
        target = folder / _PLAN
        write_atomically(target, self.plan, mode=0o600)
        return target


def write(
    path: Path,
    manifest: Manifest,
    plan_file: Path,
    plan_json: Mapping[str, Any],
    findings: list[dict[str, Any]],
    keys: Keys = NO_KEYS,
) -> None:
    """Write a bundle atomically, mode 0600, encrypted if `keys` has one.

    Raises:
        ToolkitError: It cannot be written.
    """
    members = {
        _MANIFEST: json.dumps(dataclasses.asdict(manifest), indent=2).encode() + b"\n",
        _PLAN: plan_file.read_bytes(),
        _JSON: json.dumps(plan_json, separators=(",", ":")).encode(),
        _FINDINGS: json.dumps(findings, indent=2, ensure_ascii=False).encode(),
    }
    members[_SUMS] = "".join(f"{_sha256(data)}  {name}\n" for name, data in members.items()).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    data = buffer.getvalue()
    if keys.seals:
        data = seal(data, manifest.environment, keys)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, mode=0o600)
    except OSError as e:
        raise ToolkitError(f"the plan bundle cannot be written: {e.strerror}", where=str(path)) from e


def read(path: Path, keys: Keys = NO_KEYS) -> Bundle:
    """Read a bundle, decrypted if need be, and check that it is whole.

    Raises:
        BadPlanError: No bundle, a damaged one, or one of another format.
    """
    where = str(path)
    data = _read_file(path)
    if is_sealed(data):
        data = unseal(data, where, keys)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = sorted(archive.namelist())
            if names != sorted((_MANIFEST, _PLAN, _JSON, _FINDINGS, _SUMS)):
                raise BadPlanError("a zip file, but not a plan bundle", where=where, hint=_HOW)
            if sum(i.file_size for i in archive.infolist()) > _MAX_BYTES:
                raise BadPlanError(f"larger than {_MAX_BYTES >> 20} MiB", where=where, hint=_HOW)
            members = {name: archive.read(name) for name in names}
    except BadPlanError:
        raise
    except Exception as e:  # zipfile raises half a dozen kinds for bytes that are none of its own
        raise BadPlanError("not a plan bundle, truncated or damaged", where=where, hint=_HOW) from e
    sums = members.pop(_SUMS).decode("ascii", "replace")
    for name, content in members.items():
        if f"{_sha256(content)}  {name}\n" not in sums:
            raise BadPlanError(
                f"{name} was changed after planning (its SHA-256 differs)",
                where=where,
                hint="nothing was applied; " + _HOW,
            )
    try:
        fields = json.loads(members[_MANIFEST])
        if fields.get("format") != FORMAT:
            raise BadPlanError(
                f"a bundle of format {fields.get('format')!r}; this toolkit reads format {FORMAT}",
                where=where,
                hint="apply with the toolkit version that planned, or plan again",
            )
        manifest = Manifest(**{**fields, "consents": tuple(fields["consents"])})
        plan_json = json.loads(members[_JSON])
        findings = json.loads(members[_FINDINGS])
    except (ValueError, TypeError, AttributeError, KeyError) as e:
        raise BadPlanError("its manifest cannot be read", where=where, hint=_HOW) from e
    return Bundle(path, manifest, members[_PLAN], plan_json, findings)


def state_of(plan_file: Path) -> tuple[str, int]:
    """Lineage and serial of the state that a plan file was made from; ("", 0) where there was none.

    A plan file is a zip whose member `tfstate` is that state. Only these two fields leave this function.
    """
    try:
        with zipfile.ZipFile(plan_file) as archive:
            state = json.loads(archive.read("tfstate"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as e:
        raise BadPlanError("Terraform's plan file cannot be read", where=str(plan_file)) from e
    return str(state.get("lineage", "")), int(state.get("serial", 0))


def digest(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over files' names (relative to `root`) and contents, whatever the order and the checkout path."""
    total = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.relative_to(root).as_posix()):
        name = file.relative_to(root).as_posix()
        total.update(f"{len(name)}:{name}:{_sha256(file.read_bytes())}\n".encode())
    return total.hexdigest()


_HOW = "make one with `toolkit plan ENV --out FILE`"


def _read_file(path: Path) -> bytes:
    # O_NOFOLLOW: what was approved is a file, not whatever a link points to by now.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as e:
        problem = "a symbolic link, not a plan bundle" if path.is_symlink() else f"cannot be read: {e.strerror}"
        raise BadPlanError(problem, where=str(path), hint=_HOW) from e
    try:
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except IsADirectoryError as e:
        os.close(descriptor)
        raise BadPlanError("a folder, not a plan bundle", where=str(path), hint=_HOW) from e
    if len(data) > _MAX_BYTES:
        raise BadPlanError(f"larger than {_MAX_BYTES >> 20} MiB", where=str(path), hint=_HOW)
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return f"{text[:20]}…" if len(text) > 70 else text
