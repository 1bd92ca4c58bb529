mock_provider "aws" {}

run "defaults_meet_cis" {
  command = plan

  assert {
    condition     = aws_iam_account_password_policy.this.minimum_password_length == 14 && aws_iam_account_password_policy.this.password_reuse_prevention == 24
    error_message = "The defaults must meet CIS 5.0 1.7 (length 14) and 1.8 (24 remembered)."
  }
  assert {
    condition = alltrue([
      aws_iam_account_password_policy.this.require_lowercase_characters,
      aws_iam_account_password_policy.this.require_uppercase_characters,
      aws_iam_account_password_policy.this.require_numbers,
      aws_iam_account_password_policy.this.require_symbols,
    ])
    error_message = "The defaults must ask for all four character classes (FSBP IAM.7)."
  }
  assert {
    condition     = aws_iam_account_password_policy.this.max_password_age == 90 && !aws_iam_account_password_policy.this.hard_expiry && aws_iam_account_password_policy.this.allow_users_to_change_password
    error_message = "By default passwords expire after 90 days and their owners renew them."
  }
}

run "every_switch" {
  command = plan

  variables {
    minimum_password_length        = 128
    require_lowercase_characters   = false
    require_uppercase_characters   = false
    require_numbers                = false
    require_symbols                = false
    password_reuse_prevention      = 1
    max_password_age               = 1095
    hard_expiry                    = true
    allow_users_to_change_password = false
  }

  assert {
    condition     = aws_iam_account_password_policy.this.minimum_password_length == 128 && aws_iam_account_password_policy.this.password_reuse_prevention == 1 && aws_iam_account_password_policy.this.max_password_age == 1095
    error_message = "Numbers must reach the resource unchanged."
  }
  assert {
    condition = !anytrue([
      aws_iam_account_password_policy.this.require_lowercase_characters,
      aws_iam_account_password_policy.this.require_uppercase_characters,
      aws_iam_account_password_policy.this.require_numbers,
      aws_iam_account_password_policy.this.require_symbols,
      aws_iam_account_password_policy.this.allow_users_to_change_password,
    ]) && aws_iam_account_password_policy.this.hard_expiry
    error_message = "Switches must reach the resource unchanged."
  }
}

run "null_age_means_never" {
  command = plan

  variables {
    max_password_age = null
  }

  assert {
    condition     = aws_iam_account_password_policy.this.max_password_age == 0
    error_message = "A null age must be sent as 0, else the provider keeps the age that was set before."
  }
}

run "numbers_below_the_api_s_bounds" {
  command = plan

  variables {
    minimum_password_length   = 5
    password_reuse_prevention = 0
    max_password_age          = 0
  }

  expect_failures = [var.minimum_password_length, var.password_reuse_prevention, var.max_password_age]
}

run "numbers_above_the_api_s_bounds" {
  command = plan

  variables {
    minimum_password_length   = 129
    password_reuse_prevention = 25
    max_password_age          = 1096
  }

  expect_failures = [var.minimum_password_length, var.password_reuse_prevention, var.max_password_age]
}

run "hard_expiry_needs_an_age" {
  command = plan

  variables {
    hard_expiry      = true
    max_password_age = null
  }

  expect_failures = [var.hard_expiry]
}
