"""The page of an audit as a file: its policy, what is in it without scripts, and what it carries for its script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from toolkit.audit.history import Point, read_history
from toolkit.audit.model import Outcome
from toolkit.audit.report import Audit
from toolkit.controls.catalogue import Framework, frameworks
from toolkit.findings import Severity, Status
from toolkit.reports.audit import audit_data, audit_text
from toolkit.reports.audit_charts import age_chart, coverage_chart, trend_chart
from toolkit.reports.audit_html import page_of, render
from toolkit.reports.audit_words import MARKS, MET, VERDICTS
from toolkit.visible import escaped, one_line

from .audits import ACCOUNT, TAKEN, audit, check, every, live, result
from .test_html import HOSTILE

VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """Collects what there is; fails where a tag is closed that is not the innermost open one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("style", "script"):
            self.content.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.content[self.open[-1]][-1] += data
        else:
            self.content.setdefault("text", []).append(data)

    @property
    def text(self) -> str:
        return "".join(self.content["text"])

    @property
    def data(self) -> Any:
        return json.loads(self.content["script"][1])


def hostile() -> Audit:
    """An audit in which every text that comes from outside is hostile."""
    bad = "".join(HOSTILE)
    users = [Outcome(status, f"{bad}{n}", live(f"{bad}{n}")) for n, status in enumerate(Status)]
    found = audit([result(check("hostile", Severity.HIGH), *users)], environment=bad, caller=bad, regions=(bad,))
    return replace(found, no_fixes=(bad,), idle_attestations=(bad,), off=(bad,))


@pytest.mark.parametrize("found", [every(), audit(()), hostile()], ids=["every verdict", "nothing", "hostile"])
def test_it_runs_its_own_script_and_nothing_else(found: Audit) -> None:
    page = Page(render(found))
    digest = {
        kind: base64.b64encode(hashlib.sha256(page.content[kind][0].encode()).digest()).decode()
        for kind in ("style", "script")
    }
    (policy,) = [a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest['style']}'; script-src 'sha256-{digest['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert [a.get("type") for t, a in page.tags if t == "script"] == [None, "application/json"]
    assert not {t for t, _ in page.tags} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "audio",
        "video",
    }
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "style", "srcset", "action") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#"), tag
    ours = page.content["style"][0] + page.content["script"][0]
    assert not re.search(r"@import|https?://|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(", ours)
    assert "url(" not in page.content["style"][0]


def test_what_failed_is_there_without_scripts() -> None:
    page = Page(render(every()))
    for finding in every().findings:
        shown = finding.status in (Status.FAIL, Status.UNKNOWN)
        assert (finding.evidence in page.text) is shown, finding.evidence
    assert "Do what fail_critical_0 asks." in page.text
    assert "waiver until 2026-12-24: accepted for now" in page.text


def test_everything_from_outside_is_text() -> None:
    mine, page = Page(render(every())), Page(render(hostile()))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in mine.tags}
    bad = "".join(HOSTILE)
    assert page.text.count(one_line(bad)) >= 5
    assert escaped(f"{bad}0") in page.data["columns"]["evidence"]
    assert not set(page.content["script"][1]) & set("<>&\u2028\u2029")


def test_the_script_gets_every_finding() -> None:
    found, data = every(), Page(render(every())).data
    columns = data["columns"]
    assert {len(values) for values in columns.values()} == {len(found.findings)}

    def row(n: int) -> tuple[Any, ...]:
        evidence, verdict = columns["evidence"][n], VERDICTS[columns["verdict"][n]]
        return (
            data["checks"][columns["check"][n]]["id"],
            verdict,
            data["severities"][columns["severity"][n]],
            data["words"][evidence] if isinstance(evidence, int) else evidence,
            (data["prefixes"][columns["prefix"][n]] + columns["resource"][n]) or None,
            data["remedies"][columns["remedy"][n]],
        )

    assert [row(n) for n in range(len(found.findings))] == [
        (
            f.rule.id,
            "waived" if f.consented_by else f.status.value,
            f.severity.value,
            f.evidence,
            f.resource.arn,
            f.remedy,
        )
        for f in found.findings
    ]


def test_what_the_tables_leave_out_is_counted() -> None:
    users = [Outcome(Status.FAIL, f"user {n} fails", live(f"arn:aws:iam::{ACCOUNT}:user/{n}")) for n in range(2500)]
    page = Page(render(audit([result(check("many", Severity.HIGH), *users)])))
    assert "And 1,500 more" in page.text
    assert page.data["groups"] == [["fail", "many", 1000]]


def words(found: Audit) -> str:
    """What is to be read of a page, without its style and its scripts."""
    return _spaced(render(found))


def _spaced(page: str) -> str:
    return " ".join(" ".join(Page(page).content["text"]).split())


@pytest.mark.parametrize("other", [Status.FAIL, Status.PASS, Status.NOT_APPLICABLE, Status.UNKNOWN])
def test_a_check_that_could_not_be_read_somewhere_is_never_counted_as_answered(other: Status) -> None:
    one = check("partly", Severity.HIGH, regional=True)
    unread = result(one, Outcome(Status.UNKNOWN, "denied"), region="us-east-1")
    said = words(audit([result(one, Outcome(other, "found")), unread]))
    assert "1 check could not be read in full, and is unknown there." in said
    assert "0 of 1 checks answered in full 1 could not be read in full, and never counts as passed" in said
    assert "calls of AWS; 1 check not answered in full" in said
    assert "nothing was unreadable" not in said


def test_what_is_waived_has_failed() -> None:
    waived = [r for r in every().results if r.check.id.startswith("waived")]
    page = render(replace(every(), results=tuple(waived)))
    said = _spaced(page)
    assert f"{len(waived)} findings failed and are waived." in said
    assert f"0 findings failed {len(waived)} waived" in said
    assert "No check failed." not in said
    assert not re.search(r'<li class="good"><b>0', page)
    assert f"{len(waived)} more findings failed and are waived." in words(every())
    assert "No check failed." in words(audit([result(check("c", Severity.HIGH), Outcome(Status.PASS, "fine"))]))


@pytest.mark.parametrize("calls", [99, 100])
@pytest.mark.parametrize("status", [Status.PASS, Status.UNKNOWN])
def test_nothing_is_left_unknown_by_a_limit_that_was_just_enough(calls: int, status: Status) -> None:
    found = audit([result(check("c", Severity.HIGH), Outcome(status, "said"))], calls=calls)
    assert ("the limit is reached" in words(found)) is (calls == 100)
    assert ("what was left is unknown" in words(found)) is (calls == 100 and status is Status.UNKNOWN)


@pytest.mark.parametrize("others", [0, 10])
def test_a_trend_compares_figures_only_of_the_same_checks(tmp_path: Path, others: int) -> None:
    """As the text says no totals then (toolkit.reports.audit)."""
    fails = Outcome(Status.FAIL, "open")
    one = check("always", Severity.HIGH)
    later = [check(f"later{n}", Severity.CRITICAL) for n in range(others)]
    before = audit([result(one, fails)], taken=TAKEN - timedelta(days=1))
    read_history(tmp_path, ACCOUNT, simulated=False).add(audit_data(before))
    history = read_history(tmp_path, ACCOUNT, simulated=False)
    found = audit([result(each, fails) for each in (one, *later)], history=history)
    said, page = words(found), render(found)
    (line,) = (line for line in audit_text(found).splitlines() if line.startswith("Since "))
    assert ("Findings that failed then" in line) is (others == 0)
    assert (f"went from 1 to {1 + others}." in said) is (others == 0)
    assert ("Checks or regions of the first and the last differ" in said) is (others > 0)
    assert ("high: 1 → 1" in said) is (others == 0)
    assert ("findings failed at first" in page) is (others == 0)


def test_a_page_of_a_report_is_that_of_its_audit() -> None:
    found = every()
    assert page_of(json.loads(json.dumps(audit_data(found))), [found.point]) == render(found)


def point(days: int, failed: int, met: int, *, of: str = "cis-7.0") -> Point:
    from toolkit.audit.history import Coverage

    return Point(
        taken=TAKEN - timedelta(days=days),
        account_id=ACCOUNT,
        simulated=False,
        toolkit="0.2.0",
        checks=dict.fromkeys(Status, 1),
        failed={**dict.fromkeys(Severity, 0), Severity.HIGH: failed},
        coverage={of: Coverage(met, 70)},
    )


@pytest.mark.parametrize("count", [2, 3, 13, 400])
def test_a_trend_stays_within_its_picture(count: int) -> None:
    chart = trend_chart([point(count - n, n * 7 % 50, n % 70) for n in range(count)])
    for column in chart["columns"]:
        assert 0 <= column["x"] < column["x"] + column["width"] <= chart["width"]
        assert sum(part["height"] for part in column["parts"]) <= chart["tall"]
    assert all(0 <= dot["y"] <= chart["base"] for dot in chart["line"]["dots"])
    days = [column["middle"] for column in chart["columns"] if column["day"]]
    assert min((b - a for a, b in pairwise(days)), default=99) > 50, "days would overlap"


def test_a_trend_has_a_line_only_of_what_every_audit_was_asked_about() -> None:
    assert trend_chart([point(2, 1, 1, of="cis-5.0"), point(1, 1, 1)])["line"] is None
    assert trend_chart([point(2, 0, 0), point(1, 0, 0)])["columns"][0]["parts"] == []


@pytest.mark.parametrize("ages", [[], [0], [4000, 91, 90, 3], list(range(5000, 0, -1))])
def test_ages_of_keys_stay_within_their_picture(ages: list[int]) -> None:
    def at(days: int) -> str:
        return f"{TAKEN - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"

    keys = [{"user": f"u{n}", "number": 1, "since": at(n), "last_used": at(n // 2) if n % 2 else None} for n in ages]
    chart = age_chart(keys, TAKEN)
    if not ages:
        assert chart["bars"] == []
        return
    assert len(chart["bars"]) == min(len(ages), 20)
    assert [bar["old"] for bar in chart["bars"]] == [age > 90 for age in ages[:20]]
    assert [band["count"] for band in chart["bands"]] == [
        f"{sum(age > 90 for age in ages):,}",
        f"{sum(age <= 90 for age in ages):,}",
    ]
    for bar in chart["bars"]:
        assert chart["left"] + bar["width"] <= chart["width"] - 200, "what is said beside a bar needs room"
    assert chart["left"] < chart["unused"] < chart["limit"]


@pytest.mark.parametrize("framework", frameworks(), ids=lambda one: one.name)
def test_a_coverage_bar_is_full_and_every_requirement_has_a_tile(framework: Framework) -> None:
    data = audit_data(audit([], frameworks=(framework,)))["frameworks"][0]
    statuses = ("pass", "fail", "unknown", "not-applicable", "attested", "not-checked")
    for n, one in enumerate(data["requirements"]):
        one["status"] = statuses[n % 6]
    chart = coverage_chart(data, {})
    assert round(sum(segment["width"] for segment in chart["segments"])) == 1000
    tiles = [tile["id"] for part in chart["parts"] for tile in part["tiles"]]
    assert Counter(tiles) == Counter(one["id"] for one in data["requirements"])
    assert chart["met"] == sum(one["status"] in ("pass", "attested") for one in data["requirements"])
    assert len(chart["parts"]) <= len(tiles) / 2, "parts of a benchmark, not requirements one by one"
    for part in chart["parts"]:
        assert all(tile["id"].startswith(part["name"]) for tile in part["tiles"])


def test_no_two_verdicts_have_one_mark() -> None:
    """A colour alone says nothing to who does not see it."""
    assert len({MARKS[one] for one in MET}) == len(MET)
