"""The organization: its units, the policies that limit their accounts, and who administers services for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from toolkit.components.base import GOVCLOUD, Advice, Component, IamName, Lacking, Place, Protected, Scope
from toolkit.components.organization.documents import policies
from toolkit.components.organization.policy_settings import ResourceControlPolicy, ServiceControlPolicy
from toolkit.components.organization.settings import Organization
from toolkit.policies import OrganizationPolicies
from toolkit.settings.base import Mismatch

__all__ = ["COMPONENT", "Organization", "policies"]


def _trusts(settings: Organization) -> Iterator[str]:
    """A service is trusted before an account may administer it; designating an administrator trusts it by itself."""
    yield from settings.delegated_administrators
    if settings.security_administrator_account_id is not None:
        yield "guardduty.amazonaws.com"
        yield "securityhub.amazonaws.com"


def _compose(settings: Organization, place: Place) -> Mapping[str, Any]:
    return {
        "trusted_services": sorted(place.trusted_services.union(settings.trusted_services)),
        "policies": [
            {
                "name": p.name,
                "type": p.type,
                "description": p.description,
                "content": p.content,
                "targets": p.targets,
            }
            for p in policies(settings, place)
        ],
    }


def _organization_policies(settings: Organization, place: Place) -> OrganizationPolicies:
    closes = any("deny_other_regions" in p.guardrails for p in settings.service_control_policies.values())
    return OrganizationPolicies(
        policies=policies(settings, place),
        limits=settings.limits,
        deployers=settings.deployer_arns,
        apply_everything=settings.deployer_applies == "every_component",
        organization_id=settings.organization_id,
        allowed_regions=tuple(settings.allowed_regions) if closes else (),
        types=(
            *((("enabled_policy_types", n), kind) for n, kind in enumerate(settings.enabled_policy_types)),
            *((("management_policies", name, "type"), p.type) for name, p in settings.management_policies.items()),
        ),
    )


_GOVCLOUD_PAGE = (
    "https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-organizations.html, read on 2026-11-28"
)


_GOVCLOUD_TYPES = (
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "S3_POLICY",
)
"""The only types of policies there (_GOVCLOUD_PAGE)."""


def _not_offered(settings: Organization, place: Place) -> Iterator[Mismatch]:
    if place.partition != GOVCLOUD:
        return
    enabled = settings.enabled_policy_types if settings.manage_organization else ()
    used = [
        *((("enabled_policy_types",), kind) for kind in enabled),
        *(
            (("management_policies", name, "type"), policy.type)
            for name, policy in settings.management_policies.items()
        ),
    ]
    for path, kind in used:
        if kind not in _GOVCLOUD_TYPES:
            problem = f"AWS has no policies of type {kind} in the partition {place.partition}"
            yield Mismatch(path, problem, f"only {', '.join(_GOVCLOUD_TYPES)}")


def _advice(settings: Organization, _today: date) -> Iterator[Advice]:
    kinds: tuple[tuple[str, Mapping[str, ServiceControlPolicy | ResourceControlPolicy]], ...] = (
        ("service_control_policies", settings.service_control_policies),
        ("resource_control_policies", settings.resource_control_policies),
    )
    for kind, policies_of_kind in kinds:
        for name, policy in policies_of_kind.items():
            if policy.locks_out_deployers_because is not None:
                yield Advice(
                    (kind, name, "locks_out_deployers_because"),
                    f'aws_organizations_policy.control["{name}"]',
                    f"Whether {name} denies the principal that applies the baseline is not checked.",
                    f"attached to {', '.join(policy.targets)}: {policy.locks_out_deployers_because}",
                    "take locks_out_deployers_because away, and exempt the deployers",
                )


_POLICIES = ("service_control_policies.*", "resource_control_policies.*", "tag_policies.*", "management_policies.*")

COMPONENT = Component(
    name="organization",
    title="Organization",
    purpose="Organizational units, and policies that limit what every account may do.",
    scope=Scope.GLOBAL,
    settings=Organization,
    names=tuple(
        IamName("aws_organizations_policy", setting) for setting in (*_POLICIES, "ai_services_opt_out.policy_name")
    ),
    composed=(
        "service_control_policies",
        "resource_control_policies",
        "tag_policies",
        "management_policies",
        "ai_services_opt_out",
        "exempted_principal_arns",
        "deployer_arns",
        "deployer_applies",
        "allowed_regions",
        "root_user_exceptions",
        "organization_id",
        "trusted_account_ids",
        "resource_services",
        "origin_access_identities",
        "trusted_oidc_subjects",
        "limits",
    ),
    compose=_compose,
    organization_policies=_organization_policies,
    advice=_advice,
    trusts=_trusts,
    lacking_in=(
        Lacking(
            "AI services opt-out policies",
            (GOVCLOUD,),
            "ai_services_opt_out.enabled",
            "ai_services_opt_out: {enabled: false}",
            _GOVCLOUD_PAGE,
        ),
    ),
    not_offered=_not_offered,
    derived=("policies",),
    files_in=(
        "service_control_policies.*.file",
        "resource_control_policies.*.file",
        "tag_policies.*.file",
        "management_policies.*.file",
    ),
    protects=(
        Protected("aws_organizations_organization"),
        Protected("aws_organizations_organizational_unit"),
        Protected("aws_organizations_policy"),
        Protected("aws_organizations_policy_attachment", released_by=("aws_organizations_policy", "id", "policy_id")),
        Protected("aws_organizations_delegated_administrator"),
        Protected("aws_guardduty_organization_admin_account"),
        Protected("aws_securityhub_organization_admin_account"),
    ),
    # One setting makes both: the embedded AWS lacks Security Hub's, so GuardDuty's is not applied there either.
    left_out=("aws_guardduty_organization_admin_account",),
)
