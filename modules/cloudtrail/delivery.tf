resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_iam_role" "delivery" {
  name               = "${var.name}-cloudtrail-delivery"
  description        = "Lets the CloudTrail trail ${var.name} write its events to CloudWatch Logs."
  assume_role_policy = data.aws_iam_policy_document.delivery_trust.json
}

# No aws:SourceArn or aws:SourceAccount here: CloudTrail does not send them when it assumes this role, and with either
# condition the delivery stops (prowler-cloud/prowler#4714). CloudTrail accepts a role only from a caller of the role's
# own account with permission to pass it, so another account's trail cannot use this role.
data "aws_iam_policy_document" "delivery_trust" {
  statement {
    sid     = "CloudTrail"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "delivery" {
  name   = "write-events"
  role   = aws_iam_role.delivery.name
  policy = data.aws_iam_policy_document.delivery.json
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid     = "WriteEvents"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    # CloudTrail names its log streams after the account or the organization whose events they contain.
    resources = concat(
      ["${local.log_group_arn}:log-stream:${local.account_id}_CloudTrail_${local.region}*"],
      [for id in var.organization_id[*] : "${local.log_group_arn}:log-stream:${id}_*"],
    )
  }
}
