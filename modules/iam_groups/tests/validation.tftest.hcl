# A mocked policy document is no JSON unless it is told so; none is asserted here.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "bad_group_name" {
  command = plan

  variables {
    groups = { "two words" = {} }
  }

  expect_failures = [var.groups]
}

run "names_differ_by_case" {
  command = plan

  variables {
    groups = { developers = {}, Developers = {} }
  }

  expect_failures = [var.groups]
}

run "bad_path" {
  command = plan

  variables {
    groups = { team = { path = "teams" } }
  }

  expect_failures = [var.groups]
}

run "bad_policy_arn" {
  command = plan

  variables {
    groups = { team = { managed_policies = ["arn:aws:iam::12:policy/x"] } }
  }

  expect_failures = [var.groups]
}

run "policy_twice" {
  command = plan

  variables {
    groups = { team = { managed_policies = ["ReadOnlyAccess", "ReadOnlyAccess"] } }
  }

  expect_failures = [var.groups]
}

run "eight_policies_on_a_guarded_group" {
  command = plan

  variables {
    groups = { team = { managed_policies = ["a", "b", "c", "d", "e", "f", "g", "h"] } }
  }

  expect_failures = [var.groups]
}

run "seven_policies_and_the_rotation_of_keys" {
  command = plan

  variables {
    groups       = { team = { managed_policies = ["a", "b", "c", "d", "e", "f", "g"] } }
    self_service = { access_keys = "rotate" }
  }

  expect_failures = [var.groups]
}

run "seven_policies_and_aws_login" {
  command = plan

  variables {
    groups       = { team = { managed_policies = ["a", "b", "c", "d", "e", "f", "g"] } }
    self_service = { aws_login = true }
  }

  expect_failures = [var.groups]
}

run "bad_self_service" {
  command = plan

  variables {
    self_service = { access_keys = "create", policy_name = "two words" }
  }

  expect_failures = [var.self_service]
}

run "inline_policy_without_statements" {
  command = plan

  variables {
    groups = { team = { inline_policies = { empty = [] } } }
  }

  expect_failures = [var.groups]
}

run "sid_twice" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["s3:Get*"], resources = ["*"] }, { sid = "A", actions = ["s3:List*"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "bad_effect" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", effect = "allow", actions = ["s3:Get*"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "bad_action" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["s3"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "bad_resource" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["s3:Get*"], resources = ["reports"] }] } } }
  }

  expect_failures = [var.groups]
}

run "bad_condition" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["s3:Get*"], resources = ["*"], conditions = [{ test = "StringIs", variable = "aws:PrincipalTag/team", values = ["x"] }] }] } } }
  }

  expect_failures = [var.groups]
}

run "administrator_policy" {
  command = plan

  variables {
    groups = { team = { managed_policies = ["arn:aws:iam::aws:policy/IAMFullAccess"] } }
  }

  expect_failures = [var.groups]
}

run "plain_escalation" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["iam:PutUserPolicy"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "wildcard_escalation" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["IAM:*Policy"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "credentials_of_others" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["iam:CreateAccessKey"], resources = ["arn:aws:iam::123456789012:user/*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "pass_any_role" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["iam:PassRole"], resources = ["*"] }] } } }
  }

  expect_failures = [var.groups]
}

run "assume_any_role" {
  command = plan

  variables {
    groups = { team = { inline_policies = { p = [{ sid = "A", actions = ["sts:AssumeRole"], resources = ["arn:aws:iam::123456789012:role/x"] }] } } }
  }

  expect_failures = [var.groups]
}

run "roles_without_limits" {
  command = plan

  variables {
    passable_roles        = ["arn:aws:iam::123456789012:role/*"]
    assumable_roles       = ["*"]
    guardrail_policy_name = "two words"
  }

  expect_failures = [var.passable_roles, var.assumable_roles, var.guardrail_policy_name]
}

run "protected_without_limits" {
  command = plan

  variables {
    guardrail_policy_name     = "same"
    log_guardrail_policy_name = "Same"
    protected                 = { buckets = ["*"] }
  }

  expect_failures = [var.log_guardrail_policy_name, var.protected]
}

run "keys_by_pattern" {
  command = plan

  variables {
    protected = { key_aliases = ["alias/logs"] }
  }

  expect_failures = [var.protected]
}
