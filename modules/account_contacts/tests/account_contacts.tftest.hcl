mock_provider "aws" {}

variables {
  root_email_address = "aws-root@example.com"
  security           = { name = "Security Team", title = "Security", email_address = "security@example.com", phone_number = "+49 30 1234567" }
}

run "least" {
  command = plan

  assert {
    condition     = aws_account_alternate_contact.security.alternate_contact_type == "SECURITY" && aws_account_alternate_contact.security.email_address == "security@example.com"
    error_message = "AWS must know the security contact (CIS 5.0 1.2)."
  }

  assert {
    condition     = length(aws_account_alternate_contact.billing) + length(aws_account_alternate_contact.operations) + length(aws_account_primary_contact.this) == 0
    error_message = "Contacts that are not given must be left as they are."
  }

  assert {
    condition     = output.root_email_address == "aws-root@example.com"
    error_message = "Root's address must be recorded."
  }
}

run "everybody" {
  command = plan

  variables {
    billing    = { name = "Accounting", title = "Accounting", email_address = "billing@example.com", phone_number = "+1 (555) 555-0100" }
    operations = { name = "Operations", title = "On call", email_address = "operations@example.com", phone_number = "+49301234567" }
    primary    = { full_name = "Erika Mustermann", address_line_1 = "Example Street 1", city = "Vienna", postal_code = "1010", country_code = "AT", phone_number = "+43 1 234567" }
  }

  assert {
    condition     = aws_account_alternate_contact.billing["BILLING"].name == "Accounting" && aws_account_alternate_contact.operations["OPERATIONS"].title == "On call"
    error_message = "Each contact must get its own values."
  }

  assert {
    condition     = aws_account_primary_contact.this["primary"].country_code == "AT" && aws_account_primary_contact.this["primary"].company_name == null
    error_message = "The primary contact must get its values, and none that were not given."
  }
}

run "addresses_and_numbers_that_reach_nobody" {
  command = plan

  variables {
    security   = { name = "", title = "", email_address = "security", phone_number = "030 1234567" }
    billing    = { name = "", title = "", email_address = "billing", phone_number = "030 1234567" }
    operations = { name = "", title = "", email_address = "operations", phone_number = "030 1234567" }
    primary    = { full_name = "", address_line_1 = "x", city = "x", postal_code = "x", country_code = "de", phone_number = "030 1234567", website_url = "example.com" }
  }

  expect_failures = [var.security, var.billing, var.operations, var.primary]
}

run "no_mailbox_of_its_own_and_no_state" {
  command = plan

  variables {
    root_email_address = "Security@example.com"
    primary            = { full_name = "Erika Mustermann", address_line_1 = "Example Street 1", city = "Berlin", postal_code = "10115", country_code = "DE", phone_number = "+49 30 1234567" }
  }

  expect_failures = [var.root_email_address, var.primary]
}

run "no_mailbox_at_all" {
  command = plan

  variables {
    root_email_address = "nobody"
  }

  expect_failures = [var.root_email_address]
}
