"""An environment made ready for Terraform.

In: a project, an environment's name and how to reach AWS. Out: a Workspace: rendered files up to date, the account
checked, Terraform found and initialized. Every command that may touch AWS starts here, so that none can skip a check.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.aws.credentials import refuse_ambiguous
from toolkit.aws.identity import CallerIdentity, check_account, principal_arn
from toolkit.aws.session import AwsSession
from toolkit.aws.state_bucket import ensure_simulated_bucket, state_clients, state_key
from toolkit.environment import Environment, LocalBackend, S3Backend, load_environment
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.files import LITTER, digest, digests, plain_files, read_regular, refuse_links, write_atomically
from toolkit.paths import EnvironmentPaths, Project
from toolkit.rendering.regions import dropped, refuse_leaving_home
from toolkit.rendering.render import backend_arguments, render
from toolkit.rendering.tree import READ, compare, write
from toolkit.rendering.vendored import different, unexpected
from toolkit.sandbox import control as sandbox
from toolkit.terraform.binary import Binary, find_binary
from toolkit.terraform.data_folder import backend_file, modules_file
from toolkit.terraform.local_state import read_local_state
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import LOCK_FILE, Runner
from toolkit.terraform.unsaved import UnsavedStates
from toolkit.variables import Admitted, admit, forget_aws, inhabit
from toolkit.versions import PROVIDER, TERRAFORM, locked, unchecked_terraform
from toolkit.workflows.observer import Observer
from toolkit.workflows.own_state import refuse_shared_state
from toolkit.workflows.scratch import local_state_file, scratch_folder, sweep
from toolkit.workflows.simulated import adopt_simulated_state, refuse_simulated_state
from toolkit.workflows.unsaved import refuse_unsaved, unsaved_states

if TYPE_CHECKING:
    from toolkit.plan.model import Attribution


@dataclass(frozen=True)
class Access:
    """How a command reaches AWS, as its options say."""

    sandbox: bool = False
    """Use the embedded AWS even though the environment is for a real account."""
    provider_mirror: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    process: bool = False
    """Whether `environ` is this process's own, which boto3 and its helpers read; it is made what Terraform gets."""


@dataclass(frozen=True)
class Workspace:
    """One environment, ready for Terraform."""

    paths: EnvironmentPaths
    environment: Environment
    aws: AwsSession
    """The session with the environment's account, one for the whole run."""
    caller: CallerIdentity
    binary: Binary
    runner: Runner
    simulator: str | None
    """ "moto" when this run goes to the embedded AWS."""
    environ: Admitted
    """The process environment of Terraform and boto3 in this run."""
    scratch: Path
    called: str
    """The environment as commands name it: "prod", or "prod --sandbox"."""
    unsaved: UnsavedStates
    """States that could not be saved, and wait to be restored."""

    @cached_property
    def attribution(self) -> Attribution:
        """Which module label belongs to which component and region."""
        return attribution(self.environment)

    @property
    def backend(self) -> str:
        """What the state is and where, as the plan bundle records it."""
        backend = self.environment.backend
        if isinstance(backend, S3Backend):
            return f"s3 {backend.bucket}/{state_key(self.environment, backend)} in {backend.region}"
        return "local"

    @property
    def local_state(self) -> Path:
        """Where the state is with a local backend: beside the environment, or with the simulator's things."""
        return local_state_file(self.paths, self.scratch)

    def sources(self) -> dict[str, str]:
        """What Terraform reads in the root module and every module it could call: path in the project → SHA-256."""
        return sources(self.paths)

    def lock_digest(self) -> str:
        """Digest of the lock file; empty where there is none."""
        file = self.paths.rendered / LOCK_FILE
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def refuse_inactive(paths: EnvironmentPaths, environment: Environment) -> None:
    """Refuse an account that AWS Organizations says is suspended, closed or not activated yet.

    Raises:
        RefusedError: It is.
    """
    state = environment.account_state
    if state is not None:
        raise RefusedError(
            f"account {environment.account_id} is {state}: no command uses it",
            where=f"{paths.shown}:{environment.lines.get(('account_state',), 1)}",
            hint="once the account is ACTIVE again, `toolkit fleet import` or you remove `account_state`",
        )


def attribution(environment: Environment) -> Attribution:
    """Which module label belongs to which component and region."""
    from toolkit.components.registry import REGISTRY
    from toolkit.plan.model import Attribution

    regions = environment.regions
    return Attribution(tuple(REGISTRY), (*regions.active, *regions.retiring), regions.home)


def read_environment(project: Project, name: str) -> tuple[EnvironmentPaths, Environment]:
    """An existing environment, checked."""
    paths = project.environment(name)
    environment = load_environment(paths.file, name=name, shown_as=paths.shown)
    if environment.attestations:
        # Most environments have none, and do without the catalogue here.
        from toolkit.audit.attestations import broken

        if problems := broken(environment):
            raise EnvironmentFileError(paths.shown, problems)
    return paths, environment


def bring_up_to_date(paths: EnvironmentPaths, environment: Environment, observer: Observer, *, may_write: bool) -> None:
    """Rendered files as environment.yaml has them.

    Raises:
        RefusedError: A policy of the organization must not be sent.
        ToolkitError: They differ and may not be written (exit code OUT_OF_DATE), or a file is in the way.
    """
    _refuse_policies(paths, environment)
    refuse_leaving_home(environment, paths.rendered)
    for warning in (*environment.warnings(paths.shown), *dropped(environment, paths.rendered)):
        observer.warning(warning)
    changes = compare(render(environment), paths.rendered)
    if changes and not may_write:
        raise ToolkitError(
            f"rendered/ is out of date: {', '.join(f'{c.name} ({c.action})' for c in changes)}",
            where=paths.shown,
            hint=f"run `toolkit render {environment.name}`, review and commit the result",
            exit_code=ExitCode.OUT_OF_DATE,
        )
    if changes:
        write(changes, paths.rendered)
        observer.note(f"rendered {', '.join(f'{c.name} ({c.action})' for c in changes)}")


def _refuse_policies(
    paths: EnvironmentPaths, environment: Environment, caller_arn: Callable[[], str] | None = None
) -> None:
    """`refuse_policies`, whose imports most environments do without; `caller_arn` is asked only where it decides."""
    if not any(enabled.component.organization_policies for enabled in environment.components):
        return
    from toolkit.workflows.guardrails import judges_caller, refuse_policies

    if caller_arn is None:
        refuse_policies(environment, paths.shown)
    elif judges_caller(environment):
        refuse_policies(environment, paths.shown, caller_arn=caller_arn())


def sources(paths: EnvironmentPaths) -> dict[str, str]:
    """What Terraform reads in rendered/, the pages beside it, and all of modules/: path in the project → SHA-256.

    Of a module, Terraform reads the code and whatever files that names: so every file counts, except what Terraform
    itself has put into a folder `.terraform`, and what a file manager leaves (LITTER).

    Raises:
        ToolkitError: Something is a symbolic link, or a pipe or device.
    """
    paths.refuse_links()
    rendered = [f for f in plain_files(paths.rendered) if any(fnmatchcase(f.name, p) for p in (*READ, "*.md"))]
    modules = (f for f in plain_files(paths.project / "modules") if f.name not in LITTER)
    return digests(paths.project, [*rendered, *modules])


def open_workspace(
    project: Project,
    name: str,
    access: Access,
    observer: Observer,
    *,
    may_render: bool = True,
    initialize: bool = True,
    deploys: bool = False,
    restores: bool = False,
    given: tuple[EnvironmentPaths, Environment] | None = None,
) -> Workspace:
    """Everything that must hold before Terraform may run on an environment.

    Args:
        project: The project.
        name: The environment's name.
        access: How AWS is reached.
        observer: Gets told what happens.
        may_render: Whether rendered files that are out of date are written, or are an error.
        initialize: Whether `terraform init` runs if need be.
        deploys: Whether the caller plans or applies, and must not be locked out by the organization's policies.
        restores: Whether the caller clears the way after a failure, and may run while an unsaved state waits.
        given: Where the rendered files are, and the environment that they are of, instead of what is in the project:
            for plans of what the environment file could become.

    Raises:
        LockedError: A state that could not be saved waits to be restored.
        RefusedError: The state is another environment's, too; or the account is suspended or closed.
        ToolkitError: Whatever is wrong; nothing in AWS was changed.
    """
    paths, environment = given or read_environment(project, name)
    refuse_inactive(paths, environment)
    require_modules(paths, environment)
    warn_of_other_modules(paths, environment, observer)
    bring_up_to_date(paths, environment, observer, may_write=may_render)
    admitted_environ(environment, access)  # a variable that must not be set is refused before anything runs
    binary = binary_of(paths, environment, access)
    if not restores:
        heed_terraform(paths, environment, binary, observer)
    simulated = access.sandbox or environment.simulator is not None
    scratch = prepare_scratch(paths, environment, access, observer)
    if not restores:
        refuse_shared_state(project, environment, local_state_file(paths, scratch))
    environ = aws_environ(project, environment, access, scratch)
    observer.stage(f"Checking the account of {name}")
    session = AwsSession(environment, environ)
    caller = check_account(session)
    if deploys and not simulated:  # the embedded AWS's dummy caller is nobody
        _refuse_policies(paths, environment, lambda: principal_arn(session, caller))
    called = f"{name} --sandbox" if access.sandbox else name
    mirror = mirror_of(paths, environment, access)
    unsaved = unsaved_states(paths, scratch, access.environ)
    runner = Runner(
        paths.rendered,
        binary=binary,
        scratch=scratch,
        environ=environ | cli_config(mirror, access.environ, scratch, product=binary.product),
        on_event=observer.event,
        on_command=observer.command,
        called=called,
        unsaved=unsaved,
        backend=_backend(environment, paths, scratch),
    )
    simulator = "moto" if simulated else None
    workspace = Workspace(
        paths, environment, session, caller, binary, runner, simulator, environ, scratch, called, unsaved
    )
    if simulated:
        _prepare_simulated_state(project, workspace, observer)
    if not restores:
        refuse_unsaved(unsaved, scratch, called)
    wrote_lock = initialize and _initialize(workspace, observer)
    if not restores:
        try:
            heed_provider(paths, environment, observer)
        except RefusedError:
            if wrote_lock:
                # It would select the refused version again.
                (paths.rendered / LOCK_FILE).unlink(missing_ok=True)
            raise
    if wrote_lock:
        observer.note(f"wrote {LOCK_FILE}; `toolkit lock` adds the hashes of other platforms, then commit it")
    return workspace


def prepare_scratch(paths: EnvironmentPaths, environment: Environment, access: Access, observer: Observer) -> Path:
    """The scratch folder of a command that asks AWS; a real environment tried out on the embedded AWS has its own.

    Raises:
        RefusedError: The local state is the embedded AWS's, and a real account is meant.
    """
    tried_out = access.sandbox and environment.simulator is None
    scratch = scratch_folder(paths, *(["sandbox"] if tried_out else []))
    if not tried_out and environment.simulator is None:
        refuse_simulated_state(paths, scratch, local_state_file(paths, scratch), environment.account_id)
    if sweep(scratch):
        observer.note("deleted what a killed command had left in the scratch folder")
    return scratch


def binary_of(paths: EnvironmentPaths, environment: Environment, access: Access) -> Binary:
    """The Terraform that the environment names; a relative path in the file starts at the project's folder."""
    name = environment.terraform.binary
    return find_binary(str(_in_project(paths, name)) if name and os.sep in name else name, access.environ)


def heed_terraform(paths: EnvironmentPaths, environment: Environment, binary: Binary, observer: Observer) -> None:
    """Warn of a Terraform that is outside of what was checked, or refuse it, as the environment says.

    Raises:
        RefusedError: `unchecked_versions: refuse`.
    """
    why = unchecked_terraform(binary.product, binary.version)
    _heed(why, f"install Terraform {TERRAFORM.range}", paths, environment, observer)


def heed_provider(paths: EnvironmentPaths, environment: Environment, observer: Observer) -> None:
    """The same of the AWS provider that the lock file selects; call it once `init` has written that.

    Raises:
        RefusedError: `unchecked_versions: refuse`.
    """
    file = paths.rendered / LOCK_FILE
    version = locked(file.read_text("utf-8", "replace")) if file.exists() else None
    why = PROVIDER.why_not(version) if version else None
    remedy = (
        "set `aws_provider_version` under `terraform` to a version of that range, then `toolkit lock` with --upgrade"
    )
    _heed(why, remedy, paths, environment, observer)


def _heed(why: str | None, remedy: str, paths: EnvironmentPaths, environment: Environment, observer: Observer) -> None:
    if why is None:
        return
    if environment.terraform.unchecked_versions == "warn":
        observer.warning(f"{why}; `unchecked_versions: refuse` under `terraform` refuses it")
        return
    line = environment.lines.get(("terraform", "unchecked_versions"), 1)
    raise RefusedError(
        f"{why[0].upper()}{why[1:]}",
        where=f"{paths.shown}:{line}",
        hint=f"{remedy}, or set `unchecked_versions: warn`",
    )


def mirror_of(paths: EnvironmentPaths, environment: Environment, access: Access) -> Path | None:
    """The provider mirror: that of the command, else the environment's, whose relative path starts at the project."""
    named = environment.terraform.provider_mirror
    return access.provider_mirror or (_in_project(paths, named) if named else None)


def _in_project(paths: EnvironmentPaths, name: str) -> Path:
    return paths.project / Path(name).expanduser()


def admitted_environ(environment: Environment, access: Access) -> Admitted:
    """What of the user's environment reaches Terraform, boto3 and their helpers for this environment.

    Raises:
        RefusedError: A variable could lead Terraform elsewhere than boto3, or change what was reviewed.
        ToolkitError: AWS_CA_BUNDLE names a file that cannot be read.
    """
    real = not access.sandbox and environment.simulator is None
    admitted = admit(
        access.environ,
        account_id=environment.account_id if real else None,
        where=f"environments/{environment.name}",
        more=environment.toolkit.pass_environment,
    )
    # The AWS provider reads it for the embedded AWS, too, and would fail half-way with nothing but the file's name.
    if bundle := admitted.get("AWS_CA_BUNDLE"):
        try:
            read_regular(Path(bundle), 1)
        except OSError as e:
            raise ToolkitError(
                f"AWS_CA_BUNDLE names a file that cannot be read: {e.strerror}",
                where=bundle,
                hint="set it to a file of trusted certificates (PEM), or unset it",
            ) from e
    return admitted


def aws_environ(project: Project, environment: Environment, access: Access, scratch: Path) -> Admitted:
    """The process environment of everything that asks AWS, leading to the environment's account or to the embedded AWS.

    Raises:
        RefusedError: For a real account, a variable could lead Terraform elsewhere, or boto3 and the AWS provider would
            take different credentials.
        ToolkitError: The embedded AWS is wanted but does not run.
    """
    if access.sandbox or environment.simulator is not None:
        environ = _sandbox_environ(project, environment, access, scratch)
        if access.process:
            forget_aws()
        return environ
    environ = admitted_environ(environment, access) | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    if access.process:
        inhabit(environ)
    backend = environment.backend
    profiles = {environment.credentials.profile}
    if isinstance(backend, S3Backend) and backend.profile:
        profiles.add(backend.profile)
    for profile in sorted(profiles, key=str):
        refuse_ambiguous(environ, profile, where=f"environments/{environment.name}")
    return environ


def require_modules(paths: EnvironmentPaths, environment: Environment) -> None:
    """The project has the modules that its rendered HCL calls, and nothing in them that the toolkit does not ship.

    Raises:
        ToolkitError: It does not, or something in modules/ is a symbolic link, or a pipe or device.
    """
    for enabled in environment.components:
        folder = paths.project / "modules" / enabled.component.name
        if not folder.is_dir():
            raise ToolkitError(
                f"the project lacks the module of {enabled.component.name}",
                where=str(folder),
                hint="`toolkit init .` puts the toolkit's modules into the project",
            )
    refuse_unexpected(paths.project / "modules")


def refuse_unexpected(modules: Path) -> None:
    """Terraform applies every file of a module that is called, also one that nobody put there on purpose.

    Raises:
        ToolkitError: There is one that this toolkit does not ship, or something that is no file.
    """
    found = unexpected(modules)
    if found:
        raise ToolkitError(
            f"modules/ holds Terraform that toolkit {__version__} does not ship: {', '.join(found)}",
            where=str(modules),
            hint="move it out: Terraform would apply it with the baseline; if another version of the toolkit put it "
            "there, `toolkit init . --upgrade` takes this one's modules. Own Terraform belongs in a module of its own",
        )


def warn_of_other_modules(paths: EnvironmentPaths, environment: Environment, observer: Observer) -> None:
    """Warn where the project's copy of the modules is not this toolkit's: an installed release updates no project.

    Raises:
        ToolkitError: Something in modules/ is a symbolic link, or a pipe or device.
    """
    called = {"shared", *(enabled.component.name for enabled in environment.components)}
    found = (name for name in different(paths.project / "modules") if not name.endswith(".md"))
    others = [name for name in found if name.partition("/")[0] in called]
    if others:
        count = "1 file in modules/ differs" if len(others) == 1 else f"{len(others)} files in modules/ differ"
        observer.warning(
            f"{count} from toolkit {__version__}, e.g. {others[0]}: Terraform applies what modules/ has. "
            "`toolkit init . --upgrade` replaces modules/ with this toolkit's; review the difference, then plan"
        )


def sandbox_folder(project: Project) -> Path:
    """Where the project's embedded AWS keeps its ready file and log.

    Raises:
        ToolkitError: A symbolic link leads elsewhere.
    """
    folder = project.root / ".toolkit" / "sandbox"
    refuse_links(project.root, folder)
    return folder


def others_running(project: Project) -> tuple[str, ...]:
    """Embedded AWS of other projects, for people who look for theirs in the wrong folder."""
    return tuple(
        f"one of {running.accounts} runs for {folder.parent.parent} (`toolkit -C` works there)"
        for folder, running in sandbox.elsewhere(sandbox_folder(project))
    )


def _sandbox_environ(project: Project, environment: Environment, access: Access, scratch: Path) -> Admitted:
    running = sandbox.status(sandbox_folder(project))
    if running is None:
        others = others_running(project)
        raise ToolkitError(
            "the embedded AWS is not running" + (f" in this project: {'; '.join(others)}" if others else ""),
            where=f"environments/{environment.name}",
            hint=f"start it with `toolkit sandbox up --account-id {environment.account_id}`",
        )
    environ = sandbox.child_environ(
        running, admitted_environ(environment, access), environment.regions.home, environment.account_id
    )
    config = simulated_profiles(environment, environ)
    if config:
        file = scratch / "aws-config"
        write_atomically(file, config, mode=0o600)
        environ["AWS_CONFIG_FILE"] = str(file)
    return environ


def simulated_profiles(environment: Environment, environ: Mapping[str, str]) -> str:
    """An AWS configuration in which the profiles that the rendered HCL names lead to the embedded AWS's dummy keys."""
    dummy = {
        "aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environ["AWS_SECRET_ACCESS_KEY"],
    }
    profiles: dict[str, dict[str, str]] = {}
    backend = environment.backend
    if isinstance(backend, S3Backend) and backend.profile:
        # A role of the backend, Terraform assumes by itself, from the profile's keys.
        profiles[backend.profile] = dummy if backend.role_arn else state_clients(environment, backend, environ).keys()
    if environment.credentials.profile:
        profiles[environment.credentials.profile] = dummy
    return "".join(
        f"[profile {name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for name, keys in sorted(profiles.items())
    )


def _prepare_simulated_state(project: Project, workspace: Workspace, observer: Observer) -> None:
    running = sandbox.status(sandbox_folder(project))
    assert running is not None
    # One that Terraform left beside the rendered files may be the real account's, unless there is none.
    only = workspace.environment.simulator is not None
    unsaved = [f for f in workspace.unsaved.waiting() if only or f.parent != workspace.paths.rendered]
    adopt_simulated_state(workspace.scratch, workspace.local_state, running, observer, unsaved)
    backend = workspace.environment.backend
    if isinstance(backend, S3Backend):
        ensure_simulated_bucket(workspace.environment, backend, workspace.environ)


def _was_local(workspace: Workspace) -> bool:
    """Whether Terraform has not been initialized here yet, or with a local backend.

    Only then may `init` leave out its question about migrating: between two other backends the question protects.
    """
    record = backend_file(Path(workspace.runner.environ["TF_DATA_DIR"]))
    try:
        return bool(json.loads(record.read_bytes())["backend"]["type"] == "local")
    except FileNotFoundError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refuse_stranded_state(workspace: Workspace) -> None:
    """A local state that the S3 backend knows nothing of: planning now would make everything a second time."""
    stranded = read_local_state(workspace.local_state)
    if stranded is not None:
        raise RefusedError(
            f"the backend is S3, but here is a local state with {stranded.resources} resources, which a plan would "
            "not see and create again",
            where=str(workspace.local_state),
            hint=f"`toolkit bootstrap {workspace.called}` moves it into the bucket; if it is of no more use, move it "
            "away by hand",
        )


def _backend_override(environment: Environment, paths: EnvironmentPaths, scratch: Path) -> dict[str, str]:
    """Backend arguments that `init` gets instead of the rendered ones: what is tried out has its own state."""
    if isinstance(environment.backend, LocalBackend) and scratch != paths.scratch:
        return {"path": str(local_state_file(paths, scratch))}
    return {}


def _backend(environment: Environment, paths: EnvironmentPaths, scratch: Path) -> tuple[str, dict[str, Any]]:
    """Kind and arguments of the backend that Terraform must use in this run."""
    override = _backend_override(environment, paths, scratch)
    return environment.backend.type, {**backend_arguments(environment), **override}


def _initialize(workspace: Workspace, observer: Observer) -> bool:
    """`terraform init`, unless nothing that it depends on has changed since the last one.

    Returns:
        Whether it wrote the lock file, which was not there.
    """
    paths = workspace.paths
    lock = paths.rendered / LOCK_FILE
    backend_config = _backend_override(workspace.environment, paths, workspace.scratch)
    was_local = _was_local(workspace)
    moved_to_s3 = isinstance(workspace.environment.backend, S3Backend) and was_local
    if moved_to_s3:
        _refuse_stranded_state(workspace)
    stamp = workspace.scratch / "initialized"

    def facts() -> str:
        parts = (
            digest(workspace.sources()),
            workspace.lock_digest(),
            str(workspace.binary.path),
            workspace.binary.version,
            workspace.runner.environ.get("TF_CLI_CONFIG_FILE", ""),
            str(sorted(backend_config.items())),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    data = Path(workspace.runner.environ["TF_DATA_DIR"])
    noted = backend_file(data).exists() and (modules_file(data).exists() or not workspace.environment.components)
    if lock.exists() and noted and stamp.exists() and stamp.read_text() == facts():
        return False
    observer.stage(f"Initializing Terraform for {workspace.environment.name}")
    had_lock = lock.exists()
    workspace.runner.init(
        # Terraform would ask whether to migrate; there is nothing left to, or the simulator's own path is meant. A
        # state that is elsewhere by now is another matter: there the question protects.
        reconfigure=was_local and (bool(backend_config) or moved_to_s3),
        lockfile="readonly" if had_lock else None,
        backend_config=backend_config,
    )
    write_atomically(stamp, facts(), mode=0o600)
    return not had_lock and lock.exists()
