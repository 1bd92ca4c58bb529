"""Stops managing components without deleting anything: takes them out of environment.yaml, and names their modules.

In: an environment and components. Out: the edited file, rendered, and what stays in the account. Reads the state, and
AWS only to check the account; changes neither: `toolkit apply` removes the resources from the state. Nothing is
written before the edited file was checked and whoever runs the command has agreed.

The modules stand under `released`, which reviewers see and from which alone the renderer writes Terraform's `removed`
blocks (https://developer.hashicorp.com/terraform/language/block/removed; Terraform 1.7). Such a block covers nested
modules, and one for a module that the state does not have does nothing. So each module of a released component is
named, be it in the state or not: whatever another run applies meanwhile, nothing of it is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from toolkit.addresses import Address, label_of
from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.splice import DELETE, Edit, splice_bytes
from toolkit.errors import RefusedError, UsageError, or_meant
from toolkit.paths import EnvironmentPaths, Project
from toolkit.plan.managed_policies import gives_administration
from toolkit.rendering.render import module_labels, render
from toolkit.resources.price import Price
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import is_global
from toolkit.snapshots.unmanaged import identity_attributes
from toolkit.terraform.state_resources import StateResources
from toolkit.visible import joined_lines
from toolkit.workflows.edited import diff_of, read_file, refuse_trying_out, write_agreed
from toolkit.workflows.observer import Observer
from toolkit.workflows.released import done_lines, lines_edit
from toolkit.workflows.scratch import only_one
from toolkit.workflows.workspace import Access, Workspace, open_workspace, read_environment


@dataclass(frozen=True)
class Staying:
    """One resource that stays in the account, managed by no Terraform of this project."""

    component: str
    address: str
    """Without instance keys."""
    type: str
    region: str | None
    """None: its type has no region."""
    name: str
    """What identifies it in AWS; empty where the state has no such text."""
    bills: str | None
    """What of it costs money, as the record of its type has it; None: it is free."""
    protects: bool
    """Whether its type protects or records, so that the release needs a consent."""
    administers: bool
    """Whether it makes somebody an administrator, so that the release needs another one."""


@dataclass(frozen=True)
class Release:
    """What a release does to the file, and what it leaves."""

    components: tuple[str, ...]
    modules: tuple[str, ...]
    """Addresses of the modules that are new under `released`."""
    not_in_state: tuple[str, ...]
    """Those of the components of which the state has nothing."""
    done: tuple[str, ...]
    """With `--done`, addresses of modules that the state does not have: their lines are deleted."""
    stays: tuple[Staying, ...]
    diff: str
    """Unified diff of environment.yaml."""
    also: tuple[str, ...]
    """Rendered files of other components that change, because they depend on a released one."""
    empty: bool
    """Whether the environment has no component any more."""
    has_state: bool
    """Whether there is a state: one that was never written says nothing about the account."""

    @property
    def consents(self) -> tuple[str, ...]:
        """Options of `plan` and `apply` that consent to it, quoted for a shell."""
        protecting = {label_of(one.address) for one in self.stays if one.protects}
        modules = ("*",) if self.empty else tuple(f"{m}.*" for m in self.modules if label_of(m) in protecting)
        lockout = ("--acknowledge-lockout",) if any(one.administers for one in self.stays) else ()
        return (*(f"--allow-release '{one}'" for one in modules), *lockout)


def release(
    project: Project,
    name: str,
    components: Sequence[str],
    access: Access,
    observer: Observer,
    *,
    agreed: Callable[[Release], bool],
    done: bool = False,
    dry_run: bool = False,
) -> Release:
    """Take components out of environment.yaml so that an apply removes them from the state, and nothing from AWS.

    Args:
        project: The project.
        name: The environment's name.
        components: Their names; none: every one that is on.
        access: How AWS is reached.
        observer: Gets told what happens.
        agreed: Asked before anything is written.
        done: Whether only lines under `released` are deleted whose modules the state no longer has.
        dry_run: Whether nothing is written, and nobody asked.

    Raises:
        UsageError: A component is not on; or a real account's file would be edited by what the embedded AWS has.
        RefusedError: Another component needs a released one, whoever was asked did not agree, or there is no state that
            could say which lines are done; nothing was written.
        LockedError: Another command edits the file.
        ToolkitError: The file cannot be edited, or AWS or Terraform failed; nothing was written.
    """
    paths, environment = read_environment(project, name)
    if not dry_run:
        refuse_trying_out(
            environment, access, f"`toolkit release {name} --sandbox --dry-run` shows what would be written"
        )
    with only_one(paths, "release"):
        _, environment = read_environment(project, name)  # another run may have edited it until now
        released = () if done else _wanted(environment, components, paths)
        raw = read_file(paths)
        workspace = open_workspace(project, name, access, observer)
        observer.stage("Reading the state")
        result, edited = _result(workspace, environment, released, raw)
        if edited == raw or dry_run:
            return result
        write_agreed(project, paths, raw, edited, agreed=agreed(result))
        return result


def _wanted(environment: Environment, names: Sequence[str], paths: EnvironmentPaths) -> tuple[str, ...]:
    """The components to release, in the registry's order."""
    on = tuple(enabled.component.name for enabled in environment.components)
    if not on:
        raise UsageError("no component is on; there is nothing to release", where=paths.shown)
    for name in names:
        if name not in on:
            raise UsageError(
                f"the component {name!r} is not on in this environment{or_meant(name, on)}",
                where=paths.shown,
                hint=f"expected names among {', '.join(on)}; no name: all of them",
            )
    return tuple(name for name in on if name in names) if names else on


def _result(
    workspace: Workspace, environment: Environment, released: tuple[str, ...], raw: bytes
) -> tuple[Release, bytes]:
    paths = workspace.paths
    state = workspace.runner.state_resources(identity_attributes())
    if environment.released and not released and not state.lineage:
        raise RefusedError(
            f"{workspace.called} has no state, which says what lines under `released` are done; nothing was written",
            where=paths.shown,
            hint="check `backend` in environment.yaml; if the state was deleted on purpose, delete the lines by hand",
        )
    of = {label: workspace.attribution.of(f"module.{label}")[0] for label in sorted(state.labels)}
    # Also what only the state has (of settings or regions that were given up and not applied yet), and what only the
    # file has: by the time of the apply, another one may have made it, and a line for what is not there does nothing.
    rendered = module_labels(environment) if released else {}
    there = {component: [label for label in of if of[label] == component] for component in released}
    labels = [
        label for component in released for label in dict.fromkeys((*rendered.get(component, ()), *there[component]))
    ]
    modules = tuple(f"module.{label}" for label in labels if f"module.{label}" not in environment.released)
    # An earlier line for what is not in the state may not be applied yet: `--done` says that it is.
    done = () if released else done_lines(environment, state)
    left = [m for m in environment.released if m not in done] + list(modules)
    edited = splice_bytes(raw, _edits(environment, released, left, labels), where=paths.shown)
    after = _checked(edited, released, workspace)
    stays = tuple(one for one in _managed(state, workspace) if one.component in released)
    return (
        Release(
            released,
            modules,
            tuple(component for component in released if not there[component]),
            done,
            stays,
            diff_of(paths, raw, edited),
            _also(environment, after, released),
            not after.components,
            bool(state.lineage),
        ),
        edited,
    )


def _managed(state: StateResources, workspace: Workspace) -> list[Staying]:
    found = []
    for one in state.resources:
        component, region = workspace.attribution.of(one.address)
        record, named = RESOURCES[one.type], Address.parse(one.address).name
        names = [one.identity[key] for key in (*record.key, "id") if one.identity.get(key)]
        price = record.price
        found.append(
            Staying(
                component or "",
                one.address,
                one.type,
                None if is_global(one.type) else region,
                names[0] if names else "",
                price.what if isinstance(price, Price) else None,
                component is not None and any(p.covers(one.type, named) for p in REGISTRY[component].protects),
                gives_administration(one.identity),
            )
        )
    return found


def _edits(environment: Environment, released: Sequence[str], left: Sequence[str], gone: Collection[str]) -> list[Edit]:
    edits = [Edit(("components", name), DELETE) for name in released]
    imports = [address for address in environment.imports if label_of(address) in gone]
    if imports and len(imports) == len(environment.imports):
        edits.append(Edit(("imports",), DELETE))
    else:
        edits += [Edit(("imports", address), DELETE) for address in imports]
    return [*edits, *lines_edit(environment, left)]


def _checked(edited: bytes, released: Sequence[str], workspace: Workspace) -> Environment:
    """The edited file's environment.

    Raises:
        RefusedError: What is left needs a released component.
    """
    paths = workspace.paths
    try:
        return load_text(edited.decode("utf-8-sig"), name=paths.name, shown_as=paths.shown, folder=paths.folder)
    except EnvironmentFileError as e:
        steps = (problem.path.split(".") for problem in e.problems)
        needing = dict.fromkeys(step[1] for step in steps if step[0] == "components" and len(step) > 1)
        together = " ".join((*released, *needing))
        raise RefusedError(
            f"without {', '.join(released)}, what is left in environment.yaml is wrong; nothing was written",
            where=paths.shown,
            detail=joined_lines(str(problem) for problem in e.problems),
            hint="change the settings above first"
            + (f", or release all of it: `toolkit release {workspace.called} {together}`" if needing else ""),
        ) from e


def _also(before: Environment, after: Environment, released: Sequence[str]) -> tuple[str, ...]:
    own = {"imports.tf", "outputs.tf", "removed.tf", *(f"{component}.tf" for component in released)}
    pages = {f"{page}.md" for c in before.components if c.component.name in released for page in c.component.pages}
    old: Mapping[str, str] = render(before)
    new = render(after)
    return tuple(name for name in sorted({*old, *new} - own - pages) if old.get(name) != new.get(name))
