"""KMS keys that the account made: their rotation, their policies, and those that wait for their deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from toolkit.audit.facts import Fact, each
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import Condition, PolicyDocument, PolicyError, PolicyKind, Statement
from toolkit.iam.conditions import SetOperator
from toolkit.plan.facts import Source
from toolkit.resources.kms import own_key_ids
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/kms/latest/developerguide/"


@dataclass(frozen=True)
class Keys(Fact):
    """Every customer managed key of a region, as DescribeKey has it.

    AWS managed keys are told from these by their aliases, which saves a call for each.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """

    region: str

    named = "every KMS key in {region}"
    calls = ("kms:ListAliases", "kms:ListKeys", "kms:DescribeKey")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The keys, with `state`, `spec`, `origin` and `deletion_date`."""
        return _of_own_keys(source, self.region, lambda one: _live(self.region, one, _described(one)))


@dataclass(frozen=True)
class KeyRotations(Fact):
    """Every customer managed key of a region, with whether it `rotates`; None: its kind never does.

    "You cannot enable automatic rotation of asymmetric KMS keys, HMAC KMS keys, KMS keys with imported key material, or
    KMS keys in a custom key store."
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """

    region: str

    named = "the rotation of every KMS key in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return (*Keys(self.region).actions, "kms:GetKeyRotationStatus")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The keys."""

        def rotation(one: Mapping[str, Any]) -> Live:
            values = _described(one)
            if values["state"] != "Enabled" or (values["spec"], values["origin"]) != ("SYMMETRIC_DEFAULT", "AWS_KMS"):
                return _live(self.region, one, {**values, "rotates": None})
            answer = source.call("kms", "get_key_rotation_status", self.region, KeyId=one["KeyId"]) or {}
            return _live(self.region, one, {**values, "rotates": answer["KeyRotationEnabled"]})

        return _of_own_keys(source, self.region, rotation)


@dataclass(frozen=True)
class KeyPolicies(Fact):
    """Every customer managed key of a region, with its `policy`.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
    """

    region: str

    named = "the policy of every KMS key in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return (*Keys(self.region).actions, "kms:GetKeyPolicy")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The keys."""

        def policy(one: Mapping[str, Any]) -> Live:
            answer = source.call("kms", "get_key_policy", self.region, KeyId=one["KeyId"], PolicyName="default") or {}
            return _live(self.region, one, {**_described(one), "policy": answer["Policy"]})

        return _of_own_keys(source, self.region, policy)


def _of_own_keys(source: Source, region: str, read: Callable[[Mapping[str, Any]], Live]) -> tuple[Any, ...]:
    """What is read of each customer managed key.

    A key's policy may let in nobody who audits, whatever IAM allows: that key is unreadable then, the others are not.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    def of_key(key: str) -> Live | None:
        found = (source.call("kms", "describe_key", region, KeyId=key) or {})["KeyMetadata"]
        return read(found) if found["KeyManager"] == "CUSTOMER" else None

    found = each(source, of_key, own_key_ids(source, region), lambda key: f"the key {key}")
    return tuple(one for one in found if one is not None)


def _described(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "state": found["KeyState"],
        "spec": found["KeySpec"],
        "origin": found["Origin"],
        "deletion_date": found.get("DeletionDate"),
    }


def _live(region: str, found: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    key = found["KeyId"]
    return Live({"key_id": key}, values, f"the key {key}", key, found["Arn"], type="aws_kms_key", region=region)


def _rotation_needs(scope: Scope) -> Iterator[Fact]:
    yield KeyRotations(scope.region)


def _rotation(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    rotatable = [one for one in answers.each(KeyRotations(scope.region)) if one.values["rotates"] is not None]
    fixed = [one for one in rotatable if not one.values["rotates"]]
    yield from (Outcome(Status.FAIL, f"{one.called} does not rotate", one) for one in fixed)
    if rotatable and not fixed:
        yield Outcome(Status.PASS, f"all {len(rotatable):,} keys rotate")


def _policy_needs(scope: Scope) -> Iterator[Fact]:
    yield KeyPolicies(scope.region)


def _policies(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    keys = answers.each(KeyPolicies(scope.region))
    wrong = False
    for key in keys:
        try:
            document = PolicyDocument.parse(key.values["policy"], name=key.called, kind=PolicyKind.RESOURCE)
        except PolicyError as e:
            wrong = True
            yield Outcome(Status.UNKNOWN, f"the policy of {key.called} cannot be understood: {e}", key)
            continue
        public = [statement for statement in document.statements if lets_in_everyone(statement)]
        if public:
            wrong = True
            labels = ", ".join(statement.label for statement in public)
            said = f"the policy of {key.called} lets in every AWS account: {labels}"
            yield Outcome(Status.FAIL, said, key, facts=tuple(map(digest, public)))
    if keys and not wrong:
        yield Outcome(Status.PASS, f"no policy of {len(keys):,} keys lets in every AWS account")


def digest(statement: Statement) -> str:
    """What a statement says, whatever it is called and wherever it stands: one with one more action is another one."""
    return f"sha256:{sha256(repr(replace(statement, index=0, sid=None)).encode()).hexdigest()}"


_OF_CALLERS = frozenset(
    key.lower()
    for key in (
        "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceAccount",
        "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpce",
        "aws:userid", "kms:CallerAccount",
    )
)  # fmt: skip
"""Condition keys that tell callers of other accounts apart.

kms:ViaService is none of these: every account's users reach a key through a service.
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html ("The meaning of public")
"""


def lets_in_everyone(statement: Statement) -> bool:
    """Whether a statement of a resource's policy allows something to principals of any account."""
    if statement.effect != "Allow":
        return False
    everyone = statement.not_principals is not None or (
        statement.principals is not None and (statement.principals.everyone or "*" in statement.principals.aws)
    )
    return everyone and not any(map(chooses_callers, statement.conditions))


def chooses_callers(condition: Condition) -> bool:
    """Whether only some callers meet a condition: a key of theirs has one of some fixed values."""
    if condition.operator.negated or condition.if_exists or condition.set_operator is SetOperator.ALL:
        return False
    is_text = condition.operator.name.startswith(("String", "Arn"))
    return (
        is_text
        and condition.key.lower() in _OF_CALLERS
        and all(_is_fixed(condition.key.lower(), value) for value in condition.values)
    )


def _is_fixed(key: str, value: str) -> bool:
    """The account of an ARN, the organization of a path, or all else is spelled out; "*" and variables stand for any.

    Paths within an organization end with a wildcard in AWS's own examples: "o-a1b2c3d4e5/*".
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    if "${" in value:
        return False
    if key in ("aws:principalorgpaths", "aws:sourceorgpaths"):
        return not set("*?") & set(value.split("/", maxsplit=1)[0])
    parts = value.split(":")
    if value.startswith("arn:") and len(parts) > 5:
        # Those of S3 have no account; the names of buckets are unique.
        return not set("*?") & set(parts[4] or parts[5].split("/")[0])
    return not set("*?") & set(value)


def _deletion_needs(scope: Scope) -> Iterator[Fact]:
    yield Keys(scope.region)


def _deletion(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    keys = answers.each(Keys(scope.region))
    waiting = [one for one in keys if one.values["state"] in ("PendingDeletion", "PendingReplicaDeletion")]
    for one in waiting:
        day = one.values["deletion_date"]
        when = f"on {day:%Y-%m-%d}" if day else "once its replicas are deleted"
        yield Outcome(Status.FAIL, f"KMS will delete {one.called} {when}", one)
    if keys and not waiting:
        yield Outcome(Status.PASS, f"none of {len(keys):,} keys is pending deletion")


def _check(
    name: str,
    title: str,
    severity: Severity,
    needs: Callable[[Scope], Iterator[Fact]],
    judge: Callable[[Scope, Answers], Iterator[Outcome]],
    remedy: str,
    why: str,
    page: str,
) -> Check:
    return Check(
        name, title, severity, "kms", needs, judge, Remedy(remedy), why=why, regional=True, source=f"{_GUIDE}{page}"
    )


CHECKS = (
    _check(
        "kms_cmk_rotation_enabled",
        "Each enabled key that can rotate does.",
        Severity.MEDIUM,
        _rotation_needs,
        _rotation,
        "enable automatic rotation of the key; the modules' own keys have it",
        "The longer a key's material is used, the more data a leak of it exposes.",
        "rotate-keys.html",
    ),
    _check(
        "kms_key_not_publicly_accessible",
        "No key's policy lets in every AWS account.",
        Severity.CRITICAL,
        _policy_needs,
        _policies,
        "name the principals in the key's policy, or limit the statement by kms:CallerAccount or aws:PrincipalOrgID",
        "Any AWS account could use the key, or change its policy.",
        "key-policy-overview.html",
    ),
    _check(
        "kms_cmk_not_deleted_unintentionally",
        "No key is pending deletion.",
        Severity.HIGH,
        _deletion_needs,
        _deletion,
        "run `aws kms cancel-key-deletion`, or waive it if the deletion is intended",
        "What a deleted key encrypted cannot be decrypted by any means.",
        "deleting-keys.html",
    ),
)
