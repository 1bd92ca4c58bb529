"""Releases of Terraform with a fault that concerns the toolkit: what each does, and where its source says so. Pure.

The one list of them: `find_binary` refuses what is `refused`, `doctor` names the others, the default of
`terraform.required_version` excludes the refused ones, and docs/not-proven.md has the table. OpenTofu has other code
since its fork, so that no entry is about it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownBad:
    """One fault.

    Attributes:
        versions: Releases of Terraform that have it.
        effect: What it does, in words that follow "Terraform 1.2.3".
        instead: What to install.
        source: The issue or pull request about it.
        refused: Whether it would change what is applied, so that the release is not run at all.
    """

    versions: tuple[str, ...]
    effect: str
    instead: str
    source: str
    refused: bool = False


KNOWN_BAD = (
    KnownBad(
        ("1.16.0",),
        # It keeps one of several import blocks for a `for_each` resource, and plans to create the others.
        "drops import blocks: it would create what the account has already",
        "1.15.9 or older, or a newer one than 1.16.0",
        "https://github.com/hashicorp/terraform/issues/39068",
        refused=True,
    ),
    KnownBad(
        ("1.15.0",),
        "can crash while it plans",
        "1.15.1 or newer",
        "https://github.com/hashicorp/terraform/issues/38492",
    ),
    KnownBad(
        ("1.12.0",),
        "can fail to download providers, since it sends HEAD requests",
        "1.12.1 or newer",
        "https://github.com/hashicorp/terraform/issues/36998",
    ),
)

EXCLUDED = ", ".join(f"!= {version}" for bad in KNOWN_BAD if bad.refused for version in bad.versions)
"""The refused releases as conditions of a version constraint."""


def known_bad(version: str) -> KnownBad | None:
    """The fault of a release of Terraform; a pre-release has that of its release."""
    released = version.partition("-")[0]
    return next((bad for bad in KNOWN_BAD if released in bad.versions), None)
