"""How many of a Terraform type AWS allows, and how to count those that there are.

Of IAM, which answers its quotas with its account summary (GetAccountSummary), a record has the key there; of other
services what AWS documents for everybody, and the name of the account's own value in Service Quotas. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from toolkit.resources.reading import Account

Count = Callable[[Account, str, str], int]
"""How many there are in a region, of an owner; "" where the quota is the region's."""
Held = Callable[[Account, str, str], Iterable[str]]
"""What an owner has already, read in a region: ARNs of policies, or names of groups."""


@dataclass(frozen=True)
class AccountWide:
    """A quota of the account, in IAM's account summary with what is used of it.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html

    Attributes:
        key: Key there of what is used; the quota's is KEYQuota.
        of: What it limits, for people.
    """

    key: str
    of: str


@dataclass(frozen=True)
class PerOwner:
    """A quota of each group, role or user, in IAM's account summary without what is used of it.

    Attributes:
        owner: Attribute that names the owner: "group", "role" or "user".
        key: Key of the quota there.
        of: What it limits, for people; the owner's name follows.
        held: What an owner has already; nothing of one that is still to be made.
    """

    owner: str
    key: str
    of: str
    held: Held


@dataclass(frozen=True)
class Regional:
    """A quota of a region, or of one owner in it, that AWS does not count itself.

    Attributes:
        of: What it limits, for people; {region} stands for the region, {owner} for the owner's name.
        default: What AWS documents for everybody.
        source: Where.
        count: How many there are.
        owner: Attribute that names the owner; None: the quota is the region's.
        own_value: (service code, words of the quota's name) in Service Quotas; None: AWS raises it for nobody.
    """

    of: str
    default: int
    source: str
    count: Count
    owner: str | None = None
    own_value: tuple[str, str] | None = None


Quota = AccountWide | PerOwner | Regional


def listed(service: str, operation: str, member: str) -> Count:
    """As many as a list of the region has: boto3's service and operation, and where the items are in an answer."""
    return lambda account, region, _: len(account.pages(service, operation, member, region))
