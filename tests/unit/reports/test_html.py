"""The HTML report: one file that loads and runs nothing, escapes everything, and reads well in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
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


# What a browser is asked about the page: does anything stick out to the side, and can all text be told from what is
# behind it (WCAG 2.2, 1.4.3: a contrast of at least 4.5).
MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body><iframe id="f" src="report.html"
style="border:0;width:WIDTHpx;height:900px"></iframe><pre id="out"></pre><script>
document.getElementById("f").onload = () => {
  const w = document.getElementById("f").contentWindow, d = w.document;
  d.querySelectorAll("details").forEach(e => e.open = OPEN);
  const rgb = s => s.match(/[0-9.]+/g).map(Number);
  const lum = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(w.getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = {contrast: 99}, wide = [];
  const root = d.documentElement;
  for (const e of d.body.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (box.width > 1 && box.right > root.clientWidth + 1) wide.push(e.tagName + "." + e.className);
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !box.width) continue;
    const [a, b] = [lum(rgb(w.getComputedStyle(e).color)), lum(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst.contrast) worst = {contrast, where: e.tagName + "." + e.className};
  }
  document.getElementById("out").textContent = JSON.stringify({scroll: root.scrollWidth, client: root.clientWidth,
    wide: wide.slice(0, 5), worst, page: w.getComputedStyle(d.body).backgroundColor, title: d.title});
};
</script>"""


@pytest.fixture(scope="session")
def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium or Chrome on PATH to look at the HTML report with (Debian: apt-get install chromium)")


def measured(browser: str, folder: Path, text: str, *, width: int, dark: bool, unfolded: bool) -> dict[str, Any]:
    (folder / "report.html").write_text(text, "utf-8")
    script = MEASURE.replace("WIDTH", str(width)).replace("OPEN", str(unfolded).lower())
    (folder / "measure.html").write_text(script, "utf-8")
    done = subprocess.run(
        [
            browser,
            *("--headless", "--hide-scrollbars", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"),
            # Only the measuring page needs it, to look into the frame.
            "--allow-file-access-from-files",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width + 40},1000",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            *("--virtual-time-budget=5000", "--dump-dom"),
            (folder / "measure.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    out = re.search(r'<pre id="out">(.+?)</pre>', done.stdout, re.DOTALL)
    assert out is not None, done.stdout[-2000:]
    result: dict[str, Any] = json.loads(unescape(out[1]))
    return result


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["later", "hostile"])
def test_in_a_browser(browser: str, later: PlanView, tmp_path: Path, kind: str, width: int, dark: bool) -> None:
    view = later if kind == "later" else hostile_view(later)
    seen = measured(browser, tmp_path, render(view), width=width, dark=dark, unfolded=kind == "hostile")
    assert seen["title"].startswith("Plan for ")
    assert seen["client"] == width
    assert seen["scroll"] <= width, seen["wide"]
    assert seen["wide"] == []
    assert seen["worst"]["contrast"] >= 4.5, seen["worst"]
    assert seen["page"] == ("rgb(19, 22, 27)" if dark else "rgb(246, 247, 249)")
