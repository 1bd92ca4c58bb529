"""The page of an audit in a real browser: sorted, filtered, expanded and printed by clicks and keys, large, hostile.

One Chromium for all tests of this file; without one on PATH they are skipped. Whatever a test does, the page must not
have asked for anything but itself, run into its own policy, or thrown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit.audit.access_keys import AccessKey, AccessKeys
from toolkit.audit.baseline import read_baseline
from toolkit.audit.fixes import Cost, Fix, Kind, Setting
from toolkit.audit.history import History
from toolkit.audit.model import Outcome
from toolkit.audit.report import Audit
from toolkit.controls.catalogue import DEFAULT_FRAMEWORK, frameworks
from toolkit.findings import Severity, Status
from toolkit.reports.audit import audit_data
from toolkit.reports.audit_html import page_of, render

from .audits import ACCOUNT, HOME, TAKEN, audit, check, every, live, result
from .browsing import MEASURE
from .test_audit_page import point
from .test_html import HOSTILE

REPOSITORY = Path(__file__).parents[3]
DIFF = "--- a/rendered/password_policy.tf\n+++ b/rendered/password_policy.tf\n@@ -1 +1 @@\n-  old = 1\n+  new = 2\n"


Show = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """Opens the page of an audit, and looks afterwards at what it did."""
    pages = []

    def opened(found: Audit | str, *, scripts: bool = True, **screen: Any) -> Any:
        file = tmp_path / f"{len(pages)}.html"
        file.write_text(found if isinstance(found, str) else render(found), "utf-8", "backslashreplace")
        page = browser.page(**screen)
        pages.append((page, file))
        page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        page.open(file)
        if scripts:
            page.wait("document.documentElement.dataset.ready")
        return page

    yield opened
    for page, file in pages:
        page.browser.settle(0.05)
        happened = page.events
        asked = {e["params"]["request"]["url"] for e in happened if e["method"] == "Network.requestWillBeSent"}
        assert {url.partition("#")[0] for url in asked} == {file.as_uri()}
        wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening", "Page.windowOpen")
        assert [e for e in happened if e["method"] in wrong] == []
        page.call("Emulation.setScriptExecutionDisabled", value=False)
        assert page.run("window.violations || 0") == 0
        page.close()


WATCH = (
    'document.addEventListener("securitypolicyviolation", () => { window.violations = (window.violations || 0) + 1; });'
)
ROWS = 'document.querySelectorAll(".list tbody tr:not(.more)").length'
STATE = 'document.querySelector("[role=status]").textContent'


def shown(page: Any) -> int:
    """How many findings the list says that it has."""
    text = page.run(STATE)
    return 0 if text.startswith("No finding") else int(text.split()[0].replace(",", ""))


def choose(page: Any, name: str, value: str) -> None:
    page.run(
        f"(() => {{ const e = document.getElementById('by-{name}'); e.value = {json.dumps(value)};"
        "if (e.value !== " + json.dumps(value) + ") throw new Error('no such choice');"
        "e.dispatchEvent(new Event('change')); })()"
    )


def whole(tmp_path: Path) -> Audit:
    """An audit that has everything: every verdict, fixes, keys, a baseline and a history."""
    before = every()
    new, kept = check("new", Severity.HIGH), check("kept", Severity.MEDIUM, regional=True)
    gone = result(kept, Outcome(Status.FAIL, "is fixed", live(f"arn:aws:iam::{ACCOUNT}:user/fixed")))
    earlier = replace(before, results=(*before.results, gone), taken=TAKEN - timedelta(days=30))
    file = tmp_path / "earlier.json"
    file.write_text(json.dumps(audit_data(earlier)), "utf-8")
    fix = Fix(
        "new", "password_policy", Kind.EDIT, (Setting(("components", "password_policy", "x"), 14),), None, (), DIFF
    )
    fix = replace(fix, costs=(Cost("a key", 1.0, "requests", ""),))
    results = (
        *before.results,
        result(new, Outcome(Status.FAIL, "is new", live(f"arn:aws:iam::{ACCOUNT}:user/new"))),
        result(kept, Outcome(Status.PASS, "all is well")),
        result(kept, Outcome(Status.FAIL, "elsewhere"), region="us-east-1"),
    )
    keys = [AccessKey(f"user{n}", 1, TAKEN - timedelta(days=n), TAKEN) for n in (400, 91, 90, 2)]
    return replace(
        before,
        results=results,
        fixes=(fix,),
        frameworks=tuple(one for one in frameworks() if one.name == DEFAULT_FRAMEWORK),
        access_keys=AccessKeys(TAKEN, tuple(keys)),
        baseline=read_baseline(file),
        history=History(tmp_path, tuple(point(30 * n, 20 - n, 40 - n) for n in range(6, 0, -1))),
    )


def test_each_filter_shows_what_fits(show: Show, tmp_path: Path) -> None:
    found = whole(tmp_path)
    page = show(found)
    findings = found.changes
    verdict = {id(f): "waived" if f.consented_by else f.status.value for f, _ in findings}
    open_ = [f for f, _ in findings if verdict[id(f)] in ("fail", "unknown")]
    assert shown(page) == len(open_)
    before = len(found.comparison.before) if found.comparison else 0

    def counted(**filters: str) -> int:
        for name, value in filters.items():
            choose(page, name, value)
        count = shown(page)
        for name in filters:
            choose(page, name, "open" if name == "verdict" else "")
        return count

    assert counted(verdict="") == len(findings) + before
    for name in {*verdict.values()}:
        assert counted(verdict=name) == sum(one == name for one in verdict.values())
    for severity in Severity:
        assert counted(severity=severity.value) == sum(f.severity is severity for f in open_)
    assert counted(place="us-east-1") == 1
    assert counted(place="account") == sum(not c.regional for f in open_ for c in found.by_check if c.id == f.rule.id)
    assert counted(service="iam") == len(open_)
    assert counted(framework="cis-7.0", verdict="waived") == sum(one == "waived" for one in verdict.values())
    for change in ("new", "fixed", "unchanged"):
        expected = sum(c is not None and c.value == change for _, c in findings)
        expected += sum(c.value == change for _, c in found.comparison.before) if found.comparison else 0
        choose(page, "change", change)
        assert shown(page) == expected, change
        page.click(".state .plain")
    page.run("document.getElementById('by-text').focus()")
    page.type("US-EAST elsewhere")
    assert page.run(STATE).startswith("1 finding,")
    page.type(" nothing like it")
    assert page.run(STATE) == "No finding fits these filters."
    assert page.run(ROWS) == 0
    page.click(".state .plain")
    assert shown(page) == len(open_)
    assert page.run("document.activeElement.id") == "by-text"


def test_a_click_on_a_heading_sorts(show: Show, tmp_path: Path) -> None:
    page = show(whole(tmp_path))
    titles = "[...document.querySelectorAll('.open-row')].map((e) => e.textContent)"
    severities = "[...document.querySelectorAll('.list .v')].map((e) => e.textContent)"
    assert page.run(severities)[0] == "critical"
    page.click("th.c-finding button")
    assert page.run("document.querySelector('th.c-finding').getAttribute('aria-sort')") == "ascending"
    assert page.run(titles) == sorted(page.run(titles))
    page.click("th.c-finding button")
    assert page.run("document.querySelector('th.c-finding').getAttribute('aria-sort')") == "descending"
    assert page.run(titles) == sorted(page.run(titles), reverse=True)
    page.click("th.c-verdict button")
    assert page.run("document.querySelector('th.c-finding').getAttribute('aria-sort')") is None
    rank = {word: n for n, word in enumerate(("critical", "high", "medium", "note", "unknown"))}
    found = [rank[one] for one in page.run(severities)]
    assert found == sorted(found)
    for name in ("region", "service", "change"):
        page.click(f"th.c-{name} button")
        assert page.run(f"document.querySelector('th.c-{name}').getAttribute('aria-sort')") == "ascending"


def test_a_finding_expands_by_click_and_by_keys(show: Show, tmp_path: Path) -> None:
    page = show(whole(tmp_path))
    page.run("document.getElementById('by-text').focus()")
    page.type("is new")
    expanded = "document.activeElement.getAttribute('aria-expanded')"
    page.click(".open-row")
    detail = page.run("document.querySelector('.more .detail').innerText")
    for said in ("is new", "Do what new asks.", "components.password_policy.x: 14", "a key: 1.00 USD", "+  new = 2"):
        assert said in detail
    assert f"arn:aws:iam::{ACCOUNT}:user/new" in detail
    assert "11111111-2222-3333-4444-555555555555" in detail, "the request that it rests on"
    assert page.run("document.querySelectorAll('.more ins').length") == 2
    more = page.run("document.querySelector('.open-row').getAttribute('aria-controls')")
    assert page.run(f"!!document.getElementById('{more}')")
    page.click(".open-row")
    assert page.run("document.querySelectorAll('.more').length") == 0
    page.click(".state .plain")
    page.run("document.querySelector('.open-row').focus()")
    page.key("ArrowDown", code=40)
    page.key("ArrowDown", code=40)
    page.key("ArrowUp", code=38)
    assert page.run("[...document.querySelectorAll('.open-row')].indexOf(document.activeElement)") == 1
    page.key("Enter", "\r", code=13)
    assert page.run(expanded) == "true"
    page.key("ArrowLeft", code=37)
    assert page.run(expanded) == "false"
    page.key("ArrowRight", code=39)
    assert page.run(expanded) == "true"
    page.key("End", code=35)
    assert page.run("document.activeElement === [...document.querySelectorAll('.open-row')].at(-1)")
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is visible"


def test_the_first_tab_offers_to_skip_to_the_findings(show: Show, tmp_path: Path) -> None:
    page = show(whole(tmp_path))
    page.key("Tab", code=9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().top") >= 0
    page.key("Enter", "\r", code=13)
    page.wait("location.hash === '#findings'")
    page.key("Tab", code=9)
    assert page.run("document.activeElement.id") == "by-text"


def test_pictures_lead_to_the_findings(show: Show, tmp_path: Path) -> None:
    page = show(whole(tmp_path))
    page.click(".cell[data-place='us-east-1']")
    assert shown(page) == 1
    assert page.run("document.getElementById('by-place').value") == "us-east-1"
    assert page.run("document.activeElement.id") == "findings"
    page.click("[data-change='fixed']")
    assert shown(page) == 1
    assert page.run("document.querySelector('.list .v').textContent") == "in the baseline"
    page.click(".tile[data-requirement]")
    assert " of cis-7.0 " in page.run(STATE)
    assert page.run("document.getElementById('by-verdict').value") == ""


def many(count: int) -> Audit:
    """As many users that fail as the count says, among them some that pass."""
    rotate = check("iam_rotate_access_key_90_days", Severity.MEDIUM)
    mfa = check("iam_user_mfa_enabled_console_access", Severity.HIGH)

    def user(n: int) -> Any:
        return live(f"arn:aws:iam::{ACCOUNT}:user/team-{n % 50}/first.last-{n}", f"first.last-{n}")

    old = [Outcome(Status.FAIL, f"key 1 of {user(n).called} is {n + 91} days old", user(n)) for n in range(count // 2)]
    bare = [Outcome(Status.FAIL, f"{user(n).called} has no MFA device", user(n)) for n in range(count - len(old))]
    return audit([result(rotate, *old), result(mfa, *bare)])


def test_fifty_thousand_findings_are_a_small_page_with_few_elements(show: Show) -> None:
    data = audit_data(many(1000))
    # Fifty times what a thousand users have, each by another name: much faster than as many outcomes of checks.
    data["findings"] = [
        {**one, **{name: one[name].replace("last-", f"last-{n}x") for name in ("evidence", "arn")}}
        for n in range(50)
        for one in data["findings"]
    ]
    text = page_of(data)
    assert len(text.encode()) < 15_000_000
    page = show(text)
    elements = "document.getElementsByTagName('*').length"
    assert shown(page) == 50_000
    assert page.run(ROWS) == 50
    at_first = page.run(elements)
    assert at_first < 8_000
    page.run("document.getElementById('by-text').focus()")
    page.type("first.last-49x499")
    assert shown(page) == 2
    page.click(".state .plain")
    page.click("th.c-finding button")
    for _ in range(3):
        page.click(".pages button:nth-of-type(2)")
    assert page.run("document.querySelector('.pages span').textContent") == "151 to 200 of 50,000"
    assert page.run("document.activeElement.className") == "open-row"
    assert page.run(elements) <= at_first
    page.click(".pages button")
    assert page.run("document.querySelector('.pages span').textContent") == "101 to 150 of 50,000"


def test_a_print_has_every_failure_and_no_controls(show: Show) -> None:
    found = many(1500)
    page = show(found)
    rows = "document.querySelectorAll('.group tbody tr').length"
    page.run(f"addEventListener('beforeprint', () => {{ window.printed = {rows}; }})")
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF-")
    assert page.run("window.printed") == 1500
    assert page.run(rows) == 1000, "and the page is as it was"
    page.look(media="print")
    visible = (
        "[...document.querySelectorAll('button, select, input, nav, .skip, .live')]"
        ".filter((e) => e.offsetParent !== null && !e.matches('.tile, .cell')).length"
    )
    assert page.run(visible) == 0
    page.run("dispatchEvent(new Event('beforeprint'))")
    text = page.run("document.body.innerText")
    assert not [f.evidence for f in found.findings if f.evidence not in text]
    assert "more: open this page" not in text


def test_a_print_says_of_every_row_that_it_is_waived(show: Show) -> None:
    (one,) = {r.check for r in every().results if r.check.id.startswith("waived_critical") and r.check.regional}
    users = [Outcome(Status.FAIL, f"user {n}", live(f"arn:aws:iam::{ACCOUNT}:user/{n}")) for n in range(1100)]
    page = show(replace(every(), results=(result(one, *users),)))
    page.run("dispatchEvent(new Event('beforeprint'))")
    rows = page.run("[...document.querySelectorAll('.group tbody tr td:nth-child(2)')].map((e) => e.textContent)")
    assert sorted(rows) == sorted(f"user {n} (waiver until 2026-12-24: accepted for now)" for n in range(1100))


def test_without_scripts_the_failures_are_there(show: Show, tmp_path: Path) -> None:
    found = whole(tmp_path)
    page = show(found, scripts=False)
    page.call("Emulation.setScriptExecutionDisabled", value=False)
    text = page.run("document.body.innerText")
    for finding in found.findings:
        if finding.status is Status.FAIL:
            assert finding.evidence in text
    assert "is fixed" in text
    assert page.run("document.querySelectorAll('select, input').length") == 0


def test_ten_thousand_hostile_strings_do_nothing(show: Show) -> None:
    acts = (
        *HOSTILE,
        "<img src=x onerror='window.hacked=1'>",
        "<svg/onload=window.hacked=1>",
        "</script><script>window.hacked=1</script>",
        "<!--<script>",
        "<base href=//example.com>",
        "<meta http-equiv=refresh content='0;url=//example.com'>",
        "<link rel=stylesheet href=//example.com/x.css><style>*{background:url(//example.com)}</style>",
        "<iframe srcdoc='<script>parent.hacked=1</script>'>",
        "<form action=//example.com><button>",
        "javascript:window.hacked=1",
        "\u2028window.hacked=1\u2029",
        "__proto__",
        "constructor",
        "\\u003cimg src=x onerror=window.hacked=1\\u003e",
        "\ud800",
    )
    users = []
    for n in range(10_000):
        bad = f"{acts[n % len(acts)]}{n}"
        users.append(Outcome(Status.FAIL, f"tag {bad} = {bad}", live(f"arn:aws:iam::{ACCOUNT}:user/{bad}", bad)))
    one = check("__proto__", Severity.HIGH)
    found = audit(
        [result(replace(one, title=acts[12], service=acts[9]), *users)], environment=acts[11], caller=acts[10]
    )
    keys = AccessKeys(TAKEN, tuple(AccessKey(bad, 1, TAKEN - timedelta(days=100), None) for bad in acts))
    page = show(replace(found, access_keys=keys, regions=(HOME,)))
    assert shown(page) == 10_000
    for n in range(0, 50, 2):
        page.run(f"document.querySelectorAll('.open-row')[{n}].click()")
    for _ in range(3):
        page.click(".pages button:nth-of-type(2)")
    page.run("document.getElementById('by-text').focus()")
    page.type("<img src=x onerror='window.hacked=1'>")
    assert shown(page) > 0
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.browser.settle(0.3)
    assert page.run("window.hacked === undefined && parent.hacked === undefined")
    assert page.run("document.querySelectorAll('img, iframe, link, base, form, body script:not([type])').length") == 0
    assert page.run("document.querySelectorAll('[onerror], [onload], [onmouseover], [style], [src]').length") == 0
    assert page.run("document.baseURI").startswith("file:")


@pytest.mark.parametrize("media", ["", "print"], ids=["screen", "print"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_read(show: Show, tmp_path: Path, width: int, dark: bool, media: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5; 1.4.10: nothing sticks out to the side."""
    page = show(whole(tmp_path), width=width, dark=dark, media=media)
    page.run("document.querySelectorAll('.open-row').forEach((e, n) => { if (n < 12) e.click(); })")
    seen = page.run(MEASURE)
    assert seen["worst"]["contrast"] >= 4.5, seen["worst"]
    if not media:
        assert seen["wide"] <= width
    white = "rgb(255, 255, 255)"
    assert seen["page"] == ("rgb(19, 21, 23)" if dark and not media else white)


def test_the_script_never_makes_html_of_text() -> None:
    script = (REPOSITORY / "templates" / "reports" / "audit.js").read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(|createContextual", script
    )
