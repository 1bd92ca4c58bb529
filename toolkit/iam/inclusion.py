"""Whether statements cover a statement: whether each request that it matches is one that they match.

In: parsed statements. Out: yes, or that it cannot be shown. Pure. The evaluator's twin for whatever requests there may
be, and on the safe side everywhere: what AWS may read in two ways has to hold in both, a policy variable may be
anything and covers nothing but itself, and an account covers none of its principals (it delegates to them, where naming
one grants).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, TypeVar

from toolkit.globs import STAR, Glob
from toolkit.iam.conditions import Condition, SetOperator, as_bytes, as_network, as_number, moment
from toolkit.iam.document import PolicyDocument, Principals, Statement
from toolkit.iam.matching import Pattern, action_pattern, pattern

_ALTERNATIVES = 256
"""Combinations of condition values that are told apart at most; what is beyond is taken as a whole."""
_Entry = TypeVar("_Entry")
_ROOT = re.compile(r"arn:[^:]*:iam::(\d{12}):root")


def covered(narrow: Statement, source: PolicyDocument, document: PolicyDocument, effect: str) -> bool:
    """Whether every request that `narrow` matches is matched by a statement of that effect in `document`.

    Args:
        narrow: A statement.
        source: The document it is of, whose Version says whether it has variables.
        document: The other document.
        effect: Allow or Deny.
    """
    wide = [_Side(s, document.variables) for s in document.statements if s.effect == effect]
    return _covered(_Side(narrow, source.variables), wide)


@dataclass(frozen=True)
class _Side:
    """A statement and how it is read."""

    statement: Statement
    variables: bool

    def resources(self, texts: Iterable[str]) -> list[Pattern]:
        return [pattern(text, variables=self.variables) for text in texts]


def _covered(narrow: _Side, wide: Sequence[_Side]) -> bool:
    # Different statements may cover different principals, actions, resources and values: for each combination of them
    # there has to be one that covers it. `left` holds which statements may, for every combination looked at so far.
    left = {frozenset(range(len(wide)))}
    for parts, contains in (
        (_each_principal(narrow), _principals_contain),
        (_each_action(narrow), _actions_contain),
        (_each_resource(narrow), _resources_contain),
        (_each_value(narrow), _conditions_contain),
    ):
        covering = {frozenset(i for i, one in enumerate(wide) if contains(one, part)) for part in parts}
        left = {some & those for some in left for those in covering}
    return all(left)


def _each_action(side: _Side) -> Iterator[_Side]:
    for action in side.statement.actions:
        yield replace(side, statement=replace(side.statement, actions=(action,)))
    if not side.statement.actions:
        yield side


def _each_resource(side: _Side) -> Iterator[_Side]:
    for resource in side.statement.resources:
        yield replace(side, statement=replace(side.statement, resources=(resource,)))
    if not side.statement.resources:
        yield side


def _each_principal(side: _Side) -> Iterator[_Side]:
    principals = side.statement.principals
    if principals is None or principals.everyone:
        yield side
        return
    by_kind = _names(principals)
    for kind, names in by_kind.items():
        for name in names:
            alone = Principals(False, *((name,) if kind == other else () for other in by_kind))
            yield replace(side, statement=replace(side.statement, principals=alone))


def _each_value(side: _Side) -> Iterator[_Side]:
    alternatives: list[list[Condition]] = []
    number = 1
    for condition in side.statement.conditions:
        # Several values are alternatives, but a negated operator asks for all of them.
        many = len(condition.values)
        if condition.operator.negated or condition.set_operator is SetOperator.ALL or number * many > _ALTERNATIVES:
            alternatives.append([condition])
            continue
        alternatives.append([replace(condition, values=(value,)) for value in condition.values])
        number *= many
    for conditions in product(*alternatives):
        yield replace(side, statement=replace(side.statement, conditions=conditions))


def _actions_contain(wide: _Side, narrow: _Side) -> bool:
    return _list_contains(
        *(_actions(wide.statement.actions), _actions(wide.statement.not_actions)),
        *(_actions(narrow.statement.actions), _actions(narrow.statement.not_actions)),
        everything=action_pattern("*"),
        covers=lambda w, n: w.covers(n),
        meet=lambda one, other: one.overlaps(other),
    )


@lru_cache(maxsize=1024)
def _actions(texts: tuple[str, ...]) -> tuple[Glob, ...]:
    return tuple(action_pattern(text) for text in texts)


def _resources_contain(wide: _Side, narrow: _Side) -> bool:
    return _list_contains(
        *(wide.resources(wide.statement.resources), wide.resources(wide.statement.not_resources)),
        *(narrow.resources(narrow.statement.resources), narrow.resources(narrow.statement.not_resources)),
        everything=Pattern((STAR,)),
        covers=_resource_covers,
        meet=_resources_meet,
    )


def _list_contains(
    wide: Sequence[_Entry],
    wide_not: Sequence[_Entry],
    narrow: Sequence[_Entry],
    narrow_not: Sequence[_Entry],
    *,
    everything: _Entry,
    covers: Callable[[_Entry, _Entry], bool],
    meet: Callable[[_Entry, _Entry], bool],
) -> bool:
    """Whether one list of entries, or all but one, contains another."""
    if wide and narrow:
        return all(any(covers(w, n) for w in wide) for n in narrow)
    if wide_not and narrow_not:
        return all(any(covers(n, w) for n in narrow_not) for w in wide_not)
    if wide_not:
        return not any(meet(w, n) for w in wide_not for n in narrow)
    # All but a list is certain to be contained only in everything.
    return any(covers(w, everything) for w in wide)


def _resource_covers(wide: Pattern, narrow: Pattern) -> bool:
    if wide == narrow or wide.symbols == (STAR,):
        return True
    if wide.shifting or narrow.shifting:
        return False
    return wide.resource.covers(narrow.resource) and wide.resource_by_part.covers(narrow.resource_by_part)


def _resources_meet(one: Pattern, other: Pattern) -> bool:
    return one.shifting or other.shifting or one.resource.overlaps(other.resource)


def _names(principals: Principals) -> dict[str, frozenset[str]]:
    """Whom it names, by kind in the order of Principals; an account's root ARN is another way to write its number.

    "AWS account principals": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    return {
        "aws": frozenset(found[1] if (found := _ROOT.fullmatch(name)) else name for name in principals.aws),
        "service": frozenset(principals.service),
        "federated": frozenset(principals.federated),
        "canonical_user": frozenset(principals.canonical_user),
    }


def same_principals(one: Principals | None, other: Principals | None) -> bool:
    """Whether two elements name the same, however written."""
    if one is None or other is None or one.everyone != other.everyone:
        return one == other
    return one.everyone or _names(one) == _names(other)


def _principals_contain(wide_side: _Side, narrow_side: _Side) -> bool:
    wide, narrow = wide_side.statement, narrow_side.statement
    if wide.not_principals is not None:
        # All but few contains all but those and others. Whether somebody is among them is not asked.
        return narrow.not_principals is not None and _all_named(narrow.not_principals, wide.not_principals)
    if wide.principals is None or narrow.principals is None:
        everyone = wide.principals is not None and wide.principals.everyone
        return everyone if narrow.not_principals is not None else wide.principals is narrow.principals
    return _all_named(wide.principals, narrow.principals)


def _all_named(wide: Principals, narrow: Principals) -> bool:
    if wide.everyone or narrow.everyone:
        return wide.everyone
    many, few = _names(wide), _names(narrow)
    return all(few[kind] <= many[kind] for kind in few)


def _conditions_contain(wide: _Side, narrow: _Side) -> bool:
    # Every condition narrows: what the wide one asks for, the narrow one must ask for, too.
    return all(
        any(_implies(n, narrow.variables, w, wide.variables) for n in narrow.statement.conditions)
        for w in wide.statement.conditions
    )


def _implies(narrow: Condition, narrow_variables: bool, wide: Condition, wide_variables: bool) -> bool:
    """Whether a request for which `narrow` holds is one for which `wide` holds."""
    family = _family(narrow)
    if narrow.key.lower() != wide.key.lower() or narrow.set_operator is not wide.set_operator:
        return False
    if family != _family(wide) or not _holds_without_key(narrow, wide):
        return False
    read, covers, meet = _FAMILIES.get(family, _PLAIN)
    few = [read(narrow, value, narrow_variables) for value in narrow.values]
    many = [read(wide, value, wide_variables) for value in wide.values]
    if narrow.set_operator is not SetOperator.NONE and (narrow.operator.negated or wide.operator.negated):
        # AWS does not say plainly how several values count here: only the same ones are certain.
        same = all(w in few for w in many) and all(n in many for n in few)
        return same and narrow.operator is wide.operator
    if narrow.operator.negated != wide.operator.negated:
        # What equals one of few values differs from all of many others; never the other way round.
        return wide.operator.negated and not any(meet(w, n) for w in many for n in few)
    if narrow.operator.negated:
        return all(any(covers(n, w) for n in few) for w in many)
    return all(any(covers(w, n) for w in many) for n in few)


def _holds_without_key(narrow: Condition, wide: Condition) -> bool:
    """Whether, where `narrow` holds for a request without the key, `wide` does, too."""
    if narrow.set_operator is not SetOperator.NONE:
        # AWS says of each whether it holds without a key, but not what IfExists then adds.
        return wide.if_exists or not narrow.if_exists
    return wide.if_exists or wide.operator.negated or not (narrow.if_exists or narrow.operator.negated)


def _family(condition: Condition) -> str:
    """Operators whose values can be compared with each other."""
    name = condition.operator.name
    return next((family for family in _FAMILIES if family in name), name)


def _read_text(condition: Condition, value: str, variables: bool) -> tuple[bool, Pattern]:
    read = pattern(value, variables=variables)
    if "Like" not in condition.operator.name:
        read = Pattern(read.exact.symbols)
    return "IgnoreCase" in condition.operator.name, read


def _text_covers(wide: tuple[bool, Pattern], narrow: tuple[bool, Pattern]) -> bool:
    if wide[0]:
        return wide[1].folded.glob.covers(narrow[1].folded.glob)
    return not narrow[0] and wide[1].glob.covers(narrow[1].glob)


def _texts_meet(one: tuple[bool, Pattern], other: tuple[bool, Pattern]) -> bool:
    if one[0] or other[0]:
        return one[1].folded.glob.overlaps(other[1].folded.glob)
    return one[1].glob.overlaps(other[1].glob)


def _read_arn(_condition: Condition, value: str, variables: bool) -> Pattern:
    return pattern(value, variables=variables)


def _arn_covers(wide: Pattern, narrow: Pattern) -> bool:
    if wide == narrow:
        return True
    if wide.shifting or narrow.shifting:
        return False
    return all(w.glob.covers(n.glob) for w, n in zip(wide.fields, narrow.fields, strict=True))


def _arns_meet(one: Pattern, other: Pattern) -> bool:
    if one.shifting or other.shifting:
        return True
    return all(a.glob.overlaps(b.glob) for a, b in zip(one.fields, other.fields, strict=True))


_Bound = tuple[Any, ...]
"""(1, value, -1, 0 or 1: just below, at or just above it), (0,) for no least and (2,) for no greatest."""


def _read_range(condition: Condition, value: str, _variables: bool) -> tuple[_Bound, _Bound]:
    name = condition.operator.name
    at = as_number(value) if name.startswith("Numeric") else moment(value)
    beside = 0 if name.endswith("Equals") else 1
    if "LessThan" in name:
        return (0,), (1, at, -beside)
    if "GreaterThan" in name:
        return (1, at, beside), (2,)
    return (1, at, 0), (1, at, 0)


def _range_covers(wide: tuple[_Bound, _Bound], narrow: tuple[_Bound, _Bound]) -> bool:
    return wide[0] <= narrow[0] and narrow[1] <= wide[1]


def _ranges_meet(one: tuple[_Bound, _Bound], other: tuple[_Bound, _Bound]) -> bool:
    return max(one[0], other[0]) <= min(one[1], other[1])


def _read_network(_condition: Condition, value: str, _variables: bool) -> Any:
    return as_network(value)


def _network_covers(wide: Any, narrow: Any) -> bool:
    return bool(wide.version == narrow.version and narrow.subnet_of(wide))


def _networks_meet(one: Any, other: Any) -> bool:
    return bool(one.version == other.version and one.overlaps(other))


def _read_plain(condition: Condition, value: str, variables: bool) -> Any:
    """A truth value, in whatever case; or bytes."""
    if condition.operator.name == "BinaryEquals":
        return as_bytes(value)
    return pattern(value, variables=variables).folded


_Family = tuple[
    Callable[[Condition, str, bool], Any],
    Callable[[Any, Any], bool],
    Callable[[Any, Any], bool],
]
"""How a value is read, whether one covers another, whether two have something in common."""

_FAMILIES: dict[str, _Family] = {
    "String": (_read_text, _text_covers, _texts_meet),
    "Arn": (_read_arn, _arn_covers, _arns_meet),
    "Numeric": (_read_range, _range_covers, _ranges_meet),
    "Date": (_read_range, _range_covers, _ranges_meet),
    "IpAddress": (_read_network, _network_covers, _networks_meet),
}
_PLAIN: _Family = (_read_plain, lambda wide, narrow: bool(wide == narrow), lambda _one, _other: True)


def condition_meaning(condition: Condition) -> tuple[object, ...]:
    """The same for two conditions that differ only in the order of values, or in the case of a key or a truth value."""
    truth = condition.operator.name in ("Bool", "Null")
    values = sorted({value.lower() if truth else value for value in condition.values})
    return condition.operator.name, condition.set_operator, condition.if_exists, condition.key.lower(), tuple(values)
