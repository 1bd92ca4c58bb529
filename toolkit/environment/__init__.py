"""environment.yaml → frozen, typed settings; every error with its file, line, path, value and expectation."""

from toolkit.environment.load import load_environment, load_text
from toolkit.environment.model import (
    AssumeRole,
    BundleSettings,
    Credentials,
    Environment,
    LocalBackend,
    Regions,
    S3Backend,
    TerraformSettings,
    default_state_key,
)

__all__ = [
    "AssumeRole",
    "BundleSettings",
    "Credentials",
    "Environment",
    "LocalBackend",
    "Regions",
    "S3Backend",
    "TerraformSettings",
    "default_state_key",
    "load_environment",
    "load_text",
]
