"""What answers web requests, with access logs and without."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.access_logs import Distributions, Stages, WebLoadBalancers
from toolkit.findings import Status
from toolkit.plan.facts import Wanted

from .conftest import HOME, Case, Flip, live

LOGGED, SILENT = live({"logged": True}), live({"logged": False})
QUESTIONS: dict[str, Wanted[Any]] = {
    "cloudfront_distributions_logging_enabled": Distributions(),
    "elbv2_logging_enabled": WebLoadBalancers(HOME),
    "apigateway_restapi_access_logging_enabled": Stages(HOME, rest=True),
    "apigatewayv2_api_access_logging_enabled": Stages(HOME, rest=False),
}

CASES = tuple(
    case
    for check, wanted in QUESTIONS.items()
    for case in (
        Case(check, Status.PASS, {wanted: (LOGGED,)}, (Flip("logged", False, Status.FAIL),)),
        Case(check, Status.FAIL, {wanted: (LOGGED, SILENT)}, (Flip("logged", True, Status.PASS, at=1),)),
        Case(check, Status.NOT_APPLICABLE, {wanted: ()}),
    )
)
