"""Which environments a command means: names, patterns, labels, and what has changed.

In: what the command line says, the project's environments, and functions that read more of them where the command line
needs it. Out: a Selection, or a usage error before anything runs. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.errors import UsageError, or_meant
from toolkit.globs import glob
from toolkit.paths import no_environment
from toolkit.spelling import nearest
from toolkit.visible import shortened

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Selection:
    """The environments that a command means."""

    names: tuple[str, ...]
    """Each once: those that are named in the order given, those of a pattern sorted. Empty only if nothing of them has
    changed, or none has a usable account: then the command has nothing to do, which is no error."""
    told: tuple[str, ...] = ()
    """What the user is to know of the selection, like environments that no longer exist."""
    single: str | None = None
    """The environment that is named alone, literally and without an option: the command is then the one for one."""
    sweeping: tuple[str, ...] = ()
    """The pattern by which all of several environments are selected, or the patterns and names that do so together:
    where an account would change, the user may not have meant every one."""


@dataclass(frozen=True)
class Changed:
    """Which environments have changed, as `--changed-since` finds out."""

    names: frozenset[str]
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Where:
    """One `--where KEY=VALUE`: the label has one of these values."""

    key: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Where:
        """ "tier=prod", or "tier=prod,test" for either.

        Raises:
            UsageError: It is none.
        """
        key, sign, rest = text.partition("=")
        values = tuple(value.strip() for value in rest.split(","))
        if not sign or not key.strip() or not all(values):
            raise UsageError(
                f"--where: {text!r} is not a label and its value",
                hint="expected one like tier=prod, or tier=prod,test for either",
            )
        return cls(key.strip(), values)

    def holds(self, labels: Labels) -> bool:
        """Whether an environment with these labels is meant."""
        return labels.get(self.key) in self.values

    def __str__(self) -> str:
        return f"{self.key}={','.join(self.values)}"


def select(
    known: Sequence[str],
    given: Iterable[str],
    *,
    where: Sequence[Where] = (),
    changed: Callable[[tuple[str, ...]], Changed] | None = None,
    labels: Callable[[str], Labels],
    expanded: Collection[str] = (),
    unusable: Callable[[str], str | None] | None = None,
) -> Selection:
    """The environments that are meant.

    Args:
        known: Names of all environments, sorted.
        given: Names and patterns (`*` any characters, `?` one); none: every environment.
        where: Labels that must all hold.
        changed: Which of some environments have changed; None: that does not matter.
        labels: The labels of an environment.
        expanded: Those of `given` that a shell may have made of a pattern.
        unusable: Why the account of an environment cannot be used, or None: such an environment is left out unless it
            is named. None: that does not matter.

    Raises:
        UsageError: A name that no environment has, a pattern that none matches, an unknown label or value, or nothing
            that all of it holds for.
    """
    given = tuple(given)
    names = tuple(dict.fromkeys(name for each in given for name in _matching(each, known))) if given else tuple(known)
    if where:
        names = _labelled(names, known, where, labels)
    named = {each for each in given if not _is_pattern(each) and (each not in expanded or len(given) == 1)}
    out = {name: why for name in names if unusable and name not in named and (why := unusable(name))}
    names = tuple(name for name in names if name not in out)
    told = tuple(f"{name} is left out: its account is {why}" for name, why in out.items())
    if changed is not None:
        found = changed(names)
        names, told = tuple(name for name in names if name in found.names), (*told, *found.told)
    patterns = any(_is_pattern(each) or each in expanded for each in given)
    alone = next((each for each in given if _is_pattern(each) and len(_matching(each, known)) == len(known)), None)
    return Selection(
        names,
        told,
        single=names[0] if len(given) == 1 and given == names and not where and changed is None else None,
        sweeping=(given if alone is None else (alone,)) if patterns and 1 < len(names) == len(known) - len(out) else (),
    )


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _matching(given: str, known: Sequence[str]) -> tuple[str, ...]:
    if not _is_pattern(given):
        if given not in known:
            raise no_environment(given, known)
        return (given,)
    pattern = glob(given)
    found = tuple(name for name in known if pattern.matches(name))
    if not found:
        guess = _nearest_pattern(given, known)
        raise UsageError(
            f"no environment matches {given!r}" + (f"; did you mean {guess!r}?" if guess else ""),
            where="environments/",
            hint=f"environments: {shortened(known) or 'none yet; `toolkit new ENV` makes one'}",
        )
    return found


def _nearest_pattern(given: str, known: Sequence[str]) -> str | None:
    """The pattern that a misspelt one was meant to be, where only its end is a wildcard: `prod-*` for `prd-*`."""
    stem = given.removesuffix("*")
    if not stem or _is_pattern(stem):
        return None
    lengths = range(len(stem) - 1, len(stem) + 2)
    meant = nearest(stem, sorted({name[:length] for name in known for length in lengths}))
    return f"{meant}*" if meant else None


def _labelled(
    names: tuple[str, ...], known: Sequence[str], where: Sequence[Where], labels: Callable[[str], Labels]
) -> tuple[str, ...]:
    """Those of `names` for which all of `where` holds.

    Raises:
        UsageError: There are none; a label or value that no environment has is named with the nearest.
    """
    found = tuple(name for name in names if all(each.holds(labels(name)) for each in where))
    # A second value that nothing has is a slip of the pen, too: `tier=prod,tset` would leave out what was meant.
    if found and all(value in {labels(n).get(each.key) for n in names} for each in where for value in each.values):
        return found
    for each in where:
        values = {labels(name)[each.key] for name in known if each.key in labels(name)}
        if not values:
            keys = sorted({key for name in known for key in labels(name)})
            raise UsageError(
                f"--where {each}: no environment has a label {each.key!r}{or_meant(each.key, keys)}",
                where="environments/",
                hint=f"labels: {shortened(keys) or 'none yet; `labels` of environment.yaml sets them'}",
            )
        for value in each.values:
            if value not in values:
                raise UsageError(
                    f"--where {each}: no environment has the label {each.key}={value}{or_meant(value, sorted(values))}",
                    where="environments/",
                    hint=f"values of {each.key}: {shortened(sorted(values))}",
                )
    if not found:
        raise UsageError(
            f"no environment matches --where {' --where '.join(map(str, where))}",
            where="environments/",
            hint=f"looked at: {shortened(names)}; `toolkit environments` lists labels",
        )
    return found
