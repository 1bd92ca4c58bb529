"""What to change in environment.yaml so that a check that fails passes once the change is applied.

In: a check, the content of the file, and how such content is read. Out: a Fix. Pure. An edit is tried before it is
proposed: the file with it is valid, meets what controls.yaml claims of the check, and makes nothing weaker. `--fix`
writes only values that are a component's default or in a profile of `toolkit new`, and switches only components on that
are in one: whatever else would meet the claim may cost or break what nobody has thought of, and is left to people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from toolkit.audit.claims import type_of
from toolkit.audit.model import Check
from toolkit.components.base import PROFILES, Component, Scope
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Claim, claims
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.model import Environment
from toolkit.environment.splice import Edit, splice_bytes
from toolkit.errors import ToolkitError
from toolkit.plan.strengths import weakenings
from toolkit.resources.price import Price, Step
from toolkit.resources.registry import RESOURCES

Read = Callable[[bytes], Environment]
"""The environment that a file of this content would be; raises ToolkitError where there is none."""


class Kind(Enum):
    """What there is to do in environment.yaml."""

    EDIT = "edit"
    """An edit meets the check; `--fix` writes it."""
    ALREADY_SET = "already-set"
    """It asks for what the check wants; the account does not have it, or not yet."""
    BY_HAND = "by-hand"
    """Only people can decide on a value, or on a component; settings are what would do."""


@dataclass(frozen=True)
class Setting:
    """One key to set."""

    path: tuple[str, ...]
    value: Any


@dataclass(frozen=True)
class Cost:
    """What an edit makes AWS bill; see `toolkit.plan.cost`, which knows every resource of a plan."""

    what: str
    monthly_usd: float | None
    """The fixed part; None where all depends on usage."""
    driver: str | None
    """What the part that depends on usage depends on; None where the fixed part is all."""
    basis: str
    """The prices, for people; empty where they are those of several resources."""


@dataclass(frozen=True)
class Fix:
    """What to do in environment.yaml about a check."""

    check: str
    component: str
    kind: Kind
    settings: tuple[Setting, ...] = ()
    note: str | None = None
    """Why people have to decide, or what stays to be done."""
    costs: tuple[Cost, ...] = ()
    diff: str = ""
    """Of the rendered files; empty where that is not known, or nothing."""


def fix_of(
    check: Check, raw: bytes, read: Read, where: str, failed_in: Collection[str] = ()
) -> tuple[Fix, bytes] | None:
    """The fix of a check, and the file with its settings; None where no component of ours does what it asks.

    Args:
        check: The check.
        raw: The file as it is, of a valid environment.
        read: How such content is read.
        where: How errors name the file.
        failed_in: Regions in which it fails; none: not known.
    """
    served = _served(check)
    if served is None:
        return None
    component = REGISTRY[str(check.remedy.component)]
    trial = _Trial(component, served, raw, read, where)
    try:
        trial.solve()
    except EnvironmentFileError as e:
        return Fix(
            check.id, component.name, Kind.BY_HAND, note=f"{component.name} needs a decision: {e.problems[0]}"
        ), raw
    except ToolkitError as e:
        return Fix(check.id, component.name, Kind.BY_HAND, note=str(e)), raw
    outside = sorted(set(failed_in) - _governed(trial.environment, component)) if check.regional else []
    note = f"{', '.join(outside)}: not an active region of the component; see `regions.active`" if outside else None
    if outside and len(outside) == len(set(failed_in)):
        return Fix(check.id, component.name, Kind.BY_HAND, note=note), raw
    settings = tuple(Setting(edit.path, edit.value) for edit in trial.edits)
    if trial.undecided and not trial.is_met:
        return Fix(check.id, component.name, Kind.BY_HAND, note=trial.undecided), raw
    if trial.undecided:
        return Fix(check.id, component.name, Kind.BY_HAND, settings, trial.undecided, tuple(trial.costs())), trial.raw
    kind = Kind.EDIT if settings else Kind.ALREADY_SET
    return Fix(check.id, component.name, kind, settings, note, tuple(trial.costs())), trial.raw


def _served(check: Check) -> tuple[Claim, ...] | None:
    """What the remedy's component claims of the check's topics, or of the setting that the remedy names."""
    remedy = check.remedy
    if remedy.component is None:
        return None
    own, topics = claims(remedy.component), (check.id, *check.topics)
    found = tuple(claim for claim in own if claim.topic in topics)
    found = found or tuple(claim for claim in own if remedy.setting and claim.setting == remedy.setting)
    return found or None


def _governed(environment: Environment, component: Component) -> set[str]:
    """Active regions in which the component is applied."""
    enabled = environment.enabled(component.name)
    skipped = getattr(enabled.settings, "skipped_regions", ()) if enabled else ()
    return set(environment.regions.active) - set(skipped)


@dataclass
class _Trial:
    """The file, edit by edit."""

    component: Component
    claims: tuple[Claim, ...]
    raw: bytes
    read: Read
    where: str

    def __post_init__(self) -> None:
        self.edits: list[Edit] = []
        self.undecided: str | None = None
        """Why people have to decide on the edits."""
        self.environment = self._before = self.read(self.raw)
        self._held = frozenset(_held(self._before))

    def solve(self) -> None:
        """Edit until every claim is met, or no value is left to try.

        Raises:
            EnvironmentFileError: A component that has to be on needs settings without a default.
            ToolkitError: The file cannot be edited there.
        """
        missing = list(self._missing(self.component.name))
        for name in missing:
            if not REGISTRY[name].profiles:
                self._leave_to_people(
                    f"`components.{name}` is in no profile of `toolkit new`: switching it on is a decision of its own"
                )
        if missing:
            # Together, since one needs the other.
            self._try([Edit(("components", name), {}) for name in missing])
        for claim in self.claims:
            if not _is_met(claim, self.component.name, self.environment):
                self._meet(claim)

    @property
    def is_met(self) -> bool:
        """Whether every claim is met by now."""
        return all(_is_met(claim, self.component.name, self.environment) for claim in self.claims)

    def _leave_to_people(self, reason: str) -> None:
        self.undecided = self.undecided or reason

    def _meet(self, claim: Claim) -> None:
        key = f"components.{self.component.name}.{claim.setting}"
        now = _now(claim, self.component.name, self.environment)
        if self._set(claim, _usual(self.component, claim, now)):
            return
        self._leave_to_people(
            f"`{key}` (expected: {claim.expectation}): neither its default nor a profile of `toolkit new` sets it so; "
            "look at what it changes first"
        )
        self._set(claim, _expected(claim, now))

    def _missing(self, name: str) -> Iterator[str]:
        """Components that have to be switched on, what others need first."""
        if self.environment.enabled(name) is None:
            for need in REGISTRY[name].requires:
                yield from self._missing(need)
            yield name

    def _set(self, claim: Claim, values: Iterable[Any]) -> bool:
        """Set what a claim is about to the first value that meets it, and every other claim that was met."""
        path = ("components", self.component.name, *str(claim.setting).split("."))
        for value in values:
            before = (list(self.edits), self.raw, self.environment)
            try:
                self._try([Edit(path, value)])
            except EnvironmentFileError:
                continue
            if _is_met(claim, self.component.name, self.environment) and not self._weaker():
                return True
            self.edits, self.raw, self.environment = before
        return False

    def _try(self, edits: Sequence[Edit]) -> None:
        raw = splice_bytes(self.raw, edits, where=self.where)
        self.environment = self.read(raw)
        self.raw = raw
        self.edits += edits

    def _weaker(self) -> bool:
        """Whether anything that was met is not any more, or a value went to its weaker side."""
        if not self._held <= set(_held(self.environment)):
            return True
        for name, claim in ((e.component.name, c) for e in self._before.components for c in claims(e.component.name)):
            if claim.setting is None or claim.attribute is None:
                continue
            old, new = (_now(claim, name, one) for one in (self._before, self.environment))
            sides = ({claim.attribute: _plain(one)} for one in (old, new))
            if old != new and old is not None and any(weakenings(RESOURCES[type_of(claim)], *sides)):
                return True
        return False

    def costs(self) -> Iterator[Cost]:
        """What the edits make AWS bill, as far as the records of the claimed types and the components say."""
        if not self.edits:
            return
        for enabled in self.environment.components:
            component = enabled.component
            if self._before.enabled(component.name) is None and component.bills is not None:
                yield Cost(f"component {component.name}", None, component.bills, "")
        everywhere = self.component.scope is Scope.EVERY_REGION
        for kind in dict.fromkeys(type_of(claim) for claim in self.claims):
            record = RESOURCES[kind]
            values = {c.attribute: next(iter(c.expect.values()), None) for c in self.claims if type_of(c) == kind}
            after = {name: value for name, value in values.items() if name is not None}
            step = Step(created=True, changed=False, before={}, after=after, keys=record.keys)
            if isinstance(record.price, Price) and record.price.starts(step):
                times = 1
                if everywhere and not (record.reading and record.reading.is_global):
                    times = len(_governed(self.environment, self.component))
                fixed = None if record.price.fixed is None else record.price.fixed * times
                what = record.price.what + (f", in {times} regions" if times > 1 else "")
                yield Cost(what, fixed, record.price.driver, record.price.basis)


def _held(environment: Environment) -> Iterator[tuple[str, int]]:
    """Every claim that the settings of an environment meet: component, and position in its controls.yaml."""
    for enabled in environment.components:
        name = enabled.component.name
        yield from ((name, number) for number, one in enumerate(claims(name)) if _is_met(one, name, environment))


def _is_met(claim: Claim, component: str, environment: Environment) -> bool:
    """Whether the environment's settings meet a claim, as the comments beside rendered values say it."""
    if environment.enabled(component) is None:
        return False
    value = _now(claim, component, environment)
    return claim.setting is None or (value not in (None, (), [], {}, "") and claim.met_by(value))


def _now(claim: Claim, component: str, environment: Environment) -> Any:
    """The value that a claim's setting has, its default where the file does not say."""
    enabled = environment.enabled(component)
    if enabled is None or claim.setting is None:
        return None
    value: Any = enabled.settings.model_dump()
    for step in claim.setting.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _usual(component: Component, claim: Claim, now: Any) -> Iterator[Any]:
    """Values of a claim's setting that are its default, or in a profile, and meet it; the default first."""
    steps = str(claim.setting).split(".")
    for value in (
        _default(component.settings, steps),
        *(_in_block(component.profiles.get(p), steps) for p in PROFILES),
    ):
        if value not in (None, (), [], {}, "") and claim.met_by(value):
            wanted = claim.expect.get("contains")
            # What is in a list stays.
            longer = isinstance(now, (list, tuple)) and wanted is not None
            yield [*map(_plain, now), wanted] if longer else _plain(value)


def _expected(claim: Claim, now: Any) -> Iterator[Any]:
    """The value that the claim itself names."""
    for operator, wanted in claim.expect.items():
        if operator == "contains":
            yield [*map(_plain, now if isinstance(now, (list, tuple)) else ()), wanted]
        else:
            yield _plain(wanted[0] if operator in ("between", "one_of") else wanted)


def _default(model: type[BaseModel], steps: Sequence[str]) -> Any:
    field = model.model_fields.get(steps[0])
    value: Any = None if field is None or field.is_required() else field.get_default(call_default_factory=True)
    return _in_block(value.model_dump() if isinstance(value, BaseModel) else value, steps[1:])


def _in_block(block: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        block = block.get(step) if isinstance(block, Mapping) else None
    return block


def _plain(value: Any) -> Any:
    """As YAML holds it."""
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
