"""The value that a setting needs so that it is no weaker than what the account has."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.adoption.stronger import Demand, stronger
from toolkit.plan.strengths import weakenings
from toolkit.resources.registry import RESOURCES


def filters(*names: str, kind: str = "WILDCARD") -> list[dict[str, str]]:
    return [{"filter": name, "filter_type": kind} for name in names]


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        (filters("prod-*", "theirs-*"), filters("prod-*"), ["prod-*", "theirs-*"]),
        (filters("theirs-*"), filters("prod-*"), ["prod-*", "theirs-*"]),
        # Blocks that differ in more than one attribute are more than a text says.
        ([*filters("theirs-*"), *filters("x", kind="OTHER")], filters("prod-*"), None),
        ([{"filter": "theirs-*"}], filters("prod-*"), None),
        (filters("theirs-*"), [], None),
    ],
)
def test_blocks_that_differ_in_one_text_are_a_list_of_texts(old: Any, new: Any, value: Any):
    record = RESOURCES["aws_ecr_registry_scanning_configuration"]
    before, after = (
        {"scan_type": "ENHANCED", "rule": [{"scan_frequency": "CONTINUOUS_SCAN", "repository_filter": one}]}
        for one in (old, new)
    )
    (lost,) = weakenings(record, before, after)
    assert lost.path == "rule[0].repository_filter"
    found = stronger(lost, old, new)
    assert found == value
    assert found is None or Demand(record, lost, after, found).is_met_by(found)
