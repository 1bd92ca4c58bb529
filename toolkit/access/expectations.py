"""Tests of policies: what somebody must be able to do, or must not.

In: a Judge and what is expected. Out: what differs, with the statement that decides. Pure. `depends` is neither allowed
nor denied, so that it fails both: what must hold has to hold for certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from toolkit.access.asking import answer_of, asked, named, verdict_of
from toolkit.access.judging import Answer, Judge, Question, Verdict
from toolkit.access.model import World
from toolkit.errors import UsageError, or_meant
from toolkit.iam.matching import ContextValue


@dataclass(frozen=True)
class Expectation:
    """What is expected of one principal and one action.

    Attributes:
        who: As `toolkit.access.asking.named` reads it.
        action: One action.
        verdict: Allowed or denied.
        on: ARN, or what of the environment is meant (`World.places`); None: any resource.
        when: Condition keys of the request.
    """

    who: str
    action: str
    verdict: Verdict
    on: str | None = None
    when: Mapping[str, ContextValue] = field(default_factory=dict)


def differing(judge: Judge, expected: Expectation) -> Iterator[Answer]:
    """Answers that are other ones.

    Raises:
        UsageError: There is no such principal or resource, or the request cannot have a condition key.
    """
    principal = named(judge.world, expected.who)
    for question in questions(judge.world, expected):
        if verdict_of(judge, principal, question) is not expected.verdict:
            yield answer_of(judge, principal, question)


def questions(world: World, expected: Expectation) -> tuple[Question, ...]:
    """What is asked, of each resource that is meant."""
    on = expected.on
    if on is None or on.startswith("arn:"):
        return (asked(expected.action, on, expected.when.items()),)
    context = asked(expected.action, None, expected.when.items()).context
    if on not in world.places:
        known = ", ".join(world.places) or "none of them"
        raise UsageError(
            f"{world.source} has no {on!r}" + or_meant(on, tuple(world.places)),
            hint=f"expected an ARN, or what there is: {known}",
        )
    return tuple(Question(expected.action, arn, context) for arn in world.places[on])
