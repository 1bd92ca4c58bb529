# The account has exactly one password policy: creating it overwrites the existing one, destroying it restores IAM's weak
# default (8 characters, three of four classes, no expiry).
resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = var.minimum_password_length
  require_lowercase_characters   = var.require_lowercase_characters
  require_uppercase_characters   = var.require_uppercase_characters
  require_numbers                = var.require_numbers
  require_symbols                = var.require_symbols
  password_reuse_prevention      = var.password_reuse_prevention
  hard_expiry                    = var.hard_expiry
  allow_users_to_change_password = var.allow_users_to_change_password

  # The provider's argument is computed when absent: null would keep the previous age. The provider sends 0 as "no age",
  # with which passwords never expire.
  max_password_age = coalesce(var.max_password_age, 0)
}
