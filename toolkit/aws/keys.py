"""KMS data keys for plan bundles."""

from __future__ import annotations

from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import AwsSession
from toolkit.errors import BadPlanError

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
