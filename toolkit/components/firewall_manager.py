"""Firewall Manager: policies of security groups, web ACLs and DNS firewalls for an organization's accounts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import Component, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.accounts import AccountId, AccountIds, UnitIds
from toolkit.settings.base import Settings
from toolkit.settings.regions import Regions
from toolkit.settings.values import at_least_one, checked, no_repetition

_POLICY_NAME = re.compile(r"[A-Za-z0-9_.:/=+@ -]{1,128}")
_GROUP_ID = re.compile(r"sg-[0-9a-f]{8,17}")
_RULE_GROUP_ID = re.compile(r"rslvr-frg-[0-9a-z]{1,40}")
_RULE_GROUP_ARN = re.compile(ARN + r":wafv2:[a-z0-9-]+:[0-9]{12}:(regional|global)/rulegroup/[^/\s]+/\S+")
_LOG_ARN = re.compile(ARN + r":(firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/|s3:::)aws-waf-logs-\S+")
_MANAGED_NAME = re.compile(r"AWSManagedRules[A-Za-z0-9]{1,100}")

_policy_name = checked(_POLICY_NAME, "1 to 128 letters, digits, blanks and the characters _ . : / = + @ -")
_group_id = checked(_GROUP_ID, "the id of a security group, such as sg-0123456789abcdef0")
_rule_group_id = checked(_RULE_GROUP_ID, "the id of a rule group of DNS Firewall, such as rslvr-frg-1234567890abcdef")
_rule_group_arn = checked(
    _RULE_GROUP_ARN, "the ARN of a rule group of WAF (arn:aws:wafv2:…:regional/rulegroup/NAME/ID)"
)
_managed_name = checked(
    _MANAGED_NAME, "the name of a rule group that AWS manages, such as AWSManagedRulesCommonRuleSet"
)
_log_arn = checked(_LOG_ARN, "the ARN of a Firehose stream or bucket whose name starts with aws-waf-logs-")

RuleGroupIds = Annotated[tuple[Annotated[str, _rule_group_id], ...], Field(strict=False), AfterValidator(no_repetition)]


class PolicyScope(Settings):
    """Which resources of which accounts a policy is for; nothing named is everything of the whole organization."""

    accounts: AccountIds = Field((), description="Ids of the included accounts.")
    organizational_units: UnitIds = Field((), description="Ids of the included units, with all accounts in them.")
    excluded_accounts: AccountIds = Field((), description="Ids of the excluded accounts.")
    excluded_organizational_units: UnitIds = Field((), description="Ids of the excluded units.")
    resource_tags: dict[str, str] = Field(
        {}, description="Tags of the resources that are included or excluded, up to eight; an empty value is any."
    )
    resource_tags_are: Literal["included", "excluded"] = Field(
        "included", description="Whether only resources with all of these tags are included, or those are excluded."
    )

    @model_validator(mode="after")
    def _one_way(self) -> PolicyScope:
        named = self.accounts or self.organizational_units
        if named and (self.excluded_accounts or self.excluded_organizational_units):
            raise ValueError(
                "scope must either include or exclude accounts and units: with inclusions, AWS ignores exclusions"
            )
        if len(self.resource_tags) > 8:
            raise ValueError("resource_tags must be at most eight")
        return self


class ContentAudit(Settings):
    """Compares the rules of security groups with those of a model group of the administrator's account."""

    security_group_ids: Annotated[
        tuple[Annotated[str, _group_id], ...],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(description="Ids of the model groups, in the administrator's account and the policy's region.")
    rules_are: Literal["allowed", "denied"] = Field(
        "allowed", description="Whether the model's rules are the most that is allowed, or what is denied."
    )
    deny_all_protocols: bool = Field(True, description="Whether rules for all protocols are findings in any case.")
    direction: Literal["all", "ingress", "egress"] = Field("all", description="Which rules to compare.")
    resource_types: Annotated[
        tuple[Literal["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"], ...],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(
        ("AWS::EC2::SecurityGroup",), description="What to audit: groups, or the groups of interfaces or instances."
    )


class UsageAudit(Settings):
    """Looks for security groups that nothing uses, or that say the same."""

    unused: bool = Field(True, description="Whether unused groups are findings; remediation deletes them.")
    redundant: bool = Field(False, description="Whether groups with equal rules are findings; remediation merges them.")
    unused_after_minutes: Annotated[int, Field(ge=0, le=525600)] = Field(
        1440, description="Minutes without use after which a group is unused."
    )

    @model_validator(mode="after")
    def _looks_for_something(self) -> UsageAudit:
        if not self.unused and not self.redundant:
            raise ValueError("usage_audit must look for unused or redundant groups, or for both")
        return self


class WafRuleGroup(Settings):
    """A rule group of WAF: one that AWS manages, or one of the administrator's account."""

    managed_name: Annotated[str, _managed_name] | None = Field(
        None, description="Name of a rule group that AWS manages; null: arn is set."
    )
    arn: Annotated[str, _rule_group_arn] | None = Field(
        None, description="ARN of a rule group of the administrator's account; null: managed_name is set."
    )
    count_only: bool = Field(False, description="Whether to count its matches only.")

    @model_validator(mode="after")
    def _one_of_two(self) -> WafRuleGroup:
        if (self.managed_name is None) == (self.arn is None):
            raise ValueError("a rule group must have either managed_name or arn")
        return self


class Waf(Settings):
    """A web ACL (WAFv2) for each resource in scope."""

    resource_types: Annotated[
        tuple[
            Literal[
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "AWS::ApiGateway::Stage",
                "AWS::Cognito::UserPool",
                "AWS::AppSync::GraphQLApi",
                "AWS::CloudFront::Distribution",
            ],
            ...,
        ],
        Field(strict=False),
        AfterValidator(no_repetition),
        AfterValidator(at_least_one),
    ] = Field(description="What gets a web ACL; CloudFront distributions need a policy of their own, in us-east-1.")
    first_rule_groups: Annotated[tuple[WafRuleGroup, ...], Field(strict=False)] = Field(
        (), description="Rule groups that run before those that the accounts add."
    )
    last_rule_groups: Annotated[tuple[WafRuleGroup, ...], Field(strict=False)] = Field(
        (), description="Rule groups that run after those that the accounts add."
    )
    default_action: Literal["allow", "block"] = Field("allow", description="Action for all other requests.")
    replace_own_web_acls: bool = Field(
        False, description="Whether remediation also replaces web ACLs that the accounts have associated."
    )
    log_destination_arn: Annotated[str, _log_arn] | None = Field(
        None,
        description="ARN of a Firehose stream or bucket, named aws-waf-logs-…, that gets the web ACLs' logs; null: "
        "none.",
    )

    @model_validator(mode="after")
    def _has_rules(self) -> Waf:
        if not self.first_rule_groups and not self.last_rule_groups:
            raise ValueError("waf must have at least one of first_rule_groups and last_rule_groups")
        if "AWS::CloudFront::Distribution" in self.resource_types and len(self.resource_types) > 1:
            raise ValueError("resource_types must name AWS::CloudFront::Distribution alone: its web ACLs are global")
        return self


class DnsFirewall(Settings):
    """Rule groups of DNS Firewall for the VPCs in scope."""

    first_rule_group_ids: RuleGroupIds = Field((), description="Up to two that run before those that the accounts add.")
    last_rule_group_ids: RuleGroupIds = Field((), description="Up to two that run after those that the accounts add.")

    @model_validator(mode="after")
    def _one_to_two(self) -> DnsFirewall:
        if not self.first_rule_group_ids and not self.last_rule_group_ids:
            raise ValueError("dns_firewall must have at least one of first_rule_group_ids and last_rule_group_ids")
        if len(self.first_rule_group_ids) > 2 or len(self.last_rule_group_ids) > 2:
            raise ValueError("first_rule_group_ids and last_rule_group_ids must be at most two each")
        return self


class Policy(Settings):
    """One policy, of exactly one kind; bounds are those of the Firewall Manager API (PutPolicy)."""

    description: Annotated[str, Field(max_length=256)] = Field("", description="What it is for.")
    regions: Annotated[Regions, AfterValidator(at_least_one)] = Field(
        description="Active regions in which it is made, each billed; one alone with content_audit and dns_firewall, "
        "whose groups belong to a region."
    )
    remediation_enabled: bool = Field(
        False, description="Whether Firewall Manager changes noncompliant resources; false: it only reports them."
    )
    delete_resources_with_policy: bool = Field(
        False, description="Whether deleting the policy also deletes the web ACLs and associations that it created."
    )
    scope: PolicyScope = Field(PolicyScope(), description="Which resources of which accounts it applies to.")
    content_audit: ContentAudit | None = Field(None, description="Compares the rules of security groups with a model.")
    usage_audit: UsageAudit | None = Field(None, description="Looks for unused and redundant security groups.")
    waf: Waf | None = Field(None, description="A web ACL (WAFv2) for each resource.")
    dns_firewall: DnsFirewall | None = Field(None, description="Rule groups of DNS Firewall for VPCs.")

    @model_validator(mode="after")
    def _of_one_kind(self) -> Policy:
        kinds = (self.content_audit, self.usage_audit, self.waf, self.dns_firewall)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("a policy must have exactly one of content_audit, usage_audit, waf and dns_firewall")
        if len(self.regions) > 1 and (self.content_audit or self.dns_firewall):
            raise ValueError("regions must be one with content_audit and dns_firewall, whose groups belong to a region")
        distributions = self.waf is not None and "AWS::CloudFront::Distribution" in self.waf.resource_types
        if distributions and self.regions != ("us-east-1",):
            raise ValueError("regions must be us-east-1 for AWS::CloudFront::Distribution")
        return self


class FirewallManager(Settings):
    """Settings of `firewall_manager`."""

    administrator_account_id: AccountId | None = Field(
        None,
        description="Id of the account that becomes the organization's administrator of Firewall Manager; only the "
        "management account can designate it; null designates none. Needs us-east-1 among the active regions.",
    )
    policies: dict[Annotated[str, _policy_name], Policy] = Field(
        {}, description="Name => policy; they belong to the environment of the administrator's account."
    )

    @model_validator(mode="after")
    def _does_something(self) -> FirewallManager:
        if self.administrator_account_id is None and not self.policies:
            raise ValueError("firewall_manager must have administrator_account_id, policies, or both")
        return self


COMPONENT = Component(
    name="firewall_manager",
    title="Firewall Manager",
    purpose="Policies for security groups, web ACLs and DNS firewalls in an organization's accounts.",
    scope=Scope.EVERY_REGION,
    settings=FirewallManager,
    # It finds resources by what AWS Config records.
    requires=("config",),
    global_region_with=("administrator_account_id",),
    regions_in=("policies.*.regions",),
    protects=(Protected("aws_fms_admin_account"), Protected("aws_fms_policy")),
    trusts=lambda settings: ("fms.amazonaws.com",) if settings.administrator_account_id else (),
    needs=(
        Need("fms:AssociateAdminAccount"),
        Need("fms:PutPolicy", "arn:{partition}:fms:{region}:{account}:policy/*"),
    ),
    bills="100 USD a month for each policy and region, the web ACLs that they make, and what AWS Config records",
)
