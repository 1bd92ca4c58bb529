"""The pictures of an audit's page in numbers: where each shape of templates/reports/charts stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from toolkit.audit.access_keys import KEY_DAYS, UNUSED_DAYS
from toolkit.audit.history import Point
from toolkit.findings import Severity
from toolkit.reports.audit_words import MARKS, MET, day, moment
from toolkit.reports.text import many

_WIDTH = 1000
_KEYS = 20
"""Keys that are drawn."""
_LABEL = 24
"""Characters of a user's name beside its bar."""


def coverage_chart(framework: Mapping[str, Any], checks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A framework of a JSON report: one bar, and a tile per requirement.

    Args:
        framework: As the report has it.
        checks: Check of the report by its id.
    """
    requirements = framework["requirements"]
    counts = {name: sum(one["status"] == name for one in requirements) for name in MET}
    segments, x = [], 0.0
    for name, count in counts.items():
        width = count * _WIDTH / max(len(requirements), 1)
        if count:
            segments.append({"name": name, "x": _number(x), "width": _number(width)})
        x += width
    parts: dict[str, list[dict[str, Any]]] = {}
    for one in requirements:
        titles = [str(checks[check]["title"]) for check in one["checks"] if check in checks]
        titles += [f"no check for {topic}" for topic in one["unasked"]]
        word = MET[one["status"]]
        parts.setdefault(re.split(r"[^A-Za-z0-9]", one["id"], maxsplit=1)[0], []).append(
            {
                "id": one["id"],
                "full": f"{framework['name']}:{one['id']}",
                "name": one["status"],
                "word": word,
                "mark": MARKS[one["status"]],
                "title": f"{one['id']} {word}: {' '.join(titles)}",
                "checks": one["checks"],
            }
        )
    key = [
        {"name": name, "mark": MARKS[name], "count": count, "word": MET[name]}
        for name, count in counts.items()
        if count
    ]
    title = str(framework["title"]).partition(" (")[0]
    return {
        "title": title,
        "met": counts["pass"] + counts["attested"],
        "of": len(requirements),
        "said": f"{title}: " + ", ".join(f"{one['count']} {one['word']}" for one in key),
        "segments": segments,
        "legend": key,
        "parts": [{"name": name, "tiles": tiles} for name, tiles in parts.items()],
    }


def age_chart(keys: Sequence[Mapping[str, Any]], generated: datetime) -> dict[str, Any]:
    """Active access keys by age, the oldest drawn.

    Args:
        keys: As a JSON report has them, the oldest first.
        generated: When IAM wrote the credential report.
    """
    ages = [(generated - moment(one["since"])).days for one in keys]
    counted = f"as IAM's credential report of {day(generated)} has them."
    if not keys:
        return {"words": f"There are no active access keys, {counted}", "bars": []}
    left, right, top, step = 210, _WIDTH - 230, 26, 24
    drawn = keys[:_KEYS]
    span = max(*ages, KEY_DAYS + 30)

    def at(days: float) -> float:
        return _number(left + (right - left) * min(max(days, 0), span) / span)

    bars = []
    for number, (one, age) in enumerate(zip(drawn, ages, strict=False)):
        used = (generated - moment(one["last_used"])).days if one["last_used"] else None
        last = "never used" if used is None else f"used {many(used, 'day')} ago" if used > 0 else "used within a day"
        label = f"{one['user']}, key {one['number']}"
        bars.append(
            {
                "y": top + 10 + number * step,
                "label": label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…",
                "whole": label,
                "width": _number(max(at(age) - left, 2)),
                # Beyond the lines of both limits, so that they do not cross the words.
                "end": max(at(age), at(used or 0), at(KEY_DAYS)),
                "used": None if used is None else at(used),
                "old": age > KEY_DAYS,
                "said": f"{many(age, 'day')}, {last}",
            }
        )
    floor = top + 16 + len(drawn) * step
    ticks = _ticks(span)
    old = sum(age > KEY_DAYS for age in ages)
    more = f" The {_KEYS} oldest are drawn." if len(keys) > _KEYS else ""
    words = f"{many(len(keys), 'active access key')}, {counted}{more}"
    return {
        "words": words,
        "said": f"Ages of access keys: {old} of {len(keys)} are older than {KEY_DAYS} days",
        "bars": bars,
        "bands": [
            {"name": "fail", "count": f"{old:,}", "word": f"older than {KEY_DAYS} days"},
            {"name": "pass", "count": f"{len(keys) - old:,}", "word": f"of {KEY_DAYS} days or less"},
        ],
        "width": _WIDTH,
        "height": floor + 44,
        "left": left,
        "floor": floor,
        "ticks": [{"x": at(one), "label": f"{one:,}"} for one in ticks],
        "unused": at(UNUSED_DAYS),
        "limit": at(KEY_DAYS),
        "unused_days": UNUSED_DAYS,
        "limit_days": KEY_DAYS,
    }


def _ticks(span: int) -> list[int]:
    """Round numbers up to a span, four to eight of them."""
    step = next(one for one in (10, 20, 30, 50, 100, 200, 365, 730, 1825, 3650, 10**9) if span / one <= 8)
    return list(range(0, span + 1, step))


def trend_chart(points: Sequence[Point], *, comparable: bool = True) -> dict[str, Any]:
    """What audits of one account found, the oldest first: coverage as a line, failures as columns.

    Args:
        points: Two at least.
        comparable: Whether the first and the last are of the same checks and regions; else nothing is said of how the
            one figure became the other.
    """
    right = _WIDTH - 60
    step = right / len(points)
    wide = min(step * 0.7, 40)
    middles = [step * (number + 0.5) for number in range(len(points))]
    # Of a framework that only some audits were asked about, there is no line.
    name = next((one for one in points[-1].coverage if all(one in point.coverage for point in points)), None)
    line, below = (None, 46) if name is None else (_line(name, points, middles), 190)
    most = max(*(point.all_failed for point in points), 1)
    tall, base = 120, below + 120
    labelled = {0, len(points) - 1}
    days = {*labelled, *range(0, len(points), max(1, len(points) // 6))} if len(points) > 3 else set(range(len(points)))
    columns = []
    for number, (point, middle) in enumerate(zip(points, middles, strict=True)):
        parts, y = [], float(base)
        for severity in reversed(Severity):
            height = point.failed[severity] * tall / most
            y -= height
            if height:
                parts.append({"name": severity.value, "y": _number(y), "height": _number(height)})
        near_end = number not in labelled and len(points) - 1 - number < max(1, len(points) // 6) / 2
        words = ", ".join(f"{point.failed[one]:,} {one.value}" for one in Severity if point.failed[one]) or "none"
        columns.append(
            {
                "x": _number(middle - wide / 2),
                "middle": _number(middle),
                "width": _number(wide),
                "top": _number(y),
                "parts": parts,
                "anchor": "middle",
                "label": f"{point.all_failed:,}" if number in labelled or len(points) <= 12 else "",
                "day": f"{point.taken.day} {point.taken:%b}" if number in days and not near_end else "",
                "title": f"{day(point.taken)}: {words}",
            }
        )
    first, last = points[0], points[-1]
    words = f"{len(points)} audits from {day(first.taken)} to {day(last.taken)}"
    said = f"Trend of {len(points)} audits"
    if comparable:
        words += f": findings that failed went from {first.all_failed:,} to {last.all_failed:,}."
        said += f": {first.all_failed} findings failed at first, {last.all_failed} now"
    else:
        words += ". Checks or regions of the first and the last differ, so their figures are not comparable."
        said += " of different checks or regions, whose figures are not comparable"
    return {
        "words": words,
        "said": said,
        "width": _WIDTH,
        "right": right,
        "height": base + 26,
        "base": base,
        "tall": tall,
        "line": line,
        "columns": columns,
        "legend": [
            {
                "name": one.value,
                "word": f"{one.value}: {first.failed[one]:,} → {last.failed[one]:,}" if comparable else one.value,
            }
            for one in Severity
        ],
    }


def _line(name: str, points: Sequence[Point], middles: Sequence[float]) -> dict[str, Any]:
    top, floor = 30, 120
    dots = []
    for number, (point, x) in enumerate(zip(points, middles, strict=True)):
        found = point.coverage[name]
        y = floor - (floor - top) * found.met / max(found.of, 1)
        ends = number in (0, len(points) - 1)
        dots.append(
            {
                "x": _number(x),
                "y": _number(y),
                "anchor": "middle",
                "title": f"{day(point.taken)}: {found.met} of {found.of} met",
                "label": f"{found.met * 100 // max(found.of, 1)} %" if ends else "",
            }
        )
    return {
        "title": f"Requirements of {name} that are met",
        "top": top,
        "floor": floor,
        "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots),
        "dots": dots,
    }


def _number(value: float) -> float:
    """As SVG needs it, and no longer."""
    return round(value, 1)
