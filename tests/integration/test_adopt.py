"""`adopt` takes over an account with a history, and `release` gives it back.

Over the real CLI, Terraform, provider and the embedded AWS: in the suite, what needs no bucket, in one region. With two
regions and buckets, an apply that fails half way and is resumed, and each step backwards, it is of `make soak`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

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
LOGS = """\
  cloudtrail: {}
  config:
    recording_frequency: DAILY   # cheaper
"""
SHORT = HISTORY.replace("  - us-east-1\n", "").replace(LOGS, "")
"""One region, without buckets."""


def has_people_and_a_detector(account: Any, *regions: str) -> None:
    """Configured by others; the names are partly the baseline's."""
    iam = account.client("iam")
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
    for region in regions:
        account.client("guardduty", region).create_detector(
            Enable=True,
            FindingPublishingFrequency="FIFTEEN_MINUTES",
            Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}],
        )
        account.client("ec2", region).enable_ebs_encryption_by_default()


def records_itself(account: Any) -> None:
    """A trail, and AWS Config in two regions."""
    s3, trail = account.client("s3"), account.client("cloudtrail")
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
    found = account.blocking("acme")
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


def edits(shown: str) -> list[str]:
    """Lines of the diff that are gone; those that came are ours alone: settings, and why they are there."""
    added = re.compile(r"\+( +# Adopted: .*| *[\w.'\[\]\"/-]+:(  ?.*)?|)")
    changes = [line for line in shown.splitlines() if re.match(r"[+-](?![+-]{2})", line)]
    assert [line for line in changes if line.startswith("+") and not added.fullmatch(line)] == []
    return [line for line in changes if line.startswith("-")]


def test_adopt_takes_over_what_was_there_and_release_gives_it_back(new_project: Callable[..., Any]):
    account = new_project()
    account.write("acme", SHORT)
    account.run("sandbox", "up")
    has_people_and_a_detector(account, "eu-central-1")
    file, iam = account.file("acme"), account.client("iam")

    shown = account.run("adopt", "acme", "--yes").stdout
    # Beside the edited keys, nothing has changed: without what was added, it is the old file.
    assert edits(shown) == [
        "-  password_policy: {}   # as CIS wants it",
        "-    account_alias: acme   # to be agreed on",
        "-  guardduty: {}",
    ]
    adopted = file.read_text()
    assert "# the end\n" in adopted
    assert "    # Adopted: 24 as a password policy has it, not 14\n    minimum_password_length: 24\n" in adopted
    for line in (
        "max_password_age: 60",
        "account_alias: acme-prod   # to be agreed on",
        "policy_name: mfa-enforcement-baseline",
        "s3_data_events: ENABLED",
    ):
        assert line in adopted

    # Only imports, creates, and changes to the stronger side: no finding blocks it, no consent is given.
    bundle = str(account.root / "acme.tfbundle")
    plan = account.json("plan", "acme", "--out", bundle)
    assert (plan["summary"]["import"], plan["summary"]["destroy"], plan["summary"]["replace"]) == (5, 0, 0)
    assert not [f for f in plan["findings"] if f["consented_by"]]
    account.run("apply", "acme", "--plan", bundle)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["MaxPasswordAge"]) == (24, 60)
    assert iam.list_account_aliases()["AccountAliases"] == ["acme-prod"]
    assert iam.get_policy(PolicyArn="arn:aws:iam::123456789012:policy/mfa-enforcement")
    assert len(account.client("guardduty").list_detectors()["DetectorIds"]) == 1
    # What is imported needs no line any more, and nothing else is pending.
    done = account.json("plan", "acme", "--detailed-exitcode")
    assert len([f for f in done["findings"] if "delete this line" in f["remedy"]]) == 5

    # All that was adopted is released: the account is as it was, and the state has nothing.
    before = account.json("discover", "acme", "--regions", "active")["snapshot"]
    consents = account.json("release", "acme", "--yes")["consents"]
    assert consents == ["--allow-release '*'", "--acknowledge-lockout"]
    # What it printed is all that is needed.
    account.run("apply", "acme", "--auto-approve", *shlex.split(" ".join(consents)))
    assert state(account) == set()
    after = account.json("discover", "acme", "--regions", "active")["snapshot"]
    assert len(after["resources"]) > 20
    assert (after["digest"], after["unreadable"]) == (before["digest"], before["unreadable"])


@pytest.mark.soak
def test_adopt_takes_over_an_account_with_a_history(new_project: Callable[..., Any]):
    account = new_project()
    account.write("acme", HISTORY)
    account.run("sandbox", "up")
    has_people_and_a_detector(account, "eu-central-1", "us-east-1")
    records_itself(account)
    file = account.file("acme")

    # Without it: refused, with the very command.
    found = account.blocking("acme")
    collisions = [f["remedy"] for f in found.values() if f["rule"] == "collides"]
    assert len(collisions) > 5
    assert all("run `toolkit adopt acme`" in remedy for remedy in collisions)

    shown = account.run("adopt", "acme", "--yes")
    adopted = file.read_text()
    # Beside the edited keys, nothing has changed: without what was added, it is the old file.
    assert edits(shown.stdout) == [
        "-  password_policy: {}   # as CIS wants it",
        "-    account_alias: acme   # to be agreed on",
        "-  cloudtrail: {}",
        "-    recording_frequency: DAILY   # cheaper",
        "-  guardduty: {}",
    ]
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
