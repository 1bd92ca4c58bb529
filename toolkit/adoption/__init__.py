"""What becomes of each resource that an account has and a plan would create: adopted, kept apart, or replaced.

In, round by round: a plan, and what it meets in the account. Out: the edits of environment.yaml that follow. Pure.

Nothing here is believed to have worked: the next round's plan is made from the edited file. An edit after which a value
is still weaker is taken back, and so is an import that Terraform would replace; the resource is then kept apart. So no
table has to say which setting can hold which value: `plan/settings.json` says which setting decides an attribute, the
types' records say which side is the stronger one, the environment's own validation and the next plan say the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Any

from toolkit.addresses import Address, value_at
from toolkit.adoption.decisions import Choice, Decision, Proposal, as_given, contradict, impossible, proposal_of
from toolkit.adoption.edits import Edits, Path, Planned, same_json
from toolkit.adoption.keys import alias_of, key_of
from toolkit.adoption.stronger import Demand, stronger
from toolkit.environment.source import Data, Problem
from toolkit.environment.splice import DELETE, Edit
from toolkit.errors import UsageError, or_meant
from toolkit.iam.comparison import grants_lost
from toolkit.plan.boundaries import UNKNOWN_BOUNDARY, boundary_of, limits_less
from toolkit.plan.global_types import recorded_elsewhere
from toolkit.plan.guards import Existing
from toolkit.plan.managed_policies import ManagedPolicies
from toolkit.plan.model import Action, Change, Marker, Plan, shown
from toolkit.plan.settings import (
    NAMES,
    PLACED,
    deciding,
    is_entry,
    is_of_regions,
    is_skipping,
    naming,
    placing,
    skipping,
    steps,
)
from toolkit.plan.strengths import aligned, weakenings
from toolkit.resources.base import ResourceType
from toolkit.resources.managers import other_account
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES
from toolkit.typed import dotted

__all__ = ["WRITERS", "Adoption", "Choice", "Decision", "Proposal"]

WRITERS = PLACED
"""Types that write to a bucket, and the attribute that names it."""


@dataclass
class Adoption:
    """The decisions about one account, and the edits that follow from them.

    Attributes:
        decide: Asked once about each resource; None: the safe default.
        given: Address → choice, from a decisions file.
        written: The environment file's data as it was found.
        iam_names: (Type, name) → the setting that names it, as the file says with the edits so far.
        writers: What of the account writes to a bucket: trails and delivery channels.
        policies: ARN → text of the account's own managed policies, as far as the account says it.
        decisions: Address → decision, in the order in which plans met them.
        done: Addresses under `imports` that the state has: their lines are deleted.
    """

    decide: Callable[[Proposal], Choice | None] = lambda _: None
    given: Mapping[str, Choice] = field(default_factory=dict)
    written: Data = None
    writers: Callable[[str], Iterable[Live]] = lambda _: ()
    iam_names: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    policies: Callable[[], Mapping[str, str]] = dict
    decisions: dict[str, Decision] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    _plan: Plan = field(default_factory=lambda: Plan("", (), (), 0))
    """This round's."""
    _found: dict[str, tuple[Change, Existing]] = field(default_factory=dict)
    _answers: dict[str, Choice | None] = field(default_factory=dict)
    _unknown: list[Callable[[], object]] = field(default_factory=list)
    """What is to be judged about values that this round's plan does not know, unless there is another round."""
    _unedited: frozenset[str] | None = None
    """Addresses that the plan of the file as it was found destroys; None: there was no plan yet."""
    _refusals: dict[Path, str] = field(default_factory=dict)
    """Setting → why the file's rules refused the last value that was tried."""
    _needed: dict[str, str] = field(default_factory=dict)
    """Component → why it cannot be left out."""

    def __post_init__(self) -> None:
        self._edits = Edits(self.written, self.decisions)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Everything to change in the environment file as it was found."""
        deleted = tuple(Edit(("imports", address), DELETE) for address in self.done)
        # What is deleted comes last, and together: see `splice`.
        planned = sorted((p.edit for p in self._edits.planned.values()), key=lambda edit: edit.value is DELETE)
        return deleted + tuple(planned)

    @property
    def imports(self) -> tuple[str, ...]:
        """Addresses that are imported."""
        return tuple(p.edit.path[1] for p in self._edits.of("import"))

    def next(self, plan: Plan, existing: Mapping[str, Existing]) -> bool:
        """Take in a plan that was made with the edits so far; whether there are others now.

        Args:
            plan: The plan.
            existing: Address of a create → what the account has there.

        Raises:
            UsageError: Decisions that were given contradict each other, or cannot be carried out.
        """
        before = dict(self._edits.planned)
        self._plan = plan
        self._edits.fresh = set()
        self._unknown = []
        if self._take_back_imports(plan) or self._take_back_what_destroys(plan):
            # This plan was made with what is taken back.
            self._forget_what_moves(before)
            return True
        # Terraform's own order, whatever made the plan.
        for change in sorted(plan.changes, key=lambda c: c.address):
            out = self._edits.planned.get(("components", str(change.component)))
            found = existing.get(change.address)
            if out is not None and out.kind == "out":
                if found is not None:
                    self._refuse_left_out(change, found, self.decisions[out.address])
                continue
            if found is not None and found.live is not None and change.component and not found.same:
                self._meet(change, found)
            self._judge(change, found)
        self._forget_what_moves(before)
        if self._edits.planned == before:
            # What this plan does not know, no other one will.
            for judge in self._unknown:
                judge()
            for address, decision in self.decisions.items():
                if decision.choice is Choice.KEEP and address not in existing:
                    # Another one's name moved it away, too.
                    decision.open = None
        return self._edits.planned != before

    def reject(self, problems: Iterable[Problem]) -> bool:
        """Take back the edits that the environment file's own rules refuse; whether there were such.

        Raises:
            UsageError: A decision that was given cannot be carried out.
        """
        told = tuple(problems)
        tried = [p for p in self._edits.planned.values() if p.kind != "import"]
        refused = _blamed(told, tried)
        for planned in refused:
            self._edits.take_back(planned)
            why = next((str(p) for p in told if _concerns(p, planned)), str(told[0]))
            if planned.kind == "out":
                self._bring_back(planned)
                why = f"{self.decisions[planned.address].reason}; `{planned.edit.path[1]}` cannot be left out: {why}"
            elif planned.edit.value is DELETE:
                decision = self.decisions[planned.address]
                decision.open = f"{decision.reason}; `{dotted(planned.edit.path)}` cannot be left out: {why}"
            else:
                self._refusals[planned.edit.path] = why
            if planned.kind in ("name", "out"):
                self._fails(self._found[planned.address][0], why)
        return bool(refused)

    def require_all_used(self) -> None:
        """Demand that each given decision was about something, and is what came of it.

        Raises:
            UsageError: One is not.
        """
        for address, choice in self.given.items():
            decision = self.decisions.get(address)
            if decision is None:
                raise UsageError(
                    f"a decision for what is not there: {address}{or_meant(address, tuple(self.decisions))}",
                    hint="name addresses that `toolkit adopt ENV --dry-run` shows",
                )
            if decision.choice is not choice or (choice is Choice.KEEP and decision.open):
                raise impossible(decision, choice, decision.open or decision.reason)

    def _refuse_left_out(self, change: Change, found: Existing, because: Decision) -> None:
        """Refuse a decision to adopt or replace what is not met only because its component is left out."""
        choice = self.given.get(change.address, Choice.KEEP)
        known = self.decisions.get(change.address)
        if choice is not Choice.KEEP and known is None and found.live is not None:
            raise contradict(as_given(proposal_of(change, found, Choice.KEEP, because.reason), choice), because)

    def _take_back_what_destroys(self, plan: Plan) -> bool:
        """Take back edits that would destroy what is applied already; whether there were such."""
        destroyed = [c for c in plan.changes if c.action in (Action.DELETE, Action.REPLACE) and not c.imported]
        if self._unedited is None:
            self._unedited = frozenset(c.address for c in destroyed)
        harm: dict[Path, list[str]] = {}
        for change in destroyed:
            if change.address not in self._unedited:
                for planned in self._led_to(change):
                    harm.setdefault(planned.edit.path, []).append(change.address)
        for path, addresses in harm.items():
            if path in self._edits.planned:
                self._would_destroy(self._edits.planned[path], addresses)
        return bool(harm)

    def _led_to(self, change: Change) -> list[Planned]:
        """Edits because of which a plan destroys something."""
        out = self._edits.of("out")
        moved = self._edits.of("keep", "name", "place")
        keys = self._naming(change)
        inside = [p for p in (*out, *moved) if p.edit.path[:2] == ("components", str(change.component))]
        return [p for p in inside if p.kind == "out" or p.edit.path in keys] or inside or out

    def _would_destroy(self, planned: Planned, addresses: list[str]) -> None:
        component, key = planned.edit.path[1], dotted(planned.edit.path)
        decision = self.decisions[planned.address]
        others = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        what = "leaving it out" if planned.kind == "out" else f"another value of `{key}`"
        why = f"`{component}` is already applied: {what} would destroy {addresses[0]}{others}"
        self._edits.take_back(planned)
        if planned.kind == "out":
            self._needed[component] = why
            self._bring_back(planned)
        else:
            # What went the same way is decided about anew.
            for address, other in list(self.decisions.items()):
                if other is not decision and not other.given and self._shares(address, [planned.edit.path]):
                    self._forget(address)
        if planned.kind != "place":
            # What has its destination elsewhere is weaker without it, as the next plan says.
            self._edits.drop(planned.address)
            decision.open = f"{decision.reason}; {why}"

    def _meet(self, change: Change, found: Existing) -> None:
        decision = self.decisions.get(change.address)
        if decision is None:
            self._propose(change, found)
        elif decision.open is not None or found.overwritten:
            return
        elif decision.choice is Choice.KEEP:
            self._keep(change, found, decision)
        elif ("imports", change.address) in self._edits.planned:
            decision.open = "Terraform does not import it"

    def _propose(self, change: Change, found: Existing) -> None:
        live = found.live
        assert live is not None
        self._found[change.address] = (change, found)
        default, reason = Choice.ADOPT, "nothing gets weaker"
        if live.managed_by is not None:
            default, reason = Choice.KEEP, f"managed by {live.managed_by}"
        elif found.manager_unread is not None:
            default, reason = Choice.KEEP, f"who manages it cannot be read: {found.manager_unread}"
        elif found.apart is not None:
            default, reason = Choice.KEEP, found.apart
        elif found.import_id is None and not found.overwritten:
            default, reason = Choice.KEEP, "Terraform cannot import it"
        proposal = proposal_of(change, found, default, reason)
        given = self.given.get(change.address)
        same = _is_the_same(change, found)
        alias = self._alias_of(change)
        if alias is not None:
            self._propose_key(change, found, proposal, alias)
            return
        if given is None and not same:
            if change.address not in self._answers:
                self._answers[change.address] = self.decide(proposal)
            given = self._answers[change.address]
        reason = reason if given is None else "as decided"
        decision = Decision(proposal, given or default, given is not None, reason, same)
        self.decisions[change.address] = decision
        if decision.choice is Choice.KEEP:
            self._keep(change, found, decision)
        else:
            self._take(change, found, decision)

    def _propose_key(self, change: Change, found: Existing, proposal: Proposal, alias: Decision) -> None:
        """Decide about a key, which nobody is asked about: it goes where its alias goes, which was met before it."""
        given = self.given.get(change.address)
        choice = given or alias.choice
        if (choice is Choice.KEEP) is not (alias.choice is Choice.KEEP) and (alias.given or choice is not Choice.KEEP):
            raise contradict(as_given(proposal, choice), alias, "a key follows its alias: decide the same for both")
        if alias.open is not None:
            return
        reason = alias.reason if given is None else "as decided"
        decision = Decision(proposal, choice, alias.given or given is not None, reason)
        self.decisions[change.address] = decision
        if choice is Choice.KEEP:
            self._keep(change, found, decision)
        else:
            self._take(change, found, decision)

    def _alias_of(self, change: Change) -> Decision | None:
        """The decision about a key's alias."""
        alias = alias_of(change.address)
        return None if alias is None else self.decisions.get(alias)

    def _take(self, change: Change, found: Existing, decision: Decision) -> None:
        """Import it: under its own name, if only one can exist."""
        assert found.live is not None
        if (owner := other_account(found.live)) is not None:
            raise impossible(decision, decision.choice, f"it belongs to account {owner}")
        if found.live.managed_by is not None and decision.choice is Choice.REPLACE:
            why = f"managed by {found.live.managed_by}, which would set its own values again"
            raise impossible(decision, decision.choice, why)
        if found.apart is not None and decision.choice is Choice.ADOPT:
            raise impossible(decision, decision.choice, found.apart)
        if found.spelled is not None:
            decision.open = f"spell it {found.spelled!r} in environment.yaml: IAM does not distinguish names by case"
            return
        if found.import_id is None:
            if not found.overwritten:
                raise impossible(decision, decision.choice, "Terraform cannot import it")
            return
        paths = self._naming(change)
        fresh = (
            self._edits.planned[path] for path in paths if path in self._edits.fresh and path in self._edits.planned
        )
        renamed = next((planned for planned in fresh if planned.kind == "keep"), None)
        if renamed is not None:
            # It has its name from the same setting, as with `_let_go`.
            because = self.decisions[renamed.address]
            if decision.given:
                raise contradict(decision, because)
            decision.choice, decision.reason = Choice.KEEP, because.reason
            return
        name = _other_name(change, found) or _overwritten_name(change, found)
        if name is not None and decision.choice is Choice.ADOPT:
            reason = f"{found.named} has this name"
            if not paths or not all(self._edits.put(path, name, reason, change.address, "name") for path in paths):
                self._fails(change, f"no setting gives it the name {name!r}")
                return
            if any(f'["{change.after.get(attribute)}"]' in change.address for attribute in NAMES):
                # With its name, its address changes: it is imported when a plan has that.
                return
        other = self._imported_as(change, found.import_id)
        if other is not None:
            self._edits.refuse_both(change.address, other, "both are the same resource: keep one of them")
            if self._alias_of(change) is not None and not decision.given:
                # Two aliases of one key.
                decision.reason = f"imported as {other} already"
                self._keep(change, found, decision)
                return
            decision.open = f"imported as {other} already"
            return
        path = ("imports", change.address)
        if self._edits.is_rejected(path, found.import_id):
            decision.open = "imported, Terraform would replace it"
            return
        self._edits.planned[path] = Planned(Edit(path, found.import_id, before="components"), change.address, "import")

    def _imported_as(self, change: Change, import_id: str) -> str | None:
        """Another address of the same type and region that has this id under `imports`."""
        for planned in self._edits.planned.values():
            if planned.kind == "import" and planned.edit.value == import_id and planned.address != change.address:
                met = self._found[planned.address][0]
                if (met.type, met.region) == (change.type, change.region):
                    return planned.address
        return None

    def _judge(self, change: Change, found: Existing | None) -> None:
        """Find what gets weaker or lost, and a setting for each."""
        decision, record = self.decisions.get(change.address), RESOURCES.get(change.type)
        if record is None or (decision is not None and (decision.choice is not Choice.ADOPT or decision.open)):
            return
        if change.imported and change.action in (Action.REPLACE, Action.DELETE):
            forcing = ", ".join(a.path for a in change.attributes if a.forces_replacement)
            self._fails(change, f"Terraform would replace it, since {forcing or 'something'} differs")
        elif change.imported and change.action is Action.UPDATE:
            met = self._found.get(change.address)
            told = met is not None and met[1].overwritten and self._cuts_off(change, change.before)
            if not told and not self._bounds_less(change, change.before):
                called = decision.proposal.called if decision else change.address
                self._strengthen(change, change.before, called, record)
        elif found is not None and found.overwritten and not found.same:
            told = self._cuts_off(change, found.values) or self._bounds_less(change, found.values)
            if not told:
                self._strengthen(change, found.values, found.named, record)

    def _cuts_off(self, change: Change, before: Mapping[str, Any]) -> bool:
        """Whether a resource's policy grants what the one in its place does not, which is then told."""
        old, new = before.get("policy"), change.after.get("policy")
        lost = grants_lost(old, new) if isinstance(old, str) and isinstance(new, str) else ()
        if lost:
            self._fails(change, f"the policy in its place {'; '.join(lost)}")
        return bool(lost)

    def _bounds_less(self, change: Change, before: Mapping[str, Any], *, last: bool = False) -> bool:
        """Whether another permissions boundary takes the place of one that denies more, or may: as the plan judges it.

        No setting holds the ARN of a boundary that exists already, so who has it is kept apart with it.
        """
        old, new = boundary_of(change.type, before), boundary_of(change.type, change.after)
        if old is None or new is None or old == new:
            return False
        if new == UNKNOWN_BOUNDARY and not last:
            self._unknown.append(partial(self._bounds_less, change, before, last=True))
            return False
        reasons = limits_less(old, new, ManagedPolicies(self._plan, (), self.policies()))
        if reasons:
            names = " → ".join(arn.rsplit("/", 1)[-1] for arn in (old, new))
            self._fails(change, f"permissions_boundary would become weaker ({names}: {'; '.join(reasons)})")
        return bool(reasons)

    def _strengthen(
        self, change: Change, before: Mapping[str, Any], called: str, record: ResourceType, *, last: bool = False
    ) -> None:
        for lost in weakenings(record, before, change.after):
            if lost.strength.top not in before or recorded_elsewhere(change, before, lost.path, self._plan):
                # Not read, which is not the same as not set; or nothing is lost to the account.
                continue
            new = value_at(change.after, lost.path)
            if new is Marker.UNKNOWN and not last:
                # As an ARN of what is only imported by the edits of this round.
                self._unknown.append(partial(self._strengthen, change, before, called, record, last=True))
                continue
            value = stronger(lost, value_at(aligned(record, before, change.after), lost.path), new)
            kind, paths = "stronger", _paths(partial(deciding, attribute=lost.path), change)
            if place := placing(change.type, change.component, lost.path):
                # The account's bucket is then adopted, too.
                kind, paths = "place", [place]
                if others := self._others(change, value):
                    self._fails(change, f"{lost.named} would become weaker ({lost.reason}); {others} uses it, too")
                    return
            reason = f"{shown(value)} as {called} has it, not {shown(new)}"
            demands = (Demand(record, lost, change.after, value),) if kind == "stronger" else ()
            useful = (path for path in paths if value is not None and not is_skipping(path[-1]))
            if not any(self._edits.put(path, value, reason, change.address, kind, demands) for path in useful):
                self._fails(change, f"{lost.named} would become weaker ({lost.reason})")
                return

    def _others(self, change: Change, bucket: Any) -> str:
        """What else writes to a bucket, so that it cannot be adopted as this component's own."""
        names = {change.before.get("name"), change.after.get("name")}

        def is_own(writer: Live) -> bool:
            # Channels of other regions are the same component's; a trail of the same name is the adopted one.
            channel = change.type == "aws_config_delivery_channel"
            return writer.type == change.type and (channel or writer.key.get("name") in names)

        found = {writer.called for writer in self.writers(str(bucket)) if not is_own(writer)}
        return ", ".join(sorted(found))

    def _fails(self, change: Change, why: str) -> None:
        """An adoption that does not work: first without the edit that led here, then kept apart, else by hand."""
        keys = self._naming(change)
        places = (p for p in self._edits.of("place") if p.edit.path in keys)
        led = [p for p in places if p.edit.path not in self._edits.fresh]
        if led:
            # The account's bucket was not made for this component: what was adopted with it is let go.
            for address in [a for a, d in self.decisions.items() if not d.given and self._shares(a, keys)]:
                self._forget(address)
            for planned in led:
                self._edits.take_back(planned)
            return
        decision = self.decisions.get(change.address)
        if decision is None:
            return
        found = self._found[change.address][1]
        if decision.given or decision.choice is not Choice.ADOPT or found.overwritten:
            # What is overwritten in any case is left to the plan's own finding, and to people.
            decision.open = why
            return
        decision.reason = why
        # As it was met first: by now its name may be the account's.
        self._keep(*self._found[change.address], decision)

    def _shares(self, address: str, keys: Iterable[Path]) -> bool:
        """Whether one of these settings names the resource."""
        change = self._found[address][0]
        return any(path in keys for path in self._naming(change))

    def _forget(self, address: str) -> None:
        del self.decisions[address], self._found[address]
        self._edits.drop(address)

    def _take_back_imports(self, plan: Plan) -> bool:
        """Take back imports by which Terraform would delete something; whether there were such.

        One that the environment file has by itself is the plan's finding.
        """
        planned = {c.address: c.action for c in plan.changes if c.imported}
        harm = False
        for address in self.imports:
            decision, action = self.decisions[address], planned.get(address)
            if action is Action.DELETE:
                # The configuration does not have it.
                if decision.given:
                    raise impossible(
                        decision, decision.choice, "with the other decisions, no resource has this address"
                    )
            elif action is Action.REPLACE and self._found[address][1].overwritten and not decision.given:
                # As the policy of a role that gets another name by now: without the import, it may not be met at all.
                self._edits.take_back(self._edits.planned["imports", address])
            else:
                continue
            self._forget(address)
            harm = True
        return harm

    def _forget_what_moves(self, before: Mapping[Path, Planned]) -> None:
        """Forget imports that may move with a name: the next plan has them at another address, or not at all.

        A key of `for_each` is often a name, or begins with one, and Terraform refuses an import whose address is not in
        the configuration. What did not move is met by the next plan as before.

        Args:
            before: The edits that this round's plan was made with.
        """
        changed = [
            planned
            for path, planned in {**self._edits.planned, **before}.items()
            if planned.kind in ("name", "place", "keep") and self._edits.planned.get(path) != before.get(path)
        ]
        components = {planned.edit.path[1] for planned in changed}
        # Those get the name: they would have no import where their address has the old one.
        renamed = {planned.address for planned in changed}
        for address in self.imports:
            keyed = any(isinstance(key, str) for key in Address.parse(address).keys)
            if keyed and address not in renamed and self._found[address][0].component in components:
                self._forget(address)

    def _bring_back(self, left_out: Planned) -> None:
        """What was left alone only because its component was to be left out is decided about anew."""
        component = left_out.edit.path[1]
        for address, decision in list(self.decisions.items()):
            same = self._found[address][0].component == component
            if same and address != left_out.address and not decision.given:
                self._forget(address)

    def _keep(self, change: Change, found: Existing, decision: Decision) -> None:
        """Leave it alone: another name for the baseline's own, or without what would meet it."""
        decision.choice = Choice.KEEP
        if (alias := self._alias_of(change)) is not None:
            self._keep_with_alias(change, found, decision, alias)
            return
        self._keep_key_of(change, decision)
        why = f"{found.named} is left alone: {decision.reason}"
        skips = [(path, self._skip(path, change)) for path in _paths(skipping, change)]
        for path, value in skips:
            tried = self._edits.planned.get(path)
            if tried is not None and path not in self._edits.fresh and same_json(tried.edit.value, value):
                self._edits.take_back(tried)
        self._edits.drop(change.address)
        for path, value in skips:
            if value is not None and self._edits.put(path, value, why, change.address, "keep"):
                return
        name = next((change.after[n] for n in NAMES if isinstance(change.after.get(n), str)), None)
        entry = Address.parse(change.address).key
        once = not RESOURCES[change.type].key
        if once and name is not None and entry == name:
            # There is one because the setting has a value, as with an account's alias.
            for path in self._naming(change):
                if self._edits.put(path, None, why, change.address, "keep"):
                    return
        if once or (_other_name(change, found) is not None and not isinstance(entry, str)):
            self._leave_out(change, decision, why)
            return
        for path in self._naming(change):
            if is_entry(".".join(path), change.address):
                # Under another name, an entry would be another user, or a role that nobody assumes.
                if self._edits.put(path, DELETE, why, change.address, "keep"):
                    return
                continue
            if name is None:
                continue
            before = self._edits.planned.get(path)
            if before is not None and before.kind == "place":
                if path in self._edits.fresh:
                    # The environment's own gets another name with it.
                    return
                self._edits.refuse_both(change.address, before.address, f"{before.address} needs {found.named}")
            stem = name.rpartition("/")[2]
            for suffix in (*(() if "baseline" in stem else ("baseline",)), "2", "3"):
                if self._edits.put(path, f"{stem}-{suffix}", why, change.address, "keep"):
                    self._let_go(change, [path], decision)
                    return
        refusals = [(path, self._refusals[path]) for path in self._naming(change) if path in self._refusals]
        decision.open = "no setting leaves it alone: rename the environment's own, or leave it out"
        for path, refusal in refusals[:1]:
            decision.open = f"{decision.reason}; `{dotted(path)}` cannot be changed: {refusal}"

    def _keep_with_alias(self, change: Change, found: Existing, decision: Decision, alias: Decision) -> None:
        """Leave a key alone, which has no name of its own: so is its alias, or that would be moved to a new key."""
        self._edits.drop(change.address)
        if alias.choice is not Choice.KEEP:
            alias.reason = f"{found.named} behind it is left alone: {decision.reason}"
            self._keep(*self._found[alias.proposal.address], alias)
        decision.open = alias.open

    def _keep_key_of(self, alias: Change, because: Decision) -> None:
        """What is behind an alias that is left alone is left alone, too."""
        key = self.decisions.get(key_of(alias.address) or "")
        if key is None or key.choice is Choice.KEEP:
            return
        if key.given:
            raise contradict(key, because)
        key.choice, key.reason = Choice.KEEP, because.reason
        self._edits.drop(key.proposal.address)

    def _naming(self, change: Change) -> list[Path]:
        """Settings that name it: of the several that name roles, the one that has this name."""
        name = change.after.get("name")
        own = self.iam_names.get((change.type, name)) if isinstance(name, str) else None
        return _paths(_naming, change) if own is None else [own]

    def _skip(self, path: Path, change: Change) -> Any:
        """The value of a setting that leaves a resource out; None: the file does not have the setting."""
        so_far = self._edits.now(path)
        if is_of_regions(path[-1]):
            return [region for region in so_far if region != change.region] if isinstance(so_far, list) else None
        if not path[-1].startswith("existing_"):
            return False
        entries = list(so_far) if isinstance(so_far, list) else []
        key = Address.parse(change.address).key
        return entries if key in entries else [*entries, key]

    def _let_go(self, change: Change, paths: Collection[Path], because: Decision) -> None:
        """What has its name from the same setting goes the same way: imported, it would be replaced now."""
        for address, decision in list(self.decisions.items()):
            if decision is because or decision.choice is Choice.KEEP or not self._shares(address, paths):
                continue
            if decision.given:
                raise contradict(decision, because)
            decision.choice, decision.reason = Choice.KEEP, because.reason
            for planned in [
                p for p in self._edits.planned.values() if p.address == address and p.edit.path not in paths
            ]:
                del self._edits.planned[planned.edit.path]

    def _leave_out(self, change: Change, decision: Decision, why: str) -> None:
        """Only one can exist: the environment does without the component."""
        path = ("components", str(change.component))
        if any(path == tried for tried, _ in self._edits.rejected):
            needed = self._needed.get(path[1], f"another component needs `{path[1]}`")
            decision.open = f"{decision.reason}; {needed}"
            return
        for address, other in list(self.decisions.items()):
            if self._found[address][0].component != change.component or other is decision:
                continue
            if other.given and other.choice is not Choice.KEEP:
                raise contradict(other, decision)
            other.choice, other.reason = Choice.KEEP, f"`{change.component}` is left out"
            self._edits.drop(address)
        for inner in [p for p in self._edits.planned if p[:2] == path]:
            del self._edits.planned[inner]
        self._edits.planned[path] = Planned(
            Edit(path, DELETE, f"{change.component} is left out. {why}"), change.address, "out"
        )


def _blamed(problems: Iterable[Problem], tried: Collection[Planned]) -> list[Planned]:
    """The edits because of which the file breaks its rules: of several, as few as can be said.

    A rule that is about two settings is reported at one of them, and an edit may be of the other.
    """
    told = tuple(problems)
    if concerned := [p for p in tried if any(_concerns(problem, p) for problem in told)]:
        removed = [p for p in concerned if any(_misses(problem, p) for problem in told)]
        return removed or concerned
    if missed := [p for p in tried if any(_misses(problem, p) for problem in told)]:
        # What is needed is reported at the one that needs it.
        return missed
    near = max((_near(problem, p) for problem in told for p in tried), default=0)
    if near > len(("components", "name")):
        return [p for p in tried if any(_near(problem, p) == near for problem in told)]
    return [p for p in tried if p.kind == "out"] or [p for p in tried if p.edit.value is DELETE] or list(tried)


def _misses(problem: Problem, planned: Planned) -> bool:
    """Whether a problem names what an edit removes: an entry, quoted, or a component."""
    name = planned.edit.path[-1]
    named = f"the component {name}," if planned.kind == "out" else repr(name)
    return planned.edit.value is DELETE and named in str(problem)


def _near(problem: Problem, planned: Planned) -> int:
    """How many steps the places of a problem and an edit have in common."""
    steps_of = zip(re.split(r"[.[]", problem.path), planned.edit.path, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], steps_of))


def _concerns(problem: Problem, planned: Planned) -> bool:
    """Whether a problem is at an edit, in it, or in what it is part of, up to its component."""
    path = dotted(planned.edit.path)
    if problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")):
        return True
    return "." in problem.path and path.startswith(f"{problem.path}.")


def _is_the_same(change: Change, found: Existing) -> bool:
    return found.overwritten and not found.differences(change)


def _other_name(change: Change, found: Existing) -> str | None:
    """The name of what was found, if it is another than the planned one, so that only one can exist."""
    if found.overwritten or found.spelled is not None or found.live is None:
        return None
    planned, live = change.after, found.live
    return next(
        (live.key[n] for n in NAMES if n in live.key and isinstance(planned.get(n), str) and live.key[n] != planned[n]),
        None,
    )


def _overwritten_name(change: Change, found: Existing) -> str | None:
    """The name of what the create would give another one, as with an account's alias."""
    if not found.overwritten:
        return None
    names = ((found.values[n], change.after.get(n)) for n in NAMES if isinstance(found.values.get(n), str))
    return next((old for old, new in names if isinstance(new, str) and old != new), None)


def _naming(address: str, component: str | None) -> tuple[str, ...]:
    """As `naming`: a key is called as its alias is."""
    return naming(alias_of(address) or address, component)


def _paths(keys: Callable[[str, str | None], Iterable[str]], change: Change) -> list[Path]:
    """Settings of a resource, by one of the functions of `toolkit.plan.settings`."""
    found = [steps(key, change.address) for key in keys(change.address, change.component)]
    # Which entry of several decides is not in every address.
    return [path for path in found if "*" not in path]
