# The real provider, offline: policy documents are evaluated by it and need no AWS.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  account_id = "123456789012"
  partition  = "aws-us-gov"
}

run "by_name_and_keys_by_alias" {
  command = plan

  variables {
    protected = { key_aliases = ["logs"], topics = ["alerts"], buckets = [] }
  }

  assert {
    condition = jsondecode(output.policy_json).Statement == [
      {
        Sid    = "DenyTamperingWithLogs"
        Effect = "Deny"
        Action = [
          "sns:Unsubscribe", "sns:SetTopicAttributes", "sns:SetSubscriptionAttributes", "sns:RemovePermission",
          "sns:PutDataProtectionPolicy", "sns:DeleteTopic", "sns:AddPermission", "kms:UpdateAlias", "kms:DeleteAlias",
        ]
        Resource = [
          "arn:aws-us-gov:sns:*:123456789012:alerts:*",
          "arn:aws-us-gov:sns:*:123456789012:alerts",
          "arn:aws-us-gov:kms:*:123456789012:alias/logs",
        ]
      },
      {
        Sid       = "DenyTamperingWithTheirKeys"
        Effect    = "Deny"
        Action    = ["kms:UpdateKey*", "kms:Schedule*", "kms:Put*", "kms:Disable*", "kms:DeleteImported*"]
        Resource  = "*"
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/logs" } }
      },
    ] && !output.is_empty
    error_message = "What is protected must be denied by name, and its keys by alias."
  }
}

run "nothing_protected" {
  command = plan

  variables {
    protected = { buckets = [] }
  }

  assert {
    condition     = output.is_empty && length(coalesce(try(jsondecode(output.policy_json).Statement, null), [])) == 0
    error_message = "Without a name the document must have no statement."
  }
}

run "unknown_kind" {
  command = plan

  variables {
    protected = { bucket = ["logs"] }
  }

  expect_failures = [var.protected]
}
