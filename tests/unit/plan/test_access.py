"""Who can do what by a plan: recorded plans as worlds, before and after."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from toolkit.access import Judge, Kind, Question, Verdict, World
from toolkit.access.asking import answer_of, named, verdict_of
from toolkit.components.registry import REGISTRY
from toolkit.plan.access import TYPES, before, world_of
from toolkit.plan.model import Attribution, Resource, parse_outcome, parse_plan
from toolkit.regions import PARTITION_OF
from toolkit.sandbox import managed_policies

ROOT = Path(__file__).parents[3]
ACCOUNT = "123456789012"
ATTRIBUTION = Attribution(tuple(REGISTRY), tuple(PARTITION_OF), "eu-central-1")
ALLOWED, DEPENDS, DENIED = Verdict.ALLOWED, Verdict.DEPENDS, Verdict.DENIED


def of(*resources: Resource, texts: Any = managed_policies.text) -> World:
    return world_of(resources, source="a test", account_id=ACCOUNT, home="eu-central-1", texts=texts)


def recorded(name: str) -> World:
    data = json.loads((ROOT / "tests" / "plans" / "components" / f"{name}.json").read_text("utf-8"))
    return of(*parse_outcome(data, ATTRIBUTION))


def resource(kind: str, key: str = "this", **values: Any) -> Resource:
    return Resource(f'module.iam_groups.{kind}.this["{key}"]', kind, "iam_groups", "eu-central-1", values)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def ask(world: World, who: str, action: str, on: str | None = None) -> Verdict:
    return verdict_of(Judge(world), named(world, who), Question(action, on))


EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_the_recorded_identities() -> None:
    world = recorded("identities")
    kinds = {kind: [one.name for one in world.principals if one.kind is kind] for kind in Kind}
    assert kinds[Kind.GROUP] == ["suspended-users"]
    assert kinds[Kind.USER] == ["anna", "bert", "emil"]
    assert "break-glass" in kinds[Kind.ROLE]
    assert {"999999999999", "444455556666"} <= set(kinds[Kind.ACCOUNT])
    assert ask(world, "break-glass", "cloudtrail:StopLogging") is ALLOWED
    assert ask(world, "bert", "s3:GetObject") is DENIED, "a suspended user"
    # The boundary of roles for pipelines.
    assert ask(world, "site", "iam:CreateUser") is DENIED
    assert ask(world, "444455556666", "iam:GetRole") is DEPENDS, "an external id is asked for"
    answer = answer_of(Judge(world), named(world, "444455556666"), Question("iam:GetRole"))
    assert answer.through is not None
    assert answer.through.name == "vendor"
    assert any("sts:ExternalId" in condition for condition in answer.conditions)
    # What the group says is not known here: it is another environment's.
    assert ask(world, "anna", "s3:GetObject") is DEPENDS


def test_the_recorded_permission_sets() -> None:
    world = recorded("identity_center")
    assert ask(world, "permission-set:administration", "iam:CreateUser") is ALLOWED


def test_the_recorded_log_buckets_and_keys() -> None:
    world = recorded("core")
    (trail,) = world.places["trail"]
    assert trail.endswith(":trail/baseline")
    assert any(arn.startswith("arn:aws:s3:::baseline-cloudtrail") for arn in world.places["log bucket"])
    assert world.places["log key"]
    guard = world.guard_of(world.places["log object"][0])
    assert guard is not None
    assert guard.policy is not None


def test_the_recorded_organization() -> None:
    world = recorded("organization")
    targets = {one.name for one in world.principals if one.kind is Kind.TARGET}
    assert "root" in targets
    assert ask(world, "accounts-below:root", "organizations:LeaveOrganization") is not ALLOWED


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, ALLOWED),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, DEPENDS),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, DEPENDS),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, DENIED),
    ],
)
def test_whom_a_policy_lets_in_from_anywhere_is_one_to_ask_about(condition: Any, expected: Verdict) -> None:
    named_too = {"Service": "ec2.amazonaws.com", "Federated": "accounts.google.com"}
    trusts = [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": condition},
        {"Effect": "Allow", "Principal": named_too, "Action": "sts:AssumeRole"},
    ]
    role = resource("aws_iam_role", "open", name="open", path="/", assume_role_policy=policy(*trusts))
    world = of(role, resource("aws_iam_role_policy_attachment", "open", role="open", policy_arn=EVERYTHING))
    assert ask(world, "anyone:anywhere", "iam:CreateUser") is expected
    assert any("accounts.google.com, ec2.amazonaws.com" in gap for gap in world.gaps)
    closed = resource("aws_iam_role", "open", name="open", path="/", assume_role_policy=policy(trusts[1]))
    assert not any(one.kind is Kind.ANYONE for one in of(closed).principals)


def test_groups_give_users_what_they_have() -> None:
    group = resource("aws_iam_group", "ops", name="ops", path="/")
    inline = resource(
        "aws_iam_group_policy", "ops", group="ops", name="stop", policy=policy(statement("Allow", "ec2:*"))
    )
    anna = resource("aws_iam_user", "anna", name="anna", path="/", tags_all={"team": "logs"})
    joined = resource("aws_iam_user_group_membership", "anna", user="anna", groups=["ops"])
    world = of(group, inline, anna, joined)
    assert ask(world, "anna", "ec2:StopInstances") is ALLOWED
    assert ask(of(group, inline, anna), "anna", "ec2:StopInstances") is DENIED
    assert ask(world, "group:ops", "ec2:StopInstances") is ALLOWED
    other = resource("aws_iam_group_membership", "ops", group="ops", users=["anna"])
    assert ask(of(group, inline, anna, other), "anna", "ec2:StopInstances") is ALLOWED


def test_a_boundary_limits() -> None:
    limit = resource("aws_iam_policy", "limit", name="limit", path="/", policy=policy(statement("Allow", "s3:*")))
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    anna = resource("aws_iam_user", "anna", name="anna", path="/", permissions_boundary=arn)
    given = resource("aws_iam_user_policy_attachment", "anna", user="anna", policy_arn=EVERYTHING)
    assert ask(of(limit, anna, given), "anna", "iam:CreateUser") is DENIED
    assert ask(of(limit, anna, given), "anna", "s3:ListAllMyBuckets") is ALLOWED
    # A boundary of which the text is not known may limit anything.
    assert ask(of(anna, given, texts=lambda _: None), "anna", "s3:ListAllMyBuckets") is DEPENDS


def test_a_text_that_is_not_known_is_named() -> None:
    anna = resource("aws_iam_user", "anna", name="anna", path="/")
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    given = resource("aws_iam_user_policy_attachment", "anna", user="anna", policy_arn=arn)
    world = of(anna, given, texts=lambda _: None)
    answer = answer_of(Judge(world), named(world, "anna"), Question("s3:GetObject"))
    assert answer.verdict is DEPENDS
    assert answer.conditions == ("on what AWS's policy ReadOnlyAccess says, whose text is not known here",)
    known = of(anna, given)
    assert ask(known, "anna", "s3:GetObject") is ALLOWED
    assert "moto" in named(known, "anna").held[0].note


def test_what_a_plan_gives_is_known_before_and_after() -> None:
    """Inline becomes managed: a rewrite that changes nothing for anybody."""
    text = policy(statement("Allow", "ec2:*"))
    group = {"name": "ops", "path": "/", "arn": f"arn:aws:iam::{ACCOUNT}:group/ops"}
    arn = f"arn:aws:iam::{ACCOUNT}:policy/stop"

    def change(kind: str, old: Any, new: Any) -> dict[str, Any]:
        actions = ["no-op"] if old == new else ["create"] if old is None else ["delete"]
        address = f'module.iam_groups.{kind}.this["ops"]'
        one = {"actions": actions, "before": old, "after": new, "after_unknown": {}}
        return {"address": address, "mode": "managed", "type": kind, "name": "this", "change": one}

    data = {
        "format_version": "1.2",
        "resource_changes": [
            change("aws_iam_group", group, group),
            change("aws_iam_group_policy", {"group": "ops", "name": "stop", "policy": text}, None),
            change("aws_iam_policy", None, {"name": "stop", "path": "/", "arn": arn, "policy": text}),
            change("aws_iam_group_policy_attachment", None, {"group": "ops", "policy_arn": arn}),
        ],
    }
    outcome = parse_outcome(data, ATTRIBUTION)
    was, is_now = of(*before(parse_plan(data, ATTRIBUTION), outcome)), of(*outcome)
    for world in (was, is_now):
        assert ask(world, "ops", "ec2:StopInstances") is ALLOWED
        assert ask(world, "ops", "s3:GetObject") is DENIED


@pytest.mark.parametrize(
    ("kind", "values", "resource_arn", "action"),
    [
        ("aws_s3_bucket_policy", {"bucket": "logs"}, "arn:aws:s3:::logs", "s3:DeleteBucket"),
        ("aws_kms_key", {}, f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/x", "kms:DisableKey"),
        ("aws_sns_topic_policy", {}, f"arn:aws:sns:eu-central-1:{ACCOUNT}:alerts", "sns:Publish"),
        ("aws_sqs_queue", {}, f"arn:aws:sqs:eu-central-1:{ACCOUNT}:queue", "sqs:SendMessage"),
    ],
)
def test_a_resources_policy_is_taken_into_account(kind: str, values: Any, resource_arn: str, action: str) -> None:
    anna = resource("aws_iam_user", "anna", name="anna", path="/")
    allows = policy(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/anna"}, "Action": "*", "Resource": "*"}
    )
    arn = {} if "bucket" in values else {"arn": resource_arn}
    guarded = resource(kind, "guarded", **values, **arn, policy=allows)
    assert ask(of(anna, guarded), "anna", action, resource_arn) is ALLOWED
    assert ask(of(anna), "anna", action, resource_arn) is DEPENDS, "its policy is not known"


@pytest.mark.parametrize(
    ("unread", "logs", "other"),
    [((), DENIED, DENIED), (("aws_s3_bucket_policy",), ALLOWED, DEPENDS), (("aws_s3_bucket",), ALLOWED, DENIED)],
)
def test_a_policy_that_could_not_be_read_is_not_taken_for_none(
    unread: tuple[str, ...], logs: Verdict, other: Verdict
) -> None:
    anna = resource("aws_iam_user", "anna", name="anna", path="/")
    allows = policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"})
    buckets = [resource("aws_s3_bucket", name, bucket=name) for name in ("logs", "other")]
    read = [resource("aws_s3_bucket_policy", "logs", bucket="logs", policy=allows)] if unread else []
    world = world_of((anna, *buckets, *read), source="a test", account_id=ACCOUNT, home="eu-central-1", unread=unread)
    assert ask(world, "anna", "s3:GetObject", "arn:aws:s3:::logs/a") is logs
    assert ask(world, "anna", "s3:GetObject", "arn:aws:s3:::other/a") is other
    # Of those that are not listed, one may have any policy.
    assert ask(world, "anna", "s3:PutObject") is (DEPENDS if unread else DENIED)


def test_an_attachment_known_after_apply_is_of_the_policy_of_its_name() -> None:
    """What `toolkit.plan.access` takes it for, in every module."""
    found = 0
    for file in sorted((ROOT / "modules").glob("*/*.tf")):
        text = file.read_text("utf-8")
        for name, block in re.findall(r'resource "aws_iam_\w+_policy_attachment" "(\w+)" \{(.*?)\n\}', text, re.S):
            for made in re.findall(r"policy_arn\s+=\s+aws_iam_policy\.(\w+)", block):
                assert made == name, f"{file}: {name} attaches {made}"
                found += 1
    assert found >= 3


def test_each_type_with_an_owner_or_a_policy_is_read() -> None:
    from toolkit.resources.registry import RESOURCES

    giving = {name for name, record in RESOURCES.items() if record.gives or record.owner}
    assert giving - {"aws_organizations_organizational_unit"} <= TYPES
