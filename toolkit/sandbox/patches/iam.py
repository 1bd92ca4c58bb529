"""IAM, corrected."""

from __future__ import annotations

import csv
import functools
import inspect
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import EntityAlreadyExists
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from toolkit.sandbox.patches.base import Method, Patch


def _unique_name(
    argument: str, names: Callable[[IAMBackend], Iterable[str]], replaces: str | None = None
) -> Callable[[Method], Method]:
    """Refuses a name that another has already, whatever its case.

    Args:
        argument: The parameter of moto's method that has the new name; None there gives none.
        names: What has a name already.
        replaces: The parameter that has the old name, which an update may repeat as it is.
    """

    def correct(original: Method) -> Method:
        signature = inspect.signature(original)

        @functools.wraps(original)  # another patch may read the signature of this one
        def make(self: IAMBackend, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(self, *args, **kwargs).arguments
            name = given.get(argument)
            repeats = replaces is not None and name == given[replaces]
            if name and not repeats and any(name.lower() == other.lower() for other in names(self)):
                raise EntityAlreadyExists(f"{name} already exists")
            return original(self, *args, **kwargs)

        return make

    return correct


def _create_user_tags(original: Method) -> Method:
    signature = inspect.signature(original)

    def create_user(self: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        self._tag_verification(signature.bind(self, *args, **kwargs).arguments.get("tags") or [])
        return original(self, *args, **kwargs)

    return create_user


def _tag_user(original: Method) -> Method:
    def tag_user(self: IAMBackend, name: str, tags: list[dict[str, str]]) -> None:
        new = self._tag_verification(tags)
        arn = self.get_user(name).arn
        old = [tag["Key"] for tag in self.tagger.list_tags_for_resource(arn)["Tags"]]
        self.tagger.untag_resource_using_names(arn, [key for key in old if key.lower() in new])
        original(self, name, tags)

    return tag_user


def _update_role(original: Method) -> Method:
    def update_role(self: IAMBackend, role_name: str, role_description: str | None, max_session_duration: Any) -> Any:
        kept = self.get_role(role_name).description if role_description is None else role_description
        return original(self, role_name, kept, max_session_duration)

    return update_role


def _own_policies(backend: IAMBackend) -> Iterable[str]:
    return [p.name for arn, p in backend.managed_policies.items() if not arn.startswith("arn:aws:iam::aws:")]


def _audience(added: bool) -> Callable[[Method], Method]:
    """Adds an audience to a provider of identities, or removes one; neither fails where there is nothing to do."""

    def correct(_original: Method) -> Method:
        def change(self: IamResponse) -> ActionResult:
            provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
            audience = self._get_param("ClientID")
            others = [one for one in provider.client_id_list if one != audience]
            provider.client_id_list = [*others, audience] if added else others
            return EmptyResult()

        return change

    return correct


def _list_service_credentials(_original: Method) -> Method:
    def list_service_specific_credentials(_self: IamResponse) -> ActionResult:
        # moto has no way to make one, so no user has any.
        return ActionResult({"ServiceSpecificCredentials": []})

    return list_service_specific_credentials


_OF_ROOT = {
    "user": "<root_account>",
    "user_creation_time": "2025-01-01T00:00:00+00:00",
    "password_enabled": "not_supported",
    "password_last_used": "no_information",
    "password_last_changed": "not_supported",
    "password_next_rotation": "not_supported",
    **dict.fromkeys(
        ("mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active"), "false"
    ),
}
"""Columns of the credential report for root of an account in which nobody has signed in as root; the others are N/A."""


def _create_user_within(original: Method) -> Method:
    def create_user(self: IamResponse) -> ActionResult:
        answer: ActionResult = original(self)
        _bound(self, self._get_param("PermissionsBoundary"))
        return answer

    return create_user


def _put_user_boundary(_original: Method) -> Method:
    def put_user_permissions_boundary(self: IamResponse) -> ActionResult:
        _bound(self, self._get_param("PermissionsBoundary"))
        return EmptyResult()

    return put_user_permissions_boundary


def _delete_user_boundary(_original: Method) -> Method:
    def delete_user_permissions_boundary(self: IamResponse) -> ActionResult:
        _bound(self, None)
        return EmptyResult()

    return delete_user_permissions_boundary


def _bound(response: IamResponse, arn: str | None) -> None:
    """Gives a user a permissions boundary, or none; what describes a user takes it from there."""
    user: Any = response.backend.get_user(response._get_param("UserName"))
    boundary = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    user.permissions_boundary = boundary if arn else None


def _report_with_root(original: Method) -> Method:
    def get_credential_report(self: IAMBackend) -> str:
        header, *users = original(self).splitlines(keepends=True)
        row = io.StringIO()
        columns = header.strip().split(",")
        known = {**_OF_ROOT, "arn": f"arn:{self.partition}:iam::{self.account_id}:root"}
        csv.DictWriter(row, columns, restval="N/A", lineterminator="\n").writerow(known)
        return "".join((header, row.getvalue(), *users))

    return get_credential_report


def _report_of_now(original: Method) -> Method:
    def get_credential_report(self: IamResponse) -> ActionResult:
        report: dict[str, Any] = original(self).result
        return ActionResult({**report, "GeneratedTime": datetime.now(UTC).replace(microsecond=0)})

    return get_credential_report


_UNIQUE = (
    "moto distinguishes names by case. IAM API, CreateGroup, CreatePolicy, CreateRole, CreateUser, UpdateUser: names "
    'are not distinguished by case; one cannot create both "MyResource" and "myresource".'
)
_AUDIENCES = (
    "moto lacks the call, so that Terraform waits for minutes and fails. IAM API, AddClientIDToOpenIDConnectProvider "
    "and RemoveClientIDFromOpenIDConnectProvider: they change the list of client ids, and do not fail where nothing "
    "is to be done."
)
_USER_TAGS = (
    "moto distinguishes tag keys of users by case, and checks none. IAM API, CreateUser, TagUser: keys of users and "
    "roles are not distinguished by case; of two in one call it accepts neither, and a later one replaces the earlier."
)
_USER_BOUNDARY = (
    "moto has permissions boundaries of roles alone. IAM API, CreateUser, PutUserPermissionsBoundary, "
    "DeleteUserPermissionsBoundary, GetUser and GetAccountAuthorizationDetails: users have one, too, which is the ARN "
    "of a managed policy."
)

PATCHES = (
    Patch(
        name="iam-service-specific-credentials",
        owner=IamResponse,
        method="list_service_specific_credentials",
        reason="moto lacks the call, which deleting a user with force_destroy makes, so none can be deleted. IAM "
        "API, ListServiceSpecificCredentials: answers an empty list for a user without any.",
        correct=_list_service_credentials,
    ),
    Patch(
        name="iam-report-root",
        owner=IAMBackend,
        method="get_credential_report",
        reason="moto's credential report lacks root. IAM API, GetCredentialReport, and the user guide on credential "
        "reports: its first row is <root_account>.",
        correct=_report_with_root,
    ),
    Patch(
        name="iam-report-time",
        owner=IamResponse,
        method="get_credential_report",
        reason="moto writes every credential report in 2015. IAM API, GetCredentialReport: GeneratedTime is when the "
        "report was created, at most four hours ago.",
        correct=_report_of_now,
    ),
    Patch("iam-unique-group", IAMBackend, "create_group", _UNIQUE, _unique_name("group_name", lambda b: b.groups)),
    Patch("iam-unique-user", IAMBackend, "create_user", _UNIQUE, _unique_name("user_name", lambda b: b.users)),
    Patch("iam-unique-policy", IAMBackend, "create_policy", _UNIQUE, _unique_name("policy_name", _own_policies)),
    Patch(
        "iam-unique-role",
        IAMBackend,
        "create_role",
        _UNIQUE,
        _unique_name("role_name", lambda b: [role.name for role in b.get_roles()]),
    ),
    Patch(
        "iam-unique-rename",
        IAMBackend,
        "update_user",
        _UNIQUE,
        _unique_name("new_user_name", lambda b: b.users, "user_name"),
    ),
    Patch(
        "iam-oidc-client-add",
        IamResponse,
        "add_client_id_to_open_id_connect_provider",
        _AUDIENCES,
        _audience(added=True),
    ),
    Patch(
        "iam-oidc-client-remove",
        IamResponse,
        "remove_client_id_from_open_id_connect_provider",
        _AUDIENCES,
        _audience(added=False),
    ),
    Patch(
        name="iam-update-role",
        owner=IAMBackend,
        method="update_role",
        reason="moto takes a role's description away with each change of its session duration, so Terraform plans it "
        "again. IAM API, UpdateRole: Description is not required, and is the new description where there is one.",
        correct=_update_role,
    ),
    Patch("iam-user-tags-create", IAMBackend, "create_user", _USER_TAGS, _create_user_tags),
    Patch("iam-user-tags-change", IAMBackend, "tag_user", _USER_TAGS, _tag_user),
    Patch("iam-user-boundary-create", IamResponse, "create_user", _USER_BOUNDARY, _create_user_within),
    Patch("iam-user-boundary-put", IamResponse, "put_user_permissions_boundary", _USER_BOUNDARY, _put_user_boundary),
    Patch(
        "iam-user-boundary-delete",
        IamResponse,
        "delete_user_permissions_boundary",
        _USER_BOUNDARY,
        _delete_user_boundary,
    ),
)
