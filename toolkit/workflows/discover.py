"""Reads what an account has of all that components manage or collide with.

In: an environment, or an account without one. Out: a Snapshot. Every type whose record has a lister is read by the one
inventory. Changes nothing in AWS. Terraform runs only where a scan is compared with its state.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from toolkit.aws.identity import CallerIdentity, caller_identity, check_account
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession, configured_region
from toolkit.environment import Environment, load_text
from toolkit.errors import ToolkitError, UsageError, WrongAccountError
from toolkit.paths import Project
from toolkit.regions import GLOBAL_REGION
from toolkit.resources import managers
from toolkit.resources.reading import Call, Live, Reason, Unreadable, UnreadableError
from toolkit.resources.registry import RESOURCES, is_unsupported
from toolkit.snapshots import Snapshot, snapshot_folder
from toolkit.snapshots.unmanaged import Unmanaged, identity_attributes, unmanaged
from toolkit.workflows.new import check_answer
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import (
    Access,
    Workspace,
    aws_environ,
    prepare_scratch,
    read_environment,
    refuse_inactive,
)

AT_ONCE = 48
"""How many calls of a scan or an audit wait for AWS at a time. Its limits are per region and service, and the inventory
keeps to eight in each; more than this in all gain little, since Python prepares and reads one at a time."""
OWN_ACTIONS = ("ec2:DescribeRegions", *managers.actions())
"""Actions that a scan needs apart from those of the types."""
MAX_CALLS = 20_000
"""Calls of AWS that a scan makes at most, unless an option says otherwise."""


@dataclass(frozen=True)
class Account:
    """An account that is checked and ready to be read."""

    environment: Environment
    """Without an environment file, one that has nothing but account, region and profile."""
    clients: AwsSession
    caller: CallerIdentity
    called: str
    """ "prod", "prod --sandbox", "account 123456789012"."""
    folder: Path
    """Where its snapshots are written; private."""
    has_file: bool
    """Whether there is an environment file."""


def listed_types(*, simulated: bool) -> tuple[str, ...]:
    """Every type that a scan lists; the embedded AWS lacks some."""
    return tuple(
        kind
        for kind, record in RESOURCES.items()
        if record.reading is not None and record.reading.lists is not None
        if not (simulated and is_unsupported(kind))
    )


def unlisted_types(*, simulated: bool) -> Mapping[str, str]:
    """Every other type that components make → why a scan does not list it."""
    listed = listed_types(simulated=simulated)
    return {kind: _why_not(kind) for kind in RESOURCES if kind not in listed}


def _why_not(kind: str) -> str:
    record = RESOURCES[kind]
    if record.reading is None:
        return f"not read yet: {record.unread}"
    return record.reading.unlisted or "the embedded AWS lacks it"


def open_environment(project: Project, name: str, access: Access, observer: Observer) -> Account:
    """An environment's account, checked.

    Raises:
        RefusedError: It is suspended or closed.
        WrongAccountError: The credentials are another account's.
        ToolkitError: Whatever else is wrong; nothing in AWS was read but whose the credentials are.
    """
    paths, environment = read_environment(project, name)
    refuse_inactive(paths, environment)
    scratch = prepare_scratch(paths, environment, access, observer)
    session = AwsSession(environment, aws_environ(project, environment, access, scratch))
    observer.stage(f"Checking the account of {name}")
    caller = check_account(session)
    inside = scratch.relative_to(project.root).parts
    return Account(
        environment,
        session,
        caller,
        f"{name} --sandbox" if access.sandbox else name,
        snapshot_folder(project.root, *inside, "snapshots"),
        has_file=True,
    )


def of_workspace(project: Project, workspace: Workspace) -> Account:
    """The account of an environment that is ready for Terraform, for a scan that is compared with its state."""
    inside = workspace.scratch.relative_to(project.root).parts
    folder = snapshot_folder(project.root, *inside, "snapshots")
    return Account(workspace.environment, workspace.aws, workspace.caller, workspace.called, folder, has_file=True)


def unmanaged_in(workspace: Workspace, snapshot: Snapshot) -> Unmanaged:
    """What of a scan the environment's state does not manage.

    Raises:
        ToolkitError: The state cannot be read.
    """
    state = workspace.runner.state_resources(identity_attributes())
    return unmanaged(snapshot.resources, state.serial, state.resources, snapshot.home)


def open_account(
    project: Project | None,
    folder: Path,
    account_id: str | None,
    access: Access,
    observer: Observer,
    *,
    profile: str | None = None,
    region: str | None = None,
) -> Account:
    """An account without an environment file, checked.

    Args:
        project: Whose embedded AWS --sandbox enters; None outside of any.
        folder: Snapshots go below its `.toolkit`: the project's folder, or that in which the command runs.
        account_id: The account that is meant; None only to be shown whose the credentials are.
        access: How AWS is reached.
        observer: Gets told what happens.
        profile: The AWS profile; None: what the shell says.
        region: Home region; None: the profile's or the shell's, else where services without a region live.

    Raises:
        UsageError: No account is named; the error shows whose the credentials are.
        WrongAccountError: The credentials are another account's.
    """
    if account_id is not None:
        check_answer("account_id", account_id, "--account-id")
    home = region or configured_region(profile, access.environ) or GLOBAL_REGION["aws"]
    check_answer("region", home, "--region")
    environment = nameless(account_id or "0" * 12, home, profile)
    if access.sandbox and project is None:
        raise UsageError(
            "--sandbox uses a project's embedded AWS, and there is no project here",
            hint="run it in a project, or name one with -C DIR",
        )
    try:
        environ = aws_environ(project or Project(folder), environment, access, folder)
    except ToolkitError as e:
        e.where = e.where if e.where != f"environments/{environment.name}" else None
        raise
    observer.stage("Checking the account")
    clients = AwsSession(environment, environ)
    caller = caller_identity(clients, f"profile {profile}" if profile else "the credentials of the shell")
    if account_id is None:
        raise UsageError(
            f"these credentials belong to account {caller.account_id} ({caller.arn})",
            hint=f"if that is the account to read, add `--account-id {caller.account_id}`",
        )
    if caller.account_id != account_id:
        raise WrongAccountError(
            f"these credentials belong to account {caller.account_id} ({caller.arn}), not to {account_id}",
            where="--account-id",
            hint="choose another profile with --aws-profile, or correct --account-id; nothing was read",
        )
    return Account(
        environment,
        clients,
        caller,
        f"account {account_id}",
        snapshot_folder(folder, ".toolkit", "snapshots"),
        has_file=False,
    )


def nameless(account_id: str, home: str, profile: str | None) -> Environment:
    """An environment of nothing but an account: what clients are made from."""
    text = f'account_id: "{account_id}"\nregions: {{home: {home}}}\ncomponents: {{}}\n'
    environment = load_text(text, name="account", shown_as="the command line")
    if profile is None:
        return environment
    return replace(environment, credentials=environment.credentials.model_copy(update={"profile": profile}))


def regions_wanted(text: str) -> str | tuple[str, ...]:
    """What --regions says: "enabled", "active" or names of regions.

    Raises:
        UsageError: One is no region.
    """
    if text in ("enabled", "active"):
        return text
    named = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if not named:
        raise UsageError("--regions: no region", hint="expected enabled, active, or names like eu-central-1,us-east-1")
    for one in named:
        check_answer("region", one, "--regions")
    return named


def discover(
    account: Account, wanted: str | Sequence[str], observer: Observer, *, max_calls: int = MAX_CALLS
) -> Snapshot:
    """Everything that the account has of the types that components make.

    Args:
        account: The account, checked.
        wanted: "enabled", "active" or names of regions.
        observer: Gets told what happens.
        max_calls: Calls of AWS at most; what is left then is unreadable.

    Raises:
        ToolkitError: Which regions are enabled cannot be read.
    """
    kinds = listed_types(simulated=account.clients.simulated)
    meter = Meter(observer)
    inventory = Inventory(account.clients, budget=max_calls, on_call=meter.count, at_once=AT_ONCE)
    regions = regions_of(account, wanted, inventory)
    once = sum(1 for kind in kinds if (reading := RESOURCES[kind].reading) and reading.is_global)
    lists = once + (len(kinds) - once) * len(regions)
    where = regions[0] if len(regions) == 1 else f"{len(regions)} regions"
    observer.stage(
        f"Reading {len(kinds)} resource types in {where} of account {account.caller.account_id}: "
        f"{lists:,} lists, {max_calls:,} calls of AWS at most"
    )
    found = list(_with_managers(list(inventory.every(kinds, regions)), inventory))
    off = {one.region for one in found if isinstance(one, Unreadable) and one.reason is Reason.REGION_OFF}
    return Snapshot.of(
        found,
        account_id=account.caller.account_id,
        caller=account.caller.arn,
        environment=account.environment.name if account.has_file else None,
        simulator="moto" if account.clients.simulated else None,
        taken=datetime.now(UTC).replace(microsecond=0),
        home=account.clients.home_region,
        regions=tuple(region for region in regions if region not in off),
        types=kinds,
        calls=inventory.calls,
    )


def _with_managers(found: Sequence[Live | Unreadable], inventory: Inventory) -> Iterator[Live | Unreadable]:
    """What was found, with who manages it where that can be known; what that could not be read from comes first."""
    resources = [one for one in found if isinstance(one, Live)]
    told = inventory.managers(resources)
    yield from dict.fromkeys(one for manager in told for one in manager.unknown)
    yield from (one for one in found if isinstance(one, Unreadable))
    for one, manager in zip(resources, told, strict=True):
        yield replace(one, managed_by=manager.who)


class Meter:
    """Counts calls, which come from several threads, and reports them now and then."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._made = 0
        self._lock = threading.Lock()

    def count(self, call: Call) -> None:
        with self._lock:
            self._made += 1
            self._observer.progress(f"{self._made:,} calls · {call.region}")


def regions_of(account: Account, wanted: str | Sequence[str], inventory: Inventory) -> tuple[str, ...]:
    if wanted == "active":
        if not account.has_file:
            raise UsageError(
                "--regions active: an account without an environment file has no active regions",
                hint="expected enabled, or names like eu-central-1,us-east-1",
            )
        regions = account.environment.regions
        return (*regions.active, *regions.retiring)
    if wanted != "enabled":
        return tuple(wanted)
    try:
        return inventory.enabled_regions()
    except UnreadableError as e:
        raise ToolkitError(
            f"which regions are enabled cannot be read: {e}",
            hint="allow the credentials' user or role ec2:DescribeRegions, or name regions with --regions",
        ) from e
