mock_provider "aws" {
  mock_resource "aws_organizations_organization" {
    defaults = {
      id    = "o-a1b2c3d4e5"
      roots = [{ arn = "arn:aws:organizations::123456789012:root/o-a1b2c3d4e5/r-ab12", id = "r-ab12", name = "Root", policy_types = [] }]
    }
  }

  mock_data "aws_organizations_organization" {
    defaults = {
      id    = "o-a1b2c3d4e5"
      roots = [{ arn = "arn:aws:organizations::123456789012:root/o-a1b2c3d4e5/r-ab12", id = "r-ab12", name = "Root", policy_types = [{ status = "ENABLED", type = "SERVICE_CONTROL_POLICY" }] }]
    }
  }
}

override_resource {
  target = aws_organizations_organizational_unit.level_1
  values = { id = "ou-ab12-level100" }
}

override_resource {
  target = aws_organizations_organizational_unit.level_2
  values = { id = "ou-ab12-level200" }
}

override_resource {
  target = aws_organizations_organizational_unit.level_3
  values = { id = "ou-ab12-level300" }
}

override_resource {
  target = aws_organizations_organizational_unit.level_4
  values = { id = "ou-ab12-level400" }
}

override_resource {
  target = aws_organizations_organizational_unit.level_5
  values = { id = "ou-ab12-level500" }
}

run "defaults" {
  command = plan

  assert {
    condition     = contains(aws_organizations_organization.this["managed"].enabled_policy_types, "SERVICE_CONTROL_POLICY") && contains(aws_organizations_organization.this["managed"].aws_service_access_principals, "iam.amazonaws.com")
    error_message = "The organization must have its policy types and trusted services."
  }

  assert {
    condition     = aws_organizations_organization.this["managed"].feature_set == "ALL" && length(data.aws_organizations_organization.existing) == 0
    error_message = "The organization must have all features."
  }

  assert {
    condition     = length(aws_organizations_policy.control) + length(aws_organizations_policy_attachment.this) + length(aws_organizations_delegated_administrator.this) == 0
    error_message = "Nothing else must be made unasked."
  }
}

run "everything" {
  command = apply

  variables {
    organizational_units = ["A", "A/B", "A/B/C", "A/B/C/D", "A/B/C/D/E"]
    policies = {
      limits = { type = "SERVICE_CONTROL_POLICY", description = "Limits", content = jsonencode({ Version = "2012-10-17" }), targets = ["root", "A/B/C/D/E", "ou-ab12-cdefgh34", "111122223333"] }
      tags   = { type = "TAG_POLICY", description = "", content = jsonencode({ tags = {} }), targets = ["A"] }
      images = { type = "DECLARATIVE_POLICY_EC2", description = "", content = jsonencode({ ec2_attributes = {} }), targets = ["A"] }
    }
    enabled_policy_types     = ["SERVICE_CONTROL_POLICY", "TAG_POLICY", "DECLARATIVE_POLICY_EC2"]
    delegated_administrators = { "config.amazonaws.com" = ["111122223333", "444455556666"] }
  }

  assert {
    condition = (
      aws_organizations_organizational_unit.level_1["A"].parent_id == "r-ab12"
      && aws_organizations_organizational_unit.level_5["A/B/C/D/E"].parent_id == "ou-ab12-level400"
      && aws_organizations_organizational_unit.level_5["A/B/C/D/E"].name == "E"
    )
    error_message = "Each unit must be in its parent, by its own name."
  }

  assert {
    condition = { for key, attachment in aws_organizations_policy_attachment.this : key => attachment.target_id } == {
      "limits/root"             = "r-ab12"
      "limits/A/B/C/D/E"        = "ou-ab12-level500"
      "limits/ou-ab12-cdefgh34" = "ou-ab12-cdefgh34"
      "limits/111122223333"     = "111122223333"
      "tags/A"                  = "ou-ab12-level100"
      "images/A"                = "ou-ab12-level100"
    }
    error_message = "Each policy must be attached where it is said."
  }

  assert {
    condition     = keys(aws_organizations_policy.control) == ["limits"] && keys(aws_organizations_policy.management) == ["images", "tags"]
    error_message = "Policies that limit and policies that manage are different resources."
  }

  assert {
    condition     = keys(aws_organizations_delegated_administrator.this) == ["config.amazonaws.com/111122223333", "config.amazonaws.com/444455556666"]
    error_message = "Each account must be registered for each service."
  }

  assert {
    condition     = output.root_id == "r-ab12" && output.organization_id == "o-a1b2c3d4e5" && keys(output.organizational_unit_ids) == ["A", "A/B", "A/B/C", "A/B/C/D", "A/B/C/D/E"] && keys(output.policy_ids) == ["images", "limits", "tags"]
    error_message = "Outputs must name what there is."
  }
}

run "trusted_services_that_are_kept" {
  variables {
    trusted_services      = ["config.amazonaws.com"]
    keep_trusted_services = true
  }

  override_data {
    target = data.aws_organizations_organization.before
    values = {
      id                            = "o-a1b2c3d4e5"
      aws_service_access_principals = ["config.amazonaws.com", "ram.amazonaws.com"]
    }
  }

  command = plan

  assert {
    condition     = aws_organizations_organization.this["managed"].aws_service_access_principals == toset(["config.amazonaws.com", "ram.amazonaws.com"])
    error_message = "What is trusted already must stay, beside what is listed."
  }
}

run "looked_up" {
  command = plan

  variables {
    manage_organization = false
    policies            = { limits = { type = "SERVICE_CONTROL_POLICY", description = "", content = "{}", targets = ["root"] } }
  }

  assert {
    condition     = length(aws_organizations_organization.this) == 0 && aws_organizations_policy_attachment.this["limits/root"].target_id == "r-ab12"
    error_message = "An organization that is only looked up must not be managed."
  }
}

run "looked_up_with_a_type_switched_off" {
  command = plan

  variables {
    manage_organization = false
    policies            = { tags = { type = "TAG_POLICY", description = "", content = "{}", targets = ["root"] } }
  }

  expect_failures = [data.aws_organizations_organization.existing]
}

run "refused" {
  command = plan

  variables {
    trusted_services         = ["config"]
    enabled_policy_types     = ["SCP"]
    organizational_units     = ["A/B", "/"]
    delegated_administrators = { "config" = ["1"] }
  }

  expect_failures = [
    var.trusted_services,
    var.enabled_policy_types,
    var.organizational_units,
    var.delegated_administrators,
  ]
}

run "refused_policies" {
  command = plan

  variables {
    policies = { x = { type = "SCP", description = "", content = "{", targets = ["Nowhere"] } }
  }

  expect_failures = [var.policies]
}
