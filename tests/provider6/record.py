"""Records what version 6 of the AWS provider has of what modules/ uses: `python tests/provider6/record.py [WHEEL]`.

Version 6 is the current one; the modules are run with version 5. The source is the last generated set of bindings that
HashiCorp put on PyPI (cdktf-cdktf-provider-aws); without WHEEL, pip fetches it (60 MB).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from hcl import names

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "modules"
_ARGUMENT = re.compile(r"docs/(resources|data-sources)/(\w+)#(\w+)")
_KIND = re.compile(r"docs/(resources|data-sources)/(\w+) aws_")
_COMPUTED = re.compile(r'@builtins\.property\n    @jsii\.member\(jsii_name="\w+"\)\n    def (\w+)\(')


def record(wheel: Path) -> dict[str, object]:
    """The facts: version, and type → its names, nested ones included."""
    used = {kind for file in MODULES.rglob("*.tf") for kind, _, _ in names(file)}
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        version = re.search(r"provider version (6\.[\d.]+\d)", archive.read(metadata).decode())
        if version is None:
            raise SystemExit("not the bindings of a version 6 of the provider")
        for member in archive.namelist():
            if not re.fullmatch(r"cdktf_cdktf_provider_aws/\w+/__init__\.py", member):
                continue
            text = archive.read(member).decode()
            kind = _KIND.search(text)
            if kind is None:
                continue
            name = ("data." if kind[1] == "data-sources" else "") + f"aws_{kind[2]}"
            if name in used:
                arguments = {a for k, n, a in _ARGUMENT.findall(text) if (k, n) == (kind[1], kind[2])}
                computed = {c for c in _COMPUTED.findall(text) if not c.endswith("_input") and not c.startswith("_")}
                found[name] = arguments | computed
    return {"provider": version[1], "names": {name: " ".join(sorted(found[name])) for name in sorted(found)}}


def main() -> None:
    """Write facts.json."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            wheel = Path(sys.argv[1])
        else:
            fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            subprocess.run([*fetch, "cdktf-cdktf-provider-aws"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
        facts = record(wheel)
    (HERE / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
