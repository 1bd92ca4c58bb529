"""What the account has already of what a plan would create. Reads only.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def _account_public_access_block(clients: ClientFactory, _change: Change) -> Existing | None:
    control = clients.client("s3control")
    account = clients.account_id
    try:
        block = control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    except control.exceptions.NoSuchPublicAccessBlockConfiguration:
        return None
    values = {
        "block_public_acls": block.get("BlockPublicAcls", False),
        "block_public_policy": block.get("BlockPublicPolicy", False),
        "ignore_public_acls": block.get("IgnorePublicAcls", False),
        "restrict_public_buckets": block.get("RestrictPublicBuckets", False),
    }
    return Existing(values, True, account, "the account's block of public access to S3")


def _ebs_encryption(clients: ClientFactory, change: Change) -> Existing | None:
    if not clients.client("ec2", change.region).get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        return None
    return Existing({"enabled": True}, True, "default", f"EBS encryption by default in {change.region}")


def _ebs_key(clients: ClientFactory, change: Change) -> Existing | None:
    key = clients.client("ec2", change.region).get_ebs_default_kms_key_id()["KmsKeyId"]
    # AWS's own key is answered by its alias, or by an ARN that ends with it.
    if key.endswith("alias/aws/ebs"):
        return None
    return Existing({"key_arn": key}, True, key, f"another default key of EBS in {change.region}")


def _snapshot_block(clients: ClientFactory, change: Change) -> Existing | None:
    state = clients.client("ec2", change.region).get_snapshot_block_public_access_state()["State"]
    if state == "unblocked":
        return None
    return Existing({"state": state}, True, change.region, f"a block of public snapshots in {change.region}")


def _metadata_defaults(clients: ClientFactory, change: Change) -> Existing | None:
    found = clients.client("ec2", change.region).get_instance_metadata_defaults().get("AccountLevel", {})
    values = {
        "http_tokens": found.get("HttpTokens"),
        "http_endpoint": found.get("HttpEndpoint"),
        "instance_metadata_tags": found.get("InstanceMetadataTags"),
        "http_put_response_hop_limit": found.get("HttpPutResponseHopLimit"),
    }
    # What has no value has no preference.
    stated = {name: value for name, value in values.items() if value}
    return Existing(stated, True, None, f"instance metadata defaults in {change.region}") if stated else None


def _account_alias(clients: ClientFactory, _change: Change) -> Existing | None:
    aliases = clients.client("iam").list_account_aliases()["AccountAliases"]
    if not aliases:
        return None
    return Existing({"account_alias": aliases[0]}, True, aliases[0], f"the account alias {aliases[0]!r}")


def _default_security_group(clients: ClientFactory, change: Change) -> Existing | None:
    ec2 = clients.client("ec2", change.region)
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [_named(change, "vpc_id")]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    rules = {
        "ingress": [_rule(rule, "from") for rule in group["IpPermissions"]],
        "egress": [_rule(rule, "to") for rule in group["IpPermissionsEgress"]],
    }
    if not any(rules.values()):
        return None
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}]
    )
    users = sum(len(page["NetworkInterfaces"]) for page in pages)
    used = f"used by {users} network interface{'' if users == 1 else 's'}"
    return Existing(rules, True, group["GroupId"], f"the rules of {group['GroupId']} in {change.region} ({used})")


def _rule(permission: dict[str, Any], preposition: str) -> str:
    """A security group's rule in a few words: a plan that closes the group shows what nobody can do any more."""
    protocol = "everything" if permission["IpProtocol"] == "-1" else permission["IpProtocol"]
    ports = sorted({permission[end] for end in ("FromPort", "ToPort") if end in permission})
    others = [
        *(r["CidrIp"] for r in permission.get("IpRanges", ())),
        *(r["CidrIpv6"] for r in permission.get("Ipv6Ranges", ())),
        *(r["PrefixListId"] for r in permission.get("PrefixListIds", ())),
        *(r["GroupId"] for r in permission.get("UserIdGroupPairs", ())),
    ]
    return " ".join([protocol, "-".join(map(str, ports)), preposition, ", ".join(others)]).replace("  ", " ")


def _alternate_contact(clients: ClientFactory, change: Change) -> Existing | None:
    account = clients.client("account")
    kind = str(change.after["alternate_contact_type"])
    try:
        found = account.get_alternate_contact(AlternateContactType=kind)["AlternateContact"]
    except account.exceptions.ResourceNotFoundException:
        return None
    values = {
        "name": found["Name"],
        "title": found["Title"],
        "email_address": found["EmailAddress"],
        "phone_number": found["PhoneNumber"],
    }
    return Existing(values, True, kind, f"the alternate contact {kind}")


def _primary_contact(clients: ClientFactory, _change: Change) -> Existing | None:
    account = clients.client("account")
    try:
        found = account.get_contact_information()["ContactInformation"]
    except account.exceptions.ResourceNotFoundException:
        return None
    names = {
        "full_name": "FullName",
        "company_name": "CompanyName",
        "address_line_1": "AddressLine1",
        "address_line_2": "AddressLine2",
        "address_line_3": "AddressLine3",
        "city": "City",
        "district_or_county": "DistrictOrCounty",
        "state_or_region": "StateOrRegion",
        "postal_code": "PostalCode",
        "country_code": "CountryCode",
        "phone_number": "PhoneNumber",
        "website_url": "WebsiteUrl",
    }
    values = {name: found[theirs] for name, theirs in names.items() if theirs in found}
    return Existing(values, True, clients.account_id, "the primary contact")


def _budget(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name")
    account = clients.account_id
    pages = clients.client("budgets").get_paginator("describe_budgets").paginate(AccountId=account)
    if not any(budget["BudgetName"] == name for page in pages for budget in page.get("Budgets", ())):
        return None
    return Existing({}, False, f"{account}:{name}", f"the budget {name!r}")


def _analyzer(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no Access Analyzer, so nothing can be in the way there.
        return None
    name = _named(change, "analyzer_name")
    pages = clients.client("accessanalyzer", change.region).get_paginator("list_analyzers").paginate()
    if not any(analyzer["name"] == name for page in pages for analyzer in page["analyzers"]):
        return None
    return Existing({}, False, str(name), f"the analyzer {name!r} in {change.region}")


def _alarm(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "alarm_name")
    answer = clients.client("cloudwatch", change.region).describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])
    if not answer["MetricAlarms"]:
        return None
    alarm = answer["MetricAlarms"][0]
    values = {"threshold": alarm.get("Threshold"), "actions_enabled": alarm.get("ActionsEnabled", False)}
    return Existing(values, True, name, f"the alarm {name!r}")


def _metric_filter(clients: ClientFactory, change: Change) -> Existing | None:
    group, name = _named(change, "log_group_name"), _named(change, "name")
    if group is None or name is None:
        return None
    logs = clients.client("logs", change.region)
    try:
        found = logs.describe_metric_filters(logGroupName=group, filterNamePrefix=name)["metricFilters"]
    except logs.exceptions.ResourceNotFoundException:
        # The log group is still to be made.
        return None
    if not any(one["filterName"] == name for one in found):
        return None
    return Existing({"log_group_name": group}, True, f"{group}:{name}", f"the metric filter {name!r}")


def _topic(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name")
    pages = clients.client("sns", change.region).get_paginator("list_topics").paginate()
    arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
    arn = next((arn for arn in arns if arn.rsplit(":", 1)[-1] == name), None)
    # AWS answers an existing topic's ARN if its attributes are the same, and refuses if not.
    return Existing({}, False, arn, f"the topic {name!r}") if arn else None


def _event_rule(clients: ClientFactory, change: Change) -> Existing | None:
    name = _named(change, "name")
    rules = clients.client("events", change.region).list_rules(NamePrefix=name)["Rules"]
    if not any(rule["Name"] == name for rule in rules):
        return None
    return Existing({}, True, name, f"the EventBridge rule {name!r}")


def _hub(clients: ClientFactory, change: Change) -> Existing | None:
    hub = clients.client("securityhub", change.region)
    try:
        hub.describe_hub()
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        return None
    return Existing({}, False, clients.account_id, f"Security Hub in {change.region}")


def _finding_aggregator(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no finding aggregators, so nothing can be in the way there.
        return None
    hub = clients.client("securityhub", change.region)
    try:
        found = hub.list_finding_aggregators()["FindingAggregators"]
    except hub.exceptions.InvalidAccessException:
        return None
    if not found:
        return None
    arn = found[0]["FindingAggregatorArn"]
    return Existing({}, False, arn, "a finding aggregator of Security Hub")


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
    # Not the image block: ours never lets more through than what is there, and the provider imports none.
    "aws_s3_account_public_access_block": _account_public_access_block,
    "aws_ebs_encryption_by_default": _ebs_encryption,
    "aws_ebs_default_kms_key": _ebs_key,
    "aws_ebs_snapshot_block_public_access": _snapshot_block,
    "aws_ec2_instance_metadata_defaults": _metadata_defaults,
    "aws_iam_account_alias": _account_alias,
    "aws_default_security_group": _default_security_group,
    "aws_account_alternate_contact": _alternate_contact,
    "aws_account_primary_contact": _primary_contact,
    "aws_budgets_budget": _budget,
    "aws_accessanalyzer_analyzer": _analyzer,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_cloudwatch_log_metric_filter": _metric_filter,
    "aws_cloudwatch_event_rule": _event_rule,
    "aws_sns_topic": _topic,
    "aws_securityhub_account": _hub,
    "aws_securityhub_finding_aggregator": _finding_aggregator,
}
