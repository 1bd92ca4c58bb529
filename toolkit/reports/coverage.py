"""Coverage of requirements as text, Markdown, JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from toolkit.controls.catalogue import Framework
from toolkit.controls.coverage import Coverage, Status
from toolkit.documents import Document, document
from toolkit.findings import Finding, worst_first
from toolkit.findings.data import reported
from toolkit.reports import table
from toolkit.reports.markdown import prose
from toolkit.visible import joined_lines, json_text


@dataclass(frozen=True)
class CoverageView:
    """Coverage with its circumstances."""

    environment: str
    account_id: str
    regions: tuple[str, ...]
    frameworks: tuple[Framework, ...]
    coverage: Coverage
    idle_waivers: tuple[str, ...] = ()
    """Subjects that name no requirement."""
    waivers_known: bool = True
    """Whether the environment file was there to say what is waived."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The verdicts in the shape of all findings, the worst first."""
        return worst_first(v.finding(self.account_id, self.regions[0]) for v in self.coverage.verdicts)

    def summary(self, framework: str) -> str:
        """ "30 provisioned, 33 audit only, 1 waived, 6 uncovered, of 70 in the catalogue"."""
        counts = {status: self.coverage.count(framework, status) for status in Status}
        parts = [f"{number} {status.value}" for status, number in counts.items() if number]
        return f"{', '.join(parts)}, of {sum(counts.values())} in the catalogue"

    @property
    def limits(self) -> str:
        """What the figures do not say."""
        return (
            f"Computed from what the account has once the plan is applied, for the regions {', '.join(self.regions)}: "
            "benchmarks require every enabled region. Requirements outside of the catalogue are not counted."
            + ("" if self.waivers_known else " Waivers are not included: this is not the environment's project.")
        )


def text(view: CoverageView) -> str:
    """For terminals."""
    lines = [f"Controls of {view.environment}, account {view.account_id}"]
    for framework in view.frameworks:
        lines += ["", f"{framework.title}: {view.summary(framework.name)}"]
        own = [v for v in view.coverage.verdicts if v.framework == framework.name]
        wide = max((len(v.requirement) for v in own), default=0)
        wider = max((len(v.status.value) for v in own), default=0)
        for v in own:
            *titles, last = v.titles
            said = [*titles, f"{last} ({v.why})"] if v.status is Status.PROVISIONED else [*v.titles, v.why]
            first = f"  {v.requirement:<{wide}}  {v.status.value:<{wider}}  "
            lines += [f"{first if at == 0 else ' ' * len(first)}{one}" for at, one in enumerate(said)]
    return joined_lines([*lines, "", view.limits, ""])


def markdown(view: CoverageView) -> str:
    """For pull requests and wikis."""
    parts = [f"# Controls of {prose(view.environment)}\n\nAccount {prose(view.account_id)}. {prose(view.limits)}"]
    for framework in view.frameworks:
        rows = ["| Requirement | Status | What is true then | By, or why not | Related |", f"|{' --- |' * 5}"]
        for v in view.coverage.verdicts:
            if v.framework == framework.name:
                related = "; ".join(f"{name} {', '.join(ids)}" for name, ids in v.related.items())
                cells = (v.requirement, v.status.value, " ".join(v.titles), v.why, related)
                rows.append(f"| {' | '.join(map(prose, cells))} |")
        table = "\n".join(rows)
        parts.append(f"## {prose(framework.title)}\n\n{view.summary(framework.name)}.\n\n{table}")
    return "\n\n".join(parts) + "\n"


def as_json(view: CoverageView) -> str:
    """For scripts; new keys may be added, the version grows when one changes or goes."""
    return json_text(_data(view)) + "\n"


def _data(view: CoverageView) -> Document:
    return document(
        "controls",
        {
            "environment": view.environment,
            "account_id": view.account_id,
            "regions": list(view.regions),
            "limits": view.limits,
            "findings": [reported(f) for f in view.findings],
            "frameworks": [
                {
                    "name": f.name,
                    "title": f.title,
                    "counts": {status.value: view.coverage.count(f.name, status) for status in Status},
                    "requirements": [
                        {
                            "id": v.requirement,
                            "status": v.status.value,
                            "why": v.why,
                            "titles": list(v.titles),
                            "topics": list(v.topics),
                            "related": {name: list(ids) for name, ids in v.related.items()},
                        }
                        for v in view.coverage.verdicts
                        if v.framework == f.name
                    ],
                }
                for f in view.frameworks
            ],
        },
    )


def as_csv(view: CoverageView) -> str:
    """For spreadsheets; ids of related requirements are separated by spaces."""
    return csv_of([_data(view)])


def csv_of(documents: Sequence[Mapping[str, Any]]) -> str:
    """The requirements of several environments, of which these are the documents."""
    found = [
        (d["environment"], f["name"], one) for d in documents for f in d["frameworks"] for one in f["requirements"]
    ]
    related = sorted({name for _, _, one in found for name in one["related"]})
    heading = ["environment", "framework", "requirement", "status", "why", "topics", "titles", *related]
    rows = (
        [
            environment,
            framework,
            one["id"],
            one["status"],
            one["why"],
            " ".join(one["topics"]),
            " ".join(one["titles"]),
            *(" ".join(one["related"].get(name, ())) for name in related),
        ]
        for environment, framework, one in found
    )
    return table.as_csv(heading, rows)


def table_of(documents: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heading and rows of how many requirements have which status, in each environment."""
    heading = ("ENVIRONMENT", "FRAMEWORK", *(status.value.upper() for status in Status))
    counted = [(d["environment"], f) for d in documents for f in d["frameworks"]]
    return heading, [
        (name, f["name"], *(str(f["counts"].get(status.value, 0)) for status in Status)) for name, f in counted
    ]


FORMATS: Mapping[str, Callable[[CoverageView], str]] = MappingProxyType(
    {"text": text, "markdown": markdown, "json": as_json, "csv": as_csv}
)
"""Name in `--format` → format."""
