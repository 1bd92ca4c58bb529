"""Names and paths of IAM's users, groups, roles and policies, and external ids."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from toolkit.settings.values import checked

_ENTITY_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")


def _entity_name(name: str) -> str:
    if not _ENTITY_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid IAM name: expected 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -"
        )
    return name


def _user_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,64}", name):
        raise ValueError(
            f"{name!r} is not an IAM user name: expected 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -"
        )
    return name


def _path(path: str) -> str:
    if (path != "/" and not re.fullmatch(r"/([\x21-\x2e\x30-\x7e]+/)+", path)) or len(path) > 512:
        raise ValueError(f"{path!r} is not an IAM path: expected / or /name/, at most 512 printable characters")
    return path


_external_id = checked(_EXTERNAL_ID, "2 to 1224 letters, digits and the characters _ + = , . @ : / -")

EntityName = Annotated[str, AfterValidator(_entity_name)]
"""Name of a group or policy (source: IAM API reference, CreateGroup, CreatePolicy, PutGroupPolicy)."""

UserName = Annotated[str, AfterValidator(_user_name)]
IamPath = Annotated[str, AfterValidator(_path)]
ExternalId = Annotated[str, _external_id]
