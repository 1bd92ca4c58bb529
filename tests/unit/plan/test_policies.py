"""Policies compared by meaning: what is lost, what is granted, how it reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.iam import Policies, PolicyDocument, Request, evaluate
from toolkit.plan.policies import compare_policies


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "iam:*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": "D", "Effect": "Deny", "Action": action, "Resource": resource, **more}


MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}}
MORE_REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}}
TAGS = {"StringEquals": {"aws:ResourceTag/team": ["a"]}}
MORE_TAGS = {"StringEquals": {"aws:ResourceTag/team": ["a", "b"]}}
OWN = "arn:aws:iam::123456789012:user/${aws:username}"

WEAKER = {
    "a grant's ? becomes *": (
        policy(allow(resource="arn:aws:s3:::logs-?")),
        policy(allow(resource="arn:aws:s3:::logs-*")),
    ),
    "a grant's action ? becomes *": (policy(allow("s3:Get?")), policy(allow("s3:Get*"))),
    "a denial's * becomes ?": (policy(deny("iam:*")), policy(deny("iam:?"))),
    "a denial becomes one of all but what it was, by ?": (
        policy(deny("iam:G?t")),
        policy({"Sid": "D", "Effect": "Deny", "NotAction": "iam:Get*", "Resource": "*"}),
    ),
    "a denial goes": (policy(allow(), deny()), policy(allow())),
    "a denial covers fewer actions": (policy(deny(["iam:*", "sts:*"])), policy(deny("iam:*"))),
    "a denial's wildcard shrinks": (policy(deny("iam:*")), policy(deny("iam:Create*"))),
    "a denial covers fewer resources": (policy(deny(resource="*")), policy(deny(resource="arn:aws:iam::*:role/*"))),
    "a denial gets a condition": (policy(deny()), policy(deny(Condition=MFA))),
    "a denial's regions grow": (policy(deny(Condition=REGIONS)), policy(deny(Condition=MORE_REGIONS))),
    "a denial lets more through": (
        policy({"Effect": "Deny", "NotAction": ["sts:GetSessionToken"], "Resource": "*"}),
        policy({"Effect": "Deny", "NotAction": ["sts:GetSessionToken", "iam:*"], "Resource": "*"}),
    ),
    "a denial becomes a grant": (policy(deny("s3:*")), policy({**deny("s3:*"), "Effect": "Allow"})),
    "a grant covers more actions": (policy(allow()), policy(allow(["s3:GetObject", "s3:PutObject"]))),
    "a grant's wildcard grows": (policy(allow("s3:Get*")), policy(allow("s3:*"))),
    "a grant covers more resources": (policy(allow(resource="arn:aws:s3:::a/*")), policy(allow(resource="*"))),
    "a grant loses its condition": (policy(allow(Condition=TAGS)), policy(allow())),
    "a grant's values grow": (policy(allow(Condition=TAGS)), policy(allow(Condition=MORE_TAGS))),
    "a new grant": (policy(deny()), policy(deny(), allow())),
    "a grant to more principals": (
        policy({**allow(), "Principal": {"Service": "cloudtrail.amazonaws.com"}}),
        policy({**allow(), "Principal": "*"}),
    ),
    "a grant of all but a list": (
        policy(allow("s3:*")),
        policy({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
    ),
    "an older language, without variables": (
        policy(deny(resource=OWN)),
        policy(deny(resource=OWN)).replace("2012-10-17", "2008-10-17"),
    ),
    "nothing that can be read": (policy(deny()), "not JSON"),
}

STRONGER = {
    "the same": (policy(allow(), deny()), policy(allow(), deny())),
    "another order and other names": (policy(allow(), deny()), policy({**deny(), "Sid": "X"}, {**allow(), "Sid": "Y"})),
    "a new denial": (policy(allow()), policy(allow(), deny())),
    "a denial grows": (policy(deny("iam:Create*")), policy(deny("iam:*"))),
    "a denial loses its condition": (policy(deny(Condition=MFA)), policy(deny())),
    "a denial's regions shrink": (policy(deny(Condition=MORE_REGIONS)), policy(deny(Condition=REGIONS))),
    "a denial lets less through": (
        policy({"Effect": "Deny", "NotAction": ["sts:Get*", "iam:*"], "Resource": "*"}),
        policy({"Effect": "Deny", "NotAction": ["sts:GetSessionToken"], "Resource": "*"}),
    ),
    "a denial split in two": (policy(deny(["iam:*", "sts:*"])), policy(deny("iam:*"), {**deny("sts:*"), "Sid": "E"})),
    "a denial of a list by one of all but": (
        policy(deny(["iam:*"])),
        policy({"Effect": "Deny", "NotAction": ["sts:*"], "Resource": "*"}),
    ),
    "a grant goes": (policy(allow(), deny()), policy(deny())),
    "a grant shrinks": (policy(allow("s3:*")), policy(allow("s3:GetObject", OWN))),
    "a grant gets a condition": (policy(allow()), policy(allow(Condition=TAGS))),
    "a grant's values shrink": (policy(allow(Condition=MORE_TAGS)), policy(allow(Condition=TAGS))),
    "actions in another case": (policy(deny("iam:createuser")), policy(deny("IAM:CreateUser"))),
}


@pytest.mark.parametrize(("old", "new"), WEAKER.values(), ids=WEAKER.keys())
def test_weaker(old: str, new: str):
    assert compare_policies(old, new).weaker


@pytest.mark.parametrize(("old", "new"), STRONGER.values(), ids=STRONGER.keys())
def test_not_weaker(old: str, new: str):
    assert compare_policies(old, new).weaker == ()


def test_how_a_difference_reads():
    old = policy(allow(["s3:GetObject"]), deny(Condition=MFA))
    new = policy(allow(["s3:GetObject", "s3:PutObject"]), {**deny("sts:*"), "Sid": "New"})
    assert compare_policies(old, new).lines == (
        "- Deny D: iam:* on * if BoolIfExists aws:MultiFactorAuthPresent 'false'",
        "~ Allow A: actions +s3:PutObject",
        "+ Deny New: sts:* on *",
    )


ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:*", "iam:CreateUser", "iam:Create*", "iam:*", "*"]
RESOURCES = ["arn:aws:s3:::a/x", "arn:aws:s3:::a/*", "*"]
CONDITIONS = [{}, {"Condition": MFA}, {"Condition": REGIONS}, {"Condition": MORE_REGIONS}, {"Condition": TAGS}]
STATEMENTS = st.builds(
    lambda effect, negated, actions, resources, condition: {
        "Effect": effect,
        "NotAction" if negated else "Action": actions,
        "Resource": resources,
        **condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.booleans(),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2),
    st.sampled_from(CONDITIONS),
)
REQUESTS = [
    Request("arn:aws:iam::123456789012:user/a", action, resource, context)
    for action in ("s3:GetObject", "s3:PutObject", "iam:CreateUser", "iam:DeleteUser", "ec2:RunInstances")
    for resource in ("arn:aws:s3:::a/x", "arn:aws:s3:::b/y")
    for context in (
        {},
        {"aws:MultiFactorAuthPresent": "false", "aws:RequestedRegion": "eu-central-1"},
        {"aws:MultiFactorAuthPresent": "true", "aws:RequestedRegion": "us-east-1", "aws:ResourceTag/team": "a"},
    )
]


@settings(max_examples=400)
@given(st.lists(STATEMENTS, min_size=1, max_size=3), st.lists(STATEMENTS, min_size=1, max_size=3))
def test_what_is_not_called_weaker_allows_nothing_that_was_not_allowed(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
):
    if compare_policies(policy(*old), policy(*new)).weaker:
        return
    before, after = PolicyDocument.parse(policy(*old)), PolicyDocument.parse(policy(*new))
    for request in REQUESTS:
        if evaluate(request, Policies(identity=(after,))).allowed:
            assert evaluate(request, Policies(identity=(before,))).allowed, (old, new, request)
