"""The Condition element: operators, set qualifiers, missing keys.

In: one parsed condition and the request's context. Out: whether it holds. Pure.

Sources (IAM User Guide, by page title): "IAM JSON policy elements: Condition operators", "Creating a condition with
multiple keys or values", "Single-valued vs. multivalued context keys", "IAM JSON policy elements: Condition".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from toolkit.iam.matching import Context, Pattern, arn_like, expand, like


class SetOperator(Enum):
    """How a multivalued key is compared with the policy's values."""

    NONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True)
class Operator:
    """One base operator.

    Attributes:
        name: As AWS spells it (`StringNotLike`).
        matches: (policy value, request value) -> whether they match, before any negation.
        expects: What a policy value has to be, for error messages; None where any text will do.
        accepts: Whether a policy value is of that form; those of numbers, dates and addresses leave no room for policy
            variables, which AWS does not replace there.
        negated: Holds when nothing matches, also when the key is absent.
    """

    name: str
    matches: Callable[[Pattern, str], bool]
    expects: str | None = None
    accepts: Callable[[str], bool] = lambda _: True
    negated: bool = False


@dataclass(frozen=True)
class Condition:
    """One operator, one key, its values: `{"StringEqualsIfExists": {"aws:RequestTag/x": ["a", "b"]}}`."""

    operator: Operator
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    set_operator: SetOperator = SetOperator.NONE

    def __str__(self) -> str:
        prefix = f"{self.set_operator.value}:" if self.set_operator is not SetOperator.NONE else ""
        suffix = "IfExists" if self.if_exists else ""
        return f"{prefix}{self.operator.name}{suffix} {self.key} {', '.join(map(repr, self.values))}"

    def holds(self, context: Context, *, variables: bool) -> bool:
        """Whether the condition is true for a request.

        A missing key makes it false, except that negated operators and `…IfExists` are then true, `ForAllValues`
        is true and `ForAnyValue` false (with `IfExists` too: "no matching key … returns false"). Several values
        are alternatives; for a negated operator none of them may match.

        Args:
            context: The request's keys.
            variables: Whether the document's Version replaces policy variables.
        """
        actual = context.values(self.key)
        if self.operator is NULL:
            # A key that is there with an empty value is null as well, by the documentation of ForAllValues.
            absent = actual is None or not any(actual)
            return any(absent == (value.lower() == "true") for value in self.values)
        expanded = [expand(value, context, variables=variables) for value in self.values]

        def one(value: str) -> bool:
            hit = any(pattern is not None and self.operator.matches(pattern, value) for pattern in expanded)
            return hit != self.operator.negated

        if self.set_operator is SetOperator.ALL:
            return actual is None or not any(actual) or all(one(value) for value in actual)
        if self.set_operator is SetOperator.ANY:
            return actual is not None and any(actual) and any(one(value) for value in actual)
        if actual is None:
            return self.if_exists or self.operator.negated
        if context.is_multivalued(self.key) and len(actual) > 1:
            # Without a set operator a list is compared with single values: they do not match.
            return self.operator.negated
        return one(actual[0])


_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?"
)
_EPOCH = re.compile(r"-?\d{5,}")


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime | None:
    """A W3C/ISO 8601 date or time, or seconds since 1970 (five digits or more); UTC unless it says otherwise."""
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        found = _DATE.fullmatch(text)
        if not found:
            return None
        zone = found["zone"] or "Z"
        fraction = (found["fraction"] or "")[:6].ljust(6, "0")
        time = f"{found['hour'] or '00'}:{found['minute'] or '00'}:{found['second'] or '00'}.{fraction}"
        return datetime.fromisoformat(f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}T{time}{zone}")
    except (ValueError, OverflowError, OSError):
        return None


def as_number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


@lru_cache(maxsize=1024)
def as_network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def as_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def as_bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _numbers(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Pattern, str], bool]:
    def matches(pattern: Pattern, text: str) -> bool:
        wanted, actual = as_number(pattern.literal), as_number(text)
        return wanted is not None and actual is not None and compare(actual, wanted)

    return matches


def _moments(compare: Callable[[datetime, datetime], bool]) -> Callable[[Pattern, str], bool]:
    def matches(pattern: Pattern, text: str) -> bool:
        wanted, actual = moment(pattern.literal), moment(text)
        return wanted is not None and actual is not None and compare(actual, wanted)

    return matches


def _in_network(pattern: Pattern, text: str) -> bool:
    network, address = as_network(pattern.literal), as_address(text)
    return network is not None and address is not None and address in network


def _same_bytes(pattern: Pattern, text: str) -> bool:
    wanted = as_bytes(pattern.literal)
    return wanted is not None and wanted == as_bytes(text)


def _is_truth(text: str) -> bool:
    return text.lower() in {"true", "false"}


def _operators() -> list[Operator]:
    number = "a number"
    date = "an ISO 8601 date or time, or seconds since 1970"
    address = "an IP address or CIDR range"

    def equal(pattern: Pattern, value: str) -> bool:
        return pattern.literal == value

    def equal_any_case(pattern: Pattern, value: str) -> bool:
        return pattern.literal.lower() == value.lower()

    def strings(name: str, matches: Callable[[Pattern, str], bool], negated: bool = False) -> Operator:
        return Operator(name, matches, negated=negated)

    def numbers(name: str, compare: Callable[[Decimal, Decimal], bool], negated: bool = False) -> Operator:
        return Operator(name, _numbers(compare), number, lambda value: as_number(value) is not None, negated)

    def dates(name: str, compare: Callable[[datetime, datetime], bool], negated: bool = False) -> Operator:
        return Operator(name, _moments(compare), date, lambda value: moment(value) is not None, negated)

    def addresses(name: str, negated: bool) -> Operator:
        return Operator(name, _in_network, address, lambda value: as_network(value) is not None, negated)

    return [
        strings("StringEquals", equal),
        strings("StringNotEquals", equal, negated=True),
        strings("StringEqualsIgnoreCase", equal_any_case),
        strings("StringNotEqualsIgnoreCase", equal_any_case, negated=True),
        strings("StringLike", like),
        strings("StringNotLike", like, negated=True),
        numbers("NumericEquals", lambda actual, wanted: actual == wanted),
        numbers("NumericNotEquals", lambda actual, wanted: actual == wanted, negated=True),
        numbers("NumericLessThan", lambda actual, wanted: actual < wanted),
        numbers("NumericLessThanEquals", lambda actual, wanted: actual <= wanted),
        numbers("NumericGreaterThan", lambda actual, wanted: actual > wanted),
        numbers("NumericGreaterThanEquals", lambda actual, wanted: actual >= wanted),
        dates("DateEquals", lambda actual, wanted: actual == wanted),
        dates("DateNotEquals", lambda actual, wanted: actual == wanted, negated=True),
        dates("DateLessThan", lambda actual, wanted: actual < wanted),
        dates("DateLessThanEquals", lambda actual, wanted: actual <= wanted),
        dates("DateGreaterThan", lambda actual, wanted: actual > wanted),
        dates("DateGreaterThanEquals", lambda actual, wanted: actual >= wanted),
        Operator(
            "Bool",
            equal_any_case,
            "true or false",
            lambda value: _is_truth(value) or "${" in value,
        ),
        Operator("BinaryEquals", _same_bytes, "base64", lambda value: as_bytes(value) is not None),
        addresses("IpAddress", negated=False),
        addresses("NotIpAddress", negated=True),
        strings("ArnEquals", arn_like),
        strings("ArnLike", arn_like),
        strings("ArnNotEquals", arn_like, negated=True),
        strings("ArnNotLike", arn_like, negated=True),
        Operator("Null", lambda _pattern, _text: False, "true or false", _is_truth),
    ]


OPERATORS: dict[str, Operator] = {operator.name.lower(): operator for operator in _operators()}
"""Every base operator by its lowercase name."""

NULL = OPERATORS["null"]
