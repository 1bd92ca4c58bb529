"""Commands of the embedded AWS: up, down, status, reset, demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.documents import document
from toolkit.errors import ExitCode
from toolkit.visible import one_line

if TYPE_CHECKING:
    from toolkit.sandbox.control import Sandbox
    from toolkit.workflows.demo import Proof

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""An embedded AWS (moto) on 127.0.0.1, for trials.

    \b
    Examples:
      toolkit sandbox up
      toolkit apply sandbox --auto-approve
      toolkit sandbox down
    """,
)


@app.command()
def up(
    account_id: Annotated[
        list[str] | None,
        typer.Option(
            "--account-id",
            metavar="ID",
            help="A simulated account; repeatable. One that already runs gets those that it lacks.",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    owner: Annotated[
        int | None,
        typer.Option(
            "--owner",
            metavar="PID",
            min=1,
            envvar="TOOLKIT_SANDBOX_OWNER",
            help="Stop it when this process ends, however that happens; for scripts and tests.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Start the embedded AWS, or find the one that runs.

    \b
    Examples:
      toolkit sandbox up
      toolkit sandbox up --account-id 111122223333 --account-id 444455556666
      toolkit plan prod --sandbox
      toolkit sandbox up --owner $$                    in a script: ends with it
    """
    from toolkit.sandbox import control
    from toolkit.workflows.workspace import sandbox_folder

    folder = sandbox_folder(options.project())
    for each in account_id or (None,):
        found = control.up(folder, account_id=each, port=port, owner=owner)
    _print(found, as_json)


@app.command()
def down() -> None:
    """Stop the embedded AWS; everything in it is gone.

    \b
    Examples:
      toolkit sandbox down
    """
    from toolkit.sandbox import control
    from toolkit.workflows.workspace import sandbox_folder

    stopped = control.down(sandbox_folder(options.project()))
    console.say("stopped" if stopped else "was not running")


@app.command()
def status(as_json: options.Json = False) -> int:
    """Show whether the embedded AWS runs, and where.

    Exit code 1 when it does not run.

    \b
    Examples:
      toolkit sandbox status --json
    """
    from toolkit.sandbox import control
    from toolkit.workflows.workspace import others_running, sandbox_folder

    project = options.project()
    found = control.status(sandbox_folder(project))
    if found is None:
        if as_json:
            console.print_json(document("sandbox", {"running": False}))
        else:
            console.say("not running")
            console.tell(*(one_line(f"  elsewhere, {other}") for other in others_running(project)))
        return ExitCode.ERROR
    _print(found, as_json)
    return ExitCode.OK


@app.command()
def demo(mirror: options.Mirror = None) -> int:
    """Render, plan, apply, prove and audit the environment `sandbox`.

    On an embedded AWS of its own, which is stopped afterwards.

    \b
    Examples:
      toolkit sandbox demo
    """
    from toolkit.reports.audit import audit_overview
    from toolkit.reports.text import plan_lines
    from toolkit.reports.view import PlanView
    from toolkit.terraform.outcomes import ApplyOutcome
    from toolkit.workflows.demo import Proof, run_demo

    complete = False
    with console.Progress() as progress:
        for stage in run_demo(options.project(), options.access(False, mirror), progress):
            progress.pause()
            if isinstance(stage, PlanView):
                console.show(plan_lines(stage))
            elif isinstance(stage, ApplyOutcome):
                console.say(f"Applied: {stage.describe()} in {stage.seconds:.0f} s.")
            elif isinstance(stage, Proof):
                complete = stage.complete
                _print_proof(stage)
            else:
                console.say("")
                console.show(audit_overview(stage))
    return ExitCode.OK if complete else ExitCode.ERROR


def _print_proof(proof: Proof) -> None:
    from toolkit.reports.text import plan_lines

    if proof.second_plan.plan.empty:
        console.say("", "A second plan: no changes.")
    else:
        console.say("", "A second plan: CHANGES, though nothing was changed:")
        console.show(plan_lines(proof.second_plan))
    console.say("", "Read back from the account through boto3:", "")
    rows = [(r.component, r.region, "as set" if r.as_set else "NOT AS SET", r.found) for r in proof.read_back]
    console.print_table(("COMPONENT", "REGION", "SETTINGS", "FOUND"), rows)


def _print(found: Sandbox, as_json: bool) -> None:
    if not as_json:
        console.say(f"running at {found.endpoint}, {found.accounts}, process {found.pid}")
        return
    facts = {key: getattr(found, key) for key in ("endpoint", "pid", "account_id", "account_ids", "started")}
    console.print_json(document("sandbox", {"running": True, **facts}))
