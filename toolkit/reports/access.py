"""Who can do what, as text and as plain data (docs/output.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from toolkit.access import Answer, Ground, Question, Verdict, World
from toolkit.access.questions import Found, Named
from toolkit.documents import Document, document
from toolkit.visible import shortened

_WIDTH = max(len(one.value) for one in Verdict)


_SOME = 4
"""Actions and conditions of one principal that are named, unless more is wanted."""


class Told(Protocol):
    """Who knows where statements come from."""

    @property
    def world(self) -> World:
        """Everybody."""

    def ground(self, ground: Ground) -> str:
        """A statement, for people."""


def who_lines(subject: Told, question: Question, answers: Sequence[Answer], *, verbose: bool) -> Iterator[str]:
    """Everybody's answer to one question."""
    on = f" on {question.resource}" if question.resource else ""
    yield f"Who can {question.action}{on}, by {subject.world.source}:"
    yield ""
    if not answers:
        yield "There are no principals."
    for answer in answers:
        if answer.verdict is not Verdict.DENIED or verbose:
            yield from answer_lines(subject, answer)
    denied = [answer.principal for answer in answers if answer.verdict is Verdict.DENIED]
    if denied and not verbose:
        yield f"{Verdict.DENIED.value:<{_WIDTH}}  {', '.join(one.label for one in denied)}"
    yield ""
    counts = {verdict: sum(one.verdict is verdict for one in answers) for verdict in Verdict}
    yield ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    yield from gap_lines(subject.world)


def answer_lines(subject: Told, answer: Answer) -> Iterator[str]:
    """One answer, with the statements that decide."""
    through = f" through role {answer.through.name}" if answer.through is not None else ""
    yield f"{answer.verdict.value:<{_WIDTH}}  {answer.principal.label}{through}"
    inset = " " * (_WIDTH + 2)
    if answer.verdict is Verdict.DENIED:
        if not answer.grounds:
            yield f"{inset}{answer.reason}"
        yield from (f"{inset}denied by {subject.ground(ground)}" for ground in answer.grounds)
        yield from (f"{inset}{near}" for near in answer.near)
        return
    yield from (f"{inset}{condition}" for condition in answer.conditions)
    for ground in answer.grounds:
        if ground.holding.unknown and ground.holding.address is None:
            continue  # the conditions name the policy; neither a statement nor a setting of it is known
        word = "denied" if ground.denies else "allowed"
        certain = "" if ground.certain else ", under that condition,"
        yield f"{inset}{word}{certain} by {subject.ground(ground)}"
    if not answer.grounds:
        yield f"{inset}{answer.reason}"


def why_lines(subject: Told, answer: Answer) -> Iterator[str]:
    """Why somebody may do something, or not."""
    question = answer.question
    on = f" on {question.resource}" if question.resource else ""
    yield f"{answer.principal.label} {question.action}{on}, by {subject.world.source}:"
    yield ""
    yield from answer_lines(subject, answer)
    yield from gap_lines(subject.world)


def what_lines(subject: Told, name: str, answers: Iterable[tuple[str, Answer]], *, about: str) -> Iterator[str]:
    """What somebody can do: each group of actions with those that are allowed, and those that depend.

    Args:
        subject: Whose world it is.
        name: Of the principal.
        answers: Group → answer.
        about: What was asked, for people.
    """
    found: dict[str, dict[Verdict, list[Answer]]] = {}
    for group, answer in answers:
        found.setdefault(group, {}).setdefault(answer.verdict, []).append(answer)
    yield f"What {name} can do of {about}, by {subject.world.source}:"
    for group, by_verdict in found.items():
        yield ""
        yield group
        for verdict in (Verdict.ALLOWED, Verdict.DEPENDS):
            for answer in by_verdict.get(verdict, ()):
                on = f" on {answer.question.resource}" if answer.question.resource else ""
                yield f"  {verdict.value:<{_WIDTH}}  {answer.question.action}{on}"
                if verdict is Verdict.DEPENDS:
                    yield from (f"  {' ' * (_WIDTH + 2)}{condition}" for condition in answer.conditions)
        denied = by_verdict.get(Verdict.DENIED, ())
        if denied:
            yield f"  {Verdict.DENIED.value:<{_WIDTH}}  {len(denied)} of {sum(map(len, by_verdict.values()))} actions"
    yield from gap_lines(subject.world)


def named_lines(subject: Told, question: Named, found: Found, *, verbose: bool) -> Iterator[str]:
    """The answer to a question with a name."""
    yield f"{question.title} By {subject.world.source}:"
    yield ""
    by_principal: dict[str, dict[Verdict, list[Answer]]] = {}
    for answer in found.answers:
        by_principal.setdefault(answer.principal.label, {}).setdefault(answer.verdict, []).append(answer)
    for label, answers in by_principal.items():
        for verdict in (Verdict.ALLOWED, Verdict.DEPENDS):
            told = answers.get(verdict, [])
            if told:
                actions = list(dict.fromkeys(one.question.action for one in told))
                some = shortened(actions, len(actions) if verbose else _SOME)
                yield f"{verdict.value:<{_WIDTH}}  {label}: {some}"
                conditions = dict.fromkeys(condition for one in told for condition in one.conditions)
                named = list(conditions) if verbose else list(conditions)[:_SOME]
                yield from (f"{' ' * (_WIDTH + 2)}{condition}" for condition in named)
    if found.denied:
        yield f"{Verdict.DENIED.value:<{_WIDTH}}  {', '.join(found.denied)}"
    for label, ways in found.ways.items():
        yield f"{label}"
        for way in ways:
            after = f", after {', '.join(way.first)}" if way.first else ""
            by = f" by {way.to}" if way.to else ""
            yield f"  path {way.path.id}: {', '.join(way.path.required)}{by}{after}"
    if found.administrators:
        yield f"administrators already: {', '.join(found.administrators)}"
    if found.searched and not found.ways:
        yield f"No path is open to {'the others' if found.administrators else 'any principal'}."
    yield from (f"not known: {doubt}" for doubt in found.doubts)
    yield from gap_lines(subject.world)


def named_data(subject: Told, question: Named, found: Found) -> Document:
    """The same as plain data."""
    data = access_data(subject, "question", found.answers, question=question.name, denied=list(found.denied))
    if found.searched:
        data["administrators"] = list(found.administrators)
        data["paths"] = [
            {
                "principal": label,
                "path": way.path.id,
                "actions": list(way.path.required),
                "first": list(way.first),
                "to": way.to,
            }
            for label, ways in found.ways.items()
            for way in ways
        ]
        data["doubts"] = list(found.doubts)
    return data


def gap_lines(world: World) -> Iterator[str]:
    """What could not be taken into account."""
    if world.gaps:
        yield ""
        yield "Not taken into account:"
        yield from (f"  {gap}" for gap in world.gaps)


def access_data(subject: Told, command: str, answers: Iterable[Answer], **more: Any) -> Document:
    """Answers as plain data."""
    world = subject.world
    data = {
        "command": command,
        "source": world.source,
        "account_id": world.account_id,
        **more,
        "answers": [_data(subject, answer) for answer in answers],
        "gaps": list(world.gaps),
    }
    return document("access", data)


def _data(subject: Told, answer: Answer) -> dict[str, Any]:
    return {
        "principal": answer.principal.label,
        "arn": None if answer.principal.kind.value in ("group", "anyone") else answer.principal.arn,
        "action": answer.question.action,
        "resource": answer.question.resource,
        "verdict": answer.verdict.value,
        "reason": answer.reason,
        "through": answer.through.label if answer.through is not None else None,
        "conditions": list(answer.conditions),
        "statements": [
            {
                "layer": ground.holding.layer.value,
                "policy": ground.holding.name,
                "statement": ground.statement.label,
                "effect": ground.statement.effect,
                "certain": ground.certain,
                "text": subject.ground(ground),
            }
            for ground in answer.grounds
        ],
    }
