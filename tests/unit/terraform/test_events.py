"""Lines as Terraform 1.11.4 printed them."""

from __future__ import annotations

import pytest

from toolkit.terraform import events
from toolkit.terraform.outcomes import Fold, Step

RESOURCE = (
    '{"addr":"terraform_data.a","module":"","resource":"terraform_data.a","implied_provider":"terraform",'
    '"resource_type":"terraform_data","resource_name":"a","resource_key":null}'
)
PLACED = (
    '{"@level":"error","@message":"Error: local-exec provisioner error","@module":"terraform.ui","diagnostic":'
    '{"severity":"error","summary":"local-exec provisioner error","detail":"Error running command","address":'
    '"terraform_data.slow","range":{"filename":"main.tf","start":{"line":6,"column":30,"byte":201},"end":{"line":6,'
    '"column":31,"byte":202}},"snippet":{"context":"resource \\"terraform_data\\" \\"slow\\"","code":"  provisioner '
    '\\"local-exec\\" {","start_line":6,"highlight_start_offset":29,"highlight_end_offset":30,"values":[]}},'
    '"type":"diagnostic"}'
)


def hook(kind: str, action: str, more: str = "", resource: str = RESOURCE) -> str:
    return (
        f'{{"@level":"info","@message":"m","hook":{{"resource":{resource},"action":"{action}"{more}}},"type":"{kind}"}}'
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f'{{"@message":"m","change":{{"resource":{RESOURCE},"action":"create"}},"type":"planned_change"}}',
            events.PlannedChange("terraform_data.a", "create", None, None, None),
        ),
        (
            f'{{"change":{{"resource":{RESOURCE},"action":"replace","reason":"cannot_update","previous_resource":'
            f'{{"addr":"terraform_data.old"}},"importing":{{"id":"x"}}}},"type":"planned_change"}}',
            events.PlannedChange("terraform_data.a", "replace", "cannot_update", "terraform_data.old", "x"),
        ),
        (
            f'{{"change":{{"resource":{RESOURCE},"action":"update"}},"type":"resource_drift"}}',
            events.Drift("terraform_data.a", "update"),
        ),
        (hook("apply_start", "create"), events.ApplyStart("terraform_data.a", "create")),
        (
            hook("apply_progress", "create", ',"elapsed_seconds":10'),
            events.ApplyProgress("terraform_data.a", "create", 10),
        ),
        (
            hook("apply_complete", "create", ',"id_key":"id","id_value":"7","elapsed_seconds":2'),
            events.ApplyComplete("terraform_data.a", "create", 2),
        ),
        (
            hook("apply_errored", "delete", ',"elapsed_seconds":1'),
            events.ApplyErrored("terraform_data.a", "delete", 1),
        ),
        (hook("refresh_start", "read"), events.RefreshStart("terraform_data.a")),
        (hook("refresh_complete", "read"), events.RefreshComplete("terraform_data.a")),
        (
            '{"changes":{"add":3,"change":1,"import":2,"remove":4,"operation":"plan"},"type":"change_summary"}',
            events.ChangeSummary("plan", 3, 1, 4, 2),
        ),
        (
            PLACED,
            events.DiagnosticEvent(
                events.Diagnostic(
                    "error",
                    "local-exec provisioner error",
                    "Error running command",
                    "terraform_data.slow",
                    "main.tf",
                    6,
                    'provisioner "local-exec" {',
                )
            ),
        ),
        ('{"@message":"Outputs: 1","outputs":{},"type":"outputs"}', events.Other("outputs", "Outputs: 1")),
        ("\x1b[33m│ Warning: Unable to open\x1b[0m", events.TextLine("│ Warning: Unable to open")),
        ("{broken", events.TextLine("{broken")),
        ('["a list"]', events.TextLine('["a list"]')),
        ('{"type":"apply_start"}', events.TextLine('{"type":"apply_start"}')),
    ],
)
def test_a_line_becomes_its_event(line: str, expected: events.Event) -> None:
    assert events.parse(line) == expected


def test_a_diagnostic_knows_its_place() -> None:
    placed = events.Diagnostic("error", "s", "", "a.b", "main.tf", 6, None)
    addressed = events.Diagnostic("error", "s", "", "a.b", None, None, None)

    assert placed.place == "main.tf:6"
    assert addressed.place == "a.b"


def test_a_replacement_is_two_steps_and_what_never_ended_is_unfinished() -> None:
    fold = Fold()
    for event in (
        events.ApplyStart("a.b", "delete"),
        events.ApplyComplete("a.b", "delete", 1),
        events.ApplyStart("a.b", "create"),
        events.ApplyStart("a.c", "create"),
        events.ApplyErrored("a.c", "create", 3),
    ):
        fold.add(event)
    outcome = fold.apply(seconds=5)

    assert outcome.completed == (Step("a.b", "delete", 1),)
    assert outcome.errored == (Step("a.c", "create", 3),)
    assert outcome.unfinished == (Step("a.b", "create", 0),)
    assert not outcome.finished
    assert outcome.describe() == "1 done, 1 failed, 1 unfinished"


def test_what_the_state_takes_in_is_counted() -> None:
    fold = Fold()
    assert fold.apply(seconds=1).imported == 0
    # A plan's summary counts what would be.
    fold.add(events.ChangeSummary("plan", 0, 0, 0, 5))
    assert fold.apply(seconds=1).imported == 0
    fold.add(events.ChangeSummary("apply", 1, 0, 0, 2))
    assert fold.apply(seconds=1).imported == 2


def test_a_repeated_diagnostic_counts_once() -> None:
    fold = Fold()
    for _ in range(2):
        fold.add(events.parse(PLACED))

    assert len(fold.diagnostics) == 1


def test_a_data_source_that_is_read_by_an_apply_is_no_step() -> None:
    fold = Fold()
    for event in (
        events.ApplyStart("data.aws_iam_policy_document.this", "read"),
        events.ApplyComplete("data.aws_iam_policy_document.this", "read", 1),
        events.ApplyStart("data.aws_caller_identity.this", "read"),
    ):
        fold.add(event)
    assert not fold.apply(seconds=1).begun
