"""The key behind an alias: whoever takes over the alias takes over the key, since the data is encrypted with it.

An alias alone would be moved to a new key. Everything with the key's ARN in it would then be unknown to the plan, and
the account would have a key that nobody names. In: a plan, what it meets, and what AWS says about those aliases' keys.
Out: what it meets with the keys, or why an alias is to be left alone. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from toolkit.addresses import Address
from toolkit.plan.existing import ExistingWanted
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Plan
from toolkit.resources.managers import other_account
from toolkit.resources.reading import Live

ALIAS = "aws_kms_alias"
KEY = "aws_kms_key"
"""In every module, an alias and its key have the same name; a test holds the modules to it."""


@dataclass(frozen=True)
class KeyWanted(ExistingWanted):
    """The key that an alias names; None: it waits for its deletion, or is AWS's."""

    @property
    def what(self) -> str:
        """As the base."""
        return f"the key {self.planned['key_id']} behind the alias of {self.address}"


def alias_of(address: str) -> str | None:
    """Address of a key's alias; None for what is no key."""
    return _sibling(address, KEY, ALIAS)


def key_of(address: str) -> str | None:
    """Address of an alias's key; None for what is no alias."""
    return _sibling(address, ALIAS, KEY)


def keys_wanted(plan: Plan, existing: Mapping[str, Existing]) -> dict[str, KeyWanted]:
    """Address of a key that the plan creates → the one behind the account's alias, which is adopted or met."""
    wanted = {}
    made = {c.address: c for c in plan.changes if c.type == KEY and c.action is Action.CREATE}
    for alias in plan.changes:
        key = made.get(key_of(alias.address) or "")
        if key is None:
            continue
        met = existing.get(alias.address)
        values = met.live.values if met is not None and met.live is not None else alias.before if alias.imported else {}
        target = values.get("target_key_id")
        if isinstance(target, str):
            wanted[key.address] = KeyWanted(key.address, KEY, key.region, {"key_id": target})
    return wanted


def met(live: Live) -> Existing:
    """A key as something that a plan meets."""
    return Existing({}, False, live.import_id, live.called, live=live)


def settled(found: Mapping[str, Existing], wanted: Mapping[str, KeyWanted]) -> dict[str, Existing]:
    """What a plan meets, without the keys that cannot be taken over, and why their aliases are to be left alone.

    Args:
        found: Address → what the account has there, these keys among it, and who manages that.
        wanted: As `keys_wanted`.
    """
    out = dict(found)
    for address, key in wanted.items():
        why = _unfit(found.get(address), key)
        if why is None:
            continue
        out.pop(address, None)
        alias = alias_of(address)
        if alias is not None and alias in out:
            out[alias] = replace(out[alias], apart=why)
    return out


def _unfit(found: Existing | None, wanted: KeyWanted) -> str | None:
    """Why a key cannot be taken over; None where it can."""
    key_id = wanted.planned["key_id"]
    if found is None or found.live is None:
        # Terraform takes a key that waits for its deletion for deleted.
        return f"its key {key_id} waits for its deletion, or is AWS's"
    if (owner := other_account(found.live)) is not None:
        return f"its key {key_id} belongs to account {owner}"
    if found.live.managed_by is not None:
        return f"its key {key_id} is managed by {found.live.managed_by}"
    if found.manager_unread is not None:
        return f"who manages its key {key_id} cannot be read: {found.manager_unread}"
    if not found.live.values.get("is_enabled"):
        # Nothing can be encrypted or decrypted with it, and whoever disabled it meant that:
        # https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html
        return f"its key {key_id} is disabled"
    return None


def _sibling(address: str, kind: str, other: str) -> str | None:
    if f"{kind}." not in address:
        return None
    parsed = Address.parse(address)
    return str(replace(parsed, type=other)) if parsed.type == kind else None
