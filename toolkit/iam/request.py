"""A request to be judged: who, what, on which resource, under which circumstances.

In: an ARN, an action, a resource, condition keys. Out: a typed request whose context also holds the keys that AWS
derives from the principal and the resource. Pure.

Sources (IAM User Guide, by page title): "AWS global condition context keys", "IAM policy elements: Variables and
tags" (principal key values), "AWS JSON policy elements: Principal", "IAM identifiers".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from toolkit.errors import ToolkitError
from toolkit.iam.matching import ARN_FIELDS, Context, ContextValue


class RequestError(ToolkitError):
    """A request that no principal could make: malformed ARN, action or resource."""


class PrincipalKind(Enum):
    """Kinds of callers that AWS evaluates differently."""

    ROOT = "root user"
    USER = "IAM user"
    ROLE = "role"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user session"
    SERVICE = "AWS service"
    PROVIDER = "identity provider"
    ANONYMOUS = "anonymous"


def role_session(arn: str) -> tuple[str, str] | None:
    """(role, name of the session) of a role's session; None for any other ARN."""
    found = re.fullmatch(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/([^/]+)/(.+)", arn)
    return (found[1], found[2]) if found else None


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        arn: ARN; for an AWS service its name (`cloudtrail.amazonaws.com`), for an identity provider its ARN or
            domain, for nobody in particular "".
        account: Twelve digits; "" for services, providers and anonymous.
        name: User name, role name or federated user's name, without path; "" for the others.
    """

    arn: str
    kind: PrincipalKind
    account: str = ""
    name: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Principal:
        """Read a principal; None is an anonymous caller.

        Raises:
            RequestError: An ARN that is of no user, role, session, root or provider.
        """
        if text is None:
            return cls("", PrincipalKind.ANONYMOUS)
        if not text.startswith("arn:"):
            if re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", text):
                return cls(text, PrincipalKind.SERVICE)
            if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", text):
                return cls(text, PrincipalKind.PROVIDER)
        iam = re.fullmatch(r"arn:[a-z-]+:iam::(\d{12}):(root|(user|role|saml-provider|oidc-provider)/(.+))", text)
        sts = re.fullmatch(r"arn:[a-z-]+:sts::(\d{12}):(?:assumed-role/.+|federated-user/(.+))", text)
        session = role_session(text)
        if iam and iam[2] == "root":
            return cls(text, PrincipalKind.ROOT, iam[1])
        if iam and iam[3].endswith("-provider"):
            return cls(text, PrincipalKind.PROVIDER)
        if iam:
            kind = PrincipalKind.USER if iam[3] == "user" else PrincipalKind.ROLE
            return cls(text, kind, iam[1], iam[4].split("/")[-1])
        if sts and session:
            return cls(text, PrincipalKind.ROLE_SESSION, sts[1], session[0])
        if sts and sts[2]:
            return cls(text, PrincipalKind.FEDERATED_USER, sts[1], sts[2])
        raise RequestError(
            f"{text!r} is not a principal",
            hint="Give the whole ARN of a user, role, session or root, a service's name, or None for anonymous.",
        )

    @property
    def role_arn(self) -> str:
        """For a role session, its role's ARN (without the path, which a session's ARN does not show)."""
        return re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", self.arn)


_DERIVED_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        principal: As `Principal.parse` reads it.
        action: One action (`iam:CreateUser`), no wildcard.
        resource: The resource's ARN, or "*" for actions without one.
        context: Condition keys; what stands here beats what is derived. A key that is left out is absent, which is
            not the same as false: `aws:MultiFactorAuthPresent` is absent with long-lived access keys.
        principal_tags: Tags of the user, role or session: `aws:PrincipalTag/…`.
        resource_account: Owner of the resource where its ARN does not tell (S3); None: the ARN's account, or
            the principal's.
    """

    principal: str | None
    action: str
    resource: str = "*"
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    principal_tags: Mapping[str, str] = field(default_factory=dict)
    resource_account: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9_.-]+", self.action):
            raise RequestError(f"{self.action!r} is not an action", hint="Give one action, such as iam:CreateUser.")
        if self.resource != "*" and len(self.resource.split(":", ARN_FIELDS - 1)) < ARN_FIELDS:
            raise RequestError(
                f"{self.resource!r} is not a resource", hint="Give a whole ARN, or * for actions without a resource."
            )
        _ = self.caller

    @cached_property
    def caller(self) -> Principal:
        """The principal, read."""
        return Principal.parse(self.principal)

    @cached_property
    def owner(self) -> str:
        """Account that owns the resource; the principal's where nothing says otherwise."""
        if self.resource_account:
            return self.resource_account
        account = self.resource.split(":", ARN_FIELDS - 1)[4] if self.resource != "*" else ""
        # AWS's own resources (arn:aws:iam::aws:policy/…) are usable from every account.
        return account if account.isdigit() else self.caller.account

    @property
    def cross_account(self) -> bool:
        """Whether an identity of one account asks for a resource of another."""
        return bool(self.caller.account) and self.owner != self.caller.account

    @cached_property
    def keys(self) -> Context:
        """Every condition key of the request, derived ones included."""
        caller = self.caller
        entries: dict[str, ContextValue] = {}
        if caller.account:
            entries["aws:principalarn"] = caller.role_arn
            entries["aws:principalaccount"] = caller.account
            entries["aws:principalisawsservice"] = False
        if caller.kind in _DERIVED_TYPES:
            entries["aws:principaltype"] = _DERIVED_TYPES[caller.kind]
        if caller.kind is PrincipalKind.USER:
            entries["aws:username"] = caller.name
        if caller.kind is PrincipalKind.SERVICE:
            entries["aws:principalisawsservice"] = True
            entries["aws:principalservicename"] = caller.arn
            entries["aws:principalservicenameslist"] = [caller.arn]
        if self.owner:
            entries["aws:resourceaccount"] = self.owner
        entries |= {f"aws:principaltag/{key.lower()}": value for key, value in self.principal_tags.items()}
        entries |= {key.lower(): value for key, value in self.context.items()}
        return Context(entries)

    def __str__(self) -> str:
        return f"{self.principal or 'anonymous'} {self.action} on {self.resource}"
