"""An organization on moto: accounts that differ, one that refuses, one that is suspended; each read as a role in it."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.client
import botocore.exceptions
import pytest
from moto import mock_aws
from moto.sts.exceptions import STSClientError
from moto.sts.models import STSBackend

from toolkit.audit.baseline import Change
from toolkit.audit.history import read_history
from toolkit.audit.organization import OrganizationAudit
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.controls.catalogue import frameworks
from toolkit.environment import Environment, load_text
from toolkit.errors import ToolkitError, UsageError
from toolkit.findings import Severity, Status
from toolkit.paths import Project
from toolkit.reports.organization import organization_data, organization_lines
from toolkit.workflows import audit_organization as module
from toolkit.workflows.audit import chosen as checks
from toolkit.workflows.audit_organization import Chosen, EnvironmentFiles, Role, audit_organization
from toolkit.workflows.discover import Account, nameless
from toolkit.workflows.observer import Observer

MANAGEMENT, HOME = "123456789012", "eu-central-1"
LENGTH, POLICY, GUARDDUTY = (
    "iam_password_policy_minimum_length_14",
    "organizations_scp_attached",
    "guardduty_is_enabled",
)
LOWER = "iam_password_policy_lowercase"
WANTED = checks(ids=[LENGTH, POLICY, GUARDDUTY, LOWER])
FEW = checks(ids=[LENGTH, LOWER])


@pytest.fixture(scope="module", autouse=True)
def _only_its_own_garbage() -> None:
    """After each account, garbage is looked for: not among what other tests of the worker have left."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Five accounts: `first`, `second` and `third` can be read, `closed` refuses, and `gone` is suspended."""
    with mock_aws():
        organizations = boto3.client("organizations", HOME)
        organizations.create_organization(FeatureSet="ALL")

        def create(name: str) -> str:
            made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
            return str(made["CreateAccountStatus"]["AccountId"])

        ids = {name: create(name) for name in ("first", "second", "third", "closed", "gone")}
        organizations.close_account(AccountId=ids["gone"])
        assume = STSBackend.assume_role
        assumed: list[tuple[str, str | None]] = []

        def refusing(self: Any, *args: Any, **kwargs: Any) -> Any:
            arn = kwargs["role_arn"]
            assumed.append((arn, kwargs.get("external_id")))
            if ids["closed"] in arn:
                raise STSClientError("AccessDenied", f"not authorized to perform: sts:AssumeRole on resource: {arn}")
            return assume(self, *args, **kwargs)

        monkeypatch.setattr(STSBackend, "assume_role", refusing)
        yield SimpleNamespace(**ids, assumed=assumed, client=organizations)


def caller(home: str = HOME) -> Account:
    environment = nameless(MANAGEMENT, home, None)
    identity = CallerIdentity(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:user/audit")
    return Account(environment, AwsSession(environment, {}), identity, "account", Path(), has_file=False)


def run(**options: Any) -> OrganizationAudit:
    wanted = options.pop("wanted", WANTED)
    cis = [one for one in frameworks() if one.name == "cis-7.0"]
    return audit_organization(caller(), wanted, (HOME,), cis, options.pop("observer", Observer()), **options)


def as_role(account_id: str) -> boto3.Session:
    arn = f"arn:aws:iam::{account_id}:role/{module.ROLE}"
    keys = boto3.client("sts", HOME).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=HOME)


def strong(*accounts: str) -> None:
    for account in accounts:
        policy = {"MinimumPasswordLength": 14, "RequireLowercaseCharacters": True}
        as_role(account).client("iam").update_account_password_policy(**policy)  # type: ignore[arg-type]


def groups(found: OrganizationAudit, kind: str) -> dict[tuple[str, ...], set[str]]:
    """Accounts → the checks that fail in these."""
    return {one.accounts: {each.check.id for each in one.checks} for one in getattr(found, kind)}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each operation is called."""
    made: Counter[str] = Counter()
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def counting(self: Any, operation: str, parameters: Any) -> Any:
        made[operation] += 1
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counting)
    return made


def test_accounts_are_compared_and_what_cannot_be_read_is_unknown(organization: SimpleNamespace):
    """Two accounts of three have a password policy; GuardDuty is off everywhere; one account refuses."""
    strong(organization.first, organization.second, MANAGEMENT)
    found = run()
    everyone = tuple(sorted((MANAGEMENT, organization.first, organization.second, organization.third)))
    assert groups(found, "outliers") == {(organization.third,): {LENGTH, LOWER}}
    assert groups(found, "common") == {everyone: {GUARDDUTY}}
    assert groups(found, "central") == {(MANAGEMENT,): {POLICY}}
    (refused,) = found.unread
    assert refused.member.name == "closed"
    role = f"arn:aws:iam::{organization.closed}:role/security-audit"
    assert refused.reason == (
        f"cannot assume {role}: AccessDenied not authorized to perform: sts:AssumeRole on resource: {role}"
    )
    assert [(one.id, one.state) for one in found.left_out] == [(organization.gone, "SUSPENDED")]
    assert [one.member.id for one in found.accounts] == list(everyone)
    statuses = {one.member.id: one.checks[POLICY].status for one in found.accounts}
    assert statuses == {a: Status.FAIL if a == MANAGEMENT else Status.NOT_APPLICABLE for a in everyone}
    assert found.failed(Severity.HIGH)
    assert not found.failed(Severity.CRITICAL)
    assert found.unknown(Severity.HIGH), "GuardDuty's check is of that severity, and nothing is known of one account"
    assert not found.unknown(Severity.CRITICAL)


def test_the_role_is_assumed_in_every_other_active_account_once(organization: SimpleNamespace):
    run(role=Role("audit/reader", "example-id"), wanted=checks(ids=[POLICY]))
    others = (organization.first, organization.second, organization.third, organization.closed)
    assert sorted(organization.assumed) == sorted(
        (f"arn:aws:iam::{one}:role/audit/reader", "example-id") for one in others
    )


def test_what_belongs_to_the_organization_is_read_once(organization: SimpleNamespace, calls: Counter[str]):
    """By the management account alone: the others are known to be members."""
    found = run(wanted=checks(services=["organizations"]))
    of_organization = {n: calls[n] for n in ("ListPolicies", "DescribeResourcePolicy", "ListDelegatedAdministrators")}
    assert set(of_organization.values()) <= {0, 1, 4}, of_organization
    assert calls["DescribeOrganization"] == 2, "to find the accounts, and in the audit of the management account"
    per_account = Counter(one.member.id for one in found.accounts for _ in range(one.calls))
    members = [per_account[one] for one in (organization.first, organization.second, organization.third)]
    assert max(members) <= 2, "which regions are enabled, and nothing of the organization"


def test_the_order_of_accounts_changes_nothing(organization: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    strong(organization.second)
    expected = _data(run(wanted=FEW))
    listed = module.accounts_of
    monkeypatch.setattr(module, "accounts_of", lambda *args: tuple(reversed(listed(*args))))
    monkeypatch.setattr(module, "ACCOUNTS_AT_ONCE", 1)
    assert _data(run(wanted=FEW)) == expected


def _data(found: OrganizationAudit) -> Any:
    data = json.loads(json.dumps(organization_data(found)))
    for one in (data, *data["accounts"]):
        del one["taken"]
    return data


def test_accounts_are_chosen(organization: SimpleNamespace):
    def audited(**chosen: tuple[str, ...]) -> set[str]:
        found = run(wanted=checks(ids=[POLICY]), chosen=Chosen(**chosen))
        return {one.member.name for one in (*found.accounts, *found.unread)}

    assert audited(accounts=("first", organization.second)) == {"first", "second"}
    assert audited(exclude=("closed", "master")) == {"first", "second", "third"}
    root = organization.client.list_roots()["Roots"][0]["Id"]
    unit = organization.client.create_organizational_unit(ParentId=root, Name="Outer")["OrganizationalUnit"]["Id"]
    inner = organization.client.create_organizational_unit(ParentId=unit, Name="Inner")["OrganizationalUnit"]["Id"]
    for account, parent in ((organization.first, unit), (organization.third, inner)):
        organization.client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
    assert audited(units=(unit,)) == {"first", "third"}
    assert audited(units=(inner,)) == {"third"}
    with pytest.raises(UsageError, match=r"--accounts: no account 'frist' among the 6 .*; did you mean 'first'\?"):
        audited(accounts=("frist",))
    with pytest.raises(UsageError, match="no active account is left"):
        audited(accounts=("gone",))


def environment(account_id: str, name: str = "prod", more: str = "") -> Environment:
    text = f'account_id: "{account_id}"\nregions: {{home: {HOME}}}\n{more}components: {{}}\n'
    return load_text(text, name=name, shown_as=name)


def test_an_environment_of_the_project_applies_to_its_account(organization: SimpleNamespace):
    waiver = "waivers: [{rule: uncovered, subject: 'cis-7.0:2.8', reason: an example, expires: '2027-01-01'}]\n"
    file = environment(organization.third, more=waiver)
    found = run(environments=EnvironmentFiles({organization.third: file}))
    by_name = {one.member.name: one for one in found.accounts}
    assert {name: one.environment for name, one in by_name.items() if one.environment} == {"third": "prod"}
    assert by_name["third"].checks[LENGTH].waived == 1
    assert by_name["third"].checks[LENGTH].status is None
    assert by_name["first"].checks[LENGTH].status is Status.FAIL
    text = "\n".join(line for line, _ in organization_lines(found, verbose=False))
    assert f"{organization.third}  third   prod " in text


pytestmark = pytest.mark.filterwarnings("ignore:Exception.STSClientError")
"""moto says so of every error of STS that it lists itself."""


class Interrupting(Observer):
    """Presses Ctrl-C when the first account is done."""

    def note(self, text: str) -> None:
        if text.startswith("1 of"):
            raise KeyboardInterrupt


def test_ctrl_c_ends_with_what_is_known(organization: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(module, "ACCOUNTS_AT_ONCE", 1)
    found = run(observer=Interrupting(), history=tmp_path, chosen=Chosen(exclude=("closed",)))
    assert found.interrupted
    assert len(found.accounts) + len(found.unread) == 4
    assert {one.reason for one in found.unread} == {"not begun: interrupted"}
    kept = [one for one in found.accounts if one.report]
    assert kept, "the first one was done"
    assert {file.parent.name for file in tmp_path.rglob("*.json")} == {one.member.id for one in kept}
    for one in found.accounts:
        assert one.report or any(one.unknown.values()) or one.member.id in "".join(found.problems)


def test_calls_and_minutes_are_those_of_all_accounts(organization: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ACCOUNTS_AT_ONCE", 1)
    found = run(max_calls=8)
    assert found.calls == 8
    assert found.unknown(Severity.HIGH)
    assert any("8 calls were made" in one.reason for one in found.unread)
    with pytest.raises(ToolkitError, match=r"no further call may be made \(1e-06 minutes are over\)"):
        run(max_minutes=0.000001)


def test_each_account_has_a_history_of_its_own(organization: SimpleNamespace, tmp_path: Path):
    first = run(history=tmp_path, with_latest=True)
    assert {one.changes is None for one in first.accounts} == {True}
    ids = {MANAGEMENT, organization.first, organization.second, organization.third}
    assert {folder.name for folder in tmp_path.iterdir()} == ids
    assert {len(read_history(tmp_path / one, one, simulated=False).points) for one in ids} == {1}
    assert {one.report for one in first.accounts} == set(tmp_path.rglob("*.json"))
    strong(organization.first)
    second = run(history=tmp_path, with_latest=True)
    changes = {one.member.id: one.changes for one in second.accounts}
    assert (changes[organization.first] or {})[Change.FIXED] == 2
    assert (changes[organization.second] or {})[Change.FIXED] == 0
    assert not second.failed(Severity.NOTE), "everything that fails is in the baselines"
    (tmp_path / organization.third / f"{organization.first}-20261129T120000Z-0123456789abcdef.json").write_text("{}")
    third = run(history=tmp_path)
    assert [one.reason for one in third.unread if one.member.id == organization.third] == [
        f"this history is of account {organization.first}, and the audit is of account {organization.third}"
    ]
    assert len(third.problems) == 1, "and the command ends with an error, whatever the severity of the checks"


def test_an_account_in_no_organization_is_refused():
    with mock_aws(), pytest.raises(UsageError, match="account 123456789012 is in no organization"):
        run()


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"State": "ACTIVE", "Status": "ACTIVE"}, "ACTIVE"),
        ({"State": "ACTIVE"}, "ACTIVE"),
        ({"State": "CLOSED", "Status": "SUSPENDED"}, "CLOSED"),
        ({"State": "PENDING_ACTIVATION", "Status": "ACTIVE"}, "PENDING_ACTIVATION"),
        ({"Status": "PENDING_CLOSURE"}, "PENDING_CLOSURE"),
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, "SUSPENDED"),
        ({}, None),
    ],
)
def test_the_state_of_an_account(said: dict[str, str], state: str | None):
    assert module.state_of(said) == state


def test_environments_are_found_by_account(tmp_path: Path):
    for name, account, more in (
        ("prod", "111122223333", ""),
        ("one", "444455556666", ""),
        ("two", "444455556666", ""),
        ("demo", "111122223333", "simulator: moto\n"),
    ):
        folder = tmp_path / "environments" / name
        folder.mkdir(parents=True)
        text = f'account_id: "{account}"\nregions: {{home: {HOME}}}\n{more}components: {{}}\n'
        (folder / "environment.yaml").write_text(text)
    warned: list[str] = []

    class Warned(Observer):
        def warning(self, text: str) -> None:
            warned.append(text)

    def names(named: str | None, simulated: bool) -> dict[str, str]:
        warned.clear()
        found = module.environments_by_account(Project(tmp_path), named, simulated=simulated, observer=Warned())
        return {account: one.name for account, one in found.of.items()}

    assert names(None, False) == {"111122223333": "prod"}
    assert warned == ["account 444455556666 has several environments (one, two): it is audited without any"]
    assert names("two", False) == {"111122223333": "prod", "444455556666": "two"}
    assert names("demo", True)["111122223333"] == "demo"
    assert module.environments_by_account(None, None, simulated=False, observer=Observer()) == EnvironmentFiles()


def unusable(project: Path, accounts: dict[str, str]) -> None:
    """Environments of a project: texts by name, one usable."""
    for name, text in accounts.items():
        folder = project / "environments" / name
        folder.mkdir(parents=True)
        (folder / "environment.yaml").write_text(text)


def test_an_environment_file_that_cannot_be_used_spoils_no_other_account(organization: SimpleNamespace, tmp_path: Path):
    """The account that it is for is unknown, since its waivers are; which one that is, is read if it can be."""
    rest = f"regions: {{home: {HOME}}}\ncomponents: {{}}\n"
    unusable(
        tmp_path,
        {
            "good": f"account_id: '{organization.third}'\n{rest}",
            "misspelt": f"account_id: '{organization.first}'\nwaiver: []\n{rest}",
            "unquoted": f"account_id: {organization.second}\nwaiver: []\nother: 1\n{rest}",
            "no_yaml": f'account_id: "{organization.closed}"\nwaivers: [\n{rest}',
            "nobody": f"account_id: 1\n{rest}",
            "demo": f"account_id: '{organization.third}'\nsimulator: moto\nwaiver: []\n{rest}",
        },
    )
    warned: list[str] = []

    class Warned(Observer):
        def warning(self, text: str) -> None:
            warned.append(text)

    files = module.environments_by_account(Project(tmp_path), None, simulated=False, observer=Warned())
    found = run(environments=files, wanted=FEW)
    assert {one.member.name: one.environment for one in found.accounts} == {"master": None, "third": "good"}
    assert {one.member.name for one in found.unread} == {"first", "second", "closed"}
    assert all(one.reason.startswith("its environment file cannot be used: ") for one in found.unread)
    assert len(found.problems) == 4, "so that the exit code is 1 at least"
    by_name = {line.split("/")[1]: line for line in found.problems}
    assert by_name["misspelt"].startswith("environments/misspelt/environment.yaml:2: waiver: ")
    assert by_name["misspelt"].endswith(f"; account {organization.first} is not audited, since its waivers are unknown")
    assert "(and 1 more)" in by_name["unquoted"] or "(and 2 more)" in by_name["unquoted"]
    assert by_name["nobody"].endswith("; account_id cannot be read, so its account is audited without its waivers")
    assert len(warned) == 1
    assert warned[0].endswith("; it is for the embedded AWS alone")
    assert not any("\n" in line for line in (*found.problems, *warned))


def test_the_environment_that_is_named_counts_beside_one_that_cannot_be_used(tmp_path: Path):
    rest = f"account_id: '111122223333'\nregions: {{home: {HOME}}}\ncomponents: {{}}\n"
    unusable(tmp_path, {"good": rest, "bad": f"waiver: []\n{rest}"})

    def files(named: str | None) -> EnvironmentFiles:
        return module.environments_by_account(Project(tmp_path), named, simulated=False, observer=Observer())

    assert set(files("good").of) == {"111122223333"}
    assert not files("good").unusable
    assert len(files("good").problems) == 1
    assert not files(None).of
    assert set(files(None).unusable) == {"111122223333"}


def test_an_account_that_lacks_the_callers_region_is_read_from_the_partitions_first(
    organization: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    """In a region that an account has not enabled, STS answers InvalidClientTokenId."""
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def refusing(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "GetCallerIdentity" and self.meta.region_name == "me-central-1":
            found = call(self, operation, parameters)
            if found["Account"] != organization.second:
                error = {
                    "Code": "InvalidClientTokenId",
                    "Message": "The security token included in the request is invalid",
                }
                raise botocore.exceptions.ClientError({"Error": error}, operation)
            return found
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refusing)
    homes: dict[str, str] = {}
    audit = module.audit

    def noting(account: Account, *args: Any, **options: Any) -> Any:
        homes[account.environment.account_id] = account.clients.home_region
        return audit(account, *args, **options)

    monkeypatch.setattr(module, "audit", noting)
    cis = [one for one in frameworks() if one.name == "cis-7.0"]
    found = audit_organization(caller("me-central-1"), FEW, (HOME,), cis, Observer())
    assert [one.member.name for one in found.unread] == ["closed"]
    assert homes == {
        MANAGEMENT: "me-central-1",
        organization.first: "us-east-1",
        organization.second: "me-central-1",
        organization.third: "us-east-1",
    }


def test_a_report_that_is_whole_with_the_last_call_is_kept(
    organization: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(module, "ACCOUNTS_AT_ONCE", 1)
    calls = run(wanted=FEW).calls
    found = run(wanted=FEW, max_calls=calls, history=tmp_path)
    assert found.calls == found.max_calls == calls
    assert found.problems == ()
    assert all(one.report for one in found.accounts)
    fewer = run(wanted=FEW, max_calls=calls - 1, history=tmp_path)
    assert "the report is not kept, since the audit did not read everything" in "".join(fewer.problems)


def test_the_policies_of_the_caller_and_the_role():
    found = module.organization_policies(WANTED, MANAGEMENT, Role("audit", "example-id"), HOME)
    listing, assuming = found["caller"]["policies"][0]["Statement"]
    assert listing["Action"] == ["organizations:DescribeOrganization", "organizations:ListAccounts"]
    assert assuming["Action"] == "sts:AssumeRole"
    assert assuming["Resource"] == "arn:aws:iam::*:role/audit"
    assert found["role"]["policies"] == found["caller"]["policies"][1:]
    assert "iam:GetAccountPasswordPolicy" in found["role"]["policies"][0]["Statement"][0]["Action"]
    (trust,) = found["role"]["trust_policy"]["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "example-id"}}
    units = module.organization_policies(WANTED, MANAGEMENT, Role(), "cn-north-1", units=True)
    assert "organizations:ListAccountsForParent" in units["caller"]["policies"][0]["Statement"][0]["Action"]
    assert units["role"]["trust_policy"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws-cn:iam::{MANAGEMENT}:root"}


def test_the_calls_that_find_accounts_are_in_the_policy(organization: SimpleNamespace, calls: Counter[str]):
    root = organization.client.list_roots()["Roots"][0]["Id"]
    calls.clear()
    run(wanted=checks(ids=[LENGTH]), chosen=Chosen(units=(root,)))
    policies = module.organization_policies(checks(ids=[LENGTH]), MANAGEMENT, Role(), HOME, units=True)
    allowed = {
        action.partition(":")[2]
        for policy in policies["caller"]["policies"]
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert set(calls) - {"GetCallerIdentity"} <= allowed, "GetCallerIdentity needs no permission"
