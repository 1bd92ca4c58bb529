"""What the Terraform state needs: of the account that has it, in its bucket.

In: an environment's backend. Out: statements. Pure. The objects are those of Terraform's S3 backend:
https://developer.hashicorp.com/terraform/language/backend/s3#permissions-required (2026-11-29)
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.environment import Environment, S3Backend, default_state_key
from toolkit.permissions.model import Purpose, Statement
from toolkit.regions import partition_of


def state_statements(environment: Environment, backend: S3Backend, purpose: Purpose) -> Iterator[Statement]:
    """What a purpose does with the state: a plan locks it, an apply writes it."""
    partition = partition_of(backend.region) or environment.regions.partition
    bucket = f"arn:{partition}:s3:::{backend.bucket}"
    key = f"{bucket}/{backend.key or default_state_key(environment.name)}"
    yield Statement("StateBucket", ("s3:ListBucket",), (bucket,))
    if purpose is Purpose.APPLY:
        yield Statement("State", ("s3:GetObject", "s3:PutObject"), (key,))
    else:
        yield Statement("State", ("s3:GetObject",), (key,))
    if purpose is not Purpose.DISCOVER:
        yield Statement("StateLock", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), (f"{key}.tflock",))
    if backend.kms_key_id is not None:
        yield _key(backend, backend.kms_key_id, backend.account_id or environment.account_id, partition, purpose)


def _key(backend: S3Backend, key: str, owner: str, partition: str, purpose: Purpose) -> Statement:
    """The key that encrypts the state, as S3 uses it on behalf of who reads and writes; never an alias."""
    service = f"s3.{backend.region}.{_SUFFIX.get(partition, 'amazonaws.com')}"
    resource = key if key.startswith("arn:") else f"arn:{partition}:kms:{backend.region}:{owner}:key/{key}"
    # The lock is an encrypted object, too, so that a plan encrypts.
    actions = ("kms:Decrypt",) if purpose is Purpose.DISCOVER else ("kms:Decrypt", "kms:GenerateDataKey")
    return Statement("StateKey", actions, (resource,), {"StringEquals": {"kms:ViaService": service}})


_SUFFIX = {"aws-cn": "amazonaws.com.cn"}
