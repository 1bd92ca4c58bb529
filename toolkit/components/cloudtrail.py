"""One trail that records the account's management API calls in every region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components import log_bucket
from toolkit.components.base import Component, IamName, Mismatch, Need, Protected, Scope, Settings

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_TRAIL_NAME = re.compile(r"[A-Za-z0-9]([._-]?[A-Za-z0-9])*")
_LOG_GROUP_NAME = re.compile(r"[A-Za-z0-9_./#-]{1,512}")
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ACCESS_LOGS = "-access-logs"


def bucket_name(value: str) -> str:
    """A bucket name without dots: a name with one cannot be reached over TLS (S3 User Guide, "Bucket naming rules")."""
    if not _BUCKET_NAME.fullmatch(value):
        raise ValueError("expected 3 to 63 lowercase letters, digits and hyphens, a letter or digit first and last")
    return value


def _trail_name(value: str) -> str:
    if not _TRAIL_NAME.fullmatch(value) or not 3 <= len(value) <= 40:
        raise ValueError(
            "expected 3 to 40 letters, digits, periods, underscores and hyphens, a letter or digit first and last, "
            "and no two separators in a row"
        )
    return value


def check_log_group_name(value: str) -> str:
    """A name of a CloudWatch log group (API CreateLogGroup)."""
    if not _LOG_GROUP_NAME.fullmatch(value):
        raise ValueError("expected 1 to 512 letters, digits and the characters _ . / # -")
    return value


def _organization_id(value: str) -> str:
    if not _ORGANIZATION_ID.fullmatch(value):
        raise ValueError("expected an organization id such as o-exampleorgid (o- and 10 to 32 letters and digits)")
    return value


def check_retention_days(value: int) -> int:
    """A retention that CloudWatch Logs knows."""
    if value not in RETENTION_DAYS:
        raise ValueError(f"expected one of {', '.join(map(str, RETENTION_DAYS))}")
    return value


def no_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    """A list that stands for a set: naming a thing twice is a slip of the pen."""
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"expected each value once, but {', '.join(repeated)} is repeated")
    return values


def at_least_one(values: tuple[str, ...]) -> tuple[str, ...]:
    """A list that must not be empty: with no value it would do nothing, or everything.

    Not `min_length`: pydantic would say "too short" also of a list whose one entry is wrong.
    """
    if not values:
        raise ValueError("expected at least one value")
    return values


RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The retentions, in days, that CloudWatch Logs knows (API PutRetentionPolicy)."""

BucketName = Annotated[str, AfterValidator(bucket_name)]
Days = Annotated[int, Field(ge=1)]
DataEvent = Literal["s3_read", "s3_write", "lambda"]
Insight = Literal["ApiCallRateInsight", "ApiErrorRateInsight"]


class Transition(Settings):
    """A move of ageing objects to a cheaper storage class."""

    days: Days = Field(description="Age of the objects in days; at least 30 for STANDARD_IA.")
    storage_class: Literal["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"] = Field(
        description="The storage class that they are moved to."
    )

    @model_validator(mode="after")
    def _infrequent_access_from_day_30(self) -> Transition:
        if self.storage_class == "STANDARD_IA" and self.days < 30:
            raise ValueError("days must be at least 30 for STANDARD_IA")
        return self


class LogBucket(Settings):
    """What the log buckets of all components have in common (modules/shared/log_bucket)."""

    name: BucketName | None = Field(
        None, description="Name of the bucket; null: derived from component, account and home region."
    )
    expiration_days: Days | None = Field(
        None, description="Days after which objects are deleted; null keeps them forever."
    )
    noncurrent_version_expiration_days: Days = Field(
        90, description="Days after which overwritten or deleted versions of objects are removed permanently."
    )
    transitions: Annotated[tuple[Transition, ...], Field(strict=False)] = Field(
        (), description="Transitions of objects to cheaper storage classes; S3 moves none smaller than 128 KB."
    )
    force_destroy: bool = Field(
        False,
        description="Whether destroying the bucket also deletes its objects; false: destroying a bucket with objects "
        "fails.",
    )

    @model_validator(mode="after")
    def _transitions_in_order(self) -> LogBucket:
        classes = [transition.storage_class for transition in self.transitions]
        if len(classes) != len(set(classes)):
            raise ValueError("transitions must name each storage class at most once")
        if self.expiration_days is not None and any(t.days >= self.expiration_days for t in self.transitions):
            raise ValueError("expiration_days must be greater than the days of every transition")
        return self


class ObjectLock(Settings):
    """Default retention of new objects."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(
        description="GOVERNANCE: only principals with s3:BypassGovernanceRetention can delete objects early; "
        "COMPLIANCE: no principal can, not even the root user."
    )
    days: Annotated[int, Field(ge=1, le=36500)] = Field(description="Days for which each object is kept.")


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
    log_group_name: Annotated[str, AfterValidator(check_log_group_name)] | None = Field(
        None,
        description="Name of the CloudWatch log group that receives the events; null: /aws/cloudtrail/ and the "
        "trail's name.",
    )
    log_retention_days: Annotated[int, AfterValidator(check_retention_days)] = Field(
        365, description="Days that CloudWatch Logs keeps the events."
    )
    data_events: Annotated[tuple[DataEvent, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (),
        description="Data events to record in addition to management events, billed by their number: s3_read, "
        "s3_write, lambda.",
    )
    insights: Annotated[tuple[Insight, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Kinds of unusual activity that CloudTrail Insights looks for, billed by analyzed events."
    )
    organization_id: Annotated[str, AfterValidator(_organization_id)] | None = Field(
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


COMPONENT = Component(
    name="cloudtrail",
    title="CloudTrail",
    purpose="Records management API calls of every region in encrypted, validated log files and a log group.",
    scope=Scope.HOME_REGION,
    settings=CloudTrail,
    protects=(
        Protected("aws_cloudtrail"),
        Protected("aws_kms_key"),
        Protected("aws_cloudwatch_log_group"),
        # The trail writes to CloudWatch Logs through this role.
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy"),
        Protected(log_bucket.LOCK),
        *log_bucket.PROTECTED,
    ),
    bills="a KMS key, storage in S3, and ingestion by CloudWatch Logs; the first trail's management events are free, "
    "those of a second trail are not",
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
