"""What an account has that a state does not manage; of a state, nothing but what identifies a resource is read."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots.unmanaged import identity_attributes, unmanaged
from toolkit.terraform.state_resources import StateResource, state_resources

from .test_snapshots import REGION, live

AWS = 'provider["registry.terraform.io/hashicorp/aws"]'


def entry(kind: str, alias: str = "", **attributes: Any) -> dict[str, Any]:
    return {
        "mode": "managed", "type": kind, "name": "this", "module": 'module.m["a"]',
        "provider": f"{AWS}.{alias}" if alias else AWS, "instances": [{"index_key": "k", "attributes": attributes}],
    }  # fmt: skip


def of(*entries: dict[str, Any]) -> tuple[StateResource, ...]:
    return state_resources({"serial": 7, "resources": list(entries)}, identity_attributes()).resources


def others(found: list[Live], *entries: dict[str, Any]) -> list[str]:
    return [one.called for one in unmanaged(found, 7, of(*entries), REGION).resources]


def test_nothing_but_identity_leaves_a_state():
    state = {
        "serial": 7, "lineage": "l", "outputs": {"secret": {"value": "hidden"}},
        "resources": [
            entry("aws_iam_user_login_profile", user="anna", id="anna", password="hidden", encrypted_password="hidden"),
            entry("tls_private_key", id="hidden", private_key_pem="hidden"),
            {**entry("aws_iam_user", name="hidden"), "mode": "data"},
        ],
    }  # fmt: skip
    found = state_resources(state, identity_attributes())
    assert "hidden" not in repr(found)
    (one,) = found.resources
    assert (found.serial, one.address, dict(one.identity)) == (
        7, "module.m.aws_iam_user_login_profile.this", {"user": "anna", "id": "anna"}
    )  # fmt: skip
    assert state_resources({}, identity_attributes()).serial == 0


def test_a_resource_is_found_by_its_arn_id_or_key():
    log = live("trail", type="aws_cloudwatch_log_group", arn="arn:aws:logs:eu-central-1:123456789012:log-group:trail:*")
    assert others([log], entry("aws_cloudwatch_log_group", name="trail", arn="without the asterisk")) == []
    assert others([live()], entry("aws_iam_user", arn="arn:aws:iam::123456789012:user/anna")) == []
    assert others([live()], entry("aws_iam_user", id="anna")) == []
    assert others([live(), live("ben")], entry("aws_iam_user", name="anna")) == ["the user 'ben'"]
    # Of another type, nothing is the same.
    assert others([live()], entry("aws_iam_group", name="anna", id="anna")) == ["the user 'anna'"]


@pytest.mark.parametrize(
    ("kind", "key", "attributes"),
    [
        ("aws_iam_user", {"name": "Anna"}, {"name": "anna"}),
        ("aws_iam_openid_connect_provider", {"url": "token.example.com"}, {"url": "https://token.example.com"}),
        ("aws_iam_role_policy", {"role": "ops", "name": "p"}, {"id": "ops:p", "role": "ops", "name": "p"}),
        (
            "aws_iam_group_policy_attachment",
            {"group": "ops", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
            {"id": "ops-2026", "group": "ops", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        ),
    ],
)
def test_keys_are_compared_as_aws_takes_them(kind: str, key: dict[str, str], attributes: dict[str, str]):
    found = live(type=kind, key=key, import_id=None, arn=None)
    assert others([found], entry(kind, **attributes)) == []
    assert others([found], entry(kind, **{**attributes, next(iter(key)): "other", "id": "x"})) == [found.called]


def test_what_has_a_region_is_managed_in_its_region_alone():
    there = live("t", type="aws_sns_topic", region="us-east-1", arn=None, import_id=None, called="there")
    here = live("t", type="aws_sns_topic", arn=None, import_id=None, called="here")
    assert others([here, there], entry("aws_sns_topic", name="t")) == ["there"]
    assert others([here, there], entry("aws_sns_topic", alias="us_east_1", name="t")) == ["here"]
    assert others([here, there], entry("aws_sns_topic", name="t", region="us-east-1")) == ["here"]  # provider 6
    # Users have none, whichever provider made them.
    assert others([live()], entry("aws_iam_user", alias="us_east_1", name="anna")) == []


def test_of_what_exists_once_there_is_one():
    detector = live(type="aws_guardduty_detector", key={}, import_id="a", arn=None, called="a detector")
    assert others([detector], entry("aws_guardduty_detector", id="another, by now")) == []
    assert others([detector], entry("aws_guardduty_detector", alias="us_east_1", id="a")) == ["a detector"]


def test_what_aws_gives_by_itself_is_nobody_s():
    given = live(by_default=True)
    found = unmanaged([given, live("ben")], 7, of(entry("aws_iam_user", name="anna")), REGION)
    assert (found.managed, [one.called for one in found.resources]) == (1, ["the user 'ben'"])
    assert unmanaged([given], 0, (), REGION).resources == ()


def test_every_type_has_attributes_by_which_it_is_found():
    assert set(identity_attributes()) == set(RESOURCES)
    assert all(set(record.key) <= set(identity_attributes()[kind]) for kind, record in RESOURCES.items())
