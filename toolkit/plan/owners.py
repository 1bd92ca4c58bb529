"""What an owner is granted and denied before and after a plan, whatever policies carry it.

In: the plan, what there is once it is applied, and what managed policies say. Out: findings, and weakenings of single
policies that the owner as a whole does not have. Pure.

An owner is a group, role, user, permission set, or what an organization's policies are attached to: it has several
policies, and Terraform knows each by a key of its own. A policy that is renamed, split, merged, or replaced by a
managed one is for Terraform one that is deleted and one that is created, and neither is a change of anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from toolkit.addresses import Address
from toolkit.components.base import Role
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.iam.comparison import compare_policies, policy_sentences
from toolkit.plan.managed_policies import ALLOW_EVERYTHING, POLICY, ManagedPolicies, is_of_aws
from toolkit.plan.model import Action, Change, Plan, Resource
from toolkit.plan.roles import plays
from toolkit.resources.base import Gives
from toolkit.resources.registry import RESOURCES

CARRIERS = frozenset(record.name for record in RESOURCES.values() if record.gives)
"""Types that give policies to owners, which are judged as a whole here."""
_SET, _TARGET = "permission set", "target"
_OWNERS = {record.owner.kind: (record.name, record.owner.named_by) for record in RESOURCES.values() if record.owner}
"""Owner → its own type, and the attribute that other resources name it by."""


def _gives(kind: str) -> Gives | None:
    return RESOURCES[kind].gives if kind in RESOURCES else None


_ORGANIZATION_POLICY = "aws_organizations_policy"
_COMPARED_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
"""Organization policies in the language of IAM (Organizations User Guide, "Authorization policies")."""
_FULL_ACCESS = {"p-FullAWSAccess": "SERVICE_CONTROL_POLICY", "p-RCPFullAWSAccess": "RESOURCE_CONTROL_POLICY"}
"""Ids of the policies of AWS that allow everything, with which every target starts → their type."""

_Owner = tuple[str, str]
"""(what it is, its name)."""


@dataclass(frozen=True)
class _Held:
    """One policy that an owner has."""

    name: str
    """For people."""
    texts: tuple[str, ...] | None
    """What it may say, one text where it is known; None: not known at all."""
    reference: str | None = None
    """What names a managed policy."""
    change: Change | None = None
    """What makes, changes or takes it; None: the plan leaves it alone."""
    attribute: str = ""
    own_devices: bool = False
    """Whether MFA enforcement made it: what it allows is written in the module, and is about one's own devices."""

    @cached_property
    def allows(self) -> list[dict[str, Any]] | None:
        """Statements that may grant; None where they are not known."""
        found = [_statements(text, "Allow") for text in self.texts] if self.texts is not None else [None]
        return None if None in found else [s for one in found for s in one or ()]

    @cached_property
    def denies(self) -> list[dict[str, Any]] | None:
        """Statements that certainly deny; None where they are not known."""
        if self.texts is None and self.reference is not None and is_of_aws(self.reference):
            # Of AWS's own only AWSDenyAll denies, and what that says is known.
            return []
        return _statements(self.texts[0], "Deny") if self.texts is not None and len(self.texts) == 1 else None

    @property
    def grants(self) -> bool:
        """Whether an owner has rights by it, or may have."""
        return not self.own_devices and self.allows != []


def judge_owners(
    plan: Plan,
    outcome: Iterable[Resource],
    policies: ManagedPolicies,
    findings: Iterable[Finding],
    drift: Iterable[Change] = (),
) -> list[Finding]:
    """Judge every owner whose policies a plan makes, changes or takes.

    Args:
        plan: The plan.
        outcome: What there is once it is applied; what the plan leaves alone is in it.
        policies: What managed policies say.
        findings: What was found of single resources.
        drift: What AWS has otherwise than the state. What somebody took by hand is given back, not newly granted.

    Returns:
        The findings, less those about a single policy that its owner is not weaker by, and those about owners.
    """
    return _Judge(plan, tuple(outcome), policies, tuple(findings), drift).judged()


def referenced_policies(plan: Plan) -> frozenset[str]:
    """ARNs of managed policies that the plan attaches or detaches, whose texts are wanted."""
    return frozenset(
        reference
        for change in plan.changes
        if (gives := _gives(change.type)) and gives.managed
        for values in (change.before, change.after)
        if isinstance(reference := values.get(gives.policy), str) and reference.startswith("arn:")
    )


class _Judge:
    def __init__(
        self,
        plan: Plan,
        outcome: tuple[Resource, ...],
        policies: ManagedPolicies,
        findings: tuple[Finding, ...],
        drift: Iterable[Change],
    ) -> None:
        self._plan = plan
        self._policies = policies
        self._findings = findings
        self._refused = {f.address for f in findings if f.rule is DESTROYS and f.blocks}
        self._weaker = {(f.address, f.attribute) for f in findings if f.rule is WEAKENS}
        self._outcome = outcome
        self._before: dict[_Owner, list[_Held]] = {}
        self._after: dict[_Owner, list[_Held]] = {}
        changed = {c.address for c in plan.changes}
        for resource in outcome:
            if resource.address not in changed:
                for side in (self._before, self._after):
                    self._put(side, resource, resource.values, None)
        created = {c.address for c in plan.changes if c.action is Action.CREATE}
        for change in drift:
            if change.action is Action.DELETE and change.address in created:
                self._put(self._before, change, change.before, None)
        for change in plan.changes:
            if change.action is Action.FORGET:
                # AWS keeps it, as what the plan leaves alone.
                for side in (self._before, self._after):
                    self._put(side, change, change.before, None)
                continue
            if change.action is not Action.CREATE:
                self._put(self._before, change, change.before, change)
            if change.action is not Action.DELETE:
                self._put(self._after, change, change.after, change)

    def judged(self) -> list[Finding]:
        findings: list[Finding] = []
        settled: set[tuple[str, str]] = set()
        for owner, after in self._after.items():
            # Of several in whose place it may be, the one that it is nearest to; what takes nothing's place is new.
            compared = [self._compared(owner, p, self._before.get(p, []), after) for p in self._predecessors(owner)]
            if compared:
                found, kept = min(compared, key=lambda one: sum(f.blocks for f in one[0]))
                findings += found
                settled |= kept
        for owner, before in self._before.items():
            # An owner that stays without any policy; what goes as a whole is judged by what takes its place.
            if owner not in self._after and not self._goes(owner):
                findings += self._compared(owner, owner, before, [])[0]
        said = {(f.address, f.attribute) for f in findings}

        def stands(finding: Finding) -> bool:
            place = (finding.address, finding.attribute)
            return finding.rule is not WEAKENS or not (place in settled or (place in said and not finding.blocks))

        return [*(f for f in self._findings if stands(f)), *findings]

    def _put(
        self,
        side: dict[_Owner, list[_Held]],
        resource: Resource | Change,
        values: Mapping[str, Any],
        change: Change | None,
    ) -> None:
        kind = _gives(resource.type)
        if kind is None or not values:
            return
        name = values.get(kind.named_by)
        module = _module(change.address) if change is not None else ""
        owner = (kind.owner, name.casefold() if isinstance(name, str) else f"{_UNKNOWN}{module}")
        if kind.owner == _TARGET:
            found = self._organization(values, kind, change, after=side is self._after)
            if found is not None:
                # Each type of policy is evaluated by itself.
                side.setdefault((f"{found[0]} of {_TARGET}", owner[1]), []).append(found[1])
            return
        held = (
            self._managed(values, kind, change, side is self._after) if kind.managed else _inline(values, kind, change)
        )
        side.setdefault(owner, []).append(replace(held, own_devices=plays(resource, Role.ENFORCES_MFA)))

    def _managed(self, values: Mapping[str, Any], kind: Gives, change: Change | None, after: bool) -> _Held:
        reference = _reference(values.get(kind.policy))
        texts: tuple[str, ...] | None
        if reference is None:
            texts = self._made(change)
        else:
            text = self._policies.after(reference) if after else self._policies.before(reference)
            texts = (text,) if text is not None else None
        name = _MADE if reference is None else reference.rsplit("/", 1)[-1]
        return _Held(name, texts, reference, change, kind.policy)

    def _made(self, change: Change | None) -> tuple[str, ...] | None:
        """What a policy may say of which only the apply tells the ARN: one of those that the same module makes."""
        module = _module(change.address) if change is not None else ""
        made = [
            c
            for c in self._plan.changes
            if c.type == POLICY and c.action in (Action.CREATE, Action.REPLACE) and _module(c.address) == module
        ]
        texts = [c.after.get("policy") for c in made]
        known = tuple(t for t in texts if isinstance(t, str))
        return known if texts and len(known) == len(texts) else None

    def _organization(
        self, values: Mapping[str, Any], kind: Gives, change: Change | None, *, after: bool
    ) -> tuple[str, _Held] | None:
        """(type, policy) of an organization's policy; None for a type that is not written in the language of IAM."""
        reference = _reference(values.get(kind.policy))
        if reference in _FULL_ACCESS:
            return _FULL_ACCESS[reference], _Held(reference, (ALLOW_EVERYTHING,), reference, change, kind.policy)
        changed = {c.address for c in self._plan.changes}
        found = [
            v
            for c in self._plan.changes
            if c.type == _ORGANIZATION_POLICY
            and (v := c.after if after and c.action is not Action.FORGET else c.before)
            # Of one that the plan makes, the id is known only after the apply.
            if (v.get("id") == reference if reference else c.action in (Action.CREATE, Action.REPLACE))
        ]
        found += [
            r.values
            for r in self._outcome
            if r.type == _ORGANIZATION_POLICY and r.address not in changed and r.values.get("id") == reference
        ]
        texts = [v.get("content") for v in found if v.get("type") in _COMPARED_TYPES]
        if found and not texts:
            return None
        known = tuple(t for t in texts if isinstance(t, str))
        kind_of = next((str(v.get("type")) for v in found if v.get("type") in _COMPARED_TYPES), _COMPARED_TYPES[0])
        name = next((str(v.get("name")) for v in found if len(found) == 1), reference or _MADE)
        return kind_of, _Held(
            name, known if texts and len(known) == len(texts) else None, reference, change, kind.policy
        )

    def _predecessors(self, owner: _Owner) -> list[_Owner]:
        """Which owners before the plan this one is compared with: itself, or those in whose place it may be."""
        kind, name = owner
        if not name.startswith(_UNKNOWN) and not self._is_made(owner):
            return [owner]
        resource, attribute = _OWNERS.get(kind, ("", ""))
        if any(
            c.type == resource and c.action is Action.DELETE and _same(c.before.get(attribute), name)
            for c in self._plan.changes
        ):
            return [owner]
        made_in = {
            _module(c.address)
            for c in self._plan.changes
            if c.type == resource
            and c.action in (Action.CREATE, Action.REPLACE)
            and (name == f"{_UNKNOWN}{_module(c.address)}" or _same(c.after.get(attribute), name))
        }
        return [
            (kind, str(c.before.get(attribute)).casefold())
            for c in self._plan.changes
            if c.type == resource and c.action in (Action.DELETE, Action.REPLACE) and _module(c.address) in made_in
        ]

    def _is_made(self, owner: _Owner) -> bool:
        resource, attribute = _OWNERS.get(owner[0], ("", ""))
        return any(
            c.type == resource and c.action is Action.CREATE and _same(c.after.get(attribute), owner[1])
            for c in self._plan.changes
        )

    def _goes(self, owner: _Owner) -> bool:
        resource, attribute = _OWNERS.get(owner[0], ("", ""))
        return any(
            c.type == resource
            and c.action in (Action.DELETE, Action.REPLACE)
            and _same(c.before.get(attribute), owner[1])
            for c in self._plan.changes
        )

    def _is_refused(self, held: _Held, change: Change) -> bool:
        """Whether it is a finding already that a policy is taken, or that what it says is deleted as a whole."""
        managed = self._policies.change(held.reference) if held.reference is not None else None
        organization = (
            c
            for c in self._plan.changes
            if c.type == _ORGANIZATION_POLICY and held.reference is not None and c.before.get("id") == held.reference
        )
        addresses = {c.address for c in (change, managed, *organization) if c is not None}
        return bool(addresses & self._refused)

    def _compared(
        self, owner: _Owner, predecessor: _Owner, before: Sequence[_Held], after: Sequence[_Held]
    ) -> tuple[list[Finding], set[tuple[str, str]]]:
        findings: list[Finding] = []
        settled: set[tuple[str, str]] = set()
        stays = predecessor == owner
        taken = [h for h in before if h.change is not None and not (stays and any(_continues(h, a) for a in after))]
        changed = [
            h for h in before if h.change is not None and not any(_continues(h, a) and _alike(h, a) for a in after)
        ]
        for held in after:
            if held.change is None:
                continue
            more = tuple(_grants_more(before, held))
            own = next((h for h in before if stays and _continues(h, held)), None)
            if own is None:
                if more and not held.own_devices and not (stays and _left_to_grants(held, before, taken)):
                    findings.append(_granted(owner, predecessor, held, before, taken or changed, more))
                continue
            less = tuple(_denies_less(own, after))
            if not more and not less:
                settled.add((held.change.address, held.attribute))
            elif (held.change.address, held.attribute) not in self._weaker:
                findings += [_granted(owner, predecessor, held, before, [own], more)] if more else []
                findings += [_denied_less(owner, predecessor, held, less)] if less else []
        replaced = any(h.change is not None and not any(_continues(b, h) for b in before) for h in after)
        for held in taken:
            less = tuple(_denies_less(held, after))
            # A deletion that is refused says enough, unless something is there that seems to take its place.
            if less and held.change is not None and (replaced or not self._is_refused(held, held.change)):
                findings.append(_denied_less(owner, predecessor, held, less))
        return findings, settled


_UNKNOWN = "(known after apply) "
_MADE = "a policy that the plan makes"


def _same(value: object, name: str) -> bool:
    return isinstance(value, str) and value.casefold() == name


def _module(address: str) -> str:
    """The module that a resource is in ("module.iam_groups")."""
    return Address.parse(address).module


def _continues(before: _Held, after: _Held) -> bool:
    """Whether a policy is the same one with another text."""
    return before.change is after.change and before.reference == after.reference


def _alike(before: _Held, after: _Held) -> bool:
    """Whether it says the same."""
    return before.texts == after.texts


def _left_to_grants(held: _Held, before: Sequence[_Held], taken: Sequence[_Held]) -> bool:
    """Whether it is for `judge_grants` to say: one of AWS's policies comes, and none of others goes.

    What AdministratorAccess allows is known: beside what an owner is granted, it is judged like any other text.
    """
    of_aws = all(h.reference is not None and is_of_aws(h.reference) for h in (held, *taken))
    return of_aws and (held.texts is None or not any(h.grants for h in before))


def _inline(values: Mapping[str, Any], kind: Gives, change: Change | None) -> _Held:
    text = values.get(kind.policy)
    name = values.get("name")
    texts = (text,) if isinstance(text, str) and text else () if text in (None, "") else None
    return _Held(name if isinstance(name, str) else "its inline policy", texts, None, change, kind.policy)


def _reference(value: object) -> str | None:
    """What names a managed policy; of a policy in each account, its path and name."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return f"{value[0].get('path') or '/'}{value[0].get('name')}"
    return value if isinstance(value, str) else None


def _grants_more(before: Sequence[_Held], held: _Held) -> Iterator[str]:
    """What one policy grants that no policy granted before."""
    if held.reference is not None and any(h.reference == held.reference and h.texts == held.texts for h in before):
        return
    granted = [s for h in before for s in h.allows or ()]
    if held.allows is None:
        if tuple(_weaker(granted, _statements(ALLOW_EVERYTHING, "Allow") or [])):
            yield f"what {held.name} allows is not known here"
        return
    yield from _weaker(granted, held.allows)


def _denies_less(held: _Held, after: Sequence[_Held]) -> Iterator[str]:
    """What one policy denies that no policy denies afterwards."""
    if held.reference is not None and any(h.reference == held.reference and h.texts == held.texts for h in after):
        return
    if held.denies is None:
        yield f"what {held.name} denies is not known here"
        return
    yield from _weaker(held.denies, [s for h in after for s in h.denies or ()])


def _weaker(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterable[str]:
    if not before and not after:
        return ()
    if len(_versions([*before, *after])) > 1:
        return ("policies of two language versions, in one of which variables are plain text",)
    # What stands for all of a resource control policy has no principal here, while its own statements have one each.
    principal = {"Principal": "*"} if any("Principal" in s or "NotPrincipal" in s for s in (*before, *after)) else {}
    return compare_policies(_document(before, principal), _document(after, principal)).weaker


_VERSION = "toolkit:version"
_NEUTRAL = {"Effect": "Deny", "Action": "none:None", "Resource": "*"}
"""Stands on both sides, since a document without any statement is none."""


def _statements(text: str, effect: str) -> list[dict[str, Any]] | None:
    """Statements of one effect; None where the text is no policy, so that nothing of it is overlooked."""
    if not policy_sentences(text):
        return None
    document = json.loads(text)
    statements = document["Statement"]
    found = [statements] if isinstance(statements, dict) else statements
    return [{**s, _VERSION: document.get("Version")} for s in found if s["Effect"] == effect]


def _versions(statements: list[dict[str, Any]]) -> set[str | None]:
    """Language versions that matter: of statements with variables, or what would be ones."""
    return {s[_VERSION] for s in statements if "${" in json.dumps(s)}


def _document(statements: list[dict[str, Any]], principal: Mapping[str, str]) -> str:
    """One policy of the statements of several; none with the language version of another.

    Args:
        statements: The statements.
        principal: Whom those concern that do not say it; nothing for policies without principals.
    """
    version = next(iter(_versions(statements)), "2012-10-17")
    plain = []
    names: set[str] = set()
    for statement in (*statements, _NEUTRAL):
        one = {k: v for k, v in statement.items() if k != _VERSION}
        if "NotPrincipal" not in one:
            one = {**principal, **one}
        # A name may stand once in a document.
        if one.get("Sid") in names:
            del one["Sid"]
        names.add(str(one.get("Sid")))
        plain.append(one)
    document: dict[str, Any] = {"Statement": plain}
    return json.dumps({"Version": version, **document} if version else document)


def _called(owner: _Owner, held: _Held) -> str:
    kind, name = owner
    change = held.change
    values = (change.after or change.before) if change is not None else {}
    gives = _gives(change.type) if change is not None else None
    shown = values.get(gives.named_by) if gives else None
    return f"{kind} {str(shown if isinstance(shown, str) else name).rsplit('/', 1)[-1]}"


def _granted(
    owner: _Owner,
    predecessor: _Owner,
    held: _Held,
    before: Sequence[_Held],
    taken: Sequence[_Held],
    reasons: tuple[str, ...],
) -> Finding:
    change = held.change
    assert change is not None
    replaces = bool(taken) or predecessor != owner
    # An owner that is granted nothing so far is what an interrupted apply leaves: refusing would leave it half-made.
    refused = replaces or any(h.grants for h in before)
    lost = ", ".join(dict.fromkeys(h.name for h in taken))
    instead = f"{lost} → {held.name}" if lost else f"+ {held.name}"
    place = f", which replaces {predecessor[0]} {predecessor[1]}," if predecessor != owner else ""
    return Finding(
        rule=WEAKENS,
        severity=Severity.HIGH if refused else Severity.NOTE,
        resource=change.resource,
        attribute=held.attribute,
        summary=f"The {_called(owner, held)}{place} would be granted more than before.",
        evidence=f"{instead}: {'; '.join(reasons)}",
        remedy="grant what was granted before, or give consent after comparing the policies"
        if replaces
        else "check that every principal that has it should get these permissions"
        + (", and give consent" if refused else ""),
        consent=f"--allow-weaker '{change.address}.{held.attribute}'" if refused else None,
        component=change.component,
    )


def _denied_less(owner: _Owner, predecessor: _Owner, held: _Held, reasons: tuple[str, ...]) -> Finding:
    change = held.change
    assert change is not None
    place = f", which replaces {predecessor[0]} {predecessor[1]}," if predecessor != owner else ""
    return Finding(
        rule=WEAKENS,
        severity=Severity.HIGH,
        resource=change.resource,
        attribute=held.attribute,
        summary=f"The {_called(owner, held)}{place} would be denied less than before.",
        evidence=f"- {held.name}: {'; '.join(reasons)}",
        remedy="keep the denial in one of the policies",
        consent=f"--allow-weaker '{change.address}.{held.attribute}'",
        component=change.component,
    )
