"""Pages beside the Terraform files belong to what was reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import ExitCode, ToolkitError
from toolkit.workflows.workspace import open_workspace

COMPONENTS = (
    "{root_protection: {custodians: [Anna, Ben], password_kept_in: vault, mfa_devices: {key 1: safe, key 2: office}}}"
)


@pytest.mark.usefixtures("callers")
def test_a_page_that_was_edited_is_out_of_date_and_another_source(house: Any):
    (house.root / "modules" / "root_protection").mkdir()
    house.write(components=COMPONENTS)
    workspace = open_workspace(house.project, "prod", house.access(), house)
    page = workspace.paths.rendered / "root-runbook.md"
    before = workspace.sources()
    assert "environments/prod/rendered/root-runbook.md" in before
    page.write_text(page.read_text() + "- Mallory\n")
    assert workspace.sources() != before
    with pytest.raises(ToolkitError, match=r"out of date: root-runbook\.md") as caught:
        open_workspace(house.project, "prod", house.access(), house, may_render=False)
    assert caught.value.exit_code is ExitCode.OUT_OF_DATE
