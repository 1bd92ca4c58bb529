"""What `make test` leaves out is run by `make soak`, and CONTRIBUTING.md says what it is and when it last ran."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(tests/[\w/]+\.py::test_\w+)` \| ([^|]+) \|([^|]*)\| [^|]+ \|$", re.MULTILINE)


def marked() -> set[str]:
    """Tests that the marker is on, or that some of its parameters have."""
    found = set()
    for file in (REPOSITORY / "tests").rglob("test_*.py"):
        text = file.read_text("utf-8")
        if ".soak" not in text:
            continue
        tree = ast.parse(text)
        lists = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign) and ".soak" in ast.unparse(node)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert "pytestmark" not in lists, f"{file}: mark each test by itself"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
                if ".soak" in decorators or lists & set(re.findall(r"\w+", decorators)):
                    found.add(f"{file.relative_to(REPOSITORY)}::{node.name}")
    return found


def test_each_test_of_make_soak_has_its_last_run_and_none_else():
    rows = {
        name: (instead, run) for name, instead, run in ROW.findall((REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"))
    }
    assert set(rows) == marked()
    for name, (instead, run) in rows.items():
        assert instead.strip(), name
        ran = re.fullmatch(r"(\d{4}-\d\d-\d\d), [\d,]+ s: passed", run.strip())
        assert ran, f"{name}: run `make soak`, then note the date and its seconds: {run!r}"
        date.fromisoformat(ran[1])


def test_make_soak_runs_them():
    recipe = (REPOSITORY / "Makefile").read_text("utf-8").split("\nsoak:")[1].split("\n\n")[0]
    assert "SOAK=1 $(BIN)/pytest -n 0 -m soak\n" in recipe
