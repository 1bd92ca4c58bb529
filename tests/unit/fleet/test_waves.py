"""fleet.yaml, and the waves that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.fleet.settings import FleetFileError, FleetSettings, load_settings, parse_settings
from toolkit.fleet.waves import Wave, in_waves

LABELS = {
    "canary": {"tier": "sandbox"},
    "dev-a": {"tier": "dev"},
    "dev-b": {"tier": "dev", "team": "red"},
    "prod-a": {"tier": "prod", "team": "red"},
    "prod-b": {"tier": "prod"},
    "bare": {},
}
FLEET = """\
waves:
  - name: canary
    environments: [canary]
  - name: dev
    where: {tier: dev}
    concurrency: 2
    failures_tolerated: 1
  - name: red
    where: {tier: [prod, dev], team: red}
"""


def test_environments_go_to_the_first_wave_that_fits_them_and_the_others_last():
    assert in_waves(parse_settings(FLEET), LABELS, LABELS) == (
        Wave("canary", ("canary",)),
        Wave("dev", ("dev-a", "dev-b"), 2, 1),
        Wave("red", ("prod-a",)),
        Wave("rest", ("prod-b", "bare")),
    )


def test_only_what_is_selected_is_in_a_wave():
    assert in_waves(parse_settings(FLEET), LABELS, ("prod-a", "dev-b")) == (
        Wave("dev", ("dev-b",), 2, 1),
        Wave("red", ("prod-a",)),
    )


def test_without_a_file_there_is_one_wave():
    assert in_waves(FleetSettings(), LABELS, ("bare", "canary")) == (Wave("rest", ("bare", "canary")),)


def test_a_wave_may_have_globs():
    settings = parse_settings("waves:\n  - {name: p, environments: ['prod-*']}\n")
    assert in_waves(settings, LABELS, LABELS)[0] == Wave("p", ("prod-a", "prod-b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "fleet.yaml:1: the file is empty; expected one document with `waves`"),
        ("- a\n", "fleet.yaml:1: a list at the top; expected one document with `waves`"),
        ("wave: []\n", "fleet.yaml:1: wave: unknown key 'wave'; expected one of waves, shared (did you mean 'waves'?)"),
        ("waves: {a: 1}\n", "fleet.yaml:1: waves: a block of keys and values; expected a list of waves"),
        (
            "waves:\n  - name: a\n    wher: {tier: dev}\n",
            "fleet.yaml:3: waves[0].wher: unknown key 'wher'; expected one of name, where, environments, concurrency, "
            "failures_tolerated (did you mean 'where'?)",
        ),
        (
            "waves:\n  - where: {tier: dev}\n",
            "fleet.yaml:2: waves[0].name: missing; expected a name, as in `name: canary`",
        ),
        (
            "waves:\n  - name: a\n",
            "fleet.yaml:2: waves[0]: a wave without members; expected `where` or `environments`, which say what "
            "belongs to it",
        ),
        (
            "waves:\n  - name: a\n    where: {tier: dev}\n    concurrency: 0\n",
            "fleet.yaml:4: waves[0].concurrency: 0; expected a whole number, at least 1",
        ),
        (
            "waves:\n  - name: a\n    where: {tier: dev}\n    failures_tolerated: -1\n",
            "fleet.yaml:4: waves[0].failures_tolerated: -1; expected a whole number, at least 0",
        ),
        (
            "waves:\n  - name: a\n    where: {tier: 1}\n",
            "fleet.yaml:3: waves[0].where.tier[0]: 1; expected text (in quotes if it looks like a number)",
        ),
        (
            "waves:\n  - {name: a, where: {tier: dev}}\n  - {name: a, where: {tier: prod}}\n",
            "fleet.yaml:3: waves[1].name: the name 'a' is repeated; expected each name once",
        ),
        ("waves: [\n", "fleet.yaml:2: not valid YAML: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, message: str):
    with pytest.raises(FleetFileError) as refused:
        parse_settings(text)
    assert message in str(refused.value.detail)
    assert "nothing was run" in refused.value.problem


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (
            "{name: a, where: {teir: dev}}",
            "fleet.yaml:2: waves[0].where.teir: no environment has a label 'teir'; expected one of team, tier "
            "(did you mean 'tier'?)",
        ),
        (
            "{name: a, where: {tier: [dev, prd]}}",
            "fleet.yaml:2: waves[0].where.tier[1]: no environment has the label tier=prd; expected one of dev, prod, "
            "sandbox (did you mean 'prod'?)",
        ),
        (
            "{name: a, environments: [canray]}",
            "fleet.yaml:2: waves[0].environments[0]: no environment 'canray'; expected one of canary, dev-a, dev-b, "
            "prod-a, prod-b, bare (did you mean 'canary'?)",
        ),
        ("{name: a, environments: ['x-*']}", "fleet.yaml:2: waves[0].environments[0]: no environment 'x-*'"),
    ],
)
def test_a_wave_that_can_have_no_member_is_refused_whatever_is_selected(wave: str, message: str):
    with pytest.raises(FleetFileError) as refused:
        in_waves(parse_settings(f"waves:\n  - {wave}\n"), LABELS, ("bare",))
    assert message in str(refused.value.detail)


def test_a_project_without_the_file_has_no_waves(tmp_path: Path):
    assert load_settings(tmp_path) == FleetSettings()


def test_the_file_is_read_as_every_other(tmp_path: Path):
    (tmp_path / "fleet.yaml").write_bytes(b"waves: \xff\n")
    with pytest.raises(ToolkitError, match=r"fleet\.yaml:1: not UTF-8"):
        load_settings(tmp_path)
    (tmp_path / "fleet.yaml").unlink()
    (tmp_path / "fleet.yaml").symlink_to("/etc/hostname")
    with pytest.raises(ToolkitError, match="a symbolic link"):
        load_settings(tmp_path)
