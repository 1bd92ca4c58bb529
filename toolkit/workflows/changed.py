"""Which environments have changed since a commit: what is rendered now, compared with what was committed.

In: a project, a commit, names of environments. Out: `Changed`. Whatever renders an environment counts, so a change to a
template, a setting, a file beside it, a module or the toolkit itself selects exactly the environments that it alters.
Writes nothing; no AWS, no Terraform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from toolkit.environment.source import parse
from toolkit.errors import ToolkitError
from toolkit.files import LITTER, plain_files, read_regular
from toolkit.fleet.selection import Changed
from toolkit.paths import ENVIRONMENT_NAME, Project
from toolkit.rendering.called import Modules
from toolkit.rendering.render import RenderedTree, render
from toolkit.rendering.tree import READ, foreign
from toolkit.terraform.runner import LOCK_FILE
from toolkit.visible import shortened
from toolkit.workflows.checkout import Commit, commit_of
from toolkit.workflows.processes import each
from toolkit.workflows.workspace import read_environment


def changed_since(project: Project, ref: str, names: tuple[str, ...]) -> Changed:
    """Those of `names` whose rendered files, provider lock or modules are others than at a commit.

    An environment that cannot be rendered counts as changed, so that its own run shows why.

    Args:
        project: In a git repository.
        ref: The commit.
        names: Environments to look at.

    Raises:
        UsageError: There is no such commit, or no repository.
        ToolkitError: git cannot be used, or something in modules/ cannot be read.
    """
    commit = commit_of(project.root, ref, "environments", "modules")
    modules = _Modules(project, commit)
    compared = dict(zip(names, each(partial(_compared, project, commit, modules), names), strict=True))
    changed = {name for name, one in compared.items() if one.differs}
    told = [
        f"{name} cannot be rendered, so it counts as changed: {one.problem}"
        for name, one in compared.items()
        if one.problem is not None
    ]
    if unrendered := [name for name, one in compared.items() if one.only_settings]:
        told.append(f"Only environment.yaml differs, and nothing that is rendered: {shortened(unrendered)}; left out")
    told += _gone(project, commit)
    listed = f": {shortened([n for n in names if n in changed])}" if changed else ""
    told.append(f"{len(changed)} of {_count(names)} changed since {ref}{listed}")
    return Changed(frozenset(changed), tuple(told))


@dataclass(frozen=True)
class _Compared:
    """One environment."""

    differs: bool
    only_settings: bool = False
    """Whether its file differs, and nothing that is rendered."""
    problem: str | None = None
    """Why it cannot be rendered."""


def _compared(project: Project, commit: Commit, modules: _Modules, name: str) -> _Compared:
    try:
        tree = _tree(project, name)
    except ToolkitError as e:
        return _Compared(True, problem=e.problem)
    if _root_differs(project, name, tree, commit) or modules.differ(tree):
        return _Compared(True)
    file = f"environments/{name}/environment.yaml"
    return _Compared(False, only_settings=commit.files.get(file) != _id(commit, project.root / file))


def _count(names: tuple[str, ...]) -> str:
    return f"{len(names)} environment{'' if len(names) == 1 else 's'}"


def _tree(project: Project, name: str) -> RenderedTree:
    return render(read_environment(project, name)[1])


def _root_differs(project: Project, name: str, tree: RenderedTree, commit: Commit) -> bool:
    folder = f"environments/{name}/rendered"
    now = {f"{folder}/{file}": commit.id_of(text.encode()) for file, text in tree.items()}
    before = {
        path: id_
        for path, id_ in commit.files.items()
        if path.startswith(f"{folder}/")
        and "/" not in (file := path.removeprefix(f"{folder}/"))
        and (file in tree or file == LOCK_FILE or any(fnmatchcase(file, pattern) for pattern in READ))
    }
    lock = f"{folder}/{LOCK_FILE}"
    if (found := _id(commit, project.root / lock)) is not None and (lock in before or not commit.ignores(lock)):
        now[lock] = found
    # What rendering does not write but Terraform would read is refused; whoever added it is to see that.
    return now != before or bool(foreign(tree, project.root / folder))


class _Modules:
    """modules/ as it is and as it was."""

    def __init__(self, project: Project, commit: Commit) -> None:
        folder = project.modules
        self._before = {
            path.removeprefix("modules/"): id_
            for path, id_ in commit.files.items()
            if path.startswith("modules/") and not {".terraform", *LITTER}.intersection(path.split("/"))  # as below
        }
        files = {file.relative_to(folder).as_posix(): file for file in plain_files(folder) if file.name not in LITTER}
        self._now = {name: _id(commit, file) for name, file in files.items()}
        # Of both: a file that a module has lost is one of its files, too.
        self._modules = Modules(
            {*self._now, *self._before},
            partial(_text, files),
        )

    def differ(self, tree: RenderedTree) -> bool:
        """Whether a file is another one that Terraform reads for these rendered files."""
        return any(self._now.get(name) != self._before.get(name) for name in self._modules.read_by(tree))


def _text(files: Mapping[str, Path], name: str) -> str:
    return read_regular(files[name]).decode(errors="replace") if name in files else ""


def _id(commit: Commit, file: Path) -> str | None:
    try:
        return commit.id_of(read_regular(file, follow=False))
    except FileNotFoundError:
        return None
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=str(file)) from e


def _gone(project: Project, commit: Commit) -> Iterator[str]:
    """What to say of environments that the project had and no longer has."""
    before = {
        parts[1]
        for parts in (path.split("/") for path in commit.files)
        if parts[0] == "environments" and (parts[2:] == ["environment.yaml"] or parts[2:3] == ["rendered"])
    }
    # Compared with those alone that are new: what was there before has not been renamed from another.
    added = [name for name in project.names if name not in before]
    for name in sorted(before - set(project.names)):
        if not ENVIRONMENT_NAME.match(name):
            continue
        account = _account(commit, name)
        of = f" of account {account}" if account else ""
        same = [n for n in added if account and _account_now(project, n) == account]
        if len(same) == 1:
            yield (
                f"{name} is now called {same[0]} (the same account {account}): it keeps its state only if that is "
                "moved, or if `backend.key` names the old one"
            )
        else:
            yield f"{name}{of} no longer exists; what it created remains, and nothing here plans or deletes it"


def _account(commit: Commit, name: str) -> str | None:
    path = f"environments/{name}/environment.yaml"
    return _account_in(commit.read(path)) if path in commit.files else None


def _account_now(project: Project, name: str) -> str | None:
    try:
        return _account_in(read_regular(project.root / "environments" / name / "environment.yaml"))
    except OSError:
        return None


def _account_in(content: bytes) -> str | None:
    data = parse(content.decode(errors="replace")).data
    account = data.get("account_id") if isinstance(data, dict) else None
    return f"{account}" if isinstance(account, (str, int)) else None
