output "enabled_features" {
  description = "Features of central root access, once they are enabled."
  value       = flatten([for features in aws_iam_organizations_features.this : tolist(features.enabled_features)])
}
