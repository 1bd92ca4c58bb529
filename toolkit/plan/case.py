"""What a guard is, and what it is given.

In: what is known of a plan without AWS, as a Case. Out: the facts that a guard wants, and its findings. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.access.changes import NO_SHIFTS, Shifts
from toolkit.components.base import Identities
from toolkit.findings import Finding
from toolkit.iam.organization import Deployment
from toolkit.plan.access import Texts, unknown_texts
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.model import Change, Plan, Resource


@dataclass(frozen=True)
class Caller:
    """Who applies."""

    arn: str
    user: str | None
    """Name of the IAM user; None for roles, whom group policies do not reach."""
    session_with_mfa: bool
    """Whether the credentials are a session token; a long-lived key never carries MFA."""


@dataclass(frozen=True)
class Case:
    """A plan to judge, with everything about it that is known without AWS."""

    plan: Plan
    caller: Caller
    account_id: str
    deployment: Deployment
    """What it takes to apply the environment, and to undo it."""
    outcome: tuple[Resource, ...] = ()
    """What there is once the plan is applied; what it leaves alone is in it."""
    drift: tuple[Change, ...] = ()
    """What AWS has otherwise than the state."""
    identities: Identities = field(default_factory=Identities)
    """What the environment says of the account's users and groups."""
    attachable: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Name of a policy of the organization → its type, and how many of the type a root, unit or account may have."""
    looked_in: Callable[[Change], str] = lambda change: change.region
    """The region in which Terraform looks for a resource."""
    destroy: bool = False
    """Whether it is a plan to destroy everything."""
    simulated: bool = False
    """Whether the account is on the embedded AWS."""
    released: frozenset[str] = frozenset()
    """Labels of the modules that the environment file releases."""
    ends: bool = False
    """Whether the whole account ends with the plan, so that nobody can be locked out of it."""
    partition: str = "aws"
    """Of the account's ARNs."""
    home: str = ""
    """Home region."""
    texts: Texts = unknown_texts
    """Texts of managed policies that no resource has."""
    access: Shifts = NO_SHIFTS
    """What the plan changes in who may do what."""


def _nothing(_: Case) -> Iterable[Wanted[Any]]:
    return ()


@dataclass(frozen=True)
class Guard:
    """One check of a plan. A new one is a file with its guard in it, and a line in `toolkit.plan.judging`.

    Attributes:
        judge: The case and the facts that `needs` wants → findings. Pure.
        needs: The case → what is wanted of the account. Pure. It may want more than `judge` looks at, since the plan
            that is judged has no creates any more of what stands in the account already.
    """

    judge: Callable[[Case, Facts], Iterable[Finding]]
    needs: Callable[[Case], Iterable[Wanted[Any]]] = _nothing
