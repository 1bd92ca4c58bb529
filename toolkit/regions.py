"""The AWS regions, and the partition of each, also of a region that is newer than the lists.

The list is that of the AWS provider that rendered roots pin, which refuses a region that it does not know ("invalid AWS
Region"). For another region, rendered HCL sets `skip_region_validation`: "To use the region before validation support
is added to the provider you will need to disable region validation"
(https://hashicorp.github.io/terraform-provider-aws/add-a-new-region/, read on 2026-11-28).
"""

from __future__ import annotations

import re
from typing import Any

from toolkit.aws_lists import aws_list

PARTITION_OF: dict[str, str] = aws_list("regions").items
"""Region of the list → its partition."""

_SDK_PARTITIONS: dict[str, dict[str, Any]] = aws_list("partitions").items
_COMPASS = "(?:central|(?:north|south)(?:east|west)?|east|west)"
_SHAPES = {
    partition: re.compile(facts["pattern"].replace(r"\w+", _COMPASS).replace(r"\d+", "[1-9]"))
    for partition, facts in _SDK_PARTITIONS.items()
}
"""Partition → what its regions look like: botocore's `regionRegex`, with the compass points spelt out, so that a
misspelt one is no region."""

SDK_REGIONS = frozenset(region for facts in _SDK_PARTITIONS.values() for region in facts["regions"])
"""Regions that the AWS SDK knows, which may be newer than the provider."""

PARTITION = "aws(?:" + "|".join(sorted(name.removeprefix("aws") for name in _SDK_PARTITIONS if name != "aws")) + ")?"
"""Regular expression of a partition in an ARN: those that the AWS SDK knows, so that a misspelt one is none.

Without a group to count, and as RE2 has it, too: the modules have the same text, held by tests/unit/test_contract.py.
"""

ARN = f"arn:{PARTITION}"
"""Regular expression of how an ARN begins, up to the colon behind its partition."""

TRIED_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
"""Partitions whose services, principals and regions are in the toolkit's lists. Nothing was tried in others."""

_ON_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
        "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
        "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
"""Regions of the partition `aws` that an account need not enable: those before March 20, 2019, so that no other joins.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html (2026-11-28)
"""

GLOBAL_REGION: dict[str, str] = {
    **{partition: facts["global_region"] for partition, facts in _SDK_PARTITIONS.items()},
    "aws-cn": "cn-north-1",  # botocore's, cn-northwest-1, is where Organizations and Budgets have their endpoint
}
"""Partition → the region where services without one live: their events, and some of their APIs, are only there."""


def partition_of(region: object) -> str | None:
    """The region's partition, from the list or, for one that is newer, from its looks; None: it is no region."""
    if not isinstance(region, str):
        return None
    known = PARTITION_OF.get(region)
    return known or next((partition for partition, shape in _SHAPES.items() if shape.fullmatch(region)), None)


def opt_in(region: str) -> bool:
    """Whether an account has to enable the region before it can be used."""
    return partition_of(region) == "aws" and region not in _ON_BY_DEFAULT


def lacking(service: str) -> tuple[str, ...]:
    """Listed regions in which AWS does not offer the service; in partitions that were never tried, nothing is known.

    Args:
        service: As botocore names it.
    """
    offered = aws_list("service_regions").items[service]
    return tuple(r for r, partition in PARTITION_OF.items() if partition in TRIED_PARTITIONS and r not in offered)
