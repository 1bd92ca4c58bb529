"""Audits the accounts of an organization, several at a time, each as a role in it.

In: the account that the organization is read from, checks, and a role's name. Out: an OrganizationAudit, and each
account's whole report in its history. Reads only. An account that cannot be read is unknown, and ends nothing; of what
was found nothing is kept but what the report needs (toolkit.audit.organization). What belongs to the organization is
read once.
"""

from __future__ import annotations

import gc
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
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
from toolkit.environment.model import AssumeRole
from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.findings import Severity
from toolkit.paths import Project
from toolkit.plan.facts import Wanted
from toolkit.regions import partition_of
from toolkit.reports.audit import audit_data
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


def environments_by_account(
    project: Project | None, named: str | None, *, simulated: bool, observer: Observer
) -> Mapping[str, Environment]:
    """Account → the environment of the project that is for it.

    Args:
        project: None outside of any.
        named: The environment that the command names: it is the one for its account, whatever others are.
        simulated: Whether accounts are on the embedded AWS; environments of `simulator: moto` are for no other.
        observer: Gets told of accounts with several environments, of which none is taken.

    Raises:
        ToolkitError: An environment.yaml is wrong.
    """
    found: defaultdict[str, list[Environment]] = defaultdict(list)
    for name in project.names if project is not None else ():
        environment = read_environment(project, name)[1] if project is not None else None
        if environment is not None and (simulated or environment.simulator is None):
            found[environment.account_id].append(environment)
    taken = {}
    for account_id, several in sorted(found.items()):
        meant = [one for one in several if one.name == named] or several
        if len(meant) == 1:
            taken[account_id] = meant[0]
        else:
            names = ", ".join(one.name for one in meant)
            observer.warning(f"account {account_id} has several environments ({names}): it is audited without any")
    return taken


def audit_organization(
    caller: Account,
    wanted: Sequence[Check],
    regions: str | Sequence[str],
    frameworks: Sequence[Framework],
    observer: Observer,
    *,
    role: Role = Role(),  # frozen
    chosen: Chosen = Chosen(),  # frozen
    environments: Mapping[str, Environment] | None = None,
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
        environments: Account → its environment in the project.
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
        caller, wanted, regions, frameworks, role, environments or {}, history, with_latest, at_most, shared
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
        problems=tuple(sorted(progress.problems)),
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
    environments: Mapping[str, Environment]
    history: Path | None
    with_latest: bool
    max_calls: int
    shared: Shared

    def audited(self, member: Member) -> tuple[AccountAudit | Unread, Sequence[str]]:
        """What is kept of its audit, and what is wrong with its history, a line each."""
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
            spent = self.shared.budget.spent
            try:
                if spent is not None:
                    # Later audits would compare with it as with a whole one.
                    raise ToolkitError(f"the report is not kept, since the audit did not read everything: {spent}")
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
        file = self.environments.get(member.id)
        if member.id == caller.caller.account_id:
            return replace(caller, environment=file, has_file=True) if file is not None else caller
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
