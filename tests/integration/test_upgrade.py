"""What an earlier release has applied is moved to its new addresses; nothing of it changes, is replaced or destroyed.

tests/upgrades/0.1.0/state.json is what 0.1.0 applied of the environment.yaml there on the embedded AWS (see record.py).
Planned with `-refresh=false`: what is configured against that state alone, so no resource has to exist.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.plan.guards import judge
from toolkit.plan.model import Action, Plan, parse_plan
from toolkit.rendering.render import render
from toolkit.sandbox import control
from toolkit.terraform import mirror
from toolkit.terraform.binary import find_binary
from toolkit.terraform.runner import Runner
from toolkit.workflows.workspace import attribution

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "tests" / "upgrades" / "0.1.0"
TOPIC = "baseline-trusted-advisor"
"""Name of a topic that was in addresses: the module moves this one, the rendered file any other."""


@pytest.fixture(scope="module")
def upgraded(
    tmp_path_factory: pytest.TempPathFactory, sandbox: control.Sandbox, terraform_binary: Path
) -> Callable[[str], Plan]:
    """Plans the recorded environment with today's modules; gets the name of Trusted Advisor's topic."""
    project = tmp_path_factory.mktemp("upgraded")
    shutil.copytree(ROOT / "modules", project / "modules", ignore=shutil.ignore_patterns("tests", ".terraform*"))
    folder = project / "environments" / "released"
    rendered, scratch = folder / "rendered", folder / ".toolkit"
    rendered.mkdir(parents=True)
    base = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    environ = control.child_environ(sandbox, base)
    environ |= mirror.cli_config(None, environ, scratch)
    runner = Runner(rendered, binary=find_binary(str(terraform_binary), environ), scratch=scratch, environ=environ)

    def plan(name: str) -> Plan:
        settings = yaml.safe_load((RELEASED / "environment.yaml").read_text("utf-8"))
        settings["components"]["trusted_advisor"]["name"] = name
        environment = load_text(yaml.safe_dump(settings), name="released", shown_as="environment.yaml")
        for file, text in render(environment).items():
            (rendered / file).write_text(text)
        (folder / "terraform.tfstate").write_text((RELEASED / "state.json").read_text("utf-8").replace(TOPIC, name))
        if not (scratch / "terraform").exists():
            runner.init()
        runner.plan(folder / "plan", refresh=False)
        return parse_plan(runner.show(folder / "plan"), attribution(environment))

    return plan


@pytest.mark.parametrize("name", [TOPIC, "a-name-of-its-own"])
def test_what_was_applied_is_moved_and_nothing_else(upgraded: Callable[[str], Plan], name: str):
    plan = upgraded(name)
    assert [f"{c.action.value} {c.address}" for c in plan.changes if c.action is not Action.MOVE] == []
    assert plan.outputs == ()
    state = json.loads((RELEASED / "state.json").read_text("utf-8"))
    assert plan.unchanged + len(plan.changes) == sum(len(r["instances"]) for r in state["resources"])
    assert {c.previous_address for c in plan.changes} == {
        address.replace(TOPIC, name)
        for address in instances(state)
        if re.search(r"\.aws_(sns_topic\w*|kms_(?:alias|key)\.topic)\b", address)
    }
    assert [f for f in judge(plan, REGISTRY, {}, {}) if f.blocks] == []


def instances(state: dict[str, Any]) -> list[str]:
    """Addresses of everything in a state."""
    found = []
    for resource in state["resources"]:
        address = f"{resource['module']}.{resource['type']}.{resource['name']}"
        for instance in resource["instances"]:
            key = instance.get("index_key")
            found.append(address if key is None else f"{address}[{json.dumps(key)}]")
    return found
