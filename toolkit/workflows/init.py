"""Lays out a project: what environments need around them, and the toolkit's modules, which rendered HCL calls.

Modules are copied into the project, so that a reviewer finds every line that will be applied in the repository, and a
plan's digest covers it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError
from toolkit.files import LITTER, refuse_links, write_atomically
from toolkit.interrupts import uninterrupted
from toolkit.paths import Project, data_dir
from toolkit.rendering.render import template_text
from toolkit.workflows.new import write_schema
from toolkit.workflows.pipeline import KINDS, pipeline_files

PIPELINES = ("none", *KINDS)
FIRST = "github"
"""The pipeline of a new project, unless its author chooses. A project that exists gets one only by name: a workflow
that deploys must not appear because modules were upgraded."""


def init_project(directory: Path, *, pipeline: str | None, upgrade: bool) -> Iterator[str]:
    """Lay out a project in `directory`, leaving what is there; yields a line per thing done.

    Args:
        directory: Made if it is not there.
        pipeline: A key of PIPELINES; None: FIRST for a new project, and none for one that exists.
        upgrade: Replace modules/ by this toolkit's.

    Raises:
        UsageError: Unknown pipeline, or a file stands where the folder should be.
        ToolkitError: Something cannot be written.
    """
    if pipeline is not None and pipeline not in PIPELINES:
        raise UsageError(f"--pipeline: {pipeline!r} is unknown", hint=f"expected one of {', '.join(PIPELINES)}")
    if directory.exists() and not directory.is_dir():
        raise UsageError("not a folder", where=str(directory))
    try:
        yield from _lay_out(directory, pipeline, upgrade)
    except OSError as e:
        raise ToolkitError(f"cannot write: {e.strerror}", where=e.filename or str(directory)) from e


def _lay_out(directory: Path, pipeline: str | None, upgrade: bool) -> Iterator[str]:
    project = Project(directory.resolve())
    exists = (project.root / "environments").exists() or project.modules.exists()
    pipeline = pipeline or ("none" if exists else FIRST)
    # The same bytes as of `toolkit pipeline`: what it reads is there already, or has its defaults.
    (directory / "environments").mkdir(parents=True, exist_ok=True)
    files = {".gitignore": template_text("project/gitignore.j2"), **_pipeline(project, pipeline)}
    places = ("environments", "modules", ".modules.new", ".modules.old", *files)
    refuse_links(project.root, *(project.root / name for name in places))
    yield _modules(project, upgrade)
    write_schema(project)
    yield "wrote environments/environment.schema.json"
    for name, text in files.items():
        target = directory / name
        if target.exists():
            yield f"kept {name}"
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text)
        yield f"wrote {name}"


def _pipeline(project: Project, kind: str) -> dict[str, str]:
    found = {} if kind == "none" else pipeline_files(project, kind)
    return {name: text for name, text in found.items() if text is not None}


def _modules(project: Project, upgrade: bool) -> str:
    source = data_dir("modules")
    target = project.modules
    if target.exists() and target.resolve() == source.resolve():
        return "kept modules/ (the toolkit's own)"
    if target.exists() and not upgrade:
        return "kept modules/ (--upgrade replaces it by this toolkit's)"
    fresh = target.with_name(".modules.new")
    old = target.with_name(".modules.old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, fresh, ignore=shutil.ignore_patterns(".terraform*", "tests", "__pycache__", *LITTER))
    with uninterrupted():
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return "wrote modules/"
