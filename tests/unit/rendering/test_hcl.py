"""HCL literals: what Python data becomes, and that Terraform's own parser gives the same data back."""

from __future__ import annotations

import json
import os
import random
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.rendering import hcl

HOSTILE = (
    '"', "\\", "\n", "\r", "\t", "${", "%{", "$", "%", "$$", "%%", "$${", "%%{", "{", "}", "~}", "${~", "<<EOT", "EOT",
    "#", "//", "/*", "*/", "=", "\\u0041", "\\n", '\\"', "${path.module}", "%{ if true }", "%{ endif }", "\x00", "\x07",
    "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\U0001f600", "é", "e\u0301", "ß", " ", "  ",
    '"${jsonencode(1)}"', "$\\{", "\\${", "null", "true", "for", "= 1", "x = {", "[", "(",
)  # fmt: skip


def hostile_strings(count: int) -> list[str]:
    """Strings made of what could break out of a literal, mixed with any character there is; the same ones each run."""
    generator = random.Random(20260101)
    # Environment files are normalized when they are read, as Terraform normalizes every string.
    found = [unicodedata.normalize("NFC", s) for s in HOSTILE]
    while len(found) < count:
        parts = []
        for _ in range(generator.randint(1, 7)):
            if generator.random() < 0.75:
                parts.append(generator.choice(HOSTILE))
            else:
                point = generator.choice((generator.randrange(0x250), generator.randrange(0x110000)))
                parts.append(chr(point) if not 0xD800 <= point <= 0xDFFF else "?")
        found.append(unicodedata.normalize("NFC", "".join(parts)))
    return found


@pytest.mark.terraform
def test_thousands_of_hostile_strings_come_back_from_terraform_unchanged(tmp_path: Path):
    strings = hostile_strings(5000)
    values = {f"v{i}": s for i, s in enumerate(strings)}
    keys = {f"k{s}": i for i, s in enumerate(dict.fromkeys(strings))}
    nested = {"list": strings[:500], "object": {"inner": values["v7"], "deep": [{"x": s} for s in strings[500:600]]}}
    body = hcl.attributes({"values": values, "keys": keys, "nested": nested}, 2)
    text = hcl.align(f"locals {{\n{body}\n}}")
    outputs = "".join(f'output "{n}" {{\n  value = local.{n}\n}}\n' for n in ("values", "keys", "nested"))
    (tmp_path / "main.tf").write_text(text + outputs, encoding="utf-8", newline="")
    environ = {k: v for k, v in os.environ.items() if k != "TF_CLI_CONFIG_FILE"} | {"CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments: str) -> str:
        done = subprocess.run(
            ["terraform", *arguments], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    terraform("apply", "-auto-approve", "-input=false")
    found = {name: entry["value"] for name, entry in json.loads(terraform("output", "-json")).items()}
    assert found["values"] == values
    assert found["keys"] == keys
    assert found["nested"] == nested
    # And in the form that `terraform fmt` gives it, but for the width of exotic keys.
    keys = {k: v for k, v in keys.items() if all(ord(c) < 0x300 or c == "\u0301" for c in k)}
    assert len(keys) > 1000
    body = hcl.attributes({"values": values, "keys": keys, "nested": nested}, 2)
    (tmp_path / "main.tf").write_text(hcl.align(f"locals {{\n{body}\n}}"), encoding="utf-8", newline="")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "."], cwd=tmp_path, env=environ, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[:2000].decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (7.0, "7"),
        (0.5, "0.5"),
        ("plain", '"plain"'),
        ("${x}", '"$${x}"'),
        ("%{x}", '"%%{x}"'),
        ("$${x}", '"\\u0024$${x}"'),
        ('a"b\\c\nd', '"a\\"b\\\\c\\nd"'),
        ("\x07", '"\\u0007"'),
        ([], "[]"),
        (["a", 1], '["a", 1]'),
        ({}, "{}"),
        ({"a": 1}, "{\n  a = 1\n}"),
        ({"for": 1, "a b": 2, "${x}": 3}, '{\n  "for" = 1\n  "a b" = 2\n  "$${x}" = 3\n}'),
        ([{"a": 1}], "[\n  {\n    a = 1\n  },\n]"),
    ],
)
def test_literals(value: object, text: str):
    assert hcl.literal(value) == text


def test_a_long_list_stands_one_per_line():
    assert hcl.literal(["x" * 40, "y" * 40]).count("\n") == 3


def test_a_type_that_hcl_does_not_have_is_refused():
    with pytest.raises(TypeError, match="no HCL literal for set"):
        hcl.literal({1, 2})


def test_comments_stand_above_the_attribute_that_they_are_about():
    text = hcl.attributes({"a": 1, "b": {"c": 2}}, 2, {("a",): "first", ("b", "c"): "inner"})
    assert text == "  # first\n  a = 1\n  b = {\n    # inner\n    c = 2\n  }"


@given(st.text())
def test_a_quoted_literal_is_one_line_and_closes_where_it_should(text: str):
    quoted = hcl.quote(text)
    assert "\n" not in quoted
    inner = quoted[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    # No unescaped template introducer: every "${" has a doubled first character.
    for introducer in ("${", "%{"):
        assert introducer not in inner.replace(introducer[0] + introducer, "")


def test_alignment_follows_runs_of_neighbours():
    text = "a {\n  x = 1\n  long = 2\n\n  y = 3\n  # c\n  zz = 4\n  obj = {\n    q = 1\n    rrr = 2\n  }\n  w = 1\n}"
    assert hcl.align(text) == (
        "a {\n  x    = 1\n  long = 2\n\n  y = 3\n  # c\n  zz = 4\n  "
        "obj = {\n    q   = 1\n    rrr = 2\n  }\n  w = 1\n}\n"
    )
