"""What version 6 of the AWS provider accepts, by its schema: Terraform validates, tests and plans everything with it.

Schema, not behaviour: provider.py says what is not proven by this. What Terraform found of the HCL is kept
(tests/kept.py); what the toolkit's commands do with version 6 is tried each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kept import Kept, rendered
from tests.modules.test_examples import validate, write_root
from tests.modules.test_modules import (
    HELPERS,
    MODULES,
    Results,
    results,  # noqa: F401 (a fixture)
    terraform,
)
from tests.provider5.record import newer, newer_modules
from toolkit.versions import TERRAFORM

pytestmark = pytest.mark.terraform

REPOSITORY = Path(__file__).parents[2]
RECORDED = REPOSITORY / "tests" / "plans" / "components"
NEWER = REPOSITORY / "tests" / "golden" / "provider6" / "environment.yaml"
"""With every setting that needs version 6; what it plans beyond the others is recorded, for the tests of guards."""
ENVIRONMENTS = sorted(f.parent.name for f in (REPOSITORY / "environments").glob("*/environment.yaml"))
ACCEPTED = "~> 6.0"
PROVIDER = tuple(f"tests/provider6/{name}" for name in ("conftest.py", "provider.py", "schema.json.gz"))
OWN = (*PROVIDER, *HELPERS, "tests/modules/test_examples.py", "tests/provider6/test_terraform.py")
KEPT, TESTED = Kept("provider6_modules", files=("modules", *OWN), without=("README.md",)), MODULES
EXAMPLES = Kept("provider6_examples", files=("modules", *OWN, "tests/modules/test_examples.py"), without=("tests",))


def texts() -> dict[str, str]:
    """Environment → its file, with version 6: those of the repository, and two whose plans are recorded."""
    files = {name: REPOSITORY / "environments" / name / "environment.yaml" for name in ENVIRONMENTS}
    found = {}
    for name, file in {**files, "recorded": RECORDED / "core.yaml", "newer": NEWER}.items():
        data = yaml.safe_load(file.read_text("utf-8"))
        data.setdefault("terraform", {})["aws_provider_version"] = ACCEPTED
        found[name] = yaml.safe_dump(data, sort_keys=False)
    return found


PLANNED = Kept(
    "provider6_plans",
    files=("environments", "modules", "tests/golden/provider6/rendered", "tests/plans/components/core.json", *OWN),
    without=("README.md", "tests"),
    more=lambda: {f"{name}, rendered": rendered(name, text) for name, text in texts().items()},
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_module(module: Path, results: Results):  # noqa: F811
    results.check(module)


def test_examples_of_every_module_are_valid(tmp_path: Path, request: pytest.FixtureRequest):
    def run() -> str:
        write_root(tmp_path, MODULES)
        return validate(tmp_path, request.getfixturevalue("environ"))

    assert EXAMPLES.facts(run) == "Success! The configuration is valid."


def refused(text: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Why Terraform refuses a configuration."""
    (folder / "main.tf").write_text(text, encoding="utf-8")
    subprocess.run(["terraform", "init", "-input=false"], cwd=folder, env=environ, check=True, capture_output=True)
    command = ["terraform", "validate", "-json"]
    done = subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)
    (found,) = json.loads(done.stdout)["diagnostics"]
    return f"{found['range']['start']['line']}: {found['summary']}: {found['detail']}"


REMOVED = """\
resource "aws_flow_log" "this" {
  traffic_type   = "ALL"
  log_group_name = "flow-logs"
}
"""
UNKNOWN = """\
resource "aws_iam_group" "this" {
  name = "x"
}

output "arn" {
  value = aws_iam_group.this.region
}
"""
INDEX = """\
resource "aws_guardduty_detector_feature" "this" {
  detector_id = "x"
  name        = "RUNTIME_MONITORING"
  status      = "ENABLED"

  additional_configuration {
    name   = "EKS_ADDON_MANAGEMENT"
    status = "ENABLED"
  }
}

output "first" {
  value = aws_guardduty_detector_feature.this.additional_configuration[0].name
}
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (REMOVED, '3: Unsupported argument: An argument named "log_group_name" is not expected here.'),
        (UNKNOWN, "6: Unsupported attribute: This object has no argument, nested block, or exported attribute named"),
        (
            INDEX,
            '13: Cannot index a set value: Block type "additional_configuration" is represented by a set of objects',
        ),
    ],
    ids=["an attribute that 6 removed", "an attribute that 6 does not have", "a set index"],
)
def test_what_version_6_does_not_accept_is_refused(text: str, why: str, tmp_path: Path, environ: dict[str, str]):
    assert refused(text, tmp_path, environ).startswith(why)


@pytest.fixture(scope="module")
def project(new_project: Callable[..., Any], mirror: Path) -> Any:
    """On version 6: every environment of the repository, and one whose plan with version 5 is recorded."""
    cli = new_project(*ENVIRONMENTS)
    cli.environ["TOOLKIT_PROVIDER_MIRROR"] = str(mirror)
    for name, text in texts().items():
        cli.write(name, text)
        # It names version 5.
        (cli.root / "environments" / name / "rendered" / ".terraform.lock.hcl").unlink(missing_ok=True)
    cli.run("render")
    return cli


def planned(rendered: Path, environ: dict[str, str]) -> dict[str, Any]:
    """The plan of a root module for an account that has nothing, and no backend."""
    (rendered / "backend.tf").unlink()
    terraform(rendered, environ, "init", "-input=false")
    terraform(rendered, environ, "plan", "-input=false", "-out=plan")
    found: dict[str, Any] = json.loads(terraform(rendered, environ, "show", "-json", "plan"))
    return found


class Plans(dict[str, dict[str, Any]]):
    """Environment → its plan, made in a copy when it is first looked at."""

    def __init__(self, root: Path, environ: dict[str, str]) -> None:
        super().__init__()
        self.root, self.environ = root, environ

    def __missing__(self, name: str) -> dict[str, Any]:
        self[name] = planned(self.root / "environments" / name / "rendered", self.environ)
        return self[name]


@pytest.fixture(scope="module")
def plans(project: Any, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Plans:
    root = tmp_path_factory.mktemp("planned") / "project"
    shutil.copytree(project.root, root)
    return Plans(root, environ)


def test_a_newer_terraform_plans_the_same(
    newest_terraform: Path, project: Any, plans: Plans, environ: dict[str, str], tmp_path: Path
):
    root = tmp_path / "project"
    shutil.copytree(project.root, root)
    newer = environ | {"PATH": f"{newest_terraform}{os.pathsep}{environ['PATH']}"}
    plan = planned(root / "environments" / "small" / "rendered", newer)
    assert plan["terraform_version"] == TERRAFORM.highest
    assert plans["small"]["terraform_version"] != TERRAFORM.highest
    mine, theirs = (
        {c["address"]: (c["change"]["actions"], c["change"].get("after")) for c in found["resource_changes"]}
        for found in (plan, plans["small"])
    )
    assert mine == theirs


def known_to_both(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path and values where both plans know one; a set has any order, and version 6 has more attributes."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() & other.keys():
            yield from known_to_both(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(_sorted(one), _sorted(other), strict=True)):
            yield from known_to_both(mine, theirs, f"{path}[{index}]")
    elif one is not None and other is not None:
        yield path, _document(one), _document(other)


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def _document(value: Any) -> Any:
    """What a text of JSON says, whatever its spaces."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError):  # a filter pattern begins so, too
            return json.loads(value)
    return value


def labels_of_newer() -> set[str]:
    """Module calls of modules for version 6 alone."""
    files = sorted((NEWER.parent / "rendered").glob("*.tf"))
    text = "\n".join(file.read_text("utf-8") for file in files)
    calls = re.finditer(r"^module \"(\w+)\" \{\n  source = \"\S+/modules/(\S+)\"", text, re.M)
    return {call[1] for call in calls if REPOSITORY / "modules" / call[2] in newer_modules()}


def compared(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the real version 5 plans, recorded, and what version 6 does: resources, values, policies among them."""
    five = {c["address"]: c for c in json.loads((RECORDED / "core.json").read_text("utf-8"))["resource_changes"]}
    six = {c["address"]: c for c in plan["resource_changes"] if c["mode"] == "managed"}
    both = [
        (f"{address}{path}", mine, theirs)
        for address in sorted(five.keys() & six.keys())
        for path, mine, theirs in known_to_both(five[address]["change"]["after"], six[address]["change"]["after"])
    ]
    return {
        "of one version alone": sorted(five.keys() ^ six.keys()),
        "other": [entry for entry in both if entry[1] != entry[2]],
        "values": len(both),
        "policies": len([path for path, value, _ in both if path.endswith("policy") and isinstance(value, dict)]),
    }


def summary(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the test looks at of an environment's plan."""
    changes = [c for c in plan["resource_changes"] if c["mode"] == "managed"]
    return {
        "errored": plan["errored"],
        "changes": len(changes),
        "actions": sorted({"+".join(c["change"]["actions"]) for c in changes}),
        "regions": sorted({c["change"]["after"]["region"] for c in changes if "region" in c["change"]["after"]}),
    }


@pytest.fixture(scope="module")
def facts(request: pytest.FixtureRequest) -> Any:
    """Of every plan."""

    def run() -> dict[str, Any]:
        plans = request.getfixturevalue("plans")
        newest = [
            {key: value for key, value in change.items() if key != "provider_name"}
            for change in plans["newer"]["resource_changes"]
            if change["mode"] == "managed" and change["address"].split(".")[1] in labels_of_newer()
        ]
        environments = {name: summary(plans[name]) for name in ENVIRONMENTS}
        return {"newer": newest, "environments": environments, "compared": compared(plans["recorded"])}

    return PLANNED.facts(run)


def test_what_needs_version_6_plans_as_recorded(facts: Any):
    """`UPDATE_RECORDED=1` writes the file, which tests of guards read: no real provider plans these resources here."""
    entries = facts["newer"]
    assert {entry["type"] for entry in entries} >= newer()
    kept = {"format_version": "1.2", "output_changes": {}, "resource_changes": entries, "terraform_version": "1.11.4"}
    text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    file = RECORDED / "provider6.json"
    if os.environ.get("UPDATE_RECORDED"):
        file.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_plans(environment: str, facts: Any):
    plan = facts["environments"][environment]
    assert plan["errored"] is False
    assert plan["changes"] > 20
    assert plan["actions"] == ["create"]
    # As the provider's documentation says of version 6: most resources name their region.
    regions = set(plan["regions"])
    data = yaml.safe_load((REPOSITORY / "environments" / environment / "environment.yaml").read_text("utf-8"))
    assert data["regions"]["home"] in regions
    assert regions <= {data["regions"]["home"], "us-east-1", *data["regions"].get("active", [])}


def test_both_versions_plan_the_same(facts: Any):
    found = facts["compared"]
    assert (found["of one version alone"], found["other"]) == ([], [])
    assert found["values"] > 400
    assert found["policies"] > 10


@pytest.fixture(scope="module")
def both(project: Any) -> Any:
    """The project, where `production` has version 6 and `five` is the same with the real version 5."""
    data = yaml.safe_load(project.file("production").read_text("utf-8"))
    del data["terraform"]
    project.write("five", yaml.safe_dump(data, sort_keys=False))
    project.run("sandbox", "up", "--account-id", data["account_id"])
    yield project
    project.run("sandbox", "down")


@pytest.mark.simulator
def test_the_toolkit_plans_with_it(both: Any):
    """Lock file, plan, verdicts: the CLI from end to end, its account read from the embedded AWS."""
    plan = both.json("plan", "production", "--sandbox")
    assert plan["findings"] == []
    assert {c["action"] for c in plan["changes"]} == {"create"}
    lock = both.root / "environments" / "production" / "rendered" / ".terraform.lock.hcl"
    assert 'version     = "6.' in lock.read_text("utf-8")


@pytest.mark.simulator
def test_verdicts_on_an_account_that_has_things_are_those_of_version_5(both: Any):
    """`region` on most resources, and sets that were lists, change nothing in what the guards find."""
    both.client("iam").update_account_password_policy(MinimumPasswordLength=20)
    both.client("guardduty").create_detector(Enable=True)
    both.client("config").put_configuration_recorder(
        ConfigurationRecorder={
            "name": "theirs",
            "roleARN": "arn:aws:iam::444455556666:role/config",
            "recordingGroup": {"allSupported": True},
        }
    )
    six = both.json("plan", "production", "--sandbox", exits=4)
    real = {k: v for k, v in both.environ.items() if k != "TOOLKIT_PROVIDER_MIRROR"}
    five = json.loads(both.run("plan", "five", "--sandbox", "--json", exits=4, environ=real).stdout)
    assert {f["rule"] for f in six["findings"]} == {"collides", "weakens"}
    assert six["findings"] == five["findings"]
    changes = [{(c["address"], c["action"]) for c in plan["changes"]} for plan in (six, five)]
    assert changes[0] == changes[1]
