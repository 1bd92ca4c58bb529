"""How the shipped environments are changed while requests are recorded, so that Terraform updates and deletes.

In: the content of an environment.yaml. Out: it changed once, and once more; tests compare the policies of all three
with what was recorded. As many settings as there are that an update sends, and names that come and go.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

CONTACT = {
    "name": "Other Team",
    "title": "Other",
    "email_address": "other@example.com",
    "phone_number": "+49 30 7654321",
}
EDITS: Mapping[str, Mapping[str, Any]] = {
    "password_policy": {"minimum_password_length": 18},
    "cloudtrail": {
        "log_retention_days": 400,
        "data_events": ["s3_write"],
        "insights": ["ApiCallRateInsight"],
    },
    "config": {
        "recording_frequency": "CONTINUOUS",
        "snapshot_delivery_frequency": "Six_Hours",
        "bucket": {"expiration_days": 3000},
        "additional_rules": {"more": {"identifier": "S3_BUCKET_VERSIONING_ENABLED"}},
    },
    "guardduty": {
        "finding_publishing_frequency": "SIX_HOURS",
        "notifications": {"email_addresses": ["others@example.com"], "minimum_severity": 8},
    },
    "activity_alarms": {
        "subscribers": {"email_addresses": ["others@example.com"]},
        "monitors": {"vpc_changes": {"threshold": 3}, "root_use": {"enabled": False}},
    },
    "account_contacts": {"security": CONTACT},
    "account_defaults": {
        "ssm_document_public_sharing": "Enable",
        "block_serial_console_access": False,
        "ebs_snapshot_public_access": "block-new-sharing",
        "block_public_ami_sharing": False,
        "instance_metadata_defaults": {"http_tokens": "optional"},
        "vpc_block_public_access": "block-ingress",
    },
    "trusted_advisor": {"subscribers": {"email_addresses": ["others@example.com"]}},
    "ecr_defaults": {"continuous_scan_filters": ["test-*"]},
}
"""Component → settings that are given other values, where the environment has it."""


def changes(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """An environment changed, and changed again."""
    first = copy.deepcopy(dict(data))
    tags = {key: value for key, value in first["default_tags"].items() if key != "Owner"}
    first["default_tags"] = {**tags, "Changed": "yes"}
    blocks = first["components"]
    for component, settings in EDITS.items():
        if component in blocks:
            blocks[component] = {**(blocks[component] or {}), **copy.deepcopy(dict(settings))}
    if "cloudtrail" in data["components"]:
        bucket = (data["components"]["cloudtrail"] or {}).get("bucket") or {}
        blocks["cloudtrail"]["bucket"] = {**bucket, "expiration_days": 3000}
    _people(blocks, data["account_id"])
    _others(blocks)
    second = copy.deepcopy(first)
    _undo(second["components"])
    return first, second


def _people(blocks: dict[str, Any], account: str) -> None:
    operators = {
        "managed_policies": ["SecurityAudit"],
        "inline_policies": {
            "restart": [
                {
                    "sid": "Restart",
                    "actions": ["ec2:RebootInstances"],
                    "resources": [f"arn:aws:ec2:*:{account}:instance/*"],
                }
            ]
        },
    }
    groups = blocks["iam_groups"] or {}
    blocks["iam_groups"] = {**groups, "groups": {**groups.get("groups", {}), "operators": operators}}
    if "iam_users" not in blocks:
        return
    users, roles = blocks["iam_users"]["users"], blocks["iam_roles"]
    users["dora"] |= {"groups": ["developers", "operators"], "owner": "other@example.com", "tags": {"Team": "a"}}
    users["bert"]["status"] = "active"
    users["emil"] = {"owner": "lead@example.com", "review_date": "2027-03-31", "groups": ["developers"]}
    roles["roles"]["development"] |= {"managed_policies": ["ReadOnlyAccess"], "description": "Changed."}
    roles["roles"]["operations"] |= {"organization_id": "o-b1b2c3d4e5", "bounded": True}
    roles["audit"]["external_id"] = "audit-8"
    roles["deployers"]["site"] |= {"branches": ["main", "next"], "max_session_minutes": 90, "bounded": False}


def _others(blocks: dict[str, Any]) -> None:
    if "siem_export" in blocks:
        blocks["siem_export"]["trail_reader"]["external_id"] = "example-id-2"
        blocks["siem_export"]["log_subscription"]["filter_pattern"] = '{ $.errorCode = "AccessDenied" }'
    if "organization" in blocks:
        organization = blocks["organization"]
        policies = organization["service_control_policies"]
        policies["baseline-guardrails"]["guardrails"] = ["deny_leaving", "protect_trail"]
        policies["baseline-instances"]["targets"] = ["Workloads"]
        organization["tag_policies"]["owners"]["tags"]["Owner"]["values"] = ["*@example.net"]


def _undo(blocks: dict[str, Any]) -> None:
    if "iam_users" in blocks:
        users, roles = blocks["iam_users"]["users"], blocks["iam_roles"]
        users["emil"]["status"] = "removed"
        users["bert"]["status"] = "suspended"
        users["dora"]["groups"] = ["developers"]
        roles["roles"].pop("operations")
        roles["conflicts"] = [["administration", "development"]]
        blocks["iam_groups"]["groups"].pop("operators")
    if "config" in blocks:
        blocks["config"]["additional_rules"] = {}
        blocks["config"].pop("aggregator", None)
