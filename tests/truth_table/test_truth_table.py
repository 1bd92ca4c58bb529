"""The truth table's rows are whole and fresh, and its verdict turns red for what it must: without Terraform.

The accounts themselves are in tests/integration/test_truth_table.py (`make truth-table`).
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.plan.strengths import weakenings
from toolkit.resources.base import ResourceType, Strength, Stronger
from toolkit.resources.registry import RESOURCES

FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("truth_table_table", FOLDER / "table.py")
assert _spec is not None
assert _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = table
_spec.loader.exec_module(table)

RESULTS: dict[str, Any] = json.loads((FOLDER.parent / "truth.json").read_text("utf-8"))
POLICY = "aws_iam_account_password_policy"
NAMED = "the password policy"


def test_every_type_that_the_embedded_aws_has_is_a_row():
    assert set(table.rows()) == {*table.ROWS, *table.OUTSIDE}
    assert not {*table.ROWS} & {*table.OUTSIDE}
    assert set(table.FIXED_NAMES) | set(table.UNTAGGED) <= set(table.ROWS)


@pytest.mark.parametrize("kind", table.rows())
def test_a_run_says_something_about_each_row(kind: str):
    for account, verdicts in RESULTS["cells"].items():
        tried = table.not_applicable(kind, account) is None
        assert (kind in verdicts) == (kind in RESULTS["digests"][account]) == tried, account


@pytest.mark.parametrize("kind", sorted(table.ROWS))
def test_the_page_claims_a_verdict_of_the_record_as_it_is_alone(kind: str):
    """Where the record, or what is tried, has changed since, a cell is "not run"."""
    page = (table.REPOSITORY / "docs" / "truth-table.md").read_text("utf-8")
    # What failed is listed below the table, too.
    row = re.findall(rf"^\| `{kind}` \| (.*) \|$", page, re.M)[0]
    for account, shown in zip(table.ACCOUNTS, row.split(" | "), strict=True):
        verdict = RESULTS["cells"].get(account, {}).get(kind)
        tried_with = RESULTS["digests"].get(account, {}).get(kind)
        if table.not_applicable(kind, account) is not None:
            assert shown.isdecimal(), account
        elif verdict is None or tried_with != table.digest(kind, account):
            assert shown == "not run", account
        else:
            assert shown == ("**fail**" if verdict else "told" if table.left_to_people(kind, account) else "pass")


def test_every_cell_was_tried_and_none_is_red():
    stale, red = set(), {}
    for account in table.ACCOUNTS:
        for kind in table.rows():
            if table.not_applicable(kind, account) is None:
                verdict = table.verdict(RESULTS, kind, account)
                stale |= {account} if verdict is None else set()
                red |= {f"{kind}, {account}": verdict} if verdict else {}
    wanted = ",".join(account for account in table.ACCOUNTS if account in stale)
    assert not stale, f'what is tried, or its record, has changed: run `TRUTH_TABLE="{wanted}" make truth-table`'
    assert red == {}


def test_what_is_tried_is_in_the_modules():
    """A value for a type without a resource in any module would try nothing."""
    modules = table.REPOSITORY / "modules"
    for account in ("weaker", "stronger", "other name"):
        text = "\n".join(text for _, text in table.overrides(account, modules))
        tried = set(re.findall(r'^resource "(\w+)"', text, re.M))
        if account == "other name":
            assert "aws_cloudtrail" in tried
        else:
            assert tried == {kind for kind in table.rows() if table.not_applicable(kind, account) is None}


def policy(length: int, **more: Any) -> Any:
    return table.Found("eu-central-1", {}, {"minimum_password_length": length}, NAMED, POLICY, **more)


def planned(action: str) -> tuple[Any, ...]:
    return (table.Planned("module.x.aws_y.z", "eu-central-1", action, {}),)


@pytest.mark.parametrize(
    ("account", "evidence", "red"),
    [
        ("equal", {"before": (policy(16),), "after": (policy(16),)}, ""),
        ("equal", {"before": (), "after": ()}, "the account did not get it"),
        ("weaker", {"before": (policy(8),), "after": (policy(16),)}, ""),
        ("weaker", {"before": (policy(16),), "after": (policy(16),)}, "the account did not get the weaker value"),
        ("stronger", {"before": (policy(24),), "after": (policy(24),)}, ""),
        ("stronger", {"before": (policy(24),), "after": (policy(16),)}, "weaker: the password policy"),
        ("equal", {"before": (policy(16),), "after": ()}, "destroyed: the password policy"),
        ("equal", {"before": (policy(16),), "after": (replace(policy(16), import_id="2"),)}, "replaced"),
        ("equal", {"before": (policy(16),), "after": (policy(16),), "plan": planned("delete")}, "has a delete of"),
        ("equal", {"before": (policy(16),), "after": (policy(16),), "plan": planned("replace")}, "has a replace of"),
        ("equal", {"before": (policy(16),), "after": (policy(16),), "refused": ("it collides",)}, "refused: it col"),
        ("equal", {"before": (policy(16),), "after": (policy(16),), "by_hand": ("rename",)}, "left to people"),
        ("equal", {"before": (policy(16),), "after": (policy(16),), "pending": ("aws_y.z",)}, "the second plan"),
        (
            "managed by others",
            {"before": (policy(16, managed_by="terraform"),), "after": (policy(24, managed_by="terraform"),)},
            "changed, though others manage it",
        ),
        ("unreadable", {"unreadable": "iam:GetAccountPasswordPolicy: denied"}, ""),
        ("unreadable", {}, "adopt went on"),
    ],
)
def test_the_verdict(account: str, evidence: Mapping[str, Any], red: str):
    reasons = table.judge(POLICY, account, table.Evidence(**evidence))
    assert any(red in reason for reason in reasons) if red else reasons == ()


def test_what_only_people_can_decide_must_be_left_to_them():
    kind, value = "aws_iam_role_policy", '{"Sid": "Theirs"}'
    live = table.Found("eu-central-1", {"role": "a", "name": "b"}, {"policy": value}, "the policy of a", "a:b")
    told = table.Evidence((live,), (live,), by_hand=("the policy in its place grants less: Theirs",))
    assert table.judge(kind, "weaker", told) == ()
    assert table.judge(kind, "weaker", replace(told, by_hand=())) == (
        "not left to people, though the policy in its place grants less",
    )
    assert "left to people: the policy in its place grants less: Theirs" in table.judge(kind, "stronger", told)


def test_what_no_setting_holds_gets_weaker_by_consent_alone():
    kind, pattern = "aws_cloudwatch_event_rule", '{"source": [{"prefix": "aws."}]}'
    live = table.Found("eu-central-1", {"name": "a"}, {"event_pattern": pattern}, "the rule 'a'", "a")
    other = replace(live, key={"name": "b"}, called="the rule 'b'", import_id="b")
    weaker = replace(live, values={"event_pattern": '{"source": ["aws.signin"]}'})
    told, refused = "the rule 'a': event_pattern would become weaker (x)", "event_pattern becomes weaker (address: x)"
    evidence = table.Evidence((live,), (weaker,), by_hand=(told,), refused=(refused,))
    assert table.judge(kind, "stronger", evidence) == ()
    for lacking in (replace(evidence, refused=()), replace(evidence, by_hand=())):
        assert any(reason.startswith("weaker: the rule 'a'") for reason in table.judge(kind, "stronger", lacking))
    assert "refused: it collides" in table.judge(kind, "stronger", replace(evidence, refused=(refused, "it collides")))
    both = replace(
        evidence,
        before=(live, other),
        after=(weaker, replace(weaker, key=other.key, called=other.called, import_id="b")),
    )
    assert any(reason.startswith("weaker: the rule 'b'") for reason in table.judge(kind, "stronger", both))
    # What a setting can hold must not be left.
    kept = table.judge(
        "aws_sns_topic", "stronger", table.Evidence((live,), (live,), by_hand=("x would become weaker",))
    )
    assert "left to people: x would become weaker" in kept


def test_a_create_over_what_collides_is_red():
    live = table.Found("eu-central-1", {"name": "baseline"}, {"name": "baseline"}, "the trail", "arn")
    create = table.Planned("module.cloudtrail.aws_cloudtrail.this", "eu-central-1", "create", {"name": "baseline"})
    evidence = table.Evidence((live,), (live,), (create,))
    assert table.judge("aws_cloudtrail", "equal", evidence) == (
        "module.cloudtrail.aws_cloudtrail.this is created over the trail",
    )


def built(path: str, value: Any) -> Any:
    """Values in which a path has a value."""
    head, _, rest = path.partition(".")
    name, *indices = re.split(r"[\[\]]+", head.rstrip("]"))
    inner = built(rest, value) if rest else value
    for index in reversed(indices):
        inner = [*({} for _ in range(int(index))), inner]
    return {name: inner}


def adopted(record: ResourceType, had: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an adoption makes of it: the stronger of both, as the record says."""
    return had if list(weakenings(record, had, wanted)) else wanted


STRONGER = [
    (kind, row.stronger)
    for kind, row in table.ROWS.items()
    if isinstance(row.stronger, table.Value) and row.stronger.path and row.stronger.value not in ("", [])
    # What a text loses is judged by comparing all of it.
    if not row.stronger.part
]


@pytest.mark.parametrize(("kind", "stronger"), STRONGER, ids=[kind for kind, _ in STRONGER])
def test_a_direction_that_is_weakened_in_a_record_turns_its_row_red(kind: str, stronger: Any):
    """The stronger values of the table are written by hand, so that no record can say what its own row expects."""
    record, row = RESOURCES[kind], table.ROWS[kind]
    had = built(stronger.path, stronger.value)
    weaker = row.weaker if isinstance(row.weaker, table.Value) and row.weaker.path == stronger.path else None
    wanted = built(stronger.path, weaker.value) if weaker else BASELINE.get(kind, {})

    def verdict(judged: ResourceType) -> Any:
        before = table.Found("eu-central-1", {}, had, "it", "id")
        if stronger.left == table.WEAKENS:
            # No setting holds it: `adopt` and the plan say so, and the run consents.
            lost = list(weakenings(judged, had, wanted))
            by_hand = tuple(f"it: {found.path} {table.WEAKENS} ({found.reason})" for found in lost)
            refused = tuple(f"{found.path} {table.REFUSES}" for found in lost)
            after = replace(before, values=wanted)
            evidence = table.Evidence((before,), (after,), by_hand=by_hand, refused=refused)
            return table.judge(kind, "stronger", evidence, judged)
        after = replace(before, values=adopted(judged, had, wanted))
        by_hand = (f"it: {stronger.left}",) if stronger.left and after.values == had else ()
        return table.judge(kind, "stronger", table.Evidence((before,), (after,), by_hand=by_hand), judged)

    assert verdict(record) == ()
    without = tuple(s for s in record.strengths if not concerns(s, stronger.path))
    assert len(without) < len(record.strengths)
    assert any("the stronger value is lost" in reason for reason in verdict(replace(record, strengths=without)))


_KEYS = "arn:aws:kms:eu-central-1:{}:key/5070ab66-ce84-48bd-9191-eace74e5a0a2"
_EVERYTHING = {"Effect": "Deny", "Action": "*", "Resource": "*"}


def _says(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def _encrypts(algorithm: str, key: str) -> dict[str, Any]:
    default = {"sse_algorithm": algorithm, "kms_master_key_id": key}
    return {"rule": [{"apply_server_side_encryption_by_default": [default]}]}


STRONGEST = {
    "aws_iam_policy": (
        _says({"Sid": "DenyEverything", **_EVERYTHING}),
        _says({**_EVERYTHING, "Action": "s3:*"}),
        _says({**_EVERYTHING, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}),
        _says({**_EVERYTHING, "Effect": "Allow"}),
    ),
    "aws_s3_bucket_lifecycle_configuration": (
        {
            "rule": [
                {
                    "id": "a",
                    "expiration": [{"days": None, "date": None}],
                    "noncurrent_version_expiration": [{"noncurrent_days": 3650}],
                }
            ]
        },
        {"rule": [{"id": "a", "expiration": [{"days": None, "date": "2099-01-01"}]}]},
        {"rule": [{"id": "a", "expiration": []}, {"id": "b", "expiration": [{"days": 36500}]}]},
        {"rule": [{"id": "a", "noncurrent_version_expiration": [{"noncurrent_days": 3649}]}]},
    ),
    "aws_s3_bucket_server_side_encryption_configuration": (
        _encrypts("aws:kms", _KEYS.format("111122223333")),
        _encrypts("aws:kms", _KEYS.format("444455556666")),
        _encrypts("aws:kms", "alias/aws/s3"),
        _encrypts("aws:kms", ""),
        _encrypts("AES256", ""),
    ),
}
"""Type → values than which nothing is stronger, and then such as come near."""


@pytest.mark.parametrize("kind", STRONGEST)
def test_nothing_but_the_strongest_stands_for_the_stronger_value(kind: str):
    """A record that calls nothing weaker cannot make its row green: the table judges by itself what took its place."""
    stronger = table.ROWS[kind].stronger
    had = _says({**_EVERYTHING, "Sid": "Theirs"}) if stronger.part else built(stronger.path, stronger.value)
    before = table.Found("eu-central-1", {}, had, "it", "id")
    by_hand = (f"another: {stronger.left}",) if stronger.left else ()
    blind = replace(RESOURCES[kind], strengths=())

    def verdict(values: Mapping[str, Any]) -> Any:
        evidence = table.Evidence((before,), (replace(before, values=values),), by_hand=by_hand)
        return table.judge(kind, "stronger", evidence, blind)

    assert set(STRONGEST) == set(table.AS_STRONG)
    strongest, *near = STRONGEST[kind]
    assert verdict(strongest) == ()
    assert all(any("the stronger value is lost" in reason for reason in verdict(values)) for values in near)


def concerns(strength: Strength, path: str) -> bool:
    attribute = strength.attribute.replace("[*]", "[0]")
    return path.startswith(attribute) or attribute.startswith(path)


BASELINE: Mapping[str, Mapping[str, Any]] = {
    "aws_cloudtrail": {"insight_selector": [{"insight_type": "ApiCallRateInsight"}]},
    "aws_cloudwatch_event_rule": {"event_pattern": '{"source": ["aws.guardduty"]}'},
    "aws_cloudwatch_metric_alarm": {"treat_missing_data": "notBreaching"},
    "aws_config_configuration_recorder": {"recording_mode": [{"recording_frequency": "DAILY"}]},
    "aws_config_delivery_channel": {"snapshot_delivery_properties": [{"delivery_frequency": "TwentyFour_Hours"}]},
    "aws_ec2_instance_metadata_defaults": {"http_put_response_hop_limit": -1},
    "aws_ecr_registry_scanning_configuration": {
        "rule": [{"repository_filter": [{"filter": "prod-*", "filter_type": "WILDCARD"}]}]
    },
    "aws_flow_log": {"max_aggregation_interval": 600},
    "aws_s3_bucket_logging": {"target_bucket": "baseline-access-logs"},
}
"""What the baseline wants where the table has no weaker value of the same attribute; of the others, nothing."""


def test_a_direction_that_is_turned_round_is_no_longer_the_row_that_was_tried():
    record, tried = RESOURCES[POLICY], table.digest(POLICY, "stronger")
    turned = tuple(
        replace(s, stronger=Stronger.LOWER) if s.attribute == "minimum_password_length" else s for s in record.strengths
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "RESOURCES", {**RESOURCES, POLICY: replace(record, strengths=turned)})
        assert table.digest(POLICY, "stronger") != tried
