"""What the modules' HCL names of the provider: types of resources and data sources, their arguments and attributes.

Reads `terraform fmt`-ed files by their lines; enough for a question about names, no parser of HCL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_OPENS = re.compile(r'^(resource|data) "(aws_\w+)" "\w+" \{$')
_BLOCK = re.compile(r'^\s*(?:dynamic "(\w+)"|(\w+)) \{$')
_ARGUMENT = re.compile(r"^\s*(\w+)\s+= ")
_USE = re.compile(r"\b(data\.)?(aws_\w+)\.\w+(?:\[[^\]]*\])?\.(\w+)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_META = frozenset({"count", "for_each", "depends_on", "provider", "lifecycle", "content"})


def names(file: Path) -> Iterator[tuple[str, str, int]]:
    """("data.aws_region", "id", line) for each argument that is set and each attribute that is used."""
    kind, skipped, depth, inside = "", 0, 0, 0
    for number, raw in enumerate(file.read_text("utf-8").splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip() if raw.lstrip().startswith("#") else raw
        yield from ((f"{data}{name}", attribute, number) for data, name, attribute in _USE.findall(line))
        opens = _OPENS.match(line)
        if opens:
            kind = ("data." if opens[1] == "data" else "") + opens[2]
            depth, skipped, inside = 1, 0, 0
            yield kind, "", number
            continue
        if not kind:
            continue
        bare = _STRING.sub('""', line)
        change = sum(bare.count(c) for c in "{[(") - sum(bare.count(c) for c in "}])")
        if inside or skipped:  # in a value of several lines, or in a block that is Terraform's own
            inside, skipped = (inside + change, 0) if inside else (0, skipped + change)
            depth += change
        else:
            block, argument = _BLOCK.match(line), _ARGUMENT.match(line)
            name = (block[1] or block[2]) if block else argument[1] if argument else None
            if name and name not in _META:
                yield kind, name, number
            depth += change
            if argument and change > 0:
                inside = change
            if block and block[2] == "lifecycle":
                skipped = 1
        if depth == 0:
            kind = ""
