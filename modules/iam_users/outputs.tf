output "user_arns" {
  description = "Name => ARN of every existing user, including suspended ones."
  # Composed of values that are known before the apply, so that plans show policies that name a new user.
  value = { for name, user in aws_iam_user.this : name => "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:user${user.path}${user.name}" }
}

output "active_user_names" {
  description = "Names of the active users, sorted."
  value       = sort(keys(local.active))
}

output "encrypted_passwords" {
  description = "Name => first console password, encrypted with the user's PGP key, in base64; only of users with console_pgp_key."
  value       = { for name, profile in aws_iam_user_login_profile.first : name => profile.encrypted_password }
}

output "suspended_policy_json" {
  description = "Document of the policy on the group of suspended users."
  value       = data.aws_iam_policy_document.deny_everything.json
}
