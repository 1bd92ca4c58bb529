"""Writes the files of a new component, and records the plan that the guards are tested with.

    python scripts/component.py new NAME --types aws_x_y [--scope every-region] [--purpose "One sentence."]
    python scripts/component.py plan NAME

`new` reads the AWS provider's schema of the types, and writes every file that a component has (scripts/scaffold/), with
TODO where a person must decide. It overwrites nothing. `plan` plans the component's sample on the embedded AWS of a
project of its own and keeps what the tests read. CONTRIBUTING.md has both steps; the targets `component` and
`component-plan` of the Makefile run them and then what is generated.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import keyword
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import yaml

from toolkit.components.base import Component, Scope
from toolkit.components.registry import REGISTRY
from toolkit.files import write_atomically
from toolkit.resources.registry import RESOURCES
from toolkit.spelling import nearest

ROOT = Path(__file__).parents[1]
COMPLETE = Path("environments/complete/environment.yaml")
SAMPLES = Path("tests/plans/components")
SCOPES = {scope.name.lower().replace("_", "-"): scope for scope in Scope}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LABEL = re.compile(r'^module "(\w+)"', re.M)
_LONGEST = 40
_UNJUDGED = {"id", "tags", "tags_all", "timeouts"}


class ProblemError(Exception):
    """What stops the script, for people: what is wrong, and what is expected."""


@dataclass(frozen=True)
class Argument:
    """An attribute that a configuration must give, and the variable and setting that the scaffold makes of it."""

    type: str
    name: str
    variable: str
    kind: str
    """As the recorded schema has it: "string", "list(string)", …"""

    @property
    def hcl(self) -> str:
        return self.kind if self.kind in _PLAIN or self.kind in _SEVERAL else "any"

    @property
    def annotation(self) -> str:
        if self.kind in _SEVERAL:
            return "Annotated[tuple[str, ...], Field(strict=False)]"
        return _PLAIN.get(self.kind, ("Any",))[0]

    @property
    def python(self) -> str:
        return "()" if self.kind in _SEVERAL else _PLAIN.get(self.kind, ("", "None"))[1]

    @property
    def default(self) -> str:
        return "[]" if self.kind in _SEVERAL else _PLAIN.get(self.kind, ("", "", "null"))[2]

    @property
    def expected(self) -> str:
        return f"toset({self.default})" if self.kind == "set(string)" else self.default


_PLAIN = {"string": ("str", '"TODO"', '"TODO"'), "bool": ("bool", "True", "true"), "number": ("int", "1", "1")}
"""Kind of attribute → annotation and default in Python, default in HCL."""
_SEVERAL = ("list(string)", "set(string)")


@dataclass(frozen=True)
class Made:
    """A resource type that the component will make."""

    name: str
    arguments: tuple[Argument, ...]
    left: tuple[str, ...]
    """What a configuration can set besides, for the person who writes the module."""
    settable: tuple[str, ...]
    """Everything at the top that a configuration can set: what the type's record must speak about."""
    output: str | None
    """Name of the output for its id; None: it has none."""


def checked_name(name: str) -> str:
    """The name of a new component.

    Raises:
        ProblemError: It is not one, or is taken.
    """
    if not name:
        raise ProblemError("NAME is missing: make component NAME=ecr_defaults TYPES='aws_ecr_account_setting'")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(name):
        raise ProblemError(
            f"{name!r} is not a name: expected lowercase letters, digits and single underscores, a letter first, at "
            f"most {_LONGEST} characters, no Python keyword; folders, a Python module and module calls have it, too"
        )
    if name in REGISTRY:
        raise ProblemError(f"the component {name} exists already; nothing was written")
    labels = {
        label for file in (ROOT / COMPLETE.parent / "rendered").glob("*.tf") for label in _LABEL.findall(_read(file))
    }
    for label in sorted(labels):
        if label == name or label.startswith(f"{name}_"):
            raise ProblemError(
                f"{name!r} would claim the module call {label}, which is another component's: plans are attributed by "
                "the beginning of a label; expected a name that no label starts with"
            )
    return name


def checked_types(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Type → its trimmed schema: as it was recorded, else from the provider.

    Raises:
        ProblemError: None is given, or the provider has no such type.
    """
    if not names:
        raise ProblemError(
            "TYPES is missing: the Terraform resource types that the component makes, with a space between"
        )
    recorded: dict[str, dict[str, str]] = json.loads(_read("tests/provider5/schema.json"))["types"]
    new = [name for name in dict.fromkeys(names) if name not in recorded]
    if not new:
        return {name: recorded[name] for name in names}
    record = _script("tests/provider5/record.py")
    provider = record.every_type()
    for name in new:
        if name not in provider:
            near = nearest(name, sorted(provider))
            meant = f" (did you mean {near}?)" if near else ""
            raise ProblemError(f"the AWS provider has no resource type {name}{meant}")
    return {name: recorded.get(name) or record.trimmed(provider[name]) for name in names}


def made(types: Mapping[str, Mapping[str, str]]) -> tuple[Made, ...]:
    """What the scaffold needs to know of each type."""
    required = {
        kind: {n: w.split()[0] for n, w in attributes.items() if "." not in n and w.split()[-1] == "required"}
        for kind, attributes in types.items()
    }
    uses = [name for names in required.values() for name in names]
    found = []
    for kind, attributes in types.items():
        short = kind.removeprefix("aws_")
        tops = [n for n in attributes if "." not in n and n not in _UNJUDGED]
        settable = [n for n in tops if {"required", "optional", "block"} & set(attributes[n].split())]
        arguments = tuple(
            Argument(kind, name, name if uses.count(name) == 1 else f"{short}_{name}", how)
            for name, how in required[kind].items()
        )
        left = tuple(n for n in settable if n not in required[kind])
        output = None
        if "id" in attributes:
            output = "id" if sum("id" in other for other in types.values()) == 1 else f"{short}_id"
        found.append(Made(kind, arguments, left, tuple(settable), output))
    return tuple(found)


def scaffold(
    name: str, types: Mapping[str, Mapping[str, str]], scope: Scope, purpose: str, today: date
) -> dict[Path, str]:
    """Path → text of every new file."""
    these = made(types)
    arguments = tuple(a for t in these for a in t.arguments)
    facts = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "class_name": "".join(word.capitalize() for word in name.split("_")),
        "purpose": purpose,
        "scope": scope,
        "called": "Called once per region." if scope is Scope.EVERY_REGION else "Called once.",
        "types": these,
        "arguments": arguments,
        "sequences": any(a.kind in _SEVERAL for a in arguments),
        "service": service(next(iter(types))),
        "today": today.isoformat(),
    }
    module = Path("modules", name)
    targets = {
        module / "main.tf": "main.tf",
        module / "variables.tf": "variables.tf",
        module / "outputs.tf": "outputs.tf",
        module / "controls.yaml": "controls.yaml",
        module / "README.md": "README.md",
        module / "tests" / "defaults.tftest.hcl": "defaults.tftest.hcl",
        Path("toolkit/components", f"{name}.py"): "component.py",
        Path("templates/components", f"{name}.tf.j2"): "template.tf.j2",
        Path("tests/unit/components", f"test_{name}.py"): "test_component.py",
    }
    versions = {module / "versions.tf": _read(f"modules/{next(iter(REGISTRY))}/versions.tf")}
    return {path: _rendered(template, **facts) for path, template in targets.items()} | versions


def service(kind: str) -> str:
    """The service in the name of a type ("aws_ecr_account_setting": "ecr"), which is a file of toolkit/resources/."""
    return kind.split("_")[1]


def edits(name: str, types: Mapping[str, Mapping[str, str]], purpose: str, today: date) -> dict[Path, str]:
    """Path → new text of every file that has a line or an entry for each component or type."""
    found: dict[Path, str] = {}

    def change(path: str | Path, text: str) -> None:
        found[Path(path)] = text

    registry = "toolkit/components/registry.py"
    change(registry, _last_entry(_read(registry), "_NAMES", f'    "{name}",\n'))
    change(COMPLETE, _read(COMPLETE).rstrip("\n") + f"\n  {name}: {{}}\n")
    log = _read("CHANGELOG.md")
    head, added, rest = log.partition("### Added\n\n")
    change("CHANGELOG.md", f"{head}{added}- New component `{name}`: {purpose[0].lower()}{purpose[1:]}\n{rest}")
    new = [t for t in made(types) if t.name not in RESOURCES]
    if not new:
        return found
    for kind in new:
        path = Path("toolkit/resources", f"{service(kind.name)}.py")
        text = found.get(path) or (_read(path) if (ROOT / path).exists() else _rendered("service.py"))
        entry = _rendered("record.py", type=kind, today=today.isoformat())
        change(path, _last_entry(_with_free(text), "TYPES", entry))
    services = "toolkit/resources/registry.py"
    text = _read(services)
    for name_of in sorted({service(kind.name) for kind in new}):
        if f'    "{name_of}",\n' not in text:
            text = _sorted_entry(text, "_SERVICES", f'    "{name_of}",\n')
    change(services, text)
    schema = json.loads(_read("tests/provider5/schema.json"))
    schema["types"] = dict(sorted({**schema["types"], **{t.name: types[t.name] for t in new}}.items()))
    change("tests/provider5/schema.json", _script("tests/provider5/record.py").text(schema))
    return found


def _with_free(text: str) -> str:
    """A service's file that imports what a record's first entry needs."""
    line = re.search(r"^from toolkit\.resources\.price import (.*)$", text, re.M)
    if line is None:
        before = "from toolkit.resources.reading "
        return text.replace(before, f"from toolkit.resources.price import Free\n{before}", 1)
    names = sorted({*line[1].split(", "), "Free"}, key=lambda name: (name[0].islower(), name))
    return f"{text[: line.start(1)]}{', '.join(names)}{text[line.end(1) :]}"


def _last_entry(text: str, name: str, entry: str) -> str:
    """Python with an entry at the end of a tuple at its top."""
    return re.sub(
        rf"^({name}\b[^\n]*= \(\n)(.*?)^\)", lambda m: f"{m[1]}{m[2]}{entry})", text, count=1, flags=re.M | re.S
    )


def _sorted_entry(text: str, name: str, entry: str) -> str:
    def ordered(match: re.Match[str]) -> str:
        return match[1] + "".join(sorted([*match[2].splitlines(keepends=True), entry])) + ")"

    return re.sub(rf"^({name}\b[^\n]*= \(\n)(.*?)^\)", ordered, text, count=1, flags=re.M | re.S)


def _read(path: str | Path) -> str:
    return (ROOT / path).read_text("utf-8")


def _rendered(template: str, **facts: object) -> str:
    # Other marks than Jinja's own, since one of the files is a template itself.
    environment = jinja2.Environment(  # noqa: S701 (no HTML)
        loader=jinja2.FileSystemLoader(ROOT / "scripts" / "scaffold"),
        undefined=jinja2.StrictUndefined,
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>", trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(f"{template}.j2").render(**facts)


def _script(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_").removesuffix(".py"), ROOT / path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def new(arguments: argparse.Namespace) -> None:
    """Write the files of a new component; all of them, or none."""
    name = checked_name(arguments.name)
    if arguments.scope not in SCOPES:
        near = nearest(arguments.scope, tuple(SCOPES))
        meant = f" (did you mean {near}?)" if near else ""
        raise ProblemError(f"{arguments.scope!r} is not a scope{meant}: expected {', '.join(SCOPES)}")
    purpose = " ".join(arguments.purpose.split())
    if not purpose.endswith("."):
        raise ProblemError(f"PURPOSE is one sentence that says what an account gets, with a full stop: {purpose!r}")
    types = checked_types(arguments.types.split())
    today = date.today()
    files = scaffold(name, types, SCOPES[arguments.scope], purpose, today)
    folders = (Path("modules", name), Path("toolkit/components", name))
    taken = [path.as_posix() for path in (*folders, *files) if (ROOT / path).exists()]
    if taken:
        raise ProblemError(f"these exist already, and nothing was written: {', '.join(taken)}")
    changed = edits(name, types, purpose, today)
    for path, text in {**files, **changed}.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(ROOT / path, text)
    _run("terraform", "fmt", f"modules/{name}", quiet=True)
    formatted = [str(path) for path in (*files, *changed) if path.suffix == ".py"]
    _run(sys.executable, "-m", "ruff", "check", "--fix", "--quiet", "--select", "I", *formatted)
    _run(sys.executable, "-m", "ruff", "format", "--quiet", *formatted)
    sys.stdout.write("".join(f"wrote: {path}\n" for path in files))
    sys.stdout.write("".join(f"changed: {path}\n" for path in changed))
    sys.stdout.write("Next: replace each TODO (CONTRIBUTING.md), then make component-plan NAME=" + name + "\n")


def plan(arguments: argparse.Namespace) -> None:
    """Record what a component plans, for tests/unit/plan/test_guards.py."""
    name = arguments.name
    if name not in REGISTRY:
        near = nearest(name, tuple(REGISTRY))
        meant = f" (did you mean {near}?)" if near else ""
        raise ProblemError(f"{name!r} is not a component{meant}: make component-plan NAME=… after make component")
    _record_schemas()
    target = ROOT / SAMPLES / f"{name}.json"
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "rec"
        toolkit = (sys.executable, "-m", "toolkit")
        _run(*toolkit, "init", str(project), "--pipeline", "none", quiet=True)
        environment = project / "environments" / "rec" / "environment.yaml"
        environment.parent.mkdir(parents=True)
        text = sample(name)
        environment.write_text(text, encoding="utf-8")
        _run(*toolkit, "sandbox", "up", "--account-id", yaml.safe_load(text)["account_id"], cwd=project, quiet=True)
        try:
            _run(*toolkit, "plan", "rec", "--sandbox", "--out", "rec.tfbundle", cwd=project)
        finally:
            _run(*toolkit, "sandbox", "down", cwd=project, quiet=True)
        trim = (sys.executable, str(ROOT / "tests/plans/trim.py"), str(project / "rec.tfbundle"), name)
        recorded = subprocess.run(trim, check=True, capture_output=True, text=True).stdout
    write_atomically(target, recorded)
    sys.stdout.write(f"wrote: {target.relative_to(ROOT)}\n")


def sample(name: str) -> str:
    """An environment with the component switched on as its sample has it, and what it requires.

    The sample is tests/plans/components/NAME.yaml where that exists, else the block in the complete example.
    """
    own = ROOT / SAMPLES / f"{name}.yaml"
    if own.exists():
        return own.read_text("utf-8")
    data = yaml.safe_load(_read(COMPLETE))
    blocks = {n: data["components"][n] for n in REGISTRY if n in {name, *_required(REGISTRY[name])}}
    kept = {"account_id": data["account_id"], "regions": data["regions"], "components": blocks}
    return str(yaml.safe_dump(kept, sort_keys=False))


def _required(component: Component) -> set[str]:
    direct = {*component.requires, *(need for _, need in component.requires_with)}
    return direct.union(*(_required(REGISTRY[need]) for need in direct))


def _record_schemas() -> None:
    """What both versions of the provider have of types that the modules use and that are not recorded yet."""
    five = _script("tests/provider5/record.py")
    if set(json.loads(five.FILE.read_text("utf-8"))["types"]) != set(five.recorded()):
        write_atomically(five.FILE, five.text(five.schema()))
        sys.stdout.write(f"wrote: {five.FILE.relative_to(ROOT)}\n")
    six = "tests/provider6/schema.json.gz"
    recorded = json.loads(gzip.decompress((ROOT / six).read_bytes()))
    if not set(_resource_types(ROOT / "modules")) <= set(recorded["resource_schemas"]):
        _run(sys.executable, "tests/provider6/extract.py")
        sys.stdout.write(f"wrote: {six}\n")


def _resource_types(folder: Path) -> Iterable[str]:
    for file in folder.rglob("*.tf"):
        if ".terraform" not in file.parts:
            yield from re.findall(r'^resource "(\w+)"', file.read_text("utf-8"), re.M)


def _run(*command: str, cwd: Path = ROOT, quiet: bool = False) -> None:
    environ: dict[str, Any] = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, env=environ, check=False, capture_output=quiet, text=True)
    if done.returncode:
        shown = f":\n{done.stdout}{done.stderr}" if quiet else ""
        raise ProblemError(f"{' '.join(command)} failed with exit code {done.returncode}{shown}")


def main(given: Sequence[str] | None = None) -> int:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(
        prog="component.py", description="Write a new component's files, or record its plan."
    )
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("new", help="write the files of a new component")
    step.add_argument("name")
    step.add_argument("--types", default="", help="Terraform resource types that it makes, with a space between")
    step.add_argument("--scope", default="every-region", help=", ".join(SCOPES))
    step.add_argument("--purpose", default="TODO: one sentence on what an account gets.")
    step.set_defaults(run=new)
    step = steps.add_parser("plan", help="record what the component plans")
    step.add_argument("name")
    step.set_defaults(run=plan)
    arguments = parser.parse_args(given)
    try:
        arguments.run(arguments)
    except ProblemError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
