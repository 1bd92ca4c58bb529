"""The role that applies: it keeps its rights, and whoever assumed it can do so again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.iam.organization import Deployment
from toolkit.plan.case import Caller
from toolkit.plan.denials import Denials, HeldPolicies, Member, newly_denies
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.own_role import judge_own_role, takes_trusted
from toolkit.policies import Need

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ROLE = Caller("arn:aws:sts::123456789012:assumed-role/deployer/x", None, True)
OTHER = Caller("arn:aws:sts::123456789012:assumed-role/other/deployer", None, True)
USER = Caller("arn:aws:iam::123456789012:user/deployer", "deployer", True)
ADMINISTRATION = "arn:aws:iam::aws:policy/AdministratorAccess"


def plan(*entries: dict[str, Any]) -> Plan:
    return parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)


def gone(kind: str, component: str = "iam_roles", action: str = "delete", **before: Any) -> dict[str, Any]:
    return {
        "address": f"module.{component}.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": action.split("+"), "before": before, "after": None if action == "delete" else before},
    }


@pytest.mark.parametrize(
    ("entry", "how"),
    [
        (gone("aws_iam_role", name="deployer"), "is deleted"),
        (gone("aws_iam_role", action="delete+create", name="deployer"), "is deleted"),
        (
            gone("aws_iam_role_policy_attachment", role="deployer", policy_arn=ADMINISTRATION),
            "loses AdministratorAccess",
        ),
    ],
)
def test_nobody_takes_away_the_rights_of_the_role_that_applies(entry: dict[str, Any], how: str):
    (finding,) = judge_own_role(plan(entry), ROLE)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)
    assert finding.summary.startswith(f"You apply as the role deployer, which {how}")
    other = Caller("arn:aws:sts::123456789012:assumed-role/other/deployer", None, True)
    assert list(judge_own_role(plan(entry), other)) == []
    assert list(judge_own_role(plan(entry), USER)) == []


def test_the_role_that_applies_gets_no_boundary_half_way():
    entry = gone("aws_iam_role", action="update", name="deployer", permissions_boundary="")
    bounded = {**entry["change"]["before"], "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary"}
    assert list(judge_own_role(plan({**entry, "change": {**entry["change"], "after": bounded}}), ROLE)) != []
    described = {**entry["change"]["before"], "description": "new"}
    assert list(judge_own_role(plan({**entry, "change": {**entry["change"], "after": described}}), ROLE)) == []


ACCOUNT = "arn:aws:iam::123456789012"
ANNA, BEN, ROOT = f"{ACCOUNT}:user/anna", f"{ACCOUNT}:user/ben", f"{ACCOUNT}:root"
HUB = "token.actions.githubusercontent.com"
AWAY = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def trusts(*aws: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    principal = "*" if aws == ("*",) else {"AWS": list(aws)}
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **more}


def pipeline(*subjects: str, test: str = "StringEquals") -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": f"{ACCOUNT}:oidc-provider/{HUB}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {test: {f"{HUB}:sub": list(subjects)}},
    }


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def retrusted(before: str, after: str | None) -> dict[str, Any]:
    """A change of the own role's trust policy; None: not known before the apply."""
    entry = gone("aws_iam_role", action="update", name="deployer", assume_role_policy=before)
    change = {**entry["change"], "after": {"name": "deployer", "assume_role_policy": after}}
    if after is None:
        change["after_unknown"] = {"assume_role_policy": True}
    return {**entry, "change": change}


def judged(before: dict[str, Any], *after: dict[str, Any]) -> list[Finding]:
    return list(judge_own_role(plan(retrusted(document(before), document(*after))), ROLE))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (trusts(ANNA), [trusts(BEN)]),
        (trusts(ANNA, BEN), [trusts(f"{ACCOUNT}:role/x")]),
        (trusts(ANNA), [trusts(ANNA), trusts("*", effect="Deny")]),
        (trusts(ANNA), [trusts(ANNA), trusts(ANNA, effect="Deny")]),
        (trusts(ROOT), [trusts("arn:aws:iam::444455556666:root")]),
        (trusts(ANNA), [trusts(ANNA, Action="sts:TagSession")]),
        (trusts(ANNA, "AIDAEXAMPLEEXAMPLE123"), [trusts("AIDAEXAMPLEEXAMPLE123")]),
        (pipeline("repo:a/b:ref:refs/heads/main"), [pipeline("repo:a/b:ref:refs/heads/release")]),
        (pipeline("repo:a/b:ref:refs/heads/main"), [pipeline("repo:c/*", test="StringLike")]),
        (pipeline("repo:a/b:ref:refs/heads/main"), [trusts(ANNA)]),
    ],
)
def test_a_trust_policy_that_lets_nobody_in_who_came_in_so_far_is_refused(
    before: dict[str, Any], after: list[dict[str, Any]]
):
    (finding,) = judged(before, *after)
    assert (finding.rule, finding.severity, finding.consent) == (LOCKS_OUT_CALLER, Severity.CRITICAL, None)
    assert "no principal that can assume it now" in finding.summary


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        (trusts(ANNA, BEN), [trusts(BEN)], f"{ANNA}: no more"),
        (trusts(ANNA), [trusts(ANNA, Condition=MFA)], f"{ANNA}: possibly no longer, or not as before"),
        # Whoever knows the new identifier comes in.
        (
            trusts(ANNA, Condition={"StringEquals": {"sts:ExternalId": "old"}}),
            [trusts(ANNA, Condition={"StringEquals": {"sts:ExternalId": "new"}})],
            f"{ANNA}: possibly no longer, or not as before",
        ),
        (trusts(ROOT), [trusts(ANNA)], f"{ROOT}: possibly no longer, or not as before"),
        (trusts(ANNA), [trusts("123456789012")], f"{ANNA}: possibly no longer, or not as before"),
        (trusts("*", Condition=MFA), [trusts(ANNA, Condition=MFA)], "everyone: possibly no longer, or not as before"),
        (
            trusts(ANNA),
            [trusts(ANNA), trusts("*", effect="Deny", Sid="Away", Condition=AWAY)],
            "newly denied by Away if IpAddress aws:SourceIp '0.0.0.0/0'",
        ),
        (
            pipeline("repo:a/b:ref:refs/heads/main", "repo:a/b:ref:refs/heads/x"),
            [pipeline("repo:a/b:ref:refs/heads/main")],
            f"{ACCOUNT}:oidc-provider/{HUB}: possibly no longer, or not as before",
        ),
    ],
)
def test_where_some_may_still_come_in_it_is_asked_whether_that_is_who_applies(
    before: dict[str, Any], after: list[dict[str, Any]], evidence: str
):
    (finding,) = judged(before, *after)
    assert (finding.rule, finding.severity) == (LOCKS_OUT, Severity.HIGH)
    assert (finding.consent, finding.evidence) == ("--acknowledge-lockout", evidence)
    assert finding.blocks


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (trusts(ANNA), [trusts(BEN), trusts(ANNA)]),
        (trusts(ANNA, BEN), [trusts(ANNA), trusts(BEN, Condition=MFA), trusts(BEN)]),
        (trusts(ANNA, Condition=MFA), [trusts(ANNA)]),
        (trusts(ANNA), [trusts("*")]),
        (trusts(ANNA, "AIDAEXAMPLEEXAMPLE123"), [trusts(ANNA)]),
        (pipeline("repo:a/b:ref:refs/heads/x"), [pipeline("repo:a/b:ref:refs/heads/x", "repo:a/b:ref:refs/heads/y")]),
    ],
)
def test_whoever_keeps_coming_in_is_not_asked(before: dict[str, Any], after: list[dict[str, Any]]):
    assert judged(before, *after) == []


def test_only_the_own_roles_trust_counts_and_what_is_not_known_of_it():
    change = plan(retrusted(document(trusts(ANNA)), document(trusts(BEN))))
    assert list(judge_own_role(change, OTHER)) == []
    assert list(judge_own_role(change, USER)) == []
    (finding,) = judge_own_role(plan(retrusted(document(trusts(ANNA)), None)), ROLE)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert finding.evidence == "the new trust policy is not known before the apply"


@pytest.mark.parametrize(
    ("entry", "trust"),
    [
        (gone("aws_iam_user", "iam_users", arn=ANNA), trusts(ANNA)),
        (gone("aws_iam_role", action="delete+create", arn=f"{ACCOUNT}:role/ci"), trusts(f"{ACCOUNT}:role/ci")),
        (gone("aws_iam_openid_connect_provider", arn=f"{ACCOUNT}:oidc-provider/{HUB}"), pipeline("repo:a/b:x")),
    ],
)
def test_whom_the_own_role_trusts_is_not_deleted(entry: dict[str, Any], trust: dict[str, Any]):
    p = plan(entry)
    assert takes_trusted(p)
    (finding,) = judge_own_role(p, ROLE, document(trust))
    assert (finding.rule, finding.consent, finding.address) == (LOCKS_OUT_CALLER, None, entry["address"])
    assert finding.evidence.endswith(": deleted")
    # With somebody else in it, who applies may be either; of nobody whom the role trusts, nothing is said.
    (asked,) = judge_own_role(p, ROLE, document(trust, trusts(BEN)))
    assert (asked.rule, asked.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert list(judge_own_role(p, ROLE, document(trusts(BEN)))) == []


def test_a_trust_policy_is_not_asked_for_where_nobody_goes():
    assert not takes_trusted(plan(gone("aws_iam_user", action="update", arn=ANNA)))
    assert not takes_trusted(plan(gone("aws_iam_group", name="x")))


NEEDS = Deployment((), {"every plan": (Need("iam:CreateRole"),)}, ("eu-central-1",), "123456789012", "aws")
MEMBER = Member(f"{ACCOUNT}:role/ci/deployer", frozenset({"deployer"}), frozenset({"deployer"}), None, mfa=False)


def denies(**more: Any) -> str:
    return document({"Sid": "Freeze", "Effect": "Deny", "Action": "iam:*", "Resource": "*", **more})


def denied(*entries: dict[str, Any], **held: Any) -> list[Finding]:
    p = plan(*entries)
    newly = Denials(p, HeldPolicies(kind="role", **held), NEEDS).newly(MEMBER)
    return list(judge_own_role(p, ROLE, denied=newly))


def gets(kind: str, role: str = "deployer", **values: Any) -> dict[str, Any]:
    entry = gone(f"aws_iam_role_policy{kind}", action="create")
    return {**entry, "change": {"actions": ["create"], "before": None, "after": {"role": role, **values}}}


FREEZE = f"{ACCOUNT}:policy/freeze"


@pytest.mark.parametrize(
    ("entry", "held"),
    [
        (gets("", name="mine", policy=denies()), {}),
        (gets("_attachment", policy_arn=FREEZE), {"documents": {FREEZE: denies()}}),
        (gets("_attachment", policy_arn="arn:aws:iam::aws:policy/AWSDenyAll"), {}),
    ],
)
def test_the_role_that_applies_is_not_denied_it(entry: dict[str, Any], held: dict[str, Any]):
    assert newly_denies(plan(entry), "deployer")
    (finding,) = denied(entry, **held)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)
    assert finding.summary.startswith("You apply as the role deployer, whose policies would deny it")
    assert finding.evidence.startswith("iam:CreateRole (")


def test_what_denies_another_role_or_nothing_new_is_not_asked():
    other = gets("", role="other", name="mine", policy=denies())
    assert not newly_denies(plan(other), "deployer")
    assert denied(other) == []
    held = {"inline": {"deployer": {"mine": denies()}}}
    assert denied(gets("", name="second", policy=denies()), **held) == []
    # Exempted by its ARN, which a session's own does not show.
    exempted = denies(Condition={"ArnNotLike": {"aws:PrincipalArn": f"{ACCOUNT}:role/ci/*"}})
    assert denied(gets("", name="mine", policy=exempted)) == []


def test_what_may_deny_the_role_that_applies_is_asked():
    (finding,) = denied(gets("", name="mine", policy=denies(Condition=AWAY)))
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert "might deny" in finding.summary
