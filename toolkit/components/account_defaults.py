"""Settings that an account, or a region of it, has once: what is public, what is encrypted, what it may cost."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components.base import GOVCLOUD, GOVCLOUD_SERVICES, LOG_BUCKET, Component, Lacking, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.base import Settings
from toolkit.settings.contacts import EmailAddress
from toolkit.settings.kms import KEY_ARN, KeyArn
from toolkit.settings.logs import LogGroupName, RetentionDays
from toolkit.settings.regions import Region, Regions
from toolkit.settings.s3 import BucketName, LogBucket
from toolkit.settings.values import checked, no_repetition

_ALIAS = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_TOPIC_ARN = re.compile(ARN + r":sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_BUCKET_ARN = re.compile(ARN + r":s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S+)?")
_ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_BUDGET_NAME = re.compile(r"(?!.*/action/)[^:\\]{1,100}")


def _alias(value: str) -> str:
    if not _ALIAS.fullmatch(value) or not 3 <= len(value) <= 63 or re.fullmatch(r"[0-9]{12}", value):
        raise ValueError(
            "expected 3 to 63 lowercase letters, digits and single hyphens between them, and no twelve digits, which "
            "would look like an account number"
        )
    return value


_topic_arn = checked(_TOPIC_ARN, "the ARN of a topic, such as arn:aws:sns:us-east-1:123456789012:costs")
_bucket_arn = checked(
    _BUCKET_ARN, "the ARN of a bucket, with a prefix if wanted, such as arn:aws:s3:::example-flow-logs/default-vpc"
)
_role_name = checked(_ROLE_NAME, "1 to 64 letters, digits and the characters _ + = , . @ -")
_budget_name = checked(_BUDGET_NAME, '1 to 100 characters without colon, backslash and "/action/"')

Preference = Literal["enabled", "disabled", "no-preference"]


class InstanceMetadata(Settings):
    """Defaults for instances launched from now on that say nothing themselves."""

    http_tokens: Literal["required", "optional", "no-preference"] = Field(
        "required", description="Whether the metadata service answers only requests with a token (IMDSv2)."
    )
    http_put_response_hop_limit: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None,
        description="How many network hops a token may travel, 1 to 64; containers need 2. null: no preference, which "
        "makes it 2 for images made for IMDSv2 and 1 for others.",
    )
    http_endpoint: Preference = Field("no-preference", description="Whether the metadata service answers at all.")
    instance_metadata_tags: Preference = Field("no-preference", description="Whether it provides an instance's tags.")


class FlowLogsBucket(LogBucket):
    """The bucket that is made for flow logs that go to S3."""

    access_log_bucket: BucketName | None = Field(
        None, description="Name of a bucket that receives the bucket's access logs; null writes none."
    )


class DefaultVpcFlowLogs(Settings):
    """Flow logs of the default VPC."""

    regions: Regions = Field((), description="Active regions whose default VPC is logged; billed by volume.")
    destination: Literal["cloud-watch-logs", "s3"] = Field(
        "cloud-watch-logs", description="Their destination: a log group in each region, or one bucket."
    )
    traffic_type: Literal["ALL", "ACCEPT", "REJECT"] = Field("ALL", description="Which traffic to log.")
    aggregation_seconds: Literal[60, 600] = Field(600, description="Seconds of traffic that one record aggregates.")
    log_group_name: LogGroupName = Field("/aws/vpc/default-vpc-flow-logs", description="Name of the log groups.")
    log_retention_days: RetentionDays = Field(365, description="Days that CloudWatch Logs keeps them.")
    role_name: Annotated[str, _role_name] = Field(
        "baseline-default-vpc-flow-logs", description="Name of the role that delivers to CloudWatch Logs."
    )
    bucket_arn: Annotated[str, _bucket_arn] | None = Field(
        None,
        description="ARN of an existing bucket, for instance in a log archive account; null creates one.",
    )
    bucket: FlowLogsBucket = Field(FlowLogsBucket(), description="The bucket to create where bucket_arn is null.")

    @model_validator(mode="after")
    def _bucket_needs_s3(self) -> DefaultVpcFlowLogs:
        made = self.bucket != FlowLogsBucket()
        if self.destination != "s3" and (made or self.bucket_arn is not None):
            raise ValueError("bucket and bucket_arn have no effect unless destination is s3")
        if made and self.bucket_arn is not None:
            raise ValueError("bucket has no effect together with bucket_arn, which names an existing bucket")
        return self


class Alert(Settings):
    """When a budget tells people."""

    percent: Annotated[float, Field(gt=0, le=1000)] = Field(
        description="Percent of the limit, more than 0, up to 1000."
    )
    of: Literal["ACTUAL", "FORECASTED"] = Field("ACTUAL", description="Which costs are compared with the limit.")


class Budget(Settings):
    """A cost budget; bounds are those of the Budgets API (CreateBudget)."""

    limit_usd: Annotated[float, Field(gt=0)] = Field(description="Limit of the period, in US dollars.")
    period: Literal["DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"] = Field("MONTHLY", description="Period of the limit.")
    alerts: Annotated[tuple[Alert, ...], Field(strict=False)] = Field(
        (Alert(percent=80), Alert(percent=100), Alert(percent=100, of="FORECASTED")),
        description="When to send alerts.",
    )
    email_addresses: Annotated[tuple[EmailAddress, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="E-mail addresses that receive alerts, up to ten."
    )
    sns_topic_arn: Annotated[str, _topic_arn] | None = Field(
        None,
        description="ARN of a topic that receives alerts, whose policy allows budgets.amazonaws.com to publish; null "
        "for none.",
    )
    cost_filters: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        {}, description="Dimension (Service, LinkedAccount, Region, TagKeyValue …) => values; empty counts everything."
    )

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Budget:
        if not self.email_addresses and self.sns_topic_arn is None:
            raise ValueError("a budget must have recipients: expected email_addresses, or an sns_topic_arn")
        if len(self.email_addresses) > 10:
            raise ValueError("a budget notifies at most ten email_addresses; give a mailing list, or an sns_topic_arn")
        if not 1 <= len(self.alerts) <= 10:
            raise ValueError("a budget must have 1 to 10 alerts")
        if not all(self.cost_filters.values()):
            raise ValueError("each of cost_filters must have at least one value")
        if self.period == "DAILY" and any(alert.of == "FORECASTED" for alert in self.alerts):
            raise ValueError("a DAILY budget takes alerts of ACTUAL costs only: AWS forecasts no single day")
        if len(set(self.alerts)) < len(self.alerts):
            raise ValueError("alerts must differ from each other")
        return self


class AccountDefaults(Settings):
    """Settings of `account_defaults`. A switch that is off leaves the account's own value alone."""

    block_s3_public_access: bool = Field(
        True,
        description="Whether no bucket of the account can be public, neither through its policy nor through ACLs, "
        "including buckets that are public now; false does not change the account's setting.",
    )
    ebs_encryption_by_default: bool = Field(
        True,
        description="Whether all new EBS volumes and snapshot copies are encrypted; false does not change the regions' "
        "setting.",
    )
    ebs_kms_key_arns: dict[Region, KeyArn] = Field(
        {},
        description="Region => ARN of the KMS key, in that region, that encrypts new volumes by default; other regions "
        "keep their default key, which is AWS's key aws/ebs unless it was changed.",
    )
    ebs_snapshot_public_access: Literal["block-all-sharing", "block-new-sharing", "unblocked"] | None = Field(
        "block-all-sharing",
        description="Public sharing of EBS snapshots: block-all-sharing also hides snapshots that are already public; "
        "null does not change the regions' setting.",
    )
    block_public_ami_sharing: bool = Field(
        True,
        description="Whether machine images cannot be made public; images that are already public stay public. false "
        "does not change the regions' setting.",
    )
    instance_metadata_defaults: InstanceMetadata | None = Field(
        InstanceMetadata(),
        description="Defaults of the instance metadata service; null does not change the regions' defaults.",
    )
    ssm_document_public_sharing: Literal["Disable", "Enable"] | None = Field(
        "Disable",
        description="Whether SSM documents can be shared publicly. Disable keeps those public that already are; null "
        "does not change the regions' setting.",
    )
    block_serial_console_access: bool = Field(
        True,
        description="Whether access to the EC2 serial console of the account's instances is off; false does not change "
        "the regions' setting.",
    )
    vpc_block_public_access: Literal["block-ingress", "block-bidirectional"] | None = Field(
        None,
        description="Mode of VPC Block Public Access. block-ingress: no VPC is reachable from the internet, outgoing "
        "connections through NAT gateways and egress-only internet gateways work. block-bidirectional: no "
        "traffic through internet gateways at all. Excluded VPCs and subnets are not blocked; null does "
        "not change the regions' mode.",
    )
    account_alias: Annotated[str, AfterValidator(_alias)] | None = Field(
        None,
        description="Name that replaces the account id in the address of the sign-in page, unique in all of AWS; null "
        "does not change the account's alias.",
    )
    closed_default_security_group_regions: Regions = Field(
        (),
        description="Active regions in which the security group named default of the default VPC loses every rule: "
        "resources that use it can then neither send nor receive.",
    )
    default_vpc_flow_logs: DefaultVpcFlowLogs = Field(
        DefaultVpcFlowLogs(),
        description="Flow logs of the default VPC, off by default because AWS bills them by volume.",
    )
    budgets: dict[Annotated[str, _budget_name], Budget] = Field({}, description="Name => cost budget with alerts.")

    @model_validator(mode="after")
    def _keys_in_their_regions(self) -> AccountDefaults:
        for region, arn in self.ebs_kms_key_arns.items():
            found = KEY_ARN.fullmatch(arn)
            if found is None or found["region"] != region:
                raise ValueError(f"ebs_kms_key_arns.{region} must be the ARN of a key in {region}: EBS uses no other")
        return self


COMPONENT = Component(
    name="account_defaults",
    title="Account defaults",
    purpose="Public access is blocked by default, volumes are encrypted, and instances start with IMDSv2.",
    scope=Scope.EVERY_REGION,
    settings=AccountDefaults,
    derived=("flow_logs_role_arn", "flow_logs_bucket_arn"),
    regions_in=("closed_default_security_group_regions", "default_vpc_flow_logs.regions", "ebs_kms_key_arns"),
    # Not the image block, the serial console and the default security group: deleting their resources weakens nothing
    # in AWS. Not the alias and the budgets: without them an account is no weaker.
    protects=(
        Protected("aws_s3_account_public_access_block"),
        Protected("aws_ebs_encryption_by_default"),
        Protected("aws_ebs_default_kms_key"),
        Protected("aws_ebs_snapshot_block_public_access"),
        Protected("aws_ec2_instance_metadata_defaults"),
        Protected("aws_ssm_service_setting"),
        Protected("aws_vpc_block_public_access_options"),
        Protected("aws_flow_log"),
        Protected("aws_cloudwatch_log_group"),
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy"),
        *LOG_BUCKET,
    ),
    profiles={"minimal": {}, "standard": {}, "strict": {}},
    lacking_in=(
        Lacking(
            "Budgets",
            (GOVCLOUD,),
            "budgets",
            "no budgets: the standard account that the GovCloud account belongs to is billed",
            GOVCLOUD_SERVICES,
        ),
    ),
    needs=(
        Need("s3:PutAccountPublicAccessBlock"),
        Need("ec2:EnableEbsEncryptionByDefault"),
        Need("ec2:EnableSnapshotBlockPublicAccess"),
        Need("ec2:ModifyInstanceMetadataDefaults"),
        Need("ec2:DisableSerialConsoleAccess"),
        Need("ssm:UpdateServiceSetting", "arn:{partition}:ssm:{region}:{account}:servicesetting/ssm/documents/*"),
        Need("ec2:GetEbsEncryptionByDefault"),
    ),
)
