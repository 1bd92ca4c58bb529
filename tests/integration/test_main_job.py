"""The main job over the real CLI, real Terraform, the real provider and the embedded AWS, a process per command.

One full apply costs a minute (S3's lifecycle), so one account serves the whole story, in the order of the tests.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any]) -> Any:
    cli = new_project("sandbox", "small", "production")
    cli.run("sandbox", "up")
    return cli


@pytest.fixture(scope="module")
def bundle(cli: Any) -> str:
    """The first plan, applied."""
    path = str(cli.root / "first.tfbundle")
    done = cli.run("plan", "sandbox", "--out", path)
    assert "to add, 0 to change, 0 to destroy" in done.stdout
    assert Path(path).stat().st_mode & 0o777 == 0o600
    applied = cli.run("apply", "sandbox", "--plan", path)
    assert "created, 0 updated, 0 deleted." in applied.stdout
    return path


def test_a_second_plan_is_empty(cli: Any, bundle: str):
    done = cli.run("plan", "sandbox", "--detailed-exitcode")
    assert "No changes: the account is as the environment says." in done.stdout


def test_an_applied_plan_is_stale(cli: Any, bundle: str):
    refused = cli.run("apply", "sandbox", "--plan", bundle, exits=7)
    assert "state" in refused.stderr


def test_one_edited_value_is_one_change_and_named(cli: Any, bundle: str):
    text = cli.file("sandbox").read_text()
    cli.file("sandbox").write_text(
        text.replace("password_policy: {}", "password_policy: {password_reuse_prevention: 23}")
    )
    # 23 is weaker than 24: consented here, since it is about the summary.
    consent = ("--allow-weaker", "*.password_reuse_prevention")
    done = cli.run("plan", "sandbox", "--detailed-exitcode", *consent, exits=2)
    assert "0 to add, 1 to change, 0 to destroy" in done.stdout
    assert "password_reuse_prevention: 24 → 23" in done.stdout
    data = json.loads(cli.run("plan", "sandbox", "--json", *consent).stdout)
    (change,) = data["changes"]
    assert change["address"] == "module.password_policy.aws_iam_account_password_policy.this"
    assert [(a["path"], a["before"], a["after"]) for a in change["attributes"]] == [
        ("password_reuse_prevention", 24, 23)
    ]
    cli.run("apply", "sandbox", "--auto-approve", *consent)
    policy = cli.client("iam").get_account_password_policy()["PasswordPolicy"]
    assert policy["PasswordReusePrevention"] == 23
    cli.run("plan", "sandbox", "--detailed-exitcode")
    cli.file("sandbox").write_text(text)
    cli.run("apply", "sandbox", "--auto-approve")


def test_what_was_applied_can_be_read(cli: Any, bundle: str):
    outputs = cli.json("output", "sandbox", "cloudtrail")
    assert outputs["cloudtrail"]["trail_arn"] == "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
    assert "did you mean 'cloudtrail'" in cli.run("output", "sandbox", "cloudtrial", exits=64).stderr


TAMPERED = {
    "a rendered file": ("environments/sandbox/rendered/config.tf", "rendered_sha256"),
    "a module": ("modules/cloudtrail/main.tf", "rendered_sha256"),
    "the lock file": ("environments/sandbox/rendered/.terraform.lock.hcl", "lock_sha256"),
}


@pytest.mark.parametrize(("file", "field"), TAMPERED.values(), ids=TAMPERED.keys())
def test_a_change_after_the_review_is_refused(cli: Any, bundle: str, file: str, field: str, tmp_path: Any):
    reviewed = str(tmp_path / "reviewed.tfbundle")
    cli.run("plan", "sandbox", "--out", reviewed)
    target = cli.root / file
    original = target.read_bytes()
    try:
        target.write_bytes(original + b"\n# one line more\n")
        refused = cli.run("apply", "sandbox", "--plan", reviewed, exits=3 if "config.tf" in file else 7)
        # A rendered file that was edited by hand differs from environment.yaml, too, which is found even earlier.
        assert field in refused.stderr or "out of date" in refused.stderr
    finally:
        target.write_bytes(original)


def test_a_bundle_of_another_environment_or_none_is_refused(cli: Any, bundle: str, tmp_path: Any):
    assert "a plan for 'sandbox', not for 'small'" in cli.run("apply", "small", "--plan", bundle, exits=7).stderr
    broken = tmp_path / "broken.tfbundle"
    shutil.copy(bundle, broken)
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    assert str(broken) in cli.run("apply", "sandbox", "--plan", str(broken), exits=7).stderr
    cli.run("apply", "sandbox", "--plan", str(tmp_path), exits=7)
    cli.run("apply", "sandbox", "--plan", str(tmp_path / "nowhere"), exits=7)


def test_a_plan_of_the_simulator_never_reaches_aws(cli: Any, bundle: str):
    """A real environment with a custom endpoint: another server could pretend to be the account."""
    environ = {**cli.environ, "AWS_ENDPOINT_URL": cli.json("sandbox", "status")["endpoint"]}
    refused = cli.run("plan", "small", exits=4, environ=environ)
    assert "AWS_ENDPOINT_URL is set" in refused.stderr


def test_destroy_leaves_nothing_of_ours(cli: Any, bundle: str):
    cli.run("destroy", "sandbox", "--auto-approve")
    iam = cli.client("iam")
    assert iam.list_groups()["Groups"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_roles()["Roles"] == []
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_account_password_policy()
    assert cli.client("cloudtrail").describe_trails()["trailList"] == []
    config = cli.client("config")
    assert config.describe_configuration_recorders()["ConfigurationRecorders"] == []
    assert config.describe_delivery_channels()["DeliveryChannels"] == []
    assert config.describe_config_rules()["ConfigRules"] == []
    assert cli.client("guardduty").list_detectors()["DetectorIds"] == []
    assert cli.client("s3").list_buckets()["Buckets"] == []
    assert cli.client("logs").describe_log_groups()["logGroups"] == []
    kms = cli.client("kms")
    states = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"]["KeyState"] for k in kms.list_keys()["Keys"]]
    assert set(states) <= {"PendingDeletion"}
    assert cli.client("sns").list_topics()["Topics"] == []
    cli.run("plan", "sandbox", "--detailed-exitcode", exits=2)
