"""Facts that several checks want: what an account has of a type, and what IAM reports of its credentials.

In: a `Source`. Out: `Live`, whatever AWS calls it, so that each fact that a check looks at stands in `values`. Pure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from toolkit.plan.facts import Source, Wanted
from toolkit.resources.reading import Live, Unreadable, UnreadableError
from toolkit.resources.registry import RESOURCES

S = TypeVar("S")


class Fact(Wanted[tuple[Live, ...]]):
    """A question whose answer is any number of resources; `actions` says what IAM must allow for it.

    An answer may have an `Unreadable` among its resources, for one that AWS does not answer though it does others:
    `Answers` decides whether a check makes do with the rest.

    Attributes:
        named: What is wanted, for people, with the question's fields in braces.
        calls: The IAM actions that the read needs.
    """

    named: ClassVar[str] = ""
    calls: ClassVar[tuple[str, ...]] = ()

    @property
    def what(self) -> str:
        """As the base."""
        return self.named.format_map(vars(self))

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions that the read needs; where they depend on what is asked, more than `calls`."""
        return self.calls


def each(
    source: Source, read: Callable[[S], object], about: Iterable[S], called: Callable[[S], str]
) -> tuple[Any, ...]:
    """What is read of each, side by side; `Unreadable` with its name for one that cannot be read.

    Args:
        source: The account.
        read: Reads one.
        about: What there is.
        called: What one is called, for people.
    """

    def one(of: S) -> object:
        try:
            return read(of)
        except UnreadableError as e:
            return replace(e.of(""), message=f"{called(of)}: {e.message}")

    return source.side_by_side(one, about)


@dataclass(frozen=True)
class Every(Fact):
    """Every resource of a Terraform type in a region; global types are read in the home region, whatever it says.

    What identifies a resource is among its values, too: a claim finds by it the one that is meant.
    """

    kind: str
    region: str

    named = "every {kind} in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """As the type's record declares them."""
        reading = RESOURCES[self.kind].reading
        assert reading is not None, f"{self.kind} has no reading"
        return reading.actions

    def read(self, source: Source) -> tuple[Live, ...] | Unreadable:
        """The resources."""
        reading = RESOURCES[self.kind].reading
        assert reading is not None, f"{self.kind} has no reading"
        region = source.home_region if reading.is_global else self.region
        found = source.live(self.kind, region)
        return tuple(
            replace(one, values={**one.key, **one.values}, type=self.kind, region=region, account_id=source.account_id)
            for one in found
        )


@dataclass(frozen=True)
class AccountSummary(Fact):
    """What IAM counts in the account: one `Live` whose values are GetAccountSummary's SummaryMap.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    """

    named = "IAM's summary of the account"
    calls = ("iam:GetAccountSummary",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The summary."""
        answer = source.call("iam", "get_account_summary", source.home_region) or {}
        return (Live({}, dict(answer["SummaryMap"]), "the account", None, region=source.home_region),)


@dataclass(frozen=True)
class CredentialReport(Fact):
    """A `Live` per user and one for root, with what the credential report says of them.

    Values: `user`, `created`, `password_enabled` (None where that does not apply, as for root), `password_last_used`,
    `password_last_changed`, `mfa_active`, `keys` (of each of two: `active`, `last_rotated`, `last_used`), and
    `generated`, when IAM wrote the report: it writes a new one at most every four hours.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """

    named = "IAM's credential report"
    calls = ("iam:GenerateCredentialReport", "iam:GetCredentialReport")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The report's rows."""
        home = source.home_region
        source.call("iam", "generate_credential_report", home, unfinished=lambda answer: answer["State"] != "COMPLETE")
        answer = source.call("iam", "get_credential_report", home) or {}
        text = answer["Content"].decode("utf-8")
        return tuple(_rows(text, answer["GeneratedTime"], home))


ROOT = "<root_account>"
"""How the credential report calls root."""


def _rows(text: str, generated: datetime, region: str) -> Iterator[Live]:
    for row in csv.DictReader(io.StringIO(text)):
        name = row["user"]
        values = {
            "user": name,
            "created": _moment(row["user_creation_time"]),
            "password_enabled": _truth(row["password_enabled"]),
            "password_last_used": _moment(row["password_last_used"]),
            "password_last_changed": _moment(row["password_last_changed"]),
            "mfa_active": _truth(row["mfa_active"]),
            "keys": [_key(row, number) for number in (1, 2)],
            "generated": generated,
        }
        called = "root" if name == ROOT else f"the user {name!r}"
        yield Live({"user": name}, values, called, None, arn=row["arn"], region=region)


def _key(row: Mapping[str, str], number: int) -> dict[str, Any]:
    prefix = f"access_key_{number}_"
    return {
        "active": _truth(row[f"{prefix}active"]),
        "last_rotated": _moment(row[f"{prefix}last_rotated"]),
        "last_used": _moment(row[f"{prefix}last_used_date"]),
    }


_TRUTHS = {"true": True, "false": False, "not_supported": None, "n/a": None}


def _truth(text: str) -> bool | None:
    """As the report writes it; any other word is an answer that is not known (ValueError)."""
    if text.lower() not in _TRUTHS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _TRUTHS[text.lower()]


_NO_MOMENT = ("N/A", "no_information", "not_supported", "")


def _moment(text: str) -> datetime | None:
    return None if text in _NO_MOMENT else datetime.fromisoformat(text)


def users(report: tuple[Live, ...]) -> tuple[Live, ...]:
    """The report without root."""
    return tuple(one for one in report if one.values["user"] != ROOT)


def root(report: tuple[Live, ...]) -> Live:
    """Root's row.

    Raises:
        LookupError: The report lacks it.
    """
    for one in report:
        if one.values["user"] == ROOT:
            return one
    raise LookupError(f"the credential report has no {ROOT}")
