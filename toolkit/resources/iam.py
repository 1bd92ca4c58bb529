"""AWS Identity and Access Management."""

from __future__ import annotations

from toolkit.resources.base import (
    ATTACHES,
    ELSEWHERE,
    IDENTITY,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
)

_MEMBERSHIP = "judged by what the groups grant, which stands at the groups (toolkit/plan/memberships.py)"
_CREDENTIAL = "another key or password is a new login profile; who is left without one is judged as a lock-out"

TYPES = (
    ResourceType("aws_iam_account_alias", no_weaker_side={NAMES: "account_alias"}),
    ResourceType(
        "aws_iam_account_password_policy",
        strengths=(
            *each(Stronger.HIGHER, "minimum_password_length", "password_reuse_prevention"),
            *each(
                Stronger.TRUE,
                "require_lowercase_characters",
                "require_uppercase_characters",
                "require_numbers",
                "require_symbols",
                "hard_expiry",
            ),
            # Whoever fears that a password has leaked changes it at once.
            Strength("allow_users_to_change_password", Stronger.TRUE, unset_is_strongest=True),
            # No age, and AWS's 0, mean for ever.
            Strength("max_password_age", Stronger.LOWER),
        ),
    ),
    ResourceType("aws_iam_group", no_weaker_side={NAMES: "name path"}),
    ResourceType(
        "aws_iam_group_policy",
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "group name name_prefix"},
    ),
    ResourceType("aws_iam_group_policy_attachment", no_weaker_side={ATTACHES: "group policy_arn"}),
    ResourceType(
        "aws_iam_openid_connect_provider",
        # Each audience and each certificate authority is one more whose tokens are accepted.
        strengths=(
            Strength("client_id_list", Stronger.SUBSET),
            Strength("thumbprint_list", Stronger.SUBSET, by_aws=True),
        ),
        no_weaker_side={IDENTITY: "url"},
    ),
    ResourceType(
        "aws_iam_organizations_features",
        strengths=(Strength("enabled_features", Stronger.SUPERSET),),
    ),
    ResourceType(
        "aws_iam_policy",
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "name name_prefix path", NAMES: "description"},
    ),
    ResourceType(
        "aws_iam_role",
        strengths=(
            Strength("assume_role_policy", Stronger.POLICY),
            Strength("permissions_boundary", Stronger.PRESENT),
            Strength("max_session_duration", Stronger.LOWER),
        ),
        no_weaker_side={
            IDENTITY: "name name_prefix path",
            NAMES: "description",
            TERRAFORM: "force_detach_policies",
            ELSEWHERE: "managed_policy_arns inline_policy",
        },
    ),
    ResourceType(
        "aws_iam_role_policy",
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "name name_prefix role"},
    ),
    ResourceType("aws_iam_role_policy_attachment", no_weaker_side={ATTACHES: "role policy_arn"}),
    ResourceType(
        "aws_iam_service_linked_role",
        no_weaker_side={IDENTITY: "aws_service_name custom_suffix", NAMES: "description"},
    ),
    ResourceType(
        "aws_iam_user",
        strengths=(Strength("permissions_boundary", Stronger.PRESENT),),
        no_weaker_side={NAMES: "name path", TERRAFORM: "force_destroy"},
    ),
    ResourceType("aws_iam_user_group_membership", no_weaker_side={IDENTITY: "user", _MEMBERSHIP: "groups"}),
    ResourceType(
        "aws_iam_user_login_profile",
        strengths=(
            Strength("password_length", Stronger.HIGHER),
            Strength("password_reset_required", Stronger.TRUE),
        ),
        no_weaker_side={IDENTITY: "user", _CREDENTIAL: "pgp_key"},
    ),
)
