"""Trims a bundle's plan JSON to what the toolkit reads, for recording: `trim.py BUNDLE [COMPONENT…] > NAME.json`.

With names of components, what others plan is left out: needed beside them, but recorded elsewhere.
"""

from __future__ import annotations

import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    plan = json.loads(archive.read("plan.json"))
for entry in plan["resource_changes"]:
    # Data sources read while planning are of no interest.
    entry.pop("provider_name", None)
kept = {key: plan[key] for key in ("format_version", "terraform_version", "resource_changes", "output_changes")}
labels = tuple(f"module.{name}" for name in sys.argv[2:]) or ("",)
kept["resource_changes"] = [
    e for e in kept["resource_changes"] if e["mode"] == "managed" and e["address"].startswith(labels)
]
json.dump(kept, sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
sys.stdout.write("\n")
