"""What the account has already of what a plan would create. Reads only.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
"""

from __future__ import annotations

from collections.abc import Callable

from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan


def read_existing(plan: Plan, clients: ClientFactory) -> dict[str, Existing]:
    """Address of a create → what is there already.

    Raises:
        ToolkitError: It could not be asked.
    """
    found: dict[str, Existing] = {}
    for change in plan.changes:
        read = _READERS.get(change.type)
        if read is None or change.action is not Action.CREATE:
            continue
        existing = asked(f"what {change.address} would overwrite", lambda c=change, r=read: r(clients, c))  # type: ignore[misc]
        if existing is not None:
            found[change.address] = existing
    return found


def _password_policy(clients: ClientFactory, _change: Change) -> Existing | None:
    iam = clients.client("iam")
    try:
        policy = iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None
    values = {
        "minimum_password_length": policy["MinimumPasswordLength"],
        "require_lowercase_characters": policy["RequireLowercaseCharacters"],
        "require_uppercase_characters": policy["RequireUppercaseCharacters"],
        "require_numbers": policy["RequireNumbers"],
        "require_symbols": policy["RequireSymbols"],
        "password_reuse_prevention": policy.get("PasswordReusePrevention"),
        "max_password_age": policy.get("MaxPasswordAge"),
        "hard_expiry": policy.get("HardExpiry", False),
        "allow_users_to_change_password": policy["AllowUsersToChangePassword"],
    }
    return Existing(values, True, "iam-account-password-policy", "a password policy")


def _recorder(clients: ClientFactory, change: Change) -> Existing | None:
    client = clients.client("config", change.region)
    recorders = client.describe_configuration_recorders()["ConfigurationRecorders"]
    if not recorders:
        return None
    recorder = recorders[0]
    group = recorder.get("recordingGroup", {})
    values = {
        "name": recorder["name"],
        "role_arn": recorder.get("roleARN"),
        "recording_group": [
            {
                "all_supported": group.get("allSupported", False),
                "include_global_resource_types": group.get("includeGlobalResourceTypes", False),
            }
        ],
        "recording_mode": [
            {"recording_frequency": recorder.get("recordingMode", {}).get("recordingFrequency", "CONTINUOUS")}
        ],
    }
    same_name = recorder["name"] == change.after.get("name")
    return Existing(values, same_name, recorder["name"], f"the configuration recorder {recorder['name']!r}")


def _delivery_channel(clients: ClientFactory, change: Change) -> Existing | None:
    channels = clients.client("config", change.region).describe_delivery_channels()["DeliveryChannels"]
    if not channels:
        return None
    channel = channels[0]
    frequency = channel.get("configSnapshotDeliveryProperties", {}).get("deliveryFrequency")
    values = {
        "name": channel["name"],
        "s3_bucket_name": channel["s3BucketName"],
        "s3_kms_key_arn": channel.get("s3KmsKeyArn"),
        "snapshot_delivery_properties": [{"delivery_frequency": frequency}],
    }
    same_name = channel["name"] == change.after.get("name")
    return Existing(values, same_name, channel["name"], f"the delivery channel {channel['name']!r}")


def _detector(clients: ClientFactory, change: Change) -> Existing | None:
    identifiers = clients.client("guardduty", change.region).list_detectors()["DetectorIds"]
    if not identifiers:
        return None
    return Existing({}, False, identifiers[0], f"a GuardDuty detector in {change.region}")


def _named(change: Change, attribute: str) -> str | None:
    """The name that the plan gives; None where it is not known before the apply, so that nothing can be looked up."""
    value = change.after.get(attribute)
    return value if isinstance(value, str) else None


def _group(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    name = _named(change, "name") or ""
    try:
        iam.get_group(GroupName=name, MaxItems=1)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, name, f"the group {name!r}")


def _role(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    name = _named(change, "name") or ""
    try:
        iam.get_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, name, f"the role {name!r}")


def _service_linked_role(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    service = _named(change, "aws_service_name") or ""
    prefix = f"/aws-service-role/{service}/"
    roles = [r for page in iam.get_paginator("list_roles").paginate(PathPrefix=prefix) for r in page["Roles"]]
    if not roles:
        return None
    return Existing({}, False, roles[0]["Arn"], f"the service-linked role {roles[0]['RoleName']!r}")


def _policy(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name")
    pages = clients.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    arn = next((p["Arn"] for page in pages for p in page["Policies"] if p["PolicyName"] == name), None)
    return Existing({}, False, arn, f"the policy {name!r}") if arn else None


def _trail(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name")
    trails = clients.client("cloudtrail", change.region).describe_trails(includeShadowTrails=False)["trailList"]
    arn = next((t["TrailARN"] for t in trails if t["Name"] == name), None)
    return Existing({}, False, arn, f"the trail {name!r}") if arn else None


def _log_group(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name") or "?"
    logs = clients.client("logs", change.region)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    if not any(g["logGroupName"] == name for page in pages for g in page["logGroups"]):
        return None
    return Existing({}, False, name, f"the log group {name!r}")


def _bucket(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "bucket")
    buckets = clients.client("s3", change.region).list_buckets()["Buckets"]
    # Another account's bucket of that name cannot be seen from here; AWS then refuses the create.
    if not any(b["Name"] == name for b in buckets):
        return None
    return Existing({}, False, str(name), f"the bucket {name!r}")


_READERS: dict[str, Callable[[ClientFactory, Change], Existing | None]] = {
    "aws_iam_account_password_policy": _password_policy,
    "aws_config_configuration_recorder": _recorder,
    "aws_config_delivery_channel": _delivery_channel,
    "aws_guardduty_detector": _detector,
    "aws_iam_group": _group,
    "aws_iam_role": _role,
    "aws_iam_service_linked_role": _service_linked_role,
    "aws_iam_policy": _policy,
    "aws_cloudtrail": _trail,
    "aws_cloudwatch_log_group": _log_group,
    "aws_s3_bucket": _bucket,
}
