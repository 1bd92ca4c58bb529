"""Every policy of an organization with its document, as it is rendered, sent to AWS, measured and judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from toolkit.components.base import Place
from toolkit.components.organization.guardrails import AI_OPT_OUT, Choices, service_control_document, tag_document
from toolkit.components.organization.resource_guardrails import (
    resource_control_document,
)
from toolkit.components.organization.settings import Organization
from toolkit.policies import OrganizationPolicy


def policies(settings: Organization, place: Place) -> tuple[OrganizationPolicy, ...]:
    """Every policy with its document, as it is rendered, sent, measured and judged."""

    def own(file: str | None) -> Mapping[str, Any]:
        parsed: Mapping[str, Any] = json.loads(place.files[file or ""])
        return parsed

    def choices(exempted: tuple[str, ...] = ()) -> Choices:
        return Choices(
            partition=place.partition,
            exempted=(*settings.exempted_principal_arns, *exempted),
            root_may=settings.root_user_exceptions,
            regions=settings.allowed_regions or place.regions,
            organization_id=settings.organization_id,
            trusted_accounts=settings.trusted_account_ids,
            services=settings.resource_services,
            origin_access_identities=settings.origin_access_identities,
            oidc_subjects=settings.trusted_oidc_subjects,
        )

    found = []
    for name, scp in settings.service_control_policies.items():
        content = (
            own(scp.file)
            if scp.file
            else service_control_document(scp.guardrails, choices(scp.exempted_principal_arns))
        )
        found.append(
            OrganizationPolicy(
                name=name,
                type="SERVICE_CONTROL_POLICY",
                description=scp.description,
                content=content,
                targets=scp.targets,
                path=("service_control_policies", name),
                file=scp.file,
                locks_out=scp.locks_out_deployers_because is not None,
            )
        )
    for name, rcp in settings.resource_control_policies.items():
        content = own(rcp.file) if rcp.file else resource_control_document(rcp.guardrails, choices())
        found.append(
            OrganizationPolicy(
                name=name,
                type="RESOURCE_CONTROL_POLICY",
                description=rcp.description,
                content=content,
                targets=rcp.targets,
                path=("resource_control_policies", name),
                file=rcp.file,
                locks_out=rcp.locks_out_deployers_because is not None,
            )
        )
    for name, tagging in settings.tag_policies.items():
        tags = {key: (tag.values, tag.enforced_for) for key, tag in tagging.tags.items()}
        content = own(tagging.file) if tagging.file else tag_document(tags)
        found.append(
            OrganizationPolicy(
                name, "TAG_POLICY", tagging.description, content, tagging.targets, ("tag_policies", name), tagging.file
            )
        )
    for name, policy in settings.management_policies.items():
        content = own(policy.file) if policy.file else policy.content
        path = ("management_policies", name)
        found.append(
            OrganizationPolicy(name, policy.type, policy.description, content, policy.targets, path, policy.file)
        )
    opt_out = settings.ai_services_opt_out
    if opt_out.enabled:
        found.append(
            OrganizationPolicy(
                opt_out.policy_name,
                "AISERVICES_OPT_OUT_POLICY",
                "No AI service keeps content of the accounts to improve itself",
                AI_OPT_OUT,
                opt_out.targets,
                ("ai_services_opt_out",),
            )
        )
    return tuple(found)
