"""Records what drift detection reads of a plan with drift: `trim_drift.py PROJECT ENV > drift.json`.

Of the configuration it keeps the names of arguments alone, of the changes those that do something, and of each value
only the attributes that differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from toolkit.paths import Project
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access, open_workspace


def names(module: dict[str, Any]) -> dict[str, Any]:
    """The configuration's modules and resources, their arguments emptied."""
    return {
        "resources": [
            {"address": r["address"], "expressions": {argument: {} for argument in r.get("expressions", {})}}
            for r in module.get("resources", ())
            if r["mode"] == "managed"
        ],
        "module_calls": {
            label: {"module": names(call["module"])} for label, call in module.get("module_calls", {}).items()
        },
    }


def differing(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose values are cut down to the attributes that differ."""
    change = entry["change"]
    before, after = change["before"] or {}, change["after"] or {}
    keys = [k for k in {**before, **after} if before.get(k) != after.get(k)] if before and after else ["id"]
    cut = {**change, "before_sensitive": {}, "after_sensitive": {}}
    for side in ("before", "after"):
        cut[side] = {k: change[side].get(k) for k in keys} if change[side] else None
    return {k: entry[k] for k in ("address", "mode", "type", "name")} | {"change": cut}


workspace = open_workspace(Project.find(Path(sys.argv[1])), sys.argv[2], Access(), Observer())
file = workspace.scratch / "record.tfplan"
workspace.runner.plan(file)
plan = workspace.runner.show(file)
file.unlink()
json.dump(
    {
        "format_version": plan["format_version"],
        "terraform_version": plan["terraform_version"],
        "configuration": {"root_module": names(plan["configuration"]["root_module"])},
        "resource_changes": [differing(e) for e in plan["resource_changes"] if e["change"]["actions"] != ["no-op"]],
        "resource_drift": [differing(e) for e in plan["resource_drift"] if e["mode"] == "managed"],
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
    sort_keys=True,
)
sys.stdout.write("\n")
