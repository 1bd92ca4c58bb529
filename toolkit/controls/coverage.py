"""How far a plan meets a framework's requirements, computed from what the account will have once it is applied.

In: the resources after the apply, the environment's components and its waivers. Out: one verdict per requirement. Pure.
A requirement that this file calls provisioned is proven by values in the plan; whatever is not proven is not claimed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

from toolkit import findings
from toolkit.addresses import Address, regional_label
from toolkit.controls.catalogue import Claim, Framework, Topic, claims, frameworks, requirements, topics
from toolkit.findings import Finding, Waiver, matches
from toolkit.findings.rules import UNCOVERED
from toolkit.plan.model import Resource


class Status(Enum):
    """What becomes of a requirement, the best first."""

    PROVISIONED = "provisioned"
    """Every topic of it is met by resources of the plan."""
    ATTESTED = "attested"
    """A person confirms, until a day to come, what neither Terraform nor an API of AWS can tell."""
    AUDIT_ONLY = "audit only"
    """Nothing that Terraform makes can meet (all of) it: an audit looks at the account, or a person attests it."""
    WAIVED = "waived"
    UNCOVERED = "uncovered"
    """A component could meet it and does not here, or none can yet; or an attestation is over."""


@dataclass(frozen=True)
class Verdict:
    """One requirement of one framework; `finding` is the same in the shape of all findings."""

    framework: str
    """ "cis-7.0"."""
    requirement: str
    """ "2.9"."""
    status: Status
    why: str
    """What meets it, what is missing, or the waiver."""
    titles: tuple[str, ...]
    """What is true where it is met, a sentence for each topic."""
    topics: tuple[str, ...]
    related: Mapping[str, tuple[str, ...]]
    """Other framework → ids of its requirements on the same topics."""

    def finding(self, account_id: str, region: str) -> Finding:
        """The verdict on an account as a finding. What can only be audited is unknown here, which is no pass."""
        related = (f"{framework}:{requirement}" for framework, ids in self.related.items() for requirement in ids)
        return Finding(
            rule=UNCOVERED,
            severity=UNCOVERED.severity,
            resource=findings.Resource(None, region, account_id=account_id),
            attribute=None,
            summary=f"{self.framework} {self.requirement} is {self.status.value}.",
            evidence=self.why,
            remedy=_REMEDIES[self.status],
            consent=None,
            component=None,
            consented_by=f"waiver {self.why}" if self.status is Status.WAIVED else None,
            status=_STATUSES[self.status],
            controls=(f"{self.framework}:{self.requirement}", *related),
        )


_STATUSES = {
    Status.PROVISIONED: findings.Status.PASS,
    Status.ATTESTED: findings.Status.ATTESTED,
    Status.AUDIT_ONLY: findings.Status.UNKNOWN,
    Status.WAIVED: findings.Status.FAIL,
    Status.UNCOVERED: findings.Status.FAIL,
}
_REMEDIES = {
    Status.PROVISIONED: "",
    Status.ATTESTED: "",
    Status.AUDIT_ONLY: "check the account with `toolkit audit`: no resource of Terraform can meet it",
    Status.WAIVED: "",
    Status.UNCOVERED: "enable the component or set the value in environment.yaml, or waive it (`rule: uncovered`)",
}


@dataclass(frozen=True)
class Coverage:
    """Verdicts on whole frameworks."""

    verdicts: tuple[Verdict, ...]

    def count(self, framework: str, status: Status) -> int:
        """Requirements of a framework with this status."""
        return sum(v.framework == framework and v.status is status for v in self.verdicts)


def coverage(
    wanted: Sequence[Framework],
    resources: Iterable[Resource],
    components: Sequence[str],
    waivers: Sequence[Waiver],
    today: date,
    *,
    checked: Collection[str] = (),
    attested: Mapping[str, Attested] = MappingProxyType({}),
) -> Coverage:
    """Verdicts on every requirement of frameworks in the catalogue.

    Args:
        wanted: Which ones.
        resources: What the account has once the plan is applied.
        components: Names of all components that there are.
        waivers: The environment's. One of another framework's requirement counts for the topics that both have.
        today: Decides which waivers and attestations still hold.
        checked: Topics that the audit has a check of.
        attested: Topic → what the environment attests of it.
    """
    by_component: dict[str, list[Resource]] = {}
    for resource in resources:
        by_component.setdefault(resource.component or "", []).append(resource)
    holding = [one for one in waivers if one.rule is UNCOVERED and today <= one.expires]
    proofs = {
        topic.name: _prove(topic, components, by_component)
        or _looked_at(topic, checked, attested.get(topic.name), today)
        for topic in topics()
    }
    verdicts = []
    for framework in wanted:
        for requirement, on in requirements(framework):
            status, why = _verdict([proofs[topic.name] for topic in on])
            opened = [topic for topic in on if proofs[topic.name].status in (Status.UNCOVERED, Status.AUDIT_ONLY)]
            found = [_waiver(holding, f"{framework.name}:{requirement}", topic) for topic in opened]
            if found and None not in found:
                status, why = Status.WAIVED, "; ".join(dict.fromkeys(str(one) for one in found))
            related = {
                other: tuple(dict.fromkeys(i for topic in on for i in topic.requirements.get(other, ())))
                for other in dict.fromkeys(name for topic in on for name in topic.requirements)
                if other != framework.name
            }
            titles, names = tuple(topic.title for topic in on), tuple(topic.name for topic in on)
            verdicts.append(Verdict(framework.name, requirement, status, why, titles, names, related))
    return Coverage(tuple(verdicts))


def _waiver(waivers: Iterable[Waiver], subject: str, topic: Topic) -> str | None:
    """What a waiver of the requirement says, or of any framework's on the topic; the requirement's own comes first."""
    others = (f"{framework}:{one}" for framework, ids in topic.requirements.items() for one in ids)
    for requirement in dict.fromkeys((subject, *others)):
        for waiver in waivers:
            if matches(waiver.subject, requirement):
                by = "" if requirement == subject else f" (as {requirement})"
                return f"until {waiver.expires}: {waiver.reason}{by}"
    return None


@dataclass(frozen=True)
class Attested:
    """What a person confirms of a topic."""

    by: str
    until: date
    """The last day on which it holds."""


@dataclass(frozen=True)
class _Proof:
    status: Status
    why: str


def _prove(topic: Topic, components: Sequence[str], planned: Mapping[str, list[Resource]]) -> _Proof | None:
    """Whether the plan meets a topic: each component that is on and has a say in it must. None: none has."""
    able = {name: own for name in components if (own := [c for c in claims(name) if c.topic == topic.name])}
    if not able:
        return _Proof(Status.UNCOVERED, f"no component can prove {topic.name}") if topic.provisionable else None
    on = {name: own for name, own in able.items() if name in planned}
    if not on:
        return _Proof(Status.UNCOVERED, f"the component {' or '.join(able)} is off")
    problems = [problem for name, own in on.items() for claim in own for problem in _unmet(claim, name, planned[name])]
    if problems:
        return _Proof(Status.UNCOVERED, "; ".join(dict.fromkeys(problems)))
    return _Proof(Status.PROVISIONED, ", ".join(on))


def _looked_at(topic: Topic, checked: Collection[str], attested: Attested | None, today: date) -> _Proof:
    """Who can tell whether a topic is met that no component meets: a person, an audit, or nobody's check yet."""
    if topic.attested and attested is not None:
        if attested.until < today:
            return _Proof(Status.UNCOVERED, f"the attestation by {attested.by} ended on {attested.until}")
        return _Proof(Status.ATTESTED, f"by {attested.by} until {attested.until}")
    if topic.attested:
        return _Proof(Status.AUDIT_ONLY, f"attest it in environment.yaml: {topic.name}")
    if topic.name in checked:
        return _Proof(Status.AUDIT_ONLY, f"`toolkit audit` checks it: {topic.name}")
    return _Proof(Status.AUDIT_ONLY, f"look at the account: {topic.name}")


def _unmet(claim: Claim, component: str, resources: Sequence[Resource]) -> Iterator[str]:
    """Why a claim does not hold: in each call of the module that has such a resource anywhere, one must be as expected.

    A module that is called once per region proves the region it is called in, and no other.
    """
    calls: dict[str, dict[str, list[Resource]]] = {}
    for resource in resources:
        label = Address.parse(resource.address).label or ""
        stem = label.removesuffix(regional_label("", resource.region))
        calls.setdefault(stem, {}).setdefault(label, []).append(resource)
    serving = {
        label: [r for r in own if _is(claim.resource, r)]
        for labels in calls.values()
        if any(_is(claim.resource, r) for own in labels.values() for r in own)
        for label, own in labels.items()
    }
    if not serving:
        setting = f" ({component}.{claim.setting})" if claim.setting else ""
        yield f"no {claim.resource.rsplit('.', 2)[-2]} of {component}{setting}"
    for label, own in serving.items():
        if not own:
            yield f"no {claim.resource} in module.{label}"
        for resource in own:
            if (unmet := claim.unmet_in(resource.values)) is not None:
                yield f"{resource.address} {unmet}"


def _is(claimed: str, resource: Resource) -> bool:
    """Whether a claim's address names the resource: all instances, or one by its key."""
    inside = Address.parse(resource.address).inside
    return claimed in (str(inside), str(inside.without_keys))


def _verdict(proofs: Sequence[_Proof]) -> tuple[Status, str]:
    """The verdict on a requirement from those on its topics: the worst of them."""
    worst = max((p.status for p in proofs), key=list(Status).index)
    met = sum(p.status is Status.PROVISIONED for p in proofs)
    part = f"{met} of {len(proofs)} topics provisioned; " if met and worst is not Status.PROVISIONED else ""
    return worst, part + _joined(p.why for p in proofs if p.status is worst)


def _joined(reasons: Iterable[str]) -> str:
    """Reasons that begin alike are one: "`toolkit audit` checks it: a, b"."""
    by_start: dict[str, list[str]] = {}
    for reason in dict.fromkeys(reasons):
        start, colon, rest = reason.partition(": ")
        by_start.setdefault(start + colon, []).append(rest)
    return "; ".join(start + ", ".join(rest) for start, rest in by_start.items())


def idle(waivers: Iterable[Waiver]) -> tuple[str, ...]:
    """Subjects of waivers that name no requirement of any framework: probably mistyped."""
    known = [
        f"{framework.name}:{requirement}" for framework in frameworks() for requirement, _ in requirements(framework)
    ]
    return tuple(w.subject for w in waivers if not any(matches(w.subject, subject) for subject in known))
