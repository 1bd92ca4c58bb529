"""A plan as JSON for scripts: docs/plan-report.schema.json, versioned.

New keys may be added; the version grows when one changes or goes.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from toolkit.documents import Document, document, is_document
from toolkit.findings.data import reported
from toolkit.plan.model import Action, Marker, Plan
from toolkit.reports.view import PlanView
from toolkit.visible import json_text


def render(view: PlanView) -> str:
    """The plan as JSON text."""
    return json_text(plan_data(view)) + "\n"


def recognises(text: str) -> bool:
    """Whether a text is such JSON."""
    return is_document("plan", text, "bundle")


def plan_data(view: PlanView) -> Document:
    """The plan as plain data."""
    plan = view.plan
    return document(
        "plan",
        {
            "bundle": str(view.bundle),
            **{k: v for k, v in dataclasses.asdict(view.manifest).items() if k not in ("format", "empty", "files")},
            "changes_pending": not plan.empty,
            "moves_home": view.moves_home,
            "summary": plan_summary(plan),
            "changes": [
                {
                    "address": c.address,
                    "type": c.type,
                    "action": c.action.value,
                    "component": c.component,
                    "region": c.region,
                    "imported": c.imported,
                    "previous_address": c.previous_address,
                    "attributes": [
                        {
                            "path": a.path,
                            "before": _plain(a.before),
                            "after": _plain(a.after),
                            "forces_replacement": a.forces_replacement,
                        }
                        for a in c.attributes
                    ],
                }
                for c in plan.changes
            ],
            "findings": [reported(f) for f in view.findings],
            "access": view.access.as_data(),
            "irreversible": [dataclasses.asdict(entry) for entry in view.irreversible],
            "refused": view.refused,
            "cost": {
                "currency": "USD",
                "period": "month",
                "as_of": view.estimate.as_of,
                "fixed": view.estimate.fixed_usd,
                "lines": [dataclasses.asdict(line) for line in view.estimate.lines],
            },
            "outputs": [{"name": o.name, "action": o.action.value} for o in plan.outputs],
        },
    )


def plan_summary(plan: Plan) -> dict[str, int]:
    """How many resources a plan creates, changes and so on; a replace counts in add, destroy and replace."""
    replaced = plan.count(Action.REPLACE)
    return {
        "add": plan.count(Action.CREATE) + replaced,
        "change": plan.count(Action.UPDATE),
        "destroy": plan.count(Action.DELETE) + replaced,
        "replace": replaced,
        "import": plan.imports,
        "forget": plan.count(Action.FORGET),
        "move": plan.count(Action.MOVE),
        "unchanged": plan.unchanged,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Marker):
        return value.value
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
