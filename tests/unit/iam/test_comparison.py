"""Policies compared by meaning: what is lost, what is granted, how it reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.iam import Policies, PolicyDocument, Request, evaluate
from toolkit.iam.comparison import compare_policies


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

USERS = "arn:aws:iam::123456789012:user/"
ALICE = USERS + "alice"
ROOT = "arn:aws:iam::123456789012:root"
NETWORK = {"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}}
WIDE_NETWORK = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def old_version(text: str) -> str:
    return text.replace("2012-10-17", "2008-10-17")


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
    "a denial of one user becomes one of all but oneself": (
        policy(deny(resource=ALICE)),
        policy({"Sid": "D", "Effect": "Deny", "Action": "iam:*", "NotResource": OWN}),
    ),
    "text becomes variables": (old_version(policy(deny(resource=OWN))), policy(deny(resource=OWN))),
    "text becomes variables in a condition": (
        old_version(policy(deny(Condition={"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}}))),
        policy(deny(Condition={"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}})),
    ),
    "a denial of oneself becomes one of names as long as a variable": (
        policy(deny(resource=OWN)),
        policy(deny(resource=USERS + "?" * len("${aws:username}"))),
    ),
    "a denial of oneself becomes one of names with a plain star": (
        policy(deny(resource=OWN)),
        policy(deny(resource=USERS + "${*}")),
    ),
    "a grant of a plain star becomes one of everything": (
        policy(allow(resource=USERS + "${*}")),
        policy(allow(resource=USERS + "*")),
    ),
    "another variable": (policy(deny(resource=OWN)), policy(deny(resource=USERS + "${aws:PrincipalTag/name}"))),
    "a variable gets a default": (
        policy(allow(resource=OWN)),
        policy(allow(resource=USERS + "${aws:username, 'alice'}")),
    ),
    "a star across an ARN's parts": (policy(deny(resource=ALICE)), policy(deny(resource="arn:aws:*:user/alice"))),
    "a star within a part, across a colon": (policy(deny(resource=ALICE)), policy(deny(resource="arn:aws:iam*e"))),
    "a star across parts of a condition's ARN": (
        policy(deny(Condition={"ArnLike": {"aws:PrincipalArn": ALICE}})),
        policy(deny(Condition={"ArnLike": {"aws:PrincipalArn": "arn:*alice"}})),
    ),
    "half of it by one statement, half by another": (
        policy(allow("s3:GetObject", "arn:aws:s3:::a"), {**allow("s3:PutObject", "arn:aws:s3:::b"), "Sid": "B"}),
        policy(allow("s3:GetObject", "arn:aws:s3:::b")),
    ),
    "a grant's condition holds without the key": (
        policy(allow(Condition=TAGS)),
        policy(allow(Condition={"StringEqualsIfExists": TAGS["StringEquals"]})),
    ),
    "a list's values, any of which has to differ from more": (
        policy(allow(Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}})),
        policy(allow(Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}})),
    ),
    "a grant's network grows": (policy(allow(Condition=NETWORK)), policy(allow(Condition=WIDE_NETWORK))),
    "a denial's network shrinks": (policy(deny(Condition=WIDE_NETWORK)), policy(deny(Condition=NETWORK))),
    "a denial's excepted network grows": (
        policy(deny(Condition={"NotIpAddress": NETWORK["IpAddress"]})),
        policy(deny(Condition={"NotIpAddress": WIDE_NETWORK["IpAddress"]})),
    ),
    "a grant to an account becomes one to a user of it, who then needs no other": (
        policy({**allow(), "Principal": {"AWS": "123456789012"}}),
        policy({**allow(), "Principal": {"AWS": ALICE}}),
    ),
    "a grant to all but fewer": (
        policy({**allow(), "NotPrincipal": {"AWS": ["123456789012", ALICE]}}),
        policy({**allow(), "NotPrincipal": {"AWS": "123456789012"}}),
    ),
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
    "the same variable": (policy(deny(resource=OWN)), policy(deny(resource=OWN.replace("username", "UserName")))),
    "a denial of oneself becomes one of everybody": (policy(deny(resource=OWN)), policy(deny(resource=USERS + "*"))),
    "another version where there are no variables": (old_version(policy(deny())), policy(deny())),
    "an ARN cut short": (policy(deny(resource="arn:aws:s3:::*")), policy(deny(resource="arn:aws:s3"))),
    "an account's number for its root ARN": (
        policy({**allow(), "Principal": {"AWS": ROOT}}),
        policy({**allow(), "Principal": {"AWS": "123456789012"}}),
    ),
    "a root ARN for its account's number": (
        policy({**allow(), "Principal": {"AWS": "123456789012"}}),
        policy({**allow(), "Principal": {"AWS": ROOT}}),
    ),
    "a truth value in another case": (
        policy(deny(Condition=MFA)),
        policy(deny(Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "False"}})),
    ),
    "principals merged": (
        policy({**allow(), "Principal": {"AWS": ALICE}}, {**allow(), "Sid": "B", "Principal": {"AWS": ROOT}}),
        policy({**allow(), "Principal": {"AWS": [ROOT, ALICE]}}),
    ),
    "principals split": (
        policy({**deny(), "Principal": {"AWS": [ROOT, ALICE]}}),
        policy({**deny(), "Principal": {"AWS": ALICE}}, {**deny(), "Sid": "B", "Principal": {"AWS": ROOT}}),
    ),
    "values split": (
        policy(deny(Condition=MORE_TAGS)),
        policy(deny(Condition=TAGS), {**deny(Condition={"StringLike": {"aws:ResourceTag/team": "b*"}}), "Sid": "E"}),
    ),
    "actions, resources and values split at once": (
        policy(deny(["iam:*", "sts:*"], [ALICE, OWN], Condition=MORE_TAGS)),
        policy(
            {**deny("iam:*", [ALICE, OWN], Condition=MORE_TAGS), "Sid": "E"},
            {**deny("sts:*", ALICE, Condition=MORE_TAGS), "Sid": "F"},
            {**deny("sts:*", OWN, Condition=TAGS), "Sid": "G"},
            {**deny("sts:*", OWN, Condition={"StringEquals": {"aws:ResourceTag/team": "b"}}), "Sid": "H"},
        ),
    ),
    "a grant's network shrinks": (policy(allow(Condition=WIDE_NETWORK)), policy(allow(Condition=NETWORK))),
    "a denial's network grows": (policy(deny(Condition=NETWORK)), policy(deny(Condition=WIDE_NETWORK))),
    "a denial's excepted network shrinks": (
        policy(deny(Condition={"NotIpAddress": WIDE_NETWORK["IpAddress"]})),
        policy(deny(Condition={"NotIpAddress": NETWORK["IpAddress"]})),
    ),
    "a list's values in another order": (
        policy(allow(Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}})),
        policy(allow(Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["b", "a"]}})),
    ),
    "a list's values, all of which have to be of fewer": (
        policy(allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}})),
        policy(allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}})),
    ),
    "an address for its network of one": (
        policy(allow(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.1"}})),
        policy(allow(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.1/32"}})),
    ),
    "a grant's limit sinks": (
        policy(allow(Condition={"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "3600"}})),
        policy(allow(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 900}})),
    ),
    "a grant to everyone becomes one to an account": (
        policy({**allow(), "Principal": "*"}),
        policy({**allow(), "Principal": {"AWS": ROOT}}),
    ),
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


TO_ROOT = {**allow(), "Principal": {"AWS": [ROOT, ALICE]}}
DIFFERENCES = {
    "a version with variables": (
        old_version(policy(deny(resource=OWN))),
        policy(deny(resource=OWN)),
        ("~ Version 2008-10-17 → 2012-10-17: ${…} becomes a variable",),
    ),
    "a version with text": (
        policy(deny(resource=OWN)),
        old_version(policy(deny(resource=OWN))),
        ("~ Version 2012-10-17 → 2008-10-17: ${…} becomes plain text",),
    ),
    "a version of a statement without a name": (
        old_version(policy({"Effect": "Deny", "Action": "*", "Resource": "*"})),
        policy({"Effect": "Deny", "Action": "*", "Resource": "*"}),
        ("~ Version 2008-10-17 → 2012-10-17",),
    ),
    "another principal": (
        policy(TO_ROOT),
        policy({**TO_ROOT, "Principal": {"AWS": ROOT}}),
        (f"~ Allow A: principals {ROOT}, {ALICE} → {ROOT}",),
    ),
    "all principals but": (
        policy(TO_ROOT),
        policy({**allow(), "NotPrincipal": {"AWS": ALICE}}),
        (f"~ Allow A: principals {ROOT}, {ALICE} → all but {ALICE}",),
    ),
    "all but another principal": (
        policy({**allow(), "NotPrincipal": {"AWS": ALICE}}),
        policy({**allow(), "NotPrincipal": {"AWS": ROOT}}),
        (f"~ Allow A: principals all but {ALICE} → all but {ROOT}",),
    ),
    "a new statement for all but": (
        policy({**deny(), "Principal": "*"}),
        policy({**deny(), "Principal": "*"}, {**allow(), "NotPrincipal": {"AWS": ALICE}}),
        (f"+ Allow A: s3:GetObject on * for all but {ALICE}",),
    ),
    "principals in another order, an account's number": (
        policy(TO_ROOT),
        policy({**allow(), "Principal": {"AWS": [ALICE, "123456789012"]}}),
        (),
    ),
    "conditions in another order": (
        policy(deny(Condition={**MFA, **MORE_REGIONS})),
        policy(
            deny(
                Condition={
                    "StringNotEquals": {"aws:requestedregion": ["us-east-1", "eu-central-1"]},
                    "BoolIfExists": {"aws:MultiFactorAuthPresent": "False"},
                }
            )
        ),
        (),
    ),
}


@pytest.mark.parametrize(("old", "new", "lines"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_a_difference_in_meaning_is_never_without_a_line(old: str, new: str, lines: tuple[str, ...]):
    """Where there is no line, reports say that it says the same in other words."""
    assert compare_policies(old, new).lines == lines


def test_what_a_version_changes_is_among_the_reasons():
    diff = compare_policies(policy(deny(resource=OWN)), old_version(policy(deny(resource=OWN))))
    assert diff.weaker == ("Version 2012-10-17 → 2008-10-17: ${…} becomes plain text", "denies less: D")


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
