"""The IAM policies that allow a scan of an account, and nothing else.

In: nothing. Out: policy documents, from the actions that each type's record declares for its reads. tests/unit/aws
compares these declarations with the calls that are made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from toolkit.resources.registry import RESOURCES
from toolkit.workflows.discover import OWN_ACTIONS, listed_types

_LONGEST = 6144
"""Characters of a managed policy; white space does not count.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (2026-11-29)
"""


def scan_actions() -> tuple[str, ...]:
    """Every action that a scan needs, and that plans need for the same types, sorted."""
    readings = (RESOURCES[kind].reading for kind in listed_types(simulated=False))
    return tuple(sorted({*OWN_ACTIONS, *(action for one in readings if one for action in one.actions)}))


def scan_policies(longest: int = _LONGEST) -> tuple[dict[str, Any], ...]:
    """Policies that together allow a scan; more than one only where they would be too long for IAM."""
    return policies_of(scan_actions(), longest)


def policies_of(actions: tuple[str, ...], longest: int = _LONGEST) -> tuple[dict[str, Any], ...]:
    """Policies that together allow these actions; more than one only where they would be too long for IAM."""
    return tuple(_document(part) for part in _parts(actions, longest))


def _parts(actions: tuple[str, ...], longest: int) -> Iterator[list[str]]:
    part: list[str] = []
    for action in actions:
        if part and _length(_document([*part, action])) > longest:
            yield part
            part = []
        part.append(action)
    yield part


def _document(actions: list[str]) -> dict[str, Any]:
    # Lists of a whole account know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/
    statement = {"Sid": "ReadForTheBaseline", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _length(document: dict[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))
