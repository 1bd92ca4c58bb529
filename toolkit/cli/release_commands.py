"""The command that stops managing components without deleting anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.documents import document
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.workflows.release import Release


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(release)


def release(
    env: options.Env,
    components: Annotated[
        list[str] | None, typer.Argument(metavar="COMPONENT", help="Components to release; default: all that are on.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write environment.yaml without a prompt; for pipelines.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what stays and what would be written; write nothing.")
    ] = False,
    done: Annotated[
        bool,
        typer.Option(
            "--done",
            help="Only delete the lines under `released` whose modules the state no longer has, after the apply.",
        ),
    ] = False,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Stop managing components, and delete nothing in AWS.

    Takes them out of environment.yaml and writes their modules under `released`. The next apply removes their resources
    from the state; AWS keeps them. For what protects or records, plan and apply need the consent --allow-release, which
    this command prints. Settings are in the history of environment.yaml alone: commit it before. `toolkit adopt` takes
    the resources back.

    \b
    Examples:
      toolkit release prod cloudtrail config     prompt, then write
      toolkit release prod --dry-run             everything; only show it
      toolkit release prod cloudtrail --yes
      toolkit release prod --done                after the apply
    """
    if done and components:
        raise UsageError("--done is about earlier releases; it takes no component")
    if not (yes or dry_run or done) and not console.in_terminal():
        raise UsageError(
            "approval needs a terminal",
            hint=f"`toolkit release {env} --dry-run` shows what would be written; --yes writes it without a prompt",
        )
    from toolkit.workflows.release import release as run

    with console.Progress() as progress:

        def agreed(result: Release) -> bool:
            progress.pause()
            if not as_json:
                _show(result)
            return yes or done or console.ask("Write environment.yaml?", wanted="yes")

        result = run(
            options.project(),
            env,
            tuple(components or ()),
            options.access(sandbox, mirror),
            progress,
            agreed=agreed,
            done=done,
            dry_run=dry_run,
        )
    if as_json:
        console.print_json(document("release", _data(result, env, written=bool(result.diff) and not dry_run)))
        return
    if dry_run:
        _show(result)
    _tell_next(result, env, f"{env} --sandbox" if sandbox else env, dry_run=dry_run)


def _show(result: Release) -> None:
    if result.stays:
        counted = Counter((one.component, one.type, one.region or "-", one.bills or "") for one in result.stays)
        console.print_table(
            ("STAYS IN AWS", "TYPE", "REGION", "COUNT", "BILLED FOR"),
            [(component, kind, region, str(n), bills) for (component, kind, region, bills), n in counted.items()],
        )
    if result.components and not result.has_state:
        console.say(
            "There is no state: this environment was never applied, or `backend` names another place. What stays in "
            "AWS cannot be said."
        )
    elif result.not_in_state:
        console.say(
            f"The state has nothing of {', '.join(result.not_in_state)}. While its lines are under `released`, nothing "
            "of it is deleted even if another run creates it. `release --done` and `adopt` delete the lines: run them "
            "after the apply."
        )
    if result.also:
        console.say(f"Also changes, since it depends on what is released: {', '.join(result.also)}")
    for module in result.done:
        console.say(f"The state has nothing of {module}: its line under `released` is deleted")
    if result.diff:
        console.document(f"\n{result.diff}")


def _tell_next(result: Release, env: str, called: str, *, dry_run: bool) -> None:
    if not result.diff:
        console.tell(f"environments/{env}/environment.yaml stays as it is.")
        return
    console.tell("", "Nothing was written." if dry_run else f"Wrote environments/{env}/environment.yaml.")
    if result.stays:
        bills = sum(one.bills is not None for one in result.stays)
        console.tell(
            f"After the apply, {len(result.stays)} resources stay in AWS. This environment no longer manages them: you "
            "do.",
            *([f"{bills} of them are of types that AWS bills: until they are deleted by hand."] if bills else []),
        )
    if result.modules:
        console.tell(
            f"Next: toolkit apply {called} {' '.join(result.consents)}",
            f"Then: toolkit release {called} --done deletes the lines under `released`.",
        )
    elif result.components:
        console.tell(f"Next: toolkit plan {called}")
    if result.empty:
        console.tell(
            "No component is left. After the apply, the state has no resources, and what is in "
            f"environments/{env} can be deleted together with the state."
        )


def _data(result: Release, env: str, *, written: bool) -> dict[str, object]:
    return {
        "environment": env,
        "written": written,
        "components": list(result.components),
        "released": list(result.modules),
        "done": list(result.done),
        "also_changed": list(result.also),
        "not_in_state": list(result.not_in_state),
        "consents": list(result.consents),
        "stays": [
            {
                "component": one.component,
                "address": one.address,
                "type": one.type,
                "region": one.region,
                "name": one.name,
                "bills": one.bills,
            }
            for one in result.stays
        ],
    }
