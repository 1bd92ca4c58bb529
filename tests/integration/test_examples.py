"""The two examples: both validate, and the one with several regions plans, on an embedded AWS of its account.

What these two commands say of the examples is kept (tests/kept.py).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kept import ROOT, Kept, rendered

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]


EXAMPLES = ("production", "small")
KEPT = Kept(
    "environments",
    files=(
        "environments",
        "modules",
        "tests/conftest.py",
        "tests/warm.py",
        "tests/warm_client.py",
        "tests/integration/test_examples.py",
        "toolkit/workflows/validate.py",
    ),
    without=("README.md", "tests"),
    toolkit=("controls", "plan", "sandbox"),
    more=lambda: {
        f"{name}, rendered": rendered(name, (ROOT / "environments" / name / "environment.yaml").read_text("utf-8"))
        for name in EXAMPLES
    },
)


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any]) -> Any:
    return new_project("small", "production")


def providers_of(bundle: Path, kind: str) -> dict[str, str]:
    """Module call → the provider alias that makes its resource of that type, as Terraform itself planned it."""
    with zipfile.ZipFile(bundle) as archive:
        calls = json.loads(archive.read("plan.json"))["configuration"]["root_module"]["module_calls"]
    return {
        f"module.{label}": resource["provider_config_key"]
        for label, call in calls.items()
        for resource in call["module"].get("resources", ())
        if resource["type"] == kind
    }


def story(cli: Any) -> dict[str, Any]:
    """What is valid, and what is planned in several regions."""
    valid = {e["environment"]: e["valid"] for e in cli.json("validate")["environments"]}
    cli.run("sandbox", "up", "--account-id", "444455556666")
    bundle = cli.root / "production.tfbundle"
    plan = cli.json("plan", "production", "--sandbox", "--out", str(bundle))
    recorder = "aws_config_configuration_recorder"
    by_type: dict[str, list[str]] = {}
    for change in plan["changes"]:
        by_type.setdefault(change["type"], []).append(change["region"])
    found = {
        "valid": valid,
        "regions": {kind: sorted(regions, key=str) for kind, regions in by_type.items()},
        "providers": {kind: providers_of(bundle, kind) for kind in (recorder, "aws_guardduty_detector")},
        "globals in": [
            change["region"]
            for change in plan["changes"]
            if change["type"] == recorder
            for attribute in change["attributes"]
            if attribute["path"] == "recording_group" and attribute["after"][0]["include_global_resource_types"]
        ],
        "findings": plan["findings"],
        "simulator": plan["simulator"],
        "state in files": [p.name for p in (cli.root / "environments" / "production").glob("terraform.tfstate")],
    }
    cli.run("sandbox", "down")
    return found


@pytest.fixture(scope="module")
def facts(cli: Any) -> Any:
    return KEPT.facts(lambda: story(cli))


def test_both_validate(facts: Any):
    assert facts["valid"] == dict.fromkeys(EXAMPLES, True)


def test_the_one_with_several_regions_plans(facts: Any):
    regions = ["eu-central-1", "eu-west-1", "us-east-1"]
    for kind in ("aws_config_configuration_recorder", "aws_guardduty_detector", "aws_config_delivery_channel"):
        assert facts["regions"][kind] == regions, kind
    assert facts["providers"]["aws_config_configuration_recorder"] == {
        "module.config_eu_central_1": "aws",
        "module.config_eu_west_1": "aws.eu_west_1",
        "module.config_us_east_1": "aws.us_east_1",
    }
    assert facts["providers"]["aws_guardduty_detector"] == {
        "module.guardduty_eu_central_1": "aws",
        "module.guardduty_eu_west_1": "aws.eu_west_1",
        "module.guardduty_us_east_1": "aws.us_east_1",
    }
    assert facts["globals in"] == ["eu-central-1"]
    assert len(facts["regions"]["aws_cloudtrail"]) == 1
    assert len(facts["regions"]["aws_iam_account_password_policy"]) == 1
    # Nothing of it is found dangerous in an empty account, and its state went to a simulated bucket, not to a file.
    assert facts["findings"] == []
    assert facts["simulator"] == "moto"
    assert facts["state in files"] == []


def test_the_sandbox_of_another_account_is_refused(cli: Any):
    cli.run("sandbox", "down")
    cli.run("sandbox", "up", "--account-id", "999999999999")
    refused = cli.run("plan", "small", "--sandbox", exits=5)
    assert "999999999999" in refused.stderr
    assert "111122223333" in refused.stderr


ELSEWHERE = """\
account_id: "999999999999"
regions: {home: eu-central-1}
backend: {type: s3, bucket: central-state, region: eu-central-1, account_id: "123456789012", profile: central}
components: {password_policy: {}}
"""


def test_a_state_in_another_account_is_reached_by_a_profile(cli: Any):
    """Terraform's backend is told to accept only the account that owns the bucket, on the embedded AWS, too."""
    cli.write("elsewhere", ELSEWHERE)
    cli.run("apply", "elsewhere", "--sandbox", "--auto-approve")
    bootstrapped = cli.run("bootstrap", "elsewhere", "--sandbox", "--auto-approve")
    assert "account 123456789012" in bootstrapped.stderr
    cli.run("plan", "elsewhere", "--sandbox", "--detailed-exitcode")  # 0: the state is where the apply put it
    # That state is not forgotten when the backend changes.
    cli.write("elsewhere", ELSEWHERE.replace("backend:", "# backend:"))
    # Long lines are wrapped, and where depends on the length of the folder's path.
    left = " ".join(cli.run("plan", "elsewhere", "--sandbox", exits=1).stderr.split())
    assert "Backend configuration changed" in left
    assert "environments/elsewhere/.toolkit/sandbox/terraform/terraform.tfstate: it only remembers" in left
    cli.run("sandbox", "down")
