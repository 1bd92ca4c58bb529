"""Coverage of an environment is that of the plan that is made for it, of which nothing is kept."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from toolkit.controls.coverage import Status
from toolkit.environment import load_text
from toolkit.workflows.coverage import chosen, coverage_of_environment
from toolkit.workflows.workspace import Workspace

from .conftest import House

PLANS = Path(__file__).parents[2] / "plans" / "components"


class Terraform:
    """Plans what is recorded."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @contextlib.contextmanager
    def with_one_provider(self) -> Iterator[None]:
        yield

    def plan(self, out: Path) -> None:
        out.write_text("a plan")
        self.asked.append("plan")

    def show(self, plan: Path) -> dict[str, Any]:
        assert plan.read_text() == "a plan"
        self.asked.append("show")
        found: dict[str, Any] = json.loads((PLANS / "core.json").read_text("utf-8"))
        return found


def test_it_is_that_of_a_plan_that_is_not_kept(house: House, tmp_path: Path) -> None:
    terraform, scratch = Terraform(), tmp_path / "scratch"
    scratch.mkdir()
    environment = load_text((PLANS / "core.yaml").read_text("utf-8"), name="core", shown_as="core")
    workspace = SimpleNamespace(runner=terraform, scratch=scratch, environment=environment)
    view = coverage_of_environment(cast(Workspace, workspace), house, chosen(["cis-7.0"]))
    assert terraform.asked == ["plan", "show"]
    assert house.told == ["Planning core", "Reading the plan"]
    assert [path.name for path in scratch.iterdir() if path.is_dir()] == []
    said = {verdict.requirement: (verdict.status, verdict.why) for verdict in view.coverage.verdicts}
    assert said["2.9"] == (Status.PROVISIONED, "password_policy")
    assert said["2.18"] == (Status.UNCOVERED, "the component access_analyzer is off")
