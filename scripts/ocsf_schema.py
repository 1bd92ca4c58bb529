"""Make a JSON Schema of one OCSF event class from a checkout of ocsf/ocsf-schema.

    git clone --branch v1.6.0 https://github.com/ocsf/ocsf-schema && python scripts/ocsf_schema.py ocsf-schema \\
        compliance_finding cloud > tests/schemas/ocsf-1.6.0-compliance_finding.json

The repository has classes and objects that extend each other, include profiles and take types and enumerations from
one dictionary; this flattens them. What is required, of which type, enumerated, too long or not known is refused by
the result; descriptions and what is only recommended are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BASIC = {
    "boolean_t": {"type": "boolean"},
    "float_t": {"type": "number"},
    "integer_t": {"type": "integer"},
    "long_t": {"type": "integer"},
    "string_t": {"type": "string"},
    "json_t": {},
}


class Source:
    """A checkout of the schema."""

    def __init__(self, folder: Path, profiles: set[str]) -> None:
        self.folder = folder
        self.profiles = profiles
        self.dictionary = self._read("dictionary.json")
        self.types = self.dictionary["types"]["attributes"]
        self.objects = {data["name"]: data for data in map(_json, sorted((folder / "objects").glob("*.json")))}
        self.events = {data["name"]: data for data in map(_json, sorted((folder / "events").rglob("*.json")))}
        self.definitions: dict[str, Any] = {}

    def event(self, name: str) -> dict[str, Any]:
        """The schema of a class."""
        data = self.events[name]
        category = self._read("categories.json")["attributes"][self._inherited(self.events, name)["category"]]["uid"]
        uid = category * 1000 + data["uid"]
        attributes = self._attributes(self.events, name)
        for attribute, value in (("category_uid", category), ("class_uid", uid)):
            attributes[attribute] = {**attributes[attribute], "enum": {str(value): {}}}
        activities = {
            **self.dictionary["attributes"]["activity_id"].get("enum", {}),
            **attributes["activity_id"]["enum"],
        }
        attributes["type_uid"] = {
            **attributes["type_uid"],
            "enum": {str(uid * 100 + int(one)): {} for one in activities},
        }
        version = self._read("version.json")["version"]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$comment": f"OCSF {version}, class {name}, with profiles {sorted(self.profiles)}; see README.md here.",
            **self._shape(attributes, self._inherited(self.events, name).get("constraints")),
            "$defs": dict(sorted(self.definitions.items())),
        }

    def _shape(self, attributes: dict[str, Any], constraints: dict[str, list[str]] | None) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: self._property(name, given) for name, given in sorted(attributes.items())},
            "required": sorted(name for name, given in attributes.items() if given.get("requirement") == "required"),
        }
        for kind, names in (constraints or {}).items():
            shape[{"at_least_one": "anyOf", "just_one": "oneOf"}[kind]] = [{"required": [name]} for name in names]
        return shape

    def _property(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        known = self.dictionary["attributes"][name]
        made = self._type(known["type"])
        if enum := {**known.get("enum", {}), **given.get("enum", {})}:
            values = given["enum"] if name in ("category_uid", "class_uid", "type_uid") else enum
            made = {"enum": sorted(int(one) if made.get("type") == "integer" else one for one in values)}
        return {"type": "array", "items": made} if known.get("is_array") else made

    def _type(self, name: str) -> dict[str, Any]:
        if name == "object":
            return {"type": "object"}
        if name not in self.types:
            if name not in self.definitions:
                self.definitions[name] = {}  # an object may contain itself
                constraints = self._inherited(self.objects, name).get("constraints")
                self.definitions[name] = self._shape(self._attributes(self.objects, name), constraints)
            return {"$ref": f"#/$defs/{name}"}
        given = self.types[name]
        made = dict(BASIC[given.get("type", name)])
        if "regex" in given:
            made["pattern"] = given["regex"]
        if "max_len" in given:
            made["maxLength"] = given["max_len"]
        if "range" in given:
            made["minimum"], made["maximum"] = given["range"]
        return made

    def _inherited(self, kinds: dict[str, Any], name: str) -> dict[str, Any]:
        data = kinds[name]
        parent = data.get("extends")
        return {**(self._inherited(kinds, parent) if parent in kinds else {}), **data}

    def _attributes(self, kinds: dict[str, Any], name: str) -> dict[str, Any]:
        """Attributes of a class or object with those of what it extends and includes, but not of other profiles."""
        data = kinds[name]
        parent = data.get("extends")
        found = self._attributes(kinds, parent) if parent in kinds else {}
        own = dict(data.get("attributes", {}))
        included: dict[str, Any] = {}
        for file in own.pop("$include", ()):
            profile = self._read(file)
            if profile["name"] in self.profiles:
                included |= profile["attributes"]
        for attribute, given in {**included, **own}.items():
            if given.get("profile") in (None, *self.profiles):
                merged = {**included.get(attribute, {}), **found.get(attribute, {}), **given}
                enums = {**found.get(attribute, {}).get("enum", {}), **given.get("enum", {})}
                found[attribute] = {**merged, **({"enum": enums} if enums else {})}
        return found

    def _read(self, name: str) -> dict[str, Any]:
        return _json(self.folder / name)


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


if __name__ == "__main__":
    checkout, event, *profiles = sys.argv[1:]
    json.dump(Source(Path(checkout), set(profiles)).event(event), sys.stdout, indent=1)
    sys.stdout.write("\n")
