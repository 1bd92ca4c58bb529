"""Values that a command writes into environment files: its own are updated, those of people stay."""

from __future__ import annotations

import pytest

from toolkit.environment.source import Data, parse
from toolkit.environment.splice import IMPORTED, SYNCED, Path
from toolkit.fleet.written import Action, Merged, digest, merge, origins

FILE = b"""\
# Of a person
account_id: "123456789012"   # theirs
regions: {home: eu-central-1}

components:
  # why
  cloudtrail:
    log_retention_days:   365
  password_policy:
"""
RETENTION: Path = ("components", "cloudtrail", "log_retention_days")
OWNER: Path = ("default_tags", "owner")


def synced(raw: bytes, wanted: dict[Path, Data], *, overwrite: tuple[Path, ...] = ()) -> Merged:
    return merge(raw, wanted, mark=SYNCED, whence="from fleet.yaml", where="e.yaml", overwrite=overwrite)


def actions(merged: Merged) -> list[str]:
    return [str(value.action) for value in merged.values]


def test_what_is_missing_is_added_with_a_comment_and_nothing_else_changes():
    result = synced(FILE, {OWNER: "security"})
    assert actions(result) == ["add"]
    added = f"default_tags:\n  # Synced: from fleet.yaml ({digest('security')})\n  owner: security\n\n".encode()
    assert result.content == FILE.replace(b"components:", added + b"components:")
    assert origins(result.content) == {OWNER: "synced"}


def test_a_second_time_changes_nothing():
    once = synced(FILE, {OWNER: "security", ("components", "access_analyzer"): {}}).content
    again = synced(once, {OWNER: "security", ("components", "access_analyzer"): {}})
    assert again.content == once
    assert actions(again) == ["same", "same"]


def test_what_it_wrote_is_updated_with_its_comment():
    once = synced(FILE, {OWNER: "security"}).content
    result = synced(once, {OWNER: "platform"})
    assert actions(result) == ["update"]
    expected = once.replace(b"owner: security", b"owner: platform")
    assert result.content == expected.replace(digest("security").encode(), digest("platform").encode())


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(FILE, id="without a comment"),
        pytest.param(
            FILE.replace(b"    log_", f"    # Synced: from fleet.yaml ({digest(30)})\n    log_".encode()),
            id="edited below the comment",
        ),
        pytest.param(
            FILE.replace(b"    log_", f"    # Imported: from fleet.yaml ({digest(365)})\n    log_".encode()),
            id="written by another command",
        ),
        pytest.param(
            FILE.replace(b"    log_", f"# Synced: from fleet.yaml ({digest(365)})\n    log_".encode()),
            id="a comment in another column",
        ),
        pytest.param(
            FILE.replace(b"    log_", f"    # Synced: from fleet.yaml ({digest(365)})\n\n    log_".encode()),
            id="a comment further up",
        ),
    ],
)
def test_what_a_person_wrote_is_a_conflict_and_stays(edited: bytes):
    result = synced(edited, {RETENTION: 400})
    assert result.content == edited
    (conflict,) = result.conflicts
    assert (conflict.found, conflict.wanted) == (365, 400)
    assert edited.splitlines()[(conflict.line or 0) - 1].strip() == b"log_retention_days:   365"


def test_an_equal_value_of_a_person_stays_theirs():
    result = synced(FILE, {RETENTION: 365})
    assert (actions(result), result.content) == (["same"], FILE)
    assert origins(FILE) == {}


def test_a_conflict_that_is_named_is_overwritten_and_belongs_to_the_command_from_then_on():
    result = synced(FILE, {RETENTION: 400}, overwrite=(RETENTION,))
    assert actions(result) == ["update"]
    assert origins(result.content) == {RETENTION: "synced"}
    assert b"# why\n" in result.content


@pytest.mark.parametrize("where", ["    log_", "  cloudtrail:"])
def test_a_comment_of_a_person_keeps_their_value(where: str):
    indent = where[: len(where) - len(where.lstrip())]
    edited = FILE.replace(where.encode(), f"{indent}# Not synced: the auditors want a year\n{where}".encode())
    result = synced(edited, {RETENTION: 400})
    assert (actions(result), result.content) == (["kept"], edited)


def test_settings_of_a_component_are_written_only_where_it_is_switched_on():
    result = synced(FILE, {("components", "guardduty", "export_findings"): True})
    assert (actions(result), result.content) == (["off"], FILE)
    on = synced(FILE, {("components", "password_policy", "max_password_age"): 60})
    assert actions(on) == ["add"]
    assert parse(on.content.decode()).data["components"]["password_policy"] == {"max_password_age": 60}  # type: ignore[index, call-overload]


def test_an_empty_block_switches_a_component_on_and_fits_any_settings_of_it():
    result = synced(FILE, {("components", "cloudtrail"): {}, ("components", "access_analyzer"): {}})
    assert actions(result) == ["same", "add"]


def test_what_an_import_no_longer_has_is_deleted_unless_it_was_edited():
    wanted: dict[Path, Data] = {("labels", "ou"): "prod", ("labels", "owner"): "a", ("labels", "cost"): "b"}

    def imported(raw: bytes, wanted: dict[Path, Data]) -> Merged:
        return merge(raw, wanted, mark=IMPORTED, whence="from AWS", where="e.yaml", within=[("labels",)])

    once = imported(FILE, wanted).content.replace(b"cost: b", b"cost: of a person")
    result = imported(once, {("labels", "ou"): "prod"})
    assert actions(result) == ["same", "delete"]
    assert result.values[1].path == ("labels", "owner")
    assert parse(result.content.decode()).data["labels"] == {"ou": "prod", "cost": "of a person"}  # type: ignore[index, call-overload]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(line_end: str, mark: str):
    raw = (mark + FILE.decode().replace("\n", line_end)).encode()
    once = synced(raw, {OWNER: "security"}).content
    assert once.startswith(mark.encode())
    assert once.count(b"\n") == once.count(line_end.encode())
    assert actions(synced(once, {OWNER: "b"})) == [Action.UPDATE]
