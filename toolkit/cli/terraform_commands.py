"""Commands that run Terraform: validate, plan, show, apply, destroy, output, lock."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import console, fleet_options, fleet_run, options
from toolkit.cli.stream import OutputError, ReaderGoneError
from toolkit.documents import document
from toolkit.errors import ExitCode, RefusedError, ToolkitError, UsageError
from toolkit.visible import JSON, json_text, one_line

if TYPE_CHECKING:
    from toolkit.plan.model import Plan
    from toolkit.reports.view import PlanView
    from toolkit.terraform.outcomes import ApplyOutcome
    from toolkit.workflows.hand_over import Demands
    from toolkit.workflows.plan import PlanResult
    from toolkit.workflows.report import Target
    from toolkit.workflows.workspace import Access, Workspace


_EXPIRES_IN = "24h"


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    for command in (validate, plan, show, apply, destroy, output, lock):
        app.command()(command)


def validate(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    mirror: options.Mirror = None,
    as_json: options.Json = False,
) -> int:
    """Check environment files and their Terraform, without AWS.

    Reports what `terraform validate` finds, access tests that fail, waivers that expired, and settings that need a
    review. Of several environments, an error of one hides no other. Access tests are run on the embedded AWS; where
    it is not installed, validate says that they were not run, and `plan` runs them.

    \b
    Examples:
      toolkit validate            every environment
      toolkit validate prod
      toolkit validate --changed-since origin/main
    """
    from toolkit.fleet.outcome import fold
    from toolkit.workflows.validate import Validated, validate_environment

    project = options.project()
    selection = fleet_options.selected(project, envs, where, everything, changed_since, by_default=True)
    found: dict[str, Validated] = {}
    errors: dict[str, ToolkitError] = {}
    with console.Progress() as progress:
        for name in selection.names:
            try:
                found[name] = validate_environment(project, name, options.access(False, mirror), progress)
            except ToolkitError as e:
                if selection.single is not None or e.exit_code is ExitCode.INTERRUPTED:
                    raise
                errors[name] = e
    if as_json:
        results = [
            {
                "environment": name,
                "valid": name in found,
                "warnings": [d.summary for d in found[name].warnings] if name in found else [],
                "access_tests": {"declared": found[name].access_tests, "tested": found[name].tested}
                if name in found
                else None,
                "error": errors[name].as_data() if name in errors else None,
            }
            for name in selection.names
        ]
        console.print_json(document("validate", {"environments": results}))
    else:
        rows = [(name, found[name].result if name in found else "not valid, see below") for name in selection.names]
        console.print_table(("ENVIRONMENT", "RESULT"), rows)
    for name, error in errors.items():
        fleet_run.tell_error(name, error.as_data())
    return fold(error.exit_code for error in errors.values())


def plan(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    failed: fleet_run.Failed = False,
    jobs: fleet_run.Jobs = None,
    out: Annotated[
        # No Path: it would drop the slash at the end, which says that a folder is meant.
        str | None,
        typer.Option(
            "--out",
            metavar="FILE|DIR|S3",
            help="Where to save the plan bundle: a file, or a folder for ENV.tfbundle (created if it "
            "does not exist and its name ends in /). Only an earlier bundle is ever replaced. s3://BUCKET/PREFIX/ puts "
            "an object that is named after the environment and its SHA-256; nothing there is read, listed or replaced.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="FILE|DIR",
            help="With --out s3://…: also write a file that names the object, for `apply --plan FILE`. It has no "
            "secrets.",
        ),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes, as terraform does.")
    ] = False,
    as_json: options.Json = False,
    report: options.Report = None,
    no_render: options.NoRender = False,
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            metavar="DURATION",
            help="How long the plan may be applied: 90m, 8h, 3d. Default: 24h.",
        ),
    ] = None,
    allow_destroy: options.AllowDestroy = None,
    allow_release: options.AllowRelease = None,
    allow_weaker: options.AllowWeaker = None,
    allow_gain: options.AllowGain = None,
    acknowledge_lockout: options.AcknowledgeLockout = False,
    kms_key: Annotated[
        str | None,
        typer.Option(
            "--kms-key",
            metavar="ID",
            help="Encrypt the bundle with a data key of this KMS key. Without it, TOOLKIT_BUNDLE_KEY (base64 of 32 "
            "bytes) encrypts it if it is set.",
        ),
    ] = None,
    sign: Annotated[
        str | None,
        typer.Option(
            "--sign",
            metavar="KEY",
            help="Sign the bundle: with a KMS key (id, ARN or alias) for signatures, or a file with an Ed25519 private "
            "key (PEM; TOOLKIT_SIGNING_PASSPHRASE decrypts it).",
        ),
    ] = None,
    lock_timeout: options.LockTimeout = "30s",
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Show what would change, judge it, and save the plan.

    A plan that would delete a protecting resource, weaken a setting or lock users out is refused (exit code 4) unless
    an option below, or a waiver in the environment file, consents to that finding.

    \b
    Examples:
      toolkit plan prod
      toolkit plan prod --no-render --out plans/ --detailed-exitcode
      toolkit plan prod --json | jq .summary
      toolkit plan prod --report markdown=comment.md --report sarif=found.sarif
      toolkit plan prod --allow-weaker 'module.password_policy.*.max_password_age'
      toolkit plan prod --out prod.tfbundle --sign alias/plans
      toolkit plan prod --out s3://plans/ci/ --reference prod.tfbundle
      toolkit plan 'prod-*' --out plans/ --report markdown=reports/
      toolkit plan --all --allow-weaker 'prod:module.password_policy.*'
      toolkit plan --failed        again, what failed in the run before
    """
    lifetime = options.lifetime(expires_in or _EXPIRES_IN)
    options.duration(lock_timeout)
    _check_reference(out, reference)
    env = fleet_run.chosen(fleet_options.selected, failed, envs, where, everything, changed_since)
    if isinstance(env, fleet_run.Several):
        given: fleet_run.Kept = {
            "--out": fleet_run.resolved(out), "--reference": fleet_run.resolved(reference), "--no-render": no_render,
            "--expires-in": expires_in, "--kms-key": kms_key, "--sign": fleet_run.resolved_key(sign),
        }  # fmt: skip
        many = fleet_run.Many(env, jobs, as_json, sandbox, mirror, lock_timeout, report, given)
        own = fleet_run.joined(
            fleet_run.as_kept("--no-render", "--expires-in", "--kms-key", "--sign"),
            fleet_run.consents(allow_destroy, allow_weaker, allow_release, allow_gain, acknowledge_lockout),
            fleet_run.plan_reports(report),
        )
        return fleet_run.each("plan", many, own, changes=detailed_exitcode)
    reports = options.reports(report, as_json=as_json, out=out, env=env)
    from toolkit.signing import required_signature
    from toolkit.workflows.checkout import tree
    from toolkit.workflows.hand_over import missing_at_plan, signer_of
    from toolkit.workflows.keys import bundle_keys
    from toolkit.workflows.pipeline_run import pipeline_run
    from toolkit.workflows.plan import make_plan
    from toolkit.workflows.workspace import open_workspace

    project, access = options.project(), options.access(sandbox, mirror)
    keys, run = bundle_keys(project, access, kms_key), pipeline_run(access.environ)
    if sign is not None:
        required_signature(sign, option="--sign")
    with console.Progress() as progress:
        workspace = open_workspace(project, env, access, progress, may_render=not no_render, deploys=True)
        signer = None if sign is None else signer_of(workspace.aws, sign, access.environ)
        lacking = missing_at_plan(
            workspace.aws,
            sandbox=sandbox,
            encrypted=keys.seals,
            signed=None if signer is None else signer.signed,
            run=run,
            git_tree=tree(workspace.paths.folder),
        )
        for reason in lacking:
            progress.note(f"`toolkit apply` will refuse this plan: {reason}")
        consents = options.consents(allow_destroy, allow_weaker, acknowledge_lockout, allow_release, allow_gain)

        def show(result: PlanResult) -> None:
            progress.pause()
            # The plan last: its summary of findings is what stays on the screen.
            _show_warnings(workspace, result.warnings)
            _show_whole(_view(workspace, result), as_json, reports)

        result = make_plan(
            workspace,
            progress,
            out=out,
            lock_timeout=lock_timeout,
            lifetime=lifetime,
            consents=consents,
            keys=keys,
            signer=signer,
            reference=reference,
            judged=show,
            run=run,
        )
    from toolkit.workflows.judge import refuse

    refuse(result.findings, env, told=True)
    if not as_json and result.pending:
        saved_as = console.relative(result.bundle) if isinstance(result.bundle, Path) else str(result.bundle)
        signed = "" if result.manifest.signature is None else "signed, "
        console.tell(
            f"Saved as {saved_as} ({signed}expires {result.manifest.expires}).",
            f"Apply exactly this: toolkit apply {env} --plan {saved_as}{' --sandbox' if sandbox else ''}",
        )
    return ExitCode.CHANGES if detailed_exitcode and result.pending else ExitCode.OK


def _check_reference(out: str | None, reference: str | None) -> None:
    """Refuse an --out in S3 that is not one, and a --reference to a bundle that is a file itself.

    Raises:
        UsageError: It is.
    """
    from toolkit.terraform.stored import folder, is_stored

    if out is not None and is_stored(out):
        folder(out, option="--out")
    elif reference is not None:
        raise UsageError(
            "--reference names a plan that is saved in S3, and this one is not", hint="add --out s3://BUCKET/PREFIX/"
        )


def show(
    # No Path: it would take one of the slashes of s3:// away.
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="A saved plan bundle: its file, a reference to it, or its S3 URI.")
    ],
    as_json: options.Json = False,
    report: options.Report = None,
    kms_key: options.KmsKey = None,
    sandbox: options.Sandbox = False,
) -> None:
    """Show a saved plan again, without Terraform.

    Works in any folder, also outside of a project, and without AWS; only a plan that is saved in S3 is read from there,
    with the credentials of its environment.

    \b
    Examples:
      toolkit show environments/prod/.toolkit/plan.tfbundle
      toolkit show prod.tfbundle --json
      toolkit show prod.tfbundle --report html=plan.html
    """
    reports = options.reports(report, as_json=as_json)
    from toolkit.workflows.keys import bundle_keys
    from toolkit.workflows.show import show_bundle

    project, access = options.project_if_any(), options.access(sandbox, None)
    _show(show_bundle(bundle, project, access, bundle_keys(project, access, kms_key)), as_json, reports)


def apply(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    failed: fleet_run.Failed = False,
    jobs: fleet_run.Jobs = None,
    dry_run: fleet_run.DryRun = False,
    plan: Annotated[
        str | None,
        typer.Option(
            "--plan",
            metavar="BUNDLE|DIR",
            help="Apply exactly this saved plan, without a prompt: its file, a reference to it, or its S3 URI; with "
            "several environments, a folder that has ENV.tfbundle of each.",
        ),
    ] = None,
    auto_approve: options.AutoApprove = False,
    approve_each: fleet_run.ApproveEach = False,
    as_json: options.Json = False,
    report: options.Report = None,
    no_render: options.NoRender = False,
    allow_destroy: options.AllowDestroy = None,
    allow_release: options.AllowRelease = None,
    allow_weaker: options.AllowWeaker = None,
    allow_gain: options.AllowGain = None,
    acknowledge_lockout: options.AcknowledgeLockout = False,
    kms_key: options.KmsKey = None,
    require_signature: options.RequireSignature = None,
    require_run: options.RequireRun = None,
    lock_timeout: options.LockTimeout = "30s",
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Apply a saved plan, or plan, show, confirm and apply.

    Several environments are all planned first, approved together, and applied in the waves of fleet.yaml: the next wave
    begins only if the one before is applied, a second plan of it is empty and its audit is not worse.

    \b
    Examples:
      toolkit apply prod                         plan, show, confirm, apply
      toolkit apply prod --plan prod.tfbundle    exactly what was reviewed
      toolkit apply prod --plan prod.tfbundle --require-signature alias/plans
      toolkit apply sandbox --auto-approve       plan, show, apply
      toolkit apply --where tier=prod --dry-run  in which waves
      toolkit apply --all --plan plans/          what was saved there
      toolkit apply --failed                     what is left of the run before
    """
    options.duration(lock_timeout)
    if approve_each and not dry_run:
        fleet_run.check_approval(each=True, auto=auto_approve, saved=plan is not None)
    env = fleet_run.chosen(
        fleet_options.selected, failed, envs, where, everything, changed_since, changes=True, dry_run=dry_run
    )
    options.demands_on(plan, kms_key=kms_key, require_signature=require_signature, require_run=require_run)
    from toolkit.workflows.hand_over import Demands, check

    demands = Demands(require_signature, require_run)
    check(demands)
    if isinstance(env, fleet_run.Several):
        consented = fleet_run.joined(
            fleet_run.consents(allow_destroy, allow_weaker, allow_release, allow_gain, acknowledge_lockout),
            fleet_run.plan_reports(report),
        )
        demanded = fleet_run.fixed(
            ("--kms-key", kms_key),
            ("--require-signature", fleet_run.resolved_key(require_signature)),
            ("--require-run", require_run),
        )
        saved = fleet_run.joined(demanded, consented)
        return fleet_run.apply(
            fleet_run.Many(env, jobs, as_json, sandbox, mirror, lock_timeout, report=report),
            fleet_run.joined(fleet_run.fixed(("--no-render", no_render)), consented),
            # Those of a plan that is made here are in it already; a plan that is kept was made without them.
            saved if plan is not None or failed else fleet_run.fixed(),
            saved=fleet_run.saved_folder(plan),
            kms_key=kms_key,
            auto_approve=auto_approve,
            by_wave=approve_each,
            dry_run=dry_run,
        )
    _apply(
        env, plan, auto_approve, approve_each, as_json, report, no_render, allow_destroy, allow_release, allow_weaker,
        allow_gain, acknowledge_lockout, kms_key, demands, lock_timeout, options.access(sandbox, mirror),
    )  # fmt: skip
    return ExitCode.OK


def _apply(
    env: str,
    plan: str | None,
    auto_approve: bool,
    approve_each: bool,
    as_json: bool,
    report: list[str] | None,
    no_render: bool,
    allow_destroy: list[str] | None,
    allow_release: list[str] | None,
    allow_weaker: list[str] | None,
    allow_gain: list[str] | None,
    acknowledge_lockout: bool,
    kms_key: str | None,
    demands: Demands,
    lock_timeout: str,
    access: Access,
) -> None:
    """Apply one environment."""
    reports = options.reports(report, as_json=as_json)
    quiet = as_json or options.printed(reports)
    from toolkit.workflows.apply import apply_bundle
    from toolkit.workflows.hand_over import open_bundle, refuse_without_bundle
    from toolkit.workflows.judge import refuse
    from toolkit.workflows.keys import bundle_keys
    from toolkit.workflows.plan import make_plan
    from toolkit.workflows.workspace import open_workspace, read_environment

    consents = options.consents(allow_destroy, allow_weaker, acknowledge_lockout, allow_release, allow_gain)
    project = options.project()
    if plan is None:
        refuse_without_bundle(read_environment(project, env)[1], "toolkit apply", sandbox=access.sandbox)
    if plan is None and not auto_approve:
        _require_terminal(
            f"`toolkit apply {env} --plan BUNDLE` needs no prompt; --auto-approve applies what is planned now "
            "without review"
        )
    bundle = None
    if plan is not None:
        bundle = open_bundle(plan, project, env, access, bundle_keys(project, access, kms_key), demands)
    progress = console.Progress()  # one for both: Terraform reports to the one that the workspace was opened with
    with progress:
        # A saved plan is applied to the files it was made from; rendering now could only make them differ.
        may_render = bundle is None and not no_render
        workspace = open_workspace(project, env, access, progress, may_render=may_render, deploys=True)
        if bundle is None:
            result = make_plan(workspace, progress, lock_timeout=lock_timeout, consents=consents, keep=False)
    if bundle is None:
        _show_warnings(workspace, result.warnings)
        _show_whole(_view(workspace, result), False, reports, to_stderr=quiet)
        refuse(result.findings, env, told=True)
        if not result.pending and not result.moves_home:
            _tell(workspace, None, as_json)
            return
        reports = ()
        instead = f"`toolkit plan {workspace.called}` saves one that can be applied later"
        _confirm(workspace, auto_approve, f"Apply this to account {workspace.caller.account_id}?", "yes", instead)
        bundle = result.saved
        assert bundle is not None, "a plan that is not saved was refused above"

    def report_whole(view: PlanView) -> None:
        if plan is not None and approve_each:
            progress.pause()
            _show_whole(view, False, reports, to_stderr=quiet)
            return
        with _whole():
            options.write(view, reports)

    def approved(_: Plan) -> None:
        if plan is not None and approve_each:
            progress.pause()
            if not _agreed(workspace, f"Apply this to account {workspace.caller.account_id}?", "yes"):
                raise RefusedError("not approved; nothing was applied")

    with progress:
        outcome = apply_bundle(
            workspace,
            bundle,
            progress,
            lock_timeout=lock_timeout,
            # Those of a plan made here are in it already.
            consents=consents if plan is not None else options.consents(None, None, False),
            judged=report_whole,
            ready=approved,
        )
    _show_warnings(workspace, outcome.diagnostics)
    _tell(workspace, outcome, as_json, to_stderr=quiet)


def destroy(
    env: options.Env,
    auto_approve: options.AutoApprove = False,
    as_json: options.Json = False,
    allow_destroy: options.AllowDestroy = None,
    empty_buckets: Annotated[
        bool,
        typer.Option(
            "--empty-buckets",
            help="Consent to deleting everything in the buckets that this destroys, old versions included. This "
            "cannot be undone. The embedded AWS needs no such consent.",
        ),
    ] = False,
    acknowledge_weaker: Annotated[
        bool,
        typer.Option(
            "--acknowledge-weaker",
            help="With --auto-approve: consent to deleting what the account had before the first apply. The embedded "
            "AWS needs no such consent.",
        ),
    ] = False,
    lock_timeout: options.LockTimeout = "30s",
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Delete everything the environment created in the account.

    Shows it and prompts for the environment's name first.
    On a real account, --allow-destroy must name what protects or records, and --empty-buckets allows to delete what the
    buckets hold: AWS deletes no bucket that has objects. Both are checked before anything is deleted; the embedded AWS
    needs neither. KMS keys are left pending deletion. On a real account, what it had before the first apply and would
    lose is listed first, as far as a snapshot (`toolkit discover`) has it.

    \b
    Examples:
      toolkit destroy sandbox
      toolkit destroy sandbox --auto-approve
      toolkit destroy old --allow-destroy 'module.*' --empty-buckets
    """
    options.duration(lock_timeout)
    from toolkit.workflows.before_first_apply import compare_with_before, lines, refuse_unacknowledged
    from toolkit.workflows.destroy import check_buckets
    from toolkit.workflows.destroy import destroy as run
    from toolkit.workflows.hand_over import refuse_without_bundle
    from toolkit.workflows.judge import refuse
    from toolkit.workflows.plan import make_plan
    from toolkit.workflows.workspace import open_workspace, read_environment

    project = options.project()
    refuse_without_bundle(read_environment(project, env)[1], "toolkit destroy", sandbox=sandbox)
    if not auto_approve:
        _require_terminal("--auto-approve destroys without a prompt and without review of the plan")
    progress = console.Progress()  # see apply
    with progress:
        workspace = open_workspace(project, env, options.access(sandbox, mirror), progress)
        consents = options.consents(allow_destroy, None, False)
        result = make_plan(workspace, progress, destroy=True, lock_timeout=lock_timeout, consents=consents, keep=False)
    _show_whole(_view(workspace, result), False, to_stderr=as_json)
    refuse(result.findings, env, told=True)
    if result.plan.empty:
        _tell(workspace, None, as_json)
        return
    with progress:
        progress.stage("Reading what the buckets hold")
        held = check_buckets(workspace, result.plan, empty_buckets=empty_buckets)
    if held:
        console.tell(
            "Also deletes, for good, what these buckets hold:",
            *(one_line(f"  {contents.bucket}: {contents.describe()}") for contents in held),
        )
    if workspace.simulator is None:
        before = compare_with_before(workspace, result.plan)
        if auto_approve and not acknowledge_weaker:
            refuse_unacknowledged(workspace, before)
        console.tell(*map(one_line, lines(before)))
    _confirm(workspace, auto_approve, f"Destroy all of this in account {workspace.caller.account_id}?", env)
    with progress:
        outcome = run(
            workspace, result, progress, empty_buckets=empty_buckets, lock_timeout=lock_timeout, consents=consents
        )
    _tell(workspace, outcome, as_json)


def output(
    env: options.Env,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One output only.")] = None,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Print outputs of the environment: ARNs, bucket names, ids.

    \b
    Examples:
      toolkit output prod
      toolkit output prod cloudtrail --json
    """
    from toolkit.workflows.output import read_outputs

    with console.Progress() as progress:
        outputs = read_outputs(options.project(), env, name, options.access(sandbox, mirror), progress)
    if as_json:
        console.print_value(outputs.values if name is None else outputs.values[name])
        return
    if not outputs.values:
        console.tell(f"{env} has no outputs: {outputs.none}.")
    for key, value in outputs.values.items():
        console.document(f"{one_line(key)} = {json_text(value)}\n", JSON)


def lock(
    env: options.Env,
    platforms: Annotated[
        list[str] | None, typer.Option("--platform", metavar="OS_ARCH", help="Platform to add; repeatable.")
    ] = None,
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Select the newest version that the environment admits; without it, keep it."),
    ] = False,
    mirror: options.Mirror = None,
) -> None:
    """Write the provider's version and hashes, per platform.

    They are in .terraform.lock.hcl. A mirror has hashes of its own platform only; this command queries the registry
    for the others.

    \b
    Examples:
      toolkit lock prod
      toolkit lock prod --upgrade
      toolkit lock prod --platform linux_amd64 --platform darwin_arm64
    """
    from toolkit.workflows.lock import DEFAULT_PLATFORMS, lock_providers

    with console.Progress() as progress:
        file = lock_providers(
            options.project(),
            env,
            tuple(platforms or DEFAULT_PLATFORMS),
            options.access(False, mirror),
            progress,
            upgrade=upgrade,
        )
    console.tell(f"Wrote {console.relative(file)}; commit it.")


def _view(workspace: Workspace, result: PlanResult) -> PlanView:
    from toolkit.reports.view import PlanView, lines_of

    lines = lines_of(workspace.environment)
    return PlanView(
        result.plan, result.manifest, result.bundle, result.findings, lines, result.moves_home, result.access
    )


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """What is shown here is to be saved, approved or applied: whoever reads it must not stop in the middle.

    Raises:
        ToolkitError: They did.
    """
    try:
        yield
    except ReaderGoneError as e:
        raise ToolkitError(
            "standard output was closed before the whole plan was shown; nothing was saved or applied",
            hint="`toolkit show BUNDLE | head` shows the beginning of a plan that is saved",
        ) from e


def _show_whole(
    view: PlanView, as_json: bool, reports: tuple[Target[PlanView], ...] = (), *, to_stderr: bool = False
) -> None:
    """Show a plan that is to be saved, approved or applied: what could not be shown to its end is none of these.

    Raises:
        ToolkitError: It could not be shown.
    """
    with _whole():
        _show(view, as_json, reports, to_stderr=to_stderr)
    if to_stderr or options.printed(reports):
        console.require_stderr("the plan could not be shown")


def _show(
    view: PlanView, as_json: bool, reports: tuple[Target[PlanView], ...] = (), *, to_stderr: bool = False
) -> None:
    # Files first: whatever becomes of the terminal (`| head`), a pipeline gets its reports.
    options.write(view, reports)
    if as_json:
        from toolkit.reports.data import plan_data

        console.print_json(plan_data(view))
        return
    from toolkit.reports.text import plan_lines

    lines = plan_lines(view, verbose=console.Settings.verbose)
    console.show(lines, to_stderr=to_stderr or options.printed(reports))


def _show_warnings(workspace: Workspace, diagnostics: tuple[Any, ...]) -> None:
    from toolkit.workflows.explain import explain

    for diagnostic in diagnostics:
        console.tell(*explain(diagnostic, workspace.paths, workspace.environment).split("\n"))


def _tell(workspace: Workspace, outcome: ApplyOutcome | None, as_json: bool, *, to_stderr: bool = False) -> None:
    try:
        _tell_outcome(workspace, outcome, as_json, to_stderr=to_stderr)
    except OutputError as e:
        done = outcome.describe() if outcome else "there was nothing to do"
        raise ToolkitError(
            f"{e.problem}; the plan was applied all the same ({done})",
            hint=f"`toolkit plan {workspace.called}` shows whether anything is left to do",
        ) from e


def _tell_outcome(
    workspace: Workspace, outcome: ApplyOutcome | None, as_json: bool, *, to_stderr: bool = False
) -> None:
    steps = outcome.completed if outcome else ()
    if as_json:
        console.print_json(
            document(
                "apply",
                {
                    "environment": workspace.environment.name,
                    "account_id": workspace.caller.account_id,
                    "simulator": workspace.simulator,
                    "seconds": round(outcome.seconds, 1) if outcome else 0,
                    "imported": outcome.imported if outcome else 0,
                    "forgotten": outcome.forgotten if outcome else 0,
                    "completed": [{"address": s.address, "action": s.action, "seconds": s.seconds} for s in steps],
                },
            )
        )
    elif outcome is not None:
        counts = {verb: sum(s.action == verb for s in steps) for verb in ("create", "update", "delete")}
        (console.tell if to_stderr else console.say)(
            f"Done in {outcome.seconds:.0f} s: {counts['create']} created, {counts['update']} updated, "
            f"{counts['delete']} deleted{f', {outcome.imported} imported' if outcome.imported else ''}"
            f"{f', {outcome.forgotten} removed from the state' if outcome.forgotten else ''}."
        )


def _require_terminal(instead: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("approval needs a terminal", hint=instead)


def _confirm(workspace: Workspace, auto_approve: bool, question: str, wanted: str, instead: str | None = None) -> None:
    if auto_approve:
        return
    if not _agreed(workspace, question, wanted):
        raise RefusedError("not approved; nothing was applied, and the plan was not saved", hint=instead)


def _agreed(workspace: Workspace, question: str, wanted: str) -> bool:
    where = "on the embedded AWS" if workspace.simulator else "on AWS"
    return console.ask(f"{question} ({workspace.caller.arn}, {where})", wanted=wanted)
