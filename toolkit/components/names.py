"""Names of IAM's entities."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_ENTITY_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")


def _entity_name(name: str) -> str:
    if not _ENTITY_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid IAM name: expected 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -"
        )
    return name


EntityName = Annotated[str, AfterValidator(_entity_name)]
"""Name of a group or policy (source: IAM API reference, CreateGroup, CreatePolicy, PutGroupPolicy)."""
