"""The one shape of what a guard or check finds, and of the rule behind it.

In: nothing. Out: frozen values that every format of reports reads. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Severity(Enum):
    """How much it matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Status(Enum):
    """What was found out. Whoever only looks for what is wrong, as the guards of plans do, finds nothing but FAIL."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    """A fact could not be read, or no API tells it: never taken for a pass."""
    NOT_APPLICABLE = "not-applicable"
    """The question does not arise here."""
    ATTESTED = "attested"
    """No API tells it; a person has confirmed it, for a time."""
    PASS = "pass"  # noqa: S105 (no password)


class Source(Enum):
    """What produces a rule's findings: a report lists only the rules that were judged for it."""

    PLAN = "plan"
    DRIFT = "drift"
    CONTROLS = "controls"
    AUDIT = "audit"


class Names(Enum):
    """What the subject of a waiver names."""

    RESOURCE = "a resource's address, with the attribute if the finding is about one"
    REQUIREMENT = "a requirement, like cis-7.0:2.6"


@dataclass(frozen=True)
class Consent:
    """An option of the command line that lets findings of a rule through."""

    option: str
    """ "--allow-weaker"."""
    takes: str | None
    """What follows it ("ADDRESS.ATTRIBUTE"); None for a switch, which lets all of them through."""

    def __str__(self) -> str:
        return f"{self.option} {self.takes}" if self.takes else self.option


@dataclass(frozen=True)
class Rule:
    """A kind of finding; `register` makes it known."""

    id: str
    """Stable: reports, waivers and plan bundles carry it."""
    explanation: str
    """What it is about, one sentence."""
    severity: Severity
    """What its findings usually are; a finding may be less."""
    refused: str
    """An example of what it finds."""
    instead: str
    """What to do instead, in that example."""
    source: Source = Source.PLAN
    consent: Consent | None = None
    """None: no option lets its findings through."""
    waiver: Names | None = None
    """What a waiver of it names; None: environment.yaml cannot waive it."""

    def __str__(self) -> str:
        return self.id


class Call(Protocol):
    """A call of AWS that a finding rests on (`toolkit.resources.reading.Call`)."""

    @property
    def action(self) -> str:
        """As IAM names it."""
        ...

    @property
    def region(self) -> str:
        """Where it was made."""
        ...

    @property
    def time(self) -> datetime:
        """When AWS answered."""
        ...

    @property
    def request_id(self) -> str | None:
        """AWS's id of it."""
        ...


@dataclass(frozen=True)
class Resource:
    """What a finding is about, as Terraform knows it, as AWS does, or both."""

    address: str | None
    """Terraform address; None for what is in no configuration."""
    region: str
    """The home region for global resources."""
    type: str | None = None
    """Terraform type; None where the finding is not about a resource."""
    arn: str | None = None
    """None where it has none, or none yet."""
    account_id: str | None = None
    """None: that of the report."""

    @property
    def name(self) -> str:
        """The Terraform address, else the ARN, else the account."""
        return self.address or self.arn or f"account {self.account_id}"


@dataclass(frozen=True)
class Finding:
    """One thing to know."""

    rule: Rule
    severity: Severity
    resource: Resource
    attribute: str | None
    summary: str
    """One sentence for people."""
    evidence: str
    """The fact behind it ("24 → 14")."""
    remedy: str
    """What to do instead of consenting."""
    consent: str | None
    """The very option that lets it through; None where nothing does."""
    component: str | None
    setting: str | None = None
    """Key in environment.yaml that decides what it is about ("components.config.bucket.name"), several with ", "
    between them; the component's own where no setting does."""
    consented_by: str | None = None
    """Who or what let it through: an option, or a waiver with its reason and expiry."""
    status: Status = Status.FAIL
    controls: tuple[str, ...] = ()
    """Requirements that it decides ("cis-7.0:2.9"), the one that was asked for first."""
    calls: tuple[Call, ...] = ()
    """What AWS was asked for it."""
    id: str | None = None
    """Of an audit: the same in every report that finds the same of the same; None for what no report compares."""
    facts: tuple[str, ...] | None = None
    """Of an audit: what is wrong, problem by problem, for the comparison of reports; None: the evidence is all."""
    part: str = ""
    """Of an audit: what tells it from others with its id; empty for the only one, or the main one."""

    @property
    def address(self) -> str | None:
        """Terraform address of the resource."""
        return self.resource.address

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of an apply."""
        wrong = self.status in (Status.FAIL, Status.UNKNOWN)
        return wrong and self.severity is not Severity.NOTE and self.consented_by is None

    @property
    def subject(self) -> str:
        """What a consent or waiver names: a requirement, or the resource, with the attribute if it is about one."""
        if self.rule.waiver is Names.REQUIREMENT and self.controls:
            return self.controls[0]
        return f"{self.resource.name}.{self.attribute}" if self.attribute else self.resource.name

    @property
    def verdict(self) -> str:
        """One word for people: "consented", how severe it is if it fails, or its status."""
        if self.consented_by is not None:
            return "consented"
        return (self.severity.value if self.status is Status.FAIL else self.status.value).replace("-", " ")


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order in which people should see them."""
    return tuple(sorted(findings, key=lambda f: (not f.blocks, f.severity.rank, f.subject)))
