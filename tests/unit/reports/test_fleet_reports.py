"""Summaries of many environments in every format: what is odd first, nothing lost, never too long, nothing acts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from toolkit.fleet.grouping import summarize
from toolkit.fleet.outcome import Outcome
from toolkit.fleet.summary import Summary
from toolkit.reports import fleet_markdown, fleet_text
from toolkit.reports.fleet_registry import FORMATS
from toolkit.reports.markdown import LIMIT

from ..fleet.made import (  # noqa: TID252 (tests are no package that has a name)
    account,
    attribute,
    change,
    failed,
    finding,
    odd_fleet,
    plan,
    planned,
)
from .browsing import MEASURE

VOID = {"br", "meta", "col", "hr", "img", "wbr"}
SCHEMAS = Path(__file__).parents[2] / "schemas"
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0.json").read_text("utf-8")))
JUNIT = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
TAGS = {
    *("h2", "h3", "p", "sub", "strong", "em", "ul", "li", "code", "br", "details", "summary", "b", "blockquote"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
PIECES = st.one_of(
    st.sampled_from(["\x1b[2J", "\x9b8m", "\x08", "\x00", "\t", "\u202e", "\u200b", "\ufeff", "\ud800", "\n", "\r\n"]),
    st.sampled_from(["<script>alert(1)</script>", "</details>", "-->", "a | b", "`", "```", "@octocat", "#1", "1. "]),
    st.sampled_from(
        ["{{ 7 * 7 }}", "«region»", "«", "»", "](https://example.com)", "&lt;", "\\", "- x", "\u2028", "é"]
    ),
)
HOSTILE = st.lists(PIECES, min_size=1, max_size=5).map("".join)


def small() -> Summary:
    """Twelve environments in every part of a summary."""
    lost = {"code": "wrong-account", "exit_code": 5, "where": "credentials", "next": "log in"}
    down = [failed(name, f"none for account {account(n)}", **lost) for n, name in enumerate(("down", "up"), 50)]
    return summarize([*odd_fleet(8), *down, planned(plan("same", 60))], {"later": "wave 2 was not begun"})


TEXT = """\
Plan of 12 environments: 1 refused, 2 wrong account or credentials, 2 unlike the others, 5 in 1 group, \
1 without changes, 1 not run.

Refused or failed
  refused: acct-002 (account 111122220002)
    high: minimum_password_length becomes weaker.
      module.password_policy.aws_iam_account_password_policy.this.minimum_password_length · eu-central-1: 14 → 8
      remediation: set what it was
    consent:
      --allow-weaker=acct-002:module.password_policy.aws_iam_account_password_policy.this.minimum_password_length
    As group 1, but:
      differently:
        ~   module.password_policy.aws_iam_account_password_policy.this · eu-central-1
            minimum_password_length: 14 → 8, not 14 → 24
  wrong account or credentials: 2 environments
    down, up
    for example in down:
    credentials: none for account 111122220050
    next: log in

Unlike the others
  acct-004 (account 111122220004): 1 to delete, 1 to update, 3 to create
    As group 1, but:
      also:
        -   module.cloudtrail_eu_central_1.aws_cloudtrail.this · eu-central-1
  acct-006 (account 111122220006): 1 to update, 2 to create
    As group 1, but:
      without:
        +   module.siem_export.aws_s3_bucket.logs["«environment»-logs"] · the home region

Group 1: the same 4 changes in 5 environments
  acct-000, acct-001, acct-003, acct-005, acct-007
  3 other environments compared with it above
  1 to update, 3 to create
  ~   module.password_policy.aws_iam_account_password_policy.this · the home region
        minimum_password_length: 14 → 24
  +   module.guardduty_«region».aws_guardduty_detector.this · eu-central-1, eu-west-1
        policy: "arn:aws:guardduty:«region»:«account»:*"
  +   module.siem_export.aws_s3_bucket.logs["«environment»-logs"] · the home region
        bucket: "«environment»-logs-«account»"
        tags: {"Environment": "«environment»", "Home": "«region»"}

«environment», «account», «region» and «home region»: each environment's own name, account and region.

1 environment without changes
  same

Not run
  wave 2 was not begun: 1 environment
    later

1 refused, 2 wrong account or credentials, 2 unlike the others, 5 in 1 group, 1 without changes, 1 not run.
"""

MARKDOWN = """\
<!-- aws-baseline-toolkit:fleet:plan -->
## Plan of 12 environments

> [!CAUTION]
> **3 environments refused or failed.**

1 refused, 2 wrong account or credentials, 2 unlike the others, 5 in 1 group, 1 without changes, 1 not run.

<sub>«environment», «account», «region» and «home region»: each environment's own name, account and region.\
</sub>

### Refused or failed

**refused: acct-002 (account 111122220002)**

- **high** minimum_password_length becomes weaker.
  - <code>module.password_policy.aws_iam_account_password_policy.this.minimum_password_length</code> · eu-central-1: \
<code>14 → 8</code>
  - Remediation: set what it was
- Consent: <code>--allow-weaker=acct-002:module.password_policy.aws_iam_account_password_policy.this.\
minimum_password_length</code>
- As group 1, but
  - differently <code>&#126;</code> <code>module.password_policy.aws_iam_account_password_policy.this</code> · \
eu-central-1<br><code>minimum_password_length</code>: <code>14 → 8</code>, not <code>14 → 24</code>

**wrong account or credentials: 2 environments**. For example in down: <code>credentials: none for account \
111122220050</code>

Environments: down, up

- Next: <code>log in</code>

### Unlike the others

**acct-004 (account 111122220004)**: 1 to delete, 1 to update, 3 to create

- As group 1, but
  - also <code>-</code> <code>module.cloudtrail_eu_central_1.aws_cloudtrail.this</code> · eu-central-1

**acct-006 (account 111122220006)**: 1 to update, 2 to create

- As group 1, but
  - without <code>+</code> <code>module.siem_export.aws_s3_bucket.logs&#91;"«environment»-logs"&#93;</code> \
· the home region

<details><summary><b>Not run: wave 2 was not begun</b></summary>

Environments: later

</details>

### Alike

<details><summary><b>Group 1: the same 4 changes in 5 environments</b>: 1 to update, 3 to create</summary>

| | Resource | Change |
| --- | --- | --- |
| <code>&#126;</code> | <code>module.password_policy.aws_iam_account_password_policy.this</code> · the home region | \
<code>minimum_password_length</code>: <code>14</code> → <code>24</code> |
| <code>+</code> | <code>module.guardduty&#95;«region».aws_guardduty_detector.this</code> · eu-central-1, eu-west-1 |  |
| <code>+</code> | <code>module.siem_export.aws_s3_bucket.logs&#91;"«environment»-logs"&#93;</code> \
· the home region |  |

Environments: acct-000, acct-001, acct-003, acct-005, acct-007

</details>

<details><summary><b>1 environment without changes</b></summary>

Environments: same

</details>
"""


def test_the_text_of_a_small_fleet() -> None:
    assert fleet_text.render(small()) == TEXT


def test_the_comment_of_a_small_fleet() -> None:
    assert fleet_markdown.render(small()) == MARKDOWN


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not the innermost open one; collects what there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: dict[str, set[str]] = {}
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.setdefault(tag, set()).update(name for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] not in (["style"], ["script"]) else ""


def check_comment(text: str) -> Balanced:
    """It is as long as GitHub takes, whoever counts, and whole."""
    assert (
        max(len(text), len(text.encode()), len(text.encode("utf-16-le")) // 2, len(text.replace("\n", "\r\n"))) <= LIMIT
    )
    page = Balanced(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert set(page.tags) <= TAGS
    return page


def left_out(text: str) -> int:
    """How many environments a comment counts without naming them."""
    alone = re.findall(r"^_(\d+) more environments? left out", text, re.MULTILINE)
    parts = re.findall(r"^_[\d,]+ more with ([\d,]+) environments? left out", text, re.MULTILINE)
    return sum(int(number.replace(",", "")) for number in (*alone, *parts))


def test_500_environments_with_three_odd_ones_fit_in_a_comment_the_odd_ones_first() -> None:
    text = fleet_markdown.render(summarize(odd_fleet(500)))
    check_comment(text)
    order = ["1 refused, 2 unlike the others, 497 in 1 group.", "**refused: acct-125 ", "**acct-250 ", "**acct-498 "]
    places = [text.index(part) for part in (*order, "the same 4 changes in 497 environments", "acct-000")]
    assert places == sorted(places)
    assert set(re.findall(r"acct-\d{3}", text)) == {f"acct-{number:03}" for number in range(500)}
    assert "left out" not in text


def long_fleet(size: int, *, unique: bool) -> list[Outcome]:
    """Environments with long names and many long changes, a fifth of them failed, each in its own words if wanted."""
    values = [attribute(f"attribute_{n}", "x" * 300, "y" * 300) for n in range(10)]
    changes = [change(f"aws_x.this[{n}]", "update", "eu-central-1", *values) for n in range(40)]
    made: list[Outcome] = []
    for number in range(size):
        name = f"acct-{number:04}-{'n' * 50}"
        own = [change("aws_y.this", "delete", "eu-central-1", attribute("a", number, None))] if unique else []
        if number % 5 == 0:
            words = "z" * number if unique else "the same"
            made.append(failed(name, f"{words} failed", detail="detail " * 60 + "\n" * 30, next="try again"))
        elif number % 5 == 1:
            made.append(planned(plan(name, number)))
        else:
            made.append(planned(plan(name, number, *changes, *own)))
    return made


@pytest.mark.parametrize("unique", [False, True], ids=["alike", "each-its-own"])
@pytest.mark.parametrize("size", [40, 1000])
def test_whatever_the_fleet_a_comment_fits_and_counts_what_it_leaves_out(size: int, unique: bool) -> None:
    summary = summarize(long_fleet(size, unique=unique), {f"acct-9999-{'n' * 50}": "not begun"})
    text = fleet_markdown.render(summary)
    check_comment(text)
    assert len(set(re.findall(r"acct-\d{4}-n+", text))) + left_out(text) == summary.total
    assert "### Alike" in text
    if size > 40:
        # Room is for the odd ones.
        assert text.count("left out") > 0
        assert len(text) > LIMIT * 3 // 4


def formats(summary: Summary) -> Iterator[tuple[str, str]]:
    for name, one in FORMATS.items():
        text = one.render(summary).encode("utf-8", "backslashreplace").decode()
        assert [other for other, known in FORMATS.items() if known.recognises(text)] == [name]
        yield name, text


def check(name: str, text: str, json_shape: Callable[[str], Any], usual: Mapping[str, Balanced]) -> None:
    match name:
        case "markdown":
            page = check_comment(text)
            assert all(attributes <= usual[name].tags.get(tag, set()) for tag, attributes in page.tags.items())
            assert text.count("<!--") == text.count("-->") == 1
        case "json":
            json_shape(text)
        case "sarif":
            SARIF.validate(json.loads(text))
            run = json.loads(text)["runs"][0]
            assert len(run["results"]) == 1
            assert len(run["invocations"][0]["toolExecutionNotifications"]) == 2
        case "junit":
            root = ET.fromstring(text)
            cases = root.findall("testsuite/testcase")
            for case in cases:
                del case.attrib["file"]  # GitLab's own
            JUNIT.validate(root)
            assert len(cases) == 12
            assert sum(case.find("failure") is not None for case in cases) == 1
            assert sum(case.find("error") is not None for case in cases) == 2
            assert sum(case.find("skipped") is not None for case in cases) == 1
        case "html":
            shown = Balanced(text)
            assert all(attributes <= usual[name].tags.get(tag, set()) for tag, attributes in shown.tags.items())
            assert not any("49" in part for part in re.findall(r"\D49\D", shown.text))
        case "text":
            assert not set(text) & set("\x1b\x07\x08\x00\x9b\r\u202e\u2028\ud800")
            assert "\nFORGED" not in text
        case _:
            raise AssertionError(f"a format that nobody checks: {name}")


def hostile(word: str) -> list[Outcome]:
    """A fleet in which every text that comes from outside is hostile."""
    texts = dict.fromkeys(("summary", "evidence", "remedy", "consent", "subject", "attribute", "component"), word)
    values = [attribute(word, word, f"{word}!"), attribute("list", [word, "a"], {word: word})]
    base = [
        change(f'aws_x.this["{word}"]', "update", "eu-central-1", *values, component=word, previous_address=word),
        change("aws_y.this", "create", "eu-central-1", attribute(word, None, word)),
    ]
    lasting = [{"address": word, "summary": word, "source": word}]
    outputs = [{"name": word, "action": "create"}]
    cost = {"lines": [{"what": word, "count": 1, "monthly_usd": 1.5, "driver": word}]}
    more: dict[str, Any] = {"irreversible": lasting, "outputs": outputs, "cost": cost}
    made = [planned(plan(f"{word}{n}", n, *base, **more)) for n in range(6)]
    made.append(planned(plan(f"{word}6", 6, base[1], change(f"aws_z.{word}", "delete"))))
    made.append(planned(plan(f"{word}7", 7, *base, findings=[finding("aws_x.this", **texts)])))
    done = finding("aws_x.this", **{**texts, "consented_by": word, "blocks": False})
    made.append(planned(plan(f"{word}8", 8, *base, findings=[done])))
    made += [failed(f"{word}9{n}", word, where=word, detail=f"{word}\n{word}", next=word) for n in range(2)]
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(HOSTILE)
def test_whatever_names_and_errors_say_no_format_lets_it_act(json_shape: Callable[[str], Any], word: str) -> None:
    usual = {name: Balanced(text) for name, text in formats(summarize(hostile("x"), {"y": "z"})) if name == "html"}
    usual["markdown"] = check_comment(fleet_markdown.render(summarize(hostile("x"), {"y": "z"})))
    for name, text in formats(summarize(hostile(word), {f"{word}n": word})):
        check(name, text, json_shape, usual)


def test_json_is_as_published(json_shape: Callable[[str], Any]) -> None:
    for summary in (small(), summarize([]), summarize(odd_fleet(30))):
        json_shape(FORMATS["json"].render(summary))


def test_json_keeps_values_as_they_are() -> None:
    values = [attribute("a", {"b": [1, None, 2.5]}, "(known after apply)"), attribute("c", "(sensitive value)", True)]
    data = json.loads(
        FORMATS["json"].render(summarize([planned(plan("a", 1, change("aws_x.this", "update", "x", *values)))]))
    )
    assert data["entries"][data["groups"][0]["changes"][0]["entry"]]["attributes"] == values


def test_sarif_leads_to_the_environments_that_are_refused() -> None:
    run = json.loads(FORMATS["sarif"].render(small()))["runs"][0]
    (result,) = run["results"]
    assert result["ruleId"] == "weakens" == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "environments/acct-002/environment.yaml"
    assert "Consent: --allow-weaker=acct-002:module.password_policy." in result["message"]["text"]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert [one["message"]["text"].splitlines()[0] for one in invocation["toolExecutionNotifications"]] == [
        "down:",
        "up:",
    ]


def test_junit_has_a_case_for_each_environment() -> None:
    (suite,) = ET.fromstring(FORMATS["junit"].render(small()))
    assert [case.get("name") for case in suite] == [
        *("acct-002", "down", "up", "acct-004", "acct-006"),
        *("acct-000", "acct-001", "acct-003", "acct-005", "acct-007", "same", "later"),
    ]
    assert [[child.tag for child in case] for case in suite[:4]] == [["failure"], ["error"], ["error"], ["system-out"]]
    assert suite[0].get("file") == "environments/acct-002/environment.yaml"
    assert suite[0].get("time") == "7.500"
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "12",
        "1",
        "2",
        "1",
    )


def test_junit_takes_drift_for_a_failure() -> None:
    change_ = {"address": "aws_x.this", "type": "aws_x", "component": None, "region": "eu-central-1", "gone": True}
    document = {"kind": "drift", "account_id": account(1), "changes": [{**change_, "attributes": [], "weaker": []}]}
    outcomes = [
        Outcome("a", "drift", 2, document, None, 1.0),
        Outcome("b", "drift", 0, {**document, "changes": []}, None, 1),
    ]
    (suite,) = ET.fromstring(FORMATS["junit"].render(summarize(outcomes)))
    assert [[child.tag for child in case] for case in suite] == [["failure"], []]


def test_the_page_loads_and_runs_nothing() -> None:
    text = FORMATS["html"].render(small())
    page = Balanced(text)
    assert not set(page.tags) & {"script", "link", "img", "iframe", "object", "embed", "form", "input", "base", "a"}
    assert not set().union(*page.tags.values()) & {"src", "href", "style", "srcset", "action"}
    assert not re.search(r"url\(|@import|https?://", text)
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in text.replace(
        "&#39;", "'"
    )
    order = [
        "3 environments refused or failed",
        "acct-002",
        "down, up",
        "acct-004",
        "acct-006",
        "Group 1",
        "same",
        "later",
    ]
    places = [page.text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["odd", "hostile"])
def test_in_a_browser(browser: Any, tmp_path: Path, kind: str, width: int, dark: bool) -> None:
    word = "<img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e" + "w" * 80
    summary = small() if kind == "odd" else summarize(hostile(word), {word: word})
    file = tmp_path / "fleet.html"
    file.write_text(FORMATS["html"].render(summary), "utf-8", "backslashreplace")
    page = browser.page(width=width, dark=dark)
    page.open(file)
    page.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    seen = page.run(MEASURE)
    wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
    assert [e for e in page.events if e["method"] in wrong] == []
    page.close()
    assert seen["title"] == "Plan of 12 environments"
    assert seen["wide"] <= width
    assert seen["worst"]["contrast"] >= 4.5, seen["worst"]
    assert seen["page"] == ("rgb(19, 22, 27)" if dark else "rgb(246, 247, 249)")


def test_what_is_alike_is_counted_in_a_large_group() -> None:
    tag = attribute("tags_all.Owner", None, "platform@example.com")
    changes = [change(f"aws_x.this[{n}]", "update", "eu-central-1", tag) for n in range(40)]
    changes += [change("aws_y.this", "delete"), change("aws_z.this"), change("aws_z.other")]
    outputs = {"outputs": [{"name": "topic", "action": "update"}]}
    summary = summarize([planned(plan(f"acct-{n}", n, *changes, **outputs)) for n in range(2)])
    shown = [line for line, _ in fleet_text.summary_lines(summary)]
    start = shown.index("Group 1: the same 43 changes in 2 environments")
    assert shown[start + 2 : start + 9] == [
        "  1 to delete, 40 to update, 2 to create",
        "  -   aws_y.this · eu-central-1",
        "  ~   40 aws_x",
        '        tags_all.Owner: (none) → "platform@example.com"',
        "  +   2 aws_z",
        "  outputs: ~ topic",
        "  Similar changes are grouped; -v lists each one with its values.",
    ]
    assert all(f"aws_x.this[{n}]" in fleet_text.render(summary) for n in range(40))


def test_outputs_alone_are_no_changes_of_resources() -> None:
    outputs = {"outputs": [{"name": "topic", "action": "update"}, {"name": "key", "action": "create"}]}
    summary = summarize([planned(plan(f"acct-{n}", n, **outputs)) for n in range(2)])
    assert "Group 1: the same 2 outputs in 2 environments" in fleet_text.render(summary)


def test_a_consent_without_an_address_is_for_one_environment_alone() -> None:
    lockout = finding("aws_iam_policy.this", rule="locks-out-users", consent="--acknowledge-lockout")
    summary = summarize([planned(plan("a", 1, change("aws_iam_policy.this"), findings=[lockout]))])
    assert "    consent:\n      --acknowledge-lockout (a alone)\n" in fleet_text.render(summary)
