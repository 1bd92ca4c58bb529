"""The one shape of what a guard or check finds, and of the rule behind it.

In: nothing. Out: frozen values that every format of reports reads. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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


class Source(Enum):
    """What produces a rule's findings: a report lists only the rules that were judged for it."""

    PLAN = "plan"
    CONTROLS = "controls"


class Names(Enum):
    """What the subject of a waiver names."""

    RESOURCE = "a resource's address, with the attribute if the finding is about one"
    REQUIREMENT = "a requirement, like cis-5.0:1.5"


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


@dataclass(frozen=True)
class Finding:
    """One thing to know."""

    rule: Rule
    severity: Severity
    address: str
    """Terraform address."""
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
    region: str
    setting: str | None = None
    """Key in environment.yaml that decides what it is about ("components.config.bucket.name"), several with ", "
    between them; the component's own where no setting does."""
    consented_by: str | None = None
    """Who or what let it through: an option, or a waiver with its reason and expiry."""

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of an apply."""
        return self.severity is not Severity.NOTE and self.consented_by is None

    @property
    def subject(self) -> str:
        """What a consent names: the address, with the attribute where it is about one."""
        return f"{self.address}.{self.attribute}" if self.attribute else self.address
