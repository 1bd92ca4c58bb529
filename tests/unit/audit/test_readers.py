"""What facts about workloads and the organization read: on moto where it has them, else from AWS's form of answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import pytest
from moto import mock_aws

from toolkit.audit.alerts import TrailFilters
from toolkit.audit.checks.access_logs import Distributions, Stages, WebLoadBalancers
from toolkit.audit.checks.databases import DatabaseClusters, Databases, FileSystems
from toolkit.audit.checks.exposure import NetworkAcls, SecurityGroups
from toolkit.audit.checks.instances import Instances
from toolkit.audit.checks.organization_guardrails import Delegation, MemberAccounts
from toolkit.audit.checks.peering import PeeringRoutes
from toolkit.audit.checks.policies import ResourcePolicies
from toolkit.audit.facts import Fact
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.plan.facts import Source
from toolkit.resources.reading import Reason, UnreadableError

from . import account_with_workloads
from .conftest import HOME

ACCOUNT, OTHER = "123456789012", "111122223333"


@pytest.fixture(scope="module")
def source() -> Iterator[Inventory]:
    text = f'account_id: "{ACCOUNT}"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in (("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")):
            patch.setenv(name, value)
        account_with_workloads.populate()
        yield Inventory(AwsSession(load_text(text, name="x", shown_as="x"), {}))


READ: tuple[tuple[Fact, list[Mapping[str, Any]]], ...] = (
    (Instances(HOME), [{"state": "running", "profile": None, "tokens": "required", "endpoint": "enabled"}]),
    (
        Databases(HOME),
        [
            {
                "encrypted": True,
                "public": False,
                "minor_versions": True,
                "multi_az": False,
                "cluster": None,
                "engine": "postgres",
            }
        ],
    ),
    (DatabaseClusters(HOME), [{"multi_az": False}]),
    (FileSystems(HOME), [{"encrypted": True}, {"encrypted": False}]),
    (WebLoadBalancers(HOME), [{"logged": True}, {"logged": False}]),
    (Stages(HOME, rest=True), [{"logged": False}]),
    (Stages(HOME, rest=False), [{"logged": True}]),
    (Distributions(), [{"logged": False}]),
    (ResourcePolicies("secrets", HOME), [{"policy": None}]),
    (ResourcePolicies("event buses", HOME), [{"policy": None}]),
)


@pytest.mark.parametrize(("fact", "expected"), READ, ids=lambda one: getattr(one, "what", ""))
def test_what_is_read_of_an_account(source: Inventory, fact: Fact, expected: list[Mapping[str, Any]]):
    found, calls = source.with_calls(fact.read)
    assert [one.values for one in found] == expected
    assert all(one.called and one.region == HOME for one in found)
    assert {call.action for call in calls} <= set(fact.actions)


@pytest.mark.parametrize("kind", ["queues", "functions"])
def test_policies_of_resources(source: Inventory, kind: str):
    found = {one.called.split()[-1]: one.values["policy"] for one in ResourcePolicies(kind, HOME).read(source)}
    assert found["'private'"] is None
    (statement,) = json.loads(found["'public'"])["Statement"]
    assert statement["Principal"] == "*"


def test_a_topic_has_the_policy_that_aws_gives_it(source: Inventory):
    (topic,) = ResourcePolicies("topics", HOME).read(source)
    assert json.loads(topic.values["policy"])["Id"] == "__default_policy_ID"


def test_what_a_group_admits_by_a_prefix_list_is_read(source: Inventory):
    (group,) = [one for one in SecurityGroups(HOME).read(source) if "(open)" in one.called]
    assert group.values["rules"] == [
        {"protocol": "tcp", "from": 22, "to": 22, "blocks": ["0.0.0.0/0"]},
        {"protocol": "-1", "from": None, "to": None, "blocks": ["::/0"]},
    ]


def test_inbound_entries_of_an_acl_are_read_in_their_order(source: Inventory):
    for acl in NetworkAcls(HOME).read(source):
        assert [(one["action"], one["blocks"]) for one in acl.values["rules"]] == [
            ("allow", ["0.0.0.0/0"]),
            ("deny", ["0.0.0.0/0"]),
        ]


class Answering:
    """A source that answers as it is told: operation → answer, items of a list, or the code of an error."""

    home_region, simulated = HOME, False

    def __init__(self, answers: Mapping[str, Any], account_id: str = ACCOUNT) -> None:
        self._answers, self.account_id = answers, account_id
        self.without = ""
        """A service of which there is nothing."""

    def _answer(self, operation: str, absent: tuple[str, ...], parameters: Mapping[str, Any]) -> Any:
        answer = self._answers[operation]
        if isinstance(answer, str):
            assert answer in absent
            return None
        return answer(**parameters) if callable(answer) else answer

    def call(self, _: str, operation: str, __: str, *, absent: Any = (), **parameters: Any) -> Any:
        return self._answer(operation, absent, parameters)

    def pages(self, service: str, operation: str, member: str, _: str, *, absent: Any = (), **parameters: Any) -> Any:
        return () if service == self.without else tuple(self._answer(operation, absent, parameters) or ())

    def side_by_side(self, ask: Callable[[Any], Any], about: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(map(ask, about))


def answering(answers: Mapping[str, Any], account_id: str = ACCOUNT) -> Source:
    return cast(Source, Answering(answers, account_id))


def test_the_other_side_of_a_peering_is_the_peer():
    def side(vpc: str, *blocks: str) -> dict[str, Any]:
        return {"VpcId": vpc, "CidrBlockSet": [{"CidrBlock": one} for one in blocks]}

    def peering(name: str, state: str) -> dict[str, Any]:
        sides = {"RequesterVpcInfo": side("vpc-1", "10.1.0.0/16"), "AccepterVpcInfo": side("vpc-2", "10.2.0.0/16")}
        sides["AccepterVpcInfo"]["Ipv6CidrBlockSet"] = [{"Ipv6CidrBlock": "2001:db8:1::/56"}]
        return {"VpcPeeringConnectionId": name, "Status": {"Code": state}, **sides}

    def table(of: str, *routes: Mapping[str, Any]) -> dict[str, Any]:
        return {"RouteTableId": f"rtb-{of}", "VpcId": of, "Routes": routes}

    every = {"DestinationCidrBlock": "0.0.0.0/0"}
    local = {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local"}
    through, dead = {"VpcPeeringConnectionId": "pcx-1"}, {"VpcPeeringConnectionId": "pcx-2"}
    answers = {
        "describe_vpc_peering_connections": [peering("pcx-1", "active"), peering("pcx-2", "deleted")],
        "describe_route_tables": [
            table("vpc-1", local, {**through, "DestinationPrefixListId": "pl-1"}, {**dead, **every}),
            table("vpc-2", {**through, "DestinationIpv6CidrBlock": "2001:db8::/56"}),
        ],
        "get_managed_prefix_list_entries": [{"Cidr": "10.2.1.0/24"}, {"Cidr": "10.2.2.0/24"}],
    }  # fmt: skip
    first, second = PeeringRoutes(HOME).read(answering(answers))
    assert first.values == {
        "destinations": ["10.2.1.0/24", "10.2.2.0/24"],
        "peer": ["10.2.0.0/16", "2001:db8:1::/56"],
    }
    assert second.values == {"destinations": ["2001:db8::/56"], "peer": ["10.1.0.0/16"]}
    assert PeeringRoutes(HOME).read(answering({"describe_vpc_peering_connections": []})) == ()


@pytest.mark.parametrize(
    ("kind", "deliveries", "logged"),
    [("ACCESS_LOGS", ["s"], True), ("ACCESS_LOGS", [], False), ("CONNECTION_LOGS", ["s"], False)],
)
def test_access_logs_through_cloudwatch_count(kind: str, deliveries: list[str], logged: bool):
    arn = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"
    answers = {
        "list_distributions": [{"Id": "E1", "ARN": arn}],
        "get_distribution_config": {"DistributionConfig": {"Logging": {"Enabled": False}}},
        "describe_deliveries": [{"deliverySourceName": one} for one in deliveries],
        "describe_delivery_sources": [{"name": "s", "logType": kind, "resourceArns": [arn]}],
    }
    (found,) = Distributions().read(answering(answers))
    assert found.values == {"logged": logged}


def test_govcloud_has_no_cloudfront():
    source = Answering({})
    source.home_region = "us-gov-west-1"
    assert Distributions().read(cast(Source, source)) == ()


@pytest.mark.parametrize(("kind", "logged"), [("ALB_ACCESS_LOGS", True), ("ALB_CONNECTION_LOGS", False)])
def test_access_logs_of_load_balancers_through_cloudwatch_count(kind: str, logged: bool):
    balancer = {"LoadBalancerArn": "arn", "LoadBalancerName": "web", "Type": "application"}
    answers = {
        "describe_load_balancers": lambda: [balancer],
        "describe_load_balancer_attributes": {"Attributes": [{"Key": "access_logs.s3.enabled", "Value": "false"}]},
        "describe_deliveries": [{"deliverySourceName": "s"}],
        "describe_delivery_sources": [{"name": "s", "logType": kind, "resourceArns": ["arn"]}],
    }
    source = Answering(answers)
    source.without = "elb"
    (found,) = WebLoadBalancers(HOME).read(cast(Source, source))
    assert found.values == {"logged": logged}


def test_policies_of_vaults():
    answers = {
        "list_vaults": [{"VaultName": name, "VaultARN": name} for name in ("a", "b")],
        "get_vault_access_policy": lambda **of: {"policy": {"Policy": "{}"}} if of["vaultName"] == "a" else None,
    }
    found = ResourcePolicies("vaults", HOME).read(answering(answers))
    assert [one.values["policy"] for one in found] == ["{}", None]
    # AWS's answer to accounts that had no vaults when S3 Glacier stopped to take new customers.
    assert ResourcePolicies("vaults", HOME).read(answering({"list_vaults": "NoLongerSupportedException"})) == ()


def test_no_policy_is_an_error_of_lambda():
    answers = {
        "list_functions": [{"FunctionName": "f", "FunctionArn": "arn"}],
        "list_aliases": "ResourceNotFoundException",
        "get_policy": "ResourceNotFoundException",
    }
    (found,) = ResourcePolicies("functions", HOME).read(answering(answers))
    assert found.values == {"policy": None}


def test_what_a_metric_filter_leaves_out_is_read():
    """As AWS answers it: API_MetricFilter, where each of these may be absent."""
    group = f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:trail"
    counts = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    plain = {"filterName": "plain", "filterPattern": "", "metricTransformations": [counts]}
    limits = {
        "fieldSelectionCriteria": '@aws.region = "eu-west-1"',
        "emitSystemFieldDimensions": ["@aws.account"],
        "applyOnTransformedLogs": True,
    }
    trail = {"TrailARN": "arn", "Name": "t", "CloudWatchLogsLogGroupArn": f"{group}:*"}
    answers = {
        "describe_trails": {"trailList": [trail]},
        "describe_metric_filters": [plain, {**plain, "filterName": "limited", **limits}],
    }
    found = TrailFilters((HOME,)).read(answering(answers))
    names = ("criteria", "system_dimensions", "transformed")
    assert [tuple(one.values[name] for name in names) for one in found] == [
        (None, [], False),
        ('@aws.region = "eu-west-1"', ["@aws.account"], True),
    ]


def test_an_alias_has_a_policy_of_its_own():
    def aliases(FunctionName: str) -> list[Mapping[str, str]]:  # noqa: N803
        if FunctionName == "g":
            raise UnreadableError("lambda:ListAliases", HOME, Reason.DENIED, "not authorized")
        return [{"Name": "live", "AliasArn": "arn:f:live"}]

    answers = {
        "list_functions": [{"FunctionName": name, "FunctionArn": f"arn:{name}"} for name in ("f", "g")],
        "list_aliases": aliases,
        "get_policy": lambda FunctionName: {"Policy": FunctionName},  # noqa: N803
    }
    *read, unread = ResourcePolicies("functions", HOME).read(answering(answers))
    assert [(one.called, one.arn, one.values["policy"]) for one in read] == [
        ("the function 'f'", "arn:f", "f"),
        ("the function 'g'", "arn:g", "g"),
        ("the function 'f:live'", "arn:f:live", "f:live"),
    ]
    # A function whose aliases cannot be listed takes none of the others with it.
    assert str(unread.message) == "the aliases of the function 'g': not authorized"


ORGANIZATION = {"Organization": {"MasterAccountId": ACCOUNT}}


def test_member_accounts_have_what_is_above_them():
    accounts = {"r-1": [ACCOUNT, "1"], "ou-1": ["2"], "ou-2": []}
    units = {"r-1": ["ou-1", "ou-2"], "ou-1": [], "ou-2": []}
    answers = {
        "describe_organization": ORGANIZATION,
        "list_roots": [{"Id": "r-1"}],
        "list_accounts_for_parent": lambda ParentId: [{"Id": one, "Arn": one} for one in accounts[ParentId]],  # noqa: N803
        "list_organizational_units_for_parent": lambda ParentId: [{"Id": one} for one in units[ParentId]],  # noqa: N803
    }
    found = MemberAccounts().read(answering(answers))
    assert [one.values["above"] for one in found] == [["r-1", "1"], ["r-1", "ou-1", "2"]]
    assert MemberAccounts().read(answering(answers, OTHER)) == ()
    assert MemberAccounts().read(answering({"describe_organization": "AWSOrganizationsNotInUseException"})) == ()


def test_the_delegation_policy():
    policy = {"ResourcePolicySummary": {"Id": "rp-1", "Arn": "arn"}, "Content": "{}"}
    answers = {"describe_organization": ORGANIZATION, "describe_resource_policy": {"ResourcePolicy": policy}}
    (found,) = Delegation().read(answering(answers))
    assert found.values == {"content": "{}"}
    assert (
        Delegation().read(answering({**answers, "describe_resource_policy": "ResourcePolicyNotFoundException"})) == ()
    )
    assert Delegation().read(answering(answers, OTHER)) == ()
    assert Delegation().read(answering({"describe_organization": "AWSOrganizationsNotInUseException"})) == ()
