"""Questions with a name: who can turn off the lights, read the logs, become an administrator.

In: a World. Out: what to ask of everybody, or the open paths to administration. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from toolkit.access.asking import answer_of, verdict_of
from toolkit.access.catalogue import catalogue
from toolkit.access.judging import Answer, Judge, Question, Verdict
from toolkit.access.model import OWN, Holding, Kind, Principal, World
from toolkit.access.reference import actions_of, known_service
from toolkit.globs import glob
from toolkit.iam import PolicyDocument
from toolkit.iam.escalation import Escalations, Way, escalations
from toolkit.iam.evaluate import Layer
from toolkit.iam.held_policies import ManagedPolicy
from toolkit.iam.holders import Identity
from toolkit.privileges import BLINDING


@dataclass(frozen=True)
class Named:
    """A question about everybody.

    Attributes:
        name: As the command takes it.
        title: The question.
    """

    name: str
    title: str


BLIND = Named("turn-off-the-lights", "Who can stop or hide what records and watches?")
READ = Named("read-the-logs", "Who can read the logs?")
ESCALATE = Named("escalate", "Who can become an administrator by a publicly known path?")
ONE_STEP = Named("administrator-in-one-step", "Who can become an administrator with one action?")
NAMED: Mapping[str, Named] = {one.name: one for one in (BLIND, READ, ESCALATE, ONE_STEP)}


@dataclass(frozen=True)
class Found:
    """What came of it.

    Attributes:
        answers: Of everybody to each action that the question is about, but those that are denied.
        denied: Labels of those to whom all of it is denied.
        searched: Whether it is about paths to administration.
        administrators: Labels of those who are that already.
        ways: Label of each other to whom a path is open → the paths.
        doubts: Why a path could be open that was not found.
    """

    answers: tuple[Answer, ...] = ()
    denied: tuple[str, ...] = ()
    searched: bool = False
    administrators: tuple[str, ...] = ()
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def answered(judge: Judge, named: Named) -> Found:
    """The answer to a question with a name."""
    world = judge.world
    if named in (BLIND, READ):
        asked = tuple(blinding(world) if named is BLIND else reading(world))
        answers = []
        denied = []
        for one in world.principals:
            if one.linked:
                continue
            able = [question for question in asked if verdict_of(judge, one, question) is not Verdict.DENIED]
            answers += [answer_of(judge, one, question) for question in able]
            denied += [] if able else [one.label]
        return Found(tuple(answers), tuple(denied))
    found = ways(world)
    members = {_member(one, world).arn: one.label for one in world.principals if one.kind is Kind.GROUP}
    labels = {_arn(one, world): one.label for one in world.principals} | members
    open_ways = {
        labels[arn]: in_one_step(taken) if named is ONE_STEP else taken
        for arn, taken in found.ways.items()
        if arn in labels and (named is not ONE_STEP or in_one_step(taken))
    }
    doubts = tuple(f"what {one.name} of {principal.label} says" for principal, one in doubtful(world))
    administrators = tuple(sorted(labels[arn] for arn in found.administrators if arn in labels))
    told = {
        label: tuple(replace(way, to=f"a user in {members[way.to]}") if way.to in members else way for way in taken)
        for label, taken in open_ways.items()
    }
    return Found((), (), True, administrators, told, doubts)


_READ = (
    *(("s3:GetObject", "log object"), ("s3:GetObjectVersion", "log object"), ("kms:Decrypt", "log key")),
    *(("logs:FilterLogEvents", "log group"), ("logs:GetLogEvents", "log group"), ("logs:StartQuery", "log group")),
    ("cloudtrail:LookupEvents", None),
)
"""Actions that read what was recorded, and on what."""
_STORED = ("log bucket", "log object", "log key", "log group")
"""Where what was recorded is: to delete it, or what protects it, hides as much as to stop the record."""


def blinding(world: World) -> Iterator[Question]:
    """Every action of the lists of modules/shared/privileges.json, and those of the catalogue that destroy what was
    recorded, each on what the world has of it."""
    for name in _blinding():
        yield from _on(name, "trail" if name.startswith("cloudtrail:") else None, world)
    reads = {name for name, _ in _READ}
    for one in catalogue():
        if one.on in _STORED and one.action not in reads:
            yield from (Question(one.action, arn) for arn in world.places.get(one.on, ()))


def reading(world: World) -> Iterator[Question]:
    """Every action that reads the logs."""
    for name, place in _READ:
        yield from _on(name, place, world)


def _on(name: str, place: str | None, world: World) -> Iterator[Question]:
    found = world.places.get(place, ()) if place is not None else ()
    yield from (Question(name, arn) for arn in found)
    if not found:
        yield Question(name)


def _blinding() -> Iterator[str]:
    patterns = dict.fromkeys(pattern for kind in BLINDING.values() for pattern in kind)
    for pattern in patterns:
        service, _, name = pattern.partition(":")
        for action in actions_of(known_service(service)):
            if glob(name.lower()).matches(action.name.partition(":")[2].lower()):
                yield action.name


def ways(world: World) -> Escalations:
    """The publicly known paths to administration that are open, as `toolkit.iam.escalation` finds them.

    A policy whose text is not known allows nothing there: who has one is named by `doubtful`. A group without users
    would be nobody's there: each is given one, who has nothing else, and can have an access key or password like any.
    """
    identities = [_identity(one, world) for one in world.principals if one.kind in OWN]
    identities += [_member(one, world) for one in world.principals if one.kind is Kind.GROUP]
    managed: dict[str, PolicyDocument] = {}
    for principal in world.principals:
        managed.update((one.arn, one.document) for one in principal.held if one.arn is not None and not one.unknown)
    policies = (ManagedPolicy(arn, lambda document=document: document) for arn, document in managed.items())  # type: ignore[misc]
    return escalations(identities, policies)


def doubtful(world: World) -> tuple[tuple[Principal, Holding], ...]:
    """Principals of whom a policy's text is not known, so that a path may be open that is not found."""
    return tuple(
        (principal, holding)
        for principal in world.principals
        if principal.kind in OWN
        for holding in principal.held
        if holding.unknown
    )


def in_one_step(found: Iterable[Way]) -> tuple[Way, ...]:
    """The paths that take one action."""
    return tuple(way for way in found if not way.first and len(way.path.required) == 1)


def _arn(principal: Principal, world: World) -> str:
    """Its ARN; a group's is not who its members' requests say that they are."""
    if principal.kind is Kind.GROUP:
        return f"arn:{world.partition}:iam::{world.account_id}:group/{principal.name}"
    return principal.arn


def _member(group: Principal, world: World) -> Identity:
    """A user who is in a group and has nothing else."""
    one, arn = _identity(group, world), _arn(group, world)
    return replace(one, arn=arn.replace(":group/", ":user/member-of-group/"), groups=frozenset({arn}))


def _identity(principal: Principal, world: World) -> Identity:
    boundary = next((one for one in principal.held if one.layer is Layer.BOUNDARY), None)
    own = tuple(one for one in principal.held if one.layer is Layer.IDENTITY and not one.unknown)
    groups = frozenset(f"arn:{world.partition}:iam::{world.account_id}:group/{name}" for name in principal.groups)
    return Identity(
        _arn(principal, world),
        tuple(one.document for one in own),
        boundary=None if boundary is None else boundary.document,
        boundary_arn=None if boundary is None else boundary.arn,
        managed=frozenset(one.arn for one in own if one.arn is not None and ":iam::aws:" not in one.arn),
        groups=groups,
        trust=None if principal.trust is None else principal.trust.document,
        # Whether one is in an instance profile is not read: an attacker would like it.
        instance_profile=principal.kind is Kind.ROLE,
    )
