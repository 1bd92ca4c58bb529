"""The catalogue of sensitive actions, and AWS's reference of all actions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_sentry.querying.actions import get_action_data

from tests.unit.access.worlds import TRAIL, world
from toolkit.access.asking import asked
from toolkit.access.catalogue import catalogue, questions
from toolkit.access.reference import action, actions_of, known_action, known_key, known_service
from toolkit.aws_lists import aws_list
from toolkit.errors import UsageError
from toolkit.globs import glob

GROUPS = {
    *("identities", "credentials", "logging", "detection", "keys", "log buckets", "network edges", "organization"),
    "billing",
}
PRIVILEGES = json.loads((Path(__file__).parents[3] / "modules/shared/privileges.json").read_text("utf-8"))
DENIED_KINDS = (
    *(kind["actions"] for name in ("blinding", "tampering") for kind in PRIVILEGES[name].values()),
    *(PRIVILEGES[name]["actions"] for name in ("key_tampering", "log_settings")),
)
"""What the guardrails of modules/iam_groups deny because it stops, narrows or tampers with logs and alerts."""
NOT_SENSITIVE = {
    "has the effect of an action of the catalogue, or a part of it by one filter, list, rule or setting": """
        access-analyzer: ApplyArchiveRule DeleteArchiveRule UpdateAnalyzer UpdateArchiveRule UpdateFindings
        cloudtrail: DeleteDashboard PutEventConfiguration PutInsightSelectors UpdateDashboard
        cloudwatch: DisableAlarmActions PutAlarmMuteRule PutCompositeAlarm PutMetricAlarm SetAlarmState
        config: DeleteConfigRule DeleteConformancePack DeleteEvaluationResults DeleteRemediationConfiguration
            DeleteRemediationExceptions DeleteRetentionConfiguration DisassociateResourceTypes PutConfigRule
            PutConformancePack PutDeliveryChannel PutExternalEvaluation PutRemediationConfigurations
            PutRemediationExceptions PutRetentionConfiguration
        events: DeleteRule PutRule PutTargets RemoveTargets
        guardduty: ArchiveFindings CreateIPSet CreateTrustedEntitySet DeleteFilter DeleteIPSet
            DeleteMalwareProtectionPlan DeletePublishingDestination DeleteThreatEntitySet DeleteThreatIntelSet
            DeleteTrustedEntitySet UpdateFilter UpdateFindingsFeedback UpdateIPSet UpdateMalwareProtectionPlan
            UpdateMalwareScanSettings UpdatePublishingDestination UpdateThreatEntitySet UpdateThreatIntelSet
            UpdateTrustedEntitySet
        inspector2: BatchDisassociateCodeSecurityScanConfiguration CreateFilter DeleteCisScanConfiguration
            DeleteCodeSecurityIntegration DeleteCodeSecurityScanConfiguration DeleteFilter ResetEncryptionKey
            UpdateCisScanConfiguration UpdateCodeSecurityIntegration UpdateCodeSecurityScanConfiguration
            UpdateConfiguration UpdateEc2DeepInspectionConfiguration UpdateEncryptionKey UpdateFilter
        logs: DeleteAccountPolicy DeleteDataProtectionPolicy DeleteLogAnomalyDetector DeleteLogStream
            DeleteRetentionPolicy DeleteSubscriptionFilter DeleteTransformer PutDataProtectionPolicy
            PutLogGroupDeletionProtection PutMetricFilter PutSubscriptionFilter PutTransformer
        macie2: CreateAllowList CreateFindingsFilter DeleteAllowList DeleteCustomDataIdentifier DeleteFindingsFilter
            PutClassificationExportConfiguration PutFindingsPublicationConfiguration UpdateAllowList
            UpdateAutomatedDiscoveryConfiguration UpdateClassificationJob UpdateClassificationScope
            UpdateFindingsFilter UpdateMacieSession UpdateResourceProfile UpdateResourceProfileDetections
            UpdateRevealConfiguration UpdateSensitivityInspectionTemplate
        securityhub: BatchDeleteAutomationRules BatchDisableStandards BatchUpdateAutomationRules
            BatchUpdateStandardsControlAssociations CreateAutomationRule CreateAutomationRuleV2 DeleteActionTarget
            DeleteAggregatorV2 DeleteAutomationRuleV2 DeleteConnectorV2 DeleteFindingAggregator DeleteInsight
            DisableImportFindingsForProduct DisableSecurityHubV2 UpdateActionTarget UpdateAggregatorV2
            UpdateAutomationRuleV2 UpdateConnectorV2 UpdateFindingAggregator UpdateFindings UpdateInsight
            UpdateSecurityControl UpdateSecurityHubConfiguration UpdateStandardsControl
        sns: AddPermission DeleteTopic PutDataProtectionPolicy RemovePermission SetSubscriptionAttributes
            SetTopicAttributes
    """,
    "has an effect where an organization's administrator of the service is, who does it there": """
        config: DeleteAggregationAuthorization DeleteConfigurationAggregator DeleteOrganizationConfigRule
            DeleteOrganizationConformancePack PutConfigurationAggregator PutOrganizationConfigRule
            PutOrganizationConformancePack
        detective: DeleteMembers DisableOrganizationAdminAccount DisassociateMembership
            UpdateOrganizationConfiguration
        fms: BatchDisassociateResource DeleteAppsList DeleteNotificationChannel DeletePolicy DeleteProtocolsList
            DeleteResourceSet DisassociateAdminAccount DisassociateThirdPartyFirewall PutAdminAccount PutAppsList
            PutNotificationChannel PutPolicy PutProtocolsList PutResourceSet
        guardduty: AcceptAdministratorInvitation AcceptInvitation DeleteInvitations DeleteMembers
            DisableOrganizationAdminAccount DisassociateFromAdministratorAccount DisassociateFromMasterAccount
            DisassociateMembers StopMonitoringMembers UpdateMemberDetectors UpdateOrganizationConfiguration
        inspector2: BatchUpdateMemberEc2DeepInspectionStatus DisableDelegatedAdminAccount DisassociateMember
            UpdateOrgEc2DeepInspectionConfiguration UpdateOrganizationConfiguration
        macie2: AcceptInvitation BatchUpdateAutomatedDiscoveryAccounts DeleteInvitations DeleteMember
            DisableOrganizationAdminAccount DisassociateFromAdministratorAccount DisassociateFromMasterAccount
            DisassociateMember UpdateMemberSession UpdateOrganizationConfiguration
        securityhub: AcceptAdministratorInvitation AcceptInvitation DeleteConfigurationPolicy DeleteInvitations
            DeleteMembers DisableOrganizationAdminAccount DisassociateFromAdministratorAccount
            DisassociateFromMasterAccount DisassociateMembers StartConfigurationPolicyAssociation
            StartConfigurationPolicyDisassociation UpdateConfigurationPolicy UpdateOrganizationConfiguration
        cloudformation: ActivateOrganizationsAccess CreateStackInstances CreateStackSet DeactivateOrganizationsAccess
            DeleteStackInstances DeleteStackSet ImportStacksToStackSet StopStackSetOperation UpdateStackInstances
            UpdateStackSet
    """,
    "weakens a default or a protection, and hides nothing of what is done": """
        account: DeleteAlternateContact DisableRegion EnableRegion PutAccountName PutContactInformation
        ec2: CreateVpcBlockPublicAccessExclusion DisableAllowedImagesSettings DisableEbsEncryptionByDefault
            DisableImageBlockPublicAccess DisableSnapshotBlockPublicAccess EnableAllowedImagesSettings
            EnableSerialConsoleAccess EnableSnapshotBlockPublicAccess ModifyEbsDefaultKmsKeyId
            ModifyInstanceMetadataDefaults ModifyVpcBlockPublicAccessExclusion ModifyVpcBlockPublicAccessOptions
            ReplaceImageCriteriaInAllowedImagesSettings ResetEbsDefaultKmsKeyId
        ecr: DeleteRegistryPolicy DeleteSigningConfiguration PutAccountSetting PutRegistryPolicy
            PutRegistryScanningConfiguration PutReplicationConfiguration PutSigningConfiguration
        shield: AssociateDRTRole DeleteProtection DeleteProtectionGroup DeleteSubscription
            DisableApplicationLayerAutomaticResponse DisableProactiveEngagement DisassociateDRTLogBucket
            DisassociateDRTRole DisassociateHealthCheck UpdateApplicationLayerAutomaticResponse
            UpdateEmergencyContactSettings UpdateProtectionGroup UpdateSubscription
        ssm: ResetServiceSetting UpdateServiceSetting
    """,
    "is about a second record, of which the baseline makes none, or one that only reads the first": """
        cloudtrail: DeleteChannel DeleteEventDataStore DeleteResourcePolicy DeleteServiceLinkedChannel
            PutResourcePolicy StopEventDataStoreIngestion StopImport UpdateChannel UpdateEventDataStore
            UpdateServiceLinkedChannel
        config: DeleteServiceLinkedConfigurationRecorder
        detective: DeleteGraph UpdateDatasourcePackages UpdateInvestigationState
        scheduler: DeleteSchedule DeleteScheduleGroup UpdateSchedule
    """,
    "is denied with others by one pattern, and changes no log, alarm or key that is there": """
        cloudwatch: PutAnomalyDetector PutDashboard PutInsightRule PutManagedInsightRules PutMetricData
            PutMetricStream
        kms: DisableKeyRotation UpdateKeyDescription
        logs: AssociateSourceToS3TableIntegration DeleteDelivery DeleteDeliveryDestination
            DeleteDeliveryDestinationPolicy DeleteDeliverySource DeleteDestination DeleteIndexPolicy DeleteIntegration
            DeleteLogDelivery DeleteLookupTable DeletePipelineRule DeleteQueryDefinition DeleteResourcePolicy
            DeleteScheduledQuery DisassociateSourceFromS3TableIntegration ProcessWithPipeline
            PutBearerTokenAuthentication PutDeliveryDestination PutDeliveryDestinationPolicy PutDeliverySource
            PutDestination PutDestinationPolicy PutIndexPolicy PutIntegration PutLogEvents PutPipelineRule
            PutQueryDefinition PutResourcePolicy
        s3: DeleteAccessGrant DeleteAccessGrantsInstance DeleteAccessGrantsInstanceResourcePolicy
            DeleteAccessGrantsLocation DeleteAccessPoint DeleteAccessPointForObjectLambda DeleteAccessPointPolicy
            DeleteAccessPointPolicyForObjectLambda DeleteBucketMetadataTableConfiguration DeleteBucketWebsite
            DeleteJobTagging DeleteMultiRegionAccessPoint DeleteObjectTagging DeleteObjectVersionTagging
            DeleteStorageLensConfiguration DeleteStorageLensConfigurationTagging DeleteStorageLensGroup
            PutAccelerateConfiguration PutAccessGrantsInstanceResourcePolicy PutAccessPointConfigurationForObjectLambda
            PutAccessPointPolicy PutAccessPointPolicyForObjectLambda PutAccessPointPublicAccessBlock
            PutAnalyticsConfiguration PutBucketAbac PutBucketLogging PutBucketNotification PutBucketRequestPayment
            PutBucketTagging PutBucketWebsite PutIntelligentTieringConfiguration PutInventoryConfiguration
            PutJobTagging PutMetricsConfiguration PutMultiRegionAccessPointPolicy PutObjectLegalHold PutObjectTagging
            PutObjectVersionTagging PutStorageLensConfiguration PutStorageLensConfigurationTagging ReplicateTags
    """,
    "is about logs that are still to come, or leaves an earlier version: log buckets keep versions": """
        logs: AssociateKmsKey DisassociateKmsKey
        s3: DeleteObject PauseReplication PutBucketObjectLockConfiguration PutEncryptionConfiguration PutObject
            PutReplicationConfiguration ReplicateDelete ReplicateObject
    """,
    "does alone what the account's block of public access and a bucket without ACLs do not let happen": """
        s3: PutBucketAcl PutBucketCORS PutBucketOwnershipControls PutBucketPublicAccessBlock PutObjectAcl
            PutObjectVersionAcl
    """,
    "needs an action of the catalogue as well (BypassGovernanceRetention, Decrypt), or keys with imported material": """
        kms: DeleteImportedKeyMaterial
        s3: PutObjectRetention UpdateObjectEncryption
    """,
    "moves a name, and leaves the key as it is": """
        kms: DeleteAlias UpdateAlias
    """,
}
"""Reason -> actions that the guardrails deny and that the catalogue leaves out."""


def left_out() -> Iterator[str]:
    for names in NOT_SENSITIVE.values():
        service = ""
        for word in names.split():
            if word.endswith(":"):
                service = word
            else:
                yield f"{service}{word}"


@pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.action)
def test_each_action_exists(one) -> None:
    service, _, name = one.action.partition(":")
    found = get_action_data(service, name)
    assert found, f"policy_sentry has no {one.action}"
    assert found[service][0]["action"] == one.action
    known = action(one.action)
    assert known is not None
    assert one.on is None or known.arns, "no request of it names a resource"


def test_the_catalogue_is_about_every_group() -> None:
    assert {one.group for one in catalogue()} == GROUPS
    assert 60 <= len(catalogue()) <= 80
    assert len({one.action for one in catalogue()}) == len(catalogue())
    assert all(one.reason[0].islower() and not one.reason.endswith(".") for one in catalogue())


def test_what_the_guardrails_deny_is_in_the_catalogue_or_left_out_for_a_reason() -> None:
    """One that a new release brings fails here until somebody has decided about it."""
    denied = {
        one.name
        for patterns in DENIED_KINDS
        for written in patterns
        for one in actions_of(written.partition(":")[0])
        if glob(written.lower()).matches(one.name.lower())
    }
    sensitive = {one.action for one in catalogue()}
    left = list(left_out())
    assert sorted(left) == sorted({*left}), "listed twice"
    assert sorted(denied - sensitive - {*left}) == [], "add it to the catalogue, or here with a reason"
    assert sorted({*left} - denied) == [], "the guardrails do not deny it"
    assert sorted({*left} & sensitive) == [], "the catalogue has it"


def test_an_action_is_judged_on_what_the_environment_has() -> None:
    asked = {question.action: question.resource for _, question in questions(world(places={"trail": (TRAIL,)}))}
    assert asked["cloudtrail:StopLogging"] == TRAIL
    assert asked["s3:DeleteBucket"] is None
    assert asked["iam:CreateUser"] is None


def test_what_the_reference_knows_of_an_action() -> None:
    found = known_action("CloudTrail:stoplogging")
    assert found.name == "cloudtrail:StopLogging"
    assert found.arns == ("arn:${Partition}:cloudtrail:*:*:trail/*",)
    assert known_action("ec2:DisableEbsEncryptionByDefault").arns == ()
    assert "iam:PermissionsBoundary" in known_action("iam:CreateUser").keys
    assert known_service("S3") == "s3"
    assert known_action("s3:GetObject") in actions_of("s3")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("cloudtrail:StopLoging", "cloudtrail has no such action", "did you mean cloudtrail:StopLogging?"),
        ("cloudtral:StopLogging", "no service has the prefix 'cloudtral'", "did you mean cloudtrail:StopLogging?"),
        ("StopLogging", "is not an action", "expected SERVICE:NAME"),
        ("s3:*", "is not one action", "without wildcards"),
        ("nosuchthing:Do", "no service has the prefix", "expected a prefix"),
    ],
)
def test_an_unknown_action_is_refused_with_the_nearest(text: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        known_action(text)
    assert problem in error.value.problem
    assert hint in (error.value.hint or "")


def test_an_unknown_service_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no service has the prefix 'cloudtrial'") as error:
        known_service("cloudtrial")
    assert error.value.hint == "did you mean cloudtrail?"


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("aws:multifactorauthpresent", "aws:MultiFactorAuthPresent"),
        ("AWS:PrincipalTag/Team", "aws:PrincipalTag/Team"),
        ("iam:permissionsboundary", "iam:PermissionsBoundary"),
    ],
)
def test_a_key_is_spelled_as_aws_does(key: str, spelled: str) -> None:
    assert known_key(key, known_action("iam:CreateUser")) == spelled


def test_a_key_that_the_request_cannot_have_is_refused() -> None:
    with pytest.raises(UsageError, match="a request of iam:CreateUser cannot have the condition key 's3:prefix'"):
        known_key("s3:prefix", known_action("iam:CreateUser"))
    with pytest.raises(UsageError) as error:
        known_key("aws:MultiFactorAuthPresnt", known_action("iam:CreateUser"))
    assert error.value.hint == "did you mean aws:MultiFactorAuthPresent?"


FORMS = [
    # Type, an action and a key that a request of it can have; values that it can have, and that it cannot.
    ("Bool", "iam:CreateUser", "aws:MultiFactorAuthPresent", ("true", "False", True), ("maybe", "1", 1, "", "yes")),
    ("Numeric", "iam:CreateUser", "aws:MultiFactorAuthAge", ("3600", 3600, "0.5"), ("an hour", True, "3,600", "nan")),
    (
        "Date",
        "iam:CreateUser",
        "aws:CurrentTime",
        ("2026-01-31", "2026-01-31T09:00:00Z", 1769850000),
        ("today", "31.1.26"),
    ),
    ("Date or Numeric", "iam:CreateUser", "aws:EpochTime", (1769850000, "2026-01-31"), ("now", True)),
    ("IPAddress", "iam:CreateUser", "aws:SourceIp", ("203.0.113.7", "2001:db8::1"), ("203.0.113.0/24", "office", "1")),
    ("ARN", "iam:AttachRolePolicy", "iam:PolicyARN", ("arn:aws:iam::aws:policy/ReadOnlyAccess",), ("ReadOnlyAccess",)),
    (
        "ARN",
        "s3:GetObject",
        "aws:PrincipalArn",
        ("arn:aws:iam::111122223333:root",),
        ("111122223333", "arn:aws:iam::1:"),
    ),
    # Any text, also where a word of the key sounds like something else.
    (None, "s3:GetObject", "aws:PrincipalTag/mfa", ("maybe", "1"), ()),
    (None, "s3:GetObject", "aws:userid", ("AIDAEXAMPLE", "true"), ()),
    (None, "s3:GetObject", "aws:RequestedRegion", ("eu-central-1",), ()),
]


@pytest.mark.parametrize(("kind", "name", "key", "good", "bad"), FORMS, ids=lambda value: str(value)[:30])
def test_a_value_has_the_form_of_its_keys_type(kind, name, key, good, bad) -> None:
    for value in good:
        assert asked(name, None, [(key, value)]).context == {key: value}
    for value in bad:
        with pytest.raises(UsageError, match=re.escape(f"cannot have {key} with the value {str(value)!r}")) as error:
            asked(name, None, [(key, value)])
        assert (error.value.hint or "").startswith("expected "), kind
        # The example is a value itself.
        example = (error.value.hint or "").rpartition("such as ")[2]
        assert asked(name, None, [(key, example)]).context == {key: example}


def test_every_value_of_several_is_checked() -> None:
    several = [("kms:ResourceAliases", ["alias/a", "b"]), ("aws:CalledVia", ["athena.amazonaws.com"])]
    assert asked("kms:Decrypt", None, several).context
    with pytest.raises(UsageError, match="with the value 'admin'"):
        asked("ec2:RunInstances", None, [("ec2:Vpc", ["arn:aws:ec2:eu-central-1:111122223333:vpc/vpc-1", "admin"])])


def test_every_type_of_the_lists_has_a_form() -> None:
    kinds = {*aws_list("condition_key_types").items.values(), *aws_list("global_condition_keys").items.values()}
    assert kinds == {kind for kind, *_ in FORMS if kind} | {"String"}
