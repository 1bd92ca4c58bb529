"""EventBridge rules for alerts, in each state that a check tells from another."""

from __future__ import annotations

from toolkit.audit.checks.events import AlertRules
from toolkit.findings import Status

from .conftest import HOME, NOW, Case, Flip, live

CHECK, RULES = "eventbridge_alert_rules_deliver", AlertRules(HOME, NOW)
TOPIC = f"arn:aws:sns:{HOME}:123456789012:alerts"

CASES = (
    Case(
        CHECK,
        Status.PASS,
        {RULES: (live({"targets": [TOPIC], "failed": 0}),)},
        (Flip("targets", [], Status.FAIL), Flip("failed", 3, Status.FAIL)),
    ),
    Case(
        CHECK,
        Status.FAIL,
        {RULES: (live({"targets": [], "failed": 0}),)},
        (Flip("targets", [TOPIC], Status.PASS),),
    ),
    Case(
        CHECK,
        Status.FAIL,
        {RULES: (live({"targets": [TOPIC], "failed": 3}),)},
        (Flip("failed", 0, Status.PASS),),
    ),
    Case(CHECK, Status.NOT_APPLICABLE, {RULES: ()}),
)
