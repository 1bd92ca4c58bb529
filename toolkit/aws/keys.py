"""KMS: data keys for plan bundles, signatures of bundles and of evidence packs."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import AwsSession
from toolkit.errors import BadPlanError, ToolkitError, UsageError
from toolkit.signing import ALGORITHMS, PublicKey, Signed, public_key_from_der

_CONTEXT = {"aws-baseline-toolkit": "plan-bundle"}
"""Encryption context: a key policy can limit the key to this use (kms:EncryptionContext)."""

_ANOTHER_KEY = ("IncorrectKeyException", "InvalidCiphertextException")
_PERHAPS_ANOTHER_KEY = ("AccessDeniedException", "NotFoundException")
"""KMS does not tell "no such key" and "another account's key" from a lack of permissions."""


class KmsDataKeys:
    """Data keys of KMS, asked with the credentials of an environment."""

    def __init__(self, clients: AwsSession) -> None:
        self._clients = clients

    def generate(self, key_id: str) -> tuple[bytes, bytes]:
        """(plain, encrypted) data key of 256 bits; raises ToolkitError where KMS refuses."""
        kms = self._clients.client("kms")
        answer = asked(
            "kms:GenerateDataKey",
            lambda: kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=_CONTEXT),
        )
        return answer["Plaintext"], answer["CiphertextBlob"]

    def decrypt(self, encrypted: bytes, key_id: str | None) -> bytes:
        """The plain data key.

        With a KeyId, KMS itself refuses what another key encrypted; the key that it answers is compared all the same.
        https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html

        Args:
            encrypted: As `generate` gave it.
            key_id: Id, ARN, alias or alias's ARN of the key that must have encrypted it; None: whichever has.

        Raises:
            BadPlanError: Another key has, or the named one cannot be used; or it was changed.
            ToolkitError: KMS refuses for another reason.
        """
        kms = self._clients.client("kms")
        wanted = {} if key_id is None else {"KeyId": key_id}

        def ask() -> dict[str, Any] | str:
            """KMS's answer, or the code of an error that says that the key is another one."""
            try:
                answer: dict[str, Any] = kms.decrypt(CiphertextBlob=encrypted, EncryptionContext=_CONTEXT, **wanted)
            except kms.exceptions.ClientError as e:
                code = str(e.response["Error"]["Code"])
                if code in _ANOTHER_KEY or (key_id is not None and code in _PERHAPS_ANOTHER_KEY):
                    return code
                raise
            return answer

        answer = asked("kms:Decrypt", ask)
        if isinstance(answer, str) or (key_id is not None and not self._is(answer["KeyId"], key_id)):
            if answer in _PERHAPS_ANOTHER_KEY:
                problem = f"cannot be decrypted with the KMS key {key_id}: kms:Decrypt answers {answer}"
                hint = "another key encrypted it, or the credentials may not use this one"
            elif key_id is not None:
                problem = f"not encrypted with the KMS key {key_id}"
                hint = "plan again with the key, or give the key that it was made with"
            else:
                problem, hint = (
                    "KMS cannot decrypt its data key: it was changed, or is not of a plan bundle",
                    "plan again",
                )
            raise BadPlanError(problem, hint=f"nothing was applied; {hint}")
        plain: bytes = answer["Plaintext"]
        return plain

    def _is(self, arn: str, key_id: str) -> bool:
        """Whether an ARN, which is what KMS always answers, is that of a key as people name it."""
        name = key_id.rpartition(":")[2]
        if name.startswith("alias/"):
            kms = self._clients.client("kms")
            found = asked("kms:DescribeKey", lambda: kms.describe_key(KeyId=key_id))
            return bool(found["KeyMetadata"]["Arn"] == arn)
        return arn == key_id if key_id.startswith("arn:") else arn.rpartition(":")[2] == f"key/{key_id}"


class KmsPublicKey:
    """The public half of an asymmetric key of KMS, which verifies offline."""

    def __init__(self, clients: AwsSession, key_id: str, *, option: str) -> None:
        """Args:
        clients: Of the account whose credentials may read the key.
        key_id: Id, ARN, alias or alias's ARN of the key.
        option: What named the key, for errors.

        Raises:
            UsageError: It is not a key that signs, or not one whose signatures can be verified offline.
            ToolkitError: KMS refuses.
        """
        # An ARN says in which region its key is.
        self.kms = clients.client("kms", key_id.split(":")[3] if key_id.startswith("arn:") else None)
        self._key_id, self._option = key_id, option
        answer = asked("kms:GetPublicKey", self._public_key)
        usage = answer if isinstance(answer, str) else answer["KeyUsage"]
        if isinstance(answer, str) or usage != "SIGN_VERIFY":
            raise UsageError(
                f"{option}: {key_id} is not a key that signs ({usage})",
                hint="expected an asymmetric key with the usage SIGN_VERIFY, such as ECC_NIST_P256 or RSA_3072",
            )
        public: PublicKey | None = None
        with contextlib.suppress(UsageError, ValueError):  # of a kind that `cryptography` may not even know
            public = public_key_from_der(answer["PublicKey"])
        if public is None or public.algorithm not in answer.get("SigningAlgorithms", ()):
            raise UsageError(
                f"{option}: {key_id} is a key of the kind {answer.get('KeySpec', 'unknown')}, which signs no manifest",
                hint=f"expected a key that signs with one of {', '.join(ALGORITHMS)}",
            )
        self.arn: str = answer["KeyId"]
        self.key = public

    def _public_key(self) -> dict[str, Any] | str:
        """KMS's answer, or why the key is of another kind."""
        try:
            answer: dict[str, Any] = self.kms.get_public_key(KeyId=self._key_id)
        except self.kms.exceptions.ClientError as e:
            code = str(e.response["Error"]["Code"])
            if code == "UnsupportedOperationException":  # what a symmetric key answers
                return "symmetric"
            if code in _PERHAPS_ANOTHER_KEY:
                raise ToolkitError(
                    f"kms:GetPublicKey failed: {code} for {self._key_id} ({self._option})",
                    hint="the credentials lack kms:GetPublicKey on it, or it is in another account or region: its ARN "
                    "names both",
                ) from e
            raise
        return answer


class KmsSigner:
    """Signs with an asymmetric key of KMS, which never leaves it; its public key verifies offline."""

    def __init__(self, clients: AwsSession, key_id: str, *, option: str = "--kms-key") -> None:
        """Args:
        clients: Of the account whose credentials may use the key.
        key_id: Id, ARN, alias or alias's ARN of the key.
        option: What named the key, for errors.

        Raises:
            UsageError: As `KmsPublicKey`.
            ToolkitError: KMS refuses.
        """
        self._public = KmsPublicKey(clients, key_id, option=option)
        self._key_id = key_id

    @property
    def signed(self) -> Signed:
        """See `toolkit.signing.Signer`."""
        return Signed(self._public.key.algorithm, self._public.key.fingerprint, self._public.arn)

    def sign(self, data: bytes) -> bytes:
        """The signature of these bytes, verified: KMS gets their digest, since it takes no more than 4,096 bytes.

        https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html

        Raises:
            ToolkitError: KMS refuses, or answers something else.
        """
        algorithm = self._public.key.algorithm
        digest = hashlib.new(ALGORITHMS[algorithm], data).digest()
        answer = asked(
            "kms:Sign",
            lambda: self._public.kms.sign(
                KeyId=self._public.arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm
            ),
        )
        signature: bytes = answer["Signature"]
        if not self._public.key.verifies(signature, data):
            raise ToolkitError(
                f"kms:Sign answered a signature that the public key of {self._key_id} does not verify",
                hint="nothing was written; check the endpoint and the proxy",
            )
        return signature
