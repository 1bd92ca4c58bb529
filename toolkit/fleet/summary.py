"""What a command came to in many environments: dangers, odd ones, what is alike.

Every environment has exactly one place in a Summary, and every change is kept once with all environments that have it.
`toolkit.fleet.grouping` makes it; the reports read it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from toolkit.errors import ExitCode
from toolkit.fleet.outcome import fold

_LISTED_REGIONS = 3


class Kind(Enum):
    """What an entry is about."""

    ACCESS = "access"
    """Who gains or loses a right by a plan, or that this is not known."""
    CHANGE = "change"
    """Of a resource, by a plan or an apply, or outside of Terraform."""
    OUTPUT = "output"
    FILE = "file"
    """A rendered one."""
    CHECK = "check"
    """Of an audit, that fails or is unknown; of `controls`, a requirement that nothing meets."""
    FINDING = "finding"
    """That blocks, or that somebody consented to."""
    IRREVERSIBLE = "irreversible"


CHANGES = (Kind.CHANGE, Kind.OUTPUT, Kind.FILE, Kind.CHECK)
"""Without any of these, an environment is unchanged."""


@dataclass(frozen=True)
class Attribute:
    """A value that changes."""

    path: str
    before: Any
    """As the document has it, with placeholders."""
    after: Any
    forces_replacement: bool = False


@dataclass(frozen=True)
class Entry:
    """One thing that is the same wherever it is: texts have placeholders where environments differ."""

    kind: Kind
    word: str
    """Action of a change ("create"; of drift "differs" or "gone"), severity of a finding, "consented"; of access
    "gains", "loses" or "unknown"."""
    subject: str
    """Who gains or loses, address, name of an output or a file, id of a check."""
    type: str | None = None
    component: str | None = None
    attributes: tuple[Attribute, ...] = ()
    imported: bool = False
    previous_address: str | None = None
    rule: str | None = None
    summary: str = ""
    evidence: str = ""
    remedy: str = ""

    @property
    def is_only_tags(self) -> bool:
        """Whether nothing but tags is updated, which is of little interest to a reviewer."""
        tags = ("tags.", "tags[", "tags_all")
        return (
            self.word == "update"
            and bool(self.attributes)
            and all(one.path.startswith(tags) for one in self.attributes)
        )

    @property
    def counts(self) -> bool:
        """Whether it counts as a change: Terraform counts no outputs, and findings are about changes."""
        return self.kind in (Kind.CHANGE, Kind.FILE, Kind.CHECK)


@dataclass(frozen=True)
class Place:
    """Regions in which environments have an entry."""

    regions: tuple[str, ...]
    """Sorted; one stands there twice where the entry is there twice. Empty where there are no regions."""
    environments: tuple[str, ...] | None
    """None: all of those that the entry is shown for."""


@dataclass(frozen=True)
class Item:
    """An entry with how often and where it is in some environments."""

    entry: Entry
    home: int
    """How often it is in the home region, in each of the environments."""
    others: int
    """How often it is in other regions, in each of them."""
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        """How often it is in each of them."""
        return self.home + self.others

    @property
    def where(self) -> str:
        """ "eu-central-1", "4 regions"; empty where there are no regions."""
        regions = self.places[0].regions
        if len(self.places) == 1 and len(regions) <= _LISTED_REGIONS:
            return ", ".join(regions)
        return f"{self.count} regions" if self.count > 1 else "the home region" if self.home else "one region"


@dataclass(frozen=True)
class Member:
    """One environment."""

    environment: str
    account_id: str | None
    """None where its command failed before it said so."""
    region: str | None
    """Its home region, where the document says so."""
    exit_code: int
    seconds: float
    blocking: tuple[Mapping[str, Any], ...] = ()
    """The findings that block, as its document has them."""
    error: Mapping[str, Any] | None = None
    gains: int = 0
    """Principals that its plan gives a right."""
    losses: int = 0
    """Principals that its plan takes a right from."""

    @property
    def consents(self) -> tuple[str, ...]:
        """The options that would let its findings through, in a run over many environments."""
        given = (f["consent"] for f in self.blocking if f.get("consent"))
        return tuple(dict.fromkeys(consent_of(self.environment, one) for one in given))


def consent_of(environment: str, consent: str) -> str:
    """A consent of one environment ("--allow-weaker ADDRESS") as a run over many takes it ("…=ENV:ADDRESS").

    It is one word, which no line is wrapped in: it can be copied. A consent without an address is given to one
    environment alone.
    """
    option, separator, subject = consent.partition(" ")
    return f"{option}={environment}:{subject}" if separator else f"{option} ({environment} alone)"


@dataclass(frozen=True)
class Difference:
    """How a set of changes differs from the group that is most like it."""

    group: int | None
    """Its number; None: the environments without changes."""
    more: tuple[Item, ...]
    less: tuple[Item, ...]
    other: tuple[tuple[Item, Item], ...]
    """The same resource, changed otherwise: here, and in the group."""


@dataclass(frozen=True)
class Group:
    """Environments with the very same changes."""

    number: int
    """From 1, in the order of the summary."""
    members: tuple[Member, ...]
    """None where it is only what most environments have in common."""
    items: tuple[Item, ...]
    near: int
    """How many other environments are compared with it."""


@dataclass(frozen=True)
class Outlier:
    """Environments whose set of changes is unlike the groups."""

    members: tuple[Member, ...]
    items: tuple[Item, ...]
    """All that is changed there."""
    difference: Difference | None
    """None where there is no group with which it has anything in common."""


@dataclass(frozen=True)
class Danger:
    """Environments that failed, or that would be left in danger, for the same reason and with the same changes."""

    code: str
    """ "refused", "weaker" (drift), or that of the error ("locked")."""
    members: tuple[Member, ...]
    findings: tuple[Item, ...]
    """What blocks, the worst first; empty for a failure."""
    items: tuple[Item, ...]
    """All that would be changed there."""
    difference: Difference | None
    """None where there is no group with which it has anything in common, and where there are no changes."""

    @property
    def error(self) -> Mapping[str, Any] | None:
        """That of the first environment; the others' say the same of themselves."""
        return self.members[0].error

    @property
    def is_alike(self) -> bool:
        """Whether the environments' errors are the same to the letter."""
        return all(one.error == self.members[0].error for one in self.members)


@dataclass(frozen=True)
class Cost:
    """Something that starts to bill."""

    what: str
    count: int
    monthly_usd: float | None
    """None where all depends on usage."""
    driver: str | None


@dataclass(frozen=True)
class Summary:
    """What a command came to in many environments."""

    command: str
    dangers: tuple[Danger, ...]
    """The worst first, and of those alike the ones in the fewest environments."""
    outliers: tuple[Outlier, ...]
    """Those that differ most first."""
    groups: tuple[Group, ...]
    """What deletes or replaces first, then the largest."""
    unchanged: tuple[Member, ...]
    not_run: Mapping[str, str]
    """Environment → why its command was not run."""
    costs: tuple[Cost, ...]

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Every environment whose command was run, sorted by name."""
        parts: list[Danger | Outlier | Group] = [*self.dangers, *self.outliers, *self.groups]
        found = [member for part in parts for member in part.members]
        return tuple(sorted((*found, *self.unchanged), key=lambda m: m.environment))

    @property
    def total(self) -> int:
        """How many environments there are, those included whose command was not run."""
        return len(self.members) + len(self.not_run)

    @property
    def exit_code(self) -> ExitCode:
        """The one of the whole run."""
        return fold(m.exit_code for m in self.members)
