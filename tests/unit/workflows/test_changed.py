"""Which environments a change alters: each input file edited in turn, and the commits that it is compared with."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.fleet.selection import Changed
from toolkit.paths import Project, data_dir
from toolkit.rendering import render as rendering
from toolkit.rendering.tree import compare, write
from toolkit.workflows import changed
from toolkit.workflows.changed import changed_since
from toolkit.workflows.workspace import read_environment

SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}]}
OWN = "{service_control_policies: {own: {description: x, targets: [ou-ab12-cdefgh34], file: own.json}}}"
BLOCKS = {
    "config": ["config: {}"],
    "groups": ["iam_groups: {}"],
    "guard-1": ["guardduty: {}"],
    "guard-2": ["guardduty: {notifications: {email_addresses: [security@example.com]}}"],
    "import": ["password_policy: {}"],
    "org-1": [f"organization: {OWN}"],
    "org-2": [f"organization: {OWN}"],
    "plain-1": ["password_policy: {}"],
    "plain-2": ["password_policy: {}", "access_analyzer: {}"],
    "release": ["password_policy: {}"],
    "trail-1": ["cloudtrail: {}"],
    "trail-2": ["cloudtrail: {}", "access_analyzer: {}"],
}
MORE = {
    "import": "imports: {module.password_policy.aws_iam_account_password_policy.this: iam-account-password-policy}\n",
    "release": "released: [module.cloudtrail]\n",
}
VENDORED = [
    "access_analyzer",
    "cloudtrail",
    "config",
    "guardduty",
    "iam_groups",
    "macie",
    "organization",
    "password_policy",
    "shared",
]

EVERY = set(BLOCKS)
NONE: set[str] = set()
# What each file of modules/ alters: the longest beginning decides. A module in another one's folder that is not here is
# called by none of these environments.
BY_MODULE = {
    "access_analyzer/": {"plain-2", "trail-2"},
    "cloudtrail/": {"trail-1", "trail-2"},
    "config/": {"config"},
    "config/delivery/": {"config"},
    "guardduty/": {"guard-1", "guard-2"},
    "guardduty/export/": NONE,
    "guardduty/notifications/": {"guard-2"},
    "iam_groups/": {"groups"},
    "macie/": NONE,
    "organization/": {"org-1", "org-2"},
    "organization/administrators/": NONE,
    "password_policy/": {"import", "plain-1", "plain-2", "release"},
    "shared/alert_topic/": {"guard-2"},
    "shared/log_bucket/": {"config", "trail-1", "trail-2"},
    "shared/log_protection/": {"groups"},
    "shared/privileges.json": {"groups"},
}
# No environment applies any of these.
UNREAD = ("README.md", "controls.yaml", "tests")
# What each template alters; one that is not here alters none.
BY_TEMPLATE = {
    "components/access_analyzer.tf.j2": {"plain-2", "trail-2"},
    "components/cloudtrail.tf.j2": {"trail-1", "trail-2"},
    "components/config.tf.j2": {"config"},
    "components/guardduty.tf.j2": {"guard-1", "guard-2"},
    "components/iam_groups.tf.j2": {"groups"},
    "components/organization.tf.j2": {"org-1", "org-2"},
    "components/password_policy.tf.j2": {"import", "plain-1", "plain-2", "release"},
    "macros/component.tf.j2": EVERY,
    "root/backend.tf.j2": EVERY,
    "root/imports.tf.j2": {"import"},
    "root/outputs.tf.j2": EVERY,
    "root/providers.tf.j2": EVERY,
    "root/removed.tf.j2": {"release"},
    "root/versions.tf.j2": EVERY,
}


def git(folder: Path, *arguments: str) -> str:
    config = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *config, *arguments], cwd=folder, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout


def commit(project: Project) -> None:
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--allow-empty", "--message", "x")


def add(project: Project, name: str, blocks: list[str], *, account: int, more: str = "") -> None:
    folder = project.root / "environments" / name
    folder.mkdir(parents=True)
    components = "".join(f"  {block}\n" for block in blocks)
    (folder / "own.json").write_text(json.dumps(SCP))
    (folder / "environment.yaml").write_text(
        f'account_id: "{account:012}"\nregions: {{home: eu-central-1}}\n{more}components:\n{components}'
    )


def render(project: Project, *names: str) -> None:
    for name in names:
        paths, environment = read_environment(project, name)
        write(compare(rendering.render(environment), paths.rendered), paths.rendered)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Twelve environments, rendered and committed."""
    root = tmp_path_factory.mktemp("project")
    project = Project(root)
    for number, (name, blocks) in enumerate(BLOCKS.items(), 111111111111):
        add(project, name, blocks, account=number, more=MORE.get(name, ""))
    for name in VENDORED:
        shutil.copytree(
            data_dir("modules") / name, root / "modules" / name, ignore=shutil.ignore_patterns(".terraform")
        )
    render(project, *BLOCKS)
    (root / "environments" / "plain-1" / "rendered" / ".terraform.lock.hcl").write_text("# a lock file\n")
    git(root, "init", "--quiet")
    commit(project)
    return project


@pytest.fixture
def project(committed: Project, tmp_path: Path) -> Project:
    """The same, to be changed at will."""
    shutil.copytree(committed.root, tmp_path / "project")
    return Project(tmp_path / "project")


def since(project: Project, ref: str = "HEAD") -> Changed:
    fresh = Project(project.root)  # which does not know the names of before
    return changed_since(fresh, ref, fresh.names)


Edit = Callable[[str], str]


def after(project: Project, file: Path, edit: Edit) -> set[str]:
    """What has changed when a file is edited, which then is as before."""
    before = file.read_text()
    file.write_text(edit(before))
    assert file.read_text() != before
    try:
        return set(since(project).names)
    finally:
        file.write_text(before)


def edited(text: str) -> str:
    return f"{text}\n# edited\n"


def test_nothing_has_changed(committed: Project):
    assert since(committed) == Changed(frozenset(), ("0 of 12 environments changed since HEAD",))


def test_every_file_of_the_environments(committed: Project):
    folder = committed.root / "environments"
    for name in BLOCKS:
        file = folder / name / "environment.yaml"
        assert after(committed, file, lambda t: t.replace("eu-central-1", "eu-west-1")) == {name}
        assert after(committed, file, lambda t: t.replace("components:", "default_tags: {A: b}\ncomponents:")) == {name}
        assert after(committed, file, edited) == set(), "a comment alters nothing"
        assert after(committed, file, lambda t: f"labels: {{a: b}}\n{t}") == set()
        own = after(committed, folder / name / "own.json", lambda t: t.replace("CreateUser", "DeleteUser"))
        assert own == ({name} if name.startswith("org-") else set())
        # What is rendered is compared, not what lies there: that may be out of date.
        for rendered in (folder / name / "rendered").glob("*.tf"):
            assert after(committed, rendered, edited) == set()
    assert after(committed, folder / "plain-1" / "rendered" / ".terraform.lock.hcl", edited) == {"plain-1"}


def test_every_file_of_the_modules(committed: Project, monkeypatch: pytest.MonkeyPatch):
    # Nothing that is rendered depends on them.
    monkeypatch.setattr(changed, "_tree", cache(changed._tree))
    monkeypatch.setattr(Project, "__hash__", lambda self: hash(self.root))
    modules = committed.root / "modules"
    files = [file for file in sorted(modules.rglob("*")) if file.is_file()]
    used = set()
    for file in files:
        name = file.relative_to(modules).as_posix()
        beginning = max((b for b in BY_MODULE if name.startswith(b)), key=len)
        used.add(beginning)
        nested = any(
            f"{folder}/".startswith(beginning) and f"{folder}/" != beginning for folder in _modules_above(file)
        )
        expected = NONE if nested or set(UNREAD) & set(file.relative_to(modules).parts) else BY_MODULE[beginning]
        assert after(committed, file, edited) == expected, name
    assert used == set(BY_MODULE)
    assert len(files) > 80


def _modules_above(file: Path) -> Iterator[str]:
    """Folders above a file that are modules, from modules/ on: each has its own versions.tf."""
    for folder in file.parents:
        if folder.name == "modules":
            return
        if (folder / "versions.tf").exists():
            yield folder.as_posix().rpartition("/modules/")[2]


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toolkit's templates, to be changed as a new version of it would."""
    folder = tmp_path / "templates"
    shutil.copytree(data_dir("templates"), folder)
    monkeypatch.setattr(rendering, "data_dir", lambda kind: folder if kind == "templates" else data_dir(kind))
    yield folder
    rendering._templates.cache_clear()


def test_every_template(committed: Project, templates: Path):
    for file in sorted(templates.rglob("*")):
        name = file.relative_to(templates).as_posix()
        if file.is_dir() or name.startswith(("reports/", "pipelines/", "project/")):
            continue
        rendering._templates.cache_clear()
        macro = name.startswith("macros/")
        found = after(committed, file, lambda t, m=macro: t.replace("module ", "# edited\nmodule ") if m else edited(t))  # type: ignore[misc]
        assert found == BY_TEMPLATE.get(name, set()), name


def test_a_new_version_of_the_toolkit(committed: Project, monkeypatch: pytest.MonkeyPatch):
    claims = rendering.claims
    monkeypatch.setattr(rendering, "claims", lambda name: () if name == "cloudtrail" else claims(name))
    assert since(committed).names == {"trail-1", "trail-2"}
    monkeypatch.setattr(rendering, "HEADER", "# Generated by a newer toolkit from ")
    assert since(committed).names == EVERY


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cloudtrail/more.tf", "", {"trail-1", "trail-2"}),
        ("cloudtrail/policies/more.json", "{}", {"trail-1", "trail-2"}),
        ("cloudtrail/deeper/main.tf", "", NONE),
        ("cloudtrail/.DS_Store", "", NONE),
        ("cloudtrail/.terraform/x.tf", "", NONE),
        ("own/main.tf", "", NONE),
        ("README.md", "", NONE),
    ],
)
def test_a_file_that_is_new_or_gone(project: Project, name: str, text: str, expected: set[str]):
    file = project.modules / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert since(project).names == expected
    git(project.root, "add", "--all", "--force")
    commit(project)
    file.unlink()
    assert since(project).names == expected


def test_a_module_that_reads_its_page(project: Project):
    (project.modules / "cloudtrail" / "page.tf").write_text('locals { page = file("${path.module}/README.md") }\n')
    commit(project)
    assert after(project, project.modules / "cloudtrail" / "README.md", edited) == {"trail-1", "trail-2"}


def test_terraform_that_nobody_rendered_is_not_passed_over(project: Project):
    own = project.root / "environments" / "trail-1" / "rendered" / "own.tf"
    own.write_text("")
    (project.root / "environments" / "trail-2" / "rendered" / "notes.txt").write_text("")
    assert since(project).names == {"trail-1"}
    commit(project)
    assert since(project).names == {"trail-1"}, "as long as it is there"
    own.unlink()
    assert since(project).names == {"trail-1"}


def test_a_lock_file_counts_once_it_can_be_committed(project: Project):
    (project.root / "environments" / "trail-1" / "rendered" / ".terraform.lock.hcl").write_text("# new\n")
    assert since(project).names == {"trail-1"}
    (project.root / ".gitignore").write_text(".terraform.lock.hcl\n")
    assert since(project).names == set()


def test_environments_that_are_new_gone_renamed_or_broken(project: Project):
    folder = project.root / "environments"
    shutil.rmtree(folder / "trail-1")
    (folder / "trail-2" / "environment.yaml").unlink()
    (folder / "guard-1").rename(folder / "guard-9")
    add(project, "new", BLOCKS["groups"], account=999999999999)
    (folder / "groups" / "environment.yaml").write_text("account_id: 1\n")
    (folder / "config" / "environment.yaml").write_text((folder / "config" / "environment.yaml").read_text() + "# x\n")
    found = since(project)
    assert found.names == {"guard-9", "new", "groups"}
    assert found.told == (
        "groups cannot be rendered, so it counts as changed: 3 errors in the environment file",
        "Only environment.yaml differs, and nothing that is rendered: config; left out",
        "guard-1 is now called guard-9 (the same account 111111111113): it keeps its state only if that is moved, or "
        "if `backend.key` names the old one",
        "trail-1 of account 111111111121 no longer exists; what it created remains, and nothing here plans or deletes "
        "it",
        "trail-2 of account 111111111122 no longer exists; what it created remains, and nothing here plans or deletes "
        "it",
        "3 of 11 environments changed since HEAD: groups, guard-9, new",
    )


def test_only_the_environments_that_are_meant_are_looked_at(project: Project):
    for name in ("trail-1", "groups"):
        file = project.root / "environments" / name / "environment.yaml"
        file.write_text(file.read_text().replace("eu-central-1", "eu-west-1"))
    assert changed_since(project, "HEAD", ("trail-1", "trail-2")).names == {"trail-1"}


def test_an_older_commit_a_branch_and_a_tag(project: Project):
    file = project.root / "environments" / "trail-1" / "environment.yaml"
    git(project.root, "tag", "v1")
    file.write_text(file.read_text().replace("eu-central-1", "eu-west-1"))
    render(project, "trail-1")
    commit(project)
    assert since(project).names == set()
    for ref in ("HEAD~1", "v1", git(project.root, "rev-parse", "v1")[:10]):
        assert since(project, ref).names == {"trail-1"}


def test_a_project_in_a_folder_of_its_repository(project: Project, tmp_path: Path):
    inner = Project(tmp_path / "project" / "accounts")
    inner.root.mkdir()
    for part in ("environments", "modules"):
        (project.root / part).rename(inner.root / part)
    assert since(inner).names == EVERY, "they were not there"
    commit(project)
    assert since(inner).names == set()
    assert after(inner, inner.modules / "config" / "main.tf", edited) == {"config"}


def test_a_repository_with_sha256(project: Project):
    shutil.rmtree(project.root / ".git")
    git(project.root, "init", "--quiet", "--object-format=sha256")
    commit(project)
    assert since(project).names == set()
    assert after(project, project.modules / "config" / "main.tf", edited) == {"config"}


def test_a_hook_of_another_repository_leads_nowhere_else(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert since(project).names == set()


Preparation = Callable[[Project, pytest.MonkeyPatch], Any]


def _no_repository(project: Project, _: pytest.MonkeyPatch) -> None:
    shutil.rmtree(project.root / ".git")


def _shallow(project: Project, _: pytest.MonkeyPatch) -> None:
    commit(project)
    clone = project.root.with_name("clone")
    git(project.root, "clone", "--quiet", "--depth=1", f"file://{project.root}", str(clone))
    shutil.rmtree(project.root)
    clone.rename(project.root)


def _no_git(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project.root))


def _submodule(project: Project, _: pytest.MonkeyPatch) -> None:
    git(project.root, "rm", "-r", "--quiet", "--cached", "modules")
    head = git(project.root, "rev-parse", "HEAD").strip()
    git(project.root, "update-index", "--add", "--cacheinfo", f"160000,{head},modules")
    git(project.root, "commit", "--quiet", "--message", "x")


@pytest.mark.parametrize(
    ("prepare", "ref", "problem", "hint", "code"),
    [
        (None, "mian", "the repository has no commit 'mian'; did you mean 'main'?", "`git fetch` gets", 64),
        (None, "", "the repository has no commit ''", "expected a branch", 64),
        (None, "--all", "the repository has no commit '--all'", "expected a branch", 64),
        (None, "HEAD:environments", "the repository has no commit 'HEAD:environments'", "expected a branch", 64),
        (_no_repository, "HEAD", "not in a git repository, so there is no commit to compare with", "without git", 64),
        (_shallow, "HEAD~1", "the repository has no commit 'HEAD~1'", "this is a shallow clone", 64),
        (_submodule, "HEAD", "modules is a submodule, a link or a file at HEAD", "by their labels", 64),
        (_no_git, "HEAD", "git is not installed, or not on PATH", "install git", 1),
    ],
)
def test_what_cannot_be_compared_is_said(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Preparation | None,
    ref: str,
    problem: str,
    hint: str,
    code: int,
):
    if prepare is not None:
        prepare(project, monkeypatch)
    with pytest.raises(ToolkitError) as refused:
        since(project, ref)
    assert refused.value.problem.startswith(problem)
    assert hint in str(refused.value.hint)
    assert refused.value.exit_code == code
    assert isinstance(refused.value, UsageError) == (code == ExitCode.USAGE)


def test_a_shallow_clone_that_has_the_commit_is_enough(project: Project, monkeypatch: pytest.MonkeyPatch):
    _shallow(project, monkeypatch)
    assert since(project).names == set()
