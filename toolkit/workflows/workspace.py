"""An environment made ready for Terraform.

In: a project, an environment's name and how to reach AWS. Out: a Workspace: rendered files up to date, the account
checked, Terraform found and initialized. Every command that may touch AWS starts here, so that none can skip a check.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from toolkit.aws.identity import CallerIdentity, check_account
from toolkit.aws.state_bucket import ensure_simulated_bucket, state_key
from toolkit.environment import Environment, LocalBackend, S3Backend, load_environment
from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.files import write_atomically
from toolkit.paths import EnvironmentPaths, Project
from toolkit.plan.model import Attribution
from toolkit.rendering.render import render
from toolkit.rendering.tree import CODE, READ, compare, foreign, write
from toolkit.sandbox import control as sandbox
from toolkit.terraform.binary import Binary, find_binary
from toolkit.terraform.bundle import digest, digests
from toolkit.terraform.local_state import read_local_state
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import Runner
from toolkit.workflows.observer import Observer

LOCK_FILE = ".terraform.lock.hcl"


@dataclass(frozen=True)
class Access:
    """How a command reaches AWS, as its options say."""

    sandbox: bool = False
    """Use the embedded AWS even though the environment is for a real account."""
    provider_mirror: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True)
class Workspace:
    """One environment, ready for Terraform."""

    paths: EnvironmentPaths
    environment: Environment
    caller: CallerIdentity
    binary: Binary
    runner: Runner
    simulator: str | None
    """ "moto" when this run goes to the embedded AWS."""
    environ: Mapping[str, str]
    """The process environment of Terraform and boto3 in this run."""
    scratch: Path
    called: str
    """The environment as commands name it: "prod", or "prod --sandbox"."""

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


def attribution(environment: Environment) -> Attribution:
    """Which module label belongs to which component and region."""
    from toolkit.components.registry import REGISTRY

    regions = environment.regions
    return Attribution(tuple(REGISTRY), (*regions.active, *regions.retiring), regions.home)


def read_environment(project: Project, name: str) -> tuple[EnvironmentPaths, Environment]:
    """An existing environment, checked."""
    paths = project.environment(name)
    return paths, load_environment(paths.file, name=name, shown_as=paths.shown)


def bring_up_to_date(paths: EnvironmentPaths, environment: Environment, observer: Observer, *, may_write: bool) -> None:
    """Rendered files as environment.yaml has them.

    Raises:
        ToolkitError: They differ and may not be written (exit code OUT_OF_DATE), or a file is in the way.
    """
    tree = render(environment)
    changes = compare(tree, paths.rendered)
    others = foreign(tree, paths.rendered)
    if others:
        raise ToolkitError(
            f"rendered/ holds Terraform that nobody rendered: {', '.join(others)}",
            where=str(paths.rendered),
            hint="move it out: Terraform would apply it with the baseline, though environment.yaml does not say so",
        )
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


def sources(paths: EnvironmentPaths) -> dict[str, str]:
    """What Terraform reads in rendered/ and in every module of the project: path in the project → SHA-256."""
    rendered = [f for pattern in READ for f in paths.rendered.glob(pattern) if f.is_file()]
    modules = [
        f
        for pattern in CODE
        for f in (paths.project / "modules").rglob(pattern)
        if ".terraform" not in f.parts and "tests" not in f.relative_to(paths.project).parts
    ]
    return digests(paths.project, [*rendered, *modules])


def open_workspace(
    project: Project,
    name: str,
    access: Access,
    observer: Observer,
    *,
    may_render: bool = True,
    initialize: bool = True,
) -> Workspace:
    """Everything that must hold before Terraform may run on an environment.

    Raises:
        ToolkitError: Whatever is wrong; nothing in AWS was changed.
    """
    paths, environment = read_environment(project, name)
    bring_up_to_date(paths, environment, observer, may_write=may_render)
    require_modules(paths, environment)
    binary = find_binary(environment.terraform.binary, access.environ)
    simulated = access.sandbox or environment.simulator is not None
    scratch = scratch_folder(paths, environment, access)
    environ = aws_environ(project, environment, access, scratch)
    observer.stage(f"Checking the account of {name}")
    caller = check_account(environment, environ)
    mirror = access.provider_mirror or (
        Path(environment.terraform.provider_mirror) if environment.terraform.provider_mirror else None
    )
    called = f"{name} --sandbox" if access.sandbox else name
    runner = Runner(
        paths.rendered,
        binary=binary,
        scratch=scratch,
        environ={**environ, **cli_config(mirror, environ, scratch)},
        on_event=observer.event,
        on_command=observer.command,
        called=called,
    )
    simulator = "moto" if simulated else None
    workspace = Workspace(paths, environment, caller, binary, runner, simulator, environ, scratch, called)
    if simulated:
        _prepare_simulated_state(project, workspace, observer)
    if initialize:
        _initialize(workspace, observer)
    return workspace


def scratch_folder(paths: EnvironmentPaths, environment: Environment, access: Access) -> Path:
    """The folder for Terraform's data, plans and logs, made if need be; the embedded AWS has its own."""
    tried_out = access.sandbox and environment.simulator is None
    scratch = paths.scratch / "sandbox" if tried_out else paths.scratch
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch.chmod(0o700)
    return scratch


def local_state_file(paths: EnvironmentPaths, scratch: Path) -> Path:
    """Where the state is with a local backend.

    A real environment tried out on the embedded AWS must not touch the real state, and has one of its own.
    """
    return (paths.folder if scratch == paths.scratch else scratch) / "terraform.tfstate"


def aws_environ(project: Project, environment: Environment, access: Access, scratch: Path) -> dict[str, str]:
    """The process environment of everything that asks AWS, leading to the environment's account or to the embedded AWS.

    Raises:
        RefusedError: A custom endpoint is set for a real account.
        ToolkitError: The embedded AWS is wanted but does not run.
    """
    if access.sandbox or environment.simulator is not None:
        return _sandbox_environ(project, environment, access, scratch)
    _refuse_custom_endpoints(environment, access.environ)
    return {**access.environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}


def require_modules(paths: EnvironmentPaths, environment: Environment) -> None:
    """The project has the modules that its rendered HCL calls."""
    for enabled in environment.components:
        folder = paths.project / "modules" / enabled.component.name
        if not folder.is_dir():
            raise ToolkitError(
                f"the project lacks the module of {enabled.component.name}",
                where=str(folder),
                hint="`toolkit init .` puts the toolkit's modules into the project",
            )


def _refuse_custom_endpoints(environment: Environment, environ: Mapping[str, str]) -> None:
    """A custom AWS endpoint could answer for an account it is not: only the simulator may have one."""
    older = ("AWS_S3_ENDPOINT", "AWS_IAM_ENDPOINT", "AWS_STS_ENDPOINT", "AWS_SSO_ENDPOINT", "AWS_DYNAMODB_ENDPOINT")
    found = sorted(n for n in environ if n.startswith("AWS_ENDPOINT_URL") or n in older)
    if found:
        raise RefusedError(
            f"{', '.join(found)} is set: another endpoint could pretend to be account {environment.account_id}",
            where=f"environments/{environment.name}",
            hint="unset it; the embedded AWS is entered with --sandbox or by `simulator: moto` in the environment file",
        )


def sandbox_folder(project: Project) -> Path:
    """Where the project's embedded AWS keeps its ready file and log."""
    return project.root / ".toolkit" / "sandbox"


def _sandbox_environ(project: Project, environment: Environment, access: Access, scratch: Path) -> dict[str, str]:
    running = sandbox.status(sandbox_folder(project))
    if running is None:
        raise ToolkitError(
            "the embedded AWS is not running",
            where=f"environments/{environment.name}",
            hint=f"start it with `toolkit sandbox up --account-id {environment.account_id}`",
        )
    environ = sandbox.child_environ(running, access.environ, region=environment.regions.home)
    profiles = {environment.credentials.profile, getattr(environment.backend, "profile", None)} - {None}
    if profiles:
        # The rendered HCL names profiles of the real account; here they lead to the embedded AWS's dummy keys.
        config = scratch / "aws-config"
        text = "".join(
            f"[profile {p}]\naws_access_key_id = {environ['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {environ['AWS_SECRET_ACCESS_KEY']}\n"
            for p in sorted(map(str, profiles))
        )
        write_atomically(config, text, mode=0o600)
        environ["AWS_CONFIG_FILE"] = str(config)
    return environ


def _prepare_simulated_state(project: Project, workspace: Workspace, observer: Observer) -> None:
    """State of an embedded AWS that has ended describes nothing any more; set it aside. Give a new one its bucket."""
    running = sandbox.status(sandbox_folder(project))
    assert running is not None
    stamp = workspace.scratch / "sandbox-run"
    identity = f"{running.pid} {running.started}\n"
    if not stamp.exists() or stamp.read_text() != identity:
        state = workspace.local_state
        if not stamp.exists() and read_local_state(state) is not None:
            raise RefusedError(
                "a state that no embedded AWS has made here would be set aside: it may be a real account's",
                where=str(state),
                hint="take `simulator` out of the environment file (`--sandbox` tries a real environment out beside "
                "its state), or move this file away",
            )
        if state.exists():
            state.replace(state.with_name(f"{state.name}.ended-sandbox"))
            observer.note("the state of an embedded AWS that has ended was set aside")
        write_atomically(stamp, identity, mode=0o600)
    backend = workspace.environment.backend
    if isinstance(backend, S3Backend):
        ensure_simulated_bucket(workspace.environment, backend, workspace.environ)


def _was_local(workspace: Workspace) -> bool:
    """Whether Terraform has not been initialized here yet, or with a local backend.

    Only then may `init` leave out its question about migrating: between two other backends the question protects.
    """
    record = Path(workspace.runner.environ["TF_DATA_DIR"]) / "terraform.tfstate"
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


def _initialize(workspace: Workspace, observer: Observer) -> None:
    """`terraform init`, unless nothing that it depends on has changed since the last one."""
    paths = workspace.paths
    lock = paths.rendered / LOCK_FILE
    backend_config: dict[str, str] = {}
    if isinstance(workspace.environment.backend, LocalBackend) and workspace.scratch != paths.scratch:
        backend_config["path"] = str(workspace.local_state)
    moved_to_s3 = isinstance(workspace.environment.backend, S3Backend) and _was_local(workspace)
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
    if lock.exists() and data.is_dir() and stamp.exists() and stamp.read_text() == facts():
        return
    observer.stage(f"Initializing Terraform for {workspace.environment.name}")
    had_lock = lock.exists()
    workspace.runner.init(
        # Terraform would ask whether to migrate; there is nothing left to, or the simulator's own path is meant.
        reconfigure=bool(backend_config) or moved_to_s3,
        lockfile="readonly" if had_lock else None,
        backend_config=backend_config,
    )
    if not had_lock:
        observer.note(f"wrote {LOCK_FILE}; `toolkit lock` adds the hashes of other platforms, then commit it")
    write_atomically(stamp, facts(), mode=0o600)
