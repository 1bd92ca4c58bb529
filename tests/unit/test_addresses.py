"""Addresses and attribute paths: what Terraform prints is read, and printed again as it was."""

from __future__ import annotations

import random
from typing import Any

import pytest

from toolkit.addresses import EVERY, Address, AttributePath, Key, label_of, leaves, quoted, regional_label, value_at
from toolkit.plan.model import Marker

PRINTED = {
    "": '""',
    "\x01": r'"\u0001"',
    "\r": r'"\r"',
    "$${x}": '"$$${x}"',
    "$x": '"$x"',
    "${x}": '"$${x}"',
    "%": '"%"',
    "%{x}": '"%%{x}"',
    "*": '"*"',
    "[0]": '"[0]"',
    "a": '"a"',
    "a.b": '"a.b"',
    "a\\b": r'"a\\b"',
    "a]b": '"a]b"',
    "a\x7f": r'"a\u007f"',
    "line\nnew": r'"line\nnew"',
    'say "x"': r'"say \"x\""',
    "tab\t": r'"tab\t"',
    "\xa0": r'"\u00a0"',
    "ä": '"ä"',
    "\u0301": '"\u0301"',
    "\u200b": r'"\u200b"',
    "\u2028": r'"\u2028"',
    "日本": '"日本"',
    "\ue000": r'"\ue000"',
    "\U0001f600": '"\U0001f600"',
    "\U000e0001": r'"\U000e0001"',
}
"""Key of a `for_each` → how Terraform 1.11.4 printed it in the address of a `terraform_data` (ran, 2026-11-29)."""

PIECES = (
    "a",
    "B7",
    '"',
    "\\",
    "]",
    "[",
    ".",
    "${",
    "%{",
    "$",
    "%",
    "{",
    "}",
    " ",
    "\n",
    "ä",
    "日",
    "*",
    "/",
    "-",
    "\u200b",
)
SEEDS = 500


@pytest.mark.parametrize(("key", "printed"), PRINTED.items())
def test_keys_are_printed_as_terraform_does(key: str, printed: str) -> None:
    assert quoted(key) == printed
    assert Address.parse(f"terraform_data.x[{printed}]") == Address((), "terraform_data", "x", key)


def some_text(random_: random.Random) -> str:
    return "".join(random_.choices(PIECES, k=random_.randrange(6)))


def some_key(random_: random.Random) -> Key | None:
    return random_.choice([None, random_.randrange(20), some_text(random_), some_text(random_)])


def some_name(random_: random.Random) -> str:
    return random_.choice(["this", "a-b", "größe", "_x9", "data", "module"])


def test_an_address_is_read_as_it_was_printed() -> None:
    for seed in range(SEEDS):
        an_address_is_read_as_it_was_printed(random.Random(seed))


def an_address_is_read_as_it_was_printed(random_: random.Random) -> None:
    modules = tuple((some_name(random_), some_key(random_)) for _ in range(random_.randrange(3)))
    mode = random_.choice(["managed", "managed", "data", "ephemeral"])
    address = Address(modules, "aws_x", some_name(random_), some_key(random_), mode)
    assert Address.parse(str(address)) == address
    path = some_path(random_)
    assert Address.read(f"{address}.{path}") == (address, f".{path}")
    assert "[" not in str(address.without_keys)
    assert address.without_keys.keys == ()
    assert label_of(str(address)) == address.label == (modules[0][0] if modules else None)
    assert str(address) == ("" if not modules else f"{str(address)[: -len(str(address.inside))]}") + str(address.inside)


def some_path(random_: random.Random) -> AttributePath:
    first = some_name(random_)
    steps = [random_.choice([some_name(random_), random_.randrange(9), EVERY, some_text(random_)]) for _ in range(3)]
    return AttributePath((first, *steps[: random_.randrange(4)]))


def test_a_path_is_read_as_it_was_printed() -> None:
    for seed in range(SEEDS):
        path = some_path(random.Random(seed))
        assert AttributePath.parse(str(path)) == path, seed


def some_values(random_: random.Random, depth: int = 3) -> Any:
    if depth == 0 or random_.random() < 0.2:
        return random_.choice([None, True, 0, "x", Marker.UNKNOWN])
    if random_.random() < 0.4:
        return [some_values(random_, depth - 1) for _ in range(random_.randrange(3))]
    return {some_text(random_): some_values(random_, depth - 1) for _ in range(random_.randrange(4))}


def test_every_leaf_is_found_again_by_its_printed_path() -> None:
    for seed in range(SEEDS):
        values = some_values(random.Random(seed))
        for path, leaf in leaves(values):
            assert AttributePath.parse(str(path)).at(values) is leaf, seed


@pytest.mark.parametrize(
    "text",
    [
        *("", "aws_x", "aws_x.", ".aws_x.y", "aws_x.y.", "aws_x.y.z", 'aws_x.y["a]', "aws_x.y[*]", "aws_x.y[-1]"),
        *("module.a", "module.a.", "module.a.aws_x", "module..aws_x.y", "module.a[*].aws_x.y", "user anna", "9.x"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a resource"):
        Address.parse(text)


@pytest.mark.parametrize("text", [".a", "a.", "a..b", "a[", 'a["b]', "a[b]", "a b", "0.a", "a.0"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="is not the path of an attribute"):
        AttributePath.parse(text)


def test_parts_of_an_address() -> None:
    address = Address.parse('module.iam_roles["a.b"].module.x[1].aws_iam_role.duty["say \\"]\\""]')
    assert (address.label, address.module) == ("iam_roles", "module.iam_roles.module.x")
    assert address.call == 'module.iam_roles["a.b"]'
    assert address.keys == ("a.b", 1, 'say "]"')
    assert str(address.without_keys) == "module.iam_roles.module.x.aws_iam_role.duty"
    assert str(address.inside.without_keys) == "module.x.aws_iam_role.duty"
    assert label_of("module.config_eu_west_1") == regional_label("config", "eu-west-1")
    assert label_of("aws_iam_role.x") is None


VALUES = {
    "rule": [{"days": 1, "names": ["a"]}, {"days": 2, "names": ["b", "c"]}],
    "tags": {"cost.center": "x", "größe": 1},
    "later": Marker.UNKNOWN,
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("rule[1].days", 2),
        ("rule[2].days", None),
        ("rule.days", None),
        ("none.x", None),
        ("rule[0].days.x", None),
        ('tags["cost.center"]', "x"),
        ("tags.größe", 1),
        ("later[0].x", Marker.UNKNOWN),
        ("", VALUES),
    ],
)
def test_what_stands_at_a_path(path: str, found: Any) -> None:
    assert value_at(VALUES, path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("rule.days", [1, 2]),
        ("rule[*].days", [1, 2]),
        ("rule.names", ["a", "b", "c"]),
        ("rule[1].names", ["b", "c"]),
        ("none", None),
        ("later.x", Marker.UNKNOWN),
    ],
)
def test_a_claim_spreads_over_lists(path: str, found: Any) -> None:
    assert AttributePath.parse(path).spread(VALUES) == found


def test_a_path_of_several_places_is_not_one() -> None:
    with pytest.raises(ValueError, match="is not one place"):
        value_at(VALUES, "rule[*].days")
