"""The main job over the real CLI, real Terraform, the real provider and the embedded AWS, a process per command.

One full apply costs a minute (S3's lifecycle), so one account serves the whole story, in the order of the tests.
"""

from __future__ import annotations

import json
import re
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
    assert "No changes: the account matches the environment." in done.stdout


def test_coverage_is_told_from_a_plan_and_from_the_account(cli: Any, bundle: str):
    saved = cli.run("controls", "--plan", bundle).stdout
    assert "  2.9    provisioned  The last 24 passwords cannot be used again. (password_policy)\n" in saved
    off = " " * 22 + "the component access_analyzer is off\n"
    assert f"  2.18   uncovered    IAM Access Analyzer is active.\n{off}" in saved
    # Now everything is there, and Terraform calls it no change.
    assert cli.run("controls", "sandbox").stdout == saved


def test_an_applied_plan_is_stale(cli: Any, bundle: str):
    refused = cli.run("apply", "sandbox", "--plan", bundle, exits=7)
    assert "state" in refused.stderr


def test_one_edited_value_is_one_change_and_named(cli: Any, bundle: str):
    text = cli.file("sandbox").read_text()
    cli.file("sandbox").write_text(
        text.replace("password_policy: {}", "password_policy: {password_reuse_prevention: 23}")
    )
    # 23 is weaker than 24: consented here, since it is about the summary. Config's rule on the policy follows it.
    consent = ("--allow-weaker", "*.password_reuse_prevention", "--allow-weaker", "*.input_parameters")
    second = str(cli.root / "second.tfbundle")
    done = cli.run("plan", "sandbox", "--detailed-exitcode", "--json", "--out", second, *consent, exits=2)
    data = json.loads(done.stdout)
    rule, policy = sorted(data["changes"], key=lambda c: c["address"])
    assert policy["address"] == "module.password_policy.aws_iam_account_password_policy.this"
    assert [(a["path"], a["before"], a["after"]) for a in policy["attributes"]] == [
        ("password_reuse_prevention", 24, 23)
    ]
    assert rule["address"] == 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]'
    (parameters,) = rule["attributes"]
    before, after = json.loads(parameters["before"]), json.loads(parameters["after"])
    assert {**before, "PasswordReusePrevention": "23"} == after
    shown = cli.run("show", second).stdout
    assert "0 to add, 2 to change, 0 to destroy" in shown
    # Each once among the changes, once as a finding; the closing summary has the second one's values, nothing else has.
    named = [line.strip().rsplit(".", 1)[-1] for line in shown.splitlines() if "→" in line]
    assert named.count("password_reuse_prevention: 24 → 23") == 2
    assert sum(name.startswith("input_parameters: ") for name in named) == 2
    assert len(named) == 5
    assert set(re.findall(r"aws_[a-z_]+", shown)) == {"aws_iam_account_password_policy", "aws_config_config_rule"}
    # Consents travel with the plan that was reviewed.
    cli.run("apply", "sandbox", "--plan", second)
    assert cli.client("iam").get_account_password_policy()["PasswordPolicy"]["PasswordReusePrevention"] == 23


def test_what_was_applied_can_be_read(cli: Any, bundle: str):
    outputs = cli.json("output", "sandbox", "cloudtrail")
    assert outputs["cloudtrail"]["trail_arn"] == "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
    assert "did you mean 'cloudtrail'" in cli.run("output", "sandbox", "cloudtrial", exits=64).stderr


@pytest.fixture(scope="module")
def reviewed(cli: Any, bundle: str) -> str:
    """A plan of a change that is good to apply, until something else changes."""
    path = str(cli.root / "reviewed.tfbundle")
    text = cli.file("sandbox").read_text()
    cli.file("sandbox").write_text(text.replace("password_policy: {", "password_policy: {max_password_age: 60, "))
    done = cli.run("plan", "sandbox", "--out", path, "--detailed-exitcode", exits=2)
    # Of what was applied before, nothing is pending any more. (Two: Config's rule follows the policy.)
    assert "0 to add, 2 to change, 0 to destroy" in done.stdout
    assert "max_password_age: 90 → 60" in done.stdout
    return path


def refused(cli: Any, environment: str, bundle: Path | str, exits: int = 7) -> str:
    """Applying that bundle is refused, and neither account nor state noticed."""
    state = cli.root / "environments" / "sandbox" / "terraform.tfstate"
    before = state.read_bytes()
    errors: str = cli.run("apply", environment, "--plan", str(bundle), exits=exits).stderr
    assert state.read_bytes() == before
    assert cli.client("iam").get_account_password_policy()["PasswordPolicy"]["MaxPasswordAge"] == 90
    return errors


CHANGED = {
    "a rendered file by hand": (
        "environments/sandbox/rendered/config.tf",
        "the files are not those that it was made from",
    ),
    "a module": ("modules/cloudtrail/main.tf", "the files are not those that it was made from"),
    "the lock file": ("environments/sandbox/rendered/.terraform.lock.hcl", "lock_sha256 differs"),
}


@pytest.mark.parametrize(("file", "cause"), CHANGED.values(), ids=CHANGED.keys())
def test_a_change_after_the_review_is_refused(cli: Any, reviewed: str, file: str, cause: str):
    target = cli.root / file
    original = target.read_bytes()
    try:
        target.write_bytes(original + b"\n# one line more\n")
        told = refused(cli, "sandbox", reviewed)
        assert cause in told
        assert f"(changed: {file})" in told or "lock" in file
    finally:
        target.write_bytes(original)


def test_another_setting_rendered_after_the_review_is_refused(cli: Any, reviewed: str):
    text = cli.file("sandbox").read_text()
    try:
        cli.file("sandbox").write_text(text.replace("max_password_age: 60", "max_password_age: 61"))
        cli.run("render", "sandbox")
        assert "the files are not those that it was made from" in refused(cli, "sandbox", reviewed)
    finally:
        cli.file("sandbox").write_text(text)
        cli.run("render", "sandbox")


def test_a_bundle_of_another_environment_or_none_is_refused(cli: Any, reviewed: str, tmp_path: Path):
    assert "a plan for 'sandbox', not for 'small'" in refused(cli, "small", reviewed)
    whole = Path(reviewed).read_bytes()
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 1
    broken = tmp_path / "broken.tfbundle"
    for content in (whole[: len(whole) // 2], bytes(flipped), b"", b"no zip"):
        broken.write_bytes(content)
        assert f"{broken}: not a plan bundle, truncated or damaged" in refused(cli, "sandbox", broken)
    assert f"{tmp_path}: a folder" in refused(cli, "sandbox", tmp_path)
    assert "No such file" in refused(cli, "sandbox", tmp_path / "nowhere")


def test_what_was_reviewed_is_applied_once(cli: Any, reviewed: str):
    """All those refusals left it as good as it was."""
    comment = cli.root / "comment.md"
    applied = cli.run("apply", "sandbox", "--plan", reviewed, "--report", f"markdown={comment}", "--report", "json=-")
    assert "0 created, 2 updated, 0 deleted." in applied.stderr
    # The reports tell what was judged at that moment, which is what was reviewed.
    told, shown = json.loads(applied.stdout), cli.json("show", reviewed)
    assert told == shown
    assert (told["environment"], told["summary"]["change"], told["refused"]) == ("sandbox", 2, False)
    assert "max_password_age" in comment.read_text()
    assert cli.client("iam").get_account_password_policy()["PasswordPolicy"]["MaxPasswordAge"] == 60
    again = cli.run("apply", "sandbox", "--plan", reviewed, exits=7).stderr
    assert "state" in again
    assert "plan again" in again


def test_a_plan_of_the_simulator_never_reaches_aws(cli: Any, bundle: str):
    """A real environment with a custom endpoint: another server could pretend to be the account."""
    endpoint = cli.json("sandbox", "status")["endpoint"]
    assert endpoint == cli.endpoint
    environ = {**cli.environ, "AWS_ENDPOINT_URL": endpoint}
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
    assert set(states) == {"PendingDeletion"}
    assert cli.client("sns").list_topics()["Topics"] == []
    cli.run("plan", "sandbox", "--detailed-exitcode", exits=2)
