"""Runs the typer application and turns whatever ends it into words on stderr and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from toolkit.cli import console
from toolkit.cli.app import app
from toolkit.errors import ExitCode, ToolkitError, unwritable

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
    # Results and progress often end in one log: keep them in the order in which they happened.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    command = typer.main.get_command(app)
    try:
        result = command.main(args=_globals_first(arguments), prog_name="toolkit", standalone_mode=False)
        if result == ExitCode.INTERRUPTED:
            return _interrupted()  # what typer makes of Ctrl-C, without a word
        return result if isinstance(result, int) else ExitCode.OK
    except ToolkitError as e:
        if e.hint is None and isinstance(e.__cause__, OSError) and (full := unwritable(e.__cause__)) is not None:
            e.hint = full.hint
        console.show_error(e)
        return e.exit_code
    except typer.Exit as e:
        return e.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _interrupted()
    except _ClickUsageError as e:
        message = e.format_message() if hasattr(e, "format_message") else str(e)
        context = getattr(e, "ctx", None)
        if type(e).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            sys.stderr.write(f"{message}\n")
            return ExitCode.USAGE
        # An option without its value has no context.
        named = next((a for a in arguments if a in getattr(command, "commands", ())), None)
        path = context.command_path if context is not None else f"toolkit {named}" if named else "toolkit"
        console.error_line(f"{message}\nTry: {path} --help")
        return ExitCode.USAGE
    except BrokenPipeError:
        # `toolkit … | head` closed the pipe; point stdout elsewhere so that the interpreter's last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.ERROR
    except Exception as e:  # the last resort: a defect, told in one line instead of a traceback
        if os.environ.get("TOOLKIT_DEBUG"):
            raise
        full = unwritable(e) if isinstance(e, OSError) else None
        if full is not None:
            console.show_error(full)
            return full.exit_code
        console.error_line(
            f"a defect in toolkit: {type(e).__name__}: {e}\nPlease report it; TOOLKIT_DEBUG=1 shows the traceback."
        )
        return ExitCode.ERROR


def _globals_first(arguments: Sequence[str]) -> list[str]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    first = [a for a in arguments[:end] if a in _ANYWHERE]
    return [*first, *(a for a in arguments[:end] if a not in _ANYWHERE), *arguments[end:]]


def _interrupted() -> ExitCode:
    console.error_line("interrupted; nothing further was done")
    return ExitCode.INTERRUPTED
