"""The example that switches everything on: planned whole, and applied as far as the embedded AWS has it.

What was applied, and planned empty afterwards, is recorded in tests/applied.json, from which README tells how far each
component was tried. After a wanted change: `UPDATE_APPLIED=1 .venv/bin/pytest tests/integration/test_complete.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.components.registry import REGISTRY
from toolkit.resources.registry import RESOURCES, is_unsupported

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

APPLIED = Path(__file__).parents[1] / "applied.json"
STREAM = "siem"
MULTI_ACCOUNT_CONFIG = "config-multiaccountsetup.amazonaws.com"


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any]) -> Any:
    cli = new_project("complete")
    cli.run("sandbox", "up", "--account-id", "111122223333")
    return cli


@pytest.fixture(scope="module")
def plan(cli: Any) -> Any:
    bundle = str(cli.root / "complete.tfbundle")
    return cli.json("plan", "complete", "--sandbox", "--out", bundle)


def simulated(source: Path, organization: str, member: str) -> str:
    """The example as the embedded AWS can have it; what it lacks is left out when that is applied.

    Its organization is there already and is taken over, since only an account of it can be given administration.
    """
    data = yaml.safe_load(source.read_text("utf-8"))
    del data["backend"]
    data["imports"] = {'module.organization.aws_organizations_organization.this["managed"]': organization}
    data["components"]["organization"]["delegated_administrators"] = {MULTI_ACCOUNT_CONFIG: [member]}
    return str(yaml.safe_dump({**data, "simulator": "moto"}, sort_keys=False))


@pytest.fixture(scope="module")
def applied(cli: Any, plan: Any) -> Any:
    """Component → resource types that were applied."""
    # What the example hands logs to is somebody else's, and must be there.
    cli.client("s3").create_bucket(Bucket="siem", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    cli.client("firehose").create_delivery_stream(
        DeliveryStreamName=STREAM,
        S3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::111122223333:role/stream",
            "BucketARN": "arn:aws:s3:::siem",
        },
    )
    organizations = cli.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    made = organizations.create_account(AccountName="security", Email="aws-security@example.com")
    member = made["CreateAccountStatus"]["AccountId"]
    cli.write("simulated", simulated(cli.file("complete"), organization, member))
    bundle = str(cli.root / "simulated.tfbundle")
    changes = cli.json("plan", "simulated", "--out", bundle)["changes"]
    completed = {step["address"] for step in cli.json("apply", "simulated", "--plan", bundle)["completed"]}
    done = [c for c in changes if c["address"] in completed or c["action"] == "import"]
    types: dict[str, set[str]] = {}
    for change in done:
        types.setdefault(change["component"], set()).add(change["type"])
    return {
        "planned": plan["summary"]["add"],
        "applied": len(done),
        "types": {name: sorted(types[name]) for name in REGISTRY if name in types},
    }


def test_every_component_is_in_it(plan: Any):
    assert {change["component"] for change in plan["changes"]} == set(REGISTRY)


def test_it_validates(cli: Any):
    assert cli.json("validate", "complete")["environments"][0]["valid"] is True


def test_nothing_in_it_is_refused_in_an_empty_account(plan: Any):
    assert [f for f in plan["findings"] if f["blocks"]] == []


def test_what_the_embedded_aws_has_was_applied_and_is_as_planned(cli: Any, applied: Any):
    second = cli.run("plan", "simulated", "--detailed-exitcode")
    assert "nothing but these is left to apply, which the embedded AWS lacks" in " ".join(second.stderr.split())
    if os.environ.get("UPDATE_APPLIED"):
        APPLIED.write_text(json.dumps(applied, indent=1) + "\n")
    assert applied == json.loads(APPLIED.read_text("utf-8"))


def test_what_was_not_applied_is_what_the_records_and_components_say_is_lacking(plan: Any, applied: Any):
    planned: dict[str, set[str]] = {}
    for change in plan["changes"]:
        planned.setdefault(change["component"], set()).add(change["type"])
    anywhere = {resource for types in applied["types"].values() for resource in types}
    lacking = {kind for kind in RESOURCES if is_unsupported(kind)}
    for name, component in REGISTRY.items():
        assert planned[name] - anywhere <= {*lacking, *component.left_out}, name
        assert not {*lacking, *component.left_out} & set(applied["types"].get(name, ())), name


def test_the_plan_s_coverage_is_told(cli: Any, plan: Any):
    assert plan
    told = cli.run("controls", "--plan", str(cli.root / "complete.tfbundle"), "--format", "json").stdout
    (framework,) = json.loads(told)["frameworks"]
    uncovered = {r["id"]: r["why"] for r in framework["requirements"] if r["status"] == "uncovered"}
    # What no component claims, since it is about every VPC, or every role, of the account.
    assert all("no component can prove" in why for why in uncovered.values()), uncovered
