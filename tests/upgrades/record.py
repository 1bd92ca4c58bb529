"""Records a release, for the proof that the next one upgrades what it has applied: run it on the release's own code.

    record.py addresses > tests/upgrades/VERSION/addresses.json     # of every module
    record.py state environments/ENV/terraform.tfstate > tests/upgrades/VERSION/state.json

The state is one of the embedded AWS after an apply of tests/upgrades/VERSION/environment.yaml. What Terraform does not
need to plan without a refresh is left out: data sources, dependencies, the provider's private notes, attributes without
a value.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parents[2] / "modules"
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{', re.M)


def addresses() -> dict[str, list[str]]:
    """Folder of each module → addresses of its own resources."""
    found: dict[str, list[str]] = {}
    for file in sorted(MODULES.rglob("*.tf")):
        own = [f"{kind}.{name}" for kind, name in _RESOURCE.findall(file.read_text("utf-8"))]
        if own and ".terraform" not in file.parts:
            found.setdefault(file.parent.relative_to(MODULES).as_posix(), []).extend(own)
    return {folder: sorted(own) for folder, own in found.items()}


def state(file: Path) -> dict[str, Any]:
    """A state, trimmed."""
    data: dict[str, Any] = json.loads(file.read_text("utf-8"))
    data["resources"] = [r for r in data["resources"] if r["mode"] == "managed"]
    for resource in data["resources"]:
        for instance in resource["instances"]:
            instance.pop("private", None)
            instance.pop("dependencies", None)
            instance["attributes"] = {k: v for k, v in instance["attributes"].items() if v is not None}
    return data


def main() -> None:
    """Print what is asked for."""
    found = addresses() if sys.argv[1] == "addresses" else state(Path(sys.argv[2]))
    json.dump(found, sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
