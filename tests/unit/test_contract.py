"""What holds for every component: each piece exists, none is orphaned, settings are the module's variables.

Adding a component to the registry puts it under all of these.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_origin

import boto3
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from toolkit.audit.registry import checks
from toolkit.components.base import PROFILES, SECURITY_EMAIL, Component, NewerProvider, Role, Scope
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import (
    DEFAULT_FRAMEWORK,
    Claim,
    claims,
    frameworks,
    requirement_ids,
    requirements,
    topics,
)
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.model import TerraformSettings
from toolkit.errors import ToolkitError
from toolkit.plan.existing import is_read
from toolkit.plan.guards import judge
from toolkit.plan.model import parse_plan
from toolkit.regions import GLOBAL_REGION, PARTITION, PARTITION_OF, TRIED_PARTITIONS
from toolkit.releases import EXCLUDED
from toolkit.rendering import hcl
from toolkit.rendering.render import ModuleCall, render
from toolkit.resources.registry import RESOURCES
from toolkit.settings.base import Settings
from toolkit.versions import MODULES_ADMIT
from toolkit.workflows.workspace import attribution

REPOSITORY = Path(__file__).parents[2]
MODULES = REPOSITORY / "modules"
COMPONENTS = [pytest.param(c, id=c.name) for c in REGISTRY.values()]
REGIONS = "regions: {home: eu-central-1, active: [eu-central-1, us-east-1]}"
SAMPLES = sorted((REPOSITORY / "tests" / "plans" / "components").glob("*.yaml"))
"""Environments with everything switched on, from which real plans were recorded."""
COMPLETE = REPOSITORY / "environments" / "complete" / "environment.yaml"
"""The example that has every component; where no other sample has one, its plan was recorded from the block here."""
NEWER = REPOSITORY / "tests" / "golden" / "provider6" / "environment.yaml"
"""An environment with every setting that needs a newer AWS provider than 5.100."""
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}\n', re.M | re.S)


def folders(component: Component) -> Sequence[Path]:
    """A component's module and the modules nested in it."""
    return _folders(component.name)


@cache
def _folders(name: str) -> Sequence[Path]:
    return sorted({f.parent for f in (MODULES / name).rglob("variables.tf")})


@cache
def variables(folder: Path) -> Mapping[str, str]:
    """Variable name → text of its block."""
    text = "\n".join(f.read_text("utf-8") for f in sorted(folder.glob("variables*.tf")))
    return dict(_VARIABLE.findall(text))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_piece_exists(component: Component):
    module = MODULES / component.name
    for piece in ("variables.tf", "outputs.tf", "versions.tf", "controls.yaml", "README.md", "tests"):
        assert (module / piece).exists(), f"modules/{component.name}/{piece}"
    assert (REPOSITORY / "templates" / "components" / f"{component.name}.tf.j2").exists()
    assert (REPOSITORY / "tests" / "unit" / "components" / f"test_{component.name}.py").exists()


def test_nothing_is_orphaned():
    assert {p.name for p in MODULES.iterdir()} - {"shared"} == set(REGISTRY)
    templates = (REPOSITORY / "templates" / "components").glob("*.tf.j2")
    assert {t.name.removesuffix(".tf.j2") for t in templates} == set(REGISTRY)


def test_the_complete_example_switches_everything_on():
    """README says so, and tells from it how far each component was tried."""
    assert set(yaml.safe_load(COMPLETE.read_text("utf-8"))["components"]) == set(REGISTRY)


def test_no_history_of_audits_is_in_the_repository():
    """The documentation's folder for one, relative to where a test happens to run."""
    assert not (REPOSITORY / "audits").exists()


_RESOURCE = re.compile(r'^resource "(\w+)"', re.M)


def test_nothing_of_a_scaffold_is_left_to_do():
    """scripts/component.py writes TODO wherever a person must decide."""
    folders = ("modules", "toolkit", "templates", "environments", "tests/unit/components", "tests/plans/components")
    files = [f for folder in folders for f in sorted((REPOSITORY / folder).rglob("*")) if f.is_file()]
    left = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for file in (*files, REPOSITORY / "CHANGELOG.md", REPOSITORY / "README.md")
        if file.suffix in (".py", ".tf", ".hcl", ".md", ".yaml", ".j2", ".json") and ".terraform" not in file.parts
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if re.search(r"\bTODO\b", line)
    ]
    assert not left, "\n".join(left)


def test_whatever_is_made_is_looked_for_first():
    """A create that is not looked for may overwrite something stronger that the account has, without a word."""
    made = {kind for file in MODULES.rglob("*.tf") for kind in _RESOURCE.findall(file.read_text("utf-8"))}
    declared = {protected.resource for component in REGISTRY.values() for protected in component.protects}
    assert declared <= made, "declared, but no module makes it"
    without = {kind for kind in made if not is_read(kind) and RESOURCES[kind].unread is None}
    assert not without, "a reading in the type's record, or a reason in `unread` there"
    assert not {kind for kind in RESOURCES if is_read(kind) and RESOURCES[kind].unread is not None}


@pytest.mark.parametrize("component", COMPONENTS)
def test_whoever_is_told_goes_on_being_told(component: Component):
    """Taking people out of a topic's subscribers blinds them like deleting it."""
    text = "\n".join(file.read_text("utf-8") for file in (MODULES / component.name).rglob("*.tf"))
    if "aws_sns_topic_subscription" in _RESOURCE.findall(text):
        assert "aws_sns_topic_subscription" in {protection.resource for protection in component.protects}


def test_whatever_is_required_comes_earlier():
    names = list(REGISTRY)
    for component in REGISTRY.values():
        for need in (*component.requires, *(need for _, need in component.requires_with)):
            assert names.index(need) < names.index(component.name)
        assert {setting for setting, _ in component.requires_with} <= set(component.settings.model_fields)


@pytest.mark.parametrize("component", COMPONENTS)
def test_settings_are_the_modules_variables(component: Component):
    known = {name for folder in folders(component) for name in variables(folder)}
    settings = set(component.settings.model_fields) - set(component.composed)
    assert set(component.composed) <= set(component.settings.model_fields)
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
    text = []
    named: dict[str, tuple[str, str]] = {}
    for component in REGISTRY.values():
        for number, folder in enumerate(folders(component)):
            for name, block in variables(folder).items():
                if re.search(r"^  default\s+= ", block, re.M):
                    label = f"{component.name}_{number}_{name}"
                    named[label] = component.name, name
                    # Validations that look at other variables would fail.
                    text.append(f'variable "{label}" {{\n{_without_validation(block)}}}\n')
                    # In a list: an output that is null itself would be left out.
                    text.append(f'output "{label}" {{\n  value = [var.{label}]\n}}\n')
    (root / "main.tf").write_text("".join(text))
    found: dict[tuple[str, str], Any] = {}
    for label, output in _applied(root).items():
        (value,) = output["value"]
        assert found.setdefault(named[label], value) == value, f"{label}: modules disagree on the default"
    return found


def _applied(root: Path) -> dict[str, Any]:
    """The outputs of a configuration that has neither modules nor providers."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    for arguments in (("apply", "-auto-approve", "-input=false"), ("output", "-json")):
        done = subprocess.run(
            ["terraform", *arguments], cwd=root, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
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
    for name, field in component.settings.model_fields.items():
        if name in component.composed:
            continue
        ours_required = field.is_required()
        assert ours_required == ((component.name, name) not in module_defaults), f"{name}: required in one of the two"
        if not ours_required:
            value = json.loads(TypeAdapter(Any).dump_json(field.get_default(call_default_factory=True)))
            theirs = module_defaults[component.name, name]
            assert _same(value, theirs), f"{name}: {value} in the settings, {theirs} in the module"


def skeleton(annotation: Any) -> Any:
    """A value of a setting's type with nothing in it that has a default, but a block wherever one can be."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        fields = annotation.model_fields.items()
        return {n: skeleton(f.annotation) for n, f in fields if f.is_required() or has_blocks(f.annotation)}
    if origin is typing.Annotated:
        return skeleton(arguments[0])
    if origin is typing.Literal:
        return arguments[0]
    if origin is dict:
        return {"key": skeleton(arguments[1])}
    if origin is tuple:
        return [skeleton(arguments[0])]
    if origin is not None:
        return skeleton(next(a for a in arguments if a is not type(None)))
    return {str: "x", int: 1, float: 1, bool: True}[annotation]


def filled(annotation: Any, value: Any) -> Any:
    """The value with the settings' own defaults in every block of it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return {
            n: filled(f.annotation, value[n])
            if n in value
            else json.loads(TypeAdapter(Any).dump_json(f.get_default(call_default_factory=True)))
            for n, f in annotation.model_fields.items()
        }
    if origin is typing.Annotated:
        return filled(arguments[0], value)
    if origin is dict:
        return {k: filled(arguments[1], v) for k, v in value.items()}
    if origin is tuple:
        return [filled(arguments[0], v) for v in value]
    if origin is not None and origin is not typing.Literal:
        return filled(next(a for a in arguments if a is not type(None)), value)
    return value


def has_blocks(annotation: Any) -> bool:
    """Whether blocks of settings stand somewhere in a setting of this type."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return True
    return any(map(has_blocks, get_args(annotation)))


@pytest.mark.terraform
def test_blocks_inside_of_settings_have_the_modules_attributes_and_defaults(tmp_path: Path):
    """Entries of maps and lists, and optional blocks: Terraform fills in what a skeleton of each leaves out."""
    wanted: dict[str, Any] = {}
    text = []
    for component in REGISTRY.values():
        for name, field in component.settings.model_fields.items():
            if not has_blocks(field.annotation):
                continue
            value = skeleton(field.annotation)
            for number, folder in enumerate(folders(component)):
                block = variables(folder).get(name)
                if block is None:
                    continue
                label = f"{component.name}_{number}_{name}"
                wanted[label] = filled(field.annotation, value)
                (declared,) = re.findall(r"^  type\s+= (.*?)(?=^  \w+\s+=|^  validation|\Z|^\n)", block, re.M | re.S)
                text.append(f'variable "{label}" {{\n  type = {declared}\n  default = {hcl.literal(value, 2)}\n}}\n')
                text.append(f'output "{label}" {{\n  value = var.{label}\n}}\n')
    assert len(wanted) >= 8
    (tmp_path / "main.tf").write_text("".join(text))
    for label, entry in _applied(tmp_path).items():
        assert _same(wanted[label], entry["value"]), (
            f"{label}: {wanted[label]} in settings, {entry['value']} in Terraform"
        )


@cache
def module_files() -> Mapping[Path, str]:
    """Every file of every module → its text."""
    return {file: file.read_text("utf-8") for file in MODULES.rglob("*.tf")}


def all_claims() -> list[Any]:
    return [
        pytest.param(component, claim, id=f"{component.name}-{claim.topic}-{number}")
        for component in REGISTRY.values()
        for number, claim in enumerate(claims(component.name))
    ]


@pytest.mark.parametrize(("component", "claim"), all_claims())
def test_a_claim_names_a_resource_and_a_setting_that_exist(component: Component, claim: Claim):
    *path, resource, name = re.sub(r"\[.*?\]", "", claim.resource).split(".")
    files = [file for file in module_files() if path or file.parent in folders(component)]
    assert any(f'resource "{resource}" "{name}"' in module_files()[file] for file in files), claim.resource
    if claim.setting is not None:
        models: Any = [component.settings]
        for step in claim.setting.split("."):
            fields = [model.model_fields[step] for model in models if step in model.model_fields]
            assert fields, f"{claim.setting} is no setting"
            models = [model for field in fields for model in _models(field.annotation)]


def _models(annotation: Any) -> list[Any]:
    """The settings classes in an annotation such as `Contact | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]


WEAK: dict[str, Any] = {
    "at_least": 0,
    "at_most": 10**9,
    "equals": "something else",
    "between": 10**9,
    "one_of": -1,
    "contains": [],
    "not_empty": {},
}


SHOWN = [p for p in all_claims() if p.values[1].setting and requirement_ids((p.values[1].topic,))]
"""Claims that a comment beside a setting makes."""


ALWAYS = [p for p in all_claims() if not p.values[1].setting and requirement_ids((p.values[1].topic,))]
"""Claims that a comment above a module call makes."""
ALWAYS_GIVEN = {
    "aws_s3_bucket_logging.this": "log_bucket logs access wherever it is given a bucket for it, as cloudtrail does"
}


@pytest.mark.parametrize(("component", "claim"), ALWAYS)
def test_what_is_claimed_with_every_setting_is_there_with_every_setting(component: Component, claim: Claim):
    kind, name = re.sub(r"\[.*?\]", "", claim.resource).split(".")[-2:]
    text = "\n".join(
        f.read_text("utf-8") for folder in (component.name, "shared") for f in (MODULES / folder).rglob("*.tf")
    )
    (block,) = re.findall(rf'^resource "{kind}" "{name}" \{{\n(.*?)^\}}', text, re.M | re.S)
    may_lack = re.search(r"^  (count|for_each) +=", block, re.M)
    assert not may_lack or f"{kind}.{name}" in ALWAYS_GIVEN, "name the setting that it depends on"


NOT_BY_DEFAULT = {
    "cloudtrail.data_events": "billed by use",
    "account_contacts.primary.phone_number": "only the owner knows it",
    "iam_roles.support.managed_policies": "only the owner knows who opens support cases",
    "organization.delegated_administrators": "only the owner knows which accounts administer services",
    "root_protection.enabled_features": "the management account of an organization alone can enable them",
}
"""Settings without which a requirement of the default framework is not met, and why an empty block leaves them out.

docs/controls.md names them, too.
"""


def test_an_empty_block_meets_what_the_component_serves_of_the_default_framework():
    own = {topic.name for topic in topics() if topic.requirements.get(DEFAULT_FRAMEWORK)}
    unmet = set()
    for component in REGISTRY.values():
        default = json.loads(component.settings.model_construct().model_dump_json())
        for claim in claims(component.name):
            if claim.setting and claim.topic in own:
                value: Any = default
                for step in claim.setting.split("."):
                    value = value.get(step) if isinstance(value, dict) else None
                if not claim.met_by(value):
                    unmet.add(f"{component.name}.{claim.setting}")
    assert unmet == set(NOT_BY_DEFAULT)


@pytest.mark.parametrize(("component", "claim"), SHOWN)
def test_a_claim_vanishes_when_its_setting_is_weakened(component: Component, claim: Claim):
    """The comment in rendered HCL never claims a requirement that the value beside it does not meet."""
    ids = requirement_ids((claim.topic,))
    call = ModuleCall(component, component.name, "x", "aws", (claim,))
    value: Any = claim.expect.get("equals", claim.expect.get("at_least", claim.expect.get("at_most")))
    for operator in ("one_of", "between"):
        if operator in claim.expect:
            value = claim.expect[operator][0]
    if "contains" in claim.expect:
        value = [claim.expect["contains"]]
    if "not_empty" in claim.expect:
        value = ["something"]
    good: Any = value
    (operator,) = claim.expect
    bad = (not value) if isinstance(value, bool) else WEAK[operator]
    for step in reversed(str(claim.setting).split(".")):
        good, bad = {step: good}, {step: bad}
    assert f"Controls: {ids}" in call.arguments(good)
    assert "Controls" not in call.arguments(bad)


@cache
def _components(file: Path) -> Mapping[str, Any]:
    """The blocks of an environment file."""
    found: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))["components"]
    return found


def _samples(component: Component) -> list[dict[str, Any]]:
    """The component's blocks in the samples; where none has it, the one of the complete example. Not to be changed."""
    found = [_components(file).get(component.name) or {} for file in SAMPLES]
    return found if any(found) else [_components(COMPLETE)[component.name]]


def _required(component: Component) -> Mapping[str, Any]:
    """What a component has no defaults for, as a sample gives it."""
    return _required_of(component.name)


@cache
def _required_of(name: str) -> Mapping[str, Any]:
    component = REGISTRY[name]
    names = [n for n, f in component.settings.model_fields.items() if f.is_required()]
    samples = _samples(component)
    found = {one: s[one] for s in samples for one in names if one in s}
    assert set(found) == set(names), f"no sample in tests/plans/components gives {component.name}'s {names}"
    try:
        component.settings.model_validate(found)
    except ValidationError:
        # One of several optional blocks must be there: as a sample has it.
        assert not component.profiles, f"{component.name}: an empty block must do, or `toolkit new` must leave it off"
        return next(s for s in samples if s)
    return found


def _needs(component: Component) -> list[str]:
    """What the component needs, and what that needs, in the registry's order."""
    direct = {*component.requires, *(need for _, need in component.requires_with)}
    needs = direct.union(*(_needs(REGISTRY[name]) for name in direct))
    return [name for name in REGISTRY if name in needs]


def _minimal(component: Component, settings: dict[str, Any]) -> Environment:
    """An environment with the component, and what it needs, in two regions."""
    blocks: dict[str, Any] = {n: _required(REGISTRY[n]) for n in (*_needs(component), component.name)}
    blocks[component.name] = {**blocks[component.name], **settings}
    text = f'account_id: "123456789012"\n{REGIONS}\ncomponents: {json.dumps(blocks)}\n'
    return load_text(text, name="x", shown_as="x")


def _candidates(value: Any, claim: Claim) -> list[Any]:
    """Values near the one that the claim is about; the component's own bounds say which of them there are."""
    if isinstance(value, bool):
        return [True, False]
    wanted = [w for given in claim.expect.values() for w in (given if isinstance(given, list) else [given])]
    near = [n + d for n in wanted if isinstance(n, int) for d in (-1, 0, 1)]
    words = [w for w in wanted if isinstance(w, str)]
    return [*near, *words, "ENABLED", "DISABLED", [], words, None, value]


def _ids(comment: str) -> set[tuple[str, str]]:
    """ "CIS 7.0 4.8, 4.9; FSBP KMS.4" → {("CIS 7.0", "4.8"), …}."""
    found = set()
    for part in comment.split("; "):
        framework, first = part.split(", ")[0].rsplit(" ", 1)
        found |= {(framework, i) for i in (first, *part.split(", ")[1:])}
    return found


def _blocks(component: Component, path: list[str], values: list[Any]) -> Iterator[dict[str, Any]]:
    """Components' blocks with a setting at each value: by itself, and in what samples give beside it; and left out."""
    samples = _samples(component)
    around: list[dict[str, Any]] = [{}, *({path[0]: s[path[0]]} for s in samples if s.get(path[0]) is not None)]
    yield from ({path[0]: value} for value in (None, *(block[path[0]] for block in around[1:])))
    for value in values:
        for block in around:
            here = copied = copy.deepcopy(block)
            for step in path[:-1]:
                here = here.setdefault(step, {})
            here[path[-1]] = value
            yield copied


@pytest.mark.parametrize(("component", "claim"), SHOWN)
def test_rendered_files_claim_exactly_what_their_settings_meet(component: Component, claim: Claim):
    """The same through environment file and template: with every value near the wanted one that the settings take."""
    path = str(claim.setting).split(".")
    default: Any = json.loads(component.settings.model_construct().model_dump_json())
    for step in path:
        default = default.get(step) if isinstance(default, dict) else None
    wanted = _ids(requirement_ids((claim.topic,)))
    met = []
    for block in _blocks(component, path, _candidates(default, claim)):
        try:
            environment = _minimal(component, block)
        except ToolkitError:
            continue  # not a value that the setting takes
        (enabled,) = [e for e in environment.components if e.component is component]
        effective: Any = enabled.settings.model_dump(mode="json")
        for step in path:
            effective = effective[step] if effective is not None else None
        text = render(environment)[f"{component.name}.tf"]
        # Directly above the line of the setting, possibly among the ids of other topics.
        comments = re.findall(rf"^ *# Controls: (.*)\n *{path[-1]} += ", text, re.M)
        claimed = any(wanted <= _ids(comment) for comment in comments)
        assert claimed == claim.met_by(effective), block
        met.append(claimed)
    assert set(met) == {True, False}, "both must have been tried"


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_module_call_belongs_to_its_component(component: Component):
    """Labels are what plans are attributed by: a label of another component's would be counted as its change."""
    environment = _minimal(component, {})
    text = render(environment)[f"{component.name}.tf"]
    labels = re.findall(r'^module "(\w+)" \{$', text, re.M)
    assert labels
    assert len(labels) == len(set(labels))
    for label in labels:
        owner, region = attribution(environment).of(f"module.{label}.aws_x.y")
        assert owner == component.name, label
        away = label.endswith("_us_east_1")
        assert region == ("us-east-1" if away else "eu-central-1")
        (call,) = re.findall(rf'^module "{label}" \{{\n(.*?)^\}}', text, re.M | re.S)
        assert ("aws = aws.us_east_1" in call) == away, f"{label} is in another region than it says"


def test_what_is_claimed_of_an_attribute_is_an_attribute():
    """Of the resource's planned values, in real plans of everything switched on (tests/plans/components)."""
    planned: dict[tuple[str, str], list[Any]] = {}
    for file in sorted((REPOSITORY / "tests" / "plans" / "components").glob("*.json")):
        for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
            label, rest = entry["address"].split(".", 2)[1:]
            # A claim names all instances of a resource, or one of them by its key.
            for address in {rest, re.sub(r"\[.*?\]", "", rest)}:
                planned.setdefault((label, address), []).append(entry["change"]["after"])
    for component in REGISTRY.values():
        for claim in claims(component.name):
            found = [
                values
                for (label, rest), all_values in planned.items()
                if rest == claim.resource and (label == component.name or label.startswith(f"{component.name}_"))
                for values in all_values
            ]
            assert found, f"{component.name}: {claim.resource} is in no recorded plan"
            if claim.attribute is not None:
                assert any(_has(values, claim.attribute.split(".")) for values in found), f"{claim.attribute}"


def _has(values: Any, path: list[str]) -> bool:
    """Whether the dotted path leads somewhere; lists on the way stand for each of their entries."""
    if not path:
        return True
    if isinstance(values, list):
        return any(_has(v, path) for v in values)
    return isinstance(values, dict) and path[0] in values and _has(values[path[0]], path[1:])


def test_an_empty_block_of_everything_renders():
    blocks = {name: _required(component) for name, component in REGISTRY.items()}
    text = f'account_id: "123456789012"\n{REGIONS}\ncomponents: {json.dumps(blocks)}\n'
    tree = render(load_text(text, name="x", shown_as="x"))
    assert {f"{name}.tf" for name in REGISTRY} <= set(tree)
    assert tree == render(load_text(text, name="x", shown_as="x"))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_s_blocks_are_settings(profile: str):
    for component in REGISTRY.values():
        if profile in component.profiles:
            block = {**_required(component), **component.profiles[profile]}
            filled = json.loads(json.dumps(block).replace(SECURITY_EMAIL, "security@example.com"))
            assert component.settings.model_validate(filled)
    assert set(PROFILES) >= {name for c in REGISTRY.values() for name in c.profiles}


def test_a_stricter_profile_has_every_component_of_a_laxer_one():
    for laxer, stricter in pairwise(PROFILES):
        for component in REGISTRY.values():
            assert laxer not in component.profiles or stricter in component.profiles, component.name


def test_what_the_embedded_aws_lacks_is_a_resource_of_the_component():
    for component in REGISTRY.values():
        text = "".join(f.read_text("utf-8") for f in (REPOSITORY / "modules" / component.name).rglob("*.tf"))
        for resource in component.left_out:
            assert f'resource "{resource}"' in text, f"{component.name}: {resource}"


@pytest.mark.parametrize("component", COMPONENTS)
def test_where_a_service_is_not_offered_is_what_botocore_knows(component: Component):
    service = {"macie": "macie2", "inspector": "inspector2", "security_hub": "securityhub", "config": "config"}.get(
        component.name, component.name.replace("access_analyzer", "accessanalyzer")
    )
    session = boto3.Session()
    if service not in session.get_available_services() or component.scope is not Scope.EVERY_REGION:
        assert component.absent_in == ()
        return
    offered = {r for p in session.get_available_partitions() for r in session.get_available_regions(service, p)}
    tried = {region for region, partition in PARTITION_OF.items() if partition in TRIED_PARTITIONS}
    assert set(component.absent_in) == tried - offered


def test_the_registry_has_every_component_under_its_modules_name():
    """It names them without importing them."""
    assert [component.name for component in REGISTRY.values()] == list(REGISTRY)
    # A component of several files is a folder. Whatever is shared by components is in toolkit/settings.
    files = [f for f in (REPOSITORY / "toolkit" / "components").iterdir() if not f.name.startswith("__")]
    assert {f.stem for f in files} == {"base", "registry", *REGISTRY}
    for name in REGISTRY:
        assert import_module(f"toolkit.components.{name}").COMPONENT is REGISTRY[name]
    with pytest.raises(KeyError):
        REGISTRY["base"]


def test_components_that_an_environment_does_not_use_are_not_imported():
    code = (
        "import sys; from pathlib import Path; from toolkit.environment import load_environment;"
        "load_environment(Path('environments/small/environment.yaml'), name='small');"
        "print(*sorted(m.rsplit('.')[-1] for m in sys.modules if m.startswith('toolkit.components.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {"shield", "firewall_manager", "organization", "iam_roles"} & set(done.stdout.split())


SHARED_ROOMS = ("aws", "cli", "controls", "environment", "plan", "rendering", "reports", "terraform", "workflows")
_CLIENT = re.compile(r'\b(call|client|pages)\(\s*"\w+"')
"""Names a service of AWS, which may be called like a component."""


@pytest.mark.parametrize("folder", SHARED_ROOMS)
def test_no_component_is_named_where_all_are_treated_alike(folder: str):
    """Adding one touches its own files, the registry, and tables that are keyed by Terraform's types."""
    # The word is Terraform's own, too.
    names = "|".join(name for name in REGISTRY if name != "config")
    for file in (REPOSITORY / "toolkit" / folder).rglob("*.py"):
        text = _CLIENT.sub("", file.read_text("utf-8"))
        assert re.findall(rf'["\']({names})["\']', text) == [], file
        imported = re.findall(rf"^\s*(?:from|import) toolkit\.components\.({names}|config)\b", text, re.M)
        assert imported == [], file


def test_a_role_is_played_by_one_component():
    for role in Role:
        assert len([c.name for c in REGISTRY.values() if role in c.roles]) == 1, role
    assert len([c.name for c in REGISTRY.values() if c.organization_policies]) == 1
    for component in REGISTRY.values():
        text = "\n".join(f.read_text("utf-8") for f in (MODULES / component.name).rglob("*.tf"))
        for made in component.roles.values():
            name = made.name or r"\w+"
            assert re.search(rf'^resource "{made.resource}" "{name}"', text, re.M), component.name


def test_no_module_asks_the_provider_for_facts_of_its_region():
    """A region that is newer than the provider is accepted: data.aws_service knows it, this data source fails."""
    files = [f for f in MODULES.rglob("*.tf") if ".terraform" not in f.parts]
    assert files
    assert [f for f in files if 'data "aws_region"' in f.read_text("utf-8")] == []


def test_no_module_and_no_environment_admits_the_terraform_that_drops_imports():
    """Nor another release that is refused."""
    files = sorted((REPOSITORY / "modules").rglob("versions.tf"))
    assert len(files) > len(REGISTRY)
    assert [str(f) for f in files if EXCLUDED not in f.read_text("utf-8")] == []
    assert EXCLUDED in TerraformSettings().required_version


NEEDED = [
    pytest.param(component, needed, id=f"{component.name}-{needed.setting}")
    for component in REGISTRY.values()
    for needed in component.newer_provider
]


def _sources(environment: Environment) -> set[str]:
    return {s for text in render(environment).values() for s in re.findall(r'^  source = "([^"]+)"', text, re.M)}


def test_every_module_admits_version_5_but_those_of_settings_that_need_a_newer_provider():
    apart = {MODULES / c.name / n.module: f">= {n.version}, < 7" for c in REGISTRY.values() for n in c.newer_provider}
    assert apart
    for file in MODULES.rglob("versions.tf"):
        (admitted,) = re.findall(r'version\s+= "(.*)"$', file.read_text("utf-8").split("required_providers")[1], re.M)
        assert admitted == apart.pop(file.parent, MODULES_ADMIT), file
    assert apart == {}, "no such module"


@pytest.mark.parametrize(("component", "needed"), NEEDED)
def test_a_module_for_a_newer_provider_is_called_only_where_its_setting_is_used(
    component: Component, needed: NewerProvider
):
    source = f"../../../modules/{component.name}/{needed.module}"
    data = yaml.safe_load(NEWER.read_text("utf-8"))
    assert source in _sources(load_text(json.dumps(data), name="x", shown_as="x"))
    *steps, last = needed.setting.split(".")
    block = data["components"][component.name]
    for step in steps:
        block = block[step]
    # With the same provider: it is the setting that decides.
    del block[last]
    assert source not in _sources(load_text(json.dumps(data), name="x", shown_as="x"))


@pytest.mark.parametrize(("component", "needed"), NEEDED)
@pytest.mark.parametrize(
    ("constraint", "why", "expected"),
    [
        (None, '"~> 5.100" admits versions below 6', '`aws_provider_version: "~> 6.0"` under `terraform`'),
        (">= 5.100, < 7", '">= 5.100, < 7" admits versions below 6', '"~> 6.0"` under `terraform` (line '),
        ("< 7", '"< 7" admits versions below 6', '"~> 6.0"` under `terraform` (line '),
        ("~> 6.1.0", '"~> 6.1.0" admits none', '"~> {version}"` under `terraform` (line '),
        ("6.2.1", '"6.2.1" admits none', '"~> {version}"` under `terraform` (line '),
    ],
)
def test_a_setting_for_a_newer_provider_is_refused_where_an_older_one_is_admitted(
    component: Component, needed: NewerProvider, constraint: str | None, why: str, expected: str
):
    text = NEWER.read_text("utf-8")
    replaced = f'aws_provider_version: "{constraint}"' if constraint else "max_retries: 5"
    text = text.replace('aws_provider_version: "~> 6.0"', replaced)
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text, name="x", shown_as="x")
    path = f"components.{component.name}.{needed.setting}"
    (problem,) = [p for p in caught.value.problems if p.path == path]
    assert text.splitlines()[problem.line - 1].strip().startswith(f"{needed.setting.rsplit('.')[-1]}:")
    assert problem.problem == f"needs version {needed.version} or a later one of the AWS provider, and {why}"
    assert expected.format(version=needed.version) in problem.expected
    assert len(caught.value.problems) == len(NEEDED)


@pytest.mark.parametrize("name", ["cis-3.0", "cis-5.0", "cis-6.0", "cis-7.0"])
def test_no_requirement_of_cis_is_silent(name: str):
    """Each topic of each is checked on an account, or attested by a person: a check of the audit says which."""
    (framework,) = [one for one in frameworks() if one.name == name]
    answered = {topic for check in checks().values() for topic in (check.id, *check.topics)}
    silent = {
        requirement: lacking
        for requirement, on in requirements(framework)
        if (lacking := [topic.name for topic in on if topic.name not in answered])
    }
    assert silent == {}


@pytest.mark.parametrize(("component", "needed"), NEEDED)
def test_what_a_setting_with_a_module_of_its_own_made_is_kept_by_that_setting(
    component: Component, needed: NewerProvider
):
    """Also where the plan deletes it, `released` names it, or the account has it: the component itself is still on."""
    environment = load_text(NEWER.read_text("utf-8"), name="x", shown_as="x")
    source = f"../../../modules/{component.name}/{needed.module}"
    rendered = "\n".join(render(environment).values())
    labels = re.findall(rf'^module "([^"]+)" {{\n  source = "{re.escape(source)}"', rendered, re.M)
    texts = "\n".join(f.read_text("utf-8") for f in (MODULES / component.name / needed.module).glob("*.tf"))
    made = [(kind, name) for kind, name in re.findall(r'^resource "([^"]+)" "([^"]+)"', texts, re.M)]
    assert labels and made
    for label, (kind, name) in ((label, one) for label in labels for one in made):
        for actions, released in ((["delete"], frozenset[str]()), (["forget"], frozenset({label}))):
            address = f"module.{label}.{kind}.{name}"
            entry = {"address": address, "mode": "managed", "type": kind, "name": name}
            entry["change"] = {"actions": actions, "before": {}, "after": None}
            plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution(environment))
            (found,) = judge(plan, REGISTRY, {}, {}, released=released)
            assert f"`components.{component.name}.{needed.setting}`" in found.remedy


ARNS = """
account_id: "123456789012"
regions: {home: us-east-1}
credentials: {assume_role: {role_arn: "arn:aws:iam::123456789012:role/baseline"}}
components:
  config: {bucket: {kms_key_arn: "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}
  account_defaults:
    budgets: {monthly: {limit_usd: 10, sns_topic_arn: "arn:aws:sns:us-east-1:123456789012:costs"}}
    default_vpc_flow_logs:
      destination: s3
      bucket_arn: "arn:aws:s3:::example-flow-logs/default-vpc"
  trusted_advisor: {topic_arn: "arn:aws:sns:us-east-1:123456789012:alerts"}
  firewall_manager:
    policies:
      web:
        waf:
          log_destination_arn: "arn:aws:s3:::aws-waf-logs-example"
  iam_groups:
    groups:
      own:
        managed_policies:
          - "arn:aws:iam::aws:policy/ReadOnlyAccess"
          - "arn:aws:iam::123456789012:policy/own"
"""
"""Settings that are ARNs, but for those in the examples."""
WITH_ARNS = {
    "here": ARNS,
    **{
        f.parent.name: f.read_text("utf-8") for f in (COMPLETE, REPOSITORY / "tests/golden/everything/environment.yaml")
    },
    **{
        f.stem: text
        for f in SAMPLES
        if re.search(r"^(?! *(?:#|input_parameters)).*arn:aws:", text := f.read_text("utf-8"), re.M)
    },
}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        *(pytest.param(ARNS, wrong, id=wrong) for wrong in ("awsgov", "aws--", "aws-govcloud", "aws-isob", "AWS")),
        *(pytest.param(text, "aws-usgov", id=name) for name, text in WITH_ARNS.items()),
    ],
)
def test_a_misspelt_partition_in_an_arn_is_refused(text: str, wrong: str):
    """At its line, with its value: AWS would refuse it in the middle of an apply."""
    # What a rule of Config takes is that rule's business.
    kept = [line for line in text.splitlines() if not line.strip().startswith(("#", "input_parameters"))]
    expected = {number for number, line in enumerate(kept, 1) if "arn:aws:" in line}
    assert expected
    misspelt = "\n".join(kept).replace("arn:aws:", f"arn:{wrong}:")
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(misspelt, name="x", shown_as="x")
    told = {problem.line for problem in caught.value.problems if f"arn:{wrong}:" in problem.problem}
    assert expected - told == set()


_PATTERN = re.compile(r"""(?:regex\(|re\.compile\(|checked\()\s*[rf]*["']\^?[^"']*?arn:([^"'\n]*)""")


def test_every_pattern_of_an_arn_has_the_partitions_that_the_sdk_knows():
    """One text for all; only modules spell it out, as they cannot import it."""
    assert [name for name in GLOBAL_REGION if re.fullmatch(PARTITION, name)] == list(GLOBAL_REGION)
    rooms = [
        *(REPOSITORY / "toolkit" / "components").rglob("*.py"),
        *(REPOSITORY / "toolkit" / "settings").glob("*.py"),
    ]
    rooms += [REPOSITORY / "toolkit" / "environment" / "model.py", *MODULES.rglob("*.tf")]
    found = [(file, pattern) for file in rooms for pattern in _PATTERN.findall(file.read_text("utf-8"))]
    assert len(found) > 20
    # A health check's ARN and AWS's own policies have one partition, or any.
    either = (f"{PARTITION}:", "aws:route53:::healthcheck/", "({PARTITION}", "(?:{PARTITION}|")
    either += (f"({PARTITION}|",)
    assert [(str(file), pattern) for file, pattern in found if not pattern.startswith(either)] == []
