"""Reads the facts that guards want, all of them at once. The only place from which judging a plan reads AWS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.resources.reading import Reason, Unreadable


def gather(wants: Iterable[Wanted[Any]], source: Source) -> Facts:
    """The answers, read side by side.

    Raises:
        ToolkitError: One cannot be read; what is unknown is never taken for an absence.
    """
    unique = tuple(dict.fromkeys(wants))
    answers = source.side_by_side(lambda wanted: _read(wanted, source), unique)
    return Facts(dict(zip(unique, answers, strict=True)))


def _read(wanted: Wanted[Any], source: Source) -> Any:
    answer = source.answered(wanted.read)
    if isinstance(answer, Unreadable):
        raise ToolkitError(f"{wanted.what} cannot be read: {answer}", hint=_NEXT[answer.reason])
    return answer


_NEXT = {
    Reason.DENIED: "allow the credentials' user or role that action, then plan again",
    Reason.EXPIRED: "get new credentials, then plan again",
    Reason.THROTTLED: "plan again later: AWS limits how many calls an account makes",
    Reason.TIMED_OUT: "plan again; if it stays so, check the network and the proxy",
    Reason.UNREACHABLE: "check the network and the proxy, and whether the service exists in that region",
    Reason.TRUNCATED: "plan again",
    Reason.NOT_SUBSCRIBED: "finish the account's registration with AWS, or wait until it is activated",
    Reason.REGION_OFF: "enable the region for the account, or leave it out of `regions`",
    Reason.NOT_OFFERED: "check whether the service exists in that region",
    Reason.BUDGET: "plan again",
    Reason.NOT_IN_SNAPSHOT: "take a snapshot that has it (`toolkit discover` of all regions), or leave --from out",
    Reason.UNKNOWN: "check the permissions of the credentials",
}
