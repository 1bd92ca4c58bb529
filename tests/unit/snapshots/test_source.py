"""A snapshot answers what the account would have answered; what it does not have is unreadable, never absent."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.adoption.keys import KeyWanted
from toolkit.aws.gather import gather
from toolkit.errors import ToolkitError
from toolkit.plan.existing import ExistingWanted
from toolkit.resources.reading import MANAGED_BY, Live, Reason, Unreadable
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import Snapshot
from toolkit.snapshots.source import SnapshotSource

from .test_snapshots import DENIED, NOW, REGION, live

OTHER = "us-east-1"
TYPES = (
    "aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_user_group_membership", "aws_config_config_rule",
    "aws_guardduty_detector_feature", "aws_sns_topic", "aws_scheduler_schedule",
)  # fmt: skip


def source(*found: Live | Unreadable, **more: Any) -> SnapshotSource:
    facts = {
        "account_id": "123456789012", "caller": "arn:aws:iam::123456789012:user/audit", "environment": None,
        "simulator": None, "taken": NOW, "home": REGION, "regions": (REGION, OTHER), "types": TYPES, "calls": 2, **more,
    }  # fmt: skip
    return SnapshotSource(Snapshot.of(found, **facts))


def one(kind: str, values: dict[str, Any], region: str = REGION) -> Live:
    key = {name: values[name] for name in RESOURCES[kind].key}
    return Live(key, values, f"the {kind}", "its-id", type=kind, region=region)


def test_what_it_has_is_found_by_key_and_what_it_does_not_have_is_absent():
    has = source(live("anna"))
    found = has.find("aws_iam_user", OTHER, {"name": "ANNA"})
    assert isinstance(found, Live), "IAM does not distinguish names by case, and has no region"
    assert (found.import_id, found.values["path"]) == ("anna", "/")
    assert has.find("aws_iam_user", REGION, {"name": "ben"}) is None
    assert has.find("aws_sns_topic", OTHER, {"name": "alerts"}) is None


def test_a_key_is_found_by_its_id_though_another_one_could_not_be_read():
    def wanted(key: str) -> KeyWanted:
        return KeyWanted("module.cloudtrail.aws_kms_key.this", "aws_kms_key", REGION, {"key_id": key})

    shut = Unreadable("aws_kms_key", REGION, "kms:DescribeKey", Reason.DENIED, "not on it")
    has = source(one("aws_kms_key", {"key_id": "a"}), shut, types=(*TYPES, "aws_kms_key"))
    live_key = gather([wanted("a")], has)[wanted("a")]
    assert live_key is not None
    assert live_key.import_id == "its-id"
    with pytest.raises(ToolkitError, match=r"the key b behind the alias of .* cannot be read"):
        gather([wanted("b")], has)
    whole = source(one("aws_kms_key", {"key_id": "a"}), types=(*TYPES, "aws_kms_key"))
    assert gather([wanted("b")], whole)[wanted("b")] is None


@pytest.mark.parametrize(
    ("kind", "region", "reason"),
    [
        ("aws_iam_role", REGION, Reason.DENIED),
        ("aws_sns_topic", "eu-west-1", Reason.NOT_IN_SNAPSHOT),
        ("aws_cloudtrail", REGION, Reason.NOT_IN_SNAPSHOT),
    ],
)
def test_what_was_not_read_is_unreadable(kind: str, region: str, reason: Reason):
    has = source(live("anna"), DENIED)
    found = has.find(kind, region, {"name": "x"})
    assert isinstance(found, Unreadable)
    assert (found.type, found.reason) == (kind, reason)
    (listed,) = has.every([kind], [region])
    assert isinstance(listed, Unreadable)
    assert listed.reason is reason


def test_a_create_that_it_says_nothing_of_is_an_error_that_names_the_address():
    wanted = ExistingWanted("module.x.aws_cloudtrail.this", "aws_cloudtrail", REGION, {"name": "x"})
    with pytest.raises(ToolkitError, match=r"module\.x\.aws_cloudtrail\.this.*the snapshot does not say") as error:
        gather([wanted], source())
    assert "leave --from out" in str(error.value.hint)


def test_calls_and_contents_are_unreadable():
    has = source()
    assert isinstance(has.contents("aws_s3_bucket", REGION, {"bucket": "x"}), Unreadable)
    assert isinstance(has.answered(lambda account: account.call("iam", "list_users", REGION)), Unreadable)
    assert isinstance(has.answered(lambda account: account.pages("iam", "list_users", "Users", REGION)), Unreadable)


@pytest.mark.parametrize(
    ("planned", "import_id"),
    [(["a"], "anna/a"), (["b", "a"], "anna/b/a"), (["a", "c"], None), (None, None)],
)
def test_a_membership_is_that_of_the_planned_groups(planned: list[str] | None, import_id: str | None):
    """Imported with every group of the user, Terraform would take away those that are not planned."""
    has = source(one("aws_iam_user_group_membership", {"user": "anna", "groups": ["a", "b"]}))
    found = has.find("aws_iam_user_group_membership", REGION, {"user": "anna", "groups": planned})
    assert (found.import_id if isinstance(found, Live) else found) == import_id


def test_a_detector_s_feature_is_that_of_the_planned_parts():
    parts = [{"name": "EKS_ADDON_MANAGEMENT", "status": "ENABLED"}, {"name": "EC2_AGENT", "status": "ENABLED"}]
    values = {"name": "RUNTIME_MONITORING", "status": "ENABLED", "additional_configuration": parts}
    planned = {
        "name": "RUNTIME_MONITORING",
        "additional_configuration": [{"name": "OTHER"}, {"name": "EKS_ADDON_MANAGEMENT"}],
    }
    found = source(one("aws_guardduty_detector_feature", values)).find(
        "aws_guardduty_detector_feature", REGION, planned
    )
    assert isinstance(found, Live)
    assert found.values["additional_configuration"] == [{"name": "OTHER", "status": "DISABLED"}, parts[0]]


@pytest.mark.parametrize(
    ("kind", "values", "planned"),
    [
        ("aws_config_config_rule", {"name": "r", "input_parameters": '{"a":"1"}'}, {"input_parameters": "{}"}),
        (
            "aws_scheduler_schedule",
            {"group_name": "g", "name": "s", "target": [{"input": "secret"}]},
            {"target": [{"input": "other"}]},
        ),
    ],
)
def test_a_value_of_which_it_has_a_digest_is_compared_by_it(kind: str, values: dict[str, Any], planned: dict[str, Any]):
    """The same value is put back; of another one, nothing can be said."""
    has = source(one(kind, values))
    same = has.find(kind, REGION, values)
    assert isinstance(same, Live)
    assert {name: same.values[name] for name in values} == values
    assert isinstance(has.find(kind, REGION, {**values, **planned}), Unreadable)


def test_who_manages_it_may_be_unread():
    unread = Unreadable(MANAGED_BY, OTHER, "tag:GetResources", Reason.DENIED, "AccessDenied")
    has = source(unread)
    here, there = one("aws_sns_topic", {"name": "t"}), one("aws_sns_topic", {"name": "t"}, OTHER)
    assert [manager.unknown for manager in has.managers((here, there))] == [(), (unread,)]


@pytest.mark.parametrize("kind", ["aws_config_configuration_recorder", "aws_config_delivery_channel"])
def test_what_a_region_has_once_is_found_under_any_name(kind: str):
    has = source(one(kind, {"name": "theirs"}), types=(kind,))
    found = has.find(kind, REGION, {"name": "default"})
    assert isinstance(found, Live)
    assert found.key == {"name": "theirs"}
