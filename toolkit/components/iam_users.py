"""IAM users and their life cycle: active, suspended, removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Advice, Component, IamName, Identities, Made, Protected, Role, Scope
from toolkit.components.iam_groups import IamGroups
from toolkit.policies import Need
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.iam import EntityName, IamPath, UserName
from toolkit.settings.tags import TagKey, TagValue
from toolkit.settings.values import Day, checked, no_repetition
from toolkit.spelling import nearest

_PGP_KEY = re.compile(r"keybase:[A-Za-z0-9_]+|[A-Za-z0-9+/]{100,}={0,2}")
_OWN_TAGS = ("owner", "reviewdate")

GROUPS_QUOTA = 10
"""Groups a user may be in (IAM quota)."""


_pgp_key = checked(
    _PGP_KEY, "keybase:NAME, or a public PGP key in base64 on one line (`gpg --export NAME | base64 -w0`)"
)


def _own_tag(value: str) -> str:
    if value.lower() in _OWN_TAGS:
        raise ValueError("expected another key: Owner and ReviewDate come from owner and review_date")
    return value


Groups = Annotated[tuple[EntityName, ...], Field(strict=False), AfterValidator(no_repetition)]


class User(Settings):
    """One user."""

    status: Literal["active", "suspended", "removed"] = Field(
        "active",
        description="active: member of its groups; suspended: kept for audit, out of its groups, everything denied, no "
        "console password of Terraform's; removed: deleted with all its credentials, the entry is the record (an entry "
        "that is only taken out is refused until consented to).",
    )
    groups: Groups = Field((), description="Names of the groups of an active user; kept here while it is suspended.")
    owner: TagValue = Field(description="Who is responsible for the user, preferably an e-mail address; the tag Owner.")
    review_date: Day = Field(
        description="Day of the next review; the tag ReviewDate. Plans and `validate` report a review date that has "
        "passed."
    )
    path: IamPath = Field("/", description="IAM path of the user, / or /name/.")
    console_pgp_key: Annotated[str, _pgp_key] | None = Field(
        None,
        description="Public PGP key of the user, keybase:NAME or base64, with which a first console password is "
        "encrypted; null: Terraform makes no password, an administrator does.",
    )
    tags: Annotated[dict[Annotated[TagKey, AfterValidator(_own_tag)], TagValue], Field(max_length=8)] = Field(
        {}, description="Further tags, at most 8."
    )

    @model_validator(mode="after")
    def _groups_fit(self) -> User:
        if len(self.groups) > GROUPS_QUOTA:
            raise ValueError(f"groups has {len(self.groups)} entries; expected at most {GROUPS_QUOTA} (IAM's quota)")
        return self


class IamUsers(Settings):
    """Settings of `iam_users`."""

    users: dict[UserName, User] = Field({}, description="Users by name.")
    existing_groups: Groups = Field(
        (), description="Names of existing groups, other than those of iam_groups, that users may be members of."
    )
    suspended_group_name: EntityName = Field(
        "suspended-users",
        description="Name of the group that suspended users are moved to, and of the managed policy on it that denies "
        "everything.",
    )

    @model_validator(mode="after")
    def _suspends_in_a_group_of_its_own(self) -> IamUsers:
        if self.suspended_group_name.lower() in {name.lower() for name in self.existing_groups}:
            raise ValueError("suspended_group_name is among existing_groups; expected a name of its own")
        return self


def _mismatches(settings: IamUsers, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Groups that no component makes and no setting names."""
    groups = others.get("iam_groups")
    made = [name for name, group in groups.groups.items() if group] if isinstance(groups, IamGroups) else []
    known = [*made, *settings.existing_groups]
    accepted = f"one of {', '.join(known)}" if known else "a group of iam_groups, which is off"
    every = groups.groups if isinstance(groups, IamGroups) else {}
    raising = [name for name, group in every.items() if group and group.administrator]
    guarded = [n for n in made if n not in raising]
    for name, user in settings.users.items():
        if user.status == "removed":
            continue
        administers = [g for g in user.groups if g in raising]
        for index, group in enumerate(user.groups):
            if administers and group in guarded:
                yield Mismatch(
                    ("users", name, "groups", index),
                    f"{group} denies the administration of identities, which beats what {administers[0]} grants: "
                    f"{name} would be no administrator",
                    f"administrator groups alone ({', '.join(raising)}), or none of them",
                )
        for index, group in enumerate(user.groups if user.status == "active" else ()):
            if group not in known:
                yield Mismatch(
                    ("users", name, "groups", index),
                    f"there is no group {group!r}",
                    f"{accepted}; name others that exist under existing_groups",
                    nearest(group, known),
                )


def _advice(settings: IamUsers, today: date) -> Iterable[Advice]:
    for name, user in settings.users.items():
        late = (today - date.fromisoformat(user.review_date)).days
        if user.status == "removed" or late <= 0:
            continue
        if user.status == "suspended":
            remedy = "set `status: removed`, or a later review_date if the user has to stay for audit"
        else:
            remedy = "confirm with the owner: set a later review_date, or `status: suspended`"
        yield Advice(
            ("users", name, "review_date"),
            f'aws_iam_user.this["{name}"]',
            f"The review of the {user.status} user {name}, whom {user.owner} answers for, is due.",
            f"review_date {user.review_date} was {late} day{'' if late == 1 else 's'} ago",
            remedy,
        )


def _tags(settings: IamUsers) -> Iterator[str]:
    for user in settings.users.values():
        if user.status != "removed":
            yield from ("Owner", "ReviewDate", *user.tags)


def _identities(settings: IamUsers, _: Mapping[str, Any]) -> Identities:
    return Identities(removed_users=frozenset(n for n, user in settings.users.items() if user.status == "removed"))


COMPONENT = Component(
    name="iam_users",
    title="IAM users",
    purpose="IAM user lifecycle in one file: active, suspended, removed, each with an owner and a review date.",
    scope=Scope.GLOBAL,
    settings=IamUsers,
    derived=("group_names",),
    protects=(
        # Not the users: `status: removed` deletes one without asking. Whoever goes otherwise, and whether an
        # administrator is left, is for toolkit/plan/lockout to judge.
        Protected("aws_iam_group"),
        Protected("aws_iam_policy"),
        Protected("aws_iam_group_policy_attachment"),
        # Who comes back from suspension gets rights again; who is removed needs none denied.
        Protected("aws_iam_user_group_membership", "suspended", released_by=("aws_iam_user", "name", "user")),
    ),
    mismatches=_mismatches,
    identities=_identities,
    roles={
        Role.MOVES_USER: Made("aws_iam_user_group_membership"),
        Role.SUSPENDS_USER: Made("aws_iam_user_group_membership", "suspended"),
    },
    advice=_advice,
    tags=_tags,
    tags_in=("users.*.tags",),
    iam_names=(
        IamName("aws_iam_user", "users.*"),
        IamName("aws_iam_group", "suspended_group_name"),
        IamName("aws_iam_policy", "suspended_group_name"),
    ),
    needs=(
        Need("iam:CreateUser", "arn:{partition}:iam::{account}:user/anna"),
        Need("iam:AddUserToGroup", "arn:{partition}:iam::{account}:group/administrators"),
        Need("iam:DeleteUser", "arn:{partition}:iam::{account}:user/anna"),
        Need("iam:GetUser", "arn:{partition}:iam::{account}:user/anna"),
    ),
)
