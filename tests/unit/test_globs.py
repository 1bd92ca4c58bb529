"""Wildcards: exactly what a reference finds, and in time that no pattern can stretch.

The reference follows the definition letter by letter. That nothing hangs is held for every function that compares a
pattern of a user's or of AWS's, and for every regular expression in the source.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import random
import re
import time
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import toolkit.components
from toolkit.components.iam_roles import _lists
from toolkit.findings import matches as consents
from toolkit.globs import MARK, STAR, Glob, Symbol, Unknown, Wild, common, glob, overlap
from toolkit.iam import Policies, PolicyDocument, Request, evaluate
from toolkit.iam.comparison import compare_policies
from toolkit.iam.matching import Context, action_matches, arn_like, expand, like, pattern, resource_matches
from toolkit.plan.event_patterns import narrowed
from toolkit.privileges import overlap as actions_overlap

ROOT = Path(__file__).parents[2]
NEAR_STAR, NEAR_MARK = Wild(many=True, colon=False), Wild(many=False, colon=False)
SYMBOLS: tuple[Symbol, ...] = ("a", "b", ":", STAR, MARK, NEAR_STAR, NEAR_MARK)
TEXTS = [text for size in range(6) for text in map("".join, product("ab:", repeat=size))]
ROUNDS = 1500


@cache
def found_by_the_book(symbols: tuple[Symbol, ...]) -> set[str]:
    """Every one of TEXTS that the pattern matches: which beginnings can each of its symbols have reached?"""

    def reads(text: str) -> bool:
        reached = {0}
        for symbol in symbols:
            if isinstance(symbol, Wild):
                may = [symbol.colon or character != ":" for character in text]
                if symbol.many:
                    reached = {end for start in reached for end in range(start, len(text) + 1) if all(may[start:end])}
                else:
                    reached = {start + 1 for start in reached if start < len(text) and may[start]}
            else:
                reached = {start + 1 for start in reached if text[start : start + 1] == symbol}
        return len(text) in reached

    return {text for text in TEXTS if reads(text)}


def test_random_patterns_equal_the_reference():
    pick = random.Random(20121017)
    found = cache(lambda one: {text for text in TEXTS if one.matches(text)})
    shown = missed = 0
    for _ in range(ROUNDS):
        one, two = (Glob(tuple(pick.choice(SYMBOLS) for _ in range(pick.randrange(5)))) for _ in range(2))
        first, second = found_by_the_book(one.symbols), found_by_the_book(two.symbols)
        assert found(one) == first, one
        # Five characters are enough to tell whether two patterns of four symbols meet
        assert one.overlaps(two) == bool(first & second), (one, two)
        if one.covers(two):
            assert second <= first, (one, two)
            shown += 1
        elif second <= first:
            missed += 1
    # Covering is allowed to miss, never to invent; it misses little.
    assert shown > 20 * missed > 0


def test_what_two_patterns_have_in_common_matches_both():
    pick = random.Random(20251129)
    met = 0
    for _ in range(ROUNDS):
        one, two = ("".join(pick.choice("ab:*?") for _ in range(pick.randrange(7))) for _ in range(2))
        shared = common(one, two)
        assert (shared is not None) == overlap(one, two), (one, two)
        if shared is not None:
            met += 1
            for filling in ("", "a", "b:a"):
                text = shared.replace("?", "b").replace("*", filling)
                assert glob(one).matches(text) and glob(two).matches(text), (one, two, shared)
    assert ROUNDS > met > ROUNDS / 10
    assert common("arn:aws:iam::*:policy/*", "arn:aws:iam::123456789012:policy/team/*") == (
        "arn:aws:iam::123456789012:policy/team/*"
    )
    assert common("policy/*/*", "policy/*") == "policy/*/*"


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("*", "*", True),
        ("*?*", "?*", True),
        ("?*", "*?", True),
        ("??*", "*?", False),
        ("?*", "*", False),
        ("a*b*c", "a*c*b*c", True),
        ("a?c", "a*c", False),
        ("a*", "", False),
        ("*", "", True),
    ],
)
def test_covering(wide: str, narrow: str, covered: bool):
    assert glob(wide).covers(glob(narrow)) is covered


def test_an_unknown_text_covers_itself_alone_and_may_be_anything():
    own, other, with_default = (Glob(("u", x)) for x in (Unknown("a"), Unknown("b"), Unknown("a", "d")))
    assert own.covers(own)
    assert with_default.covers(own)
    assert not own.covers(with_default)
    assert not own.covers(other)
    assert not own.covers(glob("u"))
    assert not own.covers(glob("u?*"))
    assert not glob("u?").covers(own)
    assert not Glob(("u", NEAR_STAR)).covers(own)
    assert glob("u*").covers(own)
    assert own.overlaps(glob("ux:y"))
    assert own.overlaps(glob("u"))
    assert not own.overlaps(glob("v*"))


def test_only_a_star_is_special_where_addresses_are_full_of_brackets():
    assert glob('module.a["b?"].*', marks=False).matches('module.a["b?"].c[0]')
    assert not glob('module.a["b?"].*', marks=False).matches('module.a["bc"].c[0]')


SIZE = 400
HOSTILE = {
    "stars between one letter": ("*e" * 10 + "*z", "e" * 40),
    "stars between one letter, long": ("*e" * SIZE + "*z", "e" * SIZE * 2),
    "stars alone": ("*" * SIZE + "z", "e" * SIZE),
    "marks between stars": ("*?" * SIZE + "z", "e" * SIZE),
    "two letters in turn": ("*ab" * SIZE + "z", "ab" * SIZE),
    "a letter after a long run": ("*" + "e" * SIZE + "z", "e" * SIZE * 4),
    "stars around every length": ("*e*ee*eee*" * 40 + "z", "e" * SIZE),
    "colons": ("*:*" * SIZE + "z", "e:" * SIZE),
    "variables": ("${a:b}" * SIZE + "*z", "${a:b}" * SIZE),
    "variables that are never closed": ("${" * SIZE, "${" * SIZE),
    "brackets": ("[*" * SIZE + "z", "[" * SIZE),
}
ARN = "arn:aws:s3:::"
USER = "arn:aws:iam::123456789012:user/a"
NOTHING = Context({"a:b": "e"})


def _decide(condition: dict[str, object], text: str) -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    document = PolicyDocument.parse({"Version": "2012-10-17", "Statement": statement})
    return evaluate(Request(USER, "s3:GetObject", "*", {"aws:x": text}), Policies((document,))).allowed


def _compare(one: str, other: str) -> None:
    texts = [
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Deny",
                    "Action": "s3:*",
                    "Resource": [ARN + text],
                    "Condition": {"StringLike": {"aws:x": text}},
                },
            }
        )
        for text in (one, other)
    ]
    assert not compare_policies(texts[0], texts[0]).weaker
    assert "cannot be read" not in str(compare_policies(*texts))


def _expanded(text: str):
    return expand(text, NOTHING, variables=True)


MATCHERS: dict[str, Callable[[str, str], object]] = {
    "actions": lambda p, t: action_matches("iam:" + p, "iam:" + t),
    "text": lambda p, t: like(_expanded(p), t),
    "text in a case that does not matter": lambda p, t: like(_expanded(p).folded, t.lower()),
    "resources": lambda p, t: resource_matches(_expanded(ARN + p), ARN + t),
    "an ARN's first parts": lambda p, t: resource_matches(_expanded("arn:" + p), ARN + t),
    "resources by part": lambda p, t: pattern("arn:" + p, variables=True).resource_by_part.matches(ARN + t),
    "ARNs": lambda p, t: arn_like(_expanded(ARN + p), ARN + t),
    "conditions of text": lambda p, t: _decide({"StringLike": {"aws:x": p}}, t),
    "conditions of ARNs": lambda p, t: _decide({"ArnLike": {"aws:x": ARN + p}}, ARN + t),
    "consents and waivers": consents,
    "roles that are listed": lambda p, t: _lists([f"arn:aws:iam::123456789012:role/{p}"], "/" + t),
    "patterns against patterns": lambda p, t: (overlap(p, t), overlap(p, p), glob(p).covers(glob(p + t))),
    "actions against guarded ones": lambda p, t: (actions_overlap(p, t + "*"), actions_overlap(t, p)),
    "policies compared": lambda p, t: _compare(p, t + "*"),
    "event patterns": lambda p, t: narrowed(json.dumps({"a": [{"prefix": t}]}), json.dumps({"a": [{"wildcard": p}]})),
}
SECONDS = 2.0
"""Far more than any needs (hundredths), far less than what backtracking takes (years)."""


@pytest.mark.parametrize("matcher", MATCHERS.values(), ids=MATCHERS.keys())
@pytest.mark.parametrize(("hostile", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_no_pattern_hangs(matcher: Callable[[str, str], object], hostile: str, text: str):
    start = time.process_time()
    matcher(hostile, text)
    assert time.process_time() - start < SECONDS


class _Counted(str):
    """A text that counts which of its characters are looked at, one by one, after what it begins with is cut off."""

    def __new__(cls, text: str, read: list[str]):
        made = super().__new__(cls, text)
        made.read = read
        return made

    def __getitem__(self, key):
        return _Counted(super().__getitem__(key), self.read)

    def __iter__(self):
        for character in super().__iter__():
            self.read.append(character)
            yield character


@pytest.mark.parametrize("stars", [1, 10, 100, 1000])
def test_work_grows_with_the_text_and_not_with_the_stars(stars: int):
    read: list[str] = []
    assert not glob("*e" * stars + "*z").matches(_Counted("e" * 2000, read))
    assert len(read) == 2000


def regular_expressions() -> dict[str, str]:
    """Every one that stands as such in the source, with its place; those put together from parts come compiled."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "toolkit").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "re." in text else ():
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr != "escape"
            first = node.args[0]
            if of_re and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value] = f"{file.relative_to(ROOT)}:{node.lineno}"
    for module in pkgutil.iter_modules(toolkit.components.__path__):
        for name, value in vars(importlib.import_module(f"toolkit.components.{module.name}")).items():
            if isinstance(value, re.Pattern):
                found.setdefault(value.pattern, f"toolkit.components.{module.name}.{name}")
    return found


BEGINNINGS = ("", "a", "arn:aws:iam::123456789012:", "https://", "/", "${", '"')
REPEATED = ("a", "1", "A", " ", "-", "_", ".", "/", ":", "a.", "a-", "a/", "/a", "${", "=", "\\", "aA", "*", "1.", "\n")
REPEATED += ("<", "[", "#", "//", '"', "a:", "(", ",", "a ,", "''", "a=", "1s", "@")
ENDS = ("!", "\x00", "\n\n")


def test_no_regular_expression_of_the_source_hangs():
    """Doubling with each character: 28 of them would take minutes where 12 take a moment."""
    expressions = regular_expressions()
    assert len(expressions) > 100
    slow = []
    for source, place in expressions.items():
        compiled = re.compile(source)
        if any(_grows(compiled, *how) for how in product(BEGINNINGS, REPEATED, ENDS)):
            slow.append(f"{place}: {source}")
    assert slow == []


def _grows(compiled: re.Pattern[str], beginning: str, repeated: str, end: str) -> bool:
    # Longer step by step where twelve of them take a tenth of a millisecond, since 24 would take minutes there.
    first = _spent(compiled, beginning + repeated * 12 + end)
    for size in (12, 16, 20, 24) if first > 0.0001 else (24,):
        text = beginning + repeated * size + end
        # A slow moment of the machine is not taken for it.
        if _spent(compiled, text) > 0.02 and _spent(compiled, text) > 0.02:
            return True
    return False


def _spent(compiled: re.Pattern[str], text: str) -> float:
    start = time.process_time()
    compiled.fullmatch(text)
    compiled.search(text)
    return time.process_time() - start


def test_a_regular_expression_that_hangs_is_found():
    assert any(_grows(re.compile(r"[a-z]([.-]?[a-z]+)*"), *how) for how in product(BEGINNINGS, REPEATED, ENDS))
