"""The example that switches everything on: planned whole, and applied as far as the embedded AWS has it.

What was applied, and planned empty afterwards, is recorded in tests/applied.json, from which README tells how far each
component was tried. The account is audited when it is empty, when everything is applied, and when it was sabotaged:
tests/audited.json has the checks that were seen to pass and to fail there, docs/audit.md tells which those are. The
last audit is packed as evidence, and done once more from the pack's facts alone.

All of this is one story, whose facts are kept (tests/kept.py): it is told again where the example, a module, the
embedded AWS, or what reads, audits or packs differs. After a wanted change: `make kept`.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kept import ROOT, Kept, rendered
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


def inputs() -> dict[str, str]:
    """What is rendered from the example, as it is and as the embedded AWS can have it."""
    file = ROOT / "environments" / "complete" / "environment.yaml"
    own = {"complete, rendered": rendered("complete", file.read_text("utf-8"))}
    return {**own, "simulated, rendered": rendered("simulated", simulated(file, "o-exampleorgid", "444455556666"))}


KEPT = Kept(
    "complete",
    files=(
        "environments/complete", "modules", "tests/conftest.py", "tests/warm.py", "tests/warm_client.py",
        *(f"tests/integration/{name}.py" for name in ("replayed", "sabotage", "test_complete")),
        *(f"toolkit/workflows/{name}.py" for name in ("audit", "coverage", "discover", "evidence", "left_out")),
    ),
    without=("README.md", "tests"),
    toolkit=("audit", "aws", "controls", "evidence", "reports", "sandbox"),
    more=inputs,
)  # fmt: skip


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


def apply(cli: Any, plan: Any) -> dict[str, Any]:
    """What was applied: component → resource types."""
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
    return {"planned": plan["summary"]["add"], "applied": len(done), "types": types_of(done)}


def types_of(changes: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Component → types of its changes."""
    types: dict[str, set[str]] = {}
    for change in changes:
        types.setdefault(change["component"], set()).add(change["type"])
    return {name: sorted(kinds) for name, kinds in types.items()}


def inventory_of(cli: Any) -> Inventory:
    """What the account has."""
    environ = {
        "AWS_ENDPOINT_URL": cli.endpoint,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
    }
    text = cli.file("simulated").read_text("utf-8")
    return Inventory(AwsSession(load_text(text, name="simulated", shown_as="simulated"), environ))


def state_of(cli: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(address, type, region, attributes) of each resource that Terraform manages."""
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


def found_otherwise(inventory: Inventory, state: Any) -> dict[str, Any]:
    """What a search of the inventory has otherwise than the state."""
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
    return {"wrong": wrong, "types": sorted(found)}


def listed_otherwise(inventory: Inventory, state: Any) -> dict[str, Any]:
    """What a list of the inventory has otherwise than the state; it may say more of a resource than a search."""
    regions = sorted({region for _, _, region, _ in state})
    kinds = sorted({kind for _, kind, _, _ in state if (reading := RESOURCES[kind].reading) and reading.lists})
    listed = list(inventory.every(kinds, regions))
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
    return {"wrong": wrong, "unreadable": [str(one) for one in listed if isinstance(one, Unreadable)]}


@dataclass(frozen=True)
class Evidence:
    """A pack of the sabotaged account, signed by a key of its KMS."""

    file: Path
    public_key: Path

    def read(self, name: str) -> Any:
        with zipfile.ZipFile(self.file) as archive:
            text = archive.read(name).decode()
        return json.loads(text) if name.endswith(".json") else text


def evidence_of(cli: Any) -> Evidence:
    """At the end: it ruins the account."""
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
    return Evidence(file, public_key)


SECRET = "hunter2hunter2"


def signed(cli: Any, evidence: Evidence) -> dict[str, Any]:
    """Of the pack's signature and manifest."""
    words = ("evidence", "verify", str(evidence.file), "--public-key", str(evidence.public_key))
    valid = "VALID: signed (ECDSA_SHA_256) with the given key" in cli.run(*words).stdout
    manifest = evidence.read("manifest.json")
    planned = cli.json("show", str(cli.root / "simulated.tfbundle"))
    return {
        "valid": valid,
        "of what was planned": manifest["rendered"]["sha256"] == planned["rendered_sha256"],
        "up to date": manifest["rendered"]["up_to_date"],
        "account": manifest["account_id"],
        "simulator": manifest["simulator"],
    }


def packed(cli: Any, evidence: Evidence) -> dict[str, Any]:
    """Which calls, and what of them, the pack has."""
    report, manifest = evidence.read("report.json"), evidence.read("manifest.json")
    rows = list(csv.DictReader(evidence.read("requests.csv").splitlines()))
    known = {row["request_id"] for row in rows}
    facts = [
        json.loads(line)
        for file in manifest["files"]
        if file["name"].startswith("facts/")
        for line in evidence.read(file["name"]).splitlines()
    ]
    names = [file["name"] for file in manifest["files"]]
    everything = "".join(str(evidence.read(name)) for name in names)
    return {
        "as many calls": len(rows) == manifest["calls"] == report["calls"] > 0,
        "calls of findings that it lacks": len(
            {call["request_id"] for finding in report["findings"] for call in finding["calls"]} - known
        ),
        "each has its fact": sorted(f["request_id"] or "" for f in facts) == sorted(r["request_id"] for r in rows),
        "stripped": sorted({path for fact in facts for path in fact["stripped"]}),
        "holds the secret": SECRET in everything,
        "holds a path": str(cli.root) in everything,
    }


def audited_again(cli: Any, evidence: Evidence) -> dict[str, Any]:
    """What an audit of the pack's facts alone finds that the report does not, and the other way round."""
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
    return {"findings": len(now), "other": sorted(map(repr, now ^ then))}


def story(cli: Any) -> dict[str, Any]:
    """From an empty account to one that was sabotaged; everything that the tests assert on."""
    cli.run("sandbox", "up", "--account-id", "111122223333")
    bundle = str(cli.root / "complete.tfbundle")
    plan = cli.json("plan", "complete", "--sandbox", "--out", bundle)
    told = cli.run("controls", "--plan", bundle, "--format", "json").stdout
    (framework,) = json.loads(told)["frameworks"]
    empty = audited(cli, "complete", "--sandbox")
    applied = apply(cli, plan)
    second = " ".join(cli.run("plan", "simulated", "--detailed-exitcode").stderr.split())
    inventory, state = inventory_of(cli), state_of(cli)
    found, listed = found_otherwise(inventory, state), listed_otherwise(inventory, state)
    good = audited(cli, "simulated")
    evidence = evidence_of(cli)
    return {
        "planned": types_of(plan["changes"]),
        "valid": cli.json("validate", "complete")["environments"][0]["valid"],
        "blocked by": [f for f in plan["findings"] if f["blocks"]],
        "uncovered": {r["id"]: r["why"] for r in framework["requirements"] if r["status"] == "uncovered"},
        "applied": applied,
        "nothing else is left to apply": ("nothing but these is left to apply, which the embedded AWS lacks" in second),
        "found": found,
        "listed": listed,
        "empty": empty,
        "good": good,
        "bad": {check["id"]: check["status"] for check in evidence.read("report.json")["checks"]},
        "signed": signed(cli, evidence),
        "packed": packed(cli, evidence),
        "audited again": audited_again(cli, evidence),
    }


@pytest.fixture(scope="module")
def facts(new_project: Callable[..., Any]) -> Any:
    return KEPT.facts(lambda: story(new_project("complete")))


def test_every_component_is_in_it(facts: Any):
    assert set(facts["planned"]) == set(REGISTRY)


def test_it_validates(facts: Any):
    assert facts["valid"] is True


def test_nothing_in_it_is_refused_in_an_empty_account(facts: Any):
    assert facts["blocked by"] == []


def test_what_the_embedded_aws_has_was_applied_and_is_as_planned(facts: Any):
    assert facts["nothing else is left to apply"]
    if os.environ.get("UPDATE_APPLIED"):
        applied = facts["applied"]
        ordered = {name: applied["types"][name] for name in REGISTRY if name in applied["types"]}
        APPLIED.write_text(json.dumps({**applied, "types": ordered}, indent=1) + "\n")
    assert facts["applied"] == json.loads(APPLIED.read_text("utf-8"))


def test_what_was_not_applied_is_what_the_records_and_components_say_is_lacking(facts: Any):
    planned, applied = facts["planned"], facts["applied"]["types"]
    anywhere = {resource for types in applied.values() for resource in types}
    lacking = {kind for kind in RESOURCES if is_unsupported(kind)}
    for name, component in REGISTRY.items():
        assert set(planned[name]) - anywhere <= {*lacking, *component.left_out}, name
        assert not {*lacking, *component.left_out} & set(applied.get(name, ())), name


def test_what_the_inventory_finds_of_each_applied_resource_is_what_the_state_holds(facts: Any):
    assert facts["found"]["wrong"] == []
    assert len(facts["found"]["types"]) > 50


def test_what_the_inventory_lists_is_what_it_finds(facts: Any):
    assert facts["listed"] == {"wrong": [], "unreadable": []}


def test_the_plan_s_coverage_is_told(facts: Any):
    # What no component claims, since it is about every VPC, or every role, of the account.
    assert all("no component can prove" in why for why in facts["uncovered"].values()), facts["uncovered"]


def test_each_check_sees_what_was_applied_and_what_was_sabotaged(facts: Any):
    empty, good, bad = facts["empty"], facts["good"], facts["bad"]
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


def test_the_evidence_is_of_kms_s_key_and_of_what_was_rendered(facts: Any):
    assert facts["signed"] == {
        "valid": True,
        "of what was planned": True,
        "up to date": True,
        "account": "111122223333",
        "simulator": "moto",
    }


def test_the_evidence_has_every_call_of_the_report_and_no_secret(facts: Any):
    packed = facts["packed"]
    assert packed["as many calls"]
    assert packed["calls of findings that it lacks"] == 0
    assert packed["each has its fact"]
    assert {"UserDetailList[].Tags[].Value", "Functions[].Environment.Variables"} <= set(packed["stripped"])
    assert not packed["holds the secret"]
    assert not packed["holds a path"]


def test_an_audit_of_the_facts_alone_finds_the_same(facts: Any):
    """So they are the facts that the report rests on, and all of them."""
    again = facts["audited again"]
    print(f"{again['findings']} findings were computed again from facts that nothing was stripped of")
    assert again["findings"] > 0
    assert again["other"] == []
