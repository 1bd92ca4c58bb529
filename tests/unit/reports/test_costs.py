"""Every report says which figures were not confirmed against AWS's price page, and where other regions differ."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.reports import data, markdown, text
from toolkit.reports import html as page
from toolkit.reports.view import PlanView

RECORDED = Path(__file__).parents[2] / "plans" / "components"


@pytest.fixture(scope="module")
def changes() -> list[dict[str, Any]]:
    """What the recorded plans of all components do, one resource of each type that bills: nearly every item."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(RECORDED.glob("*.json")):
        for change in json.loads(file.read_text("utf-8"))["resource_changes"]:
            switched = "ENABLED" in str(change["change"]["after"]) or ":event-bus/" in str(change["change"]["after"])
            if change["type"] not in found or switched or "UNUSED" in str(change["change"]["after"]):
                found[change["type"]] = change
    return list(found.values())


@pytest.fixture
def view(view_of: Callable[..., PlanView], changes: list[dict[str, Any]]) -> PlanView:
    viewed = view_of({"format_version": "1.2", "resource_changes": changes})
    assert len(viewed.estimate.unconfirmed) > 10
    assert len(viewed.estimate.lines) > len(viewed.estimate.unconfirmed)
    return viewed


MARK = "not confirmed against AWS's price page"


def written(view: PlanView, *, verbose: bool) -> str:
    return "\n".join(line for line, _ in text.plan_lines(view, verbose=verbose))


def test_json(view: PlanView) -> None:
    told = {line["what"]: line for line in json.loads(data.render(view))["cost"]["lines"]}
    for line in view.estimate.lines:
        entry = told[line.what]
        assert (entry["unconfirmed"], entry["regions"]) == (line.unconfirmed, line.regions)
        assert (entry["source"], entry["checked"]) == (line.source, line.checked)


def test_text_in_full(view: PlanView) -> None:
    told = written(view, verbose=True)
    for line in view.estimate.lines:
        below = told.split(f"x {line.what}: ")[1].split("\n  1 x ")[0].splitlines()
        assert [entry.strip() for entry in below[2 : 2 + len(line.notes)]] == list(line.notes)
    assert told.count(MARK) == len(view.estimate.unconfirmed)


def test_folded_text_names_them(view: PlanView) -> None:
    told = re.sub(r"\s+", " ", written(view, verbose=False))
    said = told.split(f"Figures {MARK}: ")[1].split("; with -v, which.")[0]
    assert said == ", ".join(line.what for line in view.estimate.unconfirmed)


def test_text_with_all_confirmed_says_nothing_of_it(view_of: Callable[..., PlanView], changes: Any) -> None:
    confirmed = [change for change in changes if change["type"] in ("aws_kms_key", "aws_guardduty_detector")]
    small = view_of({"format_version": "1.2", "resource_changes": confirmed})
    assert len(small.estimate.lines) == 2
    for verbose in (True, False):
        assert "confirmed" not in written(small, verbose=verbose)


def test_markdown(view: PlanView) -> None:
    table = [row for row in markdown.render(view).splitlines() if row.startswith("| ")]
    rows = {row.split(" | ")[0][2:]: html.unescape(row) for row in table}
    for line in view.estimate.lines:
        assert (f"<br>{MARK}: {line.unconfirmed} |" in rows[line.what]) is bool(line.unconfirmed), rows[line.what]
        assert ("<br>other regions: " in rows[line.what]) is bool(line.regions)


def test_html(view: PlanView) -> None:
    rows = [html.unescape(row) for row in page.render(view).split("<tr>")]
    for line in view.estimate.lines:
        (row,) = (row for row in rows if row.startswith(f"<td><b>{line.what}</b>"))
        assert all(f"<br>{note}" in row for note in line.notes)
        assert (MARK in row) is bool(line.unconfirmed)
