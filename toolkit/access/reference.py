"""AWS's reference of actions: what exists, on which resources, and which condition keys a request has.

In: what somebody wrote. Out: the action as AWS spells it, or an error that names the nearest. Pure; the list and its
source are in toolkit/aws_lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from toolkit.aws_lists import aws_list
from toolkit.errors import UsageError
from toolkit.globs import glob
from toolkit.iam.conditions import as_address, as_number, moment
from toolkit.iam.matching import ARN_FIELDS, ContextValue
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
    one = _listed(key, asked)
    if one is not None:
        prefix = one.partition("${")[0]
        return f"{prefix}{key[len(prefix) :]}"
    close = nearest(key, _keys(asked))
    hint = (
        f"did you mean {close}?" if close else f"its own keys: {', '.join(asked.keys) or 'none'}; and AWS's global ones"
    )
    raise UsageError(f"a request of {asked.name} cannot have the condition key {key!r}", hint=hint)


def require_form(key: str, value: ContextValue, asked: Action) -> None:
    """Demand that a key's values have the form of its type: a request never has `aws:SecureTransport` with "maybe".

    Raises:
        UsageError: One has another form.
    """
    written = _listed(key, asked) or key
    kind = next((aws_list(name).items[written] for name in _TYPED if written in aws_list(name)), None)
    form = _FORMS.get(kind or "")
    values = [value] if isinstance(value, str | bool | int | float) else value
    wrong = next((one for one in values if form is not None and not form.accepts(str(one))), None)
    if form is not None and wrong is not None:
        raise UsageError(
            f"a request cannot have {key} with the value {str(wrong)!r}",
            hint=f"expected {form.expected}, such as {form.example}",
        )


@dataclass(frozen=True)
class _Form:
    """What values of a type look like.

    Attributes:
        expected: The form, for error messages.
        example: One value.
        accepts: Whether a text is of the form.
    """

    expected: str
    example: str
    accepts: Callable[[str], object]


def _is_arn(text: str) -> bool:
    fields = text.split(":", ARN_FIELDS - 1)
    return len(fields) == ARN_FIELDS and fields[0] == "arn" and bool(fields[5])


_FORMS = {
    "ARN": _Form("an ARN", "arn:aws:iam::111122223333:role/example", _is_arn),
    "Bool": _Form("true or false", "true", lambda text: text.lower() in {"true", "false"}),
    "Date": _Form("an ISO 8601 date or time, or seconds since 1970", "2026-01-31T09:00:00Z", moment),
    "Date or Numeric": _Form("seconds since 1970, or an ISO 8601 date or time", "1769850000", moment),
    "IPAddress": _Form("one IP address", "203.0.113.7", as_address),
    "Numeric": _Form("a number", "3600", lambda text: as_number(text) is not None),
}
"""Type of a condition key, as AWS's reference calls it → the form of its values; the other types are any text."""
_TYPED = ("global_condition_keys", "condition_key_types")
"""The lists that have types."""


def _keys(asked: Action) -> tuple[str, ...]:
    return (*asked.keys, *aws_list("global_condition_keys").names)


def _listed(key: str, asked: Action) -> str | None:
    """The key in AWS's lists, with its placeholder."""
    for one in _keys(asked):
        if glob(_PLACEHOLDER.sub("*", one).lower()).matches(key.lower()):
            return one
    return None


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
