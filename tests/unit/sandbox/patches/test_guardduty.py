"""What AWS does and moto does not: GuardDuty."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import guardduty

REGION = "eu-central-1"


def features_are_merged() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True)["DetectorId"]

    def runtime(name: str, status: str) -> dict[str, object]:
        return {
            "Name": "RUNTIME_MONITORING",
            "Status": "ENABLED",
            "AdditionalConfiguration": [{"Name": name, "Status": status}],
        }

    for feature in (
        {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
        runtime("EKS_ADDON_MANAGEMENT", "ENABLED"),
        {"Name": "S3_DATA_EVENTS", "Status": "DISABLED"},
        runtime("ECS_FARGATE_AGENT_MANAGEMENT", "DISABLED"),
    ):
        client.update_detector(DetectorId=detector, Features=[feature])
    client.update_detector(DetectorId=detector, FindingPublishingFrequency="ONE_HOUR")
    found = {f["Name"]: f for f in client.get_detector(DetectorId=detector)["Features"]}
    return {name: f["Status"] for name, f in found.items()} == {
        "S3_DATA_EVENTS": "DISABLED",
        "RUNTIME_MONITORING": "ENABLED",
    } and {c["Name"]: c["Status"] for c in found["RUNTIME_MONITORING"]["AdditionalConfiguration"]} == {
        "EKS_ADDON_MANAGEMENT": "ENABLED",
        "ECS_FARGATE_AGENT_MANAGEMENT": "DISABLED",
    }


def features_show_as_data_sources() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True)["DetectorId"]
    plans = {"S3_DATA_EVENTS": "ENABLED", "EKS_AUDIT_LOGS": "DISABLED", "EBS_MALWARE_PROTECTION": "ENABLED"}
    for name, status in plans.items():
        client.update_detector(DetectorId=detector, Features=[{"Name": name, "Status": status}])
    shown = client.get_detector(DetectorId=detector)["DataSources"]
    return plans == {
        "S3_DATA_EVENTS": shown["S3Logs"]["Status"],
        "EKS_AUDIT_LOGS": shown["Kubernetes"]["AuditLogs"]["Status"],
        "EBS_MALWARE_PROTECTION": shown.get("MalwareProtection", {})
        .get("ScanEc2InstanceWithFindings", {})
        .get("EbsVolumes", {})
        .get("Status"),
    }


def detector_tags_change() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True, Tags={"a": "1", "b": "2"})["DetectorId"]
    arn = f"arn:aws:guardduty:{REGION}:123456789012:detector/{detector}"
    client.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    tags: dict[str, str] = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return bool(tags == client.get_detector(DetectorId=detector)["Tags"] == {"b": "3", "c": "4"})


CASES: dict[str, Callable[[], bool]] = {
    "guardduty-feature-merge": features_are_merged,
    "guardduty-data-sources": features_show_as_data_sources,
    "guardduty-tag": detector_tags_change,
    "guardduty-untag": detector_tags_change,
    "guardduty-list-tags": detector_tags_change,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(guardduty.PATCHES, CASES, name)
