"""Derives the topics that modules declare themselves: toolkit/controls/own_topics.json.

In: `topics` of modules/*/controls.yaml. Out: topic → service, severity and requirement ids, in the form of
framework_ids.json, which has the topics of the catalogue. A module declares a topic that the catalogue lacks, beside
the claim that it is for. Run by `make docs`; `--check` only compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "toolkit" / "controls" / "framework_ids.json"
TARGET = CATALOGUE.with_name("own_topics.json")
_KEYS = {"service", "severity", "frameworks", "terraform"}


def derive(modules: Path = ROOT / "modules") -> dict[str, dict[str, Any]]:
    """Topic → its facts.

    Raises:
        SystemExit: A topic is known already, or not of the form; the message names file and topic.
    """
    catalogue = json.loads(CATALOGUE.read_text("utf-8"))
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(modules.rglob("controls.yaml")):
        for name, facts in (yaml.safe_load(file.read_text("utf-8")).get("topics") or {}).items():
            shown = f"{file.relative_to(modules.parent)}: topics.{name}"
            if name in catalogue["topics"] or name in found:
                raise SystemExit(f"{shown}: the topic exists already; claim it, and remove it here")
            if not isinstance(facts, dict) or set(facts) != _KEYS:
                raise SystemExit(f"{shown}: expected the keys {', '.join(sorted(_KEYS))}")
            unknown = set(facts["frameworks"]) - set(catalogue["frameworks"])
            if unknown:
                known = ", ".join(catalogue["frameworks"])
                raise SystemExit(f"{shown}: {', '.join(sorted(unknown))} is not a framework; expected: {known}")
            found[name] = facts
    return dict(sorted(found.items()))


def main() -> int:
    """Write the table; with --check, compare."""
    text = json.dumps(derive(), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text("utf-8") != text:
            sys.stderr.write(f"{TARGET.relative_to(ROOT)} is not what modules/*/controls.yaml give: run `make docs`\n")
            return 1
        return 0
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
