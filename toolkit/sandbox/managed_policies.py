"""AWS managed policies as the embedded AWS has them: texts of the day on which moto was released."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any


def text(arn: str) -> tuple[str, str] | None:
    """A policy's text, and which text that is; None: moto is not installed, or does not have it.

    Args:
        arn: Its ARN, in whatever partition.
    """
    found = _facts(arn.partition(":policy/")[2])
    if found is None:
        return None
    return json.dumps(found["Document"]), f"{found['DefaultVersionId']}, as moto {_version()} has it"


@cache
def _facts(name: str) -> dict[str, Any] | None:
    """What moto has of the policy that is called so behind `policy/` in its ARN."""
    data = _data()
    last = name.rpartition("/")[2]
    at = data.find(f'\n "{last}":')
    if at < 0 or not last:
        return None
    facts: dict[str, Any] = json.JSONDecoder().raw_decode(data, data.index("{", at))[0]
    return facts if f"{facts['Path']}{last}".lstrip("/") == name else None


@cache
def _version() -> str:
    return version("moto")


@cache
def _data() -> str:
    """JSON of all policies, one space before each name.

    The file is read by itself: importing it as a part of moto takes ten times as long, and a plan waits for it.
    """
    try:
        _version()
        package = find_spec("moto")
        folder = Path((package.submodule_search_locations or [""])[0]) if package is not None else Path()
        module = spec_from_file_location("_moto_managed_policies", folder / "iam" / "aws_managed_policies.py")
        if module is None or module.loader is None:
            return ""
        loaded = module_from_spec(module)
        module.loader.exec_module(loaded)
        return str(loaded.aws_managed_policies_data)
    except (PackageNotFoundError, ImportError, OSError, AttributeError):
        return ""
