"""Who gets into the roles of iam_roles, judged by AWS's documented logic: with each condition and without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from toolkit.iam import Decision, Policies, PolicyDocument, Request, evaluate

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
ANNA, BERT = f"{IAM}:user/anna", f"{IAM}:user/bert"
OPERATOR = "arn:aws:sts::111122223333:assumed-role/operators/session"
VENDOR, AUDITOR = "arn:aws:iam::444455556666:role/vendor", "arn:aws:iam::999999999999:user/auditor"
GITHUB = f"{IAM}:oidc-provider/token.actions.githubusercontent.com"
GITLAB = f"{IAM}:oidc-provider/gitlab.com"
MFA, NO_MFA = {"aws:MultiFactorAuthPresent": "true"}, {"aws:MultiFactorAuthPresent": "false"}
MAY_ASSUME = PolicyDocument.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}, name="own side"
)


@dataclass(frozen=True)
class Case:
    """One try to assume a role."""

    role: str
    principal: str
    context: Mapping[str, str]
    passes: bool
    action: str = field(default="sts:AssumeRole")

    def decide(self, trust: PolicyDocument) -> bool:
        request = Request(self.principal, self.action, f"{IAM}:role/{self.role}", context=self.context)
        return evaluate(request, Policies(identity=(MAY_ASSUME,), resource=trust)).allowed


def github(
    passes: bool,
    subject: str,
    audience: str = "sts.amazonaws.com",
    principal: str = GITHUB,
    role: str = "site",
    ids: tuple[str, str] = ("123456", "987654"),
) -> Case:
    host = "token.actions.githubusercontent.com"
    context = {f"{host}:sub": subject, f"{host}:aud": audience}
    context |= {f"{host}:repository_owner_id": ids[0], f"{host}:repository_id": ids[1]}
    return Case(role, principal, context, passes, "sts:AssumeRoleWithWebIdentity")


def gitlab(passes: bool, subject: str, audience: str = "https://gitlab.com") -> Case:
    context = {"gitlab.com:sub": subject, "gitlab.com:aud": audience}
    return Case("mirror", GITLAB, context, passes, "sts:AssumeRoleWithWebIdentity")


CASES = [
    *(
        case
        for role in ("administration", "break-glass")
        for case in (
            Case(role, ANNA, MFA, True),
            Case(role, ANNA, NO_MFA, False),
            Case(role, ANNA, {}, False),  # a long-lived access key
            Case(role, BERT, MFA, False),
            Case(role, f"arn:aws:sts::{ACCOUNT}:assumed-role/other/anna", MFA, False),
        )
    ),
    Case("operations", OPERATOR, {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, True),
    Case("operations", OPERATOR, {"aws:PrincipalOrgID": "o-another000"}, False),
    Case("operations", OPERATOR, {}, False),
    Case("operations", OPERATOR.replace("operators", "others"), {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, False),
    Case("vendor", VENDOR, {"sts:ExternalId": "example-42"}, True),
    Case("vendor", VENDOR, {"sts:ExternalId": "example-43"}, False),
    Case("vendor", VENDOR, {}, False),
    Case("vendor", AUDITOR, {"sts:ExternalId": "example-42"}, False),
    Case("security-audit", AUDITOR, {"sts:ExternalId": "audit-7", **MFA}, True),
    Case("security-audit", AUDITOR, {"sts:ExternalId": "audit-7", **NO_MFA}, False),
    Case("security-audit", AUDITOR, {"sts:ExternalId": "audit-7"}, False),
    Case("security-audit", AUDITOR, MFA, False),
    github(True, "repo:example/site:ref:refs/heads/main"),
    github(True, "repo:example/site:environment:production"),
    github(False, "repo:example/site:ref:refs/heads/main-2"),
    github(False, "repo:example/site:ref:refs/tags/main"),
    github(False, "repo:example/site:pull_request"),
    github(False, "repo:example/site-2:ref:refs/heads/main"),
    github(False, "repo:example-2/site:ref:refs/heads/main"),
    github(False, "repo:Example/site:ref:refs/heads/main"),
    github(False, "repo:example/site:ref:refs/heads/main", audience="https://github.com/example"),
    github(False, "repo:example/site:ref:refs/heads/main", principal=GITLAB),
    replace(github(False, "repo:example/site:ref:refs/heads/main"), action="sts:AssumeRole"),
    # Where the ids are not named, tokens that carry them are not accepted, nor the other way round.
    github(False, "repo:example@123456/site@456789:ref:refs/heads/main"),
    *(
        github(passes, f"repo:{repository}:{ref}", role="renamed")
        for ref in ("ref:refs/heads/main", "environment:production")
        for passes, repository in (
            (True, "example@123456/renamed@456789"),
            (False, "example/renamed"),  # what whoever takes the names over gets, where they opted out
            (False, "example@123456/renamed@456780"),  # the repository was deleted and made again
            (False, "example@123450/renamed@456789"),  # the owner was
            (False, "example@1234567/renamed@456789"),
            (False, "example@123456/renamed@4567890"),
            (False, "example@123456/renamed"),
            (False, "example/renamed@456789"),
        )
    ),
    github(False, "repo:example@123456/renamed@456789:ref:refs/heads/other", role="renamed"),
    github(False, "repo:example@123456/renamed@456789:pull_request", role="renamed"),
    github(
        False, "repo:example@123456/renamed@456789:ref:refs/heads/main", "https://github.com/example", role="renamed"
    ),
    github(True, "repo:example@123456/changing@987654:ref:refs/tags/v1", role="changing"),
    github(True, "repo:example/changing:ref:refs/tags/v1", role="changing"),
    github(False, "repo:example@123456/changing@987650:ref:refs/tags/v1", role="changing"),
    # Classic subjects are the same for whoever takes the names over; the ids are not.
    github(False, "repo:example/changing:ref:refs/tags/v1", role="changing", ids=("123456", "987655")),
    github(False, "repo:example/changing:ref:refs/tags/v1", role="changing", ids=("123457", "987654")),
    github(False, "repo:example/changing:ref:refs/heads/v1", role="changing"),
    github(False, "repo:example/changing:ref:refs/tags/v1", "https://github.com/example", role="changing"),
    gitlab(True, "project_path:group/project:ref_type:tag:ref:v1"),
    gitlab(False, "project_path:group/project:ref_type:branch:ref:v1"),
    gitlab(False, "project_path:group/project-2:ref_type:tag:ref:v1"),
    gitlab(False, "project_path:group/project:ref_type:tag:ref:v1", audience="https://gitlab.example.com"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.role}-{c.principal[-12:]}-{'-'.join(c.context.values())}")
def test_only_who_is_named_gets_in_and_only_under_the_conditions(case: Case, rendered):
    assert case.decide(rendered.trusts[case.role]) == case.passes


def test_each_condition_is_needed(rendered):
    """Without any one of them a case that must not pass would."""
    checked = 0
    tried = {case.role for case in CASES}
    # test_pipeline_trust.py has the rest.
    assert set(rendered.trusts) - tried >= {"immutable-plan", "immutable-apply", "gitlab-plan", "gitlab-apply"}
    for role, trust in rendered.trusts.items():
        if role not in tried:
            continue
        (statement,) = trust.statements
        for left_out in statement.conditions:
            kept = tuple(c for c in statement.conditions if c is not left_out)
            weaker = replace(trust, statements=(replace(statement, conditions=kept),))
            assert any(case.decide(weaker) != case.passes for case in CASES if case.role == role), f"{role}: {left_out}"
            checked += 1
    assert checked >= 10


def test_no_trust_is_open_to_everyone(rendered):
    for trust in rendered.trusts.values():
        for statement in trust.statements:
            assert statement.principals is not None
            assert not statement.principals.everyone
            assert statement.conditions


def test_suspended_users_can_do_nothing_whatever_else_they_have(rendered, aws_managed):
    policies = Policies(identity=(aws_managed["AdministratorAccess"], rendered.suspended))
    for action, resource in (
        ("iam:GetUser", ANNA),
        ("iam:ChangePassword", ANNA),
        ("sts:GetCallerIdentity", "*"),
        ("s3:GetObject", "arn:aws:s3:::reports/x"),
    ):
        assert evaluate(Request(ANNA, action, resource, context=MFA), policies).decision is Decision.EXPLICIT_DENY
    # Not through a resource that names the user, either: a deny beats it.
    named = replace(policies, resource=rendered.trusts["administration"])
    assert not evaluate(Request(ANNA, "sts:AssumeRole", f"{IAM}:role/administration", context=MFA), named).allowed
