"""Keys that an account has: its own, and those that a scan may not look into."""

from __future__ import annotations

import json

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.resources.reading import Live, Reason, Unreadable

from .conftest import ENVIRONMENT, REGION, client

pytestmark = pytest.mark.usefixtures("aws")


def keys(session: AwsSession) -> list[Live | Unreadable]:
    return list(Inventory(session).every(["aws_kms_key"], [REGION]))


def test_keys_with_rotation_and_policy_but_not_those_that_wait_for_their_deletion():
    kms = client("kms")
    rotating, plain, signing, deleted = (
        kms.create_key(**more)["KeyMetadata"]["KeyId"]
        for more in ({}, {"Description": "logs"}, {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"}, {})
    )
    kms.enable_key_rotation(KeyId=rotating)
    kms.schedule_key_deletion(KeyId=deleted)
    found = {one.key["key_id"]: one.values for one in keys(AwsSession(ENVIRONMENT, {})) if isinstance(one, Live)}
    assert {key: values["enable_key_rotation"] for key, values in found.items()} == {
        rotating: True,
        plain: False,
        signing: False,
    }
    assert found[plain]["description"] == "logs"
    assert json.loads(found[plain]["policy"])["Statement"]


def test_a_key_whose_policy_lets_nobody_in_is_unreadable_and_the_others_are_not():
    """A key's policy decides, whatever IAM allows."""
    kms = client("kms")
    shut, open_to_us = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    session = AwsSession(ENVIRONMENT, {})

    def refuses(params: dict[str, str], **_: object) -> None:
        from botocore.exceptions import ClientError

        if params["KeyId"] == shut:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": f"not on {shut}"}}, "DescribeKey")

    session.client("kms", REGION).meta.events.register("provide-client-params.kms.DescribeKey", refuses)
    unread, read = keys(session)
    assert isinstance(unread, Unreadable)
    assert (unread.type, unread.call, unread.reason) == ("aws_kms_key", "kms:DescribeKey", Reason.DENIED)
    assert shut in unread.message
    assert isinstance(read, Live)
    assert read.key == {"key_id": open_to_us}


def test_one_key_by_its_id():
    kms = client("kms")
    there, deleted = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.schedule_key_deletion(KeyId=deleted)
    inventory = Inventory(AwsSession(ENVIRONMENT, {}))

    def find(key: str) -> Live | Unreadable | None:
        return inventory.find("aws_kms_key", REGION, {"key_id": key})

    assert isinstance(one := find(there), Live)
    assert one.import_id == there
    assert find(deleted) is find("1234abcd-12ab-34cd-56ef-1234567890ab") is None
