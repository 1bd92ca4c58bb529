"""The HTML report: one file that loads and runs nothing, escapes everything, and reads well in a real browser."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from toolkit.findings import Resource
from toolkit.plan.model import Action, AttributeChange
from toolkit.reports.html import render
from toolkit.reports.view import PlanView
from toolkit.visible import one_line

from .browsing import MEASURE

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><body onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "<!-- -->]]>",
    "javascript:alert(1)",
    "\x00\x1b\u202e\u2028",
)
VOID = {"meta", "br", "col", "img", "link", "input"}


class Page(HTMLParser):
    """Collects what there is; fails where a tag is closed that is not the innermost open one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] != ["style"] else ""


def hostile_view(later: PlanView) -> PlanView:
    """A view in which every text that comes from outside is hostile."""
    bad = "".join(HOSTILE)
    changes = tuple(
        replace(
            change,
            address=f"{change.address}{bad}",
            component=bad,
            region=bad,
            previous_address=bad,
            attributes=(AttributeChange(bad, bad, f"{bad}!"), AttributeChange("list", [bad, "a"], ["a"])),
        )
        for change in later.plan.changes
    )
    findings = tuple(
        replace(
            f,
            resource=Resource(bad, bad),
            attribute=bad,
            summary=bad,
            evidence=bad,
            remedy=bad,
            consent=bad,
            consented_by=who,
        )
        for f, who in zip(later.findings, (None, bad), strict=False)
    )
    facts = dict.fromkeys(("environment", "caller_arn", "backend", "git_commit", "terraform", "created"), bad)
    return replace(
        later,
        plan=replace(later.plan, changes=changes, outputs=(replace(later.plan.outputs[0], name=bad),)),
        findings=findings,
        manifest=replace(later.manifest, **facts),
    )


@pytest.mark.parametrize("name", ["first", "later", "wide", "empty"])
def test_it_loads_and_runs_nothing(name: str, request: pytest.FixtureRequest) -> None:
    text = render(request.getfixturevalue(name))
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "input", "base", "svg", "a"}
    for _, attributes in page.tags:
        assert not any(a.startswith("on") or a in ("src", "href", "style", "srcset", "action") for a in attributes)
    assert not re.search(r"url\(|@import|https?://", text)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_every_resource_and_finding_is_there(later: PlanView) -> None:
    page = Page(render(later))
    for change in later.plan.changes:
        assert change.address in page.text
    for finding in later.findings:
        assert finding.subject in page.text
        assert finding.evidence in page.text
        assert finding.consent is not None
        assert finding.consent in page.text
    assert "Refused: 12 findings without consent. Nothing was applied." in page.text
    assert "toolkit apply" not in page.text
    order = [page.text.index(h) for h in ("Findings", "Deleted, replaced or forgotten", "Other changes", "Outputs")]
    assert order == sorted(order)


def test_a_plan_that_may_be_applied_says_how(first: PlanView) -> None:
    page = Page(render(first))
    assert "Ready to apply: no blocking findings." in page.text
    assert "toolkit apply sandbox --plan BUNDLE" in page.text
    assert "1.00, and usage on top" in page.text
    assert "depends on usage" in page.text


def test_everything_from_outside_is_text(later: PlanView) -> None:
    mine = Page(render(later))
    page = Page(render(hostile_view(later)))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in mine.tags}
    for tag, attributes in page.tags:
        assert set(attributes) <= {name for t, a in mine.tags if t == tag for name in a}
    # Said as it is, with what cannot be seen made visible, and no template of it run.
    assert one_line("".join(HOSTILE)) in page.text
    assert "49" not in page.text.replace("2026", "")


def test_sensitive_and_huge_values(later: PlanView) -> None:
    change = next(c for c in later.plan.changes if c.action is Action.UPDATE)
    attributes = (AttributeChange("big", "x" * 10_000 + "a", "x" * 10_000 + "b"),)
    plan = replace(later.plan, changes=(replace(change, attributes=attributes),))
    text = render(replace(later, plan=plan))
    # Cut, but at the place where the two differ.
    assert unescape(text).count('xa"') == unescape(text).count('xb"') == 1
    assert len(text) < 60_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["later", "hostile"])
def test_in_a_browser(browser: Any, later: PlanView, tmp_path: Path, kind: str, width: int, dark: bool) -> None:
    file = tmp_path / "plan.html"
    file.write_text(render(later if kind == "later" else hostile_view(later)), "utf-8", "backslashreplace")
    page = browser.page(width=width, dark=dark)
    page.open(file)
    if kind == "hostile":
        page.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    seen = page.run(MEASURE)
    wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
    assert [e for e in page.events if e["method"] in wrong] == []
    page.close()
    assert seen["title"].startswith("Plan for ")
    assert seen["wide"] <= width
    assert seen["worst"]["contrast"] >= 4.5, seen["worst"]
    assert seen["page"] == ("rgb(19, 22, 27)" if dark else "rgb(246, 247, 249)")
