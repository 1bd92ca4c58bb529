"""The behaviour graph, and what Detective does with new members: asked of stubs, since moto lacks them."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory

from .conftest import Stubbed, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_what_detective_does_with_new_members_is_overwritten():
    graph = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    kind = "aws_detective_organization_configuration"
    answer = ("describe_organization_configuration", {"AutoEnable": True})
    (found,) = read_existing(
        creates(kind, graph_arn=graph, auto_enable=False), Inventory(Stubbed("detective", answer))
    ).values()
    assert (found.overwritten, found.values) == (True, {"auto_enable": True})
    assert (
        read_existing(creates(kind, graph_arn=graph, auto_enable=True), Inventory(Stubbed("detective", answer))) == {}
    )
    assert read_existing(creates(kind, auto_enable=True), Inventory(Stubbed("detective"))) == {}


def test_another_behaviour_graph_collides():
    graph = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    plan = creates("aws_detective_graph")
    (found,) = read_existing(
        plan, Inventory(Stubbed("detective", ("list_graphs", {"GraphList": [{"Arn": graph}]})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, graph)
    assert read_existing(plan, Inventory(Stubbed("detective", ("list_graphs", {"GraphList": []})))) == {}
