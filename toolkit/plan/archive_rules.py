"""Judges new archive rules of Access Analyzer: whether they hide findings that nobody has named.

In: a change and its plan. Out: findings. Pure. A rule archives every finding that matches all of its filters, so one
filter that pins who or what is meant is enough. IAM User Guide, "IAM Access Analyzer filter keys".
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-filter-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.findings import Finding, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.plan.model import Action, Change, Plan, shown

_RULE = "aws_accessanalyzer_archive_rule"
_ANALYZER = "aws_accessanalyzer_analyzer"
_PINS = ("id", "resource", "principal.", "condition.")
"""Keys, or how they start, that name one finding, one resource, or who has access."""


def judge_archive_rules(change: Change, plan: Plan) -> Iterator[Finding]:
    """A new rule of an analyzer that is there already, which names neither a resource nor who has access to it."""
    if change.type != _RULE or change.action is not Action.CREATE:
        return
    analyzer = change.after.get("analyzer_name")
    new = any(
        c.type == _ANALYZER and c.action is Action.CREATE and c.region == change.region
        for c in plan.changes
        if c.after.get("analyzer_name") == analyzer
    )
    filters = change.after.get("filter")
    filters = filters if isinstance(filters, list) else []
    if new or any(_pins(one) for one in filters):
        return
    yield Finding(
        rule=WEAKENS,
        severity=Severity.HIGH,
        resource=change.resource,
        attribute="filter",
        summary=f"A new archive rule hides findings of {analyzer} without limiting whose access is meant.",
        evidence="archives everything that matches "
        + (" and ".join(shown({k: v for k, v in one.items() if v}) for one in filters) or "anything"),
        remedy="add a filter with `eq` on resource, principal.AWS, another principal or a condition",
        consent=f"--allow-weaker '{change.address}.filter'",
        component=change.component,
    )


def _pins(one: Mapping[str, Any]) -> bool:
    """Whether a filter matches only what it names in full; `contains` may be a part of every name."""
    criterion, values = str(one.get("criteria")), one.get("eq")
    named = any(criterion == pin or (pin.endswith(".") and criterion.startswith(pin)) for pin in _PINS)
    return named and isinstance(values, list) and bool(values) and not any(str(v).strip("*") == "" for v in values)
