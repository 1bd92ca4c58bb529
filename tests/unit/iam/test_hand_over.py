"""Saved plans in S3: the plan role only puts, the apply role only gets, and nothing is replaced, listed or deleted.

Every statement is needed: without any one of them, a row changes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate
from toolkit.iam.hand_over import PlanStore, bucket_policy, get_only, key_arn, put_only, sign_only, verify_only

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STORE = PlanStore("example-plans", ACCOUNT, "ci/", KEY)
BUCKET = "arn:aws:s3:::example-plans"
PROD, DEV = f"{BUCKET}/ci/prod/{'a' * 64}.tfbundle", f"{BUCKET}/ci/dev/{'a' * 64}.tfbundle"
PUT, GET = put_only(STORE, "prod"), get_only(STORE, "prod")
NEW = {"s3:if-none-match": "*"}
BY_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
ROLES = {name: f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ci" for name in ("plan", "apply", "admin")}
IDENTITY: dict[str, Any] = {"plan": PUT, "apply": GET, "admin": ({"Effect": "Allow", "Action": "*", "Resource": "*"},)}

OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}],
}
"""The policy of a bucket that somebody made to catch plans, after ours of that name was deleted."""

Row = tuple[str, str, str, dict[str, Any], str, bool]

ROWS: list[Row] = [
    # caller, action, resource, context, owner of the bucket, allowed
    ("plan", "s3:PutObject", PROD, NEW, ACCOUNT, True),
    ("plan", "s3:PutObject", PROD, {}, ACCOUNT, False),  # could replace an object
    ("plan", "s3:PutObject", PROD, {"s3:if-match": "etag"}, ACCOUNT, False),
    ("plan", "s3:PutObject", PROD, NEW, OTHER, False),  # another account's bucket of that name
    ("plan", "s3:PutObject", DEV, NEW, ACCOUNT, False),
    ("plan", "s3:PutObject", f"{BUCKET}/terraform.tfstate", NEW, ACCOUNT, False),
    ("plan", "kms:GenerateDataKey", KEY, BY_S3, ACCOUNT, True),
    ("plan", "kms:GenerateDataKey", KEY, {}, ACCOUNT, False),  # for something else than S3
    ("plan", "kms:Decrypt", KEY, BY_S3, ACCOUNT, False),
    *(
        ("plan", action, PROD, NEW, ACCOUNT, False)
        for action in (
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:PutObjectAcl",
            "s3:PutObjectTagging",
            "s3:PutObjectRetention",
            "s3:RestoreObject",
        )
    ),
    ("apply", "s3:GetObject", PROD, {}, ACCOUNT, True),
    ("apply", "s3:GetObject", PROD, {}, OTHER, False),
    ("apply", "s3:GetObject", DEV, {}, ACCOUNT, False),
    ("apply", "kms:Decrypt", KEY, BY_S3, ACCOUNT, True),
    ("apply", "kms:Decrypt", KEY, {}, ACCOUNT, False),
    ("apply", "kms:GenerateDataKey", KEY, BY_S3, ACCOUNT, False),
    *(
        ("apply", action, PROD, NEW, ACCOUNT, False)
        for action in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl")
    ),
    *(
        (role, action, BUCKET, {}, ACCOUNT, False)
        for role in ("plan", "apply")
        for action in ("s3:ListBucket", "s3:ListBucketVersions", "s3:PutBucketPolicy", "s3:PutBucketVersioning")
    ),
    # The bucket's policy holds for those, too, who may do everything.
    ("admin", "s3:GetObject", PROD, {}, ACCOUNT, True),
    ("admin", "s3:PutObject", PROD, NEW, ACCOUNT, True),
    ("admin", "s3:PutObject", PROD, {}, ACCOUNT, False),
    ("admin", "s3:DeleteObject", PROD, {}, ACCOUNT, False),
    ("admin", "s3:DeleteObjectVersion", PROD, {}, ACCOUNT, False),
    ("admin", "s3:GetObject", PROD, {"aws:SecureTransport": "false"}, ACCOUNT, False),
    ("admin", "s3:DeleteObject", f"{BUCKET}/else", {}, ACCOUNT, True),
]


def document(statements: Any) -> PolicyDocument:
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allowed(row: Row, identity: dict[str, Any] = IDENTITY, bucket: dict[str, Any] | None = None) -> bool:
    caller, action, resource, context, owner, _ = row
    resource_policy = None
    if action.startswith("s3:"):
        given = (bucket or bucket_policy(STORE)) if owner == ACCOUNT else OPEN
        resource_policy = PolicyDocument.parse(given, kind=PolicyKind.RESOURCE)
    request = Request(
        ROLES[caller],
        action,
        resource,
        {"aws:SecureTransport": "true", "s3:ResourceAccount": owner, **context},
        resource_account=ACCOUNT if action.startswith("kms:") else owner,
    )
    policies = Policies((document(identity[caller]),), resource=resource_policy)
    return evaluate(request, policies).decision is Decision.ALLOW


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]} {row[2][-30:]} {sorted(row[3])} {row[4]}")
def test_who_may_do_what(row: Row):
    assert allowed(row) == row[5]


def weakened() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every statement left out, and every condition."""
    found = []
    for name, statements in (("plan", PUT), ("apply", GET)):
        for i, one in enumerate(statements):
            rest = tuple(s for j, s in enumerate(statements) if j != i)
            found.append((f"{one['Sid']} left out", {**IDENTITY, name: rest}, bucket_policy(STORE)))
            for operator in one["Condition"]:
                conditions = {k: v for k, v in one["Condition"].items() if k != operator}
                changed = tuple(one | {"Condition": conditions} if j == i else s for j, s in enumerate(statements))
                # Without the bucket's policy, which denies some of it a second time.
                open_bucket = bucket_policy(STORE) | {"Statement": bucket_policy(STORE)["Statement"][1:]}
                found.append((f"{one['Sid']} without {operator}", {**IDENTITY, name: changed}, open_bucket))
    for one in bucket_policy(STORE)["Statement"]:
        rest = [s for s in bucket_policy(STORE)["Statement"] if s is not one and s != one]
        found.append((f"{one['Sid']} left out", IDENTITY, bucket_policy(STORE) | {"Statement": rest}))
    return found


@pytest.mark.parametrize(("name", "identity", "bucket"), weakened(), ids=[one[0] for one in weakened()])
def test_every_statement_and_condition_is_needed(name: str, identity: dict[str, Any], bucket: dict[str, Any]):
    callers = ("plan", "apply") if identity is not IDENTITY else ("admin",)
    assert any(allowed(row, identity, bucket) != row[5] for row in ROWS if row[0] in callers), name


def test_the_roles_do_without_the_buckets_policy():
    """In the same account, the roles' own policies grant: no other role gets anything by the bucket's."""
    for row in ROWS:
        if row[0] != "admin":
            caller, action, resource, context, owner, expected = row
            request = Request(
                ROLES[caller], action, resource, {"s3:ResourceAccount": owner, **context}, resource_account=ACCOUNT
            )
            decided = evaluate(request, Policies((document(IDENTITY[caller]),))).decision is Decision.ALLOW
            assert decided == expected, row


def test_without_a_kms_key_and_in_china():
    plain = PlanStore("b", ACCOUNT)
    assert [s["Sid"] for s in (*put_only(plain, "prod"), *get_only(plain, "prod"))] == ["PutPlans", "GetPlans"]
    assert put_only(plain, "prod")[0]["Resource"] == "arn:aws:s3:::b/prod/*"
    key = f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    china = get_only(PlanStore("b", ACCOUNT, "", key, "aws-cn"), "prod")
    assert china[0]["Resource"] == "arn:aws-cn:s3:::b/prod/*"
    assert china[1]["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com.cn"}}


SIGNER = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{'1' * 8}-1111-1111-1111-{'1' * 12}"
NAMED = {"kms:ResourceAliases": ["alias/plans", "alias/other"]}


@pytest.mark.parametrize(
    ("key", "context", "others"),
    [(SIGNER, {}, NAMED), (key_arn("alias/plans", ACCOUNT, "eu-central-1", "aws"), NAMED, {})],
)
def test_one_side_signs_and_the_other_verifies(key: str, context: dict[str, Any], others: dict[str, Any]):
    """With this key alone, also where people name it by its alias, which no Resource can."""
    rights = {"plan": document(sign_only(key)), "apply": document(verify_only(key))}

    def may(who: str, action: str, resource: str, keys: dict[str, Any]) -> bool:
        request = Request(ROLES[who], action, resource, keys, resource_account=ACCOUNT)
        return evaluate(request, Policies((rights[who],))).decision is Decision.ALLOW

    for who, action, expected in (
        ("plan", "kms:Sign", True),
        ("plan", "kms:GetPublicKey", True),
        ("plan", "kms:Decrypt", False),
        ("apply", "kms:GetPublicKey", True),
        ("apply", "kms:Sign", False),
    ):
        assert may(who, action, SIGNER, context) == expected, (who, action)
        assert not may(who, action, KEY, others), "another key"


def test_a_key_is_named_in_each_way():
    assert key_arn(KEY, OTHER, "us-east-1", "aws-cn") == KEY
    for given, path in (("1-2", "key/1-2"), ("key/1-2", "key/1-2"), ("alias/a/b", "alias/a/b")):
        assert key_arn(given, ACCOUNT, "*", "aws-cn") == f"arn:aws-cn:kms:*:{ACCOUNT}:{path}"
    # S3 names the key by its ARN where it decrypts, so that an alias in a request would not be there.
    (_, decrypt) = get_only(PlanStore("b", ACCOUNT, kms_key=key_arn("alias/x", ACCOUNT, "*", "aws")), "prod")
    assert decrypt["Resource"] == f"arn:aws:kms:*:{ACCOUNT}:key/*"
    assert decrypt["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/x"}


@pytest.mark.parametrize(
    ("name", "made"), [("put-only", list(PUT)), ("get-only", list(GET)), ("bucket-policy", bucket_policy(STORE))]
)
def test_the_documentation_shows_these(name: str, made: Any):
    text = (Path(__file__).parents[3] / "docs" / "hand-over.md").read_text("utf-8")
    found = re.search(rf"<!-- BEGIN {name} -->\n```json\n(.*?)```\n<!-- END {name} -->", text, re.DOTALL)
    assert found is not None
    assert json.loads(found[1]) == made
