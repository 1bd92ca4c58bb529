"""Routes to peered VPCs, in each state that the check tells from another."""

from __future__ import annotations

from toolkit.audit.checks.peering import PeeringRoutes
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip, live

CHECK = "vpc_peering_routing_tables_with_least_privilege"
PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
VPC, SUBNET, ALL = "10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8"
VPC6, SUBNET6 = "2001:db8:1::/56", "2001:db8:1::/64"


def route(*destinations: str, peer: tuple[str, ...] = (VPC, VPC6)) -> Live:
    return live({"destinations": list(destinations), "peer": list(peer)}, "the route of rtb-1 through pcx-1")


def _case(expected: Status, *routes: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case(CHECK, expected, {PeeringRoutes(HOME): routes}, flips)


CASES = (
    _case(
        PASS,
        route(SUBNET),
        flips=(
            Flip("destinations", [VPC], FAIL),
            Flip("destinations", [ALL], FAIL),
            Flip("destinations", [SUBNET, VPC6], FAIL),
            Flip("destinations", ["not a block"], UNKNOWN),
            Flip("peer", [SUBNET], FAIL),
        ),
    ),
    _case(PASS, route(SUBNET6), flips=(Flip("destinations", ["::/0"], FAIL),)),
    _case(FAIL, route(SUBNET), route("0.0.0.0/0"), flips=(Flip("destinations", [SUBNET], PASS, at=1),)),
    _case(FAIL, route(VPC6)),
    _case(NOT_APPLICABLE),
)
