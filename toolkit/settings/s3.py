"""Buckets of S3 that the modules create."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.settings.base import Settings

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def bucket_name(value: str) -> str:
    """A bucket name without dots: a name with one cannot be reached over TLS (S3 User Guide, "Bucket naming rules")."""
    if not _BUCKET_NAME.fullmatch(value):
        raise ValueError("expected 3 to 63 lowercase letters, digits and hyphens, a letter or digit first and last")
    return value


BucketName = Annotated[str, AfterValidator(bucket_name)]
Days = Annotated[int, Field(ge=1)]


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
