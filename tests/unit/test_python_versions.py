"""No import of what newer versions of Python no longer have: found also where only the oldest version is installed.

Whether anything newer than 3.11 is used is mypy's and ruff's to say, which check for 3.11 (pyproject.toml). What other
packages import is found by importing everything on each version (tests/integration/test_wheel.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import python_terraform

REPOSITORY = Path(__file__).parents[2]
FOLDERS = [REPOSITORY / "toolkit", REPOSITORY / "scripts", REPOSITORY / "docs", Path(python_terraform.__file__).parent]

_REMOVED = """
asynchat asyncore distutils imp smtpd
aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd sunau telnetlib uu
xdrlib lib2to3
"""
REMOVED = frozenset(_REMOVED.split())
"""By 3.12 (https://docs.python.org/3.12/whatsnew/3.12.html#removed) and 3.13
(https://docs.python.org/3.13/whatsnew/3.13.html#removed-modules-and-apis)."""


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_removed_module_is_imported(folder: Path) -> None:
    files = sorted(folder.rglob("*.py"))
    assert files
    found = {file.name: gone for file in files if (gone := REMOVED.intersection(imported(file)))}
    assert found == {}
