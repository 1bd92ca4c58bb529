"""What every question to AWS shares: several wait at a time, and a refusal is an error, never an absence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from toolkit.errors import ToolkitError

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 8
"""How many questions wait for AWS at a time, unless somebody says otherwise."""


def side_by_side(
    ask: Callable[[S], T],
    about: Iterable[S],
    at_once: int = AT_ONCE,
    stop: Callable[[str], None] = lambda _: None,
) -> tuple[T, ...]:
    """The answers in the order of the questions, some of which wait for AWS at a time; the first error ends it.

    Args:
        ask: Puts one question.
        about: What it gets.
        at_once: How many wait at a time.
        stop: Told why, if this is interrupted: what has begun is waited for, and may be of many calls.
    """
    with ThreadPoolExecutor(at_once) as pool:
        try:
            return tuple(pool.map(ask, about))
        except KeyboardInterrupt:
            stop("interrupted")
            raise


def asked(call: str, ask: Callable[[], T]) -> T:
    """What `ask` answers; AWS's refusal or silence becomes a ToolkitError that names the call."""
    import botocore.exceptions
    import botocore.parsers

    try:
        return ask()
    except (
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
        # An answer that is none of AWS's: a proxy's page, or a call that the embedded AWS lacks.
        botocore.parsers.ResponseParserError,
    ) as e:
        raise ToolkitError(f"{call} failed: {e}", hint="check the permissions of the credentials") from e
