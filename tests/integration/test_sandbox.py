"""The server process: one per folder, found and stopped whatever state it is in, and good enough for boto3."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from toolkit.errors import ToolkitError, UsageError
from toolkit.sandbox import control

pytestmark = pytest.mark.simulator


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    control.down(tmp_path / "sandbox")


def client(sandbox: control.Sandbox, service: str, account_id: str | None = None) -> Any:
    environ = control.environ(sandbox, account_id=account_id)
    return boto3.client(  # type: ignore[call-overload]
        service,
        "eu-central-1",
        endpoint_url=sandbox.endpoint,
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={"http": sandbox.endpoint}, retries={"max_attempts": 1}),
    )


def test_one_server_per_folder_even_if_two_start_it_at_once(state_dir: Path) -> None:
    code = (
        "from pathlib import Path; from toolkit.sandbox import control; "
        f"print(control.up(Path({str(state_dir)!r})).pid)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pids = {process.communicate(timeout=180)[0].strip() for process in both}
    found = control.up(state_dir)

    assert pids == {str(found.pid)}
    assert control.status(state_dir) == found
    assert stat.S_IMODE((state_dir / "sandbox.log").stat().st_mode) == 0o600
    assert os.getsid(found.pid) == found.pid
    assert control.down(state_dir) is True
    assert control.status(state_dir) is None
    assert control.down(state_dir) is False


def test_the_accounts_are_those_asked_for_and_nothing_of_one_is_in_another(state_dir: Path) -> None:
    sandbox = control.up(state_dir, account_id="111122223333")

    assert client(sandbox, "sts").get_caller_identity()["Account"] == "111122223333"
    assert control.up(state_dir) == control.up(state_dir, account_id="111122223333") == sandbox
    client(sandbox, "iam").create_group(GroupName="first")
    # One that it does not have leads to the first, whose number the account check then compares.
    assert client(sandbox, "sts", "444455556666").get_caller_identity()["Account"] == "111122223333"
    with pytest.raises(ToolkitError, match=f"already running on port {sandbox.port}"):
        control.up(state_dir, port=sandbox.port + 1)

    # Two commands at once may each want another one.
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda id_: control.up(state_dir, account_id=id_), ("444455556666", "555555555555")))
    sandbox = control.up(state_dir, account_id="444455556666")
    assert sandbox.account_ids[0] == "111122223333"
    assert sorted(sandbox.further) == ["444455556666", "555555555555"]
    for account_id in sandbox.account_ids:
        assert client(sandbox, "sts", account_id).get_caller_identity()["Account"] == account_id
    iam = client(sandbox, "iam", "444455556666")
    assert iam.list_groups()["Groups"] == []
    iam.create_group(GroupName="second")
    assert [g["GroupName"] for g in client(sandbox, "iam").list_groups()["Groups"]] == ["first"]
    iam.attach_group_policy(GroupName="second", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert "444455556666" in iam.get_group(GroupName="second")["Group"]["Arn"]
    if Path("/proc/self/cmdline").exists():
        assert dict(control.elsewhere(state_dir / "another"))[state_dir.resolve()] == sandbox
    assert state_dir.resolve() not in dict(control.elsewhere(state_dir))


def test_a_killed_or_hung_server_is_recognised(state_dir: Path) -> None:
    first = control.up(state_dir)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert control.status(state_dir) is None

    second = control.up(state_dir)
    assert second.pid != first.pid
    os.kill(second.pid, signal.SIGSTOP)
    assert control.down(state_dir) is True


def test_a_taken_port_is_an_error_with_a_reason(state_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ToolkitError, match="did not start") as caught:
            control.up(state_dir, port=taken.getsockname()[1])
    assert caught.value.where == str(state_dir / "sandbox.log")
    assert control.status(state_dir) is None


def test_it_ends_with_its_owner_however_that_ends(state_dir: Path) -> None:
    """Of SIGKILL nobody is told; whatever else ends the owner is no less visible."""
    owner = subprocess.Popen(["sleep", "60"])
    sandbox = control.up(state_dir, owner=owner.pid)
    assert control.status(state_dir) == sandbox
    owner.kill()
    os.waitpid(sandbox.pid, 0)  # nobody else has stopped it
    assert control.status(state_dir) is None
    assert not (state_dir / "ready.json").exists()
    owner.wait()
    with pytest.raises(UsageError, match=f"no process {owner.pid}"):
        control.up(state_dir, owner=owner.pid)


def test_reset_empties_the_account_but_not_aws_itself(sandbox: control.Sandbox) -> None:
    client(sandbox, "iam").create_group(GroupName="g")
    # s3control puts the account before the host name: only the proxy setting gets it here.
    client(sandbox, "s3control").put_public_access_block(
        AccountId=sandbox.account_id, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
    )
    control.reset(sandbox)

    assert client(sandbox, "iam").list_groups()["Groups"] == []
    policy = client(sandbox, "iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")["Policy"]
    assert policy["PolicyName"] == "SecurityAudit"
    with pytest.raises(Exception, match="NoSuchPublicAccessBlockConfiguration"):
        client(sandbox, "s3control").get_public_access_block(AccountId=sandbox.account_id)


def test_a_reset_of_a_stopped_sandbox_says_so(state_dir: Path) -> None:
    sandbox = control.up(state_dir)
    control.down(state_dir)

    with pytest.raises(ToolkitError, match="did not answer"):
        control.reset(sandbox)
