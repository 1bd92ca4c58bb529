"""READMEs of modules: what of them was compared with AWS's documentation, by which source, when; and what never ran."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[3] / "modules"
READMES = sorted(MODULES.rglob("README.md"))
NAMES = [readme.parent.relative_to(MODULES).as_posix() for readme in READMES]

FORM = """
## Checked against AWS

| What | Source | When |
| --- | --- | --- |
| What the module relies on, as one claim | [Title of AWS's page or of a provider issue](https://…) | 2026-11-28 |

Never run against AWS: what of it never ran there, and how far it ran on the embedded AWS.

(before the generated part)
"""
_SECTION = re.compile(r"^## Checked against AWS\n(.*?)(?=^## |^<!-- BEGIN generated)", re.M | re.S)
_TABLE = re.compile(
    r"^\n\| What \| Source \| When \|\n\| --- \| --- \| --- \|\n((?:\|.*\|\n)+)\nNever run against AWS: "
)


@pytest.mark.parametrize(("name", "readme"), list(zip(NAMES, READMES, strict=True)), ids=NAMES)
def test_a_module_says_what_was_checked_against_aws(name: str, readme: Path):
    sections = _SECTION.findall(readme.read_text("utf-8"))
    assert len(sections) == 1, f"modules/{name}/README.md needs one section of this form:\n{FORM}"
    table = _TABLE.match(sections[0])
    assert table, f"modules/{name}/README.md: the section has this form:\n{FORM}"
    for row in table[1].splitlines():
        what, source, when = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        assert what, row
        assert re.search(r"\[[^]]+\]\(https://[^)\s]+\)", source), f"{row}: a link to what was read"
        assert date(2026, 1, 1) <= date.fromisoformat(when), f"{row}: the day on which it was read"
