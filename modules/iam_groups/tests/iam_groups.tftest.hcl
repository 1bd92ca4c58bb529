# Policy documents are asserted, so the real provider evaluates them offline; a mocked one returns no JSON.
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

run "defaults" {
  command = plan

  assert {
    condition     = output.group_names == tolist(["administrators", "auditors", "billing", "developers", "support"]) && output.administrator_group_names == tolist(["administrators"])
    error_message = "The five default groups, of which one administers identities."
  }
  assert {
    condition = { for key, attachment in aws_iam_group_policy_attachment.managed : key => attachment.policy_arn } == {
      "administrators/AdministratorAccess"   = "arn:aws:iam::aws:policy/AdministratorAccess"
      "auditors/SecurityAudit"               = "arn:aws:iam::aws:policy/SecurityAudit"
      "auditors/job-function/ViewOnlyAccess" = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
      "billing/job-function/Billing"         = "arn:aws:iam::aws:policy/job-function/Billing"
      "developers/PowerUserAccess"           = "arn:aws:iam::aws:policy/PowerUserAccess"
      "support/AWSSupportAccess"             = "arn:aws:iam::aws:policy/AWSSupportAccess"
    }
    error_message = "Each default group has its AWS managed policies and no others."
  }
  assert {
    condition     = sort(keys(aws_iam_group_policy_attachment.guardrail)) == tolist(["auditors", "billing", "developers", "support"])
    error_message = "Every group but administrators carries the guardrail."
  }
  assert {
    condition     = length(aws_iam_policy.self_service) + length(aws_iam_group_policy_attachment.self_service) == 0
    error_message = "By default nobody rotates access keys."
  }
  assert {
    condition     = length(aws_iam_policy.log_guardrail) + length(aws_iam_group_policy_attachment.log_guardrail) == 0
    error_message = "Where nothing holds logs there must be no policy that denies nothing."
  }
  assert {
    condition     = jsondecode(output.guardrail_policy_json).Statement[*].Sid == ["DenyIdentityAdministration", "DenyCredentialsOfOthers", "DenyPassingOtherRoles", "DenyAssumingOtherRoles", "DenyBlindingTheAccount"] && alltrue([for statement in jsondecode(output.guardrail_policy_json).Statement : statement.Effect == "Deny"])
    error_message = "The guardrail denies and grants nothing."
  }
  assert {
    condition     = jsondecode(output.guardrail_policy_json).Statement[1].NotResource == ["arn:aws:iam::123456789012:user/*/$${aws:username}", "arn:aws:iam::123456789012:user/$${aws:username}"]
    error_message = "One's own credentials are excepted, also for users under a path."
  }
  assert {
    condition     = jsondecode(output.guardrail_policy_json).Statement[2].Resource == "*" && jsondecode(output.guardrail_policy_json).Statement[3].Resource == "*"
    error_message = "By default no role may be passed or assumed."
  }
  assert {
    condition     = toset(jsondecode(output.guardrail_policy_json).Statement[4].Action) == toset(local.blinding) && jsondecode(output.guardrail_policy_json).Statement[4].Resource == "*"
    error_message = "What blinds the account is denied on every resource."
  }
  assert {
    condition     = length(replace(output.guardrail_policy_json, "/\\s/", "")) <= 5400
    error_message = "The guardrail leaves some 740 of 6,144 characters for the roles that its README promises room for."
  }
}

run "logs_and_alerts" {
  command = plan

  variables {
    log_guardrail_policy_name = "keep-logs"
    protected = {
      buckets         = ["logs"]
      log_groups      = ["/trail"]
      key_aliases     = ["logs"]
      topics          = ["alerts"]
      event_rules     = ["alerts-*"]
      alarms          = ["alerts-*"]
      schedule_groups = ["refresh"]
    }
  }

  assert {
    condition     = aws_iam_policy.log_guardrail["logs"].name == "keep-logs" && keys(aws_iam_group_policy_attachment.log_guardrail) == ["auditors", "billing", "developers", "support"]
    error_message = "Every group but administrators carries the second guardrail."
  }
  assert {
    condition     = jsondecode(output.log_guardrail_policy_json).Statement[*].Sid == ["DenyTamperingWithLogs", "DenyTamperingWithTheirKeys", "DenyTamperingWithLogSettings"] && alltrue([for statement in jsondecode(output.log_guardrail_policy_json).Statement : statement.Effect == "Deny"])
    error_message = "The second guardrail denies and grants nothing."
  }
  assert {
    condition = toset(jsondecode(output.log_guardrail_policy_json).Statement[0].Resource) == toset([
      "arn:aws:cloudwatch:*:123456789012:alarm:alerts-*",
      "arn:aws:events:*:123456789012:event-bus/default",
      "arn:aws:events:*:123456789012:rule/alerts-*",
      "arn:aws:kms:*:123456789012:alias/logs",
      "arn:aws:logs:*:123456789012:log-group:/trail",
      "arn:aws:logs:*:123456789012:log-group:/trail:*",
      "arn:aws:s3:::logs",
      "arn:aws:s3:::logs/*",
      "arn:aws:scheduler:*:123456789012:schedule-group/refresh",
      "arn:aws:scheduler:*:123456789012:schedule/refresh/*",
      "arn:aws:sns:*:123456789012:alerts",
      "arn:aws:sns:*:123456789012:alerts:*",
    ])
    error_message = "What is named is denied in every region, and nothing whose name only begins so."
  }
  assert {
    condition     = jsondecode(output.log_guardrail_policy_json).Statement[1].Condition == { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/logs" } }
    error_message = "Keys are known by their aliases."
  }
}

run "logs_alone_in_another_partition" {
  command = plan

  variables {
    protected = { buckets = ["logs"], log_groups = ["/trail"], key_aliases = ["logs"] }
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  assert {
    condition     = alltrue([for arn in flatten([for statement in jsondecode(output.log_guardrail_policy_json).Statement : statement.Resource]) : arn == "*" || startswith(arn, "arn:aws-us-gov:")])
    error_message = "ARNs must have the account's partition."
  }
  assert {
    condition     = alltrue([for action in jsondecode(output.log_guardrail_policy_json).Statement[0].Action : contains(["kms", "logs", "s3"], split(":", action)[0])])
    error_message = "Only actions on what is named are listed."
  }
}

run "more_than_a_policy_holds" {
  command = plan

  variables {
    protected = { buckets = [for number in range(60) : "a-bucket-of-logs-with-a-name-of-forty-characters-${number}"] }
  }

  expect_failures = [aws_iam_policy.log_guardrail]
}

run "own_groups" {
  command = plan

  variables {
    groups = {
      billing = null
      "data+eng" = {
        path             = "/teams/data/"
        managed_policies = ["arn:aws:iam::123456789012:policy/reports/read"]
        inline_policies = {
          reports = [
            {
              sid       = "ReadReports"
              actions   = ["s3:GetObject", "s3:ListBucket"]
              resources = ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]
              conditions = [
                { test = "StringEquals", variable = "aws:RequestedRegion", values = ["eu-central-1", "eu-west-1"] },
                { test = "Bool", variable = "aws:SecureTransport", values = ["true"] },
              ]
            },
            { sid = "OwnKeys", actions = ["iam:CreateAccessKey"], resources = ["arn:aws:iam::123456789012:user/$${aws:username}"] },
            { sid = "PassApp", actions = ["iam:PassRole"], resources = ["arn:aws:iam::123456789012:role/app/*"] },
            { sid = "NoDelete", effect = "Deny", actions = ["iam:*"], resources = ["*"] },
          ]
        }
      }
      root-admins = {
        administrator   = true
        inline_policies = { all = [{ sid = "All", actions = ["*"], resources = ["*"] }] }
      }
    }
    passable_roles        = ["arn:aws:iam::123456789012:role/app/*"]
    assumable_roles       = ["arn:aws:iam::111122223333:role/reader", "arn:aws:iam::111122223333:role/writer"]
    guardrail_policy_name = "no-identity-administration"
  }

  assert {
    condition     = output.group_names == tolist(["data+eng", "root-admins"]) && aws_iam_group.this["data+eng"].path == "/teams/data/"
    error_message = "A null entry stands for no group; a path reaches the group."
  }
  assert {
    condition     = aws_iam_group_policy_attachment.managed["data+eng/arn:aws:iam::123456789012:policy/reports/read"].policy_arn == "arn:aws:iam::123456789012:policy/reports/read"
    error_message = "An ARN is attached as it stands."
  }
  assert {
    condition = jsondecode(aws_iam_group_policy.inline["data+eng/reports"].policy).Statement[0] == {
      Sid      = "ReadReports"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetObject"]
      Resource = ["arn:aws:s3:::reports/*", "arn:aws:s3:::reports"]
      Condition = {
        StringEquals = { "aws:RequestedRegion" = ["eu-central-1", "eu-west-1"] }
        Bool         = { "aws:SecureTransport" = "true" }
      }
    }
    error_message = "Typed statements become the policy."
  }
  assert {
    condition     = jsondecode(aws_iam_group_policy.inline["data+eng/reports"].policy).Statement[1].Resource == "arn:aws:iam::123456789012:user/$${aws:username}"
    error_message = "Policy variables stay IAM's."
  }
  assert {
    condition     = jsondecode(output.guardrail_policy_json).Statement[2].NotResource == "arn:aws:iam::123456789012:role/app/*" && length(jsondecode(output.guardrail_policy_json).Statement[3].NotResource) == 2
    error_message = "Listed roles are excepted from the guardrail."
  }
  assert {
    condition     = keys(aws_iam_group_policy_attachment.guardrail) == ["data+eng"] && aws_iam_policy.guardrail.name == "no-identity-administration"
    error_message = "Only guarded groups carry the guardrail, under the name asked for."
  }
}

run "self_service" {
  command = plan

  variables {
    self_service = { access_keys = "rotate", aws_login = true, policy_name = "own-keys" }
  }

  assert {
    condition     = aws_iam_policy.self_service["access-keys"].name == "own-keys" && keys(aws_iam_group_policy_attachment.self_service) == ["auditors", "billing", "developers", "support"]
    error_message = "Every group but administrators may rotate: these may already."
  }
  assert {
    condition = jsonencode(jsondecode(output.self_service_policy_json).Statement) == jsonencode([{
      Sid       = "AllowRotatingOwnAccessKeysWithMfa"
      Effect    = "Allow"
      Action    = ["iam:UpdateAccessKey", "iam:ListAccessKeys", "iam:GetUser", "iam:GetAccessKeyLastUsed", "iam:DeleteAccessKey", "iam:CreateAccessKey"]
      Resource  = ["arn:aws:iam::123456789012:user/*/$${aws:username}", "arn:aws:iam::123456789012:user/$${aws:username}"]
      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    }])
    error_message = "Rotation is of one's own keys, with MFA, and nothing more."
  }
  assert {
    condition = sort([for key, attachment in aws_iam_group_policy_attachment.managed : key if endswith(attachment.policy_arn, "/SignInLocalDevelopmentAccess")]) == tolist([
      for group in ["auditors", "billing", "developers", "support"] : "${group}/SignInLocalDevelopmentAccess"
    ])
    error_message = "Every group but administrators gets AWS's policy for aws login."
  }
}

run "nobody_to_serve" {
  command = plan

  variables {
    groups       = { root-admins = { administrator = true, managed_policies = ["AdministratorAccess"] } }
    self_service = { access_keys = "rotate", aws_login = true }
  }

  assert {
    condition     = length(aws_iam_policy.self_service) == 0 && keys(aws_iam_group_policy_attachment.managed) == ["root-admins/AdministratorAccess"]
    error_message = "Without a guarded group there must be no policy that nothing uses."
  }
}

run "sign_in_named_twice" {
  command = plan

  variables {
    groups       = { team = { managed_policies = ["SignInLocalDevelopmentAccess"] } }
    self_service = { aws_login = true }
  }

  assert {
    condition     = keys(aws_iam_group_policy_attachment.managed) == ["team/SignInLocalDevelopmentAccess"]
    error_message = "A policy that a group names already must be attached once."
  }
}

run "quotas" {
  command = plan

  variables {
    groups = {
      team = { inline_policies = { many = [{ sid = "Many", actions = ["s3:GetObject"], resources = [for number in range(200) : "arn:aws:s3:::bucket-${number}/*"] }] } }
    }
    passable_roles = [for number in range(100) : "arn:aws:iam::123456789012:role/application-${number}"]
  }

  expect_failures = [aws_iam_group.this, aws_iam_policy.guardrail]
}
