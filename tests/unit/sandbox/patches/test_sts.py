"""What AWS does and moto does not: STS."""

from __future__ import annotations

import os
from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import sts

REGION = "eu-central-1"


def sessions_belong_to_their_roles_account() -> bool:
    os.environ["MOTO_ACCOUNT_ID"] = "444455556666"
    try:
        role = "arn:aws:iam::999999999999:role/state"
        session = boto3.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        there = boto3.client(
            "sts",
            REGION,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        here = boto3.client("sts", REGION).get_caller_identity()["Account"]
        return (here, there.get_caller_identity()["Account"]) == ("444455556666", "999999999999")
    finally:
        del os.environ["MOTO_ACCOUNT_ID"]


CASES: dict[str, Callable[[], bool]] = {
    "sts-session-of-another-account": sessions_belong_to_their_roles_account,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(sts.PATCHES, CASES, name)
