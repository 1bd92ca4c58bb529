output "enabled_features" {
  description = "Features of central root access, once they are on."
  value       = flatten([for features in aws_iam_organizations_features.this : tolist(features.enabled_features)])
}
