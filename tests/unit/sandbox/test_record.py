"""The embedded AWS writes down the requests that it gets, if it is told to (`scripts/record_actions.py`)."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import boto3

from toolkit.sandbox import control


def test_every_request_is_written_down_as_it_came(tmp_path: Path):
    file = tmp_path / "requests.jsonl"
    sandbox = control.up(tmp_path / "state", owner=os.getpid(), record=file)
    try:
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        iam = boto3.client("iam", "eu-central-1", endpoint_url=sandbox.endpoint, **keys)  # type: ignore[call-overload]
        iam.create_group(GroupName="operators")
        assert [group["GroupName"] for group in iam.list_groups()["Groups"]] == ["operators"]
    finally:
        control.down(tmp_path / "state")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    bodies = [base64.b64decode(line["body"]).decode() for line in lines]
    assert [body.partition("&")[0] for body in bodies] == ["Action=CreateGroup", "Action=ListGroups"]
    assert "GroupName=operators" in bodies[0]
    assert all("/iam/aws4_request" in line["headers"]["AUTHORIZATION"] for line in lines)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
