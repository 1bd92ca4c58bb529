"""The guard of quotas: how much of AWS's quotas an account uses, for those that a plan adds to.

In: a Case, the quotas in its types' records, and what AWS counts. Out: findings. Pure. Only what a plan adds to is
wanted: an apply that adds nothing reads nothing. What cannot be read is unknown, with the reason.

IAM answers its quotas with what is used of them (GetAccountSummary). Of other services the documented default is taken
first: AWS raises quotas and does not go below. Only where a plan would exceed it is Service Quotas asked for the
account's own value, unless AWS raises it for nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from toolkit.addresses import Address
from toolkit.findings import Finding
from toolkit.plan.case import Case, Guard
from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.plan.model import Action, Change
from toolkit.plan.quotas import Usage, judge_quotas
from toolkit.resources.quota import AccountWide, PerOwner, Regional
from toolkit.resources.reading import UnreadableError
from toolkit.resources.registry import RESOURCES, is_unsupported

T = TypeVar("T")
Q = TypeVar("Q", AccountWide, PerOwner, Regional)


@dataclass(frozen=True)
class Known(Generic[T]):
    """Something that may not be known."""

    value: T | None
    why: str = ""
    """Why it is not known."""


def _known(read: Callable[[], T]) -> Known[T]:
    try:
        return Known(read())
    except UnreadableError as e:
        return Known(None, str(e))


@dataclass(frozen=True)
class SummaryWanted(Wanted[Known[Mapping[str, int]]]):
    """IAM's account summary."""

    @property
    def what(self) -> str:
        """As the base."""
        return "IAM's account summary"

    def read(self, source: Source) -> Known[Mapping[str, int]]:
        """As the base."""
        return _known(lambda: (source.call("iam", "get_account_summary", source.home_region) or {})["SummaryMap"])


@dataclass(frozen=True)
class HeldWanted(Wanted[Known[frozenset[str]]]):
    """What a group, role or user has already: ARNs of policies, or groups."""

    quota: PerOwner
    owner: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"what {self.owner} has"

    def read(self, source: Source) -> Known[frozenset[str]]:
        """As the base."""
        return _known(lambda: frozenset(self.quota.held(source, source.home_region, self.owner)))


@dataclass(frozen=True)
class Counted:
    """How many there are of something with a regional quota."""

    used: Known[int]
    own: Known[int | None] | None
    """The account's own quota, where the documented one is not enough; a value of None: Service Quotas has none."""


@dataclass(frozen=True)
class CountWanted(Wanted[Counted]):
    """How many there are of a type, and the account's own quota where the documented one is not enough."""

    quota: Regional
    region: str
    owner: str
    """"" where the quota is the region's."""
    adds: int

    @property
    def of(self) -> str:
        """What the quota limits, for people."""
        return self.quota.of.format(region=self.region, owner=repr(self.owner))

    @property
    def what(self) -> str:
        """As the base."""
        return f"how many {self.of} there are"

    def read(self, source: Source) -> Counted:
        """As the base."""
        quota = self.quota
        used = _known(lambda: quota.count(source, self.region, self.owner))
        enough = used.value is None or used.value + self.adds <= quota.default
        if enough or quota.own_value is None:
            return Counted(used, None)
        service, words = quota.own_value
        return Counted(used, _known(lambda: self._own(source, service, words)))

    def _own(self, source: Source, service: str, words: str) -> int | None:
        """The account's own quota; None where Service Quotas has none of that name, or several."""
        listed = source.pages("service-quotas", "list_service_quotas", "Quotas", self.region, ServiceCode=service)
        found = [q["Value"] for q in listed if words in q["QuotaName"].lower()]
        return int(found[0]) if len(found) == 1 else None


@dataclass(frozen=True)
class TargetWanted(Wanted[Known[int]]):
    """How many policies of one type a root, unit or account of the organization has."""

    target: str
    kind: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"how many policies {self.target} has"

    def read(self, source: Source) -> Known[int]:
        """As the base."""
        asked: dict[str, Any] = {"TargetId": self.target, "Filter": self.kind}
        return _known(
            lambda: len(
                source.pages("organizations", "list_policies_for_target", "Policies", source.home_region, **asked)
            )
        )


@dataclass(frozen=True)
class _Question:
    """One quota that the plan adds to."""

    wants: tuple[Wanted[Any], ...]
    usage: Callable[[Facts], Usage]
    """The answers to what it wants → how the quota is used."""


_COUNTED = (Action.CREATE, Action.DELETE, Action.UPDATE, Action.REPLACE)


def _questions(case: Case) -> Iterator[_Question]:
    """Every quota that the plan adds to; a destroy adds to none."""
    if case.destroy:
        return
    changes = [c for c in case.plan.changes if c.action in _COUNTED and not (case.simulated and is_unsupported(c.type))]
    yield from _account_wide(changes)
    yield from _regional(changes)
    yield from _per_target(changes, case.attachable)
    yield from _per_owner(changes)


def _by_type(changes: Iterable[Change], quotas: type[Q]) -> Iterator[tuple[Q, list[Change]]]:
    """Each quota of that kind whose type the plan changes, and the changes of it; by the type's name."""
    mine: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        mine[change.type].append(change)
    for kind in sorted(mine):
        quota = RESOURCES[kind].quota if kind in RESOURCES else None
        if isinstance(quota, quotas):
            yield quota, mine[kind]


def _created(changes: list[Change]) -> tuple[int, Change | None]:
    """How many more there are after the changes, and the first that they create."""
    creates = [c for c in changes if c.action is Action.CREATE]
    return len(creates) - sum(c.action is Action.DELETE for c in changes), next(iter(creates), None)


def _by_summary(facts: Facts, of: str, adds: int, change: Change, used: Known[int], quota: str) -> Usage:
    """A quota of IAM's account summary."""
    summary = facts[SummaryWanted()]
    limit = (summary.value or {}).get(quota)
    unknown = summary.why or "IAM's account summary does not have it"
    return Usage(of, adds, change, used.value, limit, used.why or (unknown if None in (limit, used.value) else ""))


def _account_wide(changes: list[Change]) -> Iterator[_Question]:
    for quota, mine in _by_type(changes, AccountWide):
        adds, first = _created(mine)
        if first is not None:
            yield _Question((SummaryWanted(),), partial(_account_usage, quota, adds, first))


def _account_usage(quota: AccountWide, adds: int, first: Change, facts: Facts) -> Usage:
    used = (facts[SummaryWanted()].value or {}).get(quota.key)
    return _by_summary(facts, quota.of, adds, first, Known(used), f"{quota.key}Quota")


def _members(change: Change, values: Mapping[str, Any]) -> set[str]:
    """What an attachment or membership gives its owner: ARNs or groups; the address stands for an unknown ARN."""
    if "groups" in values:
        groups = values["groups"]
        return set(map(str, groups)) if isinstance(groups, list) else set()
    arn = values.get("policy_arn")
    return {arn if isinstance(arn, str) else change.address} if values else set()


def _per_owner(changes: list[Change]) -> Iterator[_Question]:
    new = {(c.type, c.after.get("name")) for c in changes if c.action is Action.CREATE}
    for quota, every in _by_type(changes, PerOwner):
        owners: defaultdict[str, list[Change]] = defaultdict(list)
        for change in every:
            owner = (change.after or change.before).get(quota.owner)
            if isinstance(owner, str):
                owners[owner].append(change)
        for owner, mine in owners.items():
            gets = {member for c in mine for member in _members(c, c.after)}
            is_read = gets and (f"aws_iam_{quota.owner}", owner) not in new
            held = HeldWanted(quota, owner) if is_read else None
            wants = (SummaryWanted(), held) if held else (SummaryWanted(),)
            yield _Question(wants, partial(_owner_usage, f"{quota.of} {owner!r}", quota.key, mine, gets, held))


def _owner_usage(
    of: str, quota: str, changes: list[Change], gets: set[str], wanted: HeldWanted | None, facts: Facts
) -> Usage:
    loses = {member for c in changes for member in _members(c, c.before)} - gets
    first = next((c for c in changes if c.after), changes[0])
    known = facts[wanted] if wanted is not None else Known(frozenset())
    if known.value is None:
        return _by_summary(facts, of, len(gets), first, Known(None, known.why), quota)
    # What is attached already counts once.
    adds = len((known.value - loses) | gets) - len(known.value)
    return _by_summary(facts, of, adds, first, Known(len(known.value)), quota)


def _regional(changes: list[Change]) -> Iterator[_Question]:
    for quota, every in _by_type(changes, Regional):
        places: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in every:
            owner = (change.after or change.before).get(quota.owner) if quota.owner else ""
            if isinstance(owner, str):
                places[change.region, owner].append(change)
        for (region, owner), mine in places.items():
            adds, first = _created(mine)
            if first is not None and adds > 0:
                wanted = CountWanted(quota, region, owner, adds)
                yield _Question((wanted,), partial(_regional_usage, wanted, first))


def _regional_usage(wanted: CountWanted, first: Change, facts: Facts) -> Usage:
    quota, counted = wanted.quota, facts[wanted]
    of, adds = wanted.of, wanted.adds
    used = counted.used.value
    if used is None or used + adds <= quota.default:
        return Usage(of, adds, first, used, quota.default, counted.used.why)
    documented = f"AWS documents {quota.default}: {quota.source}"
    if counted.own is None:
        return Usage(of, adds, first, used, quota.default, documented, otherwise=None)
    own = counted.own
    unknown = f"{own.why or 'Service Quotas does not name it'}; {documented}" if own.value is None else ""
    return Usage(of, adds, first, used, own.value, unknown)


def _per_target(changes: list[Change], attachable: Mapping[str, tuple[str, int]]) -> Iterator[_Question]:
    """Policies of one type on one root, unit or account of the organization."""
    targets: defaultdict[tuple[str, str, int], list[Change]] = defaultdict(list)
    for change in changes:
        target = (change.after or change.before).get("target_id")
        # The key of an instance is the policy's name and the target, as the environment names it.
        name = str(Address.parse(change.address).key).partition("/")[0]
        # A unit that is still to be made has none; what the plan attaches to it is counted before Terraform starts.
        if change.type == "aws_organizations_policy_attachment" and isinstance(target, str) and name in attachable:
            targets[target, *attachable[name]].append(change)
    for (target, kind, limit), mine in targets.items():
        adds, first = _created(mine)
        if first is not None and adds > 0:
            wanted = TargetWanted(target, kind)
            yield _Question((wanted,), partial(_target_usage, wanted, limit, adds, first))


def _target_usage(wanted: TargetWanted, limit: int, adds: int, first: Change, facts: Facts) -> Usage:
    used = facts[wanted]
    otherwise = "set `limits` of the component to what AWS allows you, if that is more"
    of = f"policies of the type {wanted.kind} on {wanted.target}"
    return Usage(of, adds, first, used.value, limit, used.why, otherwise)


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    for question in _questions(case):
        yield from question.wants


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    return judge_quotas(question.usage(facts) for question in _questions(case))


GUARD = Guard(_judge, _needs)
