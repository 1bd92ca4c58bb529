"""Single changes of single types, as AWS takes them: which are weakenings, whichever component makes the resource."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.provider5.record import types
from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, Marker, parse_plan
from toolkit.plan.strengths import weakenings
from toolkit.resources.base import ResourceType
from toolkit.resources.registry import RESOURCES

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
OWN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = "arn:aws:kms:eu-central-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab"
FOREIGN = "arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TRAIL = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
AT_LEAST, BELOW = "GreaterThanOrEqualToThreshold", "LessThanThreshold"
HUB = "configuration_policy[0].security_controls_configuration[0]"


def values(**paths: Any) -> dict[str, Any]:
    return paths


def controls(**lists: Any) -> dict[str, Any]:
    return {"configuration_policy": [{"service_enabled": True, "security_controls_configuration": [lists]}]}


def archive(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"filter": list(filters)}


def encrypted(algorithm: str, key: str | None) -> dict[str, Any]:
    by_default = {"sse_algorithm": algorithm, "kms_master_key_id": key}
    return {"rule": [{"apply_server_side_encryption_by_default": [by_default]}]}


def records(**group: Any) -> dict[str, Any]:
    return {"recording_group": [group]}


def retries(**limits: int) -> dict[str, Any]:
    return {"retry_policy": [limits]}


def locked(**retention: Any) -> dict[str, Any]:
    return {"rule": [{"default_retention": [{"mode": "COMPLIANCE", **retention}]}]}


PRINCIPAL = {"criteria": "principal.AWS", "eq": ["111122223333"]}
STATUS = {"criteria": "status", "eq": ["ACTIVE"]}

WEAKER: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    ("aws_accessanalyzer_archive_rule", archive(PRINCIPAL, STATUS), archive(STATUS), {"filter"}),
    (
        "aws_accessanalyzer_archive_rule",
        archive(STATUS, PRINCIPAL),
        archive({**PRINCIPAL, "eq": ["111122223333", "444455556666"]}, STATUS),
        {"filter[0].eq"},
    ),
    (
        # In a block without a number, the provider sends 0.
        "aws_cloudwatch_event_target",
        values(retry_policy=[]),
        retries(maximum_event_age_in_seconds=86400),
        {"retry_policy[0].maximum_event_age_in_seconds", "retry_policy[0].maximum_retry_attempts"},
    ),
    (
        "aws_cloudwatch_event_target",
        retries(maximum_retry_attempts=3),
        retries(maximum_retry_attempts=0),
        {"retry_policy[0].maximum_retry_attempts"},
    ),
    (
        "aws_fms_policy",
        values(exclude_map=[{"account": ["111122223333"]}]),
        values(exclude_map=[{"account": ["111122223333", "444455556666"]}]),
        {"exclude_map[0].account"},
    ),
    (
        "aws_fms_policy",
        values(exclude_map=[]),
        values(exclude_map=[{"account": ["444455556666"], "orgunit": ["ou-ab12-cdefgh34"]}]),
        {"exclude_map[0].account", "exclude_map[0].orgunit"},
    ),
    ("aws_fms_policy", values(include_map=[]), values(include_map=[{"account": ["111122223333"]}]), {"include_map"}),
    (
        "aws_securityhub_configuration_policy",
        controls(disabled_control_identifiers=["IAM.6"]),
        controls(disabled_control_identifiers=["IAM.6", "S3.1"]),
        {f"{HUB}.disabled_control_identifiers"},
    ),
    (
        "aws_securityhub_configuration_policy",
        controls(disabled_control_identifiers=["IAM.6"]),
        controls(enabled_control_identifiers=["S3.1"]),
        {f"{HUB}.enabled_control_identifiers"},
    ),
    *(
        (
            "aws_ec2_instance_metadata_defaults",
            values(http_put_response_hop_limit=1),
            values(http_put_response_hop_limit=more),
            {"http_put_response_hop_limit"},
        )
        for more in (2, 64, -1)
    ),
    (
        "aws_cloudwatch_log_metric_filter",
        values(pattern="{ $.a = 1 || $.b = 2 }"),
        values(pattern="{ $.a = 1 }"),
        {"pattern"},
    ),
    *(
        (
            "aws_cloudwatch_metric_alarm",
            {"comparison_operator": AT_LEAST, **old},
            {"comparison_operator": AT_LEAST, **new},
            {name},
        )
        for name, old, new in (
            ("period", values(period=300), values(period=86_400)),
            ("period", values(period=300), values(period=60)),
            ("evaluation_periods", values(evaluation_periods=1), values(evaluation_periods=5)),
            ("threshold", values(threshold=1), values(threshold=100)),
            ("datapoints_to_alarm", values(datapoints_to_alarm=1), values(datapoints_to_alarm=3)),
            ("actions_enabled", values(actions_enabled=True), values(actions_enabled=False)),
            ("alarm_actions", values(alarm_actions=["a", "b"]), values(alarm_actions=["a"])),
            ("treat_missing_data", values(treat_missing_data="breaching"), values(treat_missing_data="notBreaching")),
            ("treat_missing_data", values(treat_missing_data="notBreaching"), values(treat_missing_data="ignore")),
            ("dimensions", values(dimensions=None), values(dimensions={"Region": "eu-central-1"})),
        )
    ),
    (
        "aws_cloudwatch_metric_alarm",
        values(threshold=1, comparison_operator=AT_LEAST),
        values(threshold=1, comparison_operator=BELOW),
        {"comparison_operator"},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        values(threshold=5, comparison_operator=BELOW),
        values(threshold=4, comparison_operator=BELOW),
        {"threshold"},
    ),
    ("aws_cloudwatch_event_rule", values(state="ENABLED"), values(state="DISABLED"), {"state"}),
    ("aws_cloudwatch_event_rule", values(state=None), values(state="DISABLED"), {"state"}),
    ("aws_cloudwatch_event_rule", values(is_enabled=None), values(is_enabled=False), {"is_enabled"}),
    (
        "aws_config_configuration_recorder",
        records(exclusion_by_resource_types=[]),
        records(exclusion_by_resource_types=[{"resource_types": ["AWS::IAM::User"]}]),
        {"recording_group[0].exclusion_by_resource_types[0].resource_types"},
    ),
    (
        "aws_config_configuration_recorder",
        records(all_supported=True, resource_types=[]),
        records(all_supported=False, resource_types=["AWS::IAM::User"]),
        {"recording_group[0].all_supported", "recording_group[0].resource_types"},
    ),
    (
        "aws_s3_bucket_server_side_encryption_configuration",
        encrypted("aws:kms", OWN),
        encrypted("aws:kms", None),
        {"rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id"},
    ),
    ("aws_cloudtrail", values(arn=TRAIL, kms_key_id=OWN), values(arn=TRAIL, kms_key_id=FOREIGN), {"kms_key_id"}),
    ("aws_cloudtrail", values(kms_key_id=OWN), values(kms_key_id=FOREIGN), {"kms_key_id"}),
    ("aws_cloudtrail", values(arn=TRAIL), values(arn=TRAIL, kms_key_id=FOREIGN), {"kms_key_id"}),
    ("aws_sns_topic", values(kms_master_key_id=OWN), values(kms_master_key_id="alias/aws/sns"), {"kms_master_key_id"}),
    (
        "aws_s3_bucket_object_lock_configuration",
        locked(years=7),
        locked(days=365),
        {"rule[0].default_retention[0].days"},
    ),
    (
        "aws_organizations_policy",
        values(type="BACKUP_POLICY", content='{"plans": {"a": {"rules": {"x": 1}}}}'),
        values(type="BACKUP_POLICY", content='{"plans": {"a": {"rules": {}}}}'),
        {"content"},
    ),
]
NOT_WEAKER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # Without the block, EventBridge tries as often as it ever does.
    ("aws_cloudwatch_event_target", retries(maximum_event_age_in_seconds=60, maximum_retry_attempts=1), {}),
    ("aws_cloudwatch_event_target", values(retry_policy=[]), retries(maximum_retry_attempts=185)),
    ("aws_scheduler_schedule", {"target": [retries(maximum_retry_attempts=0)]}, {"target": [{"retry_policy": []}]}),
    ("aws_accessanalyzer_archive_rule", archive(STATUS), archive(PRINCIPAL, STATUS)),
    ("aws_fms_policy", values(exclude_map=[{"account": ["1", "2"]}]), values(exclude_map=[{"account": ["2"]}])),
    (
        "aws_fms_policy",
        values(include_map=[{"account": ["1"], "orgunit": []}]),
        values(include_map=[{"account": ["1"], "orgunit": ["ou-ab12-cdefgh34"]}]),
    ),
    (
        "aws_securityhub_configuration_policy",
        controls(enabled_control_identifiers=["S3.1"]),
        controls(disabled_control_identifiers=[]),
    ),
    # Central configuration decides what the switches decided until then.
    (
        "aws_securityhub_organization_configuration",
        values(auto_enable=True, auto_enable_standards="DEFAULT"),
        values(
            auto_enable=False,
            auto_enable_standards="NONE",
            organization_configuration=[{"configuration_type": "CENTRAL"}],
        ),
    ),
    (
        "aws_securityhub_finding_aggregator",
        values(linking_mode="SPECIFIED_REGIONS", specified_regions=["eu-west-1"]),
        values(linking_mode="ALL_REGIONS", specified_regions=None),
    ),
    (
        "aws_ec2_instance_metadata_defaults",
        values(http_put_response_hop_limit=-1),
        values(http_put_response_hop_limit=1),
    ),
    (
        "aws_cloudwatch_metric_alarm",
        values(threshold=1, comparison_operator=AT_LEAST),
        values(threshold=0, comparison_operator=AT_LEAST),
    ),
    (
        "aws_cloudwatch_metric_alarm",
        values(datapoints_to_alarm=1, evaluation_periods=1),
        values(datapoints_to_alarm=None, evaluation_periods=1),
    ),
    ("aws_cloudwatch_metric_alarm", values(dimensions={}, metric_query=[]), values(dimensions=None, metric_query=None)),
    ("aws_cloudwatch_event_rule", values(state=None), values(state="ENABLED")),
    ("aws_cloudwatch_event_rule", values(state="ENABLED"), values(state=None)),
    ("aws_cloudwatch_event_rule", values(is_enabled=True), values(is_enabled=None)),
    ("aws_cloudtrail", values(arn=TRAIL, kms_key_id=OWN), values(arn=TRAIL, kms_key_id=OTHER)),
    # An organization's trail keeps the key of the account that keeps its records, and may get an own one.
    ("aws_cloudtrail", values(arn=TRAIL, kms_key_id=FOREIGN), values(arn=TRAIL, kms_key_id=FOREIGN[:-1] + "c")),
    ("aws_cloudtrail", values(arn=TRAIL, kms_key_id=FOREIGN), values(arn=TRAIL, kms_key_id=OWN)),
    ("aws_cloudtrail", values(arn=TRAIL), values(arn=TRAIL, kms_key_id=OWN)),
    ("aws_sns_topic", values(kms_master_key_id="alias/aws/sns"), values(kms_master_key_id="alias/own")),
    ("aws_s3_bucket_object_lock_configuration", locked(years=1), locked(days=400)),
    (
        "aws_organizations_policy",
        values(type="TAG_POLICY", content='{"tags": {"a": 1}}'),
        values(type="TAG_POLICY", content='{"tags": {"b": {"c": 2}, "a": 1}}'),
    ),
]


def record(kind: str) -> ResourceType:
    return RESOURCES[kind]


@pytest.mark.parametrize(
    ("kind", "before", "after", "attributes"), WEAKER, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_makes_an_account_weaker(kind: str, before: dict[str, Any], after: dict[str, Any], attributes: set[str]):
    assert {lost.path for lost in weakenings(record(kind), before, after)} == attributes


@pytest.mark.parametrize(("kind", "before", "after"), NOT_WEAKER, ids=lambda v: v if isinstance(v, str) else "")
def test_what_does_not(kind: str, before: dict[str, Any], after: dict[str, Any]):
    assert list(weakenings(record(kind), before, after)) == []


SCHEMA = types()
HIDDEN = (Marker.UNKNOWN, Marker.SENSITIVE)
POOLS: dict[str, tuple[Any, ...]] = {
    "string": (None, "", "x", "5", "{}", '{"Version": "2012-10-17", "Statement": []}', "{ $.a = 1 }", *HIDDEN),
    "number": (None, 0, -1, 1, 5, *HIDDEN),
    "bool": (None, True, False, *HIDDEN),
    "map": (None, {}, {"a": ""}, {"a": Marker.UNKNOWN}, *HIDDEN),
    "list": (None, [], ["x"], ["x", "y"], [Marker.UNKNOWN], *HIDDEN),
    "block": (None, [], [{}], [{"name": "x"}, {"status": Marker.UNKNOWN}], [Marker.UNKNOWN], *HIDDEN),
}


@pytest.mark.parametrize("kind", [kind for kind, record in RESOURCES.items() if record.strengths])
def test_no_value_is_too_odd_to_be_judged(kind: str):
    """Empty, unknown and hidden values at every declared place: judged without an error, and no loss where equal."""
    for strength in RESOURCES[kind].strengths:
        path = re.sub(r"\[[0*]\]", "", strength.attribute)
        head = SCHEMA[kind][path].split()[0].split("(")[0].replace("set", "list")
        for old, new in itertools.product(POOLS[head], repeat=2):
            before, after = (within(strength.attribute.replace("[*]", "[0]"), value) for value in (old, new))
            lost = list(weakenings(RESOURCES[kind], before, after))
            if old is new:
                assert lost == []


def hidden(kind: str, before: Any, after: Any, **marks: Any) -> list[str]:
    """Places of what gets weaker, from a plan in which values are sensitive or unknown."""
    change = {"actions": ["update"], "before": before, "after": after, **marks}
    entry = {"address": f"module.config.{kind}.x", "mode": "managed", "type": kind, "name": "x", "change": change}
    (read,) = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes
    return [lost.named for lost in weakenings(record(kind), read.before, read.after)]


STRENGTHS = [(kind, strength) for kind, record in RESOURCES.items() for strength in record.strengths]


@pytest.mark.parametrize("marked", ["before_sensitive", "after_sensitive"])
def test_a_hidden_change_cannot_be_judged_and_an_unchanged_value_is_no_loss(marked: str):
    """Also of a list that is hidden as a whole: of its entries nothing is known."""
    for kind, strength in STRENGTHS:
        given = {strength.only[0]: strength.only[1][0]} if strength.only else {}
        old, new = ({**given, strength.top: value} for value in ([{"x": "1"}], [{"x": "2"}]))
        marks = {marked: {strength.top: True}}
        assert strength.attribute.split("[*]")[0] in hidden(kind, old, new, **marks), kind
        assert hidden(kind, old, {**old, "tags": {"a": "b"}}, **marks) == [], (kind, strength.attribute)


ONE = {"name": "A", "status": "ENABLED"}


def test_a_key_names_an_entry_only_where_one_entry_has_it():
    """A consent to the loss of one is none to that of another, whatever is unknown around it."""
    kind, path = "aws_guardduty_detector_feature", "additional_configuration"
    unknown = {"after_unknown": {path: True}}
    two = {path: [ONE, ONE | {"name": "B"}]}
    assert hidden(kind, two, {"status": "x"}, **unknown) == [f'{path}["A"].status', f'{path}["B"].status']
    twice = {path: [ONE, ONE]}
    assert hidden(kind, twice, {"status": "x"}, **unknown) == [f"{path}[0].status", f"{path}[1].status"]
    off = ONE | {"status": "DISABLED"}
    assert hidden(kind, twice, {path: [off, off]}) == [f"{path}[0].status", f"{path}[1].status"]
    assert hidden(kind, {path: [ONE]}, {path: [off, off]}) == [f"{path}[0].status"]
    assert hidden(kind, {path: [ONE]}, {path: [off]}) == [f'{path}["A"].status']


def within(path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition("[0].")
    return {head: [within(rest, value)]} if rest else {head: value}


def test_trust_and_rights_of_a_role_are_not_widened_unasked_in_any_component():
    """A component that declared nothing was one in which nothing was judged."""
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    judged = defaultdict(set)
    for file in sorted((Path(__file__).parents[2] / "plans" / "components").glob("*.json")):
        for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
            kinds = {"aws_iam_role": ("assume_role_policy", everybody), "aws_iam_role_policy": ("policy", everything)}
            if entry["type"] not in kinds:
                continue
            attribute, wide = kinds[entry["type"]]
            before = {**entry["change"]["after"]}
            before.setdefault(attribute, '{"Version": "2012-10-17", "Statement": []}')
            after = {**before, attribute: json.dumps({"Version": "2012-10-17", "Statement": [wide]})}
            changed = {**entry, "change": {"actions": ["update"], "before": before, "after": after}}
            plan = parse_plan({"format_version": "1.2", "resource_changes": [changed]}, ATTRIBUTION)
            (finding,) = judge(plan, REGISTRY, {})
            assert (finding.attribute, finding.blocks) == (attribute, True)
            judged[entry["type"]].add(ATTRIBUTION.of(entry["address"])[0])
    once_undeclared = {"cloudtrail", "guardduty", "activity_alarms", "trusted_advisor", "account_defaults"}
    assert once_undeclared <= judged["aws_iam_role"] | judged["aws_iam_role_policy"]
