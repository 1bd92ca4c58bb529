"""Findings as plain data, in reports and plan bundles, and back; rules by their ids.

In: findings, or JSON that somebody may have edited. Out: the other. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Any

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from toolkit.findings.model import Finding, Rule, Severity
from toolkit.findings.registry import rule_of, rules


@dataclass(frozen=True)
class RuleId:
    """Makes a field of type `Rule` read its id: `rule: Annotated[Rule, RuleId()]`."""

    waivable: bool = False
    """Whether only rules are accepted that environment.yaml can waive."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Any value → rule."""
        return core_schema.no_info_plain_validator_function(
            self._rule, serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The ids, only known once every rule is."""
        return {"enum": list(self._ids()), "type": "string"}

    def _rule(self, value: object) -> Rule:
        rule = rule_of(value) if isinstance(value, str) else None
        if rule is None or (self.waivable and rule.waiver is None):
            *others, last = (f"'{rule_id}'" for rule_id in self._ids())
            expected = f"{', '.join(others)} or {last}"
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return rule

    def _ids(self) -> Iterable[str]:
        return (rule.id for rule in rules() if not self.waivable or rule.waiver)


@dataclass(frozen=True)
class Record:
    """A finding as a plan bundle holds it; keys that an earlier version did not write have defaults."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    rule: Annotated[Rule, RuleId()]
    severity: Severity
    address: str
    attribute: str | None
    summary: str
    evidence: str
    remedy: str
    consent: str | None
    component: str | None
    region: str
    setting: str | None = None
    consented_by: str | None = None

    @property
    def finding(self) -> Finding:
        """The finding."""
        return Finding(**{f.name: getattr(self, f.name) for f in fields(self)})


def as_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain data; `Record` reads it."""
    return {f.name: _plain(getattr(finding, f.name)) for f in fields(finding)}


def _plain(value: Any) -> Any:
    if isinstance(value, Rule):
        return value.id
    return value.value if isinstance(value, Enum) else value
