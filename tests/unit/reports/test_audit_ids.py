"""Ids of findings in other tools: the same from audit to audit, whatever else a check says, and however it ages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.audit.model import Answers, Outcome, Scope, run
from toolkit.audit.registry import checks
from toolkit.findings import Severity, Status
from toolkit.resources.reading import Live, Reason, Unreadable

from .audits import ACCOUNT, HOME, TAKEN, audit, check, live, result

USER = live(f"arn:aws:iam::{ACCOUNT}:user/u")
ONE = check("one", Severity.HIGH)


def ids(*outcomes: Outcome) -> dict[tuple[Status, str, str], str]:
    """Status, evidence and part of each → its id."""
    return {(f.status, f.evidence, f.part): name for name, f in audit([result(ONE, *outcomes)]).unique}


PARTS = st.lists(st.tuples(st.sampled_from(Status), st.sampled_from("ab")), min_size=3, max_size=3)


@settings(max_examples=50, deadline=None)
@given(before=PARTS, after=PARTS, left_out=st.sets(st.integers(0, 2)))
def test_an_id_is_of_the_part_alone(before: Any, after: Any, left_out: set[int]) -> None:
    """Of two audits, whatever they say of a part, and whichever parts only one of them reports."""
    first, second = (
        [
            Outcome(status, evidence, USER, part=part)
            for (status, evidence), part in zip(said, ("", "x", "y"), strict=True)
        ]
        for said in (before, after)
    )
    then = {part: name for (_, _, part), name in ids(*first).items()}
    now = {part: name for (_, _, part), name in ids(*(o for n, o in enumerate(second) if n not in left_out)).items()}
    assert len(set(then.values())) == 3
    assert now.items() <= then.items()
    assert then[""] == f"one/account/{USER.arn}", "as in reports of earlier versions"


@pytest.mark.parametrize("other", [Status.PASS, Status.UNKNOWN, Status.ATTESTED])
def test_what_only_ages_keeps_its_id(other: Status) -> None:
    then, now = (ids(Outcome(Status.FAIL, f"{days} days", USER), Outcome(other, "ok", USER)) for days in (3, 4))
    assert list(then.values()) == list(now.values())


def said_of(name: str, *lives: Live) -> list[tuple[str, Outcome]]:
    """Each outcome of a check that asks one question, with its id."""
    asked = checks()[name]
    scope = Scope(ACCOUNT, HOME, (HOME,), TAKEN)
    answers = Answers(dict.fromkeys(asked.needs(scope), (lives, ())))
    found = audit([run(asked, scope, answers)])
    return [(name, Outcome(f.status, f.evidence, part=f.part)) for name, f in found.unique]


def contact(kind: str) -> Live:
    values = {"alternate_contact_type": kind, "email_address": f"{kind}@example.com"}
    return Live(
        {"alternate_contact_type": kind}, values, f"the contact {kind}", None, type="aws_account_alternate_contact"
    )


def test_each_contact_that_is_missing_has_an_id_of_its_own() -> None:
    contacts = next(name for name in checks() if checks()[name].judge.__name__ == "_contacts_judge")
    every = {one.evidence: name for name, one in said_of(contacts)}
    fewer = {one.evidence: name for name, one in said_of(contacts, contact("BILLING"))}
    assert len(set(every.values())) == 3
    missing = {said: name for said, name in fewer.items() if said in every}
    assert len(missing) == 2
    assert missing.items() <= every.items()


def test_what_could_not_be_read_takes_the_id_of_no_other() -> None:
    unread = [
        Unreadable("aws_iam_user", HOME, call, Reason.DENIED, "no") for call in ("iam:ListUsers", "iam:ListRoles")
    ]
    asked = check("c", Severity.HIGH, regional=True)
    scope = Scope(ACCOUNT, HOME, (HOME,), TAKEN)

    def names(*answered: Unreadable) -> list[str]:
        answers = Answers({"q": (answered, ())})  # type: ignore[dict-item]
        object.__setattr__(asked, "judge", lambda _, a: (a.each("q"), iter((Outcome(Status.FAIL, "open"),)))[1])
        return [name for name, _ in audit([run(asked, scope, answers)]).unique]

    assert set(names()) < set(names(unread[0])) < set(names(*unread))
