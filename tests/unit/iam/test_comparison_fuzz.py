"""compare_policies against the evaluator: no widening goes unseen.

Two fuzzers, each pair of documents made from its number alone, so that a pair that is reported can be made again. One
makes pairs by random edits; the other takes one step that loosens a statement. In both the evaluator (toolkit/iam) says
on requests put together from what the two documents say whether something is granted that was not, or denied no more.
Faults planted in the comparison are found by them, which proves that they look.

POLICY_PAIRS sets how many pairs each makes (`make soak`: 20000).
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import zip_longest
from random import Random
from typing import Any

import pytest

from toolkit import globs
from toolkit.globs import STAR, Unknown, Wild
from toolkit.iam import (
    Policies,
    PolicyDocument,
    PolicyError,
    PolicyKind,
    Request,
    comparison,
    evaluate,
    inclusion,
    matching,
    statement_applies,
)
from toolkit.iam.comparison import compare_policies
from toolkit.iam.conditions import SetOperator
from toolkit.iam.matching import Pattern, arn_like, resource_matches

PAIRS = int(os.environ.get("POLICY_PAIRS", "1600"))
SEED = "2012-10-17"
REQUESTS = 24
"""For each pair."""

Json = dict[str, Any]
ACCOUNT, OTHER = "123456789012", "111122223333"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
CALLERS = (ALICE, f"arn:aws:iam::{ACCOUNT}:user/x", f"arn:aws:iam::{ACCOUNT}:user/team/bob")
STRANGERS = (
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/s",
    f"arn:aws:iam::{OTHER}:user/alice",
    "cloudtrail.amazonaws.com",
    None,
)
ACTIONS = ("*", "*:*", "iam:*", "iam:Get*", "iam:GetUser", "iam:getuser", "iam:?etUser", "iam:Get?ser", "iam:*User")
ACTIONS += ("iam:CreateUser", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "*:Get*")
ACROSS = "arn:aws:*:user/al*"
"""Read in one way alice is among them, read in the other nobody."""
USER = f"arn:aws:iam::{ACCOUNT}:user"
RESOURCES = (
    "*",
    ALICE,
    *(
        f"{USER}/{name}"
        for name in ("x", "*", "a*", "*e", "?", "?????", "??*", "${*}", "${?}", "a${*}", "${aws:username}")
    ),
    *(
        f"{USER}/{name}"
        for name in ("${aws:username, 'x'}", "${aws:username, 'alice'}", "${AWS:UserName}", "??????????")
    ),
    *(f"{USER}/{name}" for name in ("${aws:PrincipalTag/team}", "${aws:username}/*", "${$}{aws:username}", "*/${*}")),
    "arn:aws:iam::*:user/alice",
    "arn:aws:iam::*?:user/alice",
    "arn:aws:iam::*",
    "arn:aws:iam",
    "arn:aws:iam::1*2:user/alice",
    "arn:aws:iam::12345678901?:user/a*",
    ACROSS,
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a/x:y",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/${aws:PrincipalTag/team}/*",
    "arn:aws:logs:*:*:log-group:a*:*",
    "arn:aws:logs:eu-*-1:*:log-group:a:log-stream:b",
    "arn:aws:logs:*-1:123456789012:log-group:a:*",
)
REGIONS, TEAM, MFA, AGE = "aws:RequestedRegion", "aws:PrincipalTag/team", "aws:MultiFactorAuthPresent", "aws:AuthAge"
TIME, ADDRESS, WHO, KEYS = "aws:CurrentTime", "aws:SourceIp", "aws:SourceArn", "aws:TagKeys"
TEXTS = ("a", "A", "b", "ab", "a*", "*", "?", "a?", "${aws:username}", "${*}", "${aws:username, 'a'}")
OPERANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "String": ((TEAM, REGIONS, KEYS), TEXTS),
    "Bool": ((MFA,), ("true", "false", "True")),
    "Null": ((MFA, TEAM, AGE), ("true", "false")),
    "Numeric": ((AGE,), ("1", "5", "5.0", "10")),
    "Date": ((TIME,), ("2026-01-01T00:00:00Z", "2026-06-01", "2027-01-01")),
    "IpAddress": ((ADDRESS,), ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "192.0.2.0/24", "2001:db8::/32")),
    "Arn": (
        (WHO,),
        (ALICE, f"{USER}/*", "arn:aws:iam::*:user/alice", "arn:aws:iam::*", f"{USER}/${{aws:username}}", ACROSS),
    ),
}
OPERATORS = {
    "String": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
    "Bool": ("Bool",),
    "Null": ("Null",),
    "Numeric": ("NumericEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericNotEquals"),
    "Date": ("DateLessThan", "DateGreaterThanEquals", "DateEquals"),
    "IpAddress": ("IpAddress", "NotIpAddress"),
    "Arn": ("ArnLike", "ArnEquals", "ArnNotLike"),
}
PRINCIPALS: tuple[tuple[str, str], ...] = (
    ("AWS", ALICE),
    ("AWS", CALLERS[1]),
    ("AWS", ACCOUNT),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:root"),
    ("AWS", OTHER),
    ("AWS", f"arn:aws:iam::{OTHER}:user/alice"),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:role/deploy"),
    ("Service", "cloudtrail.amazonaws.com"),
)


# Documents


def some(pick: Random, choices: tuple[Any, ...], most: int = 2) -> list[Any]:
    return pick.sample(choices, pick.randint(1, most))


def a_condition(pick: Random) -> tuple[str, str, list[str]]:
    """(operator, key, values)."""
    family = pick.choice(("String", *OPERANDS))
    keys, values = OPERANDS[family]
    operator, key = pick.choice(OPERATORS[family]), pick.choice(keys)
    if key == KEYS:
        operator = f"{pick.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
    if family != "Null" and pick.random() < 0.2:
        operator += "IfExists"
    return operator, key, some(pick, values)


def principals(pick: Random) -> Any:
    if pick.random() < 0.15:
        return "*"
    if pick.random() < 0.2:
        # What NotPrincipal asks for, to except somebody
        return {"AWS": [ACCOUNT, ALICE]}
    named: dict[str, list[str]] = {}
    for kind, name in some(pick, PRINCIPALS, 3):
        named.setdefault(kind, []).append(name)
    return named


def a_statement(pick: Random, kind: PolicyKind, effect: str | None = None) -> Json:
    statement: Json = {"Effect": effect or pick.choice(("Allow", "Deny"))}
    if kind is not PolicyKind.IDENTITY:
        statement["NotPrincipal" if pick.random() < 0.15 and kind is PolicyKind.RESOURCE else "Principal"] = principals(
            pick
        )
    statement["NotAction" if pick.random() < 0.15 else "Action"] = some(pick, ACTIONS)
    if kind is not PolicyKind.TRUST:
        statement["NotResource" if pick.random() < 0.2 else "Resource"] = some(pick, RESOURCES)
    for _ in range(pick.choice((0, 0, 1, 1, 2))):
        operator, key, values = a_condition(pick)
        statement.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    return statement


def a_document(pick: Random, kind: PolicyKind) -> Json:
    version = "2012-10-17" if pick.random() < 0.85 else "2008-10-17"
    return {"Version": version, "Statement": [a_statement(pick, kind) for _ in range(pick.randint(1, 3))]}


def edited(pick: Random, document: Json, kind: PolicyKind) -> Json:
    """A copy with one random edit, which may widen, narrow, or say the same in other words."""
    new = copy.deepcopy(document)
    statements: list[Json] = new["Statement"]
    statement = pick.choice(statements)
    edit = pick.randrange(12)
    if edit == 0 and len(statements) > 1:
        statements.remove(statement)
    elif edit == 1:
        statements.append(a_statement(pick, kind))
    elif edit == 2:
        new["Version"] = "2008-10-17" if new["Version"] == "2012-10-17" else "2012-10-17"
    elif edit == 3:
        statement["Effect"] = "Deny" if statement["Effect"] == "Allow" else "Allow"
    elif edit == 4 and "Condition" in statement:
        del statement["Condition"]
    elif edit == 5:
        operator, key, values = a_condition(pick)
        statement.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    elif edit == 6 and "Condition" in statement:
        _edit_condition(pick, statement["Condition"])
    elif edit == 7 and kind is not PolicyKind.IDENTITY:
        element = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
        statement[element] = principals(pick)
    elif edit == 8:
        _split(pick, statements, statement)
    else:
        stem, choices = ("Resource", RESOURCES) if edit % 2 and kind is not PolicyKind.TRUST else ("Action", ACTIONS)
        _edit_list(pick, statement, stem, choices)
    return new


def _edit_condition(pick: Random, block: Json) -> None:
    operator = pick.choice(list(block))
    key = pick.choice(list(block[operator]))
    values = block[operator][key]
    change = pick.randrange(4)
    if change == 0:
        base = operator.removesuffix("IfExists")
        if base != "Null":
            block[base if operator.endswith("IfExists") else base + "IfExists"] = block.pop(operator)
    elif change == 1:
        family = next(f for f in OPERANDS if f in operator)
        values[:] = some(pick, OPERANDS[family][1])
    elif change == 2 and len(values) > 1:
        values.pop(pick.randrange(len(values)))
    else:
        family = next(f for f in OPERANDS if f in operator)
        prefix = operator.rpartition(":")[0]
        other = pick.choice(OPERATORS[family])
        block[f"{prefix}:{other}" if prefix else other] = block.pop(operator)


def _split(pick: Random, statements: list[Json], statement: Json) -> None:
    """One statement as two, of a list of two entries."""
    for element in ("Action", "Resource"):
        if len(statement.get(element, ())) == 2:
            second = copy.deepcopy(statement)
            statement[element], second[element] = [statement[element][0]], [statement[element][1]]
            statements.insert(pick.randrange(len(statements) + 1), second)
            return


def _edit_list(pick: Random, statement: Json, stem: str, choices: tuple[str, ...]) -> None:
    element = f"Not{stem}" if f"Not{stem}" in statement else stem
    entries = statement[element]
    change = pick.randrange(4)
    if change == 0 and len(entries) > 1:
        entries.pop(pick.randrange(len(entries)))
    elif change == 1:
        entries.append(pick.choice(choices))
    elif change == 2:
        entries[pick.randrange(len(entries))] = pick.choice(choices)
    else:
        statement[stem if element.startswith("Not") else f"Not{stem}"] = statement.pop(element)


@dataclass(frozen=True)
class Pair:
    """Two documents."""

    kind: PolicyKind
    old: Json
    new: Json
    step: str = "random edits"

    def __str__(self) -> str:
        return f"{self.step}\n  old: {json.dumps(self.old)}\n  new: {json.dumps(self.new)}"

    def reported(self) -> bool:
        return bool(compare_policies(json.dumps(self.old), json.dumps(self.new)).weaker)


def random_pair(number: int) -> Pair:
    pick = Random(f"{SEED} {number}")
    kind = pick.choice((PolicyKind.IDENTITY,) * 3 + (PolicyKind.RESOURCE,) * 2 + (PolicyKind.TRUST,))
    old = a_document(pick, kind)
    if pick.random() < 0.1:
        return Pair(kind, old, a_document(pick, kind))
    new = old
    for _ in range(pick.choice((1, 1, 1, 2, 2, 3))):
        new = edited(pick, new, kind)
    return Pair(kind, old, new)


# The oracle


def a_text(pick: Random, written: str, caller: str) -> str:
    """A text that a pattern may match, or that is written like it."""
    if pick.random() < 0.15:
        return written
    name = caller.rsplit("/", 1)[-1]
    filled = re.sub(r"\$\{[*?$]\}", lambda found: pick.choice((found[0][2], "q")), written)
    filled = re.sub(r"\$\{[^}]*\}", lambda _: pick.choice((name, name, "x", "alice", "a", "q:r")), filled)
    filled = re.sub(r"\*", lambda _: pick.choice(("", "x", "alice", "a", "q/r", "q:r", ACCOUNT, "eu-west")), filled)
    return filled.replace("?", pick.choice("axq"))


def an_action(pick: Random, written: str) -> str:
    service, _, name = ("*:*" if written == "*" else written).partition(":")
    service = service.replace("*", pick.choice(("iam", "s3", "ec2")))
    name = re.sub(r"\*", lambda _: pick.choice(("", "X", "User", "GetUser", "Object")), name).replace(
        "?", pick.choice("gGs")
    )
    return f"{service}:{name or 'X'}"


def a_resource(pick: Random, written: str, caller: str) -> str:
    if written == "*":
        return pick.choice(("*", ALICE, "arn:aws:s3:::q"))
    text = a_text(pick, written, caller)
    return text + ":x" * (5 - text.count(":"))


def a_value(pick: Random, operator: str, written: str, caller: str) -> str:
    """A value of a request about which a condition with this value may say something."""
    if "Numeric" in operator:
        return str(float(written) + pick.choice((-1, 0, 0, 1)))
    if "IpAddress" in operator:
        network = ip_network(written, strict=False)
        inside = pick.choice((network[0], network[-1]))
        return str(pick.choice((inside, inside, "10.200.0.1", "10.1.9.9", "198.51.100.7")))
    if "Date" in operator:
        return pick.choice((written, "2025-12-31T23:59:59Z", "2026-03-01", "2026-12-31", "2027-05-05"))
    if "Bool" in operator:
        return pick.choice(("true", "false"))
    if "Null" in operator:
        return pick.choice(("true", "false", "a", "5"))
    text = a_text(pick, written, caller)
    return text.swapcase() if pick.random() < 0.1 else text


def conditions_of(statement: Json) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, values


def requests(pair: Pair, pick: Random) -> Iterator[Request]:
    """Requests put together from what the two documents say."""
    old, new = pair.old["Statement"], pair.new["Statement"]
    # What only one of them says comes first, since that is where they differ.
    differing = [s for s in old if s not in new] + [s for s in new if s not in old]
    statements = [*old, *new]
    for number in range(REQUESTS):
        about = pick.choice(differing if differing and number % 4 else statements)
        caller = pick.choice(CALLERS)
        if pick.random() < (0.2 if pair.kind is PolicyKind.IDENTITY else 0.4):
            caller = pick.choice(STRANGERS)
        named = caller or "arn:aws:iam::123456789012:user/x"
        action = an_action(pick, pick.choice(about.get("Action") or ACTIONS))
        entry = pick.choice(about.get("Resource") or RESOURCES)
        if "NotResource" in about and pick.random() < 0.4:
            entry = pick.choice(about["NotResource"])
        context: dict[str, Any] = {TEAM: pick.choice(("a", "x", "alice"))} if pick.random() < 0.1 else {}
        for other in (about, *statements):
            for operator, key, values in conditions_of(other):
                # What this statement asks for is mostly given; what others ask for, and it does not, less often.
                if key in context or pick.random() > (0.85 if other is about else 0.5):
                    continue
                found = [a_value(pick, operator, pick.choice(values), named) for _ in range(pick.randint(0, 2))]
                single = a_value(pick, operator, pick.choice(values), named)
                context[key] = found if key == KEYS or pick.random() < 0.03 else single
        yield Request(caller, action, a_resource(pick, entry, named), context)


def by_part(written: Pattern, resource: str) -> bool:
    """The other reading of AWS's documentation: no wildcard of a Resource entry leaves its part."""
    return written.symbols == (STAR,) or arn_like(written, resource)


def widened(pair: Pair, number: int) -> Request | None:
    """A request that the new document grants, or no longer denies, unlike the old one; None where none was found."""
    # Both readings are asked where they may differ: where a wildcard stands before an ARN's sixth part.
    readings = (resource_matches, by_part) if re.search(r'"arn:([^":]*:){0,3}[^":]*[*?]', str(pair)) else (by_part,)
    for reading in readings:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys.modules["toolkit.iam.evaluate"], "resource_matches", reading)
            documents = [PolicyDocument.parse(side, kind=pair.kind) for side in (pair.old, pair.new)]
            for request in requests(pair, Random(f"{SEED} requests {number}")):
                (granted, denied, allowed), (now_granted, now_denied, now_allowed) = (
                    _decided(document, request) for document in documents
                )
                if (now_granted and not granted) or (denied and not now_denied) or (now_allowed and not allowed):
                    return request
    return None


def _decided(document: PolicyDocument, request: Request) -> tuple[bool, bool, bool]:
    """(an Allow applies, a Deny applies, it is allowed)."""
    effects = {s.effect for s in document.statements if statement_applies(s, document, request)}
    # Whom a resource's policy names decides with what right, which statements alone do not tell.
    alone = document.kind is PolicyKind.IDENTITY or "Allow" not in effects
    allowed = effects == {"Allow"} if alone else evaluate(request, Policies(resource=document)).allowed
    return "Allow" in effects, "Deny" in effects, allowed


# One step that loosens a statement

Step = Callable[[Random, Json], bool]
"""Makes the statement match more, or other, requests; False where it has nothing to loosen."""


def _swap(element: str, wanted: Callable[[str], bool], loosen: Callable[[Random, str], str]) -> Step:
    def step(pick: Random, statement: Json) -> bool:
        places = [i for i, entry in enumerate(statement.get(element, ())) if wanted(entry)]
        if not places:
            return False
        place = pick.choice(places)
        statement[element] = list(statement[element])
        statement[element][place] = loosen(pick, statement[element][place])
        return True

    return step


def _less(element: str) -> Step:
    def step(pick: Random, statement: Json) -> bool:
        entries = statement.get(element, [])
        if len(entries) < 2:
            return False
        entries.pop(pick.randrange(len(entries)))
        return True

    return step


def _more(element: str, choices: tuple[str, ...]) -> Step:
    def step(pick: Random, statement: Json) -> bool:
        if element not in statement:
            return False
        statement[element].append(pick.choice(choices))
        return True

    return step


def _negate(stem: str, choices: tuple[str, ...]) -> Step:
    def step(pick: Random, statement: Json) -> bool:
        if stem not in statement:
            return False
        same = statement.pop(stem)
        statement[f"Not{stem}"] = same if pick.random() < 0.5 else some(pick, choices)
        return True

    return step


def _assert(stem: str, choices: tuple[str, ...]) -> Step:
    def step(pick: Random, statement: Json) -> bool:
        if f"Not{stem}" not in statement:
            return False
        del statement[f"Not{stem}"]
        statement[stem] = some(pick, choices)
        return True

    return step


def _on_condition(wanted: str, loosen: Callable[[Random, str, list[str]], tuple[str, list[str]] | None]) -> Step:
    """Loosens one condition whose operator matches `wanted`; None from `loosen`: it goes."""

    def step(pick: Random, statement: Json) -> bool:
        found = [(o, k) for o, k, _ in conditions_of(statement) if re.search(wanted, o)]
        if not found:
            return False
        operator, key = pick.choice(found)
        values = statement["Condition"][operator].pop(key)
        if not statement["Condition"][operator]:
            del statement["Condition"][operator]
        loosened = loosen(pick, operator, values)
        if loosened is not None:
            statement["Condition"].setdefault(loosened[0], {})[key] = loosened[1]
        if not statement["Condition"]:
            del statement["Condition"]
        return True

    return step


def _replaced(old: str, new: str) -> Callable[[Random, str, list[str]], tuple[str, list[str]]]:
    return lambda _pick, operator, values: (operator.replace(old, new), values)


def _values(
    change: Callable[[Random, list[str]], list[str]],
) -> Callable[[Random, str, list[str]], tuple[str, list[str]]]:
    return lambda pick, operator, values: (operator, change(pick, values))


def _other_key(pick: Random, statement: Json) -> bool:
    found = [(o, k) for o, k, _ in conditions_of(statement) if o.startswith("String") and k in (TEAM, REGIONS)]
    if not found:
        return False
    operator, key = pick.choice(found)
    keys = statement["Condition"][operator]
    keys[REGIONS if key == TEAM else TEAM] = keys.pop(key)
    return True


def _named(change: Callable[[Random, Any], Any], element: str = "Principal") -> Step:
    def step(pick: Random, statement: Json) -> bool:
        if statement.get(element, "*") == "*":
            return False
        statement[element] = change(pick, copy.deepcopy(statement[element]))
        return True

    return step


def _one_more(pick: Random, named: dict[str, list[str]]) -> dict[str, list[str]]:
    kind, name = pick.choice(PRINCIPALS)
    return {**named, kind: [*named.get(kind, []), name]}


def _one_less(pick: Random, named: dict[str, list[str]]) -> dict[str, list[str]]:
    kind = pick.choice(list(named))
    rest = {**named, kind: named[kind][1:]}
    return {k: v for k, v in rest.items() if v} or {"AWS": [OTHER]}


def _not_principal(pick: Random, statement: Json) -> bool:
    if "Principal" not in statement or ("Resource" not in statement and "NotResource" not in statement):
        return False
    statement["NotPrincipal"] = statement.pop("Principal") if pick.random() < 0.5 else {"AWS": [OTHER]}
    return True


def _wild(pick: Random, entry: str) -> str:
    """One character or more, anywhere, become a wildcard."""
    at = pick.randrange(len("arn:aws:iam:"), len(entry))
    return entry[:at] + pick.choice(("?", "*")) + entry[at + 1 :] if pick.random() < 0.5 else entry[:at] + "*"


def _variable(entry: str) -> bool:
    return re.search(r"\$\{[^*?$]", entry) is not None


def _plain(entry: str) -> bool:
    return len(entry) > len("arn:aws:iam:") and "${" not in entry


STEPS: dict[str, Step] = {
    "an action more": _more("Action", ACTIONS),
    "an action's end becomes *": _swap(
        "Action", lambda a: ":" in a, lambda _, a: a[:-1].rstrip("*?") + "*" if a[-2] != ":" else "*"
    ),
    "an action's ? becomes *": _swap("Action", lambda a: "?" in a, lambda _, a: a.replace("?", "*")),
    "every action": _swap("Action", lambda a: a not in ("*", "*:*"), lambda _, a: "*"),
    "all actions but": _negate("Action", ACTIONS),
    "all actions but become some": _assert("Action", ACTIONS),
    "an excepted action less": _less("NotAction"),
    "an excepted action narrower": _swap("NotAction", lambda a: a.endswith("*"), lambda _, a: "iam:GetUser"),
    "a resource more": _more("Resource", RESOURCES),
    "a resource with a wildcard": _swap("Resource", _plain, _wild),
    "a resource's ? becomes *": _swap("Resource", lambda r: "?" in r, lambda _, r: r.replace("?", "*")),
    "a resource's * alone": _swap("Resource", lambda r: r != "*", lambda _, r: "*"),
    "a resource's account becomes *": _swap(
        "Resource", lambda r: f":{ACCOUNT}:" in r, lambda _, r: r.replace(ACCOUNT, "*")
    ),
    "a resource cut short": _swap("Resource", _plain, lambda _, r: ":".join(r.split(":")[:3])),
    "a variable becomes *": _swap("Resource", _variable, lambda _, r: re.sub(r"\$\{[^}]*\}", "*", r)),
    "a variable becomes ?": _swap("Resource", _variable, lambda _, r: re.sub(r"\$\{[^}]*\}", "?????", r)),
    "a variable becomes a name": _swap("Resource", _variable, lambda _, r: re.sub(r"\$\{[^}]*\}", "alice", r)),
    "a variable gets a default": _swap(
        "Resource", lambda r: "${aws:username}" in r, lambda _, r: r.replace("${aws:username}", "${aws:username, 'x'}")
    ),
    "a default changes": _swap("Resource", lambda r: "'x'" in r, lambda _, r: r.replace("'x'", "'y'")),
    "another variable": _swap(
        "Resource", lambda r: "${aws:username}" in r, lambda _, r: r.replace("aws:username", "aws:PrincipalTag/team")
    ),
    "a name becomes a variable": _swap("Resource", lambda r: r == ALICE, lambda _, r: USER + "/${aws:username}"),
    "a plain star becomes a wildcard": _swap("Resource", lambda r: "${*}" in r, lambda _, r: r.replace("${*}", "*")),
    "a plain mark becomes a wildcard": _swap("Resource", lambda r: "${?}" in r, lambda _, r: r.replace("${?}", "?")),
    "a star across parts is written out": _swap("Resource", lambda r: r == ACROSS, lambda _, r: ALICE),
    "a star moves to the end of its part": _swap("Resource", lambda r: "*?:" in r, lambda _, r: r.replace("*?", "?*")),
    "a name in another case": _swap("Resource", lambda r: r == ALICE, lambda _, r: r.replace("alice", "Alice")),
    "a mark becomes a variable": _swap("Resource", lambda r: r.endswith("/?"), lambda _, r: USER + "/${aws:username}"),
    "all resources but": _negate("Resource", RESOURCES),
    "all resources but become some": _assert("Resource", RESOURCES),
    "an excepted resource less": _less("NotResource"),
    "an excepted resource narrower": _swap(
        "NotResource", lambda r: r.endswith("*") and r != "*", lambda _, r: r[:-1] + "zz"
    ),
    "an excepted resource becomes a variable": _swap(
        "NotResource", lambda r: r == ALICE, lambda _, r: USER + "/${aws:username}"
    ),
    "all conditions go": lambda _, s: s.pop("Condition", None) is not None,
    "a condition goes": _on_condition(".", lambda *_: None),
    "a value more": _on_condition("(?i)(equals|like|ipaddress)", _values(lambda p, v: [*v, *some(p, TEXTS[:4], 1)])),
    "a value less": _on_condition("(?i)not", _values(lambda p, v: v[1:] or v)),
    "if it exists": _on_condition("^(?!Null).*(?<!IfExists)$", lambda _, o, v: (f"{o}IfExists", v)),
    "any of the values becomes all": _on_condition("^ForAnyValue", _replaced("ForAnyValue", "ForAllValues")),
    "all of the values becomes any": _on_condition("^ForAllValues", _replaced("ForAllValues", "ForAnyValue")),
    "not counted by value": _on_condition("^For", lambda _, o, v: (o.rpartition(":")[2], v)),
    "counted by value": _on_condition("^String", lambda _, o, v: (f"ForAllValues:{o}", v)),
    "equal becomes like": _on_condition("StringEquals(?!I)", lambda _, o, v: (o.replace("Equals", "Like"), [*v, "a*"])),
    "equal in any case": _on_condition(
        "StringEquals(?!I)", lambda _, o, v: (o.replace("Equals", "EqualsIgnoreCase"), v)
    ),
    "equal becomes different": _on_condition("StringEquals(?!I)", _replaced("StringEquals", "StringNotEquals")),
    "different becomes equal": _on_condition("StringNotEquals", _replaced("StringNotEquals", "StringEquals")),
    "like becomes unlike": _on_condition("(String|Arn)Like", lambda _, o, v: (o.replace("Like", "NotLike"), v)),
    "a pattern becomes *": _on_condition("StringLike", _values(lambda _, v: ["*"])),
    "an ARN becomes *": _on_condition("Arn(Like|Equals)", _values(lambda _, v: ["*"])),
    "an ARN's account becomes *": _on_condition(
        "Arn(Like|Equals)", _values(lambda _, v: [x.replace(ACCOUNT, "*") for x in v])
    ),
    "an ARN's star across parts is written out": _on_condition(
        "Arn(Like|Equals)", lambda _, o, v: (o, [ALICE] if ACROSS in v else v)
    ),
    "a truth turns": _on_condition("Bool|Null", _values(lambda _, v: ["false" if v[0].lower() == "true" else "true"])),
    "either truth": _on_condition("Bool|Null", _values(lambda _, v: ["false", "true"])),
    "a wider network": _on_condition(
        "^IpAddress",
        _values(lambda _, v: [str(ip_network(v[0], strict=False).supernet(new_prefix=4))] if "/0" not in v[0] else v),
    ),
    "a narrower network excepted": _on_condition("^NotIpAddress", _values(lambda _, v: ["10.1.2.3"])),
    "in the network becomes outside": _on_condition("^IpAddress", lambda _, o, v: (o.replace("Ip", "NotIp"), v)),
    "outside of the network becomes inside": _on_condition("^NotIpAddress", _replaced("NotIp", "Ip")),
    "a higher number": _on_condition("NumericLess", _values(lambda _, v: ["20"])),
    "a lower number": _on_condition("NumericGreater", _values(lambda _, v: ["0"])),
    "less becomes less or equal": _on_condition(
        "NumericLessThan(?!E)", lambda _, o, v: (o.replace("Than", "ThanEquals"), v)
    ),
    "less becomes greater": _on_condition("LessThan", lambda _, o, v: (o.replace("Less", "Greater"), v)),
    "a number equal becomes less": _on_condition(
        "NumericEquals", lambda _, o, v: (o.replace("Equals", "LessThanEquals"), v)
    ),
    "a later date": _on_condition("DateLess", _values(lambda _, v: ["2030-01-01"])),
    "an earlier date": _on_condition("DateGreater", _values(lambda _, v: ["2020-01-01"])),
    "another key": _other_key,
    "a principal more": _named(_one_more),
    "everyone": _named(lambda *_: "*"),
    "everyone of AWS": _named(lambda *_: {"AWS": ["*"]}),
    "the account": _named(lambda *_: {"AWS": [ACCOUNT]}),
    "somebody of the account": _named(lambda *_: {"AWS": [ALICE]}),
    "all principals but": _not_principal,
    "an excepted principal less": _named(_one_less, "NotPrincipal"),
}
DOCUMENT_STEPS = (
    "a statement granted",
    "a statement denied no more",
    "a denial granted",
    "variables become text",
    "text becomes variables",
)


def _loosened(pick: Random, kind: PolicyKind, step: Step | None) -> tuple[Json, Json | None]:
    """A statement with something to loosen, and the loosened one; None where none was drawn, or it is no policy."""
    statement = a_statement(pick, kind)
    for _ in range(40 if step else 0):
        loose = copy.deepcopy(statement)
        assert step is not None
        if step(pick, loose) and loose != statement:
            try:
                PolicyDocument.parse({"Statement": [loose]}, kind=kind)
            except PolicyError:
                # Such as a text among a number's values
                return statement, None
            return statement, loose
        statement = a_statement(pick, kind)
    return statement, None


def loosened_pair(number: int) -> Pair | None:
    """A pair by one step; None where the statement that was drawn has nothing to loosen that way."""
    pick = Random(f"{SEED} step {number}")
    kind = pick.choice((PolicyKind.IDENTITY,) * 3 + (PolicyKind.RESOURCE,) * 2 + (PolicyKind.TRUST,))
    step = pick.choice((*STEPS, *DOCUMENT_STEPS))
    statement, loose = _loosened(pick, kind, STEPS.get(step))
    # Beside it may stand others, which do not concern what it is about
    beside: list[Json] = []
    if pick.random() < 0.3:
        other = a_statement(pick, kind, pick.choice(("Allow", "Deny")))
        other.pop("NotAction", None)
        beside = [{**other, "Action": ["ec2:RunInstances"]}]
    version = "2012-10-17" if pick.random() < 0.85 else "2008-10-17"

    def pair(old: list[Json], new: list[Json], old_version: str = version, new_version: str = version) -> Pair:
        one, two = ({"Version": v, "Statement": s} for v, s in ((old_version, old), (new_version, new)))
        return Pair(kind, one, two, step)

    spare: Json = {**statement, "Effect": "Allow"}
    for stem in ("Action", "NotAction"):
        spare.pop(stem, None)
    filler = beside or [{**spare, "Action": ["ec2:RunInstances"]}]
    if step == "a statement granted":
        return pair(filler, [*filler, {**statement, "Effect": "Allow"}])
    if step == "a statement denied no more":
        return pair([*filler, {**statement, "Effect": "Deny"}], filler)
    if step == "a denial granted":
        return pair([{**statement, "Effect": "Deny"}], [{**statement, "Effect": "Allow"}])
    if step in ("variables become text", "text becomes variables"):
        versions = ("2012-10-17", "2008-10-17") if step == "variables become text" else ("2008-10-17", "2012-10-17")
        return pair([*beside, statement], [*beside, statement], *versions) if "${" in json.dumps(statement) else None
    if loose is None:
        return None
    if statement["Effect"] == "Allow":
        return pair([*beside, statement], [*beside, loose])
    return pair([*beside, loose], [*beside, statement])


@dataclass(frozen=True)
class Found:
    """A pair that widens."""

    number: int
    pair: Pair
    witness: Request

    def __str__(self) -> str:
        return f"number {self.number}, {self.pair}\n  {self.witness}, {dict(self.witness.context)}"


@pytest.fixture(scope="module")
def edits() -> list[Found]:
    """Which of PAIRS random pairs widen."""
    tried = ((number, random_pair(number)) for number in range(PAIRS))
    return [Found(number, pair, witness) for number, pair in tried if (witness := widened(pair, number))]


@pytest.fixture(scope="module")
def steps() -> list[Found]:
    """PAIRS pairs that widen by one step."""
    found: list[Found] = []
    for number in range(PAIRS * 20):
        pair = loosened_pair(number)
        if pair is not None and (witness := widened(pair, number)):
            found.append(Found(number, pair, witness))
            if len(found) == PAIRS:
                break
    return found


def test_random_edits_that_widen_are_reported(edits: list[Found]):
    assert len(edits) >= PAIRS / 3, f"{len(edits)} of {PAIRS} pairs widen: too few to find anything"
    assert [str(found) for found in edits if not found.pair.reported()] == []


def test_it_does_not_cry_at_every_edit():
    """Whoever reports everything misses nothing."""
    quiet = sum(not random_pair(number).reported() for number in range(PAIRS))
    assert quiet >= PAIRS / 4, f"{quiet} of {PAIRS} pairs are called no weaker"


def test_no_difference_is_told_only_where_neither_is_weaker():
    """Reports then say that it says the same in other words."""
    same = 0
    for number in range(PAIRS):
        pair = random_pair(number)
        old, new = (
            json.dumps({**d, "Statement": [{**s, "Sid": f"S{i}"} for i, s in enumerate(d["Statement"])]})
            for d in (pair.old, pair.new)
        )
        diff = compare_policies(old, new)
        if not diff.lines:
            same += 1
            assert not diff.weaker, f"number {number}, {pair}"
            assert not compare_policies(new, old).weaker, f"number {number}, {pair}"
    assert same


def test_every_single_step_that_widens_is_reported(steps: list[Found]):
    assert len(steps) == PAIRS
    assert {found.pair.step for found in steps} == {*STEPS, *DOCUMENT_STEPS}
    assert [str(found) for found in steps if not found.pair.reported()] == []


# Faults, each planted in one place

Contains = Callable[..., bool]
_covered, _implies, _pattern, _absorbs = inclusion.covered, inclusion._implies, matching.pattern, globs._absorbs
_list_contains, _principals_contain = inclusion._list_contains, inclusion._principals_contain
_weaker, _read_range, _read_text = comparison._weaker, inclusion._read_range, inclusion._read_text


def _changed(**changes: Any) -> Contains:
    """Conditions compared after both were changed alike: what is changed is no longer looked at."""
    return lambda n, n_variables, w, w_variables: _implies(
        replace(n, **changes), n_variables, replace(w, **changes), w_variables
    )


def _never_negated(n: Any, n_variables: bool, w: Any, w_variables: bool) -> bool:
    plain = (replace(c, operator=replace(c.operator, negated=False)) for c in (n, w))
    return _implies(next(plain), n_variables, next(plain), w_variables)


def _separately(narrow: Any, source: PolicyDocument, document: PolicyDocument, effect: str) -> bool:
    """Each of actions, resources … covered by some statement, not all by one."""
    side = inclusion._Side(narrow, source.variables)
    wide = [inclusion._Side(s, document.variables) for s in document.statements if s.effect == effect]
    return all(
        all(any(contains(one, part) for one in wide) for part in parts(side))
        for parts, contains in (
            (inclusion._each_principal, inclusion._principals_contain),
            (inclusion._each_action, inclusion._actions_contain),
            (inclusion._each_resource, inclusion._resources_contain),
            (inclusion._each_value, inclusion._conditions_contain),
        )
    )


def _first(name: str) -> Callable[[Any], Iterator[Any]]:
    original = getattr(inclusion, name)
    return lambda side: iter(list(original(side))[:1])


def _without_not(wide: Any, narrow: Any) -> bool:
    return (
        True if wide.statement.not_principals or narrow.statement.not_principals else _principals_contain(wide, narrow)
    )


def _accounts(principals: Any) -> dict[str, frozenset[str]]:
    return {
        "aws": frozenset(name.split(":")[4] if name.startswith("arn:") else name for name in principals.aws),
        "service": frozenset(principals.service),
    }


def _lists(fault: str) -> Contains:
    def contains(wide, wide_not, narrow, narrow_not, *, everything, covers, meet):  # type: ignore[no-untyped-def]
        if fault == "reversed" and wide_not and narrow_not:
            return all(any(covers(w, n) for n in narrow_not) for w in wide_not)
        if fault == "everything" and wide and narrow_not:
            return True
        if fault == "any" and wide_not and narrow_not:
            return any(covers(n, w) for n in narrow_not for w in wide_not)
        if fault == "all meet" and wide_not and narrow:
            return not all(meet(w, n) for w in wide_not for n in narrow)
        if fault == "not" and (wide_not or narrow_not):
            wide, wide_not, narrow, narrow_not = wide or wide_not, [], narrow or narrow_not, []
        return _list_contains(wide, wide_not, narrow, narrow_not, everything=everything, covers=covers, meet=meet)

    return contains


def _symbols(fault: str) -> Callable[[Any, Any], bool]:
    """Only what a pattern is compared with is changed: the evaluator, which reads texts, stays as it is."""

    def absorbs(wide: Any, narrow: Any) -> bool:
        wild, unknown = isinstance(narrow, Wild), isinstance(narrow, Unknown)
        if fault == "? covers *" and isinstance(wide, Wild) and wild:
            return wide.colon or not narrow.colon
        if fault == "? covers ${}" and isinstance(wide, Wild) and unknown:
            return True
        if fault == "${} covers ${}" and isinstance(wide, Unknown) and unknown:
            return True
        if fault == "defaults" and isinstance(wide, Unknown) and unknown:
            return wide.name == narrow.name
        return _absorbs(wide, narrow)

    return absorbs


Plant = Callable[[pytest.MonkeyPatch], None]


def _put(where: Any, name: str, fault: Any) -> Plant:
    return lambda patched: patched.setattr(where, name, fault)


def _family(name: str, **fault: Any) -> Plant:
    """In how one family of operators reads its values, or compares them."""
    read, covers, meet = inclusion._FAMILIES[name]
    whole = {"read": read, "covers": covers, "meet": meet} | fault
    return lambda patched: patched.setitem(inclusion._FAMILIES, name, tuple(whole.values()))


FAULTS: dict[str, Plant] = {
    "variables are plain text": _put(inclusion, "pattern", lambda text, *, variables: _pattern(text, variables=False)),
    "one Version for both": _put(comparison, "covered", lambda n, s, d, effect: _covered(n, d, d, effect)),
    "${*} is a wildcard": _put(
        inclusion,
        "pattern",
        lambda text, *, variables: _pattern(text.replace("${*}", "*"), variables=variables),
    ),
    "* leaves its part": _put(inclusion, "_resource_covers", lambda w, n: w.glob.covers(n.glob)),
    "the wider reading alone": _put(inclusion, "_resource_covers", lambda w, n: w.resource.covers(n.resource)),
    "the narrower reading alone": _put(
        inclusion,
        "_resource_covers",
        lambda w, n: w.resource_by_part.covers(n.resource_by_part),
    ),
    "resources in any case": _put(
        inclusion,
        "_resource_covers",
        lambda w, n: w.folded.resource_by_part.covers(n.folded.resource_by_part),
    ),
    "? covers *": _put(globs, "_absorbs", _symbols("? covers *")),
    "? covers a variable": _put(globs, "_absorbs", _symbols("? covers ${}")),
    "a variable covers another": _put(globs, "_absorbs", _symbols("${} covers ${}")),
    "defaults are not compared": _put(globs, "_absorbs", _symbols("defaults")),
    "patterns meet only where one covers the other": _put(
        globs.Glob,
        "overlaps",
        lambda one, other: one.covers(other) or other.covers(one),
    ),
    "patterns meet only where they are equal": _put(globs.Glob, "overlaps", lambda one, other: one == other),
    "variables meet nothing": _put(
        inclusion, "_resources_meet", lambda a, b: a.whole and b.whole and a.glob.overlaps(b.glob)
    ),
    "exceptions compared the wrong way round": _put(inclusion, "_list_contains", _lists("reversed")),
    "all but a list is within any list": _put(inclusion, "_list_contains", _lists("everything")),
    "one exception of several": _put(inclusion, "_list_contains", _lists("any")),
    "one entry outside of the exceptions is enough": _put(inclusion, "_list_contains", _lists("all meet")),
    "Not is overlooked": _put(inclusion, "_list_contains", _lists("not")),
    "actions are not compared": _put(inclusion, "_actions_contain", lambda w, n: True),
    "resources are not compared": _put(inclusion, "_resources_contain", lambda w, n: True),
    "the first action alone": _put(inclusion, "_each_action", _first("_each_action")),
    "the first resource alone": _put(inclusion, "_each_resource", _first("_each_resource")),
    "the first value alone": _put(inclusion, "_each_value", _first("_each_value")),
    "the first principal alone": _put(inclusion, "_each_principal", _first("_each_principal")),
    "several statements cover by halves": _put(comparison, "covered", _separately),
    "conditions are not compared": _put(inclusion, "_conditions_contain", lambda w, n: True),
    "one condition of several": _put(
        inclusion,
        "_conditions_contain",
        lambda w, n: (
            not w.statement.conditions
            or any(
                _implies(a, n.variables, b, w.variables) for a in n.statement.conditions for b in w.statement.conditions
            )
        ),
    ),
    "IfExists is overlooked": _put(inclusion, "_holds_without_key", lambda n, w: True),
    "set operators are overlooked": _put(inclusion, "_implies", _changed(set_operator=SetOperator.NONE)),
    "keys are not compared": _put(inclusion, "_implies", _changed(key="aws:x")),
    "negation is overlooked": _put(inclusion, "_implies", _never_negated),
    "StringEquals has wildcards": _family(
        "String", read=lambda c, v, variables: ("IgnoreCase" in c.operator.name, _pattern(v, variables=variables))
    ),
    "text in any case": _family("String", read=lambda c, v, variables: (True, _read_text(c, v, variables)[1])),
    "texts never meet": _family("String", meet=lambda one, other: False),
    "variables in conditions are plain text": _family("String", read=lambda c, v, _: _read_text(c, v, False)),
    "a narrower network covers": _family("IpAddress", covers=lambda w, n: inclusion._network_covers(n, w)),
    "networks never meet": _family("IpAddress", meet=lambda one, other: False),
    "a lower limit covers": _family("Numeric", covers=lambda w, n: inclusion._range_covers(n, w)),
    "an earlier date covers": _family("Date", covers=lambda w, n: inclusion._range_covers(n, w)),
    "less is less or equal": _family(
        "Numeric", read=lambda c, v, variables: tuple(bound[:2] for bound in _read_range(c, v, variables))
    ),
    "ARNs in conditions are not compared": _family("Arn", covers=lambda w, n: True),
    "* leaves its part in a condition": _family("Arn", covers=lambda w, n: w.glob.covers(n.glob)),
    "true is false": _put(
        inclusion, "_PLAIN", (inclusion._read_plain, lambda wide, narrow: True, lambda one, other: True)
    ),
    "principals are not compared": _put(inclusion, "_principals_contain", lambda w, n: True),
    "NotPrincipal is overlooked": _put(inclusion, "_principals_contain", _without_not),
    "an account covers its users": _put(inclusion, "_names", _accounts),
    "everyone is covered by anybody": _put(
        inclusion,
        "_all_named",
        lambda w, n: (
            n.everyone or w.everyone or all(inclusion._names(n)[k] <= v for k, v in inclusion._names(w).items())
        ),
    ),
    "effects are mixed up": _put(
        comparison,
        "covered",
        lambda n, s, d, _: _covered(n, s, d, "Allow") or _covered(n, s, d, "Deny"),
    ),
    "denials are not looked at": _put(comparison, "_weaker", lambda b, a: (w for w in _weaker(b, a) if "grants" in w)),
    "grants are not looked at": _put(comparison, "_weaker", lambda b, a: (w for w in _weaker(b, a) if "denies" in w)),
    "the wrong way round": _put(comparison, "_weaker", lambda b, a: _weaker(a, b)),
}


@pytest.fixture
def planted() -> Iterator[pytest.MonkeyPatch]:
    def forget() -> None:
        # Patterns keep what they found out about symbols, and comparisons what they said.
        caches = (matching.pattern, globs.glob, inclusion._actions)
        for kept in (*caches, comparison.compare_policies, comparison.rights_lost, comparison.policy_sentences):
            kept.cache_clear()

    forget()
    with pytest.MonkeyPatch.context() as patched:
        yield patched
    forget()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, edits: list[Found], steps: list[Found], planted: pytest.MonkeyPatch):
    FAULTS[fault](planted)
    assert any(not found.pair.reported() for pair in zip_longest(steps, edits) for found in pair if found)
