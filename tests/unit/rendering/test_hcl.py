"""HCL literals: what Python data becomes, and that Terraform's own parser gives the same data back."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering import hcl
from toolkit.rendering.render import render

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


def terraform(folder: Path, *arguments: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


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
    terraform(tmp_path, "apply", "-auto-approve", "-input=false")
    found = {name: entry["value"] for name, entry in json.loads(terraform(tmp_path, "output", "-json")).items()}
    assert found["values"] == values
    assert found["keys"] == keys
    assert found["nested"] == nested
    # And in the form that `terraform fmt` gives it, but for the width of exotic keys.
    keys = {k: v for k, v in keys.items() if all(ord(c) < 0x300 or c == "\u0301" for c in k)}
    assert len(keys) > 1000
    body = hcl.attributes({"values": values, "keys": keys, "nested": nested}, 2)
    (tmp_path / "main.tf").write_text(hcl.align(f"locals {{\n{body}\n}}"), encoding="utf-8", newline="")
    terraform(tmp_path, "fmt", "-check", "-diff", ".")


def yaml_text(text: str) -> str:
    """A double-quoted YAML scalar of any text."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


@pytest.mark.terraform
def test_hostile_settings_reach_the_modules_unchanged(tmp_path: Path):
    """All the way: environment.yaml, settings, template, HCL, Terraform, module input."""
    parameters = {f"p{i}": s for i, s in enumerate(hostile_strings(1500))}
    keys = {s[:200]: str(i) for i, s in enumerate(hostile_strings(400)) if s}
    values = [s for s in hostile_strings(120) if s]

    def block(items: dict[str, str]) -> str:
        return "{" + ", ".join(f"{yaml_text(k)}: {yaml_text(v)}" for k, v in items.items()) + "}"

    environment = load_text(
        f"""\
account_id: "123456789012"
regions: {{home: eu-central-1}}
components:
  iam_groups:
    groups:
      operators:
        inline_policies:
          own:
            - sid: Own
              actions: ["s3:ListBucket"]
              resources: ["*"]
              conditions:
                - {{test: StringEquals, variable: "s3:prefix", values: [{", ".join(map(yaml_text, values))}]}}
  config:
    additional_rules:
      one: {{identifier: REQUIRED_TAGS, input_parameters: {block(parameters)}}}
      two: {{identifier: REQUIRED_TAGS, input_parameters: {block(keys)}}}
""",
        name="hostile",
        shown_as="hostile",
    )
    tree = render(environment)
    root = tmp_path / "environments" / "hostile" / "rendered"
    root.mkdir(parents=True)
    outputs = []
    for name in ("config.tf", "iam_groups.tf"):
        (root / name).write_text(tree[name], encoding="utf-8", newline="")
        for label, source, body in re.findall(
            r'^module "(\w+)" \{\n  source = "(.+?)"\n(.*?)^\}\n', tree[name], re.M | re.S
        ):
            # A module that takes what it is given and gives it back.
            inputs = re.findall(r"^  (\w+) += ", body, re.M)
            module = (root / source).resolve()
            module.mkdir(parents=True, exist_ok=True)
            (module / "main.tf").write_text(
                "".join(f'variable "{i}" {{\n  type = any\n}}\n' for i in inputs)
                + "".join(f'output "{i}" {{\n  value = var.{i}\n}}\n' for i in inputs)
                + (
                    'output "bucket_name" {\n  value = 1\n}\noutput "role_arn" {\n  value = 1\n}\n'
                    if "delivery" in source
                    else ""
                )
            )
            outputs.append(f'output "{label}" {{\n  value = module.{label}\n}}\n')
    (root / "outputs.tf").write_text("".join(outputs))
    terraform(root, "init", "-input=false")
    terraform(root, "apply", "-auto-approve", "-input=false")
    found = {name: entry["value"] for name, entry in json.loads(terraform(root, "output", "-json")).items()}
    rules = found["config_eu_central_1"]["additional_rules"]
    assert rules["one"]["input_parameters"] == parameters
    assert rules["two"]["input_parameters"] == keys
    (statement,) = found["iam_groups"]["groups"]["operators"]["inline_policies"]["own"]
    assert statement["conditions"][0]["values"] == values


@pytest.mark.parametrize("text", ['a" }\n# ', "${path.module}", "%{ if true }", "a\\", "a b", "ä", "", "x" * 129])
def test_names_that_hold_anything_else_are_refused(text: str):
    """Where AWS takes no free text, nothing is escaped either: it never gets as far as HCL."""
    for block in (
        f"iam_groups: {{groups: {{{yaml_text(text)}: {{managed_policies: [ReadOnlyAccess]}}}}}}",
        f"iam_groups: {{guardrail_policy_name: {yaml_text(text)}}}",
        f"config: {{additional_rules: {{{yaml_text(text)}: {{identifier: REQUIRED_TAGS}}}}}}",
    ):
        with pytest.raises(ToolkitError, match="1 error in the environment file"):
            load_text(
                f'account_id: "123456789012"\nregions: {{home: eu-central-1}}\ncomponents: {{{block}}}\n',
                name="x",
                shown_as="x",
            )


@pytest.mark.parametrize("text", ['a" }\n# ', "${path.module}", "%{ if true }", "$${x}", "a\\nb", "\u2028"])
def test_free_text_outside_of_components_is_quoted_too(text: str):
    tree = render(
        load_text(
            f"""\
account_id: "123456789012"
regions: {{home: eu-central-1, active: [eu-central-1, us-east-1], retiring: [eu-west-1]}}
credentials: {{profile: {yaml_text(text)}}}
backend:
  {{type: s3, bucket: acme-state, region: eu-central-1, kms_key_id: {yaml_text(text)}, profile: {yaml_text(text)}}}
components: {{guardduty: {{}}}}
imports: {{module.guardduty_us_east_1.aws_guardduty_detector.this: {yaml_text(text)}}}
""",
            name="x",
            shown_as="x",
        )
    )
    quoted = hcl.quote(text)
    for file, name, times in (
        ("backend.tf", "kms_key_id", 1),
        ("backend.tf", "profile", 1),
        ("providers.tf", "profile", 3),
        ("imports.tf", "id", 1),
    ):
        found = re.findall(rf"^ +{name} += (.*)$", tree[file], re.M)
        assert found == [quoted] * times, (file, name)


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
