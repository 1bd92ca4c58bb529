"""Forged tokens against trust policies, good ones and such as are seen in the wild."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from toolkit.iam import PolicyDocument, PolicyKind
from toolkit.iam.pipelines import Token, accepts, openings, unjudged

HOST = "token.actions.githubusercontent.com"
GITHUB = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
GITLAB = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
ACTION = "sts:AssumeRoleWithWebIdentity"
AUD = {f"{HOST}:aud": "sts.amazonaws.com"}
SUB = "repo:example/site:environment:aws-prod"
IMMUTABLE = "repo:example@123456/site@456789:environment:aws-prod"
PROJECT = "project_path:group/sub/project:ref_type:branch:ref"


def trust(condition: dict[str, Any] | None, principal: Any = None, action: Any = ACTION) -> PolicyDocument:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal or {"Federated": GITHUB}, "Action": action}
    if condition is not None:
        statement["Condition"] = condition
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return PolicyDocument.parse(text, kind=PolicyKind.TRUST)


def github(sub: Any, operator: str = "StringEquals", **more: Any) -> PolicyDocument:
    other = {} if operator == "StringEquals" else {operator: {f"{HOST}:sub": sub}}
    equal = {**AUD, **({f"{HOST}:sub": sub} if operator == "StringEquals" else {}), **more}
    return trust({"StringEquals": equal, **other})


def gitlab(sub: Any, operator: str = "StringEquals") -> PolicyDocument:
    conditions: dict[str, dict[str, Any]] = {"StringEquals": {"gitlab.com:aud": "https://gitlab.com"}}
    conditions.setdefault(operator, {})["gitlab.com:sub"] = sub
    return trust(conditions, {"Federated": GITLAB})


@pytest.mark.parametrize(
    "closed",
    [
        github(SUB),
        github(IMMUTABLE),
        github([SUB, IMMUTABLE]),
        github(SUB, "StringLike"),
        github("repo:example/site:ref:refs/heads/main"),
        # One subject looks like a forgery of another, and both are meant.
        github([f"repo:example/site:ref:refs/{kind}/{name}" for kind in ("heads", "tags") for name in ("v", "vx")]),
        github(SUB, **{f"{HOST}:ref": "refs/heads/main", f"{HOST}:repository_id": ["456789"]}),
        gitlab(f"{PROJECT}:main"),
        gitlab("project_path:group/project:ref_type:tag:ref:v1"),
        gitlab([f"{PROJECT}:main", "project_path:group/sub/project:ref_type:tag:ref:main"]),
        # Merge requests: any branch of the very project.
        gitlab(f"{PROJECT}:*", "StringLike"),
        # No pipeline's.
        trust(None, {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole"),
        trust({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"AWS": "123456789012"}, "sts:AssumeRole"),
        trust({"StringEquals": {"SAML:aud": "x"}}, {"Federated": "arn:aws:iam::123456789012:saml-provider/x"}),
        # A wildcard is a character like others to StringEquals: nobody gets in.
        github("repo:example/*"),
    ],
)
def test_what_is_named_whole_is_closed(closed: PolicyDocument):
    assert openings(closed) == ()
    assert unjudged(closed) == ()


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (trust(None), "runs of any repository"),
        (trust({"StringEquals": AUD}), "runs of any repository"),
        (trust({"StringEquals": {f"{HOST}:sub": SUB}}), "tokens for another audience"),
        (trust({"StringEquals": {f"{HOST}:sub": SUB}}), "tokens without an audience"),
        (github("*", "StringLike"), "runs of any repository"),
        (github("repo:*", "StringLike"), "runs of any repository"),
        (github("repo:example/*", "StringLike"), "subjects by a wildcard"),
        (github("repo:example*", "StringLike"), "subjects by a wildcard"),
        (github("repo:example/site:*", "StringLike"), "pull requests"),
        (github("repo:example/site*", "StringLike"), "subjects by a wildcard"),
        (github("repo:*/site:environment:aws-prod", "StringLike"), "runs of a fork"),
        (github("repo:example/site:ref:refs/heads/*", "StringLike"), "other branches"),
        (github("repo:example/site:ref:refs/*/main", "StringLike"), "subjects by a wildcard"),
        (github("repo:example/site:environment:*", "StringLike"), "other environments"),
        (github("repo:example@*/site@456789:environment:aws-prod", "StringLike"), "runs of a new owner of the name"),
        (github("repo:example@1/site@*:environment:aws-prod", "StringLike"), "runs of a new repository of the name"),
        (github([SUB, "repo:example/site:pull_request*"], "StringLike"), "subjects by a wildcard"),
        (github(SUB, "StringEqualsIgnoreCase"), "names in another case"),
        (github(SUB, "StringEqualsIfExists"), "tokens without a subject"),
        (github(SUB, "ForAllValues:StringEquals"), "tokens without a subject"),
        (github(SUB, "StringNotEquals"), "runs of any repository"),
        (trust({"ForAllValues:StringEquals": {**AUD, f"{HOST}:sub": SUB}}), "tokens without an audience"),
        (trust({"StringEqualsIfExists": {**AUD, f"{HOST}:sub": SUB}}), "tokens without an audience"),
        (trust({"StringEquals": {**AUD, f"{HOST}:repository": "example/site"}}), "runs of any repository"),
        (gitlab("project_path:group/*", "StringLike"), "subjects by a wildcard"),
        (gitlab("project_path:group/*:ref_type:branch:ref:main", "StringLike"), "runs of a project below"),
        (gitlab("project_path:group/sub/project:*", "StringLike"), "subjects by a wildcard"),
        (gitlab("project_path:group/sub/project:ref_type:*:ref:main", "StringLike"), "subjects by a wildcard"),
        (gitlab("project_path:group/project:ref_type:tag:ref:v*", "StringLike"), "subjects by a wildcard"),
        (trust({"StringEquals": {"gitlab.com:aud": "https://gitlab.com"}}, {"Federated": GITLAB}), "any repository"),
        (trust({"StringEquals": AUD}, "*"), "tokens of any provider"),
    ],
)
def test_what_a_stranger_could_use_is_told(opened: PolicyDocument, expected: str):
    assert expected in ", ".join(openings(opened))


BESIDES: dict[str, dict[str, Any]] = {
    "transport": {"Bool": {"aws:SecureTransport": "true"}},
    "session name": {"StringLike": {"sts:RoleSessionName": "GitHubActions"}},
    "any address": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    "not this actor": {"StringNotEquals": {f"{HOST}:actor": "mallory"}},
    "any but this actor": {"ForAnyValue:StringNotEquals": {f"{HOST}:actor": "mallory"}},
    "an actor": {"Null": {f"{HOST}:actor": "false"}},
    "no tag": {"Null": {"aws:RequestTag/x": "true"}},
}
"""Conditions that forged tokens met, or not, for another reason than the claims that are forged."""


@pytest.mark.parametrize("besides", BESIDES.values(), ids=BESIDES)
def test_a_further_condition_hides_no_opening(besides: dict[str, Any]):
    like = {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:example/site:*"}}
    both = {operator: {**like.get(operator, {}), **keys} for operator, keys in {**like, **besides}.items()}
    assert {"pull requests", "other branches"} <= set(openings(trust(both)))
    closed = {"StringEquals": {**AUD, f"{HOST}:sub": SUB}}
    both = {operator: {**closed.get(operator, {}), **keys} for operator, keys in {**closed, **besides}.items()}
    assert openings(trust(both)) == unjudged(trust(both)) == ()


def test_a_denial_counts_where_claims_decide_it_and_only_there():
    opened = github("repo:example/site:*", "StringLike")
    (allowed,) = opened.statements

    def denied(condition: dict[str, Any]) -> PolicyDocument:
        denial = {"Effect": "Deny", "Principal": {"Federated": GITHUB}, "Action": ACTION, "Condition": condition}
        text = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
        (statement,) = PolicyDocument.parse(text, kind=PolicyKind.TRUST).statements
        return dataclasses.replace(opened, statements=(allowed, statement))

    # Tokens without the claim or from another address would be rejected, and a stranger's has both.
    assert "pull requests" in openings(denied({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))
    assert "pull requests" in openings(denied({"StringNotEquals": {f"{HOST}:actor": "ann"}}))
    assert "pull requests" not in openings(denied({"StringLike": {f"{HOST}:sub": "*pull_request*"}}))


def test_what_no_token_meets_is_not_called_closed():
    strange = {"StringEquals": {**AUD, f"{HOST}:sub": SUB}, "NumericLessThan": {f"{HOST}:run_number": "5"}}
    assert openings(trust(strange)) == ()
    assert f"NumericLessThan {HOST}:run_number '5'" in unjudged(trust(strange))


def test_a_token_counts_with_its_own_provider_alone():
    right = Token(GITHUB, {"aud": "sts.amazonaws.com", "sub": SUB})
    assert accepts(github(SUB), right)
    assert not accepts(github(SUB), Token(GITLAB, right.claims))
    # Both are trusted, and conditions on the one's claims are met by none of the other's.
    both = trust({"StringEquals": {**AUD, f"{HOST}:sub": SUB}}, {"Federated": [GITHUB, GITLAB]})
    assert accepts(both, right)
    assert not accepts(both, Token(GITLAB, right.claims))
    assert openings(both) == unjudged(both) == ()
