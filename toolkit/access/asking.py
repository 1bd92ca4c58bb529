"""Who can do something, what somebody can do, and why.

In: a Judge, and names as people write them. Out: answers about every principal, or errors that name the nearest. Pure.

A principal of another account does things by itself, where a policy here names it, or by way of each role that trusts
it: the better of both is its answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from toolkit.access.judging import RANK, Answer, Judge, Question, Verdict
from toolkit.access.knowledge import meets
from toolkit.access.model import STRANGERS, Kind, Principal, World
from toolkit.access.reference import PARTITION, known_action, known_key, require_form
from toolkit.aws_lists import aws_list
from toolkit.errors import UsageError
from toolkit.iam.matching import ARN_FIELDS, ContextValue
from toolkit.spelling import nearest
from toolkit.visible import shortened

_ASSUMES = "sts:AssumeRole"


def verdict_of(
    judge: Judge,
    principal: Principal,
    question: Question,
    by_itself: Callable[[Judge, Principal, Question], Verdict] = Judge.verdict,
    entered: Iterable[tuple[Principal, Verdict]] | None = None,
) -> Verdict:
    """Whether somebody may do something, by way of roles as well where it is of another account.

    Args:
        judge: Of the world.
        principal: Who.
        question: What.
        by_itself: What decides of one principal alone.
        entered: What `doors` gives, if that is known already.
    """
    found = by_itself(judge, principal, question)
    for role, verdict in doors(judge, principal) if entered is None else entered:
        if found is Verdict.ALLOWED:
            break
        found = max(found, _worse(verdict, by_itself(judge, role, question)), key=RANK.__getitem__)
    return found


def answer_of(judge: Judge, principal: Principal, question: Question) -> Answer:
    """As `verdict_of`, with the statements that decide."""
    best = judge.answer(principal, question)
    for role, entered in doors(judge, principal):
        verdict = _worse(entered, judge.verdict(role, question))
        if RANK[verdict] <= RANK[best.verdict]:
            continue
        by_role = judge.answer(role, question)
        door = judge.answer(principal, Question(_ASSUMES, role.arn))
        grounds = (*by_role.grounds, *(() if door.verdict is Verdict.ALLOWED else door.grounds))
        best = replace(by_role, principal=principal, verdict=verdict, grounds=grounds, through=role)
    return best


def doors(judge: Judge, principal: Principal) -> Iterator[tuple[Principal, Verdict]]:
    """The roles that a principal of another account may assume."""
    if principal.kind not in STRANGERS:
        return
    for role in judge.world.principals:
        if role.kind is Kind.ROLE and not role.linked and role.trust is not None:
            entered = judge.verdict(principal, Question(_ASSUMES, role.arn))
            if entered is not Verdict.DENIED:
                yield role, entered


def _worse(one: Verdict, other: Verdict) -> Verdict:
    return min(one, other, key=RANK.__getitem__)


def who_can(judge: Judge, question: Question) -> tuple[Answer, ...]:
    """Everybody's answer, the allowed first."""
    answers = [answer_of(judge, principal, question) for principal in judge.world.principals if not principal.linked]
    return tuple(sorted(answers, key=lambda one: -RANK[one.verdict]))


def named(world: World, text: str) -> Principal:
    """The principal that somebody wrote: "developers", "group:developers", an ARN, or an account's id.

    Raises:
        UsageError: There is none, or there are several; the nearest is named.
    """
    found = [one for one in world.principals if text in (one.name, one.label, one.arn)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} is the name of several principals", hint=f"expected {_listed(found)}")
    account = _account(text)
    if account is not None and account != world.account_id:
        known = [one.label for one in world.principals if one.kind is Kind.ACCOUNT]
        raise UsageError(
            f"{text!r} is of account {account}, which no policy here names",
            hint=f"the principals are those of account {world.account_id}"
            + (f", and of other accounts {', '.join(known)}" if known else ""),
        )
    names = [one.name for one in world.principals if not one.linked]
    labels = [one.label for one in world.principals if not one.linked]
    close = nearest(text, labels if ":" in text else names)
    raise UsageError(
        f"there is no principal {text!r} in {world.source}",
        hint=f"did you mean {close}?" if close else f"expected one of {shortened(labels, 8)}",
    )


def _account(text: str) -> str | None:
    if re.fullmatch(r"\d{12}", text.removeprefix("account:")):
        return text.removeprefix("account:")
    fields = text.split(":", ARN_FIELDS - 1)
    return fields[4] if len(fields) == ARN_FIELDS and fields[0] == "arn" and fields[4].isdigit() else None


def _listed(found: Iterable[Principal]) -> str:
    return " or ".join(one.label for one in found)


def asked(action: str, resource: str | None, context: Iterable[tuple[str, ContextValue]] = ()) -> Question:
    """The question that somebody wrote.

    Raises:
        UsageError: The action is unknown, the resource is no ARN or none that the action is about, or a request of the
            action cannot have a key, or not so many values of it, or not such a one.
    """
    known = known_action(action)
    if resource is not None and resource != "*":
        if not known.arns:
            raise UsageError(
                f"{known.name} is about no resource, so that none can be named",
                hint='leave the resource out: requests of this action name "*"',
            )
        fields = resource.split(":", ARN_FIELDS - 1)
        if len(fields) < ARN_FIELDS or fields[0] != "arn":
            example = (known.arns or ("arn:aws:s3:::bucket",))[-1].replace(PARTITION, "aws")
            raise UsageError(
                f"{resource!r} is not a resource",
                hint=f"expected an ARN, such as {example}; or leave it out to mean any resource",
            )
        if "*" in resource or "?" in resource:
            raise UsageError(f"{resource!r} is not one resource", hint="expected an ARN without wildcards")
        kinds = [kind.replace(PARTITION, fields[1]) for kind in known.arns]
        if not any(meets(resource, kind) for kind in kinds):
            raise UsageError(
                f"no request of {known.name} is about {resource!r}",
                hint=f"expected {' or '.join(reversed(kinds))}; or leave it out to mean any resource",
            )
    keys = {known_key(key, known): value for key, value in context}
    for key, value in keys.items():
        several = not isinstance(value, str | bool | int | float) and len(value) > 1
        if several and key.startswith("aws:") and key not in aws_list("multivalued_condition_keys"):
            raise UsageError(f"a request has one value of {key}", hint="expected that value alone")
        require_form(key, value, known)
    return Question(known.name, None if resource == "*" else resource, keys)
