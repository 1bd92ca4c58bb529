"""Alarms on activity: for each monitor the whole chain from a trail to a subscriber, and each link of it broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from toolkit.audit.alerts import AlarmTopics, CompositeAlarms, FilterAlarms, TrailFilters
from toolkit.audit.checks.monitors import MONITORS, Event, Monitor
from toolkit.audit.checks.trails import Selectors, Trails
from toolkit.audit.patterns import ABSENT
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Case, Flip

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
TRAILS, SELECTORS, FILTERS = Trails(SCOPE.regions), Selectors(SCOPE.regions), TrailFilters(SCOPE.regions)
ALARMS, TOPICS = FilterAlarms(SCOPE.regions), AlarmTopics(SCOPE.regions)
COMPOSITES = CompositeAlarms(SCOPE.regions)
GROUP = f"arn:aws:logs:{HOME}:123456789012:log-group:/aws/cloudtrail/main"
ELSEWHERE = f"arn:aws:logs:{HOME}:111122223333:log-group:/aws/cloudtrail/main"
TOPIC, FOREIGN = f"arn:aws:sns:{HOME}:123456789012:alerts", f"arn:aws:sns:{HOME}:111122223333:alerts"
OTHER = "{ $.eventName = Other }"
EXCEPT_ALICE = ' && $.userIdentity.userName != "alice"'


def pattern(events: list[Event], also: str = "") -> str:
    """What matches these events. Names of calls do without their service: a pattern has at most 1,024 characters."""

    def one(event: Event) -> str:
        said = {"$.eventName": event["$.eventName"]} if set(event) == {"$.eventName", "$.eventSource"} else event
        return " && ".join(f"{at} NOT EXISTS" if to is ABSENT else f'{at} = "{to}"' for at, to in said.items())

    return f"{{ ({' || '.join(f'({one(event)})' for event in events)}){also} }}"


def trail(**values: Any) -> Live:
    every = {
        "arn": "main", "regions": SCOPE.regions, "multi_region": True, "logging": True, "organization": False,
        "log_group": f"{GROUP}:*", **values,
    }  # fmt: skip
    return Live({"arn": "main"}, every, "the trail 'main'", None)


BASIC = {"kinds": ("read", "write"), "management": True, "excluded": [], "data": {}}
MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}


def selectors(basic: tuple[Any, ...] = (), advanced: tuple[Any, ...] = ()) -> Live:
    return Live({"arn": "main"}, {"arn": "main", "basic": list(basic), "advanced": list(advanced)}, "", None)


def a_filter(of: str) -> Live:
    values = {
        "group": GROUP,
        "pattern": of,
        "metric": "f",
        "namespace": "n",
        "value": "1",
        "dimensions": [],
        "unit": "None",
        "system_dimensions": [],
        "criteria": None,
        "transformed": False,
    }
    return Live({"log_group_name": "g", "name": "f"}, values, "the metric filter 'f'", "f", region=HOME)


def measured(name: str = "f", **values: Any) -> dict[str, Any]:
    return {"id": None, "namespace": "n", "name": name, "dimensions": {}, "statistic": "Sum", "unit": None, **values}


def alarm(**values: Any) -> Live:
    every = {
        "expression": None, "metrics": [measured()], "actions_enabled": True, "alarm_actions": [TOPIC],
        "threshold": 1.0, "comparison_operator": "GreaterThanOrEqualToThreshold",
        "evaluation_periods": 1, "datapoints_to_alarm": None, **values,
    }  # fmt: skip
    return Live({"alarm_name": "a"}, every, "the alarm 'a'", "a", region=HOME)


def composite(rule: str = 'ALARM("a")', **values: Any) -> Live:
    every = {"rule": rule, "suppressor": None, "actions_enabled": True, "alarm_actions": [TOPIC], **values}
    return Live({"alarm_name": "c"}, every, "the composite alarm 'c'", "c", region=HOME)


def policy(*actions: str, principal: Any, **condition: Any) -> str:
    more = {"Condition": condition} if condition else {}
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


BY_DEFAULT = policy("SNS:Publish", principal={"AWS": "*"}, StringEquals={"AWS:SourceOwner": "123456789012"})
"""As SNS writes it for a new topic, as far as publishing goes."""
KEY = f"arn:aws:kms:{HOME}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OF_ACCOUNT = policy("kms:*", principal={"AWS": "arn:aws:iam::123456789012:root"})
OF_CLOUDWATCH = policy("kms:Decrypt", "kms:GenerateDataKey*", principal={"Service": "cloudwatch.amazonaws.com"})


def topic(arn: str, confirmed: int | None, **values: Any) -> Live:
    every = {"arn": arn, "confirmed": confirmed}
    if confirmed is not None:
        every |= {"filtered": 0, "policy": BY_DEFAULT, "key": None, **values}
    return Live({"arn": arn}, every, "the topic 'alerts'", None, arn)


def encrypted(key_policy: str | None = OF_CLOUDWATCH) -> Live:
    return topic(TOPIC, 1, key=KEY, key_state="Enabled", key_policy=key_policy)


def _case(
    monitor: Monitor,
    expected: Status,
    trails: tuple[Live, ...] = (trail(),),
    logs: Live = selectors((BASIC,)),  # noqa: B008 (frozen)
    of: str | None = None,
    alarms: tuple[Live, ...] = (alarm(),),
    topics: tuple[Live, ...] = (topic(TOPIC, 1),),
    composites: tuple[Live, ...] = (),
    flips: tuple[Flip, ...] = (),
) -> Case:
    answers = {
        TRAILS: trails,
        SELECTORS: (logs,) if trails else (),
        FILTERS: (a_filter(of or pattern(list(monitor.events.values()))),),
        ALARMS: alarms,
        COMPOSITES: composites,
        TOPICS: topics,
    }
    return Case(monitor.topic, expected, answers, flips)


OF_THE_TRAIL = (
    Flip("arn", "other", UNKNOWN, TRAILS),
    Flip("regions", SCOPE.regions[:1], FAIL, TRAILS),
    Flip("multi_region", False, FAIL, TRAILS),
    Flip("logging", False, FAIL, TRAILS),
    Flip("log_group", None, FAIL, TRAILS),
    Flip("log_group", ELSEWHERE, UNKNOWN, TRAILS),
    Flip("arn", "other", UNKNOWN, SELECTORS),
    Flip("basic.0.kinds", ("write",), FAIL, SELECTORS),
    Flip("basic.0.management", False, FAIL, SELECTORS),
    Flip("basic.0.excluded", ["kms.amazonaws.com"], FAIL, SELECTORS),
)
OF_ADVANCED = (
    Flip("advanced.0.eventCategory.Equals", ["Data"], FAIL, SELECTORS),
    Flip("advanced.0.readOnly.Equals", ["true"], FAIL, SELECTORS),
)
OF_THE_FILTER = (
    Flip("group", ELSEWHERE, FAIL, FILTERS),
    Flip("pattern", OTHER, FAIL, FILTERS),
    Flip("pattern", "Example", UNKNOWN, FILTERS),
    Flip("metric", "other", FAIL, FILTERS),
    Flip("namespace", "other", FAIL, FILTERS),
    Flip("value", "0", FAIL, FILTERS),
    Flip("value", "$.count", FAIL, FILTERS),
    Flip("dimensions", ["user"], FAIL, FILTERS),
    Flip("system_dimensions", ["@aws.account"], FAIL, FILTERS),
    Flip("criteria", '@aws.account = "111122223333"', UNKNOWN, FILTERS),
    Flip("transformed", True, UNKNOWN, FILTERS),
)
OF_THE_ALARM = (
    Flip("metrics.0.namespace", "other", FAIL, ALARMS),
    Flip("metrics.0.name", "other", FAIL, ALARMS),
    Flip("metrics.0.dimensions", {"user": "alice"}, FAIL, ALARMS),
    Flip("metrics.0.unit", "Count", FAIL, ALARMS),
    Flip("actions_enabled", False, FAIL, ALARMS),
    Flip("alarm_actions", [], FAIL, ALARMS),
    Flip("metrics.0.statistic", "Average", FAIL, ALARMS),
    Flip("threshold", 0.0, FAIL, ALARMS),
    Flip("threshold", None, FAIL, ALARMS),
    Flip("comparison_operator", "LessThanThreshold", FAIL, ALARMS),
    Flip("evaluation_periods", 2, FAIL, ALARMS),
    Flip("datapoints_to_alarm", 2, FAIL, ALARMS),
)
OF_THE_TOPIC = (
    Flip("arn", FOREIGN, UNKNOWN, TOPICS),
    Flip("confirmed", 0, FAIL, TOPICS),
    Flip("confirmed", None, UNKNOWN, TOPICS),
    Flip("filtered", 1, UNKNOWN, TOPICS),
    Flip("policy", OF_ACCOUNT, FAIL, TOPICS),
    Flip("policy", None, FAIL, TOPICS),
    Flip("policy", "{", UNKNOWN, TOPICS),
)
OF_THE_KEY = (
    Flip("key_state", "PendingDeletion", FAIL, TOPICS),
    Flip("key_policy", OF_ACCOUNT, FAIL, TOPICS),
    Flip("key_policy", None, UNKNOWN, TOPICS),
)
OF_THE_COMPOSITE = (
    Flip("rule", "ALARM(other)", FAIL, COMPOSITES),
    Flip("rule", 'ALARM("a") AND NOT ALARM(deployment)', UNKNOWN, COMPOSITES),
    Flip("suppressor", "deployment", UNKNOWN, COMPOSITES),
    Flip("actions_enabled", False, FAIL, COMPOSITES),
    Flip("alarm_actions", [], FAIL, COMPOSITES),
)
IN_MATH = {"expression": "FILL(m1, 0)", "metrics": [measured(id="m1")]}
OF_MATH = (
    Flip("expression", "m1 * 2", UNKNOWN, ALARMS),
    Flip("metrics.0.id", "m2", UNKNOWN, ALARMS),
    Flip("metrics.0.statistic", "Average", UNKNOWN, ALARMS),
)


def _of(monitor: Monitor) -> Iterator[Case]:
    events = list(monitor.events.values())
    without_one = tuple(
        Flip(
            "pattern", pattern([other for other in events if other is not one]) if events[1:] else OTHER, FAIL, FILTERS
        )
        for one in events
    )
    too_many = Flip("threshold", float(monitor.limit + 1), FAIL, ALARMS)
    chain = (*OF_THE_TRAIL, *OF_THE_FILTER, *without_one, *OF_THE_ALARM, too_many, *OF_THE_TOPIC)
    yield _case(monitor, PASS, flips=chain)
    yield _case(monitor, PASS, alarms=(alarm(threshold=float(monitor.limit)),), flips=(too_many,))
    both = {**MANAGEMENT, "readOnly": {"Equals": ["true", "false"]}}
    yield _case(monitor, PASS, logs=selectors((), (both,)), flips=OF_ADVANCED)
    selecting = (Flip("basic", [BASIC], PASS, SELECTORS), Flip("advanced", [MANAGEMENT], PASS, SELECTORS))
    yield _case(monitor, FAIL, logs=selectors(), flips=selecting)
    in_none = (Flip("unit", "Count", FAIL, FILTERS), Flip("metrics.0.unit", None, PASS, ALARMS))
    yield _case(monitor, PASS, alarms=(alarm(metrics=[measured(unit="None")]),), flips=in_none[:1])
    yield _case(monitor, FAIL, alarms=(alarm(metrics=[measured(unit="Count")]),), flips=in_none[1:])
    yield _case(monitor, PASS, alarms=(alarm(**IN_MATH),), flips=OF_MATH)
    silent = (alarm(actions_enabled=False),)
    yield _case(monitor, PASS, alarms=silent, composites=(composite(),), flips=OF_THE_COMPOSITE)
    yield _case(monitor, PASS, topics=(encrypted(),), flips=OF_THE_KEY)
    yield _case(monitor, FAIL, topics=(encrypted(OF_ACCOUNT),), flips=(Flip("key", None, PASS, TOPICS),))
    yield _case(monitor, FAIL, trails=())
    yield _case(monitor, FAIL, of=OTHER, flips=(Flip("pattern", pattern(events), PASS, FILTERS),))
    yield _case(monitor, FAIL, topics=(topic(TOPIC, 0),), flips=(Flip("confirmed", 1, PASS, TOPICS),))
    yield _case(
        monitor,
        UNKNOWN,
        alarms=(alarm(alarm_actions=[FOREIGN]),),
        topics=(topic(TOPIC, 1), topic(FOREIGN, None)),
        flips=(Flip("alarm_actions", [TOPIC], PASS, ALARMS),),
    )
    narrowed = pattern(events, EXCEPT_ALICE)
    yield _case(monitor, UNKNOWN, of=narrowed, flips=(Flip("pattern", pattern(events), PASS, FILTERS),))
    yield _case(
        monitor,
        NOT_APPLICABLE,
        trails=(trail(log_group=ELSEWHERE, organization=True),),
        flips=(Flip("organization", False, UNKNOWN, TRAILS), Flip("log_group", GROUP, PASS, TRAILS)),
    )


CASES = tuple(case for monitor in MONITORS for case in _of(monitor))
