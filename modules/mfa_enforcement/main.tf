data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  iam = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}"

  # Users may live under a path, hence two patterns. A name has no slash, so neither matches another user.
  own_user = ["${local.iam}:user/$${aws:username}", "${local.iam}:user/*/$${aws:username}"]

  # Console users choose the device's name, so no pattern on the name can restrict it. A virtual device belongs to no
  # user until iam:EnableMFADevice binds it to one.
  any_virtual_device = ["${local.iam}:mfa/*"]

  own_settings   = ["iam:GetMFADevice", "iam:GetUser", "iam:ListMFADevices"]
  bind_device    = ["iam:EnableMFADevice", "iam:ResyncMFADevice"]
  enrolment      = concat(["iam:CreateVirtualMFADevice", "iam:ListVirtualMFADevices"], local.bind_device)
  session        = ["sts:GetCallerIdentity", "sts:GetSessionToken"]
  password       = var.allow_password_change_before_mfa ? ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"] : []
  password_reads = ["iam:GetAccountPasswordPolicy"]
}

# Three kinds of request exist for a user:
#   aws:MultiFactorAuthPresent = true     a console session or a session token made with MFA
#   aws:MultiFactorAuthPresent = false    a console session without MFA
#   the key is absent                     a long-lived access key
# A session token made without MFA counts as the second kind, but IAM itself refuses it every IAM call, and STS every
# call except AssumeRole (denied below) and GetCallerIdentity.
data "aws_iam_policy_document" "this" {
  # Groups such as billing allow none of this. Only identifying the caller, and calls that IAM cannot restrict to one resource.
  statement {
    sid       = "AllowReadsWithoutResource"
    effect    = "Allow"
    actions   = concat(["iam:ListVirtualMFADevices"], local.password_reads, local.session)
    resources = ["*"]
  }

  # The security credentials page shows the user and the devices; a key may read these too.
  statement {
    sid       = "AllowReadingOwnSettings"
    effect    = "Allow"
    actions   = local.own_settings
    resources = local.own_user
  }

  # First half of enrollment: a device of any name, not yet bound to a user.
  statement {
    sid       = "AllowCreatingVirtualDevices"
    effect    = "Allow"
    actions   = ["iam:CreateVirtualMFADevice"]
    resources = local.any_virtual_device
  }

  # Second half of enrollment: binding a virtual device, a TOTP token or a security key to the caller's own user.
  statement {
    sid       = "AllowBindingDevicesToOneself"
    effect    = "Allow"
    actions   = local.bind_device
    resources = local.own_user
  }

  # Replacing a device, only with MFA: a stolen password must not remove the device that protects the user.
  statement {
    sid       = "AllowUnbindingOwnDevicesWithMfa"
    effect    = "Allow"
    actions   = ["iam:DeactivateMFADevice"]
    resources = local.own_user

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }

  # After unbinding, the virtual device is removed; IAM refuses to delete one that is bound to a user.
  statement {
    sid       = "AllowDeletingUnboundDevicesWithMfa"
    effect    = "Allow"
    actions   = ["iam:DeleteVirtualMFADevice"]
    resources = local.any_virtual_device

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }

  # A forced change at the first sign-in fails without this permission, unless the account's password policy gives it to
  # all users.
  dynamic "statement" {
    for_each = var.allow_password_change_before_mfa ? ["own"] : []

    content {
      sid       = "AllowChangingOwnPassword"
      effect    = "Allow"
      actions   = ["iam:ChangePassword"]
      resources = local.own_user
    }
  }

  # The rule itself. "IfExists": a long-lived access key sends no MFA key at all, and is denied as well.
  statement {
    sid         = "DenyAllButEnrolmentWithoutMfa"
    effect      = "Deny"
    not_actions = concat(local.own_settings, local.enrolment, local.session, local.password)
    resources   = ["*"]

    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["false"]
    }
  }

  # The exceptions apply to the caller's own user only, also for administrators, whose policies allow them on all users.
  statement {
    sid           = "DenyOtherUsersWithoutMfa"
    effect        = "Deny"
    actions       = concat(local.own_settings, local.bind_device, ["iam:ChangePassword"])
    not_resources = local.own_user

    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["false"]
    }
  }

  # With a stolen key, a thief must not enroll a device and so get a session with MFA.
  statement {
    sid       = "DenyEnrolmentByAccessKey"
    effect    = "Deny"
    actions   = local.enrolment
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }

    dynamic "condition" {
      for_each = length(var.access_key_enrolment_users) == 0 ? [] : ["exceptions"]

      content {
        test     = "StringNotEquals"
        variable = "aws:username"
        values   = var.access_key_enrolment_users
      }
    }
  }

  # Password changes need a console session, also for the users who may enroll by key.
  dynamic "statement" {
    for_each = var.allow_password_change_before_mfa ? ["key"] : []

    content {
      sid       = "DenyPasswordChangeByAccessKey"
      effect    = "Deny"
      actions   = local.password
      resources = ["*"]

      condition {
        test     = "Null"
        variable = "aws:MultiFactorAuthPresent"
        values   = ["true"]
      }
    }
  }
}

resource "aws_iam_policy" "this" {
  name        = var.policy_name
  description = "Denies everything without MFA but enrolling a device of one's own"
  policy      = data.aws_iam_policy_document.this.json
}

resource "aws_iam_group_policy_attachment" "this" {
  for_each = var.group_names

  group      = each.value
  policy_arn = aws_iam_policy.this.arn
}
