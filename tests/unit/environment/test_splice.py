"""Editing environment files: only the bytes of the edited keys change."""

from __future__ import annotations

import copy
import os
import random
from typing import Any

import pytest

from toolkit.environment.source import parse
from toolkit.environment.splice import DELETE, Edit, splice, splice_bytes
from toolkit.errors import ToolkitError
from toolkit.typed import same_json

FILES = int(os.environ.get("YAML_FILES", "250"))
"""`make soak` takes more."""
BEFORE = """\
# modeline

account_id: "123456789012"   # the account

default_tags: {}
# what is switched on
components:
  # passwords
  password_policy:
    minimum_password_length: 14   # CIS 1.8
    max_password_age: 90
  iam_groups: {}   # none yet
  config:
  # commented out
  #  recorder_name: x
  guardduty: {protection: {s3: true}}
  cloudtrail:
    insights: [ApiCallRateInsight]
    text: |
      one

      two

  security_hub:
    standards:
    - cis-5.0
# the end
"""


def spliced(*edits: Edit, text: str = BEFORE) -> str:
    return splice(text, edits, where="environment.yaml")


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        pytest.param(
            Edit(("components", "password_policy", "minimum_password_length"), 24),
            "minimum_password_length: 14   # CIS",
            "minimum_password_length: 24   # CIS",
            id="a value, beside its comment",
        ),
        pytest.param(
            Edit(("components", "password_policy", "minimum_password_length"), 24, "the account has 24"),
            "    minimum_password_length: 14",
            "    # Adopted: the account has 24\n    minimum_password_length: 24",
            id="a value with where it comes from",
        ),
        pytest.param(
            Edit(("account_id",), "210987654321"), '"123456789012"   #', '"210987654321"   #', id="quotes are kept"
        ),
        pytest.param(
            Edit(("components", "password_policy", "require_symbols"), True),
            "    max_password_age: 90\n",
            "    max_password_age: 90\n    require_symbols: true\n",
            id="a key is added at the end of its block",
        ),
        pytest.param(
            Edit(("components", "iam_groups", "groups", "ops", "managed_policies"), ["ReadOnlyAccess"]),
            "  iam_groups: {}   # none yet\n",
            "  iam_groups:   # none yet\n    groups:\n      ops:\n"
            "        managed_policies:\n        - ReadOnlyAccess\n",
            id="{} becomes a block, lists as elsewhere in the file",
        ),
        pytest.param(
            Edit(("components", "config", "recorder_name"), "acme"),
            "  config:\n",
            "  config:\n    recorder_name: acme\n",
            id="nothing becomes a block, above what is commented out",
        ),
        pytest.param(
            Edit(("imports", 'module.g.aws_iam_group.this["a b"]'), "a b", before="components"),
            "# what is switched on\n",
            "imports:\n  'module.g.aws_iam_group.this[\"a b\"]': a b\n# what is switched on\n",
            id="a key of the top goes above the comment of another",
        ),
        pytest.param(
            Edit(("imports", "module.d.aws_x.this"), "1", before="default_tags"),
            "default_tags: {}\n",
            'imports:\n  module.d.aws_x.this: "1"\n\ndefault_tags: {}\n',
            id="as a paragraph where there are paragraphs",
        ),
        pytest.param(
            Edit(("components", "cloudtrail", "insights"), ["ApiCallRateInsight", "ApiErrorRateInsight"]),
            "[ApiCallRateInsight]",
            "[ApiCallRateInsight, ApiErrorRateInsight]",
            id="a list of one line stays one",
        ),
        pytest.param(
            Edit(("components", "security_hub", "standards"), ["cis-5.0", "fsbp-1.0"]),
            "    - cis-5.0\n",
            "    - cis-5.0\n    - fsbp-1.0\n",
            id="a list of several lines stays so",
        ),
        pytest.param(
            Edit(("components", "security_hub", "standards"), ["cis-5.0", {"name": "own", "rules": [1]}]),
            "    - cis-5.0\n",
            "    - cis-5.0\n    - name: own\n      rules:\n      - 1\n",
            id="what is in a list stays, whatever is added",
        ),
        pytest.param(
            Edit(("components", "cloudtrail", "text"), "no more"),
            "text: |\n      one\n\n      two\n",
            "text: no more\n",
            id="a block scalar ends before the blank line",
        ),
        pytest.param(
            Edit(("components", "cloudtrail", "name"), "acme"),
            "      two\n",
            "      two\n    name: acme\n",
            id="a key after a block scalar",
        ),
        pytest.param(
            Edit(("components", "password_policy", "max_password_age"), DELETE),
            "    max_password_age: 90\n",
            "",
            id="a deleted key",
        ),
        pytest.param(
            Edit(("components", "security_hub", "standards"), DELETE),
            "  security_hub:\n    standards:\n    - cis-5.0\n",
            "  security_hub: {}\n",
            id="the last key of a block leaves it empty",
        ),
        pytest.param(Edit(("account_id",), "123456789012"), "", "", id="what is so already"),
        pytest.param(
            Edit(("components", "guardduty"), {"protection": {"s3": False}}),
            "  guardduty: {protection: {s3: true}}\n",
            "  guardduty:\n    protection:\n      s3: false\n",
            id="a mapping of one line as a whole",
        ),
    ],
)
def test_only_the_edited_key_changes(edit: Edit, old: str, new: str):
    assert BEFORE.count(old) == 1 or not old
    expected = BEFORE.replace(old, new) if old else BEFORE
    assert spliced(edit) == expected
    # The same with other line ends, and a byte order mark.
    windows = "\ufeff" + BEFORE.replace("\n", "\r\n")
    assert (
        splice_bytes(windows.encode(), [edit], where="x") == b"\xef\xbb\xbf" + expected.replace("\n", "\r\n").encode()
    )


def test_a_later_comment_replaces_the_earlier_one_and_goes_with_its_key():
    path = ("components", "password_policy", "max_password_age")
    once = spliced(Edit(path, 60, "60 in the account"))
    assert spliced(Edit(path, 30, "30 in the account"), text=once) == once.replace("60", "30")
    assert spliced(Edit(path, DELETE), text=once) == BEFORE.replace("    max_password_age: 90\n", "")


@pytest.mark.parametrize(
    ("text", "edit", "message"),
    [
        (BEFORE, Edit(("components", "guardduty", "name"), "x"), r"^environment.yaml:16: .*written within \{ \}"),
        (BEFORE, Edit(("components", "guardduty", "protection"), DELETE), r"^environment.yaml:16: "),
        ("{a: 1}\n", Edit(("b",), 1), r"^environment.yaml:1: b cannot be edited"),
        (BEFORE, Edit(("account_id", "x"), "y"), "account_id is not a mapping"),
        (BEFORE, Edit(("components", "nothing"), DELETE), "not there"),
        ("a: &x 1\nb: *x\n", Edit(("a",), 2), "cannot be edited"),
        ("a: 1\na: 2\n", Edit(("a",), 2), "cannot be edited"),
        ("- a\n", Edit(("a",), 2), "cannot be edited"),
        ("a: 1\n", Edit(("a",), DELETE), "without changing other keys"),
        ("? a\n: 1\n", Edit(("a",), 2), "its colon is on another line"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_its_place(text: str, edit: Edit, message: str):
    with pytest.raises(ToolkitError, match=message):
        spliced(edit, text=text)


def test_text_that_is_not_utf_8_is_refused_with_its_line():
    with pytest.raises(ToolkitError, match=r"^x:2: not UTF-8"):
        splice_bytes(b"a: 1\nb: \xff\n", [Edit(("a",), 2)], where="x")


# What follows writes YAML files of every kind that the loader takes, and notes what belongs to each key as it does.


class Written:
    """A random file, with what belongs to each key of a block: where its line starts, its colon and its value end."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.text = rng, ""
        self.spans: dict[tuple[str, ...], tuple[int, int, int]] = {}
        self.blocks: list[tuple[str, ...]] = []
        self.in_flow: list[tuple[str, ...]] = []
        self.newline = rng.choice(["\n", "\n", "\r\n"])
        self.step, self.dash = rng.choice([1, 2, 2, 4]), rng.choice([0, 2, 2])
        if rng.random() < 0.2:
            self.line("%YAML 1.2" + self.newline + "---" if rng.random() < 0.3 else "---")
        self.noise(0)
        self.mapping((), 0, 0)
        self.noise(0)
        if rng.random() < 0.1:
            self.line("...")
        if rng.random() < 0.2:
            # No line break at the end of the file.
            self.text = self.text.removesuffix(self.newline)

    def line(self, text: str) -> None:
        self.text += text + self.newline

    def noise(self, column: int) -> None:
        """Blank lines and comments."""
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):
            space = " " * column
            self.line(self.rng.choice(["", space, f"{space}# a: b # 'c' \" {{", "# ünïcödé: {}", f"{space}#"]))

    def key(self) -> str:
        return self.rng.choice(
            ["a", "name", "with space", "ünï", "module.x.y", 'x["a"]', "it's", "no", "12", "a:b", "#h"]
        )

    def mapping(self, path: tuple[str, ...], column: int, depth: int) -> None:
        self.blocks.append(path)
        keys = list(dict.fromkeys(self.key() for _ in range(self.rng.randint(1, 4))))
        for key in keys:
            self.noise(column)
            plain = key in ("a", "name", "with space", "ünï", "module.x.y", "a:b", "no")
            written = key if plain and self.rng.random() < 0.7 else self.quoted(key)
            start = len(self.text)
            self.text += " " * column + written + self.rng.choice(["", "", " "]) + ":"
            colon = len(self.text)
            self.value((*path, key), column, depth)
            self.spans[(*path, key)] = (start, colon, self.end)

    def quoted(self, text: str) -> str:
        if self.rng.random() < 0.5:
            return "'" + text.replace("'", "''") + "'"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def comment(self) -> str:
        return self.rng.choice(["", "", "", "  # why: {}", " #", "  "])

    def value(self, path: tuple[str, ...], column: int, depth: int) -> None:
        kind = self.rng.choice(["scalar"] * 5 + ["block"] * 2 + ["mapping"] * 3 + ["list", "flow", "empty", "null"])
        if depth >= 3 and kind in ("mapping", "list"):
            kind = "scalar"
        if kind == "mapping":
            self.line(self.comment())
            self.mapping(path, column + self.step, depth + 1)
            self.end = self.end_of_line(self.end)
        elif kind == "list":
            self.line(self.comment())
            for _ in range(self.rng.randint(1, 3)):
                self.noise(column)
                self.line(" " * (column + self.dash) + "- " + self.scalar() + self.comment())
                self.end = len(self.text) - len(self.newline)
        elif kind == "block":
            self.block(column)
        elif kind == "null":
            self.inline(path, self.rng.choice(["", " ~", " null"]))
        else:
            if kind == "flow":
                self.in_flow.append(path)
            flow = ["{a: 1}", "{a: {b: 'x'}, c: [1, 2]}"]
            choices = {"flow": flow, "empty": ["{}", "[]", "{ }", "[1, two]"], "scalar": [self.scalar()]}
            self.inline(path, " " * self.rng.choice([1, 1, 3]) + self.rng.choice(choices[kind]))

    def end_of_line(self, at: int) -> int:
        found = self.text.find(self.newline, at)
        return len(self.text) if found < 0 else found

    def inline(self, path: tuple[str, ...], text: str) -> None:
        self.text += text
        self.end = len(self.text)
        self.line(self.comment())

    def scalar(self) -> str:
        plain = ["1", "-3", "1.5", "true", "no", "text", "arn:aws:iam::123456789012:role/x", "two words", "0x1f"]
        odd = ["", "it's", 'say "hi"', "a # b", "a: b", "{x}", "ü\u00a0", "- a", "~"]
        return self.rng.choice(plain) if self.rng.random() < 0.6 else self.quoted(self.rng.choice(odd))

    def block(self, column: int) -> None:
        header = self.rng.choice("|>") + self.rng.choice(["", "-", "+"])
        self.line(f" {header}" + self.rng.choice(["", "  # text"]))
        deep = " " * (column + self.rng.choice([1, 2, 4]))
        self.line(deep + self.rng.choice(["one: {", "- two", "x  "]))
        for _ in range(self.rng.randint(0, 3)):
            self.line(self.rng.choice([deep + "# no comment", "", " ", deep + "  deeper", deep + "'it's"]))
        self.line(deep + "last")
        self.end = len(self.text) - len(self.newline)


VALUES: tuple[Any, ...] = (
    *(7, True, None, "text", "no", "it's", 'a "b"', "two\nlines", "12", "2026-11-29", "", [], {}, ["a", "b: c"]),
    {"k": 1, "l": {"m": ["x", {"y": 1, "z": [2]}, [3, [4]]]}},
    *("arn:aws:iam::123456789012:role/x", "\u0007", "Ω 😀", "back\\slash"),
)


def with_value(data: Any, path: tuple[str, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    here = data
    for step in path[:-1]:
        if here.get(step) is None:
            here[step] = {}
        here = here[step]
    if value is DELETE:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return data


def at(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def nothing_else(file: Written, edit: Edit, data: Any, result: str) -> str:
    """Which kind of edit it was; asserts that the text beside what belongs to the key is the old one, byte by byte."""
    text = file.text
    owner = edit.path[:-2] if edit.path[-1] == "inner" else edit.path
    if owner not in file.spans:
        # Inserted at one place.
        same = next((i for i, (a, b) in enumerate(zip(text, result, strict=False)) if a != b), len(text))
        assert result.endswith(text[same:])
        return "added"
    first, colon, last = file.spans[owner]
    end = file.end_of_line(last)
    if edit.value is not DELETE:
        rest = text[end:]
        assert result.startswith(text[:first])
        assert result.endswith(rest)
        middle = result[first : len(result) - len(rest)]
        assert text[first:colon] in middle
        assert text[last:end] in middle, "the comment behind it"
        old = at(data, owner)
        longer = owner is edit.path and isinstance(old, list) and isinstance(edit.value, list)
        longer = longer and same_json(edit.value[: len(old)], old)
        if longer and edit.comment is None and file.newline in text[colon:last]:
            assert text[first:last] in middle, "what is in a list that only gets longer"
        return "set" if owner is edit.path else "expanded"
    rests = [text[end:].removeprefix(file.newline)]
    while (line := rests[-1].split(file.newline)[0]).strip(" ") == "" and file.newline in rests[-1]:
        # Blank lines, which would else belong to a block scalar above.
        rests.append(rests[-1][len(line) + len(file.newline) :])
    before = text[:first]
    if len(at(data, edit.path[:-1])) == 1:
        colon = file.spans[edit.path[:-1]][1]
        before = f"{text[:colon]} {{}}{text[colon:first]}"
    assert result in [before + rest for rest in rests]
    return "deleted"


def edits_of(file: Written, data: Any) -> list[Edit]:
    """One of each kind."""
    rng = file.rng
    edits = []
    path = rng.choice(list(file.spans))
    edits.append(Edit(path, rng.choice(VALUES), rng.choice([None, "where it comes from"])))
    edits.append(Edit((*rng.choice(file.blocks), "added"), rng.choice(VALUES), rng.choice([None, "new"])))
    empty = [p for p in file.spans if at(data, p) in (None, {}) and not isinstance(at(data, p), bool)]
    if empty:
        edits.append(Edit((*rng.choice(empty), "first", "inner"), rng.choice(VALUES)))
    lists = [p for p in file.spans if isinstance(at(data, p), list)]
    if lists:
        path = rng.choice(lists)
        edits.append(Edit(path, [*at(data, path), rng.choice(["more", {"k": ["b: c", 1]}])]))
    several = [p for p in file.spans if len(p) > 1 or len(data) > 1]
    if several:
        edits.append(Edit(rng.choice(several), DELETE))
    return edits


def test_random_files_change_nowhere_else():
    done = dict.fromkeys(("set", "added", "expanded", "deleted"), 0)
    for seed in range(FILES):
        file = Written(random.Random(seed))
        source = parse(file.text)
        assert not source.problems, (seed, source.problems)
        mark = "\ufeff" if seed % 7 == 0 else ""
        for edit in edits_of(file, source.data):
            raw = (mark + file.text).encode()
            result = splice_bytes(raw, [edit], where=str(seed)).decode().removeprefix(mark)
            assert same_json(parse(result).data, with_value(source.data, edit.path, edit.value)), (seed, edit)
            done[nothing_else(file, edit, source.data, result)] += 1
    assert min(done.values()) > FILES / 4, done
