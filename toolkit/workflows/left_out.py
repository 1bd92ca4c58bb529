"""What the embedded AWS lacks is left out when a plan is applied there.

In: a bundle for the embedded AWS, whose plan holds everything, as it would be on AWS. Out: a plan of the rest. The one
mechanism is Terraform's `-target` at run time: HCL, settings and the plan that people review stay those of AWS. What is
lacking is declared by the types' records (`unsupported_in_simulator`); a component may add types (`left_out`). Each
change that is applied is, byte for byte, one of the reviewed plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.addresses import Address
from toolkit.errors import RefusedError
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.registry import is_unsupported
from toolkit.typed import same_json
from toolkit.visible import joined_lines

if TYPE_CHECKING:
    from toolkit.workflows.workspace import Workspace

TARGETED = "Applied changes may be incomplete"
"""Terraform's warning after an apply of such a plan; what was left out has been reported by then."""


def left_out(workspace: Workspace, plan: Plan) -> tuple[Change, ...]:
    """What the plan makes or changes that the embedded AWS lacks; nothing for a plan that is for AWS."""
    if not workspace.simulator:
        return ()
    from toolkit.components.registry import REGISTRY

    made = [c for c in plan.changes if c.action in (Action.CREATE, Action.UPDATE, Action.REPLACE)]
    # Of these components alone: importing all takes as long as everything else before Terraform starts.
    also = {(name, kind) for name in {c.component for c in made} - {None} for kind in REGISTRY[str(name)].left_out}
    return tuple(c for c in made if is_unsupported(c.type) or (c.component, c.type) in also)


def describe(changes: Iterable[Change]) -> str:
    """One phrase: "aws_budgets_budget, 3 aws_securityhub_standards_subscription"."""
    counts = Counter(change.type for change in changes)
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in sorted(counts.items()))


def plan_the_rest(workspace: Workspace, reviewed: dict[str, Any], plan: Plan, out: Path, *, lock_timeout: str) -> bool:
    """Write a plan without what the embedded AWS lacks to `out`; False where nothing else is left to apply.

    Args:
        workspace: The environment.
        reviewed: `show -json` of the plan that was reviewed.
        plan: The same, parsed.
        out: The plan file.
        lock_timeout: How long to wait for the state lock.

    Raises:
        RefusedError: Something else needs what is lacking, or the rest is not what was reviewed; nothing was applied.
    """
    lacking = {change.address for change in left_out(workspace, plan)}
    rest = [change.address for change in plan.changes if change.address not in lacking]
    if not rest:
        return False
    with workspace.runner.with_one_provider():
        workspace.runner.plan(out, lock_timeout=lock_timeout, targets=_targets(rest, lacking))
        changes = _changes(workspace.runner.show(out))
    if needed := sorted(lacking & set(changes)):
        raise RefusedError(
            "the embedded AWS lacks what other resources of the plan need; nothing was applied",
            where=workspace.called,
            detail=joined_lines(needed),
            hint="take the components of these out of environment.yaml to apply the rest there",
        )
    known = _changes(reviewed)
    # Of what was reviewed, all but what is lacking: nothing else is reported as left out.
    other = sorted(
        a
        for a in (known.keys() | changes.keys()) - lacking
        if a not in known or a not in changes or not same_json(changes[a], known[a])
    )
    if other:
        raise RefusedError(
            "without what the embedded AWS lacks, the plan does something else than was reviewed; nothing was applied",
            where=workspace.called,
            detail=joined_lines(other),
            hint="plan again and review that",
        )
    return True


def _targets(rest: Iterable[str], lacking: Iterable[str]) -> tuple[str, ...]:
    """Module calls of which nothing is lacking, so that their outputs are set, too; single addresses of others."""
    partly = {_call(address) for address in lacking}
    return tuple(dict.fromkeys(a if _call(a) in partly else _call(a) for a in rest))


def _call(address: str) -> str:
    """The root's module call that an address is in; the address itself where it is in none."""
    return Address.parse(address).call or address


def _changes(shown: dict[str, Any]) -> dict[str, Any]:
    """Address → what is done to it, without what is only read or left alone."""
    return {
        str(entry["address"]): entry["change"]
        for entry in shown.get("resource_changes", ())
        if entry["change"]["actions"] not in (["no-op"], ["read"])
    }
