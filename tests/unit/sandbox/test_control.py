from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.errors import ToolkitError, UsageError
from toolkit.sandbox import control, server

SANDBOX = control.Sandbox("http://127.0.0.1:4566", 1, 4566, "123456789012", "2026-01-01T00:00:00+00:00")


def test_importing_control_does_not_import_moto() -> None:
    code = "import sys, toolkit.sandbox.control; print(any(m.split('.')[0] in ('moto', 'boto3') for m in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_server_and_control_agree_on_the_health_path() -> None:
    assert control._HEALTH_PATH == server.HEALTH_PATH


def test_a_child_cannot_leave_the_sandbox_by_a_variable_of_its_parent() -> None:
    base = {
        "PATH": "/bin",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "t",
        "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/f",
        "AWS_CA_BUNDLE": "/ca.pem",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "*",
        "ALL_PROXY": "http://proxy",
        "HTTPS_PROXY": "http://proxy",
    }
    found = control.child_environ(SANDBOX, base, "eu-central-1")

    assert found == {
        "PATH": "/bin",
        "AWS_CA_BUNDLE": "/ca.pem",
        "HTTPS_PROXY": "http://proxy",  # the Terraform registry may be behind it; the sandbox speaks plain HTTP
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "HTTP_PROXY": "http://127.0.0.1:4566",
        "http_proxy": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.mark.parametrize("account_id", ["12345", "12345678901a", "1234567890123", "", "\uff11" * 12])
def test_an_account_id_is_twelve_digits(tmp_path: Path, account_id: str) -> None:
    with pytest.raises(UsageError, match="is not an AWS account id"):
        control.up(tmp_path, account_id=account_id)


def test_missing_moto_is_named_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ToolkitError) as caught:
        control.up(tmp_path)
    assert caught.value.hint == "install it: pip install '.[sandbox]' in the toolkit's clone"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", json.dumps({"pid": os.getpid(), "port": 1, "account_id": "123456789012", "started": "x"})],
    ids=["empty", "half", "no object", "of a living process"],
)
def test_a_ready_file_without_a_lock_is_stale_and_kills_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "ready.json").write_text(text)
    (tmp_path / "sandbox.lock").touch()

    assert control.status(tmp_path) is None
    assert control.down(tmp_path) is False
    assert not (tmp_path / "ready.json").exists()


def test_a_folder_that_was_never_used_holds_no_sandbox(tmp_path: Path) -> None:
    assert control.status(tmp_path / "nothing") is None
    assert control.down(tmp_path / "nothing") is False
