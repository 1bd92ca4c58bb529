"""Records the audit whose page the documentation shows: `scripts/record_audit.py`, some minutes; then `make docs`.

An embedded AWS gets users and access keys. It is audited, gets the baseline of environments/sandbox with real
Terraform, as in `make demo`, and is audited again, with the first audit as its baseline. What moto cannot have is put
into its answers: keys of different ages (AGES), since all that it creates are new. Out: docs/images/audit.json, the
second report with the figures of both; of each finding, what the page shows alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from toolkit.audit.baseline import Baseline, read_baseline
from toolkit.audit.facts import CredentialReport
from toolkit.audit.history import Point
from toolkit.audit.report import Audit
from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
from toolkit.paths import Project
from toolkit.plan.facts import Source
from toolkit.reports.audit import audit_data
from toolkit.resources.reading import Live
from toolkit.sandbox import control
from toolkit.workflows.apply import apply_bundle
from toolkit.workflows.audit import audit, chosen
from toolkit.workflows.coverage import chosen as frameworks
from toolkit.workflows.discover import Account, of_workspace
from toolkit.workflows.fix import proposed
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import make_plan
from toolkit.workflows.workspace import Access, Workspace, open_workspace, sandbox_folder

ROOT = Path(__file__).resolve().parents[1]
NAME = "sandbox"
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
RECORD = ROOT / "docs" / "images" / "audit.json"
AGES: Mapping[str, tuple[tuple[int, int | None], ...]] = {
    "anna": ((233, 61),),
    "bert": ((96, None),),
    "carla": ((40, 1),),
    "deploy": ((412, 0), (3, 0)),
    "reports": ((131, 3),),
}
"""User → age of each key, and how long ago it was used; None: never."""
NOW = datetime.now(UTC).replace(microsecond=0)
SHOWN = ("cis-", "fsbp")
"""Frameworks that are recorded of each finding."""


class Loud(Observer):
    """Says what happens."""

    def stage(self, text: str, steps: int | None = None) -> None:
        sys.stderr.write(f"{text}\n")


def people(workspace: Workspace) -> None:
    """Users as many accounts have them: of people and of programs, with keys, and some with passwords."""
    iam = workspace.aws.client("iam", REGIONS[0])
    for name, keys in AGES.items():
        iam.create_user(UserName=name)
        for _ in keys:
            iam.create_access_key(UserName=name)
    for name in ("anna", "bert"):
        iam.create_login_profile(UserName=name, Password="Correct-horse-battery-1")  # noqa: S106


def aged() -> None:
    """Give keys their ages, whenever the credential report is read."""
    read = CredentialReport.read

    def with_ages(fact: CredentialReport, source: Source) -> tuple[Live, ...]:
        return tuple(map(_aged, read(fact, source)))

    CredentialReport.read = with_ages  # type: ignore[method-assign]


def _aged(row: Live) -> Live:
    ages = AGES.get(row.values["user"], ())
    keys = list(row.values["keys"])
    for number, (age, used) in enumerate(ages):
        last = None if used is None else NOW - timedelta(days=used)
        keys[number] = {**keys[number], "last_rotated": NOW - timedelta(days=age), "last_used": last}
    created = NOW - timedelta(days=max((age for age, _ in ages), default=0) + 1)
    return replace(row, values={**row.values, "keys": keys, "created": created})


def audited(account: Account, observer: Observer, baseline: Baseline | None = None) -> Audit:
    """The account as it is."""
    every = frameworks([DEFAULT_FRAMEWORK])
    return audit(account, chosen(), REGIONS, every, observer, baseline=baseline)


def figures(point: Point) -> dict[str, Any]:
    """What a trend shows of an audit."""
    return {
        "taken": point.taken.astimezone(UTC).isoformat(),
        "failed": {severity.value: count for severity, count in point.failed.items()},
        "coverage": {name: [one.met, one.of] for name, one in point.coverage.items()},
    }


def main() -> None:
    """Write the record."""
    observer = Loud()
    aged()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for folder in ("modules", f"environments/{NAME}"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".toolkit", ".terraform*"))
        project = Project(root)
        folder = sandbox_folder(project)
        control.up(folder, account_id="123456789012", owner=os.getpid())
        try:
            workspace = open_workspace(project, NAME, Access(process=True), observer)
            people(workspace)
            first = audited(of_workspace(project, workspace), observer)
            file = root / "first.json"
            file.write_text(json.dumps(audit_data(first)), "utf-8")
            plan = make_plan(workspace, observer, keep=False)
            assert plan.saved is not None, "the plan has no blocking finding"
            apply_bundle(workspace, plan.saved, observer)
            last = audited(of_workspace(project, workspace), observer, read_baseline(file))
            last = proposed(project, NAME, last)
        finally:
            control.down(folder)
    report: dict[str, Any] = audit_data(last)
    for one in (*report["findings"], *report["checks"]):
        one["controls"] = [control for control in one["controls"] if control.startswith(SHOWN)]
    for one in report["findings"]:
        one["calls"] = one["calls"][:2]
    record = {"report": report, "points": [figures(first.point), figures(last.point)]}
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
