"""The statements of resource control policies, each a switch by name, and AWS's documented exceptions to each.

Sources, read 2026-11-28: aws-samples/data-perimeter-policy-examples (commit 8e0d3c5 of 2026-03-18),
resource_control_policies/identity_perimeter_rcp.json and its README; aws-samples/resource-control-policy-examples
(commit f1aedfa of 2026-03-17), "Limit access to trusted OIDC identity providers"; AWS Organizations User Guide, "RCP
examples". Pure data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from toolkit.aws_lists import aws_list
from toolkit.components.organization.guardrails import Choices, document

ResourceGuardrail = Literal[
    "require_tls", "organization_identities_only", "organization_services_only", "trusted_oidc_tenants_only"
]
"""Statements of resource control policies: limits of whoever uses the accounts' resources."""

ResourceService = Literal[
    "aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts"
]
"""The services of AWS's examples, by the prefix of their actions.

Resource control policies apply to more (aws_lists/rcp_services.json). AWS's examples leave those out, AWS Sign-In among
them, where people have no identity of the organization yet: a file can name them.
"""

LOAD_BALANCER_ACCOUNTS: Mapping[str, list[str]] = aws_list("load_balancer_accounts").items
"""Partition → AWS's own accounts from which load balancers of the older regions write access logs to buckets."""

_STS_FOR_PRINCIPALS = (
    "sts:AssumeRole",
    "sts:DecodeAuthorizationMessage",
    "sts:GetAccessKeyInfo",
    "sts:GetFederationToken",
    "sts:GetServiceBearerToken",
    "sts:GetSessionToken",
    "sts:SetContext",
)
"""STS for signed requests: web identities and SAML belong to no organization and are not concerned (AWS's example)."""

_WITH_PUBLIC_CALLS = ("cognito-identity", "cognito-idp")
"""Services that people call before they have any credentials: to sign up, sign in, or get an identity as a guest."""


def resource_control_document(names: Iterable[ResourceGuardrail], choices: Choices) -> dict[str, Any]:
    """The document of a resource control policy with these guardrails."""
    return document(s for name in names for s in _RESOURCE[name](choices))


def _deny(sid: str, actions: Iterable[str], condition: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": "*",
        "Condition": dict(condition),
    }


def _all_of(services: Iterable[str]) -> list[str]:
    return [f"{service}:*" for service in services]


def _require_tls(choices: Choices) -> list[dict[str, Any]]:
    return [_deny("RequireTls", _all_of(choices.services), {"BoolIfExists": {"aws:SecureTransport": "false"}})]


def _organization_identities(choices: Choices) -> list[dict[str, Any]]:
    actions: list[str] = []
    public: list[str] = []
    for service in choices.services:
        if service == "sts":
            actions += _STS_FOR_PRINCIPALS
        else:
            (public if service in _WITH_PUBLIC_CALLS else actions).append(f"{service}:*")
    statements = []
    if actions:
        foreign = _outside(choices, LOAD_BALANCER_ACCOUNTS.get(choices.partition, []))
        if choices.origin_access_identities:
            foreign["aws:PrincipalArn"] = [
                f"arn:{choices.partition}:iam::cloudfront:user/CloudFront Origin Access Identity {identity}"
                for identity in choices.origin_access_identities
            ]
        # Requests without credentials have no aws:PrincipalIsAWSService, either: they are denied, too.
        anybody = {"StringNotEqualsIfExists": foreign, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
        statements.append(_deny("OrganizationIdentitiesOnly", actions, anybody))
    if public:
        # Only requests with credentials have the key (IAM User Guide, "AWS global condition context keys").
        signed = {"StringNotEqualsIfExists": _outside(choices), "Bool": {"aws:PrincipalIsAWSService": "false"}}
        statements.append(_deny("OrganizationIdentitiesOnlyIfSigned", public, signed))
    return statements


def _outside(choices: Choices, of_aws: Iterable[str] = ()) -> dict[str, Any]:
    """Keys of whoever is neither of the organization nor of a trusted account."""
    accounts = [*of_aws, *choices.trusted_accounts]
    return {
        "aws:PrincipalOrgID": choices.organization_id,
        **({"aws:PrincipalAccount": accounts} if accounts else {}),
    }


def _organization_services(choices: Choices) -> list[dict[str, Any]]:
    outside: dict[str, Any] = {"aws:SourceOrgID": choices.organization_id}
    if choices.trusted_accounts:
        outside["aws:SourceAccount"] = list(choices.trusted_accounts)
    condition = {
        "StringNotEqualsIfExists": outside,
        # Only where a service says for whom it asks.
        "Null": {"aws:SourceAccount": "false"},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
    }
    return [_deny("OrganizationServicesOnly", _all_of(choices.services), condition)]


def _trusted_oidc_tenants(choices: Choices) -> list[dict[str, Any]]:
    """One statement a provider: its subjects are only looked at in tokens that it issued."""
    return [
        _deny(
            f"TrustedOidcTenants{number}",
            ["sts:AssumeRoleWithWebIdentity"],
            {
                "StringNotLikeIfExists": {f"{provider}:sub": list(subjects)},
                "Null": {f"{provider}:sub": "false"},
            },
        )
        for number, (provider, subjects) in enumerate(choices.oidc_subjects.items(), 1)
    ]


_RESOURCE: dict[ResourceGuardrail, Callable[[Choices], list[dict[str, Any]]]] = {
    "require_tls": _require_tls,
    "organization_identities_only": _organization_identities,
    "organization_services_only": _organization_services,
    "trusted_oidc_tenants_only": _trusted_oidc_tenants,
}

NEEDS_ORGANIZATION_ID: tuple[ResourceGuardrail, ...] = ("organization_identities_only", "organization_services_only")
"""Guardrails whose statements name the organization."""
