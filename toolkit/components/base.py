"""What a component is: one name shared by a module folder, a template, a settings class and the rendered file.

In: nothing. Out: the types that each file in this package fills in. This package is pure data: it never reads a
file, runs Terraform or asks AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import Enum
from typing import Any, Protocol

from toolkit.policies import Need, OrganizationPolicies
from toolkit.settings.base import Mismatch, Settings

PROFILES = {
    "minimal": "what every account needs and next to nothing bills for",
    "standard": "minimal, with recording, detection and alarms: the choice for most accounts",
    "strict": "standard, with more that is billed by use: for accounts that hold what must not leak",
}
"""Starting points of `toolkit new`, the least first: name → what it is, for help and comments."""

SECURITY_EMAIL = "{security_email}"
"""Stands in a profile's block for the address of those who are told of incidents."""


class Scope(Enum):
    """Where a component's resources live."""

    GLOBAL = "global"
    """Once per account: IAM and other services without a region; applied through the home region's provider."""

    HOME_REGION = "home region"
    """Once, in the home region."""

    GLOBAL_REGION = "us-east-1 (us-gov-west-1, cn-north-1)"
    """Once, in the region where the partition's services without a region live; it must be active."""

    EVERY_REGION = "every active region"
    """One module call per active region (and possibly shared parts in the home region)."""


@dataclass(frozen=True)
class Protected:
    """A resource type that protects or records: deleting or replacing one needs consent.

    Attributes:
        resource: Terraform resource type.
        name: Only resources of this name in the module; None: all of the type.
        released_by: (type, attribute there, attribute here): deleting a resource of that type that this one belongs to
            releases this one, too; an attachment goes with its group.
        denying: Only where the policy in this attribute denies something: a mere grant may go.
    """

    resource: str
    name: str | None = None
    released_by: tuple[str, str, str] | None = None
    denying: str | None = None

    def covers(self, kind: str, name: str) -> bool:
        """Whether resources of this type and name are meant, whatever policies they have."""
        return kind == self.resource and self.name in (None, name)


LOG_BUCKET = tuple(
    Protected(resource)
    for resource in (
        "aws_s3_bucket",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_logging",
    )
)
"""Of a log bucket (modules/shared/log_bucket), everything but its lifecycle: without that, logs are kept."""


@dataclass(frozen=True)
class NewerProvider:
    """A setting that needs a newer version of the AWS provider than 5.100, to which rendered roots are pinned.

    What 5.100 lacks is in a nested module of its own, which is called only where the setting is in use: not null, false
    or empty. That module's version constraint starts at the version given here, so `terraform init` installs it or a
    newer one; the other modules admit 5.100.

    Attributes:
        setting: Dotted path of the setting.
        module: The nested module's folder in the component's.
        version: Lowest version of the provider that has what the module uses, such as "6.56".
        source: What says so, and the day on which it was read.
        regions: What `compose` has of the regions in which the module is called; where these are none, the setting
            needs nothing. None: it is called wherever the setting is in use.
    """

    setting: str
    module: str
    version: str
    source: str
    regions: str | None = None


@dataclass(frozen=True)
class Lacking:
    """What AWS does not offer in some partitions: settings that need it are errors there.

    Attributes:
        name: The service or feature, in AWS's words.
        partitions: Those without it.
        setting: Dotted path of the setting that needs it, where that is not null, false or empty; "": the component.
        expected: What would be accepted.
        source: AWS's page that says so, or the list that the service is not in, and the day on which it was read.
    """

    name: str
    partitions: tuple[str, ...]
    setting: str
    expected: str
    source: str


GOVCLOUD, CHINA = "aws-us-gov", "aws-cn"
GOVCLOUD_SERVICES = (
    "not among the services of https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/using-services.html, and no "
    "endpoint in botocore 1.44.5; 2026-11-28"
)
"""Source of what GovCloud lacks as a whole."""


@dataclass(frozen=True)
class Advice:
    """Something in a component's settings that people should look at: told by reports and `validate`, never refused.

    Attributes:
        setting: Path below the component's block.
        resource: Address, within the component's module, of what it is about.
        summary: One sentence.
        evidence: The fact behind it ("2026-01-31 was 12 days ago").
        remedy: What to do about it.
        reported: Whether every plan reports it; else `validate` alone warns.
    """

    setting: tuple[str | int, ...]
    resource: str
    summary: str
    evidence: str
    remedy: str
    reported: bool = True


class Role(Enum):
    """What a resource is for, where guards must know more of it than its type and values say."""

    ENFORCES_MFA = "attaches the policy that denies a group's members everything without MFA but enrolling a device"
    DENIES_IDENTITY_ADMINISTRATION = "attaches the policy that denies a group's members to administer identities"
    MOVES_USER = "puts a user into groups, or takes it out of them"
    SUSPENDS_USER = "puts a user into the group that is denied everything"


@dataclass(frozen=True)
class Made:
    """Some resources of a component's module: of a type, and of one name in the module where one is given."""

    resource: str
    name: str | None = None


class Live(Protocol):
    """A resource that the account has, as `toolkit.resources` reads it."""

    @property
    def key(self) -> Mapping[str, str]:
        """What identifies it: attribute → value."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Its attributes, as Terraform's state holds them."""


Every = Callable[[str, str], tuple[Live, ...]]
"""Terraform type and region → what the account has."""


@dataclass(frozen=True)
class Seen:
    """What the account has of a component in one region."""

    region: str
    found: str
    """For people: "at least 14 characters, …"."""
    as_set: bool
    """Whether that is what the environment asks for."""


@dataclass(frozen=True)
class Identities:
    """What an environment says of the account's users and groups, and of who applies it.

    Attributes:
        with_mfa: Groups on which MFA is enforced once the environment is applied.
        without_administration: Groups that are denied the administration of identities then.
        removed_users: Users whom it removes by name.
        enrolling_users: Users who may enrol an MFA device with an access key alone.
        appliers: (role that plans, role that applies what it planned) of each pipeline.
    """

    with_mfa: frozenset[str] = frozenset()
    without_administration: frozenset[str] = frozenset()
    removed_users: frozenset[str] = frozenset()
    enrolling_users: frozenset[str] = frozenset()
    appliers: frozenset[tuple[str, str]] = frozenset()

    def together(self, other: Identities) -> Identities:
        """What both say."""
        pairs = ((getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return Identities(*(own | others for own, others in pairs))


@dataclass(frozen=True)
class Ending:
    """What ends what a component records or detects.

    Attributes:
        actions: Of IAM.
        on: What of the environment they are about, as an access test names it; None: any resource.
    """

    actions: tuple[str, ...]
    on: str | None = None


@dataclass(frozen=True)
class IamName:
    """A setting that becomes the name of something; names of IAM are compared in any case.

    Attributes:
        resource: Terraform resource type.
        setting: Path below the component's block; a last step `*` is every key of a map whose value is not null.
        text: How the name is made of the setting's value.
        texts: The key of a map and its value → names, where an entry names none, or several.
    """

    resource: str
    setting: str
    text: str = "{}"
    texts: Callable[[str, Any], tuple[str, ...]] | None = None

    def names(self, key: str, value: Any) -> tuple[str, ...]:
        """What a setting's value, or a map's key, names."""
        return (self.text.format(key),) if self.texts is None else self.texts(key, value)


@dataclass(frozen=True)
class Place:
    """What a component may know of its environment when it composes values.

    Attributes:
        account_id: Twelve digits.
        partition: Such as "aws" or "aws-cn".
        home_region: Of the environment.
        regions: Active and retiring regions, the home region among them.
        active: Active regions alone.
        files: Text of each file that `Component.files_in` names, by its name as the environment file gives it.
        settings: Settings of the enabled components, by name.
        trusted_services: Service principals that the organization must trust for the enabled components.
        assumed: Settings of the environment that name a role which plans and applies alike assume, with their lines.
    """

    account_id: str
    partition: str
    home_region: str
    regions: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Settings] = field(default_factory=dict)
    trusted_services: frozenset[str] = frozenset()
    active: tuple[str, ...] = ()
    assumed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Component:
    """One baseline component.

    Attributes:
        name: Shared by modules/NAME, templates/components/NAME.tf.j2, the YAML key and rendered/NAME.tf.
        title: A few words for headings ("Password policy").
        purpose: One sentence: what an account gets.
        scope: Where its resources live.
        settings: The class of its YAML block.
        requires: Components whose outputs its template wires in; they must be enabled too.
        requires_with: (setting, component): components that are needed only where that optional block is given.
        global_region_with: Settings that need the region where services without one live (us-east-1) to be active.
        derived: Module variables that are not settings: the template wires them from the environment or from other
            components (e.g. `home_region`).
        bills: What starts to cost money when it is enabled with its defaults; None for nothing.
        regions_in: Settings (dotted; * is every key) that hold regions: one, a list, or the keys of a map; each must
            be an active one, else what was asked for there would silently not be done.
        absent_in: Regions in which AWS does not offer the service (botocore's endpoints): where one is active, the
            setting `skipped_regions` must name it, or `offered_regions`.
        unable_in: (setting, what AWS does not do there, regions): settings that name the one region for something, the
            home region where they are null; it must be another than these.
        protects: Resource types whose deletion or replacement would leave the account weaker or blind.
        profiles: Name of PROFILES → the block that `toolkit new --profile` writes, to be changed like any other. A list
            of SECURITY_EMAIL alone becomes the address that `new` asks for. A component is in no profile unnamed here.
        left_out: Resource types that an apply on the embedded AWS leaves out together with those that it does not
            support (`ResourceType.unsupported_in_simulator`).
        mismatches: Its settings, and every enabled component's by name → what does not go together. Pure; called only
            with settings that are valid by themselves.
        lacking_in: What AWS does not offer in some partitions, of what the component needs.
        not_offered: Its settings and place → what AWS does not do in that partition, or in those regions, and what
            does not go with the roles that are assumed there. Pure; called only with settings that are valid. Where a
            component misses whole regions, `absent_in` says so.
        newer_provider: Settings that need a newer version of the AWS provider than 5.100. An environment whose
            constraint admits an older major version, or not the version that is needed, is refused at that line.
        advice: Its settings and today's date → what people should look at. Pure.
        composed: Settings that are no variables, and never become arguments: the template reads them, or `compose`
            makes values of them, which the template wires into variables of `derived`.
        compose: (settings, place) -> the template's `composed`: what would be logic in a template, and what must be
            known before Terraform runs.
        follows: Its settings → key whose value another component decides as long as the file does not give it → that
            component.
        pages: Names of Markdown pages that are rendered beside the Terraform files, from templates/pages/NAME.md.j2.
        files_in: Settings (dotted; `*` for every key of a map) that name a JSON file beside environment.yaml.
        tags: Its settings → key of every tag that its module sets on a resource by itself, once per resource.
        tags_in: Settings (dotted; `*` is every key of a map) that hold the tags of a user or role.
        narrow_tag_keys: Whether its service accepts fewer characters in tag keys (`tags.NARROW_KEY`).
        iam_names: Settings that name users, groups, roles and policies; to IAM, no two names of an environment may be
            the same.
        names: Settings of which each names some resources of one type, so that `toolkit/plan/settings.json` cannot tell
            which of them a resource has its name from.
        trusts: Its settings → service principals that the organization must trust for it (trusted access). Where the
            environment manages the organization, too, they join `organization.trusted_services`. Names:
            https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
        roles: What some of its resources are for → which.
        identities: Its settings, and every enabled component's by name → what they say of users and groups. Pure.
        ending: What ends what it records or detects: the access tests that `toolkit new` writes hold that the groups
            which administer no identities cannot do it.
        read_back: Its settings, place, and what reads the account → what the demo shows of it.
        organization_policies: Its settings and place → what it sends to AWS Organizations, judged before Terraform is
            started. Pure. One component at most has it.
        needs: A handful of actions, reading and writing, by which the component is applied and kept: no policy of the
            organization may take them from whoever applies the baseline.
    """

    name: str
    title: str
    purpose: str
    scope: Scope
    settings: type[Settings]
    requires: tuple[str, ...] = ()
    requires_with: tuple[tuple[str, str], ...] = ()
    global_region_with: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    bills: str | None = None
    regions_in: tuple[str, ...] = ()
    absent_in: tuple[str, ...] = ()
    unable_in: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    protects: tuple[Protected, ...] = ()
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    mismatches: Callable[[Any, Mapping[str, Any]], Iterable[Mismatch]] | None = None
    lacking_in: tuple[Lacking, ...] = ()
    not_offered: Callable[[Any, Place], Iterable[Mismatch]] | None = None
    newer_provider: tuple[NewerProvider, ...] = ()
    advice: Callable[[Any, date], Iterable[Advice]] | None = None
    composed: tuple[str, ...] = ()
    compose: Callable[[Any, Place], Mapping[str, Any]] | None = None
    follows: Callable[[Any], Mapping[str, str]] | None = None
    pages: tuple[str, ...] = ()
    files_in: tuple[str, ...] = ()
    tags: Callable[[Any], Iterable[str]] | None = None
    tags_in: tuple[str, ...] = ()
    narrow_tag_keys: bool = False
    iam_names: tuple[IamName, ...] = ()
    names: tuple[IamName, ...] = ()
    trusts: Callable[[Any], Iterable[str]] | None = None
    roles: Mapping[Role, Made] = field(default_factory=dict)
    identities: Callable[[Any, Mapping[str, Any]], Identities] | None = None
    ending: Ending | None = None
    read_back: Callable[[Any, Place, Every], Iterable[Seen]] | None = None
    organization_policies: Callable[[Any, Place], OrganizationPolicies] | None = None
    needs: tuple[Need, ...] = ()
