"""VPCs: rules of default security groups, and flow logs in each state that a check tells from another."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.network import FlowLogs
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
GROUPS, VPCS, LOGS = Every("aws_default_security_group", HOME), Every("aws_vpc", HOME), FlowLogs(HOME)


def group(ingress: tuple[str, ...] = (), egress: tuple[str, ...] = ()) -> Live:
    return Live({"vpc_id": "vpc-1"}, {"ingress": list(ingress), "egress": list(egress)}, "the rules of sg-1", "sg-1")


def vpc(name: str = "vpc-1", owner: str = "123456789012") -> Live:
    return Live({"id": name}, {"owner_id": owner}, f"the VPC {name}", name)


def log(of: str = "vpc-1", **values: Any) -> Live:
    every = {
        "vpc_id": of, "traffic_type": "ALL", "status": "ACTIVE", "delivery": "SUCCESS", "error": None, **values,
    }  # fmt: skip
    return Live({"id": "fl-1"}, every, "the flow log fl-1", "fl-1")


def _groups(expected: Status, *groups: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("ec2_securitygroup_default_restrict_traffic", expected, {GROUPS: groups}, flips)


def _flow(expected: Status, vpcs: tuple[Live, ...], *logs: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("vpc_flow_logs_enabled", expected, {VPCS: vpcs, LOGS: logs}, flips)


IN, OUT = ["everything from sg-1"], ["everything to 0.0.0.0/0"]
DENIED = {"delivery": "FAILED", "error": "Access error"}

CASES = (
    _groups(PASS, group(), flips=(Flip("ingress", IN, FAIL), Flip("egress", OUT, FAIL))),
    _groups(FAIL, group(), group(tuple(IN)), flips=(Flip("ingress", [], PASS, at=1),)),
    _groups(FAIL, group(egress=tuple(OUT)), flips=(Flip("egress", [], PASS),)),
    _groups(NOT_APPLICABLE),
    _flow(
        PASS,
        (vpc(),),
        log(),
        flips=(
            Flip("vpc_id", "vpc-2", FAIL, LOGS),
            Flip("traffic_type", "ACCEPT", FAIL, LOGS),
            Flip("status", "INACTIVE", FAIL, LOGS),
            Flip("delivery", "FAILED", FAIL, LOGS),
            Flip("delivery", None, UNKNOWN, LOGS),
            Flip("owner_id", "111122223333", NOT_APPLICABLE, VPCS),
        ),
    ),
    _flow(PASS, (vpc(),), log(traffic_type="REJECT"), flips=(Flip("traffic_type", "ACCEPT", FAIL, LOGS),)),
    _flow(PASS, (vpc(),), log(**DENIED), log(), flips=(Flip("delivery", "FAILED", FAIL, LOGS, at=1),)),
    _flow(FAIL, (vpc(),), log(**DENIED), flips=(Flip("delivery", "SUCCESS", PASS, LOGS),)),
    _flow(FAIL, (vpc(), vpc("vpc-2")), log(), flips=(Flip("owner_id", "111122223333", PASS, VPCS, at=1),)),
    _flow(FAIL, (vpc(),)),
    _flow(UNKNOWN, (vpc(),), log(**DENIED), log(delivery=None), flips=(Flip("delivery", "SUCCESS", PASS, LOGS, at=1),)),
    _flow(NOT_APPLICABLE, (vpc(owner="111122223333"),), flips=(Flip("owner_id", "123456789012", FAIL, VPCS),)),
    _flow(NOT_APPLICABLE, ()),
)
DISPLAY = {"vpc_flow_logs_enabled": ("FlowLogs.error",)}
"""Why a flow log cannot deliver; that it cannot is its `delivery`."""
