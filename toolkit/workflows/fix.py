"""Edits environment.yaml so that what an audit found fails no more once a plan of it is applied.

In: an audit of an environment. Out: fixes with what they render and cost, or the edited file, rendered. Never touches
AWS: after it, `toolkit plan` shows what an apply would change, with every guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from toolkit.audit.fixes import Fix, Kind, fix_of
from toolkit.audit.model import Check
from toolkit.audit.report import Audit
from toolkit.environment import Environment, load_text
from toolkit.errors import ToolkitError
from toolkit.findings import Status
from toolkit.paths import EnvironmentPaths, Project
from toolkit.rendering.render import RenderedTree, render
from toolkit.rendering.tree import FileChange, compare
from toolkit.workflows.edited import diff_of, read_file, refuse_trying_out, write_agreed
from toolkit.workflows.guardrails import refuse_policies
from toolkit.workflows.scratch import only_one
from toolkit.workflows.workspace import Access, read_environment


@dataclass(frozen=True)
class Fixed:
    """What is written into environment.yaml."""

    fixes: tuple[Fix, ...]
    """Those with an edit."""
    others: tuple[Fix, ...]
    """Of the other failed checks that a component is about: why there is no edit."""
    diff: str
    """Unified diff of environment.yaml; empty where there is nothing to write."""
    rendered: str
    """Unified diff of the rendered files."""


def explained(project: Project, name: str, check: Check) -> Fix | None:
    """The fix of one check in an environment, whatever the account has; None where no component is about it."""
    paths, _ = read_environment(project, name)
    return _Proposals(paths, read_file(paths)).of(check)


def proposed(project: Project, name: str, audit: Audit) -> Audit:
    """The audit of an environment, with a fix of each failed check that a component is about.

    What was read of the account is reported whatever is wrong with the file; then the audit has the reason instead.
    """
    failed = _failed(audit)
    try:
        paths, _ = read_environment(project, name)
        proposals = _Proposals(paths, read_file(paths))
        found = [proposals.of(check, failed[check.id]) for check in audit.by_check if check.id in failed]
    except ToolkitError as e:
        return replace(audit, no_fixes=tuple((e.detail or str(e)).splitlines()))
    return replace(audit, fixes=tuple(fix for fix in found if fix is not None))


def fix(project: Project, name: str, access: Access, audit: Audit, *, agreed: Callable[[Fixed], bool]) -> Fixed:
    """Write the edits that failed checks need, and render.

    Args:
        project: The project.
        name: The environment's name.
        access: How the audit reached AWS.
        audit: Of the environment.
        agreed: Asked before anything is written; not asked if there is nothing to write.

    Raises:
        UsageError: A real account's file would be edited by what the embedded AWS has.
        RefusedError: Whoever was asked did not agree, or a policy must not be sent; nothing was written.
        LockedError: Another command edits the file.
        ToolkitError: The file cannot be edited, or what is in the way of rendering it; nothing was written.
    """
    _, environment = read_environment(project, name)
    refuse_trying_out(environment, access, f"`toolkit audit {name} --sandbox` shows its fixes with --format markdown")
    with only_one(project.environment(name), "audit --fix"):
        paths, environment = read_environment(project, name)  # another command may have edited it until now
        raw = read_file(paths)
        proposals = _Proposals(paths, raw)
        failed = _failed(audit)
        # The worst first: of two that exclude each other, it is the one that is written.
        checks = sorted((c for c in audit.by_check if c.id in failed), key=lambda c: c.severity.rank)
        edited, made, others = raw, list[Fix](), list[Fix]()
        for check in checks:
            found = fix_of(check, edited, proposals.read, paths.shown, failed[check.id])
            if found is None:
                continue
            one, with_it = found
            if one.kind is Kind.EDIT:
                made.append(one)
                edited = with_it
            elif (alone := proposals.of(check, failed[check.id])) is not None and alone.kind is not Kind.EDIT:
                others.append(alone)
        result = Fixed(
            tuple(made), tuple(others), diff_of(paths, raw, edited), proposals.rendered(edited) if made else ""
        )
        if edited == raw:
            return result
        after = proposals.read(edited)
        refuse_policies(after, paths.shown)
        compare(render(after), paths.rendered)
        write_agreed(project, paths, raw, edited, agreed=agreed(result))
        return result


def _failed(audit: Audit) -> Mapping[str, set[str]]:
    """Check's id → regions in which it fails, and is not waived."""
    found: dict[str, set[str]] = {}
    for finding in audit.findings:
        if finding.status is Status.FAIL and finding.consented_by is None:
            found.setdefault(finding.rule.id, set()).add(finding.resource.region)
    return found


class _Proposals:
    """Fixes of one file as it is."""

    def __init__(self, paths: EnvironmentPaths, raw: bytes) -> None:
        self._paths, self._raw = paths, raw
        self._known: dict[bytes, tuple[Environment, RenderedTree]] = {}

    def of(self, check: Check, failed_in: Iterable[str] = ()) -> Fix | None:
        """What to do about a check, with what it renders."""
        found = fix_of(check, self._raw, self.read, self._paths.shown, set(failed_in))
        return None if found is None else replace(found[0], diff=self.rendered(found[1]))

    def read(self, raw: bytes) -> Environment:
        """The environment of an edited file, which can be rendered.

        Raises:
            EnvironmentFileError: It is wrong.
        """
        return self._made(raw)[0]

    def rendered(self, raw: bytes) -> str:
        """What an edit changes in the rendered files."""
        before, after = self._made(self._raw)[1], self._made(raw)[1]
        changes = (
            FileChange(name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )
        return "".join(change.diff(f"environments/{self._paths.name}/rendered") for change in changes)

    def _made(self, raw: bytes) -> tuple[Environment, RenderedTree]:
        """Each once: many checks need the same edit, and 17 regions take their time."""
        if raw not in self._known:
            text = raw.decode("utf-8-sig")
            environment = load_text(text, name=self._paths.name, shown_as=self._paths.shown, folder=self._paths.folder)
            self._known[raw] = environment, render(environment)
        return self._known[raw]
