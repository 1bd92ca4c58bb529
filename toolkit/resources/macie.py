"""Amazon Macie."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import (
    PLACE,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Free, Price, created, either, grows
from toolkit.resources.reading import Absent, Account, Live, OnCreate, Reading

_OFF = (Absent("AccessDeniedException", "not enabled"), "ResourceNotFoundException")
"""Where Macie is off, AWS answers "Macie is not enabled" with the code of a missing right."""


def _session(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("macie2", "get_macie_session", region, absent=_OFF)
    if answer is not None:
        values = {
            "status": answer.get("status"),
            "finding_publishing_frequency": answer.get("findingPublishingFrequency"),
        }
        yield Live({}, values, f"Macie in {region}", account.account_id)


def _export(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("macie2", "get_classification_export_configuration", region, absent=_OFF[:1]) or {}
    found = answer.get("configuration", {}).get("s3Destination")
    if found:
        destination = {
            "bucket_name": found["bucketName"],
            "key_prefix": found.get("keyPrefix"),
            "kms_key_arn": found["kmsKeyArn"],
        }
        yield Live({}, {"s3_destination": [destination]}, f"Macie's export in {region}", None)


TYPES = (
    ResourceType(
        "aws_macie2_account",
        unrecorded=iam_actions("macie2", "UpdateMacieSession"),
        price=Price(
            "Macie",
            (
                "0.10 per bucket and month; automated discovery 0.01 per 100,000 objects and month, and "
                "1.00 per GB that it, or a job, reads, up to 50,000 GB; 30 days free per region"
            ),
            "https://aws.amazon.com/macie/pricing/",
            "2026-11-28",
            driver="number of buckets and objects, and how much of them is read",
            unconfirmed="1.00 per GB up to 50,000 GB",
            starts=either(created, grows("status")),
        ),
        reading=Reading(_session, OnCreate.COLLIDES, actions=("macie2:GetMacieSession",)),
        strengths=(
            Strength("status", Stronger.ORDER, order=("PAUSED", "ENABLED")),
            Strength(
                "finding_publishing_frequency",
                Stronger.ORDER,
                order=("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
            ),
        ),
    ),
    ResourceType(
        "aws_macie2_classification_export_configuration",
        unrecorded=iam_actions("macie2", "GetClassificationExportConfiguration PutClassificationExportConfiguration"),
        unsupported_in_simulator="moto does not have it",
        price=Free(
            "says where results are kept; what is kept bills with the bucket, requests with the key",
            "https://aws.amazon.com/macie/pricing/",
            "2026-11-28",
        ),
        reading=Reading(
            _export, OnCreate.OVERWRITES, quiet=True, actions=("macie2:GetClassificationExportConfiguration",)
        ),
        strengths=(
            Strength("s3_destination[0].bucket_name", Stronger.SAME),
            Strength("s3_destination[0].kms_key_arn", Stronger.KEY),
        ),
        no_weaker_side={PLACE: "s3_destination.key_prefix"},
    ),
)
