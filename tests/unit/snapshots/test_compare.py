"""What differs between two snapshots; what one of them has not read is neither new nor gone."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import RefusedError
from toolkit.reports.discovery import comparison_lines
from toolkit.resources.reading import Live, Reason, Unreadable
from toolkit.snapshots import Snapshot
from toolkit.snapshots.compare import compare

from .test_snapshots import DENIED, REGION, live, taken


def changes(before: Snapshot, after: Snapshot) -> list[tuple[str, str, tuple[Any, ...]]]:
    return [
        (
            "added" if one.before is None else "removed" if one.after is None else "changed",
            one.resource.called,
            one.attributes,
        )
        for one in compare(before, after).differences
    ]


def role(**values: Any) -> Live:
    return live("ops", type="aws_iam_role", called="the role 'ops'", values=values)


def test_new_gone_and_changed_are_told_apart():
    before = taken(live(), live("ben"), role(max_session_duration=3600, path="/"))
    after = taken(live(), live("carl"), role(max_session_duration=7200, path="/"))
    assert changes(before, after) == [
        ("changed", "the role 'ops'", (("max_session_duration", 3600, 7200),)),
        ("removed", "the user 'ben'", ()),
        ("added", "the user 'carl'", ()),
    ]
    assert changes(before, before) == []
    assert compare(before, before).not_compared == ()


def test_that_a_key_was_used_is_kept_and_changes_no_account():
    def key(status: str, used: str | None) -> Snapshot:
        values = {"status": status, "last_used_date": used}
        return taken(live(type="aws_iam_access_key", values=values), types=("aws_iam_access_key",))

    before, after, off = key("Active", None), key("Active", "2026-11-28"), key("Inactive", None)
    assert (before.digest, changes(before, after)) == (after.digest, [])
    assert after.resources[0].values["last_used_date"] == "2026-11-28"
    assert off.digest != before.digest
    assert changes(before, off) == [("changed", "the user 'anna'", (("status", "Active", "Inactive"),))]


def test_what_one_of_both_could_not_read_is_not_compared():
    for before, after in ((taken(role()), taken(DENIED)), (taken(DENIED), taken(role()))):
        found = compare(before, after)
        assert found.differences == ()
        assert found.not_compared == (("aws_iam_role", ""),)


@pytest.mark.parametrize("region", [REGION, "us-east-1"])  # IAM's tags are read in the latter
def test_who_manages_a_resource_is_not_compared_where_not_both_have_read_it(region: str):
    unknown = Unreadable("managed_by", region, "tag:GetResources", Reason.DENIED, "AccessDenied")
    known, nobody = live(managed_by="CloudFormation"), live()
    for before, after in (
        (taken(known), taken(nobody, unknown)),
        (taken(unknown, nobody), taken(known)),
        (taken(unknown, known), taken(unknown, nobody)),
    ):
        found = compare(before, after)
        assert (found.differences, found.not_compared) == ((), (("managed_by", ""),))
        assert "not both snapshots have read it: managed_by." in list(comparison_lines(found))[-1][0]
    # What else has changed, is new or gone is told all the same.
    assert changes(taken(known), taken(live("ben"), unknown)) == [
        ("removed", "the user 'anna'", ()),
        ("added", "the user 'ben'", ()),
    ]
    moved = live(values={**nobody.values, "path": "/x/"})
    assert changes(taken(known), taken(moved, unknown)) == [("changed", "the user 'anna'", (("path", "/", "/x/"),))]
    assert changes(taken(known), taken(nobody)) == [
        ("changed", "the user 'anna'", (("managed_by", "CloudFormation", None),))
    ]


def test_an_account_and_its_like_on_the_embedded_aws_are_not_compared():
    real, simulated = taken(live()), taken(live(), simulator="moto")
    assert changes(simulated, simulated) == []
    for before, after in ((real, simulated), (simulated, real)):
        with pytest.raises(RefusedError, match="of the embedded AWS") as refused:
            compare(before, after)
        assert refused.value.hint


def test_a_region_or_type_that_only_one_of_both_has_is_not_compared():
    topic = live("t", type="aws_sns_topic", region="us-east-1")
    found = compare(taken(topic), taken(regions=(REGION,)))
    assert found.differences == ()
    assert found.not_compared == (("aws_sns_topic", "us-east-1"),)
    fewer = compare(taken(live()), taken(types=("aws_iam_role", "aws_sns_topic")))
    assert (fewer.differences, fewer.not_compared) == ((), (("aws_iam_user", ""),))
    off = Unreadable("", "us-east-1", "ec2:DescribeRegions", Reason.REGION_OFF, "not enabled")
    assert compare(taken(topic), taken(off, regions=(REGION,))).differences == ()


def test_global_resources_are_the_same_wherever_they_were_read():
    assert changes(taken(live()), taken(live(region="us-east-1"), home="us-east-1")) == []


def once(import_id: str, **values: Any) -> Live:
    kind = "aws_guardduty_detector"
    return live(type=kind, key={}, import_id=import_id, values=values, called=f"a detector {import_id}")


def test_of_what_has_no_key_one_is_the_same_and_of_several_the_id_decides():
    types = ("aws_guardduty_detector",)
    (changed,) = changes(taken(once("a", enable=True), types=types), taken(once("b", enable=False), types=types))
    assert changed == ("changed", "a detector b", (("import_id", "a", "b"), ("enable", True, False)))
    several = changes(taken(once("a"), once("b"), types=types), taken(once("b"), once("c"), types=types))
    assert several == [("removed", "a detector a", ()), ("added", "a detector c", ())]
