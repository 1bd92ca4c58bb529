"""Answers of `toolkit explain` as lines: what is not known is said once, and where there is no path, to whom."""

from __future__ import annotations

from tests.unit.access.worlds import KEY, allow, group, held, world
from toolkit.access import Judge, Question
from toolkit.access.judging import Ground
from toolkit.access.model import World
from toolkit.access.questions import NAMED, answered
from toolkit.reports.access import named_lines, why_lines


class Subject:
    """Where statements come from is not said."""

    def __init__(self, one: World) -> None:
        self.world = one

    def ground(self, ground: Ground) -> str:
        return str(ground)


def test_a_policy_of_which_nothing_is_known_has_no_statements() -> None:
    one = group(held(allow("*"), name="admin"))
    subject = Subject(world(one))
    assert list(why_lines(subject, Judge(subject.world).answer(one, Question("kms:Decrypt", KEY))))[2:] == [
        "depends  group:developers",
        f"         on what the policy of {KEY} says, whose text is not known here",
        "         allowed by identity-based policy admin, statement 1",
    ]


def test_to_whom_no_path_is_open() -> None:
    question = NAMED["administrator-in-one-step"]
    for may, expected in (
        ("*", ["administrators already: group:developers", "No path is open to the others."]),
        ("s3:*", ["No path is open to any principal."]),
        ("iam:AttachGroupPolicy", ["group:developers", "  path iam-010: iam:AttachGroupPolicy by"]),
    ):
        subject = Subject(world(group(held(allow(may)))))
        lines = list(named_lines(subject, question, answered(Judge(subject.world), question), verbose=False))[2:]
        assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
