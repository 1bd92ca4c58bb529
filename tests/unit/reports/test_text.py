"""The terminal's report of real plans: the dangerous first, one screen, nothing lost when verbose."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import date

import pytest

from toolkit.findings import Consents, Finding, Resource, options_for
from toolkit.findings.rules import DESTROYS
from toolkit.plan.cost import CostLine
from toolkit.plan.model import Action, AttributeChange, Change
from toolkit.reports.details import only_tags
from toolkit.reports.text import fixed, plan_lines, render
from toolkit.reports.view import PlanView
from toolkit.visible import LOG_WIDTH, columns, one_line, wrapped

SCREEN = 50


def printed(view: PlanView, *, verbose: bool = False) -> list[str]:
    lines = (one_line(text) for text, _ in plan_lines(view, verbose=verbose))
    return [piece for line in lines for piece in wrapped(line, LOG_WIDTH)]


def test_several_hundred_resources_fit_on_a_screen(wide: PlanView) -> None:
    lines = printed(wide)
    assert len(wide.plan.changes) > 400
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 130
    assert "guardduty · in each of all 17 regions" in lines
    assert "config · in each of 16 regions (all but eu-central-1)" in lines
    assert f"{len(wide.plan.changes)} to add, 0 to change, 0 to destroy; 0 unchanged." in lines


def test_counted_lines_add_up_to_the_plan(wide: PlanView) -> None:
    total = 0
    times = 0
    for line in printed(wide):
        if " · " in line:
            many = re.search(r"in each of (?:all )?(\d+) regions", line)
            times = int(many[1]) if many else 1
        elif line.startswith(("  +   ", "      aws_", "      2 aws_")):
            # "23 aws_x: names" or "aws_x, 2 aws_y": a type without a number is one resource.
            told = line[4:].split(": ")[0].strip(" ,")
            total += times * sum(int(w.split()[0]) if w[0].isdigit() else 1 for w in told.split(", "))
    assert total == len(wide.plan.changes)


def test_verbose_names_every_resource_once(wide: PlanView) -> None:
    lines = printed(wide, verbose=True)
    for change in wide.plan.changes:
        assert lines.count(f"  +   {change.address}") == 1
    assert any("minimum_password_length: 14" in line for line in lines)
    assert render(wide).splitlines() == lines


def test_findings_then_losses_then_the_rest(later: PlanView) -> None:
    lines = printed(later)
    order = [
        f"CRITICAL: 7 times in guardduty · eu-central-1: {DESTROYS.explanation}",
        "HIGH: minimum_password_length becomes weaker (higher is stronger).",
        "Deleted, replaced or forgotten",
        "  -   1 aws_guardduty_detector: this",
        "cloudtrail · eu-central-1",
        "        retention_in_days: 365 → 30",
        "Refused: 12 findings without consent.",
        "5 to add, 35 to change, 7 to destroy; 43 unchanged.",
    ]
    assert [line for line in lines if line in order] == order
    consents = options_for(f for f in later.findings if f.rule is DESTROYS)
    assert len(consents) == 7
    at = lines.index("  consent:")
    assert lines[at + 1 : at + 8] == [f"    {consent.replace(' ', '=', 1)}" for consent in consents]


def test_the_end_is_a_summary_of_the_findings_one_line_each(later: PlanView) -> None:
    lines = printed(later)
    at = lines.index("Findings, with remediation and consent above:")
    assert lines[at - 1] == ""
    assert lines[at - 2] != ""
    assert lines[at + 1 :] == [
        "  CRITICAL  guardduty: 7 findings: The plan deletes or replaces a resource tha…",
        "  HIGH      cloudtrail: retention_in_days becomes weaker. 365 → 30",
        '  HIGH      config: recording_mode[0].recording_frequency becomes weaker. "CON…',
        "  HIGH      mfa_enforcement: policy becomes weaker. denies less: DenyEnrolment…",
        "  HIGH      password_policy: max_password_age becomes weaker. 90 → 0",
        "  HIGH      password_policy: minimum_password_length becomes weaker. 14 → 12",
        "",
        "Refused: 12 findings without consent.",
        "5 to add, 35 to change, 7 to destroy; 43 unchanged.",
    ]


@pytest.mark.parametrize("between", [", ", " or "])
def test_keys_that_differ_are_named_below_each_of_several_findings(later: PlanView, between: str) -> None:
    (one,) = (f for f in later.findings if f.attribute == "minimum_password_length")
    keys = [f"`components.c.{name}`{between}`components.c.same`" for name in "abcdefg"]
    alike = [
        replace(one, resource=Resource(f"module.c.x.{i}", "eu-central-1"), setting=f"c.{i}", remedy=f"look ({k})")
        for i, k in enumerate(keys)
    ]
    lines = printed(replace(later, findings=tuple(alike)))
    assert "  remediation: look (the key below each)" in lines
    assert {"    c.0", "    c.1"} <= set(lines)


@pytest.mark.parametrize("text", ["", "x", "e\u0301" * 200, "\u5b57" * 200, "word " * 200, "x" * 30_000, "a\nb\x1b[2J"])
@pytest.mark.parametrize("copies", [0, 1, 60])
def test_whatever_is_found_the_summary_fits_on_a_screen(later: PlanView, text: str, copies: int) -> None:
    more = (replace(f, component=f"c{i}", summary=text) for i in range(copies) for f in later.findings[-2:])
    lines = printed(replace(later, findings=(*later.findings, *more)))
    end = lines[lines.index("Findings, with remediation and consent above:") :]
    assert len(end) <= 17, "with the error and its next step below, a screen of 24"
    assert max(map(columns, end)) <= 80
    assert any(line.startswith("  CRITICAL ") for line in end)


def test_an_option_is_one_word_that_no_terminal_breaks(later: PlanView) -> None:
    lines = [line.strip() for line in printed(later)]
    options = [line for line in lines if line.startswith("--allow-")]
    assert len(options) == 12
    assert all(" " not in option for option in options)
    read = Consents.from_options(shlex.split(" ".join(options)))
    assert not any(f.blocks for f in read.apply(later.findings, date(2026, 1, 1)))


def test_every_blocking_subject_is_named_with_its_evidence(later: PlanView) -> None:
    text = "\n".join(printed(later))
    for finding in later.findings:
        assert f"  {finding.subject}: {finding.evidence}\n" in text


def test_a_policy_is_told_by_its_meaning(later: PlanView) -> None:
    text = "\n".join(printed(later))
    assert "~ Deny DenyEnrolmentByAccessKey: conditions +StringNotEquals aws:username 'robot'" in text
    assert '"Statement"' not in text


def test_an_update_of_default_tags_alone_says_so(later: PlanView) -> None:
    """Default tags stand in tags_all only; where a resource's own tags change too, they are not told twice."""
    at = printed(later).index(
        "  ~   23 aws_config_config_rule: access-keys-rotated, cloud-trail-cloud-watch-logs-enabled, … 21 more"
    )
    assert printed(later)[at + 1] == '        tags_all.Owner: (none) → "platform@example.com"'


@pytest.mark.parametrize(
    ("paths", "alone"),
    [
        (("tags.Owner", "tags_all.Owner"), True),
        (('tags["cost:center"]', 'tags_all["cost:center"]'), True),
        (("tags_all",), True),
        (("tags",), False),
        (("tags.Owner", "tagsets[0]"), False),
        (("",), False),
        ((), False),
    ],
)
def test_an_update_of_tags_alone(paths: tuple[str, ...], alone: bool) -> None:
    attributes = tuple(AttributeChange(path, 1, 2, False) for path in paths)
    change = Change("module.x.aws_x.y", "aws_x", "y", Action.UPDATE, "x", "eu-central-1", attributes, {}, {})
    assert only_tags(change) is alone


def test_many_alike_findings_are_cut_with_a_count(later: PlanView) -> None:
    model = later.findings[0]
    many = tuple(
        replace(model, resource=Resource(f"module.guardduty.aws_x.this[{i}]", "eu-central-1")) for i in range(400)
    )
    lines = printed(replace(later, findings=many))
    assert "  … and 390 more (with -v, all are listed)" in lines
    assert (
        sum("module.guardduty.aws_x.this[" in line for line in printed(replace(later, findings=many), verbose=True))
        >= 400
    )


def test_what_was_consented_to_is_told_apart(later: PlanView) -> None:
    findings: tuple[Finding, ...] = tuple(replace(f, consented_by="--allow-weaker *") for f in later.findings[-1:])
    lines = printed(replace(later, findings=findings))
    assert lines[2].startswith("consented: ")
    assert "  by --allow-weaker *" in lines
    assert not any(line.startswith("Refused") for line in lines)


def test_an_empty_plan_says_so(empty: PlanView) -> None:
    assert printed(empty)[-1] == "No changes: the account matches the environment."


def test_a_destruction_with_nothing_to_do_says_so(empty: PlanView) -> None:
    view = replace(empty, manifest=replace(empty.manifest, destroy=True))
    assert printed(view)[-1] == "Nothing to destroy: the state holds nothing."


def test_what_has_one_price_has_no_usage_on_top() -> None:
    source = ("https://aws.amazon.com/cloudwatch/pricing/", "2026-11-28")
    line = CostLine("CloudWatch alarm", 15, 1.5, "0.10 per alarm and month", None, *source)
    assert fixed(line) == "1.50"
    assert fixed(replace(line, driver="requests")) == "1.50, and usage on top"


def test_no_value_reaches_the_terminal_as_a_command(later: PlanView) -> None:
    change = next(c for c in later.plan.changes if c.action is Action.UPDATE and c.component == "password_policy")
    hostile = "\x1b]0;owned\x07\u202edrowssap\r\n- nothing to see"
    bad = replace(change, address=hostile, attributes=(replace(change.attributes[0], path=hostile, after=hostile),))
    finding = replace(
        later.findings[0], summary=hostile, evidence=hostile, remedy=hostile, resource=Resource(hostile, hostile)
    )
    text = render(replace(later, plan=replace(later.plan, changes=(bad,)), findings=(finding,)))
    assert not set(text) & set("\x1b\x07\u202e\r")
    assert "\\x1b]0;owned\\x07\\u202edrowssap\\r\\n- nothing to see" in text
