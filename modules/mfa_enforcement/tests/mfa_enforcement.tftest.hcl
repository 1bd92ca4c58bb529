# The policy document is asserted, so the real provider evaluates it offline; a mocked one returns no JSON.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

variables {
  group_names = ["administrators", "developers"]
}

run "defaults" {
  command = plan

  assert {
    condition = jsondecode(output.policy_json).Statement[*].Sid == [
      "AllowReadsWithoutResource",
      "AllowReadingOwnSettings",
      "AllowCreatingVirtualDevices",
      "AllowBindingDevicesToOneself",
      "AllowUnbindingOwnDevicesWithMfa",
      "AllowDeletingUnboundDevicesWithMfa",
      "AllowChangingOwnPassword",
      "DenyAllButEnrolmentWithoutMfa",
      "DenyOtherUsersWithoutMfa",
      "DenyEnrolmentByAccessKey",
      "DenyPasswordChangeByAccessKey",
    ]
    error_message = "Every statement is there, once."
  }
  assert {
    condition = { for statement in jsondecode(output.policy_json).Statement : statement.Sid => statement }["DenyAllButEnrolmentWithoutMfa"] == {
      Sid    = "DenyAllButEnrolmentWithoutMfa"
      Effect = "Deny"
      NotAction = [
        "sts:GetSessionToken",
        "sts:GetCallerIdentity",
        "iam:ResyncMFADevice",
        "iam:ListVirtualMFADevices",
        "iam:ListMFADevices",
        "iam:GetUser",
        "iam:GetMFADevice",
        "iam:GetAccountPasswordPolicy",
        "iam:EnableMFADevice",
        "iam:CreateVirtualMFADevice",
        "iam:ChangePassword",
      ]
      Resource  = "*"
      Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    }
    error_message = "Without MFA everything is denied but enrolment and what it needs; a key without the MFA key too."
  }
  assert {
    condition = { for statement in jsondecode(output.policy_json).Statement : statement.Sid => statement }["DenyOtherUsersWithoutMfa"].NotResource == [
      "arn:aws:iam::123456789012:user/*/$${aws:username}",
      "arn:aws:iam::123456789012:user/$${aws:username}",
    ]
    error_message = "One's own user is excepted, also under a path."
  }
  assert {
    condition     = { for statement in jsondecode(output.policy_json).Statement : statement.Sid => statement }["DenyEnrolmentByAccessKey"].Condition == { Null = { "aws:MultiFactorAuthPresent" = "true" } }
    error_message = "By default nobody enrols by access key."
  }
  assert {
    condition     = keys(aws_iam_group_policy_attachment.this) == ["administrators", "developers"] && aws_iam_policy.this.name == "mfa-enforcement"
    error_message = "The policy is on every group."
  }
}

run "every_switch" {
  command = plan

  variables {
    policy_name                      = "mfa"
    allow_password_change_before_mfa = false
    access_key_enrolment_users       = ["robot", "batch"]
  }

  assert {
    condition     = !strcontains(output.policy_json, "ChangingOwnPassword") && !strcontains(output.policy_json, "DenyPasswordChangeByAccessKey")
    error_message = "Without the setting the policy grants no password change."
  }
  assert {
    condition = !anytrue([
      for action in { for statement in jsondecode(output.policy_json).Statement : statement.Sid => statement }["DenyAllButEnrolmentWithoutMfa"].NotAction :
      strcontains(action, "Password")
    ])
    error_message = "Without the setting a password change before MFA is denied."
  }
  assert {
    condition = { for statement in jsondecode(output.policy_json).Statement : statement.Sid => statement }["DenyEnrolmentByAccessKey"].Condition == {
      Null            = { "aws:MultiFactorAuthPresent" = "true" }
      StringNotEquals = { "aws:username" = ["robot", "batch"] }
    }
    error_message = "Named users may enrol by access key."
  }
  assert {
    condition     = aws_iam_policy.this.name == "mfa"
    error_message = "The name reaches the policy."
  }
}

run "longest_policy_fits" {
  command = plan

  variables {
    access_key_enrolment_users = [for number in range(20) : format("%064d", number)]
  }

  assert {
    condition     = length(replace(output.policy_json, "/\\s/", "")) <= 6144
    error_message = "IAM allows a managed policy 6,144 characters, white space not counted."
  }
}

run "bad_names" {
  command = plan

  variables {
    group_names                = ["two words"]
    policy_name                = ""
    access_key_enrolment_users = ["*"]
  }

  expect_failures = [var.group_names, var.policy_name, var.access_key_enrolment_users]
}

run "too_many_exceptions" {
  command = plan

  variables {
    access_key_enrolment_users = [for number in range(21) : "robot-${number}"]
  }

  expect_failures = [var.access_key_enrolment_users]
}
