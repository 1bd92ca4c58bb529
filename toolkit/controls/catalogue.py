"""Reads the catalogue: modules' controls.yaml, the ids of framework_ids.json, topics that modules declare,
and what texts.json says of each topic.

In: the product's own files. Out: frozen claims. Asks no account and no plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from toolkit.addresses import AttributePath
from toolkit.paths import data_dir
from toolkit.plan.model import Marker, shown

DEFAULT_FRAMEWORK = "cis-7.0"
"""What reports are about unless another one is named."""
_SHOWN = {DEFAULT_FRAMEWORK: "CIS 7.0", "fsbp": "FSBP"}
"""Frameworks that rendered comments name; the others are for reports."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: of our own files, both make the same."""

_OPERATORS = ("equals", "at_least", "at_most", "between", "one_of", "contains", "not_empty")


@dataclass(frozen=True)
class Claim:
    """One line of a controls.yaml: this resource serves that topic, if its value is as expected."""

    topic: str
    resource: str
    """Address inside the module."""
    attribute: str | None
    """Dotted path in planned values; None where the resource's existence is what serves."""
    expect: Mapping[str, Any]
    """At most one of equals, at_least, at_most, between (both ends included), one_of, contains, not_empty (true)."""
    setting: str | None
    """Module variable (dotted) that carries the value; None where the module serves it with every setting."""
    live: Mapping[str, Any] | None = None
    """Attribute → value by which an account's resource of the type is the one that is meant, whatever it is called;
    empty where any will do. None: the account is not asked by the claim, unless only one of the type can exist."""

    def is_about(self, values: Mapping[str, Any]) -> bool:
        """Whether an account's resource with these values is the one that is meant."""
        return all(values.get(name) == value for name, value in (self.live or {}).items())

    def unmet_in(self, values: Any) -> str | None:
        """Why a resource with these values does not meet the claim ("threshold is 20, expected at most 10"), or None.

        Args:
            values: As a plan or the reading of an account has them; what only an apply tells is no proof.
        """
        found = AttributePath.parse(self.attribute).spread(values) if self.attribute else None
        if not _marked(found) and self.met_by(found):
            return None
        said = "not set" if found is None else shown(found)
        return f"{self.attribute} is {said}, expected {self.expectation}"

    @property
    def expectation(self) -> str:
        """What is expected, for people ("at least 14")."""
        if "not_empty" in self.expect:
            return "not empty"
        words = (f"{k.replace('_', ' ')} {json.dumps(v)}" for k, v in self.expect.items())
        return " ".join(words).removeprefix("equals ") or "it exists"

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
            if operator == "not_empty":
                return bool(value)
            return wanted in value
        return True


@dataclass(frozen=True)
class Framework:
    """A benchmark or standard."""

    name: str
    """As people name it in options ("cis-7.0")."""
    title: str


@dataclass(frozen=True)
class Topic:
    """What requirements of several frameworks ask for."""

    name: str
    provisionable: bool
    """Whether Terraform has a resource for it at all; else somebody can only look."""
    requirements: Mapping[str, tuple[str, ...]]
    """Framework's name → ids there."""
    service: str
    """As IAM names it ("iam")."""
    severity: str
    """How much it matters, as public compliance metadata has it: "critical", "high", "medium" or "low"."""
    title: str
    """What is true where it is met, one sentence for people, in this project's own words."""
    why: str | None
    """Why it matters; None where a check of `toolkit.audit.checks` says it."""
    attested: str | None = None
    """Why a person has to confirm it, under `attestations` of environment.yaml; None where AWS tells it."""


@cache
def frameworks() -> tuple[Framework, ...]:
    """Every framework that the catalogue has ids of."""
    return tuple(Framework(_named(key), title) for key, title in _facts()["frameworks"].items())


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic of the catalogue."""
    return tuple(
        Topic(
            name,
            bool(facts.get("terraform")),
            {_named(k): tuple(ids) for k, ids in facts["frameworks"].items()},
            facts["service"],
            facts["severity"],
            _texts()[name]["title"],
            _texts()[name].get("why"),
            _texts()[name].get("attested"),
        )
        for name, facts in _topics().items()
    )


def requirements(framework: Framework) -> tuple[tuple[str, tuple[Topic, ...]], ...]:
    """(id, its topics) of every requirement of a framework in the catalogue, in the order people count."""
    found: dict[str, list[Topic]] = {}
    for topic in topics():
        for requirement in topic.requirements.get(framework.name, ()):
            found.setdefault(requirement, []).append(topic)
    return tuple((requirement, tuple(found[requirement])) for requirement in sorted(found, key=_natural))


def _named(key: str) -> str:
    return key.replace("_", "-")


def claims(component: str) -> tuple[Claim, ...]:
    """What modules/COMPONENT/controls.yaml claims.

    Raises:
        ValueError: The file breaks its format (a defect of the product, caught by its tests).
    """
    return _claims(data_dir("modules") / component / "controls.yaml")


@cache
def _claims(file: Path) -> tuple[Claim, ...]:
    found = []
    for entry in yaml.load(file.read_text("utf-8"), _LOADER)["controls"]:  # noqa: S506 - either is a safe one
        unknown = set(entry) - {"topic", "resource", "attribute", "expect", "setting", "live"}
        expect = entry.get("expect", {})
        if unknown or len(expect) > 1 or not set(expect) <= set(_OPERATORS) or entry["topic"] not in _topics():
            raise ValueError(f"{file}: not a claim: {entry}")
        found.append(
            Claim(
                entry["topic"],
                entry["resource"],
                entry.get("attribute"),
                expect,
                entry.get("setting"),
                entry.get("live"),
            )
        )
    return tuple(found)


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((Path(__file__).parent / "framework_ids.json").read_text("utf-8"))
    return facts


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "texts.json").read_text("utf-8"))
    return texts


@cache
def _topics() -> dict[str, dict[str, Any]]:
    """The catalogue's topics, and those of own_topics.json, which scripts/derive_topics.py writes."""
    own: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "own_topics.json").read_text("utf-8"))
    return {**_facts()["topics"], **own}


@cache
def requirement_ids(topics: tuple[str, ...]) -> str:
    """The requirement ids of topics as a comment names them ("CIS 7.0 2.8; FSBP IAM.7"); empty where none is shown."""
    parts = []
    for framework, called in _SHOWN.items():
        own = (of for topic in topics for key, of in _topics()[topic]["frameworks"].items() if _named(key) == framework)
        ids = {one for of in own for one in of}
        if ids:
            parts.append(f"{called} {', '.join(sorted(ids, key=_natural))}")
    return "; ".join(parts)


def _marked(value: Any) -> bool:
    return isinstance(value, Marker) or (isinstance(value, list) and any(isinstance(v, Marker) for v in value))


def _natural(requirement: str) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdigit() else (0, p) for p in re.split(r"[.\-_]", requirement)]
