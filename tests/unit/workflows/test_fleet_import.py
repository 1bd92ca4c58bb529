"""`toolkit fleet import` on moto: environments from accounts, units and tags; nothing that a person wrote changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.client
import pytest
from moto import mock_aws

from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.cli import discover_commands
from toolkit.environment import load_environment
from toolkit.errors import UsageError
from toolkit.paths import ENVIRONMENT_NAME, Project
from toolkit.workflows.discover import Account, nameless
from toolkit.workflows.fleet_import import (
    Filter,
    Import,
    Imported,
    Template,
    import_accounts,
    imported_names,
    slug,
)
from toolkit.workflows.new import Answers
from toolkit.workflows.observer import Observer

MANAGEMENT, HOME = "123456789012", "eu-central-1"
PROFILE = Template(answers=Answers("0" * 12, HOME, (), None, simulator=False, profile="minimal"))
Told = Callable[..., tuple[str, str]]


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "environments").mkdir()
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A management account, `Payments Prod` in Workloads/Prod with tags, and `Sandbox` at the root."""
    states: dict[str, dict[str, str]] = {}
    called: set[str] = set()
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def with_states(self: Any, operation: str, parameters: Any) -> Any:
        called.add(operation)
        answer = call(self, operation, parameters)
        for account in answer.get("Accounts", ()) if operation == "ListAccounts" else ():
            if account["Id"] in states:
                account.pop("Status", None)
                account.pop("State", None)
                account.update(states[account["Id"]])
        return answer

    with mock_aws():
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", with_states)
        client = boto3.client("organizations", HOME)
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]

        def unit(parent: str, name: str) -> str:
            return client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]

        def account(name: str) -> str:
            made = client.create_account(AccountName=name, Email="a@example.com")
            return str(made["CreateAccountStatus"]["AccountId"])

        prod = unit(unit(root, "Workloads"), "Prod, EU")
        payments = account("Payments Prod")
        client.move_account(AccountId=payments, SourceParentId=root, DestinationParentId=prod)
        tags = {"Cost Center": "42", "Owner": "a,b", "empty": "", "OU": "mine", "cost-center": "43"}
        client.tag_resource(ResourceId=payments, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        sandbox = account("Sandbox")
        made = {"payments": payments, "sandbox": sandbox, "account": account, "unit": unit, "root": root, "prod": prod}
        called.clear()
        yield SimpleNamespace(**made, client=client, states=states, called=called)


def caller() -> Account:
    environment = nameless(MANAGEMENT, HOME, None)
    identity = CallerIdentity(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:user/org")
    return Account(environment, AwsSession(environment, {}), identity, "account", Path(), has_file=False)


def run(
    project: Project,
    template: Template = PROFILE,
    *,
    names: dict[str, str] | None = None,
    ou: tuple[str, ...] = (),
    tag: tuple[str, ...] = (),
    dry: bool = False,
) -> Import:
    only = Filter.parse(ou, tag)
    # What is there is listed once per command.
    return import_accounts(Project(project.root), caller(), template, Observer(), names=names or {}, only=only, dry=dry)


def by_id(found: Import) -> dict[str, Imported]:
    return {one.account.id: one for one in found.accounts}


def texts(project: Project) -> dict[str, str]:
    return {file.parent.name: file.read_text() for file in project.root.glob("environments/*/environment.yaml")}


def test_each_account_gets_an_environment_with_its_unit_and_tags(project: Project, organization: SimpleNamespace):
    found = run(project)
    assert {one.environment for one in found.accounts} == {"master", "payments-prod", "sandbox"}
    environment = load_environment(project.paths("payments-prod").file, name="payments-prod")
    assert environment.account_id == organization.payments
    assert environment.labels == {"ou": "Workloads/Prod EU", "cost-center": "42", "owner": "a b"}
    told = " ".join(by_id(found)[organization.payments].told)
    for key in ("'OU'", "'cost-center'", "'empty'"):
        assert f"the tag {key} is not a label" in told
    assert load_environment(project.paths("sandbox").file, name="sandbox").labels == {"ou": "root"}
    before = texts(project)
    assert {one.action for one in run(project).accounts} == {"same"}
    assert texts(project) == before


def test_a_dry_run_writes_nothing(project: Project, organization: SimpleNamespace):
    assert {one.action for one in run(project, dry=True).accounts} == {"create"}
    assert list(project.root.glob("environments/*")) == []


def test_changes_reach_what_import_wrote_and_not_what_a_person_wrote(project: Project, organization: SimpleNamespace):
    run(project)
    file = project.paths("payments-prod").file
    file.write_text(file.read_text().replace("owner: a b", "owner: of a person") + "# the end\n")
    organization.client.untag_resource(ResourceId=organization.payments, TagKeys=["Cost Center", "cost-center"])
    organization.client.tag_resource(ResourceId=organization.payments, Tags=[{"Key": "tier", "Value": "prod"}])
    before = file.read_text()
    found = by_id(run(project))[organization.payments]
    assert found.action == "update"
    assert [line for line in found.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")][-1:] != []
    (conflict,) = found.conflicts
    assert conflict.endswith(": labels.owner")
    environment = load_environment(file, name="payments-prod")
    assert environment.labels == {"ou": "Workloads/Prod EU", "owner": "of a person", "tier": "prod"}
    own = [line for line in before.splitlines() if "Imported" not in line and "cost-center" not in line]
    after = file.read_text().splitlines()
    assert [line for line in own if line not in after] == []


@pytest.mark.parametrize(
    "said",
    [
        {"State": "SUSPENDED", "Status": "SUSPENDED"},
        {"State": "CLOSED"},
        {"State": "PENDING_CLOSURE"},
        {"State": "PENDING_ACTIVATION", "Status": "ACTIVE"},
        {"Status": "SUSPENDED"},
        {"Status": "SUSPENDED", "State": "ACTIVE"},
    ],
    ids=str,
)
def test_an_account_that_is_not_active_gets_no_environment_and_is_never_planned(
    project: Project, organization: SimpleNamespace, told: Told, said: dict[str, str]
):
    state = next(value for value in (said.get("State"), said.get("Status")) if value not in (None, "ACTIVE"))
    organization.states[organization.sandbox] = said
    found = by_id(run(project))[organization.sandbox]
    assert (found.action, found.environment, found.reason) == ("skip", None, f"the account is {state}")
    organization.states.clear()
    run(project)
    before = texts(project)["sandbox"]
    organization.states[organization.sandbox] = said
    assert by_id(run(project))[organization.sandbox].action == "update"
    assert load_environment(project.paths("sandbox").file, name="sandbox").account_state == state
    line = 1 + texts(project)["sandbox"].splitlines().index(f"account_state: {state}")
    for command in (["plan", "sandbox"], ["apply", "sandbox", "--auto-approve"]):
        _, err = told(*command, exits=4)
        assert f"environments/sandbox/environment.yaml:{line}: account {organization.sandbox} is {state}" in err
    assert not (project.paths("sandbox").rendered).exists()
    organization.states[organization.sandbox] = {"State": "ACTIVE"}
    run(project)
    assert [line for line in texts(project)["sandbox"].splitlines() if line] == [x for x in before.splitlines() if x]


def test_an_account_without_a_state_gets_no_environment_and_keeps_what_the_file_says(
    project: Project, organization: SimpleNamespace
):
    organization.states[organization.sandbox] = {"State": "SUSPENDED"}
    run(project)
    organization.states[organization.sandbox] = {}
    found = by_id(run(project))[organization.sandbox]
    assert (found.action, found.reason) == ("skip", "the account is in an unknown state")


def test_names_that_collide_are_errors_until_a_name_is_given(project: Project, organization: SimpleNamespace):
    second = organization.account("sandbox!")
    found = by_id(run(project))
    for one, other in ((organization.sandbox, second), (second, organization.sandbox)):
        assert found[one].action == "error"
        assert f"account {other} would be 'sandbox' as well" in (found[one].reason or "")
    assert "sandbox" not in texts(project)
    found = by_id(run(project, names={second: "second"}))
    assert (found[organization.sandbox].environment, found[second].environment) == ("sandbox", "second")


def test_the_environment_of_another_account_is_not_touched(project: Project, organization: SimpleNamespace):
    text = 'account_id: "999999999999"\nregions: {home: eu-central-1}\ncomponents: {}\n'
    (project.root / "environments" / "sandbox").mkdir()
    (project.root / "environments" / "sandbox" / "environment.yaml").write_text(text)
    found = run(project)
    assert "the environment 'sandbox' is of another account" in (by_id(found)[organization.sandbox].reason or "")
    assert texts(project)["sandbox"] == text
    assert found.not_in_organization == ("sandbox",)


EVERYONE = ["master", "payments-prod", "sandbox"]


@pytest.mark.parametrize(
    ("ou", "tag", "imported"),
    [
        (("Workloads",), (), ["payments-prod"]),
        (("Workloads/Prod, EU",), (), ["payments-prod"]),
        (("/Workloads/",), (), ["payments-prod"]),
        (("Prod, EU",), (), ["payments-prod"]),
        (("{prod}",), (), ["payments-prod"]),
        (("{root}",), (), EVERYONE),
        (("{prod}", "{root}"), (), EVERYONE),
        ((), ("Owner=a,b",), ["payments-prod"]),
        ((), ("Owner=a,b", "empty="), ["payments-prod"]),
        (("Workloads",), ("Cost Center=42",), ["payments-prod"]),
    ],
    ids=str,
)
def test_only_some_accounts_are_imported(
    project: Project, organization: SimpleNamespace, ou: tuple[str, ...], tag: tuple[str, ...], imported: list[str]
):
    ids = {"prod": organization.prod, "root": organization.root}
    found = run(project, ou=tuple(one.format(**ids) for one in ou), tag=tag)
    assert sorted(str(one.environment) for one in found.accounts) == imported
    assert sorted(texts(project)) == imported


@pytest.mark.parametrize(
    ("ou", "tag", "problem"),
    [
        (("Workload",), (), "'Workload'; did you mean 'Workloads'?"),
        (("Prod",), (), "no account is below an organizational unit 'Prod'"),
        (("Empty",), (), "no account is below an organizational unit 'Empty'"),
        (("Twin",), (), "several organizational units are called 'Twin'"),
        (("/",), (), "--ou: no organizational unit"),
        ((), ("Ownr=a,b",), "no account has Ownr=a,b; did you mean 'Owner'?"),
        ((), ("Owner=a.b",), "no account has Owner=a.b; did you mean 'a,b'?"),
        (("Twin A",), ("Owner=a,b",), "no account has Owner=a,b"),
        ((), ("Owner",), "'Owner' is not a tag"),
        ((), ("=x",), "'=x' is not a tag"),
    ],
    ids=str,
)
def test_a_filter_that_leaves_no_account_is_refused(
    project: Project, organization: SimpleNamespace, ou: tuple[str, ...], tag: tuple[str, ...], problem: str
):
    root = organization.root
    organization.unit(root, "Empty")
    for outer in ("Twin A", "Twin B"):
        inner = organization.unit(organization.unit(root, outer), "Twin")
        made = organization.account(outer)
        organization.client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=inner)
    with pytest.raises(UsageError) as refused:
        run(project, ou=ou, tag=tag)
    assert problem in str(refused.value)
    assert texts(project) == {}


def test_accounts_that_a_filter_leaves_out_stay_as_they_are(project: Project, organization: SimpleNamespace):
    run(project)
    organization.client.tag_resource(ResourceId=organization.sandbox, Tags=[{"Key": "tier", "Value": "test"}])
    before = texts(project)
    found = run(project, ou=("Workloads",))
    assert [one.action for one in found.accounts] == ["same"]
    assert found.not_in_organization == ()
    assert texts(project) == before


def test_the_policy_allows_what_is_called(project: Project, organization: SimpleNamespace, told: Told):
    run(project)
    (policy,) = json.loads(told("fleet", "import", "--print-policy")[0])["Statement"]
    assert set(policy["Action"]) == {f"organizations:{name}" for name in organization.called}
    assert "--print-policy reads no account" in told("fleet", "import", "--print-policy", "--ou", "x", exits=64)[1]


HOSTILE = ["../../etc/passwd", "/etc", "..", ".", "", "a/b", "C:\\x", "\x1b[31mred", "${jndi}", "-rf", "名前", "a" * 80]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_never_leaves_its_folder(name: str):
    made = slug(name)
    assert made == "" or ENVIRONMENT_NAME.match(made)


def test_accounts_with_hostile_names_stay_within_environments(project: Project, organization: SimpleNamespace):
    ids = [organization.account(name) for name in ("../../up", "名前")]
    found = by_id(run(project))
    assert found[ids[0]].environment == "up"
    assert f"--name {ids[1]}=NAME" in (found[ids[1]].reason or "")
    assert {file.name for file in project.root.iterdir()} == {"environments"}


def test_a_copy_takes_over_settings_and_nothing_of_its_account(project: Project, organization: SimpleNamespace):
    (project.root / "environments" / "golden").mkdir()
    golden = project.root / "environments" / "golden" / "environment.yaml"
    golden.write_text(
        f"""\
account_id: "{MANAGEMENT}"  # theirs
regions:
  home: eu-west-1
labels:
  tier: gold
backend:
  type: s3
  bucket: acme-state
  key: golden.tfstate
  region: eu-west-1
credentials:
  assume_role:
    role_arn: arn:aws:iam::{MANAGEMENT}:role/baseline
imports:
  module.guardduty_eu_west_1.aws_guardduty_detector.this: 12abc34d567e8fa901bc2d34e56789f0
components:
  guardduty:
  cloudtrail:
    log_retention_days: 731
    name: trail-{MANAGEMENT}
"""
    )
    found = run(project, Template(environment="golden"))
    copied = load_environment(project.paths("sandbox").file, name="sandbox")
    assert copied.account_id == organization.sandbox
    assert copied.regions.home == "eu-west-1"
    assert copied.labels == {"ou": "root"}
    assert copied.imports == {}
    assert (copied.backend.key, copied.backend.account_id) == (None, MANAGEMENT)  # type: ignore[union-attr]
    assert copied.credentials.assume_role is not None
    assert copied.credentials.assume_role.role_arn == f"arn:aws:iam::{organization.sandbox}:role/baseline"
    assert f"names account {MANAGEMENT}" in " ".join(by_id(found)[organization.sandbox].told)
    assert by_id(found)[MANAGEMENT].environment == "golden"


def test_without_a_template_existing_environments_alone_can_be_updated(project: Project, organization: SimpleNamespace):
    with pytest.raises(UsageError, match="need something to start from"):
        run(project, Template())
    run(project)
    assert {one.action for one in run(project, Template()).accounts} == {"same"}


def test_a_mapping_of_one_line_is_an_error_of_that_environment_alone(project: Project, organization: SimpleNamespace):
    run(project)
    file = project.paths("sandbox").file
    text = f'account_id: "{organization.sandbox}"\nregions: {{home: eu-west-1}}\nlabels: {{a: b}}\ncomponents: {{}}\n'
    file.write_text(text)
    organization.client.tag_resource(ResourceId=organization.payments, Tags=[{"Key": "tier", "Value": "x"}])
    found = by_id(run(project))
    assert "environments/sandbox/environment.yaml:3" in (found[organization.sandbox].reason or "")
    assert found[organization.payments].action == "update"
    assert file.read_text() == text


@pytest.mark.parametrize("pair", ["a=b", "123456789012", "123456789012=../x", "123456789012=", "123456789012=A"])
def test_a_name_option_is_an_id_and_a_name(pair: str):
    with pytest.raises(UsageError, match="--name"):
        imported_names([pair])


def test_the_command_prints_what_the_schema_describes(
    project: Project, organization: SimpleNamespace, told: Told, json_shape: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(discover_commands, "account_of", lambda *_, **__: caller())
    data = json_shape(told("fleet", "import", "--region", HOME, "--dry-run", "--json")[0])
    assert [one["action"] for one in data["accounts"]] == ["create"] * 3
    assert data["written"] is False
    _, err = told("fleet", "import", "--region", HOME, "--name", f"{organization.sandbox}=play")
    assert f"{organization.sandbox} 'Sandbox' (play): created" in err
    assert "play" in texts(project)
    _, err = told("fleet", "import", "--region", HOME, "--name", "999999999999=x", exits=64)
    assert "the organization has no account '999999999999'" in err
    _, err = told("fleet", "import", "--region", HOME, "--from", "play", exits=64)
    assert "--from is a whole environment" in err
