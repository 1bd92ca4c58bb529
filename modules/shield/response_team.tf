locals {
  response_team = toset(var.response_team == null ? [] : ["${var.name}-response-team"])
}

# AWS's Shield Response Team assumes this role when it mitigates an attack.
resource "aws_iam_role" "response_team" {
  for_each = local.response_team

  name               = each.key
  description        = "Lets AWS's Shield Response Team see and mitigate attacks."
  assume_role_policy = data.aws_iam_policy_document.response_team_trust.json
}

# No aws:SourceAccount or aws:SourceArn: AWS employees assume the role, not a service for a resource, and AWS documents
# neither key here. AWS accepts a role only from a caller of the role's own account with permission to pass it.
data "aws_iam_policy_document" "response_team_trust" {
  statement {
    sid     = "ShieldResponseTeam"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["drt.shield.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy_attachment" "response_team" {
  for_each = aws_iam_role.response_team

  role       = each.value.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy"
}

resource "aws_shield_drt_access_role_arn_association" "this" {
  for_each = aws_iam_role.response_team

  role_arn = each.value.arn

  depends_on = [aws_iam_role_policy_attachment.response_team, aws_shield_subscription.this]
}

resource "aws_shield_drt_access_log_bucket_association" "this" {
  for_each = toset(var.response_team == null ? [] : var.response_team.log_buckets)

  log_bucket              = each.key
  role_arn_association_id = one([for association in aws_shield_drt_access_role_arn_association.this : association.id])
}

resource "aws_shield_proactive_engagement" "this" {
  for_each = toset(length(var.emergency_contacts) > 0 ? ["emergency_contacts"] : [])

  enabled = true

  dynamic "emergency_contact" {
    for_each = var.emergency_contacts

    content {
      email_address = emergency_contact.value.email_address
      phone_number  = emergency_contact.value.phone_number
      contact_notes = emergency_contact.value.notes
    }
  }

  # The team contacts people by the health checks.
  depends_on = [aws_shield_drt_access_role_arn_association.this, aws_shield_protection_health_check_association.this]
}
