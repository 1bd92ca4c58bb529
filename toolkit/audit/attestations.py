"""What people confirm of an account because no API of AWS reports it: `attestations` of environment.yaml.

In: the environment and the catalogue. Out: what is attested of a topic, and which entries are wrong or not used. Pure.
An attestation never answers what AWS reports: it counts only for topics that the catalogue marks as `attested`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from toolkit.audit.model import Check
from toolkit.controls.catalogue import Topic, topics
from toolkit.environment.model import AttestationEntry, Environment
from toolkit.environment.source import Problem
from toolkit.spelling import nearest

_CLOCKS = timedelta(days=1)
"""How far the days of two time zones may differ."""


def broken(environment: Environment) -> list[Problem]:
    """Entries that name neither a topic nor a requirement, each with its line and the nearest name."""
    known = _by_name()
    return [
        Problem(
            environment.lines.get(("attestations", index, "control"), 1),
            f"attestations[{index}].control",
            f"there is no check and no requirement {entry.control!r}",
            "the id of a check, or a requirement like cis-7.0:2.1.3",
            nearest(entry.control, list(known)),
        )
        for index, entry in enumerate(environment.attestations)
        if entry.control not in known
    ]


def of_topic(topic: Topic, environment: Environment | None) -> tuple[AttestationEntry, ...]:
    """What the environment attests of a topic, the one that holds longest first."""
    entries = environment.attestations if environment is not None else ()
    found = (entry for entry in entries if topic in _by_name().get(entry.control, ()))
    return tuple(sorted(found, key=lambda entry: entry.until, reverse=True))


def begun(entries: Iterable[AttestationEntry], now: datetime) -> tuple[AttestationEntry, ...]:
    """Those that are dated by now, wherever; a later day is no attestation yet."""
    latest = (now + _CLOCKS).date().isoformat()
    return tuple(entry for entry in entries if entry.on <= latest)


def idle(environment: Environment | None, asked: Iterable[Check]) -> tuple[str, ...]:
    """Controls of entries that answer none of the checks that were asked."""
    entries = environment.attestations if environment is not None else ()
    answered = {topic.name for check in asked for topic in check.met if topic.attested}
    return tuple(
        dict.fromkeys(
            entry.control
            for entry in entries
            if not answered & {topic.name for topic in _by_name().get(entry.control, ())}
        )
    )


@cache
def _by_name() -> dict[str, tuple[Topic, ...]]:
    """Name of a topic, or of a requirement of any framework → its topics."""
    found: dict[str, list[Topic]] = {}
    for topic in topics():
        found.setdefault(topic.name, []).append(topic)
        for framework, ids in topic.requirements.items():
            for one in ids:
                found.setdefault(f"{framework}:{one}", []).append(topic)
    return {name: tuple(own) for name, own in found.items()}
