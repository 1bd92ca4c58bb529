"""The statements of service control policies, each a switch by name, and the documents that they make up.

The one source of their text: what is built here is what rendered HCL shows, what Terraform sends, and what is measured
and judged before Terraform starts. Pure data. Sources (AWS Organizations User Guide, by page title, unless named
otherwise): "SCP examples", "AI services opt-out policy syntax and examples", "Tag policy syntax and examples"; Amazon
EC2 User Guide, "Example policies to control access: work with instance metadata"; AWS Control Tower User Guide, control
AWS-GR_RESTRICT_ROOT_USER.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.aws_lists import aws_list
from toolkit.privileges import BLINDING

ServiceGuardrail = Literal[
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
    "deny_other_regions",
    "require_imdsv2",
]
"""Statements of service control policies: limits of the accounts' own users and roles."""

GLOBAL_ACTIONS: tuple[str, ...] = aws_list("global_actions").names
"""What a denial of regions must leave out, since AWS answers it in one region or everywhere."""

_PROTECTED: dict[ServiceGuardrail, tuple[str, tuple[str, ...]]] = {
    "protect_trail": ("ProtectTrail", ("cloudtrail",)),
    "protect_config": ("ProtectConfig", ("config",)),
    "protect_guardduty": ("ProtectGuardDuty", ("guardduty",)),
    "protect_security_hub": ("ProtectSecurityHub", ("securityhub",)),
    "protect_access_analyzer": ("ProtectAccessAnalyzer", ("access_analyzer",)),
    "protect_scanners": ("ProtectScanners", ("detective", "firewall_manager", "inspector", "macie", "shield")),
    "protect_account_settings": (
        "ProtectAccountSettings",
        ("account", "defaults", "registry", "sign_in", "stack_sets", "systems_manager"),
    ),
}
"""Guardrail → Sid and kinds of `BLINDING`, whose actions it denies: what guarded IAM groups may not do, either."""


@dataclass(frozen=True)
class Choices:
    """What the statements depend on.

    Attributes:
        partition: Of the ARNs.
        exempted: ARN patterns of principals that protecting statements leave alone.
        root_may: Actions left to the root user.
        regions: Where the accounts may work.
        organization_id: Needed by statements about the organization's identities; None elsewhere.
        trusted_accounts: Accounts outside of the organization that may use its resources.
        services: Prefixes of the services whose resources are meant.
        origin_access_identities: Of CloudFront, which read the accounts' buckets.
        oidc_subjects: Shared OIDC provider → patterns of the subjects that may assume the accounts' roles.
    """

    partition: str
    exempted: tuple[str, ...] = ()
    root_may: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    organization_id: str | None = None
    trusted_accounts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    origin_access_identities: tuple[str, ...] = ()
    oidc_subjects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def service_control_document(names: Iterable[ServiceGuardrail], choices: Choices) -> dict[str, Any]:
    """The document of a service control policy with these guardrails."""
    return document(s for name in names for s in _SERVICE[name](choices))


AI_OPT_OUT: dict[str, Any] = {
    # Without @@operators_allowed_for_child_policies an account's own policy could opt in again.
    "services": {
        "@@operators_allowed_for_child_policies": ["@@none"],
        "default": {
            "@@operators_allowed_for_child_policies": ["@@none"],
            "opt_out_policy": {
                "@@operators_allowed_for_child_policies": ["@@none"],
                "@@assign": "optOut",
            },
        },
    }
}
"""No AI service keeps content to improve itself, and no policy below says otherwise."""


def tag_document(tags: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> dict[str, Any]:
    """A tag policy: tag key → (accepted values, resource types for which others are refused)."""
    return {
        "tags": {
            key.lower(): {
                "tag_key": {"@@assign": key},
                **({"tag_value": {"@@assign": list(values)}} if values else {}),
                **({"enforced_for": {"@@assign": list(enforced)}} if enforced else {}),
            }
            for key, (values, enforced) in tags.items()
        }
    }


def document(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _deny(
    sid: str, actions: tuple[str, ...], condition: Mapping[str, Any] | None = None, resource: str = "*"
) -> dict[str, Any]:
    body: dict[str, Any] = {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": resource}
    return {**body, "Condition": dict(condition)} if condition else body


def _but(choices: Choices, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A condition that leaves the exempted principals alone."""
    exempted = {"ArnNotLike": {"aws:PrincipalArn": list(choices.exempted)}} if choices.exempted else {}
    return {**(condition or {}), **exempted}


def _deny_leaving(_choices: Choices) -> list[dict[str, Any]]:
    return [_deny("DenyLeaving", ("organizations:LeaveOrganization",))]


def _deny_root_user(choices: Choices) -> list[dict[str, Any]]:
    # aws:AssumedRoot is there in sessions of central root access only, which do what otherwise root would have to.
    condition = {
        "ArnLike": {"aws:PrincipalArn": f"arn:{choices.partition}:iam::*:root"},
        "Null": {"aws:AssumedRoot": "true"},
    }
    statement = _deny("DenyRootUser", ("*",), condition)
    if choices.root_may:
        statement = {("NotAction" if k == "Action" else k): v for k, v in statement.items()}
        statement["NotAction"] = list(choices.root_may)
    return [statement]


def _protect(name: ServiceGuardrail) -> Callable[[Choices], list[dict[str, Any]]]:
    sid, kinds = _PROTECTED[name]
    actions = tuple(action for kind in kinds for action in BLINDING[kind])
    return lambda choices: [_deny(sid, actions, _but(choices))]


def _deny_public_sharing(choices: Choices) -> list[dict[str, Any]]:
    everybody = {"StringEquals": {"ec2:Add/group": "all"}}
    return [
        _deny("ProtectPublicAccessBlocks", BLINDING["public_sharing"], _but(choices)),
        _deny(
            "DenyPublicImages", ("ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"), _but(choices, everybody)
        ),
    ]


def _deny_other_regions(choices: Choices) -> list[dict[str, Any]]:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": list(choices.regions)}}
    return [
        {
            "Sid": "DenyOtherRegions",
            "Effect": "Deny",
            "NotAction": list(GLOBAL_ACTIONS),
            "Resource": "*",
            "Condition": _but(choices, elsewhere),
        }
    ]


def _require_imdsv2(choices: Choices) -> list[dict[str, Any]]:
    instances = f"arn:{choices.partition}:ec2:*:*:instance/*"
    launched = {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}
    changed = {
        "StringNotEquals": {"ec2:Attribute/HttpTokens": "required"},
        "Null": {"ec2:Attribute/HttpTokens": "false"},
    }
    return [
        _deny("RequireImdsV2AtLaunch", ("ec2:RunInstances",), _but(choices, launched), instances),
        _deny("KeepImdsV2", ("ec2:ModifyInstanceMetadataOptions",), _but(choices, changed), instances),
        # Instances that ask the older service get credentials with which nothing can be done.
        _deny("RefuseImdsV1Credentials", ("*",), {"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}),
    ]


_SERVICE: dict[ServiceGuardrail, Callable[[Choices], list[dict[str, Any]]]] = {
    "deny_leaving": _deny_leaving,
    "deny_root_user": _deny_root_user,
    "deny_public_sharing": _deny_public_sharing,
    "deny_other_regions": _deny_other_regions,
    "require_imdsv2": _require_imdsv2,
    **{name: _protect(name) for name in _PROTECTED},
}
