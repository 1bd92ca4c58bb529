data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  arn_prefix = "arn:${data.aws_partition.current.partition}:securityhub"

  # The part of each standard's ARN after the region; only the oldest standard's ARN has no region.
  standard_paths = {
    "cis-1.2"              = "::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
    "cis-1.4"              = ":standards/cis-aws-foundations-benchmark/v/1.4.0"
    "cis-3.0"              = ":standards/cis-aws-foundations-benchmark/v/3.0.0"
    "cis-5.0"              = ":standards/cis-aws-foundations-benchmark/v/5.0.0"
    "fsbp-1.0"             = ":standards/aws-foundational-security-best-practices/v/1.0.0"
    "nist-800-171-r2"      = ":standards/nist-800-171/v/2.0.0"
    "nist-800-53-r5"       = ":standards/nist-800-53/v/5.0.0"
    "pci-dss-3.2.1"        = ":standards/pci-dss/v/3.2.1"
    "pci-dss-4.0.1"        = ":standards/pci-dss/v/4.0.1"
    "resource-tagging-1.0" = ":standards/aws-resource-tagging-standard/v/1.0.0"
  }

  # A standard without a short name is given as the end of its ARN.
  standard_arns = {
    for standard in var.standards : standard => (
      standard == "cis-1.2"
      ? "${local.arn_prefix}:${local.standard_paths[standard]}"
      : "${local.arn_prefix}:${data.aws_service.current.region}:${lookup(local.standard_paths, standard, ":standards/${standard}")}"
    )
  }

  # One switch per control and standard, of those that are for this region.
  switches = merge([
    for id, control in var.controls : {
      for standard in control.standards : "${id}/${standard}" => {
        control  = id
        standard = standard
        enabled  = control.enabled
        reason   = control.reason
      }
    } if control.regions == "all" || (control.regions == "home") == var.is_home_region
  ]...)
}

resource "aws_securityhub_account" "this" {
  # AWS's default standards include an outdated one: the standards are chosen by name below.
  enable_default_standards = false
  auto_enable_controls     = var.auto_enable_controls
  # Null leaves the value to the organization's administrator: "For accounts that are part of an organization, this value can
  # only be updated in the administrator account."
  # https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_UpdateSecurityHubConfiguration.html
  control_finding_generator = var.control_finding_generator
}

resource "aws_securityhub_standards_subscription" "this" {
  for_each = var.standards

  standards_arn = local.standard_arns[each.key]

  depends_on = [aws_securityhub_account.this]
}

# Deleting one of these does not change the control: to enable it again, apply `enabled = true` first.
resource "aws_securityhub_standards_control_association" "this" {
  for_each = local.switches

  security_control_id = each.value.control
  standards_arn       = local.standard_arns[each.value.standard]
  association_status  = each.value.enabled ? "ENABLED" : "DISABLED"
  updated_reason      = each.value.reason

  depends_on = [aws_securityhub_standards_subscription.this]
}

# Linked regions are named one by one: linking all of them would also collect findings of regions that are not active here.
resource "aws_securityhub_finding_aggregator" "this" {
  for_each = toset(var.finding_aggregation && length(var.linked_regions) > 0 ? ["linked_regions"] : [])

  linking_mode      = "SPECIFIED_REGIONS"
  specified_regions = sort(var.linked_regions)

  depends_on = [aws_securityhub_account.this]
}
