data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_service.current.region
}

# The rules of every region (see findings/) use this role to put their events on the other account's event bus.
resource "aws_iam_role" "forward" {
  for_each = toset(var.findings == null ? [] : ["${var.name}-forward"])

  name               = each.key
  description        = "Lets EventBridge rules hand findings to the SIEM's event bus."
  assume_role_policy = data.aws_iam_policy_document.forward_trust.json
}

resource "aws_iam_role_policy" "forward" {
  for_each = aws_iam_role.forward

  name   = "put-events"
  role   = each.value.name
  policy = data.aws_iam_policy_document.forward.json
}

data "aws_iam_policy_document" "forward_trust" {
  statement {
    sid     = "EventBridge"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:events:*:${local.account_id}:rule/${var.name}-*"]
    }
  }
}

data "aws_iam_policy_document" "forward" {
  statement {
    sid       = "PutEvents"
    actions   = ["events:PutEvents"]
    resources = var.findings[*].event_bus_arn
  }
}
