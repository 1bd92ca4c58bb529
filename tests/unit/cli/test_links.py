"""A project is what is in it: links, pipes and devices are refused by name, at once, before Terraform runs.

Every place where one could stand and every command that would read or write there.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from toolkit.cli import console
from toolkit.cli.main import run
from toolkit.errors import UsageError
from toolkit.rendering import vendored
from toolkit.workflows.plan import make_room

ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'
TERRAFORM = """#!/bin/sh
test "$1" = version && echo "Terraform v1.11.4" && exit
touch {log}
exit 1
"""
HERE = Path(__file__).parents[3]

Told = Callable[..., str]


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A rendered project, which each test takes a copy of."""
    root = tmp_path_factory.mktemp("project")
    (root / "environments" / "prod").mkdir(parents=True)
    (root / "environments" / "prod" / "environment.yaml").write_text(ENVIRONMENT)
    shutil.copytree(HERE / "modules", root / "modules", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    assert run(["-C", str(root), "render"]) == 0
    (root / "environments/prod/rendered/.terraform.lock.hcl").write_text("")
    for folder in ("terraform", "logs"):
        (root / "environments/prod/.toolkit" / folder).mkdir(parents=True)
    (root / "environments/prod/policies").mkdir()
    for name in ("terraform.tfstate", "terraform.tfstate.backup", "policies/own.json"):
        (root / "environments/prod" / name).write_text("")
    (root / ".toolkit" / "sandbox").mkdir(parents=True)
    yield root
    assert vendored.different(root / "modules") == (), "a test wrote through a link: delete the file first"


@pytest.fixture
def project(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "project"
    shutil.copytree(laid_out, root, ignore=lambda folder, _: ["modules"] * (Path(folder) == laid_out))
    # 254 files, which no test writes to: as hard links, at a fraction of the time.
    shutil.copytree(laid_out / "modules", root / "modules", copy_function=os.link)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "terraform").write_text(TERRAFORM.format(log=shlex.quote(str(tmp_path / "ran"))))
    (tools / "terraform").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "TOOLKIT_BUNDLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(root)
    yield root
    console.Settings.chdir = None


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Told]:
    """Runs a command that must be refused, within seconds and without Terraform; gives all it printed, unwrapped."""

    def hung(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hung)

    def call(*command: str, exits: int = 1) -> str:
        signal.alarm(20)
        code = run(command)
        signal.alarm(0)
        out, err = capsys.readouterr()
        assert code == exits, f"exit {code}\n{out}\n{err}"
        assert "Traceback" not in err
        assert not (tmp_path / "ran").exists(), "Terraform ran"
        return " ".join((out + err).split())

    yield call
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


RENDERS = (("render",), ("render", "--check"), ("validate", "prod"))
RUNS = (
    ("plan", "prod"),
    ("apply", "prod", "--auto-approve"),
    ("destroy", "prod", "--auto-approve"),
    ("drift", "prod"),
    ("adopt", "prod", "--yes"),
    ("release", "prod", "--yes"),
    ("output", "prod"),
    ("controls", "prod"),
    ("unlock", "prod"),
)
NEEDS_BUNDLE = (("apply", "prod", "--plan", "no.tfbundle"),)
OTHERS = (("lock", "prod"), ("bootstrap", "prod"))
DOCTOR = (("doctor",), ("doctor", "prod"))
NEW = ("new", "prod2", "--account-id", "123456789012", "--region", "eu-west-1")
INIT = (("init", ".", "--pipeline", "none"), ("init", ".", "--upgrade"))
SANDBOX = (("sandbox", "up"), ("sandbox", "status"), ("sandbox", "down"))

EVERY = (*RENDERS, *RUNS, *NEEDS_BUNDLE, *OTHERS, *DOCTOR)
TERRAFORM_READS = (*RENDERS, *RUNS, ("lock", "prod"), *DOCTOR)
PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "environments": (*EVERY, NEW, *INIT),
    "environments/prod": EVERY,
    "environments/prod/environment.yaml": EVERY,
    "environments/prod/rendered": EVERY,
    "environments/prod/rendered/versions.tf": EVERY,
    "environments/prod/rendered/.terraform.lock.hcl": EVERY,
    "environments/prod/terraform.tfstate": EVERY,
    "environments/prod/terraform.tfstate.backup": EVERY,
    "environments/prod/policies/own.json": EVERY,
    "environments/prod/.toolkit": EVERY,
    "environments/prod/.toolkit/terraform": EVERY,
    "environments/prod/.toolkit/logs": EVERY,
    "modules": (*EVERY, NEW, *INIT),
    "modules/password_policy": TERRAFORM_READS,
    "modules/password_policy/main.tf": TERRAFORM_READS,
    "modules/shared": TERRAFORM_READS,
    "modules/shared/log_bucket": TERRAFORM_READS,
    "modules/shared/log_bucket/main.tf": TERRAFORM_READS,
    "modules/cloudtrail/README.md": TERRAFORM_READS,
    ".toolkit": SANDBOX,
    ".toolkit/sandbox": SANDBOX,
}


def all_of(refusals: Iterable[tuple[tuple[str, ...], str, str]]) -> None:
    """Each (command, what it must say, what it said): all failures at once, since many commands share a project."""
    missing = [f"{' '.join(command)}: {said}" for command, wanted, said in refusals if wanted not in said]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("leads", ["out", "into the project"])
@pytest.mark.parametrize("place", PLACES)
def test_a_link_is_refused_by_name(project: Path, told: Told, tmp_path: Path, place: str, leads: str):
    """By every command, in one project: what is refused changes nothing, which is looked at, too."""
    path = project / place
    target = (tmp_path if leads == "out" else project) / "elsewhere"
    path.rename(target)
    path.symlink_to(target)
    wanted = f"{path}: a symbolic link to {target}"
    commands = PLACES[place] if leads == "out" else PLACES[place][::6]
    before = everything(tmp_path)
    all_of((command, wanted, told(*command)) for command in commands)
    assert everything(tmp_path) == before


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """What is in a folder but for adopt's lock: mode and size of each thing, links not followed."""
    return {
        entry.path: (found.st_mode, found.st_size)
        for root, _, _ in os.walk(folder)
        for entry in os.scandir(root)
        if not stat.S_ISDIR((found := entry.stat(follow_symlinks=False)).st_mode) and entry.name != "edit.lock"
    }


def test_without_links_these_commands_come_further(project: Path, told: Told, capsys: pytest.CaptureFixture[str]):
    """Else every refusal above would prove nothing."""
    assert run(["render", "--check"]) == 0
    capsys.readouterr()
    for command in (*RUNS, ("doctor", "prod"), ("bootstrap", "prod")):
        code = run(command)
        out, err = capsys.readouterr()
        assert code in (1, 5, 64)
        assert "symbolic link" not in out + err
    assert "no.tfbundle: cannot be read" in told(*NEEDS_BUNDLE[0], exits=7)


@pytest.mark.parametrize("place", [place for place, commands in PLACES.items() if ("doctor",) in commands])
def test_doctor_shows_its_whole_table_all_the_same(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
):
    other = project / "environments" / "stage"
    shutil.copytree(project / "environments" / "prod", other)
    (other / "errored.tfstate").write_text("{")
    (project / place).rename(tmp_path / "elsewhere")
    (project / place).symlink_to(tmp_path / "elsewhere")
    assert run(["doctor"]) == 1
    rows = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert rows[:7] == ["CHECK", "toolkit", "terraform", "provider", "sandbox", "project", "modules"]
    if place != "environments":
        assert "environment prod" in rows
        assert "environment stage" in rows
    if place.startswith("environments/"):
        assert "state of stage" in rows


def test_a_dangling_link_is_no_missing_environment(project: Path, told: Told):
    (project / "environments" / "stage").symlink_to("/nowhere")
    assert "stage: a symbolic link to /nowhere" in told("plan", "stage")
    assert "stage: a symbolic link to /nowhere" in told(
        "new", "stage", "--account-id", "1" * 12, "--region", "eu-west-1"
    )


def test_a_file_that_is_edited_in_emacs_is_called_so(project: Path, told: Told):
    (project / "environments" / "prod" / ".#environment.yaml").symlink_to("ann@host.123:456")
    assert "an editor has unsaved changes of environment.yaml: save it" in told("plan", "prod")


def test_the_installation_may_be_made_of_links(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Package managers link files from their cache."""
    linked = tmp_path / "linked"
    shutil.copytree(
        HERE / "modules",
        linked,
        ignore=shutil.ignore_patterns(".terraform*"),
        copy_function=lambda source, target: Path(target).symlink_to(source),
    )
    monkeypatch.setattr(vendored, "data_dir", lambda _: linked)
    assert vendored.unexpected(project / "modules") == ()
    assert vendored.different(project / "modules") == ()
    (project / "modules/shared/log_bucket/main.tf").unlink()
    (project / "modules/shared/log_bucket/main.tf").write_text("")
    (project / "modules/shared/evil.tf").write_text("")
    assert vendored.unexpected(project / "modules") == ("shared/evil.tf",)
    assert vendored.different(project / "modules") == ("shared/log_bucket/main.tf",)


def test_folders_above_the_project_may_be_links(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """As macOS's /tmp is, or a home on another disk."""
    (tmp_path / "way").symlink_to(tmp_path)
    (tmp_path / "direct").symlink_to(project)
    for start in ("way/project", "direct", "way/direct/environments/prod"):
        assert run(["-C", str(tmp_path / start), "render", "--check"]) == 0
    assert run(["init", str(tmp_path / "way" / "fresh"), "--pipeline", "github"]) == 0
    assert run(["init", str(tmp_path / "direct"), "--upgrade"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("place", [".github", ".github/workflows", ".gitignore", ".modules.new", ".modules.old"])
def test_init_writes_through_no_link(project: Path, told: Told, tmp_path: Path, place: str):
    path = project / place
    path.parent.mkdir(exist_ok=True)
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    assert f"{path}: a symbolic link" in told("init", ".", "--pipeline", "github", "--upgrade")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_linked_scratch_folder_keeps_its_permissions(project: Path, told: Told, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    elsewhere.chmod(0o755)
    scratch = project / "environments/prod/.toolkit"
    shutil.rmtree(scratch)
    scratch.symlink_to(elsewhere)
    told("plan", "prod")
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    assert list(elsewhere.iterdir()) == []


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has some hundred bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _folder(path: Path) -> None:
    path.mkdir()


KINDS: dict[str, Callable[[Path], None]] = {"a named pipe": _pipe, "a socket": _socket}
FILES: dict[str, tuple[tuple[str, ...], ...]] = {
    "environments/prod/environment.yaml": (*RENDERS, *RUNS, ("doctor",)),
    "environments/prod/rendered/versions.tf": (*RENDERS, *RUNS, ("doctor",)),
    "environments/prod/rendered/own.tf": (*RENDERS, *RUNS, ("doctor",)),
    "environments/prod/rendered/.terraform.lock.hcl": (*RENDERS, *RUNS, ("doctor",)),
    "modules/password_policy/main.tf": (*RENDERS, *RUNS, ("doctor",)),
    "modules/shared/log_bucket/evil.tf": (*RENDERS, *RUNS, ("doctor",)),
    "environments/prod/.toolkit/initialized": RUNS,
}


@pytest.mark.parametrize("place", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_at_once(project: Path, told: Told, tmp_path: Path, place: str, kind: str):
    path = project / place
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    before = everything(tmp_path)
    said = {command: told(*command) for command in FILES[place]}
    assert everything(tmp_path) == before
    for wanted in (place, f"{kind}, not a file"):
        all_of((command, wanted, text) for command, text in said.items())


def test_a_folder_named_like_the_environment_file_is_no_file(project: Path, told: Told):
    (project / "environments/prod/environment.yaml").unlink()
    (project / "environments/prod/environment.yaml").mkdir()
    assert "environments/prod/environment.yaml: cannot be read: a folder, not a file" in told("render")


def test_what_terraform_links_itself_is_no_link_of_the_project(project: Path, capsys: pytest.CaptureFixture[str]):
    """Providers from a mirror, and the data folder of whoever runs Terraform by hand."""
    for place in (
        "environments/prod/.toolkit/terraform/providers",
        "environments/prod/rendered/.terraform/providers",
        "modules/password_policy/.terraform/providers",
    ):
        (project / place).mkdir(parents=True)
        (project / place / "registry.terraform.io").symlink_to("/opt")
    assert run(["render", "--check"]) == 0
    assert run(["plan", "prod"]) == 5
    assert "symbolic" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [["show"], ["controls", "--plan"], ["apply", "prod", "--plan"]])
@pytest.mark.parametrize("kind", ["a named pipe", "a socket", "a folder", "a device", "a symbolic link"])
def test_what_is_no_file_is_no_bundle(project: Path, told: Told, tmp_path: Path, command: list[str], kind: str):
    path = tmp_path / "x.tfbundle"
    if kind == "a device":
        path = Path("/dev/zero")
    elif kind == "a symbolic link":
        path.symlink_to("/dev/zero")
    else:
        {**KINDS, "a folder": _folder}[kind](path)
    assert f"{path}: {kind}, not a plan bundle" in told(*command, str(path), exits=7)


def test_a_pipe_is_no_place_for_a_bundle(project: Path, told: Told):
    os.mkfifo("out.tfbundle")
    signal.alarm(20)
    with pytest.raises(UsageError, match="not a plan bundle that a new one could replace"):
        make_room(Path("out.tfbundle"), "out.tfbundle")
    signal.alarm(0)
