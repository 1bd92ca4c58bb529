"""The schema provider as Terraform finds it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from tests.provider6 import provider
from toolkit.terraform.mirror import cli_config


@pytest.fixture(scope="session")
def mirror(terraform_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A provider mirror with version 6's schema; tests are skipped without the package tf, for its protocol."""
    assert terraform_binary
    if importlib.util.find_spec("tf") is None:
        missing = "the package tf is not installed, of which the provider with version 6's schema is made: make setup"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return provider.mirror(tmp_path_factory.mktemp("mirror6"))


@pytest.fixture(scope="session")
def environ(mirror: Path, tmp_path_factory: pytest.TempPathFactory, chosen_terraform: dict[str, str]) -> dict[str, str]:
    """For Terraform: no credentials, and no provider but that of the mirror."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    plain |= {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    return plain | chosen_terraform | cli_config(mirror, plain, tmp_path_factory.mktemp("cli6"))
