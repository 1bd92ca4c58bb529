"""Amazon Elastic Container Registry (ECR)."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import (
    IDENTITY,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Free, Price, switched
from toolkit.resources.reading import Account, Live, OnCreate, Reading

_SETTINGS = {"BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE", "REGISTRY_POLICY_SCOPE": "V2"}
"""Account settings that the provider has → the value that AWS gives new accounts.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html,
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAccountSetting.html
"""


def _settings(account: Account, region: str) -> Iterator[Live]:
    for name, usual in _SETTINGS.items():
        value = (account.call("ecr", "get_account_setting", region, name=name) or {})["value"]
        yield Live({"name": name}, {"value": value}, f"ECR's {name} in {region}", name, by_default=value == usual)


def _scanning(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ecr", "get_registry_scanning_configuration", region) or {}
    found = answer["scanningConfiguration"]
    rules = [
        {
            "scan_frequency": rule["scanFrequency"],
            "repository_filter": [
                {"filter": one["filter"], "filter_type": one["filterType"]} for one in rule["repositoryFilters"]
            ],
        }
        for rule in found.get("rules", ())
    ]
    values = {"scan_type": found["scanType"], "rule": rules}
    # "By default, your registry is enabled for basic scanning", without a rule:
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-settings.html
    usual = values == {"scan_type": "BASIC", "rule": []}
    yield Live({}, values, f"what ECR scans in {region}", answer["registryId"], by_default=usual)


TYPES = (
    ResourceType(
        "aws_ecr_account_setting",
        unrecorded=iam_actions("ecr", "GetAccountSetting PutAccountSetting"),
        unsupported_in_simulator="moto does not have it",
        price=Free(
            "a setting of the registry, whose storage and transfer bill with every value",
            "https://aws.amazon.com/ecr/pricing/",
            "2026-11-29",
        ),
        key=("name",),
        reading=Reading(_settings, OnCreate.OVERWRITES, quiet=True, actions=("ecr:GetAccountSetting",)),
        strengths=(
            Strength(
                "value",
                Stronger.ORDER,
                order=("CLAIR", "AWS_NATIVE"),
                only=("name", ("BASIC_SCAN_TYPE_VERSION",)),
            ),
            # V2 lets the registry's policy deny any request, and lets it grant any, so neither is the stronger one.
            Strength("value", Stronger.SAME, only=("name", ("REGISTRY_POLICY_SCOPE",))),
        ),
        no_weaker_side={IDENTITY: "name"},
    ),
    ResourceType(
        "aws_ecr_registry_scanning_configuration",
        price=Price(
            "Enhanced scanning of ECR",
            (
                "billed by Inspector: 0.09 per image when it is pushed, 0.01 per later scan of it; once, together with "
                "the component inspector"
            ),
            "https://aws.amazon.com/inspector/pricing/",
            "2026-11-28",
            driver="number of images pushed, and of scans again",
            # Basic scanning is free.
            starts=switched("scan_type", "ENHANCED"),
        ),
        reading=Reading(_scanning, OnCreate.OVERWRITES, quiet=True, actions=("ecr:GetRegistryScanningConfiguration",)),
        # AWS takes one rule per frequency (API Reference, PutRegistryScanningConfiguration: at most two).
        keys={"rule": ("scan_frequency",)},
        sets=("rule.repository_filter",),
        strengths=(
            Strength("scan_type", Stronger.ORDER, order=("BASIC", "ENHANCED")),
            Strength("rule", Stronger.SUPERSET),
            Strength("rule[*].repository_filter", Stronger.SUPERSET),
        ),
    ),
)
