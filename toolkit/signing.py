"""Signatures of evidence packs and plan bundles: made with the user's key, checked with a public key, offline.

In: key files, bytes. Out: a detached signature, as `openssl` makes and checks it: Ed25519 (RFC 8032), or what a KMS key
signs (`toolkit.aws.keys`): RSASSA-PSS with SHA-256, or ECDSA with the digest that belongs to the curve.
https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import Field

from toolkit.errors import ToolkitError, UsageError
from toolkit.files import read_regular
from toolkit.regions import ARN
from toolkit.variables import SIGNING_PASSPHRASE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519, PSS, ECDSA = "Ed25519", "RSASSA_PSS_SHA_256", "ECDSA_SHA_"
ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {PSS: "sha256", **{f"{ECDSA}{bits}": f"sha{bits}" for bits in ("256", "384", "512")}}
)
"""What a KMS key may sign with, as KMS names it → the digest that is sent to it."""
_LARGEST = 64 << 10
_MAKE = "`openssl genpkey -algorithm ed25519 -out key.pem` makes one"
_PUBLIC = "`openssl pkey -in key.pem -pubout -out key.pub.pem` makes it from the private key"


@dataclass(frozen=True)
class Signed:
    """What a manifest is signed with. It is signed itself, so none can be said to be of another key."""

    algorithm: Annotated[str, Field(pattern=r"^(Ed25519|RSASSA_PSS_SHA_256|ECDSA_SHA_(256|384|512))$")]
    public_key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the public key's SubjectPublicKeyInfo (DER)."""
    kms_key: str | None
    """ARN of the KMS key; None: a key in a file."""


@dataclass(frozen=True)
class KmsKey:
    """A signature of a KMS key is required."""

    id: str
    """Id, ARN, alias or alias's ARN."""


@dataclass(frozen=True)
class KeyFile:
    """A signature of the key whose public half is in a file is required."""

    file: str


@dataclass(frozen=True)
class Workflow:
    """An artifact attestation of a workflow on GitHub is required."""

    repository: str
    """OWNER/NAME."""
    file: str
    """.github/workflows/NAME.yml."""
    ref: str
    """refs/heads/BRANCH or refs/tags/TAG."""

    @property
    def identity(self) -> str:
        """How the certificate of an attestation names the workflow: its subject alternative name."""
        return f"https://github.com/{self.repository}/{self.file}@{self.ref}"


_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_KEY_NAME = rf"(?:{_UUID}|mrk-[0-9a-f]{{32}})"
KMS_KEY = rf"(?:{ARN}:kms:[a-z0-9-]+:[0-9]{{12}}:)?(?:alias/[A-Za-z0-9/_-]{{1,250}}|key/{_KEY_NAME})|{_KEY_NAME}"
"""A KMS key as people name it: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id"""
_OWNER, _REPOSITORY = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", r"[A-Za-z0-9._-]{1,100}"
WORKFLOW = (
    rf"github:(?P<repository>{_OWNER}/{_REPOSITORY})/(?P<file>\.github/workflows/[A-Za-z0-9._-]+\.ya?ml)"
    r"@(?P<ref>refs/(?:heads|tags)/[^\s~^:?*\[\\]+)"
)
REQUIRED = "a KMS key (id, ARN or alias), or github:OWNER/REPO/.github/workflows/FILE@refs/heads/BRANCH"


def required_signature(text: str, *, option: str, files: bool = True) -> KmsKey | KeyFile | Workflow:
    """Whose signature a text requires.

    Args:
        text: A KMS key, a workflow, or the file of a public key.
        option: What has the text, for errors.
        files: Whether it may name a file.

    Raises:
        UsageError: It is none of these.
    """
    if text.startswith("github:"):
        found = re.fullmatch(WORKFLOW, text)
        if found is None:
            raise UsageError(
                f"{option}: {text!r} does not name a workflow",
                hint="expected github:OWNER/REPO/.github/workflows/FILE@REF with the whole ref, like "
                "github:example/accounts/.github/workflows/baseline.yml@refs/heads/main",
            )
        return Workflow(found["repository"], found["file"], found["ref"])
    if re.fullmatch(KMS_KEY, text):
        return KmsKey(text)
    if text.startswith(("arn:", "alias/", "s3:")) or not files or not text:
        more = ", or the file of a public key (PEM)" if files else ""
        raise UsageError(f"{option}: {text!r} names no key", hint=f"expected {REQUIRED}{more}")
    return KeyFile(text)


class Signer(Protocol):
    """Whatever signs."""

    @property
    def signed(self) -> Signed:
        """What the manifest says of the signature; known before there is one."""

    def sign(self, data: bytes) -> bytes:
        """The signature of these bytes."""


class FileSigner:
    """Signs with an Ed25519 key from a file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def signed(self) -> Signed:
        """See `Signer`."""
        return Signed(ED25519, fingerprint(self._key.public_key()), None)

    def sign(self, data: bytes) -> bytes:
        """See `Signer`."""
        return self._key.sign(data)


def read_private_key(
    file: Path, passphrase: Callable[[], bytes | None], *, option: str = "--private-key"
) -> FileSigner:
    """The signer of a private key (PEM).

    Args:
        file: The file.
        passphrase: Called for an encrypted key alone; None: there is none.
        option: What named the file, for errors.

    Raises:
        UsageError: It is another kind of key, or none.
        ToolkitError: It cannot be read or decrypted, or the package `cryptography` is missing.
    """
    serialization = _cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    data, where = _read(file, option), str(file)
    if b"PRIVATE KEY-----" not in data:
        what = "a public key; signing needs the private one" if b"PUBLIC KEY-----" in data else _no_key(data)
        raise UsageError(f"{option}: {what}", where=where, hint=_MAKE)
    try:
        try:
            key: Any = serialization.load_pem_private_key(data, None)
        except TypeError:  # cryptography's way to say that it is encrypted
            word = passphrase()
            if not word:
                raise ToolkitError(
                    "the private key is encrypted, and no passphrase is given",
                    where=where,
                    hint=f"set {SIGNING_PASSPHRASE}, or run it in a terminal, where it prompts",
                ) from None
            try:
                key = serialization.load_pem_private_key(data, word)
            except ValueError:
                raise ToolkitError(
                    "the private key cannot be decrypted: another passphrase, or a damaged file",
                    where=where,
                    hint=f"check {SIGNING_PASSPHRASE}, or what was typed",
                ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{option}: not a private key in PEM that can be read", where=where, hint=_MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{option}: {_kind(key)}; expected an Ed25519 key", where=where, hint=_MAKE)
    return FileSigner(key)


class PublicKey:
    """Checks signatures."""

    def __init__(self, key: Any) -> None:
        """Args:
        key: As `cryptography` has it.

        Raises:
            UsageError: No such key signs a pack.
        """
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

        self._key = key
        if isinstance(key, ed25519.Ed25519PublicKey):
            self.algorithm = ED25519
        elif isinstance(key, rsa.RSAPublicKey):
            self.algorithm = PSS
        elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size in (256, 384, 521):
            self.algorithm = f"{ECDSA}{min(key.curve.key_size, 512)}"
        else:
            raise UsageError(f"{_kind(key)}; expected Ed25519, RSA, or ECC with a curve of 256, 384 or 521 bits")
        self.fingerprint = fingerprint(key)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature of these bytes is this key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        found: dict[str, hashes.HashAlgorithm] = {
            "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512(),
        }  # fmt: skip
        digest = found.get(self.algorithm[-3:])
        try:
            if digest is None:
                self._key.verify(signature, data)
            elif self.algorithm == PSS:
                # The salt's length is no secret and no part of the proof; KMS takes that of the digest.
                padded = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
                self._key.verify(signature, data, padded, digest)
            else:
                self._key.verify(signature, data, ec.ECDSA(digest))
        except InvalidSignature:
            return False
        return True


def read_public_key(file: Path, *, option: str = "--public-key") -> PublicKey:
    """The public key in a file (PEM).

    Args:
        file: The file.
        option: What named it, for errors.

    Raises:
        UsageError: It is another kind of key, or none.
        ToolkitError: It cannot be read, or the package `cryptography` is missing.
    """
    serialization = _cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm

    data, where = _read(file, option), str(file)
    if b"PRIVATE KEY-----" in data:
        raise UsageError(
            f"{option}: a private key, which only its owner should have; expected the public one",
            where=where,
            hint=_PUBLIC,
        )
    if b"-----BEGIN PUBLIC KEY-----" not in data:
        raise UsageError(f"{option}: {_no_key(data)}; expected a public key in PEM", where=where, hint=_PUBLIC)
    try:
        return PublicKey(serialization.load_pem_public_key(data))
    except UsageError as e:
        raise UsageError(f"{option}: {e.problem}", where=where, hint=e.hint) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{option}: not a public key in PEM that can be read", where=where, hint=_PUBLIC) from None


def public_key_from_der(data: bytes) -> PublicKey:
    """A public key as KMS gives it (SubjectPublicKeyInfo, DER).

    Raises:
        UsageError: No such key signs a pack.
    """
    return PublicKey(_cryptography().load_der_public_key(data))


def fingerprint(key: Any) -> str:
    """SHA-256 of a public key's SubjectPublicKeyInfo (DER), as `openssl pkey -pubin -outform DER | sha256sum` says."""
    serialization = _cryptography()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _read(file: Path, option: str) -> bytes:
    try:
        return read_regular(file, _LARGEST)
    except OSError as e:
        raise ToolkitError(f"{option}: the key cannot be read: {e.strerror}", where=str(file)) from e


def _no_key(data: bytes) -> str:
    label = re.search(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----", data)
    return f"{label[1].decode().lower()!r} in PEM" if label else "not a key in PEM"


def _kind(key: Any) -> str:
    return f"a key of the kind {re.sub('(Private|Public)Key$', '', type(key).__name__.lstrip('_'))}"


def _cryptography() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as e:
        raise ToolkitError(
            "signatures need the package cryptography, which is not installed",
            hint="pip install 'aws-baseline-toolkit[signing]'",
        ) from e
    return serialization
