"""Which accounts authorization policies reach, and who manages policies, in each state that a check tells apart."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.organization_guardrails import Delegation, MemberAccounts
from toolkit.audit.checks.organizations import Organization, Policies
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import Case, Flip, live
from .recorded_organizations import OTHER, organization

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
COVER, DELEGATED = "organizations_authorization_policies_cover_every_account", "organizations_policies_delegated"
DENIES = {"Statement": {"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}}
ALLOWS = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policy(*targets: str, kind: str = "SERVICE_CONTROL_POLICY", content: Any = DENIES, of_aws: bool = False) -> Live:
    return live({"kind": kind, "content": json.dumps(content), "targets": list(targets), "of_aws": of_aws})


def account(*above: str) -> Live:
    return live({"above": list(above)}, f"the account {above[-1]}")


def _cover(
    expected: Status, policies: tuple[Live, ...], *accounts: Live, flips: tuple[Flip, ...] = (), management: str = ""
) -> Case:
    answers: dict[Any, Any] = {
        Organization(): organization(management) if management else organization(),
        Policies(): policies,
        MemberAccounts(): accounts,
    }
    return Case(COVER, expected, answers, flips)


ONE, TWO = account("r-1", "ou-1", OTHER), account("r-1", "444455556666")


def statement(*actions: str, principal: Any = None, effect: str = "Allow") -> dict[str, Any]:
    who = {"AWS": f"arn:aws:iam::{OTHER}:root"} if principal is None else principal
    return {"Effect": effect, "Principal": who, "Action": list(actions), "Resource": "*"}


def content(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


UPDATE, ATTACH = statement("organizations:UpdatePolicy"), statement("organizations:AttachPolicy")
BOTH = content(statement("organizations:UpdatePolicy", "organizations:AttachPolicy"))


def _delegation(expected: Status, *contents: str, flips: tuple[Flip, ...] = (), management: str = "") -> Case:
    answers: dict[Any, Any] = {
        Organization(): organization(management) if management else organization(),
        Delegation(): tuple(live({"content": one}) for one in contents),
    }
    return Case(DELEGATED, expected, answers, flips)


ELSEWHERE = Flip("management", OTHER, NOT_APPLICABLE, Organization())

CASES = (
    _cover(
        PASS,
        (policy("r-1"),),
        ONE,
        TWO,
        flips=(
            ELSEWHERE,
            Flip("kind", "TAG_POLICY", FAIL, Policies()),
            Flip("of_aws", True, FAIL, Policies()),
            Flip("targets", ["ou-1"], FAIL, Policies()),
            Flip("content", json.dumps(ALLOWS), FAIL, Policies()),
            Flip("above", ["r-2", OTHER], FAIL, MemberAccounts()),
        ),
    ),
    _cover(
        PASS,
        (policy("ou-1"), policy("444455556666", kind="RESOURCE_CONTROL_POLICY")),
        ONE,
        TWO,
        flips=(Flip("targets", [], FAIL, Policies(), at=1),),
    ),
    _cover(FAIL, (policy("ou-1"),), ONE, TWO, flips=(Flip("targets", ["r-1"], PASS, Policies()),)),
    _cover(FAIL, (), ONE),
    _cover(NOT_APPLICABLE, (policy("r-1"),)),
    _cover(NOT_APPLICABLE, (), management=OTHER),
    Case(COVER, NOT_APPLICABLE, {Organization(): (), Policies(): (), MemberAccounts(): ()}),
    _delegation(
        PASS,
        BOTH,
        flips=(
            ELSEWHERE,
            Flip("content", content(UPDATE), FAIL, Delegation()),
            Flip("content", content(ATTACH), FAIL, Delegation()),
            Flip("content", "{", UNKNOWN, Delegation()),
            Flip("content", content(UPDATE, statement("*", effect="Deny")), FAIL, Delegation()),
        ),
    ),
    # As AWS's examples have it.
    _delegation(PASS, content(UPDATE, ATTACH)),
    _delegation(PASS, content(statement("organizations:*"))),
    # Two accounts, either of which may do half of it.
    _delegation(FAIL, content(UPDATE, statement("organizations:AttachPolicy", principal={"AWS": "444455556666"}))),
    _delegation(UNKNOWN, "{", flips=(Flip("content", BOTH, PASS, Delegation()),)),
    _delegation(FAIL),
    _delegation(NOT_APPLICABLE, management=OTHER),
    Case(DELEGATED, NOT_APPLICABLE, {Organization(): (), Delegation(): ()}),
)
