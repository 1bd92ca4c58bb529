"""What ECR scans, by rule."""

from __future__ import annotations

from typing import Any

from toolkit.audit.facts import Every
from toolkit.findings import Status

from .conftest import HOME, Case, Flip, live

PASS, FAIL = Status.PASS, Status.FAIL
CHECK, SCANNING = "ecr_repositories_are_scanned", Every("aws_ecr_registry_scanning_configuration", HOME)


def rule(frequency: str, name: str = "*") -> dict[str, Any]:
    return {"scan_frequency": frequency, "repository_filter": [{"filter": name, "filter_type": "WILDCARD"}]}


def _scanned(expected: Status, *rules: dict[str, Any], flips: tuple[Flip, ...] = ()) -> Case:
    return Case(CHECK, expected, {SCANNING: (live({"scan_type": "BASIC", "rule": list(rules)}),)}, flips)


CASES = (
    _scanned(
        PASS,
        rule("SCAN_ON_PUSH"),
        flips=(
            Flip("rule.0.scan_frequency", "MANUAL", FAIL),
            Flip("rule.0.repository_filter.0.filter", "prod*", FAIL),
        ),
    ),
    _scanned(PASS, rule("MANUAL", "x"), rule("CONTINUOUS_SCAN")),
    _scanned(FAIL, rule("MANUAL"), rule("SCAN_ON_PUSH", "prod*")),
    _scanned(FAIL, flips=(Flip("rule", [rule("SCAN_ON_PUSH")], PASS),)),
)
