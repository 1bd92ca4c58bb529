# The organization itself, or a data source for the existing one.

resource "aws_organizations_organization" "this" {
  for_each = toset(var.manage_organization ? ["managed"] : [])

  feature_set = "ALL"
  aws_service_access_principals = setunion(
    var.trusted_services,
    toset(flatten(values(data.aws_organizations_organization.before)[*].aws_service_access_principals)),
  )
  enabled_policy_types = var.enabled_policy_types
}

# Services enable themselves, too (a console's button, another account's request): the list replaces all of them. Not
# read by default, because there is nothing to read if this module creates the organization.
data "aws_organizations_organization" "before" {
  for_each = toset(var.manage_organization && var.keep_trusted_services ? ["trusted"] : [])
}

data "aws_organizations_organization" "existing" {
  for_each = toset(var.manage_organization ? [] : ["existing"])

  lifecycle {
    postcondition {
      condition = length(setsubtract(
        [for policy in values(var.policies) : policy.type],
        [for kind in flatten(self.roots[*].policy_types) : kind.type if kind.status == "ENABLED"],
      )) == 0
      error_message = "The organization has a policy type switched off of which there are policies: switch it on (aws organizations enable-policy-type), or let this module manage the organization."
    }
  }
}

locals {
  organization = one(concat(
    values(aws_organizations_organization.this),
    values(data.aws_organizations_organization.existing),
  ))
  root_id = local.organization.roots[0].id
}

resource "aws_organizations_delegated_administrator" "this" {
  for_each = merge([
    for service, accounts in var.delegated_administrators : {
      for account in accounts : "${service}/${account}" => { service = service, account = account }
    }
  ]...)

  service_principal = each.value.service
  account_id        = each.value.account

  # A service needs trusted access before it can have an administrator.
  depends_on = [aws_organizations_organization.this]
}
