"""A small pack, and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from toolkit.evidence import manifest as m
from toolkit.evidence.pack import write_pack
from toolkit.signing import FileSigner, PublicKey, Signed, Signer

FILES: Mapping[str, bytes] = {
    "README.txt": b"what this is\n",
    "report.json": b'{"kind": "audit"}\n' * 20,
    "facts/iam.jsonl": b'{"action": "iam:ListUsers"}\n' * 20,
    "facts/empty.jsonl": b"",
}


def manifest(files: tuple[m.File, ...], signed: Signed | None = None, **changed: Any) -> m.Manifest:
    given: dict[str, Any] = {
        "kind": m.KIND,
        "format": m.FORMAT,
        "account_id": "111122223333",
        "caller": "arn:aws:iam::111122223333:user/auditor",
        "environment": "prod",
        "simulator": None,
        "taken": "2026-11-29T12:00:00Z",
        "created": "2026-11-29T12:01:00Z",
        "home": "eu-central-1",
        "regions": ("eu-central-1",),
        "regions_off": (),
        "frameworks": (m.Framework("cis-7.0", "CIS 7.0"),),
        "toolkit_version": "0.2.0",
        "calls": 20,
        "stripped": 0,
        "rendered": None,
        "git": m.Git("0" * 40, dirty=False),
        "credential_report": m.CredentialReport("2026-11-29T11:59:00Z"),
        "signature": signed,
        "files": files,
    }
    return m.Manifest(**{**given, **changed})


Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def public(key: Ed25519PrivateKey) -> PublicKey:
    return PublicKey(key.public_key())


@pytest.fixture(scope="session")
def signer(key: Ed25519PrivateKey) -> Signer:
    return FileSigner(key)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    def make(
        signer: Signer | None = None, name: str = "pack.zip", files: Mapping[str, bytes] = FILES, **changed: Any
    ) -> Path:
        file = tmp_path / name
        signed = signer.signed if signer else None
        contents = ((name, [content]) for name, content in files.items())
        write_pack(file, contents, lambda written: manifest(written, signed, **changed), signer)
        return file

    return make


def pem(key: Any, passphrase: bytes | None = None) -> bytes:
    """A private key as `openssl genpkey` writes it."""
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    found: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return found


def public_pem(key: Any) -> bytes:
    """A public key as `openssl pkey -pubout` writes it."""
    found: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found
