"""The file that `adopt` edits: whole or not at all, and back again byte for byte."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from toolkit.adoption import Choice
from toolkit.cli.app import app
from toolkit.components.registry import REGISTRY
from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError
from toolkit.paths import Project, data_dir
from toolkit.plan import guards
from toolkit.plan.guards import ADOPT, Existing
from toolkit.plan.model import Attribution, Plan
from toolkit.rendering.render import template_text
from toolkit.resources.reading import Live
from toolkit.snapshots import Snapshot, write_snapshot
from toolkit.terraform.state_resources import StateResources
from toolkit.workflows import adopt as workflow
from toolkit.workflows.judge import _with_adopt
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access

ADDRESS = "module.password_policy.aws_iam_account_password_policy.this"
BEFORE = (
    b"\xef\xbb\xbf# Acme\r\naccount_id: '123456789012'\r\nregions: {home: eu-central-1}\r\nsimulator: moto\r\n\r\n"
    b"components:\r\n  password_policy: {}   # CIS\r\n"
)
AFTER = BEFORE.replace(
    b"\r\n\r\ncomponents:", f"\r\n\r\nimports:\r\n  {ADDRESS}: its-id\r\n\r\ncomponents:".encode()
).replace(
    b"password_policy: {}   # CIS\r\n",
    b"password_policy:   # CIS\r\n    # Adopted: 24 as a password policy has it, not 14\r\n"
    b"    minimum_password_length: 24\r\n",
)


def planned(actions: list[str], length: int, before: int | None = None, importing: bool = False) -> dict[str, Any]:
    change: dict[str, Any] = {
        "actions": actions,
        "before": None if before is None else {"minimum_password_length": before},
        "after": {"minimum_password_length": length},
    }
    if importing:
        change["importing"] = {"id": "its-id"}
    kind, name = ADDRESS.split(".")[2:]
    entry = {"address": ADDRESS, "mode": "managed", "type": kind, "name": name, "change": change}
    return {"format_version": "1.2", "resource_changes": [entry]}


READ_EXISTING = workflow._read_existing
RELEASED = b"released:\r\n  - module.cloudtrail\r\n  - module.config_eu_central_1\r\n\r\n"
CREATES = planned(["create"], 14)
IMPORTS = planned(["no-op"], 24, before=24, importing=True)


class Acme:
    """A project whose Terraform shows the given plans, one after the other, and whose account has a password policy."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project, self.shows, self.state = Project(folder), [CREATES, IMPORTS], ("lineage", 1)
        self.lineage, self.labels = "lineage", frozenset[str]()
        self.file = folder / "environments" / "acme" / "environment.yaml"
        self.file.parent.mkdir(parents=True)
        (folder / "modules" / "password_policy").mkdir(parents=True)
        self.file.write_bytes(BEFORE)
        monkeypatch.setattr(workflow, "open_workspace", self._open)
        monkeypatch.setattr(workflow, "_read_existing", self._existing)

    def _open(self, *_: Any, **__: Any) -> Any:
        scratch = self.file.parent / ".toolkit"
        scratch.mkdir(exist_ok=True)
        runner = SimpleNamespace(
            with_one_provider=contextlib.nullcontext,
            plan=lambda _: None,
            show=lambda _: self.shows.pop(0) if len(self.shows) > 1 else self.shows[0],
            state_version=lambda: self.state,
            state_resources=lambda _: StateResources(self.lineage, 1, (), self.labels),
        )
        attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
        return SimpleNamespace(scratch=scratch, runner=runner, aws=None, attribution=attribution)

    def _existing(self, plan: Plan, _: Any) -> dict[str, Existing]:
        values = {"minimum_password_length": 24}
        live = Live({}, values, "a password policy", "its-id")
        found = Existing(values, True, "its-id", live.called, live=live)
        return {c.address: found for c in plan.changes if not c.imported}

    def adopt(self, **more: Any) -> workflow.Adopted:
        options = {"decide": lambda _: None, "given": {}, **more}
        return workflow.adopt(self.project, "acme", options.pop("access", Access(environ={})), Observer(), **options)

    def undo(self, access: Access | None = None) -> None:
        workflow.undo(self.project, "acme", access or Access(environ={}), Observer())

    @property
    def files(self) -> set[str]:
        folder = self.file.parent
        return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() and f.suffix != ".lock"}


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    return Acme(tmp_path, monkeypatch)


def test_the_file_is_edited_rendered_and_restored(acme: Acme):
    adopted = acme.adopt()
    assert acme.file.read_bytes() == AFTER
    assert "+    minimum_password_length: 24\r\n" in adopted.diff
    assert "rendered/imports.tf" in acme.files
    assert (acme.file.parent / ".toolkit" / "adopt.json").stat().st_mode & 0o777 == 0o600
    acme.undo()
    assert acme.file.read_bytes() == BEFORE
    assert "rendered/imports.tf" not in acme.files
    with pytest.raises(ToolkitError, match="nothing to undo"):
        acme.undo()


def cli(acme: Acme, *options: str) -> Any:
    return CliRunner().invoke(app, ["-C", str(acme.project.root), "adopt", "acme", *options])


def test_what_a_dry_run_proposes_as_json_is_a_file_of_decisions(acme: Acme, json_shape: Callable[[str], Any]):
    shown = cli(acme, "--dry-run", "--json")
    assert shown.exit_code == 0, shown.output
    proposed = json_shape(shown.stdout)
    (decision,) = proposed["decisions"]
    assert decision == {
        "address": ADDRESS,
        "type": "aws_iam_account_password_policy",
        "region": "eu-central-1",
        "called": "a password policy",
        "import_id": "its-id",
        "managed_by": None,
        "choice": "adopt",
        "given": False,
        "reason": "nothing gets weaker",
        "same": False,
        "by_hand": None,
    }
    assert (proposed["written"], proposed["imported"], proposed["summary"]["import"]) == (False, [], 1)
    assert "+  password_policy:   # CIS" in proposed["diff"]
    assert acme.file.read_bytes() == BEFORE

    decisions = acme.project.root / "decisions.json"
    decisions.write_text(json.dumps({d["address"]: d["choice"] for d in proposed["decisions"]}))
    acme.shows = [CREATES, IMPORTS]
    done = json_shape(cli(acme, "--decisions", str(decisions), "--json").stdout)
    assert [d["given"] for d in done["decisions"]] == [True]
    assert (done["written"], done["diff"]) == (True, proposed["diff"])
    assert acme.file.read_bytes() == AFTER


def test_decisions_about_what_a_snapshot_has(acme: Acme, monkeypatch: pytest.MonkeyPatch, json_shape: Any):
    monkeypatch.setattr(workflow, "_read_existing", READ_EXISTING)
    values = {"minimum_password_length": 24}
    kind = "aws_iam_account_password_policy"
    live = Live({}, values, "a password policy", "iam-account-password-policy", type=kind, region="eu-central-1")
    found = Snapshot.of(
        [live], account_id="123456789012", caller="arn:aws:iam::123456789012:user/audit", environment="acme",
        simulator="moto", taken=datetime.now(UTC).replace(microsecond=0), home="eu-central-1",
        regions=("eu-central-1",), types=(kind,), calls=1,
    )  # fmt: skip
    snapshot, decisions = (acme.project.root / name for name in ("snapshot.json", "decisions.yaml"))
    write_snapshot(found, snapshot)
    given = ("--decisions", str(decisions), "--from", str(snapshot))

    decisions.write_text(f"'{ADDRESS}': replace\n")
    acme.shows = [CREATES, planned(["update"], 14, before=24, importing=True)]
    done = json_shape(cli(acme, *given, "--json").stdout)
    (decision,) = done["decisions"]
    assert (decision["choice"], decision["given"], decision["import_id"]) == ("replace", True, live.import_id)
    # Imported, with the environment's value.
    assert f"{ADDRESS}: iam-account-password-policy" in acme.file.read_text()
    assert "minimum_password_length" not in acme.file.read_text()
    acme.undo()

    # A decision about what the snapshot does not have.
    decisions.write_text(f"'{ADDRESS}': adopt\nmodule.guardduty_eu_central_1.aws_guardduty_detector.this: adopt\n")
    acme.shows = [CREATES, IMPORTS]
    refused = cli(acme, *given).exception
    assert "a decision for what is not there: module.guardduty_eu_central_1" in str(refused)
    # A snapshot that does not have the type says nothing about it.
    write_snapshot(replace(found, resources=(), types=()), snapshot)
    acme.shows = [CREATES, IMPORTS]
    refused = cli(acme, *given).exception
    assert "cannot be read" in str(refused)
    assert acme.file.read_bytes() == BEFORE


def test_lines_of_releases_that_are_done_are_deleted_as_those_of_imports(acme: Acme, json_shape: Any):
    acme.file.write_bytes(released := BEFORE.replace(b"components:", RELEASED + b"components:"))
    acme.shows = [planned(["no-op"], 14, before=14)]
    acme.labels = frozenset({"config_eu_central_1"})
    adopted = acme.adopt()
    assert adopted.released == ("module.cloudtrail",)
    assert acme.file.read_bytes() == released.replace(b"  - module.cloudtrail\r\n", b"")
    acme.undo()
    assert acme.file.read_bytes() == released

    # Without a state, nothing is known to be done.
    acme.labels, acme.lineage = frozenset(), ""
    assert not acme.adopt().diff
    acme.lineage = "lineage"
    done = json_shape(cli(acme, "--yes", "--json").stdout)
    assert done["released"] == ["module.cloudtrail", "module.config_eu_central_1"]
    assert acme.file.read_bytes() == BEFORE.replace(b"components:", b"\r\ncomponents:")
    acme.undo()
    assert (
        "The state has nothing of module.cloudtrail: its line under `released` is deleted" in cli(acme, "--yes").stdout
    )


def test_undo_has_nothing_for_scripts(acme: Acme):
    assert "does not go with --json" in str(cli(acme, "--undo", "--json").exception)


def test_after_two_adoptions_undo_restores_the_file_before_both(acme: Acme):
    acme.adopt()
    acme.shows = [planned(["no-op"], 24, before=24)]
    assert acme.adopt().done == (ADDRESS,)
    assert b"imports" not in acme.file.read_bytes()
    acme.undo()
    assert acme.file.read_bytes() == BEFORE


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"dry_run": True}, None),
        ({"given": {"module.config.x.y": Choice.ADOPT}}, "a decision for what is not there"),
        ({"given": {ADDRESS: Choice.ADOPT}, "dry_run": True}, None),
    ],
)
def test_nothing_is_written(acme: Acme, more: dict[str, Any], error: str | None):
    if error is None:
        assert acme.adopt(**more).diff
    else:
        with pytest.raises(UsageError, match=error):
            acme.adopt(**more)
    assert acme.file.read_bytes() == BEFORE
    assert acme.files == {"environment.yaml"}


def test_what_the_embedded_aws_has_is_not_written_into_the_file_of_a_real_account(acme: Acme):
    acme.adopt(
        access=Access(sandbox=True, environ={})
    )  # an environment of the embedded AWS: the option says nothing new
    acme.undo()
    real = BEFORE.replace(b"simulator: moto\r\n", b"")
    acme.file.write_bytes(real)
    acme.shows = [CREATES, IMPORTS]
    with pytest.raises(UsageError, match="is for a real account: nothing of the embedded AWS is written") as refused:
        acme.adopt(access=Access(sandbox=True, environ={}))
    assert "toolkit adopt acme --sandbox --dry-run" in (refused.value.hint or "")
    assert acme.adopt(access=Access(sandbox=True, environ={}), dry_run=True).diff
    assert acme.file.read_bytes() == real
    acme.shows = [CREATES, IMPORTS]
    acme.adopt()
    with pytest.raises(UsageError, match="is for a real account"):
        acme.undo(Access(sandbox=True, environ={}))
    acme.undo()
    assert acme.file.read_bytes() == real


def test_of_two_adoptions_of_one_environment_the_second_is_refused(acme: Acme):
    refused = []

    def decide(_: Any) -> None:
        for command in (acme.adopt, acme.undo):
            with pytest.raises(LockedError, match="another `toolkit adopt` of this environment is running") as error:
                command()
            refused.append((error.value.where, bool(error.value.hint)))

    acme.adopt(decide=decide)
    assert refused == [("environments/acme/environment.yaml", True)] * 2
    assert acme.file.read_bytes() == AFTER


def test_what_a_killed_run_left_is_deleted_and_what_it_is_not_stays(acme: Acme):
    left, own = acme.file.parent / ".adopt-x1", acme.file.parent / ".adopted"
    for folder in (left, own):
        folder.mkdir()
        (folder / "main.tf").write_text("")
    acme.adopt(dry_run=True)
    assert not left.exists()
    assert own.exists()


def test_a_trial_is_of_one_run_private_and_ignored_by_git(acme: Acme):
    seen = []

    def decide(_: Any) -> None:
        seen.extend((f.name, f.stat().st_mode & 0o777) for f in acme.file.parent.iterdir() if ".adopt" in f.name)

    acme.adopt(decide=decide, dry_run=True)
    acme.shows = [CREATES, IMPORTS]
    acme.adopt(decide=decide, dry_run=True)
    (first, mode), (second, _) = seen
    assert (mode, first != second) == (0o700, True)
    for ignored in (template_text("project/gitignore.j2"), (data_dir("templates").parent / ".gitignore").read_text()):
        assert any(fnmatchcase(f"{first}/", line) for line in ignored.splitlines())


@pytest.mark.parametrize("name", [".adopt-x1", "rendered", ".toolkit/edit.lock", ".toolkit"])
def test_links_are_refused(acme: Acme, tmp_path: Path, name: str):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs").write_text("")
    link = acme.file.parent / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(ToolkitError) as error:
        acme.adopt()
    assert name in str(error.value)
    assert error.value.hint
    assert [f.name for f in elsewhere.iterdir()] == ["theirs"]
    assert acme.file.read_bytes() == BEFORE


def test_a_trial_that_cannot_be_made_is_an_error_with_its_place(acme: Acme, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any, **__: Any) -> None:
        raise shutil.Error([("a", "b", "No space left on device")])

    (acme.file.parent / "rendered").mkdir()
    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(ToolkitError, match=r"cannot be made: .*No space left") as error:
        acme.adopt()
    assert ".adopt-" in (error.value.where or "")
    assert acme.files == {"environment.yaml"}
    assert not list(acme.file.parent.glob(".adopt*"))


def test_a_remedy_does_not_name_an_adoption_that_would_be_refused():
    remedy = f"{ADOPT}, or take it over: in environment.yaml, …"
    assert _with_adopt(remedy, "prod", tried_out=True) == "take it over: in environment.yaml, …"
    assert _with_adopt(remedy, "prod", tried_out=False).startswith("run `toolkit adopt prod`, or take")
    source = Path(guards.__file__).read_text("utf-8")
    assert source.count("{ADOPT}") == source.count("{ADOPT}, or ") > 1


def test_a_key_in_a_mapping_of_one_line_is_refused_with_its_line(acme: Acme):
    text = BEFORE.replace(b"components:\r\n  password_policy: {}", b"components: {password_policy: {}}")
    acme.file.write_bytes(text)
    with pytest.raises(ToolkitError, match=r"^environments/acme/environment.yaml:6: .*written within \{ \}"):
        acme.adopt()
    assert acme.file.read_bytes() == text
    assert acme.files == {"environment.yaml"}


def test_a_file_that_was_edited_meanwhile_is_left_alone(acme: Acme):
    def decide(_: Any) -> None:
        acme.file.write_bytes(BEFORE + b"# new\r\n")

    with pytest.raises(ToolkitError, match="was edited meanwhile; nothing was written"):
        acme.adopt(decide=decide)
    assert acme.file.read_bytes() == BEFORE + b"# new\r\n"


def test_what_was_edited_or_applied_since_is_not_undone(acme: Acme):
    acme.adopt()
    acme.state = ("lineage", 2)
    with pytest.raises(RefusedError, match="the state has changed since"):
        acme.undo()
    acme.state = ("lineage", 1)
    acme.file.write_bytes(AFTER + b"# new\r\n")
    with pytest.raises(RefusedError, match="was edited since"):
        acme.undo()
    assert acme.file.read_bytes() == AFTER + b"# new\r\n"
    (acme.file.parent / ".toolkit" / "adopt.json").write_text("{}")
    with pytest.raises(ToolkitError, match="the record of the last adoption cannot be read"):
        acme.undo()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: adopt\nb: kepp\n", r"x:2: b: 'kepp'; did you mean 'keep'\?"),
        ("a: adopt\na: keep\n", "x:2: a: the key is repeated"),
        ("- adopt\n", "not a file of decisions"),
        ("", "not a file of decisions"),
        ("a: 1\n", "x:1: a: 1"),
    ],
)
def test_a_file_of_decisions_is_read_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("x").write_text(text)
    with pytest.raises(UsageError) as caught:
        workflow.read_decisions(Path("x"))
    assert re.search(message, f"{caught.value}\n{caught.value.detail}")


def test_a_file_of_decisions_that_is_too_large_is_refused_rather_than_cut(tmp_path: Path):
    file = tmp_path / "decisions"
    line = "a: keep\n"
    file.write_text(line + "#" * ((1 << 20) - len(line)))
    assert workflow.read_decisions(file) == {"a": Choice.KEEP}
    file.write_text(file.read_text() + "\nb: adopt\n")
    with pytest.raises(UsageError, match="larger than 1 MiB") as error:
        workflow.read_decisions(file)
    assert error.value.where == str(file)


def test_an_empty_file_of_decisions_is_told_what_decisions_are(tmp_path: Path):
    file = tmp_path / "decisions"
    for text in ("", "a: keep\n---\nb: keep\n"):
        file.write_text(text)
        with pytest.raises(UsageError) as error:
            workflow.read_decisions(file)
        said = f"{error.value} {error.value.detail} {error.value.hint}"
        assert "one document of decisions" in said
        assert "account_id" not in said


def test_decisions_are_yaml_or_json(tmp_path: Path):
    file = tmp_path / "decisions"
    for text in ("'a[\"b\"]': keep\nc: adopt\n", '{"a[\\"b\\"]": "keep", "c": "adopt"}'):
        file.write_text(text)
        assert workflow.read_decisions(file) == {'a["b"]': Choice.KEEP, "c": Choice.ADOPT}
    with pytest.raises(UsageError, match="cannot be read"):
        workflow.read_decisions(tmp_path / "none")
