"""What is known of a request that nobody has made yet, and what follows of a statement.

In: the condition keys that are known, or known to be absent. Out: whether a statement applies: certainly, perhaps, or
not. Pure. What is not known is never guessed: it makes a statement apply perhaps.

Asked is what somebody may do directly, by a signed request over TLS. So these keys are known (IAM User Guide, "AWS
global condition context keys", under Availability): aws:SecureTransport is true, aws:ViaAWSService and
aws:PrincipalIsAWSService are false, and what only a service's own calls carry is absent. AWS's endpoints take TLS 1.2
or newer: https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

from toolkit.access.model import UNKNOWN_TEXT
from toolkit.globs import STAR, Glob, Unknown
from toolkit.iam.conditions import Condition
from toolkit.iam.document import PolicyDocument, Statement
from toolkit.iam.matching import Context, ContextValue, Pattern, expand, pattern, resource_matches


class Truth(IntEnum):
    """Whether something holds."""

    NO = 0
    PERHAPS = 1
    YES = 2


DIRECTLY: Mapping[str, ContextValue] = {
    "aws:principalisawsservice": False,
    "aws:securetransport": True,
    "aws:viaawsservice": False,
}
"""Keys of whoever asks for something directly."""
_TLS, _TLS_VERSIONS = "s3:tlsversion", ("1.2", "1.3", "1.4", "99")
"""Key of the version of TLS; the least that AWS takes, and newer ones, there today or not: the client chooses it."""
_NEVER = frozenset(
    {
        *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalservicename"),
        *("aws:principalservicenameslist", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"),
        "aws:sourceorgpaths",
    }
)
"""Keys that such a request does not have."""
OF_ACCESS_POINTS = frozenset(
    {"s3:accesspointnetworkorigin", "s3:accesspointtag/", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"}
)
"""Keys of requests through an access point, which name the access point's ARN, and not a bucket's: Amazon S3 User
Guide, "Configuring IAM policies for using access points"."""


def of_the_principal(key: str) -> bool:
    """Whether a key's value depends on who asks."""
    lowered = key.lower()
    return lowered.startswith("aws:principal") or lowered in ("aws:username", "aws:userid")


@dataclass(frozen=True)
class Knowledge:
    """Which condition keys are known.

    Attributes:
        values: Key in lowercase → value.
        absent: Keys in lowercase that the request does not have; one that ends with a slash stands for all below.
    """

    values: Mapping[str, ContextValue]
    absent: frozenset[str] = _NEVER

    @cached_property
    def context(self) -> Context:
        """The values, as conditions read them."""
        return Context(self.values)

    def knows(self, key: str) -> bool:
        """Whether the key's value, or that there is none, is known."""
        lowered = key.lower()
        return lowered in self.values or lowered in self.absent or f"{lowered.partition('/')[0]}/" in self.absent


def condition_holds(condition: Condition, knowledge: Knowledge, *, variables: bool) -> Truth:
    """Whether a condition holds for the request."""
    if condition.key.lower() == _TLS and not knowledge.knows(_TLS):
        return _tls_holds(condition)
    if not knowledge.knows(condition.key) or any(
        _names_unknown(value, knowledge) for value in condition.values if variables and "${" in value
    ):
        return Truth.PERHAPS
    return Truth.YES if condition.holds(knowledge.context, variables=variables) else Truth.NO


def _tls_holds(condition: Condition) -> Truth:
    """Whether a condition on the version of TLS holds: what it says of the least and of every newer one."""
    said = {condition.holds(Context({_TLS: version}), variables=False) for version in _TLS_VERSIONS}
    return Truth.PERHAPS if len(said) > 1 else Truth.YES if said == {True} else Truth.NO


def _names_unknown(text: str, knowledge: Knowledge) -> bool:
    symbols = pattern(text, variables=True).symbols
    return any(isinstance(one, Unknown) and not knowledge.knows(one.name) for one in symbols)


def resource_applies(
    statement: Statement, knowledge: Knowledge, resource: str | None, kinds: tuple[str, ...], *, variables: bool
) -> Truth:
    """Whether a statement is about a resource.

    Args:
        statement: The statement.
        knowledge: What is known of the request.
        resource: The ARN, or "*" for a request that names none; None: any resource of these kinds.
        kinds: Patterns of the ARNs that requests of the action may name.
        variables: Whether the document has variables.
    """
    entries = statement.resources or statement.not_resources
    found = Truth.NO
    for entry in entries:
        found = max(found, _entry_matches(entry, knowledge, resource, kinds, variables=variables))
        if found is Truth.YES:
            break
    return found if statement.resources else Truth(Truth.YES - found)


def _entry_matches(
    entry: str, knowledge: Knowledge, resource: str | None, kinds: tuple[str, ...], *, variables: bool
) -> Truth:
    if set(entry) == {"*"}:
        return Truth.YES
    if variables and "${" in entry and _names_unknown(entry, knowledge):
        wide = Pattern(tuple(STAR if isinstance(s, Unknown) else s for s in pattern(entry, variables=True).symbols))
        possible = _meets(wide, kinds) if resource is None else resource_matches(wide, resource)
        return Truth.PERHAPS if possible else Truth.NO
    filled = expand(entry, knowledge.context, variables=variables)
    if filled is None:
        return Truth.NO
    if resource is not None:
        return Truth.YES if resource_matches(filled, resource) else Truth.NO
    if kinds and all(filled.resource_by_part.covers(_kind(kind)) for kind in kinds):
        return Truth.YES
    return Truth.PERHAPS if _meets(filled, kinds) else Truth.NO


def _meets(wide: Pattern, kinds: Iterable[str]) -> bool:
    return any(wide.resource.overlaps(_kind(kind)) for kind in kinds)


def meets(arn: str, kind: str) -> bool:
    """Whether some ARN matches both patterns, of which neither has variables."""
    return pattern(arn, variables=False).resource.overlaps(_kind(kind))


@lru_cache(maxsize=4096)
def _kind(text: str) -> Glob:
    return pattern(text, variables=False).resource_by_part


def doubts(
    statement: Statement, document: PolicyDocument, knowledge: Knowledge, resource: str | None, applies: Truth
) -> tuple[str, ...]:
    """What decides whether a statement that applies perhaps does, for people.

    Args:
        statement: The statement.
        document: Its document.
        knowledge: What is known of the request.
        resource: As `resource_applies`.
        applies: Whether it is about the resource.
    """
    found = [
        f"what {one.key.removeprefix(UNKNOWN_TEXT)} says, whose text is not known here"
        if one.key.startswith(UNKNOWN_TEXT)
        else str(one)
        for one in statement.conditions
        if condition_holds(one, knowledge, variables=document.variables) is Truth.PERHAPS
    ]
    if applies is Truth.PERHAPS:
        entries = ", ".join(statement.resources or statement.not_resources)
        word = "one of" if len(statement.resources or statement.not_resources) > 1 else ""
        said = "is not" if statement.not_resources else "is"
        found.append(" ".join(filter(None, ("the resource", said, word, entries))))
    return tuple(found)
