"""Audits the accounts of an organization, several at a time, each as a role in it.

In: the account that the organization is read from, checks, and a role's name. Out: an OrganizationAudit, and each
account's whole report in its history. Reads only. An account that cannot be read is unknown, and ends nothing; of what
was found nothing is kept but what the report needs (toolkit.audit.organization). What belongs to the organization is
read once.
"""

from __future__ import annotations

import gc
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.audit.checks.organizations import Organization
from toolkit.audit.history import History, read_history
from toolkit.audit.model import Check
from toolkit.audit.organization import AccountAudit, Member, OrganizationAudit, Unread
from toolkit.aws.budget import Budget
from toolkit.aws.identity import check_account
from toolkit.aws.inventory import Inventory
from toolkit.aws.organization import ACTIONS, UNIT_ACTIONS, accounts_of, organization_of, state_of
from toolkit.aws.session import AwsSession
from toolkit.controls.catalogue import Framework
from toolkit.environment import Environment
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.model import AssumeRole
from toolkit.environment.source import MAX_BYTES, parse
from toolkit.errors import ToolkitError, UsageError, WrongAccountError, or_meant
from toolkit.files import read_regular
from toolkit.findings import Severity
from toolkit.paths import Project
from toolkit.plan.facts import Wanted
from toolkit.regions import GLOBAL_REGION, opt_in, partition_of
from toolkit.reports.audit import audit_data
from toolkit.visible import one_line
from toolkit.workflows.audit import Shared, audit, audit_actions
from toolkit.workflows.discover import AT_ONCE, MAX_CALLS, Account, nameless
from toolkit.workflows.observer import Observer
from toolkit.workflows.scan_policy import policies_of
from toolkit.workflows.workspace import read_environment

ROLE = "security-audit"
"""The role that is assumed unless an option names another: what `components.iam_roles.audit` creates by default."""
ACCOUNTS_AT_ONCE = 4
"""Accounts that are read at a time. Together they have as many calls waiting as the audit of one account: each has
limits of its own at AWS, but clients and answers of each take memory."""
MAX_MINUTES = 180
"""How long the audit of an organization takes at most, unless an option says otherwise."""


@dataclass(frozen=True)
class Chosen:
    """Which accounts of the organization are audited."""

    accounts: tuple[str, ...] = ()
    """Ids or names; none: all."""
    units: tuple[str, ...] = ()
    """Ids of organizational units or roots, with everything below; none: all."""
    exclude: tuple[str, ...] = ()
    """Ids or names."""


@dataclass(frozen=True)
class Role:
    """The role that is assumed in each account."""

    name: str = ROLE
    """With its path, if it has one ("audit/reader")."""
    external_id: str | None = None

    def credentials(self, account_id: str, region: str) -> AssumeRole:
        """How it is assumed in an account."""
        arn = f"arn:{partition_of(region) or 'aws'}:iam::{account_id}:role/{self.name}"
        return AssumeRole(role_arn=arn, external_id=self.external_id)


@dataclass(frozen=True)
class EnvironmentFiles:
    """What a project's environment files say of accounts."""

    of: Mapping[str, Environment] = field(default_factory=dict)
    """Account → the environment that is for it."""
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Account → what is wrong with the file that is for it: which findings it waives is unknown."""
    problems: tuple[str, ...] = ()
    """Files that cannot be used, a line each."""


def environments_by_account(
    project: Project | None, named: str | None, *, simulated: bool, observer: Observer
) -> EnvironmentFiles:
    """What the project's environment files say of accounts. One that cannot be used spoils no other.

    Args:
        project: None outside of any.
        named: The environment that the command names: it is the one for its account, whatever others are.
        simulated: Whether accounts are on the embedded AWS; environments of `simulator: moto` are for no other.
        observer: Gets told of accounts with several environments, of which none is taken.

    Raises:
        ToolkitError: environments/ is a symbolic link.
    """
    if project is None:
        return EnvironmentFiles()
    found: defaultdict[str, list[Environment]] = defaultdict(list)
    broken: list[tuple[str, str | None]] = []
    for name in project.names:
        try:
            environment = read_environment(project, name)[1]
        except ToolkitError as e:
            account_id, for_simulator = _meant(project.environment(name).file, e)
            if simulated or not for_simulator:
                broken.append((_first_error(name, e), account_id))
            else:
                observer.warning(f"{_first_error(name, e)}; it is for the embedded AWS alone")
        else:
            if simulated or environment.simulator is None:
                found[environment.account_id].append(environment)
    taken = {one.account_id: one for several in found.values() for one in several if one.name == named}
    unusable, problems = {}, []
    for wrong, account_id in broken:
        if account_id is None:
            problems.append(f"{wrong}; account_id cannot be read, so its account is audited without its waivers")
        elif account_id in taken:
            problems.append(wrong)
        else:
            unusable[account_id] = f"its environment file cannot be used: {wrong}"
            problems.append(f"{wrong}; account {account_id} is not audited, since its waivers are unknown")
    for account_id, several in sorted(found.items()):
        if account_id in taken or account_id in unusable:
            continue
        if len(several) == 1:
            taken[account_id] = several[0]
        else:
            names = ", ".join(one.name for one in several)
            observer.warning(f"account {account_id} has several environments ({names}): it is audited without any")
    return EnvironmentFiles(taken, unusable, tuple(problems))


def _first_error(name: str, e: ToolkitError) -> str:
    """What is wrong with an environment file, in one line with its place."""
    if not isinstance(e, EnvironmentFileError):
        return one_line(f"{e.where or f'environments/{name}'}: {e.problem}")
    first, *others = e.problems
    more = f" (and {len(others)} more)" if others else ""
    return one_line(f"{e.where}:{first.line}: {first}{more}")


def _meant(file: Path, e: ToolkitError) -> tuple[str | None, bool]:
    """The account that an unusable environment file is for, if that can be read; and whether it is of the simulator."""
    if not isinstance(e, EnvironmentFileError):
        return None, False
    try:
        text = read_regular(file, MAX_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return None, False
    data = parse(text).data
    if not isinstance(data, dict):  # not YAML: a line may be readable nevertheless
        data = dict(re.findall(r"^(account_id|simulator):[ \t]*[\"']?(\w+)", text, re.MULTILINE))
    account_id = str(data.get("account_id"))
    return account_id if re.fullmatch("[0-9]{12}", account_id) else None, data.get("simulator") == "moto"


def audit_organization(
    caller: Account,
    wanted: Sequence[Check],
    regions: str | Sequence[str],
    frameworks: Sequence[Framework],
    observer: Observer,
    *,
    role: Role = Role(),  # frozen
    chosen: Chosen = Chosen(),  # frozen
    environments: EnvironmentFiles = EnvironmentFiles(),  # frozen
    max_calls: int | None = None,
    max_minutes: int = MAX_MINUTES,
    history: Path | None = None,
    with_latest: bool = False,
) -> OrganizationAudit:
    """What is true of each account of an organization.

    Args:
        caller: The management account or a delegated administrator, checked; audited with its own credentials.
        wanted: The checks to run.
        regions: "enabled" or names of regions.
        frameworks: Whose requirements get verdicts.
        observer: Gets told what happens.
        role: What is assumed in each other account.
        chosen: Which accounts are meant.
        environments: What the project has for accounts. One whose file cannot be used is unknown.
        max_calls: Calls of AWS at most, of all accounts together; None: 20,000 per account.
        max_minutes: How long it may take. What is left after either is unknown.
        history: Folder in which each account has a folder with its reports.
        with_latest: Whether each account is compared with the newest report there.

    Raises:
        UsageError: The account is in no organization, or options name accounts that are not in it.
        ToolkitError: The accounts cannot be listed.
    """
    observer.stage("Listing the accounts of the organization")
    progress = _Progress(observer)
    budget = Budget(max_calls, minutes=max_minutes, on_call=progress.called)
    listing = Inventory(caller.clients, budget=budget)
    organization, management = organization_of(listing)
    taken, excluded = _chosen(_members(listing, chosen), chosen)
    active = [one for one in taken if one.is_active]
    if not active:
        raise UsageError("no active account is left by these options", hint="leave out --accounts, --ou or --exclude")
    at_most = max_calls if max_calls is not None else MAX_CALLS * len(active)
    budget.allow(at_most)
    at_once = min(ACCOUNTS_AT_ONCE, len(active))
    known: Mapping[Wanted[Any], Any] = {Organization(): listing.with_calls(Organization().read)}
    shared = Shared(budget, AT_ONCE // at_once, management, known)
    one_account = _OneAccount(
        caller, wanted, regions, frameworks, role, environments, history, with_latest, at_most, shared
    )
    taken_at = datetime.now(UTC).replace(microsecond=0)
    observer.stage(
        f"Checks: {len(wanted)}, on {len(active)} accounts of the organization {organization}, {at_once} at a time, "
        f"with {at_most:,} calls of AWS and {max_minutes} minutes at most"
    )
    interrupted = _side_by_side(one_account, active, at_once, budget, progress)
    found = sorted(progress.found.items())
    return OrganizationAudit(
        organization=organization,
        management=management,
        caller=caller.caller.arn,
        caller_account=caller.caller.account_id,
        role=role.name,
        simulated=caller.clients.simulated,
        taken=taken_at,
        checks=tuple(wanted),
        frameworks=tuple(one.name for one in frameworks),
        accounts=tuple(one for _, one in found if isinstance(one, AccountAudit)),
        unread=tuple(one for _, one in found if isinstance(one, Unread)),
        left_out=tuple(one for one in taken if not one.is_active),
        excluded=tuple(one for one in excluded if one.is_active),
        calls=budget.made,
        max_calls=at_most,
        interrupted=interrupted,
        problems=(*environments.problems, *sorted(progress.problems)),
    )


class _Progress:
    """What is done by now, and telling so."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.found: dict[str, AccountAudit | Unread] = {}
        self.problems: list[str] = []
        self.all = 0
        self._talk = threading.Lock()

    def called(self, calls: int) -> None:
        """A call is made, in whichever thread."""
        with self._talk:
            self.observer.progress(f"{len(self.found)} of {self.all} accounts · {calls:,} calls")

    def take(self, member: Member, found: AccountAudit | Unread, problems: Sequence[str]) -> None:
        """An account is done."""
        with self._talk:
            self.found[member.id] = found
            self.problems += problems
            self.observer.note(f"{len(self.found)} of {self.all}: {_words(found)}")


def _side_by_side(
    one_account: _OneAccount, active: Sequence[Member], at_once: int, budget: Budget, progress: _Progress
) -> bool:
    """Audit every account, some at a time.

    Returns:
        Whether that was interrupted: what was not read by then is unknown.
    """
    progress.all = len(active)
    interrupted = False
    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(one_account.audited, member): member for member in active}
        try:
            for future in as_completed(futures):
                progress.take(futures[future], *future.result())
                # Clients of boto3 refer to each other: without this, those of all accounts are kept for long.
                gc.collect()
        except KeyboardInterrupt:
            interrupted = True
            progress.observer.warning("interrupted: what was not read by now is unknown; this takes some seconds")
        finally:
            # After an error, too: whatever still runs ends with its next call.
            budget.stop("interrupted")
            pool.shutdown(wait=True, cancel_futures=True)
    for future, member in futures.items():
        if future.cancelled():
            progress.take(member, Unread(member, "not begun: interrupted"), ())
        elif member.id not in progress.found:
            progress.take(member, *future.result())
    return interrupted


@dataclass(frozen=True)
class _OneAccount:
    """Audits one account, in a thread of its own."""

    caller: Account
    wanted: Sequence[Check]
    regions: str | Sequence[str]
    frameworks: Sequence[Framework]
    role: Role
    environments: EnvironmentFiles
    history: Path | None
    with_latest: bool
    max_calls: int
    shared: Shared

    def audited(self, member: Member) -> tuple[AccountAudit | Unread, Sequence[str]]:
        """What is kept of its audit, and what is wrong with its history, a line each."""
        if (wrong := self.environments.unusable.get(member.id)) is not None:
            return Unread(member, wrong), ()
        spent = self.shared.budget.spent
        if spent is not None:
            return Unread(member, f"not begun: {spent}"), ()
        try:
            history = self._history(member)
        except ToolkitError as e:
            return Unread(member, e.problem), [f"account {member.id}: {e}"]
        try:
            account = self._account(member)
            found = audit(
                account,
                self.wanted,
                self.regions,
                self.frameworks,
                Observer(),
                max_calls=self.max_calls,
                baseline=history.latest if history is not None and self.with_latest else None,
                history=history,
                shared=self.shared,
            )
        except ToolkitError as e:
            return Unread(member, e.problem), ()
        report, problems = None, list(history.unreadable) if history is not None else []
        if history is not None:
            refused = self.shared.budget.refused
            try:
                if refused is not None:
                    # Later audits would compare with it as with a whole one.
                    raise ToolkitError(f"the report is not kept, since the audit did not read everything: {refused}")
                report = history.add(audit_data(found))
            except ToolkitError as e:
                problems.append(f"account {member.id}: {e}")
        return AccountAudit.of(member, found, report), problems

    def _history(self, member: Member) -> History | None:
        if self.history is None:
            return None
        return read_history(self.history / member.id, member.id, simulated=self.caller.clients.simulated)

    def _account(self, member: Member) -> Account:
        """The account, checked.

        Raises:
            ToolkitError: The role cannot be assumed.
        """
        caller = self.caller
        home = caller.clients.home_region
        file = self.environments.of.get(member.id)
        if member.id == caller.caller.account_id:
            return replace(caller, environment=file, has_file=True) if file is not None else caller
        try:
            return self._as_role(member, file, home)
        except WrongAccountError:
            if file is not None or not opt_in(home):
                raise
            # The caller's account has enabled the region; for an account that has not, STS there refuses every request.
            return self._as_role(member, None, GLOBAL_REGION[partition_of(home) or "aws"])

    def _as_role(self, member: Member, file: Environment | None, home: str) -> Account:
        caller = self.caller
        environment = file or nameless(member.id, home, None)
        credentials = self.role.credentials(member.id, environment.regions.home)
        environment = replace(
            environment, credentials=environment.credentials.model_copy(update={"assume_role": credentials})
        )
        session = AwsSession(environment, caller.clients.environ, caller.clients)
        identity = check_account(session)
        called = file.name if file is not None else f"account {member.id}"
        return Account(environment, session, identity, called, caller.folder, has_file=file is not None)


def _members(listing: Inventory, chosen: Chosen) -> tuple[Member, ...]:
    return tuple(
        sorted(
            (Member(one["Id"], one.get("Name") or "", state_of(one)) for one in accounts_of(listing, chosen.units)),
            key=lambda one: one.id,
        )
    )


def _chosen(members: Sequence[Member], chosen: Chosen) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """The accounts that are meant, and the others.

    Raises:
        UsageError: There is no account of a name or id, or several have the name.
    """
    wanted = _named(members, chosen.accounts, "--accounts") if chosen.accounts else {one.id for one in members}
    wanted -= _named(members, chosen.exclude, "--exclude")
    return (
        tuple(one for one in members if one.id in wanted),
        tuple(one for one in members if one.id not in wanted),
    )


def _named(members: Sequence[Member], named: Iterable[str], option: str) -> set[str]:
    found = set()
    for name in named:
        those = [one for one in members if name in (one.id, one.name)]
        if not those:
            known = tuple(text for one in members for text in (one.id, one.name))
            raise UsageError(
                f"{option}: no account {name!r} among the {len(members)} of the organization{or_meant(name, known)}",
                hint="expected ids or names of accounts, with commas between them",
            )
        if len(those) > 1:
            raise UsageError(f"{option}: {len(those)} accounts are called {name!r}", hint="name it by its id")
        found.add(those[0].id)
    return found


def _words(one: AccountAudit | Unread) -> str:
    """An account that is done, in one line."""
    called = f"{one.member.id} {one.member.name}".rstrip()
    if isinstance(one, Unread):
        return f"{called}: unknown: {one.reason}"
    failed = ", ".join(f"{n} {severity.value}" for severity, n in one.point.failed.items() if n)
    unknown = sum(one.unknown[severity] for severity in Severity)
    return f"{called}: {failed or 'nothing failed'}{f'; {unknown} unknown' if unknown else ''}"


def organization_policies(
    wanted: Iterable[Check], account_id: str, role: Role, region: str, *, units: bool = False
) -> dict[str, Any]:
    """The IAM policies of an audit of an organization: the caller's, the role's, and the role's trust policy.

    Args:
        wanted: The checks.
        account_id: The account that the roles trust.
        role: The role.
        region: Of the partition that the accounts are in.
        units: Whether accounts are chosen by organizational units.
    """
    partition = partition_of(region) or "aws"
    lists = sorted({*ACTIONS, *(UNIT_ACTIONS if units else ())} - {"sts:AssumeRole"})
    reads = policies_of(audit_actions(wanted))
    assume: dict[str, Any] = {
        "Sid": "LetAuditsAssumeIt",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    if role.external_id is not None:
        assume["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    caller = [
        {"Sid": "ListAccounts", "Effect": "Allow", "Action": lists, "Resource": "*"},
        {
            "Sid": "AssumeTheRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": f"arn:{partition}:iam::*:role/{role.name}",
        },
    ]
    return {
        "caller": {
            "account_id": account_id,
            "policies": [{"Version": "2012-10-17", "Statement": caller}, *reads],
        },
        "role": {
            "name": role.name,
            "trust_policy": {"Version": "2012-10-17", "Statement": [assume]},
            "policies": list(reads),
        },
    }
