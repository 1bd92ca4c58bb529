"""Runs the access tests of an environment, on what it renders to or on what a plan leaves.

In: the environment's Subject. Out: nothing, or an error with each test that fails: its line, the answer and the
statement that decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.access import Answer, Judge, Verdict
from toolkit.access.expectations import Expectation, differing
from toolkit.environment import Environment
from toolkit.errors import RefusedError, UsageError
from toolkit.workflows.access import Subject


def require_access(subject: Subject) -> int:
    """Demand that every access test of the environment holds; returns how many answers were tested.

    Raises:
        RefusedError: One does not, or names what there is not.
    """
    environment = subject.environment
    assert environment is not None, "access tests are of an environment file"
    judge, failed, count = Judge(subject.world), list[str](), 0
    for index, expected in _expectations(environment):
        count += 1
        line = environment.lines.get(("access_tests", index), 1)
        try:
            failed += (
                f"{subject.shown}:{line}: {_said(subject, expected, answer)}" for answer in differing(judge, expected)
            )
        except UsageError as e:
            failed.append(f"{subject.shown}:{line}: {e.problem}" + (f"; {e.hint}" if e.hint else ""))
    if failed:
        raise RefusedError(
            f"{len(failed)} access test{'s' if len(failed) > 1 else ''} failed, by {subject.world.source}",
            where=subject.shown,
            detail="\n".join(failed),
            hint="change the policies, or the tests under `access_tests`; `toolkit explain why` shows each statement",
        )
    return count


def _expectations(environment: Environment) -> Iterator[tuple[int, Expectation]]:
    for index, test in enumerate(environment.access_tests):
        verdict = Verdict.ALLOWED if test.can is not None else Verdict.DENIED
        for who in test.who:
            for action in test.can or test.cannot or ():
                yield index, Expectation(who, action, verdict, test.on, test.when)


def _said(subject: Subject, expected: Expectation, answer: Answer) -> str:
    on = f" on {answer.question.resource}" if answer.question.resource else ""
    said = f"{answer.principal.label} {answer.question.action}{on}: expected {expected.verdict.value}, is "
    said += answer.verdict.value
    if answer.conditions:
        said += f" ({'; '.join(answer.conditions)})"
    first = next(iter(answer.grounds), None)
    return f"{said}: {subject.ground(first) if first is not None else answer.reason}"
