"""Lines under `released` in environment.yaml: which have done their work, and the edit that leaves the others.

In: an environment, and what its state manages. Out: addresses of modules, and an edit. Pure. For `adopt` and `release`.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.addresses import label_of
from toolkit.environment import Environment
from toolkit.environment.splice import DELETE, Edit
from toolkit.terraform.state_resources import StateResources


def done_lines(environment: Environment, state: StateResources) -> tuple[str, ...]:
    """Modules under `released` that the state no longer has; none where there is no state, which says nothing."""
    if not state.lineage:
        return ()
    return tuple(module for module in environment.released if label_of(module) not in state.labels)


def lines_edit(environment: Environment, left: Sequence[str]) -> tuple[Edit, ...]:
    """The edit after which `released` has these modules; none where it has none, before and after."""
    if left:
        return (Edit(("released",), list(left), before="components"),)
    return (Edit(("released",), DELETE),) if environment.released else ()
