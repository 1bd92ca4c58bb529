"""AWS managed policies as the embedded AWS has them: texts of the day on which moto was released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def text(arn: str) -> tuple[str, str] | None:
    """A policy's text, and which text that is; None: moto is not installed, or does not have it.

    Args:
        arn: Its ARN, in whatever partition.
    """
    found = _policies().get(arn.partition(":policy/")[2])
    if found is None:
        return None
    return json.dumps(found["Document"]), f"{found['DefaultVersionId']}, as moto {version('moto')} has it"


@cache
def _policies() -> Mapping[str, Any]:
    """What stands behind `policy/` in the ARN → facts."""
    try:
        version("moto")
        from moto.iam.aws_managed_policies import aws_managed_policies_data
    except (PackageNotFoundError, ImportError):
        return {}
    listed: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return {f"{facts['Path']}{name}".lstrip("/"): facts for name, facts in listed.items()}
