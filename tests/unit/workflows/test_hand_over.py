"""A saved plan on its way from the job that plans to the job that applies: what must not arrive, and how it is called.

The bundles are real: packed, signed and sealed by the code that does it in a pipeline. KMS is a key of this process,
S3 a dictionary, and gh a script on PATH: it was never run against GitHub here.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from toolkit.access.changes import NO_CHANGES
from toolkit.cli import console
from toolkit.cli.main import run as cli
from toolkit.environment import BundleSettings
from toolkit.errors import BadPlanError, ExitCode, ToolkitError, UsageError
from toolkit.files import digest
from toolkit.signing import FileSigner, PublicKey, Signed, Signer
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import NO_KEYS, Keys
from toolkit.terraform.stored import Folder, Stored
from toolkit.workflows import hand_over
from toolkit.workflows.hand_over import Demands, demand_proven, open_bundle
from toolkit.workflows.workspace import read_environment, sources

from .conftest import ACCOUNT, House

KEY = "alias/plans"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WORKFLOW = "github:example/accounts/.github/workflows/baseline.yml@refs/heads/main"
RUN = "https://github.com/example/accounts/actions/runs/7"
IN_RUN = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "example/accounts",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
}
SEALED = Keys(bytes(32))
SIGNED = Demands(KEY)
DATA_KEYS: Any = SimpleNamespace(generate=lambda _: (bytes(32), b"e"), decrypt=lambda *_: bytes(32))
BY_KMS = Keys(kms_key_id="alias/mine", data_keys=lambda _: DATA_KEYS)
ANY_KMS_KEY = Keys(data_keys=lambda _: DATA_KEYS)
NOW = {"account_id": ACCOUNT, "simulator": None}


class Kms:
    """Signs as a KMS key of this kind does; `key` is its public half."""

    def __init__(self, arn: str = KEY_ARN) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.key = PublicKey(self._private.public_key())
        self.arn = arn

    @property
    def signed(self) -> Signed:
        return Signed(self.key.algorithm, self.key.fingerprint, self.arn)

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data, ec.ECDSA(hashes.SHA256()))


class Claiming(Kms):
    """Signs with a key of its own, and says that it is another one."""

    def __init__(self, said: Signed) -> None:
        super().__init__()
        self._said = said

    @property
    def signed(self) -> Signed:
        return self._said


THE_KEY, ANOTHER_KEY = Kms(), Kms()
ED25519 = FileSigner(ed25519.Ed25519PrivateKey.generate())


class World:
    """A checkout, and bundles for it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.file = house.root / "prod.tfbundle"
        house.write()
        house.render()
        self.git("init", "-q")
        self.commit("reviewed")
        self.files = sources(house.project.environment("prod"))

    def restore(self, commit: str) -> None:
        """As it was at a commit."""
        self.house.write()
        self.house.forget()
        (self.house.tools / "gh").unlink(missing_ok=True)
        if self.now != commit:
            self.git("reset", "-q", "--hard", commit)
            self.head()

    def head(self) -> None:
        self.now, self.tree = self.git("rev-parse", "HEAD", "HEAD^{tree}").split()

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *arguments]
        return subprocess.run(command, cwd=self.house.root, capture_output=True, check=True, text=True).stdout.strip()

    def commit(self, message: str, *more: str) -> None:
        self.git("add", "-A", "--", "environments", "modules", *more)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.head()

    def demands(self, **settings: Any) -> None:
        """Write them into environment.yaml: what is committed there does not change what is rendered."""
        self.house.write(f"bundle: {json.dumps(settings)}")

    def manifest(self, **changed: Any) -> bundles.Manifest:
        known: dict[str, Any] = {
            "format": bundles.FORMAT,
            "environment": "prod",
            "simulator": None,
            "account_id": ACCOUNT,
            "caller_arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/plan/x",
            "region": "eu-central-1",
            "backend": "local",
            "state_lineage": "3f9e",
            "state_serial": 7,
            "rendered_sha256": digest(self.files),
            "files": self.files,
            "lock_sha256": "",
            "toolkit_version": "0.1.0",
            "terraform": "terraform 1.11.4",
            "git_commit": self.now,
            "git_tree": self.tree,
            "git_dirty": False,
            "run": RUN,
            "created": "2026-01-01T00:00:00+00:00",
            "expires": "2999-01-01T00:00:00+00:00",
            "destroy": False,
            "empty": False,
            "consents": (),
            "signature": None,
        }
        return bundles.Manifest(**{**known, **changed})

    def pack(self, signer: Signer | None = THE_KEY, keys: Keys = NO_KEYS, **changed: Any) -> bytes:
        plan = io.BytesIO()
        with zipfile.ZipFile(plan, "w") as archive:
            archive.writestr("tfstate", json.dumps({"lineage": "3f9e", "serial": 7}))
        shown = {"format_version": "1.2", "resource_changes": []}
        return bundles.pack(self.manifest(**changed), plan.getvalue(), shown, (), NO_CHANGES, keys, signer)

    def open(
        self, content: bytes, demands: Demands = SIGNED, *, keys: Keys = NO_KEYS, **environ: str
    ) -> bundles.Bundle:
        """As `apply` does it, up to what Terraform would be asked."""
        self.file.write_bytes(content)
        return self.opened(str(self.file), demands, keys=keys, **environ)

    def opened(self, plan: str, demands: Demands = SIGNED, *, keys: Keys = NO_KEYS, **environ: str) -> bundles.Bundle:
        bundle = open_bundle(plan, self.house.project, "prod", self.house.access(**environ), keys, demands)
        demand_proven(read_environment(self.house.project, "prod")[1], None, bundle)
        bundle.verify(NOW)
        bundle.verify_state("3f9e", 7)
        return bundle


def edited(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A bundle whose members somebody has changed, with sums that fit."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    summed = ("manifest.json", "plan.tfplan", "plan.json", "findings.json", "access.json")
    members["SHA256SUMS"] = b"".join(f"{hashlib.sha256(members[n]).hexdigest()}  {n}\n".encode() for n in summed)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def said(**facts: Any) -> Callable[[dict[str, bytes]], None]:
    """Say something else in the manifest."""

    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **facts}).encode()

    return change


def stripped(members: dict[str, bytes]) -> None:
    del members["SHA256SUMS.sig"]


def forgotten(members: dict[str, bytes]) -> None:
    stripped(members)
    said(signature=None)(members)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(House(tmp_path_factory.mktemp("project")))


@pytest.fixture
def world(reviewed: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    def public(session: Any, key_id: str, *, option: str) -> Kms:
        assert key_id == KEY
        return THE_KEY

    monkeypatch.setattr(hand_over, "KmsPublicKey", public)
    first = reviewed.now
    yield reviewed
    reviewed.restore(first)


Opening = Callable[[World], Any]


def other_pull_request(world: World) -> bytes:
    """Its files are the same where Terraform reads them, but it is another commit."""
    content = world.pack(consents=("--allow-destroy=*",))
    (world.house.root / "notes.md").write_text("another one")
    world.commit("another pull request", "notes.md")
    return content


def replaced(world: World) -> Any:
    """Somebody who may write to the bucket replaces the object by another bundle, which is signed as well."""
    approved, other = world.pack(), world.pack(consents=("--allow-destroy=*",))
    place = Folder("plans", "ci/").object("prod", approved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hand_over, "store_of", lambda _: Store({place.key: other}))
        return world.opened(str(place))


class Store:
    """S3, as `BundleStore` reaches it."""

    def __init__(self, held: dict[str, bytes]) -> None:
        self.held = held

    def put(self, target: Stored, content: bytes) -> str | None:
        assert target.key not in self.held
        self.held[target.key] = content
        return "aws:kms"

    def get(self, source: Stored, limit: int) -> bytes:
        content = self.held[source.key]
        source.demand(content)
        return content


REFUSED: dict[str, tuple[Opening, str]] = {
    # Replay
    "replay: an older plan that is still valid, of another run": (
        lambda w: w.open(w.pack(run=f"{RUN}6"), Demands(KEY, "this"), **IN_RUN),
        f"planned in another run: {RUN}6; demanded is {RUN}",
    ),
    "replay: a plan that was made outside of any run": (
        lambda w: w.open(w.pack(run=None), Demands(KEY, RUN)),
        f"planned in another run: outside of a pipeline; demanded is {RUN}",
    ),
    "replay: where no run is known that it could be of": (
        lambda w: w.open(w.pack(), Demands(KEY, "this")),
        "this is not a run of a pipeline that the toolkit knows",
    ),
    "replay: one that was applied already": (
        lambda w: w.open(w.pack(state_serial=6)),
        "the state has moved on since this was planned: state_serial was 6, is 7 now",
    ),
    "replay: one of a state that was deleted": (
        lambda w: w.open(w.pack(state_lineage="77aa")),
        "the state has moved on since this was planned: state_lineage was",
    ),
    "replay: an expired one": (
        lambda w: w.open(w.pack(expires="2026-01-02T00:00:00+00:00")),
        "the plan expired at 2026-01-02T00:00:00+00:00",
    ),
    "replay: its expiry is edited": (
        lambda w: w.open(
            edited(w.pack(expires="2026-01-02T00:00:00+00:00"), said(expires="2999-01-01T00:00:00+00:00"))
        ),
        f"its signature is not that of {KEY} over this bundle",
    ),
    # Swap
    "swap: another environment's": (
        lambda w: w.open(w.pack(environment="dev")),
        "a plan for 'dev', not for 'prod'",
    ),
    "swap: another environment's, renamed": (
        lambda w: w.open(edited(w.pack(environment="dev"), said(environment="prod"))),
        f"its signature is not that of {KEY} over this bundle",
    ),
    "swap: another environment's object in S3": (
        lambda w: w.opened(f"s3://plans/ci/dev/{'0' * 64}.tfbundle"),
        "a plan for 'dev', not for 'prod'",
    ),
    "swap: another account's": (
        lambda w: w.open(w.pack(account_id="444455556666")),
        'account_id differs: planned with "444455556666", now "111122223333"',
    ),
    "swap: one of the embedded AWS": (
        lambda w: w.open(w.pack(simulator="moto")),
        'simulator differs: planned with "moto", now null',
    ),
    "swap: another pull request's": (
        lambda w: w.open(other_pull_request(w)),
        "whose files are not those of the commit that is checked out: another pull request's",
    ),
    "swap: made from other files": (
        lambda w: w.open(w.pack(files={"modules/config/main.tf": "0"}, rendered_sha256="0" * 64)),
        "the files are not those that it was made from",
    ),
    "swap: another plan under the signature of this one": (
        lambda w: w.open(edited(w.pack(), lambda m: m.update({"plan.tfplan": b"another"}))),
        f"its signature is not that of {KEY} over this bundle",
    ),
    "swap: more consents than were signed": (
        lambda w: w.open(edited(w.pack(), said(consents=["--allow-destroy=*"]))),
        f"its signature is not that of {KEY} over this bundle",
    ),
    "swap: the object was replaced": (replaced, "not the bundle that was saved there: its SHA-256 is"),
    # Downgrade
    "downgrade: unsigned": (lambda w: w.open(w.pack(None)), f"not signed, though a signature of {KEY} is required"),
    "downgrade: the signature left out": (
        lambda w: w.open(edited(w.pack(), stripped)),
        "its manifest says that it is signed, and there is no signature",
    ),
    "downgrade: a signature that the manifest does not know": (
        lambda w: w.open(edited(w.pack(), said(signature=None))),
        "it has a signature, and its manifest says that it is not signed",
    ),
    "downgrade: the signature left out everywhere": (
        lambda w: w.open(edited(w.pack(), forgotten)),
        f"not signed, though a signature of {KEY} is required",
    ),
    "downgrade: another algorithm": (
        lambda w: w.open(w.pack(ED25519)),
        f"signed by the algorithm Ed25519; {KEY} signs by ECDSA_SHA_256",
    ),
    "downgrade: an algorithm that is none": (
        lambda w: w.open(edited(w.pack(), said(signature=dataclasses.asdict(THE_KEY.signed) | {"algorithm": "none"}))),
        "its manifest.json cannot be read: signature.algorithm",
    ),
    "downgrade: another key of the same kind": (
        lambda w: w.open(w.pack(ANOTHER_KEY)),
        f"signed with another key than {KEY}: {KEY_ARN}",
    ),
    "downgrade: another key that claims to be this one": (
        lambda w: w.open(w.pack(Claiming(THE_KEY.signed))),
        f"its signature is not that of {KEY} over this bundle",
    ),
    "downgrade: a manifest of an earlier toolkit": (
        lambda w: w.open(edited(w.pack(), said(format=1))),
        "a bundle of format 1, which cannot be signed; this toolkit reads format 2",
    ),
    "downgrade: not encrypted where a key is given": (
        lambda w: w.open(w.pack(), keys=SEALED),
        "not encrypted, though the key of TOOLKIT_BUNDLE_KEY is given",
    ),
}
"""What arrives → how it is refused where --require-signature (and, for runs, --require-run) is given."""


def test_what_was_planned_and_signed_is_taken(world: World):
    """Else every refusal below would prove nothing."""
    assert world.open(world.pack()).manifest.environment == "prod"
    assert world.open(world.pack(), Demands(KEY, "this"), **IN_RUN)
    assert world.open(world.pack(), Demands(KEY, f"{RUN}/attempts/3"))
    assert world.open(world.pack(keys=SEALED), keys=SEALED)
    # The same files under another commit: what a merge of an up-to-date branch makes.
    content = world.pack()
    world.commit("merged")
    assert world.open(content).manifest.git_commit != world.now


@pytest.mark.parametrize(("opening", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_and_named(world: World, opening: Opening, problem: str):
    with pytest.raises(BadPlanError) as caught:
        opening(world)
    assert problem in caught.value.problem
    assert caught.value.exit_code is ExitCode.BAD_PLAN
    old = {"the plan expired": "expired", "the state has moved on": "stale"}
    assert caught.value.as_data()["reason"] == next((r for p, r in old.items() if p in problem), "unproven")
    assert caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize("planned", ["its tree", None])
@pytest.mark.parametrize("git", ["dubious", "missing"])
def test_where_git_does_not_answer_nothing_is_proven(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planned: str | None, git: str
):
    """Neither side's answer is no answer that fits: another commit's plan would pass."""
    content = world.pack(git_tree=planned and world.tree, git_commit=planned and world.now)
    monkeypatch.setenv("PATH", str(tmp_path))
    if git == "dubious":
        fake = tmp_path / "git"
        fake.write_text("#!/bin/sh\necho 'fatal: detected dubious ownership in repository at /x' >&2\nexit 128\n")
        fake.chmod(0o755)
    with pytest.raises(BadPlanError) as caught:
        world.open(content)
    assert caught.value.exit_code is ExitCode.BAD_PLAN
    assert "safe.directory" in (caught.value.hint or "")
    if planned is None:
        assert "planned where git named no commit" in caught.value.problem
    elif git == "missing":
        assert "git is not installed, or not on PATH here" in caught.value.problem
    else:
        assert caught.value.detail == "fatal: detected dubious ownership in repository at /x"


def test_a_plan_without_a_commit_is_refused_where_git_answers(world: World):
    with pytest.raises(BadPlanError, match="planned where git named no commit"):
        world.open(world.pack(git_tree=None, git_commit=None))


DEMANDED: dict[str, tuple[dict[str, Any], Opening, str]] = {
    "unsigned": ({"require_signature": KEY}, lambda w: w.open(w.pack(None), Demands()), "not signed, though"),
    "of another key": (
        {"require_signature": KEY},
        lambda w: w.open(w.pack(ANOTHER_KEY), Demands()),
        f"signed with another key than {KEY}",
    ),
    "of another commit": (
        {"require_signature": KEY},
        lambda w: w.open(other_pull_request(w), Demands()),
        "another pull request's",
    ),
    "not attested": (
        {"require_signature": WORKFLOW},
        lambda w: w.open(w.pack(), Demands(KEY), PATH=str(w.house.tools)),
        "gh finds no attestation",
    ),
    "not encrypted": (
        {"require_encryption": True},
        lambda w: w.open(w.pack(None), Demands()),
        "not encrypted, though bundle.require_encryption in environment.yaml demands it",
    ),
    "encrypted by whoever": (
        {"require_encryption": True},
        lambda w: w.open(w.pack(None, BY_KMS), Demands(), keys=ANY_KMS_KEY),
        "no key is given: any other key could have encrypted it",
    ),
    "of another run": (
        {"require_run": True},
        lambda w: w.open(w.pack(None, run=f"{RUN}6"), Demands(), **IN_RUN),
        "planned in another run",
    ),
}
"""What arrives → how it is refused where the environment demands it, and no option does."""


@pytest.mark.parametrize(("settings", "opening", "problem"), DEMANDED.values(), ids=DEMANDED.keys())
def test_what_the_environment_demands_needs_no_option(
    world: World, settings: dict[str, Any], opening: Opening, problem: str
):
    stand_in(world.house, "sys.exit('no attestations found')")
    world.demands(**settings)
    with pytest.raises(BadPlanError) as caught:
        opening(world)
    assert problem in caught.value.problem


def missing(settings: BundleSettings, **given: Any) -> list[str]:
    """What a plan lacks that has everything else."""
    session: Any = SimpleNamespace(environment=SimpleNamespace(name="prod", simulator=None, bundle=settings))
    good = {"sandbox": False, "encrypted": True, "signed": THE_KEY.signed, "run": RUN, "git_tree": "d" * 40}
    return [one.split(" (")[0] for one in hand_over.missing_at_plan(session, **{**good, **given})]


def test_a_plan_that_would_be_refused_is_said_so_when_it_is_made():
    settings = BundleSettings(require_signature=KEY_ARN, require_encryption=True, require_run=True)
    lacking = {"encrypted": False, "signed": None, "run": None}
    assert missing(settings, **lacking) == ["not signed", "not encrypted", "not planned in a run of a pipeline"]
    assert missing(settings) == missing(settings, **lacking, sandbox=True) == []
    assert missing(settings, git_tree=None) == ["git names no commit here, which a signed plan needs"]
    assert missing(BundleSettings(), git_tree=None) == []
    # A later step attests it.
    assert missing(BundleSettings(require_signature=WORKFLOW), signed=None) == []


def test_a_plan_that_another_key_signs_is_said_so_when_it_is_made(monkeypatch: pytest.MonkeyPatch):
    another = Kms(KEY_ARN.replace("1234abcd", "5678abcd"))

    def public(session: Any, key_id: str, *, option: str) -> Kms:
        if key_id == "alias/denied":
            raise ToolkitError("kms:GetPublicKey: AccessDenied")
        return THE_KEY

    monkeypatch.setattr(hand_over, "KmsPublicKey", public)
    for demanded in (KEY, KEY_ARN):
        settings = BundleSettings(require_signature=demanded)
        assert missing(settings) == []
        assert missing(settings, signed=another.signed) == [f"signed with another key: {another.arn}"]
        assert missing(settings, signed=ED25519.signed) == [
            f"signed with another key: {ED25519.signed.public_key_sha256}"
        ]
    (told,) = missing(BundleSettings(require_signature="alias/denied"))
    assert "cannot be compared here: kms:GetPublicKey: AccessDenied" in told


def test_an_option_takes_nothing_from_what_the_environment_demands(world: World, tmp_path: Path):
    world.demands(require_signature=KEY)
    file = tmp_path / "key.pub.pem"
    private = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    file.write_bytes(private.public_key().public_bytes(serialization.Encoding.PEM, form))
    content = world.pack(FileSigner(private))
    with pytest.raises(BadPlanError, match="signed by the algorithm Ed25519"):
        world.open(content, Demands(str(file)))
    world.house.write()
    assert world.open(content, Demands(str(file)))


@pytest.mark.parametrize(
    "settings", [{"require_signature": KEY}, {"require_encryption": True}, {"require_run": True}], ids=str
)
@pytest.mark.parametrize(
    "command", [["apply", "prod"], ["apply", "prod", "--auto-approve"], ["destroy", "prod", "--auto-approve"]], ids=str
)
def test_no_command_applies_a_plan_of_its_own(
    world: World,
    settings: dict[str, Any],
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    world.demands(**settings)
    monkeypatch.chdir(world.house.root)
    try:
        assert cli(command) == ExitCode.BAD_PLAN
    finally:
        console.Settings.chdir = None
    assert f"only a saved one may be applied (bundle.{next(iter(settings))})" in capsys.readouterr().err
    assert world.house.commands == []


def test_what_is_about_to_be_applied_is_asked_again(world: World):
    """A plan that came another way than by `open_bundle`, such as one that was made just now."""
    settings = BundleSettings(require_signature=KEY, require_encryption=True, require_run=True)
    environment: Any = SimpleNamespace(name="prod", simulator=None, bundle=settings)
    bundle = bundles.parse(world.pack(), Path("x"))
    with pytest.raises(BadPlanError, match=r"require_signature and bundle\.require_encryption and bundle\.require_run"):
        demand_proven(environment, None, bundle)
    proven = frozenset({KEY, hand_over.ENCRYPTED, hand_over.SAME_RUN})
    demand_proven(environment, None, dataclasses.replace(bundle, proven=proven))
    for one in proven:
        with pytest.raises(BadPlanError, match="not proven"):
            demand_proven(environment, None, dataclasses.replace(bundle, proven=proven - {one}))
    # With --sandbox, nothing reaches the account that is protected; an environment of the embedded AWS means itself.
    demand_proven(environment, "moto", bundle)
    own: Any = SimpleNamespace(name="prod", simulator="moto", bundle=settings)
    with pytest.raises(BadPlanError):
        demand_proven(own, "moto", bundle)


# S3


def test_by_way_of_s3(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    store = Store({})
    monkeypatch.setattr(hand_over, "store_of", lambda _: store)
    content = world.pack()
    target = Folder("plans", "ci/").object("prod", content)
    told: Any = SimpleNamespace(stage=lambda _: None, warning=pytest.fail)
    hand_over.save_stored(None, target, content, told)  # type: ignore[arg-type]
    assert str(target) == f"s3://plans/ci/prod/{hashlib.sha256(content).hexdigest()}.tfbundle"
    reference = tmp_path / "prod.tfbundle"
    reference.write_bytes(target.reference)
    for plan in (str(target), str(reference)):
        found = world.opened(plan)
        assert found.path == target
        assert found.plan == bundles.parse(content, Path("x")).plan


def test_a_plan_that_is_not_saved_is_said_to_be_in_reports(world: World, monkeypatch: pytest.MonkeyPatch):
    def put(*_: Any) -> None:
        raise ToolkitError("s3:PutObject failed", hint="nothing was saved")

    monkeypatch.setattr(hand_over, "store_of", lambda _: SimpleNamespace(put=put))
    observer: Any = SimpleNamespace(stage=lambda _: None)
    content = world.pack()
    with pytest.raises(ToolkitError, match="PutObject") as caught:
        hand_over.save_stored(None, Folder("plans", "").object("prod", content), content, observer)  # type: ignore[arg-type]
    assert "shown and reported, but not saved" in str(caught.value.detail)


def test_a_bucket_without_a_kms_key_is_said(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hand_over, "store_of", lambda _: SimpleNamespace(put=lambda *_: "AES256"))
    told: list[str] = []
    observer: Any = SimpleNamespace(stage=lambda _: None, warning=told.append)
    for content in (world.pack(), world.pack(keys=SEALED)):
        hand_over.save_stored(None, Folder("plans", "").object("prod", content), content, observer)  # type: ignore[arg-type]
    assert len(told) == 1
    assert "S3 encrypted the plan with AES256" in told[0]


# Attestations

GH = """#!{python}
import hashlib, json, os, sys
with open({log!r}, "w") as log:
    file = sys.argv[3]
    mode = oct(os.stat(file).st_mode & 0o777)
    json.dump({{"arguments": sys.argv[1:], "environ": dict(os.environ), "mode": mode}}, log)
sha256 = hashlib.sha256(open(file, "rb").read()).hexdigest()
{body}
"""


def stand_in(house: House, body: str) -> Path:
    """A script in place of gh; returns where it notes how it was called."""
    script, log = house.tools / "gh", house.root / "gh.json"
    script.write_text(GH.format(python=sys.executable, log=str(log), body=body))
    script.chmod(0o755)
    return log


def attestation(world: World, **changed: Any) -> dict[str, Any]:
    """What gh prints of a genuine one; keys of the certificate, or `digest` and `predicate`, may be changed."""
    repository = "https://github.com/example/accounts"
    certificate = {
        "certificateIssuer": "CN=sigstore-intermediate,O=sigstore.dev",
        "subjectAlternativeName": f"{repository}/.github/workflows/baseline.yml@refs/heads/main",
        "issuer": "https://token.actions.githubusercontent.com",
        "buildSignerURI": f"{repository}/.github/workflows/baseline.yml@refs/heads/main",
        "runnerEnvironment": "github-hosted",
        "sourceRepositoryURI": repository,
        "sourceRepositoryDigest": world.now,
        "sourceRepositoryRef": "refs/heads/main",
        "runInvocationURI": f"{RUN}/attempts/1",
        **{k: v for k, v in changed.items() if k not in ("digest", "predicate")},
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": changed.get("predicate", "https://slsa.dev/provenance/v1"),
        "subject": [{"name": "prod.tfbundle", "digest": {"sha256": changed.get("digest", "SHA256")}}],
    }
    return {
        "attestation": {},
        "verificationResult": {"signature": {"certificate": certificate}, "statement": statement},
    }


def answering(house: House, *found: dict[str, Any]) -> Path:
    return stand_in(house, f"print({json.dumps(found)!r}.replace('SHA256', sha256))")


def test_an_attested_one_is_taken(world: World):
    log = answering(world.house, attestation(world, predicate="https://spdx.dev/Document"), attestation(world))
    secrets = {"AWS_SECRET_ACCESS_KEY": "x", "TOOLKIT_BUNDLE_KEY": base64.b64encode(bytes(32)).decode()}
    more = {"GH_TOKEN": "t", "GH_HOST": "elsewhere.example", "GH_DEBUG": "api", "HTTPS_PROXY": "http://proxy"}
    assert world.open(world.pack(None), Demands(WORKFLOW), **secrets, **more)
    called = json.loads(log.read_text())
    arguments = called["arguments"]
    assert arguments[:2] == ["attestation", "verify"]
    assert called["mode"] == "0o600"
    assert not Path(arguments[2]).exists()
    options = dict(zip(arguments[3::2], arguments[4::2], strict=True))
    assert options == {
        "--repo": "example/accounts",
        "--signer-workflow": "example/accounts/.github/workflows/baseline.yml",
        "--source-ref": "refs/heads/main",
        "--predicate-type": "https://slsa.dev/provenance/v1",
        "--hostname": "github.com",
        "--format": "json",
    }
    environ = called["environ"]
    assert (environ["GH_TOKEN"], environ["HTTPS_PROXY"]) == ("t", "http://proxy")
    assert not {*secrets, "GH_HOST", "GH_DEBUG", "AWS_ACCESS_KEY_ID"} & set(environ)


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "another workflow": (
        {
            "buildSignerURI": "https://github.com/example/accounts/.github/workflows/baseline.yml.evil.yml@refs/heads/main"
        },
        "it was made by https://github.com/example/accounts/.github/workflows/baseline.yml.evil.yml@refs/heads/main",
    ),
    "the workflow of another branch": (
        {"buildSignerURI": "https://github.com/example/accounts/.github/workflows/baseline.yml@refs/heads/mine"},
        "baseline.yml@refs/heads/mine, not by",
    ),
    "another repository": (
        {"sourceRepositoryURI": "https://github.com/example/accounts-2"},
        "it was made for the repository https://github.com/example/accounts-2",
    ),
    "a pull request": (
        {"sourceRepositoryRef": "refs/pull/5/merge"},
        "it was made at refs/pull/5/merge, not at refs/heads/main",
    ),
    "another commit": ({"sourceRepositoryDigest": "0" * 40}, f"it was made at the commit {'0' * 40}"),
    "another run": ({"runInvocationURI": f"{RUN}0/attempts/1"}, f"it was made in the run {RUN}0/attempts/1"),
    "another issuer": ({"issuer": "https://token.example.com"}, "it was issued for https://token.example.com"),
    "another file": ({"digest": "0" * 64}, "it is of another file"),
    "another kind": ({"predicate": "https://spdx.dev/Document"}, "it is of the kind https://spdx.dev/Document"),
}


@pytest.mark.parametrize(("changed", "why"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_attestation_does_not_count(world: World, changed: dict[str, Any], why: str):
    answering(world.house, attestation(world, **changed))
    with pytest.raises(BadPlanError, match="no attestation of it that counts") as caught:
        world.open(world.pack(None), Demands(WORKFLOW))
    assert why in caught.value.problem


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        ("print('[]')", BadPlanError, "no attestation of it that counts: there is none"),  # gh 2.49 to 2.66 end with 0
        ("print('')", BadPlanError, "what gh says of its attestation cannot be read"),
        ("print('[{}]')", BadPlanError, "what gh says of its attestation cannot be read"),
        ("sys.exit('no attestations found')", BadPlanError, "gh finds no attestation of it by https://github.com/"),
        ("sys.exit(4)", ToolkitError, "gh is not logged in"),
    ],
)
def test_what_gh_answers(world: World, body: str, kind: type[ToolkitError], problem: str):
    stand_in(world.house, body)
    with pytest.raises(kind) as caught:
        world.open(world.pack(None), Demands(WORKFLOW))
    assert problem in caught.value.problem
    assert (caught.value.exit_code is ExitCode.BAD_PLAN) == (kind is BadPlanError)
    if "sys.exit('" in body:
        assert "no attestations found" in str(caught.value.detail)


def test_without_gh(world: World):
    with pytest.raises(ToolkitError, match=r"GitHub's CLI \(gh\).*is not installed"):
        world.open(world.pack(None), Demands(WORKFLOW), PATH=str(world.house.root))


# Options


@pytest.mark.parametrize(
    ("demands", "problem"),
    [
        (Demands("github:example/accounts"), "does not name a workflow"),
        (Demands("github:example/accounts/.github/workflows/x.yml@main"), "does not name a workflow"),
        (Demands("github:a/b/../.github/workflows/x.yml@refs/heads/main"), "does not name a workflow"),
        (Demands("arn:aws:kms:eu-central-1:1:key/x"), "names no key"),
        (Demands("alias/"), "names no key"),
        (Demands(None, "that"), "'that' is not a run of a pipeline"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_meant(world: World, demands: Demands, problem: str):
    with pytest.raises(UsageError) as caught:
        world.open(world.pack(), demands)
    assert problem in caught.value.problem
    assert caught.value.hint
