"""What the monitors' filter patterns match, over sample events in the form that CloudTrail records.

The patterns are those that Terraform itself evaluates from modules/activity_alarms/patterns.tf. The matcher below
follows AWS's documentation (CloudWatch Logs User Guide, "Using filter patterns to match terms in JSON log events"): ()
before && before ||; NOT EXISTS, IS TRUE, IS FALSE, IS NULL; a wildcard at an end of a term. A comparison, != too, never
matches a field that is absent or no string or number. Anything else is refused, so that a pattern that AWS may not take
fails here.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.activity_alarms import Monitors

MODULE = Path(__file__).parents[3] / "modules" / "activity_alarms"
ACCOUNT = "123456789012"
Matcher = Callable[[dict[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<symbol>\(|\)|&&|\|\||!=|=)|(?P<word>NOT\ EXISTS|IS\ TRUE|IS\ FALSE|IS\ NULL)
    |(?P<selector>\$(?:\.[A-Za-z0-9_-]+)+)|"(?P<quoted>[^"\\]*)"|(?P<term>[A-Za-z0-9_.*-]+))""",
    re.X,
)


def compiled(pattern: str) -> Matcher:
    """A pattern as a function of an event.

    Raises:
        ValueError: It is no JSON filter pattern as documented.
    """
    if len(pattern) > 1024 or not (pattern.startswith("{") and pattern.endswith("}")):
        raise ValueError("a pattern is { … } of at most 1,024 characters")
    text, tokens, at = pattern[1:-1].rstrip(), [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"not understood: {text[at:]}")
        tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
        at = found.end()
    matcher, rest = _any_of(tokens)
    if rest:
        raise ValueError(f"left over: {rest}")
    return matcher


Tokens = list[tuple[str, str]]


def _any_of(tokens: Tokens) -> tuple[Matcher, Tokens]:
    first, tokens = _all_of(tokens)
    parts = [first]
    while tokens[:1] == [("symbol", "||")]:
        part, tokens = _all_of(tokens[1:])
        parts.append(part)
    return (lambda event: any(part(event) for part in parts)), tokens


def _all_of(tokens: Tokens) -> tuple[Matcher, Tokens]:
    first, tokens = _one(tokens)
    parts = [first]
    while tokens[:1] == [("symbol", "&&")]:
        part, tokens = _one(tokens[1:])
        parts.append(part)
    return (lambda event: all(part(event) for part in parts)), tokens


def _one(tokens: Tokens) -> tuple[Matcher, Tokens]:
    if tokens[:1] == [("symbol", "(")]:
        inner, tokens = _any_of(tokens[1:])
        if tokens[:1] != [("symbol", ")")]:
            raise ValueError("a parenthesis is not closed")
        return inner, tokens[1:]
    if len(tokens) < 2 or tokens[0][0] != "selector":
        raise ValueError(f"expected a selector: {tokens}")
    path, (kind, operator) = tokens[0][1].split(".")[1:], tokens[1]
    if kind == "word":
        wanted: dict[str, Callable[[Any], bool]] = {
            "NOT EXISTS": lambda value: value is ABSENT,
            "IS TRUE": lambda value: value is True,
            "IS FALSE": lambda value: value is False,
            "IS NULL": lambda value: value is None,
        }
        return (lambda event: wanted[operator](value_at(event, path))), tokens[2:]
    if operator not in ("=", "!=") or len(tokens) < 3 or tokens[2][0] not in ("quoted", "term"):
        raise ValueError(f"expected a comparison: {tokens[:3]}")
    term = tokens[2][1]
    if "*" in term[1:-1]:
        raise ValueError(f"a wildcard stands at an end of a term: {term}")
    expression = re.compile(re.escape(term).replace(r"\*", ".*"))

    def compared(event: dict[str, Any]) -> bool:
        value = value_at(event, path)
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            return False
        return bool(expression.fullmatch(str(value))) == (operator == "=")

    return compared, tokens[3:]


ABSENT = object()


def value_at(event: dict[str, Any], path: list[str]) -> Any:
    """What stands at a path; ABSENT where nothing does."""
    here: Any = event
    for step in path:
        if not isinstance(here, dict) or step not in here:
            return ABSENT
        here = here[step]
    return here


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("{ $.a=1 }", True),
        ("{ $.a!=1 }", False),
        ('{ $.b.c="xyz" }', True),
        ('{ $.b.c="x*" && $.b.c="*z" && $.b.c!="y*" }', True),
        ("{ $.none!=1 }", False),
        ("{ $.none NOT EXISTS }", True),
        ("{ $.b!=1 }", False),
        ("{ $.no IS FALSE && $.yes IS TRUE }", True),
        ("{ $.none IS FALSE }", False),
        ("{ $.a=1 || $.none=1 && $.none=1 }", True),
        ("{ ($.a=1 || $.none=1) && $.none=1 }", False),
    ],
)
def test_the_matcher_itself(pattern: str, matches: bool):
    assert compiled(pattern)({"a": 1, "b": {"c": "xyz"}, "yes": True, "no": False}) == matches


@pytest.mark.parametrize(
    "pattern",
    [
        "$.a=1",
        "{ }",
        "{ a=1 }",
        "{ ($.a=1 }",
        "{ $.a=1 $.b=1 }",
        '{ $.a="x*y" }',
        "{ $.a EXISTS }",
        "{ $.a==1 }",
        "{ $.a=" + "x" * 1024 + " }",
    ],
)
def test_the_matcher_refuses_what_is_no_pattern(pattern: str):
    with pytest.raises(ValueError, match=r"."):
        compiled(pattern)


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """(refined or benchmark) → monitor → pattern; evaluated by Terraform, without any provider."""
    folder = tmp_path_factory.mktemp("patterns")
    (folder / "patterns.tf").write_text((MODULE / "patterns.tf").read_text("utf-8"))
    # The longest partition: also with it each pattern must stay within what the API takes.
    (folder / "main.tf").write_text(
        'variable "patterns" {\n  type = string\n}\n\n'
        f'locals {{\n  partition = "aws-us-gov"\n  account_id = "{ACCOUNT}"\n}}\n\n'
        'output "patterns" {\n  value = local.filter_patterns\n}\n'
    )
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    found = {}
    for choice in ("refined", "benchmark"):
        for arguments in (("apply", "-auto-approve", f"-var=patterns={choice}"), ("output", "-json", "patterns")):
            done = subprocess.run(
                ["terraform", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        found[choice] = json.loads(done.stdout)
    return found


def user(**more: Any) -> dict[str, Any]:
    return {"type": "IAMUser", "arn": f"arn:aws-us-gov:iam::{ACCOUNT}:user/anna", "userName": "anna", **more}


def role(name: str, path: str = "/", account: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    issuer = {"type": "Role", "arn": f"arn:aws-us-gov:iam::{account}:role{path}{name}", "userName": name}
    session = {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}
    return {"type": "AssumedRole", "accountId": account, "sessionContext": session, **more}


def service_linked(service: str, name: str, **more: Any) -> dict[str, Any]:
    return role(name, f"/aws-service-role/{service}/", invokedBy=service, **more)


ROOT = {"type": "Root", "arn": f"arn:aws-us-gov:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
SSO = role("AWSReservedSSO_Developer_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/eu-central-1/")


def call(name: str, service: str = "ec2", identity: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": copy.deepcopy(identity or user()),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "203.0.113.7",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        **more,
    }


def sign_in(identity: dict[str, Any], mfa: str = "Yes", result: str = "Success", **more: Any) -> dict[str, Any]:
    failed = {} if result == "Success" else {"errorMessage": "Failed authentication"}
    return call(
        "ConsoleLogin",
        "signin",
        identity,
        eventType="AwsConsoleSignIn",
        responseElements={"ConsoleLogin": result},
        additionalEventData={"LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No", "MFAUsed": mfa},
        **failed,
        **more,
    )


def denied(name: str = "DescribeInstances", identity: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return call(name, identity=identity, **{"errorCode": "AccessDenied", "readOnly": True, **more})


ELB = service_linked("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing")
CONSOLE = {"sessionCredentialFromConsole": "true"}
CENTRAL = {**ROOT, "sessionContext": {"attributes": {"mfaAuthenticated": "false"}, "assumedRoot": "true"}}

# (what it is, event, monitors that refined patterns raise, those that the benchmark's raise)
EVENTS: list[Any] = [
    ("root signs in", sign_in(ROOT), {"root_use"}, {"root_use"}),
    ("root signs in without MFA", sign_in(ROOT, mfa="No"), {"root_use"}, {"root_use"}),
    (
        "root fails to sign in", sign_in(ROOT, result="Failure"),
        {"root_use", "console_sign_in_failures"}, {"root_use", "console_sign_in_failures"},
    ),
    ("root calls with keys", call("ListBuckets", "s3", ROOT), {"root_use"}, {"root_use"}),
    ("root in a session that is not central", call("ListBuckets", "s3", {**ROOT, "sessionContext": {
        "attributes": {"mfaAuthenticated": "true"}}}), {"root_use"}, {"root_use"}),
    ("central root session", call("DeleteBucketPolicy", "s3", CENTRAL), {"s3_bucket_policy_changes"},
        {"root_use", "s3_bucket_policy_changes"}),
    ("service on root's behalf", call("CreateGrant", "kms", {**ROOT, "invokedBy": "rds.amazonaws.com"}), set(), set()),
    ("event of a service in root's name", call("RotateKey", "kms", ROOT, eventType="AwsServiceEvent"), set(), set()),
    ("user signs in with MFA", sign_in(user()), set(), set()),
    ("user signs in without MFA", sign_in(user(), mfa="No"), {"console_sign_in_without_mfa"},
        {"console_sign_in_without_mfa"}),
    ("user mistypes the password", sign_in(user(), mfa="No", result="Failure"), {"console_sign_in_failures"},
        {"console_sign_in_failures"}),
    ("Identity Center user signs in", sign_in(SSO, mfa="No"), set(), set()),
    ("federated user signs in", sign_in(role("saml-developers"), mfa="No"), set(), set()),
    ("a user's key is denied a read", denied(), {"unauthorized_api_calls"}, {"unauthorized_api_calls"}),
    ("a role is denied, in EC2's words", denied("RunInstances", role("ci"), errorCode="Client.UnauthorizedOperation"),
        {"unauthorized_api_calls"}, {"unauthorized_api_calls"}),
    ("somebody clicks through the console", denied(identity=SSO, **CONSOLE), set(), {"unauthorized_api_calls"}),
    ("somebody tries to change in the console", denied("RunInstances", SSO, readOnly=False, **CONSOLE),
        {"unauthorized_api_calls"}, {"unauthorized_api_calls"}),
    ("a service-linked role is denied", denied(identity=service_linked("config.amazonaws.com",
        "AWSServiceRoleForConfig")), set(), {"unauthorized_api_calls"}),
    ("a service is denied", denied("PutObject", {"type": "AWSService", "invokedBy": "billing.amazonaws.com"}),
        set(), {"unauthorized_api_calls"}),
    ("log delivery is denied", denied("PutObject", {"type": "AWSService"},
        sourceIPAddress="delivery.logs.amazonaws.com"), set(), set()),
    ("a bucket is looked for", denied("HeadBucket"), set(), set()),
    ("another error", call("RunInstances", errorCode="Client.InvalidAMIID.NotFound"), set(), set()),
    ("a role that only looks service-linked is denied", denied(identity=role("AWSServiceRoleForConfig")),
        {"unauthorized_api_calls"}, {"unauthorized_api_calls"}),
    ("a path that only looks service-linked", denied(identity=role("x", "/x:role/aws-service-role/y/")),
        {"unauthorized_api_calls"}, {"unauthorized_api_calls"}),
    ("a policy is attached", call("AttachUserPolicy", "iam"), {"iam_policy_changes"}, {"iam_policy_changes"}),
    ("by CloudFormation, for somebody", call("PutRolePolicy", "iam", role("dev",
        invokedBy="cloudformation.amazonaws.com")), {"iam_policy_changes"}, {"iam_policy_changes"}),
    ("Identity Center writes its roles", call("PutRolePolicy", "iam", service_linked("sso.amazonaws.com",
        "AWSServiceRoleForSSO")), set(), {"iam_policy_changes"}),
    ("another default version", call("SetDefaultPolicyVersion", "iam"), {"iam_policy_changes"}, set()),
    ("a trust policy", call("UpdateAssumeRolePolicy", "iam"), {"iam_policy_changes"}, set()),
    ("a boundary goes", call("DeleteUserPermissionsBoundary", "iam"), {"iam_policy_changes"}, set()),
    ("a policy of another service", call("CreatePolicy", "iot"), set(), set()),
    ("a policy is read", call("GetPolicy", "iam", readOnly=True), set(), set()),
    ("a trail is stopped", call("StopLogging", "cloudtrail"), {"cloudtrail_changes"}, {"cloudtrail_changes"}),
    ("a trail records less", call("PutEventSelectors", "cloudtrail"), {"cloudtrail_changes"}, set()),
    ("a key is to be deleted", call("ScheduleKeyDeletion", "kms"), {"kms_key_deletions"}, {"kms_key_deletions"}),
    ("a key's material is deleted", call("DeleteImportedKeyMaterial", "kms"), {"kms_key_deletions"}, set()),
    ("a key is used", call("Decrypt", "kms", readOnly=True), set(), set()),
    ("a bucket policy", call("PutBucketPolicy", "s3"), {"s3_bucket_policy_changes"}, {"s3_bucket_policy_changes"}),
    ("a bucket is unblocked", call("DeleteBucketPublicAccessBlock", "s3"), {"s3_bucket_policy_changes"}, set()),
    ("the recorder stops", call("StopConfigurationRecorder", "config"), {"config_changes"}, {"config_changes"}),
    ("the recorder goes", call("DeleteConfigurationRecorder", "config"), {"config_changes"}, set()),
    ("a port is opened", call("AuthorizeSecurityGroupIngress"), {"security_group_changes"}, {"security_group_changes"}),
    ("a load balancer's group", call("CreateSecurityGroup", identity=ELB), set(), {"security_group_changes"}),
    ("a rule is changed", call("ModifySecurityGroupRules"), {"security_group_changes"}, set()),
    ("a network ACL entry", call("ReplaceNetworkAclEntry"), {"network_acl_changes"}, {"network_acl_changes"}),
    ("an internet gateway", call("AttachInternetGateway"), {"network_gateway_changes"}, {"network_gateway_changes"}),
    ("a NAT gateway", call("CreateNatGateway"), {"network_gateway_changes"}, set()),
    ("a route", call("CreateRoute"), {"route_table_changes"}, {"route_table_changes"}),
    ("an App Mesh route", call("CreateRoute", "appmesh"), set(), set()),
    ("a VPC", call("DeleteVpc"), {"vpc_changes"}, {"vpc_changes"}),
    ("an account leaves", call("LeaveOrganization", "organizations"), {"organizations_changes"},
        {"organizations_changes"}),
    ("an SCP is detached", call("DetachPolicy", "organizations"), {"organizations_changes"}, {"organizations_changes"}),
    ("an account is closed", call("CloseAccount", "organizations"), {"organizations_changes"}, set()),
    ("a handshake is cancelled", call("CancelHandshake", "organizations"), {"organizations_changes"}, set()),
    ("an organization begins", call("CreateOrganization", "organizations"), {"organizations_changes"}, set()),
    ("it gets all features", call("EnableAllFeatures", "organizations"), {"organizations_changes"}, set()),
    ("a day's work", call("RunInstances"), set(), set()),
]  # fmt: skip


@pytest.mark.terraform
@pytest.mark.parametrize(("event", "refined", "benchmark"), [pytest.param(*e[1:], id=e[0]) for e in EVENTS])
def test_what_raises_which_alarm(
    event: dict[str, Any], refined: set[str], benchmark: set[str], patterns: dict[str, dict[str, str]]
):
    for choice, wanted in (("refined", refined), ("benchmark", benchmark)):
        raised = {monitor for monitor, pattern in patterns[choice].items() if compiled(pattern)(event)}
        assert raised == wanted, choice


@pytest.mark.terraform
def test_every_monitor_has_a_pattern_of_either_kind(patterns: dict[str, dict[str, str]]):
    for found in patterns.values():
        assert set(found) == set(Monitors.model_fields)
        for pattern in found.values():
            compiled(pattern)


def test_every_monitor_is_raised_by_some_event_and_spared_by_others():
    for place in (2, 3):
        raised: set[str] = set().union(*(event[place] for event in EVENTS))
        assert raised == set(Monitors.model_fields)


@pytest.mark.terraform
def test_each_call_by_name_raises_its_monitor_alone(patterns: dict[str, dict[str, str]]):
    """Every event name in a pattern, in an event of the service that has such a call."""
    services = {"cloudtrail_changes": "cloudtrail"}
    checked = 0
    for monitor, pattern in patterns["refined"].items():
        names = re.findall(r"\(\$\.eventName=(\w+)\)", pattern)
        source = re.findall(r"\$\.eventSource=(\w+)\.amazonaws", pattern)
        for name in names:
            event = call(name, source[0] if source else services.get(monitor, "ec2"))
            raised = {m for m, p in patterns["refined"].items() if compiled(p)(event)}
            assert raised == {monitor}, name
            checked += 1
    assert checked > 100
