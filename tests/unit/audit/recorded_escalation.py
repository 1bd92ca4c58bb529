"""Recorded answers for the check of escalation paths; tests/unit/iam/test_escalation.py tries every path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.audit.checks.escalation import Details
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import Case, Flip
from .recorded_attachments import aws, policy

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
CHECK = "iam_policy_allows_privilege_escalation"
IAM = "arn:aws:iam::123456789012"
USER, GROUP, ROLE, OWN, AWS = map(Details, ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"))
READ = policy("s3:GetObject")
CHANGE_ANNA = policy("iam:PutUserPolicy", resource=f"{IAM}:user/anna")


def trust(*, service: str | None = None, aws: str | None = None) -> str:
    principal = {"Service": service} if service else {"AWS": aws}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(name: str = "anna", **values: Any) -> Live:
    given = {"inline": [READ], "attached": [], "boundary": None, "groups": [], **values}
    return Live({"name": name}, given, f"the user {name!r}", None, arn=f"{IAM}:user/{name}")


def group(**values: Any) -> Live:
    given = {"inline": [READ], "attached": [], **values}
    return Live({"name": "staff"}, given, "the group 'staff'", None, arn=f"{IAM}:group/staff")


def role(name: str = "deploy", **values: Any) -> Live:
    given = {
        "inline": [READ],
        "attached": [],
        "boundary": None,
        "trust": trust(service="ec2.amazonaws.com"),
        "instance_profile": False,
        **values,
    }
    return Live({"name": name}, given, f"the role {name!r}", None, arn=f"{IAM}:role/{name}")


def managed(arn: str, document: str, **values: Any) -> Live:
    return Live({"arn": arn}, {"document": document, **values}, f"the policy {arn}", None, arn=arn)


def attaching(arn: str) -> str:
    """A policy that lets policies of a path be attached to users."""
    statement = {"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*"}
    condition = {"ArnLike": {"iam:PolicyARN": arn}}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


def account(
    *identities: Live,
    own: Mapping[str, str] | None = None,
    of_aws: Mapping[str, str] | None = None,
    older: Sequence[str | None] = (),
) -> dict[Any, tuple[Live, ...]]:
    """Answers about identities and policies; `older` are further versions of each own one."""

    def of(kind: str) -> tuple[Live, ...]:
        return tuple(one for one in identities if f":{kind}/" in str(one.arn))

    return {
        USER: of("user"),
        GROUP: of("group"),
        ROLE: of("role"),
        OWN: tuple(managed(arn, text, older=list(older)) for arn, text in (own or {}).items()),
        AWS: tuple(managed(arn, text) for arn, text in (of_aws or {}).items()),
    }


ADMIN_ROLE = role("admin", inline=[policy("*")], instance_profile=True)
BOUNDARY, SHARED = f"{IAM}:policy/boundary", f"{IAM}:policy/shared"
TEAM = f"{IAM}:policy/team/all"
PASSING = policy("iam:PassRole", "ec2:RunInstances", "ssm:SendCommand")

CASES = (
    Case(CHECK, PASS, account()),
    Case(
        CHECK,
        PASS,
        account(
            user(attached=[aws("ReadOnlyAccess"), SHARED], groups=["staff"]),
            group(),
            role(),
            own={SHARED: READ},
            of_aws={aws("ReadOnlyAccess"): READ},
        ),
        (
            Flip("inline", [CHANGE_ANNA], FAIL, USER),
            Flip("inline", [CHANGE_ANNA], FAIL, GROUP),
            Flip("inline", [policy("iam:AttachRolePolicy")], FAIL, ROLE),
            Flip("inline", ["{"], UNKNOWN, GROUP),
            Flip("document", CHANGE_ANNA, FAIL, OWN),
            Flip("document", CHANGE_ANNA, FAIL, AWS),
            Flip("document", "{", UNKNOWN, OWN),
            Flip("attached", [aws("Other")], UNKNOWN, USER),
            Flip("attached", [aws("Other")], UNKNOWN, GROUP),
            Flip("attached", [aws("Other")], UNKNOWN, ROLE),
            Flip("@arn", aws("Other"), UNKNOWN, OWN),
            Flip("@arn", aws("Other"), UNKNOWN, AWS),
            Flip("trust", "{", UNKNOWN, ROLE),
            Flip("boundary", aws("Other"), UNKNOWN, USER),
        ),
    ),
    # Bounded: what it may do to itself leads nowhere.
    Case(
        CHECK,
        PASS,
        account(
            user(inline=[policy("iam:*")], boundary=BOUNDARY),
            own={BOUNDARY: policy("s3:*", "iam:PutUserPolicy")},
        ),
        (Flip("boundary", None, FAIL, USER),),
    ),
    Case(
        CHECK,
        PASS,
        account(role(inline=[policy("iam:*")], boundary=BOUNDARY), own={BOUNDARY: policy("s3:*")}),
        (Flip("boundary", None, FAIL, ROLE),),
    ),
    Case(
        CHECK,
        FAIL,
        account(user(groups=["staff"]), group(inline=[CHANGE_ANNA])),
        (Flip("groups", [], PASS, USER), Flip("@arn", f"{IAM}:user/ben", PASS, USER)),
    ),
    Case(
        CHECK,
        FAIL,
        account(user(groups=["staff"]), group(inline=[policy("iam:PutGroupPolicy", resource=f"{IAM}:group/staff")])),
        (Flip("@arn", f"{IAM}:group/other", PASS, GROUP),),
    ),
    # Passed to an instance, or on one that runs already.
    Case(
        CHECK,
        FAIL,
        account(user(inline=[PASSING]), ADMIN_ROLE),
        (
            Flip("instance_profile", False, PASS, ROLE),
            Flip("trust", trust(service="lambda.amazonaws.com"), PASS, ROLE),
            Flip("@arn", f"{IAM}:role/aws-service-role/ec2.amazonaws.com/admin", PASS, ROLE),
            Flip("inline", [READ], PASS, ROLE),
        ),
    ),
    # A role that the user makes an administrator before it runs something as it.
    Case(
        CHECK,
        FAIL,
        account(
            user(inline=[policy("iam:PutRolePolicy", "iam:PassRole", "ec2:RunInstances")]),
            role(instance_profile=True),
            own={BOUNDARY: READ},
        ),
        (
            Flip("boundary", BOUNDARY, PASS, ROLE),
            Flip("instance_profile", False, PASS, ROLE),
            Flip("@arn", f"{IAM}:role/aws-service-role/ec2.amazonaws.com/deploy", PASS, ROLE),
        ),
    ),
    Case(
        CHECK,
        UNKNOWN,
        account(user(attached=[aws("ReadOnlyAccess")])),
        (Flip("attached", [], PASS, USER),),
    ),
    # Attached to nobody yet: the user may do so.
    Case(
        CHECK,
        FAIL,
        account(user(inline=[attaching(f"{IAM}:policy/team/*")]), own={TEAM: policy("*")}),
        (
            Flip("document", READ, PASS, OWN),
            Flip("document", "{", UNKNOWN, OWN),
            Flip("@arn", f"{IAM}:policy/other/all", PASS, OWN),
            Flip("inline", [attaching(f"{IAM}:policy/other/*")], PASS, USER),
        ),
    ),
    # Versions to which somebody may go back, and nobody else.
    Case(
        CHECK,
        PASS,
        account(
            user(inline=[policy("iam:SetDefaultPolicyVersion")], attached=[SHARED]), own={SHARED: READ}, older=[READ]
        ),
        (
            Flip("older", [READ, policy("*")], FAIL, OWN),
            Flip("older", ["{"], UNKNOWN, OWN),
            Flip("older", [None], UNKNOWN, OWN),
        ),
    ),
    Case(
        CHECK,
        FAIL,
        account(
            user(inline=[policy("iam:SetDefaultPolicyVersion", resource=SHARED)], attached=[SHARED]),
            own={SHARED: READ},
            older=[policy("*")],
        ),
        (
            Flip("inline", [policy("iam:SetDefaultPolicyVersion", resource=TEAM)], PASS, USER),
            Flip("attached", [], PASS, USER),
            Flip("older", [], PASS, OWN),
        ),
    ),
    # Another boundary, which the user may set instead of its own.
    Case(
        CHECK,
        FAIL,
        account(
            user(inline=[policy("*")], boundary=BOUNDARY),
            own={BOUNDARY: policy("iam:PutUserPermissionsBoundary")},
        ),
        (
            Flip("document", policy("iam:ListUsers"), PASS, OWN),
            Flip("boundary", aws("Other"), UNKNOWN, USER),
        ),
    ),
)
