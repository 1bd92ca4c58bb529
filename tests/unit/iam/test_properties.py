"""What holds for every policy and request, searched with hypothesis."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate
from toolkit.iam.matching import Context, expand, like, resource_matches

USER = "arn:aws:iam::123456789012:user/jane"
ACTIONS = ["iam:CreateUser", "iam:GetUser", "s3:GetObject", "ec2:RunInstances"]
RESOURCES = ["*", USER, "arn:aws:s3:::b/k", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"]
KEYS = ["aws:MultiFactorAuthPresent", "aws:RequestedRegion", "aws:PrincipalTag/team"]

conditions: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "Condition": st.dictionaries(
                st.sampled_from(
                    [
                        "StringEquals",
                        "StringNotEquals",
                        "StringLikeIfExists",
                        "ForAnyValue:StringLike",
                        "ForAllValues:StringEquals",
                    ]
                ),
                st.dictionaries(
                    st.sampled_from(KEYS), st.sampled_from(["true", "false", "*", "eu-west-1"]), min_size=1
                ),
                min_size=1,
            )
        }
    ),
)


@st.composite
def statements(draw: st.DrawFn, principal: bool = False) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))}
    patterns = ["*", "iam:*", "s3:Get*", "ec2:RunInstances", "iam:?etUser"]
    statement[draw(st.sampled_from(["Action", "NotAction"]))] = draw(
        st.lists(st.sampled_from(patterns), min_size=1, max_size=2)
    )
    arns = ["*", "arn:aws:iam::*:user/${aws:username}", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:PrincipalTag/team}"]
    statement[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(
        st.lists(st.sampled_from(arns), min_size=1, max_size=2)
    )
    if principal:
        statement["Principal"] = draw(st.sampled_from(["*", {"AWS": USER}, {"AWS": "123456789012"}]))
    return statement | draw(st.just({}) | conditions)


def documents(kind: PolicyKind = PolicyKind.IDENTITY) -> st.SearchStrategy[PolicyDocument]:
    one = statements(principal=kind is PolicyKind.RESOURCE)
    return st.lists(one, min_size=1, max_size=3).map(
        lambda found: PolicyDocument.parse({"Version": "2012-10-17", "Statement": found}, kind=kind)
    )


# Most have few limits: of those with all of them, AWS allows hardly a request, and what holds of one that is allowed
# would not be tried.
policies = st.builds(
    Policies,
    identity=st.lists(documents(), max_size=2).map(tuple),
    boundary=st.none() | st.none() | documents(),
    session=st.none() | st.none() | st.lists(documents(), max_size=2).map(tuple),
    scps=st.just(()) | st.just(()) | st.lists(st.lists(documents(), max_size=2).map(tuple), max_size=2).map(tuple),
    resource=st.none() | st.none() | documents(PolicyKind.RESOURCE),
)
requests = st.builds(
    Request,
    st.just(USER),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["true", "false", "eu-west-1"]) | st.just(["true"])),
)

DENY_ALL = PolicyDocument.parse({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})


@given(requests, policies)
def test_a_deny_of_everything_wins(request: Request, base: Policies) -> None:
    for changed in (
        replace(base, identity=(*base.identity, DENY_ALL)),
        replace(base, boundary=DENY_ALL),
        replace(base, session=(*(base.session or ()), DENY_ALL)),
        replace(base, scps=(*base.scps, (DENY_ALL,))),
    ):
        assert evaluate(request, changed).decision is Decision.EXPLICIT_DENY


@given(requests, policies, documents())
def test_adding_a_deny_never_allows_more(request: Request, base: Policies, more: PolicyDocument) -> None:
    denies = replace(more, statements=tuple(replace(s, effect="Deny") for s in more.statements))
    before = evaluate(request, base)
    after = evaluate(request, replace(base, identity=(*base.identity, denies)))
    assert before.allowed or not after.allowed
    assert before.decision is not Decision.EXPLICIT_DENY or after.decision is Decision.EXPLICIT_DENY


@given(requests, policies, documents())
def test_adding_an_identity_allow_never_allows_less(request: Request, base: Policies, more: PolicyDocument) -> None:
    allows = replace(more, statements=tuple(replace(s, effect="Allow") for s in more.statements))
    assert (
        not evaluate(request, base).allowed
        or evaluate(request, replace(base, identity=(*base.identity, allows))).allowed
    )


@given(requests, policies, documents())
def test_a_boundary_never_allows_more(request: Request, base: Policies, boundary: PolicyDocument) -> None:
    unbounded = replace(base, boundary=None)
    assert evaluate(request, unbounded).allowed or not evaluate(request, replace(base, boundary=boundary)).allowed


@given(requests, policies, st.text(min_size=1))
def test_a_key_nobody_mentions_changes_nothing(request: Request, base: Policies, value: str) -> None:
    more = replace(request, context={**request.context, "unrelated:Key": value})
    assert evaluate(more, base) == evaluate(request, base)


@given(requests, policies)
def test_the_decision_agrees_with_its_statements(request: Request, base: Policies) -> None:
    result = evaluate(request, base)
    effects = {match.statement.effect for match in result.deciding}
    assert effects <= ({"Deny"} if result.decision is Decision.EXPLICIT_DENY else {"Allow"})
    assert result.reasons
    assert not result.allowed or result.deciding


def reference(pattern: str, text: str) -> bool:
    """A glob by the book: which prefixes of the text can the pattern's prefix have eaten?"""
    reached = {0}
    for character in pattern:
        if character == "*":
            reached = {end for start in reached for end in range(start, len(text) + 1)}
        else:
            reached = {i + 1 for i in reached if i < len(text) and character in ("?", text[i])}
    return len(text) in reached


letters = st.text(alphabet="ab*?.:/[\n", max_size=8)


@given(letters, letters)
@example("a*b?", "a*b?")
@example("*\n", "a\n")
def test_wildcards_equal_a_reference(pattern: str, text: str) -> None:
    expanded = expand(pattern, Context({}), variables=True)
    assert expanded is not None
    assert like(expanded, text) is reference(pattern, text)
    # In the resource part of an ARN nothing is a border
    in_arn = expand(f"arn:aws:s3:::{pattern}", Context({}), variables=True)
    assert in_arn is not None
    assert resource_matches(in_arn, f"arn:aws:s3:::{text}") is reference(pattern, text)


@given(letters, letters)
def test_wildcards_equal_a_regular_expression(pattern: str, text: str) -> None:
    expanded = expand(pattern, Context({}), variables=True)
    assert expanded is not None
    source = "".join({"*": "[\\s\\S]*", "?": "[\\s\\S]"}.get(c, re.escape(c)) for c in pattern)
    assert like(expanded, text) is (re.fullmatch(source, text) is not None)


@given(st.text(alphabet="ab*?${}:", max_size=8))
def test_a_variable_s_value_is_taken_literally(value: str) -> None:
    context = Context({"aws:PrincipalTag/x": value})
    expanded = expand("${aws:PrincipalTag/x}", context, variables=True)
    assert expanded is not None
    assert like(expanded, value)
    assert not like(expanded, value + "z")
    assert not like(expanded, "z" * len(value)) or not value
