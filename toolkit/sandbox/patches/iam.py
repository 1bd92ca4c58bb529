"""IAM, corrected."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.responses import ActionResult
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


def _own_policies(backend: IAMBackend) -> Iterable[str]:
    return [p.name for arn, p in backend.managed_policies.items() if not arn.startswith("arn:aws:iam::aws:")]


def _list_service_credentials(_original: Method) -> Method:
    def list_service_specific_credentials(_self: IamResponse) -> ActionResult:
        # moto has no way to make one, so no user has any.
        return ActionResult({"ServiceSpecificCredentials": []})

    return list_service_specific_credentials


_UNIQUE = (
    "moto distinguishes names by case. IAM API, CreateGroup, CreatePolicy, CreateRole, CreateUser, UpdateUser: names "
    'are not distinguished by case; one cannot create both "MyResource" and "myresource".'
)
_USER_TAGS = (
    "moto distinguishes tag keys of users by case, and checks none. IAM API, CreateUser, TagUser: keys of users and "
    "roles are not distinguished by case; of two in one call it accepts neither, and a later one replaces the earlier."
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
    Patch("iam-user-tags-create", IAMBackend, "create_user", _USER_TAGS, _create_user_tags),
    Patch("iam-user-tags-change", IAMBackend, "tag_user", _USER_TAGS, _tag_user),
)
