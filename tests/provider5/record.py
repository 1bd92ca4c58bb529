"""Records the schema that the AWS provider has of the types in modules/: `python tests/provider5/record.py`.

Asks the real provider, by `terraform providers schema -json`; what is kept is each attribute's path, its type, and
whether a configuration may set it. tests/unit/resources holds the records in toolkit/resources/ against it. The schema
has no enumerations: those of `ENUMERATED` are what the provider answers to a value that is none (`terraform validate`).
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.resources.registry import RESOURCES
from toolkit.terraform.mirror import cli_config

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "modules"
FILE = HERE / "schema.json"
VERSION = "5.100.0"
"""Of the provider: the version that rendered roots pin (`~> 5.100`)."""
ENUMERATED = {
    "aws_organizations_organization.enabled_policy_types": {"enabled_policy_types": ["NONE"]},
    "aws_organizations_policy.type": {"name": "x", "content": "{}", "type": "NONE"},
}
"""Attribute → a configuration of its type whose value for it is no accepted one."""
_ACCEPTED = re.compile(r"expected \w+ to be one of \[(.*?)\], got NONE")
_RESOURCE = re.compile(r'^resource "(\w+)"', re.M)
_NEWER = re.compile(r'version\s+= ">= 6\.')
_CONFIGURATION = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}}}


def made() -> set[str]:
    """Every resource type that a module makes."""
    files = (f for f in MODULES.rglob("*.tf") if ".terraform" not in f.parts)
    return {kind for file in files for kind in _RESOURCE.findall(file.read_text("utf-8"))}


def newer_modules() -> set[Path]:
    """Folders, in modules/, of the modules that admit no version of the provider below 6."""
    return {file.parent for file in MODULES.rglob("versions.tf") if _NEWER.search(file.read_text("utf-8"))}


def newer() -> set[str]:
    """Types that version 5 lacks, as far as modules make them: those that only modules for version 6 make."""
    of = {file: set(_RESOURCE.findall(file.read_text("utf-8"))) for file in MODULES.rglob("*.tf")}
    apart = newer_modules()
    return set().union(*(kinds for file, kinds in of.items() if file.parent in apart)) - set().union(
        *(kinds for file, kinds in of.items() if file.parent not in apart)
    )


def every() -> list[str]:
    """Every type that a module makes, and others whose record says which side of their attributes is stronger."""
    judged = (record.name for record in RESOURCES.values() if record.strengths or record.no_weaker_side)
    return sorted({*made(), *judged})


def recorded() -> list[str]:
    """Of these, all that version 5 has."""
    return sorted(set(every()) - newer())


def types() -> dict[str, dict[str, str]]:
    """Type → path → what the provider says of it: version 5 of the types that it has, version 6 of the others."""
    five: dict[str, dict[str, str]] = json.loads(FILE.read_text("utf-8"))["types"]
    six = json.loads(gzip.decompress((HERE.parent / "provider6" / "schema.json.gz").read_bytes()))["resource_schemas"]
    return five | {kind: trimmed(six[kind]) for kind in newer()}


def attributes(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """("rule.id", "string required") for each attribute, ("rule", "block list 1") for each block."""
    for name, attribute in block.get("attributes", {}).items():
        how = [word for word in ("required", "optional", "computed") if attribute.get(word)]
        yield prefix + name, " ".join([_type(attribute["type"]), *how])
    for name, inner in block.get("block_types", {}).items():
        most = [str(inner["max_items"])] if "max_items" in inner else []
        yield prefix + name, " ".join(["block", inner["nesting_mode"], *most])
        yield from attributes(inner["block"], f"{prefix}{name}.")


def _type(kind: Any) -> str:
    return kind if isinstance(kind, str) else f"{kind[0]}({'object' if kind[1][0] == 'object' else _type(kind[1])})"


def schema() -> dict[str, Any]:
    """The trimmed schema, from the real provider."""
    with _root() as (root, environ):
        resources = _schemas(root, environ)["resource_schemas"]
        enumerations = {name: accepted(name, root, environ) for name in ENUMERATED}
    types = {kind: trimmed(resources[kind]) for kind in recorded()}
    return {"provider": VERSION, "enumerations": enumerations, "types": types}


def every_type() -> dict[str, Any]:
    """The schema of every resource type that the provider has, to be trimmed."""
    found: dict[str, Any] = every_schema()["resource_schemas"]
    return found


def every_schema() -> dict[str, Any]:
    """What `terraform providers schema -json` says of the provider: its settings, resource types, data sources."""
    with _root() as (root, environ):
        return _schemas(root, environ)


def trimmed(resource: Mapping[str, Any]) -> dict[str, str]:
    """Path → what is kept of it, of one type."""
    return dict(sorted(attributes(resource["block"])))


@contextmanager
def _root() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with the provider initialized, and the environment for Terraform in it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "versions.tf.json").write_text(json.dumps(_CONFIGURATION), encoding="utf-8")
        environ = {**os.environ, "TF_DATA_DIR": str(root / "data"), **cli_config(None, os.environ, root)}
        subprocess.run(["terraform", "init", "-input=false"], cwd=root, env=environ, check=True, capture_output=True)
        yield root, environ


def _schemas(root: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    command = ["terraform", "providers", "schema", "-json"]
    done = subprocess.run(command, cwd=root, env=environ, check=True, capture_output=True, text=True)
    # Terraform may warn before the JSON.
    (provider,) = json.loads(done.stdout[done.stdout.index("{") :])["provider_schemas"].values()
    found: dict[str, Any] = provider
    return found


def accepted(name: str, root: Path, environ: Mapping[str, str]) -> list[str]:
    """The values that the provider accepts for an attribute, by its error about another one."""
    kind = name.split(".", maxsplit=1)[0]
    file = root / "enumerated.tf.json"
    file.write_text(json.dumps({"resource": {kind: {"x": ENUMERATED[name]}}}), encoding="utf-8")
    done = subprocess.run(
        ["terraform", "validate", "-json"], cwd=root, env=environ, check=False, capture_output=True, text=True
    )
    file.unlink()
    answer = json.loads(done.stdout[done.stdout.index("{") :])
    (values,) = [m[1] for d in answer["diagnostics"] if (m := _ACCEPTED.match(d["summary"]))]
    return sorted(re.findall(r'"(\w+)"', values))


def text(recorded: Mapping[str, Any]) -> str:
    """What the file holds."""
    return json.dumps(recorded, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(schema()), encoding="utf-8")
