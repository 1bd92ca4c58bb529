"""No secret of an answer reaches the facts: by AWS's models, by names, by form. And what is none of one stays."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.audit.registry import checks
from toolkit.aws.actions import _ACTIONS, _PREFIXES
from toolkit.evidence.stripping import FORMED, NAMED, SENSITIVE, clean_text, is_secret_name, strip
from toolkit.workflows.audit import audit_actions

MODELS = botocore.session.Session()
SERVICES = frozenset(MODELS.get_available_services())
SOUNDS_SECRET = re.compile(
    r"passw|passphrase|secret|(?<!next)(?<!continuation)token|private_?key|credential|user_?data|api_?key|auth_?key"
    r"|access_?key|seed|plaintext|variables|key_?material|connection_?string",
    re.IGNORECASE,
)
NO_SECRET = {
    "AccessKeyId": "an id",
    "apiKeySource": "where a key is read from: HEADER or AUTHORIZER",
    "ApiKeySelectionExpression": "the name of a header",
    "AuthSecretArn": "where a secret is kept",
    "ClientToken": "makes a request happen once; of the past",
    "CreationToken": "makes a request happen once; of the past",
    "CurrentKeyMaterialId": "an id",
    "CredentialUid": "the id of an access key",
    "HttpTokens": "required or optional",
    "HttpTokensEnforced": "a word",
    "HttpPutResponseHopLimit": "a number",
    "ExternalSecretRotationRoleArn": "a role",
    "SecretArn": "where a secret is kept",
    "SecretManagerArn": "where a secret is kept",
    "SecretStatus": "a word",
    "TdeCredentialArn": "where a credential is kept",
}
"""Members of answers that sound like a secret → why they are none."""


def operations() -> Iterator[tuple[str, Any]]:
    """Every operation that an audit may call, with its service."""
    names: dict[str, list[str]] = {}
    for service in SERVICES:
        names.setdefault(_PREFIXES.get(service, service), []).append(service)
    for action in audit_actions(checks().values()):
        prefix, _, called = action.partition(":")
        found = False
        for service in names.get(prefix, []):
            model = MODELS.get_service_model(service)
            methods = {xform_name(name): name for name in model.operation_names}
            own = [methods[m] for (s, m), a in _ACTIONS.items() if s == service and a == called and m in methods]
            for name in dict.fromkeys([*own, *([called] if called in model.operation_names else [])]):
                found = True
                yield service, model.operation_model(name)
        assert found, f"no operation of {action} is known"


def members(
    shape: Any, path: tuple[str, ...] = (), inside: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every member of a shape, with its path."""
    if shape is None or shape.name in inside:
        return
    inside = (*inside, shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*path, name), member
            yield from members(member, (*path, name), inside)
    elif shape.type_name == "list":
        yield from members(shape.member, path, inside)
    elif shape.type_name == "map":
        yield from members(shape.value, path, inside)


SECRET = "hunter2hunter2"  # a password that everybody knows


def filled(shape: Any, inside: tuple[str, ...] = ()) -> Any:
    """An answer of a shape that says SECRET wherever it can say anything."""
    if shape.name in inside:
        return None
    inside = (*inside, shape.name)
    match shape.type_name:
        case "structure":
            return {name: filled(member, inside) for name, member in shape.members.items()}
        case "list":
            return [filled(shape.member, inside)]
        case "map":
            return {"key": filled(shape.value, inside)}
        case "string":
            return SECRET
        case "blob":
            return SECRET.encode()
        case "timestamp":
            return datetime(2026, 1, 1, tzinfo=UTC)
        case "boolean":
            return True
        case _:
            return 1


def said(data: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What an answer has at a path."""
    if isinstance(data, list):
        for one in data:
            yield from said(one, path)
    elif not path:
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == path[0]:
                yield from said(value, path[1:])
            elif key == "key":  # of a map
                yield from said(value, path)


def test_what_aws_marks_as_sensitive_or_sounds_secret_is_left_out_of_every_operation_of_every_check():
    count, undecided = 0, set()
    for service, operation in operations():
        count += 1
        shape = operation.output_shape
        if shape is None:
            continue
        found = strip(filled(shape), shape)
        for path, member in members(shape):
            sensitive = bool(member.metadata.get("sensitive"))
            sounds = bool(SOUNDS_SECRET.search(path[-1])) and member.type_name in ("string", "blob")
            if not (sensitive or (sounds and path[-1] not in NO_SECRET)):
                continue
            if any(SECRET in json.dumps(one) for one in said(found.data, path)):
                undecided.add(f"{service}:{operation.name} {'.'.join(path)}")
    assert count > 90
    assert undecided == set(), "decide about them"


def test_values_that_the_model_marks_are_named_and_the_rest_stays():
    shape = MODELS.get_service_model("lambda").operation_model("ListFunctions").output_shape
    function = {
        "FunctionName": "one",
        "CodeSize": 5,
        "Environment": {"Variables": {"DB": "x", "MODE": "y"}},
        "LastModified": "2026-01-01",
    }
    found = strip({"Functions": [function, {"FunctionName": "two"}], "ResponseMetadata": {"RequestId": "r"}}, shape)
    assert found.data == {"Functions": [{**function, "Environment": {"Variables": SENSITIVE}}, {"FunctionName": "two"}]}
    assert (list(found.paths), found.count) == (["Functions[].Environment.Variables"], 1)


def test_nothing_of_an_absent_value_is_said_to_be_left_out():
    shape = MODELS.get_service_model("lambda").operation_model("ListFunctions").output_shape
    answer = {"Functions": [{"Environment": {"Variables": {}}}]}
    assert (strip(answer, shape).data, strip(answer, shape).count) == (answer, 0)


@pytest.mark.parametrize("pair", [("Key", "Value"), ("key", "value"), ("Name", "Value"), ("name", "value")])
def test_a_tag_or_variable_that_is_named_like_a_secret_has_no_value(pair: tuple[str, str]):
    name, value = pair
    tags = [{name: "DB_PASSWORD", value: "x"}, {name: "stage", value: "prod"}, {name: "api-key-id", value: "AKIA"}]
    assert strip({"Tags": tags}).data["Tags"] == [{name: "DB_PASSWORD", value: NAMED}, *tags[1:]]


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DB_PASSWORD", True), ("dbPassword", True), ("db-passwd", True), ("clientSecret", True), ("API_KEY", True),
        ("apiKey", True), ("GITHUB_TOKEN", True), ("signing-key", True), ("AccessKey", True), ("Credentials", True),
        ("PASSWORD", True), ("PrivateKey", True),
        ("AccessKeyId", False), ("SecretArn", False), ("password_arn", False), ("HttpTokens", False),
        ("keyboard", False), ("secretary", False), ("", False), ("Owner", False), ("Key", False), ("KmsKey", False),
    ],
)  # fmt: skip
def test_names_that_say_that_their_value_is_a_secret(name: str, secret: bool):
    assert is_secret_name(name) is secret


PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIExample\n-----END RSA PRIVATE KEY-----"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
FORMS = {
    PEM: "MIIExample",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz": "b3BlbnNz",
    "postgres://admin:hunter2hunter2@db.example.com/x": "hunter2hunter2",
    "https://x.s3.amazonaws.com/k?X-Amz-Credential=A&X-Amz-Signature=abcdef0123456789&X-Amz-Date=1": "abcdef012345",
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX": "XXXXXXXXXXXXXXXXXXXXXXXX",
    "https://events.pagerduty.com/integration/0123456789abcdef0123456789abcdef/enqueue": "0123456789abcdef",
    "https://example.com/hook?token=0123456789abcdef": "0123456789abcdef",
    f"{ACCESS_KEY}:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "wJalrXUtnFEMI",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "wJalrXUtnFEMI",
    "export DB_PASSWORD=hunter2hunter2": "hunter2hunter2",
    "db-password: hunter2hunter2": "hunter2hunter2",
    '{"apiKey": "hunter2hunter2"}': "hunter2hunter2",
    "{'client_secret': 'hunter2hunter2'}": "hunter2hunter2",
    '{"input": "{\\"password\\": \\"hunter2hunter2\\"}"}': "hunter2hunter2",
    '{"password": "correct (horse) battery, staple"}': "battery",
    "password=p(hunter2)hunter2": "hunter2",
    "Authorization: Bearer 0123456789abcdef": "0123456789abcdef",
    "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE": "EXAMPLEEXAMPLE",
    "ghp_0123456789abcdefghijklmnopqrstuvwxyz": "ghp_0123",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl": "eyJzdWIi",
}
"""Text → the part of it that must not be in what is left."""


@pytest.mark.parametrize("text", FORMS)
@settings(max_examples=25, deadline=None)
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_text_of_the_form_of_a_secret_is_left_out_wherever_it_is(text: str, before: str, after: str):
    whole = f"{before}\n{text}\n{after}"
    found = strip({"Description": whole, "Deep": [{"a": {"b": whole}}], "Blob": whole.encode("utf-8", "replace")})
    assert FORMS[text] not in json.dumps(found.data, ensure_ascii=False)
    assert FORMED in json.dumps(found.data)
    assert "Description" in found.paths


@pytest.mark.parametrize(
    "part",
    [
        "http://:",
        "http://",
        ":",
        "eyJa.",
        "-----BEGIN ",
        "password",
        "token: ",
        "key=",
        '"monkeys":["',
        'token="',
        'token\\":\\"',
        'token":["',
        "token=\\",
        '"',
        "=",
        "a",
    ],
)
def test_a_text_of_others_takes_time_in_proportion_to_its_length(part: str):
    def seconds(length: int) -> float:
        text, begun = (part * length)[:length], time.process_time()
        for _ in range(3):
            clean_text(text)
        return time.process_time() - begun

    assert seconds(80_000) < 30 * max(seconds(10_000), 0.002)  # 8 times the length; 64 were its square


@pytest.mark.parametrize(
    "text",
    [
        ACCESS_KEY,
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf",
        '{"Action":["secretsmanager:GetSecretValue","iam:CreateAccessKey","sts:GetSessionToken"],"Effect":"Allow"}',
        '{"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"},'
        '"StringEquals":{"ec2:MetadataHttpTokens":"required","sts:ExternalId":"example"}}}',
        "{ ($.eventName = ConsoleLogin) && ($.additionalEventData.MFAUsed != \"Yes\") }",
        '{$.eventSource = "secretsmanager.amazonaws.com" && $.eventName = "DeleteSecret"}',
        "https://sqs.eu-central-1.amazonaws.com/111122223333/queue",
        "https://token.actions.githubusercontent.com",
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "token.actions.githubusercontent.com:sub",
        "MinimumPasswordLength: 14",
        '{"Password": {"Length": 14}, "token": ["a", "b"], "SecretArn": "arn:aws:secretsmanager:example"}',
    ],
)  # fmt: skip
def test_what_only_speaks_of_secrets_stays(text: str):
    assert clean_text(text) == text


def test_policies_stay_as_they_are():
    """A statement that is not the account's is no evidence."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["secretsmanager:GetSecretValue", "iam:UpdateAccessKey"],
                "Resource": "arn:aws:secretsmanager:*:*:secret:*",
                "Condition": {
                    "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
                    "StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"},
                    "DateGreaterThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"},
                },
            }
        ],
    }
    found = strip({"Policy": policy, "Text": json.dumps(policy), "Spaced": json.dumps(policy, indent=2)})
    assert found.data == {"Policy": policy, "Text": json.dumps(policy), "Spaced": json.dumps(policy, indent=2)}
    assert found.count == 0


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(answer=st.dictionaries(st.text(), ANYTHING))
def test_whatever_an_answer_holds_becomes_json_and_the_same_each_time(answer: dict[str, Any]):
    assert json.dumps(strip(answer).data) == json.dumps(strip(answer).data)


@pytest.mark.parametrize("name", [
    "dbpassword", "DBPASSWORD", "PGPASSWORD", "masterpassword", "DBPassword", "userpasswd", "clientsecret", "secretkey",
    "accesskey", "ACCESSKEY", "apikey", "privatekey", "authtoken", "sessiontoken", "DB_PASS", "db.pass", "dbPass",
    "creds",
    "DB_CREDS", "db-cred", "ACCOUNT_KEY", "SharedKey", "passcode", "root_pw",
])  # fmt: skip
def test_names_written_together_say_so_too(name: str):
    assert is_secret_name(name)
    tag = {"Key": name, "Value": SECRET}
    assert strip({"Tags": [tag], "Map": {name: SECRET}}).data == {
        "Tags": [{"Key": name, "Value": NAMED}], "Map": {name: NAMED},
    }  # fmt: skip
    for text in (f"{name}={SECRET}", f"{name}: {SECRET}", f'{{"{name}":"{SECRET}"}}'):
        assert SECRET not in clean_text(text), text


@pytest.mark.parametrize("name", [
    "accesskeyid", "accesskeyids", "secretarn", "secretid", "apikeyid", "secretsmanager", "bypass_warning", "bypass",
    "passwordless", "PassRole", "pass-through", "compass", "credit", "accredited", "keypair", "publickey", "sort_key",
    "authentication", "secretariat", "tokenizer", "HttpTokens", "KmsMasterKeyId",
])  # fmt: skip
def test_names_that_only_contain_such_letters_do_not(name: str):
    assert not is_secret_name(name)


QUOTES = ('"', "'", '\\"', "\\'", '\\\\\\"')


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("inner", ["hun'ter", 'hun\\"ter', "a b c d", "x;y,z&w", "hun\\\\\\\\ter", "}]){[("])
def test_a_quoted_value_ends_with_the_quote_that_began_it(quote: str, inner: str):
    if quote[-1] in inner and "\\" not in inner:
        pytest.skip("that ends it")
    if quote != '"' and '"' in inner:
        pytest.skip("another level's")
    text = f"{{{quote}password{quote}: {quote}{inner}-REST{quote}, {quote}user{quote}: {quote}ann{quote}}}"
    left = clean_text(text)
    assert "REST" not in left, left
    assert f"{quote}user{quote}: {quote}ann{quote}" in left, left


@settings(max_examples=200, deadline=None)
@given(password=st.text(min_size=4, max_size=20), depth=st.integers(0, 2))
def test_no_password_in_json_stays_however_deep_the_text_is_in_texts(password: str, depth: int):
    text: Any = {"db_password": f"{password}-REST", "user": "ann"}
    for _ in range(depth + 1):
        text = json.dumps(text if isinstance(text, (dict, str)) else None)
    assert "-REST" not in clean_text(text)


@pytest.mark.parametrize("text", [
    "password: 12345678", '{"password":12345678}', '{"a":{"pin_password":12345678}}', "token=12345678",
    '{"secrets":["12345678","x"], "password": ["12345678"]}',
    '{\\"password\\": [\\n\\"12345678\\"]}', "password=abc'def'12345678", 'password=abc"d12345678',
    "DB_PASSWORD=$a12345678",
    '{"tokenizer": "password=12345678", "monkeys": ["a", "password=12345678"]}', "key=key=password=12345678",
    "SecretKey=arn:12345678", 'secret="(stripped:x 12345678"', "password=a\\b12345678",
])  # fmt: skip
def test_values_of_every_kind_are_left_out(text: str):
    assert "12345678" not in clean_text(text)
    assert clean_text(clean_text(text)) == clean_text(text)


@pytest.mark.parametrize("text", [
    "MinimumPasswordLength: 1400", '{"AccessKeyAge":1234}', '{"TokenValiditySeconds": 3600}', "password=$DB_PASSWORD",
    "password=${var.password}", "DB_SECRET=arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf",
    '{"secrets":["arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf"]}', '{"token":true}',
    '{"password":"{{resolve:secretsmanager:prod/db}}"}',
])  # fmt: skip
def test_measures_and_references_stay(text: str):
    assert clean_text(text) == text


def test_a_number_is_left_out_where_its_name_says_that_it_is_the_secret():
    counts = {"AccountAccessKeysPresent": 1, "MinimumPasswordLength": 1400, "TokenValiditySeconds": 3600, "token": 12}
    assert strip({"x": {**counts, "password": 12345678, "enabled_password": True}}).data["x"] == {
        **counts, "password": NAMED, "enabled_password": True,
    }  # fmt: skip


@pytest.mark.parametrize("operation", ["GetSubscriptionAttributes", "ListSubscriptions"])
@pytest.mark.parametrize(
    ("endpoint", "left"),
    [
        ("https://hooks.example.com/in/9f8e7d6c", f"https://hooks.example.com/{FORMED}"),
        ("http://example.com:8080?apikey=9f8e7d6c", f"http://example.com:8080/{FORMED}"),
        ("https://ann:pw@example.com/9f8e7d6c#x", f"https://example.com/{FORMED}"),
        ("HTTPS://example.com//9f8e7d6c\n9f8e7d6c", f"HTTPS://example.com/{FORMED}"),
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com/"),
        ("security@example.com", "security@example.com"),
        ("arn:aws:sqs:eu-central-1:111122223333:alarms", "arn:aws:sqs:eu-central-1:111122223333:alarms"),
    ],
)
def test_of_a_subscription_s_url_the_host_stays(operation: str, endpoint: str, left: str):
    shape = MODELS.get_service_model("sns").operation_model(operation).output_shape
    found = strip({"Attributes": {"Endpoint": endpoint}, "Subscriptions": [{"Endpoint": endpoint}]}, shape)
    assert found.data == {"Attributes": {"Endpoint": left}, "Subscriptions": [{"Endpoint": left}]}
    assert found.count == (0 if endpoint == left else 2)
