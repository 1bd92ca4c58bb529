"""Policies of resources that let in every AWS account, service by service; KMS keys are in keys.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from toolkit.audit.checks.buckets import bucket_policies
from toolkit.audit.checks.keys import chooses_callers, digest, lets_in_everyone
from toolkit.audit.facts import Fact, each
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import Condition, PolicyDocument, PolicyError, PolicyKind, Statement
from toolkit.plan.facts import Source, Wanted
from toolkit.resources.reading import Live, Unreadable

_NONE = "ResourceNotFoundException"
"""With which Lambda and S3 Glacier say that there is no policy.

https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultAccessPolicy.html
"""
_NO_VAULTS = "NoLongerSupportedException"
"""With which S3 Glacier answers accounts that have no vaults, since it takes no new customers.

https://docs.aws.amazon.com/amazonglacier/latest/dev/api-error-responses.html
"""
_Named = tuple[str, str | None, str | None]
"""What a resource is called, its ARN, and its policy; None: it has none."""


@dataclass(frozen=True)
class _Kind:
    """How one kind of resource is read."""

    type: str
    """Of Terraform."""
    actions: tuple[str, ...]
    lists: Callable[[Source, str], tuple[Any, ...]]
    """`Unreadable` among them for a part that cannot be listed."""
    reads: Callable[[Source, str, Any], _Named]


def _topic(source: Source, region: str, one: Mapping[str, Any]) -> _Named:
    arn = one["TopicArn"]
    answer = source.call("sns", "get_topic_attributes", region, TopicArn=arn) or {}
    return f"the topic {arn.rsplit(':', 1)[1]!r}", arn, answer["Attributes"]["Policy"]


def _queue(source: Source, region: str, url: str) -> _Named:
    answer = source.call("sqs", "get_queue_attributes", region, QueueUrl=url, AttributeNames=["Policy"]) or {}
    return f"the queue {url.rsplit('/', 1)[1]!r}", None, answer.get("Attributes", {}).get("Policy")


def _functions(source: Source, region: str) -> tuple[Any, ...]:
    """Every function, and every alias as "FUNCTION:ALIAS": Lambda keeps a policy of its own for each of these.

    Published versions may have policies, too, but are left out: some deployments publish hundreds of each function, and
    Lambda answers 15 GetPolicy per second.
    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html ("at the function level, or […] a single
    version or alias")
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    def aliases(function: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        name = function["FunctionName"]
        listed = source.pages("lambda", "list_aliases", "Aliases", region, absent=(_NONE,), FunctionName=name)
        return tuple({"FunctionName": f"{name}:{one['Name']}", "FunctionArn": one["AliasArn"]} for one in listed)

    functions = source.pages("lambda", "list_functions", "Functions", region)
    found = each(source, aliases, functions, lambda one: f"the aliases of the function {one['FunctionName']!r}")
    return (*functions, *(one for of in found for one in ((of,) if isinstance(of, Unreadable) else of)))


def _function(source: Source, region: str, one: Mapping[str, Any]) -> _Named:
    answer = source.call("lambda", "get_policy", region, absent=(_NONE,), FunctionName=one["FunctionName"])
    return f"the function {one['FunctionName']!r}", one["FunctionArn"], answer["Policy"] if answer else None


def _secret(source: Source, region: str, one: Mapping[str, Any]) -> _Named:
    answer = source.call("secretsmanager", "get_resource_policy", region, SecretId=one["ARN"]) or {}
    return f"the secret {one['Name']!r}", one["ARN"], answer.get("ResourcePolicy")


def _bus(_: Source, __: str, one: Mapping[str, Any]) -> _Named:
    return f"the event bus {one['Name']!r}", one["Arn"], one.get("Policy")


def _vault(source: Source, region: str, one: Mapping[str, Any]) -> _Named:
    name = one["VaultName"]
    answer = source.call("glacier", "get_vault_access_policy", region, absent=(_NONE,), accountId="-", vaultName=name)
    return f"the vault {name!r}", one["VaultARN"], answer["policy"]["Policy"] if answer else None


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "topics": _Kind(
            "aws_sns_topic",
            ("sns:ListTopics", "sns:GetTopicAttributes"),
            lambda source, region: source.pages("sns", "list_topics", "Topics", region),
            _topic,
        ),
        "queues": _Kind(
            "aws_sqs_queue",
            ("sqs:ListQueues", "sqs:GetQueueAttributes"),
            lambda source, region: source.pages("sqs", "list_queues", "QueueUrls", region),
            _queue,
        ),
        "functions": _Kind(
            "aws_lambda_function",
            ("lambda:ListFunctions", "lambda:ListAliases", "lambda:GetPolicy"),
            _functions,
            _function,
        ),
        "secrets": _Kind(
            "aws_secretsmanager_secret",
            ("secretsmanager:ListSecrets", "secretsmanager:GetResourcePolicy"),
            lambda source, region: source.pages("secretsmanager", "list_secrets", "SecretList", region),
            _secret,
        ),
        "event buses": _Kind(
            "aws_cloudwatch_event_bus",
            ("events:ListEventBuses",),
            lambda source, region: source.pages("events", "list_event_buses", "EventBuses", region),
            _bus,
        ),
        "vaults": _Kind(
            "aws_glacier_vault",
            ("glacier:ListVaults", "glacier:GetVaultAccessPolicy"),
            lambda source, region: source.pages(
                "glacier", "list_vaults", "VaultList", region, absent=(_NO_VAULTS,), accountId="-"
            ),
            _vault,
        ),
    }
)


@dataclass(frozen=True)
class ResourcePolicies(Fact):
    """Every resource of a kind in a region, with its `policy`; None: it has none."""

    kind: str
    """A key of the table above, in the plural."""
    region: str

    named = "the policies of {kind} in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return _KINDS[self.kind].actions

    def read(self, source: Source) -> tuple[Live, ...]:
        """The resources."""
        kind = _KINDS[self.kind]

        def one(found: Any) -> Live:
            called, arn, policy = kind.reads(source, self.region, found)
            return Live({}, {"policy": policy}, called, None, arn, type=kind.type, region=self.region)

        listed = kind.lists(source, self.region)
        unread = tuple(one for one in listed if isinstance(one, Unreadable))
        return (*each(source, one, (one for one in listed if not isinstance(one, Unreadable)), _name), *unread)


def _name(found: Any) -> str:
    """What one is called before it is read: lists of names have these, others what they begin with."""
    return found if isinstance(found, str) else str(next(iter(found.values())))


def _lets_in_every_bucket(statement: Statement) -> bool:
    """Whether a statement lets Amazon S3 act for buckets of any account.

    Security Hub, Lambda.1: "The control also fails if a Lambda function is invoked from Amazon S3, and the policy
    doesn't include a condition to limit public access, such as AWS:SourceAccount." A bucket's ARN is no such condition:
    "It is possible for an Amazon S3 bucket to be deleted by its owner and recreated by another account."
    https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html
    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    of_s3 = statement.principals is not None and "s3.amazonaws.com" in statement.principals.service
    limits = (one for one in statement.conditions if chooses_callers(one) and not _is_of_buckets(one))
    return statement.effect == "Allow" and of_s3 and not any(limits)


def _is_of_buckets(condition: Condition) -> bool:
    """Whether its values are ARNs among which one has no account."""
    return any(one.startswith("arn:") and not any(one.split(":")[4:5]) for one in condition.values)


_PUBLIC: Mapping[str, Callable[[Statement], bool]] = MappingProxyType({"lets in every AWS account": lets_in_everyone})
_PUBLIC_OR_OF_S3 = MappingProxyType({**_PUBLIC, "lets Amazon S3 act for every AWS account": _lets_in_every_bucket})


def _check(
    name: str,
    title: str,
    severity: Severity,
    service: str,
    fact: Callable[[str], Wanted[tuple[Live, ...]]],
    many: str,
    why: str,
    source: str,
    faults: Mapping[str, Callable[[Statement], bool]] = _PUBLIC,
    left_out: str = "",
) -> Check:
    def needs(scope: Scope) -> Iterator[Wanted[Any]]:
        yield fact(scope.region)

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        every = answers.each(fact(scope.region))
        good = True
        for one in every:
            policy = one.values["policy"]
            if policy is None:
                continue
            try:
                document = PolicyDocument.parse(policy, name=one.called, kind=PolicyKind.RESOURCE)
            except PolicyError as e:
                good = False
                yield Outcome(Status.UNKNOWN, f"the policy of {one.called} cannot be understood: {e}", one)
                continue
            found = {
                fault: own
                for fault, has_it in faults.items()
                if (own := [statement for statement in document.statements if has_it(statement)])
            }
            if found:
                good = False
                said = " and ".join(f"{fault}: {', '.join(s.label for s in own)}" for fault, own in found.items())
                facts = tuple(f"{fault}: {digest(s)}" for fault, own in found.items() for s in own)
                yield Outcome(Status.FAIL, f"the policy of {one.called} {said}", one, facts=facts)
        if every and good:
            yield Outcome(Status.PASS, f"no policy of {len(every):,} {many} {' or '.join(faults)}{left_out}")

    remedy = "name the principals in the policy, or limit the statement by aws:PrincipalOrgID or aws:SourceAccount"
    return Check(name, title, severity, service, needs, judge, Remedy(remedy), why, regional=True, source=source)


def _of(kind: str) -> Callable[[str], ResourcePolicies]:
    return lambda region: ResourcePolicies(kind, region)


CHECKS = (
    _check(
        "s3_bucket_policy_not_public",
        "No bucket's policy lets in every AWS account.",
        Severity.CRITICAL,
        "s3",
        bucket_policies,
        "buckets",
        "Every AWS account could read or write objects, as soon as no block of public access takes that away.",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ),
    _check(
        "sns_topics_not_publicly_accessible",
        "No topic's policy lets in every AWS account.",
        Severity.HIGH,
        "sns",
        _of("topics"),
        "topics",
        "Every AWS account could read or forge messages.",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html",
    ),
    _check(
        "sqs_queues_not_publicly_accessible",
        "No queue's policy lets in every AWS account.",
        Severity.CRITICAL,
        "sqs",
        _of("queues"),
        "queues",
        "Every AWS account could read, forge or delete messages.",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
    ),
    _check(
        "awslambda_function_not_publicly_accessible",
        "No Lambda function's policy lets in every AWS account.",
        Severity.CRITICAL,
        "lambda",
        _of("functions"),
        "functions and aliases",
        "Everyone could run the function with the permissions of its role, at this account's expense.",
        "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
        _PUBLIC_OR_OF_S3,
        "; policies of published versions were not read",
    ),
    _check(
        "secretsmanager_not_publicly_accessible",
        "No secret's policy lets in every AWS account.",
        Severity.HIGH,
        "secretsmanager",
        _of("secrets"),
        "secrets",
        "Every AWS account could read the secret.",
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html",
    ),
    _check(
        "eventbridge_bus_exposed",
        "No event bus's policy lets in every AWS account.",
        Severity.HIGH,
        "events",
        _of("event buses"),
        "event buses",
        "Every AWS account could send events that rules here act on.",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html",
    ),
    _check(
        "glacier_vaults_policy_public_access",
        "No S3 Glacier vault's policy lets in every AWS account.",
        Severity.CRITICAL,
        "glacier",
        _of("vaults"),
        "vaults",
        "Every AWS account could read or delete archives.",
        "https://docs.aws.amazon.com/amazonglacier/latest/dev/vault-access-policy.html",
    ),
)
