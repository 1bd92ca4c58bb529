"""The state: its bucket, moving it there, its lock, and what moved on without us.

Over the real CLI, Terraform, provider and the embedded AWS, with the smallest environment that shows it. The tests
stand on each other in the order of the file, as the life of one environment does.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import sandbox_endpoint

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

REPOSITORY = Path(__file__).parents[2]
BUCKET, KEY = "tiny-state", "tiny/baseline.tfstate"
LOCAL = "backend: {type: local}\n"
S3 = f"backend: {{type: s3, bucket: {BUCKET}, region: eu-central-1}}\n"
ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {minimum_password_length: 15}
  iam_groups: {}
"""
WITHOUT_GROUPS = ENVIRONMENT.replace("  iam_groups: {}\n", "")
POLICY = "module.password_policy.aws_iam_account_password_policy.this"


class Checkout:
    """A checkout of the project, and the CLI to work in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "environments" / "tiny"
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
        self.environ = {**environ, "NO_COLOR": "1", "TOOLKIT_SANDBOX_OWNER": str(os.getpid())}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "toolkit", "-C", str(self.root), *arguments]

    def run(self, *arguments: str, exits: int = 0, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the CLI; with an `answer` its stdin is a terminal where somebody types that."""
        master, slave = pty.openpty()
        if answer is not None:
            os.write(master, f"{answer}\n".encode())
        try:
            done = subprocess.run(
                self.command(*arguments),
                env=self.environ,
                stdin=slave if answer is not None else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
        finally:
            os.close(master)
            os.close(slave)
        assert done.returncode == exits, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, exits: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", exits=exits).stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, text: str) -> None:
        (self.folder / "environment.yaml").write_text(text)

    def client(self, service: str, region: str = "eu-central-1") -> Any:
        endpoint = sandbox_endpoint(self.root)
        return boto3.client(  # type: ignore[call-overload]
            service,
            region,
            endpoint_url=endpoint,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
            config=Config(proxies={"http": endpoint}),
        )

    def state(self) -> dict[str, Any]:
        body = self.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def password_length(self) -> int:
        policy = self.client("iam").get_account_password_policy()["PasswordPolicy"]
        return int(policy["MinimumPasswordLength"])


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    checkout = Checkout(tmp_path_factory.mktemp("here"))
    shutil.copytree(
        REPOSITORY / "modules", checkout.root / "modules", ignore=shutil.ignore_patterns(".terraform*", "tests")
    )
    checkout.folder.mkdir(parents=True)
    checkout.write(ENVIRONMENT + LOCAL)
    checkout.run("sandbox", "up")
    yield checkout
    checkout.run("sandbox", "down")


@pytest.fixture(scope="module")
def there(here: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Somebody else's checkout, of the same project and the same account."""
    other = Checkout(tmp_path_factory.mktemp("there"))
    shutil.copytree(here.root / "modules", other.root / "modules")
    shutil.copytree(here.root / "environments", other.root / "environments", ignore=shutil.ignore_patterns(".toolkit"))
    # The same embedded AWS: its lock and ready file are recognised by what they are, not by their folder.
    shutil.copytree(here.root / ".toolkit", other.root / ".toolkit", copy_function=os.link)
    return other


def until(condition: Callable[[], bool], seconds: float = 120, every: float = 0.01) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)


def absent(call: Callable[..., Any], code: str) -> bool:
    try:
        call(Bucket=BUCKET)
    except ClientError as e:
        return str(e.response["Error"]["Code"]) == code
    return False


def test_a_local_state_has_no_bucket_to_make(here: Checkout):
    here.run("apply", "tiny", "--auto-approve")
    assert "keeps its state in a local file" in here.run("bootstrap", "tiny", exits=64).stderr


def test_a_local_lock_ends_with_its_holder_and_only_its_description_stays(here: Checkout):
    info = here.folder / ".terraform.tfstate.lock.info"
    info.write_text(json.dumps({"ID": "1", "Operation": "OperationTypeApply", "Who": "ann@host"}))
    with (here.folder / "terraform.tfstate").open("r+b") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        alive = here.run("unlock", "tiny", "--force", exits=6).stderr
    assert "a running Terraform holds the local state by ann@host since an unknown time (apply)" in alive
    assert here.run("unlock", "tiny").stdout == "The state of tiny is not locked.\n"
    assert not info.exists()


def test_a_plan_does_not_overlook_the_local_state_once_the_backend_is_s3(here: Checkout):
    here.write(ENVIRONMENT + S3)
    refused = here.run("plan", "tiny", exits=4).stderr
    resources = json.loads((here.folder / "terraform.tfstate").read_bytes())["resources"]
    count = sum(len(r["instances"]) for r in resources)
    assert f"here is a local state with {count} resources, which a plan would not see" in refused
    assert "`toolkit bootstrap tiny`" in refused


def test_bootstrap_makes_the_bucket_and_asks_before_it_moves_the_state(here: Checkout):
    s3 = here.client("s3")
    s3.delete_bucket(Bucket=BUCKET)  # the plan before made it bare, as in the embedded AWS nobody else could have
    local = (here.folder / "terraform.tfstate").read_bytes()

    asked = here.run("bootstrap", "tiny", exits=64).stderr
    assert "Move the local state" in asked
    assert "`toolkit bootstrap tiny --auto-approve`" in asked
    assert f"Done before that: created the bucket {BUCKET} in eu-central-1; set its public access block;" in asked
    assert "not approved" in here.run("bootstrap", "tiny", answer="no", exits=4).stderr
    assert (here.folder / "terraform.tfstate").read_bytes() == local

    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (rule,) = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert not {"Days", "Date"} & set(rule.get("Expiration", {})), "the current state must never expire"

    done = here.run("bootstrap", "tiny", answer="yes")
    assert "Copied the local state" in done.stdout
    assert here.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == local, "lineage and serial included"
    assert not (here.folder / "terraform.tfstate").exists()
    (kept,) = here.folder.glob("terraform.tfstate.migrated-*")
    assert kept.read_bytes() == local
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_bootstrap_changes_nothing(here: Checkout):
    s3 = here.client("s3")
    before = [v["VersionId"] for v in s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"]]
    done = here.json("bootstrap", "tiny")
    assert (done["changed"], done["created"], done["set"], done["moved"]) == (False, False, [], None)
    assert "Nothing to do" in here.run("bootstrap", "tiny").stdout
    assert before == [v["VersionId"] for v in s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"]]


def test_an_existing_bucket_is_checked_and_only_what_it_lacks_is_set(here: Checkout):
    s3 = here.client("s3")
    theirs = {
        "Sid": "Theirs",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:DeleteBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})

    asked = here.run("bootstrap", "tiny", exits=64).stderr
    assert "versioning: Suspended → every version of the state is kept" in asked
    assert "TLS-only policy: 1 statements, none of which denies plain HTTP" in asked
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Suspended"
    assert here.json("bootstrap", "tiny", "--auto-approve")["set"] == ["versioning", "TLS-only policy"]
    statements = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [s["Sid"] for s in statements] == ["Theirs", "DenyWithoutTls"]


def test_drift_is_told_apart_from_what_is_pending(here: Checkout):
    here.write(ENVIRONMENT + S3)
    # Everything is found again in the bucket. What Terraform never made is no drift: it is listed on request, from
    # every enabled region; the exit code stays 0.
    here.client("iam").create_user(UserName="stray")
    here.client("sns", "ap-south-1").create_topic(Name="leftover")
    clean = here.json("drift", "tiny", "--unmanaged")
    assert (clean["drift"], clean["changes"], clean["pending"]["changes_pending"]) == (False, [], False)
    found = {(one["type"], *one["key"].values()): one["region"] for one in clean["unmanaged"]["resources"]}
    assert found["aws_iam_user", "stray"] == "eu-central-1"
    assert found["aws_sns_topic", "leftover"] == "ap-south-1"
    # What was applied is managed.
    applied = ("aws_iam_account_password_policy", "aws_iam_group", "aws_iam_group_policy_attachment")
    assert [one for one in found if one[0] in applied] == []
    here.client("iam").delete_user(UserName="stray")
    here.client("sns", "ap-south-1").delete_topic(TopicArn="arn:aws:sns:ap-south-1:123456789012:leftover")

    here.client("iam").update_account_password_policy(
        MinimumPasswordLength=8,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        AllowUsersToChangePassword=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=24,
    )
    here.client("iam").detach_group_policy(GroupName="auditors", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    groups = "iam_groups: {groups: {readers: {managed_policies: [ReadOnlyAccess]}}}"
    here.write(ENVIRONMENT.replace("iam_groups: {}", groups) + S3)
    serial = here.state()["serial"]
    found = here.json("drift", "tiny", exits=2)
    by_address = {c["address"]: c for c in found["changes"]}
    attachment = 'module.iam_groups.aws_iam_group_policy_attachment.managed["auditors/SecurityAudit"]'
    assert set(by_address) == {POLICY, attachment}
    assert by_address[attachment]["gone"]
    assert {"path": "minimum_password_length", "applied": 15, "now": 8} in by_address[POLICY]["attributes"]
    assert {"attribute": "minimum_password_length", "rule": "weakens", "evidence": "15 → 8"} in by_address[POLICY][
        "weaker"
    ]
    # Only the new group, its attachments; not what would put the drift back.
    assert found["pending"]["add"] == 3
    assert found["pending"]["change"] == found["pending"]["destroy"] == 0
    assert here.state()["serial"] == serial, "looking must not write the state"


def test_drift_without_a_state_is_no_success(here: Checkout):
    here.write(ENVIRONMENT + f"backend: {{type: s3, bucket: {BUCKET}, region: eu-central-1, key: elsewhere}}\n")
    shutil.rmtree(here.folder / ".toolkit" / "terraform")
    assert "no state to compare the account with" in here.run("drift", "tiny", exits=1).stderr
    shutil.rmtree(here.folder / ".toolkit" / "terraform")


def lock(checkout: Checkout, s3: Any) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{KEY}.tflock")["Body"].read())
    except ClientError:
        return None
    return found


def terraform_of(checkout: Checkout) -> dict[str, Any]:
    """What the toolkit has noted of the Terraform that runs for it; nothing between two commands."""
    try:
        record: dict[str, Any] = json.loads((checkout.folder / ".toolkit" / "run.json").read_text())
    except FileNotFoundError:
        return {}
    return record


def until_it_applies(checkout: Checkout, s3: Any) -> dict[str, Any]:
    """Wait until Terraform holds the lock of an apply; returns what is noted of it."""
    until(lambda: terraform_of(checkout).get("operation") == "apply")
    until(lambda: (lock(checkout, s3) or {}).get("Operation") == "OperationTypeApply", every=0.05)
    return terraform_of(checkout)


def test_the_lock_of_a_killed_apply_is_released_where_its_death_is_known(here: Checkout, there: Checkout):
    s3 = here.client("s3")
    # Removing many things takes long enough to be killed in the middle, and what is gone is simply gone.
    here.write(WITHOUT_GROUPS.replace("15", "17") + S3)
    bundle = here.root / "kill.tfbundle"
    here.run("plan", "tiny", "--out", str(bundle), "--allow-destroy", "*")
    assert here.run("unlock", "tiny").stdout == "The state of tiny is not locked.\n"
    doomed = here.start("apply", "tiny", "--plan", str(bundle))
    run = until_it_applies(here, s3)
    until(lambda: "apply_start" in Path(run["stdout"]).read_text(), every=0.002)
    doomed.send_signal(signal.SIGKILL)
    os.killpg(run["terraform_pid"], signal.SIGKILL)
    doomed.communicate(timeout=120)
    held = lock(here, s3)
    assert held is not None, "it had ended before it was killed"

    error = here.run("plan", "tiny", "--lock-timeout", "0s", "--allow-destroy", "*", exits=6).stderr
    assert f"toolkit unlock tiny {held['ID']}" in error
    # Elsewhere nobody can know, and people are asked.
    there.write(ENVIRONMENT.replace("15", "17") + S3)
    there.run("render", "tiny")
    assert "--force` releases it without a prompt" in there.run("unlock", "tiny", held["ID"], exits=64).stderr
    assert "not approved" in there.run("unlock", "tiny", answer="no", exits=4).stderr
    assert held["ID"] in here.run("unlock", "tiny", "11111111-2222-3333-4444-555555555555", exits=4).stderr
    assert lock(here, s3) == held
    # Here it is known, even though a run in between has told it already.
    done = here.json("unlock", "tiny", held["ID"])
    assert done["released"]
    assert done["lock"]["who"] == held["Who"]
    assert f"(process {run['terraform_pid']}), which was killed" in done["provably_dead"]
    assert lock(here, s3) is None


def test_of_two_applies_at_once_one_wins_and_the_other_is_locked_out_then_stale(here: Checkout, there: Checkout):
    s3 = here.client("s3")
    # What the killed apply has left, and another value.
    for checkout in (here, there):
        checkout.write(WITHOUT_GROUPS.replace("15", "18") + S3)
    there.run("render", "tiny")
    bundle = str(here.root / "race.tfbundle")
    here.run("plan", "tiny", "--out", bundle, "--allow-destroy", "*")
    planned = here.state()["serial"]

    winner = here.start("apply", "tiny", "--plan", bundle)
    terraform = until_it_applies(here, s3)["terraform_pid"]
    os.kill(terraform, signal.SIGSTOP)  # so that both surely are at work at once
    try:
        held = lock(here, s3)
        assert held is not None
        loser = there.run("apply", "tiny", "--plan", bundle, "--lock-timeout", "0s", exits=6)
    finally:
        os.kill(terraform, signal.SIGCONT)
    assert f"by {held['Who']} (apply)" in loser.stderr
    assert "the state is locked since 20" in loser.stderr
    assert f"toolkit unlock tiny {held['ID']}" in loser.stderr
    output, errors = winner.communicate(timeout=120)
    assert winner.returncode == 0, output + errors
    # What drifted is put back, and what was removed is gone, though an apply of it was killed.
    assert here.password_length() == 18
    assert here.client("iam").list_groups()["Groups"] == []
    assert "iam_groups" not in json.dumps(here.state())
    now = here.state()["serial"]
    assert now > planned
    # A plan is applied once, and only to the state that it was made on, wherever it is applied from.
    moved_on = f"the state has moved on since this was planned: state_serial was {planned}, is {now} now"
    assert moved_on in there.run("apply", "tiny", "--plan", bundle, exits=7).stderr
    applied_twice = here.run("apply", "tiny", "--plan", bundle, exits=7).stderr
    assert moved_on in applied_twice
    assert "this plan has been applied already" in applied_twice
    assert (here.state()["serial"], here.password_length()) == (now, 18)


def test_a_lock_of_another_host_is_released_after_a_yes(here: Checkout):
    info = {
        "ID": "0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0",
        "Operation": "OperationTypePlan",
        "Who": "ci@runner-7",
        "Version": "1.11.4",
        "Created": "2025-01-02T03:04:05.678901234Z",
        "Path": f"{BUCKET}/{KEY}",
    }
    s3 = here.client("s3")
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(info))
    done = here.run("unlock", "tiny", answer="yes")
    assert "held by    ci@runner-7" in done.stderr
    assert "since      2025-01-02 03:04:05 UTC" in done.stderr
    assert "operation  plan" in done.stderr
    assert lock(here, s3) is None
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(info))
    here.run("unlock", "tiny", "--force")
    assert lock(here, s3) is None
