"""Writes the files of a pipeline: a workflow of GitHub, a pipeline of GitLab, buildspecs of CodeBuild.

In: pipeline.yaml, fleet.yaml and the environments. Out: files, each with the digest of what was written in its first
line: a file that a person has edited since, or wrote themselves, is never replaced without being told to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from toolkit.environment import Environment
from toolkit.environment.model import Credentials
from toolkit.environment.source import Problem
from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import read_regular, refuse_links, write_atomically
from toolkit.fleet.matrix import CODEBUILD, GITHUB, GITLAB, Described, Job, chosen, jobs, wave_of, waves
from toolkit.fleet.pipeline import FILE_NAME, PipelineFileError, Written, load_pipeline, shown
from toolkit.fleet.settings import load_settings
from toolkit.paths import Project
from toolkit.rendering.render import template_text
from toolkit.workflows.matrix import describe
from toolkit.workflows.pipeline_bundle import WORKFLOW_FILE, contradictions
from toolkit.workflows.workspace import read_environment

KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    "github": (
        (WORKFLOW_FILE, "pipelines/github.yml.j2"),
        (".github/workflows/baseline-nightly.yml", "pipelines/github-nightly.yml.j2"),
    ),
    "gitlab": ((".gitlab-ci.yml", "pipelines/gitlab.yml.j2"),),
    "codebuild": (
        ("buildspec-plan.yml", "pipelines/buildspec-plan.yml.j2"),
        ("buildspec-apply.yml", "pipelines/buildspec-apply.yml.j2"),
        ("buildspec-nightly.yml", "pipelines/buildspec-nightly.yml.j2"),
    ),
}
"""Kind of pipeline → (file, template)."""
_HEADER = re.compile(r"# Written by `toolkit pipeline [a-z]+`[^\n]* \(([0-9a-f]{12})\)\.?\n")


@dataclass(frozen=True)
class Change:
    """One file of a pipeline that is not as it should be."""

    file: str
    action: str
    """add, change or delete."""
    diff: str
    edited: bool
    """Whether somebody has written what is there, not this toolkit: it is not replaced without consent."""


def pipeline_text(kind: str, template: str, written: Written, environments: Sequence[Described], **more: Any) -> str:
    """One file of a pipeline, with its header."""
    settings = written.settings
    body = template_text(template, p=settings, environments=environments, **more)
    mark = hashlib.sha256(body.encode()).hexdigest()[:12]
    return f"# Written by `toolkit pipeline {kind}`; settings: pipeline.yaml ({mark}).\n{body}"


def pipeline_files(project: Project, kind: str) -> dict[str, str | None]:
    """The files of a pipeline: name → text; None for one that must not be there.

    Raises:
        UsageError: No such kind.
        PipelineFileError: pipeline.yaml, or an environment, is wrong for a pipeline.
        ToolkitError: fleet.yaml or an environment.yaml is wrong.
    """
    if kind not in KINDS:
        raise UsageError(f"no pipeline {kind!r}{or_meant(kind, tuple(KINDS))}", hint=f"kinds: {', '.join(KINDS)}")
    written = load_pipeline(project.root)
    read = [read_environment(project, name)[1] for name in project.names]
    every = tuple(describe(one) for one in read)
    environments = chosen(written, every)
    if problem := _wrong_signature(written, kind):
        raise PipelineFileError([problem])
    names = {one.name for one in environments}
    ours = [one for one in read if one.name in names]
    most = {"gitlab": GITLAB, "codebuild": CODEBUILD}.get(kind)
    made = jobs(environments, written.settings.shards, most=most or GITHUB) if environments else ()
    problems = [problem for one in ours for problem in contradictions(written, one, signs=True)]
    if problems := [*problems, *_of_other_accounts(ours, made, kind)]:
        raise PipelineFileError(problems)
    fleet = load_settings(project.root)
    numbered = list(enumerate(waves(fleet, environments, every), 1))
    context: dict[str, Any] = {
        "waves": numbered,
        "wave_members": {number: wave_of(number, fleet, environments, every) for number, _ in numbered},
        "jobs": made if most else (),
    }
    found: dict[str, str | None] = {}
    for name, template in KINDS[kind]:
        wanted = "nightly" not in name or written.settings.nightly.enabled
        found[name] = pipeline_text(kind, template, written, environments, **context) if wanted else None
    return found


def _of_other_accounts(
    environments: Sequence[Environment], made: Sequence[Job], kind: str
) -> Iterator[tuple[str, Problem]]:
    """Environments of several accounts that are planned with the credentials of one job, which are of one account."""
    together = [{member.name for member in job.members} for job in made]
    if kind == "codebuild":  # every build has the service role of the project
        together = [{one.name for one in environments}]
    for names in together:
        ambient = [one for one in environments if one.name in names and one.credentials == Credentials()]
        for one in ambient:
            other = next((another for another in ambient if another.account_id != one.account_id), None)
            if other is not None:
                line = one.lines.get(("credentials",), one.lines.get(("account_id",), 1))
                what = f"missing: one role plans this environment and {other.name}, which is another account"
                expected = f"a role in {one.account_id} that it can assume"
                place = f"environments/{one.name}/environment.yaml"
                yield place, Problem(line, "credentials.assume_role", what, expected)


def _wrong_signature(written: Written, kind: str) -> tuple[str, Problem] | None:
    """Why the pipeline cannot sign as pipeline.yaml says; None: it can.

    Jobs of a pull request and of the branch plan with one role: what the one may sign with, the other may, and whoever
    opens a pull request decides what its job runs. CodeBuild's pipeline plans the branch alone.
    """
    sign = written.settings.bundle.sign
    if sign == "github" and kind != "github":
        wanted = "none or kms" if kind == "codebuild" else "none"
        return written.problem(("bundle", "sign"), f"an attestation of GitHub, and the pipeline is {kind}", wanted)
    if sign == "kms" and kind in ("github", "gitlab"):
        request, wanted = {"github": ("pull", "github or none"), "gitlab": ("merge", "none")}[kind]
        return written.problem(
            ("bundle", "sign"),
            f'"kms": {request} requests plan with the same role as the branch, and could sign plans with the key',
            wanted,
        )
    return None


def compare(project: Project, kind: str) -> tuple[Change, ...]:
    """What of a pipeline's files is not as pipeline.yaml has it; see `pipeline_files`."""
    return tuple(
        change
        for name, text in pipeline_files(project, kind).items()
        if (change := _compared(project, name, text)) is not None
    )


def _compared(project: Project, name: str, text: str | None) -> Change | None:
    file = project.root / name
    refuse_links(project.root, file)
    try:
        there: str | None = read_regular(file).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        there = None
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=name) from e
    if there == text or (text is None and there is not None and _mark(there) is None):
        return None  # what nobody wants here, and is not ours, is left alone
    before, after = ((one or "").splitlines(keepends=True) for one in (there, text))
    return Change(
        name,
        "add" if there is None else "delete" if text is None else "change",
        "".join(unified_diff(before, after, f"a/{name}", f"b/{name}", n=1))
        .encode("utf-8", "backslashreplace")
        .decode(),
        there is not None and not _is_unedited(there),
    )


def _mark(text: str) -> str | None:
    match = _HEADER.match(text)
    return match[1] if match else None


def _is_unedited(text: str) -> bool:
    match = _HEADER.match(text)
    if match is None:
        return False
    body = text[match.end() :].encode("utf-8", "surrogateescape")
    return hashlib.sha256(body).hexdigest()[:12] == match[1]


def write(project: Project, changes: Sequence[Change], kind: str, *, force: bool) -> None:
    """Write what `compare` has found.

    Raises:
        ToolkitError: A person has edited a file, and `force` is not given; or one cannot be written.
    """
    edited = [change for change in changes if change.edited]
    if edited and not force:
        raise ToolkitError(
            f"{' and '.join(change.file for change in edited)} {'was' if len(edited) == 1 else 'were'} edited or not "
            "written by this command; nothing was written",
            detail="".join(change.diff for change in edited),
            hint=f"move the difference to pipeline.yaml, or replace it: toolkit pipeline {kind} --force",
        )
    wanted = pipeline_files(project, kind)
    for change in changes:
        file = project.root / change.file
        try:
            if (text := wanted[change.file]) is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text)
        except OSError as e:
            raise ToolkitError(f"cannot be written: {e.strerror}", where=change.file) from e


def keep_environments(root: Path, patterns: Sequence[str], kind: str) -> str | None:
    """Write down which environments a pipeline is for, so that --check and the pipeline itself know.

    Returns:
        What was done; None where the file says the same.

    Args:
        root: The project's folder.
        patterns: What --environments says.
        kind: The kind of pipeline, for the error.

    Raises:
        UsageError: pipeline.yaml says otherwise, or one is no name or pattern.
        ToolkitError: It cannot be read or written.
    """
    for pattern in patterns:
        if not re.fullmatch(r"[A-Za-z0-9_*?-]{1,80}", pattern):
            raise UsageError(
                f"--environments {pattern!r}: not the name of an environment, nor a pattern",
                hint="for example 'prod-*'",
            )
    written = load_pipeline(root)
    if written.exists:
        if tuple(patterns) == written.settings.environments:
            return None
        file, problem = written.problem(("environments",), "")
        says = ", ".join(written.settings.environments)
        raise UsageError(
            f"--environments {' '.join(patterns)}: the file says {says}",
            where=f"{file}:{problem.line}",
            hint=f"edit `environments` there, then: toolkit pipeline {kind}",
        )
    text = (
        "# Settings of the pipeline (docs/pipelines.md). After an edit: toolkit pipeline " + kind + "\n"
        f"environments: [{', '.join(shown(pattern) for pattern in patterns)}]\n"
    )
    try:
        write_atomically(root / FILE_NAME, text)
    except OSError as e:
        raise ToolkitError(f"cannot be written: {e.strerror}", where=FILE_NAME) from e
    return f"wrote {FILE_NAME}"
