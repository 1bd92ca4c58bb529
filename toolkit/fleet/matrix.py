"""Which job of a pipeline handles which environments. Pure.

GitHub makes at most 256 jobs of a matrix (docs.github.com, "Actions limits": Job Matrix), GitLab 200
(docs.gitlab.com/ci/yaml, "parallel:matrix"), and a batch of CodeBuild has at most 100 builds (docs.aws.amazon.com,
"Quotas for AWS CodeBuild"). Up to there, each environment has a job of its own, with credentials of its own;
beyond, a job has several. The same environments give the same jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.environment.source import Problem
from toolkit.errors import UsageError
from toolkit.fleet.pipeline import PipelineFileError, Written
from toolkit.fleet.settings import FILE_NAME as FLEET_FILE
from toolkit.fleet.settings import FleetSettings
from toolkit.fleet.waves import REST, in_waves
from toolkit.globs import glob
from toolkit.spelling import nearest

GITHUB, GITLAB, CODEBUILD = 256, 200, 100


@dataclass(frozen=True)
class Described:
    """What a job needs to know of an environment."""

    name: str
    account_id: str
    region: str
    """Its home region."""
    regions: int
    """How many it governs: a plan of more regions takes longer."""
    labels: Mapping[str, str]
    account_state: str | None
    """Of an account that is suspended or closed; every command that runs Terraform refuses it."""
    simulator: str | None
    line: int = 1
    """Of its labels in environment.yaml, or of the file."""


@dataclass(frozen=True)
class Job:
    """One job."""

    members: tuple[Described, ...]
    name: str
    """Of its artifacts: the environment's, or `shard.1`, which no environment can be called."""

    def entry(self) -> dict[str, str]:
        """What a matrix has of it: words of the environment names' alphabet, which need no quotes anywhere."""
        (first, *others) = self.members
        return {
            "name": self.name,
            "environments": " ".join(member.name for member in self.members),
            # A job of several accounts has credentials that lead to each of them, of an account that is not known here.
            "account_id": "" if others else first.account_id,
            "region": first.region,
            "environment": "plan" if others else f"plan-{first.name}",
        }


def chosen(written: Written, everything: Sequence[Described]) -> tuple[Described, ...]:
    """The environments of the pipeline: those of real accounts that are in use, which pipeline.yaml selects.

    Raises:
        PipelineFileError: It names an environment, a label or a value that the project does not have, or an environment
            lacks a label by which it selects.
    """
    settings = written.settings
    real = [one for one in everything if one.simulator is None and one.account_state is None]
    problems: list[tuple[str, Problem]] = []
    names = [one.name for one in real]
    for at, pattern in enumerate(settings.environments):
        if real and not any(glob(pattern).matches(name) for name in names):
            what = f"no environment {pattern!r}"
            others = [one for one in everything if glob(pattern).matches(one.name)]
            if others and others[0].account_state is not None:
                what = f"the account of {pattern!r} is {others[0].account_state}"
            elif others:
                what = f"{pattern!r} is of the embedded AWS, which exists on one machine only"
            problems.append(
                written.problem(("environments", at), what, f"one of {', '.join(names)}", nearest(pattern, names))
            )
    found = [one for one in real if any(glob(pattern).matches(one.name) for pattern in settings.environments)]
    for key, values in settings.where.items():
        known = sorted({one.labels[key] for one in found if key in one.labels})
        if found and not known:
            keys = sorted({label for one in found for label in one.labels})
            what = f"no environment has a label {key!r}"
            expected = f"one of {', '.join(keys)}" if keys else ""
            problems.append(written.problem(("where", key), what, expected, nearest(key, keys)))
            continue
        for at, value in enumerate(values):
            if found and value not in known:
                what = f"no environment has the label {key}={value}"
                place = ("where", key, at)
                problems.append(written.problem(place, what, f"one of {', '.join(known)}", nearest(value, known)))
        problems += [_lacks(one, key, known, "pipeline.yaml selects") for one in found if key not in one.labels]
    if problems:
        raise PipelineFileError(problems)
    return tuple(one for one in found if selects(written, one))


def selects(written: Written, one: Described) -> bool:
    """Whether an environment is the pipeline's, as `chosen` says of all."""
    settings = written.settings
    return (
        one.simulator is None
        and one.account_state is None
        and any(glob(pattern).matches(one.name) for pattern in settings.environments)
        and all(one.labels.get(key) in values for key, values in settings.where.items())
    )


def _lacks(one: Described, key: str, known: Sequence[str], why: str) -> tuple[str, Problem]:
    place = f"environments/{one.name}/environment.yaml"
    expected = f"one of {', '.join(known)}" if known else f"a label {key!r}"
    return place, Problem(one.line, f"labels.{key}", f"missing: {why} by it", expected)


def waves(fleet: FleetSettings, environments: Sequence[Described], every: Sequence[Described]) -> tuple[str, ...]:
    """Names of the waves in which a pipeline applies, in their order; one without a name where fleet.yaml has none.

    Raises:
        PipelineFileError: An environment lacks every label by which fleet.yaml orders: it would be applied last, with
            those that are in no wave, although nobody has decided that.
        FleetFileError: A wave names what the project does not have.
    """
    if not fleet.waves:
        return ("",)
    in_waves(fleet, {one.name: one.labels for one in every}, [one.name for one in environments])
    keys = sorted({key for rule in fleet.waves for key in rule.where})
    patterns = [pattern for rule in fleet.waves for pattern in rule.environments]
    known = sorted({one.labels[key] for key in keys[:1] for one in every if key in one.labels})
    problems = [
        _lacks(one, keys[0], known, f"{FLEET_FILE} orders")
        for one in environments
        if keys and not set(keys) & set(one.labels) and not any(glob(pattern).matches(one.name) for pattern in patterns)
    ]
    if problems:
        raise PipelineFileError(problems)
    return (*(rule.name for rule in fleet.waves), REST)


def wave_of(
    number: int, fleet: FleetSettings, environments: Sequence[Described], every: Sequence[Described]
) -> frozenset[str]:
    """The environments of a wave, by its number from 1 in `waves`."""
    found = waves(fleet, environments, every)
    if not 1 <= number <= len(found):
        raise UsageError(
            f"--wave {number}: there are {len(found)} waves", hint="toolkit apply --all --dry-run shows them"
        )
    names = [one.name for one in environments]
    if not fleet.waves:
        return frozenset(names)
    parts = in_waves(fleet, {one.name: one.labels for one in every}, names)
    rules = [rule.name for rule in fleet.waves]
    # What is in no wave has a name of its own there, whatever fleet.yaml calls its waves.
    return frozenset(
        name
        for part in parts
        for name in part.environments
        if (rules.index(part.name) if part.name in rules else len(rules)) == number - 1
    )


def jobs(environments: Iterable[Described], shards: int | None = None, *, most: int = GITHUB) -> tuple[Job, ...]:
    """The jobs for some environments: of so many shards, the sizes differ by one at most.

    Args:
        environments: Any order.
        shards: How many jobs; None: as many as there are environments, and `most` at most.
        most: Jobs that a matrix takes.

    Raises:
        UsageError: More shards than a matrix takes.
    """
    members = sorted(environments, key=lambda one: one.name)
    if shards is not None and not 1 <= shards <= most:
        raise UsageError(f"--shards {shards}: a matrix has at most {most} jobs", hint=f"a number from 1 to {most}")
    number = min(shards or most, len(members))
    if number == len(members):
        return tuple(Job((one,), one.name) for one in members)
    # Dealt out like cards, those with most regions first: sizes differ by one, and long plans are spread.
    dealt = sorted(members, key=lambda one: (-one.regions, one.name))
    hands = [sorted(dealt[at::number], key=lambda one: one.name) for at in range(number)]
    return tuple(Job(tuple(hand), f"shard.{at}") for at, hand in enumerate(hands, 1))


def plan_matrix(made: Iterable[Job]) -> dict[str, Any]:
    """The matrix of the plan jobs."""
    return {"include": [job.entry() for job in made]}


def apply_matrix(made: Iterable[Job], ready: frozenset[str]) -> dict[str, Any]:
    """The matrix of the apply jobs: each environment whose plan is ready, with the artifact that has the plan."""
    return {
        "include": [
            {
                "name": member.name,
                "account_id": member.account_id,
                "region": member.region,
                "environment": f"aws-{member.name}",
                "artifact": f"plan-{job.name}",
            }
            for job in made
            for member in job.members
            if member.name in ready
        ]
    }
