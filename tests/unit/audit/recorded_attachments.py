"""Attached policies."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.attachments import UsersPolicies
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip, live

PASS, FAIL = Status.PASS, Status.FAIL
OWN = "arn:aws:iam::123456789012:policy/example"
ROLE = Every("aws_iam_role_policy_attachment", HOME)
POLICY = Every("aws_iam_policy", HOME)


def attached(arn: str, **fields: Any) -> dict[Any, tuple[Live, ...]]:
    none: dict[Any, tuple[Live, ...]] = {
        Every(f"aws_iam_{one}_policy_attachment", HOME): () for one in ("group", "user")
    }
    return {**none, ROLE: (live({"policy_arn": arn}, "the attachment", **fields),)}


def policy(*actions: str, resource: str = "*") -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}],
        }
    )


def aws(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def _own(expected: Status, text: str, *flips: Flip, arn: str = OWN) -> Case:
    check = "iam_customer_attached_policy_no_administrative_privileges"
    answers = {**attached(arn), POLICY: (live({"policy": text}, "the policy", arn=OWN),)}
    return Case(check, expected, answers, flips)


def _nowhere(check: str, name: str) -> tuple[Case, ...]:
    there, elsewhere = aws(name), aws("ReadOnlyAccess")
    return (
        Case(check, PASS, attached(elsewhere), (Flip("policy_arn", there, FAIL, ROLE),)),
        Case(check, FAIL, attached(there), (Flip("@by_default", True, PASS, ROLE),)),
    )


def _somewhere(check: str, name: str) -> tuple[Case, ...]:
    def role(arn: str) -> dict[Any, tuple[Live, ...]]:
        return {ROLE: (live({"policy_arn": arn}, "the attachment"),)}

    own = f"arn:aws:iam::123456789012:policy/Deny{name}"
    return (
        Case(check, PASS, role(aws(name)), (Flip("policy_arn", own, FAIL), Flip("policy_arn", aws("Other"), FAIL))),
        Case(check, FAIL, {ROLE: ()}),
    )


USERS = "iam_policy_attached_only_to_group_or_roles"

CASES = (
    Case(
        USERS,
        PASS,
        {UsersPolicies(): (live({"inline": [], "attached": []}),)},
        (Flip("inline", ["one"], FAIL), Flip("attached", [OWN], FAIL)),
    ),
    Case(USERS, PASS, {UsersPolicies(): ()}),
    Case(USERS, FAIL, {UsersPolicies(): (live({"inline": [], "attached": [OWN]}),)}),
    *_nowhere("iam_aws_attached_policy_no_administrative_privileges", "AdministratorAccess"),
    *_somewhere("iam_support_role_created", "AWSSupportAccess"),
    *_somewhere("iam_securityaudit_role_created", "SecurityAudit"),
    *_nowhere("iam_policy_cloudshell_admin_not_attached", "AWSCloudShellFullAccess"),
    _own(
        PASS,
        policy("s3:GetObject"),
        Flip("policy", policy("*"), FAIL, POLICY),
        Flip("policy", policy("iam:*", "*:*"), FAIL, POLICY),
        Flip("policy", "{", Status.UNKNOWN, POLICY),
    ),
    _own(
        PASS,
        policy("*", resource="arn:aws:s3:::example/*"),
        *(Flip("policy", policy("*", resource=r), FAIL, POLICY) for r in ("arn:aws:*", "arn:aws-cn:*:*", "arn:*")),
    ),
    # As AWS's PowerUserAccess: not everything.
    _own(PASS, policy("iam:*").replace("Action", "NotAction"), Flip("policy", policy("*"), FAIL, POLICY)),
    _own(PASS, policy("*", resource="arn:aws:s3:::example").replace("Resource", "NotResource")),
    _own(PASS, policy("*").replace("Allow", "Deny")),
    _own(
        PASS,
        policy("*"),
        Flip("policy_arn", OWN, FAIL, ROLE),
        Flip("@arn", aws("Other"), FAIL, POLICY),
        arn=aws("Other"),
    ),
    _own(FAIL, policy("*"), Flip("@by_default", True, PASS, ROLE)),
)
