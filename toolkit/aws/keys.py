"""KMS data keys for plan bundles."""

from __future__ import annotations

from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory

_CONTEXT = {"aws-baseline-toolkit": "plan-bundle"}
"""Encryption context: a key policy can limit the key to this use (kms:EncryptionContext)."""


class KmsDataKeys:
    """Data keys of KMS, asked with the credentials of an environment."""

    def __init__(self, clients: ClientFactory) -> None:
        self._clients = clients

    def generate(self, key_id: str) -> tuple[bytes, bytes]:
        """(plain, encrypted) data key of 256 bits; raises ToolkitError where KMS refuses."""
        kms = self._clients.client("kms")
        answer = asked(
            "kms:GenerateDataKey",
            lambda: kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=_CONTEXT),
        )
        return answer["Plaintext"], answer["CiphertextBlob"]

    def decrypt(self, encrypted: bytes) -> bytes:
        """The plain data key; raises ToolkitError where KMS refuses."""
        kms = self._clients.client("kms")
        answer = asked("kms:Decrypt", lambda: kms.decrypt(CiphertextBlob=encrypted, EncryptionContext=_CONTEXT))
        plain: bytes = answer["Plaintext"]
        return plain
