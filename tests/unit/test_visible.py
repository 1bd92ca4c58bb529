"""What others wrote cannot do anything in a terminal: whole texts and JSON, letter by letter."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.visible import escaped, json_text, one_line, shortened

LETTERS = st.text(st.sampled_from("aé\r\n\t\x1b\u202e\u2028\x7f\x00 \u200b"), max_size=12)


@given(LETTERS | st.text(max_size=40))
@example("a\r\r\nb\rc\n\r")
def test_a_text_keeps_its_line_ends_and_tabs_and_nothing_else_that_is_not_seen(text: str):
    kept = re.compile(r"(\r?\n|\t)")
    assert escaped(text) == "".join(part if kept.fullmatch(part) else one_line(part) for part in kept.split(text))


@given(st.recursive(LETTERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3)))
def test_json_says_the_same_with_nothing_that_is_not_seen(data: object):
    text = json_text(data)
    assert json.loads(text) == data
    assert not any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs") for one in text.replace("\n", ""))


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(0, 2, ""), (1, 2, "n0"), (2, 2, "n0, n1"), (3, 2, "n0, n1 and 1 more"), (1502, 1, "n0 and 1,501 more")],
)
def test_a_long_list_says_how_many_more_there_are(count: int, most: int, expected: str) -> None:
    assert shortened([f"n{number}" for number in range(count)], most) == expected
