"""Config, Security Hub, GuardDuty, Access Analyzer, EventBridge, organizations, contacts, users, Trusted Advisor:
each check in every direction."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from toolkit.audit.checks.config import Deliveries, RecorderStatus
from toolkit.audit.checks.detection import Analyzers, OpenAccess, Standards, Threats
from toolkit.audit.checks.events import AlertRules
from toolkit.audit.checks.organizations import Organization, Policies
from toolkit.audit.checks.people import SamlProviders
from toolkit.audit.checks.trusted_advisor import Advice
from toolkit.audit.facts import CredentialReport, Every
from toolkit.environment import load_text
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, NOW, SCOPE, Ask

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
OTHER = "111122223333"


def live(called: str = "it", /, **values: Any) -> Live:
    return Live({}, values, called, None)


def recorder(**values: Any) -> Live:
    return live(**{"recording": True, "status": "success", "error": None, "service": None, **values})


def channel(**status: str | None) -> Live:
    kinds = ("history", "snapshot", "stream")
    return live(**{kind: {"status": status.get(kind, "success"), "error": "AccessDenied"} for kind in kinds})


@pytest.mark.parametrize(
    ("recorders", "channels", "expected"),
    [
        ([recorder()], [channel()], PASS),
        ([recorder(status=None)], [channel(history=None, stream="notapplicable")], PASS),
        ([recorder(status="pending")], [channel()], PASS),
        ([], [channel()], FAIL),
        ([recorder(service="securityhub.amazonaws.com")], [channel()], FAIL),
        ([recorder(recording=False)], [channel()], FAIL),
        ([recorder(status="failure")], [channel()], FAIL),
        ([recorder()], [], FAIL),
        ([recorder()], [channel(history="failure")], FAIL),
        ([recorder()], [channel(snapshot="failure")], FAIL),
        ([recorder()], [channel(stream="failure")], FAIL),
        ([recorder()], [channel(stream="another")], UNKNOWN),
    ],
)
def test_the_recorder(ask: Ask, recorders: list[Live], channels: list[Live], expected: Status):
    answers: dict[Any, Any] = {RecorderStatus(HOME): tuple(recorders), Deliveries(HOME): tuple(channels)}
    assert ask("config_recorder_all_regions_enabled", answers).status is expected


def test_the_role_of_the_recorder(ask: Ask):
    own = f"arn:aws:iam::{OTHER}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    wanted = Every("aws_config_configuration_recorder", HOME)
    check = "config_recorder_using_aws_service_role"
    assert ask(check, {wanted: (live(role_arn=own),)}).status is PASS
    assert ask(check, {wanted: (live(role_arn=f"arn:aws:iam::{OTHER}:role/config"),)}).status is FAIL
    assert ask(check, {wanted: ()}).status is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("hub", "statuses", "expected"),
    [
        (True, ["READY"], PASS),
        (True, [], FAIL),
        (True, ["READY", "INCOMPLETE"], FAIL),
        (True, ["READY", "PENDING"], UNKNOWN),
        (False, [], NOT_APPLICABLE),
    ],
)
def test_standards(ask: Ask, hub: bool, statuses: list[str], expected: Status):
    answers: dict[Any, Any] = {
        Every("aws_securityhub_account", HOME): (live(),) if hub else (),
        Standards(HOME): tuple(live(status=one, reason=None) for one in statuses),
    }
    assert ask("securityhub_standards_enabled", answers).status is expected


@pytest.mark.parametrize(
    ("detector", "severities", "expected"),
    [
        (True, [], (PASS, "high")),
        (True, [7.0], (FAIL, "high")),
        (True, [9.0], (FAIL, "critical")),
        (False, [], (NOT_APPLICABLE, "high")),
    ],
)
def test_findings_of_guardduty(ask: Ask, detector: bool, severities: list[float], expected: tuple[Status, str]):
    answers: dict[Any, Any] = {
        Every("aws_guardduty_detector", HOME): (live(enable=True),) if detector else (),
        Threats(HOME): tuple(live(severity=one, type="Recon:EC2/Portscan") for one in severities),
    }
    result = ask("guardduty_no_high_severity_findings", answers)
    (finding,) = result.findings(OTHER)
    assert (result.status, finding.severity.value) == expected


@pytest.mark.parametrize(
    ("kinds", "findings", "expected"),
    [
        (["ACCOUNT"], [], PASS),
        (["ORGANIZATION"], [], PASS),
        (["ACCOUNT_UNUSED_ACCESS"], [], FAIL),
        ([], [], FAIL),
        (["ACCOUNT"], [{}], FAIL),
        (["ACCOUNT"], [{"public": True}], FAIL),
        (["ACCOUNT"], [{"error": "ACCESS_DENIED"}], UNKNOWN),
    ],
)
def test_external_access(ask: Ask, kinds: list[str], findings: list[dict[str, Any]], expected: Status):
    every = [live(**{"resource": "arn:x", "kind": "x", "public": False, "error": None, **one}) for one in findings]
    answers: dict[Any, Any] = {
        Analyzers(HOME): tuple(live(type=one, status="ACTIVE") for one in kinds),
        OpenAccess(HOME): tuple(every),
    }
    result = ask("accessanalyzer_enabled_without_findings", answers)
    assert result.status is expected
    if findings and findings[0].get("public"):
        assert [one.severity.value for one in result.findings(OTHER)] == ["high"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], NOT_APPLICABLE),
        ([live(targets=["arn:x"], failed=0)], PASS),
        ([live(targets=[], failed=0)], FAIL),
        ([live(targets=["arn:x"], failed=3)], FAIL),
    ],
)
def test_rules_for_alerts(ask: Ask, rules: list[Live], expected: Status):
    assert ask("eventbridge_alert_rules_deliver", {AlertRules(HOME, NOW): tuple(rules)}).status is expected


def organization(management: str = SCOPE.account_id) -> tuple[Live, ...]:
    return (live(management=management),)


def policy(kind: str = "SERVICE_CONTROL_POLICY", content: Any = None, targets: int = 1, of_aws: bool = False) -> Live:
    text = json.dumps(content or {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    return live(kind=kind, content=text, targets=["r-1"] * targets, of_aws=of_aws)


REGIONS = {
    "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}}},
    ]
}
ALLOWED = {"Statement": {"Effect": "Allow", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-central-1"]}}}}
OPT_OUT = {"services": {"default": {"opt_out_policy": {"@@assign": "optOut"}}}}
OPT_IN = {"services": {"default": {"opt_out_policy": {"@@assign": "optIn"}}}}
EXCEPT_ONE = {"services": {**OPT_OUT["services"], "lex": OPT_IN["services"]["default"]}}
AI, TAGS = "AISERVICES_OPT_OUT_POLICY", "TAG_POLICY"


@pytest.mark.parametrize(
    ("check", "policies", "expected"),
    [
        ("organizations_scp_attached", [policy()], PASS),
        ("organizations_scp_attached", [policy(of_aws=True)], FAIL),
        ("organizations_scp_attached", [policy(targets=0)], FAIL),
        ("organizations_scp_attached", [policy(TAGS)], FAIL),
        ("organizations_scp_check_deny_regions", [policy(content=REGIONS)], PASS),
        ("organizations_scp_check_deny_regions", [policy(content=REGIONS, targets=0)], FAIL),
        ("organizations_scp_check_deny_regions", [policy(), policy(content=ALLOWED)], FAIL),
        ("organizations_opt_out_ai_services_policy", [policy(AI, OPT_OUT)], PASS),
        ("organizations_opt_out_ai_services_policy", [policy(AI, OPT_IN)], FAIL),
        ("organizations_opt_out_ai_services_policy", [policy(AI, EXCEPT_ONE)], FAIL),
        ("organizations_tags_policies_enabled_and_attached", [policy(TAGS, {"tags": {}})], PASS),
        ("organizations_tags_policies_enabled_and_attached", [], FAIL),
    ],
)
def test_policies_of_the_organization(ask: Ask, check: str, policies: list[Live], expected: Status):
    every: dict[Any, Any] = {Policies(): tuple(policies)}
    assert ask(check, {Organization(): organization(), **every}).status is expected
    # A member account cannot list them, and none is needed where there is no organization.
    member = ask(check, {Organization(): organization(OTHER), Policies(): ()})
    assert member.status is NOT_APPLICABLE
    assert OTHER in member.outcomes[0].evidence
    assert ask(check, {Organization(): (), Policies(): ()}).status is NOT_APPLICABLE


def test_the_organization_itself(ask: Ask):
    check = "organizations_account_part_of_organizations"
    assert ask(check, {Organization(): organization(OTHER)}).status is PASS
    assert ask(check, {Organization(): ()}).status is FAIL


@pytest.mark.parametrize(
    ("check", "kind", "good", "bad"),
    [
        (
            "iam_root_credentials_management_enabled",
            "aws_iam_organizations_features",
            {"enabled_features": ["RootCredentialsManagement"]},
            {"enabled_features": ["RootSessions"]},
        ),
        (
            "organizations_delegated_administrators",
            "aws_organizations_delegated_administrator",
            {"service_principal": "guardduty.amazonaws.com"},
            {"service_principal": "ram.amazonaws.com"},
        ),
    ],
)
def test_what_the_management_account_decides(ask: Ask, check: str, kind: str, good: Any, bad: Any):
    every = Every(kind, HOME)
    assert ask(check, {Organization(): organization(), every: (live(**good),)}).status is PASS
    assert ask(check, {Organization(): organization(), every: (live(**bad),)}).status is FAIL
    assert ask(check, {Organization(): organization(), every: ()}).status is FAIL
    assert ask(check, {Organization(): organization(OTHER), every: ()}).status is NOT_APPLICABLE
    assert ask(check, {Organization(): (), every: ()}).status is NOT_APPLICABLE


def contact(kind: str, address: str | None = None) -> Live:
    return live(alternate_contact_type=kind, email_address=address or f"{kind}@example.com")


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([contact("BILLING"), contact("OPERATIONS"), contact("SECURITY")], PASS),
        ([contact("BILLING"), contact("OPERATIONS")], FAIL),
        ([contact("BILLING"), contact("OPERATIONS"), contact("SECURITY", "billing@EXAMPLE.com")], FAIL),
    ],
)
def test_contacts(ask: Ask, contacts: list[Live], expected: Status):
    check = "account_maintain_different_contact_details_to_security_billing_and_operations"
    assert ask(check, {Every("aws_account_alternate_contact", HOME): tuple(contacts)}).status is expected


@pytest.mark.parametrize(
    ("until", "found", "expected"),
    [
        (NOW + timedelta(days=1), (), PASS),
        (None, (), PASS),
        (NOW, (), FAIL),
        ("none", organization(OTHER), FAIL),
        ("none", (), NOT_APPLICABLE),
    ],
)
def test_identity_providers(ask: Ask, until: Any, found: tuple[Live, ...], expected: Status):
    every = () if until == "none" else (live(valid_until=until),)
    assert ask("iam_check_saml_providers_sts", {SamlProviders(): every, Organization(): found}).status is expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["ok", "warning"], PASS),
        (["ok", "not_available"], PASS),
        (["ok", "error"], FAIL),
        (["error", "another"], FAIL),
        (["not_available"], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_trusted_advisor(ask: Ask, statuses: list[str], expected: Status):
    checks = [{"name": "'Ports' (security)", "status": one, "flagged": 2} for one in statuses]
    told = (live(readable=True, checks=checks),)
    assert ask("trustedadvisor_errors_and_warnings", {Advice(): told}).status is expected


def user(name: str) -> Live:
    return live(f"the user {name!r}", user=name)


def scope_with(users: dict[str, Any] | None) -> Any:
    text = f"account_id: '{SCOPE.account_id}'\nregions: {{home: {HOME}}}\ncomponents:\n"
    text += (
        "  password_policy: {}\n"
        if users is None
        else f"  iam_groups: {{}}\n  iam_users: {{users: {json.dumps(users)}}}\n"
    )
    return replace(SCOPE, environment=load_text(text, name="x", shown_as="x.yaml"))


@pytest.mark.parametrize(
    ("check", "entry", "expected"),
    [
        ("iam_user_in_environment", {}, PASS),
        ("iam_user_in_environment", {"status": "removed"}, FAIL),
        ("iam_user_in_environment", None, FAIL),
        ("iam_user_review_date", {}, PASS),
        ("iam_user_review_date", {"review_date": f"{NOW - timedelta(days=1):%Y-%m-%d}"}, FAIL),
        ("iam_user_review_date", None, PASS),
    ],
)
def test_users_and_the_file(ask: Ask, check: str, entry: dict[str, str] | None, expected: Status):
    bob = {"owner": "a@example.com", "review_date": f"{NOW:%Y-%m-%d}"}
    ask.scope = scope_with({"bob": bob} | ({} if entry is None else {"alice": bob | entry}))
    report = {CredentialReport(): (user("<root_account>"), user("alice"), user("bob"))}
    assert ask(check, report).status is expected
    ask.scope = SCOPE
    assert ask(check, report).status is NOT_APPLICABLE
    ask.scope = scope_with(None)
    assert ask(check, report).status is NOT_APPLICABLE


class Recorded:
    """An account with recorded answers, one per operation."""

    account_id, home_region, simulated = SCOPE.account_id, HOME, False

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.parameters: dict[str, Any] = {}

    def call(self, service: str, operation: str, region: str, **parameters: Any) -> Any:
        self.parameters[operation] = parameters
        return self.answers[operation]

    def pages(self, service: str, operation: str, member: str, region: str, **parameters: Any) -> Any:
        self.parameters[operation] = parameters
        return tuple((self.answers[operation] or {}).get(member, ()))

    def live(self, kind: str, region: str) -> Any:
        return self.answers[kind]

    def side_by_side(self, ask: Any, about: Any) -> Any:
        return tuple(map(ask, about))


def test_how_deliveries_are_read():
    failure = {"lastStatus": "Failure", "lastErrorCode": "NoSuchBucket"}
    status = {"name": "default", "configHistoryDeliveryInfo": failure, "configStreamDeliveryInfo": {}}
    (one,) = Deliveries(HOME).read(Recorded(describe_delivery_channel_status={"DeliveryChannelsStatus": [status]}))
    assert one.values["history"] == {"status": "failure", "error": "NoSuchBucket"}
    assert one.values["snapshot"] == one.values["stream"] == {"status": None, "error": None}
    found = {"ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "NotApplicable"}]}
    (told,) = RecorderStatus(HOME).read(Recorded(describe_configuration_recorder_status=found))
    assert told.values == {"recording": True, "status": "notapplicable", "error": None, "service": None}


def test_trusted_advisor_without_a_support_plan_is_told_from_an_empty_answer():
    account = Recorded(describe_trusted_advisor_checks=None)
    (without,) = Advice().read(account)
    assert without.values == {"readable": False, "checks": []}
    assert account.parameters["describe_trusted_advisor_checks"]["absent"] == ("SubscriptionRequiredException",)
    known = {"checks": [{"id": "a", "name": "Ports", "category": "security"}]}
    told = {"summaries": [{"checkId": "a", "status": "error", "resourcesSummary": {"resourcesFlagged": 3}}]}
    answers = {"describe_trusted_advisor_checks": known, "describe_trusted_advisor_check_summaries": told}
    (one,) = Advice().read(Recorded(**answers))
    checks = [{"name": "'Ports' (security)", "status": "error", "flagged": 3}]
    assert one.values == {"readable": True, "checks": checks}


def test_which_rules_alerts_depend_on():
    def rule(name: str, pattern: Any, state: str = "ENABLED", managed_by: str | None = None) -> Live:
        values = {"event_pattern": json.dumps(pattern) if pattern else None, "state": state}
        return Live({"name": name}, values, name, name, managed_by=managed_by)

    def read(rule: Live, target: str) -> tuple[Live, ...]:
        answers: dict[str, Any] = {
            "aws_cloudwatch_event_rule": (rule,),
            "list_targets_by_rule": {"Targets": [{"Arn": target}] if target else []},
            "get_metric_statistics": {"Datapoints": [{"Sum": 2.0}, {"Sum": 1.0}]},
        }
        return AlertRules(HOME, datetime(2026, 11, 29, tzinfo=UTC)).read(Recorded(**answers))

    topic, function = f"arn:aws:sns:{HOME}:{OTHER}:x", f"arn:aws:lambda:{HOME}:{OTHER}:function:x"
    watched, other = {"source": ["aws.guardduty"]}, {"source": ["aws.ec2"]}
    (found,) = read(rule("a", watched), function)
    assert found.values == {"targets": [function], "failed": 3}
    assert [one.values["targets"] for one in read(rule("a", watched), "")] == [[]]
    assert read(rule("a", other), topic)
    assert read(rule("a", None), topic)
    assert not read(rule("a", other), function)
    assert not read(rule("a", watched, "DISABLED"), topic)
    assert not read(rule("a", watched, managed_by="securityhub.amazonaws.com"), topic)


def test_policies_are_read_in_the_management_account_alone():
    told = {"Organization": {"Id": "o-1", "Arn": "arn:o", "MasterAccountId": OTHER, "FeatureSet": "ALL"}}
    assert Policies().read(Recorded(describe_organization=told)) == ()
    assert Policies().read(Recorded(describe_organization=None)) == ()
    assert Organization().read(Recorded(describe_organization=None)) == ()
    (one,) = Organization().read(Recorded(describe_organization=told))
    assert one.values["management"] == OTHER
    own = {"Organization": {**told["Organization"], "MasterAccountId": SCOPE.account_id}}
    answers = {
        "describe_organization": own,
        "list_roots": {"Roots": [{"PolicyTypes": [{"Type": TAGS, "Status": "ENABLED"}]}]},
        "list_policies": {"Policies": [{"Id": "p-1", "Name": "x", "Type": TAGS, "AwsManaged": False, "Arn": "arn:p"}]},
        "describe_policy": {"Policy": {"Content": "{}"}},
        "list_targets_for_policy": {"Targets": [{"TargetId": "r-1"}]},
    }
    (found,) = Policies().read(Recorded(**answers))
    assert found.values == {"kind": TAGS, "of_aws": False, "content": "{}", "targets": ["r-1"]}
