"""Quotas that a plan would exceed: found before the apply, and unknown where AWS does not say.

Asked of moto, and of stubs where moto has other numbers than AWS.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.gather import gather
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.findings import Consents, Finding, Severity
from toolkit.iam.organization import Deployment
from toolkit.plan import usage
from toolkit.plan.case import Caller, Case
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.quotas import EXCEEDS_QUOTA
from toolkit.resources.quota import AccountWide, PerOwner, Regional
from toolkit.resources.registry import RESOURCES

ACCOUNT_WIDE = {name: (q.key, q.of) for name, r in RESOURCES.items() if isinstance(q := r.quota, AccountWide)}
PER_OWNER = {name: (q.owner, q.key, q.of) for name, r in RESOURCES.items() if isinstance(q := r.quota, PerOwner)}
REGIONAL = {name: q for name, r in RESOURCES.items() if isinstance(q := r.quota, Regional)}
REGION = "eu-central-1"
ENVIRONMENT = load_text(
    f'account_id: "123456789012"\nregions: {{home: {REGION}}}\ncomponents: {{}}\n', name="x", shown_as="x"
)
SUMMARY = {
    **{key: 7 for key, _ in ACCOUNT_WIDE.values()},
    **{f"{key}Quota": 10 for key, _ in ACCOUNT_WIDE.values()},
    **{quota: 3 for _, quota, _ in PER_OWNER.values()},
}


@pytest.fixture
def clients(aws: None) -> Iterator[AwsSession]:
    yield AwsSession(ENVIRONMENT, {})


def entry(kind: str, action: str, key: str, /, **values: Any) -> dict[str, Any]:
    """One change; `before` and `after` as an action has them, both from `values` for an update unless given."""
    before, after = values.pop("before", values), values.pop("after", values)
    change = {
        "actions": [action],
        "before": None if action == "create" else before,
        "after": None if action == "delete" else after,
        "after_unknown": {"policy_arn": True} if values.get("policy_arn") == "?" else {},
    }
    address = f'module.iam_roles.{kind}.this["{key}"]'
    return {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change}


def plan(*entries: dict[str, Any]) -> Plan:
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    return parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, attribution)


def judged(
    clients: AwsSession, *entries: dict[str, Any], attachable: dict[str, tuple[str, int]] | None = None
) -> list[Finding]:
    nobody, needs_nothing = Caller("", None, False), Deployment((), {}, (), "123456789012", "aws")
    case = Case(plan(*entries), nobody, "123456789012", needs_nothing, attachable=attachable or {})
    found = list(usage.GUARD.judge(case, gather(usage.GUARD.needs(case), Inventory(clients))))
    assert all(finding.rule is EXCEEDS_QUOTA for finding in found)
    return found


@pytest.fixture
def summary(clients: AwsSession) -> Iterator[Stubber]:
    """IAM's account summary, and nothing else of IAM."""
    with Stubber(clients.client("iam")) as stub:
        yield stub


@pytest.mark.parametrize("kind", sorted(ACCOUNT_WIDE))
@pytest.mark.parametrize(("creates", "deletes", "exceeds"), [(3, 0, False), (4, 0, True), (5, 2, False), (5, 1, True)])
def test_what_an_account_may_have_of_a_type(
    clients: AwsSession, summary: Stubber, kind: str, creates: int, deletes: int, exceeds: bool
) -> None:
    summary.add_response("get_account_summary", {"SummaryMap": SUMMARY})
    entries = [entry(kind, "create", f"new{n}", name=f"new{n}") for n in range(creates)]
    entries += [entry(kind, "delete", f"old{n}", name=f"old{n}") for n in range(deletes)]
    found = judged(clients, *entries)
    assert [finding.blocks for finding in found] == [True] * exceeds
    for finding in found:
        assert finding.evidence == f"7 of 10 used, the plan adds {creates - deletes}"
        (with_consents,) = Consents(("*",), ("*",), True).apply([finding], date(2026, 1, 1))
        assert with_consents.blocks
    summary.assert_no_pending_responses()


@pytest.mark.parametrize("kind", sorted(ACCOUNT_WIDE))
@pytest.mark.parametrize("answer", ["denied", "without the key", "without the quota"])
def test_a_number_that_cannot_be_read_is_unknown_and_never_silent(
    clients: AwsSession, summary: Stubber, kind: str, answer: str
) -> None:
    key = ACCOUNT_WIDE[kind][0]
    if answer == "denied":
        summary.add_client_error("get_account_summary", "AccessDenied")
    else:
        lacking = key if answer == "without the key" else f"{key}Quota"
        summary.add_response("get_account_summary", {"SummaryMap": {k: v for k, v in SUMMARY.items() if k != lacking}})
    (finding,) = judged(clients, entry(kind, "create", "x", name="x"))
    assert finding.severity is Severity.NOTE
    assert "is not known" in finding.summary
    assert "unknown number" in finding.evidence
    assert ("AccessDenied" in finding.evidence) == (answer == "denied")


def test_a_plan_that_adds_nothing_asks_nothing(clients: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "client", lambda *_: pytest.fail("AWS was asked"))
    kinds = [*REGIONAL, "aws_organizations_policy_attachment", "aws_sns_topic"]
    changes = [entry(kind, "delete", "x", log_group_name="x", target_id="r-1") for kind in kinds]
    assert judged(clients, *changes, entry("aws_sns_topic", "create", "x")) == []


DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": []})


def attach(owner: str, count: int) -> list[str]:
    """Managed policies on an owner of that type, named x."""
    iam = boto3.client("iam")
    arns = []
    for n in range(count):
        text = json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
        )
        arns.append(iam.create_policy(PolicyName=f"p{n}", PolicyDocument=text)["Policy"]["Arn"])
    if owner == "group":
        iam.create_group(GroupName="x")
        for arn in arns:
            iam.attach_group_policy(GroupName="x", PolicyArn=arn)
    else:
        iam.create_role(RoleName="x", AssumeRolePolicyDocument="{}")
        for arn in arns:
            iam.attach_role_policy(RoleName="x", PolicyArn=arn)
    return arns


@pytest.mark.parametrize("owner", ["group", "role"])
def test_managed_policies_of_an_owner(clients: AwsSession, owner: str) -> None:
    """IAM's own quota is 10."""
    kind = f"aws_iam_{owner}_policy_attachment"
    arns = attach(owner, 9)

    def adds(name: str, arn: str, action: str = "create") -> dict[str, Any]:
        return entry(kind, action, name, policy_arn=arn, **{owner: "x"})

    new, other = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/SecurityAudit"
    assert judged(clients, adds("a", new)) == []
    (finding,) = judged(clients, adds("a", new), adds("b", other))
    assert finding.blocks
    assert finding.evidence == "9 of 10 used, the plan adds 2"
    assert f"managed policies on the {owner} 'x'" in finding.summary
    # Attaching what is attached adds nothing, and what goes makes room.
    assert judged(clients, adds("a", new), adds("b", arns[0])) == []
    assert judged(clients, adds("a", new), adds("b", other), adds("c", arns[0], "delete")) == []
    # A policy that is still to be made counts, though its ARN is not known.
    assert [f.blocks for f in judged(clients, adds("a", new), adds("b", "?"))] == [True]
    # An owner of the plan's own has nothing yet.
    made = entry(f"aws_iam_{owner}", "create", "x", name="x")
    assert judged(clients, made, *(adds(f"n{n}", f"{new}{n}") for n in range(10))) == []
    assert [f.blocks for f in judged(clients, made, *(adds(f"n{n}", f"{new}{n}") for n in range(11)))] == [True]


def test_groups_of_a_user(clients: AwsSession) -> None:
    iam = boto3.client("iam")
    iam.create_user(UserName="ann")
    for n in range(9):
        iam.create_group(GroupName=f"g{n}")
        iam.add_user_to_group(GroupName=f"g{n}", UserName="ann")

    def groups(*names: str, before: tuple[str, ...] | None = None) -> dict[str, Any]:
        values = {"user": "ann", "groups": list(names)}
        if before is None:
            return entry("aws_iam_user_group_membership", "create", "ann", **values)
        old = {"user": "ann", "groups": list(before)}
        return entry("aws_iam_user_group_membership", "update", "ann", before=old, after=values)

    assert judged(clients, groups("g0", "new")) == []
    (finding,) = judged(clients, groups("g0", "new", "newer"))
    assert (finding.blocks, finding.evidence) == (True, "9 of 10 used, the plan adds 2")
    assert "groups of the user 'ann'" in finding.summary
    assert judged(clients, groups("new", "newer", before=("g0", "g1"))) == []


def test_what_an_owner_has_already_may_be_unreadable(
    clients: AwsSession, summary: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stub answers in order, and the two calls of a kind are made side by side.
    monkeypatch.setattr(Inventory, "side_by_side", lambda _self, ask, about: tuple(map(ask, about)))
    for kind, (owner, _, _) in PER_OWNER.items():
        summary.add_response("get_account_summary", {"SummaryMap": SUMMARY})
        operation = "list_groups_for_user" if owner == "user" else f"list_attached_{owner}_policies"
        summary.add_client_error(operation, "AccessDenied")
        (finding,) = judged(clients, entry(kind, "create", "x", policy_arn="a", groups=["a"], **{owner: "x"}))
        assert (finding.severity, "AccessDenied" in finding.evidence) == (Severity.NOTE, True)


def fill(kind: str, count: int) -> None:
    """So many of a type in the account."""
    match kind:
        case "aws_cloudtrail":
            s3 = boto3.client("s3", REGION)
            s3.create_bucket(Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
            # One is of another region, and records here too.
            for n in range(count):
                region = "us-east-1" if n == 0 else REGION
                trail = boto3.client("cloudtrail", region)
                trail.create_trail(Name=f"trail{n}", S3BucketName="trail-logs", IsMultiRegionTrail=n == 0)
        case "aws_cloudwatch_event_rule":
            for n in range(count):
                boto3.client("events", REGION).put_rule(Name=f"r{n}", ScheduleExpression="rate(1 day)")
        case "aws_cloudwatch_metric_alarm":
            for n in range(count):
                boto3.client("cloudwatch", REGION).put_metric_alarm(
                    AlarmName=f"a{n}",
                    ComparisonOperator="GreaterThanThreshold",
                    EvaluationPeriods=1,
                    MetricName="m",
                    Namespace="n",
                    Period=60,
                    Statistic="Sum",
                    Threshold=1,
                )
        case "aws_config_config_rule":
            config = boto3.client("config", REGION)
            role = "arn:aws:iam::123456789012:role/x"
            config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
            for n in range(count):
                source: Any = {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}
                config.put_config_rule(ConfigRule={"ConfigRuleName": f"r{n}", "Source": source})
        case "aws_cloudwatch_log_metric_filter":
            logs = boto3.client("logs", REGION)
            logs.create_log_group(logGroupName="group")
            for n in range(count):
                logs.put_metric_filter(
                    logGroupName="group",
                    filterName=f"f{n}",
                    filterPattern="x",
                    metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
                )
        case "aws_cloudwatch_log_subscription_filter":
            logs = boto3.client("logs", REGION)
            logs.create_log_group(logGroupName="group")
            boto3.client("kinesis", REGION).create_stream(StreamName="s", ShardCount=1)
            for n in range(count):
                logs.put_subscription_filter(
                    logGroupName="group",
                    filterName=f"f{n}",
                    filterPattern="x",
                    destinationArn=f"arn:aws:kinesis:{REGION}:123456789012:stream/s",
                )


def adding(kind: str, count: int) -> list[dict[str, Any]]:
    return [entry(kind, "create", f"n{n}", name=f"n{n}", log_group_name="group") for n in range(count)]


def small(kind: str, monkeypatch: pytest.MonkeyPatch, default: int = 2) -> None:
    record = dataclasses.replace(RESOURCES[kind], quota=dataclasses.replace(REGIONAL[kind], default=default))
    monkeypatch.setattr(usage, "RESOURCES", {kind: record})


@pytest.mark.parametrize("kind", sorted(REGIONAL))
def test_what_a_region_or_a_log_group_may_have(clients: AwsSession, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small(kind, monkeypatch)
    fill(kind, 2)
    with Stubber(clients.client("service-quotas", REGION)) as stub:
        words = REGIONAL[kind].own_value
        if words:
            code, name = words
            listed: list[Any] = [
                {"QuotaName": f"Max {name.upper()}", "Value": 3.0},
                {"QuotaName": "another", "Value": 1.0},
            ]
            stub.add_response("list_service_quotas", {"Quotas": listed}, {"ServiceCode": code})
        (finding,) = judged(clients, *adding(kind, 2))
    assert finding.blocks
    assert finding.evidence.startswith(f"2 of {3 if words else 2} used, the plan adds 2")
    assert ("does not raise this quota" in finding.remedy) == (words is None)
    assert words or REGIONAL[kind].source in finding.evidence


@pytest.mark.parametrize("kind", sorted(REGIONAL))
def test_what_is_within_the_documented_quota_needs_no_other(clients: AwsSession, kind: str) -> None:
    fill(kind, 1)
    with Stubber(clients.client("service-quotas", REGION)):  # without any answer: it must not be asked
        assert judged(clients, *adding(kind, 1)) == []


@pytest.mark.parametrize("kind", [kind for kind, quota in REGIONAL.items() if quota.own_value])
@pytest.mark.parametrize("answer", ["denied", "none of that name", "two of that name"])
def test_a_quota_of_its_own_that_is_not_told_is_unknown(
    clients: AwsSession, kind: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(kind, monkeypatch)
    fill(kind, 2)
    _, words = REGIONAL[kind].own_value or ("", "")
    with Stubber(clients.client("service-quotas", REGION)) as stub:
        if answer == "denied":
            stub.add_client_error("list_service_quotas", "AccessDeniedException")
        else:
            names = [f"{words} {n}" for n in range(2)] if answer.startswith("two") else ["something else"]
            stub.add_response("list_service_quotas", {"Quotas": [{"QuotaName": n, "Value": 9.0} for n in names]})
        (finding,) = judged(clients, *adding(kind, 1))
    assert finding.severity is Severity.NOTE
    assert finding.evidence.startswith("2 of an unknown number used, the plan adds 1")
    assert "AWS documents 2" in finding.evidence


@pytest.mark.parametrize("kind", sorted(REGIONAL))
def test_a_count_that_cannot_be_read_is_unknown(
    clients: AwsSession, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: Any, operation: str, _request: Any) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", denied)
    (finding,) = judged(clients, *adding(kind, 1))
    assert (finding.severity, "AccessDenied" in finding.evidence) == (Severity.NOTE, True)


def test_policies_on_one_target_of_the_organization(clients: AwsSession) -> None:
    organizations = boto3.client("organizations", REGION)
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    had = len(organizations.list_policies_for_target(TargetId=root["Id"], Filter="SERVICE_CONTROL_POLICY")["Policies"])
    for n in range(3):
        made = organizations.create_policy(
            Name=f"p{n}", Description="-", Type="SERVICE_CONTROL_POLICY", Content=DOCUMENT
        )
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=root["Id"])
    limit = had + 4
    attachable = {"one": ("SERVICE_CONTROL_POLICY", limit), "two": ("SERVICE_CONTROL_POLICY", limit)}

    def attached(name: str) -> dict[str, Any]:
        return entry("aws_organizations_policy_attachment", "create", f"{name}/root", target_id=root["Id"])

    assert judged(clients, attached("one"), attachable=attachable) == []
    (finding,) = judged(clients, attached("one"), attached("two"), attachable=attachable)
    assert (finding.blocks, finding.evidence) == (True, f"{had + 3} of {limit} used, the plan adds 2")
    assert "`limits` of the component" in finding.remedy
