"""Plans made at the same time in one folder: each bundle holds what was judged, and that is what is applied."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.access.changes import NO_CHANGES, AccessChanges
from toolkit.aws.identity import CallerIdentity
from toolkit.cli.stream import OutputError
from toolkit.environment import BundleSettings
from toolkit.errors import BadPlanError, RefusedError, ToolkitError, UsageError
from toolkit.findings import Consents, Finding, Resource, Rule, Severity
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.paths import EnvironmentPaths
from toolkit.signing import FileSigner, PublicKey
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import NO_KEYS
from toolkit.terraform.stored import referenced
from toolkit.workflows import apply as applying
from toolkit.workflows import judge as judging
from toolkit.workflows import plan as plans
from toolkit.workflows.apply import apply_bundle
from toolkit.workflows.hand_over import open_content
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Workspace


class Runner:
    """Saves a plan that holds a mark, as Terraform would write one."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def with_one_provider(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def plan(self, out: Path, **_: Any) -> Any:
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("tfplan", self.mark)
            archive.writestr("tfstate-prev", "{}")
            archive.writestr("tfstate", json.dumps({"lineage": "3f9e", "serial": 7}))
        return SimpleNamespace(diagnostics=())

    def show(self, plan: Path) -> dict[str, Any]:
        with zipfile.ZipFile(plan) as archive:
            return {"format_version": "1.2", "resource_changes": [], "mark": archive.read("tfplan").decode()}

    def state_version(self) -> tuple[str, int]:
        return "3f9e", 7

    def apply(self, plan: Path, **_: Any) -> None:
        raise AssertionError(f"applied {plan}")


def workspace(folder: Path, mark: str) -> Workspace:
    return cast(
        Workspace,
        SimpleNamespace(
            environment=SimpleNamespace(
                access_tests=(),
                name="prod",
                simulator=None,
                bundle=BundleSettings(),
                regions=SimpleNamespace(home="eu-central-1", active=("eu-central-1",), retiring=()),
            ),
            scratch=folder,
            paths=SimpleNamespace(folder=folder),
            runner=Runner(mark),
            caller=CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/x"),
            binary=SimpleNamespace(product="terraform", version="1.11.4"),
            backend="local",
            simulator=None,
            attribution=None,
            sources=lambda: {"modules/x/main.tf": "r"},
            lock_digest=lambda: "l",
        ),
    )


def mark_of(bundle: bundles.Bundle, folder: Path) -> tuple[str, str]:
    with zipfile.ZipFile(bundle.extract_plan(folder)) as archive:
        return archive.read("tfplan").decode(), bundle.plan_json["mark"]


def test_a_plan_made_meanwhile_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    meanwhile: list[plans.PlanResult] = []

    def judge(of: Workspace, *_: Any, **__: Any) -> tuple[tuple[()], AccessChanges]:
        if cast(Any, of.runner).mark == "first":
            meanwhile.append(plans.make_plan(workspace(tmp_path, "second"), Observer()))
        return (), NO_CHANGES

    monkeypatch.setattr(judging, "judge_plan", judge)
    first = plans.make_plan(workspace(tmp_path, "first"), Observer())
    assert first.saved is not None
    assert mark_of(first.saved, tmp_path) == ("first", "first")
    assert mark_of(bundles.read(first.bundle), tmp_path) == ("first", "first")
    # Another plan now takes the place of the file; what was shown and approved is in memory.
    plans.make_plan(workspace(tmp_path, "third"), Observer())
    assert mark_of(bundles.read(first.bundle), tmp_path) == ("third", "third")
    assert mark_of(first.saved, tmp_path) == ("first", "first")
    (tmp_path / "plan.tfplan").unlink()
    assert {f.name for f in tmp_path.iterdir()} == {"plan.tfbundle", "folders.lock"}


def test_a_bundle_that_shows_another_plan_than_it_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "judge_plan", lambda *_, **__: ((), NO_CHANGES))
    where = workspace(tmp_path, "first")
    saved = plans.make_plan(where, Observer()).saved
    assert saved is not None
    # Whoever can write a bundle can write its sums, too.
    edited = dataclasses.replace(saved, plan_json={**saved.plan_json, "mark": "harmless"})
    with pytest.raises(BadPlanError, match="does something else than it shows"):
        apply_bundle(where, edited, Observer())
    assert {f.name for f in tmp_path.iterdir()} == {"plan.tfbundle", "folders.lock"}


RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "plans/reports/later.json").read_text())
TWINS: dict[str, Any] = {"true": 1, "false": 0, "1": True, "0": False}
"""JSON → another value that Python calls equal; of any other number, it is the one with a point."""


def scalars(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every place of a JSON value at which no object or list stands, and what stands there."""
    if isinstance(value, dict | list) and value:
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from scalars(inner, (*path, step))
    else:
        yield path, value


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


PLACES = list(scalars(RECORDED))
EQUAL_TO_PYTHON = [
    (path, twin)
    for path, value in PLACES
    if isinstance(value, bool | int)
    for twin in (TWINS.get(json.dumps(value), float(value)), float(value))
]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, bundles.Bundle]:
    """A bundle of a recorded plan, and the environment that it is for; nothing of it is judged."""
    monkeypatch.setattr(judging, "judge_plan", lambda *_, **__: ((), NO_CHANGES))
    monkeypatch.setattr(applying, "judge_plan", lambda *_, **__: ((), NO_CHANGES))
    monkeypatch.setattr(applying, "parse_plan", lambda *_: SimpleNamespace(changes=(), steps=0))
    where = workspace(tmp_path, "first")
    saved = plans.make_plan(where, Observer()).saved
    assert saved is not None
    monkeypatch.setattr(Runner, "show", lambda *_: RECORDED)
    return where, dataclasses.replace(saved, plan_json=RECORDED)


def test_nothing_that_python_calls_equal_passes_for_the_plan(recorded: tuple[Workspace, bundles.Bundle]):
    """A bundle that shows `1` where Terraform has `true` shows another plan."""
    where, bundle = recorded
    with pytest.raises(AssertionError, match="applied"):
        apply_bundle(where, bundle, Observer())
    assert len(EQUAL_TO_PYTHON) > 300
    for path, twin in EQUAL_TO_PYTHON:
        edited = replaced(RECORDED, path, twin)
        assert edited == RECORDED
        with pytest.raises(BadPlanError, match="does something else than it shows"):
            apply_bundle(where, dataclasses.replace(bundle, plan_json=edited), Observer())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(place=st.sampled_from(PLACES), value=_JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_value_passes_for_the_plan(
    recorded: tuple[Workspace, bundles.Bundle], place: tuple[Any, Any], value: Any
):
    where, bundle = recorded
    path, old = place
    same = type(old) is type(value) and json.dumps(old, sort_keys=True) == json.dumps(value, sort_keys=True)
    edited = dataclasses.replace(bundle, plan_json=replaced(RECORDED, path, value))
    with pytest.raises(AssertionError if same else BadPlanError):
        apply_bundle(where, edited, Observer())


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "judge_plan", lambda *_, **__: ((), NO_CHANGES))


@pytest.mark.usefixtures("judged")
def test_no_bundle_is_left_of_a_plan_that_could_not_be_shown(tmp_path: Path):
    out = tmp_path / "prod.tfbundle"
    plans.make_plan(workspace(tmp_path, "first"), Observer(), out=str(out))

    def unshown(result: plans.PlanResult) -> None:
        assert result.saved is not None
        assert not out.exists()
        raise OutputError("cannot write to standard output: No space left on device")

    with pytest.raises(OutputError):
        plans.make_plan(workspace(tmp_path, "second"), Observer(), out=str(out), judged=unshown)
    assert {f.name for f in tmp_path.iterdir()} == {"folders.lock"}


@pytest.mark.parametrize("blocked", [False, True])
def test_no_plan_is_reported_as_good_that_an_access_test_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: bool
):
    monkeypatch.setattr(
        judging, "judge_plan", lambda *_, **__: ((SimpleNamespace(blocks=True),) if blocked else (), NO_CHANGES)
    )
    monkeypatch.setattr(judging, "tell_idle", lambda *_: None)

    def refuse(*_: Any) -> None:
        raise RefusedError("1 access test failed")

    monkeypatch.setattr(plans, "_require_access", refuse)
    where = cast(Any, workspace(tmp_path, "first"))
    where.environment.access_tests = ("one",)
    shown: list[plans.PlanResult] = []
    with pytest.raises(RefusedError, match="access test"):
        plans.make_plan(where, Observer(), judged=shown.append)
    # What findings refuse is reported as refused, and says more than the test alone.
    assert [result.saved for result in shown] == ([None] if blocked else [])
    assert not list(tmp_path.glob("*.tfbundle"))


@pytest.mark.usefixtures("judged")
def test_only_an_earlier_bundle_is_replaced(tmp_path: Path):
    where = workspace(tmp_path / "scratch", "first")
    where.scratch.mkdir()
    out = tmp_path / "prod.tfbundle"
    for content in ("", None):  # as mktemp makes it; a bundle
        if content is not None:
            out.write_text(content)
        plans.make_plan(where, Observer(), out=str(out))
        assert bundles.read(out).manifest.environment == "prod"
    before = out.read_bytes()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to(out)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("notes.txt", "link", "nowhere"):
        with pytest.raises(UsageError, match=r"not a plan bundle that a new one could replace") as caught:
            plans.make_plan(where, Observer(), out=str(tmp_path / name))
        assert caught.value.where == str(tmp_path / name)
    with pytest.raises(UsageError):
        plans.make_plan(where, Observer(), out=os.devnull)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert out.read_bytes() == before
    assert (tmp_path / "link").is_symlink()


@pytest.mark.usefixtures("judged")
def test_a_name_that_ends_in_a_slash_is_a_folder(tmp_path: Path):
    where = workspace(tmp_path / "scratch", "first")
    where.scratch.mkdir()
    for out, made in (
        ("plans/", "plans/prod.tfbundle"),
        ("plans", "plans/prod.tfbundle"),  # it is there by now
        ("a/b/", "a/b/prod.tfbundle"),
        ("a/plan", "a/plan"),
    ):
        assert plans.make_plan(where, Observer(), out=f"{tmp_path}/{out}").bundle == tmp_path / made
        assert bundles.is_bundle(tmp_path / made)
    with pytest.raises(UsageError, match="no such folder") as misspelt:
        plans.make_plan(where, Observer(), out=f"{tmp_path}/plnas/prod.tfbundle")
    assert misspelt.value.where == str(tmp_path / "plnas")
    assert not (tmp_path / "plnas").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ToolkitError, match="cannot be written") as told:
        plans.make_plan(where, Observer(), out=f"{tmp_path}/file/")
    assert str(tmp_path / "file") in str(told.value)


@pytest.mark.usefixtures("judged")
def test_a_damaged_bundle_in_the_scratch_folder_stops_nobody(tmp_path: Path):
    where = workspace(tmp_path, "first")
    damaged = plans.make_plan(where, Observer()).bundle
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert bundles.is_bundle(plans.make_plan(workspace(tmp_path, "second"), Observer()).bundle)


@pytest.mark.usefixtures("judged")
def test_what_is_applied_at_once_or_never_is_not_saved(tmp_path: Path):
    where = workspace(tmp_path, "first")
    earlier = plans.make_plan(where, Observer())
    kept = earlier.bundle.read_bytes()
    result = plans.make_plan(workspace(tmp_path, "second"), Observer(), keep=False)
    assert result.saved is not None
    assert mark_of(result.saved, tmp_path) == ("second", "second")
    assert earlier.bundle.read_bytes() == kept
    assert not list(tmp_path.glob("plan-*"))


@pytest.mark.usefixtures("judged")
def test_in_s3_the_plan_is_named_before_it_is_shown_and_put_after_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    held: dict[str, bytes] = {}
    monkeypatch.setattr(plans, "save_stored", lambda _, target, content, __: held.update({str(target): content}))
    shown: list[str] = []

    def show(result: plans.PlanResult) -> None:
        assert not held
        assert not reference.exists()
        shown.append(str(result.bundle))

    reference = tmp_path / "refs" / "prod.tfbundle"
    where = cast(Any, workspace(tmp_path, "first"))
    where.aws = None
    for _ in range(2):  # the second time, there is an earlier reference
        result = plans.make_plan(
            where, Observer(), out="s3://example-plans/ci/", reference=f"{tmp_path}/refs/", judged=show, run="r"
        )
        assert list(held) == shown == [str(result.bundle)]
        content = held[str(result.bundle)]
        assert referenced(reference.read_bytes(), "x") == result.bundle
        assert bundles.parse(content, reference).manifest == result.manifest
        assert result.manifest.run == "r"
        assert not list(tmp_path.glob("*.tfbundle"))
        held.clear()
        shown.clear()

    def unshown(_: plans.PlanResult) -> None:
        raise OutputError("cannot write to standard output: No space left on device")

    with pytest.raises(OutputError):
        plans.make_plan(
            where, Observer(), out="s3://example-plans/ci/", reference=str(reference), judged=unshown, keys=NO_KEYS
        )
    assert not held
    assert not reference.exists()


@pytest.mark.usefixtures("judged")
def test_a_signed_plan_says_so_where_it_is_shown(tmp_path: Path):
    private = Ed25519PrivateKey.generate()
    signer = FileSigner(private)
    shown: list[Any] = []
    result = plans.make_plan(
        workspace(tmp_path, "first"), Observer(), signer=signer, judged=lambda r: shown.append(r.manifest.signature)
    )
    assert shown == [signer.signed]
    bundles.read(cast(Path, result.bundle)).verify_signature(PublicKey(private.public_key()), "the key")


class Told(Observer):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def finding(rule: Rule, address: str, attribute: str | None = None) -> Finding:
    return Finding(rule, Severity.HIGH, Resource(address, "eu-central-1"), attribute, "s", "e", "r", "--allow", None)


def test_a_consent_that_names_nothing_is_told_with_the_nearest_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trail = "module.cloudtrail.aws_cloudtrail.this"
    found = (
        finding(DESTROYS, trail),
        finding(WEAKENS, "module.config_eu_west_1.aws_config_configuration_recorder.this", "recording_mode"),
    )
    monkeypatch.setattr(judging, "judge_plan", lambda *_, **__: (found, NO_CHANGES))
    told = Told()
    consents = Consents(
        destroy=("module.cloudtrial.aws_cloudtrail.this", trail, "*", "module.cloudtrail.*", "module.x.y.z"),
        weaker=("*.recording_mode", trail),
        lockout=True,
    )
    plans.make_plan(workspace(tmp_path, "first"), told, consents=consents)
    nothing = "nothing of this plan needs that consent"
    assert told.warnings == [
        f"--allow-destroy module.cloudtrial.aws_cloudtrail.this: {nothing}; did you mean {trail}?",
        f"--allow-destroy module.x.y.z: {nothing}",
        f"--allow-weaker {trail}: {nothing}",
        f"--acknowledge-lockout: {nothing}",
    ]


def test_files_changed_after_the_review_make_the_plan_stale(tmp_path: Path):
    """Whatever else is wrong with them: exit code 7, and the file by its name."""
    paths = EnvironmentPaths(tmp_path, "prod")
    paths.rendered.mkdir(parents=True)
    (paths.rendered / "config.tf").write_text("as reviewed")
    bundle = SimpleNamespace(
        manifest=SimpleNamespace(environment="prod"),
        verify_files=lambda files: (_ for _ in ()).throw(BadPlanError(str(files))) if len(files) > 1 else None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "parse", lambda *_: bundle)
        assert open_content(b"", tmp_path / "x", paths) is bundle
        (paths.rendered / "own.tf.json").write_text("{}")
        with pytest.raises(BadPlanError, match=r"environments/prod/rendered/own\.tf\.json"):
            open_content(b"", tmp_path / "x", paths)


@pytest.mark.parametrize(("lineage", "noted"), [("", True), ("3f9e", False)])
@pytest.mark.usefixtures("judged")
def test_the_time_of_the_first_apply_is_noted_where_no_state_is(
    lineage: str, noted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(applying, "judge_plan", lambda *_, **__: ((), NO_CHANGES))
    monkeypatch.setattr(bundles, "state_of", lambda _: (lineage, 0))
    monkeypatch.setattr(Runner, "state_version", lambda _: (lineage, 0))
    monkeypatch.setattr(applying, "parse_plan", lambda *_: SimpleNamespace(changes=(), steps=0))
    where = workspace(tmp_path, "first")
    saved = plans.make_plan(where, Observer()).saved
    assert saved is not None
    with pytest.raises(AssertionError, match="applied"):
        apply_bundle(where, saved, Observer())
    assert (tmp_path / "first-apply.json").exists() == noted
