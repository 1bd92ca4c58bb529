"""Judges what principals gain: a sensitive action that somebody may newly do who is no administrator.

In: what a plan changes in who may do what. Out: findings, one for each thing of the plan that brings gains about. Pure.

Who counts, decided here and written down in docs/judging.md:

- An administrator by meaning (`toolkit.access.comparing.administers`) gains nothing that they could not give
  themselves.
- A principal that the plan makes, an account, provider or service that acts by a role that it makes, and an account
  that the policy of a resource names which it makes, come with the entry of the environment file that says what they
  are for: reports list what they may do. Everyone (`"*"`) has no entry, and counts. The same holds for a group, role
  or permission set that is there without any policy, which is what an interrupted apply leaves, unless somebody may
  act by it already. A user may always.
- Accounts below a target of the organization gain what a guardrail denied them: they always count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from toolkit import findings
from toolkit.access.changes import NO_SHIFTS, Cause, Shift, Shifts, Turn, grouped
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import DESTROYS, GAINS, WEAKENS
from toolkit.plan.access import before
from toolkit.plan.access_changes import shifts_of
from toolkit.plan.case import Case, Guard
from toolkit.plan.denials import GroupPoliciesWanted
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.lockout.guard import users_wanted
from toolkit.plan.model import Change, Resource
from toolkit.plan.policy_texts import known_policies, wanted_texts
from toolkit.visible import shortened

_MOST = 5
"""Principals that a summary names."""


def shifts(case: Case, facts: Facts) -> Shifts:
    """What the plan changes in who may do what."""
    policies = known_policies(case, facts)
    documents = facts[GroupPoliciesWanted()].documents if users_wanted(case) is not None else {}

    def text(arn: str) -> tuple[str, str] | None:
        found = policies.after(arn) or policies.before(arn) or documents.get(arn)
        return (found, "as the account has it") if found is not None else case.texts(arn)

    return shifts_of(
        case.plan,
        (*case.outcome, *_elsewhere(case, facts)),
        account_id=case.account_id,
        partition=case.partition,
        home=case.home,
        texts=text,
        drift=case.drift,
    )


def _elsewhere(case: Case, facts: Facts) -> Iterator[Resource]:
    """Groups of the account that the state does not have, with their policies: users of the plan may be in them."""
    if users_wanted(case) is None:
        return
    held = facts[GroupPoliciesWanted()]
    known = {str(one.values.get("name")) for one in before(case.plan, case.outcome) if one.type == "aws_iam_group"}
    known |= {str(one.values.get("name")) for one in case.outcome if one.type == "aws_iam_group"}
    for name in held.inline:
        if name in known:
            continue
        arn = f"arn:{case.partition}:iam::{case.account_id}:group/{name}"

        def given(kind: str, arn: str = arn, **values: str) -> Resource:
            return Resource(arn, kind, None, case.home, values)

        yield given("aws_iam_group", name=name)
        for policy, text in held.inline[name].items():
            yield given(held.inline_type, group=name, name=policy, policy=text)
        for attached in sorted(held.attached.get(name, ())):
            yield given(held.attached_type, group=name, policy_arn=attached)


def subsumed(found: Iterable[Finding], access: Shifts) -> tuple[Finding, ...]:
    """Findings, of which those of single policies are part of those about gains by the same attribute.

    What the texts say more is in the evidence, so that nothing is consented to unseen. A deletion that is refused by
    itself says enough: what is gained by it is told, and not refused a second time, unless somebody ends as an
    administrator who was none.

    Args:
        found: Findings of every guard.
        access: What the plan changes in who may do what.
    """
    every = tuple(found)
    others: dict[str | None, set[str]] = {}
    for cause in {shift.cause for shift in access.shifts if shift.cause is not None}:
        others.setdefault(cause.address, set()).update(cause.others)
    gaining = {(f.address, f.attribute) for f in every if f.rule is GAINS and f.blocks}
    destroyed = {f.address for f in every if f.rule is DESTROYS and f.blocks}
    ruling = {
        (shift.cause.address, shift.cause.attribute)
        for shift in access.shifts
        if shift.cause is not None and shift.principal.label in access.administrators - access.were_administrators
    }
    refused = {f.address for f in every if {f.address, *others.get(f.address, ())} & destroyed}
    compared: dict[tuple[str | None, str | None], list[str]] = {}
    for one in every:
        if one.rule is WEAKENS and (one.address, one.attribute) in gaining and one.address not in refused:
            compared.setdefault((one.address, one.attribute), []).append(one.evidence)
    kept = []
    for one in every:
        place = (one.address, one.attribute)
        if one.rule is GAINS and one.address in refused and place not in ruling:
            kept.append(replace(one, severity=Severity.NOTE, consent=None))
        elif one.rule is GAINS and place in compared:
            kept.append(replace(one, evidence="; ".join(dict.fromkeys((one.evidence, *compared[place])))))
        elif one.rule is not WEAKENS or place not in compared:
            kept.append(one)
    return tuple(kept)


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    yield from wanted_texts(case)
    if users_wanted(case) is not None:
        yield GroupPoliciesWanted()


def _judge(case: Case, _facts: Facts) -> Iterator[Finding]:
    if case.ends or case.access is NO_SHIFTS:
        return
    access = case.access
    by_cause: dict[tuple[Cause | None, str], list[Shift]] = {}
    for shift in access.shifts:
        label = shift.principal.label
        spared = shift.made or label in access.bare or label in access.were_administrators
        if shift.turn is Turn.GAIN and not spared:
            key = (shift.cause, "" if shift.cause is not None else label)
            by_cause.setdefault(key, []).append(shift)
    changed = {change.address: change for change in case.plan.changes}
    changed |= {c.previous_address: c for c in case.plan.changes if c.previous_address is not None}
    for (cause, _), shifts in by_cause.items():
        yield _finding(case, cause, changed.get(cause.address) if cause is not None else None, shifts)


def _finding(case: Case, cause: Cause | None, change: Change | None, shifts: Iterable[Shift]) -> Finding:
    of: dict[str, list[Shift]] = {}
    for shift in shifts:
        of.setdefault(str(shift.principal), []).append(shift)
    names = list(of)
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, own in of.items():
        alike.setdefault(tuple(item.line(Turn.GAIN) for item in grouped(own)), []).append(name)
    evidence = "; ".join(f"{shortened(whom, _MOST)} {', and '.join(lines)}" for lines, whom in alike.items())
    actions = dict.fromkeys(shift.sensitive.action for own in of.values() for shift in own)
    first = next(iter(of.values()))[0].principal
    resource = change.resource if change is not None else findings.Resource(first.address, case.home, None, first.arn)
    attribute = cause.attribute if cause is not None else None
    subject = f"{resource.name}.{attribute}" if attribute else resource.name
    count = f"{len(actions)} sensitive actions" if len(actions) > 1 else next(iter(actions))
    both = {shift.before is shift.after for own in of.values() for shift in own}
    does = f"may newly do {count}"
    if both == {True}:
        does = f"may do {count} under other conditions"
    elif len(both) > 1:
        does = f"may do {count} newly or under other conditions"
    whose = shortened(names, _MOST)
    return Finding(
        rule=GAINS,
        severity=Severity.HIGH,
        resource=resource,
        attribute=attribute,
        summary=f"{whose[:1].upper()}{whose[1:]} {does}.",
        evidence=evidence,
        remedy="allow only what is needed, or give consent if each of these principals should have these permissions",
        consent=f"--allow-gain '{subject}'",
        component=change.component if change is not None else None,
    )


GUARD = Guard(_judge, _needs)
