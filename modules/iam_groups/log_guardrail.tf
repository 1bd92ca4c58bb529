# Denied to members of all groups but administrator groups: changes to what holds the account's logs and carries its
# alerts. By name, since members may do the same with resources of their own. A second policy: IAM's 6,144 characters do
# not hold both.
#
# Not in the policies of buckets and keys, which cannot distinguish groups (modules/shared/log_bucket): a principal that
# one of them forgot could be let in again by the root user alone.
locals {
  log_resources = flatten([
    [for name in var.protected.buckets : [for part in ["", "/*"] : "arn:${local.partition}:s3:::${name}${part}"]],
    # With :* for everything but tags; the Service Authorization Reference has the form without it. Source: CloudWatch
    # Logs User Guide, "Overview of managing access permissions to your CloudWatch Logs resources".
    [for name in var.protected.log_groups : [for part in ["", ":*"] : "arn:${local.partition}:logs:*:${local.account_id}:log-group:${name}${part}"]],
    [for name in var.protected.key_aliases : "arn:${local.partition}:kms:*:${local.account_id}:alias/${name}"],
    [for name in var.protected.topics : "arn:${local.partition}:sns:*:${local.account_id}:${name}"],
    [for name in var.protected.event_rules : "arn:${local.partition}:events:*:${local.account_id}:rule/${name}"],
    # A mute rule needs the permission on each alarm that it silences (CloudWatch API Reference, PutAlarmMuteRule).
    [for name in var.protected.alarms : "arn:${local.partition}:cloudwatch:*:${local.account_id}:alarm:${name}"],
    [for name in var.protected.schedule_groups : [for kind in ["schedule-group/${name}", "schedule/${name}/*"] : "arn:${local.partition}:scheduler:*:${local.account_id}:${kind}"]],
  ])
}

data "aws_iam_policy_document" "log_guardrail" {
  dynamic "statement" {
    for_each = length(local.log_resources) == 0 ? [] : [local.log_resources]

    content {
      sid       = "DenyTamperingWithLogsAndAlerts"
      effect    = "Deny"
      actions   = local.tampering
      resources = statement.value
    }
  }

  # A key's ARN is known only once it exists, and then the policy would be unknown in the first plan. Its alias is known
  # before, and the statement above keeps it. Source: KMS Developer Guide, "Use aliases to control access to KMS keys".
  dynamic "statement" {
    for_each = length(var.protected.key_aliases) == 0 ? [] : [var.protected.key_aliases]

    content {
      sid       = "DenyTamperingWithTheirKeys"
      effect    = "Deny"
      actions   = local.key_tampering
      resources = ["arn:${local.partition}:kms:*:${local.account_id}:key/*"]

      condition {
        test     = "ForAnyValue:StringEquals"
        variable = "kms:ResourceAliases"
        values   = [for name in statement.value : "alias/${name}"]
      }
    }
  }
}

resource "aws_iam_policy" "log_guardrail" {
  for_each = toset(length(local.log_resources) == 0 ? [] : ["logs"])

  name        = var.log_guardrail_policy_name
  description = "Denies changes to what holds logs and carries alerts to groups that are not administrator groups"
  policy      = data.aws_iam_policy_document.log_guardrail.json

  lifecycle {
    precondition {
      condition     = length(replace(data.aws_iam_policy_document.log_guardrail.json, "/\\s/", "")) <= 6144
      error_message = "The policy ${var.log_guardrail_policy_name} must have at most 6144 characters, white space not counted (IAM's quota): protect fewer resources, or join some by a wildcard."
    }
  }
}

resource "aws_iam_group_policy_attachment" "log_guardrail" {
  for_each = length(local.log_resources) == 0 ? toset([]) : local.guarded_groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.log_guardrail["logs"].arn
}
