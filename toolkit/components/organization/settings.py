"""Settings of `organization`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from toolkit.components.organization.policy_settings import (
    AiServicesOptOut,
    Limits,
    ManagementPolicy,
    PolicyName,
    PrincipalPatterns,
    ResourceControlPolicy,
    ServiceControlPolicy,
    TagPolicy,
)
from toolkit.components.organization.resource_guardrails import (
    NEEDS_ORGANIZATION_ID,
    ResourceService,
)
from toolkit.components.organization.values import (
    GITHUB,
    GITHUB_SUBJECT,
    Actions,
    OidcProvider,
    OidcSubjects,
    OriginAccessIdentities,
    PolicyTypes,
    ResourceServices,
    Service,
    Services,
    UnitPaths,
)
from toolkit.settings.accounts import ACCOUNT_ID, UNIT_ID, AccountId, AccountIds, OrganizationId
from toolkit.settings.base import Settings
from toolkit.settings.regions import NewRegions


class Organization(Settings):
    """Settings of `organization`, which goes into the environment of the management account."""

    manage_organization: bool = Field(
        True,
        description="Whether Terraform manages the organization itself: its trusted services and policy types. false: "
        "it only reads the organization, and manages its units and policies.",
    )
    trusted_services: Services = Field(
        (
            "access-analyzer.amazonaws.com",
            "cloudtrail.amazonaws.com",
            "config-multiaccountsetup.amazonaws.com",
            "config.amazonaws.com",
            "guardduty.amazonaws.com",
            "iam.amazonaws.com",
            "securityhub.amazonaws.com",
        ),
        description="Services that may work in all accounts (trusted access), as a complete list; the toolkit adds the "
        "services that components of this environment need. A service that is not in it loses its access. Used where "
        "the organization is managed.",
    )
    keep_trusted_services: bool = Field(
        False,
        description="Whether services that the organization trusts already keep their access, without being listed, "
        "such as those that a console enabled; true needs an organization that exists. false: a plan reports each as "
        "a removal.",
    )
    enabled_policy_types: PolicyTypes = Field(
        ("AISERVICES_OPT_OUT_POLICY", "RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY", "TAG_POLICY"),
        description="Enabled policy types, as a complete list: disabling a type ends the effect of all its policies. "
        "Used where the organization is managed; elsewhere the types must already be enabled.",
    )
    organizational_units: UnitPaths = Field(
        (), description="Paths of organizational units, parents included: Workloads, Workloads/Production."
    )
    service_control_policies: dict[PolicyName, ServiceControlPolicy] = Field(
        {
            "baseline-guardrails": ServiceControlPolicy(
                description="What no account may do to the organization, its records and its secrets",
                guardrails=(
                    "deny_leaving",
                    "deny_root_user",
                    "protect_trail",
                    "protect_config",
                    "protect_guardduty",
                    "protect_security_hub",
                    "protect_access_analyzer",
                    "protect_scanners",
                    "protect_account_settings",
                    "deny_public_sharing",
                ),
            )
        },
        description="Name => service control policy; setting it replaces the default, which has every guardrail except "
        "deny_other_regions and require_imdsv2: these two can stop running workloads, so they are opt-in.",
    )
    resource_control_policies: dict[PolicyName, ResourceControlPolicy] = Field(
        {}, description="Name => resource control policy."
    )
    tag_policies: dict[PolicyName, TagPolicy] = Field({}, description="Name => tag policy.")
    management_policies: dict[PolicyName, ManagementPolicy] = Field(
        {}, description="Name => policy of another type, such as BACKUP_POLICY or DECLARATIVE_POLICY_EC2."
    )
    ai_services_opt_out: AiServicesOptOut = Field(
        AiServicesOptOut(), description="Whether AI services may keep content."
    )
    exempted_principal_arns: PrincipalPatterns = Field(
        (),
        description="Principals that are exempt from all guardrails except deny_leaving and deny_root_user: at least "
        "the role with which the baseline is applied in the accounts, like arn:aws:iam::*:role/baseline- "
        "deployer.",
    )
    deployer_arns: PrincipalPatterns = Field(
        (),
        description="Whole ARNs of roles with which the baseline is applied in the accounts that the policies reach: "
        "no policy may lock them out. Empty: the role of credentials.assume_role, or else the caller.",
    )
    deployer_applies: Literal["every_component", "enabled_components"] = Field(
        "every_component",
        description="Which components the deployers must stay able to apply: every one of the toolkit, since the "
        "accounts have environments of their own, or those that this environment has.",
    )
    allowed_regions: NewRegions = Field(
        (),
        description="Regions that deny_other_regions allows, all those of the accounts' environments; empty: the "
        "active and retiring regions of this environment.",
    )
    root_user_exceptions: Actions = Field(
        (
            "iam:CreateVirtualMFADevice",
            "iam:DeleteAccessKey",
            "iam:EnableMFADevice",
            "iam:GetAccountSummary",
            "iam:ListAccessKeys",
            "iam:ListMFADevices",
            "iam:ListVirtualMFADevices",
        ),
        description="What deny_root_user leaves to an account's root user: by default, to get MFA and to lose its "
        "access keys. Sessions of central root access are always exempt.",
    )
    organization_id: OrganizationId | None = Field(
        None,
        description="Id of the organization, for the resource guardrails that name it; null where none is used.",
    )
    trusted_account_ids: AccountIds = Field(
        (),
        description="Accounts outside the organization that are exempt from resource guardrails, such as a vendor's.",
    )
    resource_services: ResourceServices = Field(
        get_args(ResourceService),
        description="Services whose resources the resource guardrails cover, by the prefix of their actions.",
    )
    origin_access_identities: OriginAccessIdentities = Field(
        (),
        description="Ids of the origin access identities with which CloudFront reads buckets; "
        "organization_identities_only would deny them. Distributions with origin access control need none.",
    )
    trusted_oidc_subjects: dict[OidcProvider, OidcSubjects] = Field(
        {},
        description="OIDC provider that serves many tenants => patterns of the subjects (`sub`) of your own, for "
        "trusted_oidc_tenants_only: token.actions.githubusercontent.com => repo:OWNER/*.",
    )
    limits: Limits = Field(
        Limits(), description="Quotas that the toolkit checks policies against before Terraform starts."
    )
    delegated_administrators: dict[Service, AccountIds] = Field(
        {}, description="Service principal => accounts that administer the service for the organization."
    )
    security_administrator_account_id: AccountId | None = Field(
        None,
        description="Account that administers GuardDuty and Security Hub for the organization, in every active region; "
        "null for none.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Organization:
        units = set(self.organizational_units)
        for unit in self.organizational_units:
            parent = unit.rpartition("/")[0]
            if parent and parent not in units:
                raise ValueError(f"organizational_units lacks {parent}, the parent of {unit}")
        names: dict[str, str] = {}
        for kind, name, targets in self.policies_with_targets():
            if name in names:
                # AWS asks for unique names among all types, and so does the module's map.
                raise ValueError(f"{name} is the name of two policies, under {names[name]} and {kind}")
            names[name] = kind
            if not targets:
                raise ValueError(f"{kind}.{name}.targets must name at least one target")
            for target in targets:
                if (
                    target != "root"
                    and target not in units
                    and not UNIT_ID.fullmatch(target)
                    and not ACCOUNT_ID.fullmatch(target)
                ):
                    known = ", ".join(("root", *self.organizational_units))
                    raise ValueError(
                        f"{kind}.{name}.targets: {target} is none of {known}, and no id of a unit (ou-…) or account"
                    )
        for name, policy in self.resource_control_policies.items():
            needing = [g for g in policy.guardrails if g in NEEDS_ORGANIZATION_ID]
            if needing and self.organization_id is None:
                raise ValueError(f"organization_id must be given: {needing[0]} of {name} names the organization")
            if "trusted_oidc_tenants_only" in policy.guardrails and not self.trusted_oidc_subjects:
                raise ValueError(f"trusted_oidc_subjects must be given: trusted_oidc_tenants_only of {name} names them")
        for subject in self.trusted_oidc_subjects.get(GITHUB, ()):
            if not GITHUB_SUBJECT.fullmatch(subject):
                # repo:OWNER* is a pattern of OWNER-of-somebody-else, too.
                raise ValueError(
                    f"trusted_oidc_subjects: {subject} names no owner alone; expected repo:OWNER/… or repo:OWNER@ID/…"
                )
        for arn in self.deployer_arns:
            if "*" in arn or "?" in arn:
                raise ValueError(f"deployer_arns: {arn} is a pattern; expected the whole ARN of one role or user")
        missing = sorted(_types_used(self) - set(self.enabled_policy_types))
        if self.manage_organization and missing:
            raise ValueError(f"enabled_policy_types lacks {', '.join(missing)}, of which there are policies")
        return self

    def policies_with_targets(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """(setting, name, targets) of every policy."""
        groups: tuple[tuple[str, Mapping[str, Any]], ...] = (
            ("service_control_policies", self.service_control_policies),
            ("resource_control_policies", self.resource_control_policies),
            ("tag_policies", self.tag_policies),
            ("management_policies", self.management_policies),
        )
        for kind, policies in groups:
            for name, policy in policies.items():
                yield kind, name, policy.targets
        if self.ai_services_opt_out.enabled:
            yield "ai_services_opt_out", self.ai_services_opt_out.policy_name, self.ai_services_opt_out.targets


def _types_used(settings: Organization) -> set[str]:
    named = {
        "SERVICE_CONTROL_POLICY": settings.service_control_policies,
        "RESOURCE_CONTROL_POLICY": settings.resource_control_policies,
        "TAG_POLICY": settings.tag_policies,
        "AISERVICES_OPT_OUT_POLICY": settings.ai_services_opt_out.enabled,
    }
    return {kind for kind, used in named.items() if used} | {p.type for p in settings.management_policies.values()}
