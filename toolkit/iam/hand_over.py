"""Who may do what with saved plans in S3: the job that plans only puts, the job that applies only gets.

In: a bucket and a prefix; a key that signs. Out: statements for two roles, and the bucket's policy. Pure.
`toolkit.permissions` prints them, docs/hand-over.md shows them; the tests judge them.

Sources: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"; Service Authorization Reference,
"Actions, resources, and condition keys for Amazon S3" (s3:if-none-match, s3:ResourceAccount); AWS KMS Developer Guide,
"kms:ViaService", and "Use aliases to control access to KMS keys" (kms:ResourceAliases).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Statements = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class PlanStore:
    """Where plans are saved.

    Attributes:
        bucket: Its name.
        owner: Account that owns it.
        prefix: Empty, or one that ends in a slash: of `--out s3://BUCKET/PREFIX/`.
        kms_key: ARN of the key with which S3 encrypts, or of an alias; None: it is not KMS that does.
        partition: Of the account.
    """

    bucket: str
    owner: str
    prefix: str = ""
    kms_key: str | None = None
    partition: str = "aws"

    @property
    def arn(self) -> str:
        """Of the bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket}"

    def plans_of(self, environment: str) -> str:
        """ARN of every plan of an environment."""
        return f"{self.arn}/{self.prefix}{environment}/*"


def put_only(store: PlanStore, environment: str) -> Statements:
    """What the plan role of an environment needs: save a plan where there is none. It reads and lists nothing."""
    owned = {"StringEquals": {"s3:ResourceAccount": store.owner}}
    put = {
        "Sid": "PutPlans",
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": store.plans_of(environment),
        "Condition": {"Null": {"s3:if-none-match": "false"}, **owned},
    }
    return put, *_kms(store, "EncryptPlans", "kms:GenerateDataKey")


def get_only(store: PlanStore, environment: str) -> Statements:
    """What the apply role of an environment needs: read a plan whose name it knows. It saves and lists nothing."""
    get = {
        "Sid": "GetPlans",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": store.plans_of(environment),
        "Condition": {"StringEquals": {"s3:ResourceAccount": store.owner}},
    }
    return get, *_kms(store, "DecryptPlans", "kms:Decrypt")


def sign_only(key: str) -> Statements:
    """What the plan role needs to sign with a KMS key: its ARN, or that of an alias."""
    return (_of_key(key, "SignPlans", ["kms:GetPublicKey", "kms:Sign"]),)


def verify_only(key: str) -> Statements:
    """What the apply role needs to verify what a KMS key signed."""
    return (_of_key(key, "VerifyPlans", "kms:GetPublicKey"),)


def key_arn(key: str, account_id: str, region: str, partition: str) -> str:
    """The ARN of a KMS key, or of its alias, however people name it.

    Args:
        key: Id, alias or ARN.
        account_id: Where it is, unless it says so itself.
        region: The same.
        partition: The same.
    """
    if key.startswith("arn:"):
        return key
    path = key if key.startswith(("alias/", "key/")) else f"key/{key}"
    return f"arn:{partition}:kms:{region}:{account_id}:{path}"


def bucket_policy(store: PlanStore) -> dict[str, Any]:
    """What holds for every caller: nothing is replaced or deleted; a lifecycle rule, which is no caller, may delete."""
    plans = f"{store.arn}/{store.prefix}*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DenyReplacing",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": plans,
                "Condition": {"Null": {"s3:if-none-match": "true"}},
            },
            {
                "Sid": "DenyDeleting",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                "Resource": plans,
            },
            {
                "Sid": "DenyInsecureTransport",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [store.arn, f"{store.arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _kms(store: PlanStore, sid: str, action: str) -> Statements:
    if store.kms_key is None:
        return ()
    suffix = "amazonaws.com.cn" if store.partition == "aws-cn" else "amazonaws.com"
    return (_of_key(store.kms_key, sid, action, {"StringLike": {"kms:ViaService": f"s3.*.{suffix}"}}),)


def _of_key(arn: str, sid: str, action: str | list[str], conditions: dict[str, Any] | None = None) -> dict[str, Any]:
    """A statement about a key. A Resource cannot name one by its alias: a condition on the key's aliases does.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    conditions = dict(conditions or {})
    before, found, alias = arn.partition(":alias/")
    if found:
        arn = f"{before}:key/*"
        conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": f"alias/{alias}"}
    allowed = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": arn}
    return {**allowed, "Condition": conditions} if conditions else allowed
