"""Audits for the tests of their formats: every verdict with every severity, waived and not, and hostile words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

from toolkit.audit.model import Check, Outcome, Remedy, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.findings import Severity, Status, Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.resources.reading import Call, Live

HOME, ACCOUNT = "eu-central-1", "111122223333"
TAKEN = datetime(2026, 11, 29, 6, 30, tzinfo=UTC)
CALLS = (Call("iam:GetAccountSummary", HOME, TAKEN, "11111111-2222-3333-4444-555555555555"),)


def check(name: str, severity: Severity, *, regional: bool = False, **more: Any) -> Check:
    return Check(
        id=name,
        title=f"Title of {name}.",
        severity=severity,
        service="iam",
        needs=lambda scope: (),
        judge=lambda scope, answers: iter(()),
        remedy=Remedy(f"Do what {name} asks.", "password_policy", "require_lowercase_characters"),
        why=f"Why of {name}.",
        regional=regional,
        **more,
    )


def live(arn: str | None, name: str = "one", region: str = HOME) -> Live:
    return Live({"name": name}, {}, f"the user {name!r}", name, arn, type="aws_iam_user", region=region)


def result(of: Check, *outcomes: Outcome, region: str = HOME) -> Result:
    return Result(of, region, outcomes, CALLS)


def audit(results: Iterable[Result], **more: Any) -> Audit:
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "caller": f"arn:aws:iam::{ACCOUNT}:user/audit",
        "environment": "prod",
        "simulated": False,
        "taken": TAKEN,
        "home": HOME,
        "regions": (HOME, "us-east-1"),
        "off": (),
        "frameworks": (),
        "results": tuple(results),
        "waivers": (),
        "calls": 7,
        "max_calls": 100,
        "lines": {("components",): 4, ("components", "password_policy"): 5},
    }
    return Audit(**{**given, **more})


WAIVED = "waived"
KINDS = (*Status, WAIVED)
"""Every verdict that a finding can have."""
TOPIC = "iam_avoid_root_usage"
"""A check that the waiver is about."""


def every() -> Audit:
    """Each kind with each severity, of an account and of a region, each a check of its own."""
    results = []
    for number, (kind, severity, regional) in enumerate(product(KINDS, Severity, (False, True))):
        name = f"{kind if kind == WAIVED else kind.value}_{severity.value}_{number}"
        topics = (TOPIC,) if kind == WAIVED else ()
        one = check(name, severity, regional=regional, topics=topics)
        status = Status.FAIL if kind == WAIVED else kind
        about = live(f"arn:aws:iam::{ACCOUNT}:user/{name}") if regional else None
        results.append(result(one, Outcome(status, f"evidence of {name}", about)))
    requirement = checks()[TOPIC].requirements[0]
    return audit(results, waivers=(Waiver(UNCOVERED, requirement, "accepted for now", date(2026, 12, 24)),))
