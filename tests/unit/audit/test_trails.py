"""CloudTrail: each check in both directions, at its limits, and what belongs to another account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from toolkit.audit.checks.trails import BLOCKS, Insights, LogBuckets, Selectors, Trails, _advanced, _basic
from toolkit.audit.model import Result
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import NOW, SCOPE, Ask

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
REGIONS = SCOPE.regions
ALL_MANAGEMENT = {"ReadWriteType": "All", "IncludeManagementEvents": True}


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def trail(name: str = "main", **values: Any) -> Live:
    every = {
        "arn": name, "regions": REGIONS, "bucket": "logs", "multi_region": True, "organization": False,
        "validated": True, "key": "arn:key", "log_group": "arn:group", "logging": True, "started": ago(days=400),
        "delivered": ago(minutes=9), "delivery_error": None, "digested": ago(hours=1), "digest_error": None,
        "sent_to_logs": ago(minutes=9), "logs_error": None, **values,
    }  # fmt: skip
    return Live({"arn": name}, every, f"the trail {name!r}", None)


def basic(*selectors: dict[str, Any], of: str = "main") -> Live:
    return Live({"arn": of}, {"arn": of, "basic": [_basic(one) for one in selectors], "advanced": []}, "", None)


def advanced(*selectors: dict[str, Any], of: str = "main") -> Live:
    """Each selector as field → list, or field → (operator, list)."""
    made = [
        _advanced(
            {
                "FieldSelectors": [
                    {"Field": field, **({"Equals": value} if isinstance(value, list) else {value[0]: value[1]})}
                    for field, value in one.items()
                ]
            }
        )
        for one in selectors
    ]
    return Live({"arn": of}, {"arn": of, "basic": [], "advanced": made}, "", None)


def bucket(name: str = "logs", own: bool = True, **values: Any) -> Live:
    every = {
        "bucket": name, "own": own, "logs_to": "access", "blocks": dict.fromkeys(BLOCKS, True),
        "public_policy": False, "public_grants": [], "policy": None, **values,
    }  # fmt: skip
    return Live({"bucket": name}, every if own else {"bucket": name, "own": False}, f"the bucket {name!r}", None)


def asked(ask: Ask, check: str, *trails: Live, **facts: tuple[Live, ...]) -> Result:
    answers: dict[Any, Any] = {
        Trails(REGIONS): trails,
        Selectors(REGIONS): facts.get("selectors", tuple(basic(ALL_MANAGEMENT, of=one.key["arn"]) for one in trails)),
        Insights(REGIONS): facts.get("insights", ()),
        LogBuckets(REGIONS): facts.get("buckets", (bucket(),)),
    }
    return ask(check, answers)


NO_TRAIL = [
    "cloudtrail_multi_region_enabled", "cloudtrail_log_file_validation_enabled", "cloudtrail_kms_encryption_enabled",
    "cloudtrail_cloudwatch_logging_enabled", "cloudtrail_delivering", "cloudtrail_insights_exist",
    "cloudtrail_s3_dataevents_read_enabled", "cloudtrail_s3_dataevents_write_enabled",
]  # fmt: skip
OF_BUCKETS = [
    "cloudtrail_logs_s3_bucket_access_logging_enabled", "cloudtrail_logs_s3_bucket_is_not_publicly_accessible",
    "cloudtrail_log_bucket_blocks_public_access",
]  # fmt: skip


@pytest.mark.parametrize("check", NO_TRAIL)
@pytest.mark.parametrize("trails", [(), (trail(logging=False),)], ids=["none", "stopped"])
def test_without_a_trail_that_logs_each_fails(ask: Ask, check: str, trails: tuple[Live, ...]):
    assert asked(ask, check, *trails).status is FAIL


@pytest.mark.parametrize(
    ("trails", "expected"),
    [
        ((trail(),), PASS),
        ((trail(organization=True),), PASS),
        ((trail(multi_region=False),), FAIL),
        ((trail(regions=REGIONS[:1]),), FAIL),
        ((trail("old", logging=False), trail()), PASS),
        ((trail("one", regions=REGIONS[:1]), trail("other", regions=REGIONS[1:])), FAIL),
    ],
)
def test_a_trail_of_every_region(ask: Ask, trails: tuple[Live, ...], expected: Status):
    assert asked(ask, "cloudtrail_multi_region_enabled", *trails).status is expected


def test_a_region_that_is_not_logged_is_named(ask: Ask):
    (said,) = asked(ask, "cloudtrail_multi_region_enabled", trail(regions=REGIONS[:1])).outcomes
    assert said.evidence == f"the trail 'main' does not log {REGIONS[1]}"


MANAGEMENT = {"eventCategory": ["Management"]}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (basic(ALL_MANAGEMENT), PASS),
        (basic({"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}), PASS),
        (basic({"ReadWriteType": "ReadOnly"}), FAIL),
        (basic({"ReadWriteType": "WriteOnly"}), FAIL),
        (basic({**ALL_MANAGEMENT, "IncludeManagementEvents": False}), FAIL),
        (basic({**ALL_MANAGEMENT, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}), FAIL),
        (basic(), FAIL),
        (advanced(MANAGEMENT), PASS),
        (advanced({**MANAGEMENT, "readOnly": ["true"]}, {**MANAGEMENT, "readOnly": ["false"]}), PASS),
        (advanced({**MANAGEMENT, "readOnly": ["true", "false"]}), PASS),
        (advanced({**MANAGEMENT, "readOnly": ["true"]}), FAIL),
        (advanced({**MANAGEMENT, "readOnly": ("NotEquals", ["true"])}), FAIL),
        (advanced({**MANAGEMENT, "eventSource": ("NotEquals", ["kms.amazonaws.com"])}), FAIL),
        (advanced({"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}), FAIL),
    ],
)
def test_all_management_events(ask: Ask, selectors: Live, expected: Status):
    assert asked(ask, "cloudtrail_multi_region_enabled", trail(), selectors=(selectors,)).status is expected


@pytest.mark.parametrize(
    ("check", "values", "expected"),
    [
        ("cloudtrail_log_file_validation_enabled", {}, PASS),
        ("cloudtrail_log_file_validation_enabled", {"validated": False}, FAIL),
        ("cloudtrail_kms_encryption_enabled", {}, PASS),
        ("cloudtrail_kms_encryption_enabled", {"key": None}, FAIL),
    ],
)
def test_each_trail_that_logs(ask: Ask, check: str, values: dict[str, Any], expected: Status):
    assert asked(ask, check, trail(), trail("second", **values)).status is expected
    assert asked(ask, check, trail(), trail("stopped", logging=False, **values)).status is PASS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, PASS),
        ({"log_group": None}, FAIL),
        ({"sent_to_logs": ago(hours=23)}, PASS),
        ({"sent_to_logs": ago(hours=24)}, FAIL),
        ({"sent_to_logs": None}, FAIL),
        ({"sent_to_logs": None, "started": ago(hours=1)}, UNKNOWN),
        ({"sent_to_logs": None, "started": None}, FAIL),
        ({"logs_error": "AccessDenied"}, FAIL),
    ],
)
def test_events_in_cloudwatch_logs(ask: Ask, values: dict[str, Any], expected: Status):
    assert asked(ask, "cloudtrail_cloudwatch_logging_enabled", trail(**values)).status is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, PASS),
        ({"delivery_error": "AccessDenied"}, FAIL),
        ({"delivered": ago(hours=23)}, PASS),
        ({"delivered": ago(hours=24)}, FAIL),
        ({"delivered": None}, FAIL),
        ({"delivered": None, "started": ago(hours=23)}, UNKNOWN),
        ({"delivered": None, "started": ago(hours=24)}, FAIL),
        ({"digest_error": "AccessDenied"}, FAIL),
        ({"digested": ago(hours=24)}, FAIL),
        ({"digested": None, "validated": False}, PASS),
        ({"logs_error": "AccessDenied"}, FAIL),
        ({"sent_to_logs": ago(hours=24)}, FAIL),
        ({"sent_to_logs": None, "log_group": None}, PASS),
    ],
)
def test_deliveries_of_the_last_day(ask: Ask, values: dict[str, Any], expected: Status):
    assert asked(ask, "cloudtrail_delivering", trail(**values)).status is expected


def test_the_embedded_aws_delivers_nothing(ask: Ask):
    ask.scope = replace(SCOPE, simulated=True)
    assert asked(ask, "cloudtrail_delivering", trail(delivered=None)).status is NOT_APPLICABLE
    assert asked(ask, "cloudtrail_cloudwatch_logging_enabled", trail(sent_to_logs=None)).status is PASS


@pytest.mark.parametrize(
    ("types", "expected"), [(["ApiCallRateInsight"], PASS), (["ApiErrorRateInsight"], FAIL), ([], FAIL)]
)
def test_insights(ask: Ask, types: list[str], expected: Status):
    found = Live({"arn": "main"}, {"arn": "main", "types": types}, "", None)
    assert asked(ask, "cloudtrail_insights_exist", trail(), insights=(found,)).status is expected


def objects(kind: str, arn: str = "arn:aws:s3", of: str = "AWS::S3::Object") -> dict[str, Any]:
    return {"ReadWriteType": kind, "DataResources": [{"Type": of, "Values": [arn]}]}


DATA = {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}


def without(*arns: str) -> dict[str, Any]:
    return {**DATA, "resources.ARN": ("NotStartsWith", list(arns))}


@pytest.mark.parametrize(
    ("selectors", "reads", "writes"),
    [
        (basic(objects("All")), PASS, PASS),
        (basic(objects("All", "arn:aws:s3:::")), PASS, PASS),
        (basic(objects("All", "arn:aws-us-gov:s3:::")), PASS, PASS),
        (basic(objects("ReadOnly")), PASS, FAIL),
        (basic(objects("WriteOnly")), FAIL, PASS),
        (basic(objects("All", "arn:aws:s3:::one/")), FAIL, FAIL),
        (basic(objects("All", "arn:aws:lambda", "AWS::Lambda::Function")), FAIL, FAIL),
        (basic(ALL_MANAGEMENT), FAIL, FAIL),
        (advanced(DATA), PASS, PASS),
        (advanced({**DATA, "readOnly": ["true"]}), PASS, FAIL),
        (advanced({**DATA, "readOnly": ["false"]}), FAIL, PASS),
        (advanced({**DATA, "eventName": ["GetObject"]}), FAIL, FAIL),
        (advanced({**DATA, "resources.ARN": ("StartsWith", ["arn:aws:s3:::one/"])}), FAIL, FAIL),
        (advanced({"eventCategory": ["Data"], "resources.type": ["AWS::Lambda::Function"]}), FAIL, FAIL),
        (advanced(MANAGEMENT), FAIL, FAIL),
        (advanced(without("arn:aws:s3:::logs/")), PASS, PASS),
        (advanced(without("arn:aws:s3:::logs/", "arn:aws:s3:::access/")), PASS, PASS),
        (advanced(without("arn:aws:s3:::logs")), FAIL, FAIL),
        (advanced(without("arn:aws:s3:::logs/", "arn:aws:s3:::payroll/")), FAIL, FAIL),
    ],
)
def test_events_of_objects(ask: Ask, selectors: Live, reads: Status, writes: Status):
    for kind, expected in (("read", reads), ("write", writes)):
        result = asked(ask, f"cloudtrail_s3_dataevents_{kind}_enabled", trail(), selectors=(selectors,))
        assert result.status is expected, kind


def test_a_bucket_that_is_left_out_is_named(ask: Ask):
    selectors = advanced(without("arn:aws:s3:::payroll/"))
    (said,) = asked(ask, "cloudtrail_s3_dataevents_read_enabled", trail(), selectors=(selectors,)).outcomes
    assert "arn:aws:s3:::payroll/" in said.evidence


@pytest.mark.parametrize(
    ("check", "expected"), list(zip(OF_BUCKETS, (FAIL, NOT_APPLICABLE, NOT_APPLICABLE), strict=True))
)
def test_without_a_trail_no_bucket_is_called_public(ask: Ask, check: str, expected: Status):
    assert asked(ask, check).status is expected


@pytest.mark.parametrize(
    ("check", "values", "expected"),
    [
        (OF_BUCKETS[0], {}, PASS),
        (OF_BUCKETS[0], {"logs_to": None}, FAIL),
        (OF_BUCKETS[1], {}, PASS),
        (OF_BUCKETS[1], {"public_policy": True}, PASS),
        (OF_BUCKETS[1], {"public_policy": True, "blocks": {**dict.fromkeys(BLOCKS, True), BLOCKS[3]: False}}, FAIL),
        (OF_BUCKETS[1], {"public_grants": ["READ"]}, PASS),
        (OF_BUCKETS[1], {"public_grants": ["READ"], "blocks": {**dict.fromkeys(BLOCKS, True), BLOCKS[1]: False}}, FAIL),
        (OF_BUCKETS[1], {"blocks": dict.fromkeys(BLOCKS, False)}, PASS),
        (OF_BUCKETS[2], {}, PASS),
        *((OF_BUCKETS[2], {"blocks": {**dict.fromkeys(BLOCKS, True), one: False}}, FAIL) for one in BLOCKS),
    ],
)
def test_the_bucket(ask: Ask, check: str, values: dict[str, Any], expected: Status):
    for logging in (True, False):
        assert asked(ask, check, trail(logging=logging), buckets=(bucket(**values),)).status is expected


@pytest.mark.parametrize("check", OF_BUCKETS)
@pytest.mark.parametrize(("organization", "expected"), [(True, NOT_APPLICABLE), (False, UNKNOWN)])
def test_a_bucket_of_another_account(ask: Ask, check: str, organization: bool, expected: Status):
    """The organization's is the log archive's matter; one that the account itself chose is not known to be safe."""
    result = asked(ask, check, trail(organization=organization), buckets=(bucket(own=False),))
    assert result.status is expected
    assert "is in another account" in result.outcomes[0].evidence
