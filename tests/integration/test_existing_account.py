"""An account that people live in already: what the baseline would do to it is found, refused, and done with consent.

Over the real CLI, Terraform, provider and the embedded AWS: made with boto3 are a stronger password policy, a recorder
that records more than the environment asks for, a group, and users without MFA in it; in another region a bucket that
is better kept, and a detector that sees more, than the environment asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from toolkit.iam import Decision, Policies, PolicyDocument, Request, evaluate

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {}
  iam_groups: {groups: {operators: {managed_policies: [ReadOnlyAccess]}}}
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


def collide(account: Any) -> tuple[str, str]:
    """What has a name already: refused, with the ways that lead on. Gives the addresses of the group and the policy."""
    # The group is there already: Terraform would create it and fail half-way. No consent helps; taking it over does.
    before = ENVIRONMENT.replace("{policy_name: baseline-mfa}", "{}")
    account.write("lived-in", before)
    found = account.blocking("lived-in")
    group = 'module.iam_groups.aws_iam_group.this["developers"]'
    assert found[group]["rule"] == "collides"
    assert found[group]["consent"] is None
    assert f"put '{group}': 'developers'" in found[group]["remedy"]
    assert "run `toolkit adopt lived-in`" in found[group]["remedy"]
    # A policy that only has the name is not taken over: imported, it would be deleted. Another name avoids it.
    policy = "module.mfa_enforcement.aws_iam_policy.this"
    assert found[policy]["setting"] == "components.mfa_enforcement.policy_name"
    arn = "arn:aws:iam::123456789012:policy/mfa-enforcement"
    assert f"under `imports`, put '{policy}': '{arn}'" in found[policy]["remedy"]
    account.write("lived-in", before + IMPORTS + f"  '{policy}': '{arn}'\n")
    return group, policy


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
    group, policy = collide(account)

    # Left are the three that people decide, and the policy. Two of three consents are not enough.
    consents = [f"--allow-weaker={LENGTH}", f"--allow-weaker={FREQUENCY}", "--acknowledge-lockout"]
    refused = account.run("apply", "lived-in", "--auto-approve", *consents[::2], "--report", "json=-", exits=4)
    assert "refused for 3 findings" in refused.stderr
    assert f"--allow-weaker='{FREQUENCY}'" in refused.stderr
    found = {f["subject"]: f for f in json.loads(refused.stdout)["findings"] if f["severity"] != "note"}
    assert {f["subject"] for f in found.values() if f["blocks"]} == {policy, f"{policy}.policy", FREQUENCY}
    assert "grants more: " in found.pop(f"{policy}.policy")["evidence"]
    assert found[policy]["rule"] == "destroys-protected"
    assert (
        f"delete the line of {policy} under `imports`, and set `components.mfa_enforcement.policy_name`"
        in (found.pop(policy)["remedy"])
    )
    assert {f["rule"] for f in found.values()} == {"weakens", "locks-out-users"}
    assert set(found) >= {LENGTH, FREQUENCY}
    assert len(found) == 3
    assert found[LENGTH]["evidence"] == "24 → 14"
    assert found[FREQUENCY]["evidence"] == '"CONTINUOUS" → "DAILY"'
    (lockout,) = [f for f in found.values() if f["rule"] == "locks-out-users"]
    assert "2 users without an MFA device: ana, robot" in lockout["summary"]
    assert not list(account.root.rglob("*.tfbundle")), "a refused plan must leave nothing that could be applied"
    assert {f["consent"] for f in found.values()} == {
        *(f"--allow-weaker '{subject}'" for subject in (LENGTH, FREQUENCY)),
        "--acknowledge-lockout",
    }
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 24
    account.write("lived-in", ENVIRONMENT + IMPORTS)

    # With all of them the plan is saved, and what was consented to travels with it.
    bundle = account.root / "approved.tfbundle"
    account.run("plan", "lived-in", "--out", str(bundle), *consents)
    shown = json.loads(account.run("show", str(bundle), "--json").stdout)
    assert not shown["refused"]
    assert {f["consented_by"] for f in shown["findings"] if f["consented_by"]} == {
        f"--allow-weaker {LENGTH}",
        f"--allow-weaker {FREQUENCY}",
        "--acknowledge-lockout",
    }
    # Approved is a plan that applies; by the time it is applied, somebody else was faster.
    account.client("iam").create_group(GroupName="operators")
    refused = account.run("apply", "lived-in", "--plan", str(bundle), exits=4)
    assert "already has the group 'operators'" in refused.stderr
    account.client("iam").delete_group(GroupName="operators")
    account.run("apply", "lived-in", "--plan", str(bundle))
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 14
    discovered(account)

    # From now on it is in the state, and a weakening shows as the change that it is.
    weaker = ENVIRONMENT.replace("password_policy: {}", "password_policy: {minimum_password_length: 8}")
    # A waiver in the environment file consents to it, with a reason and an end; one that has ended does not.
    # Config's rule on the policy follows it, and so is a finding of its own.
    waiver = "  - {{rule: weakens, subject: '{}', reason: moving to passkeys, expires: '{}'}}\n"
    waivers = waiver.format(LENGTH, SOON) + waiver.format(CHECKED, "2020-12-31")
    account.write("lived-in", f"{weaker}{IMPORTS}waivers:\n{waivers}")
    planned = account.json("plan", "lived-in", exits=4)
    # Nothing else is pending.
    assert {kind: n for kind, n in planned["summary"].items() if n and kind != "unchanged"} == {"change": 2}
    found = {f["subject"]: f for f in planned["findings"]}
    # The line under `imports` has done its work.
    done_with = found.pop(group)
    assert done_with["severity"] == "note"
    assert "delete this line" in done_with["remedy"]
    assert done_with["remedy"].endswith(f": '{group}': 'developers'")
    assert set(found) == {LENGTH, CHECKED}
    assert (found[LENGTH]["evidence"], found[LENGTH]["blocks"]) == ("14 → 8", False)
    assert found[LENGTH]["consented_by"] == f"waiver until {SOON}: moving to passkeys"
    assert (found[CHECKED]["consented_by"], found[CHECKED]["blocks"]) == (None, True)


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
    found = account.blocking("inherited")
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
    left = {kept, noncurrent, f"{BESIDE}_policy.this.policy"}
    planned = account.json("plan", "inherited", *(f"--allow-weaker={subject}" for subject in sorted(left)))
    found = {f["subject"]: f for f in planned["findings"] if f["consented_by"]}
    assert set(found) == left
    assert found[kept]["evidence"] == "3650 → 365"
