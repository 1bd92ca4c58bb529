"""Checks that need no file: what modules' controls.yaml claim of a plan, asked of what the account has.

In: the claims. Out: a check per topic. A claim holds for a plan and for an account by the same `Claim.unmet_in`. If a
topic is about more than one resource of a type (any key of the account, the bucket of whichever trail), a file of
`toolkit.audit.checks` asks it instead. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from toolkit.addresses import Address
from toolkit.audit.facts import Every
from toolkit.audit.model import SEVERITIES, Answers, Check, Outcome, Remedy, Scope
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Claim, Topic, claims, topics
from toolkit.findings import Status
from toolkit.resources.price import Price, Step
from toolkit.resources.reading import Live, UnreadableError
from toolkit.resources.registry import RESOURCES, is_unsupported


@cache
def claim_checks() -> tuple[Check, ...]:
    """A check for each topic that components claim, as far as the account's resources of the type are listed."""
    by_topic: dict[str, dict[str, list[Claim]]] = {}
    for component in REGISTRY:
        for claim in claims(component):
            by_topic.setdefault(claim.topic, {}).setdefault(component, []).append(claim)
    known = {topic.name: topic for topic in topics()}
    made = (_check(known[name], by_component) for name, by_component in by_topic.items())
    return tuple(check for check in made if check is not None)


def type_of(claim: Claim) -> str:
    """The Terraform type that a claim is about."""
    return Address.parse(claim.resource).type


def _check(topic: Topic, by_component: dict[str, list[Claim]]) -> Check | None:
    wanted = {type_of(claim) for own in by_component.values() for claim in own}
    readings = [RESOURCES[kind].reading for kind in wanted]
    if any(one is None or one.lists is None for one in readings):
        return None
    if any(RESOURCES[type_of(claim)].key and claim.live is None for own in by_component.values() for claim in own):
        return None  # any other resource of the type would meet it
    regional = any(one is not None and not one.is_global for one in readings)

    def needs(scope: Scope) -> Iterator[Every]:
        yield from (
            Every(kind, scope.region) for kind in sorted(wanted) if not (scope.simulated and is_unsupported(kind))
        )

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        if scope.simulated and (lacking := sorted(filter(is_unsupported, wanted))):
            yield Outcome(Status.NOT_APPLICABLE, f"the embedded AWS does not have {', '.join(lacking)}")
            return
        # One component that meets the topic is enough: which of them made the resources, AWS does not know. What may
        # be so, and was not read, is no failure.
        said: list[tuple[Outcome, ...]] = []
        unread: UnreadableError | None = None
        for own in by_component.values():
            try:
                said.append(tuple(_met(own, scope, answers)))
            except UnreadableError as e:
                unread = unread or e
                continue
            if all(one.status is Status.PASS for one in said[-1]):
                yield from said[-1]
                return
        if unread is not None:
            raise unread
        yield from _nearest(said)

    component, own = next(iter(by_component.items()))
    setting = next((claim.setting for claim in own if claim.setting), None)
    where = f"components.{component}" + (f".{setting}" if setting else "")
    return Check(
        topic.name,
        topic.title,
        SEVERITIES[topic.severity],
        topic.service,
        needs,
        judge,
        Remedy(f"set `{where}` in environment.yaml{_cost(own)}", component, setting),
        why=topic.why or "",
        regional=regional,
    )


def _expected(claim: Claim) -> str:
    return f"{type_of(claim)} {claim.attribute} {claim.expectation}" if claim.attribute else f"{type_of(claim)} exists"


def _cost(own: list[Claim]) -> str:
    """What the claimed resources bill once they are there, as far as the records of their types say."""
    costs = []
    for kind in dict.fromkeys(type_of(claim) for claim in own):
        price = RESOURCES[kind].price
        values = {c.attribute: next(iter(c.expect.values())) for c in own if type_of(c) == kind and c.attribute}
        step = Step(created=True, changed=False, before={}, after=values, keys=RESOURCES[kind].keys)
        if isinstance(price, Price) and price.starts(step):
            costs.append(f"{price.what}: {price.basis}")
    return f". Cost in US dollars: {'; '.join(costs)}" if costs else ""


def _met(own: list[Claim], scope: Scope, answers: Answers) -> Iterator[Outcome]:
    """Whether each claimed resource is there and as expected: one that meets every claim about it is enough."""
    by_resource: dict[str, list[Claim]] = {}
    for claim in own:
        by_resource.setdefault(claim.resource, []).append(claim)
    for number, about in enumerate(by_resource.values()):
        # Of several resources, the first has the check's own id.
        part = about[0].resource if number else ""
        kind = type_of(about[0])
        every = answers[Every(kind, scope.region)]
        there = [one for one in every if about[0].is_about(one.values)]
        if not there:
            selectors = about[0].live or {}
            which = "".join(f" with {name} {value!r}" for name, value in selectors.items())
            if any(name not in one.values for one in every for name in selectors):
                yield Outcome(Status.UNKNOWN, f"whether there is a {kind}{which} is not read", part=part)
            else:
                yield Outcome(Status.FAIL, f"there is no {kind}{which}", part=part)
            continue
        said = [tuple(_judged(one, about)) for one in there]
        best = _nearest(said)
        if len(there) > 1 and any(one.status is Status.FAIL for one in best):
            expected = ", ".join(_expected(claim) for claim in about)
            failed = f"none of {len(there):,} is as expected: {expected}"
            yield Outcome(Status.FAIL, failed, facts=(expected,), part=part)
        else:
            yield from best


def _nearest(said: Sequence[tuple[Outcome, ...]]) -> tuple[Outcome, ...]:
    """Of several ways to meet a topic the one that does; else one that may, for all that was read; else the first."""
    for good in ({Status.PASS}, {Status.PASS, Status.UNKNOWN}):
        for one in said:
            if {outcome.status for outcome in one} <= good:
                return one
    return said[0]


def _judged(live: Live, about: list[Claim]) -> Iterator[Outcome]:
    for claim in about:
        if claim.attribute is None:
            yield Outcome(Status.PASS, f"{live.called} exists", live)
            continue
        if claim.attribute.split(".")[0] not in live.values:
            yield Outcome(Status.UNKNOWN, f"{claim.attribute} of {live.called} is not read", live)
            continue
        unmet = claim.unmet_in(live.values)
        if unmet is not None:
            yield Outcome(Status.FAIL, f"{live.called}: {unmet}", live)
        else:
            yield Outcome(Status.PASS, f"{live.called}: {claim.attribute} is as expected ({claim.expectation})", live)
