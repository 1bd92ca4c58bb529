"""Amazon Detective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Price, switched
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for


def _graphs(account: Account, region: str) -> Iterator[Live]:
    for graph in account.pages("detective", "list_graphs", "GraphList", region):
        yield Live({}, {}, f"Detective in {region}", graph["Arn"], arn=graph["Arn"])


def _organizations(account: Account, region: str) -> Iterator[Live]:
    graphs = account.live("aws_detective_graph", region)
    yield from found_for(account, region, _find_organization, ({"graph_arn": graph.arn} for graph in graphs))


def _find_organization(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    graph = planned["graph_arn"]
    answer = account.call("detective", "describe_organization_configuration", region, GraphArn=graph) or {}
    values = {"auto_enable": answer.get("AutoEnable", False)}
    return Live({"graph_arn": graph}, values, f"what Detective does with new members in {region}", graph)


_PRICES = "https://aws.amazon.com/detective/pricing/"


TYPES = (
    ResourceType(
        "aws_detective_graph",
        unrecorded=iam_actions(
            "detective",
            "CreateGraph DeleteGraph ListGraphs ListTagsForResource TagResource UntagResource",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Detective",
            "2.00 per GB taken in up to 1,000 GB a month, less beyond; 30 days free per region",
            _PRICES,
            "2026-11-28",
            driver="volume of CloudTrail, VPC flow and GuardDuty logs of the region",
            unconfirmed="2.00 per GB up to 1,000 GB",
        ),
        reading=Reading(_graphs, OnCreate.COLLIDES, actions=("detective:ListGraphs",)),
    ),
    ResourceType(
        "aws_detective_organization_configuration",
        unrecorded=iam_actions("detective", "DescribeOrganizationConfiguration UpdateOrganizationConfiguration"),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Detective in member accounts",
            (
                "as the graph, for every member account and region that it is switched on in: 2.00 per GB "
                "taken in up to 1,000 GB a month, less beyond"
            ),
            _PRICES,
            "2026-11-28",
            driver="number of member accounts, and volume of logs of each",
            unconfirmed="2.00 per GB up to 1,000 GB",
            # What is switched on in other accounts bills there.
            starts=switched("auto_enable", True),
        ),
        key=("graph_arn",),
        reading=Reading(
            _organizations,
            OnCreate.OVERWRITES,
            finds=_find_organization,
            quiet=True,
            actions=("detective:ListGraphs", "detective:DescribeOrganizationConfiguration"),
        ),
        strengths=(Strength("auto_enable", Stronger.TRUE),),
        no_weaker_side={IDENTITY: "graph_arn"},
    ),
)
