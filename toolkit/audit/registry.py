"""Every check: those of `toolkit.audit.checks`, a file per subject, and those that modules' controls.yaml claim.

In: the product's own files. Out: checks by id. A new file there is found by itself.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from toolkit.audit import checks as package
from toolkit.audit.claims import claim_checks
from toolkit.audit.model import Check


@cache
def checks() -> Mapping[str, Check]:
    """Check's id → check, sorted by service and id.

    Raises:
        ValueError: Two files have a check of one id (a defect of the product, caught by its tests).
    """
    found: dict[str, Check] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(package.__path__)):
        for check in import_module(f"{package.__name__}.{module}").CHECKS:
            if check.id in found:
                raise ValueError(f"two checks have the id {check.id!r}")
            found[check.id] = check
    for check in claim_checks():
        # What a file asks of the account is more than that one of our resources, or one like it, is there.
        found.setdefault(check.id, check)
    ordered = sorted(found.values(), key=lambda check: (check.service, check.id))
    return MappingProxyType({check.id: check for check in ordered})
