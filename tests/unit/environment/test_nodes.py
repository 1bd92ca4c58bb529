"""YAML read by libyaml is YAML read by PyYAML: the same nodes, tags, styles and lines, or the same error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolkit.controls import catalogue
from toolkit.environment import nodes
from toolkit.environment.source import parse
from toolkit.paths import data_dir

ENVIRONMENTS = sorted((Path(__file__).parents[3] / "environments").glob("*/environment.yaml"))
TOKENS = (
    *(
        "a",
        "b: ",
        "b:",
        ": ",
        ":",
        "- ",
        "-",
        "--- ",
        "---",
        "...",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "\n  - ",
        " ",
        "  ",
    ),
    *("{", "}", "[", "]", ",", ", ", '"', "'", '"x"', "'y'", '"\\n"', '"\\/"', '"\\ud800"', '"\\\n', "\\", "#", " # c"),
    *("|", "|\n", ">\n", "|-\n", "|2\n", ">+\n", "? ", "?", "& ", "&a ", "*a", "*a ", "!", "!!str ", "!<x> ", "!a "),
    *("%", "%YAML 1.1\n", "@", "`", "yes", "no", "012", "1.5", "~", "null", "<<: ", "=", "é", "漢", "\t", "\r", "\r\n"),
    *("\x85", "\u2028", "\ufeff", "\x7f", "\x00", "\xa0", "a" * 1030, "key: value\n", "a: [1, 2]\n", "x: {y: z}\n"),
)
TEXTS = st.lists(st.sampled_from(TOKENS), max_size=14).map("".join)
TEXT = ENVIRONMENTS[-1].read_text("utf-8")


def shape(node: yaml.Node, seen: dict[int, int]) -> Any:
    """All of a node that reading an environment looks at."""
    if id(node) in seen:
        return ("alias", seen[id(node)])
    seen[id(node)] = len(seen)
    at = (type(node).__name__, node.tag, node.start_mark.line)
    if isinstance(node, yaml.ScalarNode):
        return (*at, node.value, node.style or None)
    if isinstance(node, yaml.MappingNode):
        return (*at, [(shape(key, seen), shape(value, seen)) for key, value in node.value])
    return (*at, [shape(item, seen) for item in node.value])


def read(text: str) -> Any:
    try:
        return [shape(node, {}) for node in nodes.compose(text)]
    except yaml.YAMLError as e:
        return str(e)
    except RecursionError as e:
        return type(e)


def read_without_libyaml(text: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "CParser", None)
        return read(text)


@pytest.fixture(scope="module", autouse=True)
def _libyaml() -> None:
    if nodes.CParser is None:
        pytest.skip("PyYAML was built without libyaml")


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda f: f.parent.name)
def test_environments_are_read_by_libyaml(file: Path, monkeypatch: pytest.MonkeyPatch):
    """Else all that is gained is lost without a word."""
    text = file.read_text("utf-8")
    expected = read_without_libyaml(text)
    monkeypatch.setattr(yaml, "compose_all", None)
    assert read(text) == expected


@given(text=TEXTS)
@example("a: &x 1\nb: *x\n")
@example("a: {b:\n}\n")
@example("a: [b? c]\n")
@example("a: |#x\n")
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_the_same(text: str):
    assert read(text) == read_without_libyaml(text)
    assert read(text + "\n") == read_without_libyaml(text + "\n")


@pytest.mark.parametrize("opening", ["[", "{b: ", "- "])
def test_what_is_nested_too_deeply_is_an_error_of_both(opening: str):
    """Where libyaml composed the nodes itself, it would end the process."""
    assert read(opening * 100_000 + "\n") is RecursionError
    assert read_without_libyaml(opening * 600 + "\n") is RecursionError


@given(at=st.integers(0, len(TEXT)), deleted=st.integers(0, 3), put=st.lists(st.sampled_from(TOKENS), max_size=3))
@settings(max_examples=100, deadline=None)
def test_edits_of_an_environment_are_read_the_same(at: int, deleted: int, put: list[str]):
    text = TEXT[:at] + "".join(put) + TEXT[at + deleted :]
    assert read(text) == read_without_libyaml(text)


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_what_is_made_of_it_is_the_same(text: str):
    with pytest.MonkeyPatch.context() as patch:
        found = parse(text + "\n")
        patch.setattr(nodes, "CParser", None)
        assert found == parse(text + "\n")


def test_our_claims_are_the_same_without_libyaml():
    for file in sorted(data_dir("modules").glob("*/controls.yaml")):
        text = file.read_text("utf-8")
        assert yaml.load(text, catalogue._LOADER) == yaml.safe_load(text)
