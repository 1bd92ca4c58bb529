"""Trusted Advisor, in each state that a check tells from another."""

from __future__ import annotations

from dataclasses import replace

from toolkit.audit.checks.trusted_advisor import Advice
from toolkit.findings import Status

from .conftest import SCOPE, Case, Flip, live

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
CHECK = "trustedadvisor_errors_and_warnings"
PORTS = {"name": "'Ports' (security)", "status": "ok", "flagged": 0}


def _case(expected: Status, *statuses: str, readable: bool = True, flips: tuple[Flip, ...] = ()) -> Case:
    checks = [PORTS | {"status": one} for one in statuses]
    return Case(CHECK, expected, {Advice(): (live({"readable": readable, "checks": checks}),)}, flips)


CASES = (
    _case(
        PASS,
        "ok",
        flips=(
            Flip("readable", False, NOT_APPLICABLE),
            Flip("checks.0.status", "error", FAIL),
            Flip("checks.0.status", "not_available", UNKNOWN),
        ),
    ),
    _case(PASS, "warning", "not_available", flips=(Flip("checks.1.status", "another", UNKNOWN),)),
    _case(FAIL, "ok", "error", flips=(Flip("checks.1.status", "ok", PASS),)),
    _case(UNKNOWN, "not_available", flips=(Flip("checks.0.status", "ok", PASS),)),
    # An answer without a check is no missing support plan.
    _case(UNKNOWN, flips=(Flip("readable", False, NOT_APPLICABLE), Flip("checks", [PORTS], PASS))),
    _case(NOT_APPLICABLE, readable=False, flips=(Flip("readable", True, UNKNOWN),)),
    Case(CHECK, NOT_APPLICABLE, {}, scope=replace(SCOPE, simulated=True)),
)
DISPLAY = {CHECK: ("Advice.checks.*.name", "Advice.checks.*.flagged")}
