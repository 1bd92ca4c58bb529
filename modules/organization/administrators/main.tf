# Called from the management account, once per region: both services have one administrator per region.

resource "aws_guardduty_organization_admin_account" "this" {
  for_each = toset(compact([var.security_administrator_account_id]))

  admin_account_id = each.key
}

resource "aws_securityhub_organization_admin_account" "this" {
  for_each = toset(compact([var.security_administrator_account_id]))

  admin_account_id = each.key
}
