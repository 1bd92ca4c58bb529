variable "group_names" {
  description = "Names of the groups that get the policy; it does not apply to users outside of them, or to roles."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in var.group_names : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", name))])
    error_message = "group_names must hold names of 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "policy_name" {
  description = "Name of the managed policy that is attached to every group."
  type        = string
  default     = "mfa-enforcement"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.policy_name))
    error_message = "policy_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "allow_password_change_before_mfa" {
  description = "Whether a user who signed in to the console without MFA may change their own password, which a forced change at the first sign-in needs; IAM requires the current password, so it helps only a person who could also enroll a device. With false such a user cannot sign in without an administrator's help."
  type        = bool
  default     = true
  nullable    = false
}

variable "access_key_enrolment_users" {
  description = "Names of users without a console password who may enroll an MFA device with a long-lived access key. Risk: a thief of such a key can enroll a device and act as a user with MFA. Remove a name as soon as its device is enrolled."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.access_key_enrolment_users : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", name))])
    error_message = "access_key_enrolment_users must hold user names of 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }

  validation {
    condition     = length(var.access_key_enrolment_users) <= 20
    error_message = "access_key_enrolment_users must have at most 20 entries: it is for few exceptions, and the policy has a size limit."
  }
}
