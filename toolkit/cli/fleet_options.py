"""Options and arguments by which a command takes several environments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.fleet.selection import Changed, Selection
    from toolkit.paths import Project

Envs = Annotated[
    list[str] | None,
    # No callback that makes names of paths, as elsewhere: `selected` must see what a shell has made of a pattern.
    typer.Argument(
        metavar="ENV",
        help="Names or folders of environments, or patterns: 'prod-*'.",
        autocompletion=options.complete_environment,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="LABEL=VALUE",
        help="Only environments with this label (`labels` of environment.yaml); VALUE,VALUE for either; repeatable: "
        "all must hold.",
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="REF",
        help="Only environments that a change since this commit alters: what is rendered now, and modules/, compared "
        "with what was committed.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every environment of the project.")]


def selected(
    project: Project,
    envs: Sequence[str] | None,
    where: Sequence[str] | None = None,
    everything: bool = False,
    changed_since: str | None = None,
    *,
    by_default: bool = False,
    changes: bool = False,
    uses_accounts: bool = False,
) -> Selection:
    """The environments that a command means. What the user is to know of the selection is shown here.

    Args:
        project: The project.
        envs: What ENV says: names, folders, patterns.
        where: What --where says.
        everything: Whether --all is given.
        changed_since: What --changed-since says; it may leave nothing to do, which is no error.
        by_default: Whether none of these means every environment, as for commands that only read files.
        changes: Whether the command changes accounts, so that a pattern that takes all of them must be confirmed.
        uses_accounts: Whether it reads or changes accounts, so that suspended and closed ones are left out.

    Raises:
        UsageError: Nothing runs: an unknown name, label, value or commit, a pattern that matches nothing, no
            environment at all, or a pattern that matches every environment where accounts would be changed.
        ToolkitError: The labels of an environment, or the repository, cannot be read.
    """
    from toolkit.fleet.selection import Where, select
    from toolkit.workflows.environments import labels_of, state_of

    given, expanded = _names(project, envs or ())
    if everything and given:
        raise UsageError(
            f"--all means every environment, and {given[0]!r} is named besides", hint="leave out one of the two"
        )
    conditions = tuple(Where.parse(text) for text in where or ())
    if not (given or conditions or everything or changed_since is not None or by_default):
        raise UsageError(
            "no environment is named",
            hint="name one or several; --where LABEL=VALUE selects by labels, --all every environment",
        )
    if not (project.names or by_default):
        raise UsageError("the project has no environments yet", hint="`toolkit new ENV` makes one")

    def changed(names: tuple[str, ...]) -> Changed:
        from toolkit.workflows.changed import changed_since as compare

        return compare(project, str(changed_since), names)

    found = select(
        project.names,
        given,
        where=conditions,
        changed=None if changed_since is None else changed,
        labels=labels_of(project),
        expanded=expanded,
        unusable=partial(state_of, project) if uses_accounts else None,
    )
    console.tell(*found.told)
    if changes and found.sweeping:
        _confirm(found)
    return found


def _names(project: Project, envs: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """What ENV says as names and patterns, and which of these a shell may have made of a pattern.

    `environments/*` also takes the files beside the folders, like the schema for editors; these are left out.
    """
    from toolkit.paths import environment_name

    names = [(given, environment_name(given)) for given in envs]
    if len(names) > 1:
        names = [
            (given, name)
            for given, name in names
            if given == name or not (project.root / "environments" / name).is_file()
        ]
    return tuple(name for _, name in names), frozenset(name for given, name in names if given != name)


def _confirm(found: Selection) -> None:
    matches = "matches" if len(found.sweeping) == 1 else "together match"
    problem = f"{_list([repr(each) for each in found.sweeping])} {matches} all {len(found.names)} environments"
    if console.in_terminal() and console.ask(f"{problem}: {_list(found.names)}.", wanted="all"):
        return
    raise UsageError(f"{problem}; nothing was done", hint="--all instead says that every one is meant")


def _list(names: Sequence[str]) -> str:
    from toolkit.visible import shortened

    return shortened(names)
