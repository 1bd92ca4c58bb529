"""Every component, in the order in which people read and Terraform files list them."""

from __future__ import annotations

from toolkit.components import (
    access_analyzer,
    account_contacts,
    account_defaults,
    activity_alarms,
    cloudtrail,
    config,
    detective,
    firewall_manager,
    guardduty,
    iam_groups,
    iam_roles,
    iam_users,
    identity_center,
    inspector,
    key_rotation,
    macie,
    member_security,
    mfa_enforcement,
    organization,
    password_policy,
    root_protection,
    security_hub,
    shield,
    siem_export,
    trusted_advisor,
)
from toolkit.components.base import Component

REGISTRY: dict[str, Component] = {
    component.name: component
    for component in (
        password_policy.COMPONENT,
        iam_groups.COMPONENT,
        mfa_enforcement.COMPONENT,
        iam_users.COMPONENT,
        identity_center.COMPONENT,
        access_analyzer.COMPONENT,
        account_contacts.COMPONENT,
        account_defaults.COMPONENT,
        root_protection.COMPONENT,
        organization.COMPONENT,
        cloudtrail.COMPONENT,
        activity_alarms.COMPONENT,
        iam_roles.COMPONENT,
        config.COMPONENT,
        key_rotation.COMPONENT,
        guardduty.COMPONENT,
        security_hub.COMPONENT,
        member_security.COMPONENT,
        shield.COMPONENT,
        firewall_manager.COMPONENT,
        siem_export.COMPONENT,
        trusted_advisor.COMPONENT,
        macie.COMPONENT,
        inspector.COMPONENT,
        detective.COMPONENT,
    )
}
"""Component name → component."""
