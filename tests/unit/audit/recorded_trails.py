"""Trails, what they log, and the buckets that they deliver to; the answers are those of test_trails.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from toolkit.audit.checks.trails import BLOCKS, Insights, LogBuckets, Selectors, Trails
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import SCOPE, Case, Flip, live
from .test_trails import (
    ALL_MANAGEMENT,
    DATA,
    MANAGEMENT,
    OF_BUCKETS,
    REGIONS,
    advanced,
    ago,
    basic,
    bucket,
    objects,
    trail,
    without,
)

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
TRAILS, SELECTORS, INSIGHTS, BUCKETS = (one(REGIONS) for one in (Trails, Selectors, Insights, LogBuckets))
EVERYWHERE, TO_LOGS = "cloudtrail_multi_region_enabled", "cloudtrail_cloudwatch_logging_enabled"
VALIDATED, ENCRYPTED = "cloudtrail_log_file_validation_enabled", "cloudtrail_kms_encryption_enabled"
DELIVERING, WITH_INSIGHTS = "cloudtrail_delivering", "cloudtrail_insights_exist"
ACCESS_LOGGED, NOT_PUBLIC, BLOCKED = OF_BUCKETS


def _of_trail(path: str, value: Any, expected: Status = FAIL) -> Flip:
    return Flip(path, value, expected, TRAILS)


def _of_selectors(path: str, value: Any, expected: Status = FAIL) -> Flip:
    return Flip(path, value, expected, SELECTORS)


def _of_bucket(path: str, value: Any, expected: Status = FAIL) -> Flip:
    return Flip(path, value, expected, BUCKETS)


IN_EVERY_REGION = (_of_trail("regions", REGIONS[:1]), _of_trail("multi_region", False), _of_trail("logging", False))
UNRELATED = _of_trail("arn", "other", UNKNOWN)
"""What was answered is about another trail."""
STOPPED = trail(logging=False)


def _alone(check: str, expected: Status, one: Live, *flips: Flip) -> Case:
    return Case(check, expected, {TRAILS: (one,)}, flips)


def _managed(expected: Status, selectors: Live, *flips: Flip, of: Live | None = None) -> Case:
    return Case(EVERYWHERE, expected, {TRAILS: (of or trail(),), SELECTORS: (selectors,)}, flips)


READS, WRITES = {**MANAGEMENT, "readOnly": ["true"]}, {**MANAGEMENT, "readOnly": ["false"]}
MANAGED = (
    _managed(
        PASS,
        basic(ALL_MANAGEMENT),
        *IN_EVERY_REGION,
        UNRELATED,
        _of_selectors("arn", "other", UNKNOWN),
        _of_selectors("basic.0.management", False),
        _of_selectors("basic.0.excluded", ["kms.amazonaws.com"]),
        _of_selectors("basic.0.kinds", ("read",)),
        _of_selectors("basic.0.kinds", ("write",)),
    ),
    _managed(
        PASS,
        advanced(MANAGEMENT),
        _of_selectors("advanced.0.eventCategory.Equals", ["Data"]),
        _of_selectors("advanced.0.readOnly", {"Equals": ["true"]}),
        _of_selectors("advanced.0.eventSource", {"NotEquals": ["kms.amazonaws.com"]}),
    ),
    _managed(
        PASS,
        advanced(READS, WRITES),
        _of_selectors("advanced.0.readOnly.Equals", ["false"]),
        _of_selectors("advanced.1.readOnly.Equals", ["true"]),
    ),
    _managed(
        FAIL,
        basic(),
        _of_selectors("basic", basic(ALL_MANAGEMENT).values["basic"], PASS),
        _of_selectors("advanced", advanced(MANAGEMENT).values["advanced"], PASS),
    ),
    _managed(FAIL, basic(ALL_MANAGEMENT), _of_trail("logging", True, PASS), of=STOPPED),
)

OF_ONE_TRAIL = (
    _alone(VALIDATED, PASS, trail(), _of_trail("validated", False), _of_trail("logging", False)),
    _alone(VALIDATED, FAIL, trail(validated=False)),
    _alone(ENCRYPTED, PASS, trail(), _of_trail("key", None), _of_trail("logging", False)),
    _alone(ENCRYPTED, FAIL, trail(key=None)),
    _alone(
        TO_LOGS,
        PASS,
        trail(),
        *IN_EVERY_REGION,
        _of_trail("log_group", None),
        _of_trail("sent_to_logs", ago(hours=24)),
        _of_trail("logs_error", "AccessDenied"),
    ),
    _alone(
        TO_LOGS,
        UNKNOWN,
        trail(sent_to_logs=None, started=ago(hours=1)),
        _of_trail("started", ago(hours=24)),
        _of_trail("started", None),
        _of_trail("sent_to_logs", ago(hours=1), PASS),
    ),
    _alone(TO_LOGS, FAIL, trail(sent_to_logs=ago(hours=24)), _of_trail("sent_to_logs", ago(hours=23), PASS)),
)

DELIVERED = (
    _alone(
        DELIVERING,
        PASS,
        trail(),
        _of_trail("logging", False),
        *(_of_trail(error, "AccessDenied") for error in ("delivery_error", "digest_error", "logs_error")),
        *(_of_trail(at, ago(hours=24)) for at in ("delivered", "digested", "sent_to_logs")),
        *(_of_trail(at, None) for at in ("delivered", "digested", "sent_to_logs")),
    ),
    _alone(DELIVERING, PASS, trail(validated=False, digested=None), _of_trail("validated", True)),
    _alone(DELIVERING, PASS, trail(log_group=None, sent_to_logs=None), _of_trail("log_group", "arn:group")),
    _alone(DELIVERING, FAIL, trail(delivery_error="AccessDenied"), _of_trail("delivery_error", None, PASS)),
    _alone(
        DELIVERING,
        UNKNOWN,
        trail(delivered=None, started=ago(hours=23)),
        _of_trail("started", ago(hours=24)),
        _of_trail("started", None),
    ),
    Case(DELIVERING, NOT_APPLICABLE, {TRAILS: (trail(delivered=None),)}, scope=replace(SCOPE, simulated=True)),
)


def _insights(expected: Status, types: list[str], *flips: Flip) -> Case:
    return Case(
        WITH_INSIGHTS, expected, {TRAILS: (trail(),), INSIGHTS: (live({"arn": "main", "types": types}),)}, flips
    )


RATES = (
    _insights(
        PASS,
        ["ApiCallRateInsight"],
        *IN_EVERY_REGION,
        UNRELATED,
        Flip("arn", "other", UNKNOWN, INSIGHTS),
        Flip("types", ["ApiErrorRateInsight"], FAIL, INSIGHTS),
    ),
    _insights(FAIL, [], Flip("types", ["ApiCallRateInsight"], PASS, INSIGHTS)),
)


def _objects_of(kind: str, other: str, other_only: str) -> tuple[Case, ...]:
    """Args:
    kind: The events that are expected.
    other: Those that are not enough.
    other_only: What `readOnly` is for these.
    """

    def case(expected: Status, selectors: Live, *flips: Flip) -> Case:
        answers = {TRAILS: (trail(),), SELECTORS: (selectors,), BUCKETS: (bucket(),)}
        return Case(f"cloudtrail_s3_dataevents_{kind}_enabled", expected, answers, flips)

    one = "arn:aws:s3:::payroll/"
    only = "true" if other_only == "false" else "false"
    return (
        case(
            PASS,
            basic(objects("All")),
            *IN_EVERY_REGION,
            UNRELATED,
            _of_selectors("arn", "other", UNKNOWN),
            _of_selectors("basic.0.data.AWS::S3::Object", [one]),
            _of_selectors("basic.0.kinds", (other,)),
        ),
        case(
            PASS,
            advanced(DATA),
            _of_selectors("advanced.0.eventCategory.Equals", ["Management"]),
            _of_selectors("advanced.0.resources/type.Equals", ["AWS::Lambda::Function"]),
            _of_selectors("advanced.0.readOnly", {"Equals": [other_only]}),
            _of_selectors("advanced.0.eventName", {"Equals": ["GetObject"]}),
        ),
        case(
            PASS,
            advanced({**DATA, "readOnly": [only]}),
            _of_selectors("advanced.0.readOnly.Equals", [other_only]),
        ),
        case(
            PASS,
            advanced(without("arn:aws:s3:::logs/", "arn:aws:s3:::access/")),
            _of_selectors("advanced.0.resources/ARN.NotStartsWith", ["arn:aws:s3:::logs/", one]),
            _of_bucket("logs_to", None),
            _of_bucket("bucket", "other", UNKNOWN),
            _of_trail("bucket", "other", UNKNOWN),
        ),
        case(FAIL, advanced(without(one)), _of_bucket("logs_to", "payroll", PASS)),
        case(
            FAIL,
            basic(),
            _of_selectors("basic", basic(objects("All")).values["basic"], PASS),
            _of_selectors("advanced", advanced(DATA).values["advanced"], PASS),
        ),
    )


def _delivered_to(check: str) -> Callable[..., Case]:
    def case(expected: Status, one: Live, *flips: Flip, of: Live | None = None) -> Case:
        return Case(check, expected, {TRAILS: (of or trail(),), BUCKETS: (one,)}, flips)

    return case


def _wherever(check: str, none: Status) -> tuple[Case, ...]:
    """What each check of buckets says of where the bucket is."""
    case, elsewhere = _delivered_to(check), bucket(own=False)
    return (
        case(
            PASS,
            bucket(),
            _of_trail("bucket", "other", UNKNOWN),
            _of_bucket("bucket", "other", UNKNOWN),
            _of_bucket("own", False, UNKNOWN),
        ),
        case(UNKNOWN, elsewhere, _of_trail("organization", True, NOT_APPLICABLE)),
        case(NOT_APPLICABLE, elsewhere, _of_trail("organization", False, UNKNOWN), of=trail(organization=True)),
        Case(check, none, {TRAILS: (), BUCKETS: ()}),
    )


access_logged, public, blocked = map(_delivered_to, OF_BUCKETS)
OPEN = dict.fromkeys(BLOCKS, False)
OF_THE_BUCKET = (
    *_wherever(ACCESS_LOGGED, FAIL),
    *_wherever(NOT_PUBLIC, NOT_APPLICABLE),
    *_wherever(BLOCKED, NOT_APPLICABLE),
    access_logged(PASS, bucket(), _of_bucket("logs_to", None)),
    access_logged(FAIL, bucket(logs_to=None)),
    public(PASS, bucket(blocks=OPEN), _of_bucket("public_policy", True), _of_bucket("public_grants", ["READ"])),
    public(PASS, bucket(public_policy=True), _of_bucket("blocks.RestrictPublicBuckets", False)),
    public(PASS, bucket(public_grants=["READ"]), _of_bucket("blocks.IgnorePublicAcls", False)),
    public(FAIL, bucket(blocks=OPEN, public_policy=True), _of_bucket("blocks.RestrictPublicBuckets", True, PASS)),
    blocked(PASS, bucket(), *(_of_bucket(f"blocks.{one}", False) for one in BLOCKS)),
    blocked(FAIL, bucket(blocks=OPEN)),
)

CASES = (
    *MANAGED,
    *OF_ONE_TRAIL,
    *DELIVERED,
    *RATES,
    *_objects_of("read", other="write", other_only="false"),
    *_objects_of("write", other="read", other_only="true"),
    *OF_THE_BUCKET,
)
