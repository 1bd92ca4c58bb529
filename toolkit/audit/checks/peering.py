"""VPC peering: whether routes lead to parts of the peered VPC, or to all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from toolkit.audit.checks.exposure import prefix_list
from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/vpc/latest/peering/"


@dataclass(frozen=True)
class PeeringRoutes(Fact):
    """Every route of a region through an active peering connection.

    Values: `destinations` (CIDR blocks; several if the destination is a prefix list) and `peer`, those of the VPC on
    the other side. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """

    region: str

    named = "every route to a peered VPC in {region}"
    calls = ("ec2:DescribeRouteTables", "ec2:DescribeVpcPeeringConnections", "ec2:GetManagedPrefixListEntries")

    def read(self, source: Source) -> tuple[Live, ...]:
        """The routes."""
        peerings = {
            one["VpcPeeringConnectionId"]: one
            for one in source.pages("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections", self.region)
            if one["Status"]["Code"] == "active"
        }
        if not peerings:
            return ()
        tables = source.pages("ec2", "describe_route_tables", "RouteTables", self.region)
        return tuple(
            self._route(source, table, route, peerings[identifier])
            for table in tables
            for route in table["Routes"]
            if (identifier := route.get("VpcPeeringConnectionId")) in peerings
        )

    def _route(
        self, source: Source, table: Mapping[str, Any], route: Mapping[str, Any], peering: Mapping[str, Any]
    ) -> Live:
        sides = peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]
        (other,) = (one for one in sides if one["VpcId"] != table["VpcId"])
        block = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
        through, of = peering["VpcPeeringConnectionId"], table["RouteTableId"]
        return Live(
            {"route_table_id": of, "destination": block or route["DestinationPrefixListId"]},
            {
                "destinations": [block]
                if block
                else list(prefix_list(source, self.region, route["DestinationPrefixListId"])),
                "peer": [
                    *(one["CidrBlock"] for one in other["CidrBlockSet"]),
                    *(one["Ipv6CidrBlock"] for one in other.get("Ipv6CidrBlockSet", ())),
                ],
            },
            f"the route of {of} through {through}",
            None,
            type="aws_route",
            region=self.region,
        )


def _needs(scope: Scope) -> Iterator[Fact]:
    yield PeeringRoutes(scope.region)


def _routes(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    routes = answers[PeeringRoutes(scope.region)]
    wide = [(one, block) for one in routes if (block := _whole(one)) is not None]
    for one, block in wide:
        yield Outcome(Status.FAIL, f"{one.called} leads to all of the other VPC's {block}", one)
    if routes and not wide:
        yield Outcome(Status.PASS, f"all {len(routes):,} routes to peered VPCs lead to parts of them")


def _whole(route: Live) -> str | None:
    """A CIDR block of the peered VPC that the route's destinations cover; None: there is none."""
    destinations = [ip_network(one) for one in route.values["destinations"]]
    return next((one for one in route.values["peer"] if any(_covers(d, ip_network(one)) for d in destinations)), None)


def _covers(destination: IPv4Network | IPv6Network, block: IPv4Network | IPv6Network) -> bool:
    if isinstance(destination, IPv4Network) and isinstance(block, IPv4Network):
        return block.subnet_of(destination)
    return isinstance(destination, IPv6Network) and isinstance(block, IPv6Network) and block.subnet_of(destination)


CHECKS = (
    Check(
        "vpc_peering_routing_tables_with_least_privilege",
        "Routes to peered VPCs lead to parts of them only.",
        Severity.MEDIUM,
        "ec2",
        _needs,
        _routes,
        Remedy("replace the route by routes to the subnets or addresses that are needed"),
        why="A route to all of a VPC lets everything there be reached that a security group admits.",
        regional=True,
        source=f"{_GUIDE}peering-configurations-partial-access.html",
    ),
)
