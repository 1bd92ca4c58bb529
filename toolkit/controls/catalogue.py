"""Reads the catalogue: modules' controls.yaml and the ids of framework_ids.json.

In: the product's own files. Out: frozen claims. Asks no account and no plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from toolkit.paths import data_dir

_SHOWN = {"cis_5.0": "CIS 5.0", "fsbp": "FSBP"}
"""Frameworks that rendered comments name; the others are for the coverage report."""

_OPERATORS = ("equals", "at_least", "at_most", "between", "one_of", "contains")


@dataclass(frozen=True)
class Claim:
    """One line of a controls.yaml: this resource serves that topic, if its value is as expected."""

    topic: str
    resource: str
    """Address inside the module."""
    attribute: str | None
    """Dotted path in planned values; None where the resource's existence is what serves."""
    expect: Mapping[str, Any]
    """At most one of equals, at_least, at_most, between (both ends included), one_of, contains."""
    setting: str | None
    """Module variable (dotted) that carries the value; None where the module serves it with every setting."""

    def met_by(self, value: Any) -> bool:
        """Whether a value of the attribute (or of the setting) is what the claim expects. None meets nothing."""
        for operator, wanted in self.expect.items():
            if value is None and wanted is not None:
                return False
            if operator == "equals":
                return bool(value == wanted)
            if operator == "at_least":
                return bool(value >= wanted)
            if operator == "at_most":
                return bool(value <= wanted)
            if operator == "between":
                low, high = wanted
                return bool(low <= value <= high)
            if operator == "one_of":
                return value in wanted
            return wanted in value
        return True


def claims(component: str) -> tuple[Claim, ...]:
    """What modules/COMPONENT/controls.yaml claims.

    Raises:
        ValueError: The file breaks its format (a defect of the product, caught by its tests).
    """
    return _claims(data_dir("modules") / component / "controls.yaml")


@cache
def _claims(file: Path) -> tuple[Claim, ...]:
    found = []
    for entry in yaml.safe_load(file.read_text("utf-8"))["controls"]:
        unknown = set(entry) - {"topic", "resource", "attribute", "expect", "setting"}
        expect = entry.get("expect", {})
        if unknown or len(expect) > 1 or not set(expect) <= set(_OPERATORS) or entry["topic"] not in _topics():
            raise ValueError(f"{file}: not a claim: {entry}")
        found.append(Claim(entry["topic"], entry["resource"], entry.get("attribute"), expect, entry.get("setting")))
    return tuple(found)


@cache
def _topics() -> dict[str, dict[str, Any]]:
    text = (Path(__file__).parent / "framework_ids.json").read_text("utf-8")
    topics: dict[str, dict[str, Any]] = json.loads(text)["topics"]
    return topics


def requirement_ids(topics: tuple[str, ...]) -> str:
    """The requirement ids of topics as a comment names them ("CIS 5.0 1.7; FSBP IAM.7"); empty where none is shown."""
    parts = []
    for framework, shown in _SHOWN.items():
        ids = {i for topic in topics for i in _topics()[topic]["frameworks"].get(framework, ())}
        if ids:
            parts.append(f"{shown} {', '.join(sorted(ids, key=_natural))}")
    return "; ".join(parts)


def _natural(requirement: str) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdigit() else (0, p) for p in requirement.replace("-", ".").split(".")]
