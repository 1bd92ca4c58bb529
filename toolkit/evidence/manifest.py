"""The manifest of a pack: what the evidence is of, and what every file of it is. It is what is signed.

In: facts of the moment, contents of files. Out: the bytes of manifest.json; and back. Pure.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from toolkit.errors import BadPlanError
from toolkit.evidence.layout import HOW
from toolkit.signing import Signed
from toolkit.typed import FieldError, from_json

KIND, FORMAT = "aws-baseline-evidence", 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
OWN = (MANIFEST, SIGNATURE)
"""Files that the manifest does not list: itself, and its signature."""

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Size = Annotated[int, Field(ge=0)]


def _time(value: str) -> str:
    if not value.endswith("Z") or datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("expected a time in UTC, like 2026-11-24T12:00:00Z")
    return value


_Time = Annotated[str, AfterValidator(_time)]


@dataclass(frozen=True)
class File:
    """One file of the pack."""

    name: str
    size: _Size
    sha256: _Digest
    packed_size: _Size
    packed_sha256: _Digest
    """Of its bytes in the zip file, compressed."""


@dataclass(frozen=True)
class Framework:
    """A framework whose requirements the report has verdicts on."""

    name: str
    title: str


@dataclass(frozen=True)
class Rendered:
    """What Terraform reads of the environment, with the digest as plan bundles have it; rendered.json has the files."""

    sha256: _Digest
    files: _Size
    up_to_date: bool
    """Whether rendered/ is what environment.yaml renders."""
    environment_sha256: _Digest
    """Of environment.yaml."""


@dataclass(frozen=True)
class Git:
    """The checkout."""

    commit: str
    dirty: bool
    """Whether the environment's folder or modules/ differ from it."""


@dataclass(frozen=True)
class CredentialReport:
    """IAM's credential report, which credential-report.csv has byte for byte."""

    generated: _Time
    """GeneratedTime: IAM writes a new one at most every four hours."""


@dataclass(frozen=True)
class Manifest:
    """Facts about the evidence, and its files in their order."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    kind: str
    format: int
    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    caller: str
    """ARN of who read the account."""
    environment: str | None
    """None: an account without an environment file."""
    simulator: Literal["moto"] | None
    """ "moto" for the embedded AWS."""
    taken: _Time
    """When the audit began."""
    created: _Time
    home: str
    regions: tuple[str, ...]
    regions_off: tuple[str, ...]
    """Regions that were wanted, and that the account has not enabled."""
    frameworks: tuple[Framework, ...]
    toolkit_version: str
    calls: _Size
    """Calls of AWS: as many lines as facts/ and requests.csv have."""
    stripped: _Size
    """Values that were left out of facts/, since they are secrets or may be."""
    rendered: Rendered | None
    git: Git | None
    credential_report: CredentialReport | None
    signature: Signed | None
    """None: the pack is not signed."""
    files: tuple[File, ...]

    @property
    def data(self) -> bytes:
        """The bytes of manifest.json."""
        return json.dumps(dataclasses.asdict(self), indent=1).encode("ascii") + b"\n"

    @property
    def names(self) -> tuple[str, ...]:
        """Every file of the pack, in the order of the zip file."""
        own = OWN if self.signature else OWN[:1]
        return (*(one.name for one in self.files), *own)


@dataclass(frozen=True)
class _Head:
    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")

    kind: str
    format: int


def read_manifest(data: bytes, where: str) -> Manifest:
    """A manifest from its bytes.

    Raises:
        BadPlanError: It is of something else, or of another version's format.
        FieldError: It is not what `Manifest.data` writes.
    """
    head = from_json(_Head, data)
    if head.kind != KIND:
        raise BadPlanError("not an evidence pack: its manifest is of something else", where=where, hint=HOW)
    if head.format != FORMAT:
        raise BadPlanError(
            f"a pack of format {head.format}; this toolkit reads format {FORMAT}",
            where=where,
            hint="verify it with the toolkit version that made it, or a later one",
        )
    manifest = from_json(Manifest, data)
    if manifest.data != data:
        raise FieldError("not written as the toolkit writes it")
    return manifest
