"""What holds for every component: each piece exists, none is orphaned, settings are the module's variables.

Adding a component to the registry puts it under all of these.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.base import Component
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Claim, claims, requirement_ids
from toolkit.environment import load_text
from toolkit.rendering.render import ModuleCall, render

REPOSITORY = Path(__file__).parents[2]
MODULES = REPOSITORY / "modules"
COMPONENTS = [pytest.param(c, id=c.name) for c in REGISTRY.values()]
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}\n', re.M | re.S)


def folders(component: Component) -> list[Path]:
    """A component's module and the modules nested in it."""
    return sorted({f.parent for f in (MODULES / component.name).rglob("variables.tf")})


def variables(folder: Path) -> dict[str, str]:
    """Variable name → text of its block."""
    text = "\n".join(f.read_text("utf-8") for f in sorted(folder.glob("variables*.tf")))
    return dict(_VARIABLE.findall(text))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_piece_exists(component: Component):
    module = MODULES / component.name
    for piece in ("variables.tf", "outputs.tf", "versions.tf", "controls.yaml", "README.md", "tests"):
        assert (module / piece).exists(), f"modules/{component.name}/{piece}"
    assert (REPOSITORY / "templates" / "components" / f"{component.name}.tf.j2").exists()
    assert (REPOSITORY / "toolkit" / "components" / f"{component.name}.py").exists()
    assert (REPOSITORY / "tests" / "unit" / "components" / f"test_{component.name}.py").exists()


def test_nothing_is_orphaned():
    assert {p.name for p in MODULES.iterdir()} - {"shared"} == set(REGISTRY)
    templates = (REPOSITORY / "templates" / "components").glob("*.tf.j2")
    assert {t.name.removesuffix(".tf.j2") for t in templates} == set(REGISTRY)


def test_whatever_is_required_comes_earlier():
    names = list(REGISTRY)
    for component in REGISTRY.values():
        for need in component.requires:
            assert names.index(need) < names.index(component.name)


@pytest.mark.parametrize("component", COMPONENTS)
def test_settings_are_the_modules_variables(component: Component):
    known = {name for folder in folders(component) for name in variables(folder)}
    settings = set(component.settings.model_fields)
    assert settings <= known, f"no variable: {settings - known}"
    assert known - settings == set(component.derived), "a variable is a setting or stands in `derived`"


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_setting_and_variable_is_described(component: Component):
    def check(model: Any) -> None:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.endswith("."), f"{model.__name__}.{name}"

    check(component.settings)
    for folder in folders(component):
        for name, block in variables(folder).items():
            assert re.search(r'^  description\s+= (".+\."|<<)', block, re.M), f"{folder.name}: {name}"
            assert re.search(r"^  type\s+= ", block, re.M), f"{folder.name}: {name}"


@pytest.fixture(scope="session")
def module_defaults(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """(component, variable) → its default with every optional() filled in, as Terraform itself evaluates it."""
    root = tmp_path_factory.mktemp("defaults")
    calls, outputs = [], []
    for component in REGISTRY.values():
        for number, folder in enumerate(folders(component)):
            copied = root / f"{component.name}_{number}"
            copied.mkdir()
            blocks = {n: b for n, b in variables(folder).items() if re.search(r"^  default\s+= ", b, re.M)}
            # Validations that look at other variables, which are left out here, would fail.
            text = "".join(f'variable "{n}" {{\n{_without_validation(b)}}}\n' for n, b in blocks.items())
            values = "".join(f"    {n} = var.{n}\n" for n in blocks)
            (copied / "main.tf").write_text(f'{text}output "values" {{\n  value = {{\n{values}  }}\n}}\n')
            calls.append(f'module "{copied.name}" {{\n  source = "./{copied.name}"\n}}\n')
            outputs.append(f"    {copied.name} = module.{copied.name}.values\n")
    (root / "main.tf").write_text("".join(calls) + 'output "all" {\n  value = {\n' + "".join(outputs) + "  }\n}\n")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false"), ("output", "-json")):
        done = subprocess.run(
            ["terraform", *arguments], cwd=root, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    found: dict[tuple[str, str], Any] = {}
    for label, values in json.loads(done.stdout)["all"]["value"].items():
        name = label.rsplit("_", 1)[0]
        for variable, value in values.items():
            found.setdefault((name, variable), value)
            assert found[name, variable] == value, f"{name}: modules disagree on the default of {variable}"
    return found


def _without_validation(block: str) -> str:
    return re.sub(r"^  validation \{\n.*?^  \}\n", "", block, flags=re.M | re.S)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(v, theirs[k]) for k, v in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return bool(ours == theirs)


@pytest.mark.terraform
@pytest.mark.parametrize("component", COMPONENTS)
def test_defaults_are_the_modules_own(component: Component, module_defaults: dict[tuple[str, str], Any]):
    required = [n for n, f in component.settings.model_fields.items() if f.is_required()]
    if required:
        pytest.skip(f"has no defaults: {required} must be given")
    settings = json.loads(component.settings().model_dump_json())
    for name, value in settings.items():
        if (component.name, name) in module_defaults:
            theirs = module_defaults[component.name, name]
            assert _same(value, theirs), f"{name}: {value} in the settings, {theirs} in the module"


def all_claims() -> list[Any]:
    return [
        pytest.param(component, claim, id=f"{component.name}-{claim.topic}-{number}")
        for component in REGISTRY.values()
        for number, claim in enumerate(claims(component.name))
    ]


@pytest.mark.parametrize(("component", "claim"), all_claims())
def test_a_claim_names_a_resource_and_a_setting_that_exist(component: Component, claim: Claim):
    *path, resource, name = re.sub(r"\[.*?\]", "", claim.resource).split(".")
    texts = [f.read_text("utf-8") for f in MODULES.rglob("*.tf")] if path else [
        f.read_text("utf-8") for folder in folders(component) for f in folder.glob("*.tf")
    ]  # fmt: skip
    assert any(f'resource "{resource}" "{name}"' in text for text in texts), claim.resource
    if claim.setting is not None:
        value: Any = json.loads(component.settings.model_construct().model_dump_json())
        for step in claim.setting.split("."):
            assert step in value, f"{claim.setting} is no setting"
            value = value[step]


WEAK: dict[str, Any] = {
    "at_least": 0,
    "at_most": 10**9,
    "equals": "something else",
    "between": 10**9,
    "one_of": -1,
    "contains": [],
}


@pytest.mark.parametrize(
    ("component", "claim"), [p for p in all_claims() if p.values[1].setting and p.values[1].expect]
)
def test_a_claim_vanishes_when_its_setting_is_weakened(component: Component, claim: Claim):
    """The comment in rendered HCL never claims a requirement that the value beside it does not meet."""
    ids = requirement_ids((claim.topic,))
    if not ids:
        pytest.skip("of no framework that comments name")
    call = ModuleCall(component, component.name, "x", "aws", (claim,))
    value: Any = claim.expect.get("equals", claim.expect.get("at_least", claim.expect.get("at_most")))
    for operator in ("one_of", "between"):
        if operator in claim.expect:
            value = claim.expect[operator][0]
    if "contains" in claim.expect:
        value = [claim.expect["contains"]]
    good: Any = value
    (operator,) = claim.expect
    bad = (not value) if isinstance(value, bool) else WEAK[operator]
    for step in reversed(str(claim.setting).split(".")):
        good, bad = {step: good}, {step: bad}
    assert f"Controls: {ids}" in call.arguments(good)
    assert "Controls" not in call.arguments(bad)


def test_an_empty_block_of_everything_renders():
    blocks = "".join(f"  {name}: {{}}\n" for name, c in REGISTRY.items() if not _has_required(c))
    regions = "regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}"
    text = f'account_id: "123456789012"\n{regions}\ncomponents:\n{blocks}'
    tree = render(load_text(text, name="x", shown_as="x"))
    assert len(tree) >= len(REGISTRY)
    assert copy.copy(tree) == render(load_text(text, name="x", shown_as="x"))


def _has_required(component: Component) -> bool:
    return any(f.is_required() for f in component.settings.model_fields.values())
