"""The policy of a scan: valid for IAM, and every action a real one.

That it allows every call of a scan is held by tests/integration/test_existing_account.py, and type by type in
tests/unit/aws.
"""

from __future__ import annotations

import json
import re

import botocore.session
import pytest

from toolkit.aws import actions
from toolkit.cli.main import run
from toolkit.resources.registry import RESOURCES
from toolkit.workflows.discover import listed_types
from toolkit.workflows.scan_policy import scan_actions, scan_policies

BOTO3 = {prefix: service for service, prefix in actions._PREFIXES.items() if service != "s3control"}
"""Prefix of actions → name of boto3's client, where they differ."""
RENAMED = {f"{actions._PREFIXES.get(service, service)}:{action}" for (service, _), action in actions._ACTIONS.items()}


@pytest.mark.parametrize("service", sorted({action.partition(":")[0] for action in scan_actions()}))
def test_every_action_is_one_of_aws(service: str):
    """Named as an operation of the service's API, or in the table of those that are not, from AWS's reference."""
    operations = botocore.session.Session().get_service_model(BOTO3.get(service, service)).operation_names
    mine = {action for action in scan_actions() if action.startswith(f"{service}:")}
    assert mine - {f"{service}:{operation}" for operation in operations} - RENAMED == set()
    # Reads only: the report is about IAM's own data, and AWS counts it among the reads.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    mine.discard("iam:GenerateCredentialReport")
    assert [a for a in mine if not re.match(r"(Get|List|Describe|View|BatchGet)", a.partition(":")[2])] == []


def test_one_policy_is_enough_and_is_short_enough_for_iam():
    (policy,) = scan_policies()
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= 6144
    assert policy["Statement"][0]["Action"] == list(scan_actions())


def test_a_longer_one_is_split_and_nothing_is_lost():
    several = scan_policies(1000)
    assert len(several) > 1
    assert all(len(re.sub(r"\s", "", json.dumps(policy))) <= 1000 for policy in several)
    assert [a for policy in several for a in policy["Statement"][0]["Action"]] == list(scan_actions())


def test_every_type_that_is_listed_declares_its_actions():
    """Which calls each type makes is compared in tests/unit/aws (list_and_search_agree), one by one."""
    declared = {kind: RESOURCES[kind].reading for kind in listed_types(simulated=False)}
    assert [kind for kind, reading in declared.items() if reading is None or not reading.actions] == []


def test_it_is_printed_as_iam_takes_it(capsys: pytest.CaptureFixture[str]):
    assert run(["discover", "--print-policy"]) == 0
    assert json.loads(capsys.readouterr().out) == scan_policies()[0]
