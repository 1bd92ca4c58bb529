"""The plan bundle: one file that holds a saved plan and the facts under which it may be applied.

In: a plan file, its `show -json` and the facts of the moment. Out: a 0600 zip with manifest.json, plan.tfplan,
plan.json, findings.json, access.json and SHA256SUMS; and back. A bundle can be carried to another machine and checkout
path. The sums find accidents and careless edits. A signature of the sums, if there is one (SHA256SUMS.sig), covers all
that is in the bundle: the manifest names algorithm and key, so neither can be left out or replaced without changing the
sums.

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
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.errors import BadPlanError, ExpiredPlanError, StalePlanError, ToolkitError
from toolkit.files import digest, read_regular, write_atomically
from toolkit.findings import Consents, Finding
from toolkit.findings.data import Record, as_data
from toolkit.paths import ENVIRONMENT_NAME
from toolkit.signing import PublicKey, Signed, Signer
from toolkit.terraform import stored
from toolkit.terraform.sealing import NO_KEYS, Keys, is_sealed, seal, sealed_for, unseal
from toolkit.terraform.stored import Stored, is_reference
from toolkit.typed import FieldError, from_json
from toolkit.visible import shortened

if TYPE_CHECKING:
    from toolkit.access.changes import AccessChanges

FORMAT = 2
SUFFIX = stored.SUFFIX

_MANIFEST, _PLAN, _JSON, _FINDINGS = "manifest.json", "plan.tfplan", "plan.json", "findings.json"
_ACCESS, _SUMS, _SIGNATURE = "access.json", "SHA256SUMS", "SHA256SUMS.sig"
_SUMMED = (_MANIFEST, _PLAN, _JSON, _FINDINGS, _ACCESS)
MAX_BYTES = 512 << 20
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
    git_tree: str | None
    """The tree of that commit: another commit with the same files has the same one."""
    git_dirty: bool
    run: str | None
    """The run of a pipeline in which it was planned (toolkit.workflows.pipeline_run)."""
    created: Annotated[str, AfterValidator(_time)]
    expires: Annotated[str, AfterValidator(_time)]
    """ISO 8601, UTC."""
    destroy: bool
    empty: bool
    consents: tuple[Annotated[str, AfterValidator(_consent)], ...]
    """What whoever planned consented to, as options ("--allow-destroy module.x"); applying takes them over."""
    signature: Signed | None
    """What the bundle is signed with; None: it is not."""

    @property
    def expired(self) -> bool:
        """Whether it may no longer be applied."""
        return datetime.now(UTC) >= datetime.fromisoformat(self.expires)


@dataclass(frozen=True)
class Bundle:
    """A bundle as read: internally consistent, not yet compared with anything."""

    path: Path | Stored
    manifest: Manifest
    plan: bytes
    plan_json: dict[str, Any]
    findings: tuple[Finding, ...]
    """What was found when it was planned, for showing it again."""
    access: AccessChanges
    """What it changes in who may do what, as that was known when it was planned, for showing it again."""
    sums: bytes = b""
    """SHA256SUMS as it was read."""
    signature: bytes | None = None
    """Of `sums`; what it is worth, `verify_signature` says."""
    proven: frozenset[str] = frozenset()
    """What was demanded of it beyond the manifest, and holds (toolkit.workflows.hand_over)."""

    def verify(self, now: Mapping[str, Any]) -> None:
        """Demand that the facts of this moment are those of the manifest.

        Args:
            now: Manifest field → its value now.

        Raises:
            BadPlanError: It has expired, or the first field that differs, with both values.
        """
        if self.manifest.expired:
            raise ExpiredPlanError(
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

    def demand_signed(self, called: str) -> tuple[Signed, bytes]:
        """What it says of its signature, and the signature, which prove nothing yet.

        Args:
            called: How the user names the key that is required.

        Raises:
            BadPlanError: It has none.
        """
        if self.manifest.signature is None or self.signature is None:
            raise BadPlanError(
                f"not signed, though a signature of {called} is required",
                where=str(self.path),
                hint="nothing was applied; plan with --sign in the job that may use the key, and apply that bundle",
            )
        return self.manifest.signature, self.signature

    def verify_signature(self, public: PublicKey, called: str) -> None:
        """Demand that a key has signed all that is in the bundle.

        Args:
            public: The key that is required; what the bundle says of keys decides nothing.
            called: How the user names it.

        Raises:
            BadPlanError: It is not signed, or by another key or algorithm, or it was changed.
        """
        said, signature = self.demand_signed(called)
        where = str(self.path)
        if said.algorithm != public.algorithm:
            raise BadPlanError(
                f"signed by the algorithm {said.algorithm}; {called} signs by {public.algorithm}",
                where=where,
                hint="nothing was applied; plan again and sign with the key that is required",
            )
        if said.public_key_sha256 != public.fingerprint:
            raise BadPlanError(
                f"signed with another key than {called}: {said.kms_key or said.public_key_sha256}",
                where=where,
                hint="nothing was applied; plan again and sign with the key that is required",
            )
        if not public.verifies(signature, self.sums):
            raise BadPlanError(
                f"its signature is not that of {called} over this bundle: one of the two was changed",
                where=where,
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
        told = "; ".join(f"{word}: {shortened(names, 3)}" for word, names in words.items() if names)
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
        raise StalePlanError(
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


def pack(
    manifest: Manifest,
    plan: bytes,
    plan_json: Mapping[str, Any],
    findings: Iterable[Finding],
    access: AccessChanges,
    keys: Keys = NO_KEYS,
    signer: Signer | None = None,
) -> bytes:
    """A bundle's content, signed if `signer` is given, then encrypted if `keys` has a key.

    Raises:
        ToolkitError: It cannot be signed or encrypted.
    """
    manifest = dataclasses.replace(manifest, signature=signer.signed if signer else None)
    members = {
        _MANIFEST: json.dumps(dataclasses.asdict(manifest), indent=2).encode() + b"\n",
        _PLAN: plan,
        _JSON: json.dumps(plan_json, separators=(",", ":")).encode(),
        _FINDINGS: json.dumps([as_data(f) for f in findings], indent=2, ensure_ascii=False).encode(),
        _ACCESS: json.dumps(dataclasses.asdict(access), default=lambda one: one.value, ensure_ascii=False).encode(),
    }
    sums = _sums(members)
    members[_SUMS] = sums
    if signer is not None:
        members[_SIGNATURE] = signer.sign(sums)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    data = buffer.getvalue()
    return seal(data, manifest.environment, keys) if keys.seals else data


def place(path: Path, content: bytes) -> None:
    """Write a bundle's content, or a reference to it, atomically, mode 0600.

    Raises:
        ToolkitError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, mode=0o600)
    except OSError as e:
        raise ToolkitError(f"the plan bundle cannot be written: {e.strerror}", where=str(path)) from e


def read(path: Path, keys: Keys = NO_KEYS) -> Bundle:
    """Read a bundle, decrypted if need be, and check that it is whole.

    Raises:
        BadPlanError: No bundle, a damaged one, one of another format, or one that the given key has not sealed.
    """
    return parse(read_content(path), path, keys)


def parse(content: bytes, path: Path | Stored, keys: Keys = NO_KEYS) -> Bundle:
    """A bundle from its content, as `read` does it.

    Args:
        content: The bundle's bytes.
        path: Where they are from.
        keys: As there.
    """
    where = str(path)
    data = unseal(content, where, keys)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = sorted(archive.namelist())
            if names not in (sorted((*_SUMMED, _SUMS)), sorted((*_SUMMED, _SUMS, _SIGNATURE))):
                raise BadPlanError("a zip file, but not a plan bundle", where=where, hint=_HOW)
            if sum(i.file_size for i in archive.infolist()) > MAX_BYTES:
                raise BadPlanError(f"larger than {MAX_BYTES >> 20} MiB", where=where, hint=_HOW)
            members = {name: archive.read(name) for name in names}
    except BadPlanError:
        raise
    except Exception as e:  # zipfile raises half a dozen kinds for bytes that are none of its own
        raise BadPlanError("not a plan bundle, truncated or damaged", where=where, hint=_HOW) from e
    sums, signature = members.pop(_SUMS), members.pop(_SIGNATURE, None)
    if sums != _sums(members):
        said = sums.decode("ascii", "replace")
        changed = [name for name in _SUMMED if f"{_sha256(members[name])}  {name}\n" not in said]
        raise BadPlanError(
            f"{changed[0]} was changed after planning (its SHA-256 differs)"
            if changed
            else f"{_SUMS} was changed after planning",
            where=where,
            hint="nothing was applied; " + _HOW,
        )
    found = _typed(where, _MANIFEST, members, dict[str, Any]).get("format")
    if type(found) is int and found != FORMAT:  # of another kind, it is named below
        earlier = ", which cannot be signed" if found == 1 else ""
        raise BadPlanError(
            f"a bundle of format {found!r}{earlier}; this toolkit reads format {FORMAT}",
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
    if (signature is None) != (manifest.signature is None):
        raise BadPlanError(
            "its manifest says that it is signed, and there is no signature"
            if signature is None
            else "it has a signature, and its manifest says that it is not signed",
            where=where,
            hint="nothing was applied; " + _HOW,
        )
    findings = tuple(record.finding for record in _typed(where, _FINDINGS, members, tuple[Record, ...]))
    from toolkit.access.changes import AccessChanges
    from toolkit.plan.shape import PlanShape

    access = _typed(where, _ACCESS, members, AccessChanges)
    _typed(where, _JSON, members, PlanShape)
    return Bundle(path, manifest, members[_PLAN], json.loads(members[_JSON]), findings, access, sums, signature)


def is_bundle(path: Path) -> bool:
    """Whether a regular file is a plan bundle by its looks, so that nothing is lost if a newer one takes its place.

    A reference to one is, too.
    """
    try:
        begin = read_regular(path, 64)
        if is_sealed(begin) or is_reference(begin):
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


def read_content(path: Path) -> bytes:
    """The content of a bundle's file, or of a reference to one.

    Raises:
        BadPlanError: It cannot be read, or is something else than a file.
    """
    try:
        # No link: what was approved is a file, not whatever a link points to by now.
        data = read_regular(path, MAX_BYTES + 1, follow=False)
    except OSError as e:
        kind, other, _ = str(e.strerror).partition(", not a file")
        problem = f"{kind}, not a plan bundle" if other else f"cannot be read: {e.strerror}"
        raise BadPlanError(problem, where=str(path), hint=_HOW) from e
    if len(data) > MAX_BYTES:
        raise BadPlanError(f"larger than {MAX_BYTES >> 20} MiB", where=str(path), hint=_HOW)
    return data


def _sums(members: Mapping[str, bytes]) -> bytes:
    return "".join(f"{_sha256(members[name])}  {name}\n" for name in _SUMMED).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return f"{text[:20]}…" if len(text) > 70 else text
