"""What is said about policies between those who write them, the components, and those who judge them, toolkit.iam.

Pure data. Not in toolkit.iam, since every environment is loaded with its components, and few are judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Need:
    """An action by which a component is applied, on a resource such as it makes.

    Attributes:
        action: One action, no wildcard.
        resource: ARN with {partition}, {region} and {account} in it; "*" for actions without a resource of their own.
    """

    action: str
    resource: str = "*"


@dataclass(frozen=True)
class OrganizationPolicy:
    """One policy as it is sent to AWS Organizations.

    Attributes:
        type: As the Organizations API names it.
        content: The document.
        targets: "root", paths of organizational units, ids of units, or account ids.
        path: Where it stands in environment.yaml, below `components`, for messages.
        file: The file that its document comes from; None where it is built of guardrails.
        locks_out: Whether it is meant to deny those, too, who apply the baseline.
    """

    name: str
    type: str
    description: str
    content: Mapping[str, Any]
    targets: tuple[str, ...]
    path: tuple[str, ...] = field(default=())
    file: str | None = None
    locks_out: bool = False

    @property
    def text(self) -> str:
        """The document as Terraform's jsonencode writes it: without blanks, keys sorted, `<`, `>` and `&` escaped."""
        return encoded(self.content)


class Limits(Protocol):
    """The quotas of AWS Organizations that hold for an organization."""

    @property
    def control_policies_attached_otherwise(self) -> int:
        """Control policies of one type that each target has besides those that are judged."""

    def bytes_of(self, kind: str) -> tuple[str, int]:
        """The setting that limits a policy of a type, and the most bytes it may have."""

    def per_target(self, kind: str) -> tuple[str, int]:
        """The setting that limits how many policies of a type a target may have, and that number."""


@dataclass(frozen=True)
class OrganizationPolicies:
    """What an environment sends to AWS Organizations, and what its policies are judged by.

    Attributes:
        policies: The policies.
        limits: The quotas of the organization.
        deployers: ARNs of who applies the baseline in the accounts; none: whoever applies this environment.
        apply_everything: Whether they apply every component that there is, or those of this environment.
        organization_id: What their requests carry as their organization.
        allowed_regions: The only regions that a policy leaves open; none: no policy closes regions.
        types: Where in the component's settings a type of policy is used → the type.
    """

    policies: tuple[OrganizationPolicy, ...]
    limits: Limits
    deployers: tuple[str, ...]
    apply_everything: bool
    organization_id: str | None
    allowed_regions: tuple[str, ...]
    types: tuple[tuple[tuple[str | int, ...], str], ...]


def encoded(content: Mapping[str, Any]) -> str:
    """A document as Terraform's jsonencode writes it; what AWS counts against its limits."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
