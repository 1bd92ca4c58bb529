"""Alarms on activity: a metric filter over a trail's log group, an alarm on its metric, a subscriber who has confirmed.

Which events each requirement wants stands here, apart from our own module's patterns; tests compare both. A filter may
leave out what our module leaves out, for its reasons (modules/activity_alarms/patterns.tf); what any other condition
leaves out is not known to be harmless, so the verdict is unknown then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.audit.alerts import (
    AlarmTopics,
    Alerts,
    CompositeAlarms,
    FilterAlarms,
    Link,
    TrailFilters,
    account_of,
    best,
    group_of,
    metric_of,
)
from toolkit.audit.checks.trails import complete_trails, needs_selectors
from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.audit.patterns import ABSENT, Clause, PatternError, Term, parse, remaining
from toolkit.findings import Severity, Status
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"


Event = Mapping[str, str | None]


@dataclass(frozen=True)
class Monitor:
    """What one requirement wants to be alarmed of."""

    topic: str
    name: str
    """As our component calls it."""
    about: str
    """For people, as the end of "There is an alarm on …"."""
    events: Mapping[str, Event]
    """What each is called → its fields; fields that are not here may have any value."""
    narrowing: tuple[tuple[Term, ...], ...] = ()
    """Conditions of our module's patterns that leave out what needs no alarm; {account} is the account's id."""
    limit: int = 1
    """How many events at most it may take."""


_NO_SERVICE_LINKED = tuple(
    (
        Term("$.userIdentity.sessionContext.sessionIssuer.arn", "NOT EXISTS"),
        Term(
            "$.userIdentity.sessionContext.sessionIssuer.arn",
            "!=",
            f"arn:{partition}:iam::{{account}}:role/aws-service-role/*",
        ),
    )
    for partition in ("aws", "aws-cn", "aws-us-gov")
)
"""IAM reserves the path for AWS: services act by service-linked roles as a matter of routine."""
_NAME, _SOURCE = "$.eventName", "$.eventSource"
_SIGN_IN = {_NAME: "ConsoleLogin", _SOURCE: "signin.amazonaws.com"}


def _calls(service: str, names: str) -> Mapping[str, Event]:
    return {name: {_NAME: name, _SOURCE: f"{service}.amazonaws.com"} for name in names.split()}


MONITORS = (
    Monitor(
        "cloudwatch_log_metric_filter_unauthorized_api_calls",
        "unauthorized_api_calls",
        "calls that are denied",
        {
            code: {"$.errorCode": code}
            for code in (
                "AccessDenied",
                "AccessDeniedException",
                "UnauthorizedOperation",
                "Client.UnauthorizedOperation",
            )
        },
        (
            (Term("$.sourceIPAddress", "!=", "delivery.logs.amazonaws.com"),),
            (Term(_NAME, "!=", "HeadBucket"),),
            (Term("$.userIdentity.type", "!=", "AWSService"),),
            (Term("$.sessionCredentialFromConsole", "NOT EXISTS"), Term("$.readOnly", "IS FALSE")),
            *_NO_SERVICE_LINKED,
        ),
        limit=10,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_sign_in_without_mfa",
        "console_sign_in_without_mfa",
        "sign-ins to the console without MFA",
        {
            "ConsoleLogin without MFA": {
                **_SIGN_IN,
                "$.additionalEventData.MFAUsed": "No",
                "$.userIdentity.type": "IAMUser",
                "$.responseElements.ConsoleLogin": "Success",
            }
        },
    ),
    Monitor(
        "cloudwatch_log_metric_filter_root_usage",
        "root_use",
        "use of root",
        {
            f"{kind} of root": {
                "$.userIdentity.type": "Root",
                "$.userIdentity.invokedBy": ABSENT,
                "$.eventType": kind,
            }
            for kind in ("AwsApiCall", "AwsConsoleSignIn")
        },
        (
            (
                Term("$.userIdentity.sessionContext.assumedRoot", "NOT EXISTS"),
                Term("$.userIdentity.sessionContext.assumedRoot", "!=", "true"),
            ),
        ),
    ),
    Monitor(
        "cloudwatch_log_metric_filter_policy_changes",
        "iam_policy_changes",
        "changes of IAM policies",
        _calls(
            "iam",
            "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy "
            "CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy "
            "AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_and_alarm_for_cloudtrail_configuration_changes_enabled",
        "cloudtrail_changes",
        "changes of trails",
        _calls("cloudtrail", "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_authentication_failures",
        "console_sign_in_failures",
        "sign-ins to the console that fail",
        {"ConsoleLogin that fails": {**_SIGN_IN, "$.errorMessage": "Failed authentication"}},
        limit=5,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_disable_or_scheduled_deletion_of_kms_cmk",
        "kms_key_deletions",
        "KMS keys that are disabled or will be deleted",
        _calls("kms", "DisableKey ScheduleKeyDeletion"),
    ),
    Monitor(
        "cloudwatch_log_metric_filter_for_s3_bucket_policy_changes",
        "s3_bucket_policy_changes",
        "changes of access to buckets",
        _calls(
            "s3",
            "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
            "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_and_alarm_for_aws_config_configuration_changes_enabled",
        "config_changes",
        "changes of AWS Config",
        _calls("config", "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder"),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_security_group_changes",
        "security_group_changes",
        "changes of security groups",
        _calls(
            "ec2",
            "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
            "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_changes_to_network_acls_alarm_configured",
        "network_acl_changes",
        "changes of network ACLs",
        _calls(
            "ec2",
            "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
            "ReplaceNetworkAclAssociation",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_changes_to_network_gateways_alarm_configured",
        "network_gateway_changes",
        "changes of network gateways",
        _calls(
            "ec2",
            "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
            "DeleteInternetGateway DetachInternetGateway",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_changes_to_network_route_tables_alarm_configured",
        "route_table_changes",
        "changes of route tables",
        _calls(
            "ec2",
            "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
            "DisassociateRouteTable",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_changes_to_vpcs_alarm_configured",
        "vpc_changes",
        "changes of VPCs",
        _calls(
            "ec2",
            "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
            "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
            "DisableVpcClassicLink EnableVpcClassicLink",
        ),
        _NO_SERVICE_LINKED,
    ),
    Monitor(
        "cloudwatch_log_metric_filter_aws_organizations_changes",
        "organizations_changes",
        "changes of the organization",
        _calls(
            "organizations",
            "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake "
            "DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType EnablePolicyType "
            "InviteAccountToOrganization LeaveOrganization MoveAccount RemoveAccountFromOrganization UpdatePolicy "
            "UpdateOrganizationalUnit",
        ),
    ),
)


def _needs(scope: Scope) -> Iterator[Fact]:
    yield from needs_selectors(scope)
    yield from (TrailFilters(scope.regions), FilterAlarms(scope.regions))
    yield from (CompositeAlarms(scope.regions), AlarmTopics(scope.regions))


def _judge(monitor: Monitor) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        said = list(complete_trails(scope, answers))
        trails = [trail for trail, problem in said if problem is None]
        sending = [trail for trail in trails if trail.values["log_group"]]
        groups = {group_of(trail.values["log_group"]): trail for trail in sending}
        own = {group for group in groups if account_of(group) == scope.account_id}
        if own:
            filters = [one for one in answers[TrailFilters(scope.regions)] if one.values["group"] in own]
            yield _verdict(monitor, filters, scope, answers)
        elif sending:
            accounts = ", ".join(sorted({account_of(group) for group in groups}))
            reason = f"{sending[0].called} sends its events to account {accounts}: audit that account"
            elsewhere = all(trail.values["organization"] for trail in sending)
            yield Outcome(Status.NOT_APPLICABLE if elsewhere else Status.UNKNOWN, reason, sending[0])
        else:
            problems = [
                f"{trail.called} {problem or 'sends nothing to CloudWatch Logs'}" for trail, problem in said
            ] or ["there is no trail"]
            yield Outcome(Status.FAIL, "; ".join(problems))

    return judge


def _verdict(monitor: Monitor, filters: Sequence[Live], scope: Scope, answers: Answers) -> Outcome:
    """Several filters may share the events among them: a pattern has at most 1,024 characters."""
    matched = {one.key["name"]: _matches(monitor, one, scope.account_id) for one in filters}
    chains = {
        one.key["name"]: _chain(monitor, one, scope, answers) for one in filters if any(matched[one.key["name"]][0])
    }
    alarms = {}
    unknown: dict[str, None] = {}
    problems: dict[str, None] = {}
    lacking = []
    for event in monitor.events:
        by = [chains[name] for name, (events, _) in matched.items() if event in events]
        good = next((chain.alarm for chain in by if chain.alarm), None)
        if good is not None:
            alarms[good.key["alarm_name"]] = good
            continue
        maybe = [chain.problem for chain in by if chain.unknown]
        maybe += [reasons[event] for _, reasons in matched.values() if event in reasons]
        if maybe:
            unknown.update(dict.fromkeys(maybe))
        elif by:
            problems.update(dict.fromkeys(chain.problem for chain in by))
        else:
            lacking.append(event)
    if lacking:
        whole = len(lacking) == len(monitor.events)
        names = f"any of {len(lacking)} events, such as {lacking[0]}" if whole else ", ".join(lacking)
        problems[f"no metric filter on a trail's log group matches {names}"] = None
    if problems:
        facts = (*lacking, *list(problems)[: -1 if lacking else None])
        return Outcome(Status.FAIL, "; ".join(problems), facts=facts)
    if unknown:
        return Outcome(Status.UNKNOWN, "; ".join(unknown))
    called = ", ".join(one.called for one in alarms.values())
    return Outcome(Status.PASS, f"{called} notifies a confirmed subscriber", next(iter(alarms.values())))


def _matches(monitor: Monitor, one: Live, account: str) -> tuple[frozenset[str], Mapping[str, str]]:
    """The events that a filter is known to match, and of others why that is not known.

    A condition that leaves something out (!=, NOT EXISTS, IS FALSE) may leave out nothing that matters. One that wants
    a value of a further field is about that value: the filter is one of another subject.
    """
    try:
        pattern = parse(one.values["pattern"])
        left = {name: remaining(pattern, event) for name, event in monitor.events.items()}
    except PatternError as e:
        return frozenset(), dict.fromkeys(monitor.events, f"the pattern of {one.called} is not understood: {e}")
    allowed = {_clause(terms, account) for terms in monitor.narrowing}
    further = {name: conditions - allowed for name, conditions in left.items()}
    narrowed = {
        name: f"{one.called} matches only where {_said(conditions)}"
        for name, conditions in further.items()
        if conditions and all(any(term.operator in _LEAVES_OUT for term in clause) for clause in conditions)
    }
    return frozenset(name for name, conditions in further.items() if not conditions), narrowed


_LEAVES_OUT = ("!=", "NOT EXISTS", "IS FALSE")


def _clause(terms: tuple[Term, ...], account: str) -> Clause:
    return frozenset(Term(one.selector, one.operator, one.value.replace("{account}", account)) for one in terms)


def _said(conditions: frozenset[Clause]) -> str:
    return " and ".join(sorted(" or ".join(sorted(map(str, clause))) for clause in conditions))


def _chain(monitor: Monitor, one: Live, scope: Scope, answers: Answers) -> Link:
    """What follows a metric filter."""
    amount = _number(one.values["value"])
    if amount is None or amount <= 0:
        return Link(problem=f"{one.called} adds {one.values['value']!r} per event, not a positive number")
    if split := [*one.values["dimensions"], *one.values["system_dimensions"]]:
        return Link(problem=f"{one.called} splits its metric by {', '.join(split)}")
    alerts = Alerts(answers[CompositeAlarms(scope.regions)], answers[AlarmTopics(scope.regions)])
    found = (
        _alarmed(alarm, metric, one, _needed(alarm.values, metric["statistic"], amount), monitor.limit)
        or alerts.notified(alarm)
        for alarm in answers[FilterAlarms(scope.regions)]
        for metric in alarm.values["metrics"]
        if (alarm.region, metric["namespace"], metric["name"]) == metric_of(one)
    )
    link = best(found, f"{one.called} has no alarm")
    doubt = _doubt(one)
    return Link(problem=doubt, unknown=True) if doubt and not link.problem else link


def _doubt(one: Live) -> str:
    """Why a filter may not count an event as CloudTrail delivers it; empty for no reason."""
    if one.values["criteria"] is not None:
        return f"{one.called} counts only events that meet {one.values['criteria']!r}"
    if one.values["transformed"]:
        return f"{one.called} matches events as a log transformer changed them, whose result is not known"
    return ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _alarmed(alarm: Live, metric: Mapping[str, Any], of: Live, needed: int | None, limit: int) -> Link | None:
    """Why an event does not raise an alarm on a filter's metric; None: it does.

    Unit: "We recommend omitting Unit so that you don't inadvertently specify an incorrect unit that is not published
    for this metric. Doing so causes the alarm to be stuck in the INSUFFICIENT DATA state."
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    has = alarm.values
    if metric["dimensions"]:
        return Link(problem=f"{alarm.called} is on a dimension that the metric does not have")
    if metric["unit"] not in (None, of.values["unit"]):
        reason = f"{alarm.called} is on the unit {metric['unit']}, and {of.called} counts in {of.values['unit']}"
        return Link(problem=reason)
    if has["expression"] is not None and not _adds_up(has["expression"], has["metrics"]):
        reason = f"whether an event raises {alarm.called} by its expression {has['expression']!r} is not known"
        return Link(problem=reason, unknown=True)
    if needed is None:
        return Link(problem=f"{alarm.called} does not count events up to a threshold")
    if needed > limit:
        return Link(problem=f"{alarm.called} needs {needed:,} events, expected at most {limit}")
    if (has["datapoints_to_alarm"] or has["evaluation_periods"]) != 1:
        return Link(problem=f"{alarm.called} needs events in several periods")
    return None


_COUNTS = ("Sum", "SampleCount")
_ALL_FILLED = re.compile(r"SUM\(FILL\(METRICS\(\),0\)\)")
_FILLED = re.compile(r"FILL\((\w+),0\)(?:\+FILL\((\w+),0\))*")


def _adds_up(expression: str, metrics: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an expression is a count, or a sum of counts each of which is 0 where its metric has no data.

    A sum without FILL has no value where one metric has none.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html (FILL)
    """
    if any(metric["statistic"] not in _COUNTS for metric in metrics):
        return False
    names, written = [metric["id"] for metric in metrics], expression.replace(" ", "")
    if _ALL_FILLED.fullmatch(written) or names == [written]:
        return True
    return _FILLED.fullmatch(written) is not None and set(re.findall(r"\((\w+),", written)) == set(names)


def _needed(has: Mapping[str, Any], statistic: str | None, amount: float) -> int | None:
    """How many events raise an alarm; None: not a number of events does."""
    threshold = has["threshold"]
    if threshold is None or statistic not in _COUNTS:
        return None
    of_events: float = threshold / (amount if statistic == "Sum" else 1)
    if has["comparison_operator"] == "GreaterThanOrEqualToThreshold" and of_events > 0:
        return math.ceil(of_events)
    if has["comparison_operator"] == "GreaterThanThreshold" and of_events >= 0:
        return math.floor(of_events) + 1
    return None


CHECKS = tuple(
    Check(
        monitor.topic,
        f"An alarm on {monitor.about} notifies a confirmed subscriber.",
        Severity.MEDIUM,
        "cloudwatch",
        _needs,
        _judge(monitor),
        Remedy(
            f"set `components.activity_alarms.monitors.{monitor.name}.enabled` in environment.yaml; a subscriber "
            "confirms by the link in the first message of the topic",
            "activity_alarms",
            f"monitors.{monitor.name}.enabled",
        ),
        why="What happens in an account is in its log; without an alarm it is noticed only by reading the log.",
        source=_GUIDE,
    )
    for monitor in MONITORS
)
