"""An account that people live in already: what the baseline would do to it is found, refused, and done with consent.

Over the real CLI, Terraform, provider and the embedded AWS: made with boto3 are a stronger password policy, a recorder
that records more than the environment asks for, a group, and users without MFA in it; in another region a bucket that
is better kept, and a detector that sees more, than the environment asks for.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.iam import Decision, Policies, PolicyDocument, Request, evaluate

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {}
  iam_groups: {}
  mfa_enforcement: {policy_name: baseline-mfa}
  config:
    recording_frequency: DAILY
    bucket: {force_destroy: true}
"""
IMPORTS = """\
imports:
  'module.iam_groups.aws_iam_group.this["developers"]': developers
"""
SOON = str(date.today() + timedelta(days=30))
CHECKED = 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"].input_parameters'
LENGTH = "module.password_policy.aws_iam_account_password_policy.this.minimum_password_length"
FREQUENCY = "module.config_eu_central_1.aws_config_configuration_recorder.this.recording_mode[0].recording_frequency"


@pytest.fixture(scope="module")
def account(new_project: Callable[..., Any]) -> Any:
    cli = new_project()
    cli.write("lived-in", ENVIRONMENT)
    cli.run("sandbox", "up")
    live_in(cli)
    return cli


def live_in(account: Any) -> None:
    iam = account.client("iam")
    iam.update_account_password_policy(
        MinimumPasswordLength=24,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        AllowUsersToChangePassword=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=24,
    )
    iam.create_group(GroupName="developers")
    nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}}
    iam.create_policy(PolicyName="mfa-enforcement", PolicyDocument=json.dumps(nothing), Description="theirs")
    for name, password in (("ana", True), ("robot", False)):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="developers", UserName=name)
        if password:
            iam.create_login_profile(UserName=name, Password="Correct-Horse-9-Battery")
        else:
            iam.create_access_key(UserName=name)
    account.client("config").put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": "arn:aws:iam::123456789012:role/own-recorder",
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )


def blocking(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {f["subject"]: f for f in json.loads(done.stdout)["findings"] if f["blocks"]}


def collide(account: Any) -> str:
    """What has a name already: refused, with the ways that lead on. Gives the group's address."""
    # The group is there already: Terraform would create it and fail half-way. No consent helps; taking it over does.
    before = ENVIRONMENT.replace("{policy_name: baseline-mfa}", "{}")
    account.write("lived-in", before)
    found = blocking(account.run("plan", "lived-in", "--json", exits=4))
    group = 'module.iam_groups.aws_iam_group.this["developers"]'
    assert found[group]["rule"] == "collides"
    assert found[group]["consent"] is None
    assert f"put '{group}': 'developers'" in found[group]["remedy"]
    # A policy that only has the name is not taken over: imported, it would be deleted. Another name avoids it.
    policy = "module.mfa_enforcement.aws_iam_policy.this"
    assert found[policy]["setting"] == "components.mfa_enforcement.policy_name"
    arn = "arn:aws:iam::123456789012:policy/mfa-enforcement"
    assert f"under `imports`, put '{policy}': '{arn}'" in found[policy]["remedy"]
    account.write("lived-in", before + IMPORTS + f"  '{policy}': '{arn}'\n")
    found = blocking(account.run("plan", "lived-in", "--json", exits=4))
    assert found[policy]["rule"] == "destroys-protected"
    assert (
        f"delete the line of {policy} under `imports`, and set `components.mfa_enforcement.policy_name`"
        in (found[policy]["remedy"])
    )
    account.write("lived-in", ENVIRONMENT + IMPORTS)
    return group


def discovered(account: Any) -> None:
    """What the state does not manage is found, by calls that the policy of a scan allows."""
    scan = account.json("discover", "lived-in", "--regions", "eu-central-1", "--unmanaged")
    others = {(one["type"], *one["key"].values()) for one in scan["unmanaged"]["resources"]}
    assert {("aws_iam_user", "ana"), ("aws_iam_user", "robot")} <= others
    # What was imported and what was created is managed, by whatever its type is found in a state.
    components = ("aws_iam_account_password_policy", "aws_iam_group", "aws_config_configuration_recorder")
    assert [one for one in others if one[0] in components] == []
    assert scan["unmanaged"]["managed"] > 20
    assert [u for u in scan["snapshot"]["unreadable"] if u["type"] not in ("", "managed_by")] == []
    policy = PolicyDocument.parse(account.run("discover", "--print-policy").stdout)
    policies = Policies(identity=(policy,))

    def allowed(action: str) -> bool:
        return evaluate(Request("arn:aws:iam::123456789012:user/audit", action), policies).decision is Decision.ALLOW

    made = {call["action"] for calls in scan["snapshot"]["reads"] for call in calls}
    assert len(made) >= 25
    assert [action for action in made if not allowed(action)] == []
    assert not allowed("iam:CreateUser")


def test_the_story(account: Any):
    group = collide(account)

    # Left are the three that people decide.
    done = account.run("plan", "lived-in", "--json", exits=4)
    found = blocking(done)
    assert {f["rule"] for f in found.values()} == {"weakens", "locks-out-users"}
    assert set(found) >= {LENGTH, FREQUENCY}
    assert len(found) == 3
    assert found[LENGTH]["evidence"] == "24 → 14"
    assert found[FREQUENCY]["evidence"] == '"CONTINUOUS" → "DAILY"'
    (lockout,) = [f for f in found.values() if f["rule"] == "locks-out-users"]
    assert "2 users without an MFA device: ana, robot" in lockout["summary"]
    assert not list(account.root.rglob("*.tfbundle")), "a refused plan must leave nothing that could be applied"

    # The same on paper: each finding with its consent.
    text = account.run("plan", "lived-in", exits=4).stdout
    for consent in (f"--allow-weaker='{LENGTH}'", f"--allow-weaker='{FREQUENCY}'", "--acknowledge-lockout"):
        assert consent in text
    assert "refused for 3 findings" in account.run("apply", "lived-in", "--auto-approve", exits=4).stderr
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 24

    # Two of three consents are not enough.
    account.run("plan", "lived-in", "--allow-weaker", LENGTH, "--acknowledge-lockout", exits=4)

    # With all of them the plan is saved, and what was consented to travels with it.
    bundle = account.root / "approved.tfbundle"
    consents = ["--allow-weaker", LENGTH, "--allow-weaker", FREQUENCY, "--acknowledge-lockout"]
    account.run("plan", "lived-in", "--out", str(bundle), *consents)
    shown = json.loads(account.run("show", str(bundle), "--json").stdout)
    assert not shown["refused"]
    assert {f["consented_by"] for f in shown["findings"] if f["consented_by"]} == {
        f"--allow-weaker {LENGTH}",
        f"--allow-weaker {FREQUENCY}",
        "--acknowledge-lockout",
    }
    account.run("apply", "lived-in", "--plan", str(bundle))
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 14
    after = json.loads(account.run("plan", "lived-in", "--json", "--detailed-exitcode").stdout)
    # The line under `imports` has done its work.
    (done_with,) = after["findings"]
    assert (done_with["subject"], done_with["severity"]) == (group, "note")
    assert "delete this line" in done_with["remedy"]
    assert done_with["remedy"].endswith(f": '{group}': 'developers'")
    assert not after["changes_pending"]
    discovered(account)

    # From now on it is in the state, and a weakening shows as the change that it is.
    weaker = ENVIRONMENT.replace("password_policy: {}", "password_policy: {minimum_password_length: 8}")
    account.write("lived-in", weaker + IMPORTS)
    found = blocking(account.run("plan", "lived-in", "--json", exits=4))
    assert found[LENGTH]["evidence"] == "14 → 8"
    # A waiver in the environment file consents to it, with a reason and an end.
    # Config's rule on the policy follows it, and so is a finding of its own.
    waiver = "waivers:\n" + "".join(
        f"  - {{rule: weakens, subject: '{subject}', reason: moving to passkeys, expires: '{SOON}'}}\n"
        for subject in (LENGTH, CHECKED)
    )
    account.write("lived-in", weaker + waiver)
    findings = json.loads(account.run("plan", "lived-in", "--json").stdout)["findings"]
    assert {f["subject"] for f in findings} == {LENGTH, CHECKED}
    assert {f["consented_by"] for f in findings} == {f"waiver until {SOON}: moving to passkeys"}
    account.write("lived-in", weaker + IMPORTS + waiver.replace(SOON, "2020-12-31"))
    assert LENGTH in blocking(account.run("plan", "lived-in", "--json", exits=4))


def test_users_who_came_after_the_approval_stop_the_apply(account: Any):
    """Approved is a plan that locks nobody out; by the time it is applied, it would."""
    environment = ENVIRONMENT.replace(
        "iam_groups: {}", "iam_groups:\n    groups:\n      operators: {managed_policies: [ReadOnlyAccess]}"
    )
    account.write("lived-in", environment + IMPORTS)
    iam = account.client("iam")
    bundle = account.root / "later.tfbundle"
    account.run("plan", "lived-in", "--out", str(bundle))
    iam.create_group(GroupName="operators")  # somebody else was faster
    refused = account.run("apply", "lived-in", "--plan", str(bundle), exits=4)
    assert "already has the group 'operators'" in refused.stderr
    iam.delete_group(GroupName="operators")


INHERITED = """\
account_id: "123456789012"
regions: {{home: us-east-1}}
simulator: moto
components:
  config:
    create_service_linked_role: false
    bucket: {{name: example-config-logs, expiration_days: 365{key}}}
  guardduty:
    protection: {{s3_data_events: {s3}}}
imports:
  module.config_delivery.module.bucket.aws_s3_bucket.this: example-config-logs
  module.guardduty_us_east_1.aws_guardduty_detector.this: {detector}
"""
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BESIDE = "module.config_delivery.module.bucket.aws_s3_bucket"


def test_what_stands_beside_what_is_taken_over(account: Any):
    """A bucket or detector is imported without its settings: Terraform calls them creates, and overwrites them."""
    detector = account.client("guardduty", "us-east-1").create_detector(
        Enable=True, Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}]
    )["DetectorId"]
    s3 = account.client("s3", "us-east-1")
    s3.create_bucket(Bucket="example-config-logs")
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    s3.put_bucket_encryption(
        Bucket="example-config-logs",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]},
    )
    deny = {"Sid": "KeepLogs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    s3.put_bucket_policy(Bucket="example-config-logs", Policy=policy)
    everything = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3650}}
    brief = {"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(
        Bucket="example-config-logs", LifecycleConfiguration={"Rules": [brief, everything]}
    )

    account.write("inherited", INHERITED.format(key="", s3="DISABLED", detector=detector))
    found = blocking(account.run("plan", "inherited", "--json", exits=4))
    assert {f["rule"] for f in found.values()} == {"weakens"}
    encrypted = f"{BESIDE}_server_side_encryption_configuration.this.rule[0].apply_server_side_encryption_by_default[0]"
    kept = f"{BESIDE}_lifecycle_configuration.this.rule[0].expiration[0].days"
    feature = 'module.guardduty_us_east_1.aws_guardduty_detector_feature.s3_data_events["S3_DATA_EVENTS"].status'
    assert {subject: f["evidence"] for subject, f in found.items() if not subject.endswith(".policy")} == {
        f"{encrypted}.sse_algorithm": '"aws:kms" → "AES256"',
        f"{encrypted}.kms_master_key_id": f'"{KEY}" → ""',
        kept: "3650 → 365",
        feature: '"ENABLED" → "DISABLED"',
    }
    assert "denies less: KeepLogs" in found[f"{BESIDE}_policy.this.policy"]["evidence"]

    # With what is there in the environment file, too, only what the environment cannot say is left to decide. Imported
    # with its bucket, the lifecycle's rules stand in an order of their own; that the bucket never had versions, which
    # are expired now, they do not say.
    noncurrent = f"{BESIDE}_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days"
    inherited = INHERITED.format(key=f", kms_key_arn: '{KEY}'", s3="ENABLED", detector=detector)
    account.write("inherited", f"{inherited}  {BESIDE}_lifecycle_configuration.this: example-config-logs\n")
    found = blocking(account.run("plan", "inherited", "--json", exits=4))
    assert set(found) == {kept, noncurrent, f"{BESIDE}_policy.this.policy"}
    assert found[kept]["evidence"] == "3650 → 365"
    account.run("plan", "inherited", *(f"--allow-weaker={subject}" for subject in found))


HISTORY = """\
# The account of Acme.
account_id: "123456789012"   # with a history

regions:
  home: eu-central-1
  active:
  - eu-central-1
  - us-east-1
simulator: moto

# What is switched on.
components:
  password_policy: {}   # as CIS wants it
  iam_groups: {}
  mfa_enforcement:
  # their own MFA policy has a name, too
  account_defaults:
    account_alias: acme   # to be agreed on
  cloudtrail: {}
  config:
    recording_frequency: DAILY   # cheaper
  guardduty: {}
# the end
"""


def has_a_history(account: Any) -> None:
    """Configured by others in two regions; the names are partly the baseline's."""
    iam, s3, trail = account.client("iam"), account.client("s3"), account.client("cloudtrail")
    required = ("UppercaseCharacters", "LowercaseCharacters", "Numbers", "Symbols")
    iam.update_account_password_policy(
        MinimumPasswordLength=24,
        MaxPasswordAge=60,
        PasswordReusePrevention=24,
        AllowUsersToChangePassword=True,
        **{f"Require{what}": True for what in required},
    )
    iam.create_account_alias(AccountAlias="acme-prod")
    iam.create_group(GroupName="developers")
    iam.create_user(UserName="ana")
    iam.add_user_to_group(GroupName="developers", UserName="ana")
    nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}}
    iam.create_policy(PolicyName="mfa-enforcement", PolicyDocument=json.dumps(nothing), Description="theirs")
    for bucket in ("acme-trail", "acme-config"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    trail.create_trail(Name="baseline", S3BucketName="acme-trail", IsMultiRegionTrail=True)
    trail.start_logging(Name="baseline")
    for region in ("eu-central-1", "us-east-1"):
        config = account.client("config", region)
        everything = {"allSupported": True, "includeGlobalResourceTypes": region == "eu-central-1"}
        role = "arn:aws:iam::123456789012:role/own-recorder"
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "acme", "roleARN": role, "recordingGroup": everything}
        )
        config.put_delivery_channel(DeliveryChannel={"name": "acme", "s3BucketName": "acme-config"})
        config.start_configuration_recorder(ConfigurationRecorderName="acme")
        account.client("guardduty", region).create_detector(
            Enable=True,
            FindingPublishingFrequency="FIFTEEN_MINUTES",
            Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}],
        )
        account.client("ec2", region).enable_ebs_encryption_by_default()


def fails_half_way(account: Any, bundle: Path) -> None:
    """An apply that failed after a part of it: adopted again, only what is not in the state is imported."""
    file, s3 = account.file("acme"), account.client("s3")
    wanted = set(yaml.safe_load(file.read_text())["imports"])
    # Empty, it can be deleted after the approval.
    s3.delete_bucket(Bucket="acme-trail")
    failed = account.run("apply", "acme", "--plan", str(bundle), exits=1)
    assert "NoSuchBucket" in failed.stderr
    s3.create_bucket(Bucket="acme-trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    account.run("adopt", "acme", "--yes")
    managed = state(account)
    left = set(yaml.safe_load(file.read_text()).get("imports", {}))
    assert managed
    assert left == wanted - managed
    account.run("apply", "acme", "--auto-approve")


def state(account: Any) -> set[str]:
    """Addresses of what the state has."""
    return set(account.run("terraform", "acme", "--", "state", "list").stdout.splitlines())


def release(account: Any) -> None:
    """All that was adopted is released: the account is as it was, and the state has nothing."""
    before = account.json("discover", "acme", "--regions", "active")["snapshot"]
    consents = account.json("release", "acme", "--yes")["consents"]
    # Groups of administrators are among it.
    assert consents == ["--allow-release '*'", "--acknowledge-lockout"]
    found = blocking(account.run("plan", "acme", "--json", exits=4))
    assert {f["rule"] for f in found.values()} == {"releases-protected", "locks-out-users"}
    # What it printed is all that is needed.
    account.run("apply", "acme", "--auto-approve", *shlex.split(" ".join(consents)))
    plan = account.json("plan", "acme", "--detailed-exitcode")
    assert not plan["changes_pending"]
    assert {f["rule"] for f in plan["findings"]} == {"advice"}
    assert state(account) == set()
    after = account.json("discover", "acme", "--regions", "active")["snapshot"]
    assert len(after["resources"]) > 40
    assert (after["digest"], after["unreadable"]) == (before["digest"], before["unreadable"])
    account.run("release", "acme", "--done")
    assert "released" not in account.file("acme").read_text()


def test_adopt_takes_over_an_account_with_a_history(new_project: Callable[..., Any]):
    account = new_project()
    account.write("acme", HISTORY)
    account.run("sandbox", "up")
    has_a_history(account)
    file = account.file("acme")

    # Without it: refused, with the very command.
    found = blocking(account.run("plan", "acme", "--json", exits=4))
    collisions = [f["remedy"] for f in found.values() if f["rule"] == "collides"]
    assert len(collisions) > 5
    assert all("run `toolkit adopt acme`" in remedy for remedy in collisions)

    shown = account.run("adopt", "acme", "--yes")
    adopted = file.read_text()
    # Beside the edited keys, nothing has changed: without what was added, it is the old file.
    added = re.compile(r"\+( +# Adopted: .*| *[\w.'\[\]\"/-]+:(  ?.*)?|)")
    changes = [line for line in shown.stdout.splitlines() if re.match(r"[+-](?![+-]{2})", line)]
    assert [line for line in changes if line.startswith("-")] == [
        "-  password_policy: {}   # as CIS wants it",
        "-    account_alias: acme   # to be agreed on",
        "-  cloudtrail: {}",
        "-    recording_frequency: DAILY   # cheaper",
        "-  guardduty: {}",
    ]
    assert [line for line in changes if line.startswith("+") and not added.fullmatch(line)] == []
    assert "# the end\n" in adopted
    assert "    # Adopted: 24 as a password policy has it, not 14\n    minimum_password_length: 24\n" in adopted
    for line in (
        "max_password_age: 60",
        "account_alias: acme-prod   # to be agreed on",
        "policy_name: mfa-enforcement-baseline",
        "recorder_name: acme",
        "delivery_channel_name: acme",
        "recording_frequency: CONTINUOUS   # cheaper",
        "name: acme-trail",
        "name: acme-config",
        "s3_data_events: ENABLED",
    ):
        assert line in adopted

    account.run("adopt", "acme", "--undo")
    assert file.read_text() == HISTORY
    assert "nothing to undo" in account.run("adopt", "acme", "--undo", exits=1).stderr
    account.write("acme", adopted)

    # Only imports, creates, and changes to the stronger side: no finding blocks it, no consent is given.
    bundle = account.root / "acme.tfbundle"
    plan = json.loads(account.run("plan", "acme", "--json", "--out", str(bundle)).stdout)
    assert (plan["summary"]["import"], plan["summary"]["destroy"], plan["summary"]["replace"]) == (14, 0, 0)
    assert not [f for f in plan["findings"] if f["consented_by"]]
    fails_half_way(account, bundle)
    policy = account.client("iam").get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["MaxPasswordAge"]) == (24, 60)
    assert account.client("iam").list_account_aliases()["AccountAliases"] == ["acme-prod"]
    assert account.client("iam").get_policy(PolicyArn="arn:aws:iam::123456789012:policy/mfa-enforcement")
    for region in ("eu-central-1", "us-east-1"):
        (channel,) = account.client("config", region).describe_delivery_channels()["DeliveryChannels"]
        assert (channel["name"], channel["s3BucketName"]) == ("acme", "acme-config")
        assert len(account.client("guardduty", region).list_detectors()["DetectorIds"]) == 1
    assert not json.loads(account.run("plan", "acme", "--json", "--detailed-exitcode").stdout)["changes_pending"]

    # What is imported needs no line any more.
    account.run("adopt", "acme", "--yes")
    assert "imports" not in file.read_text()
    # Of that file, the last plan of the story after this is empty, and without findings.
    release(account)
