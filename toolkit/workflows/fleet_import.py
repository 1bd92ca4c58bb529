"""Makes and updates environments from the accounts of an organization.

In: the management account or a delegated administrator, and what new environments start from. Out: for each account,
what was written. Reads AWS Organizations only. What a person wrote stays (toolkit.fleet.written): of an environment
that exists, labels and `account_state` are written, nothing else. An account that is not ACTIVE gets no environment; if
it has one, the file then says so, and every command that runs Terraform refuses it.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from toolkit.aws.inventory import Inventory
from toolkit.aws.organization import OrganizationAccount, directory_of, organization_of, with_tags
from toolkit.environment import Environment, S3Backend, load_text
from toolkit.environment.source import Data
from toolkit.environment.splice import DELETE, IMPORTED, Edit, Path, splice_bytes
from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import write_atomically
from toolkit.fleet.written import merge
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import ENVIRONMENT_NAME, Project
from toolkit.typed import dotted
from toolkit.visible import shortened
from toolkit.workflows.discover import Account
from toolkit.workflows.edited import diff_of, read_file, require_unedited, write_file
from toolkit.workflows.new import Answers, environment_text, write_schema
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import only_one
from toolkit.workflows.workspace import read_environment

_WHENCE = "from AWS Organizations"
_OF_ONE_ACCOUNT = ("imports", "released", "waivers", "attestations", "labels", "account_state")
"""What an environment that starts from another one does not take over."""
_ACTIVE = "ACTIVE"


@dataclass(frozen=True)
class Template:
    """What new environments start from: an environment, or answers as for `toolkit new`."""

    environment: str | None = None
    answers: Answers | None = None


@dataclass(frozen=True)
class Filter:
    """Which accounts of the organization are meant; none given: all of them."""

    units: tuple[str, ...] = ()
    """Organizational units, with everything below them: ids, paths of names (Workloads/Prod) or names."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags, as key and value, that an account must all have."""

    @classmethod
    def parse(cls, units: Sequence[str], tags: Sequence[str]) -> Filter:
        """What --ou and --tag say.

        Raises:
            UsageError: One of them is empty, or no tag.
        """
        found = tuple(unit.strip("/ ") for unit in units)
        if not all(found):
            raise UsageError(
                "--ou: no organizational unit", hint="expected an id, a path such as Workloads/Prod, or a name"
            )
        pairs = [tag.partition("=") for tag in tags]
        for tag, (key, sign, _) in zip(tags, pairs, strict=True):
            if not (key and sign):
                raise UsageError(f"--tag: {tag!r} is not a tag", hint="expected KEY=VALUE, as AWS Organizations has it")
        return cls(found, tuple((key, value) for key, _, value in pairs))

    def below(self, accounts: Sequence[OrganizationAccount]) -> tuple[OrganizationAccount, ...]:
        """Those below the organizational units.

        Raises:
            UsageError: No account is below one of them, or a name is that of several.
        """
        ids = {unit for text in self.units for unit in _unit_ids(text, accounts)}
        return tuple(one for one in accounts if not self.units or ids.intersection(one.unit_ids))

    def having(self, accounts: Sequence[OrganizationAccount]) -> tuple[OrganizationAccount, ...]:
        """Those with the tags.

        Raises:
            UsageError: There are none.
        """
        found = tuple(one for one in accounts if all(one.tags.get(key) == value for key, value in self.tags))
        if not found and self.tags:
            for key, value in self.tags:
                values = sorted({one.tags[key] for one in accounts if key in one.tags})
                if value not in values:
                    keys = sorted({key for one in accounts for key in one.tags})
                    meant = or_meant(value, values) if values else or_meant(key, keys)
                    known = f"values of {key}: {shortened(values)}" if values else f"tags: {shortened(keys) or 'none'}"
                    raise UsageError(f"--tag: no account has {key}={value}{meant}", hint=known)
            raise UsageError("--tag: no account has all of these tags", hint="leave out one of them")
        return found


def _unit_ids(text: str, accounts: Sequence[OrganizationAccount]) -> set[str]:
    """The unit that --ou means, by its id, its path or its name.

    Raises:
        UsageError: No account is below such a unit, or several have the name.
    """
    paths = dict(_paths(accounts))
    if text in paths:
        return {text}
    if exact := {unit for unit, path in paths.items() if path == text}:
        return exact
    named = {unit: path for unit, path in paths.items() if path.rpartition("/")[2] == text}
    if len(named) == 1:
        return set(named)
    known = sorted(path for path in paths.values() if path)
    if named:
        raise UsageError(
            f"--ou: several organizational units are called {text!r}",
            hint=f"name one: {shortened(sorted(named.values()))}",
        )
    raise UsageError(
        f"--ou: no account is below an organizational unit {text!r}{or_meant(text, known)}",
        hint=f"organizational units with accounts: {shortened(known) or 'none'}",
    )


def _paths(accounts: Sequence[OrganizationAccount]) -> Iterator[tuple[str, str]]:
    """Id and path of each unit that an account is below; the path of a root is empty."""
    for one in accounts:
        for depth, unit in enumerate(one.unit_ids):
            yield unit, "/".join(one.units[:depth])


@dataclass(frozen=True)
class Imported:
    """One account of the organization."""

    account: OrganizationAccount
    environment: str | None
    """None where it has none and gets none."""
    action: Literal["create", "update", "same", "skip", "error"]
    reason: str | None = None
    """Why it was skipped, or the error."""
    diff: str = ""
    """What was, or would be, written into a file that exists."""
    conflicts: tuple[str, ...] = ()
    """Settings that a person wrote otherwise; they stay."""
    told: tuple[str, ...] = ()
    """What to look at in the file."""


@dataclass(frozen=True)
class Import:
    """What was done for an organization."""

    organization: str
    accounts: tuple[Imported, ...]
    not_in_organization: tuple[str, ...]
    """Environments whose account it does not have."""


def import_accounts(
    project: Project,
    caller: Account,
    template: Template,
    observer: Observer,
    *,
    names: Mapping[str, str],
    only: Filter = Filter(),
    dry: bool,
) -> Import:
    """Make environments for accounts that have none, and update the labels of those that have.

    Args:
        project: The project.
        caller: The management account or a delegated administrator, checked.
        template: What new environments start from.
        observer: Gets told what happens.
        names: Account id → the name that its new environment gets, instead of one made of the account's.
        only: Which accounts are meant; all others, and their environments, are left alone.
        dry: Only find out what would be written.

    Raises:
        UsageError: The account is in no organization, a template is missing, `names` names no account of it, or `only`
            leaves none.
        ToolkitError: AWS does not say, or an environment file of the project is wrong.
    """
    existing: defaultdict[str, list[Environment]] = defaultdict(list)
    for name in project.names:
        environment = read_environment(project, name)[1]
        if environment.simulator is None or caller.clients.simulated:
            existing[environment.account_id].append(environment)
    observer.stage("Reading the accounts of the organization")
    inventory = Inventory(caller.clients)
    organization = organization_of(inventory)[0]
    everyone = directory_of(inventory)
    ids = {account.id for account in everyone}
    accounts = only.having(with_tags(inventory, only.below(everyone)))
    for account_id in names:
        if account_id not in ids:
            raise UsageError(f"--name: the organization has no account {account_id!r}", hint="--name ID=NAME")
    start = _Start(project, template)
    wanted = {a.id: names.get(a.id) or slug(a.name) for a in accounts if a.id not in existing and a.state == _ACTIVE}
    done: list[Imported] = []
    for account in accounts:
        if account.id in existing:
            done += [_updated(project, environment, account, dry=dry) for environment in existing[account.id]]
        elif account.state != _ACTIVE:
            done.append(Imported(account, None, "skip", f"the account is {account.state or 'in an unknown state'}"))
        else:
            done.append(_created(project, account, wanted, start, dry=dry))
    missing = (e.name for account_id, some in existing.items() if account_id not in ids for e in some)
    return Import(organization, tuple(done), tuple(sorted(missing)))


def slug(name: str) -> str:
    """An environment's name made of an account's: "Prod (EU) Café" → "prod-eu-cafe"; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain)[:64].strip("-_")


def _values(account: OrganizationAccount) -> tuple[dict[Path, Data], tuple[str, ...]]:
    """What the file of an account's environment should have, and tags that are no labels."""
    values: dict[Path, Data] = {}
    told: list[str] = []
    if account.state not in (_ACTIVE, None):
        values["account_state",] = account.state
    labels = {"ou": _label("/".join(account.units)) or "root"}
    for key, value in sorted(account.tags.items()):
        if key.lower().startswith("aws:"):
            continue
        name = re.sub(r"[^a-z0-9_-]+", "-", key.lower()).strip("-_")[:63]
        text = _label(value)
        if not name or not text:
            told.append(f"the tag {key!r} is not a label: {'its value is empty' if name else 'its key has no letters'}")
        elif name in labels:
            told.append(f"the tag {key!r} is not a label: there is a label {name!r} already")
        else:
            labels[name] = text
    return values | {("labels", name): text for name, text in labels.items()}, tuple(told)


def _label(text: str) -> str:
    """A text as labels may have it: without commas and control characters."""
    text = re.sub(r"[,\s\x00-\x1f\x7f-\x9f]+", " ", unicodedata.normalize("NFC", text))
    return text.strip()[:256].strip()


def _updated(project: Project, environment: Environment, account: OrganizationAccount, *, dry: bool) -> Imported:
    name = environment.name
    values, told = _values(account)
    try:
        paths = project.environment(name)
        with contextlib.nullcontext() if dry else only_one(paths, "fleet import"):
            raw = read_file(paths)
            # An account of which AWS does not say the state keeps what the file says.
            within: Collection[Path] = [("labels",), *([("account_state",)] if account.state is not None else [])]
            merged = merge(raw, values, mark=IMPORTED, whence=_WHENCE, where=paths.shown, within=within)
            load_text(merged.content.decode("utf-8-sig"), name=name, shown_as=paths.shown, folder=paths.folder)
            if not dry and merged.content != raw:
                require_unedited(paths, raw)
                write_file(paths, merged.content)
    except ToolkitError as e:
        return Imported(account, name, "error", _reason(e), told=told)
    diff = diff_of(paths, raw, merged.content)
    conflicts = tuple(f"{paths.shown}:{value.line}: {dotted(value.path)}" for value in merged.conflicts)
    return Imported(account, name, "update" if diff else "same", None, diff, conflicts, told)


def _created(
    project: Project, account: OrganizationAccount, wanted: Mapping[str, str], start: _Start, *, dry: bool
) -> Imported:
    name = wanted[account.id]
    same = [one for one, other in wanted.items() if other == name and one != account.id]
    if not ENVIRONMENT_NAME.match(name):
        why = f"no environment name can be made of {account.name!r}; --name {account.id}=NAME gives one"
    elif name in project.names:
        why = f"the environment {name!r} is of another account; --name {account.id}=NAME gives another name"
    elif same:
        why = f"account {', '.join(same)} would be {name!r} as well; --name {account.id}=NAME gives another name"
    else:
        return _written(project, name, account, start, dry=dry)
    return Imported(account, None, "error", why)


def _written(project: Project, name: str, account: OrganizationAccount, start: _Start, *, dry: bool) -> Imported:
    values, told = _values(account)
    try:
        paths = project.paths(name)
        raw, more = start.of(name, account.id)
        content = merge(raw, values, mark=IMPORTED, whence=_WHENCE, where=paths.shown).content
        load_text(content.decode("utf-8-sig"), name=name, shown_as=paths.shown, folder=paths.folder)
        if paths.folder.exists() and any(paths.folder.iterdir()):
            raise ToolkitError("the folder has files of something else", where=f"environments/{name}")
        if not dry:
            paths.folder.mkdir(parents=True, exist_ok=True)
            write_schema(project)
            with uninterrupted():
                write_atomically(paths.file, content)
                report(f"{paths.shown} is written")
    except UsageError:
        raise
    except ToolkitError as e:
        return Imported(account, name, "error", _reason(e), told=told)
    return Imported(account, name, "create", told=(*told, *more))


def _reason(e: ToolkitError) -> str:
    return f"{e}: {e.detail.strip()}" if e.detail else str(e)


class _Start:
    """What the files of new environments start from."""

    def __init__(self, project: Project, template: Template) -> None:
        self._template = template
        if template.environment is None:
            return
        paths, environment = read_environment(project, template.environment)
        if environment.simulator is not None:
            raise UsageError("--from: the environment is of the embedded AWS only", where=paths.shown)
        self._environment, self._raw, self._shown = environment, read_file(paths), paths.shown
        if environment.files:
            raise UsageError(
                "--from: the environment names files of its folder, which belong to its account",
                where=paths.shown,
                hint="choose an environment without, or a profile",
            )

    def of(self, name: str, account_id: str) -> tuple[bytes, tuple[str, ...]]:
        """The file of a new environment, and what to look at in it."""
        if self._template.environment is not None:
            return self._copy(account_id)
        if self._template.answers is None:
            raise UsageError(
                "accounts without an environment need something to start from",
                hint="--from ENV, or --region REGION (with --profile and --security-email)",
            )
        return environment_text(name, replace(self._template.answers, account_id=account_id)).encode(), ()

    def _copy(self, account_id: str) -> tuple[bytes, tuple[str, ...]]:
        environment = self._environment
        edits = [Edit(("account_id",), account_id)]
        edits += [Edit((key,), DELETE) for key in _OF_ONE_ACCOUNT if (key,) in environment.lines]
        backend, role = environment.backend, environment.credentials.assume_role
        if isinstance(backend, S3Backend):
            if ("backend", "key") in environment.lines:
                edits.append(Edit(("backend", "key"), DELETE))
            if backend.account_id is None:
                # The bucket stays the one of the environment that the file is copied from.
                edits.append(Edit(("backend", "account_id"), environment.account_id))
        if role is not None:
            arn = role.role_arn.replace(f"::{environment.account_id}:", f"::{account_id}:")
            edits.append(Edit(("credentials", "assume_role", "role_arn"), arn))
        raw = splice_bytes(self._raw, edits, where=self._shown)
        lines = [n for n, line in enumerate(raw.splitlines(), 1) if environment.account_id.encode() in line]
        told = (
            f"line {', '.join(map(str, lines))} names account {environment.account_id}, which the file is copied from"
        )
        return raw, (told,) if lines else ()


def imported_names(pairs: Sequence[str]) -> dict[str, str]:
    """What --name ID=NAME says: account id → name.

    Raises:
        UsageError: One is no account id and name, or a name is no environment name, or there twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        account_id, sign, name = pair.partition("=")
        if not (sign and re.fullmatch("[0-9]{12}", account_id) and ENVIRONMENT_NAME.match(name)):
            raise UsageError(
                f"--name: {pair!r} is not an account id and a name",
                hint="expected ID=NAME: 12 digits, and 1 to 64 of a-z, 0-9, - and _",
            )
        if account_id in found:
            raise UsageError(f"--name: account {account_id} is named twice")
        found[account_id] = name
    return found
