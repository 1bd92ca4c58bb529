"""Keys and signatures: which keys are taken, what is said of others, and that openssl agrees."""

from __future__ import annotations

import builtins
import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.evidence.about import about, command
from toolkit.evidence.manifest import MANIFEST, SIGNATURE
from toolkit.evidence.pack import verify_pack
from toolkit.signing import PublicKey, Signer, fingerprint, read_private_key, read_public_key

from .conftest import Maker, pem, public_pem

OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
RSA = rsa.generate_private_key(65537, 2048)
CURVES = {"ECDSA_SHA_256": ec.SECP256R1(), "ECDSA_SHA_384": ec.SECP384R1(), "ECDSA_SHA_512": ec.SECP521R1()}
MESSAGE = b"the manifest's bytes"


def no_passphrase() -> bytes | None:
    raise AssertionError("the key is not encrypted")


def kms_signature(key: Any, algorithm: str, data: bytes) -> bytes:
    """As KMS signs: a digest, with PSS and a salt as long as it, or with ECDSA."""
    digest: Any = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    if algorithm.startswith("RSA"):
        return bytes(key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest))
    return bytes(key.sign(data, ec.ECDSA(digest)))


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_private_key_as_openssl_makes_it_signs(tmp_path: Path, key: Ed25519PrivateKey, passphrase: bytes | None):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(key, passphrase))
    signer = read_private_key(file, (lambda: passphrase) if passphrase else no_passphrase)
    assert PublicKey(key.public_key()).verifies(signer.sign(MESSAGE), MESSAGE)
    assert (signer.signed.algorithm, signer.signed.kms_key) == ("Ed25519", None)


def other_keys() -> dict[str, Any]:
    return {
        "RSA": RSA,
        "EC": ec.generate_private_key(ec.SECP256R1()),
        "X25519": x25519.X25519PrivateKey.generate(),
        "DSA": dsa.generate_private_key(1024),
    }


@pytest.mark.parametrize("kind", ["RSA", "EC", "X25519", "DSA"])
def test_a_private_key_of_another_kind_is_named(tmp_path: Path, kind: str):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(other_keys()[kind]))
    with pytest.raises(
        UsageError, match=f"--private-key: a key of the kind {kind}; expected an Ed25519 key"
    ) as refused:
        read_private_key(file, no_passphrase)
    assert "openssl genpkey -algorithm ed25519" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (public_pem, "a public key; signing needs the private one"),
        (lambda _: b"", "not a key in PEM"),
        (lambda _: b"\xff\x00" * 99, "not a key in PEM"),
        (lambda _: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "'certificate' in PEM"),
        (lambda key: pem(key)[:60], "not a private key in PEM that can be read"),
        (
            lambda _: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "not a private key in PEM that can be read",
        ),
    ],
)
def test_what_is_no_private_key_is_said_in_one_line(
    tmp_path: Path, key: Ed25519PrivateKey, content: Callable[[Any], bytes], message: str
):
    file = tmp_path / "key.pem"
    file.write_bytes(content(key))
    with pytest.raises(UsageError, match=message) as refused:
        read_private_key(file, no_passphrase)
    assert (refused.value.where, refused.value.exit_code) == (str(file), ExitCode.USAGE)
    assert "\n" not in str(refused.value)


def test_a_passphrase_that_is_missing_or_wrong_is_said(tmp_path: Path, key: Ed25519PrivateKey):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(key, b"right"))
    with pytest.raises(ToolkitError, match="encrypted, and no passphrase is given") as refused:
        read_private_key(file, lambda: None)
    assert "TOOLKIT_SIGNING_PASSPHRASE" in str(refused.value.hint)
    with pytest.raises(ToolkitError, match="encrypted, and no passphrase is given"):
        read_private_key(file, lambda: b"")
    with pytest.raises(ToolkitError, match="cannot be decrypted: another passphrase"):
        read_private_key(file, lambda: b"wrong")


@pytest.mark.parametrize("read", [lambda f: read_private_key(f, no_passphrase), read_public_key])
def test_a_key_file_that_is_not_there_or_a_folder_is_said(tmp_path: Path, read: Callable[[Path], Any]):
    for file, words in ((tmp_path / "none.pem", "No such file"), (tmp_path, "a folder, not a file")):
        with pytest.raises(ToolkitError, match=f"the key cannot be read: {words}"):
            read(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pem, "a private key, which only its owner should have"),
        (lambda key: pem(key, b"x"), "a private key, which only its owner should have"),
        (lambda _: b"ssh-ed25519 AAAA me", "not a key in PEM; expected a public key in PEM"),
        (lambda _: b"-----BEGIN CERTIFICATE-----\nAAAA\n", "'certificate' in PEM; expected a public key"),
        (lambda key: public_pem(key)[:50], "not a public key in PEM that can be read"),
        (lambda _: public_pem(other_keys()["X25519"]), "a key of the kind X25519; expected Ed25519, RSA, or ECC"),
        (lambda _: public_pem(other_keys()["DSA"]), "a key of the kind DSA; expected Ed25519, RSA, or ECC"),
        (lambda _: public_pem(ec.generate_private_key(ec.SECP224R1())), "a key of the kind EC; expected"),
    ],
)
def test_what_is_no_public_key_is_said_in_one_line(
    tmp_path: Path, key: Ed25519PrivateKey, content: Callable[[Any], bytes], message: str
):
    file = tmp_path / "key.pub.pem"
    file.write_bytes(content(key))
    with pytest.raises(UsageError, match=f"--public-key: {message}") as refused:
        read_public_key(file)
    assert refused.value.where == str(file)


@pytest.mark.parametrize("algorithm", ["RSASSA_PSS_SHA_256", *CURVES])
def test_a_public_key_of_kms_verifies_what_kms_signs_and_nothing_else(tmp_path: Path, algorithm: str):
    key = RSA if algorithm.startswith("RSA") else ec.generate_private_key(CURVES[algorithm])
    file = tmp_path / "kms.pem"
    file.write_bytes(public_pem(key))
    public = read_public_key(file)
    assert public.algorithm == algorithm
    signature = kms_signature(key, algorithm, MESSAGE)
    assert public.verifies(signature, MESSAGE)
    assert not public.verifies(signature, MESSAGE + b".")
    for broken in (b"", signature[:-1], bytes([signature[0] ^ 1]) + signature[1:], b"\0" * 64):
        assert not public.verifies(broken, MESSAGE)


@OPENSSL
@pytest.mark.parametrize("algorithm", ["Ed25519", "RSASSA_PSS_SHA_256", *CURVES])
def test_openssl_verifies_it_by_the_command_that_is_in_the_pack(
    tmp_path: Path, key: Ed25519PrivateKey, signer: Signer, algorithm: str
):
    if algorithm == "Ed25519":
        made, signature = key, signer.sign(MESSAGE)
    else:
        made = RSA if algorithm.startswith("RSA") else ec.generate_private_key(CURVES[algorithm])
        signature = kms_signature(made, algorithm, MESSAGE)
    folder = tmp_path / "new"
    folder.mkdir()
    (tmp_path / "key.pub.pem").write_bytes(public_pem(made))
    (folder / MANIFEST).write_bytes(MESSAGE)
    (folder / SIGNATURE).write_bytes(signature)

    def openssl(line: str) -> bool:
        return subprocess.run(shlex.split(line), cwd=folder, capture_output=True, check=False).returncode == 0

    assert openssl(command(algorithm))
    (folder / MANIFEST).write_bytes(MESSAGE + b".")
    assert not openssl(command(algorithm))


@OPENSSL
def test_a_key_that_openssl_makes_signs_and_its_fingerprint_is_as_openssl_prints_it(tmp_path: Path, make: Maker):
    def openssl(*words: str) -> bytes:
        return subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True).stdout

    openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:word", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-passin", "pass:word", "-pubout", "-out", "key.pub.pem")
    signer = read_private_key(tmp_path / "key.pem", lambda: b"word")
    public = read_public_key(tmp_path / "key.pub.pem")
    assert verify_pack(make(signer), public).problems == ()
    der = openssl("pkey", "-pubin", "-in", "key.pub.pem", "-outform", "DER")
    assert hashlib.sha256(der).hexdigest() == public.fingerprint
    assert public.fingerprint in about(signer.signed)


def test_the_fingerprint_is_of_the_public_key_as_every_program_encodes_it(key: Ed25519PrivateKey):
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert fingerprint(key.public_key()) == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("read", [lambda f: read_private_key(f, no_passphrase), read_public_key])
def test_without_cryptography_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], Any]
):
    imported = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return imported(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolkitError, match="package cryptography, which is not installed") as refused:
        read(tmp_path / "key.pem")
    assert refused.value.hint == "pip install 'aws-baseline-toolkit[signing]'"
