"""Coverage as text, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest

from toolkit.controls.catalogue import Framework
from toolkit.controls.coverage import Coverage, Status, Verdict
from toolkit.reports.coverage import FORMATS, CoverageView
from toolkit.visible import one_line

HOSTILE = '=cmd|"/c calc"!A1 @everyone\n| <b>#1'
VIEW = CoverageView(
    "prod",
    "123456789012",
    ("eu-central-1",),
    (Framework("cis-5.0", "CIS 5.0"), Framework("fsbp", "FSBP")),
    Coverage(
        (
            Verdict(
                "cis-5.0",
                "1.8",
                Status.PROVISIONED,
                "password_policy",
                ("Old passwords stay old.",),
                ("reuse",),
                {"soc2": ("cc_6_1",)},
            ),
            Verdict("cis-5.0", "1.9", Status.WAIVED, HOSTILE, ("Users have MFA.",), ("mfa",), {}),
            Verdict(
                "fsbp",
                "IAM.7",
                Status.UNCOVERED,
                "the component password_policy is off",
                ("One.", "Two."),
                ("a", "b"),
                {},
            ),
        )
    ),
)


def test_text_tells_the_figures_and_every_requirement():
    text = FORMATS["text"](VIEW)
    assert "CIS 5.0: 1 provisioned, 1 waived, of 2 in the catalogue" in text
    assert "FSBP: 1 uncovered, of 1 in" in text
    assert "  1.8  provisioned  Old passwords stay old. (password_policy)\n" in text
    assert "  IAM.7  uncovered  One.\n                    Two.\n                    the component" in text
    assert "for the regions eu-central-1:" in text


def test_markdown_keeps_its_tables_whatever_a_reason_says():
    text = FORMATS["markdown"](VIEW)
    rows = [line for line in text.splitlines() if line.startswith("| 1.")]
    assert [row.count(" | ") for row in rows] == [4, 4]
    assert "<b>" not in text
    assert "@everyone" not in text


def test_json_has_all_of_it():
    data = json.loads(FORMATS["json"](VIEW))
    assert (data["schema_version"], data["kind"]) == (1, "controls")
    first, _ = data["frameworks"]
    assert first["counts"] == {"provisioned": 1, "attested": 0, "audit only": 0, "waived": 1, "uncovered": 0}
    assert first["requirements"][0]["related"] == {"soc2": ["cc_6_1"]}
    assert first["requirements"][1]["why"] == HOSTILE
    assert first["requirements"][1]["titles"] == ["Users have MFA."]


def test_csv_is_data_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](VIEW), newline="")))
    assert [row["requirement"] for row in rows] == ["1.8", "1.9", "IAM.7"]
    assert rows[0]["soc2"] == "cc_6_1"
    assert rows[1]["why"] == one_line(f"'{HOSTILE}")
    assert rows[2]["topics"] == "a b"
    assert rows[2]["titles"] == "One. Two."


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_newline(name: str):
    assert FORMATS[name](VIEW).endswith("\n")
