"""Documents: within IAM's size, whole, and each for the principal that makes the requests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.environment import Environment, load_text
from toolkit.iam import PolicyDocument
from toolkit.iam.hand_over import PlanStore, get_only, put_only, sign_only, verify_only
from toolkit.iam.matching import Context, expand, resource_matches
from toolkit.permissions.documents import _packed, policies
from toolkit.permissions.model import LARGEST, Document, Holder, Purpose, Statement, content, size
from toolkit.permissions.names import _plain

from .recordings import ROOT

BARE: dict[str, Any] = {
    "account_id": "123456789012",
    "regions": {"home": "eu-central-1"},
    "components": {"password_policy": {}},
}
ROLE = "arn:aws:iam::123456789012:role/deployer"
STATE_ROLE = "arn:aws:iam::999999999999:role/state"
S3 = {"type": "s3", "bucket": "state-bucket", "region": "eu-central-1"}


def environment(**more: Any) -> Environment:
    return load_text(yaml.safe_dump({**BARE, **more}), name="prod", shown_as="prod.yaml")


def shipped(name: str) -> Environment:
    text = (ROOT / "environments" / name / "environment.yaml").read_text("utf-8")
    return load_text(text, name=name, shown_as=name)


def allowed(found: tuple[Document, ...], holder: Holder) -> dict[str, set[str]]:
    """Action → resources, of one principal."""
    actions: dict[str, set[str]] = {}
    for statement in (s for document in found if document.holder is holder for s in document.statements):
        for action in statement.actions:
            actions.setdefault(action, set()).update(statement.resources)
    return actions


@pytest.mark.parametrize("name", ["complete", "production", "sandbox", "small"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_each_is_a_policy_that_iam_accepts(name: str, purpose: Purpose):
    found = policies(shipped(name), purpose)
    names = [document.name for document in found]
    assert len(set(names)) == len(names)
    for document in found:
        PolicyDocument.parse(document.text, name=document.name)
        assert document.size == len(re.sub(r"\s", "", document.text))
        assert document.size <= LARGEST
        assert re.fullmatch(r"[\w+=,.@-]{1,128}", document.name)
        sids = [statement.sid for statement in document.statements]
        assert len(set(sids)) == len(sids)
        assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert len([document for document in found if document.holder is Holder.WORKER]) <= 10


def test_they_are_numbered_where_there_are_several():
    found = policies(shipped("small"), "apply", largest=3000)
    assert [document.name for document in found] == [f"small-apply-{n}" for n in range(1, len(found) + 1)]
    assert [document.name for document in policies(shipped("small"), "plan", largest=100_000)] == ["small-plan"]


STATEMENTS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=4).map(
    lambda pairs: [
        Statement(
            f"S{number}x",
            tuple(f"service{number}:DescribeSomething{one}" for one in range(actions)),
            tuple(f"arn:aws:service{number}:::something-{one}" for one in range(arns)),
        )
        for number, (actions, arns) in enumerate(pairs)
    ]
)


@settings(max_examples=25, deadline=None)
@given(STATEMENTS, st.integers(min_value=600, max_value=3000))
def test_splitting_loses_and_adds_nothing(statements: list[Statement], largest: int):
    parts = list(_packed(statements, largest))
    assert all(size(part) <= largest for part in parts)
    pairs = lambda several: {(a, r) for s in several for a in s.actions for r in s.resources}  # noqa: E731
    assert pairs(s for part in parts for s in part) == pairs(statements)
    sids = [s.sid for part in parts for s in part]
    assert len(set(sids)) == len(sids)


@settings(deadline=None)
@given(st.text(alphabet="ab*?${}/-", min_size=1, max_size=12), st.text(alphabet="ab*?${}/-", min_size=1, max_size=12))
def test_a_name_matches_itself_alone(name: str, other: str):
    pattern = expand(f"arn:aws:iam::123456789012:role/{_plain(name)}", Context({}), variables=True)
    assert pattern is not None
    assert resource_matches(pattern, f"arn:aws:iam::123456789012:role/{name}")
    assert resource_matches(pattern, f"arn:aws:iam::123456789012:role/{other}") == (name == other)


def test_a_plan_locks_the_state_and_an_apply_writes_it():
    one = environment(backend=S3)
    key = "arn:aws:s3:::state-bucket/prod/baseline.tfstate"
    plan, apply = (allowed(policies(one, purpose), Holder.WORKER) for purpose in ("plan", "apply"))
    assert plan["s3:PutObject"] == {f"{key}.tflock"}
    assert plan["s3:DeleteObject"] == {f"{key}.tflock"}
    assert plan["s3:GetObject"] == {key, f"{key}.tflock"}
    assert apply["s3:PutObject"] == {key, f"{key}.tflock"}
    assert apply["s3:DeleteObject"] == {f"{key}.tflock"}
    assert "s3:PutObject" not in allowed(policies(one, "discover"), Holder.WORKER)


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("1234abcd", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"),
        ("arn:aws:kms:eu-central-1:999999999999:key/1", "arn:aws:kms:eu-central-1:999999999999:key/1"),
    ],
)
def test_the_state_s_key_is_used_through_s3_alone(key: str, resource: str):
    (found,) = policies(environment(backend={**S3, "kms_key_id": key}), "plan", largest=100_000)
    (statement,) = [s for s in found.statements if s.sid == "StateKey"]
    assert statement.actions == ("kms:Decrypt", "kms:GenerateDataKey")
    assert statement.resources == (resource,)
    assert statement.conditions == {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}


def test_one_principal_has_everything_where_no_role_is_assumed():
    found = policies(environment(backend=S3), "apply")
    assert {document.holder for document in found} == {Holder.WORKER}
    assert {document.principal for document in found} == {"the principal that runs the toolkit"}


def test_each_role_has_its_own_and_the_caller_may_assume_them():
    backend = {**S3, "account_id": "999999999999", "role_arn": STATE_ROLE}
    one = environment(backend=backend, credentials={"assume_role": {"role_arn": ROLE}})
    found = policies(one, "apply")
    by = {document.holder: document for document in found}
    assert (by[Holder.WORKER].principal, by[Holder.WORKER].account_id) == (ROLE, "123456789012")
    assert (by[Holder.STATE].principal, by[Holder.STATE].account_id) == (STATE_ROLE, "999999999999")
    assert allowed(found, Holder.CALLER) == {"sts:AssumeRole": {ROLE, STATE_ROLE}}
    assert "s3:PutObject" not in allowed(found, Holder.WORKER)


def test_the_state_is_read_with_the_credentials_that_the_backend_has():
    """Terraform's backend does not assume the provider's role."""
    one = environment(backend=S3, credentials={"assume_role": {"role_arn": ROLE}})
    assert "s3:PutObject" in allowed(policies(one, "apply"), Holder.CALLER)
    other = environment(backend={**S3, "profile": "state"}, credentials={"profile": "prod"})
    found = policies(other, "plan")
    assert {d.principal for d in found if d.holder is Holder.STATE} == {"the AWS profile state"}
    assert "s3:GetObject" not in allowed(found, Holder.WORKER)


def test_a_local_state_needs_nothing():
    found = policies(environment(backend={"type": "local"}), "apply")
    assert [a for a in allowed(found, Holder.WORKER) if "Object" in a and a.startswith("s3:")] == [
        a for a in allowed(found, Holder.WORKER) if a == "s3:GetBucketObjectLockConfiguration"
    ]


def test_other_partitions_have_their_own_arns():
    found = policies(
        load_text(
            yaml.safe_dump({**BARE, "regions": {"home": "us-gov-west-1"}, "components": {"iam_groups": {}}}),
            name="gov",
            shown_as="gov",
        ),
        "apply",
    )
    resources = {r for d in found for s in d.statements for r in s.resources} - {"*"}
    assert resources
    assert all(r.startswith("arn:aws-us-gov:") for r in resources)


def test_content_is_what_is_printed():
    (document,) = policies(environment(backend={"type": "local"}), "discover")
    assert json.loads(document.text) == document.content == content(document.statements)


KMS = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_the_hand_over_of_plans_is_in_them():
    """Exactly what tests/unit/iam/test_hand_over.py evaluates; first of an apply's."""
    bundle = {"store": "s3://example-plans/ci/", "bucket_kms_key": KMS, "bucket_owner": "999999999999"}
    one = environment(backend=S3, bundle={**bundle, "require_signature": "alias/plans"})
    store = PlanStore("example-plans", "999999999999", "ci/", KMS)
    key = "arn:aws:kms:eu-central-1:123456789012:alias/plans"

    def held(purpose: str, **more: Any) -> dict[str, Any]:
        found = {s.sid: s.data for d in policies(one, purpose, **more) for s in d.statements}
        return {sid: data for sid, data in found.items() if sid.endswith("Plans")}

    def wanted(*statements: Any) -> dict[str, Any]:
        return {s["Sid"]: s for s in statements}

    assert held("plan") == wanted(*put_only(store, "prod"), *sign_only(key))
    assert held("plan", signs=False) == wanted(*put_only(store, "prod"))
    assert held("apply") == wanted(*get_only(store, "prod"), *verify_only(key))
    assert {s.sid for s in policies(one, "apply")[0].statements} > {"GetPlans", "VerifyPlans"}
    assert held("discover") == {}
    one = environment(backend=S3, bundle={"bucket_kms_key": KMS, "require_signature": WORKFLOW})
    assert held("plan") == held("apply") == {}


WORKFLOW = "github:example/x/.github/workflows/baseline.yml@refs/heads/main"
PIPELINE = {"provider": "github", "repository": "example/x", "owner_id": "1", "repository_id": "2", "pipeline": {}}


def lifeline(components: dict[str, Any], backend: dict[str, Any]) -> tuple[str, Document]:
    """What the apply role of a pipeline has in its first policy, and that policy."""
    roles = {"iam_roles": {"deployers": {"ci": PIPELINE}}}
    one = environment(backend=backend, components={**components, **roles})
    first = policies(one, "apply")[0]
    return first.text, first


@pytest.mark.parametrize("backend", [S3, {**S3, "kms_key_id": "1234abcd"}, {"type": "local"}])
def test_what_keeps_a_pipeline_alive_stays_where_it_is(backend: dict[str, Any]):
    """Policies are changed in no order: what moves from one to another may be lost in between."""
    small = yaml.safe_load((ROOT / "environments" / "small" / "environment.yaml").read_text("utf-8"))["components"]
    text, first = lifeline({}, backend)
    found: dict[str, Any] = {}
    for name, block in {**small, "access_analyzer": {}, "macie": {}, "security_hub": {}}.items():
        found[name] = block
        assert lifeline(found, backend)[0] == text, name
    can = allowed((first,), Holder.WORKER)
    for action in ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion"):
        assert "arn:aws:iam::123456789012:policy/ci-apply-*" in can[action]
    for action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        assert "arn:aws:iam::123456789012:role/ci-apply" in can[action]
    state = "arn:aws:s3:::state-bucket/prod/baseline.tfstate"
    if backend["type"] == "s3":
        assert can["s3:PutObject"] == {state, f"{state}.tflock"}
    assert "*" not in {resource for resources in can.values() for resource in resources}


def test_what_a_pipeline_may_do_with_itself_is_in_one_place():
    one = environment(backend=S3, components={"cloudtrail": {}, "iam_roles": {"deployers": {"ci": PIPELINE}}})
    _, *others = policies(one, "apply")
    assert not [
        (s.sid, arn) for d in others for s in d.statements for arn in s.resources if re.search("(role|policy)/ci-", arn)
    ]
