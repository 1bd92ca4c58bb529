"""The mutation score: every fact that a check reads decides its verdict, and in the expected direction.

conftest.py says how a check brings its recorded answers.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from toolkit.audit.model import Result
from toolkit.audit.registry import checks
from toolkit.findings import Status

from .conftest import Case, Flip, ask_of
from .tracing import MISSING, fact, flipped, follow, leaves, place

FILES = sorted(Path(__file__).parent.glob("recorded_*.py"))
MODULES = [import_module(f".{file.stem}", __package__) for file in FILES]
CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.CASES)
ALL = tuple(checks())
GOOD = (Status.PASS, Status.ATTESTED)


def _excluded(name: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        for check, facts in getattr(module, name, {}).items():
            found[check] |= set(facts)
    return {check: frozenset(facts) for check, facts in found.items()}


DISPLAY, OPTIONAL = _excluded("DISPLAY"), _excluded("OPTIONAL")


BY_CHECK = {check: tuple(case for case in CASES if case.check == check) for check in ALL}


@cache
def read_by(check: str) -> frozenset[str]:
    """Every fact that a check reads in any of its cases."""
    found: set[str] = set()
    for case in BY_CHECK[check]:
        ask_of(check, follow(case, found.add), case.scope)
    return frozenset(map(fact, found))


def flipped_of(check: str) -> frozenset[str]:
    """Every fact of which a case says what its change changes."""
    return frozenset(fact(place(case, flip)) for case in BY_CHECK[check] for flip in case.flips)


@pytest.mark.parametrize("check", ALL)
def test_every_check_has_recorded_answers(check: str):
    """Unknown is tried of each by test_checks.py."""
    found = {case.expected for case in BY_CHECK[check]}
    good = Status.ATTESTED if any(topic.attested for topic in checks()[check].met) else Status.PASS
    assert {good, Status.FAIL} <= found, f"no tests/unit/audit/recorded_*.py has them for {check}: see conftest.py"


def told(result: Result) -> str:
    return f"{result.status.value}: {'; '.join(one.evidence for one in result.outcomes)}"


# A test per check, not per change: there are thousands, each of microseconds, and pytest takes milliseconds for a test.
@pytest.mark.parametrize("check", ALL)
def test_the_verdict_is_the_recorded_one(check: str):
    wrong = []
    for number, case in enumerate(BY_CHECK[check]):
        if set(checks()[check].needs(case.scope)) != set(case.answers):
            wrong.append(f"{case} ({number}) has answers of other questions than it has")
            continue
        result = ask_of(check, case.answers, case.scope)
        if result.status is not case.expected:
            wrong.append(f"{case} ({number}) is {told(result)}")
        # Looking on changes nothing.
        if ask_of(check, follow(case, lambda _: None), case.scope).status is not result.status:
            wrong.append(f"{case} ({number}) is another one while it is traced")
    assert not wrong


def test_every_case_is_of_a_check():
    assert {case.check for case in CASES} <= set(ALL)


@pytest.mark.parametrize("check", ALL)
def test_the_change_of_one_fact_changes_the_verdict(check: str):
    wrong = []
    for number, case in enumerate(BY_CHECK[check]):
        for flip in case.flips:
            called = f"{case} ({number}) with {place(case, flip)} {flip.value!r}"
            if flip.expected is case.expected:
                wrong.append(f"{called}: a flip that changes nothing proves nothing")
            result = ask_of(check, flipped(case, flip), case.scope)
            if result.status is not flip.expected:
                wrong.append(f"{called} is {told(result)}, expected {flip.expected.value}")
    assert not wrong


@pytest.mark.parametrize("check", ALL)
def test_every_fact_that_a_check_reads_decides(check: str):
    alive = read_by(check) - flipped_of(check) - DISPLAY.get(check, frozenset())
    assert not alive, "read, and no recorded change of it changes the verdict"
    assert DISPLAY.get(check, frozenset()) <= read_by(check), "excluded, and not read"


@pytest.mark.parametrize("check", ALL)
def test_a_fact_that_is_missing_is_no_pass(check: str):
    """Whatever AWS leaves out of an answer: it is unknown, or at least no reason to pass."""
    excluded = DISPLAY.get(check, frozenset()) | OPTIONAL.get(check, frozenset())
    wrong = []
    for number, case in enumerate(BY_CHECK[check]):
        if case.expected is not Status.PASS:
            continue
        read: set[str] = set()
        ask_of(check, follow(case, read.add), case.scope)
        for wanted, answer in case.answers.items():
            for at, one in enumerate(answer):
                for path in leaves(one.values):
                    flip = Flip(path, MISSING, Status.UNKNOWN, wanted, at)
                    if (where := place(case, flip)) in read and fact(where) not in excluded:
                        result = ask_of(check, flipped(case, flip), case.scope)
                        if result.status is Status.PASS:
                            wrong.append(f"{case} ({number}): {where} may be missing")
    assert not wrong


def test_the_score(capsys: pytest.CaptureFixture[str]):
    """100 %, less what is excluded by name: shown with -s."""
    read = {check: read_by(check) for check in ALL}
    shown = {check: read[check] & DISPLAY.get(check, frozenset()) for check in ALL}
    killed = {check: read[check] & flipped_of(check) for check in ALL}
    total, display, dead = (sum(map(len, one.values())) for one in (read, shown, killed))
    flips = sum(len(case.flips) for case in CASES)
    with capsys.disabled():
        print(
            f"\nmutation score: {dead} of {total - display} facts that {len(ALL)} checks read change the verdict as "
            f"expected ({100 * dead // (total - display or 1)} %; {display} only shown), by {flips} flips of "
            f"{len(CASES)} recorded accounts"
        )
    assert dead == total - display
