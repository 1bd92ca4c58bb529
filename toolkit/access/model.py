"""The principals of one account, each with every policy that applies to it, and the resources that have policies.

In: nothing. Out: frozen types that a plan's, an account's or a test's reader fills in. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from toolkit.iam import Condition, PolicyDocument, PolicyKind, Principals, Statement
from toolkit.iam.conditions import OPERATORS
from toolkit.iam.evaluate import Layer

UNKNOWN_TEXT = "toolkit:text/"
"""How the key begins of the condition that stands for a policy whose text is not known: no request decides it."""


class Kind(Enum):
    """What a principal is."""

    GROUP = "group"
    """Whoever is in it, by its own policies alone."""
    USER = "user"
    """With the policies of its groups."""
    ROLE = "role"
    PERMISSION_SET = "permission-set"
    ACCOUNT = "account"
    """Another account, or a user or role in it, that a policy here names."""
    ANYONE = "anyone"
    """Of any account that no policy here names: whom `"*"` lets in."""
    PROVIDER = "provider"
    """Users of an identity provider, whom the trust policy of a role names. Only comparisons have it."""
    SERVICE = "service"
    """A service of AWS that assumes a role. Only comparisons have it."""
    TARGET = "accounts-below"
    """An administrator of an account below a root, unit or account of the organization, less its control policies."""


OWN = frozenset({Kind.USER, Kind.ROLE, Kind.GROUP, Kind.PERMISSION_SET})
"""Of the account itself."""
STRANGERS = frozenset({Kind.ACCOUNT, Kind.ANYONE})
"""Of other accounts: they may assume roles here."""


@dataclass(frozen=True, eq=False)
class Holding:
    """A policy as somebody has it.

    Attributes:
        layer: What it is to them.
        document: What it says; see `unknown_document` for one whose text is not known.
        address: Terraform address of what gives the policy, or has its text; None: an account's.
        attribute: Attribute of that with the text.
        note: Which text it is, where that may differ from what AWS has now ("v3, read on 2026-11-29").
        arn: Of a managed policy; None: it is none, or that is not known.
        carriers: Addresses and attributes of what else it takes to have it: an attachment, a membership, the owner of a
            boundary.
        group: Name of the group by which a user has it; the last carrier is then the membership.
    """

    layer: Layer
    document: PolicyDocument
    address: str | None = None
    attribute: str = "policy"
    note: str = ""
    arn: str | None = None
    carriers: tuple[tuple[str, str], ...] = ()
    group: str | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.document.name

    @property
    def unknown(self) -> bool:
        """Whether its text is not known."""
        return any(c.key.startswith(UNKNOWN_TEXT) for s in self.document.statements for c in s.conditions)


@dataclass(frozen=True, eq=False)
class Principal:
    """Somebody who may be allowed something.

    Attributes:
        kind: What it is.
        name: Its name; an account's id, or the ARN of somebody in another account.
        arn: Who its requests say that they are; a group's members have none that is known.
        held: Every policy that it has, its groups' and its boundary among them.
        tags: Of a user; of all others None, since a session may have tags of its own.
        trust: A role's trust policy; None: it has none, or is no role.
        groups: Names of a user's groups.
        address: Terraform address; None: an account's.
        linked: Whether it is a role that only a service of AWS assumes, and nobody can change.
        levels: Of a target: service control policies of each level, the root's first.
    """

    kind: Kind
    name: str
    arn: str
    held: tuple[Holding, ...] = ()
    tags: Mapping[str, str] | None = None
    trust: Holding | None = None
    groups: tuple[str, ...] = ()
    address: str | None = None
    linked: bool = False
    levels: tuple[tuple[Holding, ...], ...] = ()

    @property
    def label(self) -> str:
        """As commands name it: "group:developers"."""
        return f"{self.kind.value}:{self.name}"

    def __str__(self) -> str:
        return f"{self.kind.value.replace('-', ' ')} {self.name}"

    @property
    def services(self) -> tuple[str, ...]:
        """The services of AWS that a role trusts."""
        return tuple(dict.fromkeys(name for one in self._trusted for name in one.service))

    @property
    def providers(self) -> tuple[str, ...]:
        """The identity providers that a role trusts."""
        return tuple(dict.fromkeys(name for one in self._trusted for name in one.federated))

    @property
    def _trusted(self) -> tuple[Principals, ...]:
        statements = self.trust.document.statements if self.trust is not None else ()
        return tuple(s.principals for s in statements if s.effect == "Allow" and s.principals is not None)

    @property
    def serves(self) -> bool:
        """Whether nobody but services of AWS assumes it."""
        trusted = self._trusted
        own = (one for one in trusted if one.aws or one.federated or one.canonical_user or one.everyone)
        return self.linked or (bool(trusted) and not any(own))


@dataclass(frozen=True, eq=False)
class Guarded:
    """A resource with a policy of its own.

    Attributes:
        arn: Its ARN; that of a bucket stands for its objects, too.
        policy: Its policy; None: it certainly has none.
        account: Whose it is.
        region: Where it is; "" for what has no region.
        address: Terraform address of a bucket, key or queue itself; None: of others, or where only a policy is known.
    """

    arn: str
    policy: Holding | None
    account: str
    region: str = ""
    address: str | None = None


@dataclass(frozen=True, eq=False)
class World:
    """Everybody and everything that is known of one account.

    Attributes:
        source: What it is known by, for people ("the rendered files of prod").
        account_id: The account.
        partition: Of its ARNs.
        principals: In the order in which they are listed.
        guarded: Resources with policies of their own that are known.
        places: What a resource is for ("trail", "log bucket") → ARNs.
        scps: One tuple for each level, from the root to the account; none: not known, or none apply.
        rcps: The same.
        organization_id: Of the account's organization; None: not known.
        gaps: What could not be taken into account, as sentences.
    """

    source: str
    account_id: str
    partition: str
    principals: tuple[Principal, ...]
    guarded: tuple[Guarded, ...] = ()
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scps: tuple[tuple[Holding, ...], ...] = ()
    rcps: tuple[tuple[Holding, ...], ...] = ()
    organization_id: str | None = None
    gaps: tuple[str, ...] = ()

    @cached_property
    def _guarded(self) -> Mapping[str, Guarded]:
        return {one.arn: one for one in self.guarded}

    def guard_of(self, resource: str) -> Guarded | None:
        """What is known of the policy of a resource; None: nothing."""
        bucket = resource.partition("/")[0] if ":s3:::" in resource else resource
        return self._guarded.get(resource) or self._guarded.get(bucket)

    def role(self, arn: str) -> Principal | None:
        """The role with that ARN."""
        return next((one for one in self.principals if one.kind is Kind.ROLE and one.arn == arn), None)


def unknown_document(name: str, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument:
    """What stands for a policy of which the text is not known: it may allow everything, and it may deny everything."""
    condition = Condition(OPERATORS["stringequals"], f"{UNKNOWN_TEXT}{name}", ("",))
    principals = Principals(everyone=True) if kind in (PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.RCP) else None
    about: dict[str, Any] = {
        "actions": ("*",),
        "resources": ("*",),
        "principals": principals,
        "conditions": (condition,),
    }
    statements = (Statement(0, None, "Allow", **about), Statement(1, None, "Deny", **about))
    return PolicyDocument(name, kind, "2012-10-17", statements)
