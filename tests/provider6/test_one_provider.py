"""One provider for many regions, as docs/architecture.md describes it and bench/one_provider.py measures it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench import region_arguments
from tests.modules.test_modules import terraform
from tests.provider6 import provider
from toolkit.environment import load_text
from toolkit.rendering.render import render

pytestmark = pytest.mark.terraform

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1, active: [eu-central-1, eu-west-1]}
terraform: {aws_provider_version: "~> 6.0"}
components:
  config: {}
  guardduty: {notifications: {email_addresses: [security@example.com]}}
"""


def test_the_modules_can_be_rewritten_by_rule(tmp_path: Path, environ: dict[str, str]):
    modules, rendered = tmp_path / "modules", tmp_path / "environments" / "two" / "rendered"
    shutil.copytree(REPOSITORY / "modules", modules, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    taking = region_arguments.modules(modules, provider.schema())
    names = {str(module.relative_to(modules)) for module in taking}
    assert {"config", "config/delivery", "guardduty", "shared/log_bucket"} <= names
    assert not {"iam_users", "password_policy", "organization"} & names, "their resources are global"
    tree = region_arguments.root(
        render(load_text(ENVIRONMENT, name="two", shown_as="x")), "eu-central-1", rendered, taking
    )
    assert sum(text.count('provider "aws"') for text in tree.values()) == 1
    assert "providers = {" not in "".join(tree.values())
    rendered.mkdir(parents=True)
    for name, text in tree.items():
        (rendered / name).write_text(text, "utf-8")
    terraform(tmp_path, environ, "fmt", "-check", "-recursive")
    terraform(rendered, environ, "init", "-backend=false", "-input=false")
    terraform(rendered, environ, "validate")


DETECTORS = """\
provider "aws" {
  region = "eu-central-1"
}

resource "aws_guardduty_detector" "of_provider" {
}

resource "aws_guardduty_detector" "same" {
  region = "eu-central-1"
}

resource "aws_guardduty_detector" "other" {
  region = "eu-west-1"
}
"""


def test_a_state_of_version_5_is_in_the_region_of_its_provider(tmp_path: Path, environ: dict[str, str]):
    """Why two steps are needed: only an apply with version 6 and aliases records where a resource is."""
    provider_of = 'provider["registry.terraform.io/hashicorp/aws"]'
    instances = [{"schema_version": 0, "attributes": {"id": "x", "tags_all": {}}}]
    resources = [
        {"mode": "managed", "type": "aws_guardduty_detector", "name": name, "provider": written, "instances": instances}
        for name, written in (
            ("of_provider", provider_of),
            ("same", provider_of),
            ("other", f"{provider_of}.eu_west_1"),
        )
    ]
    state = {"version": 4, "serial": 1, "lineage": "example", "resources": resources}
    (tmp_path / "main.tf").write_text(DETECTORS, "utf-8")
    (tmp_path / "terraform.tfstate").write_text(json.dumps(state), "utf-8")
    terraform(tmp_path, environ, "init", "-input=false")
    terraform(tmp_path, environ, "plan", "-input=false", "-out=plan")
    changes = json.loads(terraform(tmp_path, environ, "show", "-json", "plan"))["resource_changes"]
    assert {change["name"]: change["change"]["actions"] for change in changes} == {
        "of_provider": ["no-op"],
        "same": ["no-op"],
        "other": ["delete", "create"],
    }
