"""Adoption of seven accounts, all types at once in each: `make truth-table`, some minutes for each.

The verdicts go into tests/truth.json, from which docs/truth-table.md is generated. TRUTH_TABLE names the accounts to
try ("all", or "equal,weaker"); without it nothing runs here. What the table says, and how it is judged, is tested in
tests/truth_table.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from toolkit.aws.gather import gather
from toolkit.aws.inventory import Inventory
from toolkit.aws.owners import managers_of
from toolkit.errors import ToolkitError
from toolkit.paths import Project
from toolkit.plan.existing import ExistingWanted, existing_wanted
from toolkit.plan.model import Action, Plan, parse_plan
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES
from toolkit.workflows import adopt as workflow
from toolkit.workflows.left_out import plan_the_rest
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder
from toolkit.workflows.workspace import Access, Workspace, open_workspace

TESTS = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("truth_table_table", TESTS / "truth_table" / "table.py")
assert _spec is not None
assert _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = table
_spec.loader.exec_module(table)

WANTED = os.environ.get("TRUTH_TABLE", "")
pytestmark = [
    pytest.mark.simulator,
    pytest.mark.terraform,
    pytest.mark.skipif(not WANTED, reason="some minutes an account: `make truth-table`"),
]

RESULTS = TESTS / "truth.json"
NAME = "truth"
ACCOUNT = "111122223333"
HOME, OTHER = "eu-central-1", "us-east-1"
_APPLY_SECONDS = 1800
LESS: dict[str, dict[str, Any]] = {
    "config": {"recording_frequency": "DAILY"},
    "cloudtrail": {"insights": ["ApiCallRateInsight"]},
    "guardduty": {"finding_publishing_frequency": "ONE_HOUR"},
    "macie": {"finding_publishing_frequency": "ONE_HOUR"},
}
"""Settings in place of the example's, so that an account can have something stronger."""


class Truth:
    """One account, from its seed to the second plan."""

    def __init__(self, cli: Any, account: str) -> None:
        self.cli, self.account = cli, account
        self.folder = cli.root / "environments" / NAME

    def make(self) -> None:
        """Give the embedded AWS the account, and forget how it came about."""
        self.cli.run("sandbox", "up", "--account-id", ACCOUNT)
        self.cli.client("s3").create_bucket(
            Bucket="siem", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        delivers = {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::siem/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [delivers]})
        self.cli.client("s3").put_bucket_policy(Bucket="siem", Policy=policy)
        self.cli.client("firehose").create_delivery_stream(
            DeliveryStreamName="siem",
            S3DestinationConfiguration={
                "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/stream",
                "BucketARN": "arn:aws:s3:::siem",
            },
        )
        organizations = self.cli.client("organizations")
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        made = organizations.create_account(AccountName="security", Email="aws-security@example.com")
        data = yaml.safe_load(self.cli.file("complete").read_text("utf-8"))
        del data["backend"]
        data["simulator"] = "moto"
        member = made["CreateAccountStatus"]["AccountId"]
        data["components"]["organization"]["delegated_administrators"] = {
            "config-multiaccountsetup.amazonaws.com": [member]
        }
        for component, settings in LESS.items():
            data["components"][component] |= settings
        text = yaml.safe_dump(data, sort_keys=False)
        shutil.rmtree(self.cli.file("complete").parent)
        if self.account != "absent":
            taken = {'module.organization.aws_organizations_organization.this["managed"]': organization}
            seed = {**data, "imports": taken}
            if self.account == "managed by others":
                seed["default_tags"] = {**seed["default_tags"], **table.MANAGER}
            if self.account == "other name":
                seed["components"] = _with_other_groups(seed["components"])
            self.cli.write(NAME, yaml.safe_dump(seed, sort_keys=False))
            self._seed()
        self.cli.write(NAME, text)

    def _seed(self) -> None:
        """With Terraform alone: the toolkit refuses modules that hold more than its own."""
        workspace = self.workspace()
        files = dict(table.overrides(self.account, self.cli.root / "modules"))
        for file, content in files.items():
            file.write_text(content, encoding="utf-8")
        with own_folder(workspace.scratch, "seed") as own:
            workspace.runner.plan(own / "all.tfplan")
            data = workspace.runner.show(own / "all.tfplan")
            plan = parse_plan(data, workspace.attribution)
            assert plan_the_rest(workspace, data, plan, own / "rest.tfplan", lock_timeout="0s")
            workspace.runner.apply(own / "rest.tfplan")
        for file in (*files, *self.folder.glob("terraform.tfstate*")):
            file.unlink()

    def _consents(self, bundle: str) -> tuple[list[str], dict[str, list[str]]]:
        """(consents to what can be consented to, type → what blocks a plan); without any, the plan is in the bundle."""
        done = self.cli.command("plan", NAME, "--json", "--out", bundle)
        report = json.loads(_output(done, self.cli.environ))
        assert "findings" in report, json.dumps(report, indent=1)
        consents, refused = [], defaultdict(list)
        for finding in report["findings"]:
            if not finding["blocks"]:
                continue
            refused[finding["type"] or ""].append(f"{finding['summary']} ({finding['subject']}: {finding['evidence']})")
            if finding["consent"]:
                consents.append(finding["consent"])
        return [word for consent in dict.fromkeys(consents) for word in shlex.split(consent)], refused

    def workspace(self) -> Workspace:
        """As a command opens it."""
        return open_workspace(Project(self.cli.root), NAME, self._access, Observer())

    @property
    def _access(self) -> Access:
        return Access(environ=dict(self.cli.environ))

    def found(self) -> dict[str, list[Any]]:
        """Type → what the account has of it."""
        inventory = Inventory(self.workspace().aws)
        kinds = [kind for kind in table.rows() if RESOURCES[kind].reading.lists is not None]
        every = list(inventory.every(kinds, (HOME, OTHER)))
        assert not [one for one in every if isinstance(one, Unreadable)], every
        lives = [one for one in every if isinstance(one, Live)]
        by_type = defaultdict(list)
        for one, manager in zip(lives, managers_of(tuple(lives), inventory), strict=True):
            by_type[one.type].append(
                table.Found(one.region, one.key, one.values, one.called, one.import_id, manager.who)
            )
        return by_type

    def adopt(self, *, dry_run: bool = False) -> Any:
        """`toolkit adopt --yes`."""
        project, access = Project(self.cli.root), self._access
        return workflow.adopt(project, NAME, access, Observer(), decide=lambda _: None, given={}, dry_run=dry_run)

    def verdicts(self) -> dict[str, list[str]]:
        """Type → why its cell is red."""
        self.make()
        if self.account == "unreadable":
            return self._denied()
        before = self.found()
        decisions: list[Any] = []
        if self.account in ("managed by others", "stronger"):
            # Some entries of the file are in the way, which only people can do something about.
            decisions += self.adopt(dry_run=True).decisions
            self._remove({one.proposal.called for one in decisions if one.open and _is_in_the_way(one.open)}, before)
        adopted = self.adopt()
        decisions += adopted.decisions
        (self.cli.root / "adopted.diff").write_text(adopted.diff)
        bundle = str(self.cli.root / "truth.tfbundle")
        consents, refused = self._consents(bundle)
        planned = _planned(adopted.plan)
        by_hand = defaultdict(list)
        for one in decisions:
            if one.open:
                by_hand[one.proposal.type].append(f"{one.proposal.called}: {one.open}")
        for kind in sorted({*refused, *by_hand}):
            # For whoever reads why a plan or an apply below did not succeed.
            print(f"{kind}: {json.dumps([*refused[kind], *by_hand[kind]], indent=1)}")
        if refused:
            self.cli.run("plan", NAME, "--out", bundle, *consents)
        # The provider waits for minutes where the embedded AWS answers an update wrongly.
        command = self.cli.command("apply", NAME, "--plan", bundle)
        done = subprocess.run(
            command, env=self.cli.environ, capture_output=True, text=True, check=False, timeout=_APPLY_SECONDS
        )
        assert done.returncode == 0, done.stderr
        after = self.found()
        second = _planned(self._plan())
        verdicts = {}
        for kind in table.rows():
            if table.not_applicable(kind, self.account) is None:
                evidence = table.Evidence(
                    tuple(before[kind]),
                    tuple(after[kind]),
                    tuple(planned[kind]),
                    tuple(refused[kind]),
                    tuple(by_hand[kind]),
                    tuple(change.address for change in second[kind]),
                )
                verdicts[kind] = list(table.judge(kind, self.account, evidence))
        return verdicts

    def _remove(self, called: set[str], before: dict[str, list[Any]]) -> None:
        """What is in the way has no entries any more; what referred to them names the ARN or id of the account's."""
        data = yaml.safe_load(self.cli.file(NAME).read_text("utf-8"))
        users, roles = data["components"]["iam_users"]["users"], data["components"]["iam_roles"]
        for name in [name for name in users if f"the user {name!r}" in called]:
            del users[name]
        for name in [name for name in roles["roles"] if f"the role {name!r}" in called]:
            del roles["roles"][name]
            roles.pop("conflicts", None)
        if "the role 'aws-support'" in called:
            del roles["support"]
        for role in (*roles["roles"].values(), roles["break_glass"], roles.get("support", {})):
            gone = [name for name in role.get("users", ()) if name not in users]
            if gone:
                role["users"] = [name for name in role["users"] if name in users]
                role["principals"] = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in gone]
        if any(one.startswith("the schedule ") for one in called):
            del data["components"]["trusted_advisor"]["refresh"]
        if any(one.startswith("a GuardDuty detector") for one in called):
            del data["components"]["member_security"]
        if any(one.startswith("the organizational unit") for one in called):
            units = {one.key["name"]: one.import_id for one in before["aws_organizations_organizational_unit"]}
            organization = data["components"]["organization"]
            organization["organizational_units"] = []
            for policies in (found for name, found in organization.items() if name.endswith("_policies")):
                for policy in policies.values():
                    targets = policy.get("targets", ["root"])
                    policy["targets"] = [units.get(target.rpartition("/")[2], target) for target in targets]
        self.cli.write(NAME, yaml.safe_dump(data, sort_keys=False))

    def _plan(self) -> Plan:
        workspace = self.workspace()
        with own_folder(workspace.scratch, "truth") as own:
            workspace.runner.plan(own / "truth.tfplan")
            return parse_plan(workspace.runner.show(own / "truth.tfplan"), workspace.attribution)

    def _denied(self) -> dict[str, list[str]]:
        """Each type's reads denied, one type after the other; and once the whole command."""
        plan, workspace = self._plan(), self.workspace()
        text, before = self.cli.file(NAME).read_bytes(), self.found()
        wants = defaultdict(list)
        for wanted in existing_wanted(plan, simulated=True):
            wants[wanted.type].append(wanted)
        for kind in table.rows():
            # What is named by ids that AWS gives is looked for in a later round, when its parent is imported.
            wants[kind] = wants[kind] or [
                ExistingWanted(one.called, kind, one.region, {**one.values, **one.key}) for one in before.get(kind, ())
            ]
        answers: dict[str, str | None] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", _deny)
            for kind in table.rows():
                try:
                    gather(wants[kind], Inventory(workspace.aws))
                    answers[kind] = None
                except ToolkitError as e:
                    answers[kind] = str(e)
        environ = {**self.cli.environ, "PYTHONPATH": str(_hook(self.cli.root))}
        refused = self.cli.run("adopt", NAME, "--yes", exits=1, environ=environ).stderr
        assert "cannot be read" in refused, refused
        assert self.cli.file(NAME).read_bytes() == text
        assert self.found() == before
        return {
            kind: list(table.judge(kind, self.account, table.Evidence(unreadable=answers[kind])))
            for kind in table.rows()
            if table.not_applicable(kind, self.account) is None
        }


def _is_in_the_way(why: str) -> bool:
    return table.REFERRED in why or table.NO_SETTING in why or "another component needs" in why


def _with_other_groups(components: dict[str, Any]) -> dict[str, Any]:
    """The users as members of the groups by their other names, as the modules get them."""
    users = {
        name: {**user, "groups": [group + table.SUFFIX for group in user["groups"]]}
        for name, user in components["iam_users"]["users"].items()
    }
    groups = sorted({group for user in users.values() for group in user["groups"]})
    return {**components, "iam_users": {**components["iam_users"], "users": users, "existing_groups": groups}}


_REAL = BaseClient._make_api_call


def _deny(client: Any, operation: str, parameters: Any) -> Any:
    if client.meta.service_model.service_name == "sts":
        return _REAL(client, operation, parameters)
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "denied by this test"}}, operation)


def _hook(root: Path) -> Path:
    """A folder whose sitecustomize denies what `_deny` does, in a command's own process."""
    folder = root / "hook"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from botocore.client import BaseClient\n"
        "from botocore.exceptions import ClientError\n"
        "real = BaseClient._make_api_call\n"
        "def deny(client, operation, parameters):\n"
        "    if client.meta.service_model.service_name == 'sts':\n"
        "        return real(client, operation, parameters)\n"
        "    raise ClientError({'Error': {'Code': 'AccessDenied', 'Message': 'denied by this test'}}, operation)\n"
        "BaseClient._make_api_call = deny\n"
    )
    return folder


def _output(command: list[str], environ: dict[str, str]) -> str:
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300).stdout


_ACTIONS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
}


def _planned(plan: Plan) -> dict[str, list[Any]]:
    """Type → what the plan does to it, as far as the embedded AWS has the type."""
    by_type: dict[str, list[Any]] = defaultdict(list)
    for change in plan.changes:
        if change.action in _ACTIONS:
            by_type[change.type].append(
                table.Planned(change.address, change.region, _ACTIONS[change.action], change.after)
            )
    return by_type


def _versions(cli: Any) -> dict[str, str]:
    lock = (cli.root / "environments" / NAME / "rendered" / ".terraform.lock.hcl").read_text("utf-8")
    provider = next(line.split('"')[1] for line in lock.splitlines() if line.strip().startswith("version "))
    terraform = json.loads(_output(["terraform", "version", "-json"], dict(os.environ)))["terraform_version"]
    return {"terraform": terraform, "provider": provider, "moto": version("moto")}


def _accounts() -> Iterator[str]:
    for account in table.ACCOUNTS:
        if WANTED == "all" or account in WANTED.split(","):
            yield account


@pytest.mark.parametrize("account", tuple(_accounts()))
def test_nothing_of_an_account_is_left_weaker(new_project: Callable[..., Any], account: str):
    cli = new_project("complete")
    verdicts = Truth(cli, account).verdicts()
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"cells": {}, "digests": {}}
    results["versions"] = _versions(cli)
    results["cells"][account] = verdicts
    results["digests"][account] = {kind: table.digest(kind, account) for kind in verdicts}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert {kind: why for kind, why in verdicts.items() if why} == {}
