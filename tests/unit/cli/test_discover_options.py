"""`discover` refuses what it would not look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.cli.discover_commands import discover
from toolkit.errors import ExitCode, UsageError

FILES = (Path("a.json"), Path("b.json"))
SCAN: dict[str, Any] = {
    "--aws-profile": {"aws_profile": "audit"},
    "--account-id": {"account_id": "123456789012"},
    "--region": {"region": "eu-central-1"},
    "--regions": {"regions": "active"},
    "--unmanaged": {"unmanaged": True},
    "--max-calls": {"max_calls": 5},
    "--out": {"out": Path("x.json")},
    "--sandbox": {"sandbox": True},
}


@pytest.mark.parametrize(
    ("option", "more", "named"),
    [
        *(("--diff", {"diff": FILES, **more}, name) for name, more in SCAN.items()),
        *(("--print-policy", {"print_policy": True, **more}, name) for name, more in SCAN.items()),
        ("--diff", {"diff": FILES, "envs": ["prod"]}, "ENV"),
        ("--print-policy", {"print_policy": True, "diff": FILES}, "--diff"),
        ("--print-policy", {"print_policy": True, "as_json": True}, "--json"),
        ("--diff", {"diff": FILES, "envs": ["prod"], "unmanaged": True}, "ENV, --unmanaged"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    option: str, more: dict[str, Any], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    (tmp_path / "environments" / "prod" / "environment.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        discover(**more)
    assert str(refused.value) == f"{option} reads no account, so it does not go with {named}"
    assert refused.value.exit_code is ExitCode.USAGE
    assert refused.value.hint
