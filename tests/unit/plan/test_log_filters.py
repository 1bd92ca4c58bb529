"""Patterns of log events: which changes are known to match as much."""

from __future__ import annotations

import itertools
import random

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
        ("{ $.s = org && ($.e = A || $.e = B) }", "{ $.s = org && ($.e = C || $.e = A || $.e = B) }"),
        ("{ ($.s = org && $.e = A) && $.u = 1 }", "{ $.e = A && ($.s = org || $.s = iam) }"),
        ("{ $.a = 1 && $.b = 2 }", "{ $.b = 2 }"),
        (f"{{ ({OLD[1:-1]}) && $.readOnly IS FALSE }}", OLD),
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
        ("{ $.s = org && ($.e = A || $.e = B) }", "{ $.s = org && ($.e = C || $.e = A) }"),
        ("{ $.s = org && ($.e = A || $.e = B) }", "{ $.s = iam && ($.e = A || $.e = B) }"),
        ('{ $.a = "x && y" }', '{ $.a = "x" }'),
        ("x && y", "x"),
        ('{ $.a = "x || y" }', '{ $.a = "x" || $.a = "y" }'),
        ("{ ($.a = 1) || ($.b = 2) }", "{ ($.a = 1 || $.b = 2) && $.c = 3 }"),
    ],
)
def test_what_may_match_less(old: str, new: str):
    assert matches_less(old, new) != ()


ATOMS = ("$.a = 1", "$.b = 2", "$.c = 3")


def drawn(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(ATOMS)
    parts = [drawn(draw, draw.randrange(depth)) for _ in range(draw.randint(2, 3))]
    joined = draw.choice((" && ", " || ", "||", "&&")).join(parts)
    return f"({joined})" if draw.random() < 0.7 else joined


def holds(pattern: str, truth: dict[str, bool]) -> bool:
    text = pattern.replace("&&", " and ").replace("||", " or ")
    for atom, value in truth.items():
        text = text.replace(atom, str(value))
    return bool(eval(text, {}))  # drawn from ATOMS


def test_what_counts_as_harmless_matches_every_event_that_the_old_one_matched():
    """Random pairs against the truth table; Python binds `and` and `or` as CloudWatch does `&&` and `||`."""
    draw = random.Random(4)
    harmless = 0
    for _ in range(4000):
        old, new = drawn(draw, 3), drawn(draw, 3)
        if matches_less(f"{{ {old} }}", f"{{ {new} }}"):
            continue
        harmless += 1
        for values in itertools.product((False, True), repeat=len(ATOMS)):
            truth = dict(zip(ATOMS, values, strict=True))
            assert holds(new, truth) or not holds(old, truth), (old, new, truth)
    assert harmless > 400
