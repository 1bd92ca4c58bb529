"""Readers of S3: buckets, and the account's block of public access."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _bucket(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "bucket")
    buckets = clients.client("s3", change.region).list_buckets()["Buckets"]
    # Another account's bucket of that name cannot be seen from here; AWS then refuses the create.
    if not any(b["Name"] == name for b in buckets):
        return None
    return Existing({}, False, str(name), f"the bucket {name!r}")


def _account_public_access_block(clients: ClientFactory, _change: Change) -> Existing | None:
    control = clients.client("s3control")
    account = clients.account_id
    try:
        block = control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    except control.exceptions.NoSuchPublicAccessBlockConfiguration:
        return None
    values = {
        "block_public_acls": block.get("BlockPublicAcls", False),
        "block_public_policy": block.get("BlockPublicPolicy", False),
        "ignore_public_acls": block.get("IgnorePublicAcls", False),
        "restrict_public_buckets": block.get("RestrictPublicBuckets", False),
    }
    return Existing(values, True, account, "the account's block of public access to S3")


READERS: dict[str, Reader] = {
    "aws_s3_bucket": _bucket,
    "aws_s3_account_public_access_block": _account_public_access_block,
}
