"""Who gains or loses access by a plan, in every report of a plan and in the summaries of many environments."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from toolkit.access import Kind, Principal, Verdict
from toolkit.access.catalogue import catalogue
from toolkit.access.changes import AccessChanges, Shift, Shifts, Turn
from toolkit.fleet.grouping import summarize
from toolkit.plan.access_changes import shifts_of
from toolkit.plan.model import parse_outcome
from toolkit.reports import data, fleet_json, fleet_markdown, fleet_text, html, markdown, text
from toolkit.reports.fleet_registry import FORMATS as FLEET_FORMATS
from toolkit.reports.markdown import LIMIT
from toolkit.reports.view import PlanView
from toolkit.sandbox import managed_policies

from ..fleet.made import change, plan, planned  # noqa: TID252 (tests are no package that has a name)
from .conftest import ATTRIBUTION, HOME, recorded
from .test_any_plan import schema

BUCKET = "arn:aws:s3:::logs"
MFA = ("if Bool aws:MultiFactorAuthPresent 'true'",)
ACTIONS = {one.action: one for one in catalogue()}


def shift(action: str, name: str, turn: Turn = Turn.GAIN, kind: Kind = Kind.GROUP, **more: Any) -> Shift:
    sides = (Verdict.DENIED, Verdict.ALLOWED) if turn is Turn.GAIN else (Verdict.ALLOWED, Verdict.DENIED)
    facts = {"before": sides[0], "after": sides[1], **more}
    return Shift(turn, Principal(kind, name, f"arn:{name}"), ACTIONS[action], facts.pop("resource", None), **facts)


CHANGES = Shifts(
    (
        shift("s3:DeleteBucket", "developers", resource=BUCKET),
        shift("s3:DeleteBucket", "site", resource=BUCKET),
        shift("iam:CreateUser", "deploy", kind=Kind.ROLE, after=Verdict.DEPENDS, conditions=MFA, made=True),
        shift("kms:Decrypt", "anna", Turn.LOSS, Kind.USER),
    ),
    made=frozenset({"role:deploy"}),
    gaps=("what the policy of role late says is known only after the apply",),
).changes
TEXT = """\
Access: who can do what once this is applied
  gains: group developers, group site
      may newly do s3:DeleteBucket on the log bucket
  gains: role deploy (new)
      may newly do iam:CreateUser, if Bool aws:MultiFactorAuthPresent 'true'
  loses: user anna
      may no longer do kms:Decrypt
  not known: what the policy of role late says is known only after the apply
"""
MARKDOWN = """\
### Access: who can do what once this is applied

| | Who | What changes |
| --- | --- | --- |
| **gains** | group developers, group site | may newly do s3:DeleteBucket on the log bucket |
| **gains** | role deploy (new) | may newly do iam:CreateUser, if Bool aws:MultiFactorAuthPresent 'true' |
| loses | user anna | may no longer do kms:Decrypt |
| not known | | what the policy of role late says is known only after the apply |
"""


@pytest.fixture
def view(later: PlanView) -> PlanView:
    return replace(later, access=CHANGES)


def test_gains_come_first_then_losses_then_what_is_not_known(view: PlanView) -> None:
    assert TEXT in text.render(view)
    assert TEXT in text.plain(text.plan_lines(view))
    assert MARKDOWN in markdown.render(view)
    page = html.render(view)
    order = [page.index(part) for part in ("Access: who", "group developers, group site", "user anna", "role late")]
    assert order == sorted(order)
    found = json.loads(data.render(view))
    schema().validate(found)
    assert [one["principals"] for one in found["access"]["gains"]] == [
        ["group:developers", "group:site"],
        ["role:deploy"],
    ]
    assert found["access"]["losses"][0]["lines"] == ["may no longer do kms:Decrypt"]
    styles = dict(text.plan_lines(view))
    assert styles["  gains: group developers, group site"] == "bold red"
    assert styles["  gains: role deploy (new)"] == "yellow"


def test_there_is_no_section_where_nothing_changes(later: PlanView) -> None:
    for render in (text.render, markdown.render, html.render):
        assert "who can do what once" not in render(later)
    assert json.loads(data.render(later))["access"] == {"gains": [], "losses": [], "gaps": []}


def test_many_are_counted_and_leave_room_for_the_rest(later: PlanView) -> None:
    many = tuple(shift("iam:CreateUser", f"group-{n:04}", through=f"role-{n:04}-{'x' * 90}") for n in range(2000))
    view = replace(later, access=Shifts(many, gaps=("a", *"bcdefgh")).changes)
    shown = [line for line, _ in text.plan_lines(view)]
    assert "  … and 1,992 more principals that gain (with -v, all are listed)" in shown
    assert "  … and 2 more gaps (with -v, all are listed)" in shown
    assert text.render(view).count("  gains: ") == 2000
    comment = markdown.render(view)
    assert len(comment.encode()) <= LIMIT
    rows = comment.count("| **gains** |")
    assert 50 < rows < 200
    rows += comment.count("| not known |")
    assert f"_{2008 - rows} more access changes left out: no room in a comment of GitHub's._" in comment
    assert all(heading in comment for heading in ("### Findings", "### Changes"))


def test_a_real_plan_names_who_gains_what(view_of: Any) -> None:
    plan_json = recorded("later")
    view = view_of(plan_json)
    outcome = parse_outcome(plan_json, ATTRIBUTION)
    facts = {"account_id": "123456789012", "partition": "aws", "home": HOME, "texts": managed_policies.text}
    shown = text.render(replace(view, access=shifts_of(view.plan, outcome, **facts).changes))
    assert (
        "  gains: group operators (new)\n      may newly do s3:GetObject on the log object, unless BoolIfExists "
        "aws:MultiFactorAuthPresent 'false'\n"
    ) in shown


def test_a_summary_says_how_many_gain_in_each_environment() -> None:
    hostile = Shifts((shift("iam:CreateUser", "| @octocat </details>\x1b[2J"),)).changes

    def one(name: str, number: int, access: AccessChanges) -> Any:
        return planned(plan(name, number, change("module.x.aws_x.this", "create", HOME), access=access.as_data()))

    quiet = [planned(plan(f"quiet-{n}", n, change("module.x.aws_x.this", "create", HOME))) for n in range(3)]
    loud = [one(f"loud-{n}", n + 10, CHANGES) for n in range(2)]
    summary = summarize([*quiet, *loud, one("odd", 20, hostile)])
    shown = fleet_text.render(summary)
    head = (
        "Who can do what changes in 3 environments loud-0 (3 principals gain, 1 principal loses), loud-1 (3 principals"
    )
    assert head in " ".join(shown.split())
    assert "gains group developers, group site\n" in shown
    assert "may newly do s3:DeleteBucket on the log bucket\n" in shown
    comment = fleet_markdown.render(summary)
    assert (
        "<details><summary><b>Who can do what changes in 3 environments</b></summary>\n\nEnvironments: loud-0 (3 p"
        in comment
    )
    assert "@octocat" not in comment and "| @" not in comment
    found = json.loads(fleet_json.render(summary))
    assert {one["environment"]: (one["gains"], one["losses"]) for one in found["environments"]} == {
        **{f"quiet-{n}": (0, 0) for n in range(3)},
        **{f"loud-{n}": (3, 1) for n in range(2)},
        "odd": (1, 0),
    }
    words = [one["action"] for one in found["entries"] if one["about"] == "access"]
    assert sorted(words) == ["gains", "gains", "gains", "loses", "unknown"]
    for known in FLEET_FORMATS.values():
        assert "\x1b" not in known.render(summary)


def test_numbers_of_many_environments_leave_room_for_the_rest() -> None:
    changed = change("module.x.aws_x.this", "create", HOME)
    access = CHANGES.as_data()
    summary = summarize(planned(plan(f"env-{n:04}", n, changed, access=access)) for n in range(500))
    comment = fleet_markdown.render(summary)
    assert len(comment.encode()) <= LIMIT
    named = len(re.findall(r"env-\d+ \(3 principals gain", comment))
    assert 0 < named < 200
    assert f"_{500 - named} more environments left out: no room in a comment of GitHub's._" in comment
    assert all(f"env-{n:04}," in comment for n in range(0, 500, 100))
