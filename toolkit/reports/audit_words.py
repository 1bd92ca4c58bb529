"""Words and marks of an audit's page, and how it writes times. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

ACCOUNT = "account"
"""Where checks are placed that run once per account."""
VERDICTS = ("fail", "unknown", "waived", "attested", "pass", "not-applicable", "earlier")
"""Verdicts of findings, in the order in which people look for them."""
WORDS = {
    "fail": "failed",
    "unknown": "unknown",
    "waived": "waived",
    "attested": "attested",
    "pass": "passed",
    "not-applicable": "not applicable",
    "earlier": "in the baseline",
}
MARKS = {
    "fail": "✕",
    "unknown": "?",
    "waived": "~",
    "attested": "◆",
    "pass": "✓",
    "not-applicable": "\N{EN DASH}",
    "earlier": "·",
    "not-checked": "○",
}
"""What says a verdict beside its colour."""
MET = {
    "pass": "met",
    "attested": "attested",
    "fail": "not met",
    "unknown": "unknown",
    "not-applicable": "not applicable",
    "not-checked": "not checked",
}
"""Verdicts on requirements, in the order in which they are drawn."""
CHANGES = {
    "new": "new",
    "fixed": "fixed",
    "unchanged": "unchanged",
    "waived": "waived since",
    "unknown": "unknown in one of the audits",
    "not-compared": "not compared",
}


def moment(text: str) -> datetime:
    """A time of a JSON report."""
    return datetime.fromisoformat(text).astimezone(UTC)


def day(at: datetime) -> str:
    """ "29 November 2026"."""
    return f"{at.day} {at:%B %Y}"


def minute(at: datetime) -> str:
    """ "29 November 2026, 12:02 UTC"."""
    return f"{day(at)}, {at:%H:%M} UTC"
