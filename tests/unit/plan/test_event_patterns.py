"""Which changes of an event pattern are known to widen it, after EventBridge's documented operators."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.plan.event_patterns import narrowed

SAME_OR_WIDER: list[tuple[Any, Any]] = [
    ({"source": ["a"]}, {"source": ["a"]}),
    ({"source": ["a"]}, {"source": ["b", "a"]}),
    ({"source": ["a"], "detail-type": ["x"]}, {"source": ["a"]}),
    ({"detail": {"type": ["x"], "id": ["1"]}}, {"detail": {"type": ["x"]}}),
    ({"source": ["aws.ec2"]}, {"source": [{"prefix": "aws."}]}),
    ({"source": [{"prefix": "aws.ec2"}]}, {"source": [{"prefix": "aws."}]}),
    ({"source": ["a"]}, {"source": [{"exists": True}]}),
    ({"n": [{"numeric": [">=", 7]}]}, {"n": [{"numeric": [">=", 4]}]}),
    ({"n": [{"numeric": [">", 7]}]}, {"n": [{"numeric": [">=", 7]}]}),
    ({"n": [{"numeric": [">", 2, "<", 5]}]}, {"n": [{"numeric": [">", 0, "<=", 5]}]}),
    ({"n": [5]}, {"n": [{"numeric": ["<", 6]}]}),
    ({"n": [{"numeric": ["=", 5]}]}, {"n": [{"numeric": ["<=", 5]}]}),
    ({"state": [{"anything-but": ["a", "b"]}]}, {"state": [{"anything-but": "a"}]}),
    ({"state": ["c"]}, {"state": [{"anything-but": ["a", "b"]}]}),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"$or": [{"a": ["x"]}, {"b": ["y"]}]}),
]

NARROWER_OR_UNKNOWN: list[tuple[Any, Any]] = [
    ({"source": ["a", "b"]}, {"source": ["a"]}),
    ({"source": ["a"]}, {"source": ["b"]}),
    ({"source": ["a"]}, {"source": ["a"], "region": ["eu-central-1"]}),
    ({"detail": {"type": ["x"]}}, {"detail": {"type": ["x"], "id": ["1"]}}),
    ({"source": [{"prefix": "aws."}]}, {"source": [{"prefix": "aws.ec2"}]}),
    ({"source": [{"prefix": "aws."}]}, {"source": ["aws.ec2"]}),
    ({"source": [{"exists": False}]}, {"source": [{"exists": True}]}),
    ({"n": [{"numeric": [">=", 4]}]}, {"n": [{"numeric": [">=", 7]}]}),
    ({"n": [{"numeric": [">=", 7]}]}, {"n": [{"numeric": [">", 7]}]}),
    ({"n": [{"numeric": ["<=", 5]}]}, {"n": [{"numeric": ["<", 5]}]}),
    ({"n": [{"numeric": [">", 0, "<", 5]}]}, {"n": [{"numeric": [">", 0, "<", 4]}]}),
    ({"n": [5]}, {"n": [{"numeric": ["<", 5]}]}),
    ({"n": ["5"]}, {"n": [{"numeric": ["<", 6]}]}),
    ({"n": [5]}, {"n": [{"numeric": ["!=", 6]}]}),
    ({"n": [5]}, {"n": [{"numeric": ["<", True]}]}),
    ({"state": [{"anything-but": "a"}]}, {"state": [{"anything-but": ["a", "b"]}]}),
    ({"state": ["a"]}, {"state": [{"anything-but": ["a"]}]}),
    ({"state": ["c"]}, {"state": [{"anything-but": {"prefix": "a"}}]}),
    ({"state": [{"anything-but": {"prefix": "a"}}]}, {"state": [{"anything-but": "a"}]}),
    ({"source": ["a"]}, {"source": [{"suffix": "a"}]}),
    ({"source": ["a"]}, {"source": {"name": ["a"]}}),
    # To Python, these are the same value; to EventBridge, they are not.
    ({"detail": {"x": [True]}}, {"detail": {"x": [1]}}),
    ({"detail": {"x": [0]}}, {"detail": {"x": [False]}}),
    ({"detail": {"x": [1]}}, {"detail": {"x": [1.0]}}),
    ({"detail": {"x": [True, 2]}}, {"detail": {"x": [1, 2]}}),
    ({"detail": {"x": [{"anything-but": [1]}]}}, {"detail": {"x": [{"anything-but": [True]}]}}),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"$or": [{"a": ["x"]}, {"b": ["y"]}, {"c": ["z"]}]}),
]


@pytest.mark.parametrize(("old", "new"), SAME_OR_WIDER, ids=str)
def test_what_is_known_to_widen(old: Any, new: Any):
    assert narrowed(json.dumps(old), json.dumps(new)) == ()


@pytest.mark.parametrize(("old", "new"), NARROWER_OR_UNKNOWN, ids=str)
def test_what_narrows_or_may(old: Any, new: Any):
    assert narrowed(json.dumps(old), json.dumps(new))


def test_the_field_is_named_with_both_of_its_values():
    old, new = {"detail": {"severity": [4, 7]}}, {"detail": {"severity": [7]}, "region": ["us-east-1"]}
    assert narrowed(json.dumps(old), json.dumps(new)) == (
        "may match less: detail.severity [4, 7] → [7]",
        'may match less: region (anything) → ["us-east-1"]',
    )


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_what_cannot_be_read_is_not_taken_for_harmless(text: str):
    good = '{"source": ["a"]}'
    assert narrowed(good, text) == narrowed(text, good) == ("a pattern that cannot be read",)
