"""Which accounts authorization policies reach, and who manages policies, in each state that a check tells apart."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.organization_guardrails import Delegation, MemberAccounts
from toolkit.audit.checks.organizations import Organization, Policies
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import SCOPE, Case, Flip, live
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


def statement(*actions: str, principal: Any = None, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    who = {"AWS": f"arn:aws:iam::{OTHER}:root"} if principal is None else principal
    return {"Effect": effect, "Principal": who, "Action": list(actions), "Resource": "*", **more}


def content(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


UPDATE, ATTACH = statement("organizations:UpdatePolicy"), statement("organizations:AttachPolicy")
MANAGE = ("organizations:UpdatePolicy", "organizations:AttachPolicy")
BOTH = content(statement(*MANAGE))
OWN_ARN = f"arn:aws:organizations::{SCOPE.account_id}"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def of_type(kind: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {"organizations:PolicyType": kind}}


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
    # The management account manages its policies by itself: that delegates nothing.
    _delegation(
        FAIL,
        content(statement(*MANAGE, principal={"AWS": f"arn:aws:iam::{SCOPE.account_id}:root"})),
        flips=(Flip("content", BOTH, PASS, Delegation()),),
    ),
    _delegation(FAIL, content(statement(*MANAGE, principal={"AWS": SCOPE.account_id}))),
    # What is denied is not delegated, whoever the statement names.
    _delegation(FAIL, content(statement(*MANAGE), statement("organizations:AttachPolicy", effect="Deny"))),
    _delegation(FAIL, content(statement(*MANAGE), statement("*", principal="*", effect="Deny"))),
    _delegation(
        FAIL,
        content(statement(*MANAGE), statement(*MANAGE, effect="Deny", Resource=f"{OWN_ARN}:policy/o-a1b2c3d4e5/*")),
    ),
    _delegation(
        PASS,
        content(
            statement(*MANAGE),
            statement(*MANAGE, effect="Deny", Resource=f"{OWN_ARN}:policy/o-a1b2c3d4e5/service_control_policy/*"),
            statement(*MANAGE, effect="Deny", principal={"AWS": "444455556666"}),
        ),
    ),
    # Either action, of policies of one type.
    _delegation(PASS, content(statement(*MANAGE, Condition=of_type("BACKUP_POLICY")))),
    _delegation(PASS, content(statement(*MANAGE, Condition=of_type("TAG_POLICY", "StringLikeIfExists")))),
    _delegation(
        FAIL,
        content(
            statement(MANAGE[0], Condition=of_type("BACKUP_POLICY")),
            statement(MANAGE[1], Condition=of_type("TAG_POLICY")),
        ),
    ),
    _delegation(
        PASS,
        content(
            statement(MANAGE[0], Resource=f"{OWN_ARN}:policy/o-a1b2c3d4e5/backup_policy/*"),
            statement(
                MANAGE[1],
                Resource=[
                    f"{OWN_ARN}:ou/o-a1b2c3d4e5/ou-ab12-34cd56ef",
                    f"{OWN_ARN}:policy/o-a1b2c3d4e5/backup_policy/*",
                ],
            ),
        ),
    ),
    _delegation(
        FAIL,
        content(
            statement(MANAGE[0], Resource=f"{OWN_ARN}:policy/o-a1b2c3d4e5/backup_policy/*"),
            statement(MANAGE[1], Resource=f"{OWN_ARN}:policy/o-a1b2c3d4e5/tag_policy/*"),
        ),
    ),
    _delegation(
        FAIL, content(statement(*MANAGE), statement(*MANAGE, effect="Deny", Condition=of_type("*", "StringLike")))
    ),
    # Conditions on what is not known of the caller.
    _delegation(
        UNKNOWN, content(statement(*MANAGE, Condition=MFA)), flips=(Flip("content", BOTH, PASS, Delegation()),)
    ),
    _delegation(UNKNOWN, content(statement(*MANAGE), statement(*MANAGE, effect="Deny", Condition=MFA))),
    _delegation(
        UNKNOWN,
        content(statement(*MANAGE, Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/admin"}})),
    ),
    _delegation(UNKNOWN, content(statement(*MANAGE, Condition={"StringNotEquals": {"aws:RequestedRegion": "x"}}))),
    _delegation(FAIL, content(statement(MANAGE[0], Condition=MFA))),
    # The role that the policy names is who calls.
    _delegation(
        PASS,
        content(
            statement(
                *MANAGE,
                principal={"AWS": f"arn:aws:iam::{OTHER}:role/admin"},
                Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}},
            )
        ),
    ),
    _delegation(
        UNKNOWN, content(statement(*MANAGE, principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": OTHER}}))
    ),
    # The id of a role that was deleted.
    _delegation(FAIL, content(statement(*MANAGE, principal={"AWS": "AROACKCEVSQ6C2EXAMPLE"}))),
    _delegation(UNKNOWN, "{", flips=(Flip("content", BOTH, PASS, Delegation()),)),
    _delegation(FAIL),
    _delegation(NOT_APPLICABLE, management=OTHER),
    Case(DELEGATED, NOT_APPLICABLE, {Organization(): (), Delegation(): ()}),
)
