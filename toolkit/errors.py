"""Errors that people are meant to see, and the exit code each of them ends in.

Every failure says what happened, where, and what to do next. Code raises `ToolkitError` (or a subclass) at the
boundary where it can explain the failure; the CLI prints it and exits with its code. Anything else is a bug.
"""

from __future__ import annotations

import errno
from enum import IntEnum

from toolkit.documents import Document, document
from toolkit.spelling import nearest


class ExitCode(IntEnum):
    """Exit codes of `toolkit`; stable, documented in docs/exit-codes.md.

    0, 1 and 2 mean what they mean for `terraform plan -detailed-exitcode`; 3 is `terraform fmt -check`'s.
    """

    OK = 0
    ERROR = 1
    CHANGES = 2
    OUT_OF_DATE = 3
    REFUSED = 4
    WRONG_ACCOUNT = 5
    LOCKED = 6
    BAD_PLAN = 7
    USAGE = 64
    INTERRUPTED = 130


class ToolkitError(Exception):
    """A failure with its place, its problem and the next step.

    Attributes:
        problem: What happened, one sentence without a trailing hint.
        where: File, file:line, address or command it happened at; None where there is no place.
        hint: What to do next; None where nothing better than the problem can be said.
        detail: Longer material in other people's words (Terraform's output), printed below.
        exit_code: The process's exit code when this error ends it.
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        detail: str | None = None,
        exit_code: ExitCode | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.hint = hint
        self.detail = detail
        if exit_code is not None:
            self.exit_code = exit_code

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.problem}"

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses take what they like: a copy that another process gets is made of what there is, not from arguments.
        return _restored, (type(self), self.args, self.__dict__)

    def as_data(self) -> Document:
        """As --json prints it (docs/output.schema.json)."""
        return document(
            "error",
            {
                "code": self.exit_code.name.lower().replace("_", "-"),
                "exit_code": int(self.exit_code),
                "message": self.problem,
                "where": self.where,
                "detail": self.detail,
                "next": self.hint,
            },
        )


def _restored(kind: type[ToolkitError], arguments: tuple[object, ...], values: dict[str, object]) -> ToolkitError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(values)
    return error


class UsageError(ToolkitError):
    """The command line itself is wrong."""

    exit_code = ExitCode.USAGE


class WrongAccountError(ToolkitError):
    """No usable credentials, or credentials of another account than the environment's."""

    exit_code = ExitCode.WRONG_ACCOUNT


class RefusedError(ToolkitError):
    """A guard refused: nothing was applied."""

    exit_code = ExitCode.REFUSED


class LockedError(ToolkitError):
    """Another run holds the environment or its state."""

    exit_code = ExitCode.LOCKED


class BadPlanError(ToolkitError):
    """A saved plan that is stale, tampered with, truncated, or another environment's."""

    exit_code = ExitCode.BAD_PLAN
    reason = "unproven"
    """Whether a new plan helps: it does where this one is stale or expired. Else somebody must look first."""

    def as_data(self) -> Document:
        """As --json prints it (docs/output.schema.json)."""
        return document("error", {**super().as_data(), "reason": self.reason})


class StalePlanError(BadPlanError):
    """Something was applied since it was planned."""

    reason = "stale"


class ExpiredPlanError(BadPlanError):
    """It has waited for longer than it may."""

    reason = "expired"


class InterruptedRunError(ToolkitError):
    """The run was stopped by a signal; what is known of its result stands in the error."""

    exit_code = ExitCode.INTERRUPTED


def internal_error(error: Exception) -> ToolkitError:
    """What to show of an exception that nobody expected."""
    return (unwritable(error) if isinstance(error, OSError) else None) or ToolkitError(
        f"internal error: {type(error).__name__}: {error}",
        hint="please report it; TOOLKIT_DEBUG=1 shows the traceback",
    )


UNWRITABLE = {
    errno.ENOSPC: "no space is left on the file system",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
}
"""Why nothing more can be written somewhere, whoever tries: error number → words."""


def unwritable(error: OSError, where: str | None = None) -> ToolkitError | None:
    """The error to show where `error` says that nothing more can be written there; None for any other reason.

    Args:
        error: What the operating system answered.
        where: The file or folder, for the many answers that do not name it themselves.
    """
    words = UNWRITABLE.get(error.errno or 0)
    if words is None:
        return None
    named = error.filename if isinstance(error.filename, str) else where
    return ToolkitError(
        words,
        where=named or where,
        hint="make it writable, then run this command again"
        if error.errno == errno.EROFS
        else "free some space there, then run this command again",
    )


def or_meant(name: str, known: list[str] | tuple[str, ...]) -> str:
    """ "; did you mean 'x'?" for the end of a message about an unknown name; nothing where no known one is near."""
    guess = nearest(name, known)
    return f"; did you mean {guess!r}?" if guess else ""
