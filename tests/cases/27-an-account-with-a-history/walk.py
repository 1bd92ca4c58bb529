"""Runs a page: its Python block becomes account.py, YAML goes into the environment file, console blocks are run.

Prints a line per line of output that the page shows: "ok" or "missed", a tab, what. Ids, ports and times may differ.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

_VARIES = (
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"127\.0\.0\.1:\d+", "PORT"),
    (r"process \d+", "PROCESS"),
    (r"\d{4}-\d\d-\d\dT[\d:+]+", "TIME"),
    (r"Done in (?:\d+ min )?\d+ s", "DONE"),
)


def plain(line: str) -> str:
    for pattern, name in _VARIES:
        line = re.sub(pattern, name, line)
    return line.strip()


def merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def say(kind: str, what: str) -> None:
    sys.stdout.write(f"{kind}\t{what}\n")
    sys.stdout.flush()


def main() -> None:
    page = Path(sys.argv[1]).read_text("utf-8")
    folder = Path.cwd()
    try:
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```", page, re.M | re.S):
            if language == "python":
                (folder / "account.py").write_text(text)
            elif language == "yaml":
                file = folder / "environments" / "legacy" / "environment.yaml"
                environment = yaml.safe_load(file.read_text())
                merge(environment, yaml.safe_load(text))
                file.write_text(yaml.safe_dump(environment, sort_keys=False))
            elif language == "console":
                for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                    command, *shown = part.splitlines()
                    done = subprocess.run(
                        ["bash", "-c", command],
                        cwd=folder,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        check=False,
                    )
                    if entered := re.search(r"&& cd (\S+)", command):
                        folder /= entered[1]
                    say(f"$ {command}", "")
                    wanted = re.search(r"# exit code (\d+)$", command)
                    code = int(wanted[1]) if wanted else 0
                    say("ok" if done.returncode == code else "missed", f"exit code {done.returncode}, wanted {code}")
                    said = {plain(line) for line in done.stdout.splitlines()}
                    for line in shown:
                        if line.strip() not in ("", "…"):
                            say("ok" if plain(line) in said else "missed", line.strip())
    finally:
        subprocess.run(["toolkit", "sandbox", "down"], cwd=folder, stdout=subprocess.DEVNULL, check=False)


main()
