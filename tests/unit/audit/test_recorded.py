"""The mutation score: every fact that a check reads decides its verdict, and in the expected direction.

conftest.py says how a check brings its recorded answers.
"""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest

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


def read_by(check: str) -> frozenset[str]:
    """Every fact that a check reads in any of its cases."""
    found: set[str] = set()
    for case in CASES:
        if case.check == check:
            ask_of(check, follow(case, found.add), case.scope)
    return frozenset(map(fact, found))


def flipped_of(check: str) -> frozenset[str]:
    """Every fact of which a case says what its change changes."""
    return frozenset(fact(place(case, flip)) for case in CASES if case.check == check for flip in case.flips)


@pytest.mark.parametrize("check", ALL)
def test_every_check_has_recorded_answers(check: str):
    """Unknown is tried of each by test_checks.py."""
    found = {case.expected for case in CASES if case.check == check}
    good = Status.ATTESTED if any(topic.attested for topic in checks()[check].met) else Status.PASS
    assert {good, Status.FAIL} <= found, f"no tests/unit/audit/recorded_*.py has them for {check}: see conftest.py"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_verdict_is_the_recorded_one(case: Case):
    assert case.check in ALL
    assert set(checks()[case.check].needs(case.scope)) == set(case.answers), "answers of other questions than it has"
    result = ask_of(case.check, case.answers, case.scope)
    assert result.status is case.expected, [one.evidence for one in result.outcomes]
    # Looking on changes nothing.
    assert ask_of(case.check, follow(case, lambda _: None), case.scope).status is case.expected


FLIPS = [(case, flip) for case in CASES for flip in case.flips]


@pytest.mark.parametrize(("case", "flip"), FLIPS, ids=lambda one: one.path if isinstance(one, Flip) else str(one))
def test_the_change_of_one_fact_changes_the_verdict(case: Case, flip: Flip):
    assert flip.expected is not case.expected, "a flip that changes nothing proves nothing"
    result = ask_of(case.check, flipped(case, flip), case.scope)
    assert result.status is flip.expected, [one.evidence for one in result.outcomes]


@pytest.mark.parametrize("check", ALL)
def test_every_fact_that_a_check_reads_decides(check: str):
    alive = read_by(check) - flipped_of(check) - DISPLAY.get(check, frozenset())
    assert not alive, "read, and no recorded change of it changes the verdict"
    assert DISPLAY.get(check, frozenset()) <= read_by(check), "excluded, and not read"


@pytest.mark.parametrize("case", [case for case in CASES if case.expected in GOOD], ids=str)
def test_a_fact_that_is_missing_is_no_pass(case: Case):
    """Whatever AWS leaves out of an answer: it is unknown, or at least no reason to pass."""
    read: set[str] = set()
    ask_of(case.check, follow(case, read.add), case.scope)
    excluded = DISPLAY.get(case.check, frozenset()) | OPTIONAL.get(case.check, frozenset())
    for wanted, answer in case.answers.items():
        for at, one in enumerate(answer):
            for path in leaves(one.values):
                flip = Flip(path, MISSING, Status.UNKNOWN, wanted, at)
                if (where := place(case, flip)) in read and fact(where) not in excluded:
                    result = ask_of(case.check, flipped(case, flip), case.scope)
                    assert result.status not in GOOD, f"{path} may be missing"


def test_the_score(capsys: pytest.CaptureFixture[str]):
    """100 %, less what is excluded by name: shown with -s."""
    read = {check: read_by(check) for check in ALL}
    shown = {check: read[check] & DISPLAY.get(check, frozenset()) for check in ALL}
    killed = {check: read[check] & flipped_of(check) for check in ALL}
    total, display, dead = (sum(map(len, one.values())) for one in (read, shown, killed))
    with capsys.disabled():
        print(
            f"\nmutation score: {dead} of {total - display} facts that {len(ALL)} checks read change the verdict as "
            f"expected ({100 * dead // (total - display or 1)} %; {display} only shown), by {len(FLIPS)} flips of "
            f"{len(CASES)} recorded accounts"
        )
    assert dead == total - display
