"""What rendered Terraform reads of modules/: the modules that it calls, and what these call and read themselves.

In: rendered files, and the names and texts of the files in modules/. Out: names of files. Pure: reads nothing itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from toolkit.paths import MODULES
from toolkit.rendering.tree import CODE, TESTS

_CALL = re.compile(rf'\bsource\s*=\s*"{re.escape(MODULES)}/([^"]+)"')
_PATH = re.compile(r"(?<![\w.])\.{1,2}/[\w./-]+")
"""A relative path in a module's code, also behind ${path.module}/: another module, or a file that it reads."""

_UNREAD = ("*.md", "controls.yaml", *TESTS)
"""Files of a module that Terraform does not read, unless the code names one: pages, the toolkit's own (whose content is
in the rendered files), tests."""


class Modules:
    """The files in a project's modules/, by the modules that they are part of."""

    def __init__(self, names: Collection[str], text: Callable[[str], str]) -> None:
        """Of one state of the folder, or of two at once.

        Args:
            names: Every file, relative to modules/, with forward slashes.
            text: The text of a file of these names.
        """
        self._names = sorted(names)
        self._text = text
        self._found: dict[str, frozenset[str]] = {}

    def read_by(self, rendered: Mapping[str, str]) -> frozenset[str]:
        """Every file of modules/ that Terraform reads for a root module.

        Args:
            rendered: File name → text.
        """
        called = {posixpath.normpath(folder) for text in rendered.values() for folder in _CALL.findall(text)}
        return frozenset(name for folder in called for name in self._reached(folder))

    def _reached(self, folder: str) -> frozenset[str]:
        """Files of a module, and of every module and file that it leads to."""
        if folder not in self._found:
            files: set[str] = set()
            waiting, seen = [folder], {folder}
            while waiting:
                own, others = self._of(waiting.pop())
                files |= own
                waiting += sorted(others - seen)
                seen |= others
            self._found[folder] = frozenset(files)
        return self._found[folder]

    def _of(self, folder: str) -> tuple[set[str], set[str]]:
        """Files of a module alone, with those elsewhere that it reads, and the modules that it calls."""
        below = [name for name in self._names if name.startswith(f"{folder}/")]
        code = [name for name in below if posixpath.dirname(name) == folder and _is_code(name)]
        text = "\n".join(map(self._text, code))
        named = {posixpath.normpath(posixpath.join(folder, path)) for path in _PATH.findall(text)}
        own = {name for name in below if self._module(name) == folder}
        unread = {name for name in own if _is_unread(name, folder) and posixpath.basename(name) not in text}
        elsewhere = named.intersection(self._names)
        return own - unread | elsewhere, named & self._folders

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Folders with Terraform code: each is a module."""
        return frozenset(posixpath.dirname(name) for name in self._names if _is_code(name))

    def _module(self, name: str) -> str:
        """The module that a file is part of: the nearest folder above it that is one."""
        folder = posixpath.dirname(name)
        while folder and folder not in self._folders:
            folder = posixpath.dirname(folder)
        return folder


def _is_code(name: str) -> bool:
    return any(fnmatchcase(posixpath.basename(name), pattern) for pattern in CODE)


def _is_unread(name: str, folder: str) -> bool:
    inside = name.removeprefix(f"{folder}/")
    return inside.startswith("tests/") or any(fnmatchcase(posixpath.basename(name), pattern) for pattern in _UNREAD)
