"""A plan for the terminal: grouped by component and region, the dangerous first, unchanged left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.plan.model import Action, AttributeChange, Change, shown
from toolkit.reports.view import MARKS, PlanView

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "bold red",
    Action.DELETE: "bold red",
    Action.FORGET: "magenta",
}
_LONGEST_VALUE = 100


def print_plan(view: PlanView, console: Console, *, verbose: bool = False) -> None:
    """Print a plan.

    Args:
        view: What to show.
        console: rich console to print to; it decides on colour.
        verbose: Show the values of created and deleted resources, too.
    """
    from rich.text import Text

    manifest, plan = view.manifest, view.plan
    where = "the embedded AWS" if manifest.simulator else "AWS"
    what = "Destruction of" if manifest.destroy else "Plan for"
    console.print(
        Text(f"{what} {manifest.environment}: account {manifest.account_id} on {where}, home {manifest.region}", "bold")
    )
    for component, region, changes in view.groups():
        console.print()
        console.print(Text(f"{component} · {region}", "bold"))
        for change in changes:
            console.print(Text(f"  {MARKS[change.action]:<3} {_short(change)}", _STYLES[change.action]))
            for attribute in _attributes(change, verbose=verbose):
                console.print(Text(f"        {attribute}"))
    if plan.outputs:
        console.print()
        console.print(Text(f"outputs: {', '.join(f'{MARKS[o.action]} {o.name}' for o in plan.outputs)}", "dim"))
    console.print()
    if plan.empty:
        console.print(Text("No changes: the account is as the environment says.", "bold green"))
    else:
        console.print(Text(f"{plan.totals}; {plan.unchanged} unchanged.", "bold"))


def _short(change: Change) -> str:
    extra = " (import)" if change.imported else ""
    if change.previous_address:
        extra += f" (moved from {change.previous_address})"
    return f"{change.address}{extra}"


def _attributes(change: Change, *, verbose: bool) -> list[str]:
    if change.action in (Action.CREATE, Action.DELETE, Action.FORGET) and not verbose:
        return []
    return [_attribute(a, change.action) for a in change.attributes if verbose or not _noise(a)]


def _noise(attribute: AttributeChange) -> bool:
    # tags_all repeats tags and default_tags; it is shown through them.
    return attribute.path.startswith("tags_all")


def _attribute(attribute: AttributeChange, action: Action) -> str:
    forces = "  # forces replacement" if attribute.forces_replacement else ""
    after = _clip(shown(attribute.after))
    if action is Action.CREATE:
        return f"{attribute.path}: {after}"
    before = _clip(shown(attribute.before))
    if action in (Action.DELETE, Action.FORGET):
        return f"{attribute.path}: {before}"
    return f"{attribute.path}: {before} → {after}{forces}"


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
