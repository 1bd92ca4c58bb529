"""What a bucket's lifecycle deletes sooner than before, in whichever rule it stands."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from toolkit.plan.lifecycles import shortened
from toolkit.plan.model import Marker


def rule(name: str, days: int | None = None, **more: Any) -> dict[str, Any]:
    expiration = [] if days is None else [{"date": None, "days": days, "expired_object_delete_marker": False}]
    empty = {"and": [], "object_size_greater_than": None, "object_size_less_than": None, "prefix": "", "tag": []}
    prefix = more.pop("prefix", "")
    filters = {**empty, "prefix": prefix, **more.pop("filter", {})}
    return {
        "id": name,
        "status": "Enabled",
        "prefix": "",
        "filter": [filters],
        "expiration": expiration,
        "noncurrent_version_expiration": [],
        "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}],
        "transition": [{"days": 1, "storage_class": "GLACIER"}],
        **more,
    }


def noncurrent(days: int, kept: int | None = None) -> dict[str, Any]:
    return {"noncurrent_version_expiration": [{"noncurrent_days": days, "newer_noncurrent_versions": kept}]}


TMP, ALL = rule("tmp", 1, prefix="tmp/"), rule("all", 3650)
TAGGED = {"and": [{"prefix": "logs/", "tags": {"a": "1", "b": "2"}}], "prefix": ""}

SOONER = {
    "everything": ([TMP, ALL], [TMP, rule("all", 90)], ["3650 → 90"]),
    "everything, by a rule of another name": ([TMP, ALL], [TMP, rule("other", 90)], ["3650 → 90"]),
    "a second rule": ([ALL], [ALL, rule("second", 1)], ["3650 → 1"]),
    "a second rule of some": ([ALL], [ALL, rule("second", 1, prefix="logs/")], ["objects under logs/: 3650 → 1"]),
    "switched on": ([ALL, {**TMP, "status": "Disabled"}], [ALL, TMP], ["objects under tmp/: 3650 → 1"]),
    "first lifecycle": ([], [ALL], ["never → 3650"]),
    "a filter that goes": ([TMP], [rule("tmp", 1)], ["never → 1"]),
    "a wider prefix": ([TMP], [rule("tmp", 1, prefix="t")], ["objects under t: never → 1"]),
    "a tag less": (
        [rule("x", 5, filter=TAGGED)],
        [rule("x", 5, filter={"tag": [{"key": "a", "value": "1"}]})],
        ["objects tagged a=1: never → 5"],
    ),
    "smaller ones, too": (
        [rule("x", 5, filter={"object_size_greater_than": 500})],
        [rule("x", 5, filter={"object_size_greater_than": 100})],
        ["objects larger than 100 bytes: never → 5"],
    ),
    "larger ones, too": (
        [rule("x", 5, filter={"object_size_less_than": 100})],
        [rule("x", 5, filter={"object_size_less_than": 500})],
        ["objects smaller than 500 bytes: never → 5"],
    ),
    "from a date on": ([ALL], [{**ALL, "expiration": [{"date": "2027-01-01", "days": None}]}], ["3650 → 1"]),
    "an earlier date": (
        [{**ALL, "expiration": [{"date": "2028-01-01T00:00:00Z"}]}],
        [{**ALL, "expiration": [{"date": "2027-01-01T00:00:00Z"}]}],
        ["2028-01-01T00:00:00Z → 2027-01-01T00:00:00Z"],
    ),
    "noncurrent": ([rule("x", **noncurrent(90))], [rule("x", **noncurrent(30))], ["90 → 30"]),
    "noncurrent kept": (
        [rule("x", **noncurrent(90, 5))],
        [rule("x", **noncurrent(90, 3))],
        ["5 noncurrent versions kept → 3"],
    ),
    "not known": ([ALL], [{**ALL, "expiration": [{"days": Marker.UNKNOWN, "date": None}]}], ["3650 → 1"]),
    "of what is not known": ([TMP], [{**TMP, "filter": Marker.UNKNOWN}], ["never → 1"]),
}
LATER = {
    "longer": ([TMP, ALL], [rule("tmp", 2, prefix="tmp/"), rule("all", 4000)]),
    "never": ([TMP, ALL], [TMP]),
    "not at all": ([TMP, ALL], []),
    "another name": ([ALL], [rule("other", 3650)]),
    "of some, as long": ([ALL], [ALL, rule("more", 3650, prefix="logs/")]),
    "of some, longer than all": ([ALL], [ALL, rule("more", 4000, prefix="logs/")]),
    "a narrower filter": ([TMP], [rule("tmp", 1, prefix="tmp/x/")]),
    "a further tag": ([rule("x", 5, filter={"tag": [{"key": "a", "value": "1"}]})], [rule("x", 5, filter=TAGGED)]),
    "switched off": ([ALL, TMP], [ALL, {**TMP, "status": "Disabled"}]),
    "another class of storage": ([ALL], [{**ALL, "transition": []}]),
    "a later date": (
        [{**ALL, "expiration": [{"date": "2027-01-01T00:00:00Z"}]}],
        [{**ALL, "expiration": [{"date": "2028-01-01T00:00:00Z"}]}],
    ),
    "more noncurrent versions kept": ([rule("x", **noncurrent(90))], [rule("x", **noncurrent(90, 3))]),
    "the older form of a filter": ([{**TMP, "filter": [], "prefix": "tmp/"}], [TMP]),
}


@pytest.mark.parametrize("name", SOONER)
def test_what_is_deleted_sooner_counts_in_any_order(name: str):
    old, new, reasons = SOONER[name]
    for before, after in itertools.product(itertools.permutations(old), itertools.permutations(new)):
        assert [reason for _, reason in shortened(before, after)] == reasons


@pytest.mark.parametrize("name", LATER)
def test_what_is_kept_as_long_does_not(name: str):
    old, new = LATER[name]
    for before, after in itertools.product(itertools.permutations(old), itertools.permutations(new)):
        assert list(shortened(before, after)) == []


def test_the_place_is_that_of_the_planned_rule():
    assert [path for path, _ in shortened([TMP, ALL], [TMP, rule("all", 90)])] == ["[1].expiration[0].days"]
