"""What a plan changes in who may do what, and the finding for it: plans with known gains and losses."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.access import Verdict
from toolkit.access.changes import Shifts, Turn
from toolkit.access.comparing import compare
from toolkit.findings import Consents, Finding, Resource, Severity, Waiver
from toolkit.findings.rules import DESTROYS, GAINS, WEAKENS
from toolkit.iam.organization import Deployment
from toolkit.plan import access_changes, gains
from toolkit.plan.access import world_of
from toolkit.plan.access_changes import shifts_of
from toolkit.plan.case import Caller, Case
from toolkit.plan.denials import GroupPoliciesWanted, HeldPolicies
from toolkit.plan.facts import Facts
from toolkit.plan.model import Attribution, parse_drift, parse_outcome, parse_plan
from toolkit.plan.model import Resource as Planned
from toolkit.regions import PARTITION_OF

ACCOUNT, OTHER, REGION = "123456789012", "444455556666", "eu-central-1"
ATTRIBUTION = Attribution(("iam_groups", "organization"), tuple(PARTITION_OF), REGION)
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
IAM = f"arn:aws:iam::{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TEXTS = {
    f"arn:aws:iam::aws:policy/{name}": json.dumps({"Statement": {"Effect": "Allow", "Action": may, "Resource": "*"}})
    for name, may in (("Wide", ["s3:DeleteBucket", "ec2:*"]), ("Narrow", ["ec2:Describe*"]))
}

State = dict[str, tuple[str, dict[str, Any]]]
"""Address → (type, values)."""


def at(kind: str, key: str, module: str = "iam_groups", **values: Any) -> State:
    return {f'module.{module}.{kind}.this["{key}"]': (kind, values)}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions, **more), "Effect": "Deny"}


def trust(*whom: str, condition: Any = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": list(whom)}, "Action": "sts:AssumeRole"}
    return policy({**statement, "Condition": condition} if condition else statement)


GROUP = at("aws_iam_group", "developers", name="developers", path="/", arn=f"{IAM}:group/developers")
SITE = at("aws_iam_group", "site", name="site", path="/", arn=f"{IAM}:group/site")
ANNA = at("aws_iam_user", "anna", name="anna", path="/", arn=f"{IAM}:user/anna")
ALARMS = allow("cloudwatch:DeleteAlarms")


def inline(*statements: dict[str, Any], key: str = "developers", name: str = "own") -> State:
    return at("aws_iam_group_policy", key, group="developers", name=name, policy=policy(*statements))


def of_builders(*statements: dict[str, Any]) -> State:
    return at("aws_iam_group_policy", "developers", group="builders", name="own", policy=policy(*statements))


def managed(*statements: dict[str, Any], name: str = "wide") -> State:
    arn = f"{IAM}:policy/{name}"
    return at("aws_iam_policy", name, name=name, path="/", arn=arn, policy=policy(*statements))


def attached(name: str = "wide", *, of_aws: bool = False) -> State:
    arn = f"arn:aws:iam::aws:policy/{name}" if of_aws else f"{IAM}:policy/{name}"
    return at("aws_iam_group_policy_attachment", f"developers/{name}", group="developers", policy_arn=arn)


def user(**values: Any) -> State:
    return {address: (kind, {**own, **values}) for address, (kind, own) in ANNA.items()}


def joined(*groups: str) -> State:
    return at("aws_iam_user_group_membership", "anna", user="anna", groups=list(groups))


def role(trusts: str, *statements: dict[str, Any], name: str = "deploy") -> State:
    return {
        **at("aws_iam_role", name, name=name, path="/", arn=f"{IAM}:role/{name}", assume_role_policy=trusts),
        **at("aws_iam_role_policy", name, role=name, name="own", policy=policy(*statements)),
    }


def permission_set(*statements: dict[str, Any]) -> State:
    arn = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
    return {
        **at("aws_ssoadmin_permission_set", "operations", name="operations", arn=arn),
        **at(
            "aws_ssoadmin_permission_set_inline_policy",
            "operations",
            permission_set_arn=arn,
            inline_policy=policy(*statements),
        ),
    }


def scp(*statements: dict[str, Any], name: str = "guardrail") -> State:
    content = policy(*statements)
    values = {"name": name, "id": f"p-{name}", "type": "SERVICE_CONTROL_POLICY", "content": content}
    return at("aws_organizations_policy", name, "organization", **values)


def on(target: str, name: str = "guardrail") -> State:
    key = f"{name}/{target}"
    return at("aws_organizations_policy_attachment", key, "organization", policy_id=f"p-{name}", target_id=target)


def bucket(*statements: dict[str, Any]) -> State:
    return {
        **at("aws_s3_bucket", "logs", bucket="logs"),
        **at("aws_cloudtrail", "trail", name="trail", s3_bucket_name="logs"),
        **(at("aws_s3_bucket_policy", "logs", bucket="logs", policy=policy(*statements)) if statements else {}),
    }


def key(*statements: dict[str, Any]) -> State:
    trail = at("aws_cloudtrail", "trail", name="trail", kms_key_id=KEY)
    return {**trail, **at("aws_kms_key", "logs", arn=KEY, policy=policy(*statements))}


DEVELOPERS_MAY = {**GROUP, **inline(ALARMS)}
ROOT = {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"{IAM}:root"}, "Action": "kms:*", "Resource": "*"}
TO_ANNA = {"Principal": {"AWS": f"{IAM}:user/anna"}}
PROVIDER = f"{IAM}:oidc-provider/token.actions.githubusercontent.com"


def federated(subject: str) -> str:
    condition = {"StringLike": {"token.actions.githubusercontent.com:sub": subject}}
    statement = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return policy({**statement, "Condition": condition})


def data_of(before: State, after: State, *, drifted: State | None = None) -> dict[str, Any]:
    """A plan in JSON."""

    def entry(address: str, kind: str, old: Any, new: Any) -> dict[str, Any]:
        how = "no-op" if old == new else "create" if old is None else "delete" if new is None else "update"
        change = {"actions": [how], "before": old, "after": new, "after_unknown": {}}
        return {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change}

    entries = []
    for address in dict.fromkeys((*before, *after)):
        kind = (before.get(address) or after[address])[0]
        old, new = (side[address][1] if address in side else None for side in (before, after))
        entries.append(entry(address, kind, old, new))
    drift = [entry(address, kind, values, None) for address, (kind, values) in (drifted or {}).items()]
    return {"format_version": "1.2", "resource_changes": entries, "resource_drift": drift}


def case_of(data: dict[str, Any], **more: Any) -> Case:
    plan, outcome = parse_plan(data, ATTRIBUTION), parse_outcome(data, ATTRIBUTION)
    drift = parse_drift(data, ATTRIBUTION)

    def texts(arn: str) -> tuple[str, str] | None:
        return (TEXTS[arn], "v1") if arn in TEXTS else None

    changes = shifts_of(plan, outcome, account_id=ACCOUNT, partition="aws", home=REGION, texts=texts, drift=drift)
    caller = Caller(f"{IAM}:user/ben", "ben", False)
    return Case(
        plan, caller, ACCOUNT, typing.cast("Deployment", None), outcome, drift, home=REGION, access=changes, **more
    )


def planned(before: State, after: State) -> Shifts:
    return case_of(data_of(before, after)).access


def found(before: State, after: State, **more: Any) -> list[Finding]:
    return list(gains.GUARD.judge(case_of(data_of(before, after), **more), Facts({})))


def said(changes: Shifts, turn: Turn) -> set[tuple[str, str]]:
    return {(one.principal.label, one.sensitive.action) for one in changes.shifts if one.turn is turn}


DELETES, ALARM = "s3:DeleteBucket", "cloudwatch:DeleteAlarms"
DEVELOPERS, USER, DEPLOY, BELOW = "group:developers", "user:anna", "role:deploy", "accounts-below:r-root"
DESCRIBES = at("aws_iam_user_policy", "x", user="anna", name="x", policy=policy(allow("ec2:Describe*")))
LIMIT = managed(allow("cloudwatch:*"), name="limit")
BOUNDARY = {"permissions_boundary": f"{IAM}:policy/limit"}
BOUNDED = user(**BOUNDARY)
OWN = at("aws_iam_user_policy", "anna", user="anna", name="own", policy=policy(allow(DELETES, ALARM)))

ROWS: dict[str, tuple[State, State, set[tuple[str, str]], str | None]] = {
    # name: (before, after, gains, what the finding is about)
    "an inline policy says more": (
        DEVELOPERS_MAY,
        {**GROUP, **inline(ALARMS, allow(DELETES))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "inline becomes managed, and says more": (
        DEVELOPERS_MAY,
        {**GROUP, **managed(ALARMS, allow(DELETES)), **attached()},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy_attachment.this["developers/wide"].policy_arn',
    ),
    "another version of a managed policy": (
        {**GROUP, **managed(ALARMS), **attached()},
        {**GROUP, **managed(ALARMS, allow(DELETES)), **attached()},
        {(DEVELOPERS, DELETES)},
        'aws_iam_policy.this["wide"].policy',
    ),
    "another policy of AWS": (
        {**DEVELOPERS_MAY, **attached("Narrow", of_aws=True)},
        {**DEVELOPERS_MAY, **attached("Wide", of_aws=True)},
        {
            (DEVELOPERS, action)
            for action in (
                *(DELETES, "ec2:DeleteFlowLogs", "ec2:AuthorizeSecurityGroupIngress"),
                *("ec2:CreateInternetGateway", "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"),
            )
        },
        'aws_iam_group_policy_attachment.this["developers/Wide"].policy_arn',
    ),
    "a user joins a group": (
        {
            **DEVELOPERS_MAY,
            **ANNA,
            **DESCRIBES,
        },
        {
            **DEVELOPERS_MAY,
            **ANNA,
            **DESCRIBES,
            **joined("developers"),
        },
        {(USER, ALARM)},
        'aws_iam_user_group_membership.this["anna"].groups',
    ),
    "a group's policy reaches its users": (
        {**DEVELOPERS_MAY, **ANNA, **joined("developers")},
        {**GROUP, **inline(ALARMS, allow(DELETES)), **ANNA, **joined("developers")},
        {(DEVELOPERS, DELETES), (USER, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a group's policy says more, and its user leaves another group": (
        {**DEVELOPERS_MAY, **SITE, **ANNA, **joined("developers", "site")},
        {**GROUP, **inline(ALARMS, allow(DELETES)), **SITE, **ANNA, **joined("developers")},
        {(DEVELOPERS, DELETES), (USER, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a group gets a policy, and its user leaves another group": (
        {**DEVELOPERS_MAY, **SITE, **managed(allow(DELETES)), **ANNA, **joined("developers", "site")},
        {**DEVELOPERS_MAY, **SITE, **managed(allow(DELETES)), **attached(), **ANNA, **joined("developers")},
        {(DEVELOPERS, DELETES), (USER, DELETES)},
        'aws_iam_group_policy_attachment.this["developers/wide"].policy_arn',
    ),
    "a boundary is widened, and its user gets a tag": (
        {**LIMIT, **BOUNDED, **OWN},
        {**managed(allow("cloudwatch:*", "s3:*"), name="limit"), **user(**BOUNDARY, tags={"a": "b"}), **OWN},
        {(USER, DELETES)},
        'aws_iam_policy.this["limit"].policy',
    ),
    "a boundary is widened": (
        {**LIMIT, **BOUNDED, **OWN},
        {**managed(allow("cloudwatch:*", "s3:*"), name="limit"), **BOUNDED, **OWN},
        {(USER, DELETES)},
        'aws_iam_policy.this["limit"].policy',
    ),
    "a boundary is removed": (
        {**LIMIT, **BOUNDED, **OWN},
        {**LIMIT, **ANNA, **OWN},
        {(USER, DELETES)},
        'aws_iam_user.this["anna"].permissions_boundary',
    ),
    "a role trusts another account": (
        role(trust(f"{IAM}:role/ci"), allow(DELETES)),
        role(trust(f"{IAM}:role/ci", f"arn:aws:iam::{OTHER}:root"), allow(DELETES)),
        {(f"account:{OTHER}", DELETES)},
        'aws_iam_role.this["deploy"].assume_role_policy',
    ),
    "a role trusts everybody": (
        role(trust(f"arn:aws:iam::{OTHER}:root"), allow(DELETES)),
        role(trust("*"), allow(DELETES)),
        {("anyone:anywhere", DELETES)},
        'aws_iam_role.this["deploy"].assume_role_policy',
    ),
    "an external id is no longer asked for": (
        role(trust(OTHER, condition={"StringEquals": {"sts:ExternalId": "x"}}), allow(DELETES)),
        role(trust(OTHER), allow(DELETES)),
        {(f"account:{OTHER}", DELETES)},
        'aws_iam_role.this["deploy"].assume_role_policy',
    ),
    "a role trusts more runs of a pipeline": (
        role(federated("repo:example/site:ref:refs/heads/main"), allow(DELETES)),
        role(federated("repo:example/*"), allow(DELETES)),
        {(f"provider:{PROVIDER}", "sts:AssumeRole")},
        'aws_iam_role.this["deploy"].assume_role_policy',
    ),
    "a role trusts the account's own user": (
        {**ANNA, **OWN, **role(trust(f"{IAM}:role/ci"), allow("kms:Decrypt", "iam:CreateUser"))},
        {**ANNA, **OWN, **role(trust(f"{IAM}:role/ci", f"{IAM}:user/anna"), allow("kms:Decrypt", "iam:CreateUser"))},
        {(USER, "sts:AssumeRole")},
        'aws_iam_role.this["deploy"].assume_role_policy',
    ),
    "a guardrail is detached": (
        {**scp(deny(DELETES)), **on("r-root")},
        scp(deny(DELETES)),
        {(BELOW, DELETES)},
        'aws_organizations_policy_attachment.this["guardrail/r-root"].policy_id',
    ),
    "a guardrail is deleted": (
        {**scp(deny(DELETES)), **on("r-root")},
        {},
        {(BELOW, DELETES)},
        'aws_organizations_policy_attachment.this["guardrail/r-root"].policy_id',
    ),
    "a guardrail denies less": (
        {**scp(deny(DELETES, ALARM)), **on("r-root")},
        {**scp(deny(ALARM)), **on("r-root")},
        {(BELOW, DELETES)},
        'aws_organizations_policy.this["guardrail"].content',
    ),
    "a denial is removed": (
        {**GROUP, **inline(allow(DELETES, ALARM)), **inline(deny(DELETES), key="no", name="no")},
        {**GROUP, **inline(allow(DELETES, ALARM))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["no"].policy',
    ),
    "a denial is removed from a policy": (
        {**GROUP, **inline(allow(DELETES, ALARM), deny(DELETES))},
        {**GROUP, **inline(allow(DELETES, ALARM))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a permission set says more": (
        permission_set(ALARMS),
        permission_set(ALARMS, allow(DELETES)),
        {("permission-set:operations", DELETES)},
        'aws_ssoadmin_permission_set_inline_policy.this["operations"].inline_policy',
    ),
    "a bucket's policy lets a user in": (
        {**ANNA, **bucket()},
        {**ANNA, **bucket(allow(DELETES, on="arn:aws:s3:::logs", **TO_ANNA))},
        {(USER, DELETES)},
        'aws_s3_bucket_policy.this["logs"].policy',
    ),
    "a bucket's policy no longer denies": (
        {**ANNA, **OWN, **bucket({**deny(DELETES, on="arn:aws:s3:::logs"), "Principal": "*"})},
        {**ANNA, **OWN, **bucket()},
        {(USER, DELETES)},
        'aws_s3_bucket_policy.this["logs"].policy',
    ),
    "a key's policy lets another account in": (
        key(ROOT),
        key(ROOT, {**allow("kms:Decrypt"), "Principal": {"AWS": OTHER}}),
        {(f"account:{OTHER}", "kms:Decrypt")},
        'aws_kms_key.this["logs"].policy',
    ),
    "MFA is no longer asked for": (
        {**GROUP, **inline(ALARMS, allow(DELETES, Condition=MFA))},
        {**GROUP, **inline(ALARMS, allow(DELETES))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "another condition takes the place of MFA": (
        {**GROUP, **inline(ALARMS, allow(DELETES, Condition=MFA))},
        {**GROUP, **inline(ALARMS, allow(DELETES, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a wider network": (
        {**GROUP, **inline(ALARMS, allow(DELETES, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/25"}}))},
        {**GROUP, **inline(ALARMS, allow(DELETES, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))},
        {(DEVELOPERS, DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a denial without MFA is removed": (
        {**GROUP, **inline(ALARMS, deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}))},
        {**GROUP, **inline(ALARMS)},
        {(DEVELOPERS, ALARM)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "more resources": (
        {**GROUP, **inline(allow("iam:PassRole", on=f"{IAM}:role/app"))},
        {**GROUP, **inline(allow("iam:PassRole", on=f"{IAM}:role/*"))},
        {(DEVELOPERS, "iam:PassRole")},
        'aws_iam_group_policy.this["developers"].policy',
    ),
    "a group is renamed, and may do more": (
        DEVELOPERS_MAY,
        {
            **at("aws_iam_group", "developers", name="builders", path="/", arn=f"{IAM}:group/builders"),
            **at(
                "aws_iam_group_policy",
                "developers",
                group="builders",
                name="own",
                policy=policy(ALARMS, allow(DELETES)),
            ),
        },
        {("group:builders", DELETES)},
        'aws_iam_group_policy.this["developers"].policy',
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_gain_is_named_and_undoing_it_is_the_loss(name: str) -> None:
    before, after, expected, about = ROWS[name]
    changes = planned(before, after)
    assert said(changes, Turn.GAIN) == expected
    assert said(changes, Turn.LOSS) == set()
    (finding,) = found(before, after)
    assert finding.rule is GAINS
    assert finding.blocks
    assert finding.subject.endswith(f".{about}"), finding.subject
    assert finding.consent == f"--allow-gain '{finding.subject}'"
    for label, action in expected:
        assert action in finding.evidence
        assert label.partition(":")[2] in finding.evidence
    otherwise = {True: "under other conditions", False: "may newly do"}
    assert otherwise[{one.before for one in changes.shifts} == {one.after for one in changes.shifts}] in finding.summary
    lines = [line for group in changes.changes.gains for line in group.lines]
    assert lines
    assert all(line.startswith("may ") for line in lines)
    if "another condition" in name:
        return
    undone = planned(after, before)
    label = {"group:builders": DEVELOPERS}
    assert said(undone, Turn.LOSS) == {(label.get(who, who), action) for who, action in expected}
    assert said(undone, Turn.GAIN) == set()
    assert not found(after, before)


HALVES = ["192.0.2.0/25", "192.0.2.128/25"]
OWN_KEY = allow("iam:CreateAccessKey", on=f"{IAM}:user/${{aws:username}}")
WIDE_INLINE = {**GROUP, **inline(ALARMS, allow(DELETES))}
NO_OPS: dict[str, tuple[State, State]] = {
    "inline becomes managed": (WIDE_INLINE, {**GROUP, **managed(ALARMS, allow(DELETES)), **attached()}),
    "managed becomes inline": ({**GROUP, **managed(ALARMS, allow(DELETES)), **attached()}, WIDE_INLINE),
    "the order of statements": (WIDE_INLINE, {**GROUP, **inline(allow(DELETES), ALARMS)}),
    "the style of JSON": (
        {**GROUP, **inline({"Effect": "Allow", "Action": DELETES, "Resource": "*"})},
        {**GROUP, **inline({"Effect": "Allow", "Action": [DELETES], "Resource": ["*"]})},
    ),
    "another case": (WIDE_INLINE, {**GROUP, **inline(ALARMS, allow("s3:deletebucket"))}),
    "another name of a statement": (WIDE_INLINE, {**GROUP, **inline(ALARMS, allow(DELETES, Sid="Buckets"))}),
    "one policy becomes two": (
        WIDE_INLINE,
        {**GROUP, **inline(ALARMS), **inline(allow(DELETES), key="more", name="more")},
    ),
    "another name of a policy": (WIDE_INLINE, {**GROUP, **inline(ALARMS, allow(DELETES), key="new", name="new")}),
    "conditions in another order": (
        {
            **GROUP,
            **inline(
                allow(DELETES, Condition={**MFA, "IpAddress": {"aws:SourceIp": ["192.0.2.0/25", "192.0.2.128/25"]}})
            ),
        },
        {
            **GROUP,
            **inline(
                allow(DELETES, Condition={"IpAddress": {"aws:SourceIp": ["192.0.2.128/25", "192.0.2.0/25"]}, **MFA})
            ),
        },
    ),
    "a group's rights become a user's own": (
        {**DEVELOPERS_MAY, **ANNA, **joined("developers")},
        {**DEVELOPERS_MAY, **ANNA, **at("aws_iam_user_policy", "anna", user="anna", name="x", policy=policy(ALARMS))},
    ),
    "a group is renamed": (
        DEVELOPERS_MAY,
        {
            **at("aws_iam_group", "developers", name="builders", path="/", arn=f"{IAM}:group/builders"),
            **of_builders(ALARMS),
        },
    ),
    "a guardrail is renamed": (
        {**scp(deny(DELETES)), **on("r-root")},
        {**scp(deny(DELETES), name="other"), **on("r-root", "other")},
    ),
    "what is not sensitive": (DEVELOPERS_MAY, {**GROUP, **inline(ALARMS, allow("ec2:Describe*"))}),
    "one's own access key": (
        DEVELOPERS_MAY,
        {**GROUP, **inline(ALARMS, OWN_KEY)},
    ),
    "a bucket of the logs is made": ({**ANNA, **OWN}, {**ANNA, **OWN, **bucket()}),
    "a bucket gets tags": (
        {**ANNA, **OWN, **bucket()},
        {**ANNA, **OWN, **bucket(), **at("aws_s3_bucket", "logs", bucket="logs", tags={"a": "b"})},
    ),
}


@pytest.mark.parametrize("name", NO_OPS)
def test_a_rewrite_says_nothing(name: str) -> None:
    before, after = NO_OPS[name]
    for one, other in ((before, after), (after, before)):
        changes = planned(one, other)
        assert not changes.changes, [(s.turn, s.principal.label, s.sensitive.action) for s in changes.shifts] + list(
            changes.gaps
        )
        assert not found(one, other)


def administrators(*statements: dict[str, Any]) -> State:
    name = {"group": "administrators", "name": "all"}
    return {
        **at("aws_iam_group", "administrators", name="administrators", path="/"),
        **at("aws_iam_group_policy", "administrators", **name, policy=policy(*statements)),
    }


ADMINISTRATORS = administrators(allow("iam:*", Condition=MFA))
MORE = at("aws_iam_group_policy", "more", group="administrators", name="more", policy=policy(allow("*")))


def test_what_is_listed_and_no_finding() -> None:
    """New principals, what an interrupted apply left, and administrators by meaning, whatever they are called."""
    new = {**DEVELOPERS_MAY, **role(trust(OTHER), allow(DELETES))}
    changes = planned({}, new)
    assert said(changes, Turn.GAIN) == {(DEVELOPERS, ALARM), (DEPLOY, DELETES), (f"account:{OTHER}", DELETES)}
    assert all(group.made and not group.administrator for group in changes.changes.gains)
    for before, after in (
        ({}, new),
        (GROUP, DEVELOPERS_MAY),
        (ADMINISTRATORS, {**ADMINISTRATORS, **MORE}),
    ):
        assert planned(before, after).changes.gains
        assert not found(before, after), after
    everything = planned(ADMINISTRATORS, {**ADMINISTRATORS, **MORE})
    assert everything.administrators == {"group:administrators"}
    assert everything.changes.gains[0].administrator
    # The same right is a finding where it is limited: it makes nobody an administrator.
    limited = administrators(allow("iam:*", on=f"{IAM}:user/app/*"))
    assert found(limited, {**limited, **MORE})
    # Who is made an administrator was none before.
    (finding,) = found(DEVELOPERS_MAY, {**GROUP, **inline(allow("*"))})
    assert finding.evidence.count("all 79 sensitive actions") or "iam:CreateUser" in finding.evidence


def test_what_is_not_known_is_a_gap_and_no_gain() -> None:
    data = data_of(DEVELOPERS_MAY, {**DEVELOPERS_MAY, **attached("Elsewhere", of_aws=True)})
    changes = case_of(data).access
    assert not changes.shifts
    assert changes.gaps == ("what AWS's policy Elsewhere says, for group developers: its text is not known here",)
    # Another account by way of a role of which the policy is not known.
    trusted = role(trust(OTHER), allow("ec2:Describe*"))
    elsewhere = at("aws_iam_role_policy_attachment", "x", role="deploy", policy_arn="arn:aws:iam::aws:policy/Elsewhere")
    assert not planned(trusted, {**trusted, **elsewhere}).shifts
    entry = data_of(DEVELOPERS_MAY, {**GROUP, **inline(allow(DELETES))})
    for one in entry["resource_changes"]:
        if one["type"] == "aws_iam_group_policy":
            del one["change"]["after"]["policy"]
            one["change"]["after_unknown"] = {"policy": True}
    changes = case_of(entry).access
    assert [shift.turn for shift in changes.shifts] == []
    assert changes.gaps == ("what own (known after apply) says, for group developers: its text is not known here",)


def unknown(before: State, after: State, kind: str, **values: Any) -> Shifts:
    """What a plan changes whose resources of a type have values that are known only after the apply."""
    data = data_of(before, after)
    for one in data["resource_changes"]:
        if one["type"] == kind and one["change"]["after"] is not None:
            one["change"]["actions"] = ["create"] if one["change"]["before"] is None else ["update"]
            one["change"]["after_unknown"] = values
            known = one["change"]["after"].items()
            one["change"]["after"] = {name: value for name, value in known if values.get(name) is not True}
    return case_of(data).access


def test_a_policy_of_a_resource_that_is_not_known_is_a_gap() -> None:
    """Nobody is named by it: nobody has it."""
    bare = role(federated("repo:example/*"), allow(DELETES))
    trusting = {**bare, **role(trust(OTHER), allow("ec2:Describe*"), name="reader")}
    lets_in = bucket(allow("s3:GetObject", **TO_ANNA))
    for state, kind, attribute, gap in (
        (
            bare,
            "aws_iam_role",
            "assume_role_policy",
            "trust policy of deploy (known after apply) says, for role deploy",
        ),
        (trusting, "aws_iam_role", "assume_role_policy", "trust policy of reader (known after apply) says"),
        (role(trust(OTHER), allow(DELETES)), "aws_iam_role", "assume_role_policy", "trust policy of deploy"),
        (lets_in, "aws_s3_bucket_policy", "policy", "policy of logs (known after apply) says: its text is not known"),
        (key(ROOT), "aws_kms_key", "policy", "policy of key/1234abcd-12ab-34cd-56ef-1234567890ab (known after apply)"),
    ):
        changes = unknown(state, state, kind, **{attribute: True})
        assert any(gap in one for one in changes.gaps), changes.gaps
        assert not changes.shifts, changes.shifts
    (gap,) = planned(lets_in, bucket({"Effect": "Allow"})).gaps[-1:]
    assert "policy of logs says" in gap or "cannot be read" in gap


def test_what_one_could_do_to_oneself_or_act_by_already_is_refused() -> None:
    """A policy for one's own user is everything; who signs in already is not new; nor is who is trusted already."""
    own = f"{IAM}:user/${{aws:username}}"
    escalates = ("AttachUserPolicy", "PutUserPolicy", "DeleteUserPermissionsBoundary")
    of_anna = at("aws_iam_user_policy", "anna", user="anna", name="own", policy=policy(allow("*")))
    empty, member = {**GROUP, **ANNA}, joined("developers")
    by_anna, by_provider = trust(f"{IAM}:user/anna"), federated("repo:example/site:*")

    def bare(trusts: str, *statements: dict[str, Any]) -> State:
        whole = role(trusts, *statements)
        return whole if statements else {a: one for a, one in whole.items() if one[0] == "aws_iam_role"}

    for before, after, whom in (
        *(
            (DEVELOPERS_MAY, {**GROUP, **inline(ALARMS, allow(f"iam:{verb}", on=own))}, "Group developers may newly do")
            for verb in escalates
        ),
        ({**DEVELOPERS_MAY, **ANNA}, {**DEVELOPERS_MAY, **ANNA, **member}, "User anna"),
        (ANNA, {**ANNA, **of_anna}, "User anna"),
        ({**empty, **member}, {**empty, **member, **inline(ALARMS)}, "Group developers, user anna"),
        ({**ANNA, **bare(by_anna)}, {**ANNA, **bare(by_anna, allow("*"))}, "Role deploy"),
        (bare(by_provider), bare(by_provider, allow(DELETES)), "Role deploy"),
    ):
        assert any(one.summary.startswith(whom) and one.blocks for one in found(before, after)), (whom, after)
    service = policy({"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"})
    assert planned(bare(service), bare(service, allow(DELETES))).changes.gains
    assert not found(bare(service), bare(service, allow(DELETES)))


def test_a_key_of_which_nothing_is_known_makes_no_role_powerful() -> None:
    """AWS asks the key's policy. That it could allow anybody says nothing of a role."""
    may = at("aws_iam_user_policy", "anna", user="anna", name="own", policy=policy(allow("sts:AssumeRole")))
    for whom in (f"{IAM}:user/anna", f"arn:aws:iam::{OTHER}:root"):
        start, then = (
            {**ANNA, **may, **role(one, allow("ec2:Describe*"))}
            for one in (trust(f"{IAM}:role/ci"), trust(f"{IAM}:role/ci", whom))
        )
        assert not planned(start, then).shifts
    provided = (role(federated(f"repo:example/{of}"), allow("ec2:Describe*")) for of in ("site:*", "*"))
    assert not planned(*provided).shifts


def test_whom_no_arn_names_is_a_gap() -> None:
    """By what they are not, by an id, everyone of a bucket; and a membership of groups that are not known."""
    ben = {"AWS": f"{IAM}:user/ben"}
    for more in (
        {"NotPrincipal": ben},
        {"Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}},
        {"Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}},
    ):
        start, then = (
            bucket(allow("s3:GetObject", on="arn:aws:s3:::logs/*", **one)) for one in ({"Principal": ben}, more)
        )
        assert [gap for gap in planned(start, then).gaps if gap.startswith("whom policy of logs")], more
    open_to_all, tls = {"Principal": "*"}, {**deny("s3:*"), "Principal": "*"}
    assert planned(bucket(tls), bucket(tls, allow("s3:GetObject", on="arn:aws:s3:::logs/*", **open_to_all))).gaps == (
        "whether S3 Block Public Access overrides policy of logs, which allows everyone",
    )
    assert not planned(bucket(), bucket(tls)).gaps
    for partly in (True, [False, True]):
        state = {**DEVELOPERS_MAY, **ANNA, **joined("developers", typing.cast("str", None))}
        changes = unknown({**DEVELOPERS_MAY, **ANNA}, state, "aws_iam_user_group_membership", groups=partly)
        assert any("membership" in gap for gap in changes.gaps)


def test_only_denials_of_those_who_may_assume_a_role_count() -> None:
    """What is denied to others, or is no way into the role, changes nothing for a provider or a service."""
    other, provider, config = {"AWS": OTHER}, {"Federated": PROVIDER}, {"Service": "config.amazonaws.com"}
    (lets_in,) = json.loads(federated("repo:example/site:*"))["Statement"]
    serves = {"Effect": "Allow", "Principal": config, "Action": "sts:AssumeRole"}
    for allowed, denied, gained in (
        (lets_in, {"Principal": other, "Action": "sts:AssumeRole"}, False),
        (lets_in, {"Principal": {"Federated": f"{PROVIDER}x"}, "Action": "sts:*"}, False),
        (lets_in, {"Principal": provider, "Action": "sts:TagSession"}, False),
        (lets_in, {"Principal": provider, "NotAction": "sts:AssumeRoleWith*"}, False),
        (lets_in, {"Principal": "*", "Action": "sts:AssumeRole"}, False),
        (serves, {"Principal": provider, "Action": "sts:*"}, False),
        (lets_in, {"Principal": provider, "Action": "sts:AssumeRoleWith*"}, True),
        (lets_in, {"Principal": provider, "NotAction": "sts:TagSession"}, True),
        (lets_in, {"Principal": "*", "Action": "sts:*"}, True),
        (serves, {"Principal": config, "Action": "sts:AssumeRole"}, True),
    ):
        no = {"Effect": "Deny", "Condition": MFA, **denied}
        start, then = (role(policy(*one), allow(DELETES)) for one in ((allowed, no), (allowed,)))
        assert bool(said(planned(start, then), Turn.GAIN)) is gained, no


def test_whom_a_new_resource_names_is_listed() -> None:
    """As with a new role: who it lets in is part of the same review. Not so everyone, or what was there before."""
    reads, objects = "s3:GetObject", "arn:aws:s3:::logs/*"
    lets_in = {"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}}
    opened, named = bucket(allow(reads, on=objects, **lets_in)), bucket(allow(reads, on=objects, **TO_ANNA))
    decrypts = key(ROOT, {**allow("kms:Decrypt"), **lets_in})
    own = {address: one for address, one in opened.items() if one[0] != "aws_s3_bucket"}
    reader = role(trust(f"{IAM}:role/ci"), allow(reads))
    trusting = role(trust(f"{IAM}:role/ci", OTHER), allow(reads))
    everyone = bucket({**allow(reads, on=objects), "Principal": "*"})
    # The policy of the default event bus is not known, before and after.
    rule = at(
        "aws_cloudwatch_event_rule", "alert", name="alert", arn=f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/alert"
    )
    entered = role(trust(f"{IAM}:role/ci", OTHER), allow("events:UpdateEventBus"), name="bus")
    for before, after, whom, refused in (
        (rule, {**rule, **entered}, f"account:{OTHER}", False),
        (reader, {**reader, **rule, **entered}, f"account:{OTHER}", False),
        (
            {**rule, **role(trust(f"{IAM}:role/ci"), allow("events:UpdateEventBus"), name="bus")},
            {**rule, **entered},
            f"account:{OTHER}",
            True,
        ),
        ({}, opened, f"account:{OTHER}", False),
        (DEVELOPERS_MAY, {**DEVELOPERS_MAY, **opened}, f"account:{OTHER}", False),
        ({}, decrypts, f"account:{OTHER}", False),
        (bucket(), opened, f"account:{OTHER}", True),
        (key(ROOT), decrypts, f"account:{OTHER}", True),
        ({}, own, f"account:{OTHER}", True),
        (reader, {**trusting, **opened}, f"account:{OTHER}", True),
        ({}, everyone, "anyone:anywhere", True),
        ({}, role(trust("*"), allow(DELETES)), "anyone:anywhere", True),
        (ANNA, {**ANNA, **named}, USER, True),
    ):
        changes = planned(before, after)
        assert whom in {one for one, _ in said(changes, Turn.GAIN)}, after
        assert all(group.made is not refused for group in changes.changes.gains if whom in group.principals), after
        assert bool(found(before, after)) is refused, after


def test_a_role_is_as_powerful_as_the_roles_that_it_may_assume() -> None:
    """In any number of steps, and in circles."""
    may = allow("sts:AssumeRole")
    steps = {
        **ANNA,
        **at("aws_iam_user_policy", "anna", user="anna", name="own", policy=policy(may)),
        **role(trust(f"{IAM}:role/middle"), allow(DELETES), name="deep"),
        **role(trust(f"{IAM}:role/deploy"), may, name="middle"),
    }
    ci, elsewhere = f"{IAM}:role/ci", f"arn:aws:iam::{OTHER}:root"
    for start, then, whom in (
        (trust(ci, f"{IAM}:role/middle"), trust(ci, f"{IAM}:role/middle", f"{IAM}:user/anna"), USER),
        (trust(ci), trust(ci, elsewhere), f"account:{OTHER}"),
        (federated("repo:example/site:*"), federated("repo:example/*"), f"provider:{PROVIDER}"),
    ):
        before, after = ({**steps, **role(one, may)} for one in (start, then))
        assert said(planned(before, after), Turn.GAIN) == {(whom, "sts:AssumeRole")}
        (finding,) = found(before, after)
        assert finding.subject == 'module.iam_groups.aws_iam_role.this["deploy"].assume_role_policy'
        assert said(planned(after, before), Turn.LOSS) == {(whom, "sts:AssumeRole")}
    # What comes with a new role is listed.
    assert planned(steps, {**steps, **role(trust(elsewhere), may)}).changes.gains
    assert not found(steps, {**steps, **role(trust(elsewhere), may)})


def test_what_was_deleted_by_hand_is_given_back() -> None:
    wide = inline(ALARMS, allow(DELETES))
    drifted = case_of(
        data_of(
            GROUP | inline(ALARMS, key="x", name="x"), GROUP | inline(ALARMS, key="x", name="x") | wide, drifted=wide
        )
    )
    assert not drifted.access.shifts


def test_its_own_consent_lets_it_through() -> None:
    (finding,) = found(DEVELOPERS_MAY, WIDE_INLINE)
    day = date(2026, 1, 1)
    waiver = Waiver(GAINS, finding.subject, "reviewed", day)
    for consented in (
        Consents(gain=(finding.subject,)),
        Consents(gain=("module.iam_groups.*",)),
        Consents(waivers=(waiver,)),
    ):
        assert not consented.apply([finding], day)[0].blocks
    for other in (Consents(("*",), ("*",), True, release=("*",)), Consents(waivers=(replace(waiver, rule=WEAKENS),))):
        assert other.apply([finding], day)[0].blocks
    # It travels with the bundle.
    consent = Consents(gain=(finding.subject,))
    assert consent.as_options() == (f"--allow-gain={finding.subject}",)
    assert Consents.from_options(consent.as_options()) == consent
    assert Consents(gain=("x",)).idle([finding]) == (("--allow-gain x", None),)


def test_one_finding_where_two_speak() -> None:
    address = 'module.iam_groups.aws_iam_group_policy.this["developers"]'
    (gain,) = found(DEVELOPERS_MAY, WIDE_INLINE)
    access = planned(DEVELOPERS_MAY, WIDE_INLINE)

    def other(rule: Any, where: str, attribute: str | None = "policy", severity: Severity = Severity.HIGH) -> Finding:
        return Finding(rule, severity, Resource(where, REGION), attribute, "x", "grants more: Buckets", "y", "z", None)

    same, elsewhere = other(WEAKENS, address), other(WEAKENS, address.replace("developers", "site"))
    kept = gains.subsumed((same, elsewhere, gain), access)
    assert [(one.rule, one.address) for one in kept] == [(WEAKENS, elsewhere.address), (GAINS, address)]
    assert kept[1].evidence.endswith("; grants more: Buckets"), "what the texts say is not lost"
    # What no gain is about stays, and so does what a gain that blocks nothing is about.
    assert gains.subsumed((same,), access) == (same,)
    note = replace(gain, severity=Severity.NOTE)
    assert gains.subsumed((same, note), access) == (same, note)
    # A deletion that is refused says enough.
    deleted = other(DESTROYS, address, None, Severity.CRITICAL)
    left = gains.subsumed((deleted, gain), access)
    assert [(one.rule, one.blocks) for one in left] == [(DESTROYS, True), (GAINS, False)]


def test_who_comes_back_from_suspension_needs_one_consent() -> None:
    """Deleting the membership that denies everything is refused by itself, as `toolkit.plan.memberships` says."""
    suspended = {
        **at("aws_iam_group", "suspended", name="suspended", path="/"),
        **at("aws_iam_group_policy", "suspended", group="suspended", name="no", policy=policy(deny("*"))),
    }
    kept = {**DEVELOPERS_MAY, **suspended, **ANNA}
    out = at("aws_iam_user_group_membership", "out", user="anna", groups=["suspended"])
    (finding,) = found({**kept, **out}, {**kept, **joined("developers")})
    assert finding.subject == 'module.iam_groups.aws_iam_user_group_membership.this["out"].groups'
    # That deletion consents to no administration that comes with it.
    ruled = {**kept, **administrators(allow("*"))}
    for groups, blocks in ((("developers",), False), (("developers", "administrators"), True)):
        before, after = {**ruled, **out}, {**ruled, **joined(*groups)}
        (gain,) = found(before, after)
        deleted = Finding(DESTROYS, Severity.CRITICAL, gain.resource, None, "x", "y", "z", "c", None)
        assert [one.blocks for one in gains.subsumed((deleted, gain), planned(before, after))] == [True, blocks]


def test_a_guardrail_that_is_refused_to_delete_needs_one_consent() -> None:
    before, policies = (
        {**scp(deny(DELETES)), **on("r-root")},
        'module.organization.aws_organizations_policy.this["guardrail"]',
    )
    refused = Finding(DESTROYS, Severity.CRITICAL, Resource(policies, REGION), None, "x", "y", "z", "c", None)
    (gain,) = found(before, {})
    assert [one.blocks for one in gains.subsumed((gain,), planned(before, {}))] == [True]
    assert [one.blocks for one in gains.subsumed((refused, gain), planned(before, {}))] == [True, False]


def test_a_group_that_only_the_account_has_gives_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its policies are read with those of all groups, where a plan reaches users."""
    monkeypatch.setattr(gains, "users_wanted", lambda _: True)
    case = case_of(data_of({**ANNA, **OWN}, {**ANNA, **OWN, **joined("support")}))
    wanted = tuple(gains.GUARD.needs(case))
    assert GroupPoliciesWanted() in wanted
    support = HeldPolicies({"support": {"x": policy(allow("kms:Decrypt"))}})
    for held, expected in ((support, {(USER, "kms:Decrypt")}), (HeldPolicies(), set())):
        facts = Facts({**dict.fromkeys(wanted), GroupPoliciesWanted(): held})
        assert said(gains.shifts(case, facts), Turn.GAIN) == expected


def test_a_plan_without_policies_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("a world was read")

    monkeypatch.setattr(access_changes, "world_of", fail)
    assert not planned(DEVELOPERS_MAY, {**DEVELOPERS_MAY, **bucket()}).changes
    with pytest.raises(AssertionError, match="a world was read"):
        planned(DEVELOPERS_MAY, WIDE_INLINE)


def test_only_who_differs_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.access import Judge

    asked: list[str] = []
    verdict: Callable[..., Verdict] = Judge.verdict

    def counted(self: Judge, principal: Any, question: Any) -> Verdict:
        asked.append(principal.label)
        return verdict(self, principal, question)

    monkeypatch.setattr(Judge, "verdict", counted)
    others: State = {}
    for n in range(20):
        others |= at("aws_iam_user", f"u{n}", name=f"u{n}", path="/")
        others |= at("aws_iam_user_policy", f"u{n}", user=f"u{n}", name="x", policy=policy(allow("s3:*")))
    assert said(planned({**others, **DEVELOPERS_MAY}, {**others, **WIDE_INLINE}), Turn.GAIN) == {(DEVELOPERS, DELETES)}
    assert set(asked) == {DEVELOPERS}


_WIDER: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (
    lambda s: {k: v for k, v in s.items() if k != "Condition"},
    lambda s: {**s, "Resource": "*"},
    lambda s: {**s, "Action": [*s["Action"], "s3:*"]},
    lambda s: {**s, "Action": ["*"]},
)
_CONDITIONS = (
    None,
    MFA,
    {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"StringEquals": {"aws:RequestedRegion": REGION}},
)


@st.composite
def _statements(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        condition = draw(st.sampled_from(_CONDITIONS))
        actions = draw(
            st.lists(st.sampled_from((DELETES, ALARM, "kms:*", "iam:Put*", "iam:PassRole")), min_size=1, max_size=2)
        )
        one = allow(*actions, on=draw(st.sampled_from(("*", "arn:aws:s3:::logs", f"{IAM}:role/app"))))
        found.append({**one, "Condition": condition} if condition else one)
    return found


@settings(max_examples=12, deadline=None)
@given(_statements(), _statements(), st.data())
def test_widening_takes_nothing_and_hides_no_gain(old: list[Any], new: list[Any], data: st.DataObject) -> None:
    """One statement wider: nothing that was allowed is denied, and what the plan before gained is gained still."""
    place = data.draw(st.integers(0, len(new) - 1))
    wider = [*new]
    wider[place] = data.draw(st.sampled_from(_WIDER))(new[place])
    start = {**GROUP, **inline(*old), **bucket()}
    first, then = ({**GROUP, **inline(*one), **bucket()} for one in (new, wider))
    gained, still = said(planned(start, first), Turn.GAIN), said(planned(start, then), Turn.GAIN)
    assert gained <= still
    step = planned(first, then)
    assert not said(step, Turn.LOSS)
    # Less of a denial is wider, too.
    limits = inline(deny(DELETES, ALARM, Condition=MFA), key="no", name="no")
    assert gained <= still | said(planned(start | limits, then), Turn.GAIN)
    assert not said(planned(first | limits, first), Turn.LOSS)


def test_the_same_world_has_no_changes() -> None:
    resources = [Planned(a, kind, "iam_groups", REGION, values) for a, (kind, values) in WIDE_INLINE.items()]
    worlds = [world_of(resources, source="a test", account_id=ACCOUNT, home=REGION) for _ in range(2)]
    assert not compare(*worlds).changes
