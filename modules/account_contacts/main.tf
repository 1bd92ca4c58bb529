# Without account_id these are the contacts of the account whose credentials Terraform has.

resource "aws_account_alternate_contact" "security" {
  alternate_contact_type = "SECURITY"
  name                   = var.security.name
  title                  = var.security.title
  email_address          = var.security.email_address
  phone_number           = var.security.phone_number
}

resource "aws_account_alternate_contact" "billing" {
  for_each = { for type, contact in { BILLING = var.billing } : type => contact if contact != null }

  alternate_contact_type = each.key
  name                   = each.value.name
  title                  = each.value.title
  email_address          = each.value.email_address
  phone_number           = each.value.phone_number
}

resource "aws_account_alternate_contact" "operations" {
  for_each = { for type, contact in { OPERATIONS = var.operations } : type => contact if contact != null }

  alternate_contact_type = each.key
  name                   = each.value.name
  title                  = each.value.title
  email_address          = each.value.email_address
  phone_number           = each.value.phone_number
}

# An account always has a primary contact, at first the one from sign-up: this overwrites it, and `destroy` does not change it.
resource "aws_account_primary_contact" "this" {
  for_each = { for name, contact in { primary = var.primary } : name => contact if contact != null }

  full_name          = each.value.full_name
  company_name       = each.value.company_name
  address_line_1     = each.value.address_line_1
  address_line_2     = each.value.address_line_2
  address_line_3     = each.value.address_line_3
  city               = each.value.city
  district_or_county = each.value.district_or_county
  state_or_region    = each.value.state_or_region
  postal_code        = each.value.postal_code
  country_code       = each.value.country_code
  phone_number       = each.value.phone_number
  website_url        = each.value.website_url
}
