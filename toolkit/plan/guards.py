"""Judges a plan: what it deletes that protects, and what it makes weaker.

In: a Plan, what each component declares, and what the account has of things that exist once and are not in the state.
Out: findings. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.addresses import Address, AttributePath, label_of, leaves, regional_label, value_at
from toolkit.components.base import Component, Protected
from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Rule, Severity, register
from toolkit.findings.rules import DESTROYS, RELEASES, WEAKENS
from toolkit.iam.comparison import compare_policies, denies, policy_sentences
from toolkit.plan.archive_rules import judge_archive_rules
from toolkit.plan.case import Case, Guard
from toolkit.plan.entries import named
from toolkit.plan.facts import Facts
from toolkit.plan.global_types import recorded_elsewhere
from toolkit.plan.grants import judge_grants
from toolkit.plan.model import Action, Change, Marker, Plan, shown
from toolkit.plan.owners import CARRIERS
from toolkit.plan.pairs import continued
from toolkit.plan.settings import NAMES, deciding, is_entry, leaving_out, naming, placing
from toolkit.plan.strengths import aligned, weakenings
from toolkit.resources.reading import Live
from toolkit.resources.registry import is_case_blind, record_of
from toolkit.typed import dotted

COLLIDES = register(
    Rule(
        "collides",
        "The plan would create something that the account already has, and only one can exist.",
        Severity.CRITICAL,
        refused="the plan creates a GuardDuty detector in a region that has one",
        instead="put its id under `imports`, so that the plan takes it over, or give it another name",
    )
)

ADOPT = "run `toolkit adopt ENV`"
"""What takes over what an account has already; the environment's name is not known here."""


@dataclass(frozen=True)
class Existing:
    """Something that the account has, though a plan calls it a create."""

    values: Mapping[str, Any]
    """Its values, as Terraform would hold them."""
    overwritten: bool
    """Whether creating overwrites it (a password policy) rather than colliding with it (a detector)."""
    import_id: str | None
    """Id to import it with; None where the provider imports no such thing, which only what is overwritten can be."""
    named: str
    """What AWS calls it, for people."""
    default: bool = False
    """Whether it is what AWS gives by itself, so that it is somebody's choice only where the whole thing was there."""
    spelled: str | None = None
    """Its name, where the plan spells it with other capital letters and AWS takes both for one."""
    same: bool = False
    """Whether it is the very thing that the plan would create, so that creating it changes nothing."""
    live: Live | None = field(default=None, compare=False, repr=False)
    """The same as the inventory has it, with values that a collision does not compare."""
    manager_unread: str | None = field(default=None, compare=False, repr=False)
    """Why it cannot be read who manages it; None: it could, or nobody asked."""
    apart: str | None = field(default=None, compare=False, repr=False)
    """Why it is not to be taken over, whatever it is like itself; None: it may be, or nobody asked."""

    def differences(self, change: Change) -> tuple[str, ...]:
        """What a create changes of these values, one line per value; policies by their meaning."""
        record = record_of(change.type)
        values = aligned(record, self.values, change.after, sets=True)
        return tuple(
            f"{named(record, str(path), change.after, values)}: {what}"
            for path, old in leaves(values)
            for what in _difference(path, old, change.after)
        )


def judge(
    plan: Plan,
    components: Mapping[str, Component],
    existing: Mapping[str, Existing],
    held: Mapping[str, str | None] | None = None,
    released: frozenset[str] = frozenset(),
) -> Iterator[Finding]:
    """Findings about deletions and weakenings.

    Args:
        plan: The plan.
        components: Component name → component, for what each declares.
        existing: Address of what is created → what the account has there already.
        held: Address of something tainted → what it holds, None for nothing. What is not in it is not known.
        released: Labels of the modules that the environment file releases.
    """
    deleted = [c for c in plan.changes if c.action is Action.DELETE]
    replaced = continued(plan, CARRIERS)
    for change in plan.changes:
        component = components.get(change.component or "")
        whole = _whole(change, plan, held or {}) if change.tainted else None
        half_made = change.tainted and whole is None
        if component is None:
            # Rendered roots have nothing outside of components: another state's things, or an older toolkit's.
            if change.action in _TAKES_AWAY:
                yield _destroys(change, "which no component of this environment created", whole)
            continue
        if change.action in _TAKES_AWAY:
            protected = next((p for p in component.protects if _is(p, change)), None)
            if change.imported:
                yield _destroys(change, "which it was to import", whole)
            elif protected and change.action is Action.FORGET and label_of(change.address) in released:
                yield _releases(change)
            elif protected and not _released(protected, change, deleted):
                yield _destroys(change, "which protects or records", whole)
        if change.action in (Action.UPDATE, Action.REPLACE):
            yield from _weakens(change, plan, half_made=half_made)
        found = existing.get(change.address)
        if found is not None:
            yield from _exists(change, found, deleted, plan)
        if change.address in replaced and not (found is not None and found.overwritten):
            # Of several in whose place it may be, the one that it is nearest to.
            yield from min((tuple(_weakens(change, plan, replaced=old)) for old in replaced[change.address]), key=len)
        yield from judge_grants(change, plan)
        yield from judge_archive_rules(change, plan)
    yield from _named_twice(plan)


def judge_orphans(
    plan: Plan,
    drift: Iterable[Change],
    components: Mapping[str, Component],
    account_id: str,
    looked_in: Callable[[Change], str],
) -> Iterator[Finding]:
    """Findings about what protects and is not where Terraform looks for it, so that the state would lose sight of it.

    A region's provider that moves away (a home region that changes, say) makes Terraform ask another region, which does
    not have the thing: it goes on running, recording and billing, and nobody manages it any more. The
    same comes of another account: of a changed `account_id`, or of a state that two environments share. No consent
    lets that through: consenting to a deletion does not delete there, it only forgets.

    Args:
        plan: The plan.
        drift: What AWS has otherwise than the state, as `parse_drift` gives it.
        components: Component name → component.
        account_id: The environment's.
        looked_in: Region in which Terraform looked for it.
    """
    remade = {c.address for c in plan.changes if c.action in (Action.CREATE, Action.REPLACE)}
    for change in drift:
        component = components.get(change.component or "")
        if change.action is not Action.DELETE or component is None:
            continue
        if not any(_is(p, change) for p in component.protects):
            continue
        arn = (change.arn or "").split(":")
        if len(arn) < _ARN_FIELDS:
            arn = [""] * _ARN_FIELDS
        foreign = arn[4] if arn[4].isdigit() and arn[4] != account_id else None
        looked = looked_in(change)
        # Of what has no ARN, the label of its module tells, if it names a region.
        there = arn[3] or (change.region if _is_regional(change, change.region) else looked)
        known_as = change.before.get("arn") or change.before.get("id") or "applied"
        if foreign is not None:
            evidence = f"the state has it as {known_as}, account {account_id} does not"
            remedy = (
                f"this is the state of account {foreign}: put `account_id` back, or give this environment a state "
                "of its own under `backend`"
            )
        elif there != looked:
            evidence = f"the state has it as {known_as} in {there}; Terraform looked for it in {looked}"
            remedy = _move_home(change, there, looked)
        elif change.address in remade:
            # Deleted by hand and made anew is what a baseline is for; deleted from view is not.
            continue
        else:
            evidence = f"the state has it as {known_as}, {looked} does not: it was deleted outside of Terraform"
            remedy = "keep its component and region in environment.yaml, and the next apply creates it again"
        forgets = foreign is not None or there != looked
        yield Finding(
            rule=DESTROYS,
            severity=Severity.CRITICAL,
            resource=change.resource,
            attribute=None,
            summary=_FORGETS.format(change.address) if forgets else _DROPS.format(change.address),
            evidence=evidence,
            remedy=remedy,
            consent=None if forgets else f"--allow-destroy '{change.address}'",
            component=change.component,
        )


_FORGETS = "The plan would remove {} from the state: it stays in AWS, is billed, and Terraform no longer manages it."
_DROPS = "The plan removes {} from the state: it no longer exists in AWS."


def _is_regional(change: Change, region: str) -> bool:
    """Whether it is of a component that is called once for each region, and of the call for `region`."""
    return (Address.parse(change.address).label or "").endswith(regional_label("", region))


def _move_home(change: Change, there: str, home: str) -> str:
    """How to get from one home region to another without losing what the change is about."""
    if not _is_regional(change, there):
        return f"set `regions.home` back to {there}: a component's global resources do not move to another region"
    return (
        f"take two steps. First `regions: {{home: {home}, active: [{home}, {there}]}}`, then plan and apply, even if "
        f"nothing changes. Then move {there} from `active` to `retiring`, plan and apply"
    )


_ARN_FIELDS = 6


def _is(protected: Protected, change: Change) -> bool:
    if not protected.covers(change.type, change.name):
        return False
    return protected.denying is None or denies(str(value_at(change.before, protected.denying)))


def _released(protected: Protected, change: Change, deleted: list[Change]) -> bool:
    if protected.released_by is None or change.action is not Action.DELETE:
        return False
    owner_type, owner_attribute, attribute = protected.released_by
    mine = value_at(change.before, attribute)
    return any(d.type == owner_type and value_at(d.before, owner_attribute) == mine for d in deleted)


_TAKES_AWAY = (Action.DELETE, Action.REPLACE, Action.FORGET)


def _whole(change: Change, plan: Plan, held: Mapping[str, str | None]) -> str | None:
    """Why something tainted is not half-made, for people; None where it may be.

    Whoever taints by hand what holds records loses them like by any other replacement. An interrupted apply leaves
    nothing in it, and nothing that uses it: Terraform makes that only when the thing itself is whole.
    """
    if record_of(change.type).contents is not None:
        return held.get(change.address, "its contents are not known")
    if change.type != "aws_kms_key":
        return None
    key = change.before.get("key_id")
    # Whatever uses a key changes with it, since the new one's id is not known before the apply.
    users = [c.address for c in plan.changes if c is not change and key and key in json.dumps(c.before, default=str)]
    return f"data encrypted with it could no longer be read; {users[0]} uses it" if users else None


def _destroys(change: Change, which: str, whole: str | None) -> Finding:
    if change.tainted and whole is None:
        # Refusing this would leave an account half-made after every interrupt.
        return Finding(
            rule=DESTROYS,
            severity=Severity.NOTE,
            resource=change.resource,
            attribute=None,
            summary=f"{change.address} was partially created by an interrupted or failed apply and will be recreated.",
            evidence="Terraform marked it as tainted",
            remedy=f"to keep it if it is complete: {_untaint(change)}",
            consent=None,
            component=change.component,
        )
    verbs = {Action.DELETE: "deletes", Action.REPLACE: "replaces", Action.FORGET: "no longer manages"}
    forcing = [a.path for a in change.attributes if a.forces_replacement]
    owner = change.component or "no component: it is in the state, but not in the rendered files"
    evidence = f"forced by a change of {', '.join(forcing)}" if forcing else f"{change.type} of {owner}"
    if whole is not None:
        evidence = f"Terraform marked it as tainted, but {whole}"
    return Finding(
        rule=DESTROYS,
        severity=Severity.CRITICAL,
        resource=change.resource,
        attribute=None,
        summary=f"The plan {verbs[change.action]} {change.address}, {which}.",
        evidence=evidence,
        remedy=_instead(change, forcing),
        # A consent to destroy must not end in something that goes on and bills, unmanaged.
        consent=None if change.action is Action.FORGET else f"--allow-destroy '{change.address}'",
        component=change.component,
    )


def _releases(change: Change) -> Finding:
    return Finding(
        rule=RELEASES,
        severity=Severity.HIGH,
        resource=change.resource,
        attribute=None,
        summary=f"The plan removes {change.address}, which protects or records, from the state.",
        evidence=f"`released` has module.{label_of(change.address)}. AWS keeps the resource; later plans "
        "neither report nor restore changes in it",
        remedy=f"to keep it managed: delete that line, and put `{_called_for(change)}` back",
        consent=f"--allow-release '{change.address}'",
        component=change.component,
        setting="released",
    )


def _instead(change: Change, forcing: list[str]) -> str:
    if change.component is None:
        return (
            "check whether `backend` names another configuration's state, and correct it; where both have one state, "
            f"run `terraform state rm '{change.address}'` in the other configuration's folder, if the resource is its "
            "own: AWS keeps it"
        )
    if change.action is Action.FORGET:
        return "delete the `removed` block: the resource would stay in AWS and be billed, unmanaged"
    if change.tainted:
        return f"keep it: {_untaint(change)}"
    if change.action is not Action.REPLACE:
        return f"keep {_keys(_entry(change), 'or')} with its region in environment.yaml"
    if change.changes_region and not change.imported:
        return _move_home(change, change.before["region"], change.after["region"])
    # A description is composed: what is in it can be set, the whole cannot.
    keys = {p: () if p == "description" else deciding(change.address, change.component, p) for p in forcing}
    decided = [key for found in keys.values() for key in found]
    kept = f"set {_keys(decided, 'and')} in environment.yaml to what it was" if keys and all(keys.values()) else ""
    if change.imported:
        another = _is_another(change)
        return (
            f"{kept}; or, if it is not the baseline's, {_leave_alone(change)}"
            if kept and not another
            else (_leave_alone(change))
        )
    return kept or (
        f"no setting controls {', '.join(forcing) or 'what forces it'}: give the consent if it may be deleted and "
        "created again"
    )


def _untaint(change: Change) -> str:
    return f"toolkit terraform ENV -- untaint '{change.address}'"


def _entry(change: Change) -> tuple[str, ...]:
    """The key of its entry, if it has one of its own; else what its module is called for."""
    keys = naming(change.address, change.component)
    return tuple(k for k in keys if is_entry(k, change.address)) or (_called_for(change),)


def _called_for(change: Change) -> str:
    """The key for which its module is called: its component's, or that of a setting with a module of its own."""
    called = f"{label_of(change.address)}_"
    component = REGISTRY.get(change.component or "")
    for needed in component.newer_provider if component else ():
        if called.startswith(f"{change.component}_{needed.module}_"):
            return f"components.{change.component}.{needed.setting}"
    return f"components.{change.component}"


def _keys(keys: Iterable[str], word: str) -> str:
    return f" {word} ".join(f"`{key}`" for key in dict.fromkeys(keys))


def _another_name(change: Change) -> str:
    """How the baseline's own does not meet what the account has, by another name; empty where its name is fixed."""
    keys = naming(change.address, change.component)
    own = [key for key in keys if is_entry(key, change.address)]
    if own:
        return f"rename {_keys(own, 'or')} in environment.yaml"
    if _is_sole(change):
        return f"leave out `{_called_for(change)}`: only one can exist"
    if keys:
        return f"set {_keys(keys, 'or')} in environment.yaml to a name that the account does not use"
    return " or ".join(f"{text} in environment.yaml" for text in leaving_out(change.address, change.component))


def _is_sole(change: Change) -> bool:
    """Whether another name makes no room for it: only one can exist."""
    reading = record_of(change.type).reading
    return reading is not None and reading.sole


def _is_another(change: Change) -> bool:
    """Whether an import's id leads to something of another name than the plan's."""
    return any(name in change.before and change.before[name] != change.after.get(name) for name in NAMES)


def _leave_alone(change: Change) -> str:
    """How to keep what an import would take over and change."""
    if _is_another(change):
        return (
            f"delete the line of {change.address} under `imports`, or correct its id: the imported resource has "
            "another name"
        )
    rename = _another_name(change) or "rename or delete the resource in AWS that has its name"
    return f"delete the line of {change.address} under `imports`, and {rename}"


def _weakens(
    change: Change,
    plan: Plan,
    found: Existing | None = None,
    replaced: Change | None = None,
    half_made: bool = False,
) -> Iterator[Finding]:
    why, before = "", change.before
    if found is not None:
        why, before = f" than {found.named}, which exists in the account", found.values
    elif replaced is not None:
        why, before = f" than {replaced.address}, which it replaces", replaced.before
    for lost in weakenings(record_of(change.type), before, change.after):
        if found is not None and lost.strength.top not in found.values:
            # Not read, which is not the same as not set.
            continue
        made = (change.action is Action.REPLACE or replaced is not None) and lost.strength.by_aws
        if (made or half_made) and value_at(change.after, lost.path) is Marker.UNKNOWN:
            # What AWS decides itself is unknown of any new resource, and nothing else is a loss in one half-made.
            continue
        if recorded_elsewhere(change, before, lost.path, plan):
            continue
        yield Finding(
            rule=WEAKENS,
            severity=Severity.HIGH,
            resource=change.resource,
            attribute=lost.named,
            summary=f"{lost.named} becomes weaker{why} ({lost.strength.described}).",
            evidence=lost.reason,
            remedy=_as_strong(change, lost.path, taken_over=change.imported or found is not None),
            consent=f"--allow-weaker '{change.address}.{lost.named}'",
            component=change.component,
        )


def _as_strong(change: Change, path: str, *, taken_over: bool) -> str:
    """What to do instead of a weakening: only a setting can be set to what it was."""
    if keys := deciding(change.address, change.component, path):
        return f"set {_keys(keys, 'or')} in environment.yaml to what it was or stronger"
    if place := placing(change.type, change.component, path):
        kept = f"set `{dotted(place)}` in environment.yaml to what it was"
        by_hand = f"{kept} and import that bucket; or give the consent if it may change"
        return f"{ADOPT}, or {by_hand}" if taken_over else kept
    if change.imported:
        return f"no setting controls it; if it is not the baseline's, {_leave_alone(change)}"
    return (
        f"no setting of `components.{change.component}` controls it: compare the two values, and give the consent if "
        "it may change"
    )


def _named_twice(plan: Plan) -> Iterator[Finding]:
    """Two of a plan that are the same to IAM: whichever is made second fails, half-way through the apply."""
    seen: dict[tuple[str, str], Change] = {}
    for change in plan.changes:
        name = change.after.get("name")
        if not is_case_blind(change.type) or change.action is Action.DELETE or not isinstance(name, str):
            continue
        first = seen.setdefault((change.type, name.lower()), change)
        if first.address != change.address:
            yield Finding(
                rule=COLLIDES,
                severity=Severity.CRITICAL,
                resource=change.resource,
                attribute=None,
                summary=f"{first.address} has the same name: IAM does not distinguish names by case, so only one can "
                "exist and the apply would fail after part of it is done.",
                evidence=f"{first.after['name']!r} and {name!r}",
                remedy=" or ".join(text for text in (_another_name(first), _another_name(change)) if text)
                or "give one of them another name in environment.yaml",
                consent=None,
                component=change.component,
            )


def _exists(change: Change, found: Existing, deleted: list[Change], plan: Plan) -> Iterator[Finding]:
    if not found.overwritten:
        yield Finding(
            rule=COLLIDES,
            severity=Severity.CRITICAL,
            resource=change.resource,
            attribute=None,
            # Some creates take over what has the name already (SNS does, where the tags are the same).
            summary=f"The account already has {found.named}, and only one can exist: the apply would fail after "
            "part of it is done, or overwrite it unseen.",
            evidence=f"{found.named}, id {found.import_id}",
            remedy=_take_over(change, found, deleted),
            consent=None,
            component=change.component,
        )
        return
    yield from _weakens(change, plan, found)
    yield Finding(
        rule=COLLIDES,
        severity=Severity.NOTE,
        resource=change.resource,
        attribute=None,
        summary=f"Terraform plans to create this, but it would overwrite {found.named}, which exists in the account.",
        evidence="; ".join(found.differences(change)) or "with the same values",
        remedy=f"to plan it as a change, put '{change.address}': '{found.import_id}' under `imports`"
        if found.import_id
        else f"compare these values with the settings of `components.{change.component}`",
        consent=None,
        component=change.component,
    )


def _take_over(change: Change, found: Existing, deleted: list[Change]) -> str:
    address, spelling = change.address, ""
    rename = _another_name(change)
    if found.spelled is not None:
        if any(d.type == change.type and d.before.get("name") == found.spelled for d in deleted):
            return (
                f"keep the spelling {found.spelled!r} in environment.yaml: IAM does not distinguish names by case, and "
                "the plan deletes "
                "that one at the same time. To have the other spelling, apply the deletion first, then add it"
            )
        # The key of an instance is its name.
        address = address.replace(f'["{change.after.get("name")}"]', f'["{found.spelled}"]')
        spelling = f"spell it {found.spelled!r} in environment.yaml (IAM does not distinguish names by case), and "
    elif any(found.values.get(name) == found.import_id != change.after.get(name) for name in NAMES):
        # The only one that can exist, found under another name: imported under the plan's name, it would be replaced.
        keys = _keys(naming(change.address, change.component), "and")
        return (
            f"{ADOPT}, or take it over: in environment.yaml, set {keys} to {found.import_id!r} and, under `imports`, "
            f"put '{address}': '{found.import_id}'; then plan again"
        )
    return (
        f"{spelling or f'{ADOPT}, or '}take it over: in environment.yaml, under `imports`, put "
        f"'{address}': '{found.import_id}'; then plan again"
        + (f". If it is not the baseline's, {rename}{'' if _is_sole(change) else ' instead'}" if rename else "")
    )


def _difference(path: AttributePath, old: Any, after: Mapping[str, Any]) -> Iterator[str]:
    new = path.at(after)
    if new == old:
        return
    if old == {} and new:
        yield "added"
    elif isinstance(old, str) and isinstance(new, str) and policy_sentences(old) and policy_sentences(new):
        yield from compare_policies(old, new).lines
    else:
        yield f"{shown(old)} → {shown(new)}"


def _orphans(case: Case, _: Facts) -> Iterable[Finding]:
    if case.destroy:
        return ()
    return judge_orphans(case.plan, case.drift, REGISTRY, case.account_id, case.looked_in)


ORPHANS = Guard(_orphans)
