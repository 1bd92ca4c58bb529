"""What AWS does not take back stands in the text, the comment and the JSON of a plan."""

from __future__ import annotations

import json
from dataclasses import replace

from toolkit.plan.model import Action
from toolkit.reports import data, html, markdown, text
from toolkit.reports.text import plan_lines
from toolkit.reports.view import PlanView

SUMMARY = "Object Lock cannot be disabled for the bucket, nor its versioning suspended."


def locked(view: PlanView, count: int) -> PlanView:
    change = next(c for c in view.plan.changes if c.action is Action.CREATE)
    made = [
        replace(
            change,
            type="aws_s3_bucket_object_lock_configuration",
            address=f"module.cloudtrail.aws_s3_bucket_object_lock_configuration.this[{index}]",
            after={"bucket": "logs"},
        )
        for index in range(count)
    ]
    return replace(view, plan=replace(view.plan, changes=tuple(made)))


def test_each_report_marks_it(first: PlanView) -> None:
    view = locked(first, 1)
    address = "module.cloudtrail.aws_s3_bucket_object_lock_configuration.this[0]"
    (entry,) = json.loads(data.render(view))["irreversible"]
    assert (entry["address"], entry["summary"]) == (address, SUMMARY)
    shown = text.render(view)
    assert shown.index("Cannot be undone once applied:") < shown.index(SUMMARY)
    comment = markdown.render(view)
    assert "### Cannot be undone once applied" in comment
    assert SUMMARY in comment
    page = html.render(view)
    assert "Cannot be undone once applied</h2>" in page
    assert SUMMARY in page


def test_many_are_counted_in_the_terminal(first: PlanView) -> None:
    lines = [line for line, _ in plan_lines(locked(first, 50))]
    assert lines.count(f"  {SUMMARY}") == 1
    assert "      and 47 more" in lines


def test_a_plan_without_any_says_nothing(empty: PlanView) -> None:
    assert "Cannot be undone" not in text.render(empty) + markdown.render(empty) + html.render(empty)
    assert json.loads(data.render(empty))["irreversible"] == []
