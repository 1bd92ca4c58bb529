"""Patterns of log events: which changes are known to match as much."""

from __future__ import annotations

import pytest

from toolkit.plan.log_filters import matches_less

OLD = '{ ($.eventName = "DeleteTrail") || ($.eventName = "StopLogging" && $.errorCode NOT EXISTS) }'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, ""),
        (OLD, OLD),
        (OLD, '{ $.eventName = "DeleteTrail" || ($.eventName = "StopLogging"  && $.errorCode NOT EXISTS) }'),
        (OLD, f'{OLD[:-1]}|| $.eventName = "UpdateTrail" }}'),
        (OLD, f"{{ ({OLD[1:-1]}) || $.x = 1 }}"),
        (OLD, '{ ($.eventName = "StopLogging" && $.errorCode NOT EXISTS) || ($.eventName = "DeleteTrail") }'),
        ("ERROR", "ERROR"),
        ('{ $.a = "x || y" }', '{ $.b = 1 || $.a = "x || y" }'),
    ],
)
def test_what_matches_as_much(old: str, new: str):
    assert matches_less(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", OLD),
        (OLD, '{ $.eventName = "DeleteTrail" }'),
        (OLD, '{ ($.eventName = "StopLogging") }'),
        (OLD, f'{{ ({OLD[1:-1]}) && $.userIdentity.type = "Root" }}'),
        (OLD, f'{{ {OLD[1:-1]} && $.userIdentity.type = "Root" }}'),
        ("ERROR", "ERROR disk"),
        ("{ $.a = 1 }", "{ $.a = 1 && $.b = 2 || $.c = 3 }"),
        ('{ $.a = "x || y" }', '{ $.a = "x" || $.a = "y" }'),
        ("{ ($.a = 1) || ($.b = 2) }", "{ ($.a = 1 || $.b = 2) && $.c = 3 }"),
    ],
)
def test_what_may_match_less(old: str, new: str):
    assert matches_less(old, new) != ()
