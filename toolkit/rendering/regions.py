"""Regions that leave a rendered root, and how: found in the files that rendering is about to replace.

Terraform deletes what is in a region only with that region's provider. So a home region cannot be left in the very
change that makes another one home (its resources would be looked for there), nor can a region simply be dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from toolkit.environment import Environment
from toolkit.errors import ToolkitError
from toolkit.rendering.render import HEADER


@dataclass(frozen=True)
class Rendered:
    """The regions of a providers.tf as it was rendered before."""

    home: str
    active: frozenset[str]
    """The home region among them."""


def rendered_regions(folder: Path) -> Rendered | None:
    """What `folder`/providers.tf says; None where there is none of ours."""
    try:
        text = (folder / "providers.tf").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith(HEADER):
        return None
    found: dict[str, bool] = {}
    for above, block in re.findall(r'^(#[^\n]*\n|\n)provider "aws" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE):
        region = re.search(r'^ +region += "([a-z0-9-]+)"$', block, re.MULTILINE)
        if region is None:
            return None
        found[region[1]] = above.startswith(RETIRING)
    return Rendered(next(iter(found)), frozenset(r for r, retiring in found.items() if not retiring)) if found else None


RETIRING = "# Retiring:"
"""How the comment above a retiring region's provider begins, in templates/root/providers.tf.j2."""


def refuse_leaving_home(environment: Environment, folder: Path) -> None:
    """The home region moves, and the old one retires, in one change.

    Raises:
        ToolkitError: It does; with the two steps that are possible.
    """
    before, regions = rendered_regions(folder), environment.regions
    if before is None or before.home == regions.home or before.home not in regions.retiring:
        return
    old = before.home
    first = ", ".join(dict.fromkeys((*regions.active, old)))
    others = ", ".join(r for r in regions.retiring if r != old)
    line = environment.lines.get(("regions", "retiring"), environment.lines.get(("regions",), 1))
    raise ToolkitError(
        f"the home region moves from {old} to {regions.home}, and {old} retires, in one change: Terraform would look "
        f"in {regions.home} for what is in {old}, and forget it without deleting it",
        where=f"environments/{environment.name}/environment.yaml:{line}",
        detail=f"regions: {{home: {regions.home}, active: [{first}]{f', retiring: [{others}]' if others else ''}}}\n"
        f"regions: {{home: {regions.home}, active: [{', '.join(regions.active)}], "
        f"retiring: [{', '.join(regions.retiring)}]}}",
        hint="take the two steps above, one after the other; plan and apply each, the first even if nothing changes",
    )


def dropped(environment: Environment, folder: Path) -> tuple[str, ...]:
    """Warnings of regions that were active and are in the environment no more; without them retiring first."""
    before, regions = rendered_regions(folder), environment.regions
    gone = sorted((before.active if before else frozenset()) - {*regions.active, *regions.retiring})
    return tuple(
        f"{region} was active and is dropped: if anything was applied there, put it under `regions.retiring` of "
        f"environments/{environment.name}/environment.yaml first, since Terraform cannot delete it without its provider"
        for region in gone
    )
