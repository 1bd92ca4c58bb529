"""Which executable is taken where no setting names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.terraform.binary import find_binary


def put(folder: Path, name: str, product: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{product} v1.11.4'\n")
    file.chmod(0o755)


def test_terraform_comes_first_and_tofu_where_it_is_alone(tmp_path: Path):
    environ = {"PATH": str(tmp_path)}
    with pytest.raises(ToolkitError, match="`terraform` is not on PATH"):
        find_binary(None, environ)
    put(tmp_path, "tofu", "OpenTofu")
    assert find_binary(None, environ).product == "opentofu"
    put(tmp_path, "terraform", "Terraform")
    assert find_binary(None, environ).product == "terraform"
    # What an environment names is never exchanged for the other.
    (tmp_path / "terraform").unlink()
    with pytest.raises(ToolkitError, match="`terraform` is not on PATH"):
        find_binary("terraform", environ)
