"""The typed shape of environment.yaml.

Pure data: what a file may say and how its parts constrain each other. Places, spelling and wording of errors are
load.py's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from toolkit.components.base import Advice, Component, Identities, Place
from toolkit.environment.source import Problem
from toolkit.errors import UsageError
from toolkit.findings import Consents, Names, Rule, Waiver
from toolkit.findings.data import RuleId
from toolkit.regions import ARN, GLOBAL_REGION, partition_of
from toolkit.releases import EXCLUDED
from toolkit.settings.accounts import ACCOUNT_ID
from toolkit.settings.base import Settings
from toolkit.settings.kms import KEY_ARN
from toolkit.settings.regions import NewRegion
from toolkit.settings.tags import TagKey, TagValue
from toolkit.settings.values import Day, checked
from toolkit.signing import KMS_KEY, REQUIRED, required_signature
from toolkit.typed import dotted
from toolkit.variables import why_not_passed
from toolkit.versions import PROVIDER, TERRAFORM


def _account_id(value: Any) -> Any:
    # Unquoted, twelve digits are a YAML number; the meaning is plain, so take it.
    return f"{value}" if isinstance(value, int) and not isinstance(value, bool) else value


AccountId = Annotated[str, BeforeValidator(_account_id), checked(ACCOUNT_ID, "12 digits, in quotes")]
RoleArn = Annotated[
    str,
    checked(
        ARN + r":iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
        "a role's ARN, like arn:aws:iam::123456789012:role/baseline",
    ),
]
_CONSTRAINT = r"(?:=|!=|>=?|<=?|~>)?\s*[0-9]+(?:\.[0-9]+){0,2}(?:-[0-9A-Za-z.]+)?"
VersionConstraint = Annotated[
    str,
    checked(rf"{_CONSTRAINT}(?:\s*,\s*{_CONSTRAINT})*", 'a Terraform version constraint, like "~> 5.100"'),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Regions(_Strict):
    """Which regions the baseline governs."""

    home: NewRegion = Field(description="Region of global services, the trail and shared buckets.")
    active: Annotated[tuple[NewRegion, ...], Field(strict=False)] = Field(
        (), description="Every region that gets the regional components; holds the home region. Default: only home."
    )
    retiring: Annotated[tuple[NewRegion, ...], Field(strict=False)] = Field(
        (),
        description="Regions being left: their provider is still rendered, so that Terraform can delete what is "
        "there, but nothing else is. Remove a region from here after the apply that emptied it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _home_is_active(cls, data: Any) -> Any:
        if isinstance(data, dict) and partition_of(data.get("home")) and data.get("active") in (None, []):
            return {**data, "active": [data["home"]]}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Regions:
        if self.home not in self.active:
            raise ValueError(f"active lacks the home region {self.home}; expected it in the list")
        for name, group in (("active", self.active), ("retiring", self.retiring)):
            twice = sorted({r for r in group if group.count(r) > 1})
            if twice:
                raise ValueError(f"{name} names {', '.join(twice)} twice; expected each region once")
        both = sorted(set(self.active) & set(self.retiring))
        if both:
            raise ValueError(f"{', '.join(both)} is both active and retiring; expected one of the two")
        partitions = {str(partition_of(r)) for r in (*self.active, *self.retiring)}
        if len(partitions) > 1:
            raise ValueError(
                f"regions of {len(partitions)} partitions ({', '.join(sorted(partitions))}); an account lives in one"
            )
        return self

    @property
    def partition(self) -> str:
        """The partition all of them are in, such as "aws" or "aws-cn"."""
        return str(partition_of(self.home))

    @property
    def where_global(self) -> str:
        """The region where services without one live, like "us-east-1"; not necessarily among the active ones."""
        return GLOBAL_REGION[self.partition]


class TerraformSettings(_Strict):
    """Which Terraform and provider are used, and how."""

    binary: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description='"terraform", "tofu" (OpenTofu) or the path of either, a relative one from the project folder; '
        "null: terraform, or tofu where only that is on PATH.",
    )
    required_version: VersionConstraint = Field(
        f">= 1.10, {EXCLUDED}, < 2.0",
        description="Terraform versions the root module accepts (1.10 brought S3's native lock; 1.16.0 drops imports).",
    )
    aws_provider_version: VersionConstraint = Field(
        "~> 5.100", description="Versions of hashicorp/aws the root module accepts."
    )
    unchecked_versions: Literal["warn", "refuse"] = Field(
        "warn",
        description="What commands do with a version of Terraform or of the AWS provider that is outside of what the "
        f"toolkit was checked with (Terraform {TERRAFORM.range}, provider {PROVIDER.range}), or with OpenTofu.",
    )
    provider_mirror: str | None = Field(
        None,
        description="Folder of a provider mirror, for networks without the registry, a relative one from the project "
        "folder; the option --provider-mirror and TOOLKIT_PROVIDER_MIRROR come before it.",
    )
    max_retries: Annotated[int, Field(ge=1, le=100)] = Field(
        25, description="How often the provider retries a failing AWS call."
    )


class AssumeRole(_Strict):
    """A role that Terraform and the toolkit work as."""

    role_arn: RoleArn = Field(description="The role's ARN; it must be in the environment's account.")
    external_id: (
        Annotated[str, checked(r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits or +=,.@:/- (STS AssumeRole)")]
        | None
    ) = Field(None, description="External id that the role's trust policy requires.")
    session_name: Annotated[str, checked(r"[\w+=,.@-]{2,64}", "2 to 64 letters, digits or +=,.@- (STS AssumeRole)")] = (
        Field("aws-baseline-toolkit", description="Session name that CloudTrail shows.")
    )


class Credentials(_Strict):
    """Where AWS credentials come from; empty means the ambient ones (environment, container, instance)."""

    profile: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Named profile of the AWS configuration."
    )
    assume_role: AssumeRole | None = Field(None, description="Role to assume with the profile or ambient credentials.")


def _check_passed(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("expected the name of an environment variable")
    why = why_not_passed(value)
    if why is not None:
        raise ValueError(
            f"{value} is not passed on: {why}; expected the name of a variable of a credential_process helper"
        )
    return value


class ToolkitSettings(_Strict):
    """The toolkit itself."""

    pass_environment: Annotated[tuple[Annotated[str, AfterValidator(_check_passed)], ...], Field(strict=False)] = Field(
        (),
        description="Names of environment variables that Terraform and boto3 get besides those of the toolkit's own "
        "list: what a `credential_process` helper reads. Variables of Terraform (TF_*), endpoints, and those that "
        "change how programs are loaded cannot be among them.",
    )


def _check_signature(value: str) -> str:
    try:
        required_signature(value, option="", files=False)
    except UsageError:
        raise ValueError(f"expected {REQUIRED}") from None
    return value


# A word of a shell that needs no quotes: fewer characters than S3 takes.
PLAN_STORE = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9_.-]+/)*"
PLAN_STORE_IS = 'an S3 prefix of letters, digits and ._- that ends with a slash, like "s3://acme-plans/baseline/"'


class BundleSettings(_Strict):
    """What `apply` demands of saved plans, so that no option has to be remembered; and where they are in S3."""

    require_signature: Annotated[str, AfterValidator(_check_signature)] | None = Field(
        None,
        description="Whose signature a saved plan must have: a KMS key (id, ARN or alias; only an alias can be made to "
        "name another key), or github:OWNER/REPO/.github/workflows/FILE@REF for an artifact attestation of that "
        "workflow. `apply` then takes saved plans only, of the commit that is checked out, and `destroy` is refused. "
        "null: none.",
    )
    require_encryption: bool = Field(
        False, description="Whether a saved plan must be encrypted (TOOLKIT_BUNDLE_KEY or --kms-key)."
    )
    require_run: bool = Field(
        False, description="Whether a saved plan must be made in the same run of the pipeline that applies it."
    )
    store: Annotated[str, checked(PLAN_STORE, PLAN_STORE_IS)] | None = Field(
        None,
        description="S3 prefix of saved plans, s3://BUCKET/PREFIX/, as `--out` names it: the policies of `toolkit "
        "permissions` and the roles of a pipeline then have the rights for it. null: none.",
    )
    bucket_owner: AccountId | None = Field(
        None, description="Account that owns the bucket of `--out s3://…`; null: the environment's own account."
    )
    bucket_kms_key: Annotated[str, checked(KMS_KEY, "a KMS key: id, ARN or alias")] | None = Field(
        None,
        description="KMS key with which S3 encrypts bundles in that bucket; null: the bucket's default encryption.",
    )


class LocalBackend(_Strict):
    """State in a file beside the environment: for trying out, and for the very first apply."""

    type: Literal["local"]


BucketName = Annotated[
    str,
    checked(r"(?!xn--)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "an S3 bucket name: 3 to 63 of a-z, 0-9, . and -"),
]


def default_state_key(name: str) -> str:
    """The key of an environment's state in its bucket, unless the file gives another."""
    return f"{name}/baseline.tfstate"


def _check_state_key(key: str) -> str:
    """What Terraform's S3 backend would refuse, or take although nothing is there: an alias, a misspelt partition.

    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/remote-state/s3/validate.go
    """
    if key.startswith(("arn:", "alias/")) and not KEY_ARN.fullmatch(key):
        raise ValueError(
            "expected the id of a key or its ARN, not of an alias, such as "
            "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )
    return key


class S3Backend(_Strict):
    """State in S3 with S3's own lock file."""

    type: Literal["s3"]
    bucket: BucketName = Field(description="Bucket of the state.")
    key: (
        Annotated[
            str, checked(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*", "an S3 key without leading or doubled /")
        ]
        | None
    ) = Field(None, description="Key of the state; null: `<environment>/baseline.tfstate`.")
    region: NewRegion = Field(description="Region of the bucket.")
    account_id: AccountId | None = Field(
        None, description="Account that owns the bucket; null: the environment's own account."
    )
    profile: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Named profile for the state alone; null: the environment's profile."
    )
    role_arn: RoleArn | None = Field(None, description="Role to assume for the state, in the account that owns it.")
    kms_key_id: Annotated[str, AfterValidator(_check_state_key)] | None = Field(
        None, description="KMS key of the state, by its id or ARN; null: S3-managed encryption."
    )


LabelKey = Annotated[str, checked(r"[a-z0-9][a-z0-9_-]{0,62}", "1 to 63 of a-z, 0-9, - and _, like tier")]
LabelValue = Annotated[
    str,
    checked(
        r"[^\s,\x00-\x1f\x7f](?:[^,\x00-\x1f\x7f]{0,254}[^\s,\x00-\x1f\x7f])?",
        "1 to 256 characters without commas (`--where tier=a,b` means either), and no spaces at the ends",
    ),
]


_KEY = r"\[\"[A-Za-z0-9_+=,.@:/ -]+\"\]"
_ADDRESS = rf"module\.[a-z0-9_]+(?:\.module\.[a-z0-9_]+(?:{_KEY})?)*\.[a-z0-9_]+\.[a-z0-9_]+(?:{_KEY})?"


def _check_expiry(value: str) -> str:
    if date.fromisoformat(value) > date.today() + _LONGEST_WAIVER:
        raise ValueError("expected a day within a year: a waiver without an end switches a guard off for good")
    return value


_RESOURCE = rf"module\.[a-z0-9_]+(?:\.module\.[a-z0-9_]+(?:\[[0-9]+\]|{_KEY})?)*\.aws_[a-z0-9_]+\.[A-Za-z0-9_-]+"
_WAIVABLE = re.compile(rf"{_RESOURCE}(?:[.\[].*)?")
"""A component's resource, spelt out, and whatever follows it: instance key and attribute."""


def _names_a_requirement(subject: str) -> bool:
    framework, _, requirement = subject.partition(":")
    return bool(framework.strip("*") and requirement.strip("*. "))


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_LONGEST_WAIVER = timedelta(days=366)


class WaiverEntry(_Strict):
    """Consent to one finding, or to a requirement that stays uncovered, for a reason and for a time."""

    rule: Annotated[Rule, RuleId(waivable=True)] = Field(
        description="Which rule is waived; uncovered: a requirement that `toolkit controls` finds unmet."
    )
    subject: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(strict=False, min_length=1),
        BeforeValidator(_as_list),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
    ] = Field(
        description="Terraform address (for weakens: with .attribute) that the finding names, or a list of such, as "
        "for several regions; up to the resource's name it is spelt out, after that * matches anything. For uncovered "
        "the requirement, like cis-7.0:2.6 or cis-7.0:5.*."
    )
    reason: Annotated[str, Field(min_length=10)] = Field(description="The reason, for later readers.")
    expires: Annotated[Day, AfterValidator(_check_expiry)] = Field(
        description="Last day on which it holds, within a year."
    )

    @field_validator("subject")
    @classmethod
    def _names_something(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """A pattern of a component or a type would go on to consent to what nobody thought of when it was written."""
        if "rule" not in info.data:
            return value
        if info.data["rule"].waiver is Names.REQUIREMENT:
            wrong = [s for s in value if not _names_a_requirement(s)]
            expected = "a requirement of a framework, like cis-7.0:2.6 or cis-7.0:5.*"
        else:
            wrong = [s for s in value if not _WAIVABLE.fullmatch(s)]
            expected = (
                "the address of a component's resource, like module.guardduty_eu_west_1.aws_guardduty_detector.this, "
                "with * only behind it; for several regions a list"
            )
        if wrong:
            raise ValueError(f"{'' if len(value) == 1 else f'has {wrong[0]!r}; '}expected {expected}")
        return value


_LONGEST_ATTESTATION = timedelta(days=366)


class AttestationEntry(_Strict):
    """What a person confirms of the account because no API of AWS reports it."""

    control: Annotated[str, Field(min_length=1)] = Field(
        description="What is confirmed: the id of a check (`toolkit audit --list-checks`), or a requirement of any "
        "framework, like cis-7.0:2.1.3; of a requirement only the part that no API of AWS reports."
    )
    by: Annotated[str, Field(min_length=1)] = Field(description="Who has confirmed it.")
    on: Day = Field(description="The day on which it was confirmed, like 2026-11-30.")
    until: Day = Field(description="Last day on which it holds, within a year of `on`; from then on, the check fails.")
    note: str | None = Field(None, description="What was looked at, for later readers.")

    @field_validator("until")
    @classmethod
    def _ends(cls, value: str, info: ValidationInfo) -> str:
        """What is never confirmed again says nothing about the account any more."""
        if "on" in info.data:
            on = date.fromisoformat(info.data["on"])
            if not on <= date.fromisoformat(value) <= on + _LONGEST_ATTESTATION:
                raise ValueError(f"expected a day from {on} (`on`) to {on + _LONGEST_ATTESTATION}")
        return value


AccountState = Literal["PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"]
"""Of an account that is not ACTIVE.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
"""


def _action(value: str) -> str:
    """An action as AWS spells it."""
    from toolkit.access.reference import known_action  # a large list that few files need

    try:
        return known_action(value).name
    except UsageError as e:
        raise ValueError(f"{e.problem}; {e.hint}") from e


_Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
_Actions = Annotated[
    tuple[Annotated[str, AfterValidator(_action)], ...],
    Field(strict=False, min_length=1),
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class AccessTest(_Strict):
    """What a principal must be able to do, or must not: a test of policies."""

    who: _Names = Field(
        description="A principal as `toolkit explain` names it (developers, group:developers, role:deploy), or a list."
    )
    can: _Actions | None = Field(None, description="An action that must be allowed for certain, or a list.")
    cannot: _Actions | None = Field(None, description="An action that must be denied for certain, or a list.")
    on: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="An ARN, or what of the environment is meant: trail, log bucket, log object, log key, log group, "
        "alert topic or default event bus. null: any resource.",
    )
    when: dict[str, str | bool | int] = Field(
        default={}, description="Condition keys of the request, like aws:MultiFactorAuthPresent: true."
    )

    @model_validator(mode="after")
    def _expects_one(self) -> AccessTest:
        if (self.can is None) == (self.cannot is None):
            raise ValueError("expected one of `can` and `cannot`")
        return self


class EnvironmentFile(_Strict):
    """environment.yaml but for its components, whose classes the registry supplies."""

    account_id: AccountId = Field(description="The account this environment is for; every command checks it.")
    regions: Regions = Field(description="Which regions the baseline governs.")
    account_state: AccountState | None = Field(
        None,
        description="What AWS Organizations says of an account that is not ACTIVE (`toolkit fleet import` writes it): "
        "commands that run Terraform or read the account refuse the environment; --all and patterns leave it out. "
        "null: ACTIVE, or not known.",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={},
        description="Words to select environments by (`--where tier=prod`). They stay in this file: nothing in AWS or "
        "in the rendered files has them.",
    )
    terraform: TerraformSettings = Field(default=TerraformSettings(), description="Terraform and provider.")
    backend: Annotated[LocalBackend | S3Backend, Field(discriminator="type")] = Field(
        default=LocalBackend(type="local"), description="Where the state lives."
    )
    credentials: Credentials = Field(default=Credentials(), description="Where credentials come from.")
    toolkit: ToolkitSettings = Field(default=ToolkitSettings(), description="The toolkit itself.")
    bundle: BundleSettings = Field(default=BundleSettings(), description="What is demanded of saved plans.")
    default_tags: dict[TagKey, TagValue] = Field(default={}, description="Tags on everything that can carry tags.")
    imports: dict[
        Annotated[
            str, checked(_ADDRESS, "a resource address, like module.guardduty_eu_west_1.aws_guardduty_detector.this")
        ],
        Annotated[str, Field(min_length=1)],
    ] = Field(
        default={},
        description="Things that the account has already and the baseline takes over: Terraform address → import id, "
        "without the `@REGION` that version 6 of the provider accepts behind it: the module's provider has the region. "
        "After the apply that took them over, plans say to delete the line.",
    )
    released: Annotated[
        tuple[Annotated[str, checked(r"module\.[a-z0-9_]+", "a module's address, like module.cloudtrail")], ...],
        Field(strict=False),
    ] = Field(
        default=(),
        description="Modules that this environment stops managing: an apply removes their resources from the state and "
        "deletes nothing in AWS. `toolkit release` writes this list, and with --done deletes it after the apply.",
    )
    waivers: Annotated[tuple[WaiverEntry, ...], Field(strict=False)] = Field(
        default=(), description="Findings that plans of this environment may have, each with reason and end."
    )
    attestations: Annotated[tuple[AttestationEntry, ...], Field(strict=False)] = Field(
        default=(), description="What a person confirms for `toolkit audit`, because no API of AWS reports it."
    )
    access_tests: Annotated[tuple[AccessTest, ...], Field(strict=False)] = Field(
        default=(),
        description="Who must be able to do what, or must not: `validate` tests what is rendered, `plan` what will be.",
    )
    simulator: Literal["moto"] | None = Field(
        None, description='"moto": this environment lives only on the embedded AWS of `toolkit sandbox`.'
    )

    @model_validator(mode="after")
    def _consistent(self) -> EnvironmentFile:
        role = self.credentials.assume_role
        if role and role.role_arn.split(":")[4] != self.account_id:
            raise ValueError(
                f"credentials.assume_role.role_arn is in account {role.role_arn.split(':')[4]}, but account_id is "
                f"{self.account_id}; expected a role of the environment's own account"
            )
        if isinstance(self.backend, S3Backend) and self.backend.role_arn:
            owner = self.backend.account_id or self.account_id
            if self.backend.role_arn.split(":")[4] != owner:
                raise ValueError(
                    f"backend.role_arn is in account {self.backend.role_arn.split(':')[4]}, but the bucket belongs to "
                    f"{owner}; expected a role of that account (backend.account_id names another owner)"
                )
        if self.simulator and (self.credentials.profile or role):
            raise ValueError(
                "simulator: moto takes no credentials; expected `credentials` left out (the embedded AWS takes "
                "dummy ones, so that real ones are never sent anywhere)"
            )
        if self.simulator and self.regions.partition != "aws":
            raise ValueError("simulator: moto is tried only with regions of the partition aws; expected one of those")
        if len(self.default_tags) > 40:
            raise ValueError("more than 40 default_tags; AWS takes 50 per resource, 10 are left for components")
        return self


@dataclass(frozen=True)
class EnabledComponent:
    """A component that the environment switches on, with its effective settings."""

    component: Component
    settings: Settings
    line: int
    """Line of its block in environment.yaml."""


@dataclass(frozen=True)
class Environment:
    """One environment, whole: what every later stage starts from."""

    name: str
    account_id: str
    regions: Regions
    terraform: TerraformSettings
    backend: LocalBackend | S3Backend
    credentials: Credentials
    default_tags: dict[str, str]
    imports: dict[str, str]
    waivers: tuple[WaiverEntry, ...]
    simulator: Literal["moto"] | None
    components: tuple[EnabledComponent, ...]
    """In the registry's order."""
    lines: dict[tuple[str | int, ...], int]
    """Path in environment.yaml → line, for messages that lead back there."""
    files: dict[str, str] = field(default_factory=dict)
    """Text of each further file that its settings name, by the name that they give."""
    toolkit: ToolkitSettings = field(default_factory=ToolkitSettings)
    bundle: BundleSettings = field(default_factory=BundleSettings)
    account_state: str | None = None
    """Why the account cannot be used, as AWS Organizations says; None: nothing is known against it."""
    labels: dict[str, str] = field(default_factory=dict)
    """What `--where` selects environments by."""
    released: tuple[str, ...] = ()
    """Addresses of modules whose resources an apply removes from the state, and leaves in AWS."""
    attestations: tuple[AttestationEntry, ...] = ()
    access_tests: tuple[AccessTest, ...] = ()
    newer: tuple[Problem, ...] = ()
    """Names of AWS that are accepted though our lists of them do not have them: to be reported with their places."""
    text: str = field(default="", compare=False, repr=False)
    """Of environment.yaml, from which all this was read."""

    def warnings(self, shown_as: str) -> tuple[str, ...]:
        """What was accepted and should be looked at, each with its place.

        Args:
            shown_as: How the file is named.
        """
        return tuple(f"{shown_as}:{problem.line}: {problem}" for problem in self.newer)

    @property
    def place(self) -> Place:
        """What components may know of it."""
        return Place(
            account_id=self.account_id,
            partition=self.regions.partition,
            home_region=self.regions.home,
            regions=(*self.regions.active, *self.regions.retiring),
            active=self.regions.active,
            files=self.files,
            settings={c.component.name: c.settings for c in self.components},
            trusted_services=frozenset(
                service for c in self.components if c.component.trusts for service in c.component.trusts(c.settings)
            ),
            assumed=tuple((dotted(path), self.lines.get(path, 1)) for path in self._assumed()),
        )

    def _assumed(self) -> Iterator[tuple[str, ...]]:
        if self.credentials.assume_role is not None:
            yield ("credentials", "assume_role")
        if isinstance(self.backend, S3Backend) and self.backend.role_arn is not None:
            yield ("backend", "role_arn")

    @property
    def identities(self) -> Identities:
        """What its components say of the account's users and groups."""
        settings = {c.component.name: c.settings for c in self.components}
        said = (c.component.identities(c.settings, settings) for c in self.components if c.component.identities)
        return reduce(Identities.together, said, Identities())

    def enabled(self, name: str) -> EnabledComponent | None:
        """The enabled component of that name, or None."""
        return next((c for c in self.components if c.component.name == name), None)

    def overridden_tags(self) -> Iterator[tuple[str, Component, tuple[str, ...], int]]:
        """(default tag, component, its own key for it, on how many resources): where a component's own tag wins.

        Compared without case, as IAM does for users and roles, the only resources on which components set tags:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
        """
        for key in self.default_tags:
            for enabled in self.components:
                if enabled.component.tags is None:
                    continue
                same = [own for own in enabled.component.tags(enabled.settings) if own.lower() == key.lower()]
                if same:
                    yield key, enabled.component, tuple(dict.fromkeys(same)), len(same)

    @property
    def consents(self) -> Consents:
        """What its waivers consent to."""
        return Consents(
            waivers=tuple(
                Waiver(entry.rule, subject, entry.reason, date.fromisoformat(entry.expires))
                for entry in self.waivers
                for subject in entry.subject
            )
        )

    def expired_waivers(self, today: date) -> Iterator[tuple[WaiverEntry, int]]:
        """Waivers that no longer consent to anything, each with the line of its last day."""
        for index, waiver in enumerate(self.waivers):
            if date.fromisoformat(waiver.expires) < today:
                yield waiver, self.lines.get(("waivers", index, "expires"), 1)

    def advice(self, today: date) -> Iterator[tuple[Component, Advice]]:
        """What people should look at in the settings themselves, whatever a plan does."""
        for enabled in self.components:
            if enabled.component.advice is not None:
                for advice in enabled.component.advice(enabled.settings, today):
                    yield enabled.component, advice
