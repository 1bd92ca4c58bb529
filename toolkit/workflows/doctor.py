"""Looks for what would stop the toolkit here: one finding per check, with what to do about it. Changes nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from toolkit import __version__
from toolkit.errors import ToolkitError, UsageError
from toolkit.files import refuse_links
from toolkit.paths import Project

if TYPE_CHECKING:
    from toolkit.terraform.binary import Binary


@dataclass(frozen=True)
class Finding:
    """One check's answer."""

    check: str
    result: Literal["ok", "note", "fail"]
    found: str
    hint: str | None = None


def examine(start: Path | None, env: str | None, mirror: Path | None, *, sandbox: bool = False) -> Iterator[Finding]:
    """All checks, cheapest first; each goes on whatever the others find.

    Args:
        start: Folder to look for the project in; None: the working directory.
        env: Environment whose credentials are asked for their account.
        mirror: Provider mirror, as the option names it.
        sandbox: Whether the embedded AWS must run, and is what `env` is checked against.

    Raises:
        UsageError: There is no such folder, or no such environment.
    """
    yield Finding("toolkit", "ok", f"{__version__}, Python {platform.python_version()}")
    binary = cache(_binary)
    yield _check("terraform", lambda: _terraform(binary))
    yield _check("provider", lambda: _provider(mirror, binary))
    yield _check("sandbox", _sandbox)
    try:
        project = Project.find(start or Path.cwd())
    except UsageError:
        raise  # the folder that -C names is not there
    except ToolkitError as e:
        yield Finding("project", "note" if env is None and not sandbox else "fail", e.problem, e.hint)
        return
    if env is not None:
        try:
            project.environment(env)
        except UsageError:
            raise
        except ToolkitError:
            pass  # the checks below say what is wrong with it
    known = _check("project", lambda: f"{project.root}: {', '.join(project.names) or 'no environments yet'}")
    yield known
    yield _check("modules", lambda: _modules(project))
    if sandbox:
        yield _check("embedded AWS", lambda: _running(project))
    for name in project.names if known.result == "ok" else ():
        yield _check(f"environment {name}", lambda name=name: _environment(project, name))  # type: ignore[misc]
        yield from _unsaved(project, name)
    if env is not None:
        yield _check(f"account of {env}", lambda: _account(project, env, sandbox))


def _check(name: str, look: Callable[[], str | Finding]) -> Finding:
    try:
        found = look()
        return found if isinstance(found, Finding) else Finding(name, "ok", found)
    except ToolkitError as e:
        detail = f" ({e.detail.splitlines()[0]})" if e.detail else ""
        return Finding(name, "fail", f"{e}{detail}", e.hint)


def _binary() -> Binary:
    from toolkit.terraform.binary import find_binary

    return find_binary(None, os.environ)


def _terraform(binary: Callable[[], Binary]) -> str | Finding:
    from toolkit.releases import known_bad
    from toolkit.versions import unchecked_terraform

    found = binary()
    text = f"{found.product} {found.version} at {found.path}"
    if found.product == "terraform" and (bad := known_bad(found.version)):
        return Finding("terraform", "note", f"{text}, which {bad.effect} ({bad.source})", f"install {bad.instead}")
    if why := unchecked_terraform(found.product, found.version):
        hint = "`unchecked_versions: refuse` under `terraform` in environment.yaml refuses it"
        return Finding("terraform", "note", f"{text}: {why}", hint)
    return text


def _provider(mirror: Path | None, binary: Callable[[], Binary]) -> str:
    from toolkit.terraform.mirror import choose

    try:
        source = choose(mirror, os.environ, product=binary().product)
    except ToolkitError:
        source = choose(mirror, os.environ)  # without a binary
    return f"{source.mirror}: {source.why}" if source.mirror else source.why


def _sandbox() -> str:
    from toolkit.sandbox import control

    if control.installed():
        return "available"
    return f"not installed (only `toolkit sandbox`, `explain --rendered` and access tests need it: {control.INSTALL})"


def _modules(project: Project) -> Finding:
    from toolkit.rendering.vendored import different, is_own, unexpected

    refuse_links(project.root, project.modules)
    if not project.modules.is_dir():
        return Finding("modules", "fail", "the project has none", "`toolkit init .` puts them there")
    if is_own(project.modules):
        return Finding("modules", "ok", "the toolkit's own")
    if extra := unexpected(project.modules):
        return Finding(
            "modules",
            "fail",
            f"{_counted(extra)} that toolkit {__version__} does not ship and Terraform would apply, e.g. {extra[0]}",
            "move them out, or, if another version of the toolkit put them there, `toolkit init . --upgrade`",
        )
    if others := different(project.modules):
        return Finding(
            "modules",
            "note",
            f"{_counted(others)} other than toolkit {__version__}'s, e.g. {others[0]}",
            "`toolkit init . --upgrade` takes this version's; review the difference before you apply",
        )
    return Finding("modules", "ok", f"those of toolkit {__version__}")


def _counted(names: tuple[str, ...]) -> str:
    return _count(len(names), "file")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _environment(project: Project, name: str) -> Finding:
    from toolkit.rendering.render import render
    from toolkit.rendering.tree import compare
    from toolkit.workflows.workspace import read_environment

    paths, environment = read_environment(project, name)
    changes = compare(render(environment), paths.rendered)
    found = f"account {environment.account_id}, {_count(len(environment.components), 'component')}"
    check = f"environment {name}"
    if changes:
        stale = f"{found}, {_count(len(changes), 'rendered file')} out of date"
        return Finding(check, "note", stale, f"`toolkit render {name}`, then review and commit")
    return Finding(check, "ok", f"{found}, rendered files up to date")


def _unsaved(project: Project, name: str) -> Iterator[Finding]:
    """States that could not be saved, of the environment itself and of what `--sandbox` has apart."""
    from toolkit.workflows.unsaved import unsaved_states, waits

    try:
        paths = project.paths(name)
    except ToolkitError:
        return  # the check of the environment has said why its folder is not read
    told = set()
    for scratch, called in ((paths.scratch, name), (paths.scratch / "sandbox", f"{name} --sandbox")):
        for file in unsaved_states(paths, scratch, os.environ).waiting():
            if file not in told:
                told.add(file)
                refusal = waits(file, called)
                yield Finding(f"state of {name}", "fail", str(refusal), refusal.hint)


def _running(project: Project) -> Finding:
    from toolkit.sandbox import control
    from toolkit.workflows.workspace import sandbox_folder

    found = control.status(sandbox_folder(project))
    if found is None:
        return Finding("embedded AWS", "fail", "not running for this project", "`toolkit sandbox up` starts it")
    return Finding("embedded AWS", "ok", f"running at {found.endpoint}, {found.accounts}")


def _account(project: Project, name: str, sandbox: bool) -> str:
    from toolkit.aws.identity import check_account
    from toolkit.aws.session import AwsSession
    from toolkit.workflows.scratch import scratch_folder
    from toolkit.workflows.workspace import Access, aws_environ, read_environment

    paths, environment = read_environment(project, name)
    tried_out = sandbox and environment.simulator is None
    scratch = scratch_folder(paths, *(["sandbox"] if tried_out else []))
    environ = aws_environ(project, environment, Access(sandbox=sandbox, process=True), scratch)
    caller = check_account(AwsSession(environment, environ))
    return f"{caller.arn} in account {caller.account_id}{' of the embedded AWS' if sandbox else ''}"
