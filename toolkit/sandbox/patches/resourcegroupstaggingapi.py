"""The Resource Groups Tagging API, corrected: what else of the services that moto has has tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend, cloudtrail_backends
from moto.config.models import ConfigBackend, config_backends
from moto.core.resource_tagging import TaggedResource, make_tag_matcher, match_resource_type
from moto.ec2.models import EC2Backend, ec2_backends
from moto.events.models import EventsBackend, events_backends
from moto.guardduty.models import GuardDutyBackend, guardduty_backends
from moto.iam.models import IAMBackend, iam_backends
from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from toolkit.regions import GLOBAL_REGION
from toolkit.sandbox.patches.base import Method, Patch

_Tagged = Iterator[tuple[str, str, Mapping[str, str]]]
"""Type, ARN and tags."""


def _cloudtrail(backend: CloudTrailBackend) -> _Tagged:
    for trail in backend.trails.values():
        listed = backend.tagging_service.list_tags_for_resource(trail.arn)["TagsList"]
        yield "cloudtrail:trail", trail.arn, _pairs(listed)


def _config(backend: ConfigBackend) -> _Tagged:
    for rule in backend.config_rules.values():
        yield "config:config-rule", rule.config_rule_arn, rule.tags
    for aggregator in backend.config_aggregators.values():
        yield "config:config-aggregator", aggregator.configuration_aggregator_arn, aggregator.tags


def _ec2(backend: EC2Backend) -> _Tagged:
    for log in backend.flow_logs.values():
        arn = f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:vpc-flow-log/{log.id}"
        yield "ec2:vpc-flow-log", arn, backend.tags.get(log.id, {})


def _events(backend: EventsBackend) -> _Tagged:
    for rule in (rule for bus in backend.event_buses.values() for rule in bus.rules.values()):
        yield "events:rule", rule.arn, backend.tagger.get_tag_dict_for_resource(rule.arn)


def _guardduty(backend: GuardDutyBackend) -> _Tagged:
    for detector in backend.detectors.values():
        arn = f"arn:{backend.partition}:guardduty:{backend.region_name}:{backend.account_id}:detector/{detector.id}"
        yield "guardduty:detector", arn, detector.tags


def _iam(backend: IAMBackend) -> _Tagged:
    for policy in backend.managed_policies.values():
        yield "iam:policy", policy.arn, _pairs(policy.tags.values())
    for provider in backend.open_id_providers.values():
        yield "iam:oidc-provider", provider.arn, _pairs(provider.tags.values())


def _organizations(backend: OrganizationsBackend) -> _Tagged:
    for unit in backend.ou:
        yield "organizations:ou", unit.arn, unit.tags
    for policy in backend.policies:
        yield "organizations:policy", policy.arn, policy.tags


def _scheduler(backend: EventBridgeSchedulerBackend) -> _Tagged:
    for group in backend.schedule_groups.values():
        yield "scheduler:schedule-group", group.arn, backend.tagger.get_tag_dict_for_resource(group.arn)


def _pairs(tags: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _has_also(backends: Any, tagged: Callable[[Any], _Tagged]) -> Callable[[Method], Method]:
    """Answers what a service has, too: of one without regions in the region where it lives."""

    def correct(original: Method) -> Method:
        def generate(
            self: ResourceGroupsTaggingAPIBackend,
            tag_filters: list[dict[str, Any]] | None = None,
            resource_type_filters: list[str] | None = None,
            resource_arn_list: list[str] | None = None,
        ) -> Iterator[TaggedResource]:
            yield from original(self, tag_filters, resource_type_filters, resource_arn_list)
            lives_here = self.region_name == GLOBAL_REGION.get(self.partition)
            places = {self.region_name, *((self.partition,) if lives_here else ())}
            has_tags = make_tag_matcher(tag_filters)
            for place in sorted(places & backends[self.account_id].keys()):
                for kind, arn, tags in tagged(backends[self.account_id][place]):
                    wanted = not resource_arn_list or arn in resource_arn_list
                    if tags and wanted and has_tags(dict(tags)) and match_resource_type(kind, resource_type_filters):
                        yield TaggedResource(arn, dict(tags), kind)

        return generate

    return correct


def _answers_whole(original: Method) -> Method:
    def get_resources(
        self: ResourceGroupsTaggingAPIBackend, *args: Any, resource_arn_list: list[str] | None = None, **kwargs: Any
    ) -> tuple[str | None, list[TaggedResource]]:
        if resource_arn_list:
            return None, list(self._get_resources_generator(resource_arn_list=resource_arn_list))
        token, found = original(self, *args, resource_arn_list=resource_arn_list, **kwargs)
        return token, found

    return get_resources


def _patch(service: str, backends: Any, tagged: Callable[[Any], _Tagged], what: str) -> Patch:
    return Patch(
        name=f"resourcegroupstaggingapi-{service}",
        owner=ResourceGroupsTaggingAPIBackend,
        method="_get_resources_generator",
        reason=f"moto does not answer {what}. Resource Groups Tagging API, GetResources, and its page of supported "
        "services: it supports all resource types but users and roles of IAM, and groups of Auto Scaling.",
        correct=_has_also(backends, tagged),
    )


PATCHES = (
    _patch("cloudtrail", cloudtrail_backends, _cloudtrail, "the tags of trails"),
    _patch("config", config_backends, _config, "the tags of Config rules and aggregators"),
    _patch("ec2", ec2_backends, _ec2, "flow logs under the ARN that they have (Service Authorization Reference)"),
    _patch("events", events_backends, _events, "the tags of EventBridge rules"),
    _patch("guardduty", guardduty_backends, _guardduty, "the tags of detectors"),
    _patch("iam", iam_backends, _iam, "the tags of policies and OpenID Connect providers"),
    _patch("organizations", organizations_backends, _organizations, "the tags of organizational units and policies"),
    _patch("scheduler", scheduler_backends, _scheduler, "the tags of schedule groups"),
    Patch(
        name="resourcegroupstaggingapi-whole",
        owner=ResourceGroupsTaggingAPIBackend,
        method="get_resources",
        reason="moto answers a list of ARNs page by page. Resource Groups Tagging API, GetResources: ResourceARNList "
        "cannot be in one request with a parameter of pages, so that there is no way to a second one.",
        correct=_answers_whole,
    ),
)
