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
