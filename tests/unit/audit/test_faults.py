"""Faults of AWS, call by call: each call that an audit makes is denied, throttled, expired or cut off in turn.

The answers of moto are recorded once; the inventory, its pages and the checks then run for real on each fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from toolkit.audit.facts import Fact
from toolkit.audit.model import Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.aws import inventory
from toolkit.aws.actions import action_of
from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.findings import Status
from toolkit.sandbox import patches
from toolkit.workflows.audit import audit
from toolkit.workflows.discover import Account
from toolkit.workflows.observer import Observer

from . import account_with_workloads
from .conftest import SCOPE

HOME, OTHER = "eu-central-1", "eu-west-1"
CODES = {"denied": "AccessDenied", "throttled": "ThrottlingException", "expired": "ExpiredTokenException"}
FAULTS = (*CODES, "truncated")
EVERY_ACTION = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def populate() -> None:
    """An account in which most reads find something."""
    iam = boto3.client("iam", HOME)
    iam.create_user(UserName="alice")
    iam.create_access_key(UserName="alice")
    iam.create_login_profile(UserName="alice", Password="example")
    own = iam.create_policy(PolicyName="everything", PolicyDocument=EVERY_ACTION)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=own)
    iam.create_group(GroupName="ops")
    iam.attach_group_policy(GroupName="ops", PolicyArn=own)
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    boto3.client("organizations", HOME).create_organization(FeatureSet="ALL")
    for region in (HOME, OTHER):
        boto3.client("guardduty", region).create_detector(Enable=True)
        boto3.client("securityhub", region).enable_security_hub()
        boto3.client("ec2", region).enable_ebs_encryption_by_default()
    account_with_workloads.populate()


@dataclass
class Recorded:
    """Every call and what came of it; while `fault` is set, the calls of one IAM action fail."""

    answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    actions: dict[tuple[str, str], str] = field(default_factory=dict)
    tokens: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    fault: tuple[str, str] | None = None
    replaying: bool = False

    def make(self, client: Any, operation: str, parameters: Mapping[str, Any], real: Any) -> Any:
        service = client.meta.service_model.service_name
        name = (service, operation)
        question = (service, operation, client.meta.region_name, repr(sorted(parameters.items())))
        if self.fault is not None and self.fault[0] == self.actions.get(name):
            return self._faulted(operation, self.fault[1], question, self.tokens[name])
        if self.replaying and question in self.answers:
            answer = self.answers[question]
            if isinstance(answer, ClientError):
                raise answer
            return answer
        method = next(m for m, o in client.meta.method_to_api_mapping.items() if o == operation)
        self.actions[name] = action_of(client, service, method)
        self.tokens[name] = _tokens(client, method, operation)
        try:
            self.answers[question] = real(client, operation, parameters)
        except ClientError as e:
            self.answers[question] = e
            raise
        except Exception as e:  # what moto lacks is an error that AWS does not document
            self.answers[question] = lacking = ClientError({"Error": {"Code": "NotImplemented"}}, operation)
            raise lacking from e
        return self.answers[question]

    def _faulted(self, operation: str, fault: str, question: tuple[Any, ...], tokens: Mapping[str, Any]) -> Any:
        if fault != "truncated":
            raise ClientError({"Error": {"Code": CODES[fault], "Message": "example"}}, operation)
        answer = self.answers.get(question)
        return {**(answer if isinstance(answer, dict) else {}), **tokens}


def _tokens(client: Any, method: str, operation: str) -> dict[str, Any]:
    """What an answer has that continues on a page which never comes; empty where its shape has no such thing."""
    output = client.meta.service_model.operation_model(operation).output_shape
    members = output.members if output is not None else {}
    names = {"NextToken", "nextToken", "NextMarker", "Marker", "PaginationToken"} & set(members)
    if client.can_paginate(method):
        found = client.get_paginator(method)._pagination_cfg["output_token"]
        names |= {one for one in ([found] if isinstance(found, str) else found) if one in members}
    if not names:
        return {}
    # KMS says it with `Truncated`, IAM and others with `IsTruncated`.
    goes_on = {"IsTruncated", "Truncated"} & set(members)
    return {**dict.fromkeys(names, "more"), **dict.fromkeys(goes_on, True)}


@cache
def _session() -> AwsSession:
    """One for both accounts: to make its clients takes seconds."""
    text = f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
    return AwsSession(load_text(text, name="prod", shown_as="x"), {})


def _account(tmp_path: Path) -> Account:
    environment = load_text(
        f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n', name="prod", shown_as="x"
    )
    caller = CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/audit")
    return Account(environment, _session(), caller, "prod", tmp_path, has_file=False)


@pytest.fixture(params=["empty", "populated"])
def recorded(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Account, Recorded, Audit]]:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")):
        monkeypatch.setenv(name, value)
    for patch in patches.PATCHES:
        original = getattr(patch.owner, patch.method, None)
        monkeypatch.setattr(patch.owner, patch.method, patch.correct(original), raising=False)  # type: ignore[arg-type]
    for route in patches.ROUTES:
        monkeypatch.setitem(route.paths, route.pattern, route.dispatch)
    found, account = Recorded(), _account(tmp_path)
    with mock_aws():
        if request.param == "populated":
            populate()
        real = BaseClient._make_api_call  # type: ignore[attr-defined]
        monkeypatch.setattr(
            BaseClient, "_make_api_call", lambda client, name, kwargs: found.make(client, name, kwargs, real)
        )
        base = run(account)
        found.replaying = True
        # Recorded answers wait for nothing, and thousands of threads take longer than what they do.
        monkeypatch.setattr(inventory, "side_by_side", lambda ask, about, *_: [ask(one) for one in about])
        yield account, found, base


def run(account: Account, wanted: Iterable[str] | None = None) -> Audit:
    every = checks()
    return audit(
        account, tuple(every[one] for one in (every if wanted is None else wanted)), (HOME, OTHER), (), Observer()
    )


def _rests_on(result: Result, action: str) -> bool:
    return any(call.action == action for call in result.calls)


def test_no_fault_of_a_call_is_a_pass_or_an_absence(
    recorded: tuple[Account, Recorded, Audit], capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
):
    account, calls, base = recorded
    before = {(one.check.id, one.region): one for one in base.results}
    # The replay is the account, or what follows proves nothing.
    assert {(one.check.id, one.region): one.status for one in run(account).results} == {
        key: one.status for key, one in before.items()
    }
    declared = {
        check.id: {a for f in check.needs(SCOPE) if isinstance(f, Fact) for a in f.actions}
        for check in checks().values()
    }
    wrong, became = [], Counter[str]()
    # API Gateway has one action for all reads, load balancers of two generations share theirs.
    for action in sorted(set(calls.actions.values())):
        resting = {check for check, actions in declared.items() if action in actions}
        resting |= {check for (check, _), one in before.items() if _rests_on(one, action)}
        for fault in FAULTS:
            if fault == "truncated" and not any(
                calls.tokens[name] for name, of in calls.actions.items() if of == action
            ):
                became["cannot be cut off"] += 1
                continue
            calls.fault = (action, fault)
            # What rests on a call is asked each time, all others once: that they do not is what the first fault shows.
            after = run(account, None if fault == FAULTS[0] else resting)
            calls.fault = None
            became["faults"] += 1
            for one in after.results:
                was = before[one.check.id, one.region]
                became["verdicts"] += 1
                became["unknown"] += one.status is Status.UNKNOWN and was.status is not Status.UNKNOWN
                new = one.status if one.status is not was.status else None
                if new not in (None, Status.UNKNOWN):
                    wrong.append(
                        f"{action} {fault}: {one.check.id} in {one.region} is {new.value}, was {was.status.value}"
                    )
                elif _rests_on(was, action) and not any(o.status is Status.UNKNOWN for o in one.outcomes):
                    wrong.append(f"{action} {fault}: {one.check.id} in {one.region} is {one.status.value} without it")
                elif new is not None and action not in declared[one.check.id]:
                    wrong.append(f"{one.check.id} does not say that it needs {action}")
    with capsys.disabled():
        print(
            f"\n{request.node.callspec.id}: {len(calls.actions)} calls, {became['faults']} faults "
            f"({became['cannot be cut off']} calls have no pages to cut off), {became['verdicts']:,} verdicts: "
            f"{became['unknown']:,} became unknown, {len(wrong)} became pass, fail or not applicable"
        )
    assert not wrong
