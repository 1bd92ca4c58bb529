"""Data keys of KMS: only the key that is named decrypts, however it is named. botocore's Stubber answers for AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.keys import KmsDataKeys
from toolkit.errors import BadPlanError, ExitCode, ToolkitError

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

    def client(self, service: str) -> Any:
        assert service == "kms"
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
