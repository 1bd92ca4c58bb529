"""A prototype for bench/one_provider.py: from a provider for each region to a `region` on each resource.

In: a copy of modules/, and a rendered root module. Out: the same, where one provider reaches every region, which needs
version 6. Every rule is by text and schema, none names a module: what has `region` in version 6's schema gets
`region = var.region`, a module that has such a resource or calls one that has gets the variable, a call gets its value.
Formatted HCL is expected, as `terraform fmt` writes it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
"""As `terraform providers schema -json` writes that of one provider."""
Takes = Callable[[Path], bool]
"""Whether the module in a folder has the variable."""

VARIABLE = """
variable "region" {
  description = "Region of the module's resources; null: the provider's."
  type        = string
  default     = null
}
"""
_BLOCK = re.compile(r'^(resource|data|module) "(\w+)"(?: "\w+")? \{\}?$')
_META = re.compile(r"^  (for_each|count|source) +=")
_SOURCE = re.compile(r'^  source += "(\.[^"]*)"', re.M)
_PROVIDERS = re.compile(r"^  providers = \{\n    aws = aws\.(\w+)\n  \}\n", re.M)
_ALIASED = re.compile(r'\n(?:#.*\n)*provider "aws" \{\n  alias .*\n(?:(?!\}).*\n)*\}\n')


def modules(folder: Path, schema: Schema) -> frozenset[Path]:
    """Rewrite every module of a folder.

    Returns:
        Folders of the modules that have the variable now.
    """
    taking: dict[Path, bool] = {}

    def takes(module: Path) -> bool:
        if module not in taking:
            taking[module] = any(_regional(block, module, schema, takes) for block in _blocks(module))
        return taking[module]

    found = sorted({file.parent for file in folder.rglob("*.tf")})
    rewritten = frozenset(module for module in found if takes(module))
    for module in rewritten:
        for file in sorted(module.glob("*.tf")):
            text = file.read_text("utf-8")
            file.write_text(_arguments(text, module, schema, takes), "utf-8")
        with (module / "variables.tf").open("a", encoding="utf-8") as variables:
            variables.write(VARIABLE)
    for file in folder.rglob("versions.tf"):
        file.write_text(re.sub(r'(version += ")>= [\d.]+, < 7"', r'\1>= 6, < 7"', file.read_text("utf-8")), "utf-8")
    return rewritten


def root(tree: Mapping[str, str], home: str, folder: Path, taking: frozenset[Path]) -> dict[str, str]:
    """A rendered root module with one provider.

    Args:
        tree: File name → text.
        home: Where what is called once is.
        folder: Where the tree will be, from which its module calls lead to the rewritten modules.
        taking: As `modules` returns them.
    """
    resolved = {module.resolve() for module in taking}

    def called(source: Path) -> bool:
        return Path(os.path.normpath(source)).resolve() in resolved

    found = {}
    for name, text in tree.items():
        calls = []
        for call in re.split(r"^(?=module )", _ALIASED.sub("", text), flags=re.M):
            alias = _PROVIDERS.search(call)
            region = alias[1].replace("_", "-") if alias else home
            calls.append(_arguments(_PROVIDERS.sub("", call), folder, {}, called, f'"{region}"'))
        found[name] = re.sub(r"\n{3,}", "\n\n", "".join(calls)).rstrip() + "\n"
    return found


def without_providers(text: str) -> str:
    """A file of the root module whose calls get the home region's provider, all of them."""
    return _PROVIDERS.sub("", _ALIASED.sub("", text))


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """Lines that are new, and lines that are gone."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0))[2:]
    return sum(line[0] == "+" for line in lines), sum(line[0] == "-" for line in lines)


def _blocks(module: Path) -> Iterator[tuple[str, str, str]]:
    """Kind of each block, its type or label, and its text."""
    for file in sorted(module.glob("*.tf")):
        lines = file.read_text("utf-8").splitlines(keepends=True)
        for number, line in enumerate(lines):
            if match := _BLOCK.match(line):
                yield match[1], match[2], "".join(lines[number : _block_end(lines, number)])


def _block_end(lines: list[str], number: int) -> int:
    """The line after a block's last one."""
    if lines[number].endswith("{}\n"):
        return number + 1
    return next(n for n in range(number, len(lines)) if lines[n].startswith("}")) + 1


def _regional(block: tuple[str, str, str], module: Path, schema: Schema, takes: Takes) -> bool:
    kind, name, text = block
    if kind == "module":
        source = _SOURCE.search(text)
        return source is not None and takes(Path(os.path.normpath(module / source[1])))
    known = schema["data_source_schemas" if kind == "data" else "resource_schemas"]
    return "region" in known[name]["block"]["attributes"]


def _arguments(text: str, module: Path, schema: Schema, takes: Takes, value: str = "var.region") -> str:
    """The text of a file, with `region` below the meta-arguments of each block that has it."""
    lines = text.splitlines(keepends=True)
    found, number = [], 0
    while number < len(lines):
        match, end = _BLOCK.match(lines[number]), number + 1
        if match is None:
            found.append(lines[number])
        else:
            end = _block_end(lines, number)
            block = lines[number:end]
            regional = _regional((match[1], match[2], "".join(block)), module, schema, takes)
            found += _with_region(block, value) if regional else block
        number = end
    return "".join(found)


def _with_region(block: list[str], value: str) -> list[str]:
    """A block with the argument; in a paragraph of its own, since `terraform fmt` aligns neighbouring lines."""
    region = f"  region = {value}\n"
    if len(block) == 1:
        return [block[0].replace("{}", "{"), region, "}\n"]
    first = 1
    while block[first].lstrip().startswith("#"):
        first += 1
    after = first
    while _META.match(block[after]):
        after = _argument_end(block, after)
    rest = block[after:]
    above = ["\n"] if after > first else []
    below = [] if rest[0].strip() in ("", "}") else ["\n"]
    return [*block[:after], *above, region, *below, *rest]


def _argument_end(lines: list[str], number: int) -> int:
    """The line after an argument, which may have several."""
    depth = 0
    while True:
        plain = re.sub(r'"(?:\\.|[^"\\])*"', "", lines[number])
        depth += sum(plain.count(c) for c in "([{") - sum(plain.count(c) for c in ")]}")
        number += 1
        if depth <= 0:
            return number
