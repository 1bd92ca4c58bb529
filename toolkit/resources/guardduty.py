"""Amazon GuardDuty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    OFF_ON,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price, created, either, grows, switched
from toolkit.resources.reading import Account, Live, OnCreate, Reading, arn_of

_MEMBERS = ("NONE", "NEW", "ALL")


def _identifiers(account: Account, region: str) -> tuple[str, ...]:
    """A region has one detector at most (GuardDuty API Reference, CreateDetector)."""
    return account.pages("guardduty", "list_detectors", "DetectorIds", region)


def _detail(account: Account, region: str) -> tuple[str, Mapping[str, Any]] | None:
    """The detector's id and GetDetector's answer; None where there is none."""
    for identifier in _identifiers(account, region)[:1]:
        return identifier, account.call("guardduty", "get_detector", region, DetectorId=identifier) or {}
    return None


def _detectors(account: Account, region: str) -> Iterator[Live]:
    if (found := _detail(account, region)) is not None:
        identifier, detector = found
        values = {
            "enable": detector["Status"] == "ENABLED",
            "finding_publishing_frequency": detector.get("FindingPublishingFrequency"),
        }
        yield _detector(account, region, identifier, values)


def _find_detector(account: Account, region: str, _: Mapping[str, Any]) -> Live | None:
    identifiers = _identifiers(account, region)
    return _detector(account, region, identifiers[0], {}) if identifiers else None


def _detector(account: Account, region: str, identifier: str, values: Mapping[str, Any]) -> Live:
    arn = arn_of(account, "guardduty", region, f"detector/{identifier}")
    return Live({}, values, f"a GuardDuty detector in {region}", identifier, arn=arn)


def _findings(account: Account, region: str, values: Mapping[str, Any]) -> str | None:
    if account.simulated:
        # The embedded AWS detects nothing.
        return None
    request = {"DetectorId": values["id"], "MaxResults": 1}
    answer = account.call("guardduty", "list_findings", region, first=True, **request) or {}
    return "the detector has findings, which AWS deletes with it" if answer["FindingIds"] else None


def _features(account: Account, region: str) -> Iterator[Live]:
    if (found := _detail(account, region)) is not None:
        detector = found[1]
        for feature in detector.get("Features", ()):
            parts = [part["Name"] for part in feature.get("AdditionalConfiguration", ())]
            yield _feature(region, detector, feature, parts)


def _find_feature(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """UpdateDetector sets what stands: a plan that somebody switched on may be switched off."""
    if (found := _detail(account, region)) is None:
        return None
    detector = found[1]
    feature = next((f for f in detector.get("Features", ()) if f["Name"] == planned["name"]), None)
    if feature is None:
        return None
    parts = [part["Name"] for part in feature.get("AdditionalConfiguration", ())]
    return _named_parts(_feature(region, detector, feature, parts), planned)


def _named_parts(found: Live, planned: Mapping[str, Any]) -> Live:
    """The feature with the parts that a plan names, off where AWS has none: of the others, nothing changes."""
    named = [one.get("name") for one in planned.get("additional_configuration") or ()]
    states = {part["name"]: part["status"] for part in found.values["additional_configuration"]}
    parts = [{"name": part, "status": states.get(part, "DISABLED")} for part in named]
    return replace(found, values={**found.values, "additional_configuration": parts})


def _feature(region: str, detector: Mapping[str, Any], feature: Mapping[str, Any], parts: list[Any]) -> Live:
    name = feature["Name"]
    states = {part["Name"]: part["Status"] for part in feature.get("AdditionalConfiguration", ())}
    values = {
        "status": feature["Status"],
        "additional_configuration": [{"name": part, "status": states[part]} for part in parts],
    }
    called = f"{name} of the GuardDuty detector in {region}"
    return Live({"name": name}, values, called, None, by_default=_since_creation(detector, feature))


def _since_creation(detector: Mapping[str, Any], feature: Mapping[str, Any]) -> bool:
    """Whether a plan is as AWS made it with the detector: AWS switches most of them on by itself."""
    updated = feature.get("UpdatedAt")
    if updated is None:
        return True
    created = datetime.fromisoformat(detector["CreatedAt"])
    return bool(updated - created < timedelta(minutes=1))


def _destinations(account: Account, region: str) -> Iterator[Live]:
    for detector, found in _exports(account, region):
        request = {"DetectorId": detector, "DestinationId": found["DestinationId"]}
        answer = account.call("guardduty", "describe_publishing_destination", region, **request) or {}
        properties = answer.get("DestinationProperties", {})
        values = {"destination_arn": properties.get("DestinationArn"), "kms_key_arn": properties.get("KmsKeyArn")}
        yield _destination(region, detector, found, values)


def _find_destination(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """A detector has one of each type."""
    exports = _exports(account, region)
    same = (one for one in exports if one[1]["DestinationType"] == planned["destination_type"])
    return next((_destination(region, detector, found, {}) for detector, found in same), None)


def _exports(account: Account, region: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for detector in _identifiers(account, region)[:1]:
        found = account.pages("guardduty", "list_publishing_destinations", "Destinations", region, DetectorId=detector)
        yield from ((detector, one) for one in found)


def _destination(region: str, detector: str, found: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    kind, import_id = found["DestinationType"], f"{detector}:{found['DestinationId']}"
    key = {"destination_type": kind}
    return Live(key, {**key, **values}, f"an export of GuardDuty's findings in {region}", import_id)


def _administrators(account: Account, region: str) -> Iterator[Live]:
    for found in account.pages("guardduty", "list_organization_admin_accounts", "AdminAccounts", region):
        identifier = found["AdminAccountId"]
        called = f"{identifier} as administrator of GuardDuty in {region}"
        yield Live({}, {"admin_account_id": identifier}, called, identifier)


def _organization(account: Account, region: str) -> Mapping[str, Any] | None:
    """What is set for member accounts; None where this account is not the organization's administrator (yet)."""
    for identifier in _identifiers(account, region)[:1]:
        answer = account.call(
            "guardduty",
            "describe_organization_configuration",
            region,
            absent=("BadRequestException",),
            DetectorId=identifier,
        )
        return None if answer is None else {"": identifier, **answer}
    return None


def _organization_configuration(account: Account, region: str) -> Iterator[Live]:
    if (found := _organization(account, region)) is not None:
        values = {"auto_enable_organization_members": found.get("AutoEnableOrganizationMembers", "NONE")}
        yield Live({}, values, f"GuardDuty's settings of member accounts in {region}", found[""])


def _organization_features(account: Account, region: str) -> Iterator[Live]:
    for feature in (_organization(account, region) or {}).get("Features", ()):
        name = feature["Name"]
        values = {"auto_enable": feature["AutoEnable"]}
        yield Live({"name": name}, values, f"{name} in member accounts, in {region}", None)


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"guardduty:{name}" for name in ("ListDetectors", *names))


_BY_FEATURES = "deprecated: aws_guardduty_detector_feature and its kin for organizations read it"

_PRICES = "https://aws.amazon.com/guardduty/pricing/"


TYPES = (
    ResourceType(
        "aws_guardduty_detector",
        price=Price(
            "GuardDuty detector",
            (
                "4.00 per million CloudTrail management events; VPC flow and DNS logs 1.00 per GB for the "
                "first 500 GB; 30 days free per region"
            ),
            _PRICES,
            "2026-11-28",
            driver="API calls and network traffic of the region",
            regions="AWS's page says that prices vary by region",
            starts=either(created, grows("enable")),
        ),
        contents=_findings,
        reading=Reading(
            _detectors,
            OnCreate.COLLIDES,
            finds=_find_detector,
            actions=_actions("GetDetector"),
            unread={_BY_FEATURES: "datasources"},
        ),
        strengths=(
            Strength("enable", Stronger.TRUE),
            Strength(
                "finding_publishing_frequency",
                Stronger.ORDER,
                order=("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
            ),
            # The older names of what features switch on.
            *each(
                Stronger.TRUE,
                "datasources[0].kubernetes[0].audit_logs[0].enable",
                "datasources[0].malware_protection[0].scan_ec2_instance_with_findings[0].ebs_volumes[0].enable",
                "datasources[0].s3_logs[0].enable",
                by_aws=True,
            ),
        ),
    ),
    ResourceType(
        "aws_guardduty_detector_feature",
        price=Price(
            "GuardDuty protection plan",
            (
                "by plan: S3 data events 0.80 per million, EKS audit logs 1.60 per million, RDS login "
                "1.00 per vCPU, Lambda 1.00 per GB, runtime 1.50 per vCPU, malware scans 0.03 per GB"
            ),
            _PRICES,
            "2026-11-28",
            driver="usage of the protected service",
            regions="RDS login 1.09 per vCPU in eu-south-2 and 1.35 in eu-central-2",
            # A feature's resource exists for every plan; it bills when it is on.
            starts=switched("status", "ENABLED"),
        ),
        key=("name",),
        reading=Reading(
            _features,
            OnCreate.OVERWRITES,
            finds=_find_feature,
            beside=_named_parts,
            quiet=True,
            default_with="aws_guardduty_detector",
            actions=_actions("GetDetector"),
        ),
        strengths=each(Stronger.ORDER, "status", "additional_configuration[*].status", order=OFF_ON),
        no_weaker_side={IDENTITY: "detector_id name"},
        keys={"additional_configuration": ("name",)},
    ),
    ResourceType(
        "aws_guardduty_publishing_destination",
        unrecorded=iam_actions(
            "guardduty",
            "CreatePublishingDestination DeletePublishingDestination DescribePublishingDestination "
            "UpdatePublishingDestination",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Free(
            "says where findings are kept; what is kept bills with the bucket, requests with the key",
            "https://aws.amazon.com/guardduty/pricing/",
            "2026-11-28",
        ),
        key=("destination_type",),
        reading=Reading(
            _destinations,
            OnCreate.COLLIDES,
            finds=_find_destination,
            actions=_actions("ListPublishingDestinations", "DescribePublishingDestination"),
        ),
        strengths=(Strength("destination_arn", Stronger.SAME), Strength("kms_key_arn", Stronger.KEY)),
        no_weaker_side={IDENTITY: "detector_id destination_type"},
    ),
    ResourceType(
        "aws_guardduty_organization_admin_account",
        unrecorded=(
            *iam_actions(
                "guardduty",
                "DisableOrganizationAdminAccount EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
            ),
            *iam_actions(
                "organizations",
                "DeregisterDelegatedAdministrator DescribeOrganization EnableAWSServiceAccess "
                "ListAWSServiceAccessForOrganization ListDelegatedAdministrators "
                "RegisterDelegatedAdministrator",
            ),
        ),
        price=Price(
            "GuardDuty in the delegated administrator's account",
            "as a detector, in the region, if GuardDuty is not on in that account yet",
            _PRICES,
            "2026-11-28",
            driver="API calls and network traffic of that account",
            regions="AWS's page says that prices vary by region",
        ),
        reading=Reading(_administrators, OnCreate.COLLIDES, actions=("guardduty:ListOrganizationAdminAccounts",)),
        no_weaker_side={IDENTITY: "admin_account_id"},
    ),
    ResourceType(
        "aws_guardduty_organization_configuration",
        unrecorded=iam_actions("guardduty", "DescribeOrganizationConfiguration UpdateOrganizationConfiguration"),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "GuardDuty in member accounts",
            "as a detector, in every member account and region that it is switched on in",
            _PRICES,
            "2026-11-28",
            driver="number of member accounts, and API calls and network traffic of each",
            regions="AWS's page says that prices vary by region",
            # What is switched on in other accounts bills there.
            starts=switched("auto_enable_organization_members", "NEW", "ALL"),
        ),
        reading=Reading(
            _organization_configuration,
            OnCreate.OVERWRITES,
            quiet=True,
            actions=_actions("DescribeOrganizationConfiguration"),
            unread={_BY_FEATURES: "datasources", "deprecated: auto_enable_organization_members says it": "auto_enable"},
        ),
        strengths=(
            Strength("auto_enable_organization_members", Stronger.ORDER, order=_MEMBERS),
            # The older names: of the setting above, and of what features switch on.
            *each(
                Stronger.TRUE,
                "auto_enable",
                "datasources[0].kubernetes[0].audit_logs[0].enable",
                "datasources[0].malware_protection[0].scan_ec2_instance_with_findings[0].ebs_volumes[0].auto_enable",
                "datasources[0].s3_logs[0].auto_enable",
                by_aws=True,
            ),
        ),
        no_weaker_side={IDENTITY: "detector_id"},
    ),
    ResourceType(
        "aws_guardduty_organization_configuration_feature",
        unrecorded=iam_actions("guardduty", "DescribeOrganizationConfiguration UpdateOrganizationConfiguration"),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "GuardDuty protection plan in member accounts",
            "as the plan itself, in every member account and region that it is switched on in",
            _PRICES,
            "2026-11-28",
            driver="number of member accounts, and what the plan looks at in each",
            regions="RDS login 1.09 per vCPU in eu-south-2 and 1.35 in eu-central-2",
            starts=switched("auto_enable", "NEW", "ALL"),
        ),
        key=("name",),
        reading=Reading(
            _organization_features,
            OnCreate.OVERWRITES,
            quiet=True,
            actions=_actions("DescribeOrganizationConfiguration"),
            unread={"a create leaves what it does not name": "additional_configuration"},
        ),
        strengths=each(Stronger.ORDER, "auto_enable", "additional_configuration[*].auto_enable", order=_MEMBERS),
        no_weaker_side={IDENTITY: "detector_id name"},
        keys={"additional_configuration": ("name",)},
    ),
)
