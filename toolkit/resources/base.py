"""The record of one Terraform resource type: which of its attributes have a weaker side, and why the others have none;
how it is read from an account.

In: nothing. Out: the types that each file in this package fills in. Never reads a file, runs Terraform or imports
boto3: a reader puts its questions to the `Account` that it is given (`toolkit.resources.reading`). A direction belongs
to the type, so it holds in whichever component makes the resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from toolkit.resources.price import Free, Price
from toolkit.resources.quota import Quota
from toolkit.resources.reading import Contents, Live, Reading


class Stronger(Enum):
    """Which direction of an attribute's change makes an account stronger."""

    HIGHER = "higher"
    LOWER = "lower"
    TRUE = "true"
    FALSE = "false"
    PRESENT = "set"
    """Any value is stronger than none; changing one for another is neither."""
    ABSENT = "not set"
    """No value is stronger than any; changing one for another is neither."""
    SAME = "unchanged"
    """A destination of records, or what is looked at: any other value takes it away from where people look."""
    SUPERSET = "everything that was there, or more"
    """A list or set of names or blocks, none of which may be removed."""
    SUBSET = "no entry added"
    """A list or set of exceptions or grants, to which none may be added."""
    ORDER = "order"
    """Words with an order; see `Strength.order`."""
    KEY = "an own key of the same account"
    """A KMS key: none is the weakest, then AWS's own (`alias/aws/…`), then a key of the account."""
    POLICY = "no deny lost, no grant widened"
    """An IAM policy document."""
    CONTENT = "everything that it said, or more"
    """A JSON object in which nothing may be changed or removed."""
    PATTERN = "matching the same events, or more,"
    """An EventBridge event pattern."""
    FILTER = "matching the same log events, or more,"
    """A CloudWatch Logs filter pattern; an empty one matches everything."""
    THRESHOLD = "reached at least as soon"
    """The threshold of an alarm, beside its `comparison_operator`."""
    PARAMETERS = "each known parameter towards its stronger side, the others unchanged,"
    """A JSON object of parameters; see `Strength.members`."""
    RECORDED = "no type recorded less often"
    """Exceptions from how often types are recorded: blocks of `recording_frequency` and `resource_types`, beside the
    `recording_frequency` of all others; see `Strength.order`."""
    KEPT = "every object kept as long, or longer,"
    """The rules of a bucket's lifecycle, judged together: what they expire, and after how many days."""


@dataclass(frozen=True)
class Strength:
    """Declares for one attribute which change is a weakening.

    Attributes:
        attribute: Path in the resource's values. `[0]` follows a block of which there is one
            ("recording_group[0].all_supported"), `[*]` one of which there are several, told apart by their key
            (`ResourceType.keys`): "additional_configuration[*].status".
        stronger: The direction.
        order: For ORDER and RECORDED: the words, weakest first.
        unset_is_strongest: Whether no value (null, absent, empty or 0) is the strongest instead of the weakest, as with
            a retention that never ends, or a list of what something is limited to. For SAME: whether a first value
            counts as a change, too.
        members: For PARAMETERS: name of a parameter → its direction (HIGHER, LOWER or TRUE). Any other change of a
            parameter counts as weaker, also one that is added or removed: its default is not known here.
        only: (path, values): only where the new resource has one of these values there; None in them is no value.
        unset: For ORDER and RECORDED: the word that no value stands for. For HIGHER: the number that AWS takes where
            the block of the attribute is not there; in a block without it, the provider sends 0.
        by_aws: Whether no module sets it, so that AWS decides for a new resource. Of one that is replaced it is then
            never known, and the replacement is judged as a deletion.
        otherwise: (path, factor): where this one is not set or not known, another number that says the same, times
            the factor; `years`, say, with 365.
    """

    attribute: str
    stronger: Stronger
    order: tuple[Any, ...] = ()
    unset_is_strongest: bool = False
    members: tuple[tuple[str, Stronger], ...] = ()
    only: tuple[str, tuple[Any, ...]] | None = None
    unset: str | int | None = None
    by_aws: bool = False
    otherwise: tuple[str, int] | None = None

    @property
    def top(self) -> str:
        """The attribute of the resource that the path starts with."""
        return re.split(r"[.\[]", self.attribute, maxsplit=1)[0]

    @property
    def described(self) -> str:
        """Which values are stronger, for people."""
        return f"from weak to strong: {', '.join(self.order)}" if self.order else f"{self.stronger.value} is stronger"


@dataclass(frozen=True)
class Irreversible:
    """What AWS does not take back once it is applied.

    Attributes:
        summary: One sentence.
        source: AWS's page that says so, and the day on which it was read.
        attribute: Path of the attribute whose value does it ("rule[0].default_retention[0].mode"); None: that the
            resource is created.
        values: Values of the attribute that do it.
        higher: Paths of numbers that do it again where the attribute has such a value and one of them becomes higher.
    """

    summary: str
    source: str
    attribute: str | None = None
    values: tuple[Any, ...] = ()
    higher: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owner:
    """A type that policies are given to, which are judged together.

    Attributes:
        kind: What it is, for people ("permission set").
        named_by: Attribute that other resources name it by.
        boundary: Attribute with the ARN of its permissions boundary; None: another type gives it one, or none can.
    """

    kind: str
    named_by: str
    boundary: str | None = None


@dataclass(frozen=True)
class Gives:
    """How a type gives a policy to an owner.

    Attributes:
        owner: `Owner.kind`; "target" for what an organization's policies are attached to.
        named_by: Attribute that names the owner.
        policy: Attribute with the text, or with what names a managed policy.
        managed: Whether the policy is a managed one, which has a text of its own.
    """

    owner: str
    named_by: str
    policy: str
    managed: bool = False


@dataclass(frozen=True)
class ResourceType:
    """One Terraform resource type.

    Attributes:
        name: As Terraform calls it.
        strengths: Attributes with a stronger and a weaker side.
        no_weaker_side: Reason → paths of attributes (without indices) that have no weaker side, parted by spaces; a
            block's name stands for everything in it. Every attribute that a configuration can set is here or in
            `strengths`: tests/unit/resources compares with the provider's schema.
        keys: Path of a block of which there are several → names of the attributes that tell one from another. Their
            order means nothing, so they are compared by key.
        sets: Paths of the other blocks that the provider, in version 5 or 6, has as a set: without an order or a key.
        single: Paths of blocks of which AWS takes one, though the provider's schema does not say so.
        key: Names of the attributes that tell one resource from another within a region, or globally; none for what
            exists once.
        named_by: Names of the attributes by which one that moves to another address of a plan is known again, where
            they are others, or fewer, than those of IDENTITY in `no_weaker_side`; empty: it has no name.
        reading: How it is read from an account; None: `unread` says why it is not.
        contents: What is lost with a resource that is deleted: how to read what it holds; None: it holds nothing.
        regional: Whether version 6 of the provider has it in a region; None: as it is read (`Reading.is_global`).
        unread: Why no create of it can overwrite or collide with anything, so that a plan does not look for it; a scan
            lists it if it has a reading (HARMLESS).
        irreversible: What of it AWS does not take back; reports mark it.
        price: What it bills, or why nothing; None: no module makes it.
        quota: How many of it AWS allows, in the account, a region or of one owner; None: plans are not judged by that.
        used: Values that say how it was used. They change without anyone changing it: no digest covers them.
        payloads: Paths of free text that is sent to a target as it is, and may hold a password: snapshots have its
            digest alone.
        unsupported_in_simulator: Why an apply on the embedded AWS leaves it out (toolkit.workflows.left_out), where
            nothing can be in its way: it lacks the type, cannot read it back, or lacks what the type depends on. None:
            it has it.
        owner: What it is to the policies that it is given; None: it is given none.
        gives: How it gives a policy to an owner; None: it does not.
        arn_of_another: Whether its attribute `arn` is another thing's, possibly of another account.
        unrecorded: IAM actions of its life, reading and writing, that no recording on the embedded AWS shows
            (`toolkit.resources.recorded`): from the provider's source (5.100.0) and the Service Authorization
            Reference.
    """

    name: str
    strengths: tuple[Strength, ...] = ()
    no_weaker_side: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    named_by: tuple[str, ...] | None = None
    reading: Reading | None = None
    contents: Contents | None = None
    regional: bool | None = None
    unread: str | None = None
    irreversible: tuple[Irreversible, ...] = ()
    price: Price | Free | None = None
    quota: Quota | None = None
    used: tuple[str, ...] = ()
    payloads: tuple[str, ...] = ()
    unsupported_in_simulator: str | None = None
    owner: Owner | None = None
    gives: Gives | None = None
    arn_of_another: bool = False
    unrecorded: tuple[str, ...] = ()

    def entry_key(self, path: str) -> str | None:
        """The attribute by which paths name the entries of a list, so that a consent to one never covers another.

        None: by their places. A place means nothing where directions look into the entries: version 6 of the provider
        lists them otherwise than version 5.

        Args:
            path: Of the list, without positions.
        """
        names = self.keys.get(path, ())
        inside = any(re.sub(r"\[[0*]\]", "", s.attribute.rpartition("[*]")[0]) == path for s in self.strengths)
        return names[0] if len(names) == 1 and inside else None

    def is_of(self, found: Live, planned: Mapping[str, Any]) -> bool:
        """Whether a resource that an account has is one with the key of a planned one, or in its place."""
        if self.reading is not None and self.reading.sole:
            return True
        pairs = ((found.key[name], planned.get(name)) for name in self.key)
        if self.reading is not None and self.reading.case_blind:
            return all(isinstance(value, str) and has.lower() == value.lower() for has, value in pairs)
        return all(has == value for has, value in pairs)


def each(stronger: Stronger, *attributes: str, **more: Any) -> tuple[Strength, ...]:
    """One declaration for several attributes.

    Args:
        stronger: The direction that all of them have.
        attributes: Their paths.
        more: Other arguments of `Strength`.
    """
    return tuple(Strength(attribute, stronger, **more) for attribute in attributes)


def iam_actions(service: str, names: str) -> tuple[str, ...]:
    """Actions of a service.

    Args:
        service: Prefix of its actions.
        names: Their names, parted by spaces.
    """
    return tuple(f"{service}:{name}" for name in names.split())


OFF_ON = ("DISABLED", "ENABLED")
"""The order of words for what is switched off or on."""

NAMES = "only names or describes it: what it does stays the same"
IDENTITY = (
    "says which resource it is, or whose: for another value Terraform deletes this one, and deletions are judged "
    "by themselves"
)
PLACE = "where in the same destination records are put: none is lost"
FORMAT = "how records or messages are written: none is lost"
COST = "about cost or speed alone"
TERRAFORM = "what Terraform does when it creates or deletes the resource; a deletion is judged by itself"
ATTACHES = "an attachment is made and deleted, never changed: what its owner is granted is judged for the owner"
LEFT_ALONE = "optional and computed: no module sets it, so Terraform leaves what the account has"
"""Held against the modules by tests/unit/resources."""
ELSEWHERE = "deprecated and read only here: a type of its own sets it, where it is judged"
