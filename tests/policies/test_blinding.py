"""Nobody but administrators stops what records and watches, or opens what the account keeps closed.

The services' operations are botocore's, so an operation that a new release brings fails here until somebody has decided
about it: denied by modules/iam_groups/blinding.tf, or left to everybody for a reason written down below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from toolkit.components.privileges import overlap
from toolkit.iam import Decision, Policies, PolicyDocument, Request, evaluate

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
}
"""Name of a service in botocore to its prefix in policies: every writing operation is decided upon."""

READING = re.compile(r"BatchGet|Check|Describe|Get|List|Lookup|Preview|Search|Select|Validate")

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
    """,
    "asks, looks at or evaluates what is there": """
        cloudtrail: CancelQuery CreateDashboard GenerateQuery StartDashboardRefresh StartQuery
        config: DeliverConfigSnapshot DeleteStoredQuery PutStoredQuery StartConfigRulesEvaluation
            StartResourceEvaluation
        guardduty: CreateInvestigation SendObjectMalwareScan StartMalwareScan
        securityhub: CancelExportJobV2 CreateInsight GenerateRecommendedPolicyV2 StartExportJobV2
        access-analyzer: CancelPolicyGeneration CreateAccessPreview GenerateFindingRecommendation StartPolicyGeneration
            StartResourceScan
    """,
    "is the work of developers' own tools: CloudFormation's records, custom rules, findings they report": """
        config: DeleteResourceConfig PutEvaluations PutResourceConfig StartRemediationExecution
        guardduty: CreateSampleFindings
        securityhub: BatchImportFindings CreateActionTarget CreateConnector CreateConnectorV2 CreateTicketV2
            RegisterConnectorV2
    """,
    "gives a view to another account, or refuses one, without that account getting a say here": """
        cloudtrail: DisableFederation EnableFederation
        config: DeletePendingAggregationRequest PutAggregationAuthorization
        guardduty: CreateMembers DeclineInvitations InviteMembers
        securityhub: CreateMembers DeclineInvitations InviteMembers
    """,
    "works in an organization's management or delegated account only, and binds nothing by itself": """
        cloudtrail: DeregisterOrganizationDelegatedAdmin RegisterOrganizationDelegatedAdmin
        guardduty: EnableOrganizationAdminAccount
        securityhub: CreateConfigurationPolicy EnableOrganizationAdminAccount
    """,
    "is about tags, on which nothing here depends": """
        cloudtrail: AddTags RemoveTags
        config: TagResource UntagResource
        guardduty: TagResource UntagResource
        securityhub: TagResource UntagResource
        access-analyzer: TagResource UntagResource
    """,
    "confirms the number that stands already": """
        account: SendPhoneNumberVerification VerifyPhoneNumber
    """,
}

DEFAULTS = {
    # Operations of services that do much else: what an account or region has once, and everything in it follows.
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
}


def left() -> frozenset[str]:
    found: list[str] = []
    for listing in LEFT.values():
        for prefix, names in re.findall(r"([a-z-]+):((?:\s+[A-Z]\w+)+)", listing):
            found += [f"{prefix}:{name}" for name in names.split()]
    assert len(found) == len(set(found)), "an operation is left twice"
    return frozenset(found)


def operations() -> Iterator[tuple[str, bool]]:
    """(action, whether it only reads) of every operation of the watching services."""
    from botocore.session import get_session

    session = get_session()
    for service, prefix in WATCHING.items():
        for name in session.get_service_model(service).operation_names:
            yield f"{prefix}:{name}", READING.match(name) is not None


def blinding() -> frozenset[str]:
    """What has to be denied: every writing operation that is not left, and the defaults.

    The two of `account` on the owner's e-mail are among them, though denied as identity administration.
    """
    return frozenset(action for action, reads in operations() if not reads) - left() | DEFAULTS


def decide(action: str, *policies: PolicyDocument) -> Decision:
    return evaluate(Request(ME, action, "*", MFA, resource_account=ACCOUNT), Policies(policies)).decision


def test_what_is_left_exists_and_the_services_were_read() -> None:
    known = {action for action, reads in operations() if not reads}
    assert left() <= known
    assert {action.split(":")[0] for action in known} == set(WATCHING.values())


def test_the_defaults_exist() -> None:
    from botocore.session import get_session

    names = get_session().get_service_model("ec2").operation_names
    assert {action.removeprefix("ec2:") for action in DEFAULTS if action.startswith("ec2:")} <= set(names)


@pytest.mark.terraform
def test_every_operation_that_blinds_is_denied_and_no_other(rendered: Any) -> None:
    """Against AdministratorAccess: whatever is attached to a guarded group later opens nothing."""
    everything = (*rendered.groups["administrators"], rendered.guardrail)
    must = blinding()
    assert {action for action in must if decide(action, *everything) is not Decision.EXPLICIT_DENY} == set()
    others = {action for action, _ in operations()} - must
    assert {action for action in others if decide(action, *everything) is Decision.EXPLICIT_DENY} == set()


@pytest.mark.terraform
def test_developers_are_denied_it_and_keep_the_rest(rendered: Any) -> None:
    policies = (*rendered.groups["developers"], rendered.mfa["default"])
    assert {action for action in blinding() if decide(action, *policies) is not Decision.EXPLICIT_DENY} == set()
    rest = {action for action, _ in operations()} - blinding()
    refused = {action for action in rest if decide(action, *policies) is not Decision.ALLOW}
    # PowerUserAccess allows five readings of account settings only.
    assert {action for action in refused if not action.startswith("account:")} == set()


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
