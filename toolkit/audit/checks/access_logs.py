"""Access logs of what answers web requests: CloudFront, load balancers, API Gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.regions import partition_of
from toolkit.resources.reading import Live

_DELIVERIES = ("logs:DescribeDeliveries", "logs:DescribeDeliverySources")
_CLOUDFRONT_LOGS = "us-east-1"
"""Where CloudWatch Logs keeps deliveries of CloudFront's access logs.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
"""


def _delivered(source: Source, region: str, kind: str) -> frozenset[str]:
    """ARNs of the resources of which CloudWatch Logs delivers a kind of logs somewhere.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html ("logType")
    """
    deliveries = source.pages("logs", "describe_deliveries", "deliveries", region)
    used = {one["deliverySourceName"] for one in deliveries}
    sources = source.pages("logs", "describe_delivery_sources", "deliverySources", region)
    return frozenset(
        arn for one in sources if one["name"] in used and one["logType"] == kind for arn in one["resourceArns"]
    )


@dataclass(frozen=True)
class Distributions(Fact):
    """Every CloudFront distribution, and whether it is `logged`: to a bucket, or through CloudWatch Logs.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_LoggingConfig.html
    """

    named = "every CloudFront distribution"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return ("cloudfront:ListDistributions", "cloudfront:GetDistributionConfig", *_DELIVERIES)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The distributions; the list lacks their logging."""
        home = source.home_region
        if partition_of(home) == "aws-us-gov":
            # https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/setting-up-cloudfront.html: only from an account
            # of the standard partition.
            return ()
        every = source.pages("cloudfront", "list_distributions", "DistributionList.Items", home)
        if not every:
            return ()
        delivered = _delivered(source, _CLOUDFRONT_LOGS if partition_of(home) == "aws" else home, "ACCESS_LOGS")

        def distribution(one: Mapping[str, Any]) -> Live:
            answer = source.call("cloudfront", "get_distribution_config", home, Id=one["Id"]) or {}
            to_bucket = answer["DistributionConfig"]["Logging"]["Enabled"]
            return _live(
                "aws_cloudfront_distribution", f"the distribution {one['Id']}", home, one["ARN"],
                to_bucket or one["ARN"] in delivered,
            )  # fmt: skip

        return source.side_by_side(distribution, every)


@dataclass(frozen=True)
class WebLoadBalancers(Fact):
    """Every application and classic load balancer of a region, and whether it is `logged`.

    The logs of application load balancers go to a bucket, or through CloudWatch Logs. Others answer no web requests. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
    """

    region: str

    named = "every load balancer for web requests in {region}"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        own = ("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes")
        return (*own, *_DELIVERIES)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The load balancers."""
        newer = source.pages("elbv2", "describe_load_balancers", "LoadBalancers", self.region)
        applications = [one for one in newer if one["Type"] == "application"]
        delivered = _delivered(source, self.region, "ALB_ACCESS_LOGS") if applications else frozenset()
        classic = source.pages("elb", "describe_load_balancers", "LoadBalancerDescriptions", self.region)
        return (
            *source.side_by_side(lambda one: self._application(source, one, delivered), applications),
            *source.side_by_side(lambda one: self._classic(source, one), classic),
        )

    def _application(self, source: Source, one: Mapping[str, Any], delivered: frozenset[str]) -> Live:
        arn = one["LoadBalancerArn"]
        answer = source.call("elbv2", "describe_load_balancer_attributes", self.region, LoadBalancerArn=arn) or {}
        has = {attribute["Key"]: attribute["Value"] for attribute in answer["Attributes"]}
        called = f"the load balancer {one['LoadBalancerName']!r}"
        to_bucket = has["access_logs.s3.enabled"] == "true"
        return _live("aws_lb", called, self.region, arn, to_bucket or arn in delivered)

    def _classic(self, source: Source, one: Mapping[str, Any]) -> Live:
        name = one["LoadBalancerName"]
        answer = source.call("elb", "describe_load_balancer_attributes", self.region, LoadBalancerName=name) or {}
        logged = answer["LoadBalancerAttributes"]["AccessLog"]["Enabled"]
        return _live("aws_elb", f"the classic load balancer {name!r}", self.region, None, logged)


@dataclass(frozen=True)
class Stages(Fact):
    """Every stage of API Gateway's APIs in a region, and whether it is `logged`.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    region: str
    rest: bool
    """Of REST APIs; else of HTTP and WebSocket APIs."""

    @property
    def what(self) -> str:
        """For people."""
        return f"every stage of {'REST' if self.rest else 'HTTP and WebSocket'} APIs in {self.region}"

    calls = ("apigateway:GET",)  # one action for all reads

    def read(self, source: Source) -> tuple[Live, ...]:
        """The stages."""
        found = source.side_by_side(
            lambda api: self._rest(source, api) if self.rest else self._newer(source, api),
            source.pages("apigateway", "get_rest_apis", "items", self.region)
            if self.rest
            else source.pages("apigatewayv2", "get_apis", "Items", self.region),
        )
        return tuple(one for stages in found for one in stages)

    def _rest(self, source: Source, api: Mapping[str, Any]) -> tuple[Live, ...]:
        answer = source.call("apigateway", "get_stages", self.region, restApiId=api["id"]) or {}
        return tuple(
            self._stage(
                "aws_api_gateway_stage", api["name"], one["stageName"],
                one.get("accessLogSettings", {}).get("destinationArn"),
            )
            for one in answer["item"]
        )  # fmt: skip

    def _newer(self, source: Source, api: Mapping[str, Any]) -> tuple[Live, ...]:
        stages = source.pages("apigatewayv2", "get_stages", "Items", self.region, ApiId=api["ApiId"])
        return tuple(
            self._stage(
                "aws_apigatewayv2_stage", api["Name"], one["StageName"],
                one.get("AccessLogSettings", {}).get("DestinationArn"),
            )
            for one in stages
        )  # fmt: skip

    def _stage(self, kind: str, api: str, name: str, destination: str | None) -> Live:
        return _live(kind, f"the stage {name!r} of {api!r}", self.region, None, bool(destination))


def _live(kind: str, called: str, region: str, arn: str | None, logged: bool) -> Live:
    return Live({}, {"logged": logged}, called, None, arn, type=kind, region=region)


def _check(
    name: str, title: str, service: str, fact: Callable[[Scope], Fact], what: str, remedy: str, source: str, *,
    regional: bool = True,
) -> Check:  # fmt: skip
    def needs(scope: Scope) -> Iterator[Fact]:
        yield fact(scope)

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        every = answers[fact(scope)]
        silent = [one for one in every if not one.values["logged"]]
        yield from (Outcome(Status.FAIL, f"{one.called} has no access log", one) for one in silent)
        if every and not silent:
            yield Outcome(Status.PASS, f"all {len(every):,} {what} have access logs")

    why = "Without access logs no record shows who sent which request."
    return Check(
        name, title, Severity.MEDIUM, service, needs, judge, Remedy(remedy), why, regional=regional, source=source
    )


_APIS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"

CHECKS = (
    _check(
        "cloudfront_distributions_logging_enabled",
        "Each CloudFront distribution has access logs.",
        "cloudfront",
        lambda _: Distributions(),
        "distributions",
        "enable standard logging of the distribution",
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html",
        regional=False,
    ),
    _check(
        "elbv2_logging_enabled",
        "Each application and classic load balancer has access logs.",
        "elasticloadbalancing",
        lambda scope: WebLoadBalancers(scope.region),
        "load balancers for web requests",
        "set the load balancer's attribute access_logs.s3.enabled, and a bucket whose policy lets it write",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
    ),
    _check(
        "apigateway_restapi_access_logging_enabled",
        "Each stage of a REST API has access logs.",
        "apigateway",
        lambda scope: Stages(scope.region, rest=True),
        "stages of REST APIs",
        "set a destination for access logs of the stage",
        f"{_APIS}set-up-logging.html",
    ),
    _check(
        "apigatewayv2_api_access_logging_enabled",
        "Each stage of an HTTP or WebSocket API has access logs.",
        "apigateway",
        lambda scope: Stages(scope.region, rest=False),
        "stages of HTTP and WebSocket APIs",
        "set a destination for access logs of the stage",
        f"{_APIS}http-api-logging.html",
    ),
)
