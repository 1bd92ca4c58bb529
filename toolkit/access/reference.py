"""AWS's reference of actions: what exists, on which resources, and which condition keys a request has.

In: what somebody wrote. Out: the action as AWS spells it, or an error that names the nearest. Pure; the list and its
source are in toolkit/aws_lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from toolkit.aws_lists import aws_list
from toolkit.errors import UsageError
from toolkit.globs import glob
from toolkit.spelling import nearest

PARTITION = "${Partition}"
_PLACEHOLDER = re.compile(r"\$\{(?!Partition\})[^}]*\}")


@dataclass(frozen=True)
class Action:
    """One action.

    Attributes:
        name: As AWS spells it ("iam:CreateUser").
        arns: Patterns of the ARNs that a request may name, with ${Partition}; none: it names "*", so that only policies
            on "*" are about it.
        keys: Condition keys that a request may have besides the global ones.
    """

    name: str
    arns: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def service(self) -> str:
        """The prefix."""
        return self.name.partition(":")[0]


@cache
def action(name: str) -> Action | None:
    """The action of that name in whatever case; None where the list has none."""
    service, _, rest = name.partition(":")
    found = _services().get(service.lower())
    written = found.get(rest.lower()) if found else None
    return _read(service.lower(), written) if written else None


def known_action(name: str) -> Action:
    """The action that somebody wrote.

    Raises:
        UsageError: AWS's reference has none; the nearest one is named.
    """
    found = action(name)
    if found is not None:
        return found
    service, colon, rest = name.partition(":")
    if not colon or not rest or not service:
        raise UsageError(
            f"{name!r} is not an action", hint="expected SERVICE:NAME, such as cloudtrail:StopLogging, no wildcard"
        )
    if "*" in name or "?" in name:
        raise UsageError(f"{name!r} is not one action", hint="expected an action without wildcards")
    actions = _services().get(service.lower())
    if actions is None:
        close = nearest(service, tuple(_services()))
        hint = (
            f"did you mean {close}:{rest}?" if close else "expected a prefix of AWS's Service Authorization Reference"
        )
        raise UsageError(f"{name!r}: no service has the prefix {service!r}", hint=hint)
    close = nearest(rest, tuple(actions.values()))
    hint = f"did you mean {service.lower()}:{close}?" if close else f"`toolkit explain what-can` lists {service}'s"
    raise UsageError(f"{name!r}: {service.lower()} has no such action in the list {_taken()}", hint=hint)


def known_service(name: str) -> str:
    """The service's prefix that somebody wrote.

    Raises:
        UsageError: AWS's reference has none; the nearest one is named.
    """
    if name.lower() in _services():
        return name.lower()
    close = nearest(name, tuple(_services()))
    hint = f"did you mean {close}?" if close else "expected a prefix of actions, such as cloudtrail"
    raise UsageError(f"no service has the prefix {name!r}", hint=hint)


def actions_of(service: str) -> tuple[Action, ...]:
    """Every action of a service, by name."""
    return tuple(_read(service, name) for name in sorted(_services()[service].values()))


def known_key(key: str, asked: Action) -> str:
    """The condition key that somebody wrote, as AWS spells it.

    Raises:
        UsageError: A request of that action cannot have it; the nearest one is named.
    """
    known = (*asked.keys, *aws_list("global_condition_keys").names)
    for one in known:
        if glob(_PLACEHOLDER.sub("*", one).lower()).matches(key.lower()):
            prefix = one.partition("${")[0]
            return f"{prefix}{key[len(prefix) :]}"
    close = nearest(key, known)
    hint = (
        f"did you mean {close}?" if close else f"its own keys: {', '.join(asked.keys) or 'none'}; and AWS's global ones"
    )
    raise UsageError(f"a request of {asked.name} cannot have the condition key {key!r}", hint=hint)


def _taken() -> str:
    return aws_list("actions").taken


@cache
def _services() -> dict[str, dict[str, str]]:
    """Service → action in lowercase → action."""
    return {
        service: {name.lower(): name for name in facts["actions"]}
        for service, facts in aws_list("actions").items.items()
    }


@cache
def _read(service: str, name: str) -> Action:
    facts = aws_list("actions").items[service]
    kinds, _, keys = facts["actions"][name].partition("|")
    arns = dict.fromkeys(_PLACEHOLDER.sub("*", facts["arns"][kind]) for kind in kinds.split() if kind in facts["arns"])
    # A type that the list lacks is another service's: any resource.
    other = ("*",) if any(kind not in facts["arns"] for kind in kinds.split()) else ()
    of_kinds = (key for kind in kinds.split() for key in facts["keys"].get(kind, "").split())
    return Action(f"{service}:{name}", (*arns, *other), tuple(sorted({*keys.split(), *of_kinds})))
