"""Every record by the name of its Terraform type; the services' files are imported at the first lookup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from toolkit.resources.base import ResourceType

_SERVICES = (
    "access_analyzer",
    "account",
    "budgets",
    "cloudtrail",
    "cloudwatch",
    "config",
    "detective",
    "ec2",
    "ecr",
    "eventbridge",
    "firewall_manager",
    "guardduty",
    "iam",
    "identity_center",
    "inspector",
    "kms",
    "macie",
    "organizations",
    "s3",
    "security_hub",
    "shield",
    "sns",
    "ssm",
)
"""Names of the services' files here."""


@cache
def _types() -> Mapping[str, ResourceType]:
    modules = (import_module(f"toolkit.resources.{service}") for service in _SERVICES)
    return {record.name: record for module in modules for record in module.TYPES}


class _Registry(Mapping[str, ResourceType]):
    def __getitem__(self, name: str) -> ResourceType:
        return _types()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_types())

    def __len__(self) -> int:
        return len(_types())


RESOURCES: Mapping[str, ResourceType] = _Registry()
"""Terraform resource type → its record; all are read at the first lookup."""


def record_of(kind: str) -> ResourceType:
    """The record of a type; an empty one for a type that no module makes, as another configuration's state has."""
    return RESOURCES.get(kind) or ResourceType(kind)


def is_case_blind(kind: str) -> bool:
    """Whether AWS takes names of another case for the same, so that two such names cannot exist beside each other."""
    record = RESOURCES.get(kind)
    return record is not None and record.reading is not None and record.reading.case_blind


def is_regional(kind: str) -> bool:
    """Whether version 6 of the provider has an attribute `region` for the type; not for a type that is not known here.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support
    """
    record = RESOURCES.get(kind)
    if record is None or record.reading is None:
        return False
    return not record.reading.is_global if record.regional is None else record.regional


def has_own_arn(kind: str) -> bool:
    """Whether the type's attribute `arn`, if it has one, is its own."""
    record = RESOURCES.get(kind)
    return record is None or not record.arn_of_another


def is_unsupported(kind: str) -> bool:
    """Whether the embedded AWS lacks the type: nothing can be in its way there, and a read gets no answer of AWS's."""
    return kind in RESOURCES and RESOURCES[kind].unsupported_in_simulator is not None
