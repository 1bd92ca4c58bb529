"""Every patch of moto is applied, says why, and has a case in tests/unit/sandbox/patches."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from toolkit.sandbox import patches

SERVICES = sorted(f.stem for f in Path(patches.__file__).parent.glob("*.py") if f.stem not in ("__init__", "base"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_is_applied_and_has_its_cases(service: str) -> None:
    module = import_module(f"toolkit.sandbox.patches.{service}")
    assert module.PATCHES
    assert set(module.PATCHES) <= set(patches.PATCHES)
    assert {id(route) for route in getattr(module, "ROUTES", ())} <= {id(route) for route in patches.ROUTES}
    assert {patch.name.split("-")[0] for patch in module.PATCHES} == {service}
    assert (Path(__file__).parent / "patches" / f"test_{service}.py").exists()


def test_names_are_unique() -> None:
    names = [patch.name for patch in patches.PATCHES]
    assert len(names) == len(set(names))


def test_a_reason_says_what_aws_does() -> None:
    assert all(" API, " in patch.reason for patch in patches.PATCHES)
