# The real provider, offline: policy documents are evaluated by it and need no AWS.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

run "subscription_alone" {
  command = plan

  variables {
    accept_one_year_commitment = true
  }

  assert {
    condition     = aws_shield_subscription.this.auto_renew == "ENABLED"
    error_message = "Protection must not end unasked."
  }

  assert {
    condition     = length(aws_shield_protection.this) + length(aws_shield_protection_group.this) + length(aws_iam_role.response_team) + length(aws_shield_proactive_engagement.this) == 0
    error_message = "Nobody but the account's owner gets in, and nothing is protected, unless asked for."
  }
}

run "every_switch" {
  command = plan

  variables {
    accept_one_year_commitment = true
    auto_renew                 = false
    protections = {
      "website"  = { resource_arn = "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE", automatic_response = "block", health_check_arn = "arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab" }
      "api"      = { resource_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/api/1234567890abcdef", automatic_response = "count" }
      "dns zone" = { resource_arn = "arn:aws:route53:::hostedzone/Z1EXAMPLE" }
    }
    protection_groups = {
      everything = { pattern = "ALL", aggregation = "MAX" }
      sites      = { pattern = "BY_RESOURCE_TYPE", resource_type = "CLOUDFRONT_DISTRIBUTION" }
      shop       = { pattern = "ARBITRARY", aggregation = "MEAN", protections = ["website", "api"] }
    }
    response_team = { log_buckets = ["example-flow-logs"] }
    emergency_contacts = [
      { email_address = "security@example.com", phone_number = "+4930123456", notes = "Around the clock." },
      { email_address = "on-call@example.com", phone_number = "+4930123457" },
    ]
  }

  assert {
    condition     = aws_shield_subscription.this.auto_renew == "DISABLED"
    error_message = "The renewal must follow its setting."
  }

  assert {
    condition     = { for name, response in aws_shield_application_layer_automatic_response.this : name => response.action } == { website = "BLOCK", api = "COUNT" }
    error_message = "Attacks must be answered where it is asked for."
  }

  assert {
    condition     = { for name, check in aws_shield_protection_health_check_association.this : name => check.health_check_arn } == { website = "arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab" }
    error_message = "A protection must have the health check that is named for it, and no other one any."
  }

  assert {
    condition = (
      aws_shield_protection_group.this["shop"].members == tolist(["arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/api/1234567890abcdef", "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"])
      && aws_shield_protection_group.this["sites"].resource_type == "CLOUDFRONT_DISTRIBUTION"
      && aws_shield_protection_group.this["everything"].members == null
      && { for id, group in aws_shield_protection_group.this : id => group.aggregation } == { everything = "MAX", shop = "MEAN", sites = "SUM" }
    )
    error_message = "Each group must have what its pattern says."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.response_team["baseline-shield-response-team"].assume_role_policy).Statement[0].Principal == { Service = "drt.shield.amazonaws.com" }
      && aws_iam_role_policy_attachment.response_team["baseline-shield-response-team"].policy_arn == "arn:aws:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy"
      && keys(aws_shield_drt_access_log_bucket_association.this) == ["example-flow-logs"]
    )
    error_message = "The response team must get AWS's own policy for it, and the named logs."
  }

  assert {
    condition     = aws_shield_proactive_engagement.this["emergency_contacts"].enabled && aws_shield_proactive_engagement.this["emergency_contacts"].emergency_contact[*].phone_number == tolist(["+4930123456", "+4930123457"])
    error_message = "The contacts must be called."
  }
}

run "refused_without_consent" {
  command = plan

  variables {
    accept_one_year_commitment = false
  }

  expect_failures = [var.accept_one_year_commitment]
}

run "refused" {
  command = plan

  variables {
    accept_one_year_commitment = true
    name                       = "a name"
    protections                = { "a/b" = { resource_arn = "arn:aws:s3:::bucket", automatic_response = "drop" } }
    response_team              = { log_buckets = ["No_Bucket"] }
  }

  expect_failures = [var.name, var.protections, var.response_team]
}

run "refused_values" {
  command = plan

  variables {
    accept_one_year_commitment = true
    protection_groups          = { "a_b" = { pattern = "SOME", aggregation = "MIN" } }
    response_team              = {}
    emergency_contacts         = [{ email_address = "nobody", phone_number = "030", notes = "" }]
  }

  expect_failures = [var.protection_groups, var.emergency_contacts]
}

run "refused_response_of_dns" {
  command = plan

  variables {
    accept_one_year_commitment = true
    protections                = { zone = { resource_arn = "arn:aws:route53:::hostedzone/Z1EXAMPLE", automatic_response = "block" } }
  }

  expect_failures = [var.protections]
}

run "refused_health_checks" {
  command = plan

  variables {
    accept_one_year_commitment = true
    protections = {
      zone    = { resource_arn = "arn:aws:route53:::hostedzone/Z1EXAMPLE", health_check_arn = "arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab" }
      website = { resource_arn = "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE", health_check_arn = "1234abcd-12ab-34cd-56ef-1234567890ab" }
    }
  }

  expect_failures = [var.protections]
}

run "refused_contacts_whom_no_health_check_engages" {
  command = plan

  variables {
    accept_one_year_commitment = true
    protections                = { website = { resource_arn = "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE" } }
    response_team              = {}
    emergency_contacts         = [{ email_address = "a@example.com", phone_number = "+4930123456" }]
  }

  expect_failures = [var.emergency_contacts]
}

run "refused_combinations" {
  command = plan

  variables {
    accept_one_year_commitment = true
    protections                = { zone = { resource_arn = "arn:aws:route53:::hostedzone/Z1EXAMPLE" } }
    protection_groups          = { a = { pattern = "BY_RESOURCE_TYPE" }, b = { pattern = "ARBITRARY", protections = ["none"] }, c = { pattern = "ALL", protections = ["zone"] } }
    emergency_contacts         = [{ email_address = "a@example.com", phone_number = "+4930123456" }]
  }

  expect_failures = [var.protection_groups, var.emergency_contacts]
}
