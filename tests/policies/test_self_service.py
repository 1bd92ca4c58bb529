"""What `iam_groups.self_service` allows: rotating one's own access keys, and credentials from a console session.

The policies are those that Terraform plans and AWS's own; each case is evaluated with the group's policies, its
guardrail and MFA enforcement, and once without MFA enforcement, which an environment need not have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.iam import Decision, Policies, Request, evaluate

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
ME, OTHER, LOOKALIKE = f"{IAM}:user/staff/me", f"{IAM}:user/staff/other", f"{IAM}:user/not-me"
ROTATION = (
    "CreateAccessKey",
    "DeleteAccessKey",
    "GetAccessKeyLastUsed",
    "GetUser",
    "ListAccessKeys",
    "UpdateAccessKey",
)
GUARDED = ("developers", "auditors", "billing", "support")
SESSIONS = {
    "mfa": {"aws:MultiFactorAuthPresent": "true"},
    "console": {"aws:MultiFactorAuthPresent": "false"},
    "key": {},  # a long-lived access key, or one that a thief has
}
CLIENTS = [f"arn:aws:signin:eu-central-1:{ACCOUNT}:oauth2/public-client/{name}" for name in ("localhost", "remote")]
SIGN_IN = [(f"signin:{name}", client) for name in ("AuthorizeOAuth2Access", "CreateOAuth2Token") for client in CLIENTS]


def decided(
    rendered: Any, group: str, action: str, resource: str, session: str, *more: Any, enforced: bool
) -> Decision:
    mfa = (rendered.mfa["default"],) if enforced else ()
    policies = Policies((*rendered.groups[group], *mfa, *more))
    return evaluate(Request(ME, action, resource, SESSIONS[session]), policies).decision


@pytest.mark.terraform
@pytest.mark.parametrize("enforced", [True, False])
@pytest.mark.parametrize("group", GUARDED)
def test_users_rotate_their_own_keys_with_mfa_and_nobody_else_s(group: str, enforced: bool, rendered: Any) -> None:
    def rotates(resource: str, session: str) -> list[str]:
        policy = rendered.self_service
        return [
            name
            for name in ROTATION
            if decided(rendered, group, f"iam:{name}", resource, session, policy, enforced=enforced) is Decision.ALLOW
        ]

    # MFA enforcement lets a user read themself without MFA; auditors read everybody with it, by AWS's policies.
    reads = ["GetUser"] if enforced else []
    views = {"GetAccessKeyLastUsed", "GetUser", "ListAccessKeys"} if group == "auditors" else set()
    assert rotates(ME, "mfa") == list(ROTATION)
    for other in (OTHER, LOOKALIKE):
        assert set(rotates(other, "mfa")) <= views
    for session in ("console", "key"):
        assert set(rotates(ME, session)) <= {*reads, *(set() if enforced else views)}
        if enforced:
            assert rotates(ME, session) == reads


@pytest.mark.terraform
@pytest.mark.parametrize("group", GUARDED)
def test_without_the_setting_nobody_rotates(group: str, rendered: Any) -> None:
    writing = ("CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey")
    for name in writing:
        assert decided(rendered, group, f"iam:{name}", ME, "mfa", enforced=True) is not Decision.ALLOW


@pytest.mark.terraform
def test_it_allows_no_other_action_of_iam(rendered: Any) -> None:
    from botocore.session import get_session

    operations = get_session().get_service_model("iam").operation_names
    policies = Policies((rendered.self_service,))
    allowed = {n for n in operations if evaluate(Request(ME, f"iam:{n}", ME, SESSIONS["mfa"]), policies).allowed}
    assert allowed == set(ROTATION)


@pytest.mark.terraform
def test_taking_anything_out_of_the_policy_or_adding_to_it_changes_a_case(rendered: Any) -> None:
    """Without the condition a key would be enough, with a wider resource another user's keys would be open."""
    cases = [
        (f"iam:{name}", user, session)
        for name in ROTATION
        for user in (ME, ME.replace("staff/", ""), OTHER)
        for session in SESSIONS
    ]

    def table(document: Any) -> list[bool]:
        return [
            evaluate(Request(user, action, user, SESSIONS[session]), Policies((document,))).allowed
            for action, user, session in cases
        ] + [
            evaluate(Request(ME, action, OTHER, SESSIONS[session]), Policies((document,))).allowed
            for action, _, session in cases
        ]

    document = rendered.self_service
    (statement,) = document.statements
    mutants = [replace(statement, conditions=())]
    mutants += [
        replace(statement, actions=tuple(a for a in statement.actions if a != one)) for one in statement.actions
    ]
    mutants += [
        replace(statement, resources=tuple(r for r in statement.resources if r != one)) for one in statement.resources
    ]
    mutants += [replace(statement, resources=(f"{IAM}:user/*",))]
    wanted = table(document)
    assert all(table(replace(document, statements=(mutant,))) != wanted for mutant in mutants)
    assert table(replace(document, statements=())) != wanted


@pytest.mark.terraform
@pytest.mark.parametrize("group", GUARDED)
def test_aws_login_needs_mfa_where_it_is_enforced(group: str, rendered: Any, aws_managed: Any) -> None:
    """The session's MFA is what counts: whoever signed in without gets no credentials for the command line."""
    policy = aws_managed["SignInLocalDevelopmentAccess"]
    for action, client in SIGN_IN:
        assert decided(rendered, group, action, client, "mfa", policy, enforced=True) is Decision.ALLOW
        for session in ("console", "key"):
            assert decided(rendered, group, action, client, session, policy, enforced=True) is Decision.EXPLICIT_DENY
        assert decided(rendered, group, action, client, "console", policy, enforced=False) is Decision.ALLOW


@pytest.mark.terraform
def test_who_may_use_aws_login_without_the_setting(rendered: Any) -> None:
    allowed = {
        group
        for group in rendered.groups
        if all(decided(rendered, group, *one, "mfa", enforced=True) is Decision.ALLOW for one in SIGN_IN)
    }
    assert allowed == {"administrators", "developers"}  # by AdministratorAccess and PowerUserAccess


@pytest.mark.terraform
def test_aws_login_opens_nothing_else_of_sign_in(rendered: Any, aws_managed: Any) -> None:
    """Who decides from where the console may be used stays with administrators."""
    policy = aws_managed["SignInLocalDevelopmentAccess"]
    for action in ("signin:PutConsoleAuthorizationConfiguration", "signin:PutResourcePermissionStatement"):
        assert decided(rendered, "auditors", action, "*", "mfa", policy, enforced=True) is Decision.EXPLICIT_DENY
