"""Encryption of plan bundles at rest: AES-256-GCM, with a key from the environment or a data key of KMS.

In: bytes. Out: sealed bytes, and back. Whoever gives a key when reading demands that this very key has sealed the
bundle: else who can replace a stored bundle could choose what is applied, by one that is sealed with another key or not
at all. A sealed bundle is a header line (JSON: cipher, nonce, environment, and with KMS
the encrypted data key) and the ciphertext; the header is authenticated with it, so that nothing of either can be
changed unnoticed (NIST SP 800-38D). The key is never printed, and no child process gets it (`toolkit.variables`).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from toolkit.errors import BadPlanError, ToolkitError, UsageError
from toolkit.paths import ENVIRONMENT_NAME
from toolkit.variables import BUNDLE_KEY as VARIABLE

MAGIC = b"TFBUNDLE-SEALED-1\n"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class DataKeys(Protocol):
    """What is asked of KMS; toolkit.aws.keys has the real one."""

    def generate(self, key_id: str) -> tuple[bytes, bytes]:
        """(plain data key, the same encrypted) from KMS GenerateDataKey."""

    def decrypt(self, encrypted: bytes, key_id: str | None) -> bytes:
        """The plain data key from KMS Decrypt.

        Args:
            encrypted: As `generate` gave it.
            key_id: The KMS key that must have encrypted it; None: whichever has.

        Raises:
            BadPlanError: Another key has, or it was changed.
        """


@dataclass(frozen=True)
class Keys:
    """Where keys come from."""

    key: bytes | None = None
    """A key from the environment."""
    kms_key_id: str | None = None
    """A KMS key that makes a data key for a new bundle, and must have made that of one that is read; comes before
    `key`."""
    data_keys: Callable[[str], DataKeys] | None = None
    """Environment name → KMS as that environment's credentials reach it; called only where KMS is needed."""

    @property
    def seals(self) -> bool:
        """Whether a new bundle is encrypted, and one that is read must be."""
        return self.key is not None or self.kms_key_id is not None


NO_KEYS = Keys()


def key_from(environ: Mapping[str, str]) -> bytes | None:
    """The key that TOOLKIT_BUNDLE_KEY holds, or None where it is not set.

    Raises:
        UsageError: It is no base64 of 32 bytes.
    """
    text = environ.get(VARIABLE)
    if not text:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one; so is text that is not ASCII
        key = b""
    if len(key) != _KEY_BYTES:
        raise UsageError(
            f"{VARIABLE} is not a key: expected base64 of {_KEY_BYTES} random bytes",
            hint="make one with `openssl rand -base64 32` and keep it in the pipeline's secrets",
        )
    return key


def is_sealed(data: bytes) -> bool:
    """Whether bytes are a sealed bundle."""
    return data.startswith(MAGIC)


def sealed_for(data: bytes) -> str | None:
    """The environment that a sealed file names in its header, which only `unseal` proves; None if it cannot be read."""
    try:
        name = json.loads(data[len(MAGIC) : data.index(b"\n", len(MAGIC))])["environment"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def seal(data: bytes, environment: str, keys: Keys) -> bytes:
    """Encrypt a bundle.

    Raises:
        ToolkitError: The package `cryptography` is missing, or KMS refuses.
    """
    header = {"cipher": "AES-256-GCM", "environment": environment}
    if keys.kms_key_id is not None:
        assert keys.data_keys is not None
        key, encrypted = keys.data_keys(environment).generate(keys.kms_key_id)
        header["data_key"] = base64.b64encode(encrypted).decode()
    else:
        assert keys.key is not None
        key = keys.key
    nonce = os.urandom(_NONCE_BYTES)
    header["nonce"] = base64.b64encode(nonce).decode()
    head = MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n"
    sealed: bytes = _cipher(key).encrypt(nonce, data, head)
    return head + sealed


def unseal(data: bytes, where: str, keys: Keys) -> bytes:
    """A bundle's content, decrypted if it is encrypted.

    Args:
        data: The bundle.
        where: Its path, for errors.
        keys: If one is given, it must be the one that has sealed the bundle.

    Raises:
        BadPlanError: The key is missing or another one, the bundle is not sealed though a key is given, or it was
            changed.
    """
    if not is_sealed(data):
        if keys.seals:
            raise BadPlanError(
                f"not encrypted, though {_given(keys)} is given: anyone could have created this bundle",
                where=where,
                hint=f"nothing was applied; plan again with the key, or give none ({VARIABLE}, --kms-key) to accept a "
                "bundle that is not encrypted",
            )
        return data
    end = data.find(b"\n", len(MAGIC))
    try:
        header = json.loads(data[len(MAGIC) : end])
        nonce = base64.b64decode(header["nonce"], validate=True)
        encrypted_key = base64.b64decode(header["data_key"], validate=True) if "data_key" in header else None
        environment = header["environment"]
        if len(nonce) != _NONCE_BYTES or not isinstance(environment, str) or not ENVIRONMENT_NAME.match(environment):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise BadPlanError("an encrypted bundle whose header is damaged", where=where, hint="plan again") from e
    if keys.seals and (encrypted_key is not None) != (keys.kms_key_id is not None):
        other = f"the key of {VARIABLE}" if encrypted_key is None else "a data key of KMS"
        raise BadPlanError(
            f"encrypted with {other}, not with {_given(keys)}",
            where=where,
            hint="nothing was applied; plan again with the key that is given, or give the key that it was made with",
        )
    key = keys.key
    if encrypted_key is not None:
        assert keys.data_keys is not None
        try:
            key = keys.data_keys(environment).decrypt(encrypted_key, keys.kms_key_id)
        except BadPlanError as e:
            e.where = where
            raise
    if key is None:
        raise BadPlanError(
            "encrypted, and no key is given", where=where, hint=f"set {VARIABLE} to the key it was made with"
        )
    return _open(key, nonce, data[: end + 1], data[end + 1 :], where)


def _given(keys: Keys) -> str:
    return f"the KMS key {keys.kms_key_id}" if keys.kms_key_id is not None else f"the key of {VARIABLE}"


def _open(key: bytes, nonce: bytes, head: bytes, sealed: bytes, where: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        opened: bytes = _cipher(key).decrypt(nonce, sealed, head)
    except InvalidTag as e:
        raise BadPlanError(
            "cannot be decrypted: another key, or the bundle was changed", where=where, hint="nothing was applied"
        ) from e
    return opened


def _cipher(key: bytes):  # type: ignore[no-untyped-def] # cryptography is optional
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as e:
        raise ToolkitError(
            "encrypting bundles needs the package cryptography, which is not installed",
            hint="pip install 'aws-baseline-toolkit[encryption]'",
        ) from e
    return AESGCM(key)
