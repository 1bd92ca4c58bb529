"""A suggestion is what was meant, or there is none: an irrelevant one sends people the wrong way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.components.registry import REGISTRY
from toolkit.regions import PARTITION_OF
from toolkit.spelling import edits, nearest

COMPONENTS, REGIONS = tuple(REGISTRY), tuple(PARTITION_OF)
ENVIRONMENTS = ("prod", "sandbox", "staging")

MEANT = [
    ("prdo", ENVIRONMENTS, "prod"),
    ("Prod", ENVIRONMENTS, "prod"),
    ("stagin", ENVIRONMENTS, "staging"),
    ("clodtrail", COMPONENTS, "cloudtrail"),
    ("guard_duty", COMPONENTS, "guardduty"),
    ("pasword_polcy", COMPONENTS, "password_policy"),
    ("password", COMPONENTS, "password_policy"),
    ("eu-wst-1", REGIONS, "eu-west-1"),
    ("eu-centrall-1", REGIONS, "eu-central-1"),
]
NOT_MEANT = [
    # What difflib with its usual cutoff of 0.6 suggests:
    ("shop", ("workshop", "prod")),  # workshop
    ("test", ("latest", "prod")),  # latest
    ("box", ENVIRONMENTS),  # sandbox
    ("accounts", COMPONENTS),  # account_defaults
    ("af-nowhere-1", REGIONS),  # af-south-1
    ("eu-moon-1", REGIONS),  # eu-south-1
    # Others.
    ("dev", ENVIRONMENTS),
    ("iam", COMPONENTS),  # several begin so
    ("s", ("sandbox", "prod")),
    ("", ENVIRONMENTS),
    ("x" * 5000, ENVIRONMENTS),
]


@pytest.mark.parametrize(("given_name", "known", "meant"), MEANT, ids=[m[0] for m in MEANT])
def test_a_misspelling_is_recognised(given_name: str, known: tuple[str, ...], meant: str):
    assert nearest(given_name, known) == meant


@pytest.mark.parametrize(("given_name", "known"), NOT_MEANT, ids=[m[0][:20] for m in NOT_MEANT])
def test_another_name_is_not_suggested(given_name: str, known: tuple[str, ...]):
    assert nearest(given_name, known) is None


@given(one=st.text("abc", max_size=7), other=st.text("abc", max_size=7))
def test_edits_are_a_distance(one: str, other: str):
    count = edits(one, other, 9)
    assert count is not None
    assert count == edits(other, one, 9)
    assert (count == 0) == (one == other)
    assert abs(len(one) - len(other)) <= count <= max(len(one), len(other))
    for most in range(9):
        assert edits(one, other, most) == (count if count <= most else None)
