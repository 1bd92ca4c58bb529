"""Delegated administration: the path under which bounded administrators make roles and policies of their own.

Whatever is under the path, they can change: the permissions boundary allows it for `role/PATH*` and `policy/PATH*`,
which covers every path below it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html). So
everything there must be bounded itself, and nothing that is not bounded may get its rights from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.iam import EntityName
from toolkit.settings.values import checked

_PATH = re.compile(r"/[A-Za-z0-9_.-]+/")

_delegation_path = checked(_PATH, "/name/ of letters, digits and the characters _ . -")


class Delegation(Settings):
    """What bounded administrators may do about identities."""

    path: Annotated[str, _delegation_path] = Field(
        "/delegated/",
        description="Path of the roles, policies and instance profiles that bounded administrators may make and "
        "change; paths below it included.",
    )
    boundary_name: EntityName = Field(
        "delegated-administration-boundary", description="Name of the boundary policy, which their roles must have."
    )
    keep_boundary: bool = Field(
        False,
        description="Whether the boundary policy exists although no role here is bounded: for roles, users or "
        "permission sets made elsewhere that have it.",
    )

    def holds(self, path: str) -> bool:
        """Whether bounded administrators may change what has this IAM path ("/delegated/team/")."""
        return path.startswith(self.path)

    def holds_policy(self, policy: str) -> bool:
        """Whether bounded administrators may rewrite this managed policy, given by its ARN or an AWS managed name."""
        _, separator, path = policy.partition(":policy/")
        return bool(separator) and self.holds(f"/{path}")

    def refusal(self, policy: str) -> str:
        """Why nothing unbounded may have this policy, and what would be accepted."""
        return (
            f"policy {policy}, whose text bounded administrators may rewrite, since it is under {self.path}; expected "
            f"a policy outside of {self.path}"
        )


def delegated_policies(
    others: Mapping[str, Any], attached: Iterable[tuple[tuple[str | int, ...], str]]
) -> Iterator[Mismatch]:
    """Policies of a component that bounded administrators of `iam_roles` may rewrite.

    Args:
        others: Settings of every enabled component by name.
        attached: Path below the component's block, and ARN or name of the policy that is attached there.
    """
    roles = others.get("iam_roles")
    if roles is None:
        return
    delegation: Delegation = roles.delegation
    for setting, policy in attached:
        if delegation.holds_policy(policy):
            yield Mismatch(
                setting,
                f"bounded administrators may rewrite policy {policy}, since it is under {delegation.path} "
                "(iam_roles.delegation.path)",
                f"a policy outside of {delegation.path}",
            )
