"""Wildcards, ARNs and variables, from "IAM JSON policy elements: Action", "… Resource" and "… Variables and tags".

The pages were opened on 2026-11-30: "Resource" and, for ARNs that are not complete, "IAM identifiers" as they are now
(copies in public repositories), the others in awsdocs/iam-user-guide e2b8637 (June 2023).
"""

from __future__ import annotations

import pytest

from toolkit.iam.matching import Context, Pattern, action_matches, arn_like, expand, like, resource_matches

NOTHING = Context({})


def pattern(text: str, context: Context = NOTHING) -> Pattern:
    expanded = expand(text, context, variables=True)
    assert expanded is not None
    return expanded


@pytest.mark.parametrize(
    ("entry", "action", "expected"),
    [
        ("*", "iam:CreateUser", True),
        ("*:*", "iam:CreateUser", True),
        ("IAM:createuser", "iam:CreateUser", True),  # "The prefix and the action name are case insensitive"
        ("iam:*AccessKey*", "iam:ListAccessKeys", True),
        ("iam:*AccessKey*", "iam:CreateAccessKey", True),
        ("iam:*AccessKey*", "iam:CreateLoginProfile", False),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObjectAcl", False),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get?Object", "s3:GetObject", False),  # ? is exactly one character
        ("s3:*", "s3express:CreateSession", False),
        ("ec2:Describe*", "ec2:describeinstances", True),
    ],
)
def test_actions(entry: str, action: str, expected: bool) -> None:
    assert action_matches(entry, action) is expected


BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"


@pytest.mark.parametrize(
    ("entry", "resource", "expected"),
    [
        ("*", "*", True),
        ("*", f"{BUCKET}/a", True),
        # The page's own list for arn:aws:s3:::DOC-EXAMPLE-BUCKET/*/test/*
        *[
            (f"{BUCKET}/*/test/*", f"{BUCKET}/{key}", True)
            for key in (
                "1/test/object.jpg",
                "1/2/test/object.jpg",
                "1/2/test/3/object.jpg",
                "1/2/3/test/4/object.jpg",
                "1///test///object.jpg",
                "1/test/.jpg",
                "/test/object.jpg",
                "1/test/",
            )
        ],
        *[
            (f"{BUCKET}/*/test/*", f"{BUCKET}/{key}", False)
            for key in ("1-test/object.jpg", "test/object.jpg", "1/2/test.jpg")
        ],
        ("arn:aws:iam::123456789012:user/accounting/*", "arn:aws:iam::123456789012:user/accounting/eu/jane", True),
        ("arn:aws:iam::123456789012:user/accounting/*", "arn:aws:iam::123456789012:user/jane", False),
        ("arn:aws:iam::123456789012:user/Bob", "arn:aws:iam::123456789012:user/bob", False),
        ("arn:aws:iam::*:mfa/*", "arn:aws:iam::123456789012:mfa/phone", True),
        ("arn:aws:iam::*:mfa/*", "*", False),  # a statement about devices says nothing of actions without a resource
        ("arn:aws:iam::123456789012:user/b?b", "arn:aws:iam::123456789012:user/bob", True),
        ("arn:aws:iam::123456789012:user/b?b", "arn:aws:iam::123456789012:user/bb", False),
        # The resource part takes in colons
        (
            "arn:aws:logs:us-east-1:123456789012:log-group:*",
            "arn:aws:logs:us-east-1:123456789012:log-group:a:log-stream:b",
            True,
        ),
        # "If the * wildcard is the last character of a resource ARN segment, it can expand … beyond the colon"
        ("arn:aws:ec2:*:instance/*", "arn:aws:ec2:us-east-1:123456789012:instance/i-1", True),
        ("arn:aws:iam::*", "arn:aws:iam::123456789012:user/bob", True),
        # … and within a segment it cannot
        ("arn:aws:ec2:us-*t-1:123456789012:vpc/x", "arn:aws:ec2:us-east-1:123456789012:vpc/x", True),
        ("arn:aws:ec2:us-*t-1:123456789012:vpc/x", "arn:aws:ec2:us-a:t-1:123456789012:vpc/x", False),
        ("arn:aws:ec2:us-*-1:123456789012:instance/*", "arn:aws:ec2:us-east-1:123456789012:instance/i-1", True),
        ("arn:aws:ec2:us?east-1:123456789012:vpc/x", "arn:aws:ec2:us:east-1:123456789012:vpc/x", False),
        # "AWS automatically completes the ARN by adding wildcard characters to all missing fields"
        ("arn:aws:sqs", "arn:aws:sqs:us-east-2:123456789012:queue1", True),
        ("arn:aws:sqs", "arn:aws:sns:us-east-2:123456789012:topic", False),
        ("arn:aws:s3:::a.b", "arn:aws:s3:::aXb", False),  # a dot is a dot
    ],
)
def test_resources(entry: str, resource: str, expected: bool) -> None:
    assert resource_matches(pattern(entry), resource) is expected


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        # The page's own comparison of StringLike and ArnLike
        (
            "arn:aws:someservice:*:111122223333:finance/*",
            "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
            False,
        ),
        (
            "arn:aws:someservice:*:111122223333:finance/*",
            "arn:aws:someservice:us-east-2:111122223333:finance/document.txt",
            True,
        ),
        ("arn:aws:iam::*:policy/a", "arn:aws:iam::123456789012:policy/a", True),
        ("arn:aws:iam::*", "arn:aws:iam::123456789012:role/a", True),
        ("*", "arn:aws:iam::123456789012:role/a", True),
        ("*", "not an arn", False),
        ("arn:aws:logs:*:*:log-group:*:x", "arn:aws:logs:us-east-1:123456789012:log-group:g:x", True),
    ],
)
def test_arn_operators(entry: str, value: str, expected: bool) -> None:
    assert arn_like(pattern(entry), value) is expected


def test_string_like_crosses_colons_where_arn_like_does_not() -> None:
    value = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
    assert like(pattern("arn:aws:someservice:*:111122223333:finance/*"), value)


CALLER = Context(
    {
        "aws:username": "jane",
        "aws:PrincipalTag/team": "yellow",
        "aws:PrincipalTag/wild": "*",
        "aws:TagKeys": ["a"],
        "aws:PrincipalTag/colon": "a:b",
    }
)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("user/${aws:username}", "user/jane"),
        ("user/${AWS:UserName}", "user/jane"),  # "Key names are case-insensitive"
        ("bucket-${aws:PrincipalTag/team, 'company-wide'}", "bucket-yellow"),
        ("bucket-${aws:PrincipalTag/absent, 'company-wide'}", "bucket-company-wide"),
        ("a${*}b${?}c${$}{d}", "a*b?c${d}"),
        ("no variable $ { }", "no variable $ { }"),
    ],
)
def test_variables(text: str, literal: str) -> None:
    assert pattern(text, CALLER).literal == literal


@pytest.mark.parametrize("text", ["${aws:PrincipalTag/absent}", "${aws:TagKeys}", "a-${unknown}-b"])
def test_a_variable_without_a_value_matches_nothing(text: str) -> None:
    assert expand(text, CALLER, variables=True) is None


def test_without_language_version_2012_a_variable_is_its_own_text() -> None:
    plain = expand("home/${aws:username}", CALLER, variables=False)
    assert plain is not None
    assert plain.literal == "home/${aws:username}"


def test_special_characters_and_values_are_no_wildcards() -> None:
    assert not like(pattern("${*}", CALLER), "anything")
    assert like(pattern("${*}", CALLER), "*")
    assert not resource_matches(pattern("arn:aws:s3:::b/${aws:PrincipalTag/wild}", CALLER), "arn:aws:s3:::b/secret")
    assert resource_matches(pattern("arn:aws:s3:::b/${aws:PrincipalTag/wild}", CALLER), "arn:aws:s3:::b/*")
    assert not like(pattern("${?}", CALLER), "x")


def test_a_value_with_a_colon_stays_in_the_resource_part() -> None:
    assert arn_like(pattern("arn:aws:x:::${aws:PrincipalTag/colon}", CALLER), "arn:aws:x:::a:b")
