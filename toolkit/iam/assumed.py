"""A policy as it is taken where a request is known in part.

In: a parsed policy. Out: what is left of it if whatever is not known is as whoever asks would like it. Pure.
"""

from __future__ import annotations

import re
from dataclasses import replace

from toolkit.iam.document import PolicyDocument, Statement

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SPECIAL = ("*", "?", "$")
_KNOWN_VARIABLES = ("aws:principalaccount", "aws:resourceaccount")


def generous(document: PolicyDocument, known: frozenset[str]) -> PolicyDocument:
    """The policy less conditions on keys that are not known: they are met where it allows, and not where it denies.

    A variable stands for anything where that allows more, and for nothing where it would deny.

    Args:
        document: The policy.
        known: Condition keys in lowercase whose value, or absence, is known for the requests to be judged.
    """
    statements = (_taken(one, document.variables, known) for one in document.statements)
    return replace(document, statements=tuple(one for one in statements if one is not None))


def _taken(statement: Statement, variables: bool, known: frozenset[str]) -> Statement | None:
    """A statement; None: it is nothing then."""
    allows = statement.effect == "Allow"
    left = tuple(one for one in statement.conditions if one.key.lower() in known)
    if len(left) < len(statement.conditions) and not allows:
        return None
    found = replace(statement, conditions=left)
    if not variables:
        return found
    # What is left of an entry with a variable has to be wide in Allow's Resource and Deny's NotResource, else nothing.
    resources = _entries(statement.resources, wide=allows)
    not_resources = _entries(statement.not_resources, wide=not allows)
    if statement.resources and not resources:
        return None
    if statement.not_resources and not not_resources:
        resources = ("*",)
    return replace(found, resources=resources, not_resources=not_resources)


def _entries(texts: tuple[str, ...], *, wide: bool) -> tuple[str, ...]:
    found = []
    for written in texts:
        text = written
        unknown = [name for name in _VARIABLE.findall(text) if name not in _SPECIAL and not _is_known(name, text)]
        if not unknown:
            found.append(text)
        elif wide:
            for name in unknown:
                text = text.replace("${" + name + "}", "*")
            found.append(text)
    return tuple(found)


def _is_known(name: str, text: str) -> bool:
    """Whether a variable is filled in as it is.

    A user's own name as the last part of an ARN of users matches nobody but that user, so that it is the same for all
    who have the policy.
    """
    own = name.lower() == "aws:username" and ":user/" in text and text.endswith("/${" + name + "}")
    return own or name.lower() in _KNOWN_VARIABLES
