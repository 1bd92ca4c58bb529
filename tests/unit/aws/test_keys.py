"""KMS. Data keys: only the key that is named decrypts, however it is named. Signatures: of which keys, and which.

botocore's Stubber answers for AWS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from toolkit.aws.keys import KmsDataKeys, KmsSigner
from toolkit.errors import BadPlanError, ExitCode, ToolkitError, UsageError
from toolkit.signing import PublicKey

CONTEXT = {"aws-baseline-toolkit": "plan-bundle"}
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{ID}"
OTHER = "arn:aws:kms:eu-central-1:444455556666:key/0987dcba-09fe-87dc-65ba-ab0987654321"
ALIAS, ALIAS_ARN = "alias/plans", "arn:aws:kms:eu-central-1:111122223333:alias/plans"


class Kms:
    """Answers what is put into it, in this order, to exactly these requests."""

    def __init__(self) -> None:
        self.kms = boto3.client(
            "kms", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x", aws_session_token="x"
        )
        self.stub = Stubber(self.kms)
        self.stub.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert service == "kms"
        self.region = region
        return self.kms

    def answers(self, answered: str, wanted: str | None) -> None:
        request: dict[str, Any] = {"CiphertextBlob": b"e", "EncryptionContext": CONTEXT}
        request |= {} if wanted is None else {"KeyId": wanted}
        self.stub.add_response("decrypt", {"Plaintext": b"p", "KeyId": answered}, request)

    def describes(self, alias: str, arn: str) -> None:
        self.stub.add_response("describe_key", {"KeyMetadata": {"KeyId": ID, "Arn": arn}}, {"KeyId": alias})


@pytest.fixture
def kms() -> Iterator[Kms]:
    found = Kms()
    yield found
    found.stub.assert_no_pending_responses()


def decrypted(kms: Kms, wanted: str | None) -> bytes:
    return KmsDataKeys(kms).decrypt(b"e", wanted)  # type: ignore[arg-type]


FORMS = [ID, ARN, ALIAS, ALIAS_ARN]


@pytest.mark.parametrize("wanted", FORMS)
@pytest.mark.parametrize("answered", [ARN, OTHER])
def test_the_key_that_answers_is_the_key_that_is_named(kms: Kms, wanted: str, answered: str):
    kms.answers(answered, wanted)
    if "alias/" in wanted:
        kms.describes(wanted, ARN)
    if answered == ARN:
        assert decrypted(kms, wanted) == b"p"
        return
    with pytest.raises(BadPlanError, match=f"not encrypted with the KMS key {wanted}") as caught:
        decrypted(kms, wanted)
    assert caught.value.exit_code is ExitCode.BAD_PLAN


NEARLY = {
    "the end of an id": ID[1:],
    "another region": ARN.replace("eu-central-1", "us-east-1"),
    "another account": ARN.replace("111122223333", "444455556666"),
    "another partition": ARN.replace("arn:aws:", "arn:aws-cn:"),
    "an id in capitals": ID.upper(),
}


@pytest.mark.parametrize("wanted", NEARLY.values(), ids=NEARLY)
def test_a_name_that_is_nearly_the_keys_is_another(kms: Kms, wanted: str):
    kms.stub.add_response("decrypt", {"Plaintext": b"p", "KeyId": ARN})
    with pytest.raises(BadPlanError):
        decrypted(kms, wanted)


def test_without_a_name_whichever_key_it_was(kms: Kms):
    kms.answers(OTHER, None)
    assert decrypted(kms, None) == b"p"


@pytest.mark.parametrize("code", ["IncorrectKeyException", "InvalidCiphertextException"])
@pytest.mark.parametrize("wanted", [*FORMS, None])
def test_kms_says_so_itself(kms: Kms, code: str, wanted: str | None):
    kms.stub.add_client_error("decrypt", code)
    with pytest.raises(BadPlanError):
        decrypted(kms, wanted)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
@pytest.mark.parametrize("wanted", FORMS)
def test_a_key_that_may_not_be_used_proves_nothing(kms: Kms, code: str, wanted: str):
    """KMS answers so for keys of other accounts, too."""
    kms.stub.add_client_error("decrypt", code)
    with pytest.raises(BadPlanError, match=f"kms:Decrypt answers {code}") as caught:
        decrypted(kms, wanted)
    assert "the credentials may not use this one" in str(caught.value.hint)


def test_without_a_name_a_lack_of_permissions_is_one(kms: Kms):
    kms.stub.add_client_error("decrypt", "AccessDeniedException")
    with pytest.raises(ToolkitError, match="kms:Decrypt") as caught:
        decrypted(kms, None)
    assert caught.value.exit_code is ExitCode.ERROR


@pytest.mark.parametrize("code", ["DisabledException", "KMSInternalException", "ThrottlingException"])
def test_another_refusal_says_nothing_about_the_bundle(kms: Kms, code: str):
    kms.stub.add_client_error("decrypt", code)
    with pytest.raises(ToolkitError, match="kms:Decrypt") as caught:
        decrypted(kms, ALIAS)
    assert caught.value.exit_code is ExitCode.ERROR


def test_an_alias_that_cannot_be_looked_up_proves_nothing(kms: Kms):
    kms.answers(ARN, ALIAS)
    kms.stub.add_client_error("describe_key", "AccessDeniedException")
    with pytest.raises(ToolkitError, match="kms:DescribeKey"):
        decrypted(kms, ALIAS)


def test_a_data_key_is_made_for_plan_bundles_only(kms: Kms):
    kms.stub.add_response(
        "generate_data_key",
        {"Plaintext": b"p", "CiphertextBlob": b"e", "KeyId": ARN},
        {"KeyId": ALIAS, "KeySpec": "AES_256", "EncryptionContext": CONTEXT},
    )
    assert KmsDataKeys(kms).generate(ALIAS) == (b"p", b"e")  # type: ignore[arg-type]


SIGNING: dict[str, tuple[str, Any]] = {
    "RSA_2048": ("RSASSA_PSS_SHA_256", rsa.generate_private_key(65537, 2048)),
    "ECC_NIST_P256": ("ECDSA_SHA_256", ec.generate_private_key(ec.SECP256R1())),
    "ECC_SECG_P256K1": ("ECDSA_SHA_256", ec.generate_private_key(ec.SECP256K1())),
    "ECC_NIST_P384": ("ECDSA_SHA_384", ec.generate_private_key(ec.SECP384R1())),
    "ECC_NIST_P521": ("ECDSA_SHA_512", ec.generate_private_key(ec.SECP521R1())),
}
MANIFEST = b"a manifest" * 1000  # more than KMS takes as a message
DIGESTS: dict[str, Any] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def public_der(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def public_key(spec: str, **changed: Any) -> dict[str, Any]:
    algorithm, key = SIGNING[spec]
    return {
        "KeyId": ARN,
        "PublicKey": public_der(key),
        "KeySpec": spec,
        "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": [algorithm],
        **changed,
    }


def signature_of(key: Any, algorithm: str, digest: bytes) -> bytes:
    """What KMS makes of a digest."""
    kind = DIGESTS[algorithm[-3:]]
    if algorithm.startswith("RSA"):
        pss = padding.PSS(padding.MGF1(kind), kind.digest_size)
        return bytes(key.sign(digest, pss, utils.Prehashed(kind)))
    return bytes(key.sign(digest, ec.ECDSA(utils.Prehashed(kind))))


@pytest.mark.parametrize("spec", SIGNING)
@pytest.mark.parametrize("wanted", FORMS)
def test_the_digest_is_sent_and_what_the_public_key_verifies_is_taken(kms: Kms, spec: str, wanted: str):
    algorithm, key = SIGNING[spec]
    digest = hashlib.new(f"sha{algorithm[-3:]}", MANIFEST).digest()
    signature = signature_of(key, algorithm, digest)
    kms.stub.add_response("get_public_key", public_key(spec), {"KeyId": wanted})
    kms.stub.add_response(
        "sign",
        {"KeyId": ARN, "Signature": signature, "SigningAlgorithm": algorithm},
        {"KeyId": ARN, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": algorithm},
    )
    signer = KmsSigner(kms, wanted)  # type: ignore[arg-type]
    assert (signer.signed.algorithm, signer.signed.kms_key) == (algorithm, ARN)
    assert signer.signed.public_key_sha256 == hashlib.sha256(public_der(key)).hexdigest()
    assert signer.sign(MANIFEST) == signature
    assert PublicKey(key.public_key()).verifies(signature, MANIFEST)
    assert kms.region == ("eu-central-1" if wanted.startswith("arn:") else None)


def test_a_signature_that_does_not_verify_is_none(kms: Kms):
    kms.stub.add_response("get_public_key", public_key("ECC_NIST_P256"))
    other = signature_of(SIGNING["ECC_NIST_P256"][1], "ECDSA_SHA_256", hashlib.sha256(b"another").digest())
    kms.stub.add_response("sign", {"KeyId": ARN, "Signature": other, "SigningAlgorithm": "ECDSA_SHA_256"})
    with pytest.raises(ToolkitError, match="a signature that the public key of alias/plans does not verify"):
        KmsSigner(kms, ALIAS).sign(MANIFEST)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            public_key("RSA_2048", KeyUsage="ENCRYPT_DECRYPT", SigningAlgorithms=[]),
            "does not sign|that signs \\(ENCRYPT",
        ),
        (public_key("ECC_NIST_P256", KeyUsage="KEY_AGREEMENT"), "that signs \\(KEY_AGREEMENT\\)"),
        (
            public_key("ECC_NIST_P256", KeySpec="ML_DSA_65", PublicKey=b"x", SigningAlgorithms=["ML_DSA_SHAKE_256"]),
            "of the kind ML_DSA_65",
        ),
        (
            public_key(
                "ECC_NIST_P256",
                KeySpec="ECC_NIST_EDWARDS25519",
                PublicKey=bytes.fromhex("302a300506032b6570032100") + bytes(31) + b"\1",
                SigningAlgorithms=["ED25519_SHA_512", "ED25519_PH_SHA_512"],
            ),
            "of the kind ECC_NIST_EDWARDS25519",
        ),
    ],
)
def test_a_key_that_signs_no_manifest_is_refused_before_anything_is_read(
    kms: Kms, answer: dict[str, Any], message: str
):
    kms.stub.add_response("get_public_key", answer)
    with pytest.raises(UsageError, match=message):
        KmsSigner(kms, ALIAS)  # type: ignore[arg-type]


def test_a_symmetric_key_is_said_to_be_one(kms: Kms):
    kms.stub.add_client_error("get_public_key", "UnsupportedOperationException")
    with pytest.raises(UsageError, match="alias/plans is not a key that signs \\(symmetric\\)") as refused:
        KmsSigner(kms, ALIAS)  # type: ignore[arg-type]
    assert "SIGN_VERIFY" in str(refused.value.hint)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException", "DisabledException"])
@pytest.mark.parametrize("call", ["get_public_key", "sign"])
def test_a_refusal_to_sign_names_the_call(kms: Kms, code: str, call: str):
    if call == "sign":
        kms.stub.add_response("get_public_key", public_key("ECC_NIST_P256"))
    kms.stub.add_client_error(call, code)
    with pytest.raises(ToolkitError, match=f"kms:{'Sign' if call == 'sign' else 'GetPublicKey'} failed.*{code}"):
        KmsSigner(kms, ALIAS).sign(MANIFEST)  # type: ignore[arg-type]
