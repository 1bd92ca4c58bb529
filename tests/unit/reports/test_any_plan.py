"""Any plan, in every format: the report comes out, is whole, and Markdown keeps to GitHub's limit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from toolkit.access import Kind, Principal, Verdict
from toolkit.access.catalogue import catalogue
from toolkit.access.changes import AccessChanges, Shift, Shifts, Turn
from toolkit.findings import Finding, Resource, Severity, Source, Status, rules
from toolkit.plan.model import Action, AttributeChange, Change, Marker, OutputChange, Plan
from toolkit.reports.markdown import LIMIT
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView
from toolkit.terraform.bundle import Manifest

VOID = {"br", "meta", "col"}

SHORT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["x", "a | b\n| c |", "</details>", "``` ` ~~~", "<!--", "\\", "😀", "@octocat #1", "\ud800", ""]),
)
LONG = st.builds(
    lambda part, times: part * times,
    st.sampled_from(["x", "|", "`", "<", "😀", "\n", "ä "]),
    st.integers(100, 30_000),
)
TEXTS = st.one_of(SHORT, LONG)
MOSTLY_SHORT = st.one_of(*[SHORT] * 15, LONG)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS, st.sampled_from(list(Marker))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
POLICY = '{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny", "Action": "*", "Resource": "*"}]}'
ATTRIBUTES = st.builds(
    AttributeChange,
    path=TEXTS,
    before=st.one_of(VALUES, st.just(POLICY)),
    after=st.one_of(VALUES, st.just(POLICY.replace("Deny", "Allow"))),
    forces_replacement=st.booleans(),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(rules(Source.PLAN)),
    severity=st.sampled_from(Severity),
    resource=st.builds(Resource, MOSTLY_SHORT, st.just("eu-central-1"), arn=st.one_of(st.none(), MOSTLY_SHORT)),
    attribute=st.one_of(st.none(), MOSTLY_SHORT),
    summary=MOSTLY_SHORT,
    evidence=MOSTLY_SHORT,
    remedy=MOSTLY_SHORT,
    consent=st.one_of(st.none(), MOSTLY_SHORT),
    component=st.one_of(st.none(), st.sampled_from(["config", "guardduty"])),
    status=st.sampled_from(Status),
    controls=st.lists(MOSTLY_SHORT, max_size=3).map(tuple),
    consented_by=st.one_of(st.none(), MOSTLY_SHORT),
)


CONDITIONS = st.lists(MOSTLY_SHORT, max_size=2).map(tuple)
SHIFTS = st.builds(
    Shift,
    turn=st.sampled_from(Turn),
    principal=st.builds(Principal, kind=st.sampled_from(Kind), name=MOSTLY_SHORT, arn=st.just("arn:x")),
    sensitive=st.sampled_from(catalogue()),
    resource=st.one_of(st.none(), MOSTLY_SHORT),
    before=st.sampled_from(Verdict),
    after=st.sampled_from(Verdict),
    conditions_before=CONDITIONS,
    conditions=CONDITIONS,
    through=st.one_of(st.none(), MOSTLY_SHORT),
    made=st.booleans(),
)


@st.composite
def access_changes(draw: st.DrawFn) -> AccessChanges:
    """Some gains and losses, and up to 60 principals that have each, each in its own way."""
    shifts = draw(st.lists(SHIFTS, max_size=3))
    times = repeated(draw(st.sampled_from([1, 1, 1, 1, 60])), shifts)
    many = tuple(
        replace(one, principal=replace(one.principal, name=f"{one.principal.name}{n}"), through=str(n))
        for n in range(times)
        for one in shifts
    )
    labels = [one.principal.label for one in many]
    return Shifts(many, gone=frozenset(labels[::3]), gaps=tuple(draw(st.lists(MOSTLY_SHORT, max_size=3)))).changes


def repeated(times: int, what: object, regions: int = 1) -> int:
    """How often something is repeated: fewer times if it is large, or one example would take minutes."""
    return max(min(times, 1_000_000 // (len(repr(what)) * regions)), 1)


@st.composite
def views(draw: st.DrawFn) -> PlanView:
    """A few kinds of changes and findings, each repeated over up to 17 regions of 40 resources."""
    kinds = draw(
        st.lists(
            st.tuples(
                st.sampled_from(Action), TEXTS, st.lists(ATTRIBUTES, max_size=4), st.sampled_from(["config", None])
            ),
            max_size=4,
        )
    )
    regions = draw(st.integers(1, 17))
    each = repeated(draw(st.sampled_from([1, 3, 40])), kinds, regions)
    changes = tuple(
        Change(
            address=f"module.config_{region}.aws_x.this[{index}]{suffix}",
            type="aws_x",
            name="this",
            action=action,
            component=component,
            region=f"eu-{region}",
            attributes=tuple(attributes),
            previous_address=suffix or None,
        )
        for region in range(regions)
        for index in range(each if kinds else 0)
        for action, suffix, attributes, component in [kinds[index % len(kinds)]]
    )
    found = draw(st.lists(FINDINGS, max_size=4))
    times = repeated(draw(st.sampled_from([1, 50, 1500, 1500])), found)
    findings = tuple(
        replace(f, resource=replace(f.resource, address=f"{f.address}[{i}]")) for i in range(times) for f in found
    )
    ordered = tuple(sorted(findings, key=lambda f: (not f.blocks, f.severity.rank)))
    outputs = tuple(OutputChange(name, Action.CREATE) for name in draw(st.lists(TEXTS, max_size=2)))
    return PlanView(
        Plan("1.11.4", changes, outputs, draw(st.integers(0, 500))),
        some_manifest(),
        Path("p.tfbundle"),
        ordered,
        access=draw(access_changes()),
    )


def some_manifest() -> Manifest:
    facts: dict[str, Any] = json.loads((Path(__file__).parent / "manifest.json").read_text("utf-8"))
    return Manifest(**{**facts, "consents": ()})


@cache
def schema() -> Draft202012Validator:
    file = Path(__file__).parents[3] / "docs" / "plan-report.schema.json"
    return Draft202012Validator(json.loads(file.read_text("utf-8")))


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not the innermost open one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_markdown(view: PlanView, text: str) -> None:
    assert len(text) <= LIMIT
    assert len(text.encode("utf-8")) <= LIMIT
    assert len(text.encode("utf-16-le")) // 2 <= LIMIT
    assert len(text.replace("\n", "\r\n")) <= LIMIT
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    Balanced(rendered)
    lines = text.splitlines()
    assert lines[0] == "<!-- aws-baseline-toolkit:plan:sandbox -->"
    rows = [line for line in lines if line.startswith("|") and not line.startswith("| --- ")]
    assert rendered.count("<tr>") == len(rows)
    left_out = dict.fromkeys(("finding", "item", "resource", "access change"), 0)
    for number, noun in re.findall(
        r"^_(\d+) more (finding|item|resource|access change)s? left out", text, re.MULTILINE
    ):
        left_out[noun] += int(number)
    for _, number in re.findall(r"^_(\d+) more groups with (\d+) resources left out", text, re.MULTILINE):
        left_out["resource"] += int(number)
    heads = sum(row.startswith(("| | Finding", "| | Who", "| What", "| | Resource")) for row in rows)
    told = len(rows) - heads
    # Every row is either there or counted.
    rights = len(view.access.gains) + len(view.access.losses) + len(view.access.gaps)
    assert told + sum(left_out.values()) == sum(
        (len(view.findings), len(view.estimate.lines), len(view.plan.changes), rights)
    )
    event(f"access changes left out: {left_out['access change'] > 0}")
    blocking = sum(f.blocks for f in view.findings)
    kept = [row for row in rows if row.startswith("| **")]
    event(f"blocking findings left out: {len(kept) < blocking}")
    event(f"rows left out: {sum(left_out.values()) > 0}")
    if len(kept) < blocking:
        # Then nothing that matters less has taken their room: all else is smaller than one more of them could be.
        assert len(text.encode()) - sum(len(row.encode()) for row in kept) < 8_000


def formats(view: PlanView) -> Iterator[tuple[str, str]]:
    for name, render in ((n, f.render) for n, f in FORMATS.items()):
        # As it is written to a file.
        yield name, render(view).encode("utf-8", "backslashreplace").decode()


# No shrinking: of such large values it takes over five minutes, and the first one says enough.
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(views())
def test_every_report_of_any_plan(view: PlanView) -> None:
    for name, text in formats(view):
        match name:
            case "markdown":
                check_markdown(view, text)
            case "json":
                schema().validate(json.loads(text))
            case "sarif":
                assert len(json.loads(text)["runs"][0]["results"]) == len(view.findings)
            case "junit":
                for tag, status in (("failure", Status.FAIL), ("error", Status.UNKNOWN)):
                    told = ET.fromstring(text).findall(f"testsuite/testcase/{tag}")
                    assert len(told) == sum(f.blocks and f.status is status for f in view.findings)
            case "html":
                Balanced(text)
            case "text":
                assert not set(text) & set("\x1b\x07\r\u202e")
            case _:
                raise AssertionError(f"a format that nobody checks: {name}")


def test_every_format_counts_imports_alike(view_of: Any) -> None:
    """An import that also changes something is an import and a change, as in Terraform's own totals."""
    data = json.loads((Path(__file__).parents[2] / "plans" / "reports" / "first.json").read_text("utf-8"))
    made = [c for c in data["resource_changes"] if c["change"]["actions"] == ["create"]][:7]
    for index, change in enumerate(made):
        change["change"]["importing"] = {"id": "x"}
        change["change"]["before"] = {**change["change"]["after"], **({} if index < 2 else {"name": "before"})}
        change["change"]["actions"] = ["no-op"] if index < 2 else ["update"]
    data["resource_changes"] = made
    view: PlanView = view_of(data)
    assert view.plan.count(Action.UPDATE) == 5
    assert json.loads(FORMATS["json"].render(view))["summary"]["import"] == 7
    assert "7 to import" in view.totals
    assert re.search(r"<b>7</b><span class=\"pill import\">", FORMATS["html"].render(view))
    counts = [group.counts for group in (*view.losses, *view.others)]
    assert sum(int(n) for c in counts for n in re.findall(r"(\d+) to import", c)) == 7
