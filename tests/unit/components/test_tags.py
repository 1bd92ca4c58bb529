"""Tags: what AWS accepts, what it writes itself, and whose tag it is where two have the same key."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest

from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render
from toolkit.settings.tags import NARROW_KEY, WRITTEN_BY_AWS

HEAD = 'account_id: "123456789012"\nregions: {home: eu-central-1, active: [eu-central-1, us-east-1]}\n'
USERS = 'iam_users: {users: {anna: {owner: a@example.com, review_date: "2099-03-31", tags: TAGS}}}'


def load(default_tags: str = "{}", tags: str = "{}", more: str = "") -> Environment:
    """With the default tags from line 4 on, and a user's in line 6."""
    text = f"{HEAD}default_tags:\n  {default_tags}\ncomponents:\n  {USERS.replace('TAGS', tags)}\n{more}"
    return load_text(text, name="x", shown_as="environment.yaml")


REFUSED = {
    "an empty value": '{Stage: ""}',
    "a long value": f"{{Stage: {'x' * 257}}}",
    "characters in a value": "{Stage: 'a<b>'}",
    "a line end in a value": '{Stage: "a\\nb"}',
    "an empty key": "{'': x}",
    "a long key": f"{{{'x' * 129}: y}}",
    "characters in a key": "{'a&b': x}",
    "the reserved prefix": "{'aws:x': y}",
    "the reserved prefix in capitals": "{'AWS:x': y}",
    "keys that differ by case": "{Stage: a, stage: b}",
    "keys that differ by the case of one letter": "{Stage: a, StagE: b}",
    **{f"AWS's own {key}": f"{{{key}: x}}" for key in WRITTEN_BY_AWS["keys"]},
    **{f"AWS's own {key}...": f"{{{key}IOSFODNN7EXAMPLE: x}}" for key in WRITTEN_BY_AWS["key_prefixes"]},
}


@pytest.mark.parametrize("tags", REFUSED.values(), ids=REFUSED)
def test_what_aws_or_the_provider_cannot_hold_is_refused_with_its_line(tags: str) -> None:
    for at, line in (({"default_tags": tags}, 4), ({"tags": tags}, 6)):
        with pytest.raises(EnvironmentFileError) as caught:
            load(**at)
        (problem,) = caught.value.problems
        assert problem.line == line, str(problem)


@pytest.mark.parametrize(
    "tags",
    [
        "{}",
        f"{{{'k' * 128}: {'v' * 256}}}",
        "{Kosten Stelle: 'ä/=+-@:_.'}",
        "{a: ' lead'}",
        "{a: x, b: x}",
        "{awsapplication: x, akia: x, 'my aws:x': x}",
    ],
)
def test_what_aws_accepts_is_accepted(tags: str) -> None:
    assert load(default_tags=tags)
    assert load(tags=tags)


@pytest.mark.parametrize("component", [name for name, c in REGISTRY.items() if c.narrow_tag_keys])
def test_a_service_that_accepts_fewer_characters_is_told_before_it_refuses(component: str) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load("{Kosten Stelle: x, 'a@b': x, Bücher: x, 'a-b_c/1:2': x}", more=f"  {component}: {{}}\n")
    said = [str(problem) for problem in caught.value.problems]
    assert [text.split(":")[0] for text in said] == [
        "default_tags.Kosten Stelle",
        "default_tags.a@b",
        "default_tags.Bücher",
    ]
    assert all(f"the service of {component} does not accept this tag key" in text for text in said)


TAGGED = {
    "access_analyzer": ("accessanalyzer", "CreateAnalyzer"),
    "account_defaults": ("ec2", "CreateFlowLogs"),
    "activity_alarms": ("cloudwatch", "PutMetricAlarm"),
    "cloudtrail": ("cloudtrail", "CreateTrail"),
    "config": ("config", "PutConfigRule"),
    "detective": ("detective", "CreateGraph"),
    "firewall_manager": ("fms", "PutPolicy"),
    "guardduty": ("guardduty", "CreateDetector"),
    "iam_groups": ("iam", "CreatePolicy"),
    "iam_roles": ("iam", "CreateRole"),
    "iam_users": ("iam", "CreateUser"),
    "identity_center": ("sso-admin", "CreatePermissionSet"),
    "organization": ("organizations", "CreatePolicy"),
    "shield": ("shield", "CreateProtection"),
    "siem_export": ("events", "PutRule"),
    "trusted_advisor": ("scheduler", "CreateScheduleGroup"),
}
"""Component → the call that tags what it makes first and foremost."""


@pytest.mark.parametrize("component", TAGGED)
def test_which_services_accept_fewer_characters_is_what_aws_itself_says(component: str) -> None:
    """botocore has AWS's own patterns; where it has none, AWS documents the usual characters."""
    service, call = TAGGED[component]
    model = botocore.session.get_session().get_service_model(service)
    shapes: dict[str, Any] = model._shape_resolver._shape_map  # type: ignore[attr-defined]
    keys = {
        shape.key.name if shape.type_name == "map" else shape.member.members["Key"].name
        for name, shape in model.operation_model(call).input_shape.members.items()
        if name in ("tags", "Tags", "TagList") and (shape.type_name == "map" or "Key" in shape.member.members)
    }
    patterns = [shapes[key].get("pattern", "") for key in keys]
    narrow = any("a-zA-Z" in pattern for pattern in patterns)
    assert REGISTRY[component].narrow_tag_keys == narrow
    if narrow:
        for character in map(chr, range(32, 127)):
            assert bool(NARROW_KEY.fullmatch(character)) == bool(re.fullmatch(patterns[0], character)), character


@pytest.mark.parametrize(
    ("default_tags", "tags", "says"),
    [
        ("{owner: x}", "{}", {"owner": ("Owner",)}),
        ("{Owner: x, ReviewDate: y}", "{}", {"Owner": ("Owner",), "ReviewDate": ("ReviewDate",)}),
        ("{TEAM: x}", "{Team: a}", {"TEAM": ("Team",)}),
        ("{Stage: x}", "{Team: a}", {}),
    ],
)
def test_a_components_own_tag_wins_over_a_default_one(default_tags: str, tags: str, says: dict[str, Any]) -> None:
    environment = load(default_tags, tags)
    found = {key: own for key, component, own, count in environment.overridden_tags() if component.name == "iam_users"}
    assert found == says


def test_what_aws_writes_itself_is_ignored_in_every_region() -> None:
    providers = render(load())["providers.tf"]
    blocks = providers.split('provider "aws" {')[1:]
    assert len(blocks) == 2
    for block in blocks:
        ignored = block.split("ignore_tags {")[1].split("}")[0]
        assert all(f'"{key}"' in ignored for keys in WRITTEN_BY_AWS.values() for key in keys)
