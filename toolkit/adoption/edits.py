"""The edits of environment.yaml that are planned so far, and which of them a plan or the file's rules have tried.

In: a value that something needs of a setting. Out: whether it is planned. Pure. An edit is fresh until a plan was made
with it: of two that need the same setting in one round, the value that is as strong as both is tried. What was tried
and did not help is never planned again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from toolkit.adoption.decisions import Decision, contradict
from toolkit.adoption.stronger import Demand, joint
from toolkit.environment.source import Data
from toolkit.environment.splice import DELETE, Edit
from toolkit.plan.model import shown
from toolkit.plan.settings import is_entry
from toolkit.typed import dotted
from toolkit.typed import same_json as _same_json

Path = tuple[str, ...]
_ONE_VALUE = "`{}` decides about both and has one value: adopt one of them, keep or replace the other"


def same_json(one: Any, other: Any) -> bool:
    """Whether two edits have the same value; that nothing is left is one, too."""
    return one is other if DELETE in (one, other) else _same_json(one, other)


@dataclass(frozen=True)
class Planned:
    """An edit, and what it is for."""

    edit: Edit
    address: str
    kind: str
    """ "import", "name", "stronger", "place", "keep" or "out"."""
    demands: tuple[Demand, ...] = ()
    """What all resources need of it that a plan showed in the same round."""


@dataclass
class Edits:
    """Edits by path.

    Attributes:
        written: The environment file's data as it was found.
        decisions: Address → decision; filled by the caller.
        planned: Path → edit.
        fresh: Paths of this round, which no plan has tried yet.
        rejected: What was tried and did not help.
    """

    written: Data
    decisions: Mapping[str, Decision]
    planned: dict[Path, Planned] = field(default_factory=dict)
    fresh: set[Path] = field(default_factory=set)
    rejected: list[tuple[Path, Any]] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Planned]:
        """Those of some kinds."""
        return [planned for planned in self.planned.values() if planned.kind in kinds]

    def now(self, path: Path) -> Any:
        """The value that a setting has with the edits so far, or in the file as it was found."""
        if path in self.planned:
            return self.planned[path].edit.value
        here = self.written
        for step in path:
            here = here.get(step) if isinstance(here, dict) else None
        return here

    def put(
        self,
        path: Path,
        value: Any,
        reason: str,
        address: str,
        kind: str,
        demands: tuple[Demand, ...] = (),
    ) -> bool:
        """Plan an edit; False where it was tried already, or must not be written.

        Args:
            path: The setting.
            value: What it needs.
            reason: The edit's comment.
            address: Of the resource that needs it.
            kind: As `Planned.kind`.
            demands: As `Planned.demands`.

        Raises:
            UsageError: Another decision that was given needs another value of it.
        """
        if not self._is_own_entry(path, address) or self.is_rejected(path, value):
            return False
        planned = Planned(Edit(path, value, reason), address, kind, demands)
        old = self.planned.get(path)
        if old is not None and path in self.fresh:
            if old.kind == kind and not (kind == "keep" and isinstance(value, list)):
                planned = self._settle(old, planned)
                if self.is_rejected(path, planned.edit.value):
                    return False
        elif old is not None and kind == "keep" and isinstance(value, list):
            # It has the entries of the other.
            pass
        elif old is not None and same_json(old.edit.value, value):
            if kind == "name":
                return True
            if old.address == address:
                # It did not help.
                self.take_back(old)
            return False
        elif old is not None:
            # A plan was made with it, and something needs another value.
            if old.kind == kind and kind in ("name", "place"):
                self.refuse_both(old.address, address, _ONE_VALUE.format(dotted(path)))
            self.rejected.append((path, old.edit.value))
        self.planned[path] = planned
        self.fresh.add(path)
        return True

    def _settle(self, one: Planned, other: Planned) -> Planned:
        """One edit for what two resources need of the same setting; where one value cannot be for both, what is given.

        Raises:
            UsageError: It cannot, and decisions for both were given.
        """
        planned = _both(one, other)
        exact = one.kind in ("name", "place") and not same_json(one.edit.value, other.edit.value)
        if exact or not all(demand.is_met_by(planned.edit.value) for demand in planned.demands):
            self.refuse_both(one.address, other.address, _ONE_VALUE.format(dotted(one.edit.path)))
            for either in (one, other):
                decision = self.decisions.get(either.address)
                if decision is not None and decision.given:
                    return replace(either, demands=planned.demands)
        return planned

    def is_rejected(self, path: Path, value: Any) -> bool:
        """Whether it was tried and did not help."""
        return any(path == tried and same_json(value, old) for tried, old in self.rejected)

    def _is_own_entry(self, path: Path, address: str) -> bool:
        """Whether no step is an entry that only the defaults have: writing one would drop the others."""
        here: Any = self.written
        for end, step in enumerate(path):
            here = here.get(step) if isinstance(here, dict) else None
            if here is None and is_entry(".".join(path[: end + 1]), address):
                return False
        return True

    def take_back(self, planned: Planned) -> None:
        """Plan it no more, and never again."""
        self.rejected.append((planned.edit.path, None if planned.kind == "out" else planned.edit.value))
        self.planned.pop(planned.edit.path, None)

    def drop(self, address: str) -> None:
        """Plan no more what is for a resource; it may be planned again."""
        for path in [p for p, planned in self.planned.items() if planned.address == address]:
            del self.planned[path]

    def refuse_both(self, one: str, other: str, hint: str) -> None:
        """Refuse two decisions that were given and exclude each other.

        Raises:
            UsageError: Both were given.
        """
        first, second = self.decisions.get(one), self.decisions.get(other)
        if first is not None and second is not None and first.given and second.given and one != other:
            raise contradict(first, second, hint)


def _both(one: Planned, other: Planned) -> Planned:
    """An edit for what two resources need of the same setting, whichever of them a plan shows first."""
    demands = (*one.demands, *other.demands)
    value = joint((one.edit.value, other.edit.value), demands)
    for planned in (one, other):
        if same_json(planned.edit.value, value):
            return replace(planned, demands=demands)
    reason = f"{shown(value)}: everything that several resources have"
    return Planned(Edit(one.edit.path, value, reason), one.address, one.kind, demands)
