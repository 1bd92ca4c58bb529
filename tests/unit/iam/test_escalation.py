"""Who can become an administrator, path by path: each path is open with all of its actions, and with no fewer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any
from unittest import mock

import pytest

from toolkit.iam import PolicyDocument, PolicyKind, evaluate, held_policies, holders
from toolkit.iam.escalation import escalations
from toolkit.iam.escalation_paths import (
    LIFTING,
    ON_IDENTITIES,
    RAISES,
    REVERTING,
    RUNS_AS,
    EscalationPath,
    actions,
    escalation_paths,
)
from toolkit.iam.held_policies import ManagedPolicy
from toolkit.iam.holders import Identity

IAM = "arn:aws:iam::123456789012"
OWN = f"{IAM}:policy/own"


def allow(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def document(*statements: dict[str, Any], name: str = "a policy") -> PolicyDocument:
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": list(statements)}, name=name)


@cache
def everything() -> PolicyDocument:
    return document(allow("*"), name="everything")


def trust(*services: str, aws: tuple[str, ...] = (), **more: Any) -> PolicyDocument:
    principal = {**({"Service": list(services)} if services else {}), **({"AWS": list(aws)} if aws else {})}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    body = {"Version": "2012-10-17", "Statement": [statement]}
    return PolicyDocument.parse(body, name="trust", kind=PolicyKind.TRUST)


def user(name: str, *statements: dict[str, Any], **more: Any) -> Identity:
    return Identity(f"{IAM}:user/{name}", (document(*statements),) if statements else (), **more)


def role(name: str, *statements: dict[str, Any], **more: Any) -> Identity:
    return replace(user(name, *statements, **more), arn=f"{IAM}:role/{name}")


SERVICES = tuple(sorted({service for path in escalation_paths() for service in path.services}))
ADMIN = Identity(f"{IAM}:user/admin", (everything(),))
ADMIN_ROLE = Identity(
    f"{IAM}:role/admin", (everything(),), trust=trust(*SERVICES, aws=(f"{IAM}:root",)), instance_profile=True
)
ADMINS = Identity(f"{IAM}:group/admins", (everything(),))
PLAIN_ROLE = role("plain", allow("s3:ListBucket"), trust=trust(aws=(f"{IAM}:root",)), managed=frozenset({OWN}))
PLAIN_USER = user("plain", allow("s3:ListBucket"))
ACCOUNT = (ADMIN, ADMIN_ROLE, ADMINS, PLAIN_ROLE, PLAIN_USER)


def ways(one: Identity, *others: Identity) -> set[str]:
    found = escalations((one, *(others or ACCOUNT)))
    assert one.arn not in found.administrators
    return {way.path.id for way in found.ways.get(one.arn, ())}


def holder(path: EscalationPath, *statements: dict[str, Any]) -> Identity:
    """Somebody whom a path is for: a role where it changes a role's own policies."""
    own = path.category == "self-escalation"
    kind = role if own and ON_IDENTITIES[path.required[0]] == "role" else user
    groups = frozenset({f"{IAM}:group/staff"}) if kind is user else frozenset[str]()
    return kind("anna", *statements, managed=frozenset({OWN}), groups=groups)


STAFF = Identity(f"{IAM}:group/staff", (), managed=frozenset({OWN}))


@pytest.mark.parametrize("path", escalation_paths(), ids=lambda path: path.id)
def test_a_path_is_open_with_all_of_its_actions_and_not_without_one(path: EscalationPath):
    assert path.id in ways(holder(path, allow(*path.required)), *ACCOUNT, STAFF)
    for action in path.required:
        rest = [one for one in path.required if one != action]
        assert path.id not in ways(holder(path, allow(*rest, "s3:ListBucket")), *ACCOUNT, STAFF)
        denied = allow(action, effect="Deny")
        assert path.id not in ways(holder(path, allow(*path.required), denied), *ACCOUNT, STAFF)
        bounded = replace(
            holder(path, allow(*path.required)),
            boundary=document(allow(*rest, "s3:ListBucket")),
            boundary_arn="arn:aws:iam::aws:policy/job-function/Billing",  # which nobody but AWS can change
        )
        assert path.id not in ways(bounded, *ACCOUNT, STAFF)


def test_the_catalogue_is_of_kinds_that_are_understood():
    assert len(escalation_paths()) == len({path.id for path in escalation_paths()}) == 65
    for path in escalation_paths():
        identities = [action for action in path.required if action.startswith(("iam:", "sts:"))]
        assert set(identities) <= ON_IDENTITIES.keys(), path.id
        assert path.services or len(identities) == len(path.required), path.id
        if path.category == "self-escalation":
            assert len(path.required) == 1, path.id
        if path.category == "existing-passrole":
            assert {action.split(":")[0] for action in path.required} <= RUNS_AS.keys(), path.id


def test_administrators_have_nothing_to_escalate_to():
    found = escalations(ACCOUNT)
    assert found.administrators == {ADMIN.arn, ADMIN_ROLE.arn}
    assert not found.ways


def test_everything_but_identities_is_no_administrator():
    """PowerUserAccess and the like: what runs as an administrator can be changed."""
    power = user("anna", allow("*"), allow("iam:*", effect="Deny"))
    assert {"lambda-003", "cloudformation-002", "sts-001"} <= ways(power)
    assert not any(path.startswith("iam-") for path in ways(power))


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        (allow("iam:PutUserPolicy", resource=f"{IAM}:user/${{aws:username}}"), "iam-007"),
        (allow("iam:PutUserPolicy", resource=f"{IAM}:user/anna"), "iam-007"),
        (allow("iam:PutUserPolicy", resource="arn:aws:iam::*:user/*"), "iam-007"),
        (allow("iam:PutUserPolicy", resource=f"{IAM}:user/${{aws:PrincipalTag/team}}*"), "iam-007"),
        (allow("iam:CreateAccessKey", resource=f"{IAM}:user/admin"), "iam-002"),
        (allow("iam:CreateAccessKey", resource=f"{IAM}:user/a*"), "iam-002"),
        (allow("iam:AttachUserPolicy", resource=f"{IAM}:user/*", Condition={"Bool": {"aws:ViaAWSService": "x"}}), ""),
    ],
)
def test_it_counts_what_an_action_is_allowed_on(statement: dict[str, Any], path: str):
    if not path:
        statement = {**statement, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
        path = "iam-008"
    assert path in ways(user("anna", statement))


@pytest.mark.parametrize(
    "statement",
    [
        # Self-service, as AWS documents it, and what is about others who are nobody.
        allow("iam:CreateAccessKey", "iam:UpdateLoginProfile", resource=f"{IAM}:user/${{aws:username}}"),
        allow("iam:CreateAccessKey", resource=f"{IAM}:user/plain"),
        allow("iam:PutUserPolicy", "iam:AttachUserPolicy", resource=f"{IAM}:user/other"),
        allow("iam:AddUserToGroup", resource=f"{IAM}:group/staff"),
        allow("sts:AssumeRole", resource=f"{IAM}:role/plain"),
        allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction", resource=f"{IAM}:role/plain"),
        # No administrator's policy may be attached.
        allow(
            "iam:AttachUserPolicy",
            Condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}},
        ),
        # Only whoever has the boundary may be changed.
        allow(
            "iam:AttachUserPolicy",
            "iam:PutUserPolicy",
            "iam:CreateAccessKey",
            resource=f"{IAM}:user/other",
            Condition={"StringEquals": {"iam:PermissionsBoundary": f"{IAM}:policy/boundary"}},
        ),
        allow("iam:PassRole", "ec2:RunInstances", Condition={"StringEquals": {"iam:PassedToService": "example.com"}}),
        {"Effect": "Allow", "NotAction": sorted({f"{a.split(':')[0]}:*" for a in actions()}), "Resource": "*"},
    ],
)
def test_what_leads_to_no_administrator_is_no_path(statement: dict[str, Any]):
    assert ways(user("anna", statement), *ACCOUNT, STAFF) == set()


TEAM_ROLE = role("team", allow("s3:*"), trust=trust("lambda.amazonaws.com"), managed=frozenset({OWN}))
TEAM_INSTANCE = replace(TEAM_ROLE, trust=trust("ec2.amazonaws.com"), instance_profile=True)
PASS_TO_LAMBDA = ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")
RAISED = [
    # Actions of the holder, who is there besides, path, whom it leads to, what comes first.
    ((*PASS_TO_LAMBDA, "iam:PutRolePolicy"), TEAM_ROLE, "lambda-001", TEAM_ROLE.arn, ("iam:PutRolePolicy",)),
    (("iam:AttachRolePolicy", "iam:PassRole", "lambda:*"), TEAM_ROLE, "lambda-001", TEAM_ROLE.arn, None),
    (("iam:PutRolePolicy", "iam:PassRole", "ec2:*"), TEAM_INSTANCE, "ec2-001", TEAM_ROLE.arn, ("iam:PutRolePolicy",)),
    (("iam:PutRolePolicy", "lambda:UpdateFunctionCode"), TEAM_ROLE, "lambda-003", TEAM_ROLE.arn, None),
    (("iam:CreatePolicyVersion", "ssm:SendCommand"), TEAM_INSTANCE, "ssm-002", TEAM_ROLE.arn, None),
    (("iam:PutGroupPolicy", "iam:AddUserToGroup"), STAFF, "iam-013", STAFF.arn, ("iam:PutGroupPolicy",)),
    (("iam:CreatePolicyVersion", "iam:AddUserToGroup"), STAFF, "iam-013", STAFF.arn, ("iam:CreatePolicyVersion",)),
    (("iam:AttachUserPolicy", "iam:UpdateLoginProfile"), PLAIN_USER, "iam-006", PLAIN_USER.arn, None),
    (
        ("iam:PutGroupPolicy", "iam:CreateLoginProfile"),
        (replace(PLAIN_USER, groups=frozenset({STAFF.arn})), STAFF),
        "iam-004",
        PLAIN_USER.arn,
        ("iam:PutGroupPolicy",),
    ),
]


@pytest.mark.parametrize(("actions", "others", "path", "to", "first"), RAISED, ids=lambda one: str(one)[:40])
def test_whom_one_can_make_an_administrator_is_worth_getting_at(
    actions: tuple[str, ...], others: Any, path: str, to: str, first: tuple[str, ...] | None
):
    """Each by an action on others only, so that no path of the catalogue alone is open."""
    first = first or tuple(action for action in actions if action in RAISES)
    others = others if isinstance(others, tuple) else (others,)
    raising = [allow(one, resource=[one_.arn for one_ in others] + [OWN]) for one in first]
    rest = allow(*(one for one in actions if one not in first))
    found = escalations((user("anna", *raising, rest), *others)).ways
    assert (path, to, first) in {(way.path.id, way.to, way.first) for way in found[f"{IAM}:user/anna"]}
    assert not escalations((user("anna", rest), *others)).ways
    assert not escalations((user("anna", *raising), *others)).ways
    denied = [{**one, "Effect": "Deny"} for one in raising]
    assert not escalations((user("anna", *raising, *denied, rest), *others)).ways
    bounded = tuple(
        one
        if one.kind == "group"
        else replace(one, boundary=document(allow("s3:*")), boundary_arn=TestBoundaries.BOUNDARY)
        for one in others
    )
    assert bounded == others or not escalations((user("anna", *raising, rest), *bounded)).ways


def test_everything_but_identities_and_the_policies_of_roles_is_a_way():
    rest = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
    found = escalations((user("anna", rest, allow("iam:PutRolePolicy", "iam:PassRole")), TEAM_ROLE)).ways
    assert {"lambda-001", "lambda-003"} <= {way.path.id for way in found[f"{IAM}:user/anna"]}


def test_a_role_that_may_add_users_to_groups_gets_at_one_as_whom_it_signs_in():
    deploy = role("deploy", allow("iam:AddUserToGroup"), allow("iam:CreateAccessKey", resource=PLAIN_USER.arn))
    found = escalations((deploy, PLAIN_USER, ADMINS)).ways[deploy.arn]
    assert [(way.path.id, way.to, way.first) for way in found] == [("iam-002", PLAIN_USER.arn, ("iam:AddUserToGroup",))]
    assert not escalations((deploy, PLAIN_USER, STAFF)).ways


def test_a_combination_that_the_catalogue_has_is_named_once():
    anna = user("anna", allow("sts:AssumeRole", "iam:PutRolePolicy", resource=PLAIN_ROLE.arn))
    assert [(way.path.id, way.first) for way in escalations((anna, PLAIN_ROLE)).ways[anna.arn]] == [("iam-017", ())]


def test_a_trust_policy_that_names_a_session_lets_in_its_role():
    """Whoever assumes a role chooses the session's name; the ARN of a session lacks the role's path."""
    admin = replace(ADMIN_ROLE, trust=trust(aws=("arn:aws:sts::123456789012:assumed-role/dev/anna",)))
    dev = replace(role("dev", allow("s3:ListBucket")), arn=f"{IAM}:role/people/dev")
    assert ways(dev, admin) == {"sts-001"}
    bounded = replace(dev, boundary=document(allow("s3:*")), boundary_arn=TestBoundaries.BOUNDARY)
    # IAM User Guide, "Permissions boundaries for IAM entities": none limits a session that a resource's policy names.
    assert ways(bounded, admin) == {"sts-001"}
    assert ways(replace(dev, policies=(document(allow("sts:AssumeRole", effect="Deny")),)), admin) == set()
    for other in ("role/developer", "role/people/other", "user/dev"):
        assert ways(replace(dev, arn=f"{IAM}:{other}"), admin) == set()
    assert ways(replace(dev, arn="arn:aws:iam::111122223333:role/dev"), admin) == set()


def test_an_account_in_an_arn_may_be_a_variable():
    own = allow("iam:CreateAccessKey", resource="arn:aws:iam::${aws:PrincipalAccount}:user/ad*")
    assert ways(user("anna", own)) == {"iam-002"}


def test_several_steps_lead_to_an_administrator_as_well():
    """anna enters ben, who assumes a role that may change its own policies."""
    anna = user("anna", allow("iam:CreateAccessKey", resource=f"{IAM}:user/ben"))
    ben = user("ben", allow("sts:AssumeRole", resource=f"{IAM}:role/deploy"))
    deploy = role("deploy", allow("iam:PutRolePolicy", resource=f"{IAM}:role/deploy"), trust=trust(aws=(ben.arn,)))
    found = escalations((anna, ben, deploy, PLAIN_USER)).ways
    assert {arn: [(way.path.id, way.to) for way in of] for arn, of in found.items()} == {
        anna.arn: [("iam-002", ben.arn)],
        ben.arn: [("sts-001", deploy.arn)],
        deploy.arn: [("iam-005", None)],
    }
    cut = replace(deploy, policies=())
    assert escalations((anna, ben, cut, PLAIN_USER)).ways == {}


def test_a_trust_policy_lets_its_own_account_in_only_with_permission_and_a_named_user_without():
    for named, expected in ((f"{IAM}:root", set()), (f"{IAM}:user/anna", {"sts-001"}), (f"{IAM}:user/ben", set())):
        admin = replace(ADMIN_ROLE, trust=trust(aws=(named,)))
        assert ways(user("anna", allow("s3:ListBucket")), admin) == expected
    admin = replace(
        ADMIN_ROLE, trust=trust(aws=(f"{IAM}:root",), Condition={"Bool": {"aws:MultiFactorAuthPresent": True}})
    )
    assert ways(user("anna", allow("sts:AssumeRole")), admin) == {"sts-001"}
    assert ways(user("anna", allow("sts:AssumeRole")), replace(ADMIN_ROLE, trust=None)) == set()


def test_a_role_is_passed_only_to_a_service_that_it_trusts():
    passing = user("anna", allow("iam:PassRole", "lambda:*", "ec2:*"))
    assert ways(passing, replace(ADMIN_ROLE, trust=trust("ecs-tasks.amazonaws.com"))) == set()
    assert "lambda-001" in ways(passing, replace(ADMIN_ROLE, trust=trust("lambda.amazonaws.com")))
    instance = replace(ADMIN_ROLE, trust=trust("ec2.amazonaws.com"))
    assert "ec2-001" in ways(passing, instance)
    outside = replace(instance, instance_profile=False)
    assert ways(passing, outside) == set()
    # An instance profile for it can be made.
    filling = user("anna", allow("iam:PassRole", "ec2:RunInstances", "iam:AddRoleToInstanceProfile"))
    (way,) = escalations((filling, outside)).ways[filling.arn]
    assert (way.path.id, way.to, way.first) == ("ec2-001", outside.arn, ("iam:AddRoleToInstanceProfile",))
    denied = allow("iam:AddRoleToInstanceProfile", effect="Deny")
    assert ways(user("anna", allow("iam:PassRole", "ec2:*", "iam:Add*"), denied), outside) == set()


@pytest.mark.parametrize("path", ["aws-service-role/x.amazonaws.com", "aws-reserved/sso.amazonaws.com"])
def test_nobody_changes_roles_of_aws(path: str):
    reserved = replace(ADMIN_ROLE, arn=f"{IAM}:role/{path}/admin")
    assert ways(user("anna", allow("iam:UpdateAssumeRolePolicy", "iam:PassRole", "lambda:*")), reserved) == set()


class TestBoundaries:
    BOUNDARY = f"{IAM}:policy/boundary"

    def bounded(self, one: Identity, *statements: dict[str, Any]) -> Identity:
        return replace(one, boundary=document(*statements), boundary_arn=self.BOUNDARY)

    def test_a_bounded_user_gains_nothing_by_changing_itself(self):
        anna = user("anna", allow("*"))
        itself = self.bounded(anna, allow("s3:*", "iam:PutUserPolicy"))
        assert ways(itself) == set()
        assert ways(self.bounded(anna, allow("iam:PutUserPolicy", "iam:CreateAccessKey"))) >= {"iam-002", "iam-018"}
        # Allows everything, but for identities: it is no administrator, nor may one be made of it.
        limits = (allow("*"), allow("iam:*", "sts:*", effect="Deny"))
        assert ways(self.bounded(anna, *limits), PLAIN_USER, ADMIN) == set()
        entering = user("ben", allow("iam:PutUserPolicy", "iam:CreateAccessKey", resource=anna.arn))
        assert escalations((entering, self.bounded(anna, *limits), ADMIN)).ways == {}
        assert list(escalations((entering, PLAIN_USER, user("anna", allow("s3:*")), ADMIN)).ways) == [entering.arn]

    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("iam:DeleteUserPermissionsBoundary", "*"),
            ("iam:PutUserPermissionsBoundary", f"{IAM}:user/anna"),
            ("iam:CreatePolicyVersion", BOUNDARY),
        ],
    )
    def test_one_that_may_be_lifted_is_none(self, action: str, resource: str):
        anna = user("anna", allow("*"))
        lifted = self.bounded(anna, allow("s3:*"), allow(action, resource=resource))
        assert LIFTING.id in ways(lifted)
        raised = self.bounded(
            user("anna", allow("iam:*")), allow("iam:PutUserPolicy"), allow(action, resource=resource)
        )
        assert "iam-007" in ways(raised)

    def test_one_that_allows_everything_is_none(self):
        anna = self.bounded(user("anna", allow("iam:PutUserPolicy")), allow("*"))
        assert "iam-007" in ways(anna)

    def test_who_may_change_only_the_bounded_gains_nothing(self):
        """AWS's example of delegation: roles may be changed if they have the boundary."""
        delegated = allow(
            "iam:AttachRolePolicy",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
            Condition={"StringEquals": {"iam:PermissionsBoundary": self.BOUNDARY}},
        )
        delegated = {**delegated, "Action": delegated["Action"][:2]}
        anna = user("anna", delegated, allow("sts:AssumeRole"))
        bounded = self.bounded(PLAIN_ROLE, allow("s3:*"))
        assert ways(anna, bounded, ADMIN) == set()
        assert ways(anna, PLAIN_ROLE, ADMIN) == set()
        assert ways(anna, self.bounded(PLAIN_ROLE, allow("*")), ADMIN) == {"iam-014", "iam-017"}

    def lifted(self, *statements: dict[str, Any], of: str = BOUNDARY, policies: Any = ()) -> dict[str, tuple[str, ...]]:
        """What is open to a user who may do everything but what its boundary leaves out, and by what before."""
        anna = replace(user("anna", allow("*")), boundary=document(*statements), boundary_arn=of)
        found = escalations((anna, ADMIN), policies)
        return {way.path.id: way.first for way in found.ways.get(anna.arn, ())}

    PUT = "iam:PutUserPermissionsBoundary"
    WIDE = f"{IAM}:policy/boundaries/wide"

    def put(self, arn: str) -> dict[str, Any]:
        return allow(self.PUT, Condition={"ArnLike": {"iam:PermissionsBoundary": arn}})

    def test_any_policy_that_it_may_set_instead_counts(self):
        put, wide = self.put(f"{IAM}:policy/boundaries/*"), managed(self.WIDE, allow("*"))
        assert self.lifted(put) == {}
        assert self.lifted(put, policies=[wide])[LIFTING.id] == (self.PUT,)
        assert self.lifted(self.put(f"{IAM}:policy/other/*"), policies=[wide]) == {}
        assert self.lifted(put, policies=[managed(self.WIDE, allow("*"), allow("iam:*", effect="Deny"))]) == {}
        of_aws = "arn:aws:iam::aws:policy/job-function/Wide"
        assert self.lifted(self.put(of_aws), policies=[managed(of_aws, allow("*"))])[LIFTING.id] == (self.PUT,)

    def test_one_that_leaves_another_path_counts_as_well(self):
        put = self.put(f"{IAM}:policy/boundaries/*")
        keys = managed(self.WIDE, allow("iam:CreateAccessKey"))
        assert self.lifted(put, policies=[keys]) == {"iam-002": (self.PUT,)}
        elsewhere = managed(self.WIDE, allow("iam:CreateAccessKey", resource=f"{IAM}:user/plain"))
        assert self.lifted(put, policies=[elsewhere]) == {}
        deleting = managed(self.WIDE, allow("iam:DeleteUserPermissionsBoundary"))
        assert self.lifted(put, policies=[deleting])[LIFTING.id] == (self.PUT, "iam:DeleteUserPermissionsBoundary")

    @pytest.mark.parametrize("made", ["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"])
    def test_one_that_it_makes_before_counts(self, made: str):
        put, making = self.put(f"{IAM}:policy/boundaries/*"), allow(made, resource=f"{IAM}:policy/boundaries/*")
        narrow = managed(self.WIDE, allow("s3:*"), older=(document(allow("*")),))
        assert self.lifted(put, making, policies=[narrow])[LIFTING.id] == (made, self.PUT)
        assert self.lifted(put, allow(made, resource=f"{IAM}:policy/other/*"), policies=[narrow]) == {}

    def test_one_whose_older_version_allows_more_counts(self):
        revert = allow("iam:SetDefaultPolicyVersion", resource=self.BOUNDARY)
        for older, expected in (
            (allow("*"), {LIFTING.id}),
            (allow("s3:*"), set()),
            (allow("iam:CreateAccessKey"), {"iam-002"}),
        ):
            its = managed(self.BOUNDARY, allow("s3:*"), older=(document(older),))
            found = self.lifted(revert, policies=[its])
            assert expected <= found.keys()
            assert bool(found) is bool(expected)
            assert self.lifted(allow("s3:*"), policies=[its]) == {}

    @pytest.mark.parametrize("action", ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"])
    def test_nobody_but_aws_changes_a_boundary_of_aws(self, action: str):
        of_aws = "arn:aws:iam::aws:policy/job-function/Narrow"
        its = managed(of_aws, allow(action), older=(document(allow("*")),))
        assert self.lifted(allow(action), of=of_aws, policies=[its]) == {}

    def test_who_may_lift_it_has_the_paths_that_it_left_out(self):
        """A user who is no administrator without it either."""
        anna = user("anna", allow("iam:DeleteUserPermissionsBoundary", "iam:CreateAccessKey"))
        bounded = self.bounded(anna, allow("iam:DeleteUserPermissionsBoundary"))
        (way,) = escalations((bounded, ADMIN)).ways[anna.arn]
        assert (way.path.id, way.to, way.first) == ("iam-002", ADMIN.arn, ("iam:DeleteUserPermissionsBoundary",))
        assert escalations((self.bounded(anna, allow("s3:*")), ADMIN)).ways == {}

    def test_a_boundary_is_set_by_each_user_whom_it_names(self):
        keys = managed(self.WIDE, allow("iam:CreateAccessKey", resource=f"{IAM}:user/ben"))
        policies, boundary = document(allow("*")), document(self.put(self.WIDE))
        users = [
            Identity(f"{IAM}:user/{name}", (policies,), boundary=boundary, boundary_arn=self.BOUNDARY)
            for name in ("anna", "ben")
        ]
        ben_is_one = [replace(users[0]), replace(users[1], boundary=None, boundary_arn=None)]
        assert list(escalations(ben_is_one, [keys]).ways) == [users[0].arn]
        assert escalations(users, [keys]).ways == {}


TEAM = f"{IAM}:policy/team/*"
OLD_ADMIN = (document(allow("s3:*")), document(allow("*")))


def managed(arn: str, *statements: dict[str, Any], older: tuple[PolicyDocument, ...] = ()) -> ManagedPolicy:
    return ManagedPolicy(arn, lambda: document(*statements, name=arn) if statements else None, lambda: older)


def attaching(action: str, arn: str = TEAM) -> dict[str, Any]:
    return allow(action, Condition={"ArnLike": {"iam:PolicyARN": arn}})


ATTACHED = [
    # Policies of the account, what else the holder may do, and what it does before; None: it gains nothing.
    ([managed(f"{IAM}:policy/team/all", allow("*"))], (), ()),
    ([managed(f"{IAM}:policy/team/identities", allow("iam:*"))], (), ()),
    ([managed(f"{IAM}:policy/team/own", allow("iam:Put*", resource=f"{IAM}:user/plain"))], (), None),
    ([managed(f"{IAM}:policy/team/most", allow("*"), allow("iam:*", effect="Deny"))], (), None),
    ([managed(f"{IAM}:policy/team/less", allow("s3:*"))], (), None),
    ([managed(f"{IAM}:policy/team/unknown")], (), None),
    ([managed(f"{IAM}:policy/other/all", allow("*"))], (), None),
    ([], (allow("iam:CreatePolicy"),), ("iam:CreatePolicy",)),
    ([], (allow("iam:CreatePolicy", resource="arn:*:iam::*:policy/team/dev-*"),), ("iam:CreatePolicy",)),
    ([], (allow("iam:CreatePolicy", resource=f"{IAM}:policy/other/*"),), None),
    ([], (allow("iam:CreatePolicy"), allow("iam:CreatePolicy", resource=TEAM, effect="Deny")), None),
    # A policy of that name is there already, and cannot be created.
    (
        [managed(f"{IAM}:policy/team/less", allow("s3:*"))],
        (allow("iam:CreatePolicy", resource=f"{IAM}:policy/team/less"),),
        None,
    ),
    (
        [managed(f"{IAM}:policy/team/less", allow("s3:*"))],
        (allow("iam:CreatePolicyVersion"),),
        ("iam:CreatePolicyVersion",),
    ),
    (
        [managed(f"{IAM}:policy/team/less", allow("s3:*"))],
        (allow("iam:CreatePolicyVersion", resource=f"{IAM}:policy/other/*"),),
        None,
    ),
    (
        [managed(f"{IAM}:policy/team/was", allow("s3:*"), older=OLD_ADMIN)],
        (allow("iam:SetDefaultPolicyVersion"),),
        ("iam:SetDefaultPolicyVersion",),
    ),
    ([managed(f"{IAM}:policy/team/was", allow("s3:*"), older=OLD_ADMIN)], (), None),
    (
        [managed(f"{IAM}:policy/team/was", allow("s3:*"), older=OLD_ADMIN[:1])],
        (allow("iam:SetDefaultPolicyVersion"),),
        None,
    ),
]


@pytest.mark.parametrize(("policies", "others", "first"), ATTACHED)
@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("iam:AttachUserPolicy", "iam-008"),
        ("iam:AttachGroupPolicy", "iam-010"),
        ("iam:AttachRolePolicy", "iam-009"),
    ],
)
def test_what_may_be_attached_is_all_that_makes_an_administrator(
    action: str, path: str, policies: list[ManagedPolicy], others: Any, first: tuple[str, ...] | None
):
    """To oneself; attached to nobody yet, or made before."""
    kind = role if action == "iam:AttachRolePolicy" else user
    anna = kind("anna", attaching(action), *others, groups=frozenset({STAFF.arn}))
    found = escalations((anna, STAFF), policies).ways.get(anna.arn, ())
    assert [(way.path.id, way.first) for way in found] == ([] if first is None else [(path, first)])


def test_what_may_be_attached_to_somebody_else_is_as_well():
    anna = user("anna", attaching("iam:AttachRolePolicy"), allow("iam:CreatePolicy", "sts:AssumeRole"))
    (way,) = escalations((anna, PLAIN_ROLE)).ways[anna.arn]
    assert (way.path.id, way.to, way.first) == ("iam-014", PLAIN_ROLE.arn, ("iam:CreatePolicy",))
    passing = allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")
    anna = user("anna", attaching("iam:AttachRolePolicy"), allow("iam:CreatePolicy"), passing)
    (way,) = escalations((anna, TEAM_ROLE)).ways[anna.arn]
    assert (way.path.id, way.first) == ("lambda-001", ("iam:CreatePolicy", "iam:AttachRolePolicy"))


def test_the_path_of_policies_may_be_each_users_own():
    own = f"{IAM}:policy/${{aws:username}}/*"
    anna = user("anna", allow("iam:CreatePolicy", resource=own), attaching("iam:AttachUserPolicy", own))
    assert [way.first for way in escalations([anna]).ways[anna.arn]] == [("iam:CreatePolicy",)]


@pytest.mark.parametrize(("older", "expected"), [(allow("*"), True), (allow("iam:*"), True), (allow("s3:*"), False)])
def test_who_may_go_back_to_a_version_of_its_own_policy_has_that(older: dict[str, Any], expected: bool):
    its = managed(OWN, allow("s3:*"), older=(document(older),))
    anna = user("anna", allow("iam:SetDefaultPolicyVersion"), managed=frozenset({OWN}))
    found = escalations([anna], [its]).ways
    assert [(way.path, way.to) for way in found.get(anna.arn, ())] == ([(REVERTING, OWN)] if expected else [])
    assert escalations([replace(anna, managed=frozenset())], [its]).ways == {}
    assert escalations([replace(anna, policies=(document(allow("s3:*")),))], [its]).ways == {}
    # Of somebody else, whose keys it can have.
    ben = user("ben", allow("iam:SetDefaultPolicyVersion"), allow("iam:CreateAccessKey", resource=PLAIN_USER.arn))
    found = escalations([ben, replace(PLAIN_USER, managed=frozenset({OWN}))], [its]).ways
    assert [(way.path.id, way.first) for way in found.get(ben.arn, ())] == (
        [("iam-002", ("iam:SetDefaultPolicyVersion",))] if expected else []
    )


def test_versions_are_read_only_where_somebody_may_go_back_to_them():
    read: list[str] = []

    def older(arn: str) -> tuple[PolicyDocument, ...]:
        read.append(arn)
        return ()

    policies = [
        ManagedPolicy(f"{IAM}:policy/p{n}", lambda: document(allow("s3:*")), partial(older, f"p{n}")) for n in range(3)
    ]
    anna = user(
        "anna",
        allow("iam:SetDefaultPolicyVersion", resource=f"{IAM}:policy/p1"),
        attaching("iam:AttachUserPolicy", f"{IAM}:policy/p*"),
    )
    escalations([user("ben", attaching("iam:AttachUserPolicy"))], policies)
    assert not read
    escalations([anna, *ACCOUNT], policies)
    assert read == ["p1"]


def test_a_policy_is_judged_for_each_user_whom_it_names():
    shared = document(allow("iam:PutUserPolicy", resource=f"{IAM}:user/ben"))
    users = [Identity(f"{IAM}:user/{name}", (shared,)) for name in ("anna", "ben", "carla")]
    assert list(escalations(users).ways) == [users[1].arn]


@contextmanager
def counted() -> Iterator[mock.Mock]:
    """How many evaluations there are."""
    count = mock.Mock(wraps=evaluate)
    with mock.patch.object(holders, "evaluate", count), mock.patch.object(held_policies, "evaluate", count):
        yield count


@pytest.mark.parametrize("many", [50, 5000])
def test_equal_users_are_evaluated_once(many: int):
    """Self-service and a group's policies: as many evaluations for 5,000 users as for 50."""
    shared = document(
        allow("iam:CreateAccessKey", "iam:AttachUserPolicy", resource=f"{IAM}:user/${{aws:username}}"),
        allow("iam:AddUserToGroup", "sts:AssumeRole", "iam:PassRole", "lambda:*", resource="*"),
    )
    users = [Identity(f"{IAM}:user/user-{number}", (shared,)) for number in range(many)]
    with counted() as evaluated:
        found = escalations([*users, *ACCOUNT])
    assert len(found.ways) == many
    assert evaluated.call_count == 7


def test_evaluations_grow_with_the_number_of_roles():
    """Each has a policy of its own that leads nowhere but to itself."""

    def count(many: int) -> int:
        roles = [
            role(
                f"r{number:04}",
                allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction", resource=f"{IAM}:role/own"),
                allow(
                    "iam:AttachRolePolicy", "iam:PutRolePolicy", "sts:AssumeRole", resource=f"{IAM}:role/r{number}-*"
                ),
            )
            for number in range(many)
        ]
        with counted() as evaluated:
            assert escalations([*roles, *ACCOUNT]).ways == {}
        return evaluated.call_count

    few, many = count(100), count(400)
    assert many <= few * 4.1


def test_evaluations_grow_with_the_number_of_those_who_may_change_roles():
    """Each changes the roles of its team, and none of these runs as what it may start."""

    def count(many: int) -> int:
        deployers = [
            user(
                f"u{number:04}",
                allow("iam:CreatePolicyVersion", resource=f"arn:aws:iam::*:policy/r{number:04}*"),
                allow("iam:PutRolePolicy", resource=f"{IAM}:role/r{number:04}-*"),
                allow("iam:AddUserToGroup", "iam:PutGroupPolicy", resource=f"{IAM}:group/g{number:04}"),
                allow("iam:CreateAccessKey", resource=f"{IAM}:user/x{number:04}"),
                allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionCode"),
            )
            for number in range(many)
        ]
        roles = [
            role(
                f"a{number:04}",
                allow("s3:*"),
                trust=trust("lambda.amazonaws.com"),
                managed=frozenset({f"{OWN}{number}"}),
            )
            for number in range(many)
        ]
        groups = [Identity(f"{IAM}:group/other{number}", ()) for number in range(many)]
        users = [user(f"x{number:04}", allow("s3:*")) for number in range(many)]
        with counted() as evaluated:
            assert escalations([*deployers, *roles, *groups, *users]).ways == {}
        return evaluated.call_count

    few, many = count(50), count(200)
    assert many <= few * 4.1


def test_evaluations_grow_with_the_number_of_those_who_may_attach_policies():
    """Each attaches and exchanges policies of its team, which there are many of; none makes an administrator."""

    def count(many: int) -> int:
        roles = [
            replace(
                role(
                    f"r{number:04}",
                    attaching("iam:AttachRolePolicy", f"{IAM}:policy/t{number:04}/*"),
                    allow("iam:CreatePolicy", "iam:CreatePolicyVersion", resource=f"{IAM}:policy/x{number:04}/*"),
                    allow("iam:SetDefaultPolicyVersion", resource=f"{IAM}:policy/t{number:04}/*"),
                    allow(
                        "iam:PutRolePermissionsBoundary",
                        Condition={"StringLike": {"iam:PermissionsBoundary": f"{IAM}:policy/t{number:04}/*"}},
                    ),
                ),
                boundary=document(allow("iam:*"), allow("iam:PutRolePolicy", effect="Deny")),
                boundary_arn=f"{IAM}:policy/t{number:04}/own",
            )
            for number in range(many)
        ]
        policies = [
            managed(f"{IAM}:policy/t{number:04}/{name}", allow("s3:*", "iam:List*"), older=OLD_ADMIN[:1])
            for number in range(many)
            for name in ("own", "more")
        ]
        with counted() as evaluated:
            assert escalations([*roles, *ACCOUNT], policies).ways == {}
        return evaluated.call_count

    few, many = count(50), count(200)
    assert many <= few * 4.1
