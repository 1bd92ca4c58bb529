"""The three profiles of `toolkit new`, planned with real Terraform: what each covers, and what it costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "environments.md"
PROFILES = ("minimal", "standard", "strict")


@pytest.fixture(scope="module")
def figures(new_project: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """Profile → what its plan tells."""
    cli = new_project()
    cli.run("sandbox", "up")
    told = {}
    for profile in PROFILES:
        cli.run(
            "new", profile, "--profile", profile, "--account-id", "123456789012", "--region", "eu-central-1",
            "--security-email", "security@example.com",
        )  # fmt: skip
        bundle = str(cli.root / f"{profile}.tfbundle")
        planned = cli.run("plan", profile, "--sandbox", "--json", "--out", bundle)
        plan = json.loads(planned.stdout)
        data = json.loads(cli.run("controls", "--plan", bundle, "--framework", "cis-5.0", "--format", "json").stdout)
        told[profile] = {
            "covered": data["frameworks"][0]["counts"]["provisioned"],
            "creates": plan["summary"]["add"],
            "fixed": plan["cost"]["fixed"],
            "by_use": sum(line["monthly_usd"] is None for line in plan["cost"]["lines"]),
            "warned": planned.stderr,
            "findings": plan["findings"],
        }
    return told


def test_each_covers_more_than_the_one_before_and_costs_more(figures: dict[str, dict[str, Any]]):
    minimal, standard, strict = (figures[p] for p in PROFILES)
    assert minimal["covered"] < standard["covered"] < strict["covered"]
    assert minimal["creates"] < standard["creates"] < strict["creates"]
    assert minimal["fixed"] < standard["fixed"] <= strict["fixed"]
    assert minimal["by_use"] < standard["by_use"] < strict["by_use"]


def test_none_is_refused_in_an_empty_account(figures: dict[str, dict[str, Any]]):
    assert [f for p in PROFILES for f in figures[p]["findings"] if f["blocks"]] == []


def test_the_embedded_aws_says_what_it_lacks(figures: dict[str, dict[str, Any]]):
    assert "aws_accessanalyzer_analyzer" in figures["minimal"]["warned"]


def test_the_documented_figures_are_these(figures: dict[str, dict[str, Any]]):
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+) \| (\d+) of 49 \| ([\d.]+) USD \| (\d+) \|", DOCUMENT.read_text("utf-8"), re.M
    )
    documented = {name: tuple(map(float, numbers)) for name, *numbers in rows}
    assert documented == {p: (f["creates"], f["covered"], f["fixed"], f["by_use"]) for p, f in figures.items()}
