"""How the resources of an environment are called: what its policies are narrowed to.

In: an environment. Out: name of a kind of resource → names, with `*` where a name is only known as it begins. Pure. A
kind that is not here is known by an id that AWS gives, and covers everything of that kind in the account.
tests/unit/permissions compares with the requests that were recorded, and with the names in recorded plans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.components.base import Place
from toolkit.environment import Environment
from toolkit.globs import glob

Named = Iterator[tuple[str, str]]
"""(kind, name)."""


@dataclass(frozen=True)
class Names:
    """What an environment's resources are called.

    Attributes:
        of: Kind of resource → names. A kind is the form of its ARN, as the Service Authorization Reference has it.
        passed: (service that gets it, role) for each role that Terraform passes on.
        linked: Services that get a role of their own, whether Terraform makes it or AWS together with something else.
        own: Those of `of` that are roles of the environment's pipelines, or hold what these may do.
    """

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passed: tuple[tuple[str, str], ...] = ()
    linked: tuple[str, ...] = ()
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_IAM = "arn:${Partition}:iam::${Account}:"
_HERE = "${Region}:${Account}:"
ROLE = f"{_IAM}role/${{RoleNameWithPath}}"
USER = f"{_IAM}user/${{UserNameWithPath}}"
GROUP = f"{_IAM}group/${{GroupNameWithPath}}"
POLICY = f"{_IAM}policy/${{PolicyNameWithPath}}"
PROVIDER = f"{_IAM}oidc-provider/${{OidcProviderName}}"
BUCKET = "arn:${Partition}:s3:::${BucketName}"
TOPIC = f"arn:${{Partition}}:sns:{_HERE}${{TopicName}}"
RULE = f"arn:${{Partition}}:events:{_HERE}rule/${{RuleName}}"
LOG_GROUP = f"arn:${{Partition}}:logs:{_HERE}log-group:${{LogGroupName}}"
ALARM = f"arn:${{Partition}}:cloudwatch:{_HERE}alarm:${{AlarmName}}"
TRAIL = f"arn:${{Partition}}:cloudtrail:{_HERE}trail/${{TrailName}}"
ALIAS = f"arn:${{Partition}}:kms:{_HERE}alias/${{Alias}}"
KEY = f"arn:${{Partition}}:kms:{_HERE}key/${{KeyId}}"
ANALYZER = f"arn:${{Partition}}:access-analyzer:{_HERE}analyzer/${{AnalyzerName}}"
ARCHIVE_RULE = f"{ANALYZER}/archive-rule/${{RuleName}}"
RECORDER = f"arn:${{Partition}}:config:{_HERE}configuration-recorder/${{RecorderName}}/${{RecorderId}}"
SCHEDULE_GROUP = f"arn:${{Partition}}:scheduler:{_HERE}schedule-group/${{GroupName}}"
SCHEDULE = f"arn:${{Partition}}:scheduler:{_HERE}schedule/${{GroupName}}/${{ScheduleName}}"
BUDGET = "arn:${Partition}:budgets::${Account}:budget/${BudgetName}"
SETTING = f"arn:${{Partition}}:ssm:{_HERE}servicesetting/${{ResourceId}}"
OBJECT = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
PASSED, LINKED, OWN = "passed to ", "linked", "own "
NARROWED = frozenset(
    {
        *(ROLE, USER, GROUP, POLICY, PROVIDER, BUCKET, TOPIC, RULE, LOG_GROUP, ALARM, TRAIL, ALIAS, ANALYZER),
        *(ARCHIVE_RULE, RECORDER, SCHEDULE_GROUP, SCHEDULE, BUDGET, SETTING, OBJECT),
    }
)
"""Kinds that are known by name: without a name, nothing of the kind is allowed."""


def names(environment: Environment) -> Names:
    """What the resources of an environment's components are called."""
    place = environment.place
    found: dict[str, dict[str, None]] = defaultdict(dict)
    own: dict[str, dict[str, None]] = defaultdict(dict)
    passed: dict[tuple[str, str], None] = {}
    linked: dict[str, None] = {}
    for name, settings in place.settings.items():
        if name not in _NAMES:
            continue
        for kind, called in _NAMES[name](settings, place):
            if kind == LINKED:
                linked[called] = None
            elif kind.startswith(PASSED):
                passed[kind.removeprefix(PASSED), called] = None
            else:
                if kind.startswith(OWN):
                    own[kind.removeprefix(OWN)][called] = None
                found[kind.removeprefix(OWN)][called] = None
    return Names(in_order(found), tuple(passed), tuple(sorted(linked)), in_order(own))


_KEEPING = {
    "buckets": BUCKET,
    "log_groups": LOG_GROUP,
    "key_aliases": ALIAS,
    "topics": TOPIC,
    "event_rules": RULE,
    "alarms": ALARM,
    "schedule_groups": SCHEDULE_GROUP,
}
_OF_OTHERS = ("shield",)
"""Components whose buckets are not theirs: they only let AWS's response team read them."""


def protected(environment: Environment) -> dict[str, tuple[str, ...]]:
    """What holds the logs of an environment's components and carries their alerts, as `iam_groups` takes it.

    A name that the pattern of another covers is left out. The bucket of the state is not among them: it holds no logs,
    and who works on other stacks may keep theirs in it.
    """
    place = environment.place
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for name, settings in place.settings.items():
        if name in _NAMES and name not in _OF_OTHERS:
            for kind, called in _NAMES[name](settings, place):
                found[kind][called] = None
    return {setting: _uncovered(found[kind]) for setting, kind in _KEEPING.items()}


def _uncovered(called: Iterable[str]) -> tuple[str, ...]:
    every = sorted(called)
    return tuple(one for one in every if not any(other != one and glob(other).matches(one) for other in every))


def in_order(found: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Kind → its names, sorted."""
    return {kind: tuple(sorted(called)) for kind, called in found.items()}


def _plain(name: str) -> str:
    """A name as a pattern that nothing else matches.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
    """
    return "".join(f"${{{character}}}" if character in "*?$" else character for character in name)


def _identity(path: str, name: str) -> str:
    """A name with its path, without the slash that ARNs have before both."""
    return _plain(f"{path}{name}".removeprefix("/"))


def _own_bucket(place: Place, name: str | None, purpose: str) -> str:
    return name or f"baseline-{purpose}-{place.account_id}-{place.home_region}"


def _bucket(settings: Any, *names: str) -> Named:
    """Buckets; what they hold, if Terraform empties them before it deletes them (`force_destroy`)."""
    for name in names:
        yield BUCKET, name
        if settings.force_destroy:
            yield OBJECT, f"{name}/*"


def _topic(name: str) -> Named:
    """modules/shared/alert_topic: its key, and the alarm for what it could not deliver."""
    yield from ((TOPIC, name), (ALIAS, name), (ALARM, f"{name}-undelivered"))


def _sends(name: str, service: str = "events.amazonaws.com") -> Named:
    yield from ((ROLE, name), (f"{PASSED}{service}", name))


def _access_analyzer(settings: Any, _: Place) -> Named:
    yield LINKED, "access-analyzer.amazonaws.com"
    for name in (settings.analyzer_name, settings.unused_access.analyzer_name):
        yield from ((ANALYZER, name), (ARCHIVE_RULE, f"{name}/archive-rule/*"))


def _account_defaults(settings: Any, place: Place) -> Named:
    yield SETTING, "ssm/documents/console/public-sharing-permission"
    yield from ((BUDGET, _plain(name)) for name in settings.budgets)
    logs = settings.default_vpc_flow_logs
    if logs.regions and logs.destination == "cloud-watch-logs":
        yield LOG_GROUP, logs.log_group_name
        yield from _sends(logs.role_name, "vpc-flow-logs.amazonaws.com")
    elif logs.regions and logs.bucket_arn is None:
        yield from _bucket(logs.bucket, _own_bucket(place, logs.bucket.name, "flow-logs"))


def _activity_alarms(settings: Any, _: Place) -> Named:
    yield from _topic(settings.name)
    yield from ((ALARM, f"{settings.name}-*"), (RULE, f"{settings.name}-root-sign-in"))
    yield from _sends(f"{settings.name}-root-sign-in-forward")


def _cloudtrail(settings: Any, place: Place) -> Named:
    bucket = _own_bucket(place, settings.bucket.name, "cloudtrail")
    yield from _bucket(settings.bucket, bucket, settings.bucket.access_log_bucket_name or f"{bucket}-access-logs")
    yield from ((TRAIL, settings.name), (ALIAS, f"cloudtrail-{settings.name.replace('.', '-')}"))
    yield LOG_GROUP, settings.log_group_name or f"/aws/cloudtrail/{settings.name}"
    yield from _sends(f"{settings.name}-cloudtrail-delivery", "cloudtrail.amazonaws.com")
    if settings.organization_id:
        yield LINKED, "cloudtrail.amazonaws.com"


CONFIG_ROLE = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def _config(settings: Any, place: Place) -> Named:
    yield from _bucket(settings.bucket, _own_bucket(place, settings.bucket.name, "config"))
    yield RECORDER, f"{_plain(settings.recorder_name)}/*"
    yield from ((ROLE, CONFIG_ROLE), (LINKED, "config.amazonaws.com"), (f"{PASSED}config.amazonaws.com", CONFIG_ROLE))


def _detective(_: Any, __: Place) -> Named:
    yield LINKED, "detective.amazonaws.com"


def _firewall_manager(_: Any, __: Place) -> Named:
    yield LINKED, "fms.amazonaws.com"


def _guardduty(settings: Any, place: Place) -> Named:
    yield from ((LINKED, "guardduty.amazonaws.com"), (LINKED, "malware-protection.guardduty.amazonaws.com"))
    if settings.export_findings:
        bucket = _own_bucket(place, settings.findings_bucket.name, "guardduty")
        yield from _bucket(settings.findings_bucket, bucket)
        yield ALIAS, bucket
    if settings.notifications.email_addresses:
        name = settings.notifications.name
        yield from _topic(name)
        yield RULE, name
        yield from _sends(f"{name}-forward")


def _iam_groups(settings: Any, _: Place) -> Named:
    yield from ((GROUP, _identity(group.path, name)) for name, group in settings.groups.items() if group is not None)
    for name in (settings.guardrail_policy_name, settings.log_guardrail_policy_name, settings.self_service.policy_name):
        yield POLICY, name


def _iam_roles(settings: Any, place: Place) -> Named:
    for name, role in settings.assumable.items():
        yield ROLE, _identity(getattr(role, "path", "/"), name)
    for name, deployer in settings.deployers.items():
        own = OWN if deployer.pipeline is not None else ""
        yield from ((own + ROLE, _identity(deployer.path, name + part)) for part in deployer.parts)
        if own:
            # What `policies` gives these roles, numbered.
            yield from ((own + POLICY, f"{_plain(name)}{part}-*") for part in deployer.parts)
        usual = "token.actions.githubusercontent.com" if deployer.provider == "github" else "gitlab.com"
        issuer = deployer.issuer or usual
        if issuer not in settings.existing_oidc_providers:
            yield PROVIDER, issuer
    yield POLICY, settings.delegation.boundary_name
    alarms = place.settings.get("activity_alarms")
    if settings.break_glass is not None and alarms is not None:
        yield ALARM, f"{getattr(alarms, 'name', '')}-{settings.break_glass.name}-use"


def _iam_users(settings: Any, _: Place) -> Named:
    yield from ((USER, _identity(user.path, name)) for name, user in settings.users.items())
    # Of suspended users: the group, and the policy that denies its members everything.
    yield from ((GROUP, settings.suspended_group_name), (POLICY, settings.suspended_group_name))


def _identity_center(_: Any, __: Place) -> Named:
    yield LINKED, "sso.amazonaws.com"


def _inspector(_: Any, __: Place) -> Named:
    yield from ((LINKED, "inspector2.amazonaws.com"), (LINKED, "agentless.inspector2.amazonaws.com"))


def _key_rotation(_: Any, place: Place) -> Named:
    name = f"{getattr(place.settings.get('activity_alarms'), 'name', 'baseline-activity')}-key-rotation"
    yield from ((RULE, name), (ALARM, f"{name}-undelivered"))


def _macie(_: Any, __: Place) -> Named:
    yield LINKED, "macie.amazonaws.com"


def _member_security(settings: Any, _: Place) -> Named:
    if settings.config_aggregator.enabled:
        yield from _sends(settings.config_aggregator.role_name, "config.amazonaws.com")
    yield from (
        (LINKED, service)
        for service in (
            "guardduty.amazonaws.com",
            "malware-protection.guardduty.amazonaws.com",
            "securityhub.amazonaws.com",
        )
    )


def _mfa_enforcement(settings: Any, _: Place) -> Named:
    yield POLICY, settings.policy_name


def _organization(_: Any, __: Place) -> Named:
    yield LINKED, "organizations.amazonaws.com"


def _security_hub(_: Any, __: Place) -> Named:
    yield LINKED, "securityhub.amazonaws.com"


def _shield(settings: Any, _: Place) -> Named:
    yield LINKED, "shield.amazonaws.com"
    if settings.response_team is not None:
        # modules/shield gives it this name.
        yield from _sends("baseline-shield-response-team", "drt.shield.amazonaws.com")
        yield from ((BUCKET, name) for name in settings.response_team.log_buckets)


def _siem_export(settings: Any, place: Place) -> Named:
    if settings.findings is not None:
        yield RULE, f"{settings.name}-*"
        yield from _sends(f"{settings.name}-forward")
    if settings.log_subscription is not None:
        yield from _sends(f"{settings.name}-log-subscription", "logs.amazonaws.com")
    if settings.trail_reader is not None:
        yield ROLE, f"{settings.name}-trail-reader"


def _trusted_advisor(settings: Any, _: Place) -> Named:
    yield from _topic(settings.name)
    yield RULE, settings.name
    if settings.refresh is not None:
        yield from ((SCHEDULE_GROUP, settings.name), (SCHEDULE, f"{settings.name}/*"))
        yield from _sends(f"{settings.name}-refresh", "scheduler.amazonaws.com")


_NAMES: Mapping[str, Callable[[Any, Place], Named]] = {
    "access_analyzer": _access_analyzer,
    "account_defaults": _account_defaults,
    "activity_alarms": _activity_alarms,
    "cloudtrail": _cloudtrail,
    "config": _config,
    "detective": _detective,
    "firewall_manager": _firewall_manager,
    "guardduty": _guardduty,
    "iam_groups": _iam_groups,
    "iam_roles": _iam_roles,
    "iam_users": _iam_users,
    "identity_center": _identity_center,
    "inspector": _inspector,
    "key_rotation": _key_rotation,
    "macie": _macie,
    "member_security": _member_security,
    "mfa_enforcement": _mfa_enforcement,
    "organization": _organization,
    "security_hub": _security_hub,
    "shield": _shield,
    "siem_export": _siem_export,
    "trusted_advisor": _trusted_advisor,
}
