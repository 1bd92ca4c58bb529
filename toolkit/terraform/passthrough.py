"""Which Terraform commands may be run as they are on an environment, and what to use in place of the others.

In: the words after `toolkit terraform ENV --`. Out: a `Passed`, or a `RefusedError` that says what to use. An
allowlist: a command or an option that is not named here is refused, since Terraform may learn new ones that change an
account or a state past every check. Commands and options are those of Terraform 1.11 (`terraform COMMAND -help`, run
2026-11-28). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.errors import RefusedError, UsageError, or_meant


@dataclass(frozen=True)
class Passed:
    """A command that is passed through."""

    options: frozenset[str] = frozenset()
    """Names of the options that it takes, without dashes; `help` and `no-color` are always among them."""
    secrets: str | None = None
    """What it prints that must not be shown to others."""
    writes: bool = False
    """Whether it writes the state."""


PASSED: dict[str, Passed] = {
    "state list": Passed(frozenset({"id"})),
    "state show": Passed(
        secrets="the state of a resource: Terraform hides only what the provider marks as sensitive",
    ),
    "state pull": Passed(secrets="the whole state, with everything sensitive in the clear"),
    "console": Passed(secrets="everything that is evaluated, with `nonsensitive()` also sensitive values in the clear"),
    "providers": Passed(),
    "providers schema": Passed(frozenset({"json"})),
    "graph": Passed(frozenset({"type", "draw-cycles"})),
    "version": Passed(frozenset({"json"})),
    "untaint": Passed(frozenset({"allow-missing", "lock-timeout"}), writes=True),
}
"""Commands that are passed through. None changes anything in AWS; one writes the state, under its lock."""

INSTEAD: dict[str, str] = {
    "apply": "Use `toolkit apply ENV`",
    "destroy": "Use `toolkit destroy ENV`",
    "plan": "Use `toolkit plan ENV`",
    "refresh": "Use `toolkit drift ENV`, which shows what was changed outside of Terraform",
    "import": "Add a line under `imports` in environment.yaml, then `toolkit plan ENV` shows and judges the import",
    "init": "`toolkit plan ENV` and all other commands initialize Terraform by themselves",
    "get": "`toolkit plan ENV` and all other commands initialize Terraform by themselves",
    "validate": "Use `toolkit validate ENV`",
    "fmt": "Use `toolkit render ENV`: rendered files are formatted",
    "output": "Use `toolkit output ENV`",
    "show": "Use `toolkit show BUNDLE` for a plan, or `state show ADDRESS` for a resource of the state",
    "taint": "Change the setting that replaces the resource: the toolkit takes a taint for an interrupted apply's, and "
    "would not judge the replacement",
    "force-unlock": "Use `toolkit unlock ENV`",
    "workspace": "Use another environment: each has one state",
    "test": "Run `terraform test` in a module's own folder: it creates resources",
    "login": "Set TF_TOKEN_… in the process environment",
    "logout": "Unset TF_TOKEN_… in the process environment",
    "providers lock": "Use `toolkit lock ENV`",
    "providers mirror": "Run `terraform providers mirror DIR` outside of the project",
    "state push": "Use `toolkit state restore ENV FILE`, which checks lineage, serial and account first",
    "state rm": "Take the component out of environment.yaml, then `toolkit plan ENV` shows what is deleted; nothing is "
    "left in AWS unmanaged. For a resource of another configuration, run it in that configuration's folder",
    "state mv": "Use `toolkit init . --upgrade`: modules rename resources by `moved` blocks, which every plan shows",
    "state replace-provider": "Use `toolkit init . --upgrade`, then `toolkit lock ENV`: modules name the provider",
}
"""Commands that are refused, and what to use; those of Terraform that are missing here are refused without advice."""

_ALWAYS = frozenset({"help", "h", "no-color"})
_WITH_SUBCOMMAND = ("state", "providers", "workspace", "metadata")


def check(arguments: Sequence[str], environment: str) -> tuple[str, Passed]:
    """The command of the arguments ("state list"), if it may be passed through.

    Args:
        arguments: Terraform's arguments, as the user gave them.
        environment: The environment as commands name it, for advice.

    Raises:
        UsageError: There are none.
        RefusedError: The command or one of its options is not passed through.
    """
    known = ", ".join(PASSED)
    if not arguments:
        raise UsageError("no Terraform command is given", hint=f"one of: {known}")
    first = arguments[0]
    if first.startswith("-"):
        raise RefusedError(
            f"{first}: Terraform's global options are not passed through",
            where=environment,
            hint="the toolkit chooses Terraform's folder and state itself; the command must be first",
        )
    if " " in first:
        # Else "state list" as one word would be taken for the command, and the word after it be lost.
        raise UsageError(f"{first!r} is one word", hint=f"without quotes: toolkit terraform {environment} -- {first}")
    pair = " ".join(arguments[:2])
    grouped = first in _WITH_SUBCOMMAND and len(arguments) > 1 and not arguments[1].startswith("-")
    command = pair if grouped else first
    if command not in PASSED:
        # All of `workspace` is refused for one reason.
        advice = INSTEAD.get(command) or INSTEAD.get(first)
        meant = "" if advice else or_meant(command, [*PASSED, *INSTEAD])
        use = f"{advice.replace('ENV', environment)}. " if advice else ""
        raise RefusedError(
            f"`terraform {command}` is not passed through{meant}",
            where=environment,
            hint=f"{use}Passed through are: {known}",
        )
    passed = PASSED[command]
    for argument in arguments[len(command.split()) :]:
        name = argument.lstrip("-").partition("=")[0]
        if argument.startswith("-") and name not in passed.options | _ALWAYS:
            takes = ", ".join(f"-{option}" for option in sorted(passed.options)) or "no options"
            raise RefusedError(
                f"`terraform {command}` is not passed through with {argument}",
                where=environment,
                hint=f"here it takes {takes}; others choose another state or go past its lock",
            )
    return command, passed
