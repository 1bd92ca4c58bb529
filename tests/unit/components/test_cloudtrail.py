from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.cloudtrail import COMPONENT, CloudTrail


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        CloudTrail.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_an_empty_block_bills_nothing_by_use_and_deletes_no_log() -> None:
    settings = CloudTrail()
    assert (settings.data_events, settings.insights, settings.organization_id) == ((), (), None)
    assert settings.bucket.expiration_days is None
    assert settings.bucket.force_destroy is False
    assert settings.log_retention_days == 365
    assert COMPONENT.settings is CloudTrail


def test_yaml_lists_are_accepted() -> None:
    settings = CloudTrail.model_validate(
        {
            "data_events": ["s3_write", "s3_read"],
            "insights": ["ApiErrorRateInsight"],
            "bucket": {"transitions": [{"days": 30, "storage_class": "STANDARD_IA"}]},
        }
    )
    assert settings.data_events == ("s3_write", "s3_read")
    assert settings.bucket.transitions[0].days == 30


@pytest.mark.parametrize("name", ["abc", "Baseline", "org.trail-1", "a_b", "x" * 40])
def test_trail_names_that_aws_takes(name: str) -> None:
    assert CloudTrail(name=name).name == name


@pytest.mark.parametrize("name", ["", "ab", "-abc", "abc-", "a..b", "a-_b", "a b", "naïve", "abc\n", "x" * 41])
def test_trail_names_that_aws_refuses(name: str) -> None:
    assert message({"name": name}).startswith("name: expected 3 to 40 letters")


@pytest.mark.parametrize("name", ["ab", "Logs", "a.b", "-ab", "ab-", "a_b", "abc\n", "x" * 64])
def test_bucket_names_that_cannot_be_reached_over_tls(name: str) -> None:
    assert message({"bucket": {"name": name}}).startswith("bucket.name: expected 3 to 63 lowercase letters")


def test_the_access_log_buckets_name_must_fit() -> None:
    long = "b" * 52
    assert message({"bucket": {"name": long}}) == (
        "bucket: name must be at most 51 characters long, so that -access-logs fits behind it, unless "
        "access_log_bucket_name is given"
    )
    assert CloudTrail.model_validate({"bucket": {"name": "b" * 51}}).bucket.name == "b" * 51
    named = CloudTrail.model_validate({"bucket": {"name": long, "access_log_bucket_name": "accesses"}})
    assert named.bucket.access_log_bucket_name == "accesses"


def test_a_bucket_does_not_log_to_itself() -> None:
    assert message({"bucket": {"name": "logs", "access_log_bucket_name": "logs"}}) == (
        "bucket: access_log_bucket_name must differ from name"
    )


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        (
            {"expiration_days": 90, "transitions": [{"days": 90, "storage_class": "GLACIER_IR"}]},
            "bucket: expiration_days must be greater than the days of every transition",
        ),
        (
            {"transitions": [{"days": 1, "storage_class": "GLACIER"}, {"days": 2, "storage_class": "GLACIER"}]},
            "bucket: transitions must name each storage class at most once",
        ),
        (
            {"transitions": [{"days": 29, "storage_class": "STANDARD_IA"}]},
            "bucket.transitions.0: days must be at least 30 for STANDARD_IA",
        ),
        (
            {"transitions": [{"days": 90, "storage_class": "ONEZONE_IA"}]},
            "bucket.transitions.0.storage_class: Input should be 'STANDARD_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', "
            "'GLACIER' or 'DEEP_ARCHIVE'",
        ),
        ({"expiration_days": 0}, "bucket.expiration_days: Input should be greater than or equal to 1"),
        ({"object_lock": {"mode": "GOVERNANCE"}}, "bucket.object_lock.days: Field required"),
        (
            {"object_lock": {"mode": "GOVERNANCE", "days": 36501}},
            "bucket.object_lock.days: Input should be less than or equal to 36500",
        ),
        ({"force_destroy": "true"}, "bucket.force_destroy: Input should be a valid boolean"),
        ({"versioning": False}, "bucket.versioning: Extra inputs are not permitted"),
    ],
)
def test_bucket_settings_that_cannot_be(bucket: dict[str, Any], expected: str) -> None:
    assert message({"bucket": bucket}) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"log_retention_days": 42}, "log_retention_days: expected one of 1, 3, 5, 7, 14, 30,"),
        ({"log_retention_days": 0}, "log_retention_days: expected one of 1, 3,"),
        ({"log_group_name": "no spaces"}, "log_group_name: expected 1 to 512 letters"),
        ({"data_events": ["dynamodb"]}, "data_events.0: Input should be 's3_read', 's3_write' or 'lambda'"),
        ({"data_events": ["lambda", "lambda"]}, "data_events: expected each value once, but lambda is repeated"),
        ({"insights": ["Everything"]}, "insights.0: Input should be 'ApiCallRateInsight' or 'ApiErrorRateInsight'"),
        ({"organization_id": "123456789012"}, "organization_id: expected the id of an organization"),
        (
            {"key": {"rotation_period_days": 89}},
            "key.rotation_period_days: Input should be greater than or equal to 90",
        ),
        ({"key": {"deletion_window_days": 31}}, "key.deletion_window_days: Input should be less than or equal to 30"),
    ],
)
def test_values_outside_the_apis_bounds(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)
