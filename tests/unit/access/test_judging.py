"""Three answers: what is certain, what depends, and on what."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from tests.unit.access.worlds import (
    ACCOUNT,
    ANNA,
    BUCKET,
    KEY,
    OTHER,
    QUESTIONS,
    RESERVED,
    SESSION,
    TRAIL,
    allow,
    deny,
    document,
    group,
    held,
    permission_set,
    role,
    some_world,
    statement,
    stranger,
    trust,
    user,
    world,
)
from toolkit.access import Guarded, Holding, Judge, Kind, Principal, Question, Verdict
from toolkit.access.asking import answer_of, verdict_of, who_can
from toolkit.access.model import unknown_document
from toolkit.iam import PolicyKind
from toolkit.iam.evaluate import Layer

ALLOWED, DEPENDS, DENIED = Verdict.ALLOWED, Verdict.DEPENDS, Verdict.DENIED
WORLDS = int(os.environ.get("ACCESS_WORLDS", "30"))
STOP = Question("cloudtrail:StopLogging", TRAIL)
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def of(principal: Principal, question: Question = STOP, **more: Any) -> Verdict:
    return Judge(world(principal, **more)).verdict(principal, question)


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        ((held(allow("*")),), ALLOWED),
        ((held(allow("cloudtrail:StopLogging", TRAIL)),), ALLOWED),
        ((held(allow("cloudtrail:StopLogging", "arn:aws:cloudtrail:*:*:trail/other")),), DENIED),
        ((held(allow("cloudtrail:Get*")),), DENIED),
        ((), DENIED),
        ((held(allow("*", Condition=MFA)),), DEPENDS),
        ((held(allow("*", Condition=MFA)), held(allow("cloudtrail:*"))), ALLOWED),
        ((held(allow("*"), deny("*", Condition=MFA)),), DEPENDS),
        ((held(allow("*"), deny("cloudtrail:*")),), DENIED),
        ((held(allow("*")), held(allow("s3:*"), layer=Layer.BOUNDARY)), DENIED),
        ((held(allow("*")), held(allow("*", Condition=MFA), layer=Layer.BOUNDARY)), DEPENDS),
        ((Holding(Layer.IDENTITY, unknown_document("ReadOnlyAccess")),), DEPENDS),
        ((held(allow("*")), Holding(Layer.IDENTITY, unknown_document("x"))), DEPENDS),
        ((held(deny("*")), Holding(Layer.IDENTITY, unknown_document("x"))), DENIED),
        # Asked is what is done directly, over TLS.
        ((held(allow("*"), deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})),), ALLOWED),
        ((held(allow("*", Condition={"Bool": {"aws:ViaAWSService": "true"}})),), DENIED),
        ((held(allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-central-1"}})),), ALLOWED),
        ((held(allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})),), DENIED),
        ((held(allow("*", Condition={"StringEquals": {"aws:username": "anna"}})),), ALLOWED),
    ],
)
def test_a_user(holdings: tuple[Holding, ...], expected: Verdict) -> None:
    assert of(user(*holdings)) is expected


@pytest.mark.parametrize(
    ("operator", "version", "expected"),
    [
        ("NumericLessThan", "1.2", ALLOWED),  # AWS takes nothing older
        ("NumericLessThanEquals", "1.2", DEPENDS),
        ("NumericLessThan", "1.3", DEPENDS),
        ("NumericGreaterThan", "1.1", DENIED),
        ("NumericEquals", "1.1", ALLOWED),
        ("NumericNotEquals", "1.3", DEPENDS),
    ],
)
def test_the_client_chooses_the_version_of_tls(operator: str, version: str, expected: Verdict) -> None:
    denies = deny("*", Condition={operator: {"s3:TlsVersion": version}})
    assert of(user(held(allow("*"), denies))) is expected


def test_of_a_groups_members_neither_name_nor_arn_is_known() -> None:
    for condition in (
        {"StringEquals": {"aws:username": "anna"}},
        {"ArnLike": {"aws:PrincipalArn": ANNA}},
        {"StringEquals": {"aws:PrincipalTag/team": "logs"}},
    ):
        assert of(group(held(allow("*", Condition=condition)))) is DEPENDS
    assert of(group(held(allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"))), on(ANNA)) is DEPENDS


def on(arn: str) -> Question:
    return Question("iam:CreateAccessKey", arn)


def test_without_a_resource_any_is_meant() -> None:
    some = Question("cloudtrail:StopLogging")
    assert of(user(held(allow("cloudtrail:*"))), some) is ALLOWED
    assert of(user(held(allow("cloudtrail:*", "arn:aws:cloudtrail:*:*:trail/*"))), some) is ALLOWED
    assert of(user(held(allow("cloudtrail:*", TRAIL))), some) is DEPENDS
    assert of(user(held(allow("cloudtrail:*", "arn:aws:s3:::*"))), some) is DENIED
    assert of(user(held(allow("*"), deny("cloudtrail:*", TRAIL))), some) is DEPENDS
    # No request of this action names a resource, so that a policy on some is about none of them.
    assert (
        of(user(held(allow("ec2:DisableEbsEncryptionByDefault", TRAIL))), Question("ec2:DisableEbsEncryptionByDefault"))
        is DENIED
    )


@pytest.mark.parametrize(
    ("statements", "action", "anna", "other", "root"),
    [
        (
            (allow("s3:GetObject", f"{BUCKET}/*", Principal={"AWS": [ANNA, OTHER]}),),
            "s3:GetObject",
            *[DEPENDS] * 2,
            ALLOWED,
        ),
        ((deny("s3:*", [BUCKET, f"{BUCKET}/*"], Principal="*"),), "s3:GetObject", DENIED, DENIED, DEPENDS),
        ((deny("s3:*", [BUCKET, f"{BUCKET}/*"], Principal="*"),), "s3:ListBucket", DENIED, DENIED, DEPENDS),
        ((deny("s3:*", f"{BUCKET}/*", Principal="*"),), "s3:ListBucket", DENIED, DENIED, ALLOWED),
        ((deny("s3:*", [BUCKET, f"{BUCKET}/*"], Principal="*"),), "s3:CreateJob", DENIED, DENIED, ALLOWED),
        ((deny("s3:*", f"{BUCKET}/*", Principal={"AWS": OTHER}),), "s3:GetObject", DENIED, DENIED, ALLOWED),
    ],
)
def test_without_a_resource_the_policies_of_known_ones_count(
    statements: tuple[dict[str, Any], ...], action: str, anna: Verdict, other: Verdict, root: Verdict
) -> None:
    policy = Holding(Layer.RESOURCE, document(*statements, name="of logs", kind=PolicyKind.RESOURCE))
    people = (user(), stranger(), user(held(allow("*")), name="root"))
    judge = Judge(world(*people, guarded=[Guarded(BUCKET, policy, ACCOUNT)]))
    answers = [judge.answer(one, Question(action)) for one in people]
    assert [one.verdict for one in answers] == [anna, other, root]
    for answer in answers:
        if answer.verdict is DEPENDS:
            assert BUCKET in answer.reason
            assert any(f"the resource is {BUCKET}" in condition for condition in answer.conditions)


def test_what_is_given_of_the_request_is_known() -> None:
    asked = replace(STOP, context={"aws:MultiFactorAuthPresent": True})
    assert of(user(held(allow("*", Condition=MFA))), asked) is ALLOWED
    assert (
        of(user(held(allow("*", Condition=MFA))), replace(asked, context={"aws:MultiFactorAuthPresent": False}))
        is DENIED
    )


def test_a_session_policy_limits() -> None:
    assert of(user(held(allow("*"))), replace(STOP, session=(document(allow("s3:*")),))) is DENIED
    assert of(user(held(allow("*"))), replace(STOP, session=(document(allow("cloudtrail:*")),))) is ALLOWED


def test_what_a_resources_policy_says() -> None:
    def guarded(*statements: dict[str, Any], arn: str = BUCKET) -> list[Guarded]:
        policy = document(*statements, name="bucket policy", kind=PolicyKind.RESOURCE)
        return [Guarded(arn, Holding(Layer.RESOURCE, policy), ACCOUNT, "eu-central-1")]

    delete = Question("s3:DeleteBucket", BUCKET)
    admin = user(held(allow("*")))
    assert of(admin, delete, guarded=guarded(deny("s3:*", Principal="*"))) is DENIED
    assert of(admin, delete, guarded=guarded(deny("s3:*", Principal="*", Condition=MFA))) is DEPENDS
    assert of(user(), delete, guarded=guarded(allow("s3:*", Principal={"AWS": ANNA}))) is ALLOWED
    assert of(user(), delete, guarded=guarded(allow("s3:*", Principal={"AWS": ACCOUNT}))) is DENIED
    assert of(admin, delete, guarded=[Guarded(BUCKET, None, ACCOUNT)]) is ALLOWED
    # What names a bucket is no request through an access point, which names the access point.
    through = {"Null": {"s3:DataAccessPointArn": "false"}}
    assert of(admin, delete, guarded=guarded(deny("s3:*", Principal="*", Condition=through))) is ALLOWED
    by_point = replace(delete, context={"s3:DataAccessPointArn": f"arn:aws:s3:eu-central-1:{ACCOUNT}:accesspoint/logs"})
    assert of(admin, by_point, guarded=guarded(deny("s3:*", Principal="*", Condition=through))) is DENIED
    assert of(user(held(allow("*", Condition=through))), Question("s3:GetObject")) is DEPENDS
    # Its policy is not known.
    assert of(admin, delete) is DEPENDS
    # Of a key, the key's own policy has to allow.
    decrypt = Question("kms:Decrypt", KEY)
    assert of(admin, decrypt, guarded=guarded(allow("kms:*", Principal={"AWS": ACCOUNT}), arn=KEY)) is ALLOWED
    assert of(admin, decrypt, guarded=guarded(allow("kms:Encrypt", Principal={"AWS": ACCOUNT}), arn=KEY)) is DENIED
    assert of(admin, Question("kms:Decrypt")) is DEPENDS
    # No key's policy is asked about what names no key.
    assert of(admin, Question("kms:CreateKey")) is ALLOWED


@pytest.mark.parametrize(
    ("principal", "entry"),
    [(role, SESSION), (permission_set, RESERVED), (permission_set, RESERVED.replace("com/", "com/eu-central-1/"))],
)
def test_who_is_perhaps_named_depends(principal: Callable[..., Principal], entry: str) -> None:
    delete = Question("s3:DeleteBucket", BUCKET)

    def by(one: Principal, *statements: dict[str, Any]) -> Verdict:
        policy = Holding(Layer.RESOURCE, document(*statements, name="bucket policy", kind=PolicyKind.RESOURCE))
        judge = Judge(world(one, guarded=[Guarded(BUCKET, policy, ACCOUNT)]))
        answer = judge.answer(one, delete)
        assert judge.slowly(one, delete) is judge.verdict(one, delete) is answer.verdict
        if answer.verdict is DEPENDS:
            assert any(entry in condition for condition in answer.conditions)
        return answer.verdict

    admin, nothing = principal(held(allow("*"))), principal()
    assert by(nothing, allow("s3:*", Principal={"AWS": entry})) is DEPENDS
    assert by(nothing, allow("s3:*", Principal={"AWS": [ACCOUNT, entry]})) is DEPENDS
    assert by(admin, deny("s3:*", Principal={"AWS": entry})) is DEPENDS
    assert by(admin, deny("s3:*", NotPrincipal={"AWS": [ACCOUNT, entry]})) is DEPENDS
    for other in (entry.replace("carol", "x").replace("deploy", "build").replace("operations", "other"),):
        assert by(nothing, allow("s3:*", Principal={"AWS": other})) is DENIED
        assert by(admin, deny("s3:*", Principal={"AWS": other})) is ALLOWED


def test_the_role_of_a_permission_set_has_no_arn_that_is_known() -> None:
    spared = {
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_*"}
    }
    assert of(permission_set(held(allow("*"), deny("*", Condition=spared)))) is DEPENDS


def test_another_account_does_what_a_role_that_trusts_it_may() -> None:
    opened = trust({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OTHER}})
    asks = {"StringEquals": {"sts:ExternalId": "x"}}
    asking = trust({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OTHER}, "Condition": asks})
    closed = trust({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ANNA}})
    other = stranger()
    for door, expected in ((opened, ALLOWED), (asking, DEPENDS), (closed, DENIED)):
        judge = Judge(world(other, role(held(allow("*")), trusted=door)))
        assert verdict_of(judge, other, STOP) is expected
        answer = answer_of(judge, other, STOP)
        assert answer.verdict is expected
        assert (answer.through.name if answer.through else None) == (None if expected is DENIED else "deploy")
    judge = Judge(world(other, role(held(allow("*")), trusted=asking)))
    assert answer_of(judge, other, STOP).conditions == ("if StringEquals sts:ExternalId 'x'",)


def test_no_policy_gives_another_account_what_only_the_owner_can_do() -> None:
    everything = Holding(Layer.RESOURCE, document(allow("*", Principal="*"), kind=PolicyKind.RESOURCE))
    guarded = [Guarded(KEY, everything, ACCOUNT), Guarded(BUCKET, everything, ACCOUNT)]
    other, own = stranger(), user()
    judge = Judge(world(other, own, guarded=guarded))
    for action, arn, expected in (
        ("kms:Decrypt", KEY, ALLOWED),
        ("kms:PutKeyPolicy", KEY, DENIED),
        ("KMS:schedulekeydeletion", KEY, DENIED),
        ("s3:DeleteBucket", BUCKET, ALLOWED),
        ("s3:PutBucketPolicy", BUCKET, DENIED),
    ):
        question = Question(action, arn)
        assert judge.verdict(other, question) is judge.slowly(other, question) is expected, action
        assert judge.verdict(own, question) is judge.slowly(own, question) is ALLOWED, action
    reason = judge.answer(other, Question("kms:PutKeyPolicy", KEY)).reason
    assert reason == "only the account that owns the resource can do kms:PutKeyPolicy: no policy gives it to another"


def test_accounts_below_a_target_keep_what_no_control_policy_denies() -> None:
    full = Holding(Layer.SCP, document(allow("*"), name="FullAWSAccess", kind=PolicyKind.SCP))
    exempt = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/baseline-deployer"}}

    def target(*statements: dict[str, Any]) -> Principal:
        guardrails = Holding(Layer.SCP, document(*statements, name="guardrails", kind=PolicyKind.SCP))
        return Principal(
            Kind.TARGET, "root", f"arn:aws:iam::{ACCOUNT}:role/administrator", levels=((full, guardrails),)
        )

    below = replace(STOP, resource=TRAIL.replace(ACCOUNT, OTHER))
    assert of(target(deny("cloudtrail:StopLogging"))) is DENIED
    assert of(target(deny("cloudtrail:StopLogging")), below) is DENIED
    assert of(target(deny("cloudtrail:StopLogging", Condition=exempt)), below) is DEPENDS
    assert of(target(deny("s3:*")), below) is ALLOWED
    assert of(target(deny("s3:*")), replace(STOP, resource=None)) is ALLOWED


def test_accounts_below_a_target_have_no_right_to_what_is_this_accounts() -> None:
    full = Holding(Layer.SCP, document(allow("*"), name="FullAWSAccess", kind=PolicyKind.SCP))
    below = [
        Principal(Kind.TARGET, name, f"arn:aws:iam::{ACCOUNT}:role/administrator", levels=((full,),))
        for name in ("root", OTHER, "111122223333")
    ]
    get = Question("s3:GetObject", f"{BUCKET}/a")

    def by(question: Question, *statements: dict[str, Any]) -> list[Verdict]:
        policy = Holding(Layer.RESOURCE, document(*statements, name="bucket policy", kind=PolicyKind.RESOURCE))
        judge = Judge(world(*below, guarded=[Guarded(BUCKET, policy, ACCOUNT)]))
        assert [judge.slowly(one, question) for one in below] == [judge.verdict(one, question) for one in below]
        return [judge.verdict(one, question) for one in below]

    assert by(STOP, deny("s3:*", Principal="*")) == [DENIED] * 3
    assert by(get, allow("s3:*", Principal={"AWS": ACCOUNT})) == [DENIED] * 3
    assert by(get, allow("s3:*", Principal={"AWS": OTHER})) == [DEPENDS, ALLOWED, DENIED]
    assert by(get, allow("s3:*", Principal="*")) == [ALLOWED] * 3
    # Without a resource, those of the target's own accounts are meant.
    assert by(Question("s3:GetObject"), deny("s3:*", Principal="*")) == [ALLOWED] * 3


def test_an_answer_names_what_decides() -> None:
    judge = Judge(world(user(held(allow("*", Sid="All"), name="admin"), held(deny("s3:*"), name="guardrail"))))
    (found,) = who_can(judge, STOP)
    assert found.reason == "allowed by identity-based policy admin, All"
    (found,) = who_can(judge, Question("s3:DeleteBucket"))
    assert (found.verdict, found.reason) == (DENIED, "denied by identity-based policy guardrail, statement 1")
    judge = Judge(world(user(held(allow("*"), name="admin"), held(allow("s3:*"), layer=Layer.BOUNDARY, name="limit"))))
    (found,) = who_can(judge, STOP)
    assert found.reason == "the permissions boundary limit does not allow it"
    assert found.near == ("identity-based policy admin, statement 1 would allow it",)
    judge = Judge(world(user(held(allow("*"), deny("*", Condition=MFA), name="admin"))))
    (found,) = who_can(judge, STOP)
    assert found.conditions == ("unless Bool aws:MultiFactorAuthPresent 'true'",)


def test_what_is_compiled_says_what_the_plain_evaluator_says() -> None:
    """On random worlds; ACCESS_WORLDS sets how many. A mistake in one of the two would be seen here."""
    found = dict.fromkeys(Verdict, 0)
    for seed in range(WORLDS):
        one = some_world(seed)
        judge = Judge(one)
        for question in QUESTIONS:
            for principal in one.principals:
                fast = judge.verdict(principal, question)
                assert fast is judge.slowly(principal, question), (seed, principal.label, question)
                found[fast] += 1
    total = sum(found.values())
    assert min(found.values()) > total / 100, f"hardly an answer of one kind: {found}"


WIDEN: tuple[Callable[[dict[str, Any], Random], dict[str, Any]], ...] = (
    lambda one, _: {**one, "Resource": "*"} if "Resource" in one else one,
    lambda one, _: {**one, "Action": "*"} if "Action" in one else one,
    lambda one, _: {key: value for key, value in one.items() if key != "Condition"},
)


def test_widening_a_policy_by_one_step_never_takes_anything() -> None:
    """Neither from allowed, nor from depends to denied."""
    order = (DENIED, DEPENDS, ALLOWED)
    gained = 0
    for seed in range(WORLDS):
        random = Random(f"widen {seed}")
        old = [statement(random) for _ in range(random.choice((1, 2, 3)))]
        new = [dict(one) for one in old]
        at = random.randrange(len(new))
        if new[at]["Effect"] == "Allow":
            new[at] = random.choice(WIDEN)(new[at], random)
        elif random.random() < 0.5:
            new.append({**statement(random), "Effect": "Allow"})
        else:
            del new[at]
        new = new or [allow("s3:ListAllMyBuckets")]
        for layer in (Layer.IDENTITY, Layer.BOUNDARY):
            base = (held(allow("*")),) if layer is Layer.BOUNDARY else ()
            before, after = (user(*base, held(*statements, layer=layer)) for statements in (old, new))
            for question in QUESTIONS:
                was, is_now = of(before, question), of(after, question)
                assert order.index(is_now) >= order.index(was), (seed, layer, question, old, new)
                gained += is_now is not was
    assert gained > WORLDS / 10
