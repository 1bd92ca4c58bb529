"""Statements as managed policies: for whom each is, and as many as IAM's sizes need.

In: an environment and a purpose. Out: documents. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from toolkit.environment import Environment, S3Backend
from toolkit.permissions.hand_over import hand_over_statements
from toolkit.permissions.model import LARGEST, Document, Holder, Purpose, Statement, size
from toolkit.permissions.state import state_statements
from toolkit.permissions.statements import own_statements, read_statements, scan_statements, write_statements


def policies(
    environment: Environment,
    purpose: Purpose | str,
    *,
    also: tuple[Environment, ...] = (),
    signs: bool = True,
    largest: int = LARGEST,
) -> tuple[Document, ...]:
    """The managed policies that a purpose needs, in the order in which they are numbered.

    Of an apply, what it cannot lose midway is in policies of its own, before the others: the state, the saved plan, and
    what it changes of the pipeline's own roles and policies. An apply that gives these roles other policies changes
    several at once, in no order, and what moves from one to another may be lost in between.

    Args:
        environment: The environment.
        purpose: What is to be done with it.
        also: The same environment as it was, or will be: what these name is covered, too.
        signs: Whether who plans may sign plans, if `bundle.require_signature` demands a KMS key's signature.
        largest: Characters that a policy may have.
    """
    wanted = Purpose(purpose)
    work = list(scan_statements() if wanted is Purpose.DISCOVER else read_statements())
    if wanted is Purpose.APPLY:
        work += write_statements(environment, also)
    kept: dict[Holder, list[Statement]] = {holder: [] for holder in Holder}
    held: dict[Holder, list[Statement]] = {Holder.WORKER: work, Holder.STATE: [], Holder.CALLER: []}
    role, backend = environment.credentials.assume_role, environment.backend
    assumed = [role.role_arn] if role is not None else []
    state = Holder.WORKER if role is None else Holder.CALLER
    if isinstance(backend, S3Backend):
        if backend.role_arn is not None:
            assumed.append(backend.role_arn)
            state = Holder.STATE
        elif backend.profile not in (None, environment.credentials.profile):
            state = Holder.STATE
        for one in (environment, *also):
            if isinstance(one.backend, S3Backend):
                needed = state_statements(one, one.backend, wanted)
                kept[state] += [s for s in needed if s not in kept[state] and not _covered(s, held[state])]
    if assumed:
        who = Holder.WORKER if role is None else Holder.CALLER
        kept[who].append(Statement("AssumeRoles", ("sts:AssumeRole",), tuple(sorted(set(assumed)))))
    kept[Holder.WORKER] += hand_over_statements(environment, wanted, signs=signs)
    if wanted is Purpose.APPLY:
        kept[Holder.WORKER] += own_statements(environment, also)
    return tuple(
        document
        for holder, statements in held.items()
        for document in _documents(environment, wanted, holder, kept[holder], statements, largest)
    )


def _covered(statement: Statement, by: Iterable[Statement]) -> bool:
    """Whether one of the others allows the same on everything."""
    return any(set(statement.actions) <= set(s.actions) and s.resources == ("*",) and not s.conditions for s in by)


def _documents(
    environment: Environment,
    purpose: Purpose,
    holder: Holder,
    kept: list[Statement],
    statements: list[Statement],
    largest: int,
) -> Iterator[Document]:
    middle = "" if holder is Holder.WORKER else f"-{holder.value}"
    if purpose is Purpose.APPLY:
        packed = [*_packed(kept, largest), *_packed(statements, largest)]
    else:
        packed = list(_packed((*statements, *kept), largest))
    for number, part in enumerate(packed, start=1):
        ending = f"-{number}" if len(packed) > 1 else ""
        account, principal = _principal(environment, holder)
        yield Document(f"{environment.name}-{purpose.value}{middle}{ending}", account, holder, principal, part)


def _principal(environment: Environment, holder: Holder) -> tuple[str, str]:
    """(account, who it is for people)."""
    credentials, backend = environment.credentials, environment.backend
    if holder is Holder.STATE:
        assert isinstance(backend, S3Backend), "a local state has no principal of its own"
        account = backend.role_arn.split(":")[4] if backend.role_arn else backend.account_id or environment.account_id
        return account, backend.role_arn or f"the AWS profile {backend.profile}"
    if holder is Holder.WORKER and credentials.assume_role is not None:
        return environment.account_id, credentials.assume_role.role_arn
    who = f"the AWS profile {credentials.profile}" if credentials.profile else "the principal that runs the toolkit"
    return environment.account_id, who


def _packed(statements: Iterable[Statement], largest: int) -> Iterator[tuple[Statement, ...]]:
    """Statements by documents, none longer than allowed; the first that has room takes the next."""
    parts: list[list[Statement]] = []
    for statement in statements:
        for piece in _pieces(statement, largest):
            room = next((part for part in parts if size((*part, piece)) <= largest), None)
            if room is None:
                parts.append([piece])
            else:
                room.append(piece)
    return (tuple(part) for part in parts)


def _pieces(statement: Statement, largest: int) -> Iterator[Statement]:
    """A statement, in parts if it alone is too long: by its actions, or by its resources."""
    if size((statement,)) <= largest or (len(statement.actions) == 1 and len(statement.resources) == 1):
        yield statement
        return
    by = "actions" if len(statement.actions) >= len(statement.resources) else "resources"
    values = getattr(statement, by)
    half = len(values) // 2
    for letter, part in (("A", values[:half]), ("B", values[half:])):
        yield from _pieces(replace(statement, sid=f"{statement.sid}{letter}", **{by: part}), largest)
