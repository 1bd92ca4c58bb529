"""Drift in the terminal, on what real Terraform recorded (tests/plans/drift.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import worst_first
from toolkit.plan.drift import judge_drift
from toolkit.plan.model import Attribution, Change, parse_drift
from toolkit.reports.drift import Drift, drift_lines
from toolkit.terraform.outcomes import PlanOutcome

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
RECORDED = json.loads((Path(__file__).parents[2] / "plans" / "drift.json").read_text("utf-8"))


def text(changes: tuple[Change, ...], pending: PlanOutcome) -> str:
    drift = Drift(
        environment="prod",
        called="prod --sandbox",
        account_id="123456789012",
        simulator="moto",
        at="2026-11-30T06:00:00+00:00",
        state_serial=7,
        changes=changes,
        findings=worst_first(judge_drift(changes, REGISTRY, "prod --sandbox")),
        pending=pending,
        warnings=(),
    )
    return "\n".join(line for line, _ in drift_lines(drift))


def pending(add: int) -> PlanOutcome:
    return PlanOutcome(add > 0, add, 0, 0, 0, planned=(), drift=(), refreshed=9, diagnostics=(), seconds=1.0)


def test_what_differs_and_what_is_gone_is_told_apart_from_what_is_pending() -> None:
    told = text(parse_drift(RECORDED, ATTRIBUTION), pending(3))
    assert told.startswith("Drift of prod: account 123456789012 on the embedded AWS, as of 2026-11-30T06:00:00+00:00\n")
    assert "Changed outside of Terraform (as applied → as it is now): 5 differ from what was applied, 1 gone." in told
    assert "  differs  module.password_policy.aws_iam_account_password_policy.this\n" in told
    assert "        minimum_password_length: 14 → 8\n" in told
    assert "        weaker: minimum_password_length 14 → 8\n" in told
    attachment = 'module.iam_groups.aws_iam_group_policy_attachment.managed["auditors/SecurityAudit"]'
    assert f"iam_groups · eu-central-1\n  gone  {attachment}\n" in told
    assert told.endswith(
        "Other pending changes of the repository: 3 to add, 0 to change, 0 to destroy (`toolkit plan prod --sandbox` "
        "shows it, together with what would revert the drift)."
    )


@pytest.mark.parametrize("drifted", [True, False])
def test_where_nothing_is_pending(drifted: bool) -> None:
    told = text(parse_drift(RECORDED, ATTRIBUTION) if drifted else (), pending(0))
    last = told.splitlines()[-1]
    back = " `toolkit plan prod --sandbox` shows what would revert it." if drifted else ""
    assert last == f"The repository has no other pending changes.{back}"
    assert ("No drift: the account matches what was applied." in told) is not drifted
