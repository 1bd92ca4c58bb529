"""Alarms on activity: patterns that match what the requirement wants, and a chain that ends at a person."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.components.test_activity_alarms_patterns import patterns  # noqa: F401 (a fixture)
from toolkit.audit.checks.monitors import MONITORS, AlarmTopics, FilterAlarms, Monitor, TrailFilters
from toolkit.audit.checks.trails import Selectors, Trails
from toolkit.audit.model import Result
from toolkit.audit.patterns import NEVER, PatternError, Term, parse, remaining
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Ask
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
        "group": GROUP, "pattern": pattern, "metric": name, "namespace": "n", "value": "1", "dimensions": [], **values,
    }  # fmt: skip
    return Live({"log_group_name": "g", "name": name}, every, f"the metric filter {name!r}", name, region=HOME)


def alarm(metric: str = "f", name: str | None = None, **values: Any) -> Live:
    every = {
        "namespace": "n", "metric_name": metric, "dimensions": {}, "actions_enabled": True, "alarm_actions": [TOPIC],
        "statistic": "Sum", "threshold": 1.0, "comparison_operator": "GreaterThanOrEqualToThreshold",
        "evaluation_periods": 1, "datapoints_to_alarm": None, **values,
    }  # fmt: skip
    called = name or metric
    return Live({"alarm_name": called}, every, f"the alarm {called!r}", called, region=HOME)


def topic(confirmed: int | None = 1, arn: str = TOPIC) -> Live:
    return Live({"arn": arn}, {"arn": arn, "confirmed": confirmed}, "the topic 'alerts'", None, arn)


def judged(
    ask: Ask,
    monitor: Monitor,
    *filters: Live,
    alarms: tuple[Live, ...] | None = None,
    topics: tuple[Live, ...] = (topic(),),
    trails: tuple[Live, ...] | None = None,
) -> Result:
    there = trails if trails is not None else (trail(log_group=f"{GROUP}:*"),)
    answers: dict[Any, Any] = {
        Trails(REGIONS): there,
        Selectors(REGIONS): tuple(basic(ALL_MANAGEMENT, of=one.key["arn"]) for one in there),
        TrailFilters(REGIONS): filters,
        FilterAlarms(REGIONS): alarms if alarms is not None else tuple(alarm(one.values["metric"]) for one in filters),
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
    ],
)
def test_the_alarm(ask: Ask, values: dict[str, Any], expected: Status):
    assert judged(ask, KMS, WHOLE, alarms=(alarm(**values),)).status is expected
    assert judged(ask, KMS, WHOLE, alarms=(alarm(**values), alarm(name="good"))).status is PASS


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
