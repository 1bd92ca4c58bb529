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
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.errors import BadPlanError, ToolkitError
from toolkit.files import digest, read_regular, write_atomically
from toolkit.findings import Consents, Finding
from toolkit.findings.data import Record, as_data
from toolkit.paths import ENVIRONMENT_NAME
from toolkit.terraform.sealing import NO_KEYS, Keys, is_sealed, seal, sealed_for, unseal
from toolkit.typed import FieldError, from_json

FORMAT = 1
SUFFIX = ".tfbundle"

_MANIFEST, _PLAN, _JSON, _FINDINGS, _SUMS = "manifest.json", "plan.tfplan", "plan.json", "findings.json", "SHA256SUMS"
_MAX_BYTES = 512 << 20
_T = TypeVar("_T")


def _time(value: str) -> str:
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise ValueError("expected a time with its zone, like 2026-11-24T12:00:00+00:00")
    return value


def _environment(value: str) -> str:
    if not ENVIRONMENT_NAME.match(value):
        raise ValueError("expected the name of an environment")
    return value


def _consent(value: str) -> str:
    if Consents.from_options([value]).as_options() != (value,):
        raise ValueError("expected a consent as an option, like --allow-destroy=ADDRESS")
    return value


@dataclass(frozen=True)
class Manifest:
    """Facts under which a plan was made; `apply` demands that they still hold."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    format: int
    environment: Annotated[str, AfterValidator(_environment)]
    simulator: Annotated[str, Field(pattern="^moto$")] | None
    """ "moto" for a plan of the embedded AWS; such a plan never reaches AWS and the other way round."""
    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    caller_arn: str
    """Who planned: told, not demanded, since the role that applies may well be another."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    backend: str
    """What the state is and where ("s3 BUCKET/KEY in REGION", "local")."""
    state_lineage: str
    """Empty where there was no state yet."""
    state_serial: Annotated[int, Field(ge=0)]
    rendered_sha256: str
    """Digest over `files`."""
    files: dict[str, str]
    """What Terraform reads in rendered/ and modules/: path in the project → SHA-256, so that a change can be named."""
    lock_sha256: str
    """Digest of .terraform.lock.hcl."""
    toolkit_version: str
    terraform: str
    """Product and version ("terraform 1.11.4")."""
    git_commit: str | None
    git_dirty: bool
    created: Annotated[str, AfterValidator(_time)]
    expires: Annotated[str, AfterValidator(_time)]
    """ISO 8601, UTC."""
    destroy: bool
    empty: bool
    consents: tuple[Annotated[str, AfterValidator(_consent)], ...]
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
    findings: tuple[Finding, ...]
    """What was found when it was planned, for showing it again."""

    def verify(self, now: Mapping[str, Any]) -> None:
        """Demand that the facts of this moment are those of the manifest.

        Args:
            now: Manifest field → its value now.

        Raises:
            BadPlanError: It has expired, or the first field that differs, with both values.
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
                    hint="nothing was applied; plan again and review the new plan",
                )

    def verify_files(self, files: Mapping[str, str]) -> None:
        """Demand that what Terraform reads is what it read when this was planned.

        Args:
            files: As `Manifest.files`, now.

        Raises:
            BadPlanError: They differ; which ones is named.
        """
        planned, now = self.manifest.rendered_sha256, digest(files)
        if planned == now:
            return
        old = self.manifest.files
        words = {
            "changed": [name for name in old if name in files and files[name] != old[name]],
            "missing": [name for name in old if name not in files],
            "added": [name for name in files if name not in old],
        }
        told = "; ".join(f"{word}: {_listed(names)}" for word, names in words.items() if names)
        raise BadPlanError(
            f"the files are not those that it was made from ({told})"
            if told
            else f"rendered_sha256 differs: planned with {_shown(planned)}, now {_shown(now)}",
            where=str(self.path),
            hint="nothing was applied; put the files back as they were reviewed, or plan again and review that",
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
    findings: Iterable[Finding],
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
        _FINDINGS: json.dumps([as_data(f) for f in findings], indent=2, ensure_ascii=False).encode(),
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
        BadPlanError: No bundle, a damaged one, one of another format, or one that the given key has not sealed.
    """
    where = str(path)
    content = _read_file(path)
    data = unseal(content, where, keys)
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
    for name, member in members.items():
        if f"{_sha256(member)}  {name}\n" not in sums:
            raise BadPlanError(
                f"{name} was changed after planning (its SHA-256 differs)",
                where=where,
                hint="nothing was applied; " + _HOW,
            )
    found = _typed(where, _MANIFEST, members, dict[str, Any]).get("format")
    if found != FORMAT:
        raise BadPlanError(
            f"a bundle of format {found!r}; this toolkit reads format {FORMAT}",
            where=where,
            hint="apply with the toolkit version that planned, or plan again",
        )
    manifest = _typed(where, _MANIFEST, members, Manifest)
    # Whose KMS key decrypts is decided by the header: an alias may name another key in each account.
    if is_sealed(content) and sealed_for(content) != manifest.environment:
        raise BadPlanError(
            f"encrypted for environment {sealed_for(content)!r}, but a plan for {manifest.environment!r}",
            where=where,
            hint="nothing was applied; " + _HOW,
        )
    findings = tuple(record.finding for record in _typed(where, _FINDINGS, members, tuple[Record, ...]))
    from toolkit.plan.shape import PlanShape

    _typed(where, _JSON, members, PlanShape)
    return Bundle(path, manifest, members[_PLAN], json.loads(members[_JSON]), findings)


def is_bundle(path: Path) -> bool:
    """Whether a regular file is a plan bundle by its looks, so that nothing is lost if a newer one takes its place."""
    try:
        if is_sealed(read_regular(path, 64)):
            return True
        with zipfile.ZipFile(path) as archive:
            return {_MANIFEST, _PLAN, _SUMS} <= set(archive.namelist())
    except Exception:  # zipfile raises half a dozen kinds for bytes that are none of its own
        return False


def state_of(plan_file: Path) -> tuple[str, int]:
    """Lineage and serial of the state that a plan file was made from; ("", 0) where there was none.

    A plan file is a zip whose member `tfstate` is that state. Only these two fields leave this function.
    """
    try:
        with zipfile.ZipFile(plan_file) as archive:
            state = from_json(_State, archive.read("tfstate"))
    except (OSError, KeyError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as e:
        raise BadPlanError("Terraform's plan file cannot be read", where=str(plan_file)) from e
    return state.lineage, state.serial


class _State(BaseModel):
    lineage: str = ""
    serial: int = 0


_HOW = "make one with `toolkit plan ENV --out FILE`"


def _typed(where: str, member: str, members: Mapping[str, bytes], shape: type[_T]) -> _T:
    try:
        return from_json(shape, members[member])
    except FieldError as e:
        raise BadPlanError(f"its {member} cannot be read: {e}", where=where, hint=_HOW) from None


def _read_file(path: Path) -> bytes:
    try:
        # No link: what was approved is a file, not whatever a link points to by now.
        data = read_regular(path, _MAX_BYTES + 1, follow=False)
    except OSError as e:
        kind, other, _ = str(e.strerror).partition(", not a file")
        problem = f"{kind}, not a plan bundle" if other else f"cannot be read: {e.strerror}"
        raise BadPlanError(problem, where=str(path), hint=_HOW) from e
    if len(data) > _MAX_BYTES:
        raise BadPlanError(f"larger than {_MAX_BYTES >> 20} MiB", where=str(path), hint=_HOW)
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return f"{text[:20]}…" if len(text) > 70 else text
