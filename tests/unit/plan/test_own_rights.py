"""The role that applies keeps the rights that the same plan needs for what it deletes and changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.components.base import Identities
from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, load_text
from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.iam.organization import Deployment
from toolkit.permissions.documents import policies
from toolkit.plan import own_rights
from toolkit.plan.case import Caller, Case
from toolkit.plan.denials import HeldPolicies
from toolkit.plan.facts import Facts
from toolkit.plan.managed_policies import DocumentWanted
from toolkit.plan.model import Attribution, parse_plan
from toolkit.plan.own_role import RolePoliciesWanted

ACCOUNT, HOME = "123456789012", "eu-central-1"
ROLE = "baseline-apply"
PIPELINE = Identities(appliers=frozenset({("baseline-plan", ROLE)}))
IAM = f"arn:aws:iam::{ACCOUNT}"
OWN, EXTRA = f"{IAM}:policy/own", f"{IAM}:policy/extra"
TRAIL = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/baseline"
Entry = dict[str, Any]


def allows(*actions: str, on: str = "*", **conditions: Any) -> str:
    statement: Entry = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    if conditions:
        statement["Condition"] = conditions
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


BROAD = allows("cloudtrail:*", "config:*", on="*")
NARROW = allows("config:*", on="*")


def entry(kind: str, before: Entry | None, after: Entry | None = None, actions: str = "", **more: Any) -> Entry:
    done = actions or ("create" if before is None else "delete" if after is None else "update")
    component = "iam_roles" if kind.startswith("aws_iam_") else "cloudtrail"
    change = {"actions": done.split("+"), "before": before, "after": after, "after_unknown": more.pop("unknown", {})}
    return {"address": f"module.{component}.{kind}.this", "mode": "managed", "type": kind, "name": "this", **more} | {
        "change": change
    }


def rewritten(before: str, after: str | None, arn: str = OWN) -> Entry:
    was = {"arn": arn, "name": "own", "path": "/", "policy": before}
    return entry("aws_iam_policy", was, None if after is None else {**was, "policy": after})


def attachment(before: str | None, after: str | None = None) -> Entry:
    old, new = (None if arn is None else {"role": ROLE, "policy_arn": arn} for arn in (before, after))
    return entry("aws_iam_role_policy_attachment", old, new)


def judged(
    *entries: Entry,
    caller: str = ROLE,
    attached: dict[str, str] | None = None,
    inline: dict[str, str] | None = None,
    texts: dict[str, str] | None = None,
    identities: Identities = PIPELINE,
) -> list[Finding]:
    attribution = Attribution(tuple(REGISTRY), (HOME, "us-east-1"), HOME)
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, attribution)
    who = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller}/run", None, False)
    case = Case(plan, who, ACCOUNT, Deployment((), {}, (HOME,), ACCOUNT, "aws"), identities=identities)
    held = {OWN: BROAD} if attached is None else attached
    answers: dict[Any, Any] = {
        RolePoliciesWanted(ROLE): HeldPolicies(
            {ROLE: inline or {}}, {ROLE: frozenset(held)}, {a: t for a, t in held.items() if t}, "role"
        ),
        RolePoliciesWanted("other"): HeldPolicies(kind="role"),
    }
    answers |= {DocumentWanted(arn): text for arn, text in (texts or {}).items()}
    wanted = tuple(own_rights.GUARD.needs(case))
    return list(own_rights.GUARD.judge(case, Facts({one: answers[one] for one in wanted})))


GONE = entry("aws_cloudtrail", {"name": "baseline", "arn": TRAIL})


@pytest.mark.parametrize(("caller", "who"), [(ROLE, "You apply as"), ("baseline-plan", "The pipeline applies this as")])
def test_a_plan_that_takes_rights_which_it_needs_is_refused_when_it_is_made(caller: str, who: str) -> None:
    (finding,) = judged(rewritten(BROAD, NARROW), GONE, caller=caller)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)
    assert finding.blocks
    assert finding.resource.address == "module.iam_roles.aws_iam_policy.this"
    assert finding.summary == (
        f"{who} the role {ROLE}, whose policies would lose rights that this plan needs to change or delete 1 resource."
    )
    assert finding.evidence.startswith("it would lose cloudtrail:DeleteTrail (module.cloudtrail.aws_cloudtrail.this);")
    assert "administrator" in finding.remedy
    assert "--also FILE" in finding.remedy


KEY = {"key_id": "1", "arn": f"arn:aws:kms:{HOME}:{ACCOUNT}:key/1", "tags_all": {"ManagedBy": "x"}}
UPDATED = entry("aws_cloudtrail", {"name": "baseline", "arn": TRAIL}, {"name": "baseline", "arn": TRAIL, "x": 1})
LOSES: dict[str, tuple[Entry, ...]] = {
    "a policy is deleted": (rewritten(BROAD, None), GONE),
    "a policy is detached": (attachment(OWN), GONE),
    "a trail is changed": (rewritten(BROAD, NARROW), UPDATED),
    "a resource that another names": (
        rewritten(allows("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", on="arn:aws:s3:::logs"), NARROW),
        entry("aws_s3_bucket_policy", {"bucket": "logs", "id": "logs"}),
    ),
    "a role below a path": (
        rewritten(allows("iam:DeleteRole", on=f"{IAM}:role/team/x"), NARROW),
        entry("aws_iam_role", {"name": "x", "arn": f"{IAM}:role/team/x"}),
    ),
    "a region": (
        rewritten(
            allows("cloudtrail:*", StringEquals={"aws:RequestedRegion": [HOME, "us-east-1"]}),
            allows("cloudtrail:*", StringEquals={"aws:RequestedRegion": "us-east-1"}),
        ),
        GONE,
    ),
    "a tag": (
        rewritten(
            allows("kms:*", StringEquals={"aws:ResourceTag/ManagedBy": ["x", "y"]}),
            allows("kms:*", StringEquals={"aws:ResourceTag/ManagedBy": "y"}),
        ),
        entry("aws_kms_key", KEY),
    ),
}


@pytest.mark.parametrize("entries", LOSES.values(), ids=LOSES)
def test_rights_are_lost_by(entries: tuple[Entry, ...]) -> None:
    (finding,) = judged(*entries)
    assert finding.rule is LOCKS_OUT_CALLER


def test_an_update_may_do_without_what_takes_something_away() -> None:
    (finding,) = judged(rewritten(BROAD, allows("cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors")), UPDATED)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None), "it may stop logging, or start it"
    (finding,) = judged(rewritten(allows("cloudtrail:RemoveTags"), NARROW), UPDATED)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert "might lose" in finding.summary


def test_an_inline_policy_counts_as_well() -> None:
    inline = entry("aws_iam_role_policy", {"role": ROLE, "name": "own", "policy": BROAD})
    assert judged(inline, GONE, attached={}, inline={"own": BROAD})
    assert not judged(inline, GONE, attached={EXTRA: BROAD}, inline={"own": BROAD})


def test_what_a_policy_of_aws_allows_is_not_known_unless_it_is_everything_or_reads() -> None:
    of_aws = "arn:aws:iam::aws:policy/"
    plan = (rewritten(BROAD, NARROW), GONE)
    (finding,) = judged(*plan, attached={OWN: BROAD, f"{of_aws}PowerUserAccess": ""})
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert "might lose" in finding.summary
    assert not judged(*plan, attached={OWN: BROAD, f"{of_aws}AdministratorAccess": ""})
    (finding,) = judged(*plan, attached={OWN: BROAD, f"{of_aws}job-function/ViewOnlyAccess": ""})
    assert finding.rule is LOCKS_OUT_CALLER


NEW = {"name": "own-2", "path": "/", "policy": BROAD}
KEPT: dict[str, tuple[tuple[Entry, ...], dict[str, Any]]] = {
    "by another policy": ((rewritten(BROAD, NARROW), GONE), {"attached": {OWN: BROAD, EXTRA: BROAD}}),
    "by a policy that it gets": (
        (rewritten(BROAD, NARROW), attachment(None, EXTRA), GONE),
        {"texts": {EXTRA: BROAD}},
    ),
    "by a policy that the plan makes": (
        (
            rewritten(BROAD, NARROW),
            entry("aws_iam_policy", None, NEW, unknown={"arn": True}),
            entry("aws_iam_role_policy_attachment", None, {"role": ROLE}, unknown={"policy_arn": True}),
            GONE,
        ),
        {},
    ),
    "since the policy is another role's": ((rewritten(BROAD, NARROW), GONE), {"attached": {}}),
    "since another role applies": ((rewritten(BROAD, NARROW), GONE), {"caller": "other"}),
    "since it never had them": ((rewritten(NARROW, allows("config:Get*")), GONE), {}),
    "since the names are others": (
        (rewritten(allows("cloudtrail:*", on=TRAIL.replace("baseline", "other")), NARROW), GONE),
        {},
    ),
    "since it gets the other tag": (
        (
            rewritten(
                allows("kms:*", StringEquals={"aws:ResourceTag/ManagedBy": "x"}),
                allows("kms:*", StringEquals={"aws:ResourceTag/ManagedBy": "y"}),
            ),
            entry("aws_kms_key", KEY, {**KEY, "tags_all": {"ManagedBy": "y"}}),
        ),
        {},
    ),
    "since nothing needs them": (
        (rewritten(BROAD, NARROW), entry("aws_cloudtrail", None, {"name": "baseline"})),
        {},
    ),
    "since an update deletes nothing": (
        (
            rewritten(allows("cloudtrail:UpdateTrail", "cloudtrail:DeleteTrail"), allows("cloudtrail:UpdateTrail")),
            UPDATED,
        ),
        {},
    ),
    "since an update does not schedule the deletion of a key": (
        (
            rewritten(allows("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"), allows("kms:PutKeyPolicy")),
            entry("aws_kms_key", KEY, {**KEY, "policy": "{}"}),
        ),
        {},
    ),
    "since Terraform forgets it": (
        (rewritten(BROAD, NARROW), entry("aws_cloudtrail", {"name": "baseline", "arn": TRAIL}, actions="forget")),
        {},
    ),
}


@pytest.mark.parametrize(("entries", "more"), KEPT.values(), ids=KEPT)
def test_rights_are_kept(entries: tuple[Entry, ...], more: dict[str, Any]) -> None:
    assert judged(*entries, **more) == []


def test_the_environment_says_which_role_applies_what_another_plans() -> None:
    deployer = {"provider": "github", "repository": "example/x", "owner_id": "1", "repository_id": "2"}
    deployers = {
        "baseline": {**deployer, "pipeline": {}},
        "app": {**deployer, "branches": ["main"], "managed_policies": ["ReadOnlyAccess"]},
    }
    data = {
        "account_id": ACCOUNT,
        "regions": {"home": HOME},
        "backend": {"type": "local"},
        "components": {"iam_roles": {"deployers": deployers}},
    }
    environment = load_text(yaml.safe_dump(data), name="prod", shown_as="prod.yaml")
    assert environment.identities == PIPELINE


ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "plans" / "components"
STAY = ("iam_roles",)


def complete(*without: str) -> Environment:
    data = yaml.safe_load((ROOT / "environments" / "complete" / "environment.yaml").read_text("utf-8"))
    data["components"] = {n: c for n, c in data["components"].items() if n not in without} | {"iam_roles": {}}
    data["account_id"] = ACCOUNT
    return load_text(yaml.safe_dump(data, sort_keys=False), name="complete", shown_as="complete.yaml")


def test_every_component_that_is_removed_needs_rights_that_its_pipeline_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the policies that are generated, and what real plans of the modules have; none is forgotten."""
    monkeypatch.setattr(own_rights, "_NAMED", 10_000)
    recorded: dict[str, list[Entry]] = {}
    for file in RECORDED.glob("*.json"):
        for one in json.loads(file.read_text("utf-8"))["resource_changes"]:
            label = one["address"].split(".")[1]
            component = max((n for n in REGISTRY if label == n or label.startswith(f"{n}_")), key=len, default="")
            had = {"actions": ["delete"], "before": one["change"]["after"], "after": None, "after_unknown": {}}
            if one.get("mode") == "managed" and component and component not in STAY and had["before"]:
                recorded.setdefault(component, []).append({**one, "change": had})
    before, after = (
        [json.dumps(document.content) for document in policies(one, "apply")]
        for one in (complete(), complete(*(n for n in REGISTRY if n not in STAY)))
    )
    arns = [f"{IAM}:policy/{ROLE}-{n}" for n in range(len(before))]
    rewrites = [
        {**rewritten(old, after[n] if n < len(after) else None, arns[n]), "address": f"module.iam_roles.x.y[{n}]"}
        for n, old in enumerate(before)
    ]
    entries = {one["address"]: one for several in recorded.values() for one in several}
    (finding,) = judged(*rewrites, *entries.values(), attached=dict(zip(arns, before, strict=True)))
    missed = {
        n for n, several in recorded.items() if not any(f"({one['address']})" in finding.evidence for one in several)
    }
    assert missed == set()
