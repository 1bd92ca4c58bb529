"""An audit as one HTML file for people: coverage, change, ages of access keys, places, and every finding.

In: an Audit. Out: the page. It shows what the JSON report has, and nothing else: pictures are drawn here, as SVG in
templates/reports/charts; the list of findings is made in the browser (templates/reports/audit.js) from data that the
page carries. Without scripts, and in print, all that failed is there as tables.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from toolkit.audit.fixes import Cost, Fix, Kind, Setting
from toolkit.audit.history import Point
from toolkit.audit.report import Audit
from toolkit.findings import Severity
from toolkit.reports import page
from toolkit.reports.audit import audit_data, cost_words, edit_words
from toolkit.reports.audit_charts import age_chart, coverage_chart, trend_chart
from toolkit.reports.audit_words import ACCOUNT, CHANGES, MARKS, VERDICTS, WORDS, day, minute, moment
from toolkit.reports.text import many
from toolkit.visible import shortened

_ROWS = 1000
"""Findings in the tables for print and for browsers without scripts; with scripts, a print has all of them."""
_BEFORE = 100
"""Findings of the baseline in such a table."""


def render(audit: Audit) -> str:
    """The page."""
    points = [*(audit.history.points if audit.history else ()), audit.point]
    return page_of(audit_data(audit), points, comparable=audit.is_trend_comparable)


def recognises(text: str) -> bool:
    """Whether a text is such a page."""
    return page.recognises(text, page.AUDIT)


def page_of(data: Mapping[str, Any], points: Sequence[Point] = (), *, comparable: bool = True) -> str:
    """The page of a JSON report (docs/output.schema.json).

    Args:
        data: The report.
        points: Figures of audits of the account, the oldest first, with those of this one.
        comparable: Whether the first and the last of them are of the same checks and regions.
    """
    shown = _Page(data, points, comparable=comparable)
    return page.render(
        "audit.html.j2",
        page.AUDIT,
        styles=("page.css", "audit.css"),
        script="audit.js",
        page=shown.values,
        newline="\n",
    )


class _Page:
    """What the template shows of a report."""

    def __init__(self, data: Mapping[str, Any], points: Sequence[Point], *, comparable: bool) -> None:
        self._data = data
        self._checks = {check["id"]: check for check in data["checks"]}
        self._findings = [(finding, _verdict(finding)) for finding in data["findings"]]
        account, environment = data["account_id"], data["environment"]
        frameworks = [coverage_chart(one, self._checks) for one in data["frameworks"]]
        keys = data["access_keys"]
        self.values: dict[str, Any] = {
            "title": f"Audit of {environment or account}, {day(moment(data['taken']))}",
            "name": environment or f"Account {account}",
            "simulated": data["simulator"] is not None,
            "under": " · ".join(filter(None, (environment and f"Account {account}", minute(moment(data["taken"]))))),
            "frameworks": frameworks,
            "baseline": self._baseline(),
            "trend": trend_chart(points, comparable=comparable) if len(points) > 1 else None,
            "access": age_chart(keys["keys"], moment(keys["generated"])) if keys is not None else None,
            "matrix": self._matrix(),
            "groups": self._groups(),
            "facts": self._facts(),
            "remarks": self._remarks(),
            "footer": f"Made by aws-baseline-toolkit {self._version}. This page loads nothing, and sends nothing.",
        }
        self.values |= {
            "lead": self._lead(frameworks),
            "figures": self._figures(frameworks),
            "sections": [
                (one, name)
                for one, name, there in (
                    ("coverage", "Coverage", frameworks),
                    ("changes", "Changes", self.values["baseline"]),
                    ("trend", "Trend", self.values["trend"]),
                    ("keys", "Access keys", self.values["access"]),
                    ("where", "Services and regions", True),
                    ("findings", "Findings", True),
                    ("remarks", "Remarks", self.values["remarks"]),
                )
                if there
            ],
            "data": page.embedded(page.shown(self._embedded())),
        }

    @property
    def _version(self) -> str:
        return str(self._data["toolkit"])

    def _count(self, *verdicts: str) -> int:
        return sum(verdict in verdicts for _, verdict in self._findings)

    def _severities(self) -> dict[str, int]:
        failed = [finding["severity"] for finding, verdict in self._findings if verdict == "fail"]
        return {one.value: failed.count(one.value) for one in Severity}

    @property
    def _unread(self) -> int:
        """Checks that could not be read somewhere; the status of one that fails elsewhere does not say so."""
        return len({finding["rule"] for finding, verdict in self._findings if verdict == "unknown"})

    def _lead(self, frameworks: Sequence[Mapping[str, Any]]) -> str:
        severities = self._severities()
        worst = [f"{n:,} {word}" for word, n in severities.items() if n and word in ("critical", "high")]
        failed = sum(severities.values())
        said = [f"{one['title']}: {one['met']} of {one['of']} requirements are met." for one in frameworks[:1]]
        if failed:
            said.append(f"{many(failed, 'finding')} failed{', of which ' + ' and '.join(worst) if worst else ''}.")
        elif not self._count("waived"):
            said.append("No check failed.")
        if waived := self._count("waived"):
            more = "more " if failed else ""
            said.append(f"{waived:,} {more}finding{'' if waived == 1 else 's'} failed and {_is(waived)} waived.")
        if unread := self._unread:
            said.append(f"{many(unread, 'check')} could not be read in full, and {_is(unread)} unknown there.")
        return " ".join(said)

    def _figures(self, frameworks: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        severities = self._severities()
        failed, waived, unread, every = sum(severities.values()), self._count("waived"), self._unread, len(self._checks)
        more = [*(f"{n:,} {word}" for word, n in severities.items() if n), *([f"{waived:,} waived"] if waived else [])]
        found = [
            {
                "kind": "good" if one["met"] == one["of"] else "",
                "number": f"{one['met'] * 100 // max(one['of'], 1)} %",
                "of": "",
                "what": f"of {one['title']} met",
                "more": f"{one['met']} of {one['of']} requirements",
            }
            for one in frameworks[:1]
        ]
        found.append(
            {
                "kind": "bad" if failed else "" if waived else "good",
                "number": f"{failed:,}",
                "of": "",
                "what": "findings failed" if failed != 1 else "finding failed",
                "more": ", ".join(more) or "none at any severity",
            }
        )
        found.append(
            {
                "kind": "open" if unread else "good",
                "number": f"{every - unread:,}",
                "of": f"of {every:,}",
                "what": "checks answered in full",
                "more": f"{unread:,} could not be read in full, and never count{'s' if unread == 1 else ''} as passed"
                if unread
                else "nothing was unreadable",
            }
        )
        if (baseline := self._data["baseline"]) is not None:
            changes = baseline["changes"]
            found.append(
                {
                    "kind": "bad" if changes["new"] else "good",
                    "number": f"{changes['new']:,}",
                    "of": "new",
                    "what": f"{changes['fixed']:,} fixed",
                    "more": f"since {day(moment(baseline['taken']))}",
                }
            )
        else:
            regions = self._data["regions"]
            found.append(
                {
                    "kind": "",
                    "number": f"{len(regions):,}",
                    "of": "",
                    "what": f"region{'' if len(regions) == 1 else 's'} audited",
                    "more": shortened(regions, 1),
                }
            )
        return found

    def _facts(self) -> list[tuple[str, str]]:
        data = self._data
        calls, most = data["calls"], data["max_calls"]
        reading = f"read only, {calls:,} of at most {most:,} calls of AWS"
        if calls >= most:
            reading += "; the limit is reached" + (", and what was left is unknown" if self._unread else "")
        if unread := self._unread:
            reading += f"; {many(unread, 'check')} not answered in full"
        facts = [
            ("Account", data["account_id"] + (" on the embedded AWS" if data["simulator"] else "")),
            ("Environment", data["environment"] or "none: the account has no environment file"),
            ("Read by", data["caller"]),
            ("Regions", ", ".join(data["regions"])),
            ("Reading", reading),
            ("Toolkit", self._version),
        ]
        if data["regions_off"]:
            facts.append(("Not enabled, not read", ", ".join(data["regions_off"])))
        if data["access_keys"] is not None:
            facts.append(("Credential report", f"of {minute(moment(data['access_keys']['generated']))}"))
        return facts

    def _remarks(self) -> list[str]:
        data = self._data
        return [
            *(f"The waiver of {one!r} matches no requirement of the checks that ran." for one in data["idle_waivers"]),
            *(f"The attestation of {one!r} answers no check that ran." for one in data["idle_attestations"]),
            *(["No fixes are proposed: environment.yaml cannot be rendered."] if data["no_fixes"] else []),
            *data["no_fixes"],
        ]

    def _baseline(self) -> dict[str, Any] | None:
        found = self._data["baseline"]
        if found is None:
            return None
        before = found["findings"]
        kinds = {"new": "bad", "fixed": "good"}
        return {
            "taken": minute(moment(found["taken"])),
            "figures": [
                {"name": name, "kind": kinds.get(name, ""), "number": f"{found['changes'][name]:,}", "what": words}
                for name, words in CHANGES.items()
                if found["changes"][name] or name in ("new", "fixed", "unchanged")
            ],
            "before": [{**one, "change": CHANGES[one["change"]]} for one in before[:_BEFORE]],
            "left_out": f"{len(before) - _BEFORE:,}" if len(before) > _BEFORE else "",
        }

    def _place(self, finding: Mapping[str, Any]) -> str:
        """The column of a finding: its region, or the account."""
        check = self._checks.get(finding["rule"])
        return str(finding["region"]) if check is None or check["regional"] else ACCOUNT

    def _service(self, rule: str) -> str:
        return str(self._checks[rule]["service"]) if rule in self._checks else "other"

    def _matrix(self) -> dict[str, Any]:
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for finding, verdict in self._findings:
            of = counts.setdefault((self._service(finding["rule"]), self._place(finding)), {})
            of[verdict] = of.get(verdict, 0) + 1
        places = {place for _, place in counts}
        columns = [one for one in (ACCOUNT, *self._data["regions"]) if one in places]
        columns += sorted(places.difference(columns))

        def cell(service: str, place: str) -> dict[str, Any] | None:
            of = counts.get((service, place))
            if of is None:
                return None
            fail, unknown = of.get("fail", 0), of.get("unknown", 0)
            return {
                "place": place,
                "fail": fail,
                "unknown": unknown,
                "waived": of.get("waived", 0),
                "passed": of.get("pass", 0) + of.get("attested", 0),
                "said": f"{service}, {place}: {fail} failed, {unknown} unknown; show them",
            }

        def weight(service: str) -> tuple[int, int, str]:
            of = [found for (name, _), found in counts.items() if name == service]
            return -sum(one.get("fail", 0) for one in of), -sum(one.get("unknown", 0) for one in of), service

        services = sorted({service for service, _ in counts}, key=weight)
        rows: list[dict[str, Any]] = [
            {"service": one, "cells": [cell(one, place) for place in columns]} for one in services
        ]
        kinds = ("fail", "unknown", "waived", "passed")
        idle = [row for row in rows if not any(c[kind] for c in row["cells"] if c for kind in kinds)]
        return {
            "columns": [c if c != ACCOUNT else "Account" for c in columns],
            "rows": [row for row in rows if row not in idle],
            "idle": ", ".join(row["service"] for row in idle),
        }

    def _groups(self) -> list[dict[str, Any]]:
        """What failed, is unknown or is waived, by check, the worst first."""
        grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for finding, verdict in self._findings:
            if verdict in ("fail", "unknown", "waived"):
                grouped.setdefault((verdict, finding["rule"]), []).append(finding)
        rank = {one.value: one.rank for one in Severity}
        order = ("fail", "unknown", "waived")
        keys = sorted(grouped, key=lambda k: (order.index(k[0]), min(rank[f["severity"]] for f in grouped[k]), k[1]))
        groups: list[dict[str, Any]] = []
        room = _ROWS
        for verdict, rule in keys:
            found = grouped[verdict, rule]
            shown, room = found[:room], max(0, room - len(found))
            severity = min((f["severity"] for f in found), key=rank.__getitem__)
            check: Mapping[str, Any] = self._checks.get(rule, {})
            fix = check.get("fix") if verdict == "fail" else None
            groups.append(
                {
                    "verdict": verdict,
                    "check": rule,
                    "name": severity if verdict == "fail" else verdict,
                    "word": severity if verdict == "fail" else WORDS[verdict],
                    "mark": MARKS[verdict],
                    "title": check.get("title", rule),
                    "count": many(len(found), "finding"),
                    "controls": _controls(check.get("controls", ())),
                    "next": found[0]["remedy"],
                    "fix": _fix(fix) if fix else None,
                    "rows": [
                        {
                            "region": one["region"],
                            "evidence": one["evidence"],
                            "resource": _resource(one),
                            "consented_by": one["consented_by"],
                        }
                        for one in shown
                    ],
                    "left_out": f"{len(found) - len(shown):,}" if len(found) > len(shown) else "",
                    "shown": len(shown),
                }
            )
        return groups

    def _embedded(self) -> dict[str, Any]:
        """All findings by column; a number stands for a place in a table, a string for itself."""
        words, checks, services, regions, remedies, prefixes = (_Table[str]() for _ in range(6))
        calls = _Table[tuple[_Call, ...]]()
        once = _once([finding["evidence"] for finding, _ in self._findings])
        columns: dict[str, list[Any]] = {
            name: []
            for name in (
                *("check", "verdict", "severity", "place", "region", "change"),
                *("evidence", "prefix", "resource", "remedy", "consent", "calls"),
            )
        }
        severities = [one.value for one in Severity]
        verdicts, changes = list(VERDICTS), list(CHANGES)

        def add(**row: Any) -> None:
            for name, values in columns.items():
                values.append(row[name])

        for finding, verdict in self._findings:
            arn = finding["arn"] or finding["type"] or ""
            cut = max(arn.rfind("/"), arn.rfind(":")) + 1
            text = finding["evidence"]
            add(
                check=checks[finding["rule"]],
                verdict=verdicts.index(verdict),
                severity=severities.index(finding["severity"]),
                place=regions[self._place(finding)],
                region=regions[finding["region"]],
                change=changes.index(finding["change"]) if finding["change"] else -1,
                evidence=text if text in once else words[text],
                prefix=prefixes[arn[:cut]],
                resource=arn[cut:],
                remedy=remedies[finding["remedy"]],
                consent=words[finding["consented_by"] or ""],
                calls=calls[tuple((c["action"], c["region"], c["time"], c["request_id"]) for c in finding["calls"])],
            )
        for one in (self._data["baseline"] or {"findings": ()})["findings"]:
            add(
                check=checks[one["rule"]],
                verdict=verdicts.index("earlier"),
                severity=severities.index(one["severity"]),
                place=regions[self._place(one)],
                region=regions[one["region"]],
                change=changes.index(one["change"]),
                evidence=one["evidence"],
                prefix=prefixes[""],
                resource="",
                remedy=remedies[""],
                consent=words[""],
                calls=calls[()],
            )
        return {
            "account": self._data["account_id"],
            "columns": columns,
            "checks": [self._embedded_check(one, services) for one in checks.values],
            "services": services.values,
            "regions": regions.values,
            "frameworks": self._frameworks(),
            "severities": severities,
            "verdicts": [[name, WORDS[name], MARKS[name]] for name in verdicts],
            "changes": list(CHANGES.items()) if self._data["baseline"] else [],
            "words": words.values,
            "prefixes": prefixes.values,
            "remedies": remedies.values,
            "calls": [[_call(*call) for call in one] for one in calls.values],
            "groups": [[g["verdict"], g["check"], g["shown"]] for g in self.values["groups"]],
        }

    def _embedded_check(self, rule: str, services: _Table[str]) -> dict[str, Any]:
        check: Mapping[str, Any] = self._checks.get(rule, {})
        fix = check.get("fix")
        return {
            "id": rule,
            "title": check.get("title", rule),
            "service": services[self._service(rule)],
            "controls": list(check.get("controls", ())),
            "fix": _fix(fix) if fix else None,
        }

    def _frameworks(self) -> list[str]:
        named = dict.fromkeys(
            control.partition(":")[0] for check in self._checks.values() for control in check["controls"]
        )
        first = [one["name"] for one in self._data["frameworks"]]
        return [*first, *sorted(name for name in named if name not in first)]


_Call = tuple[str, str, str, str | None]
"""Action, region, time, request id."""


def _call(action: str, region: str, time: str, request: str | None) -> list[str]:
    return [action, region, f"{moment(time):%Y-%m-%d %H:%M:%S} UTC", request or ""]


V = TypeVar("V", bound=Hashable)


class _Table(Generic[V]):
    """Values by their place, each once."""

    def __init__(self) -> None:
        self._places: dict[V, int] = {}

    def __getitem__(self, value: V) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[V]:
        return list(self._places)


def _once(values: Iterable[str]) -> set[str]:
    """Those that are there only once: a table would only lengthen them."""
    once: set[str] = set()
    more: set[str] = set()
    for value in values:
        (more if value in once else once).add(value)
    return once - more


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _verdict(finding: Mapping[str, Any]) -> str:
    return "waived" if finding["status"] == "fail" and finding["consented_by"] else str(finding["status"])


def _resource(finding: Mapping[str, Any]) -> str:
    return finding["arn"] or finding["type"] or f"account {finding['account_id']}"


def _controls(controls: Iterable[str]) -> str:
    return ", ".join(one.replace(":", " ") for one in controls if one.startswith("cis-"))


def _fix(data: Mapping[str, Any]) -> dict[str, Any]:
    """A fix in words, and its diff by lines."""
    fix = Fix(
        check="",
        component=data["component"],
        kind=Kind(data["kind"]),
        settings=tuple(Setting(tuple(one["path"]), one["value"]) for one in data["settings"]),
        note=data["note"],
        costs=tuple(Cost(c["what"], c["monthly_usd"], c["driver"], c["basis"] or "") for c in data["costs"]),
        diff=data["diff"],
    )
    return {
        "words": edit_words(fix),
        "costs": cost_words(fix.costs) if fix.settings else [],
        "diff": fix.diff.splitlines(),
    }
