variable "ebs_encryption_by_default" {
  description = "Whether all new EBS volumes and snapshot copies are encrypted; false does not change the region's setting."
  type        = bool
  default     = true
  nullable    = false
}

variable "ebs_kms_key_arns" {
  description = "Region => ARN of the KMS key, in that region, that encrypts new volumes by default; other regions keep their default key, which is AWS's key aws/ebs unless it was changed."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for region, arn in var.ebs_kms_key_arns : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:kms:${region}:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))])
    error_message = "ebs_kms_key_arns must name for each region the ARN of a key (not of an alias) in that region, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab."
  }
}

variable "ebs_snapshot_public_access" {
  description = "Public sharing of EBS snapshots: block-all-sharing (also hides snapshots that are already public), block-new-sharing (keeps those public), unblocked, or null, which does not change the region's setting."
  type        = string
  default     = "block-all-sharing"

  validation {
    condition     = var.ebs_snapshot_public_access == null ? true : contains(["block-all-sharing", "block-new-sharing", "unblocked"], var.ebs_snapshot_public_access)
    error_message = "ebs_snapshot_public_access must be block-all-sharing, block-new-sharing, unblocked or null."
  }
}

variable "block_public_ami_sharing" {
  description = "Whether machine images cannot be made public; images that are already public stay public. false does not change the region's setting."
  type        = bool
  default     = true
  nullable    = false
}

variable "instance_metadata_defaults" {
  description = "Defaults of the instance metadata service for new instances that do not set these options: http_tokens (required: only IMDSv2; optional; no-preference), http_put_response_hop_limit (1 to 64; null: no preference, so 2 for images made for IMDSv2 and 1 for others), http_endpoint and instance_metadata_tags (enabled, disabled, no-preference). null does not change the region's defaults."
  type = object({
    http_tokens                 = optional(string, "required")
    http_put_response_hop_limit = optional(number)
    http_endpoint               = optional(string, "no-preference")
    instance_metadata_tags      = optional(string, "no-preference")
  })
  default = {}

  validation {
    condition     = var.instance_metadata_defaults == null ? true : contains(["required", "optional", "no-preference"], var.instance_metadata_defaults.http_tokens)
    error_message = "instance_metadata_defaults.http_tokens must be required, optional or no-preference."
  }

  validation {
    condition     = try(var.instance_metadata_defaults.http_put_response_hop_limit, null) == null ? true : var.instance_metadata_defaults.http_put_response_hop_limit >= 1 && var.instance_metadata_defaults.http_put_response_hop_limit <= 64 && floor(var.instance_metadata_defaults.http_put_response_hop_limit) == var.instance_metadata_defaults.http_put_response_hop_limit
    error_message = "instance_metadata_defaults.http_put_response_hop_limit must be a whole number from 1 to 64, or null for no preference."
  }

  validation {
    condition     = var.instance_metadata_defaults == null ? true : alltrue([for value in [var.instance_metadata_defaults.http_endpoint, var.instance_metadata_defaults.instance_metadata_tags] : contains(["enabled", "disabled", "no-preference"], value)])
    error_message = "instance_metadata_defaults.http_endpoint and .instance_metadata_tags must be enabled, disabled or no-preference."
  }
}

variable "ssm_document_public_sharing" {
  description = "Whether SSM documents can be shared publicly: Disable (documents that are already public stay public), Enable, or null, which does not change the region's setting."
  type        = string
  default     = "Disable"

  validation {
    condition     = var.ssm_document_public_sharing == null ? true : contains(["Disable", "Enable"], var.ssm_document_public_sharing)
    error_message = "ssm_document_public_sharing must be Disable, Enable or null."
  }
}

variable "block_serial_console_access" {
  description = "Whether access to the EC2 serial console of the account's instances is off; false does not change the region's setting."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc_block_public_access" {
  description = "Mode of VPC Block Public Access: block-ingress (no VPC is reachable from the internet; outgoing connections through NAT gateways and egress-only internet gateways work), block-bidirectional (no traffic through internet gateways at all), or null, which does not change the region's mode. VPCs and subnets with an exclusion are not blocked."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_block_public_access == null ? true : contains(["block-ingress", "block-bidirectional"], var.vpc_block_public_access)
    error_message = "vpc_block_public_access must be block-ingress, block-bidirectional or null."
  }
}

variable "closed_default_security_group_regions" {
  description = "Regions in which the security group named default of the default VPC loses every rule, so that nothing that uses it can send or receive; none by default, because everything that was launched without a security group uses it."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "default_vpc_flow_logs" {
  description = "Flow logs of the default VPC: the regions that log (none by default, since it bills by volume), the destination (cloud-watch-logs or s3), the traffic (ALL, ACCEPT or REJECT), the seconds that are aggregated (60 or 600), log group with retention in days and delivery role for CloudWatch Logs, and for S3 the bucket to create, with transitions to cheaper storage classes (S3 moves no object smaller than 128 KB), or the ARN of an existing bucket."
  type = object({
    regions             = optional(set(string), [])
    destination         = optional(string, "cloud-watch-logs")
    traffic_type        = optional(string, "ALL")
    aggregation_seconds = optional(number, 600)
    log_group_name      = optional(string, "/aws/vpc/default-vpc-flow-logs")
    log_retention_days  = optional(number, 365)
    role_name           = optional(string, "baseline-default-vpc-flow-logs")
    bucket_arn          = optional(string)
    bucket = optional(object({
      name                               = optional(string)
      expiration_days                    = optional(number)
      noncurrent_version_expiration_days = optional(number, 90)
      transitions = optional(list(object({
        days          = number
        storage_class = string
      })), [])
      access_log_bucket = optional(string)
      force_destroy     = optional(bool, false)
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["cloud-watch-logs", "s3"], var.default_vpc_flow_logs.destination)
    error_message = "default_vpc_flow_logs.destination must be cloud-watch-logs or s3."
  }

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.default_vpc_flow_logs.traffic_type)
    error_message = "default_vpc_flow_logs.traffic_type must be ALL, ACCEPT or REJECT."
  }

  validation {
    condition     = contains([60, 600], var.default_vpc_flow_logs.aggregation_seconds)
    error_message = "default_vpc_flow_logs.aggregation_seconds must be 60 or 600."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,512}$", var.default_vpc_flow_logs.log_group_name))
    error_message = "default_vpc_flow_logs.log_group_name must be 1 to 512 letters, digits and the characters _ . / # -."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.default_vpc_flow_logs.log_retention_days)
    error_message = "default_vpc_flow_logs.log_retention_days must be a retention that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.default_vpc_flow_logs.role_name))
    error_message = "default_vpc_flow_logs.role_name must be 1 to 64 letters, digits and the characters _ + = , . @ -."
  }

  validation {
    condition     = var.default_vpc_flow_logs.bucket_arn == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\\s]+)?$", var.default_vpc_flow_logs.bucket_arn))
    error_message = "default_vpc_flow_logs.bucket_arn must be the ARN of a bucket, with a prefix if wanted, such as arn:aws:s3:::example-flow-logs/default-vpc."
  }

  validation {
    condition     = var.default_vpc_flow_logs.destination == "s3" || var.default_vpc_flow_logs.bucket_arn == null
    error_message = "default_vpc_flow_logs.bucket_arn has no effect unless destination is s3."
  }
}

variable "flow_logs_role_arn" {
  description = "ARN of the role that delivers flow logs to CloudWatch Logs (output of the flow_logs module); required if flow logs are delivered there."
  type        = string
  default     = null

  validation {
    condition     = length(var.default_vpc_flow_logs.regions) == 0 || var.default_vpc_flow_logs.destination == "s3" || var.flow_logs_role_arn != null
    error_message = "flow_logs_role_arn must be set when flow logs are delivered to CloudWatch Logs."
  }
}

variable "flow_logs_bucket_arn" {
  description = "ARN of the bucket, optionally with a prefix, that receives flow logs (output of the flow_logs module); required if flow logs are delivered to S3."
  type        = string
  default     = null

  validation {
    condition     = length(var.default_vpc_flow_logs.regions) == 0 || var.default_vpc_flow_logs.destination != "s3" || var.flow_logs_bucket_arn != null
    error_message = "flow_logs_bucket_arn must be set when flow logs are delivered to S3."
  }
}
