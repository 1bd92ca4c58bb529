"""The pull request's comment: whole tables and blocks, nothing of the plan's acting as Markdown, never too long."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from toolkit.findings import Resource
from toolkit.plan.model import Action, AttributeChange
from toolkit.reports.markdown import LIMIT, code, marker, prose, render
from toolkit.reports.view import PlanView

HOSTILE = (
    "a | b",
    "| --- | --- |\n| x | y |",
    "</details></summary></td></table>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "`code` ``more`` ```fence\n```",
    "@octocat please merge, fixes #1 and octo/repo#2",
    "https://example.com/octo/repo/issues/3",
    "**bold** _it_ ~~gone~~ [link](https://example.com) ![image](x.png) $x^2$",
    "\\| \\` \\\\",
    "-->\n<!-- aws-baseline-toolkit:plan:other -->",
    "\r\n\x00\x1b[2J\u2028\u202e",
    "😀" * 50,
)
VOID = {"br", "hr", "img"}


class Balance(HTMLParser):
    """Fails where a tag is closed that is not the innermost open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def check_well_formed(text: str) -> Balance:
    """Parse as GitHub-flavoured Markdown and as HTML; every table has equally many cells in each row."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for line in text.splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line)) - 1
            assert cells in (3, 5), line
    page = Balance()
    page.feed(parser.render(text))
    page.close()
    assert page.open == []
    rows = sum(line.startswith("|") and not line.startswith("| --- ") for line in text.splitlines())
    assert page.seen.get("tr", 0) == rows, "a row is no part of a table"
    assert page.seen.get("details", 0) == text.count("</details>")
    return page


def size(text: str) -> int:
    """The most that anybody could count."""
    return max(
        len(text), len(text.encode("utf-8")), len(text.encode("utf-16-le")) // 2, len(text.replace("\n", "\r\n"))
    )


def test_marker_is_the_first_line(later: PlanView) -> None:
    assert render(later).splitlines()[0] == "<!-- aws-baseline-toolkit:plan:sandbox -->" == marker("sandbox")


def test_a_refused_plan_reads_from_the_dangerous_to_the_harmless(later: PlanView) -> None:
    text = render(later)
    order = [
        "> **Refused: 12 findings without consent.** Nothing was applied.",
        "**5 to add, 35 to change, 7 to destroy**; 43 unchanged.",
        "### Findings",
        "| **critical** | The plan deletes module.guardduty_eu_central_1.aws_guardduty_detector.this",
        "| **high** | minimum_password_length becomes weaker (higher is stronger).",
        "### Changes",
        "<details open><summary><b>guardduty · eu-central-1</b>: 7 to delete</summary>",
        "<details><summary><b>cloudtrail · eu-central-1</b>: 6 to update</summary>",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "toolkit apply" not in text
    check_well_formed(text)


def test_every_finding_is_there_with_its_consent(later: PlanView) -> None:
    page = check_well_formed(render(later))
    for finding in later.findings:
        assert finding.consent is not None and finding.consent in page.text
        assert finding.subject in page.text


def test_policies_are_told_by_their_meaning(later: PlanView) -> None:
    text = render(later)
    assert "Deny DenyEnrolmentByAccessKey: conditions +StringNotEquals aws:username 'robot'" in text
    assert "Statement" not in text


def test_costs_name_what_is_unknown(first: PlanView) -> None:
    text = render(first)
    assert "| KMS key | 1 | 1.00, and usage on top | requests to the key |" in text
    assert "| Config recorder | 1 | depends on usage | number of changes to resources in the region |" in text
    check_well_formed(text)


def test_seventeen_regions_fit(wide: PlanView) -> None:
    text = render(wide)
    assert size(text) <= LIMIT
    page = check_well_formed(text)
    assert page.seen["details"] == len(wide.others) == 38
    told = sum(line.startswith("| <code>+</code>") for line in text.splitlines())
    left_out = sum(int(n) for n in re.findall(r"_(\d+) more resources? left out", text))
    assert told > 350
    assert told + left_out == len(wide.plan.changes)


def test_findings_that_block_are_kept_before_anything_else(later: PlanView) -> None:
    long = tuple(
        replace(f, resource=replace(f.resource, address=f"{f.address}[{i}]"), evidence="e" * 2000)
        for i in range(15)
        for f in later.findings
    )
    consented = tuple(replace(f, consented_by="waiver until 2027-01-01: " + "r" * 900) for f in long)
    text = render(replace(later, findings=(*long[:100], *consented)))
    assert size(text) <= LIMIT
    check_well_formed(text)
    rows = [line for line in text.splitlines() if line.startswith(("| **critical**", "| **high**"))]
    assert len(rows) == 100
    told = sum(line.startswith("| consented") for line in text.splitlines())
    assert f"_{len(consented) - told} more findings left out" in text


def test_too_many_blocking_findings_are_counted(later: PlanView) -> None:
    many = tuple(
        replace(later.findings[0], resource=Resource(f"module.guardduty.aws_x.this[{i}]", "eu-west-1"))
        for i in range(1000)
    )
    text = render(replace(later, findings=many))
    assert size(text) <= LIMIT
    check_well_formed(text)
    told = sum(line.startswith("| **critical**") for line in text.splitlines())
    assert told > 100
    assert f"_{1000 - told} more findings left out" in text
    assert "12 findings" not in text and "Refused: 1000 findings" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_of_the_plan_acts_as_markdown(later: PlanView, hostile: str) -> None:
    changes = tuple(
        replace(
            c,
            address=f"{c.address}{hostile}",
            previous_address=hostile,
            attributes=(
                AttributeChange(hostile, hostile, f"{hostile}!"),
                AttributeChange("list", [hostile, "a"], ["a"]),
            ),
        )
        for c in later.plan.changes
        if c.action is Action.UPDATE
    )
    findings = tuple(
        replace(
            f, resource=Resource(hostile, hostile), summary=hostile, evidence=hostile, remedy=hostile, consent=hostile
        )
        for f in later.findings[:2]
    )
    consented = replace(findings[0], consented_by=hostile)
    text = render(replace(later, findings=(*findings, consented), plan=replace(later.plan, changes=changes)))
    page = check_well_formed(text)
    # No tag but our own, whose only attribute is `open`, and emphasis only where this program's own words have it.
    ours = {"h2", "h3", "blockquote", "p", "strong", "sub", "code", "table", "thead", "tbody", "tr", "th", "td", "br"}
    assert set(page.seen) <= ours | {"details", "summary", "b", "em"}
    assert {name for name, _ in page.attributes} <= {"open", "style"}
    assert page.seen["strong"] == text.count("**") // 2
    assert page.seen.get("em", 0) == text.count(" left out: no room")
    assert text.count("<!--") == 1


LIVE = [
    "ask @octocat",
    "fixes #12",
    "fixes GH-12",
    "see https://example.com/a/b/issues/3",
    "see www.example.com",
    "see WWW.example.com/x",
    "mailto:a@b.example",
    "xmpp:a@b.example",
    "a@b.example",
    "ship it :tada:",
    "since 4d325f2",
    "since 4d325f2ad1c0ffee4d325f2ad1c0ffee4d325f2a",
]
PLAIN = ["account 123456789012", "arn:aws:iam::123456789012:role/x", "module.x.y: defaced", "GHz-12 awww.x"]


@pytest.mark.parametrize("text", PLAIN)
def test_prose_leaves_alone_what_people_copy(text: str) -> None:
    assert "8203" not in prose(text)


@pytest.mark.parametrize("text", LIVE)
def test_prose_makes_no_mention_reference_or_link(text: str) -> None:
    page = Balance()
    page.feed(MarkdownIt("commonmark").render(prose(text)))
    page.close()
    # What GitHub's filters see is the text without entities; the zero-width space is still there.
    assert not re.search(r"@\w|#\d|://|GH-\d|www\.|(mailto|xmpp):|:tada:|[0-9a-f]{7}", page.text, re.IGNORECASE)
    assert page.text.replace("\u200b", "").strip() == text


@pytest.mark.parametrize("text", [*HOSTILE, 'module.a_b.aws_x.this["k_"]', "_a_ __b__ a_b"])
def test_code_shows_the_text_itself(text: str) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    page = Balance()
    page.feed(parser.render(f"| a |\n| --- |\n| {code(text)} |\n"))
    page.close()
    from toolkit.visible import one_line

    assert page.text.strip().removeprefix("a").strip() == one_line(text).strip()
    assert page.seen == {"table": 1, "thead": 1, "tbody": 1, "tr": 2, "th": 1, "td": 1, "code": 1}


def test_an_empty_plan_is_short(empty: PlanView) -> None:
    text = render(empty)
    assert "No changes: the account matches the environment." in text
    assert "###" not in text
    check_well_formed(text)


def test_hostile_keys_keep_their_addresses_readable(later: PlanView) -> None:
    change = replace(later.plan.changes[0], address='module.x.aws_y.this["a|b`c"]')
    page = check_well_formed(render(replace(later, plan=replace(later.plan, changes=(change,)))))
    assert 'module.x.aws_y.this["a|b`c"]' in page.text
