"""One trail that records the account's management API calls in every region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import LOG_BUCKET, Component, Ending, Every, IamName, Place, Protected, Scope, Seen
from toolkit.policies import Need
from toolkit.settings.accounts import OrganizationId
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.logs import LogGroupName, RetentionDays
from toolkit.settings.s3 import BucketName, Days, LogBucket, ObjectLock
from toolkit.settings.values import no_repetition

_TRAIL_NAME = re.compile(r"[A-Za-z0-9]([._-]?[A-Za-z0-9])*")
_ACCESS_LOGS = "-access-logs"


def _trail_name(value: str) -> str:
    if not _TRAIL_NAME.fullmatch(value) or not 3 <= len(value) <= 40:
        raise ValueError(
            "expected 3 to 40 letters, digits, periods, underscores and hyphens, a letter or digit first and last, "
            "and no two separators in a row"
        )
    return value


DataEvent = Literal["s3_read", "s3_write", "lambda"]
Insight = Literal["ApiCallRateInsight", "ApiErrorRateInsight"]


class TrailBucket(LogBucket):
    """The bucket of the log files, and the second one for its access logs."""

    object_lock: ObjectLock | None = Field(
        None, description="Default retention of log files; null sets none. Object lock cannot be disabled again."
    )
    access_log_bucket_name: BucketName | None = Field(
        None, description=f"Name of the bucket for access logs; null: the log bucket's name with {_ACCESS_LOGS}."
    )
    access_log_expiration_days: Days = Field(365, description="Days after which access logs are deleted.")

    @model_validator(mode="after")
    def _two_buckets(self) -> TrailBucket:
        if self.name is not None:
            if self.access_log_bucket_name is None and len(self.name) + len(_ACCESS_LOGS) > 63:
                raise ValueError(
                    f"name must be at most {63 - len(_ACCESS_LOGS)} characters long, so that {_ACCESS_LOGS} fits "
                    "behind it, unless access_log_bucket_name is given"
                )
            if self.name == self.access_log_bucket_name:
                raise ValueError("access_log_bucket_name must differ from name")
        return self


class TrailKey(Settings):
    """The KMS key that encrypts log files and log group; bounds are those of the KMS API."""

    rotation_period_days: Annotated[int, Field(ge=90, le=2560)] = Field(
        365, description="Days between rotations of the key's material."
    )
    deletion_window_days: Annotated[int, Field(ge=7, le=30)] = Field(
        30, description="Days in which a deletion of the key can be canceled."
    )


class CloudTrail(Settings):
    """Settings of `cloudtrail`; bounds are those of the CloudTrail, S3, KMS and CloudWatch Logs APIs."""

    name: Annotated[str, AfterValidator(_trail_name)] = Field(
        "baseline",
        description="Name of the trail, and part of the names of the key alias, the delivery role and the log group.",
    )
    bucket: TrailBucket = Field(TrailBucket(), description="The buckets of the log files and of their access logs.")
    key: TrailKey = Field(TrailKey(), description="The KMS key that encrypts the log files and the log group.")
    log_group_name: LogGroupName | None = Field(
        None,
        description="Name of the CloudWatch log group that receives the events; null: /aws/cloudtrail/ and the "
        "trail's name.",
    )
    log_retention_days: RetentionDays = Field(365, description="Days that CloudWatch Logs keeps the events.")
    data_events: Annotated[tuple[DataEvent, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (),
        description="Data events to record in addition to management events, billed by their number: s3_read, "
        "s3_write, lambda.",
    )
    insights: Annotated[tuple[Insight, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Kinds of unusual activity that CloudTrail Insights looks for, billed by analyzed events."
    )
    organization_id: OrganizationId | None = Field(
        None,
        description="Id of the organization whose accounts the trail records, for its management account only; null "
        "records this account only.",
    )


def _mismatches(settings: CloudTrail, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    known = getattr(others.get("organization"), "organization_id", None)
    if None not in (settings.organization_id, known) and settings.organization_id != known:
        yield Mismatch(
            ("organization_id",),
            f"{settings.organization_id}, but organization.organization_id is {known}",
            "the same organization",
            known,
        )


def _read_back(_: CloudTrail, place: Place, every: Every) -> Iterator[Seen]:
    trails = every("aws_cloudtrail", place.home_region)
    if not trails:
        yield Seen(place.home_region, "no trail", False)
    for trail in trails:
        values = trail.values
        states = [
            (values["is_multi_region_trail"], "all regions", "one region"),
            (values["enable_logging"], "logging", "NOT LOGGING"),
            (values["enable_log_file_validation"], "validated", "not validated"),
            (bool(values["kms_key_id"]), "encrypted", "not encrypted"),
        ]
        words = ", ".join(good if is_so else bad for is_so, good, bad in states)
        text = f"{values['name']} → {values['s3_bucket_name']}: {words}"
        yield Seen(place.home_region, text, all(is_so for is_so, _, _ in states))


COMPONENT = Component(
    name="cloudtrail",
    title="CloudTrail",
    purpose="Records management API calls of every region in encrypted, validated log files and a log group.",
    scope=Scope.HOME_REGION,
    settings=CloudTrail,
    read_back=_read_back,
    protects=(
        Protected("aws_cloudtrail"),
        Protected("aws_kms_key"),
        Protected("aws_cloudwatch_log_group"),
        # The trail writes to CloudWatch Logs through this role.
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy"),
        Protected("aws_s3_bucket_object_lock_configuration"),
        *LOG_BUCKET,
    ),
    bills="a KMS key, storage in S3, and ingestion by CloudWatch Logs; the first trail's management events are free, "
    "those of a second trail are not",
    ending=Ending(("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors"), "trail"),
    profiles={
        "minimal": {"log_retention_days": 365, "data_events": [], "insights": []},
        "standard": {"log_retention_days": 365, "data_events": [], "insights": []},
        "strict": {
            "log_retention_days": 731,
            "data_events": ["s3_write", "s3_read"],
            "insights": ["ApiCallRateInsight", "ApiErrorRateInsight"],
            # Not object_lock, which can never be switched off again: a decision for people.
        },
    },
    iam_names=(IamName("aws_iam_role", "name", "{}-cloudtrail-delivery"),),
    mismatches=_mismatches,
    trusts=lambda settings: ("cloudtrail.amazonaws.com",) if settings.organization_id else (),
    needs=(
        Need("cloudtrail:CreateTrail", "arn:{partition}:cloudtrail:{region}:{account}:trail/baseline"),
        Need("cloudtrail:UpdateTrail", "arn:{partition}:cloudtrail:{region}:{account}:trail/baseline"),
        Need("cloudtrail:PutEventSelectors", "arn:{partition}:cloudtrail:{region}:{account}:trail/baseline"),
        Need("cloudtrail:GetTrailStatus", "arn:{partition}:cloudtrail:{region}:{account}:trail/baseline"),
        Need("s3:PutBucketPolicy", "arn:{partition}:s3:::baseline-cloudtrail-{account}-{region}"),
        Need("kms:CreateKey"),
        Need("logs:CreateLogGroup", "arn:{partition}:logs:{region}:{account}:log-group:/aws/cloudtrail/baseline"),
        Need("iam:PassRole", "arn:{partition}:iam::{account}:role/baseline-cloudtrail"),
    ),
)
