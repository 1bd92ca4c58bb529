mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_service" {
    defaults = { region = "eu-central-1" }
  }

  mock_data "aws_ssoadmin_instances" {
    defaults = {
      arns               = ["arn:aws:sso:::instance/ssoins-1234567890abcdef"]
      identity_store_ids = ["d-1234567890"]
    }
  }

  mock_data "aws_identitystore_group" {
    defaults = { group_id = "1234567890-12345678-1234-1234-1234-123456789012" }
  }

  mock_data "aws_identitystore_user" {
    defaults = { user_id = "1234567890-87654321-1234-1234-1234-123456789012" }
  }
}

run "defaults" {
  command = plan

  variables {
    permission_sets = { audit = { managed_policies = ["SecurityAudit", "job-function/ViewOnlyAccess"] } }
  }

  assert {
    condition = (
      aws_ssoadmin_permission_set.this["audit"].session_duration == "PT1H"
      && aws_ssoadmin_permission_set.this["audit"].instance_arn == "arn:aws:sso:::instance/ssoins-1234567890abcdef"
    )
    error_message = "A session must be short, and the instance found."
  }

  assert {
    condition = { for key, attachment in aws_ssoadmin_managed_policy_attachment.this : key => attachment.managed_policy_arn } == {
      "audit/SecurityAudit"               = "arn:aws:iam::aws:policy/SecurityAudit"
      "audit/job-function/ViewOnlyAccess" = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
    }
    error_message = "AWS managed policies must be attached by their names."
  }

  assert {
    condition     = length(aws_ssoadmin_account_assignment.this) + length(aws_ssoadmin_permissions_boundary_attachment.this) + length(aws_ssoadmin_permission_set_inline_policy.this) == 0
    error_message = "Nobody must get anything unasked."
  }
}

run "every_switch" {
  command = plan

  variables {
    instance = { arn = "arn:aws:sso:::instance/ssoins-fedcba0987654321", identity_store_id = "d-0987654321" }
    permission_sets = {
      admin = {
        description               = "Administration."
        session_hours             = 4
        relay_state               = "https://eu-central-1.console.aws.amazon.com/iam/"
        managed_policies          = ["AdministratorAccess"]
        customer_managed_policies = { extra = "/", guard = "/team/" }
        permissions_boundary      = { customer_managed_policy = "boundary", path = "/team/" }
        assignments = {
          "111122223333" = { groups = ["Admins"], users = ["anna"] }
          "444455556666" = { group_ids = ["1234567890-aaaaaaaa-1234-1234-1234-123456789012"], user_ids = ["bbbbbbbb-1234-1234-1234-123456789012"] }
        }
      }
      read = { permissions_boundary = { managed_policy = "ReadOnlyAccess" } }
    }
    inline_policies = { read = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  assert {
    condition     = length(data.aws_ssoadmin_instances.this) == 0 && aws_ssoadmin_permission_set.this["admin"].instance_arn == "arn:aws:sso:::instance/ssoins-fedcba0987654321" && aws_ssoadmin_permission_set.this["admin"].session_duration == "PT4H"
    error_message = "The given instance must be used."
  }

  assert {
    condition = { for key, a in aws_ssoadmin_account_assignment.this : key => "${a.target_id} ${a.principal_type} ${a.principal_id}" } == {
      "admin/111122223333/group/Admins"                                             = "111122223333 GROUP 1234567890-12345678-1234-1234-1234-123456789012"
      "admin/111122223333/user/anna"                                                = "111122223333 USER 1234567890-87654321-1234-1234-1234-123456789012"
      "admin/444455556666/group-id/1234567890-aaaaaaaa-1234-1234-1234-123456789012" = "444455556666 GROUP 1234567890-aaaaaaaa-1234-1234-1234-123456789012"
      "admin/444455556666/user-id/bbbbbbbb-1234-1234-1234-123456789012"             = "444455556666 USER bbbbbbbb-1234-1234-1234-123456789012"
    }
    error_message = "Each of the named must get the set in the named account, and nobody else."
  }

  assert {
    condition     = data.aws_identitystore_group.this["Admins"].alternate_identifier[0].unique_attribute[0].attribute_path == "DisplayName" && data.aws_identitystore_user.this["anna"].alternate_identifier[0].unique_attribute[0].attribute_path == "UserName"
    error_message = "Names must be looked up as such."
  }

  assert {
    condition = (
      aws_ssoadmin_permissions_boundary_attachment.this["admin"].permissions_boundary[0].customer_managed_policy_reference[0].path == "/team/"
      && aws_ssoadmin_permissions_boundary_attachment.this["read"].permissions_boundary[0].managed_policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    error_message = "Boundaries must be set."
  }

  assert {
    condition     = keys(aws_ssoadmin_customer_managed_policy_attachment.this) == ["admin/extra", "admin/team/guard"] && keys(aws_ssoadmin_permission_set_inline_policy.this) == ["read"]
    error_message = "Customer managed and inline policies must be attached."
  }
}

run "refused_when_there_is_no_instance" {
  command = plan

  override_data {
    target = data.aws_ssoadmin_instances.this["lookup"]
    values = { arns = [], identity_store_ids = [] }
  }

  variables {
    permission_sets = { audit = {} }
  }

  expect_failures = [data.aws_ssoadmin_instances.this]
}

run "refused_instance" {
  command = plan

  variables {
    instance        = { arn = "arn:aws:sso:::instance/mine", identity_store_id = "mine" }
    permission_sets = { a = {} }
  }

  expect_failures = [var.instance]
}

run "refused_nothing" {
  command = plan

  variables {
    permission_sets = {}
  }

  expect_failures = [var.permission_sets]
}

run "refused_name" {
  command = plan

  variables {
    permission_sets = { "a set" = {} }
  }

  expect_failures = [var.permission_sets]
}

run "refused_hours" {
  command = plan

  variables {
    permission_sets = { a = { session_hours = 13 } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_description" {
  command = plan

  variables {
    permission_sets = { a = { description = "" } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_relay_state" {
  command = plan

  variables {
    permission_sets = { a = { relay_state = "http://example.com" } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_managed_policy" {
  command = plan

  variables {
    permission_sets = { a = { managed_policies = ["arn:aws:iam::aws:policy/ReadOnlyAccess"] } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_customer_managed_policy" {
  command = plan

  variables {
    permission_sets = { a = { customer_managed_policies = { own = "team" } } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_boundary" {
  command = plan

  variables {
    permission_sets = { a = { permissions_boundary = {} } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_account" {
  command = plan

  variables {
    permission_sets = { a = { assignments = { production = { groups = ["x"] } } } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_assignment_of_nobody" {
  command = plan

  variables {
    permission_sets = { a = { assignments = { "111122223333" = {} } } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_id" {
  command = plan

  variables {
    permission_sets = { a = { assignments = { "111122223333" = { group_ids = ["Admins"] } } } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_inline_policy" {
  command = plan

  variables {
    permission_sets = { a = {} }
    inline_policies = { a = "no JSON" }
  }

  expect_failures = [var.inline_policies]
}

run "refused_long_inline_policy" {
  command = plan

  variables {
    permission_sets = { a = {} }
    inline_policies = { a = jsonencode({ Statement = [for number in range(1000) : { Sid = "S${number}" }] }) }
  }

  expect_failures = [var.inline_policies]
}

run "refused_twenty_one_policies" {
  command = plan

  variables {
    permission_sets = { a = { managed_policies = ["ReadOnlyAccess"], customer_managed_policies = { for number in range(20) : "p${number}" => "/" } } }
  }

  expect_failures = [var.permission_sets]
}

run "refused_inline_policy_of_no_set" {
  command = plan

  variables {
    permission_sets = { a = {} }
    inline_policies = { b = "{\"Statement\":[]}" }
  }

  expect_failures = [var.inline_policies]
}
