"""Which environments a command line means."""

from __future__ import annotations

import pytest

from toolkit.errors import ExitCode, UsageError
from toolkit.fleet.selection import Changed, Selection, Where, select

KNOWN = ("dev", "prod-1", "prod-2", "test")
LABELS = {
    "dev": {"tier": "dev"},
    "prod-1": {"tier": "prod", "ring": "canary"},
    "prod-2": {"tier": "prod", "ring": "rest"},
    "test": {},
}


def chosen(*given: str, where: tuple[str, ...] = (), changed: tuple[str, ...] | None = None) -> Selection:
    asked: list[tuple[str, ...]] = []

    def since(names: tuple[str, ...]) -> Changed:
        asked.append(names)
        return Changed(frozenset(changed or ()), ("old: deleted",))

    return select(
        KNOWN,
        given,
        where=tuple(map(Where.parse, where)),
        changed=None if changed is None else since,
        labels=LABELS.__getitem__,
    )


@pytest.mark.parametrize(
    ("given", "where", "names"),
    [
        ((), (), KNOWN),
        (("test", "dev"), (), ("test", "dev")),
        (("test", "prod-*"), (), ("test", "prod-1", "prod-2")),
        (("prod-2", "prod-*"), (), ("prod-2", "prod-1")),
        (("prod-?",), (), ("prod-1", "prod-2")),
        (("*",), (), KNOWN),
        ((), ("tier=prod",), ("prod-1", "prod-2")),
        ((), ("tier=prod,dev",), ("dev", "prod-1", "prod-2")),
        ((), ("tier=prod", "ring=canary"), ("prod-1",)),
        (("*-2",), ("tier=prod",), ("prod-2",)),
    ],
    ids=str,
)
def test_names_patterns_and_labels(given: tuple[str, ...], where: tuple[str, ...], names: tuple[str, ...]):
    assert chosen(*given, where=where).names == names


@pytest.mark.parametrize(
    ("given", "where", "message"),
    [
        (("prd-1",), (), "no environment 'prd-1'; did you mean 'prod-1'?"),
        (("prod-3*",), (), "no environment matches 'prod-3*'; did you mean 'prod-*'?"),
        (("prd-*",), (), "no environment matches 'prd-*'; did you mean 'prod-*'?"),
        (("dev", "x?y*"), (), "no environment matches 'x?y*'"),
        ((), ("teir=prod",), "--where teir=prod: no environment has a label 'teir'; did you mean 'tier'?"),
        ((), ("tier=prdo",), "--where tier=prdo: no environment has the label tier=prdo; did you mean 'prod'?"),
        # What is found for the other value would hide that this one is misspelt.
        ((), ("tier=dev,prdo",), "--where tier=dev,prdo: no environment has the label tier=prdo; did you mean 'prod'?"),
        (("dev",), ("tier=prod",), "no environment matches --where tier=prod"),
        ((), ("tier=dev", "ring=canary"), "no environment matches --where tier=dev --where ring=canary"),
        ((), ("tier",), "--where: 'tier' is not a label and its value"),
        ((), ("=prod",), "--where: '=prod' is not a label and its value"),
        ((), ("tier=prod,",), "--where: 'tier=prod,' is not a label and its value"),
    ],
    ids=str,
)
def test_what_matches_nothing_is_refused_with_the_nearest_name(
    given: tuple[str, ...], where: tuple[str, ...], message: str
):
    with pytest.raises(UsageError) as refused:
        chosen(*given, where=where)
    assert refused.value.problem == message
    assert refused.value.hint
    assert refused.value.exit_code == ExitCode.USAGE


def test_a_long_list_of_environments_is_shortened():
    known = tuple(f"e{number:04}" for number in range(1000))
    with pytest.raises(UsageError) as refused:
        select(known, ["x"], labels=lambda _: {})
    assert refused.value.hint is not None
    assert refused.value.hint.endswith("e0019 and 980 more")


def test_what_has_changed_is_asked_only_of_what_is_meant_otherwise():
    found = chosen("prod-*", changed=("prod-2", "test"))
    assert found == Selection(("prod-2",), ("old: deleted",))


def test_nothing_changed_is_no_error():
    assert chosen(changed=()).names == ()


def test_labels_are_read_only_where_they_decide():
    def unread(name: str) -> dict[str, str]:
        raise AssertionError(name)

    assert select(KNOWN, ["prod-*"], labels=unread).names == ("prod-1", "prod-2")


@pytest.mark.parametrize(
    ("given", "where", "changed", "single"),
    [
        (("dev",), (), None, "dev"),
        (("de?",), (), None, None),
        (("dev", "test"), (), None, None),
        (("dev",), ("tier=dev",), None, None),
        (("dev",), (), ("dev",), None),
        ((), ("tier=dev",), None, None),
    ],
    ids=str,
)
def test_one_environment_by_its_name_alone_is_the_command_for_one(
    given: tuple[str, ...], where: tuple[str, ...], changed: tuple[str, ...] | None, single: str | None
):
    assert chosen(*given, where=where, changed=changed).single == single


@pytest.mark.parametrize(
    ("known", "given", "expanded", "sweeping"),
    [
        (KNOWN, ["*"], (), ("*",)),
        (KNOWN, ["dev", "*"], (), ("*",)),
        (KNOWN, ["dev", "prod-*", "test"], (), ("dev", "prod-*", "test")),
        (KNOWN, list(KNOWN), (), ()),
        (KNOWN, list(KNOWN), KNOWN, KNOWN),
        (KNOWN, ["prod-*"], (), ()),
        (KNOWN, [], (), ()),
        (("dev",), ["d*"], (), ()),
    ],
    ids=str,
)
def test_a_pattern_that_takes_every_environment_is_known(
    known: tuple[str, ...], given: list[str], expanded: tuple[str, ...], sweeping: tuple[str, ...]
):
    assert select(known, given, labels=lambda _: {}, expanded=expanded).sweeping == sweeping
