"""IAM roles: people by duty, other accounts, auditors, emergencies and pipelines, each with the conditions it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Advice, Component, IamName, Identities, Place, Protected, Scope
from toolkit.components.iam_groups import IamGroups
from toolkit.components.iam_roles.duties import share
from toolkit.components.iam_users import IamUsers, User
from toolkit.globs import glob
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.accounts import OrganizationId
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.delegation import Delegation
from toolkit.settings.iam import ExternalId, IamPath, UserName
from toolkit.settings.managed_policies import ManagedPolicy
from toolkit.settings.values import at_least_one, checked, no_repetition
from toolkit.spelling import nearest

_ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_PRINCIPAL = re.compile(ARN + r":iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=,.@/-]{1,512})")
_GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_ID = re.compile(r"[1-9][0-9]{0,19}")
_GITLAB = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_WORKFLOW = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}/\.github/workflows/[A-Za-z0-9._-]+\.ya?ml@[A-Za-z0-9_./-]+"
    r"|[A-Za-z0-9._-]+\.ya?ml)"
)
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _./@#+=-]{0,254}")
_ISSUER = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_.~/-]+)?")
_AUDIENCE = re.compile(r"[A-Za-z0-9_.:/-]{1,255}")


CLAIM_KEYS_IN = ("aws",)
"""Partitions in which STS takes claims of GitHub and GitLab as condition keys. AWS's announcement names its commercial
regions: https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/"""
GITHUB = "token.actions.githubusercontent.com"
CLAIM_KEYS_OF = re.compile(r"token\.actions\.(githubusercontent\.com(/.+)?|[a-z0-9-]+\.ghe\.com)")
"""GitHub's issuers of whose tokens STS takes claims as condition keys:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif"""
GITLAB = "gitlab.com"


def _role_name(value: str) -> str:
    if not _ROLE_NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a role name: expected 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -")
    return value


_principal = checked(
    _PRINCIPAL, "the ARN of an account, a user or a role, without wildcards, such as arn:aws:iam::111122223333:root"
)
_ref = checked(_REF, "an exact name without wildcards and colons: what a wildcard matches, others could name")


_workflow = checked(
    _WORKFLOW, "the name of a file in .github/workflows, such as baseline.yml, or OWNER/NAME/.github/workflows/FILE@REF"
)


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(f'{value!r} is not an id of GitHub or GitLab; expected a number in quotes, such as "123456"')
    return value


_issuer = checked(_ISSUER, "a host, possibly with a path, without https://, such as gitlab.example.com")
_audience = checked(_AUDIENCE, "1 to 255 letters, digits and the characters _ . : / -")


def _pair(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value) or len(value) != 2:
        raise ValueError("expected a pair of two different roles, such as [administration, development]")
    return value


RoleName = Annotated[str, AfterValidator(_role_name)]
Users = Annotated[tuple[UserName, ...], Field(strict=False), AfterValidator(no_repetition)]
Principals = Annotated[tuple[Annotated[str, _principal], ...], Field(strict=False), AfterValidator(no_repetition)]
AnyPolicies = Annotated[tuple[ManagedPolicy, ...], Field(strict=False, max_length=10), AfterValidator(no_repetition)]
Policies = Annotated[AnyPolicies, AfterValidator(at_least_one)]
ReadOnlyPolicies = Annotated[
    tuple[Literal["SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess"], ...],
    Field(strict=False),
    AfterValidator(no_repetition),
    AfterValidator(at_least_one),
]
Refs = Annotated[tuple[Annotated[str, _ref], ...], Field(strict=False), AfterValidator(no_repetition)]
Issuer = Annotated[str, _issuer]
Id = Annotated[str, AfterValidator(_id)]
Workflows = Annotated[tuple[Annotated[str, _workflow], ...], Field(strict=False), AfterValidator(no_repetition)]
Minutes = Annotated[int, Field(ge=60, le=720)]
Pair = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_pair)]

_USERS = "Names of this account's users who may assume it: those of iam_users, where that is on."
_PRINCIPALS = "ARNs of accounts, users or roles that may assume it; an account means every principal that it allows."
_MFA = "Whether the caller's session must have been created with MFA; sessions of roles never are."
_EXTERNAL_ID = "External id that the caller must send, for a third party that works for many customers; null: none."
_ORGANIZATION_ID = "Organization to which the caller's account must belong; null: none."
_MINUTES = "Minutes that a session lasts at most, 60 to 720."


class _Assumable(Settings):
    """What the trust policy of every role of people has."""

    users: Users = Field((), description=_USERS)
    principals: Principals = Field((), description=_PRINCIPALS)
    max_session_minutes: Minutes = Field(60, description=_MINUTES)

    @model_validator(mode="after")
    def _somebody(self) -> _Assumable:
        if not self.users and not self.principals:
            raise ValueError("no principal may assume the role; expected at least one of users and principals")
        return self

    @property
    def asks_for_mfa(self) -> bool:
        """Whether it asks for MFA."""
        return bool(getattr(self, "require_mfa", True))

    @model_validator(mode="after")
    def _mfa_can_be_met(self) -> _Assumable:
        roles = [arn for arn in self.principals if ":role/" in arn]
        if self.asks_for_mfa and roles:
            raise ValueError(
                f"{', '.join(roles)} could never assume the role, since sessions of roles carry no MFA; expected "
                "users or accounts, or require_mfa: false with an external_id or organization_id where that is possible"
            )
        return self


class _Conditional(_Assumable):
    """A role whose conditions can be chosen, but not all left out."""

    require_mfa: bool = Field(True, description=_MFA)
    external_id: ExternalId | None = Field(None, description=_EXTERNAL_ID)
    organization_id: OrganizationId | None = Field(None, description=_ORGANIZATION_ID)

    @model_validator(mode="after")
    def _some_condition(self) -> _Conditional:
        if not self.require_mfa and self.external_id is None and self.organization_id is None:
            raise ValueError("the role has no condition; expected require_mfa, external_id or organization_id")
        return self


class Role(_Conditional):
    """A role of people or of another account."""

    description: Annotated[str, Field(max_length=1000)] = Field(
        "Made by the account's baseline.", description="What the role is for."
    )
    managed_policies: Policies = Field(
        description="Names of AWS managed policies, with a path as in job-function/Billing, or ARNs of your own."
    )
    bounded: bool = Field(
        False,
        description="Whether the permissions boundary limits it: regardless of its policies, it administers only "
        "roles that are bounded as well, under delegation.path.",
    )
    path: IamPath = Field("/", description="IAM path of the role, / or /name/.")


class BreakGlass(_Assumable):
    """The role for emergencies. It always asks for MFA."""

    name: RoleName = Field("break-glass", description="Name of the role.")
    managed_policies: Policies = Field(("AdministratorAccess",), description="What it may do, as for roles.")


class Audit(_Conditional):
    """The role that reads."""

    name: RoleName = Field("security-audit", description="Name of the role.")
    managed_policies: ReadOnlyPolicies = Field(
        ("SecurityAudit", "job-function/ViewOnlyAccess"), description="What it may read."
    )


class Support(_Conditional):
    """The role for cases with AWS Support."""

    name: RoleName = Field("aws-support", description="Name of the role.")
    managed_policies: Policies = Field(("AWSSupportAccess",), description="What it may do; AWSSupportAccess among it.")

    @model_validator(mode="after")
    def _supports(self) -> Support:
        if "AWSSupportAccess" not in self.managed_policies:
            raise ValueError("support.managed_policies lacks AWSSupportAccess; expected it among them")
        return self


class Pipeline(Settings):
    """The workflow that plans and applies an environment: one role for each of the two."""

    branch: Annotated[str, _ref] = Field(
        "main", description="Branch whose runs may apply, and plan; on GitLab it must be protected."
    )
    workflows: Workflows = Field(
        ("baseline.yml",),
        description="Files in .github/workflows whose runs may assume the roles, or OWNER/NAME/.github/workflows/"
        "FILE@REF for a reusable workflow elsewhere; empty: any workflow. Of GitHub alone.",
    )
    nightly_workflows: Workflows = Field(
        ("baseline-nightly.yml",),
        description="Further workflows whose runs on the branch may plan, and never apply: those that look for drift.",
    )
    pull_requests: bool = Field(
        True, description="Whether runs for pull requests (merge requests on GitLab) may plan, too."
    )
    plan_environment: Annotated[str, _ref] | None = Field(
        None, description="GitHub's environment whose runs may plan; null: plan-ENVIRONMENT, as the generated workflow."
    )
    apply_environment: Annotated[str, _ref] | None = Field(
        None, description="GitHub's environment whose runs may apply; null: aws-ENVIRONMENT, as the generated workflow."
    )
    plan_managed_policies: AnyPolicies = Field(
        ("SecurityAudit", "job-function/ViewOnlyAccess"),
        description="What the role that plans may do beyond what `toolkit permissions --for plan` prints: the audit of "
        "the nightly workflow reads more.",
    )
    apply_managed_policies: AnyPolicies = Field(
        (), description="What the role that applies may do beyond what `toolkit permissions --for apply` prints."
    )

    @model_validator(mode="after")
    def _planning_is_not_applying(self) -> Pipeline:
        if self.plan_environment is not None and self.plan_environment == self.apply_environment:
            raise ValueError(
                f"plan_environment and apply_environment are both {self.plan_environment!r}, so that a run that plans "
                "could apply; expected two"
            )
        return self


_OF_ONE_ROLE = ("branches", "tags", "environments", "managed_policies", "bounded")
"""Settings of a deployer that is one role, which a pipeline has otherwise."""


class Deployer(Settings):
    """A role of pipelines, which come in through OpenID Connect; with `pipeline`, two roles."""

    provider: Literal["github", "gitlab"] = Field(description="The pipeline provider: github or gitlab.")
    repository: str = Field(description="OWNER/NAME on GitHub, GROUP/PROJECT (groups may nest) on GitLab.")
    owner_id: Id | None = Field(
        None, description="Id of the repository's owner on GitHub, or of the project's namespace on gitlab.com."
    )
    repository_id: Id | None = Field(
        None,
        description="Id of the repository on GitHub, or of the project on gitlab.com: a name can be taken over by "
        "another owner, an id cannot.",
    )
    subject_format: Literal["classic", "immutable", "both"] | None = Field(
        None,
        description="Which of GitHub's subjects are accepted: classic (names only; with the ids, AWS checks them in "
        "other claims), immutable (with both ids), or both while a repository changes over; null: immutable where the "
        "ids are given.",
    )
    branches: Refs = Field((), description="Branches whose runs may assume it.")
    tags: Refs = Field((), description="Tags whose runs may assume it.")
    environments: Refs = Field((), description="GitHub's environments whose runs may assume it.")
    issuer: Issuer | None = Field(
        None, description="Host of a self-hosted issuer; null: token.actions.githubusercontent.com or gitlab.com."
    )
    audience: Annotated[str, _audience] | None = Field(
        None,
        description="Audience of the tokens; null: sts.amazonaws.com (GitHub) or https://ISSUER (GitLab), and of a "
        "pipeline on GitLab https://sts.amazonaws.com.",
    )
    managed_policies: AnyPolicies = Field((), description="What it may do, as for roles; empty with a pipeline.")
    bounded: bool = Field(True, description="Whether the permissions boundary limits it; never the pipeline's roles.")
    path: IamPath = Field("/", description="IAM path of the role, / or /name/.")
    max_session_minutes: Minutes = Field(60, description=_MINUTES)
    pipeline: Pipeline | None = Field(
        None,
        description="The workflow that plans and applies this environment. It gets two roles, NAME-plan, which reads, "
        "and NAME-apply; null: the deployer is one role.",
    )

    @property
    def parts(self) -> tuple[str, ...]:
        """What the names of its roles end with."""
        return ("",) if self.pipeline is None else ("-plan", "-apply")

    @property
    def names_are_shared(self) -> bool:
        """Whether its issuer serves owners who do not know each other, so that one may take over another's name."""
        if self.provider == "gitlab":
            return self.issuer in (None, GITLAB)
        return CLAIM_KEYS_OF.fullmatch(self.issuer or GITHUB) is not None

    @property
    def policies(self) -> tuple[str, ...]:
        """Managed policies of all its roles."""
        of_parts = (self.pipeline.plan_managed_policies + self.pipeline.apply_managed_policies) if self.pipeline else ()
        return (*self.managed_policies, *of_parts)

    @model_validator(mode="after")
    def _names_its_runs(self) -> Deployer:
        pattern, form = (_GITHUB, "OWNER/NAME") if self.provider == "github" else (_GITLAB, "GROUP/PROJECT")
        if not pattern.fullmatch(self.repository):
            raise ValueError(f"repository is {self.repository!r}; expected {form}, without wildcards")
        if self.environments and self.provider == "gitlab":
            raise ValueError("environments are GitHub's; expected branches or tags, which GitLab's subjects name")
        if self.pipeline is not None:
            return self
        if not (self.branches or self.tags or self.environments):
            raise ValueError(
                "any run of the repository could assume the role; expected branches, tags or environments, or pipeline"
            )
        if not self.managed_policies:
            raise ValueError("managed_policies is empty; expected at least one")
        return self

    @model_validator(mode="after")
    def _subjects_have_their_ids(self) -> Deployer:
        ids = (self.owner_id, self.repository_id)
        if self.provider == "gitlab" and self.subject_format:
            raise ValueError("subject_format is GitHub's; expected none for gitlab")
        if self.provider == "gitlab" and any(ids) and not self.names_are_shared:
            raise ValueError(
                "AWS compares ids with tokens of gitlab.com alone; expected no owner_id and repository_id with another "
                "issuer"
            )
        if self.subject_format == "classic" and any(ids) and not CLAIM_KEYS_OF.fullmatch(self.issuer or GITHUB):
            raise ValueError(
                "classic subjects name no ids, and AWS compares none with other claims of this issuer; expected no "
                "owner_id and repository_id, or another format"
            )
        if any(ids) != all(ids):
            raise ValueError("an id without the other one; expected owner_id and repository_id, or neither")
        if self.subject_format in ("immutable", "both") and not all(ids):
            raise ValueError(
                f"subject_format is {self.subject_format!r} without the ids; expected owner_id and repository_id, as "
                "`gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them"
            )
        return self

    @model_validator(mode="after")
    def _a_pipeline_is_proven(self) -> Deployer:
        if self.pipeline is None:
            return self
        if given := [name for name in _OF_ONE_ROLE if name in self.model_fields_set]:
            raise ValueError(
                f"{', '.join(given)} with pipeline; expected neither: a pipeline has two roles, which its own settings "
                "describe"
            )
        if self.repository_id is None and self.names_are_shared:
            how = {
                "github": "`gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them",
                "gitlab": "the namespace and the project have them (`glab api projects/:id`)",
            }
            raise ValueError(
                "pipeline without the ids: another owner could take over the names; expected owner_id and "
                f"repository_id ({how[self.provider]})"
            )
        return self


class IamRoles(Settings):
    """Settings of `iam_roles`."""

    roles: dict[RoleName, Role] = Field({}, description="Roles for users and other accounts, by name.")
    break_glass: BreakGlass | None = Field(
        None, description="The role for emergencies; every use raises an alarm; null creates none."
    )
    audit: Audit | None = Field(
        None, description="A role that reads configuration and cannot change it; null creates none."
    )
    support: Support | None = Field(None, description="A role for cases with AWS Support; null creates none.")
    deployers: dict[RoleName, Deployer] = Field(
        {}, description="Roles of pipelines, by name: with `pipeline` those that plan and apply this environment."
    )
    existing_oidc_providers: Annotated[tuple[Issuer, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Issuers whose identity provider already exists in the account; Terraform does not change it."
    )
    conflicts: Annotated[tuple[Pair, ...], Field(strict=False)] = Field(
        (), description="Pairs of roles of which a principal may assume at most one."
    )
    delegation: Delegation = Field(Delegation(), description="Delegated administration within a permissions boundary.")

    @property
    def assumable(self) -> dict[str, _Assumable]:
        """Name → every role that is not a pipeline's."""
        named = [role for role in (self.break_glass, self.audit, self.support) if role is not None]
        return {**self.roles, **{role.name: role for role in named}}

    @model_validator(mode="after")
    def _what_is_delegated_is_bounded(self) -> IamRoles:
        for name, role in self.roles.items():
            if self.delegation.holds(role.path) and not role.bounded:
                raise ValueError(
                    f"role {name!r} is under {self.delegation.path} without the boundary, and bounded administrators "
                    "could pass it to a service or change its trust policy; expected bounded: true or a path outside "
                    f"of {self.delegation.path}"
                )
        for name, deployer in self.deployers.items():
            if self.delegation.holds(deployer.path):
                raise ValueError(
                    f"deployer {name!r} is under {self.delegation.path}, where bounded administrators (as it may be) "
                    f"could change it; expected a path outside of {self.delegation.path}"
                )
        return self

    @model_validator(mode="after")
    def _delegated_policies_are_on_bounded_roles(self) -> IamRoles:
        attached = {f"role {name!r}": role.managed_policies for name, role in self.roles.items() if not role.bounded}
        attached |= {f"deployer {name!r}": deployer.policies for name, deployer in self.deployers.items()}
        attached |= {
            name: role.managed_policies
            for name, role in (("break_glass", self.break_glass), ("support", self.support))
            if role is not None
        }
        for whose, policies in attached.items():
            for policy in policies:
                if self.delegation.holds_policy(policy):
                    raise ValueError(f"{whose} has {self.delegation.refusal(policy)}")
        return self

    @model_validator(mode="after")
    def _duties_are_separate(self) -> IamRoles:
        roles = self.assumable
        for first, second in self.conflicts:
            for name in (first, second):
                if name not in roles:
                    guess = nearest(name, list(roles))
                    hint = f" (did you mean {guess!r}?)" if guess else ""
                    raise ValueError(f"conflicts names {name!r}, which is not a role here{hint}; expected two of them")
            if shared := share({name: (role.users, role.principals) for name, role in roles.items()}, first, second):
                raise ValueError(
                    f"roles {first!r} and {second!r} are in conflict, but {', '.join(shared)} may assume both; "
                    "expected each in one of them"
                )
        return self


def _kept_out(path: tuple[str | int, ...], user: User, groups: IamGroups, ending: str) -> Iterator[Mismatch]:
    """A user whom groups' guardrail denies what the trust policy lets."""
    found = ((name, groups.groups.get(name)) for name in user.groups)
    if guarded := [name for name, group in found if group is not None and not group.administrator]:
        yield Mismatch(
            path,
            f"the user is in {', '.join(guarded)}, whose guardrail denies assuming roles that are not listed",
            f"arn:aws:iam::ACCOUNT:role{ending} under iam_groups.assumable_roles, or a user who is in administrator "
            "groups alone",
        )


def _lists(assumable: Iterable[str], role: str) -> bool:
    """Whether patterns of ARNs cover a role of this account, whose number is not known here, by path and name."""
    return any(glob(arn.partition(":role")[2]).matches(role) for arn in assumable)


def _mismatches(settings: IamRoles, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Users whom iam_users does not have, or has suspended, or whom their groups' guardrail would keep out."""
    users, groups = others.get("iam_users"), others.get("iam_groups")
    if not isinstance(users, IamUsers):
        return
    active = [name for name, user in users.users.items() if user.status == "active"]
    blocks: list[tuple[tuple[str, ...], _Assumable]] = [(("roles", n), role) for n, role in settings.roles.items()]
    for block in ("break_glass", "audit", "support"):
        if (role := getattr(settings, block)) is not None:
            blocks.append(((block,), role))
    for path, role in blocks:
        for index, name in enumerate(role.users):
            if name in active:
                # Names under `roles` are keys; the others carry theirs.
                ending = f"{getattr(role, 'path', '/')}{getattr(role, 'name', path[-1])}"
                if isinstance(groups, IamGroups) and not _lists(groups.assumable_roles, ending):
                    yield from _kept_out((*path, "users", index), users.users[name], groups, ending)
                continue
            known = users.users.get(name)
            problem = f"the user {name!r} is {known.status}" if known else f"iam_users has no user {name!r}"
            yield Mismatch(
                (*path, "users", index),
                problem,
                f"one of {', '.join(active) or 'its active users, of whom there are none'}; list other existing "
                "users under principals, by ARN",
                None if known else nearest(name, active),
            )


def _not_offered(settings: IamRoles, place: Place) -> Iterator[Mismatch]:
    """Pipelines that would have a right too many: of who can take over a name, or of a pull request."""
    for name, deployer in settings.deployers.items():
        if deployer.pipeline is not None and deployer.pipeline.pull_requests:
            # The role that plans has to assume that role, too, and it is the same one for an apply.
            for setting, line in place.assumed:
                yield Mismatch(
                    ("deployers", name, "pipeline"),
                    f"{name}-plan, which runs for pull requests may assume, would get {setting} (line {line}), and "
                    "with it every right of an apply",
                    f"`pull_requests: false`, or no {setting}: the roles of the pipeline have what they need",
                )
    # Subjects that would rest on names that another owner can take over, where AWS compares no ids beside them.
    if place.partition in CLAIM_KEYS_IN:
        return
    for name, deployer in settings.deployers.items():
        unproven = deployer.subject_format == "classic" or (deployer.subject_format == "both" and deployer.pipeline)
        if deployer.repository_id is not None and unproven:
            yield Mismatch(
                ("deployers", name, "subject_format"),
                f"{deployer.subject_format} subjects name no ids, and AWS documents no condition keys for other claims "
                f"in the partition {place.partition}",
                "immutable",
            )


def _advice(settings: IamRoles, _: date) -> Iterator[Advice]:
    """Deployers whose subjects rest on names that another owner can take over."""
    ids = {
        "github": "as `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them",
        "gitlab": "of the namespace and the project (`glab api projects/:id`)",
    }
    for name, deployer in settings.deployers.items():
        if deployer.repository_id is None and deployer.names_are_shared:
            yield Advice(
                ("deployers", name),
                f'aws_iam_role.deployer["{name}"]',
                f"The deployer {name} is known by the name {deployer.repository} alone.",
                "if its owner gives the name up, another owner can take it over, and with it the role",
                f"set owner_id and repository_id, {ids[deployer.provider]}",
                reported=False,
            )


def _identities(settings: IamRoles, _: Mapping[str, Any]) -> Identities:
    pipelines = (name for name, deployer in settings.deployers.items() if deployer.pipeline is not None)
    return Identities(appliers=frozenset((f"{name}-plan", f"{name}-apply") for name in pipelines))


COMPONENT = Component(
    name="iam_roles",
    title="IAM roles",
    purpose="Roles by duty for users, other accounts and pipelines, with conditions; emergency use raises an alarm.",
    scope=Scope.GLOBAL,
    settings=IamRoles,
    requires_with=(("break_glass", "cloudtrail"), ("break_glass", "activity_alarms")),
    derived=("user_arns", "alarm", "environment_name", "permissions", "protected"),
    not_offered=_not_offered,
    bills="with break_glass, an alarm, and a metric for the hours in which the role is used",
    protects=(
        # Roles come and go with who needs them; what limits and watches them stays.
        Protected("aws_iam_policy", "boundary"),
        Protected("aws_cloudwatch_metric_alarm"),
        Protected("aws_cloudwatch_log_metric_filter"),
    ),
    mismatches=_mismatches,
    identities=_identities,
    advice=_advice,
    iam_names=(
        IamName("aws_iam_role", "roles.*"),
        IamName("aws_iam_role", "deployers.*", texts=lambda name, deployer: tuple(name + p for p in deployer.parts)),
        IamName("aws_iam_role", "break_glass.name"),
        IamName("aws_iam_role", "audit.name"),
        IamName("aws_iam_role", "support.name"),
        IamName("aws_iam_policy", "delegation.boundary_name"),
    ),
    needs=(
        Need("iam:CreateRole", "arn:{partition}:iam::{account}:role/administration"),
        Need("iam:UpdateAssumeRolePolicy", "arn:{partition}:iam::{account}:role/administration"),
        Need("iam:AttachRolePolicy", "arn:{partition}:iam::{account}:role/administration"),
        Need("iam:CreatePolicy", "arn:{partition}:iam::{account}:policy/delegated-administration-boundary"),
        Need("iam:CreateOpenIDConnectProvider", "arn:{partition}:iam::{account}:oidc-provider/gitlab.com"),
        Need("iam:GetRole", "arn:{partition}:iam::{account}:role/administration"),
    ),
)
