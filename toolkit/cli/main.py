"""Runs the typer application and turns whatever ends it into words on stderr and an exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import typer

from toolkit import interrupts
from toolkit.cli import console
from toolkit.cli.app import app
from toolkit.cli.stream import OutputError, ReaderGoneError, standard_streams
from toolkit.errors import ExitCode, InterruptedRunError, ToolkitError, UsageError, internal_error, unwritable
from toolkit.visible import joined_lines

# typer carries its own copy of click or uses the real one, depending on its version; its public BadParameter is a
# subclass of either's UsageError, which is how both are reached.
_ClickUsageError: type[Exception] = typer.BadParameter.__bases__[0]

_ANYWHERE = ("--no-color", "-v", "--verbose")
"""Global options without a value: taken wherever they stand, since people put them at the end."""


def run(arguments: Sequence[str]) -> int:
    """Run `toolkit ARGUMENTS`.

    Returns:
        The exit code (docs/exit-codes.md).
    """
    interrupts.forget()
    with standard_streams():
        return _run(arguments)


@cache
def _command() -> Any:
    """All commands with their options, which typer takes 0.2 seconds to make: once, where a process runs several."""
    return typer.main.get_command(app)


def _run(arguments: Sequence[str]) -> int:
    command = _command()
    # As for all other output: a width that is none (COLUMNS=1) is not used, and help does not break words by it.
    width = console.help_width()
    command.context_settings = {**command.context_settings, "terminal_width": width}
    try:
        result = command.main(args=_globals_first(arguments), prog_name="toolkit", standalone_mode=False)
        if result != ExitCode.INTERRUPTED:
            return result if isinstance(result, int) else ExitCode.OK
        error = _interrupted()  # what typer makes of Ctrl-C, without a word
    except ReaderGoneError:
        return ExitCode.ERROR  # `toolkit … | head`: whoever reads has what they wanted
    except ToolkitError as e:
        if e.hint is None and isinstance(e.__cause__, OSError) and (full := unwritable(e.__cause__)) is not None:
            e.hint = full.hint
        error = e
    except typer.Exit as e:
        return e.exit_code
    except (typer.Abort, KeyboardInterrupt):
        error = _interrupted()
    except _ClickUsageError as e:
        message = e.format_message() if hasattr(e, "format_message") else str(e)
        context = getattr(e, "ctx", None)
        if type(e).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            console.tell(*message.split("\n"))
            return ExitCode.USAGE
        # An option without its value has no context.
        named = next((a for a in arguments if a in getattr(command, "commands", ())), None)
        path = context.command_path if context is not None else f"toolkit {named}" if named else "toolkit"
        error = UsageError(message, hint=f"{path} --help")
    except Exception as e:  # the last resort: a defect, in one line instead of a traceback
        if os.environ.get("TOOLKIT_DEBUG"):
            raise
        error = internal_error(e)
    console.show_error(error)
    if _wants_json(command, arguments) and not isinstance(error, OutputError):
        console.print_error(error)
    return error.exit_code


_NAMED = 10
"""Of what was done, how much is named: an import writes hundreds of files."""


def _interrupted() -> ToolkitError:
    done = interrupts.reported()
    named = [*done[:_NAMED], f"and {len(done) - _NAMED} more"] if len(done) > _NAMED + 1 else done
    detail = joined_lines(["Done by then:", *(f"  {one}" for one in named)]) if done else None
    return InterruptedRunError("interrupted; nothing further was done", detail=detail)


def _wants_json(command: Any, arguments: Sequence[str]) -> bool:
    """Whether a command that can print JSON shall: a script reads its standard output, and finds the error there."""
    given = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    words = iter(given)
    for word in words:
        if word in ("-C", "--chdir"):
            next(words, None)
        commands = getattr(command, "commands", {})
        # `evidence ENV` is a command without its name.
        command = commands.get(word) or commands.get(getattr(command, "default_command", None), command)
    options = {option for parameter in command.params for option in parameter.opts}
    return ("--json" in options and "--json" in given) or (
        "--format" in options and ("--format=json" in given or ("--format", "json") in pairwise(given))
    )


def _globals_first(arguments: Sequence[str]) -> list[str]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    first = [a for a in arguments[:end] if a in _ANYWHERE]
    return [*first, *(a for a in arguments[:end] if a not in _ANYWHERE), *arguments[end:]]
