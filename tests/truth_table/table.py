"""The truth table of adoption: which account each type is tried in, what is done to it there, and the verdict. Pure.

A row is a Terraform type that the embedded AWS has, a column is an account. Each account gets the example that switches
everything on, applied with other values (a Terraform override file changes the modules), and then forgotten: what is
left is an account in which everything is there already, and that no state knows. What `adopt --yes`, a plan, its apply
and a second plan make of it is judged here, per type. tests/integration/test_truth_table.py makes the accounts and
writes tests/truth.json; docs/truth-table.md is generated from that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.provider5.record import types
from toolkit.addresses import value_at
from toolkit.plan.existing import is_read
from toolkit.plan.settings import NAMES
from toolkit.plan.strengths import weakenings
from toolkit.resources.base import ResourceType
from toolkit.resources.reading import OnCreate
from toolkit.resources.registry import RESOURCES

REPOSITORY = Path(__file__).parents[2]
ACCOUNTS = ("absent", "equal", "weaker", "stronger", "other name", "managed by others", "unreadable")
SUFFIX = "-other"
"""What names of the account "other name" end with; the longest bucket name of the example has six characters left."""
MANAGER = {"managed-by": "terraform of another team"}
"""Tag of everything that has tags in the account "managed by others"."""


@dataclass(frozen=True)
class Value:
    """How a type's value is changed in an account.

    Attributes:
        hcl: What overrides the resource's arguments in every module: one text, or one per label of the resource.
            "<<NAME>>" stands for the module's own expression of an argument.
        path: Where a reading then has it; empty: the seed is a bystander of the values ("theirs").
        value: What a reading has there. This is written by hand and not taken from the record: a record whose direction
            is turned round cannot turn the verdict with it.
        part: Whether the value is only a part of the text there.
        left: What `adopt` must say when it leaves the resource to people; empty: it must not leave it to them. If that
            is `WEAKENS`, the plan must refuse what `adopt` left, and what the run then consents to may get weaker.
    """

    hcl: str | Mapping[str, str]
    path: str
    value: Any
    part: bool = False
    left: str = ""


@dataclass(frozen=True)
class Row:
    """What is weaker and what is stronger than that which the example plans; a text says why there is no such value."""

    weaker: Value | str
    stronger: Value | str


_ON = "the baseline already plans the strongest value"
_SIDELESS = "its record has no attribute with a weaker side: it is there or it is not"
_NONE = Row(_SIDELESS, _SIDELESS)
_THEIRS = "Theirs"
"""Sid of what is in a policy of the account and not in the baseline's."""
_WIDE = f"""jsonencode({{ Version = "2012-10-17", Statement = [{{ Sid = "{_THEIRS}", Effect = "Allow", Action = "*",
 Resource = "*" }}] }})"""
_DENY = f'{{ Sid = "{_THEIRS}", Effect = "Deny", Action = "s3:DeleteBucket", Resource = "*" }}'
_DENIES = f"""jsonencode(merge(jsondecode(<<policy>>), {{ Statement = concat(jsondecode(<<policy>>).Statement,
 [{_DENY}]) }}))"""


WEAKENS, REFUSES = "would become weaker", "becomes weaker"
"""What `adopt` and then the plan say where no setting can hold a stronger value of the account."""
NO_SETTING = "no setting leaves it alone"
"""What `adopt` says of what it cannot take over, nor give the environment's own another name than."""
REFERRED = "` cannot be "
"""As in "`components.iam_users.users.anna` cannot be left out", with the rule of the file that needs it."""
_GRANTS_LESS = "the policy in its place grants less"
"""Nobody is cut off unasked: whether a wider grant in a policy of one owner is needed, only people know."""


def _narrowed(document: str, action: str) -> str:
    """A policy with all its grants, in which each statement that denies does so for one action alone."""
    statements = f"jsondecode({document}).Statement"
    return (
        'jsonencode({ Version = "2012-10-17", Statement = concat('
        f'[for s in {statements} : s if s.Effect == "Allow"], '
        f'[for i, s in {statements} : merge(s, {{ Sid = "{_THEIRS}${{i}}", Action = "{action}" }}) '
        'if s.Effect == "Deny"]) })'
    )


def _policy(weaker: str, stronger: str, left: str = "", told: str = "") -> Row:
    return Row(
        Value(f"policy = {weaker}", "policy", _THEIRS, part=True, left=left),
        Value(f"policy = {stronger}", "policy", _THEIRS, part=True, left=told),
    )


def _switch(attribute: str, off: str, value: Any, path: str = "") -> Row:
    return Row(Value(f"{attribute} = {off}", path or attribute, value), _ON)


OPEN = (
    'ingress = [{ from_port = 22, to_port = 22, protocol = "tcp", cidr_blocks = ["0.0.0.0/0"], description = "", '
    "ipv6_cidr_blocks = [], prefix_list_ids = [], security_groups = [], self = false }]"
)
"""Rules of a default security group that lets everybody in."""
_CONTACT = "AWS demands every contact detail that counts, and no detail is stronger than another one"

ROWS: Mapping[str, Row] = {
    "aws_account_alternate_contact": Row(_CONTACT, _CONTACT),
    "aws_account_primary_contact": Row(_CONTACT, _CONTACT),
    "aws_cloudtrail": Row(
        Value("is_multi_region_trail = false", "is_multi_region_trail", False),
        Value(
            """
  dynamic "insight_selector" {
    for_each = ["ApiCallRateInsight", "ApiErrorRateInsight"]
    content {
      insight_type = insight_selector.value
    }
  }""",
            "insight_selector",
            [{"insight_type": "ApiCallRateInsight"}, {"insight_type": "ApiErrorRateInsight"}],
        ),
    ),
    "aws_cloudwatch_event_rule": Row(
        Value('state = "DISABLED"', "state", "DISABLED"),
        Value(
            'event_pattern = jsonencode({ source = [{ prefix = "aws." }] })',
            "event_pattern",
            '{"source": [{"prefix": "aws."}]}',
            left=WEAKENS,
        ),
    ),
    "aws_cloudwatch_event_target": Row(
        Value(
            "retry_policy {\n maximum_event_age_in_seconds = 60\n maximum_retry_attempts = 1\n }",
            "retry_policy[0].maximum_event_age_in_seconds",
            60,
        ),
        Value(
            'dead_letter_config {\n arn = "arn:aws:sqs:eu-central-1:111122223333:theirs"\n }',
            "dead_letter_config[0].arn",
            "arn:aws:sqs:eu-central-1:111122223333:theirs",
            left=WEAKENS,
        ),
    ),
    "aws_cloudwatch_log_group": Row(
        Value("retention_in_days = 1", "retention_in_days", 1),
        Value("retention_in_days = 3653", "retention_in_days", 3653),
    ),
    "aws_cloudwatch_log_metric_filter": Row(
        Value(
            r"""pattern = replace(<<pattern>>, "/^\\{ (.*) \\}$/", "{ ($1) && ($.eventName = \"Nothing\") }")""",
            "pattern",
            '&& ($.eventName = "Nothing") }',
            part=True,
        ),
        Value('pattern = ""', "pattern", "", left=WEAKENS),
    ),
    "aws_cloudwatch_log_subscription_filter": Row(Value('filter_pattern = "ERROR"', "filter_pattern", "ERROR"), _ON),
    "aws_cloudwatch_metric_alarm": Row(
        Value("threshold = 1000", "threshold", 1000.0),
        Value('treat_missing_data = "breaching"', "treat_missing_data", "breaching", left=WEAKENS),
    ),
    "aws_config_config_rule": Row(
        Value(
            """
  dynamic "scope" {
    for_each = ["AWS::EC2::Volume"]
    content {
      compliance_resource_types = [scope.value]
    }
  }""",
            "scope[0].compliance_resource_types",
            ["AWS::EC2::Volume"],
        ),
        Value('dynamic "scope" {\n for_each = []\n content {}\n }', "scope", []),
    ),
    "aws_config_configuration_aggregator": Row(
        Value(
            {
                "this": "account_aggregation_source {\n account_ids = [data.aws_caller_identity.current.account_id]\n "
                'regions = ["eu-central-1"]\n }',
                "organization": "",
            },
            "account_aggregation_source[0].regions",
            ["eu-central-1"],
        ),
        _ON,
    ),
    "aws_config_configuration_recorder": Row(
        Value(
            'recording_group {\n all_supported = false\n resource_types = ["AWS::EC2::Instance"]\n'
            ' recording_strategy {\n use_only = "INCLUSION_BY_RESOURCE_TYPES"\n }\n }',
            "recording_group[0].all_supported",
            False,
        ),
        Value(
            'recording_mode {\n recording_frequency = "CONTINUOUS"\n }',
            "recording_mode[0].recording_frequency",
            "CONTINUOUS",
        ),
    ),
    "aws_config_configuration_recorder_status": _switch("is_enabled", "false", False),
    "aws_config_delivery_channel": Row(
        "the baseline already plans the weakest value",
        Value(
            'snapshot_delivery_properties {\n delivery_frequency = "One_Hour"\n }',
            "snapshot_delivery_properties[0].delivery_frequency",
            "One_Hour",
        ),
    ),
    "aws_default_security_group": Row(
        Value(OPEN, "ingress[0]", "tcp 22 from 0.0.0.0/0"),
        _ON,
    ),
    "aws_ebs_encryption_by_default": _switch("enabled", "false", False),
    "aws_ebs_snapshot_block_public_access": _switch("state", '"unblocked"', "unblocked"),
    "aws_ec2_instance_metadata_defaults": Row(
        Value('http_tokens = "optional"', "http_tokens", "optional"),
        Value("http_put_response_hop_limit = 1", "http_put_response_hop_limit", 1),
    ),
    "aws_ec2_serial_console_access": _switch("enabled", "true", True),
    "aws_ecr_registry_scanning_configuration": Row(
        Value(
            'scan_type = "BASIC"\n dynamic "rule" {\n for_each = []\n content {\n scan_frequency = ""\n }\n }',
            "scan_type",
            "BASIC",
        ),
        Value(
            'rule {\n scan_frequency = "CONTINUOUS_SCAN"\n repository_filter {\n filter = "prod-*"\n'
            ' filter_type = "WILDCARD"\n }\n repository_filter {\n filter = "theirs-*"\n filter_type = "WILDCARD"'
            "\n }\n }",
            # A set has no order.
            "rule[0].repository_filter",
            [{"filter": "prod-*", "filter_type": "WILDCARD"}, {"filter": "theirs-*", "filter_type": "WILDCARD"}],
        ),
    ),
    "aws_flow_log": Row(
        Value('traffic_type = "REJECT"', "traffic_type", "REJECT"),
        Value("max_aggregation_interval = 60", "max_aggregation_interval", 60),
    ),
    "aws_guardduty_detector": Row(
        Value('finding_publishing_frequency = "SIX_HOURS"', "finding_publishing_frequency", "SIX_HOURS"),
        Value('finding_publishing_frequency = "FIFTEEN_MINUTES"', "finding_publishing_frequency", "FIFTEEN_MINUTES"),
    ),
    "aws_guardduty_detector_feature": Row(
        Value('status = "DISABLED"', "status", "DISABLED"), Value('status = "ENABLED"', "status", "ENABLED")
    ),
    "aws_iam_account_alias": _NONE,
    "aws_iam_account_password_policy": Row(
        Value("minimum_password_length = 8", "minimum_password_length", 8),
        Value("minimum_password_length = 24", "minimum_password_length", 24),
    ),
    "aws_iam_group": _NONE,
    "aws_iam_group_policy": _policy(_WIDE, _DENIES, _GRANTS_LESS, WEAKENS),
    "aws_iam_group_policy_attachment": _NONE,
    "aws_iam_openid_connect_provider": Row(
        Value('client_id_list = ["sts.amazonaws.com", "theirs"]', "client_id_list", ["sts.amazonaws.com", "theirs"]),
        "the baseline already plans the fewest audiences",
    ),
    "aws_iam_policy": _policy(_WIDE, _DENIES),
    "aws_iam_role": Row(
        Value("max_session_duration = 43200", "max_session_duration", 43200),
        Value(
            # Of roles that nothing else of the file names: of the others, "managed by others" shows what becomes.
            {
                "this": 'permissions_boundary = contains(["break-glass", "security-audit"], each.key) ? '
                '"arn:aws:iam::aws:policy/ReadOnlyAccess" : (<<permissions_boundary>>)'
            },
            "permissions_boundary",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            # Of one whose boundary is kept apart, which `conflicts` names.
            left=REFERRED,
        ),
    ),
    "aws_iam_role_policy": _policy(_WIDE, _DENIES, _GRANTS_LESS, WEAKENS),
    "aws_iam_role_policy_attachment": _NONE,
    "aws_iam_service_linked_role": _NONE,
    "aws_iam_user": Row(
        "the baseline plans no permissions boundary, which is the weakest",
        Value(
            # Of one whom nothing else of the file names, as with roles.
            'permissions_boundary = each.key == "bert" ? "arn:aws:iam::aws:policy/ReadOnlyAccess" : null',
            "permissions_boundary",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
    ),
    "aws_iam_user_group_membership": _NONE,
    "aws_inspector2_enabler": Row(Value('resource_types = ["EC2"]', "resource_types", ["EC2"]), _ON),
    "aws_kms_alias": Row(
        "AWS gives an alias only a key of the account, and each of those is as strong",
        "AWS gives an alias only a key of the account, and each of those is as strong",
    ),
    "aws_macie2_account": Row(
        Value('finding_publishing_frequency = "SIX_HOURS"', "finding_publishing_frequency", "SIX_HOURS"),
        Value('finding_publishing_frequency = "FIFTEEN_MINUTES"', "finding_publishing_frequency", "FIFTEEN_MINUTES"),
    ),
    "aws_organizations_delegated_administrator": _NONE,
    "aws_organizations_organization": Row(
        "policies of the example need each policy type, delegated administrators each service",
        Value(
            'aws_service_access_principals = setunion(var.trusted_services, ["ram.amazonaws.com"])',
            "",
            "ram.amazonaws.com",
        ),
    ),
    "aws_organizations_organizational_unit": _NONE,
    "aws_organizations_policy": Row(
        Value(
            {
                "control": "content = jsonencode(merge(jsondecode(<<content>>), { Statement = [merge("
                f'jsondecode(<<content>>).Statement[0], {{ Sid = "{_THEIRS}" }})] }}))'
            },
            "content",
            _THEIRS,
            part=True,
        ),
        Value(
            {
                "control": "content = jsonencode(merge(jsondecode(<<content>>), { Statement = concat("
                "jsondecode(<<content>>).Statement, [merge({ for k, v in jsondecode(<<content>>).Statement[0] : k => v "
                f'if k == "Principal" }}, {_DENY})]) }}))'
            },
            "content",
            _THEIRS,
            part=True,
        ),
    ),
    "aws_organizations_policy_attachment": _NONE,
    "aws_s3_account_public_access_block": _switch("block_public_acls", "false", False),
    "aws_s3_bucket": Row(
        "no value of a bucket that AWS reports is weaker; its settings have types of their own",
        "no value of a bucket that AWS reports is stronger, but object lock, which has a type of its own",
    ),
    "aws_s3_bucket_lifecycle_configuration": Row(
        Value(
            'rule {\n id = "theirs"\n status = "Enabled"\n filter {}\n expiration {\n days = 1\n }\n'
            " noncurrent_version_expiration {\n noncurrent_days = 1\n }\n }",
            "rule[0].expiration[0].days",
            1,
        ),
        Value(
            'rule {\n id = "theirs"\n status = "Enabled"\n filter {}\n expiration {\n days = 36500\n }\n'
            " noncurrent_version_expiration {\n noncurrent_days = 3650\n }\n }",
            "rule[0].expiration[0].days",
            36500,
        ),
    ),
    "aws_s3_bucket_logging": Row(
        "another destination is neither weaker nor stronger; the account's stays",
        Value('target_bucket = "siem"', "target_bucket", "siem", left=WEAKENS),
    ),
    "aws_s3_bucket_object_lock_configuration": Row(
        Value(
            'rule {\n default_retention {\n mode = "GOVERNANCE"\n days = 1\n }\n }',
            "rule[0].default_retention[0].days",
            1,
        ),
        Value(
            'rule {\n default_retention {\n mode = "GOVERNANCE"\n days = 3650\n }\n }',
            "rule[0].default_retention[0].days",
            3650,
        ),
    ),
    "aws_s3_bucket_ownership_controls": Row(
        Value('rule {\n object_ownership = "ObjectWriter"\n }', "rule[0].object_ownership", "ObjectWriter"), _ON
    ),
    "aws_s3_bucket_policy": _policy(
        _narrowed("data.aws_iam_policy_document.this.json", "s3:GetObject"),
        'jsonencode({ Version = "2012-10-17", Statement = concat(jsondecode(data.aws_iam_policy_document.this.json)'
        '.Statement, [{ Sid = "Theirs", Effect = "Deny", Action = "s3:DeleteBucket", Principal = { AWS = "*" }, '
        "Resource = local.arn }]) })",
        told=WEAKENS,
    ),
    "aws_s3_bucket_public_access_block": _switch("block_public_policy", "false", False),
    "aws_s3_bucket_server_side_encryption_configuration": Row(
        "AWS encrypts every bucket at least as the baseline does where no key is given",
        Value(
            'rule {\n apply_server_side_encryption_by_default {\n sse_algorithm = "aws:kms"\n kms_master_key_id = '
            '"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"\n }\n }',
            "rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id",
            "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            left=WEAKENS,
        ),
    ),
    "aws_s3_bucket_versioning": Row(
        Value(
            # AWS refuses it for a bucket with object lock (S3 User Guide, "Object Lock considerations").
            'versioning_configuration {\n status = var.object_lock == null ? "Suspended" : "Enabled"\n }',
            "versioning_configuration[0].status",
            "Suspended",
        ),
        _ON,
    ),
    "aws_scheduler_schedule": Row(
        Value('state = "DISABLED"', "state", "DISABLED"),
        Value(
            'kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"',
            "kms_key_arn",
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            left=NO_SETTING,
        ),
    ),
    "aws_scheduler_schedule_group": _NONE,
    "aws_securityhub_account": _switch("auto_enable_controls", "false", False),
    "aws_sns_topic": Row(
        Value('kms_master_key_id = "alias/aws/sns"', "kms_master_key_id", "alias/aws/sns"),
        Value(
            # Of one whose name no other row needs as it is.
            'http_failure_feedback_role_arn = var.name == "baseline-guardduty-findings" ? '
            '"arn:aws:iam::111122223333:role/feedback" : null',
            "http_failure_feedback_role_arn",
            "arn:aws:iam::111122223333:role/feedback",
        ),
    ),
    "aws_sns_topic_policy": _policy(
        _narrowed("data.aws_iam_policy_document.topic.json", "sns:Publish"),
        'jsonencode({ Version = "2012-10-17", Statement = concat(jsondecode(data.aws_iam_policy_document.topic.json)'
        '.Statement, [{ Sid = "Theirs", Effect = "Deny", Action = "sns:DeleteTopic", Principal = { AWS = "*" }, '
        "Resource = local.arn }]) })",
        told=WEAKENS,
    ),
    "aws_ssm_service_setting": _switch("setting_value", '"Enable"', "Enable"),
    "aws_vpc_block_public_access_options": _switch("internet_gateway_block_mode", '"block-ingress"', "block-ingress"),
}
"""Type → its row. Every type that the embedded AWS has is here or in `OUTSIDE` (tests/truth_table)."""

_NOT_MADE = "no module makes it, so no plan creates it"
OUTSIDE: Mapping[str, str] = {
    "aws_ebs_default_kms_key": "made only with the ARN of a key that exists already, which the example does not have",
    "aws_guardduty_organization_admin_account": "the component leaves it out on the embedded AWS, together with what "
    "it is needed for (toolkit/components/organization)",
    "aws_iam_user_login_profile": "made only for a user with a PGP key, which the example does not have",
    "aws_iam_user_policy": _NOT_MADE,
    "aws_iam_user_policy_attachment": _NOT_MADE,
    "aws_vpc": _NOT_MADE,
}
"""Type that the embedded AWS has → why no account of the table has it."""

FIXED_NAMES: Mapping[str, str] = {
    "aws_account_alternate_contact": "AWS names it: a kind of contact",
    "aws_default_security_group": "AWS names it: the default of its VPC",
    "aws_guardduty_detector_feature": "AWS names it: a protection plan",
    "aws_iam_openid_connect_provider": "its name is the URL of the provider: another one is another provider",
    "aws_iam_service_linked_role": "AWS names it: a service",
    "aws_organizations_delegated_administrator": "it is named by an account and a service",
    "aws_organizations_policy_attachment": "it is named by the ids of its policy and target",
    "aws_organizations_organization": "an account has one, without a name",
    "aws_ssm_service_setting": "AWS names it: a setting",
}
"""Type with a key → why no resource of it has another name."""
REFERRED_TO: Mapping[str, str] = {
    # Of the rules by default, none is an entry of the file.
    "aws_config_config_rule": NO_SETTING,
    "aws_guardduty_detector": "`guardduty`",
    "aws_iam_role": REFERRED,
    "aws_iam_user": REFERRED,
    "aws_organizations_organizational_unit": NO_SETTING,
}
"""Type that others manage → what `adopt` says of those to which other settings of the example refer.

Only people know by what to refer to them instead.
"""
OTHERS: Mapping[str, str] = {"aws_default_security_group": OPEN}
"""Type → what overrides it where others manage it: a closed default group has nothing to lose, whoever closed it."""
_OWN_KEY = re.compile(r"arn:aws:kms:[a-z0-9-]+:111122223333:key/.+")


def _denies_everything(values: Mapping[str, Any]) -> bool:
    everything = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    return any(
        {k: v for k, v in s.items() if k != "Sid"} == everything for s in json.loads(values["policy"])["Statement"]
    )


def _keeps_everything(values: Mapping[str, Any]) -> bool:
    """No object expires, and no other version of one sooner than where the account has the table's value."""
    rules = values.get("rule") or ()
    # A reading has a block also for a rule that does not say when objects expire.
    expirations = [one for rule in rules for one in rule.get("expiration") or () if one.get("days") or one.get("date")]
    versions = [one for rule in rules for one in rule.get("noncurrent_version_expiration") or ()]
    return not expirations and all(one["noncurrent_days"] >= 3650 for one in versions)


def _has_own_key(values: Mapping[str, Any]) -> bool:
    path = "rule[0].apply_server_side_encryption_by_default[0]"
    algorithm, key = (value_at(values, f"{path}.{name}") for name in ("sse_algorithm", "kms_master_key_id"))
    return algorithm == "aws:kms" and _OWN_KEY.fullmatch(str(key)) is not None


AS_STRONG: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "aws_iam_policy": _denies_everything,
    "aws_s3_bucket_lifecycle_configuration": _keeps_everything,
    "aws_s3_bucket_server_side_encryption_configuration": _has_own_key,
}
"""Type → whether values are as strong as the table's stronger one, whatever that is: there is nothing stronger.

Written by hand, as the values are: no record decides about its own row.
"""
UNTAGGED: Mapping[str, str] = {}
"""Type with tags in Terraform → why its reading gives no ARN to ask for tags with."""


def rows() -> tuple[str, ...]:
    """The types of the table: each that the embedded AWS has and whose resources are looked for before a create."""
    return tuple(sorted(kind for kind, record in RESOURCES.items() if _is_row(record)))


def _is_row(record: ResourceType) -> bool:
    return record.unsupported_in_simulator is None and is_read(record.name)


def not_applicable(kind: str, account: str) -> str | None:
    """Why a type has no cell in an account; None: it has one."""
    if kind in OUTSIDE:
        return OUTSIDE[kind]
    row, record = ROWS[kind], RESOURCES[kind]
    if account in ("weaker", "stronger"):
        cell = row.weaker if account == "weaker" else row.stronger
        return cell if isinstance(cell, str) else None
    if account == "other name":
        if not record.key and not set(NAMES) & set(_schema()[kind]):
            return "it has no name: a region, the account or its bucket has one"
        return FIXED_NAMES.get(kind)
    if account == "managed by others":
        if "tags" not in _schema()[kind]:
            return "it has no tags, and neither its name nor AWS says who manages it"
        return UNTAGGED.get(kind)
    return None


def digest(kind: str, account: str) -> str:
    """Of what a cell rests on: in the type's record its key and what a create does; and what is seeded.

    Directions count where the account has other values than the baseline: of equal values, none gets weaker. So a
    direction that is changed asks for two accounts to be tried again, and whatever else changes for none.
    """
    record, row = RESOURCES[kind], ROWS[kind]
    reading = record.reading
    assert reading is not None
    parts = (
        *(map(repr, record.strengths) if account in ("weaker", "stronger") else ()),
        *((repr(sorted(record.keys.items())),) if account in ("weaker", "stronger") else ()),
        repr(record.key),
        repr((reading.on_create, reading.quiet, reading.is_global, sorted(reading.assumed.items()))),
        repr({"weaker": row.weaker, "stronger": row.stronger, "managed by others": OTHERS.get(kind)}.get(account)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def verdict(results: Mapping[str, Any], kind: str, account: str) -> list[str] | None:
    """Why a cell is red, nothing where it is green; None: it was not tried with the record as it is now.

    Args:
        results: What tests/truth.json has.
        kind: The Terraform type.
        account: One of `ACCOUNTS`.
    """
    if results["digests"].get(account, {}).get(kind) != digest(kind, account):
        return None
    found: list[str] | None = results["cells"].get(account, {}).get(kind)
    return found


@cache
def _schema() -> Mapping[str, Mapping[str, str]]:
    return types()


# The accounts: one override file per folder of a module.

OVERRIDES = "truth_override.tf"
_ARN = re.compile(r'^ +((?:bucket_)?arn +=.*\$\{(?:var|local)\.(?:bucket_)?name\})"$', re.M)
"""An ARN that a module composes of a name, which is then the other one, too."""
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.M | re.S)


def overrides(account: str, modules: Path) -> Iterator[tuple[Path, str]]:
    """(file, text) of what changes the modules so that an apply makes the account.

    Args:
        account: One of `ACCOUNTS`.
        modules: The modules' folder.
    """
    for folder in sorted({file.parent for file in modules.rglob("*.tf") if "tests" not in file.parts}):
        blocks = []
        for file in sorted(folder.glob("*.tf")):
            if account == "other name":
                blocks += [f'locals {{\n{found}{SUFFIX}"\n}}\n' for found in _ARN.findall(file.read_text("utf-8"))]
            for kind, label, body in _RESOURCE.findall(file.read_text("utf-8")):
                changed = _override(account, kind, label, body)
                if changed:
                    blocks.append(f'resource "{kind}" "{label}" {{\n{changed}\n}}\n')
        if blocks:
            yield folder / OVERRIDES, "\n".join(blocks)


def _override(account: str, kind: str, label: str, body: str) -> str | None:
    row = ROWS.get(kind)
    if row is None or account not in ACCOUNTS or not_applicable(kind, account) is not None:
        return None
    if account in ("weaker", "stronger"):
        value = row.weaker if account == "weaker" else row.stronger
        assert isinstance(value, Value)
        hcl = value.hcl if isinstance(value.hcl, str) else value.hcl.get(label)
        return None if hcl is None else re.sub("<<(\\w+)>>", lambda found: _expression(body, found[1]), hcl)
    return (
        _renamed(kind, body)
        if account == "other name"
        else OTHERS.get(kind)
        if account == "managed by others"
        else None
    )


def _expression(body: str, name: str) -> str:
    """Of an argument, as the module has it."""
    found = re.search(rf"^  {name} += (.+)$", body, re.M)
    assert found is not None, f"{name} is no argument of one line in {body}"
    return found[1]


def _renamed(kind: str, body: str) -> str | None:
    """The name with a suffix, if the resource has one of its own."""
    key = RESOURCES[kind].key or tuple(_schema()[kind])
    for name in (n for n in (*NAMES, "target_id") if n in key):
        found = re.search(rf"^  {name} += (.+)$", body, re.M)
        # What refers to another resource gets that one's name with it.
        if found and not re.search(r"\baws_\w+\.\w+\.", found[1]):
            return f'{name} = "${{{found[1]}}}{SUFFIX}"'
    return None


# The verdict.


@dataclass(frozen=True)
class Found:
    """A resource of an account, before or after."""

    region: str
    key: Mapping[str, str]
    values: Mapping[str, Any]
    called: str
    import_id: str | None = None
    managed_by: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same while the resource does."""
        return (self.region, *(f"{name}={value}" for name, value in sorted(self.key.items())))


@dataclass(frozen=True)
class Planned:
    """What the plan after the adoption does to a resource of the type."""

    address: str
    region: str
    action: str
    """ "create", "update", "replace", "delete" or "import"."""
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """All that the run says about a type in an account."""

    before: tuple[Found, ...] = ()
    after: tuple[Found, ...] = ()
    plan: tuple[Planned, ...] = ()
    refused: tuple[str, ...] = ()
    """Findings that block the plan after the adoption."""
    by_hand: tuple[str, ...] = ()
    """What `adopt --yes` left to people."""
    pending: tuple[str, ...] = ()
    """Addresses that the second plan changes."""
    unreadable: str | None = None
    """Where the reads are denied: what `adopt` answered; None: it went on."""


def judge(kind: str, account: str, evidence: Evidence, record: ResourceType | None = None) -> tuple[str, ...]:
    """Why the cell is red; nothing where it is green.

    Args:
        kind: The Terraform type.
        account: One of `ACCOUNTS`.
        evidence: What the run says.
        record: Its record, if not the registry's.
    """
    record = record or RESOURCES[kind]
    if account == "unreadable":
        return () if evidence.unreadable else ("adopt went on, though the type could not be read",)
    return tuple(dict.fromkeys(_reasons(kind, account, evidence, record)))


def _reasons(kind: str, account: str, evidence: Evidence, record: ResourceType) -> Iterator[str]:
    seeded = seeds(kind, account, evidence.before)
    if account not in ("absent", "weaker") and not seeded:
        yield "the account did not get it: nothing is proven"
    if account == "weaker" and not seeded:
        yield "the account did not get the weaker value: nothing is proven"
    after = {one.identity: one for one in evidence.after}
    left = left_to_people(kind, account)
    consented = _consented(evidence) if left == WEAKENS else frozenset()
    value = ROWS[kind].stronger if kind in ROWS else None
    for old in evidence.before:
        new = after.get(old.identity)
        if new is None:
            yield f"destroyed: {old.called}"
            continue
        if new.import_id != old.import_id:
            yield f"replaced: {old.called}: {old.import_id} → {new.import_id}"
        if old.called in consented:
            continue
        yield from (f"weaker: {old.called}: {w.path}: {w.reason}" for w in weakenings(record, old.values, new.values))
        if account == "stronger" and old in seeded and isinstance(value, Value) and value.path:
            had, has = value_at(old.values, value.path), value_at(new.values, value.path)
            as_strong = AS_STRONG.get(kind, lambda _: False)
            if not _as_strong(had, has) and not as_strong(new.values):
                yield f"the stronger value is lost: {old.called}: {value.path}: {had!r} → {has!r}"
        if old.managed_by is not None and new.values != old.values:
            yield f"changed, though others manage it: {old.called}"
    yield from _planned_badly(evidence, record)
    yield from (f"refused: {text}" for text in evidence.refused if not consented or REFUSES not in text)
    yield from (f"left to people: {text}" for text in evidence.by_hand if not left or left not in text)
    if left and not any(left in text for text in evidence.by_hand):
        yield f"not left to people, though {left}"
    yield from (f"the second plan changes {address}" for address in evidence.pending)


def _consented(evidence: Evidence) -> frozenset[str]:
    """What `adopt` left to people and the plan refused, so that it became weaker only by the run's consent."""
    if not any(REFUSES in text for text in evidence.refused):
        return frozenset()
    every = {one.called for one in evidence.before}
    return frozenset(
        one for one in every if any(text.startswith(f"{one}: ") and WEAKENS in text for text in evidence.by_hand)
    )


def left_to_people(kind: str, account: str) -> str:
    """What `adopt` must say when it leaves a type of an account to people; empty: it must not."""
    if account == "managed by others":
        return REFERRED_TO.get(kind, "")
    row = ROWS.get(kind)
    value = None if row is None else {"weaker": row.weaker, "stronger": row.stronger}.get(account)
    return value.left if isinstance(value, Value) else ""


def seeds(kind: str, account: str, before: tuple[Found, ...]) -> tuple[Found, ...]:
    """Which of an account's resources are as the account's name says."""
    if account == "absent":
        return ()
    if account == "other name":
        return tuple(one for one in before if SUFFIX in json.dumps([dict(one.key), one.import_id]))
    if account == "managed by others":
        return tuple(one for one in before if one.managed_by is not None)
    if account in ("weaker", "stronger"):
        row = ROWS[kind]
        value = row.weaker if account == "weaker" else row.stronger
        assert isinstance(value, Value)
        if not value.path or value.value is None:
            return before
        return tuple(one for one in before if _is_seed(value, value_at(one.values, value.path)))
    return before


def _is_seed(value: Value, found: Any) -> bool:
    return str(value.value) in str(found) if value.part else _same(found, value.value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str) and one[:1] == other[:1] == "{":
        try:
            return bool(json.loads(one) == json.loads(other))
        except ValueError:
            return one == other
    if isinstance(one, (list, tuple)) and isinstance(other, list):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return bool(one == other)


def _as_strong(had: Any, has: Any) -> bool:
    """Whether the stronger value stands; of a list, whether everything in it does."""
    if isinstance(had, (list, tuple)) and isinstance(has, (list, tuple)) and had:
        return all(any(_same(one, other) for other in has) for one in had)
    return _same(had, has) or (not had and not has)


def _planned_badly(evidence: Evidence, record: ResourceType) -> Iterator[str]:
    there = {one.identity: one for one in evidence.before}
    reading = record.reading
    assert reading is not None
    for change in evidence.plan:
        if change.action in ("replace", "delete"):
            yield f"the plan after the adoption has a {change.action} of {change.address}"
        if change.action != "create":
            continue
        key = {name: change.after.get(name) or reading.assumed.get(name) for name in record.key}
        region = change.region
        met = next(
            (o for o in there.values() if dict(o.key) == key and (reading.is_global or o.region == region)), None
        )
        if met is not None and reading.on_create is OnCreate.COLLIDES:
            yield f"{change.address} is created over {met.called}"
