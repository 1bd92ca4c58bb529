from __future__ import annotations

import pytest

from toolkit.components.detective import COMPONENT, Detective
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render


def rendered(block: str) -> str:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [us-east-1, eu-central-1]}\n'
        f"components: {{detective: {block}}}\n"
    )
    return render(load_text(text, name="x", shown_as="x"))["detective.tf"]


def test_an_empty_block_makes_a_graph_in_every_region_and_leaves_the_organization_alone() -> None:
    text = rendered("{}")
    assert 'module "detective_us_east_1"' in text
    assert 'module "detective_eu_central_1"' in text
    assert text.count("auto_enable_members = null") == 2
    assert COMPONENT.settings is Detective


def test_members_follow_their_switch() -> None:
    assert rendered("{auto_enable_members: true}").count("auto_enable_members = true") == 2
    with pytest.raises(ToolkitError) as caught:
        rendered('{auto_enable_members: "all"}')
    assert "auto_enable_members" in str(caught.value.detail)
