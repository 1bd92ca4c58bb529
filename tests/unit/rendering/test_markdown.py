from __future__ import annotations

import pytest

from toolkit.rendering.markdown import escape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("safe in Berlin, shelf 3", "safe in Berlin, shelf 3"),
        ("a | b", r"a \| b"),
        ("<script>", r"\<script\>"),
        ("[x](y) *b* _i_ `c` ~s~ &amp; $1$", r"\[x\](y) \*b\* \_i\_ \`c\` \~s\~ \&amp; \$1\$"),
        ("two\nlines\r\n\tand tabs ", "two lines and tabs"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("+49 30 1234567", r"\+49 30 1234567"),
        ("1. no list", r"1\. no list"),
        ("12) no list", r"12\) no list"),
        ("12 monkeys", "12 monkeys"),
        ("on call, +49 30", "on call, +49 30"),
        ("a\\|b", r"a\\\|b"),
    ],
)
def test_nothing_is_markup(text: str, expected: str) -> None:
    assert escape(text) == expected
