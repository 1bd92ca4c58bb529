"""A baseline hides nothing: what is added to a finding is new, and what only ages is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.audit.baseline import Change, Comparison, read_baseline
from toolkit.audit.checks.exposure import NetworkAcls, SecurityGroups
from toolkit.audit.checks.monitors import MONITORS
from toolkit.audit.facts import CredentialReport
from toolkit.audit.model import Outcome, Result
from toolkit.audit.registry import checks
from toolkit.findings import Status
from toolkit.reports.audit import audit_data
from toolkit.resources.reading import Live

from . import recorded_escalation, recorded_monitors
from .conftest import HOME, SCOPE, Case, ask_of, live
from .recorded_exposure import ACL, entry, rule
from .recorded_policies import QUESTIONS
from .recorded_users import ago, key, row
from .test_baseline import ONCE, A, audit, said
from .test_recorded import ALL, BY_CHECK

SSH, RDP = "ec2_securitygroup_remote_administration_from_ipv4_restricted", 3389
EVERY = "0.0.0.0/0"
Answers = Mapping[Any, tuple[Live, ...]]


def compared(folder: Path, then: Result, now: Result) -> Comparison:
    """The second compared with the first, by way of its report."""
    file = folder / "audit.json"
    file.write_text(json.dumps(audit_data(audit(then))), "utf-8")
    found = replace(audit(now), baseline=read_baseline(file)).comparison
    assert found is not None
    return found


def became(folder: Path, then: Result, now: Result) -> dict[Change, int]:
    comparison = compared(folder, then, now)
    return {one: n for one in Change if (n := comparison.count(one))}


def group(*rules: dict[str, Any]) -> Answers:
    return {SecurityGroups(HOME): (live({"rules": list(rules)}, "sg-1"),)}


def acl(*rules: dict[str, Any]) -> Answers:
    return {NetworkAcls(HOME): (live({"rules": list(rules)}, "acl-1"),)}


def statement(action: str, sid: str = "Open") -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action.split(), "Resource": "*"}


def resource(check: str, *statements: dict[str, Any]) -> Answers:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {QUESTIONS[check]: (live({"policy": text}, "it"),)}


def escalating(*actions: str) -> Answers:
    return recorded_escalation.account(
        recorded_escalation.user(inline=[recorded_escalation.policy(*actions)]), recorded_escalation.ADMIN_ROLE
    )


def filtered(number: int) -> Answers:
    """An alarm whose filter lacks so many events of its monitor."""
    events = list(MANY.events.values())
    kept = events[number:]
    of = recorded_monitors.pattern(kept) if kept else recorded_monitors.OTHER
    return recorded_monitors._case(MANY, Status.FAIL, of=of).answers


def used(days: float) -> Answers:
    return {CredentialReport(): (row("<root_account>", password_last_used=ago(days)),)}


def keys(*made: float) -> Answers:
    return {CredentialReport(): (row("anna", *(key(made=ago(days), used=ago(1)) for days in made)),)}


MANY = next(one for one in MONITORS if len(one.events) > 2)
MANY_PATHS = ("iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PassRole", "ec2:RunInstances")
POLICIES = tuple(QUESTIONS)
GROWS: dict[str, tuple[str, Answers, Answers]] = {
    "a port of a security group": (SSH, group(rule(EVERY)), group(rule(EVERY), rule(EVERY, RDP, RDP))),
    "a wider rule of a security group": (SSH, group(rule(EVERY)), group(rule(EVERY, 22, RDP))),
    "a block of a network ACL": (ACL, acl(entry("allow", EVERY)), acl(entry("allow", EVERY), entry("allow", "::/0"))),
    **{
        f"a statement of {check}": (
            check,
            resource(check, statement("a:Get")),
            resource(check, statement("a:Get"), statement("a:Put", "Other")),
        )
        for check in POLICIES
    },
    **{
        f"an action in a statement of {check}": (
            check,
            resource(check, statement("a:Get")),
            resource(check, statement("a:Get a:Put")),
        )
        for check in POLICIES
    },
    "an escalation path": (
        recorded_escalation.CHECK,
        escalating("iam:PutUserPolicy"),
        escalating("iam:PutUserPolicy", "iam:AttachUserPolicy"),
    ),
    "an escalation path that the evidence does not name": (
        recorded_escalation.CHECK,
        escalating(*MANY_PATHS),
        escalating(*MANY_PATHS, "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"),
    ),
    "an event that no filter matches": (MANY.topic, filtered(1), filtered(2)),
    "every event": (MANY.topic, filtered(1), filtered(len(MANY.events))),
    "a use of root": ("iam_avoid_root_usage", used(10), used(1)),
    "another old key": (ONCE, keys(100), keys(100, 120)),
    "an old key in place of one": (ONCE, keys(200), keys(100)),
}


@pytest.mark.parametrize(("check", "then", "now"), GROWS.values(), ids=GROWS.keys())
def test_what_is_added_is_new(tmp_path: Path, check: str, then: Answers, now: Answers):
    earlier, later = (ask_of(check, answers, SCOPE) for answers in (then, now))
    assert earlier.status is later.status is Status.FAIL
    assert became(tmp_path, earlier, later).get(Change.NEW) == 1
    assert became(tmp_path, earlier, earlier) == {Change.UNCHANGED: 1}


@pytest.mark.parametrize(
    ("check", "then", "now"),
    [GROWS[name] for name in GROWS if "action" not in name and "old" not in name and "root" not in name],
    ids=[name for name in GROWS if "action" not in name and "old" not in name and "root" not in name],
)
def test_what_is_taken_away_is_not_new_and_a_part_of_a_finding_is_no_fix(
    tmp_path: Path, check: str, then: Answers, now: Answers
):
    less, more = (ask_of(check, answers, SCOPE) for answers in (then, now))
    assert became(tmp_path, more, less) == {Change.UNCHANGED: 1}
    assert Change.FIXED not in became(tmp_path, less, more)


def _later(case: Case) -> Result:
    """The account of a case a day later."""
    day = timedelta(days=1)
    scope = replace(case.scope, now=case.scope.now + day)
    questions = zip(checks()[case.check].needs(case.scope), checks()[case.check].needs(scope), strict=True)
    answers = {
        after: tuple(
            replace(one, values={n: v + day if n == "generated" else v for n, v in one.values.items()})
            for one in case.answers[before]
        )
        for before, after in questions
    }
    return ask_of(case.check, answers, scope)


def _failed(result: Result) -> Iterator[Outcome]:
    yield from (one for one in result.outcomes if one.status is Status.FAIL)


@pytest.mark.parametrize("check", ALL)
def test_what_only_ages_is_unchanged(tmp_path: Path, check: str):
    """Of every recorded account that fails, a day later; unless that day makes something else fail, or pass."""
    for case in BY_CHECK[check]:
        then, now = ask_of(check, case.answers, case.scope), _later(case)
        count = len(list(_failed(then)))
        if count and count == len(list(_failed(now))):
            assert became(tmp_path, then, now) == {Change.UNCHANGED: count}, str(case)


FACTS = st.one_of(st.none(), st.frozensets(st.sampled_from("abcd"), max_size=3).map(lambda s: tuple(sorted(s))))
OUTCOMES = st.lists(st.tuples(st.sampled_from(["one", "two"]), FACTS), max_size=4)


@given(then=OUTCOMES, now=OUTCOMES)
def test_of_any_two_audits_nothing_is_hidden_and_no_fix_is_claimed_of_what_is_left(
    tmp_path_factory: pytest.TempPathFactory, then: list[Any], now: list[Any]
):
    def result(given: list[Any]) -> Result:
        outcomes = [Outcome(Status.FAIL, text, A, facts=facts) for text, facts in given]
        return said(ONCE, *(outcomes or [Outcome(Status.PASS, "well")]))

    def facts(text: str, own: tuple[str, ...] | None) -> set[str]:
        return {text} if own is None else set(own)

    comparison = compared(tmp_path_factory.mktemp("reports"), result(then), result(now))
    findings = [one for one in audit(result(now)).findings if one.status is Status.FAIL]
    changes = [change for change in comparison.now if change is not None]
    assert len(changes) == len(now)
    assert changes.count(Change.UNCHANGED) <= len(then)
    for finding, change in zip(findings, changes, strict=True):
        if change is Change.UNCHANGED:
            assert any(facts(finding.evidence, finding.facts) <= facts(*one) for one in then)
    for one, change in comparison.before:
        assert change is Change.FIXED
        assert one.facts is not None or len(then) > len(now)
