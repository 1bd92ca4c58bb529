"""What a printed policy consists of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

LARGEST = 6144
"""Characters of a managed policy; white space does not count.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (2026-11-29)
"""
ATTACHED = 10
"""Managed policies that a role may have, unless the quota was raised (same page)."""


class Purpose(Enum):
    """What a policy is for."""

    DISCOVER = "discover"
    PLAN = "plan"
    APPLY = "apply"


class Holder(Enum):
    """Who gets a policy."""

    WORKER = "worker"
    """The principal that Terraform and the toolkit work as in the environment's account."""
    STATE = "state"
    """The principal that reads and writes the state, where that is another one."""
    CALLER = "caller"
    """Who starts the command, and assumes the others' roles."""


@dataclass(frozen=True)
class Statement:
    """One statement that allows.

    Attributes:
        sid: Letters and digits.
        actions: Sorted.
        resources: Sorted.
        conditions: Operator → key → value or values.
        recorded: Whether each action was seen on the embedded AWS; else it is from AWS's documentation alone.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recorded: bool = True

    @property
    def data(self) -> dict[str, Any]:
        """As IAM takes it."""
        data: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": _scalar(self.actions),
            "Resource": _scalar(self.resources),
        }
        if self.conditions:
            data["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return data


def _scalar(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


@dataclass(frozen=True)
class Document:
    """One managed policy.

    Attributes:
        name: That it may have.
        account_id: The account to create it in.
        holder: Who gets it.
        principal: That principal, for people.
        statements: Its statements.
    """

    name: str
    account_id: str
    holder: Holder
    principal: str
    statements: tuple[Statement, ...]

    @property
    def content(self) -> dict[str, Any]:
        """The policy, as IAM takes it."""
        return content(self.statements)

    @property
    def text(self) -> str:
        """As it is best read; IAM does not count the white space."""
        return json.dumps(self.content, indent=2, ensure_ascii=False) + "\n"

    @property
    def size(self) -> int:
        """Characters that IAM counts."""
        return size(self.statements)


def content(statements: tuple[Statement, ...]) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": [statement.data for statement in statements]}


def size(statements: tuple[Statement, ...]) -> int:
    """Characters that IAM counts of a policy of these statements."""
    text = json.dumps(content(statements), separators=(",", ":"), ensure_ascii=False)
    return len(re.sub(r"\s", "", text))
