"""Findings as plain data, in reports and plan bundles, and back; rules by their ids.

In: findings, or JSON that somebody may have edited. Out: the other. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from toolkit.findings.model import Finding, Resource, Rule, Severity, Status
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
class CallRecord:
    """A call of AWS, as data."""

    action: str
    region: str
    time: datetime
    request_id: str | None


@dataclass(frozen=True)
class Record:
    """A finding as JSON has it; keys that an earlier version did not write have defaults."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    rule: Annotated[Rule, RuleId()]
    severity: Severity
    address: str | None
    attribute: str | None
    summary: str
    evidence: str
    remedy: str
    consent: str | None
    component: str | None
    region: str
    setting: str | None = None
    consented_by: str | None = None
    status: Status = Status.FAIL
    type: str | None = None
    arn: str | None = None
    account_id: str | None = None
    controls: tuple[str, ...] = ()
    calls: tuple[CallRecord, ...] = ()

    @property
    def finding(self) -> Finding:
        """The finding."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        resource = Resource(**{f.name: given.pop(f.name) for f in fields(Resource)})
        return Finding(resource=resource, **given)


def reported(finding: Finding) -> dict[str, Any]:
    """A finding as every report in JSON has it (docs/plan-report.schema.json)."""
    return {**as_data(finding), "subject": finding.subject, "blocks": finding.blocks}


def as_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain data; `Record` reads it."""
    resource = finding.resource
    return {
        "rule": finding.rule.id,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "address": resource.address,
        "attribute": finding.attribute,
        "type": resource.type,
        "arn": resource.arn,
        "account_id": resource.account_id,
        "region": resource.region,
        "component": finding.component,
        "setting": finding.setting,
        "summary": finding.summary,
        "evidence": finding.evidence,
        "calls": [
            {"action": c.action, "region": c.region, "time": c.time.isoformat(), "request_id": c.request_id}
            for c in finding.calls
        ],
        "controls": list(finding.controls),
        "remedy": finding.remedy,
        "consent": finding.consent,
        "consented_by": finding.consented_by,
    }
