"""Reading documents: AWS's own are accepted, bad ones refused with a place and a cure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.iam import PolicyDocument, PolicyError, PolicyKind, Principals

GOOD: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def document(**changes: Any) -> dict[str, Any]:
    """A good document with one statement, changed; None takes an element away."""
    statement = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_string_a_list_and_a_single_statement_read_the_same() -> None:
    listed = PolicyDocument.parse(document(Action=["s3:GetObject"], Resource=["*"]))
    single = PolicyDocument.parse({"Version": "2012-10-17", "Statement": GOOD})
    assert listed == single == PolicyDocument.parse(json.dumps({"Version": "2012-10-17", "Statement": GOOD}))


def test_version_defaults_to_2008_and_has_no_variables() -> None:
    assert not PolicyDocument.parse({"Statement": GOOD}).variables
    assert PolicyDocument.parse(document()).variables


def test_principals() -> None:
    text = {"AWS": ["*", "123456789012"], "Service": "cloudtrail.amazonaws.com"}
    parsed = PolicyDocument.parse(document(Principal=text), kind=PolicyKind.RESOURCE).statements[0].principals
    assert parsed == Principals(everyone=True, aws=("123456789012",), service=("cloudtrail.amazonaws.com",))


def test_every_aws_managed_policy_can_be_read() -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    documents = json.loads(aws_managed_policies_data)
    assert len(documents) > 1000
    for name, entry in documents.items():
        assert PolicyDocument.parse(entry["Document"], name=name).statements


def test_without_drops_one_statement() -> None:
    text = {"Statement": [GOOD | {"Sid": "A"}, GOOD | {"Sid": "B"}]}
    assert [s.sid for s in PolicyDocument.parse(text).without("A").statements] == ["B"]
    with pytest.raises(KeyError):
        PolicyDocument.parse(text).without("C")


IDENTITY, RESOURCE, TRUST = PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST
BAD: list[tuple[PolicyKind, Any, str]] = [
    (IDENTITY, "", "policy: not JSON: Expecting value at line 1, column 1"),
    (IDENTITY, "{", "policy: not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    (IDENTITY, "[" * 100_000, "policy: is nested too deeply to be a policy"),
    (IDENTITY, '{"Statement": NaN}', "policy: NaN is not a JSON value"),
    (IDENTITY, "[]", "policy: [] is not an object"),
    (IDENTITY, '{"Statement": [], "Statement": []}', "policy: 'Statement' is repeated in one object"),
    (IDENTITY, {}, "policy: no Statement"),
    (IDENTITY, {"Statement": []}, "policy: Statement: is empty"),
    (IDENTITY, {"Statement": ["x"]}, "policy: Statement[0]: 'x' is not an object"),
    (
        IDENTITY,
        {"Version": "2012-10-18", "Statement": GOOD},
        "policy: Version: '2012-10-18' is not a policy language version",
    ),
    (IDENTITY, {"Version": 2012, "Statement": GOOD}, "policy: Version: 2012 is not a policy language version"),
    (IDENTITY, {"Id": "x", "Statement": GOOD}, "policy: Id: an identity-based policy has no Id"),
    (RESOURCE, {"Id": 1, "Statement": GOOD | {"Principal": "*"}}, "policy: Id: 1 is not text"),
    (IDENTITY, {"Statements": GOOD}, "policy: unknown element 'Statements'"),
    (IDENTITY, document(Actions="*"), "policy: Statement[0]: unknown element 'Actions'"),
    (IDENTITY, document(effect="Allow"), "policy: Statement[0]: unknown element 'effect'"),
    (IDENTITY, document(Effect=None), "policy: Statement[0].Effect: no Effect"),
    (IDENTITY, document(Effect="allow"), "policy: Statement[0].Effect: 'allow' is not an effect"),
    (IDENTITY, document(Action=None), "policy: Statement[0]: neither Action nor NotAction"),
    (IDENTITY, document(NotAction="*"), "policy: Statement[0]: both Action and NotAction"),
    (IDENTITY, document(Resource=None), "policy: Statement[0]: neither Resource nor NotResource"),
    (IDENTITY, document(NotResource="*"), "policy: Statement[0]: both Resource and NotResource"),
    (IDENTITY, document(Action=[]), "policy: Statement[0].Action: is empty"),
    (IDENTITY, document(Action="GetObject"), "policy: Statement[0].Action: 'GetObject' is not an action"),
    (IDENTITY, document(Action="s3: GetObject"), "policy: Statement[0].Action: 's3: GetObject' is not an action"),
    (IDENTITY, document(Action=["s3:*", 3]), "policy: Statement[0].Action: 3 is not text"),
    (IDENTITY, document(Resource="bucket"), "policy: Statement[0].Resource: 'bucket' is not a resource"),
    (IDENTITY, document(Resource=True), "policy: Statement[0].Resource: True is not text"),
    (IDENTITY, document(Sid="a-b"), "policy: Statement[0].Sid: 'a-b' has other characters than A-Z, a-z and 0-9"),
    (IDENTITY, document(Sid=1), "policy: Statement[0].Sid: 1 is not text"),
    (
        IDENTITY,
        {"Statement": [GOOD | {"Sid": "A"}, GOOD | {"Sid": "A"}]},
        "policy: Statement[1].Sid: 'A' is used twice",
    ),
    (IDENTITY, document(Principal="*"), "policy: Statement[0].Principal: an identity-based policy has no Principal"),
    (PolicyKind.SCP, document(Principal="*"), "policy: Statement[0].Principal: a service control policy has no"),
    (RESOURCE, document(), "policy: Statement[0]: neither Principal nor NotPrincipal"),
    (RESOURCE, document(Principal="*", NotPrincipal="*"), "policy: Statement[0]: both Principal and NotPrincipal"),
    (RESOURCE, document(Principal="jane"), "policy: Statement[0].Principal: 'jane' is not a principal"),
    (RESOURCE, document(Principal={}), "policy: Statement[0].Principal: is empty"),
    (RESOURCE, document(Principal={"aws": "*"}), "policy: Statement[0].Principal: unknown element 'aws'"),
    (
        RESOURCE,
        document(Principal={"AWS": "arn:aws:iam::123456789012:user/*"}),
        "policy: Statement[0].Principal.AWS: 'arn:aws:iam::123456789012:user/*' is not a principal",
    ),
    (RESOURCE, document(Principal={"AWS": "12345"}), "policy: Statement[0].Principal.AWS: '12345' is not a principal"),
    (TRUST, document(Principal="*"), "policy: Statement[0].Resource: a role trust policy has no resource"),
    (
        TRUST,
        document(NotPrincipal="*", Resource=None),
        "policy: Statement[0].NotPrincipal: a role trust policy has no NotPrincipal",
    ),
    (
        PolicyKind.RCP,
        document(Principal={"AWS": "123456789012"}),
        "policy: Statement[0].Principal: a resource control policy addresses everyone",
    ),
    (IDENTITY, document(Condition=[]), "policy: Statement[0].Condition: [] is not an object"),
    (
        IDENTITY,
        document(Condition={"StringEqual": {"aws:username": "a"}}),
        "policy: Statement[0].Condition.StringEqual.aws:username: 'StringEqual' is not a condition operator",
    ),
    (IDENTITY, document(Condition={"NullIfExists": {"a:b": "true"}}), "'NullIfExists' is not a condition operator"),
    (
        IDENTITY,
        document(Condition={"ForAnyValue:Null": {"a:b": "true"}}),
        "'ForAnyValue:Null' is not a condition operator",
    ),
    (IDENTITY, document(Condition={"ForSome:Bool": {"a:b": "true"}}), "'ForSome:Bool' is not a condition operator"),
    (IDENTITY, document(Condition={"Bool": "x"}), "policy: Statement[0].Condition.Bool: 'x' is not an object"),
    (IDENTITY, document(Condition={"StringEquals": {"username": "a"}}), "'username' is not a condition key"),
    (IDENTITY, document(Condition={"StringEquals": {"aws:username": []}}), "aws:username: is empty"),
    (IDENTITY, document(Condition={"StringEquals": {"aws:username": None}}), "aws:username: None is not text"),
    (IDENTITY, document(Condition={"StringEquals": {"aws:username": {}}}), "aws:username: {} is not text"),
]


@pytest.mark.parametrize(("kind", "source", "message"), BAD)
def test_bad_documents(kind: PolicyKind, source: Any, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        PolicyDocument.parse(source, kind=kind)
    assert message in str(raised.value)


def test_the_nearest_spelling_is_offered() -> None:
    with pytest.raises(PolicyError) as raised:
        PolicyDocument.parse(document(Condition={"StringEqual": {"aws:username": "a"}}))
    assert raised.value.hint == "Did you mean StringEquals?"
    with pytest.raises(PolicyError) as raised:
        PolicyDocument.parse(document(Actoin="*"))
    assert raised.value.hint == "Did you mean Action?"
