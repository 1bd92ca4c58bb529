"""Addresses that resources had in earlier versions of the modules: what `moved` blocks say.

In: the module calls of an environment and its rendered files. Out: the new address of an old one. Reads the HCL of the
modules that this version ships, as `terraform fmt` leaves it; writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from toolkit.paths import data_dir

Move = tuple[str, str]
"""An old address and the new one."""

_MOVED = re.compile(r"^moved \{\n +from = (.+)\n +to   = (.+)\n\}", re.MULTILINE)


def moves(called: Mapping[str, str], rendered: Mapping[str, str]) -> tuple[Move, ...]:
    """All moves of an environment, in Terraform's addresses.

    Args:
        called: Label of each module call in the rendered root → folder of the module, relative to modules/.
        rendered: File name → text; a move whose address depends on a setting is in there.
    """
    found = [move for text in rendered.values() for move in _blocks(text)]
    for label, folder in called.items():
        for file in sorted((data_dir("modules") / folder).glob("*.tf")):
            found += [
                (f"module.{label}.{old}", f"module.{label}.{new}") for old, new in _blocks(file.read_text("utf-8"))
            ]
    return tuple(found)


def new_address(address: str, known: Iterable[Move]) -> str | None:
    """What an address is called now; None: as before. An instance key, attribute or pattern may follow it.

    Args:
        address: "module.activity_alarms.aws_sns_topic.this.name".
        known: All moves. One may go on where another ends.
    """
    table = dict(known)
    now = address
    while (old := next((old for old, new in table.items() if _has(now, old, new)), None)) is not None:
        # Taken out, so that moves in a circle end.
        now = table.pop(old) + now.removeprefix(old)
    return None if now == address else now


def _has(address: str, old: str, new: str) -> bool:
    """Whether an address is the old one of a move, or begins with it."""
    behind = address.removeprefix(old)[:1] if address.startswith(old) else "-"
    # Where a resource only got a key (`this` is `this["x"]` now), what has a key is a new address already.
    return behind in ("", ".") or (behind == "[" and not new.startswith(f"{old}["))


def _blocks(text: str) -> Iterator[Move]:
    yield from _MOVED.findall(text)
