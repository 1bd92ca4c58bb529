"""The waves of a run: which environments are applied together, and after which others. Pure.

An environment belongs to the first wave that fits it; those that fit none come last. A wave that could never have a
member is an error, since a misspelt label would otherwise send a canary's environments to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.environment.source import Problem
from toolkit.fleet.settings import FleetFileError, FleetSettings, WaveRule
from toolkit.globs import glob
from toolkit.spelling import nearest
from toolkit.typed import dotted

REST = "rest"
"""The wave of environments that fit none."""


@dataclass(frozen=True)
class Wave:
    """Environments that are applied side by side."""

    name: str
    environments: tuple[str, ...]
    concurrency: int | None = None
    failures_tolerated: int = 0


def in_waves(
    settings: FleetSettings, labels: Mapping[str, Mapping[str, str]], selected: Iterable[str]
) -> tuple[Wave, ...]:
    """The selected environments in their waves, in order; waves without any are left out.

    Args:
        settings: fleet.yaml.
        labels: Every environment of the project, selected or not → its labels.
        selected: Those that the run is about.

    Raises:
        FleetFileError: A wave names a label, a value or an environment that the project does not have.
    """
    problems = [p for index, rule in enumerate(settings.waves) for p in _unknown(index, rule, labels)]
    if problems:
        raise FleetFileError(problems)
    left = list(dict.fromkeys(selected))
    found = []
    for rule in settings.waves:
        members = tuple(name for name in left if _fits(rule, name, labels.get(name, {})))
        left = [name for name in left if name not in members]
        if members:
            found.append(Wave(rule.name, members, rule.concurrency, rule.failures_tolerated))
    if left:
        taken = {rule.name for rule in settings.waves}
        found.append(Wave(REST if REST not in taken else f"{REST} (in no wave)", tuple(left)))
    return tuple(found)


def _fits(rule: WaveRule, name: str, labels: Mapping[str, str]) -> bool:
    if any(glob(pattern).matches(name) for pattern in rule.environments):
        return True
    return bool(rule.where) and all(labels.get(key) in values for key, values in rule.where.items())


def _unknown(index: int, rule: WaveRule, labels: Mapping[str, Mapping[str, str]]) -> Iterable[Problem]:
    names = tuple(labels)
    keys = sorted({key for one in labels.values() for key in one})
    for at, pattern in enumerate(rule.environments):
        if not any(glob(pattern).matches(name) for name in names):
            yield _problem(index, rule, ("environments", at), f"no environment {pattern!r}", pattern, names)
    for key, values in rule.where.items():
        if key not in keys:
            yield _problem(index, rule, ("where", key), f"no environment has a label {key!r}", key, keys)
            continue
        known = sorted({one[key] for one in labels.values() if key in one})
        for at, value in enumerate(values):
            if value not in known:
                what = f"no environment has the label {key}={value}"
                yield _problem(index, rule, ("where", key, at), what, value, known)


def _problem(
    index: int, rule: WaveRule, path: tuple[str | int, ...], what: str, name: str, known: Sequence[str]
) -> Problem:
    place = dotted(("waves", index, *path))
    return Problem(rule.line(*path), place, what, f"one of {', '.join(known)}" if known else "", nearest(name, known))
