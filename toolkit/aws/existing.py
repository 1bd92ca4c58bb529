"""What the account has of things that exist once per account or region, for plans that would create them. Reads only.

Terraform sees such a thing, when it is not in the state, as a plain create; some creates then overwrite it without a
word (the password policy, a recorder of the same name), others fail half-way (a second detector).
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


_READERS: dict[str, Callable[[ClientFactory, Change], Existing | None]] = {
    "aws_iam_account_password_policy": _password_policy,
    "aws_config_configuration_recorder": _recorder,
    "aws_config_delivery_channel": _delivery_channel,
    "aws_guardduty_detector": _detector,
}
