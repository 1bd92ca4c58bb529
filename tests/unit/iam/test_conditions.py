"""Condition operators, from "IAM JSON policy elements: Condition operators" and "… with multiple keys or values".

Both pages were opened on 2026-11-30 (awsdocs/iam-user-guide e2b8637, June 2023): every operator of their tables is
here, and what they say of absent and empty keys, of several values and of variables without a value.
"""

from __future__ import annotations

import pytest

from toolkit.iam import PolicyDocument, PolicyError, Request, statement_applies

ABSENT = object()


def holds(operator: str, values: object, actual: object, key: str = "svc:key") -> bool:
    document = PolicyDocument.parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {operator: {key: values}},
            },
        }
    )
    context = {} if actual is ABSENT else {key.upper(): actual}
    request = Request("arn:aws:iam::123456789012:user/jane", "svc:Do", context=context)  # type: ignore[arg-type]
    return statement_applies(document.statements[0], document, request)


@pytest.mark.parametrize(
    ("operator", "values", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEquals", "a*", "ab", False),  # wildcards only with Like
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "${aws:username}", "jane", True),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", ["a", "b"], "b", False),  # several values of a negated operator: none may match
        ("StringEqualsIgnoreCase", "JohnDoe", "johndoe", True),
        ("StringNotEqualsIgnoreCase", "JohnDoe", "johndoe", False),
        ("StringLike", "home/${aws:username}/*", "home/jane/a/b", True),
        ("StringLike", "home/${aws:username}/*", "home/june/a", False),
        ("StringLike", ["", "home/"], "", True),
        ("StringLike", "t?", "t2", True),
        ("StringLike", "T?", "t2", False),
        ("StringNotLike", "t?", "t2", False),
        ("StringNotLike", "t?", "m3", True),
        ("NumericEquals", "10", 10, True),
        ("NumericEquals", 10, "10.0", True),
        ("NumericEquals", "10", "x", False),
        ("NumericNotEquals", "10", "10", False),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericLessThanEquals", "10", "10.5", False),
        ("NumericGreaterThan", "9", "10", True),  # not as text, where "10" < "9"
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("DateEquals", "2020-04-01", "2020-04-01T00:00:00Z", True),
        ("DateNotEquals", "2020-04-01", "2020-04-01T00:00:00Z", False),
        ("DateGreaterThan", "2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z", True),
        ("DateGreaterThan", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", False),
        ("DateGreaterThanEquals", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", True),
        ("DateLessThan", "2020-06-30T23:59:59Z", "2020-06-30T23:59:58.5Z", True),
        ("DateLessThan", "2020-06-30T23:59:59Z", "2020-07-01", False),
        ("DateLessThanEquals", "1593561599", "2020-06-30T23:59:59Z", True),  # epoch seconds
        ("DateLessThan", "2020-01-01T00:00:00+02:00", "2019-12-31T21:59:59Z", True),
        ("DateLessThan", "2020-01-01T00:00:00+02:00", "2019-12-31T22:00:00Z", False),
        ("Bool", "true", True, True),
        ("Bool", False, "false", True),
        ("Bool", "true", "false", False),
        ("Bool", "TRUE", "true", True),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QQ==", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.9", False),
        ("IpAddress", "203.0.113.9", "203.0.113.9", True),
        ("IpAddress", "203.0.113.9", "203.0.113.8", False),  # no prefix means /32
        ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::1", True),
        ("IpAddress", "203.0.113.0/24", "not an address", False),
        ("NotIpAddress", ["192.0.2.0/24", "203.0.113.0/24"], "203.0.113.9", False),
        ("NotIpAddress", ["192.0.2.0/24", "203.0.113.0/24"], "198.51.100.1", True),
        ("ArnEquals", "arn:aws:sns:*:123456789012:topic", "arn:aws:sns:us-east-1:123456789012:topic", True),
        ("ArnLike", "arn:aws:sns:*:123456789012:topic", "arn:aws:sns:us-east-1:999999999999:topic", False),
        ("ArnNotEquals", "arn:aws:sns:*:123456789012:t", "arn:aws:sns:us-east-1:123456789012:t", False),
        ("ArnNotLike", "arn:aws:sns:*:123456789012:t", "arn:aws:sns:us-east-1:999999999999:t", True),
        ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::123456789012:user/jane", True),
        ("stringequals", "a", "a", True),
    ],
)
def test_a_present_key(operator: str, values: object, actual: object, expected: bool) -> None:
    assert holds(operator, values, actual) is expected
    # "If the policy key is present …, process the key as specified in the policy"
    assert holds(f"{operator}IfExists", values, actual) is expected


VALUES = {
    "Numeric": "1",
    "Date": "2020-01-01",
    "Bool": "true",
    "Binary": "QQ==",
    "Ip": "10.0.0.0/8",
    "Not": "10.0.0.0/8",
}
POSITIVE = [
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "NumericEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "ArnEquals",
    "ArnLike",
]
NEGATED = [
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "NumericNotEquals",
    "DateNotEquals",
    "NotIpAddress",
    "ArnNotEquals",
    "ArnNotLike",
]


def value_for(operator: str) -> str:
    return next((value for start, value in VALUES.items() if operator.startswith(start)), "arn:aws:a:b:c:d")


@pytest.mark.parametrize("operator", POSITIVE + NEGATED)
def test_a_missing_key(operator: str) -> None:
    value = value_for(operator)
    assert holds(operator, value, ABSENT) is (operator in NEGATED)
    assert holds(operator, value, []) is (operator in NEGATED)
    assert holds(f"{operator}IfExists", value, ABSENT) is True
    # "true if there are no keys in the request"; "For no matching key or a null dataset, the condition returns false"
    assert holds(f"ForAllValues:{operator}", value, ABSENT) is True
    assert holds(f"ForAnyValue:{operator}", value, ABSENT) is False
    assert holds(f"ForAllValues:{operator}", value, [""]) is True
    assert holds(f"ForAnyValue:{operator}", value, [""]) is False


@pytest.mark.parametrize(
    ("values", "actual", "expected"),
    [
        ("true", ABSENT, True),
        ("false", ABSENT, False),
        ("true", "2020-01-01", False),
        ("false", "2020-01-01", True),
        ("false", [], False),
        ("false", [""], False),  # "the key exists and its value is not null"
        (False, False, True),  # present with the value false is present
        (["true", "false"], ABSENT, True),
    ],
)
def test_null(values: object, actual: object, expected: bool) -> None:
    assert holds("Null", values, actual) is expected


DYNAMO = ["PostDateTime", "Message", "Tags"]


@pytest.mark.parametrize(
    ("operator", "values", "actual", "expected"),
    [
        # The page's worked tables
        ("ForAllValues:StringEquals", DYNAMO, ["PostDateTime", "UserName"], False),
        ("ForAllValues:StringEquals", DYNAMO, ["Message", "Tags"], True),
        ("ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName", "Message", "PostDateTime"], True),
        ("ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName"], False),
        ("ForAllValues:StringEquals", "a", "a", True),
        ("ForAllValues:StringLike", "cost-*", ["cost-center", "cost-owner"], True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
        ("ForAnyValue:NumericGreaterThan", "5", ["1", "6"], True),
        ("ForAllValues:ArnLike", "arn:aws:iam::*:role/*", ["arn:aws:iam::1:role/a", "arn:aws:iam::1:user/a"], False),
        ("forallvalues:stringequals", "a", ["a"], True),
        # Without a set operator a list does not match single values
        ("StringEquals", ["a", "b"], ["a", "b"], False),
        ("StringNotEquals", ["a", "b"], ["a", "b"], True),
        ("StringEquals", "a", ["a"], True),
    ],
)
def test_multivalued_keys(operator: str, values: object, actual: object, expected: bool) -> None:
    assert holds(operator, values, actual) is expected


@pytest.mark.parametrize(
    ("department", "role", "account", "expected"),
    [
        # "Creating a condition with multiple keys or values": values are OR, keys and operators are AND
        ("finance", "audit", "123456789012", True),
        ("HR", "Security", "123456789012", True),
        ("legal", "security", "123456789012", True),
        ("finance", "audit", "111122223333", False),
        ("finance", "sales", "123456789012", False),
        ("sales", "audit", "123456789012", False),
        (None, "audit", "123456789012", False),
        ("finance", None, "123456789012", False),
        (None, None, "111122223333", False),
    ],
)
def test_several_operators_keys_and_values(
    department: str | None, role: str | None, account: str, expected: bool
) -> None:
    document = PolicyDocument.parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {
                    "StringEqualsIgnoreCase": {
                        "aws:PrincipalTag/department": ["finance", "hr", "legal"],
                        "aws:PrincipalTag/role": ["audit", "security"],
                    },
                    "StringEquals": {"aws:PrincipalAccount": "123456789012"},
                },
            },
        }
    )
    tags = {key: value for key, value in (("Department", department), ("ROLE", role)) if value is not None}
    request = Request(f"arn:aws:iam::{account}:user/jane", "svc:Do", principal_tags=tags)
    assert statement_applies(document.statements[0], document, request) is expected


def test_a_variable_without_value_matches_nothing_and_so_satisfies_negated_operators() -> None:
    # "IAM policy elements: Variables and tags", policy variables with no value
    assert not holds("StringEquals", "${aws:PrincipalTag/Team}", "a")
    assert not holds("StringLike", "*${aws:PrincipalTag/Team}*", "a")
    assert holds("StringNotEquals", "${aws:PrincipalTag/Team}", "a")
    assert holds("StringNotLike", "${aws:PrincipalTag/Team}", "a")


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericEquals", "${svc:n}"),
        ("NumericEquals", "ten"),
        ("NumericEquals", "NaN"),
        ("DateLessThan", "${aws:CurrentTime}"),
        ("DateLessThan", "tomorrow"),
        ("DateLessThan", "2020-13-01"),
        ("DateLessThan", "2020-*"),
        ("IpAddress", "10.0.0.0/33"),
        ("IpAddress", "${aws:SourceIp}"),
        ("Bool", "yes"),
        ("Null", "maybe"),
        ("BinaryEquals", "not base64!"),
    ],
)
def test_values_that_an_operator_cannot_compare(operator: str, value: str) -> None:
    with pytest.raises(PolicyError, match=r"Statement\[0\]\.Condition\." + operator):
        holds(operator, value, "x")
