"""Two worlds compared: what is found once for everybody with the same policies is what is found for each alone."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.unit.access.worlds import QUESTIONS, some_world
from toolkit.access import Judge, Kind, Principal, World
from toolkit.access.comparing import compare
from toolkit.access.model import OWN

WORLDS = int(os.environ.get("ACCESS_WORLDS", "40"))

ANYBODY = Principal(Kind.ANYONE, "anywhere", "arn:aws:iam::000000000000:root")


def with_twins(world: World) -> World:
    """Each of the account's principals twice, with the same policies by another way."""
    twins = [
        replace(
            one,
            name="ben",
            arn=one.arn if one.kind is Kind.GROUP else one.arn.replace(one.name, "ben"),
            tags={"team": "other"} if one.kind is Kind.USER else None,
        )
        for one in world.principals
        if one.kind in OWN
    ]
    carried = [
        replace(
            one,
            held=tuple(
                replace(policy, address=f"policy.{policy.name}", carriers=((f"membership.{one.name}", "groups"),))
                for policy in one.held
            ),
        )
        for one in (*world.principals, *twins)
    ]
    return replace(world, principals=tuple(carried))


def test_who_is_alike_gets_the_same_answer() -> None:
    """On random worlds with conditions, variables and policies of resources that name some of them."""
    alike = apart = differing = 0
    for seed in range(WORLDS):
        world = with_twins(some_world(seed))
        judge = Judge(world)
        first: dict[Kind, Principal] = {}
        for one in world.principals:
            other = first.setdefault(one.kind, one)
            if other is one or one.kind not in OWN:
                continue
            for question in QUESTIONS:
                answers = [
                    (
                        judge.verdict(who, question),
                        judge.answer(who, question).conditions,
                        [
                            (part.verdict, [(g.statement, g.left) for g in part.grounds])
                            for part in judge.parts(who, question)
                        ],
                    )
                    for who in (one, other)
                ]
                same = judge.alike(one, question)
                if same is not None and same == judge.alike(other, question):
                    assert answers[0] == answers[1], (seed, one.label, question)
                    alike += 1
                else:
                    apart += 1
                    differing += answers[0] != answers[1]
    assert alike > apart / 2
    assert differing, "nobody of those who are not alike gets another answer: the test would see nothing"


def test_what_is_found_once_is_found_for_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"policy.p0", "policy.boundary", "membership.ben"}
    found: list[list[object]] = []
    for shared in (True, False):
        if not shared:
            monkeypatch.setattr(Judge, "alike", lambda *_: None)
        shifts: list[object] = []
        for seed in range(0, WORLDS // 4, 2):
            changes = compare(*(with_twins(some_world(one)) for one in (seed, seed + 1)), changed=changed)
            shifts += [(seed, one.principal.label, replace(one, principal=ANYBODY)) for one in changes.shifts]
            shifts.append((changes.administrators, changes.were_administrators, changes.bare, changes.gaps))
        found.append(shifts)
    assert len(found[0]) > WORLDS
    assert found[0] == found[1]
