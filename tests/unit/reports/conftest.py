"""Views of real plans: the first plan of the example for the embedded AWS, and a later one that weakens it.

Recorded with tests/plans/trim.py from the bundles of plans of the YAML beside each; what stays as it is has lost its
values.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding
from toolkit.findings.data import Record
from toolkit.plan.model import Attribution, parse_plan
from toolkit.reports.view import PlanView
from toolkit.terraform.bundle import Manifest

from .browsing import CHROMIUM

RECORDED = Path(__file__).parents[2] / "plans" / "reports"
HOME = "eu-central-1"
REGIONS = (
    *(HOME, "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    *("ca-central-1", "sa-east-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1"),
    *("ap-northeast-2", "ap-northeast-3"),
)
RECORDS = TypeAdapter(tuple[Record, ...])
ATTRIBUTION = Attribution(tuple(REGISTRY), REGIONS, HOME)


def manifest(**changes: Any) -> Manifest:
    facts: dict[str, Any] = json.loads((Path(__file__).parent / "manifest.json").read_text("utf-8"))
    return Manifest(**{**facts, "consents": (), **changes})


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


def viewed(data: dict[str, Any], findings: tuple[Finding, ...] = ()) -> PlanView:
    lines = {"components": 18, "password_policy": 19, "mfa_enforcement": 33}
    return PlanView(parse_plan(data, ATTRIBUTION), manifest(), Path("plan.tfbundle"), findings, lines)


@pytest.fixture
def view_of() -> Callable[..., PlanView]:
    """Plan JSON and findings → view."""
    return viewed


@pytest.fixture
def first() -> PlanView:
    """Everything is created."""
    return viewed(recorded("first"))


@pytest.fixture
def later_data() -> Any:
    """The plan JSON of `later`."""
    return recorded("later")


@pytest.fixture
def later() -> PlanView:
    """GuardDuty goes, three settings become weaker, a tag is added everywhere, a group comes; twelve findings."""
    records = RECORDS.validate_json((RECORDED / "later.findings.json").read_bytes())
    return viewed(recorded("later"), tuple(record.finding for record in records))


@pytest.fixture
def wide() -> PlanView:
    """The first plan with its regional module calls in 17 regions."""
    data = recorded("first")
    regional = [e for e in data["resource_changes"] if "_eu_central_1." in e["address"]]
    for region in REGIONS[1:]:
        for entry in regional:
            text = json.dumps(entry).replace("_eu_central_1", f"_{region.replace('-', '_')}").replace(HOME, region)
            data["resource_changes"].append(json.loads(text))
    return viewed(data)


@pytest.fixture
def empty() -> PlanView:
    """Nothing to do."""
    data = copy.deepcopy(recorded("later"))
    data["resource_changes"] = [e for e in data["resource_changes"] if e["change"]["actions"] == ["no-op"]]
    return viewed({**data, "output_changes": {}})


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM.WHERE is None:
        pytest.skip(CHROMIUM.ABSENT)
    with CHROMIUM.Browser() as browser:
        yield browser
