"""Fixtures that several folders of tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.sandbox import control


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Sandbox]:
    """A running embedded AWS, one for the whole session; `control.reset(sandbox)` empties it."""
    state_dir = tmp_path_factory.mktemp("sandbox")
    yield control.up(state_dir)
    control.down(state_dir)


@pytest.fixture(scope="session")
def terraform_binary() -> Path:
    """The real terraform on PATH; the test is skipped where there is none, unless CI says there must be one."""
    found = shutil.which("terraform")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("terraform is not on PATH")
        pytest.skip("terraform is not on PATH")
    return Path(found)
