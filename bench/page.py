"""The page of an audit in Chromium: `bench/page.py [FINDINGS]`, 50,000 unless it is said.

Printed are medians, in a browser that is warm: how long the page takes to be made here, its size, its first contentful
paint (goal: 1 s), when the list of findings is there, what one letter typed into the filter takes until the list is
drawn (goal: 100 ms), and its elements.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))

import chromium  # noqa: E402

from toolkit.audit.model import Answers, Outcome, Result  # noqa: E402
from toolkit.audit.registry import checks  # noqa: E402
from toolkit.audit.report import Audit  # noqa: E402
from toolkit.controls.catalogue import DEFAULT_FRAMEWORK, frameworks  # noqa: E402
from toolkit.findings import Status  # noqa: E402
from toolkit.reports.audit_html import render  # noqa: E402
from toolkit.resources.reading import Live  # noqa: E402

ROUNDS = 7
ACCOUNT, HOME = "111122223333", "eu-central-1"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
TYPED = """(async () => {
  const input = document.getElementById("by-text");
  const began = performance.now();
  input.value = %r;
  input.dispatchEvent(new Event("input"));
  document.body.getBoundingClientRect();
  return performance.now() - began;
})()"""


def account(findings: int) -> Audit:
    """An account whose users fail four checks of keys and passwords."""
    names = (
        "iam_rotate_access_key_90_days",
        "iam_user_accesskey_unused",
        "iam_user_mfa_enabled_console_access",
        "iam_user_two_active_access_key",
    )

    def outcome(n: int) -> Outcome:
        name = f"first.last-{n}"
        arn = f"arn:aws:iam::{ACCOUNT}:user/team-{n % 40}/{name}"
        said = f"access key 1 of the user {name!r} has not been used for {n % 700 + 90} days"
        return Outcome(Status.FAIL, said, Live({"user": name}, {}, name, None, arn, type="aws_iam_user"))

    each = findings // len(names)
    results = [Result(checks()[name], HOME, tuple(map(outcome, range(each))), Answers({}).calls) for name in names]
    others = [check for check in checks().values() if check.id not in names]
    results += [Result(check, HOME, (Outcome(Status.PASS, "as it should be"),), ()) for check in others]
    framework = tuple(one for one in frameworks() if one.name == DEFAULT_FRAMEWORK)
    return Audit(
        account_id=ACCOUNT,
        caller=f"arn:aws:iam::{ACCOUNT}:user/audit",
        environment="prod",
        simulated=False,
        taken=datetime.now(UTC),
        home=HOME,
        regions=(HOME,),
        off=(),
        frameworks=framework,
        results=tuple(results),
        waivers=(),
        calls=1,
        max_calls=20_000,
    )


def measured(page: Any, file: Path) -> tuple[float, float, list[float]]:
    """First paint, when the list is there, and what letters take, in milliseconds."""
    page.open(file)
    page.wait("document.documentElement.dataset.ready")
    ready = page.run("performance.now()")
    paint = page.run(PAINT)
    return paint, ready, [page.run(TYPED % text) for text in ("l", "last", "last-1234", "nothing has this", "")]


def main(findings: int) -> None:
    """Print what it takes."""
    found = account(findings)
    began = time.perf_counter()
    text = render(found)
    made = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder, chromium.Browser() as browser:
        file = Path(folder) / "page.html"
        file.write_text(text, "utf-8")
        page = browser.page()
        page.open(file)
        runs = [measured(page, file) for _ in range(ROUNDS)]
        elements = page.run("document.getElementsByTagName('*').length")
    typed = [one for _, _, times in runs for one in times]
    print(f"audit page, {len(found.findings):,} findings: {len(text.encode()) / 1e6:.1f} MB, made in {made:.1f} s")
    print(f"  first contentful paint      {statistics.median(p for p, _, _ in runs):6.0f} ms  (goal: 1,000)")
    print(f"  the list of findings ready  {statistics.median(r for _, r, _ in runs):6.0f} ms")
    print(f"  filtering by text           {statistics.median(typed):6.0f} ms  (goal: 100), {max(typed):.0f} at most")
    print(f"  elements                    {elements:6,}")


if __name__ == "__main__":
    if chromium.WHERE is None:
        raise SystemExit(chromium.ABSENT)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
