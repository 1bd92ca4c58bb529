"""What is decided about one resource, and how decisions that cannot be carried out are refused.

In: a resource that a plan meets in the account. Out: a proposal, the decision about it, and errors that name it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from toolkit.errors import UsageError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


class Choice(Enum):
    """What becomes of a resource."""

    ADOPT = "adopt"
    """Terraform takes it over, with the stronger of both values."""
    KEEP = "keep"
    """It is left alone: the environment does without what would meet it, or gives its own another name."""
    REPLACE = "replace"
    """The environment's values replace it; plans ask for consent to what gets weaker or is deleted."""


@dataclass(frozen=True)
class Proposal:
    """One resource to decide about."""

    address: str
    type: str
    region: str
    called: str
    """What it is, for people: "the group 'administrators'"."""
    import_id: str | None
    managed_by: str | None
    default: Choice
    """The safe one."""
    reason: str
    """Why that is safe."""


@dataclass
class Decision:
    """What was decided about a resource, and what came of it."""

    proposal: Proposal
    choice: Choice
    given: bool
    """Whether a person chose it; the safe default may still change."""
    reason: str
    same: bool = False
    """Whether the account has it with the very same values, so that there is nothing to decide."""
    open: str | None = None
    """What is left to decide by hand; the plan has a finding about it."""


def proposal_of(change: Change, found: Existing, default: Choice, reason: str) -> Proposal:
    """What there is to decide about what a create meets."""
    manager = found.live.managed_by if found.live is not None else None
    return Proposal(change.address, change.type, change.region, found.named, found.import_id, manager, default, reason)


def as_given(proposal: Proposal, choice: Choice) -> Decision:
    """A decision that a person gave."""
    return Decision(proposal, choice, True, "as decided")


def impossible(decision: Decision, choice: Choice, why: str) -> UsageError:
    """The refusal of a decision that cannot be carried out."""
    return UsageError(
        f"{decision.proposal.address}: {choice.value} is not possible: {why}",
        hint="choose another of adopt, keep and replace for it",
    )


_SAME = "the same setting, or the same component, decides about both: choose the same for both"


def contradict(one: Decision, other: Decision, hint: str = _SAME) -> UsageError:
    """The refusal of two decisions that exclude each other."""
    pair = sorted((one, other), key=lambda d: d.proposal.address)
    said = " and ".join(f"{d.choice.value} for {d.proposal.address}" for d in pair)
    return UsageError(f"contradictory decisions: {said}", hint=hint)
