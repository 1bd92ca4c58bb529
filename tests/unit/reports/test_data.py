"""The JSON report keeps to its published schema, and the schema tells every key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from toolkit.audit.registry import checks
from toolkit.findings import Severity, Status, rules
from toolkit.plan.model import Action
from toolkit.reports.data import render
from toolkit.reports.view import PlanView

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "plan-report.schema.json").read_text("utf-8"))


def closed(schema: Any) -> Any:
    """The schema with no room for keys that it does not tell."""
    if isinstance(schema, dict):
        inner = {k: closed(v) for k, v in schema.items()}
        return {**inner, "additionalProperties": False} if "properties" in schema else inner
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("name", ["first", "later", "wide", "empty"])
def test_reports_keep_to_the_schema(name: str, request: pytest.FixtureRequest) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    data = json.loads(render(request.getfixturevalue(name)))
    validator = Draft202012Validator(closed(SCHEMA), format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(data)] == []


def test_words_of_the_schema_are_those_of_the_code() -> None:
    assert set(SCHEMA["$defs"]["action"]["enum"]) == {a.value for a in Action}
    finding = SCHEMA["$defs"]["finding"]["properties"]
    of_checks, of_rules = finding["rule"]["anyOf"]
    assert set(of_rules["enum"]) == {r.id for r in rules()}
    assert all(re.search(of_checks["pattern"], check) for check in checks())
    assert set(finding["status"]["enum"]) == {s.value for s in Status}
    assert set(finding["severity"]["enum"]) == {s.value for s in Severity}


def test_facts_of_a_refused_plan(later: PlanView) -> None:
    data = json.loads(render(later))
    assert data["refused"] is True
    assert data["summary"] == {
        "add": 5,
        "change": 35,
        "destroy": 7,
        "replace": 0,
        "import": 0,
        "forget": 0,
        "move": 0,
        "unchanged": 43,
    }
    assert len(data["changes"]) == 47
    assert [f["blocks"] for f in data["findings"]] == [True] * 12
