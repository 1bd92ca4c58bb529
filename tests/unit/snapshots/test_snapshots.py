"""A snapshot reads back as it was written; one that is another's, edited, too old or from the future is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit import snapshots
from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.resources.reading import Call, Live, Reason, Unreadable
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import MAX_AGE, Snapshot, read_snapshot, snapshot_data, write_snapshot

REGION = "eu-central-1"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CALLS = (Call("iam:ListUsers", REGION, NOW, "r-1"), Call("iam:GetAccountAuthorizationDetails", REGION, NOW, None))


def live(name: str = "anna", **more: Any) -> Live:
    values = {"name": name, "path": "/", "permissions_boundary": None}
    facts: dict[str, Any] = {
        "key": {"name": name}, "values": values, "called": f"the user {name!r}", "import_id": name,
        "arn": f"arn:aws:iam::123456789012:user/{name}", "type": "aws_iam_user", "region": REGION,
        "account_id": "123456789012", "evidence": CALLS, **more,
    }  # fmt: skip
    return Live(**facts)


DENIED = Unreadable("aws_iam_role", REGION, "iam:ListRoles", Reason.DENIED, "AccessDenied: request 5f1")


def taken(*found: Live | Unreadable, **more: Any) -> Snapshot:
    facts = {
        "account_id": "123456789012", "caller": "arn:aws:iam::123456789012:user/audit", "environment": "prod",
        "simulator": None, "taken": NOW, "home": REGION, "regions": (REGION, "us-east-1"),
        "types": ("aws_iam_user", "aws_iam_role", "aws_sns_topic"), "calls": 2, **more,
    }  # fmt: skip
    return Snapshot.of(found, **facts)


def test_it_reads_back_as_it_was_written_for_its_owner_alone(tmp_path: Path):
    snapshot, file = taken(live(), live("ben"), DENIED), tmp_path / "s.json"
    write_snapshot(snapshot, file)
    assert read_snapshot(file, account_id="123456789012", now=NOW + timedelta(days=400)) == snapshot
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # What rests on the same calls has them once in the file.
    assert len(json.loads(file.read_text())["reads"]) == 1


def test_its_digest_is_of_what_was_found_without_evidence_times_order_and_words_of_errors():
    first = taken(live(), live("ben"), DENIED)
    later = [Call("iam:ListUsers", REGION, NOW + timedelta(days=1), "r-2")]
    again = taken(
        live("ben", evidence=tuple(later)), replace(DENIED, message="AccessDenied: request 77"), live(evidence=()),
        taken=NOW + timedelta(days=1), caller="arn:aws:iam::123456789012:user/other", calls=7,
    )  # fmt: skip
    assert again.digest == first.digest
    for other in (
        taken(live(), DENIED),
        taken(live(), live("ben")),
        taken(live(), live("ben", values={"name": "ben", "path": "/x/"}), DENIED),
        taken(live(), live("ben", managed_by="CloudFormation"), DENIED),
        taken(live(), live("ben"), DENIED, regions=(REGION,)),
        taken(live(), live("ben"), DENIED, account_id="111122223333"),
    ):
        assert other.digest != first.digest


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def apply(file: Path) -> None:
        data = json.loads(file.read_text())
        change(data)
        file.write_text(json.dumps(data))

    return apply


EDITS: dict[str, Callable[[Path], None]] = {
    "a resource is taken out": edit(lambda d: d["resources"].pop()),
    "a value": edit(lambda d: d["resources"][0]["values"].update(path="/x/")),
    "the account": edit(lambda d: d.update(account_id="111122223333")),
    "the date": edit(lambda d: d.update(taken="2026-11-29T13:00:00Z")),
    "what could not be read": edit(lambda d: d.update(unreadable=[])),
    "a name for people": edit(lambda d: d["resources"][0].update(called="nothing")),
    "the digest": edit(lambda d: d.update(digest="sha256:" + "0" * 64)),
    "no seal": edit(lambda d: d.pop("seal")),
    "evidence": edit(lambda d: d["reads"][0][0].update(request_id="x")),
    "a key is lacking": edit(lambda d: d.pop("resources")),
    "evidence that is not there": edit(lambda d: d["resources"][0].update(read=9)),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_an_edited_one_is_refused(change: Callable[[Path], None], tmp_path: Path):
    file = tmp_path / "s.json"
    write_snapshot(taken(live(), DENIED), file)
    change(file)
    with pytest.raises(RefusedError, match="was edited or damaged") as refused:
        read_snapshot(file)
    assert refused.value.where == str(file)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"account_id": "111122223333"}, "is of account 123456789012, not of 111122223333"),
        ({"max_age": timedelta(hours=5), "now": NOW + timedelta(hours=6)}, "was taken 6 hours ago; at most 5 hours"),
        ({"max_age": MAX_AGE, "now": NOW + timedelta(hours=25)}, "was taken 25 hours ago; at most 24 hours are"),
        ({"now": NOW - timedelta(hours=1)}, "is dated 2026-11-29 12:00:00 UTC, which is in the future"),
    ],
)
def test_another_account_s_one_that_is_too_old_or_from_the_future_is_refused(
    options: dict[str, Any], said: str, tmp_path: Path
):
    file = tmp_path / "s.json"
    write_snapshot(taken(live()), file)
    with pytest.raises(RefusedError, match=said) as refused:
        read_snapshot(file, **options)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert refused.value.hint


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kind": "plan", "schema_version": 1}', "\x00", "[" * 100_000])
def test_what_is_no_snapshot_is_an_error(content: str, tmp_path: Path):
    file = tmp_path / "s.json"
    file.write_text(content)
    with pytest.raises(ToolkitError, match="not a snapshot"):
        read_snapshot(file)


def test_a_newer_file_and_one_that_is_not_there_are_errors(tmp_path: Path):
    with pytest.raises(ToolkitError, match="cannot be read"):
        read_snapshot(tmp_path / "none.json")
    file = tmp_path / "s.json"
    file.write_text('{"kind": "snapshot", "schema_version": 2}')
    with pytest.raises(ToolkitError, match="of schema version 2; this toolkit reads 1"):
        read_snapshot(file)


def test_one_that_is_too_large_is_refused_rather_than_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "s.json"
    write_snapshot(taken(live()), file)
    monkeypatch.setattr(snapshots, "_LARGEST", 1 << 20)
    file.write_bytes(file.read_bytes().ljust(1 << 20))
    assert read_snapshot(file, now=NOW) == taken(live())
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(ToolkitError, match="larger than 1 MiB") as error:
        read_snapshot(file, now=NOW)
    assert error.value.where == str(file)


def test_free_text_for_targets_is_kept_as_a_digest_alone():
    secret = '{"token": "AKIAIOSFODNN7EXAMPLE"}'
    target = live(type="aws_cloudwatch_event_target", values={"input": secret, "arn": "a"})
    schedule = live(type="aws_scheduler_schedule", values={"target": [{"arn": "a", "input": secret}]})
    empty = live(type="aws_scheduler_schedule", values={"target": [{"arn": "b", "input": None}]})
    rule = live(type="aws_config_config_rule", values={"input_parameters": {"token": "AKIAIOSFODNN7EXAMPLE"}})
    text = json.dumps(snapshot_data(taken(target, schedule, empty, rule)))
    assert "AKIA" not in text
    assert text.count('"input": "sha256:') == 2
    assert text.count('"input_parameters": "sha256:') == 1
    assert '"input": null' in text


def test_what_may_hold_a_secret_is_an_attribute_of_its_type():
    declared = {name: record for name, record in RESOURCES.items() if record.payloads}
    assert set(declared) == {"aws_cloudwatch_event_target", "aws_config_config_rule", "aws_scheduler_schedule"}
    for record in declared.values():
        assert set(record.payloads) <= {strength.attribute for strength in record.strengths}


def test_what_was_not_read_is_not_absent():
    off = Unreadable("", "us-east-1", "ec2:DescribeRegions", Reason.REGION_OFF, "not enabled")
    snapshot = taken(live(), DENIED, off)
    assert not snapshot.complete
    assert snapshot.was_read("aws_iam_user", REGION)
    assert snapshot.was_read("aws_sns_topic", REGION)
    assert not snapshot.was_read("aws_iam_role", REGION)  # denied
    assert not snapshot.was_read("aws_sns_topic", "us-east-1")  # the region is off
    assert not snapshot.was_read("aws_kms_alias", REGION)  # not among its types
    assert not snapshot.was_read("aws_sns_topic", "eu-west-1")  # not among its regions
    assert taken(regions=("us-east-1",)).was_read("aws_iam_user", REGION)  # global: read in the home region
    assert not taken(regions=("us-east-1",)).was_read("aws_sns_topic", REGION)
