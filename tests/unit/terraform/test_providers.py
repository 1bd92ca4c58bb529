"""Which provider a state records for each resource."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import BadPlanError
from toolkit.terraform.providers import aliases, planned_aliases

AWS = 'provider["registry.terraform.io/hashicorp/aws"]'


def resource(module: str | None, provider: str, mode: str = "managed") -> dict[str, Any]:
    return {"mode": mode, "type": "aws_x", "name": "y", "provider": provider, **({"module": module} if module else {})}


STATE = {
    "resources": [
        resource("module.guardduty_us_east_1", f"{AWS}.us_east_1"),
        resource("module.guardduty_eu_central_1", AWS),
        resource('module.a["b.c"].module.d[0]', f"{AWS}.eu_west_1"),
        resource(None, f"module.e.{AWS}.us_west_2"),
        resource("module.read", AWS, mode="data"),
        resource("module.odd", "something else"),
    ]
}
FOUND = {
    "module.guardduty_us_east_1.aws_x.y": "us_east_1",
    "module.guardduty_eu_central_1.aws_x.y": "",
    "module.a.module.d.aws_x.y": "eu_west_1",
    "aws_x.y": "us_west_2",
}


def test_every_managed_resource_has_the_alias_of_its_provider() -> None:
    assert aliases(STATE) == FOUND
    assert aliases({}) == {}


def test_a_plan_tells_those_of_the_state_before_the_refresh(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tfstate", "{}")
        archive.writestr("tfstate-prev", json.dumps(STATE))
    assert planned_aliases(file) == FOUND


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_what_is_no_plan_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "plan"
    file.write_bytes(content)
    with pytest.raises(BadPlanError):
        planned_aliases(file)
