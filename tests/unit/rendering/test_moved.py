"""Old addresses in environment files are named with the new ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.moved import moves, new_address
from toolkit.rendering.render import render

MODULES = Path(__file__).parents[3] / "modules"
FILE = """\
account_id: "123456789012"
regions: {home: us-east-1}
components:
  cloudtrail: {}
  activity_alarms: {subscribers: {email_addresses: [security@example.com]}}
  trusted_advisor: {name: NAME, subscribers: {email_addresses: [security@example.com]}}
"""
OLD = "module.activity_alarms.aws_sns_topic"
NEW = "module.activity_alarms.module.alerts.aws_sns_topic"
MOVES = [
    ("module.x.aws_a.this", "module.x.module.y.aws_a.this"),
    ("module.x.aws_b.first", "module.x.aws_b.second"),
    ("module.x.aws_b.second", "module.x.aws_b.third"),
    ("module.x.aws_c.this", 'module.x.aws_c.this["key"]'),
    ("module.x.aws_d.one", "module.x.aws_d.two"),
    ("module.x.aws_d.two", "module.x.aws_d.one"),
]


def rendered(extra: str, name: str = "watch") -> dict[str, str]:
    return dict(render(load_text(FILE.replace("NAME", name) + extra, name="prod", shown_as="environment.yaml")))


@pytest.mark.parametrize(
    ("address", "now"),
    [
        ("module.x.aws_a.this", "module.x.module.y.aws_a.this"),
        ("module.x.aws_a.this.name", "module.x.module.y.aws_a.this.name"),
        ('module.x.aws_a.this["key"].name', 'module.x.module.y.aws_a.this["key"].name'),
        ("module.x.aws_a.thistle", None),
        ("module.x.module.y.aws_a.this", None),
        ("module.x.aws_b.first", "module.x.aws_b.third"),
        ("module.x.aws_c.this", 'module.x.aws_c.this["key"]'),
        ("module.x.aws_c.this.status", 'module.x.aws_c.this["key"].status'),
        ('module.x.aws_c.this["key"].status', None),
        ("module.x.aws_c.this[*", None),
        ("module.other.aws_a.this", None),
        ("module.x.aws_d.one", None),
    ],
)
def test_an_old_address_has_a_new_one(address: str, now: str | None):
    assert new_address(address, MOVES) == now


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (
            f"imports:\n  {OLD}.this: arn:aws:sns:us-east-1:123456789012:baseline-activity\n",
            f"8: imports.{OLD}.this: {OLD}.this has another address in this version of the toolkit; expected "
            f"{NEW}.this",
        ),
        (
            'imports:\n  module.trusted_advisor_us_east_1.aws_kms_key.topic["watch"]: an-id\n',
            'expected module.trusted_advisor_us_east_1.module.alerts["topic"].aws_kms_key.topic',
        ),
        (
            f"waivers:\n  - rule: weakens\n    subject: {OLD}_policy.this.policy\n    reason: because of it\n"
            "    expires: '2026-01-01'\n",
            f"waivers[0].subject: {OLD}_policy.this.policy has another address in this version of the toolkit; "
            f"expected {NEW}_policy.this.policy",
        ),
    ],
)
def test_imports_and_waivers_of_an_old_address_are_errors_with_the_new_one(extra: str, said: str):
    with pytest.raises(EnvironmentFileError) as raised:
        rendered(extra)
    assert said in "\n".join(f"{p.line}: {p}" for p in raised.value.problems)


def test_new_addresses_are_none():
    assert rendered(f"imports: {{{NEW}.this: an-arn}}\n")["imports.tf"].count("import {") == 1


def test_a_name_of_ones_own_is_moved_by_the_rendered_file_and_the_default_by_the_module():
    assert rendered("")["trusted_advisor.tf"].count("moved {") == 4
    assert "moved {" not in rendered("", "baseline-trusted-advisor")["trusted_advisor.tf"]


def test_each_moved_block_is_read():
    """In another form than `terraform fmt` leaves, it would be overlooked."""
    folders = {file.parent for file in MODULES.rglob("*.tf")}
    for folder in folders:
        text = "".join(file.read_text("utf-8") for file in folder.glob("*.tf"))
        found = moves({"x": folder.relative_to(MODULES).as_posix()}, {})
        assert len(found) == len(re.findall(r"^\s*moved\b", text, re.MULTILINE))
