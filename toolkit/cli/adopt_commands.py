"""The command that takes over what an account has already."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.cli.stream import stderr
from toolkit.documents import Document, document
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.adoption import Choice, Decision, Proposal
    from toolkit.workflows.adopt import Adopted


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(adopt)


def adopt(
    env: options.Env,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Take the safe choice for each resource: adopt it where nothing gets weaker and nothing else manages "
            "it, else leave it alone; never replace.",
        ),
    ] = False,
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="FILE",
            help="YAML or JSON file of decisions: 'ADDRESS': adopt, keep or replace. What it does not name gets the "
            "safe choice.",
        ),
    ] = None,
    snapshot: options.FromSnapshot = None,
    max_age: options.MaxAge = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show decisions and changes, write nothing.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Restore environment.yaml as it was before; only before the next apply.")
    ] = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
    as_json: options.Json = False,
) -> None:
    """Take over what the account has, by editing environment.yaml.

    Never changes AWS. Proposes for each resource that a plan would meet there: adopt (import it, with the stronger of
    both values), keep (leave it alone: the environment uses another name, or does without) or replace. In a terminal,
    it prompts. With --from, a snapshot says what the account has: the plan can then run with credentials that may not
    read all of it. Only the edited keys of the file change, with comments that say where values come from. Run it
    again after the apply: it deletes the lines under `imports` and `released` that are done.

    \b
    Examples:
      toolkit adopt prod                 prompt for each resource
      toolkit adopt prod --dry-run --yes
      toolkit adopt prod --dry-run --json      for a file of decisions
      toolkit adopt prod --decisions decisions.yaml
      toolkit adopt prod --yes --from 111122223333-20261129T061200Z.json
      toolkit adopt prod --undo
    """
    given = sum((yes, decisions is not None, undo))
    if given > 1 or (undo and dry_run):
        raise UsageError("--yes, --decisions and --undo exclude each other, and --undo shows nothing with --dry-run")
    if undo and (snapshot is not None or max_age is not None):
        raise UsageError("--undo reads no account, so it does not go with --from", hint="leave out --from")
    if undo and as_json:
        raise UsageError("--undo decides nothing, so it does not go with --json", hint="look at its exit code")
    age = options.max_age(snapshot, max_age)
    from toolkit.workflows import adopt as workflow

    project, access = options.project(), options.access(sandbox, mirror)
    if undo:
        with console.Progress() as progress:
            workflow.undo(project, env, access, progress)
        console.tell(f"environments/{env}/environment.yaml is as it was before `toolkit adopt`.")
        return
    if not given and not dry_run and not console.in_terminal():
        raise UsageError(
            "decisions need a terminal",
            hint=f"`toolkit adopt {env} --yes` takes the safe choices, --decisions FILE those of a file",
        )
    chosen = workflow.read_decisions(decisions) if decisions is not None else {}
    with console.Progress() as progress:

        def decide(proposal: Proposal) -> Choice | None:
            if given or dry_run:
                return None
            progress.pause()
            return _ask(proposal)

        result = workflow.adopt(
            project,
            env,
            access,
            progress,
            decide=decide,
            given=chosen,
            snapshot=snapshot,
            max_age=age,
            dry_run=dry_run,
        )
    if as_json:
        console.print_json(_data(result, env, dry_run=dry_run))
    else:
        _show(result, env, f"{env} --sandbox" if sandbox else env, dry_run=dry_run)


def _ask(proposal: Proposal) -> Choice | None:
    from toolkit.adoption import Choice

    safe = proposal.default.value
    console.tell(
        "",
        f"The account already has {proposal.called}.",
        f"  {proposal.address}",
        f"  safe choice: {safe} ({proposal.reason})",
    )
    words = {choice.value: choice for choice in Choice}
    while True:
        stderr().write(f"adopt, keep or replace? [{safe}] ")
        console.require_stderr("the question could not be shown")
        line = sys.stdin.readline()
        if not line:
            raise UsageError("the answers ended before the last question; nothing was written")
        said = line.strip().lower()
        if not said:
            return None
        if len(found := [word for word in words if word.startswith(said)]) == 1:
            return words[found[0]]
        console.tell(f"{said!r} is none of them.")


def _data(result: Adopted, env: str, *, dry_run: bool) -> Document:
    from toolkit.reports.data import plan_summary

    return document(
        "adopt",
        {
            "environment": env,
            "written": bool(result.diff) and not dry_run,
            "decisions": [
                {
                    "address": d.proposal.address,
                    "type": d.proposal.type,
                    "region": d.proposal.region,
                    "called": d.proposal.called,
                    "import_id": d.proposal.import_id,
                    "managed_by": d.proposal.managed_by,
                    "choice": d.choice.value,
                    "given": d.given,
                    "reason": d.reason,
                    "same": d.same,
                    "by_hand": d.open,
                }
                for d in sorted(result.decisions, key=lambda d: d.proposal.address)
            ],
            "imported": sorted(result.done),
            "released": list(result.released),
            "diff": result.diff,
            "summary": plan_summary(result.plan),
        },
    )


def _show(result: Adopted, env: str, called: str, *, dry_run: bool) -> None:
    rows = [
        (d.choice.value if d.open is None else "by hand", d.proposal.called, d.open or d.reason, d.proposal.address)
        for d in result.decisions
        if _matters(d)
    ]
    if rows:
        console.print_table(("DECISION", "IN THE ACCOUNT", "WHY", "ADDRESS"), rows)
    for address in result.done:
        console.say(f"imported: {address}; its line under `imports` is deleted")
    for module in result.released:
        console.say(f"The state has nothing of {module}: its line under `released` is deleted")
    if not result.diff:
        console.tell(f"environments/{env}/environment.yaml stays as it is.")
    else:
        console.document(f"\n{result.diff}")
        console.tell("", "Nothing was written." if dry_run else f"Wrote environments/{env}/environment.yaml.")
        if not dry_run:
            console.tell(f"`toolkit adopt {called} --undo` restores it, until the next apply.")
    console.tell(f"The plan is now: {result.plan.totals}.", f"Next: toolkit plan {called}")


def _matters(decision: Decision) -> bool:
    """Whether anything comes of it; what is there with the very same values needs no decision."""
    return not decision.same
