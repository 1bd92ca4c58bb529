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


def test_a_second_plan_is_empty_and_of_both_coverage_is_told(cli: Any, bundle: str):
    second = str(cli.root / "second.tfbundle")
    done = cli.run("plan", "sandbox", "--detailed-exitcode", "--out", second)
    assert "No changes: the account matches the environment." in done.stdout

    saved = cli.run("controls", "--plan", bundle).stdout
    assert "  2.9    provisioned  The last 24 passwords cannot be used again. (password_policy)\n" in saved
    off = " " * 22 + "the component access_analyzer is off\n"
    assert f"  2.18   uncovered    IAM Access Analyzer is active.\n{off}" in saved
    # Now everything is there, and Terraform calls it no change.
    assert cli.run("controls", "--plan", second).stdout == saved


@pytest.fixture(scope="module")
def reviewed(cli: Any) -> str:
    """Where the bundle of that plan is."""
    return str(cli.root / "reviewed.tfbundle")


@pytest.fixture(scope="module")
def edited(cli: Any, bundle: str, reviewed: str) -> Any:
    """What the plan of one edited value says, which is good to apply until something else changes."""
    text = cli.file("sandbox").read_text()
    cli.file("sandbox").write_text(
        text.replace("password_policy: {}", "password_policy: {password_reuse_prevention: 23}")
    )
    # 23 is weaker than 24: consented here, since it is about the summary. Config's rule on the policy follows it.
    consent = ("--allow-weaker", "*.password_reuse_prevention", "--allow-weaker", "*.input_parameters")
    done = cli.run("plan", "sandbox", "--detailed-exitcode", "--json", "--out", reviewed, *consent, exits=2)
    return json.loads(done.stdout)


def test_one_edited_value_is_one_change_and_named(cli: Any, reviewed: str, edited: Any):
    rule, policy = sorted(edited["changes"], key=lambda c: c["address"])
    assert policy["address"] == "module.password_policy.aws_iam_account_password_policy.this"
    assert [(a["path"], a["before"], a["after"]) for a in policy["attributes"]] == [
        ("password_reuse_prevention", 24, 23)
    ]
    assert rule["address"] == 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]'
    (parameters,) = rule["attributes"]
    before, after = json.loads(parameters["before"]), json.loads(parameters["after"])
    assert {**before, "PasswordReusePrevention": "23"} == after
    shown = cli.run("show", reviewed).stdout
    assert "0 to add, 2 to change, 0 to destroy" in shown
    # Each once among the changes, once as a finding; the closing summary has the second one's values, nothing else has.
    named = [line.strip().rsplit(".", 1)[-1] for line in shown.splitlines() if "→" in line]
    assert named.count("password_reuse_prevention: 24 → 23") == 2
    assert sum(name.startswith("input_parameters: ") for name in named) == 2
    assert len(named) == 5
    assert set(re.findall(r"aws_[a-z_]+", shown)) == {"aws_iam_account_password_policy", "aws_config_config_rule"}


def test_what_was_applied_can_be_read(cli: Any, bundle: str):
    outputs = cli.json("output", "sandbox", "cloudtrail")
    assert outputs["cloudtrail"]["trail_arn"] == "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
    assert "did you mean 'cloudtrail'" in cli.run("output", "sandbox", "cloudtrial", exits=64).stderr


def refused(cli: Any, environment: str, bundle: Path | str, exits: int = 7) -> str:
    """Applying that bundle is refused, and neither account nor state noticed."""
    state = cli.root / "environments" / "sandbox" / "terraform.tfstate"
    before = state.read_bytes()
    errors: str = cli.run("apply", environment, "--plan", str(bundle), exits=exits).stderr
    assert state.read_bytes() == before
    assert cli.client("iam").get_account_password_policy()["PasswordPolicy"]["PasswordReusePrevention"] == 24
    return errors


CHANGED = {
    "a rendered file by hand, and a module": (
        ("environments/sandbox/rendered/config.tf", "modules/cloudtrail/main.tf"),
        "the files are not those that it was made from "
        "(changed: environments/sandbox/rendered/config.tf, modules/cloudtrail/main.tf)",
    ),
    "the lock file": (("environments/sandbox/rendered/.terraform.lock.hcl",), "lock_sha256 differs"),
}


@pytest.mark.parametrize(("files", "cause"), CHANGED.values(), ids=CHANGED.keys())
def test_a_change_after_the_review_is_refused(cli: Any, edited: Any, reviewed: str, files: tuple[str, ...], cause: str):
    originals = {cli.root / file: (cli.root / file).read_bytes() for file in files}
    try:
        for target, original in originals.items():
            target.write_bytes(original + b"\n# one line more\n")
        assert cause in refused(cli, "sandbox", reviewed)
    finally:
        for target, original in originals.items():
            target.write_bytes(original)


def test_a_bundle_of_another_environment_or_a_broken_one_is_refused(
    cli: Any, edited: Any, reviewed: str, tmp_path: Path
):
    """tests/unit/terraform/test_bundle.py has every way in which one is broken, or none at all."""
    assert "a plan for 'sandbox', not for 'small'" in refused(cli, "small", reviewed)
    flipped = bytearray(Path(reviewed).read_bytes())
    flipped[len(flipped) // 2] ^= 1
    broken = tmp_path / "broken.tfbundle"
    broken.write_bytes(bytes(flipped))
    assert f"{broken}: not a plan bundle, truncated or damaged" in refused(cli, "sandbox", broken)


def test_what_was_reviewed_is_applied_once(cli: Any, edited: Any, reviewed: str):
    """All those refusals left it as good as it was; consents travel with it."""
    comment = cli.root / "comment.md"
    applied = cli.run("apply", "sandbox", "--plan", reviewed, "--report", f"markdown={comment}", "--report", "json=-")
    assert "0 created, 2 updated, 0 deleted." in applied.stderr
    # The reports tell what was judged at that moment, which is what was reviewed.
    told, shown = json.loads(applied.stdout), cli.json("show", reviewed)
    assert told == shown
    assert (told["environment"], told["summary"]["change"], told["refused"]) == ("sandbox", 2, False)
    assert "password_reuse_prevention" in comment.read_text()
    assert cli.client("iam").get_account_password_policy()["PasswordPolicy"]["PasswordReusePrevention"] == 23
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
    state = json.loads((cli.root / "environments" / "sandbox" / "terraform.tfstate").read_text())
    assert (state["resources"], state["outputs"]) == ([], {})
