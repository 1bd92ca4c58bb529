"""A plan for the terminal: grouped by component and region, the dangerous first, unchanged left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.plan.findings import Finding, Severity
from toolkit.plan.model import Action, AttributeChange, Change, shown
from toolkit.plan.policies import compare_policies
from toolkit.reports.view import MARKS, PlanView

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "bold red",
    Action.DELETE: "bold red",
    Action.FORGET: "magenta",
    Action.IMPORT: "cyan",
    Action.MOVE: "cyan",
}
_SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.NOTE: "cyan",
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
    for finding in view.findings:
        _print_finding(finding, console)
    for component, region, changes in view.groups():
        console.print()
        console.print(Text(f"{component} · {region}", "bold"))
        for change in changes:
            console.print(Text(f"  {MARKS[change.action]:<3} {_short(change)}", _STYLES[change.action]))
            for line in _attributes(change, verbose=verbose):
                console.print(Text(f"        {line}"))
    if plan.outputs:
        console.print()
        console.print(Text(f"outputs: {', '.join(f'{MARKS[o.action]} {o.name}' for o in plan.outputs)}", "dim"))
    _print_estimate(view, console)
    console.print()
    if plan.empty:
        console.print(Text("No changes: the account is as the environment says.", "bold green"))
    else:
        console.print(Text(f"{plan.totals}; {plan.unchanged} unchanged.", "bold"))


def _print_finding(finding: Finding, console: Console) -> None:
    from rich.text import Text

    word = finding.severity.value.upper() if finding.consented_by is None else "consented"
    style = _SEVERITIES[finding.severity] if finding.consented_by is None else "dim"
    console.print()
    console.print(Text(f"{word}: {finding.summary}", style))
    console.print(Text(f"  {finding.subject}: {finding.evidence}"))
    if finding.consented_by is not None:
        console.print(Text(f"  by {finding.consented_by}", "dim"))
    elif finding.severity is Severity.NOTE:
        console.print(Text(f"  {finding.remedy}", "dim"))
    else:
        console.print(Text(f"  instead: {finding.remedy}"))
        console.print(Text(f"  consent: {finding.consent or 'none is possible'}"))


def _print_estimate(view: PlanView, console: Console) -> None:
    from rich.text import Text

    estimate = view.estimate
    if not estimate.lines:
        return
    console.print()
    console.print(Text(f"Starts to bill (US dollars a month, list prices as of {estimate.as_of}):", "bold"))
    for line in estimate.lines:
        fixed = "depends on usage" if line.monthly_usd is None else f"{line.monthly_usd:.2f}, and usage on top"
        console.print(Text(f"  {line.count} x {line.what}: {fixed} ({line.driver})"))
        console.print(Text(f"      {line.basis}", "dim"))


def _short(change: Change) -> str:
    extra = " (import)" if change.imported else ""
    if change.previous_address:
        extra += f" (moved from {change.previous_address})"
    return f"{change.address}{extra}"


def _attributes(change: Change, *, verbose: bool) -> list[str]:
    if change.action in (Action.CREATE, Action.DELETE, Action.FORGET) and not verbose:
        return []
    return [line for a in change.attributes if verbose or not _noise(a) for line in _attribute(a, change.action)]


def _noise(attribute: AttributeChange) -> bool:
    # tags_all repeats tags and default_tags; it is shown through them.
    return attribute.path.startswith("tags_all")


def _attribute(attribute: AttributeChange, action: Action) -> list[str]:
    if _is_policy(attribute.before) and _is_policy(attribute.after):
        # A policy is shown by what it means, not as two long strings.
        return [
            f"{attribute.path}:",
            *(f"  {line}" for line in compare_policies(attribute.before, attribute.after).lines),
        ]
    forces = "  # forces replacement" if attribute.forces_replacement else ""
    after = _clip(shown(attribute.after))
    if action is Action.CREATE:
        return [f"{attribute.path}: {after}"]
    before = _clip(shown(attribute.before))
    if action in (Action.DELETE, Action.FORGET):
        return [f"{attribute.path}: {before}"]
    return [f"{attribute.path}: {before} → {after}{forces}"]


def _is_policy(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{") and '"Statement"' in value


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
