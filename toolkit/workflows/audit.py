"""Asks checks of an account: which, where, and what AWS answers.

In: an account that is checked. Out: an Audit. Reads only; every question is put to AWS once, whichever checks want it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.audit.access_keys import access_keys
from toolkit.audit.attestations import idle
from toolkit.audit.baseline import Baseline
from toolkit.audit.facts import Fact
from toolkit.audit.history import History
from toolkit.audit.model import Answers, Check, Result, Scope, run
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.aws.budget import Budget
from toolkit.aws.inventory import Inventory
from toolkit.controls.catalogue import Framework
from toolkit.errors import UsageError, or_meant
from toolkit.findings import Severity
from toolkit.findings.rules import UNCOVERED
from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Answered, Call, UnreadableError
from toolkit.workflows.discover import AT_ONCE, MAX_CALLS, Account, Meter, regions_of
from toolkit.workflows.observer import Observer


def chosen(
    *,
    ids: Sequence[str] = (),
    services: Sequence[str] = (),
    severities: Sequence[Severity] = (),
    frameworks: Sequence[Framework] = (),
) -> tuple[Check, ...]:
    """The checks that all of these name; each that is empty names all.

    Raises:
        UsageError: There is no such check or service, or none is left.
    """
    known = checks()
    for one in ids:
        if one not in known:
            raise UsageError(
                f"--check: no check {one!r}{or_meant(one, tuple(known))}", hint="`toolkit audit --list-checks`"
            )
    every_service = tuple(dict.fromkeys(check.service for check in known.values()))
    for one in services:
        if one not in every_service:
            raise UsageError(
                f"--service: no check is about {one!r}{or_meant(one, every_service)}",
                hint=f"services: {', '.join(every_service)}",
            )
    wanted = {framework.name for framework in frameworks}
    found = tuple(
        check
        for check in known.values()
        if (not ids or check.id in ids)
        and (not services or check.service in services)
        and (not severities or check.severity in severities)
        and (not wanted or any(one.partition(":")[0] in wanted for one in check.requirements))
    )
    if not found:
        raise UsageError("no check is left by these options", hint="`toolkit audit --list-checks` lists all of them")
    return found


def audit_actions(wanted: Iterable[Check]) -> tuple[str, ...]:
    """Every IAM action that these checks need, sorted."""
    scope = Scope("1" * 12, "us-east-1", ("us-east-1",), datetime.now(UTC))
    facts = {fact for check in wanted for fact in check.needs(scope)}
    return tuple(
        sorted({"ec2:DescribeRegions", *(a for fact in facts if isinstance(fact, Fact) for a in fact.actions)})
    )


@dataclass(frozen=True)
class Shared:
    """What the audits of an organization's accounts share."""

    budget: Budget
    at_once: int
    """How many calls of one account wait for AWS at a time."""
    management: str
    """The management account's id."""
    known: Mapping[Wanted[Any], tuple[Any, tuple[Call, ...]]]
    """Questions whose answer is the same in each account → the answer, and the calls that it rests on."""


def audit(
    account: Account,
    wanted: Sequence[Check],
    regions: str | Sequence[str],
    frameworks: Sequence[Framework],
    observer: Observer,
    *,
    max_calls: int = MAX_CALLS,
    baseline: Baseline | None = None,
    on_answer: Callable[[Answered], None] | None = None,
    history: History | None = None,
    shared: Shared | None = None,
) -> Audit:
    """What is true of an account.

    Args:
        account: The account, checked.
        wanted: The checks to ask.
        regions: "enabled", "active" or names of regions.
        frameworks: Whose requirements get verdicts.
        observer: Gets told what happens.
        max_calls: Calls of AWS at most; what is left then is unknown.
        baseline: An earlier audit of the same account, to compare with.
        on_answer: Gets every call with what AWS answered: the facts that the verdicts rest on, and no others.
        history: Earlier audits of the same account.
        shared: What it shares with audits of other accounts; None: nothing.

    Raises:
        ToolkitError: Which regions are enabled cannot be read.
        UsageError: None of the named regions is enabled.
    """
    meter = Meter(observer)
    inventory = Inventory(
        account.clients,
        budget=max_calls if shared is None else shared.budget,
        on_call=meter.count,
        on_answer=on_answer,
        at_once=AT_ONCE if shared is None else shared.at_once,
    )
    where, off = _on(regions_of(account, regions, inventory), inventory)
    now = datetime.now(UTC).replace(microsecond=0)
    home = account.clients.home_region
    environment = account.environment if account.has_file else None

    def scope(region: str) -> Scope:
        management = None if shared is None else shared.management
        return Scope(account.caller.account_id, region, where, now, environment, account.clients.simulated, management)

    asked = [(check, scope(region)) for check in wanted for region in (where if check.regional else (home,))]
    observer.stage(
        f"Running {len(wanted)} checks on account {account.caller.account_id} in "
        f"{where[0] if len(where) == 1 else f'{len(where)} regions'}, with {max_calls:,} calls of AWS at most"
    )
    known = {} if shared is None else shared.known
    answers = _answers([fact for check, one in asked for fact in check.needs(one)], inventory, known)
    results: list[Result] = [run(check, one, Answers(answers)) for check, one in asked]
    waivers = environment.consents.waivers if environment is not None else ()
    return Audit(
        account_id=account.caller.account_id,
        caller=account.caller.arn,
        environment=environment.name if environment is not None else None,
        simulated=account.clients.simulated,
        taken=now,
        home=home,
        regions=where,
        off=off,
        frameworks=tuple(frameworks),
        results=tuple(results),
        waivers=tuple(one for one in waivers if one.rule is UNCOVERED),
        calls=inventory.calls,
        max_calls=max_calls,
        baseline=baseline,
        history=history,
        idle_attestations=idle(environment, wanted),
        lines=environment.lines if environment is not None else {},
        access_keys=access_keys({fact: answer for fact, (answer, _) in answers.items()}),
    )


def _on(regions: tuple[str, ...], inventory: Inventory) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The regions that the account has enabled, and those that it has not; all, if that cannot be read.

    Raises:
        UsageError: It has enabled none of them.
    """
    try:
        enabled = {*inventory.enabled_regions(), inventory.home_region}
    except UnreadableError:
        return regions, ()
    on = tuple(region for region in regions if region in enabled)
    off = tuple(region for region in regions if region not in enabled)
    if not on:
        raise UsageError(f"--regions: the account has not enabled {', '.join(off)}", hint="`--regions enabled`")
    return on, off


def _answers(
    wanted: Sequence[Wanted[Any]], inventory: Inventory, known: Mapping[Wanted[Any], tuple[Any, tuple[Call, ...]]]
) -> Mapping[Wanted[Any], tuple[Any, tuple[Call, ...]]]:
    # What exists once per account takes calls one after the other (IAM writes a report first): it is begun first.
    unique = sorted(
        (fact for fact in dict.fromkeys(wanted) if fact not in known), key=lambda fact: hasattr(fact, "region")
    )
    read = inventory.side_by_side(lambda fact: inventory.with_calls(fact.read), unique)
    return {**known, **dict(zip(unique, read, strict=True))}
