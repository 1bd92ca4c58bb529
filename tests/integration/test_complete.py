"""The example that switches everything on: planned whole, and applied as far as the embedded AWS has it.

What was applied, and planned empty afterwards, is recorded in tests/applied.json, from which README tells how far each
component was tried. The account is audited when it is empty, when everything is applied, and when it was sabotaged:
tests/audited.json has the checks that were seen to pass and to fail there, docs/audit.md tells which those are. The
last audit is packed as evidence, and done once more from the pack's facts alone.
After a wanted change: `UPDATE_APPLIED=1 .venv/bin/pytest tests/integration/test_complete.py`.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.audit.registry import checks
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.paths import Project
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES, is_unsupported
from toolkit.workflows.audit import audit
from toolkit.workflows.discover import Account
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import read_environment

from .replayed import Replayed
from .sabotage import SEEN_BY, USER

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

APPLIED = Path(__file__).parents[1] / "applied.json"
AUDITED = APPLIED.with_name("audited.json")
STREAM = "siem"
HOME = "eu-central-1"
DIFFERENT = {
    "aws_cloudwatch_log_group.log_group_class": "moto does not answer with the class; where it is not named it is "
    "STANDARD (CloudWatch Logs API Reference, CreateLogGroup)",
}
"""Type and attribute whose reading is not the state's value → why."""
IMPORTED = {
    "aws_account_alternate_contact": "{alternate_contact_type}",
    "aws_account_primary_contact": "111122223333",
    "aws_cloudwatch_event_target": "{rule}/{target_id}",
    "aws_cloudwatch_log_metric_filter": "{log_group_name}:{name}",
    "aws_cloudwatch_log_subscription_filter": "{log_group_name}|{name}",
    "aws_ebs_encryption_by_default": "default",
    "aws_ec2_serial_console_access": "default",
    "aws_iam_group_policy_attachment": "{group}/{policy_arn}",
    "aws_iam_role_policy_attachment": "{role}/{policy_arn}",
    "aws_iam_user_group_membership": "{user}/{groups[0]}",
}
"""Type whose import id is not the id in its state → how the provider (5.100) documents it, by attributes."""
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


def audited(cli: Any, *arguments: str) -> Mapping[str, str]:
    """Check → its verdict on the account in the regions of the example."""
    regions = ("--regions", f"{HOME},us-east-1")
    told = cli.run("audit", *arguments, *regions, "--format", "json", exits=2).stdout
    return {check["id"]: check["status"] for check in json.loads(told)["checks"]}


@pytest.fixture(scope="module")
def empty(cli: Any, plan: Any) -> Mapping[str, str]:
    """What the audit says of the account before anything is applied."""
    assert plan
    return audited(cli, "complete", "--sandbox")


@pytest.fixture(scope="module")
def applied(cli: Any, plan: Any, empty: Any) -> Any:
    """Component → resource types that were applied."""
    assert empty
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


@pytest.fixture(scope="module")
def inventory(cli: Any, applied: Any) -> Inventory:
    """What the account has after the apply."""
    assert applied
    environ = {
        "AWS_ENDPOINT_URL": cli.endpoint,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
    }
    text = cli.file("simulated").read_text("utf-8")
    return Inventory(AwsSession(load_text(text, name="simulated", shown_as="simulated"), environ))


@pytest.fixture(scope="module")
def state(cli: Any, applied: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(address, type, region, attributes) of each resource that Terraform manages."""
    assert applied
    held = json.loads((cli.root / "environments" / "simulated" / "terraform.tfstate").read_text("utf-8"))
    return [
        (
            f"{resource.get('module', '')}.{resource['type']}.{resource['name']}{instance.get('index_key', '')}",
            resource["type"],
            resource["provider"].rpartition('"].')[2].replace("_", "-") if '"].' in resource["provider"] else HOME,
            instance["attributes"],
        )
        for resource in held["resources"]
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    ]


def agrees(live: Any, held: Any) -> bool:
    """Whether a value of a reading is the state's: of blocks, as far as the reading gives them; lists in any order."""
    if isinstance(live, dict) and isinstance(held, dict):
        return all(agrees(value, held.get(name)) for name, value in live.items())
    if isinstance(live, (list, tuple)) and isinstance(held, list):
        rest = list(held)
        for one in live:
            same = next((other for other in rest if agrees(one, other)), None)
            if same is None:
                return not any(map(bool, _leaves(one)))
            rest.remove(same)
        return not rest
    # An event pattern or a policy; a filter pattern begins otherwise.
    if isinstance(live, str) and isinstance(held, str) and live[:2] == held[:2] == '{"':
        return bool(json.loads(live) == json.loads(held))
    # No value, and the empty one of a type, are the same to Terraform.
    return live == held or not (live or held) or (not held and not any(map(bool, _leaves(live))))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list, tuple)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield value


def test_what_the_inventory_finds_of_each_applied_resource_is_what_the_state_holds(inventory: Inventory, state: Any):
    wrong, found = [], set()
    for address, kind, region, held in state:
        record = RESOURCES[kind]
        if record.reading is None:
            continue
        live = inventory.find(kind, region, {**record.reading.assumed, **held})
        if not isinstance(live, Live):
            wrong.append(f"{address}: {live or 'not found'}")
            continue
        found.add(kind)
        wrong += [
            f"{address}.{name}: read {value!r}, state {held.get(name)!r}"
            for name, value in {**live.values, **live.key}.items()
            if f"{kind}.{name}" not in DIFFERENT and not agrees(value, held.get(name))
        ]
        imports = IMPORTED[kind].format(**held) if kind in IMPORTED else held["id"]
        if live.import_id not in (None, imports):
            wrong.append(f"{address}: import id {live.import_id!r}, expected {imports!r}")
    assert wrong == []
    assert len(found) > 50


def test_what_the_inventory_lists_is_what_it_finds(inventory: Inventory, state: Any):
    """A list may say more of a resource than a search, and never anything else than the state."""
    regions = sorted({region for _, _, region, _ in state})
    kinds = sorted({kind for _, kind, _, _ in state if (reading := RESOURCES[kind].reading) and reading.lists})
    listed = list(inventory.every(kinds, regions))
    assert [one for one in listed if isinstance(one, Unreadable)] == []
    wrong = []
    for address, kind, region, held in state:
        if kind not in kinds:
            continue
        reading = RESOURCES[kind].reading
        assert reading is not None
        same = [
            one
            for one in listed
            if isinstance(one, Live)
            and one.type == kind
            and (reading.is_global or one.region == region)
            and all(agrees(value, held.get(name) or reading.assumed.get(name)) for name, value in one.key.items())
        ]
        if len(same) != 1:
            wrong.append(f"{address}: {len(same)} in the list")
            continue
        wrong += [
            f"{address}.{name}: listed {value!r}, state {held.get(name)!r}"
            for name, value in same[0].values.items()
            if f"{kind}.{name}" not in DIFFERENT and not agrees(value, held.get(name))
        ]
    assert wrong == []


def test_the_plan_s_coverage_is_told(cli: Any, plan: Any):
    assert plan
    told = cli.run("controls", "--plan", str(cli.root / "complete.tfbundle"), "--format", "json").stdout
    (framework,) = json.loads(told)["frameworks"]
    uncovered = {r["id"]: r["why"] for r in framework["requirements"] if r["status"] == "uncovered"}
    # What no component claims, since it is about every VPC, or every role, of the account.
    assert all("no component can prove" in why for why in uncovered.values()), uncovered


@dataclass(frozen=True)
class Evidence:
    """A pack of the sabotaged account, signed by a key of its KMS."""

    good: Mapping[str, str]
    """Check → its verdict before."""
    file: Path
    public_key: Path

    def read(self, name: str) -> Any:
        with zipfile.ZipFile(self.file) as archive:
            text = archive.read(name).decode()
        return json.loads(text) if name.endswith(".json") else text


@pytest.fixture(scope="module")
def evidence(cli: Any, applied: Any) -> Evidence:
    """For the last tests: it ruins the account."""
    assert applied
    good = audited(cli, "simulated")
    for act in SEEN_BY:
        act(cli.client)
    iam, function = cli.client("iam"), io.BytesIO()
    iam.tag_user(UserName=USER, Tags=[{"Key": "db_password", "Value": SECRET}])
    with zipfile.ZipFile(function, "w") as archive:
        archive.writestr("one.py", "")
    cli.client("lambda").create_function(
        FunctionName="leaky",
        Runtime="python3.12",
        Role=iam.list_roles()["Roles"][0]["Arn"],
        Handler="one.handler",
        Code={"ZipFile": function.getvalue()},
        Environment={"Variables": {"MODE": SECRET}},
    )
    kms = cli.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    file, public_key = cli.root / "simulated.zip", cli.root / "key.pub.pem"
    der = base64.encodebytes(kms.get_public_key(KeyId=key)["PublicKey"]).decode()
    public_key.write_text(f"-----BEGIN PUBLIC KEY-----\n{der}-----END PUBLIC KEY-----\n")
    cli.json("evidence", "simulated", "-o", str(file), "--kms-key", key, "--regions", f"{HOME},us-east-1")
    return Evidence(good, file, public_key)


SECRET = "hunter2hunter2"


def test_each_check_sees_what_was_applied_and_what_was_sabotaged(empty: Any, evidence: Evidence):
    good = evidence.good
    bad = {check["id"]: check["status"] for check in evidence.read("report.json")["checks"]}
    wanted = {check for checks in SEEN_BY.values() for check in checks}
    assert {check: (good[check], bad[check]) for check in wanted if (good[check], bad[check]) != ("pass", "fail")} == {}
    assert {check for check in wanted if empty[check] == "unknown"} == set()
    both = sorted(check for check in good if {"pass", "fail"} <= {empty[check], good[check], bad[check]})
    assert wanted <= set(both)
    print(
        f"{len(both)} of {len(good)} checks were seen to pass and to fail here, the others on recorded accounts alone"
    )
    if os.environ.get("UPDATE_APPLIED"):
        AUDITED.write_text(json.dumps(both, indent=1) + "\n")
    assert both == json.loads(AUDITED.read_text("utf-8"))


def test_the_evidence_is_of_kms_s_key_and_of_what_was_rendered(cli: Any, evidence: Evidence):
    words = ("evidence", "verify", str(evidence.file), "--public-key", str(evidence.public_key))
    assert "VALID: signed (ECDSA_SHA_256) with the given key" in cli.run(*words).stdout
    manifest = evidence.read("manifest.json")
    planned = cli.json("show", str(cli.root / "simulated.tfbundle"))
    assert manifest["rendered"]["sha256"] == planned["rendered_sha256"]
    assert manifest["rendered"]["up_to_date"] is True
    assert (manifest["account_id"], manifest["simulator"]) == ("111122223333", "moto")


def test_the_evidence_has_every_call_of_the_report_and_no_secret(cli: Any, evidence: Evidence):
    report, manifest = evidence.read("report.json"), evidence.read("manifest.json")
    rows = list(csv.DictReader(evidence.read("requests.csv").splitlines()))
    assert len(rows) == manifest["calls"] == report["calls"]
    known = {row["request_id"] for row in rows}
    assert {call["request_id"] for finding in report["findings"] for call in finding["calls"]} <= known
    facts = [
        json.loads(line)
        for file in manifest["files"]
        if file["name"].startswith("facts/")
        for line in evidence.read(file["name"]).splitlines()
    ]
    assert sorted(fact["request_id"] or "" for fact in facts) == sorted(row["request_id"] for row in rows)
    stripped = {path for fact in facts for path in fact["stripped"]}
    assert {"UserDetailList[].Tags[].Value", "Functions[].Environment.Variables"} <= stripped
    names = [file["name"] for file in manifest["files"]]
    everything = "".join(str(evidence.read(name)) for name in names)
    assert SECRET not in everything
    assert str(cli.root) not in everything


def test_an_audit_of_the_facts_alone_finds_the_same(cli: Any, evidence: Evidence):
    """So they are the facts that the report rests on, and all of them."""
    report = evidence.read("report.json")
    _, environment = read_environment(Project(cli.root), "simulated")
    clients = Replayed(environment, evidence.file)
    caller = CallerIdentity(report["account_id"], report["caller"])
    account = Account(environment, clients, caller, "simulated", cli.root, has_file=True)
    found = audit(account, tuple(checks().values()), report["regions"], (), Observer())
    # What was stripped, such as a contact's name, is another value now.
    other = {fact["request_id"] for facts in clients.facts.values() for fact in facts if fact["stripped"]}
    now = {
        (one.rule.id, one.id, one.status.value, one.evidence)
        for one in found.findings
        if other.isdisjoint(call.request_id for call in one.calls)
    }
    then = {
        (one["rule"], one["id"], one["status"], one["evidence"])
        for one in report["findings"]
        if other.isdisjoint(call["request_id"] for call in one["calls"])
    }
    print(
        f"{len(now)} of {len(report['findings'])} findings were computed again from facts that nothing was stripped of"
    )
    assert now == then
