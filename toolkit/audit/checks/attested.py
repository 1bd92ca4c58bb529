"""What no API of AWS reports, so that a person confirms it in environment.yaml: a check per such topic.

What only the management account of an organization decides is asked of that account alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.audit.attestations import begun, of_topic
from toolkit.audit.checks.organizations import Judge, in_management, needs_in_management
from toolkit.audit.facts import Fact
from toolkit.audit.model import SEVERITIES, Answers, Check, Outcome, Remedy, Scope
from toolkit.controls.catalogue import Topic, topics
from toolkit.findings import Status


def _judge(topic: Topic) -> Judge:
    def judge(scope: Scope, _: Answers) -> Iterator[Outcome]:
        every = of_topic(topic, scope.environment)
        entries = begun(every, scope.now)
        if not entries:
            lacking = "the attestation is dated in the future" if every else "there is no attestation"
            yield Outcome(Status.UNKNOWN, f"{str(topic.attested).rstrip('.')}, and {lacking}")
            return
        entry = entries[0]
        said = f"attested by {entry.by} on {entry.on}"
        if entry.until < scope.now.date().isoformat():
            yield Outcome(Status.FAIL, f"{said}, until {entry.until}: that is over")
        else:
            yield Outcome(Status.ATTESTED, f"{said}, until {entry.until}{f': {entry.note}' if entry.note else ''}")

    return judge


def _nothing(_: Scope) -> Iterator[Fact]:
    yield from ()


def _check(topic: Topic) -> Check:
    of_organization = topic.service == "organizations"
    judge = _judge(topic)
    return Check(
        topic.name,
        topic.title,
        SEVERITIES[topic.severity],
        topic.service,
        needs_in_management() if of_organization else _nothing,
        in_management(judge) if of_organization else judge,
        Remedy(f"check it, then confirm it under `attestations` in environment.yaml with `control: {topic.name}`"),
        why=f"{topic.why} {topic.attested}",
    )


CHECKS = tuple(_check(topic) for topic in topics() if topic.attested)
