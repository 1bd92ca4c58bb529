"""Users and roles over the real CLI, Terraform, provider and the embedded AWS: join, review, suspend, come back, leave.

Made by hand, as in life: access keys, devices, passwords that users chose, an administrator whom nobody manages, and a
user who was there before the baseline.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

SAMPLE = Path(__file__).parents[1] / "plans" / "components" / "identities.yaml"
USERS = yaml.safe_load(SAMPLE.read_text("utf-8"))["components"]["iam_users"]["users"]
OLD = {"owner": "lead@example.com", "review_date": "9999-12-31", "groups": ["developers"]}
SUSPENDED = 'module.iam_users.aws_iam_user_group_membership.suspended["anna"]'


def environment(*, imports: str = "", **changes: dict[str, Any] | None) -> str:
    """The sample's users, each as changed; None takes one out."""
    users = {
        name: {**user, **(changes.get(name) or {})} for name, user in USERS.items() if changes.get(name, {}) is not None
    }
    users |= {name: change for name, change in changes.items() if name not in USERS and change}
    return (
        'account_id: "123456789012"\nregions: {home: eu-central-1}\nsimulator: moto\n'
        f"{imports}components:\n"
        "  iam_groups: {assumable_roles: [arn:aws:iam::123456789012:role/development]}\n  mfa_enforcement: {}\n"
        f"  iam_users: {json.dumps({'users': users})}\n"
        "  iam_roles:\n    roles:\n"
        "      development: {users: [emil], managed_policies: [PowerUserAccess], bounded: true}\n"
        "    deployers:\n"
        "      site: {provider: github, repository: a/site, branches: [main], managed_policies: [ReadOnlyAccess]}\n"
    )


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, Any]]]:
    """By rule."""
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        found.setdefault(finding["rule"], []).append(finding)
    return found


def enrol(iam: Any, name: str) -> None:
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="123457"
    )


@pytest.fixture(scope="module")
def account(new_project: Callable[..., Any]) -> Any:
    """The tests stand on each other in their order."""
    cli = new_project()
    cli.write("people", environment())
    cli.run("sandbox", "up")
    cli.run("apply", "people", "--auto-approve")
    return cli


def test_those_who_join(account: Any):
    iam = account.client("iam")
    tags = {tag["Key"]: tag["Value"] for tag in iam.get_user(UserName="anna")["User"]["Tags"]}
    assert tags == {"Team": "platform", "Owner": "lead@example.com", "ReviewDate": "2027-03-31"}
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="bert")["Groups"]] == ["suspended-users"]
    assert "carla" not in {user["UserName"] for user in iam.list_users()["Users"]}

    # The first password is nowhere in clear, and what its owner makes of it is not Terraform's.
    (state,) = (account.root / "environments" / "people").glob("terraform.tfstate")
    (profile,) = [r for r in json.loads(state.read_text())["resources"] if r["type"] == "aws_iam_user_login_profile"]
    values = profile["instances"][0]["attributes"]
    assert values["password"] is None
    assert len(base64.b64decode(values["encrypted_password"])) > 200
    iam.update_login_profile(UserName="emil", Password="Chosen-By-Emil-1", PasswordResetRequired=False)
    for name in ("anna", "bert"):
        iam.create_access_key(UserName=name)
        enrol(iam, name)


def test_one_is_suspended_one_removed_and_one_who_was_there_before_taken_over(account: Any):
    iam = account.client("iam")
    for name in ("old", "older"):
        iam.create_user(UserName=name)
    iam.create_login_profile(UserName="old", Password="Correct-Horse-9-Battery")
    # An entry that is lost in a merge deletes nobody unasked, and who is taken over is not locked out unasked.
    imports = "imports: {'module.iam_users.aws_iam_user.this[\"old\"]': old}\n"
    text = environment(anna={"status": "suspended"}, bert=None, old=OLD, older=OLD, imports=imports)
    account.write("people", text)
    done = account.run("plan", "people", "--json", exits=4)
    assert {rule for rule, found in findings(done).items() if any(f["blocks"] for f in found)} == {
        "locks-out-last-administrator",
        "collides",
        "locks-out-users",
        "gains-access",
    }
    # anna is the only administrator who gets in: she stays, whatever the consent. Nor is a user made who is there.
    (last,) = findings(done)["locks-out-last-administrator"]
    assert last["consent"] is None
    (collides,) = findings(done)["collides"]
    assert collides["subject"] == 'module.iam_users.aws_iam_user.this["older"]'
    # What she keeps is named.
    assert "1 active access key" in {advice["evidence"] for advice in findings(done)["advice"]}
    (vanished,) = (f for f in findings(done)["locks-out-users"] if f["evidence"].startswith("bert "))
    (lockout,) = (f for f in findings(done)["locks-out-users"] if "MFA device: old" in f["summary"])
    assert (vanished["consent"], vanished["evidence"]) == (
        "--acknowledge-lockout",
        "bert has 1 active access key, 1 MFA device",
    )
    assert "1 user without an MFA device: old" in lockout["summary"]
    # One who is there already may newly do what developers may.
    joins = 'module.iam_users.aws_iam_user_group_membership.active["old"].groups'
    (gains,) = (f for f in findings(done)["gains-access"] if f["subject"] == joins)
    assert gains["consent"] == f"--allow-gain '{joins}'"

    # With another administrator anna may be suspended, and with a device nothing but that is left to consent to. bert
    # goes without asking, with his key and his device, where it says so.
    iam.create_user(UserName="zoe")
    iam.attach_user_policy(UserName="zoe", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.create_access_key(UserName="zoe")
    enrol(iam, "old")
    bert = {"status": "removed"}
    account.write("people", environment(anna={"status": "suspended"}, bert=bert, old=OLD, imports=imports))
    account.run("apply", "people", "--auto-approve", "--allow-gain", joins)
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="anna")["Groups"]] == ["suspended-users"]
    assert {user["UserName"] for user in iam.list_users()["Users"]} == {"anna", "emil", "old", "older", "zoe"}

    # Nothing is pending, though a review is due: told, and in nobody's way.
    done = account.run("plan", "people", "--json", "--detailed-exitcode")
    assert set(findings(done)) == {"advice"}
    (advice,) = (f for f in findings(done)["advice"] if "delete this line" not in f["remedy"])
    assert (advice["blocks"], advice["severity"]) == (False, "note")
    assert advice["subject"] == 'module.iam_users.aws_iam_user.this["emil"]'


def test_coming_back_takes_a_deny_away(account: Any):
    iam = account.client("iam")
    account.write("people", environment(bert=None, old=OLD))
    # She is an administrator by it, which who allows the deletion alone has not said: each is consented to by itself.
    allowed = ("--allow-destroy", SUSPENDED, "--allow-gain", f"{SUSPENDED}.groups")
    done = account.run("apply", "people", "--auto-approve", *allowed, "--report", "json=-")
    (destroys,) = findings(done)["destroys-protected"]
    (gains,) = findings(done)["gains-access"]
    for finding, option, subject in (
        (destroys, "--allow-destroy", SUSPENDED),
        (gains, "--allow-gain", f"{SUSPENDED}.groups"),
    ):
        assert (finding["consent"], finding["consented_by"]) == (f"{option} '{subject}'", f"{option} {subject}")
        assert finding["severity"] != "note", "without the option, it would refuse the plan"
    groups = {g["GroupName"] for g in iam.list_groups_for_user(UserName="anna")["Groups"]}
    assert groups == {"administrators"}


def test_in_the_end_nothing_of_ours_is_left(account: Any):
    iam = account.client("iam")
    account.run("destroy", "people", "--auto-approve")
    assert {user["UserName"] for user in iam.list_users()["Users"]} == {"older", "zoe"}
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not on PATH")
def test_the_samples_key_is_a_public_one():
    """What is committed must never be more than a public key."""
    key = base64.b64decode(USERS["emil"]["console_pgp_key"])
    shown = subprocess.run(["gpg", "--list-packets"], input=key, capture_output=True, check=True).stdout.decode()
    assert ":public key packet:" in shown
    assert "secret" not in shown
