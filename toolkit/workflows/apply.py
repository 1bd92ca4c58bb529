"""Applies exactly one plan bundle.

In: a Workspace and a bundle. Out: what was created, changed and deleted. Before Terraform starts, every fact of the
bundle's manifest is compared with this moment; Terraform itself refuses a plan whose state has moved on since.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from toolkit import __version__
from toolkit.errors import BadPlanError
from toolkit.findings import Consents
from toolkit.interrupts import report, uninterrupted
from toolkit.plan.model import Action, Plan, parse_plan
from toolkit.reports.view import PlanView, lines_of
from toolkit.terraform import bundle as bundles
from toolkit.terraform.outcomes import FORGETS, ApplyOutcome
from toolkit.terraform.providers import planned_aliases
from toolkit.typed import same_json
from toolkit.workflows.before_first_apply import note_first_apply
from toolkit.workflows.hand_over import demand_proven
from toolkit.workflows.judge import judge_plan, refuse, tell_idle
from toolkit.workflows.left_out import TARGETED, describe, left_out, plan_the_rest
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder
from toolkit.workflows.workspace import Workspace

_RESERVE = 1 << 20


def apply_bundle(
    workspace: Workspace,
    bundle: bundles.Bundle,
    observer: Observer,
    *,
    lock_timeout: str = "0s",
    consents: Consents = Consents(),  # noqa: B008 - frozen
    judged: Callable[[PlanView], None] | None = None,
    ready: Callable[[Plan], None] | None = None,
    done: Callable[[ApplyOutcome], None] = lambda _: None,
) -> ApplyOutcome:
    """Verify, judge once more, then apply.

    The account may have changed since the plan was approved, and somebody else may apply it than planned it: what the
    plan would overwrite and whom it would lock out is asked again.

    Args:
        workspace: The environment.
        bundle: What to apply.
        observer: Gets told what happens.
        lock_timeout: How long to wait for the state lock.
        consents: Given now, on top of those of the bundle.
        judged: Gets the plan as judged just now, before anything is refused or applied.
        ready: Gets the plan once nothing stands in its way, right before Terraform applies it.
        done: Gets what was applied, also if a signal keeps this from returning it.

    Raises:
        BadPlanError: A fact differs; nothing was applied.
        RefusedError: A finding stands in the way that nobody consented to; nothing was applied.
        ToolkitError: Terraform failed or was interrupted; the error tells what was done.
    """
    demand_proven(workspace.environment, workspace.simulator, bundle)
    bundle.verify(
        {
            "simulator": workspace.simulator,
            "account_id": workspace.caller.account_id,
            "backend": workspace.backend,
            "toolkit_version": __version__,
            "terraform": f"{workspace.binary.product} {workspace.binary.version}",
            "lock_sha256": workspace.lock_digest(),
        }
    )
    bundle.verify_files(workspace.sources())
    bundle.verify_state(*workspace.runner.state_version())
    with own_folder(workspace.scratch, "apply") as own:  # see make_plan
        plan_file = bundle.extract_plan(own)
        lineage, serial = bundles.state_of(plan_file)
        if (lineage, serial) != (bundle.manifest.state_lineage, bundle.manifest.state_serial):
            raise BadPlanError("its plan and its manifest are of different states", where=str(bundle.path))
        observer.stage("Judging the plan")
        # Asked of Terraform: what is judged and was shown must be what this very file does.
        if not same_json(workspace.runner.show(plan_file), bundle.plan_json):
            raise BadPlanError(
                "its plan does something else than it shows",
                where=str(bundle.path),
                hint="nothing was applied; plan again and review the new plan",
            )
        given = Consents.from_options(bundle.manifest.consents).together(consents)
        plan = parse_plan(bundle.plan_json, workspace.attribution)
        findings, access = judge_plan(
            workspace,
            bundle.plan_json,
            plan,
            given,
            destroy=bundle.manifest.destroy,
            aliases=planned_aliases(plan_file),
        )
        tell_idle(consents, findings, observer)
        if judged is not None:
            lines = lines_of(workspace.environment)
            judged(PlanView(plan, bundle.manifest, bundle.path, findings, lines, access=access))
        refuse(findings, str(bundle.path))
        lacking = left_out(workspace, plan)
        if lacking:
            observer.note(f"left out, since the embedded AWS lacks them: {describe(lacking)}")
            plan_file = own / "rest.tfplan"
            if not plan_the_rest(workspace, bundle.plan_json, plan, plan_file, lock_timeout=lock_timeout):
                nothing = ApplyOutcome((), (), (), True, (), 0.0)
                done(nothing)
                return nothing
        if ready is not None:
            ready(plan)
        if not bundle.manifest.destroy and not lineage:
            # With a state, there were applies before: by an earlier toolkit, or on another machine.
            note_first_apply(workspace)
        verb = "Destroying" if bundle.manifest.destroy else "Applying"
        observer.stage(f"{verb} {workspace.environment.name}", plan.steps - len(lacking))
        # A state is smaller than the plan that leads to it, which holds it before and after. If Terraform can save it
        # nowhere, it goes into the log, which must then have room, on a disk that is full.
        reserve = _RESERVE + 2 * len(json.dumps(bundle.plan_json))
        with uninterrupted():
            outcome = workspace.runner.apply(plan_file, lock_timeout=lock_timeout, reserve=reserve)
            # The first is of `-target` (left_out.py); the second repeats the list of resources that the plan has shown.
            told = tuple(d for d in outcome.diagnostics if d.summary not in (TARGETED, FORGETS))
            outcome = replace(outcome, diagnostics=told, forgotten=plan.count(Action.FORGET))
            report(f"the plan is applied ({outcome.describe()})")
            done(outcome)
    return outcome
