data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_config_configuration_aggregator" "organization" {
  for_each = aws_iam_role_policy_attachment.organization

  name = var.config_aggregator.name

  organization_aggregation_source {
    all_regions = true
    role_arn    = aws_iam_role.organization[each.key].arn
  }
}

# AWS Config assumes this role to list the organization's accounts.
resource "aws_iam_role" "organization" {
  for_each = toset(var.config_aggregator.enabled ? [var.config_aggregator.role_name] : [])

  name               = each.key
  description        = "Lets AWS Config list the organization's accounts for its aggregator."
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "organization" {
  for_each = aws_iam_role.organization

  role       = each.value.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "Config"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
