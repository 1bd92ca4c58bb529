variable "rules" {
  description = "AWS managed rules by name: identifier, input parameters (texts), resource types (empty: the rule's own), how often a periodic rule runs (null: once a day), and whether only the home region evaluates it, as for rules about IAM and the account. Setting it replaces the whole default list."
  type = map(object({
    identifier                  = string
    input_parameters            = optional(map(string), {})
    resource_types              = optional(set(string), [])
    maximum_execution_frequency = optional(string)
    home_region_only            = optional(bool, false)
  }))
  default = {
    access-keys-rotated = {
      identifier       = "ACCESS_KEYS_ROTATED"
      home_region_only = true
      input_parameters = {
        maxAccessKeyAge = "90"
      }
    }

    iam-password-policy = {
      identifier       = "IAM_PASSWORD_POLICY"
      home_region_only = true
      input_parameters = {
        MaxPasswordAge             = "90"
        MinimumPasswordLength      = "14"
        PasswordReusePrevention    = "24"
        RequireLowercaseCharacters = "true"
        RequireNumbers             = "true"
        RequireSymbols             = "true"
        RequireUppercaseCharacters = "true"
      }
    }

    iam-policy-no-statements-with-admin-access = {
      identifier       = "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS"
      home_region_only = true
    }

    iam-root-access-key-check = {
      identifier       = "IAM_ROOT_ACCESS_KEY_CHECK"
      home_region_only = true
    }

    iam-user-mfa-enabled = {
      identifier       = "IAM_USER_MFA_ENABLED"
      home_region_only = true
    }

    iam-user-no-policies-check = {
      identifier       = "IAM_USER_NO_POLICIES_CHECK"
      home_region_only = true
    }

    iam-user-unused-credentials-check = {
      identifier       = "IAM_USER_UNUSED_CREDENTIALS_CHECK"
      home_region_only = true
      input_parameters = {
        maxCredentialUsageAge = "45"
      }
    }

    mfa-enabled-for-iam-console-access = {
      identifier       = "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS"
      home_region_only = true
    }

    root-account-mfa-enabled = {
      identifier       = "ROOT_ACCOUNT_MFA_ENABLED"
      home_region_only = true
    }

    cloud-trail-cloud-watch-logs-enabled = {
      identifier       = "CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED"
      home_region_only = true
    }

    cloud-trail-encryption-enabled = {
      identifier       = "CLOUD_TRAIL_ENCRYPTION_ENABLED"
      home_region_only = true
    }

    cloud-trail-log-file-validation-enabled = {
      identifier       = "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED"
      home_region_only = true
    }

    multi-region-cloudtrail-enabled = {
      identifier       = "MULTI_REGION_CLOUD_TRAIL_ENABLED"
      home_region_only = true
    }

    s3-account-level-public-access-blocks-periodic = {
      identifier       = "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC"
      home_region_only = true
    }

    cmk-backing-key-rotation-enabled = {
      identifier = "CMK_BACKING_KEY_ROTATION_ENABLED"
    }

    ec2-ebs-encryption-by-default = {
      identifier = "EC2_EBS_ENCRYPTION_BY_DEFAULT"
    }

    guardduty-enabled-centralized = {
      identifier = "GUARDDUTY_ENABLED_CENTRALIZED"
    }

    restricted-ssh = {
      identifier = "INCOMING_SSH_DISABLED"
    }

    s3-bucket-public-read-prohibited = {
      identifier = "S3_BUCKET_PUBLIC_READ_PROHIBITED"
    }

    s3-bucket-public-write-prohibited = {
      identifier = "S3_BUCKET_PUBLIC_WRITE_PROHIBITED"
    }

    s3-bucket-ssl-requests-only = {
      identifier = "S3_BUCKET_SSL_REQUESTS_ONLY"
    }

    vpc-default-security-group-closed = {
      identifier = "VPC_DEFAULT_SECURITY_GROUP_CLOSED"
    }

    vpc-flow-logs-enabled = {
      identifier = "VPC_FLOW_LOGS_ENABLED"
    }
  }
  nullable = false

  validation {
    condition     = alltrue([for name, rule in var.rules : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "rules must have names of 1 to 128 letters, digits, underscores and hyphens."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : can(regex("^[A-Z][A-Z0-9_]{1,255}$", rule.identifier))])
    error_message = "rules[].identifier must be the identifier of an AWS managed rule: uppercase letters, digits and underscores, such as IAM_PASSWORD_POLICY."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : alltrue([for t in rule.resource_types : can(regex("^AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+$", t))])])
    error_message = "rules[].resource_types must be types of the form AWS::EC2::Instance."
  }

  validation {
    condition = alltrue([
      for rule in values(var.rules) : rule.maximum_execution_frequency == null
      || contains(["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"], coalesce(rule.maximum_execution_frequency, "-"))
    ])
    error_message = "rules[].maximum_execution_frequency must be One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours or null."
  }
}

variable "additional_rules" {
  description = "AWS managed rules in the same form, evaluated in addition to those of rules."
  type = map(object({
    identifier                  = string
    input_parameters            = optional(map(string), {})
    resource_types              = optional(set(string), [])
    maximum_execution_frequency = optional(string)
    home_region_only            = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, rule in var.additional_rules : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "additional_rules must have names of 1 to 128 letters, digits, underscores and hyphens."
  }

  validation {
    condition     = alltrue([for rule in values(var.additional_rules) : can(regex("^[A-Z][A-Z0-9_]{1,255}$", rule.identifier))])
    error_message = "additional_rules[].identifier must be the identifier of an AWS managed rule: uppercase letters, digits and underscores, such as IAM_PASSWORD_POLICY."
  }

  validation {
    condition     = alltrue([for rule in values(var.additional_rules) : alltrue([for t in rule.resource_types : can(regex("^AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+$", t))])])
    error_message = "additional_rules[].resource_types must be types of the form AWS::EC2::Instance."
  }

  validation {
    condition = alltrue([
      for rule in values(var.additional_rules) : rule.maximum_execution_frequency == null
      || contains(["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"], coalesce(rule.maximum_execution_frequency, "-"))
    ])
    error_message = "additional_rules[].maximum_execution_frequency must be One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours or null."
  }

  validation {
    condition     = length(setintersection(keys(var.rules), keys(var.additional_rules))) == 0
    error_message = "additional_rules must not repeat a name of rules; to change a rule, give the whole list in rules."
  }
}
