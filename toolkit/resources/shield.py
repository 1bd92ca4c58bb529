"""AWS Shield Advanced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    OFF_ON,
    TERRAFORM,
    Irreversible,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Free, Price
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for

_NONE = ("ResourceNotFoundException",)
"""Shield API Reference: the account has no subscription, or the resource no protection."""


def _subscription(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("shield", "describe_subscription", region, absent=_NONE)
    if answer is not None:
        values = {"auto_renew": answer.get("Subscription", {}).get("AutoRenew", "ENABLED")}
        yield Live({}, values, "a subscription to Shield Advanced", account.account_id)


def _protections(account: Account, region: str) -> Iterator[Live]:
    for found in account.pages("shield", "list_protections", "Protections", region, absent=_NONE):
        yield _protection(found)


def _find_protection(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = _described(account, region, planned["resource_arn"])
    return None if found is None else _protection(found)


def _described(account: Account, region: str, resource: str) -> Mapping[str, Any] | None:
    answer = account.call("shield", "describe_protection", region, absent=_NONE, ResourceArn=resource)
    return None if answer is None else answer["Protection"]


def _protection(found: Mapping[str, Any]) -> Live:
    key, name = {"resource_arn": found["ResourceArn"]}, found["Name"]
    called = f"the protection {name!r} of that resource"
    return Live(key, {**key, "name": name}, called, found["Id"], arn=found.get("ProtectionArn"))


def _responses(account: Account, region: str) -> Iterator[Live]:
    protections = account.live("aws_shield_protection", region)
    yield from found_for(account, region, _find_response, (one.key for one in protections))


def _find_response(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """Enabling what is enabled already sets its action (Shield API: EnableApplicationLayerAutomaticResponse)."""
    resource = planned["resource_arn"]
    found = _described(account, region, resource) or {}
    response = found.get("ApplicationLayerAutomaticResponseConfiguration")
    # A protection for which it was never enabled has no configuration.
    if response is None or response["Status"] != "ENABLED":
        return None
    values = {"action": "BLOCK" if "Block" in response["Action"] else "COUNT"}
    called = f"the automatic response of the protection {found['Name']!r}"
    return Live({"resource_arn": resource}, values, called, resource)


def _checks(account: Account, region: str) -> Iterator[Live]:
    protections = account.live("aws_shield_protection", region)
    yield from found_for(account, region, _find_check, ({"shield_protection_id": p.import_id} for p in protections))


def _find_check(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    protection = planned["shield_protection_id"]
    answer = account.call("shield", "describe_protection", region, absent=_NONE, ProtectionId=protection)
    found = {} if answer is None else answer["Protection"]
    for check in found.get("HealthCheckIds", ())[:1]:
        arn = f"arn:aws:route53:::healthcheck/{check}"
        key = {"shield_protection_id": protection}
        called = f"the health check {check} of the protection {found['Name']!r}"
        return Live(key, {**key, "health_check_arn": arn}, called, f"{protection}+{arn}")
    return None


def _groups(account: Account, region: str) -> Iterator[Live]:
    if not account.simulated:
        # The embedded AWS has no protection groups.
        for group in account.pages("shield", "list_protection_groups", "ProtectionGroups", region, absent=_NONE):
            yield _group(group)


def _find_group(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    if account.simulated:
        return None
    name = planned["protection_group_id"]
    answer = account.call("shield", "describe_protection_group", region, absent=_NONE, ProtectionGroupId=name)
    return None if answer is None else _group(answer.get("ProtectionGroup", {"ProtectionGroupId": name}))


def _group(group: Mapping[str, Any]) -> Live:
    name = group["ProtectionGroupId"]
    values = {
        "pattern": group.get("Pattern"),
        "aggregation": group.get("Aggregation"),
        "resource_type": group.get("ResourceType"),
        "members": list(group.get("Members", ())),
    }
    called = f"the protection group {name!r}"
    return Live({"protection_group_id": name}, values, called, name, arn=group.get("ProtectionGroupArn"))


def _engagement(account: Account, region: str) -> Iterator[Live]:
    for found in _contacts(account, region):
        answer = account.call("shield", "describe_subscription", region, absent=_NONE) or {}
        status = answer.get("Subscription", {}).get("ProactiveEngagementStatus")
        yield replace(found, values={**found.values, "enabled": status == "ENABLED"})


def _contacts(account: Account, region: str) -> Iterator[Live]:
    """AssociateProactiveEngagementDetails replaces the list of contacts."""
    answer = account.call("shield", "describe_emergency_contact_settings", region, absent=_NONE) or {}
    names = {"email_address": "EmailAddress", "phone_number": "PhoneNumber", "contact_notes": "ContactNotes"}
    if contacts := answer.get("EmergencyContactList"):
        values = {"emergency_contact": [{ours: one.get(theirs) for ours, theirs in names.items()} for one in contacts]}
        yield Live({}, values, "emergency contacts of the Shield Response Team", account.account_id)


def _find_contacts(account: Account, region: str, _: Mapping[str, Any]) -> Live | None:
    return next(_contacts(account, region), None)


def _response_team(account: Account, region: str) -> Iterator[Live]:
    role = _team(account, region).get("RoleArn")
    if role:
        yield Live({}, {"role_arn": role}, "another role of the Shield Response Team", account.account_id)


def _log_buckets(account: Account, region: str) -> Iterator[Live]:
    for bucket in _team(account, region).get("LogBucketList", ()):
        values = {"log_bucket": bucket, "role_arn_association_id": account.account_id}
        yield Live({"log_bucket": bucket}, values, f"access of the Shield Response Team to {bucket!r}", bucket)


def _team(account: Account, region: str) -> Mapping[str, Any]:
    return account.call("shield", "describe_drt_access", region, absent=_NONE) or {}


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"shield:{name}" for name in names)


_PRICES = "https://aws.amazon.com/shield/pricing/"
_FREE = Free(
    "part of a Shield Advanced subscription",
    "https://aws.amazon.com/shield/pricing/",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_shield_subscription",
        unrecorded=iam_actions("shield", "CreateSubscription DescribeSubscription UpdateSubscription"),
        unsupported_in_simulator="moto has no Shield Advanced",
        price=Price(
            "Shield Advanced",
            (
                "3,000.00 a month for at least one year: a commitment of 36,000; an organization with one "
                "payer pays it once. Data that leaves protected resources: 0.025 to 0.050 per GB for the "
                "first 100 TB, by resource"
            ),
            _PRICES,
            "2026-11-28",
            fixed=3000.0,
            driver="data that leaves the protected resources",
            unconfirmed="0.025 to 0.050 per GB",
        ),
        reading=Reading(_subscription, OnCreate.COLLIDES, is_global=True, actions=_actions("DescribeSubscription")),
        strengths=(Strength("auto_renew", Stronger.ORDER, order=OFF_ON),),
        no_weaker_side={TERRAFORM: "skip_destroy"},
        irreversible=(
            Irreversible(
                "Shield Advanced is paid for one year: AWS does not end the subscription before.",
                "https://docs.aws.amazon.com/goto/WebAPI/shield/DeleteSubscription, read on 2026-11-28",
            ),
        ),
    ),
    ResourceType(
        "aws_shield_protection",
        unrecorded=(
            *iam_actions("cloudfront", "GetDistribution"),
            *iam_actions("ec2", "DescribeAddresses"),
            *iam_actions("elasticloadbalancing", "DescribeLoadBalancers"),
            *iam_actions("globalaccelerator", "DescribeAccelerator"),
            *iam_actions("route53", "GetHostedZone"),
            *iam_actions(
                "shield",
                "CreateProtection DeleteProtection DescribeProtection ListTagsForResource TagResource UntagResource",
            ),
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=Price(
            "Shield Advanced protection of a resource",
            (
                "the subscription has no charge per resource; data that leaves it 0.025 to 0.050 per GB "
                "for the first 100 TB, by resource"
            ),
            _PRICES,
            "2026-11-28",
            driver="data that leaves the protected resource",
            unconfirmed="0.025 to 0.050 per GB",
        ),
        key=("resource_arn",),
        reading=Reading(
            _protections,
            OnCreate.COLLIDES,
            finds=_find_protection,
            is_global=True,
            actions=_actions("ListProtections", "DescribeProtection"),
        ),
        no_weaker_side={NAMES: "name", IDENTITY: "resource_arn"},
    ),
    ResourceType(
        "aws_shield_protection_health_check_association",
        unrecorded=(
            *iam_actions("route53", "GetHealthCheck"),
            *iam_actions("shield", "AssociateHealthCheck DescribeProtection DisassociateHealthCheck"),
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        key=("shield_protection_id",),
        reading=Reading(
            _checks,
            OnCreate.COLLIDES,
            finds=_find_check,
            is_global=True,
            actions=_actions("ListProtections", "DescribeProtection"),
        ),
        no_weaker_side={IDENTITY: "health_check_arn shield_protection_id"},
    ),
    ResourceType(
        "aws_shield_application_layer_automatic_response",
        unrecorded=(
            *iam_actions("cloudfront", "GetDistribution"),
            *iam_actions("iam", "GetRole"),
            *iam_actions(
                "shield",
                "DescribeProtection DisableApplicationLayerAutomaticResponse "
                "EnableApplicationLayerAutomaticResponse UpdateApplicationLayerAutomaticResponse",
            ),
            *iam_actions("wafv2", "GetWebACL GetWebACLForResource"),
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        key=("resource_arn",),
        reading=Reading(
            _responses,
            OnCreate.OVERWRITES,
            finds=_find_response,
            is_global=True,
            quiet=True,
            actions=_actions("ListProtections", "DescribeProtection"),
        ),
        strengths=(Strength("action", Stronger.ORDER, order=("COUNT", "BLOCK")),),
        no_weaker_side={IDENTITY: "resource_arn"},
    ),
    ResourceType(
        "aws_shield_protection_group",
        unrecorded=iam_actions(
            "shield",
            "CreateProtectionGroup DeleteProtectionGroup DescribeProtectionGroup ListTagsForResource "
            "TagResource UntagResource UpdateProtectionGroup",
        ),
        named_by=("protection_group_id",),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        key=("protection_group_id",),
        reading=Reading(
            _groups,
            OnCreate.COLLIDES,
            finds=_find_group,
            is_global=True,
            actions=_actions("ListProtectionGroups", "DescribeProtectionGroup"),
        ),
        strengths=(
            Strength("pattern", Stronger.ORDER, order=("ARBITRARY", "BY_RESOURCE_TYPE", "ALL")),
            Strength("members", Stronger.SUPERSET, only=("pattern", ("ARBITRARY", None))),
            # How attacks on members add up, and which are members.
            Strength("aggregation", Stronger.SAME),
            Strength("resource_type", Stronger.SAME, only=("pattern", ("BY_RESOURCE_TYPE", None))),
        ),
        no_weaker_side={IDENTITY: "protection_group_id"},
    ),
    ResourceType(
        "aws_shield_proactive_engagement",
        unrecorded=iam_actions(
            "shield",
            "AssociateProactiveEngagementDetails DescribeEmergencyContactSettings "
            "DescribeSubscription DisableProactiveEngagement EnableProactiveEngagement "
            "UpdateEmergencyContactSettings",
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        reading=Reading(
            _engagement,
            OnCreate.OVERWRITES,
            finds=_find_contacts,
            is_global=True,
            quiet=True,
            actions=_actions("DescribeEmergencyContactSettings", "DescribeSubscription"),
        ),
        strengths=(
            Strength("enabled", Stronger.TRUE),
            # Any other person is as good, nobody is not.
            Strength("emergency_contact", Stronger.PRESENT),
        ),
    ),
    ResourceType(
        "aws_shield_drt_access_role_arn_association",
        unrecorded=(
            *iam_actions("iam", "GetRole ListAttachedRolePolicies"),
            *iam_actions("shield", "AssociateDRTRole DescribeDRTAccess DisassociateDRTRole"),
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        reading=Reading(_response_team, OnCreate.OVERWRITES, is_global=True, actions=_actions("DescribeDRTAccess")),
        strengths=(Strength("role_arn", Stronger.PRESENT),),
    ),
    ResourceType(
        "aws_shield_drt_access_log_bucket_association",
        unrecorded=(
            *iam_actions("s3", "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),
            *iam_actions("shield", "AssociateDRTLogBucket DescribeDRTAccess DisassociateDRTLogBucket"),
        ),
        unsupported_in_simulator="needs a subscription to Shield Advanced, which moto does not have",
        price=_FREE,
        key=("log_bucket",),
        reading=Reading(_log_buckets, OnCreate.HARMLESS, is_global=True, actions=_actions("DescribeDRTAccess")),
        unread="it adds a bucket to those that there are",
        no_weaker_side={IDENTITY: "log_bucket role_arn_association_id"},
    ),
)
