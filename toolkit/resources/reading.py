"""What AWS says, in Terraform's terms: the words in which a type's record reads an account.

In: nothing. Out: `Live` (a resource that an account has), `Unreadable` (never an absence), and `Account`, the one way
in which a record puts a question to AWS. Pure: `toolkit.aws.inventory` has the only `Account` that calls AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, TypeVar

from toolkit.regions import partition_of

S = TypeVar("S")
T = TypeVar("T")


class Reason(Enum):
    """Why something cannot be read; AWS's absence of it is none of these."""

    DENIED = "denied"
    EXPIRED = "the credentials have expired or are not valid"
    THROTTLED = "throttled, after every retry"
    TIMED_OUT = "timed out"
    UNREACHABLE = "the endpoint cannot be reached"
    TRUNCATED = "the answer is not complete"
    NOT_SUBSCRIBED = "the account is not subscribed to the service"
    REGION_OFF = "the region is not enabled for the account"
    NOT_OFFERED = "the service has no endpoint in the region, as far as is known"
    BUDGET = "no further call may be made"
    NOT_IN_SNAPSHOT = "the snapshot does not say"
    UNKNOWN = "AWS answered with something that is not documented"


@dataclass(frozen=True)
class Call:
    """One call of AWS that evidence rests on."""

    action: str
    """As IAM names it, such as "iam:GetAccountPasswordPolicy"."""
    region: str
    time: datetime
    """When AWS answered, in UTC."""
    request_id: str | None


@dataclass(frozen=True)
class Answered:
    """One call of AWS with all that was said: the raw fact behind `Call`. Of a list, each page is one."""

    service: str
    """As boto3 names it."""
    operation: str
    """Method of its client."""
    parameters: Mapping[str, Any]
    """Of the first page; what leads to the next ones is left out."""
    call: Call
    answer: Mapping[str, Any] | None
    """As boto3 gives it; None where AWS refused, or did not answer."""
    error: tuple[str, str] | None = None
    """Code and message of AWS's error, or the name and text of what went wrong on the way; None with an answer."""


@dataclass(frozen=True)
class Live:
    """One resource that an account has.

    A record's reader fills in the first fields; the inventory adds type, region, account and evidence.
    """

    key: Mapping[str, str]
    """What identifies it: attribute of the Terraform type (`ResourceType.key`) → value. Empty for what exists once."""
    values: Mapping[str, Any]
    """Its attributes as Terraform's state holds them, as far as the record reads them."""
    called: str
    """What it is, for people: "the alarm 'root'"."""
    import_id: str | None
    """None: the provider imports no such resource."""
    arn: str | None = None
    by_default: bool = False
    """Whether AWS gives it by itself, so that it is nobody's choice."""
    type: str = ""
    region: str = ""
    """The home region for global resources."""
    account_id: str = ""
    managed_by: str | None = None
    """Another Terraform, a CloudFormation stack, Control Tower, an organization's administrator; None: not known."""
    evidence: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """Something that could not be read. It may be there or not: no consumer may take it for an absence."""

    type: str
    """The Terraform type; empty for a whole region; MANAGED_BY where only who manages resources is not known."""
    region: str
    call: str
    """As IAM names it."""
    reason: Reason
    message: str
    """What AWS answered."""

    def __str__(self) -> str:
        return f"{self.call} in {self.region}: {self.reason.value} ({self.message})"

    def error(self) -> UnreadableError:
        """What a reader that needs it raises."""
        return UnreadableError(self.call, self.region, self.reason, self.message)


MANAGED_BY = "managed_by"
"""Stands for a type where it cannot be read who manages resources; what there is was read all the same."""


@dataclass(frozen=True)
class Absent:
    """An error with which a service documents that there is nothing, or that it is not enabled.

    Attributes:
        code: The error's code; empty: any, where AWS does not document it.
        words: Words of its message, where the code alone has other meanings, too.
    """

    code: str
    words: str = ""


class Account(Protocol):
    """One account to read. Each question is put to AWS once, whoever asks."""

    @property
    def account_id(self) -> str:
        """Its id, 12 digits."""

    @property
    def home_region(self) -> str:
        """Where what has no region is read."""

    @property
    def simulated(self) -> bool:
        """Whether it is on the embedded AWS."""

    def call(
        self,
        service: str,
        operation: str,
        region: str,
        *,
        absent: tuple[str | Absent, ...] = (),
        first: bool = False,
        unfinished: Callable[[Mapping[str, Any]], bool] | None = None,
        **parameters: Any,
    ) -> Mapping[str, Any] | None:
        """The answer of a call that answers whole; None for an error in `absent`.

        Args:
            service: As boto3 names it.
            operation: Method of its client.
            region: Region of the client.
            absent: Errors by which the service says that there is nothing; a text is a code.
            first: Whether the first part of a longer answer will do.
            unfinished: Whether an answer says that AWS is still working on it: the call is repeated each second then,
                for a minute.
            **parameters: Of the call.

        Raises:
            UnreadableError: Any other error, or an answer that is cut off.
        """

    def pages(
        self,
        service: str,
        operation: str,
        member: str,
        region: str,
        *,
        absent: tuple[str | Absent, ...] = (),
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """Every item of a list that AWS answers page by page; empty also for an error in `absent`.

        Args:
            service: As boto3 names it.
            operation: Method of its client.
            member: Where the items are in an answer; dots lead into it ("DistributionList.Items").
            region: Region of the client.
            absent: As for `call`.
            **parameters: Of the call.

        Raises:
            UnreadableError: Any other error, or a list whose end is not reached.
        """

    def live(self, kind: str, region: str) -> tuple[Live, ...]:
        """Every resource of another type in the region, for types that exist only beside those.

        Raises:
            UnreadableError: They cannot be listed.
        """

    def side_by_side(self, ask: Callable[[S], T], about: Iterable[S]) -> tuple[T, ...]:
        """The answers in the order of the questions, several of which wait for AWS at a time."""


def camel_case(method: str) -> str:
    """A method of boto3 as the API's operation is called, but for abbreviations: "list_groups" → "ListGroups"."""
    return "".join(word.capitalize() for word in method.split("_"))


class UnreadableError(Exception):
    """Raised through a record's reader; the inventory gives it to consumers as `Unreadable`."""

    def __init__(self, call: str, region: str, reason: Reason, message: str) -> None:
        super().__init__(f"{call} in {region}: {reason.value} ({message})")
        self.call, self.region, self.reason, self.message = call, region, reason, message

    def of(self, kind: str) -> Unreadable:
        """The same as what consumers get of a Terraform type."""
        return Unreadable(kind, self.region, self.call, self.reason, self.message)


Lister = Callable[[Account, str], Iterable[Live | Unreadable]]
"""Every resource of the type in a region; `Unreadable` for one that AWS does not answer, though it does others."""
Contents = Callable[[Account, str, Mapping[str, Any]], str | None]
"""What a resource with these values holds, for people ("the bucket has objects, such as …"); None: nothing."""
Finder = Callable[[Account, str, Mapping[str, Any]], Live | None]
"""The resource with a key (and whatever else of the planned values it takes to find it); None: there is none."""


def arn_of(account: Account, service: str, region: str, resource: str, owner: str = "") -> str:
    """The ARN of what AWS answers without one, as the Service Authorization Reference has it.

    Args:
        account: The account that is read.
        service: As ARNs have it.
        region: Where it is; empty for a service without regions.
        resource: Kind and id ("vpc/vpc-1").
        owner: The account whose it is; empty: the account that is read.
    """
    partition = partition_of(region or account.home_region) or "aws"
    return f"arn:{partition}:{service}:{region}:{owner or account.account_id}:{resource}"


def found_for(account: Account, region: str, find: Finder, planned: Iterable[Mapping[str, Any]]) -> Iterator[Live]:
    """What is found of several keys: the list of a type of which AWS answers one at a time, for its owner."""
    for found in account.side_by_side(lambda one: find(account, region, one), planned):
        if found is not None:
            yield found


class OnCreate(Enum):
    """What a create does where the account has the resource already."""

    OVERWRITES = "overwrites"
    """It replaces the values that are there, without an error. Under another name than the planned one it collides."""
    COLLIDES = "collides"
    """AWS refuses it, or a second one would exist beside it."""
    SAME = "same"
    """It is the very same resource, so creating it changes nothing: an attachment, a membership."""
    HARMLESS = "harmless"
    """Nothing that is there can be in its way (`ResourceType.unread` says why): a plan does not look, a scan does."""


@dataclass(frozen=True)
class Reading:
    """How one Terraform type is read from an account.

    Attributes:
        lists: Every resource of the type in a region; None: `unlisted` says why there is no list.
        on_create: What a create does where it is there already.
        finds: One resource by its key, where that is cheaper than a list, or where only a planned resource's values
            lead to it; None: a filter over the list.
        beside: For those who have only the list: what one of it is to a plan, where that depends on more of the planned
            values than the key; None: nothing that counts.
        is_global: Whether it exists once per account, so that only the home region is read.
        sole: Whether there is at most one of it where it is read, so that one of any name is in the way.
        case_blind: Whether AWS takes keys of another case for the same. IAM API Reference, CreateGroup, CreatePolicy,
            CreateRole, CreateUser: "Names are not distinguished by case. For example, you cannot create resources named
            both "MyResource" and "myresource"." https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
        quiet: For OVERWRITES: whether a create that sets the very same values is no finding at all.
        assumed: Part of the key → what AWS takes where the plan has no value.
        prefixes: Part of the key → how a configuration may begin it, though AWS answers without that.
        default_with: The type together with which AWS gives it a value by itself. Of any other type, what AWS gives by
            itself is in nobody's way.
        actions: The IAM actions that the reads need. Tests compare them with the calls that are made.
        unread: Reason → attributes of `strengths`, parted by spaces, that are not among the values.
        unlisted: Why an account's resources of the type are not listed; None where they are.
    """

    lists: Lister | None
    on_create: OnCreate
    finds: Finder | None = None
    beside: Callable[[Live, Mapping[str, Any]], Live | None] | None = None
    is_global: bool = False
    sole: bool = False
    case_blind: bool = False
    quiet: bool = False
    assumed: Mapping[str, str] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    default_with: str | None = None
    actions: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    unlisted: str | None = None
