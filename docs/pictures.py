"""Draws the pictures of the documentation from recorded reports, with Chromium; without one they stay as they are.

A picture is drawn again only if the page in it is another one: its PNG carries the SHA-256 of what it was drawn from,
since fonts and Chromium's version make other bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from toolkit.audit.history import Coverage, Point
from toolkit.components.registry import REGISTRY
from toolkit.findings import Severity
from toolkit.findings.data import Record
from toolkit.plan.model import Attribution, parse_plan
from toolkit.reports import html
from toolkit.reports.audit_html import page_of
from toolkit.reports.view import PlanView
from toolkit.terraform.bundle import Manifest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import chromium  # noqa: E402

IMAGES = ROOT / "docs" / "images"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEY = b"source"


@dataclass(frozen=True)
class Picture:
    """One picture."""

    name: str
    """In docs/images."""
    page: Callable[[], str]
    """The HTML that is drawn."""
    before: str
    """What a script does first."""
    height: int
    width: int = 1100

    def source(self) -> str:
        """The digest of what decides how it looks."""
        parts = (self.page(), self.before, str(self.width), str(self.height))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def audit_page() -> str:
    """The page of the recorded audit (scripts/record_audit.py)."""
    record = json.loads((IMAGES / "audit.json").read_text("utf-8"))
    points = [
        Point(
            taken=datetime.fromisoformat(one["taken"]),
            account_id=record["report"]["account_id"],
            simulated=True,
            toolkit=record["report"]["toolkit"],
            checks={},
            failed={severity: one["failed"][severity.value] for severity in Severity},
            coverage={name: Coverage(*counts) for name, counts in one["coverage"].items()},
        )
        for one in record["points"]
    ]
    return page_of(record["report"], points)


def plan_page() -> str:
    """The page of a recorded plan, which tests/unit/reports reads, too."""
    recorded = ROOT / "tests" / "plans" / "reports"
    facts = json.loads((ROOT / "tests" / "unit" / "reports" / "manifest.json").read_text("utf-8"))
    manifest = Manifest(**{**facts, "consents": ()})
    plan = parse_plan(
        json.loads((recorded / "later.json").read_text("utf-8")),
        Attribution(tuple(REGISTRY), (manifest.region,), manifest.region),
    )
    records = TypeAdapter(tuple[Record, ...]).validate_json((recorded / "later.findings.json").read_bytes())
    return html.render(PlanView(plan, manifest, Path("plan.tfbundle"), tuple(one.finding for one in records)))


_FINDINGS = """
const service = document.getElementById("by-service");
service.value = "guardduty";
service.dispatchEvent(new Event("change"));
for (const button of document.querySelectorAll(".open-row")) {
  button.click();
  if (document.querySelector(".more .hcl")) break;
  button.click();
}
document.getElementById("findings").scrollIntoView();
"""
"""Of the findings of one service, the first that a setting fixes is open."""
PICTURES = (
    Picture("audit.png", audit_page, "", 1080),
    Picture("audit-findings.png", audit_page, _FINDINGS, 900),
    Picture("plan.png", plan_page, "", 760, 1000),
)


def draw() -> Iterator[str]:
    """Draw what is another picture now.

    Yields:
        The files that were written.
    """
    stale = [one for one in PICTURES if _source(IMAGES / one.name) != one.source()]
    if not stale or chromium.WHERE is None:
        return
    with tempfile.TemporaryDirectory() as folder, chromium.Browser() as browser:
        for one in stale:
            file = Path(folder) / "page.html"
            file.write_text(one.page(), "utf-8", "backslashreplace")
            page = browser.page(width=one.width, height=one.height)
            page.open(file)
            page.wait("document.documentElement.dataset.ready || !document.querySelector('script')")
            page.run(f"(() => {{{one.before}}})()")
            (IMAGES / one.name).write_bytes(_named(page.picture(), one.source()))
            page.close()
            yield f"docs/images/{one.name}"


def _named(png: bytes, source: str) -> bytes:
    """A PNG with what it was drawn from (https://www.w3.org/TR/png-3/#11tEXt), after its header."""
    data = b"tEXt" + _KEY + b"\0" + source.encode()
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    end = len(_SIGNATURE) + 25
    return png[:end] + chunk + png[end:]


def _source(file: Path) -> str | None:
    """What a PNG was drawn from; None where it does not say."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    at = content.find(b"tEXt" + _KEY + b"\0")
    return content[at + 5 + len(_KEY) :][:64].decode("ascii", "replace") if at >= 0 else None
