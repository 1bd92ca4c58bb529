"""What names an environment is replaced, and nothing is lost by it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.fleet.entries import ATTRIBUTES, EVIDENCE, SUBJECT, Key
from toolkit.fleet.placeholders import Names

NAMES = Names("prod", "111122223333", "eu-central-1")
PIECES = st.sampled_from(
    [
        *(
            "prod",
            "111122223333",
            "eu-central-1",
            "eu_central_1",
            "eu-west-1",
            "eu_west_1",
            "«",
            "»",
            "_",
            "-",
            ".",
            '"',
        ),
        *(
            "environment",
            "region",
            "home region",
            "«region»",
            "««region»»",
            "x",
            "1",
            " ",
            "[",
            "]",
            "\\",
            '["',
            '"]',
            "prods",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def key(subject: str = "", evidence: str = "") -> Key:
    texts = [""] * 12
    texts[SUBJECT], texts[EVIDENCE] = subject, evidence
    return tuple(texts)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("prod-logs-111122223333", "«environment»-logs-«account»"),
        ("production", "production"),
        ("arn:aws:s3:::x.eu-west-1", "arn:aws:s3:::x.«region»"),
        ("guardduty_eu_west_1", "guardduty_«region»"),
        ("guardduty_eu_central_1 of eu-central-1", "guardduty_«home region» of «home region»"),
        ("eu-west-10", "eu-west-10"),
        ("1111222233334", "1111222233334"),
        ("«prod»", "««prod»»"),
    ],
)
def test_texts(text: str, plain: str) -> None:
    assert NAMES.plain(key(evidence=text), [], "eu-west-1")[0][EVIDENCE] == plain


def test_in_an_address_the_name_is_replaced_in_keys_alone() -> None:
    address = 'module.prod_eu_west_1.aws_x.prod["prod-eu-west-1"]'
    plain = 'module.prod_«region».aws_x.prod["«environment»-«region»"]'
    assert NAMES.plain(key(subject=address), [], "eu-west-1")[0][SUBJECT] == plain
    assert NAMES.literal("eu-west-1")(plain) == address


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.sampled_from(["eu-west-1", "eu-central-1"]), st.booleans())
def test_what_is_replaced_can_be_told_again(text: str, region: str, keep: bool) -> None:
    found, _ = NAMES.plain(key(text, text), [[text, {text: [text, 1, None]}, True, False]], region, keep=keep)
    literal = NAMES.literal(region)
    assert literal(found[EVIDENCE]) == text
    assert literal(found[SUBJECT]) == text
    path, before, after, _ = json.loads(found[ATTRIBUTES])[0]
    assert literal(path) == text
    assert {literal(name): [literal(value[0]), *value[1:]] for name, value in before.items()} == {text: [text, 1, None]}
    assert after is True
