"""What an earlier release has applied is moved to its new addresses; little of it changes, and nothing is replaced.

tests/upgrades/0.1.0/state.json is what 0.1.0 applied of the environment.yaml there on the embedded AWS (see record.py).
Planned with `-refresh=false`: what is configured against that state alone, so no resource has to exist. What was
planned is kept (tests/kept.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kept import Kept, rendered
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.plan.guards import judge
from toolkit.plan.model import Action, parse_plan
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


NAMES = (TOPIC, "a-name-of-its-own")
CHANGED = [
    f"update module.cloudtrail.module.{bucket}.aws_s3_bucket_policy.this"
    for bucket in ("access_log_bucket", "log_bucket")
]
"""What is newer: the policies of log buckets refuse changes through access points."""


def settings(name: str) -> str:
    """The recorded environment.yaml, with that name of Trusted Advisor's topic."""
    data = yaml.safe_load((RELEASED / "environment.yaml").read_text("utf-8"))
    data["components"]["trusted_advisor"]["name"] = name
    return str(yaml.safe_dump(data))


KEPT = Kept(
    "upgraded",
    files=(
        "modules",
        "tests/conftest.py",
        "tests/warm.py",
        "tests/warm_client.py",
        "tests/integration/test_upgrade.py",
        "tests/upgrades/0.1.0",
    ),
    without=("README.md", "tests"),
    toolkit=("controls", "plan", "sandbox"),
    more=lambda: {f"{name}, rendered": rendered("released", settings(name)) for name in NAMES},
)


def plans(project: Path, sandbox: control.Sandbox, terraform_binary: Path) -> dict[str, Any]:
    """Name of the topic → what today's modules plan for the recorded environment."""
    shutil.copytree(ROOT / "modules", project / "modules", ignore=shutil.ignore_patterns("tests", ".terraform*"))
    folder = project / "environments" / "released"
    target, scratch = folder / "rendered", folder / ".toolkit"
    target.mkdir(parents=True)
    base = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    environ = control.child_environ(sandbox, base)
    environ |= mirror.cli_config(None, environ, scratch)
    runner = Runner(target, binary=find_binary(str(terraform_binary), environ), scratch=scratch, environ=environ)
    found = {}
    for name in NAMES:
        environment = load_text(settings(name), name="released", shown_as="environment.yaml")
        for file, text in render(environment).items():
            (target / file).write_text(text)
        (folder / "terraform.tfstate").write_text((RELEASED / "state.json").read_text("utf-8").replace(TOPIC, name))
        if not (scratch / "terraform").exists():
            runner.init()
        runner.plan(folder / "plan", refresh=False)
        plan = parse_plan(runner.show(folder / "plan"), attribution(environment))
        found[name] = {
            "changed": [f"{c.action.value} {c.address}" for c in plan.changes if c.action is not Action.MOVE],
            "outputs": [str(output) for output in plan.outputs],
            "all": plan.unchanged + len(plan.changes),
            "moved from": sorted(str(c.previous_address) for c in plan.changes if c.action is Action.MOVE),
            "blocked by": [f.summary for f in judge(plan, REGISTRY, {}, {}) if f.blocks],
        }
    return found


@pytest.fixture(scope="module")
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    needed = ("sandbox", "terraform_binary")
    return KEPT.facts(
        lambda: plans(tmp_path_factory.mktemp("upgraded"), *(request.getfixturevalue(name) for name in needed))
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_was_applied_is_moved_and_little_else(upgraded: Any, name: str):
    plan = upgraded[name]
    assert plan["changed"] == CHANGED
    assert plan["outputs"] == []
    state = json.loads((RELEASED / "state.json").read_text("utf-8"))
    assert plan["all"] == sum(len(r["instances"]) for r in state["resources"])
    assert set(plan["moved from"]) == {
        address.replace(TOPIC, name)
        for address in instances(state)
        if re.search(r"\.aws_(sns_topic\w*|kms_(?:alias|key)\.topic)\b", address)
    }
    assert plan["blocked by"] == []


def instances(state: dict[str, Any]) -> list[str]:
    """Addresses of everything in a state."""
    found = []
    for resource in state["resources"]:
        address = f"{resource['module']}.{resource['type']}.{resource['name']}"
        for instance in resource["instances"]:
            key = instance.get("index_key")
            found.append(address if key is None else f"{address}[{json.dumps(key)}]")
    return found
