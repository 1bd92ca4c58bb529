"""Which deletion a creation of the same plan takes the place of: a resource that only gets another address.

In: a plan. Out: per creation, the deletions that it may continue. Pure. Terraform tells resources apart by their
address, AWS by what names them: a role, a bucket's policy or a detector's feature that is deleted at one address and
created at another is the same one, and what it is then is a change of it.
"""

from __future__ import annotations

from typing import Any

from toolkit.plan.model import Action, Change, Marker, Plan
from toolkit.resources.base import IDENTITY
from toolkit.resources.registry import RESOURCES

_NEVER_NAMES = frozenset({"account_id", "bucket_prefix", "expected_bucket_owner", "name_prefix", "instance_arn"})
_ACCOUNT_WIDE = ("aws_iam_", "aws_s3_")
"""How types begin whose names are the same in every region."""
_SUCCEEDED = frozenset({"aws_iam_role"})
"""Types of which one of another name is taken for the same where its component deletes one: what it may do, and who may
assume it, are what counts, and a name is soon changed."""


def continued(plan: Plan, leave: frozenset[str] = frozenset()) -> dict[str, tuple[Change, ...]]:
    """Address of a creation → the deletions in whose place it may be, of none in particular where there are several.

    Args:
        plan: The plan.
        leave: Types that are judged otherwise.
    """
    deleted = [c for c in plan.changes if c.action is Action.DELETE and c.type not in leave]
    created = [c for c in plan.changes if c.action is Action.CREATE and c.type not in leave]
    found = {c.address: tuple(d for d in deleted if _is_named_alike(d, c)) for c in created}
    taken = {d.address for same in found.values() for d in same}
    for change in created:
        if not found[change.address] and change.type in _SUCCEEDED:
            found[change.address] = tuple(
                d
                for d in deleted
                if d.type == change.type and d.component == change.component and d.address not in taken
            )
    return {address: deletions for address, deletions in found.items() if deletions}


def _is_named_alike(old: Change, new: Change) -> bool:
    if old.type != new.type:
        return False
    here = old.component == new.component and old.region == new.region
    names = _names(old.type)
    if not names:
        # One in a region, or one without a name: a key, say.
        return here
    pairs = [(old.before.get(name), new.after.get(name)) for name in names]
    known = [(a, b) for a, b in pairs if isinstance(a, str) and not isinstance(b, Marker) and b is not None]
    if any(_spelled(old.type, a) != _spelled(old.type, b) for a, b in known):
        return False
    # An owner that is made has no id yet: in the same place it may be the same one.
    if len(known) < len([a for a, _ in pairs if a is not None]):
        return here
    return bool(known) and (old.region == new.region or old.type.startswith(_ACCOUNT_WIDE))


def _names(resource: str) -> tuple[str, ...]:
    """Attributes that name a resource, or what it belongs to."""
    record = RESOURCES.get(resource)
    if record is not None and record.named_by is not None:
        return record.named_by
    identity = (record.no_weaker_side.get(IDENTITY, "") if record else "").split()
    return tuple(name for name in identity if name not in _NEVER_NAMES)


def _spelled(resource: str, value: Any) -> str:
    # IAM does not distinguish names by case.
    return str(value).casefold() if resource.startswith("aws_iam_") else str(value)
