"""Alarms on activity: patterns that match what the requirement wants, and a chain that ends at a person."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.unit.components.test_activity_alarms_patterns import patterns  # noqa: F401 (a fixture)
from toolkit.audit.alerts import AlarmTopics, CompositeAlarms, FilterAlarms, TrailFilters
from toolkit.audit.checks.monitors import MONITORS, Monitor
from toolkit.audit.checks.trails import Selectors, Trails
from toolkit.audit.model import Result
from toolkit.audit.patterns import NEVER, PatternError, Term, parse, remaining
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Ask
from .recorded_monitors import BY_DEFAULT, KEY, OF_ACCOUNT, OF_CLOUDWATCH, composite, measured, policy
from .recorded_monitors import topic as recorded_topic
from .test_trails import ALL_MANAGEMENT, REGIONS, basic, trail

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
MODULE = Path(__file__).parents[3] / "modules" / "activity_alarms"
GROUP = f"arn:aws:logs:{HOME}:123456789012:log-group:/aws/cloudtrail/main"
ELSEWHERE = f"arn:aws:logs:{HOME}:111122223333:log-group:/aws/cloudtrail/main"
TOPIC = f"arn:aws:sns:{HOME}:123456789012:alerts"
BY_NAME = {one.name: one for one in MONITORS}
OF_CALLS = [one for one in MONITORS if all("$.eventSource" in e and len(e) == 2 for e in one.events.values())]


def a_filter(pattern: str, name: str = "f", **values: Any) -> Live:
    every = {
        "group": GROUP, "pattern": pattern, "metric": name, "namespace": "n", "value": "1", "dimensions": [],
        "unit": "None", "system_dimensions": [], "criteria": None, "transformed": False, **values,
    }  # fmt: skip
    return Live({"log_group_name": "g", "name": name}, every, f"the metric filter {name!r}", name, region=HOME)


def alarm(metric: str = "f", name: str | None = None, **values: Any) -> Live:
    every = {
        "actions_enabled": True, "alarm_actions": [TOPIC], "expression": None,
        "threshold": 1.0, "comparison_operator": "GreaterThanOrEqualToThreshold",
        "evaluation_periods": 1, "datapoints_to_alarm": None, **values,
    }  # fmt: skip
    # What is no value of an alarm is one of its metric.
    of_metric = {key: every.pop(key) for key in ("namespace", "dimensions", "statistic", "unit") if key in every}
    every.setdefault("metrics", [measured(every.pop("metric_name", metric), **of_metric)])
    called = name or metric
    return Live({"alarm_name": called}, every, f"the alarm {called!r}", called, region=HOME)


def topic(confirmed: int | None = 1, arn: str = TOPIC, **values: Any) -> Live:
    return recorded_topic(arn, confirmed, **values)


def judged(
    ask: Ask,
    monitor: Monitor,
    *filters: Live,
    alarms: tuple[Live, ...] | None = None,
    topics: tuple[Live, ...] = (topic(),),
    trails: tuple[Live, ...] | None = None,
    composites: tuple[Live, ...] = (),
) -> Result:
    there = trails if trails is not None else (trail(log_group=f"{GROUP}:*"),)
    answers: dict[Any, Any] = {
        Trails(REGIONS): there,
        Selectors(REGIONS): tuple(basic(ALL_MANAGEMENT, of=one.key["arn"]) for one in there),
        TrailFilters(REGIONS): filters,
        FilterAlarms(REGIONS): alarms if alarms is not None else tuple(alarm(one.values["metric"]) for one in filters),
        CompositeAlarms(REGIONS): composites,
        AlarmTopics(REGIONS): topics,
    }
    return ask(monitor.topic, answers)


def any_of(names: list[str]) -> str:
    return "||".join(f"($.eventName = {name})" for name in names)


def forms(monitor: Monitor, names: list[str]) -> list[str]:
    """The ways in which guides write a pattern of calls by name."""
    source = next(iter(monitor.events.values()))["$.eventSource"]
    quoted = " || ".join(f'$.eventName = "{name}"' for name in names)
    each = " || ".join(f"(($.eventSource = {source}) && ($.eventName = {name}))" for name in names)
    return [
        f"{{{any_of(names)}}}",
        f"{{ ($.eventSource = {source}) && ({any_of(names)}) }}",
        f'{{ ({quoted}) && $.eventSource = "{source}" }}',
        f"{{ {each} }}",
    ]


@pytest.mark.parametrize("monitor", OF_CALLS, ids=lambda one: one.name)
def test_every_form_with_all_names_passes_and_without_any_one_fails(ask: Ask, monitor: Monitor):
    names = list(monitor.events)
    for pattern in forms(monitor, names):
        if len(pattern) <= 1024:
            assert judged(ask, monitor, a_filter(pattern)).status is PASS, pattern
    for name in names:
        rest = [one for one in names if one != name]
        for pattern in forms(monitor, rest):
            if len(pattern) <= 1024:
                result = judged(ask, monitor, a_filter(pattern))
                assert result.status is FAIL, pattern
                assert result.outcomes[0].evidence.endswith(f"matches {name}")


def test_several_filters_may_share_the_names(ask: Ask):
    monitor = BY_NAME["vpc_changes"]
    names = list(monitor.events)
    halves = [a_filter(f"{{{any_of(half)}}}", f"f{n}") for n, half in enumerate((names[:5], names[5:]))]
    assert judged(ask, monitor, *halves).status is PASS
    assert judged(ask, monitor, halves[0]).status is FAIL
    assert judged(ask, monitor, *halves, alarms=(alarm("f0"),)).status is FAIL


BENCHMARK = {
    "unauthorized_api_calls": '{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") }',
    "console_sign_in_without_mfa": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
    "root_use": '{$.userIdentity.type="Root"&&$.userIdentity.invokedBy NOT EXISTS&&$.eventType !="AwsServiceEvent"}',
    "console_sign_in_failures": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
}


@pytest.mark.parametrize("name", BENCHMARK)
def test_patterns_of_guides_that_are_not_lists_of_names(ask: Ask, name: str):
    assert judged(ask, BY_NAME[name], a_filter(BENCHMARK[name])).status is PASS


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("unauthorized_api_calls", '{ $.errorCode = "AccessDenied*" }', FAIL),
        ("unauthorized_api_calls", '{ $.errorCode = "*UnauthorizedOperation" }', FAIL),
        ("unauthorized_api_calls", '{ $.errorCode = "AccessDenied" || $.errorCode = "*UnauthorizedOperation" }', FAIL),
        ("console_sign_in_without_mfa", '{ $.eventName=ConsoleLogin && $.additionalEventData.MFAUsed = "Yes" }', FAIL),
        ("console_sign_in_without_mfa", '{ $.eventName = "ConsoleLogout" }', FAIL),
        ("root_use", '{ $.userIdentity.type = "Root" && $.eventType = "AwsApiCall" }', FAIL),
        ("root_use", '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy != "x" }', FAIL),
        ("root_use", '{ $.userIdentity.type = "Root" && $.sourceIPAddress != "192.0.2.1" }', UNKNOWN),
        ("console_sign_in_failures", "{ $.eventName = ConsoleLogin }", PASS),
        ("console_sign_in_failures", '{ $.errorMessage = "No username found in supplied account" }', FAIL),
        ("kms_key_deletions", "{ ($.eventName=DisableKey || $.eventName=ScheduleKeyDeletion) "
                              '&& $.userIdentity.userName="alice" }', FAIL),
        ("kms_key_deletions", "{ ($.eventName=DisableKey || $.eventName=ScheduleKeyDeletion) "
                              '&& $.userIdentity.userName!="alice" }', UNKNOWN),
        ("kms_key_deletions", "{ ($.eventName=DisableKey || $.eventName=ScheduleKeyDeletion) "
                              "&& $.errorCode NOT EXISTS }", UNKNOWN),
        ("kms_key_deletions", "{ $.eventSource=kms.amazonaws.com }", PASS),
        ("kms_key_deletions", "{ $.eventName=*Key* || $.eventName=ScheduleKeyDeletion }", PASS),
        ("kms_key_deletions", "{ ($.eventSource=ec2.amazonaws.com) && "
                              "($.eventName=DisableKey || $.eventName=ScheduleKeyDeletion) }", FAIL),
        ("kms_key_deletions", "{ $.eventName=%Key% }", UNKNOWN),
        ("kms_key_deletions", "ScheduleKeyDeletion", UNKNOWN),
        ("kms_key_deletions", "", UNKNOWN),
    ],
)  # fmt: skip
def test_other_patterns(ask: Ask, name: str, pattern: str, expected: Status):
    result = judged(ask, BY_NAME[name], a_filter(pattern))
    assert result.status is expected, result.outcomes


def test_a_condition_that_is_not_known_to_be_harmless_is_named(ask: Ask):
    pattern = '{ ($.eventName=DisableKey || $.eventName=ScheduleKeyDeletion) && $.userIdentity.userName!="alice" }'
    (said,) = judged(ask, BY_NAME["kms_key_deletions"], a_filter(pattern)).outcomes
    assert said.evidence == """the metric filter 'f' matches only where $.userIdentity.userName != "alice\""""


def test_what_leaves_out_service_linked_roles_of_another_account_is_not_ours(ask: Ask):
    monitor = BY_NAME["config_changes"]
    arn = "$.userIdentity.sessionContext.sessionIssuer.arn"
    for account, expected in (("123456789012", PASS), ("111122223333", UNKNOWN)):
        other = f'({arn} NOT EXISTS || {arn} != "arn:aws:iam::{account}:role/aws-service-role/*")'
        pattern = f"{{ ({any_of(list(monitor.events))}) && {other} }}"
        assert judged(ask, monitor, a_filter(pattern)).status is expected
    half = f"{{ ({any_of(list(monitor.events))}) && ({arn} NOT EXISTS) }}"
    assert judged(ask, monitor, a_filter(half)).status is UNKNOWN, "one half of it leaves out every role"


@pytest.mark.parametrize("choice", ["refined", "benchmark"])
@pytest.mark.parametrize("monitor", MONITORS, ids=lambda one: one.name)
def test_our_modules_patterns_pass_among_all_others(
    ask: Ask,
    patterns: dict[str, dict[str, str]],  # noqa: F811
    monitor: Monitor,
    choice: str,
):
    every = {name: a_filter(pattern, name) for name, pattern in patterns[choice].items()}
    assert set(every) == set(BY_NAME)
    alarms = tuple(alarm(name, threshold=float(BY_NAME[name].limit)) for name in every)
    assert judged(ask, monitor, *every.values(), alarms=alarms).status is PASS
    others = [one for name, one in every.items() if name != monitor.name]
    assert judged(ask, monitor, *others, alarms=alarms).status is FAIL, "no other monitor's filter stands in for it"
    if monitor in OF_CALLS:
        for name in monitor.events:
            lacking = every[monitor.name].values["pattern"].replace(f"($.eventName={name})", "($.eventName=Other)")
            result = judged(ask, monitor, *others, a_filter(lacking, monitor.name), alarms=alarms)
            assert result.status is FAIL, name


def test_the_names_are_those_of_the_module():
    """What the module calls the benchmark's, and the topics and limits of its controls.yaml."""
    text = (MODULE / "patterns.tf").read_text("utf-8")
    blocks = re.findall(r"^    (\w+) = \{\n.*?benchmark\s*= \[(.*?)\]", text, re.M | re.S)
    ours = {name: re.findall(r'"(\w+)"', listed) for name, listed in blocks}
    assert ours == {one.name: list(one.events) for one in OF_CALLS}
    controls = (MODULE / "controls.yaml").read_text("utf-8")
    for one in MONITORS:
        assert f'- topic: {one.topic}\n    resource: aws_cloudwatch_metric_alarm.monitor["{one.name}"]' in controls
        limit = rf"- topic: {one.topic}\n.*\n    attribute: threshold\n    expect: \{{ at_most: {one.limit} \}}"
        assert re.search(limit, controls)


KMS = BY_NAME["kms_key_deletions"]
WHOLE = a_filter(f"{{{any_of(list(KMS.events))}}}")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, PASS),
        ({"actions_enabled": False}, FAIL),
        ({"alarm_actions": []}, FAIL),
        ({"alarm_actions": [f"arn:aws:lambda:{HOME}:123456789012:function:f"]}, FAIL),
        ({"threshold": 2.0}, FAIL),
        ({"threshold": 0.0}, FAIL),
        ({"threshold": 0.5}, PASS),
        ({"threshold": None}, FAIL),
        ({"comparison_operator": "GreaterThanThreshold"}, FAIL),
        ({"comparison_operator": "GreaterThanThreshold", "threshold": 0.0}, PASS),
        ({"comparison_operator": "GreaterThanThreshold", "threshold": -1.0}, FAIL),
        ({"comparison_operator": "LessThanThreshold"}, FAIL),
        ({"statistic": "SampleCount"}, PASS),
        ({"statistic": "Average"}, FAIL),
        ({"evaluation_periods": 2}, FAIL),
        ({"evaluation_periods": 5, "datapoints_to_alarm": 1}, PASS),
        ({"dimensions": {"a": "b"}}, FAIL),
        ({"metric_name": "other"}, FAIL),
        ({"namespace": "other"}, FAIL),
        ({"unit": "None"}, PASS),
        ({"unit": "Count"}, FAIL),
    ],
)
def test_the_alarm(ask: Ask, values: dict[str, Any], expected: Status):
    assert judged(ask, KMS, WHOLE, alarms=(alarm(**values),)).status is expected
    assert judged(ask, KMS, WHOLE, alarms=(alarm(**values), alarm(name="good"))).status is PASS


@pytest.mark.parametrize(
    ("values", "expected", "said"),
    [
        (
            {"system_dimensions": ["@aws.account", "@aws.region"]},
            FAIL,
            "splits its metric by @aws.account, @aws.region",
        ),
        ({"criteria": '@aws.region = "eu-west-1"'}, UNKNOWN, "counts only events that meet"),
        ({"transformed": True}, UNKNOWN, "as a log transformer changed them"),
    ],
)
def test_what_a_filter_leaves_out_beside_its_pattern(ask: Ask, values: dict[str, Any], expected: Status, said: str):
    limited = replace(WHOLE, values={**WHOLE.values, **values})
    result = judged(ask, KMS, limited, alarms=(alarm(),))
    assert (result.status, said in result.outcomes[0].evidence) == (expected, True)
    assert judged(ask, KMS, limited, alarms=()).status is FAIL, "an alarm is missing all the same"


def test_an_alarm_of_another_region_is_on_another_metric(ask: Ask):
    assert judged(ask, KMS, WHOLE, alarms=(replace(alarm(), region="eu-west-1"),)).status is FAIL


@pytest.mark.parametrize(
    ("name", "threshold", "expected"),
    [
        ("unauthorized_api_calls", 10.0, PASS),
        ("unauthorized_api_calls", 11.0, FAIL),
        ("console_sign_in_failures", 5.0, PASS),
        ("console_sign_in_failures", 6.0, FAIL),
    ],
)
def test_single_denied_calls_are_everyday_life(ask: Ask, name: str, threshold: float, expected: Status):
    found = judged(ask, BY_NAME[name], a_filter(BENCHMARK[name]), alarms=(alarm(threshold=threshold),))
    assert found.status is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"value": "0"}, FAIL), ({"value": "$.count"}, FAIL), ({"value": "2"}, PASS), ({"dimensions": ["user"]}, FAIL)],
)
def test_the_metric(ask: Ask, values: dict[str, Any], expected: Status):
    assert judged(ask, KMS, a_filter(WHOLE.values["pattern"], **values)).status is expected


@pytest.mark.parametrize(
    ("expression", "metrics", "expected"),
    [
        ("m1", [measured(id="m1")], PASS),
        ("FILL(m1,0)", [measured(id="m1")], PASS),
        ("FILL(m1, 0) + FILL(m2, 0)", [measured("x", id="m1"), measured(id="m2")], PASS),
        ("SUM(FILL(METRICS(), 0))", [measured("x", id="m1"), measured(id="m2")], PASS),
        # Where one metric has no data, a sum has no value, and the alarm does not go off.
        ("m1 + m2", [measured("x", id="m1"), measured(id="m2")], UNKNOWN),
        ("FILL(m1, 0)", [measured("x", id="m1"), measured(id="m2")], UNKNOWN),
        ("SUM(METRICS())", [measured(id="m1")], UNKNOWN),
        ("m1 / m2", [measured("x", id="m1"), measured(id="m2")], UNKNOWN),
        ("FILL(m1, REPEAT)", [measured(id="m1")], UNKNOWN),
        ("FILL(m1,0)", [measured(id="m1", statistic="Average")], UNKNOWN),
        ("FILL(m1,0)", [measured(id="m1", unit="Count")], FAIL),
        ("m1", [measured("x", id="m1")], FAIL),
    ],
)
def test_an_alarm_on_metric_math(ask: Ask, expression: str, metrics: list[dict[str, Any]], expected: Status):
    assert judged(ask, KMS, WHOLE, alarms=(alarm(expression=expression, metrics=metrics),)).status is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("f")', PASS),
        ("ALARM(f)", PASS),
        (f'ALARM("arn:aws:cloudwatch:{HOME}:123456789012:alarm:f")', PASS),
        ('(ALARM("x (1)") OR (ALARM(f)))', PASS),
        ("ALARM(x)\nOR ALARM(f) OR ALARM(y)", PASS),
        ("ALARM(f) AND ALARM(x)", UNKNOWN),
        ("ALARM(f) OR OK(x)", UNKNOWN),
        ("NOT ALARM(f)", UNKNOWN),
        ("ALARM(f) OR TRUE", UNKNOWN),
        ("ALARM(other)", FAIL),
        ("OK(x)", FAIL),
    ],
)
def test_a_composite_alarm_that_follows_notifies_for_it(ask: Ask, rule: str, expected: Status):
    silent = (alarm(alarm_actions=[]),)
    result = judged(ask, KMS, WHOLE, alarms=silent, composites=(composite(rule),))
    assert result.status is expected
    if expected is PASS:
        assert "the composite alarm 'c' notifies" in result.outcomes[0].evidence
    elsewhere = replace(composite(rule), region="eu-west-1")
    assert judged(ask, KMS, WHOLE, alarms=silent, composites=(elsewhere,)).status is FAIL


def test_composite_alarms_of_composite_alarms(ask: Ask):
    def called(name: str, rule: str, **values: Any) -> Live:
        return replace(composite(rule, **values), key={"alarm_name": name}, called=name)

    silent = (alarm(alarm_actions=[]),)
    inner = called("inner", "ALARM(f) OR ALARM(outer)", alarm_actions=[])
    outer = called("outer", "ALARM(inner)")
    assert judged(ask, KMS, WHOLE, alarms=silent, composites=(inner, outer)).status is PASS
    assert judged(ask, KMS, WHOLE, alarms=silent, composites=(inner,)).status is FAIL


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"filtered": 1}, PASS),
        ({"filtered": 2}, UNKNOWN),
        ({"policy": policy("sns:Publish", principal={"Service": "cloudwatch.amazonaws.com"})}, PASS),
        ({"policy": policy("sns:Publish", principal={"Service": "events.amazonaws.com"})}, FAIL),
        ({"policy": policy("sns:Subscribe", principal="*")}, FAIL),
        (
            {
                "policy": policy(
                    "sns:Publish", principal="*", ArnLike={"aws:SourceArn": "arn:aws:cloudwatch:*:*:alarm:f"}
                )
            },
            PASS,
        ),
        ({"policy": policy("sns:Publish", principal="*", ArnLike={"aws:SourceArn": "arn:aws:s3:::*"})}, FAIL),
        ({"policy": policy("sns:Publish", principal="*", StringEquals={"aws:SourceOrgID": "o-example"})}, UNKNOWN),
        ({"key": KEY, "key_state": "Enabled", "key_policy": OF_CLOUDWATCH}, PASS),
        ({"key": KEY, "key_state": "Enabled", "key_policy": OF_ACCOUNT}, FAIL),
        (
            {
                "key": KEY,
                "key_state": "Enabled",
                "key_policy": policy("kms:Decrypt", principal={"Service": "cloudwatch.amazonaws.com"}),
            },
            FAIL,
        ),
        ({"key": KEY, "key_state": "Disabled", "key_policy": OF_CLOUDWATCH}, FAIL),
        ({"key": KEY, "key_state": "Enabled", "key_policy": None}, UNKNOWN),
    ],
)
def test_the_way_through_the_topic(ask: Ask, values: dict[str, Any], expected: Status):
    assert judged(ask, KMS, WHOLE, topics=(topic(2, **values),)).status is expected
    assert topic().values["policy"] == BY_DEFAULT


def test_the_chain_is_read_as_aws_answers_it():
    """From the trail to the key of the topic, with what moto answers; it has no composite alarms."""

    class WithComposites(Inventory):
        def pages(self, service: str, operation: str, member: str, region: str, **parameters: Any) -> tuple[Any, ...]:
            if member != "CompositeAlarms":
                return super().pages(service, operation, member, region, **parameters)
            rules = {"outer": "ALARM(c)", "c": "ALARM(f)", "unrelated": "ALARM(other)"}
            return tuple({"AlarmName": name, "AlarmRule": rule, "AlarmActions": [arn]} for name, rule in rules.items())

    text = f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
    with mock_aws():
        s3, logs, kms, sns, cloudwatch = (
            boto3.client(name, HOME) for name in ("s3", "logs", "kms", "sns", "cloudwatch")
        )
        s3.create_bucket(Bucket="example", CreateBucketConfiguration={"LocationConstraint": HOME})
        logs.create_log_group(logGroupName="/aws/cloudtrail/main")
        role = "arn:aws:iam::123456789012:role/trail"
        more = {"CloudWatchLogsLogGroupArn": f"{GROUP}:*", "CloudWatchLogsRoleArn": role}
        boto3.client("cloudtrail", HOME).create_trail(Name="main", S3BucketName="example", **more)
        counts = {"metricName": "f", "metricNamespace": "n", "metricValue": "1"}
        logs.put_metric_filter(
            logGroupName="/aws/cloudtrail/main",
            filterName="f",
            filterPattern="{ $.a = 1 }",
            metricTransformations=[counts],
        )
        key = kms.create_key(Policy=OF_CLOUDWATCH)["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/alerts", TargetKeyId=key)
        arn = sns.create_topic(Name="alerts", Attributes={"KmsMasterKeyId": "alias/alerts"})["TopicArn"]
        first, _ = (
            sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{HOME}:123456789012:{name}")
            for name in ("one", "two")
        )
        sns.set_subscription_attributes(
            SubscriptionArn=first["SubscriptionArn"], AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}'
        )
        common = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "EvaluationPeriods": 1, "Threshold": 1.0}
        measure = {"MetricName": "f", "Namespace": "n", "Period": 300, "Statistic": "Sum"}
        cloudwatch.put_metric_alarm(AlarmName="f", **common, **measure)
        cloudwatch.put_metric_alarm(AlarmName="other", **common, **{**measure, "MetricName": "other"})
        stat = {"Metric": {"Namespace": "n", "MetricName": "f"}, "Period": 300, "Stat": "Sum"}
        query = {"Id": "m1", "MetricStat": stat, "ReturnData": False}
        filled = {"Id": "e1", "Expression": "FILL(m1, 0)", "ReturnData": True}
        cloudwatch.put_metric_alarm(AlarmName="math", **common, Metrics=[query, filled])
        source = WithComposites(AwsSession(load_text(text, name="x", shown_as="x"), {}))
        (found,) = TrailFilters((HOME,)).read(source)
        alarms = {one.key["alarm_name"]: one.values for one in FilterAlarms((HOME,)).read(source)}
        composites = [one.key["alarm_name"] for one in CompositeAlarms((HOME,)).read(source)]
        (read,) = AlarmTopics((HOME,)).read(source)
    assert (found.values["group"], found.values["unit"]) == (GROUP, "None")
    assert set(alarms) == {"f", "math"}
    assert alarms["f"]["metrics"] == [measured("f")]
    assert (alarms["math"]["expression"], alarms["math"]["metrics"][0]["id"]) == ("FILL(m1, 0)", "m1")
    assert composites == ["c", "outer"]
    assert (read.values["confirmed"], read.values["filtered"], read.values["key"]) == (2, 1, key)
    assert (read.values["key_state"], read.values["key_policy"]) == ("Enabled", OF_CLOUDWATCH)
    assert "cloudwatch" not in read.values["policy"]


@pytest.mark.parametrize(("confirmed", "expected"), [(2, PASS), (1, PASS), (0, FAIL), (None, UNKNOWN)])
def test_the_subscriber(ask: Ask, confirmed: int | None, expected: Status):
    assert judged(ask, KMS, WHOLE, topics=(topic(confirmed),)).status is expected


@pytest.mark.parametrize(
    ("trails", "expected"),
    [
        ((), FAIL),
        ((trail(log_group=None),), FAIL),
        ((trail(log_group=GROUP, logging=False),), FAIL),
        ((trail(log_group=GROUP, multi_region=False),), FAIL),
        ((trail(log_group=ELSEWHERE, organization=True),), NOT_APPLICABLE),
        ((trail(log_group=ELSEWHERE),), UNKNOWN),
        ((trail(log_group=ELSEWHERE, organization=True), trail("own", log_group=GROUP)), PASS),
    ],
)
def test_the_trail(ask: Ask, trails: tuple[Live, ...], expected: Status):
    assert judged(ask, KMS, WHOLE, trails=trails).status is expected


def test_a_filter_of_another_log_group_sees_no_events(ask: Ask):
    assert judged(ask, KMS, a_filter(WHOLE.values["pattern"], group=ELSEWHERE)).status is FAIL
    assert judged(ask, KMS).status is FAIL
    assert SCOPE.account_id in GROUP


@pytest.mark.parametrize(
    "pattern",
    [
        "$.a=1", "{ }", "{ a=1 }", "{ ($.a=1 }", "{ $.a=1 $.b=1 }", '{ $.a="x*y" }', "{ $.a EXISTS }", "{ $.a==1 }",
        "{ $.a>1 }", "{ $.a=%x% }", "[a, b]", "{ $.a=" + "x" * 1024 + " }", "{ $.a=1 )",
    ],
)  # fmt: skip
def test_patterns_that_are_not_understood(pattern: str):
    with pytest.raises(PatternError):
        parse(pattern)


def test_what_is_left_of_a_pattern():
    event = {"$.a": "x", "$.none": None}
    other = frozenset({frozenset({Term("$.b", "=", "1")})})
    for pattern, left in {
        '{ $.a = "x" }': frozenset(),
        '{ $.a != "x" }': NEVER,
        '{ $.none != "x" }': NEVER,
        "{ $.none NOT EXISTS }": frozenset(),
        "{ $.none IS NULL }": NEVER,
        "{ $.a IS TRUE }": NEVER,
        "{ $.b = 1 }": other,
        "{ $.a = x || $.b = 1 }": frozenset(),
        "{ $.a = y || $.b = 1 }": other,
        "{ $.a = x && $.b = 1 }": other,
        "{ $.a = y && $.b = 1 }": NEVER,
        "{ $.b = 1 || $.a = y && $.c = 1 }": other,
    }.items():
        assert remaining(parse(pattern), event) == left, pattern


def test_a_pattern_with_too_many_conditions_is_not_understood():
    parts = " || ".join(f"($.a{n}=1 && $.b{n}=1 && $.c{n}=1)" for n in range(9))
    with pytest.raises(PatternError, match="too many"):
        remaining(parse(f"{{ {parts} }}"), {})
