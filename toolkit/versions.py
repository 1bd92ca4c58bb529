"""Versions of Terraform and of the AWS provider: which of them were checked, and which a constraint admits. Pure.

`TERRAFORM` and `PROVIDER` are the one place that says what was checked: what `unchecked_versions` warns of or refuses,
what `doctor` reports, and the table in docs/not-proven.md, whose tests compare it with these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, int, int]


def numbers(version: str) -> Version:
    """Major, minor and patch; what is not given is 0, and a pre-release counts as its release."""
    found = [int(part) for part in re.findall(r"[0-9]+", version.partition("-")[0])[:3]]
    return (*found, 0, 0, 0)[:3]  # type: ignore[return-value]


@dataclass(frozen=True)
class Admitted:
    """The versions that a constraint admits, from the lowest up to, and without, `below`; None: no upper bound."""

    lowest: Version
    below: Version | None

    @property
    def none(self) -> bool:
        """Whether there is none, since the conditions exclude each other."""
        return self.below is not None and self.lowest >= self.below

    def reaches(self, version: str) -> bool:
        """Whether a version that is as new as this one, or newer, is among them."""
        return self.below is None or numbers(version) < self.below


def admitted(constraint: str) -> Admitted:
    """The bounds of a Terraform version constraint, all of whose conditions must be met.

    What `!=` excludes is not looked at, and `>` counts as `>=`.
    Rules: https://developer.hashicorp.com/terraform/language/expressions/version-constraints
    """
    lowest, below = (0, 0, 0), None
    for condition in constraint.split(","):
        operator, text = re.fullmatch(r"\s*([!=<>~]*)\s*(\S+)\s*", condition).groups()  # type: ignore[union-attr]
        version = numbers(text)
        upper: Version | None = None
        if operator == "~>":
            # "~> 5.100" leaves the minor version open, "~> 5.100.0" the patch.
            parts = text.partition("-")[0].count(".")
            upper = (version[0] + 1, 0, 0) if parts <= 1 else (version[0], version[1] + 1, 0)
        elif operator in ("", "="):
            upper = _next(version)
        elif operator == "<":
            upper = version
        elif operator == "<=":
            upper = _next(version)
        if operator in ("~>", "", "=", ">", ">="):
            lowest = max(lowest, version)
        if upper is not None:
            below = upper if below is None else min(below, upper)
    return Admitted(lowest, below)


def _next(version: Version) -> Version:
    return (version[0], version[1], version[2] + 1)


@dataclass(frozen=True)
class Checked:
    """What a product's versions were checked from and to, both included.

    Attributes:
        product: Its name, for people.
        lowest: The lowest version that was run.
        highest: The highest one.
        how: What was run, in a few words.
    """

    product: str
    lowest: str
    highest: str
    how: str

    @property
    def range(self) -> str:
        """For people: "1.11.4 to 1.15.5"."""
        return f"{self.lowest} to {self.highest}"

    def why_not(self, version: str) -> str | None:
        """Why a version is outside of what was checked, in one sentence; None where it is inside.

        A pre-release never is: what was checked are releases, and it may still differ from its own.
        """
        if "-" in version:
            return (
                f"{self.product} {version} is a pre-release, and only releases were checked: {self.range} ({self.how})"
            )
        if numbers(self.lowest) <= numbers(version) <= numbers(self.highest):
            return None
        side = "older" if numbers(version) < numbers(self.lowest) else "newer"
        return f"{self.product} {version} is {side} than what was checked: {self.range} ({self.how})"


TERRAFORM = Checked("Terraform", "1.11.4", "1.15.5", "both ends were run, 1.11.4 in every test")
"""What is between the two ends was not run."""

PROVIDER = Checked("the AWS provider", "5.100.0", "6.69.1", "5.100.0 was run, 6.69.1 only by its schema")

MODULES_ADMIT = ">= 5.100, < 7"
"""Versions of the AWS provider that the modules admit, but for those that need a newer one."""

_LOCKED = re.compile(r'^provider "[^"]+/hashicorp/aws" \{\n(?:  .*\n)*?  version +?= "([^"]+)"', re.M)


def locked(lock_file: str) -> str | None:
    """The version of the AWS provider that the text of a .terraform.lock.hcl selects; None where it selects none."""
    found = _LOCKED.search(lock_file)
    return found[1] if found else None


def unchecked_terraform(product: str, version: str) -> str | None:
    """Why an executable ("terraform" or "opentofu") is outside of what was checked; None where it is inside."""
    if product == "opentofu":
        return f"OpenTofu {version} is not {TERRAFORM.product} {TERRAFORM.range}, which was checked: OpenTofu never ran"
    return TERRAFORM.why_not(version)
