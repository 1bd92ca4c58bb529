"""Which actions raise rights or blind the account: the lists, and the comparison of action patterns.

The lists are data of the modules (modules/shared/privileges.json, which says why each is one), so that what is checked
here and what the modules and organization policies deny cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from toolkit import globs
from toolkit.paths import data_dir

_LISTS = json.loads((data_dir("modules") / "shared" / "privileges.json").read_text("utf-8"))

IDENTITY_ADMINISTRATION: tuple[str, ...] = tuple(_LISTS["identity_administration"]["actions"])
"""Actions that give, widen or unbind rights."""

CREDENTIALS: tuple[str, ...] = tuple(_LISTS["credentials"]["actions"])
"""Actions on a user's credentials: harmless on one's own, a way into somebody else's rights on another's."""

ADMINISTRATOR_POLICIES = frozenset[str](_LISTS["administrator_policies"]["policies"])
"""AWS managed policies that allow identity administration on every resource without a condition."""

BLINDING: Mapping[str, tuple[str, ...]] = {name: tuple(kind["actions"]) for name, kind in _LISTS["blinding"].items()}
"""What records, watches or keeps closed → actions that stop or open it."""


def overlap(one: str, other: str) -> bool:
    """Whether some action matches both patterns (`*` any characters, `?` one; IAM ignores case)."""
    return globs.overlap(one.lower(), other.lower())
